/* The steps in one, and builds of one kernel type and of all. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "builder/plan.h"
#include "builder/sitting.h"
#include "builder/turn.h"

nnm_status nnm_sample_and_profile_kernel_data(nnm_builder *builder, const char *kernel_type, size_t num,
                                              const char *backend, const nnm_sample_options *options,
                                              nnm_kernel_data **out, nnm_profile_summary *summary, nnm_error *err)
{
    static const nnm_sample_options defaults = NNM_SAMPLE_OPTIONS_INIT;
    const nnm_sitting sitting = {backend, false, true, HUGE_VAL};
    const nnm_kernel *kernel = NULL;
    nnm_profile_summary done = {0};
    nnm_status status = nnm_builder_kernel(builder, kernel_type, &kernel, err);
    if (status) return status;
    status = nnm_builder_sit(builder, kernel, num, options ? options : &defaults, &sitting, out, &done, err);
    if (summary && (status == NNM_OK || status == NNM_ERR_INTERRUPTED || status == NNM_ERR_BACKEND)) *summary = done;
    return status;
}

void nnm_build_result_fini(nnm_build_result *result)
{
    nnm_fit_result_fini(&result->fit);
    nnm_kernel_data_free(result->data);
    nnm_kernel_data_free(result->test_set);
    *result = (nnm_build_result){0};
}

static nnm_status check_target(const nnm_target *until, nnm_error *err)
{
    if (until->figure == NNM_TARGET_NONE) return NNM_OK;
    if (until->figure > NNM_TARGET_RMSPE || !(until->value > 0 && until->value <= 1))
        return nnm_fail(err, NNM_ERR_VALUE, "until: found %g, need a share above 0 and at most 1", until->value);
    return NNM_OK;
}

static nnm_status check_options(const nnm_build_options *options, nnm_error *err)
{
    if (options->init_sample_num == 0) return nnm_fail(err, NNM_ERR_VALUE, "init_sample_num: found 0, need 1 or more");
    if (options->finegrained_sample_num == 0 && options->iteration > 1)
        return nnm_fail(err, NNM_ERR_VALUE, "finegrained_sample_num: found 0, need 1 or more");
    if (options->iteration == 0)
        return nnm_fail(err, NNM_ERR_VALUE, "iteration: found 0, need 1 or more (1: no adaptive sampling)");
    if (!(options->error_threshold >= 0.1 && options->error_threshold <= 1))
        return nnm_fail(err, NNM_ERR_VALUE, "error_threshold: found %g, need a number from 0.1 to 1",
                        options->error_threshold);
    if (options->sampler > NNM_SAMPLER_AUTO)
        return nnm_fail(err, NNM_ERR_VALUE, "sampler: found %d, need finegrained, prior or auto",
                        (int)options->sampler);
    if (options->test_sample_num < NNM_TEST_SAMPLES_AUTO)
        return nnm_fail(err, NNM_ERR_VALUE, "test_sample_num: found %d, need 0 or more, or auto (%d)",
                        options->test_sample_num, NNM_TEST_SAMPLES_AUTO);
    if (!(options->budget.seconds >= 0 && isfinite(options->budget.seconds)))
        return nnm_fail(err, NNM_ERR_VALUE, "budget: found %g seconds, need a time", options->budget.seconds);
    nnm_status status = check_target(&options->until, err);
    if (status) return status;
    if (options->mark && *options->mark) return nnm_builder_check_mark(options->mark, err);
    return NNM_OK;
}

/* ---- one kernel type ---- */

nnm_status nnm_build_predictor_for_kernel(nnm_builder *builder, const char *kernel_type, const char *backend,
                                          const nnm_build_options *options, nnm_build_result *out, nnm_error *err)
{
    static const nnm_build_options defaults = NNM_BUILD_OPTIONS_INIT;
    if (!options) options = &defaults;
    const nnm_kernel *kernel = NULL;
    nnm_group group = {0};
    nnm_status status = nnm_builder_kernel(builder, kernel_type, &kernel, err);
    if (status == NNM_OK) status = check_options(options, err);
    if (status == NNM_OK) status = nnm_group_add(&group, kernel, options, err);
    if (status) return status;
    nnm_plan plan = {
        .builder = builder,
        .backend = backend,
        .groups = &group,
        .count = 1,
        .budget = options->budget,
    };
    nnm_locks_keep(&builder->locks);
    status = nnm_plan_run(&plan, err);
    nnm_locks_keep_no_more(&builder->locks);
    if (status == NNM_OK && group.members[0].failed) {
        status = group.members[0].error.code;
        if (err) *err = group.members[0].error;
    }
    if (status == NNM_OK) {
        *out = group.result;
        group.result = (nnm_build_result){0};
    }
    nnm_group_fini(&group);
    return status;
}

nnm_status nnm_build_initial_predictor_by_data(nnm_builder *builder, const char *kernel_type, const char *backend,
                                               const nnm_build_options *options, nnm_build_result *out, nnm_error *err)
{
    nnm_build_options initial = NNM_BUILD_OPTIONS_INIT;
    if (options) initial = *options;
    initial.iteration = 1;
    initial.sampler = NNM_SAMPLER_FINEGRAINED;
    initial.test_sample_num = 0;
    initial.budget = (nnm_budget){0, 0};
    initial.until = (nnm_target){NNM_TARGET_NONE, 0};
    return nnm_build_predictor_for_kernel(builder, kernel_type, backend, &initial, out, err);
}

/* ---- one round on existing data ---- */

static nnm_status copy_data(const nnm_kernel_data *data, nnm_kernel_data **out, nnm_error *err)
{
    nnm_kernel_data *copy = NULL;
    nnm_status status = nnm_kernel_data_new(&copy, data->kernel, err);
    if (status == NNM_OK) status = nnm_kernel_data_merge(copy, data, err);
    if (status)
        nnm_kernel_data_free(copy);
    else
        *out = copy;
    return status;
}

/* Samples around the large errors of the data: new kernels each time, though the mark may have some. */
static nnm_status sample_around_errors(nnm_builder *builder, nnm_group *group, const char *backend, const char *mark,
                                       nnm_error *err)
{
    nnm_member *member = &group->members[0];
    nnm_build_result *result = &group->result;
    nnm_config_list known = {0};
    nnm_kernel_data *fresh = NULL;
    const nnm_sitting sitting = {backend, false, true, HUGE_VAL};
    nnm_sample_options sample = {
        .mark = mark,
        .mode = NNM_SAMPLING_FINEGRAINED,
        .configs = &result->fit.error_configs,
        .exclude = &known,
        .seed = group->options.seed,
    };
    nnm_status status = nnm_builder_list_configs(&known, member->data, err);
    if (status == NNM_OK)
        status = nnm_builder_sit(builder, member->kernel, member->finegrained_sample_num, &sample, &sitting, &fresh,
                                 &result->profile, err);
    if (status == NNM_OK) status = nnm_group_take(&member->data, fresh, err);
    nnm_config_list_fini(&known);
    return status;
}

static nnm_status adapt(nnm_builder *builder, nnm_group *group, const char *backend, const char *mark, nnm_error *err)
{
    nnm_build_result *result = &group->result;
    nnm_fit_options fit_options = nnm_turn_fit_options(builder, group, NULL);
    nnm_status status = nnm_build_predictor_by_data(NULL, group->members[0].data, &fit_options, &result->fit, err);
    if (status == NNM_OK && result->fit.error_configs.count == 0)
        status =
            nnm_fail(err, NNM_ERR_TOO_FEW_ROWS, "no test row has an error above %g: there is nothing to sample around",
                     group->options.error_threshold);
    if (status == NNM_OK) status = sample_around_errors(builder, group, backend, mark, err);
    group->turns = 1;
    if (status == NNM_OK) status = nnm_turn_fit(builder, group, mark, mark, false, err);
    return status;
}

nnm_status nnm_build_adaptive_predictor_by_data(nnm_builder *builder, const nnm_kernel_data *data, const char *backend,
                                                const nnm_build_options *options, nnm_build_result *out, nnm_error *err)
{
    static const nnm_build_options defaults = NNM_BUILD_OPTIONS_INIT;
    if (!options) options = &defaults;
    nnm_group group = {0};
    nnm_status status = check_options(options, err);
    if (status) return status;
    char *mark = nnm_turn_mark("finegrained", 0, options->mark);
    status = mark ? nnm_group_add(&group, data->kernel, options, err) : nnm_fail_memory(err);
    if (status == NNM_OK) status = copy_data(data, &group.members[0].data, err);
    if (status == NNM_OK) status = adapt(builder, &group, backend, mark, err);
    if (status == NNM_OK) {
        *out = group.result;
        group.result = (nnm_build_result){0};
    }
    nnm_group_fini(&group);
    free(mark);
    return status;
}

/* ---- all kernel types ---- */

static nnm_build_options options_of(const nnm_predictorbuild_config *config, const nnm_kernel_build *kernel,
                                    const nnm_build_all_options *options)
{
    return (nnm_build_options){
        .init_sample_num = kernel->init_sample_num,
        .finegrained_sample_num = kernel->finegrained_sample_num,
        .iteration = kernel->iteration,
        .error_threshold = kernel->error_threshold,
        .seed = options->seed,
        .threads = options->threads,
        .model = options->model ? *options->model : kernel->predictor,
        .sampler = options->sampler ? *options->sampler : kernel->sampler,
        .test_sample_num = options->test_sample_num ? *options->test_sample_num : kernel->test_sample_num,
        .budget = options->budget ? *options->budget : config->budget,
        .until = options->until ? *options->until : config->until,
    };
}

/* The kernel types that share the predictor of `first`, which is the first of them in the configuration. The settings
 * of the one whose name the predictor bears are those of all, where it is listed. */
static nnm_status gather_group(nnm_group *group, const nnm_builder *builder, size_t first,
                               const nnm_build_all_options *options, nnm_error *err)
{
    const nnm_predictorbuild_config *config = nnm_workspace_predictorbuild(builder->workspace);
    const nnm_kernel *kernel = NULL, *owner = NULL;
    nnm_status status = nnm_builder_kernel(builder, config->kernels[first].kernel, &kernel, err);
    if (status == NNM_OK) status = nnm_builder_kernel(builder, nnm_kernel_predictor(kernel), &owner, err);
    const char *predictor = status == NNM_OK ? nnm_kernel_name(owner) : "";
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = first; i < config->kernel_count && status == NNM_OK; i++) {
            nnm_build_options build = options_of(config, &config->kernels[i], options);
            status = nnm_builder_kernel(builder, config->kernels[i].kernel, &kernel, err);
            if (status || strcmp(nnm_kernel_predictor(kernel), predictor) != 0) continue;
            if ((pass == 0) == (kernel == owner)) status = nnm_group_add(group, kernel, &build, err);
        }
    }
    group->kernel = owner;
    return status;
}

static bool is_in(const nnm_group *groups, size_t count, const char *kernel)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < groups[i].member_count; j++)
            if (strcmp(nnm_kernel_name(groups[i].members[j].kernel), kernel) == 0) return true;
    return false;
}

static nnm_status gather_groups(nnm_plan *plan, const nnm_predictorbuild_config *config,
                                const nnm_build_all_options *options, nnm_error *err)
{
    nnm_status status = NNM_OK;
    plan->groups = nnm_calloc(config->kernel_count, sizeof *plan->groups);
    if (!plan->groups) return nnm_fail_memory(err);
    for (size_t i = 0; i < config->kernel_count && status == NNM_OK; i++)
        if (!is_in(plan->groups, plan->count, config->kernels[i].kernel))
            status = gather_group(&plan->groups[plan->count++], plan->builder, i, options, err);
    for (size_t i = 0; i < plan->count && status == NNM_OK; i++)
        status = check_options(&plan->groups[i].options, err);
    return status;
}

/* Names those that failed. */
static nnm_status judge_all(const nnm_plan *plan, size_t kernels, nnm_error *err)
{
    const nnm_error *first = NULL;
    nnm_buffer names = {0};
    size_t failed = 0;
    for (size_t i = 0; i < plan->count; i++) {
        for (size_t j = 0; j < plan->groups[i].member_count; j++) {
            const nnm_member *member = &plan->groups[i].members[j];
            if (!member->failed) continue;
            nnm_buffer_printf(&names, "%s%s", failed++ ? ", " : "", nnm_kernel_name(member->kernel));
            if (!first) first = &member->error;
        }
    }
    nnm_status status = nnm_buffer_check(&names, err);
    if (status == NNM_OK && first) {
        if (err) *err = *first;
        status = nnm_context(err, failed == kernels ? first->code : NNM_ERR_PARTIAL,
                             "%zu of %zu kernel types failed (%.400s); the first", failed, kernels, names.data);
    }
    nnm_buffer_fini(&names);
    return status;
}

nnm_status nnm_build_latency_predictor(nnm_builder *builder, const char *backend, const nnm_build_all_options *options,
                                       nnm_error *err)
{
    static const nnm_build_all_options defaults = {0};
    if (!options) options = &defaults;
    const nnm_predictorbuild_config *config = nnm_workspace_predictorbuild(builder->workspace);
    nnm_plan plan = {
        .builder = builder,
        .backend = backend,
        .budget = options->budget ? *options->budget : config->budget,
        .report = options->report,
        .context = options->context,
    };
    nnm_locks_keep(&builder->locks);
    nnm_status status = gather_groups(&plan, config, options, err);
    if (status == NNM_OK && plan.count) status = nnm_plan_run(&plan, err);
    if (status == NNM_OK) status = judge_all(&plan, config->kernel_count, err);
    nnm_locks_keep_no_more(&builder->locks);
    for (size_t i = 0; i < plan.count; i++)
        nnm_group_fini(&plan.groups[i]);
    free(plan.groups);
    return status;
}
