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

NNM_NODISCARD nnm_status nnm_fit_check_options(const nnm_fit_options *options, nnm_error *err);

/* How many rows the test takes. */
size_t nnm_fit_test_count(const nnm_features *features, const nnm_fit_options *options);
/* Errors: TOO_FEW_ROWS where `tests` rows leave too few to train on. */
NNM_NODISCARD nnm_status nnm_fit_check_rows(const nnm_features *features, size_t tests, nnm_error *err);

/* All rows in the random order of a seed, whatever order they came in; the first ones are the test. The caller frees
 * `*out`. */
NNM_NODISCARD nnm_status nnm_fit_order(size_t **out, const nnm_features *features, uint64_t seed, nnm_error *err);

/* Fits the model of `options` to some of the rows. */
NNM_NODISCARD nnm_status nnm_fit_rows(nnm_predictor **out, const nnm_features *features, const size_t *rows,
                                      size_t count, const nnm_kernel *kernel, const nnm_fit_options *options,
                                      nnm_error *err);
NNM_NODISCARD nnm_status nnm_fit_predict(const nnm_predictor *predictor, const nnm_features *features,
                                         const size_t *rows, size_t count, double *out, nnm_error *err);
/* The same, compared with the labels; `predicted` holds `count` values. */
NNM_NODISCARD nnm_status nnm_fit_test(const nnm_predictor *predictor, const nnm_features *features, const size_t *rows,
                                      size_t count, double *predicted, nnm_metrics *out, nnm_error *err);

/* Writes TestResult_….csv: the features, what was measured, what was predicted, and the relative error. */
NNM_NODISCARD nnm_status nnm_fit_write_test(const char *path, const nnm_features *f, const nnm_test_rows *test,
                                            nnm_error *err);

/* Splits `features` by the seed, fits the kernel type's forest on the training rows and tests it on the others; fills
 * in predictor, summary and duplicates of `result`. Errors: TOO_FEW_ROWS, those of the learner. */
NNM_NODISCARD nnm_status nnm_fit_features(nnm_fit_result *result, nnm_test_rows *test, const nnm_features *features,
                                          const nnm_kernel *kernel, const nnm_fit_options *options, nnm_error *err);

#endif
