/* Kernel data and tables of other people become feature tables, the only thing the learner sees. */
#ifndef NNM_BUILDER_FEATURES_H
#define NNM_BUILDER_FEATURES_H

#include "builder/labels.h"

/* A feature table with labels, owning everything. Zero-initialise; end with nnm_features_fini. */
typedef struct nnm_features {
    char **names; /* columns */
    double *x;    /* row-major */
    double *y;    /* latencies, ms */
    size_t rows, columns;
    uint8_t *work;       /* columns: nnm_dataset.work */
    size_t *source;      /* row of the kernel data, or line of the file, that each row came from */
    size_t duplicates;   /* rows left out because an earlier one has the same features */
    double *spread;      /* of each label, as a share of it; NULL: not known */
    nnm_repeats repeats; /* labels that such rows repeat */
} nnm_features;

void nnm_features_fini(nnm_features *features);

/* The features of every record that has a configuration and a latency; duplicates are left out. A random forest gets
 * the documented ones, the model `best` more. */
NNM_NODISCARD nnm_status nnm_features_of_data(nnm_features *out, const nnm_kernel_data *data, nnm_model_kind model,
                                              nnm_error *err);

/* The features of configurations as the model `best` gets them, every one and in their order; `latency_ms` NULL: labels
 * stay 0. */
NNM_NODISCARD nnm_status nnm_features_of_configs(nnm_features *out, const nnm_kernel *kernel,
                                                 const nnm_kernel_config *configs, const double *latency_ms,
                                                 size_t count, nnm_error *err);

/* The feature table of a CSV file for a kernel type and a model (columns.h); labels from column `target`. Bad rows are
 * counted in `skipped` and left out, or refused where that is NULL; duplicates are left out.
 * Errors: those of reading, NOT_FOUND (a column is not there), VALUE with line, column and text of a bad cell. */
NNM_NODISCARD nnm_status nnm_features_of_csv(nnm_features *out, const char *path, const nnm_kernel *kernel,
                                             const char *target, nnm_model_kind model, nnm_skipped_rows *skipped,
                                             nnm_error *err);

/* The same for what a caller of the public functions gave: finds the kernel type, checks the options, and skips bad
 * rows where they say so. */
NNM_NODISCARD nnm_status nnm_features_of_table(nnm_features *out, const nnm_kernel **kernel, const char *kernel_type,
                                               const char *path, const nnm_table_options *options,
                                               nnm_skipped_rows *skipped, nnm_error *err);

#endif
