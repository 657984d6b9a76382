#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *nnm_status_name(nnm_status status)
{
    switch (status) {
    case NNM_OK: return "NNM_OK";
    case NNM_ERR_INVALID_ARGUMENT: return "NNM_ERR_INVALID_ARGUMENT";
    case NNM_ERR_NO_MEMORY: return "NNM_ERR_NO_MEMORY";
    case NNM_ERR_IO: return "NNM_ERR_IO";
    case NNM_ERR_NOT_FOUND: return "NNM_ERR_NOT_FOUND";
    case NNM_ERR_EXISTS: return "NNM_ERR_EXISTS";
    case NNM_ERR_PARSE: return "NNM_ERR_PARSE";
    case NNM_ERR_VALUE: return "NNM_ERR_VALUE";
    case NNM_ERR_UNSUPPORTED: return "NNM_ERR_UNSUPPORTED";
    case NNM_ERR_VERSION: return "NNM_ERR_VERSION";
    case NNM_ERR_CHECKSUM: return "NNM_ERR_CHECKSUM";
    case NNM_ERR_BACKEND: return "NNM_ERR_BACKEND";
    case NNM_ERR_CRASHED: return "NNM_ERR_CRASHED";
    case NNM_ERR_TIMEOUT: return "NNM_ERR_TIMEOUT";
    case NNM_ERR_BUSY: return "NNM_ERR_BUSY";
    case NNM_ERR_INTERRUPTED: return "NNM_ERR_INTERRUPTED";
    case NNM_ERR_NO_SPACE: return "NNM_ERR_NO_SPACE";
    case NNM_ERR_TOO_FEW_ROWS: return "NNM_ERR_TOO_FEW_ROWS";
    case NNM_ERR_PARTIAL: return "NNM_ERR_PARTIAL";
    case NNM_ERR_INTERNAL: return "NNM_ERR_INTERNAL";
    }
    return "NNM_ERR_UNKNOWN";
}

const char *nnm_version(void)
{
    return NNM_VERSION;
}

static void set_message(nnm_error *err, nnm_status code, const char *format, va_list arguments) NNM_PRINTF(3, 0);

/* Names out of hostile files must not steer a terminal or break the one line that a failure has in a log. */
static void hide_controls(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f) *text = '?';
}

static void set_message(nnm_error *err, nnm_status code, const char *format, va_list arguments)
{
    err->code = code;
    err->line = 0;
    err->column = 0;
    err->offset = 0;
    vsnprintf(err->message, sizeof err->message, format, arguments);
    hide_controls(err->message);
}

/* Moves the message right and writes `prefix` before it; what no longer fits is cut at the end. */
static void prepend(nnm_error *err, const char *prefix)
{
    size_t prefix_length = strlen(prefix);
    size_t capacity = sizeof err->message - 1;
    if (prefix_length > capacity) prefix_length = capacity;
    size_t length = strlen(err->message);
    if (length > capacity - prefix_length) length = capacity - prefix_length;
    memmove(err->message + prefix_length, err->message, length);
    memcpy(err->message, prefix, prefix_length);
    err->message[prefix_length + length] = '\0';
}

nnm_status nnm_fail(nnm_error *err, nnm_status code, const char *format, ...)
{
    if (err) {
        va_list arguments;
        va_start(arguments, format);
        set_message(err, code, format, arguments);
        va_end(arguments);
    }
    return code;
}

nnm_status nnm_fail_at(nnm_error *err, nnm_status code, const char *path, size_t line, size_t column,
                       const char *format, ...)
{
    if (!err) return code;
    va_list arguments;
    va_start(arguments, format);
    set_message(err, code, format, arguments);
    va_end(arguments);

    char place[512];
    if (line && column) {
        snprintf(place, sizeof place, "%.400s:%zu:%zu: ", path, line, column);
    } else if (line) {
        snprintf(place, sizeof place, "%.400s:%zu: ", path, line);
    } else {
        snprintf(place, sizeof place, "%.400s: ", path);
    }
    prepend(err, place);
    err->line = line;
    err->column = column;
    return code;
}

static nnm_status status_of_errno(int number)
{
    switch (number) {
    case ENOENT: return NNM_ERR_NOT_FOUND;
    case EEXIST: return NNM_ERR_EXISTS;
    case ENOSPC:
    case EDQUOT: return NNM_ERR_NO_SPACE;
    case ENOMEM: return NNM_ERR_NO_MEMORY;
    default: return NNM_ERR_IO;
    }
}

nnm_status nnm_fail_errno(nnm_error *err, const char *format, ...)
{
    int number = errno;
    nnm_status code = status_of_errno(number);
    if (err) {
        va_list arguments;
        va_start(arguments, format);
        set_message(err, code, format, arguments);
        va_end(arguments);
        size_t length = strlen(err->message);
        char text[128];
        const char *reason = strerror_r(number, text, sizeof text);
        snprintf(err->message + length, sizeof err->message - length, ": %s", reason);
    }
    errno = number;
    return code;
}

nnm_status nnm_fail_memory(nnm_error *err)
{
    return nnm_fail(err, NNM_ERR_NO_MEMORY, "out of memory");
}

nnm_status nnm_context(nnm_error *err, nnm_status code, const char *format, ...)
{
    if (!err || code == NNM_OK) return code;
    char prefix[NNM_ERROR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix - 2, format, arguments);
    va_end(arguments);
    hide_controls(prefix);
    memcpy(prefix + strlen(prefix), ": ", 3);
    prepend(err, prefix);
    err->code = code;
    return code;
}
