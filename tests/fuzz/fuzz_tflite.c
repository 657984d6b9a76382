/* Reads bytes as a TensorFlow Lite model. What is read must be a graph that can be walked and costed, and is not larger
 * than the file allows; what is refused must say why, with one of the documented codes. */
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
static void walk(const nnm_graph *graph, size_t size)
{
    size_t constant_bytes = 0;
    require(nnm_graph_layout(graph) == NNM_LAYOUT_NHWC);
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++) {
        const nnm_tensor *tensor = nnm_graph_tensor(graph, i);
        int64_t elements = nnm_shape_elements(&tensor->shape);
        require(elements >= 1 && *tensor->name);
        if (!tensor->data) continue;
        sink = tensor->data[0] + tensor->data[elements - 1];
        constant_bytes += (size_t)elements * sizeof *tensor->data;
    }
    require(constant_bytes <= size * 4 + ((size_t)1 << 20));
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++) {
        const nnm_node *node = nnm_graph_node(graph, i);
        for (size_t o = 0; o < node->output_count; o++)
            require(node->outputs[o] < nnm_graph_tensor_count(graph));
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
    nnm_status status = nnm_tflite_read_memory(&graph, bytes, size, "fuzz", &err);
    if (status) {
        require(!graph && err.code == status && strncmp(err.message, "fuzz: ", 6) == 0);
        require(status == NNM_ERR_PARSE || status == NNM_ERR_UNSUPPORTED || status == NNM_ERR_VALUE ||
                status == NNM_ERR_NO_MEMORY);
        return 0;
    }
    walk(graph, size);
    nnm_graph_free(graph);
    return 0;
}
