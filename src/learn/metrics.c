#include "nnmeter/metrics.h"

#include <math.h>

#include "base/error.h"

nnm_status nnm_metrics_compute(nnm_metrics *out, const double *measured, const double *predicted, size_t rows,
                               nnm_error *err)
{
    if (rows == 0) return nnm_fail(err, NNM_ERR_TOO_FEW_ROWS, "there are no rows to evaluate");
    double square = 0, relative = 0, relative_square = 0;
    size_t within5 = 0, within10 = 0, within15 = 0;
    for (size_t i = 0; i < rows; i++) {
        if (!(isfinite(measured[i]) && measured[i] > 0))
            return nnm_fail(err, NNM_ERR_VALUE, "row %zu: the measured value %g is not a finite number > 0", i + 1,
                            measured[i]);
        if (!isfinite(predicted[i]))
            return nnm_fail(err, NNM_ERR_VALUE, "row %zu: the prediction %g is not a finite number", i + 1,
                            predicted[i]);
        double error = fabs(measured[i] - predicted[i]);
        double share = error / measured[i];
        square += error * error;
        relative += share;
        relative_square += share * share;
        within5 += share <= 0.05;
        within10 += share <= 0.10;
        within15 += share <= 0.15;
    }
    double n = (double)rows;
    *out = (nnm_metrics){
        .rows = rows,
        .rmse = sqrt(square / n),
        .rmspe = sqrt(relative_square / n),
        .mean_relative_error = relative / n,
        .acc5 = (double)within5 / n,
        .acc10 = (double)within10 / n,
        .acc15 = (double)within15 / n,
    };
    return NNM_OK;
}
