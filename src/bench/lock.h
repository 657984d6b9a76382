#ifndef NNM_BENCH_LOCK_H
#define NNM_BENCH_LOCK_H

#include "nnmeter/measure.h"

/* nnm_machine_lock_take with another file than the machine's own, for tests. */
NNM_NODISCARD nnm_status nnm_machine_lock_take_at(nnm_machine_lock **out, const char *path, const char *purpose,
                                                  nnm_error *err);

#endif
