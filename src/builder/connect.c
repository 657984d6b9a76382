/* A backend says hello by running a kernel. */
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "builder/builder.h"
#include "nnmeter/model_file.h"
#include "store/paths.h"

#define GLANCE_S 0.25 /* this latency is not kept, so it need not agree with others */

static nnm_status write_example(const nnm_builder *builder, const char *path, nnm_error *err)
{
    const nnm_kernel *kernel = NULL;
    nnm_kernel_config config;
    nnm_graph *graph = NULL;
    nnm_status status = nnm_kernel_find(&kernel, "conv-bn-relu", err);
    if (status == NNM_OK)
        status = nnm_kernel_config_parse(&config, kernel, "HW=28,CIN=32,COUT=32,KERNEL_SIZE=3,STRIDES=1", err);
    nnm_graph_options options = nnm_builder_graph_options(builder, "connect");
    if (status == NNM_OK) status = nnm_kernel_build_graph(&graph, kernel, &config, &options, err);
    if (status == NNM_OK) status = nnm_model_write(graph, path, err);
    nnm_graph_free(graph);
    return status;
}

static nnm_status measure_example(const nnm_builder *builder, const nnm_backend *backend, const char *path,
                                  double *latency_ms, nnm_error *err)
{
    const nnm_backend_config *config = nnm_workspace_backend(builder->workspace);
    nnm_session_options session = nnm_builder_session_options(builder);
    nnm_protocol protocol = config->protocol;
    protocol.find_s = GLANCE_S;
    nnm_worker *worker = NULL;
    nnm_round *round = malloc(sizeof *round);
    nnm_status status = round ? NNM_OK : nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_worker_start(&worker, backend, &session, &protocol, err);
    if (status == NNM_OK) status = nnm_worker_measure(worker, path, round, err);
    if (status == NNM_OK && latency_ms) *latency_ms = round->estimate_ns * 1e-6;
    nnm_worker_stop(worker);
    free(round);
    return status;
}

nnm_status nnm_connect_backend(nnm_builder *builder, const char *backend_name, double *latency_ms, nnm_error *err)
{
    const nnm_backend *backend = NULL;
    nnm_backend_info info;
    nnm_status status = nnm_builder_backend(builder, backend_name, &backend, &info, err);
    if (status) return status;

    char *folder = nnm_path_models(nnm_workspace_path(builder->workspace));
    char *path = folder ? nnm_format("%s/connect_%ld.%s", folder, (long)getpid(),
                                     nnm_model_suffix(nnm_builder_graph_options(builder, "").layout))
                        : NULL;
    status = path ? write_example(builder, path, err) : nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_builder_take_device(builder, backend, "connect", err);
    if (status == NNM_OK) status = measure_example(builder, backend, path, latency_ms, err);
    nnm_locks_release(&builder->locks);
    if (path) unlink(path);
    free(path);
    free(folder);
    return status;
}
