/* Graphs as bytes, for a process that builds them for another. Both run the same program. */
#ifndef NNM_PLUGINS_GRAPH_BYTES_H
#define NNM_PLUGINS_GRAPH_BYTES_H

#include "base/buffer.h"
#include "nnmeter/graph.h"

/* Appends a graph. */
void nnm_graph_to_bytes(const nnm_graph *graph, nnm_buffer *out);

/* Builds it again, from bytes that need not be a graph. Errors: PARSE, what graph.h says of what does not fit,
 * NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_graph_from_bytes(nnm_graph **out, const char *bytes, size_t size, nnm_error *err);

#endif
