#include "bench/child.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "bench/channel.h"
#include "bench/cpu.h"
#include "bench/memory.h"
#include "bench/round.h"

#define CHANNEL_FD 3
#define PROBE_S 0.02
#define PROBE_ALL_S 0.5
#define KNOWN_SHARE 0.2  /* of PROBE_S in the state that is known: it is more than a coincidence */
#define EQUALLY_GOOD 0.9 /* of the best CPU's merit */
#define MISSED_ROUNDS 3

/* CPUs that rounds take turns on: how far away the shared cache is differs between cores, by up to 8 % for kernels that
 * stream their weights, and what one core pays today another one pays tomorrow. */
typedef struct crew {
    cpu_set_t members;
    unsigned count, turn, missed; /* missed: rounds in a row that found no quiet window */
} crew;

static bool compares(const nnm_protocol *protocol)
{
    return protocol->gate > 0.0 && (protocol->normalise || protocol->clock_gate > 0.0);
}

/* How well a CPU does just now: the share of the time it is quiet; where the quiet state is not known yet, the speed of
 * the wide reference. */
static double merit_of(const nnm_child *child, double seconds)
{
    nnm_quiet *quiet = child->quiet;
    if (quiet->reference_ns <= 0.0) return 1.0 / nnm_quiet_probe(&(nnm_quiet){0}, seconds);
    return nnm_quiet_share(quiet, seconds, child->protocol.gate);
}

/* Those that are about as good as the best. */
static nnm_status choose_crew(const nnm_child *child, crew *out, nnm_error *err)
{
    cpu_set_t allowed;
    double merits[CPU_SETSIZE], best = 0.0;
    nnm_status status = nnm_cpu_allowed(&allowed, err);
    if (status) return status;
    double seconds = fmin(PROBE_S, PROBE_ALL_S / CPU_COUNT(&allowed));
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &allowed)) continue;
        status = nnm_cpu_pin(cpu, err);
        if (status) return status;
        merits[cpu] = merit_of(child, seconds);
        best = fmax(best, merits[cpu]);
    }
    *out = (crew){.turn = out->turn};
    CPU_ZERO(&out->members);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &allowed) || merits[cpu] < EQUALLY_GOOD * best) continue;
        CPU_SET((size_t)cpu, &out->members);
        out->count++;
    }
    return NNM_OK;
}

/* The kernels of a window come in the same order again and again, so turns in a fixed order would give a kernel the
 * same CPU each time. */
static nnm_status take_turn(crew *c, int *cpu, nnm_error *err)
{
    unsigned skip = (unsigned)(((uint64_t)(c->turn++) * UINT64_C(0x9E3779B97F4A7C15)) >> 32) % c->count;
    for (int candidate = 0; candidate < CPU_SETSIZE; candidate++) {
        if (!CPU_ISSET((size_t)candidate, &c->members) || skip-- > 0) continue;
        *cpu = candidate;
        return nnm_cpu_pin(candidate, err);
    }
    return NNM_OK;
}

/* Finds the quiet state, or makes sure that the CPU still has the one that is known. */
static void find_quiet(const nnm_child *child)
{
    nnm_quiet *quiet = child->quiet;
    const nnm_protocol *protocol = &child->protocol;
    if (!compares(protocol)) {
        (void)nnm_quiet_probe(quiet, PROBE_S);
        return;
    }
    double share = 0.0;
    uint64_t begin = nnm_clock_ns();
    while (quiet->reference_ns > 0.0 && share < KNOWN_SHARE &&
           (double)(nnm_clock_ns() - begin) < NNM_KNOWN_PATIENCE * protocol->find_s * 1e9)
        share = nnm_quiet_share(quiet, PROBE_S, protocol->gate);
    if (share < KNOWN_SHARE) nnm_quiet_find(quiet, protocol->find_s, protocol->gate, protocol->clock_gate);
    nnm_quiet_find_clocks(quiet);
}

/* A session with several threads is not pinned: its threads would inherit the one CPU. A child that takes the place of
 * one that was lost goes on with what that had found: a kernel that crashes costs no search. A backend that times
 * models itself is not timed here at all. */
static nnm_status settle(const nnm_child *child, crew *c, int *cpu, nnm_error *err)
{
    nnm_status status = NNM_OK;
    bool first = child->quiet->reference_ns <= 0.0;
    *cpu = -1;
    if (child->backend->measure) return NNM_OK;
    if (first) {
        child->quiet->reference_ns = child->protocol.reference_ns;
        child->quiet->clock_ns = child->protocol.reference_clock_ns;
    }
    if (child->protocol.cpu == -1 && child->options.threads == 1) {
        status = choose_crew(child, c, err);
        if (status == NNM_OK) status = take_turn(c, cpu, err);
    } else if (child->protocol.cpu >= 0) {
        *cpu = child->protocol.cpu;
        status = nnm_cpu_pin(*cpu, err);
    }
    if (status == NNM_OK && first) find_quiet(child);
    return status;
}

/* After rounds that found no quiet window in a row other CPUs may be the better ones. */
static nnm_status move_on(const nnm_child *child, const nnm_round *round, crew *c, int *cpu, nnm_error *err)
{
    nnm_status status = NNM_OK;
    if (c->count == 0) return NNM_OK;
    c->missed = nnm_round_is_caught(round) ? 0 : c->missed + 1;
    if (c->missed >= MISSED_ROUNDS) status = choose_crew(child, c, err);
    return status ? status : take_turn(c, cpu, err);
}

static void limit_memory(unsigned setting)
{
    unsigned limit_mib = nnm_memory_limit(setting);
    if (limit_mib) nnm_process_limit_memory(limit_mib);
}

static void unlimit_memory(unsigned setting)
{
    if (nnm_memory_limit(setting)) nnm_process_unlimit_memory();
}

/* A backstop for the parent's timeout: a request may not take more CPU time than all its threads could in that time,
 * also while the parent is stopped and keeps no time. */
static void limit_cpu(const nnm_child *child)
{
    nnm_process_limit_cpu(child->protocol.timeout_s * child->options.threads);
}

static bool answer_failure(const nnm_error *err)
{
    return nnm_channel_send(CHANNEL_FD, NNM_FRAME_FAILURE, err, sizeof *err);
}

static nnm_status take_round(const nnm_child *child, const nnm_model_request *request, int cpu, nnm_round *out,
                             nnm_error *err)
{
    if (child->backend->measure)
        return nnm_round_ask(out, child->backend, request->model_path, request->repetition, &child->options,
                             &child->protocol, err);
    return nnm_round_take(out, child->backend, request->model_path, &child->options, &child->protocol, child->quiet,
                          cpu, err);
}

static bool serve(const nnm_child *child, const nnm_model_request *request, crew *c, int *cpu)
{
    nnm_round round;
    nnm_error err = NNM_ERROR_INIT;
    limit_memory(child->protocol.memory_limit_mib);
    nnm_status status = take_round(child, request, *cpu, &round, &err);
    unlimit_memory(child->protocol.memory_limit_mib);
    if (status && err.code != status) /* a backend that returned a code without saying why */
        (void)nnm_fail(&err, status, "backend '%s' failed without a message", child->backend->name);
    if (status == NNM_OK) status = move_on(child, &round, c, cpu, &err);
    if (status) return answer_failure(&err);
    return nnm_channel_send(CHANNEL_FD, NNM_FRAME_ROUND, &round, sizeof round);
}

static bool serve_nodes(const nnm_child *child, const char *model_path)
{
    nnm_node_time nodes[NNM_MAX_NODE_TIMES];
    size_t count = 0;
    nnm_error err = NNM_ERROR_INIT;
    limit_memory(child->protocol.memory_limit_mib);
    nnm_status status = child->backend->node_times(child->backend, nodes, &count, model_path, &child->options, &err);
    unlimit_memory(child->protocol.memory_limit_mib);
    if (status && err.code != status)
        (void)nnm_fail(&err, status, "backend '%s' failed without a message", child->backend->name);
    if (status) return answer_failure(&err);
    return nnm_channel_send(CHANNEL_FD, NNM_FRAME_NODES, nodes, count * sizeof *nodes);
}

void nnm_child_main(const nnm_child *child)
{
    nnm_process_leave_parent(child->parent);
    nnm_process_keep_descriptor(child->fd, CHANNEL_FD);
    nnm_error err = NNM_ERROR_INIT;
    crew c = {.count = 0};
    int cpu = -1;
    if (settle(child, &c, &cpu, &err) != NNM_OK) {
        (void)answer_failure(&err);
        _exit(1);
    }
    bool connected = nnm_channel_send(CHANNEL_FD, NNM_FRAME_READY, NULL, 0);
    nnm_frame frame;
    nnm_model_request request;
    while (connected && nnm_channel_receive(CHANNEL_FD, &frame, UINT64_MAX) == NNM_RECEIVED) {
        if (frame.size != sizeof request) break;
        memcpy(&request, frame.payload, sizeof request);
        request.model_path[sizeof request.model_path - 1] = '\0';
        limit_cpu(child);
        if (frame.kind == NNM_FRAME_LOOK) {
            connected = serve_nodes(child, request.model_path);
            continue;
        }
        if (frame.kind != NNM_FRAME_MEASURE) break;
        connected = serve(child, &request, &c, &cpu);
    }
    _exit(0);
}
