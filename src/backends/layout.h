/* Copies between the order of tensors in model files (NCHW, OIHW) and that of runtimes that keep channels last. */
#ifndef NNM_BACKENDS_LAYOUT_H
#define NNM_BACKENDS_LAYOUT_H

#include <stddef.h>

/* A matrix of `rows` x `columns` becomes `columns` x `rows`. `out` and `in` do not overlap. */
void nnm_transpose(float *out, const float *in, size_t rows, size_t columns);

/* The same for each of `count` matrices that follow each other: channels x pixels, an image each, or back. */
void nnm_transpose_all(float *out, const float *in, size_t count, size_t rows, size_t columns);

#endif
