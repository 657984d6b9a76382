/* The primitives of each step. Weights and parameters are packed here, once, into the layout that a primitive wants. */
#include "backends/onednn_session.h"

#ifdef NNM_HAVE_ONEDNN

#include <stdlib.h>

#include "backends/fusion.h"
#include "backends/onednn_memory.h"
#include "base/error.h"
#include "base/memory.h"

typedef struct eltwise {
    dnnl_alg_kind_t kind;
    float alpha, beta;
} eltwise;

/* The element-wise operations that an activation is made of, at most two; returns their number. */
static int eltwise_of(nnm_activation activation, eltwise out[2])
{
    switch (activation) {
    case NNM_ACTIVATION_NONE: return 0;
    case NNM_ACTIVATION_RELU: out[0] = (eltwise){dnnl_eltwise_relu, 0.0f, 0.0f}; return 1;
    case NNM_ACTIVATION_RELU6: out[0] = (eltwise){dnnl_eltwise_clip, 0.0f, 6.0f}; return 1;
    case NNM_ACTIVATION_SIGMOID: out[0] = (eltwise){dnnl_eltwise_logistic, 0.0f, 0.0f}; return 1;
    case NNM_ACTIVATION_HARD_SWISH: out[0] = (eltwise){dnnl_eltwise_hardswish, 0.0f, 0.0f}; return 1;
    case NNM_ACTIVATION_SWISH: out[0] = (eltwise){dnnl_eltwise_swish, 1.0f, 0.0f}; return 1;
    case NNM_ACTIVATION_HARD_SIGMOID:
        out[0] = (eltwise){dnnl_eltwise_linear, 1.0f / 6.0f, 0.5f};
        out[1] = (eltwise){dnnl_eltwise_clip, 0.0f, 1.0f};
        return 2;
    }
    return 0;
}

/* Describes the primitive of `operation`, which ends with `activation`. Strict: 32-bit floats are never rounded to 16
 * bits on the way, whatever the processor or the environment offer. */
static nnm_status describe(nnm_onednn_builder *b, const_dnnl_op_desc_t operation, nnm_activation activation,
                           dnnl_primitive_desc_t *out, const char *doing)
{
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t after = NULL;
    eltwise operations[2];
    int count = eltwise_of(activation, operations);
    nnm_status status = nnm_onednn_check(dnnl_primitive_attr_create(&attributes), doing, b->err);
    if (status) return status;
    status = nnm_onednn_check(dnnl_primitive_attr_set_fpmath_mode(attributes, dnnl_fpmath_mode_strict), doing, b->err);
    if (status == NNM_OK) status = nnm_onednn_check(dnnl_post_ops_create(&after), doing, b->err);
    for (int i = 0; i < count && status == NNM_OK; i++)
        status = nnm_onednn_check(
            dnnl_post_ops_append_eltwise(after, 1.0f, operations[i].kind, operations[i].alpha, operations[i].beta),
            doing, b->err);
    if (status == NNM_OK) status = nnm_onednn_check(dnnl_primitive_attr_set_post_ops(attributes, after), doing, b->err);
    if (status == NNM_OK)
        status = nnm_onednn_check(dnnl_primitive_desc_create(out, operation, attributes, b->session->engine, NULL),
                                  doing, b->err);
    if (after) (void)dnnl_post_ops_destroy(after);
    (void)dnnl_primitive_attr_destroy(attributes);
    return status;
}

static const dnnl_memory_desc_t *layout_of(const_dnnl_primitive_desc_t primitive, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(primitive, what, 0);
}

/* Adds a primitive that reads one tensor, in the layout it wants, and gives one, in the layout it prefers. `arguments`
 * has room for these two before the others. Destroys `desc`. */
static nnm_status add_simple(nnm_onednn_builder *b, const nnm_step *step, dnnl_primitive_desc_t desc,
                             dnnl_exec_arg_t *arguments, int argument_count, const char *doing)
{
    dnnl_memory_t x = NULL, y = NULL;
    nnm_status status = nnm_onednn_read(b, step->inputs[0], layout_of(desc, dnnl_query_src_md), &x);
    if (status == NNM_OK) status = nnm_onednn_new_memory(b, layout_of(desc, dnnl_query_dst_md), NULL, &y);
    arguments[0] = (dnnl_exec_arg_t){DNNL_ARG_SRC, x};
    arguments[1] = (dnnl_exec_arg_t){DNNL_ARG_DST, y};
    if (status == NNM_OK) status = nnm_onednn_add_call(b, desc, arguments, argument_count, doing);
    if (status == NNM_OK) b->tensors[step->outputs[0]] = y;
    (void)dnnl_primitive_desc_destroy(desc);
    return status;
}

/* ---- parameters ---- */

/* A memory in the layout `wanted` with `data`, which is in the order of `given`. */
static nnm_status pack(nnm_onednn_builder *b, const dnnl_memory_desc_t *wanted, const dnnl_memory_desc_t *given,
                       const float *data, dnnl_memory_t *out)
{
    nnm_status status = nnm_onednn_new_memory(b, wanted, NULL, out);
    return status ? status : nnm_onednn_copy_in(b->session, *out, given, data, b->err);
}

static nnm_status pack_vector(nnm_onednn_builder *b, const float *data, int64_t count, dnnl_memory_t *out)
{
    dnnl_memory_desc_t desc;
    nnm_onednn_dense_desc(1, (dnnl_dims_t){count}, &desc);
    return pack(b, &desc, &desc, data, out);
}

/* Weights and bias of a step with its batch norm folded in, packed. */
static nnm_status pack_weights(nnm_onednn_builder *b, const nnm_step *step, const dnnl_memory_desc_t *wanted,
                               const dnnl_memory_desc_t *given, dnnl_memory_t *weights, dnnl_memory_t *bias)
{
    const nnm_tensor *weight = nnm_graph_tensor(b->graph, step->node->inputs[1]);
    size_t count = (size_t)nnm_shape_elements(&weight->shape), outputs = (size_t)weight->shape.dim[0];
    nnm_layer layer = {.node = step->node, .batch_norm = step->batch_norm};
    double *scale = NULL;
    float *sums = NULL, *scaled = NULL;
    nnm_status status = nnm_layer_fold(b->graph, &layer, &scale, &sums, b->err);
    if (status) return status;
    scaled = nnm_reallocarray(NULL, count, sizeof *scaled);
    if (!scaled) {
        status = nnm_fail_memory(b->err);
        goto done;
    }
    for (size_t i = 0; i < count; i++)
        scaled[i] = (float)((double)weight->data[i] * scale[i / (count / outputs)]);
    status = pack(b, wanted, given, scaled, weights);
    if (status == NNM_OK && bias) status = pack_vector(b, sums, (int64_t)outputs, bias);
done:
    free(scale);
    free(sums);
    free(scaled);
    return status;
}

static bool has_bias(const nnm_step *step)
{
    return step->batch_norm || step->node->input_count > 2;
}

/* Adds a convolution or an inner product, whose weights are given in the order of `given`. */
static nnm_status add_weighted(nnm_onednn_builder *b, const nnm_step *step, dnnl_primitive_desc_t desc,
                               const dnnl_memory_desc_t *given, const char *doing)
{
    dnnl_memory_t weights = NULL, bias = NULL;
    nnm_status status =
        pack_weights(b, step, layout_of(desc, dnnl_query_weights_md), given, &weights, has_bias(step) ? &bias : NULL);
    if (status) {
        (void)dnnl_primitive_desc_destroy(desc);
        return status;
    }
    dnnl_exec_arg_t arguments[4] = {[2] = {DNNL_ARG_WEIGHTS, weights}, [3] = {DNNL_ARG_BIAS, bias}};
    return add_simple(b, step, desc, arguments, bias ? 4 : 3, doing);
}

/* ---- convolution ---- */

/* Pads at top and left, then at bottom and right. */
static void pads_of(const nnm_attributes *a, int64_t height, int64_t width, dnnl_dims_t before, dnnl_dims_t after)
{
    before[0] = a->pad_top, before[1] = a->pad_left;
    after[0] = a->pad_bottom, after[1] = a->pad_right;
    (void)nnm_window_output(height, a->kernel_h, a->stride_h, a->padding, &before[0], &after[0]);
    (void)nnm_window_output(width, a->kernel_w, a->stride_w, a->padding, &before[1], &after[1]);
}

static nnm_status add_convolution(nnm_onednn_builder *b, const nnm_step *step)
{
    static const char doing[] = "make a convolution";
    const nnm_attributes *a = &step->node->attributes;
    const int64_t *w = nnm_graph_tensor(b->graph, step->node->inputs[1])->shape.dim;
    dnnl_memory_desc_t x, y, weights, given, bias;
    dnnl_convolution_desc_t convolution;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_dims_t before, after;
    nnm_onednn_any_desc(b->graph, step->inputs[0], &x);
    nnm_onednn_any_desc(b->graph, step->outputs[0], &y);
    nnm_onednn_dense_desc(1, (dnnl_dims_t){w[0]}, &bias);
    pads_of(a, x.dims[2], x.dims[3], before, after);
    bool grouped = a->groups > 1;
    const dnnl_dims_t plain_dims = {w[0], w[1], w[2], w[3]};
    const dnnl_dims_t grouped_dims = {a->groups, w[0] / a->groups, w[1], w[2], w[3]};
    const int64_t *dims = grouped ? grouped_dims : plain_dims;
    nnm_onednn_dense_desc(grouped ? 5 : 4, dims, &given);
    (void)dnnl_memory_desc_init_by_tag(&weights, grouped ? 5 : 4, dims, dnnl_f32, dnnl_format_tag_any);
    const dnnl_dims_t strides = {a->stride_h, a->stride_w};
    nnm_status status = nnm_onednn_check(
        dnnl_convolution_forward_desc_init(&convolution, dnnl_forward_inference, dnnl_convolution_direct, &x, &weights,
                                           has_bias(step) ? &bias : NULL, &y, strides, before, after),
        doing, b->err);
    if (status == NNM_OK) status = describe(b, &convolution, step->activation, &desc, doing);
    return status ? status : add_weighted(b, step, desc, &given, doing);
}

/* ---- fully connected ---- */

/* Weights over an image, in the order of the columns that its flattening had in the model file. */
static void image_weights(const nnm_onednn_builder *b, const nnm_step *step, int64_t outputs, dnnl_memory_desc_t *any,
                          dnnl_memory_desc_t *given)
{
    dnnl_dims_t dims;
    int rank = nnm_onednn_dims(b->graph, step->inputs[0], dims);
    dims[0] = outputs;
    (void)dnnl_memory_desc_init_by_tag(any, rank, dims, dnnl_f32, dnnl_format_tag_any);
    bool channels_last = nnm_graph_layout(b->graph) == NNM_LAYOUT_NHWC;
    (void)dnnl_memory_desc_init_by_tag(given, rank, dims, dnnl_f32, channels_last ? dnnl_nhwc : dnnl_nchw);
}

/* Rows of a tensor with three dimensions are rows of a matrix; both sides stay row by row. */
static nnm_status add_rows(nnm_onednn_builder *b, const nnm_step *step, dnnl_primitive_desc_t desc,
                           const dnnl_memory_desc_t *given, const char *doing)
{
    nnm_tensor_id x_id = step->inputs[0], y_id = step->outputs[0];
    dnnl_memory_desc_t x_desc, y_desc;
    dnnl_memory_t x = NULL, x_rows = NULL, y_rows = NULL, weights = NULL, bias = NULL;
    nnm_onednn_file_desc(b->graph, x_id, &x_desc);
    nnm_onednn_file_desc(b->graph, y_id, &y_desc);
    nnm_status status = nnm_onednn_read(b, x_id, &x_desc, &x);
    if (status == NNM_OK) status = nnm_onednn_view(b, x, layout_of(desc, dnnl_query_src_md), &x_rows);
    if (status == NNM_OK) status = nnm_onednn_new_memory(b, &y_desc, NULL, &b->tensors[y_id]);
    if (status == NNM_OK) status = nnm_onednn_view(b, b->tensors[y_id], layout_of(desc, dnnl_query_dst_md), &y_rows);
    if (status == NNM_OK)
        status = pack_weights(b, step, layout_of(desc, dnnl_query_weights_md), given, &weights,
                              has_bias(step) ? &bias : NULL);
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, x_rows}, {DNNL_ARG_DST, y_rows}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_BIAS, bias}};
    if (status == NNM_OK) status = nnm_onednn_add_call(b, desc, arguments, bias ? 4 : 3, doing);
    (void)dnnl_primitive_desc_destroy(desc);
    return status;
}

static nnm_status add_fully_connected(nnm_onednn_builder *b, const nnm_step *step)
{
    static const char doing[] = "make an inner product";
    const int64_t *w = nnm_graph_tensor(b->graph, step->node->inputs[1])->shape.dim;
    dnnl_memory_desc_t x, y, weights, given, bias;
    dnnl_inner_product_desc_t product;
    dnnl_primitive_desc_t desc = NULL;
    nnm_onednn_any_desc(b->graph, step->inputs[0], &x);
    nnm_onednn_any_desc(b->graph, step->outputs[0], &y);
    nnm_onednn_dense_desc(1, (dnnl_dims_t){w[0]}, &bias);
    bool has_rows = x.ndims == 3;
    if (has_rows) {
        int64_t rows = x.dims[0] * x.dims[1];
        nnm_onednn_dense_desc(2, (dnnl_dims_t){rows, w[1]}, &x);
        nnm_onednn_dense_desc(2, (dnnl_dims_t){rows, w[0]}, &y);
    }
    if (step->flattens) {
        image_weights(b, step, w[0], &weights, &given);
    } else {
        const dnnl_dims_t dims = {w[0], w[1]};
        nnm_onednn_dense_desc(2, dims, &given);
        (void)dnnl_memory_desc_init_by_tag(&weights, 2, dims, dnnl_f32, dnnl_format_tag_any);
    }
    nnm_status status =
        nnm_onednn_check(dnnl_inner_product_forward_desc_init(&product, dnnl_forward_inference, &x, &weights,
                                                              has_bias(step) ? &bias : NULL, &y),
                         doing, b->err);
    if (status == NNM_OK) status = describe(b, &product, step->activation, &desc, doing);
    if (status) return status;
    return has_rows ? add_rows(b, step, desc, &given, doing) : add_weighted(b, step, desc, &given, doing);
}

/* ---- one tensor in, one of its kind out ---- */

static nnm_status add_pool(nnm_onednn_builder *b, const nnm_step *step)
{
    static const char doing[] = "make a pooling";
    nnm_attributes a = step->node->attributes;
    dnnl_memory_desc_t x, y;
    dnnl_pooling_desc_t pooling;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_dims_t before, after;
    nnm_onednn_tensor_desc(b, step->inputs[0], &x);
    nnm_onednn_any_desc(b->graph, step->outputs[0], &y);
    if (step->node->op == NNM_OP_GLOBAL_AVERAGE_POOL)
        a = (nnm_attributes){.kernel_h = x.dims[2], .kernel_w = x.dims[3], .stride_h = 1, .stride_w = 1};
    pads_of(&a, x.dims[2], x.dims[3], before, after);
    const dnnl_dims_t kernel = {a.kernel_h, a.kernel_w}, strides = {a.stride_h, a.stride_w};
    dnnl_alg_kind_t kind = step->node->op == NNM_OP_MAX_POOL ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding;
    nnm_status status = nnm_onednn_check(
        dnnl_pooling_forward_desc_init(&pooling, dnnl_forward_inference, kind, &x, &y, strides, kernel, before, after),
        doing, b->err);
    if (status == NNM_OK) status = describe(b, &pooling, step->activation, &desc, doing);
    dnnl_exec_arg_t arguments[2];
    return status ? status : add_simple(b, step, desc, arguments, 2, doing);
}

static nnm_status check_variance(const nnm_onednn_builder *b, const nnm_node *node)
{
    const nnm_tensor *variance = nnm_graph_tensor(b->graph, node->inputs[4]);
    for (int64_t c = 0; c < variance->shape.dim[0]; c++)
        if (!((double)variance->data[c] + node->attributes.epsilon > 0.0))
            return nnm_fail(b->err, NNM_ERR_VALUE, "batch norm '%s' has the variance %g in channel %lld", node->name,
                            (double)variance->data[c], (long long)c);
    return NNM_OK;
}

static nnm_status add_batch_norm(nnm_onednn_builder *b, const nnm_step *step)
{
    static const char doing[] = "make a batch normalization";
    static const int kinds[4] = {DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE};
    const nnm_node *node = step->node;
    dnnl_memory_desc_t x;
    dnnl_batch_normalization_desc_t normalization;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_exec_arg_t arguments[6];
    nnm_status status = check_variance(b, node);
    for (int i = 0; i < 4 && status == NNM_OK; i++) {
        const nnm_tensor *parameter = nnm_graph_tensor(b->graph, node->inputs[i + 1]);
        arguments[i + 2].arg = kinds[i];
        status = pack_vector(b, parameter->data, parameter->shape.dim[0], &arguments[i + 2].memory);
    }
    if (status) return status;
    nnm_onednn_tensor_desc(b, step->inputs[0], &x);
    status = nnm_onednn_check(dnnl_batch_normalization_forward_desc_init(
                                  &normalization, dnnl_forward_inference, &x, (float)node->attributes.epsilon,
                                  dnnl_use_global_stats | dnnl_use_scale | dnnl_use_shift),
                              doing, b->err);
    if (status == NNM_OK) status = describe(b, &normalization, step->activation, &desc, doing);
    return status ? status : add_simple(b, step, desc, arguments, 6, doing);
}

static nnm_status add_activation(nnm_onednn_builder *b, const nnm_step *step)
{
    static const char doing[] = "make an element-wise operation";
    eltwise operations[2];
    int count = eltwise_of(step->activation, operations);
    nnm_status status = NNM_OK;
    for (int i = 0; i < count && status == NNM_OK; i++) {
        dnnl_memory_desc_t x;
        dnnl_eltwise_desc_t operation;
        dnnl_primitive_desc_t desc = NULL;
        nnm_onednn_tensor_desc(b, i == 0 ? step->inputs[0] : step->outputs[0], &x);
        status = nnm_onednn_check(dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_inference, operations[i].kind,
                                                                 &x, operations[i].alpha, operations[i].beta),
                                  doing, b->err);
        if (status == NNM_OK) status = describe(b, &operation, NNM_ACTIVATION_NONE, &desc, doing);
        if (status) return status;
        dnnl_memory_t y = b->tensors[step->outputs[0]]; /* the second one works in place */
        dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_SRC, y}, {DNNL_ARG_DST, y}};
        if (i == 0) {
            status = add_simple(b, step, desc, arguments, 2, doing);
        } else {
            status = nnm_onednn_add_call(b, desc, arguments, 2, doing);
            (void)dnnl_primitive_desc_destroy(desc);
        }
    }
    return status;
}

static nnm_status add_shuffle(nnm_onednn_builder *b, const nnm_step *step)
{
    static const char doing[] = "make a channel shuffle";
    dnnl_memory_desc_t x;
    dnnl_shuffle_desc_t shuffle;
    dnnl_primitive_desc_t desc = NULL;
    int axis = nnm_onednn_channel_axis(b->graph, step->inputs[0]);
    nnm_onednn_tensor_desc(b, step->inputs[0], &x);
    nnm_status status = nnm_onednn_check(dnnl_shuffle_forward_desc_init(&shuffle, dnnl_forward_inference, &x, axis,
                                                                        x.dims[axis] / step->node->attributes.groups),
                                         doing, b->err);
    if (status == NNM_OK) status = describe(b, &shuffle, step->activation, &desc, doing);
    dnnl_exec_arg_t arguments[2];
    return status ? status : add_simple(b, step, desc, arguments, 2, doing);
}

/* Nothing is computed: the values row by row are those of the matrix. */
static nnm_status add_flatten(nnm_onednn_builder *b, const nnm_step *step)
{
    dnnl_memory_desc_t x_desc, y_desc;
    dnnl_memory_t x = NULL;
    nnm_onednn_file_desc(b->graph, step->inputs[0], &x_desc);
    nnm_onednn_file_desc(b->graph, step->outputs[0], &y_desc);
    nnm_status status = nnm_onednn_read(b, step->inputs[0], &x_desc, &x);
    return status ? status : nnm_onednn_view(b, x, &y_desc, &b->tensors[step->outputs[0]]);
}

/* ---- several tensors ---- */

static nnm_status add_binary(nnm_onednn_builder *b, const nnm_step *step)
{
    static const char doing[] = "make an operation on two tensors";
    nnm_tensor_id ids[2] = {step->inputs[0], step->inputs[1]};
    dnnl_memory_desc_t x[2], y;
    dnnl_binary_desc_t binary;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_memory_t memories[2] = {NULL}, result = NULL;
    bool broadcasts = nnm_shape_elements(&nnm_graph_tensor(b->graph, ids[0])->shape) !=
                      nnm_shape_elements(&nnm_graph_tensor(b->graph, ids[1])->shape);
    for (int i = 0; i < 2; i++) /* inputs of the model take the layout of what they are combined with */
        nnm_onednn_tensor_desc(b, b->tensors[ids[i]] || broadcasts ? ids[i] : ids[1 - i], &x[i]);
    nnm_onednn_any_desc(b->graph, step->outputs[0], &y);
    dnnl_alg_kind_t kind = step->node->op == NNM_OP_ADD ? dnnl_binary_add : dnnl_binary_mul;
    nnm_status status = nnm_onednn_check(dnnl_binary_desc_init(&binary, kind, &x[0], &x[1], &y), doing, b->err);
    if (status == NNM_OK) status = describe(b, &binary, step->activation, &desc, doing);
    if (status) return status;
    for (int i = 0; i < 2 && status == NNM_OK; i++)
        status = nnm_onednn_read(b, ids[i], &x[i], &memories[i]);
    if (status == NNM_OK) status = nnm_onednn_new_memory(b, layout_of(desc, dnnl_query_dst_md), NULL, &result);
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC_0, memories[0]}, {DNNL_ARG_SRC_1, memories[1]}, {DNNL_ARG_DST, result}};
    if (status == NNM_OK) status = nnm_onednn_add_call(b, desc, arguments, 3, doing);
    if (status == NNM_OK) b->tensors[step->outputs[0]] = result;
    (void)dnnl_primitive_desc_destroy(desc);
    return status;
}

/* Whether channels can be cut out of `whole` in pieces like the tensors `ids`: blocks of channels cannot be cut. */
static bool can_be_cut(const nnm_onednn_builder *b, const dnnl_memory_desc_t *whole, const nnm_tensor_id *ids,
                       size_t count)
{
    dnnl_dims_t offsets = {0}, dims;
    for (size_t i = 0; i < count; i++) {
        int axis = nnm_onednn_channel_axis(b->graph, ids[i]);
        dnnl_memory_desc_t piece;
        (void)nnm_onednn_dims(b->graph, ids[i], dims);
        if (dnnl_memory_desc_init_submemory(&piece, whole, dims, offsets) != dnnl_success) return false;
        offsets[axis] += dims[axis];
    }
    return true;
}

static nnm_status add_concat(nnm_onednn_builder *b, const nnm_step *step)
{
    static const char doing[] = "make a concatenation";
    dnnl_memory_desc_t x[NNM_NODE_MAX_INPUTS], y;
    dnnl_exec_arg_t arguments[NNM_NODE_MAX_INPUTS + 1];
    dnnl_primitive_desc_t desc = NULL;
    dnnl_memory_t result = NULL;
    dnnl_dims_t dims;
    int count = (int)step->input_count, rank = nnm_onednn_dims(b->graph, step->outputs[0], dims);
    nnm_onednn_usual_desc(b, rank, dims, &y);
    bool in_blocks = can_be_cut(b, &y, step->inputs, step->input_count);
    if (!in_blocks) nnm_onednn_file_desc(b->graph, step->outputs[0], &y);
    for (int i = 0; i < count; i++) {
        if (in_blocks) {
            nnm_onednn_tensor_desc(b, step->inputs[i], &x[i]);
        } else {
            nnm_onednn_file_desc(b->graph, step->inputs[i], &x[i]);
        }
    }
    int axis = nnm_onednn_channel_axis(b->graph, step->outputs[0]);
    nnm_status status = nnm_onednn_check(
        dnnl_concat_primitive_desc_create(&desc, &y, count, axis, x, NULL, b->session->engine), doing, b->err);
    if (status) return status;
    for (int i = 0; i < count && status == NNM_OK; i++) {
        arguments[i].arg = DNNL_ARG_MULTIPLE_SRC + i;
        status = nnm_onednn_read(b, step->inputs[i], &x[i], &arguments[i].memory);
    }
    if (status == NNM_OK) status = nnm_onednn_new_memory(b, &y, NULL, &result);
    arguments[count] = (dnnl_exec_arg_t){DNNL_ARG_DST, result};
    if (status == NNM_OK) status = nnm_onednn_add_call(b, desc, arguments, count + 1, doing);
    if (status == NNM_OK) b->tensors[step->outputs[0]] = result;
    (void)dnnl_primitive_desc_destroy(desc);
    return status;
}

/* Each half is copied out of the whole. */
static nnm_status add_split(nnm_onednn_builder *b, const nnm_step *step)
{
    dnnl_memory_desc_t x_desc;
    dnnl_memory_t x = NULL;
    nnm_onednn_tensor_desc(b, step->inputs[0], &x_desc);
    bool in_blocks = can_be_cut(b, &x_desc, step->outputs, step->output_count);
    if (!in_blocks) nnm_onednn_file_desc(b->graph, step->inputs[0], &x_desc);
    nnm_status status = nnm_onednn_read(b, step->inputs[0], &x_desc, &x);
    int axis = nnm_onednn_channel_axis(b->graph, step->inputs[0]);
    dnnl_dims_t offsets = {0}, dims;
    for (size_t i = 0; i < step->output_count && status == NNM_OK; i++) {
        dnnl_memory_desc_t piece_desc, y_desc;
        dnnl_memory_t piece = NULL, y = NULL;
        int rank = nnm_onednn_dims(b->graph, step->outputs[i], dims);
        if (in_blocks) {
            nnm_onednn_usual_desc(b, rank, dims, &y_desc);
        } else {
            nnm_onednn_file_desc(b->graph, step->outputs[i], &y_desc);
        }
        status = nnm_onednn_check(dnnl_memory_desc_init_submemory(&piece_desc, &x_desc, dims, offsets), "cut a tensor",
                                  b->err);
        if (status == NNM_OK) status = nnm_onednn_view(b, x, &piece_desc, &piece);
        if (status == NNM_OK) status = nnm_onednn_new_memory(b, &y_desc, NULL, &y);
        if (status == NNM_OK) status = nnm_onednn_add_copy(b, y, &y_desc, piece, &piece_desc);
        b->tensors[step->outputs[i]] = y;
        offsets[axis] += dims[axis];
    }
    return status;
}

/* ---- the whole ---- */

static nnm_status add_step(nnm_onednn_builder *b, const nnm_step *step)
{
    switch (step->node->op) {
    case NNM_OP_CONV: return add_convolution(b, step);
    case NNM_OP_BATCH_NORM: return add_batch_norm(b, step);
    case NNM_OP_FLATTEN: return add_flatten(b, step);
    case NNM_OP_FULLY_CONNECTED: return add_fully_connected(b, step);
    case NNM_OP_MAX_POOL:
    case NNM_OP_AVERAGE_POOL:
    case NNM_OP_GLOBAL_AVERAGE_POOL: return add_pool(b, step);
    case NNM_OP_ADD:
    case NNM_OP_MULTIPLY: return add_binary(b, step);
    case NNM_OP_CONCAT: return add_concat(b, step);
    case NNM_OP_SPLIT: return add_split(b, step);
    case NNM_OP_CHANNEL_SHUFFLE: return add_shuffle(b, step);
    case NNM_OP_RELU:
    case NNM_OP_RELU6:
    case NNM_OP_SIGMOID:
    case NNM_OP_HARD_SIGMOID:
    case NNM_OP_HARD_SWISH: return add_activation(b, step);
    case NNM_OP_COUNT: break;
    }
    return nnm_fail(b->err, NNM_ERR_INTERNAL, "a step of oneDNN has the operator %d", (int)step->node->op);
}

static nnm_status take_external(nnm_onednn_builder *b, nnm_tensor_id id, nnm_onednn_external *out)
{
    nnm_onednn_file_desc(b->graph, id, &out->file);
    out->count = (size_t)nnm_shape_elements(&nnm_graph_tensor(b->graph, id)->shape);
    nnm_status status = NNM_OK;
    if (!b->tensors[id]) status = nnm_onednn_new_memory(b, &out->file, NULL, &b->tensors[id]); /* nobody reads it */
    out->memory = b->tensors[id];
    return status;
}

nnm_status nnm_onednn_build(nnm_session *session, const nnm_graph *graph, const nnm_plan *plan, nnm_error *err)
{
    nnm_onednn_builder b = {.session = session, .graph = graph, .err = err};
    size_t inputs = nnm_graph_input_count(graph), outputs = nnm_graph_output_count(graph);
    b.tensors = nnm_calloc(nnm_graph_tensor_count(graph), sizeof *b.tensors);
    session->inputs = nnm_calloc(inputs, sizeof *session->inputs);
    session->outputs = nnm_calloc(outputs, sizeof *session->outputs);
    nnm_status status = b.tensors && session->inputs && session->outputs ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; i < plan->count && status == NNM_OK; i++) {
        status = add_step(&b, &plan->steps[i]);
        if (status) status = nnm_context(err, status, "node '%s'", plan->steps[i].node->name);
    }
    for (size_t i = 0; i < inputs && status == NNM_OK; i++)
        status = take_external(&b, nnm_graph_input(graph, i), &session->inputs[session->input_count++]);
    for (size_t i = 0; i < outputs && status == NNM_OK; i++)
        status = take_external(&b, nnm_graph_output(graph, i), &session->outputs[session->output_count++]);
    free(b.tensors);
    return status;
}

#endif
