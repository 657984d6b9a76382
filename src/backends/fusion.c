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

static bool reads_weights(const nnm_node *node)
{
    return node->op == NNM_OP_CONV || node->op == NNM_OP_FULLY_CONNECTED || node->op == NNM_OP_BATCH_NORM;
}

static bool takes_clamp(nnm_op op)
{
    switch (op) {
    case NNM_OP_CONV:
    case NNM_OP_FULLY_CONNECTED:
    case NNM_OP_BATCH_NORM:
    case NNM_OP_RELU:
    case NNM_OP_RELU6:
    case NNM_OP_ADD:
    case NNM_OP_MULTIPLY:
    case NNM_OP_MAX_POOL:
    case NNM_OP_AVERAGE_POOL:
    case NNM_OP_GLOBAL_AVERAGE_POOL: return true;
    default: return false;
    }
}

/* A clamp after a clamp that begins at 0, too. */
static void clamp(nnm_layer *layer, nnm_op op)
{
    layer->output_min = 0.0f;
    if (op == NNM_OP_RELU6) layer->output_max = 6.0f;
}

/* The layer that `node` can become part of: the one before it, if nobody else reads what lies between. Else NULL. */
static nnm_layer *layer_to_join(search *s, const nnm_node *node)
{
    size_t ignored;
    nnm_tensor_id x = node->inputs[0];
    nnm_layer *layer = layer_that_gives(s, x);
    if (!layer || layer->node->output_count > 1) return NULL;
    if (is_output(s->graph, x) || count_readers(s->graph, x, &ignored) > 1) return NULL;
    if (node->op != NNM_OP_BATCH_NORM) return takes_clamp(layer->node->op) ? layer : NULL;
    if (layer->batch_norm || layer->output_min > -INFINITY) return NULL;
    if (layer->node->op == NNM_OP_CONV) return layer;
    /* In NCHW the rows of a fully connected node of rank 3 are the channels that a batch norm sees. */
    bool columns = nnm_graph_tensor(s->graph, x)->shape.rank == 2 || nnm_graph_layout(s->graph) == NNM_LAYOUT_NHWC;
    return layer->node->op == NNM_OP_FULLY_CONNECTED && columns ? layer : NULL;
}

static bool has_computed_input(const nnm_graph *graph, const nnm_node *node)
{
    size_t count = reads_weights(node) ? 1 : node->input_count;
    for (size_t i = 0; i < count; i++)
        if (!nnm_graph_tensor(graph, node->inputs[i])->data) return true;
    return false;
}

static nnm_status begin_layer(search *s, const nnm_node *node)
{
    nnm_layer layer = {.node = node,
                       .output_min = -INFINITY,
                       .output_max = INFINITY,
                       .input = node->inputs[0],
                       .output = node->outputs[0]};
    size_t producer = nnm_graph_tensor(s->graph, layer.input)->producer;
    if (node->op == NNM_OP_FULLY_CONNECTED && producer != NNM_NO_NODE &&
        nnm_graph_node(s->graph, producer)->op == NNM_OP_FLATTEN) {
        layer.flattens = true;
        layer.input = nnm_graph_node(s->graph, producer)->inputs[0];
    }
    if (!has_computed_input(s->graph, node) || (layer.flattens && nnm_graph_tensor(s->graph, layer.input)->data))
        return refuse(s, node, "has a constant input");
    if (node->op == NNM_OP_BATCH_NORM) layer.batch_norm = node;
    if (node->op == NNM_OP_RELU || node->op == NNM_OP_RELU6) clamp(&layer, node->op);
    s->layers.items[s->layers.count++] = layer;
    return NNM_OK;
}

/* Only fully connected nodes read it, and they flatten on their own. */
static bool is_absorbed(const search *s, const nnm_node *flatten)
{
    size_t fully_connected;
    size_t readers = count_readers(s->graph, flatten->outputs[0], &fully_connected);
    return !is_output(s->graph, flatten->outputs[0]) && readers > 0 && readers == fully_connected;
}

static nnm_status add_node(search *s, const nnm_node *node)
{
    if (reads_weights(node) && !are_constant(s->graph, node))
        return refuse(s, node, "has weights or parameters that are not constant");
    if (node->op == NNM_OP_FLATTEN && is_absorbed(s, node)) return NNM_OK;
    if (node->op != NNM_OP_BATCH_NORM && node->op != NNM_OP_RELU && node->op != NNM_OP_RELU6)
        return begin_layer(s, node);
    nnm_layer *layer = layer_to_join(s, node);
    if (!layer) return begin_layer(s, node);
    if (node->op == NNM_OP_BATCH_NORM) {
        layer->batch_norm = node;
    } else {
        clamp(layer, node->op);
    }
    layer->output = node->outputs[0];
    return NNM_OK;
}

nnm_status nnm_layers_find(nnm_layers *out, const nnm_graph *graph, nnm_error *err)
{
    size_t nodes = nnm_graph_node_count(graph);
    if (nodes == 0 || nnm_graph_output_count(graph) == 0)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "the graph computes nothing");
    search s = {.graph = graph, .err = err};
    s.layers.items = nnm_calloc(nodes, sizeof *s.layers.items);
    if (!s.layers.items) return nnm_fail_memory(err);
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < nodes && status == NNM_OK; i++)
        status = add_node(&s, nnm_graph_node(graph, i));
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
    bool has_bias = node->op != NNM_OP_BATCH_NORM && node->input_count > 2;
    const float *old_bias = has_bias ? nnm_graph_tensor(graph, node->inputs[2])->data : NULL;
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
