/*
 * How noisy is this machine, and what does the gate of the measurement protocol do about it?
 *
 *     bench_noise [SECONDS_PER_CPU [SESSIONS]]
 *
 * 1. Throughput and latency references of every CPU: is there a slow state, how slow, for how long?
 * 2. Kernels on XNNPACK, each in several sessions, interleaved: how far does a session's estimate depend on the moment,
 *    with all samples and with the quiet ones only, and how do samples follow the reference beside them?
 */
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/cpu.h"
#include "bench/reference.h"
#include "bench/statistics.h"
#include "nnmeter/kernel.h"
#include "nnmeter/measure.h"
#include "nnmeter/model_file.h"

#define GATE 0.08
#define MAX_REFERENCES 400000
#define MAX_SESSIONS 32

static void die(const char *doing, const nnm_error *err)
{
    fprintf(stderr, "bench_noise: %s: %s\n", doing, err->message);
    exit(1);
}

/* ---- references ---- */

typedef struct trace {
    double *throughput, *sorted, *clock;
    size_t count;
} trace;

static void take_trace(trace *t, double seconds)
{
    uint64_t begin = nnm_clock_ns();
    t->count = 0;
    while (t->count < MAX_REFERENCES && (double)(nnm_clock_ns() - begin) < seconds * 1e9) {
        t->clock[t->count] = nnm_reference_latency();
        t->throughput[t->count++] = nnm_reference_throughput();
    }
}

/* Mean length of the stretches without a change of state, ms; a pair of references takes about `pair_us`. */
static double stretch_ms(const trace *t, double limit, int slow, double pair_us)
{
    size_t stretches = 0, members = 0;
    for (size_t i = 0; i < t->count; i++) {
        int state = t->throughput[i] > limit;
        if (state != slow) continue;
        members++;
        stretches += i == 0 || (t->throughput[i - 1] > limit) != slow;
    }
    return stretches ? (double)members / (double)stretches * pair_us * 1e-3 : 0.0;
}

static double correlation(const double *x, const double *y, size_t count)
{
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < count; i++) {
        mx += x[i] / (double)count;
        my += y[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : (double)NAN;
}

static void print_references(double seconds)
{
    trace t = {calloc(MAX_REFERENCES, sizeof(double)), calloc(MAX_REFERENCES, sizeof(double)),
               calloc(MAX_REFERENCES, sizeof(double)), 0};
    nnm_error err = NNM_ERROR_INIT;
    cpu_set_t allowed;
    if (!t.throughput || !t.sorted || !t.clock || nnm_cpu_allowed(&allowed, &err)) exit(1);
    printf("References, ns: throughput (T), latency (L); slow: T over best * %.2f\n", 1 + GATE);
    printf("%3s %8s %8s %8s %8s %8s %6s %8s %9s %8s %8s %8s\n", "cpu", "T best", "T p10", "T p50", "T p90", "T p99",
           "quiet", "slow T/b", "slow ms", "quiet ms", "L p50", "L spread");
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &allowed)) continue;
        if (nnm_cpu_pin(cpu, &err)) die("pin", &err);
        take_trace(&t, seconds);
        memcpy(t.sorted, t.throughput, t.count * sizeof *t.sorted);
        double best = nnm_percentile(t.sorted, t.count, 0.001), limit = best * (1 + GATE);
        size_t quiet = 0;
        while (quiet < t.count && t.sorted[quiet] <= limit)
            quiet++;
        double slow = quiet < t.count ? nnm_percentile(t.sorted + quiet, t.count - quiet, 0.5) / best : 1.0;
        double pair_us = seconds * 1e6 / (double)t.count;
        printf("%3d %8.0f %8.0f %8.0f %8.0f %8.0f %5.1f%% %8.2f %9.2f %8.2f", cpu, best,
               nnm_percentile(t.sorted, t.count, 0.1), nnm_percentile(t.sorted, t.count, 0.5),
               nnm_percentile(t.sorted, t.count, 0.9), nnm_percentile(t.sorted, t.count, 0.99),
               100.0 * (double)quiet / (double)t.count, slow, stretch_ms(&t, limit, 1, pair_us),
               stretch_ms(&t, limit, 0, pair_us));
        memcpy(t.sorted, t.clock, t.count * sizeof *t.sorted);
        double median = nnm_percentile(t.sorted, t.count, 0.5);
        printf(" %8.0f %7.1f%%\n", median,
               100.0 * (nnm_percentile(t.sorted, t.count, 0.9) - nnm_percentile(t.sorted, t.count, 0.1)) / median);
    }
    (void)sched_setaffinity(0, sizeof allowed, &allowed);
    free(t.throughput);
    free(t.sorted);
    free(t.clock);
}

/* ---- kernels ---- */

static const struct {
    const char *kernel, *config;
} cases[] = {
    {"conv-bn-relu", "HW=1,CIN=256,COUT=256,KERNEL_SIZE=1,STRIDES=1"},
    {"conv-bn-relu", "HW=7,CIN=512,COUT=512,KERNEL_SIZE=3,STRIDES=1"},
    {"conv-bn-relu", "HW=14,CIN=96,COUT=576,KERNEL_SIZE=1,STRIDES=1"},
    {"conv-bn-relu", "HW=28,CIN=128,COUT=128,KERNEL_SIZE=3,STRIDES=1"},
    {"conv-bn-relu", "HW=56,CIN=64,COUT=256,KERNEL_SIZE=1,STRIDES=1"},
    {"conv-bn-relu", "HW=112,CIN=32,COUT=64,KERNEL_SIZE=3,STRIDES=2"},
    {"dwconv-bn-relu", "HW=7,CIN=960,KERNEL_SIZE=3,STRIDES=1"},
    {"dwconv-bn-relu", "HW=14,CIN=576,KERNEL_SIZE=5,STRIDES=1"},
    {"dwconv-bn-relu", "HW=28,CIN=192,KERNEL_SIZE=3,STRIDES=2"},
    {"dwconv-bn-relu", "HW=56,CIN=144,KERNEL_SIZE=3,STRIDES=1"},
    {"dwconv-bn-relu", "HW=112,CIN=96,KERNEL_SIZE=3,STRIDES=2"},
    {"dwconv-bn-relu", "HW=112,CIN=32,KERNEL_SIZE=5,STRIDES=1"},
};
#define CASES (sizeof cases / sizeof *cases)

typedef struct outcome {
    double all[MAX_SESSIONS], quiet[MAX_SESSIONS], estimate[MAX_SESSIONS], clock[MAX_SESSIONS];
    size_t sessions, quiet_sessions;
    double correlation_sum;
    size_t correlations;
} outcome;

static void write_model(const char *kernel_name, const char *config_text, const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_kernel_config config;
    nnm_graph *graph = NULL;
    nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
    if (nnm_kernel_find(&kernel, kernel_name, &err) || nnm_kernel_config_parse(&config, kernel, config_text, &err) ||
        nnm_kernel_build_graph(&graph, kernel, &config, &options, &err) || nnm_onnx_write(graph, path, &err))
        die(config_text, &err);
    nnm_graph_free(graph);
}

/* What the estimate would be from quiet samples alone. */
static double quiet_percentile(const nnm_round *round)
{
    double values[NNM_MAX_SAMPLES];
    size_t count = 0;
    for (size_t i = 0; i < round->sample_count; i++)
        if (round->reference_ns[i] <= round->reference_best_ns * (1 + GATE)) values[count++] = round->sample_ns[i];
    return nnm_percentile(values, count, 0.1);
}

static void add_round(outcome *o, const nnm_round *round)
{
    double all[NNM_MAX_SAMPLES];
    memcpy(all, round->sample_ns, round->sample_count * sizeof *all);
    o->all[o->sessions] = nnm_percentile(all, round->sample_count, 0.1);
    o->estimate[o->sessions] = round->estimate_ns;
    o->clock[o->sessions] = round->clock_ns;
    o->sessions++;
    if (round->quiet_count) o->quiet[o->quiet_sessions++] = quiet_percentile(round);
    double r = correlation(round->sample_ns, round->reference_ns, round->sample_count);
    if (isfinite(r)) {
        o->correlation_sum += r;
        o->correlations++;
    }
}

static double relative_std(const double *values, size_t count)
{
    double mean = 0, square = 0;
    for (size_t i = 0; i < count; i++)
        mean += values[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        square += (values[i] - mean) * (values[i] - mean);
    return count > 1 ? sqrt(square / (double)(count - 1)) / mean : (double)NAN;
}

/* Share of pairs of sessions whose estimates differ by at most 10 %. */
static double agreement(const double *values, size_t count)
{
    size_t pairs = 0, agreeing = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            pairs++;
            agreeing += fabs(values[i] - values[j]) <= 0.1 * fmin(values[i], values[j]);
        }
    return pairs ? (double)agreeing / (double)pairs : (double)NAN;
}

static void print_outcome(size_t i, const outcome *o)
{
    printf("%-15s %-48s %9.1f %5.1f%% %4.0f%% %3zu/%-2zu %5.1f%% %4.0f%% %5.1f%% %4.0f%% %6.2f %6.2f\n",
           cases[i].kernel, cases[i].config, o->estimate[0] * 1e-3, 100 * relative_std(o->all, o->sessions),
           100 * agreement(o->all, o->sessions), o->quiet_sessions, o->sessions,
           100 * relative_std(o->quiet, o->quiet_sessions), 100 * agreement(o->quiet, o->quiet_sessions),
           100 * relative_std(o->estimate, o->sessions), 100 * agreement(o->estimate, o->sessions),
           o->correlations ? o->correlation_sum / (double)o->correlations : (double)NAN,
           correlation(o->clock, o->all, o->sessions));
}

static void print_kernels(size_t sessions)
{
    nnm_error err = NNM_ERROR_INIT;
    char folder[] = "/tmp/bench-noise-XXXXXX", path[CASES][64];
    const nnm_backend *backend = NULL;
    nnm_worker *worker = NULL;
    nnm_session_options options = {.threads = 1};
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    static outcome outcomes[CASES];
    static nnm_round round;
    if (!mkdtemp(folder)) exit(1);
    for (size_t i = 0; i < CASES; i++) {
        snprintf(path[i], sizeof path[i], "%s/%zu.onnx", folder, i);
        write_model(cases[i].kernel, cases[i].config, path[i]);
    }
    if (nnm_backend_find(&backend, "xnnpack_cpu", &err) ||
        nnm_worker_start(&worker, backend, &options, &protocol, &err))
        die("start", &err);
    double quiet_samples = 0, samples = 0;
    uint64_t begin = nnm_clock_ns();
    for (size_t session = 0; session < sessions; session++)
        for (size_t i = 0; i < CASES; i++) {
            if (nnm_worker_measure(worker, path[i], &round, &err)) die(path[i], &err);
            add_round(&outcomes[i], &round);
            samples += (double)round.sample_count;
            quiet_samples += (double)round.quiet_count;
        }
    double round_ms = (double)(nnm_clock_ns() - begin) * 1e-6 / (double)(sessions * CASES);
    nnm_worker_stop(worker);
    printf(
        "\nKernels on XNNPACK, CPU %d, %zu sessions of %.0f ms (%.1f ms with all around): std and pairs within 10 %%, "
        "p10 of all samples, of quiet ones, the smaller of both (a round's estimate);\ncorrelation of samples with the "
        "reference beside "
        "them (r T), of "
        "sessions with the clock reference (r L). Quiet samples: %.0f %%\n",
        round.cpu, sessions, protocol.round_ms, round_ms, 100 * quiet_samples / samples);
    printf("%-15s %-48s %9s %6s %5s %6s %6s %5s %6s %5s %6s %6s\n", "kernel", "configuration", "us", "std", "10%",
           "quiet", "std", "10%", "std", "10%", "r T", "r L");
    for (size_t i = 0; i < CASES; i++) {
        print_outcome(i, &outcomes[i]);
        (void)unlink(path[i]);
    }
    (void)rmdir(folder);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2.0;
    unsigned long sessions = argc > 2 ? strtoul(argv[2], NULL, 10) : 10;
    if (!(seconds > 0.0 && seconds <= 60.0) || sessions < 2 || sessions > MAX_SESSIONS) {
        fprintf(stderr, "usage: bench_noise [SECONDS_PER_CPU [SESSIONS]]  (at most 60 s, 2 to %d sessions)\n",
                MAX_SESSIONS);
        return 2;
    }
    nnm_machine machine;
    nnm_machine_describe(&machine);
    printf("%s, %u CPUs, %.2f GHz, load %.2f\n\n", machine.cpu, machine.cpus, machine.clock_ghz, machine.load);
    print_references(seconds);
    print_kernels(sessions);
    return 0;
}
