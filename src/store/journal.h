/*
 * The journal: every raw measurement of a workspace, written the moment it is made (DIR/journal.sqlite).
 *
 * One transaction a measurement; synchronous enough to survive the death of the process at any moment. The JSON and
 * CSV files of a workspace are derived from it. Two processes may open one journal; a write waits for the other's.
 */
#ifndef NNM_STORE_JOURNAL_H
#define NNM_STORE_JOURNAL_H

#include <stdint.h>

#include "nnmeter/kernel.h"
#include "nnmeter/measure.h"

typedef struct nnm_journal nnm_journal;

/* Opens or creates. Errors: IO, NO_SPACE, PARSE (not a journal), VERSION (made by a newer nn-meter). */
NNM_NODISCARD nnm_status nnm_journal_open(nnm_journal **out, const char *path, nnm_error *err);
void nnm_journal_close(nnm_journal *journal); /* NULL is allowed */

/* One sitting in which measurements are made. */
typedef struct nnm_journal_run {
    const char *backend;
    const char *runtime_version;
    unsigned threads;
    const nnm_protocol *protocol;
    const nnm_machine *machine;
} nnm_journal_run;

NNM_NODISCARD nnm_status nnm_journal_begin(nnm_journal *journal, const nnm_journal_run *run, int64_t *run_id,
                                           nnm_error *err);

/* Adds one round of one kernel. `config` says what was measured, e.g. "HW=56,CIN=64,...,BATCH=8". */
NNM_NODISCARD nnm_status nnm_journal_add_round(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel,
                                               const char *id, const char *config, const nnm_round *round,
                                               nnm_error *err);

/* Adds a failure: its code and message. */
NNM_NODISCARD nnm_status nnm_journal_add_failure(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel,
                                                 const char *id, const char *config, const nnm_error *failure,
                                                 nnm_error *err);

/* The rounds of one kernel on one backend with so many threads, all runs, in the order they were made; only those whose
 * `config` is the same, for an id may be used again. Without raw samples when `with_samples` is false (sample_ns and
 * reference_ns are then zero). The caller frees `*rounds`; NULL for none. */
NNM_NODISCARD nnm_status nnm_journal_rounds(nnm_journal *journal, const char *backend, unsigned threads,
                                            const nnm_kernel *kernel, const char *id, const char *config,
                                            bool with_samples, nnm_round **rounds, size_t *count, nnm_error *err);

#endif
