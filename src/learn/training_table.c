#include "learn/training_table.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

static nnm_status check_values(const double *x, const double *y, const double *weight, size_t rows, size_t columns,
                               size_t *counted, nnm_error *err)
{
    size_t positive = 0;
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column < columns; column++) {
            double value = x[row * columns + column];
            if (!isfinite(value))
                return nnm_fail(err, NNM_ERR_VALUE, "row %zu, column %zu: %g is not a finite number", row + 1,
                                column + 1, value);
        }
        if (!isfinite(y[row]))
            return nnm_fail(err, NNM_ERR_VALUE, "row %zu: the target %g is not a finite number", row + 1, y[row]);
        if (weight && !(isfinite(weight[row]) && weight[row] >= 0))
            return nnm_fail(err, NNM_ERR_VALUE, "row %zu: the weight %g is not a finite number >= 0", row + 1,
                            weight[row]);
        positive += !weight || weight[row] > 0;
    }
    if (positive == 0) return nnm_fail(err, NNM_ERR_VALUE, "none of the %zu rows has a weight above zero", rows);
    *counted = positive;
    return NNM_OK;
}

/* The power of two that brings the largest of the absolute values to 0.5..1; 0 where all are zero. */
static int largest_exponent(const double *values, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(values[i]));
    int exponent = 0;
    frexp(largest, &exponent);
    return exponent;
}

static void copy_counted_rows(nnm_training_table *table, const double *y, const double *weight, size_t rows)
{
    size_t count = 0;
    for (size_t row = 0; row < rows; row++) {
        if (weight && !(weight[row] > 0)) continue;
        table->source[count] = (uint32_t)row;
        table->y[count] = y[row];
        table->weight[count] = weight ? weight[row] : 1;
        count++;
    }
    table->y_exponent = largest_exponent(table->y, count);
    int weight_exponent = largest_exponent(table->weight, count);
    for (size_t i = 0; i < count; i++) {
        table->y[i] = ldexp(table->y[i], -table->y_exponent);
        /* A weight too small beside the largest still counts as a row. */
        table->weight[i] = fmax(ldexp(table->weight[i], -weight_exponent), 0x1p-500);
    }
}

typedef struct keyed_row {
    double value;
    uint32_t row;
} keyed_row;

static int compare_keyed_rows(const void *left, const void *right)
{
    const keyed_row *a = left, *b = right;
    if (a->value != b->value) return a->value < b->value ? -1 : 1;
    return a->row < b->row ? -1 : 1;
}

static void sort_feature(nnm_training_table *table, size_t column, keyed_row *keys)
{
    for (size_t row = 0; row < table->rows; row++)
        keys[row] = (keyed_row){table->x[table->source[row] * table->columns + column], (uint32_t)row};
    qsort(keys, table->rows, sizeof *keys, compare_keyed_rows);

    nnm_ranked_row *sorted = table->sorted + column * table->rows;
    double *values = table->values + column * table->rows;
    uint32_t rank = 0;
    for (size_t i = 0; i < table->rows; i++) {
        if (i > 0 && keys[i].value != keys[i - 1].value) rank++;
        values[rank] = keys[i].value;
        sorted[i] = (nnm_ranked_row){keys[i].row, rank};
        table->rank[keys[i].row * table->columns + column] = rank;
    }
    table->distinct[column] = rank + 1;
}

nnm_status nnm_training_table_init(nnm_training_table *table, const double *x, const double *y, const double *weight,
                                   size_t rows, size_t columns, nnm_error *err)
{
    size_t counted = 0;
    nnm_status status = check_values(x, y, weight, rows, columns, &counted, err);
    if (status) return status;

    *table = (nnm_training_table){.rows = counted, .columns = columns, .x = x};
    size_t cells = counted * columns; /* no overflow: x holds at least as many */
    table->source = nnm_calloc(counted, sizeof *table->source);
    table->y = nnm_calloc(counted, sizeof *table->y);
    table->weight = nnm_calloc(counted, sizeof *table->weight);
    table->rank = nnm_calloc(cells, sizeof *table->rank);
    table->sorted = nnm_calloc(cells, sizeof *table->sorted);
    table->values = nnm_calloc(cells, sizeof *table->values);
    table->distinct = nnm_calloc(columns, sizeof *table->distinct);
    keyed_row *keys = nnm_calloc(counted, sizeof *keys);
    if (!table->source || !table->y || !table->weight || !table->rank || !table->sorted || !table->values ||
        !table->distinct || !keys) {
        status = nnm_fail_memory(err);
        goto done;
    }
    copy_counted_rows(table, y, weight, rows);
    for (size_t column = 0; column < columns; column++)
        sort_feature(table, column, keys);

done:
    free(keys);
    if (status) nnm_training_table_fini(table);
    return status;
}

void nnm_training_table_fini(nnm_training_table *table)
{
    free(table->source);
    free(table->y);
    free(table->weight);
    free(table->rank);
    free(table->sorted);
    free(table->values);
    free(table->distinct);
    *table = (nnm_training_table){0};
}
