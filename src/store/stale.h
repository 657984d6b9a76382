/* What a killed process leaves in a workspace. */
#ifndef NNM_STORE_STALE_H
#define NNM_STORE_STALE_H

/* Removes temporary files whose process is gone. To be called under the workspace's lock. What cannot be removed stays:
 * it is in nobody's way. */
void nnm_workspace_remove_stale(const char *workspace);

#endif
