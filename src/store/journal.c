#include "store/journal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "store/journal_schema.h"

/* How long a write waits for that of another process. */
#define BUSY_TIMEOUT_MS 30000

typedef enum statement {
    ADD_RUN,
    ADD_ROUND,
    ADD_FAILURE,
    GET_ROUNDS,
    STATEMENT_COUNT
} statement;

static const char *const statements[STATEMENT_COUNT] = {
    [ADD_RUN] = "INSERT INTO run (began_unix_s, nnmeter_version, backend, runtime_version, threads, rounds, warmup_ms,"
                " sample_us, round_ms, budget_s, timeout_s, memory_limit_mib, cpu_setting, gate, host, cpu_name, "
                "kernel_release,"
                " governor, cpus, memory_gib, load, clock_ghz, timer_ns, may_realtime)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [ADD_ROUND] = "INSERT INTO round (run, kernel, kernel_id, config, began_unix_s, estimate_ns, open_ns, wall_ns,"
                  " calls_per_sample, sample_count, quiet_count, reference_best_ns, clock_ns, cpu, sample_ns,"
                  " reference_ns) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [ADD_FAILURE] = "INSERT INTO failure (run, kernel, kernel_id, config, failed_unix_s, code, code_name, message)"
                    " VALUES (?,?,?,?,?,?,?,?)",
    [GET_ROUNDS] = "SELECT r.began_unix_s, estimate_ns, open_ns, wall_ns, calls_per_sample, sample_count, quiet_count,"
                   " reference_best_ns, clock_ns, cpu, sample_ns, reference_ns"
                   " FROM round AS r JOIN run ON run.id = r.run"
                   " WHERE kernel = ? AND kernel_id = ? AND backend = ? AND threads = ? AND config = ? ORDER BY r.id",
};

struct nnm_journal {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *prepared[STATEMENT_COUNT]; /* each made when it is first needed */
};

/* ---- errors ---- */

static nnm_status status_of(sqlite3 *db, int code)
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
    default: break;
    }
    int number = db ? sqlite3_system_errno(db) : 0;
    return number == ENOSPC || number == EDQUOT ? NNM_ERR_NO_SPACE : NNM_ERR_IO;
}

/* Fails with what SQLite says about the call that returned `code`. */
static nnm_status fail(const nnm_journal *journal, int code, const char *what, nnm_error *err)
{
    nnm_status status = status_of(journal->db, code);
    if (status == NNM_ERR_NO_MEMORY) return nnm_fail_memory(err);
    if (status == NNM_ERR_BUSY)
        return nnm_fail(err, status, "%s: cannot %s: another process has been writing for %d s", journal->path, what,
                        BUSY_TIMEOUT_MS / 1000);
    const char *reason = journal->db ? sqlite3_errmsg(journal->db) : sqlite3_errstr(code);
    return nnm_fail(err, status, "%s: cannot %s: %s", journal->path, what, reason);
}

/* ---- opening ---- */

static nnm_status execute(const nnm_journal *journal, const char *sql, const char *what, nnm_error *err)
{
    int code = sqlite3_exec(journal->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? NNM_OK : fail(journal, code, what, err);
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
        status = fail(journal, code, "read the journal", err);
    sqlite3_finalize(query);
    return status;
}

/* Tells a journal of this version from an empty file; fails for anything else, and changes nothing. */
static nnm_status inspect(const nnm_journal *journal, bool *empty, nnm_error *err)
{
    int64_t application = 0, version = 0, tables = 0;
    nnm_status status = query_number(journal, "PRAGMA application_id", &application, err);
    if (status == NNM_OK) status = query_number(journal, "PRAGMA user_version", &version, err);
    if (status == NNM_OK) status = query_number(journal, "SELECT count(*) FROM sqlite_master", &tables, err);
    if (status) return status;
    *empty = application == 0 && version == 0 && tables == 0;
    if (*empty) return NNM_OK;
    if (application != NNM_JOURNAL_APPLICATION_ID)
        return nnm_fail(err, NNM_ERR_PARSE, "%s is an SQLite database, but not a journal of nn-meter", journal->path);
    if (version != NNM_JOURNAL_VERSION)
        return nnm_fail(err, NNM_ERR_VERSION, "%s: found a journal of version %lld, this nn-meter reads version %d",
                        journal->path, (long long)version, NNM_JOURNAL_VERSION);
    return NNM_OK;
}

/* The same at one moment: another process may be making the tables just now. */
static nnm_status inspect_whole(const nnm_journal *journal, bool *empty, nnm_error *err)
{
    nnm_status status = execute(journal, "BEGIN", "read the journal", err);
    if (status) return status;
    status = inspect(journal, empty, err);
    sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL); /* nothing was written */
    return status;
}

/* Write-ahead logging: a finished write survives the death of the process, needs no wait for the disk, and readers do
 * not block writers. File systems that cannot do it keep SQLite's rollback journal, which is slower but as safe.
 * SQLite does not always wait by itself when two processes switch a new file at once. */
static nnm_status use_wal(const nnm_journal *journal, nnm_error *err)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};
    int code = SQLITE_BUSY;
    for (int waited_ms = 0; waited_ms < BUSY_TIMEOUT_MS; waited_ms += 10) {
        code = sqlite3_exec(journal->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if ((code & 0xff) != SQLITE_BUSY) break;
        nanosleep(&pause, NULL);
    }
    if (code != SQLITE_OK) return fail(journal, code, "open the journal for writing", err);
    return execute(journal, "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON", "set the journal up", err);
}

/* Makes the tables, unless another process has just done so. */
static nnm_status create_tables(const nnm_journal *journal, nnm_error *err)
{
    bool empty = false;
    nnm_status status = execute(journal, "BEGIN IMMEDIATE", "create the journal", err);
    if (status) return status;
    status = inspect(journal, &empty, err);
    if (status == NNM_OK && empty) {
        status = execute(journal, NNM_JOURNAL_SCHEMA, "create the journal", err);
        char pragmas[96];
        snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                 NNM_JOURNAL_APPLICATION_ID, NNM_JOURNAL_VERSION);
        if (status == NNM_OK) status = execute(journal, pragmas, "create the journal", err);
    }
    if (status == NNM_OK) status = execute(journal, "COMMIT", "create the journal", err);
    if (status) sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL); /* what failed is reported already */
    return status;
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
        status = fail(journal, code, "open the journal", err);
        goto done;
    }
    sqlite3_busy_timeout(journal->db, BUSY_TIMEOUT_MS);
    bool empty = false;
    status = inspect_whole(journal, &empty, err);
    if (status == NNM_OK) status = use_wal(journal, err);
    if (status == NNM_OK && empty) status = create_tables(journal, err);
done:
    if (status)
        nnm_journal_close(journal);
    else
        *out = journal;
    return status;
}

void nnm_journal_close(nnm_journal *journal)
{
    if (!journal) return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(journal->prepared[i]);
    sqlite3_close(journal->db);
    free(journal->path);
    free(journal);
}

/* ---- statements ---- */

/* Binds values one after the other; the first failure is kept. Texts and blobs must outlive the step. */
typedef struct binder {
    sqlite3_stmt *statement;
    int next;
    int code;
} binder;

static nnm_status begin_statement(nnm_journal *journal, statement which, binder *out, nnm_error *err)
{
    sqlite3_stmt **prepared = &journal->prepared[which];
    if (!*prepared) {
        int code = sqlite3_prepare_v3(journal->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, prepared, NULL);
        if (code != SQLITE_OK) return fail(journal, code, "use the journal", err);
    }
    *out = (binder){*prepared, 1, SQLITE_OK};
    return NNM_OK;
}

static void bind_text(binder *b, const char *text)
{
    if (b->code == SQLITE_OK) b->code = sqlite3_bind_text(b->statement, b->next++, text, -1, SQLITE_STATIC);
}

static void bind_whole(binder *b, int64_t value)
{
    if (b->code == SQLITE_OK) b->code = sqlite3_bind_int64(b->statement, b->next++, value);
}

static void bind_real(binder *b, double value)
{
    if (b->code == SQLITE_OK) b->code = sqlite3_bind_double(b->statement, b->next++, value);
}

static void bind_bytes(binder *b, const unsigned char *bytes, size_t size)
{
    if (b->code == SQLITE_OK) b->code = sqlite3_bind_blob(b->statement, b->next++, bytes, (int)size, SQLITE_STATIC);
}

/* Runs an INSERT, which is a transaction of its own, and makes the statement ready for the next. */
static nnm_status insert(nnm_journal *journal, binder *b, int64_t *id, nnm_error *err)
{
    int code = b->code == SQLITE_OK ? sqlite3_step(b->statement) : b->code;
    nnm_status status = NNM_OK;
    if (code != SQLITE_DONE)
        status = fail(journal, code, "write to the journal", err);
    else if (id)
        *id = sqlite3_last_insert_rowid(journal->db);
    sqlite3_reset(b->statement);
    sqlite3_clear_bindings(b->statement);
    return status;
}

/* ---- writing ---- */

nnm_status nnm_journal_begin(nnm_journal *journal, const nnm_journal_run *run, int64_t *run_id, nnm_error *err)
{
    binder b = {0};
    nnm_status status = begin_statement(journal, ADD_RUN, &b, err);
    if (status) return status;
    const nnm_protocol *protocol = run->protocol;
    const nnm_machine *machine = run->machine;
    bind_real(&b, nnm_unix_time_s());
    bind_text(&b, nnm_version());
    bind_text(&b, run->backend);
    bind_text(&b, run->runtime_version);
    bind_whole(&b, run->threads);
    bind_whole(&b, protocol->rounds);
    bind_real(&b, protocol->warmup_ms);
    bind_real(&b, protocol->sample_us);
    bind_real(&b, protocol->round_ms);
    bind_real(&b, protocol->budget_s);
    bind_real(&b, protocol->timeout_s);
    bind_whole(&b, protocol->memory_limit_mib);
    bind_whole(&b, protocol->cpu);
    bind_real(&b, protocol->gate);
    bind_text(&b, machine->host);
    bind_text(&b, machine->cpu);
    bind_text(&b, machine->kernel_release);
    bind_text(&b, machine->governor);
    bind_whole(&b, machine->cpus);
    bind_real(&b, machine->memory_gib);
    bind_real(&b, machine->load);
    bind_real(&b, machine->clock_ghz);
    bind_real(&b, machine->timer_ns);
    bind_whole(&b, machine->may_realtime);
    return insert(journal, &b, run_id, err);
}

static void encode(const double *values, size_t count, unsigned char *bytes)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        memcpy(&bits, &values[i], sizeof bits);
        for (int byte = 0; byte < 8; byte++)
            *bytes++ = (unsigned char)(bits >> (8 * byte));
    }
}

static void decode(const unsigned char *bytes, size_t count, double *values)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        for (int byte = 0; byte < 8; byte++)
            bits |= (uint64_t)*bytes++ << (8 * byte);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

/* A number that is not finite would be stored as nothing, and nothing can be derived from it. */
static nnm_status check_round(const nnm_round *round, nnm_error *err)
{
    const double numbers[] = {round->estimate_ns,       round->open_ns,  round->wall_ns,
                              round->reference_best_ns, round->clock_ns, round->unix_time_s};
    bool finite = true;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        finite = finite && isfinite(numbers[i]);
    if (finite && round->estimate_ns > 0 && round->sample_count >= 1 && round->sample_count <= NNM_MAX_SAMPLES)
        return NNM_OK;
    return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                    "a round of %zu samples and %g ns is none: it has 1 to %d samples and finite times",
                    round->sample_count, round->estimate_ns, NNM_MAX_SAMPLES);
}

nnm_status nnm_journal_add_round(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel, const char *id,
                                 const char *config, const nnm_round *round, nnm_error *err)
{
    nnm_status status = check_round(round, err);
    if (status) return status;
    binder b = {0};
    status = begin_statement(journal, ADD_ROUND, &b, err);
    if (status) return status;
    unsigned char samples[8 * NNM_MAX_SAMPLES], references[8 * NNM_MAX_SAMPLES];
    encode(round->sample_ns, round->sample_count, samples);
    encode(round->reference_ns, round->sample_count, references);
    bind_whole(&b, run_id);
    bind_text(&b, nnm_kernel_name(kernel));
    bind_text(&b, id);
    bind_text(&b, config);
    bind_real(&b, round->unix_time_s);
    bind_real(&b, round->estimate_ns);
    bind_real(&b, round->open_ns);
    bind_real(&b, round->wall_ns);
    bind_whole(&b, (int64_t)round->calls_per_sample);
    bind_whole(&b, (int64_t)round->sample_count);
    bind_whole(&b, (int64_t)round->quiet_count);
    bind_real(&b, round->reference_best_ns);
    bind_real(&b, round->clock_ns);
    bind_whole(&b, round->cpu);
    bind_bytes(&b, samples, 8 * round->sample_count);
    bind_bytes(&b, references, 8 * round->sample_count);
    return insert(journal, &b, NULL, err);
}

nnm_status nnm_journal_add_failure(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel, const char *id,
                                   const char *config, const nnm_error *failure, nnm_error *err)
{
    binder b = {0};
    nnm_status status = begin_statement(journal, ADD_FAILURE, &b, err);
    if (status) return status;
    bind_whole(&b, run_id);
    bind_text(&b, nnm_kernel_name(kernel));
    bind_text(&b, id);
    bind_text(&b, config);
    bind_real(&b, nnm_unix_time_s());
    bind_whole(&b, failure->code);
    bind_text(&b, nnm_status_name(failure->code));
    bind_text(&b, failure->message);
    return insert(journal, &b, NULL, err);
}

/* ---- reading ---- */

static nnm_status read_samples(const nnm_journal *journal, sqlite3_stmt *query, int column, size_t count,
                               double *values, nnm_error *err)
{
    const void *bytes = sqlite3_column_blob(query, column);
    if (!bytes || sqlite3_column_bytes(query, column) != (int)(8 * count))
        return nnm_fail(err, NNM_ERR_PARSE, "%s is damaged: a round has lost its samples", journal->path);
    decode(bytes, count, values);
    return NNM_OK;
}

static nnm_status read_round(const nnm_journal *journal, sqlite3_stmt *query, bool with_samples, nnm_round *round,
                             nnm_error *err)
{
    memset(round, 0, sizeof *round);
    round->unix_time_s = sqlite3_column_double(query, 0);
    round->estimate_ns = sqlite3_column_double(query, 1);
    round->open_ns = sqlite3_column_double(query, 2);
    round->wall_ns = sqlite3_column_double(query, 3);
    round->calls_per_sample = (size_t)sqlite3_column_int64(query, 4);
    int64_t sample_count = sqlite3_column_int64(query, 5);
    round->quiet_count = (size_t)sqlite3_column_int64(query, 6);
    round->reference_best_ns = sqlite3_column_double(query, 7);
    round->clock_ns = sqlite3_column_double(query, 8);
    round->cpu = sqlite3_column_int(query, 9);
    if (sample_count < 1 || sample_count > NNM_MAX_SAMPLES)
        return nnm_fail(err, NNM_ERR_PARSE, "%s is damaged: a round has %lld samples", journal->path,
                        (long long)sample_count);
    round->sample_count = (size_t)sample_count;
    if (check_round(round, NULL) != NNM_OK)
        return nnm_fail(err, NNM_ERR_PARSE, "%s is damaged: a round took %g ns", journal->path, round->estimate_ns);
    if (!with_samples) return NNM_OK;
    nnm_status status = read_samples(journal, query, 10, round->sample_count, round->sample_ns, err);
    if (status == NNM_OK) status = read_samples(journal, query, 11, round->sample_count, round->reference_ns, err);
    return status;
}

nnm_status nnm_journal_rounds(nnm_journal *journal, const char *backend, unsigned threads, const nnm_kernel *kernel,
                              const char *id, const char *config, bool with_samples, nnm_round **rounds, size_t *count,
                              nnm_error *err)
{
    binder b = {0};
    nnm_status status = begin_statement(journal, GET_ROUNDS, &b, err);
    if (status) return status;
    nnm_round *found = NULL;
    size_t found_count = 0, capacity = 0;
    bind_text(&b, nnm_kernel_name(kernel));
    bind_text(&b, id);
    bind_text(&b, backend);
    bind_whole(&b, threads);
    bind_text(&b, config);
    int code = b.code == SQLITE_OK ? sqlite3_step(b.statement) : b.code;
    for (; code == SQLITE_ROW; code = sqlite3_step(b.statement)) {
        void *array = found;
        status = nnm_grow(&array, &capacity, found_count + 1, sizeof *found, err);
        if (status) goto done;
        found = array;
        status = read_round(journal, b.statement, with_samples, &found[found_count], err);
        if (status) goto done;
        found_count++;
    }
    if (code != SQLITE_DONE) {
        status = fail(journal, code, "read the journal", err);
        goto done;
    }
    *rounds = found;
    *count = found_count;
    found = NULL;
done:
    sqlite3_reset(b.statement);
    sqlite3_clear_bindings(b.statement);
    free(found);
    return status;
}
