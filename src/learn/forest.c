#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "learn/forest_model.h"
#include "learn/training_table.h"
#include "learn/tree_builder.h"

/* What one tree predicts for the rows it did not see. Kept until all trees are done, so that the sums do not depend on
 * which thread was first. */
typedef struct unseen_rows {
    uint32_t *rows; /* of the caller's matrix */
    double *predictions;
    size_t count;
} unseen_rows;

typedef struct fit_job {
    const nnm_training_table *table;
    nnm_forest *forest;
    nnm_tree_builder **builders; /* one a thread */
    unseen_rows *unseen;         /* one a tree; NULL: not wanted */
    atomic_bool failed;          /* memory was short */
} fit_job;

static bool predict_unseen(const nnm_training_table *table, const nnm_tree *tree, const nnm_tree_builder *builder,
                           unseen_rows *out)
{
    const uint32_t *rows;
    size_t count = nnm_tree_builder_unseen(builder, &rows);
    out->rows = nnm_calloc(count, sizeof *out->rows);
    out->predictions = nnm_calloc(count, sizeof *out->predictions);
    if (!out->rows || !out->predictions) return false;
    out->count = count;
    for (size_t i = 0; i < count; i++)
        out->rows[i] = table->source[rows[i]];
    nnm_tree_predict(tree, table->x, table->columns, out->rows, count, out->predictions);
    return true;
}

static void grow_tree(void *context, size_t index, unsigned thread)
{
    fit_job *job = context;
    nnm_tree_builder *builder = job->builders[thread];
    nnm_tree *tree = &job->forest->trees[index];
    bool grown = nnm_tree_builder_grow(builder, index, tree) &&
                 (!job->unseen || predict_unseen(job->table, tree, builder, &job->unseen[index]));
    if (!grown) atomic_store(&job->failed, true);
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

/* Means over the trees that did not see a row. The first prediction of a row is subtracted from the others, so that
 * equal predictions have exactly that mean. */
static nnm_status average_unseen(nnm_forest *forest, const nnm_training_table *table, const unseen_rows *unseen,
                                 const double *weight, size_t rows, nnm_error *err)
{
    nnm_status status = NNM_OK;
    double *prediction = nnm_calloc(rows, sizeof *prediction);
    double *first = nnm_calloc(rows, sizeof *first);
    uint32_t *times = nnm_calloc(rows, sizeof *times);
    if (!prediction || !first || !times) {
        status = nnm_fail_memory(err);
        goto done;
    }
    for (size_t t = 0; t < forest->tree_count; t++) {
        for (size_t i = 0; i < unseen[t].count; i++) {
            uint32_t row = unseen[t].rows[i];
            if (times[row]++ == 0) first[row] = unseen[t].predictions[i];
            prediction[row] += unseen[t].predictions[i] - first[row];
        }
    }
    for (size_t row = 0; row < rows; row++) {
        if (weight && weight[row] == 0) /* left out: no tree saw it */
            nnm_forest_predict(forest, table->x + row * table->columns, 1, &prediction[row]);
        else
            prediction[row] = times[row] ? first[row] + prediction[row] / times[row] : (double)NAN;
    }
    forest->oob_score = score_unseen(table, prediction);
    forest->oob_prediction = prediction;
    prediction = NULL;

done:
    free(prediction);
    free(first);
    free(times);
    return status;
}

static void free_unseen(unseen_rows *unseen, size_t trees)
{
    for (size_t i = 0; unseen && i < trees; i++) {
        free(unseen[i].rows);
        free(unseen[i].predictions);
    }
    free(unseen);
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

/* Grows all trees with as many builders as threads. */
static nnm_status grow_trees(fit_job *job, const nnm_forest_options *options, nnm_error *err)
{
    nnm_status status = NNM_OK;
    unsigned threads = nnm_parallel_threads(options->threads, options->trees);
    job->builders = nnm_calloc(threads, sizeof *job->builders);
    if (!job->builders) return nnm_fail_memory(err);
    for (unsigned i = 0; i < threads && !status; i++)
        status = nnm_tree_builder_new(&job->builders[i], job->table, options, err);
    if (!status) {
        nnm_parallel_for(threads, options->trees, grow_tree, job);
        if (atomic_load(&job->failed)) status = nnm_fail_memory(err);
    }
    for (unsigned i = 0; i < threads; i++)
        nnm_tree_builder_free(job->builders[i]);
    free(job->builders);
    return status;
}

nnm_status nnm_forest_fit(nnm_forest **out, const double *x, const double *y, const double *weight, size_t rows,
                          size_t columns, const nnm_forest_options *options, nnm_error *err)
{
    static const nnm_forest_options defaults = NNM_FOREST_OPTIONS_INIT;
    if (!options) options = &defaults;
    nnm_training_table table = {0};
    nnm_forest *forest = NULL;
    unseen_rows *unseen = NULL;
    nnm_status status = check_options(options, rows, columns, err);
    if (!status) status = nnm_training_table_init(&table, x, y, weight, rows, columns, err);
    if (status) goto done;

    forest = nnm_calloc(1, sizeof *forest);
    if (forest) forest->trees = nnm_calloc(options->trees, sizeof *forest->trees);
    if (options->bootstrap) unseen = nnm_calloc(options->trees, sizeof *unseen);
    if (!forest || !forest->trees || (options->bootstrap && !unseen)) {
        status = nnm_fail_memory(err);
        goto done;
    }
    forest->columns = columns;
    forest->tree_count = options->trees;
    forest->oob_score = (double)NAN;

    fit_job job = {.table = &table, .forest = forest, .unseen = unseen};
    status = grow_trees(&job, options, err);
    if (!status && unseen) status = average_unseen(forest, &table, unseen, weight, rows, err);
    if (status) goto done;
    *out = forest;
    forest = NULL;

done:
    free_unseen(unseen, options->trees);
    nnm_forest_free(forest);
    nnm_training_table_fini(&table);
    return status;
}

void nnm_forest_free(nnm_forest *forest)
{
    if (!forest) return;
    for (size_t i = 0; forest->trees && i < forest->tree_count; i++)
        free(forest->trees[i].nodes);
    free(forest->trees);
    free(forest->oob_prediction);
    free(forest);
}

#define ROW_BLOCK 2048
#define TREE_BLOCK 512

/* Both ways of predicting add up in the order of the trees, and so give the same sums. The first tree's prediction is
 * subtracted from the others: where all trees agree, the mean is exactly what they say. */
static double predict_row(const nnm_forest *forest, const double *x)
{
    double predictions[TREE_BLOCK];
    double first = 0, sum = 0;
    for (size_t done = 0; done < forest->tree_count; done += TREE_BLOCK) {
        size_t count = forest->tree_count - done;
        if (count > TREE_BLOCK) count = TREE_BLOCK;
        nnm_trees_predict_row(forest->trees + done, count, x, predictions);
        if (done == 0) first = predictions[0];
        for (size_t i = 0; i < count; i++)
            sum += predictions[i] - first;
    }
    return first + sum / (double)forest->tree_count;
}

static void predict_block(const nnm_forest *forest, const double *x, size_t rows, double *out)
{
    double first[ROW_BLOCK], prediction[ROW_BLOCK];
    nnm_tree_predict(&forest->trees[0], x, forest->columns, NULL, rows, first);
    memset(out, 0, rows * sizeof *out);
    for (size_t t = 1; t < forest->tree_count; t++) {
        nnm_tree_predict(&forest->trees[t], x, forest->columns, NULL, rows, prediction);
        for (size_t i = 0; i < rows; i++)
            out[i] += prediction[i] - first[i];
    }
    for (size_t i = 0; i < rows; i++)
        out[i] = first[i] + out[i] / (double)forest->tree_count;
}

void nnm_forest_predict(const nnm_forest *forest, const double *x, size_t rows, double *out)
{
    size_t done = 0;
    while (rows - done >= 16) {
        size_t count = rows - done < ROW_BLOCK ? rows - done : ROW_BLOCK;
        predict_block(forest, x + done * forest->columns, count, out + done);
        done += count;
    }
    for (; done < rows; done++)
        out[done] = predict_row(forest, x + done * forest->columns);
}

size_t nnm_forest_columns(const nnm_forest *forest)
{
    return forest->columns;
}

size_t nnm_forest_tree_count(const nnm_forest *forest)
{
    return forest->tree_count;
}

size_t nnm_forest_node_count(const nnm_forest *forest)
{
    size_t count = 0;
    for (size_t i = 0; i < forest->tree_count; i++)
        count += forest->trees[i].count;
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
    return forest->trees[tree].count;
}

nnm_tree_node nnm_forest_tree_node(const nnm_forest *forest, size_t tree, size_t node)
{
    const nnm_node *n = &forest->trees[tree].nodes[node];
    if (n->feature == NNM_LEAF) return (nnm_tree_node){.value = n->value, .feature = NNM_NO_FEATURE};
    uint32_t left = (uint32_t)node + 1;
    return (nnm_tree_node){n->value, n->feature, left, left + n->skip};
}
