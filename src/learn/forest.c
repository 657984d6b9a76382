#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "learn/forest_model.h"
#include "learn/training_table.h"
#include "learn/tree_builder.h"
#include "learn/tree_watch.h"

typedef struct fit_job {
    const nnm_training_table *table;
    nnm_tree_set *trees;
    nnm_tree_builder **builders; /* one a thread */
    uint64_t **seen;             /* for each tree, a bit for each row of the table; NULL: not wanted */
    atomic_bool failed;          /* memory was short */
    nnm_tree_watch watch;
} fit_job;

static void grow_tree(void *context, size_t index, unsigned thread)
{
    fit_job *job = context;
    nnm_tree_builder *builder = job->builders[thread];
    if (nnm_tree_watch_stopped(&job->watch)) return;
    bool grown = nnm_tree_builder_grow(builder, index, &job->trees->trees[index]);
    if (grown && job->seen) {
        job->seen[index] = nnm_calloc(job->table->rows / 64 + 1, sizeof **job->seen);
        grown = job->seen[index] != NULL;
        if (grown) nnm_tree_builder_mark_seen(builder, job->seen[index]);
    }
    if (!grown) atomic_store(&job->failed, true);
    nnm_tree_watch_grown(&job->watch, thread);
}

/* Averages what trees say of the rows they did not see, a block of rows at a time. */
typedef struct unseen_job {
    const nnm_training_table *table;
    const nnm_tree_set *trees;
    uint64_t *const *seen;
    size_t block_rows; /* a multiple of 64, at most NNM_WALK_ROWS */
    void **codes;      /* of one block, for each thread */
    double *prediction;
} unseen_job;

/* The rows of 64 * words.. that are not in `seen`, as numbers in their block. */
static size_t list_unseen(const uint64_t *seen, size_t count, uint32_t *rows)
{
    size_t listed = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[listed] = i;
        listed += !(seen[i / 64] >> (i % 64) & 1);
    }
    return listed;
}

/* The first prediction of a row is subtracted from the others, so that equal predictions have exactly that mean. */
static void average_block(void *context, size_t index, unsigned thread)
{
    const unseen_job *job = context;
    const nnm_training_table *table = job->table;
    size_t start = index * job->block_rows;
    size_t count = table->rows - start < job->block_rows ? table->rows - start : job->block_rows;
    double first[NNM_WALK_ROWS], sum[NNM_WALK_ROWS] = {0}, said[NNM_WALK_ROWS];
    uint32_t times[NNM_WALK_ROWS] = {0}, rows[NNM_WALK_ROWS];
    void *codes = job->codes[thread];
    nnm_tree_set_encode_ranks(job->trees, table->rank + start * table->columns, count, codes);
    for (size_t t = 0; t < job->trees->count; t++) {
        size_t unseen = list_unseen(job->seen[t] + start / 64, count, rows);
        nnm_tree_walk_rows(job->trees, t, codes, rows, unseen, said);
        for (size_t i = 0; i < unseen; i++) {
            uint32_t row = rows[i];
            first[row] = times[row] ? first[row] : said[row];
            times[row]++;
            sum[row] += said[row] - first[row];
        }
    }
    for (size_t i = 0; i < count; i++)
        job->prediction[table->source[start + i]] = times[i] ? first[i] + sum[i] / times[i] : (double)NAN;
}

/* R^2 of the rows that have a prediction and a weight. */
static double score_unseen(const nnm_training_table *table, const double *prediction)
{
    double mean = 0, error = 0, spread = 0;
    size_t count = 0;
    for (size_t i = 0; i < table->rows; i++) {
        if (isnan(prediction[table->source[i]])) continue;
        count++;
        mean += (table->y[i] - mean) / (double)count;
    }
    for (size_t i = 0; i < table->rows; i++) {
        if (isnan(prediction[table->source[i]])) continue;
        double predicted = ldexp(prediction[table->source[i]], -table->y_exponent);
        error += (table->y[i] - predicted) * (table->y[i] - predicted);
        spread += (table->y[i] - mean) * (table->y[i] - mean);
    }
    if (count == 0) return (double)NAN;
    if (spread == 0) return error == 0 ? 1 : 0;
    return 1 - error / spread;
}

static nnm_status average_unseen(nnm_forest *forest, const fit_job *fit, const double *weight, size_t rows,
                                 unsigned threads, nnm_error *err)
{
    const nnm_training_table *table = fit->table;
    nnm_status status = NNM_OK;
    unseen_job job = {.table = table, .trees = forest->trees, .seen = fit->seen, .block_rows = NNM_WALK_ROWS};
    threads = nnm_parallel_threads(threads, table->rows / 64 + 1);
    while (job.block_rows > 64 && table->rows / job.block_rows < 4 * (size_t)threads)
        job.block_rows /= 2;
    job.prediction = nnm_calloc(rows, sizeof *job.prediction);
    job.codes = nnm_calloc(threads, sizeof *job.codes);
    if (!job.prediction || !job.codes) status = nnm_fail_memory(err);
    for (unsigned i = 0; i < threads && !status; i++) {
        job.codes[i] = nnm_calloc(job.block_rows * (table->columns + 1), sizeof(uint64_t));
        if (!job.codes[i]) status = nnm_fail_memory(err);
    }
    if (status) goto done;
    nnm_parallel_for(threads, (table->rows + job.block_rows - 1) / job.block_rows, average_block, &job);
    for (size_t row = 0; row < rows; row++) {
        if (weight && weight[row] == 0) /* left out: no tree saw it */
            nnm_forest_predict(forest, table->x + row * table->columns, 1, &job.prediction[row]);
    }
    forest->oob_score = score_unseen(table, job.prediction);
    forest->oob_prediction = job.prediction;
    job.prediction = NULL;

done:
    for (unsigned i = 0; job.codes && i < threads; i++)
        free(job.codes[i]);
    free(job.codes);
    free(job.prediction);
    return status;
}

static nnm_status check_options(const nnm_forest_options *o, size_t rows, size_t columns, nnm_error *err)
{
    nnm_status code = NNM_ERR_INVALID_ARGUMENT;
    if (rows == 0) return nnm_fail(err, code, "a forest needs at least one row");
    if (rows > NNM_MAX_TRAINING_ROWS)
        return nnm_fail(err, code, "%zu rows are too many, at most %zu are allowed", rows, NNM_MAX_TRAINING_ROWS);
    if (columns == 0) return nnm_fail(err, code, "a forest needs at least one column");
    if (columns > NNM_MAX_COLUMNS)
        return nnm_fail(err, code, "%zu columns are too many, at most %d are allowed", columns, NNM_MAX_COLUMNS);
    if (o->trees < 1 || o->trees > NNM_MAX_TREES)
        return nnm_fail(err, code, "trees is %zu, must be 1..%d", o->trees, NNM_MAX_TREES);
    if (o->max_depth > 1000)
        return nnm_fail(err, code, "max_depth is %zu, must be 1..1000, or 0 for no limit", o->max_depth);
    if (o->min_samples_split < 2)
        return nnm_fail(err, code, "min_samples_split is %zu, must be at least 2", o->min_samples_split);
    if (o->min_samples_leaf < 1) return nnm_fail(err, code, "min_samples_leaf is 0, must be at least 1");
    return NNM_OK;
}

/* Midway between two distinct values of a feature, or the lower one where no number lies between. */
static double threshold_between(double lower, double upper)
{
    double middle = lower / 2 + upper / 2;
    return middle >= lower && middle < upper ? middle : lower;
}

/* Words of 8 bytes for the trees while they grow, and cuts midway between neighbours among the values of a feature. */
static nnm_status prepare_trees(nnm_tree_set *trees, const nnm_training_table *table, nnm_error *err)
{
    nnm_word_layout layout;
    if (!nnm_word_layout_init(&layout, table->columns, 2 * table->rows, table->rows))
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%zu rows of %zu columns are too many", table->rows,
                        table->columns);
    layout.bytes = 8;
    trees->layout = layout;
    for (size_t f = 0; f < table->columns; f++) {
        size_t count = table->distinct[f] - 1;
        const double *values = table->values + f * table->rows;
        trees->cut_counts[f] = count;
        trees->cuts[f] = nnm_calloc(count, sizeof **trees->cuts);
        if (!trees->cuts[f]) return nnm_fail_memory(err);
        for (size_t i = 0; i < count; i++)
            trees->cuts[f][i] = threshold_between(values[i], values[i + 1]);
    }
    return NNM_OK;
}

/* Grows all trees with as many builders as threads. */
static nnm_status grow_trees(fit_job *job, const nnm_forest_options *options, nnm_error *err)
{
    nnm_status status = NNM_OK;
    unsigned threads = nnm_parallel_threads(options->threads, options->trees);
    job->builders = nnm_calloc(threads, sizeof *job->builders);
    if (!job->builders) return nnm_fail_memory(err);
    for (unsigned i = 0; i < threads && !status; i++)
        status = nnm_tree_builder_new(&job->builders[i], job->table, options, &job->trees->layout, err);
    if (!status) {
        nnm_parallel_for(threads, options->trees, grow_tree, job);
        if (nnm_tree_watch_stopped(&job->watch))
            status = nnm_fail(err, NNM_ERR_INTERRUPTED, "interrupted");
        else if (atomic_load(&job->failed))
            status = nnm_fail_memory(err);
    }
    for (unsigned i = 0; i < threads; i++)
        nnm_tree_builder_free(job->builders[i]);
    free(job->builders);
    return status;
}

static nnm_status fit_table(nnm_forest *forest, const nnm_training_table *table, const double *weight, size_t rows,
                            const nnm_forest_options *options, nnm_error *err)
{
    fit_job job = {
        .table = table, .trees = forest->trees, .watch = {.listener = options->listener, .trees = options->trees}};
    nnm_status status = prepare_trees(forest->trees, table, err);
    if (!status && options->bootstrap) {
        job.seen = nnm_calloc(options->trees, sizeof *job.seen);
        if (!job.seen) status = nnm_fail_memory(err);
    }
    if (!status) status = grow_trees(&job, options, err);
    if (!status) nnm_tree_set_narrow(forest->trees);
    if (!status && job.seen) status = average_unseen(forest, &job, weight, rows, options->threads, err);
    for (size_t t = 0; job.seen && t < options->trees; t++)
        free(job.seen[t]);
    free(job.seen);
    return status;
}

nnm_status nnm_forest_fit(nnm_forest **out, const double *x, const double *y, const double *weight, size_t rows,
                          size_t columns, const nnm_forest_options *options, nnm_error *err)
{
    static const nnm_forest_options defaults = NNM_FOREST_OPTIONS_INIT;
    if (!options) options = &defaults;
    nnm_training_table table = {0};
    nnm_forest *forest = NULL;
    nnm_status status = check_options(options, rows, columns, err);
    if (!status) status = nnm_training_table_init(&table, x, y, weight, rows, columns, err);
    if (status) goto done;

    forest = nnm_calloc(1, sizeof *forest);
    if (forest) forest->trees = nnm_tree_set_alloc(options->trees, columns);
    if (!forest || !forest->trees) {
        status = nnm_fail_memory(err);
        goto done;
    }
    forest->oob_score = (double)NAN;
    status = fit_table(forest, &table, weight, rows, options, err);
    if (status) goto done;
    *out = forest;
    forest = NULL;

done:
    nnm_forest_free(forest);
    nnm_training_table_fini(&table);
    return status;
}

void nnm_forest_free(nnm_forest *forest)
{
    if (!forest) return;
    nnm_tree_set_free(forest->trees);
    free(forest->oob_prediction);
    free(forest);
}

void nnm_forest_predict(const nnm_forest *forest, const double *x, size_t rows, double *out)
{
    nnm_tree_set_mean(forest->trees, x, rows, out);
}

size_t nnm_forest_columns(const nnm_forest *forest)
{
    return forest->trees->columns;
}

size_t nnm_forest_tree_count(const nnm_forest *forest)
{
    return forest->trees->count;
}

size_t nnm_forest_node_count(const nnm_forest *forest)
{
    size_t count = 0;
    for (size_t i = 0; i < forest->trees->count; i++)
        count += nnm_tree_set_node_count(forest->trees, i);
    return count;
}

const double *nnm_forest_oob_prediction(const nnm_forest *forest)
{
    return forest->oob_prediction;
}

double nnm_forest_oob_score(const nnm_forest *forest)
{
    return forest->oob_score;
}

size_t nnm_forest_tree_node_count(const nnm_forest *forest, size_t tree)
{
    return nnm_tree_set_node_count(forest->trees, tree);
}

nnm_tree_node nnm_forest_tree_node(const nnm_forest *forest, size_t tree, size_t node)
{
    return nnm_tree_set_node(forest->trees, tree, node);
}
