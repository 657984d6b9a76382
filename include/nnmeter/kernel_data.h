/*
 * Kernel data: the configurations of one kernel type and, once profiled, their latencies, as kept in the documented
 * JSON files.
 *
 *   config file    {"conv-bn-relu": {"YB2F4N": {"model": PATH, "shapes": [[C, H, W]], "config": {"HW": 13, ...}}}}
 *   latency file   {"conv-bn-relu": {"YB2F4N": {"latency": "37.53 +- 0.314"}}}      (milliseconds, mean +- spread)
 *
 * A latency file also has model, shapes and config when DETAIL is TRUE. Either file may hold several kernel types; a
 * call reads or replaces one of them and leaves the others as they are. Where a file of an early version of the
 * published system writes conv_bn_relu for conv-bn-relu, that is read too.
 */
#ifndef NNMETER_KERNEL_DATA_H
#define NNMETER_KERNEL_DATA_H

#include "nnmeter/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NNM_KERNEL_ID_BYTES 32 /* ours have 6 letters or digits; those of others may be longer */

typedef struct nnm_kernel_record {
    char id[NNM_KERNEL_ID_BYTES];
    char *model;           /* path; owned; NULL: unknown */
    char *converted_model; /* path; owned; NULL: not converted */
    nnm_kernel_config config;
    bool has_config;
    int64_t batch_size;                      /* of the model file; 0: not known, taken for 1 */
    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS]; /* without the batch */
    size_t shape_count;
    bool has_latency;
    double latency_ms, spread_ms; /* when has_latency: > 0, >= 0 */
} nnm_kernel_record;

/* Records of one kernel type, in file order; ids are unique. What a record holds may be changed, but for its id;
 * records are added by the functions below. */
typedef struct nnm_kernel_data {
    const nnm_kernel *kernel;
    nnm_kernel_record *records;
    size_t count, capacity;
} nnm_kernel_data;

NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_new(nnm_kernel_data **out, const nnm_kernel *kernel, nnm_error *err);
NNM_API void nnm_kernel_data_free(nnm_kernel_data *data); /* NULL is allowed */

/* The record called `id`, or NULL. Valid until the data are changed. */
NNM_API nnm_kernel_record *nnm_kernel_data_find(const nnm_kernel_data *data, const char *id);

/* Appends a copy of `record`, paths and all. Errors: EXISTS (id), NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_add(nnm_kernel_data *data, const nnm_kernel_record *record,
                                                     nnm_error *err);

/* Reads a file into new data for `kernel`. Configuration and latency files are told apart by what their entries hold;
 * one with both is fine. Errors: NOT_FOUND (file; no entry for this kernel type, then those found are listed), IO,
 * PARSE (line and column), VALUE (id and key). */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_load(nnm_kernel_data **out, const nnm_kernel *kernel, const char *path,
                                                      nnm_error *err);

/* The same for a text in memory, which messages call `name`. Errors: NOT_FOUND, PARSE, VALUE, NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_parse(nnm_kernel_data **out, const nnm_kernel *kernel,
                                                       const char *text, size_t size_bytes, const char *name,
                                                       nnm_error *err);

/* Calls `each` for every kernel type of a file, in its order; `kernel` is NULL for a name that is none. Errors: as
 * load. */
typedef void (*nnm_kernel_type_fn)(void *context, const char *name, const nnm_kernel *kernel);
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_types(const char *path, nnm_kernel_type_fn each, void *context,
                                                       nnm_error *err);

/* Adds everything of `from` to `into`: new ids are appended; known ones gain what they lack. Errors: VALUE when both
 * have a configuration or a latency for an id and they differ. `into` is unchanged on failure. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_merge(nnm_kernel_data *into, const nnm_kernel_data *from,
                                                       nnm_error *err);

/* Writes a configuration file; an existing file keeps its other kernel types. Errors: IO, NO_SPACE, PARSE. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_save_configs(const nnm_kernel_data *data, const char *path,
                                                              nnm_error *err);

/* Writes a file with both: every record, with its latency where it has one. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_save(const nnm_kernel_data *data, const char *path, nnm_error *err);

/* Writes a latency file with the records that have a latency; `detail` adds model, shapes and config. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_save_latencies(const nnm_kernel_data *data, const char *path,
                                                                bool detail, nnm_error *err);

/* The records that have a configuration and a latency, from configurations and latencies in memory, which are left as
 * they are. `latencies` may be NULL when `configs` holds both. Errors: as merge; TOO_FEW_ROWS when no configuration has
 * a latency (both counts are given). */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_pair(nnm_kernel_data **out, const nnm_kernel_data *configs,
                                                      const nnm_kernel_data *latencies, nnm_error *err);

/* Everything that several files hold, merged: also configurations without a latency. Errors: as load; VALUE when two of
 * them contradict each other, with both values and both files. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_load_all(nnm_kernel_data **out, const nnm_kernel *kernel,
                                                          const char *const *paths, size_t count, nnm_error *err);

/* What nn-meter works with most: several configuration files and several latency files, merged, with only the records
 * that have both. `latency_count` may be 0 when the configuration files hold latencies too.
 * Errors: as load_all; TOO_FEW_ROWS when no configuration has a latency (both counts are given). */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_data_collect(nnm_kernel_data **out, const nnm_kernel *kernel,
                                                         const char *const *config_paths, size_t config_count,
                                                         const char *const *latency_paths, size_t latency_count,
                                                         nnm_error *err);

#ifdef __cplusplus
}
#endif

#endif
