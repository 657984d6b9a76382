#include "bench/round.h"

#include <math.h>

#include "base/clock.h"
#include "bench/statistics.h"

#define MIN_SAMPLES 5
#define MIN_SAMPLES_OF_GIANTS 2 /* one call alone is longer than the round */
#define MIN_QUIET 3
#define QUIET_SHARE 4 /* one in so many of the samples that fit into round_ms should be quiet */
#define PATIENCE 4    /* times round_ms that may pass in the hope of a quiet window */
#define MAX_CALLS 100000000u
#define LOW_SHARE 0.1
#define CLOCK_REFERENCES 4 /* half before the samples, half after */

typedef struct taking {
    const nnm_backend *backend;
    const nnm_protocol *protocol;
    nnm_session *session;
    nnm_quiet *quiet;
    nnm_round *round;
    double call_ns; /* what one call takes, roughly */
} taking;

static double since_ns(uint64_t begin)
{
    return (double)(nnm_clock_ns() - begin);
}

static nnm_status time_calls(const taking *t, size_t calls, double *out_ns, nnm_error *err)
{
    uint64_t begin = nnm_clock_ns();
    for (size_t i = 0; i < calls; i++) {
        nnm_status status = t->backend->run(t->session, err);
        if (status) return status;
    }
    *out_ns = since_ns(begin);
    return NNM_OK;
}

static nnm_status warm_up(taking *t, nnm_error *err)
{
    uint64_t begin = nnm_clock_ns();
    do {
        nnm_status status = time_calls(t, 1, &t->call_ns, err);
        if (status) return status;
    } while (since_ns(begin) < t->protocol->warmup_ms * 1e6);
    return NNM_OK;
}

/* A long round must fit, with its patience, into the space for samples: its samples are longer. */
static double sample_target_ns(const nnm_protocol *protocol)
{
    double fitting = protocol->round_ms * 1e6 * PATIENCE / NNM_MAX_SAMPLES;
    double wanted = protocol->sample_us * 1e3;
    return wanted > fitting ? wanted : fitting;
}

/* Finds how many calls make a sample. Ever larger batches are timed until one is half a sample; a call timed alone
 * would be the clock's cost for the smallest kernels. */
static nnm_status calibrate(taking *t, size_t *out, nnm_error *err)
{
    double target = sample_target_ns(t->protocol), batch_ns = t->call_ns;
    size_t calls = 1;
    while (batch_ns < 0.5 * target && calls < MAX_CALLS) {
        double growth = batch_ns > 0.0 ? 0.75 * target / batch_ns : 16.0;
        calls = growth >= 16.0 ? calls * 16 : (size_t)ceil((double)calls * (growth > 2.0 ? growth : 2.0));
        nnm_status status = time_calls(t, calls, &batch_ns, err);
        if (status) return status;
    }
    t->call_ns = batch_ns / (double)calls;
    double needed = t->call_ns > 0.0 ? ceil(target / t->call_ns) : (double)MAX_CALLS;
    *out = needed < 1.0 ? 1 : needed > MAX_CALLS ? MAX_CALLS : (size_t)needed;
    return NNM_OK;
}

static bool is_quiet(const taking *t, size_t sample)
{
    if (t->protocol->gate <= 0.0) return true;
    return t->round->reference_ns[sample] <= t->quiet->best_ns * (1.0 + t->protocol->gate);
}

/* The first reference after a kernel is 10 to 30 % slow, and by how much depends on the kernel: the core is still in
 * the state that wide vector instructions put it in. It is run, but not believed. */
static double observe(taking *t)
{
    (void)nnm_reference_throughput();
    double reference_ns = nnm_reference_throughput();
    nnm_quiet_observe(t->quiet, reference_ns, nnm_clock_ns());
    return reference_ns;
}

static bool finished(const taking *t, double spent_ns, size_t quiet_count)
{
    const nnm_round *round = t->round;
    double round_ns = t->protocol->round_ms * 1e6;
    if (round->sample_count == NNM_MAX_SAMPLES) return true;
    size_t wanted = t->call_ns >= round_ns ? MIN_SAMPLES_OF_GIANTS : MIN_SAMPLES;
    if (round->sample_count < wanted || spent_ns < round_ns) return false;
    double fitting = (double)round->sample_count * round_ns / spent_ns;
    double wanted_quiet = fmax(fmin((double)wanted, MIN_QUIET), fitting / QUIET_SHARE);
    return (double)quiet_count >= wanted_quiet || spent_ns >= PATIENCE * round_ns;
}

static nnm_status take_samples(taking *t, nnm_error *err)
{
    nnm_round *round = t->round;
    uint64_t begin = nnm_clock_ns();
    size_t quiet_count = 0;
    double before = observe(t);
    do {
        double sample_ns = 0.0;
        nnm_status status = time_calls(t, round->calls_per_sample, &sample_ns, err);
        if (status) return status;
        double after = observe(t);
        size_t i = round->sample_count++;
        round->sample_ns[i] = sample_ns / (double)round->calls_per_sample;
        round->reference_ns[i] = after > before ? after : before;
        before = after;
        quiet_count += is_quiet(t, i);
    } while (!finished(t, since_ns(begin), quiet_count));
    return NNM_OK;
}

/* The gate is applied again to all samples, with the best reference as it is known now. */
static void estimate(taking *t)
{
    nnm_round *round = t->round;
    double values[NNM_MAX_SAMPLES];
    round->reference_best_ns = t->quiet->best_ns;
    round->quiet_count = 0;
    for (size_t i = 0; i < round->sample_count; i++)
        if (is_quiet(t, i)) values[round->quiet_count++] = round->sample_ns[i];
    double quiet_ns = round->quiet_count ? nnm_percentile(values, round->quiet_count, LOW_SHARE) : (double)INFINITY;
    for (size_t i = 0; i < round->sample_count; i++)
        values[i] = round->sample_ns[i];
    round->estimate_ns = fmin(quiet_ns, nnm_percentile(values, round->sample_count, LOW_SHARE));
}

static nnm_status take_opened(taking *t, nnm_error *err)
{
    double clocks[CLOCK_REFERENCES];
    nnm_status status = warm_up(t, err);
    if (status == NNM_OK) status = calibrate(t, &t->round->calls_per_sample, err);
    for (size_t i = 0; i < CLOCK_REFERENCES / 2; i++)
        clocks[i] = nnm_reference_latency();
    if (status == NNM_OK) status = take_samples(t, err);
    if (status) return status;
    for (size_t i = CLOCK_REFERENCES / 2; i < CLOCK_REFERENCES; i++)
        clocks[i] = nnm_reference_latency();
    t->round->clock_ns = nnm_percentile(clocks, CLOCK_REFERENCES, 0.5);
    estimate(t);
    return NNM_OK;
}

nnm_status nnm_round_take(nnm_round *out, const nnm_backend *backend, const char *model_path,
                          const nnm_session_options *options, const nnm_protocol *protocol, nnm_quiet *quiet, int cpu,
                          nnm_error *err)
{
    nnm_round round = {.unix_time_s = nnm_unix_time_s(), .cpu = cpu};
    taking t = {.backend = backend, .protocol = protocol, .quiet = quiet, .round = &round};
    uint64_t begin = nnm_clock_ns();
    nnm_status status = backend->open(&t.session, model_path, options, err);
    if (status) return status;
    round.open_ns = since_ns(begin);
    status = take_opened(&t, err);
    backend->close(t.session);
    if (status) return status;
    round.wall_ns = since_ns(begin);
    *out = round;
    return NNM_OK;
}
