/*
 * Regression trees that are asked one by one: their answers are wanted each, not summed, because the middle of them
 * predicts better than their mean.
 *
 *   File form, little-endian:
 *   uint32  number of trees, 1..4096
 *   table   for each column: its thresholds (number_table.h)
 *   uint32  for each tree: number of nodes
 *   bits    for each node of each tree, in pre-order, left before right:
 *             1 bit    1: leaf
 *             leaf:    16 bits: its answer * 4096, plus 32768
 *             split:   column, then index of its threshold in the column's table
 *           An index has as many bits as tell the entries of its table apart. Zero bits fill the last byte.
 */
#ifndef NNM_LEARN_TREE_POOL_H
#define NNM_LEARN_TREE_POOL_H

#include "learn/bytes.h"
#include "learn/tree_set.h"
#include "nnmeter/status.h"

#define NNM_POOL_LEAF UINT32_MAX
#define NNM_POOL_MAX_TREES 4096
#define NNM_POOL_STEP 4096  /* answers are multiples of 1 / 4096, within -8..8 */
#define NNM_POOL_ZERO 32768 /* so many steps from the lowest answer to 0 */

/* Nodes of a tree stand in pre-order: the left child follows its parent. */
typedef struct nnm_pool_node {
    double value;    /* x[feature] <= value goes left, else (and NaN) right; or a leaf's answer */
    uint32_t column; /* or NNM_POOL_LEAF */
    uint32_t right;  /* number of the right child in its tree; 0 in a leaf */
} nnm_pool_node;

typedef struct nnm_pool_tree {
    nnm_pool_node *nodes;
    size_t count;
} nnm_pool_tree;

/* Zero-initialise; end with nnm_tree_pool_fini. */
typedef struct nnm_tree_pool {
    size_t columns, count;
    nnm_pool_tree *trees;
    nnm_tree_set *packed; /* the same trees for faster walks, or NULL */
} nnm_tree_pool;

void nnm_tree_pool_fini(nnm_tree_pool *pool);

/* The nearest answer that a leaf can give. */
double nnm_pool_round(double answer);

/* Makes walks faster from now on, with the same answers. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_tree_pool_pack(nnm_tree_pool *pool, nnm_error *err);

/* out[t] = the answer of tree first + t to a row, for `count` trees. */
void nnm_tree_pool_answers(const nnm_tree_pool *pool, size_t first, size_t count, const double *x, double *out);

/* Errors: NO_MEMORY (beside what nnm_buffer_check reports). */
NNM_NODISCARD nnm_status nnm_tree_pool_put(const nnm_tree_pool *pool, nnm_buffer *out, nnm_error *err);
/* Reads to the end, and packs. Errors: PARSE, NO_MEMORY. Whatever the bytes, walks end in a leaf. */
NNM_NODISCARD nnm_status nnm_tree_pool_get(nnm_tree_pool *out, nnm_reader *in, size_t columns, nnm_error *err);

#endif
