#include "builder/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/rng.h"
#include "kernels/cost.h"

void nnm_features_fini(nnm_features *features)
{
    for (size_t i = 0; features->names && i < features->columns; i++)
        free(features->names[i]);
    free(features->names);
    free(features->x);
    free(features->y);
    free(features->source);
    *features = (nnm_features){0};
}

static nnm_status allocate(nnm_features *f, size_t rows, size_t columns, bool labels, nnm_error *err)
{
    f->rows = rows;
    f->columns = columns;
    f->names = nnm_calloc(columns, sizeof *f->names);
    f->x = nnm_calloc(rows, columns * sizeof *f->x);
    f->source = nnm_calloc(rows, sizeof *f->source);
    f->y = labels ? nnm_calloc(rows, sizeof *f->y) : NULL;
    return f->names && f->x && f->source && (f->y || !labels) ? NNM_OK : nnm_fail_memory(err);
}

static nnm_status set_name(nnm_features *f, size_t column, const char *name, nnm_error *err)
{
    f->names[column] = nnm_strdup(name);
    return f->names[column] ? NNM_OK : nnm_fail_memory(err);
}

/* Keeps the first of rows with equal features: one left in the test rows while its twin is trained on would flatter
 * the accuracy. */
static nnm_status drop_duplicates(nnm_features *f, nnm_error *err)
{
    size_t slots = 16;
    while (slots < f->rows * 2)
        slots *= 2;
    size_t *table = nnm_calloc(slots, sizeof *table); /* row + 1; 0: free */
    if (!table) return nnm_fail_memory(err);
    size_t row_bytes = f->columns * sizeof *f->x;
    size_t kept = 0;
    for (size_t row = 0; row < f->rows; row++) {
        const double *values = f->x + row * f->columns;
        size_t slot = (size_t)nnm_hash64(values, row_bytes, 0) & (slots - 1);
        while (table[slot] && memcmp(f->x + (table[slot] - 1) * f->columns, values, row_bytes) != 0)
            slot = (slot + 1) & (slots - 1);
        if (table[slot]) {
            f->duplicates++;
            continue;
        }
        memmove(f->x + kept * f->columns, values, row_bytes);
        f->y[kept] = f->y[row];
        f->source[kept] = f->source[row];
        table[slot] = ++kept;
    }
    f->rows = kept;
    free(table);
    return NNM_OK;
}

/* ---- kernel data ---- */

nnm_status nnm_features_of_data(nnm_features *out, const nnm_kernel_data *data, nnm_model_kind model, nnm_error *err)
{
    (void)model; /* both get the same so far */
    const nnm_kernel *kernel = data->kernel;
    nnm_features f = {0};
    nnm_status status = allocate(&f, data->count, nnm_kernel_feature_count(kernel), true, err);
    for (size_t i = 0; i < f.columns && status == NNM_OK; i++)
        status = set_name(&f, i, nnm_kernel_feature_name(kernel, i), err);
    if (status) goto done;

    f.rows = 0;
    for (size_t i = 0; i < data->count; i++) {
        const nnm_kernel_record *record = &data->records[i];
        if (!record->has_config || !record->has_latency) continue;
        double features[NNM_KERNEL_MAX_FEATURES];
        nnm_kernel_features(kernel, &record->config, features);
        memcpy(f.x + f.rows * f.columns, features, f.columns * sizeof *features);
        f.y[f.rows] = record->latency_ms;
        f.source[f.rows++] = i;
    }
    status = drop_duplicates(&f, err);
    if (status == NNM_OK) {
        *out = f;
        f = (nnm_features){0};
    }
done:
    nnm_features_fini(&f);
    return status;
}

/* ---- tables ---- */

/* Where in a table the numbers of a layer stand; -1: nowhere. */
typedef struct layout {
    const nnm_csv *csv;
    const nnm_kernel *kernel; /* NULL: features are plain columns */
    long param[NNM_KERNEL_MAX_PARAMS];
    long batch, groups, pad, padding;
} layout;

static nnm_status find_columns(layout *out, const nnm_csv *csv, const nnm_kernel *kernel, nnm_error *err)
{
    *out = (layout){
        .csv = csv,
        .kernel = kernel,
        .batch = nnm_csv_column(csv, "BATCH"),
        .groups = nnm_csv_column(csv, "GROUPS"),
        .pad = nnm_csv_column(csv, "PAD"),
        .padding = nnm_csv_column(csv, "PADDING"),
    };
    for (size_t i = 0; kernel && i < nnm_kernel_param_count(kernel); i++) {
        const char *name = nnm_kernel_param_name(kernel, i);
        out->param[i] = nnm_csv_column(csv, name);
        if (out->param[i] < 0 && nnm_kernel_cout_is_cin(kernel) && strcmp(name, "COUT") == 0)
            out->param[i] = nnm_csv_column(csv, "CIN"); /* one filter a channel: the two are the same */
        if (out->param[i] < 0)
            return nnm_fail(err, NNM_ERR_NOT_FOUND, "%s: there is no column '%s', which kernel type '%s' needs",
                            csv->name, name, nnm_kernel_name(kernel));
    }
    return NNM_OK;
}

static nnm_status fail_cell(const nnm_csv *csv, size_t row, long column, const char *needed, nnm_error *err)
{
    return nnm_fail_at(err, NNM_ERR_VALUE, csv->name, csv->line[row], 0, "column '%s': found '%.60s', need %s",
                       csv->header[column], nnm_csv_cell(csv, row, (size_t)column), needed);
}

static nnm_status read_cell(const layout *l, size_t row, long column, double *out, nnm_error *err)
{
    const char *cell = nnm_csv_cell(l->csv, row, (size_t)column);
    if (column == l->padding) {
        if (strcasecmp(cell, "same") == 0)
            *out = 1;
        else if (strcasecmp(cell, "valid") == 0)
            *out = 0;
        else
            return fail_cell(l->csv, row, column, "'same' or 'valid'", err);
        return NNM_OK;
    }
    if (!nnm_parse_double(cell, out) || !isfinite(*out)) return fail_cell(l->csv, row, column, "a number", err);
    return NNM_OK;
}

static nnm_status read_positive(const layout *l, size_t row, long column, double minimum, double *out, nnm_error *err)
{
    double value;
    nnm_status status = read_cell(l, row, column, &value, err);
    if (status) return status;
    if (value < minimum) return fail_cell(l->csv, row, column, minimum > 0 ? "a number >= 1" : "a number >= 0", err);
    *out = value;
    return NNM_OK;
}

static nnm_status row_cost(const layout *l, size_t row, double *flops, double *parameters, nnm_error *err)
{
    double params[NNM_KERNEL_MAX_PARAMS] = {0};
    nnm_layer_setting setting = NNM_LAYER_SETTING_INIT;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < nnm_kernel_param_count(l->kernel) && status == NNM_OK; i++)
        status = read_positive(l, row, l->param[i], 1, &params[i], err);
    if (status == NNM_OK && l->batch >= 0) status = read_positive(l, row, l->batch, 1, &setting.batch, err);
    if (status == NNM_OK && l->groups >= 0) status = read_positive(l, row, l->groups, 1, &setting.groups, err);
    if (status == NNM_OK && l->pad >= 0) {
        setting.padding = NNM_PADDING_EXPLICIT;
        status = read_positive(l, row, l->pad, 0, &setting.pad, err);
    }
    if (status == NNM_OK && l->padding >= 0) {
        double same = 1;
        status = read_cell(l, row, l->padding, &same, err);
        setting.padding = same != 0 ? NNM_PADDING_SAME : NNM_PADDING_EXPLICIT;
        setting.pad = 0;
    }
    if (status == NNM_OK) nnm_kernel_layer_cost(l->kernel, params, &setting, flops, parameters);
    return status;
}

/* Where a feature of a table row comes from. */
typedef enum feature_source {
    FROM_COLUMN,
    FROM_FLOPS,
    FROM_PARAMS
} feature_source;

typedef struct feature_plan {
    feature_source source;
    long column;
} feature_plan;

static nnm_status fill_rows(nnm_features *f, const layout *l, const feature_plan *plan, nnm_error *err)
{
    bool needs_cost = false;
    for (size_t i = 0; i < f->columns; i++)
        needs_cost |= plan[i].source != FROM_COLUMN;
    for (size_t row = 0; row < f->rows; row++) {
        double flops = 0, parameters = 0;
        if (needs_cost) {
            nnm_status status = row_cost(l, row, &flops, &parameters, err);
            if (status) return status;
        }
        double *values = f->x + row * f->columns;
        for (size_t i = 0; i < f->columns; i++) {
            nnm_status status = NNM_OK;
            if (plan[i].source == FROM_COLUMN)
                status = read_cell(l, row, plan[i].column, &values[i], err);
            else
                values[i] = plan[i].source == FROM_FLOPS ? flops : parameters;
            if (status) return status;
        }
        f->source[row] = row;
    }
    return NNM_OK;
}

nnm_status nnm_features_labels(double **out, const nnm_csv *csv, const char *target, nnm_error *err)
{
    long column = nnm_csv_column(csv, target);
    if (column < 0) {
        char names[512] = "";
        for (size_t i = 0, used = 0; i < csv->columns && used < sizeof names - 1; i++)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", csv->header[i]);
        return nnm_fail(err, NNM_ERR_NOT_FOUND,
                        "%s: there is no column '%s', which was named as the target; the columns are %s", csv->name,
                        target, names);
    }
    double *labels = nnm_calloc(csv->rows, sizeof *labels);
    if (!labels) return nnm_fail_memory(err);
    for (size_t row = 0; row < csv->rows; row++) {
        if (nnm_parse_double(nnm_csv_cell(csv, row, (size_t)column), &labels[row]) && isfinite(labels[row]) &&
            labels[row] > 0)
            continue;
        free(labels);
        return fail_cell(csv, row, column, "a latency: a number > 0", err);
    }
    *out = labels;
    return NNM_OK;
}

/* Whether a column is a feature beyond the kernel's parameters. A column is text when its first cell is. */
static bool is_extra(const layout *l, long column, const char *target)
{
    static const char *const ours[] = {"FLOPS", "PARAMS", "predicted_ms", "lower_ms", "upper_ms"};
    const char *name = l->csv->header[column];
    if (strcasecmp(name, target) == 0) return false;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcasecmp(name, ours[i]) == 0) return false;
    for (size_t i = 0; i < nnm_kernel_param_count(l->kernel); i++)
        if (l->param[i] == column) return false;
    if (column == l->padding) return true;
    double number;
    return l->csv->rows && nnm_parse_double(nnm_csv_cell(l->csv, 0, (size_t)column), &number);
}

nnm_status nnm_features_of_csv(nnm_features *out, const nnm_csv *csv, const nnm_kernel *kernel, const char *target,
                               nnm_model_kind model, nnm_error *err)
{
    (void)model; /* both get the same so far */
    layout l;
    nnm_status status = find_columns(&l, csv, kernel, err);
    if (status) return status;
    if (nnm_kernel_param_index(kernel, target) >= 0)
        return nnm_fail(err, NNM_ERR_VALUE, "the target '%s' is a parameter of %s, not a latency", target,
                        nnm_kernel_name(kernel));

    nnm_features f = {0};
    size_t params = nnm_kernel_param_count(kernel);
    size_t capacity = params + csv->columns + 2;
    feature_plan *plan = nnm_calloc(capacity, sizeof *plan);
    const char **names = nnm_calloc(capacity, sizeof *names);
    if (!plan || !names) {
        status = nnm_fail_memory(err);
        goto done;
    }
    size_t columns = 0;
    for (size_t i = 0; i < params; i++) {
        names[columns] = nnm_kernel_param_name(kernel, i);
        plan[columns++] = (feature_plan){FROM_COLUMN, l.param[i]};
    }
    for (long column = 0; column < (long)csv->columns; column++) {
        if (!is_extra(&l, column, target)) continue;
        names[columns] = csv->header[column];
        plan[columns++] = (feature_plan){FROM_COLUMN, column};
    }
    if (nnm_kernel_has_cost(kernel)) {
        names[columns] = "FLOPS";
        plan[columns++] = (feature_plan){FROM_FLOPS, -1};
        names[columns] = "PARAMS";
        plan[columns++] = (feature_plan){FROM_PARAMS, -1};
    }
    status = allocate(&f, csv->rows, columns, false, err);
    for (size_t i = 0; i < columns && status == NNM_OK; i++)
        status = set_name(&f, i, names[i], err);
    if (status == NNM_OK) status = nnm_features_labels(&f.y, csv, target, err);
    if (status == NNM_OK) status = fill_rows(&f, &l, plan, err);
    if (status == NNM_OK) status = drop_duplicates(&f, err);
    if (status == NNM_OK) {
        *out = f;
        f = (nnm_features){0};
    }
done:
    nnm_features_fini(&f);
    free(plan);
    free(names);
    return status;
}

static nnm_status plan_feature(feature_plan *out, const layout *l, const char *name, nnm_error *err)
{
    if (l->kernel) {
        int param = nnm_kernel_param_index(l->kernel, name);
        if (param >= 0) {
            *out = (feature_plan){FROM_COLUMN, l->param[param]};
            return NNM_OK;
        }
        if (nnm_kernel_has_cost(l->kernel) && (strcmp(name, "FLOPS") == 0 || strcmp(name, "PARAMS") == 0)) {
            *out = (feature_plan){*name == 'F' ? FROM_FLOPS : FROM_PARAMS, -1};
            return NNM_OK;
        }
    }
    long column = nnm_csv_column(l->csv, name);
    if (column < 0)
        return nnm_fail(err, NNM_ERR_NOT_FOUND, "%s: '%s' is missing, which the predictor was trained on", l->csv->name,
                        name);
    *out = (feature_plan){FROM_COLUMN, column};
    return NNM_OK;
}

nnm_status nnm_features_for_predictor(nnm_features *out, const nnm_csv *csv, const nnm_predictor *predictor,
                                      const nnm_kernel *kernel, nnm_error *err)
{
    layout l;
    nnm_status status = find_columns(&l, csv, kernel, err);
    if (status) return status;
    nnm_features f = {0};
    size_t columns = nnm_predictor_feature_count(predictor);
    feature_plan *plan = nnm_calloc(columns, sizeof *plan);
    if (!plan) return nnm_fail_memory(err);
    status = allocate(&f, csv->rows, columns, false, err);
    for (size_t i = 0; i < columns && status == NNM_OK; i++) {
        const char *name = nnm_predictor_feature_name(predictor, i);
        status = set_name(&f, i, name, err);
        if (status == NNM_OK) status = plan_feature(&plan[i], &l, name, err);
    }
    if (status == NNM_OK) status = fill_rows(&f, &l, plan, err);
    if (status == NNM_OK) {
        *out = f;
        f = (nnm_features){0};
    }
    nnm_features_fini(&f);
    free(plan);
    return status;
}
