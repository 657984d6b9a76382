#include "learn/tree_set.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

struct nnm_tree_set {
    size_t columns, count;
    nnm_tree_node *nodes; /* tree t: start[t]..start[t + 1] */
    size_t *start;
};

static bool is_tree(const nnm_tree_node *nodes, size_t count, size_t columns)
{
    for (size_t i = 0; i < count; i++) {
        const nnm_tree_node *n = &nodes[i];
        if (n->feature == NNM_NO_FEATURE) continue;
        if (n->feature >= columns || n->left <= i || n->right <= i || n->left >= count || n->right >= count)
            return false;
    }
    return count > 0;
}

nnm_status nnm_tree_set_new(nnm_tree_set **out, const nnm_tree_node *const *trees, const size_t *node_counts,
                            size_t count, size_t columns, nnm_error *err)
{
    nnm_tree_set *set = nnm_calloc(1, sizeof *set);
    if (!set) return nnm_fail_memory(err);
    set->columns = columns;
    set->count = count;
    set->start = nnm_calloc(count + 1, sizeof *set->start);
    for (size_t t = 0; set->start && t < count; t++)
        set->start[t + 1] = set->start[t] + node_counts[t];
    if (set->start) set->nodes = nnm_calloc(set->start[count], sizeof *set->nodes);
    nnm_status status = set->nodes ? NNM_OK : nnm_fail_memory(err);
    for (size_t t = 0; t < count && !status; t++) {
        if (!is_tree(trees[t], node_counts[t], columns))
            status = nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "tree %zu is not a tree", t + 1);
        else
            memcpy(set->nodes + set->start[t], trees[t], node_counts[t] * sizeof *set->nodes);
    }
    if (status)
        nnm_tree_set_free(set);
    else
        *out = set;
    return status;
}

void nnm_tree_set_free(nnm_tree_set *set)
{
    if (!set) return;
    free(set->nodes);
    free(set->start);
    free(set);
}

size_t nnm_tree_set_columns(const nnm_tree_set *set)
{
    return set->columns;
}

size_t nnm_tree_set_count(const nnm_tree_set *set)
{
    return set->count;
}

size_t nnm_tree_set_node_count(const nnm_tree_set *set, size_t tree)
{
    return set->start[tree + 1] - set->start[tree];
}

nnm_tree_node nnm_tree_set_node(const nnm_tree_set *set, size_t tree, size_t node)
{
    return set->nodes[set->start[tree] + node];
}

static double walk(const nnm_tree_set *set, size_t tree, const double *x)
{
    const nnm_tree_node *nodes = set->nodes + set->start[tree], *node = nodes;
    while (node->feature != NNM_NO_FEATURE)
        node = nodes + (x[node->feature] <= node->value ? node->left : node->right);
    return node->value;
}

void nnm_tree_set_sum(const nnm_tree_set *set, size_t first, size_t count, const double *x, size_t rows, double *out)
{
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;
        for (size_t t = first; t < first + count; t++)
            sum += walk(set, t, x + i * set->columns);
        out[i] = sum;
    }
}

void nnm_tree_set_mean(const nnm_tree_set *set, const double *x, size_t rows, double *out)
{
    for (size_t i = 0; i < rows; i++) {
        double first = walk(set, 0, x + i * set->columns), sum = 0;
        for (size_t t = 1; t < set->count; t++)
            sum += walk(set, t, x + i * set->columns) - first;
        out[i] = first + sum / (double)set->count;
    }
}
