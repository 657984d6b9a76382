/*
 * How trees are kept for evaluation. Rows are compared as small numbers: a feature's thresholds ("cuts") stand in a
 * sorted table, and a row's code for the feature is the number of cuts below its value, so that value <= cut c is
 * code <= c, exactly.
 *
 * A node is one word of 4 or 8 bytes: from the lowest bits, the feature, the left child's place (the right child stands
 * behind it) and the cut's number. So code << shift > word says "right" without taking the cut out of the word. A leaf
 * is a split at a feature behind the last one, whose code is always 0, with itself as the left child: a walk that has
 * arrived stays. In place of a cut it has the number of its value.
 */
#ifndef NNM_LEARN_TREE_PACK_H
#define NNM_LEARN_TREE_PACK_H

#include <stdbool.h>

#include "learn/tree_set.h"

typedef struct nnm_word_layout {
    unsigned bytes; /* 4 or 8 */
    unsigned feature_bits, child_bits;
} nnm_word_layout;

typedef struct nnm_packed_tree {
    double *leaves; /* values of the leaves, in the order of the nodes; one block with the nodes */
    void *nodes;    /* words 1..node_count; word 1 is the root */
    size_t node_count, leaf_count;
} nnm_packed_tree;

struct nnm_tree_set {
    size_t columns, count;
    nnm_word_layout layout;
    nnm_packed_tree *trees;
    double **cuts; /* sorted, distinct; for each feature */
    size_t *cut_counts;
    bool portable; /* walk as a processor without the vector instructions has to */
};

/* The narrowest layout for trees of up to `nodes` nodes whose cuts and leaves have numbers up to `numbers`; false where
 * 8 bytes do not suffice. */
bool nnm_word_layout_init(nnm_word_layout *layout, size_t columns, size_t nodes, size_t numbers);

static inline unsigned nnm_number_shift(const nnm_word_layout *layout)
{
    return layout->feature_bits + layout->child_bits;
}

/* A set of `count` empty trees without cuts. NULL when memory is short. */
nnm_tree_set *nnm_tree_set_alloc(size_t count, size_t columns);

/* Room for a tree of words of the layout, to be filled. False when memory is short. */
NNM_NODISCARD bool nnm_packed_tree_init(nnm_packed_tree *tree, size_t nodes, const nnm_word_layout *layout);

/* Packs a tree into the layout of the set. The nodes are as in nnm_tree_set_new, but for the value of a split, which is
 * the number of its cut. False when memory is short. */
NNM_NODISCARD bool nnm_packed_tree_fill(nnm_packed_tree *tree, const nnm_tree_node *nodes, size_t count,
                                        const nnm_tree_set *set);

/* Makes the words as narrow as the trees allow. */
void nnm_tree_set_narrow(nnm_tree_set *set);

uint64_t nnm_tree_word(const nnm_tree_set *set, size_t tree, size_t place);

/* Codes of `rows` rows: columns + 1 words a row, shifted for comparison, the last 0. */
void nnm_tree_set_encode(const nnm_tree_set *set, const double *x, size_t rows, void *codes);

/* The same for rows whose values are given as ranks: the number of cuts below each. */
void nnm_tree_set_encode_ranks(const nnm_tree_set *set, const uint32_t *ranks, size_t rows, void *codes);

/* The most rows nnm_tree_walk_rows takes at once. */
#define NNM_WALK_ROWS 256

/* out[row] = what the tree says for the row with the row-th codes, for count <= NNM_WALK_ROWS rows, all below
 * NNM_WALK_ROWS. */
void nnm_tree_walk_rows(const nnm_tree_set *set, size_t tree, const void *codes, const uint32_t *rows, size_t count,
                        double *out);

#endif
