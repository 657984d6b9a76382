/*
 * ONNX Runtime on the CPU. Its library is loaded when a session is opened or the backend is probed; nothing of it is
 * needed to build this project. Inputs and outputs are bound once to memory of the session, so that a run only
 * computes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/backends.h"
#include "backends/onnxruntime_session.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"

#define ALIGNMENT 64
#define INPUT_SEED 20220216

static nnm_status check(const nnm_session *session, nnm_ort_status *status, const char *doing, nnm_error *err)
{
    return nnm_ort_check(session->library.api, status, doing, err);
}

/* ---- session ---- */

static nnm_status set_options(nnm_session *session, nnm_ort_session_options *to, const nnm_session_options *from,
                              const char *profile_prefix, nnm_error *err)
{
    static const int levels[] = {
        [NNM_OPTIMIZATION_ALL] = NNM_ORT_OPTIMIZE_ALL,
        [NNM_OPTIMIZATION_EXTENDED] = NNM_ORT_OPTIMIZE_EXTENDED,
        [NNM_OPTIMIZATION_BASIC] = NNM_ORT_OPTIMIZE_BASIC,
        [NNM_OPTIMIZATION_DISABLE] = NNM_ORT_OPTIMIZE_NONE,
    };
    const nnm_ort_api *api = session->library.api;
    if ((size_t)from->optimization >= sizeof levels / sizeof *levels)
        return nnm_fail(err, NNM_ERR_VALUE, "optimization is %d, must be from 0 to %zu", (int)from->optimization,
                        sizeof levels / sizeof *levels - 1);
    if (from->threads < 1 || from->threads > 256)
        return nnm_fail(err, NNM_ERR_VALUE, "threads is %u, must be from 1 to 256", from->threads);
    nnm_status status =
        check(session, api->set_graph_optimization_level(to, levels[from->optimization]), "set its options", err);
    if (status == NNM_OK)
        status = check(session, api->set_intra_op_threads(to, (int)from->threads), "set its threads", err);
    if (status == NNM_OK) status = check(session, api->set_inter_op_threads(to, 1), "set its threads", err);
    /* Idle threads wait actively, as they do in a program that leaves the runtime's settings alone. */
    if (status == NNM_OK)
        status = check(session, api->add_session_config_entry(to, "session.intra_op.allow_spinning", "1"),
                       "set its options", err);
    if (status == NNM_OK && profile_prefix)
        status = check(session, api->enable_profiling(to, profile_prefix), "record times", err);
    return status;
}

static nnm_status create_session(nnm_session *session, const char *model_path, const nnm_session_options *options,
                                 const char *profile_prefix, nnm_error *err)
{
    const nnm_ort_api *api = session->library.api;
    nnm_ort_session_options *made = NULL;
    nnm_status status = check(session, api->create_env(NNM_ORT_LOG_FATAL, "nnmeter", &session->env), "start", err);
    if (status == NNM_OK) status = check(session, api->create_session_options(&made), "make options", err);
    if (status == NNM_OK) status = set_options(session, made, options, profile_prefix, err);
    if (status == NNM_OK)
        status = check(session, api->create_session(session->env, model_path, made, &session->session),
                       "load the model", err);
    if (made) api->release_session_options(made);
    return status;
}

/* ---- inputs and outputs ---- */

static nnm_status fail_tensor(const char *what, size_t index, const char *why, nnm_error *err)
{
    return nnm_fail(err, NNM_ERR_UNSUPPORTED, "%s %zu %s", what, index, why);
}

/* The shape of a tensor that has 32-bit floats and no dimension left open. */
static nnm_status read_shape(const nnm_session *session, const nnm_ort_type_info *type, const char *what, size_t index,
                             nnm_shape *out, nnm_error *err)
{
    const nnm_ort_api *api = session->library.api;
    const nnm_ort_tensor_info *info = NULL;
    nnm_shape shape = {0};
    int element = 0;
    nnm_status status = check(session, api->type_as_tensor(type, &info), "tell a type", err);
    if (status) return status;
    if (!info) return fail_tensor(what, index, "is not a tensor", err);
    status = check(session, api->element_type(info, &element), "tell a type", err);
    if (status == NNM_OK) status = check(session, api->rank(info, &shape.rank), "tell a shape", err);
    if (status) return status;
    if (element != NNM_ORT_FLOAT) return fail_tensor(what, index, "does not hold 32-bit floats", err);
    if (shape.rank > NNM_MAX_RANK) return fail_tensor(what, index, "has too many dimensions", err);
    status = check(session, api->dimensions(info, shape.dim, shape.rank), "tell a shape", err);
    if (status) return status;
    if (nnm_shape_elements(&shape) < 0) return fail_tensor(what, index, "has a dimension that is not fixed", err);
    *out = shape;
    return NNM_OK;
}

/* Values in (-1, 1), far from denormal numbers, the same in every session. */
static void fill(float *data, size_t count, uint64_t stream)
{
    nnm_rng rng;
    nnm_rng_init(&rng, INPUT_SEED, stream);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(2.0 * nnm_rng_uniform(&rng) - 1.0);
}

static nnm_status make_tensor(nnm_session *session, const nnm_shape *shape, nnm_ort_tensor *out, nnm_error *err)
{
    out->count = (size_t)nnm_shape_elements(shape);
    if (out->count > (SIZE_MAX - ALIGNMENT) / sizeof(float)) return nnm_fail_memory(err);
    size_t bytes = out->count * sizeof(float);
    out->data = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    if (!out->data) return nnm_fail_memory(err);
    memset(out->data, 0, bytes);
    return check(session,
                 session->library.api->create_tensor_with_data(session->memory_info, out->data, bytes, shape->dim,
                                                               shape->rank, NNM_ORT_FLOAT, &out->value),
                 "make a tensor", err);
}

/* Makes and binds input or output `index`. */
static nnm_status add_tensor(nnm_session *session, size_t index, bool is_input, nnm_error *err)
{
    const nnm_ort_api *api = session->library.api;
    nnm_ort_session *s = session->session;
    nnm_ort_tensor *t = is_input ? &session->inputs[index] : &session->outputs[index];
    nnm_ort_type_info *type = NULL;
    nnm_shape shape;
    char *name = NULL;
    nnm_ort_status *got =
        is_input ? api->session_input_type(s, index, &type) : api->session_output_type(s, index, &type);
    nnm_status status = check(session, got, "tell a type", err);
    if (status == NNM_OK) status = read_shape(session, type, is_input ? "input" : "output", index, &shape, err);
    if (status == NNM_OK) status = make_tensor(session, &shape, t, err);
    if (status) goto done;
    if (is_input) fill(t->data, t->count, index);

    got = is_input ? api->session_input_name(s, index, session->allocator, &name)
                   : api->session_output_name(s, index, session->allocator, &name);
    status = check(session, got, "tell a name", err);
    if (status) goto done;
    got = is_input ? api->bind_input(session->binding, name, t->value)
                   : api->bind_output(session->binding, name, t->value);
    status = check(session, got, "bind a tensor", err);
done:
    if (name) (void)check(session, api->allocator_free(session->allocator, name), "free a name", NULL);
    if (type) api->release_type_info(type);
    return status;
}

static nnm_status bind_tensors(nnm_session *session, nnm_error *err)
{
    const nnm_ort_api *api = session->library.api;
    nnm_ort_session *s = session->session;
    size_t inputs = 0, outputs = 0;
    nnm_status status = check(session, api->session_input_count(s, &inputs), "count its inputs", err);
    if (status == NNM_OK) status = check(session, api->session_output_count(s, &outputs), "count its outputs", err);
    if (status == NNM_OK) status = check(session, api->create_binding(s, &session->binding), "bind tensors", err);
    if (status == NNM_OK) status = check(session, api->default_allocator(&session->allocator), "allocate", err);
    if (status == NNM_OK)
        status =
            check(session,
                  api->create_cpu_memory_info(NNM_ORT_DEVICE_ALLOCATOR, NNM_ORT_MEMORY_DEFAULT, &session->memory_info),
                  "allocate", err);
    if (status) return status;
    session->inputs = nnm_calloc(inputs, sizeof *session->inputs);
    session->outputs = nnm_calloc(outputs, sizeof *session->outputs);
    if (!session->inputs || !session->outputs) return nnm_fail_memory(err);
    session->input_count = inputs;
    session->output_count = outputs;
    for (size_t i = 0; i < inputs && status == NNM_OK; i++)
        status = add_tensor(session, i, true, err);
    for (size_t i = 0; i < outputs && status == NNM_OK; i++)
        status = add_tensor(session, i, false, err);
    return status;
}

static void free_tensors(const nnm_ort_api *api, nnm_ort_tensor *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tensors[i].value) api->release_value(tensors[i].value);
        free(tensors[i].data);
    }
    free(tensors);
}

void nnm_ort_session_close(nnm_session *session)
{
    if (!session) return;
    const nnm_ort_api *api = session->library.api;
    if (api) {
        if (session->binding) api->release_binding(session->binding);
        free_tensors(api, session->inputs, session->input_count);
        free_tensors(api, session->outputs, session->output_count);
        if (session->memory_info) api->release_memory_info(session->memory_info);
        if (session->session) api->release_session(session->session);
        if (session->env) api->release_env(session->env);
    }
    nnm_ort_library_close(&session->library);
    free(session);
}

nnm_status nnm_ort_session_open(nnm_session **out, const char *model_path, const nnm_session_options *options,
                                const char *profile_prefix, nnm_error *err)
{
    if (access(model_path, R_OK) != 0) return nnm_fail_errno(err, "cannot read '%s'", model_path);
    nnm_session *session = nnm_calloc(1, sizeof *session);
    if (!session) return nnm_fail_memory(err);
    nnm_status status = nnm_ort_library_open(&session->library, options->library_path, err);
    if (status == NNM_OK) {
        status = create_session(session, model_path, options, profile_prefix, err);
        if (status == NNM_OK) status = bind_tensors(session, err);
        status = nnm_context(err, status, "%s", model_path);
    }
    if (status)
        nnm_ort_session_close(session);
    else
        *out = session;
    return status;
}

/* ---- the table ---- */

static nnm_status open_session(const nnm_backend *self, nnm_session **out, const char *model_path,
                               const nnm_session_options *options, nnm_error *err)
{
    (void)self;
    return nnm_ort_session_open(out, model_path, options, NULL, err);
}

static nnm_status run(nnm_session *session, nnm_error *err)
{
    return check(session, session->library.api->run_with_binding(session->session, NULL, session->binding), "run", err);
}

static nnm_status find_tensor(nnm_ort_tensor *tensors, size_t tensor_count, size_t index, size_t count,
                              const char *what, nnm_ort_tensor **out, nnm_error *err)
{
    if (index >= tensor_count)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "there is no %s %zu; the model has %zu", what, index,
                        tensor_count);
    if (tensors[index].count != count)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%s %zu has %zu values, not %zu", what, index,
                        tensors[index].count, count);
    *out = &tensors[index];
    return NNM_OK;
}

static nnm_status set_input(nnm_session *session, size_t index, const float *data, size_t count, nnm_error *err)
{
    nnm_ort_tensor *t = NULL;
    nnm_status status = find_tensor(session->inputs, session->input_count, index, count, "input", &t, err);
    if (status == NNM_OK) memcpy(t->data, data, count * sizeof *data);
    return status;
}

static nnm_status get_output(nnm_session *session, size_t index, float *data, size_t count, nnm_error *err)
{
    nnm_ort_tensor *t = NULL;
    nnm_status status = find_tensor(session->outputs, session->output_count, index, count, "output", &t, err);
    if (status == NNM_OK) memcpy(data, t->data, count * sizeof *data);
    return status;
}

static nnm_status supports(const nnm_backend *self, const nnm_graph *graph, nnm_error *err)
{
    (void)self;
    if (nnm_graph_layout(graph) == NNM_LAYOUT_NCHW) return NNM_OK;
    return nnm_fail(err, NNM_ERR_UNSUPPORTED,
                    "the graph is NHWC, and ONNX Runtime reads ONNX files, which are NCHW; IMPLEMENT: torch in "
                    "predictorbuild_config.yaml makes such files");
}

static void probe(const nnm_backend *self, const nnm_session_options *options, nnm_backend_info *info)
{
    (void)self;
    *info = (nnm_backend_info){0};
    nnm_ort_library library = {0};
    nnm_error err = NNM_ERROR_INIT;
    if (nnm_ort_library_open(&library, options->library_path, &err) != NNM_OK) {
        snprintf(info->why_not, sizeof info->why_not, "%.250s", err.message);
        return;
    }
    info->available = true;
    snprintf(info->version, sizeof info->version, "%s", library.version);
    nnm_ort_library_close(&library);
}

const nnm_backend nnm_backend_onnxruntime_cpu = {
    .abi = NNM_BACKEND_ABI,
    .name = "onnxruntime_cpu",
    .description = "ONNX Runtime on this machine's CPU, 32-bit floats",
    .reads_onnx = true,
    .probe = probe,
    .supports = supports,
    .open = open_session,
    .run = run,
    .set_input = set_input,
    .get_output = get_output,
    .close = nnm_ort_session_close,
    .node_times = nnm_ort_node_times,
};
