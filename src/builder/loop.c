/* The steps in one, and the loop of adaptive sampling. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "builder/builder.h"
#include "builder/fit.h"
#include "store/paths.h"

/* Asks the backend before anything is written whether it can do this kernel type at all. */
static nnm_status check_supported(const nnm_builder *builder, const nnm_kernel *kernel, const char *backend_name,
                                  nnm_error *err)
{
    const nnm_backend *backend = NULL;
    nnm_backend_info info;
    nnm_layout layout = nnm_builder_graph_options(builder, "").layout;
    nnm_status status = nnm_builder_backend(builder, backend_name, &backend, &info, err);
    if (status) return status;
    status = nnm_backend_supports_kernel(backend, kernel, layout, err);
    return nnm_context(err, status, "backend '%s' cannot run kernel type '%s'", backend_name, nnm_kernel_name(kernel));
}

static nnm_status generate_and_profile(nnm_builder *builder, const nnm_kernel *kernel, size_t num, bool complete,
                                       const char *backend, const nnm_sample_options *options, nnm_kernel_data **out,
                                       nnm_profile_summary *summary, nnm_error *err)
{
    nnm_kernel_data *data = NULL;
    nnm_status status = check_supported(builder, kernel, backend, err);
    if (status) return status;
    if (complete)
        status = nnm_builder_generate(builder, kernel, num, options, &data, err);
    else
        status = nnm_generate_config_sample(builder, nnm_kernel_name(kernel), num, options, &data, err);
    if (status == NNM_OK) status = nnm_profile_models(builder, backend, data, summary, err);
    if (status)
        nnm_kernel_data_free(data);
    else
        *out = data;
    return status;
}

nnm_status nnm_sample_and_profile_kernel_data(nnm_builder *builder, const char *kernel_type, size_t num,
                                              const char *backend, const nnm_sample_options *options,
                                              nnm_kernel_data **out, nnm_profile_summary *summary, nnm_error *err)
{
    static const nnm_sample_options defaults = NNM_SAMPLE_OPTIONS_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_status status = nnm_builder_kernel(builder, kernel_type, &kernel, err);
    if (status) return status;
    return generate_and_profile(builder, kernel, num, false, backend, options ? options : &defaults, out, summary, err);
}

/* ---- the loop ---- */

void nnm_build_result_fini(nnm_build_result *result)
{
    nnm_fit_result_fini(&result->fit);
    nnm_kernel_data_free(result->data);
    *result = (nnm_build_result){0};
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
    if (options->mark && *options->mark) return nnm_builder_check_mark(options->mark, err);
    return NNM_OK;
}

/* "prior" or "finegrained<i>", followed by "_<mark>" where the caller gave one. */
static char *mark_of_iteration(size_t iteration, const char *mark)
{
    bool given = mark && *mark;
    if (iteration == 0) return nnm_format("prior%s%s", given ? "_" : "", given ? mark : "");
    return nnm_format("finegrained%zu%s%s", iteration, given ? "_" : "", given ? mark : "");
}

static void add_summary(nnm_profile_summary *sum, const nnm_profile_summary *more)
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

/* One turn: sample and profile, merge with what there is, fit. `complete`: see adaptive_turn. */
static nnm_status turn(nnm_builder *builder, const nnm_kernel *kernel, const char *backend, size_t num, bool complete,
                       const nnm_sample_options *sample, const nnm_build_options *options, nnm_build_result *result,
                       nnm_error *err)
{
    nnm_kernel_data *fresh = NULL;
    nnm_profile_summary summary = {0};
    nnm_fit_result fit = {0};
    nnm_fit_options fit_options = NNM_FIT_OPTIONS_INIT;
    fit_options.error_threshold = options->error_threshold;
    fit_options.threads = options->threads;
    fit_options.model = options->model;
    fit_options.mark = sample->mark;
    nnm_status status = generate_and_profile(builder, kernel, num, complete, backend, sample, &fresh, &summary, err);
    add_summary(&result->profile, &summary);
    if (status == NNM_OK && result->data) {
        status = nnm_kernel_data_merge(result->data, fresh, err);
    } else if (status == NNM_OK) {
        result->data = fresh;
        fresh = NULL;
    }
    if (status == NNM_OK) status = nnm_build_predictor_by_data(builder, result->data, &fit_options, &fit, err);
    if (status == NNM_OK) {
        nnm_fit_result_fini(&result->fit);
        result->fit = fit;
        result->iterations++;
        char *path = nnm_path_predictor(nnm_workspace_path(builder->workspace), nnm_kernel_name(kernel), sample->mark);
        if (path) snprintf(result->predictor_path, sizeof result->predictor_path, "%s", path);
        free(path);
    }
    nnm_kernel_data_free(fresh);
    return status;
}

static nnm_status initial_turn(nnm_builder *builder, const nnm_kernel *kernel, const char *backend,
                               const nnm_build_options *options, nnm_build_result *result, nnm_error *err)
{
    char *mark = mark_of_iteration(0, options->mark);
    if (!mark) return nnm_fail_memory(err);
    nnm_sample_options sample = NNM_SAMPLE_OPTIONS_INIT;
    sample.mark = mark;
    sample.seed = options->seed;
    nnm_status status = turn(builder, kernel, backend, options->init_sample_num, true, &sample, options, result, err);
    free(mark);
    return status;
}

/* Samples around the large errors of the last turn. `complete`: the mark's kernels are taken as they are where there
 * are some, for the loop goes on where it was; otherwise new ones are added. */
static nnm_status adaptive_turn(nnm_builder *builder, const nnm_kernel *kernel, const char *backend, const char *mark,
                                bool complete, uint64_t seed, const nnm_build_options *options,
                                nnm_build_result *result, nnm_error *err)
{
    nnm_config_list known = {0};
    nnm_status status = nnm_builder_list_configs(&known, result->data, err);
    nnm_sample_options sample = {
        .mark = mark,
        .mode = NNM_SAMPLING_FINEGRAINED,
        .configs = &result->fit.error_configs,
        .exclude = &known,
        .seed = seed,
    };
    if (status == NNM_OK)
        status =
            turn(builder, kernel, backend, options->finegrained_sample_num, complete, &sample, options, result, err);
    nnm_config_list_fini(&known);
    return status;
}

static void log_iteration(const nnm_builder *builder, const char *name, const nnm_fit_result *fit)
{
    nnm_builder_log(builder, NNM_LOG_KEYINFO, "%s: acc10 %.4f, error_configs number: %zu", name,
                    fit->summary.test.acc10, fit->error_configs.count);
}

static nnm_status run_loop(nnm_builder *builder, const nnm_kernel *kernel, const char *backend,
                           const nnm_build_options *options, nnm_build_result *result, nnm_error *err)
{
    nnm_status status = initial_turn(builder, kernel, backend, options, result, err);
    if (status) return status;
    log_iteration(builder, "Iteration 0", &result->fit);
    for (size_t i = 1; i < options->iteration; i++) {
        if (result->fit.error_configs.count == 0) {
            nnm_builder_log(
                builder, NNM_LOG_KEYINFO,
                "No test row has an error above %g: adaptive sampling has nothing to sample around and ends",
                options->error_threshold);
            return NNM_OK;
        }
        char *mark = mark_of_iteration(i, options->mark);
        if (!mark) return nnm_fail_memory(err);
        status = adaptive_turn(builder, kernel, backend, mark, true, options->seed + i, options, result, err);
        free(mark);
        if (status) return status;
        char name[32];
        snprintf(name, sizeof name, "Iteration %zu", i);
        log_iteration(builder, name, &result->fit);
    }
    return NNM_OK;
}

nnm_status nnm_build_predictor_for_kernel(nnm_builder *builder, const char *kernel_type, const char *backend,
                                          const nnm_build_options *options, nnm_build_result *out, nnm_error *err)
{
    static const nnm_build_options defaults = NNM_BUILD_OPTIONS_INIT;
    if (!options) options = &defaults;
    const nnm_kernel *kernel = NULL;
    nnm_status status = nnm_builder_kernel(builder, kernel_type, &kernel, err);
    if (status == NNM_OK) status = check_options(options, err);
    if (status) return status;
    nnm_build_result result = {0};
    nnm_locks_keep(&builder->locks);
    status = run_loop(builder, kernel, backend, options, &result, err);
    nnm_locks_keep_no_more(&builder->locks);
    if (status)
        nnm_build_result_fini(&result);
    else
        *out = result;
    return status;
}

nnm_status nnm_build_initial_predictor_by_data(nnm_builder *builder, const char *kernel_type, const char *backend,
                                               const nnm_build_options *options, nnm_build_result *out, nnm_error *err)
{
    nnm_build_options initial = NNM_BUILD_OPTIONS_INIT;
    if (options) initial = *options;
    initial.iteration = 1;
    return nnm_build_predictor_for_kernel(builder, kernel_type, backend, &initial, out, err);
}

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

nnm_status nnm_build_adaptive_predictor_by_data(nnm_builder *builder, const nnm_kernel_data *data, const char *backend,
                                                const nnm_build_options *options, nnm_build_result *out, nnm_error *err)
{
    static const nnm_build_options defaults = NNM_BUILD_OPTIONS_INIT;
    if (!options) options = &defaults;
    nnm_status status = check_options(options, err);
    if (status) return status;
    bool given = options->mark && *options->mark;
    char *mark = nnm_format("finegrained%s%s", given ? "_" : "", given ? options->mark : "");
    if (!mark) return nnm_fail_memory(err);

    nnm_build_result result = {0};
    nnm_fit_options fit_options = NNM_FIT_OPTIONS_INIT;
    fit_options.error_threshold = options->error_threshold;
    fit_options.threads = options->threads;
    fit_options.model = options->model;
    status = copy_data(data, &result.data, err);
    if (status == NNM_OK) status = nnm_build_predictor_by_data(NULL, result.data, &fit_options, &result.fit, err);
    if (status == NNM_OK && result.fit.error_configs.count == 0)
        status =
            nnm_fail(err, NNM_ERR_TOO_FEW_ROWS, "no test row has an error above %g: there is nothing to sample around",
                     options->error_threshold);
    if (status == NNM_OK)
        status = adaptive_turn(builder, data->kernel, backend, mark, false, options->seed, options, &result, err);
    if (status == NNM_OK) {
        log_iteration(builder, mark, &result.fit);
        *out = result;
        result = (nnm_build_result){0};
    }
    nnm_build_result_fini(&result);
    free(mark);
    return status;
}

nnm_status nnm_build_latency_predictor(nnm_builder *builder, const char *backend, const nnm_model_kind *model,
                                       uint64_t seed, unsigned threads, nnm_build_report_fn report, void *context,
                                       nnm_error *err)
{
    const nnm_predictorbuild_config *config = nnm_workspace_predictorbuild(builder->workspace);
    nnm_error first = NNM_ERROR_INIT;
    nnm_status status = NNM_OK;
    size_t failed = 0;
    nnm_locks_keep(&builder->locks);
    for (size_t i = 0; i < config->kernel_count; i++) {
        const nnm_kernel_build *kernel = &config->kernels[i];
        nnm_build_options options = {
            .init_sample_num = kernel->init_sample_num,
            .finegrained_sample_num = kernel->finegrained_sample_num,
            .iteration = kernel->iteration,
            .error_threshold = kernel->error_threshold,
            .seed = seed,
            .threads = threads,
            .model = model ? *model : kernel->predictor,
        };
        nnm_build_result result = {0};
        nnm_error failure = NNM_ERROR_INIT;
        status = nnm_build_predictor_for_kernel(builder, kernel->kernel, backend, &options, &result, &failure);
        if (report) report(context, kernel->kernel, status ? NULL : &result, status ? &failure : NULL);
        nnm_build_result_fini(&result);
        if (status == NNM_ERR_INTERRUPTED || status == NNM_ERR_NO_SPACE || status == NNM_ERR_BUSY) {
            if (err) *err = failure;
            goto done;
        }
        if (status && failed++ == 0) first = failure;
    }
    status = NNM_OK;
    if (failed == 0) goto done;
    if (err) *err = first;
    status = nnm_context(err, failed == config->kernel_count ? first.code : NNM_ERR_PARTIAL,
                         "%zu of %zu kernel types failed; the first", failed, config->kernel_count);
done:
    nnm_locks_keep_no_more(&builder->locks);
    return status;
}
