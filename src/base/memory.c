#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void *nnm_calloc(size_t count, size_t size)
{
    return calloc(count ? count : 1, size ? size : 1);
}

void *nnm_reallocarray(void *block, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) return NULL;
    size_t bytes = count * size;
    return realloc(block, bytes ? bytes : 1);
}

char *nnm_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

char *nnm_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) return NULL;

    char *text = malloc((size_t)length + 1);
    if (!text) return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

nnm_status nnm_grow(void **array, size_t *capacity, size_t needed, size_t size, nnm_error *err)
{
    if (needed <= *capacity) return NNM_OK;
    size_t grown = *capacity < 8 ? 8 : *capacity;
    while (grown < needed) {
        if (grown > SIZE_MAX / 2) return nnm_fail_memory(err);
        grown *= 2;
    }
    void *block = nnm_reallocarray(*array, grown, size);
    if (!block) return nnm_fail_memory(err);
    *array = block;
    *capacity = grown;
    return NNM_OK;
}
