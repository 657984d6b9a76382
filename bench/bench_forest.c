/*
 * Fits and times random forests on a table, for bench_forest.py, which does the same with scikit-learn.
 *
 *     bench_forest table FILE ROWS SEED     writes a synthetic table of convolutions
 *     bench_forest run FILE TRAIN_ROWS TEST_ROWS TREES DEPTH THREADS SEED
 *
 * The last column of the table is the target, the last TEST_ROWS rows are held out. Prints one line of JSON.
 */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/rng.h"
#include "learn/forest_file.h"
#include "nnmeter/predictor.h"

static const double sizes[] = {1, 3, 7, 8, 13, 14, 27, 28, 32, 56, 112, 224};

static double pick(nnm_rng *rng, const double *values, size_t count)
{
    return values[nnm_rng_below(rng, count)];
}

/* Like a convolution: a roofline, channels in tiles of 8, and 3 % of noise. */
static double latency_ms(const double *c, double flops, double parameters, nnm_rng *rng)
{
    double padded = flops * (ceil(c[1] / 8) * 8 / c[1]) * (ceil(c[2] / 8) * 8 / c[2]);
    double bytes = 4 * (c[0] * c[0] * (c[1] + c[2] / (c[4] * c[4])) + parameters);
    double noise = 1 + 0.03 * (nnm_rng_uniform(rng) + nnm_rng_uniform(rng) + nnm_rng_uniform(rng) - 1.5) * 2;
    return (fmax(padded / 6e10, bytes / 1.2e10) * 1e3 + 0.004) * noise;
}

static int write_table(const char *path, size_t rows, uint64_t seed)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        fprintf(stderr, "cannot write '%s'\n", path);
        return 1;
    }
    static const double kernels[] = {1, 3, 5, 7}, strides[] = {1, 1, 2, 4};
    nnm_rng rng;
    nnm_rng_init(&rng, seed, 0);
    fprintf(file, "HW,CIN,COUT,KERNEL_SIZE,STRIDES,FLOPS,PARAMETERS,latency_ms\n");
    for (size_t row = 0; row < rows; row++) {
        double c[5] = {pick(&rng, sizes, 12), floor(exp2(2 + 8.5 * nnm_rng_uniform(&rng))),
                       floor(exp2(2 + 8.5 * nnm_rng_uniform(&rng))), pick(&rng, kernels, 4), pick(&rng, strides, 4)};
        double out = ceil(c[0] / c[4]);
        double parameters = (c[1] * c[3] * c[3] + 1) * c[2];
        double flops = 2 * out * out * parameters;
        fprintf(file, "%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.6g\n", c[0], c[1], c[2], c[3], c[4], flops, parameters,
                latency_ms(c, flops, parameters, &rng));
    }
    if (fclose(file) == 0) return 0;
    fprintf(stderr, "cannot write '%s'\n", path);
    return 1;
}

typedef struct matrix {
    double *x, *y;
    size_t rows, columns;
} matrix;

static nnm_status read_matrix(matrix *m, const char *path, nnm_error *err)
{
    nnm_csv csv = {0};
    nnm_status status = nnm_csv_read(&csv, path, err);
    if (status) return status;
    m->rows = csv.rows;
    m->columns = csv.columns - 1;
    m->x = nnm_calloc(m->rows * m->columns, sizeof *m->x);
    m->y = nnm_calloc(m->rows, sizeof *m->y);
    if (!m->x || !m->y) status = nnm_fail_memory(err);
    for (size_t row = 0; row < csv.rows && !status; row++) {
        for (size_t column = 0; column < csv.columns && !status; column++) {
            const char *cell = nnm_csv_cell(&csv, row, column);
            double *to = column < m->columns ? &m->x[row * m->columns + column] : &m->y[row];
            if (strcmp(cell, "valid") == 0 || strcmp(cell, "same") == 0)
                *to = *cell == 'v';
            else if (!nnm_parse_double(cell, to))
                status = nnm_fail_at(err, NNM_ERR_PARSE, path, csv.line[row], 0, "'%s' is not a number", cell);
        }
    }
    nnm_csv_fini(&csv);
    return status;
}

static double seconds_since(uint64_t start_ns)
{
    return (double)(nnm_clock_ns() - start_ns) * 1e-9;
}

static long peak_kib(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

#define BATCH_ROWS 100000

/* Seconds for a batch made of the test rows again and again. */
static nnm_status time_batch(const nnm_forest *forest, const double *x, size_t test, double *seconds, nnm_error *err)
{
    size_t columns = nnm_forest_columns(forest);
    double *batch = nnm_calloc(BATCH_ROWS * columns, sizeof *batch);
    double *predicted = nnm_calloc(BATCH_ROWS, sizeof *predicted);
    nnm_status status = batch && predicted ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; i < BATCH_ROWS && !status; i++)
        memcpy(batch + i * columns, x + i % test * columns, columns * sizeof *x);
    uint64_t start = nnm_clock_ns();
    if (!status) nnm_forest_predict(forest, batch, BATCH_ROWS, predicted);
    *seconds = seconds_since(start);
    free(batch);
    free(predicted);
    return status;
}

static nnm_status measure(const nnm_forest *forest, const matrix *m, size_t test, double fit_s, long fit_kib,
                          nnm_error *err)
{
    const double *x = m->x + (m->rows - test) * m->columns;
    double *predicted = nnm_calloc(test, sizeof *predicted), batch_s = 0;
    nnm_metrics metrics = {0};
    nnm_buffer file = {0};
    nnm_status status = predicted ? time_batch(forest, x, test, &batch_s, err) : nnm_fail_memory(err);
    if (!status) status = nnm_forest_put(forest, &file, err);
    if (!status) {
        nnm_forest_predict(forest, x, test, predicted);
        status = nnm_metrics_compute(&metrics, m->y + (m->rows - test), predicted, test, err);
    }
    if (!status) {
        size_t singles = test < 1000 ? test : 1000;
        uint64_t start = nnm_clock_ns();
        for (size_t i = 0; i < singles; i++)
            nnm_forest_predict(forest, x + i * m->columns, 1, predicted);
        double row_s = seconds_since(start) / (double)singles;
        printf("{\"fit_s\": %.6f, \"row_us\": %.3f, \"batch_row_us\": %.3f, \"acc10\": %.6f, \"oob_score\": %.6f, "
               "\"nodes\": %zu, \"file_mb\": %.3f, \"fit_mb\": %.1f}\n",
               fit_s, row_s * 1e6, batch_s / BATCH_ROWS * 1e6, metrics.acc10, nnm_forest_oob_score(forest),
               nnm_forest_node_count(forest), (double)file.size / 1e6, (double)fit_kib * 1024 / 1e6);
    }
    nnm_buffer_fini(&file);
    free(predicted);
    return status;
}

static nnm_status run(const matrix *m, size_t train, size_t test, const nnm_forest_options *options, nnm_error *err)
{
    nnm_forest *forest;
    long before_kib = peak_kib();
    uint64_t start = nnm_clock_ns();
    nnm_status status = nnm_forest_fit(&forest, m->x, m->y, NULL, train, m->columns, options, err);
    if (status) return status;
    double fit_s = seconds_since(start);
    status = measure(forest, m, test, fit_s, peak_kib() - before_kib, err);
    nnm_forest_free(forest);
    return status;
}

/* In a process of its own, whose peak of memory is not that of reading the table. */
static nnm_status run_apart(const matrix *m, size_t train, size_t test, const nnm_forest_options *options,
                            nnm_error *err)
{
    malloc_trim(0);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) return nnm_fail_errno(err, "cannot start a process");
    if (child == 0) {
        nnm_status status = run(m, train, test, options, err);
        if (status) fprintf(stderr, "%s: %s\n", nnm_status_name(status), err->message);
        _exit(fflush(stdout) || status ? 1 : 0);
    }
    int ended = 0;
    if (waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 0) return NNM_OK;
    return nnm_fail(err, NNM_ERR_IO, "the measurement failed");
}

int main(int argc, char **argv)
{
    uint64_t number[8] = {0};
    for (int i = 3; i < argc && i < 9; i++)
        if (!nnm_parse_uint64(argv[i], &number[i - 3])) argc = 0;
    if (argc == 5 && strcmp(argv[1], "table") == 0) return write_table(argv[2], number[0], number[1]);
    if (argc != 9 || strcmp(argv[1], "run") != 0) {
        fprintf(stderr, "usage: bench_forest table FILE ROWS SEED\n"
                        "       bench_forest run FILE TRAIN_ROWS TEST_ROWS TREES DEPTH THREADS SEED\n");
        return 2;
    }
    nnm_error err = NNM_ERROR_INIT;
    matrix m = {0};
    nnm_forest_options options = NNM_FOREST_OPTIONS_INIT;
    options.trees = number[2];
    options.max_depth = number[3];
    options.threads = (unsigned)number[4];
    options.seed = number[5];
    nnm_status status = read_matrix(&m, argv[2], &err);
    if (!status && number[0] + number[1] > m.rows)
        status = nnm_fail(&err, NNM_ERR_TOO_FEW_ROWS, "the table has only %zu rows", m.rows);
    if (!status) status = run_apart(&m, number[0], number[1], &options, &err);
    if (status) fprintf(stderr, "%s: %s\n", nnm_status_name(status), err.message);
    free(m.x);
    free(m.y);
    return status ? 1 : 0;
}
