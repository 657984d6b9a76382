/* A round of a backend that times models itself: it is asked, and what it says is checked. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "bench/round.h"
#include "bench/statistics.h"

static nnm_status check_latencies(const nnm_backend *backend, const double *latency_ns, size_t count, nnm_error *err)
{
    if (count < 1 || count > NNM_MAX_SAMPLES)
        return nnm_fail(err, NNM_ERR_BACKEND, "backend '%s' gave %zu latencies, need 1 to %d", backend->name, count,
                        NNM_MAX_SAMPLES);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(latency_ns[i]) || latency_ns[i] <= 0.0)
            return nnm_fail(err, NNM_ERR_BACKEND, "backend '%s' gave %g ns as the latency of run %zu of %zu",
                            backend->name, latency_ns[i], i + 1, count);
    return NNM_OK;
}

/* The device tells nothing of its state, so all runs count; what disturbs a few of them leaves the median alone. */
static void fill(nnm_round *round, size_t count)
{
    double values[NNM_MAX_SAMPLES];
    round->sample_count = round->quiet_count = count;
    round->calls_per_sample = 1;
    for (size_t i = 0; i < count; i++)
        round->measured_ns += round->sample_ns[i];
    memcpy(values, round->sample_ns, count * sizeof *values);
    round->estimate_ns = nnm_percentile(values, count, 0.5);
}

nnm_status nnm_round_ask(nnm_round *out, const nnm_backend *backend, const char *model_path, uint64_t repetition,
                         const nnm_session_options *options, const nnm_protocol *protocol, nnm_error *err)
{
    nnm_round round = {.unix_time_s = nnm_unix_time_s(), .cpu = -1};
    const nnm_measure_request request = {.model_path = model_path,
                                         .repetition = repetition,
                                         .warmup_ms = protocol->warmup_ms,
                                         .round_ms = protocol->round_ms,
                                         .timeout_s = protocol->timeout_s};
    uint64_t begin = nnm_clock_ns();
    size_t count = 0;
    nnm_status status = backend->measure(backend, round.sample_ns, NNM_MAX_SAMPLES, &count, &request, options, err);
    if (status == NNM_OK) status = check_latencies(backend, round.sample_ns, count, err);
    if (status) return status;
    fill(&round, count);
    round.wall_ns = (double)(nnm_clock_ns() - begin) + 1.0; /* a clock may not have moved */
    *out = round;
    return NNM_OK;
}
