#include "store/journal_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/journal_schema.h"

/* How long a write waits for that of another process. */
#define BUSY_TIMEOUT_MS 30000

/* ---- errors ---- */

/* What the system said, where SQLite only tells of an I/O error; it does not always keep that itself. */
static int system_error(sqlite3 *db, int code)
{
    int number = errno;
    if ((code & 0xff) != SQLITE_IOERR && (code & 0xff) != SQLITE_CANTOPEN) return 0;
    int kept = db ? sqlite3_system_errno(db) : 0;
    return kept ? kept : number;
}

static nnm_status status_of(int code, int number)
{
    switch (code & 0xff) {
    case SQLITE_FULL: return NNM_ERR_NO_SPACE;
    case SQLITE_NOMEM: return NNM_ERR_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return NNM_ERR_BUSY;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return NNM_ERR_PARSE;
    case SQLITE_MISUSE:
    case SQLITE_CONSTRAINT: return NNM_ERR_INTERNAL;
    default: return number == ENOSPC || number == EDQUOT || number == EFBIG ? NNM_ERR_NO_SPACE : NNM_ERR_IO;
    }
}

nnm_status nnm_journal_fail(const nnm_journal *journal, int code, const char *what, nnm_error *err)
{
    int number = system_error(journal->db, code);
    nnm_status status = status_of(code, number);
    if (status == NNM_ERR_NO_MEMORY) return nnm_fail_memory(err);
    if (status == NNM_ERR_BUSY)
        return nnm_fail(err, status, "%s: cannot %s: another process has been writing for %d s", journal->path, what,
                        BUSY_TIMEOUT_MS / 1000);
    const char *reason = journal->db ? sqlite3_errmsg(journal->db) : sqlite3_errstr(code);
    const char *cause = number ? strerrordesc_np(number) : NULL;
    return nnm_fail(err, status, "%s: cannot %s: %s%s%s", journal->path, what, reason, cause ? ": " : "",
                    cause ? cause : "");
}

/* ---- opening ---- */

nnm_status nnm_journal_execute(const nnm_journal *journal, const char *sql, const char *what, nnm_error *err)
{
    errno = 0;
    int code = sqlite3_exec(journal->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? NNM_OK : nnm_journal_fail(journal, code, what, err);
}

static nnm_status query_number(const nnm_journal *journal, const char *sql, int64_t *out, nnm_error *err)
{
    sqlite3_stmt *query = NULL;
    int code = sqlite3_prepare_v2(journal->db, sql, -1, &query, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(query);
    nnm_status status = NNM_OK;
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(query, 0);
    else
        status = nnm_journal_fail(journal, code, "read the journal", err);
    sqlite3_finalize(query);
    return status;
}

/* Tells the version of a journal, 0 for an empty file; fails for anything else, and changes nothing. */
static nnm_status inspect(const nnm_journal *journal, int64_t *out, nnm_error *err)
{
    int64_t application = 0, version = 0, tables = 0;
    nnm_status status = query_number(journal, "PRAGMA application_id", &application, err);
    if (status == NNM_OK) status = query_number(journal, "PRAGMA user_version", &version, err);
    if (status == NNM_OK) status = query_number(journal, "SELECT count(*) FROM sqlite_master", &tables, err);
    if (status) return status;
    bool empty = application == 0 && version == 0 && tables == 0;
    if (!empty && application != NNM_JOURNAL_APPLICATION_ID)
        return nnm_fail(err, NNM_ERR_PARSE, "%s is an SQLite database, but not a journal of nn-meter", journal->path);
    if (!empty && (version < 1 || version > NNM_JOURNAL_VERSION))
        return nnm_fail(err, NNM_ERR_VERSION,
                        "%s: found a journal of version %lld, this nn-meter reads versions 1 to %d", journal->path,
                        (long long)version, NNM_JOURNAL_VERSION);
    *out = version;
    return NNM_OK;
}

/* The same at one moment: another process may be making the tables just now. */
static nnm_status inspect_whole(const nnm_journal *journal, int64_t *version, nnm_error *err)
{
    nnm_status status = nnm_journal_execute(journal, "BEGIN", "read the journal", err);
    if (status) return status;
    status = inspect(journal, version, err);
    sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL); /* nothing was written */
    return status;
}

/* Write-ahead logging, and every write is on the disk before the next measurement begins: what is finished survives the
 * death of the process and of the machine, and readers do not block writers. File systems that cannot do it keep
 * SQLite's rollback journal, which is slower but as safe. SQLite does not always wait by itself when two processes
 * switch a new file at once. */
static nnm_status use_wal(const nnm_journal *journal, nnm_error *err)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};
    int code = SQLITE_BUSY;
    for (int waited_ms = 0; waited_ms < BUSY_TIMEOUT_MS; waited_ms += 10) {
        code = sqlite3_exec(journal->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if ((code & 0xff) != SQLITE_BUSY) break;
        nanosleep(&pause, NULL);
    }
    if (code != SQLITE_OK) return nnm_journal_fail(journal, code, "open the journal for writing", err);
    return nnm_journal_execute(journal, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", "set the journal up",
                               err);
}

nnm_status nnm_journal_begin_changes(const nnm_journal *journal, nnm_error *err)
{
    return nnm_journal_execute(journal, "BEGIN IMMEDIATE", "write to the journal", err);
}

nnm_status nnm_journal_end_changes(const nnm_journal *journal, nnm_status status, nnm_error *err)
{
    if (status == NNM_OK) status = nnm_journal_execute(journal, "COMMIT", "write to the journal", err);
    if (status) sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL); /* what failed is reported already */
    return status;
}

/* The steps from an empty file to the tables of today; a journal of version N needs those from N on. */
static const char *const steps[] = {NNM_JOURNAL_SCHEMA_1, NNM_JOURNAL_SCHEMA_2};
_Static_assert(sizeof steps / sizeof *steps == NNM_JOURNAL_VERSION, "each version of the tables has its step");

/* Makes the tables, or brings those of an older version up to date, unless another process has just done so. */
static nnm_status bring_up_to_date(const nnm_journal *journal, nnm_error *err)
{
    int64_t version = 0;
    nnm_status status = nnm_journal_begin_changes(journal, err);
    if (status) return status;
    status = inspect(journal, &version, err);
    for (int64_t i = version; i < NNM_JOURNAL_VERSION && status == NNM_OK; i++)
        status = nnm_journal_execute(journal, steps[i], "bring the journal up to date", err);
    if (status == NNM_OK && version < NNM_JOURNAL_VERSION) {
        char pragmas[96];
        snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                 NNM_JOURNAL_APPLICATION_ID, NNM_JOURNAL_VERSION);
        status = nnm_journal_execute(journal, pragmas, "bring the journal up to date", err);
    }
    return nnm_journal_end_changes(journal, status, err);
}

nnm_status nnm_journal_open(nnm_journal **out, const char *path, nnm_error *err)
{
    nnm_journal *journal = nnm_calloc(1, sizeof *journal);
    if (!journal) return nnm_fail_memory(err);
    nnm_status status = NNM_OK;
    journal->path = nnm_strdup(path);
    if (!journal->path) {
        status = nnm_fail_memory(err);
        goto done;
    }
    int code = sqlite3_open_v2(path, &journal->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (code != SQLITE_OK) {
        status = nnm_journal_fail(journal, code, "open the journal", err);
        goto done;
    }
    sqlite3_busy_timeout(journal->db, BUSY_TIMEOUT_MS);
    int64_t version = 0;
    status = inspect_whole(journal, &version, err);
    if (status == NNM_OK) status = use_wal(journal, err);
    if (status == NNM_OK && version < NNM_JOURNAL_VERSION) status = bring_up_to_date(journal, err);
done:
    if (status)
        nnm_journal_close(journal);
    else
        *out = journal;
    return status;
}

nnm_status nnm_journal_relax(nnm_journal *journal, nnm_error *err)
{
    return nnm_journal_execute(journal, "PRAGMA synchronous = NORMAL", "set the journal up", err);
}

void nnm_journal_close(nnm_journal *journal)
{
    if (!journal) return;
    for (size_t i = 0; i < journal->prepared_count; i++)
        sqlite3_finalize(journal->prepared[i].statement);
    sqlite3_close(journal->db);
    free(journal->path);
    free(journal);
}

/* ---- statements ---- */

nnm_status nnm_journal_use(nnm_journal_statement *out, nnm_journal *journal, const char *sql, nnm_error *err)
{
    size_t i = 0;
    while (i < journal->prepared_count && journal->prepared[i].sql != sql)
        i++;
    if (i == NNM_JOURNAL_STATEMENTS) return nnm_fail(err, NNM_ERR_INTERNAL, "too many statements for a journal");
    if (i == journal->prepared_count) {
        sqlite3_stmt *statement = NULL;
        int code = sqlite3_prepare_v3(journal->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
        if (code != SQLITE_OK) return nnm_journal_fail(journal, code, "use the journal", err);
        journal->prepared[journal->prepared_count++] = (nnm_prepared){sql, statement};
    }
    *out = (nnm_journal_statement){journal, journal->prepared[i].statement, 1, SQLITE_OK};
    return NNM_OK;
}

void nnm_bind_text(nnm_journal_statement *s, const char *text)
{
    if (s->code == SQLITE_OK) s->code = sqlite3_bind_text(s->statement, s->next++, text, -1, SQLITE_STATIC);
}

void nnm_bind_whole(nnm_journal_statement *s, int64_t value)
{
    if (s->code == SQLITE_OK) s->code = sqlite3_bind_int64(s->statement, s->next++, value);
}

void nnm_bind_real(nnm_journal_statement *s, double value)
{
    if (s->code == SQLITE_OK) s->code = sqlite3_bind_double(s->statement, s->next++, value);
}

void nnm_bind_bytes(nnm_journal_statement *s, const unsigned char *bytes, size_t size)
{
    if (s->code == SQLITE_OK) s->code = sqlite3_bind_blob(s->statement, s->next++, bytes, (int)size, SQLITE_STATIC);
}

bool nnm_journal_next(nnm_journal_statement *s)
{
    errno = 0; /* for nnm_journal_done */
    if (s->code == SQLITE_OK || s->code == SQLITE_ROW) s->code = sqlite3_step(s->statement);
    return s->code == SQLITE_ROW;
}

nnm_status nnm_journal_done(nnm_journal_statement *s, const char *what, nnm_error *err)
{
    bool fine = s->code == SQLITE_OK || s->code == SQLITE_ROW || s->code == SQLITE_DONE;
    nnm_status status = fine ? NNM_OK : nnm_journal_fail(s->journal, s->code, what, err);
    sqlite3_reset(s->statement);
    sqlite3_clear_bindings(s->statement);
    return status;
}

nnm_status nnm_journal_insert(nnm_journal_statement *s, int64_t *id, nnm_error *err)
{
    (void)nnm_journal_next(s);
    nnm_status status = nnm_journal_done(s, "write to the journal", err);
    if (status == NNM_OK && id) *id = sqlite3_last_insert_rowid(s->journal->db);
    return status;
}

char *nnm_journal_text(const nnm_journal_statement *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s->statement, column);
    return text ? nnm_strdup((const char *)text) : NULL;
}
