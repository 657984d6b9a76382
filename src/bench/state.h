/*
 * The quiet state of this machine, as all workspaces share it: two people who measure the same kernel must wait for the
 * same step of the clock. It is kept in a small file beside the machine-wide lock, until the machine starts anew.
 *
 * The file only saves looking again and makes workspaces agree; one that is damaged, of another machine, of an earlier
 * start of the machine or of a strange owner is not there. A worker checks that the state still occurs.
 */
#ifndef NNM_BENCH_STATE_H
#define NNM_BENCH_STATE_H

#include "bench/lock.h"

typedef struct nnm_machine_state {
    double reference_ns; /* throughput reference */
    double clock_ns;     /* latency reference */
    double found_unix_s;
} nnm_machine_state;

/* False, and `out` untouched, where none can be relied on. */
bool nnm_machine_state_read(nnm_machine_state *out);

/* Writes it down for all that come later. Whoever writes holds the machine's lock. Errors: IO, NO_SPACE, VALUE. */
NNM_NODISCARD nnm_status nnm_machine_state_write(const nnm_machine_lock *lock, const nnm_machine_state *state,
                                                 nnm_error *err);

/* The same with another file than the machine's own, for tests. */
bool nnm_machine_state_read_at(nnm_machine_state *out, const char *path);
NNM_NODISCARD nnm_status nnm_machine_state_write_at(const nnm_machine_state *state, const char *path, nnm_error *err);

/* The quiet state that a worker's latest child knows; both 0 where its protocol needs none. */
void nnm_worker_quiet_state(const nnm_worker *worker, double *reference_ns, double *clock_ns);

#endif
