#include "builder/acquire_costs.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "nnmeter/measure.h"

#define SESSION_S 0.005 /* opening and closing a session, about */
#define LEAST_SAMPLES 5
#define NEIGHBOURS 2 /* on each side, whose median smooths */

double nnm_default_measuring_seconds(double latency_ms)
{
    static const nnm_protocol protocol = NNM_PROTOCOL_INIT;
    double run = latency_ms * 1e-3;
    double round =
        SESSION_S + fmax(protocol.warmup_ms * 1e-3, run) + fmax(protocol.round_ms * 1e-3, LEAST_SAMPLES * run);
    return fmax(round, fmin(protocol.rounds * round, protocol.budget_s));
}

static int compare_latencies(const void *left, const void *right)
{
    const nnm_measuring_time *a = left, *b = right;
    if (a->latency_ms != b->latency_ms) return a->latency_ms < b->latency_ms ? -1 : 1;
    return (a->seconds > b->seconds) - (a->seconds < b->seconds);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median_around(const nnm_measuring_time *pairs, size_t count, size_t index)
{
    double around[2 * NEIGHBOURS + 1];
    size_t from = index < NEIGHBOURS ? 0 : index - NEIGHBOURS, number = 0;
    for (size_t i = from; i < count && i <= index + NEIGHBOURS; i++)
        around[number++] = pairs[i].seconds;
    qsort(around, number, sizeof *around, compare_doubles);
    return around[number / 2];
}

nnm_status nnm_costs_learn(nnm_costs *out, const double *latency_ms, const double *seconds, size_t count,
                           nnm_error *err)
{
    nnm_measuring_time *raw = nnm_calloc(count, sizeof *raw);
    *out = (nnm_costs){.pairs = nnm_calloc(count, sizeof *out->pairs), .count = seconds ? count : 0};
    if (!raw || !out->pairs) {
        free(raw);
        nnm_costs_fini(out);
        return nnm_fail_memory(err);
    }
    for (size_t i = 0; i < out->count; i++)
        raw[i] = (nnm_measuring_time){latency_ms[i], seconds[i]};
    qsort(raw, out->count, sizeof *raw, compare_latencies);
    for (size_t i = 0; i < out->count; i++)
        out->pairs[i] = (nnm_measuring_time){raw[i].latency_ms, median_around(raw, count, i)};
    free(raw);
    return NNM_OK;
}

void nnm_costs_fini(nnm_costs *costs)
{
    free(costs->pairs);
    *costs = (nnm_costs){0};
}

double nnm_costs_seconds(const nnm_costs *costs, double latency_ms)
{
    if (costs->count == 0) return nnm_default_measuring_seconds(latency_ms);
    const nnm_measuring_time *pairs = costs->pairs, *last = &pairs[costs->count - 1];
    if (latency_ms <= pairs->latency_ms) return pairs->seconds;
    if (latency_ms >= last->latency_ms) return last->seconds * latency_ms / last->latency_ms;
    size_t low = 0, high = costs->count - 1;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (pairs[middle].latency_ms <= latency_ms)
            low = middle;
        else
            high = middle;
    }
    double part = (latency_ms - pairs[low].latency_ms) / (pairs[high].latency_ms - pairs[low].latency_ms);
    return pairs[low].seconds + part * (pairs[high].seconds - pairs[low].seconds);
}
