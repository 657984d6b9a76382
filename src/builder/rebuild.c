/* The files of results/ are derived from the journal: here they are made again from it alone. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "builder/notes.h"
#include "store/paths.h"
#include "store/record.h"
#include "store/shared.h"

typedef struct rebuilder {
    const nnm_builder *builder;
    nnm_journal *journal;
    nnm_journal_source source;
    const nnm_kernel *kernel; /* the one at hand */
    nnm_kernel_data *all;     /* every record of it that is sampled or measured, with latencies */
    nnm_rebuild_report_fn report;
    void *context;
} rebuilder;

static void tell(const rebuilder *r, const char *path, size_t rows)
{
    if (r->report) r->report(r->context, path, rows);
}

static bool is_described(const nnm_kernel *kernel, const nnm_kernel_record *record, const char *config)
{
    char text[NNM_SUBJECT_BYTES];
    return strcmp(nnm_record_describe(kernel, record, text, sizeof text), config) == 0;
}

/* A kernel that failed after its last round has no latency, as it had none when it was profiled. */
static nnm_status find_latency(const rebuilder *r, nnm_kernel_record *record, nnm_error *err)
{
    char config[NNM_SUBJECT_BYTES];
    nnm_round *rounds = NULL;
    size_t count = 0;
    double failed_s = 0, measured_s = 0;
    (void)nnm_record_describe(r->kernel, record, config, sizeof config);
    const nnm_kernel *owner = r->kernel; /* a table may hold kernels of types that share its predictor */
    nnm_status status =
        nnm_journal_shared_rounds(r->journal, &r->source, r->kernel, record->id, config, &rounds, &count, &owner, err);
    if (status == NNM_OK)
        status = nnm_journal_last_failure(r->journal, &r->source, owner, record->id, config, &failed_s, err);
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        if (rounds[i].pass == 0) measured_s = rounds[i].unix_time_s;
    record->has_latency = false;
    if (status == NNM_OK && measured_s >= failed_s) nnm_builder_set_latency(record, rounds, count);
    free(rounds);
    return status;
}

/* ---- configuration files ---- */

/* Records of an earlier mark come first; an id that is there already stays. */
static nnm_status add_all(nnm_kernel_data *all, const nnm_kernel_data *data, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < data->count && status == NNM_OK; i++)
        if (!nnm_kernel_data_find(all, data->records[i].id)) status = nnm_kernel_data_add(all, &data->records[i], err);
    return status;
}

static nnm_status rebuild_configs(const rebuilder *r, const char *mark, nnm_error *err)
{
    nnm_kernel_data *data = NULL;
    char *path = nnm_path_configs_json(nnm_workspace_path(r->builder->workspace), nnm_kernel_name(r->kernel), mark);
    nnm_status status = path ? nnm_journal_get_file(r->journal, NNM_JOURNAL_SAMPLED, r->kernel, mark, &data, err)
                             : nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_kernel_data_write(data, path, NNM_WRITE_CONFIGS, err);
    if (status == NNM_OK) status = add_all(r->all, data, err);
    if (status == NNM_OK) tell(r, path, data->count);
    nnm_kernel_data_free(data);
    free(path);
    return status;
}

/* ---- the latency file ---- */

/* Kernels that were measured, but belong to no configuration file that is noted: those of files written by hand. */
static nnm_status add_measured(const rebuilder *r, nnm_error *err)
{
    nnm_journal_subject *subjects = NULL;
    size_t count = 0, sampled = r->all->count;
    nnm_status status = nnm_journal_measured(r->journal, &r->source, r->kernel, &subjects, &count, err);
    for (size_t i = 0; i < count && status == NNM_OK; i++) {
        nnm_kernel_record *known = nnm_kernel_data_find(r->all, subjects[i].id);
        if (known && (size_t)(known - r->all->records) < sampled) continue;
        nnm_kernel_record record = {0};
        memcpy(record.id, subjects[i].id, sizeof record.id);
        nnm_record_take_description(r->kernel, known ? known : &record, subjects[i].config); /* the latest counts */
        if (!known) status = nnm_kernel_data_add(r->all, &record, err);
    }
    free(subjects);
    return status;
}

static nnm_status rebuild_latencies(const rebuilder *r, nnm_error *err)
{
    size_t found = 0;
    nnm_status status = add_measured(r, err);
    for (size_t i = 0; i < r->all->count && status == NNM_OK; i++) {
        status = find_latency(r, &r->all->records[i], err);
        found += r->all->records[i].has_latency;
    }
    if (status || found == 0) return status;
    char *path = nnm_path_profiled_json(nnm_workspace_path(r->builder->workspace), nnm_kernel_name(r->kernel));
    if (!path) return nnm_fail_memory(err);
    bool detail = nnm_workspace_predictorbuild(r->builder->workspace)->detail;
    status = nnm_kernel_data_write(r->all, path, detail ? NNM_WRITE_EVERYTHING : NNM_WRITE_LATENCIES, err);
    if (status == NNM_OK) tell(r, path, found);
    free(path);
    return status;
}

/* ---- tables ---- */

static nnm_status rebuild_table(const rebuilder *r, const char *mark, nnm_error *err)
{
    nnm_kernel_data *data = NULL;
    size_t rows = 0;
    char config[NNM_SUBJECT_BYTES];
    char *path = nnm_path_data_csv(nnm_workspace_path(r->builder->workspace), nnm_kernel_name(r->kernel), mark);
    nnm_status status = path ? nnm_journal_get_file(r->journal, NNM_JOURNAL_COLLECTED, r->kernel, mark, &data, err)
                             : nnm_fail_memory(err);
    for (size_t i = 0; status == NNM_OK && i < data->count; i++) {
        nnm_kernel_record *record = &data->records[i];
        const nnm_kernel_record *known = nnm_kernel_data_find(r->all, record->id);
        (void)nnm_record_describe(r->kernel, record, config, sizeof config);
        if (known && is_described(r->kernel, known, config)) {
            record->has_latency = known->has_latency;
            record->latency_ms = known->latency_ms;
            record->spread_ms = known->spread_ms;
        } else {
            status = find_latency(r, record, err);
        }
        rows += record->has_latency;
    }
    if (status == NNM_OK && rows) {
        status = nnm_export_csv(data, path, err);
        if (status == NNM_OK) tell(r, path, rows);
    }
    nnm_kernel_data_free(data);
    free(path);
    return status;
}

/* ---- everything ---- */

static nnm_status each_mark(const rebuilder *r, nnm_journal_table table,
                            nnm_status (*rebuild)(const rebuilder *r, const char *mark, nnm_error *err), nnm_error *err)
{
    nnm_journal_mark *marks = NULL;
    size_t count = 0;
    nnm_status status = nnm_journal_marks(r->journal, table, r->kernel, &marks, &count, err);
    for (size_t i = 0; i < count && status == NNM_OK; i++) {
        status = nnm_builder_check_mark(marks[i].name, err); /* it becomes part of a file name */
        if (status == NNM_OK) status = rebuild(r, marks[i].name, err);
    }
    free(marks);
    return status;
}

static nnm_status rebuild_kernel(rebuilder *r, nnm_error *err)
{
    nnm_status status = nnm_kernel_data_new(&r->all, r->kernel, err);
    if (status == NNM_OK) status = each_mark(r, NNM_JOURNAL_SAMPLED, rebuild_configs, err);
    if (status == NNM_OK) status = rebuild_latencies(r, err);
    if (status == NNM_OK) status = each_mark(r, NNM_JOURNAL_COLLECTED, rebuild_table, err);
    nnm_kernel_data_free(r->all);
    r->all = NULL;
    return status;
}

/* A customised kernel that cannot be loaded must not keep the others from their files. */
static bool find_kernel(rebuilder *r, const char *name)
{
    nnm_error failure = NNM_ERROR_INIT;
    if (nnm_builder_kernel(r->builder, name, &r->kernel, &failure) == NNM_OK) return true;
    nnm_builder_log(r->builder, NNM_LOG_WARNING, "%s is passed over: %s", name, failure.message);
    return false;
}

nnm_status nnm_rebuild_files(nnm_builder *builder, nnm_rebuild_report_fn report, void *context, nnm_error *err)
{
    rebuilder r = {.builder = builder, .source = nnm_builder_source(builder), .report = report, .context = context};
    nnm_status status = nnm_locks_take_workspace(&builder->locks, builder->workspace, "export", err);
    if (status == NNM_OK) status = nnm_builder_find_journal(builder, err);
    if (status == NNM_OK) status = nnm_builder_open_journal(builder, &r.journal, err);
    const nnm_registry *registry = nnm_workspace_registry(builder->workspace);
    for (size_t i = 0; i < nnm_registry_kernel_count(registry) && status == NNM_OK; i++) {
        status = nnm_builder_check_interrupted(builder, err);
        if (status == NNM_OK && find_kernel(&r, nnm_registry_kernel_name(registry, i)))
            status = rebuild_kernel(&r, err);
    }
    nnm_journal_close(r.journal);
    nnm_locks_release(&builder->locks);
    return status;
}
