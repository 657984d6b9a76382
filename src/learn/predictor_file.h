/*
 * The bytes of a predictor file. The 32 bytes in front of the payload stand in nnmeter/predictor.h.
 *
 * Payload, version 2, little-endian, without padding (string: uint16 length, then that many bytes, none of them zero):
 *   string  model: "random_forest" or "best"
 *   string  kernel type, at most 63 bytes
 *   uint64  rows, test rows
 *   uint64  rows of the test metrics
 *   double  RMSE, RMSPE, mean relative error, shares within 5, 10, 15 %
 *   double  out-of-bag R^2, noise ceiling, smallest and largest training latency in ms
 *   double  5 % and 95 % quantile of measured / predicted latency out of bag, or NaN; NaN for "best"
 *   uint32  number of features
 *   for each feature: string name (1..255 bytes), double minimum, double maximum
 *   to the end the forest (forest_file.h), or what "best" consists of (best.h)
 * Version 1 is the same, with random forests only.
 */
#ifndef NNM_LEARN_PREDICTOR_FILE_H
#define NNM_LEARN_PREDICTOR_FILE_H

#include "base/buffer.h"
#include "nnmeter/predictor.h"

#define NNM_PREDICTOR_VERSION 2
#define NNM_PREDICTOR_OLDEST_VERSION 1

/* Appends the whole file to an empty buffer. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_predictor_put(const nnm_predictor *predictor, nnm_buffer *out, nnm_error *err);

/* Reads a predictor from bytes; `name` is for messages. Errors as nnm_predictor_load. */
NNM_NODISCARD nnm_status nnm_predictor_parse(nnm_predictor **out, const void *bytes, size_t size_bytes,
                                             const char *name, nnm_error *err);

#endif
