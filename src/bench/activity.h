/* Who works on this machine: what the operating system counted between two moments. */
#ifndef NNM_BENCH_ACTIVITY_H
#define NNM_BENCH_ACTIVITY_H

#include "nnmeter/survey.h"

/* CPU time that was counted on one CPU between two moments, s; NaN where it is unknown. */
typedef struct nnm_cpu_time {
    double busy_s; /* ours included */
    double stolen_s;
} nnm_cpu_time;

typedef struct nnm_activity nnm_activity;

/* Begins to watch. What cannot be read is unknown at the end. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_activity_begin(nnm_activity **out, nnm_error *err);

/* Ends it: fills in seconds, processes, others_cpus and hidden_cpus of `out`. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_activity_end(nnm_activity *activity, nnm_survey *out, nnm_error *err);

/* Of one CPU, once it has ended. */
nnm_cpu_time nnm_activity_of_cpu(const nnm_activity *activity, unsigned cpu);

void nnm_activity_free(nnm_activity *activity); /* NULL is allowed */

#endif
