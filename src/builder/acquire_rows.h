/*
 * Choosing rows of a feature table to measure: what nnm_acquire does with candidate configurations, and a bench with
 * the rows of a table that somebody else measured.
 */
#ifndef NNM_BUILDER_ACQUIRE_ROWS_H
#define NNM_BUILDER_ACQUIRE_ROWS_H

#include "builder/acquire.h"
#include "builder/features.h"

/* A feature table: of rows that were measured, or of candidates. Only read. */
typedef struct nnm_acquire_rows {
    const nnm_features *features; /* columns and what they count; labels of the known ones */
    const size_t *rows;
    size_t count;
    const double *seconds; /* of the known ones; NULL: not known */
} nnm_acquire_rows;

typedef enum nnm_acquire_worth {
    W_ONE,
    W_BAD,
    W_SLOPE,
    W_SPREAD
} nnm_acquire_worth;
typedef struct nnm_acquire_tuning {
    nnm_acquire_worth worth;
    int greedy;       /* 0: top scores; 1: facility; 2: sampling by worth */
    double sharpness; /* power of similarity */
    size_t reference;
} nnm_acquire_tuning;
extern nnm_acquire_tuning nnm_tuning;

/* Chooses up to `num` of the candidates. The first `reference` of them are spread as the prior is: the predictor has to
 * be good for these. `chosen` has room for `num` and gets places in candidates->rows, best first. */
NNM_NODISCARD nnm_status nnm_acquire_choose(size_t *chosen, size_t *chosen_count, const nnm_acquire_rows *known,
                                            const nnm_acquire_rows *candidates, size_t reference, size_t num,
                                            const nnm_acquire_options *options, uint64_t seed,
                                            nnm_acquire_outlook *outlook, nnm_error *err);

/* The seconds that measuring a kernel of such a latency takes with the protocol's defaults. */
double nnm_acquire_seconds(double latency_ms);

#endif
