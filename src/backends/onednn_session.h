/* A oneDNN session: primitives in order of execution, and the memories that they read and write. */
#ifndef NNM_BACKENDS_ONEDNN_SESSION_H
#define NNM_BACKENDS_ONEDNN_SESSION_H

#include "backends/onednn_plan.h"
#include "nnmeter/backend.h"

#ifdef NNM_HAVE_ONEDNN

#include <dnnl.h>

#define NNM_ONEDNN_MAX_ARGUMENTS 8

typedef struct nnm_onednn_call {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[NNM_ONEDNN_MAX_ARGUMENTS];
    int argument_count;
} nnm_onednn_call;

/* An input or output of the model. */
typedef struct nnm_onednn_external {
    dnnl_memory_t memory;    /* in the layout that the primitives chose */
    dnnl_memory_desc_t file; /* how the model file orders it */
    size_t count;
} nnm_onednn_external;

typedef struct nnm_openmp {
    int (*get_max_threads)(void);
    void (*set_num_threads)(int);
} nnm_openmp;

struct nnm_session {
    nnm_openmp openmp;
    int threads;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    nnm_onednn_call *calls;
    size_t call_count, call_capacity;
    dnnl_memory_t *memories; /* all that there are, so that they can be destroyed */
    size_t memory_count, memory_capacity;
    nnm_onednn_external *inputs, *outputs;
    size_t input_count, output_count;
};

/* NNM_OK, or an error that names what was being done. */
nnm_status nnm_onednn_check(dnnl_status_t status, const char *doing, nnm_error *err);

/* Makes what `plan` says: primitives, packed weights, memories, inputs and outputs. The session has its engine and its
 * stream; what was made before a failure stays in it. Errors: VALUE (a variance that has no square root), BACKEND,
 * NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_onednn_build(nnm_session *session, const nnm_graph *graph, const nnm_plan *plan,
                                          nnm_error *err);

/* Copies between two layouts, at once. The memories are described by `to` and `from`. */
NNM_NODISCARD nnm_status nnm_onednn_copy(nnm_session *session, dnnl_memory_t to, dnnl_memory_t from, nnm_error *err);

/* The same where one side is a buffer of the caller in the order of `desc`. */
NNM_NODISCARD nnm_status nnm_onednn_copy_in(nnm_session *session, dnnl_memory_t to, const dnnl_memory_desc_t *desc,
                                            const float *data, nnm_error *err);
NNM_NODISCARD nnm_status nnm_onednn_copy_out(nnm_session *session, float *data, const dnnl_memory_desc_t *desc,
                                             dnnl_memory_t from, nnm_error *err);

#endif
#endif
