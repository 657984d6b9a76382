#include "learn/extra_trees.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "learn/tree_watch.h"

/* The rows that count, by columns. */
typedef struct table {
    size_t rows, columns;
    double *x;     /* x[column * rows + row] */
    double *scale; /* the same as thresholds are drawn from: logarithms, or the values themselves */
    double *y, *weight;
} table;

/* A run of `order` that still has to become a subtree. */
typedef struct pending {
    uint32_t begin, end;
    uint32_t parent; /* whose right child it is; NNM_POOL_LEAF: the root */
} pending;

typedef struct grower {
    const table *t;
    size_t columns_per_split;
    nnm_rng rng;
    uint32_t *order;   /* rows */
    uint32_t *columns; /* the order in which they are tried */
    pending *stack;
    nnm_pool_node *nodes;
    size_t node_count;
} grower;

typedef struct split {
    uint32_t column;
    double threshold; /* on the scale */
    double score;
} split;

/* ---- one split ---- */

/* Draws a threshold between the column's smallest and largest value in the node; false where they are equal. */
static bool draw_threshold(grower *g, const uint32_t *rows, size_t count, uint32_t column, double *threshold)
{
    const double *scale = g->t->scale + column * g->t->rows;
    double low = scale[rows[0]], high = low;
    for (size_t i = 1; i < count; i++) {
        double value = scale[rows[i]];
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    if (!(low < high)) return false;
    double drawn = low + nnm_rng_uniform(&g->rng) * (high - low);
    *threshold = drawn < high ? drawn : low;
    return true;
}

/* What least squares gains from a split, up to a constant. */
static double score_split(const grower *g, const uint32_t *rows, size_t count, const split *s, double sum,
                          double weight)
{
    const double *scale = g->t->scale + s->column * g->t->rows;
    double left_sum = 0, left_weight = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        double taken = scale[row] <= s->threshold ? g->t->weight[row] : 0;
        left_weight += taken;
        left_sum += taken * g->t->y[row];
    }
    double right_sum = sum - left_sum, right_weight = weight - left_weight;
    return left_sum * left_sum / left_weight + right_sum * right_sum / right_weight;
}

static bool find_split(grower *g, const uint32_t *rows, size_t count, double sum, double weight, split *best)
{
    size_t tried = 0;
    size_t wanted = count == 2 ? 1 : g->columns_per_split; /* two rows are parted the same by any column */
    for (size_t i = 0; i < g->t->columns && tried < wanted; i++) {
        size_t pick = i + (size_t)nnm_rng_below(&g->rng, g->t->columns - i);
        uint32_t column = g->columns[pick];
        g->columns[pick] = g->columns[i];
        g->columns[i] = column;
        split s = {.column = column};
        if (!draw_threshold(g, rows, count, column, &s.threshold)) continue;
        s.score = score_split(g, rows, count, &s, sum, weight);
        if (tried++ == 0 || s.score > best->score) *best = s;
    }
    return tried > 0;
}

/* Rows that go left first; returns how many. */
static size_t partition(const grower *g, uint32_t *rows, size_t count, const split *s)
{
    const double *scale = g->t->scale + s->column * g->t->rows;
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        if (!(scale[row] <= s->threshold)) continue;
        rows[i] = rows[left];
        rows[left++] = row;
    }
    return left;
}

/* A number in [low, high), near the one wanted, with as few bits as may be: files keep each threshold once. */
static double short_number(double low, double high, double wanted)
{
    int exponent;
    double fraction = frexp(wanted, &exponent);
    for (int bits = 4; bits < 53; bits++) {
        double candidate = ldexp(nearbyint(ldexp(fraction, bits)), exponent - bits);
        if (candidate >= low && candidate < high) return candidate;
    }
    return low;
}

static double threshold_of(const grower *g, const uint32_t *rows, size_t left, size_t count, const split *s)
{
    const double *x = g->t->x + s->column * g->t->rows, *scale = g->t->scale + s->column * g->t->rows;
    double low = x[rows[0]], high = x[rows[left]];
    for (size_t i = 1; i < left; i++)
        low = fmax(low, x[rows[i]]);
    for (size_t i = left + 1; i < count; i++)
        high = fmin(high, x[rows[i]]);
    bool logarithms = scale[rows[0]] != x[rows[0]]; /* no number is its own */
    return short_number(low, high, logarithms ? exp(s->threshold) : s->threshold);
}

/* ---- one tree ---- */

static void add_leaf(grower *g, double value)
{
    g->nodes[g->node_count++] = (nnm_pool_node){.value = nnm_pool_round(value), .column = NNM_POOL_LEAF};
}

/* Makes the node of a run of rows: a leaf, or a split whose two runs are left on the stack. */
static size_t make_node(grower *g, pending p, size_t depth)
{
    uint32_t *rows = g->order + p.begin;
    size_t count = p.end - p.begin;
    double sum = 0, weight = 0, low = g->t->y[rows[0]], high = low;
    for (size_t i = 0; i < count; i++) {
        double y = g->t->y[rows[i]], w = g->t->weight[rows[i]];
        sum += w * y;
        weight += w;
        low = y < low ? y : low;
        high = y > high ? y : high;
    }
    split s = {0};
    if (count < 2 || low == high || !find_split(g, rows, count, sum, weight, &s)) {
        add_leaf(g, low == high ? low : sum / weight);
        return depth;
    }
    uint32_t number = (uint32_t)g->node_count++;
    uint32_t middle = p.begin + (uint32_t)partition(g, rows, count, &s);
    double threshold = threshold_of(g, rows, middle - p.begin, count, &s);
    g->nodes[number] = (nnm_pool_node){.value = threshold, .column = s.column};
    g->stack[depth++] = (pending){middle, p.end, number};
    g->stack[depth++] = (pending){p.begin, middle, NNM_POOL_LEAF};
    return depth;
}

static void grow_nodes(grower *g)
{
    size_t depth = 0;
    g->node_count = 0;
    for (uint32_t i = 0; i < g->t->rows; i++)
        g->order[i] = i;
    for (uint32_t i = 0; i < g->t->columns; i++)
        g->columns[i] = i;
    g->stack[depth++] = (pending){0, (uint32_t)g->t->rows, NNM_POOL_LEAF};
    while (depth) {
        pending p = g->stack[--depth];
        if (p.parent != NNM_POOL_LEAF) g->nodes[p.parent].right = (uint32_t)g->node_count;
        depth = make_node(g, p, depth);
    }
}

/* ---- all trees ---- */

typedef struct job {
    const table *t;
    const nnm_extra_trees_options *options;
    grower *growers; /* one a thread */
    nnm_pool_tree *trees;
    atomic_bool failed;
    nnm_tree_watch watch;
} job;

static void grow_tree(void *context, size_t index, unsigned thread)
{
    job *j = context;
    grower *g = &j->growers[thread];
    if (nnm_tree_watch_stopped(&j->watch)) return;
    nnm_rng_init(&g->rng, j->options->seed, index);
    grow_nodes(g);
    nnm_pool_tree *tree = &j->trees[index];
    tree->nodes = nnm_calloc(g->node_count, sizeof *tree->nodes);
    if (!tree->nodes) {
        atomic_store(&j->failed, true);
        return;
    }
    tree->count = g->node_count;
    for (size_t i = 0; i < tree->count; i++)
        tree->nodes[i] = g->nodes[i];
    nnm_tree_watch_grown(&j->watch, thread);
}

static nnm_status table_init(table *t, const double *x, const double *y, const double *weight, size_t rows,
                             size_t columns, nnm_error *err)
{
    *t = (table){.columns = columns};
    t->x = nnm_calloc(rows, columns * sizeof *t->x);
    t->scale = nnm_calloc(rows, columns * sizeof *t->scale);
    t->y = nnm_calloc(rows, sizeof *t->y);
    t->weight = nnm_calloc(rows, sizeof *t->weight);
    if (!t->x || !t->scale || !t->y || !t->weight) return nnm_fail_memory(err);
    bool any = !weight;
    for (size_t row = 0; row < rows && !any; row++)
        any = weight[row] > 0;
    for (size_t row = 0; row < rows; row++)
        t->rows += !weight || !any || weight[row] > 0;
    for (size_t row = 0, to = 0; row < rows; row++) {
        if (weight && any && !(weight[row] > 0)) continue;
        t->y[to] = y[row];
        t->weight[to] = weight && any ? weight[row] : 1;
        for (size_t column = 0; column < columns; column++)
            t->x[column * t->rows + to] = x[row * columns + column];
        to++;
    }
    for (size_t column = 0; column < columns; column++) {
        double *from = t->x + column * t->rows, *scale = t->scale + column * t->rows;
        bool positive = true;
        for (size_t row = 0; row < t->rows; row++)
            positive = positive && from[row] > 0;
        for (size_t row = 0; row < t->rows; row++)
            scale[row] = positive ? log(from[row]) : from[row];
    }
    return NNM_OK;
}

static void table_fini(table *t)
{
    free(t->x);
    free(t->scale);
    free(t->y);
    free(t->weight);
}

static nnm_status grower_init(grower *g, const table *t, size_t columns_per_split, nnm_error *err)
{
    *g = (grower){.t = t, .columns_per_split = columns_per_split};
    g->order = nnm_calloc(t->rows, sizeof *g->order);
    g->columns = nnm_calloc(t->columns, sizeof *g->columns);
    g->stack = nnm_calloc(t->rows + 1, sizeof *g->stack); /* the runs on it have no row in common */
    g->nodes = nnm_calloc(t->rows * 2, sizeof *g->nodes);
    return g->order && g->columns && g->stack && g->nodes ? NNM_OK : nnm_fail_memory(err);
}

static void grower_fini(grower *g)
{
    free(g->order);
    free(g->columns);
    free(g->stack);
    free(g->nodes);
}

nnm_status nnm_extra_trees_grow(nnm_pool_tree *trees, size_t count, const double *x, const double *y,
                                const double *weight, size_t rows, size_t columns,
                                const nnm_extra_trees_options *options, nnm_error *err)
{
    table t;
    unsigned threads = nnm_parallel_threads(options->threads, count);
    grower *growers = nnm_calloc(threads, sizeof *growers);
    nnm_status status = table_init(&t, x, y, weight, rows, columns, err);
    if (!status && !growers) status = nnm_fail_memory(err);
    for (unsigned i = 0; i < threads && !status; i++)
        status = grower_init(&growers[i], &t, options->columns_per_split, err);
    if (!status) {
        job j = {.t = &t,
                 .options = options,
                 .growers = growers,
                 .trees = trees,
                 .watch = {.listener = options->listener, .trees = count}};
        nnm_parallel_for(threads, count, grow_tree, &j);
        if (nnm_tree_watch_stopped(&j.watch))
            status = nnm_fail(err, NNM_ERR_INTERRUPTED, "interrupted");
        else if (atomic_load(&j.failed))
            status = nnm_fail_memory(err);
    }
    for (unsigned i = 0; growers && i < threads; i++)
        grower_fini(&growers[i]);
    free(growers);
    table_fini(&t);
    return status;
}
