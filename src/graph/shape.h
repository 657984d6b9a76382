/* Shapes as text and as bytes, for this room and those above it. */
#ifndef NNM_GRAPH_SHAPE_H
#define NNM_GRAPH_SHAPE_H

#include "nnmeter/graph.h"

#define NNM_SHAPE_TEXT_BYTES 160

/* Writes "[1, 3, 224, 224]" into `text` and returns it; ranks over NNM_MAX_RANK end in "...". */
const char *nnm_shape_format(const nnm_shape *shape, char text[NNM_SHAPE_TEXT_BYTES]);

bool nnm_shape_equal(const nnm_shape *a, const nnm_shape *b);

#endif
