/* adapt and build: sampling, profiling and fitting in one go. */
#include <stdio.h>

#include "commands.h"

/* ---- the answer ---- */

/* What a build has beside a fit: what it took and where it went. NULL when memory is short. */
static json_t *work_json(const nnm_build_result *result)
{
    const nnm_profile_summary *profile = &result->profile;
    return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "iterations", (json_int_t)result->iterations, "profiled",
                     (json_int_t)profile->profiled, "failed", (json_int_t)profile->failed, "known",
                     (json_int_t)profile->known, "elapsed_s", output_number(profile->elapsed_s), "quiet_share",
                     output_number(if_known(profile->profiled > 0, profile->quiet_share)), "predictor",
                     output_text(result->predictor_path));
}

/* The figures of one test. */
static json_t *figures_json(const nnm_metrics *m)
{
    bool tested = m->rows > 0;
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "test_rows", (json_int_t)m->rows, "rmse_ms",
                     output_number(if_known(tested, m->rmse)), "rmspe", output_number(if_known(tested, m->rmspe)),
                     "acc5", output_number(if_known(tested, m->acc5)), "acc10",
                     output_number(if_known(tested, m->acc10)), "acc15", output_number(if_known(tested, m->acc15)));
}

/* The honest figures where there is a test set, and the self-reported ones apart. */
static json_t *build_json(const char *kernel, const nnm_build_result *result)
{
    const nnm_training_summary *split = &result->fit.summary;
    const nnm_metrics *test = result->honest.rows ? &result->honest : split->test_rows ? &split->test : NULL;
    json_t *object = metrics_json(kernel, nnm_predictor_model(result->fit.predictor), split->rows + result->honest.rows,
                                  test, &result->labels);
    json_t *more = json_pack("{s:o, s:o, s:o, s:o}", "honest", json_boolean(result->honest.rows > 0), "self_reported",
                             figures_json(&split->test), "estimate", figures_json(&result->estimate), "ended",
                             output_text(result->ended));
    return join_json(join_json(object, more), work_json(result));
}

static json_t *adapt_json(const nnm_build_result *result)
{
    return join_json(fit_json(&result->fit), work_json(result));
}

/* The kernel's name, what was measured and how long it took. */
static void row_begin(const char *kernel, const nnm_build_result *result)
{
    char time[OUTPUT_CELL_BYTES];
    printf("%-18s %8zu %6zu %12s", kernel, result->profile.profiled, result->profile.failed,
           output_seconds(result->profile.elapsed_s, time));
}

static void row_share(bool known, double share)
{
    char text[OUTPUT_CELL_BYTES];
    printf(" %8s", output_share(if_known(known, share), text));
}

static void row_end(const nnm_build_result *result)
{
    printf("  %s\n", result->predictor_path);
    fflush(stdout);
}

static void adapt_table(const char *kernel, const nnm_build_result *result)
{
    const nnm_metrics *test = &result->fit.summary.test;
    bool tested = result->fit.summary.test_rows > 0;
    output_heading(
        "kernel             profiled failed         time     ±5 %    ±10 %  ceiling    ±15 %    RMSPE  file");
    row_begin(kernel, result);
    row_share(tested, test->acc5);
    row_share(tested, test->acc10);
    row_share(true, result->fit.labels.ceiling10);
    row_share(tested, test->acc15);
    row_share(tested, test->rmspe);
    row_end(result);
}

/* The last column but one is what the description's split tells, on rows like those learned from. */
static void build_table_head(void)
{
    output_heading(
        "kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file");
}

static void build_table_row(const char *kernel, const nnm_build_result *result)
{
    const nnm_metrics *test = &result->honest;
    row_begin(kernel, result);
    row_share(test->rows > 0, test->acc5);
    row_share(test->rows > 0, test->acc10);
    row_share(test->rows > 0, test->rmspe);
    row_share(true, result->labels.ceiling10);
    row_share(result->fit.summary.test_rows > 0, result->fit.summary.test.acc10);
    row_end(result);
}

/* ---- adapt ---- */

typedef struct adapt_values {
    const char *workspace, *backend, *kernel, *mark, *model;
    option_list configs, latencies;
    option_integer num, seed, threads;
    option_real threshold;
    bool json;
} adapt_values;

static const cli_option adapt_options[] = {
    OPTION_WORKSPACE(adapt_values),
    OPTION_BACKEND(adapt_values),
    OPTION_KERNEL(adapt_values),
    {.name = "configs",
     .kind = OPTION_LIST,
     .offset = offsetof(adapt_values, configs),
     .value = "F",
     .otherwise = "results/<kernel>_*.json",
     .help = "configuration files of what is measured"},
    {.name = "latencies",
     .kind = OPTION_LIST,
     .offset = offsetof(adapt_values, latencies),
     .value = "F",
     .otherwise = "results/profiled_<kernel>.json",
     .help = "latency files of what is measured"},
    {.name = "num",
     .kind = OPTION_INTEGER,
     .offset = offsetof(adapt_values, num),
     .value = "N",
     .minimum = 1,
     .maximum = 100000,
     .otherwise = "FINEGRAINED_SAMPLE_NUM",
     .help = "configurations around each large error"},
    {.name = "threshold",
     .kind = OPTION_REAL,
     .offset = offsetof(adapt_values, threshold),
     .value = "E",
     .minimum = 0.1,
     .maximum = 1,
     .otherwise = "ERROR_THRESHOLD",
     .help = "relative error that is large"},
    {.name = "mark",
     .kind = OPTION_TEXT,
     .offset = offsetof(adapt_values, mark),
     .value = "M",
     .otherwise = "none",
     .help = "appended to the names of the files"},
    OPTION_MODEL(adapt_values, "PREDICTOR"),
    OPTION_SEED(adapt_values, "0"),
    OPTION_FIT_THREADS(adapt_values),
    OPTION_JSON(adapt_values),
};

/* The settings of a kernel in the workspace's predictorbuild_config.yaml, or those of the published experiment. */
static nnm_build_options configured_options(const nnm_builder *builder, const char *kernel)
{
    nnm_build_options options = NNM_BUILD_OPTIONS_INIT;
    const nnm_workspace *workspace = nnm_builder_workspace(builder);
    const nnm_kernel_build *entry = nnm_workspace_kernel(workspace, kernel);
    const nnm_predictorbuild_config *config = nnm_workspace_predictorbuild(workspace);
    options.model = config->predictor;
    if (entry) {
        options.model = entry->predictor;
        options.init_sample_num = entry->init_sample_num;
        options.finegrained_sample_num = entry->finegrained_sample_num;
        options.iteration = entry->iteration;
        options.error_threshold = entry->error_threshold;
    }
    options.sampler = entry ? entry->sampler : config->sampler;
    options.test_sample_num = entry ? entry->test_sample_num : config->test_sample_num;
    options.budget = config->budget;
    options.until = config->until;
    return options;
}

static int run_adapt(const cli_command *self, const void *values)
{
    const adapt_values *v = values;
    nnm_error err = NNM_ERROR_INIT;
    nnm_builder *builder = NULL;
    nnm_kernel_data *data = NULL;
    nnm_build_result result = {0};
    if (open_builder(self, v->workspace, output_stoppable_hooks(), &builder)) return EXIT_FAILED;
    nnm_build_options options = configured_options(builder, v->kernel);
    if (v->num.given) options.finegrained_sample_num = (size_t)v->num.value;
    if (v->threshold.given) options.error_threshold = v->threshold.value;
    options.mark = v->mark;
    options.model = chosen_model(v->model, options.model);
    options.seed = v->seed.value;
    options.threads = (unsigned)v->threads.value;
    int code = collect_data(self, nnm_workspace_path(nnm_builder_workspace(builder)), v->kernel, &v->configs,
                            &v->latencies, &data);
    if (!code && nnm_build_adaptive_predictor_by_data(builder, data, choose_backend(builder, v->backend), &options,
                                                      &result, &err))
        code = command_fail(self, &err);
    if (!code && v->json) {
        code = output_json(adapt_json(&result));
    } else if (!code) {
        adapt_table(v->kernel, &result);
    }
    if (!code) code = tell_failures(builder, result.profile.failed, "profile");
    nnm_build_result_fini(&result);
    nnm_kernel_data_free(data);
    nnm_builder_free(builder);
    return code;
}

const cli_command command_adapt = {
    .name = "adapt",
    .summary = "One round of adaptive sampling: measure more around what is predicted badly, and fit again",
    .run = run_adapt,
    .values_size = sizeof(adapt_values),
    OPTIONS(adapt_options),
    .usage = "--workspace DIR --kernel K [options]",
    .details = "Defaults in capitals stand in the workspace's predictorbuild_config.yaml.\n",
    .example = "  nn-meter adapt --workspace ws --kernel conv-bn-relu --num 5\n",
};

/* ---- build ---- */

typedef struct build_values {
    const char *workspace, *backend, *kernel, *mark, *model, *sampler, *budget, *until;
    option_integer num, finegrained_num, iteration, test_num, seed, threads;
    option_real threshold;
    bool json, quick, thorough;
} build_values;

static const cli_option build_options[] = {
    OPTION_WORKSPACE(build_values),
    OPTION_BACKEND(build_values),
    {.name = "kernel",
     .kind = OPTION_TEXT,
     .offset = offsetof(build_values, kernel),
     .value = "K",
     .otherwise = "all of KERNELS",
     .help = "kernel type, see --list-kernels"},
    {.name = "num",
     .kind = OPTION_INTEGER,
     .offset = offsetof(build_values, num),
     .value = "N",
     .minimum = 1,
     .maximum = 1000000,
     .otherwise = "INIT_SAMPLE_NUM",
     .help = "configurations from the prior"},
    {.name = "finegrained-num",
     .kind = OPTION_INTEGER,
     .offset = offsetof(build_values, finegrained_num),
     .value = "N",
     .minimum = 1,
     .maximum = 100000,
     .otherwise = "FINEGRAINED_SAMPLE_NUM",
     .help = "configurations around each large error"},
    {.name = "iteration",
     .kind = OPTION_INTEGER,
     .offset = offsetof(build_values, iteration),
     .value = "N",
     .minimum = 1,
     .maximum = 1000,
     .otherwise = "ITERATION",
     .help = "rounds; 1: no adaptive sampling"},
    {.name = "sampler",
     .kind = OPTION_CHOICE,
     .offset = offsetof(build_values, sampler),
     .value = "finegrained|prior|auto",
     .choices = "finegrained|prior|auto",
     .otherwise = "SAMPLER",
     .help = "how kernels are chosen after the first"},
    {.name = "test-num",
     .kind = OPTION_INTEGER,
     .offset = offsetof(build_values, test_num),
     .value = "N",
     .minimum = 0,
     .maximum = 100000,
     .otherwise = "TEST_SAMPLE_NUM",
     .help = "configurations set apart for an honest test"},
    {.name = "budget",
     .kind = OPTION_TEXT,
     .offset = offsetof(build_values, budget),
     .value = "B",
     .otherwise = "BUDGET",
     .help = "what to measure in all: kernels (500) or time (90s, 20m, 2h)"},
    {.name = "until",
     .kind = OPTION_TEXT,
     .offset = offsetof(build_values, until),
     .value = "FIGURE=X",
     .otherwise = "UNTIL",
     .help = "how good is enough: acc5, acc10, acc15 or rmspe"},
    {.name = "threshold",
     .kind = OPTION_REAL,
     .offset = offsetof(build_values, threshold),
     .value = "E",
     .minimum = 0.1,
     .maximum = 1,
     .otherwise = "ERROR_THRESHOLD",
     .help = "relative error that is large"},
    {.name = "mark",
     .kind = OPTION_TEXT,
     .offset = offsetof(build_values, mark),
     .value = "M",
     .otherwise = "none",
     .help = "appended to the names of the files"},
    OPTION_MODEL(build_values, "PREDICTOR"),
    OPTION_SEED(build_values, "0"),
    OPTION_FIT_THREADS(build_values),
    OPTION_QUICK(build_values),
    OPTION_THOROUGH(build_values),
    OPTION_JSON(build_values),
};

/* Where the results of `build` go. */
typedef struct build_report {
    const cli_command *command;
    const nnm_builder *builder;
    bool json, headed;
    bool partly; /* some kernels or configurations failed */
    json_t *rows;
} build_report;

static void report_kernel(void *context, const char *kernel, const nnm_build_result *result, const nnm_error *error)
{
    build_report *report = context;
    if (!result) {
        report->partly = true;
        if (error->code == NNM_ERR_INTERRUPTED) return; /* that ends the build and is told then */
        command_error(report->command, "%s: %s", kernel, error->message);
        if (report->json)
            output_append(&report->rows,
                          json_pack("{s:o, s:o}", "kernel", output_text(kernel), "error", output_text(error->message)));
        return;
    }
    if (report->json) {
        output_append(&report->rows, build_json(kernel, result));
    } else {
        if (!report->headed) build_table_head();
        report->headed = true;
        build_table_row(kernel, result);
    }
    if (tell_failures(report->builder, result->profile.failed, "profile")) report->partly = true;
}

/* What the command line has in place of the configuration. */
typedef struct build_choice {
    nnm_model_kind model;
    nnm_sampler sampler;
    int test_num;
    nnm_budget budget;
    nnm_target until;
    nnm_build_all_options options; /* points to those above that were given */
} build_choice;

static int read_choice(const cli_command *self, const build_values *v, build_choice *choice)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_build_all_options *options = &choice->options;
    if (v->budget && nnm_budget_parse(&choice->budget, v->budget, &err)) return usage_error(self, "--%s", err.message);
    if (v->until && nnm_target_parse(&choice->until, v->until, &err))
        return usage_error(self, "--until: %s", err.message);
    if (v->sampler && nnm_sampler_find(&choice->sampler, v->sampler, &err))
        return usage_error(self, "--%s", err.message);
    choice->model = chosen_model(v->model, NNM_MODEL_BEST);
    choice->test_num = (int)v->test_num.value;
    if (v->model) options->model = &choice->model;
    if (v->sampler) options->sampler = &choice->sampler;
    if (v->test_num.given) options->test_sample_num = &choice->test_num;
    if (v->budget) options->budget = &choice->budget;
    if (v->until) options->until = &choice->until;
    options->seed = v->seed.value;
    options->threads = (unsigned)v->threads.value;
    return EXIT_DONE;
}

static nnm_build_options options_of_one(const nnm_builder *builder, const build_values *v,
                                        const nnm_build_all_options *given)
{
    nnm_build_options options = configured_options(builder, v->kernel);
    if (v->num.given) options.init_sample_num = (size_t)v->num.value;
    if (v->finegrained_num.given) options.finegrained_sample_num = (size_t)v->finegrained_num.value;
    if (v->iteration.given) options.iteration = (size_t)v->iteration.value;
    if (v->threshold.given) options.error_threshold = v->threshold.value;
    if (given->model) options.model = *given->model;
    if (given->sampler) options.sampler = *given->sampler;
    if (given->test_sample_num) options.test_sample_num = *given->test_sample_num;
    if (given->budget) options.budget = *given->budget;
    if (given->until) options.until = *given->until;
    options.mark = v->mark;
    options.seed = given->seed;
    options.threads = given->threads;
    return options;
}

static int build_one(const cli_command *self, nnm_builder *builder, const build_values *v, const build_choice *choice,
                     build_report *report)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_build_result result = {0};
    nnm_build_options options = options_of_one(builder, v, &choice->options);
    if (nnm_build_predictor_for_kernel(builder, v->kernel, choose_backend(builder, v->backend), &options, &result,
                                       &err))
        return command_fail(self, &err);
    report_kernel(report, v->kernel, &result, NULL);
    nnm_build_result_fini(&result);
    return EXIT_DONE;
}

static int build_all(const cli_command *self, nnm_builder *builder, const build_values *v, build_choice *choice,
                     build_report *report)
{
    nnm_error err = NNM_ERROR_INIT;
    choice->options.report = report_kernel;
    choice->options.context = report;
    nnm_status status =
        nnm_build_latency_predictor(builder, choose_backend(builder, v->backend), &choice->options, &err);
    return status ? command_fail(self, &err) : EXIT_DONE;
}

static int check_build(const cli_command *self, const build_values *v)
{
    const char *name = v->num.given               ? "num"
                       : v->finegrained_num.given ? "finegrained-num"
                       : v->iteration.given       ? "iteration"
                       : v->threshold.given       ? "threshold"
                       : v->mark                  ? "mark"
                                                  : NULL;
    if (name && !v->kernel)
        return usage_error(self,
                           "--%s goes with --kernel; without it each kernel's settings come from "
                           "predictorbuild_config.yaml",
                           name);
    return EXIT_DONE;
}

static int run_build(const cli_command *self, const void *values)
{
    const build_values *v = values;
    nnm_effort effort = NNM_EFFORT_CONFIGURED;
    build_choice choice = {0};
    int code = check_build(self, v);
    if (!code) code = read_choice(self, v, &choice);
    if (!code) code = choose_effort(self, v->quick, v->thorough, &effort);
    if (code) return code;
    nnm_builder *builder = NULL;
    if (open_builder(self, v->workspace, output_stoppable_hooks(), &builder)) return EXIT_FAILED;
    nnm_builder_set_effort(builder, effort);
    build_report report = {.command = self, .builder = builder, .json = v->json};
    if (v->json) report.rows = json_array();
    code = v->kernel ? build_one(self, builder, v, &choice, &report) : build_all(self, builder, v, &choice, &report);
    if (code == EXIT_DONE && report.partly) code = EXIT_PART;
    if (v->json && (code == EXIT_DONE || code == EXIT_PART)) {
        if (output_json(json_pack("{s:o}", "kernels", report.rows))) code = EXIT_FAILED;
    } else {
        json_decref(report.rows);
    }
    nnm_builder_free(builder);
    return code;
}

const cli_command command_build = {
    .name = "build",
    .summary = "Sample, measure, fit and adapt: a predictor for one kernel, or for all in the configuration",
    .run = run_build,
    .values_size = sizeof(build_values),
    OPTIONS(build_options),
    .usage = "--workspace DIR [--kernel K] [options]",
    .details = "Interrupted, it goes on where it was when called again with the same arguments. Defaults in capitals\n"
               "stand in the workspace's predictorbuild_config.yaml. A budget is shared by all kernel types.\n",
    .example = "  nn-meter build --workspace ws --kernel conv-bn-relu --num 100 --iteration 2\n"
               "  nn-meter build --workspace ws --sampler auto --budget 20m --until acc10=0.95\n",
};
