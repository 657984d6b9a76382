#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "formats/matrix.h"
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

#define NODE_MAX_ATTRIBUTES 6
#define NODE_MAX_NUMBERS 10

typedef struct node_parts {
    Onnx__NodeProto message;
    char *inputs[NNM_NODE_MAX_INPUTS];
    char *outputs[NNM_NODE_MAX_OUTPUTS];
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

/* A channel shuffle is written as Reshape, Transpose and Reshape, which need two tensors and two constants. */
#define SHUFFLE_NODES 3
#define SHUFFLE_NAMES 4
#define SHUFFLE_RANK 5

typedef struct shuffle_parts {
    char *names[SHUFFLE_NAMES]; /* grouped, swapped, the shapes of the two Reshapes */
    int64_t grouped[SHUFFLE_RANK];
} shuffle_parts;

/* A weight in the order of MatMul; data NULL: it stays as it is. */
typedef struct turned_weight {
    float *data;
    int64_t dims[2];
} turned_weight;

typedef struct writer {
    const nnm_graph *graph;
    node_parts *nodes; /* one a node of the graph, and those that shuffles need beyond one */
    size_t node_count;
    shuffle_parts *shuffles; /* one a node of the graph; empty for all but shuffles */
    turned_weight *turned;   /* one a tensor of the graph */
    char **sizes;            /* likewise: for weights of zeros, which are not written, what their shape is called */
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

static void add_window(node_parts *node, const nnm_attributes *a)
{
    add_ints(node, "kernel_shape", (const int64_t[]){a->kernel_h, a->kernel_w}, 2);
    if (a->padding == NNM_PADDING_EXPLICIT)
        add_ints(node, "pads", (const int64_t[]){a->pad_top, a->pad_left, a->pad_bottom, a->pad_right}, 4);
    add_ints(node, "strides", (const int64_t[]){a->stride_h, a->stride_w}, 2);
}

static void add_auto_pad(node_parts *node, const nnm_attributes *a)
{
    if (a->padding == NNM_PADDING_SAME) add_text(node, "auto_pad", "SAME_UPPER");
}

static void make_conv(const writer *w, node_parts *node, const nnm_node *of)
{
    (void)w;
    add_auto_pad(node, &of->attributes);
    add_ints(node, "dilations", (const int64_t[]){1, 1}, 2);
    add_int(node, "group", of->attributes.groups);
    add_window(node, &of->attributes);
}

static void make_max_pool(const writer *w, node_parts *node, const nnm_node *of)
{
    (void)w;
    add_auto_pad(node, &of->attributes);
    add_int(node, "ceil_mode", 0);
    add_window(node, &of->attributes);
}

static void make_average_pool(const writer *w, node_parts *node, const nnm_node *of)
{
    (void)w;
    add_auto_pad(node, &of->attributes);
    add_int(node, "ceil_mode", 0);
    add_int(node, "count_include_pad", 0);
    add_window(node, &of->attributes);
}

static void make_batch_norm(const writer *w, node_parts *node, const nnm_node *of)
{
    (void)w;
    add_float(node, "epsilon", (float)of->attributes.epsilon);
}

static void make_relu6(const writer *w, node_parts *node, const nnm_node *of)
{
    (void)of;
    add_input(node, w->clip_names[0]);
    add_input(node, w->clip_names[1]);
}

static void make_channel_axis(const writer *w, node_parts *node, const nnm_node *of)
{
    (void)w;
    (void)of;
    add_int(node, "axis", 1);
}

static bool is_matmul(const nnm_graph *graph, const nnm_node *node)
{
    return node->op == NNM_OP_FULLY_CONNECTED && nnm_graph_tensor(graph, node->inputs[0])->shape.rank != 2;
}

static void make_fully_connected(const writer *w, node_parts *node, const nnm_node *of)
{
    if (is_matmul(w->graph, of))
        node->message.op_type = no_const("MatMul");
    else
        add_int(node, "transB", 1);
}

static void make_hard_sigmoid(const writer *w, node_parts *node, const nnm_node *of)
{
    (void)w;
    (void)of;
    add_float(node, "alpha", 1.0F / 6);
    add_float(node, "beta", 0.5F);
}

/* The ONNX operator, and what adds its attributes and the inputs that the graph's node does not have. A channel shuffle
 * becomes three nodes, see make_shuffle. */
static const struct {
    const char *op_type;
    void (*make)(const writer *w, node_parts *node, const nnm_node *of);
} operators[NNM_OP_COUNT] = {
    [NNM_OP_CONV] = {"Conv", make_conv},
    [NNM_OP_BATCH_NORM] = {"BatchNormalization", make_batch_norm},
    [NNM_OP_RELU] = {"Relu", NULL},
    [NNM_OP_RELU6] = {"Clip", make_relu6},
    [NNM_OP_FLATTEN] = {"Flatten", make_channel_axis},
    [NNM_OP_FULLY_CONNECTED] = {"Gemm", make_fully_connected},
    [NNM_OP_MAX_POOL] = {"MaxPool", make_max_pool},
    [NNM_OP_AVERAGE_POOL] = {"AveragePool", make_average_pool},
    [NNM_OP_GLOBAL_AVERAGE_POOL] = {"GlobalAveragePool", NULL},
    [NNM_OP_ADD] = {"Add", NULL},
    [NNM_OP_MULTIPLY] = {"Mul", NULL},
    [NNM_OP_CONCAT] = {"Concat", make_channel_axis},
    [NNM_OP_SPLIT] = {"Split", make_channel_axis},
    [NNM_OP_CHANNEL_SHUFFLE] = {"Reshape", NULL},
    [NNM_OP_SIGMOID] = {"Sigmoid", NULL},
    [NNM_OP_HARD_SIGMOID] = {"HardSigmoid", make_hard_sigmoid},
    [NNM_OP_HARD_SWISH] = {"HardSwish", NULL},
};

static node_parts *begin_node(writer *w, const char *name, const char *op_type)
{
    node_parts *parts = &w->nodes[w->node_count];
    onnx__node_proto__init(&parts->message);
    parts->message.name = no_const(name);
    parts->message.op_type = no_const(op_type);
    parts->message.input = parts->inputs;
    parts->message.output = parts->outputs;
    parts->message.attribute = parts->attribute_list;
    w->node_list[w->node_count++] = &parts->message;
    return parts;
}

static void add_output(node_parts *node, const char *name)
{
    node->outputs[node->message.n_output++] = no_const(name);
}

/* [N, G * C, H, W] as [N, G, C, H, W], then as [N, C, G, H, W], then as [N, C * G, H, W]. */
static void make_shuffle(writer *w, const nnm_node *node, shuffle_parts *shuffle)
{
    const nnm_tensor *output = nnm_graph_tensor(w->graph, node->outputs[0]);
    node_parts *group = begin_node(w, shuffle->names[0], "Reshape");
    add_input(group, no_const(nnm_graph_tensor(w->graph, node->inputs[0])->name));
    add_input(group, shuffle->names[2]);
    add_output(group, shuffle->names[0]);
    node_parts *swap = begin_node(w, shuffle->names[1], "Transpose");
    add_input(swap, shuffle->names[0]);
    add_output(swap, shuffle->names[1]);
    add_ints(swap, "perm", (const int64_t[]){0, 2, 1, 3, 4}, SHUFFLE_RANK);
    node_parts *join = begin_node(w, node->name, "Reshape");
    add_input(join, shuffle->names[1]);
    add_input(join, shuffle->names[3]);
    add_output(join, output->name);
}

/* Without an attribute it gives zeros. */
static void make_zeros(writer *w, nnm_tensor_id id)
{
    const nnm_tensor *tensor = nnm_graph_tensor(w->graph, id);
    node_parts *parts = begin_node(w, w->sizes[id], "ConstantOfShape");
    add_input(parts, w->sizes[id]);
    add_output(parts, tensor->name);
}

static void make_node(writer *w, size_t index)
{
    const nnm_node *node = nnm_graph_node(w->graph, index);
    if (node->op == NNM_OP_CHANNEL_SHUFFLE) {
        make_shuffle(w, node, &w->shuffles[index]);
        return;
    }
    node_parts *parts = begin_node(w, node->name, operators[node->op].op_type);
    for (size_t i = 0; i < node->output_count; i++)
        add_output(parts, nnm_graph_tensor(w->graph, node->outputs[i])->name);
    for (size_t i = 0; i < node->input_count; i++)
        add_input(parts, no_const(nnm_graph_tensor(w->graph, node->inputs[i])->name));
    if (operators[node->op].make) operators[node->op].make(w, parts, node);
}

/* ---- tensors and values ---- */

static Onnx__TensorProto *begin_tensor(writer *w, const char *name, const int64_t *dims, size_t rank)
{
    Onnx__TensorProto *tensor = &w->tensors[w->tensor_count];
    onnx__tensor_proto__init(tensor);
    tensor->name = no_const(name);
    tensor->has_data_type = 1;
    tensor->n_dims = rank;
    tensor->dims = no_const(dims);
    tensor->has_raw_data = 1;
    w->tensor_list[w->tensor_count++] = tensor;
    return tensor;
}

static Onnx__TensorProto *make_tensor(writer *w, const char *name, const nnm_shape *shape, const float *data)
{
    Onnx__TensorProto *tensor = begin_tensor(w, name, shape->dim, shape->rank);
    tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->raw_data.len = (size_t)nnm_shape_elements(shape) * sizeof *data;
    tensor->raw_data.data = no_const(data);
    return tensor;
}

/* A vector of whole numbers, e.g. a shape. */
static void make_integers(writer *w, const char *name, const int64_t *values, size_t count)
{
    static const int64_t lengths[NNM_MAX_RANK + 1] = {0, 1, 2, 3, 4, 5, 6};
    Onnx__TensorProto *tensor = begin_tensor(w, name, &lengths[count], 1);
    tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    tensor->raw_data.len = count * sizeof *values;
    tensor->raw_data.data = no_const(values);
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

/* Names and shapes that a channel shuffle needs. */
static nnm_status make_shuffle_parts(writer *w, const nnm_node *node, shuffle_parts *shuffle, nnm_error *err)
{
    static const char *const endings[SHUFFLE_NAMES] = {"grouped", "swapped", "grouped_shape", "shape"};
    for (size_t i = 0; i < SHUFFLE_NAMES; i++) {
        char *stem = nnm_format("%s.%s", node->name, endings[i]);
        shuffle->names[i] = stem ? free_name(w->graph, stem) : NULL;
        free(stem);
        if (!shuffle->names[i]) return nnm_fail_memory(err);
    }
    const nnm_shape *shape = &nnm_graph_tensor(w->graph, node->outputs[0])->shape;
    int64_t groups = node->attributes.groups;
    const int64_t grouped[SHUFFLE_RANK] = {shape->dim[0], groups, shape->dim[1] / groups, shape->dim[2], shape->dim[3]};
    memcpy(shuffle->grouped, grouped, sizeof grouped);
    make_integers(w, shuffle->names[2], shuffle->grouped, SHUFFLE_RANK);
    make_integers(w, shuffle->names[3], shape->dim, shape->rank);
    return NNM_OK;
}

/* MatMul wants [K, N] where the graph has [N, K]. */
static nnm_status turn_weight(writer *w, const nnm_node *node, nnm_error *err)
{
    nnm_tensor_id id = node->inputs[1];
    const nnm_tensor *weight = nnm_graph_tensor(w->graph, id);
    if (node->input_count > 2)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "'%s' has a bias and an input of 3 dimensions; a MatMul has none",
                        node->name);
    if (w->turned[id].data) return NNM_OK;
    for (size_t i = 0; i < nnm_graph_node_count(w->graph); i++) {
        const nnm_node *other = nnm_graph_node(w->graph, i);
        for (size_t j = 0; j < other->input_count; j++)
            if (other->inputs[j] == id && !(j == 1 && is_matmul(w->graph, other)))
                return nnm_fail(err, NNM_ERR_UNSUPPORTED,
                                "the weight '%s' of a MatMul is also used by '%s', which needs another order",
                                weight->name, other->name);
    }
    size_t rows = (size_t)weight->shape.dim[0], columns = (size_t)weight->shape.dim[1];
    float *turned = nnm_reallocarray(NULL, rows * columns, sizeof *turned);
    if (!turned) return nnm_fail_memory(err);
    nnm_matrix_turn(turned, weight->data, rows, columns);
    w->turned[id] = (turned_weight){turned, {weight->shape.dim[1], weight->shape.dim[0]}};
    return NNM_OK;
}

/* A MatMul's weight is written in another order, and so in full. */
static nnm_status name_sizes(writer *w, nnm_error *err)
{
    for (size_t i = 0; i < nnm_graph_tensor_count(w->graph); i++) {
        const nnm_tensor *tensor = nnm_graph_tensor(w->graph, i);
        if (!tensor->zeros || w->turned[i].data) continue;
        char *stem = nnm_format("%s.shape", tensor->name);
        w->sizes[i] = stem ? free_name(w->graph, stem) : NULL;
        free(stem);
        if (!w->sizes[i]) return nnm_fail_memory(err);
    }
    return NNM_OK;
}

static nnm_status make_extras(writer *w, const char *path, nnm_error *err)
{
    nnm_status status = make_clip_limits(w, err);
    for (size_t i = 0; i < nnm_graph_node_count(w->graph) && !status; i++) {
        const nnm_node *node = nnm_graph_node(w->graph, i);
        if (node->op == NNM_OP_CHANNEL_SHUFFLE) status = make_shuffle_parts(w, node, &w->shuffles[i], err);
        if (is_matmul(w->graph, node)) status = turn_weight(w, node, err);
    }
    if (!status) status = name_sizes(w, err);
    return status ? nnm_context(err, status, "cannot write '%s'", path) : NNM_OK;
}

/* ---- the model ---- */

static nnm_status allocate(writer *w, nnm_error *err)
{
    size_t graph_nodes = nnm_graph_node_count(w->graph), shuffles = 0;
    for (size_t i = 0; i < graph_nodes; i++)
        shuffles += nnm_graph_node(w->graph, i)->op == NNM_OP_CHANNEL_SHUFFLE;
    size_t graph_tensors = nnm_graph_tensor_count(w->graph);
    size_t nodes = graph_nodes + (SHUFFLE_NODES - 1) * shuffles + graph_tensors; /* a few more than there can be */
    size_t tensors = graph_tensors + 2 + 2 * shuffles;
    size_t values = nnm_graph_input_count(w->graph) + nnm_graph_output_count(w->graph);
    w->shuffles = nnm_calloc(graph_nodes, sizeof *w->shuffles);
    w->turned = nnm_calloc(graph_tensors, sizeof *w->turned);
    w->sizes = nnm_calloc(graph_tensors, sizeof *w->sizes);
    w->nodes = nnm_calloc(nodes, sizeof *w->nodes);
    w->node_list = nnm_calloc(nodes, sizeof *w->node_list);
    w->tensors = nnm_calloc(tensors, sizeof *w->tensors);
    w->tensor_list = nnm_calloc(tensors, sizeof *w->tensor_list);
    w->values = nnm_calloc(values, sizeof *w->values);
    w->value_list = nnm_calloc(values, sizeof *w->value_list);
    if (w->shuffles && w->turned && w->sizes && w->nodes && w->node_list && w->tensors && w->tensor_list && w->values &&
        w->value_list)
        return NNM_OK;
    return nnm_fail_memory(err);
}

static void release(writer *w)
{
    for (size_t i = 0; w->shuffles && i < nnm_graph_node_count(w->graph); i++)
        for (size_t j = 0; j < SHUFFLE_NAMES; j++)
            free(w->shuffles[i].names[j]);
    for (size_t i = 0; w->turned && i < nnm_graph_tensor_count(w->graph); i++)
        free(w->turned[i].data);
    for (size_t i = 0; w->sizes && i < nnm_graph_tensor_count(w->graph); i++)
        free(w->sizes[i]);
    free(w->shuffles);
    free(w->turned);
    free(w->sizes);
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
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++)
        if (w->sizes[i]) make_zeros(w, i);
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++)
        make_node(w, i);
    message->n_node = w->node_count;
    for (size_t i = 0; i < message->n_input; i++)
        make_value(w, i, nnm_graph_input(graph, i));
    for (size_t i = 0; i < message->n_output; i++)
        make_value(w, message->n_input + i, nnm_graph_output(graph, i));
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++) {
        const nnm_tensor *tensor = nnm_graph_tensor(graph, i);
        if (w->turned[i].data)
            make_tensor(w, tensor->name, &tensor->shape, w->turned[i].data)->dims = w->turned[i].dims;
        else if (w->sizes[i])
            make_integers(w, w->sizes[i], tensor->shape.dim, tensor->shape.rank);
        else if (tensor->data)
            make_tensor(w, tensor->name, &tensor->shape, tensor->data);
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

nnm_status nnm_onnx_write(const nnm_graph *graph, const char *path, nnm_error *err)
{
    if (nnm_graph_layout(graph) != NNM_LAYOUT_NCHW)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "cannot write '%s': ONNX needs the layout NCHW, the graph is NHWC",
                        path);
    if (nnm_graph_output_count(graph) == 0)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "cannot write '%s': the graph has no output", path);
    writer w = {.graph = graph};
    nnm_status status = allocate(&w, err);
    if (!status) status = make_extras(&w, path, err);
    if (!status) {
        make_graph(&w);
        make_model(&w);
        status = write_model(&w.model, path, err);
    }
    release(&w);
    return status;
}
