/*
 * What a report shows, as plain rows. What cannot be known is NaN, empty or zero, and the page says so.
 *
 * Zero-initialise; end with nnm_report_page_fini, which frees everything that hangs on it.
 */
#ifndef NNM_REPORT_PAGE_H
#define NNM_REPORT_PAGE_H

#include "base/buffer.h"
#include "nnmeter/report.h"

#define NNM_REPORT_TEXT_BYTES 256

/* A row that was kept for the test. */
typedef struct nnm_report_test {
    nnm_kernel_config config;
    double measured_ms, predicted_ms;
    double size; /* FLOPs or elements; NaN where the row does not tell */
} nnm_report_test;

/* A configuration that was measured. */
typedef struct nnm_report_label {
    nnm_kernel_config config;
    double latency_ms;
    double error;     /* standard error, a share; NaN: not known */
    double second_ms; /* latency of the separate pass; NaN: none */
} nnm_report_label;

/* The predictor over one parameter. */
typedef struct nnm_report_step {
    double value, latency_ms, lower_ms, upper_ms;
} nnm_report_step;

/* A measured configuration on that line, or next to it. */
typedef struct nnm_report_neighbour {
    nnm_kernel_config config;
    double value, latency_ms;
    bool exact;
} nnm_report_neighbour;

typedef struct nnm_report_sweep {
    char param[NNM_REPORT_TEXT_BYTES]; /* what changes, e.g. "COUT" or "CIN = COUT" */
    char fixed[NNM_REPORT_TEXT_BYTES]; /* the others, "HW=56, CIN=64, ..." */
    nnm_report_step *steps;
    nnm_report_neighbour *near;
    size_t step_count, near_count, near_capacity;
} nnm_report_sweep;

/* A file of configurations, or a test of a predictor, or both, under one mark. */
typedef struct nnm_report_mark {
    char name[128];
    size_t sampled, measured;
    nnm_metrics test; /* rows 0: no test */
    bool set_apart;   /* they test the predictor that is shown, and none learned from them */
    double written_s; /* when the first of its files was */
} nnm_report_mark;

typedef struct nnm_report_kernel {
    nnm_report_row row; /* of the table of all kernels */
    const nnm_kernel *kernel;
    char mark[128];                     /* of the predictor shown */
    char model[64];                     /* of the predictor; "" without one */
    char shared[NNM_KERNEL_NAME_BYTES]; /* the kernel type whose predictor it shares; "": its own */
    bool has_flops;                     /* sizes are FLOPs, otherwise elements */
    char test[128];                     /* mark of the test rows shown */
    nnm_metrics tested;                 /* of these rows */
    nnm_agreement agreement;
    nnm_report_test *tests;
    nnm_report_label *labels;
    nnm_report_mark *marks;
    size_t test_count, label_count, mark_count, label_capacity, mark_capacity;
    nnm_report_sweep sweep;
    char no_sweep[NNM_ERROR_MESSAGE_BYTES]; /* why there is none */
} nnm_report_kernel;

typedef struct nnm_report_failure {
    char step[16]; /* generate, convert, profile */
    char kernel[NNM_KERNEL_NAME_BYTES];
    char id[NNM_KERNEL_ID_BYTES];
    char config[NNM_REPORT_TEXT_BYTES];
    char code[64];
    char message[NNM_ERROR_MESSAGE_BYTES];
    size_t order;
} nnm_report_failure;

/* One machine with one version of the runtime, on which measurements were made. */
typedef struct nnm_report_machine {
    nnm_machine machine;
    char runtime_version[128], nnmeter_version[64];
    size_t runs;
    double last_unix_s;
} nnm_report_machine;

typedef struct nnm_report_page {
    char *workspace;
    char backend[NNM_KERNEL_NAME_BYTES];
    bool simulated; /* latencies are computed by a model, nothing was measured */
    bool local;     /* models run on the machine that measures */
    double generated_unix_s, first_unix_s, last_unix_s;
    nnm_buffer settings;  /* lines of "KEY: value" */
    bool settings_of_run; /* those of the last measurements, not those that hold now */
    double target_error;  /* of the protocol */
    char **notes;         /* what could not be read */
    nnm_report_machine *machines;
    nnm_report_kernel *kernels;
    nnm_report_failure *failures;
    char **not_begun; /* kernel types of the configuration of which nothing is there */
    size_t note_count, machine_count, kernel_count, failure_count, not_begun_count;
    size_t note_capacity, machine_capacity, kernel_capacity, failure_capacity, not_begun_capacity;
} nnm_report_page;

void nnm_report_page_fini(nnm_report_page *page);

/* Adds a copy of a text to a list of them. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_report_add_text(char ***list, size_t *count, size_t *capacity, const char *text,
                                             nnm_error *err);

/* The page as HTML. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_report_write_html(const nnm_report_page *page, nnm_buffer *out, nnm_error *err);

/* Whether this library was built with the chart library; without it a page has tables only. */
bool nnm_report_has_charts(void);

#endif
