/* ONNX Runtime for models of one float input [N, columns] and one float output [N, 1], such as exported predictors. */
#ifndef NNM_TESTS_ONNX_ROWS_H
#define NNM_TESTS_ONNX_ROWS_H

#include "backends/onnxruntime_library.h"

/* ONNX Runtime 1.30 keeps no pointer to some of what it allocates. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libonnxruntime";
}

typedef struct onnx_rows {
    nnm_ort_library library;
    nnm_ort_env *env;
    nnm_ort_session *session;
    nnm_ort_memory_info *memory;
} onnx_rows;

/* Errors: NOT_FOUND where there is no ONNX Runtime; BACKEND. End with onnx_rows_close also after a failure. */
static inline nnm_status onnx_rows_open(onnx_rows *o, const char *path, nnm_error *err)
{
    *o = (onnx_rows){0};
    nnm_status status = nnm_ort_library_open(&o->library, NULL, err);
    if (status) return status;
    const nnm_ort_api *api = o->library.api;
    nnm_ort_session_options *options = NULL;
    status = nnm_ort_check(api, api->create_env(NNM_ORT_LOG_FATAL, "rows", &o->env), "start", err);
    if (!status) status = nnm_ort_check(api, api->create_session_options(&options), "make options", err);
    if (!status) status = nnm_ort_check(api, api->set_intra_op_threads(options, 1), "set its threads", err);
    if (!status) status = nnm_ort_check(api, api->set_inter_op_threads(options, 1), "set its threads", err);
    if (!status)
        status = nnm_ort_check(api, api->create_session(o->env, path, options, &o->session), "load the model", err);
    if (!status)
        status = nnm_ort_check(
            api, api->create_cpu_memory_info(NNM_ORT_DEVICE_ALLOCATOR, NNM_ORT_MEMORY_DEFAULT, &o->memory),
            "name its memory", err);
    if (options) api->release_session_options(options);
    return status;
}

/* Rows that stay bound to a session, so that runs only compute. */
typedef struct onnx_binding {
    nnm_ort_value *x, *y;
    nnm_ort_binding *binding;
} onnx_binding;

static inline nnm_status onnx_rows_bind(onnx_rows *o, onnx_binding *b, float *x, size_t rows, size_t columns, float *y,
                                        nnm_error *err)
{
    const nnm_ort_api *api = o->library.api;
    *b = (onnx_binding){0};
    const int64_t in[] = {(int64_t)rows, (int64_t)columns}, out[] = {(int64_t)rows, 1};
    nnm_status status = nnm_ort_check(
        api, api->create_tensor_with_data(o->memory, x, rows * columns * sizeof *x, in, 2, NNM_ORT_FLOAT, &b->x),
        "take rows", err);
    if (!status)
        status = nnm_ort_check(
            api, api->create_tensor_with_data(o->memory, y, rows * sizeof *y, out, 2, NNM_ORT_FLOAT, &b->y),
            "take an output", err);
    if (!status) status = nnm_ort_check(api, api->create_binding(o->session, &b->binding), "bind tensors", err);
    if (!status) status = nnm_ort_check(api, api->bind_input(b->binding, "configuration", b->x), "bind the input", err);
    if (!status) status = nnm_ort_check(api, api->bind_output(b->binding, "latency_ms", b->y), "bind the output", err);
    return status;
}

static inline nnm_status onnx_rows_run(onnx_rows *o, const onnx_binding *b, nnm_error *err)
{
    const nnm_ort_api *api = o->library.api;
    nnm_status status = nnm_ort_check(api, api->run_with_binding(o->session, NULL, b->binding), "run the model", err);
    return status;
}

static inline void onnx_rows_unbind(const onnx_rows *o, onnx_binding *b)
{
    const nnm_ort_api *api = o->library.api;
    if (b->binding) api->release_binding(b->binding);
    if (b->x) api->release_value(b->x);
    if (b->y) api->release_value(b->y);
}

static inline void onnx_rows_close(onnx_rows *o)
{
    const nnm_ort_api *api = o->library.api;
    if (!api) return;
    if (o->memory) api->release_memory_info(o->memory);
    if (o->session) api->release_session(o->session);
    if (o->env) api->release_env(o->env);
    nnm_ort_library_close(&o->library);
}

#endif
