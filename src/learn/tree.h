/* A fitted regression tree: nodes in pre-order, so that a left child stands right behind its parent. */
#ifndef NNM_LEARN_TREE_H
#define NNM_LEARN_TREE_H

#include <stddef.h>
#include <stdint.h>

/* Set in `feature` of a leaf, whose other bits are zero. */
#define NNM_LEAF UINT32_C(0x80000000)

typedef struct nnm_node {
    double value;     /* a split's threshold: x[feature] <= value goes left; a leaf's prediction */
    uint32_t skip;    /* nodes of the left subtree: the right child stands that far behind the left one; 0 in a leaf */
    uint32_t feature; /* or NNM_LEAF */
} nnm_node;

typedef struct nnm_tree {
    nnm_node *nodes;
    size_t count;
} nnm_tree;

/* out[i] = the tree's prediction for row rows[i] of x, or for row i where rows is NULL. */
void nnm_tree_predict(const nnm_tree *tree, const double *x, size_t columns, const uint32_t *rows, size_t count,
                      double *out);

/* out[i] = the prediction of trees[i] for the row x. */
void nnm_trees_predict_row(const nnm_tree *trees, size_t count, const double *x, double *out);

#endif
