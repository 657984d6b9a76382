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
    nnm_status status = check_rank(call, 0, "x", 2, err);
    if (status) return status;
    if ((status = check_rank(call, 1, "weight", 2, err))) return status;
    const nnm_shape *x = shape_of(call, 0), *weight = shape_of(call, 1);
    if (x->dim[1] != weight->dim[1])
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "weight has %" PRId64 " input channels, but x has %" PRId64,
                        weight->dim[1], x->dim[1]);
    if (call->input_count > 2 && (status = check_channels(call, 2, "bias", weight->dim[0], err))) return status;
    *output = (nnm_shape){2, {x->dim[0], weight->dim[0]}};
    return NNM_OK;
}

static void cost_fully_connected(const nnm_op_call *call, const nnm_shape *output, nnm_cost *cost)
{
    cost->macs += elements(output) * (double)shape_of(call, 1)->dim[1];
    if (call->input_count > 2) cost->flops += elements(output);
}

/* ---- the table ---- */

#define INPUTS_FROM_1_ON 0xFFFFFFFEu

static const nnm_op_info operators[NNM_OP_COUNT] = {
    [NNM_OP_CONV] = {"Conv",
                     2,
                     3,
                     NNM_USES_WINDOW | NNM_USES_GROUPS,
                     INPUTS_FROM_1_ON,
                     {"x", "weight", "bias"},
                     infer_conv,
                     cost_conv},
    [NNM_OP_BATCH_NORM] = {"BatchNormalization",
                           5,
                           5,
                           NNM_USES_EPSILON,
                           INPUTS_FROM_1_ON,
                           {"x", "scale", "bias", "mean", "variance"},
                           infer_batch_norm,
                           cost_batch_norm},
    [NNM_OP_RELU] = {"Relu", 1, 1, 0, 0, {"x"}, infer_same, cost_elementwise},
    [NNM_OP_RELU6] = {"Relu6", 1, 1, 0, 0, {"x"}, infer_same, cost_elementwise},
    [NNM_OP_FLATTEN] = {"Flatten", 1, 1, 0, 0, {"x"}, infer_flatten, cost_nothing},
    [NNM_OP_FULLY_CONNECTED] = {"FullyConnected",
                                2,
                                3,
                                0,
                                INPUTS_FROM_1_ON,
                                {"x", "weight", "bias"},
                                infer_fully_connected,
                                cost_fully_connected},
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
