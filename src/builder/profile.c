/*
 * Kernels are timed: those that the journal does not know yet, and some of them once more at the end.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "builder/notes.h"
#include "builder/profiler.h"
#include "builder/quiet.h"
#include "store/paths.h"

/* For the estimate of the time that remains only: what a slow core does, and runs in a round. */
#define ASSUMED_FLOPS_PER_S 3e10
#define ASSUMED_CALLS 6.0

/* ---- tasks ---- */

/* Keeps the rounds of one pass. */
static size_t keep_pass(nnm_round *rounds, size_t count, unsigned pass)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (rounds[i].pass == pass) rounds[kept++] = rounds[i];
    return kept;
}

nnm_status nnm_task_init(nnm_profiler *p, nnm_task *t, nnm_kernel_record *record, unsigned pass, nnm_error *err)
{
    const nnm_kernel *kernel = p->models->kernel;
    char subject[NNM_SUBJECT_BYTES];
    *t = (nnm_task){.record = record};
    nnm_builder_describe(kernel, record, subject, sizeof subject);
    nnm_journal_source source = nnm_builder_source(p->builder);
    nnm_status status =
        nnm_journal_rounds(p->journal, &source, kernel, record->id, subject, false, &t->rounds, &t->round_count, err);
    if (status) return status;
    t->round_count = keep_pass(t->rounds, t->round_count, pass);
    for (size_t i = 0; i < t->round_count; i++) {
        t->wall_s += (t->rounds[i].wall_ns - t->rounds[i].waited_ns) * 1e-9;
        t->waited_s += t->rounds[i].waited_ns * 1e-9;
    }
    double flops = record->has_config ? nnm_kernel_flops(kernel, &record->config) : 0;
    t->work_s = 2e-3 * p->protocol.round_ms + ASSUMED_CALLS * flops / ASSUMED_FLOPS_PER_S;
    return NNM_OK;
}

void nnm_task_fini(nnm_task *t)
{
    free(t->rounds);
    t->rounds = NULL;
}

static void set_latency(const nnm_task *t)
{
    if (t->round_count && !t->failed) nnm_builder_set_latency(t->record, t->rounds, t->round_count);
}

static nnm_status make_tasks(nnm_profiler *p, nnm_tasks *tasks, nnm_error *err)
{
    tasks->items = nnm_calloc(p->models->count ? p->models->count : 1, sizeof *tasks->items);
    if (!tasks->items) return nnm_fail_memory(err);
    for (size_t i = 0; i < p->models->count; i++) {
        nnm_task *t = &tasks->items[tasks->count];
        nnm_status status = nnm_task_init(p, t, &p->models->records[i], tasks->pass, err);
        if (status) return status;
        t->record->has_latency = false; /* the journal knows; what a file says may be of other settings */
        if (nnm_task_is_complete(p, t)) {
            set_latency(t);
            p->summary.known++;
            nnm_task_fini(t);
        } else {
            tasks->count++;
        }
    }
    /* In random order, always the same: files list kernels by size, and neither should a drift of the machine look
     * like an effect of size, nor should an interrupted run know small kernels only. */
    nnm_rng rng;
    nnm_rng_init(&rng, 0, p->models->count);
    nnm_rng_shuffle(&rng, tasks->items, tasks->count, sizeof *tasks->items);
    p->summary.requested = p->models->count;
    return NNM_OK;
}

/* An interrupted kernel has a latency too, of the rounds there are; the next run goes on with it. */
static void finish_kernel(nnm_profiler *p, const nnm_task *t)
{
    set_latency(t);
    if (t->failed || !nnm_task_is_complete(p, t)) return;
    p->summary.profiled++;
    p->summary.noisy += nnm_rounds_error(t->rounds, t->round_count) > p->protocol.target_error;
}

/* The file keeps what it has for other kernels of this type, e.g. those of another mark. */
static nnm_status save_latencies(const nnm_profiler *p, nnm_error *err)
{
    const nnm_kernel *kernel = p->models->kernel;
    const nnm_workspace *workspace = p->builder->workspace;
    char *path = nnm_path_profiled_json(nnm_workspace_path(workspace), nnm_kernel_name(kernel));
    if (!path) return nnm_fail_memory(err);
    nnm_kernel_data *saved = NULL, *all = NULL;
    nnm_status status = nnm_kernel_data_new(&all, kernel, err);
    if (status == NNM_OK && nnm_file_exists(path)) {
        nnm_error failure = NNM_ERROR_INIT;
        status = nnm_kernel_data_load(&saved, kernel, path, &failure);
        if (status == NNM_ERR_NOT_FOUND)
            status = NNM_OK; /* other kernel types only */
        else if (status && err)
            *err = failure;
    }
    for (size_t i = 0; saved && i < saved->count && status == NNM_OK; i++)
        if (!nnm_kernel_data_find(p->models, saved->records[i].id))
            status = nnm_kernel_data_add(all, &saved->records[i], err);
    for (size_t i = 0; i < p->models->count && status == NNM_OK; i++)
        if (p->models->records[i].has_latency) status = nnm_kernel_data_add(all, &p->models->records[i], err);
    if (status == NNM_OK)
        status = nnm_kernel_data_save_latencies(all, path, nnm_workspace_predictorbuild(workspace)->detail, err);
    nnm_kernel_data_free(saved);
    nnm_kernel_data_free(all);
    free(path);
    return status;
}

/* ---- the whole ---- */

/* What measuring needs, once something must be measured: the machine, a worker, and a run in the journal. */
static nnm_status start(nnm_profiler *p, nnm_error *err)
{
    nnm_status status = nnm_builder_take_device(p->builder, p->backend, "profile", err);
    if (status == NNM_OK && p->backend->device == NNM_DEVICE_SIMULATED) status = nnm_journal_relax(p->journal, err);
    if (status == NNM_OK) status = nnm_profiler_recall_quiet(p, err);
    if (status == NNM_OK) status = nnm_profiler_start_worker(p, err);
    if (status) return status;
    return nnm_builder_begin_run(p->builder, p->journal, p->info.version, &p->run_id, err);
}

/* The child that comes next looks for the state, and where it does not find it, for another one. */
nnm_status nnm_profiler_look_again(nnm_profiler *p, nnm_error *err)
{
    nnm_worker_stop(p->worker);
    p->worker = NULL;
    return nnm_profiler_start_worker(p, err);
}

nnm_status nnm_profiler_start(nnm_profiler *p, nnm_error *err)
{
    return p->worker ? NNM_OK : start(p, err);
}

static nnm_status measure(nnm_profiler *p, nnm_error *err)
{
    nnm_tasks tasks = {.pass = 0};
    char activity[96];
    snprintf(activity, sizeof activity, "profile %s", nnm_kernel_name(p->models->kernel));
    nnm_status status = make_tasks(p, &tasks, err);
    if (status == NNM_OK && tasks.count)
        status = nnm_tasks_measure(p, &tasks, activity, finish_kernel, save_latencies, err);
    else if (status == NNM_OK)
        status = save_latencies(p, err);
    for (size_t i = 0; tasks.items && i < tasks.count; i++)
        nnm_task_fini(&tasks.items[i]);
    free(tasks.items);
    return status;
}

static void finish_summary(nnm_profiler *p, uint64_t begin_ns)
{
    nnm_profile_summary *s = &p->summary;
    s->elapsed_s = (double)(nnm_clock_ns() - begin_ns) * 1e-9;
    s->quiet_share = p->samples ? (double)p->quiet_samples / (double)p->samples : 0;
    s->agree5 = s->repeated ? s->agree5 / (double)s->repeated : 0;
    s->agree10 = s->repeated ? s->agree10 / (double)s->repeated : 0;
}

nnm_status nnm_builder_profile(nnm_builder *builder, const char *backend_name, nnm_kernel_data *models, bool repeat,
                               nnm_profile_summary *summary, nnm_error *err)
{
    uint64_t begin_ns = nnm_clock_ns();
    nnm_profiler p = {.builder = builder, .models = models, .protocol = nnm_builder_protocol(builder)};
    nnm_status status = nnm_builder_backend(builder, backend_name, &p.backend, &p.info, err);
    if (status) return status;

    status = nnm_locks_take_workspace(&builder->locks, builder->workspace, "profile", err);
    if (status == NNM_OK) status = nnm_builder_check_batch(builder, models, err);
    if (status == NNM_OK) status = nnm_builder_find_models(builder, models, err);
    if (status == NNM_OK) status = nnm_builder_open_journal(builder, &p.journal, err);
    if (status == NNM_OK) status = measure(&p, err);
    if (status == NNM_OK && repeat) status = nnm_profile_repeat(&p, err);
    finish_summary(&p, begin_ns);
    if (summary && (status == NNM_OK || status == NNM_ERR_INTERRUPTED || status == NNM_ERR_BACKEND))
        *summary = p.summary;
    if (status == NNM_OK && p.summary.failed == models->count && models->count) {
        if (err) *err = p.first_failure;
        status = nnm_context(err, NNM_ERR_BACKEND, "backend '%s' failed on all %zu kernels; the first", backend_name,
                             models->count);
    }
    nnm_worker_stop(p.worker);
    nnm_journal_close(p.journal);
    nnm_locks_release(&builder->locks);
    return status;
}

nnm_status nnm_profile_models(nnm_builder *builder, const char *backend_name, nnm_kernel_data *models,
                              nnm_profile_summary *summary, nnm_error *err)
{
    return nnm_builder_profile(builder, backend_name, models, true, summary, err);
}
