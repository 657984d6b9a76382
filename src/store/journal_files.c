/* What the journal knows of files that are derived from it, and of the nodes that runtimes make of kernels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/journal_db.h"

/* The same statement on each of the tables. */
#define ON_TABLES(before, after)                          \
    {                                                     \
        before "sampled" after, before "collected" after, \
    }
static const char *const get_ids[] = ON_TABLES("SELECT kernel_id FROM ", " WHERE kernel = ? AND mark = ?");
static const char *const remove_entry[] = ON_TABLES("DELETE FROM ", " WHERE kernel = ? AND mark = ? AND kernel_id = ?");
static const char *const put_entry[] =
    ON_TABLES("INSERT INTO ", " (kernel, mark, kernel_id, config, entry) VALUES (?,?,?,?,?)"
                              " ON CONFLICT (kernel, mark, kernel_id) DO UPDATE SET config = excluded.config,"
                              " entry = excluded.entry");
static const char *const get_entries[] =
    ON_TABLES("SELECT kernel_id, entry FROM ", " WHERE kernel = ? AND mark = ? ORDER BY id");
static const char *const get_marks[] =
    ON_TABLES("SELECT mark FROM ", " WHERE kernel = ? GROUP BY mark ORDER BY min(id)");

#define FROM_SOURCE                                                                                         \
    " kernel = ? AND backend = ? AND threads = ? AND optimization IN ('', ?) AND implement IN ('', ?) AND " \
    "instr(settings, ?) > 0"
static const char get_measured[] =
    "SELECT kernel_id, config FROM round AS r JOIN run ON run.id = r.run WHERE" FROM_SOURCE
    " AND pass = 0 GROUP BY kernel_id, config ORDER BY min(r.id)";
static const char count_nodes[] = "SELECT count(*) FROM node_time JOIN run ON run.id = node_time.run WHERE" FROM_SOURCE
                                  " AND kernel_id = ? AND config = ?";
static const char add_node[] =
    "INSERT INTO node_time (run, kernel, kernel_id, config, position, node, operator, mean_ns)"
    " VALUES (?,?,?,?,?,?,?,?)";

/* ---- files ---- */

static nnm_status put_record(nnm_journal *journal, nnm_journal_table table, const char *mark, const nnm_kernel *kernel,
                             const nnm_kernel_record *record, nnm_error *err)
{
    char config[NNM_SUBJECT_BYTES], *entry = NULL;
    nnm_journal_statement s = {0};
    nnm_status status = nnm_record_format(kernel, record, &entry, err);
    if (status == NNM_OK) status = nnm_journal_use(&s, journal, put_entry[table], err);
    if (status == NNM_OK) {
        nnm_bind_text(&s, nnm_kernel_name(kernel));
        nnm_bind_text(&s, mark);
        nnm_bind_text(&s, record->id);
        nnm_bind_text(&s, nnm_record_describe(kernel, record, config, sizeof config));
        nnm_bind_text(&s, entry);
        status = nnm_journal_insert(&s, NULL, err);
    }
    free(entry);
    return status;
}

static nnm_status remove_record(nnm_journal *journal, nnm_journal_table table, const char *mark,
                                const nnm_kernel *kernel, const char *id, nnm_error *err)
{
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, remove_entry[table], err);
    if (status) return status;
    nnm_bind_text(&s, nnm_kernel_name(kernel));
    nnm_bind_text(&s, mark);
    nnm_bind_text(&s, id);
    return nnm_journal_insert(&s, NULL, err);
}

/* Rows that stay keep their places, so that files and marks keep their order. */
static nnm_status remove_others(nnm_journal *journal, nnm_journal_table table, const char *mark,
                                const nnm_kernel_data *data, nnm_error *err)
{
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, get_ids[table], err);
    if (status) return status;
    nnm_bind_text(&s, nnm_kernel_name(data->kernel));
    nnm_bind_text(&s, mark);
    while (status == NNM_OK && nnm_journal_next(&s)) {
        char *id = nnm_journal_text(&s, 0);
        if (!id)
            status = nnm_fail_memory(err);
        else if (!nnm_kernel_data_find(data, id))
            status = remove_record(journal, table, mark, data->kernel, id, err);
        free(id);
    }
    nnm_status done = nnm_journal_done(&s, "read the journal", status ? NULL : err);
    return status ? status : done;
}

nnm_status nnm_journal_put_file(nnm_journal *journal, nnm_journal_table table, const char *mark,
                                const nnm_kernel_data *data, nnm_error *err)
{
    nnm_status status = nnm_journal_begin_changes(journal, err);
    if (status) return status;
    status = remove_others(journal, table, mark, data, err);
    for (size_t i = 0; i < data->count && status == NNM_OK; i++)
        status = put_record(journal, table, mark, data->kernel, &data->records[i], err);
    return nnm_journal_end_changes(journal, status, err);
}

nnm_status nnm_journal_get_file(nnm_journal *journal, nnm_journal_table table, const nnm_kernel *kernel,
                                const char *mark, nnm_kernel_data **out, nnm_error *err)
{
    nnm_kernel_data *data = NULL;
    nnm_journal_statement s = {0};
    nnm_status status = nnm_kernel_data_new(&data, kernel, err);
    if (status == NNM_OK) status = nnm_journal_use(&s, journal, get_entries[table], err);
    if (status) goto done;
    nnm_bind_text(&s, nnm_kernel_name(kernel));
    nnm_bind_text(&s, mark);
    while (status == NNM_OK && nnm_journal_next(&s)) {
        const char *id = (const char *)sqlite3_column_text(s.statement, 0);
        const char *entry = (const char *)sqlite3_column_text(s.statement, 1);
        status = id && entry ? nnm_record_add_parsed(data, id, entry, err) : nnm_fail_memory(err);
        status = nnm_context(err, status, "%s", journal->path);
    }
    nnm_status done = nnm_journal_done(&s, "read the journal", status ? NULL : err);
    if (status == NNM_OK) status = done;
done:
    if (status)
        nnm_kernel_data_free(data);
    else
        *out = data;
    return status;
}

nnm_status nnm_journal_marks(nnm_journal *journal, nnm_journal_table table, const nnm_kernel *kernel,
                             nnm_journal_mark **out, size_t *count, nnm_error *err)
{
    nnm_journal_mark *marks = NULL;
    size_t found = 0, capacity = 0;
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, get_marks[table], err);
    if (status) return status;
    nnm_bind_text(&s, nnm_kernel_name(kernel));
    while (status == NNM_OK && nnm_journal_next(&s)) {
        const char *mark = (const char *)sqlite3_column_text(s.statement, 0);
        void *array = marks;
        status = mark ? nnm_grow(&array, &capacity, found + 1, sizeof *marks, err) : nnm_fail_memory(err);
        if (status) break;
        marks = array;
        snprintf(marks[found++].name, sizeof marks->name, "%s", mark);
    }
    nnm_status done = nnm_journal_done(&s, "read the journal", status ? NULL : err);
    if (status == NNM_OK) status = done;
    if (status == NNM_OK) {
        *out = marks;
        *count = found;
    } else {
        free(marks);
    }
    return status;
}

/* ---- what was measured ---- */

static void bind_source(nnm_journal_statement *s, const nnm_journal_source *source, const nnm_kernel *kernel)
{
    nnm_bind_text(s, nnm_kernel_name(kernel));
    nnm_bind_text(s, source->backend);
    nnm_bind_whole(s, source->threads);
    nnm_bind_text(s, source->optimization);
    nnm_bind_text(s, source->implement);
    nnm_bind_text(s, source->identity);
}

nnm_status nnm_journal_measured(nnm_journal *journal, const nnm_journal_source *source, const nnm_kernel *kernel,
                                nnm_journal_subject **out, size_t *count, nnm_error *err)
{
    nnm_journal_subject *subjects = NULL;
    size_t found = 0, capacity = 0;
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, get_measured, err);
    if (status) return status;
    bind_source(&s, source, kernel);
    while (status == NNM_OK && nnm_journal_next(&s)) {
        const char *id = (const char *)sqlite3_column_text(s.statement, 0);
        const char *config = (const char *)sqlite3_column_text(s.statement, 1);
        void *array = subjects;
        status = id && config ? nnm_grow(&array, &capacity, found + 1, sizeof *subjects, err) : nnm_fail_memory(err);
        if (status) break;
        subjects = array;
        snprintf(subjects[found].id, sizeof subjects->id, "%s", id);
        snprintf(subjects[found].config, sizeof subjects->config, "%s", config);
        found++;
    }
    nnm_status done = nnm_journal_done(&s, "read the journal", status ? NULL : err);
    if (status == NNM_OK) status = done;
    if (status == NNM_OK) {
        *out = subjects;
        *count = found;
    } else {
        free(subjects);
    }
    return status;
}

/* ---- nodes ---- */

static nnm_status add_one_node(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel, const char *id,
                               const char *config, const nnm_node_time *node, size_t position, nnm_error *err)
{
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, add_node, err);
    if (status) return status;
    nnm_bind_whole(&s, run_id);
    nnm_bind_text(&s, nnm_kernel_name(kernel));
    nnm_bind_text(&s, id);
    nnm_bind_text(&s, config);
    nnm_bind_whole(&s, (int64_t)position);
    nnm_bind_text(&s, node->name);
    nnm_bind_text(&s, node->op);
    nnm_bind_real(&s, node->mean_ns);
    return nnm_journal_insert(&s, NULL, err);
}

nnm_status nnm_journal_add_node_times(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel, const char *id,
                                      const char *config, const nnm_node_time *nodes, size_t count, nnm_error *err)
{
    nnm_status status = nnm_journal_begin_changes(journal, err);
    if (status) return status;
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        status = add_one_node(journal, run_id, kernel, id, config, &nodes[i], i, err);
    return nnm_journal_end_changes(journal, status, err);
}

nnm_status nnm_journal_count_node_times(nnm_journal *journal, const nnm_journal_source *source,
                                        const nnm_kernel *kernel, const char *id, const char *config, size_t *count,
                                        nnm_error *err)
{
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, count_nodes, err);
    if (status) return status;
    bind_source(&s, source, kernel);
    nnm_bind_text(&s, id);
    nnm_bind_text(&s, config);
    size_t found = nnm_journal_next(&s) ? (size_t)sqlite3_column_int64(s.statement, 0) : 0;
    status = nnm_journal_done(&s, "read the journal", err);
    if (status == NNM_OK) *count = found;
    return status;
}
