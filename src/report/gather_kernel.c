/* What the files of results/ tell about one kernel type. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "report/gather.h"
#include "store/paths.h"

double nnm_gather_size(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    double size = nnm_kernel_flops(kernel, config);
    return size > 0 ? size : (double)NAN;
}

nnm_status nnm_gather_add_label(nnm_report_kernel *k, const nnm_report_label *label, nnm_error *err)
{
    void *labels = k->labels;
    nnm_status status = nnm_grow(&labels, &k->label_capacity, k->label_count + 1, sizeof *k->labels, err);
    if (status) return status;
    k->labels = labels;
    k->labels[k->label_count++] = *label;
    return NNM_OK;
}

/* The files "<kernel>_<mark><suffix>", or with words before the kernel, in a folder of results/. */
static nnm_status find(const nnm_gather *g, const char *kernel, const char *folder, const char *before,
                       const char *suffix, nnm_found_files *out, nnm_error *err)
{
    char *results = nnm_path_results(g->workspace);
    char *path = results ? nnm_format("%s%s", results, folder) : NULL;
    char *prefix = nnm_format("%s%s_", before, kernel);
    nnm_status status = path && prefix ? nnm_find_files(out, path, prefix, suffix, err) : nnm_fail_memory(err);
    free(results);
    free(path);
    free(prefix);
    return status;
}

/* The mark of that name, new ones in the order of their files. NULL: memory is short. */
static nnm_report_mark *mark_of(nnm_report_kernel *k, const nnm_found_file *file)
{
    for (size_t i = 0; i < k->mark_count; i++)
        if (strcmp(k->marks[i].name, file->mark) == 0) return &k->marks[i];
    void *marks = k->marks;
    if (nnm_grow(&marks, &k->mark_capacity, k->mark_count + 1, sizeof *k->marks, NULL)) return NULL;
    k->marks = marks;
    nnm_report_mark *mark = &k->marks[k->mark_count++];
    *mark = (nnm_report_mark){.written_s = file->written_s};
    snprintf(mark->name, sizeof mark->name, "%s", file->mark);
    return mark;
}

static int by_time(const void *a, const void *b)
{
    const nnm_report_mark *left = a, *right = b;
    if (left->written_s != right->written_s) return left->written_s < right->written_s ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* ---- configurations and latencies ---- */

/* profiled_<kernel>.json; empty data where it is not there. */
static nnm_status load_latencies(nnm_gather *g, const nnm_report_kernel *k, nnm_kernel_data **out, nnm_error *err)
{
    nnm_error reason = NNM_ERROR_INIT;
    char *path = nnm_path_profiled_json(g->workspace, k->row.kernel);
    if (!path) return nnm_fail_memory(err);
    nnm_status status = NNM_OK;
    if (nnm_file_exists(path)) status = nnm_kernel_data_load(out, k->kernel, path, &reason);
    free(path);
    status = nnm_gather_note(g, status, &reason, err);
    if (status == NNM_OK && !*out) status = nnm_kernel_data_new(out, k->kernel, err);
    return status;
}

/* Where the journal has none the files are all that tells what was measured. Their spread is no standard error. */
static nnm_status add_labels(nnm_report_kernel *k, const nnm_kernel_data *configs, const nnm_kernel_data *latencies,
                             nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < configs->count && status == NNM_OK; i++) {
        const nnm_kernel_record *record = &configs->records[i];
        const nnm_kernel_record *measured = nnm_kernel_data_find(latencies, record->id);
        if (!record->has_config || !measured || !measured->has_latency) continue;
        nnm_report_label label = {record->config, measured->latency_ms, NAN, NAN};
        status = nnm_gather_add_label(k, &label, err);
    }
    return status;
}

/* `only`: nothing else tells what was measured. */
static nnm_status add_mark(nnm_gather *g, nnm_report_kernel *k, const nnm_found_file *file,
                           const nnm_kernel_data *latencies, bool only, nnm_error *err)
{
    nnm_error reason = NNM_ERROR_INIT;
    nnm_kernel_data *data = NULL;
    nnm_status status = nnm_kernel_data_load(&data, k->kernel, file->path, &reason);
    if (status) return nnm_gather_note(g, status, &reason, err);
    nnm_report_mark *mark = mark_of(k, file);
    if (!mark) status = nnm_fail_memory(err);
    for (size_t i = 0; mark && i < data->count; i++) {
        const nnm_kernel_record *known = nnm_kernel_data_find(latencies, data->records[i].id);
        mark->sampled++;
        mark->measured += known && known->has_latency;
    }
    if (status == NNM_OK && only) status = add_labels(k, data, latencies, err);
    nnm_kernel_data_free(data);
    return status;
}

static nnm_status add_configs(nnm_gather *g, nnm_report_kernel *k, nnm_error *err)
{
    nnm_found_files files = {0};
    nnm_kernel_data *latencies = NULL;
    bool only = k->label_count == 0;
    nnm_status status = find(g, k->row.kernel, "", "", ".json", &files, err);
    if (status == NNM_OK) status = load_latencies(g, k, &latencies, err);
    for (size_t i = 0; i < files.count && status == NNM_OK; i++)
        status = add_mark(g, k, &files.items[i], latencies, only, err);
    for (size_t i = 0; latencies && i < latencies->count; i++)
        k->row.profiled += latencies->records[i].has_latency;
    nnm_kernel_data_free(latencies);
    nnm_found_files_fini(&files);
    return status;
}

/* ---- test rows ---- */

/* Takes over the parameters of a row; false where one is missing or no configuration comes of them. */
static bool read_config(const nnm_kernel *kernel, const nnm_csv *csv, size_t row, nnm_kernel_config *out)
{
    *out = (nnm_kernel_config){0};
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
        double value;
        long column = nnm_csv_column(csv, nnm_kernel_param_name(kernel, i));
        if (column < 0 || !nnm_parse_double(nnm_csv_cell(csv, row, (size_t)column), &value) || !(fabs(value) < 1e15))
            return false;
        out->value[i] = (int64_t)value;
    }
    return nnm_kernel_config_check(kernel, out, NULL) == NNM_OK;
}

/* Rows of a test. `*tests` is the caller's; a table that is none of tests is refused. */
static nnm_status read_tests(const nnm_kernel *kernel, const char *path, nnm_report_test **tests, size_t *count,
                             nnm_error *err)
{
    nnm_csv csv = {0};
    nnm_report_test *found = NULL;
    nnm_status status = nnm_csv_read(&csv, path, err);
    if (status) return status;
    long measured = nnm_csv_column(&csv, "True"), predicted = nnm_csv_column(&csv, "Pred");
    if (measured < 0 || predicted < 0) status = nnm_fail(err, NNM_ERR_PARSE, "%s has no columns True and Pred", path);
    if (status == NNM_OK && !(found = nnm_calloc(csv.rows, sizeof *found))) status = nnm_fail_memory(err);
    for (size_t row = 0; row < csv.rows && status == NNM_OK; row++) {
        nnm_report_test *test = &found[row];
        if (!nnm_parse_double(nnm_csv_cell(&csv, row, (size_t)measured), &test->measured_ms) ||
            !nnm_parse_double(nnm_csv_cell(&csv, row, (size_t)predicted), &test->predicted_ms) ||
            !(test->measured_ms > 0) || !isfinite(test->measured_ms) || !isfinite(test->predicted_ms))
            status = nnm_fail_at(err, NNM_ERR_VALUE, path, csv.line[row], 0,
                                 "True and Pred are '%s' and '%s', need latencies",
                                 nnm_csv_cell(&csv, row, (size_t)measured), nnm_csv_cell(&csv, row, (size_t)predicted));
        test->size =
            read_config(kernel, &csv, row, &test->config) ? nnm_gather_size(kernel, &test->config) : (double)NAN;
    }
    if (status == NNM_OK) {
        *tests = found;
        *count = csv.rows;
        found = NULL;
    }
    free(found);
    nnm_csv_fini(&csv);
    return status;
}

static nnm_status measure_tests(const nnm_report_test *tests, size_t count, nnm_metrics *out, nnm_error *err)
{
    double *measured = nnm_calloc(2 * count, sizeof *measured), *predicted = measured + count;
    if (!measured) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        measured[i] = tests[i].measured_ms;
        predicted[i] = tests[i].predicted_ms;
    }
    nnm_status status = nnm_metrics_compute(out, measured, predicted, count, err);
    free(measured);
    return status;
}

/* How surely the rows of a test are those of the predictor that is shown. */
typedef enum test_rank {
    OF_ANOTHER = 1, /* the latest one that there is */
    OF_ITS_MARK,
    OF_ITS_SUMMARY /* its file tells the same figures */
} test_rank;

static test_rank rank_of(const nnm_report_kernel *k, const nnm_predictor *predictor, const nnm_report_mark *mark)
{
    const nnm_training_summary *summary = predictor ? nnm_predictor_summary(predictor) : NULL;
    if (summary && summary->test_rows == mark->test.rows && fabs(summary->test.acc10 - mark->test.acc10) < 1e-9 &&
        fabs(summary->test.rmspe - mark->test.rmspe) <= 1e-6 * summary->test.rmspe)
        return OF_ITS_SUMMARY;
    return strcmp(mark->name, k->mark) == 0 ? OF_ITS_MARK : OF_ANOTHER;
}

/* Takes over the rows of a test that are shown, and with them `tests`. */
static void show_tests(nnm_report_kernel *k, const nnm_report_mark *mark, nnm_report_test *tests, size_t count)
{
    free(k->tests);
    k->tests = tests;
    k->test_count = count;
    k->tested = k->row.test = mark->test;
    snprintf(k->test, sizeof k->test, "%s", mark->name);
}

/* Every test becomes figures of its mark; the rows that most surely test the predictor stay. */
static nnm_status add_tests(nnm_gather *g, nnm_report_kernel *k, const nnm_predictor *predictor, nnm_error *err)
{
    nnm_found_files files = {0};
    test_rank best = OF_ANOTHER;
    nnm_status status = find(g, k->row.kernel, "/collection", "TestResult_", ".csv", &files, err);
    for (size_t i = 0; i < files.count && status == NNM_OK; i++) {
        nnm_error reason = NNM_ERROR_INIT;
        nnm_report_test *tests = NULL;
        size_t count = 0;
        nnm_report_mark *mark = mark_of(k, &files.items[i]);
        nnm_status read =
            mark ? read_tests(k->kernel, files.items[i].path, &tests, &count, &reason) : nnm_fail_memory(&reason);
        if (read == NNM_OK && count) read = measure_tests(tests, count, &mark->test, &reason);
        status = nnm_gather_note(g, read, &reason, err);
        test_rank rank = read == NNM_OK && count ? rank_of(k, predictor, mark) : 0;
        if (rank >= best) {
            best = rank;
            show_tests(k, mark, tests, count);
            tests = NULL;
        }
        free(tests);
    }
    for (size_t i = 0; i < k->mark_count; i++)
        k->marks[i].set_apart =
            best == OF_ITS_SUMMARY && strcmp(k->marks[i].name, k->test) == 0 && strcmp(k->test, k->mark) != 0;
    nnm_found_files_fini(&files);
    return status;
}

/* ---- the predictor ---- */

/* The one of that kernel type that was written last, and can be read. */
static nnm_status load_latest(nnm_gather *g, nnm_report_kernel *k, const char *kernel, nnm_predictor **out,
                              nnm_error *err)
{
    nnm_found_files files = {0};
    nnm_status status = find(g, kernel, "/predictors", "", ".nnm", &files, err);
    for (size_t i = files.count; i-- > 0 && status == NNM_OK && !*out;) {
        nnm_error reason = NNM_ERROR_INIT;
        nnm_status read = nnm_predictor_load(out, files.items[i].path, &reason);
        status = nnm_gather_note(g, read, &reason, err);
        if (read) continue;
        snprintf(k->row.predictor_path, sizeof k->row.predictor_path, "%s", files.items[i].path);
        snprintf(k->mark, sizeof k->mark, "%s", files.items[i].mark);
        snprintf(k->model, sizeof k->model, "%s", nnm_predictor_model(*out));
    }
    nnm_found_files_fini(&files);
    return status;
}

/* That of the kernel type whose predictor it shares. */
static nnm_status load_shared(nnm_gather *g, nnm_report_kernel *k, nnm_predictor **out, nnm_error *err)
{
    const char *shared = nnm_kernel_predictor(k->kernel);
    if (k->label_count == 0 || strcmp(shared, k->row.kernel) == 0) return NNM_OK;
    nnm_status status = load_latest(g, k, shared, out, err);
    if (*out) snprintf(k->shared, sizeof k->shared, "%s", shared);
    return status;
}

/* What the file of its own predictor tells. */
static void take_summary(nnm_report_kernel *k, const nnm_predictor *predictor)
{
    const nnm_training_summary *summary = nnm_predictor_summary(predictor);
    if (k->shared[0]) return;
    if (summary->test_rows) {
        k->row.test = summary->test;
        k->row.test.rows = summary->test_rows;
    }
    if (k->agreement.pairs < NNM_CEILING_MIN_PAIRS) k->row.noise_ceiling10 = summary->noise_ceiling10;
}

static nnm_status predict_sweep(nnm_gather *g, nnm_report_kernel *k, const nnm_predictor *predictor, nnm_error *err)
{
    nnm_error reason = NNM_ERROR_INIT;
    if (!predictor) {
        snprintf(k->no_sweep, sizeof k->no_sweep, "There is no predictor yet.");
        return NNM_OK;
    }
    nnm_status status = nnm_gather_sweep(nnm_workspace_registry(g->builder->workspace), k, predictor, &reason);
    if (status) snprintf(k->no_sweep, sizeof k->no_sweep, "%s", reason.message);
    if (status == NNM_ERR_TOO_FEW_ROWS) return NNM_OK; /* that is no fault of a file */
    return nnm_gather_note(g, status, &reason, err);
}

nnm_status nnm_gather_kernel(nnm_gather *g, nnm_report_kernel *k, nnm_error *err)
{
    nnm_predictor *predictor = NULL;
    k->agreement.ceiling10 = NAN;
    nnm_status status = load_latest(g, k, k->row.kernel, &predictor, err);
    if (status == NNM_OK) status = nnm_gather_measured(g, k, err);
    if (status == NNM_OK) status = add_configs(g, k, err);
    if (status == NNM_OK) status = add_tests(g, k, predictor, err);
    if (status == NNM_OK && !predictor) status = load_shared(g, k, &predictor, err);
    if (k->mark_count) qsort(k->marks, k->mark_count, sizeof *k->marks, by_time);
    if (k->label_count > k->row.profiled) k->row.profiled = k->label_count;
    k->row.noise_ceiling10 = k->agreement.ceiling10;
    if (predictor) take_summary(k, predictor);
    if (status == NNM_OK) status = predict_sweep(g, k, predictor, err);
    nnm_predictor_free(predictor);
    return status;
}
