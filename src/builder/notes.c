/* What the builder notes in the journal beside measurements: the run they belong to, and what files hold. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "bench/reference.h"
#include "builder/notes.h"
#include "config/files.h"
#include "store/known.h"
#include "store/latency_text.h"
#include "store/paths.h"

/* A workspace that could be opened names a backend that is there. */
static nnm_known_backend known_backend(const nnm_builder *builder)
{
    const nnm_backend *backend = NULL;
    const char *name = nnm_workspace_backend(builder->workspace)->backend;
    if (nnm_backend_find(&backend, name, NULL) != NNM_OK) return (nnm_known_backend){.name = name};
    return nnm_workspace_known_backend(backend);
}

nnm_journal_source nnm_builder_source(const nnm_builder *builder)
{
    const nnm_backend_config *config = nnm_workspace_backend(builder->workspace);
    const nnm_predictorbuild_config *build = nnm_workspace_predictorbuild(builder->workspace);
    nnm_journal_source source = {
        .backend = config->backend,
        .threads = config->threads,
        .optimization = nnm_optimization_name(config->optimization),
        .implement = build->implement == NNM_IMPLEMENT_TENSORFLOW ? "tensorflow" : "torch",
    };
    const nnm_known_backend backend = known_backend(builder);
    nnm_backend_config_identify(config, &backend, source.identity, sizeof source.identity);
    return source;
}

nnm_status nnm_builder_begin_run(const nnm_builder *builder, nnm_journal *journal, const char *runtime_version,
                                 int64_t *run_id, nnm_error *err)
{
    nnm_backend_config config = *nnm_workspace_backend(builder->workspace);
    config.protocol = nnm_builder_protocol(builder);
    nnm_machine machine;
    nnm_machine_describe(&machine);
    nnm_buffer settings = {0};
    const nnm_known_backend backend = known_backend(builder);
    nnm_backend_config_describe(&config, &backend, &settings);
    nnm_buffer_printf(&settings, NNM_JOURNAL_REFERENCE "%s\n", nnm_reference_build());
    nnm_status status = nnm_buffer_check(&settings, err);
    nnm_journal_run run = {
        .source = nnm_builder_source(builder),
        .runtime_version = runtime_version,
        .settings = settings.data,
        .protocol = &config.protocol,
        .machine = &machine,
    };
    if (status == NNM_OK) status = nnm_journal_begin(journal, &run, run_id, err);
    nnm_buffer_fini(&settings);
    return status;
}

nnm_status nnm_builder_open_journal(const nnm_builder *builder, nnm_journal **out, nnm_error *err)
{
    char *path = nnm_path_journal(nnm_workspace_path(builder->workspace));
    nnm_status status = path ? nnm_journal_open(out, path, err) : nnm_fail_memory(err);
    free(path);
    return status;
}

nnm_status nnm_builder_find_journal(const nnm_builder *builder, nnm_error *err)
{
    char *path = nnm_path_journal(nnm_workspace_path(builder->workspace));
    nnm_status status = path ? NNM_OK : nnm_fail_memory(err);
    if (status == NNM_OK && !nnm_file_exists(path))
        status =
            nnm_fail(err, NNM_ERR_NOT_FOUND, "there is no journal '%s': nothing was sampled or measured here", path);
    free(path);
    return status;
}

void nnm_builder_set_latency(nnm_kernel_record *record, const nnm_round *rounds, size_t count)
{
    nnm_round *counting = nnm_calloc(count, sizeof *counting);
    size_t kept = 0;
    double latency_ns, spread_ns;
    char text[NNM_LATENCY_TEXT_BYTES];
    for (size_t i = 0; counting && i < count; i++)
        if (rounds[i].pass == 0) counting[kept++] = rounds[i];
    record->has_latency = false;
    if (kept) {
        nnm_rounds_combine(counting, kept, &latency_ns, &spread_ns);
        nnm_latency_format(latency_ns * 1e-6, spread_ns * 1e-6, text);
        record->has_latency = nnm_latency_parse(text, &record->latency_ms, &record->spread_ms);
    }
    free(counting);
}

nnm_status nnm_builder_note_file(const nnm_builder *builder, nnm_journal_table table, const char *mark,
                                 const nnm_kernel_data *data, nnm_error *err)
{
    nnm_journal *journal = NULL;
    nnm_status status = nnm_builder_open_journal(builder, &journal, err);
    if (status == NNM_OK) status = nnm_journal_put_file(journal, table, mark, data, err);
    nnm_journal_close(journal);
    return status;
}

/* The mark of a file of this workspace, results/<kernel>_<mark>.json; NULL for another file. The caller frees it. */
static char *mark_of_file(const nnm_builder *builder, const nnm_kernel *kernel, const char *path)
{
    char *results = nnm_path_results(nnm_workspace_path(builder->workspace));
    char *folder = results ? realpath(results, NULL) : NULL;
    char *file = realpath(path, NULL), *mark = NULL;
    const char *name = nnm_kernel_name(kernel);
    size_t in_folder = folder ? strlen(folder) : 0, in_name = strlen(name);
    if (folder && file && strncmp(file, folder, in_folder) == 0 && file[in_folder] == '/') {
        const char *base = file + in_folder + 1;
        size_t length = strlen(base);
        if (length > in_name + 6 && strncmp(base, name, in_name) == 0 && base[in_name] == '_' &&
            strcmp(base + length - 5, ".json") == 0)
            mark = nnm_format("%.*s", (int)(length - in_name - 6), base + in_name + 1);
    }
    if (mark && nnm_builder_check_mark(mark, NULL) != NNM_OK) {
        free(mark);
        mark = NULL;
    }
    free(results);
    free(folder);
    free(file);
    return mark;
}

nnm_status nnm_builder_note_saved(const nnm_builder *builder, const char *path, const nnm_kernel_data *data,
                                  nnm_error *err)
{
    char *mark = mark_of_file(builder, data->kernel, path);
    if (!mark) return NNM_OK;
    nnm_status status = nnm_builder_note_file(builder, NNM_JOURNAL_SAMPLED, mark, data, err);
    free(mark);
    return status;
}

static bool wants_to_stop(void *context)
{
    return nnm_builder_check_interrupted(context, NULL) != NNM_OK;
}

void nnm_builder_make_interruptible(const nnm_builder *builder, nnm_worker *worker)
{
    nnm_worker_set_interrupt(worker, wants_to_stop, (void *)(uintptr_t)builder);
}

nnm_status nnm_builder_keep_node_times(const nnm_builder *builder, nnm_worker *worker, nnm_journal *journal,
                                       int64_t run_id, const nnm_kernel *kernel, const nnm_kernel_record *record,
                                       nnm_error *err)
{
    if (!nnm_workspace_backend(builder->workspace)->node_times) return NNM_OK;
    char config[NNM_SUBJECT_BYTES];
    nnm_node_time nodes[NNM_MAX_NODE_TIMES];
    nnm_error failure = NNM_ERROR_INIT;
    nnm_journal_source source = nnm_builder_source(builder);
    size_t count = 0;
    (void)nnm_record_describe(kernel, record, config, sizeof config);
    nnm_status status = nnm_journal_count_node_times(journal, &source, kernel, record->id, config, &count, err);
    if (status || count) return status;
    const char *model = record->converted_model ? record->converted_model : record->model;
    nnm_status looked = nnm_worker_node_times(worker, model, nodes, &count, &failure);
    if (looked == NNM_ERR_INTERRUPTED) {
        if (err) *err = failure;
        return looked;
    }
    if (looked) {
        nnm_builder_log(builder, NNM_LOG_WARNING, "%s: the times of its nodes are not known: %s", record->id,
                        failure.message);
        return NNM_OK;
    }
    return nnm_journal_add_node_times(journal, run_id, kernel, record->id, config, nodes, count, err);
}
