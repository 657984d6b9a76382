/* Asking the model "best", and its bytes. best_fit.c makes it. */
#include "learn/best.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

void nnm_best_free(nnm_best *best)
{
    if (!best) return;
    free(best->seen);
    nnm_tree_pool_fini(&best->pool);
    free(best);
}

size_t nnm_best_tree_columns(const nnm_best *best)
{
    return best->seen_count + 1 + best->roofline.groups;
}

double nnm_best_see(const nnm_best *best, const double *x, double *seen)
{
    for (size_t i = 0; i < best->seen_count; i++)
        seen[i] = x[best->seen[i]];
    double *roofline = seen + best->seen_count;
    return *roofline = nnm_roofline_log_latency(&best->roofline, x, roofline + 1);
}

/* Answers are whole steps: sorted as 16-bit numbers, by their low bytes, then by their high ones. */
static void sort_steps(uint16_t *steps, uint16_t *other, size_t count)
{
    for (unsigned shift = 0; shift < 16; shift += 8) {
        uint32_t start[257] = {0};
        for (size_t i = 0; i < count; i++)
            start[(steps[i] >> shift & 255) + 1]++;
        for (size_t byte = 0; byte < 256; byte++)
            start[byte + 1] += start[byte];
        for (size_t i = 0; i < count; i++)
            other[start[steps[i] >> shift & 255]++] = steps[i];
        uint16_t *sorted = other;
        other = steps;
        steps = sorted;
    }
}

void nnm_best_middle_range(size_t count, size_t *from, size_t *to)
{
    *from = (size_t)(NNM_BEST_MIDDLE_FROM * (double)count);
    *to = (size_t)(NNM_BEST_MIDDLE_TO * (double)count);
    if (*to <= *from) *to = *from + 1;
}

double nnm_best_middle(const double *answers, size_t count, double *spread)
{
    uint16_t steps[NNM_POOL_MAX_TREES], other[NNM_POOL_MAX_TREES];
    for (size_t i = 0; i < count; i++)
        steps[i] = (uint16_t)((int32_t)(answers[i] * NNM_POOL_STEP) + NNM_POOL_ZERO);
    sort_steps(steps, other, count);
    size_t from, to;
    nnm_best_middle_range(count, &from, &to);
    int64_t sum = 0;
    for (size_t i = from; i < to; i++)
        sum += (int64_t)steps[i] - NNM_POOL_ZERO;
    int low = steps[(size_t)(0.1 * (double)(count - 1))], high = steps[(size_t)(0.9 * (double)(count - 1))];
    *spread = (double)(high - low) / NNM_POOL_STEP;
    return (double)sum / NNM_POOL_STEP / (double)(to - from);
}

nnm_best_answer nnm_best_predict(const nnm_best *best, const double *x)
{
    double seen[NNM_BEST_MAX_COLUMNS + 1 + NNM_ROOFLINE_MAX_GROUPS], answers[NNM_POOL_MAX_TREES], spread;
    double log_latency = nnm_best_see(best, x, seen);
    nnm_tree_pool_answers(&best->pool, 0, best->pool.count, seen, answers);
    log_latency += nnm_best_middle(answers, best->pool.count, &spread);
    log_latency = fmax(-NNM_BEST_MAX_LOG_LATENCY, fmin(NNM_BEST_MAX_LOG_LATENCY, log_latency));
    return (nnm_best_answer){log_latency, spread + best->spread_floor};
}

/* ---- file form ---- */

nnm_status nnm_best_put(const nnm_best *best, nnm_buffer *out, nnm_error *err)
{
    const nnm_roofline *r = &best->roofline;
    nnm_put_u32(out, (uint32_t)r->terms);
    for (size_t i = 0; i < r->terms; i++) {
        nnm_put_u8(out, r->group[i]);
        nnm_put_u32(out, r->column[i]);
        nnm_put_f64(out, r->log_cost[i]);
    }
    nnm_put_f64(out, r->power);
    nnm_put_u32(out, (uint32_t)best->seen_count);
    for (size_t i = 0; i < best->seen_count; i++)
        nnm_put_u32(out, best->seen[i]);
    nnm_put_f64(out, best->spread_floor);
    nnm_put_f64(out, best->lower);
    nnm_put_f64(out, best->upper);
    return nnm_tree_pool_put(&best->pool, out, err);
}

static nnm_status get_roofline(nnm_roofline *r, nnm_reader *in, size_t columns, nnm_error *err)
{
    r->terms = nnm_get_u32(in);
    if (in->failed || r->terms < 1 || r->terms > NNM_ROOFLINE_MAX_TERMS)
        return nnm_fail(err, NNM_ERR_PARSE, "%zu terms of a roofline, must be 1..%d", r->terms, NNM_ROOFLINE_MAX_TERMS);
    for (size_t i = 0; i < r->terms; i++) {
        r->group[i] = nnm_get_u8(in);
        r->column[i] = nnm_get_u32(in);
        r->log_cost[i] = nnm_get_f64(in);
        bool grouped = i == 0 ? r->group[i] == 0 : r->group[i] == r->groups || (i > 1 && r->group[i] + 1U == r->groups);
        if (in->failed || !grouped || r->group[i] >= NNM_ROOFLINE_MAX_GROUPS || r->column[i] >= columns ||
            !(fabs(r->log_cost[i]) <= NNM_ROOFLINE_MAX_LOG))
            return nnm_fail(err, NNM_ERR_PARSE, "term %zu of the roofline is not valid", i + 1);
        r->groups = r->group[i] + 1U;
    }
    r->power = nnm_get_f64(in);
    if (in->failed || !(r->power >= NNM_ROOFLINE_LOWEST_POWER && r->power <= NNM_ROOFLINE_HIGHEST_POWER))
        return nnm_fail(err, NNM_ERR_PARSE, "the power %g of the roofline is not valid", r->power);
    return NNM_OK;
}

static nnm_status get_seen(nnm_best *best, nnm_reader *in, size_t columns, nnm_error *err)
{
    size_t count = nnm_get_u32(in);
    if (in->failed || count > columns || count > NNM_BEST_MAX_COLUMNS || count > nnm_left(in) / 4)
        return nnm_fail(err, NNM_ERR_PARSE, "%zu columns of trees do not fit the file", count);
    best->seen = nnm_calloc(count, sizeof *best->seen);
    if (!best->seen) return nnm_fail_memory(err);
    best->seen_count = count;
    for (size_t i = 0; i < count; i++) {
        best->seen[i] = nnm_get_u32(in);
        if (best->seen[i] >= columns)
            return nnm_fail(err, NNM_ERR_PARSE, "column %zu of the trees is not a feature", i + 1);
    }
    return NNM_OK;
}

static nnm_status get_interval(nnm_best *best, nnm_reader *in, nnm_error *err)
{
    best->spread_floor = nnm_get_f64(in);
    best->lower = nnm_get_f64(in);
    best->upper = nnm_get_f64(in);
    bool unknown = isnan(best->lower) && isnan(best->upper);
    bool known =
        best->lower >= -NNM_BEST_MAX_SCORE && best->lower <= 0 && best->upper >= 0 && best->upper <= NNM_BEST_MAX_SCORE;
    if (in->failed || !(best->spread_floor > 0 && best->spread_floor <= NNM_BEST_MAX_SCORE) || !(unknown || known))
        return nnm_fail(err, NNM_ERR_PARSE, "the interval of the predictions is not valid");
    return NNM_OK;
}

nnm_status nnm_best_get(nnm_best **out, nnm_reader *in, size_t columns, nnm_error *err)
{
    nnm_best *best = nnm_calloc(1, sizeof *best);
    if (!best) return nnm_fail_memory(err);
    nnm_status status = get_roofline(&best->roofline, in, columns, err);
    if (!status) status = get_seen(best, in, columns, err);
    if (!status) status = get_interval(best, in, err);
    if (!status) status = nnm_tree_pool_get(&best->pool, in, nnm_best_tree_columns(best), err);
    if (status)
        nnm_best_free(best);
    else
        *out = best;
    return status;
}
