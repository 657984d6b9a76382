#include "bench/statistics.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double nnm_percentile(double *values, size_t count, double share)
{
    qsort(values, count, sizeof *values, compare);
    double position = share * (double)(count - 1);
    size_t below = (size_t)position;
    if (below + 1 >= count) return values[count - 1];
    return values[below] + (position - (double)below) * (values[below + 1] - values[below]);
}
