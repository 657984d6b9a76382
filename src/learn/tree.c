#include "learn/tree.h"

#include <stdbool.h>

/* A walk is a chain of loads that wait for each other; this many at once keep the memory busy. */
#define WALKS 24

typedef struct walk {
    const nnm_node *node;
    const double *x;
    double *out;
} walk;

/* Walks to be done: from tree i (or always the same) with row i (or always the same). */
typedef struct walk_list {
    const nnm_tree *trees;
    bool one_tree;
    const double *x;
    bool one_row;
    const uint32_t *rows;
    size_t columns;
    size_t count;
    double *out;
} walk_list;

static inline walk start_walk(const walk_list *list, size_t i)
{
    const nnm_tree *tree = list->one_tree ? list->trees : list->trees + i;
    size_t row = list->one_row ? 0 : list->rows ? list->rows[i] : i;
    return (walk){tree->nodes, list->x + row * list->columns, list->out + i};
}

static void do_walks(const walk_list *list)
{
    walk walks[WALKS];
    size_t started = 0, running = 0;
    while (running < WALKS && started < list->count)
        walks[running++] = start_walk(list, started++);

    while (running > 0) {
        for (size_t i = 0; i < running; i++) {
            const nnm_node *node = walks[i].node;
            if (node->feature == NNM_LEAF) {
                *walks[i].out = node->value;
                walks[i] = started < list->count ? start_walk(list, started++) : walks[--running];
                continue;
            }
            /* A mask, for a branch would be guessed wrong half of the time. */
            size_t goes_right = !(walks[i].x[node->feature] <= node->value);
            walks[i].node = node + 1 + (node->skip & (0 - goes_right));
        }
    }
}

void nnm_tree_predict(const nnm_tree *tree, const double *x, size_t columns, const uint32_t *rows, size_t count,
                      double *out)
{
    walk_list list = {
        .trees = tree, .one_tree = true, .x = x, .rows = rows, .columns = columns, .count = count, .out = out};
    do_walks(&list);
}

void nnm_trees_predict_row(const nnm_tree *trees, size_t count, const double *x, double *out)
{
    walk_list list = {.trees = trees, .x = x, .one_row = true, .count = count, .out = out};
    do_walks(&list);
}
