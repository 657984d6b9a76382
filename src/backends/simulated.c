/*
 * The backend `simulated`: tells the latencies of a device that does not exist, by the model of simulated_model.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backends.h"
#include "backends/simulated_model.h"
#include "base/error.h"
#include "base/number.h"
#include "nnmeter/model_file.h"

#define VERSION "model 1" /* of the equations and the devices: another one gives other latencies */
#define RUNS 11           /* of a round */

enum {
    DEVICE = 0,
    SEED,
    NOISE,
    ROUND_NOISE,
    OUTLIERS
};

static const char *const device_words[] = {"phone", "desktop", "accelerator"}; /* as nnm_simulated_device_at has them */

static const nnm_setting settings[] = {
    [DEVICE] = {.key = "SIMULATED_DEVICE",
                .type = NNM_SETTING_WORD,
                .words = device_words,
                .word_count = 3,
                .initial = "phone",
                .identifies = true,
                .comment =
                    "The device that is simulated. Latencies are computed by a model (docs/backends.md); they are\n"
                    "no measurements of anything."},
    [SEED] = {.key = "SIMULATED_SEED",
              .type = NNM_SETTING_WHOLE,
              .minimum = 0,
              .maximum = 9007199254740991.0,
              .initial = "0",
              .identifies = true,
              .comment = "The noise is drawn by this number: equal numbers give equal latencies."},
    [NOISE] = {.key = "SIMULATED_NOISE",
               .type = NNM_SETTING_NUMBER,
               .minimum = 0,
               .maximum = 1,
               .initial = "0.02",
               .identifies = true,
               .comment = "How much single runs differ: the standard deviation of the logarithm of their latencies."},
    [ROUND_NOISE] = {.key = "SIMULATED_ROUND_NOISE",
                     .type = NNM_SETTING_NUMBER,
                     .minimum = 0,
                     .maximum = 1,
                     .initial = "0.01",
                     .identifies = true,
                     .comment = "How much rounds differ beyond that."},
    [OUTLIERS] = {.key = "SIMULATED_OUTLIERS",
                  .type = NNM_SETTING_NUMBER,
                  .minimum = 0,
                  .maximum = 1,
                  .initial = "0.01",
                  .identifies = true,
                  .comment = "The share of runs that take up to three times as long."},
};

/* Settings were checked when they were read, but a program may give its own. */
static nnm_status fail_setting(const nnm_backend *self, size_t index, const char *text, nnm_error *err)
{
    return nnm_fail(err, NNM_ERR_VALUE, "%s: found '%s'", self->settings[index].key, text ? text : "");
}

static nnm_status read_number(const nnm_backend *self, const nnm_session_options *options, size_t index, double *out,
                              nnm_error *err)
{
    const char *text = nnm_backend_setting(self, options, index);
    if (text && nnm_parse_double(text, out) && *out >= self->settings[index].minimum &&
        *out <= self->settings[index].maximum)
        return NNM_OK;
    return fail_setting(self, index, text, err);
}

static nnm_status read_settings(const nnm_backend *self, const nnm_session_options *options,
                                nnm_simulated_settings *out, nnm_error *err)
{
    const char *device = nnm_backend_setting(self, options, DEVICE), *seed = nnm_backend_setting(self, options, SEED);
    *out = (nnm_simulated_settings){.threads = options->threads};
    for (size_t i = 0; device && !out->device && nnm_simulated_device_at(i); i++)
        if (strcmp(device, nnm_simulated_device_at(i)->name) == 0) out->device = nnm_simulated_device_at(i);
    if (!out->device) return fail_setting(self, DEVICE, device, err);
    if (!seed || !nnm_parse_uint64(seed, &out->seed)) return fail_setting(self, SEED, seed, err);
    nnm_status status = read_number(self, options, NOISE, &out->noise, err);
    if (status == NNM_OK) status = read_number(self, options, ROUND_NOISE, &out->round_noise, err);
    if (status == NNM_OK) status = read_number(self, options, OUTLIERS, &out->outliers, err);
    return status;
}

static void probe(const nnm_backend *self, const nnm_session_options *options, nnm_backend_info *info)
{
    nnm_simulated_settings read;
    nnm_error err = NNM_ERROR_INIT;
    info->available = read_settings(self, options, &read, &err) == NNM_OK;
    if (info->available)
        snprintf(info->version, sizeof info->version, "%s, %s", VERSION, read.device->name);
    else
        snprintf(info->why_not, sizeof info->why_not, "%.250s", err.message);
}

static nnm_status supports(const nnm_backend *self, const nnm_graph *graph, nnm_error *err)
{
    (void)self;
    double ignored;
    const nnm_simulated_settings usual = nnm_simulated_settings_default();
    return nnm_simulated_latency_ns(graph, &usual, &ignored, err);
}

static nnm_status measure(const nnm_backend *self, double *latency_ns, size_t capacity, size_t *count,
                          const nnm_measure_request *request, const nnm_session_options *options, nnm_error *err)
{
    nnm_graph *graph = NULL;
    nnm_simulated_settings read;
    size_t runs = capacity < RUNS ? capacity : RUNS;
    nnm_status status = read_settings(self, options, &read, err);
    if (status == NNM_OK) status = nnm_model_read(&graph, request->model_path, err);
    if (status == NNM_OK) status = nnm_simulated_runs_ns(graph, &read, request->repetition, latency_ns, runs, err);
    if (status == NNM_OK) *count = runs;
    nnm_graph_free(graph);
    return status;
}

const nnm_backend nnm_backend_simulated = {
    .abi = NNM_BACKEND_ABI,
    .name = "simulated",
    .description = "a simulated device: latencies are computed by a model, nothing is measured",
    .reads_onnx = true,
    .reads_tflite = true,
    .device = NNM_DEVICE_SIMULATED,
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .ignores_weights = true,
    .probe = probe,
    .supports = supports,
    .measure = measure,
};
