#include "builder/acquire_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "learn/best.h"

nnm_acquire_tuning nnm_tuning = {W_SLOPE, 1, 1.0, 1500};

/* ---- what measuring costs ---- */

double nnm_acquire_seconds(double latency_ms)
{
    double s = latency_ms * 1e-3;
    return fmin(5 * (0.005 + fmax(0.003, s) + fmax(0.012, 5 * s)), fmax(5, 6 * s));
}

typedef struct timing {
    double latency, seconds;
} timing;

/* Pairs in order of latency; seconds are medians of neighbours. */
typedef struct costs {
    timing *pairs;
    size_t count;
} costs;

static int compare_timings(const void *left, const void *right)
{
    const timing *a = left, *b = right;
    if (a->latency != b->latency) return a->latency < b->latency ? -1 : 1;
    return (a->seconds > b->seconds) - (a->seconds < b->seconds);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static nnm_status learn_costs(costs *out, const nnm_acquire_rows *known, nnm_error *err)
{
    *out = (costs){0};
    if (!known->seconds) return NNM_OK;
    timing *raw = nnm_calloc(known->count, sizeof *raw);
    out->pairs = nnm_calloc(known->count, sizeof *out->pairs);
    out->count = known->count;
    if (raw && out->pairs) {
        for (size_t i = 0; i < known->count; i++)
            raw[i] = (timing){known->features->y[known->rows[i]], known->seconds[i]};
        qsort(raw, known->count, sizeof *raw, compare_timings);
        for (size_t i = 0; i < known->count; i++) {
            double around[5];
            size_t from = i < 2 ? 0 : i - 2, to = i + 3 < known->count ? i + 3 : known->count;
            for (size_t k = from; k < to; k++)
                around[k - from] = raw[k].seconds;
            qsort(around, to - from, sizeof *around, compare_doubles);
            out->pairs[i] = (timing){raw[i].latency, around[(to - from) / 2]};
        }
    }
    nnm_status status = raw && out->pairs ? NNM_OK : nnm_fail_memory(err);
    free(raw);
    return status;
}

static double cost_of(const costs *c, double latency)
{
    if (c->count == 0) return nnm_acquire_seconds(latency);
    const timing *p = c->pairs, *last = &p[c->count - 1];
    if (latency <= p->latency) return p->seconds;
    if (latency >= last->latency) return last->seconds * latency / last->latency;
    size_t low = 0, high = c->count - 1;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (p[middle].latency <= latency)
            low = middle;
        else
            high = middle;
    }
    double part = (latency - p[low].latency) / (p[high].latency - p[low].latency);
    return p[low].seconds + part * (p[high].seconds - p[low].seconds);
}

/* ---- candidates as the model sees them ---- */

typedef struct choice {
    const nnm_acquire_rows *candidates;
    const nnm_best *best;
    size_t count, reference, trees;
    uint16_t *leaf;  /* count * trees */
    double *worth;   /* reference: what it would be worth to be sure of it */
    double *latency; /* count */
    double *bad;     /* count: probability of an error above 10 % */
    double *price;   /* count: what a gain is divided by */
    double *gain;    /* count */
    float *left;     /* reference: what is not covered yet, times worth */
} choice;

static uint16_t leaf_of(const nnm_pool_tree *tree, const double *seen)
{
    uint32_t at = 0;
    while (tree->nodes[at].column != NNM_POOL_LEAF)
        at = seen[tree->nodes[at].column] <= tree->nodes[at].value ? at + 1 : tree->nodes[at].right;
    return (uint16_t)at;
}

static void look_at(void *context, size_t index, unsigned thread)
{
    (void)thread;
    choice *c = context;
    const nnm_features *f = c->candidates->features;
    const double *x = f->x + c->candidates->rows[index] * f->columns;
    double seen[NNM_BEST_MAX_COLUMNS + 1 + NNM_ROOFLINE_MAX_GROUPS];
    nnm_best_see(c->best, x, seen);
    for (size_t t = 0; t < c->trees; t++)
        c->leaf[index * c->trees + t] = leaf_of(&c->best->pool.trees[t], seen);
    nnm_best_answer answer = nnm_best_predict(c->best, x);
    double half = isnan(c->best->upper) ? 1 : (c->best->upper - c->best->lower) / 2;
    double scale = fmax(answer.width * half / log(10), 1e-4);
    double surprise = 0.1 / scale, bad = exp(-surprise);
    c->latency[index] = exp(answer.log_latency);
    c->bad[index] = bad;
    if (index >= c->reference) return;
    switch (nnm_tuning.worth) {
    case W_ONE: c->worth[index] = 1; break;
    case W_BAD: c->worth[index] = bad; break;
    case W_SLOPE: c->worth[index] = bad * surprise; break;
    case W_SPREAD: c->worth[index] = fmin(scale, 1); break;
    }
}

/* Share of the trees in which two candidates are in one leaf. */
static float alike(const choice *c, size_t a, size_t b)
{
    const uint16_t *left = c->leaf + a * c->trees, *right = c->leaf + b * c->trees;
    unsigned same = 0;
    for (size_t t = 0; t < c->trees; t++)
        same += left[t] == right[t];
    float share = (float)same / (float)c->trees;
    return nnm_tuning.sharpness == 1.0 ? share : (float)pow((double)share, nnm_tuning.sharpness);
}

static void find_gain(void *context, size_t index, unsigned thread)
{
    (void)thread;
    choice *c = context;
    double sum = 0;
    for (size_t i = 0; i < c->reference; i++)
        sum += (double)(c->left[i] * alike(c, index, i));
    c->gain[index] = sum;
}

/* Greedy, with gains that only fall: the best of old gains is worked out anew until it stays the best. */
static size_t take_greedily(choice *c, size_t *chosen, size_t num, unsigned threads)
{
    bool *fresh = nnm_calloc(c->count, 1);
    size_t taken = 0;
    nnm_parallel_for(threads, c->count, find_gain, c);
    memset(fresh, 1, c->count);
    while (taken < num) {
        size_t top = c->count;
        double best = -1;
        for (size_t i = 0; i < c->count; i++) {
            if (c->gain[i] < 0) continue;
            double value = c->gain[i] / c->price[i];
            if (value > best) best = value, top = i;
        }
        if (top == c->count) break;
        if (!fresh[top]) {
            find_gain(c, top, 0);
            fresh[top] = true;
            continue;
        }
        chosen[taken++] = top;
        c->gain[top] = -1;
        for (size_t i = 0; i < c->reference; i++)
            c->left[i] *= 1 - alike(c, top, i);
        memset(fresh, 0, c->count);
    }
    free(fresh);
    return taken;
}

static size_t take_by_lot(choice *c, size_t *chosen, size_t num, uint64_t seed)
{
    nnm_rng rng;
    nnm_rng_init(&rng, seed, 77);
    for (size_t i = 0; i < c->count; i++)
        c->gain[i] = pow(nnm_rng_uniform(&rng), 1 / (1e-9 + c->worth[i] / c->price[i] * 1e-3));
    /* exponential keys: -log(u)/w smallest */
    nnm_rng_init(&rng, seed, 77);
    for (size_t i = 0; i < c->count; i++)
        c->gain[i] = -log(1 - nnm_rng_uniform(&rng)) / (1e-9 + c->worth[i]) * c->price[i];
    size_t taken = 0;
    for (; taken < num && taken < c->count; taken++) {
        size_t top = 0;
        for (size_t i = 1; i < c->count; i++)
            if (c->gain[i] < c->gain[top]) top = i;
        chosen[taken] = top;
        c->gain[top] = INFINITY;
    }
    return taken;
}

/* ---- the whole ---- */

static nnm_status fit_known(nnm_best **out, const nnm_acquire_rows *known, unsigned threads, uint64_t seed,
                            nnm_error *err)
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
    if (status == NNM_OK) status = nnm_best_fit(out, &data, seed, threads, NULL, err);
    free(x);
    free(y);
    return status;
}

nnm_status nnm_acquire_choose(size_t *chosen, size_t *chosen_count, const nnm_acquire_rows *known,
                              const nnm_acquire_rows *candidates, size_t reference, size_t num,
                              const nnm_acquire_options *options, uint64_t seed, nnm_acquire_outlook *outlook,
                              nnm_error *err)
{
    nnm_best *best = NULL;
    costs cost = {0};
    choice c = {.candidates = candidates, .count = candidates->count, .reference = reference};
    nnm_status status = fit_known(&best, known, options->threads, seed, err);
    if (status == NNM_OK) status = learn_costs(&cost, known, err);
    if (status) goto done;
    c.best = best;
    c.trees = best->pool.count;
    c.leaf = nnm_calloc(c.count, c.trees * sizeof *c.leaf);
    c.worth = nnm_calloc(c.count, sizeof *c.worth);
    c.latency = nnm_calloc(c.count, sizeof *c.latency);
    c.bad = nnm_calloc(c.count, sizeof *c.bad);
    c.price = nnm_calloc(c.count, sizeof *c.price);
    c.gain = nnm_calloc(c.count, sizeof *c.gain);
    c.left = nnm_calloc(reference, sizeof *c.left);
    if (!c.leaf || !c.worth || !c.latency || !c.bad || !c.price || !c.gain || !c.left) {
        status = nnm_fail_memory(err);
        goto done;
    }
    nnm_parallel_for(options->threads, c.count, look_at, &c);
    for (size_t i = 0; i < c.count; i++)
        c.price[i] = pow(cost_of(&cost, c.latency[i]), options->cost_weight);
    for (size_t i = 0; i < reference; i++)
        c.left[i] = (float)c.worth[i];
    *chosen_count =
        nnm_tuning.greedy == 1 ? take_greedily(&c, chosen, num, options->threads) : take_by_lot(&c, chosen, num, seed);
    if (outlook) {
        *outlook = (nnm_acquire_outlook){.accuracy10 = 1};
        for (size_t i = 0; i < reference; i++) {
            outlook->accuracy10 -= c.bad[i] / (double)reference;
            outlook->mean_cost_s += cost_of(&cost, c.latency[i]) / (double)reference;
        }
        for (size_t i = 0; i < *chosen_count; i++)
            outlook->seconds += cost_of(&cost, c.latency[chosen[i]]);
    }
done:
    nnm_best_free(best);
    free(cost.pairs);
    free(c.leaf);
    free(c.worth);
    free(c.latency);
    free(c.bad);
    free(c.price);
    free(c.gain);
    free(c.left);
    return status;
}
