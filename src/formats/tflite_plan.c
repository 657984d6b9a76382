#include "formats/tflite_plan.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "formats/tflite_schema.h"
#include "graph/names.h"

static const nnm_tensor *tensor_at(const nnm_tfl_plan *plan, nnm_tensor_id id)
{
    return nnm_graph_tensor(plan->graph, id);
}

/* ---- growing; what fails is remembered, and index 0 stands for what is not there ---- */

static size_t append(nnm_tfl_plan *plan, void **list, size_t *count, size_t *capacity, size_t size)
{
    if (nnm_grow(list, capacity, *count + 1, size, NULL)) {
        plan->failed = true;
        return 0;
    }
    memset((char *)*list + *count * size, 0, size);
    return (*count)++;
}

#define DEFINE_APPEND(list, counter, room)                                                    \
    static size_t append_##list(nnm_tfl_plan *plan)                                           \
    {                                                                                         \
        void *items = plan->list;                                                             \
        size_t index = append(plan, &items, &plan->counter, &plan->room, sizeof *plan->list); \
        plan->list = items;                                                                   \
        return index;                                                                         \
    }
DEFINE_APPEND(codes, code_count, code_capacity)
DEFINE_APPEND(tensors, tensor_count, tensor_capacity)
DEFINE_APPEND(operators, operator_count, operator_capacity)
DEFINE_APPEND(data, data_count, data_capacity)
DEFINE_APPEND(owned, owned_count, owned_capacity)

/* The plan frees `block` at the end. */
static void *own(nnm_tfl_plan *plan, void *block)
{
    size_t index = block ? append_owned(plan) : 0;
    if (!block || plan->failed) {
        plan->failed = true;
        free(block);
        return NULL;
    }
    plan->owned[index] = block;
    return block;
}

/* "<stem>/<suffix>", with a number where the graph has a tensor of that name. */
static const char *derived_name(nnm_tfl_plan *plan, const char *stem, const char *suffix)
{
    char *name = nnm_format("%s/%s", stem, suffix);
    for (size_t number = 2; name && nnm_graph_find(plan->graph, name, &(nnm_tensor_id){0}); number++) {
        free(name);
        name = nnm_format("%s/%s_%zu", stem, suffix, number);
    }
    return own(plan, name);
}

static int32_t add_tensor(nnm_tfl_plan *plan, const char *name, const nnm_shape *shape, int type, size_t buffer)
{
    size_t index = append_tensors(plan);
    if (plan->failed) return 0;
    plan->tensors[index] = (nnm_tfl_tensor){name, *shape, type, buffer};
    return (int32_t)index;
}

/* Returns the number of the new buffer. */
static size_t add_data(nnm_tfl_plan *plan, const nnm_tfl_data *data)
{
    size_t index = append_data(plan);
    if (plan->failed) {
        free(data->owned);
        return 0;
    }
    plan->data[index] = *data;
    return index + 1;
}

static size_t add_plain_data(nnm_tfl_plan *plan, const nnm_tensor *tensor)
{
    size_t count = (size_t)nnm_shape_elements(&tensor->shape);
    nnm_tfl_data data = {.values = tensor->data, .dim = {1, 1, 1, count}, .stride = {0, 0, 0, 1}};
    data.size_bytes = count * sizeof(float);
    return add_data(plan, &data);
}

/* A constant that the graph does not have; takes `block`, whose elements have four bytes. */
static int32_t add_constant(nnm_tfl_plan *plan, const char *name, const nnm_shape *shape, int type, void *block)
{
    if (!block) plan->failed = true;
    nnm_tfl_data data = {.owned = block, .size_bytes = (size_t)nnm_shape_elements(shape) * 4};
    return add_tensor(plan, name, shape, type, add_data(plan, &data));
}

static int32_t add_ints(nnm_tfl_plan *plan, const char *stem, const char *suffix, const nnm_shape *shape,
                        const int32_t *values)
{
    size_t count = (size_t)nnm_shape_elements(shape);
    int32_t *block = nnm_calloc(count, sizeof *block);
    if (block) memcpy(block, values, count * sizeof *block);
    return add_constant(plan, derived_name(plan, stem, suffix), shape, NNM_TFL_INT32, block);
}

static int32_t add_scalar(nnm_tfl_plan *plan, const char *stem, const char *suffix, float value)
{
    float *block = nnm_calloc(1, sizeof *block);
    if (block) *block = value;
    return add_constant(plan, derived_name(plan, stem, suffix), &(nnm_shape){0}, NNM_TFL_FLOAT32, block);
}

static int32_t add_between(nnm_tfl_plan *plan, const char *stem, const char *suffix, const nnm_shape *shape)
{
    return add_tensor(plan, derived_name(plan, stem, suffix), shape, NNM_TFL_FLOAT32, 0);
}

/* The tensor of the graph as it is. */
static int32_t use(nnm_tfl_plan *plan, nnm_tensor_id id)
{
    if (plan->tensor_of[id] < 0) {
        const nnm_tensor *tensor = tensor_at(plan, id);
        size_t buffer = tensor->data ? add_plain_data(plan, tensor) : 0;
        plan->tensor_of[id] = add_tensor(plan, tensor->name, &tensor->shape, NNM_TFL_FLOAT32, buffer);
    }
    return plan->tensor_of[id];
}

/* ---- operators ---- */

static size_t code_index(nnm_tfl_plan *plan, int builtin, int version)
{
    for (size_t i = 0; i < plan->code_count; i++)
        if (plan->codes[i].builtin == builtin && plan->codes[i].version == version) return i;
    size_t index = append_codes(plan);
    if (!plan->failed) plan->codes[index] = (nnm_tfl_code){builtin, version};
    return index;
}

/* An operator from `input` to `output`, to which more can be added. `spare` is used when memory ran out. */
static nnm_tfl_operator *add_version(nnm_tfl_plan *plan, nnm_tfl_operator *spare, int builtin, int version,
                                     int options_type, int32_t input, int32_t output)
{
    size_t code = code_index(plan, builtin, version);
    size_t index = append_operators(plan);
    nnm_tfl_operator *op = plan->failed ? spare : &plan->operators[index];
    *op = (nnm_tfl_operator){.code = code,
                             .inputs = {input},
                             .input_count = 1,
                             .outputs = {output},
                             .output_count = 1,
                             .options_type = options_type};
    return op;
}

static nnm_tfl_operator *add_operator(nnm_tfl_plan *plan, nnm_tfl_operator *spare, int builtin, int options_type,
                                      int32_t input, int32_t output)
{
    return add_version(plan, spare, builtin, 1, options_type, input, output);
}

static void add_input(nnm_tfl_operator *op, int32_t input)
{
    op->inputs[op->input_count++] = input;
}

static void add_option(nnm_tfl_operator *op, unsigned number, nnm_fb_kind kind, int64_t value)
{
    op->options[op->option_count++] = (nnm_fb_field){number, kind, (int32_t)value, 0};
}

/* If all that reads `*output` is a rectifier, that becomes part of the operator: `*output` is then its output. */
static int take_activation(nnm_tfl_plan *plan, nnm_tensor_id *output)
{
    size_t user = plan->user[*output];
    if (user == NNM_NO_NODE) return NNM_TFL_NO_ACTIVATION;
    const nnm_node *node = nnm_graph_node(plan->graph, user);
    if (node->op != NNM_OP_RELU && node->op != NNM_OP_RELU6) return NNM_TFL_NO_ACTIVATION;
    plan->done[user] = true;
    *output = node->outputs[0];
    return node->op == NNM_OP_RELU ? NNM_TFL_FUSED_RELU : NNM_TFL_FUSED_RELU6;
}

/* A constant of zeros, which FILL makes of its shape: the file does not hold it. */
static int32_t add_zeros(nnm_tfl_plan *plan, const char *name, const nnm_shape *shape)
{
    nnm_tfl_operator spare;
    int32_t dims[NNM_MAX_RANK];
    for (size_t i = 0; i < shape->rank; i++)
        dims[i] = (int32_t)shape->dim[i];
    int32_t sizes = add_ints(plan, name, "shape", &(nnm_shape){1, {(int64_t)shape->rank}}, dims);
    int32_t value = add_scalar(plan, name, "zero", 0.0F);
    int32_t zeros = add_tensor(plan, name, shape, NNM_TFL_FLOAT32, 0);
    add_input(add_operator(plan, &spare, NNM_TFL_FILL, NNM_TFL_NO_OPTIONS, sizes, zeros), value);
    return zeros;
}

/* ---- windows ---- */

typedef struct window {
    int padding;
    bool pad_before; /* pads that only an operator of their own can express */
} window;

static bool is_same(const nnm_attributes *a, const nnm_shape *x)
{
    int64_t top, left, bottom, right, t = a->pad_top, l = a->pad_left, b = a->pad_bottom, r = a->pad_right;
    int64_t height = nnm_window_output(x->dim[1], a->kernel_h, a->stride_h, NNM_PADDING_SAME, &top, &bottom);
    int64_t width = nnm_window_output(x->dim[2], a->kernel_w, a->stride_w, NNM_PADDING_SAME, &left, &right);
    return t == top && l == left && b == bottom && r == right &&
           height == nnm_window_output(x->dim[1], a->kernel_h, a->stride_h, a->padding, &t, &b) &&
           width == nnm_window_output(x->dim[2], a->kernel_w, a->stride_w, a->padding, &l, &r);
}

static window choose_padding(const nnm_attributes *a, const nnm_shape *x)
{
    if (a->padding == NNM_PADDING_SAME) return (window){NNM_TFL_SAME, false};
    if (!a->pad_top && !a->pad_left && !a->pad_bottom && !a->pad_right) return (window){NNM_TFL_VALID, false};
    if (is_same(a, x)) return (window){NNM_TFL_SAME, false};
    return (window){NNM_TFL_VALID, true};
}

/* Returns the padded input: with zeros for a convolution, with what never wins for a maximum. */
static int32_t pad_input(nnm_tfl_plan *plan, const nnm_node *node, bool maximum)
{
    nnm_tfl_operator spare;
    const nnm_attributes *a = &node->attributes;
    nnm_shape shape = tensor_at(plan, node->inputs[0])->shape;
    const int32_t pads[8] = {
        0, 0, (int32_t)a->pad_top, (int32_t)a->pad_bottom, (int32_t)a->pad_left, (int32_t)a->pad_right};
    shape.dim[1] += a->pad_top + a->pad_bottom;
    shape.dim[2] += a->pad_left + a->pad_right;
    int32_t input = use(plan, node->inputs[0]);
    int32_t amounts = add_ints(plan, node->name, "pads", &(nnm_shape){2, {4, 2}}, pads);
    int32_t lowest = maximum ? add_scalar(plan, node->name, "lowest", -INFINITY) : 0;
    int32_t padded = add_between(plan, node->name, "padded", &shape);
    nnm_tfl_operator *op = add_operator(plan, &spare, maximum ? NNM_TFL_PADV2 : NNM_TFL_PAD,
                                        maximum ? NNM_TFL_PADV2_OPTIONS : NNM_TFL_PAD_OPTIONS, input, padded);
    add_input(op, amounts);
    if (maximum) add_input(op, lowest);
    return padded;
}

static nnm_status check_window(const nnm_node *node, nnm_error *err)
{
    const nnm_attributes *a = &node->attributes;
    const int64_t numbers[] = {a->stride_h, a->stride_w, a->pad_top, a->pad_left, a->pad_bottom, a->pad_right};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] > INT32_MAX / 4)
            return nnm_fail(err, NNM_ERR_UNSUPPORTED, "%s '%s': a stride or pad of %" PRId64 " is too large",
                            nnm_op_name(node->op), node->name, numbers[i]);
    return NNM_OK;
}

/* ---- convolution ---- */

/* What batch norm does: x * factor + offset. Both are owned by the plan, or NULL when memory ran out. */
static void fold_batch_norm(nnm_tfl_plan *plan, const nnm_node *norm, double **factors, double **offsets)
{
    const float *part[4]; /* scale, bias, mean, variance */
    for (size_t i = 0; i < 4; i++)
        part[i] = tensor_at(plan, norm->inputs[i + 1])->data;
    size_t channels = (size_t)tensor_at(plan, norm->inputs[1])->shape.dim[0];
    *factors = own(plan, nnm_calloc(channels, sizeof **factors));
    *offsets = own(plan, nnm_calloc(channels, sizeof **offsets));
    for (size_t i = 0; i < channels && *factors && *offsets; i++) {
        double factor = (double)part[0][i] / sqrt((double)part[3][i] + norm->attributes.epsilon);
        (*factors)[i] = factor;
        (*offsets)[i] = (double)part[1][i] - (double)part[2][i] * factor;
    }
}

static int32_t add_weight(nnm_tfl_plan *plan, const nnm_node *node, bool depthwise, const double *factors)
{
    const nnm_tensor *weight = tensor_at(plan, node->inputs[1]);
    size_t out = (size_t)weight->shape.dim[0], in = (size_t)weight->shape.dim[1];
    size_t height = (size_t)weight->shape.dim[2], width = (size_t)weight->shape.dim[3], pixels = height * width;
    nnm_tfl_data data = {.values = weight->data, .factors = factors};
    data.size_bytes = out * in * pixels * sizeof(float);
    if (depthwise) {
        memcpy(data.dim, (size_t[]){1, height, width, out}, sizeof data.dim);
        memcpy(data.stride, (size_t[]){0, width, 1, pixels}, sizeof data.stride);
        data.factor_axis = 3;
    } else {
        memcpy(data.dim, (size_t[]){out, height, width, in}, sizeof data.dim);
        memcpy(data.stride, (size_t[]){in * pixels, width, 1, pixels}, sizeof data.stride);
    }
    nnm_shape shape = {4, {0}};
    for (size_t i = 0; i < 4; i++)
        shape.dim[i] = (int64_t)data.dim[i];
    /* the second time a weight is used it needs another name */
    const char *name = plan->named[node->inputs[1]] ? derived_name(plan, node->name, "weight") : weight->name;
    plan->named[node->inputs[1]] = true;
    if (weight->zeros) return add_zeros(plan, name, &shape);
    return add_tensor(plan, name, &shape, NNM_TFL_FLOAT32, add_data(plan, &data));
}

/* TensorFlow Lite's convolutions always have a bias. */
static int32_t add_bias(nnm_tfl_plan *plan, const nnm_node *node, const double *factors, const double *offsets)
{
    const float *bias = node->input_count > 2 ? tensor_at(plan, node->inputs[2])->data : NULL;
    if (bias && !factors) return use(plan, node->inputs[2]);
    nnm_shape shape = {1, {tensor_at(plan, node->inputs[1])->shape.dim[0]}};
    float *values = nnm_calloc((size_t)shape.dim[0], sizeof *values);
    for (size_t i = 0; values && factors && offsets && i < (size_t)shape.dim[0]; i++)
        values[i] = (float)((bias ? (double)bias[i] : 0.0) * factors[i] + offsets[i]);
    return add_constant(plan, derived_name(plan, node->name, "bias"), &shape, NNM_TFL_FLOAT32, values);
}

static nnm_status plan_conv(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    const nnm_attributes *a = &node->attributes;
    const nnm_shape *x = &tensor_at(plan, node->inputs[0])->shape;
    bool depthwise = a->groups > 1 && a->groups == x->dim[3];
    if (a->groups > 1 && !depthwise)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED,
                        "Conv '%s' has %" PRId64 " groups for %" PRId64
                        " channels; TensorFlow Lite files hold one group, or one for each channel",
                        node->name, a->groups, x->dim[3]);
    nnm_status status = check_window(node, err);
    if (status) return status;

    double *factors = NULL, *offsets = NULL;
    nnm_tensor_id output = node->outputs[0];
    size_t user = plan->user[output];
    if (user != NNM_NO_NODE && nnm_graph_node(plan->graph, user)->op == NNM_OP_BATCH_NORM) {
        fold_batch_norm(plan, nnm_graph_node(plan->graph, user), &factors, &offsets);
        plan->done[user] = true;
        output = nnm_graph_node(plan->graph, user)->outputs[0];
    }
    int activation = take_activation(plan, &output);
    window pads = choose_padding(a, x);
    int32_t input = pads.pad_before ? pad_input(plan, node, false) : use(plan, node->inputs[0]);
    int32_t weight = add_weight(plan, node, depthwise, factors);
    int32_t bias = add_bias(plan, node, factors, offsets);
    nnm_tfl_operator spare;
    nnm_tfl_operator *op =
        add_operator(plan, &spare, depthwise ? NNM_TFL_DEPTHWISE_CONV_2D : NNM_TFL_CONV_2D,
                     depthwise ? NNM_TFL_DEPTHWISE_CONV_2D_OPTIONS : NNM_TFL_CONV_2D_OPTIONS, input, use(plan, output));
    add_input(op, weight);
    add_input(op, bias);
    add_option(op, NNM_TFL_CONV_PADDING, NNM_FB_BYTE, pads.padding);
    add_option(op, NNM_TFL_CONV_STRIDE_W, NNM_FB_INT, a->stride_w);
    add_option(op, NNM_TFL_CONV_STRIDE_H, NNM_FB_INT, a->stride_h);
    if (depthwise)
        add_option(op, NNM_TFL_DWCONV_MULTIPLIER, NNM_FB_INT,
                   tensor_at(plan, node->inputs[1])->shape.dim[0] / a->groups);
    add_option(op, depthwise ? NNM_TFL_DWCONV_ACTIVATION : NNM_TFL_CONV_ACTIVATION, NNM_FB_BYTE, activation);
    add_option(op, depthwise ? NNM_TFL_DWCONV_DILATION_W : NNM_TFL_CONV_DILATION_W, NNM_FB_INT, 1);
    add_option(op, depthwise ? NNM_TFL_DWCONV_DILATION_H : NNM_TFL_CONV_DILATION_H, NNM_FB_INT, 1);
    return NNM_OK;
}

/* ---- the other operators ---- */

static nnm_status plan_pool(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    const nnm_attributes *a = &node->attributes;
    bool maximum = node->op == NNM_OP_MAX_POOL;
    window pads = choose_padding(a, &tensor_at(plan, node->inputs[0])->shape);
    nnm_status status = check_window(node, err);
    if (status) return status;
    if (pads.pad_before && !maximum)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED,
                        "AveragePool '%s' has the pads %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
                        " (top, left, bottom, right); TensorFlow Lite knows SAME and none",
                        node->name, a->pad_top, a->pad_left, a->pad_bottom, a->pad_right);
    int32_t input = pads.pad_before ? pad_input(plan, node, true) : use(plan, node->inputs[0]);
    nnm_tfl_operator spare;
    nnm_tfl_operator *op = add_operator(plan, &spare, maximum ? NNM_TFL_MAX_POOL_2D : NNM_TFL_AVERAGE_POOL_2D,
                                        NNM_TFL_POOL_2D_OPTIONS, input, use(plan, node->outputs[0]));
    add_option(op, NNM_TFL_POOL_PADDING, NNM_FB_BYTE, pads.padding);
    add_option(op, NNM_TFL_POOL_STRIDE_W, NNM_FB_INT, a->stride_w);
    add_option(op, NNM_TFL_POOL_STRIDE_H, NNM_FB_INT, a->stride_h);
    add_option(op, NNM_TFL_POOL_FILTER_W, NNM_FB_INT, a->kernel_w);
    add_option(op, NNM_TFL_POOL_FILTER_H, NNM_FB_INT, a->kernel_h);
    return NNM_OK;
}

static nnm_status plan_global_average_pool(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    (void)err;
    nnm_tfl_operator spare;
    int32_t input = use(plan, node->inputs[0]);
    int32_t axes = add_ints(plan, node->name, "axes", &(nnm_shape){1, {2}}, (int32_t[]){1, 2});
    nnm_tfl_operator *op =
        add_operator(plan, &spare, NNM_TFL_MEAN, NNM_TFL_REDUCER_OPTIONS, input, use(plan, node->outputs[0]));
    add_input(op, axes);
    add_option(op, NNM_TFL_REDUCER_KEEP_DIMS, NNM_FB_BYTE, 1);
    return NNM_OK;
}

/* On its own: a product and a sum, each with one constant a channel. */
static nnm_status plan_batch_norm(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    (void)err;
    double *factors = NULL, *offsets = NULL;
    fold_batch_norm(plan, node, &factors, &offsets);
    nnm_shape shape = tensor_at(plan, node->inputs[1])->shape;
    size_t channels = (size_t)shape.dim[0];
    float *scale = nnm_calloc(channels, sizeof *scale), *bias = nnm_calloc(channels, sizeof *bias);
    for (size_t i = 0; scale && bias && factors && offsets && i < channels; i++) {
        scale[i] = (float)factors[i];
        bias[i] = (float)offsets[i];
    }
    nnm_tensor_id output = node->outputs[0];
    int activation = take_activation(plan, &output);
    nnm_tfl_operator spare;
    int32_t input = use(plan, node->inputs[0]);
    int32_t b = add_constant(plan, derived_name(plan, node->name, "scale"), &shape, NNM_TFL_FLOAT32, scale);
    int32_t product = add_between(plan, node->name, "product", &tensor_at(plan, node->inputs[0])->shape);
    nnm_tfl_operator *op = add_operator(plan, &spare, NNM_TFL_MUL, NNM_TFL_MUL_OPTIONS, input, product);
    add_input(op, b);
    add_option(op, NNM_TFL_MUL_ACTIVATION, NNM_FB_BYTE, NNM_TFL_NO_ACTIVATION);
    b = add_constant(plan, derived_name(plan, node->name, "bias"), &shape, NNM_TFL_FLOAT32, bias);
    op = add_operator(plan, &spare, NNM_TFL_ADD, NNM_TFL_ADD_OPTIONS, product, use(plan, output));
    add_input(op, b);
    add_option(op, NNM_TFL_ADD_ACTIVATION, NNM_FB_BYTE, activation);
    return NNM_OK;
}

static nnm_status plan_unary(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    (void)err;
    nnm_tfl_operator spare;
    int builtin = node->op == NNM_OP_RELU      ? NNM_TFL_RELU
                  : node->op == NNM_OP_RELU6   ? NNM_TFL_RELU6
                  : node->op == NNM_OP_SIGMOID ? NNM_TFL_LOGISTIC
                                               : NNM_TFL_HARD_SWISH;
    int32_t input = use(plan, node->inputs[0]);
    add_operator(plan, &spare, builtin, NNM_TFL_NO_OPTIONS, input, use(plan, node->outputs[0]));
    return NNM_OK;
}

/* TensorFlow Lite has no such operator; its converter writes min(max(x + 3, 0), 6) / 6 in this way. */
static nnm_status plan_hard_sigmoid(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    (void)err;
    nnm_tfl_operator spare;
    int32_t input = use(plan, node->inputs[0]);
    int32_t three = add_scalar(plan, node->name, "three", 3.0F);
    int32_t sum = add_between(plan, node->name, "sum", &tensor_at(plan, node->inputs[0])->shape);
    nnm_tfl_operator *op = add_operator(plan, &spare, NNM_TFL_ADD, NNM_TFL_ADD_OPTIONS, input, sum);
    add_input(op, three);
    add_option(op, NNM_TFL_ADD_ACTIVATION, NNM_FB_BYTE, NNM_TFL_FUSED_RELU6);
    int32_t sixth = add_scalar(plan, node->name, "sixth", 1.0F / 6.0F);
    op = add_operator(plan, &spare, NNM_TFL_MUL, NNM_TFL_MUL_OPTIONS, sum, use(plan, node->outputs[0]));
    add_input(op, sixth);
    add_option(op, NNM_TFL_MUL_ACTIVATION, NNM_FB_BYTE, NNM_TFL_NO_ACTIVATION);
    return NNM_OK;
}

static nnm_status plan_binary(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    (void)err;
    bool sum = node->op == NNM_OP_ADD;
    nnm_tensor_id output = node->outputs[0];
    int activation = sum ? take_activation(plan, &output) : NNM_TFL_NO_ACTIVATION;
    int32_t a = use(plan, node->inputs[0]), b = use(plan, node->inputs[1]);
    nnm_tfl_operator spare;
    nnm_tfl_operator *op = add_operator(plan, &spare, sum ? NNM_TFL_ADD : NNM_TFL_MUL,
                                        sum ? NNM_TFL_ADD_OPTIONS : NNM_TFL_MUL_OPTIONS, a, use(plan, output));
    add_input(op, b);
    add_option(op, NNM_TFL_ADD_ACTIVATION, NNM_FB_BYTE, activation);
    return NNM_OK;
}

static nnm_status plan_concat(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    (void)err;
    nnm_tfl_operator spare;
    int32_t inputs[NNM_NODE_MAX_INPUTS];
    for (size_t i = 0; i < node->input_count; i++)
        inputs[i] = use(plan, node->inputs[i]);
    nnm_tfl_operator *op = add_operator(plan, &spare, NNM_TFL_CONCATENATION, NNM_TFL_CONCATENATION_OPTIONS, inputs[0],
                                        use(plan, node->outputs[0]));
    for (size_t i = 1; i < node->input_count; i++)
        add_input(op, inputs[i]);
    add_option(op, NNM_TFL_CONCAT_AXIS, NNM_FB_INT, (int64_t)tensor_at(plan, node->inputs[0])->shape.rank - 1);
    add_option(op, NNM_TFL_CONCAT_ACTIVATION, NNM_FB_BYTE, NNM_TFL_NO_ACTIVATION);
    return NNM_OK;
}

static nnm_status plan_split(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    (void)err;
    nnm_tfl_operator spare;
    int32_t input = use(plan, node->inputs[0]);
    const int32_t last = (int32_t)tensor_at(plan, node->inputs[0])->shape.rank - 1;
    int32_t axis = add_ints(plan, node->name, "axis", &(nnm_shape){0}, &last);
    int32_t first = use(plan, node->outputs[0]), second = use(plan, node->outputs[1]);
    nnm_tfl_operator *op = add_operator(plan, &spare, NNM_TFL_SPLIT, NNM_TFL_SPLIT_OPTIONS, axis, first);
    add_input(op, input);
    op->outputs[op->output_count++] = second;
    add_option(op, NNM_TFL_SPLIT_COUNT, NNM_FB_INT, 2);
    return NNM_OK;
}

static void add_reshape(nnm_tfl_plan *plan, const char *stem, const char *suffix, int32_t input, int32_t output,
                        const nnm_shape *shape)
{
    nnm_tfl_operator spare;
    int32_t dims[NNM_MAX_RANK];
    for (size_t i = 0; i < shape->rank; i++)
        dims[i] = (int32_t)shape->dim[i];
    int32_t target = add_ints(plan, stem, suffix, &(nnm_shape){1, {(int64_t)shape->rank}}, dims);
    nnm_tfl_operator *op = add_operator(plan, &spare, NNM_TFL_RESHAPE, NNM_TFL_RESHAPE_OPTIONS, input, output);
    add_input(op, target);
    op->new_shape = *shape;
}

static nnm_status plan_flatten(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    (void)err;
    int32_t input = use(plan, node->inputs[0]);
    add_reshape(plan, node->name, "shape", input, use(plan, node->outputs[0]),
                &tensor_at(plan, node->outputs[0])->shape);
    return NNM_OK;
}

/* Channels as a matrix of groups, transposed. Rows and columns of pixels become one, so that four dimensions do. */
static nnm_status plan_channel_shuffle(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    const nnm_shape *x = &tensor_at(plan, node->inputs[0])->shape;
    int64_t pixels = x->dim[1] * x->dim[2], groups = node->attributes.groups;
    if (pixels > INT32_MAX)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "ChannelShuffle '%s': images of %" PRId64 " pixels are too large",
                        node->name, pixels);
    nnm_shape split = {4, {x->dim[0], pixels, groups, x->dim[3] / groups}};
    nnm_shape turned = {4, {x->dim[0], pixels, x->dim[3] / groups, groups}};
    int32_t input = use(plan, node->inputs[0]);
    int32_t grouped = add_between(plan, node->name, "groups", &split);
    add_reshape(plan, node->name, "groups_shape", input, grouped, &split);
    int32_t order = add_ints(plan, node->name, "order", &(nnm_shape){1, {4}}, (int32_t[]){0, 1, 3, 2});
    int32_t transposed = add_between(plan, node->name, "transposed", &turned);
    nnm_tfl_operator spare;
    nnm_tfl_operator *op =
        add_operator(plan, &spare, NNM_TFL_TRANSPOSE, NNM_TFL_TRANSPOSE_OPTIONS, grouped, transposed);
    add_input(op, order);
    add_reshape(plan, node->name, "shape", transposed, use(plan, node->outputs[0]), x);
    return NNM_OK;
}

static nnm_status plan_fully_connected(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err)
{
    (void)err;
    bool keep_dims = tensor_at(plan, node->inputs[0])->shape.rank > 2;
    nnm_tensor_id output = node->outputs[0];
    int activation = take_activation(plan, &output);
    const nnm_tensor *matrix = tensor_at(plan, node->inputs[1]);
    int32_t *known = &plan->tensor_of[node->inputs[1]];
    if (matrix->zeros && *known < 0) *known = add_zeros(plan, matrix->name, &matrix->shape);
    int32_t input = use(plan, node->inputs[0]), weight = use(plan, node->inputs[1]);
    int32_t bias = node->input_count > 2 ? use(plan, node->inputs[2]) : -1;
    nnm_tfl_operator spare;
    nnm_tfl_operator *op = add_version(plan, &spare, NNM_TFL_FULLY_CONNECTED, keep_dims ? 5 : 1,
                                       NNM_TFL_FULLY_CONNECTED_OPTIONS, input, use(plan, output));
    add_input(op, weight);
    add_input(op, bias);
    add_option(op, NNM_TFL_FC_ACTIVATION, NNM_FB_BYTE, activation);
    add_option(op, NNM_TFL_FC_WEIGHTS_FORMAT, NNM_FB_BYTE, 0);
    add_option(op, NNM_TFL_FC_KEEP_NUM_DIMS, NNM_FB_BYTE, keep_dims);
    return NNM_OK;
}

static nnm_status (*const planners[NNM_OP_COUNT])(nnm_tfl_plan *plan, const nnm_node *node, nnm_error *err) = {
    [NNM_OP_CONV] = plan_conv,
    [NNM_OP_BATCH_NORM] = plan_batch_norm,
    [NNM_OP_RELU] = plan_unary,
    [NNM_OP_RELU6] = plan_unary,
    [NNM_OP_FLATTEN] = plan_flatten,
    [NNM_OP_FULLY_CONNECTED] = plan_fully_connected,
    [NNM_OP_MAX_POOL] = plan_pool,
    [NNM_OP_AVERAGE_POOL] = plan_pool,
    [NNM_OP_GLOBAL_AVERAGE_POOL] = plan_global_average_pool,
    [NNM_OP_ADD] = plan_binary,
    [NNM_OP_MULTIPLY] = plan_binary,
    [NNM_OP_CONCAT] = plan_concat,
    [NNM_OP_SPLIT] = plan_split,
    [NNM_OP_CHANNEL_SHUFFLE] = plan_channel_shuffle,
    [NNM_OP_SIGMOID] = plan_unary,
    [NNM_OP_HARD_SIGMOID] = plan_hard_sigmoid,
    [NNM_OP_HARD_SWISH] = plan_unary,
};

/* ---- the plan ---- */

static nnm_status check_sizes(const nnm_graph *graph, nnm_error *err)
{
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++) {
        const nnm_tensor *tensor = nnm_graph_tensor(graph, i);
        for (size_t d = 0; d < tensor->shape.rank; d++)
            if (tensor->shape.dim[d] > INT32_MAX)
                return nnm_fail(err, NNM_ERR_UNSUPPORTED,
                                "dimension %zu of '%s' is %" PRId64 "; TensorFlow Lite allows at most %" PRId32, d,
                                tensor->name, tensor->shape.dim[d], INT32_MAX);
    }
    return NNM_OK;
}

static void find_users(nnm_tfl_plan *plan)
{
    const nnm_graph *graph = plan->graph;
    const size_t several = NNM_NO_NODE - 1;
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++) {
        plan->tensor_of[i] = -1;
        plan->user[i] = NNM_NO_NODE;
    }
    for (size_t i = 0; i < nnm_graph_output_count(graph); i++)
        plan->user[nnm_graph_output(graph, i)] = several;
    for (size_t n = 0; n < nnm_graph_node_count(graph); n++) {
        const nnm_node *node = nnm_graph_node(graph, n);
        for (size_t i = 0; i < node->input_count; i++) {
            size_t *user = &plan->user[node->inputs[i]];
            *user = *user == NNM_NO_NODE ? n : several;
        }
    }
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++)
        if (plan->user[i] == several) plan->user[i] = NNM_NO_NODE;
}

nnm_status nnm_tfl_plan_make(nnm_tfl_plan *plan, const nnm_graph *graph, nnm_error *err)
{
    size_t tensors = nnm_graph_tensor_count(graph), nodes = nnm_graph_node_count(graph);
    *plan = (nnm_tfl_plan){.graph = graph};
    nnm_status status = check_sizes(graph, err);
    if (status) return status;
    plan->tensor_of = nnm_calloc(tensors, sizeof *plan->tensor_of);
    plan->user = nnm_calloc(tensors, sizeof *plan->user);
    plan->named = nnm_calloc(tensors, sizeof *plan->named);
    plan->done = nnm_calloc(nodes, sizeof *plan->done);
    if (!plan->tensor_of || !plan->user || !plan->named || !plan->done) return nnm_fail_memory(err);
    find_users(plan);
    for (size_t i = 0; i < nnm_graph_input_count(graph); i++)
        use(plan, nnm_graph_input(graph, i));
    for (size_t i = 0; i < nodes && !status; i++) {
        const nnm_node *node = nnm_graph_node(graph, i);
        if (!plan->done[i]) status = planners[node->op](plan, node, err);
    }
    if (!status && plan->failed) return nnm_fail_memory(err);
    return status;
}

void nnm_tfl_plan_fini(nnm_tfl_plan *plan)
{
    for (size_t i = 0; i < plan->data_count; i++)
        free(plan->data[i].owned);
    for (size_t i = 0; i < plan->owned_count; i++)
        free(plan->owned[i]);
    free(plan->codes);
    free(plan->tensors);
    free(plan->operators);
    free(plan->data);
    free(plan->owned);
    free(plan->tensor_of);
    free(plan->user);
    free(plan->named);
    free(plan->done);
    *plan = (nnm_tfl_plan){0};
}
