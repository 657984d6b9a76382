/*
 * The table of operators: everything the graph knows of an operator stands in one entry of operator.c. Adding one
 * takes a member of nnm_op, an entry, and the functions that the entry names.
 */
#ifndef NNM_GRAPH_OPERATOR_H
#define NNM_GRAPH_OPERATOR_H

#include "nnmeter/graph.h"

/* A node as its operator sees it. */
typedef struct nnm_op_call {
    nnm_layout layout;
    const nnm_attributes *attributes; /* never NULL */
    const nnm_tensor *inputs[NNM_NODE_MAX_INPUTS];
    size_t input_count; /* within the operator's limits */
} nnm_op_call;

/* Which attributes an operator uses; the others must be zero. */
enum {
    NNM_USES_WINDOW = 1, /* kernel, stride, padding */
    NNM_USES_GROUPS = 2,
    NNM_USES_EPSILON = 4
};

typedef struct nnm_op_info {
    const char *name;
    size_t min_inputs, max_inputs, outputs;
    unsigned uses;
    unsigned constants; /* bit i: input i must be a constant; those that may be computed are 0 */
    const char *input_names[NNM_NODE_MAX_INPUTS];

    /* Checks shapes and attributes; sets the shape that all outputs have. Fails with INVALID_ARGUMENT. */
    nnm_status (*infer)(const nnm_op_call *call, nnm_shape *output, nnm_error *err);

    /* Adds to macs, and to flops what is not a multiply-add. `output` is the shape of each output. */
    void (*cost)(const nnm_op_call *call, const nnm_shape *output, nnm_cost *cost);
} nnm_op_info;

/* NULL for a number that is no operator. */
const nnm_op_info *nnm_op_find(nnm_op op);

/* Index of the channels in the shape of an activation of the layout: 1 for NCHW, rank - 1 for NHWC. */
size_t nnm_channel_axis(nnm_layout layout, size_t rank);

#endif
