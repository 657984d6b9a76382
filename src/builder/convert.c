/* Model files are checked against a backend before anything is timed. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "builder/model_check.h"
#include "builder/notes.h"
#include "builder/progress.h"

static nnm_status check_model(const nnm_builder *builder, const nnm_backend *backend, const nnm_kernel *kernel,
                              nnm_kernel_record *record, nnm_error *err)
{
    nnm_graph *graph = NULL;
    nnm_status status = nnm_builder_check_model(builder, kernel, record, &graph, err);
    if (status == NNM_OK) status = backend->supports(backend, graph, err);
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
        if (check_model(builder, backend, models->kernel, record, &failure) != NNM_OK) {
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
