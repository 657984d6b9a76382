/*
 * Do two people who measure the same kernels on the same machine get the same numbers, and what does that cost?
 *
 *     bench_repeatability [--kernels N] [--minutes M] [--max-gflops G] [--backend B] [--kernel-type K] [--only P]...
 *                         [--out FILE]
 *
 * Kernels of the prior are measured in two passes that begin M minutes apart, by the protocols of measure.h (default,
 * quick, thorough) and by two that are usual: the mean, and the minimum, of 50 runs after 10 warm-ups. What is printed
 * is the share of kernels whose two latencies differ by at most 5 and 10 %, and the time that a kernel took in a pass;
 * then the same for our protocol, had it stopped after its first rounds. The passes share nothing but the quiet state
 * that the machine keeps for all workspaces. FILE gets every latency as soon as it is known, as CSV.
 */
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "bench/reference.h"
#include "bench/state.h"
#include "nnmeter/measure.h"
#include "nnmeter/model_file.h"
#include "nnmeter/sampler.h"

#define PEER_WARMUPS 10
#define PEER_RUNS 50
#define WINDOW_S 8.0 /* going once through the kernels of a window takes about this long, as in profiling */
#define STUBBORNNESS 2
#define MAX_SETS 4
#define LOOK_S 1.0 /* at the state of the machine, before each row of a pass */
#define MOST_ROUNDS (STUBBORNNESS * NNM_MAX_ROUNDS)

typedef enum method {
    DEFAULT = 0,
    QUICK,
    THOROUGH,
    PEERS, /* mean and minimum of the same runs */
    METHODS
} method;
static const char *const method_names[METHODS] = {"default", "quick", "thorough", "peers"};

/* What the curve needs of a round. */
typedef struct brief {
    double estimate_ns, wall_ns;
    size_t samples, quiet;
} brief;

typedef struct history {
    brief *rounds;
    size_t count;
} history;

typedef struct item {
    char path[96], config[128];
    double latency_ns[METHODS + 1][2]; /* by pass; one more for the minimum; 0: failed */
    history history[METHODS][2];
    nnm_round *rounds;
    size_t round_count;
    double spent_s, waited_s;
    bool failed;
} item;

/* The kernels of one type on one backend. */
typedef struct set {
    const char *kernel, *backend;
    item *items;
    size_t count;
    double spent_s[METHODS][2], waited_s[METHODS][2];
    size_t samples[METHODS], quiet[METHODS];
    uint64_t began_ns[METHODS];
    nnm_protocol protocol;
} set;

typedef struct choices {
    size_t kernels;
    double minutes, max_flops;
    const char *backend, *kernel, *out_path;
    bool wanted[METHODS];
} choices;

/* What is the same for all rows. */
typedef struct bench {
    choices choices;
    nnm_machine_lock *lock;
    FILE *out;
    double quiet_share; /* sum of the looks at the machine */
    size_t looks;
} bench;

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

/* On a terminal only. */
static void show_progress(const char *format, ...)
{
    if (!isatty(STDERR_FILENO)) return;
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "\r\033[K");
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
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
        nnm_kernel_config_format(kernel, &all.items[i], it->config, sizeof it->config);
        if (access(it->path, R_OK) != 0) write_model(kernel, &all.items[i], it->path);
    }
    nnm_config_list_fini(&all);
    nnm_prior_free(prior);
}

/* ---- ours ---- */

static bool is_complete(const nnm_protocol *p, const item *it)
{
    if (it->failed) return true;
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
    nnm_round *round = &it->rounds[it->round_count];
    if (nnm_worker_measure(worker, it->path, round, &err) != NNM_OK) {
        fprintf(stderr, "%s: %s\n", it->path, err.message);
        it->failed = true;
        return;
    }
    it->round_count++;
    it->spent_s += seconds_since(begin);
    it->waited_s += round->waited_ns * 1e-9;
    s->samples[m] += round->sample_count;
    s->quiet[m] += round->quiet_count;
}

static void keep_history(item *it, method m, int pass)
{
    history *h = &it->history[m][pass];
    h->rounds = calloc(it->round_count ? it->round_count : 1, sizeof *h->rounds);
    if (!h->rounds) exit(1);
    h->count = it->round_count;
    for (size_t i = 0; i < h->count; i++) {
        const nnm_round *r = &it->rounds[i];
        h->rounds[i] = (brief){r->estimate_ns, r->wall_ns, r->sample_count, r->quiet_count};
    }
}

static void write_latency(const bench *b, const set *s, const item *it, const char *protocol, int pass,
                          double latency_ns)
{
    if (!b->out) return;
    fprintf(b->out, "%s,%s,\"%s\",%s,%d,%.0f,%.3f,%zu,%.1f,%.1f,", s->backend, s->kernel, it->config, protocol,
            pass + 1, nnm_unix_time_s(), latency_ns, it->round_count, 1e3 * it->spent_s, 1e3 * it->waited_s);
    for (size_t i = 0; i < it->round_count; i++)
        fprintf(b->out, "%s%.3f:%zu/%zu", i ? " " : "", it->rounds[i].estimate_ns, it->rounds[i].quiet_count,
                it->rounds[i].sample_count);
    fputc('\n', b->out);
    (void)fflush(b->out);
}

static void finish(const bench *b, set *s, item *it, method m, int pass)
{
    double spread_ns, latency_ns = 0;
    if (!it->failed) nnm_rounds_combine(it->rounds, it->round_count, &latency_ns, &spread_ns);
    it->latency_ns[m][pass] = latency_ns;
    s->spent_s[m][pass] += it->spent_s;
    s->waited_s[m][pass] += it->waited_s;
    keep_history(it, m, pass);
    write_latency(b, s, it, method_names[m], pass, latency_ns);
    free(it->rounds);
    it->rounds = NULL;
    it->round_count = 0;
    it->spent_s = it->waited_s = 0;
    it->failed = false;
}

/* The schedule of profiling: a window of kernels, one round each, again and again. */
static void measure_ours(const bench *b, set *s, nnm_worker *worker, method m, int pass)
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
                finish(b, s, window[i], m, pass);
            else
                window[kept++] = window[i];
        }
        show_progress("pass %d: %s %s %s: %zu of %zu", pass + 1, s->backend, s->kernel, method_names[m], next - kept,
                      s->count);
        sweep_s = seconds_since(begin) * (double)kept / (double)(in_window ? in_window : 1);
        in_window = kept;
        if (in_window == 0 && next == s->count) break;
    }
    free(window);
}

/* As profiling does it: what the machine's file knows is looked for, and what was found is written down. */
static void run_ours(bench *b, set *s, method m, int pass)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend *backend = NULL;
    nnm_worker *worker = NULL;
    nnm_session_options options = {.threads = 1};
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    nnm_machine_state state = {0};
    if (nnm_machine_state_read(&state)) {
        protocol.reference_ns = state.reference_ns;
        protocol.reference_clock_ns = state.clock_ns;
    }
    if (m == QUICK) nnm_protocol_quick(&protocol);
    if (m == THOROUGH) nnm_protocol_thorough(&protocol);
    s->protocol = protocol;
    check(nnm_backend_find(&backend, s->backend, &err), &err);
    check(nnm_worker_start(&worker, backend, &options, &protocol, &err), &err);
    nnm_worker_quiet_state(worker, &state.reference_ns, &state.clock_ns);
    state.found_unix_s = nnm_unix_time_s();
    if (state.reference_ns != protocol.reference_ns) check(nnm_machine_state_write(b->lock, &state, &err), &err);
    measure_ours(b, s, worker, m, pass);
    nnm_worker_stop(worker);
    nnm_quiet quiet = {.reference_ns = state.reference_ns};
    b->quiet_share += nnm_quiet_share(&quiet, LOOK_S, protocol.gate);
    b->looks++;
}

/* ---- theirs ---- */

typedef struct peer_result {
    double mean_ns, least_ns, spent_s; /* 0 where it failed */
} peer_result;

static nnm_status measure_peers(const nnm_backend *backend, const char *path, peer_result *out, nnm_error *err)
{
    nnm_session_options options = {.threads = 1};
    nnm_session *session = NULL;
    uint64_t begin = nnm_clock_ns();
    double sum_ns = 0, least_ns = (double)INFINITY;
    nnm_status status = backend->open(backend, &session, path, &options, err);
    if (status) return status;
    for (int run = 0; run < PEER_WARMUPS + PEER_RUNS && status == NNM_OK; run++) {
        uint64_t run_begin = nnm_clock_ns();
        status = backend->run(session, err);
        double run_ns = (double)(nnm_clock_ns() - run_begin);
        if (run < PEER_WARMUPS) continue;
        sum_ns += run_ns;
        least_ns = fmin(least_ns, run_ns);
    }
    backend->close(session);
    if (status == NNM_OK) *out = (peer_result){sum_ns / PEER_RUNS, least_ns, seconds_since(begin)};
    return status;
}

/* In a process of its own: workers are forked from this one, in which no runtime may have run. */
static void run_peers(const bench *b, set *s, int pass)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend *backend = NULL;
    check(nnm_backend_find(&backend, s->backend, &err), &err);
    size_t bytes = s->count * sizeof(peer_result);
    peer_result *results = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED) exit(1);
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) exit(1);
    for (size_t i = 0; pid == 0 && i < s->count; i++) {
        if (measure_peers(backend, s->items[i].path, &results[i], &err) != NNM_OK)
            fprintf(stderr, "%s: %s\n", s->items[i].path, err.message);
        show_progress("pass %d: %s %s peers: %zu of %zu", pass + 1, s->backend, s->kernel, i + 1, s->count);
    }
    if (pid == 0) _exit(0);
    (void)waitpid(pid, NULL, 0);
    for (size_t i = 0; i < s->count; i++) {
        item *it = &s->items[i];
        it->spent_s = results[i].spent_s;
        it->latency_ns[PEERS][pass] = results[i].mean_ns;
        it->latency_ns[PEERS + 1][pass] = results[i].least_ns;
        write_latency(b, s, it, "mean", pass, results[i].mean_ns);
        write_latency(b, s, it, "minimum", pass, results[i].least_ns);
        s->spent_s[PEERS][pass] += it->spent_s;
        it->spent_s = 0;
    }
    (void)munmap(results, bytes);
}

/* ---- the table ---- */

typedef struct agreement {
    size_t measured; /* in both passes */
    double in5, in10;
} agreement;

static void compare(agreement *a, double first_ns, double second_ns)
{
    if (first_ns <= 0 || second_ns <= 0) return;
    double difference = fabs(first_ns - second_ns) / fmin(first_ns, second_ns);
    a->measured++;
    a->in5 += difference <= 0.05;
    a->in10 += difference <= 0.10;
}

static void print_agreement(const agreement *a)
{
    double share = a->measured ? 100.0 / (double)a->measured : 0;
    printf(" %7zu %7.1f%% %7.1f%%", a->measured, share * a->in5, share * a->in10);
}

static void print_titles(void)
{
    printf("%-16s %-15s %-24s %7s %7s %8s %8s %9s %9s %7s %8s\n", "backend", "kernel", "protocol", "kernels", "both",
           "in 5 %", "in 10 %", "ms each", "waited", "quiet", "min. apart");
}

static void print_row(const set *s, int row)
{
    static const char *const titles[METHODS + 1] = {"ours, default", "ours, --quick", "ours, --thorough",
                                                    "mean of 50 after 10", "minimum of 50 after 10"};
    int m = row > PEERS ? PEERS : row;
    double per_kernel = 500.0 / (double)s->count, apart_s = seconds_since(s->began_ns[m]);
    agreement a = {0};
    for (size_t i = 0; i < s->count; i++)
        compare(&a, s->items[i].latency_ns[row][0], s->items[i].latency_ns[row][1]);
    printf("%-16s %-15s %-24s %7zu", s->backend, s->kernel, titles[row], s->count);
    print_agreement(&a);
    printf(" %9.0f %9.0f", per_kernel * (s->spent_s[m][0] + s->spent_s[m][1]),
           per_kernel * (s->waited_s[m][0] + s->waited_s[m][1]));
    if (s->samples[m])
        printf(" %6.0f%%", 100.0 * (double)s->quiet[m] / (double)s->samples[m]);
    else
        printf(" %7s", "-");
    printf(" %8.1f\n", (apart_s - s->spent_s[m][1]) / 60.0);
    (void)fflush(stdout);
}

/* ---- the curve ---- */

/* The latency, had the kernel got `limit` rounds at most; adds what these cost. */
static double latency_of_first(const history *h, size_t limit, nnm_round *scratch, double *wall_ns)
{
    size_t count = h->count < limit ? h->count : limit;
    double latency_ns = 0, spread_ns;
    for (size_t i = 0; i < count; i++) {
        scratch[i].estimate_ns = h->rounds[i].estimate_ns;
        scratch[i].sample_count = h->rounds[i].samples;
        scratch[i].quiet_count = h->rounds[i].quiet;
        *wall_ns += h->rounds[i].wall_ns;
    }
    if (count) nnm_rounds_combine(scratch, count, &latency_ns, &spread_ns);
    return latency_ns;
}

static void print_curve(const set *s, method m, nnm_round *scratch)
{
    static const size_t limits[] = {1, 2, 3, 5, 8, 12, MOST_ROUNDS};
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        agreement a = {0};
        double wall_ns = 0;
        for (size_t i = 0; i < s->count; i++) {
            const history *h = s->items[i].history[m];
            double first_ns = latency_of_first(&h[0], limits[l], scratch, &wall_ns);
            compare(&a, first_ns, latency_of_first(&h[1], limits[l], scratch, &wall_ns));
        }
        char title[32] = "all its rounds";
        if (limits[l] < MOST_ROUNDS) snprintf(title, sizeof title, "at most %zu rounds", limits[l]);
        printf("%-16s %-15s %-24s %7zu", s->backend, s->kernel, title, s->count);
        print_agreement(&a);
        printf(" %9.0f\n", 0.5e-6 * wall_ns / (double)s->count);
    }
}

static void print_curves(const bench *b, const set *sets, size_t count)
{
    nnm_round *scratch = calloc(MOST_ROUNDS, sizeof *scratch);
    if (!scratch) exit(1);
    for (int m = 0; m < PEERS; m++) {
        if (!b->choices.wanted[m]) continue;
        printf("\nThe protocol '%s', had it stopped earlier:\n", method_names[m]);
        for (size_t i = 0; i < count; i++)
            print_curve(&sets[i], (method)m, scratch);
    }
    if (b->looks)
        printf("\nThe machine was in its quiet state for %.0f%% of the time (%zu looks of %g s).\n",
               100.0 * b->quiet_share / (double)b->looks, b->looks, LOOK_S);
    free(scratch);
}

/* ---- the whole ---- */

static bool read_choices(int argc, char **argv, choices *c)
{
    static const struct option options[] = {
        {"kernels", required_argument, NULL, 'n'},     {"minutes", required_argument, NULL, 'm'},
        {"max-gflops", required_argument, NULL, 'g'},  {"backend", required_argument, NULL, 'b'},
        {"kernel-type", required_argument, NULL, 'k'}, {"only", required_argument, NULL, 'o'},
        {"out", required_argument, NULL, 'f'},         {NULL, 0, NULL, 0}};
    bool any = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        size_t m = 0;
        switch (option) {
        case 'n': c->kernels = (size_t)strtoul(optarg, NULL, 10); break;
        case 'm': c->minutes = strtod(optarg, NULL); break;
        case 'g': c->max_flops = strtod(optarg, NULL) * 1e9; break;
        case 'b': c->backend = optarg; break;
        case 'k': c->kernel = optarg; break;
        case 'f': c->out_path = optarg; break;
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
        c->wanted[m] = m == DEFAULT || m == PEERS;
    return optind == argc && c->kernels >= 1 && c->kernels <= 10000 && c->minutes >= 0 && c->max_flops > 0;
}

static void sleep_until(uint64_t begin, double seconds)
{
    while (seconds_since(begin) < seconds) {
        struct timespec pause = {1, 0};
        (void)nanosleep(&pause, NULL);
    }
}

static void run_row(bench *b, set *s, method m, int pass)
{
    if (pass == 0)
        s->began_ns[m] = nnm_clock_ns();
    else
        sleep_until(s->began_ns[m], b->choices.minutes * 60.0);
    if (m == PEERS)
        run_peers(b, s, pass);
    else
        run_ours(b, s, m, pass);
    show_progress("");
    if (pass == 0) return;
    print_row(s, m);
    if (m == PEERS) print_row(s, PEERS + 1);
}

static void open_output(bench *b)
{
    if (!b->choices.out_path) return;
    b->out = fopen(b->choices.out_path, "we");
    if (!b->out) {
        perror(b->choices.out_path);
        exit(1);
    }
    fprintf(b->out, "backend,kernel,config,protocol,pass,unix_time_s,latency_ns,rounds,spent_ms,waited_ms,"
                    "estimates (ns:quiet/samples)\n");
}

static void remove_items(set *s)
{
    for (size_t i = 0; i < s->count; i++) {
        (void)unlink(s->items[i].path);
        for (int m = 0; m < METHODS; m++)
            for (int pass = 0; pass < 2; pass++)
                free(s->items[i].history[m][pass].rounds);
    }
    free(s->items);
}

int main(int argc, char **argv)
{
    static const char *const backends[] = {"xnnpack_cpu", "onnxruntime_cpu"};
    static const char *const kernels[] = {"conv-bn-relu", "dwconv-bn-relu"};
    bench b = {.choices = {.kernels = 200, .minutes = 10, .max_flops = 2e9}};
    const choices *c = &b.choices;
    set sets[MAX_SETS] = {0};
    size_t count = 0;
    char folder[] = "/tmp/bench-repeatability-XXXXXX";
    if (!read_choices(argc, argv, &b.choices)) {
        fprintf(stderr, "usage: bench_repeatability [--kernels N] [--minutes M] [--max-gflops G] [--backend NAME]\n"
                        "           [--kernel-type NAME] [--only default|quick|thorough|peers]... [--out FILE]\n");
        return 2;
    }
    nnm_error err = NNM_ERROR_INIT;
    check(nnm_machine_lock_take(&b.lock, "bench_repeatability", &err), &err);
    open_output(&b);
    if (!mkdtemp(folder)) exit(1);
    for (size_t i = 0; i < 4; i++) {
        const char *backend = backends[i / 2], *kernel = kernels[i % 2];
        if ((c->backend && strcmp(c->backend, backend) != 0) || (c->kernel && strcmp(c->kernel, kernel) != 0)) continue;
        sets[count] = (set){.backend = backend, .kernel = kernel};
        draw(&sets[count++], c, folder);
    }
    print_titles();
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count; i++)
            for (int m = 0; m < METHODS; m++)
                if (c->wanted[m]) run_row(&b, &sets[i], (method)m, pass);
    print_curves(&b, sets, count);
    for (size_t i = 0; i < count; i++)
        remove_items(&sets[i]);
    if (b.out && fclose(b.out) != 0) perror(c->out_path);
    (void)rmdir(folder);
    nnm_machine_lock_release(b.lock);
    return 0;
}
