/* Layers as nodes of an XNNPACK subgraph. */
#include "backends/xnnpack_build.h"

#ifdef NNM_HAVE_XNNPACK

#include <stdlib.h>
#include <string.h>

#include "backends/layout.h"
#include "base/error.h"
#include "base/memory.h"

typedef struct image {
    int64_t height, width, channels;
} image;

static image image_of(const nnm_xnnpack_build *b, nnm_tensor_id id)
{
    size_t dims[NNM_MAX_RANK];
    nnm_xnnpack_dims(b->graph, id, dims);
    return (image){(int64_t)dims[1], (int64_t)dims[2], (int64_t)dims[3]};
}

/* ---- tensors ---- */

static nnm_status define(nnm_xnnpack_build *b, const size_t *dims, size_t rank, const float *data, uint32_t external,
                         uint32_t flags, uint32_t *id)
{
    return nnm_xnnpack_check(
        xnn_define_tensor_value(b->subgraph, xnn_datatype_fp32, rank, dims, data, external, flags, id),
        data ? "define a constant" : "define a tensor", b->err);
}

static nnm_status define_constant(nnm_xnnpack_build *b, const size_t *dims, size_t rank, const float *data,
                                  uint32_t *id)
{
    return define(b, dims, rank, data, XNN_INVALID_VALUE_ID, 0, id);
}

/* Defines a tensor unless it is there; `flags` say what it is to this subgraph in case that it crosses. */
static nnm_status define_value(nnm_xnnpack_build *b, nnm_tensor_id id, uint32_t flags)
{
    if (b->value[id] != XNN_INVALID_VALUE_ID) return NNM_OK;
    const nnm_tensor *tensor = nnm_graph_tensor(b->graph, id);
    size_t dims[NNM_MAX_RANK];
    nnm_xnnpack_dims(b->graph, id, dims);
    if (tensor->data) {
        float *data = nnm_xnnpack_block(b->session, (size_t)nnm_shape_elements(&tensor->shape));
        if (!data) return nnm_fail_memory(b->err);
        nnm_xnnpack_copy_in(data, tensor->data, &tensor->shape, nnm_xnnpack_is_turned(b->graph, id));
        return define_constant(b, dims, tensor->shape.rank, data, &b->value[id]);
    }
    bool crosses = b->plan.crosses[id];
    return define(b, dims, tensor->shape.rank, NULL, crosses ? (uint32_t)id : XNN_INVALID_VALUE_ID, crosses ? flags : 0,
                  &b->value[id]);
}

/* A tensor of the same sizes as `like` that only this subgraph knows. */
static nnm_status define_like(nnm_xnnpack_build *b, nnm_tensor_id like, uint32_t *id)
{
    size_t dims[NNM_MAX_RANK];
    nnm_xnnpack_dims(b->graph, like, dims);
    return define(b, dims, nnm_graph_tensor(b->graph, like)->shape.rank, NULL, XNN_INVALID_VALUE_ID, 0, id);
}

static nnm_status define_number(nnm_xnnpack_build *b, float number, uint32_t *id)
{
    float *data = nnm_xnnpack_block(b->session, 1);
    if (!data) return nnm_fail_memory(b->err);
    *data = number;
    return define_constant(b, &(size_t){1}, 1, data, id);
}

/* ---- weights ---- */

static bool is_depthwise(const nnm_xnnpack_build *b, const nnm_layer *layer)
{
    if (layer->node->op != NNM_OP_CONV) return false;
    int64_t channels = image_of(b, layer->input).channels;
    return layer->node->attributes.groups == channels && channels > 1;
}

/* Weights [O, I, KH, KW] as [O, KH, KW, I]; those of a depthwise convolution, [O, 1, KH, KW], as [1, KH, KW, O]; those
 * of a fully connected layer after the flattening of an image that is turned, [O, I * H * W], as [O, H * W * I]. */
static void order_weights(const nnm_xnnpack_build *b, const nnm_layer *layer, float *out, const float *in)
{
    const nnm_shape *shape = &nnm_graph_tensor(b->graph, layer->node->inputs[1])->shape;
    size_t count = (size_t)nnm_shape_elements(shape), outputs = (size_t)shape->dim[0];
    size_t row = count / outputs, channels = row;
    if (is_depthwise(b, layer)) {
        nnm_transpose(out, in, outputs, row);
        return;
    }
    if (layer->node->op == NNM_OP_CONV) {
        channels = (size_t)shape->dim[1];
    } else if (layer->flattens && nnm_xnnpack_is_turned(b->graph, layer->input)) {
        channels = (size_t)image_of(b, layer->input).channels;
    }
    nnm_transpose_all(out, in, outputs, channels, row / channels);
}

static nnm_status define_weights(nnm_xnnpack_build *b, const nnm_layer *layer, uint32_t *weight_id, uint32_t *bias_id)
{
    const nnm_tensor *weight = nnm_graph_tensor(b->graph, layer->node->inputs[1]);
    size_t count = (size_t)nnm_shape_elements(&weight->shape), outputs = (size_t)weight->shape.dim[0];
    double *scale = NULL;
    float *bias = NULL, *scaled = NULL;
    nnm_status status = nnm_layer_fold(b->graph, layer, &scale, &bias, b->err);
    if (status) return status;
    float *ordered = nnm_xnnpack_block(b->session, count), *kept_bias = nnm_xnnpack_block(b->session, outputs);
    scaled = nnm_reallocarray(NULL, count, sizeof *scaled);
    if (!ordered || !kept_bias || !scaled) {
        status = nnm_fail_memory(b->err);
        goto done;
    }
    for (size_t i = 0; i < count; i++)
        scaled[i] = (float)((double)weight->data[i] * scale[i / (count / outputs)]);
    order_weights(b, layer, ordered, scaled);
    memcpy(kept_bias, bias, outputs * sizeof *bias);

    const int64_t *dim = weight->shape.dim;
    size_t conv[4] = {outputs, (size_t)dim[2], (size_t)dim[3], (size_t)dim[1]};
    size_t depthwise[4] = {1, (size_t)dim[2], (size_t)dim[3], outputs};
    size_t fully_connected[2] = {outputs, (size_t)dim[1]};
    const size_t *dims = conv;
    if (is_depthwise(b, layer)) dims = depthwise;
    if (layer->node->op == NNM_OP_FULLY_CONNECTED) dims = fully_connected;
    status = define_constant(b, dims, weight->shape.rank, ordered, weight_id);
    if (status == NNM_OK) status = define_constant(b, &outputs, 1, kept_bias, bias_id);
done:
    free(scale);
    free(bias);
    free(scaled);
    return status;
}

/* ---- windows ---- */

typedef struct window {
    uint32_t top, right, bottom, left;
    uint32_t kernel_h, kernel_w, stride_h, stride_w;
} window;

static window window_of(const nnm_xnnpack_build *b, const nnm_layer *layer)
{
    const nnm_attributes *a = &layer->node->attributes;
    image x = image_of(b, layer->input);
    int64_t top = a->pad_top, left = a->pad_left, bottom = a->pad_bottom, right = a->pad_right;
    (void)nnm_window_output(x.height, a->kernel_h, a->stride_h, a->padding, &top, &bottom);
    (void)nnm_window_output(x.width, a->kernel_w, a->stride_w, a->padding, &left, &right);
    return (window){(uint32_t)top,         (uint32_t)right,       (uint32_t)bottom,      (uint32_t)left,
                    (uint32_t)a->kernel_h, (uint32_t)a->kernel_w, (uint32_t)a->stride_h, (uint32_t)a->stride_w};
}

static nnm_status define_convolution(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    uint32_t weight = XNN_INVALID_VALUE_ID, bias = XNN_INVALID_VALUE_ID;
    nnm_status status = define_weights(b, layer, &weight, &bias);
    if (status) return status;
    window w = window_of(b, layer);
    size_t groups = (size_t)layer->node->attributes.groups;
    size_t inputs = (size_t)image_of(b, layer->input).channels, outputs = (size_t)image_of(b, layer->output).channels;
    uint32_t x = b->value[layer->input], y = b->value[layer->output];
    if (is_depthwise(b, layer))
        return nnm_xnnpack_check(
            xnn_define_depthwise_convolution_2d(b->subgraph, w.top, w.right, w.bottom, w.left, w.kernel_h, w.kernel_w,
                                                w.stride_h, w.stride_w, 1, 1, (uint32_t)(outputs / inputs), inputs,
                                                layer->output_min, layer->output_max, x, weight, bias, y, 0),
            "define a depthwise convolution", b->err);
    return nnm_xnnpack_check(xnn_define_convolution_2d(b->subgraph, w.top, w.right, w.bottom, w.left, w.kernel_h,
                                                       w.kernel_w, w.stride_h, w.stride_w, 1, 1, (uint32_t)groups,
                                                       inputs / groups, outputs / groups, layer->output_min,
                                                       layer->output_max, x, weight, bias, y, 0),
                             "define a convolution", b->err);
}

/* A 1 x 1 window that takes every pixel changes nothing, and XNNPACK has no pooling for it: TensorFlow Lite's delegate
 * makes it a clamp, too. */
static nnm_status define_pool(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    window w = window_of(b, layer);
    uint32_t x = b->value[layer->input], y = b->value[layer->output];
    float low = layer->output_min, high = layer->output_max;
    if (w.kernel_h == 1 && w.kernel_w == 1)
        return nnm_xnnpack_check(xnn_define_clamp(b->subgraph, low, high, x, y, 0), "define a clamp", b->err);
    if (layer->node->op == NNM_OP_MAX_POOL)
        return nnm_xnnpack_check(xnn_define_max_pooling_2d(b->subgraph, w.top, w.right, w.bottom, w.left, w.kernel_h,
                                                           w.kernel_w, w.stride_h, w.stride_w, 1, 1, low, high, x, y,
                                                           0),
                                 "define a max pooling", b->err);
    return nnm_xnnpack_check(xnn_define_average_pooling_2d(b->subgraph, w.top, w.right, w.bottom, w.left, w.kernel_h,
                                                           w.kernel_w, w.stride_h, w.stride_w, low, high, x, y, 0),
                             "define an average pooling", b->err);
}

/* ---- the other layers ---- */

static nnm_status define_fully_connected(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    uint32_t weight = XNN_INVALID_VALUE_ID, bias = XNN_INVALID_VALUE_ID;
    nnm_status status = define_weights(b, layer, &weight, &bias);
    if (status) return status;
    uint32_t flags = layer->flattens ? XNN_FLAG_TENSORFLOW_RESHAPE_2D : 0;
    return nnm_xnnpack_check(xnn_define_fully_connected(b->subgraph, layer->output_min, layer->output_max,
                                                        b->value[layer->input], weight, bias, b->value[layer->output],
                                                        flags),
                             "define a fully connected layer", b->err);
}

/* A depthwise 1 x 1 convolution, for which XNNPACK has a kernel of its own that multiplies and adds in one pass. */
static nnm_status define_batch_norm(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    size_t channels = (size_t)image_of(b, layer->input).channels, dims[4] = {1, 1, 1, channels};
    uint32_t weight = XNN_INVALID_VALUE_ID, shift = XNN_INVALID_VALUE_ID;
    double *scale = NULL;
    float *bias = NULL;
    nnm_status status = nnm_layer_fold(b->graph, layer, &scale, &bias, b->err);
    if (status) return status;
    float *kept_scale = nnm_xnnpack_block(b->session, channels), *kept_bias = nnm_xnnpack_block(b->session, channels);
    if (!kept_scale || !kept_bias) {
        status = nnm_fail_memory(b->err);
        goto done;
    }
    for (size_t i = 0; i < channels; i++)
        kept_scale[i] = (float)scale[i];
    memcpy(kept_bias, bias, channels * sizeof *bias);
    status = define_constant(b, dims, 4, kept_scale, &weight);
    if (status == NNM_OK) status = define_constant(b, &channels, 1, kept_bias, &shift);
    if (status == NNM_OK)
        status = nnm_xnnpack_check(xnn_define_depthwise_convolution_2d(b->subgraph, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1,
                                                                       channels, layer->output_min, layer->output_max,
                                                                       b->value[layer->input], weight, shift,
                                                                       b->value[layer->output], 0),
                                   "define a batch norm as a depthwise convolution", b->err);
done:
    free(scale);
    free(bias);
    return status;
}

/* relu6(x + 3) / 6: what TensorFlow writes for a hard sigmoid, and so what XNNPACK computes in its networks. */
static nnm_status define_hard_sigmoid(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    uint32_t three, sixth, sum;
    nnm_status status = define_number(b, 3.0f, &three);
    if (status == NNM_OK) status = define_number(b, 1.0f / 6.0f, &sixth);
    if (status == NNM_OK) status = define_like(b, layer->output, &sum);
    if (status) return status;
    status = nnm_xnnpack_check(xnn_define_add2(b->subgraph, 0.0f, 6.0f, b->value[layer->input], three, sum, 0),
                               "define an addition", b->err);
    if (status) return status;
    return nnm_xnnpack_check(
        xnn_define_multiply2(b->subgraph, layer->output_min, layer->output_max, sum, sixth, b->value[layer->output], 0),
        "define a multiplication", b->err);
}

static nnm_status define_flatten(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    size_t dims[NNM_MAX_RANK];
    nnm_xnnpack_dims(b->graph, layer->output, dims);
    return nnm_xnnpack_check(
        xnn_define_static_reshape(b->subgraph, 2, dims, b->value[layer->input], b->value[layer->output], 0),
        "define a reshaping", b->err);
}

static nnm_status define_node(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    const nnm_node *node = layer->node;
    xnn_subgraph_t subgraph = b->subgraph;
    float low = layer->output_min, high = layer->output_max;
    uint32_t x = b->value[layer->input], y = b->value[layer->output];
    uint32_t second = node->op == NNM_OP_ADD || node->op == NNM_OP_MULTIPLY ? b->value[node->inputs[1]] : 0;
    enum xnn_status status = xnn_status_invalid_parameter;
    switch (node->op) {
    case NNM_OP_CONV: return define_convolution(b, layer);
    case NNM_OP_FULLY_CONNECTED: return define_fully_connected(b, layer);
    case NNM_OP_BATCH_NORM: return define_batch_norm(b, layer);
    case NNM_OP_MAX_POOL:
    case NNM_OP_AVERAGE_POOL: return define_pool(b, layer);
    case NNM_OP_HARD_SIGMOID: return define_hard_sigmoid(b, layer);
    case NNM_OP_FLATTEN: return define_flatten(b, layer);
    case NNM_OP_RELU:
    case NNM_OP_RELU6: status = xnn_define_clamp(subgraph, low, high, x, y, 0); break;
    case NNM_OP_GLOBAL_AVERAGE_POOL: status = xnn_define_global_average_pooling_2d(subgraph, low, high, x, y, 0); break;
    case NNM_OP_ADD: status = xnn_define_add2(subgraph, low, high, x, second, y, 0); break;
    case NNM_OP_MULTIPLY: status = xnn_define_multiply2(subgraph, low, high, x, second, y, 0); break;
    case NNM_OP_SIGMOID: status = xnn_define_sigmoid(subgraph, x, y, 0); break;
    case NNM_OP_HARD_SWISH: status = xnn_define_hardswish(subgraph, x, y, 0); break;
    default: break; /* operators are no nodes of a subgraph */
    }
    return nnm_xnnpack_check(status, "define this node", b->err);
}

nnm_status nnm_xnnpack_define_layer(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    nnm_tensor_id inputs[NNM_NODE_MAX_INPUTS];
    size_t count = nnm_xnnpack_layer_inputs(layer, inputs);
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        status = define_value(b, inputs[i], XNN_VALUE_FLAG_EXTERNAL_INPUT);
    if (status == NNM_OK) status = define_value(b, layer->output, XNN_VALUE_FLAG_EXTERNAL_OUTPUT);
    return status ? status : define_node(b, layer);
}

#endif
