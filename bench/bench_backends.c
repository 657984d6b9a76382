/*
 * The runtimes side by side: how long a session takes to open, how much memory it needs, and how near each kernel comes
 * to the peak of one core.
 *
 *     bench_backends
 *
 * All of it in one run, with one thread and ONNX files, which every runtime reads. Times come from the protocol of
 * measure.h with its defaults. The peak is measured as well: fused multiply-adds on the widest vectors of the core.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/clock.h"
#include "nnmeter/kernel.h"
#include "nnmeter/measure.h"
#include "nnmeter/model_file.h"

#define MAX_BACKENDS 8
#define OPENINGS 9

static const struct {
    const char *kernel, *config;
} kernels[] = {
    {"conv-bn-relu", "HW=56,CIN=64,COUT=64,KERNEL_SIZE=3,STRIDES=1"},
    {"conv-bn-relu", "HW=14,CIN=256,COUT=1024,KERNEL_SIZE=1,STRIDES=1"},
    {"conv-bn-relu", "HW=224,CIN=3,COUT=64,KERNEL_SIZE=7,STRIDES=2"},
    {"conv-bn-relu", "HW=7,CIN=512,COUT=512,KERNEL_SIZE=3,STRIDES=1"},
    {"dwconv-bn-relu", "HW=56,CIN=128,COUT=128,KERNEL_SIZE=3,STRIDES=1"},
    {"dwconv-bn-relu", "HW=14,CIN=480,COUT=480,KERNEL_SIZE=5,STRIDES=1"},
    {"fc", "CIN=2048,COUT=1000"},
    {"matmul", "B=1,M=196,N=768,K=768"},
    {"maxpool", "HW=56,CIN=64,COUT=64,KERNEL_SIZE=3,POOL_STRIDES=2"},
    {"se", "HW=28,CIN=120"},
    {"hswish", "HW=56,CIN=64"},
};
#define KERNELS (sizeof kernels / sizeof *kernels)

static void check(nnm_status status, const nnm_error *err)
{
    if (status == NNM_OK) return;
    fprintf(stderr, "bench_backends: %s: %s\n", nnm_status_name(status), err->message);
    exit(1);
}

/* ---- the core's peak ---- */

#if defined(__x86_64__)
#define CHAINS 12 /* two units, four cycles each, and some to spare */
#define STEPS 20000

/* Runs STEPS fused multiply-adds on each of CHAINS vectors. */
#define DEFINE_RUN(name, feature, vector, width, set1, fmadd, storeu)                   \
    __attribute__((target(feature))) static float name(float start)                     \
    {                                                                                   \
        vector chain[CHAINS], scale = set1(0.75f * start), shift = set1(0.25f * start); \
        for (int i = 0; i < CHAINS; i++)                                                \
            chain[i] = set1(start + (float)i);                                          \
        for (int step = 0; step < STEPS; step++) {                                      \
            chain[0] = fmadd(chain[0], scale, shift);                                   \
            chain[1] = fmadd(chain[1], scale, shift);                                   \
            chain[2] = fmadd(chain[2], scale, shift);                                   \
            chain[3] = fmadd(chain[3], scale, shift);                                   \
            chain[4] = fmadd(chain[4], scale, shift);                                   \
            chain[5] = fmadd(chain[5], scale, shift);                                   \
            chain[6] = fmadd(chain[6], scale, shift);                                   \
            chain[7] = fmadd(chain[7], scale, shift);                                   \
            chain[8] = fmadd(chain[8], scale, shift);                                   \
            chain[9] = fmadd(chain[9], scale, shift);                                   \
            chain[10] = fmadd(chain[10], scale, shift);                                 \
            chain[11] = fmadd(chain[11], scale, shift);                                 \
        }                                                                               \
        float sum = 0, lanes[width];                                                    \
        for (int i = 0; i < CHAINS; i++) {                                              \
            storeu(lanes, chain[i]);                                                    \
            sum += lanes[0];                                                            \
        }                                                                               \
        return sum;                                                                     \
    }
DEFINE_RUN(run_avx512, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps)
DEFINE_RUN(run_fma, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps)

static double best_gflops(float (*run)(float), double width)
{
    volatile float start = 1.0f, sink = 0;
    double best_ns = 0;
    for (int i = 0; i < 200; i++) {
        uint64_t begin = nnm_clock_ns();
        sink = run(start);
        double ns = (double)(nnm_clock_ns() - begin);
        if (best_ns == 0 || ns < best_ns) best_ns = ns;
    }
    (void)sink;
    return 2.0 * width * CHAINS * STEPS / best_ns;
}

static double peak_gflops(void)
{
    double wide = __builtin_cpu_supports("avx512f") ? best_gflops(run_avx512, 16) : 0;
    double narrow = __builtin_cpu_supports("fma") ? best_gflops(run_fma, 8) : 0;
    return wide > narrow ? wide : narrow;
}
#else
static double peak_gflops(void)
{
    return 0; /* not known how to measure */
}
#endif

/* ---- one kernel ---- */

static double write_model(size_t index, const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_kernel_config config = {{0}};
    nnm_graph *graph = NULL;
    nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
    check(nnm_kernel_find(&kernel, kernels[index].kernel, &err), &err);
    check(nnm_kernel_config_parse(&config, kernel, kernels[index].config, &err), &err);
    check(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err), &err);
    check(nnm_onnx_write(graph, path, &err), &err);
    nnm_graph_free(graph);
    return (double)nnm_kernel_flops(kernel, &config);
}

static double latency_ms(nnm_worker *worker, const nnm_protocol *protocol, const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_round *rounds = calloc(protocol->rounds, sizeof *rounds);
    double latency_ns = 0, spread_ns = 0;
    if (!rounds) exit(1);
    for (unsigned i = 0; i < protocol->rounds; i++)
        check(nnm_worker_measure(worker, path, &rounds[i], &err), &err);
    nnm_rounds_combine(rounds, protocol->rounds, &latency_ns, &spread_ns);
    free(rounds);
    return latency_ns * 1e-6;
}

/* ---- opening and memory ---- */

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The largest resident set this process has had, MiB. */
static double peak_mib(void)
{
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0) kib = strtol(line + 6, NULL, 10);
    if (status) fclose(status);
    return (double)kib / 1024;
}

typedef struct opening {
    double first_ms; /* of a process: the runtime is loaded and set up */
    double next_ms;  /* median of those that follow */
    double mib;      /* what the first session and one run added to the process at its highest */
} opening;

static opening open_sessions(const nnm_backend *backend, const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_session_options options = {.threads = 1};
    double ms[OPENINGS], before_mib = peak_mib(), mib = 0;
    for (int i = 0; i < OPENINGS; i++) {
        nnm_session *session = NULL;
        uint64_t begin = nnm_clock_ns();
        check(backend->open(backend, &session, path, &options, &err), &err);
        ms[i] = (double)(nnm_clock_ns() - begin) * 1e-6;
        check(backend->run(session, &err), &err);
        if (i == 0) mib = peak_mib() - before_mib;
        backend->close(session);
    }
    qsort(ms + 1, OPENINGS - 1, sizeof *ms, compare);
    return (opening){ms[0], ms[1 + (OPENINGS - 1) / 2], mib};
}

/* In a process of its own, so that no runtime finds what another has left. */
static opening open_apart(const nnm_backend *backend, const char *path)
{
    opening out = {0};
    int ends[2], status = 0;
    if (pipe(ends) != 0) exit(1);
    pid_t pid = fork();
    if (pid < 0) exit(1);
    if (pid == 0) {
        out = open_sessions(backend, path);
        _exit(write(ends[1], &out, sizeof out) == (ssize_t)sizeof out ? 0 : 1);
    }
    bool ok = read(ends[0], &out, sizeof out) == (ssize_t)sizeof out;
    close(ends[0]);
    close(ends[1]);
    if (waitpid(pid, &status, 0) != pid || !ok) exit(1);
    return out;
}

/* ---- tables ---- */

static void print_openings(const nnm_backend *const *backends, size_t count, const char *path)
{
    static const size_t shown[] = {0, 3, 4, 6};
    printf("%-16s %-14s %-48s %10s %10s %10s\n", "backend", "kernel", "configuration", "first ms", "next ms",
           "memory MiB");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        (void)write_model(shown[i], path);
        for (size_t b = 0; b < count; b++) {
            opening o = open_apart(backends[b], path);
            printf("%-16s %-14s %-48s %10.1f %10.2f %10.1f\n", backends[b]->name, kernels[shown[i]].kernel,
                   kernels[shown[i]].config, o.first_ms, o.next_ms, o.mib);
            fflush(stdout);
        }
    }
}

static void print_speeds(const nnm_backend *const *backends, size_t count, const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    nnm_session_options options = {.threads = 1};
    nnm_worker *workers[MAX_BACKENDS] = {NULL};
    double peak = peak_gflops();
    for (size_t b = 0; b < count; b++)
        check(nnm_worker_start(&workers[b], backends[b], &options, &protocol, &err), &err);
    printf("\npeak of one core, fused multiply-adds on 32-bit floats: %.0f GFLOP/s\n\n", peak);
    printf("%-14s %-48s", "kernel", "configuration");
    for (size_t b = 0; b < count; b++)
        printf(" | %-15s ms  GFLOP/s  peak", backends[b]->name);
    printf("\n");
    for (size_t i = 0; i < KERNELS; i++) {
        double flops = write_model(i, path);
        printf("%-14s %-48s", kernels[i].kernel, kernels[i].config);
        for (size_t b = 0; b < count; b++) {
            double ms = latency_ms(workers[b], &protocol, path), gflops = flops / ms * 1e-6;
            printf(" | %18.4f %8.2f %4.0f%%", ms, gflops, peak > 0 ? 100 * gflops / peak : 0);
            fflush(stdout);
        }
        printf("\n");
    }
    for (size_t b = 0; b < count; b++)
        nnm_worker_stop(workers[b]);
}

int main(void)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_machine_lock *lock = NULL;
    nnm_session_options options = {.threads = 1};
    const nnm_backend *backends[MAX_BACKENDS];
    size_t count = 0;
    check(nnm_machine_lock_take(&lock, "bench_backends", &err), &err);
    for (size_t i = 0; i < nnm_backend_count() && count < MAX_BACKENDS; i++) {
        nnm_backend_info info = {0};
        nnm_backend_probe(nnm_backend_at(i), &options, &info);
        if (!nnm_backend_at(i)->run)
            printf("%s is left out: it computes nothing that could be timed here\n", nnm_backend_at(i)->name);
        else if (info.available)
            backends[count++] = nnm_backend_at(i);
        else
            printf("%s is left out: %s\n", nnm_backend_at(i)->name, info.why_not);
    }
    char path[64];
    snprintf(path, sizeof path, "/tmp/bench_backends_%ld.onnx", (long)getpid());
    print_openings(backends, count, path);
    print_speeds(backends, count, path);
    unlink(path);
    nnm_machine_lock_release(lock);
    return 0;
}
