/* The worker's side: what runs in the child process. */
#ifndef NNM_BENCH_CHILD_H
#define NNM_BENCH_CHILD_H

#include <signal.h>
#include <sys/types.h>

#include "bench/reference.h"
#include "nnmeter/measure.h"

/* Times find_s that a child waits to see the state that is known again, before it looks for another one. */
#define NNM_KNOWN_PATIENCE 3

typedef struct nnm_child {
    const nnm_backend *backend;
    nnm_session_options options;
    nnm_protocol protocol;
    pid_t parent;
    int fd;           /* of the channel */
    nnm_quiet *quiet; /* shared with the parent, so that what is known outlives this child */
} nnm_child;

/* Called right after fork, with all signals blocked. Serves requests until the parent goes away; never returns. */
_Noreturn void nnm_child_main(const nnm_child *child);

#endif
