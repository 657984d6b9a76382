/* CPUs that the calling thread may use, and binding it to one. */
#ifndef NNM_BENCH_CPU_H
#define NNM_BENCH_CPU_H

#include <sched.h>
#include <stdbool.h>

#include "nnmeter/status.h"

/* Errors: IO. */
NNM_NODISCARD nnm_status nnm_cpu_allowed(cpu_set_t *out, nnm_error *err);

/* Errors: INVALID_ARGUMENT naming the CPUs there are, IO. */
NNM_NODISCARD nnm_status nnm_cpu_check(int cpu, nnm_error *err);
NNM_NODISCARD nnm_status nnm_cpu_pin(int cpu, nnm_error *err);

/* Real-time scheduling of the calling thread, at the lowest priority, or the ordinary one. False where it is not
 * permitted. Threads and processes that are started meanwhile do not inherit it. */
bool nnm_cpu_realtime(bool on);

#endif
