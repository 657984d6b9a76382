#include "formats/onnx_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "formats/matrix.h"
#include "formats/wire.h"
#include "graph/names.h"
#include "graph/shape.h"
#include "nnmeter/model_file.h"

/* Versions between which the operators that are read mean the same, or differ in ways that onnx_nodes.c knows. */
#define OPSET_MIN 7
#define OPSET_MAX 21
#define IR_VERSION_MIN 3
#define IR_VERSION_MAX 10
#define MAX_FILE_BYTES INT32_MAX

nnm_status nnm_onnx_as_value(nnm_status status, nnm_error *err)
{
    if (status != NNM_ERR_INVALID_ARGUMENT) return status;
    if (err) err->code = NNM_ERR_VALUE;
    return NNM_ERR_VALUE;
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

/* ---- types ---- */

static const char *type_name(int32_t type)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&onnx__tensor_proto__data_type__descriptor, type);
    return value ? value->name : "an unknown type";
}

static nnm_status check_type(int32_t type, nnm_error *err)
{
    if (type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT) return NNM_OK;
    return nnm_fail(err, NNM_ERR_UNSUPPORTED, "its elements are %s; only FLOAT is supported", type_name(type));
}

static nnm_status set_dim(nnm_shape *shape, int64_t dim, nnm_error *err)
{
    if (dim < 1)
        return nnm_fail(err, NNM_ERR_VALUE, "dimension %zu is %" PRId64 "; it must be at least 1", shape->rank, dim);
    shape->dim[shape->rank++] = dim;
    return NNM_OK;
}

static nnm_status check_rank(size_t rank, nnm_error *err)
{
    if (rank <= NNM_MAX_RANK) return NNM_OK;
    return nnm_fail(err, NNM_ERR_UNSUPPORTED, "it has %zu dimensions; at most %d are supported", rank, NNM_MAX_RANK);
}

/* ---- initialisers ---- */

static int by_name(const void *a, const void *b)
{
    const Onnx__TensorProto *const *x = a, *const *y = b;
    return strcmp(text_of((*x)->name), text_of((*y)->name));
}

/* Index of the initialiser called `name`, or how many there are. */
static size_t find_constant(const nnm_onnx_reader *reader, const char *name)
{
    size_t low = 0, high = reader->constant_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(text_of(reader->constants[middle]->name), name);
        if (order == 0) return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return reader->constant_count;
}

Onnx__TensorProto *nnm_onnx_constant(const nnm_onnx_reader *reader, const char *name)
{
    size_t index = find_constant(reader, name);
    return index < reader->constant_count ? reader->constants[index] : NULL;
}

bool nnm_onnx_is_turned(const nnm_onnx_reader *reader, const char *name)
{
    size_t index = find_constant(reader, name);
    return index < reader->constant_count && reader->turned[index];
}

static nnm_status check_place(const Onnx__TensorProto *tensor, nnm_error *err)
{
    if (tensor->n_external_data || (tensor->has_data_location && tensor->data_location))
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "its data lie in another file; that is not supported");
    if (tensor->segment) return nnm_fail(err, NNM_ERR_UNSUPPORTED, "it comes in segments; that is not supported");
    return NNM_OK;
}

static nnm_status check_contents(const Onnx__TensorProto *tensor, const nnm_shape *shape, nnm_error *err)
{
    nnm_status status = check_place(tensor, err);
    if (status) return status;
    if (tensor->raw_data.len && tensor->n_float_data)
        return nnm_fail(err, NNM_ERR_VALUE, "it has both raw_data and float_data");
    char text[NNM_SHAPE_TEXT_BYTES];
    int64_t elements = nnm_shape_elements(shape);
    if (elements < 0)
        return nnm_fail(err, NNM_ERR_VALUE, "the shape %s has too many elements", nnm_shape_format(shape, text));
    size_t bytes = tensor->n_float_data ? tensor->n_float_data * sizeof(float) : tensor->raw_data.len;
    if (bytes != (size_t)elements * sizeof(float))
        return nnm_fail(err, NNM_ERR_VALUE, "the shape %s needs %zu bytes of data, but it has %zu",
                        nnm_shape_format(shape, text), (size_t)elements * sizeof(float), bytes);
    return NNM_OK;
}

nnm_status nnm_onnx_check_constant(const Onnx__TensorProto *tensor, nnm_shape *shape, nnm_error *err)
{
    *shape = (nnm_shape){0};
    nnm_status status = check_type(tensor->data_type, err);
    if (!status) status = check_rank(tensor->n_dims, err);
    for (size_t i = 0; i < tensor->n_dims && !status; i++)
        status = set_dim(shape, tensor->dims[i], err);
    if (!status) status = check_contents(tensor, shape, err);
    return status ? nnm_context(err, status, "initialiser '%s'", text_of(tensor->name)) : NNM_OK;
}

const void *nnm_onnx_constant_data(const Onnx__TensorProto *tensor)
{
    return tensor->n_float_data ? (const void *)tensor->float_data : tensor->raw_data.data;
}

nnm_status nnm_onnx_take_constant(nnm_onnx_reader *reader, Onnx__TensorProto *tensor, nnm_tensor_id *id)
{
    nnm_shape shape;
    nnm_status status = nnm_onnx_check_constant(tensor, &shape, reader->err);
    if (status) return status;
    /* protobuf-c's blocks come from malloc, as those of the graph do: no copy is needed. */
    bool raw = tensor->n_float_data == 0;
    void *data = raw ? (void *)tensor->raw_data.data : tensor->float_data;
    status = nnm_graph_add_constant(reader->graph, tensor->name, &shape, data, id, reader->err);
    if (status) return nnm_onnx_as_value(status, reader->err);
    if (raw) {
        tensor->raw_data.data = NULL;
        tensor->raw_data.len = 0;
    } else {
        tensor->float_data = NULL;
        tensor->n_float_data = 0;
    }
    return NNM_OK;
}

/* Exchanges rows and columns of an initialiser that is not yet the graph's. Its data stay where malloc put them. */
static nnm_status turn(Onnx__TensorProto *tensor, nnm_error *err)
{
    nnm_shape shape;
    nnm_status status = nnm_onnx_check_constant(tensor, &shape, err);
    if (status) return status;
    if (shape.rank != 2) {
        char text[NNM_SHAPE_TEXT_BYTES];
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "the weight '%s' has the shape %s; only matrices are supported",
                        tensor->name, nnm_shape_format(&shape, text));
    }
    size_t rows = (size_t)shape.dim[0], columns = (size_t)shape.dim[1];
    float *turned = nnm_reallocarray(NULL, rows * columns, sizeof *turned);
    float *straight = nnm_reallocarray(NULL, rows * columns, sizeof *straight);
    if (turned && straight) {
        /* raw_data may lie anywhere: floats are copied out before they are looked at. */
        memcpy(straight, nnm_onnx_constant_data(tensor), rows * columns * sizeof *straight);
        nnm_matrix_turn(turned, straight, rows, columns);
    }
    free(straight);
    if (!turned || !straight) {
        free(turned);
        return nnm_fail_memory(err);
    }
    free(tensor->raw_data.data);
    free(tensor->float_data);
    tensor->raw_data = (ProtobufCBinaryData){0};
    tensor->float_data = turned;
    tensor->n_float_data = rows * columns;
    tensor->dims[0] = shape.dim[1];
    tensor->dims[1] = shape.dim[0];
    return NNM_OK;
}

nnm_status nnm_onnx_take_turned(nnm_onnx_reader *reader, const char *name, nnm_tensor_id *id)
{
    size_t index = find_constant(reader, name);
    bool taken = nnm_graph_find(reader->graph, name, id);
    if (taken && index < reader->constant_count && reader->turned[index]) return NNM_OK;
    if (taken || index == reader->constant_count)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED,
                        "its second input '%s' must be an initialiser that no other operator uses", name);
    nnm_status status = turn(reader->constants[index], reader->err);
    if (!status) status = nnm_onnx_take_constant(reader, reader->constants[index], id);
    reader->turned[index] = status == NNM_OK;
    return status;
}

nnm_status nnm_onnx_read_integers(const nnm_onnx_reader *reader, const char *name, int64_t *values, size_t capacity,
                                  size_t *count)
{
    const Onnx__TensorProto *tensor = nnm_onnx_constant(reader, name);
    nnm_error *err = reader->err;
    if (!tensor)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "'%s' is not an initialiser; only those are supported", name);
    nnm_status status = check_place(tensor, err);
    if (status) return nnm_context(err, status, "initialiser '%s'", name);
    if (tensor->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__INT64)
        return nnm_fail(err, NNM_ERR_VALUE, "initialiser '%s': its elements are %s; they must be INT64", name,
                        type_name(tensor->data_type));
    size_t bytes = tensor->n_int64_data ? tensor->n_int64_data * sizeof *values : tensor->raw_data.len;
    if (tensor->n_dims != 1 || tensor->dims[0] < 1 || (uint64_t)tensor->dims[0] > capacity)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "initialiser '%s': it is not a vector of 1 to %zu numbers", name,
                        capacity);
    *count = (size_t)tensor->dims[0];
    if (bytes != *count * sizeof *values || (tensor->n_int64_data && tensor->raw_data.len))
        return nnm_fail(err, NNM_ERR_VALUE, "initialiser '%s': %zu numbers need %zu bytes of data, but it has %zu",
                        name, *count, *count * sizeof *values, bytes);
    memcpy(values, tensor->n_int64_data ? (const void *)tensor->int64_data : tensor->raw_data.data, bytes);
    return NNM_OK;
}

static nnm_status index_constants(nnm_onnx_reader *reader, const Onnx__GraphProto *graph)
{
    if (graph->n_sparse_initializer)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it has sparse initialisers; they are not supported");
    reader->constants = nnm_calloc(graph->n_initializer, sizeof *reader->constants);
    reader->turned = nnm_calloc(graph->n_initializer, sizeof *reader->turned);
    if (!reader->constants || !reader->turned) return nnm_fail_memory(reader->err);
    reader->constant_count = graph->n_initializer;
    if (graph->n_initializer == 0) return NNM_OK;
    memcpy(reader->constants, graph->initializer, graph->n_initializer * sizeof *reader->constants);
    qsort(reader->constants, reader->constant_count, sizeof *reader->constants, by_name);
    for (size_t i = 0; i < reader->constant_count; i++) {
        const char *name = text_of(reader->constants[i]->name);
        if (!*name) return nnm_fail(reader->err, NNM_ERR_VALUE, "an initialiser has no name");
        if (i && by_name(&reader->constants[i - 1], &reader->constants[i]) == 0)
            return nnm_fail(reader->err, NNM_ERR_VALUE, "two initialisers are called '%s'", name);
    }
    return NNM_OK;
}

/* ---- inputs and outputs ---- */

/* Reads a shape that must be known but for what `optional` allows to be missing: then the rank stays 0. */
static nnm_status read_type(const Onnx__ValueInfoProto *value, bool optional, bool *known, nnm_shape *shape,
                            nnm_error *err)
{
    *shape = (nnm_shape){0};
    *known = false;
    const Onnx__TypeProto *type = value->type;
    bool has_type = type && type->value_case != ONNX__TYPE_PROTO__VALUE__NOT_SET;
    if (has_type && type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "it is not a tensor");
    const Onnx__TypeProto__Tensor *tensor = has_type ? type->tensor_type : NULL;
    if (!tensor || !tensor->shape) {
        if (optional) return NNM_OK;
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "its shape is not given; only fixed shapes are supported");
    }
    nnm_status status = check_type(tensor->elem_type, err);
    if (!status) status = check_rank(tensor->shape->n_dim, err);
    for (size_t i = 0; i < tensor->shape->n_dim && !status; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = tensor->shape->dim[i];
        if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
            status = set_dim(shape, dim->dim_value, err);
        else if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
            status = nnm_fail(err, NNM_ERR_UNSUPPORTED, "dimension %zu is '%s'; only fixed shapes are supported", i,
                              text_of(dim->dim_param));
        else
            status =
                nnm_fail(err, NNM_ERR_UNSUPPORTED, "dimension %zu is not given; only fixed shapes are supported", i);
    }
    *known = status == NNM_OK;
    return status;
}

static nnm_status read_inputs(nnm_onnx_reader *reader, const Onnx__GraphProto *graph)
{
    for (size_t i = 0; i < graph->n_input; i++) {
        const Onnx__ValueInfoProto *input = graph->input[i];
        const char *name = text_of(input->name);
        /* Before IR version 4 every initialiser was an input too. */
        if (*name && nnm_onnx_constant(reader, name)) continue;
        nnm_shape shape;
        nnm_tensor_id id;
        bool known;
        nnm_status status = read_type(input, false, &known, &shape, reader->err);
        if (!status)
            status = nnm_onnx_as_value(nnm_graph_add_input(reader->graph, name, &shape, &id, reader->err), reader->err);
        if (status) return nnm_context(reader->err, status, "input '%s'", name);
    }
    return NNM_OK;
}

static nnm_status read_output(nnm_onnx_reader *reader, const Onnx__ValueInfoProto *output)
{
    nnm_error *err = reader->err;
    nnm_tensor_id id;
    if (!nnm_graph_find(reader->graph, text_of(output->name), &id))
        return nnm_fail(err, NNM_ERR_VALUE, "no node computes it");
    nnm_shape shape;
    bool known;
    nnm_status status = read_type(output, true, &known, &shape, err);
    if (status) return status;
    const nnm_shape *computed = &nnm_graph_tensor(reader->graph, id)->shape;
    if (known && !nnm_shape_equal(computed, &shape)) {
        char declared_text[NNM_SHAPE_TEXT_BYTES], computed_text[NNM_SHAPE_TEXT_BYTES];
        return nnm_fail(err, NNM_ERR_VALUE, "its shape is said to be %s, but it is %s",
                        nnm_shape_format(&shape, declared_text), nnm_shape_format(computed, computed_text));
    }
    return nnm_onnx_as_value(nnm_graph_mark_output(reader->graph, id, err), err);
}

static nnm_status read_outputs(nnm_onnx_reader *reader, const Onnx__GraphProto *graph)
{
    if (graph->n_output == 0) return nnm_fail(reader->err, NNM_ERR_VALUE, "the graph has no output");
    for (size_t i = 0; i < graph->n_output; i++) {
        nnm_status status = read_output(reader, graph->output[i]);
        if (status) return nnm_context(reader->err, status, "output '%s'", text_of(graph->output[i]->name));
    }
    return NNM_OK;
}

/* ---- the model ---- */

static nnm_status read_opset(nnm_onnx_reader *reader, const Onnx__ModelProto *model)
{
    bool found = false;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *opset = model->opset_import[i];
        const char *domain = text_of(opset->domain);
        if (*domain && strcmp(domain, "ai.onnx") != 0) continue;
        if (found && opset->version != reader->opset)
            return nnm_fail(reader->err, NNM_ERR_VALUE, "it names two operator sets, %" PRId64 " and %" PRId64,
                            reader->opset, opset->version);
        reader->opset = opset->version;
        found = true;
    }
    if (!found)
        return nnm_fail(reader->err, NNM_ERR_PARSE, "not an ONNX model, or cut short: it names no operator set");
    if (reader->opset < OPSET_MIN || reader->opset > OPSET_MAX)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "operator set %" PRId64 " is not supported; %d to %d are",
                        reader->opset, OPSET_MIN, OPSET_MAX);
    return NNM_OK;
}

static nnm_status check_model(const Onnx__ModelProto *model, nnm_error *err)
{
    if (!model->has_ir_version || !model->graph)
        return nnm_fail(err, NNM_ERR_PARSE, "not an ONNX model, or cut short: it has no %s",
                        model->graph ? "IR version" : "graph");
    if (model->ir_version < IR_VERSION_MIN || model->ir_version > IR_VERSION_MAX)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "IR version %" PRId64 " is not supported; %d to %d are",
                        model->ir_version, IR_VERSION_MIN, IR_VERSION_MAX);
    if (model->n_functions) return nnm_fail(err, NNM_ERR_UNSUPPORTED, "it has functions; they are not supported");
    if (model->n_training_info) return nnm_fail(err, NNM_ERR_UNSUPPORTED, "it is for training; that is not supported");
    return NNM_OK;
}

static nnm_status read_model(nnm_graph **out, const Onnx__ModelProto *model, nnm_error *err)
{
    nnm_onnx_reader reader = {.zeros_left = MAX_FILE_BYTES, .err = err};
    nnm_status status = check_model(model, err);
    if (!status) status = read_opset(&reader, model);
    if (!status) status = nnm_graph_new(&reader.graph, NNM_LAYOUT_NCHW, err);
    if (!status) status = index_constants(&reader, model->graph);
    if (!status) status = read_inputs(&reader, model->graph);
    for (size_t i = 0; !status && i < model->graph->n_node; i++)
        status = nnm_onnx_read_node(&reader, model->graph->node[i]);
    if (!status) status = nnm_onnx_check_shuffles(&reader);
    if (!status) status = read_outputs(&reader, model->graph);
    free(reader.constants);
    free(reader.turned);
    if (status)
        nnm_graph_free(reader.graph);
    else
        *out = reader.graph;
    return status;
}

/* protobuf-c says nothing about why it gives up; its allocator knows when it was memory. */
static void *allocate(void *failed, size_t size)
{
    void *block = malloc(size);
    if (!block) *(bool *)failed = true;
    return block;
}

static void release(void *failed, void *block)
{
    (void)failed;
    free(block);
}

static nnm_status unpack(Onnx__ModelProto **out, const void *bytes, size_t size, nnm_error *err)
{
    if (size > MAX_FILE_BYTES)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "it has %zu bytes; ONNX allows %d", size, MAX_FILE_BYTES);
    nnm_status status = nnm_wire_check(&onnx__model_proto__descriptor, bytes, size, err);
    if (status) return status;
    bool failed = false;
    ProtobufCAllocator allocator = {allocate, release, &failed};
    *out = onnx__model_proto__unpack(&allocator, size, bytes);
    if (!*out && failed) return nnm_fail_memory(err);
    if (!*out)
        return nnm_fail(err, NNM_ERR_PARSE, "not an ONNX model, or damaged: a field has a value of the wrong kind");
    return NNM_OK;
}

nnm_status nnm_onnx_read_memory(nnm_graph **out, const void *bytes, size_t size_bytes, const char *name, nnm_error *err)
{
    Onnx__ModelProto *model = NULL;
    nnm_status status = unpack(&model, bytes, size_bytes, err);
    if (!status) status = read_model(out, model, err);
    if (model) onnx__model_proto__free_unpacked(model, NULL);
    return status ? nnm_context(err, status, "%s", name) : NNM_OK;
}

nnm_status nnm_onnx_read(nnm_graph **out, const char *path, nnm_error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    nnm_status status = nnm_file_check(path, MAX_FILE_BYTES, "ONNX", err);
    if (status) return status;
    if ((status = nnm_file_read(path, &bytes, &size, err))) return status;
    Onnx__ModelProto *model = NULL;
    status = unpack(&model, bytes, size, err);
    free(bytes); /* large: not needed beside what was unpacked */
    if (!status) status = read_model(out, model, err);
    if (model) onnx__model_proto__free_unpacked(model, NULL);
    return status ? nnm_context(err, status, "%s", path) : NNM_OK;
}
