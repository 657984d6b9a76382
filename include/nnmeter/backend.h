/*
 * Backends: runtimes that load a model file and run it on a device.
 *
 * A backend is a table of functions and knows nothing of kernels or of measuring. Its sessions run in a worker process
 * (measure.h), so a runtime that crashes or hangs costs one kernel, not the run.
 *
 * Thread-safety: a backend table is constant; a session belongs to one thread at a time.
 */
#ifndef NNMETER_BACKEND_H
#define NNMETER_BACKEND_H

#include "nnmeter/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NNM_BACKEND_ABI 1

typedef struct nnm_backend_info {
    bool available;
    char version[64];  /* of the runtime, e.g. "2022-02-16"; empty when not available */
    char why_not[256]; /* one sentence when not available */
} nnm_backend_info;

/* What a runtime that rewrites graphs may do to one before it runs; others ignore it. */
typedef enum nnm_optimization {
    NNM_OPTIMIZATION_ALL = 0,  /* whatever it can: what programs get that set nothing */
    NNM_OPTIMIZATION_EXTENDED, /* fusions too, but no other memory layouts */
    NNM_OPTIMIZATION_BASIC,    /* only what keeps to standard operators */
    NNM_OPTIMIZATION_DISABLE
} nnm_optimization;

typedef struct nnm_session_options {
    unsigned threads; /* >= 1, that the runtime may use */
    nnm_optimization optimization;
    const char *library_path; /* shared library of the runtime, for backends that load one; NULL: they search. Must
                                 stay valid as long as a worker that was started with it */
} nnm_session_options;

typedef struct nnm_session nnm_session; /* each backend defines its own */

typedef struct nnm_backend {
    uint32_t abi;                  /* NNM_BACKEND_ABI */
    const char *name;              /* e.g. "xnnpack_cpu" */
    const char *description;       /* one line */
    bool reads_onnx, reads_tflite; /* the model files it opens; at least one */

    /* Says whether the runtime is here. Cannot fail: what is wrong goes into info->why_not. */
    void (*probe)(nnm_backend_info *info);

    /* NNM_OK when the backend can run `graph`; else NNM_ERR_UNSUPPORTED with the reason. Runs nothing. */
    nnm_status (*supports)(const nnm_graph *graph, nnm_error *err);

    /* Loads a model file and prepares everything, inputs filled with fixed values, so that `run` only computes. */
    nnm_status (*open)(nnm_session **out, const char *model_path, const nnm_session_options *options, nnm_error *err);

    /* One inference. This is what is timed. */
    nnm_status (*run)(nnm_session *session, nnm_error *err);

    /* Copies data in and out, in the layout of the model file, for checks of what was computed. `count` is the number
     * of floats and must be that of the tensor. */
    nnm_status (*set_input)(nnm_session *session, size_t index, const float *data, size_t count, nnm_error *err);
    nnm_status (*get_output)(nnm_session *session, size_t index, float *data, size_t count, nnm_error *err);

    void (*close)(nnm_session *session); /* NULL is allowed */

    /* Like probe, for backends whose runtime depends on the options; NULL for others. */
    void (*probe_options)(nnm_backend_info *info, const nnm_session_options *options);
} nnm_backend;

/* Says whether the runtime that these options ask for is here. */
NNM_API void nnm_backend_probe(const nnm_backend *backend, const nnm_session_options *options, nnm_backend_info *info);

/* The built-in backends, in the order --list-backends prints; those of the contract that this version does not have
 * yet are not listed. */
NNM_API size_t nnm_backend_count(void);
NNM_API const nnm_backend *nnm_backend_at(size_t index);

/* Errors: NOT_FOUND; the message suggests the closest known name. */
NNM_NODISCARD NNM_API nnm_status nnm_backend_find(const nnm_backend **out, const char *name, nnm_error *err);

#ifdef __cplusplus
}
#endif

#endif
