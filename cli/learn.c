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
    const char *curve;
    option_integer folds, draws, seed, threads;
    bool skip_bad, json;
} train_values;

static const cli_option train_options[] = {
    OPTION_KERNEL(train_values),
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(train_values, output),
     .value = "PREDICTOR",
     .help = "the predictor file to write; may be left out with --folds or --curve"},
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
    {.name = "folds",
     .kind = OPTION_INTEGER,
     .offset = offsetof(train_values, folds),
     .value = "K",
     .minimum = 2,
     .maximum = 1000000,
     .otherwise = "none",
     .help = "cross-validate too: K fits, each tested on another Kth of the rows"},
    {.name = "curve",
     .kind = OPTION_TEXT,
     .offset = offsetof(train_values, curve),
     .value = "N,N,...",
     .otherwise = "none",
     .help = "tell too how good fits to so many rows are"},
    {.name = "draws",
     .kind = OPTION_INTEGER,
     .offset = offsetof(train_values, draws),
     .value = "N",
     .minimum = 1,
     .maximum = 1000,
     .otherwise = "5",
     .help = "with --curve: training sets of each size"},
    OPTION_SKIP_BAD(train_values),
    OPTION_MODEL(train_values, "best"),
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
    if (!v->output && !v->folds.given && !v->curve) return usage_error(self, "option '--output PREDICTOR' is missing");
    if (!v->output && v->mark) return usage_error(self, "--mark goes with --output");
    if (v->draws.given && !v->curve) return usage_error(self, "--draws goes with --curve");
    return EXIT_DONE;
}

/* Opens the workspace, if there is one, and reads the kernel data. */
static int read_data(const cli_command *self, const train_values *v, nnm_builder **builder, nnm_kernel_data **data)
{
    const char *workspace = NULL;
    if (v->workspace) {
        if (open_builder(self, v->workspace, output_hooks(), builder)) return EXIT_FAILED;
        workspace = nnm_workspace_path(nnm_builder_workspace(*builder));
    }
    return collect_data(self, workspace, v->kernel, &v->configs, &v->latencies, data);
}

static void tell_rows(const nnm_skipped_rows *skipped, size_t duplicates)
{
    tell_skipped(skipped);
    if (duplicates) output_log("%zu rows repeat a configuration and were left out", duplicates);
}

/* Fits, tells what was left out, and writes the predictor. */
static int fit(const cli_command *self, const train_values *v, nnm_builder *builder, const training_input *input,
               nnm_fit_result *out)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_status status = input->data ? nnm_build_predictor_by_data(builder, input->data, &input->table.fit, out, &err)
                                    : nnm_train_csv(input->kernel, input->csv, &input->table, out, &err);
    if (status == NNM_OK) status = nnm_predictor_save(out->predictor, v->output, &err);
    if (status) return command_fail(self, &err);
    tell_rows(&out->skipped, out->duplicates);
    return EXIT_DONE;
}

static void tell_fit(const train_values *v, const nnm_fit_result *fit)
{
    output_pair("kernel", "%s", nnm_predictor_kernel_type(fit->predictor));
    output_pair("model", "%s", nnm_predictor_model(fit->predictor));
    output_pair("rows", "%zu", fit->summary.rows);
    output_pair("test rows", "%zu", fit->summary.test_rows);
    if (fit->summary.test_rows)
        print_metrics(&fit->summary.test, &fit->labels, fit->labels.ceiling10);
    else
        print_labels(&fit->labels);
    output_pair("predictor", "%s", v->output);
}

/* Everything that was asked for: the fit, the cross-validation, the learning curve. */
static int train(const cli_command *self, const train_values *v, nnm_builder *builder, const training_input *input)
{
    nnm_fit_result fitted = {0};
    nnm_cross_validation folds = {0};
    nnm_learning_curve curve = {0};
    json_t *object = NULL;
    int code = EXIT_DONE;
    if (v->output) code = check_output(self, v->output, "NNMPRED", "a predictor");
    if (v->output && !code) code = fit(self, v, builder, input, &fitted);
    if (!code && v->folds.given) code = cross_validate(self, input, (size_t)v->folds.value, &folds);
    if (!code && v->curve)
        code = learn_curve(self, input, v->curve, v->draws.given ? (size_t)v->draws.value : 5, &curve);
    if (code) goto done;
    if (!v->output && v->folds.given)
        tell_rows(&folds.skipped, folds.duplicates);
    else if (!v->output)
        tell_rows(&curve.skipped, curve.duplicates);
    if (!v->json) {
        if (v->output) tell_fit(v, &fitted);
        if (v->folds.given) print_folds(&folds);
        if (v->curve) print_curve(&curve);
        goto done;
    }
    if (v->output) {
        object = fit_json(&fitted);
        add_key(&object, "duplicates", json_integer((json_int_t)fitted.duplicates));
        add_key(&object, "skipped", json_integer((json_int_t)fitted.skipped.count));
        add_key(&object, "predictor", output_text(v->output));
    } else {
        size_t rows = v->folds.given ? folds.rows : curve.rows;
        size_t duplicates = v->folds.given ? folds.duplicates : curve.duplicates;
        size_t skipped = v->folds.given ? folds.skipped.count : curve.skipped.count;
        object = json_pack("{s:o, s:s, s:I, s:I, s:I}", "kernel", output_text(v->kernel), "model",
                           nnm_model_kind_name(input->table.fit.model), "rows", (json_int_t)rows, "duplicates",
                           (json_int_t)duplicates, "skipped", (json_int_t)skipped);
    }
    if (v->folds.given) add_key(&object, "cross_validation", folds_json(&folds));
    if (v->curve) add_key(&object, "learning_curve", curve_json(&curve));
    code = output_json(object);
done:
    nnm_fit_result_fini(&fitted);
    nnm_cross_validation_fini(&folds);
    nnm_learning_curve_fini(&curve);
    return code;
}

static int run_train(const cli_command *self, const void *values)
{
    const train_values *v = values;
    int code = check_train(self, v);
    if (code) return code;
    nnm_builder *builder = NULL;
    nnm_kernel_data *data = NULL;
    training_input input = {.kernel = v->kernel, .csv = v->csv, .table = NNM_TABLE_OPTIONS_INIT};
    input.table.target = v->target;
    input.table.skip_bad = v->skip_bad;
    input.table.fit.test_size = v->test_size.value;
    input.table.fit.seed = v->seed.value;
    input.table.fit.threads = (unsigned)v->threads.value;
    input.table.fit.model = chosen_model(v->model, input.table.fit.model);
    input.table.fit.mark = v->mark;
    input.table.fit.hooks = output_hooks();
    code = open_registry(self, &input.table.registry);
    if (!code && !v->csv) code = read_data(self, v, &builder, &data);
    input.data = data;
    if (!code) code = train(self, v, builder, &input);
    nnm_kernel_data_free(data);
    nnm_builder_free(builder);
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
    .details = "A fifth of the rows is kept for the test that is reported. --folds and --curve tell how good such\n"
               "predictors are; without -o they write nothing.\n",
    .example =
        "  nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o conv.nnm\n"
        "  nn-meter train --kernel conv-bn-relu --workspace ws -o conv.nnm\n"
        "  nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms --folds 5 --curve 50,100,200\n",
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
     .help = "with --config: answer with one JSON object, with interval and feature far outside"},
};

static int predict_one(const cli_command *self, const predict_values *v, const nnm_predictor *predictor)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_prediction prediction = {0};
    nnm_registry *registry = NULL;
    if (open_registry(self, &registry)) return EXIT_FAILED;
    if (nnm_predict_config(registry, predictor, v->config, &prediction, &err)) return command_fail(self, &err);
    if (prediction.extrapolated) {
        char text[NNM_ERROR_MESSAGE_BYTES];
        output_warning("far outside of the training range: %s",
                       nnm_prediction_explain(predictor, &prediction, text, sizeof text));
    }
    if (v->json) {
        const char *feature =
            prediction.extrapolated ? nnm_predictor_feature_name(predictor, prediction.extrapolated_feature) : NULL;
        return output_json(json_pack("{s:o, s:o, s:o, s:o}", "latency_ms", output_number(prediction.latency_ms),
                                     "lower_ms", output_number(prediction.lower_ms), "upper_ms",
                                     output_number(prediction.upper_ms), "extrapolated", output_text(feature)));
    }
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
    nnm_extrapolated_rows far = {0};
    nnm_registry *registry = NULL;
    if (open_registry(self, &registry)) return EXIT_FAILED;
    if (nnm_predictor_load(&predictor, v->predictor, &err)) return command_fail(self, &err);
    int code = EXIT_DONE;
    if (v->config) {
        code = predict_one(self, v, predictor);
    } else if (nnm_predict_csv(registry, predictor, v->csv, v->skip_bad ? &skipped : NULL, &far, stdout, &err)) {
        code = command_fail(self, &err);
    }
    if (skipped.count) output_warning("%zu rows have no prediction; the first: %s", skipped.count, skipped.first);
    if (far.count)
        output_warning("%zu rows are far outside of the training range; the first: %s", far.count, far.first);
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
    .details =
        "Latencies are in milliseconds. lower_ms and upper_ms hold 90 % of such kernels. A feature below half or\n"
        "above twice what the predictor was trained on is told on stderr.\n",
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
    nnm_registry *registry = NULL;
    int code = open_registry(self, &registry);
    if (code) return code;
    if (nnm_predictor_load(&predictor, v->predictor, &err) ||
        nnm_evaluate_csv(registry, predictor, v->csv, v->target, v->skip_bad ? &skipped : NULL, &metrics, &labels,
                         &err)) {
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
