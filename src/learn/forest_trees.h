/* The trees of a forest, for those who export or explain them. */
#ifndef NNM_LEARN_FOREST_TREES_H
#define NNM_LEARN_FOREST_TREES_H

#include "learn/tree_set.h"
#include "nnmeter/forest.h"

size_t nnm_forest_tree_node_count(const nnm_forest *forest, size_t tree);
nnm_tree_node nnm_forest_tree_node(const nnm_forest *forest, size_t tree, size_t node);

#endif
