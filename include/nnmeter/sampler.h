/*
 * Sampling kernel configurations: from the prior (what published networks use) and around given configurations.
 *
 * Every sampler is seeded, returns no configuration twice, returns none of those in `exclude`, and returns its
 * configurations in order of FLOPs. When the space holds fewer new configurations than were asked for, it returns
 * those it found; the caller compares counts.
 *
 * Thread-safety: an nnm_prior is never changed after it was loaded and may be shared.
 */
#ifndef NNMETER_SAMPLER_H
#define NNMETER_SAMPLER_H

#include "nnmeter/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- prior tables ---- */

/* The kernels of one family in published networks, one row a layer. */
typedef struct nnm_prior nnm_prior;

/* The name of the table that `kernel`'s family samples from: "conv", "dwconv", "pooling" or "fc", or NULL for a family
 * that is drawn from ranges (matmul). */
NNM_API const char *nnm_prior_table_of(const nnm_kernel *kernel);

/* The built-in table that `kernel`'s family samples from (without rows for a family that has none), freed by
 * nnm_prior_free. Errors: NOT_FOUND, NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_prior_builtin(nnm_prior **out, const nnm_kernel *kernel, nnm_error *err);

/* A table of the user's own: a CSV file with at least the columns that the family's built-in table has (see
 * docs/prior.md); further columns are ignored. Errors: NOT_FOUND, IO, PARSE, VALUE, with line and column name. */
NNM_NODISCARD NNM_API nnm_status nnm_prior_load_csv(nnm_prior **out, const nnm_kernel *kernel, const char *path,
                                                    nnm_error *err);
NNM_API void nnm_prior_free(nnm_prior *prior); /* NULL is allowed */

NNM_API size_t nnm_prior_rows(const nnm_prior *prior);
/* The values of the column for parameter `name` (e.g. "CIN"), nnm_prior_rows of them, or NULL if there is none. */
NNM_API const int64_t *nnm_prior_column(const nnm_prior *prior, const char *name);

/* ---- samplers ---- */

typedef enum nnm_sampling_mode {
    NNM_SAMPLING_PRIOR = 0,
    NNM_SAMPLING_FINEGRAINED = 1,
    NNM_SAMPLING_GIVEN = 2 /* nothing is drawn: the caller has chosen */
} nnm_sampling_mode;

/* Draws up to `num` configurations from the prior: each dimension independently by inverse transform on a 40-bin
 * histogram of the prior's column, snapped to the nearest valid value, and a share of frequent settings (the shares
 * and the valid values of each family are listed in docs/prior.md).
 * `exclude` may be NULL. The list is appended to. Errors: INVALID_ARGUMENT (num is 0), NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_sample_prior(nnm_config_list *out, const nnm_kernel *kernel,
                                                  const nnm_prior *prior, size_t num, uint64_t seed,
                                                  const nnm_config_list *exclude, nnm_error *err);

/* Draws up to `num` configurations around each of `around`: every parameter stays but the channel counts, which come
 * uniformly from [0.4 c, 1.2 c), at least 1, and even where they must be; matmul: M, N and K. Appends to the list.
 * Errors: INVALID_ARGUMENT, NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_sample_finegrained(nnm_config_list *out, const nnm_kernel *kernel,
                                                        const nnm_config_list *around, size_t num, uint64_t seed,
                                                        const nnm_config_list *exclude, nnm_error *err);

#ifdef __cplusplus
}
#endif

#endif
