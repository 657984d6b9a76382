#include "builder/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/closest.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "kernels/work.h"

#define MAX_WHOLE 1e15 /* beyond, not every whole number is a double */

void nnm_columns_fini(nnm_columns *columns)
{
    for (size_t i = 0; columns->plan && i < columns->count; i++)
        free(columns->plan[i].name);
    free(columns->plan);
    *columns = (nnm_columns){0};
}

/* ---- which column is what ---- */

static nnm_status fail_missing(const nnm_csv *csv, const char *name, const char *why, nnm_error *err)
{
    const char *closest = nnm_closest(name, (const char *const *)csv->header, csv->columns);
    if (closest)
        return nnm_fail(err, NNM_ERR_NOT_FOUND, "%s: there is no column '%s', %s; did you mean '%s'?", csv->name, name,
                        why, closest);
    char names[512] = "";
    for (size_t i = 0, used = 0; i < csv->columns && used < sizeof names - 1; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", csv->header[i]);
    return nnm_fail(err, NNM_ERR_NOT_FOUND, "%s: there is no column '%s', %s; the columns are %s", csv->name, name, why,
                    names);
}

static nnm_status find_columns(nnm_columns *out, const nnm_csv *csv, const nnm_kernel *kernel, const char *target,
                               nnm_error *err)
{
    *out = (nnm_columns){
        .kernel = kernel,
        .batch = nnm_csv_column(csv, "BATCH"),
        .groups = nnm_csv_column(csv, "GROUPS"),
        .pad = nnm_csv_column(csv, "PAD"),
        .padding = nnm_csv_column(csv, "PADDING"),
        .target = target ? nnm_csv_column(csv, target) : -1,
    };
    for (size_t i = 0; kernel && i < nnm_kernel_param_count(kernel); i++) {
        const char *name = nnm_kernel_param_name(kernel, i);
        char why[128];
        out->param[i] = nnm_csv_column(csv, name);
        if (out->param[i] < 0 && nnm_kernel_cout_is_cin(kernel) && strcmp(name, "COUT") == 0)
            out->param[i] = nnm_csv_column(csv, "CIN"); /* one filter a channel: the two are the same */
        snprintf(why, sizeof why, "which kernel type '%s' needs", nnm_kernel_name(kernel));
        if (out->param[i] < 0) return fail_missing(csv, name, why, err);
    }
    if (target && out->target < 0) return fail_missing(csv, target, "which was named as the target", err);
    return NNM_OK;
}

static nnm_status add_feature(nnm_columns *c, const char *name, nnm_feature_source source, long column, nnm_error *err)
{
    char *copy = nnm_strdup(name);
    if (!copy) return nnm_fail_memory(err);
    c->plan[c->count++] = (nnm_feature_plan){copy, source, column};
    c->needs_cost |= source != NNM_FROM_COLUMN;
    return NNM_OK;
}

/* The feature that comes first for a kernel type: a parameter, or what its parser makes of them. */
static nnm_status add_own_feature(nnm_columns *c, size_t index, nnm_error *err)
{
    if (nnm_kernel_is_customized(c->kernel))
        return add_feature(c, nnm_kernel_feature_name(c->kernel, index), NNM_FROM_PARSER, (long)index, err);
    return add_feature(c, nnm_kernel_param_name(c->kernel, index), NNM_FROM_COLUMN, c->param[index], err);
}

/* Whether a column holds numbers, judged by the rows that there are. */
static bool is_numeric(const nnm_csv *csv, long column)
{
    size_t numbers = 0;
    for (size_t row = 0; row < csv->rows; row++) {
        double number;
        numbers += nnm_parse_double(nnm_csv_cell(csv, row, (size_t)column), &number);
    }
    return numbers > 0 && numbers * 2 >= csv->rows;
}

/* Whether a column is a feature beyond the kernel's parameters. */
static bool is_extra(const nnm_columns *c, const nnm_csv *csv, long column)
{
    static const char *const ours[] = {"FLOPS", "PARAMS", "predicted_ms", "lower_ms", "upper_ms"};
    if (column == c->target) return false;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcasecmp(csv->header[column], ours[i]) == 0) return false;
    for (size_t i = 0; i < nnm_kernel_param_count(c->kernel); i++)
        if (c->param[i] == column) return false;
    for (size_t i = 0; i < nnm_kernel_feature_count(c->kernel); i++)
        if (strcasecmp(csv->header[column], nnm_kernel_feature_name(c->kernel, i)) == 0) return false;
    if (nnm_work_feature_index(csv->header[column]) >= 0) return false; /* ours too */
    return column == c->padding || is_numeric(csv, column);
}

nnm_status nnm_columns_for_training(nnm_columns *out, const nnm_csv *csv, const nnm_kernel *kernel, const char *target,
                                    nnm_model_kind model, nnm_error *err)
{
    if (nnm_kernel_param_index(kernel, target) >= 0)
        return nnm_fail(err, NNM_ERR_VALUE, "the target '%s' is a parameter of %s, not a latency", target,
                        nnm_kernel_name(kernel));
    nnm_columns c;
    nnm_status status = find_columns(&c, csv, kernel, target, err);
    if (status) return status;
    size_t first = nnm_kernel_is_customized(kernel) ? nnm_kernel_feature_count(kernel) : nnm_kernel_param_count(kernel);
    c.plan = nnm_calloc(first + csv->columns + 2 + NNM_WORK_FEATURES, sizeof *c.plan);
    if (!c.plan) return nnm_fail_memory(err);
    for (size_t i = 0; i < first && status == NNM_OK; i++)
        status = add_own_feature(&c, i, err);
    for (long column = 0; column < (long)csv->columns && status == NNM_OK; column++)
        if (is_extra(&c, csv, column)) status = add_feature(&c, csv->header[column], NNM_FROM_COLUMN, column, err);
    if (status == NNM_OK && nnm_kernel_has_cost(kernel)) {
        status = add_feature(&c, "FLOPS", NNM_FROM_FLOPS, -1, err);
        if (status == NNM_OK) status = add_feature(&c, "PARAMS", NNM_FROM_PARAMS, -1, err);
    }
    for (long i = 0; i < (long)nnm_work_feature_count(kernel) && model == NNM_MODEL_BEST && status == NNM_OK; i++)
        status = add_feature(&c, nnm_work_feature_name((size_t)i), NNM_FROM_WORK, i, err);
    if (status)
        nnm_columns_fini(&c);
    else
        *out = c;
    return status;
}

static nnm_status plan_feature(nnm_columns *c, const nnm_csv *csv, const char *name, nnm_error *err)
{
    for (size_t i = 0; c->kernel && nnm_kernel_is_customized(c->kernel) && i < nnm_kernel_feature_count(c->kernel); i++)
        if (strcmp(name, nnm_kernel_feature_name(c->kernel, i)) == 0) return add_own_feature(c, i, err);
    if (c->kernel && !nnm_kernel_is_customized(c->kernel)) {
        int param = nnm_kernel_param_index(c->kernel, name);
        if (param >= 0) return add_feature(c, name, NNM_FROM_COLUMN, c->param[param], err);
        bool flops = strcmp(name, "FLOPS") == 0;
        if (nnm_kernel_has_cost(c->kernel) && (flops || strcmp(name, "PARAMS") == 0))
            return add_feature(c, name, flops ? NNM_FROM_FLOPS : NNM_FROM_PARAMS, -1, err);
        int work = nnm_work_feature_index(name);
        if (work >= 0) return add_feature(c, name, NNM_FROM_WORK, work, err);
    }
    long column = nnm_csv_column(csv, name);
    if (column < 0) return fail_missing(csv, name, "which the predictor was trained on", err);
    return add_feature(c, name, NNM_FROM_COLUMN, column, err);
}

nnm_status nnm_columns_for_predictor(nnm_columns *out, const nnm_csv *csv, const nnm_predictor *predictor,
                                     const nnm_kernel *kernel, const char *target, nnm_error *err)
{
    nnm_columns c;
    nnm_status status = find_columns(&c, csv, kernel, target, err);
    if (status) return status;
    size_t count = nnm_predictor_feature_count(predictor);
    c.plan = nnm_calloc(count, sizeof *c.plan);
    if (!c.plan) return nnm_fail_memory(err);
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        status = plan_feature(&c, csv, nnm_predictor_feature_name(predictor, i), err);
    if (status && !kernel)
        status = nnm_context(err, status, "kernel type '%s' is not known here (a customised one is registered first)",
                             nnm_predictor_kernel_type(predictor));
    if (status)
        nnm_columns_fini(&c);
    else
        *out = c;
    return status;
}

/* ---- cells ---- */

static nnm_status fail_cell(const nnm_csv *csv, size_t row, long column, const char *needed, nnm_error *err)
{
    return nnm_fail_at(err, NNM_ERR_VALUE, csv->name, csv->line[row], 0, "column '%s': found '%.60s', need %s",
                       csv->header[column], nnm_csv_cell(csv, row, (size_t)column), needed);
}

static nnm_status read_cell(const nnm_columns *c, const nnm_csv *csv, size_t row, long column, double *out,
                            nnm_error *err)
{
    const char *cell = nnm_csv_cell(csv, row, (size_t)column);
    if (column == c->padding) {
        if (strcasecmp(cell, "same") == 0)
            *out = 1;
        else if (strcasecmp(cell, "valid") == 0)
            *out = 0;
        else
            return fail_cell(csv, row, column, "'same' or 'valid'", err);
        return NNM_OK;
    }
    if (!nnm_parse_double(cell, out) || !isfinite(*out)) return fail_cell(csv, row, column, "a number", err);
    *out += 0.0; /* -0 is the same configuration as 0 */
    return NNM_OK;
}

static nnm_status read_positive(const nnm_columns *c, const nnm_csv *csv, size_t row, long column, double minimum,
                                double *out, nnm_error *err)
{
    double value;
    nnm_status status = read_cell(c, csv, row, column, &value, err);
    if (status) return status;
    if (value < minimum) return fail_cell(csv, row, column, minimum > 0 ? "a number >= 1" : "a number >= 0", err);
    *out = value;
    return NNM_OK;
}

/* What a row says about the layer: the kernel's parameters and what its configuration cannot say. */
static nnm_status read_layer(const nnm_columns *c, const nnm_csv *csv, size_t row, double *params,
                             nnm_layer_setting *setting, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < nnm_kernel_param_count(c->kernel) && status == NNM_OK; i++) {
        int64_t minimum, maximum;
        nnm_kernel_param_range(c->kernel, i, &minimum, &maximum);
        status = read_positive(c, csv, row, c->param[i], minimum > 0, &params[i], err);
    }
    if (status == NNM_OK && c->batch >= 0) status = read_positive(c, csv, row, c->batch, 1, &setting->batch, err);
    if (status == NNM_OK && c->groups >= 0) status = read_positive(c, csv, row, c->groups, 1, &setting->groups, err);
    if (status == NNM_OK && c->pad >= 0) {
        setting->padding = NNM_PADDING_EXPLICIT;
        status = read_positive(c, csv, row, c->pad, 0, &setting->pad, err);
    }
    if (status == NNM_OK && c->padding >= 0) {
        double same = 1;
        status = read_cell(c, csv, row, c->padding, &same, err);
        setting->padding = same != 0 ? NNM_PADDING_SAME : NNM_PADDING_EXPLICIT;
        setting->pad = 0;
    }
    return status;
}

/* The features that the parser of a customised kernel makes of a row. */
static nnm_status parse_row(const nnm_columns *c, const nnm_csv *csv, size_t row, const double *params,
                            double features[NNM_KERNEL_MAX_FEATURES], nnm_error *err)
{
    nnm_kernel_config config = {{0}};
    for (size_t i = 0; i < nnm_kernel_param_count(c->kernel); i++) {
        if (params[i] != floor(params[i]) || params[i] > MAX_WHOLE)
            return fail_cell(csv, row, c->param[i], "a whole number", err);
        config.value[i] = (int64_t)params[i];
    }
    nnm_error reason = NNM_ERROR_INIT;
    nnm_status status = nnm_kernel_config_check(c->kernel, &config, &reason);
    if (status) return nnm_fail_at(err, status, csv->name, csv->line[row], 0, "%s", reason.message);
    return nnm_kernel_features(c->kernel, &config, features, err);
}

nnm_status nnm_columns_row(const nnm_columns *c, const nnm_csv *csv, size_t row, double *x, nnm_error *err)
{
    double features[NNM_KERNEL_MAX_FEATURES];
    double flops = 0, parameters = 0, work[NNM_WORK_FEATURES], params[NNM_KERNEL_MAX_PARAMS] = {0};
    nnm_layer_setting setting = NNM_LAYER_SETTING_INIT;
    nnm_status status = c->needs_cost ? read_layer(c, csv, row, params, &setting, err) : NNM_OK;
    bool customized = c->needs_cost && nnm_kernel_is_customized(c->kernel);
    if (status == NNM_OK && customized) status = parse_row(c, csv, row, params, features, err);
    if (status == NNM_OK && c->needs_cost && !customized) {
        nnm_kernel_layer_cost(c->kernel, params, &setting, &flops, &parameters);
        nnm_work_features(c->kernel, params, &setting, work);
    }
    for (size_t i = 0; i < c->count && status == NNM_OK; i++) {
        switch (c->plan[i].source) {
        case NNM_FROM_COLUMN: status = read_cell(c, csv, row, c->plan[i].column, &x[i], err); break;
        case NNM_FROM_FLOPS: x[i] = flops; break;
        case NNM_FROM_PARAMS: x[i] = parameters; break;
        case NNM_FROM_PARSER: x[i] = features[c->plan[i].column]; break;
        case NNM_FROM_WORK: x[i] = work[c->plan[i].column]; break;
        }
    }
    return status;
}

nnm_status nnm_columns_label(const nnm_columns *c, const nnm_csv *csv, size_t row, double *y, nnm_error *err)
{
    double value;
    if (!nnm_parse_double(nnm_csv_cell(csv, row, (size_t)c->target), &value) || !isfinite(value) || !(value > 0))
        return fail_cell(csv, row, c->target, "a latency: a number > 0", err);
    *y = value;
    return NNM_OK;
}

nnm_status nnm_skip_row(nnm_skipped_rows *skipped, nnm_status status, const nnm_error *reason, nnm_error *err)
{
    if (status == NNM_OK) return NNM_OK;
    if (status != NNM_ERR_VALUE || !skipped) {
        if (err) *err = *reason;
        return status;
    }
    if (skipped->count++ == 0) snprintf(skipped->first, sizeof skipped->first, "%s", reason->message);
    return NNM_OK;
}
