/* What the files that write the page share. */
#ifndef NNM_REPORT_HTML_H
#define NNM_REPORT_HTML_H

#include "report/page.h"

/* "measured" or, where a model computed the latencies, "simulated". */
const char *nnm_html_measured(const nnm_report_page *page);

/* The id of a kernel's section. */
void nnm_html_anchor(nnm_buffer *out, const char *kernel);

/* The section of one kernel type: its figures, each with what it shows in words. */
void nnm_html_kernel(nnm_buffer *out, const nnm_report_page *page, size_t index);

#endif
