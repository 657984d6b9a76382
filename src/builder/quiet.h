/* The machine's quiet state, before and after a worker looked for it. */
#ifndef NNM_BUILDER_QUIET_H
#define NNM_BUILDER_QUIET_H

#include "builder/profiler.h"

/* Tells the protocol which quiet state the next worker shall look for; none where none is known. */
NNM_NODISCARD nnm_status nnm_profiler_recall_quiet(nnm_profiler *p, nnm_error *err);

/* Writes down the state that the worker found, for all workspaces; logs a warning when it is not the one recalled. The
 * machine's lock is held. */
void nnm_profiler_keep_quiet(nnm_profiler *p);

/* Starts the worker. That may have to look for the quiet state for a while, which is told, and ends when the caller
 * wants to stop. Errors: those of nnm_worker_start, INTERRUPTED. */
NNM_NODISCARD nnm_status nnm_profiler_start_worker(nnm_profiler *p, nnm_error *err);

#endif
