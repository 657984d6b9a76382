/*
 * Drawing the graph of a kernel: each call adds one operator with its seeded weights. The first failure is kept and
 * later calls do nothing, so that a kernel's steps read as what the kernel computes.
 */
#ifndef NNM_KERNELS_DRAFT_H
#define NNM_KERNELS_DRAFT_H

#include "nnmeter/kernel.h"

typedef struct nnm_draft {
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
} nnm_draft;

/* One step of a kernel: adds operators that compute something from x, and returns the (first) output. */
typedef nnm_tensor_id nnm_draft_step(nnm_draft *draft, nnm_tensor_id x);

/* The configuration's value of a parameter. */
int64_t nnm_draft_value(const nnm_draft *draft, const char *param);

/* Adds the kernel's inputs, named "input" or "input1", "input2", ... */
void nnm_draft_inputs(nnm_draft *draft, int64_t batch_size);

/* Convolution with bias and a square window; groups == channels of x makes it depthwise. Weights are named
 * "<name>.weight" and "<name>.bias". */
nnm_tensor_id nnm_draft_conv(nnm_draft *draft, const char *name, nnm_tensor_id x, int64_t cout, int64_t kernel_size,
                             int64_t stride, int64_t groups);
/* A pool with a square window. */
nnm_tensor_id nnm_draft_pool(nnm_draft *draft, nnm_op op, const char *name, nnm_tensor_id x, int64_t kernel_size,
                             int64_t stride);
nnm_tensor_id nnm_draft_fully_connected(nnm_draft *draft, const char *name, nnm_tensor_id x, int64_t cout,
                                        bool has_bias);
nnm_tensor_id nnm_draft_batch_norm(nnm_draft *draft, const char *name, nnm_tensor_id x);
/* An operator without weights. Attributes may be NULL. Returns the first output. */
nnm_tensor_id nnm_draft_node(nnm_draft *draft, nnm_op op, const char *name, const nnm_attributes *attributes,
                             const nnm_tensor_id *inputs, size_t count);

#endif
