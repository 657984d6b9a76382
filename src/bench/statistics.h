/* Order statistics of small arrays. */
#ifndef NNM_BENCH_STATISTICS_H
#define NNM_BENCH_STATISTICS_H

#include <stddef.h>

/* Sorts `values` and returns the value below which `share` (0..1) of them lie, interpolated between neighbours.
 * `count` >= 1. */
double nnm_percentile(double *values, size_t count, double share);

#endif
