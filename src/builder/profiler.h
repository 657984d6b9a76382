/* What the files that profile share: the kernels being measured, and what measuring needs. */
#ifndef NNM_BUILDER_PROFILER_H
#define NNM_BUILDER_PROFILER_H

#include "builder/builder.h"
#include "builder/progress.h"
#include "nnmeter/measure.h"
#include "store/journal.h"
#include "store/record.h"

/* One kernel that is being measured. Rounds are kept without their raw samples, which are in the journal. */
typedef struct nnm_task {
    nnm_kernel_record *record;
    nnm_round *rounds; /* of the pass */
    size_t round_count;
    double wall_s;   /* spent on it, this run and earlier ones, without waiting */
    double waited_s; /* waited for quiet windows, likewise */
    double work_s;   /* assumed seconds of a round */
    bool checked;    /* its model is what its configuration says */
    bool failed;
} nnm_task;

/* Kernels that go through one pass: 0 makes the labels, 1 tells how well they repeat. */
typedef struct nnm_tasks {
    nnm_task *items;
    size_t count;
    unsigned pass;
} nnm_tasks;

typedef struct nnm_profiler {
    nnm_builder *builder;
    nnm_kernel_data *models;
    nnm_protocol protocol;
    const nnm_backend *backend;
    nnm_backend_info info;
    nnm_journal *journal;
    int64_t run_id;
    nnm_worker *worker; /* NULL until something must be measured */
    size_t samples, quiet_samples;
    double drought_s; /* measured and waited since the last quiet sample */
    nnm_profile_summary summary;
    size_t unfit; /* of those that failed: their models are not what they should be; no backend saw them */
    nnm_error first_failure;
} nnm_profiler;

/* Whether the journal's rounds suffice for a latency, or no more will be taken. */
bool nnm_task_is_complete(const nnm_profiler *p, const nnm_task *t);

/* Fills in a task with what the journal knows of it in this pass. */
NNM_NODISCARD nnm_status nnm_task_init(nnm_profiler *p, nnm_task *t, nnm_kernel_record *record, unsigned pass,
                                       nnm_error *err);
void nnm_task_fini(nnm_task *t);

/* Called when a kernel is done with (or has failed, or the run ends early): its rounds are there for the last time. */
typedef void (*nnm_task_done_fn)(nnm_profiler *p, const nnm_task *t);
/* Called now and then, and at the end, however that comes about. */
typedef nnm_status (*nnm_tasks_save_fn)(const nnm_profiler *p, nnm_error *err);

/* Takes the machine, starts a worker and begins a run in the journal, unless that is done already. Errors: BUSY, ... */
NNM_NODISCARD nnm_status nnm_profiler_start(nnm_profiler *p, nnm_error *err);

/* Starts the worker anew, which looks for the quiet state again. */
NNM_NODISCARD nnm_status nnm_profiler_look_again(nnm_profiler *p, nnm_error *err);

/* Measures tasks until each is complete. `save` may be NULL. */
NNM_NODISCARD nnm_status nnm_tasks_measure(nnm_profiler *p, nnm_tasks *tasks, const char *activity,
                                           nnm_task_done_fn done, nnm_tasks_save_fn save, nnm_error *err);

/* The separate pass at the end: measures some kernels again and compares. */
NNM_NODISCARD nnm_status nnm_profile_repeat(nnm_profiler *p, nnm_error *err);

#endif
