/* How tensors of a graph lie in memory for oneDNN, and the tensors of a session under construction. */
#ifndef NNM_BACKENDS_ONEDNN_MEMORY_H
#define NNM_BACKENDS_ONEDNN_MEMORY_H

#include "backends/onednn_session.h"

#ifdef NNM_HAVE_ONEDNN

/* A session under construction. */
typedef struct nnm_onednn_builder {
    nnm_session *session;
    const nnm_graph *graph;
    dnnl_memory_t *tensors; /* of each tensor of the graph; NULL: not there yet */
    nnm_error *err;
} nnm_onednn_builder;

/* oneDNN's order of a tensor's dimensions: images are N, C, H, W. Returns their number. */
int nnm_onednn_dims(const nnm_graph *graph, nnm_tensor_id id, dnnl_dims_t dims);

/* The axis of the channels in that order. */
int nnm_onednn_channel_axis(const nnm_graph *graph, nnm_tensor_id id);

/* The first is as the model file has it, the second leaves the layout to a primitive. */
void nnm_onednn_file_desc(const nnm_graph *graph, nnm_tensor_id id, dnnl_memory_desc_t *out);
void nnm_onednn_any_desc(const nnm_graph *graph, nnm_tensor_id id, dnnl_memory_desc_t *out);

/* The layout that a convolution would want a tensor of these dimensions to have; row by row where there is none. */
void nnm_onednn_usual_desc(const nnm_onednn_builder *b, int rank, const dnnl_dims_t dims, dnnl_memory_desc_t *out);

/* The layout that a tensor has, or, for an input of the graph that nobody read yet, would have. */
void nnm_onednn_tensor_desc(const nnm_onednn_builder *b, nnm_tensor_id id, dnnl_memory_desc_t *out);

/* Row by row: the last dimension is the fastest. */
void nnm_onednn_dense_desc(int rank, const dnnl_dims_t dims, dnnl_memory_desc_t *out);

/* A new memory of the session; `data`: NULL to allocate it, else a buffer that somebody else owns. */
NNM_NODISCARD nnm_status nnm_onednn_new_memory(const nnm_onednn_builder *b, const dnnl_memory_desc_t *desc, void *data,
                                               dnnl_memory_t *out);

/* The same memory under another description. */
NNM_NODISCARD nnm_status nnm_onednn_view(const nnm_onednn_builder *b, dnnl_memory_t memory,
                                         const dnnl_memory_desc_t *desc, dnnl_memory_t *out);

/* Tensor `id` in the layout `desc`, to be read: an input of the graph gets that layout if it has none yet; where the
 * tensor has another one, a copy at each run is added. */
NNM_NODISCARD nnm_status nnm_onednn_read(nnm_onednn_builder *b, nnm_tensor_id id, const dnnl_memory_desc_t *desc,
                                         dnnl_memory_t *out);

/* Adds a primitive to what a run executes. It belongs to the session, also after a failure. */
NNM_NODISCARD nnm_status nnm_onednn_add_call(const nnm_onednn_builder *b, const_dnnl_primitive_desc_t desc,
                                             const dnnl_exec_arg_t *arguments, int argument_count, const char *doing);

/* Adds a copy from one layout to another to what a run executes. */
NNM_NODISCARD nnm_status nnm_onednn_add_copy(const nnm_onednn_builder *b, dnnl_memory_t to,
                                             const dnnl_memory_desc_t *to_desc, dnnl_memory_t from,
                                             const dnnl_memory_desc_t *from_desc);

#endif
#endif
