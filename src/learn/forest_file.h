/*
 * A forest as bytes. Thresholds and leaf values are kept once each, in sorted tables, and nodes name them by number;
 * the order of the nodes tells who is whose child.
 *
 *   uint32  number of trees
 *   table   for each feature: its thresholds (number_table.h)
 *   table   the leaf values
 *   uint32  for each tree: number of nodes
 *   bits    for each node of each tree, in pre-order, left before right:
 *             1 bit   1: leaf
 *             leaf:   index of its value
 *             split:  feature, then index of its threshold
 *           An index has as many bits as tell the entries of its table apart, none for a table of one.
 *           Zero bits fill the last byte.
 */
#ifndef NNM_LEARN_FOREST_FILE_H
#define NNM_LEARN_FOREST_FILE_H

#include "learn/bytes.h"
#include "learn/tree_set.h"
#include "nnmeter/forest.h"

/* The same for any set of trees. */
NNM_NODISCARD nnm_status nnm_tree_set_put(const nnm_tree_set *set, nnm_buffer *out, nnm_error *err);
NNM_NODISCARD nnm_status nnm_tree_set_get(nnm_tree_set **out, nnm_reader *in, size_t columns, nnm_error *err);

/* Errors: NO_MEMORY (beside what nnm_buffer_check reports). */
NNM_NODISCARD nnm_status nnm_forest_put(const nnm_forest *forest, nnm_buffer *out, nnm_error *err);

/* Reads to the end. Errors: PARSE, NO_MEMORY. Whatever the bytes, walks through the forest end in a leaf. */
NNM_NODISCARD nnm_status nnm_forest_get(nnm_forest **out, nnm_reader *in, size_t columns, nnm_error *err);

#endif
