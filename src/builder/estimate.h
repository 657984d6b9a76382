/* How good a predictor of some data would be, told without the test set: by cross-validation in groups. */
#ifndef NNM_BUILDER_ESTIMATE_H
#define NNM_BUILDER_ESTIMATE_H

#include "builder/fit.h"

/* Predicts every first kernel (`is_first`, one a record) by a predictor that learned from neither it nor the kernels
 * that were sampled in its neighbourhood: each later kernel goes with the first one that is nearest to it. First
 * kernels are as they come from the prior, so theirs is the accuracy for such; later ones, where errors are, would only
 * look worse. `out->rows` is 0 where there are too few. Errors: those of the learner, INTERRUPTED. */
NNM_NODISCARD nnm_status nnm_estimate(const nnm_kernel_data *data, const bool *is_first, const nnm_fit_options *options,
                                      nnm_metrics *out, nnm_error *err);

#endif
