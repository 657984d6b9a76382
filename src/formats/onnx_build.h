/*
 * Writing ONNX models of any operators, node by node. Models of kernels are written from their graphs (model_file.h);
 * this is for what has no graph here, such as a predictor.
 *
 * An allocation that fails is remembered: add freely, nnm_onnx_finish tells.
 */
#ifndef NNM_FORMATS_ONNX_BUILD_H
#define NNM_FORMATS_ONNX_BUILD_H

#include <stdint.h>

#include "base/buffer.h"

#define NNM_ONNX_FLOAT 1
#define NNM_ONNX_INT64 7
#define NNM_ONNX_DOUBLE 11

/* Zero-initialise; end with nnm_onnx_fini. */
typedef struct nnm_onnx_model {
    nnm_buffer graph, metadata;
    nnm_buffer node, part, piece; /* what is being written */
} nnm_onnx_model;
void nnm_onnx_fini(nnm_onnx_model *model);

/* A node: begin, then inputs and outputs in order, then attributes, then end. `domain` "" is ONNX's own. */
void nnm_onnx_begin_node(nnm_onnx_model *model, const char *op_type, const char *domain);
void nnm_onnx_input(nnm_onnx_model *model, const char *name);
void nnm_onnx_output(nnm_onnx_model *model, const char *name);
void nnm_onnx_int(nnm_onnx_model *model, const char *name, int64_t value);
void nnm_onnx_text(nnm_onnx_model *model, const char *name, const char *value);
void nnm_onnx_ints(nnm_onnx_model *model, const char *name, const int64_t *values, size_t count);
void nnm_onnx_texts(nnm_onnx_model *model, const char *name, const char *const *values, size_t count);
void nnm_onnx_doubles(nnm_onnx_model *model, const char *name, const double *values, size_t count); /* a tensor */
void nnm_onnx_end_node(nnm_onnx_model *model);

/* Constants, of one dimension or, with `count` 0, a single double without dimensions. */
void nnm_onnx_constant_ints(nnm_onnx_model *model, const char *name, const int64_t *values, size_t count);
void nnm_onnx_constant_doubles(nnm_onnx_model *model, const char *name, const double *values, size_t count);

/* The model's own inputs and outputs: floats, N rows of `columns`. */
void nnm_onnx_model_input(nnm_onnx_model *model, const char *name, size_t columns);
void nnm_onnx_model_output(nnm_onnx_model *model, const char *name, size_t columns);

void nnm_onnx_metadata(nnm_onnx_model *model, const char *key, const char *value);

/* Appends the file to an empty buffer: IR version 8, operator sets 14 and ai.onnx.ml 3.
 * Errors: NO_MEMORY, UNSUPPORTED (more than protobuf's 2 GiB). */
NNM_NODISCARD nnm_status nnm_onnx_finish(nnm_onnx_model *model, const char *graph_name, nnm_buffer *out,
                                         nnm_error *err);

#endif
