/*
 * oneDNN on the CPU, through its C interface. Tensors lie in the layout that the primitives prefer; inputs and outputs
 * are converted when they are copied in and out, never while a run is timed, as inside of a network.
 */
#include "backends/backends.h"
#include "base/error.h"

#ifdef NNM_HAVE_ONEDNN

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/onednn_session.h"
#include "base/memory.h"
#include "base/rng.h"
#include "nnmeter/model_file.h"

#define INPUT_SEED 20220216

/* ---- threads ---- */

/* Finds the OpenMP library that oneDNN brought along, whichever it is. */
static bool find_openmp(nnm_openmp *out)
{
    void *get = dlsym(RTLD_DEFAULT, "omp_get_max_threads"), *set = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    memcpy(&out->get_max_threads, &get, sizeof get); /* ISO C has no cast from an object to a function */
    memcpy(&out->set_num_threads, &set, sizeof set);
    return get && set;
}

/* The number of threads belongs to the calling thread, which may do other things with OpenMP: callers put back the
 * number that this returns. */
static int change_threads(const nnm_openmp *openmp, int count)
{
    int before = openmp->get_max_threads();
    openmp->set_num_threads(count);
    return before;
}

/* ---- the table ---- */

static void close_session(nnm_session *session)
{
    if (!session) return;
    for (size_t i = 0; i < session->call_count; i++)
        (void)dnnl_primitive_destroy(session->calls[i].primitive);
    for (size_t i = 0; i < session->memory_count; i++)
        (void)dnnl_memory_destroy(session->memories[i]);
    if (session->stream) (void)dnnl_stream_destroy(session->stream);
    if (session->engine) (void)dnnl_engine_destroy(session->engine);
    free(session->calls);
    free(session->memories);
    free(session->inputs);
    free(session->outputs);
    free(session);
}

/* Values in (-1, 1), far from denormal numbers, the same in every session. */
static nnm_status fill(nnm_session *session, size_t index, nnm_error *err)
{
    nnm_onednn_external *input = &session->inputs[index];
    float *data = nnm_reallocarray(NULL, input->count, sizeof *data);
    if (!data) return nnm_fail_memory(err);
    nnm_rng rng;
    nnm_rng_init(&rng, INPUT_SEED, index);
    for (size_t i = 0; i < input->count; i++)
        data[i] = (float)(2.0 * nnm_rng_uniform(&rng) - 1.0);
    nnm_status status = nnm_onednn_copy_in(session, input->memory, &input->file, data, err);
    free(data);
    return status;
}

static nnm_status construct(nnm_session *session, const nnm_graph *graph, nnm_error *err)
{
    nnm_plan plan = {0};
    nnm_status status = nnm_plan_make(&plan, graph, err);
    if (status) return status;
    if (!find_openmp(&session->openmp)) {
        status = nnm_fail(err, NNM_ERR_BACKEND, "oneDNN came without OpenMP");
        goto done;
    }
    int before = change_threads(&session->openmp, session->threads);
    (void)dnnl_set_verbose(0); /* else it prints when the environment says so */
    status = nnm_onednn_check(dnnl_engine_create(&session->engine, dnnl_cpu, 0), "start", err);
    if (status == NNM_OK)
        status = nnm_onednn_check(dnnl_stream_create(&session->stream, session->engine, dnnl_stream_default_flags),
                                  "create a stream", err);
    if (status == NNM_OK) status = nnm_onednn_build(session, graph, &plan, err);
    for (size_t i = 0; i < session->input_count && status == NNM_OK; i++)
        status = fill(session, i, err);
    (void)change_threads(&session->openmp, before);
done:
    free(plan.steps);
    return status;
}

nnm_status nnm_onednn_open_graph(nnm_session **out, const nnm_graph *graph, const nnm_session_options *options,
                                 nnm_error *err)
{
    nnm_session *session = nnm_calloc(1, sizeof *session);
    if (!session) return nnm_fail_memory(err);
    session->threads = (int)options->threads;
    nnm_status status = construct(session, graph, err);
    if (status) {
        close_session(session);
        return status;
    }
    *out = session;
    return NNM_OK;
}

static nnm_status open_session(const nnm_backend *self, nnm_session **out, const char *model_path,
                               const nnm_session_options *options, nnm_error *err)
{
    (void)self;
    nnm_graph *graph = NULL;
    nnm_status status = nnm_model_read(&graph, model_path, err);
    if (status) return status;
    status = nnm_onednn_open_graph(out, graph, options, err);
    nnm_graph_free(graph);
    return nnm_context(err, status, "%s", model_path);
}

static nnm_status run(nnm_session *session, nnm_error *err)
{
    dnnl_status_t result = dnnl_success;
    int before = change_threads(&session->openmp, session->threads);
    for (size_t i = 0; i < session->call_count && result == dnnl_success; i++) {
        const nnm_onednn_call *call = &session->calls[i];
        result = dnnl_primitive_execute(call->primitive, session->stream, call->argument_count, call->arguments);
    }
    if (result == dnnl_success) result = dnnl_stream_wait(session->stream);
    (void)change_threads(&session->openmp, before);
    return nnm_onednn_check(result, "run", err);
}

static nnm_status find_external(nnm_onednn_external *externals, size_t external_count, size_t index, size_t count,
                                const char *what, nnm_onednn_external **out, nnm_error *err)
{
    if (index >= external_count)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "there is no %s %zu; the model has %zu", what, index,
                        external_count);
    if (externals[index].count != count)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%s %zu has %zu values, not %zu", what, index,
                        externals[index].count, count);
    *out = &externals[index];
    return NNM_OK;
}

static nnm_status set_input(nnm_session *session, size_t index, const float *data, size_t count, nnm_error *err)
{
    nnm_onednn_external *input = NULL;
    nnm_status status = find_external(session->inputs, session->input_count, index, count, "input", &input, err);
    if (status) return status;
    int before = change_threads(&session->openmp, session->threads);
    status = nnm_onednn_copy_in(session, input->memory, &input->file, data, err);
    (void)change_threads(&session->openmp, before);
    return status;
}

static nnm_status get_output(nnm_session *session, size_t index, float *data, size_t count, nnm_error *err)
{
    nnm_onednn_external *output = NULL;
    nnm_status status = find_external(session->outputs, session->output_count, index, count, "output", &output, err);
    if (status) return status;
    int before = change_threads(&session->openmp, session->threads);
    status = nnm_onednn_copy_out(session, data, &output->file, output->memory, err);
    (void)change_threads(&session->openmp, before);
    return status;
}

static nnm_status supports(const nnm_backend *self, const nnm_graph *graph, nnm_error *err)
{
    (void)self;
    nnm_plan plan = {0};
    nnm_status status = nnm_plan_make(&plan, graph, err);
    if (status == NNM_OK) free(plan.steps);
    return status;
}

/* Computes nothing: an OpenMP library that has threads in this process would hang in a forked one. */
static void probe(const nnm_backend *self, const nnm_session_options *options, nnm_backend_info *info)
{
    (void)self, (void)options;
    *info = (nnm_backend_info){0};
    const dnnl_version_t *version = dnnl_version();
    nnm_openmp library;
    if (version->cpu_runtime != DNNL_RUNTIME_OMP || !find_openmp(&library)) {
        snprintf(info->why_not, sizeof info->why_not,
                 "oneDNN %d.%d.%d was built without OpenMP, so the number of its threads cannot be set", version->major,
                 version->minor, version->patch);
        return;
    }
    info->available = true;
    snprintf(info->version, sizeof info->version, "%d.%d.%d", version->major, version->minor, version->patch);
}

#else /* built without oneDNN */

#define WHY_NOT "this library was built without oneDNN (Debian: libdnnl-dev)"

static nnm_status refuse(nnm_error *err)
{
    return nnm_fail(err, NNM_ERR_UNSUPPORTED, "%s", WHY_NOT);
}

static void probe(const nnm_backend *self, const nnm_session_options *options, nnm_backend_info *info)
{
    (void)self, (void)options;
    *info = (nnm_backend_info){.why_not = WHY_NOT};
}

static nnm_status supports(const nnm_backend *self, const nnm_graph *graph, nnm_error *err)
{
    (void)self;
    (void)graph;
    return refuse(err);
}

nnm_status nnm_onednn_open_graph(nnm_session **out, const nnm_graph *graph, const nnm_session_options *options,
                                 nnm_error *err)
{
    (void)out, (void)graph, (void)options;
    return refuse(err);
}

static nnm_status open_session(const nnm_backend *self, nnm_session **out, const char *model_path,
                               const nnm_session_options *options, nnm_error *err)
{
    (void)self;
    (void)out, (void)model_path, (void)options;
    return refuse(err);
}

static nnm_status run(nnm_session *session, nnm_error *err)
{
    (void)session;
    return refuse(err);
}

static nnm_status set_input(nnm_session *session, size_t index, const float *data, size_t count, nnm_error *err)
{
    (void)session, (void)index, (void)data, (void)count;
    return refuse(err);
}

static nnm_status get_output(nnm_session *session, size_t index, float *data, size_t count, nnm_error *err)
{
    (void)session, (void)index, (void)data, (void)count;
    return refuse(err);
}

static void close_session(nnm_session *session)
{
    (void)session;
}

#endif

const nnm_backend nnm_backend_onednn_cpu = {
    .abi = NNM_BACKEND_ABI,
    .name = "onednn_cpu",
    .description = "oneDNN on this machine's CPU, 32-bit floats",
    .reads_onnx = true,
    .reads_tflite = true,
    .probe = probe,
    .supports = supports,
    .open = open_session,
    .run = run,
    .set_input = set_input,
    .get_output = get_output,
    .close = close_session,
};
