/* What a report asks of the journal. */
#include "store/journal_review.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/journal_db.h"

/* A journal of version 1 does not tell optimization and implement: they are '' there, which may be any. */
#define OF_SOURCE \
    " backend = ? AND threads = ? AND optimization IN ('', ?) AND implement IN ('', ?) AND instr(settings, ?) > 0"

/* With max() alone, SQLite takes the other columns from the row that has it. */
static const char get_machines[] =
    "SELECT host, cpu_name, kernel_release, governor, cpus, memory_gib, load, clock_ghz, timer_ns, may_realtime,"
    " runtime_version, nnmeter_version, count(*), max(began_unix_s) FROM run WHERE" OF_SOURCE
    " AND EXISTS (SELECT 1 FROM round WHERE round.run = run.id)"
    " GROUP BY host, cpu_name, runtime_version, nnmeter_version ORDER BY max(began_unix_s)";
static const char get_settings[] = "SELECT settings FROM run WHERE" OF_SOURCE " ORDER BY id DESC LIMIT 1";
static const char get_effort[] =
    "SELECT count(*), sum(wall_ns - waited_ns), min(r.began_unix_s), max(r.began_unix_s) FROM round AS r"
    " JOIN run ON run.id = r.run WHERE" OF_SOURCE " AND kernel = ?";
static const char get_failures[] =
    "SELECT f.kernel_id, f.config, f.code_name, f.message, max(f.failed_unix_s) FROM failure AS f"
    " JOIN run ON run.id = f.run WHERE" OF_SOURCE " AND f.kernel = ? AND f.pass = 0 AND NOT EXISTS"
    " (SELECT 1 FROM round AS r JOIN run AS other ON other.id = r.run WHERE r.kernel = f.kernel"
    "  AND r.kernel_id = f.kernel_id AND r.config = f.config AND r.pass = 0 AND other.backend = run.backend"
    "  AND other.threads = run.threads AND other.optimization = run.optimization AND other.implement = run.implement"
    "  AND instr(other.settings, ?) > 0 AND r.began_unix_s > f.failed_unix_s)"
    " GROUP BY f.kernel_id, f.config ORDER BY max(f.id)";

static void copy_text(char *out, size_t size, const nnm_journal_statement *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s->statement, column);
    snprintf(out, size, "%s", text ? (const char *)text : "");
}
#define COPY_TEXT(array, s, column) copy_text((array), sizeof(array), (s), (column))

nnm_status nnm_journal_verify(nnm_journal *journal, nnm_error *err)
{
    char found[256] = "";
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, "PRAGMA integrity_check(1)", err);
    if (status) return status;
    if (nnm_journal_next(&s)) COPY_TEXT(found, &s, 0);
    status = nnm_journal_done(&s, "read the journal", err);
    if (status || strcmp(found, "ok") == 0) return status;
    return nnm_fail(err, NNM_ERR_PARSE, "the journal is damaged: %s", found);
}

static void bind_source(nnm_journal_statement *s, const nnm_journal_source *source)
{
    nnm_bind_text(s, source->backend);
    nnm_bind_whole(s, source->threads);
    nnm_bind_text(s, source->optimization);
    nnm_bind_text(s, source->implement);
    nnm_bind_text(s, source->identity);
}

static void read_machine(const nnm_journal_statement *s, nnm_journal_machine *out)
{
    *out = (nnm_journal_machine){0};
    COPY_TEXT(out->machine.host, s, 0);
    COPY_TEXT(out->machine.cpu, s, 1);
    COPY_TEXT(out->machine.kernel_release, s, 2);
    COPY_TEXT(out->machine.governor, s, 3);
    out->machine.cpus = (unsigned)sqlite3_column_int(s->statement, 4);
    out->machine.memory_gib = sqlite3_column_double(s->statement, 5);
    out->machine.load = sqlite3_column_double(s->statement, 6);
    out->machine.clock_ghz = sqlite3_column_double(s->statement, 7);
    out->machine.timer_ns = sqlite3_column_double(s->statement, 8);
    out->machine.may_realtime = sqlite3_column_int(s->statement, 9) != 0;
    COPY_TEXT(out->runtime_version, s, 10);
    COPY_TEXT(out->nnmeter_version, s, 11);
    out->runs = (size_t)sqlite3_column_int64(s->statement, 12);
    out->last_unix_s = sqlite3_column_double(s->statement, 13);
}

nnm_status nnm_journal_machines(nnm_journal *journal, const nnm_journal_source *source, nnm_journal_machine **out,
                                size_t *count, nnm_error *err)
{
    nnm_journal_machine *machines = NULL;
    size_t found = 0, capacity = 0;
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, get_machines, err);
    if (status) return status;
    bind_source(&s, source);
    while (status == NNM_OK && nnm_journal_next(&s)) {
        void *array = machines;
        status = nnm_grow(&array, &capacity, found + 1, sizeof *machines, err);
        if (status) break;
        machines = array;
        read_machine(&s, &machines[found++]);
    }
    nnm_status done = nnm_journal_done(&s, "read the journal", status ? NULL : err);
    if (status == NNM_OK) status = done;
    if (status == NNM_OK) {
        *out = machines;
        *count = found;
    } else {
        free(machines);
    }
    return status;
}

nnm_status nnm_journal_settings(nnm_journal *journal, const nnm_journal_source *source, char **out, nnm_error *err)
{
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, get_settings, err);
    if (status) return status;
    bind_source(&s, source);
    bool found = nnm_journal_next(&s);
    char *text = found ? nnm_journal_text(&s, 0) : NULL;
    if (found && !text) status = nnm_fail_memory(err);
    nnm_status done = nnm_journal_done(&s, "read the journal", status ? NULL : err);
    if (status == NNM_OK) status = done;
    if (status == NNM_OK)
        *out = text;
    else
        free(text);
    return status;
}

nnm_status nnm_journal_get_effort(nnm_journal *journal, const nnm_journal_source *source, const nnm_kernel *kernel,
                                  nnm_journal_effort *out, nnm_error *err)
{
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, get_effort, err);
    if (status) return status;
    bind_source(&s, source);
    nnm_bind_text(&s, nnm_kernel_name(kernel));
    nnm_journal_effort found = {0};
    if (nnm_journal_next(&s))
        found = (nnm_journal_effort){
            .rounds = (size_t)sqlite3_column_int64(s.statement, 0),
            .device_s = sqlite3_column_double(s.statement, 1) * 1e-9, /* nothing: 0 */
            .first_unix_s = sqlite3_column_double(s.statement, 2),
            .last_unix_s = sqlite3_column_double(s.statement, 3),
        };
    status = nnm_journal_done(&s, "read the journal", err);
    if (status == NNM_OK) *out = found;
    return status;
}

nnm_status nnm_journal_failures(nnm_journal *journal, const nnm_journal_source *source, const nnm_kernel *kernel,
                                nnm_journal_failure **out, size_t *count, nnm_error *err)
{
    nnm_journal_failure *failures = NULL;
    size_t found = 0, capacity = 0;
    nnm_journal_statement s = {0};
    nnm_status status = nnm_journal_use(&s, journal, get_failures, err);
    if (status) return status;
    bind_source(&s, source);
    nnm_bind_text(&s, nnm_kernel_name(kernel));
    nnm_bind_text(&s, source->identity);
    while (status == NNM_OK && nnm_journal_next(&s)) {
        void *array = failures;
        status = nnm_grow(&array, &capacity, found + 1, sizeof *failures, err);
        if (status) break;
        failures = array;
        nnm_journal_failure *failure = &failures[found++];
        COPY_TEXT(failure->id, &s, 0);
        COPY_TEXT(failure->config, &s, 1);
        COPY_TEXT(failure->code_name, &s, 2);
        COPY_TEXT(failure->message, &s, 3);
    }
    nnm_status done = nnm_journal_done(&s, "read the journal", status ? NULL : err);
    if (status == NNM_OK) status = done;
    if (status == NNM_OK) {
        *out = failures;
        *count = found;
    } else {
        free(failures);
    }
    return status;
}
