/*
 * XNNPACK on the CPU, through its subgraph interface. Inside a session tensors are NHWC; inputs and outputs are
 * converted when they are copied in and out, never while a run is timed.
 */
#include "backends/backends.h"
#include "base/error.h"

#ifdef NNM_HAVE_XNNPACK

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

#include "backends/fusion.h"
#include "backends/layout.h"
#include "base/memory.h"
#include "base/rng.h"
#include "nnmeter/model_file.h"

#define ALIGNMENT 64
#define INPUT_SEED 20220216

typedef struct tensor {
    nnm_shape shape; /* as in the model file */
    float *data;     /* as XNNPACK wants it */
    size_t count;
} tensor;

struct nnm_session {
    bool initialised;
    pthreadpool_t pool;
    xnn_runtime_t runtime;
    float **constants; /* xnnpack.h: they must live as long as the runtime */
    size_t constant_count;
    tensor *inputs, *outputs;
    size_t input_count, output_count;
};

/* What is needed only until the runtime is there. */
typedef struct construction {
    nnm_session *session;
    const nnm_graph *graph;
    xnn_subgraph_t subgraph;
    uint32_t *value; /* of each tensor of the graph; XNN_INVALID_VALUE_ID: not defined yet */
    nnm_error *err;
} construction;

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

static nnm_status check(enum xnn_status status, const char *doing, nnm_error *err)
{
    if (status == xnn_status_success) return NNM_OK;
    nnm_status code = status == xnn_status_out_of_memory ? NNM_ERR_NO_MEMORY : NNM_ERR_BACKEND;
    return nnm_fail(err, code, "XNNPACK cannot %s: %s", doing, status_text(status));
}

/* XNNPACK may read a little beyond the end of every buffer. */
static float *allocate_floats(size_t count)
{
    if (count > (SIZE_MAX - XNN_EXTRA_BYTES - ALIGNMENT) / sizeof(float)) return NULL;
    size_t bytes = count * sizeof(float) + XNN_EXTRA_BYTES;
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    float *data = aligned_alloc(ALIGNMENT, bytes);
    if (data) memset(data, 0, bytes);
    return data;
}

/* ---- constants ---- */

/* A constant of the session; NULL when memory is short. */
static float *add_constant(construction *c, size_t count)
{
    float *data = allocate_floats(count);
    if (data) c->session->constants[c->session->constant_count++] = data;
    return data;
}

static nnm_status define_constant(construction *c, const size_t *dims, size_t rank, const float *data, uint32_t *id)
{
    return check(xnn_define_tensor_value(c->subgraph, xnn_datatype_fp32, rank, dims, data, XNN_INVALID_VALUE_ID, 0, id),
                 "define a constant", c->err);
}

static bool is_depthwise(const construction *c, const nnm_layer *layer)
{
    int64_t channels = nnm_graph_tensor(c->graph, layer->input)->shape.dim[1];
    return layer->node->op == NNM_OP_CONV && layer->node->attributes.groups == channels && channels > 1;
}

/* Weights [O, I, KH, KW] as [O, KH, KW, I]; those of a depthwise convolution, [O, 1, KH, KW], as [1, KH, KW, O]; those
 * of a fully connected layer after a flattening, [O, I * H * W], as [O, H * W * I]. */
static void order_weights(const construction *c, const nnm_layer *layer, float *out, const float *in)
{
    const nnm_shape *shape = &nnm_graph_tensor(c->graph, layer->node->inputs[1])->shape;
    size_t count = (size_t)nnm_shape_elements(shape), outputs = (size_t)shape->dim[0];
    size_t row = count / outputs, channels = row;
    if (is_depthwise(c, layer)) {
        nnm_transpose(out, in, outputs, row);
        return;
    }
    if (layer->node->op == NNM_OP_CONV) channels = (size_t)shape->dim[1];
    if (layer->flattens) {
        const nnm_shape *input = &nnm_graph_tensor(c->graph, layer->input)->shape;
        channels = input->rank == 4 ? (size_t)input->dim[1] : row;
    }
    nnm_transpose_all(out, in, outputs, channels, row / channels);
}

static nnm_status define_weights(construction *c, const nnm_layer *layer, uint32_t *weight_id, uint32_t *bias_id)
{
    const nnm_tensor *weight = nnm_graph_tensor(c->graph, layer->node->inputs[1]);
    size_t count = (size_t)nnm_shape_elements(&weight->shape), outputs = (size_t)weight->shape.dim[0];
    double *scale = NULL;
    float *bias = NULL, *scaled = NULL;
    nnm_status status = nnm_layer_fold(c->graph, layer, &scale, &bias, c->err);
    if (status) return status;
    float *ordered = add_constant(c, count), *kept_bias = add_constant(c, outputs);
    scaled = nnm_reallocarray(NULL, count, sizeof *scaled);
    if (!ordered || !kept_bias || !scaled) {
        status = nnm_fail_memory(c->err);
        goto done;
    }
    for (size_t i = 0; i < count; i++)
        scaled[i] = (float)((double)weight->data[i] * scale[i / (count / outputs)]);
    order_weights(c, layer, ordered, scaled);
    memcpy(kept_bias, bias, outputs * sizeof *bias);

    const int64_t *dim = weight->shape.dim;
    size_t conv[4] = {outputs, (size_t)dim[2], (size_t)dim[3], (size_t)dim[1]};
    size_t depthwise[4] = {1, (size_t)dim[2], (size_t)dim[3], outputs};
    size_t fully_connected[2] = {outputs, (size_t)dim[1]};
    const size_t *dims = conv;
    if (is_depthwise(c, layer)) dims = depthwise;
    if (layer->node->op == NNM_OP_FULLY_CONNECTED) dims = fully_connected;
    status = define_constant(c, dims, weight->shape.rank, ordered, weight_id);
    if (status == NNM_OK) status = define_constant(c, &outputs, 1, kept_bias, bias_id);
done:
    free(scale);
    free(bias);
    free(scaled);
    return status;
}

/* ---- layers ---- */

static void channels_last(const nnm_shape *shape, size_t dims[NNM_MAX_RANK])
{
    for (size_t i = 0; i < shape->rank; i++)
        dims[i] = (size_t)shape->dim[i];
    if (shape->rank != 4) return;
    dims[1] = (size_t)shape->dim[2];
    dims[2] = (size_t)shape->dim[3];
    dims[3] = (size_t)shape->dim[1];
}

static nnm_status define_value(construction *c, nnm_tensor_id id, uint32_t external_id, uint32_t flags)
{
    if (c->value[id] != XNN_INVALID_VALUE_ID) return NNM_OK;
    const nnm_shape *shape = &nnm_graph_tensor(c->graph, id)->shape;
    size_t dims[NNM_MAX_RANK];
    channels_last(shape, dims);
    return check(xnn_define_tensor_value(c->subgraph, xnn_datatype_fp32, shape->rank, dims, NULL, external_id, flags,
                                         &c->value[id]),
                 "define a tensor", c->err);
}

static nnm_status define_convolution(construction *c, const nnm_layer *layer, uint32_t weight, uint32_t bias)
{
    const nnm_attributes *a = &layer->node->attributes;
    const nnm_shape *x = &nnm_graph_tensor(c->graph, layer->input)->shape;
    size_t groups = (size_t)a->groups, inputs = (size_t)x->dim[1];
    size_t outputs = (size_t)nnm_graph_tensor(c->graph, layer->output)->shape.dim[1];
    int64_t top = a->pad_top, left = a->pad_left, bottom = a->pad_bottom, right = a->pad_right;
    (void)nnm_window_output(x->dim[2], a->kernel_h, a->stride_h, a->padding, &top, &bottom);
    (void)nnm_window_output(x->dim[3], a->kernel_w, a->stride_w, a->padding, &left, &right);
    uint32_t kernel_h = (uint32_t)a->kernel_h, kernel_w = (uint32_t)a->kernel_w;
    uint32_t stride_h = (uint32_t)a->stride_h, stride_w = (uint32_t)a->stride_w;
    uint32_t x_id = c->value[layer->input], y_id = c->value[layer->output];
    if (is_depthwise(c, layer))
        return check(xnn_define_depthwise_convolution_2d(c->subgraph, (uint32_t)top, (uint32_t)right, (uint32_t)bottom,
                                                         (uint32_t)left, kernel_h, kernel_w, stride_h, stride_w, 1, 1,
                                                         (uint32_t)(outputs / inputs), inputs, layer->output_min,
                                                         layer->output_max, x_id, weight, bias, y_id, 0),
                     "define a depthwise convolution", c->err);
    return check(xnn_define_convolution_2d(c->subgraph, (uint32_t)top, (uint32_t)right, (uint32_t)bottom,
                                           (uint32_t)left, kernel_h, kernel_w, stride_h, stride_w, 1, 1,
                                           (uint32_t)groups, inputs / groups, outputs / groups, layer->output_min,
                                           layer->output_max, x_id, weight, bias, y_id, 0),
                 "define a convolution", c->err);
}

static nnm_status define_layer(construction *c, const nnm_layer *layer)
{
    uint32_t weight = XNN_INVALID_VALUE_ID, bias = XNN_INVALID_VALUE_ID;
    nnm_status status = define_weights(c, layer, &weight, &bias);
    if (status == NNM_OK) status = define_value(c, layer->output, XNN_INVALID_VALUE_ID, 0);
    if (status == NNM_OK && layer->node->op == NNM_OP_CONV) {
        status = define_convolution(c, layer, weight, bias);
    } else if (status == NNM_OK) {
        uint32_t flags = layer->flattens ? XNN_FLAG_TENSORFLOW_RESHAPE_2D : 0;
        status = check(xnn_define_fully_connected(c->subgraph, layer->output_min, layer->output_max,
                                                  c->value[layer->input], weight, bias, c->value[layer->output], flags),
                       "define a fully connected layer", c->err);
    }
    return nnm_context(c->err, status, "node '%s'", layer->node->name);
}

/* ---- inputs and outputs ---- */

/* Values in (-1, 1), far from denormal numbers, the same in every session. */
static void fill(float *data, size_t count, uint64_t stream)
{
    nnm_rng rng;
    nnm_rng_init(&rng, INPUT_SEED, stream);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(2.0 * nnm_rng_uniform(&rng) - 1.0);
}

static nnm_status make_tensor(const nnm_graph *graph, nnm_tensor_id id, tensor *out, nnm_error *err)
{
    out->shape = nnm_graph_tensor(graph, id)->shape;
    out->count = (size_t)nnm_shape_elements(&out->shape);
    out->data = allocate_floats(out->count);
    return out->data ? NNM_OK : nnm_fail_memory(err);
}

static nnm_status define_externals(construction *c)
{
    nnm_session *session = c->session;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < session->input_count && status == NNM_OK; i++) {
        nnm_tensor_id id = nnm_graph_input(c->graph, i);
        status = make_tensor(c->graph, id, &session->inputs[i], c->err);
        if (status) break;
        fill(session->inputs[i].data, session->inputs[i].count, i);
        status = define_value(c, id, (uint32_t)i, XNN_VALUE_FLAG_EXTERNAL_INPUT);
    }
    for (size_t i = 0; i < session->output_count && status == NNM_OK; i++) {
        nnm_tensor_id id = nnm_graph_output(c->graph, i);
        status = make_tensor(c->graph, id, &session->outputs[i], c->err);
        if (status == NNM_OK)
            status = define_value(c, id, (uint32_t)(session->input_count + i), XNN_VALUE_FLAG_EXTERNAL_OUTPUT);
    }
    return status;
}

static nnm_status connect_externals(nnm_session *session, nnm_error *err)
{
    size_t count = session->input_count + session->output_count;
    struct xnn_external_value *values = nnm_calloc(count, sizeof *values);
    if (!values) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        const tensor *t = i < session->input_count ? &session->inputs[i] : &session->outputs[i - session->input_count];
        values[i] = (struct xnn_external_value){(uint32_t)i, t->data};
    }
    nnm_status status = check(xnn_setup_runtime(session->runtime, count, values), "set up the runtime", err);
    free(values);
    return status;
}

/* ---- the table ---- */

static void close_session(nnm_session *session)
{
    if (!session) return;
    if (session->runtime) (void)xnn_delete_runtime(session->runtime);
    if (session->pool) pthreadpool_destroy(session->pool);
    for (size_t i = 0; i < session->constant_count; i++)
        free(session->constants[i]);
    for (size_t i = 0; session->inputs && i < session->input_count; i++)
        free(session->inputs[i].data);
    for (size_t i = 0; session->outputs && i < session->output_count; i++)
        free(session->outputs[i].data);
    free(session->constants);
    free(session->inputs);
    free(session->outputs);
    if (session->initialised) (void)xnn_deinitialize();
    free(session);
}

static nnm_status prepare(construction *c, const nnm_session_options *options, size_t layer_count)
{
    nnm_session *session = c->session;
    size_t tensors = nnm_graph_tensor_count(c->graph);
    session->input_count = nnm_graph_input_count(c->graph);
    session->output_count = nnm_graph_output_count(c->graph);
    session->inputs = nnm_calloc(session->input_count, sizeof *session->inputs);
    session->outputs = nnm_calloc(session->output_count, sizeof *session->outputs);
    session->constants = nnm_calloc(2 * layer_count, sizeof *session->constants);
    c->value = nnm_calloc(tensors, sizeof *c->value);
    if (!session->inputs || !session->outputs || !session->constants || !c->value) return nnm_fail_memory(c->err);
    for (size_t i = 0; i < tensors; i++)
        c->value[i] = XNN_INVALID_VALUE_ID;

    nnm_status status = check(xnn_initialize(NULL), "start", c->err);
    if (status) return status;
    session->initialised = true;
    if (options->threads > 1) {
        session->pool = pthreadpool_create(options->threads);
        if (!session->pool)
            return nnm_fail(c->err, NNM_ERR_BACKEND, "cannot start a pool of %u threads", options->threads);
    }
    uint32_t externals = (uint32_t)(session->input_count + session->output_count);
    return check(xnn_create_subgraph(externals, 0, &c->subgraph), "create a graph", c->err);
}

static nnm_status construct(construction *c, const nnm_session_options *options)
{
    nnm_layers layers = {0};
    nnm_status status = nnm_layers_find(&layers, c->graph, c->err);
    if (status) return status;
    status = prepare(c, options, layers.count);
    if (status == NNM_OK) status = define_externals(c);
    for (size_t i = 0; i < layers.count && status == NNM_OK; i++)
        status = define_layer(c, &layers.items[i]);
    if (status == NNM_OK)
        status = check(xnn_create_runtime_v2(c->subgraph, c->session->pool, 0, &c->session->runtime),
                       "create a runtime", c->err);
    if (status == NNM_OK) status = connect_externals(c->session, c->err);
    free(layers.items);
    return status;
}

static nnm_status open_session(nnm_session **out, const char *model_path, const nnm_session_options *options,
                               nnm_error *err)
{
    nnm_graph *graph = NULL;
    construction c = {.err = err};
    nnm_status status = nnm_onnx_read(&graph, model_path, err);
    if (status) return status;
    c.graph = graph;
    c.session = nnm_calloc(1, sizeof *c.session);
    status = c.session ? construct(&c, options) : nnm_fail_memory(err);
    if (c.subgraph) (void)xnn_delete_subgraph(c.subgraph);
    free(c.value);
    nnm_graph_free(graph);
    if (status) {
        close_session(c.session);
        return nnm_context(err, status, "%s", model_path);
    }
    *out = c.session;
    return NNM_OK;
}

static nnm_status run(nnm_session *session, nnm_error *err)
{
    return check(xnn_invoke_runtime(session->runtime), "run", err);
}

static nnm_status find_tensor(tensor *tensors, size_t tensor_count, size_t index, size_t count, const char *what,
                              tensor **out, nnm_error *err)
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
    tensor *t = NULL;
    nnm_status status = find_tensor(session->inputs, session->input_count, index, count, "input", &t, err);
    if (status) return status;
    const int64_t *dim = t->shape.dim;
    if (t->shape.rank == 4) {
        nnm_transpose_all(t->data, data, (size_t)dim[0], (size_t)dim[1], (size_t)(dim[2] * dim[3]));
    } else {
        memcpy(t->data, data, count * sizeof *data);
    }
    return NNM_OK;
}

static nnm_status get_output(nnm_session *session, size_t index, float *data, size_t count, nnm_error *err)
{
    tensor *t = NULL;
    nnm_status status = find_tensor(session->outputs, session->output_count, index, count, "output", &t, err);
    if (status) return status;
    const int64_t *dim = t->shape.dim;
    if (t->shape.rank == 4) {
        nnm_transpose_all(data, t->data, (size_t)dim[0], (size_t)(dim[2] * dim[3]), (size_t)dim[1]);
    } else {
        memcpy(data, t->data, count * sizeof *data);
    }
    return NNM_OK;
}

static nnm_status supports(const nnm_graph *graph, nnm_error *err)
{
    nnm_layers layers = {0};
    nnm_status status = nnm_layers_find(&layers, graph, err);
    if (status == NNM_OK) free(layers.items);
    return status;
}

static void probe(nnm_backend_info *info)
{
    *info = (nnm_backend_info){.model_format = "onnx"};
    nnm_error err = NNM_ERROR_INIT;
    if (check(xnn_initialize(NULL), "start on this processor", &err) != NNM_OK) {
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

static void probe(nnm_backend_info *info)
{
    *info = (nnm_backend_info){.why_not = WHY_NOT, .model_format = "onnx"};
}

static nnm_status supports(const nnm_graph *graph, nnm_error *err)
{
    (void)graph;
    return refuse(err);
}

static nnm_status open_session(nnm_session **out, const char *model_path, const nnm_session_options *options,
                               nnm_error *err)
{
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
    .probe = probe,
    .supports = supports,
    .open = open_session,
    .run = run,
    .set_input = set_input,
    .get_output = get_output,
    .close = close_session,
};
