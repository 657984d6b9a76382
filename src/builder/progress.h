/* Progress with an estimate of the time that remains, by work done rather than by items done. */
#ifndef NNM_BUILDER_PROGRESS_H
#define NNM_BUILDER_PROGRESS_H

#include <stdint.h>

#include "builder/builder.h"

typedef struct nnm_progress_meter {
    const nnm_builder *builder;
    const char *activity;
    size_t total;
    double work; /* in any unit, in all */
    uint64_t begin_ns;
} nnm_progress_meter;

/* `activity` must outlive the meter. */
void nnm_progress_begin(nnm_progress_meter *meter, const nnm_builder *builder, const char *activity, size_t total,
                        double work);
void nnm_progress_step(const nnm_progress_meter *meter, size_t done, size_t failed, double work_done);

#endif
