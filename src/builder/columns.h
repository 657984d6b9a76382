/* How the columns of a table become the features of a kernel type: which cell each comes from, and what is computed. */
#ifndef NNM_BUILDER_COLUMNS_H
#define NNM_BUILDER_COLUMNS_H

#include "base/csv.h"
#include "nnmeter/builder.h"

/* Where a feature of a table row comes from: a column, or the cost of the layer. */
typedef enum nnm_feature_source {
    NNM_FROM_COLUMN,
    NNM_FROM_FLOPS,
    NNM_FROM_PARAMS,
    NNM_FROM_PARSER, /* of a customised kernel; `column` is the number of the feature */
    NNM_FROM_WORK    /* what the model `best` gets: kernels/work.h; `column` is the number of the feature there */
} nnm_feature_source;

typedef struct nnm_feature_plan {
    char *name;
    nnm_feature_source source;
    long column;
} nnm_feature_plan;

/* Columns are indices into the table's header; -1: nowhere. Zero-initialise; end with nnm_columns_fini. */
typedef struct nnm_columns {
    const nnm_kernel *kernel; /* NULL: features are plain columns */
    long param[NNM_KERNEL_MAX_PARAMS];
    long batch, groups, pad, padding;
    long target;
    bool needs_cost;
    nnm_feature_plan *plan;
    size_t count;
} nnm_columns;

void nnm_columns_fini(nnm_columns *columns);

/* The features a table has for a kernel type: its parameters, further numeric columns, FLOPS and PARAMS, and for the
 * model `best` those of kernels/work.h. `csv` holds the first rows: a column is text where fewer than half of their
 * cells are numbers. Text columns, the target and our own predicted_ms, lower_ms and upper_ms are not features. Errors:
 * NOT_FOUND (a parameter or the target is not there), VALUE (the target is a parameter). */
NNM_NODISCARD nnm_status nnm_columns_for_training(nnm_columns *out, const nnm_csv *csv, const nnm_kernel *kernel,
                                                  const char *target, nnm_model_kind model, nnm_error *err);

/* The features that a predictor was trained on, in its order. `target` NULL: no labels are needed.
 * Errors: NOT_FOUND with the column that is missing. */
NNM_NODISCARD nnm_status nnm_columns_for_predictor(nnm_columns *out, const nnm_csv *csv, const nnm_predictor *predictor,
                                                   const nnm_kernel *kernel, const char *target, nnm_error *err);

/* The features of one row: `count` values. Errors: VALUE with line, column and text of a cell that is no number, or a
 * size that no layer has. */
NNM_NODISCARD nnm_status nnm_columns_row(const nnm_columns *columns, const nnm_csv *csv, size_t row, double *x,
                                         nnm_error *err);

/* The latency of one row. Errors: VALUE with line, column and text where it is not finite and > 0. */
NNM_NODISCARD nnm_status nnm_columns_label(const nnm_columns *columns, const nnm_csv *csv, size_t row, double *y,
                                           nnm_error *err);

/* Counts a row that is left out and keeps the first reason. Returns NNM_OK where `skipped` is not NULL and the status
 * is one of a bad row (VALUE), else `status`. */
nnm_status nnm_skip_row(nnm_skipped_rows *skipped, nnm_status status, const nnm_error *reason, nnm_error *err);

#endif
