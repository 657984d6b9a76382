/* Cross-validation and learning curves: how good predictors of some data are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "builder/fit.h"

void nnm_cross_validation_fini(nnm_cross_validation *result)
{
    free(result->fold);
    *result = (nnm_cross_validation){0};
}

void nnm_learning_curve_fini(nnm_learning_curve *curve)
{
    free(curve->points);
    *curve = (nnm_learning_curve){0};
}

/* ---- what both do ---- */

/* Fits one after the other, each of which takes a share of the work. */
typedef struct fit_run {
    const nnm_features *features;
    const nnm_kernel *kernel;
    nnm_fit_options options; /* without hooks: those of the whole hear about it as a whole */
    const nnm_hooks *hooks;
    const char *activity;
    size_t done, total;
    double work_done, work;
    uint64_t begin_ns;
} fit_run;

static double work_of(size_t rows)
{
    return (double)rows * log2((double)rows + 1);
}

static void report(const fit_run *run)
{
    if (!run->hooks || !run->hooks->progress) return;
    double elapsed_s = (double)(nnm_clock_ns() - run->begin_ns) * 1e-9;
    nnm_progress progress = {
        .activity = run->activity,
        .done = run->done,
        .total = run->total,
        .elapsed_s = elapsed_s,
        .remaining_s = run->work_done > 0 ? elapsed_s * (run->work / run->work_done - 1) : -1,
    };
    if (run->done == run->total) progress.remaining_s = 0;
    run->hooks->progress(run->hooks->context, &progress);
}

static fit_run begin_run(const nnm_features *features, const nnm_kernel *kernel, const nnm_fit_options *options,
                         const char *activity, size_t total, double work)
{
    fit_run run = {
        .features = features,
        .kernel = kernel,
        .options = *options,
        .hooks = options->hooks,
        .activity = activity,
        .total = total,
        .work = work,
        .begin_ns = nnm_clock_ns(),
    };
    run.options.hooks = NULL;
    report(&run);
    return run;
}

/* Fits to the rows `train` and tests on the rows `test`. */
static nnm_status fit_and_test(fit_run *run, const size_t *train, size_t train_count, const size_t *test,
                               size_t test_count, double *predicted, nnm_metrics *out, nnm_error *err)
{
    const nnm_hooks *hooks = run->hooks;
    if (hooks && hooks->interrupted && hooks->interrupted(hooks->context))
        return nnm_fail(err, NNM_ERR_INTERRUPTED, "interrupted");
    nnm_predictor *predictor = NULL;
    nnm_status status = nnm_fit_rows(&predictor, run->features, train, train_count, run->kernel, &run->options, err);
    if (status == NNM_OK) status = nnm_fit_test(predictor, run->features, test, test_count, predicted, out, err);
    nnm_predictor_free(predictor);
    run->done++;
    run->work_done += work_of(train_count);
    if (status == NNM_OK) report(run);
    return status;
}

/* The shares and errors of nnm_metrics, one after the other. */
#define FIGURES 6

static double *figure(nnm_metrics *m, size_t index)
{
    double *const figures[FIGURES] = {&m->rmse, &m->rmspe, &m->mean_relative_error, &m->acc5, &m->acc10, &m->acc15};
    return figures[index];
}

static nnm_metrics_spread spread_of(nnm_metrics *several, size_t count)
{
    nnm_metrics_spread spread = {0};
    spread.mean.rows = several[0].rows;
    for (size_t f = 0; f < FIGURES; f++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < count; i++)
            sum += *figure(&several[i], f);
        double mean = sum / (double)count;
        for (size_t i = 0; i < count; i++)
            squares += pow(*figure(&several[i], f) - mean, 2);
        *figure(&spread.mean, f) = mean;
        *figure(&spread.deviation, f) = count > 1 ? sqrt(squares / (double)(count - 1)) : 0;
    }
    return spread;
}

static const nnm_fit_options *or_defaults(const nnm_fit_options *options)
{
    static const nnm_fit_options defaults = NNM_FIT_OPTIONS_INIT;
    return options ? options : &defaults;
}

/* ---- cross-validation ---- */

/* Puts the rows of one fold behind the others: order[first..first+count-1] moves to the end of `out`. */
static void set_apart(size_t *out, const size_t *order, size_t rows, size_t first, size_t count)
{
    memcpy(out, order, first * sizeof *out);
    memcpy(out + first, order + first + count, (rows - first - count) * sizeof *out);
    memcpy(out + rows - count, order + first, count * sizeof *out);
}

static nnm_status all_metrics(nnm_cross_validation *cv, const nnm_features *f, const size_t *order,
                              const double *predicted, nnm_error *err)
{
    double *measured = nnm_calloc(f->rows, sizeof *measured);
    if (!measured) return nnm_fail_memory(err);
    for (size_t i = 0; i < f->rows; i++)
        measured[i] = f->y[order[i]];
    nnm_status status = nnm_metrics_compute(&cv->all, measured, predicted, f->rows, err);
    free(measured);
    return status;
}

static nnm_status cross_validate(nnm_cross_validation *out, const nnm_features *f, const nnm_kernel *kernel,
                                 const nnm_fit_options *options, size_t folds, nnm_error *err)
{
    nnm_status status = nnm_fit_check_options(options, err);
    if (status == NNM_OK) status = nnm_fit_check_rows(f, 0, err);
    if (status) return status;
    if (folds < 2 || folds > f->rows)
        return nnm_fail(err, NNM_ERR_VALUE, "folds: found %zu, need a number from 2 to %zu, that of the distinct rows",
                        folds, f->rows);
    nnm_cross_validation cv = {.rows = f->rows, .duplicates = f->duplicates, .folds = folds};
    size_t *order = NULL, *rows = nnm_calloc(f->rows, sizeof *rows);
    double *predicted = nnm_calloc(f->rows, sizeof *predicted);
    cv.fold = nnm_calloc(folds, sizeof *cv.fold);
    status = rows && predicted && cv.fold ? nnm_fit_order(&order, f, options->seed, err) : nnm_fail_memory(err);
    fit_run run = begin_run(f, kernel, options, "cross-validate", folds, (double)folds * work_of(f->rows));
    for (size_t i = 0; i < folds && status == NNM_OK; i++) {
        size_t first = f->rows * i / folds, count = f->rows * (i + 1) / folds - first;
        set_apart(rows, order, f->rows, first, count);
        status = fit_and_test(&run, rows, f->rows - count, order + first, count, predicted + first, &cv.fold[i], err);
    }
    if (status == NNM_OK) status = all_metrics(&cv, f, order, predicted, err);
    if (status == NNM_OK) {
        cv.spread = spread_of(cv.fold, folds);
        *out = cv;
        cv = (nnm_cross_validation){0};
    }
    nnm_cross_validation_fini(&cv);
    free(order);
    free(rows);
    free(predicted);
    return status;
}

nnm_status nnm_cross_validate_csv(const char *kernel_type, const char *csv_path, const nnm_table_options *options,
                                  size_t folds, nnm_cross_validation *out, nnm_error *err)
{
    nnm_features features = {0};
    nnm_skipped_rows skipped = {0};
    const nnm_kernel *kernel = NULL;
    nnm_status status = nnm_features_of_table(&features, &kernel, kernel_type, csv_path, options, &skipped, err);
    if (status == NNM_OK) status = cross_validate(out, &features, kernel, &options->fit, folds, err);
    if (status == NNM_OK) out->skipped = skipped;
    nnm_features_fini(&features);
    return status;
}

nnm_status nnm_cross_validate_data(const nnm_kernel_data *data, const nnm_fit_options *options, size_t folds,
                                   nnm_cross_validation *out, nnm_error *err)
{
    nnm_features features = {0};
    options = or_defaults(options);
    nnm_status status = nnm_features_of_data(&features, data, options->model, err);
    if (status == NNM_OK) status = cross_validate(out, &features, data->kernel, options, folds, err);
    nnm_features_fini(&features);
    return status;
}

/* ---- learning curves ---- */

static int compare_points(const void *a, const void *b)
{
    const nnm_curve_point *left = a, *right = b;
    return (left->rows > right->rows) - (left->rows < right->rows);
}

static nnm_status check_sizes(const nnm_features *f, const nnm_fit_options *options, const size_t *sizes, size_t count,
                              size_t draws, nnm_error *err)
{
    size_t tests = nnm_fit_test_count(f, options);
    nnm_status status = nnm_fit_check_options(options, err);
    if (status == NNM_OK) status = nnm_fit_check_rows(f, tests, err);
    if (status) return status;
    if (tests == 0) return nnm_fail(err, NNM_ERR_VALUE, "test size: found 0; a learning curve needs rows to test on");
    if (count == 0 || draws == 0)
        return nnm_fail(err, NNM_ERR_VALUE, "a learning curve needs one or more sizes and one or more draws");
    for (size_t i = 0; i < count; i++) {
        if (sizes[i] < 2)
            return nnm_fail(err, NNM_ERR_VALUE, "learning curve: found %zu training rows, need 2 or more", sizes[i]);
        if (sizes[i] > f->rows - tests)
            return nnm_fail(err, NNM_ERR_TOO_FEW_ROWS,
                            "learning curve: found %zu training rows; of %zu distinct rows, the test leaves %zu",
                            sizes[i], f->rows, f->rows - tests);
    }
    return NNM_OK;
}

/* One draw: all points, each on the first rows of one shuffle. metrics[point * draws + draw]. */
static nnm_status draw_curve(fit_run *run, const nnm_learning_curve *curve, const size_t *order, size_t *train,
                             size_t draw, double *predicted, nnm_metrics *metrics, nnm_error *err)
{
    size_t count = run->features->rows - curve->test_rows;
    uint64_t seed = run->options.seed;
    nnm_rng rng;
    memcpy(train, order + curve->test_rows, count * sizeof *train);
    nnm_rng_init(&rng, seed, 1 + draw);
    nnm_rng_shuffle(&rng, train, count, sizeof *train);
    run->options.seed = seed + draw;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < curve->count && status == NNM_OK; i++)
        status = fit_and_test(run, train, curve->points[i].rows, order, curve->test_rows, predicted,
                              &metrics[i * curve->draws + draw], err);
    run->options.seed = seed;
    return status;
}

static nnm_status learning_curve(nnm_learning_curve *out, const nnm_features *f, const nnm_kernel *kernel,
                                 const nnm_fit_options *options, const size_t *sizes, size_t count, size_t draws,
                                 nnm_error *err)
{
    nnm_status status = check_sizes(f, options, sizes, count, draws, err);
    if (status) return status;
    nnm_learning_curve curve = {.rows = f->rows, .duplicates = f->duplicates, .draws = draws, .count = count};
    curve.test_rows = nnm_fit_test_count(f, options);
    size_t *order = NULL, *train = nnm_calloc(f->rows, sizeof *train);
    double *predicted = nnm_calloc(f->rows, sizeof *predicted), work = 0;
    nnm_metrics *metrics = nnm_calloc(count, draws * sizeof *metrics);
    curve.points = nnm_calloc(count, sizeof *curve.points);
    status = train && predicted && metrics && curve.points ? nnm_fit_order(&order, f, options->seed, err)
                                                           : nnm_fail_memory(err);
    for (size_t i = 0; i < count && status == NNM_OK; i++) {
        curve.points[i].rows = sizes[i];
        work += (double)draws * work_of(sizes[i]);
    }
    if (status == NNM_OK) qsort(curve.points, count, sizeof *curve.points, compare_points);
    fit_run run = begin_run(f, kernel, options, "learning curve", count * draws, work);
    for (size_t draw = 0; draw < draws && status == NNM_OK; draw++)
        status = draw_curve(&run, &curve, order, train, draw, predicted, metrics, err);
    if (status == NNM_OK) {
        for (size_t i = 0; i < count; i++)
            curve.points[i].test = spread_of(metrics + i * draws, draws);
        *out = curve;
        curve = (nnm_learning_curve){0};
    }
    nnm_learning_curve_fini(&curve);
    free(order);
    free(train);
    free(predicted);
    free(metrics);
    return status;
}

nnm_status nnm_learning_curve_csv(const char *kernel_type, const char *csv_path, const nnm_table_options *options,
                                  const size_t *sizes, size_t count, size_t draws, nnm_learning_curve *out,
                                  nnm_error *err)
{
    nnm_features features = {0};
    nnm_skipped_rows skipped = {0};
    const nnm_kernel *kernel = NULL;
    nnm_status status = nnm_features_of_table(&features, &kernel, kernel_type, csv_path, options, &skipped, err);
    if (status == NNM_OK) status = learning_curve(out, &features, kernel, &options->fit, sizes, count, draws, err);
    if (status == NNM_OK) out->skipped = skipped;
    nnm_features_fini(&features);
    return status;
}

nnm_status nnm_learning_curve_data(const nnm_kernel_data *data, const nnm_fit_options *options, const size_t *sizes,
                                   size_t count, size_t draws, nnm_learning_curve *out, nnm_error *err)
{
    nnm_features features = {0};
    options = or_defaults(options);
    nnm_status status = nnm_features_of_data(&features, data, options->model, err);
    if (status == NNM_OK) status = learning_curve(out, &features, data->kernel, options, sizes, count, draws, err);
    nnm_features_fini(&features);
    return status;
}
