#include "backends/fusion.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct search {
    const nnm_graph *graph;
    nnm_layers layers;
    nnm_error *err;
} search;

static nnm_status refuse(const search *s, const nnm_node *node, const char *why)
{
    return nnm_fail(s->err, NNM_ERR_UNSUPPORTED, "%s '%s' %s", nnm_op_name(node->op), node->name, why);
}

static bool is_output(const nnm_graph *graph, nnm_tensor_id tensor)
{
    for (size_t i = 0; i < nnm_graph_output_count(graph); i++)
        if (nnm_graph_output(graph, i) == tensor) return true;
    return false;
}

/* How many node inputs read `tensor`; of those, how many belong to fully connected nodes as their x. */
static size_t count_readers(const nnm_graph *graph, nnm_tensor_id tensor, size_t *fully_connected)
{
    size_t readers = 0;
    *fully_connected = 0;
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++) {
        const nnm_node *node = nnm_graph_node(graph, i);
        for (size_t j = 0; j < node->input_count; j++) {
            if (node->inputs[j] != tensor) continue;
            readers++;
            *fully_connected += j == 0 && node->op == NNM_OP_FULLY_CONNECTED;
        }
    }
    return readers;
}

static bool are_constant(const nnm_graph *graph, const nnm_node *node)
{
    for (size_t i = 1; i < node->input_count; i++)
        if (!nnm_graph_tensor(graph, node->inputs[i])->data) return false;
    return true;
}

static nnm_layer *layer_that_gives(search *s, nnm_tensor_id tensor)
{
    for (size_t i = 0; i < s->layers.count; i++)
        if (s->layers.items[i].output == tensor) return &s->layers.items[i];
    return NULL;
}

static nnm_status begin_layer(search *s, const nnm_node *node)
{
    if (!are_constant(s->graph, node)) return refuse(s, node, "has weights or a bias that are not constant");
    nnm_layer layer = {.node = node,
                       .output_min = -INFINITY,
                       .output_max = INFINITY,
                       .input = node->inputs[0],
                       .output = node->outputs[0]};
    size_t producer = nnm_graph_tensor(s->graph, layer.input)->producer;
    if (producer != NNM_NO_NODE && nnm_graph_node(s->graph, producer)->op == NNM_OP_FLATTEN) {
        layer.flattens = true;
        layer.input = nnm_graph_node(s->graph, producer)->inputs[0];
    }
    if (nnm_graph_tensor(s->graph, layer.input)->data) return refuse(s, node, "has a constant input");
    s->layers.items[s->layers.count++] = layer;
    return NNM_OK;
}

/* A batch norm or an activation becomes part of the layer before it, if nobody else reads what lies between. */
static nnm_status join_layer(search *s, const nnm_node *node)
{
    nnm_tensor_id x = node->inputs[0];
    size_t ignored;
    nnm_layer *layer = layer_that_gives(s, x);
    if (!layer) return refuse(s, node, "does not follow a Conv or fully connected node; alone it is not supported yet");
    if (is_output(s->graph, x) || count_readers(s->graph, x, &ignored) > 1)
        return refuse(s, node, "reads a tensor that is also read elsewhere, so it cannot be fused");
    if (node->op == NNM_OP_BATCH_NORM) {
        if (layer->batch_norm || layer->output_min > -INFINITY)
            return refuse(s, node, "follows another batch norm or an activation, so it cannot be folded into weights");
        if (!are_constant(s->graph, node)) return refuse(s, node, "has parameters that are not constant");
        layer->batch_norm = node;
    } else {
        layer->output_min = 0.0f; /* a clamp after a clamp that begins at 0, too */
        if (node->op == NNM_OP_RELU6) layer->output_max = 6.0f;
    }
    layer->output = node->outputs[0];
    return NNM_OK;
}

static nnm_status check_flatten(const search *s, const nnm_node *node)
{
    size_t fully_connected;
    size_t readers = count_readers(s->graph, node->outputs[0], &fully_connected);
    if (is_output(s->graph, node->outputs[0]) || readers == 0 || readers != fully_connected)
        return refuse(s, node, "is supported only before a fully connected node");
    return NNM_OK;
}

static nnm_status add_node(search *s, const nnm_node *node)
{
    switch (node->op) {
    case NNM_OP_CONV:
    case NNM_OP_FULLY_CONNECTED: return begin_layer(s, node);
    case NNM_OP_BATCH_NORM:
    case NNM_OP_RELU:
    case NNM_OP_RELU6: return join_layer(s, node);
    case NNM_OP_FLATTEN: return check_flatten(s, node);
    default: break;
    }
    return refuse(s, node, "is not supported");
}

/* Every output is what some layer gives, and stands once. */
static nnm_status check_outputs(search *s)
{
    size_t count = nnm_graph_output_count(s->graph);
    if (count == 0 || s->layers.count == 0) return nnm_fail(s->err, NNM_ERR_UNSUPPORTED, "the graph computes nothing");
    for (size_t i = 0; i < count; i++) {
        nnm_tensor_id output = nnm_graph_output(s->graph, i);
        const char *name = nnm_graph_tensor(s->graph, output)->name;
        if (!layer_that_gives(s, output))
            return nnm_fail(s->err, NNM_ERR_UNSUPPORTED, "output '%s' is not computed by the graph", name);
        for (size_t j = 0; j < i; j++)
            if (nnm_graph_output(s->graph, j) == output)
                return nnm_fail(s->err, NNM_ERR_UNSUPPORTED, "'%s' is an output twice", name);
    }
    return NNM_OK;
}

nnm_status nnm_layers_find(nnm_layers *out, const nnm_graph *graph, nnm_error *err)
{
    if (nnm_graph_layout(graph) != NNM_LAYOUT_NCHW)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "the graph is NHWC; a model file of this backend (ONNX) holds NCHW");
    size_t nodes = nnm_graph_node_count(graph);
    search s = {.graph = graph, .err = err};
    s.layers.items = nnm_calloc(nodes, sizeof *s.layers.items);
    if (!s.layers.items) return nnm_fail_memory(err);
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < nodes && status == NNM_OK; i++)
        status = add_node(&s, nnm_graph_node(graph, i));
    if (status == NNM_OK) status = check_outputs(&s);
    if (status) {
        free(s.layers.items);
        return status;
    }
    *out = s.layers;
    return NNM_OK;
}

nnm_status nnm_layer_fold(const nnm_graph *graph, const nnm_layer *layer, double **scale, float **bias, nnm_error *err)
{
    const nnm_node *node = layer->node;
    size_t channels = (size_t)nnm_graph_tensor(graph, node->inputs[1])->shape.dim[0];
    const float *old_bias = node->input_count > 2 ? nnm_graph_tensor(graph, node->inputs[2])->data : NULL;
    double *factors = nnm_calloc(channels, sizeof *factors);
    float *sums = nnm_calloc(channels, sizeof *sums);
    nnm_status status = factors && sums ? NNM_OK : nnm_fail_memory(err);
    if (status) goto done;

    const float *parameter[5] = {0}; /* x, scale, bias, mean, variance */
    for (size_t i = 1; i < 5 && layer->batch_norm; i++)
        parameter[i] = nnm_graph_tensor(graph, layer->batch_norm->inputs[i])->data;
    for (size_t c = 0; c < channels; c++) {
        double before = old_bias ? (double)old_bias[c] : 0.0;
        factors[c] = 1.0;
        sums[c] = (float)before;
        if (!layer->batch_norm) continue;
        double variance = (double)parameter[4][c] + layer->batch_norm->attributes.epsilon;
        if (!(variance > 0.0)) {
            status = nnm_fail(err, NNM_ERR_VALUE, "batch norm '%s' has the variance %g in channel %zu",
                              layer->batch_norm->name, (double)parameter[4][c], c);
            goto done;
        }
        factors[c] = (double)parameter[1][c] / sqrt(variance);
        sums[c] = (float)((before - (double)parameter[3][c]) * factors[c] + (double)parameter[2][c]);
    }
    *scale = factors;
    *bias = sums;
    factors = NULL;
    sums = NULL;
done:
    free(factors);
    free(sums);
    return status;
}
