/*
 * Surveying a machine: how noisy its CPUs are, who else works on it, and whether it is fit for measuring latencies.
 *
 *     nnm_survey survey;
 *     if (nnm_survey_take(&survey, 20.0, NULL, &err) == NNM_OK) {
 *         nnm_verdict verdict;
 *         nnm_survey_judge(&survey, &verdict);
 *         ...
 *     }
 *
 * docs/measurement.md says where the thresholds of the verdict come from.
 */
#ifndef NNMETER_SURVEY_H
#define NNMETER_SURVEY_H

#include "nnmeter/hooks.h"
#include "nnmeter/measure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the noise of a CPU ---- */

/* Stretches of time in one state, at least 0.1 ms each. */
typedef struct nnm_stretches {
    size_t count;
    double median_ms, p90_ms; /* 0 where count is 0 */
} nnm_stretches;

/* A reading of the throughput reference is quiet when it is within 8 % of the best of this CPU. */
typedef struct nnm_noise {
    double quiet_share; /* of the time, 0..1 */
    double slow_factor; /* median of the readings that are not quiet / best; 1 where all are */
    double best_ns;     /* the best two readings in a row */
    nnm_stretches quiet, slow;
    double got_share;                                /* of the time in which we wanted the CPU, we had it */
    double cpu_s;                                    /* CPU time spent measuring */
    double clock_spread;                             /* (p90 - p10) / median of the latency reference */
    double clock_drift;                              /* (p95 - p5) / median of its medians over 0.1 s each */
    double clock_step;                               /* the largest change between two of these in a row, as a share */
    double clock_ghz, clock_low_ghz, clock_high_ghz; /* median, p5, p95 of these; 0: unknown on this processor */
    size_t references;
} nnm_noise;

/* Measures CPUs in turn, in slices of about a second, `seconds` in all; `noise` has one entry for each of `cpus`. The
 * calling thread is bound to each CPU meanwhile. `hooks` may be NULL. Errors: INVALID_ARGUMENT (no such CPU, none,
 * seconds not in 0..120), INTERRUPTED, IO, NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_noise_measure(nnm_noise *noise, const unsigned *cpus, size_t count, double seconds,
                                                   const nnm_hooks *hooks, nnm_error *err);

/* ---- the survey ---- */

#define NNM_SURVEY_CPUS 8
#define NNM_SURVEY_PROCESSES 3

/* Who has the other hardware thread of a core. */
typedef enum nnm_sibling {
    NNM_SIBLING_UNKNOWN, /* this system does not tell */
    NNM_SIBLING_NONE,    /* the system shows no other hardware thread; a virtual machine's host may hide it */
    NNM_SIBLING_OURS,    /* this process may use it */
    NNM_SIBLING_FOREIGN  /* it is on this system, but this process may not use it */
} nnm_sibling;

typedef struct nnm_cpu_survey {
    unsigned cpu;
    nnm_noise noise;
    double steal_share;  /* of the time this CPU wanted to run, the host gave it to others; NaN: unknown */
    double others_share; /* of the time, it worked for other processes; NaN: unknown */
    nnm_sibling sibling;
    unsigned sibling_cpu;        /* with OURS and FOREIGN */
    double sibling_others_share; /* of the time, that one worked for other processes; NaN: unknown */
} nnm_cpu_survey;

typedef struct nnm_busy_process {
    int pid;
    char name[32];
    double cpus; /* CPU time / time: 1 keeps one CPU busy */
    int cpu;     /* where it was seen last */
} nnm_busy_process;

typedef struct nnm_survey {
    nnm_machine machine;
    char turbo[8];         /* "on", "off"; "": unknown */
    char clock_source[32]; /* of the operating system; "": unknown */
    bool virtual_machine;
    char hypervisor[32];           /* "": none, or its name is unknown */
    double available_gib;          /* memory free for us; 0: unknown */
    unsigned realtime_throttle_us; /* real-time tasks may run so long in a second; 0: unknown, 1000000: no limit */
    char program[256];             /* path of this program, for commands that grant permissions; "": unknown */
    double seconds;                /* how long the CPUs were watched; 0: they were not */
    nnm_cpu_survey cpus[NNM_SURVEY_CPUS]; /* where more may be used, these are spread evenly over them */
    size_t cpu_count;
    nnm_busy_process processes[NNM_SURVEY_PROCESSES]; /* the busiest others, busiest first */
    size_t process_count;
    double others_cpus; /* CPUs that all other processes kept busy, seen or not; NaN: unknown */
    double hidden_cpus; /* of these, by processes that cannot be seen from here; NaN: unknown */
} nnm_survey;

/* Describes the machine and watches it for `seconds` (0: does not; at most 120). The caller holds the machine's lock
 * (nnm_machine_lock_take), or whoever profiles is disturbed. Errors: as nnm_noise_measure. */
NNM_NODISCARD NNM_API nnm_status nnm_survey_take(nnm_survey *out, double seconds, const nnm_hooks *hooks,
                                                 nnm_error *err);

/* ---- the verdict ---- */

typedef enum nnm_fitness {
    NNM_FITNESS_UNKNOWN, /* the CPUs were not watched */
    NNM_FIT,
    NNM_FIT_LIMITED, /* measurements take longer, or some of them repeat badly */
    NNM_UNFIT
} nnm_fitness;
NNM_API const char *nnm_fitness_name(nnm_fitness fitness); /* "fit", "limited", "unfit", "unknown" */

#define NNM_VERDICT_LINES 16
#define NNM_VERDICT_BYTES 400

typedef struct nnm_verdict {
    nnm_fitness fitness;
    int best_cpu;                                       /* the CPU to measure on; -1: unknown */
    char summary[NNM_VERDICT_BYTES];                    /* a sentence */
    char reasons[NNM_VERDICT_LINES][NNM_VERDICT_BYTES]; /* sentences: what is wrong or worth knowing */
    size_t reason_count;
    char help[NNM_VERDICT_LINES][NNM_VERDICT_BYTES]; /* sentences: what would improve it */
    size_t help_count;
} nnm_verdict;
NNM_API void nnm_survey_judge(const nnm_survey *survey, nnm_verdict *out);

#ifdef __cplusplus
}
#endif

#endif
