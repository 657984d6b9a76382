#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "learn/predictor_model.h"

#define MIN_INTERVAL_ROWS 20

static const char *const kind_names[] = {[NNM_MODEL_RANDOM_FOREST] = "random_forest", [NNM_MODEL_BEST] = "best"};

const char *nnm_model_kind_name(nnm_model_kind kind)
{
    return kind_names[kind];
}

nnm_status nnm_model_kind_find(nnm_model_kind *out, const char *name, nnm_error *err)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++) {
        if (strcmp(kind_names[i], name) != 0) continue;
        *out = (nnm_model_kind)i;
        return NNM_OK;
    }
    return nnm_fail(err, NNM_ERR_VALUE, "the model '%s' is not known; allowed are random_forest and best", name);
}

static int compare_names(const void *left, const void *right)
{
    const char *const *a = *(const char *const *const *)left, *const *b = *(const char *const *const *)right;
    int order = strcmp(*a, *b);
    return order ? order : (a > b) - (a < b);
}

size_t nnm_find_bad_feature_name(const char *const *names, size_t count, bool *failed)
{
    const char *const **sorted = nnm_calloc(count, sizeof *sorted);
    if (!sorted) {
        *failed = true;
        return count;
    }
    size_t bad = count;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &names[i];
        if (bad == count && *names[i] == 0) bad = i;
    }
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < count && bad == count; i++) {
        if (strcmp(*sorted[i - 1], *sorted[i]) == 0) bad = (size_t)(sorted[i] - names);
    }
    free(sorted);
    return bad;
}

static nnm_status check_names(const char *kernel_type, const nnm_dataset *data, nnm_error *err)
{
    nnm_status code = NNM_ERR_INVALID_ARGUMENT;
    if (strlen(kernel_type) >= NNM_KERNEL_TYPE_BYTES)
        return nnm_fail(err, code, "the kernel type '%s' has more than %d bytes", kernel_type,
                        NNM_KERNEL_TYPE_BYTES - 1);
    for (size_t i = 0; i < data->columns; i++) {
        if (strlen(data->feature_names[i]) >= NNM_FEATURE_NAME_BYTES)
            return nnm_fail(err, code, "the feature name '%s' has more than %d bytes", data->feature_names[i],
                            NNM_FEATURE_NAME_BYTES - 1);
    }
    bool failed = false;
    size_t bad = nnm_find_bad_feature_name(data->feature_names, data->columns, &failed);
    if (failed) return nnm_fail_memory(err);
    if (bad == data->columns) return NNM_OK;
    if (!*data->feature_names[bad]) return nnm_fail(err, code, "the name of feature %zu is empty", bad + 1);
    return nnm_fail(err, code, "two features are named '%s'", data->feature_names[bad]);
}

static nnm_status check_latencies(const nnm_dataset *data, nnm_error *err)
{
    for (size_t row = 0; row < data->rows; row++) {
        if (!(isfinite(data->y[row]) && data->y[row] > 0))
            return nnm_fail(err, NNM_ERR_VALUE, "row %zu: the latency %g is not a finite number > 0", row + 1,
                            data->y[row]);
    }
    return NNM_OK;
}

static nnm_status copy_features(nnm_predictor *p, const nnm_dataset *data, nnm_error *err)
{
    p->features = nnm_calloc(data->columns, sizeof *p->features);
    if (!p->features) return nnm_fail_memory(err);
    p->feature_count = data->columns;
    for (size_t i = 0; i < data->columns; i++) {
        nnm_feature *feature = &p->features[i];
        feature->name = nnm_strdup(data->feature_names[i]);
        if (!feature->name) return nnm_fail_memory(err);
        feature->minimum = feature->maximum = data->x[i];
        for (size_t row = 1; row < data->rows; row++) {
            feature->minimum = fmin(feature->minimum, data->x[row * data->columns + i]);
            feature->maximum = fmax(feature->maximum, data->x[row * data->columns + i]);
        }
    }
    return NNM_OK;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Linear between the neighbours in order. */
static double quantile(const double *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count) return sorted[count - 1];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

static nnm_status set_ratios(nnm_predictor *p, const nnm_dataset *data, nnm_error *err)
{
    p->lower_ratio = p->upper_ratio = (double)NAN;
    const double *predicted = nnm_forest_oob_prediction(p->forest);
    if (!predicted) return NNM_OK;
    double *ratios = nnm_calloc(data->rows, sizeof *ratios);
    if (!ratios) return nnm_fail_memory(err);
    size_t count = 0;
    for (size_t row = 0; row < data->rows; row++) {
        if (isnan(predicted[row]) || (data->weight && !(data->weight[row] > 0))) continue;
        ratios[count++] = data->y[row] / predicted[row];
    }
    if (count >= MIN_INTERVAL_ROWS) {
        qsort(ratios, count, sizeof *ratios, compare_doubles);
        p->lower_ratio = quantile(ratios, count, 0.05);
        p->upper_ratio = quantile(ratios, count, 0.95);
    }
    free(ratios);
    return NNM_OK;
}

static void describe_training(nnm_predictor *p, const nnm_dataset *data)
{
    nnm_training_summary *s = &p->summary;
    s->rows = data->rows;
    s->oob_score = p->forest ? nnm_forest_oob_score(p->forest) : (double)NAN;
    s->noise_ceiling10 = (double)NAN;
    s->latency_min_ms = s->latency_max_ms = data->y[0];
    for (size_t row = 1; row < data->rows; row++) {
        s->latency_min_ms = fmin(s->latency_min_ms, data->y[row]);
        s->latency_max_ms = fmax(s->latency_max_ms, data->y[row]);
    }
}

static nnm_status fit_forest(nnm_predictor *p, const nnm_dataset *data, const nnm_predictor_options *options,
                             nnm_error *err)
{
    nnm_forest_options forest = options->forest;
    forest.seed = options->seed;
    forest.threads = options->threads;
    forest.listener = options->listener;
    nnm_status status =
        nnm_forest_fit(&p->forest, data->x, data->y, data->weight, data->rows, data->columns, &forest, err);
    return status ? status : set_ratios(p, data, err);
}

static nnm_status check_numbers(const nnm_dataset *data, nnm_error *err)
{
    bool counts = !data->weight;
    for (size_t row = 0; row < data->rows; row++) {
        for (size_t column = 0; column < data->columns; column++) {
            double value = data->x[row * data->columns + column];
            if (!isfinite(value))
                return nnm_fail(err, NNM_ERR_VALUE, "row %zu, column %zu: %g is not a finite number", row + 1,
                                column + 1, value);
        }
        if (!data->weight) continue;
        if (!(isfinite(data->weight[row]) && data->weight[row] >= 0))
            return nnm_fail(err, NNM_ERR_VALUE, "row %zu: the weight %g is not a finite number >= 0", row + 1,
                            data->weight[row]);
        counts = counts || data->weight[row] > 0;
    }
    if (counts) return NNM_OK;
    return nnm_fail(err, NNM_ERR_VALUE, "none of the %zu rows has a weight above zero", data->rows);
}

static nnm_status fit_best(nnm_predictor *p, const nnm_dataset *data, const nnm_predictor_options *options,
                           nnm_error *err)
{
    if (data->rows == 0 || data->columns == 0)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "a predictor needs at least one row and one column");
    nnm_status status = check_numbers(data, err);
    if (status) return status;
    return nnm_best_fit(&p->best, data, options->seed, options->threads, options->listener, err);
}

nnm_status nnm_predictor_fit(nnm_predictor **out, const char *kernel_type, const nnm_dataset *data,
                             const nnm_predictor_options *options, nnm_error *err)
{
    static const nnm_predictor_options defaults = NNM_PREDICTOR_OPTIONS_INIT;
    if (!options) options = &defaults;
    nnm_status status = check_names(kernel_type, data, err);
    if (!status) status = check_latencies(data, err);
    if (status) return status;

    nnm_predictor *p = nnm_calloc(1, sizeof *p);
    if (!p) return nnm_fail_memory(err);
    memcpy(p->kernel_type, kernel_type, strlen(kernel_type) + 1);
    p->model = options->model;
    status = p->model == NNM_MODEL_BEST ? fit_best(p, data, options, err) : fit_forest(p, data, options, err);
    if (!status) status = copy_features(p, data, err);
    if (status) {
        nnm_predictor_free(p);
        return status;
    }
    describe_training(p, data);
    *out = p;
    return NNM_OK;
}

void nnm_predictor_free(nnm_predictor *p)
{
    if (!p) return;
    for (size_t i = 0; p->features && i < p->feature_count; i++)
        free(p->features[i].name);
    free(p->features);
    nnm_forest_free(p->forest);
    nnm_best_free(p->best);
    free(p);
}

void nnm_predictor_set_summary(nnm_predictor *p, const nnm_training_summary *summary)
{
    nnm_training_summary fitted = p->summary;
    p->summary = *summary;
    if (p->summary.rows < fitted.rows) p->summary.rows = fitted.rows;
    p->summary.latency_min_ms = fitted.latency_min_ms;
    p->summary.latency_max_ms = fitted.latency_max_ms;
}

const nnm_training_summary *nnm_predictor_summary(const nnm_predictor *p)
{
    return &p->summary;
}

/* Ranges of both signs and single values are treated alike: beyond the range by more than half the minimum's or all of
 * the maximum's magnitude. */
static bool is_far_outside(const nnm_feature *feature, double value)
{
    return value < feature->minimum - fabs(feature->minimum) / 2 || value > feature->maximum + fabs(feature->maximum);
}

static void find_extrapolation(const nnm_predictor *p, const double *x, nnm_prediction *out)
{
    for (size_t i = 0; i < p->feature_count; i++) {
        if (!is_far_outside(&p->features[i], x[i])) continue;
        out->extrapolated = true;
        out->extrapolated_feature = (uint32_t)i;
        out->extrapolated_value = x[i];
        return;
    }
}

char *nnm_prediction_explain(const nnm_predictor *p, const nnm_prediction *prediction, char *text, size_t bytes)
{
    if (bytes) *text = '\0';
    if (!prediction->extrapolated) return text;
    const nnm_feature *feature = &p->features[prediction->extrapolated_feature];
    char value[32], low[32], high[32];
    nnm_format_double(prediction->extrapolated_value, value, sizeof value);
    nnm_format_double(feature->minimum, low, sizeof low);
    nnm_format_double(feature->maximum, high, sizeof high);
    bool single = feature->minimum == feature->maximum;
    snprintf(text, bytes, "%s is %s, trained on %s%s%s", feature->name, value, low, single ? " only" : " to ",
             single ? "" : high);
    return text;
}

#define BLOCK 2048

static void predict_forest(const nnm_predictor *p, const double *x, size_t rows, nnm_prediction *out)
{
    double latency[BLOCK];
    for (size_t done = 0; done < rows; done += BLOCK) {
        size_t count = rows - done < BLOCK ? rows - done : BLOCK;
        nnm_forest_predict(p->forest, x + done * p->feature_count, count, latency);
        for (size_t i = 0; i < count; i++)
            out[done + i] = (nnm_prediction){.latency_ms = latency[i],
                                             .lower_ms = latency[i] * p->lower_ratio,
                                             .upper_ms = latency[i] * p->upper_ratio};
    }
}

/* By how many doublings a row lies beyond the training range of the feature that is farthest out. */
static double doublings_beyond(const nnm_predictor *p, const double *x)
{
    double farthest = 1;
    for (size_t i = 0; i < p->feature_count; i++) {
        const nnm_feature *f = &p->features[i];
        if (f->minimum > 0 && x[i] > 0 && x[i] < f->minimum) farthest = fmax(farthest, f->minimum / x[i]);
        if (f->maximum > 0 && x[i] > f->maximum) farthest = fmax(farthest, x[i] / f->maximum);
    }
    return log2(fmin(farthest, 1e30));
}

static void predict_best(const nnm_predictor *p, const double *x, size_t rows, nnm_prediction *out)
{
    for (size_t row = 0; row < rows; row++, x += p->feature_count) {
        nnm_best_answer answer = nnm_best_predict(p->best, x);
        double width = answer.width * (1 + doublings_beyond(p, x));
        out[row] = (nnm_prediction){.latency_ms = exp(answer.log_latency),
                                    .lower_ms = exp(answer.log_latency + p->best->lower * width),
                                    .upper_ms = exp(answer.log_latency + p->best->upper * width)};
    }
}

void nnm_predictor_predict(const nnm_predictor *p, const double *x, size_t rows, nnm_prediction *out)
{
    if (p->model == NNM_MODEL_BEST)
        predict_best(p, x, rows, out);
    else
        predict_forest(p, x, rows, out);
    for (size_t row = 0; row < rows; row++)
        find_extrapolation(p, x + row * p->feature_count, &out[row]);
}

const char *nnm_predictor_kernel_type(const nnm_predictor *p)
{
    return p->kernel_type;
}

const char *nnm_predictor_model(const nnm_predictor *p)
{
    return nnm_model_kind_name(p->model);
}

size_t nnm_predictor_feature_count(const nnm_predictor *p)
{
    return p->feature_count;
}

const char *nnm_predictor_feature_name(const nnm_predictor *p, size_t index)
{
    return p->features[index].name;
}

void nnm_predictor_feature_range(const nnm_predictor *p, size_t index, double *minimum, double *maximum)
{
    *minimum = p->features[index].minimum;
    *maximum = p->features[index].maximum;
}
