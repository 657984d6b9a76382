/* The worker: whatever a runtime does to its process, the caller gets a code and a message, and the next kernel runs.
 */
#include "unit/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench/memory.h"
#include "nnmeter/measure.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* ---- a runtime that does what the model's file name says ---- */

struct nnm_session {
    const char *deed;
    char path[512];
};

static bool available = true;

static void probe(const nnm_backend *self, const nnm_session_options *options, nnm_backend_info *info)
{
    (void)self, (void)options;
    *info = (nnm_backend_info){.available = available, .version = "1", .why_not = "it is switched off"};
}

static nnm_status supports(const nnm_backend *self, const nnm_graph *graph, nnm_error *err)
{
    (void)self;
    (void)graph;
    (void)err;
    return NNM_OK;
}

static nnm_status refuse(nnm_error *err, nnm_status code, const char *message)
{
    err->code = code;
    snprintf(err->message, sizeof err->message, "%s", message);
    return code;
}

static void write_garbage(void)
{
    char garbage[64];
    memset(garbage, 'x', sizeof garbage);
    for (int fd = 0; fd < 64; fd++) {
        ssize_t written = write(fd, garbage, sizeof garbage);
        (void)written;
    }
}

static nnm_status take_all_memory(nnm_error *err)
{
    for (;;) {
        char *block = malloc(1 << 20);
        if (!block) return refuse(err, NNM_ERR_NO_MEMORY, "the runtime is out of memory");
        memset(block, 1, 1 << 20);
    }
}

/* Everything that the parent had open and a child must not have. */
static nnm_status count_descriptors(nnm_error *err)
{
    int open_count = 0;
    for (int fd = 0; fd < 1024; fd++)
        open_count += fcntl(fd, F_GETFD) >= 0;
    struct stat input, null;
    bool silent = fstat(0, &input) == 0 && stat("/dev/null", &null) == 0 && input.st_rdev == null.st_rdev;
    return open_count == 4 && silent ? NNM_OK : refuse(err, NNM_ERR_BACKEND, "descriptors were inherited");
}

static nnm_status check_signals(nnm_error *err)
{
    struct sigaction action;
    sigset_t mask;
    if (sigaction(SIGUSR1, NULL, &action) != 0 || action.sa_handler != SIG_DFL)
        return refuse(err, NNM_ERR_BACKEND, "a handler was inherited");
    if (pthread_sigmask(SIG_SETMASK, NULL, &mask) != 0 || sigismember(&mask, SIGUSR2))
        return refuse(err, NNM_ERR_BACKEND, "the signal mask was inherited");
    if (getpgrp() != getpid()) return refuse(err, NNM_ERR_BACKEND, "the process group was inherited");
    return NNM_OK;
}

static nnm_status do_deed(const char *deed, const char *path, nnm_error *err)
{
    if (strcmp(deed, "segv") == 0) raise(SIGSEGV);
    if (strcmp(deed, "abort") == 0) abort();
    if (strcmp(deed, "exit") == 0) _exit(3);
    if (strcmp(deed, "hang") == 0)
        for (;;)
            pause();
    if (strcmp(deed, "stubborn") == 0) {
        (void)signal(SIGTERM, SIG_IGN);
        for (volatile unsigned i = 0;; i++)
            continue;
    }
    if (strcmp(deed, "garbage") == 0) write_garbage();
    if (strcmp(deed, "hang-up") == 0) {
        for (int fd = 0; fd < 64; fd++)
            close(fd);
        pause();
    }
    if (strcmp(deed, "greed") == 0) return take_all_memory(err);
    if (strcmp(deed, "refuse") == 0) return refuse(err, NNM_ERR_BACKEND, "the runtime refuses");
    if (strcmp(deed, "mute") == 0) return NNM_ERR_UNSUPPORTED;
    if (strcmp(deed, "name") == 0) return refuse(err, NNM_ERR_BACKEND, path);
    if (strcmp(deed, "descriptors") == 0) return count_descriptors(err);
    if (strcmp(deed, "signals") == 0) return check_signals(err);
    return NNM_OK;
}

static nnm_status open_session(const nnm_backend *self, nnm_session **out, const char *path,
                               const nnm_session_options *options, nnm_error *err)
{
    (void)self;
    (void)options;
    nnm_session *session = calloc(1, sizeof *session);
    if (!session) return refuse(err, NNM_ERR_NO_MEMORY, "out of memory");
    snprintf(session->path, sizeof session->path, "%.500s", path);
    const char *slash = strrchr(session->path, '/');
    session->deed = slash ? slash + 1 : session->path;
    *out = session;
    return NNM_OK;
}

static nnm_status run(nnm_session *session, nnm_error *err)
{
    return do_deed(session->deed, session->path, err);
}

static void close_session(nnm_session *session)
{
    free(session);
}

static const nnm_backend backend = {
    .abi = NNM_BACKEND_ABI,
    .name = "wild",
    .description = "does as told",
    .reads_onnx = true,
    .probe = probe,
    .supports = supports,
    .open = open_session,
    .run = run,
    .close = close_session,
};
static const nnm_session_options one_thread = {.threads = 1};

static nnm_protocol short_protocol(void)
{
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    protocol.warmup_ms = 0.1;
    protocol.sample_us = 20.0;
    protocol.round_ms = 1.0;
    protocol.cpu = -2;
    protocol.find_s = 0.05;
    return protocol;
}

static nnm_worker *start(const nnm_protocol *protocol)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_worker *worker = NULL;
    assert_ok(nnm_worker_start(&worker, &backend, &one_thread, protocol, &err));
    assert_true(nnm_worker_pid(worker) > 0);
    return worker;
}

/* The worker works; when its child was lost before, this is a new one. */
static void assert_measures(nnm_worker *worker)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_round round;
    assert_ok(nnm_worker_measure(worker, "/models/fine", &round, &err));
    assert_in_range(round.sample_count, 5, NNM_MAX_SAMPLES);
    assert_true(round.estimate_ns > 0.0);
    assert_true(nnm_worker_pid(worker) > 0);
}

static void assert_lost(const char *model, nnm_status code, const char *text)
{
    nnm_error err;
    nnm_round round = {.sample_count = 77};
    nnm_protocol protocol = short_protocol();
    if (code == NNM_ERR_TIMEOUT) protocol.timeout_s = 0.3;
    nnm_worker *worker = start(&protocol);
    assert_fails(nnm_worker_measure(worker, model, &round, &err), code, text);
    assert_int_equal(round.sample_count, 77);
    assert_int_equal(nnm_worker_pid(worker), 0);
    if (code != NNM_ERR_TIMEOUT) assert_measures(worker); /* 0.3 s may be too little on a busy machine */
    nnm_worker_stop(worker);
}

/* ---- tests ---- */

static void test_measures_again_and_again(void **state)
{
    (void)state;
    nnm_protocol protocol = short_protocol();
    nnm_worker *worker = start(&protocol);
    int pid = nnm_worker_pid(worker);
    for (int i = 0; i < 5; i++)
        assert_measures(worker);
    assert_int_equal(nnm_worker_pid(worker), pid); /* one process for all kernels */
    nnm_worker_stop(worker);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    nnm_worker_stop(NULL);
}

static void test_chooses_a_cpu(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_round round;
    nnm_protocol protocol = short_protocol();
    protocol.cpu = -1;
    nnm_worker *worker = start(&protocol);
    assert_ok(nnm_worker_measure(worker, "/models/fine", &round, &err));
    assert_true(round.cpu >= 0);
    nnm_worker_stop(worker);
    int cpu = round.cpu;
    protocol.cpu = cpu;
    worker = start(&protocol);
    assert_ok(nnm_worker_measure(worker, "/models/fine", &round, &err));
    assert_int_equal(round.cpu, cpu);
    nnm_worker_stop(worker);
}

static void test_refuses_to_start(void **state)
{
    (void)state;
    nnm_error err;
    nnm_worker *worker = NULL;
    nnm_protocol protocol = short_protocol();
    available = false;
    assert_fails(nnm_worker_start(&worker, &backend, &one_thread, &protocol, &err), NNM_ERR_UNSUPPORTED,
                 "backend 'wild' is not available: it is switched off");
    available = true;
    nnm_session_options none = {.threads = 0};
    assert_fails(nnm_worker_start(&worker, &backend, &none, &protocol, &err), NNM_ERR_VALUE, "threads is 0");
    protocol.rounds = 0;
    assert_fails(nnm_worker_start(&worker, &backend, &one_thread, &protocol, &err), NNM_ERR_VALUE, "rounds is 0");
    protocol.rounds = 1;
    protocol.cpu = 60000;
    assert_fails(nnm_worker_start(&worker, &backend, &one_thread, &protocol, &err), NNM_ERR_INVALID_ARGUMENT,
                 "there is no CPU 60000");
    protocol.cpu = 0;
    nnm_session_options two = {.threads = 2};
    assert_fails(nnm_worker_start(&worker, &backend, &two, &protocol, &err), NNM_ERR_VALUE, "cannot share one CPU");
    nnm_backend newer = backend;
    newer.abi = NNM_BACKEND_ABI + 1;
    assert_fails(nnm_worker_start(&worker, &newer, &one_thread, &protocol, &err), NNM_ERR_VERSION,
                 "backend 'wild' was built for interface 4, this library has 3: it must be built anew");
    assert_null(worker);
}

static void test_crashes_name_the_signal(void **state)
{
    (void)state;
    assert_lost("/models/segv", NNM_ERR_CRASHED,
                "signal 11 (SIGSEGV, Segmentation fault) while running '/models/segv'");
    assert_lost("/models/abort", NNM_ERR_CRASHED, "signal 6 (SIGABRT, Aborted)");
}

static void test_exit_names_the_status(void **state)
{
    (void)state;
    assert_lost("/models/exit", NNM_ERR_CRASHED, "exited with status 3");
}

static void test_hanging_is_a_timeout(void **state)
{
    (void)state;
    assert_lost("/models/hang", NNM_ERR_TIMEOUT, "killed after 0.3 s of running '/models/hang'");
    assert_lost("/models/stubborn", NNM_ERR_TIMEOUT, "killed after 0.3 s");
}

static void test_worker_lives_on_after_a_timeout(void **state)
{
    (void)state;
    nnm_error err;
    nnm_round round;
    nnm_protocol protocol = short_protocol();
    protocol.timeout_s = 2.0;
    nnm_worker *worker = start(&protocol);
    assert_fails(nnm_worker_measure(worker, "/models/hang", &round, &err), NNM_ERR_TIMEOUT, "2 s");
    assert_measures(worker);
    nnm_worker_stop(worker);
}

static void test_garbage_is_a_parse_error(void **state)
{
    (void)state;
    assert_lost("/models/garbage", NNM_ERR_PARSE, "sent nonsense while running '/models/garbage'");
}

static void test_closing_the_connection_is_a_crash(void **state)
{
    (void)state;
    assert_lost("/models/hang-up", NNM_ERR_CRASHED, "closed its connection");
}

static void test_memory_limit(void **state)
{
    (void)state;
#ifdef SANITIZED
    skip(); /* a sanitizer needs more address space than any limit gives */
#else
    nnm_error err;
    nnm_round round;
    nnm_protocol protocol = short_protocol();
    protocol.memory_limit_mib = 64;
    nnm_worker *worker = start(&protocol);
    int pid = nnm_worker_pid(worker);
    assert_fails(nnm_worker_measure(worker, "/models/greed", &round, &err), NNM_ERR_NO_MEMORY, "out of memory");
    assert_measures(worker);
    assert_int_equal(nnm_worker_pid(worker), pid); /* an error is no crash */
    nnm_worker_stop(worker);
#endif
}

#ifndef SANITIZED
/* The number behind `key` of a file, or 0. */
static double number_in(const char *path, const char *key)
{
    char line[256];
    double number = 0;
    FILE *stream = fopen(path, "re");
    while (stream && number <= 0 && fgets(line, sizeof line, stream))
        if (strncmp(line, key, strlen(key)) == 0) number = strtod(line + strlen(key), NULL);
    if (stream) fclose(stream);
    return number;
}
#endif

static void test_automatic_memory_limit(void **state)
{
    (void)state;
    assert_int_equal(nnm_memory_limit(0), 0);
    assert_int_equal(nnm_memory_limit(512), 512);
#ifdef SANITIZED
    assert_int_equal(nnm_memory_limit(NNM_MEMORY_LIMIT_AUTO), 0);
#else
    double mib = number_in("/proc/meminfo", "MemTotal:") / 1024;
    double group_mib = number_in("/sys/fs/cgroup/memory.max", "") / 1048576;
    assert_true(mib > 0);
    if (group_mib > 0 && group_mib < mib) mib = group_mib;
    double limit = nnm_memory_limit(NNM_MEMORY_LIMIT_AUTO);
    if (!(limit > 0.9 * mib - 2 && limit < 0.9 * mib + 2))
        fail_msg("the limit is %g MiB, nine tenths of %g MiB are allowed", limit, mib);
#endif
}

/* No child can open a file: each ends before it is ready. */
static void test_gives_up_when_no_child_gets_ready(void **state)
{
    (void)state;
    nnm_error err;
    nnm_worker *worker = NULL;
    nnm_protocol protocol = short_protocol();
    struct rlimit before, limit;
    int first = dup(0), second = dup(0); /* what connects parent and child takes these two */
    assert_true(first >= 0 && second > first);
    close(first);
    close(second);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)second + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    nnm_status status = nnm_worker_start(&worker, &backend, &one_thread, &protocol, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, NNM_ERR_CRASHED);
    assert_non_null(strstr(err.message, "none of 3 worker processes lived until it was ready; the last: worker"));
    assert_non_null(strstr(err.message, "exited with status 1 while starting"));
    assert_null(worker);
    worker = start(&protocol);
    assert_measures(worker);
    nnm_worker_stop(worker);
}

/* The state letter of a process, and the signal that ended it; 0: it is gone. */
static char state_of(int pid, int *signal_number)
{
    char path[64], text[1024] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *stream = fopen(path, "re");
    size_t got = stream ? fread(text, 1, sizeof text - 1, stream) : 0;
    if (stream) fclose(stream);
    const char *state = got ? strrchr(text, ')') : NULL, *last = got ? strrchr(text, ' ') : NULL;
    *signal_number = last ? atoi(last) & 0x7f : 0; /* the last field is what waitpid would tell */
    return state && state[1] ? state[2] : '\0';
}

/* A parent that is stopped keeps no time: the child's own limit ends what loops. */
static void test_cpu_time_is_limited(void **state)
{
    (void)state;
    int channel[2];
    assert_int_equal(pipe(channel), 0);
    pid_t parent = fork();
    if (parent == 0) {
        nnm_protocol protocol = short_protocol();
        protocol.timeout_s = 1;
        nnm_worker *worker = NULL;
        if (nnm_worker_start(&worker, &backend, &one_thread, &protocol, NULL) != NNM_OK) _exit(1);
        int pid = nnm_worker_pid(worker);
        if (write(channel[1], &pid, sizeof pid) != (ssize_t)sizeof pid) _exit(1);
        nnm_round round;
        nnm_status ignored = nnm_worker_measure(worker, "/models/stubborn", &round, NULL);
        (void)ignored;
        _exit(1);
    }
    int pid = 0, signal_number = 0;
    assert_int_equal(read(channel[0], &pid, sizeof pid), sizeof pid);
    usleep(200000);
    assert_int_equal(kill(parent, SIGSTOP), 0);
    for (int i = 0; i < 6000 && state_of(pid, &signal_number) != 'Z'; i++)
        usleep(10000);
    assert_int_equal(state_of(pid, &signal_number), 'Z'); /* ended, and the parent did not look yet */
    assert_int_equal(signal_number, SIGXCPU);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    close(channel[0]);
    close(channel[1]);
}

static void test_errors_travel_back(void **state)
{
    (void)state;
    nnm_error err;
    nnm_round round;
    nnm_protocol protocol = short_protocol();
    nnm_worker *worker = start(&protocol);
    int pid = nnm_worker_pid(worker);
    assert_fails(nnm_worker_measure(worker, "/models/refuse", &round, &err), NNM_ERR_BACKEND, "the runtime refuses");
    assert_fails(nnm_worker_measure(worker, "/models/mute", &round, &err), NNM_ERR_UNSUPPORTED,
                 "backend 'wild' failed without a message");
    assert_int_equal(nnm_worker_measure(worker, "/models/refuse", &round, NULL), NNM_ERR_BACKEND);
    assert_int_equal(nnm_worker_pid(worker), pid);
    nnm_worker_stop(worker);
}

/* The child stays in the folder in which it was started; what a path means does not change with that. */
static void test_relative_paths(void **state)
{
    (void)state;
    nnm_error err;
    nnm_round round;
    char folder[512], expected[600];
    nnm_protocol protocol = short_protocol();
    nnm_worker *worker = start(&protocol);
    assert_non_null(getcwd(folder, sizeof folder));
    assert_int_equal(chdir("/proc"), 0);
    assert_fails(nnm_worker_measure(worker, "name", &round, &err), NNM_ERR_BACKEND, "/proc/name");
    assert_int_equal(chdir(folder), 0);
    snprintf(expected, sizeof expected, "%s/name", folder);
    assert_fails(nnm_worker_measure(worker, "name", &round, &err), NNM_ERR_BACKEND, expected);
    nnm_worker_stop(worker);
}

static void ignore_signal(int number)
{
    (void)number;
}

static void test_child_has_nothing_of_its_parent(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_round round;
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
    void (*handler)(int) = signal(SIGUSR1, ignore_signal);
    int fd = open("/dev/null", O_RDONLY);
    nnm_protocol protocol = short_protocol();
    nnm_worker *worker = start(&protocol);
    assert_ok(nnm_worker_measure(worker, "/models/descriptors", &round, &err));
    assert_ok(nnm_worker_measure(worker, "/models/signals", &round, &err));
    nnm_worker_stop(worker);
    close(fd);
    (void)signal(SIGUSR1, handler);
    sigset_t after;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, &after), 0);
    assert_true(sigismember(&after, SIGUSR2)); /* the caller's mask was left alone */
}

static void *kill_later(void *pid)
{
    usleep(100000);
    (void)kill(*(int *)pid, SIGKILL);
    return NULL;
}

/* Also: the caller has a second thread while the next child is started. */
static void test_killed_from_outside(void **state)
{
    (void)state;
    nnm_error err;
    nnm_round round;
    nnm_protocol protocol = short_protocol();
    protocol.timeout_s = 30.0;
    nnm_worker *worker = start(&protocol);
    int pid = nnm_worker_pid(worker);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, kill_later, &pid), 0);
    assert_fails(nnm_worker_measure(worker, "/models/hang", &round, &err), NNM_ERR_CRASHED, "signal 9 (SIGKILL");
    assert_measures(worker);
    pthread_join(thread, NULL);

    /* Killed between two rounds: nothing was being run, so nothing is reported. */
    pid = nnm_worker_pid(worker);
    assert_int_equal(kill(pid, SIGKILL), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_measures(worker);
    assert_int_not_equal(nnm_worker_pid(worker), pid);
    nnm_worker_stop(worker);
}

static void test_ignored_child_signals(void **state)
{
    (void)state;
    void (*handler)(int) = signal(SIGCHLD, SIG_IGN);
    assert_lost("/models/exit", NNM_ERR_CRASHED, "SIGCHLD is ignored");
    (void)signal(SIGCHLD, handler);
}

/* A parent that is killed takes a child that is stuck in its runtime with it. */
static void test_dies_with_its_parent(void **state)
{
    (void)state;
    int channel[2];
    assert_int_equal(pipe(channel), 0);
    pid_t parent = fork();
    if (parent == 0) {
        nnm_protocol protocol = short_protocol();
        nnm_worker *worker = NULL;
        if (nnm_worker_start(&worker, &backend, &one_thread, &protocol, NULL) != NNM_OK) _exit(1);
        int pid = nnm_worker_pid(worker);
        if (write(channel[1], &pid, sizeof pid) != (ssize_t)sizeof pid) _exit(1);
        nnm_round round;
        nnm_status ignored = nnm_worker_measure(worker, "/models/stubborn", &round, NULL);
        (void)ignored;
        _exit(1);
    }
    int pid = 0;
    assert_int_equal(read(channel[0], &pid, sizeof pid), sizeof pid);
    usleep(50000);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    /* The child is somebody else's now: a zombie is as good as gone. */
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    bool gone = false;
    for (int i = 0; i < 200 && !gone; i++) {
        FILE *stream = fopen(path, "re");
        size_t got = stream ? fread(text, 1, sizeof text - 1, stream) : 0;
        text[got] = '\0';
        if (stream) fclose(stream);
        gone = !got || strstr(text, ") Z") || strstr(text, ") X");
        if (!gone) usleep(10000);
    }
    assert_true(gone);
    close(channel[0]);
    close(channel[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measures_again_and_again),
        cmocka_unit_test(test_chooses_a_cpu),
        cmocka_unit_test(test_refuses_to_start),
        cmocka_unit_test(test_crashes_name_the_signal),
        cmocka_unit_test(test_exit_names_the_status),
        cmocka_unit_test(test_hanging_is_a_timeout),
        cmocka_unit_test(test_worker_lives_on_after_a_timeout),
        cmocka_unit_test(test_garbage_is_a_parse_error),
        cmocka_unit_test(test_closing_the_connection_is_a_crash),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_automatic_memory_limit),
        cmocka_unit_test(test_gives_up_when_no_child_gets_ready),
        cmocka_unit_test(test_cpu_time_is_limited),
        cmocka_unit_test(test_errors_travel_back),
        cmocka_unit_test(test_relative_paths),
        cmocka_unit_test(test_child_has_nothing_of_its_parent),
        cmocka_unit_test(test_killed_from_outside),
        cmocka_unit_test(test_ignored_child_signals),
        cmocka_unit_test(test_dies_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
