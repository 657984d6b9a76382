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

/* Finds input `index`; an initialiser that is used for the first time becomes a constant of the graph. */
static nnm_status resolve_input(nnm_onnx_reader *reader, const node_proto *node, const nnm_op_info *info, size_t index,
                                nnm_tensor_id *id)
{
    const char *name = text_of(node->input[index]);
    if (!*name) return nnm_fail(reader->err, NNM_ERR_VALUE, "input %zu is left out, but it is needed", index);
    if (nnm_graph_find(reader->graph, name, id)) {
        const nnm_tensor *tensor = nnm_graph_tensor(reader->graph, *id);
        if (!(info->constants >> index & 1) || tensor->data) return NNM_OK;
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED,
                        "input '%s' is computed or fed; only initialisers are supported there", name);
    }
    Onnx__TensorProto *constant = nnm_onnx_constant(reader, name);
    if (constant) return nnm_onnx_take_constant(reader, constant, id);
    return nnm_fail(reader->err, NNM_ERR_VALUE,
                    "input '%s' is neither an input of the model nor an initialiser, and no node before computes it",
                    name);
}

/* Adds the graph's node for `node`, whose inputs from `input_count` on are not the graph's. */
static nnm_status add_node(nnm_onnx_reader *reader, const node_proto *node, nnm_op op, const nnm_attributes *attributes,
                           size_t input_count)
{
    if (input_count > NNM_NODE_MAX_INPUTS)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it has %zu inputs; at most %d are supported", input_count,
                        NNM_NODE_MAX_INPUTS);
    nnm_tensor_id inputs[NNM_NODE_MAX_INPUTS] = {0}, output = 0;
    for (size_t i = 0; i < input_count; i++) {
        nnm_status status = resolve_input(reader, node, nnm_op_find(op), i, &inputs[i]);
        if (status) return status;
    }
    nnm_status status =
        nnm_graph_add_node(reader->graph, op, node->output[0], attributes, inputs, input_count, &output, reader->err);
    return nnm_onnx_as_value(status, reader->err);
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
    if (dilations[0] != 1 || dilations[1] != 1)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED,
                        "dilations are %" PRId64 " and %" PRId64 "; only 1 is supported", dilations[0], dilations[1]);
    take_kernel_shape(reader, node, kernel);
    nnm_attributes attributes = {
        .kernel_h = kernel[0], .kernel_w = kernel[1], .stride_h = strides[0], .stride_w = strides[1], .groups = group};
    if ((status = read_padding(&attributes, auto_pad, pads, reader->err))) return status;
    return add_node(reader, node, NNM_OP_CONV, &attributes, given_inputs(node));
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

static nnm_status read_relu(nnm_onnx_reader *reader, const node_proto *node)
{
    nnm_status status = read_attributes(node, NULL, 0, reader->err);
    return status ? status : add_node(reader, node, NNM_OP_RELU, NULL, given_inputs(node));
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

/* ---- nodes ---- */

static const struct {
    const char *op_type;
    nnm_status (*read)(nnm_onnx_reader *reader, const node_proto *node);
} operators[] = {
    {"Conv", read_conv},       {"BatchNormalization", read_batch_norm},
    {"Relu", read_relu},       {"Clip", read_clip},
    {"Flatten", read_flatten}, {"Gemm", read_gemm},
};

static nnm_status check_outputs(const node_proto *node, nnm_error *err)
{
    if (node->n_output == 0 || !*text_of(node->output[0])) return nnm_fail(err, NNM_ERR_VALUE, "it has no output");
    for (size_t i = 1; i < node->n_output; i++)
        if (*text_of(node->output[i]))
            return nnm_fail(err, NNM_ERR_UNSUPPORTED, "its output '%s' is not supported; only the first is",
                            node->output[i]);
    return NNM_OK;
}

static nnm_status read_operator(nnm_onnx_reader *reader, const node_proto *node)
{
    const char *domain = text_of(node->domain);
    const char *op_type = text_of(node->op_type);
    bool standard = !*domain || strcmp(domain, "ai.onnx") == 0;
    for (size_t i = 0; standard && i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].op_type, op_type) != 0) continue;
        nnm_status status = check_outputs(node, reader->err);
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
