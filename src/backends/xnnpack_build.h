/* Inside the XNNPACK backend: a session, and what is needed only until it is there. */
#ifndef NNM_BACKENDS_XNNPACK_BUILD_H
#define NNM_BACKENDS_XNNPACK_BUILD_H

#ifdef NNM_HAVE_XNNPACK

#include <xnnpack.h>

#include "backends/xnnpack_plan.h"
#include "nnmeter/backend.h"

typedef struct nnm_xnnpack_tensor {
    nnm_shape shape; /* as in the model file */
    bool turned;     /* NCHW there, NHWC in `data` */
    float *data;     /* belongs to the session's blocks */
    size_t count;
} nnm_xnnpack_tensor;

/* One of the two. */
typedef struct nnm_xnnpack_step {
    xnn_runtime_t runtime;
    xnn_operator_t op;
} nnm_xnnpack_step;

struct nnm_session {
    bool initialised;
    pthreadpool_t pool; /* NULL: the caller's thread alone */
    nnm_xnnpack_step *steps;
    size_t step_count, step_capacity;
    float **blocks; /* weights, which must live as long as the runtimes (xnnpack.h), and tensors between steps */
    size_t block_count, block_capacity;
    nnm_xnnpack_tensor *inputs, *outputs;
    size_t input_count, output_count;
};

typedef struct nnm_xnnpack_build {
    nnm_session *session;
    const nnm_graph *graph;
    nnm_xnnpack_plan plan;
    float **buffer;          /* of each tensor; NULL: inside a subgraph */
    xnn_subgraph_t subgraph; /* of the part that is being built */
    uint32_t *value;         /* of each tensor in that subgraph; XNN_INVALID_VALUE_ID: not defined yet */
    nnm_error *err;
} nnm_xnnpack_build;

/* NNM_OK, or an error that says what XNNPACK could not do. */
nnm_status nnm_xnnpack_check(enum xnn_status status, const char *doing, nnm_error *err);

/* Zeroed memory that lives as long as the session; NULL when it is short. XNNPACK may read a little beyond the end of
 * every buffer, so it is larger than asked for. */
float *nnm_xnnpack_block(nnm_session *session, size_t count);

/* Sizes of a tensor as XNNPACK sees it. */
void nnm_xnnpack_dims(const nnm_graph *graph, nnm_tensor_id id, size_t dims[NNM_MAX_RANK]);
/* Copies a tensor from the order of the model file into that of XNNPACK. */
void nnm_xnnpack_copy_in(float *out, const float *in, const nnm_shape *shape, bool turned);

/* Adds a layer, its weights and its tensors to the current subgraph. */
NNM_NODISCARD nnm_status nnm_xnnpack_define_layer(nnm_xnnpack_build *b, const nnm_layer *layer);
/* Adds the steps of a layer that is an operator; buffers of its tensors are there. */
NNM_NODISCARD nnm_status nnm_xnnpack_add_operator(nnm_xnnpack_build *b, const nnm_layer *layer);
/* Makes room for another step. */
NNM_NODISCARD nnm_status nnm_xnnpack_add_step(nnm_xnnpack_build *b, nnm_xnnpack_step **out);

#endif

#endif
