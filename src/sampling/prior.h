/* What a prior table holds, for the samplers. */
#ifndef NNM_SAMPLING_PRIOR_H
#define NNM_SAMPLING_PRIOR_H

#include "base/rng.h"
#include "nnmeter/sampler.h"
#include "sampling/family.h"
#include "sampling/histogram.h"

/* Both arrays follow the family's dimensions; a dimension without a column has NULL. */
struct nnm_prior {
    const nnm_family *family;
    size_t rows;
    int64_t *columns[NNM_KERNEL_MAX_PARAMS];
    nnm_histogram histograms[NNM_KERNEL_MAX_PARAMS];
};

/* The family of a kernel type, whose dimensions are the kernel's parameters. Errors: NOT_FOUND, INTERNAL. */
NNM_NODISCARD nnm_status nnm_kernel_find_family(const nnm_family **out, const nnm_kernel *kernel, nnm_error *err);

/* Reads the columns of a family's dimensions. `limits` gives each dimension's largest value; NULL: 2^31 - 1.
 * Errors: NOT_FOUND, PARSE, VALUE, NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_prior_parse(nnm_prior **out, const nnm_family *family, const int64_t *limits,
                                         const char *text, size_t size_bytes, const char *name, nnm_error *err);

/* One draw, a value a dimension, as it comes: it may repeat an earlier one. */
void nnm_prior_draw(const nnm_prior *prior, nnm_rng *rng, int64_t values[NNM_KERNEL_MAX_PARAMS]);

/* How many coordinates nnm_prior_at takes: one a dimension, and one for the number of inputs. */
#define NNM_PRIOR_COORDINATES (NNM_KERNEL_MAX_PARAMS + 1)

/* The configuration at a point of the cube [0, 1)^NNM_PRIOR_COORDINATES: points that are spread evenly over the cube
 * give configurations that are spread as nnm_prior_draw spreads them. */
void nnm_prior_at(const nnm_prior *prior, const double point[NNM_PRIOR_COORDINATES],
                  int64_t values[NNM_KERNEL_MAX_PARAMS]);

#endif
