/* What measuring a kernel costs, learned from the kernels that were measured. */
#ifndef NNM_BUILDER_ACQUIRE_COSTS_H
#define NNM_BUILDER_ACQUIRE_COSTS_H

#include <stddef.h>

#include "nnmeter/status.h"

typedef struct nnm_measuring_time {
    double latency_ms, seconds;
} nnm_measuring_time;

/* Zero-initialise; end with nnm_costs_fini. */
typedef struct nnm_costs {
    nnm_measuring_time *pairs; /* by latency, seconds smoothed by their neighbours */
    size_t count;
} nnm_costs;

/* The seconds that measuring a kernel takes with the protocol's defaults (measure.h): rounds, each with a session, a
 * warm-up, and at least five samples. */
double nnm_default_measuring_seconds(double latency_ms);

/* `seconds` NULL: those of the protocol's defaults. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_costs_learn(nnm_costs *out, const double *latency_ms, const double *seconds, size_t count,
                                         nnm_error *err);
void nnm_costs_fini(nnm_costs *costs);

/* The seconds for a kernel of this latency: between the nearest known ones; beyond the slowest in proportion. */
double nnm_costs_seconds(const nnm_costs *costs, double latency_ms);

#endif
