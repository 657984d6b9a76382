/* Finding and loading ONNX Runtime's shared library. */
#ifndef NNM_BACKENDS_ONNXRUNTIME_LIBRARY_H
#define NNM_BACKENDS_ONNXRUNTIME_LIBRARY_H

#include "backends/onnxruntime_api.h"
#include "nnmeter/status.h"

typedef struct nnm_ort_library {
    void *handle;
    const nnm_ort_api *api;
    char version[64]; /* as the library tells it, e.g. "1.30.0" */
} nnm_ort_library;

/* Loads the library of `path`, or, when that is NULL, the first one that is new enough: one that the system's loader
 * finds, the one installed beside this library, the one that scripts/setup.sh has fetched.
 * Errors: NOT_FOUND (none anywhere), UNSUPPORTED (cannot be loaded, or is something else), VERSION (too old). */
NNM_NODISCARD nnm_status nnm_ort_library_open(nnm_ort_library *out, const char *path, nnm_error *err);

/* A library that was opened once stays in the process: what C++ libraries leave behind makes taking them out unsafe. */
void nnm_ort_library_close(nnm_ort_library *library);

/* Turns a status of the runtime, which it releases, into one of ours: "ONNX Runtime cannot <doing>: <its message>". */
nnm_status nnm_ort_check(const nnm_ort_api *api, nnm_ort_status *status, const char *doing, nnm_error *err);

#endif
