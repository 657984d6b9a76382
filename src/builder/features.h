/* Kernel data and tables of other people become feature tables, the only thing the learner sees. */
#ifndef NNM_BUILDER_FEATURES_H
#define NNM_BUILDER_FEATURES_H

#include "base/csv.h"
#include "nnmeter/builder.h"

/* A feature table with labels, owning everything. Zero-initialise; end with nnm_features_fini. */
typedef struct nnm_features {
    char **names; /* columns */
    double *x;    /* row-major */
    double *y;    /* latencies, ms */
    size_t rows, columns;
    size_t *source;    /* row of the kernel data or table that each row came from */
    size_t duplicates; /* rows left out because an earlier one has the same features */
} nnm_features;

void nnm_features_fini(nnm_features *features);

/* The features of every record that has a configuration and a latency; duplicates are left out. A random forest gets
 * the documented ones, the model `best` more. */
NNM_NODISCARD nnm_status nnm_features_of_data(nnm_features *out, const nnm_kernel_data *data, nnm_model_kind model,
                                              nnm_error *err);

/* Feature columns of a CSV table for a kernel type: its parameters, further numeric columns, FLOPS and PARAMS, and what
 * the model `best` gets beside these; labels from column `target`. Text columns and our own predicted_ms, lower_ms and
 * upper_ms are not features.
 * Errors: NOT_FOUND (a parameter or the target is not there), VALUE with the line. */
NNM_NODISCARD nnm_status nnm_features_of_csv(nnm_features *out, const nnm_csv *csv, const nnm_kernel *kernel,
                                             const char *target, nnm_model_kind model, nnm_error *err);

/* The rows of a CSV table as the features a predictor was trained on; `y` stays NULL and duplicates are kept. */
NNM_NODISCARD nnm_status nnm_features_for_predictor(nnm_features *out, const nnm_csv *csv,
                                                    const nnm_predictor *predictor, const nnm_kernel *kernel,
                                                    nnm_error *err);

/* One column of a table as numbers, each finite and > 0. The caller frees `*out`. */
NNM_NODISCARD nnm_status nnm_features_labels(double **out, const nnm_csv *csv, const char *target, nnm_error *err);

#endif
