#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/process.h"
#include "bench/channel.h"
#include "bench/child.h"
#include "bench/cpu.h"
#include "bench/state.h"
#include "bench/worker.h"
#include "nnmeter/measure.h"

#define START_LIMIT_S 10.0 /* and the time to look for the quiet state */
#define START_ATTEMPTS 3
#define END_LIMIT_S 2.0
#define INTERRUPT_INTERVAL_S 0.1

struct nnm_worker {
    const nnm_backend *backend;
    nnm_session_options options;
    nnm_protocol protocol;
    pid_t pid;        /* 0: no child */
    int fd;           /* -1: no child */
    nnm_quiet *quiet; /* a page that children share: what one knew of the machine, the next knows */
    nnm_frame frame;
    bool (*interrupted)(void *context);
    void *context;
};

static uint64_t deadline_in(double seconds)
{
    return nnm_clock_ns() + (uint64_t)(seconds * 1e9);
}

/* ---- the end of a child ---- */

typedef struct ending {
    bool known; /* false: some other part of this program waited for the child first */
    int wait_status;
} ending;

static void forget(nnm_worker *worker)
{
    if (worker->fd >= 0) close(worker->fd);
    worker->fd = -1;
    worker->pid = 0;
}

static ending reap(nnm_worker *worker)
{
    ending end = {.known = false};
    pid_t got;
    do {
        got = waitpid(worker->pid, &end.wait_status, 0);
    } while (got < 0 && errno == EINTR);
    end.known = got == worker->pid;
    forget(worker);
    return end;
}

static ending kill_child(nnm_worker *worker)
{
    (void)kill(worker->pid, SIGKILL);
    return reap(worker);
}

/* Has the child ended? Leaves it to be reaped. */
static bool has_ended(const nnm_worker *worker)
{
    siginfo_t info = {0};
    int got = waitid(P_PID, (id_t)worker->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return got != 0 || info.si_pid != 0;
}

static nnm_status fail_crashed(nnm_worker *worker, const char *doing, nnm_error *err)
{
    pid_t pid = worker->pid;
    uint64_t deadline = deadline_in(END_LIMIT_S);
    while (!has_ended(worker) && nnm_clock_ns() < deadline)
        (void)poll(NULL, 0, 1);
    if (!has_ended(worker)) {
        (void)kill_child(worker);
        return nnm_fail(err, NNM_ERR_CRASHED, "worker process %ld closed its connection while %s", (long)pid, doing);
    }
    ending end = reap(worker);
    if (end.known && WIFSIGNALED(end.wait_status)) {
        int number = WTERMSIG(end.wait_status);
        const char *name = sigabbrev_np(number), *meaning = sigdescr_np(number);
        return nnm_fail(err, NNM_ERR_CRASHED, "worker process %ld was ended by signal %d (SIG%s, %s) while %s",
                        (long)pid, number, name ? name : "?", meaning ? meaning : "unknown", doing);
    }
    if (end.known)
        return nnm_fail(err, NNM_ERR_CRASHED, "worker process %ld exited with status %d while %s", (long)pid,
                        WEXITSTATUS(end.wait_status), doing);
    return nnm_fail(err, NNM_ERR_CRASHED,
                    "worker process %ld died while %s; how is unknown because SIGCHLD is ignored or another part of "
                    "this program waited for it",
                    (long)pid, doing);
}

static nnm_status fail_interrupted(nnm_worker *worker, nnm_error *err)
{
    (void)kill_child(worker);
    return nnm_fail(err, NNM_ERR_INTERRUPTED, "interrupted; what was done so far is kept");
}

static nnm_status fail_nonsense(nnm_worker *worker, const char *doing, nnm_error *err)
{
    long pid = worker->pid;
    (void)kill_child(worker);
    return nnm_fail(err, NNM_ERR_PARSE, "worker process %ld sent nonsense while %s and was killed", pid, doing);
}

/* ---- the beginning ---- */

/* What a child that went wild left there must not mislead the next. */
static void mistrust(nnm_quiet *quiet)
{
    const double times[] = {quiet->reference_ns, quiet->clock_ns, quiet->wide_clock_ns, quiet->best_ns,
                            quiet->previous_ns};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (!isfinite(times[i]) || times[i] < 0.0 || times[i] > 1e9) *quiet = (nnm_quiet){0};
}

static nnm_status spawn(nnm_worker *worker, nnm_error *err)
{
    int pair[2];
    mistrust(worker->quiet);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return nnm_fail_errno(err, "cannot connect a worker process");
    nnm_child child = {worker->backend, worker->options, worker->protocol, getpid(), pair[1], worker->quiet};

    pid_t pid = nnm_process_fork();
    if (pid == 0) nnm_child_main(&child);
    int number = errno;
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        errno = number;
        return nnm_fail_errno(err, "cannot start a worker process");
    }
    worker->pid = pid;
    worker->fd = pair[0];
    return NNM_OK;
}

/* Takes over an error that the child reported, if it is one. */
static nnm_status fail_reported(nnm_worker *worker, const char *doing, nnm_error *err)
{
    nnm_error reported;
    if (worker->frame.size != sizeof reported) return fail_nonsense(worker, doing, err);
    memcpy(&reported, worker->frame.payload, sizeof reported);
    bool known = reported.code < 0 && strcmp(nnm_status_name(reported.code), "NNM_ERR_UNKNOWN") != 0;
    if (!known || !memchr(reported.message, '\0', sizeof reported.message)) return fail_nonsense(worker, doing, err);
    if (err) *err = reported;
    return reported.code;
}

/* Waits for a frame, and looks up now and then whether the caller wants to stop. */
static nnm_receipt receive(nnm_worker *worker, double limit_s, bool *interrupted)
{
    uint64_t deadline = deadline_in(limit_s);
    for (*interrupted = false;;) {
        uint64_t look_up = deadline_in(INTERRUPT_INTERVAL_S);
        nnm_receipt receipt = nnm_channel_receive(worker->fd, &worker->frame, look_up < deadline ? look_up : deadline);
        if (receipt != NNM_RECEIVED_TOO_LATE || nnm_clock_ns() >= deadline) return receipt;
        *interrupted = worker->interrupted && worker->interrupted(worker->context);
        if (*interrupted) return receipt;
    }
}

double nnm_worker_search_s(const nnm_protocol *protocol)
{
    if (protocol->gate <= 0.0) return 0.0;
    return protocol->find_s * (protocol->reference_ns > 0.0 ? NNM_KNOWN_PATIENCE + 1 : 1);
}

static nnm_status start_once(nnm_worker *worker, nnm_error *err)
{
    nnm_status status = spawn(worker, err);
    if (status) return status;
    const char *doing = "starting";
    double limit_s = START_LIMIT_S + nnm_worker_search_s(&worker->protocol);
    bool interrupted;
    nnm_receipt receipt = receive(worker, limit_s, &interrupted);
    if (interrupted) return fail_interrupted(worker, err);
    switch (receipt) {
    case NNM_RECEIVED: break;
    case NNM_RECEIVED_END: return fail_crashed(worker, doing, err);
    case NNM_RECEIVED_NONSENSE: return fail_nonsense(worker, doing, err);
    case NNM_RECEIVED_TOO_LATE:
        (void)kill_child(worker);
        return nnm_fail(err, NNM_ERR_TIMEOUT, "a worker process was not ready after %g s", limit_s);
    }
    if (worker->frame.kind == NNM_FRAME_READY) return NNM_OK;
    if (worker->frame.kind != NNM_FRAME_FAILURE) return fail_nonsense(worker, doing, err);
    status = fail_reported(worker, doing, err);
    if (worker->pid) (void)kill_child(worker);
    return status;
}

/* A child that somebody ends before it is ready, when memory is short for example, is no reason to give up. */
static nnm_status start_child(nnm_worker *worker, nnm_error *err)
{
    nnm_status status = start_once(worker, err);
    for (int attempt = 1; status == NNM_ERR_CRASHED && attempt < START_ATTEMPTS; attempt++)
        status = start_once(worker, err);
    if (status != NNM_ERR_CRASHED) return status;
    return nnm_context(err, status, "none of %d worker processes lived until it was ready; the last", START_ATTEMPTS);
}

static nnm_status check_start(const nnm_backend *backend, const nnm_session_options *options,
                              const nnm_protocol *protocol, nnm_error *err)
{
    nnm_status status = nnm_backend_check(backend, err);
    if (status == NNM_OK) status = nnm_protocol_check(protocol, err);
    if (status) return status;
    if (options->threads < 1) return nnm_fail(err, NNM_ERR_VALUE, "threads is 0, must be at least 1");
    bool pinned = protocol->cpu >= 0 && !backend->measure;
    if (pinned && options->threads > 1)
        return nnm_fail(err, NNM_ERR_VALUE,
                        "cpu is %d, but %u threads cannot share one CPU; set cpu to -2 or threads to 1", protocol->cpu,
                        options->threads);
    if (pinned) status = nnm_cpu_check(protocol->cpu, err);
    if (status) return status;
    nnm_backend_info info;
    nnm_backend_probe(backend, options, &info);
    if (!info.available)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "backend '%s' is not available: %s", backend->name, info.why_not);
    return NNM_OK;
}

nnm_status nnm_worker_start_watched(nnm_worker **out, const nnm_backend *backend, const nnm_session_options *options,
                                    const nnm_protocol *protocol, bool (*interrupted)(void *context), void *context,
                                    nnm_error *err)
{
    nnm_status status = check_start(backend, options, protocol, err);
    if (status) return status;
    nnm_worker *worker = nnm_calloc(1, sizeof *worker);
    if (!worker) return nnm_fail_memory(err);
    worker->backend = backend;
    worker->options = *options;
    worker->protocol = *protocol;
    worker->fd = -1;
    worker->interrupted = interrupted;
    worker->context = context;
    void *page = mmap(NULL, sizeof *worker->quiet, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        free(worker);
        return nnm_fail_memory(err);
    }
    worker->quiet = page;
    status = start_child(worker, err);
    if (status) {
        nnm_worker_stop(worker);
        return status;
    }
    *out = worker;
    return NNM_OK;
}

nnm_status nnm_worker_start(nnm_worker **out, const nnm_backend *backend, const nnm_session_options *options,
                            const nnm_protocol *protocol, nnm_error *err)
{
    return nnm_worker_start_watched(out, backend, options, protocol, NULL, NULL, err);
}

/* ---- measuring ---- */

static bool is_positive(double value)
{
    return isfinite(value) && value > 0.0;
}

static bool has_references(const nnm_round *round)
{
    for (size_t i = 0; i < round->sample_count; i++)
        if (!is_positive(round->reference_ns[i]) || !is_positive(round->sample_clock_ns[i])) return false;
    return is_positive(round->reference_best_ns) && is_positive(round->clock_ns);
}

static bool is_plausible(const nnm_worker *worker, const nnm_round *round)
{
    if (round->sample_count < 1 || round->sample_count > NNM_MAX_SAMPLES) return false;
    if (round->quiet_count > round->sample_count || round->calls_per_sample < 1) return false;
    for (size_t i = 0; i < round->sample_count; i++)
        if (!isfinite(round->sample_ns[i]) || round->sample_ns[i] < 0.0) return false;
    if (!isfinite(round->measured_ns) || round->measured_ns < 0.0 || !isfinite(round->waited_ns) ||
        round->waited_ns < 0.0)
        return false;
    return isfinite(round->estimate_ns) && round->estimate_ns >= 0.0 && round->open_ns >= 0.0 &&
           is_positive(round->wall_ns) && (worker->backend->measure || has_references(round));
}

/* The child keeps the folder this process was in when it forked, so paths are made absolute. */
static nnm_status absolute_path(const char *path, char out[PATH_MAX], nnm_error *err)
{
    char folder[PATH_MAX] = "";
    bool relative = path[0] != '/';
    if (relative && !getcwd(folder, sizeof folder)) return nnm_fail_errno(err, "cannot tell the current folder");
    size_t folder_length = strlen(folder), length = strlen(path);
    if (folder_length + 1 + length >= PATH_MAX)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the path '%.60s...' is too long", path);
    memcpy(out, folder, folder_length);
    if (relative) out[folder_length++] = '/';
    memcpy(out + folder_length, path, length + 1);
    return NNM_OK;
}

/* Waits for the answer to a request, of this kind or a failure. */
static nnm_status receive_answer(nnm_worker *worker, nnm_frame_kind kind, const char *doing, nnm_error *err)
{
    double limit_s = worker->protocol.timeout_s;
    bool interrupted;
    nnm_receipt receipt = receive(worker, limit_s, &interrupted);
    if (interrupted) return fail_interrupted(worker, err);
    switch (receipt) {
    case NNM_RECEIVED: break;
    case NNM_RECEIVED_END: return fail_crashed(worker, doing, err);
    case NNM_RECEIVED_NONSENSE: return fail_nonsense(worker, doing, err);
    case NNM_RECEIVED_TOO_LATE:
        (void)kill_child(worker);
        return nnm_fail(err, NNM_ERR_TIMEOUT, "a worker process was killed after %g s of %s", limit_s, doing);
    }
    if (worker->frame.kind == NNM_FRAME_FAILURE) return fail_reported(worker, doing, err);
    return worker->frame.kind == (uint32_t)kind ? NNM_OK : fail_nonsense(worker, doing, err);
}

static nnm_status receive_round(nnm_worker *worker, const char *doing, nnm_round *out, nnm_error *err)
{
    nnm_round round;
    nnm_status status = receive_answer(worker, NNM_FRAME_ROUND, doing, err);
    if (status) return status;
    _Static_assert(sizeof round <= NNM_FRAME_BYTES, "a round fits into a frame");
    if (worker->frame.size != sizeof round) return fail_nonsense(worker, doing, err);
    memcpy(&round, worker->frame.payload, sizeof round);
    if (!is_plausible(worker, &round)) return fail_nonsense(worker, doing, err);
    *out = round;
    return NNM_OK;
}

/* Sends a request about a model to the child, of which there is a new one if the last was lost. */
static nnm_status request(nnm_worker *worker, nnm_frame_kind kind, const char *model_path, uint64_t repetition,
                          const char *doing, nnm_error *err)
{
    nnm_model_request asked = {.repetition = repetition};
    _Static_assert(sizeof asked <= NNM_FRAME_BYTES, "a request fits into a frame");
    nnm_status status = absolute_path(model_path, asked.model_path, err);
    if (status) return status;
    if (worker->pid && has_ended(worker)) (void)reap(worker); /* between rounds: no kernel is to blame */
    if (!worker->pid) status = start_child(worker, err);
    if (status) return status;
    return nnm_channel_send(worker->fd, kind, &asked, sizeof asked) ? NNM_OK : fail_crashed(worker, doing, err);
}

nnm_status nnm_worker_measure(nnm_worker *worker, const char *model_path, nnm_round *out, nnm_error *err)
{
    return nnm_worker_measure_again(worker, model_path, 0, out, err);
}

nnm_status nnm_worker_measure_again(nnm_worker *worker, const char *model_path, uint64_t repetition, nnm_round *out,
                                    nnm_error *err)
{
    char doing[PATH_MAX + 16];
    snprintf(doing, sizeof doing, "running '%s'", model_path);
    nnm_status status = request(worker, NNM_FRAME_MEASURE, model_path, repetition, doing, err);
    return status ? status : receive_round(worker, doing, out, err);
}

nnm_status nnm_worker_node_times(nnm_worker *worker, const char *model_path, nnm_node_time out[NNM_MAX_NODE_TIMES],
                                 size_t *count, nnm_error *err)
{
    if (!worker->backend->node_times) {
        *count = 0;
        return NNM_OK;
    }
    char doing[PATH_MAX + 32];
    snprintf(doing, sizeof doing, "timing the nodes of '%s'", model_path);
    nnm_status status = request(worker, NNM_FRAME_LOOK, model_path, 0, doing, err);
    if (status == NNM_OK) status = receive_answer(worker, NNM_FRAME_NODES, doing, err);
    if (status) return status;
    nnm_node_time nodes[NNM_MAX_NODE_TIMES];
    _Static_assert(sizeof nodes <= NNM_FRAME_BYTES, "node times fit into a frame");
    size_t found = worker->frame.size / sizeof *nodes;
    if (worker->frame.size % sizeof *nodes != 0 || found > NNM_MAX_NODE_TIMES) return fail_nonsense(worker, doing, err);
    memcpy(nodes, worker->frame.payload, worker->frame.size);
    for (size_t i = 0; i < found; i++)
        if (!memchr(nodes[i].name, '\0', sizeof nodes[i].name) || !memchr(nodes[i].op, '\0', sizeof nodes[i].op) ||
            !isfinite(nodes[i].mean_ns) || nodes[i].mean_ns < 0)
            return fail_nonsense(worker, doing, err);
    memcpy(out, nodes, found * sizeof *nodes);
    *count = found;
    return NNM_OK;
}

void nnm_worker_set_interrupt(nnm_worker *worker, bool (*interrupted)(void *context), void *context)
{
    worker->interrupted = interrupted;
    worker->context = context;
}

void nnm_worker_quiet_state(const nnm_worker *worker, double *reference_ns, double *clock_ns)
{
    nnm_quiet quiet = *worker->quiet;
    mistrust(&quiet);
    *reference_ns = quiet.reference_ns;
    *clock_ns = quiet.clock_ns;
}

int nnm_worker_pid(const nnm_worker *worker)
{
    return (int)worker->pid;
}

void nnm_worker_stop(nnm_worker *worker)
{
    if (!worker) return;
    if (worker->pid) (void)kill_child(worker);
    (void)munmap(worker->quiet, sizeof *worker->quiet);
    free(worker);
}
