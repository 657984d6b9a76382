/*
 * What every tree of a forest needs of the training data, made once: the rows that count, scaled targets, and every
 * feature sorted.
 *
 * Rows of weight zero are left out. Targets and weights are multiplied by powers of two, so that sums and their squares
 * neither overflow nor vanish; this changes no bit of their mantissas.
 */
#ifndef NNM_LEARN_TRAINING_TABLE_H
#define NNM_LEARN_TRAINING_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "nnmeter/status.h"

/* More ranks than these do not fit the keys of small nodes (split_search.h). */
#define NNM_MAX_TRAINING_ROWS ((size_t)1 << 26)

/* A row and the rank of its value among the distinct values of one feature. */
typedef struct nnm_ranked_row {
    uint32_t row, rank;
} nnm_ranked_row;

typedef struct nnm_training_table {
    size_t rows, columns;
    const double *x;  /* the caller's matrix */
    uint32_t *source; /* the caller's row number of each row here */
    double *y;        /* targets * 2^-y_exponent, within -1..1 */
    int y_exponent;
    double *weight;         /* within 0..1, none zero */
    uint32_t *rank;         /* rank[row * columns + column] */
    nnm_ranked_row *sorted; /* sorted[column * rows + i]: rows by increasing value, equal ones by row */
    double *values;         /* distinct values of a feature: values[column * rows + rank] */
    size_t *distinct;       /* their number, for each feature */
} nnm_training_table;

/* Errors: VALUE (row and column of a number that is not finite, a negative weight, no weight above zero), NO_MEMORY.
 * x must outlive the table. */
NNM_NODISCARD nnm_status nnm_training_table_init(nnm_training_table *table, const double *x, const double *y,
                                                 const double *weight, size_t rows, size_t columns, nnm_error *err);
void nnm_training_table_fini(nnm_training_table *table);

#endif
