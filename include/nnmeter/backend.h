/*
 * Backends: runtimes that load a model file and run it on a device.
 *
 * A backend is a table of functions and knows nothing of kernels. There are two sorts. Most have sessions that compute:
 * their `run` is timed here, by the protocol of measure.h. Others time models themselves, with `measure`: a phone's
 * benchmark tool, any program that prints latencies, a simulated device. Either sort works in a worker process
 * (measure.h), so a runtime that crashes or hangs costs one kernel, not the run.
 *
 * Several backends may share their functions: each function gets the table it was called through, whose `context` is
 * the backend's own.
 *
 * Thread-safety: a backend table is constant; a session belongs to one thread at a time.
 */
#ifndef NNMETER_BACKEND_H
#define NNMETER_BACKEND_H

#include "nnmeter/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NNM_BACKEND_ABI 3

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

/* A key of backend_config.yaml that only one backend has. */
typedef enum nnm_setting_type {
    NNM_SETTING_BOOLEAN = 0, /* "TRUE" or "FALSE" */
    NNM_SETTING_WHOLE,       /* a whole number, minimum..maximum, of at most 2^53 */
    NNM_SETTING_NUMBER,      /* a number, minimum..maximum */
    NNM_SETTING_WORD,        /* one of `words` */
    NNM_SETTING_TEXT,        /* any text, e.g. a serial number or a path on another machine */
    NNM_SETTING_FILE         /* a path on this machine; a relative one begins at the workspace */
} nnm_setting_type;

#define NNM_MAX_SETTINGS 16

typedef struct nnm_setting {
    const char *key; /* capital letters, digits and '_'; none of docs/configuration.md */
    nnm_setting_type type;
    double minimum, maximum;
    const char *const *words;
    size_t word_count;
    const char *initial; /* the value of a new workspace, as text; NULL: none, only for TEXT and FILE */
    const char *comment; /* what it means, for people; lines are ended by newlines but for the last */
    bool identifies;     /* latencies with different values are of different things, and are never mixed */
} nnm_setting;

typedef struct nnm_session_options {
    unsigned threads; /* >= 1, that the runtime may use */
    nnm_optimization optimization;
    const char *library_path;    /* shared library of the runtime, for backends that load one; NULL: they search */
    const char *const *settings; /* texts for the backend's settings, in the order of its table, each checked; NULL
                                    where there is none. NULL for all: the initial ones (nnm_backend_setting) */
    /* What these point to must stay valid as long as a worker that was started with them. */
} nnm_session_options;

/* Where the time of a run goes: one node of the graph that the runtime has made of the model, by fusing and reordering.
 */
#define NNM_MAX_NODE_TIMES 64
typedef struct nnm_node_time {
    char name[128]; /* e.g. "fused conv" */
    char op[64];    /* e.g. "FusedConv" */
    double mean_ns; /* of one run */
} nnm_node_time;

typedef struct nnm_session nnm_session; /* each backend defines its own */
typedef struct nnm_backend nnm_backend;

/* Where models run. */
typedef enum nnm_device_kind {
    NNM_DEVICE_LOCAL = 0, /* on this machine: whoever measures takes its lock (nnm_machine_lock_take) */
    NNM_DEVICE_REMOTE,    /* on another one: this one may work meanwhile */
    NNM_DEVICE_SIMULATED  /* nowhere: latencies are computed, and are said to be no measurements where they are shown */
} nnm_device_kind;

/* What a backend that times models itself is asked. */
typedef struct nnm_measure_request {
    const char *model_path; /* absolute */
    uint64_t repetition;    /* how often this model was measured before: a device ignores it, a simulated one draws its
                               noise by it */
    double warmup_ms, round_ms; /* of the protocol: so long the model should run before, and while, it is timed */
    double timeout_s;           /* after which the worker process is killed */
} nnm_measure_request;

struct nnm_backend {
    uint32_t abi;                  /* NNM_BACKEND_ABI; this and the name stand here in every version */
    const char *name;              /* e.g. "xnnpack_cpu" */
    const char *description;       /* one line */
    bool reads_onnx, reads_tflite; /* the model files it opens; at least one */
    nnm_device_kind device;
    const void *context; /* of this backend, for functions that several share; NULL for others */

    const nnm_setting *settings; /* keys of its own; NULL: none */
    size_t setting_count;        /* at most NNM_MAX_SETTINGS */

    /* Its latencies do not depend on the values of weights, and its files may have zeros for them. */
    bool ignores_weights;

    /* Says whether the runtime that these options ask for is here. Cannot fail: what is wrong goes into info->why_not.
     */
    void (*probe)(const nnm_backend *self, const nnm_session_options *options, nnm_backend_info *info);

    /* NNM_OK when the backend can run `graph`; else NNM_ERR_UNSUPPORTED with the reason. Runs nothing. */
    nnm_status (*supports)(const nnm_backend *self, const nnm_graph *graph, nnm_error *err);

    /* ---- backends that are timed here; all NULL for those that measure themselves ---- */

    /* Loads a model file and prepares everything, inputs filled with fixed values, so that `run` only computes. */
    nnm_status (*open)(const nnm_backend *self, nnm_session **out, const char *model_path,
                       const nnm_session_options *options, nnm_error *err);

    /* One inference. This is what is timed. */
    nnm_status (*run)(nnm_session *session, nnm_error *err);

    /* Copies data in and out, in the layout of the model file, for checks of what was computed. `count` is the number
     * of floats and must be that of the tensor. Both NULL: what is computed cannot be looked at. */
    nnm_status (*set_input)(nnm_session *session, size_t index, const float *data, size_t count, nnm_error *err);
    nnm_status (*get_output)(nnm_session *session, size_t index, float *data, size_t count, nnm_error *err);

    void (*close)(nnm_session *session); /* NULL is allowed */

    /* Runs a model a few times in a session of its own and tells the mean time of each node, in the order in which they
     * run; `*count` is at most NNM_MAX_NODE_TIMES: the last nodes of larger models are left out. Explains a latency and
     * is no measurement of it, for looking takes time itself. NULL for runtimes that cannot tell. */
    nnm_status (*node_times)(const nnm_backend *self, nnm_node_time out[NNM_MAX_NODE_TIMES], size_t *count,
                             const char *model_path, const nnm_session_options *options, nnm_error *err);

    /* ---- backends that time models themselves; NULL for others ---- */

    /* Runs the model and stores the latencies of single runs in the order they were made, each > 0, in nanoseconds;
     * `*count` is 1..`capacity` of them. */
    nnm_status (*measure)(const nnm_backend *self, double *latency_ns, size_t capacity, size_t *count,
                          const nnm_measure_request *request, const nnm_session_options *options, nnm_error *err);
};

/* Refuses tables that cannot be called. Errors: VERSION (of another interface), VALUE (what is missing in it). */
NNM_NODISCARD NNM_API nnm_status nnm_backend_check(const nnm_backend *backend, nnm_error *err);

/* Says whether the runtime that these options ask for is here; NULL: the one of a new workspace. */
NNM_API void nnm_backend_probe(const nnm_backend *backend, const nnm_session_options *options, nnm_backend_info *info);

/* The text that the options (NULL: those of a new workspace) have for the backend's setting of this index; NULL: none.
 */
NNM_API const char *nnm_backend_setting(const nnm_backend *backend, const nnm_session_options *options, size_t index);

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
