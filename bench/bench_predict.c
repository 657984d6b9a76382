/*
 * Time of predictions, ours beside ONNX Runtime's with the exported model, both on one thread.
 *
 *     bench_predict KERNEL TABLE.csv TARGET [ROWS]
 *
 * Fits each model to the ROWS rows of the table (1,000, drawn at random), then times single rows and a batch of 10,000.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "builder/fit.h"
#include "builder/onnx_features.h"
#include "unit/onnx_rows.h"

#define BATCH 10000
#define SECONDS 0.5

typedef struct rows {
    double *ours;  /* BATCH * features */
    float *theirs; /* BATCH * inputs */
    float answers[BATCH];
    nnm_prediction predictions[BATCH];
    size_t features, inputs;
} rows;

static rows batch;

static nnm_status make_rows(const nnm_features *f, const nnm_onnx_inputs *inputs, nnm_error *err)
{
    batch.features = f->columns;
    batch.inputs = inputs->count;
    batch.ours = nnm_calloc(BATCH, f->columns * sizeof *batch.ours);
    batch.theirs = nnm_calloc(BATCH, inputs->count * sizeof *batch.theirs);
    if (!batch.ours || !batch.theirs) return nnm_fail_memory(err);
    for (size_t i = 0; i < BATCH; i++) {
        const double *x = f->x + i % f->rows * f->columns;
        memcpy(batch.ours + i * f->columns, x, f->columns * sizeof *x);
        for (size_t j = 0; j < inputs->count; j++)
            batch.theirs[i * inputs->count + j] = (float)x[inputs->feature[j]];
    }
    return NNM_OK;
}

/* Microseconds a row, over at least SECONDS; one row a call, or all. */
static double our_time(const nnm_predictor *predictor, size_t rows_a_call)
{
    uint64_t begin = nnm_clock_ns(), now = begin;
    size_t done = 0;
    do {
        size_t row = done % BATCH;
        nnm_predictor_predict(predictor, batch.ours + row * batch.features, rows_a_call, batch.predictions + row);
        done += rows_a_call;
        now = nnm_clock_ns();
    } while ((double)(now - begin) < SECONDS * 1e9);
    return (double)(now - begin) * 1e-3 / (double)done;
}

static nnm_status their_time(onnx_rows *runtime, size_t rows_a_call, double *us, nnm_error *err)
{
    static float row[1024];
    onnx_binding binding;
    float *x = rows_a_call == 1 ? row : batch.theirs;
    nnm_status status = onnx_rows_bind(runtime, &binding, x, rows_a_call, batch.inputs, batch.answers, err);
    uint64_t begin = nnm_clock_ns(), now = begin;
    size_t done = 0;
    while (!status && (double)(now - begin) < SECONDS * 1e9) {
        if (rows_a_call == 1) memcpy(row, batch.theirs + done % BATCH * batch.inputs, batch.inputs * sizeof *row);
        status = onnx_rows_run(runtime, &binding, err);
        done += rows_a_call;
        now = nnm_clock_ns();
    }
    onnx_rows_unbind(runtime, &binding);
    *us = (double)(now - begin) * 1e-3 / (double)done;
    return status;
}

static nnm_status compare(const nnm_predictor *predictor, const nnm_features *features, const char *path,
                          nnm_error *err)
{
    onnx_rows runtime = {0};
    nnm_onnx_inputs inputs = {0};
    double one = 0, many = 0;
    nnm_status status = nnm_onnx_inputs_find(&inputs, predictor, err);
    if (!status) status = make_rows(features, &inputs, err);
    if (!status) status = nnm_export_onnx(predictor, path, err);
    if (!status) status = onnx_rows_open(&runtime, path, err);
    if (!status) status = their_time(&runtime, 1, &one, err);
    if (!status) status = their_time(&runtime, BATCH, &many, err);
    if (!status)
        printf("%-14s %12.2f %16.2f %12.2f %16.2f\n", nnm_predictor_model(predictor), our_time(predictor, 1), one,
               our_time(predictor, BATCH), many);
    onnx_rows_close(&runtime);
    nnm_onnx_inputs_fini(&inputs);
    free(batch.ours);
    free(batch.theirs);
    return status;
}

static nnm_status run_model(nnm_model_kind model, char **arguments, size_t rows_to_fit, nnm_error *err)
{
    char path[] = "/tmp/bench_predict_XXXXXX";
    nnm_features features = {0};
    nnm_predictor *predictor = NULL;
    const nnm_kernel *kernel = NULL;
    size_t *order = NULL;
    nnm_fit_options options = NNM_FIT_OPTIONS_INIT;
    options.model = model;
    int file = mkstemp(path);
    if (file < 0) return nnm_fail_errno(err, "cannot make a file");
    close(file);
    nnm_status status = nnm_kernel_find(&kernel, arguments[0], err);
    if (!status) status = nnm_features_of_csv(&features, arguments[1], kernel, arguments[2], model, NULL, err);
    if (!status) status = nnm_fit_order(&order, &features, options.seed, err);
    if (!status && rows_to_fit > features.rows) rows_to_fit = features.rows;
    if (!status) status = nnm_fit_rows(&predictor, &features, order, rows_to_fit, kernel, &options, err);
    if (!status) status = compare(predictor, &features, path, err);
    unlink(path);
    nnm_predictor_free(predictor);
    nnm_features_fini(&features);
    free(order);
    return status;
}

int main(int argc, char **argv)
{
    nnm_error err = NNM_ERROR_INIT;
    if (argc < 4 || argc > 5) {
        fputs("usage: bench_predict KERNEL TABLE.csv TARGET [ROWS]\n", stderr);
        return 2;
    }
    size_t rows_to_fit = argc == 5 ? strtoul(argv[4], NULL, 10) : 1000;
    printf("microseconds a row, one thread; fitted to %zu rows\n", rows_to_fit);
    printf("model          one row ours  one ONNX Runtime   batch ours batch ONNX Runtime\n");
    if (run_model(NNM_MODEL_RANDOM_FOREST, argv + 1, rows_to_fit, &err) ||
        run_model(NNM_MODEL_BEST, argv + 1, rows_to_fit, &err)) {
        fprintf(stderr, "bench_predict: %s\n", err.message);
        return 1;
    }
    return 0;
}
