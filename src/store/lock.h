/*
 * The writer's lock of a workspace: one process at a time samples, converts, profiles or fits in it. Reading needs no
 * lock, for files change by being replaced.
 */
#ifndef NNM_STORE_LOCK_H
#define NNM_STORE_LOCK_H

#include "nnmeter/workspace.h"

typedef struct nnm_workspace_lock nnm_workspace_lock;

/* Takes the lock, DIR/.lock, without waiting; it goes when this process ends, however it ends. A lock that is taken
 * cannot be taken again, by this process either. `purpose`, e.g. "profile", is told to others who want the lock.
 * Errors: BUSY; the message names the holder (program, pid, purpose, since when). IO (the folder is not writable). */
NNM_NODISCARD nnm_status nnm_workspace_lock_take(nnm_workspace_lock **out, const nnm_workspace *workspace,
                                                 const char *purpose, nnm_error *err);
void nnm_workspace_lock_release(nnm_workspace_lock *lock); /* NULL is allowed */

#endif
