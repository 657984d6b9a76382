/* The time of single nodes, from the trace that ONNX Runtime's own profiler writes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "backends/backends.h"
#include "backends/onnxruntime_session.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#define MAX_WARMUP 10
#define RUNS 20 /* the runtime's clock ticks microseconds */
#define KERNEL_TIME "_kernel_time"

/* A node's entry in the trace: {"cat": "Node", "name": "<node>_kernel_time", "dur": <us>, "args": {"op_name": ...}} */
static bool read_event(const json_t *event, nnm_node_time *out)
{
    const char *category = json_string_value(json_object_get(event, "cat"));
    const char *name = json_string_value(json_object_get(event, "name"));
    const char *op = json_string_value(json_object_get(json_object_get(event, "args"), "op_name"));
    const json_t *duration = json_object_get(event, "dur");
    if (!category || strcmp(category, "Node") != 0 || !name || !op || !json_is_number(duration)) return false;
    size_t length = strlen(name), suffix = strlen(KERNEL_TIME);
    if (length < suffix || strcmp(name + length - suffix, KERNEL_TIME) != 0) return false;
    snprintf(out->name, sizeof out->name, "%.*s", (int)(length - suffix), name);
    snprintf(out->op, sizeof out->op, "%s", op);
    out->mean_ns = json_number_value(duration) * 1e3;
    return true;
}

/* Every run adds the same nodes in the same order. Those of the warm-up come first. */
static nnm_status add_up(const json_t *trace, size_t runs, size_t all_runs, const char *file, nnm_node_time **out,
                         size_t *count, nnm_error *err)
{
    size_t found = 0;
    nnm_node_time *events = nnm_calloc(json_array_size(trace), sizeof *events);
    if (!events) return nnm_fail_memory(err);
    for (size_t i = 0; i < json_array_size(trace); i++)
        found += read_event(json_array_get(trace, i), &events[found]);
    size_t nodes = found / all_runs;
    bool even = nodes * all_runs == found && found > 0;
    for (size_t i = nodes; i < found && even; i++)
        even = strcmp(events[i].name, events[i % nodes].name) == 0;
    if (!even) {
        free(events);
        return nnm_fail(err, NNM_ERR_PARSE, "%s: %zu times of nodes after %zu runs", file, found, all_runs);
    }
    size_t skipped = (all_runs - runs) * nodes;
    for (size_t node = 0; node < nodes; node++) {
        double sum_ns = 0;
        for (size_t i = skipped + node; i < found; i += nodes)
            sum_ns += events[i].mean_ns;
        events[node].mean_ns = sum_ns / (double)runs;
    }
    *out = events;
    *count = nodes;
    return NNM_OK;
}

static nnm_status read_trace(const char *file, size_t runs, size_t all_runs, nnm_node_time **out, size_t *count,
                             nnm_error *err)
{
    char *text = NULL;
    size_t size = 0;
    json_error_t problem;
    nnm_status status = nnm_file_read(file, &text, &size, err);
    if (status) return status;
    json_t *trace = json_loadb(text, size, 0, &problem);
    free(text);
    if (!trace) return nnm_fail(err, NNM_ERR_PARSE, "%s: %s", file, problem.text);
    status = add_up(trace, runs, all_runs, file, out, count, err);
    json_decref(trace);
    return status;
}

/* Runs the session and ends the trace, whose path goes to `file`. */
static nnm_status record(nnm_session *session, size_t all_runs, char **file, nnm_error *err)
{
    const nnm_ort_api *api = session->library.api;
    nnm_status status = NNM_OK;
    char *name = NULL;
    for (size_t i = 0; i < all_runs && status == NNM_OK; i++)
        status = nnm_backend_onnxruntime_cpu.run(session, err);
    nnm_status ended = nnm_ort_check(api, api->end_profiling(session->session, session->allocator, &name),
                                     "end its record of times", status ? NULL : err);
    if (status == NNM_OK) status = ended;
    if (!name) return status;
    *file = nnm_strdup(name);
    if (!*file) (void)unlink(name);
    if (!*file && status == NNM_OK) status = nnm_fail_memory(err);
    (void)nnm_ort_check(api, api->allocator_free(session->allocator, name), "free a name", NULL);
    return status;
}

nnm_status nnm_ort_profile_nodes(nnm_node_time **out, size_t *count, const char *model_path,
                                 const nnm_session_options *options, size_t runs, const char *folder, nnm_error *err)
{
    if (runs == 0) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "0 runs have no mean time");
    if (!nnm_folder_exists(folder)) return nnm_fail(err, NNM_ERR_NOT_FOUND, "there is no folder '%s'", folder);
    nnm_session *session = NULL;
    char *file = NULL, *prefix = nnm_format("%s/onnxruntime_%ld", folder, (long)getpid());
    if (!prefix) return nnm_fail_memory(err);
    size_t all_runs = runs + (runs < MAX_WARMUP ? runs : MAX_WARMUP);
    nnm_status status = nnm_ort_session_open(&session, model_path, options, prefix, err);
    if (status == NNM_OK) status = record(session, all_runs, &file, err);
    nnm_ort_session_close(session);
    if (status == NNM_OK) status = read_trace(file, runs, all_runs, out, count, err);
    if (file) (void)unlink(file);
    free(file);
    free(prefix);
    return status;
}

nnm_status nnm_ort_node_times(const nnm_backend *self, nnm_node_time out[NNM_MAX_NODE_TIMES], size_t *count,
                              const char *model_path, const nnm_session_options *options, nnm_error *err)
{
    (void)self;
    nnm_node_time *nodes = NULL;
    size_t found = 0;
    nnm_status status = nnm_ort_profile_nodes(&nodes, &found, model_path, options, RUNS, P_tmpdir, err);
    if (status) return status;
    if (found > NNM_MAX_NODE_TIMES) found = NNM_MAX_NODE_TIMES;
    memcpy(out, nodes, found * sizeof *nodes);
    *count = found;
    free(nodes);
    return NNM_OK;
}
