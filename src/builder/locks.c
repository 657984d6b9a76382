#include "builder/locks.h"

nnm_status nnm_locks_take_workspace(nnm_builder_locks *locks, const nnm_workspace *workspace, const char *purpose,
                                    nnm_error *err)
{
    return locks->workspace ? NNM_OK : nnm_workspace_lock_take(&locks->workspace, workspace, purpose, err);
}

nnm_status nnm_locks_take_machine(nnm_builder_locks *locks, const char *purpose, nnm_error *err)
{
    return locks->machine ? NNM_OK : nnm_machine_lock_take(&locks->machine, purpose, err);
}

void nnm_locks_release(nnm_builder_locks *locks)
{
    if (locks->keepers) return;
    nnm_machine_lock_release(locks->machine);
    nnm_workspace_lock_release(locks->workspace);
    locks->machine = NULL;
    locks->workspace = NULL;
}

void nnm_locks_keep(nnm_builder_locks *locks)
{
    locks->keepers++;
}

void nnm_locks_keep_no_more(nnm_builder_locks *locks)
{
    locks->keepers--;
    nnm_locks_release(locks);
}
