/*
 * The two locks of a builder: that of its workspace, for whoever writes, and that of the machine, for whoever measures.
 *
 * A step takes what it needs and gives it back. A build of many steps keeps what its steps took until it ends: hours of
 * measuring are not to end because somebody else took a lock between two kernel types.
 */
#ifndef NNM_BUILDER_LOCKS_H
#define NNM_BUILDER_LOCKS_H

#include "nnmeter/measure.h"
#include "store/lock.h"

typedef struct nnm_builder_locks {
    nnm_workspace_lock *workspace;
    nnm_machine_lock *machine;
    unsigned keepers; /* builds that are under way; a lock is given back when there is none */
} nnm_builder_locks;

/* Each succeeds at once where the lock is kept already. `purpose` is told to others who want it. Errors: BUSY, IO,
 * NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_locks_take_workspace(nnm_builder_locks *locks, const nnm_workspace *workspace,
                                                  const char *purpose, nnm_error *err);
NNM_NODISCARD nnm_status nnm_locks_take_machine(nnm_builder_locks *locks, const char *purpose, nnm_error *err);

/* At the end of a step, whether or not it took them all. */
void nnm_locks_release(nnm_builder_locks *locks);

void nnm_locks_keep(nnm_builder_locks *locks);
void nnm_locks_keep_no_more(nnm_builder_locks *locks); /* once for each nnm_locks_keep */

#endif
