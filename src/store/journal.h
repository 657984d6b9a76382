/*
 * The journal: every raw measurement of a workspace, written the moment it is made (DIR/journal.sqlite).
 *
 * One transaction a measurement, on the disk before the next begins: it survives the death of the process and of the
 * machine at any moment. The JSON and CSV files of a workspace are derived from it. Two processes may open one journal;
 * a write waits for the other's.
 */
#ifndef NNM_STORE_JOURNAL_H
#define NNM_STORE_JOURNAL_H

#include <stdint.h>

#include "nnmeter/kernel_data.h"
#include "nnmeter/measure.h"
#include "store/record.h"

typedef struct nnm_journal nnm_journal;

/* Opens or creates; a journal of an older version is brought up to date, at once or not at all.
 * Errors: IO, NO_SPACE, PARSE (not a journal), VERSION (made by a newer nn-meter). */
NNM_NODISCARD nnm_status nnm_journal_open(nnm_journal **out, const char *path, nnm_error *err);
void nnm_journal_close(nnm_journal *journal); /* NULL is allowed */

/* From now on a measurement is on the disk when the system has written it, some seconds later: for what can be had
 * again at once. It still survives the death of the process. Errors: IO. */
NNM_NODISCARD nnm_status nnm_journal_relax(nnm_journal *journal, nnm_error *err);

/* ---- measurements ---- */

#define NNM_SOURCE_IDENTITY_BYTES 1024

/* What two measurements must have in common to be of the same thing, beyond the kernel. No member may be NULL. */
typedef struct nnm_journal_source {
    const char *backend;
    unsigned threads;
    const char *optimization;                 /* GRAPH_OPTIMIZATION, e.g. "all" */
    const char *implement;                    /* IMPLEMENT: "tensorflow" or "torch" */
    char identity[NNM_SOURCE_IDENTITY_BYTES]; /* "KEY: value" lines of the backend's own settings that say what is
                                                 measured, as `settings` has them; "": it has none */
} nnm_journal_source;

/* One sitting in which measurements are made. */
typedef struct nnm_journal_run {
    nnm_journal_source source;
    const char *runtime_version;
    const char *settings; /* all of backend_config.yaml as it holds, lines of "KEY: value" */
    const nnm_protocol *protocol;
    const nnm_machine *machine;
} nnm_journal_run;

NNM_NODISCARD nnm_status nnm_journal_begin(nnm_journal *journal, const nnm_journal_run *run, int64_t *run_id,
                                           nnm_error *err);

/* Adds one round of one kernel. `config` says what was measured, e.g. "HW=56,CIN=64,...,BATCH=8". */
NNM_NODISCARD nnm_status nnm_journal_add_round(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel,
                                               const char *id, const char *config, const nnm_round *round,
                                               nnm_error *err);

/* Adds a failure: its code and message. `pass` as in nnm_round. */
NNM_NODISCARD nnm_status nnm_journal_add_failure(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel,
                                                 const char *id, const char *config, unsigned pass,
                                                 const nnm_error *failure, nnm_error *err);

/* The rounds of one kernel, all passes and all runs, in the order they were made; only those whose `config` is the
 * same, for an id may be used again. Without raw samples when `with_samples` is false (they are then zero). The caller
 * frees `*rounds`; NULL for none. */
NNM_NODISCARD nnm_status nnm_journal_rounds(nnm_journal *journal, const nnm_journal_source *source,
                                            const nnm_kernel *kernel, const char *id, const char *config,
                                            bool with_samples, nnm_round **rounds, size_t *count, nnm_error *err);

/* A line of a run's settings: the reference loops that its samples were compared with. */
#define NNM_JOURNAL_REFERENCE "REFERENCE: "

/* The quiet state of this machine as the latest round that found it with these reference loops (NULL: with any) has it;
 * both 0 when none did. */
NNM_NODISCARD nnm_status nnm_journal_quiet_state(nnm_journal *journal, const nnm_machine *machine,
                                                 const char *reference, double *reference_ns, double *clock_ns,
                                                 nnm_error *err);

/* When the kernel failed last in pass 0; 0: never. */
NNM_NODISCARD nnm_status nnm_journal_last_failure(nnm_journal *journal, const nnm_journal_source *source,
                                                  const nnm_kernel *kernel, const char *id, const char *config,
                                                  double *unix_time_s, nnm_error *err);

/* The kernels of one type that have rounds, in the order of their first: id and `config`. The caller frees. */
typedef struct nnm_journal_subject {
    char id[NNM_KERNEL_ID_BYTES];
    char config[NNM_SUBJECT_BYTES];
} nnm_journal_subject;
NNM_NODISCARD nnm_status nnm_journal_measured(nnm_journal *journal, const nnm_journal_source *source,
                                              const nnm_kernel *kernel, nnm_journal_subject **out, size_t *count,
                                              nnm_error *err);

/* ---- what files hold ---- */

/* Files of results/ that say more than measurements do, one a kernel type and mark. */
typedef enum nnm_journal_table {
    NNM_JOURNAL_SAMPLED = 0, /* the configuration file, <kernel>_<mark>.json */
    NNM_JOURNAL_COLLECTED    /* the table that a predictor was made of, collection/Data_<kernel>_<mark>.csv */
} nnm_journal_table;

/* Notes what such a file holds, instead of what it held before; latencies are not noted. One transaction. */
NNM_NODISCARD nnm_status nnm_journal_put_file(nnm_journal *journal, nnm_journal_table table, const char *mark,
                                              const nnm_kernel_data *data, nnm_error *err);

/* What the file of this kernel type and mark holds; empty when nothing was noted. */
NNM_NODISCARD nnm_status nnm_journal_get_file(nnm_journal *journal, nnm_journal_table table, const nnm_kernel *kernel,
                                              const char *mark, nnm_kernel_data **out, nnm_error *err);

/* The marks that are noted for a kernel type, in the order they came. The caller frees `*out`. */
#define NNM_MARK_BYTES 128
typedef struct nnm_journal_mark {
    char name[NNM_MARK_BYTES];
} nnm_journal_mark;
NNM_NODISCARD nnm_status nnm_journal_marks(nnm_journal *journal, nnm_journal_table table, const nnm_kernel *kernel,
                                           nnm_journal_mark **out, size_t *count, nnm_error *err);

/* ---- where the time goes in a kernel ---- */

NNM_NODISCARD nnm_status nnm_journal_add_node_times(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel,
                                                    const char *id, const char *config, const nnm_node_time *nodes,
                                                    size_t count, nnm_error *err);
/* How many nodes are noted for the kernel. */
NNM_NODISCARD nnm_status nnm_journal_count_node_times(nnm_journal *journal, const nnm_journal_source *source,
                                                      const nnm_kernel *kernel, const char *id, const char *config,
                                                      size_t *count, nnm_error *err);

#endif
