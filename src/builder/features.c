#include "builder/features.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "builder/columns.h"
#include "builder/weights.h"
#include "kernels/work.h"

void nnm_features_fini(nnm_features *features)
{
    for (size_t i = 0; features->names && i < features->columns; i++)
        free(features->names[i]);
    free(features->names);
    free(features->work);
    free(features->x);
    free(features->y);
    free(features->source);
    free(features->spread);
    nnm_repeats_fini(&features->repeats);
    *features = (nnm_features){0};
}

static nnm_status allocate(nnm_features *f, size_t rows, size_t columns, nnm_error *err)
{
    f->rows = rows;
    f->columns = columns;
    f->names = nnm_calloc(columns, sizeof *f->names);
    f->work = nnm_calloc(columns, sizeof *f->work);
    f->x = nnm_calloc(rows, columns * sizeof *f->x);
    f->source = nnm_calloc(rows, sizeof *f->source);
    f->y = nnm_calloc(rows, sizeof *f->y);
    return f->names && f->work && f->x && f->source && f->y ? NNM_OK : nnm_fail_memory(err);
}

/* The name tells whether the feature counts work. */
static nnm_status set_name(nnm_features *f, size_t column, const char *name, nnm_error *err)
{
    int work = nnm_work_feature_index(name);
    f->work[column] = work < 0 ? 0 : nnm_work_feature_resource((size_t)work);
    f->names[column] = nnm_strdup(name);
    return f->names[column] ? NNM_OK : nnm_fail_memory(err);
}

/* What duplicates tell before they are dropped: how far labels of one configuration agree. */
static nnm_status compare_duplicates(nnm_features *f, nnm_error *err)
{
    nnm_label_table table = {0};
    nnm_status status = NNM_OK;
    for (size_t row = 0; row < f->rows && status == NNM_OK; row++)
        status = nnm_label_table_add(&table, f->x + row * f->columns, f->columns, f->y[row], err);
    if (status == NNM_OK) {
        f->repeats = table.repeats;
        table.repeats = (nnm_repeats){0};
    }
    nnm_label_table_fini(&table);
    return status;
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

#define MAX_FEATURES (NNM_KERNEL_MAX_FEATURES + NNM_WORK_FEATURES)

/* The documented features, then what the model `best` gets beside them. */
static nnm_status fill_row(const nnm_kernel *kernel, const nnm_kernel_config *config, double x[MAX_FEATURES],
                           nnm_error *err)
{
    double documented[NNM_KERNEL_MAX_FEATURES], params[NNM_KERNEL_MAX_PARAMS];
    nnm_layer_setting setting = NNM_LAYER_SETTING_INIT;
    size_t count = nnm_kernel_feature_count(kernel);
    nnm_status status = nnm_kernel_features(kernel, config, documented, err);
    if (status) return status;
    memcpy(x, documented, count * sizeof *x);
    for (size_t i = 0; i < NNM_KERNEL_MAX_PARAMS; i++)
        params[i] = (double)config->value[i];
    if (nnm_work_feature_count(kernel)) nnm_work_features(kernel, params, &setting, x + count);
    return NNM_OK;
}

static nnm_status name_features(nnm_features *f, const nnm_kernel *kernel, nnm_error *err)
{
    size_t documented = nnm_kernel_feature_count(kernel);
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < f->columns && status == NNM_OK; i++)
        status = set_name(
            f, i, i < documented ? nnm_kernel_feature_name(kernel, i) : nnm_work_feature_name(i - documented), err);
    return status;
}

nnm_status nnm_features_of_data(nnm_features *out, const nnm_kernel_data *data, nnm_model_kind model, nnm_error *err)
{
    const nnm_kernel *kernel = data->kernel;
    nnm_features f = {0};
    size_t columns = nnm_kernel_feature_count(kernel) + (model == NNM_MODEL_BEST ? nnm_work_feature_count(kernel) : 0);
    nnm_status status = allocate(&f, data->count, columns, err);
    if (status == NNM_OK) status = name_features(&f, kernel, err);
    if (status) goto done;

    f.rows = 0;
    for (size_t i = 0; i < data->count; i++) {
        const nnm_kernel_record *record = &data->records[i];
        if (!record->has_config || !record->has_latency) continue;
        double x[MAX_FEATURES];
        status = fill_row(kernel, &record->config, x, err);
        if (status) goto done;
        memcpy(f.x + f.rows * f.columns, x, f.columns * sizeof *x);
        f.y[f.rows] = record->latency_ms;
        f.source[f.rows++] = i;
    }
    status = compare_duplicates(&f, err);
    if (status == NNM_OK) status = drop_duplicates(&f, err);
    if (status == NNM_OK) status = nnm_features_take_spreads(&f, data, err);
    if (status == NNM_OK) {
        *out = f;
        f = (nnm_features){0};
    }
done:
    nnm_features_fini(&f);
    return status;
}

nnm_status nnm_features_of_configs(nnm_features *out, const nnm_kernel *kernel, const nnm_kernel_config *configs,
                                   const double *latency_ms, size_t count, nnm_error *err)
{
    nnm_features f = {0};
    nnm_status status = allocate(&f, count, nnm_kernel_feature_count(kernel) + nnm_work_feature_count(kernel), err);
    if (status == NNM_OK) status = name_features(&f, kernel, err);
    for (size_t i = 0; i < count && status == NNM_OK; i++) {
        double x[MAX_FEATURES];
        status = fill_row(kernel, &configs[i], x, err);
        if (status) break;
        memcpy(f.x + i * f.columns, x, f.columns * sizeof *x);
        f.y[i] = latency_ms ? latency_ms[i] : 0;
        f.source[i] = i;
    }
    if (status)
        nnm_features_fini(&f);
    else
        *out = f;
    return status;
}

/* ---- tables ---- */

#define CHUNK_ROWS 4096

typedef struct growth {
    size_t x, y, source; /* capacities */
} growth;

static nnm_status make_room(nnm_features *f, growth *capacity, size_t rows, nnm_error *err)
{
    void *x = f->x, *y = f->y, *source = f->source;
    nnm_status status = nnm_grow(&x, &capacity->x, rows, f->columns * sizeof *f->x, err);
    f->x = x;
    if (status == NNM_OK) status = nnm_grow(&y, &capacity->y, rows, sizeof *f->y, err);
    f->y = y;
    if (status == NNM_OK) status = nnm_grow(&source, &capacity->source, rows, sizeof *f->source, err);
    f->source = source;
    return status;
}

/* Appends the rows of one chunk. */
static nnm_status add_rows(nnm_features *f, const nnm_columns *columns, const nnm_csv *csv, nnm_skipped_rows *skipped,
                           nnm_error *err)
{
    for (size_t row = 0; row < csv->rows; row++) {
        nnm_error reason = NNM_ERROR_INIT;
        nnm_status status = nnm_columns_label(columns, csv, row, &f->y[f->rows], &reason);
        if (status == NNM_OK) status = nnm_columns_row(columns, csv, row, f->x + f->rows * f->columns, &reason);
        if (status == NNM_OK) {
            f->source[f->rows++] = csv->line[row];
            continue;
        }
        status = nnm_skip_row(skipped, status, &reason, err);
        if (status) return status;
    }
    return NNM_OK;
}

static nnm_status take_names(nnm_features *f, const nnm_columns *columns, nnm_error *err)
{
    f->columns = columns->count;
    f->names = nnm_calloc(f->columns, sizeof *f->names);
    f->work = nnm_calloc(f->columns, sizeof *f->work);
    nnm_status status = f->names && f->work ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; i < f->columns && status == NNM_OK; i++)
        status = set_name(f, i, columns->plan[i].name, err);
    return status;
}

nnm_status nnm_features_of_csv(nnm_features *out, const char *path, const nnm_kernel *kernel, const char *target,
                               nnm_model_kind model, nnm_skipped_rows *skipped, nnm_error *err)
{
    nnm_csv_stream *stream = NULL;
    nnm_features f = {0};
    nnm_columns columns = {0};
    growth capacity = {0};
    nnm_status status = nnm_csv_stream_open(&stream, path, err);
    if (status) return status;
    const nnm_csv *csv = nnm_csv_stream_table(stream);
    status = nnm_csv_stream_next(stream, CHUNK_ROWS, err);
    if (status == NNM_OK) status = nnm_columns_for_training(&columns, csv, kernel, target, model, err);
    if (status == NNM_OK) status = take_names(&f, &columns, err);
    while (status == NNM_OK && csv->rows) {
        status = make_room(&f, &capacity, f.rows + csv->rows, err);
        if (status == NNM_OK) status = add_rows(&f, &columns, csv, skipped, err);
        if (status == NNM_OK) status = nnm_csv_stream_next(stream, CHUNK_ROWS, err);
    }
    if (status == NNM_OK) status = compare_duplicates(&f, err);
    if (status == NNM_OK) status = drop_duplicates(&f, err);
    if (status == NNM_OK) {
        *out = f;
        f = (nnm_features){0};
    }
    nnm_features_fini(&f);
    nnm_columns_fini(&columns);
    nnm_csv_stream_close(stream);
    return status;
}

nnm_status nnm_features_of_table(nnm_features *out, const nnm_kernel **kernel, const char *kernel_type,
                                 const char *path, const nnm_table_options *options, nnm_skipped_rows *skipped,
                                 nnm_error *err)
{
    if (!options || !options->target || !*options->target)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the column with the latencies must be named");
    nnm_status status = nnm_registry_find_kernel(options->registry, kernel_type, kernel, err);
    if (status) return status;
    return nnm_features_of_csv(out, path, *kernel, options->target, options->fit.model,
                               options->skip_bad ? skipped : NULL, err);
}
