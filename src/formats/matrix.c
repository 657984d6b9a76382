#include "formats/matrix.h"

/* A block of each matrix fits into the nearest cache. */
#define BLOCK 32

void nnm_matrix_turn(float *out, const float *in, size_t rows, size_t columns)
{
    for (size_t top = 0; top < rows; top += BLOCK) {
        size_t bottom = top + BLOCK < rows ? top + BLOCK : rows;
        for (size_t left = 0; left < columns; left += BLOCK) {
            size_t right = left + BLOCK < columns ? left + BLOCK : columns;
            for (size_t column = left; column < right; column++)
                for (size_t row = top; row < bottom; row++)
                    out[column * rows + row] = in[row * columns + column];
        }
    }
}
