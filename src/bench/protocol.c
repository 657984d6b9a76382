#include <math.h>

#include "base/error.h"
#include "nnmeter/measure.h"

static nnm_status check_range(const char *member, double value, double low, bool low_allowed, double high,
                              nnm_error *err)
{
    bool above = low_allowed ? value >= low : value > low;
    if (isfinite(value) && above && value <= high) return NNM_OK;
    return nnm_fail(err, NNM_ERR_VALUE, "%s is %g, must be a number %s %g and at most %g", member, value,
                    low_allowed ? "from" : "over", low, high);
}

nnm_status nnm_protocol_check(const nnm_protocol *protocol, nnm_error *err)
{
    if (protocol->rounds < 1 || protocol->rounds > NNM_MAX_ROUNDS)
        return nnm_fail(err, NNM_ERR_VALUE, "rounds is %u, must be 1 to %d", protocol->rounds, NNM_MAX_ROUNDS);
    nnm_status status = check_range("warmup_ms", protocol->warmup_ms, 0.0, false, 600e3, err);
    if (status == NNM_OK) status = check_range("sample_us", protocol->sample_us, 0.0, false, 600e6, err);
    if (status == NNM_OK) status = check_range("round_ms", protocol->round_ms, 0.0, false, 600e3, err);
    if (status == NNM_OK) status = check_range("budget_s", protocol->budget_s, 0.0, false, 86400.0, err);
    if (status == NNM_OK) status = check_range("timeout_s", protocol->timeout_s, 0.0, false, 86400.0, err);
    if (status == NNM_OK) status = check_range("gate", protocol->gate, 0.0, true, 10.0, err);
    if (status) return status;
    if (protocol->cpu < -2 || protocol->cpu > 65535)
        return nnm_fail(err, NNM_ERR_VALUE,
                        "cpu is %d, must be the number of a CPU, -1 (chosen when a worker starts) or -2 (not pinned)",
                        protocol->cpu);
    return NNM_OK;
}

/* The value of rank `rank` (0-based) among the rounds' estimates, or among their distances from `*center`. Counts
 * instead of sorting, so that nothing has to be allocated. */
static double ranked(const nnm_round *rounds, size_t count, const double *center, size_t rank)
{
    for (size_t i = 0; i < count; i++) {
        double value = center ? fabs(rounds[i].estimate_ns - *center) : rounds[i].estimate_ns;
        size_t below = 0, equal = 0;
        for (size_t j = 0; j < count; j++) {
            double other = center ? fabs(rounds[j].estimate_ns - *center) : rounds[j].estimate_ns;
            below += other < value;
            equal += other == value;
        }
        if (below <= rank && rank < below + equal) return value;
    }
    return (double)NAN; /* only where an estimate is not a number */
}

static double median(const nnm_round *rounds, size_t count, const double *center)
{
    return 0.5 * (ranked(rounds, count, center, (count - 1) / 2) + ranked(rounds, count, center, count / 2));
}

void nnm_rounds_combine(const nnm_round *rounds, size_t count, double *latency_ns, double *spread_ns)
{
    double center = median(rounds, count, NULL);
    *latency_ns = center;
    if (count < 4) {
        *spread_ns = 0.5 * (ranked(rounds, count, NULL, count - 1) - ranked(rounds, count, NULL, 0));
    } else {
        *spread_ns = 1.4826 * median(rounds, count, &center);
    }
}
