/*
 * Choosing rows of a feature table to measure: what nnm_acquire does with candidate configurations, and a bench with
 * the rows of a table that somebody else measured.
 *
 * Candidates are chosen one after the other, always the one that gains most for its price (a greedy choice, for gains
 * only fall). The gain: the predictor has to be good for reference rows, which are spread as the prior is; each is
 * worth what a better answer would do for the share of answers within 10 %, and a candidate takes away from it the
 * share of the model's trees that do not tell the two apart. What is taken is no gain for the next candidate any more.
 */
#ifndef NNM_BUILDER_ACQUIRE_ROWS_H
#define NNM_BUILDER_ACQUIRE_ROWS_H

#include "builder/acquire.h"
#include "builder/features.h"

/* Rows of a feature table: those that were measured, or candidates. Only read. */
typedef struct nnm_acquire_rows {
    const nnm_features *features; /* with labels where the rows were measured */
    const size_t *rows;
    size_t count;
    const double *seconds; /* that measuring each took; NULL: not known */
} nnm_acquire_rows;

/* Chooses up to `num` of the candidates, of which the first `reference` ones are the reference rows. `chosen` has room
 * for `num` and gets places in candidates->rows, best first. `outlook` may be NULL. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_acquire_choose(size_t *chosen, size_t *chosen_count, const nnm_acquire_rows *known,
                                            const nnm_acquire_rows *candidates, size_t reference, size_t num,
                                            const nnm_acquire_options *options, uint64_t seed,
                                            nnm_acquire_outlook *outlook, nnm_error *err);

/* The same where no latency is known: each candidate stands for those that are near it by the logarithms of their
 * parameters, and its price goes by its operations and bytes. */
NNM_NODISCARD nnm_status nnm_acquire_spread(size_t *chosen, size_t *chosen_count, const nnm_acquire_rows *candidates,
                                            size_t num, const nnm_acquire_options *options, nnm_error *err);

#endif
