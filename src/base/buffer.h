/* Growable bytes. An allocation that fails is remembered: append freely, check once at the end. */
#ifndef NNM_BASE_BUFFER_H
#define NNM_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "nnmeter/status.h"

typedef struct nnm_buffer {
    char *data; /* always followed by a zero byte once something was appended */
    size_t size, capacity;
    bool failed; /* memory ran out: later appends do nothing */
} nnm_buffer;

void nnm_buffer_append(nnm_buffer *buffer, const void *bytes, size_t size);
void nnm_buffer_text(nnm_buffer *buffer, const char *text);
void nnm_buffer_printf(nnm_buffer *buffer, const char *format, ...) NNM_PRINTF(2, 3);
/* NO_MEMORY if any append failed. */
NNM_NODISCARD nnm_status nnm_buffer_check(const nnm_buffer *buffer, nnm_error *err);
void nnm_buffer_fini(nnm_buffer *buffer);

#endif
