#include "bench/round.h"

#include <math.h>
#include <time.h>

#include "base/clock.h"
#include "bench/cpu.h"
#include "bench/statistics.h"

#define MIN_SAMPLES 5
#define MIN_SAMPLES_OF_LARGE 3  /* one call takes a quarter of the round */
#define MIN_SAMPLES_OF_GIANTS 2 /* one call alone is longer than the round */
#define PATIENCE 4              /* times round_ms that may pass in the hope of quiet windows */
#define MAX_CALLS 100000000u
#define SHARE 0.1  /* percentile: whatever disturbs a call makes it slower */
#define BELIEVED 3 /* samples that a percentile needs */

#define WARM_BATCH_NS 300e3
#define WARM_GAIN 0.98  /* a batch this much faster than the one before: not warm yet */
#define WARM_PATIENCE 4 /* times warmup_ms */

#define WAIT_STEP_NS 500000  /* asleep between two looks, so that a real-time thread lets others run */
#define REALTIME_MAX_NS 50e6 /* the kernel pauses real-time threads 50 ms in a second: long calls would be hit */

typedef struct taking {
    const nnm_backend *backend;
    const nnm_protocol *protocol;
    nnm_session *session;
    nnm_quiet *quiet;
    nnm_round *round;
    double call_ns; /* what one call takes, roughly */
    size_t quiet_count;
    double wideness; /* of the kernel's code */
} taking;

static double since_ns(uint64_t begin)
{
    return (double)(nnm_clock_ns() - begin);
}

static nnm_status time_calls(taking *t, size_t calls, double *out_ns, nnm_error *err)
{
    uint64_t begin = nnm_clock_ns();
    for (size_t i = 0; i < calls; i++) {
        nnm_status status = t->backend->run(t->session, err);
        if (status) return status;
    }
    *out_ns = since_ns(begin);
    t->round->measured_ns += *out_ns;
    return NNM_OK;
}

/* Calls for warmup_ms, and then for as long as they still get faster. */
static nnm_status warm_up(taking *t, nnm_error *err)
{
    uint64_t begin = nnm_clock_ns();
    double warmup_ns = t->protocol->warmup_ms * 1e6, before_ns = (double)INFINITY, spent_ns;
    bool gaining = true;
    do {
        double batch_ns = 0.0;
        size_t calls = 0;
        do {
            nnm_status status = time_calls(t, 1, &t->call_ns, err);
            if (status) return status;
            batch_ns += t->call_ns;
            calls++;
            spent_ns = since_ns(begin);
        } while (batch_ns < WARM_BATCH_NS && spent_ns < warmup_ns);
        double mean_ns = batch_ns / (double)calls;
        gaining = calls * mean_ns >= WARM_BATCH_NS && mean_ns < WARM_GAIN * before_ns;
        before_ns = mean_ns;
    } while (spent_ns < warmup_ns || (gaining && spent_ns < WARM_PATIENCE * warmup_ns));
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

/* ---- the state of the CPU ---- */

/* Nobody on the other hardware thread, and nobody took the CPU. */
static bool is_undisturbed(const taking *t, double reference_ns)
{
    return t->protocol->gate <= 0.0 || reference_ns <= nnm_quiet_reference(t->quiet) * (1.0 + t->protocol->gate);
}

static bool is_quiet(const taking *t, double reference_ns)
{
    const nnm_protocol *p = t->protocol;
    if (!is_undisturbed(t, reference_ns)) return false;
    if (p->gate <= 0.0 || p->clock_gate <= 0.0 || t->quiet->reference_ns <= 0.0) return true;
    return fabs(reference_ns / t->quiet->reference_ns - 1.0) <= p->clock_gate;
}

static double observe(taking *t, double reference_ns)
{
    nnm_quiet_observe(t->quiet, reference_ns, nnm_clock_ns());
    return reference_ns;
}

/* Waits until the CPU is quiet or the round's patience ends; returns the last reference. */
static double await_quiet(taking *t, uint64_t begin, double reference_ns)
{
    double patience_ns = fmin(PATIENCE * t->protocol->round_ms * 1e6, t->protocol->wait_s * 1e9);
    uint64_t wait_begin = nnm_clock_ns();
    while (!is_quiet(t, reference_ns) && since_ns(begin) < patience_ns) {
        struct timespec pause = {0, WAIT_STEP_NS};
        (void)nanosleep(&pause, NULL);
        reference_ns = observe(t, nnm_reference_wide());
        t->round->waited_ns += since_ns(wait_begin);
        wait_begin = nnm_clock_ns();
    }
    return reference_ns;
}

/* ---- samples ---- */

static size_t samples_wanted(const taking *t)
{
    double round_ns = t->protocol->round_ms * 1e6;
    return t->call_ns >= round_ns       ? MIN_SAMPLES_OF_GIANTS
           : 4 * t->call_ns >= round_ns ? MIN_SAMPLES_OF_LARGE
                                        : MIN_SAMPLES;
}

static bool finished(const taking *t, double spent_ns)
{
    const nnm_round *round = t->round;
    double round_ns = t->protocol->round_ms * 1e6;
    size_t wanted = samples_wanted(t);
    if (round->sample_count == NNM_MAX_SAMPLES) return true;
    if (round->sample_count < wanted) return false;
    double sample_ns = t->call_ns * (double)round->calls_per_sample;
    if (t->quiet_count >= wanted && (double)t->quiet_count * sample_ns >= round_ns) return true;
    return spent_ns >= PATIENCE * round_ns;
}

static nnm_status take_samples(taking *t, nnm_error *err)
{
    nnm_round *round = t->round;
    uint64_t begin = nnm_clock_ns();
    double before = await_quiet(t, begin, observe(t, nnm_reference_wide()));
    do {
        double sample_ns = 0.0;
        nnm_status status = time_calls(t, round->calls_per_sample, &sample_ns, err);
        if (status) return status;
        size_t i = round->sample_count++;
        round->sample_ns[i] = sample_ns / (double)round->calls_per_sample;
        round->sample_clock_ns[i] = nnm_reference_clock();
        double after = observe(t, nnm_reference_wide());
        round->reference_ns[i] = is_undisturbed(t, before) ? after : fmax(before, after);
        t->quiet_count += is_quiet(t, round->reference_ns[i]);
        before = round->sample_count < NNM_MAX_SAMPLES ? await_quiet(t, begin, after) : after;
    } while (!finished(t, since_ns(begin)));
    return NNM_OK;
}

/* A sample at the machine's standard: wide code is as much slower as the reference right after it is. */
static double normalised(const taking *t, size_t i)
{
    double standard_ns = t->quiet->reference_ns;
    if (!t->protocol->normalise || standard_ns <= 0.0) return t->round->sample_ns[i];
    return t->round->sample_ns[i] * pow(standard_ns / t->round->reference_ns[i], t->wideness);
}

/* What is left where too few samples are quiet: the undisturbed ones, which are those of another step of the clock. */
static size_t undisturbed(const taking *t, double *values)
{
    size_t count = 0;
    for (size_t i = 0; i < t->round->sample_count; i++)
        if (is_undisturbed(t, t->round->reference_ns[i])) values[count++] = normalised(t, i);
    return count;
}

/* The gate is applied again to all samples, with the best reference as it is known now. */
static void estimate(taking *t)
{
    nnm_round *round = t->round;
    double values[NNM_MAX_SAMPLES], clocks[NNM_MAX_SAMPLES];
    for (size_t i = 0; i < round->sample_count; i++)
        clocks[i] = round->sample_clock_ns[i];
    t->wideness = nnm_quiet_wideness(t->quiet, nnm_percentile(clocks, round->sample_count, 0.5));
    round->reference_best_ns = nnm_quiet_reference(t->quiet);
    round->quiet_count = 0;
    for (size_t i = 0; i < round->sample_count; i++) {
        if (!is_quiet(t, round->reference_ns[i])) continue;
        clocks[round->quiet_count] = round->sample_clock_ns[i];
        values[round->quiet_count++] = normalised(t, i);
    }
    if (nnm_round_is_caught(round)) {
        round->estimate_ns = nnm_percentile(values, round->quiet_count, SHARE);
        round->clock_ns = nnm_percentile(clocks, round->quiet_count, 0.5);
        return;
    }
    for (size_t i = 0; i < round->sample_count; i++)
        clocks[i] = round->sample_clock_ns[i];
    round->clock_ns = nnm_percentile(clocks, round->sample_count, 0.5);
    size_t count = undisturbed(t, values);
    if (count >= BELIEVED) {
        round->estimate_ns = nnm_percentile(values, count, SHARE);
        return;
    }
    for (size_t i = 0; i < round->sample_count; i++)
        values[i] = round->sample_ns[i];
    round->estimate_ns = nnm_percentile(values, round->sample_count, SHARE);
}

static nnm_status take_opened(taking *t, nnm_error *err)
{
    nnm_status status = warm_up(t, err);
    if (status == NNM_OK && t->round->realtime && t->call_ns > REALTIME_MAX_NS) {
        (void)nnm_cpu_realtime(false);
        t->round->realtime = false;
    }
    if (status == NNM_OK) status = calibrate(t, &t->round->calls_per_sample, err);
    if (status == NNM_OK) status = take_samples(t, err);
    if (status == NNM_OK) estimate(t);
    return status;
}

nnm_status nnm_round_take(nnm_round *out, const nnm_backend *backend, const char *model_path,
                          const nnm_session_options *options, const nnm_protocol *protocol, nnm_quiet *quiet, int cpu,
                          nnm_error *err)
{
    nnm_round round = {.unix_time_s = nnm_unix_time_s(), .cpu = cpu};
    taking t = {.backend = backend, .protocol = protocol, .quiet = quiet, .round = &round};
    uint64_t begin = nnm_clock_ns();
    nnm_status status = backend->open(backend, &t.session, model_path, options, err);
    if (status) return status;
    round.open_ns = since_ns(begin);
    round.realtime = protocol->realtime && cpu >= 0 && nnm_cpu_realtime(true);
    bool realtime = round.realtime;
    status = take_opened(&t, err);
    if (realtime) (void)nnm_cpu_realtime(false);
    backend->close(t.session);
    if (status) return status;
    round.wall_ns = since_ns(begin);
    *out = round;
    return NNM_OK;
}
