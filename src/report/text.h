/* Writing into a page: text from files never becomes markup or script, and numbers are the same in every locale. */
#ifndef NNM_REPORT_TEXT_H
#define NNM_REPORT_TEXT_H

#include <stddef.h>

#include "base/buffer.h"

/* Text as the content of an element or the value of a quoted attribute. Bytes that are not UTF-8, and characters that
 * HTML does not allow, become U+FFFD. */
void nnm_html_text(nnm_buffer *out, const char *text);

/* A string with its quotes, in JSON that stands inside of a script element. */
void nnm_json_text(nnm_buffer *out, const char *text);

/* A number for JSON, rounded to 6 digits; null where it is not finite. */
void nnm_json_number(nnm_buffer *out, double value);

/* A number for people, with so many decimals (0 to 6). */
void nnm_html_fixed(nnm_buffer *out, double value, int decimals);
/* A share as percent, "97.3 %"; a dash for NaN. */
void nnm_html_share(nnm_buffer *out, double share);
/* A latency with three digits and its unit, "0.0123 ms"; a dash for NaN. */
void nnm_html_ms(nnm_buffer *out, double milliseconds);
/* "8.4 s", "3 min 05 s", "2 h 10 min" */
void nnm_html_seconds(nnm_buffer *out, double seconds);
/* "2026-11-22 18:04 UTC" */
void nnm_html_time(nnm_buffer *out, double unix_time_s);
/* Thousands apart: "12 480" */
void nnm_html_count(nnm_buffer *out, size_t count);

#endif
