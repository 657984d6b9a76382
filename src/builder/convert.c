/* Model files are checked against a backend before anything is timed. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "builder/notes.h"
#include "builder/progress.h"
#include "nnmeter/model_file.h"

static void format_shape(const nnm_shape *shape, size_t first, char text[128])
{
    size_t length = 0;
    for (size_t d = first; d < shape->rank && length < 128; d++)
        length +=
            (size_t)snprintf(text + length, 128 - length, "%s%lld", d > first ? " x " : "", (long long)shape->dim[d]);
}

/* A latency of another kernel than the configuration says is worse than none: the inputs must have its sizes. Batches
 * are not compared; matmul has its own as the first dimension, others get one before their shape. */
static nnm_status check_inputs(const nnm_graph *graph, const nnm_kernel *kernel, const nnm_kernel_record *record,
                               nnm_error *err)
{
    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS];
    size_t count = nnm_kernel_input_shapes(kernel, &record->config, nnm_graph_layout(graph), shapes);
    if (nnm_graph_input_count(graph) != count)
        return nnm_fail(err, NNM_ERR_VALUE, "%s: it has %zu inputs, but this %s has %zu", record->model,
                        nnm_graph_input_count(graph), nnm_kernel_name(kernel), count);
    for (size_t i = 0; i < count; i++) {
        const nnm_shape *found = &nnm_graph_tensor(graph, nnm_graph_input(graph, i))->shape;
        size_t own_batch = found->rank == shapes[i].rank;
        bool same = found->rank == shapes[i].rank + 1 || own_batch;
        for (size_t d = 1; same && d < found->rank; d++)
            same = found->dim[d] == shapes[i].dim[d - 1 + own_batch];
        if (same) continue;
        char has[128] = "", needs[128] = "";
        format_shape(found, 1, has);
        format_shape(&shapes[i], own_batch, needs);
        return nnm_fail(err, NNM_ERR_VALUE,
                        "%s: input %zu is %s behind its batch, but that of %s with this configuration is %s",
                        record->model, i + 1, *has ? has : "nothing", nnm_kernel_name(kernel), needs);
    }
    return NNM_OK;
}

static nnm_status check_model(const nnm_backend *backend, const nnm_kernel *kernel, const nnm_kernel_record *record,
                              nnm_error *err)
{
    if (!record->model) return nnm_fail(err, NNM_ERR_NOT_FOUND, "no model file is given");
    nnm_graph *graph = NULL;
    nnm_status status = nnm_model_read(&graph, record->model, err);
    if (status == NNM_OK && record->has_config) status = check_inputs(graph, kernel, record, err);
    if (status == NNM_OK) status = backend->supports(graph, err);
    nnm_graph_free(graph);
    return status;
}

/* Enters the results into the file as it is now: others may have added kernels since it was read. */
static nnm_status save_converted(nnm_builder *builder, const nnm_kernel_data *models, const char *path, nnm_error *err)
{
    nnm_kernel_data *now = NULL;
    nnm_status status = nnm_locks_take_workspace(&builder->locks, builder->workspace, "convert", err);
    if (status == NNM_OK) status = nnm_kernel_data_load(&now, models->kernel, path, err);
    for (size_t i = 0; i < models->count && status == NNM_OK; i++) {
        nnm_kernel_record *record = nnm_kernel_data_find(now, models->records[i].id);
        const char *converted = models->records[i].converted_model;
        if (!record || !converted) continue;
        free(record->converted_model);
        record->converted_model = nnm_strdup(converted);
        if (!record->converted_model) status = nnm_fail_memory(err);
    }
    if (status == NNM_OK) status = nnm_builder_note_saved(builder, path, now, err);
    if (status == NNM_OK) status = nnm_kernel_data_save_configs(now, path, err);
    nnm_kernel_data_free(now);
    nnm_locks_release(&builder->locks);
    return status;
}

nnm_status nnm_convert_models(nnm_builder *builder, const char *backend_name, nnm_kernel_data *models,
                              const char *save_path, size_t *failed, nnm_error *err)
{
    const nnm_backend *backend = NULL;
    nnm_backend_info info;
    nnm_status status = nnm_builder_backend(builder, backend_name, &backend, &info, err);
    if (status == NNM_OK) status = nnm_builder_find_models(builder, models, err);
    if (status) return status;

    char activity[96];
    snprintf(activity, sizeof activity, "convert %s", nnm_kernel_name(models->kernel));
    nnm_progress_meter meter;
    nnm_progress_begin(&meter, builder, activity, models->count, (double)models->count);
    size_t failures = 0;
    nnm_error first = NNM_ERROR_INIT;
    for (size_t i = 0; i < models->count; i++) {
        nnm_kernel_record *record = &models->records[i];
        status = nnm_builder_check_interrupted(builder, err);
        if (status) return status;
        nnm_error failure = NNM_ERROR_INIT;
        if (check_model(backend, models->kernel, record, &failure) != NNM_OK) {
            if (failures++ == 0) first = failure;
            status = nnm_builder_log_failure(builder, "convert", models->kernel, record, &failure, err);
            if (status) return status;
        } else if (!record->converted_model) {
            /* The backend loads the file as it was generated. */
            record->converted_model = nnm_strdup(record->model);
            if (!record->converted_model) return nnm_fail_memory(err);
        }
        nnm_progress_step(&meter, i + 1, failures, (double)(i + 1));
    }
    if (failed) *failed = failures;
    if (failures && failures == models->count) {
        if (err) *err = first;
        return nnm_context(err, NNM_ERR_BACKEND, "none of %zu models can be used by backend '%s'; the first", failures,
                           backend_name);
    }
    return save_path ? save_converted(builder, models, save_path, err) : NNM_OK;
}
