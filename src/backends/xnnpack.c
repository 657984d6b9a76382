/*
 * XNNPACK on the CPU. A session is a list of steps, runtimes of subgraphs and operators, with buffers between them.
 * Inside, images are NHWC; inputs and outputs are converted when they are copied in and out, never while a run is
 * timed.
 */
#include "backends/backends.h"
#include "base/error.h"

#ifdef NNM_HAVE_XNNPACK

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/layout.h"
#include "backends/xnnpack_build.h"
#include "base/memory.h"
#include "base/rng.h"
#include "nnmeter/model_file.h"

#define ALIGNMENT 64
#define INPUT_SEED 20220216

static const char *status_text(enum xnn_status status)
{
    switch (status) {
    case xnn_status_success: return "success";
    case xnn_status_uninitialized: return "not initialised";
    case xnn_status_invalid_parameter: return "invalid parameter";
    case xnn_status_invalid_state: return "invalid state";
    case xnn_status_unsupported_parameter: return "unsupported parameter";
    case xnn_status_unsupported_hardware: return "unsupported hardware";
    case xnn_status_out_of_memory: return "out of memory";
    }
    return "unknown status";
}

nnm_status nnm_xnnpack_check(enum xnn_status status, const char *doing, nnm_error *err)
{
    if (status == xnn_status_success) return NNM_OK;
    nnm_status code = status == xnn_status_out_of_memory ? NNM_ERR_NO_MEMORY : NNM_ERR_BACKEND;
    return nnm_fail(err, code, "XNNPACK cannot %s: %s", doing, status_text(status));
}

/* ---- memory ---- */

float *nnm_xnnpack_block(nnm_session *session, size_t count)
{
    if (count > (SIZE_MAX - XNN_EXTRA_BYTES - ALIGNMENT) / sizeof(float)) return NULL;
    void *blocks = session->blocks;
    if (nnm_grow(&blocks, &session->block_capacity, session->block_count + 1, sizeof *session->blocks, NULL))
        return NULL;
    session->blocks = blocks;
    size_t bytes = count * sizeof(float) + XNN_EXTRA_BYTES;
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    float *data = aligned_alloc(ALIGNMENT, bytes);
    if (!data) return NULL;
    memset(data, 0, bytes);
    session->blocks[session->block_count++] = data;
    return data;
}

void nnm_xnnpack_dims(const nnm_graph *graph, nnm_tensor_id id, size_t dims[NNM_MAX_RANK])
{
    const nnm_shape *shape = &nnm_graph_tensor(graph, id)->shape;
    for (size_t i = 0; i < shape->rank; i++)
        dims[i] = (size_t)shape->dim[i];
    if (!nnm_xnnpack_is_turned(graph, id)) return;
    dims[1] = (size_t)shape->dim[2];
    dims[2] = (size_t)shape->dim[3];
    dims[3] = (size_t)shape->dim[1];
}

void nnm_xnnpack_copy_in(float *out, const float *in, const nnm_shape *shape, bool turned)
{
    const int64_t *dim = shape->dim;
    if (turned) {
        nnm_transpose_all(out, in, (size_t)dim[0], (size_t)dim[1], (size_t)(dim[2] * dim[3]));
    } else {
        memcpy(out, in, (size_t)nnm_shape_elements(shape) * sizeof *in);
    }
}

static void copy_out(float *out, const float *in, const nnm_shape *shape, bool turned)
{
    const int64_t *dim = shape->dim;
    if (turned) {
        nnm_transpose_all(out, in, (size_t)dim[0], (size_t)(dim[2] * dim[3]), (size_t)dim[1]);
    } else {
        memcpy(out, in, (size_t)nnm_shape_elements(shape) * sizeof *in);
    }
}

/* Values in (-1, 1), far from denormal numbers, the same in every session. */
static void fill(float *data, size_t count, uint64_t stream)
{
    nnm_rng rng;
    nnm_rng_init(&rng, INPUT_SEED, stream);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(2.0 * nnm_rng_uniform(&rng) - 1.0);
}

/* ---- tensors that cross ---- */

static nnm_status make_buffers(nnm_xnnpack_build *b)
{
    size_t tensors = nnm_graph_tensor_count(b->graph);
    b->buffer = nnm_calloc(tensors, sizeof *b->buffer);
    b->value = nnm_calloc(tensors, sizeof *b->value);
    if (!b->buffer || !b->value) return nnm_fail_memory(b->err);
    for (nnm_tensor_id id = 0; id < tensors; id++) {
        if (!b->plan.crosses[id]) continue;
        const nnm_tensor *tensor = nnm_graph_tensor(b->graph, id);
        b->buffer[id] = nnm_xnnpack_block(b->session, (size_t)nnm_shape_elements(&tensor->shape));
        if (!b->buffer[id]) return nnm_fail_memory(b->err);
        if (tensor->data)
            nnm_xnnpack_copy_in(b->buffer[id], tensor->data, &tensor->shape, nnm_xnnpack_is_turned(b->graph, id));
    }
    return NNM_OK;
}

static nnm_xnnpack_tensor tensor_of(const nnm_xnnpack_build *b, nnm_tensor_id id)
{
    const nnm_shape *shape = &nnm_graph_tensor(b->graph, id)->shape;
    return (nnm_xnnpack_tensor){*shape, nnm_xnnpack_is_turned(b->graph, id), b->buffer[id],
                                (size_t)nnm_shape_elements(shape)};
}

static nnm_status make_tensors(nnm_xnnpack_build *b)
{
    nnm_session *session = b->session;
    session->input_count = nnm_graph_input_count(b->graph);
    session->output_count = nnm_graph_output_count(b->graph);
    session->inputs = nnm_calloc(session->input_count, sizeof *session->inputs);
    session->outputs = nnm_calloc(session->output_count, sizeof *session->outputs);
    if (!session->inputs || !session->outputs) return nnm_fail_memory(b->err);
    for (size_t i = 0; i < session->input_count; i++) {
        session->inputs[i] = tensor_of(b, nnm_graph_input(b->graph, i));
        fill(session->inputs[i].data, session->inputs[i].count, i);
    }
    for (size_t i = 0; i < session->output_count; i++)
        session->outputs[i] = tensor_of(b, nnm_graph_output(b->graph, i));
    return NNM_OK;
}

/* ---- steps ---- */

nnm_status nnm_xnnpack_add_step(nnm_xnnpack_build *b, nnm_xnnpack_step **out)
{
    nnm_session *session = b->session;
    void *steps = session->steps;
    nnm_status status =
        nnm_grow(&steps, &session->step_capacity, session->step_count + 1, sizeof *session->steps, b->err);
    if (status) return status;
    session->steps = steps;
    *out = &session->steps[session->step_count++];
    **out = (nnm_xnnpack_step){0};
    return NNM_OK;
}

/* Tells the runtime where the tensors are that its subgraph shares with others. */
static nnm_status connect(nnm_xnnpack_build *b, xnn_runtime_t runtime)
{
    size_t tensors = nnm_graph_tensor_count(b->graph), count = 0;
    struct xnn_external_value *values = nnm_calloc(tensors, sizeof *values);
    if (!values) return nnm_fail_memory(b->err);
    for (nnm_tensor_id id = 0; id < tensors; id++)
        if (b->value[id] == (uint32_t)id && b->plan.crosses[id])
            values[count++] = (struct xnn_external_value){(uint32_t)id, b->buffer[id]};
    nnm_status status = nnm_xnnpack_check(xnn_setup_runtime(runtime, count, values), "set up the runtime", b->err);
    free(values);
    return status;
}

/* Layers `first` up to, not including, `end` become one runtime. Ids of tensors that cross are those of the graph. */
static nnm_status add_subgraph(nnm_xnnpack_build *b, size_t first, size_t end)
{
    size_t tensors = nnm_graph_tensor_count(b->graph);
    nnm_xnnpack_step *step = NULL;
    for (size_t i = 0; i < tensors; i++)
        b->value[i] = XNN_INVALID_VALUE_ID;
    nnm_status status =
        nnm_xnnpack_check(xnn_create_subgraph((uint32_t)tensors, 0, &b->subgraph), "create a graph", b->err);
    for (size_t i = first; i < end && status == NNM_OK; i++) {
        const nnm_layer *layer = &b->plan.layers.items[i];
        status = nnm_context(b->err, nnm_xnnpack_define_layer(b, layer), "node '%s'", layer->node->name);
    }
    if (status == NNM_OK) status = nnm_xnnpack_add_step(b, &step);
    if (status == NNM_OK)
        status = nnm_xnnpack_check(xnn_create_runtime_v2(b->subgraph, b->session->pool, 0, &step->runtime),
                                   "create a runtime", b->err);
    if (status == NNM_OK) status = connect(b, step->runtime);
    if (b->subgraph) (void)xnn_delete_subgraph(b->subgraph);
    b->subgraph = NULL;
    return status;
}

static nnm_status add_steps(nnm_xnnpack_build *b)
{
    const nnm_layers *layers = &b->plan.layers;
    nnm_status status = NNM_OK;
    for (size_t first = 0, end; first < layers->count && status == NNM_OK; first = end) {
        for (end = first + 1; end < layers->count && b->plan.part[end] == b->plan.part[first];)
            end++;
        const nnm_layer *layer = &layers->items[first];
        if (nnm_xnnpack_is_operator(layer)) {
            status = nnm_context(b->err, nnm_xnnpack_add_operator(b, layer), "node '%s'", layer->node->name);
        } else {
            status = add_subgraph(b, first, end);
        }
    }
    return status;
}

/* ---- the table ---- */

static void close_session(nnm_session *session)
{
    if (!session) return;
    for (size_t i = 0; i < session->step_count; i++) {
        if (session->steps[i].runtime) (void)xnn_delete_runtime(session->steps[i].runtime);
        if (session->steps[i].op) (void)xnn_delete_operator(session->steps[i].op);
    }
    if (session->pool) pthreadpool_destroy(session->pool);
    for (size_t i = 0; i < session->block_count; i++)
        free(session->blocks[i]);
    free(session->steps);
    free(session->blocks);
    free(session->inputs);
    free(session->outputs);
    if (session->initialised) (void)xnn_deinitialize();
    free(session);
}

static nnm_status start(nnm_session *session, const nnm_session_options *options, nnm_error *err)
{
    nnm_status status = nnm_xnnpack_check(xnn_initialize(NULL), "start", err);
    if (status) return status;
    session->initialised = true;
    if (options->threads <= 1) return NNM_OK;
    session->pool = pthreadpool_create(options->threads);
    if (!session->pool) return nnm_fail(err, NNM_ERR_BACKEND, "cannot start a pool of %u threads", options->threads);
    return NNM_OK;
}

static nnm_status build(nnm_xnnpack_build *b, const nnm_session_options *options)
{
    nnm_status status = nnm_xnnpack_plan_make(&b->plan, b->graph, b->err);
    if (status == NNM_OK) status = start(b->session, options, b->err);
    if (status == NNM_OK) status = make_buffers(b);
    if (status == NNM_OK) status = make_tensors(b);
    if (status == NNM_OK) status = add_steps(b);
    return status;
}

nnm_status nnm_xnnpack_open_graph(nnm_session **out, const nnm_graph *graph, const nnm_session_options *options,
                                  nnm_error *err)
{
    nnm_xnnpack_build b = {.graph = graph, .err = err};
    b.session = nnm_calloc(1, sizeof *b.session);
    nnm_status status = b.session ? build(&b, options) : nnm_fail_memory(err);
    nnm_xnnpack_plan_fini(&b.plan);
    free(b.buffer);
    free(b.value);
    if (status) {
        close_session(b.session);
        return status;
    }
    *out = b.session;
    return NNM_OK;
}

static nnm_status open_session(const nnm_backend *self, nnm_session **out, const char *model_path,
                               const nnm_session_options *options, nnm_error *err)
{
    (void)self;
    nnm_graph *graph = NULL;
    nnm_status status = nnm_model_read(&graph, model_path, err);
    if (status) return status;
    status = nnm_xnnpack_open_graph(out, graph, options, err);
    nnm_graph_free(graph);
    return nnm_context(err, status, "%s", model_path);
}

static nnm_status run(nnm_session *session, nnm_error *err)
{
    for (size_t i = 0; i < session->step_count; i++) {
        const nnm_xnnpack_step *step = &session->steps[i];
        enum xnn_status status =
            step->runtime ? xnn_invoke_runtime(step->runtime) : xnn_run_operator(step->op, session->pool);
        if (status != xnn_status_success) return nnm_xnnpack_check(status, "run", err);
    }
    return NNM_OK;
}

static nnm_status find_tensor(nnm_xnnpack_tensor *tensors, size_t tensor_count, size_t index, size_t count,
                              const char *what, nnm_xnnpack_tensor **out, nnm_error *err)
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
    nnm_xnnpack_tensor *t = NULL;
    nnm_status status = find_tensor(session->inputs, session->input_count, index, count, "input", &t, err);
    if (status) return status;
    nnm_xnnpack_copy_in(t->data, data, &t->shape, t->turned);
    return NNM_OK;
}

static nnm_status get_output(nnm_session *session, size_t index, float *data, size_t count, nnm_error *err)
{
    nnm_xnnpack_tensor *t = NULL;
    nnm_status status = find_tensor(session->outputs, session->output_count, index, count, "output", &t, err);
    if (status) return status;
    copy_out(data, t->data, &t->shape, t->turned);
    return NNM_OK;
}

static nnm_status supports(const nnm_backend *self, const nnm_graph *graph, nnm_error *err)
{
    (void)self;
    nnm_xnnpack_plan plan = {0};
    nnm_status status = nnm_xnnpack_plan_make(&plan, graph, err);
    nnm_xnnpack_plan_fini(&plan);
    return status;
}

static void probe(const nnm_backend *self, const nnm_session_options *options, nnm_backend_info *info)
{
    (void)self, (void)options;
    *info = (nnm_backend_info){0};
    nnm_error err = NNM_ERROR_INIT;
    if (nnm_xnnpack_check(xnn_initialize(NULL), "start on this processor", &err) != NNM_OK) {
        snprintf(info->why_not, sizeof info->why_not, "%.250s", err.message);
        return;
    }
    (void)xnn_deinitialize();
    info->available = true;
    snprintf(info->version, sizeof info->version, "%s", NNM_XNNPACK_VERSION);
}

#else /* built without XNNPACK */

#define WHY_NOT "this library was built without XNNPACK (Debian: libxnnpack-dev, libpthreadpool-dev)"

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

nnm_status nnm_xnnpack_open_graph(nnm_session **out, const nnm_graph *graph, const nnm_session_options *options,
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

const nnm_backend nnm_backend_xnnpack_cpu = {
    .abi = NNM_BACKEND_ABI,
    .name = "xnnpack_cpu",
    .description = "XNNPACK on this machine's CPU, 32-bit floats",
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
