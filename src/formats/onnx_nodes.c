#include <float.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "formats/onnx_read.h"
#include "graph/names.h"
#include "graph/operator.h"

typedef Onnx__NodeProto node_proto;

/* Strings are NULL where the file has none. */
static const char *text_of(const char *text)
{
    return text ? text : "";
}

/* ---- attributes ---- */

typedef enum attribute_kind {
    ATTRIBUTE_INT = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT,
    ATTRIBUTE_FLOAT = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT,
    ATTRIBUTE_STRING = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING,
    ATTRIBUTE_INTS = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS
} attribute_kind;

/* An attribute that an operator has, and where its value goes; what the node does not give stays as it was. */
typedef struct attribute_spec {
    const char *name;
    attribute_kind kind;
    void *target; /* int64_t, float or ProtobufCBinaryData; int64_t[count] for INTS */
    size_t count;
} attribute_spec;

static const char *kind_name(int kind)
{
    switch (kind) {
    case ATTRIBUTE_INT: return "INT";
    case ATTRIBUTE_FLOAT: return "FLOAT";
    case ATTRIBUTE_STRING: return "STRING";
    case ATTRIBUTE_INTS: return "INTS";
    default: return "another type";
    }
}

static nnm_status read_attribute(const attribute_spec *spec, const Onnx__AttributeProto *attribute, nnm_error *err)
{
    if (attribute->ref_attr_name && *attribute->ref_attr_name)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "attribute '%s' refers to '%s' of a function; that is not supported",
                        spec->name, attribute->ref_attr_name);
    if (!attribute->has_type || (int)attribute->type != (int)spec->kind)
        return nnm_fail(err, NNM_ERR_VALUE, "attribute '%s' has %s; it must be %s", spec->name,
                        attribute->has_type ? kind_name((int)attribute->type) : "no type", kind_name(spec->kind));
    switch (spec->kind) {
    case ATTRIBUTE_INT: *(int64_t *)spec->target = attribute->i; break;
    case ATTRIBUTE_FLOAT: *(float *)spec->target = attribute->f; break;
    case ATTRIBUTE_STRING: *(ProtobufCBinaryData *)spec->target = attribute->s; break;
    case ATTRIBUTE_INTS:
        if (attribute->n_ints != spec->count)
            return nnm_fail(err, NNM_ERR_UNSUPPORTED, "attribute '%s' has %zu numbers; only %zu are supported",
                            spec->name, attribute->n_ints, spec->count);
        memcpy(spec->target, attribute->ints, spec->count * sizeof(int64_t));
        break;
    }
    return NNM_OK;
}

static nnm_status read_attributes(const node_proto *node, const attribute_spec *specs, size_t count, nnm_error *err)
{
    unsigned seen = 0;
    for (size_t i = 0; i < node->n_attribute; i++) {
        const Onnx__AttributeProto *attribute = node->attribute[i];
        const char *name = text_of(attribute->name);
        size_t which = 0;
        while (which < count && strcmp(specs[which].name, name) != 0)
            which++;
        if (which == count) return nnm_fail(err, NNM_ERR_UNSUPPORTED, "attribute '%s' is not supported", name);
        if (seen >> which & 1) return nnm_fail(err, NNM_ERR_VALUE, "attribute '%s' is given twice", name);
        seen |= 1u << which;
        nnm_status status = read_attribute(&specs[which], attribute, err);
        if (status) return status;
    }
    return NNM_OK;
}

static nnm_status require_int(const char *name, int64_t value, int64_t wanted, nnm_error *err)
{
    if (value == wanted) return NNM_OK;
    return nnm_fail(err, NNM_ERR_UNSUPPORTED, "attribute '%s' is %" PRId64 "; only %" PRId64 " is supported", name,
                    value, wanted);
}

static nnm_status require_float(const char *name, float value, float wanted, nnm_error *err)
{
    if (value == wanted) return NNM_OK;
    return nnm_fail(err, NNM_ERR_UNSUPPORTED, "attribute '%s' is %g; only %g is supported", name, (double)value,
                    (double)wanted);
}

/* ---- inputs ---- */

/* Inputs that a node gives; empty names at the end are optional inputs left out. */
static size_t given_inputs(const node_proto *node)
{
    size_t count = node->n_input;
    while (count && !*text_of(node->input[count - 1]))
        count--;
    return count;
}

nnm_status nnm_onnx_resolve(nnm_onnx_reader *reader, const char *name, nnm_tensor_id *id)
{
    if (nnm_graph_find(reader->graph, text_of(name), id)) {
        if (!nnm_onnx_is_turned(reader, name)) return NNM_OK;
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "input '%s' is the weight of a MatMul too", name);
    }
    Onnx__TensorProto *constant = nnm_onnx_constant(reader, text_of(name));
    if (constant) return nnm_onnx_take_constant(reader, constant, id);
    if (nnm_onnx_in_shuffle(reader, text_of(name)))
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED,
                        "input '%s' is the inside of a channel shuffle (Reshape, Transpose, Reshape); only its end may "
                        "be read",
                        name);
    return nnm_fail(reader->err, NNM_ERR_VALUE,
                    "input '%s' is neither an input of the model nor an initialiser, and no node before computes it",
                    text_of(name));
}

static nnm_status resolve_input(nnm_onnx_reader *reader, const node_proto *node, const nnm_op_info *info, size_t index,
                                nnm_tensor_id *id)
{
    const char *name = text_of(node->input[index]);
    if (!*name) return nnm_fail(reader->err, NNM_ERR_VALUE, "input %zu is left out, but it is needed", index);
    nnm_status status = nnm_onnx_resolve(reader, name, id);
    if (status || !(info->constants >> index & 1) || nnm_graph_tensor(reader->graph, *id)->data) return status;
    return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED,
                    "input '%s' is computed or fed; only initialisers are supported there", name);
}

/* Adds the graph's node, with the outputs of `node`. */
static nnm_status add_resolved(nnm_onnx_reader *reader, const node_proto *node, nnm_op op,
                               const nnm_attributes *attributes, const nnm_tensor_id *inputs, size_t input_count)
{
    const char *names[NNM_NODE_MAX_OUTPUTS] = {NULL};
    nnm_tensor_id outputs[NNM_NODE_MAX_OUTPUTS];
    for (size_t i = 0; i < node->n_output && i < NNM_NODE_MAX_OUTPUTS; i++) {
        names[i] = node->output[i];
        if (nnm_onnx_in_shuffle(reader, names[i]))
            return nnm_fail(reader->err, NNM_ERR_VALUE, "the name '%s' is taken by another tensor", names[i]);
    }
    nnm_status status =
        nnm_graph_add_named_node(reader->graph, op, names, attributes, inputs, input_count, outputs, reader->err);
    return nnm_onnx_as_value(status, reader->err);
}

/* Adds the graph's node for `node`, whose inputs from `input_count` on are not the graph's. */
static nnm_status add_node(nnm_onnx_reader *reader, const node_proto *node, nnm_op op, const nnm_attributes *attributes,
                           size_t input_count)
{
    if (input_count > NNM_NODE_MAX_INPUTS)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it has %zu inputs; at most %d are supported", input_count,
                        NNM_NODE_MAX_INPUTS);
    nnm_tensor_id inputs[NNM_NODE_MAX_INPUTS] = {0};
    for (size_t i = 0; i < input_count; i++) {
        nnm_status status = resolve_input(reader, node, nnm_op_find(op), i, &inputs[i]);
        if (status) return status;
    }
    return add_resolved(reader, node, op, attributes, inputs, input_count);
}

/* ---- operators ---- */

static bool is_text(ProtobufCBinaryData data, const char *text)
{
    return data.len == strlen(text) && memcmp(data.data, text, data.len) == 0;
}

static nnm_status read_padding(nnm_attributes *a, ProtobufCBinaryData auto_pad, const int64_t pads[4], nnm_error *err)
{
    bool any = pads[0] || pads[1] || pads[2] || pads[3];
    if (auto_pad.len == 0 || is_text(auto_pad, "NOTSET")) {
        a->pad_top = pads[0];
        a->pad_left = pads[1];
        a->pad_bottom = pads[2];
        a->pad_right = pads[3];
        return NNM_OK;
    }
    if (!is_text(auto_pad, "SAME_UPPER"))
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "auto_pad '%.*s' is not supported; NOTSET and SAME_UPPER are",
                        (int)(auto_pad.len < 64 ? auto_pad.len : 64), (const char *)auto_pad.data);
    if (any) return nnm_fail(err, NNM_ERR_VALUE, "auto_pad and pads are both given");
    a->padding = NNM_PADDING_SAME;
    return NNM_OK;
}

/* kernel_shape may be left out: the weight has it too. */
static void take_kernel_shape(const nnm_onnx_reader *reader, const node_proto *node, int64_t kernel[2])
{
    if (kernel[0] || kernel[1] || node->n_input < 2) return;
    const Onnx__TensorProto *weight = nnm_onnx_constant(reader, text_of(node->input[1]));
    if (!weight || weight->n_dims != 4) return;
    kernel[0] = weight->dims[2];
    kernel[1] = weight->dims[3];
}

static nnm_status check_dilations(const int64_t dilations[2], nnm_error *err)
{
    if (dilations[0] == 1 && dilations[1] == 1) return NNM_OK;
    return nnm_fail(err, NNM_ERR_UNSUPPORTED, "dilations are %" PRId64 " and %" PRId64 "; only 1 is supported",
                    dilations[0], dilations[1]);
}

static nnm_status read_conv(nnm_onnx_reader *reader, const node_proto *node)
{
    int64_t dilations[2] = {1, 1}, kernel[2] = {0}, pads[4] = {0}, strides[2] = {1, 1}, group = 1;
    ProtobufCBinaryData auto_pad = {0};
    const attribute_spec specs[] = {
        {"auto_pad", ATTRIBUTE_STRING, &auto_pad, 0},
        {"dilations", ATTRIBUTE_INTS, dilations, 2},
        {"group", ATTRIBUTE_INT, &group, 0},
        {"kernel_shape", ATTRIBUTE_INTS, kernel, 2},
        {"pads", ATTRIBUTE_INTS, pads, 4},
        {"strides", ATTRIBUTE_INTS, strides, 2},
    };
    nnm_status status = read_attributes(node, specs, sizeof specs / sizeof *specs, reader->err);
    if (status) return status;
    if ((status = check_dilations(dilations, reader->err))) return status;
    take_kernel_shape(reader, node, kernel);
    nnm_attributes attributes = {
        .kernel_h = kernel[0], .kernel_w = kernel[1], .stride_h = strides[0], .stride_w = strides[1], .groups = group};
    if ((status = read_padding(&attributes, auto_pad, pads, reader->err))) return status;
    return add_node(reader, node, NNM_OP_CONV, &attributes, given_inputs(node));
}

static nnm_status read_pool(nnm_onnx_reader *reader, const node_proto *node, bool average)
{
    int64_t dilations[2] = {1, 1}, kernel[2] = {0}, pads[4] = {0}, strides[2] = {1, 1};
    int64_t ceil_mode = 0, count_include_pad = 0, storage_order = 0;
    ProtobufCBinaryData auto_pad = {0};
    const attribute_spec specs[] = {
        {"auto_pad", ATTRIBUTE_STRING, &auto_pad, 0},
        {"ceil_mode", ATTRIBUTE_INT, &ceil_mode, 0},
        {"dilations", ATTRIBUTE_INTS, dilations, 2},
        {"kernel_shape", ATTRIBUTE_INTS, kernel, 2},
        {"pads", ATTRIBUTE_INTS, pads, 4},
        {"strides", ATTRIBUTE_INTS, strides, 2},
        average ? (attribute_spec){"count_include_pad", ATTRIBUTE_INT, &count_include_pad, 0}
                : (attribute_spec){"storage_order", ATTRIBUTE_INT, &storage_order, 0},
    };
    nnm_status status = read_attributes(node, specs, sizeof specs / sizeof *specs, reader->err);
    if (!status) status = require_int("ceil_mode", ceil_mode, 0, reader->err);
    if (!status) status = require_int("storage_order", storage_order, 0, reader->err);
    if (!status) status = check_dilations(dilations, reader->err);
    if (status) return status;
    nnm_attributes attributes = {
        .kernel_h = kernel[0], .kernel_w = kernel[1], .stride_h = strides[0], .stride_w = strides[1]};
    if ((status = read_padding(&attributes, auto_pad, pads, reader->err))) return status;
    bool pads_nothing = attributes.padding == NNM_PADDING_EXPLICIT && !pads[0] && !pads[1] && !pads[2] && !pads[3];
    if (!pads_nothing && (status = require_int("count_include_pad", count_include_pad, 0, reader->err))) return status;
    return add_node(reader, node, average ? NNM_OP_AVERAGE_POOL : NNM_OP_MAX_POOL, &attributes, given_inputs(node));
}

static nnm_status read_max_pool(nnm_onnx_reader *reader, const node_proto *node)
{
    return read_pool(reader, node, false);
}

static nnm_status read_average_pool(nnm_onnx_reader *reader, const node_proto *node)
{
    return read_pool(reader, node, true);
}

static nnm_status read_batch_norm(nnm_onnx_reader *reader, const node_proto *node)
{
    float epsilon = 1e-5F, momentum = 0.9F; /* momentum matters in training only */
    int64_t training_mode = 0, spatial = 1;
    attribute_spec specs[3] = {
        {"epsilon", ATTRIBUTE_FLOAT, &epsilon, 0},
        {"momentum", ATTRIBUTE_FLOAT, &momentum, 0},
    };
    size_t count = 2;
    if (reader->opset >= 14) specs[count++] = (attribute_spec){"training_mode", ATTRIBUTE_INT, &training_mode, 0};
    if (reader->opset < 9) specs[count++] = (attribute_spec){"spatial", ATTRIBUTE_INT, &spatial, 0};
    nnm_status status = read_attributes(node, specs, count, reader->err);
    if (!status) status = require_int("training_mode", training_mode, 0, reader->err);
    if (!status) status = require_int("spatial", spatial, 1, reader->err);
    if (status) return status;
    nnm_attributes attributes = {.epsilon = (double)epsilon};
    return add_node(reader, node, NNM_OP_BATCH_NORM, &attributes, given_inputs(node));
}

/* An operator without attributes whose inputs are those of the graph's. */
static nnm_status read_plain(nnm_onnx_reader *reader, const node_proto *node, nnm_op op)
{
    nnm_status status = read_attributes(node, NULL, 0, reader->err);
    return status ? status : add_node(reader, node, op, NULL, given_inputs(node));
}

static nnm_status read_relu(nnm_onnx_reader *reader, const node_proto *node)
{
    return read_plain(reader, node, NNM_OP_RELU);
}

static nnm_status read_sigmoid(nnm_onnx_reader *reader, const node_proto *node)
{
    return read_plain(reader, node, NNM_OP_SIGMOID);
}

static nnm_status read_hard_swish(nnm_onnx_reader *reader, const node_proto *node)
{
    return read_plain(reader, node, NNM_OP_HARD_SWISH);
}

static nnm_status read_global_average_pool(nnm_onnx_reader *reader, const node_proto *node)
{
    return read_plain(reader, node, NNM_OP_GLOBAL_AVERAGE_POOL);
}

static nnm_status read_add(nnm_onnx_reader *reader, const node_proto *node)
{
    return read_plain(reader, node, NNM_OP_ADD);
}

/* The smaller factor may stand on either side, and is the second in the graph. */
static nnm_status read_mul(nnm_onnx_reader *reader, const node_proto *node)
{
    nnm_status status = read_attributes(node, NULL, 0, reader->err);
    if (status) return status;
    if (given_inputs(node) != 2)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "it has %zu inputs; it takes 2", given_inputs(node));
    nnm_tensor_id x[2];
    for (size_t i = 0; i < 2; i++)
        if ((status = resolve_input(reader, node, nnm_op_find(NNM_OP_MULTIPLY), i, &x[i]))) return status;
    const nnm_shape *a = &nnm_graph_tensor(reader->graph, x[0])->shape;
    const nnm_shape *b = &nnm_graph_tensor(reader->graph, x[1])->shape;
    bool smaller_first = nnm_shape_elements(a) < nnm_shape_elements(b);
    const nnm_tensor_id factors[2] = {x[smaller_first], x[!smaller_first]};
    return add_resolved(reader, node, NNM_OP_MULTIPLY, NULL, factors, 2);
}

/* alpha is 1 / 6 in as many digits as the file gives. */
static nnm_status read_hard_sigmoid(nnm_onnx_reader *reader, const node_proto *node)
{
    float alpha = 0.2F, beta = 0.5F;
    const attribute_spec specs[] = {{"alpha", ATTRIBUTE_FLOAT, &alpha, 0}, {"beta", ATTRIBUTE_FLOAT, &beta, 0}};
    nnm_status status = read_attributes(node, specs, 2, reader->err);
    if (status) return status;
    if (!(alpha > 0.166666F && alpha < 0.166667F))
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "attribute 'alpha' is %g; only 1/6 is supported",
                        (double)alpha);
    if ((status = require_float("beta", beta, 0.5F, reader->err))) return status;
    return add_node(reader, node, NNM_OP_HARD_SIGMOID, NULL, given_inputs(node));
}

static nnm_status read_concat(nnm_onnx_reader *reader, const node_proto *node)
{
    int64_t axis = 0;
    const attribute_spec specs[] = {{"axis", ATTRIBUTE_INT, &axis, 0}};
    nnm_status status = read_attributes(node, specs, 1, reader->err);
    if (!status) status = require_int("axis", axis, 1, reader->err);
    return status ? status : add_node(reader, node, NNM_OP_CONCAT, NULL, given_inputs(node));
}

/* Sizes are an attribute before opset 13 and an input from then on; without them the parts are equal. */
static nnm_status read_split(nnm_onnx_reader *reader, const node_proto *node)
{
    int64_t axis = 0, sizes[2] = {0}, parts = 2;
    size_t size_count = 2, inputs = given_inputs(node);
    attribute_spec specs[3] = {{"axis", ATTRIBUTE_INT, &axis, 0}};
    size_t count = 1;
    if (reader->opset < 13) specs[count++] = (attribute_spec){"split", ATTRIBUTE_INTS, sizes, 2};
    if (reader->opset >= 18) specs[count++] = (attribute_spec){"num_outputs", ATTRIBUTE_INT, &parts, 0};
    nnm_status status = read_attributes(node, specs, count, reader->err);
    if (!status) status = require_int("axis", axis, 1, reader->err);
    if (!status) status = require_int("num_outputs", parts, 2, reader->err);
    if (!status && reader->opset >= 13 && inputs == 2) {
        status = nnm_onnx_read_integers(reader, node->input[1], sizes, 2, &size_count);
        inputs = 1;
    }
    if (status) return status;
    if (node->n_output != 2 || size_count != 2 || sizes[0] != sizes[1])
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it does not give two equal parts; others are not supported");
    nnm_tensor_id x;
    if (inputs != 1) return nnm_fail(reader->err, NNM_ERR_VALUE, "it has %zu inputs; it takes 1", inputs);
    if ((status = resolve_input(reader, node, nnm_op_find(NNM_OP_SPLIT), 0, &x))) return status;
    const nnm_shape *shape = &nnm_graph_tensor(reader->graph, x)->shape;
    if (sizes[0] && (shape->rank < 2 || sizes[0] != shape->dim[1] - sizes[1]))
        return nnm_fail(reader->err, NNM_ERR_VALUE, "its parts of %" PRId64 " channels are not the whole of its input",
                        sizes[0]);
    return add_resolved(reader, node, NNM_OP_SPLIT, NULL, &x, 1);
}

static nnm_status read_reshape(nnm_onnx_reader *reader, const node_proto *node)
{
    int64_t allow_zero = 0;
    const attribute_spec specs[] = {{"allowzero", ATTRIBUTE_INT, &allow_zero, 0}};
    nnm_status status = read_attributes(node, specs, 1, reader->err);
    if (!status) status = require_int("allowzero", allow_zero, 0, reader->err);
    return status ? status : nnm_onnx_read_reshape(reader, node);
}

static nnm_status read_transpose(nnm_onnx_reader *reader, const node_proto *node)
{
    int64_t order[5] = {0};
    const attribute_spec specs[] = {{"perm", ATTRIBUTE_INTS, order, 5}};
    nnm_status status = read_attributes(node, specs, 1, reader->err);
    return status ? status : nnm_onnx_read_transpose(reader, node, order, 5);
}

/* The second factor must be an initialiser: the layer's weight, [K, N]. */
static nnm_status read_matmul(nnm_onnx_reader *reader, const node_proto *node)
{
    nnm_status status = read_attributes(node, NULL, 0, reader->err);
    if (status) return status;
    if (given_inputs(node) != 2)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "it has %zu inputs; it takes 2", given_inputs(node));
    nnm_tensor_id inputs[2];
    if ((status = resolve_input(reader, node, nnm_op_find(NNM_OP_FULLY_CONNECTED), 0, &inputs[0]))) return status;
    if ((status = nnm_onnx_take_turned(reader, text_of(node->input[1]), &inputs[1]))) return status;
    return add_resolved(reader, node, NNM_OP_FULLY_CONNECTED, NULL, inputs, 2);
}

/* Reads a limit of Clip, which is an initialiser with one element from opset 11 on. */
static nnm_status read_limit(const nnm_onnx_reader *reader, const node_proto *node, size_t input, float *limit)
{
    const char *name = input < node->n_input ? text_of(node->input[input]) : "";
    if (!*name) return NNM_OK;
    const Onnx__TensorProto *constant = nnm_onnx_constant(reader, name);
    if (!constant) return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "the limit '%s' is not an initialiser", name);
    nnm_shape shape;
    nnm_status status = nnm_onnx_check_constant(constant, &shape, reader->err);
    if (status) return status;
    if (nnm_shape_elements(&shape) != 1)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "the limit '%s' has more than one value", name);
    memcpy(limit, nnm_onnx_constant_data(constant), sizeof *limit);
    return NNM_OK;
}

static nnm_status read_clip(nnm_onnx_reader *reader, const node_proto *node)
{
    float minimum = -FLT_MAX, maximum = FLT_MAX;
    const attribute_spec specs[] = {
        {"min", ATTRIBUTE_FLOAT, &minimum, 0},
        {"max", ATTRIBUTE_FLOAT, &maximum, 0},
    };
    bool limits_are_inputs = reader->opset >= 11;
    nnm_status status = read_attributes(node, specs, limits_are_inputs ? 0 : 2, reader->err);
    if (status) return status;
    size_t inputs = given_inputs(node);
    if (limits_are_inputs) {
        if (inputs > 3) return nnm_fail(reader->err, NNM_ERR_VALUE, "it has %zu inputs; at most 3 are allowed", inputs);
        if ((status = read_limit(reader, node, 1, &minimum))) return status;
        if ((status = read_limit(reader, node, 2, &maximum))) return status;
        if (inputs > 1) inputs = 1;
    }
    if (minimum != 0 || maximum != 6)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "the limits are %g and %g; only 0 and 6 are supported",
                        (double)minimum, (double)maximum);
    return add_node(reader, node, NNM_OP_RELU6, NULL, inputs);
}

static nnm_status read_flatten(nnm_onnx_reader *reader, const node_proto *node)
{
    int64_t axis = 1;
    const attribute_spec specs[] = {{"axis", ATTRIBUTE_INT, &axis, 0}};
    nnm_status status = read_attributes(node, specs, 1, reader->err);
    if (!status) status = require_int("axis", axis, 1, reader->err);
    return status ? status : add_node(reader, node, NNM_OP_FLATTEN, NULL, given_inputs(node));
}

static nnm_status read_gemm(nnm_onnx_reader *reader, const node_proto *node)
{
    float alpha = 1, beta = 1;
    int64_t trans_a = 0, trans_b = 0;
    const attribute_spec specs[] = {
        {"alpha", ATTRIBUTE_FLOAT, &alpha, 0},
        {"beta", ATTRIBUTE_FLOAT, &beta, 0},
        {"transA", ATTRIBUTE_INT, &trans_a, 0},
        {"transB", ATTRIBUTE_INT, &trans_b, 0},
    };
    nnm_status status = read_attributes(node, specs, sizeof specs / sizeof *specs, reader->err);
    if (!status) status = require_float("alpha", alpha, 1, reader->err);
    if (!status) status = require_float("beta", beta, 1, reader->err);
    if (!status) status = require_int("transA", trans_a, 0, reader->err);
    if (!status) status = require_int("transB", trans_b, 1, reader->err);
    return status ? status : add_node(reader, node, NNM_OP_FULLY_CONNECTED, NULL, given_inputs(node));
}

/* A weight of zeros, which the file does not hold. Its readers may look at each of them: all together are limited. */
static nnm_status read_constant_of_shape(nnm_onnx_reader *reader, const node_proto *node)
{
    nnm_error *err = reader->err;
    nnm_shape shape = {0};
    nnm_tensor_id id;
    const char *name = text_of(node->output[0]);
    if (node->n_attribute)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "it has an attribute; only zeros, without one, are supported");
    if (given_inputs(node) != 1)
        return nnm_fail(err, NNM_ERR_VALUE, "it has %zu inputs; it takes 1", given_inputs(node));
    if (nnm_onnx_constant(reader, name) || nnm_onnx_in_shuffle(reader, name))
        return nnm_fail(err, NNM_ERR_VALUE, "the name '%s' is taken by another tensor", name);
    nnm_status status = nnm_onnx_read_integers(reader, node->input[0], shape.dim, NNM_MAX_RANK, &shape.rank);
    if (status) return status;
    int64_t count = nnm_shape_elements(&shape);
    if (count > 0 && (uint64_t)count > reader->zeros_left / sizeof(float))
        return nnm_fail(err, NNM_ERR_VALUE, "weights of zeros take more than %d bytes in all", INT32_MAX);
    status = nnm_graph_add_zeros(reader->graph, name, &shape, &id, err);
    if (status) return nnm_onnx_as_value(status, err);
    reader->zeros_left -= (size_t)count * sizeof(float);
    return NNM_OK;
}

/* ---- nodes ---- */

static const struct {
    const char *op_type;
    nnm_status (*read)(nnm_onnx_reader *reader, const node_proto *node);
    size_t outputs; /* that it may have */
} operators[] = {
    {"Add", read_add, 1},
    {"AveragePool", read_average_pool, 1},
    {"BatchNormalization", read_batch_norm, 1},
    {"Clip", read_clip, 1},
    {"Concat", read_concat, 1},
    {"ConstantOfShape", read_constant_of_shape, 1},
    {"Conv", read_conv, 1},
    {"Flatten", read_flatten, 1},
    {"Gemm", read_gemm, 1},
    {"GlobalAveragePool", read_global_average_pool, 1},
    {"HardSigmoid", read_hard_sigmoid, 1},
    {"HardSwish", read_hard_swish, 1},
    {"MatMul", read_matmul, 1},
    {"MaxPool", read_max_pool, 1},
    {"Mul", read_mul, 1},
    {"Relu", read_relu, 1},
    {"Reshape", read_reshape, 1},
    {"Sigmoid", read_sigmoid, 1},
    {"Split", read_split, 2},
    {"Transpose", read_transpose, 1},
};

static nnm_status check_outputs(const node_proto *node, size_t allowed, nnm_error *err)
{
    if (node->n_output == 0 || !*text_of(node->output[0])) return nnm_fail(err, NNM_ERR_VALUE, "it has no output");
    for (size_t i = allowed; i < node->n_output; i++)
        if (*text_of(node->output[i]))
            return nnm_fail(err, NNM_ERR_UNSUPPORTED, "its output '%s' is not supported; only %zu %s", node->output[i],
                            allowed, allowed == 1 ? "is" : "are");
    return NNM_OK;
}

static nnm_status read_operator(nnm_onnx_reader *reader, const node_proto *node)
{
    const char *domain = text_of(node->domain);
    const char *op_type = text_of(node->op_type);
    bool standard = !*domain || strcmp(domain, "ai.onnx") == 0;
    for (size_t i = 0; standard && i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].op_type, op_type) != 0) continue;
        nnm_status status = check_outputs(node, operators[i].outputs, reader->err);
        return status ? status : operators[i].read(reader, node);
    }
    return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "the operator %s%s%s is not supported", standard ? "" : domain,
                    standard ? "" : "::", *op_type ? op_type : "without a name");
}

nnm_status nnm_onnx_read_node(nnm_onnx_reader *reader, const node_proto *node)
{
    nnm_status status = read_operator(reader, node);
    const char *name = text_of(node->name);
    if (!*name && node->n_output) name = text_of(node->output[0]);
    return status ? nnm_context(reader->err, status, "%s '%s'", text_of(node->op_type), name) : NNM_OK;
}
