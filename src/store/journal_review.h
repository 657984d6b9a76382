/* What a report asks of the journal: who measured, for how long, and what failed. */
#ifndef NNM_STORE_JOURNAL_REVIEW_H
#define NNM_STORE_JOURNAL_REVIEW_H

#include "store/journal.h"

/* One machine with one version of the runtime. */
typedef struct nnm_journal_machine {
    nnm_machine machine; /* as the last of its runs found it */
    char runtime_version[128], nnmeter_version[64];
    size_t runs;
    double last_unix_s;
} nnm_journal_machine;

/* Those on which runs of this source were made, the latest last. The caller frees `*out`. */
NNM_NODISCARD nnm_status nnm_journal_machines(nnm_journal *journal, const nnm_journal_source *source,
                                              nnm_journal_machine **out, size_t *count, nnm_error *err);

/* The settings of the latest run of this source, lines of "KEY: value"; NULL: there is none. The caller frees. */
NNM_NODISCARD nnm_status nnm_journal_settings(nnm_journal *journal, const nnm_journal_source *source, char **out,
                                              nnm_error *err);

/* Reads the whole file through. Errors: PARSE where it is damaged, with what is wrong; those of the journal. */
NNM_NODISCARD nnm_status nnm_journal_verify(nnm_journal *journal, nnm_error *err);

/* What was spent on a kernel type, all passes; zeros where nothing was. */
typedef struct nnm_journal_effort {
    size_t rounds;
    double device_s;                  /* whole rounds, but for waiting */
    double first_unix_s, last_unix_s; /* when the first and the last began */
} nnm_journal_effort;
NNM_NODISCARD nnm_status nnm_journal_get_effort(nnm_journal *journal, const nnm_journal_source *source,
                                                const nnm_kernel *kernel, nnm_journal_effort *out, nnm_error *err);

/* The last failure in pass 0 of each configuration that was not measured since. The caller frees `*out`. */
typedef struct nnm_journal_failure {
    char id[NNM_KERNEL_ID_BYTES];
    char config[NNM_SUBJECT_BYTES];
    char code_name[64];
    char message[NNM_ERROR_MESSAGE_BYTES];
} nnm_journal_failure;
NNM_NODISCARD nnm_status nnm_journal_failures(nnm_journal *journal, const nnm_journal_source *source,
                                              const nnm_kernel *kernel, nnm_journal_failure **out, size_t *count,
                                              nnm_error *err);

#endif
