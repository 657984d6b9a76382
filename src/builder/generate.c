/* Configurations become kernel data and model files. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "builder/builder.h"
#include "builder/notes.h"
#include "builder/progress.h"
#include "nnmeter/model_file.h"
#include "store/paths.h"

#define ID_LENGTH 6

static const char *mark_of(const nnm_sample_options *options)
{
    if (options->mark) return options->mark;
    static const char *const marks[] = {"prior", "finegrained", "given"}; /* in the order of nnm_sampling_mode */
    return marks[options->mode];
}

nnm_status nnm_builder_open_prior(const nnm_builder *builder, const nnm_kernel *kernel, nnm_prior **out, nnm_error *err)
{
    const char *folder = nnm_workspace_predictorbuild(builder->workspace)->prior_dir;
    if (!folder) return nnm_prior_builtin(out, kernel, err);
    if (!nnm_folder_exists(folder)) return nnm_fail(err, NNM_ERR_NOT_FOUND, "PRIOR_DIR '%s' is not a folder", folder);
    const char *table = nnm_prior_table_of(kernel);
    if (!table) return nnm_prior_builtin(out, kernel, err);
    char *path = nnm_format("%s/%s.csv", folder, table);
    if (!path) return nnm_fail_memory(err);
    nnm_status status =
        nnm_file_exists(path) ? nnm_prior_load_csv(out, kernel, path, err) : nnm_prior_builtin(out, kernel, err);
    free(path);
    return status;
}

/* Each kernel type and mark draws numbers of its own: the default seed must not give a second mark the kernels of the
 * first. */
static uint64_t stream_of(const char *kernel, const char *mark)
{
    return nnm_hash64(kernel, strlen(kernel), nnm_hash64(mark, strlen(mark), 0));
}

static nnm_status take_given(nnm_config_list *out, const nnm_config_list *given, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < given->count && status == NNM_OK; i++)
        status = nnm_config_list_add(out, &given->items[i], err);
    return status;
}

static nnm_status draw(const nnm_builder *builder, const nnm_kernel *kernel, size_t num,
                       const nnm_sample_options *options, const nnm_config_list *exclude, nnm_config_list *out,
                       nnm_error *err)
{
    uint64_t seed = options->seed ^ stream_of(nnm_kernel_name(kernel), mark_of(options));
    if (options->mode == NNM_SAMPLING_FINEGRAINED)
        return nnm_sample_finegrained(out, kernel, options->configs, num, seed, exclude, err);
    if (options->mode == NNM_SAMPLING_GIVEN) return take_given(out, options->configs, err);
    nnm_prior *prior = NULL;
    nnm_status status = nnm_builder_open_prior(builder, kernel, &prior, err);
    if (status == NNM_OK) status = nnm_sample_prior(out, kernel, prior, num, seed, exclude, err);
    nnm_prior_free(prior);
    return status;
}

/* Six letters or digits that no record has yet. They follow from the configuration, so that an id that comes back after
 * its file was deleted stands for the same kernel again. */
static void draw_id(const nnm_kernel_data *data, const nnm_kernel_record *record, uint64_t seed,
                    char id[NNM_KERNEL_ID_BYTES])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    char subject[256];
    nnm_builder_describe(data->kernel, record, subject, sizeof subject);
    nnm_rng rng;
    nnm_rng_init(&rng, seed, nnm_hash64(subject, strlen(subject), 0));
    do {
        for (size_t i = 0; i < ID_LENGTH; i++)
            id[i] = alphabet[nnm_rng_below(&rng, sizeof alphabet - 1)];
        id[ID_LENGTH] = '\0';
    } while (nnm_kernel_data_find(data, id));
}

static nnm_status add_records(const nnm_builder *builder, nnm_kernel_data *data, const nnm_config_list *configs,
                              const char *mark, uint64_t seed, nnm_error *err)
{
    const nnm_kernel *kernel = data->kernel;
    const char *name = nnm_kernel_name(kernel);
    int64_t batch_size = nnm_workspace_predictorbuild(builder->workspace)->batch_size;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < configs->count && status == NNM_OK; i++) {
        nnm_kernel_record record = {.config = configs->items[i], .has_config = true, .batch_size = batch_size};
        draw_id(data, &record, seed ^ stream_of(name, mark), record.id);
        nnm_graph_options options = nnm_builder_graph_options(builder, record.id);
        status =
            nnm_kernel_input_shapes(kernel, &record.config, options.layout, record.shapes, &record.shape_count, err);
        if (status) return status;
        record.model = nnm_path_model(nnm_workspace_path(builder->workspace), name, mark, record.id,
                                      nnm_model_suffix(options.layout));
        status = record.model ? nnm_kernel_data_add(data, &record, err) : nnm_fail_memory(err);
        free(record.model);
    }
    return status;
}

nnm_status nnm_builder_write_model(const nnm_builder *builder, const nnm_kernel *kernel,
                                   const nnm_kernel_record *record, nnm_error *err)
{
    nnm_graph *graph = NULL;
    nnm_graph_options options = nnm_builder_graph_options(builder, record->id);
    nnm_status status = nnm_kernel_build_graph(&graph, kernel, &record->config, &options, err);
    if (status == NNM_OK) status = nnm_model_write(graph, record->model, err);
    nnm_graph_free(graph);
    return status;
}

/* A copy of `data` without the records that are marked in `drop`. */
static nnm_status without(const nnm_kernel_data *data, const bool *drop, nnm_kernel_data **out, nnm_error *err)
{
    nnm_kernel_data *kept = NULL;
    nnm_status status = nnm_kernel_data_new(&kept, data->kernel, err);
    for (size_t i = 0; i < data->count && status == NNM_OK; i++)
        if (!drop[i]) status = nnm_kernel_data_add(kept, &data->records[i], err);
    if (status)
        nnm_kernel_data_free(kept);
    else
        *out = kept;
    return status;
}

bool nnm_builder_is_kernels_fault(nnm_status status)
{
    return status == NNM_ERR_VALUE || status == NNM_ERR_UNSUPPORTED || status == NNM_ERR_INVALID_ARGUMENT ||
           status == NNM_ERR_CRASHED || status == NNM_ERR_TIMEOUT || /* code of a customised kernel */
           status == NNM_ERR_NO_MEMORY;                              /* a smaller one may do */
}

/* Writes every model file that is missing. A kernel whose file cannot be written is logged and marked in `dropped`; a
 * disk or a folder that fails stops the work. */
static nnm_status write_models(const nnm_builder *builder, const nnm_kernel_data *data, bool *dropped,
                               size_t *dropped_count, nnm_error *first, nnm_error *err)
{
    char activity[96];
    snprintf(activity, sizeof activity, "generate %s", nnm_kernel_name(data->kernel));
    nnm_progress_meter meter;
    nnm_progress_begin(&meter, builder, activity, data->count, (double)data->count);
    for (size_t i = 0; i < data->count; i++) {
        nnm_status status = nnm_builder_check_interrupted(builder, err);
        if (status) return status;
        const nnm_kernel_record *record = &data->records[i];
        nnm_error failure = NNM_ERROR_INIT;
        nnm_status written = NNM_OK;
        if (record->has_config && record->model && !nnm_file_exists(record->model))
            written = nnm_builder_write_model(builder, data->kernel, record, &failure);
        if (written && !nnm_builder_is_kernels_fault(written)) {
            if (err) *err = failure;
            return nnm_context(err, written, "after %zu of %zu model files", i, data->count);
        }
        if (written) {
            status = nnm_builder_log_failure(builder, "generate", data->kernel, record, &failure, err);
            if (status) return status;
            dropped[i] = true;
            if (++*dropped_count == 1) *first = failure;
        }
        nnm_progress_step(&meter, i + 1, *dropped_count, (double)(i + 1));
    }
    return NNM_OK;
}

static nnm_status load_existing(const nnm_kernel *kernel, const char *path, nnm_kernel_data **out, nnm_error *err)
{
    if (!nnm_file_exists(path)) return nnm_kernel_data_new(out, kernel, err);
    nnm_error failure = NNM_ERROR_INIT;
    nnm_status status = nnm_kernel_data_load(out, kernel, path, &failure);
    if (status == NNM_ERR_NOT_FOUND) return nnm_kernel_data_new(out, kernel, err); /* holds other kernel types only */
    if (status && err) *err = failure;
    return status;
}

nnm_status nnm_builder_load_configs(const nnm_builder *builder, const nnm_kernel *kernel, const char *mark,
                                    nnm_kernel_data **out, nnm_error *err)
{
    char *path = nnm_path_configs_json(nnm_workspace_path(builder->workspace), nnm_kernel_name(kernel), mark);
    nnm_status status = path ? load_existing(kernel, path, out, err) : nnm_fail_memory(err);
    free(path);
    return status;
}

/* The journal first: the file is derived from it. */
static nnm_status save_configs(const nnm_builder *builder, const nnm_kernel_data *data, const char *mark,
                               const char *path, nnm_error *err)
{
    nnm_status status = nnm_builder_note_file(builder, NNM_JOURNAL_SAMPLED, mark, data, err);
    return status ? status : nnm_kernel_data_save_configs(data, path, err);
}

/* Whether a name in the results folder is that of a configuration file of this kernel type: <kernel>_<mark>.json. */
static bool is_configs_name(const char *name, const char *kernel)
{
    size_t prefix = strlen(kernel), length = strlen(name);
    return length > prefix + 6 && strncmp(name, kernel, prefix) == 0 && name[prefix] == '_' &&
           strcmp(name + length - 5, ".json") == 0;
}

/* Under any mark: kernels set apart for an evaluation must not be among those trained on. */
nnm_status nnm_builder_list_known(const nnm_builder *builder, const nnm_kernel *kernel, nnm_config_list *out,
                                  nnm_error *err)
{
    nnm_status status = NNM_OK;
    char *folder = nnm_path_results(nnm_workspace_path(builder->workspace));
    DIR *files = folder ? opendir(folder) : NULL;
    if (!folder) return nnm_fail_memory(err);
    for (struct dirent *file; files && status == NNM_OK && (file = readdir(files));) {
        if (!is_configs_name(file->d_name, nnm_kernel_name(kernel))) continue;
        char *path = nnm_format("%s/%s", folder, file->d_name);
        nnm_kernel_data *data = NULL;
        status = path ? load_existing(kernel, path, &data, err) : nnm_fail_memory(err);
        if (status == NNM_OK) status = nnm_builder_list_configs(out, data, err);
        nnm_kernel_data_free(data);
        free(path);
    }
    if (files) closedir(files);
    free(folder);
    return status;
}

static nnm_status list_excluded(const nnm_builder *builder, const nnm_kernel *kernel, const nnm_config_list *given,
                                nnm_config_list *out, nnm_error *err)
{
    nnm_status status = nnm_builder_list_known(builder, kernel, out, err);
    for (size_t i = 0; given && i < given->count && status == NNM_OK; i++)
        status = nnm_config_list_add(out, &given->items[i], err);
    return status;
}

/* How many configurations a call has to draw. A call that completes an earlier one draws what the prior still lacks;
 * all other configurations were written at once, so either all of them are there or none is. */
static size_t count_missing(const nnm_kernel_data *data, size_t num, bool complete, nnm_sampling_mode mode)
{
    if (!complete || data->count == 0) return num;
    if (mode != NNM_SAMPLING_PRIOR) return 0;
    return data->count < num ? num - data->count : 0;
}

/* Adds configurations to `data` and saves them before any model file is written. */
static nnm_status extend(const nnm_builder *builder, nnm_kernel_data *data, size_t num,
                         const nnm_sample_options *options, const char *path, nnm_error *err)
{
    nnm_config_list exclude = {0}, drawn = {0};
    nnm_status status = list_excluded(builder, data->kernel, options->exclude, &exclude, err);
    if (status == NNM_OK) status = draw(builder, data->kernel, num, options, &exclude, &drawn, err);
    if (status == NNM_OK) status = add_records(builder, data, &drawn, mark_of(options), options->seed, err);
    if (status == NNM_OK) status = save_configs(builder, data, mark_of(options), path, err);
    if (status == NNM_OK && options->mode == NNM_SAMPLING_PRIOR && drawn.count < num)
        nnm_builder_log(builder, NNM_LOG_WARNING, "only %zu of %zu new configurations of %s exist", drawn.count, num,
                        nnm_kernel_name(data->kernel));
    nnm_config_list_fini(&exclude);
    nnm_config_list_fini(&drawn);
    return status;
}

/* Model files of a workspace that was moved, or whose folder was removed, belong into its folder of today. */
static nnm_status move_models(const nnm_builder *builder, nnm_kernel_data *data, nnm_error *err)
{
    char *folder = nnm_path_models(nnm_workspace_path(builder->workspace));
    nnm_status status = folder ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; i < data->count && status == NNM_OK; i++) {
        nnm_kernel_record *record = &data->records[i];
        if (!record->model || nnm_file_exists(record->model)) continue;
        const char *slash = strrchr(record->model, '/');
        char *path = nnm_format("%s/%s", folder, slash ? slash + 1 : record->model);
        if (!path) status = nnm_fail_memory(err);
        if (status == NNM_OK) {
            free(record->model);
            record->model = path;
        }
    }
    free(folder);
    return status;
}

/* A `sample` that could not be completed leaves nothing behind, so that the same command does not add to a part of what
 * it did before. What cannot be taken back here is only unused. */
static void take_back(const nnm_builder *builder, nnm_kernel_data *data, size_t before, const char *mark,
                      const char *path)
{
    nnm_kernel_data *kept = NULL;
    if (nnm_kernel_data_new(&kept, data->kernel, NULL) != NNM_OK) return;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < before && status == NNM_OK; i++)
        status = nnm_kernel_data_add(kept, &data->records[i], NULL);
    for (size_t i = before; i < data->count; i++) /* first, for a full disk has no room for the list else */
        unlink(data->records[i].model);
    if (status == NNM_OK) status = save_configs(builder, kept, mark, path, NULL);
    nnm_kernel_data_free(kept);
}

static bool is_test_mark(const char *mark)
{
    size_t length = strlen(NNM_TEST_SET_MARK);
    return strncmp(mark, NNM_TEST_SET_MARK, length) == 0 && (mark[length] == '\0' || mark[length] == '_');
}

/* Adds configurations to the kernel data of a mark, and the model files that are missing. */
static nnm_status generate(nnm_builder *builder, const nnm_kernel *kernel, size_t num, bool complete,
                           const nnm_sample_options *options, nnm_kernel_data **out, nnm_error *err)
{
    const char *mark = mark_of(options);
    nnm_status status = nnm_builder_check_mark(mark, err);
    if (status == NNM_OK && !complete && is_test_mark(mark))
        status = nnm_fail(err, NNM_ERR_VALUE,
                          "mark '%s' is that of the test sets of builds, which nothing may be added to; choose another",
                          mark);
    if (status) return status;

    nnm_kernel_data *data = NULL, *kept = NULL;
    bool *dropped = NULL;
    size_t dropped_count = 0;
    char *models = nnm_path_models(nnm_workspace_path(builder->workspace));
    char *path = nnm_path_configs_json(nnm_workspace_path(builder->workspace), nnm_kernel_name(kernel), mark);
    if (!path || !models) {
        status = nnm_fail_memory(err);
        goto done;
    }

    status = nnm_locks_take_workspace(&builder->locks, builder->workspace, "sample", err);
    if (status == NNM_OK) status = load_existing(kernel, path, &data, err);
    if (status == NNM_OK) status = nnm_builder_check_batch(builder, data, err);
    if (status) goto done;
    size_t before = data->count;
    status = nnm_folder_create(models, err);
    if (status == NNM_OK) status = move_models(builder, data, err);
    size_t missing = count_missing(data, num, complete, options->mode);
    if (status == NNM_OK && missing) status = extend(builder, data, missing, options, path, err);
    if (status) goto done;

    dropped = nnm_calloc(data->count, sizeof *dropped);
    if (!dropped) {
        status = nnm_fail_memory(err);
        goto done;
    }
    nnm_error first = NNM_ERROR_INIT;
    status = write_models(builder, data, dropped, &dropped_count, &first, err);
    if (status && !complete) take_back(builder, data, before, mark, path);
    if (status == NNM_OK && dropped_count) {
        status = without(data, dropped, &kept, err);
        if (status == NNM_OK) status = save_configs(builder, kept, mark, path, err);
        nnm_kernel_data_free(data);
        data = kept;
        kept = NULL;
    }
    if (status == NNM_OK && dropped_count && data->count == 0)
        status = nnm_fail(err, first.code, "none of %zu configurations makes a model file; the first: %s",
                          dropped_count, first.message);
    if (status) goto done;
    nnm_builder_log(builder, NNM_LOG_INFO, "%s: %zu configurations in %s%s", nnm_kernel_name(kernel), data->count, path,
                    dropped_count ? "; failures in generate_error.log" : "");
    if (options->failed) *options->failed = dropped_count;
    *out = data;
    data = NULL;
done:
    nnm_locks_release(&builder->locks);
    nnm_kernel_data_free(data);
    free(dropped);
    free(models);
    free(path);
    return status;
}

/* Where the model of a record lies now, or should. The caller frees it. */
static char *model_path(const nnm_builder *builder, const nnm_kernel *kernel, const nnm_kernel_record *record)
{
    const char *root = nnm_workspace_path(builder->workspace);
    nnm_layout layout = nnm_builder_graph_options(builder, record->id).layout;
    if (!record->model)
        return nnm_path_model(root, nnm_kernel_name(kernel), "given", record->id, nnm_model_suffix(layout));
    const char *slash = strrchr(record->model, '/');
    char *folder = nnm_path_models(root);
    char *moved = folder ? nnm_format("%s/%s", folder, slash ? slash + 1 : record->model) : NULL;
    free(folder);
    if (moved && !nnm_file_exists(moved)) { /* not there either: the message names the path of the file */
        free(moved);
        moved = nnm_strdup(record->model);
    }
    return moved;
}

nnm_status nnm_builder_give_model(const nnm_builder *builder, const nnm_kernel *kernel, nnm_kernel_record *record,
                                  nnm_error *err)
{
    int64_t batch_size = record->batch_size;
    record->model = model_path(builder, kernel, record);
    if (!record->model) return nnm_fail_memory(err);
    record->batch_size = nnm_workspace_predictorbuild(builder->workspace)->batch_size;
    nnm_status status = nnm_builder_write_model(builder, kernel, record, err);
    if (status) {
        free(record->model);
        record->model = NULL;
        record->batch_size = batch_size;
    }
    return status;
}

/* Looks for a model file that is not where the record says, because the workspace was moved. */
static nnm_status find_model(const nnm_builder *builder, const nnm_kernel *kernel, nnm_kernel_record *record,
                             nnm_error *err)
{
    char *path = model_path(builder, kernel, record);
    if (!path) return nnm_fail_memory(err);
    if (record->converted_model && strcmp(record->converted_model, record->model) == 0) {
        free(record->converted_model);
        record->converted_model = NULL;
    }
    free(record->model);
    record->model = path;
    return NNM_OK;
}

nnm_status nnm_builder_find_models(const nnm_builder *builder, nnm_kernel_data *data, nnm_error *err)
{
    for (size_t i = 0; i < data->count; i++) {
        nnm_kernel_record *record = &data->records[i];
        nnm_error failure = NNM_ERROR_INIT;
        nnm_status status = nnm_builder_check_interrupted(builder, err);
        if (status) return status;
        if (!record->has_config || (record->model && nnm_file_exists(record->model))) continue;
        if (record->model)
            status = find_model(builder, data->kernel, record, &failure);
        else
            status = nnm_builder_give_model(builder, data->kernel, record, &failure);
        if (status == NNM_OK || nnm_builder_is_kernels_fault(status)) continue;
        if (err) *err = failure;
        return nnm_context(err, status, "kernel '%s'", record->id);
    }
    return NNM_OK;
}

nnm_status nnm_builder_generate(nnm_builder *builder, const nnm_kernel *kernel, size_t total,
                                const nnm_sample_options *options, nnm_kernel_data **out, nnm_error *err)
{
    return generate(builder, kernel, total, true, options, out, err);
}

nnm_status nnm_generate_config_sample(nnm_builder *builder, const char *kernel_type, size_t num,
                                      const nnm_sample_options *options, nnm_kernel_data **out, nnm_error *err)
{
    static const nnm_sample_options defaults = NNM_SAMPLE_OPTIONS_INIT;
    if (!options) options = &defaults;
    const nnm_kernel *kernel = NULL;
    nnm_status status = nnm_builder_kernel(builder, kernel_type, &kernel, err);
    if (status) return status;
    if (num == 0)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the number of configurations to sample must be 1 or more");
    if (options->mode == NNM_SAMPLING_FINEGRAINED && (!options->configs || options->configs->count == 0))
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "fine-grained sampling needs configurations to sample around");
    if (options->mode == NNM_SAMPLING_GIVEN && (!options->configs || options->configs->count == 0))
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "there are no configurations to make kernels of");
    return generate(builder, kernel, num, false, options, out, err);
}
