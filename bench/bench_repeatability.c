/*
 * Do two people who measure the same kernels on the same machine get the same numbers, and what does that cost?
 *
 *     bench_repeatability [--kernels N] [--minutes M] [--max-gflops G] [--backend B] [--kernel-type K] [--only P]...
 *
 * Kernels of the prior are measured in two passes that begin M minutes apart, by the protocols of measure.h (default,
 * quick, thorough) and by two that are usual: the mean, and the minimum, of 50 runs after 10 warm-ups. What is printed
 * is the share of kernels whose two latencies differ by at most 5 and 10 %, and the time that a kernel took in a pass.
 * The passes belong to one workspace, which knows its quiet state; with --separate each looks for one of its own.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "nnmeter/measure.h"
#include "nnmeter/model_file.h"
#include "nnmeter/sampler.h"

#define PEER_WARMUPS 10
#define PEER_RUNS 50
#define WINDOW_S 8.0 /* going once through the kernels of a window takes about this long, as in profiling */
#define STUBBORNNESS 2
#define MAX_SETS 4

typedef enum method {
    DEFAULT = 0,
    QUICK,
    THOROUGH,
    PEERS, /* mean and minimum of the same runs */
    METHODS
} method;
static const char *const method_names[METHODS] = {"default", "quick", "thorough", "peers"};

typedef struct item {
    char path[96];
    double latency_ns[METHODS + 1][2]; /* by pass; one more for the minimum */
    nnm_round *rounds;
    size_t round_count;
    double spent_s, waited_s;
} item;

/* The kernels of one type on one backend. */
typedef struct set {
    const char *kernel, *backend;
    item *items;
    size_t count;
    double spent_s[METHODS][2], waited_s[METHODS][2];
    size_t samples[METHODS], quiet[METHODS];
    nnm_protocol protocol; /* keeps the quiet state from pass to pass where that is wanted */
} set;

typedef struct choices {
    size_t kernels;
    double minutes, max_flops;
    const char *backend, *kernel;
    bool wanted[METHODS], separate;
} choices;

static void check(nnm_status status, const nnm_error *err)
{
    if (status == NNM_OK) return;
    fprintf(stderr, "bench_repeatability: %s: %s\n", nnm_status_name(status), err->message);
    exit(1);
}

static double seconds_since(uint64_t begin)
{
    return (double)(nnm_clock_ns() - begin) * 1e-9;
}

/* ---- kernels ---- */

static void write_model(const nnm_kernel *kernel, const nnm_kernel_config *config, const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
    check(nnm_kernel_build_graph(&graph, kernel, config, &options, &err), &err);
    check(nnm_onnx_write(graph, path, &err), &err);
    nnm_graph_free(graph);
}

/* Kernels of the prior in random order, without those above the limit. */
static void draw(set *s, const choices *c, const char *folder)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_prior *prior = NULL;
    nnm_config_list all = {0};
    check(nnm_kernel_find(&kernel, s->kernel, &err), &err);
    check(nnm_prior_builtin(&prior, kernel, &err), &err);
    check(nnm_sample_prior(&all, kernel, prior, 2 * c->kernels, 1, NULL, &err), &err);
    nnm_rng rng;
    nnm_rng_init(&rng, 1, 1);
    nnm_rng_shuffle(&rng, all.items, all.count, sizeof *all.items);
    s->items = calloc(c->kernels, sizeof *s->items);
    if (!s->items) exit(1);
    for (size_t i = 0; i < all.count && s->count < c->kernels; i++) {
        if (nnm_kernel_flops(kernel, &all.items[i]) > c->max_flops) continue;
        item *it = &s->items[s->count++];
        snprintf(it->path, sizeof it->path, "%s/%s-%zu.onnx", folder, s->kernel, s->count);
        if (access(it->path, R_OK) != 0) write_model(kernel, &all.items[i], it->path);
    }
    nnm_config_list_fini(&all);
    nnm_prior_free(prior);
}

/* ---- ours ---- */

static bool is_complete(const nnm_protocol *p, const item *it)
{
    if (it->round_count == 0) return false;
    if (it->spent_s - it->waited_s >= p->budget_s || it->round_count >= STUBBORNNESS * p->max_rounds) return true;
    size_t caught = 0;
    for (size_t i = 0; i < it->round_count; i++)
        caught += nnm_round_is_caught(&it->rounds[i]);
    if (it->waited_s >= p->wait_s) caught = it->round_count;
    if (caught < p->rounds) return false;
    return caught >= p->max_rounds || nnm_rounds_error(it->rounds, it->round_count) <= p->target_error;
}

static void take_round(set *s, item *it, nnm_worker *worker, method m)
{
    nnm_error err = NNM_ERROR_INIT;
    uint64_t begin = nnm_clock_ns();
    it->rounds = realloc(it->rounds, (it->round_count + 1) * sizeof *it->rounds);
    if (!it->rounds) exit(1);
    nnm_round *round = &it->rounds[it->round_count++];
    check(nnm_worker_measure(worker, it->path, round, &err), &err);
    it->spent_s += seconds_since(begin);
    it->waited_s += round->waited_ns * 1e-9;
    s->samples[m] += round->sample_count;
    s->quiet[m] += round->quiet_count;
    s->protocol.reference_ns = round->reference_best_ns;
    if (round->quiet_count) s->protocol.reference_clock_ns = round->clock_ns;
}

static void finish(set *s, item *it, method m, int pass)
{
    double spread_ns;
    nnm_rounds_combine(it->rounds, it->round_count, &it->latency_ns[m][pass], &spread_ns);
    s->spent_s[m][pass] += it->spent_s;
    s->waited_s[m][pass] += it->waited_s;
    free(it->rounds);
    it->rounds = NULL;
    it->round_count = 0;
    it->spent_s = it->waited_s = 0;
}

/* The schedule of profiling: a window of kernels, one round each, again and again. */
static void measure_ours(set *s, nnm_worker *worker, method m, int pass)
{
    item **window = calloc(s->count, sizeof *window);
    size_t in_window = 0, next = 0;
    double sweep_s = 0;
    if (!window) exit(1);
    for (;;) {
        while (next < s->count && sweep_s < WINDOW_S) {
            uint64_t begin = nnm_clock_ns();
            window[in_window] = &s->items[next++];
            take_round(s, window[in_window++], worker, m);
            sweep_s += seconds_since(begin);
        }
        size_t kept = 0;
        uint64_t begin = nnm_clock_ns();
        for (size_t i = 0; i < in_window; i++) {
            if (!is_complete(&s->protocol, window[i])) take_round(s, window[i], worker, m);
            if (is_complete(&s->protocol, window[i]))
                finish(s, window[i], m, pass);
            else
                window[kept++] = window[i];
        }
        sweep_s = seconds_since(begin) * (double)kept / (double)(in_window ? in_window : 1);
        in_window = kept;
        if (in_window == 0 && next == s->count) break;
    }
    free(window);
}

static void run_ours(set *s, const choices *c, method m, int pass)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend *backend = NULL;
    nnm_worker *worker = NULL;
    nnm_session_options options = {.threads = 1};
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    if (!c->separate) {
        protocol.reference_ns = s->protocol.reference_ns;
        protocol.reference_clock_ns = s->protocol.reference_clock_ns;
    }
    if (m == QUICK) nnm_protocol_quick(&protocol);
    if (m == THOROUGH) nnm_protocol_thorough(&protocol);
    s->protocol = protocol;
    check(nnm_backend_find(&backend, s->backend, &err), &err);
    check(nnm_worker_start(&worker, backend, &options, &protocol, &err), &err);
    measure_ours(s, worker, m, pass);
    nnm_worker_stop(worker);
}

/* ---- theirs ---- */

static void run_peers(set *s, int pass)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend *backend = NULL;
    nnm_session_options options = {.threads = 1};
    check(nnm_backend_find(&backend, s->backend, &err), &err);
    for (size_t i = 0; i < s->count; i++) {
        nnm_session *session = NULL;
        uint64_t begin = nnm_clock_ns();
        double sum_ns = 0, least_ns = (double)INFINITY;
        check(backend->open(&session, s->items[i].path, &options, &err), &err);
        for (int run = 0; run < PEER_WARMUPS + PEER_RUNS; run++) {
            uint64_t run_begin = nnm_clock_ns();
            check(backend->run(session, &err), &err);
            double run_ns = (double)(nnm_clock_ns() - run_begin);
            if (run < PEER_WARMUPS) continue;
            sum_ns += run_ns;
            least_ns = fmin(least_ns, run_ns);
        }
        backend->close(session);
        s->items[i].latency_ns[PEERS][pass] = sum_ns / PEER_RUNS;
        s->items[i].latency_ns[PEERS + 1][pass] = least_ns;
        s->spent_s[PEERS][pass] += seconds_since(begin);
    }
}

/* ---- the table ---- */

static double agreement(const set *s, int row, double limit)
{
    size_t agreeing = 0;
    for (size_t i = 0; i < s->count; i++) {
        double a = s->items[i].latency_ns[row][0], b = s->items[i].latency_ns[row][1];
        agreeing += fabs(a - b) <= limit * fmin(a, b);
    }
    return 100.0 * (double)agreeing / (double)s->count;
}

static void print_row(const set *s, int row)
{
    static const char *const titles[METHODS + 1] = {"ours, default", "ours, --quick", "ours, --thorough",
                                                    "mean of 50 after 10", "minimum of 50 after 10"};
    int m = row > PEERS ? PEERS : row;
    double per_kernel = 500.0 / (double)s->count;
    printf("%-16s %-15s %-24s %8zu %7.1f%% %7.1f%% %9.0f %9.0f", s->backend, s->kernel, titles[row], s->count,
           agreement(s, row, 0.05), agreement(s, row, 0.10), per_kernel * (s->spent_s[m][0] + s->spent_s[m][1]),
           per_kernel * (s->waited_s[m][0] + s->waited_s[m][1]));
    if (s->samples[m])
        printf(" %6.0f%%\n", 100.0 * (double)s->quiet[m] / (double)s->samples[m]);
    else
        printf(" %7s\n", "-");
}

static void print_table(const set *sets, size_t count, const choices *c)
{
    printf("%-16s %-15s %-24s %8s %8s %8s %9s %9s %7s\n", "backend", "kernel", "protocol", "kernels", "in 5 %",
           "in 10 %", "ms each", "waited", "quiet");
    for (size_t i = 0; i < count; i++)
        for (int row = 0; row <= METHODS; row++)
            if (c->wanted[row > PEERS ? PEERS : row]) print_row(&sets[i], row);
}

/* ---- the whole ---- */

static bool read_choices(int argc, char **argv, choices *c)
{
    static const struct option options[] = {
        {"kernels", required_argument, NULL, 'n'},     {"minutes", required_argument, NULL, 'm'},
        {"max-gflops", required_argument, NULL, 'g'},  {"backend", required_argument, NULL, 'b'},
        {"kernel-type", required_argument, NULL, 'k'}, {"only", required_argument, NULL, 'o'},
        {"separate", no_argument, NULL, 's'},          {NULL, 0, NULL, 0}};
    bool any = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        size_t m = 0;
        switch (option) {
        case 'n': c->kernels = (size_t)strtoul(optarg, NULL, 10); break;
        case 'm': c->minutes = strtod(optarg, NULL); break;
        case 'g': c->max_flops = strtod(optarg, NULL) * 1e9; break;
        case 'b': c->backend = optarg; break;
        case 'k': c->kernel = optarg; break;
        case 's': c->separate = true; break;
        case 'o':
            while (m < METHODS && strcmp(optarg, method_names[m]) != 0)
                m++;
            if (m == METHODS) return false;
            any = c->wanted[m] = true;
            break;
        default: return false;
        }
    }
    for (size_t m = 0; m < METHODS && !any; m++)
        c->wanted[m] = m != THOROUGH;
    return optind == argc && c->kernels >= 1 && c->kernels <= 10000 && c->minutes >= 0 && c->max_flops > 0;
}

static void run_pass(set *sets, size_t count, const choices *c, int pass)
{
    for (size_t i = 0; i < count; i++)
        for (int m = 0; m < METHODS; m++) {
            if (!c->wanted[m]) continue;
            fprintf(stderr, "pass %d: %s %s %s\n", pass + 1, sets[i].backend, sets[i].kernel, method_names[m]);
            if (m == PEERS)
                run_peers(&sets[i], pass);
            else
                run_ours(&sets[i], c, (method)m, pass);
        }
}

static void sleep_until(uint64_t begin, double seconds)
{
    while (seconds_since(begin) < seconds) {
        struct timespec pause = {1, 0};
        (void)nanosleep(&pause, NULL);
    }
}

int main(int argc, char **argv)
{
    static const char *const backends[] = {"xnnpack_cpu", "onnxruntime_cpu"};
    static const char *const kernels[] = {"conv-bn-relu", "dwconv-bn-relu"};
    choices c = {.kernels = 200, .minutes = 10, .max_flops = 2e9};
    set sets[MAX_SETS] = {0};
    size_t count = 0;
    char folder[] = "/tmp/bench-repeatability-XXXXXX";
    if (!read_choices(argc, argv, &c)) {
        fprintf(stderr, "usage: bench_repeatability [--kernels N] [--minutes M] [--max-gflops G] [--backend NAME]\n"
                        "           [--kernel-type NAME] [--only default|quick|thorough|peers]... [--separate]\n");
        return 2;
    }
    nnm_error err = NNM_ERROR_INIT;
    nnm_machine_lock *lock = NULL;
    check(nnm_machine_lock_take(&lock, "bench_repeatability", &err), &err);
    if (!mkdtemp(folder)) exit(1);
    for (size_t b = 0; b < 2; b++)
        for (size_t k = 0; k < 2; k++) {
            if ((c.backend && strcmp(c.backend, backends[b]) != 0) || (c.kernel && strcmp(c.kernel, kernels[k]) != 0))
                continue;
            sets[count] = (set){.backend = backends[b], .kernel = kernels[k]};
            draw(&sets[count++], &c, folder);
        }
    uint64_t begin = nnm_clock_ns();
    run_pass(sets, count, &c, 0);
    sleep_until(begin, c.minutes * 60.0);
    run_pass(sets, count, &c, 1);
    print_table(sets, count, &c);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sets[i].count; j++)
            (void)unlink(sets[i].items[j].path);
        free(sets[i].items);
    }
    (void)rmdir(folder);
    nnm_machine_lock_release(lock);
    return 0;
}
