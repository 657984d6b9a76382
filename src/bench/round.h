/* One round, as the worker's child takes it. */
#ifndef NNM_BENCH_ROUND_H
#define NNM_BENCH_ROUND_H

#include "bench/reference.h"
#include "nnmeter/measure.h"

/* Opens a session of `backend` for `model_path`, measures it by `protocol` (checked before) and closes it. `quiet` is
 * what is known of the CPU this thread is pinned to; `cpu` only goes into the result. Errors: those of the backend. */
NNM_NODISCARD nnm_status nnm_round_take(nnm_round *out, const nnm_backend *backend, const char *model_path,
                                        const nnm_session_options *options, const nnm_protocol *protocol,
                                        nnm_quiet *quiet, int cpu, nnm_error *err);

/* The same for a backend that times models itself (nnm_backend.measure). There are no references, no CPU, and all
 * samples count as quiet. */
NNM_NODISCARD nnm_status nnm_round_ask(nnm_round *out, const nnm_backend *backend, const char *model_path,
                                       uint64_t repetition, const nnm_session_options *options,
                                       const nnm_protocol *protocol, nnm_error *err);

#endif
