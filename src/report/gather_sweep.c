/*
 * The staircase: what the predictor says while one parameter changes and the others stay as they are in a configuration
 * beside which much was measured. Runtimes work on channels in blocks, so latency goes up in steps.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/gather.h"

#define MOST_STEPS 600      /* points of the line */
#define MOST_CANDIDATES 500 /* configurations that are compared with all others */
#define NEARBY 0.15         /* channels that differ by less are next to the line */
#define LEAST_WIDTH 64

/* Which parameter changes, and the one that is always equal to it (-1: none). */
typedef struct axis {
    const nnm_kernel *kernel;
    int param, tied;
} axis;

static bool is_valid(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    return nnm_kernel_config_check(kernel, config, NULL) == NNM_OK;
}

static void set(const axis *a, nnm_kernel_config *config, int64_t value)
{
    config->value[a->param] = value;
    if (a->tied >= 0) config->value[a->tied] = value;
}

/* COUT where it is free, else CIN, alone or with COUT; N of matmul and the first input of concat stand for them. */
static bool choose_axis(const nnm_kernel *kernel, const nnm_kernel_config *example, axis *out)
{
    static const char *const names[] = {"COUT", "CIN", "N", "CIN1"};
    int cout = nnm_kernel_param_index(kernel, "COUT"), cin = nnm_kernel_param_index(kernel, "CIN");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        axis a = {kernel, nnm_kernel_param_index(kernel, names[i]), -1};
        if (a.param < 0) continue;
        for (int tie = 0; tie < 2; tie++) {
            nnm_kernel_config more = *example;
            if (tie && (a.param != cin || cout < 0)) break;
            a.tied = tie ? cout : -1;
            set(&a, &more, example->value[a.param] + 2); /* split and others need even numbers */
            if (!is_valid(kernel, &more)) continue;
            *out = a;
            return true;
        }
    }
    return false;
}

/* Whether a parameter counts channels, of which a few more or less make another kernel of the same kind. */
static bool is_width(const char *name)
{
    return strncmp(name, "CIN", 3) == 0 || strcmp(name, "COUT") == 0 || strlen(name) == 1;
}

/* 2: on the line through `base`; 1: next to it; 0: elsewhere. */
static int nearness(const axis *a, const nnm_kernel_config *base, const nnm_kernel_config *config)
{
    int near = 2;
    for (int i = 0; i < (int)nnm_kernel_param_count(a->kernel); i++) {
        double left = (double)base->value[i], right = (double)config->value[i];
        if (i == a->param || i == a->tied || left == right) continue;
        if (!is_width(nnm_kernel_param_name(a->kernel, (size_t)i))) return 0;
        if (fabs(left - right) > NEARBY * left) return 0;
        near = 1;
    }
    return near;
}

/* The measured configuration whose line has the most measured ones on it and next to it. */
static const nnm_kernel_config *choose_base(const nnm_report_kernel *k, const axis *a)
{
    const nnm_kernel_config *best = &k->labels[0].config;
    size_t most = 0, stride = k->label_count / MOST_CANDIDATES + 1;
    for (size_t i = 0; i < k->label_count; i += stride) {
        size_t score = 0;
        for (size_t j = 0; j < k->label_count; j++)
            score += (size_t)nearness(a, &k->labels[i].config, &k->labels[j].config);
        if (score > most) {
            most = score;
            best = &k->labels[i].config;
        }
    }
    return best;
}

/* From a quarter to the double of the base's value, within what was measured. */
static void choose_range(const nnm_report_kernel *k, const axis *a, const nnm_kernel_config *base, int64_t *from,
                         int64_t *to)
{
    int64_t least = INT64_MAX, most = 0, value = base->value[a->param];
    for (size_t i = 0; i < k->label_count; i++) {
        int64_t other = k->labels[i].config.value[a->param];
        if (other < least) least = other;
        if (other > most) most = other;
    }
    *from = value / 4 > least ? value / 4 : least;
    *to = value * 2 < most ? value * 2 : most;
    if (*to < *from + LEAST_WIDTH) *to = *from + LEAST_WIDTH < most ? *from + LEAST_WIDTH : most;
    if (*from < 1) *from = 1;
}

static void describe(nnm_report_sweep *sweep, const axis *a, const nnm_kernel_config *base)
{
    const char *name = nnm_kernel_param_name(a->kernel, (size_t)a->param);
    size_t used = 0;
    if (a->tied >= 0)
        snprintf(sweep->param, sizeof sweep->param, "%s = %s", name, nnm_kernel_param_name(a->kernel, (size_t)a->tied));
    else
        snprintf(sweep->param, sizeof sweep->param, "%s", name);
    for (int i = 0; i < (int)nnm_kernel_param_count(a->kernel) && used < sizeof sweep->fixed; i++) {
        if (i == a->param || i == a->tied) continue;
        used += (size_t)snprintf(sweep->fixed + used, sizeof sweep->fixed - used, "%s%s=%lld", used ? ", " : "",
                                 nnm_kernel_param_name(a->kernel, (size_t)i), (long long)base->value[i]);
    }
}

static nnm_status predict(nnm_report_sweep *sweep, const axis *a, nnm_registry *registry,
                          const nnm_predictor *predictor, nnm_kernel_config config, int64_t from, int64_t to,
                          nnm_error *err)
{
    int64_t stride = (to - from) / MOST_STEPS + 1;
    nnm_status status = NNM_OK;
    sweep->steps = nnm_calloc((size_t)((to - from) / stride + 1), sizeof *sweep->steps);
    if (!sweep->steps) return nnm_fail_memory(err);
    for (int64_t value = from; value <= to && status == NNM_OK; value += stride) {
        char text[NNM_REPORT_TEXT_BYTES];
        nnm_prediction prediction;
        set(a, &config, value);
        if (!is_valid(a->kernel, &config)) continue; /* e.g. an odd number of channels */
        nnm_kernel_config_format(a->kernel, &config, text, sizeof text);
        status = nnm_predict_config(registry, predictor, text, &prediction, err);
        if (status == NNM_OK)
            sweep->steps[sweep->step_count++] =
                (nnm_report_step){(double)value, prediction.latency_ms, prediction.lower_ms, prediction.upper_ms};
    }
    return status;
}

static nnm_status add_neighbours(nnm_report_kernel *k, const axis *a, const nnm_kernel_config *base, int64_t from,
                                 int64_t to, nnm_error *err)
{
    nnm_report_sweep *sweep = &k->sweep;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < k->label_count && status == NNM_OK; i++) {
        const nnm_report_label *label = &k->labels[i];
        int64_t value = label->config.value[a->param];
        int near = nearness(a, base, &label->config);
        if (near == 0 || value < from || value > to) continue;
        void *array = sweep->near;
        status = nnm_grow(&array, &sweep->near_capacity, sweep->near_count + 1, sizeof *sweep->near, err);
        if (status) break;
        sweep->near = array;
        sweep->near[sweep->near_count++] =
            (nnm_report_neighbour){label->config, (double)value, label->latency_ms, near == 2};
    }
    return status;
}

nnm_status nnm_gather_sweep(nnm_registry *registry, nnm_report_kernel *k, const nnm_predictor *predictor,
                            nnm_error *err)
{
    axis a;
    int64_t from, to;
    if (k->label_count == 0)
        return nnm_fail(err, NNM_ERR_TOO_FEW_ROWS, "No measured configuration is known to begin from.");
    if (!choose_axis(k->kernel, &k->labels[0].config, &a))
        return nnm_fail(err, NNM_ERR_TOO_FEW_ROWS, "This kernel type has no number of channels that could be changed.");
    const nnm_kernel_config *base = choose_base(k, &a);
    choose_range(k, &a, base, &from, &to);
    if (to <= from)
        return nnm_fail(err, NNM_ERR_TOO_FEW_ROWS, "All measured configurations have the same %s.",
                        nnm_kernel_param_name(k->kernel, (size_t)a.param));
    describe(&k->sweep, &a, base);
    nnm_status status = predict(&k->sweep, &a, registry, predictor, *base, from, to, err);
    if (status == NNM_OK) status = add_neighbours(k, &a, base, from, to, err);
    if (status) k->sweep.step_count = k->sweep.near_count = 0;
    return status;
}
