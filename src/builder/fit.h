/* Split, fit, test: what fitting from kernel data and from tables has in common. */
#ifndef NNM_BUILDER_FIT_H
#define NNM_BUILDER_FIT_H

#include "builder/features.h"

/* With fewer rows, a share of test rows within 10 % says nothing and a forest has nothing to split. */
#define NNM_FIT_MIN_ROWS 5

/* Test rows and what was predicted for them. Owns everything. */
typedef struct nnm_test_rows {
    size_t *rows; /* indices into the features */
    double *predicted;
    size_t count;
} nnm_test_rows;
void nnm_test_rows_fini(nnm_test_rows *test);

/* Splits `features` by the seed, fits the kernel type's forest on the training rows and tests it on the others; fills
 * in predictor, summary and duplicates of `result`. Errors: TOO_FEW_ROWS, those of the learner. */
NNM_NODISCARD nnm_status nnm_fit_features(nnm_fit_result *result, nnm_test_rows *test, const nnm_features *features,
                                          const nnm_kernel *kernel, const nnm_fit_options *options, nnm_error *err);

#endif
