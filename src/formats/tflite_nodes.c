#include <float.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "formats/tflite_read.h"
#include "formats/tflite_schema.h"
#include "graph/shape.h"

/* A product and a sum are read as a batch norm with mean 0 whose variance and epsilon add up to exactly 1. */
#define PLAIN_EPSILON 0x1p-10
#define PLAIN_VARIANCE (1 - 0x1p-10)

static nnm_status refuse(const nnm_tfl_reader *reader, const char *what)
{
    return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "%s", what);
}

static const nnm_shape *shape_of(const nnm_tfl_reader *reader, nnm_tensor_id id)
{
    return &nnm_graph_tensor(reader->graph, id)->shape;
}

/* The operator that alone reads the only output of `step`, or NULL. */
static nnm_tfl_step *only_user(const nnm_tfl_reader *reader, const nnm_tfl_step *step)
{
    int64_t output = step->outputs.count == 1 ? nnm_tfl_output(reader, step, 0) : -1;
    size_t user = output < 0 ? NNM_TFL_NO_OPERATOR : reader->values[output].user;
    return user == NNM_TFL_NO_OPERATOR || reader->steps[user].done ? NULL : &reader->steps[user];
}

/* The same if it is `code` and reads that output first. */
static nnm_tfl_step *next_is(const nnm_tfl_reader *reader, const nnm_tfl_step *step, int32_t code)
{
    nnm_tfl_step *user = only_user(reader, step);
    if (!user || user->code != code || nnm_tfl_input(reader, user, 0) != nnm_tfl_output(reader, step, 0)) return NULL;
    return user;
}

/* ---- nodes ---- */

static nnm_status read_activation(nnm_tfl_reader *reader, const nnm_tfl_step *step, unsigned field, unsigned *out)
{
    *out = nnm_fb_byte(&reader->file, &step->options, field);
    if (*out == NNM_TFL_NO_ACTIVATION || *out == NNM_TFL_FUSED_RELU || *out == NNM_TFL_FUSED_RELU6) return NNM_OK;
    return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED,
                    "its fused activation has the number %u; only NONE, RELU and RELU6 are supported", *out);
}

static nnm_status check_outputs(const nnm_tfl_reader *reader, const nnm_tfl_step *step, size_t count)
{
    if (step->outputs.count == count) return NNM_OK;
    return nnm_fail(reader->err, NNM_ERR_VALUE, "it has %zu outputs instead of %zu", step->outputs.count, count);
}

static nnm_status check_input_count(const nnm_tfl_reader *reader, const nnm_tfl_step *step, size_t low, size_t high)
{
    if (step->inputs.count >= low && step->inputs.count <= high) return NNM_OK;
    return nnm_fail(reader->err, NNM_ERR_VALUE, "it has %zu inputs; it takes %zu to %zu", step->inputs.count, low,
                    high);
}

/* Says which tensor of the graph an output is; what the file says of it must be right. */
static nnm_status define(nnm_tfl_reader *reader, size_t index, nnm_tensor_id id)
{
    nnm_tfl_value *value = &reader->values[index];
    nnm_shape shape;
    if (value->known || value->data.count)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "its output is an input, a constant or computed already");
    if (value->type != NNM_TFL_FLOAT32) return refuse(reader, "its output is not FLOAT32; nothing else is supported");
    if (value->shape.count) {
        nnm_status status = nnm_tfl_shape(reader, index, &shape);
        if (status) return nnm_context(reader->err, status, "its output");
        char said[NNM_SHAPE_TEXT_BYTES], is[NNM_SHAPE_TEXT_BYTES];
        if (!nnm_shape_equal(&shape, shape_of(reader, id)))
            return nnm_fail(reader->err, NNM_ERR_VALUE, "its output's shape is said to be %s, but it is %s",
                            nnm_shape_format(&shape, said), nnm_shape_format(shape_of(reader, id), is));
    }
    value->known = true;
    value->id = id;
    return NNM_OK;
}

static nnm_status add_node(nnm_tfl_reader *reader, nnm_op op, size_t value, const char *suffix,
                           const nnm_attributes *attributes, const nnm_tensor_id *inputs, size_t count,
                           nnm_tensor_id *out)
{
    char *name = NULL;
    nnm_status status = nnm_tfl_name(reader, value, suffix, op == NNM_OP_SPLIT, &name);
    if (!status)
        status = nnm_tfl_as_value(
            nnm_graph_add_node(reader->graph, op, name, attributes, inputs, count, out, reader->err), reader->err);
    free(name);
    return status;
}

/* Adds a node with one output, which is that of `step`, and a rectifier if one is fused to it. */
static nnm_status emit(nnm_tfl_reader *reader, const nnm_tfl_step *step, nnm_op op, const nnm_attributes *attributes,
                       const nnm_tensor_id *inputs, size_t count, unsigned activation)
{
    nnm_status status = check_outputs(reader, step, 1);
    if (status) return status;
    size_t value = (size_t)nnm_tfl_output(reader, step, 0);
    nnm_tensor_id id = 0;
    const char *suffix = activation == NNM_TFL_NO_ACTIVATION ? NULL : nnm_op_name(op);
    if ((status = add_node(reader, op, value, suffix, attributes, inputs, count, &id))) return status;
    if (activation != NNM_TFL_NO_ACTIVATION) {
        nnm_op rectifier = activation == NNM_TFL_FUSED_RELU ? NNM_OP_RELU : NNM_OP_RELU6;
        status = add_node(reader, rectifier, value, NULL, NULL, (nnm_tensor_id[]){id}, 1, &id);
    }
    return status ? status : define(reader, value, id);
}

/* ---- convolution, pooling, and padding before them ---- */

static nnm_status read_padding(nnm_tfl_reader *reader, const nnm_tfl_step *step, unsigned field, nnm_attributes *a)
{
    unsigned padding = nnm_fb_byte(&reader->file, &step->options, field);
    if (padding != NNM_TFL_SAME && padding != NNM_TFL_VALID)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "its padding has the number %u; SAME is 0, VALID is 1", padding);
    a->padding = padding == NNM_TFL_SAME ? NNM_PADDING_SAME : NNM_PADDING_EXPLICIT;
    return NNM_OK;
}

/* A weight in the order that the graph has, [COUT, CIN / groups, KH, KW]; an operator that shares it shares that. */
static nnm_status read_weight(nnm_tfl_reader *reader, int64_t index, bool depthwise, nnm_tensor_id *id)
{
    nnm_shape shape;
    bool zeros = nnm_tfl_is_zeros(reader, index);
    nnm_status status =
        zeros ? nnm_tfl_shape(reader, (size_t)index, &shape) : nnm_tfl_check_floats(reader, index, &shape);
    if (status) return status;
    nnm_tfl_value *value = &reader->values[index];
    if (value->weight_known && value->weight_is_depthwise == depthwise) {
        *id = value->weight_id;
        return NNM_OK;
    }
    if (shape.rank != 4 || (depthwise && shape.dim[0] != 1)) {
        char text[NNM_SHAPE_TEXT_BYTES];
        return nnm_fail(reader->err, NNM_ERR_VALUE, "its weight has the shape %s; it must have four dimensions%s",
                        nnm_shape_format(&shape, text), depthwise ? ", the first of them 1" : "");
    }
    size_t out = (size_t)shape.dim[depthwise ? 3 : 0], in = depthwise ? 1 : (size_t)shape.dim[3];
    size_t pixels = (size_t)(shape.dim[1] * shape.dim[2]);
    nnm_shape order = {4, {(int64_t)out, (int64_t)in, shape.dim[1], shape.dim[2]}};
    float *data = NULL;
    if (zeros) {
        status = nnm_tfl_add_zeros(reader, (size_t)index, &order, id);
    } else if (!(status = nnm_tfl_new_floats(reader, (size_t)nnm_shape_elements(&shape), &data))) {
        for (size_t o = 0; o < out; o++)
            for (size_t p = 0; p < pixels; p++)
                for (size_t i = 0; i < in; i++)
                    data[(o * in + i) * pixels + p] =
                        nnm_tfl_float_at(reader, index, depthwise ? p * out + o : (o * pixels + p) * in + i);
        status = nnm_tfl_add_constant(reader, (size_t)index, NULL, &order, data, id);
    }
    if (status) return status;
    value->weight_known = true;
    value->weight_is_depthwise = depthwise;
    value->weight_id = *id;
    return NNM_OK;
}

static nnm_status read_groups(nnm_tfl_reader *reader, const nnm_tfl_step *step, bool depthwise, nnm_tensor_id x,
                              nnm_tensor_id weight, nnm_attributes *a)
{
    const nnm_shape *w = shape_of(reader, weight), *shape = shape_of(reader, x);
    if (shape->rank != 4)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "its input has %zu dimensions instead of 4", shape->rank);
    a->kernel_h = w->dim[2];
    a->kernel_w = w->dim[3];
    a->groups = depthwise ? shape->dim[3] : shape->dim[3] / w->dim[1];
    if (!depthwise) return NNM_OK;
    int32_t multiplier = nnm_fb_int(&reader->file, &step->options, NNM_TFL_DWCONV_MULTIPLIER, 0);
    if (multiplier != 0 && multiplier != w->dim[0] / a->groups) /* 0: not said */
        return nnm_fail(reader->err, NNM_ERR_VALUE,
                        "its multiplier is %" PRId32 ", but %" PRId64 " channels become %" PRId64, multiplier,
                        a->groups, w->dim[0]);
    return NNM_OK;
}

/* `a` has the pads that an operator before it made, whose input `source` is; otherwise zeros. */
static nnm_status read_conv_of(nnm_tfl_reader *reader, nnm_tfl_step *step, int64_t source, nnm_attributes a)
{
    nnm_fb_file *file = &reader->file;
    bool depthwise = step->code == NNM_TFL_DEPTHWISE_CONV_2D;
    unsigned activation = 0;
    nnm_tensor_id inputs[3];
    nnm_status status = check_input_count(reader, step, 2, 3);
    if (!status) status = read_padding(reader, step, NNM_TFL_CONV_PADDING, &a);
    a.stride_w = nnm_fb_int(file, &step->options, NNM_TFL_CONV_STRIDE_W, 0);
    a.stride_h = nnm_fb_int(file, &step->options, NNM_TFL_CONV_STRIDE_H, 0);
    unsigned dilation = depthwise ? NNM_TFL_DWCONV_DILATION_W : NNM_TFL_CONV_DILATION_W; /* H has the next number */
    for (unsigned i = 0; i < 2 && !status; i++)
        if (nnm_fb_int(file, &step->options, dilation + i, 1) != 1)
            status = refuse(reader, "it has a dilation; only 1 is supported");
    if (!status)
        status =
            read_activation(reader, step, depthwise ? NNM_TFL_DWCONV_ACTIVATION : NNM_TFL_CONV_ACTIVATION, &activation);
    if (!status) status = nnm_tfl_computed(reader, source, &inputs[0]);
    if (!status) status = read_weight(reader, nnm_tfl_input(reader, step, 1), depthwise, &inputs[1]);
    if (!status) status = read_groups(reader, step, depthwise, inputs[0], inputs[1], &a);
    size_t count = 2;
    if (!status && nnm_tfl_input(reader, step, 2) >= 0)
        status = nnm_tfl_constant(reader, nnm_tfl_input(reader, step, 2), &inputs[count++]);
    return status ? status : emit(reader, step, NNM_OP_CONV, &a, inputs, count, activation);
}

static nnm_status read_conv(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    return read_conv_of(reader, step, nnm_tfl_input(reader, step, 0), (nnm_attributes){0});
}

static nnm_status read_pool_of(nnm_tfl_reader *reader, nnm_tfl_step *step, int64_t source, nnm_attributes a)
{
    nnm_fb_file *file = &reader->file;
    unsigned activation = 0;
    nnm_tensor_id x;
    nnm_status status = check_input_count(reader, step, 1, 1);
    if (!status) status = read_padding(reader, step, NNM_TFL_POOL_PADDING, &a);
    a.stride_w = nnm_fb_int(file, &step->options, NNM_TFL_POOL_STRIDE_W, 0);
    a.stride_h = nnm_fb_int(file, &step->options, NNM_TFL_POOL_STRIDE_H, 0);
    a.kernel_w = nnm_fb_int(file, &step->options, NNM_TFL_POOL_FILTER_W, 0);
    a.kernel_h = nnm_fb_int(file, &step->options, NNM_TFL_POOL_FILTER_H, 0);
    if (!status) status = read_activation(reader, step, NNM_TFL_POOL_ACTIVATION, &activation);
    if (!status) status = nnm_tfl_computed(reader, source, &x);
    nnm_op op = step->code == NNM_TFL_MAX_POOL_2D ? NNM_OP_MAX_POOL : NNM_OP_AVERAGE_POOL;
    return status ? status : emit(reader, step, op, &a, &x, 1, activation);
}

static nnm_status read_pool(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    return read_pool_of(reader, step, nnm_tfl_input(reader, step, 0), (nnm_attributes){0});
}

/* Padding is part of the convolution or maximum that follows: of zeros, or of what never wins. */
static nnm_status read_pad(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    int32_t pads[8] = {0};
    size_t count = 0;
    bool maximum = step->code == NNM_TFL_PADV2;
    nnm_status status = check_input_count(reader, step, maximum ? 3 : 2, maximum ? 3 : 2);
    if (!status) status = nnm_tfl_ints(reader, nnm_tfl_input(reader, step, 1), pads, 8, &count);
    if (status) return status;
    if (maximum) {
        nnm_shape shape;
        int64_t fill = nnm_tfl_input(reader, step, 2);
        if ((status = nnm_tfl_check_floats(reader, fill, &shape))) return status;
        if (nnm_shape_elements(&shape) != 1 || nnm_tfl_float_at(reader, fill, 0) > -FLT_MAX)
            return refuse(reader, "it pads with a value that could win; only the lowest is supported");
    }
    nnm_tfl_step *user = only_user(reader, step);
    bool fits = user && nnm_tfl_input(reader, user, 0) == nnm_tfl_output(reader, step, 0) &&
                (maximum ? user->code == NNM_TFL_MAX_POOL_2D
                         : user->code == NNM_TFL_CONV_2D || user->code == NNM_TFL_DEPTHWISE_CONV_2D) &&
                nnm_fb_byte(&reader->file, &user->options, NNM_TFL_CONV_PADDING) == NNM_TFL_VALID;
    if (!fits || count != 8 || pads[0] || pads[1] || pads[6] || pads[7])
        return refuse(reader, "only padding of rows and columns before one convolution (PAD) or maximum (PADV2) with "
                              "padding VALID is supported");
    nnm_attributes a = {.pad_top = pads[2], .pad_bottom = pads[3], .pad_left = pads[4], .pad_right = pads[5]};
    int64_t source = nnm_tfl_input(reader, step, 0);
    user->done = true;
    return maximum ? read_pool_of(reader, user, source, a) : read_conv_of(reader, user, source, a);
}

/* ---- sums and products ---- */

static bool is_scalar(const nnm_tfl_reader *reader, int64_t value, float low, float high)
{
    if (!nnm_tfl_is_constant(reader, value)) return false;
    const nnm_tfl_value *found = &reader->values[value];
    if (found->type != NNM_TFL_FLOAT32 || found->data.count != sizeof(float)) return false;
    float number = nnm_tfl_float_at(reader, value, 0);
    return number >= low && number <= high;
}

/* The constant of a sum or product with one; -1 when there is none. `*other` is what it is added to. */
static int64_t constant_operand(const nnm_tfl_reader *reader, const nnm_tfl_step *step, int64_t *other)
{
    int64_t a = nnm_tfl_input(reader, step, 0), b = nnm_tfl_input(reader, step, 1);
    *other = a;
    if (step->inputs.count != 2) return -1;
    if (nnm_tfl_is_constant(reader, b)) return b;
    *other = b;
    return nnm_tfl_is_constant(reader, a) ? a : -1;
}

/* x + 3, not over 6 and not under 0, times a sixth. Returns its last operator, or NULL. */
static nnm_tfl_step *match_hard_sigmoid(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    int64_t other;
    if (step->code != NNM_TFL_ADD || !is_scalar(reader, constant_operand(reader, step, &other), 3, 3)) return NULL;
    nnm_tfl_step *last = step, *clip = NULL;
    unsigned activation = nnm_fb_byte(&reader->file, &step->options, NNM_TFL_ADD_ACTIVATION);
    if (activation == NNM_TFL_NO_ACTIVATION) last = clip = next_is(reader, step, NNM_TFL_RELU6);
    if (!last || (activation != NNM_TFL_NO_ACTIVATION && activation != NNM_TFL_FUSED_RELU6)) return NULL;
    nnm_tfl_step *product = only_user(reader, last);
    if (!product || product->code != NNM_TFL_MUL) return NULL;
    if (!is_scalar(reader, constant_operand(reader, product, &other), 0.16666664F, 0.16666669F)) return NULL;
    if (nnm_fb_byte(&reader->file, &product->options, NNM_TFL_MUL_ACTIVATION) != NNM_TFL_NO_ACTIVATION) return NULL;
    if (clip) clip->done = true;
    product->done = true;
    return product;
}

/* Whether a constant has one value for each of the last dimension of `shape`. */
static bool is_per_channel(const nnm_tfl_reader *reader, int64_t value, const nnm_shape *shape)
{
    const nnm_tfl_value *constant = &reader->values[value];
    const nnm_fb_vector *dims = &constant->shape;
    int64_t channels = shape->rank ? shape->dim[shape->rank - 1] : 1;
    int64_t last = dims->count ? nnm_fb_int_at(&reader->file, dims, dims->count - 1) : 1;
    return last == channels && constant->data.count / sizeof(float) == (uint64_t)channels;
}

/* One of the four vectors of a batch norm: the constant `value`, or `otherwise` throughout. */
static nnm_status add_vector(nnm_tfl_reader *reader, size_t node, const char *suffix, int64_t value, float otherwise,
                             int64_t channels, nnm_tensor_id *id)
{
    float *data = NULL;
    nnm_status status = nnm_tfl_new_floats(reader, (size_t)channels, &data);
    if (status) return status;
    for (size_t i = 0; i < (size_t)channels; i++)
        data[i] = value < 0 ? otherwise : nnm_tfl_float_at(reader, value, i);
    return nnm_tfl_add_constant(reader, node, suffix, &(nnm_shape){1, {channels}}, data, id);
}

/* A product, a sum, or a product and a sum, with one constant a channel. */
static nnm_status read_batch_norm(nnm_tfl_reader *reader, nnm_tfl_step *step, int64_t source, int64_t constant)
{
    unsigned activation = 0;
    nnm_tensor_id inputs[5];
    nnm_shape unused;
    nnm_status status = read_activation(reader, step, NNM_TFL_ADD_ACTIVATION, &activation);
    if (!status) status = nnm_tfl_computed(reader, source, &inputs[0]);
    if (!status) status = nnm_tfl_check_floats(reader, constant, &unused);
    if (status) return status;
    const nnm_shape shape = *shape_of(reader, inputs[0]);
    if (!is_per_channel(reader, constant, &shape))
        return refuse(reader, "one operand is a constant; that is supported only with one value for each channel");
    int64_t scale = step->code == NNM_TFL_MUL ? constant : -1, bias = step->code == NNM_TFL_ADD ? constant : -1;
    nnm_tfl_step *last = step, *sum = only_user(reader, step);
    if (scale >= 0 && activation == NNM_TFL_NO_ACTIVATION && sum && sum->code == NNM_TFL_ADD) {
        int64_t other, second = constant_operand(reader, sum, &other);
        if (second >= 0 && is_per_channel(reader, second, &shape)) {
            bias = second;
            last = sum;
            sum->done = true;
            status = nnm_tfl_check_floats(reader, second, &unused);
            if (!status) status = read_activation(reader, sum, NNM_TFL_ADD_ACTIVATION, &activation);
        }
    }
    if (!status) status = check_outputs(reader, last, 1);
    if (status) return status;
    size_t node = (size_t)nnm_tfl_output(reader, last, 0);
    int64_t channels = shape.rank ? shape.dim[shape.rank - 1] : 1;
    status = add_vector(reader, node, "scale", scale, 1, channels, &inputs[1]);
    if (!status) status = add_vector(reader, node, "bias", bias, 0, channels, &inputs[2]);
    if (!status) status = add_vector(reader, node, "mean", -1, 0, channels, &inputs[3]);
    if (!status) status = add_vector(reader, node, "variance", -1, (float)PLAIN_VARIANCE, channels, &inputs[4]);
    const nnm_attributes a = {.epsilon = PLAIN_EPSILON};
    return status ? status : emit(reader, last, NNM_OP_BATCH_NORM, &a, inputs, 5, activation);
}

static nnm_status read_binary(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    unsigned activation = 0;
    nnm_tensor_id inputs[2];
    int64_t source;
    nnm_status status = check_input_count(reader, step, 2, 2);
    if (status) return status;
    int64_t constant = constant_operand(reader, step, &source);
    nnm_tfl_step *last = match_hard_sigmoid(reader, step);
    if (last) {
        status = nnm_tfl_computed(reader, source, &inputs[0]);
        return status ? status : emit(reader, last, NNM_OP_HARD_SIGMOID, NULL, inputs, 1, NNM_TFL_NO_ACTIVATION);
    }
    if (constant >= 0) return read_batch_norm(reader, step, source, constant);
    status = read_activation(reader, step, NNM_TFL_ADD_ACTIVATION, &activation);
    for (size_t i = 0; i < 2 && !status; i++)
        status = nnm_tfl_computed(reader, nnm_tfl_input(reader, step, i), &inputs[i]);
    if (status) return status;
    if (step->code == NNM_TFL_ADD) return emit(reader, step, NNM_OP_ADD, NULL, inputs, 2, activation);
    if (nnm_shape_elements(shape_of(reader, inputs[0])) < nnm_shape_elements(shape_of(reader, inputs[1]))) {
        nnm_tensor_id small = inputs[0]; /* the graph wants the channels' factors second */
        inputs[0] = inputs[1];
        inputs[1] = small;
    }
    return emit(reader, step, NNM_OP_MULTIPLY, NULL, inputs, 2, activation);
}

/* ---- shapes ---- */

/* The shape that a RESHAPE makes of `elements` values. */
static nnm_status read_new_shape(nnm_tfl_reader *reader, const nnm_tfl_step *step, int64_t elements, nnm_shape *shape)
{
    int32_t dims[NNM_MAX_RANK];
    size_t rank = 0;
    nnm_status status = check_input_count(reader, step, 1, 2);
    if (status) return status;
    if (nnm_tfl_input(reader, step, 1) >= 0) {
        status = nnm_tfl_ints(reader, nnm_tfl_input(reader, step, 1), dims, NNM_MAX_RANK, &rank);
        if (status) return status;
    } else {
        nnm_fb_vector option = nnm_fb_elements(&reader->file, &step->options, NNM_TFL_RESHAPE_NEW_SHAPE, 4);
        for (rank = 0; rank < option.count && rank < NNM_MAX_RANK; rank++)
            dims[rank] = nnm_fb_int_at(&reader->file, &option, rank);
        rank = option.count;
    }
    if (rank > NNM_MAX_RANK) return refuse(reader, "its shape has more than 6 dimensions");
    *shape = (nnm_shape){rank, {0}};
    int64_t rest = elements;
    size_t open = NNM_MAX_RANK;
    for (size_t i = 0; i < rank; i++) {
        shape->dim[i] = dims[i];
        if (dims[i] > 0 && rest % dims[i] == 0)
            rest /= dims[i];
        else if (dims[i] == -1 && open == NNM_MAX_RANK)
            open = i;
        else
            return nnm_fail(reader->err, NNM_ERR_VALUE, "its shape does not have the %" PRId64 " elements of its input",
                            elements);
    }
    if (open < NNM_MAX_RANK) {
        shape->dim[open] = rest;
        rest = 1;
    }
    if (rest == 1) return NNM_OK;
    return nnm_fail(reader->err, NNM_ERR_VALUE, "its shape does not have the %" PRId64 " elements of its input",
                    elements);
}

/* Channels as a matrix, transposed, and back: returns the last operator and sets the groups, or returns NULL. */
static nnm_tfl_step *match_shuffle(nnm_tfl_reader *reader, nnm_tfl_step *step, const nnm_shape *x,
                                   const nnm_shape *split, int64_t *groups)
{
    int32_t order[NNM_MAX_RANK];
    size_t count = 0;
    nnm_shape back;
    nnm_error *err = reader->err;
    nnm_tfl_step *transpose = next_is(reader, step, NNM_TFL_TRANSPOSE), *last = NULL;
    if (x->rank != 4 || split->rank < 3 || !transpose) return NULL;
    if (split->dim[split->rank - 2] * split->dim[split->rank - 1] != x->dim[3]) return NULL;
    reader->err = NULL; /* what does not match is no error yet */
    if (!nnm_tfl_ints(reader, nnm_tfl_input(reader, transpose, 1), order, NNM_MAX_RANK, &count) && count == split->rank)
        last = next_is(reader, transpose, NNM_TFL_RESHAPE);
    if (last && read_new_shape(reader, last, nnm_shape_elements(x), &back)) last = NULL;
    reader->err = err;
    if (!last || !nnm_shape_equal(&back, x)) return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t from = i + 2 < count ? i : i + 2 == count ? i + 1 : i - 1;
        if (order[i] != (int32_t)from) return NULL;
    }
    *groups = split->dim[split->rank - 2];
    transpose->done = last->done = true;
    return last;
}

static nnm_status read_reshape(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    nnm_tensor_id x;
    nnm_shape shape;
    nnm_status status = nnm_tfl_computed(reader, nnm_tfl_input(reader, step, 0), &x);
    if (status) return status;
    const nnm_shape before = *shape_of(reader, x);
    if ((status = read_new_shape(reader, step, nnm_shape_elements(&before), &shape))) return status;
    nnm_attributes a = {0};
    nnm_tfl_step *last = match_shuffle(reader, step, &before, &shape, &a.groups);
    if (last) return emit(reader, last, NNM_OP_CHANNEL_SHUFFLE, &a, &x, 1, NNM_TFL_NO_ACTIVATION);
    if (shape.rank == 2 && before.rank >= 1 && shape.dim[0] == before.dim[0])
        return emit(reader, step, NNM_OP_FLATTEN, NULL, &x, 1, NNM_TFL_NO_ACTIVATION);
    return refuse(reader, "only flattening of all but the first dimension, and channel shuffles (RESHAPE, TRANSPOSE, "
                          "RESHAPE), are supported");
}

/* The weight of a fully connected operator. */
static nnm_status read_matrix(nnm_tfl_reader *reader, int64_t index, nnm_tensor_id *id)
{
    nnm_shape shape;
    if (!nnm_tfl_is_zeros(reader, index)) return nnm_tfl_constant(reader, index, id);
    nnm_tfl_value *value = &reader->values[index];
    nnm_status status = value->weight_known ? NNM_OK : nnm_tfl_shape(reader, (size_t)index, &shape);
    if (!status && !value->weight_known) status = nnm_tfl_add_zeros(reader, (size_t)index, &shape, &value->weight_id);
    if (status) return status;
    value->weight_known = true;
    *id = value->weight_id;
    return NNM_OK;
}

static nnm_status read_fully_connected(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    unsigned activation = 0;
    nnm_tensor_id inputs[3];
    size_t count = 2;
    nnm_status status = check_input_count(reader, step, 2, 3);
    if (!status) status = read_activation(reader, step, NNM_TFL_FC_ACTIVATION, &activation);
    if (!status && nnm_fb_byte(&reader->file, &step->options, NNM_TFL_FC_WEIGHTS_FORMAT))
        status = refuse(reader, "its weights are shuffled; that is not supported");
    if (!status) status = nnm_tfl_computed(reader, nnm_tfl_input(reader, step, 0), &inputs[0]);
    if (!status) status = read_matrix(reader, nnm_tfl_input(reader, step, 1), &inputs[1]);
    if (!status && nnm_tfl_input(reader, step, 2) >= 0)
        status = nnm_tfl_constant(reader, nnm_tfl_input(reader, step, 2), &inputs[count++]);
    if (!status) status = check_outputs(reader, step, 1);
    if (status) return status;
    const nnm_shape x = *shape_of(reader, inputs[0]), *weight = shape_of(reader, inputs[1]);
    if (x.rank > 2 && !nnm_fb_byte(&reader->file, &step->options, NNM_TFL_FC_KEEP_NUM_DIMS)) {
        if (weight->rank != 2 || nnm_shape_elements(&x) / x.dim[0] != weight->dim[1])
            return refuse(reader, "it flattens more than the first dimension; that is not supported");
        status = add_node(reader, NNM_OP_FLATTEN, (size_t)nnm_tfl_output(reader, step, 0), "Flatten", NULL, inputs, 1,
                          &inputs[0]);
    }
    return status ? status : emit(reader, step, NNM_OP_FULLY_CONNECTED, NULL, inputs, count, activation);
}

/* ---- the rest ---- */

static nnm_status read_mean(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    int32_t axes[2] = {0};
    size_t count = 0;
    nnm_tensor_id x;
    nnm_status status = check_input_count(reader, step, 2, 2);
    if (!status) status = nnm_tfl_computed(reader, nnm_tfl_input(reader, step, 0), &x);
    if (!status) status = nnm_tfl_ints(reader, nnm_tfl_input(reader, step, 1), axes, 2, &count);
    if (!status) status = check_outputs(reader, step, 1);
    if (status) return status;
    for (size_t i = 0; i < 2; i++)
        if (axes[i] < 0) axes[i] = axes[i] < -4 ? 0 : axes[i] + 4;
    bool pixels = (axes[0] == 1 && axes[1] == 2) || (axes[0] == 2 && axes[1] == 1);
    if (shape_of(reader, x)->rank != 4 || count != 2 || !pixels)
        return refuse(reader, "only means over the height and width of images are supported");
    if (nnm_fb_byte(&reader->file, &step->options, NNM_TFL_REDUCER_KEEP_DIMS))
        return emit(reader, step, NNM_OP_GLOBAL_AVERAGE_POOL, NULL, &x, 1, NNM_TFL_NO_ACTIVATION);
    status = add_node(reader, NNM_OP_GLOBAL_AVERAGE_POOL, (size_t)nnm_tfl_output(reader, step, 0), "GlobalAveragePool",
                      NULL, &x, 1, &x);
    return status ? status : emit(reader, step, NNM_OP_FLATTEN, NULL, &x, 1, NNM_TFL_NO_ACTIVATION);
}

static bool is_last_axis(int64_t axis, const nnm_shape *shape)
{
    return axis == -1 || (shape->rank && axis == (int64_t)shape->rank - 1);
}

static nnm_status read_concatenation(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    unsigned activation = 0;
    nnm_tensor_id inputs[NNM_NODE_MAX_INPUTS];
    nnm_status status = read_activation(reader, step, NNM_TFL_CONCAT_ACTIVATION, &activation);
    if (status) return status;
    if (step->inputs.count > NNM_NODE_MAX_INPUTS)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it has %zu inputs; at most %d are supported",
                        step->inputs.count, NNM_NODE_MAX_INPUTS);
    for (size_t i = 0; i < step->inputs.count && !status; i++)
        status = nnm_tfl_computed(reader, nnm_tfl_input(reader, step, i), &inputs[i]);
    if (!status) status = check_input_count(reader, step, 2, NNM_NODE_MAX_INPUTS);
    if (status) return status;
    if (!is_last_axis(nnm_fb_int(&reader->file, &step->options, NNM_TFL_CONCAT_AXIS, 0), shape_of(reader, inputs[0])))
        return refuse(reader, "it does not join along the channels; nothing else is supported");
    return emit(reader, step, NNM_OP_CONCAT, NULL, inputs, step->inputs.count, activation);
}

static nnm_status read_split(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    int32_t axis = 0;
    size_t count = 0;
    nnm_tensor_id x, outputs[2];
    nnm_status status = check_input_count(reader, step, 2, 2);
    if (!status) status = nnm_tfl_ints(reader, nnm_tfl_input(reader, step, 0), &axis, 1, &count);
    if (!status) status = nnm_tfl_computed(reader, nnm_tfl_input(reader, step, 1), &x);
    if (status) return status;
    if (count != 1 || !is_last_axis(axis, shape_of(reader, x)) || step->outputs.count != 2)
        return refuse(reader, "only the channels can be split, and only into two halves");
    status = add_node(reader, NNM_OP_SPLIT, (size_t)nnm_tfl_output(reader, step, 0), NULL, NULL, &x, 1, outputs);
    for (size_t i = 0; i < 2 && !status; i++)
        status = define(reader, (size_t)nnm_tfl_output(reader, step, i), outputs[i]);
    return status;
}

static nnm_status read_unary(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    nnm_tensor_id x;
    nnm_op op = step->code == NNM_TFL_RELU       ? NNM_OP_RELU
                : step->code == NNM_TFL_RELU6    ? NNM_OP_RELU6
                : step->code == NNM_TFL_LOGISTIC ? NNM_OP_SIGMOID
                                                 : NNM_OP_HARD_SWISH;
    nnm_status status = check_input_count(reader, step, 1, 1);
    if (!status) status = nnm_tfl_computed(reader, nnm_tfl_input(reader, step, 0), &x);
    return status ? status : emit(reader, step, op, NULL, &x, 1, NNM_TFL_NO_ACTIVATION);
}

static nnm_status read_fill(nnm_tfl_reader *reader, nnm_tfl_step *step)
{
    return nnm_tfl_read_fill(reader, step);
}

static const struct {
    int32_t code;
    nnm_status (*read)(nnm_tfl_reader *reader, nnm_tfl_step *step);
} operators[] = {
    {NNM_TFL_ADD, read_binary},
    {NNM_TFL_AVERAGE_POOL_2D, read_pool},
    {NNM_TFL_CONCATENATION, read_concatenation},
    {NNM_TFL_CONV_2D, read_conv},
    {NNM_TFL_DEPTHWISE_CONV_2D, read_conv},
    {NNM_TFL_FULLY_CONNECTED, read_fully_connected},
    {NNM_TFL_FILL, read_fill},
    {NNM_TFL_LOGISTIC, read_unary},
    {NNM_TFL_MAX_POOL_2D, read_pool},
    {NNM_TFL_MUL, read_binary},
    {NNM_TFL_RELU, read_unary},
    {NNM_TFL_RELU6, read_unary},
    {NNM_TFL_RESHAPE, read_reshape},
    {NNM_TFL_PAD, read_pad},
    {NNM_TFL_MEAN, read_mean},
    {NNM_TFL_SPLIT, read_split},
    {NNM_TFL_PADV2, read_pad},
    {NNM_TFL_HARD_SWISH, read_unary},
};

static nnm_status in_operator(const nnm_tfl_reader *reader, size_t index, nnm_status status)
{
    const nnm_tfl_step *step = &reader->steps[index];
    const char *name = nnm_tfl_operator_name(step->code);
    if (!name) return nnm_context(reader->err, status, "operator %zu (code %" PRId32 ")", index, step->code);
    return nnm_context(reader->err, status, "operator %zu (%s)", index, name);
}

nnm_status nnm_tfl_read_step(nnm_tfl_reader *reader, size_t index)
{
    nnm_tfl_step *step = &reader->steps[index];
    nnm_status status = NNM_OK;
    size_t i = 0;
    while (i < sizeof operators / sizeof *operators && operators[i].code != step->code)
        i++;
    if (i < sizeof operators / sizeof *operators)
        status = operators[i].read(reader, step);
    else if (step->code == NNM_TFL_CUSTOM && step->custom_name.count)
        status = nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "'%.*s' is not supported",
                          step->custom_name.count < 100 ? (int)step->custom_name.count : 100,
                          (const char *)reader->file.bytes + step->custom_name.at);
    else
        status = refuse(reader, "it is not supported");
    nnm_status damaged = nnm_fb_status(&reader->file, reader->err);
    if (damaged) return damaged;
    return status ? in_operator(reader, index, status) : NNM_OK;
}
