#include "backends/layout.h"

#define BLOCK 16 /* floats: a cache line, so that each is fetched once */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void nnm_transpose(float *out, const float *in, size_t rows, size_t columns)
{
    for (size_t row0 = 0; row0 < rows; row0 += BLOCK)
        for (size_t column0 = 0; column0 < columns; column0 += BLOCK)
            for (size_t row = row0; row < least(row0 + BLOCK, rows); row++)
                for (size_t column = column0; column < least(column0 + BLOCK, columns); column++)
                    out[column * rows + row] = in[row * columns + column];
}

void nnm_transpose_all(float *out, const float *in, size_t count, size_t rows, size_t columns)
{
    for (size_t i = 0; i < count; i++)
        nnm_transpose(out + i * rows * columns, in + i * rows * columns, rows, columns);
}
