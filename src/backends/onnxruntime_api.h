/*
 * What this project uses of ONNX Runtime's binary interface.
 *
 * The runtime hands out one table of functions. Entries are only ever added at its end, so each keeps its number for
 * good; those between the ones used here are left out by number. Everything but the few structures below is opaque.
 */
#ifndef NNM_BACKENDS_ONNXRUNTIME_API_H
#define NNM_BACKENDS_ONNXRUNTIME_API_H

#include <stddef.h>
#include <stdint.h>

typedef struct nnm_ort_status nnm_ort_status; /* NULL: success */
typedef struct nnm_ort_env nnm_ort_env;
typedef struct nnm_ort_session nnm_ort_session;
typedef struct nnm_ort_session_options nnm_ort_session_options;
typedef struct nnm_ort_run_options nnm_ort_run_options;
typedef struct nnm_ort_value nnm_ort_value;
typedef struct nnm_ort_binding nnm_ort_binding;
typedef struct nnm_ort_memory_info nnm_ort_memory_info;
typedef struct nnm_ort_allocator nnm_ort_allocator;
typedef struct nnm_ort_type_info nnm_ort_type_info;
typedef struct nnm_ort_tensor_info nnm_ort_tensor_info;

enum nnm_ort_numbers {
    NNM_ORT_LOG_FATAL = 4,
    NNM_ORT_OPTIMIZE_NONE = 0,
    NNM_ORT_OPTIMIZE_BASIC = 1,
    NNM_ORT_OPTIMIZE_EXTENDED = 2,
    NNM_ORT_OPTIMIZE_ALL = 99,
    NNM_ORT_DEVICE_ALLOCATOR = 0,
    NNM_ORT_MEMORY_DEFAULT = 0,
    NNM_ORT_FLOAT = 1
};

typedef void (*nnm_ort_unused)(void);

typedef struct nnm_ort_api {
    nnm_ort_unused from_0[2];
    const char *(*get_error_message)(const nnm_ort_status *status);                      /* 2 */
    nnm_ort_status *(*create_env)(int log_level, const char *log_id, nnm_ort_env **out); /* 3 */
    nnm_ort_unused from_4[3];
    nnm_ort_status *(*create_session)(const nnm_ort_env *env, const char *model_path,
                                      const nnm_ort_session_options *options, nnm_ort_session **out); /* 7 */
    nnm_ort_unused from_8[2];
    nnm_ort_status *(*create_session_options)(nnm_ort_session_options **out); /* 10 */
    nnm_ort_unused from_11[3];
    nnm_ort_status *(*enable_profiling)(nnm_ort_session_options *options, const char *file_prefix); /* 14 */
    nnm_ort_unused from_15[8];
    nnm_ort_status *(*set_graph_optimization_level)(nnm_ort_session_options *options, int level); /* 23 */
    nnm_ort_status *(*set_intra_op_threads)(nnm_ort_session_options *options, int threads);       /* 24 */
    nnm_ort_status *(*set_inter_op_threads)(nnm_ort_session_options *options, int threads);       /* 25 */
    nnm_ort_unused from_26[4];
    nnm_ort_status *(*session_input_count)(const nnm_ort_session *session, size_t *out);  /* 30 */
    nnm_ort_status *(*session_output_count)(const nnm_ort_session *session, size_t *out); /* 31 */
    nnm_ort_unused from_32[1];
    nnm_ort_status *(*session_input_type)(const nnm_ort_session *session, size_t index,
                                          nnm_ort_type_info **out); /* 33 */
    nnm_ort_status *(*session_output_type)(const nnm_ort_session *session, size_t index,
                                           nnm_ort_type_info **out); /* 34 */
    nnm_ort_unused from_35[1];
    nnm_ort_status *(*session_input_name)(const nnm_ort_session *session, size_t index, nnm_ort_allocator *allocator,
                                          char **out); /* 36 */
    nnm_ort_status *(*session_output_name)(const nnm_ort_session *session, size_t index, nnm_ort_allocator *allocator,
                                           char **out); /* 37 */
    nnm_ort_unused from_38[11];
    nnm_ort_status *(*create_tensor_with_data)(const nnm_ort_memory_info *info, void *data, size_t size_bytes,
                                               const int64_t *shape, size_t rank, int type,
                                               nnm_ort_value **out); /* 49 */
    nnm_ort_unused from_50[5];
    nnm_ort_status *(*type_as_tensor)(const nnm_ort_type_info *type, const nnm_ort_tensor_info **out); /* 55 */
    nnm_ort_unused from_56[4];
    nnm_ort_status *(*element_type)(const nnm_ort_tensor_info *info, int *out);                 /* 60 */
    nnm_ort_status *(*rank)(const nnm_ort_tensor_info *info, size_t *out);                      /* 61 */
    nnm_ort_status *(*dimensions)(const nnm_ort_tensor_info *info, int64_t *out, size_t count); /* 62 */
    nnm_ort_unused from_63[6];
    nnm_ort_status *(*create_cpu_memory_info)(int allocator_type, int memory_type, nnm_ort_memory_info **out); /* 69 */
    nnm_ort_unused from_70[6];
    nnm_ort_status *(*allocator_free)(nnm_ort_allocator *allocator, void *memory); /* 76 */
    nnm_ort_unused from_77[1];
    nnm_ort_status *(*default_allocator)(nnm_ort_allocator **out); /* 78; never released */
    nnm_ort_unused from_79[13];
    void (*release_env)(nnm_ort_env *env);                  /* 92 */
    void (*release_status)(nnm_ort_status *status);         /* 93 */
    void (*release_memory_info)(nnm_ort_memory_info *info); /* 94 */
    void (*release_session)(nnm_ort_session *session);      /* 95 */
    void (*release_value)(nnm_ort_value *value);            /* 96 */
    nnm_ort_unused from_97[1];
    void (*release_type_info)(nnm_ort_type_info *type); /* 98 */
    nnm_ort_unused from_99[1];
    void (*release_session_options)(nnm_ort_session_options *options); /* 100 */
    nnm_ort_unused from_101[9];
    nnm_ort_status *(*end_profiling)(nnm_ort_session *session, nnm_ort_allocator *allocator, char **file); /* 110 */
    nnm_ort_unused from_111[19];
    nnm_ort_status *(*add_session_config_entry)(nnm_ort_session_options *options, const char *key,
                                                const char *value); /* 130 */
    nnm_ort_unused from_131[2];
    nnm_ort_status *(*run_with_binding)(nnm_ort_session *session, const nnm_ort_run_options *options,
                                        const nnm_ort_binding *binding);                                    /* 133 */
    nnm_ort_status *(*create_binding)(nnm_ort_session *session, nnm_ort_binding **out);                     /* 134 */
    void (*release_binding)(nnm_ort_binding *binding);                                                      /* 135 */
    nnm_ort_status *(*bind_input)(nnm_ort_binding *binding, const char *name, const nnm_ort_value *value);  /* 136 */
    nnm_ort_status *(*bind_output)(nnm_ort_binding *binding, const char *name, const nnm_ort_value *value); /* 137 */
} nnm_ort_api;

#define NNM_ORT_ENTRY(member, number)                                                  \
    _Static_assert(offsetof(nnm_ort_api, member) == (number) * sizeof(void (*)(void)), \
                   #member " is entry " #number " of the table")
NNM_ORT_ENTRY(create_session, 7);
NNM_ORT_ENTRY(enable_profiling, 14);
NNM_ORT_ENTRY(set_inter_op_threads, 25);
NNM_ORT_ENTRY(session_output_name, 37);
NNM_ORT_ENTRY(create_tensor_with_data, 49);
NNM_ORT_ENTRY(dimensions, 62);
NNM_ORT_ENTRY(create_cpu_memory_info, 69);
NNM_ORT_ENTRY(default_allocator, 78);
NNM_ORT_ENTRY(release_env, 92);
NNM_ORT_ENTRY(release_session_options, 100);
NNM_ORT_ENTRY(end_profiling, 110);
NNM_ORT_ENTRY(add_session_config_entry, 130);
NNM_ORT_ENTRY(bind_output, 137);
#undef NNM_ORT_ENTRY

/* The one function that is looked up by name, "OrtGetApiBase", returns this. */
typedef struct nnm_ort_api_base {
    const nnm_ort_api *(*get_api)(uint32_t version); /* NULL: the library is older than that */
    const char *(*get_version)(void);
} nnm_ort_api_base;

#endif
