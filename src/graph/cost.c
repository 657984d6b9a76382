#include "graph/operator.h"
#include "nnmeter/graph.h"

static double bytes_of(const nnm_tensor *tensor)
{
    return 4.0 * (double)nnm_shape_elements(&tensor->shape);
}

static void add_node(const nnm_graph *graph, const nnm_node *node, nnm_cost *cost)
{
    nnm_op_call call = {nnm_graph_layout(graph), &node->attributes, {NULL}, node->input_count};
    const nnm_tensor *output = nnm_graph_tensor(graph, node->outputs[0]);
    for (size_t i = 0; i < node->input_count; i++) {
        call.inputs[i] = nnm_graph_tensor(graph, node->inputs[i]);
        if (!call.inputs[i]->data) cost->activation_bytes += bytes_of(call.inputs[i]);
    }
    cost->activation_bytes += (double)node->output_count * bytes_of(output);
    nnm_op_find(node->op)->cost(&call, &output->shape, cost);
}

void nnm_graph_cost(const nnm_graph *graph, nnm_cost *out)
{
    nnm_cost cost = {0};
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++)
        add_node(graph, nnm_graph_node(graph, i), &cost);
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++) {
        const nnm_tensor *tensor = nnm_graph_tensor(graph, i);
        if (tensor->data) cost.params += (double)nnm_shape_elements(&tensor->shape);
    }
    cost.flops += 2 * cost.macs;
    cost.weight_bytes = 4 * cost.params;
    *out = cost;
}
