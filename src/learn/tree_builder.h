/*
 * Growing one regression tree: CART (L. Breiman et al., "Classification and Regression Trees", 1984) with exact search
 * for the split of least squared error, on features that were sorted once for the whole forest.
 */
#ifndef NNM_LEARN_TREE_BUILDER_H
#define NNM_LEARN_TREE_BUILDER_H

#include "learn/training_table.h"
#include "learn/tree.h"
#include "nnmeter/forest.h"

typedef struct nnm_tree_builder nnm_tree_builder;

/* The memory for one thread's trees. Errors: NO_MEMORY. The table must outlive the builder. */
NNM_NODISCARD nnm_status nnm_tree_builder_new(nnm_tree_builder **out, const nnm_training_table *table,
                                              const nnm_forest_options *options, nnm_error *err);
void nnm_tree_builder_free(nnm_tree_builder *builder); /* NULL is allowed */

/* Grows tree `number`, which depends on the number and the options' seed alone. False when memory is short. */
NNM_NODISCARD bool nnm_tree_builder_grow(nnm_tree_builder *builder, size_t number, nnm_tree *out);

/* The rows of the table that the tree grown last did not see; owned by the builder, valid until it grows again. */
size_t nnm_tree_builder_unseen(const nnm_tree_builder *builder, const uint32_t **rows);

#endif
