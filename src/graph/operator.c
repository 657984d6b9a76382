#include "graph/operator.h"

#include <inttypes.h>

#include "base/error.h"
#include "graph/shape.h"

size_t nnm_channel_axis(nnm_layout layout, size_t rank)
{
    return layout == NNM_LAYOUT_NCHW || rank < 2 ? (rank < 2 ? 0 : 1) : rank - 1;
}

static const nnm_shape *shape_of(const nnm_op_call *call, size_t input)
{
    return &call->inputs[input]->shape;
}

static double elements(const nnm_shape *shape)
{
    return (double)nnm_shape_elements(shape);
}

static nnm_status check_rank(const nnm_op_call *call, size_t input, const char *what, size_t rank, nnm_error *err)
{
    const nnm_shape *shape = shape_of(call, input);
    if (shape->rank == rank) return NNM_OK;
    char text[NNM_SHAPE_TEXT_BYTES];
    return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%s must have %zu dimensions, but its shape is %s", what, rank,
                    nnm_shape_format(shape, text));
}

/* Input `input` must be a vector with one value a channel. */
static nnm_status check_channels(const nnm_op_call *call, size_t input, const char *what, int64_t channels,
                                 nnm_error *err)
{
    const nnm_shape *shape = shape_of(call, input);
    if (shape->rank == 1 && shape->dim[0] == channels) return NNM_OK;
    char text[NNM_SHAPE_TEXT_BYTES];
    return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%s must have the shape [%" PRId64 "], but it is %s", what, channels,
                    nnm_shape_format(shape, text));
}

/* ---- convolution ---- */

static nnm_status check_window(const nnm_attributes *a, nnm_error *err)
{
    const struct {
        const char *name;
        int64_t value, minimum;
    } numbers[] = {
        {"kernel_h", a->kernel_h, 1},     {"kernel_w", a->kernel_w, 1},   {"stride_h", a->stride_h, 1},
        {"stride_w", a->stride_w, 1},     {"pad_top", a->pad_top, 0},     {"pad_left", a->pad_left, 0},
        {"pad_bottom", a->pad_bottom, 0}, {"pad_right", a->pad_right, 0},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value < numbers[i].minimum || numbers[i].value > INT32_MAX)
            return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%s is %" PRId64 "; allowed are %" PRId64 " to %d",
                            numbers[i].name, numbers[i].value, numbers[i].minimum, INT32_MAX);
    if (a->padding != NNM_PADDING_EXPLICIT && a->padding != NNM_PADDING_SAME)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "padding %d is neither explicit nor SAME", (int)a->padding);
    if (a->padding == NNM_PADDING_SAME && (a->pad_top || a->pad_left || a->pad_bottom || a->pad_right))
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "SAME padding computes its pads: the four numbers must be 0");
    return NNM_OK;
}

/* Sets height and width of the output of a window that slides over input 0, and copies batch and channels. */
static nnm_status infer_window(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    const nnm_attributes *a = call->attributes;
    nnm_status status = check_rank(call, 0, "x", 4, err);
    if (status) return status;
    if ((status = check_window(a, err))) return status;

    const nnm_shape *x = shape_of(call, 0);
    *output = *x;
    size_t height = call->layout == NNM_LAYOUT_NCHW ? 2 : 1;
    int64_t top = a->pad_top, bottom = a->pad_bottom, left = a->pad_left, right = a->pad_right;
    output->dim[height] = nnm_window_output(x->dim[height], a->kernel_h, a->stride_h, a->padding, &top, &bottom);
    output->dim[height + 1] =
        nnm_window_output(x->dim[height + 1], a->kernel_w, a->stride_w, a->padding, &left, &right);
    if (output->dim[height] < 1)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                        "a window %" PRId64 " high does not fit into a height of %" PRId64 " with pads %" PRId64
                        " and %" PRId64,
                        a->kernel_h, x->dim[height], top, bottom);
    if (output->dim[height + 1] < 1)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                        "a window %" PRId64 " wide does not fit into a width of %" PRId64 " with pads %" PRId64
                        " and %" PRId64,
                        a->kernel_w, x->dim[height + 1], left, right);
    return NNM_OK;
}

static nnm_status infer_conv(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    nnm_status status = infer_window(call, output, err);
    if (status) return status;
    if ((status = check_rank(call, 1, "weight", 4, err))) return status;

    const nnm_attributes *a = call->attributes;
    const nnm_shape *weight = shape_of(call, 1);
    size_t axis = nnm_channel_axis(call->layout, 4);
    int64_t cin = shape_of(call, 0)->dim[axis];
    int64_t cout = weight->dim[0];
    if (a->groups < 1 || cin % a->groups || cout % a->groups)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                        "groups is %" PRId64 "; it must be at least 1 and divide both %" PRId64
                        " input channels and %" PRId64 " output channels",
                        a->groups, cin, cout);
    if (weight->dim[1] != cin / a->groups)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                        "weight has %" PRId64 " input channels a group, but x has %" PRId64 " channels in %" PRId64
                        " group%s",
                        weight->dim[1], cin, a->groups, a->groups == 1 ? "" : "s");
    if (weight->dim[2] != a->kernel_h || weight->dim[3] != a->kernel_w)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                        "weight has a window of %" PRId64 " x %" PRId64 ", the attributes of %" PRId64 " x %" PRId64,
                        weight->dim[2], weight->dim[3], a->kernel_h, a->kernel_w);
    if (call->input_count > 2 && (status = check_channels(call, 2, "bias", cout, err))) return status;
    output->dim[axis] = cout;
    return NNM_OK;
}

static void cost_conv(const nnm_op_call *call, const nnm_shape *output, nnm_cost *cost)
{
    const nnm_shape *weight = shape_of(call, 1);
    cost->macs += elements(output) * (double)weight->dim[1] * (double)weight->dim[2] * (double)weight->dim[3];
    if (call->input_count > 2) cost->flops += elements(output);
}

/* ---- batch norm, activations ---- */

static nnm_status infer_same(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    (void)err;
    *output = *shape_of(call, 0);
    return NNM_OK;
}

static nnm_status infer_batch_norm(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    static const char *const names[] = {"x", "scale", "bias", "mean", "variance"};
    const nnm_shape *x = shape_of(call, 0);
    if (x->rank < 2) {
        char text[NNM_SHAPE_TEXT_BYTES];
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "x must have a batch and channels, but its shape is %s",
                        nnm_shape_format(x, text));
    }
    int64_t channels = x->dim[nnm_channel_axis(call->layout, x->rank)];
    for (size_t i = 1; i < call->input_count; i++) {
        nnm_status status = check_channels(call, i, names[i], channels, err);
        if (status) return status;
    }
    double epsilon = call->attributes->epsilon;
    if (!(epsilon > 0 && epsilon < 1))
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "epsilon is %g; it must be over 0 and under 1", epsilon);
    *output = *x;
    return NNM_OK;
}

static void cost_batch_norm(const nnm_op_call *call, const nnm_shape *output, nnm_cost *cost)
{
    (void)call;
    cost->flops += 2 * elements(output);
}

static void cost_elementwise(const nnm_op_call *call, const nnm_shape *output, nnm_cost *cost)
{
    (void)call;
    cost->flops += elements(output);
}

static void cost_nothing(const nnm_op_call *call, const nnm_shape *output, nnm_cost *cost)
{
    (void)call;
    (void)output;
    (void)cost;
}

/* ---- flatten, fully connected ---- */

static nnm_status infer_flatten(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    const nnm_shape *x = shape_of(call, 0);
    if (x->rank < 1)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "x is a scalar; it must have a first dimension to keep");
    *output = (nnm_shape){2, {x->dim[0], nnm_shape_elements(x) / x->dim[0]}};
    return NNM_OK;
}

static nnm_status infer_fully_connected(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    const nnm_shape *x = shape_of(call, 0), *weight = shape_of(call, 1);
    if (x->rank != 2 && x->rank != 3) {
        char text[NNM_SHAPE_TEXT_BYTES];
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "x must have 2 or 3 dimensions, but its shape is %s",
                        nnm_shape_format(x, text));
    }
    nnm_status status = check_rank(call, 1, "weight", 2, err);
    if (status) return status;
    int64_t cin = x->dim[x->rank - 1];
    if (cin != weight->dim[1])
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "weight has %" PRId64 " input channels, but x has %" PRId64,
                        weight->dim[1], cin);
    if (call->input_count > 2 && (status = check_channels(call, 2, "bias", weight->dim[0], err))) return status;
    *output = *x;
    output->dim[x->rank - 1] = weight->dim[0];
    return NNM_OK;
}

static void cost_fully_connected(const nnm_op_call *call, const nnm_shape *output, nnm_cost *cost)
{
    cost->macs += elements(output) * (double)shape_of(call, 1)->dim[1];
    if (call->input_count > 2) cost->flops += elements(output);
}

/* ---- pooling ---- */

static nnm_status infer_pool(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    nnm_status status = infer_window(call, output, err);
    if (status) return status;
    const nnm_attributes *a = call->attributes;
    if (a->pad_top >= a->kernel_h || a->pad_bottom >= a->kernel_h || a->pad_left >= a->kernel_w ||
        a->pad_right >= a->kernel_w)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                        "pads must be smaller than the window of %" PRId64 " x %" PRId64
                        ", so that none lies in padding alone",
                        a->kernel_h, a->kernel_w);
    return NNM_OK;
}

static void cost_pool(const nnm_op_call *call, const nnm_shape *output, nnm_cost *cost)
{
    cost->flops += elements(output) * (double)call->attributes->kernel_h * (double)call->attributes->kernel_w;
}

static nnm_status infer_global_pool(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    nnm_status status = check_rank(call, 0, "x", 4, err);
    if (status) return status;
    size_t height = call->layout == NNM_LAYOUT_NCHW ? 2 : 1;
    *output = *shape_of(call, 0);
    output->dim[height] = output->dim[height + 1] = 1;
    return NNM_OK;
}

static void cost_global_pool(const nnm_op_call *call, const nnm_shape *output, nnm_cost *cost)
{
    (void)output;
    cost->flops += elements(shape_of(call, 0));
}

/* ---- several inputs, several outputs ---- */

static nnm_status fail_shapes(const nnm_op_call *call, size_t input, const char *allowed, nnm_error *err)
{
    char text_a[NNM_SHAPE_TEXT_BYTES], text_b[NNM_SHAPE_TEXT_BYTES];
    return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "a has the shape %s, but '%s' has %s; allowed is %s",
                    nnm_shape_format(shape_of(call, 0), text_a), call->inputs[input]->name,
                    nnm_shape_format(shape_of(call, input), text_b), allowed);
}

static nnm_status infer_add(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    if (!nnm_shape_equal(shape_of(call, 0), shape_of(call, 1))) return fail_shapes(call, 1, "one shape for both", err);
    *output = *shape_of(call, 0);
    return NNM_OK;
}

static nnm_status infer_multiply(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    const nnm_shape *a = shape_of(call, 0);
    nnm_shape channels = *a;
    size_t height = call->layout == NNM_LAYOUT_NCHW ? 2 : 1;
    if (a->rank == 4) channels.dim[height] = channels.dim[height + 1] = 1;
    if (!nnm_shape_equal(a, shape_of(call, 1)) && !nnm_shape_equal(&channels, shape_of(call, 1)))
        return fail_shapes(call, 1, "one shape for both, or height and width 1 for the second of two images", err);
    *output = *a;
    return NNM_OK;
}

/* x must have channels beside its batch. */
static nnm_status check_has_channels(const nnm_op_call *call, nnm_error *err)
{
    const nnm_shape *x = shape_of(call, 0);
    if (x->rank >= 2) return NNM_OK;
    char text[NNM_SHAPE_TEXT_BYTES];
    return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%s must have a batch and channels, but its shape is %s",
                    call->input_count > 1 ? "a" : "x", nnm_shape_format(x, text));
}

static nnm_status infer_concat(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    nnm_status status = check_has_channels(call, err);
    if (status) return status;
    const nnm_shape *a = shape_of(call, 0);
    size_t axis = nnm_channel_axis(call->layout, a->rank);
    *output = *a;
    for (size_t i = 1; i < call->input_count; i++) {
        nnm_shape other = *shape_of(call, i);
        int64_t channels = axis < other.rank ? other.dim[axis] : 0;
        if (axis < other.rank) other.dim[axis] = a->dim[axis];
        if (!nnm_shape_equal(a, &other)) return fail_shapes(call, i, "a difference in the channels only", err);
        if (channels > INT64_MAX - output->dim[axis])
            return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the inputs have too many channels");
        output->dim[axis] += channels;
    }
    return NNM_OK;
}

static nnm_status infer_split(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    nnm_status status = check_has_channels(call, err);
    if (status) return status;
    *output = *shape_of(call, 0);
    size_t axis = nnm_channel_axis(call->layout, output->rank);
    if (output->dim[axis] % 2)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "x has %" PRId64 " channels; only an even number can be halved",
                        output->dim[axis]);
    output->dim[axis] /= 2;
    return NNM_OK;
}

static nnm_status infer_channel_shuffle(const nnm_op_call *call, nnm_shape *output, nnm_error *err)
{
    nnm_status status = check_rank(call, 0, "x", 4, err);
    if (status) return status;
    const nnm_shape *x = shape_of(call, 0);
    int64_t channels = x->dim[nnm_channel_axis(call->layout, 4)], groups = call->attributes->groups;
    if (groups < 2 || channels % groups)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                        "groups is %" PRId64 "; it must be at least 2 and divide the %" PRId64 " channels", groups,
                        channels);
    *output = *x;
    return NNM_OK;
}

/* ---- the table ---- */

#define ALL_BUT_THE_FIRST 0xFFFFFFFEu

static const nnm_op_info operators[NNM_OP_COUNT] = {
    [NNM_OP_CONV] = {.name = "Conv",
                     .min_inputs = 2,
                     .max_inputs = 3,
                     .outputs = 1,
                     .uses = NNM_USES_WINDOW | NNM_USES_GROUPS,
                     .constants = ALL_BUT_THE_FIRST,
                     .input_names = {"x", "weight", "bias"},
                     .infer = infer_conv,
                     .cost = cost_conv},
    [NNM_OP_BATCH_NORM] = {.name = "BatchNormalization",
                           .min_inputs = 5,
                           .max_inputs = 5,
                           .outputs = 1,
                           .uses = NNM_USES_EPSILON,
                           .constants = ALL_BUT_THE_FIRST,
                           .input_names = {"x", "scale", "bias", "mean", "variance"},
                           .infer = infer_batch_norm,
                           .cost = cost_batch_norm},
    [NNM_OP_RELU] = {.name = "Relu",
                     .min_inputs = 1,
                     .max_inputs = 1,
                     .outputs = 1,
                     .input_names = {"x"},
                     .infer = infer_same,
                     .cost = cost_elementwise},
    [NNM_OP_RELU6] = {.name = "Relu6",
                      .min_inputs = 1,
                      .max_inputs = 1,
                      .outputs = 1,
                      .input_names = {"x"},
                      .infer = infer_same,
                      .cost = cost_elementwise},
    [NNM_OP_FLATTEN] = {.name = "Flatten",
                        .min_inputs = 1,
                        .max_inputs = 1,
                        .outputs = 1,
                        .input_names = {"x"},
                        .infer = infer_flatten,
                        .cost = cost_nothing},
    [NNM_OP_FULLY_CONNECTED] = {.name = "FullyConnected",
                                .min_inputs = 2,
                                .max_inputs = 3,
                                .outputs = 1,
                                .constants = ALL_BUT_THE_FIRST,
                                .input_names = {"x", "weight", "bias"},
                                .infer = infer_fully_connected,
                                .cost = cost_fully_connected},
    [NNM_OP_MAX_POOL] = {.name = "MaxPool",
                         .min_inputs = 1,
                         .max_inputs = 1,
                         .outputs = 1,
                         .uses = NNM_USES_WINDOW,
                         .input_names = {"x"},
                         .infer = infer_pool,
                         .cost = cost_pool},
    [NNM_OP_AVERAGE_POOL] = {.name = "AveragePool",
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .outputs = 1,
                             .uses = NNM_USES_WINDOW,
                             .input_names = {"x"},
                             .infer = infer_pool,
                             .cost = cost_pool},
    [NNM_OP_GLOBAL_AVERAGE_POOL] = {.name = "GlobalAveragePool",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .outputs = 1,
                                    .input_names = {"x"},
                                    .infer = infer_global_pool,
                                    .cost = cost_global_pool},
    [NNM_OP_ADD] = {.name = "Add",
                    .min_inputs = 2,
                    .max_inputs = 2,
                    .outputs = 1,
                    .input_names = {"a", "b"},
                    .infer = infer_add,
                    .cost = cost_elementwise},
    [NNM_OP_MULTIPLY] = {.name = "Multiply",
                         .min_inputs = 2,
                         .max_inputs = 2,
                         .outputs = 1,
                         .input_names = {"a", "b"},
                         .infer = infer_multiply,
                         .cost = cost_elementwise},
    [NNM_OP_CONCAT] = {.name = "Concat",
                       .min_inputs = 2,
                       .max_inputs = NNM_NODE_MAX_INPUTS,
                       .outputs = 1,
                       .input_names = {"a", "b", "c", "d", "e", "f"},
                       .infer = infer_concat,
                       .cost = cost_nothing},
    [NNM_OP_SPLIT] = {.name = "Split",
                      .min_inputs = 1,
                      .max_inputs = 1,
                      .outputs = 2,
                      .input_names = {"x"},
                      .infer = infer_split,
                      .cost = cost_nothing},
    [NNM_OP_CHANNEL_SHUFFLE] = {.name = "ChannelShuffle",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .outputs = 1,
                                .uses = NNM_USES_GROUPS,
                                .input_names = {"x"},
                                .infer = infer_channel_shuffle,
                                .cost = cost_nothing},
    [NNM_OP_SIGMOID] = {.name = "Sigmoid",
                        .min_inputs = 1,
                        .max_inputs = 1,
                        .outputs = 1,
                        .input_names = {"x"},
                        .infer = infer_same,
                        .cost = cost_elementwise},
    [NNM_OP_HARD_SIGMOID] = {.name = "HardSigmoid",
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .outputs = 1,
                             .input_names = {"x"},
                             .infer = infer_same,
                             .cost = cost_elementwise},
    [NNM_OP_HARD_SWISH] = {.name = "HardSwish",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .outputs = 1,
                           .input_names = {"x"},
                           .infer = infer_same,
                           .cost = cost_elementwise},
};

const nnm_op_info *nnm_op_find(nnm_op op)
{
    return (unsigned)op < NNM_OP_COUNT ? &operators[op] : NULL;
}

const char *nnm_op_name(nnm_op op)
{
    const nnm_op_info *info = nnm_op_find(op);
    return info ? info->name : "unknown operator";
}
