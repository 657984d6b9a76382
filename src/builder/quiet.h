/* The machine's quiet state, before and after a worker looked for it. */
#ifndef NNM_BUILDER_QUIET_H
#define NNM_BUILDER_QUIET_H

#include "builder/profiler.h"

/* Tells the protocol which quiet state the next worker shall look for; none where none is known. */
NNM_NODISCARD nnm_status nnm_profiler_recall_quiet(nnm_profiler *p, nnm_error *err);

/* Writes down the state that the worker found, for all workspaces; logs a warning when it is not the one recalled. The
 * machine's lock is held. */
void nnm_profiler_keep_quiet(nnm_profiler *p);

#endif
