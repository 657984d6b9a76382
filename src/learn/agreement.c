#include <math.h>
#include <stdbool.h>

#include "base/error.h"
#include "nnmeter/metrics.h"

#define NORMAL_95 1.959963984540054 /* of a normal distribution, 95 % lie within so many standard deviations */

/* Whether a label with this error, as a logarithm, is within `share` of a prediction that has none. */
static bool is_within(double error, double share)
{
    return fabs(exp(error) - 1.0) <= share;
}

/* Which label of a pair came first must not matter, so each pair counts half in either order. */
static double ceiling(const double *first, const double *second, size_t pairs, double share)
{
    double within = 0;
    for (size_t i = 0; i < pairs; i++) {
        double error = log(first[i] / second[i]) / sqrt(2.0);
        within += 0.5 * is_within(error, share) + 0.5 * is_within(-error, share);
    }
    return within / (double)pairs;
}

/* Wilson's interval for a share that was seen in `count` cases. */
static void find_interval(double share, size_t count, double *low, double *high)
{
    double n = (double)count, z2 = NORMAL_95 * NORMAL_95;
    double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
    double half = NORMAL_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n);
    *low = fmax(centre - half, 0);
    *high = fmin(centre + half, 1);
}

nnm_status nnm_agreement_compute(nnm_agreement *out, const double *first, const double *second, size_t pairs,
                                 nnm_error *err)
{
    const double unknown = (double)NAN;
    nnm_agreement a = {pairs, unknown, unknown, unknown, unknown, unknown, unknown};
    size_t within5 = 0, within10 = 0;
    for (size_t i = 0; i < pairs; i++) {
        for (int which = 0; which < 2; which++) {
            double label = which ? second[i] : first[i];
            if (!(isfinite(label) && label > 0))
                return nnm_fail(err, NNM_ERR_VALUE, "pair %zu: the label %g is not a finite number > 0", i + 1, label);
        }
        double apart = fabs(first[i] - second[i]) / fmin(first[i], second[i]);
        within5 += apart <= 0.05;
        within10 += apart <= 0.10;
    }
    if (pairs) {
        a.agree5 = (double)within5 / (double)pairs;
        a.agree10 = (double)within10 / (double)pairs;
    }
    if (pairs >= NNM_CEILING_MIN_PAIRS) {
        a.ceiling5 = ceiling(first, second, pairs, 0.05);
        a.ceiling10 = ceiling(first, second, pairs, 0.10);
        find_interval(a.ceiling10, pairs, &a.ceiling10_low, &a.ceiling10_high);
    }
    *out = a;
    return NNM_OK;
}
