#include "builder/fit.h"
#include "builder/notes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/rng.h"
#include "builder/builder.h"
#include "builder/weights.h"
#include "store/paths.h"

void nnm_test_rows_fini(nnm_test_rows *test)
{
    free(test->rows);
    free(test->predicted);
    *test = (nnm_test_rows){0};
}

void nnm_fit_result_fini(nnm_fit_result *result)
{
    nnm_predictor_free(result->predictor);
    nnm_config_list_fini(&result->error_configs);
    *result = (nnm_fit_result){0};
}

nnm_status nnm_fit_check_options(const nnm_fit_options *options, nnm_error *err)
{
    if (!(options->error_threshold >= 0.1 && options->error_threshold <= 1))
        return nnm_fail(err, NNM_ERR_VALUE, "error threshold: found %g, need a number from 0.1 to 1",
                        options->error_threshold);
    if (!(options->test_size >= 0 && options->test_size <= 0.9))
        return nnm_fail(err, NNM_ERR_VALUE, "test size: found %g, need a share from 0 to 0.9", options->test_size);
    return NNM_OK;
}

size_t nnm_fit_test_count(const nnm_features *features, const nnm_fit_options *options)
{
    return options->test_size > 0 ? (size_t)ceil(options->test_size * (double)features->rows) : 0;
}

typedef struct row_key {
    const double *x;
    size_t columns, row;
} row_key;

static int compare_rows(const void *a, const void *b)
{
    const row_key *left = a, *right = b;
    for (size_t i = 0; i < left->columns; i++)
        if (left->x[i] != right->x[i]) return left->x[i] < right->x[i] ? -1 : 1;
    return 0;
}

/* Rows in the order of their features: which rows test must not depend on the order in which files were named. */
static nnm_status sort_rows(const nnm_features *f, size_t *rows, nnm_error *err)
{
    row_key *keys = nnm_calloc(f->rows, sizeof *keys);
    if (!keys) return nnm_fail_memory(err);
    for (size_t i = 0; i < f->rows; i++)
        keys[i] = (row_key){f->x + i * f->columns, f->columns, i};
    qsort(keys, f->rows, sizeof *keys, compare_rows);
    for (size_t i = 0; i < f->rows; i++)
        rows[i] = keys[i].row;
    free(keys);
    return NNM_OK;
}

nnm_status nnm_fit_order(size_t **out, const nnm_features *features, uint64_t seed, nnm_error *err)
{
    size_t *rows = nnm_calloc(features->rows, sizeof *rows);
    if (!rows) return nnm_fail_memory(err);
    nnm_status status = sort_rows(features, rows, err);
    if (status) {
        free(rows);
        return status;
    }
    nnm_rng rng;
    nnm_rng_init(&rng, seed, 0);
    nnm_rng_shuffle(&rng, rows, features->rows, sizeof *rows);
    *out = rows;
    return NNM_OK;
}

nnm_status nnm_fit_check_rows(const nnm_features *f, size_t tests, nnm_error *err)
{
    if (f->rows >= NNM_FIT_MIN_ROWS && f->rows - tests >= 2) return NNM_OK;
    return nnm_fail(err, NNM_ERR_TOO_FEW_ROWS,
                    "%zu distinct rows (%zu duplicates left out) are too few to train and test on; at least %d are "
                    "needed",
                    f->rows, f->duplicates, NNM_FIT_MIN_ROWS);
}

static double *gather(const nnm_features *f, const size_t *rows, size_t count)
{
    double *x = nnm_calloc(count, f->columns * sizeof *x);
    for (size_t i = 0; x && i < count; i++)
        memcpy(x + i * f->columns, f->x + rows[i] * f->columns, f->columns * sizeof *x);
    return x;
}

static double *gather_labels(const nnm_features *f, const size_t *rows, size_t count)
{
    double *y = nnm_calloc(count, sizeof *y);
    for (size_t i = 0; y && i < count; i++)
        y[i] = f->y[rows[i]];
    return y;
}

static nnm_forest_options forest_for(const nnm_kernel *kernel)
{
    nnm_forest_options forest = NNM_FOREST_OPTIONS_INIT;
    nnm_kernel_forest prescribed = nnm_kernel_default_forest(kernel);
    forest.trees = prescribed.trees;
    forest.max_depth = prescribed.max_depth;
    forest.max_features = prescribed.max_features;
    return forest;
}

/* Passes on what the learner tells. */
typedef struct fit_ear {
    const nnm_hooks *hooks;
    char activity[80];
    uint64_t begin_ns;
} fit_ear;

static bool hear(void *context, size_t grown, size_t of)
{
    const fit_ear *ear = context;
    const nnm_hooks *hooks = ear->hooks;
    double elapsed_s = (double)(nnm_clock_ns() - ear->begin_ns) * 1e-9;
    const nnm_progress progress = {
        .activity = ear->activity,
        .done = grown,
        .total = of,
        .elapsed_s = elapsed_s,
        .remaining_s = grown ? elapsed_s / (double)grown * (double)(of - grown) : -1,
    };
    if (hooks->progress && (grown < of || grown == 0)) hooks->progress(hooks->context, &progress);
    return hooks->interrupted && hooks->interrupted(hooks->context);
}

/* What the learner leaves out, and that it is done, which its listener need not have heard. */
static void begin_hearing(const fit_ear *ear, size_t rows, nnm_model_kind model)
{
    char line[160];
    snprintf(line, sizeof line, "Of %zu training rows, %zu are learned from, drawn at random", rows, NNM_BEST_MAX_ROWS);
    if (model == NNM_MODEL_BEST && rows > NNM_BEST_MAX_ROWS && ear->hooks->log)
        ear->hooks->log(ear->hooks->context, NNM_LOG_INFO, line);
}

static void end_hearing(const fit_ear *ear)
{
    const nnm_progress progress = {
        .activity = ear->activity,
        .done = 1,
        .total = 1,
        .elapsed_s = (double)(nnm_clock_ns() - ear->begin_ns) * 1e-9,
    };
    if (ear->hooks->progress) ear->hooks->progress(ear->hooks->context, &progress);
}

nnm_status nnm_fit_rows(nnm_predictor **out, const nnm_features *features, const size_t *rows, size_t count,
                        const nnm_kernel *kernel, const nnm_fit_options *options, nnm_error *err)
{
    double *x = gather(features, rows, count), *y = gather_labels(features, rows, count), *weight = NULL;
    nnm_status status = x && y ? nnm_fit_weights(features, rows, count, &weight, err) : nnm_fail_memory(err);
    const nnm_dataset data = {
        .x = x,
        .y = y,
        .weight = weight,
        .rows = count,
        .columns = features->columns,
        .feature_names = (const char *const *)features->names,
        .work = features->work,
    };
    fit_ear ear = {.hooks = options->hooks, .begin_ns = nnm_clock_ns()};
    const nnm_fit_listener listener = {hear, &ear};
    const nnm_predictor_options how = {
        .model = options->model,
        .forest = forest_for(kernel),
        .seed = options->seed,
        .threads = options->threads,
        .listener = ear.hooks ? &listener : NULL,
    };
    snprintf(ear.activity, sizeof ear.activity, "fit %s", nnm_kernel_name(kernel));
    if (status == NNM_OK && ear.hooks) begin_hearing(&ear, count, options->model);
    if (status == NNM_OK) status = nnm_predictor_fit(out, nnm_kernel_name(kernel), &data, &how, err);
    if (status == NNM_OK && ear.hooks) end_hearing(&ear);
    free(x);
    free(y);
    free(weight);
    return status;
}

#define PREDICT_ROWS 4096

nnm_status nnm_fit_predict(const nnm_predictor *predictor, const nnm_features *features, const size_t *rows,
                           size_t count, double *out, nnm_error *err)
{
    nnm_prediction *predictions = nnm_calloc(PREDICT_ROWS, sizeof *predictions);
    nnm_status status = predictions ? NNM_OK : nnm_fail_memory(err);
    for (size_t done = 0; done < count && status == NNM_OK; done += PREDICT_ROWS) {
        size_t some = count - done < PREDICT_ROWS ? count - done : PREDICT_ROWS;
        double *x = gather(features, rows + done, some);
        if (x)
            nnm_predictor_predict(predictor, x, some, predictions);
        else
            status = nnm_fail_memory(err);
        for (size_t i = 0; x && i < some; i++)
            out[done + i] = predictions[i].latency_ms;
        free(x);
    }
    free(predictions);
    return status;
}

nnm_status nnm_fit_test(const nnm_predictor *predictor, const nnm_features *features, const size_t *rows, size_t count,
                        double *predicted, nnm_metrics *out, nnm_error *err)
{
    nnm_status status = nnm_fit_predict(predictor, features, rows, count, predicted, err);
    double *measured = gather_labels(features, rows, count);
    if (status == NNM_OK && !measured) status = nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_metrics_compute(out, measured, predicted, count, err);
    free(measured);
    return status;
}

nnm_status nnm_fit_features(nnm_fit_result *result, nnm_test_rows *test, const nnm_features *features,
                            const nnm_kernel *kernel, const nnm_fit_options *options, nnm_error *err)
{
    nnm_predictor *predictor = NULL;
    nnm_test_rows tested = {0};
    size_t rows = features->rows, tests = nnm_fit_test_count(features, options);
    nnm_status status = nnm_fit_check_options(options, err);
    if (status == NNM_OK) status = nnm_fit_check_rows(features, tests, err);
    if (status == NNM_OK) status = nnm_fit_order(&tested.rows, features, options->seed, err);
    if (status == NNM_OK)
        status = nnm_fit_rows(&predictor, features, tested.rows + tests, rows - tests, kernel, options, err);
    if (status) goto done;

    nnm_training_summary summary = *nnm_predictor_summary(predictor);
    summary.rows = rows;
    summary.test_rows = tested.count = tests;
    tested.predicted = nnm_calloc(tests, sizeof *tested.predicted);
    if (!tested.predicted) status = nnm_fail_memory(err);
    if (status == NNM_OK && tests)
        status = nnm_fit_test(predictor, features, tested.rows, tests, tested.predicted, &summary.test, err);
    if (status) goto done;
    nnm_agreement labels;
    const nnm_repeats *repeats = &features->repeats;
    status = nnm_agreement_compute(&labels, repeats->first, repeats->second, repeats->count, err);
    if (status) goto done;
    summary.noise_ceiling10 = labels.ceiling10;
    nnm_predictor_set_summary(predictor, &summary);
    result->predictor = predictor;
    result->summary = summary;
    result->labels = labels;
    result->duplicates = features->duplicates;
    predictor = NULL;
    *test = tested;
    tested = (nnm_test_rows){0};
done:
    nnm_predictor_free(predictor);
    nnm_test_rows_fini(&tested);
    return status;
}

/* ---- from kernel data ---- */

static double relative_error(double measured, double predicted)
{
    return fabs(measured - predicted) / measured;
}

static nnm_status find_errors(nnm_config_list *out, const nnm_kernel_data *data, const nnm_features *f,
                              const nnm_test_rows *test, double threshold, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < test->count && status == NNM_OK; i++) {
        size_t row = test->rows[i];
        if (relative_error(f->y[row], test->predicted[i]) > threshold)
            status = nnm_config_list_add(out, &data->records[f->source[row]].config, err);
    }
    return status;
}

nnm_status nnm_fit_write_test(const char *path, const nnm_features *f, const nnm_test_rows *test, nnm_error *err)
{
    nnm_atomic_file file;
    nnm_status status = nnm_atomic_file_open(&file, path, err);
    if (status) return status;
    char text[32];
    for (size_t i = 0; i < f->columns; i++)
        fprintf(file.stream, "%s,", f->names[i]);
    fputs("True,Pred,Error\n", file.stream);
    for (size_t i = 0; i < test->count; i++) {
        size_t row = test->rows[i];
        for (size_t j = 0; j < f->columns; j++)
            fprintf(file.stream, "%s,", nnm_format_double(f->x[row * f->columns + j], text, sizeof text));
        double measured = f->y[row], predicted = test->predicted[i];
        fprintf(file.stream, "%s,", nnm_format_double(measured, text, sizeof text));
        fprintf(file.stream, "%s,", nnm_format_double(predicted, text, sizeof text));
        fprintf(file.stream, "%s\n", nnm_format_double(relative_error(measured, predicted), text, sizeof text));
    }
    return nnm_atomic_file_commit(&file, err);
}

/* Writes the files of one mark: Data_….csv, TestResult_….csv and the predictor. */
static nnm_status write_results(const nnm_builder *builder, const nnm_kernel_data *data, const nnm_features *f,
                                const nnm_test_rows *test, const nnm_fit_result *result, const char *mark,
                                nnm_error *err)
{
    const char *root = nnm_workspace_path(builder->workspace);
    const char *kernel = nnm_kernel_name(data->kernel);
    char *data_csv = nnm_path_data_csv(root, kernel, mark);
    char *test_csv = nnm_path_test_csv(root, kernel, mark);
    char *predictor = nnm_path_predictor(root, kernel, mark);
    nnm_status status = data_csv && test_csv && predictor ? NNM_OK : nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_builder_note_file(builder, NNM_JOURNAL_COLLECTED, mark, data, err);
    if (status == NNM_OK) status = nnm_export_csv(data, data_csv, err);
    if (status == NNM_OK) status = nnm_fit_write_test(test_csv, f, test, err);
    if (status == NNM_OK) status = nnm_predictor_save(result->predictor, predictor, err);
    if (status == NNM_OK)
        nnm_builder_log(builder, NNM_LOG_KEYINFO, "Saved the predictor for %s in %s", kernel, predictor);
    free(data_csv);
    free(test_csv);
    free(predictor);
    return status;
}

static void log_labels(const nnm_builder *builder, const nnm_agreement *labels)
{
    if (labels->pairs == 0) return;
    if (labels->pairs < NNM_CEILING_MIN_PAIRS)
        nnm_builder_log(builder, NNM_LOG_INFO, "labels measured twice: %zu; within 5%%: %.4f; within 10%%: %.4f",
                        labels->pairs, labels->agree5, labels->agree10);
    else
        nnm_builder_log(
            builder, NNM_LOG_INFO,
            "labels measured twice: %zu; within 5%%: %.4f; within 10%%: %.4f; ceiling of the 10%% accuracy: "
            "%.4f (%.4f to %.4f)",
            labels->pairs, labels->agree5, labels->agree10, labels->ceiling10, labels->ceiling10_low,
            labels->ceiling10_high);
}

nnm_status nnm_build_predictor_by_data(nnm_builder *builder, const nnm_kernel_data *data,
                                       const nnm_fit_options *options, nnm_fit_result *out, nnm_error *err)
{
    static const nnm_fit_options defaults = NNM_FIT_OPTIONS_INIT;
    if (!options) options = &defaults;
    nnm_features features = {0};
    nnm_test_rows test = {0};
    nnm_fit_result result = {0};
    nnm_status status = nnm_features_of_data(&features, data, options->model, err);
    if (status == NNM_OK && builder && options->mark) status = nnm_builder_check_mark(options->mark, err);
    if (status == NNM_OK && builder) status = nnm_builder_read_repeats(builder, data, &features.repeats, err);
    if (status == NNM_OK) status = nnm_fit_features(&result, &test, &features, data->kernel, options, err);
    if (status == NNM_OK)
        status = find_errors(&result.error_configs, data, &features, &test, options->error_threshold, err);
    if (status == NNM_OK && builder && options->mark)
        status = write_results(builder, data, &features, &test, &result, options->mark, err);
    if (status == NNM_OK) {
        const nnm_metrics *m = &result.summary.test;
        if (test.count)
            nnm_builder_log(builder, NNM_LOG_INFO,
                            "training rows: %zu, test rows: %zu; rmse: %.4f ms; rmspe: %.4f; 5%% accuracy: %.4f; "
                            "10%% accuracy: %.4f; 15%% accuracy: %.4f",
                            result.summary.rows - test.count, test.count, m->rmse, m->rmspe, m->acc5, m->acc10,
                            m->acc15);
        log_labels(builder, &result.labels);
        *out = result;
        result = (nnm_fit_result){0};
    }
    nnm_fit_result_fini(&result);
    nnm_test_rows_fini(&test);
    nnm_features_fini(&features);
    return status;
}

nnm_status nnm_export_csv(const nnm_kernel_data *data, const char *csv_path, nnm_error *err)
{
    const nnm_kernel *kernel = data->kernel;
    nnm_atomic_file file;
    nnm_status status = nnm_atomic_file_open(&file, csv_path, err);
    if (status) return status;
    fputs("model_path", file.stream);
    for (size_t i = 0; i < nnm_kernel_feature_count(kernel); i++)
        fprintf(file.stream, ",%s", nnm_kernel_feature_name(kernel, i));
    fputs(",latency\n", file.stream);
    for (size_t row = 0; row < data->count; row++) {
        const nnm_kernel_record *record = &data->records[row];
        if (!record->has_config || !record->has_latency) continue;
        double features[NNM_KERNEL_MAX_FEATURES];
        status = nnm_kernel_features(kernel, &record->config, features, err);
        if (status) {
            nnm_atomic_file_discard(&file);
            return status;
        }
        const char *model = record->converted_model ? record->converted_model : record->model;
        const char *slash = model ? strrchr(model, '/') : NULL;
        nnm_csv_write_cell(file.stream, slash ? slash + 1 : model ? model : record->id);
        char text[32];
        for (size_t i = 0; i < nnm_kernel_feature_count(kernel); i++)
            fprintf(file.stream, ",%s", nnm_format_double(features[i], text, sizeof text));
        fprintf(file.stream, ",%s\n", nnm_format_double(record->latency_ms, text, sizeof text));
    }
    return nnm_atomic_file_commit(&file, err);
}
