/* The numbers that the page's script draws, as JSON. */
#ifndef NNM_REPORT_DATA_H
#define NNM_REPORT_DATA_H

#include "report/page.h"

/* One object with everything; safe inside of a script element. */
void nnm_report_write_data(const nnm_report_page *page, nnm_buffer *out);

/* What the build found and compiled in; sizes do not count a final zero byte. */
typedef struct nnm_report_asset {
    const unsigned char *bytes;
    size_t size;
} nnm_report_asset;
extern const nnm_report_asset nnm_report_style, nnm_report_script;
extern const nnm_report_asset nnm_report_library; /* size 0: the library was not there */

#endif
