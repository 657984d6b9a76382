/*
 * How noisy is this machine, and what does the gate of the measurement protocol do about it?
 *
 *     bench_noise [SECONDS_PER_CPU [SESSIONS]]
 *
 * 1. Throughput and latency references of every CPU: is there a slow state, how slow, for how long?
 * 2. Kernels on each CPU runtime, each in several sessions, interleaved: how far does a session's estimate depend on
 * the moment, with all samples, with all brought to one clock by the latency reference, and with those of the quiet
 *    state's step only, and how do samples follow the reference beside them?
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
#define LEAST_SAMPLES 3 /* for a percentile to be believed */

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

/* Ways from the samples of a session to its estimate. */
typedef enum way {
    ALL,
    BY_CLOCK,
    ONE_STEP,
    WAYS
} way;

typedef struct outcome {
    double value[WAYS][MAX_SESSIONS];
    size_t count[WAYS];
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

static void add_value(outcome *o, way w, double *values, size_t count, double share)
{
    if (count >= LEAST_SAMPLES) o->value[w][o->count[w]++] = nnm_percentile(values, count, share);
}

static void add_round(outcome *o, const nnm_round *round, double step_gate)
{
    double all[NNM_MAX_SAMPLES], by_clock[NNM_MAX_SAMPLES], one_step[NNM_MAX_SAMPLES];
    size_t quiet = 0;
    for (size_t i = 0; i < round->sample_count; i++) {
        all[i] = round->sample_ns[i];
        by_clock[i] = round->sample_ns[i] / round->sample_clock_ns[i];
        if (fabs(round->reference_ns[i] / round->reference_best_ns - 1) <= step_gate)
            one_step[quiet++] = round->sample_ns[i];
    }
    add_value(o, ALL, all, round->sample_count, 0.1);
    add_value(o, BY_CLOCK, by_clock, round->sample_count, 0.1);
    add_value(o, ONE_STEP, one_step, quiet, 0.2);
    double r = correlation(round->sample_ns, round->reference_ns, round->sample_count);
    if (isfinite(r)) {
        o->correlation_sum += r;
        o->correlations++;
    }
}

static double median_of(const double *values, size_t count)
{
    double copy[MAX_SESSIONS];
    memcpy(copy, values, count * sizeof *copy);
    return nnm_percentile(copy, count, 0.5);
}

/* 1.4826 times the median absolute deviation from the median, as a share of it. */
static double deviation(const double *values, size_t count)
{
    double distances[MAX_SESSIONS];
    if (count < 2) return (double)NAN;
    double center = median_of(values, count);
    for (size_t i = 0; i < count; i++)
        distances[i] = fabs(values[i] - center);
    return 1.4826 * nnm_percentile(distances, count, 0.5) / center;
}

/* Share of pairs of sessions whose estimates differ by at most 5 %. */
static double agreement(const double *values, size_t count)
{
    size_t pairs = 0, agreeing = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            pairs++;
            agreeing += fabs(values[i] - values[j]) <= 0.05 * fmin(values[i], values[j]);
        }
    return pairs ? (double)agreeing / (double)pairs : (double)NAN;
}

static void print_outcome(size_t i, const outcome *o)
{
    double us = o->count[ONE_STEP] ? median_of(o->value[ONE_STEP], o->count[ONE_STEP]) * 1e-3 : (double)NAN;
    printf("%-15s %-48s %9.1f %3zu/%-2zu", cases[i].kernel, cases[i].config, us, o->count[ONE_STEP], o->count[ALL]);
    for (int w = 0; w < WAYS; w++)
        printf("   %5.1f%% %4.0f%%", 100 * deviation(o->value[w], o->count[w]),
               100 * agreement(o->value[w], o->count[w]));
    printf(" %6.2f\n", o->correlations ? o->correlation_sum / (double)o->correlations : (double)NAN);
}

/* Over the kernels of a type: median of the deviations, mean of the agreements. */
static void print_type(const char *kernel, const outcome *outcomes)
{
    printf("%-74s    all", kernel);
    for (int w = 0; w < WAYS; w++) {
        double deviations[CASES], agreements = 0;
        size_t count = 0;
        for (size_t i = 0; i < CASES; i++) {
            if (strcmp(cases[i].kernel, kernel) != 0 || outcomes[i].count[w] < 2) continue;
            deviations[count++] = deviation(outcomes[i].value[w], outcomes[i].count[w]);
            agreements += agreement(outcomes[i].value[w], outcomes[i].count[w]);
        }
        if (count)
            printf("   %5.1f%% %4.0f%%", 100 * nnm_percentile(deviations, count, 0.5),
                   100 * agreements / (double)count);
    }
    printf("\n");
}

static void measure_kernels(const char *backend_name, char path[CASES][64], size_t sessions)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend *backend = NULL;
    nnm_worker *worker = NULL;
    nnm_session_options options = {.threads = 1};
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    nnm_round *round = malloc(sizeof *round);
    outcome *outcomes = calloc(CASES, sizeof *outcomes);
    if (!round || !outcomes) exit(1);
    if (nnm_backend_find(&backend, backend_name, &err) || nnm_worker_start(&worker, backend, &options, &protocol, &err))
        die("start", &err);
    double quiet_samples = 0, samples = 0;
    uint64_t begin = nnm_clock_ns();
    for (size_t session = 0; session < sessions; session++)
        for (size_t i = 0; i < CASES; i++) {
            if (nnm_worker_measure(worker, path[i], round, &err)) die(path[i], &err);
            add_round(&outcomes[i], round, protocol.clock_gate);
            samples += (double)round->sample_count;
            quiet_samples += (double)round->quiet_count;
        }
    double round_ms = (double)(nnm_clock_ns() - begin) * 1e-6 / (double)(sessions * CASES);
    nnm_worker_stop(worker);
    printf("\n%s, CPU %d, %zu sessions of %.0f ms (%.1f ms with all around), %.0f %% of the samples quiet. Relative "
           "deviation\nand pairs within 5 %%: of all samples; divided by the latency reference; of one step only. "
           "Correlation of samples with the reference beside them (r)\n",
           backend_name, round->cpu, sessions, protocol.round_ms, round_ms, 100 * quiet_samples / samples);
    printf("%-15s %-48s %9s %6s   %6s %5s   %6s %5s   %6s %5s %6s\n", "kernel", "configuration", "us", "quiet", "all",
           "5%", "clock", "5%", "step", "5%", "r");
    for (size_t i = 0; i < CASES; i++)
        print_outcome(i, &outcomes[i]);
    print_type("conv-bn-relu", outcomes);
    print_type("dwconv-bn-relu", outcomes);
    free(outcomes);
    free(round);
}

static void print_kernels(size_t sessions)
{
    char folder[] = "/tmp/bench-noise-XXXXXX", path[CASES][64];
    if (!mkdtemp(folder)) exit(1);
    for (size_t i = 0; i < CASES; i++) {
        snprintf(path[i], sizeof path[i], "%s/%zu.onnx", folder, i);
        write_model(cases[i].kernel, cases[i].config, path[i]);
    }
    measure_kernels("xnnpack_cpu", path, sessions);
    measure_kernels("onnxruntime_cpu", path, sessions);
    for (size_t i = 0; i < CASES; i++)
        (void)unlink(path[i]);
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
