/*
 * Choosing a few of many candidates that stand for as much as possible: lazily greedy (M. Minoux, "Accelerated greedy
 * algorithms for maximizing submodular set functions", 1978).
 */
#ifndef NNM_BUILDER_ACQUIRE_GREEDY_H
#define NNM_BUILDER_ACQUIRE_GREEDY_H

#include <stddef.h>

#include "nnmeter/status.h"

typedef struct nnm_greedy {
    size_t candidates, reference; /* reference rows are those they should stand for */
    /* How far a candidate stands for a reference row, 0..1. Called by several threads. */
    float (*alike)(const void *context, size_t candidate, size_t row);
    const void *context;
    const double *worth; /* reference */
    const double *price; /* candidates, > 0 */
    unsigned threads;
} nnm_greedy;

/* Chooses up to `num` candidates, best first, none twice. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_greedy_choose(size_t *chosen, size_t *chosen_count, const nnm_greedy *greedy, size_t num,
                                           nnm_error *err);

#endif
