/* What a forest is made of, for the rooms that fit, save and load it. */
#ifndef NNM_LEARN_FOREST_MODEL_H
#define NNM_LEARN_FOREST_MODEL_H

#include "learn/forest_trees.h"
#include "learn/tree.h"
#include "learn/tree_set.h"
#include "nnmeter/forest.h"

#define NNM_MAX_TREES 100000
#define NNM_MAX_COLUMNS 65536

struct nnm_forest {
    size_t columns;
    size_t tree_count;
    nnm_tree *trees;
    double *oob_prediction; /* NULL: none */
    double oob_score;
};

#endif
