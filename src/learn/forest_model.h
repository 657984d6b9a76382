/* What a forest is made of, for the rooms that fit, save and load it. */
#ifndef NNM_LEARN_FOREST_MODEL_H
#define NNM_LEARN_FOREST_MODEL_H

#include "learn/forest_trees.h"
#include "learn/tree_set.h"
#include "nnmeter/forest.h"

#define NNM_MAX_TREES 100000
#define NNM_MAX_COLUMNS 65536

struct nnm_forest {
    nnm_tree_set *trees;
    double *oob_prediction; /* NULL: none */
    double oob_score;
};

#endif
