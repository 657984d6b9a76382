/* Allocation with overflow-checked sizes. Everything returned is freed by free(). */
#ifndef NNM_BASE_MEMORY_H
#define NNM_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#include "nnmeter/status.h"

/* `count` zeroed elements of `size` bytes; never NULL for count 0. NULL when memory is short or the size overflows. */
void *nnm_calloc(size_t count, size_t size);

/* Resizes to `count` elements; new ones are not initialised. NULL leaves the old block as it was. */
void *nnm_reallocarray(void *block, size_t count, size_t size);

char *nnm_strdup(const char *text);

/* A formatted string of any length, or NULL. */
char *nnm_format(const char *format, ...) NNM_PRINTF(1, 2);

/* Makes room for at least `needed` elements in a growing array, doubling its capacity.
 * Errors: NO_MEMORY; array and capacity are then unchanged. */
NNM_NODISCARD nnm_status nnm_grow(void **array, size_t *capacity, size_t needed, size_t size, nnm_error *err);

#endif
