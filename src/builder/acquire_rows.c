#include "builder/acquire_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "builder/acquire_costs.h"
#include "builder/acquire_greedy.h"
#include "learn/best.h"

#define CLOSE 0.1         /* relative error that counts as right */
#define UNKNOWN_WIDTH 1.0 /* half the 90 % interval where too few rows tell it */
#define LEAST_SCALE 1e-4  /* of errors */
#define NEARNESS 0.05     /* squared distance at which likeness falls to 1/e, each parameter scaled to 0..1 */

/* A kernel takes one of those that may be measured, and its time; for a kernel of mean cost both count alike where the
 * weight is 1/2. */
static void find_prices(double *price, const double *seconds, size_t count, double weight)
{
    double mean = 0;
    for (size_t i = 0; i < count; i++)
        mean += seconds[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        price[i] = mean > 0 ? fmax(1 - weight + weight * seconds[i] / mean, 1e-6) : 1;
}

/* ---- where latencies are known ---- */

typedef struct choice {
    const nnm_acquire_rows *candidates;
    const nnm_best *best;
    nnm_costs costs;
    size_t trees;
    uint16_t *leaf;  /* candidates * trees: the leaf that each is in; trees of at most 20,000 rows have so few nodes */
    double *worth;   /* candidates */
    double *wrong;   /* candidates: probability of an error above 10 % */
    double *seconds; /* candidates */
    double *price;   /* candidates */
} choice;

static uint16_t find_leaf(const nnm_pool_tree *tree, const double *seen)
{
    uint32_t at = 0;
    while (tree->nodes[at].column != NNM_POOL_LEAF)
        at = seen[tree->nodes[at].column] <= tree->nodes[at].value ? at + 1 : tree->nodes[at].right;
    return (uint16_t)at;
}

/* Errors are taken to be spread as exp(-|error| / scale), so that answers are wrong with the probability
 * exp(-0.1 / scale). Measuring nearby makes the scale smaller, and what that gains is the derivative by log(scale). */
static void look_at(void *context, size_t index, unsigned thread)
{
    (void)thread;
    choice *c = context;
    const nnm_features *f = c->candidates->features;
    const double *x = f->x + c->candidates->rows[index] * f->columns;
    double seen[NNM_BEST_MAX_COLUMNS + 1 + NNM_ROOFLINE_MAX_GROUPS];
    nnm_best_see(c->best, x, seen);
    for (size_t t = 0; t < c->trees; t++)
        c->leaf[index * c->trees + t] = find_leaf(&c->best->pool.trees[t], seen);
    nnm_best_answer answer = nnm_best_predict(c->best, x);
    double half = isnan(c->best->upper) ? UNKNOWN_WIDTH : (c->best->upper - c->best->lower) / 2;
    double surprise = CLOSE / fmax(answer.width * half / log(10), LEAST_SCALE); /* 1 in 10 is beyond the half */
    c->wrong[index] = exp(-surprise);
    c->worth[index] = c->wrong[index] * surprise;
    c->seconds[index] = nnm_costs_seconds(&c->costs, exp(answer.log_latency));
}

/* Share of the trees in which two candidates are in one leaf. */
static float share_of_leaves(const void *context, size_t candidate, size_t row)
{
    const choice *c = context;
    const uint16_t *left = c->leaf + candidate * c->trees, *right = c->leaf + row * c->trees;
    unsigned same = 0;
    for (size_t t = 0; t < c->trees; t++)
        same += left[t] == right[t];
    return (float)same / (float)c->trees;
}

static nnm_status learn(nnm_best **out, nnm_costs *costs, const nnm_acquire_rows *known, unsigned threads,
                        uint64_t seed, nnm_error *err)
{
    const nnm_features *f = known->features;
    double *x = nnm_calloc(known->count, f->columns * sizeof *x), *y = nnm_calloc(known->count, sizeof *y);
    nnm_status status = x && y ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; i < known->count && status == NNM_OK; i++) {
        memcpy(x + i * f->columns, f->x + known->rows[i] * f->columns, f->columns * sizeof *x);
        y[i] = f->y[known->rows[i]];
    }
    const nnm_dataset data = {
        .x = x,
        .y = y,
        .rows = known->count,
        .columns = f->columns,
        .feature_names = (const char *const *)f->names,
        .work = f->work,
    };
    if (status == NNM_OK) status = nnm_costs_learn(costs, y, known->seconds, known->count, err);
    if (status == NNM_OK) status = nnm_best_fit(out, &data, seed, threads, NULL, err);
    free(x);
    free(y);
    return status;
}

static nnm_status choice_init(choice *c, nnm_error *err)
{
    size_t count = c->candidates->count;
    c->trees = c->best->pool.count;
    c->leaf = nnm_calloc(count, c->trees * sizeof *c->leaf);
    c->worth = nnm_calloc(count, sizeof *c->worth);
    c->wrong = nnm_calloc(count, sizeof *c->wrong);
    c->seconds = nnm_calloc(count, sizeof *c->seconds);
    c->price = nnm_calloc(count, sizeof *c->price);
    return c->leaf && c->worth && c->wrong && c->seconds && c->price ? NNM_OK : nnm_fail_memory(err);
}

static void choice_fini(choice *c)
{
    nnm_costs_fini(&c->costs);
    free(c->leaf);
    free(c->worth);
    free(c->wrong);
    free(c->seconds);
    free(c->price);
}

static nnm_acquire_outlook look_out(const choice *c, size_t reference, const size_t *chosen, size_t count)
{
    nnm_acquire_outlook outlook = {.accuracy10 = 1};
    for (size_t i = 0; i < reference; i++) {
        outlook.accuracy10 -= c->wrong[i] / (double)reference;
        outlook.mean_cost_s += c->seconds[i] / (double)reference;
    }
    for (size_t i = 0; i < count; i++)
        outlook.seconds += c->seconds[chosen[i]];
    return outlook;
}

nnm_status nnm_acquire_choose(size_t *chosen, size_t *chosen_count, const nnm_acquire_rows *known,
                              const nnm_acquire_rows *candidates, size_t reference, size_t num,
                              const nnm_acquire_options *options, uint64_t seed, nnm_acquire_outlook *outlook,
                              nnm_error *err)
{
    nnm_best *best = NULL;
    choice c = {.candidates = candidates};
    nnm_status status = learn(&best, &c.costs, known, options->threads, seed, err);
    c.best = best;
    if (status == NNM_OK) status = choice_init(&c, err);
    if (status) goto done;
    nnm_parallel_for(options->threads, candidates->count, look_at, &c);
    find_prices(c.price, c.seconds, candidates->count, options->cost_weight);
    const nnm_greedy greedy = {
        .candidates = candidates->count,
        .reference = reference,
        .alike = share_of_leaves,
        .context = &c,
        .worth = c.worth,
        .price = c.price,
        .threads = options->threads,
    };
    status = nnm_greedy_choose(chosen, chosen_count, &greedy, num, err);
    if (status == NNM_OK && outlook) *outlook = look_out(&c, reference, chosen, *chosen_count);
done:
    nnm_best_free(best);
    choice_fini(&c);
    return status;
}

/* ---- where none is ---- */

typedef struct layout {
    double *place; /* candidates * dimensions */
    size_t dimensions;
} layout;

static float nearness(const void *context, size_t candidate, size_t row)
{
    const layout *l = context;
    const double *a = l->place + candidate * l->dimensions, *b = l->place + row * l->dimensions;
    double sum = 0;
    for (size_t d = 0; d < l->dimensions; d++)
        sum += (a[d] - b[d]) * (a[d] - b[d]);
    return (float)exp(-sum / NEARNESS);
}

/* What is computed from parameters is no parameter. */
static bool is_parameter(const char *name)
{
    return strncmp(name, "work.", 5) != 0 && strcmp(name, "FLOPS") != 0 && strcmp(name, "PARAMS") != 0;
}

static nnm_status lay_out(layout *out, const nnm_acquire_rows *candidates, nnm_error *err)
{
    const nnm_features *f = candidates->features;
    *out = (layout){0};
    for (size_t c = 0; c < f->columns; c++)
        out->dimensions += is_parameter(f->names[c]);
    out->place = nnm_calloc(candidates->count, out->dimensions * sizeof *out->place);
    if (!out->place) return nnm_fail_memory(err);
    for (size_t c = 0, d = 0; c < f->columns; c++) {
        if (!is_parameter(f->names[c])) continue;
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < candidates->count; i++) {
            double value = log(1 + fmax(f->x[candidates->rows[i] * f->columns + c], 0));
            out->place[i * out->dimensions + d] = value;
            low = fmin(low, value);
            high = fmax(high, value);
        }
        for (size_t i = 0; i < candidates->count; i++) {
            double *value = &out->place[i * out->dimensions + d];
            *value = high > low ? (*value - low) / (high - low) : 0;
        }
        d++;
    }
    return NNM_OK;
}

/* Operations and bytes, each as a share of the mean. */
static void guess_costs(double *cost, const nnm_acquire_rows *candidates)
{
    static const char *const names[] = {"work.macs", "work.bytes"};
    const nnm_features *f = candidates->features;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        size_t column = 0;
        double mean = 0;
        while (column < f->columns && strcmp(f->names[column], names[n]) != 0)
            column++;
        if (column == f->columns) continue;
        for (size_t i = 0; i < candidates->count; i++)
            mean += f->x[candidates->rows[i] * f->columns + column] / (double)candidates->count;
        for (size_t i = 0; i < candidates->count && mean > 0; i++)
            cost[i] += f->x[candidates->rows[i] * f->columns + column] / mean;
    }
}

nnm_status nnm_acquire_spread(size_t *chosen, size_t *chosen_count, const nnm_acquire_rows *candidates, size_t num,
                              const nnm_acquire_options *options, nnm_error *err)
{
    size_t count = candidates->count;
    layout places = {0};
    double *price = nnm_calloc(count, sizeof *price), *worth = nnm_calloc(count, sizeof *worth);
    nnm_status status = price && worth ? lay_out(&places, candidates, err) : nnm_fail_memory(err);
    if (status) goto done;
    guess_costs(price, candidates);
    find_prices(price, price, count, options->cost_weight);
    for (size_t i = 0; i < count; i++)
        worth[i] = 1;
    const nnm_greedy greedy = {
        .candidates = count,
        .reference = count,
        .alike = nearness,
        .context = &places,
        .worth = worth,
        .price = price,
        .threads = options->threads,
    };
    status = nnm_greedy_choose(chosen, chosen_count, &greedy, num, err);
done:
    free(places.place);
    free(price);
    free(worth);
    return status;
}
