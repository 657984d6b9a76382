#ifndef NNM_BASE_PARALLEL_H
#define NNM_BASE_PARALLEL_H

#include <stddef.h>

/* CPUs this process may use, >= 1. */
unsigned nnm_cpu_count(void);

/* Does what this loop does, in any order, on up to `threads` threads (0: one a CPU):
 *     for (size_t i = 0; i < count; i++) task(context, i, thread);
 * `thread` is 0..threads-1: two calls at the same time have different ones. When threads cannot be started the loop
 * runs on those there are; it always completes. */
void nnm_parallel_for(unsigned threads, size_t count, void (*task)(void *context, size_t index, unsigned thread),
                      void *context);

/* The number of threads that nnm_parallel_for uses at most for `threads` and `count`. */
unsigned nnm_parallel_threads(unsigned threads, size_t count);

#endif
