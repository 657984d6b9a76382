/* A session of ONNX Runtime, and where the time of a run goes in it. */
#ifndef NNM_BACKENDS_ONNXRUNTIME_SESSION_H
#define NNM_BACKENDS_ONNXRUNTIME_SESSION_H

#include "backends/onnxruntime_library.h"
#include "nnmeter/backend.h"

typedef struct nnm_ort_tensor {
    nnm_ort_value *value; /* refers to `data` */
    float *data;
    size_t count;
} nnm_ort_tensor;

struct nnm_session {
    nnm_ort_library library;
    nnm_ort_env *env;
    nnm_ort_session *session;
    nnm_ort_binding *binding;
    nnm_ort_memory_info *memory_info;
    nnm_ort_allocator *allocator; /* the runtime's own, for names; it is not released */
    nnm_ort_tensor *inputs, *outputs;
    size_t input_count, output_count;
};

/* Opens a session as the backend's table does. With `profile_prefix`, not NULL, the runtime also records when each node
 * begins and ends, for a file whose path begins so; that makes runs slower. */
NNM_NODISCARD nnm_status nnm_ort_session_open(nnm_session **out, const char *model_path,
                                              const nnm_session_options *options, const char *profile_prefix,
                                              nnm_error *err);
void nnm_ort_session_close(nnm_session *session); /* NULL is allowed */

/* Runs a model `runs` times (after as many that do not count, at most 10) and tells the mean time of each node, in the
 * order in which they run. Writes a temporary file into `folder`. `*out` is freed by free().
 * For explaining a latency, not for measuring it: recording takes time itself. Not part of any measured round.
 * Errors: INVALID_ARGUMENT (runs is 0), those of opening and running, IO, PARSE (of the runtime's file). */
NNM_NODISCARD nnm_status nnm_ort_profile_nodes(nnm_node_time **out, size_t *count, const char *model_path,
                                               const nnm_session_options *options, size_t runs, const char *folder,
                                               nnm_error *err);

/* The same as the backend's table has it: 20 runs, the file in the system's folder for such. */
NNM_NODISCARD nnm_status nnm_ort_node_times(const nnm_backend *self, nnm_node_time out[NNM_MAX_NODE_TIMES],
                                            size_t *count, const char *model_path, const nnm_session_options *options,
                                            nnm_error *err);

#endif
