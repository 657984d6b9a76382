/*
 * What the files of the journal share: the database, its errors, and statements.
 *
 * A statement is taken by its text, given its values one after the other, and run; it is prepared once and kept.
 *
 *     nnm_journal_statement s = {0};
 *     nnm_status status = nnm_journal_use(&s, journal, "INSERT INTO t VALUES (?, ?)", err);
 *     if (status) return status;
 *     nnm_bind_text(&s, name);
 *     nnm_bind_real(&s, value);
 *     return nnm_journal_insert(&s, NULL, err);
 */
#ifndef NNM_STORE_JOURNAL_DB_H
#define NNM_STORE_JOURNAL_DB_H

#include <sqlite3.h>

#include "store/journal.h"

#define NNM_JOURNAL_STATEMENTS 32 /* different ones that a journal keeps */

typedef struct nnm_prepared {
    const char *sql; /* compared by address: a literal */
    sqlite3_stmt *statement;
} nnm_prepared;

struct nnm_journal {
    sqlite3 *db;
    char *path;
    nnm_prepared prepared[NNM_JOURNAL_STATEMENTS];
    size_t prepared_count;
};

/* Fails with what SQLite says about the call that returned `code`; `what` follows "cannot". */
nnm_status nnm_journal_fail(const nnm_journal *journal, int code, const char *what, nnm_error *err);

/* Runs statements that return nothing. */
NNM_NODISCARD nnm_status nnm_journal_execute(const nnm_journal *journal, const char *sql, const char *what,
                                             nnm_error *err);

/* BEGIN, COMMIT or, where `status` says that something failed, ROLLBACK. */
NNM_NODISCARD nnm_status nnm_journal_begin_changes(const nnm_journal *journal, nnm_error *err);
NNM_NODISCARD nnm_status nnm_journal_end_changes(const nnm_journal *journal, nnm_status status, nnm_error *err);

/* A statement in use. The first failure to bind is kept. Texts and blobs must outlive the step. */
typedef struct nnm_journal_statement {
    nnm_journal *journal;
    sqlite3_stmt *statement;
    int next;
    int code;
} nnm_journal_statement;

NNM_NODISCARD nnm_status nnm_journal_use(nnm_journal_statement *out, nnm_journal *journal, const char *sql,
                                         nnm_error *err);
void nnm_bind_text(nnm_journal_statement *s, const char *text);
void nnm_bind_whole(nnm_journal_statement *s, int64_t value);
void nnm_bind_real(nnm_journal_statement *s, double value);
void nnm_bind_bytes(nnm_journal_statement *s, const unsigned char *bytes, size_t size);

/* Goes to the next row of a query; false: there is none, or it failed, which nnm_journal_done reports. */
bool nnm_journal_next(nnm_journal_statement *s);
/* Makes the statement ready for the next use. Fails when a step did; always to be called. */
NNM_NODISCARD nnm_status nnm_journal_done(nnm_journal_statement *s, const char *what, nnm_error *err);

/* Runs an INSERT, UPDATE or DELETE; `id`, unless NULL, receives the number of the new row. */
NNM_NODISCARD nnm_status nnm_journal_insert(nnm_journal_statement *s, int64_t *id, nnm_error *err);

/* A text of the present row, copied; NULL when memory is short. The caller frees it. */
char *nnm_journal_text(const nnm_journal_statement *s, int column);

#endif
