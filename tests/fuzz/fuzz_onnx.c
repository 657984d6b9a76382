/* Reads bytes as an ONNX model. What is read must be a graph that can be walked and costed; what is refused must say
 * why, with one of the documented codes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nnmeter/model_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static volatile float sink; /* keeps the reads below from being optimised away */

static void require(int condition)
{
    if (!condition) abort();
}

/* Touches the first and last value of every constant. */
static void walk(const nnm_graph *graph)
{
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++) {
        const nnm_tensor *tensor = nnm_graph_tensor(graph, i);
        int64_t elements = nnm_shape_elements(&tensor->shape);
        require(elements >= 1 && *tensor->name);
        if (tensor->data) sink = tensor->data[0] + tensor->data[elements - 1];
    }
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++) {
        const nnm_node *node = nnm_graph_node(graph, i);
        require(node->output_count >= 1 && node->output_count <= NNM_NODE_MAX_OUTPUTS);
        for (size_t j = 0; j < node->output_count; j++)
            require(node->outputs[j] < nnm_graph_tensor_count(graph));
    }
    require(nnm_graph_output_count(graph) >= 1);
    nnm_cost cost;
    nnm_graph_cost(graph, &cost);
    require(cost.flops >= 0 && cost.params >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_status status = nnm_onnx_read_memory(&graph, bytes, size, "fuzz", &err);
    if (status) {
        require(!graph && err.code == status && strncmp(err.message, "fuzz: ", 6) == 0);
        require(status == NNM_ERR_PARSE || status == NNM_ERR_UNSUPPORTED || status == NNM_ERR_VALUE ||
                status == NNM_ERR_NO_MEMORY);
        return 0;
    }
    walk(graph);
    nnm_graph_free(graph);
    return 0;
}
