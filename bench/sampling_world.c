#include "sampling_world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "builder/acquire_costs.h"
#include "builder/acquire_rows.h"
#include "sampling/prior.h"
#include "sampling/sobol.h"

#define TABLE_TESTS 1500
#define CANDIDATES 1500
#define RUNS 5           /* of a simulated kernel; its latency is their median */
#define RANGE_DRAWS 2000 /* from the prior, to see what its parameters range over */
#define DEVICE_SEED 20241
#define TEST_SEED 987654321

void world_fini(world *w)
{
    nnm_prior_free(w->prior);
    nnm_features_fini(&w->table);
    free(w->order);
    free(w->place);
    *w = (world){0};
}

/* ---- tables ---- */

static bool is_parameter(const char *name)
{
    return strncmp(name, "work.", 5) != 0 && strcmp(name, "FLOPS") != 0 && strcmp(name, "PARAMS") != 0;
}

/* Places rows by the logarithms of their parameters, each scaled to 0..1. */
static nnm_status place_rows(world *w, nnm_error *err)
{
    const nnm_features *f = &w->table;
    for (size_t c = 0; c < f->columns; c++)
        w->dimensions += is_parameter(f->names[c]);
    w->place = nnm_calloc(f->rows, w->dimensions * sizeof *w->place);
    if (!w->place) return nnm_fail_memory(err);
    for (size_t c = 0, d = 0; c < f->columns; c++) {
        if (!is_parameter(f->names[c])) continue;
        double low = INFINITY, high = -INFINITY;
        for (size_t row = 0; row < f->rows; row++) {
            double value = log(1 + fmax(f->x[row * f->columns + c], 0));
            w->place[row * w->dimensions + d] = value;
            low = fmin(low, value);
            high = fmax(high, value);
        }
        for (size_t row = 0; row < f->rows; row++) {
            double *value = &w->place[row * w->dimensions + d];
            *value = high > low ? (*value - low) / (high - low) : 0;
        }
        d++;
    }
    return NNM_OK;
}

nnm_status world_of_table(world *out, const char *kernel, const char *path, nnm_error *err)
{
    world w = {0};
    nnm_skipped_rows skipped = {0};
    const char *slash = strrchr(path, '/');
    snprintf(w.name, sizeof w.name, "%s", slash ? slash + 1 : path);
    nnm_status status = nnm_kernel_find(&w.kernel, kernel, err);
    if (status) return status;
    status = nnm_features_of_csv(&w.table, path, w.kernel, "latency_ms", NNM_MODEL_BEST, &skipped, err);
    if (status == NNM_ERR_NOT_FOUND)
        status = nnm_features_of_csv(&w.table, path, w.kernel, "latency", NNM_MODEL_BEST, &skipped, err);
    if (status == NNM_OK) status = nnm_fit_order(&w.order, &w.table, TEST_SEED, err);
    if (status == NNM_OK) status = place_rows(&w, err);
    w.tests = w.table.rows / 4 < TABLE_TESTS ? w.table.rows / 4 : TABLE_TESTS;
    if (status == NNM_OK && w.dimensions > NNM_SOBOL_MAX_DIMENSIONS)
        status = nnm_fail(err, NNM_ERR_VALUE, "%s: %zu parameters; at most %d are handled", path, w.dimensions,
                          NNM_SOBOL_MAX_DIMENSIONS);
    if (status)
        world_fini(&w);
    else
        *out = w;
    return status;
}

static double distance(const world *w, const double *place, size_t row)
{
    double sum = 0;
    for (size_t d = 0; d < w->dimensions; d++) {
        double difference = place[d] - w->place[row * w->dimensions + d];
        sum += difference * difference;
    }
    return sum;
}

static void take_row(lab *l, size_t row)
{
    if (l->count == l->limit || row == SIZE_MAX) return;
    l->used[row] = 1;
    l->seconds[l->count] = nnm_default_measuring_seconds(l->world->table.y[row]);
    l->rows[l->count++] = row;
}

/* The row nearest to a place that was not chosen yet; SIZE_MAX: none. */
static size_t nearest_row(const lab *l, const double *place)
{
    const world *w = l->world;
    size_t nearest = SIZE_MAX;
    double least = INFINITY;
    for (size_t i = w->tests; i < w->table.rows; i++) {
        size_t row = w->order[i];
        if (l->used[row]) continue;
        double here = distance(w, place, row);
        if (here >= least) continue;
        least = here;
        nearest = row;
    }
    return nearest;
}

/* Up to `num` rows that were not chosen yet, at random. */
static nnm_status free_rows(const lab *l, size_t **out, size_t *num, uint64_t step, nnm_error *err)
{
    const world *w = l->world;
    size_t *rows = nnm_calloc(w->table.rows, sizeof *rows), count = 0;
    if (!rows) return nnm_fail_memory(err);
    for (size_t i = w->tests; i < w->table.rows; i++)
        if (!l->used[w->order[i]]) rows[count++] = w->order[i];
    nnm_rng rng;
    nnm_rng_init(&rng, l->seed, step);
    nnm_rng_shuffle(&rng, rows, count, sizeof *rows);
    if (count < *num) *num = count;
    *out = rows;
    return NNM_OK;
}

/* The first ones need no options. */
static nnm_status acquire_rows(lab *l, size_t num, const nnm_acquire_options *options, uint64_t step, nnm_error *err)
{
    nnm_acquire_options first = NNM_ACQUIRE_OPTIONS_INIT;
    first.cost_weight = NNM_ACQUIRE_START_WEIGHT;
    size_t *rows = NULL, count = CANDIDATES, chosen_count = 0;
    size_t *chosen = nnm_calloc(num, sizeof *chosen);
    nnm_status status = chosen ? free_rows(l, &rows, &count, step, err) : nnm_fail_memory(err);
    const nnm_acquire_rows known = {&l->world->table, l->rows, l->count, l->seconds};
    const nnm_acquire_rows candidates = {&l->world->table, rows, count, NULL};
    if (status == NNM_OK && count && l->count == 0)
        status = nnm_acquire_spread(chosen, &chosen_count, &candidates, num, &first, err);
    else if (status == NNM_OK && count)
        status = nnm_acquire_choose(chosen, &chosen_count, &known, &candidates, count, num, options, l->seed + step,
                                    NULL, err);
    for (size_t i = 0; i < chosen_count && status == NNM_OK; i++)
        take_row(l, rows[chosen[i]]);
    free(rows);
    free(chosen);
    return status;
}

/* ---- simulated devices ---- */

/* The latency that measuring tells (`noisy`), or the true one. */
static nnm_status simulate(const world *w, const nnm_kernel_config *config, bool noisy, double *latency_ms,
                           nnm_error *err)
{
    nnm_graph *graph = NULL;
    nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
    options.zero_weights = true;
    nnm_simulated_settings settings = w->device;
    double runs[RUNS];
    nnm_status status = nnm_kernel_build_graph(&graph, w->kernel, config, &options, err);
    if (status) return status;
    if (noisy)
        status = nnm_simulated_runs_ns(graph, &settings, 0, runs, RUNS, err);
    else
        status = nnm_simulated_latency_ns(graph, &settings, runs, err);
    nnm_graph_free(graph);
    for (size_t i = 1; i < RUNS && noisy && status == NNM_OK; i++)
        for (size_t k = i; k > 0 && runs[k] < runs[k - 1]; k--) {
            double swap = runs[k];
            runs[k] = runs[k - 1];
            runs[k - 1] = swap;
        }
    *latency_ms = runs[noisy ? RUNS / 2 : 0] * 1e-6;
    return status;
}

nnm_status world_of_device(world *out, const char *kernel, size_t device, size_t tests, nnm_error *err)
{
    world w = {.device = nnm_simulated_settings_default(), .tests = tests};
    nnm_config_list configs = {0};
    double *latency_ms = NULL;
    w.device.device = nnm_simulated_device_at(device);
    w.device.seed = DEVICE_SEED;
    nnm_status status = nnm_kernel_find(&w.kernel, kernel, err);
    if (status) return status;
    snprintf(w.name, sizeof w.name, "simulated %s, %s", w.device.device->name, kernel);
    status = nnm_prior_builtin(&w.prior, w.kernel, err);
    if (status == NNM_OK) status = nnm_sample_prior(&configs, w.kernel, w.prior, tests, TEST_SEED, NULL, err);
    w.tests = configs.count;
    latency_ms = nnm_calloc(configs.count, sizeof *latency_ms);
    w.order = nnm_calloc(configs.count, sizeof *w.order);
    if (status == NNM_OK && (!latency_ms || !w.order)) status = nnm_fail_memory(err);
    for (size_t i = 0; i < configs.count && status == NNM_OK; i++) {
        status = simulate(&w, &configs.items[i], false, &latency_ms[i], err);
        w.order[i] = i;
    }
    if (status == NNM_OK)
        status = nnm_features_of_configs(&w.table, w.kernel, configs.items, latency_ms, configs.count, err);
    nnm_config_list_fini(&configs);
    free(latency_ms);
    if (status)
        world_fini(&w);
    else
        *out = w;
    return status;
}

/* Measures the configurations of `fresh` and adds them. */
static nnm_status take_configs(lab *l, const nnm_config_list *fresh, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < fresh->count && l->count < l->limit && status == NNM_OK; i++) {
        status = simulate(l->world, &fresh->items[i], true, &l->latency_ms[l->count], err);
        if (status == NNM_OK) status = nnm_config_list_add(&l->chosen, &fresh->items[i], err);
        if (status) return status;
        l->seconds[l->count] = nnm_default_measuring_seconds(l->latency_ms[l->count]);
        l->rows[l->count] = l->count;
        l->count++;
    }
    nnm_features_fini(&l->features);
    return nnm_features_of_configs(&l->features, l->world->kernel, l->chosen.items, l->latency_ms, l->count, err);
}

/* The order of a list from a sampler is that of FLOPs: drawn anew, so that the first ones stand for all. */
static void shuffle_list(nnm_config_list *list, uint64_t seed, uint64_t step)
{
    nnm_rng rng;
    nnm_rng_init(&rng, seed, step);
    nnm_rng_shuffle(&rng, list->items, list->count, sizeof *list->items);
}

typedef struct range {
    double low, high; /* logarithms */
} range;

static nnm_status find_ranges(const world *w, range ranges[NNM_KERNEL_MAX_PARAMS], nnm_error *err)
{
    nnm_config_list draws = {0};
    nnm_status status = nnm_sample_prior(&draws, w->kernel, w->prior, RANGE_DRAWS, DEVICE_SEED, NULL, err);
    for (size_t p = 0; p < nnm_kernel_param_count(w->kernel); p++) {
        ranges[p] = (range){INFINITY, -INFINITY};
        for (size_t i = 0; i < draws.count; i++) {
            double value = log((double)draws.items[i].value[p]);
            ranges[p].low = fmin(ranges[p].low, value);
            ranges[p].high = fmax(ranges[p].high, value);
        }
    }
    nnm_config_list_fini(&draws);
    return status;
}

/* The nearest value that the family of the kernel may have. */
static int64_t snap(const nnm_dimension *dimension, double value)
{
    double nearest = value;
    if (dimension->valid[0]) nearest = (double)dimension->valid[0];
    for (size_t i = 1; i < NNM_MAX_VALID && dimension->valid[i]; i++)
        if (fabs(log((double)dimension->valid[i] / value)) < fabs(log(nearest / value)))
            nearest = (double)dimension->valid[i];
    int64_t step = dimension->multiple_of ? dimension->multiple_of : 1;
    return (int64_t)ceil(floor(nearest + 0.5) / (double)step) * step;
}

static nnm_kernel_config config_at(const world *w, const range *ranges, const double *point)
{
    const nnm_family *family = w->prior->family;
    nnm_kernel_config config = {{0}};
    for (size_t d = 0; d < nnm_family_dimension_count(family); d++) {
        const nnm_dimension *dimension = &family->dimensions[d];
        size_t p = (size_t)nnm_kernel_param_index(w->kernel, dimension->param);
        if (dimension->same_as)
            config.value[p] = config.value[nnm_kernel_param_index(w->kernel, dimension->same_as)];
        else
            config.value[p] = snap(dimension, exp(ranges[p].low + point[d] * (ranges[p].high - ranges[p].low)));
    }
    return config;
}

static nnm_status sobol_configs(const lab *l, nnm_config_list *fresh, size_t num, nnm_error *err)
{
    range ranges[NNM_KERNEL_MAX_PARAMS];
    nnm_sobol points = {l->seed, 0};
    nnm_status status = find_ranges(l->world, ranges, err);
    for (size_t tries = 0; tries < 20 * num && fresh->count < num && status == NNM_OK; tries++) {
        double point[NNM_KERNEL_MAX_PARAMS];
        nnm_sobol_next(&points, NNM_KERNEL_MAX_PARAMS, point);
        nnm_kernel_config config = config_at(l->world, ranges, point);
        bool known = nnm_kernel_config_check(l->world->kernel, &config, NULL) != NNM_OK;
        for (size_t i = 0; i < fresh->count && !known; i++)
            known = nnm_kernel_config_equal(l->world->kernel, &config, &fresh->items[i]);
        if (!known) status = nnm_config_list_add(fresh, &config, err);
    }
    return status;
}

/* ---- labs ---- */

nnm_status lab_init(lab *out, const world *w, uint64_t seed, size_t limit, nnm_error *err)
{
    lab l = {.world = w, .seed = seed, .limit = limit};
    l.rows = nnm_calloc(limit, sizeof *l.rows);
    l.seconds = nnm_calloc(limit, sizeof *l.seconds);
    l.latency_ms = nnm_calloc(limit, sizeof *l.latency_ms);
    l.used = nnm_calloc(w->table.rows, sizeof *l.used);
    if (!l.rows || !l.seconds || !l.latency_ms || !l.used) {
        lab_fini(&l);
        return nnm_fail_memory(err);
    }
    *out = l;
    return NNM_OK;
}

void lab_fini(lab *l)
{
    free(l->rows);
    free(l->seconds);
    free(l->latency_ms);
    free(l->used);
    nnm_config_list_fini(&l->chosen);
    nnm_features_fini(&l->features);
    *l = (lab){0};
}

const nnm_features *lab_features(const lab *l)
{
    return l->world->prior ? &l->features : &l->world->table;
}

nnm_status lab_add_prior(lab *l, size_t num, uint64_t step, nnm_error *err)
{
    const world *w = l->world;
    if (w->prior) {
        nnm_config_list fresh = {0};
        nnm_status status = nnm_sample_prior(&fresh, w->kernel, w->prior, num, l->seed + step, &l->chosen, err);
        shuffle_list(&fresh, l->seed, step);
        if (status == NNM_OK) status = take_configs(l, &fresh, err);
        nnm_config_list_fini(&fresh);
        return status;
    }
    size_t *rows = NULL;
    nnm_status status = free_rows(l, &rows, &num, step, err);
    for (size_t i = 0; i < num && status == NNM_OK; i++)
        take_row(l, rows[i]);
    free(rows);
    return status;
}

nnm_status lab_add_sobol(lab *l, size_t num, nnm_error *err)
{
    if (l->world->prior) {
        nnm_config_list fresh = {0};
        nnm_status status = sobol_configs(l, &fresh, num, err);
        if (status == NNM_OK) status = take_configs(l, &fresh, err);
        nnm_config_list_fini(&fresh);
        return status;
    }
    nnm_sobol points = {l->seed, 0};
    for (size_t i = 0; i < num; i++) {
        double point[NNM_SOBOL_MAX_DIMENSIONS];
        nnm_sobol_next(&points, l->world->dimensions, point);
        take_row(l, nearest_row(l, point));
    }
    return NNM_OK;
}

nnm_status lab_add_start(lab *l, size_t num, nnm_error *err)
{
    const world *w = l->world;
    if (!w->prior) return acquire_rows(l, num, NULL, 0, err);
    nnm_config_list fresh = {0};
    nnm_status status = nnm_acquire_start(&fresh, w->kernel, w->prior, num, NULL, l->seed, err);
    if (status == NNM_OK) status = take_configs(l, &fresh, err);
    nnm_config_list_fini(&fresh);
    return status;
}

nnm_status lab_add_acquired(lab *l, size_t num, const nnm_acquire_options *options, uint64_t step, nnm_error *err)
{
    const world *w = l->world;
    if (num > l->limit - l->count) num = l->limit - l->count;
    if (!w->prior) return acquire_rows(l, num, options, step, err);
    nnm_config_list fresh = {0};
    const nnm_known_kernels known = {l->chosen.items, l->latency_ms, l->seconds, l->count};
    nnm_status status = nnm_acquire(&fresh, w->kernel, w->prior, &known, num, options, NULL, l->seed + step, NULL, err);
    if (status == NNM_OK) status = take_configs(l, &fresh, err);
    nnm_config_list_fini(&fresh);
    return status;
}

nnm_status lab_add_around(lab *l, const size_t *centres, size_t count, size_t num, uint64_t step, nnm_error *err)
{
    const world *w = l->world;
    if (!w->prior) {
        for (size_t i = 0; i < count * num; i++)
            take_row(l, nearest_row(l, w->place + l->rows[centres[i / num]] * w->dimensions));
        return NNM_OK;
    }
    nnm_config_list fresh = {0}, around = {0};
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        status = nnm_config_list_add(&around, &l->chosen.items[centres[i]], err);
    if (status == NNM_OK)
        status = nnm_sample_finegrained(&fresh, w->kernel, &around, num, l->seed + step, &l->chosen, err);
    shuffle_list(&fresh, l->seed, step);
    if (status == NNM_OK) status = take_configs(l, &fresh, err);
    nnm_config_list_fini(&fresh);
    nnm_config_list_fini(&around);
    return status;
}
