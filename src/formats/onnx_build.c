#include "formats/onnx_build.h"

#include <string.h>

#include "base/error.h"
#include "nnmeter/status.h"

/* raw_data is little-endian by definition; numbers go there as they lie in memory. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ONNX files are written on little-endian machines only"
#endif

/* ---- protobuf ---- */

enum {
    WIRE_VARINT = 0,
    WIRE_BYTES = 2
};

static void put_varint(nnm_buffer *out, uint64_t value)
{
    unsigned char bytes[10];
    size_t count = 0;
    do {
        bytes[count] = (unsigned char)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        value >>= 7;
        count++;
    } while (value);
    nnm_buffer_append(out, bytes, count);
}

static void put_int(nnm_buffer *out, unsigned field, int64_t value)
{
    put_varint(out, field << 3 | WIRE_VARINT);
    put_varint(out, (uint64_t)value);
}

static void put_bytes(nnm_buffer *out, unsigned field, const void *bytes, size_t size)
{
    put_varint(out, field << 3 | WIRE_BYTES);
    put_varint(out, size);
    nnm_buffer_append(out, bytes, size);
}

static void put_text(nnm_buffer *out, unsigned field, const char *text)
{
    put_bytes(out, field, text, strlen(text));
}

/* Puts a finished message into another one and empties it. */
static void put_message(nnm_buffer *out, unsigned field, nnm_buffer *message)
{
    put_bytes(out, field, message->data, message->size);
    out->failed |= message->failed;
    message->size = 0;
}

/* ---- nodes; the numbers are those of onnx.proto ---- */

enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14,
    OPSET_DOMAIN = 1,
    OPSET_VERSION = 2,
    ENTRY_KEY = 1,
    ENTRY_VALUE = 2,
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_CONSTANT = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_OP_TYPE = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7,
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_INT = 3,
    ATTRIBUTE_TEXT = 4,
    ATTRIBUTE_TENSOR = 5,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TEXTS = 9,
    ATTRIBUTE_TYPE = 20,
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_NAME = 8,
    TENSOR_DATA = 9,
    VALUE_NAME = 1,
    VALUE_TYPE = 2,
    TYPE_TENSOR = 1,
    TENSOR_TYPE_ELEMENT = 1,
    TENSOR_TYPE_SHAPE = 2,
    SHAPE_DIM = 1,
    DIM_VALUE = 1,
    DIM_NAME = 2
};

enum attribute_type {
    TYPE_OF_INT = 2,
    TYPE_OF_TEXT = 3,
    TYPE_OF_TENSOR = 4,
    TYPE_OF_INTS = 7,
    TYPE_OF_TEXTS = 8
};

void nnm_onnx_fini(nnm_onnx_model *model)
{
    nnm_buffer_fini(&model->graph);
    nnm_buffer_fini(&model->metadata);
    nnm_buffer_fini(&model->node);
    nnm_buffer_fini(&model->part);
    nnm_buffer_fini(&model->piece);
}

void nnm_onnx_begin_node(nnm_onnx_model *m, const char *op_type, const char *domain)
{
    put_text(&m->node, NODE_OP_TYPE, op_type);
    if (*domain) put_text(&m->node, NODE_DOMAIN, domain);
}

void nnm_onnx_input(nnm_onnx_model *m, const char *name)
{
    put_text(&m->node, NODE_INPUT, name);
}

void nnm_onnx_output(nnm_onnx_model *m, const char *name)
{
    put_text(&m->node, NODE_OUTPUT, name);
}

static void begin_attribute(nnm_onnx_model *m, const char *name, enum attribute_type type)
{
    put_text(&m->part, ATTRIBUTE_NAME, name);
    put_int(&m->part, ATTRIBUTE_TYPE, type);
}

static void end_attribute(nnm_onnx_model *m)
{
    put_message(&m->node, NODE_ATTRIBUTE, &m->part);
}

void nnm_onnx_int(nnm_onnx_model *m, const char *name, int64_t value)
{
    begin_attribute(m, name, TYPE_OF_INT);
    put_int(&m->part, ATTRIBUTE_INT, value);
    end_attribute(m);
}

void nnm_onnx_text(nnm_onnx_model *m, const char *name, const char *value)
{
    begin_attribute(m, name, TYPE_OF_TEXT);
    put_text(&m->part, ATTRIBUTE_TEXT, value);
    end_attribute(m);
}

void nnm_onnx_ints(nnm_onnx_model *m, const char *name, const int64_t *values, size_t count)
{
    begin_attribute(m, name, TYPE_OF_INTS);
    for (size_t i = 0; i < count; i++)
        put_int(&m->part, ATTRIBUTE_INTS, values[i]);
    end_attribute(m);
}

void nnm_onnx_texts(nnm_onnx_model *m, const char *name, const char *const *values, size_t count)
{
    begin_attribute(m, name, TYPE_OF_TEXTS);
    for (size_t i = 0; i < count; i++)
        put_text(&m->part, ATTRIBUTE_TEXTS, values[i]);
    end_attribute(m);
}

/* `dims` 0 or 1. */
static void put_tensor(nnm_buffer *out, const char *name, int type, const void *data, size_t count, size_t dims)
{
    if (dims) put_int(out, TENSOR_DIMS, (int64_t)count);
    put_int(out, TENSOR_TYPE, type);
    put_text(out, TENSOR_NAME, name);
    put_bytes(out, TENSOR_DATA, data, count * 8);
}

void nnm_onnx_doubles(nnm_onnx_model *m, const char *name, const double *values, size_t count)
{
    begin_attribute(m, name, TYPE_OF_TENSOR);
    put_tensor(&m->piece, name, NNM_ONNX_DOUBLE, values, count, 1);
    put_message(&m->part, ATTRIBUTE_TENSOR, &m->piece);
    end_attribute(m);
}

void nnm_onnx_end_node(nnm_onnx_model *m)
{
    put_message(&m->graph, GRAPH_NODE, &m->node);
}

/* ---- the model ---- */

void nnm_onnx_constant_ints(nnm_onnx_model *m, const char *name, const int64_t *values, size_t count)
{
    put_tensor(&m->part, name, NNM_ONNX_INT64, values, count, 1);
    put_message(&m->graph, GRAPH_CONSTANT, &m->part);
}

void nnm_onnx_constant_doubles(nnm_onnx_model *m, const char *name, const double *values, size_t count)
{
    put_tensor(&m->part, name, NNM_ONNX_DOUBLE, values, count ? count : 1, count ? 1 : 0);
    put_message(&m->graph, GRAPH_CONSTANT, &m->part);
}

/* Messages within messages, the innermost first. */
static void put_value(nnm_onnx_model *m, unsigned field, const char *name, size_t columns)
{
    nnm_buffer dim = {0}, shape = {0};
    put_text(&dim, DIM_NAME, "N");
    put_message(&shape, SHAPE_DIM, &dim);
    put_int(&dim, DIM_VALUE, (int64_t)columns);
    put_message(&shape, SHAPE_DIM, &dim);
    put_int(&m->piece, TENSOR_TYPE_ELEMENT, NNM_ONNX_FLOAT);
    put_message(&m->piece, TENSOR_TYPE_SHAPE, &shape);
    put_message(&dim, TYPE_TENSOR, &m->piece);
    put_text(&m->part, VALUE_NAME, name);
    put_message(&m->part, VALUE_TYPE, &dim);
    put_message(&m->graph, field, &m->part);
    nnm_buffer_fini(&dim);
    nnm_buffer_fini(&shape);
}

void nnm_onnx_model_input(nnm_onnx_model *m, const char *name, size_t columns)
{
    put_value(m, GRAPH_INPUT, name, columns);
}

void nnm_onnx_model_output(nnm_onnx_model *m, const char *name, size_t columns)
{
    put_value(m, GRAPH_OUTPUT, name, columns);
}

void nnm_onnx_metadata(nnm_onnx_model *m, const char *key, const char *value)
{
    put_text(&m->part, ENTRY_KEY, key);
    put_text(&m->part, ENTRY_VALUE, value);
    put_message(&m->metadata, MODEL_METADATA, &m->part);
}

static void put_opset(nnm_buffer *out, nnm_buffer *part, const char *domain, int64_t version)
{
    put_text(part, OPSET_DOMAIN, domain);
    put_int(part, OPSET_VERSION, version);
    put_message(out, MODEL_OPSET, part);
}

nnm_status nnm_onnx_finish(nnm_onnx_model *m, const char *graph_name, nnm_buffer *out, nnm_error *err)
{
    put_text(&m->graph, GRAPH_NAME, graph_name);
    put_int(out, MODEL_IR_VERSION, 8);
    put_text(out, MODEL_PRODUCER, "nn-meter");
    put_text(out, MODEL_PRODUCER_VERSION, nnm_version());
    put_message(out, MODEL_GRAPH, &m->graph);
    put_opset(out, &m->part, "", 14);
    put_opset(out, &m->part, "ai.onnx.ml", 3);
    nnm_buffer_append(out, m->metadata.data, m->metadata.size);
    out->failed |= m->metadata.failed;
    nnm_status status = nnm_buffer_check(out, err);
    if (status == NNM_OK && out->size > INT32_MAX)
        status = nnm_fail(err, NNM_ERR_UNSUPPORTED, "the ONNX file would have %zu bytes; the format allows %d",
                          out->size, INT32_MAX);
    return status;
}
