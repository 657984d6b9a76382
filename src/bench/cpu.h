/* CPUs that the calling thread may use, and binding it to one. */
#ifndef NNM_BENCH_CPU_H
#define NNM_BENCH_CPU_H

#include <sched.h>

#include "nnmeter/status.h"

/* Errors: IO. */
NNM_NODISCARD nnm_status nnm_cpu_allowed(cpu_set_t *out, nnm_error *err);

/* Errors: INVALID_ARGUMENT naming the CPUs there are, IO. */
NNM_NODISCARD nnm_status nnm_cpu_check(int cpu, nnm_error *err);
NNM_NODISCARD nnm_status nnm_cpu_pin(int cpu, nnm_error *err);

#endif
