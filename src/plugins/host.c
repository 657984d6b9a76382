#include "plugins/host.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/process.h"
#include "bench/memory.h"

#define CHANNEL_FD 3
#define MAGIC UINT32_C(0x4e4e4850) /* "NNHP" */
#define CHUNK_BYTES 65536
#define FOREVER UINT64_MAX
#define END_LIMIT_MS 1000

/* Before each question (`what` is its number) and each answer (`what` is a status). */
typedef struct header {
    uint32_t magic;
    int32_t what;
    uint64_t size;
} header;

/* ---- the channel ---- */

typedef enum transfer {
    DONE = 0,
    BROKEN, /* the other side is gone */
    TOO_LATE
} transfer;

static transfer wait_for(int fd, short events, uint64_t deadline_ns)
{
    for (;;) {
        uint64_t now = nnm_clock_ns();
        if (deadline_ns != FOREVER && now >= deadline_ns) return TOO_LATE;
        uint64_t left_ms = deadline_ns == FOREVER ? 3600000 : (deadline_ns - now) / 1000000 + 1;
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int ready = poll(&poll_fd, 1, (int)(left_ms > 3600000 ? 3600000 : left_ms));
        if (ready > 0) return DONE;
        if (ready < 0 && errno != EINTR) return BROKEN;
    }
}

static transfer send_all(int fd, const void *data, size_t size, uint64_t deadline_ns)
{
    for (const char *at = data; size;) {
        transfer result = wait_for(fd, POLLOUT, deadline_ns);
        if (result) return result;
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (sent <= 0) return BROKEN;
        at += sent;
        size -= (size_t)sent;
    }
    return DONE;
}

static transfer receive_all(int fd, void *data, size_t size, uint64_t deadline_ns)
{
    for (char *at = data; size;) {
        transfer result = wait_for(fd, POLLIN, deadline_ns);
        if (result) return result;
        ssize_t got = recv(fd, at, size, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) return BROKEN;
        at += got;
        size -= (size_t)got;
    }
    return DONE;
}

/* Appends as it comes, so that a size that is a lie costs nothing. */
static transfer receive_into(int fd, nnm_buffer *out, uint64_t size, uint64_t deadline_ns)
{
    char chunk[CHUNK_BYTES];
    while (size) {
        size_t part = size < sizeof chunk ? (size_t)size : sizeof chunk;
        transfer result = receive_all(fd, chunk, part, deadline_ns);
        if (result) return result;
        nnm_buffer_append(out, chunk, part);
        size -= part;
    }
    return DONE;
}

/* ---- the process of its own ---- */

/* What somebody else's code reports need not be an error as it should be. */
static void tidy(nnm_error *failure, nnm_status status)
{
    failure->message[sizeof failure->message - 1] = '\0';
    bool known = status < 0 && strcmp(nnm_status_name(status), "NNM_ERR_UNKNOWN") != 0;
    if (known && failure->code == status && *failure->message) return;
    (void)nnm_fail(failure, known ? status : NNM_ERR_VALUE, "it failed without a message (code %d)", (int)status);
}

static bool answer_one(const nnm_host *host, const header *asked, const char *data)
{
    nnm_buffer answer = {0};
    nnm_error failure = NNM_ERROR_INIT;
    nnm_process_limit_cpu(host->limits->seconds);
    nnm_status status = host->serve(host->context, (uint32_t)asked->what, data, (size_t)asked->size, &answer, &failure);
    if (status == NNM_OK) status = nnm_buffer_check(&answer, &failure);
    if (status) tidy(&failure, status);
    const void *body = status ? (const void *)&failure : answer.data;
    header head = {MAGIC, status ? failure.code : NNM_OK, status ? sizeof failure : answer.size};
    bool sent = send_all(CHANNEL_FD, &head, sizeof head, FOREVER) == DONE &&
                send_all(CHANNEL_FD, body, (size_t)head.size, FOREVER) == DONE;
    nnm_buffer_fini(&answer);
    return sent;
}

_Noreturn static void child_main(const nnm_host *host, pid_t parent, int fd)
{
    nnm_process_leave_parent(parent);
    nnm_process_keep_descriptor(fd, CHANNEL_FD);
    if (host->limits->memory_mib && !nnm_memory_is_watched()) nnm_process_limit_memory(host->limits->memory_mib);
    header asked;
    bool connected = true;
    while (connected && receive_all(CHANNEL_FD, &asked, sizeof asked, FOREVER) == DONE && asked.magic == MAGIC) {
        nnm_buffer data = {0};
        connected = receive_into(CHANNEL_FD, &data, asked.size, FOREVER) == DONE && !data.failed &&
                    answer_one(host, &asked, data.data);
        nnm_buffer_fini(&data);
    }
    _exit(0);
}

/* ---- the caller's side ---- */

static nnm_status start(nnm_host *host, nnm_error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return nnm_fail_errno(err, "cannot connect a process for customised code");
    pid_t parent = getpid();
    pid_t pid = nnm_process_fork();
    if (pid == 0) child_main(host, parent, pair[1]);
    int number = errno;
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        errno = number;
        return nnm_fail_errno(err, "cannot start a process for customised code");
    }
    host->pid = pid;
    host->fd = pair[0];
    return NNM_OK;
}

/* Ends the process; `*how` tells how it ended by itself, where it did. */
static bool reap(nnm_host *host, bool kill_it, int *how)
{
    if (kill_it) (void)kill(host->pid, SIGKILL);
    close(host->fd);
    pid_t got;
    do {
        got = waitpid(host->pid, how, 0);
    } while (got < 0 && errno == EINTR);
    bool known = got == host->pid;
    host->pid = 0;
    return known;
}

void nnm_host_stop(nnm_host *host)
{
    int how = 0;
    if (host->pid) (void)reap(host, true, &how);
}

/* Code that closes its side of the channel need not end. Leaves a process that ended to be reaped. */
static bool ends_soon(const nnm_host *host)
{
    for (int waited_ms = 0; waited_ms < END_LIMIT_MS; waited_ms++) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)host->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0) return true;
        (void)poll(NULL, 0, 1);
    }
    return false;
}

static nnm_status fail_gone(nnm_host *host, const char *doing, nnm_error *err)
{
    int how = 0;
    if (!ends_soon(host)) {
        nnm_host_stop(host);
        return nnm_fail(err, NNM_ERR_CRASHED, "%s closed the connection of its process, which was stopped", doing);
    }
    bool known = reap(host, false, &how);
    if (known && WIFSIGNALED(how)) {
        int number = WTERMSIG(how);
        const char *name = sigabbrev_np(number), *meaning = sigdescr_np(number);
        return nnm_fail(err, NNM_ERR_CRASHED, "%s crashed: signal %d (SIG%s, %s)", doing, number, name ? name : "?",
                        meaning ? meaning : "unknown");
    }
    if (known) return nnm_fail(err, NNM_ERR_CRASHED, "%s ended its process, with status %d", doing, WEXITSTATUS(how));
    return nnm_fail(err, NNM_ERR_CRASHED, "%s ended its process", doing);
}

static nnm_status fail_transfer(nnm_host *host, transfer result, const char *doing, nnm_error *err)
{
    if (result == BROKEN) return fail_gone(host, doing, err);
    nnm_host_stop(host);
    return nnm_fail(err, NNM_ERR_TIMEOUT, "%s did not answer within %g s and was stopped", doing,
                    host->limits->seconds);
}

static nnm_status fail_nonsense(nnm_host *host, const char *doing, nnm_error *err)
{
    nnm_host_stop(host);
    return nnm_fail(err, NNM_ERR_PARSE, "%s gave an answer that is none", doing);
}

/* Takes over the error that the answer holds. */
static nnm_status fail_reported(nnm_host *host, int32_t code, const nnm_buffer *body, const char *doing, nnm_error *err)
{
    nnm_error failure;
    if (body->size != sizeof failure) return fail_nonsense(host, doing, err);
    memcpy(&failure, body->data, sizeof failure);
    failure.message[sizeof failure.message - 1] = '\0';
    nnm_status status = (nnm_status)code;
    if (code >= 0 || strcmp(nnm_status_name(status), "NNM_ERR_UNKNOWN") == 0) return fail_nonsense(host, doing, err);
    if (err) *err = failure;
    return nnm_context(err, status, "%s", doing);
}

nnm_status nnm_host_ask(nnm_host *host, uint32_t question, const void *data, size_t size, const char *doing,
                        nnm_buffer *answer, nnm_error *err)
{
    nnm_buffer body = {0};
    header asked = {MAGIC, (int32_t)question, size}, given;
    nnm_status status = host->pid ? NNM_OK : start(host, err);
    if (status) return status;
    uint64_t deadline = nnm_clock_ns() + (uint64_t)(host->limits->seconds * 1e9);
    transfer result = send_all(host->fd, &asked, sizeof asked, deadline);
    if (!result) result = send_all(host->fd, data, size, deadline);
    if (!result) result = receive_all(host->fd, &given, sizeof given, deadline);
    if (!result && given.magic != MAGIC) return fail_nonsense(host, doing, err);
    if (!result) result = receive_into(host->fd, given.what ? &body : answer, given.size, deadline);
    if (result)
        status = fail_transfer(host, result, doing, err);
    else if (given.what)
        status = fail_reported(host, given.what, &body, doing, err);
    else
        status = nnm_buffer_check(answer, err);
    nnm_buffer_fini(&body);
    return status;
}
