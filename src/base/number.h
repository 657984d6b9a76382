/* Numbers as text, the same in every locale. */
#ifndef NNM_BASE_NUMBER_H
#define NNM_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole of `text` must be the number, but for blanks around it. A double may be "nan" or "inf": callers that need
 * finite ones check. */
bool nnm_parse_double(const char *text, double *out);
bool nnm_parse_int64(const char *text, int64_t *out);
bool nnm_parse_uint64(const char *text, uint64_t *out);

/* The shortest decimal that reads back as the same double, e.g. "0.1"; `size` >= 32. Returns `text`. */
char *nnm_format_double(double value, char *text, size_t size);

#endif
