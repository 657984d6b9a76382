#include "plugins/graph_bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/*
 * layout; inputs; then every tensor and node in an order in which they can be added: ids are numbers in that order.
 * Each begins with its kind and its name, which is preceded by its length.
 */
typedef enum item {
    ITEM_INPUT = 1, /* name, shape */
    ITEM_CONSTANT,  /* name, shape, data */
    ITEM_ZEROS,     /* name, shape */
    ITEM_NODE,      /* name, op, attributes, inputs */
    ITEM_OUTPUT     /* id */
} item;

#define MAX_NAME_BYTES 4096
#define MAX_ZEROS (INT32_MAX / 4) /* they cost no bytes here, but memory there */

/* ---- writing ---- */

static void put(nnm_buffer *out, const void *value, size_t size)
{
    nnm_buffer_append(out, value, size);
}

static void put_number(nnm_buffer *out, uint64_t value)
{
    put(out, &value, sizeof value);
}

static void put_name(nnm_buffer *out, item kind, const char *name)
{
    put_number(out, kind);
    put_number(out, strlen(name));
    put(out, name, strlen(name));
}

static void put_node(nnm_buffer *out, const nnm_node *node)
{
    put_name(out, ITEM_NODE, node->name);
    put_number(out, (uint64_t)node->op);
    put(out, &node->attributes, sizeof node->attributes);
    put_number(out, node->input_count);
    for (size_t i = 0; i < node->input_count; i++)
        put_number(out, node->inputs[i]);
}

void nnm_graph_to_bytes(const nnm_graph *graph, nnm_buffer *out)
{
    put_number(out, (uint64_t)nnm_graph_layout(graph));
    size_t last_producer = NNM_NO_NODE;
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++) {
        const nnm_tensor *tensor = nnm_graph_tensor(graph, i);
        if (tensor->producer != NNM_NO_NODE) { /* adding the node adds all its outputs */
            if (tensor->producer != last_producer) put_node(out, nnm_graph_node(graph, tensor->producer));
            last_producer = tensor->producer;
            continue;
        }
        item kind = tensor->zeros ? ITEM_ZEROS : tensor->data ? ITEM_CONSTANT : ITEM_INPUT;
        put_name(out, kind, tensor->name);
        put(out, &tensor->shape, sizeof tensor->shape);
        if (kind == ITEM_CONSTANT)
            put(out, tensor->data, (size_t)nnm_shape_elements(&tensor->shape) * sizeof *tensor->data);
    }
    for (size_t i = 0; i < nnm_graph_output_count(graph); i++) {
        put_number(out, ITEM_OUTPUT);
        put_number(out, nnm_graph_output(graph, i));
    }
}

/* ---- reading ---- */

typedef struct reader {
    const char *at;
    size_t left;
    nnm_graph *graph;
    nnm_error *err;
} reader;

static nnm_status fail_cut(nnm_error *err)
{
    return nnm_fail(err, NNM_ERR_PARSE, "the graph that came is none");
}

static nnm_status take(reader *r, void *value, size_t size)
{
    if (size > r->left) return fail_cut(r->err);
    memcpy(value, r->at, size);
    r->at += size;
    r->left -= size;
    return NNM_OK;
}

static nnm_status take_number(reader *r, uint64_t *value)
{
    return take(r, value, sizeof *value);
}

static nnm_status take_name(reader *r, char name[MAX_NAME_BYTES])
{
    uint64_t length = 0;
    nnm_status status = take_number(r, &length);
    if (status == NNM_OK && length >= MAX_NAME_BYTES) status = fail_cut(r->err);
    if (status == NNM_OK) status = take(r, name, (size_t)length);
    if (status == NNM_OK) name[length] = '\0';
    return status;
}

static nnm_status take_tensor(reader *r, item kind, const char *name)
{
    nnm_shape shape;
    nnm_tensor_id id;
    nnm_status status = take(r, &shape, sizeof shape);
    if (status) return status;
    int64_t elements = nnm_shape_elements(&shape);
    if (elements < 1) return fail_cut(r->err);
    if (kind == ITEM_INPUT) return nnm_graph_add_input(r->graph, name, &shape, &id, r->err);
    if (kind == ITEM_ZEROS && elements > MAX_ZEROS) return fail_cut(r->err);
    if (kind == ITEM_ZEROS) return nnm_graph_add_zeros(r->graph, name, &shape, &id, r->err);
    if ((uint64_t)elements > r->left / sizeof(float)) return fail_cut(r->err);
    float *data = nnm_reallocarray(NULL, (size_t)elements, sizeof *data);
    if (!data) return nnm_fail_memory(r->err);
    status = take(r, data, (size_t)elements * sizeof *data);
    if (status == NNM_OK) status = nnm_graph_add_constant(r->graph, name, &shape, data, &id, r->err);
    if (status) free(data);
    return status;
}

static nnm_status take_node(reader *r, const char *name)
{
    uint64_t op = 0, count = 0, id = 0;
    nnm_attributes attributes;
    nnm_tensor_id inputs[NNM_NODE_MAX_INPUTS], outputs[NNM_NODE_MAX_OUTPUTS];
    nnm_status status = take_number(r, &op);
    if (status == NNM_OK) status = take(r, &attributes, sizeof attributes);
    if (status == NNM_OK) status = take_number(r, &count);
    if (status == NNM_OK && (op >= NNM_OP_COUNT || count > NNM_NODE_MAX_INPUTS)) status = fail_cut(r->err);
    for (size_t i = 0; i < count && status == NNM_OK; i++) {
        status = take_number(r, &id);
        if (status == NNM_OK && id >= nnm_graph_tensor_count(r->graph)) status = fail_cut(r->err);
        inputs[i] = (nnm_tensor_id)id;
    }
    if (status) return status;
    return nnm_graph_add_node(r->graph, (nnm_op)op, name, &attributes, inputs, (size_t)count, outputs, r->err);
}

static nnm_status take_item(reader *r)
{
    char name[MAX_NAME_BYTES];
    uint64_t kind = 0, id = 0;
    nnm_status status = take_number(r, &kind);
    if (status == NNM_OK && kind == ITEM_OUTPUT) {
        status = take_number(r, &id);
        if (status == NNM_OK && id >= nnm_graph_tensor_count(r->graph)) status = fail_cut(r->err);
        return status ? status : nnm_graph_mark_output(r->graph, (nnm_tensor_id)id, r->err);
    }
    if (status == NNM_OK) status = take_name(r, name);
    if (status) return status;
    if (kind == ITEM_NODE) return take_node(r, name);
    if (kind != ITEM_INPUT && kind != ITEM_CONSTANT && kind != ITEM_ZEROS) return fail_cut(r->err);
    return take_tensor(r, (item)kind, name);
}

nnm_status nnm_graph_from_bytes(nnm_graph **out, const char *bytes, size_t size, nnm_error *err)
{
    reader r = {.at = bytes, .left = size, .err = err};
    uint64_t layout = 0;
    nnm_status status = take_number(&r, &layout);
    if (status == NNM_OK && layout > NNM_LAYOUT_NHWC) status = fail_cut(err);
    if (status == NNM_OK) status = nnm_graph_new(&r.graph, (nnm_layout)layout, err);
    while (status == NNM_OK && r.left)
        status = take_item(&r);
    if (status)
        nnm_graph_free(r.graph);
    else
        *out = r.graph;
    return status;
}
