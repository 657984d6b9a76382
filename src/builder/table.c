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
#include "builder/columns.h"
#include "builder/fit.h"
#include "kernels/work.h"

nnm_status nnm_train_csv(const char *kernel_type, const char *csv_path, const nnm_table_options *options,
                         nnm_fit_result *out, nnm_error *err)
{
    nnm_features features = {0};
    nnm_test_rows test = {0};
    nnm_fit_result result = {0};
    const nnm_kernel *kernel = NULL;
    nnm_status status = nnm_features_of_table(&features, &kernel, kernel_type, csv_path, options, &result.skipped, err);
    if (status == NNM_OK) status = nnm_fit_features(&result, &test, &features, kernel, &options->fit, err);
    if (status == NNM_OK) {
        *out = result;
        result = (nnm_fit_result){0};
    }
    nnm_fit_result_fini(&result);
    nnm_test_rows_fini(&test);
    nnm_features_fini(&features);
    return status;
}

/* The kernel type a predictor was trained for, or NULL for one that neither this version nor the registry knows: its
 * features must then stand in the table as they are. */
static nnm_status find_kernel(nnm_registry *registry, const nnm_predictor *predictor, const nnm_kernel **out,
                              nnm_error *err)
{
    const char *name = nnm_predictor_kernel_type(predictor);
    *out = NULL;
    for (size_t i = 0; i < nnm_registry_kernel_count(registry); i++)
        if (strcmp(nnm_registry_kernel_name(registry, i), name) == 0)
            return nnm_registry_find_kernel(registry, name, out, err);
    return NNM_OK;
}

static bool follows_from(const nnm_kernel *kernel, const char *feature)
{
    for (size_t i = 0; i < nnm_kernel_feature_count(kernel); i++)
        if (strcmp(feature, nnm_kernel_feature_name(kernel, i)) == 0) return true;
    return nnm_work_feature_count(kernel) && nnm_work_feature_index(feature) >= 0;
}

/* Whether the predictor's features follow from the kernel's parameters alone. */
static bool is_plain(const nnm_predictor *predictor, const nnm_kernel *kernel)
{
    for (size_t i = 0; kernel && i < nnm_predictor_feature_count(predictor); i++)
        if (!follows_from(kernel, nnm_predictor_feature_name(predictor, i))) return false;
    return kernel != NULL;
}

/* ---- tables, a few rows at a time ---- */

#define CHUNK_ROWS 4096

/* A predictor whose features follow from the kernel's parameters alone must not answer for a configuration that the
 * kernel cannot have. */
static nnm_status check_row(const nnm_columns *columns, const nnm_csv *csv, size_t row, nnm_error *err)
{
    const nnm_kernel *kernel = columns->kernel;
    nnm_kernel_config config = {{0}};
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
        const char *cell = nnm_csv_cell(csv, row, (size_t)columns->param[i]);
        double value;
        if (!nnm_parse_double(cell, &value) || value != floor(value) || fabs(value) > 1e15)
            return nnm_fail_at(err, NNM_ERR_VALUE, csv->name, csv->line[row], 0,
                               "column '%s': found '%.60s', need a whole number", csv->header[columns->param[i]], cell);
        config.value[i] = (int64_t)value;
    }
    nnm_error reason = NNM_ERROR_INIT;
    if (nnm_kernel_config_check(kernel, &config, &reason) == NNM_OK) return NNM_OK;
    return nnm_fail_at(err, NNM_ERR_VALUE, csv->name, csv->line[row], 0, "%s", reason.message);
}

/* A table on its way through a predictor. */
typedef struct table_run {
    const nnm_predictor *predictor;
    nnm_csv_stream *stream;
    const nnm_csv *csv;
    nnm_columns columns;
    bool checked;              /* rows must be configurations that the kernel can have */
    nnm_skipped_rows *skipped; /* NULL: bad rows are refused */
    double *x, *y;             /* of the good rows of the chunk; y where there is a target */
    nnm_prediction *predictions;
    size_t capacity;
    bool *good; /* one a row */
    size_t good_count;
} table_run;

static void run_fini(table_run *run)
{
    nnm_csv_stream_close(run->stream);
    nnm_columns_fini(&run->columns);
    free(run->x);
    free(run->y);
    free(run->predictions);
    free(run->good);
}

static nnm_status run_open(table_run *run, nnm_registry *registry, const nnm_predictor *predictor, const char *path,
                           const char *target, nnm_skipped_rows *skipped, nnm_error *err)
{
    const nnm_kernel *kernel = NULL;
    *run = (table_run){.predictor = predictor, .skipped = skipped};
    nnm_status status = find_kernel(registry, predictor, &kernel, err);
    if (status) return status;
    status = nnm_csv_stream_open(&run->stream, path, err);
    if (status) return status;
    run->csv = nnm_csv_stream_table(run->stream);
    run->checked = !target && is_plain(predictor, kernel);
    return nnm_columns_for_predictor(&run->columns, run->csv, predictor, kernel, target, err);
}

static nnm_status make_room(table_run *run, nnm_error *err)
{
    size_t rows = run->csv->rows, columns = run->columns.count;
    if (rows <= run->capacity) return NNM_OK;
    free(run->x);
    free(run->y);
    free(run->predictions);
    free(run->good);
    run->x = nnm_calloc(rows, columns * sizeof *run->x);
    run->y = nnm_calloc(rows, sizeof *run->y);
    run->predictions = nnm_calloc(rows, sizeof *run->predictions);
    run->good = nnm_calloc(rows, sizeof *run->good);
    run->capacity = rows;
    return run->x && run->y && run->predictions && run->good ? NNM_OK : nnm_fail_memory(err);
}

static nnm_status read_row(table_run *run, size_t row, nnm_error *err)
{
    double *x = run->x + run->good_count * run->columns.count;
    nnm_status status = NNM_OK;
    if (run->columns.target >= 0)
        status = nnm_columns_label(&run->columns, run->csv, row, &run->y[run->good_count], err);
    if (status == NNM_OK) status = nnm_columns_row(&run->columns, run->csv, row, x, err);
    if (status == NNM_OK && run->checked) status = check_row(&run->columns, run->csv, row, err);
    return status;
}

/* Reads and predicts the next rows; none are left at the end. On a bad row that is refused, the rows before it are
 * there with their predictions: `*rows` of them. */
static nnm_status run_next(table_run *run, size_t *rows, nnm_error *err)
{
    *rows = 0;
    nnm_status status = nnm_csv_stream_next(run->stream, CHUNK_ROWS, err);
    if (status == NNM_OK) status = make_room(run, err);
    if (status) return status;
    run->good_count = 0;
    for (size_t row = 0; row < run->csv->rows && status == NNM_OK; row++) {
        nnm_error reason = NNM_ERROR_INIT;
        status = read_row(run, row, &reason);
        run->good[row] = status == NNM_OK;
        run->good_count += run->good[row];
        status = nnm_skip_row(run->skipped, status, &reason, err);
        if (status == NNM_OK) *rows = row + 1;
    }
    nnm_predictor_predict(run->predictor, run->x, run->good_count, run->predictions);
    return status;
}

/* ---- evaluating ---- */

typedef struct pairs {
    double *measured, *predicted;
    size_t count, measured_capacity, predicted_capacity;
    nnm_label_table labels;
} pairs;

static nnm_status add_pairs(pairs *p, const table_run *run, nnm_error *err)
{
    void *measured = p->measured, *predicted = p->predicted;
    size_t count = p->count + run->good_count;
    nnm_status status = nnm_grow(&measured, &p->measured_capacity, count, sizeof *p->measured, err);
    p->measured = measured;
    if (status == NNM_OK) status = nnm_grow(&predicted, &p->predicted_capacity, count, sizeof *p->predicted, err);
    p->predicted = predicted;
    if (status) return status;
    for (size_t i = 0; i < run->good_count; i++) {
        p->measured[p->count] = run->y[i];
        p->predicted[p->count++] = run->predictions[i].latency_ms;
    }
    size_t columns = run->columns.count;
    for (size_t i = 0; i < run->good_count && status == NNM_OK; i++)
        status = nnm_label_table_add(&p->labels, run->x + i * columns, columns, run->y[i], err);
    return status;
}

nnm_status nnm_evaluate_csv(nnm_registry *registry, const nnm_predictor *predictor, const char *csv_path,
                            const char *target, nnm_skipped_rows *skipped, nnm_metrics *out, nnm_agreement *labels,
                            nnm_error *err)
{
    if (!target || !*target)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the column with the latencies must be named");
    table_run run;
    pairs all = {0};
    nnm_skipped_rows left_out = {0};
    nnm_metrics metrics;
    nnm_agreement agreement;
    nnm_status status = run_open(&run, registry, predictor, csv_path, target, skipped ? &left_out : NULL, err);
    for (size_t rows = 1; rows && status == NNM_OK;) {
        status = run_next(&run, &rows, err);
        if (status == NNM_OK) status = add_pairs(&all, &run, err);
    }
    if (status == NNM_OK) {
        const nnm_repeats *repeats = &all.labels.repeats;
        status = nnm_metrics_compute(&metrics, all.measured, all.predicted, all.count, err);
        if (status == NNM_OK)
            status = nnm_agreement_compute(&agreement, repeats->first, repeats->second, repeats->count, err);
        if (status) (void)nnm_context(err, status, "%s", csv_path);
    }
    if (status == NNM_OK) {
        *out = metrics;
        if (labels) *labels = agreement;
        if (skipped) *skipped = left_out;
    }
    nnm_label_table_fini(&all.labels);
    free(all.measured);
    free(all.predicted);
    run_fini(&run);
    return status;
}

/* ---- predicting ---- */

static void write_number_cell(FILE *out, double value)
{
    char text[32];
    fputc(',', out);
    if (isfinite(value)) fputs(nnm_format_double(value, text, sizeof text), out);
}

static void write_rows(const table_run *run, size_t rows, FILE *out)
{
    const nnm_csv *csv = run->csv;
    const nnm_prediction *next = run->predictions;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < csv->columns; i++) {
            if (i) fputc(',', out);
            nnm_csv_write_cell(out, nnm_csv_cell(csv, row, i));
        }
        if (run->good[row]) {
            write_number_cell(out, next->latency_ms);
            write_number_cell(out, next->lower_ms);
            write_number_cell(out, next->upper_ms);
            next++;
        } else {
            fputs(",,,", out);
        }
        fputc('\n', out);
    }
}

/* Counts the predictions that are far outside, and tells of the first. */
static void count_far(nnm_extrapolated_rows *far, const table_run *run, size_t rows)
{
    const nnm_prediction *next = run->predictions;
    for (size_t row = 0; row < rows; row++) {
        if (!run->good[row]) continue;
        const nnm_prediction *prediction = next++;
        if (!prediction->extrapolated || far->count++) continue;
        char text[NNM_ERROR_MESSAGE_BYTES];
        snprintf(far->first, sizeof far->first, "%.200s:%zu: %.240s", run->csv->name, run->csv->line[row],
                 nnm_prediction_explain(run->predictor, prediction, text, sizeof text));
    }
}

nnm_status nnm_predict_csv(nnm_registry *registry, const nnm_predictor *predictor, const char *csv_path,
                           nnm_skipped_rows *skipped, nnm_extrapolated_rows *far, FILE *out, nnm_error *err)
{
    table_run run;
    nnm_extrapolated_rows outside = {0};
    nnm_skipped_rows left_out = {0};
    nnm_status status = run_open(&run, registry, predictor, csv_path, NULL, skipped ? &left_out : NULL, err);
    bool headed = false;
    for (size_t rows = 1; rows && status == NNM_OK;) {
        status = run_next(&run, &rows, err);
        for (size_t i = 0; !headed && (rows || status == NNM_OK) && i < run.csv->columns; i++) {
            nnm_csv_write_cell(out, run.csv->header[i]);
            fputs(i + 1 < run.csv->columns ? "," : ",predicted_ms,lower_ms,upper_ms\n", out);
        }
        headed = true;
        write_rows(&run, rows, out);
        count_far(&outside, &run, rows);
        if (status == NNM_OK && ferror(out)) status = nnm_fail_errno(err, "cannot write the predictions");
    }
    if (status == NNM_OK && skipped) *skipped = left_out;
    if (status == NNM_OK && far) *far = outside;
    run_fini(&run);
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

/* What a plain predictor wants to know of a configuration, in its order. */
static nnm_status plain_features(const nnm_predictor *predictor, const nnm_kernel *kernel,
                                 const nnm_kernel_config *config, double *x, nnm_error *err)
{
    double documented[NNM_KERNEL_MAX_FEATURES], work[NNM_WORK_FEATURES], params[NNM_KERNEL_MAX_PARAMS];
    nnm_layer_setting setting = NNM_LAYER_SETTING_INIT;
    nnm_status status = nnm_kernel_features(kernel, config, documented, err);
    if (status) return status;
    for (size_t i = 0; i < NNM_KERNEL_MAX_PARAMS; i++)
        params[i] = (double)config->value[i];
    if (nnm_work_feature_count(kernel)) nnm_work_features(kernel, params, &setting, work);
    for (size_t i = 0; i < nnm_predictor_feature_count(predictor); i++) {
        const char *name = nnm_predictor_feature_name(predictor, i);
        int index = nnm_work_feature_count(kernel) ? nnm_work_feature_index(name) : -1;
        for (size_t j = 0; index < 0 && j < nnm_kernel_feature_count(kernel); j++)
            if (strcmp(name, nnm_kernel_feature_name(kernel, j)) == 0) x[i] = documented[j];
        if (index >= 0) x[i] = work[index];
    }
    return NNM_OK;
}

static nnm_status predict_plain(const nnm_predictor *predictor, const nnm_kernel *kernel, const char *config,
                                nnm_prediction *out, nnm_error *err)
{
    nnm_kernel_config parsed;
    nnm_status status = nnm_kernel_config_parse(&parsed, kernel, config, err);
    if (status) return status;
    double x[NNM_KERNEL_MAX_FEATURES + NNM_WORK_FEATURES];
    status = plain_features(predictor, kernel, &parsed, x, err);
    if (status == NNM_OK) nnm_predictor_predict(predictor, x, 1, out);
    return status;
}

nnm_status nnm_predict_config(nnm_registry *registry, const nnm_predictor *predictor, const char *config,
                              nnm_prediction *out, nnm_error *err)
{
    const nnm_kernel *kernel = NULL;
    nnm_status status = find_kernel(registry, predictor, &kernel, err);
    if (status) return status;
    if (is_plain(predictor, kernel)) return predict_plain(predictor, kernel, config, out, err);

    char *names[MAX_SETTINGS], *values[MAX_SETTINGS];
    size_t line = 0;
    char name[] = "configuration";
    nnm_columns columns = {0};
    double *x = NULL;
    char *text = nnm_strdup(config);
    if (!text) return nnm_fail_memory(err);
    nnm_csv csv = {.name = name, .header = names, .cells = values, .line = &line, .rows = 1};
    status = split_settings(text, names, values, &csv.columns, err);
    if (status == NNM_OK) status = check_names(predictor, kernel, names, csv.columns, err);
    if (status == NNM_OK) status = nnm_columns_for_predictor(&columns, &csv, predictor, kernel, NULL, err);
    if (status == NNM_OK && !(x = nnm_calloc(columns.count, sizeof *x))) status = nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_columns_row(&columns, &csv, 0, x, err);
    if (status == NNM_OK) nnm_predictor_predict(predictor, x, 1, out);
    nnm_columns_fini(&columns);
    free(x);
    free(text);
    return status;
}
