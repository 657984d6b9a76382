/* sample, convert, profile, export: kernel data and where they come from. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"

/* ---- sample ---- */

typedef struct sample_values {
    const char *workspace, *kernel, *mode, *mark;
    option_list configs;
    option_integer num, seed;
    bool json;
} sample_values;

static const cli_option sample_options[] = {
    OPTION_WORKSPACE(sample_values),
    OPTION_KERNEL(sample_values),
    {.name = "num",
     .kind = OPTION_INTEGER,
     .offset = offsetof(sample_values, num),
     .value = "N",
     .required = true,
     .minimum = 1,
     .maximum = 1000000,
     .help = "configurations to draw; finegrained: around each one"},
    {.name = "mode",
     .kind = OPTION_CHOICE,
     .offset = offsetof(sample_values, mode),
     .value = "prior|finegrained",
     .choices = "prior|finegrained",
     .fallback = "prior",
     .help = "where to draw"},
    {.name = "configs",
     .kind = OPTION_LIST,
     .offset = offsetof(sample_values, configs),
     .value = "F",
     .otherwise = "results/<kernel>_prior.json",
     .help = "finegrained: around the configurations of these files"},
    {.name = "mark",
     .kind = OPTION_TEXT,
     .offset = offsetof(sample_values, mark),
     .value = "M",
     .otherwise = "the mode",
     .help = "names the files"},
    OPTION_SEED(sample_values, "0"),
    OPTION_JSON(sample_values),
};

/* The configurations around which fine-grained sampling draws. */
static int load_around(const cli_command *self, const nnm_builder *builder, const sample_values *v,
                       nnm_config_list *out)
{
    const char *workspace = nnm_workspace_path(nnm_builder_workspace(builder));
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    path_list paths = {0};
    int code = find_kernel(self, v->kernel, &kernel);
    for (size_t i = 0; !code && i < v->configs.count; i++)
        code = path_list_add(&paths, "%s", v->configs.items[i]);
    if (!code && paths.count == 0)
        code = path_list_add(&paths, "%s/predictor_build/results/%s_prior.json", workspace, v->kernel);
    for (size_t i = 0; !code && i < paths.count; i++) {
        nnm_kernel_data *data = NULL;
        nnm_status status = nnm_kernel_data_load(&data, kernel, paths.items[i], &err);
        for (size_t j = 0; !status && j < data->count; j++) {
            if (data->records[j].has_config) status = nnm_config_list_add(out, &data->records[j].config, &err);
        }
        nnm_kernel_data_free(data);
        if (status) code = command_fail(self, &err);
    }
    path_list_fini(&paths);
    return code;
}

static int tell_sample(const sample_values *v, const nnm_builder *builder, const nnm_kernel_data *data, size_t failed)
{
    char file[4096];
    snprintf(file, sizeof file, "%s/predictor_build/results/%s_%s.json",
             nnm_workspace_path(nnm_builder_workspace(builder)), v->kernel, v->mark ? v->mark : v->mode);
    if (v->json)
        return output_json(json_pack("{s:s, s:I, s:I, s:I, s:o}", "kernel", v->kernel, "requested",
                                     (json_int_t)v->num.value, "configurations", (json_int_t)data->count, "failed",
                                     (json_int_t)failed, "file", output_text(file)));
    output_pair("kernel", "%s", v->kernel);
    output_pair("configurations", "%zu", data->count);
    output_pair("file", "%s", file);
    return EXIT_DONE;
}

static int run_sample(const cli_command *self, const void *values)
{
    const sample_values *v = values;
    bool finegrained = strcmp(v->mode, "finegrained") == 0;
    if (v->configs.count && !finegrained) return usage_error(self, "--configs goes with --mode finegrained");
    nnm_error err = NNM_ERROR_INIT;
    nnm_builder *builder = NULL;
    nnm_kernel_data *data = NULL;
    nnm_config_list around = {0};
    nnm_sample_options options = NNM_SAMPLE_OPTIONS_INIT;
    options.mark = v->mark ? v->mark : v->mode;
    options.seed = v->seed.value;
    size_t failed = 0;
    options.failed = &failed;
    int code = EXIT_DONE;
    if (open_builder(self, v->workspace, output_stoppable_hooks(), &builder)) return EXIT_FAILED;
    if (finegrained) {
        code = load_around(self, builder, v, &around);
        options.mode = NNM_SAMPLING_FINEGRAINED;
        options.configs = options.exclude = &around;
    }
    if (!code && nnm_generate_config_sample(builder, v->kernel, (size_t)v->num.value, &options, &data, &err))
        code = command_fail(self, &err);
    if (!code) code = tell_sample(v, builder, data, failed);
    if (!code) code = tell_failures(builder, failed, "generate");
    nnm_config_list_fini(&around);
    nnm_kernel_data_free(data);
    nnm_builder_free(builder);
    return code;
}

const cli_command command_sample = {
    .name = "sample",
    .summary = "Draw configurations of a kernel and write a model file for each",
    .run = run_sample,
    .values_size = sizeof(sample_values),
    OPTIONS(sample_options),
    .usage = "--workspace DIR --kernel K --num N [options]",
    .details = "Called again with the same mark it adds configurations; none is drawn twice. Fewer than N come when\n"
               "the kernel has no more.\n",
    .example = "  nn-meter sample --workspace ws --kernel conv-bn-relu --num 100\n",
};

/* ---- convert and profile: every kernel type of a configuration file ---- */

#define MAX_FILE_TYPES 256

typedef struct models_values {
    const char *workspace, *backend, *models;
    bool json, quick, thorough;
} models_values;

#define MODELS_OPTIONS                                                  \
    OPTION_WORKSPACE(models_values), OPTION_BACKEND(models_values),     \
        {.name = "models",                                              \
         .kind = OPTION_TEXT,                                           \
         .offset = offsetof(models_values, models),                     \
         .value = "CONFIG.json",                                        \
         .required = true,                                              \
         .help = "configuration file, as 'nn-meter sample' writes it"}, \
        OPTION_JSON(models_values)

static const cli_option models_options[] = {MODELS_OPTIONS};
static const cli_option profile_options[] = {MODELS_OPTIONS, OPTION_QUICK(models_values),
                                             OPTION_THOROUGH(models_values)};

/* Where the rows of the answer go, one a kernel type. */
typedef struct models_answer {
    bool json, headed;
    const char *heading;
    json_t *rows;
    size_t finished; /* kernel types of which something was finished */
} models_answer;

/* What is done with the data of one kernel type: returns an exit code; a row is added to the answer. EXIT_PART also
 * where all its kernels failed: those of another type may do better. */
typedef int (*models_fn)(const cli_command *self, nnm_builder *builder, const models_values *v, nnm_kernel_data *data,
                         models_answer *answer);

/* The heading stands above the first row, so that a failure before it prints nothing. */
static void head_once(models_answer *answer)
{
    if (!answer->headed) output_heading(answer->heading);
    answer->headed = true;
}

/* The kernel types that a file holds. */
typedef struct file_types {
    nnm_registry *registry;
    const nnm_kernel *kernels[MAX_FILE_TYPES];
    size_t count;
    char unknown[48]; /* the first name that is none */
    size_t unknown_count;
    nnm_error failure; /* of the first customised one that could not be loaded */
    size_t failed;
} file_types;

static bool is_registered(const nnm_registry *registry, const char *name)
{
    for (size_t i = nnm_kernel_count(); i < nnm_registry_kernel_count(registry); i++)
        if (strcmp(nnm_registry_kernel_name(registry, i), name) == 0) return true;
    return false;
}

static void take_type(void *context, const char *name, const nnm_kernel *kernel)
{
    file_types *types = context;
    nnm_error err = NNM_ERROR_INIT;
    if (!kernel && is_registered(types->registry, name)) {
        if (nnm_registry_find_kernel(types->registry, name, &kernel, &err)) {
            if (types->failed++ == 0) types->failure = err;
            return;
        }
    }
    if (!kernel && types->unknown_count++ == 0) snprintf(types->unknown, sizeof types->unknown, "%.40s", name);
    if (kernel && types->count < MAX_FILE_TYPES) types->kernels[types->count++] = kernel;
}

/* Calls `each` for every kernel type that the file holds. What was finished in part makes the whole so. */
static int for_each_kernel(const cli_command *self, nnm_builder *builder, const models_values *v, models_fn each,
                           models_answer *answer)
{
    nnm_error err = NNM_ERROR_INIT;
    file_types types = {.failure = NNM_ERROR_INIT};
    int result = open_registry(self, &types.registry);
    if (result) return result;
    if (nnm_kernel_data_types(v->models, take_type, &types, &err)) return command_fail(self, &err);
    if (types.failed) {
        (void)command_fail(self, &types.failure);
        result = EXIT_PART;
    }
    if (types.count == 0 && types.failed == 0)
        return command_error(self, "%s holds no kernel type of those that --list-kernels shows%s%s", v->models,
                             types.unknown_count ? "; it has " : "", types.unknown);
    for (size_t i = 0; i < types.count; i++) {
        nnm_kernel_data *data = NULL;
        if (nnm_kernel_data_load(&data, types.kernels[i], v->models, &err)) return command_fail(self, &err);
        int code = each(self, builder, v, data, answer);
        nnm_kernel_data_free(data);
        if (code && code != EXIT_PART) return code;
        if (code) result = code;
    }
    if (types.unknown_count) /* nobody may take it for converted or profiled */
        output_warning("%s: passed over '%s', which is no kernel type", v->models, types.unknown);
    return answer->finished ? result : EXIT_FAILED;
}

static int run_models(const cli_command *self, const models_values *v, models_fn each, const char *heading)
{
    nnm_builder *builder = NULL;
    nnm_effort effort = NNM_EFFORT_CONFIGURED;
    if (choose_effort(self, v->quick, v->thorough, &effort)) return EXIT_USAGE;
    if (open_builder(self, v->workspace, output_stoppable_hooks(), &builder)) return EXIT_FAILED;
    nnm_builder_set_effort(builder, effort);
    models_answer answer = {.json = v->json, .heading = heading, .rows = v->json ? json_array() : NULL};
    int code = for_each_kernel(self, builder, v, each, &answer);
    if (v->json && json_array_size(answer.rows) && code != EXIT_INTERRUPTED) {
        if (output_json(json_pack("{s:o}", "kernels", answer.rows))) code = EXIT_FAILED;
    } else {
        json_decref(answer.rows);
    }
    nnm_builder_free(builder);
    return code;
}

/* Tells what failed of a kernel type; `all`: why the first did, where all of them did. */
static int conclude(const cli_command *self, const nnm_builder *builder, models_answer *answer, const char *step,
                    size_t failed, const nnm_error *all)
{
    answer->finished += !all;
    if (!all) return tell_failures(builder, failed, step);
    (void)command_fail(self, all);
    return EXIT_PART;
}

static int convert_kernel(const cli_command *self, nnm_builder *builder, const models_values *v, nnm_kernel_data *data,
                          models_answer *answer)
{
    nnm_error err = NNM_ERROR_INIT;
    size_t failed = 0;
    const char *kernel = nnm_kernel_name(data->kernel);
    nnm_status status =
        nnm_convert_models(builder, choose_backend(builder, v->backend), data, v->models, &failed, &err);
    bool none = status == NNM_ERR_BACKEND && failed == data->count;
    if (status && !none) return command_fail(self, &err);
    if (v->json) {
        output_append(&answer->rows, json_pack("{s:s, s:I, s:I}", "kernel", kernel, "converted",
                                               (json_int_t)(data->count - failed), "failed", (json_int_t)failed));
    } else {
        head_once(answer);
        printf("%-18s %9zu %7zu\n", kernel, data->count - failed, failed);
        fflush(stdout);
    }
    return conclude(self, builder, answer, "convert", failed, none ? &err : NULL);
}

static int run_convert(const cli_command *self, const void *values)
{
    return run_models(self, values, convert_kernel, "kernel             converted  failed");
}

const cli_command command_convert = {
    .name = "convert",
    .summary = "Turn sampled models into what the backend loads",
    .run = run_convert,
    .values_size = sizeof(models_values),
    OPTIONS(models_options),
    .usage = "--workspace DIR --models CONFIG.json [options]",
    .example = "  nn-meter convert --workspace ws \\\n"
               "      --models ws/predictor_build/results/conv-bn-relu_prior.json\n",
};

static json_t *profile_json(const char *kernel, const nnm_profile_summary *summary, const nnm_agreement *labels)
{
    json_t *object = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "kernel", kernel, "requested",
                               (json_int_t)summary->requested, "known", (json_int_t)summary->known, "profiled",
                               (json_int_t)summary->profiled, "failed", (json_int_t)summary->failed, "noisy",
                               (json_int_t)summary->noisy, "elapsed_s", output_number(summary->elapsed_s), "measured_s",
                               output_number(summary->measured_s), "waited_s", output_number(summary->waited_s),
                               "quiet_share", output_number(if_known(summary->profiled > 0, summary->quiet_share)));
    return join_json(object, labels_json(labels));
}

static int profile_kernel(const cli_command *self, nnm_builder *builder, const models_values *v, nnm_kernel_data *data,
                          models_answer *answer)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_profile_summary summary = {0};
    nnm_agreement labels;
    const char *kernel = nnm_kernel_name(data->kernel);
    nnm_error unlabelled = NNM_ERROR_INIT;
    nnm_status status = nnm_profile_models(builder, choose_backend(builder, v->backend), data, &summary, &err);
    bool none = status == NNM_ERR_BACKEND && summary.failed == data->count; /* else it was given up early */
    if (status && !none) return command_fail(self, &err);
    if (nnm_check_labels(builder, data, &labels, &unlabelled)) return command_fail(self, &unlabelled);
    if (v->json) {
        output_append(&answer->rows, profile_json(kernel, &summary, &labels));
    } else {
        char time[OUTPUT_CELL_BYTES], quiet[OUTPUT_CELL_BYTES], agree5[OUTPUT_CELL_BYTES], agree10[OUTPUT_CELL_BYTES];
        char ceiling[OUTPUT_CELL_BYTES];
        head_once(answer);
        printf("%-18s %8zu %6zu %6zu %12s %8s %8zu %8s %8s %8s\n", kernel, summary.profiled, summary.failed,
               summary.known, output_seconds(summary.elapsed_s, time),
               output_share(if_known(summary.profiled > 0, summary.quiet_share), quiet), labels.pairs,
               output_share(labels.agree5, agree5), output_share(labels.agree10, agree10),
               output_share(labels.ceiling10, ceiling));
        fflush(stdout);
    }
    return conclude(self, builder, answer, "profile", summary.failed, none ? &err : NULL);
}

static int run_profile(const cli_command *self, const void *values)
{
    return run_models(
        self, values, profile_kernel,
        "kernel             profiled failed  known         time    quiet repeated  agree 5 agree 10  ceiling");
}

const cli_command command_profile = {
    .name = "profile",
    .summary = "Measure the kernels of a configuration file",
    .run = run_profile,
    .values_size = sizeof(models_values),
    OPTIONS(profile_options),
    .usage = "--workspace DIR --models CONFIG.json [options]",
    .details = "Goes on where an earlier run stopped: what the workspace's journal knows is not measured again.\n"
               "quiet: share of the samples that nothing disturbed; repeated: kernels measured again in a separate\n"
               "pass at the end (one in twenty, at least 20); agree 5, agree 10: share of these whose two latencies\n"
               "agree within 5 and 10 %; ceiling: share that a perfect predictor would get right within 10 %, given\n"
               "such labels.\n",
    .example = "  nn-meter profile --workspace ws \\\n"
               "      --models ws/predictor_build/results/conv-bn-relu_prior.json\n",
};

/* ---- export ---- */

typedef struct export_values {
    const char *kernel, *csv, *merge, *predictor, *onnx, *workspace;
    bool rebuild;
    option_list configs, latencies;
} export_values;

static const cli_option export_options[] = {
    {.name = "kernel",
     .kind = OPTION_TEXT,
     .offset = offsetof(export_values, kernel),
     .value = "K",
     .help = "kernel type, see --list-kernels"},
    {.name = "configs",
     .kind = OPTION_LIST,
     .offset = offsetof(export_values, configs),
     .value = "F",
     .otherwise = "all of the workspace",
     .help = "configuration files"},
    {.name = "latencies",
     .kind = OPTION_LIST,
     .offset = offsetof(export_values, latencies),
     .value = "F",
     .otherwise = "that of the workspace; else those in the configuration files",
     .help = "latency files"},
    {.name = "csv",
     .kind = OPTION_TEXT,
     .offset = offsetof(export_values, csv),
     .value = "OUT",
     .help = "the table to write"},
    {.name = "merge",
     .kind = OPTION_TEXT,
     .offset = offsetof(export_values, merge),
     .value = "OUT.json",
     .help = "the file to write with everything that the others hold"},
    {.name = "rebuild",
     .kind = OPTION_FLAG,
     .offset = offsetof(export_values, rebuild),
     .help = "write the files of a workspace again from its journal"},
    {.name = "workspace",
     .kind = OPTION_TEXT,
     .offset = offsetof(export_values, workspace),
     .value = "DIR",
     .help = "the workspace of the data, or to rebuild"},
    {.name = "predictor",
     .kind = OPTION_TEXT,
     .offset = offsetof(export_values, predictor),
     .value = "P",
     .help = "a predictor file"},
    {.name = "onnx",
     .kind = OPTION_TEXT,
     .offset = offsetof(export_values, onnx),
     .value = "OUT",
     .help = "with --predictor: the ONNX model to write"},
};

static int check_export(const cli_command *self, const export_values *v)
{
    bool of_data = v->kernel || v->csv || v->merge || v->configs.count || v->latencies.count;
    if (v->rebuild && (of_data || v->predictor || v->onnx))
        return usage_error(self, "--rebuild goes with --workspace alone");
    if (v->rebuild && !v->workspace) return usage_error(self, "option '--workspace DIR' is missing");
    if (v->rebuild) return EXIT_DONE;
    if (v->predictor || v->onnx) {
        if (of_data || v->workspace)
            return usage_error(self, "--predictor and --onnx do not go with options for kernel data");
        if (!v->onnx) return usage_error(self, "option '--onnx OUT' is missing");
        if (!v->predictor) return usage_error(self, "option '--predictor P' is missing");
        return EXIT_DONE;
    }
    if (!v->kernel) return usage_error(self, "option '--kernel K' is missing");
    if (!v->configs.count && !v->workspace) return usage_error(self, "give data: --configs F... or --workspace DIR");
    if (!v->csv && !v->merge) return usage_error(self, "give what to write: --csv OUT or --merge OUT.json");
    return EXIT_DONE;
}

typedef struct rebuilt_files {
    size_t count;
} rebuilt_files;

static void tell_rebuilt(void *context, const char *path, size_t kernels)
{
    rebuilt_files *files = context;
    if (files->count++ == 0) output_heading(" kernels  file");
    printf("%8zu  %s\n", kernels, path);
    fflush(stdout);
}

static int rebuild_files(const cli_command *self, const export_values *v)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_builder *builder = NULL;
    rebuilt_files files = {0};
    if (open_builder(self, v->workspace, output_stoppable_hooks(), &builder)) return EXIT_FAILED;
    int code = nnm_rebuild_files(builder, tell_rebuilt, &files, &err) ? command_fail(self, &err) : EXIT_DONE;
    if (!code && files.count == 0) output_log("The journal holds nothing to make files of");
    nnm_builder_free(builder);
    return code;
}

static int export_predictor(const cli_command *self, const export_values *v)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_predictor *predictor = NULL;
    int code = check_output(self, v->onnx, "\x08", "an ONNX model"); /* the field ir_version */
    if (code) return code;
    if (nnm_predictor_load(&predictor, v->predictor, &err) || nnm_export_onnx(predictor, v->onnx, &err))
        code = command_fail(self, &err);
    if (!code) output_log("Wrote the predictor for %s to %s", nnm_predictor_kernel_type(predictor), v->onnx);
    nnm_predictor_free(predictor);
    return code;
}

static int export_table(const cli_command *self, const export_values *v)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *data = NULL;
    int code = check_output(self, v->csv, NULL, "a CSV table");
    if (!code) code = collect_data(self, v->workspace, v->kernel, &v->configs, &v->latencies, &data);
    if (!code && nnm_export_csv(data, v->csv, &err)) code = command_fail(self, &err);
    if (!code) output_log("Wrote %zu rows to %s", data->count, v->csv);
    nnm_kernel_data_free(data);
    return code;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat a_info, b_info;
    return stat(a, &a_info) == 0 && stat(b, &b_info) == 0 && a_info.st_dev == b_info.st_dev &&
           a_info.st_ino == b_info.st_ino;
}

/* What the file to write knows about this kernel type must not be lost: it is among those that are merged, or has
 * nothing of it. */
static int check_target(const cli_command *self, const nnm_kernel *kernel, const path_list *paths, const char *target)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *data = NULL;
    for (size_t i = 0; i < paths->count; i++)
        if (is_same_file(paths->items[i], target)) return EXIT_DONE;
    nnm_status status = nnm_kernel_data_load(&data, kernel, target, &err);
    if (status == NNM_ERR_NOT_FOUND) return EXIT_DONE;
    if (status) return command_fail(self, &err);
    size_t count = data->count;
    nnm_kernel_data_free(data);
    return command_error(self,
                         "%s holds %zu kernels of %s already, which would be lost; name it with --configs to keep "
                         "them, or write to another file",
                         target, count, nnm_kernel_name(kernel));
}

/* The latencies of a workspace are in one file, those of test sets too. */
static int leave_out_bare_latencies(const cli_command *self, nnm_kernel_data **data)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *kept = NULL;
    nnm_status status = nnm_kernel_data_new(&kept, (*data)->kernel, &err);
    for (size_t i = 0; i < (*data)->count && status == NNM_OK; i++)
        if ((*data)->records[i].has_config) status = nnm_kernel_data_add(kept, &(*data)->records[i], &err);
    if (status) {
        nnm_kernel_data_free(kept);
        return command_fail(self, &err);
    }
    nnm_kernel_data_free(*data);
    *data = kept;
    return EXIT_DONE;
}

static int merge_data(const cli_command *self, const export_values *v)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_kernel_data *all = NULL;
    path_list paths = {0};
    size_t latencies = 0;
    int code = find_kernel(self, v->kernel, &kernel);
    if (!code) code = find_data_files(self, v->workspace, v->kernel, &v->configs, &v->latencies, &paths);
    if (!code) code = check_target(self, kernel, &paths, v->merge);
    if (!code && nnm_kernel_data_load_all(&all, kernel, (const char *const *)paths.items, paths.count, &err))
        code = command_fail(self, &err);
    if (!code && v->workspace && !v->latencies.count) code = leave_out_bare_latencies(self, &all);
    if (!code && nnm_kernel_data_save(all, v->merge, &err)) code = command_fail(self, &err);
    for (size_t i = 0; !code && i < all->count; i++)
        latencies += all->records[i].has_latency;
    if (!code) output_log("Wrote %zu kernels, %zu of them with a latency, to %s", all->count, latencies, v->merge);
    nnm_kernel_data_free(all);
    path_list_fini(&paths);
    return code;
}

static int export_data(const cli_command *self, const export_values *v)
{
    int code = v->merge ? merge_data(self, v) : EXIT_DONE;
    return !code && v->csv ? export_table(self, v) : code;
}

static int run_export(const cli_command *self, const void *values)
{
    const export_values *v = values;
    int code = check_export(self, v);
    if (code) return code;
    if (v->rebuild) return rebuild_files(self, v);
    return v->predictor ? export_predictor(self, v) : export_data(self, v);
}

const cli_command command_export = {
    .name = "export",
    .summary =
        "Write kernel data as a CSV table, a predictor as an ONNX model, or a workspace's files from its journal",
    .run = run_export,
    .values_size = sizeof(export_values),
    OPTIONS(export_options),
    .usage = "--kernel K --configs F... [--latencies F...] [--csv OUT] [--merge OUT.json]\n"
             "       nn-meter export --kernel K --workspace DIR [--csv OUT] [--merge OUT.json]\n"
             "       nn-meter export --predictor P --onnx OUT\n"
             "       nn-meter export --rebuild --workspace DIR",
    .details = "The table has a column a feature, and the latencies. --merge writes one file with the configurations\n"
               "and latencies of all; other kernel types that it holds already stay. The ONNX model takes rows of\n"
               "configurations and gives latencies in ms. --rebuild writes again, from the workspace's journal: the\n"
               "configuration files of what was sampled, the latency files, and the tables that predictors were made\n"
               "of. Files of which the journal knows nothing are left alone.\n",
    .example = "  nn-meter export --kernel conv-bn-relu --csv conv.csv \\\n"
               "      --configs ws/predictor_build/results/conv-bn-relu_prior.json \\\n"
               "      --latencies ws/predictor_build/results/profiled_conv-bn-relu.json\n"
               "  nn-meter export --kernel conv-bn-relu --workspace ws --merge conv.json\n"
               "  nn-meter export --predictor conv.nnm --onnx conv.onnx\n"
               "  nn-meter export --rebuild --workspace ws\n",
};
