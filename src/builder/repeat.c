/*
 * How well labels repeat. After the measuring, some kernels are measured once more, from opening the session on, at
 * this later moment. What comes out is compared with their latencies and never mixed into them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "builder/profiler.h"

#define REPEAT_LEAST 20
#define REPEAT_ONE_IN 20
#define REPEAT_SEED 1

static void compare(nnm_profiler *p, const nnm_task *t)
{
    if (t->failed || !nnm_task_is_complete(p, t)) return;
    double again_ns, spread_ns;
    nnm_rounds_combine(t->rounds, t->round_count, &again_ns, &spread_ns);
    double first_ms = t->record->latency_ms, again_ms = again_ns * 1e-6;
    double difference = fabs(again_ms - first_ms) / fmin(first_ms, again_ms);
    p->summary.repeated++;
    p->summary.agree5 += difference <= 0.05;
    p->summary.agree10 += difference <= 0.10;
}

/* Which kernels: always the same ones of the same data, so that a run that is continued does not begin anew. */
static nnm_status draw(const nnm_profiler *p, nnm_kernel_record ***out, size_t *count, nnm_error *err)
{
    const nnm_kernel_data *models = p->models;
    nnm_kernel_record **records = nnm_calloc(models->count ? models->count : 1, sizeof *records);
    if (!records) return nnm_fail_memory(err);
    for (size_t i = 0; i < models->count; i++)
        records[i] = &models->records[i];
    nnm_rng rng;
    nnm_rng_init(&rng, REPEAT_SEED, models->count);
    nnm_rng_shuffle(&rng, records, models->count, sizeof *records);
    size_t wanted = (models->count + REPEAT_ONE_IN - 1) / REPEAT_ONE_IN, kept = 0;
    if (wanted < REPEAT_LEAST) wanted = REPEAT_LEAST;
    for (size_t i = 0; i < models->count && kept < wanted; i++)
        if (records[i]->has_latency) records[kept++] = records[i];
    *out = records;
    *count = kept;
    return NNM_OK;
}

nnm_status nnm_profile_repeat(nnm_profiler *p, nnm_error *err)
{
    nnm_tasks tasks = {.pass = 1};
    nnm_kernel_record **records = NULL;
    size_t count = 0;
    nnm_status status = draw(p, &records, &count, err);
    if (status == NNM_OK) tasks.items = nnm_calloc(count ? count : 1, sizeof *tasks.items);
    if (status == NNM_OK && !tasks.items) status = nnm_fail_memory(err);
    for (size_t i = 0; i < count && status == NNM_OK; i++) {
        nnm_task *t = &tasks.items[tasks.count];
        status = nnm_task_init(p, t, records[i], tasks.pass, err);
        if (status) continue;
        if (nnm_task_is_complete(p, t)) {
            compare(p, t);
            nnm_task_fini(t);
        } else {
            tasks.count++;
        }
    }
    char activity[96];
    snprintf(activity, sizeof activity, "repeat %s", nnm_kernel_name(p->models->kernel));
    if (status == NNM_OK && tasks.count) status = nnm_tasks_measure(p, &tasks, activity, compare, NULL, err);
    for (size_t i = 0; tasks.items && i < tasks.count; i++)
        nnm_task_fini(&tasks.items[i]);
    free(tasks.items);
    free(records);
    return status;
}
