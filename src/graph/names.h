/* Which tensor has a name: open addressing, so that whole networks stay linear to build. */
#ifndef NNM_GRAPH_NAMES_H
#define NNM_GRAPH_NAMES_H

#include "nnmeter/graph.h"

typedef struct nnm_names {
    size_t *slots;   /* tensor id + 1; 0: free */
    size_t capacity; /* a power of two, at most half full */
    size_t count;
} nnm_names;

/* Makes room for the names of one more node, at most NNM_NODE_MAX_OUTPUTS, so that nnm_names_put cannot fail. */
NNM_NODISCARD nnm_status nnm_names_reserve(nnm_names *names, const nnm_tensor *tensors, nnm_error *err);
/* Remembers tensors[id].name, which must not be known yet. */
void nnm_names_put(nnm_names *names, const nnm_tensor *tensors, nnm_tensor_id id);
bool nnm_names_find(const nnm_names *names, const nnm_tensor *tensors, const char *name, nnm_tensor_id *out);
void nnm_names_fini(nnm_names *names);

/* Adds a node whose outputs have names of their own, as model files give them. Otherwise as nnm_graph_add_node;
 * messages do not say which node it is. */
NNM_NODISCARD nnm_status nnm_graph_add_named_node(nnm_graph *graph, nnm_op op, const char *const *names,
                                                  const nnm_attributes *attributes, const nnm_tensor_id *inputs,
                                                  size_t input_count, nnm_tensor_id *out, nnm_error *err);

/* Finds the tensor called `name`; `*out` is left alone if there is none. */
bool nnm_graph_find(const nnm_graph *graph, const char *name, nnm_tensor_id *out);

#endif
