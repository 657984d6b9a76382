/* Channel shuffles: Reshape, Transpose and Reshape again, which become one node of the graph. */
#include <string.h>

#include "base/error.h"
#include "formats/onnx_read.h"
#include "graph/names.h"
#include "graph/shape.h"

#define GROUPED_RANK 5

typedef Onnx__NodeProto node_proto;

static size_t find(const nnm_onnx_reader *reader, const char *name)
{
    size_t i = 0;
    while (i < reader->shuffle_count && strcmp(reader->shuffles[i].name, name) != 0)
        i++;
    return i;
}

bool nnm_onnx_in_shuffle(const nnm_onnx_reader *reader, const char *name)
{
    return find(reader, name) < reader->shuffle_count;
}

static nnm_status check_free(nnm_onnx_reader *reader, const char *name)
{
    if (!nnm_graph_find(reader->graph, name, &(nnm_tensor_id){0}) && !nnm_onnx_in_shuffle(reader, name)) return NNM_OK;
    return nnm_fail(reader->err, NNM_ERR_VALUE, "the name '%s' is taken by another tensor", name);
}

static nnm_status fail_alone(nnm_onnx_reader *reader)
{
    return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED,
                    "it is not part of a channel shuffle: Reshape to [N, groups, C / groups, H, W], Transpose of the "
                    "second and third dimension, Reshape back");
}

/* The shape that a Reshape asks for: 0 keeps a dimension, one may be -1. */
static nnm_status read_wanted(nnm_onnx_reader *reader, const char *name, const nnm_shape *x, nnm_shape *wanted)
{
    int64_t values[NNM_MAX_RANK];
    size_t count = 0;
    nnm_status status = nnm_onnx_read_integers(reader, name, values, NNM_MAX_RANK, &count);
    if (status) return status;
    int64_t elements = nnm_shape_elements(x), known = 1;
    size_t open = count;
    *wanted = (nnm_shape){.rank = count};
    for (size_t i = 0; i < count; i++) {
        int64_t dim = values[i] == 0 && i < x->rank ? x->dim[i] : values[i];
        wanted->dim[i] = dim;
        if (dim == -1 && open == count) {
            open = i;
            continue;
        }
        if (dim < 1 || dim > elements / known)
            return nnm_fail(reader->err, NNM_ERR_VALUE, "it cannot give the shape that '%s' asks for", name);
        known *= dim;
    }
    if (open < count) wanted->dim[open] = elements / known;
    if (nnm_shape_elements(wanted) == elements) return NNM_OK;
    return nnm_fail(reader->err, NNM_ERR_VALUE, "it cannot give the shape that '%s' asks for", name);
}

static nnm_status begin_shuffle(nnm_onnx_reader *reader, const node_proto *node)
{
    nnm_onnx_shuffle shuffle = {0};
    nnm_status status = nnm_onnx_resolve(reader, node->input[0], &shuffle.x);
    if (status) return status;
    const nnm_shape *x = &nnm_graph_tensor(reader->graph, shuffle.x)->shape;
    nnm_shape wanted;
    if ((status = read_wanted(reader, node->input[1], x, &wanted))) return status;
    if (x->rank != 4 || wanted.rank != GROUPED_RANK || wanted.dim[0] != x->dim[0] || wanted.dim[3] != x->dim[2] ||
        wanted.dim[4] != x->dim[3])
        return fail_alone(reader);
    shuffle.groups = wanted.dim[1];
    shuffle.name = node->output[0];
    if ((status = check_free(reader, shuffle.name))) return status;
    if (reader->shuffle_count == NNM_ONNX_MAX_SHUFFLES)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "%d channel shuffles have begun and none has ended",
                        NNM_ONNX_MAX_SHUFFLES);
    reader->shuffles[reader->shuffle_count++] = shuffle;
    return NNM_OK;
}

static nnm_status end_shuffle(nnm_onnx_reader *reader, const node_proto *node, size_t index)
{
    const nnm_onnx_shuffle *shuffle = &reader->shuffles[index];
    const nnm_shape *x = &nnm_graph_tensor(reader->graph, shuffle->x)->shape;
    /* What is reshaped is [N, C / groups, groups, H, W]: a 0 copies the batch only, or what the check below refuses. */
    nnm_shape swapped = {GROUPED_RANK, {x->dim[0], x->dim[1] / shuffle->groups, shuffle->groups, x->dim[2], x->dim[3]}};
    nnm_shape wanted;
    nnm_status status = read_wanted(reader, node->input[1], &swapped, &wanted);
    if (status) return status;
    if (!nnm_shape_equal(&wanted, x)) return fail_alone(reader);
    nnm_attributes attributes = {.groups = shuffle->groups};
    nnm_tensor_id id = shuffle->x, out[NNM_NODE_MAX_OUTPUTS];
    const char *name = node->output[0];
    reader->shuffles[index] = reader->shuffles[--reader->shuffle_count];
    if ((status = check_free(reader, name))) return status;
    return nnm_onnx_as_value(
        nnm_graph_add_named_node(reader->graph, NNM_OP_CHANNEL_SHUFFLE, &name, &attributes, &id, 1, out, reader->err),
        reader->err);
}

nnm_status nnm_onnx_read_reshape(nnm_onnx_reader *reader, const node_proto *node)
{
    if (node->n_input != 2) return nnm_fail(reader->err, NNM_ERR_VALUE, "it has %zu inputs; it takes 2", node->n_input);
    size_t index = find(reader, node->input[0]);
    if (index == reader->shuffle_count) return begin_shuffle(reader, node);
    return reader->shuffles[index].swapped ? end_shuffle(reader, node, index) : fail_alone(reader);
}

nnm_status nnm_onnx_read_transpose(nnm_onnx_reader *reader, const node_proto *node, const int64_t *order, size_t count)
{
    static const int64_t swap[GROUPED_RANK] = {0, 2, 1, 3, 4};
    if (node->n_input != 1) return nnm_fail(reader->err, NNM_ERR_VALUE, "it has %zu inputs; it takes 1", node->n_input);
    size_t index = find(reader, node->input[0]);
    if (index == reader->shuffle_count || reader->shuffles[index].swapped || count != GROUPED_RANK ||
        memcmp(order, swap, sizeof swap) != 0)
        return fail_alone(reader);
    nnm_status status = check_free(reader, node->output[0]);
    if (status) return status;
    reader->shuffles[index].name = node->output[0];
    reader->shuffles[index].swapped = true;
    return NNM_OK;
}

nnm_status nnm_onnx_check_shuffles(const nnm_onnx_reader *reader)
{
    if (reader->shuffle_count == 0) return NNM_OK;
    return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED,
                    "'%s' is the inside of a channel shuffle (Reshape, Transpose, Reshape) that does not end; other "
                    "uses of these operators are not supported",
                    reader->shuffles[0].name);
}
