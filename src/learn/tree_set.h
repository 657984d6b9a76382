/*
 * Regression trees that are complete, packed for evaluation: what a random forest, boosted trees or extremely
 * randomised trees answer with.
 *
 * A row goes left at a split where x[feature] <= value, else right (so does NaN).
 */
#ifndef NNM_LEARN_TREE_SET_H
#define NNM_LEARN_TREE_SET_H

#include <stddef.h>
#include <stdint.h>

#include "nnmeter/status.h"

/* In `feature` of a leaf. */
#define NNM_NO_FEATURE UINT32_MAX

/* One node as those see it who grow trees, export or explain them. Node 0 is the root. */
typedef struct nnm_tree_node {
    double value;         /* a split's threshold or a leaf's prediction; finite */
    uint32_t feature;     /* or NNM_NO_FEATURE */
    uint32_t left, right; /* numbers of the children in the same tree, greater than the node's own; 0 in a leaf */
} nnm_tree_node;

typedef struct nnm_tree_set nnm_tree_set;

/* Packs `count` trees (tree t: node_counts[t] nodes at trees[t]), which are not needed any more afterwards. The nodes
 * may get other numbers. Errors: NO_MEMORY, INVALID_ARGUMENT (a tree that is none). */
NNM_NODISCARD nnm_status nnm_tree_set_new(nnm_tree_set **out, const nnm_tree_node *const *trees,
                                          const size_t *node_counts, size_t count, size_t columns, nnm_error *err);
void nnm_tree_set_free(nnm_tree_set *set); /* NULL is allowed */

size_t nnm_tree_set_columns(const nnm_tree_set *set);
size_t nnm_tree_set_count(const nnm_tree_set *set);
size_t nnm_tree_set_node_count(const nnm_tree_set *set, size_t tree);
nnm_tree_node nnm_tree_set_node(const nnm_tree_set *set, size_t tree, size_t node);

/* out[i] = the sum of what the trees first..first+count-1 say for row i of x, added up in that order: the same bits
 * whether rows come one by one or together. */
void nnm_tree_set_sum(const nnm_tree_set *set, size_t first, size_t count, const double *x, size_t rows, double *out);

/* out[t] = what the tree first + t says for a row, for `count` trees. */
void nnm_tree_set_answers(const nnm_tree_set *set, size_t first, size_t count, const double *x, double *out);

/* out[i] = the mean over all trees; where all say the same, exactly that. */
void nnm_tree_set_mean(const nnm_tree_set *set, const double *x, size_t rows, double *out);

#endif
