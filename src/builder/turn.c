#include "builder/turn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "builder/estimate.h"
#include "builder/sitting.h"
#include "builder/test_set.h"
#include "store/paths.h"

/* ---- names ---- */

char *nnm_turn_mark(const char *name, size_t number, const char *mark)
{
    bool given = mark && *mark;
    if (number == 0) return nnm_format("%s%s%s", name, given ? "_" : "", given ? mark : "");
    return nnm_format("%s%zu%s%s", name, number, given ? "_" : "", given ? mark : "");
}

char *nnm_turn_samples_mark(const nnm_group *group, size_t turn)
{
    static const char *const names[] = {"finegrained", "prior", "auto"}; /* in the order of nnm_sampler */
    const nnm_build_options *options = &group->options;
    bool from_prior = turn == 0 && options->sampler == NNM_SAMPLER_FINEGRAINED;
    return nnm_turn_mark(from_prior ? "prior" : names[options->sampler], turn, options->mark);
}

/* Files of the description's loop bear the mark of their turn; those of the others are written over. */
char *nnm_turn_predictor_mark(const nnm_group *group)
{
    bool each = group->options.sampler == NNM_SAMPLER_FINEGRAINED;
    return nnm_turn_samples_mark(group, each && group->turns ? group->turns - 1 : 0);
}

nnm_fit_options nnm_turn_fit_options(const nnm_builder *builder, const nnm_group *group, const char *mark)
{
    nnm_fit_options options = NNM_FIT_OPTIONS_INIT;
    options.error_threshold = group->options.error_threshold;
    options.threads = group->options.threads;
    options.model = group->options.model;
    options.mark = mark;
    options.hooks = &builder->hooks;
    return options;
}

bool nnm_turn_is_fatal(nnm_status status)
{
    return status == NNM_ERR_INTERRUPTED || status == NNM_ERR_NO_SPACE || status == NNM_ERR_BUSY;
}

void nnm_turn_add_summary(nnm_profile_summary *sum, const nnm_profile_summary *more)
{
    double repeated = (double)(sum->repeated + more->repeated);
    double measured_s = sum->measured_s + more->measured_s;
    if (repeated > 0) {
        sum->agree5 = (sum->agree5 * (double)sum->repeated + more->agree5 * (double)more->repeated) / repeated;
        sum->agree10 = (sum->agree10 * (double)sum->repeated + more->agree10 * (double)more->repeated) / repeated;
    }
    if (measured_s > 0)
        sum->quiet_share = (sum->quiet_share * sum->measured_s + more->quiet_share * more->measured_s) / measured_s;
    sum->measured_s = measured_s;
    sum->waited_s += more->waited_s;
    sum->noisy += more->noisy;
    sum->repeated += more->repeated;
    sum->requested += more->requested;
    sum->known += more->known;
    sum->profiled += more->profiled;
    sum->failed += more->failed;
    sum->elapsed_s += more->elapsed_s;
}

/* ---- sampling and measuring ---- */

/* One member's part of a turn. */
static nnm_status measure_member(nnm_builder *builder, nnm_group *group, nnm_member *member, size_t num,
                                 nnm_sample_options *sample, const nnm_sitting *sitting, nnm_error *err)
{
    nnm_config_list taken = {0};
    nnm_kernel_data *fresh = NULL;
    nnm_profile_summary summary = {0};
    nnm_status status = nnm_group_list_taken(builder, group, &taken, err);
    sample->exclude = &taken;
    if (status == NNM_OK)
        status = nnm_builder_sit(builder, member->kernel, num, sample, sitting, &fresh, &summary, err);
    nnm_turn_add_summary(&group->result.profile, &summary);
    if (status == NNM_OK) status = nnm_group_take(&member->data, fresh, err);
    if (status == NNM_OK && group->turns == 0) member->first_count = member->data->count;
    nnm_config_list_fini(&taken);
    return status;
}

/* A member that failed does not stop the others. */
static nnm_status note_failure(nnm_group *group, nnm_member *member, nnm_status status, const nnm_error *failure,
                               nnm_error *err)
{
    if (status == NNM_OK) return NNM_OK;
    member->failed = true;
    member->error = *failure;
    if (!nnm_turn_is_fatal(status) && nnm_group_alive(group)) return NNM_OK;
    if (err) *err = *failure;
    return status;
}

nnm_status nnm_turn_measure(nnm_builder *builder, nnm_group *group, const nnm_choice *choice,
                            const nnm_turn_limits *limits, nnm_error *err)
{
    char *mark = nnm_turn_samples_mark(group, group->turns);
    nnm_status status = mark ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; i < group->member_count && status == NNM_OK; i++) {
        nnm_member *member = &group->members[i];
        if (member->failed || choice->num[i] == 0) continue;
        nnm_error failure = NNM_ERROR_INIT;
        nnm_sample_options sample = {
            .mark = mark,
            .mode = choice->mode,
            .configs = &choice->configs[i],
            .seed = group->options.seed + group->turns,
        };
        const nnm_sitting sitting = {limits->backend, true, limits->repeat, limits->seconds};
        status = measure_member(builder, group, member, choice->num[i], &sample, &sitting, &failure);
        status = note_failure(group, member, status, &failure, err);
    }
    free(mark);
    if (status == NNM_OK) group->turns++;
    return status;
}

/* Measures what a file of an earlier call holds. */
static nnm_status take_over_file(nnm_builder *builder, nnm_group *group, nnm_member *member, const char *mark,
                                 const char *backend, double *seconds, nnm_error *err)
{
    static const nnm_config_list none = {0};
    nnm_sample_options sample = {.mark = mark, .mode = NNM_SAMPLING_GIVEN, .configs = &none};
    nnm_sitting sitting = {backend, true, false, HUGE_VAL};
    double before_s = 0, after_s = 0;
    nnm_status status = nnm_builder_seconds_of_mark(builder, member->kernel, mark, &before_s, err);
    if (isfinite(*seconds)) sitting.seconds = before_s + fmax(*seconds, 0);
    if (status == NNM_OK) status = measure_member(builder, group, member, 0, &sample, &sitting, err);
    if (status == NNM_OK) status = nnm_builder_seconds_of_mark(builder, member->kernel, mark, &after_s, err);
    *seconds -= after_s - before_s;
    return status;
}

static nnm_status take_over_turn(nnm_builder *builder, nnm_group *group, const char *mark, const char *backend,
                                 double *seconds, bool *found, nnm_error *err)
{
    nnm_status status = NNM_OK;
    *found = false;
    for (size_t i = 0; i < group->member_count && status == NNM_OK; i++) {
        nnm_member *member = &group->members[i];
        nnm_kernel_data *saved = NULL;
        if (member->failed) continue;
        status = nnm_builder_load_configs(builder, member->kernel, mark, &saved, err);
        size_t count = status ? 0 : saved->count;
        nnm_kernel_data_free(saved);
        if (count == 0) continue;
        nnm_error failure = NNM_ERROR_INIT;
        *found = true;
        status = take_over_file(builder, group, member, mark, backend, seconds, &failure);
        status = note_failure(group, member, status, &failure, err);
    }
    return status;
}

nnm_status nnm_turn_take_over(nnm_builder *builder, nnm_group *group, const char *backend, double seconds,
                              nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (bool found = true; found && status == NNM_OK;) {
        char *mark = nnm_turn_samples_mark(group, group->turns);
        status = mark ? take_over_turn(builder, group, mark, backend, &seconds, &found, err) : nnm_fail_memory(err);
        if (status == NNM_OK && found) group->turns++;
        free(mark);
    }
    return status;
}

/* ---- fitting ---- */

static nnm_status compare_labels(const nnm_builder *builder, nnm_group *group, nnm_error *err)
{
    nnm_repeats repeats = {0};
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < group->member_count && status == NNM_OK; i++) {
        const nnm_member *member = &group->members[i];
        if (member->data) status = nnm_builder_read_repeats(builder, member->data, &repeats, err);
        if (status == NNM_OK && member->test_set)
            status = nnm_builder_read_repeats(builder, member->test_set, &repeats, err);
    }
    if (status == NNM_OK)
        status = nnm_agreement_compute(&group->result.labels, repeats.first, repeats.second, repeats.count, err);
    nnm_repeats_fini(&repeats);
    return status;
}

static void log_turn(const nnm_builder *builder, const nnm_group *group, const char *name)
{
    const nnm_build_result *result = &group->result;
    const nnm_metrics *honest = &result->honest;
    nnm_builder_log(builder, NNM_LOG_KEYINFO, "%s: acc10 %.4f, error_configs number: %zu", name,
                    result->fit.summary.test.acc10, result->fit.error_configs.count);
    if (honest->rows == 0) return;
    char ceiling[64] = "unknown";
    if (isfinite(result->labels.ceiling10)) snprintf(ceiling, sizeof ceiling, "%.4f", result->labels.ceiling10);
    nnm_builder_log(builder, NNM_LOG_KEYINFO,
                    "%s: on %zu kernels set apart: acc5 %.4f, acc10 %.4f, rmspe %.4f; ceiling of acc10: %s",
                    nnm_kernel_name(group->kernel), honest->rows, honest->acc5, honest->acc10, honest->rmspe, ceiling);
}

static nnm_status measure_mean_seconds(const nnm_builder *builder, nnm_group *group, nnm_error *err)
{
    double sum = 0;
    size_t count = 0;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < group->member_count && status == NNM_OK; i++) {
        const nnm_kernel_data *data = group->members[i].data;
        if (!data) continue;
        double *seconds = nnm_calloc(data->count, sizeof *seconds);
        status = seconds ? nnm_builder_recall_seconds(builder, data, seconds, err) : nnm_fail_memory(err);
        for (size_t j = 0; status == NNM_OK && j < data->count; j++) {
            sum += seconds[j];
            count += seconds[j] > 0;
        }
        free(seconds);
    }
    group->mean_seconds = count ? sum / (double)count : 0;
    return status;
}

nnm_status nnm_turn_fit(nnm_builder *builder, nnm_group *group, const char *mark, const char *name, bool estimate,
                        nnm_error *err)
{
    nnm_build_result *result = &group->result;
    nnm_fit_result fit = {0};
    nnm_fit_options options = nnm_turn_fit_options(builder, group, mark);
    char *path = nnm_path_predictor(nnm_workspace_path(builder->workspace), nnm_kernel_name(group->kernel), mark);
    nnm_status status = path ? nnm_group_put_together(group, err) : nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_build_predictor_by_data(builder, result->data, &options, &fit, err);
    if (status) goto done;
    nnm_fit_result_fini(&result->fit);
    result->fit = fit;
    result->iterations = group->turns;
    snprintf(result->predictor_path, sizeof result->predictor_path, "%s", path);
    status = compare_labels(builder, group, err);
    if (status == NNM_OK && result->test_set) status = nnm_test_set_fit(builder, group, path, err);
    if (status == NNM_OK && estimate)
        status = nnm_estimate(result->data, group->is_first, &options, &result->estimate, err);
    if (status == NNM_OK && estimate) status = measure_mean_seconds(builder, group, err);
    if (status == NNM_OK) log_turn(builder, group, name);
done:
    free(path);
    return status;
}
