/*
 * Graphs as the layers that a runtime executes: a convolution or fully connected node together with the batch norm and
 * the activation that follow it, and with a flattening before it.
 */
#ifndef NNM_BACKENDS_FUSION_H
#define NNM_BACKENDS_FUSION_H

#include "nnmeter/graph.h"

typedef struct nnm_layer {
    const nnm_node *node;       /* NNM_OP_CONV or NNM_OP_FULLY_CONNECTED, weights and bias constant */
    const nnm_node *batch_norm; /* NULL: none */
    float output_min;           /* the activation as a clamp; -INFINITY and INFINITY where there is none */
    float output_max;
    bool flattens;       /* `input` is what a Flatten before the node reads */
    nnm_tensor_id input; /* of the whole layer */
    nnm_tensor_id output;
} nnm_layer;

typedef struct nnm_layers {
    nnm_layer *items; /* in order of computation; freed by free() */
    size_t count;
} nnm_layers;

/* Finds the layers of an NCHW graph. They point into the graph. Errors: UNSUPPORTED, naming the node that cannot be
 * part of a layer and why; NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_layers_find(nnm_layers *out, const nnm_graph *graph, nnm_error *err);

/* What a layer does to each output channel of its weights: weight * scale, then + bias; batch norm is folded in,
 * computed in double. Both have one value an output channel and are freed by free(). Errors: VALUE (a variance that has
 * no square root), NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_layer_fold(const nnm_graph *graph, const nnm_layer *layer, double **scale, float **bias,
                                        nnm_error *err);

#endif
