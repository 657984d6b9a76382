/* How much memory a worker may take. */
#ifndef NNM_BENCH_MEMORY_H
#define NNM_BENCH_MEMORY_H

#include <stdbool.h>

/* Whether a sanitizer that watches memory was built in. */
bool nnm_memory_is_watched(void);

/* The limit in MiB that a protocol's memory_limit_mib stands for; 0: none. */
unsigned nnm_memory_limit(unsigned memory_limit_mib);

#endif
