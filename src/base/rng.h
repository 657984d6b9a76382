/*
 * Seeded random numbers: xoshiro256++ (D. Blackman, S. Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM
 * TOMS 47, 2021), seeded by splitmix64. Equal seeds give equal numbers on every machine.
 */
#ifndef NNM_BASE_RNG_H
#define NNM_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct nnm_rng {
    uint64_t state[4];
} nnm_rng;

/* `stream` makes independent generators from one seed, e.g. one a tree. */
void nnm_rng_init(nnm_rng *rng, uint64_t seed, uint64_t stream);
uint64_t nnm_rng_next(nnm_rng *rng);
/* Uniform in [0, 1), 53 bits. */
double nnm_rng_uniform(nnm_rng *rng);
/* Uniform in [0, bound), without bias; bound >= 1. */
uint64_t nnm_rng_below(nnm_rng *rng, uint64_t bound);
/* Fisher-Yates shuffle of `count` elements of `size` bytes (size <= 256). */
void nnm_rng_shuffle(nnm_rng *rng, void *array, size_t count, size_t size);

/* A 64-bit hash of bytes (FNV-1a, then mixed), for seeds that depend on names. */
uint64_t nnm_hash64(const void *bytes, size_t size, uint64_t seed);

#endif
