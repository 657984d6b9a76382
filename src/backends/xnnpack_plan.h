/*
 * How a graph is spread over XNNPACK: runs of layers become subgraphs, and what the subgraph interface does not have
 * (concat, split, channel shuffle) becomes operators between them. Making a plan calls nothing of XNNPACK, so that it
 * also answers whether a graph is supported.
 */
#ifndef NNM_BACKENDS_XNNPACK_PLAN_H
#define NNM_BACKENDS_XNNPACK_PLAN_H

#include "backends/fusion.h"

typedef struct nnm_xnnpack_plan {
    nnm_layers layers;
    size_t *part;  /* of each layer; layers of one part are neighbours and make one subgraph or operator */
    bool *crosses; /* of each tensor: it is an input or output of the graph, or parts hand it to each other */
} nnm_xnnpack_plan;

/* Errors: UNSUPPORTED, naming the node and the reason; NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_xnnpack_plan_make(nnm_xnnpack_plan *out, const nnm_graph *graph, nnm_error *err);
void nnm_xnnpack_plan_fini(nnm_xnnpack_plan *plan);

bool nnm_xnnpack_is_operator(const nnm_layer *layer);

/* The tensors that the layer computes with, without weights; returns how many. */
size_t nnm_xnnpack_layer_inputs(const nnm_layer *layer, nnm_tensor_id inputs[NNM_NODE_MAX_INPUTS]);
/* The tensors it gives; returns how many. */
size_t nnm_xnnpack_layer_outputs(const nnm_layer *layer, nnm_tensor_id outputs[NNM_NODE_MAX_OUTPUTS]);

/* Inside a session channels come last: images of an NCHW graph are turned, everything else stays as it is. */
bool nnm_xnnpack_is_turned(const nnm_graph *graph, nnm_tensor_id id);

#endif
