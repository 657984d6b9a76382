#include "backends/xnnpack_plan.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

bool nnm_xnnpack_is_operator(const nnm_layer *layer)
{
    nnm_op op = layer->node->op;
    return op == NNM_OP_CONCAT || op == NNM_OP_SPLIT || op == NNM_OP_CHANNEL_SHUFFLE;
}

size_t nnm_xnnpack_layer_inputs(const nnm_layer *layer, nnm_tensor_id inputs[NNM_NODE_MAX_INPUTS])
{
    const nnm_node *node = layer->node;
    bool reads_weights = node->op == NNM_OP_CONV || node->op == NNM_OP_FULLY_CONNECTED || node->op == NNM_OP_BATCH_NORM;
    size_t count = reads_weights ? 1 : node->input_count;
    inputs[0] = layer->input;
    for (size_t i = 1; i < count; i++)
        inputs[i] = node->inputs[i];
    return count;
}

size_t nnm_xnnpack_layer_outputs(const nnm_layer *layer, nnm_tensor_id outputs[NNM_NODE_MAX_OUTPUTS])
{
    outputs[0] = layer->output;
    for (size_t i = 1; i < layer->node->output_count; i++)
        outputs[i] = layer->node->outputs[i];
    return layer->node->output_count;
}

bool nnm_xnnpack_is_turned(const nnm_graph *graph, nnm_tensor_id id)
{
    return nnm_graph_layout(graph) == NNM_LAYOUT_NCHW && nnm_graph_tensor(graph, id)->shape.rank == 4;
}

/* ---- what cannot be mapped ---- */

static nnm_status refuse(const nnm_layer *layer, const char *why, nnm_error *err)
{
    return nnm_fail(err, NNM_ERR_UNSUPPORTED, "%s '%s' %s", nnm_op_name(layer->node->op), layer->node->name, why);
}

static nnm_status check_pool(const nnm_layer *layer, nnm_error *err)
{
    const nnm_attributes *a = &layer->node->attributes;
    if (a->kernel_h == 1 && a->kernel_w == 1 && (a->stride_h > 1 || a->stride_w > 1))
        return refuse(layer, "has a window of 1 x 1 that skips pixels, which XNNPACK's pooling does not take", err);
    return NNM_OK;
}

/* Turning pixels and channels into one axis is a change of their order, unless there is only one of either. */
static nnm_status check_flatten(const nnm_graph *graph, const nnm_layer *layer, nnm_error *err)
{
    const int64_t *dim = nnm_graph_tensor(graph, layer->input)->shape.dim;
    if (nnm_xnnpack_is_turned(graph, layer->input) && dim[1] > 1 && (dim[2] > 1 || dim[3] > 1))
        return refuse(layer, "of an NCHW image is supported only before a fully connected node", err);
    return NNM_OK;
}

static nnm_status check_channels_last(const nnm_graph *graph, const nnm_layer *layer, nnm_error *err)
{
    size_t rank = nnm_graph_tensor(graph, layer->input)->shape.rank;
    if (nnm_graph_layout(graph) == NNM_LAYOUT_NHWC || rank == 4 || rank == 2) return NNM_OK;
    return nnm_fail(err, NNM_ERR_UNSUPPORTED,
                    "%s '%s' has %zu dimensions in NCHW; XNNPACK needs the channels last, and only images are turned",
                    nnm_op_name(layer->node->op), layer->node->name, rank);
}

static nnm_status check_layer(const nnm_graph *graph, const nnm_layer *layer, nnm_error *err)
{
    nnm_tensor_id inputs[NNM_NODE_MAX_INPUTS];
    size_t count = nnm_xnnpack_layer_inputs(layer, inputs);
    for (size_t i = 0; i < count; i++)
        if (nnm_graph_tensor(graph, inputs[i])->shape.rank == 0) return refuse(layer, "reads a scalar", err);
    switch (layer->node->op) {
    case NNM_OP_MAX_POOL:
    case NNM_OP_AVERAGE_POOL: return check_pool(layer, err);
    case NNM_OP_FLATTEN: return check_flatten(graph, layer, err);
    case NNM_OP_CONCAT:
    case NNM_OP_SPLIT: return check_channels_last(graph, layer, err);
    case NNM_OP_BATCH_NORM:
        if (nnm_graph_tensor(graph, layer->input)->shape.rank == 4) return NNM_OK;
        return refuse(layer, "does not directly follow what it could be folded into, and alone only images are mapped",
                      err);
    default: return NNM_OK;
    }
}

/* ---- parts ---- */

static void number_parts(nnm_xnnpack_plan *plan)
{
    size_t part = 0;
    for (size_t i = 0; i < plan->layers.count; i++) {
        const nnm_layer *layer = &plan->layers.items[i];
        if (i > 0 && (nnm_xnnpack_is_operator(layer) || nnm_xnnpack_is_operator(layer - 1))) part++;
        plan->part[i] = part;
    }
}

/* producer: the part that computes each tensor; NNM_NO_NODE for inputs and constants. */
static void mark_crossing(nnm_xnnpack_plan *plan, const nnm_graph *graph, size_t *producer)
{
    nnm_tensor_id ids[NNM_NODE_MAX_INPUTS], given[NNM_NODE_MAX_OUTPUTS];
    for (size_t i = 0; i < nnm_graph_input_count(graph); i++)
        plan->crosses[nnm_graph_input(graph, i)] = true;
    for (size_t i = 0; i < nnm_graph_output_count(graph); i++)
        plan->crosses[nnm_graph_output(graph, i)] = true;
    for (size_t i = 0; i < plan->layers.count; i++) {
        const nnm_layer *layer = &plan->layers.items[i];
        bool is_operator = nnm_xnnpack_is_operator(layer);
        size_t count = nnm_xnnpack_layer_inputs(layer, ids);
        for (size_t j = 0; j < count; j++)
            if (is_operator || (producer[ids[j]] != NNM_NO_NODE && producer[ids[j]] != plan->part[i]))
                plan->crosses[ids[j]] = true;
        count = nnm_xnnpack_layer_outputs(layer, given);
        for (size_t j = 0; j < count; j++) {
            producer[given[j]] = plan->part[i];
            if (is_operator) plan->crosses[given[j]] = true;
        }
    }
}

nnm_status nnm_xnnpack_plan_make(nnm_xnnpack_plan *out, const nnm_graph *graph, nnm_error *err)
{
    nnm_xnnpack_plan plan = {0};
    size_t *producer = NULL, tensors = nnm_graph_tensor_count(graph);
    nnm_status status = nnm_layers_find(&plan.layers, graph, err);
    if (status) return status;
    for (size_t i = 0; i < plan.layers.count && status == NNM_OK; i++)
        status = check_layer(graph, &plan.layers.items[i], err);
    if (status) goto done;
    plan.part = nnm_calloc(plan.layers.count, sizeof *plan.part);
    plan.crosses = nnm_calloc(tensors, sizeof *plan.crosses);
    producer = nnm_calloc(tensors, sizeof *producer);
    if (!plan.part || !plan.crosses || !producer) {
        status = nnm_fail_memory(err);
        goto done;
    }
    for (size_t i = 0; i < tensors; i++)
        producer[i] = NNM_NO_NODE;
    number_parts(&plan);
    mark_crossing(&plan, graph, producer);
done:
    free(producer);
    if (status) {
        nnm_xnnpack_plan_fini(&plan);
    } else {
        *out = plan;
    }
    return status;
}

void nnm_xnnpack_plan_fini(nnm_xnnpack_plan *plan)
{
    free(plan->layers.items);
    free(plan->part);
    free(plan->crosses);
    *plan = (nnm_xnnpack_plan){0};
}
