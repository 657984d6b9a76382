/*
 * What samplers are compared on: a table of kernels that somebody measured, of which rows are chosen, or a simulated
 * device, of which any configuration can be had.
 */
#ifndef NNM_BENCH_SAMPLING_WORLD_H
#define NNM_BENCH_SAMPLING_WORLD_H

#include "backends/simulated_model.h"
#include "base/rng.h"
#include "builder/acquire.h"
#include "builder/fit.h"

typedef struct world {
    char name[96];
    const nnm_kernel *kernel;
    nnm_prior *prior; /* of a simulated device; NULL: a table */
    nnm_simulated_settings device;
    nnm_features table; /* all rows of a table; of a simulated device those that test */
    size_t *order;      /* the rows: first those that test, which are never chosen */
    size_t tests;
    double *place; /* a table's rows in the cube of the logarithms of their parameters */
    size_t dimensions;
} world;

/* A table: CSV with the latencies in `latency_ms` or `latency`. */
NNM_NODISCARD nnm_status world_of_table(world *out, const char *kernel, const char *path, nnm_error *err);
/* A simulated device, by its number, and how many kernels from the prior test. */
NNM_NODISCARD nnm_status world_of_device(world *out, const char *kernel, size_t device, size_t tests, nnm_error *err);
void world_fini(world *w);

/* What one method chose so far, in order. */
typedef struct lab {
    const world *world;
    uint64_t seed;
    size_t limit, count;
    size_t *rows;           /* of lab_features() */
    double *seconds;        /* that measuring took */
    unsigned char *used;    /* of a table: rows that were chosen */
    nnm_config_list chosen; /* on a simulated device: configurations, latencies, features */
    double *latency_ms;
    nnm_features features;
} lab;

NNM_NODISCARD nnm_status lab_init(lab *out, const world *w, uint64_t seed, size_t limit, nnm_error *err);
void lab_fini(lab *l);
const nnm_features *lab_features(const lab *l);

/* Each adds up to `num` kernels, measured, but none beyond the limit. `step` makes streams of random numbers differ. */
NNM_NODISCARD nnm_status lab_add_prior(lab *l, size_t num, uint64_t step, nnm_error *err);
NNM_NODISCARD nnm_status lab_add_sobol(lab *l, size_t num, nnm_error *err); /* evenly over the logarithms */
NNM_NODISCARD nnm_status lab_add_start(lab *l, size_t num, nnm_error *err);
NNM_NODISCARD nnm_status lab_add_acquired(lab *l, size_t num, const nnm_acquire_options *options, uint64_t step,
                                          nnm_error *err);
/* `num` around each of `count` chosen ones. */
NNM_NODISCARD nnm_status lab_add_around(lab *l, const size_t *centres, size_t count, size_t num, uint64_t step,
                                        nnm_error *err);

#endif
