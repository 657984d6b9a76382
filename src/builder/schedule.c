/*
 * When which kernel is measured. A window of kernels is gone through again and again, one round each, so that rounds of
 * a kernel lie seconds apart and a slow moment of the machine does not hit all rounds of one kernel. Kernels that are
 * done leave the window, new ones enter; those that found no quiet moment stay, and so come again at another moment.
 * Every round is in the journal before the next one starts.
 */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "builder/model_check.h"
#include "builder/notes.h"
#include "builder/profiler.h"

/* Going through the window takes about this long: rounds of a kernel are that far apart. */
#define WINDOW_SECONDS 8.0
#define SAVE_SECONDS 8.0
/* When only few kernels are left and found no quiet moment, another one is waited for. */
#define PAUSE_SECONDS 0.2
/* A kernel that never finds a quiet moment gets this many times max_rounds. */
#define STUBBORNNESS 2
/* When the quiet state was not seen for so long, it is looked for again: the clock may have changed for good. */
#define DROUGHT_SECONDS 120.0
/* When so many kernels failed and none succeeded, the backend is broken, not the kernels. */
#define HOPELESS_FAILURES 10

/* Rounds of the second pass are other repetitions than those of the first. */
#define PASS_REPETITIONS (STUBBORNNESS * NNM_MAX_ROUNDS)

typedef struct schedule {
    nnm_profiler *profiler;
    nnm_tasks *tasks;
    size_t *window; /* indices of the tasks in it */
    size_t window_count, next;
    nnm_task_done_fn done;
    nnm_tasks_save_fn save;
    uint64_t saved_ns;
    nnm_progress_meter meter;
    double work_done;
    size_t finished, rounds_done;
} schedule;

static size_t count_caught(const nnm_task *t)
{
    size_t caught = 0;
    for (size_t i = 0; i < t->round_count; i++)
        caught += nnm_round_is_caught(&t->rounds[i]);
    return caught;
}

bool nnm_task_is_complete(const nnm_profiler *p, const nnm_task *t)
{
    const nnm_protocol *protocol = &p->protocol;
    if (t->failed) return true;
    if (t->round_count == 0) return false;
    if (t->wall_s >= protocol->budget_s || t->round_count >= STUBBORNNESS * protocol->max_rounds) return true;
    size_t caught = count_caught(t);
    if (t->waited_s >= protocol->wait_s) caught = t->round_count; /* patience is at an end: what there is must do */
    if (caught < protocol->rounds) return false;
    return caught >= protocol->max_rounds || nnm_rounds_error(t->rounds, t->round_count) <= protocol->target_error;
}

static nnm_status fail_task(nnm_profiler *p, nnm_task *t, unsigned pass, const nnm_error *failure, nnm_error *err)
{
    const nnm_kernel *kernel = p->models->kernel;
    char subject[NNM_SUBJECT_BYTES];
    nnm_builder_describe(kernel, t->record, subject, sizeof subject);
    t->failed = true;
    nnm_status status =
        nnm_journal_add_failure(p->journal, p->run_id, kernel, t->record->id, subject, pass, failure, err);
    if (status == NNM_OK) status = nnm_builder_log_failure(p->builder, "profile", kernel, t->record, failure, err);
    if (pass != 0) return status; /* the kernel has its latency */
    if (p->summary.failed++ == 0) p->first_failure = *failure;
    p->unfit += !t->checked;
    if (status) return status;
    if (p->summary.failed - p->unfit >= HOPELESS_FAILURES && p->samples == 0 && p->summary.known == 0) {
        if (err) *err = p->first_failure;
        return nnm_context(err, NNM_ERR_BACKEND, "backend '%s' failed on each of the first %zu kernels; the first",
                           p->backend->name, p->summary.failed - p->unfit);
    }
    return NNM_OK;
}

static nnm_status keep_round(nnm_profiler *p, nnm_task *t, const nnm_round *round, nnm_error *err)
{
    char subject[NNM_SUBJECT_BYTES];
    nnm_builder_describe(p->models->kernel, t->record, subject, sizeof subject);
    nnm_status status =
        nnm_journal_add_round(p->journal, p->run_id, p->models->kernel, t->record->id, subject, round, err);
    if (status) return status;
    nnm_round *rounds = nnm_reallocarray(t->rounds, t->round_count + 1, sizeof *rounds);
    if (!rounds) return nnm_fail_memory(err);
    t->rounds = rounds;
    t->rounds[t->round_count++] = *round;
    t->wall_s += (round->wall_ns - round->waited_ns) * 1e-9;
    t->waited_s += round->waited_ns * 1e-9;
    p->summary.measured_s += (round->measured_ns + round->open_ns) * 1e-9;
    p->summary.waited_s += round->waited_ns * 1e-9;
    p->samples += round->sample_count;
    p->quiet_samples += round->quiet_count;
    p->drought_s = round->quiet_count ? 0 : p->drought_s + round->wall_ns * 1e-9;
    return NNM_OK;
}

static nnm_status measure_round(nnm_profiler *p, nnm_task *t, unsigned pass, nnm_error *err)
{
    nnm_error failure = NNM_ERROR_INIT;
    nnm_round *round = malloc(sizeof *round);
    if (!round) return nnm_fail_memory(err);
    nnm_status status, measured = NNM_OK;
    if (!t->checked) measured = nnm_builder_check_model(p->builder, p->models->kernel, t->record, NULL, &failure);
    t->checked = measured == NNM_OK;
    const char *model = t->record->converted_model ? t->record->converted_model : t->record->model;
    if (t->checked && !nnm_file_exists(model))
        measured = nnm_fail(&failure, NNM_ERR_NOT_FOUND, "model file '%s' does not exist", model);
    else if (t->checked)
        measured =
            nnm_worker_measure_again(p->worker, model, pass * PASS_REPETITIONS + t->round_count, round, &failure);
    if (measured == NNM_ERR_INTERRUPTED) { /* the kernel is not to blame */
        if (err) *err = failure;
        status = measured;
    } else if (measured) {
        status = fail_task(p, t, pass, &failure, err);
    } else {
        round->pass = pass;
        status = keep_round(p, t, round, err);
        if (status == NNM_OK && pass == 0 && t->round_count == 1)
            status = nnm_builder_keep_node_times(p->builder, p->worker, p->journal, p->run_id, p->models->kernel,
                                                 t->record, err);
    }
    free(round);
    return status;
}

/* ---- the window ---- */

static void fill_window(schedule *s)
{
    double seconds = 0;
    for (size_t i = 0; i < s->window_count; i++)
        seconds += s->tasks->items[s->window[i]].work_s;
    while (s->next < s->tasks->count && (s->window_count == 0 || seconds < WINDOW_SECONDS)) {
        seconds += s->tasks->items[s->next].work_s;
        s->window[s->window_count++] = s->next++;
    }
}

/* Kernels finished, counted by rounds: they finish in bunches. */
static size_t kernels_done(const schedule *s)
{
    if (s->finished == s->tasks->count) return s->finished;
    size_t done = s->rounds_done / s->profiler->protocol.rounds;
    return done < s->tasks->count ? done : s->tasks->count - 1;
}

/* Rounds beyond the least are not foreseen, and those that a failed kernel does not get are not missed. */
static void count_round(schedule *s, const nnm_task *t, bool complete)
{
    unsigned foreseen = s->profiler->protocol.rounds;
    size_t taken = t->round_count + t->failed;
    if (taken <= foreseen) {
        s->work_done += t->work_s;
        s->rounds_done++;
    }
    if (!complete) return;
    if (taken < foreseen) {
        s->work_done += t->work_s * (double)(foreseen - taken);
        s->rounds_done += foreseen - taken;
    }
    s->finished++;
}

static void leave(schedule *s, nnm_task *t)
{
    s->done(s->profiler, t);
    nnm_task_fini(t);
}

/* One more round of every kernel in the window. `missed` is true when none of them found a quiet moment. */
static nnm_status sweep(schedule *s, bool *missed, nnm_error *err)
{
    nnm_profiler *p = s->profiler;
    size_t kept = 0;
    nnm_status status = NNM_OK;
    *missed = true;
    for (size_t i = 0; i < s->window_count; i++) {
        nnm_task *t = &s->tasks->items[s->window[i]];
        bool complete = false;
        if (status == NNM_OK) status = nnm_builder_check_interrupted(p->builder, err);
        if (status == NNM_OK) {
            status = measure_round(p, t, s->tasks->pass, err);
            complete = nnm_task_is_complete(p, t);
            if (t->round_count && nnm_round_is_caught(&t->rounds[t->round_count - 1])) *missed = false;
            count_round(s, t, complete);
            nnm_progress_step(&s->meter, kernels_done(s), p->summary.failed, s->work_done);
        }
        if (complete)
            leave(s, t);
        else
            s->window[kept++] = s->window[i];
    }
    s->window_count = kept;
    return status;
}

static void wait_for_quiet(nnm_profiler *p)
{
    struct timespec pause = {0, (long)(PAUSE_SECONDS * 1e9)};
    (void)nanosleep(&pause, NULL);
    p->summary.waited_s += PAUSE_SECONDS;
}

static nnm_status go_through(schedule *s, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (fill_window(s); s->window_count && status == NNM_OK; fill_window(s)) {
        bool missed;
        status = sweep(s, &missed, err);
        if (status == NNM_OK && missed && s->window_count) wait_for_quiet(s->profiler);
        if (status == NNM_OK && s->profiler->drought_s > DROUGHT_SECONDS) {
            s->profiler->drought_s = 0;
            status = nnm_profiler_look_again(s->profiler, err);
        }
        if (status || !s->save || (double)(nnm_clock_ns() - s->saved_ns) < SAVE_SECONDS * 1e9) continue;
        status = s->save(s->profiler, err);
        s->saved_ns = nnm_clock_ns();
    }
    return status;
}

nnm_status nnm_tasks_measure(nnm_profiler *p, nnm_tasks *tasks, const char *activity, nnm_task_done_fn done,
                             nnm_tasks_save_fn save, nnm_error *err)
{
    schedule s = {.profiler = p, .tasks = tasks, .done = done, .save = save, .saved_ns = nnm_clock_ns()};
    s.window = nnm_calloc(tasks->count ? tasks->count : 1, sizeof *s.window);
    if (!s.window) return nnm_fail_memory(err);
    double work = 0;
    for (size_t i = 0; i < tasks->count; i++) {
        size_t taken = tasks->items[i].round_count;
        if (taken < p->protocol.rounds) work += tasks->items[i].work_s * (double)(p->protocol.rounds - taken);
    }
    nnm_status status = nnm_profiler_start(p, err);
    if (status) {
        free(s.window);
        return status;
    }
    nnm_progress_begin(&s.meter, p->builder, activity, tasks->count, work);
    status = go_through(&s, err);
    for (size_t i = 0; i < s.window_count; i++)
        leave(&s, &tasks->items[s.window[i]]);
    nnm_status saved = save ? save(p, status ? NULL : err) : NNM_OK;
    free(s.window);
    return status ? status : saved;
}
