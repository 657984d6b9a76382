#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "graph/names.h"
#include "nnmeter/model_file.h"
#include "onnx.pb-c.h"

#define ONNX_IR_VERSION 8
#define ONNX_OPSET 14
#define MAX_FILE_BYTES INT32_MAX

/* raw_data is little-endian by definition; floats go there as they lie in memory. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ONNX files are written and read on little-endian machines only"
#endif

/* Messages with all they point to; weights, names and dimensions stay in the graph. */

#define NODE_MAX_ATTRIBUTES 5
#define NODE_MAX_NUMBERS 10

typedef struct node_parts {
    Onnx__NodeProto message;
    char *inputs[NNM_NODE_MAX_INPUTS];
    char *outputs[1];
    Onnx__AttributeProto attributes[NODE_MAX_ATTRIBUTES];
    Onnx__AttributeProto *attribute_list[NODE_MAX_ATTRIBUTES];
    int64_t numbers[NODE_MAX_NUMBERS];
    size_t number_count;
} node_parts;

typedef struct value_parts {
    Onnx__ValueInfoProto message;
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dims[NNM_MAX_RANK];
    Onnx__TensorShapeProto__Dimension *dim_list[NNM_MAX_RANK];
} value_parts;

typedef struct writer {
    const nnm_graph *graph;
    node_parts *nodes;
    Onnx__NodeProto **node_list;
    Onnx__TensorProto *tensors;
    Onnx__TensorProto **tensor_list;
    size_t tensor_count;
    value_parts *values; /* inputs, then outputs */
    Onnx__ValueInfoProto **value_list;
    char *clip_names[2]; /* the constants 0 and 6 that all Clips share; NULL: no Clip needs them */
    Onnx__GraphProto graph_message;
    Onnx__OperatorSetIdProto opset;
    Onnx__OperatorSetIdProto *opset_list[1];
    Onnx__ModelProto model;
} writer;

/* protobuf-c's messages know no const. Packing only reads them. */
static void *no_const(const void *pointer)
{
    void *copy = NULL;
    memcpy(&copy, &pointer, sizeof copy);
    return copy;
}

/* ---- attributes ---- */

static Onnx__AttributeProto *add_attribute(node_parts *node, const char *name, Onnx__AttributeProto__AttributeType type)
{
    size_t index = node->message.n_attribute++;
    Onnx__AttributeProto *attribute = &node->attributes[index];
    onnx__attribute_proto__init(attribute);
    attribute->name = no_const(name);
    attribute->has_type = 1;
    attribute->type = type;
    node->attribute_list[index] = attribute;
    return attribute;
}

static void add_int(node_parts *node, const char *name, int64_t value)
{
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    attribute->has_i = 1;
    attribute->i = value;
}

static void add_float(node_parts *node, const char *name, float value)
{
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    attribute->has_f = 1;
    attribute->f = value;
}

static void add_text(node_parts *node, const char *name, const char *value)
{
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    attribute->has_s = 1;
    attribute->s.len = strlen(value);
    attribute->s.data = no_const(value);
}

static void add_ints(node_parts *node, const char *name, const int64_t *values, size_t count)
{
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    attribute->n_ints = count;
    attribute->ints = node->numbers + node->number_count;
    memcpy(attribute->ints, values, count * sizeof *values);
    node->number_count += count;
}

/* ---- operators ---- */

static void add_input(node_parts *node, char *name)
{
    node->inputs[node->message.n_input++] = name;
}

static void make_conv(writer *w, node_parts *node, const nnm_attributes *a)
{
    (void)w;
    node->message.op_type = no_const("Conv");
    if (a->padding == NNM_PADDING_SAME) add_text(node, "auto_pad", "SAME_UPPER");
    add_ints(node, "dilations", (const int64_t[]){1, 1}, 2);
    add_int(node, "group", a->groups);
    add_ints(node, "kernel_shape", (const int64_t[]){a->kernel_h, a->kernel_w}, 2);
    if (a->padding == NNM_PADDING_EXPLICIT)
        add_ints(node, "pads", (const int64_t[]){a->pad_top, a->pad_left, a->pad_bottom, a->pad_right}, 4);
    add_ints(node, "strides", (const int64_t[]){a->stride_h, a->stride_w}, 2);
}

static void make_batch_norm(writer *w, node_parts *node, const nnm_attributes *a)
{
    (void)w;
    node->message.op_type = no_const("BatchNormalization");
    add_float(node, "epsilon", (float)a->epsilon);
}

static void make_relu(writer *w, node_parts *node, const nnm_attributes *a)
{
    (void)w;
    (void)a;
    node->message.op_type = no_const("Relu");
}

static void make_relu6(writer *w, node_parts *node, const nnm_attributes *a)
{
    (void)a;
    node->message.op_type = no_const("Clip");
    add_input(node, w->clip_names[0]);
    add_input(node, w->clip_names[1]);
}

static void make_flatten(writer *w, node_parts *node, const nnm_attributes *a)
{
    (void)w;
    (void)a;
    node->message.op_type = no_const("Flatten");
    add_int(node, "axis", 1);
}

static void make_fully_connected(writer *w, node_parts *node, const nnm_attributes *a)
{
    (void)w;
    (void)a;
    node->message.op_type = no_const("Gemm");
    add_int(node, "transB", 1);
}

/* Each sets the ONNX operator and its attributes, and adds inputs that the graph's node does not have. */
static void (*const makers[NNM_OP_COUNT])(writer *w, node_parts *node, const nnm_attributes *a) = {
    [NNM_OP_CONV] = make_conv,   [NNM_OP_BATCH_NORM] = make_batch_norm, [NNM_OP_RELU] = make_relu,
    [NNM_OP_RELU6] = make_relu6, [NNM_OP_FLATTEN] = make_flatten,       [NNM_OP_FULLY_CONNECTED] = make_fully_connected,
};

static void make_node(writer *w, size_t index)
{
    const nnm_node *node = nnm_graph_node(w->graph, index);
    node_parts *parts = &w->nodes[index];
    onnx__node_proto__init(&parts->message);
    parts->message.name = no_const(node->name);
    parts->message.input = parts->inputs;
    parts->message.output = parts->outputs;
    parts->message.n_output = 1;
    parts->message.attribute = parts->attribute_list;
    parts->outputs[0] = no_const(nnm_graph_tensor(w->graph, node->outputs[0])->name);
    for (size_t i = 0; i < node->input_count; i++)
        add_input(parts, no_const(nnm_graph_tensor(w->graph, node->inputs[i])->name));
    makers[node->op](w, parts, &node->attributes);
    w->node_list[index] = &parts->message;
}

/* ---- tensors and values ---- */

static void make_tensor(writer *w, const char *name, const nnm_shape *shape, const float *data)
{
    Onnx__TensorProto *tensor = &w->tensors[w->tensor_count];
    onnx__tensor_proto__init(tensor);
    tensor->name = no_const(name);
    tensor->has_data_type = 1;
    tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->n_dims = shape->rank;
    tensor->dims = no_const(shape->dim);
    tensor->has_raw_data = 1;
    tensor->raw_data.len = (size_t)nnm_shape_elements(shape) * sizeof *data;
    tensor->raw_data.data = no_const(data);
    w->tensor_list[w->tensor_count++] = tensor;
}

static void make_value(writer *w, size_t index, nnm_tensor_id id)
{
    const nnm_tensor *tensor = nnm_graph_tensor(w->graph, id);
    value_parts *value = &w->values[index];
    onnx__value_info_proto__init(&value->message);
    onnx__type_proto__init(&value->type);
    onnx__type_proto__tensor__init(&value->tensor);
    onnx__tensor_shape_proto__init(&value->shape);
    value->message.name = no_const(tensor->name);
    value->message.type = &value->type;
    value->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    value->type.tensor_type = &value->tensor;
    value->tensor.has_elem_type = 1;
    value->tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    value->tensor.shape = &value->shape;
    value->shape.n_dim = tensor->shape.rank;
    value->shape.dim = value->dim_list;
    for (size_t i = 0; i < tensor->shape.rank; i++) {
        onnx__tensor_shape_proto__dimension__init(&value->dims[i]);
        value->dims[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        value->dims[i].dim_value = tensor->shape.dim[i];
        value->dim_list[i] = &value->dims[i];
    }
    w->value_list[index] = &value->message;
}

/* A name like `stem` that no tensor of the graph has. */
static char *free_name(const nnm_graph *graph, const char *stem)
{
    nnm_tensor_id id;
    char *name = nnm_strdup(stem);
    for (size_t number = 1; name && nnm_graph_find(graph, name, &id); number++) {
        free(name);
        name = nnm_format("%s_%zu", stem, number);
    }
    return name;
}

static nnm_status make_clip_limits(writer *w, nnm_error *err)
{
    static const float limits[2] = {0.0F, 6.0F};
    static const char *const stems[2] = {"relu6.min", "relu6.max"};
    static const nnm_shape scalar = {0};
    bool needed = false;
    for (size_t i = 0; i < nnm_graph_node_count(w->graph); i++)
        needed = needed || nnm_graph_node(w->graph, i)->op == NNM_OP_RELU6;
    for (size_t i = 0; i < 2 && needed; i++) {
        w->clip_names[i] = free_name(w->graph, stems[i]);
        if (!w->clip_names[i]) return nnm_fail_memory(err);
        make_tensor(w, w->clip_names[i], &scalar, &limits[i]);
    }
    return NNM_OK;
}

/* ---- the model ---- */

static nnm_status allocate(writer *w, nnm_error *err)
{
    size_t nodes = nnm_graph_node_count(w->graph);
    size_t tensors = nnm_graph_tensor_count(w->graph) + 2;
    size_t values = nnm_graph_input_count(w->graph) + nnm_graph_output_count(w->graph);
    w->nodes = nnm_calloc(nodes, sizeof *w->nodes);
    w->node_list = nnm_calloc(nodes, sizeof *w->node_list);
    w->tensors = nnm_calloc(tensors, sizeof *w->tensors);
    w->tensor_list = nnm_calloc(tensors, sizeof *w->tensor_list);
    w->values = nnm_calloc(values, sizeof *w->values);
    w->value_list = nnm_calloc(values, sizeof *w->value_list);
    if (w->nodes && w->node_list && w->tensors && w->tensor_list && w->values && w->value_list) return NNM_OK;
    return nnm_fail_memory(err);
}

static void release(writer *w)
{
    free(w->nodes);
    free(w->node_list);
    free(w->tensors);
    free(w->tensor_list);
    free(w->values);
    free(w->value_list);
    free(w->clip_names[0]);
    free(w->clip_names[1]);
}

static void make_graph(writer *w)
{
    const nnm_graph *graph = w->graph;
    Onnx__GraphProto *message = &w->graph_message;
    onnx__graph_proto__init(message);
    message->name = no_const("nn-meter");
    message->n_input = nnm_graph_input_count(graph);
    message->n_output = nnm_graph_output_count(graph);
    message->n_node = nnm_graph_node_count(graph);
    for (size_t i = 0; i < message->n_node; i++)
        make_node(w, i);
    for (size_t i = 0; i < message->n_input; i++)
        make_value(w, i, nnm_graph_input(graph, i));
    for (size_t i = 0; i < message->n_output; i++)
        make_value(w, message->n_input + i, nnm_graph_output(graph, i));
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++) {
        const nnm_tensor *tensor = nnm_graph_tensor(graph, i);
        if (tensor->data) make_tensor(w, tensor->name, &tensor->shape, tensor->data);
    }
    message->node = w->node_list;
    message->input = w->value_list;
    message->output = w->value_list + message->n_input;
    message->n_initializer = w->tensor_count;
    message->initializer = w->tensor_list;
}

static void make_model(writer *w)
{
    onnx__operator_set_id_proto__init(&w->opset);
    w->opset.domain = no_const("");
    w->opset.has_version = 1;
    w->opset.version = ONNX_OPSET;
    w->opset_list[0] = &w->opset;
    onnx__model_proto__init(&w->model);
    w->model.has_ir_version = 1;
    w->model.ir_version = ONNX_IR_VERSION;
    w->model.producer_name = no_const("nn-meter");
    w->model.producer_version = no_const(nnm_version());
    w->model.graph = &w->graph_message;
    w->model.n_opset_import = 1;
    w->model.opset_import = w->opset_list;
}

/* ---- the file ---- */

typedef struct file_sink {
    ProtobufCBuffer base;
    FILE *stream;
    int error; /* errno of the first write that failed */
} file_sink;

static void append_to_file(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes)
{
    file_sink *sink = (file_sink *)buffer;
    if (!sink->error && size && fwrite(bytes, 1, size, sink->stream) != size) sink->error = errno ? errno : EIO;
}

static nnm_status write_model(const Onnx__ModelProto *model, const char *path, nnm_error *err)
{
    size_t size = protobuf_c_message_get_packed_size(&model->base);
    if (size > MAX_FILE_BYTES)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "cannot write '%s': it would have %zu bytes; ONNX allows %d", path,
                        size, MAX_FILE_BYTES);
    nnm_atomic_file file;
    nnm_status status = nnm_atomic_file_open(&file, path, err);
    if (status) return status;
    file_sink sink = {{append_to_file}, file.stream, 0};
    protobuf_c_message_pack_to_buffer(&model->base, &sink.base);
    if (sink.error) {
        errno = sink.error;
        status = nnm_fail_errno(err, "cannot write '%s'", path);
        nnm_atomic_file_discard(&file);
        return status;
    }
    return nnm_atomic_file_commit(&file, err);
}

static nnm_status check_operators(const nnm_graph *graph, const char *path, nnm_error *err)
{
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++) {
        const nnm_node *node = nnm_graph_node(graph, i);
        if (!makers[node->op])
            return nnm_fail(err, NNM_ERR_UNSUPPORTED, "cannot write '%s': %s '%s' is not supported", path,
                            nnm_op_name(node->op), node->name);
    }
    return NNM_OK;
}

nnm_status nnm_onnx_write(const nnm_graph *graph, const char *path, nnm_error *err)
{
    if (nnm_graph_layout(graph) != NNM_LAYOUT_NCHW)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "cannot write '%s': ONNX needs the layout NCHW, the graph is NHWC",
                        path);
    if (nnm_graph_output_count(graph) == 0)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "cannot write '%s': the graph has no output", path);
    writer w = {.graph = graph};
    nnm_status status = check_operators(graph, path, err);
    if (status) return status;
    status = allocate(&w, err);
    if (!status) status = make_clip_limits(&w, err);
    if (!status) {
        make_graph(&w);
        make_model(&w);
        status = write_model(&w.model, path, err);
    }
    release(&w);
    return status;
}
