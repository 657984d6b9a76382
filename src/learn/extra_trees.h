/*
 * Extremely randomised regression trees (P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine
 * Learning 63, 2006): each split is the best of one random threshold for each of some random columns. Every tree sees
 * every row and grows until rows cannot be told apart.
 *
 * Thresholds of a column without values below or at 0 are drawn evenly from its logarithms: sizes are spread like that.
 */
#ifndef NNM_LEARN_EXTRA_TREES_H
#define NNM_LEARN_EXTRA_TREES_H

#include "learn/tree_pool.h"
#include "nnmeter/forest.h"

typedef struct nnm_extra_trees_options {
    size_t columns_per_split; /* >= 1 */
    uint64_t seed;
    unsigned threads;
    const nnm_fit_listener *listener; /* may be NULL */
} nnm_extra_trees_options;

/* Grows `count` trees into trees[0..count - 1], which are empty. x: rows * columns, finite; y: targets, rounded as
 * nnm_pool_round does when they become answers; weight: rows or NULL; rows of weight 0 are left out unless all are.
 * Errors: NO_MEMORY, INTERRUPTED; trees grown so far are then there to be freed. */
NNM_NODISCARD nnm_status nnm_extra_trees_grow(nnm_pool_tree *trees, size_t count, const double *x, const double *y,
                                              const double *weight, size_t rows, size_t columns,
                                              const nnm_extra_trees_options *options, nnm_error *err);

#endif
