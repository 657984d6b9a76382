/* What several commands need: exit codes, kernel data from files, numbers of a fit. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "commands.h"

int command_fail(const cli_command *command, const nnm_error *err)
{
    output_error(command->name, err->message);
    if (err->code == NNM_ERR_NO_SPACE)
        output_log("Make room on that disk and run the same command again: what is finished is kept");
    switch (err->code) {
    case NNM_ERR_INTERRUPTED: return EXIT_INTERRUPTED;
    case NNM_ERR_PARTIAL: return EXIT_PART;
    default: return EXIT_FAILED;
    }
}

int command_error(const cli_command *command, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    output_error(command->name, message);
    return EXIT_FAILED;
}

/* A table's first line has a comma, and begins with the name of a column. */
static bool is_table(const char *text)
{
    return (isalpha((unsigned char)*text) || *text == '"') && text[strcspn(text, ",\n")] == ',';
}

int check_output(const cli_command *command, const char *path, const char *begin, const char *kind)
{
    char found[256] = "";
    struct stat info;
    if (stat(path, &info) || !S_ISREG(info.st_mode) || info.st_size == 0) return EXIT_DONE;
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(found, 1, sizeof found - 1, file) : 0;
    if (file) fclose(file);
    if (begin ? size >= strlen(begin) && strncasecmp(found, begin, strlen(begin)) == 0 : is_table(found))
        return EXIT_DONE;
    return command_error(command, "%s exists and is not %s: it is not written over; remove it, or choose another file",
                         path, kind);
}

nnm_model_kind chosen_model(const char *name, nnm_model_kind otherwise)
{
    nnm_model_kind model = otherwise;
    return !name || nnm_model_kind_find(&model, name, NULL) ? otherwise : model;
}

/* ---- kernel data ---- */

int path_list_add(path_list *list, const char *format, ...)
{
    char *path = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&path, format, arguments);
    va_end(arguments);
    char **items = length < 0 ? NULL : realloc(list->items, (list->count + 1) * sizeof *items);
    if (!items) {
        if (length >= 0) free(path);
        output_error("", "out of memory");
        return EXIT_FAILED;
    }
    list->items = items;
    list->items[list->count++] = path;
    return EXIT_DONE;
}

void path_list_fini(path_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (path_list){0};
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Is `name` "<kernel>_<mark>.json"? */
static bool is_config_file(const char *name, const char *kernel)
{
    size_t length = strlen(name), prefix = strlen(kernel), suffix = strlen(".json");
    return length > prefix + 1 + suffix && strncmp(name, kernel, prefix) == 0 && name[prefix] == '_' &&
           strcmp(name + length - suffix, ".json") == 0;
}

/* Is it that of a test set, "<kernel>_testset.json" or "<kernel>_testset_<mark>.json", which builds never learn from?
 */
static bool is_test_file(const char *path, const char *kernel)
{
    const char *slash = strrchr(path, '/'), *mark = (slash ? slash + 1 : path) + strlen(kernel) + 1;
    return strcmp(mark, NNM_TEST_SET_MARK ".json") == 0 ||
           strncmp(mark, NNM_TEST_SET_MARK "_", strlen(NNM_TEST_SET_MARK "_")) == 0;
}

/* Test sets are for testing, where there is anything else. */
static void leave_out_tests(path_list *list, const char *kernel)
{
    size_t kept = 0, tests = 0;
    for (size_t i = 0; i < list->count; i++)
        tests += is_test_file(list->items[i], kernel);
    if (tests == 0 || tests == list->count) return;
    for (size_t i = 0; i < list->count; i++) {
        if (!is_test_file(list->items[i], kernel)) {
            list->items[kept++] = list->items[i];
            continue;
        }
        output_log("%s is a test set and is left out; --configs would name it", list->items[i]);
        free(list->items[i]);
    }
    list->count = kept;
}

int find_config_files(const cli_command *command, const char *workspace, const char *kernel, path_list *out)
{
    path_list found = {0};
    int code = path_list_add(&found, "%s/predictor_build/results", workspace);
    if (code) return code;
    DIR *folder = opendir(found.items[0]);
    if (!folder) {
        code = command_error(command, "cannot list %s: %s", found.items[0], strerror(errno));
        goto done;
    }
    for (struct dirent *entry; !code && (entry = readdir(folder));) {
        if (is_config_file(entry->d_name, kernel)) code = path_list_add(out, "%s/%s", found.items[0], entry->d_name);
    }
    closedir(folder);
    if (!code && out->count == 0)
        code =
            command_error(command, "there is no %s_*.json in %s; 'nn-meter sample' makes one", kernel, found.items[0]);
    if (out->count) qsort(out->items, out->count, sizeof *out->items, by_text);
    leave_out_tests(out, kernel);
done:
    path_list_fini(&found);
    return code;
}

static int add_all(path_list *out, const option_list *from)
{
    int code = EXIT_DONE;
    for (size_t i = 0; !code && i < from->count; i++)
        code = path_list_add(out, "%s", from->items[i]);
    return code;
}

static int find_configs(const cli_command *command, const char *workspace, const char *kernel,
                        const option_list *configs, path_list *out)
{
    return configs->count ? add_all(out, configs) : find_config_files(command, workspace, kernel, out);
}

static int find_latencies(const char *workspace, const char *kernel, const option_list *latencies, path_list *out)
{
    return latencies->count || !workspace
               ? add_all(out, latencies)
               : path_list_add(out, "%s/predictor_build/results/profiled_%s.json", workspace, kernel);
}

int find_data_files(const cli_command *command, const char *workspace, const char *kernel, const option_list *configs,
                    const option_list *latencies, path_list *out)
{
    int code = find_configs(command, workspace, kernel, configs, out);
    return code ? code : find_latencies(workspace, kernel, latencies, out);
}

int collect_data(const cli_command *command, const char *workspace, const char *kernel, const option_list *configs,
                 const option_list *latencies, nnm_kernel_data **out)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *entry = NULL;
    path_list config_files = {0}, latency_files = {0};
    int code = find_kernel(command, kernel, &entry);
    if (!code) code = find_configs(command, workspace, kernel, configs, &config_files);
    if (!code) code = find_latencies(workspace, kernel, latencies, &latency_files);
    if (!code && nnm_kernel_data_collect(out, entry, (const char *const *)config_files.items, config_files.count,
                                         (const char *const *)latency_files.items, latency_files.count, &err))
        code = command_fail(command, &err);
    path_list_fini(&config_files);
    path_list_fini(&latency_files);
    return code;
}

const char *choose_backend(const nnm_builder *builder, const char *given)
{
    return given ? given : nnm_workspace_backend(nnm_builder_workspace(builder))->backend;
}

int tell_failures(const nnm_builder *builder, size_t failed, const char *step)
{
    if (failed == 0) return EXIT_DONE;
    output_warning("%zu kernels failed; the reasons stand in %s/predictor_build/results/%s_error.log", failed,
                   nnm_workspace_path(nnm_builder_workspace(builder)), step);
    return EXIT_PART;
}

/* ---- results ---- */

json_t *join_json(json_t *object, json_t *more)
{
    if (!object || !more || json_object_update(object, more)) {
        json_decref(object);
        object = NULL;
    }
    json_decref(more);
    return object;
}

json_t *metrics_json(const char *kernel, const char *model, size_t rows, const nnm_metrics *test,
                     const nnm_agreement *labels)
{
    double unknown = if_known(false, 0);
    const nnm_metrics none = {0, unknown, unknown, unknown, unknown, unknown, unknown};
    if (!test) test = &none;
    json_t *object =
        json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "kernel", output_text(kernel), "model",
                  output_text(model), "rows", (json_int_t)rows, "test_rows", (json_int_t)test->rows, "rmse_ms",
                  output_number(test->rmse), "rmspe", output_number(test->rmspe), "acc5", output_number(test->acc5),
                  "acc10", output_number(test->acc10), "acc15", output_number(test->acc15));
    return join_json(object, labels_json(labels));
}

json_t *fit_json(const nnm_fit_result *fit)
{
    const nnm_training_summary *summary = &fit->summary;
    return metrics_json(nnm_predictor_kernel_type(fit->predictor), nnm_predictor_model(fit->predictor), summary->rows,
                        summary->test_rows ? &summary->test : NULL, &fit->labels);
}

int choose_effort(const cli_command *self, bool quick, bool thorough, nnm_effort *out)
{
    if (quick && thorough) return usage_error(self, "--quick and --thorough exclude each other");
    *out = quick ? NNM_EFFORT_QUICK : thorough ? NNM_EFFORT_THOROUGH : NNM_EFFORT_CONFIGURED;
    return EXIT_DONE;
}
