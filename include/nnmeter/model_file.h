/*
 * Model files: graphs written as, and read from, the files that real runtimes load.
 *
 * ONNX: IR version 8, opset 14, NCHW, float32, weights in raw_data. Symbolic dimensions, external data and operators
 * other than those of graph.h are refused with their name.
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

#ifdef __cplusplus
}
#endif

#endif
