/*
 * Child processes for code that may crash, hang or take all memory. All calls but the first are made by the child.
 */
#ifndef NNM_BASE_PROCESS_H
#define NNM_BASE_PROCESS_H

#include <sys/types.h>

/* fork, with all signals blocked in the child until it leaves its parent: no handler of the parent's program runs in
 * it. Returns as fork does, with errno. */
pid_t nnm_process_fork(void);

/* Handlers of the parent's program do not run here, Ctrl-C is the parent's business, nothing dumps core, and this
 * process ends with the parent, or first when memory is short. */
void nnm_process_leave_parent(pid_t parent);

/* Keeps `fd` alone, which becomes number `as` (3 or more): no lock, terminal or file of the parent stays open here.
 * What is printed is lost. */
void nnm_process_keep_descriptor(int fd, int as);

/* Allows so much memory beyond what is in use. Where the system does not say how much that is, there is no limit. */
void nnm_process_limit_memory(unsigned mib);
void nnm_process_unlimit_memory(void);

/* Allows so much CPU time from now on, in seconds. */
void nnm_process_limit_cpu(double seconds);

#endif
