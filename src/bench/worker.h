/* Starting a worker that may have to wait for the quiet state of the machine first. */
#ifndef NNM_BENCH_WORKER_H
#define NNM_BENCH_WORKER_H

#include "nnmeter/measure.h"

/* nnm_worker_start, which asks `interrupted` ten times a second, as nnm_worker_set_interrupt lets measuring do; that is
 * set with it. Errors: INTERRUPTED besides. */
NNM_NODISCARD nnm_status nnm_worker_start_watched(nnm_worker **out, const nnm_backend *backend,
                                                  const nnm_session_options *options, const nnm_protocol *protocol,
                                                  bool (*interrupted)(void *context), void *context, nnm_error *err);

/* How long a worker looks for the quiet state at most when it starts, s; 0 where every sample counts. */
double nnm_worker_search_s(const nnm_protocol *protocol);

#endif
