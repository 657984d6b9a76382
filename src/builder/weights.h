/* Labels that are less sure count less. */
#ifndef NNM_BUILDER_WEIGHTS_H
#define NNM_BUILDER_WEIGHTS_H

#include "builder/features.h"

/* Takes the relative spread of each label from the records that `features` was made of. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_features_take_spreads(nnm_features *features, const nnm_kernel_data *data, nnm_error *err);

/* Weights for the rows listed, 1 for a label without spread; `*out` is NULL where all are alike or spreads are not
 * known. The caller frees it. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_fit_weights(const nnm_features *features, const size_t *rows, size_t count, double **out,
                                         nnm_error *err);

#endif
