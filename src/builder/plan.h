/* A build of several predictors: who samples next, how much, and when it is enough. */
#ifndef NNM_BUILDER_PLAN_H
#define NNM_BUILDER_PLAN_H

#include "builder/group.h"

typedef struct nnm_plan {
    nnm_builder *builder;
    const char *backend;
    nnm_group *groups;
    size_t count;
    nnm_budget budget; /* of all of them */
    uint64_t begin_ns;
    double before_s; /* spent on measuring their kernels before this call */
    nnm_build_report_fn report;
    void *context;
} nnm_plan;

/* Builds every group; each ends with a predictor in its result, or with all its members failed. Errors: VALUE (the
 * budget is too small for them), INTERRUPTED, NO_SPACE, BUSY. */
NNM_NODISCARD nnm_status nnm_plan_run(nnm_plan *plan, nnm_error *err);

#endif
