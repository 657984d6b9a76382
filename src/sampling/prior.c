#include "sampling/prior.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/closest.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "sampling/prior_tables.h"

/* ---- reading a table ---- */

/* Whether a dimension has a column that none before it has. */
static bool is_new_column(const nnm_family *family, size_t index)
{
    const char *column = family->dimensions[index].column;
    for (size_t i = 0; column && i < index; i++)
        if (family->dimensions[i].column && strcmp(family->dimensions[i].column, column) == 0) return false;
    return column != NULL;
}

static nnm_status fail_column(const nnm_family *family, const nnm_csv *csv, const char *missing, nnm_error *err)
{
    nnm_buffer needed = {0};
    for (size_t i = 0; i < nnm_family_dimension_count(family); i++)
        if (is_new_column(family, i))
            nnm_buffer_printf(&needed, "%s%s", needed.size ? ", " : "", family->dimensions[i].column);
    const char *closest = nnm_closest(missing, (const char *const *)csv->header, csv->columns);
    nnm_status status = nnm_buffer_check(&needed, err);
    if (status == NNM_OK && closest)
        status = nnm_fail_at(err, NNM_ERR_NOT_FOUND, csv->name, 1, 0,
                             "there is no column %s; is '%s' meant? A %s table needs %s", missing, closest,
                             family->table, needed.data);
    else if (status == NNM_OK)
        status = nnm_fail_at(err, NNM_ERR_NOT_FOUND, csv->name, 1, 0, "there is no column %s; a %s table needs %s",
                             missing, family->table, needed.data);
    nnm_buffer_fini(&needed);
    return status;
}

static nnm_status read_column(int64_t *values, const nnm_csv *csv, size_t column, int64_t limit, nnm_error *err)
{
    for (size_t row = 0; row < csv->rows; row++) {
        const char *cell = nnm_csv_cell(csv, row, column);
        if (!nnm_parse_int64(cell, &values[row]))
            return nnm_fail_at(err, NNM_ERR_VALUE, csv->name, csv->line[row], 0, "%s is '%s', not a whole number",
                               csv->header[column], cell);
        if (values[row] < 1 || values[row] > limit)
            return nnm_fail_at(err, NNM_ERR_VALUE, csv->name, csv->line[row], 0,
                               "%s is %" PRId64 "; allowed are 1 to %" PRId64, csv->header[column], values[row], limit);
    }
    return NNM_OK;
}

static nnm_status read_columns(nnm_prior *prior, const nnm_csv *csv, const int64_t *limits, nnm_error *err)
{
    if (csv->rows == 0)
        return nnm_fail_at(err, NNM_ERR_VALUE, csv->name, 0, 0, "the table has no rows; at least one is needed");
    prior->rows = csv->rows;
    for (size_t i = 0; i < nnm_family_dimension_count(prior->family); i++) {
        const char *name = prior->family->dimensions[i].column;
        if (!name) continue;
        long column = nnm_csv_column(csv, name);
        if (column < 0) return fail_column(prior->family, csv, name, err);
        prior->columns[i] = nnm_calloc(csv->rows, sizeof **prior->columns);
        if (!prior->columns[i]) return nnm_fail_memory(err);
        nnm_status status = read_column(prior->columns[i], csv, (size_t)column, limits ? limits[i] : INT32_MAX, err);
        if (status) return status;
        nnm_histogram_init(&prior->histograms[i], prior->columns[i], prior->rows);
    }
    return NNM_OK;
}

/* A prior without a table. */
static nnm_status new_prior(nnm_prior **out, const nnm_family *family, nnm_error *err)
{
    nnm_prior *prior = nnm_calloc(1, sizeof *prior);
    if (!prior) return nnm_fail_memory(err);
    prior->family = family;
    *out = prior;
    return NNM_OK;
}

nnm_status nnm_prior_parse(nnm_prior **out, const nnm_family *family, const int64_t *limits, const char *text,
                           size_t size_bytes, const char *name, nnm_error *err)
{
    nnm_csv csv = {0};
    nnm_prior *prior = NULL;
    nnm_status status = new_prior(&prior, family, err);
    if (status) return status;
    status = nnm_csv_parse(&csv, text, size_bytes, name, err);
    if (status == NNM_OK) status = read_columns(prior, &csv, limits, err);
    if (status == NNM_OK) {
        *out = prior;
        prior = NULL;
    }
    nnm_csv_fini(&csv);
    nnm_prior_free(prior);
    return status;
}

void nnm_prior_free(nnm_prior *prior)
{
    if (!prior) return;
    for (size_t i = 0; i < NNM_KERNEL_MAX_PARAMS; i++)
        free(prior->columns[i]);
    free(prior);
}

/* ---- finding a table ---- */

nnm_status nnm_kernel_find_family(const nnm_family **out, const nnm_kernel *kernel, nnm_error *err)
{
    const nnm_family *family = nnm_family_find(nnm_kernel_family(kernel));
    if (!family)
        return nnm_fail(err, NNM_ERR_NOT_FOUND, "%s: there is no sampler for the kernel family '%s'",
                        nnm_kernel_name(kernel), nnm_kernel_family(kernel));
    size_t count = nnm_kernel_is_customized(kernel) ? 0 : nnm_kernel_param_count(kernel);
    bool same = nnm_family_dimension_count(family) == count;
    for (size_t i = 0; i < count && same; i++)
        same = nnm_family_dimension(family, nnm_kernel_param_name(kernel, i)) >= 0;
    if (!same)
        return nnm_fail(err, NNM_ERR_INTERNAL, "%s: its parameters are not those that the family '%s' samples",
                        nnm_kernel_name(kernel), family->name);
    *out = family;
    return NNM_OK;
}

static void find_limits(int64_t limits[NNM_KERNEL_MAX_PARAMS], const nnm_family *family, const nnm_kernel *kernel)
{
    for (size_t i = 0; i < nnm_family_dimension_count(family); i++) {
        int64_t minimum;
        int param = nnm_kernel_param_index(kernel, family->dimensions[i].param);
        nnm_kernel_param_range(kernel, (size_t)param, &minimum, &limits[i]);
    }
}

nnm_status nnm_prior_builtin(nnm_prior **out, const nnm_kernel *kernel, nnm_error *err)
{
    const nnm_family *family;
    nnm_status status = nnm_kernel_find_family(&family, kernel, err);
    if (status) return status;
    if (!family->table) return new_prior(out, family, err);
    for (const nnm_prior_table *table = nnm_prior_tables; table->family; table++) {
        if (strcmp(table->family, family->table) != 0) continue;
        int64_t limits[NNM_KERNEL_MAX_PARAMS];
        find_limits(limits, family, kernel);
        status = nnm_prior_parse(out, family, limits, table->csv, strlen(table->csv), table->family, err);
        return status ? nnm_context(err, status, "built-in prior table") : NNM_OK;
    }
    return nnm_fail(err, NNM_ERR_NOT_FOUND, "there is no built-in prior table '%s'", family->table);
}

nnm_status nnm_prior_load_csv(nnm_prior **out, const nnm_kernel *kernel, const char *path, nnm_error *err)
{
    const nnm_family *family;
    nnm_status status = nnm_kernel_find_family(&family, kernel, err);
    if (status) return status;
    if (!family->table)
        return nnm_fail(err, NNM_ERR_NOT_FOUND, "%s: the kernel family '%s' is drawn from ranges, not from a table",
                        path, family->name);
    char *text;
    size_t size_bytes;
    status = nnm_file_read(path, &text, &size_bytes, err);
    if (status) return status;
    int64_t limits[NNM_KERNEL_MAX_PARAMS];
    find_limits(limits, family, kernel);
    status = nnm_prior_parse(out, family, limits, text, size_bytes, path, err);
    free(text);
    return status;
}

const char *nnm_prior_table_of(const nnm_kernel *kernel)
{
    const nnm_family *family = nnm_family_find(nnm_kernel_family(kernel));
    return family ? family->table : NULL;
}

size_t nnm_prior_rows(const nnm_prior *prior)
{
    return prior->rows;
}

const int64_t *nnm_prior_column(const nnm_prior *prior, const char *name)
{
    int dimension = nnm_family_dimension(prior->family, name);
    if (dimension < 0) return NULL;
    const char *same_as = prior->family->dimensions[dimension].same_as;
    return same_as ? nnm_prior_column(prior, same_as) : prior->columns[dimension];
}

/* ---- drawing ---- */

static int64_t draw_setting(const nnm_family_setting settings[NNM_FAMILY_MAX_SETTINGS], nnm_rng *rng)
{
    uint64_t percent = nnm_rng_below(rng, 100);
    size_t i = 0;
    while (i + 1 < NNM_FAMILY_MAX_SETTINGS && settings[i + 1].percent && percent >= settings[i].percent)
        percent -= settings[i++].percent;
    return settings[i].value;
}

/* The valid value next to `value`, of two as near the smaller. */
static int64_t nearest(const int64_t valid[NNM_MAX_VALID], int64_t value)
{
    int64_t best = valid[0] ? valid[0] : value;
    for (size_t i = 1; i < NNM_MAX_VALID && valid[i]; i++)
        if (llabs(valid[i] - value) < llabs(best - value)) best = valid[i];
    return best;
}

/* Spread evenly over the logarithm, up to a factor of two: an octave from low * 2^i to low * 2^(i + 1), then a value in
 * it, the last octave with its upper end. Whole numbers only, so that every machine draws the same. */
static int64_t draw_octaves(int64_t low, int64_t high, nnm_rng *rng)
{
    uint64_t octaves = 0;
    while (low << (octaves + 1) <= high)
        octaves++;
    uint64_t octave = nnm_rng_below(rng, octaves);
    int64_t first = low << octave;
    int64_t end = octave + 1 == octaves ? high + 1 : 2 * first;
    return first + (int64_t)nnm_rng_below(rng, (uint64_t)(end - first));
}

static int64_t draw_dimension(const nnm_prior *prior, size_t index, nnm_rng *rng)
{
    const nnm_dimension *dimension = &prior->family->dimensions[index];
    if (dimension->frequent_percent && nnm_rng_below(rng, 100) < dimension->frequent_percent)
        return draw_setting(dimension->frequent, rng);
    int64_t value = dimension->high ? draw_octaves(dimension->low, dimension->high, rng)
                                    : nearest(dimension->valid,
                                              nnm_histogram_quantile(&prior->histograms[index], nnm_rng_uniform(rng)));
    int64_t step = dimension->multiple_of;
    return step ? (value + step - 1) / step * step : value;
}

void nnm_prior_draw(const nnm_prior *prior, nnm_rng *rng, int64_t values[NNM_KERNEL_MAX_PARAMS])
{
    const nnm_family *family = prior->family;
    int64_t inputs = family->inputs[0].percent ? draw_setting(family->inputs, rng) : INT64_MAX;
    for (size_t i = 0; i < nnm_family_dimension_count(family); i++) {
        const nnm_dimension *dimension = &family->dimensions[i];
        if (dimension->same_as)
            values[i] = values[nnm_family_dimension(family, dimension->same_as)];
        else
            values[i] = dimension->input <= inputs ? draw_dimension(prior, i, rng) : 0;
    }
}

/* ---- at a point of the cube ---- */

static int64_t setting_at(const nnm_family_setting settings[NNM_FAMILY_MAX_SETTINGS], double u)
{
    double percent = 100 * u;
    size_t i = 0;
    while (i + 1 < NNM_FAMILY_MAX_SETTINGS && settings[i + 1].percent && percent >= settings[i].percent)
        percent -= settings[i++].percent;
    return settings[i].value;
}

static int64_t octaves_at(int64_t low, int64_t high, double u)
{
    int octaves = 0;
    while (low << (octaves + 1) <= high)
        octaves++;
    int octave = (int)(u * octaves);
    int64_t first = low << octave;
    int64_t end = octave + 1 == octaves ? high + 1 : 2 * first;
    return first + (int64_t)((u * octaves - octave) * (double)(end - first));
}

static int64_t dimension_at(const nnm_prior *prior, size_t index, double u)
{
    const nnm_dimension *dimension = &prior->family->dimensions[index];
    double frequent = dimension->frequent_percent / 100.0;
    if (u < frequent) return setting_at(dimension->frequent, u / frequent);
    u = (u - frequent) / (1 - frequent);
    int64_t value = dimension->high ? octaves_at(dimension->low, dimension->high, u)
                                    : nearest(dimension->valid, nnm_histogram_quantile(&prior->histograms[index], u));
    int64_t step = dimension->multiple_of;
    return step ? (value + step - 1) / step * step : value;
}

void nnm_prior_at(const nnm_prior *prior, const double point[NNM_PRIOR_COORDINATES],
                  int64_t values[NNM_KERNEL_MAX_PARAMS])
{
    const nnm_family *family = prior->family;
    size_t count = nnm_family_dimension_count(family);
    int64_t inputs = family->inputs[0].percent ? setting_at(family->inputs, point[count]) : INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        const nnm_dimension *dimension = &family->dimensions[i];
        if (dimension->same_as)
            values[i] = values[nnm_family_dimension(family, dimension->same_as)];
        else
            values[i] = dimension->input <= inputs ? dimension_at(prior, i, point[i]) : 0;
    }
}
