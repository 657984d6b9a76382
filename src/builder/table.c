/* Predictors meet configurations and tables from anywhere. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/closest.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "builder/fit.h"

nnm_status nnm_train_csv(const char *kernel_type, const char *csv_path, const nnm_table_options *options,
                         nnm_fit_result *out, nnm_error *err)
{
    if (!options || !options->target || !*options->target)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the column with the latencies must be named");
    const nnm_kernel *kernel = NULL;
    nnm_status status = nnm_kernel_find(&kernel, kernel_type, err);
    if (status) return status;
    nnm_csv csv = {0};
    nnm_features features = {0};
    nnm_test_rows test = {0};
    nnm_fit_result result = {0};
    status = nnm_csv_read(&csv, csv_path, err);
    if (status == NNM_OK)
        status = nnm_features_of_csv(&features, &csv, kernel, options->target, NNM_MODEL_RANDOM_FOREST, err);
    if (status == NNM_OK) status = nnm_fit_features(&result, &test, &features, kernel, &options->fit, err);
    if (status == NNM_OK) {
        *out = result;
        result = (nnm_fit_result){0};
    }
    nnm_fit_result_fini(&result);
    nnm_test_rows_fini(&test);
    nnm_features_fini(&features);
    nnm_csv_fini(&csv);
    return status;
}

/* The catalogue entry of the kernel type a predictor was trained for, or NULL for one this version does not know: its
 * features must then stand in the table as they are. */
static const nnm_kernel *kernel_of(const nnm_predictor *predictor)
{
    const nnm_kernel *kernel = NULL;
    return nnm_kernel_find(&kernel, nnm_predictor_kernel_type(predictor), NULL) == NNM_OK ? kernel : NULL;
}

/* Whether the predictor's features follow from the kernel's parameters alone. */
static bool is_plain(const nnm_predictor *predictor, const nnm_kernel *kernel)
{
    if (!kernel || nnm_predictor_feature_count(predictor) != nnm_kernel_feature_count(kernel)) return false;
    for (size_t i = 0; i < nnm_kernel_feature_count(kernel); i++)
        if (strcmp(nnm_predictor_feature_name(predictor, i), nnm_kernel_feature_name(kernel, i)) != 0) return false;
    return true;
}

static nnm_status predict_rows(const nnm_predictor *predictor, const nnm_csv *csv, nnm_prediction **out, nnm_error *err)
{
    nnm_features features = {0};
    nnm_status status = nnm_features_for_predictor(&features, csv, predictor, kernel_of(predictor), err);
    if (status) return status;
    nnm_prediction *predictions = nnm_calloc(csv->rows, sizeof *predictions);
    if (predictions) {
        nnm_predictor_predict(predictor, features.x, csv->rows, predictions);
        *out = predictions;
    } else {
        status = nnm_fail_memory(err);
    }
    nnm_features_fini(&features);
    return status;
}

nnm_status nnm_evaluate_csv(const nnm_predictor *predictor, const char *csv_path, const char *target, nnm_metrics *out,
                            nnm_error *err)
{
    if (!target || !*target)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the column with the latencies must be named");
    nnm_csv csv = {0};
    nnm_prediction *predictions = NULL;
    double *measured = NULL, *predicted = NULL;
    nnm_status status = nnm_csv_read(&csv, csv_path, err);
    if (status == NNM_OK) status = nnm_features_labels(&measured, &csv, target, err);
    if (status == NNM_OK) status = predict_rows(predictor, &csv, &predictions, err);
    if (status) goto done;
    predicted = nnm_calloc(csv.rows, sizeof *predicted);
    if (!predicted) {
        status = nnm_fail_memory(err);
        goto done;
    }
    for (size_t i = 0; i < csv.rows; i++)
        predicted[i] = predictions[i].latency_ms;
    status = nnm_metrics_compute(out, measured, predicted, csv.rows, err);
    if (status) (void)nnm_context(err, status, "%s", csv_path);
done:
    free(predictions);
    free(predicted);
    free(measured);
    nnm_csv_fini(&csv);
    return status;
}

static void write_number_cell(FILE *out, double value)
{
    char text[32];
    fputc(',', out);
    if (isfinite(value)) fputs(nnm_format_double(value, text, sizeof text), out);
}

/* A predictor whose features follow from the kernel's parameters alone must not answer for a configuration that the
 * kernel cannot have. */
static nnm_status check_rows(const nnm_csv *csv, const nnm_predictor *predictor, nnm_error *err)
{
    const nnm_kernel *kernel = kernel_of(predictor);
    if (!is_plain(predictor, kernel)) return NNM_OK;
    for (size_t row = 0; row < csv->rows; row++) {
        nnm_kernel_config config = {{0}};
        for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
            const char *name = nnm_kernel_param_name(kernel, i);
            long column = nnm_csv_column(csv, name);
            if (column < 0 && strcmp(name, "COUT") == 0) column = nnm_csv_column(csv, "CIN");
            const char *cell = column < 0 ? "" : nnm_csv_cell(csv, row, (size_t)column);
            double value;
            if (!nnm_parse_double(cell, &value) || value != floor(value) || fabs(value) > 1e15)
                return nnm_fail_at(err, NNM_ERR_VALUE, csv->name, csv->line[row], 0,
                                   "column '%s': found '%.60s', need a whole number", name, cell);
            config.value[i] = (int64_t)value;
        }
        nnm_error reason = NNM_ERROR_INIT;
        if (nnm_kernel_config_check(kernel, &config, &reason) != NNM_OK)
            return nnm_fail_at(err, NNM_ERR_VALUE, csv->name, csv->line[row], 0, "%s", reason.message);
    }
    return NNM_OK;
}

nnm_status nnm_predict_csv(const nnm_predictor *predictor, const char *csv_path, FILE *out, nnm_error *err)
{
    nnm_csv csv = {0};
    nnm_prediction *predictions = NULL;
    nnm_status status = nnm_csv_read(&csv, csv_path, err);
    if (status == NNM_OK) status = predict_rows(predictor, &csv, &predictions, err);
    if (status == NNM_OK) status = check_rows(&csv, predictor, err);
    if (status) goto done;
    for (size_t i = 0; i < csv.columns; i++) {
        nnm_csv_write_cell(out, csv.header[i]);
        fputc(',', out);
    }
    fputs("predicted_ms,lower_ms,upper_ms\n", out);
    for (size_t row = 0; row < csv.rows; row++) {
        for (size_t i = 0; i < csv.columns; i++) {
            if (i) fputc(',', out);
            nnm_csv_write_cell(out, nnm_csv_cell(&csv, row, i));
        }
        write_number_cell(out, predictions[row].latency_ms);
        write_number_cell(out, predictions[row].lower_ms);
        write_number_cell(out, predictions[row].upper_ms);
        fputc('\n', out);
    }
    if (ferror(out)) status = nnm_fail_errno(err, "cannot write the predictions");
done:
    free(predictions);
    nnm_csv_fini(&csv);
    return status;
}

/* ---- one configuration ---- */

#define MAX_SETTINGS 64

/* "HW=56,CIN=64" as a table of one row whose names and cells point into `text`. */
static nnm_status split_settings(char *text, char **names, char **values, size_t *count, nnm_error *err)
{
    *count = 0;
    char *rest = text;
    for (char *item; (item = strsep(&rest, ","));) {
        char *equals = strchr(item, '=');
        if (!equals || equals == item)
            return nnm_fail(err, NNM_ERR_PARSE, "configuration: found '%.60s', need NAME=VALUE", item);
        *equals = '\0';
        for (size_t i = 0; i < *count; i++)
            if (strcasecmp(names[i], item) == 0)
                return nnm_fail(err, NNM_ERR_VALUE, "configuration: '%.60s' is given twice", item);
        if (*count == MAX_SETTINGS)
            return nnm_fail(err, NNM_ERR_VALUE, "configuration: more than %d values", MAX_SETTINGS);
        names[*count] = item;
        values[(*count)++] = equals + 1;
    }
    return NNM_OK;
}

/* A name that the predictor does not use would be ignored silently: most often it is a slip of the pen. */
static nnm_status check_names(const nnm_predictor *predictor, const nnm_kernel *kernel, char *const *names,
                              size_t count, nnm_error *err)
{
    const char *known[NNM_KERNEL_MAX_PARAMS + MAX_SETTINGS];
    size_t known_count = 0;
    for (size_t i = 0; kernel && i < nnm_kernel_param_count(kernel); i++)
        known[known_count++] = nnm_kernel_param_name(kernel, i);
    for (size_t i = 0; i < nnm_predictor_feature_count(predictor) && known_count < MAX_SETTINGS; i++) {
        const char *name = nnm_predictor_feature_name(predictor, i);
        if (!(kernel && (strcmp(name, "FLOPS") == 0 || strcmp(name, "PARAMS") == 0))) known[known_count++] = name;
    }
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < known_count && !found; j++)
            found = strcasecmp(names[i], known[j]) == 0;
        if (found) continue;
        const char *closest = nnm_closest(names[i], known, known_count);
        return nnm_fail(err, NNM_ERR_VALUE, "configuration: the predictor for '%s' knows no '%.60s'%s%s%s",
                        nnm_predictor_kernel_type(predictor), names[i], closest ? "; did you mean '" : "",
                        closest ? closest : "", closest ? "'?" : "");
    }
    return NNM_OK;
}

static nnm_status predict_plain(const nnm_predictor *predictor, const nnm_kernel *kernel, const char *config,
                                nnm_prediction *out, nnm_error *err)
{
    nnm_kernel_config parsed;
    nnm_status status = nnm_kernel_config_parse(&parsed, kernel, config, err);
    if (status) return status;
    double features[NNM_KERNEL_MAX_FEATURES];
    nnm_kernel_features(kernel, &parsed, features);
    nnm_predictor_predict(predictor, features, 1, out);
    return NNM_OK;
}

nnm_status nnm_predict_config(const nnm_predictor *predictor, const char *config, nnm_prediction *out, nnm_error *err)
{
    const nnm_kernel *kernel = kernel_of(predictor);
    if (is_plain(predictor, kernel)) return predict_plain(predictor, kernel, config, out, err);

    char *names[MAX_SETTINGS], *values[MAX_SETTINGS];
    size_t line = 0;
    char name[] = "configuration";
    nnm_prediction *prediction = NULL;
    char *text = nnm_strdup(config);
    if (!text) return nnm_fail_memory(err);
    nnm_csv csv = {.name = name, .header = names, .cells = values, .line = &line, .rows = 1};
    nnm_status status = split_settings(text, names, values, &csv.columns, err);
    if (status == NNM_OK) status = check_names(predictor, kernel, names, csv.columns, err);
    if (status == NNM_OK) status = predict_rows(predictor, &csv, &prediction, err);
    if (status == NNM_OK) *out = *prediction;
    free(prediction);
    free(text);
    return status;
}
