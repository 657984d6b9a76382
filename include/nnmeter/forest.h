/*
 * Random forest regression (L. Breiman, "Random Forests", Machine Learning 45, 2001) on a table of numbers.
 *
 *     nnm_forest *forest = NULL;
 *     nnm_forest_options options = NNM_FOREST_OPTIONS_INIT;
 *     nnm_forest_fit(&forest, x, y, NULL, rows, columns, &options, &err);
 *     nnm_forest_predict(forest, x, rows, prediction);
 *
 * Matrices are row-major: x[row * columns + column]. Equal inputs, options and seed give the same forest, bit for bit,
 * whatever the number of threads. A fitted forest is constant: any number of threads may predict with it.
 */
#ifndef NNMETER_FOREST_H
#define NNMETER_FOREST_H

#include <stdbool.h>
#include <stdint.h>

#include "nnmeter/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nnm_forest nnm_forest;

/* Who wants to hear how far fitting is: `grown` of `of` trees. Called on the thread that called; true asks to stop:
 * fitting then ends with NNM_ERR_INTERRUPTED. */
typedef struct nnm_fit_listener {
    bool (*hear)(void *context, size_t grown, size_t of);
    void *context;
} nnm_fit_listener;

typedef struct nnm_forest_options {
    size_t trees;             /* 1..100,000 */
    size_t max_depth;         /* splits from root to leaf, 1..1000; 0: no limit */
    size_t max_features;      /* features tried a split, 1..columns; 0: all. More than the columns means all */
    size_t min_samples_split; /* a node with fewer distinct training rows becomes a leaf; >= 2 */
    size_t min_samples_leaf;  /* rows either side of a split keeps at least; >= 1 */
    bool bootstrap;           /* each tree sees rows drawn with replacement, as many as there are but at most 131,072;
                                 without, all rows and no out-of-bag */
    uint64_t seed;
    unsigned threads;                 /* 0: one a CPU this process may use */
    const nnm_fit_listener *listener; /* NULL: nobody hears */
} nnm_forest_options;

/* The published recipe: 370 trees of depth 50, all features a split. */
#define NNM_FOREST_OPTIONS_INIT             \
    {                                       \
        370, 50, 0, 2, 1, true, 10, 0, NULL \
    }

/* Fits a forest that minimises squared error. x: rows * columns values; y: rows values; weight: rows values >= 0 with
 * a positive sum, or NULL for equal weights. `options` NULL: NNM_FOREST_OPTIONS_INIT. All values must be finite. The
 * inputs are only read during the call. Errors: INVALID_ARGUMENT (an option out of range, no rows, no columns), VALUE
 * (row and column of a value that is not finite), NO_MEMORY, INTERRUPTED. The forest is freed by nnm_forest_free. */
NNM_NODISCARD NNM_API nnm_status nnm_forest_fit(nnm_forest **out, const double *x, const double *y,
                                                const double *weight, size_t rows, size_t columns,
                                                const nnm_forest_options *options, nnm_error *err);
NNM_API void nnm_forest_free(nnm_forest *forest); /* NULL is allowed */

/* Mean of the trees' predictions for `rows` rows of nnm_forest_columns values each. Cannot fail. */
NNM_API void nnm_forest_predict(const nnm_forest *forest, const double *x, size_t rows, double *out);

NNM_API size_t nnm_forest_columns(const nnm_forest *forest);
NNM_API size_t nnm_forest_tree_count(const nnm_forest *forest);
NNM_API size_t nnm_forest_node_count(const nnm_forest *forest); /* splits and leaves of all trees */

/* Out-of-bag predictions of the training rows, each the mean over the trees that did not see the row; NaN for a row
 * that every tree saw. NULL without bootstrap and for a forest that was loaded from a file. Owned by the forest. */
NNM_API const double *nnm_forest_oob_prediction(const nnm_forest *forest);
/* Coefficient of determination R^2 of those; NaN where nothing was out of bag. */
NNM_API double nnm_forest_oob_score(const nnm_forest *forest);

#ifdef __cplusplus
}
#endif

#endif
