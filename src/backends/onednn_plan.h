/*
 * Graphs as the steps that oneDNN executes: a node together with the batch norm that is folded into its weights and the
 * activation that it applies to what it computes (a post-operation, in oneDNN's words).
 */
#ifndef NNM_BACKENDS_ONEDNN_PLAN_H
#define NNM_BACKENDS_ONEDNN_PLAN_H

#include "nnmeter/graph.h"

typedef enum nnm_activation {
    NNM_ACTIVATION_NONE = 0,
    NNM_ACTIVATION_RELU,
    NNM_ACTIVATION_RELU6,
    NNM_ACTIVATION_SIGMOID,
    NNM_ACTIVATION_HARD_SIGMOID,
    NNM_ACTIVATION_HARD_SWISH,
    NNM_ACTIVATION_SWISH /* x * sigmoid(x): a Sigmoid and a Multiply node */
} nnm_activation;

typedef struct nnm_step {
    const nnm_node *node;                      /* the first of the step's nodes */
    const nnm_node *batch_norm;                /* folded into the weights; NULL: none */
    nnm_activation activation;                 /* of the result; where `node` is an activation, that one */
    bool flattens;                             /* `inputs` is what a Flatten before a fully connected node reads */
    nnm_tensor_id inputs[NNM_NODE_MAX_INPUTS]; /* that are computed, not constant */
    size_t input_count;
    nnm_tensor_id outputs[NNM_NODE_MAX_OUTPUTS];
    size_t output_count;
} nnm_step;

typedef struct nnm_plan {
    nnm_step *steps; /* in order of computation; freed by free() */
    size_t count;
} nnm_plan;

/* Whether `node` is an activation of its own. */
bool nnm_is_activation(const nnm_node *node);

/* Plans a graph; the plan points into it. Errors: UNSUPPORTED, naming the node and why; NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_plan_make(nnm_plan *out, const nnm_graph *graph, nnm_error *err);

#endif
