/*
 * How many kernels a minute are profiled: the protocol of measure.h with its defaults, and beside it the usual way, the
 * mean of 50 runs after 10 warm-ups in one go, on the same kernels in the same run.
 *
 *     bench_profile [KERNELS [KERNEL_TYPE]]
 *
 * Kernels come from the prior; those above MAX_FLOPS are left out, for 60 runs of a giant would take minutes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "nnmeter/measure.h"
#include "nnmeter/model_file.h"
#include "nnmeter/sampler.h"

#define BACKEND "xnnpack_cpu"
#define MAX_FLOPS 2e9
#define PEER_WARMUPS 10
#define PEER_RUNS 50

static void check(nnm_status status, const nnm_error *err)
{
    if (status == NNM_OK) return;
    fprintf(stderr, "bench_profile: %s: %s\n", nnm_status_name(status), err->message);
    exit(1);
}

/* Up to `count` configurations of the prior that are not giants. */
static nnm_config_list draw(const nnm_kernel *kernel, size_t count)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_prior *prior = NULL;
    nnm_config_list all = {0}, kept = {0};
    check(nnm_prior_builtin(&prior, kernel, &err), &err);
    check(nnm_sample_prior(&all, kernel, prior, 2 * count, 1, NULL, &err), &err);
    for (size_t i = 0; i < all.count && kept.count < count;
         i += 2) /* in order of FLOPs: every other, not the smallest */
        if (nnm_kernel_flops(kernel, &all.items[i]) <= MAX_FLOPS)
            check(nnm_config_list_add(&kept, &all.items[i], &err), &err);
    nnm_config_list_fini(&all);
    nnm_prior_free(prior);
    return kept;
}

static void write_model(const nnm_kernel *kernel, const nnm_kernel_config *config, const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
    check(nnm_kernel_build_graph(&graph, kernel, config, &options, &err), &err);
    check(nnm_onnx_write(graph, path, &err), &err);
    nnm_graph_free(graph);
}

static double seconds_since(uint64_t begin)
{
    return (double)(nnm_clock_ns() - begin) * 1e-9;
}

/* Ours: all rounds, each with the session opened anew in a worker. */
static double profile_ours(nnm_worker *worker, const nnm_protocol *protocol, const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    uint64_t begin = nnm_clock_ns();
    nnm_round *round = malloc(sizeof *round);
    if (!round) exit(1);
    for (unsigned i = 0; i < protocol->rounds; i++)
        check(nnm_worker_measure(worker, path, round, &err), &err);
    free(round);
    return seconds_since(begin);
}

static double profile_peer(const nnm_backend *backend, const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_session_options options = {.threads = 1};
    nnm_session *session = NULL;
    uint64_t begin = nnm_clock_ns();
    check(backend->open(backend, &session, path, &options, &err), &err);
    for (int i = 0; i < PEER_WARMUPS + PEER_RUNS; i++)
        check(backend->run(session, &err), &err);
    backend->close(session);
    return seconds_since(begin);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 60;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    const nnm_backend *backend = NULL;
    nnm_worker *worker = NULL;
    nnm_machine_lock *lock = NULL;
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    nnm_session_options options = {.threads = 1};
    check(nnm_kernel_find(&kernel, argc > 2 ? argv[2] : "conv-bn-relu", &err), &err);
    check(nnm_backend_find(&backend, BACKEND, &err), &err);
    check(nnm_machine_lock_take(&lock, "bench_profile", &err), &err);
    check(nnm_worker_start(&worker, backend, &options, &protocol, &err), &err);

    char path[64];
    snprintf(path, sizeof path, "/tmp/bench_profile_%ld.onnx", (long)getpid());
    nnm_config_list configs = draw(kernel, count);
    double ours_s = 0, peer_s = 0;
    for (size_t i = 0; i < configs.count; i++) {
        write_model(kernel, &configs.items[i], path);
        ours_s += profile_ours(worker, &protocol, path);
        peer_s += profile_peer(backend, path);
    }
    unlink(path);
    printf("%s on %s, %zu kernels of the prior up to %g FLOPs\n", nnm_kernel_name(kernel), BACKEND, configs.count,
           MAX_FLOPS);
    printf("%-44s %8.0f kernels a minute\n", "3 rounds, gated, session anew each round",
           (double)configs.count * 60 / ours_s);
    printf("%-44s %8.0f kernels a minute\n", "mean of 50 runs after 10 warm-ups", (double)configs.count * 60 / peer_s);
    printf("%-44s %8.2f\n", "time a kernel, ours / peer", ours_s / peer_s);
    nnm_config_list_fini(&configs);
    nnm_worker_stop(worker);
    nnm_machine_lock_release(lock);
    return 0;
}
