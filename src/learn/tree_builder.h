/*
 * Growing one regression tree: CART (L. Breiman et al., "Classification and Regression Trees", 1984) with exact search
 * for the split of least squared error, on features that were sorted once for the whole forest.
 */
#ifndef NNM_LEARN_TREE_BUILDER_H
#define NNM_LEARN_TREE_BUILDER_H

#include "learn/training_table.h"
#include "learn/tree_pack.h"
#include "nnmeter/forest.h"

/* Rows that a tree draws at most, so that a forest of millions of rows stays in memory. */
#define NNM_MOST_DRAWS ((size_t)1 << 17)

typedef struct nnm_tree_builder nnm_tree_builder;

/* The memory for one thread's trees. Errors: NO_MEMORY. The table must outlive the builder. */
NNM_NODISCARD nnm_status nnm_tree_builder_new(nnm_tree_builder **out, const nnm_training_table *table,
                                              const nnm_forest_options *options, const nnm_word_layout *layout,
                                              nnm_error *err);
void nnm_tree_builder_free(nnm_tree_builder *builder); /* NULL is allowed */

/* Grows tree `number`, which depends on the number and the options' seed alone, in words of 8 bytes of the layout. The
 * number of a cut is the rank of the largest value that goes left. False when memory is short. */
NNM_NODISCARD bool nnm_tree_builder_grow(nnm_tree_builder *builder, size_t number, nnm_packed_tree *out);

/* Sets bit i % 64 of seen[i / 64], which were zero, for each row i of the table that the tree grown last has seen. */
void nnm_tree_builder_mark_seen(const nnm_tree_builder *builder, uint64_t *seen);

#endif
