#include "base/clock.h"

#include <time.h>

static uint64_t read_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t nnm_clock_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

double nnm_unix_time_s(void)
{
    return (double)read_ns(CLOCK_REALTIME) * 1e-9;
}
