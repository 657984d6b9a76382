/*
 * The report of a workspace: one HTML file with tables and charts that opens anywhere, without a network.
 *
 *     nnm_status status = nnm_write_report(builder, NULL, NULL, NULL, &err);
 */
#ifndef NNMETER_REPORT_H
#define NNMETER_REPORT_H

#include "nnmeter/builder.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One kernel type in the table of all. Shares and RMSPE are fractions. */
typedef struct nnm_report_row {
    char kernel[NNM_KERNEL_NAME_BYTES];
    size_t profiled;           /* configurations with a latency */
    size_t failed;             /* configurations that could not be measured */
    double device_s;           /* spent on measuring them; NaN: not known (there is no journal) */
    nnm_metrics test;          /* of its latest predictor, on rows it was not trained on; rows 0: no test */
    double noise_ceiling10;    /* highest acc10 that the labels allow (metrics.h); NaN: not known */
    char predictor_path[4096]; /* the latest predictor; "" without one */
} nnm_report_row;

typedef struct nnm_report_result {
    char path[4096];
    bool charts;          /* false: the library was built without the chart library, and the page has tables only */
    nnm_report_row *rows; /* of every kernel type of which something is there */
    size_t row_count;
} nnm_report_result;
NNM_API void nnm_report_result_fini(nnm_report_result *result);

/* Writes the report of what is in the workspace now: results/, its journal, its configuration. `backend` must be the
 * workspace's; NULL: that. It need not be available here. `path` NULL: DIR/predictor_build/results/report.html.
 * `out` may be NULL. Nothing is measured and nothing else is written. What is missing or cannot be read leaves a note
 * on the page and, for the latter, a warning in the log. Errors: VALUE (another backend), NOT_FOUND, IO, NO_SPACE (the
 * file cannot be written), INTERRUPTED, NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_write_report(nnm_builder *builder, const char *backend, const char *path,
                                                  nnm_report_result *out, nnm_error *err);

#ifdef __cplusplus
}
#endif

#endif
