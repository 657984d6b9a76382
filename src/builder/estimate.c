#include "builder/estimate.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

#define FOLDS 5
#define LEAST_FIRST 10 /* with fewer, a share within 10 % says nothing */

typedef struct estimate {
    const nnm_kernel_data *data;
    const nnm_fit_options *options;
    nnm_features features;
    size_t *first; /* rows of first kernels, in random order */
    size_t first_count;
    size_t *fold; /* of each row */
    size_t *train, *test;
    double *measured, *predicted;
    size_t tested;
} estimate;

/* How far two configurations are apart: twice as many channels are as far as half as many. */
static double distance(const nnm_kernel *kernel, const nnm_kernel_config *a, const nnm_kernel_config *b)
{
    double sum = 0;
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
        double difference = log2(1.0 + (double)a->value[i]) - log2(1.0 + (double)b->value[i]);
        sum += difference * difference;
    }
    return sum;
}

static const nnm_kernel_config *config_of(const estimate *e, size_t row)
{
    return &e->data->records[e->features.source[row]].config;
}

static size_t fold_of_nearest(const estimate *e, size_t row)
{
    size_t nearest = 0;
    double least = HUGE_VAL;
    for (size_t i = 0; i < e->first_count; i++) {
        double far = distance(e->data->kernel, config_of(e, row), config_of(e, e->first[i]));
        if (far < least) {
            least = far;
            nearest = e->first[i];
        }
    }
    return e->fold[nearest];
}

static nnm_status prepare(estimate *e, const bool *is_first, nnm_error *err)
{
    const nnm_features *f = &e->features;
    size_t *order = NULL;
    e->first = nnm_calloc(f->rows, sizeof *e->first);
    e->fold = nnm_calloc(f->rows, sizeof *e->fold);
    e->train = nnm_calloc(f->rows, sizeof *e->train);
    e->test = nnm_calloc(f->rows, sizeof *e->test);
    e->measured = nnm_calloc(f->rows, sizeof *e->measured);
    e->predicted = nnm_calloc(f->rows, sizeof *e->predicted);
    if (!e->first || !e->fold || !e->train || !e->test || !e->measured || !e->predicted) return nnm_fail_memory(err);
    nnm_status status = nnm_fit_order(&order, f, e->options->seed, err);
    if (status) return status;
    for (size_t i = 0; i < f->rows; i++)
        if (is_first[f->source[order[i]]]) e->first[e->first_count++] = order[i];
    free(order);
    for (size_t i = 0; i < e->first_count; i++)
        e->fold[e->first[i]] = i % FOLDS;
    for (size_t row = 0; row < f->rows && e->first_count; row++)
        if (!is_first[f->source[row]]) e->fold[row] = fold_of_nearest(e, row);
    return NNM_OK;
}

static nnm_status run_fold(estimate *e, size_t fold, nnm_error *err)
{
    const nnm_features *f = &e->features;
    const nnm_hooks *hooks = e->options->hooks;
    if (hooks && hooks->interrupted && hooks->interrupted(hooks->context))
        return nnm_fail(err, NNM_ERR_INTERRUPTED, "interrupted; what was done so far is kept");
    size_t train = 0, test = 0;
    for (size_t row = 0; row < f->rows; row++)
        if (e->fold[row] != fold) e->train[train++] = row;
    for (size_t i = fold; i < e->first_count; i += FOLDS)
        e->test[test++] = e->first[i];
    nnm_predictor *predictor = NULL;
    nnm_status status = nnm_fit_rows(&predictor, f, e->train, train, e->data->kernel, e->options, err);
    if (status == NNM_OK) status = nnm_fit_predict(predictor, f, e->test, test, e->predicted + e->tested, err);
    for (size_t i = 0; i < test; i++)
        e->measured[e->tested + i] = f->y[e->test[i]];
    e->tested += test;
    nnm_predictor_free(predictor);
    return status;
}

nnm_status nnm_estimate(const nnm_kernel_data *data, const bool *is_first, const nnm_fit_options *options,
                        nnm_metrics *out, nnm_error *err)
{
    estimate e = {.data = data, .options = options};
    nnm_metrics metrics = {0};
    nnm_status status = nnm_features_of_data(&e.features, data, options->model, err);
    if (status == NNM_OK) status = prepare(&e, is_first, err);
    for (size_t fold = 0; fold < FOLDS && e.first_count >= LEAST_FIRST && status == NNM_OK; fold++)
        status = run_fold(&e, fold, err);
    if (status == NNM_OK && e.tested) status = nnm_metrics_compute(&metrics, e.measured, e.predicted, e.tested, err);
    if (status == NNM_OK) *out = metrics;
    nnm_features_fini(&e.features);
    free(e.first);
    free(e.fold);
    free(e.train);
    free(e.test);
    free(e.measured);
    free(e.predicted);
    return status;
}
