#include "builder/sitting.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "builder/notes.h"

/* ---- what the journal knows ---- */

/* Calls `use` with the rounds of each record. */
typedef void (*use_rounds_fn)(void *context, size_t index, const nnm_round *rounds, size_t count);

static nnm_status each_record(const nnm_builder *builder, const nnm_kernel_data *data, use_rounds_fn use, void *context,
                              nnm_error *err)
{
    if (nnm_builder_find_journal(builder, NULL) == NNM_ERR_NOT_FOUND) return NNM_OK; /* nothing was measured here */
    nnm_journal *journal = NULL;
    nnm_journal_source source = nnm_builder_source(builder);
    nnm_status status = nnm_builder_open_journal(builder, &journal, err);
    for (size_t i = 0; i < data->count && status == NNM_OK; i++) {
        char subject[NNM_SUBJECT_BYTES];
        nnm_round *rounds = NULL;
        size_t count = 0;
        nnm_builder_describe(data->kernel, &data->records[i], subject, sizeof subject);
        status = nnm_journal_rounds(journal, &source, data->kernel, data->records[i].id, subject, false, &rounds,
                                    &count, err);
        if (status == NNM_OK && count) use(context, i, rounds, count);
        free(rounds);
    }
    nnm_journal_close(journal);
    return status;
}

static void add_seconds(void *context, size_t index, const nnm_round *rounds, size_t count)
{
    double *seconds = context;
    for (size_t i = 0; i < count; i++)
        seconds[index] += rounds[i].wall_ns * 1e-9;
}

nnm_status nnm_builder_recall_seconds(const nnm_builder *builder, const nnm_kernel_data *data, double *seconds,
                                      nnm_error *err)
{
    for (size_t i = 0; i < data->count; i++)
        seconds[i] = 0;
    return each_record(builder, data, add_seconds, seconds, err);
}

static nnm_status sum_seconds(const nnm_builder *builder, const nnm_kernel_data *data, double *sum, nnm_error *err)
{
    double *seconds = nnm_calloc(data->count, sizeof *seconds);
    if (!seconds) return nnm_fail_memory(err);
    nnm_status status = nnm_builder_recall_seconds(builder, data, seconds, err);
    *sum = 0;
    for (size_t i = 0; i < data->count; i++)
        *sum += seconds[i];
    free(seconds);
    return status;
}

nnm_status nnm_builder_seconds_of_mark(const nnm_builder *builder, const nnm_kernel *kernel, const char *mark,
                                       double *seconds, nnm_error *err)
{
    nnm_kernel_data *data = NULL;
    nnm_status status = nnm_builder_load_configs(builder, kernel, mark, &data, err);
    if (status == NNM_OK) status = sum_seconds(builder, data, seconds, err);
    nnm_kernel_data_free(data);
    return status;
}

static void set_latency(void *context, size_t index, const nnm_round *rounds, size_t count)
{
    nnm_kernel_data *data = context;
    if (!data->records[index].has_latency) nnm_builder_set_latency(&data->records[index], rounds, count);
}

/* ---- measuring ---- */

/* What is over when the time is: kernels that were not reached have the latencies that earlier calls gave them. */
static nnm_status end_early(nnm_builder *builder, nnm_kernel_data *data, nnm_error *err)
{
    nnm_status status = each_record(builder, data, set_latency, data, err);
    size_t measured = 0;
    for (size_t i = 0; i < data->count; i++)
        measured += data->records[i].has_latency;
    if (status == NNM_OK)
        nnm_builder_log(builder, NNM_LOG_INFO, "%s: the time is over; %zu of %zu kernels are measured",
                        nnm_kernel_name(data->kernel), measured, data->count);
    return status;
}

static nnm_status measure(nnm_builder *builder, nnm_kernel_data *data, const nnm_sitting *sitting,
                          nnm_profile_summary *summary, nnm_error *err)
{
    if (!isfinite(sitting->seconds))
        return nnm_builder_profile(builder, sitting->backend, data, sitting->repeat, summary, err);
    double spent_s = 0;
    nnm_status status = sum_seconds(builder, data, &spent_s, err);
    if (status) return status;
    double left_s = sitting->seconds - spent_s;
    summary->requested = data->count;
    if (left_s <= 0) return end_early(builder, data, err);
    nnm_error failure = NNM_ERROR_INIT;
    builder->deadline_ns = nnm_clock_ns() + (uint64_t)(left_s * 1e9);
    status = nnm_builder_profile(builder, sitting->backend, data, sitting->repeat, summary, &failure);
    bool over = status == NNM_ERR_INTERRUPTED && nnm_clock_ns() >= builder->deadline_ns;
    builder->deadline_ns = 0;
    if (over && !nnm_builder_is_asked_to_stop(builder)) return end_early(builder, data, err);
    if (status && err) *err = failure;
    return status;
}

/* Asks the backend before anything is written whether it can do this kernel type at all. */
static nnm_status check_supported(const nnm_builder *builder, const nnm_kernel *kernel, const char *backend_name,
                                  nnm_error *err)
{
    const nnm_backend *backend = NULL;
    nnm_backend_info info;
    nnm_layout layout = nnm_builder_graph_options(builder, "").layout;
    nnm_status status = nnm_builder_backend(builder, backend_name, &backend, &info, err);
    if (status) return status;
    status = nnm_backend_supports_kernel(backend, kernel, layout, err);
    return nnm_context(err, status, "backend '%s' cannot run kernel type '%s'", backend_name, nnm_kernel_name(kernel));
}

nnm_status nnm_builder_sit(nnm_builder *builder, const nnm_kernel *kernel, size_t num,
                           const nnm_sample_options *options, const nnm_sitting *sitting, nnm_kernel_data **out,
                           nnm_profile_summary *summary, nnm_error *err)
{
    nnm_kernel_data *data = NULL;
    nnm_status status = check_supported(builder, kernel, sitting->backend, err);
    if (status) return status;
    if (sitting->complete)
        status = nnm_builder_generate(builder, kernel, num, options, &data, err);
    else
        status = nnm_generate_config_sample(builder, nnm_kernel_name(kernel), num, options, &data, err);
    if (status == NNM_OK) status = measure(builder, data, sitting, summary, err);
    if (status)
        nnm_kernel_data_free(data);
    else
        *out = data;
    return status;
}
