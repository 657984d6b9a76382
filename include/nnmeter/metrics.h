/*
 * How good predictions are: RMSE, RMSPE, and the share of rows within a relative error; and how good they can be at
 * all, given how far labels that were measured twice agree.
 */
#ifndef NNMETER_METRICS_H
#define NNMETER_METRICS_H

#include "nnmeter/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nnm_metrics {
    size_t rows;
    double rmse;  /* root mean squared error, in the unit of the latencies */
    double rmspe; /* root mean squared relative error |measured - predicted| / measured, a fraction */
    double mean_relative_error;
    double acc5, acc10, acc15; /* share of rows with a relative error <= 5, 10, 15 %, a fraction */
} nnm_metrics;

/* Errors: TOO_FEW_ROWS (rows is 0), VALUE (row of a measured value that is not finite and > 0, or of a prediction
 * that is not finite). */
NNM_NODISCARD NNM_API nnm_status nnm_metrics_compute(nnm_metrics *out, const double *measured, const double *predicted,
                                                     size_t rows, nnm_error *err);

/* How far repeated labels agree, and the ceiling that sets for the accuracy of any predictor.
 *
 * Two labels agree within 10 % when the larger one is at most 10 % above the smaller one. The ceiling is the share of
 * rows that a predictor which knows the true latencies would get right within 10 %: a label's own error is taken to be
 * the difference of the two, as logarithms, over the square root of 2. An error that both labels share is not seen, so
 * the true ceiling may be lower. From fewer than NNM_CEILING_MIN_PAIRS pairs no ceiling is derived. What is not known
 * is NaN. */
#define NNM_CEILING_MIN_PAIRS 20
typedef struct nnm_agreement {
    size_t pairs;
    double agree5, agree10; /* share of the pairs that agree within 5, 10 % */
    double ceiling5, ceiling10;
    double ceiling10_low, ceiling10_high; /* 95 % interval, for there are few pairs (Wilson's) */
} nnm_agreement;

/* `first` and `second` hold the two labels of each pair. No pairs are fine. Errors: VALUE (a label that is not finite
 * and > 0). */
NNM_NODISCARD NNM_API nnm_status nnm_agreement_compute(nnm_agreement *out, const double *first, const double *second,
                                                       size_t pairs, nnm_error *err);

#ifdef __cplusplus
}
#endif

#endif
