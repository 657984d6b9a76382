/*
 * Which kernels to measure next, so that a predictor of the kernels that networks use becomes good after few kernels
 * and little time on the device. docs/sampling.md has the method and what it was compared with.
 *
 * Both calls append to a list, in the order of choice: the first are worth most, so a caller whose time runs out takes
 * them from the front. They return no configuration twice and none that `out`, `exclude` or `known` holds, only valid
 * ones, and fewer than asked for where the space has no more. Equal inputs and seed give equal lists whatever the
 * number of threads.
 */
#ifndef NNM_BUILDER_ACQUIRE_H
#define NNM_BUILDER_ACQUIRE_H

#include "nnmeter/sampler.h"

/* What is known of kernels that were measured. Only read. */
typedef struct nnm_known_kernels {
    const nnm_kernel_config *configs;
    const double *latency_ms; /* each > 0 */
    const double *seconds; /* that measuring each took, >= 0; NULL: not known, and taken to follow from the latency */
    size_t count;
} nnm_known_kernels;

typedef struct nnm_acquire_options {
    /* How much the time counts that measuring a kernel takes: from 0, only the number of kernels does, to 1, only the
     * time. */
    double cost_weight;
    size_t candidates; /* of so many, or of more where many are asked for, the best are chosen; >= 1 */
    unsigned threads;  /* 0: one a CPU */
} nnm_acquire_options;
/* The cost weight of the first kernels at most: what they cost is a guess, and dear ones must be among them. */
#define NNM_ACQUIRE_START_WEIGHT 0.2
#define NNM_ACQUIRE_OPTIONS_INIT \
    {                            \
        0.5, 1500, 0             \
    }

/* What `nnm_acquire` thinks of its choice. */
typedef struct nnm_acquire_outlook {
    double accuracy10;  /* of a predictor fitted to what is known, for kernels from the prior: share within 10 % */
    double seconds;     /* that measuring the chosen kernels takes */
    double mean_cost_s; /* that measuring a kernel drawn from the prior takes */
} nnm_acquire_outlook;

/* The first configurations, of which no latency is known yet: spread evenly over what the prior covers, rather a cheap
 * one than one that is ten times the work.
 * Errors: INVALID_ARGUMENT (num is 0, the prior is of another family), NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_acquire_start(nnm_config_list *out, const nnm_kernel *kernel, const nnm_prior *prior,
                                           size_t num, const nnm_config_list *exclude, uint64_t seed, nnm_error *err);

/* The next configurations. With fewer than NNM_ACQUIRE_MIN_KNOWN known, as nnm_acquire_start. `options` NULL:
 * NNM_ACQUIRE_OPTIONS_INIT; `outlook` and `exclude` may be NULL; what is not known in the outlook is NaN.
 * Errors: as above; VALUE (a latency that is not finite and > 0, seconds that are not finite and >= 0, a cost weight
 * outside 0..1, no candidates). */
#define NNM_ACQUIRE_MIN_KNOWN 20
NNM_NODISCARD nnm_status nnm_acquire(nnm_config_list *out, const nnm_kernel *kernel, const nnm_prior *prior,
                                     const nnm_known_kernels *known, size_t num, const nnm_acquire_options *options,
                                     const nnm_config_list *exclude, uint64_t seed, nnm_acquire_outlook *outlook,
                                     nnm_error *err);

#endif
