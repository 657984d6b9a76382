/*
 * Status codes and error messages.
 *
 * Every function that can fail returns nnm_status: NNM_OK (0) or one of the negative codes below. Its last parameter
 * is an nnm_error, which may be NULL; when a call fails it holds the code, the place (file, line, column; where one is
 * known) and one sentence a person can act on. When a call succeeds, the nnm_error is not touched. Output parameters
 * are not touched by a call that fails, unless its own comment says otherwise.
 *
 * Thread-safety: everything here is free of global state; an nnm_error belongs to one thread at a time.
 */
#ifndef NNMETER_STATUS_H
#define NNMETER_STATUS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define NNM_API __attribute__((visibility("default")))
#define NNM_NODISCARD __attribute__((warn_unused_result))
#define NNM_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define NNM_API
#define NNM_NODISCARD
#define NNM_PRINTF(text, first)
#endif

/* The numbers are part of the binary interface: they are never reused and never renumbered. */
typedef enum nnm_status {
    NNM_OK = 0,
    NNM_ERR_INVALID_ARGUMENT = -1, /* the caller passed something no input could make right */
    NNM_ERR_NO_MEMORY = -2,
    NNM_ERR_IO = -3,            /* a file or a pipe could not be read or written */
    NNM_ERR_NOT_FOUND = -4,     /* a file, workspace, kernel type, backend, column or id does not exist */
    NNM_ERR_EXISTS = -5,        /* something is already there and would be overwritten */
    NNM_ERR_PARSE = -6,         /* text or bytes are not in their format (YAML, JSON, CSV, ONNX) */
    NNM_ERR_VALUE = -7,         /* well-formed, but a value is of the wrong type or out of its range */
    NNM_ERR_UNSUPPORTED = -8,   /* right, but not something this build, backend or format can do */
    NNM_ERR_VERSION = -9,       /* written for another version */
    NNM_ERR_CHECKSUM = -10,     /* bytes were damaged after they were written */
    NNM_ERR_BACKEND = -11,      /* a runtime reported an error */
    NNM_ERR_CRASHED = -12,      /* a worker process died while it ran a kernel */
    NNM_ERR_TIMEOUT = -13,      /* a worker process did not answer in time and was killed */
    NNM_ERR_BUSY = -14,         /* somebody else holds an exclusive lock */
    NNM_ERR_INTERRUPTED = -15,  /* the caller asked to stop; what was done so far is kept */
    NNM_ERR_NO_SPACE = -16,     /* the disk is full */
    NNM_ERR_TOO_FEW_ROWS = -17, /* not enough data to split, train or evaluate */
    NNM_ERR_PARTIAL = -18,      /* finished, but some parts failed; they are listed where the call says */
    NNM_ERR_INTERNAL = -19      /* a bug in this library */
} nnm_status;

#define NNM_ERROR_MESSAGE_BYTES 1024

typedef struct nnm_error {
    nnm_status code;
    size_t line;                           /* 1-based line of the file that the message names; 0 where none is known */
    size_t column;                         /* 1-based; 0 where none is known */
    size_t offset;                         /* byte position in a binary file; 0 where none is known */
    char message[NNM_ERROR_MESSAGE_BYTES]; /* always terminated; long texts are cut */
} nnm_error;

#define NNM_ERROR_INIT   \
    {                    \
        NNM_OK, 0, 0, 0, \
        {                \
            0            \
        }                \
    }

/* The name of a code, e.g. "NNM_ERR_PARSE"; "NNM_ERR_UNKNOWN" for a number that is none. Never NULL, never freed. */
NNM_API const char *nnm_status_name(nnm_status status);

/* The version of the library that is linked, e.g. "0.1.0". Never NULL, never freed. */
NNM_API const char *nnm_version(void);

#ifdef __cplusplus
}
#endif

#endif
