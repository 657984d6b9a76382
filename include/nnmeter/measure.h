/*
 * Measuring: the protocol by which a latency comes about, and the worker process in which a backend runs.
 *
 * A kernel is measured in several rounds at different moments. Each round opens the session anew, warms it up, and
 * takes samples; a sample times as many calls as are needed to be long against the clock. A round's estimate is a low
 * percentile of its samples, a kernel's latency is the middle of its rounds, and its spread is kept beside it.
 *
 * A backend that times models itself (nnm_backend.measure) is asked once a round. Its samples are the latencies it
 * tells, all of which count as quiet, the estimate is their median, and there are no references: their members are 0.
 */
#ifndef NNMETER_MEASURE_H
#define NNMETER_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "nnmeter/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NNM_MAX_SAMPLES 512
#define NNM_MAX_ROUNDS 64

typedef struct nnm_protocol {
    unsigned rounds;           /* 1..NNM_MAX_ROUNDS: moments at which a kernel is measured, at least */
    double warmup_ms;          /* calls before the first sample, at least one, and until they get no faster; > 0 */
    double sample_us;          /* a sample times calls until it is at least this long; > 0 */
    double round_ms;           /* quiet samples are taken for about this long, at least 5; > 0 */
    double budget_s;           /* a kernel that took this long in all gets no further rounds; > 0 */
    double timeout_s;          /* a round (open, warm-up, samples) that takes longer is killed; > 0 */
    unsigned memory_limit_mib; /* address space the worker may add for a session; 0: no limit;
                                  NNM_MEMORY_LIMIT_AUTO */
    int cpu;                   /* CPU the worker is pinned to; -1: the protocol chooses, -2: not pinned */
    double gate;               /* a sample is disturbed when a reference beside it was slower than the quiet state by
                                  more than this share (0.25); 0: every sample counts as quiet */
    double clock_gate;         /* a sample is quiet when the reference beside it was within this share of the quiet
                                  state, faster or slower; 0: only `gate` counts */
    unsigned max_rounds;       /* rounds..NNM_MAX_ROUNDS: a kernel whose latency is not sure enough gets so many */
    double target_error;       /* no further rounds once the standard error of the latency is at most this share */
    double wait_s;             /* a kernel waits so long in all for quiet windows; >= 0 */
    bool realtime;             /* real-time scheduling where it is permitted */
    bool normalise;            /* samples are brought to the quiet state by the reference beside them */
    double reference_ns;       /* wide reference of the quiet state; 0: a worker looks for it when it starts */
    double reference_clock_ns; /* latency reference beside narrow code; 0: likewise */
    double find_s;             /* a worker that looks for the quiet state takes so long; > 0, at most 10 */
} nnm_protocol;
#define NNM_PROTOCOL_INIT                                                                                           \
    {                                                                                                               \
        8, 3.0, 300.0, 12.0, 5.0, 60.0, NNM_MEMORY_LIMIT_AUTO, -1, 0.25, 0.0, 20, 0.007, 3.0, true, true, 0.0, 0.0, \
            5.0                                                                                                     \
    }

/* For memory_limit_mib: nine tenths of the machine's memory, or of what the process may use of it. No limit in a
 * program that a sanitizer was built into, which needs more address space than there is memory. */
#define NNM_MEMORY_LIMIT_AUTO UINT32_MAX

/* Protocols for those in a hurry and for those who want the last half percent: change the members that decide how much
 * time a kernel takes, and leave the others as they are. */
NNM_API void nnm_protocol_quick(nnm_protocol *protocol);
NNM_API void nnm_protocol_thorough(nnm_protocol *protocol);

/* Errors: VALUE with the member and its range. */
NNM_NODISCARD NNM_API nnm_status nnm_protocol_check(const nnm_protocol *protocol, nnm_error *err);

/* One round. */
typedef struct nnm_round {
    double estimate_ns;  /* one call: the 10th percentile of the quiet samples, brought to the quiet state. Where too
                            few are quiet: that of the undisturbed ones; where these are too few, too: that of all
                            samples as they are */
    double open_ns;      /* opening the session */
    double wall_ns;      /* the whole round */
    size_t sample_count; /* 1..NNM_MAX_SAMPLES */
    size_t quiet_count;  /* samples taken in the quiet state */
    size_t calls_per_sample;
    double sample_ns[NNM_MAX_SAMPLES];    /* one call, mean over the sample's calls */
    double reference_ns[NNM_MAX_SAMPLES]; /* wide reference right after the sample; where the one before was disturbed,
                                             the slower of the two */
    double reference_best_ns;             /* wide reference of the quiet state; where none was looked for, the
                                             fastest seen, which fades slowly */
    double clock_ns;    /* latency reference (one fixed chain of dependent operations): median of the quiet samples', or
                           of all where none is quiet */
    double unix_time_s; /* when it began */
    int cpu;            /* where it ran; -1: not pinned */
    unsigned pass;      /* 0: counts for the latency; 1: taken in the separate pass that tells how far labels agree */
    double measured_ns; /* of wall_ns, inside calls, warm-up included. Of a backend that times models itself: the sum of
                           its samples, which a simulated device did not take of anybody's time */
    double waited_ns;   /* of wall_ns, waiting for a quiet window */
    bool realtime;      /* taken under real-time scheduling */
    double sample_clock_ns[NNM_MAX_SAMPLES]; /* latency reference right after each sample */
} nnm_round;

/* Whether enough samples were quiet for the round to be believed: three, or half of them. */
NNM_API bool nnm_round_is_caught(const nnm_round *round);

/* A kernel's latency from its rounds of one pass, caught rounds alone where there are at least two: the median of the
 * estimates, for 4 rounds and more that of the means of all pairs of them (Hodges and Lehmann). Spread: half their
 * range for fewer than 4 rounds, else 1.4826 * median absolute deviation. `count` is >= 1. */
NNM_API void nnm_rounds_combine(const nnm_round *rounds, size_t count, double *latency_ns, double *spread_ns);

/* Standard error of that latency as a share of it; infinite for a single round. */
NNM_API double nnm_rounds_error(const nnm_round *rounds, size_t count);

/* ---- worker ---- */

/* A child process that runs sessions of one backend for this process. It dies with its parent; more exactly, with the
 * thread that started it, which is the one that called nnm_worker_start or, after a loss, nnm_worker_measure.
 *
 * The child is forked and executes no other program, so what holds for any fork without exec holds here: while it is
 * started, no other thread of this process may be inside a function of the runtime, or of a library that takes locks
 * without handlers for fork (the C library's allocator has them). A process may have several workers; each belongs to
 * one thread at a time. */
typedef struct nnm_worker nnm_worker;

/* Starts a worker. With options->threads > 1 the child is not pinned. Errors: UNSUPPORTED (backend not available, with
 * the reason), those of nnm_backend_check, VALUE (protocol or options), INVALID_ARGUMENT (no such
 * CPU), IO, NO_MEMORY, CRASHED, TIMEOUT. */
NNM_NODISCARD NNM_API nnm_status nnm_worker_start(nnm_worker **out, const nnm_backend *backend,
                                                  const nnm_session_options *options, const nnm_protocol *protocol,
                                                  nnm_error *err);

/* Measures one round of one model file. Errors: those of the backend; CRASHED (signal or exit status named), TIMEOUT,
 * PARSE (nonsense on the pipe). After CRASHED, TIMEOUT or PARSE the child is gone; the next call starts a new one, as
 * it does for a child that somebody killed between two calls. The memory limit cannot be used under a sanitizer. */
NNM_NODISCARD NNM_API nnm_status nnm_worker_measure(nnm_worker *worker, const char *model_path, nnm_round *out,
                                                    nnm_error *err);

/* The same where the model was measured `repetition` times before, which simulated devices draw their noise by. */
NNM_NODISCARD NNM_API nnm_status nnm_worker_measure_again(nnm_worker *worker, const char *model_path,
                                                          uint64_t repetition, nnm_round *out, nnm_error *err);

/* Tells where the time of a run of this model goes (backend.h), outside of any round. `*count` is 0 for backends that
 * cannot tell. Errors: as nnm_worker_measure. */
NNM_NODISCARD NNM_API nnm_status nnm_worker_node_times(nnm_worker *worker, const char *model_path,
                                                       nnm_node_time out[NNM_MAX_NODE_TIMES], size_t *count,
                                                       nnm_error *err);

/* While a call waits for the child it asks `interrupted` about every tenth of a second; true ends the child and the
 * call with INTERRUPTED. NULL: it is never interrupted. */
NNM_API void nnm_worker_set_interrupt(nnm_worker *worker, bool (*interrupted)(void *context), void *context);

/* Process id of the child, 0 while there is none. */
NNM_API int nnm_worker_pid(const nnm_worker *worker);
NNM_API void nnm_worker_stop(nnm_worker *worker); /* NULL is allowed; ends the child and frees */

/* ---- the machine ---- */

/* Takes the machine-wide profiling lock, so that no two profilers measure at once. The lock goes when this process
 * ends, however it ends. Errors: BUSY; the message names the holder (program, pid, purpose, since when); IO, NO_MEMORY.
 */
typedef struct nnm_machine_lock nnm_machine_lock;
NNM_NODISCARD NNM_API nnm_status nnm_machine_lock_take(nnm_machine_lock **out, const char *purpose, nnm_error *err);
NNM_API void nnm_machine_lock_release(nnm_machine_lock *lock); /* NULL is allowed */

/* What this machine is. Texts are empty and numbers 0 where they cannot be known. */
typedef struct nnm_machine {
    char host[64];
    char cpu[128];
    char kernel_release[128]; /* of the operating system */
    char governor[32];        /* frequency governor */
    unsigned cpus;            /* usable by this process */
    double memory_gib;
    double load;       /* one-minute load average */
    double clock_ghz;  /* measured: dependent operations a second, in cycles of their known latency */
    double timer_ns;   /* cost of reading the clock */
    bool may_realtime; /* real-time scheduling is permitted */
} nnm_machine;
NNM_API void nnm_machine_describe(nnm_machine *out);

#ifdef __cplusplus
}
#endif

#endif
