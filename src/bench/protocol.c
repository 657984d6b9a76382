#include <math.h>

#include "base/error.h"
#include "bench/statistics.h"
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
    if (status == NNM_OK) status = check_range("clock_gate", protocol->clock_gate, 0.0, true, 1.0, err);
    if (status == NNM_OK) status = check_range("target_error", protocol->target_error, 0.0, true, 1.0, err);
    if (status == NNM_OK) status = check_range("wait_s", protocol->wait_s, 0.0, true, 86400.0, err);
    if (status == NNM_OK) status = check_range("reference_ns", protocol->reference_ns, 0.0, true, 1e9, err);
    if (status == NNM_OK) status = check_range("reference_clock_ns", protocol->reference_clock_ns, 0.0, true, 1e9, err);
    if (status == NNM_OK) status = check_range("find_s", protocol->find_s, 0.0, false, 10.0, err);
    if (status) return status;
    if (protocol->max_rounds < protocol->rounds || protocol->max_rounds > NNM_MAX_ROUNDS)
        return nnm_fail(err, NNM_ERR_VALUE, "max_rounds is %u, must be %u (rounds) to %d", protocol->max_rounds,
                        protocol->rounds, NNM_MAX_ROUNDS);
    if (protocol->cpu < -2 || protocol->cpu > 65535)
        return nnm_fail(err, NNM_ERR_VALUE,
                        "cpu is %d, must be the number of a CPU, -1 (chosen when a worker starts) or -2 (not pinned)",
                        protocol->cpu);
    return NNM_OK;
}

void nnm_protocol_quick(nnm_protocol *protocol)
{
    protocol->rounds = 3;
    protocol->max_rounds = 6;
    protocol->budget_s = 2.0;
    protocol->target_error = 0.02;
    protocol->wait_s = 0.5;
}

void nnm_protocol_thorough(nnm_protocol *protocol)
{
    protocol->rounds = 24;
    protocol->max_rounds = 60;
    protocol->budget_s = 30.0;
    protocol->target_error = 0.003;
    protocol->wait_s = 30.0;
}

/* ---- from rounds to a latency ---- */

#define BELIEVED_QUIET 3

bool nnm_round_is_caught(const nnm_round *round)
{
    return round->quiet_count >= BELIEVED_QUIET || 2 * round->quiet_count >= round->sample_count;
}

/* Rounds that count: all, or the caught ones alone. */
typedef struct choice {
    const nnm_round *rounds;
    size_t count;
    bool caught_only;
} choice;

static bool counts(const choice *c, size_t i)
{
    return !c->caught_only || nnm_round_is_caught(&c->rounds[i]);
}

static choice choose(const nnm_round *rounds, size_t count, size_t *chosen)
{
    choice c = {rounds, count, true};
    *chosen = 0;
    for (size_t i = 0; i < count; i++)
        *chosen += counts(&c, i);
    if (*chosen >= 2) return c;
    *chosen = count;
    return (choice){rounds, count, false};
}

/* The value of rank `rank` (0-based) among the rounds' estimates, or among their distances from `*center`. Counts
 * instead of sorting, so that nothing has to be allocated. */
static double ranked(const choice *c, const double *center, size_t rank)
{
    for (size_t i = 0; i < c->count; i++) {
        if (!counts(c, i)) continue;
        double value = center ? fabs(c->rounds[i].estimate_ns - *center) : c->rounds[i].estimate_ns;
        size_t below = 0, equal = 0;
        for (size_t j = 0; j < c->count; j++) {
            if (!counts(c, j)) continue;
            double other = center ? fabs(c->rounds[j].estimate_ns - *center) : c->rounds[j].estimate_ns;
            below += other < value;
            equal += other == value;
        }
        if (below <= rank && rank < below + equal) return value;
    }
    return (double)NAN; /* only where an estimate is not a number */
}

static double median(const choice *c, size_t chosen, const double *center)
{
    return 0.5 * (ranked(c, center, (chosen - 1) / 2) + ranked(c, center, chosen / 2));
}

#define PAIRED_MIN 4  /* fewer say too little about the middle of their distribution */
#define PAIRED_MAX 64 /* of more the median is as good */

/* The median of the means of all pairs, a round with itself too (Hodges and Lehmann). Rounds of kernels whose data
 * leave the second-level cache fall into two groups, between which a median jumps; one that went wrong moves this as
 * little as that. */
static double middle(const choice *c, size_t chosen)
{
    double estimates[PAIRED_MAX], means[PAIRED_MAX * (PAIRED_MAX + 1) / 2];
    size_t taken = 0, pairs = 0;
    if (chosen < PAIRED_MIN || chosen > PAIRED_MAX) return median(c, chosen, NULL);
    for (size_t i = 0; i < c->count; i++)
        if (counts(c, i)) estimates[taken++] = c->rounds[i].estimate_ns;
    for (size_t i = 0; i < taken; i++)
        for (size_t j = 0; j <= i; j++)
            means[pairs++] = 0.5 * (estimates[i] + estimates[j]);
    return nnm_percentile(means, pairs, 0.5);
}

void nnm_rounds_combine(const nnm_round *rounds, size_t count, double *latency_ns, double *spread_ns)
{
    size_t chosen;
    choice c = choose(rounds, count, &chosen);
    double center = median(&c, chosen, NULL);
    *latency_ns = middle(&c, chosen);
    if (chosen < 4) {
        *spread_ns = 0.5 * (ranked(&c, NULL, chosen - 1) - ranked(&c, NULL, 0));
    } else {
        *spread_ns = 1.4826 * median(&c, chosen, &center);
    }
}

/* Standard error against that of a mean, normally distributed estimates. */
#define MEDIAN_ERROR 1.2533
#define MIDDLE_ERROR 1.0233

double nnm_rounds_error(const nnm_round *rounds, size_t count)
{
    size_t chosen;
    double latency_ns, spread_ns;
    (void)choose(rounds, count, &chosen);
    nnm_rounds_combine(rounds, count, &latency_ns, &spread_ns);
    if (chosen < 2 || latency_ns <= 0.0) return (double)INFINITY;
    double factor = chosen < PAIRED_MIN || chosen > PAIRED_MAX ? MEDIAN_ERROR : MIDDLE_ERROR;
    return factor * spread_ns / sqrt((double)chosen) / latency_ns;
}
