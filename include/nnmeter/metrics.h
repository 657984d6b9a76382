/*
 * How good predictions are: RMSE, RMSPE, and the share of rows within a relative error.
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

#ifdef __cplusplus
}
#endif

#endif
