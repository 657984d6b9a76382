/*
 * Graphs as the layers that a runtime executes. A layer is one node together with what a runtime computes in the same
 * pass: a convolution or fully connected node takes the batch norm that follows it into its weights, many nodes clamp
 * their output instead of leaving it to a Relu or Relu6, and fully connected nodes flatten their input on their own.
 * Nothing is taken in across a tensor that is also read elsewhere or is an output of the graph.
 */
#ifndef NNM_BACKENDS_FUSION_H
#define NNM_BACKENDS_FUSION_H

#include "nnmeter/graph.h"

typedef struct nnm_layer {
    const nnm_node *node;       /* any operator; weights, bias and batch norm parameters are constant */
    const nnm_node *batch_norm; /* folded into a convolution or fully connected node, or `node` itself; NULL: none */
    float output_min;           /* of the clamp at the end, also of a Relu that is a layer of its own; */
    float output_max;           /* -INFINITY and INFINITY where there is none */
    bool flattens;              /* a fully connected node; `input` is what the Flatten before it reads */
    nnm_tensor_id input;        /* the first one; others are those of `node` */
    nnm_tensor_id output;       /* the first one of the whole layer; a second one is that of `node` */
} nnm_layer;

typedef struct nnm_layers {
    nnm_layer *items; /* in order of computation; freed by free() */
    size_t count;
} nnm_layers;

/* Finds the layers of a graph in either layout. They point into the graph. A Flatten that only fully connected nodes
 * read is no layer. Errors: UNSUPPORTED, naming the node that cannot be (part of) a layer and why; NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_layers_find(nnm_layers *out, const nnm_graph *graph, nnm_error *err);

/* What a layer does to each channel of its weights, for a batch norm on its own to each channel of its input: multiply
 * by scale, then add bias; computed in double. Both have one value a channel and are freed by free(). For convolution,
 * fully connected and batch norm layers. Errors: VALUE (a variance that has no square root), NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_layer_fold(const nnm_graph *graph, const nnm_layer *layer, double **scale, float **bias,
                                        nnm_error *err);

#endif
