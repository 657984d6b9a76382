/*
 * A fitted roofline (S. Williams, A. Waterman, D. Patterson, "Roofline", CACM 52, 2009): how long the work of a row
 * takes when each resource has one speed.
 *
 * Columns that count work are given in groups, one a resource. Amounts of one group add up, and the slowest group
 * decides, softly; beside the groups there is a constant for what every row costs:
 *     latency = (sum over groups of (sum over its columns of cost * amount)^power + floor^power)^(1/power)
 * All costs are positive, so more work never takes less time, and it grows in proportion beyond what was measured.
 */
#ifndef NNM_LEARN_ROOFLINE_H
#define NNM_LEARN_ROOFLINE_H

#include <stdint.h>

#include "nnmeter/status.h"

#define NNM_ROOFLINE_MAX_TERMS 32
#define NNM_ROOFLINE_MAX_GROUPS 8
#define NNM_ROOFLINE_MAX_LOG 500.0 /* of a cost, either sign */
#define NNM_ROOFLINE_LOWEST_POWER 0.6
#define NNM_ROOFLINE_HIGHEST_POWER 7.5

typedef struct nnm_roofline {
    size_t terms;  /* the first has no column: it is the floor, with an amount of 1 and a group of its own */
    size_t groups; /* the floor's too; >= 1 */
    uint32_t column[NNM_ROOFLINE_MAX_TERMS];
    uint8_t group[NNM_ROOFLINE_MAX_TERMS];   /* 0 the floor's; increasing, none left out */
    double log_cost[NNM_ROOFLINE_MAX_TERMS]; /* natural logarithm of ms for an amount of 1 */
    double power;
} nnm_roofline;

/* Fits costs and power by least squares on the logarithm of latency, made robust by the pseudo-Huber loss.
 * x: rows * columns; log_latency: rows; weight: rows or NULL; work: columns, the group of each (1, 2, ...), 0: it
 * counts no work; NULL: none does. Errors: NO_MEMORY, INVALID_ARGUMENT (too many terms or groups). */
NNM_NODISCARD nnm_status nnm_roofline_fit(nnm_roofline *out, const double *x, const double *log_latency,
                                          const double *weight, const uint8_t *work, size_t rows, size_t columns,
                                          nnm_error *err);

/* The logarithm of the latency of a row; shares[group] = log of what a group would take alone, less that. Finite for
 * whatever numbers: amounts below 1 (and NaN) count as 1, amounts above 1e100 as that. */
double nnm_roofline_log_latency(const nnm_roofline *roofline, const double *x, double shares[NNM_ROOFLINE_MAX_GROUPS]);

#endif
