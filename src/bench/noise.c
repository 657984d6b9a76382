/* How noisy CPUs are: the references run on them for a while, and their readings are told apart. */
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "bench/cpu.h"
#include "bench/reference.h"
#include "bench/statistics.h"
#include "nnmeter/survey.h"

#define NOISE_MAX_S 120.0
#define GATE 0.08
#define SLICE_S 1.0
#define MAX_SLICES 32
#define WARMUP_S 0.005         /* of each slice: caches, and a clock that has to rise first */
#define THROUGHPUT_PER_CLOCK 4 /* throughput references for each latency reference */
#define READINGS_PER_LOOK 2000 /* between looks at the hooks: about 25 ms */
#define MIN_STRETCH_NS 1e5     /* shorter ones are interrupts: they cost time, but are no state of the CPU */
#define CLOCK_WINDOW_NS 1e8
#define MIN_WINDOW_READINGS 20 /* a window with fewer has no median to rely on */

typedef struct reading {
    float span_ns; /* since the reading before, ours included */
    float throughput_ns;
} reading;

typedef struct clock_reading {
    float latency_ns;
    unsigned window;
} clock_reading;

/* Everything read on one CPU. */
typedef struct trace {
    reading *readings;
    clock_reading *clocks;
    size_t count, capacity, clock_count, clock_capacity;
    size_t slice_begin[MAX_SLICES + 1]; /* the last one is where the readings end */
    size_t slices;
    double wall_s, had_s; /* of the slices, and CPU time in them */
    double cpu_s;         /* CPU time in all, warm-up included */
} trace;

typedef struct watch {
    const nnm_hooks *hooks;
    uint64_t begin_ns;
    double seconds;
} watch;

static nnm_status look_at_hooks(const watch *w, double left_s, nnm_error *err)
{
    if (!w->hooks) return NNM_OK;
    if (w->hooks->interrupted && w->hooks->interrupted(w->hooks->context))
        return nnm_fail(err, NNM_ERR_INTERRUPTED, "interrupted while the noise was measured");
    if (!w->hooks->progress) return NNM_OK;
    double elapsed_s = (double)(nnm_clock_ns() - w->begin_ns) * 1e-9;
    size_t total = (size_t)ceil(w->seconds), done = (size_t)elapsed_s;
    nnm_progress progress = {.activity = "measure the noise, s",
                             .done = left_s <= 0    ? total
                                     : done < total ? done
                                                    : total - 1,
                             .total = total,
                             .elapsed_s = elapsed_s,
                             .remaining_s = fmax(left_s, 0)};
    w->hooks->progress(w->hooks->context, &progress);
    return NNM_OK;
}

static nnm_status add_clock(trace *t, double latency_ns, double since_begin_ns, nnm_error *err)
{
    void *grown = t->clocks;
    nnm_status status = nnm_grow(&grown, &t->clock_capacity, t->clock_count + 1, sizeof *t->clocks, err);
    t->clocks = grown;
    if (status == NNM_OK)
        t->clocks[t->clock_count++] = (clock_reading){(float)latency_ns, (unsigned)(since_begin_ns / CLOCK_WINDOW_NS)};
    return status;
}

static nnm_status add_reading(trace *t, double span_ns, double throughput_ns, nnm_error *err)
{
    void *grown = t->readings;
    nnm_status status = nnm_grow(&grown, &t->capacity, t->count + 1, sizeof *t->readings, err);
    t->readings = grown;
    if (status == NNM_OK) t->readings[t->count++] = (reading){(float)span_ns, (float)throughput_ns};
    return status;
}

static double thread_cpu_s(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) ? 0.0 : (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Readings for `seconds` on the CPU that the thread is bound to. */
static nnm_status read_slice(trace *t, const watch *w, double seconds, nnm_error *err)
{
    double warm_begin_s = thread_cpu_s();
    for (uint64_t begin = nnm_clock_ns(); (double)(nnm_clock_ns() - begin) < fmin(WARMUP_S, seconds / 4) * 1e9;)
        (void)nnm_reference_throughput();
    t->slice_begin[t->slices++] = t->count;
    double cpu_begin_s = thread_cpu_s();
    uint64_t begin = nnm_clock_ns(), previous = begin;
    nnm_status status = NNM_OK;
    for (size_t i = 0; status == NNM_OK && (i < 8 || (double)(previous - begin) < seconds * 1e9); i++) {
        if (i % THROUGHPUT_PER_CLOCK == 0)
            status = add_clock(t, nnm_reference_latency(), (double)(previous - w->begin_ns), err);
        double throughput_ns = nnm_reference_throughput();
        uint64_t now = nnm_clock_ns();
        if (status == NNM_OK) status = add_reading(t, (double)(now - previous), throughput_ns, err);
        previous = now;
        if (status == NNM_OK && i % READINGS_PER_LOOK == READINGS_PER_LOOK - 1) {
            status = look_at_hooks(w, w->seconds - (double)(now - w->begin_ns) * 1e-9, err);
            previous = nnm_clock_ns(); /* that time is ours, and not noise */
        }
    }
    t->wall_s += (double)(nnm_clock_ns() - begin) * 1e-9;
    double cpu_end_s = thread_cpu_s();
    t->had_s += cpu_end_s - cpu_begin_s;
    t->cpu_s += cpu_end_s - warm_begin_s;
    t->slice_begin[t->slices] = t->count;
    return status;
}

/* ---- what the readings say ---- */

/* The best that two readings in a row reached: one alone may have met a clock that jumped. */
static double best_of(const trace *t)
{
    double best = (double)INFINITY;
    for (size_t slice = 0; slice < t->slices; slice++)
        for (size_t i = t->slice_begin[slice] + 1; i < t->slice_begin[slice + 1]; i++)
            best = fmin(best, fmax((double)t->readings[i - 1].throughput_ns, (double)t->readings[i].throughput_ns));
    return best;
}

typedef struct lengths {
    double *ms[2]; /* [0] quiet, [1] slow */
    size_t count[2], capacity[2];
} lengths;

static nnm_status add_stretch(lengths *l, int state, double ns, nnm_error *err)
{
    void *grown = l->ms[state];
    nnm_status status = nnm_grow(&grown, &l->capacity[state], l->count[state] + 1, sizeof *l->ms[state], err);
    l->ms[state] = grown;
    if (status == NNM_OK) l->ms[state][l->count[state]++] = ns * 1e-6;
    return status;
}

/* A state lasts until the other one did for MIN_STRETCH_NS. */
static nnm_status find_stretches(const trace *t, double limit_ns, lengths *l, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t slice = 0; slice < t->slices && status == NNM_OK; slice++) {
        size_t i = t->slice_begin[slice], end = t->slice_begin[slice + 1];
        int state = (double)t->readings[i].throughput_ns > limit_ns;
        double length = 0, other = 0;
        for (; i < end && status == NNM_OK; i++) {
            double span = (double)t->readings[i].span_ns;
            if (((double)t->readings[i].throughput_ns > limit_ns) == state) {
                length += other + span;
                other = 0;
            } else if ((other += span) >= MIN_STRETCH_NS) {
                if (length > 0) status = add_stretch(l, state, length, err);
                state = !state;
                length = other;
                other = 0;
            }
        }
        if (status == NNM_OK) status = add_stretch(l, state, length + other, err);
    }
    return status;
}

static nnm_stretches summarise_stretches(double *ms, size_t count)
{
    nnm_stretches s = {.count = count};
    if (count) {
        s.median_ms = nnm_percentile(ms, count, 0.5);
        s.p90_ms = nnm_percentile(ms, count, 0.9);
    }
    return s;
}

static nnm_status describe_states(const trace *t, nnm_noise *out, nnm_error *err)
{
    double *slow_ns = nnm_calloc(t->count, sizeof *slow_ns);
    if (!slow_ns) return nnm_fail_memory(err);
    out->best_ns = best_of(t);
    double limit_ns = out->best_ns * (1.0 + GATE), quiet_ns = 0, all_ns = 0;
    size_t slow = 0;
    for (size_t i = 0; i < t->count; i++) {
        bool is_slow = (double)t->readings[i].throughput_ns > limit_ns;
        all_ns += (double)t->readings[i].span_ns;
        if (is_slow)
            slow_ns[slow++] = (double)t->readings[i].throughput_ns;
        else
            quiet_ns += (double)t->readings[i].span_ns;
    }
    out->quiet_share = quiet_ns / all_ns;
    out->slow_factor = slow ? nnm_percentile(slow_ns, slow, 0.5) / out->best_ns : 1.0;
    out->references = t->count;
    free(slow_ns);

    lengths l = {0};
    nnm_status status = find_stretches(t, limit_ns, &l, err);
    if (status == NNM_OK) {
        out->quiet = summarise_stretches(l.ms[0], l.count[0]);
        out->slow = summarise_stretches(l.ms[1], l.count[1]);
    }
    free(l.ms[0]);
    free(l.ms[1]);
    return status;
}

static nnm_status describe_clock(const trace *t, nnm_noise *out, nnm_error *err)
{
    double *values = nnm_calloc(t->clock_count, sizeof *values);
    if (!values) return nnm_fail_memory(err);
    double *middles = nnm_calloc(t->clock_count, sizeof *middles);
    if (!middles) {
        free(values);
        return nnm_fail_memory(err);
    }
    size_t windows = 0;
    double before = 0;
    unsigned window_before = 0;
    for (size_t begin = 0, end; begin < t->clock_count; begin = end) {
        unsigned window = t->clocks[begin].window;
        for (end = begin; end < t->clock_count && t->clocks[end].window == window; end++)
            values[end - begin] = (double)t->clocks[end].latency_ns;
        if (end - begin < MIN_WINDOW_READINGS) continue;
        double middle = nnm_percentile(values, end - begin, 0.5);
        middles[windows++] = middle;
        if (before > 0 && window == window_before + 1)
            out->clock_step = fmax(out->clock_step, fabs(middle - before) / fmin(middle, before));
        before = middle;
        window_before = window;
    }
    for (size_t i = 0; i < t->clock_count; i++)
        values[i] = (double)t->clocks[i].latency_ns;
    double median = nnm_percentile(values, t->clock_count, 0.5); /* sorts them, too */
    out->clock_spread =
        (nnm_percentile(values, t->clock_count, 0.9) - nnm_percentile(values, t->clock_count, 0.1)) / median;
    if (windows == 0) middles[windows++] = median; /* too short a look for windows */
    double low = nnm_percentile(middles, windows, 0.05), high = nnm_percentile(middles, windows, 0.95);
    out->clock_drift = (high - low) / median;
    out->clock_ghz = nnm_reference_clock_ghz(median);
    out->clock_low_ghz = nnm_reference_clock_ghz(high);
    out->clock_high_ghz = nnm_reference_clock_ghz(low);
    free(values);
    free(middles);
    return NNM_OK;
}

static nnm_status describe(const trace *t, nnm_noise *out, nnm_error *err)
{
    nnm_noise noise = {.cpu_s = t->cpu_s, .got_share = fmin(t->had_s / t->wall_s, 1.0)};
    nnm_status status = describe_states(t, &noise, err);
    if (status == NNM_OK) status = describe_clock(t, &noise, err);
    if (status == NNM_OK) *out = noise;
    return status;
}

/* ---- all CPUs ---- */

static nnm_status check_request(const unsigned *cpus, size_t count, double seconds, nnm_error *err)
{
    if (!isfinite(seconds) || seconds <= 0.0 || seconds > NOISE_MAX_S)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "cannot measure noise for %g s; over 0 and at most %g s can be",
                        seconds, NOISE_MAX_S);
    if (count == 0) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "no CPU was named to measure the noise of");
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        status = nnm_cpu_check(cpus[i] < CPU_SETSIZE ? (int)cpus[i] : CPU_SETSIZE, err);
    return status;
}

nnm_status nnm_noise_measure(nnm_noise *noise, const unsigned *cpus, size_t count, double seconds,
                             const nnm_hooks *hooks, nnm_error *err)
{
    cpu_set_t before;
    nnm_status status = check_request(cpus, count, seconds, err);
    if (status == NNM_OK) status = nnm_cpu_allowed(&before, err);
    if (status) return status;
    trace *traces = nnm_calloc(count, sizeof *traces);
    nnm_noise *found = nnm_calloc(count, sizeof *found);
    if (!traces || !found) {
        status = nnm_fail_memory(err);
        goto done;
    }
    double turns = fmin(fmax(round(seconds / (double)count / SLICE_S), 1), MAX_SLICES);
    watch w = {hooks, nnm_clock_ns(), seconds};
    for (size_t turn = 0; turn < (size_t)turns && status == NNM_OK; turn++) {
        for (size_t i = 0; i < count && status == NNM_OK; i++) {
            status = nnm_cpu_pin((int)cpus[i], err);
            if (status == NNM_OK) status = read_slice(&traces[i], &w, seconds / (double)count / turns, err);
        }
    }
    if (status == NNM_OK) status = look_at_hooks(&w, 0, err);
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        status = describe(&traces[i], &found[i], err);
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        noise[i] = found[i];
    (void)sched_setaffinity(0, sizeof before, &before);
done:
    for (size_t i = 0; traces && i < count; i++) {
        free(traces[i].readings);
        free(traces[i].clocks);
    }
    free(traces);
    free(found);
    return status;
}
