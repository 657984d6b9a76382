/*
 * Model files: graphs written as, and read from, the files that real runtimes load.
 *
 * A graph in NCHW becomes an ONNX file, one in NHWC a TensorFlow Lite file.
 *
 * ONNX: IR version 8, opset 14, NCHW, float32, weights in raw_data. Symbolic dimensions, external data and operators
 * other than those of graph.h are refused with their name.
 *
 * TensorFlow Lite: flatbuffer with identifier TFL3, schema version 3, NHWC, float32, one subgraph. Batch norm behind a
 * convolution is folded into it, any other becomes MUL and ADD with constants; activations are fused where they can be.
 * Reading gives what the file holds: the same results, perhaps in another form (docs/model-files.md).
 *
 * Thread-safety: calls on different files may run in parallel.
 */
#ifndef NNMETER_MODEL_FILE_H
#define NNMETER_MODEL_FILE_H

#include "nnmeter/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes `graph` to `path` (temporary file, fsync, rename: the file is whole or absent).
 * Errors: UNSUPPORTED (layout is not NCHW; over the 2 GiB that protobuf allows), IO, NO_SPACE, NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_onnx_write(const nnm_graph *graph, const char *path, nnm_error *err);

/* Reads the model of `path` into a new graph, freed by nnm_graph_free.
 * Errors: NOT_FOUND, IO, PARSE (cut short, not ONNX), UNSUPPORTED (operator, type or attribute, named), VALUE (shapes
 * that do not fit), NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_onnx_read(nnm_graph **out, const char *path, nnm_error *err);

/* The same from memory; `name` stands for the file in messages. */
NNM_NODISCARD NNM_API nnm_status nnm_onnx_read_memory(nnm_graph **out, const void *bytes, size_t size_bytes,
                                                      const char *name, nnm_error *err);

/* The same for TensorFlow Lite. Errors as above; UNSUPPORTED for a layout that is not NHWC, for a convolution in groups
 * that is not depthwise, and for padding of an average pool that is neither SAME nor none. */
NNM_NODISCARD NNM_API nnm_status nnm_tflite_write(const nnm_graph *graph, const char *path, nnm_error *err);
NNM_NODISCARD NNM_API nnm_status nnm_tflite_read(nnm_graph **out, const char *path, nnm_error *err);
NNM_NODISCARD NNM_API nnm_status nnm_tflite_read_memory(nnm_graph **out, const void *bytes, size_t size_bytes,
                                                        const char *name, nnm_error *err);

/* Writes the format of the graph's layout; the suffix of such files is nnm_model_suffix. */
NNM_NODISCARD NNM_API nnm_status nnm_model_write(const nnm_graph *graph, const char *path, nnm_error *err);
NNM_API const char *nnm_model_suffix(nnm_layout layout); /* "onnx" or "tflite" */

/* Reads either format, told apart by the file's content: what begins as a TensorFlow Lite file is one, and so is what
 * is named *.tflite; all else is taken for ONNX. */
NNM_NODISCARD NNM_API nnm_status nnm_model_read(nnm_graph **out, const char *path, nnm_error *err);

#ifdef __cplusplus
}
#endif

#endif
