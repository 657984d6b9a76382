/*
 * Points that fill a cube evenly: the sequence of I. M. Sobol' (1967) with the direction numbers of S. Joe and F. Y.
 * Kuo (SIAM J. Sci. Comput. 30, 2008), scrambled as A. B. Owen (1995) does it, which makes each point uniform over the
 * cube and keeps the evenness. Equal seeds give equal points on every machine.
 */
#ifndef NNM_SAMPLING_SOBOL_H
#define NNM_SAMPLING_SOBOL_H

#include <stddef.h>
#include <stdint.h>

#define NNM_SOBOL_MAX_DIMENSIONS 9

typedef struct nnm_sobol {
    uint64_t seed;
    uint32_t index; /* of the next point */
} nnm_sobol;

/* The next of up to 2^32 points: `dimensions` coordinates in [0, 1), at most NNM_SOBOL_MAX_DIMENSIONS. */
void nnm_sobol_next(nnm_sobol *sobol, size_t dimensions, double *point);

#endif
