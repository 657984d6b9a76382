/* Filling in nnm_error: one call a failure, so that a return statement reads as what went wrong. */
#ifndef NNM_BASE_ERROR_H
#define NNM_BASE_ERROR_H

#include "nnmeter/status.h"

/* Sets `err` (unless NULL) and returns `code`. */
nnm_status nnm_fail(nnm_error *err, nnm_status code, const char *format, ...) NNM_PRINTF(3, 4);

/* The same for a place in a text file: the message begins "path:line:column: "; 0 leaves a number out. */
nnm_status nnm_fail_at(nnm_error *err, nnm_status code, const char *path, size_t line, size_t column,
                       const char *format, ...) NNM_PRINTF(6, 7);

/* The same from errno, whose text is appended: "cannot write 'x': No space left on device". The code follows errno:
 * NOT_FOUND, EXISTS, NO_SPACE, NO_MEMORY, else IO. */
nnm_status nnm_fail_errno(nnm_error *err, const char *format, ...) NNM_PRINTF(2, 3);

nnm_status nnm_fail_memory(nnm_error *err);

/* Puts "text: " before the message of an error on its way up, and returns `code`, which becomes the error's: it may be
 * another one than that of the cause. */
nnm_status nnm_context(nnm_error *err, nnm_status code, const char *format, ...) NNM_PRINTF(3, 4);

#endif
