#include "builder/progress.h"

#include "base/clock.h"

void nnm_progress_begin(nnm_progress_meter *meter, const nnm_builder *builder, const char *activity, size_t total,
                        double work)
{
    *meter = (nnm_progress_meter){builder, activity, total, work, nnm_clock_ns()};
    nnm_progress_step(meter, 0, 0, 0);
}

void nnm_progress_step(const nnm_progress_meter *meter, size_t done, size_t failed, double work_done)
{
    const nnm_hooks *hooks = &meter->builder->hooks;
    if (!hooks->progress) return;
    double elapsed_s = (double)(nnm_clock_ns() - meter->begin_ns) * 1e-9;
    nnm_progress progress = {
        .activity = meter->activity,
        .done = done,
        .total = meter->total,
        .failed = failed,
        .elapsed_s = elapsed_s,
        .remaining_s = work_done > 0 ? elapsed_s * (meter->work - work_done) / work_done : -1,
    };
    if (done == meter->total) progress.remaining_s = 0;
    hooks->progress(hooks->context, &progress);
}
