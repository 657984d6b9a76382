/*
 * Kernels are timed. Rounds of a kernel lie apart in time and kernels are interleaved, so that a slow moment of the
 * machine does not hit all rounds of one kernel: a batch of kernels goes through round 1, then through round 2, and so
 * on. Every round is in the journal before the next one starts.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "builder/builder.h"
#include "builder/progress.h"
#include "store/journal.h"
#include "store/latency_text.h"
#include "store/paths.h"

/* A pass over a batch takes about this long: rounds of a kernel are that far apart. */
#define BATCH_SECONDS 8.0
/* When so many kernels failed and none succeeded, the backend is broken, not the kernels. */
#define HOPELESS_FAILURES 10
/* For the estimate of the time that remains only: what a slow core does, and runs in a round. */
#define ASSUMED_FLOPS_PER_S 3e10
#define ASSUMED_CALLS 6.0

#define SUBJECT_BYTES 256

/* One kernel that is being measured. Rounds are kept without their raw samples, which are in the journal. */
typedef struct task {
    nnm_kernel_record *record;
    nnm_round *rounds;
    size_t round_count;
    double wall_s; /* spent on it, this run and earlier ones */
    double work_s; /* assumed seconds of a round */
    bool failed;
} task;

typedef struct profiler {
    nnm_builder *builder;
    nnm_kernel_data *models;
    const nnm_protocol *protocol;
    const char *backend_name;
    nnm_journal *journal;
    int64_t run_id;
    nnm_worker *worker;
    task *tasks;
    size_t task_count;
    nnm_progress_meter meter;
    double work_done;
    size_t finished;    /* tasks, failed ones included */
    size_t rounds_done; /* taken, or not needed any more */
    size_t samples, quiet_samples;
    nnm_profile_summary summary;
    nnm_error first_failure;
} profiler;

static bool is_complete(const profiler *p, const task *t)
{
    if (t->failed || t->round_count >= p->protocol->rounds) return true;
    return t->round_count > 0 && t->wall_s >= p->protocol->budget_s;
}

/* Rounded as the latency file holds it, so that fitting from memory and from the file is the same. */
static void set_latency(const task *t)
{
    if (t->round_count == 0) return;
    double latency_ns, spread_ns;
    char text[NNM_LATENCY_TEXT_BYTES];
    nnm_kernel_record *record = t->record;
    nnm_rounds_combine(t->rounds, t->round_count, &latency_ns, &spread_ns);
    nnm_latency_format(latency_ns * 1e-6, spread_ns * 1e-6, text);
    record->has_latency = nnm_latency_parse(text, &record->latency_ms, &record->spread_ms);
}

static nnm_status take_earlier_rounds(profiler *p, task *t, nnm_error *err)
{
    char subject[SUBJECT_BYTES];
    nnm_builder_describe(p->models->kernel, t->record, subject, sizeof subject);
    unsigned threads = nnm_workspace_backend(p->builder->workspace)->threads;
    nnm_status status = nnm_journal_rounds(p->journal, p->backend_name, threads, p->models->kernel, t->record->id,
                                           subject, false, &t->rounds, &t->round_count, err);
    for (size_t i = 0; status == NNM_OK && i < t->round_count; i++)
        t->wall_s += t->rounds[i].wall_ns * 1e-9;
    return status;
}

static nnm_status make_tasks(profiler *p, nnm_error *err)
{
    p->tasks = nnm_calloc(p->models->count, sizeof *p->tasks);
    if (!p->tasks) return nnm_fail_memory(err);
    for (size_t i = 0; i < p->models->count; i++) {
        task *t = &p->tasks[p->task_count];
        *t = (task){.record = &p->models->records[i]};
        nnm_status status = take_earlier_rounds(p, t, err);
        if (status) return status;
        double flops = t->record->has_config ? nnm_kernel_flops(p->models->kernel, &t->record->config) : 0;
        t->work_s = 2e-3 * p->protocol->round_ms + ASSUMED_CALLS * flops / ASSUMED_FLOPS_PER_S;
        t->record->has_latency = false; /* the journal knows; what a file says may be of other settings */
        if (is_complete(p, t)) {
            set_latency(t);
            p->summary.known++;
            free(t->rounds);
            t->rounds = NULL;
        } else {
            p->task_count++;
        }
    }
    /* In random order, always the same: files list kernels by size, and neither should a drift of the machine look
     * like an effect of size, nor should an interrupted run know small kernels only. */
    nnm_rng rng;
    nnm_rng_init(&rng, 0, p->models->count);
    nnm_rng_shuffle(&rng, p->tasks, p->task_count, sizeof *p->tasks);
    p->summary.requested = p->models->count;
    return NNM_OK;
}

static nnm_status fail_task(profiler *p, task *t, const nnm_error *failure, nnm_error *err)
{
    const nnm_kernel *kernel = p->models->kernel;
    char subject[SUBJECT_BYTES];
    nnm_builder_describe(kernel, t->record, subject, sizeof subject);
    t->failed = true;
    if (p->summary.failed++ == 0) p->first_failure = *failure;
    nnm_status status = nnm_journal_add_failure(p->journal, p->run_id, kernel, t->record->id, subject, failure, err);
    if (status == NNM_OK) status = nnm_builder_log_failure(p->builder, "profile", kernel, t->record, failure, err);
    if (status) return status;
    if (p->summary.failed >= HOPELESS_FAILURES && p->samples == 0 && p->summary.known == 0) {
        if (err) *err = p->first_failure;
        return nnm_context(err, NNM_ERR_BACKEND, "backend '%s' failed on each of the first %zu kernels; the first",
                           p->backend_name, p->summary.failed);
    }
    return NNM_OK;
}

static nnm_status measure_round(profiler *p, task *t, nnm_error *err)
{
    nnm_kernel_record *record = t->record;
    const char *model = record->converted_model ? record->converted_model : record->model;
    nnm_error failure = NNM_ERROR_INIT;
    char subject[SUBJECT_BYTES];
    nnm_builder_describe(p->models->kernel, record, subject, sizeof subject);
    nnm_round *round = malloc(sizeof *round);
    if (!round) return nnm_fail_memory(err);

    nnm_status status = NNM_OK;
    nnm_status measured;
    if (!model)
        measured = nnm_fail(&failure, NNM_ERR_NOT_FOUND, "no model file is given");
    else if (!nnm_file_exists(model))
        measured = nnm_fail(&failure, NNM_ERR_NOT_FOUND, "model file '%s' does not exist", model);
    else
        measured = nnm_worker_measure(p->worker, model, round, &failure);
    if (measured) {
        status = fail_task(p, t, &failure, err);
    } else {
        status = nnm_journal_add_round(p->journal, p->run_id, p->models->kernel, record->id, subject, round, err);
        if (status) goto done;
        nnm_round *rounds = nnm_reallocarray(t->rounds, t->round_count + 1, sizeof *rounds);
        if (!rounds) {
            status = nnm_fail_memory(err);
            goto done;
        }
        t->rounds = rounds;
        t->rounds[t->round_count++] = *round;
        t->wall_s += round->wall_ns * 1e-9;
        p->summary.measured_s += round->wall_ns * 1e-9;
        p->samples += round->sample_count;
        p->quiet_samples += round->quiet_count;
    }
done:
    free(round);
    return status;
}

/* Kernels finished, counted by rounds: they finish in bunches, at the end of a batch. */
static size_t kernels_done(const profiler *p)
{
    if (p->finished == p->task_count) return p->task_count;
    size_t done = p->rounds_done / p->protocol->rounds;
    return done < p->task_count ? done : p->task_count - 1;
}

/* Takes one more round of every kernel of the batch that needs one. `took_any` tells whether there was such a one. */
static nnm_status pass(profiler *p, size_t begin, size_t end, bool *took_any, nnm_error *err)
{
    *took_any = false;
    for (size_t i = begin; i < end; i++) {
        task *t = &p->tasks[i];
        if (is_complete(p, t)) continue;
        nnm_status status = nnm_builder_check_interrupted(p->builder, err);
        if (status == NNM_OK) status = measure_round(p, t, err);
        if (status) return status;
        *took_any = true;
        p->work_done += t->work_s;
        p->rounds_done++;
        if (is_complete(p, t)) {
            size_t left = p->protocol->rounds - t->round_count - t->failed;
            p->work_done += t->work_s * (double)left;
            p->rounds_done += left;
            p->finished++;
            if (!t->failed) p->summary.profiled++;
        }
        nnm_progress_step(&p->meter, kernels_done(p), p->summary.failed, p->work_done);
    }
    return NNM_OK;
}

static void compare_rounds(profiler *p, const task *t)
{
    if (t->failed || t->round_count < 2) return;
    double first = t->rounds[0].estimate_ns, last = t->rounds[t->round_count - 1].estimate_ns;
    double difference = fabs(last - first) / first;
    p->summary.repeated++;
    p->summary.agree5 += difference <= 0.05;
    p->summary.agree10 += difference <= 0.10;
}

/* The file keeps what it has for other kernels of this type, e.g. those of another mark. */
static nnm_status save_latencies(const profiler *p, nnm_error *err)
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

static void finish_batch(profiler *p, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        task *t = &p->tasks[i];
        if (!t->failed) set_latency(t);
        compare_rounds(p, t);
        free(t->rounds);
        t->rounds = NULL;
    }
}

static nnm_status measure_all(profiler *p, nnm_error *err)
{
    char activity[96];
    snprintf(activity, sizeof activity, "profile %s", nnm_kernel_name(p->models->kernel));
    double work = 0;
    for (size_t i = 0; i < p->task_count; i++)
        work += p->tasks[i].work_s * (double)(p->protocol->rounds - p->tasks[i].round_count);
    nnm_progress_begin(&p->meter, p->builder, activity, p->task_count, work);

    nnm_status status = NNM_OK;
    for (size_t begin = 0, end; begin < p->task_count && status == NNM_OK; begin = end) {
        double seconds = 0;
        for (end = begin; end < p->task_count && (end == begin || seconds < BATCH_SECONDS); end++)
            seconds += p->tasks[end].work_s;
        for (bool took_any = true; took_any && status == NNM_OK;)
            status = pass(p, begin, end, &took_any, err);
        finish_batch(p, begin, end);
        nnm_status saved = save_latencies(p, status ? NULL : err);
        if (status == NNM_OK) status = saved;
    }
    return status;
}

/* Opens what measuring needs: the journal, a run in it, and a worker. */
static nnm_status start(profiler *p, const nnm_backend *backend, const nnm_backend_info *info, nnm_error *err)
{
    const nnm_backend_config *config = nnm_workspace_backend(p->builder->workspace);
    nnm_session_options session = nnm_builder_session_options(p->builder);
    nnm_machine machine;
    nnm_machine_describe(&machine);
    nnm_status status = nnm_worker_start(&p->worker, backend, &session, p->protocol, err);
    if (status) return status;
    nnm_journal_run run = {
        .backend = p->backend_name,
        .runtime_version = info->version,
        .threads = config->threads,
        .protocol = p->protocol,
        .machine = &machine,
    };
    return nnm_journal_begin(p->journal, &run, &p->run_id, err);
}

static void finish_summary(profiler *p, uint64_t begin_ns)
{
    nnm_profile_summary *s = &p->summary;
    s->elapsed_s = (double)(nnm_clock_ns() - begin_ns) * 1e-9;
    s->quiet_share = p->samples ? (double)p->quiet_samples / (double)p->samples : 0;
    s->agree5 = s->repeated ? s->agree5 / (double)s->repeated : 0;
    s->agree10 = s->repeated ? s->agree10 / (double)s->repeated : 0;
}

nnm_status nnm_profile_models(nnm_builder *builder, const char *backend_name, nnm_kernel_data *models,
                              nnm_profile_summary *summary, nnm_error *err)
{
    uint64_t begin_ns = nnm_clock_ns();
    const nnm_backend *backend = NULL;
    nnm_backend_info info;
    nnm_status status = nnm_builder_backend(builder, backend_name, &backend, &info, err);
    if (status) return status;

    profiler p = {
        .builder = builder,
        .models = models,
        .protocol = &nnm_workspace_backend(builder->workspace)->protocol,
        .backend_name = backend_name,
    };
    char *journal_path = nnm_path_journal(nnm_workspace_path(builder->workspace));
    if (!journal_path) return nnm_fail_memory(err);
    status = nnm_locks_take_workspace(&builder->locks, builder->workspace, "profile", err);
    if (status == NNM_OK) status = nnm_builder_check_batch(builder, models, err);
    if (status == NNM_OK) status = nnm_builder_find_models(builder, models, err);
    if (status == NNM_OK) status = nnm_journal_open(&p.journal, journal_path, err);
    if (status == NNM_OK) status = make_tasks(&p, err);
    if (status == NNM_OK && p.task_count) {
        status = nnm_locks_take_machine(&builder->locks, "profile", err);
        if (status == NNM_OK) status = start(&p, backend, &info, err);
        if (status == NNM_OK) status = measure_all(&p, err);
    } else if (status == NNM_OK) {
        status = save_latencies(&p, err);
    }
    finish_summary(&p, begin_ns);
    if (summary && (status == NNM_OK || status == NNM_ERR_INTERRUPTED)) *summary = p.summary;
    if (status == NNM_OK && p.summary.failed == models->count && models->count) {
        if (err) *err = p.first_failure;
        status = nnm_context(err, NNM_ERR_BACKEND, "backend '%s' failed on all %zu kernels; the first", backend_name,
                             models->count);
    }
    nnm_worker_stop(p.worker);
    nnm_journal_close(p.journal);
    nnm_locks_release(&builder->locks);
    for (size_t i = 0; p.tasks && i < p.task_count; i++)
        free(p.tasks[i].rounds);
    free(p.tasks);
    free(journal_path);
    return status;
}
