/*
 * Drawing the graph of a kernel: each call adds one operator with its seeded weights. The first failure is kept and
 * later calls do nothing, so that a kernel's steps read as what the kernel computes. The operators are declared in
 * plugin.h, for customised kernels draw with them too.
 */
#ifndef NNM_KERNELS_DRAFT_H
#define NNM_KERNELS_DRAFT_H

#include "nnmeter/plugin.h"

struct nnm_draft {
    const nnm_kernel *kernel;
    const nnm_kernel_config *config;
    nnm_layout layout;
    uint64_t seed;
    bool zero_weights;
    nnm_graph *graph;
    nnm_tensor_id inputs[NNM_KERNEL_MAX_INPUTS];
    size_t input_count;
    nnm_status status; /* of the first failure */
    nnm_error *err;
};

/* One step of a kernel: adds operators that compute something from x, and returns the (first) output. */
typedef nnm_tensor_id nnm_draft_step(nnm_draft *draft, nnm_tensor_id x);

/* Adds inputs of these shapes, with the batch before them, named "input" or "input1", "input2", ... */
void nnm_draft_inputs(nnm_draft *draft, const nnm_shape *shapes, size_t count, int64_t batch_size);

/* Draws a whole graph: the inputs, what the steps compute (each further one from what the one before gave), and the
 * outputs, which are those of the last step's node. A NULL step ends them. Errors: what the first failing call said. */
NNM_NODISCARD nnm_status nnm_draft_run(nnm_graph **out, const nnm_kernel *kernel, const nnm_kernel_config *config,
                                       const nnm_shape *shapes, size_t shape_count, nnm_draft_step *const *steps,
                                       size_t step_count, const nnm_graph_options *options, nnm_error *err);

#endif
