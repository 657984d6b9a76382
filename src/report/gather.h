/* From a workspace to a page: what is there is read, what is not is noted. */
#ifndef NNM_REPORT_GATHER_H
#define NNM_REPORT_GATHER_H

#include "builder/builder.h"
#include "report/page.h"
#include "store/journal.h"

typedef struct nnm_gather {
    const nnm_builder *builder;
    const char *workspace;
    const nnm_backend *backend;
    nnm_report_page *page;
    nnm_journal *journal; /* NULL: there is none, or it cannot be read */
    nnm_journal_source source;
} nnm_gather;

/* Fills `page`, which is zeroed. Errors: NO_MEMORY, INTERRUPTED. */
NNM_NODISCARD nnm_status nnm_report_gather(nnm_report_page *page, const nnm_builder *builder, nnm_error *err);

/* What a file or the journal could not tell becomes a note, unless it is memory that is short.
 * `status` and `reason`: how reading went; NNM_OK notes nothing. */
NNM_NODISCARD nnm_status nnm_gather_note(nnm_gather *g, nnm_status status, const nnm_error *reason, nnm_error *err);

/* ---- files of a folder ---- */

typedef struct nnm_found_file {
    char *path;
    char mark[128];
    double written_s;
} nnm_found_file;
typedef struct nnm_found_files {
    nnm_found_file *items;
    size_t count, capacity;
} nnm_found_files;

/* The files called "<prefix><mark><suffix>", in the order they were written. Those in a folder that is not there are
 * none. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_find_files(nnm_found_files *out, const char *folder, const char *prefix,
                                        const char *suffix, nnm_error *err);
void nnm_found_files_fini(nnm_found_files *files);

/* ---- one kernel ---- */

/* Marks, rows of tests and measured configurations of `k` from files and journal; the predictor's own figures. */
NNM_NODISCARD nnm_status nnm_gather_kernel(nnm_gather *g, nnm_report_kernel *k, nnm_error *err);

/* From the journal: measured configurations with their errors and second passes, time, failures. */
NNM_NODISCARD nnm_status nnm_gather_measured(nnm_gather *g, nnm_report_kernel *k, nnm_error *err);

/* The run of the journal and its machines. */
NNM_NODISCARD nnm_status nnm_gather_machines(nnm_gather *g, nnm_error *err);

/* Adds the lines of an error log that are about no configuration of the journal or that were not overcome. */
NNM_NODISCARD nnm_status nnm_gather_failures(nnm_gather *g, nnm_error *err);

/* The predictor over one parameter at a configuration beside which much was measured. */
NNM_NODISCARD nnm_status nnm_gather_sweep(nnm_registry *registry, nnm_report_kernel *k, const nnm_predictor *predictor,
                                          nnm_error *err);

NNM_NODISCARD nnm_status nnm_gather_add_label(nnm_report_kernel *k, const nnm_report_label *label, nnm_error *err);

/* FLOPs of a configuration, or the elements of kernels that have none. */
double nnm_gather_size(const nnm_kernel *kernel, const nnm_kernel_config *config);

#endif
