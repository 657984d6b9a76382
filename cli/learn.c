/* train, predict, evaluate: predictors and tables. */
#include <math.h>
#include <stdio.h>

#include "commands.h"

#define OPTION_SKIP_BAD(type)                                                        \
    {                                                                                \
        .name = "skip-bad", .kind = OPTION_FLAG, .offset = offsetof(type, skip_bad), \
        .help = "leave rows of the table out that cannot be used, and tell how many" \
    }

static void tell_skipped(const nnm_skipped_rows *skipped)
{
    if (skipped->count == 1) output_warning("1 row was left out: %s", skipped->first);
    if (skipped->count > 1) output_warning("%zu rows were left out; the first: %s", skipped->count, skipped->first);
}

/* Adds `value`, which it takes over. An object that could not take it becomes NULL, which output_json tells. */
static void add_key(json_t **object, const char *key, json_t *value)
{
    if (*object && json_object_set_new(*object, key, value) == 0) return;
    if (!*object) json_decref(value);
    json_decref(*object);
    *object = NULL;
}

/* ---- train ---- */

typedef struct train_values {
    const char *kernel, *workspace, *csv, *target, *output, *mark, *model;
    option_list configs, latencies;
    option_real test_size;
    option_integer seed, threads;
    bool skip_bad, json;
} train_values;

static const cli_option train_options[] = {
    OPTION_KERNEL(train_values),
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(train_values, output),
     .value = "PREDICTOR",
     .required = true,
     .help = "the predictor file to write"},
    {.name = "csv",
     .kind = OPTION_TEXT,
     .offset = offsetof(train_values, csv),
     .value = "F",
     .help = "a table from anywhere, columns named like the kernel's parameters"},
    {.name = "target",
     .kind = OPTION_TEXT,
     .offset = offsetof(train_values, target),
     .value = "COLUMN",
     .help = "with --csv: the column with the latencies, in ms"},
    {.name = "configs",
     .kind = OPTION_LIST,
     .offset = offsetof(train_values, configs),
     .value = "F",
     .otherwise = "all of the workspace",
     .help = "configuration files"},
    {.name = "latencies",
     .kind = OPTION_LIST,
     .offset = offsetof(train_values, latencies),
     .value = "F",
     .otherwise = "that of the workspace",
     .help = "latency files"},
    {.name = "workspace",
     .kind = OPTION_TEXT,
     .offset = offsetof(train_values, workspace),
     .value = "DIR",
     .help = "the workspace of the data"},
    {.name = "mark",
     .kind = OPTION_TEXT,
     .offset = offsetof(train_values, mark),
     .value = "M",
     .otherwise = "written nowhere",
     .help = "with --workspace: writes results/collection/*_M.csv too"},
    {.name = "test-size",
     .kind = OPTION_REAL,
     .offset = offsetof(train_values, test_size),
     .value = "SHARE",
     .maximum = 0.9,
     .fallback = "0.2",
     .help = "share of rows kept for the test; 0: train on every row"},
    OPTION_SKIP_BAD(train_values),
    OPTION_MODEL(train_values, "random_forest"),
    OPTION_SEED(train_values, "10"),
    OPTION_FIT_THREADS(train_values),
    OPTION_JSON(train_values),
};

static int check_train(const cli_command *self, const train_values *v)
{
    if (v->csv && (v->configs.count || v->latencies.count || v->workspace))
        return usage_error(self, "--csv does not go with --workspace, --configs or --latencies");
    if (v->csv && !v->target) return usage_error(self, "--csv needs --target COLUMN");
    if (!v->csv && v->target) return usage_error(self, "--target goes with --csv");
    if (!v->csv && v->skip_bad) return usage_error(self, "--skip-bad goes with --csv");
    if (!v->csv && !v->configs.count && !v->workspace)
        return usage_error(self, "give data: --csv F --target COLUMN, or --workspace DIR, or --configs F...");
    if (v->mark && !v->workspace) return usage_error(self, "--mark goes with --workspace");
    return EXIT_DONE;
}

/* Fits from kernel data files. */
static int train_data(const cli_command *self, const train_values *v, const nnm_fit_options *options,
                      nnm_fit_result *fit)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_builder *builder = NULL;
    nnm_kernel_data *data = NULL;
    const char *workspace = NULL;
    if (v->workspace) {
        if (nnm_builder_config_init(&builder, v->workspace, output_hooks(), &err)) return command_fail(self, &err);
        workspace = nnm_workspace_path(nnm_builder_workspace(builder));
    }
    int code = collect_data(self, workspace, v->kernel, &v->configs, &v->latencies, &data);
    if (!code && nnm_build_predictor_by_data(builder, data, options, fit, &err)) code = command_fail(self, &err);
    nnm_kernel_data_free(data);
    nnm_builder_free(builder);
    return code;
}

static int train_csv(const cli_command *self, const train_values *v, const nnm_fit_options *options,
                     nnm_fit_result *fit)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_table_options table = {.target = v->target, .skip_bad = v->skip_bad, .fit = *options};
    return nnm_train_csv(v->kernel, v->csv, &table, fit, &err) ? command_fail(self, &err) : EXIT_DONE;
}

static int tell_fit(const train_values *v, const nnm_fit_result *fit)
{
    if (v->json) {
        json_t *object = fit_json(fit);
        add_key(&object, "duplicates", json_integer((json_int_t)fit->duplicates));
        add_key(&object, "skipped", json_integer((json_int_t)fit->skipped.count));
        add_key(&object, "predictor", output_text(v->output));
        return output_json(object);
    }
    output_pair("kernel", "%s", nnm_predictor_kernel_type(fit->predictor));
    output_pair("model", "%s", nnm_predictor_model(fit->predictor));
    output_pair("rows", "%zu", fit->summary.rows);
    output_pair("test rows", "%zu", fit->summary.test_rows);
    if (fit->summary.test_rows)
        print_metrics(&fit->summary.test, &fit->labels, fit->labels.ceiling10);
    else
        print_labels(&fit->labels);
    output_pair("predictor", "%s", v->output);
    return EXIT_DONE;
}

static int run_train(const cli_command *self, const void *values)
{
    const train_values *v = values;
    int code = check_train(self, v);
    if (code) return code;
    nnm_error err = NNM_ERROR_INIT;
    nnm_fit_options options = NNM_FIT_OPTIONS_INIT;
    nnm_fit_result fit = {0};
    options.test_size = v->test_size.value;
    options.seed = v->seed.value;
    options.threads = (unsigned)v->threads.value;
    options.model = chosen_model(v->model, options.model);
    options.mark = v->mark;
    code = v->csv ? train_csv(self, v, &options, &fit) : train_data(self, v, &options, &fit);
    if (!code && nnm_predictor_save(fit.predictor, v->output, &err)) code = command_fail(self, &err);
    if (!code) tell_skipped(&fit.skipped);
    if (!code && fit.duplicates) output_log("%zu rows repeat a configuration and were left out", fit.duplicates);
    if (!code) code = tell_fit(v, &fit);
    nnm_fit_result_fini(&fit);
    return code;
}

const cli_command command_train = {
    .name = "train",
    .summary = "Fit a predictor to measured latencies",
    .run = run_train,
    .values_size = sizeof(train_values),
    OPTIONS(train_options),
    .usage = "--kernel K -o PREDICTOR --csv F --target COLUMN [options]\n"
             "       nn-meter train --kernel K -o PREDICTOR --workspace DIR [options]\n"
             "       nn-meter train --kernel K -o PREDICTOR --configs F... [--latencies F...] [options]",
    .details = "A fifth of the rows is kept for the test that is reported.\n",
    .example = "  nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o conv.nnm\n"
               "  nn-meter train --kernel conv-bn-relu --workspace ws -o conv.nnm\n",
};

/* ---- predict ---- */

typedef struct predict_values {
    const char *predictor, *config, *csv;
    bool skip_bad, json;
} predict_values;

static const cli_option predict_options[] = {
    {.name = "predictor",
     .kind = OPTION_TEXT,
     .offset = offsetof(predict_values, predictor),
     .value = "P",
     .required = true,
     .help = "a predictor file"},
    {.name = "config",
     .kind = OPTION_TEXT,
     .offset = offsetof(predict_values, config),
     .value = "NAME=VALUE,...",
     .help = "one configuration"},
    {.name = "csv",
     .kind = OPTION_TEXT,
     .offset = offsetof(predict_values, csv),
     .value = "F",
     .help = "a table; it is printed with predicted_ms, lower_ms, upper_ms added"},
    {.name = "skip-bad",
     .kind = OPTION_FLAG,
     .offset = offsetof(predict_values, skip_bad),
     .help = "with --csv: print rows that cannot be predicted with empty cells"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(predict_values, json),
     .help = "with --config: answer with one JSON object, the interval too"},
};

static int predict_one(const cli_command *self, const predict_values *v, const nnm_predictor *predictor)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_prediction prediction = {0};
    if (nnm_predict_config(predictor, v->config, &prediction, &err)) return command_fail(self, &err);
    if (v->json)
        return output_json(json_pack("{s:o, s:o, s:o}", "latency_ms", output_number(prediction.latency_ms), "lower_ms",
                                     output_number(prediction.lower_ms), "upper_ms",
                                     output_number(prediction.upper_ms)));
    printf("%.6g\n", prediction.latency_ms);
    return EXIT_DONE;
}

static int run_predict(const cli_command *self, const void *values)
{
    const predict_values *v = values;
    if (!v->config == !v->csv) return usage_error(self, "give either --config or --csv");
    if (v->csv && v->json) return usage_error(self, "--json goes with --config; --csv prints a table");
    if (!v->csv && v->skip_bad) return usage_error(self, "--skip-bad goes with --csv");
    nnm_error err = NNM_ERROR_INIT;
    nnm_predictor *predictor = NULL;
    nnm_skipped_rows skipped = {0};
    if (nnm_predictor_load(&predictor, v->predictor, &err)) return command_fail(self, &err);
    int code = EXIT_DONE;
    if (v->config) {
        code = predict_one(self, v, predictor);
    } else if (nnm_predict_csv(predictor, v->csv, v->skip_bad ? &skipped : NULL, stdout, &err)) {
        code = command_fail(self, &err);
    } else if (skipped.count) {
        output_warning("%zu rows have no prediction; the first: %s", skipped.count, skipped.first);
    }
    nnm_predictor_free(predictor);
    return code;
}

const cli_command command_predict = {
    .name = "predict",
    .summary = "Predict the latency of a configuration, or of every row of a table",
    .run = run_predict,
    .values_size = sizeof(predict_values),
    OPTIONS(predict_options),
    .usage = "--predictor P (--config NAME=VALUE,... [--json] | --csv F [--skip-bad])",
    .details = "Latencies are in milliseconds. lower_ms and upper_ms hold 90 % of such kernels.\n",
    .example = "  nn-meter predict --predictor conv.nnm --config HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1\n",
};

/* ---- evaluate ---- */

typedef struct evaluate_values {
    const char *predictor, *csv, *target;
    bool skip_bad, json;
} evaluate_values;

static const cli_option evaluate_options[] = {
    {.name = "predictor",
     .kind = OPTION_TEXT,
     .offset = offsetof(evaluate_values, predictor),
     .value = "P",
     .required = true,
     .help = "a predictor file"},
    {.name = "csv",
     .kind = OPTION_TEXT,
     .offset = offsetof(evaluate_values, csv),
     .value = "F",
     .required = true,
     .help = "a table with measured latencies"},
    {.name = "target",
     .kind = OPTION_TEXT,
     .offset = offsetof(evaluate_values, target),
     .value = "COLUMN",
     .required = true,
     .help = "the column with the latencies, in ms"},
    OPTION_SKIP_BAD(evaluate_values),
    OPTION_JSON(evaluate_values),
};

/* The ceiling is that of the table where it repeats labels, else that of the labels the predictor was trained on. */
static void add_ceiling(json_t **object, const nnm_agreement *labels, double training_ceiling10)
{
    bool own = isfinite(labels->ceiling10);
    if (!own) add_key(object, "noise_ceiling10", output_number(training_ceiling10));
    add_key(object, "noise_ceiling_of", output_text(own ? "table" : isfinite(training_ceiling10) ? "training" : NULL));
}

static int run_evaluate(const cli_command *self, const void *values)
{
    const evaluate_values *v = values;
    nnm_error err = NNM_ERROR_INIT;
    nnm_predictor *predictor = NULL;
    nnm_metrics metrics = {0};
    nnm_skipped_rows skipped = {0};
    nnm_agreement labels;
    int code = EXIT_DONE;
    if (nnm_predictor_load(&predictor, v->predictor, &err) ||
        nnm_evaluate_csv(predictor, v->csv, v->target, v->skip_bad ? &skipped : NULL, &metrics, &labels, &err)) {
        code = command_fail(self, &err);
    } else if (v->json) {
        json_t *object = metrics_json(nnm_predictor_kernel_type(predictor), nnm_predictor_model(predictor),
                                      metrics.rows, &metrics, &labels);
        add_ceiling(&object, &labels, nnm_predictor_summary(predictor)->noise_ceiling10);
        add_key(&object, "skipped", json_integer((json_int_t)skipped.count));
        code = output_json(object);
    } else {
        output_pair("kernel", "%s", nnm_predictor_kernel_type(predictor));
        output_pair("model", "%s", nnm_predictor_model(predictor));
        output_pair("rows", "%zu", metrics.rows);
        print_metrics(&metrics, &labels, nnm_predictor_summary(predictor)->noise_ceiling10);
    }
    if (!code) tell_skipped(&skipped);
    nnm_predictor_free(predictor);
    return code;
}

const cli_command command_evaluate = {
    .name = "evaluate",
    .summary = "Compare a predictor with measured latencies: RMSE, RMSPE, share within 5, 10 and 15 %",
    .run = run_evaluate,
    .values_size = sizeof(evaluate_values),
    OPTIONS(evaluate_options),
    .usage = "--predictor P --csv F --target COLUMN [options]",
    .example = "  nn-meter evaluate --predictor conv.nnm --csv measured.csv --target latency_ms\n",
};
