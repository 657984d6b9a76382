#include "builder/spending.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "builder/choose.h"
#include "builder/sitting.h"
#include "builder/turn.h"

/* A predictor that is to be tested and learned needs so many kernels. */
#define LEAST_KERNELS 20
/* Of a budget of kernels, so much goes to the test sets at most; of what is left, half to the first kernels. */
#define TEST_SHARE 4
#define FIRST_SHARE 2
/* Of a budget of time: test kernels are measured twice as long. */
#define TEST_TIME_SHARE 0.25
#define FIRST_TIME_SHARE 0.35
/* With a target or a time, the first kernels are fewer, for nobody knows yet how many are needed or fit. */
#define FEW_SHARE 8
#define FEW_LEAST 30
#define FEW_MOST 200
/* A kernel takes so long at least: for those that cannot fit into a time no model files are written. */
#define LEAST_SECONDS 0.1
#define LEAST_TEST_SECONDS 0.2
#define LEAST_FITTING 10

bool nnm_spending_is_limited(const nnm_plan *plan)
{
    return plan->budget.kernels || plan->budget.seconds > 0;
}

nnm_status nnm_spending_check(const nnm_plan *plan, nnm_error *err)
{
    size_t needed = plan->count * LEAST_KERNELS;
    if (plan->budget.kernels == 0 || plan->budget.kernels >= needed) return NNM_OK;
    return nnm_fail(
        err, NNM_ERR_VALUE,
        "budget: found %zu kernels for %zu predictor%s, need %zu or more, %d for each: it is tested on some "
        "and learns from the others",
        plan->budget.kernels, plan->count, plan->count == 1 ? "" : "s", needed, LEAST_KERNELS);
}

/* ---- what is spent ---- */

static nnm_status add_mark(const nnm_plan *plan, const nnm_group *group, char *mark, double *sum, bool *found,
                           nnm_error *err)
{
    nnm_status status = mark ? NNM_OK : nnm_fail_memory(err);
    *found = false;
    for (size_t i = 0; i < group->member_count && status == NNM_OK; i++) {
        nnm_kernel_data *data = NULL;
        double seconds = 0;
        status = nnm_builder_load_configs(plan->builder, group->members[i].kernel, mark, &data, err);
        if (status == NNM_OK && data->count) {
            *found = true;
            status = nnm_builder_seconds_of_mark(plan->builder, group->members[i].kernel, mark, &seconds, err);
        }
        nnm_kernel_data_free(data);
        *sum += seconds;
    }
    free(mark);
    return status;
}

static nnm_status add_group(nnm_plan *plan, const nnm_group *group, nnm_error *err)
{
    bool found = false;
    nnm_status status =
        add_mark(plan, group, nnm_turn_mark(NNM_TEST_SET_MARK, 0, group->options.mark), &plan->before_s, &found, err);
    found = true;
    for (size_t turn = 0; found && status == NNM_OK; turn++)
        status = add_mark(plan, group, nnm_turn_samples_mark(group, turn), &plan->before_s, &found, err);
    return status;
}

nnm_status nnm_spending_begin(nnm_plan *plan, nnm_error *err)
{
    nnm_status status = NNM_OK;
    plan->begin_ns = nnm_clock_ns();
    plan->before_s = 0;
    for (size_t i = 0; plan->budget.seconds > 0 && i < plan->count && status == NNM_OK; i++)
        status = add_group(plan, &plan->groups[i], err);
    return status;
}

size_t nnm_spending_kernels_left(const nnm_plan *plan)
{
    size_t spent = 0;
    if (plan->budget.kernels == 0) return SIZE_MAX;
    for (size_t i = 0; i < plan->count; i++)
        spent += nnm_group_kernels(&plan->groups[i]);
    return spent < plan->budget.kernels ? plan->budget.kernels - spent : 0;
}

double nnm_spending_seconds_left(const nnm_plan *plan)
{
    if (plan->budget.seconds <= 0) return HUGE_VAL;
    return plan->budget.seconds - plan->before_s - (double)(nnm_clock_ns() - plan->begin_ns) * 1e-9;
}

/* ---- shares ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many kernels of at least so many seconds each fit into a share of a time. */
static size_t fitting(double seconds, double each_s)
{
    double fit = fmax(floor(seconds / each_s), LEAST_FITTING);
    return fit < 1e9 ? (size_t)fit : SIZE_MAX;
}

size_t nnm_spending_test_kernels(const nnm_plan *plan, const nnm_group *group)
{
    size_t wanted = 0;
    for (size_t i = 0; i < group->member_count; i++)
        wanted += group->members[i].test_sample_num;
    wanted = least(wanted, fitting(nnm_spending_test_seconds(plan), LEAST_TEST_SECONDS));
    if (plan->budget.kernels == 0) return wanted;
    return least(wanted, plan->budget.kernels / plan->count / TEST_SHARE);
}

double nnm_spending_test_seconds(const nnm_plan *plan)
{
    return plan->budget.seconds > 0 ? plan->budget.seconds * TEST_TIME_SHARE / (double)plan->count : HUGE_VAL;
}

static size_t init_of(const nnm_group *group)
{
    size_t init = 0;
    for (size_t i = 0; i < group->member_count; i++)
        init += group->members[i].init_sample_num;
    return init;
}

size_t nnm_spending_first_kernels(const nnm_plan *plan, const nnm_group *group)
{
    size_t init = init_of(group);
    bool asks = group->options.until.figure != NNM_TARGET_NONE || plan->budget.seconds > 0;
    if (asks && group->options.sampler != NNM_SAMPLER_FINEGRAINED) {
        size_t few = least(init / FEW_SHARE, FEW_MOST);
        init = least(init, few > FEW_LEAST ? few : FEW_LEAST);
    }
    init = least(init, fitting(nnm_spending_first_seconds(plan), LEAST_SECONDS));
    if (plan->budget.kernels == 0) return init;
    size_t share = plan->budget.kernels / plan->count - nnm_spending_test_kernels(plan, group);
    return least(init, share / FIRST_SHARE);
}

double nnm_spending_first_seconds(const nnm_plan *plan)
{
    return plan->budget.seconds > 0 ? plan->budget.seconds * FIRST_TIME_SHARE / (double)plan->count : HUGE_VAL;
}

size_t nnm_spending_most_kernels(const nnm_plan *plan, const nnm_group *group)
{
    const nnm_build_options *options = &group->options;
    if (nnm_spending_is_limited(plan) || options->until.figure == NNM_TARGET_NONE ||
        options->sampler == NNM_SAMPLER_FINEGRAINED)
        return SIZE_MAX;
    size_t most = init_of(group);
    for (size_t i = 1; i < options->iteration && most < SIZE_MAX / 4; i++)
        most += nnm_choose_turn_size(most);
    return most;
}

size_t nnm_spending_turn_kernels(const nnm_plan *plan, const nnm_group *group)
{
    size_t left = nnm_spending_kernels_left(plan), most = nnm_spending_most_kernels(plan, group);
    size_t known = group->result.data ? group->result.data->count : 0;
    double seconds = nnm_spending_seconds_left(plan);
    if (most != SIZE_MAX) left = least(left, most > known ? most - known : 0);
    if (isfinite(seconds) && group->mean_seconds > 0) {
        double fit = fmax(seconds, 0) / group->mean_seconds;
        if (fit < 1e9) left = least(left, (size_t)ceil(fit));
    }
    return left;
}
