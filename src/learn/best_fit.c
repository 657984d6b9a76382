#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "learn/best.h"
#include "learn/extra_trees.h"
#include "learn/forest_model.h"

#define TREES 200
#define FOLDS 5
#define FEW_ROWS 500     /* make twice as many folds, so that each fit sees nearly all of them */
#define FOLD_TREES 50    /* of each kind, in cross-validation */
#define ENOUGH_ROWS 2500 /* tested out of fold; no more folds are made then */
#define MIN_ROWS 20      /* fewer are not cross-validated */
#ifndef PART_ROWS
#define PART_ROWS 20000 /* of more, each tree sees so many */
#endif
#define FOLD_ROWS 25000 /* of more, so many are cross-validated: their folds leave a tree as many as it sees later */
#define CLOSE 0.1       /* log error at which an answer begins to be a bad one */

/* Rows to learn from. */
typedef struct rows {
    const double *x; /* rows * columns */
    double *y;       /* log latencies */
    double *weight;  /* NULL: all alike */
    const uint8_t *work;
    size_t count, columns;
} rows;

/* How a fit goes on: who works, and who hears of it. */
typedef struct effort {
    uint64_t seed;
    unsigned threads;
    const nnm_fit_listener *listener;
    size_t grown, trees; /* of all that the fit grows */
} effort;

/* How many trees of each kind; tried in cross-validation with `of` as the sum. */
typedef struct mix {
    size_t forest, extra;
} mix;

static const mix final_mixes[] = {{100, 100}, {133, 67}, {67, 133}, {200, 0}, {0, 200}};
static const mix fold_mixes[] = {{50, 50}, {50, 25}, {25, 50}, {50, 0}, {0, 50}};
#define MIXES (sizeof fold_mixes / sizeof *fold_mixes)
/* Another mix than the first has to be better by this, on a scale where 0 is all right and 1 all wrong. */
#define PREFERENCE 0.003

/* ---- trees of one kind ---- */

/* Copies a tree in pre-order. `stack` has room for every node. */
static nnm_status copy_tree(nnm_pool_tree *out, const nnm_forest *forest, size_t tree, uint32_t (*stack)[2],
                            nnm_error *err)
{
    size_t count = nnm_forest_tree_node_count(forest, tree), depth = 0;
    out->nodes = nnm_calloc(count, sizeof *out->nodes);
    if (!out->nodes) return nnm_fail_memory(err);
    stack[depth][0] = 0;
    stack[depth++][1] = NNM_POOL_LEAF;
    while (depth) {
        uint32_t number = stack[--depth][0], parent = stack[depth][1];
        nnm_tree_node node = nnm_forest_tree_node(forest, tree, number);
        uint32_t at = (uint32_t)out->count++;
        if (parent != NNM_POOL_LEAF) out->nodes[parent].right = at;
        if (node.feature == NNM_NO_FEATURE) {
            out->nodes[at] = (nnm_pool_node){.value = nnm_pool_round(node.value), .column = NNM_POOL_LEAF};
            continue;
        }
        out->nodes[at] = (nnm_pool_node){.value = node.value, .column = node.feature};
        stack[depth][0] = node.right;
        stack[depth++][1] = at;
        stack[depth][0] = node.left;
        stack[depth++][1] = NNM_POOL_LEAF;
    }
    return NNM_OK;
}

/* Hears of the trees of one kind and tells of all. */
static bool hear(void *context, size_t grown, size_t of)
{
    (void)of;
    const effort *e = context;
    return e->listener && e->listener->hear(e->listener->context, e->grown + grown, e->trees);
}

static nnm_status grow_forest(nnm_pool_tree *trees, size_t count, const rows *r, uint64_t seed, effort *e,
                              nnm_error *err)
{
    if (count == 0) return NNM_OK;
    nnm_fit_listener listener = {hear, e};
    nnm_forest_options options = {
        .trees = count,
        .max_features = r->columns < 3 ? 1 : r->columns / 3,
        .min_samples_split = 2,
        .min_samples_leaf = 1,
        .bootstrap = true,
        .seed = seed,
        .threads = e->threads,
        .listener = &listener,
    };
    nnm_forest *forest = NULL;
    nnm_status status = nnm_forest_fit(&forest, r->x, r->y, r->weight, r->count, r->columns, &options, err);
    if (status) return status;
    uint32_t(*stack)[2] = nnm_calloc(r->count * 2, sizeof *stack);
    if (!stack) status = nnm_fail_memory(err);
    for (size_t t = 0; t < count && !status; t++)
        status = copy_tree(&trees[t], forest, t, stack, err);
    free(stack);
    nnm_forest_free(forest);
    e->grown += count;
    return status;
}

static nnm_status grow_extra(nnm_pool_tree *trees, size_t count, const rows *r, uint64_t seed, effort *e,
                             nnm_error *err)
{
    if (count == 0) return NNM_OK;
    nnm_fit_listener listener = {hear, e};
    nnm_extra_trees_options options = {(r->columns * 7 + 9) / 10, seed + 1, e->threads, &listener};
    nnm_status status = nnm_extra_trees_grow(trees, count, r->x, r->y, r->weight, r->count, r->columns, &options, err);
    e->grown += count;
    return status;
}

/* ---- roofline and trees ---- */

static void rows_fini(rows *r, double *x)
{
    free(x);
    free(r->y);
    free(r->weight);
}

/* Columns that are the same in every row tell trees nothing. */
static nnm_status choose_columns(nnm_best *best, const rows *r, nnm_error *err)
{
    best->seen = nnm_calloc(r->columns, sizeof *best->seen);
    if (!best->seen) return nnm_fail_memory(err);
    for (size_t column = 0; column < r->columns; column++) {
        bool varies = false;
        for (size_t row = 1; row < r->count && !varies; row++)
            varies = r->x[row * r->columns + column] != r->x[column];
        if (!varies) continue;
        if (best->seen_count == NNM_BEST_MAX_COLUMNS)
            return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "more than %d features vary", NNM_BEST_MAX_COLUMNS);
        best->seen[best->seen_count++] = (uint32_t)column;
    }
    return NNM_OK;
}

/* The rows order[first], ... as the trees see them, with what the roofline leaves as the target: up to PART_ROWS of
 * them, going on at the beginning of the order. `order` NULL: all rows as they stand. */
static nnm_status see_rows(const nnm_best *best, const rows *r, const size_t *order, size_t first, rows *out,
                           double **out_x, nnm_error *err)
{
    size_t columns = nnm_best_tree_columns(best), count = r->count < PART_ROWS ? r->count : PART_ROWS;
    double *x = nnm_calloc(count, columns * sizeof *x);
    *out_x = x;
    *out = (rows){.x = x, .columns = columns, .count = count};
    out->y = nnm_calloc(count, sizeof *out->y);
    if (r->weight) out->weight = nnm_calloc(count, sizeof *out->weight);
    if (!x || !out->y || (r->weight && !out->weight)) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        size_t row = order ? order[(first + i) % r->count] : i;
        out->y[i] = r->y[row] - nnm_best_see(best, r->x + row * r->columns, x + i * columns);
        if (r->weight) out->weight[i] = r->weight[row];
    }
    return NNM_OK;
}

/* All rows in a random order. */
static size_t *shuffle_rows(const rows *r, uint64_t seed)
{
    size_t *order = nnm_calloc(r->count, sizeof *order);
    for (size_t i = 0; order && i < r->count; i++)
        order[i] = i;
    nnm_rng rng;
    nnm_rng_init(&rng, seed, 1);
    if (order) nnm_rng_shuffle(&rng, order, r->count, sizeof *order);
    return order;
}

/* Fits roofline and trees, those of the forest first. */
static nnm_status fit_parts(nnm_best **out, const rows *r, mix m, uint64_t seed, effort *e, nnm_error *err)
{
    nnm_best *best = nnm_calloc(1, sizeof *best);
    if (!best) return nnm_fail_memory(err);
    size_t *order = NULL;
    nnm_status status = nnm_roofline_fit(&best->roofline, r->x, r->y, r->weight, r->work, r->count, r->columns, err);
    if (!status) status = choose_columns(best, r, err);
    best->pool.columns = nnm_best_tree_columns(best);
    best->pool.trees = nnm_calloc(m.forest + m.extra, sizeof *best->pool.trees);
    if (!status && !best->pool.trees) status = nnm_fail_memory(err);
    best->pool.count = m.forest + m.extra;

    size_t parts = (r->count + PART_ROWS - 1) / PART_ROWS;
    if (!status && parts > 1 && !(order = shuffle_rows(r, seed))) status = nnm_fail_memory(err);
    for (size_t p = 0; p < parts && !status; p++) {
        size_t forest = m.forest * p / parts, forest_end = m.forest * (p + 1) / parts;
        size_t extra = m.extra * p / parts, extra_end = m.extra * (p + 1) / parts;
        rows seen;
        double *x;
        if (forest == forest_end && extra == extra_end) continue;
        status = see_rows(best, r, order, r->count * p / parts, &seen, &x, err);
        if (!status)
            status = grow_forest(best->pool.trees + forest, forest_end - forest, &seen, seed + p * TREES, e, err);
        if (!status)
            status =
                grow_extra(best->pool.trees + m.forest + extra, extra_end - extra, &seen, seed + p * TREES, e, err);
        rows_fini(&seen, x);
    }
    free(order);
    if (status)
        nnm_best_free(best);
    else
        *out = best;
    return status;
}

/* ---- cross-validation ---- */

/* Out-of-fold errors of every mix. */
typedef struct validation {
    size_t count, capacity;
    double *error[MIXES], *spread[MIXES]; /* log(measured / predicted); spread of the answers */
    double badness[MIXES];                /* sums */
} validation;

static nnm_status validation_init(validation *v, size_t capacity, nnm_error *err)
{
    *v = (validation){.capacity = capacity};
    for (size_t m = 0; m < MIXES; m++) {
        v->error[m] = nnm_calloc(capacity, sizeof *v->error[m]);
        v->spread[m] = nnm_calloc(capacity, sizeof *v->spread[m]);
        if (!v->error[m] || !v->spread[m]) return nnm_fail_memory(err);
    }
    return NNM_OK;
}

static void validation_fini(validation *v)
{
    for (size_t m = 0; m < MIXES; m++) {
        free(v->error[m]);
        free(v->spread[m]);
    }
}

static void test_row(validation *v, const nnm_best *best, const double *x, double y)
{
    double seen[NNM_BEST_MAX_COLUMNS + 1 + NNM_ROOFLINE_MAX_GROUPS], answers[2 * FOLD_TREES], some[2 * FOLD_TREES];
    double roofline = nnm_best_see(best, x, seen);
    nnm_tree_pool_answers(&best->pool, 0, best->pool.count, seen, answers);
    for (size_t m = 0; m < MIXES; m++) {
        memcpy(some, answers, fold_mixes[m].forest * sizeof *some);
        memcpy(some + fold_mixes[m].forest, answers + FOLD_TREES, fold_mixes[m].extra * sizeof *some);
        double spread, middle = nnm_best_middle(some, fold_mixes[m].forest + fold_mixes[m].extra, &spread);
        double error = y - roofline - middle;
        v->error[m][v->count] = error;
        v->spread[m][v->count] = spread;
        v->badness[m] += 1 - exp(-0.5 * (error / CLOSE) * (error / CLOSE));
    }
    v->count++;
}

/* The first `all` rows of an order, but those from `begin` to end-1. */
static nnm_status take_others(rows *out, double **out_x, const rows *r, const size_t *order, size_t all, size_t begin,
                              size_t end, nnm_error *err)
{
    size_t count = all - (end - begin);
    double *x = nnm_calloc(count, r->columns * sizeof *x);
    *out_x = x;
    *out = (rows){.x = x, .work = r->work, .columns = r->columns, .count = count};
    out->y = nnm_calloc(count, sizeof *out->y);
    if (r->weight) out->weight = nnm_calloc(count, sizeof *out->weight);
    if (!x || !out->y || (r->weight && !out->weight)) return nnm_fail_memory(err);
    for (size_t i = 0, to = 0; i < all; i++) {
        if (i >= begin && i < end) continue;
        memcpy(x + to * r->columns, r->x + order[i] * r->columns, r->columns * sizeof *x);
        if (r->weight) out->weight[to] = r->weight[order[i]];
        out->y[to++] = r->y[order[i]];
    }
    return NNM_OK;
}

/* Tests the rows order[begin..end-1] on a model of the others. */
static nnm_status run_fold(validation *v, const rows *r, const size_t *order, size_t begin, size_t end, effort *e,
                           nnm_error *err)
{
    rows others;
    double *x;
    nnm_best *best = NULL;
    nnm_status status = take_others(&others, &x, r, order, v->capacity, begin, end, err);
    if (!status) status = fit_parts(&best, &others, fold_mixes[0], e->seed + begin + 1, e, err);
    for (size_t i = begin; i < end && !status && v->count < v->capacity; i++)
        test_row(v, best, r->x + order[i] * r->columns, r->y[order[i]]);
    nnm_best_free(best);
    rows_fini(&others, x);
    return status;
}

static nnm_status cross_validate(validation *v, const rows *r, effort *e, nnm_error *err)
{
    size_t count = r->count < FOLD_ROWS ? r->count : FOLD_ROWS;
    size_t folds = r->count < FEW_ROWS ? 2 * FOLDS : FOLDS, needed = 1;
    while (needed < folds && count * needed / folds < ENOUGH_ROWS)
        needed++;
    e->trees += needed * (size_t)(2 * FOLD_TREES);
    size_t *order = shuffle_rows(r, e->seed);
    nnm_status status = order ? validation_init(v, count, err) : nnm_fail_memory(err);
    for (size_t fold = 0; fold < needed && !status; fold++)
        status = run_fold(v, r, order, count * fold / folds, count * (fold + 1) / folds, e, err);
    free(order);
    return status;
}

static size_t choose_mix(const validation *v)
{
    size_t chosen = 0;
    double least = v->badness[0] - PREFERENCE * (double)v->count;
    for (size_t m = 1; m < MIXES; m++) {
        if (!(v->badness[m] < least)) continue;
        least = v->badness[m];
        chosen = m;
    }
    return chosen;
}

/* ---- intervals ---- */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Split conformal quantiles (V. Vovk et al., "Algorithmic Learning in a Random World", 2005) of error / width. */
static void calibrate(nnm_best *best, double *error, double *spread, size_t count)
{
    double *sorted = spread; /* sorted in place once the widths are used */
    best->spread_floor = 0.01;
    if (count < MIN_ROWS) return;
    double total = 0;
    for (size_t i = 0; i < count; i++)
        total += fmin(spread[i], 1);
    best->spread_floor += 0.5 * total / (double)count;
    for (size_t i = 0; i < count; i++)
        sorted[i] = error[i] / (spread[i] + best->spread_floor);
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    double below = floor(0.05 * (double)(count + 1));
    size_t tail = below < 1 ? 0 : (size_t)below - 1;
    best->lower = fmax(fmin(sorted[tail], 0), -NNM_BEST_MAX_SCORE);
    best->upper = fmin(fmax(sorted[count - 1 - tail], 0), NNM_BEST_MAX_SCORE);
}

/* ---- the whole ---- */

/* Rows that count, with log latencies; of more than NNM_BEST_MAX_ROWS, so many are drawn. */
static nnm_status take_rows(rows *out, double **out_x, const nnm_dataset *data, uint64_t seed, nnm_error *err)
{
    size_t left = 0;
    for (size_t row = 0; row < data->rows; row++)
        left += !data->weight || data->weight[row] > 0;
    size_t count = left < NNM_BEST_MAX_ROWS ? left : NNM_BEST_MAX_ROWS;
    nnm_rng rng;
    nnm_rng_init(&rng, seed, 2);
    double *x = nnm_calloc(count, data->columns * sizeof *x);
    *out_x = x;
    *out = (rows){.x = x, .work = data->work, .columns = data->columns, .count = count};
    out->y = nnm_calloc(count, sizeof *out->y);
    if (data->weight) out->weight = nnm_calloc(count, sizeof *out->weight);
    if (!x || !out->y || (data->weight && !out->weight)) return nnm_fail_memory(err);
    for (size_t row = 0, to = 0; row < data->rows; row++) {
        if (data->weight && !(data->weight[row] > 0)) continue;
        bool drawn = left <= count - to || nnm_rng_below(&rng, left) < count - to;
        left--;
        if (!drawn) continue;
        memcpy(x + to * data->columns, data->x + row * data->columns, data->columns * sizeof *x);
        if (data->weight) out->weight[to] = data->weight[row];
        out->y[to++] = log(data->y[row]);
    }
    return NNM_OK;
}

nnm_status nnm_best_fit(nnm_best **out, const nnm_dataset *data, uint64_t seed, unsigned threads,
                        const nnm_fit_listener *listener, nnm_error *err)
{
    effort e = {.seed = seed, .threads = threads, .listener = listener, .trees = TREES};
    rows r;
    double *x;
    validation v = {0};
    nnm_best *best = NULL;
    size_t chosen = 0;
    nnm_status status = take_rows(&r, &x, data, seed, err);
    if (!status && r.count >= MIN_ROWS) status = cross_validate(&v, &r, &e, err);
    if (!status && v.count) chosen = choose_mix(&v);
    if (!status) status = fit_parts(&best, &r, final_mixes[chosen], seed, &e, err);
    if (!status) status = nnm_tree_pool_pack(&best->pool, err);
    if (status) {
        nnm_best_free(best);
    } else {
        best->lower = best->upper = (double)NAN;
        calibrate(best, v.error[chosen], v.spread[chosen], v.count);
        *out = best;
    }
    validation_fini(&v);
    rows_fini(&r, x);
    return status;
}
