#include "builder/plan.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "builder/choose.h"
#include "builder/spending.h"
#include "builder/test_set.h"
#include "builder/turn.h"

/* ---- when it is enough ---- */

/* Notes why a group gets no further kernels. */
static void end_group(const nnm_plan *plan, nnm_group *group, const char *format, ...) NNM_PRINTF(3, 4);
static void end_group(const nnm_plan *plan, nnm_group *group, const char *format, ...)
{
    char *text = group->result.ended;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof group->result.ended, format, arguments);
    va_end(arguments);
    group->ended = true;
    nnm_builder_log(plan->builder, NNM_LOG_KEYINFO, "%s: %s", nnm_kernel_name(group->kernel), text);
}

/* Whether the build decides anything for itself; the description's loop does not. */
static bool decides(const nnm_plan *plan, const nnm_group *group)
{
    const nnm_build_options *options = &group->options;
    return options->sampler != NNM_SAMPLER_FINEGRAINED || options->until.figure != NNM_TARGET_NONE ||
           nnm_spending_is_limited(plan);
}

static double figure_of(const nnm_metrics *m, nnm_target_figure figure)
{
    const double figures[] = {0, m->acc5, m->acc10, m->acc15, m->rmspe}; /* in the order of the enum */
    return figures[figure];
}

static bool reaches_target(const nnm_plan *plan, nnm_group *group)
{
    nnm_target until = group->options.until;
    const nnm_metrics *estimate = &group->result.estimate;
    if (until.figure == NNM_TARGET_NONE || estimate->rows == 0) return false;
    double found = figure_of(estimate, until.figure);
    bool reached = until.figure == NNM_TARGET_RMSPE ? found <= until.value : found >= until.value;
    if (reached)
        end_group(plan, group, "the target is reached: %s %.4f by cross-validation, %g was asked for",
                  nnm_target_figure_name(until.figure), found, until.value);
    return reached;
}

/* With fewer kernels, all may be right by chance. */
#define CEILING_LEAST 50

static bool reaches_ceiling(const nnm_plan *plan, nnm_group *group)
{
    const nnm_build_result *result = &group->result;
    double ceiling = result->labels.ceiling10;
    if (!decides(plan, group) || result->estimate.rows == 0 || result->data->count < CEILING_LEAST) return false;
    if (!(result->estimate.acc10 >= ceiling)) return false; /* NaN: not known */
    end_group(plan, group,
              "the ceiling is reached: acc10 %.4f by cross-validation, and labels repeat no better than %.4f",
              result->estimate.acc10, ceiling);
    return true;
}

/* Turns are counted where nothing else limits them; those of the description's loop always are. */
static bool has_all_turns(const nnm_plan *plan, const nnm_group *group)
{
    const nnm_build_options *options = &group->options;
    bool counted = options->sampler == NNM_SAMPLER_FINEGRAINED ||
                   (!nnm_spending_is_limited(plan) && options->until.figure == NNM_TARGET_NONE);
    return counted && group->turns >= options->iteration;
}

static void check_end(const nnm_plan *plan, nnm_group *group)
{
    const nnm_build_options *options = &group->options;
    if (reaches_target(plan, group) || reaches_ceiling(plan, group)) return;
    if (has_all_turns(plan, group)) {
        group->ended = true;
        snprintf(group->result.ended, sizeof group->result.ended, "all %zu iterations are done", options->iteration);
    } else if (options->sampler == NNM_SAMPLER_FINEGRAINED && group->result.fit.error_configs.count == 0) {
        group->ended = true;
        snprintf(group->result.ended, sizeof group->result.ended, "no test row has an error above %g",
                 options->error_threshold);
        nnm_builder_log(plan->builder, NNM_LOG_KEYINFO,
                        "No test row has an error above %g: adaptive sampling has nothing to sample around and ends",
                        options->error_threshold);
    } else if (nnm_spending_seconds_left(plan) <= 0 || nnm_spending_kernels_left(plan) == 0) {
        end_group(plan, group, "the budget is spent");
    } else if (nnm_spending_turn_kernels(plan, group) == 0) {
        end_group(plan, group, "the target is not reached with %zu kernels; with a budget it would go on",
                  group->result.data->count);
    }
}

/* ---- the steps of a group ---- */

static nnm_status fit(nnm_plan *plan, nnm_group *group, nnm_error *err)
{
    char name[32];
    char *mark = nnm_turn_predictor_mark(group);
    if (!mark) return nnm_fail_memory(err);
    snprintf(name, sizeof name, "Iteration %zu", group->turns ? group->turns - 1 : 0);
    nnm_status status = nnm_turn_fit(plan->builder, group, mark, name, decides(plan, group), err);
    free(mark);
    if (status == NNM_OK) check_end(plan, group);
    return status;
}

/* Where the budget does not allow for all test kernels that are wanted, each member gets its share of those it does. */
static void share_tests(const nnm_plan *plan, nnm_group *group)
{
    size_t wanted = 0, before = 0, allowed = nnm_spending_test_kernels(plan, group);
    for (size_t i = 0; i < group->member_count; i++)
        wanted += group->members[i].test_sample_num;
    for (size_t i = 0; i < group->member_count && wanted > allowed; i++) {
        size_t upto = before + group->members[i].test_sample_num; /* of those wanted */
        group->members[i].test_sample_num = upto * allowed / wanted - before * allowed / wanted;
        before = upto;
    }
}

/* A kernel type that the backend cannot run fails here already. */
static nnm_status measure_test_sets(nnm_plan *plan, nnm_group *group, nnm_error *err)
{
    nnm_status status = NNM_OK;
    share_tests(plan, group);
    for (size_t i = 0; i < group->member_count && status == NNM_OK; i++) {
        nnm_member *member = &group->members[i];
        nnm_profile_summary summary = {0};
        const nnm_sitting sitting = {plan->backend, true, true,
                                     nnm_spending_test_seconds(plan) / (double)group->member_count};
        if (member->test_sample_num == 0) continue;
        nnm_status measured = nnm_test_set_measure(plan->builder, group, member, &sitting, &summary, &member->error);
        nnm_turn_add_summary(&group->result.profile, &summary);
        member->failed = measured != NNM_OK;
        if (measured == NNM_OK || (!nnm_turn_is_fatal(measured) && nnm_group_alive(group))) continue;
        if (err) *err = member->error;
        status = measured;
    }
    return status;
}

/* The test sets, the first kernels, and what earlier calls sampled. */
static nnm_status start(nnm_plan *plan, nnm_group *group, nnm_error *err)
{
    nnm_choice choice = {0};
    nnm_turn_limits limits = {
        .backend = plan->backend,
        .repeat = true,
        .seconds = nnm_spending_first_seconds(plan) / (double)group->member_count,
    };
    nnm_status status = measure_test_sets(plan, group, err);
    if (status == NNM_OK)
        status = nnm_choose_first(&choice, plan->builder, group, nnm_spending_first_kernels(plan, group), err);
    if (status == NNM_OK) status = nnm_turn_measure(plan->builder, group, &choice, &limits, err);
    if (status == NNM_OK && decides(plan, group))
        status = nnm_turn_take_over(plan->builder, group, plan->backend, nnm_spending_seconds_left(plan), err);
    if (status == NNM_OK) status = fit(plan, group, err);
    if (status == NNM_ERR_TOO_FEW_ROWS && plan->budget.seconds > 0)
        status = nnm_context(err, status, "a budget of %g s is too small; give more time, or a number of kernels",
                             plan->budget.seconds);
    nnm_choice_fini(&choice);
    return status;
}

static nnm_status go_on(nnm_plan *plan, nnm_group *group, nnm_error *err)
{
    nnm_choice choice = {0};
    double cost_weight = plan->budget.seconds > 0 ? 1 : plan->budget.kernels ? 0 : 0.5;
    size_t before = nnm_group_kernels(group);
    nnm_status status =
        nnm_choose_next(&choice, plan->builder, group, nnm_spending_turn_kernels(plan, group), cost_weight, err);
    if (status == NNM_OK && !nnm_choice_is_empty(&choice)) {
        nnm_turn_limits limits = {
            .backend = plan->backend,
            .repeat = group->options.sampler == NNM_SAMPLER_FINEGRAINED,
            .seconds = fmax(nnm_spending_seconds_left(plan), 0) / (double)nnm_group_alive(group),
        };
        status = nnm_turn_measure(plan->builder, group, &choice, &limits, err);
    }
    nnm_choice_fini(&choice);
    if (status == NNM_OK && nnm_group_kernels(group) == before)
        end_group(plan, group, "there is nothing new to sample");
    else if (status == NNM_OK)
        status = fit(plan, group, err);
    return status;
}

/* ---- all groups ---- */

/* A group whose members all failed has ended, and the others go on. */
static nnm_status judge(nnm_group *group, nnm_status status, const nnm_error *failure, nnm_error *err)
{
    if (status == NNM_OK) return NNM_OK;
    group->ended = true;
    if (nnm_turn_is_fatal(status)) {
        if (err) *err = *failure;
        return status;
    }
    for (size_t i = 0; i < group->member_count; i++) {
        if (!group->members[i].failed) group->members[i].error = *failure;
        group->members[i].failed = true;
    }
    return NNM_OK;
}

static void report(const nnm_plan *plan, nnm_group *group)
{
    bool learned = group->result.fit.predictor && nnm_group_alive(group);
    if (group->reported) return;
    group->reported = true;
    if (!plan->report) return;
    for (size_t i = 0; i < group->member_count; i++)
        if (group->members[i].failed)
            plan->report(plan->context, nnm_kernel_name(group->members[i].kernel), NULL, &group->members[i].error);
    if (learned) plan->report(plan->context, nnm_kernel_name(group->kernel), &group->result, NULL);
}

static nnm_status step(nnm_plan *plan, nnm_group *group, nnm_error *err)
{
    nnm_error failure = NNM_ERROR_INIT;
    nnm_status status = group->started ? go_on(plan, group, &failure) : start(plan, group, &failure);
    group->started = true;
    return judge(group, status, &failure, err);
}

/* How much a kernel more may be worth: the error that is left, over what was needed to get there; for its time, where
 * that is what is scarce. */
static double worth(const nnm_plan *plan, const nnm_group *group)
{
    const nnm_build_result *result = &group->result;
    double ceiling = isfinite(result->labels.ceiling10) ? result->labels.ceiling10 : 1;
    double reached = result->estimate.rows ? result->estimate.acc10 : result->fit.summary.test.acc10;
    double left = fmax(ceiling - reached, 1e-3) / (double)(result->data->count + 1);
    return plan->budget.seconds > 0 && group->mean_seconds > 0 ? left / group->mean_seconds : left;
}

static nnm_group *most_worth(const nnm_plan *plan)
{
    nnm_group *best = NULL;
    for (size_t i = 0; i < plan->count; i++) {
        nnm_group *group = &plan->groups[i];
        if (!group->ended && (!best || worth(plan, group) > worth(plan, best))) best = group;
    }
    return best;
}

/* Every group gets its start; the rest goes where error remains. */
static nnm_status spend(nnm_plan *plan, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < plan->count && status == NNM_OK; i++)
        status = step(plan, &plan->groups[i], err);
    for (nnm_group *group; status == NNM_OK && (group = most_worth(plan));) {
        if (nnm_spending_seconds_left(plan) <= 0 || nnm_spending_kernels_left(plan) == 0)
            end_group(plan, group, "the budget is spent");
        else
            status = step(plan, group, err);
    }
    for (size_t i = 0; i < plan->count && status == NNM_OK; i++)
        report(plan, &plan->groups[i]);
    return status;
}

nnm_status nnm_plan_run(nnm_plan *plan, nnm_error *err)
{
    nnm_status status = nnm_spending_check(plan, err);
    if (status == NNM_OK) status = nnm_spending_begin(plan, err);
    if (status) return status;
    if (nnm_spending_is_limited(plan)) return spend(plan, err);
    for (size_t i = 0; i < plan->count && status == NNM_OK; i++) {
        nnm_group *group = &plan->groups[i];
        while (!group->ended && status == NNM_OK)
            status = step(plan, group, err);
        if (status == NNM_OK) report(plan, group);
    }
    return status;
}
