#include "builder/builder.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "store/paths.h"
#include "store/record.h"

nnm_status nnm_builder_config_init(nnm_builder **out, const char *workspace_path, nnm_registry *registry,
                                   const nnm_hooks *hooks, nnm_error *err)
{
    nnm_builder *builder = nnm_calloc(1, sizeof *builder);
    if (!builder) return nnm_fail_memory(err);
    if (hooks) builder->hooks = *hooks;
    nnm_status status = nnm_workspace_open(&builder->workspace, workspace_path, registry, err);
    if (status) {
        free(builder);
        return status;
    }
    *out = builder;
    return NNM_OK;
}

nnm_status nnm_builder_config_reload(nnm_builder *builder, nnm_error *err)
{
    return nnm_workspace_reload(builder->workspace, err);
}

void nnm_builder_free(nnm_builder *builder)
{
    if (!builder) return;
    nnm_workspace_close(builder->workspace);
    free(builder);
}

const nnm_workspace *nnm_builder_workspace(const nnm_builder *builder)
{
    return builder->workspace;
}

nnm_status nnm_builder_kernel(const nnm_builder *builder, const char *kernel_type, const nnm_kernel **out,
                              nnm_error *err)
{
    return nnm_registry_find_kernel(nnm_workspace_registry(builder->workspace), kernel_type, out, err);
}

void nnm_builder_log(const nnm_builder *builder, nnm_log_level level, const char *format, ...)
{
    if (!builder || !builder->hooks.log) return;
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    builder->hooks.log(builder->hooks.context, level, line);
}

bool nnm_builder_is_asked_to_stop(const nnm_builder *builder)
{
    return builder->hooks.interrupted && builder->hooks.interrupted(builder->hooks.context);
}

nnm_status nnm_builder_check_interrupted(const nnm_builder *builder, nnm_error *err)
{
    if (nnm_builder_is_asked_to_stop(builder))
        return nnm_fail(err, NNM_ERR_INTERRUPTED, "interrupted; what was done so far is kept");
    if (builder->deadline_ns && nnm_clock_ns() >= builder->deadline_ns)
        return nnm_fail(err, NNM_ERR_INTERRUPTED, "the time for measuring is over; what was done so far is kept");
    return NNM_OK;
}

nnm_status nnm_builder_log_failure(const nnm_builder *builder, const char *step, const nnm_kernel *kernel,
                                   const nnm_kernel_record *record, const nnm_error *failure, nnm_error *err)
{
    char config[256];
    nnm_builder_describe(kernel, record, config, sizeof config);
    char *path = nnm_path_error_log(nnm_workspace_path(builder->workspace), step);
    char *line =
        nnm_format("%s: %s %s: %s: %s", record->id, nnm_kernel_name(kernel),
                   *config ? config : "(configuration unknown)", nnm_status_name(failure->code), failure->message);
    nnm_status status = path && line ? nnm_file_append_line(path, line, err) : nnm_fail_memory(err);
    if (status) /* the failure itself must not be lost with its line */
        status = nnm_context(err, status, "%s: %s; this could not be noted", record->id, failure->message);
    if (status == NNM_OK) nnm_builder_log(builder, NNM_LOG_WARNING, "%s", line);
    free(path);
    free(line);
    return status;
}

nnm_status nnm_builder_backend(const nnm_builder *builder, const char *name, const nnm_backend **out,
                               nnm_backend_info *info, nnm_error *err)
{
    const nnm_backend *backend = NULL;
    nnm_status status = nnm_backend_find(&backend, name, err);
    if (status) return status;
    const char *configured = nnm_workspace_backend(builder->workspace)->backend;
    if (strcmp(configured, name) != 0)
        return nnm_fail(err, NNM_ERR_VALUE,
                        "the workspace '%s' is for backend '%s' (BACKEND in configs/backend_config.yaml), not for "
                        "'%s': a workspace holds the measurements of one device",
                        nnm_workspace_path(builder->workspace), configured, name);
    nnm_session_options session = nnm_builder_session_options(builder);
    nnm_backend_probe(backend, &session, info);
    if (!info->available)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "backend '%s' is not available: %s", name, info->why_not);
    *out = backend;
    return NNM_OK;
}

nnm_status nnm_builder_take_device(nnm_builder *builder, const nnm_backend *backend, const char *purpose,
                                   nnm_error *err)
{
    if (backend->device == NNM_DEVICE_SIMULATED)
        nnm_builder_log(builder, NNM_LOG_WARNING,
                        "backend '%s' is a simulated device: its latencies are computed, they are no measurements",
                        backend->name);
    if (backend->device != NNM_DEVICE_LOCAL) return NNM_OK;
    return nnm_locks_take_machine(&builder->locks, purpose, err);
}

void nnm_builder_describe(const nnm_kernel *kernel, const nnm_kernel_record *record, char *text, size_t size)
{
    (void)nnm_record_describe(kernel, record, text, size);
}

nnm_status nnm_builder_check_batch(const nnm_builder *builder, const nnm_kernel_data *data, nnm_error *err)
{
    int64_t wanted = nnm_workspace_predictorbuild(builder->workspace)->batch_size;
    for (size_t i = 0; i < data->count; i++) {
        int64_t found = data->records[i].batch_size ? data->records[i].batch_size : 1;
        if (!data->records[i].model && !data->records[i].batch_size) continue; /* its file is yet to be written */
        if (data->records[i].has_config && found != wanted)
            return nnm_fail(err, NNM_ERR_VALUE,
                            "kernel '%s' was sampled with BATCH_SIZE %lld, which is %lld now: latencies of both in one "
                            "table would mean nothing. Use another workspace for the other batch size",
                            data->records[i].id, (long long)found, (long long)wanted);
    }
    return NNM_OK;
}

nnm_session_options nnm_builder_session_options(const nnm_builder *builder)
{
    const nnm_backend_config *config = nnm_workspace_backend(builder->workspace);
    return (nnm_session_options){
        .threads = config->threads,
        .optimization = config->optimization,
        .library_path = config->library_path,
        .settings = (const char *const *)config->settings,
    };
}

nnm_graph_options nnm_builder_graph_options(const nnm_builder *builder, const char *id)
{
    const nnm_predictorbuild_config *config = nnm_workspace_predictorbuild(builder->workspace);
    const nnm_backend *backend = NULL;
    nnm_status found = nnm_backend_find(&backend, nnm_workspace_backend(builder->workspace)->backend, NULL);
    return (nnm_graph_options){
        .layout = config->implement == NNM_IMPLEMENT_TENSORFLOW ? NNM_LAYOUT_NHWC : NNM_LAYOUT_NCHW,
        .batch_size = config->batch_size,
        .seed = nnm_hash64(id, strlen(id), 0),
        .zero_weights = found == NNM_OK && backend->ignores_weights,
    };
}

nnm_status nnm_builder_check_mark(const char *mark, nnm_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(mark);
    if (length == 0 || length > 64 || strspn(mark, allowed) != length)
        return nnm_fail(err, NNM_ERR_VALUE,
                        "mark '%.64s': it becomes part of file names, so 1 to 64 letters, digits, '.', '_' and '-' "
                        "are allowed",
                        mark);
    return NNM_OK;
}

nnm_status nnm_builder_list_configs(nnm_config_list *list, const nnm_kernel_data *data, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < data->count && status == NNM_OK; i++)
        if (data->records[i].has_config) status = nnm_config_list_add(list, &data->records[i].config, err);
    return status;
}

void nnm_builder_set_effort(nnm_builder *builder, nnm_effort effort)
{
    builder->effort = effort;
}

/* Test sets get so many times the rounds of others. */
#define TEST_ROUNDS 2

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

nnm_protocol nnm_builder_protocol(const nnm_builder *builder)
{
    nnm_protocol protocol = nnm_workspace_backend(builder->workspace)->protocol;
    if (builder->effort == NNM_EFFORT_QUICK) nnm_protocol_quick(&protocol);
    if (builder->effort == NNM_EFFORT_THOROUGH) nnm_protocol_thorough(&protocol);
    if (builder->testing) { /* the budget stays: kernels that take long need it least */
        protocol.rounds = least(TEST_ROUNDS * protocol.rounds, NNM_MAX_ROUNDS);
        protocol.max_rounds = least(TEST_ROUNDS * protocol.max_rounds, NNM_MAX_ROUNDS);
        protocol.target_error /= TEST_ROUNDS;
    }
    return protocol;
}
