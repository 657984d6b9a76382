#ifndef NNM_BASE_CLOCK_H
#define NNM_BASE_CLOCK_H

#include <stdint.h>

/* Monotonic time, ns. Only differences mean something. */
uint64_t nnm_clock_ns(void);

/* Seconds since 1970-01-01 UTC. */
double nnm_unix_time_s(void);

#endif
