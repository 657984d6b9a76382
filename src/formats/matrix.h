/* Matrices of model files whose rows and columns stand the other way round in graphs. */
#ifndef NNM_FORMATS_MATRIX_H
#define NNM_FORMATS_MATRIX_H

#include <stddef.h>

/* out[column][row] = in[row][column]; the two must not overlap. */
void nnm_matrix_turn(float *out, const float *in, size_t rows, size_t columns);

#endif
