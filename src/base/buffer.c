#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static bool reserve(nnm_buffer *buffer, size_t extra)
{
    if (buffer->failed) return false;
    void *data = buffer->data;
    size_t needed = buffer->size + extra + 1;
    if (needed < extra || nnm_grow(&data, &buffer->capacity, needed, 1, NULL) != NNM_OK) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    return true;
}

void nnm_buffer_append(nnm_buffer *buffer, const void *bytes, size_t size)
{
    if (!reserve(buffer, size)) return;
    if (size) memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void nnm_buffer_text(nnm_buffer *buffer, const char *text)
{
    nnm_buffer_append(buffer, text, strlen(text));
}

void nnm_buffer_printf(nnm_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    if (!reserve(buffer, (size_t)length)) return;
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
}

nnm_status nnm_buffer_check(const nnm_buffer *buffer, nnm_error *err)
{
    return buffer->failed ? nnm_fail_memory(err) : NNM_OK;
}

void nnm_buffer_fini(nnm_buffer *buffer)
{
    free(buffer->data);
    *buffer = (nnm_buffer){0};
}
