#ifndef NNM_KERNELS_WEIGHTS_H
#define NNM_KERNELS_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

/* Fills `data` with values spread evenly over (centre - spread, centre + spread). Each depends on the seed, the name
 * and its index only, and is the same on every machine. None is denormal, nor 0 where centre is 0. */
void nnm_weights_fill(float *data, size_t count, uint64_t seed, const char *name, float centre, float spread);

#endif
