/*
 * The two configuration files of a workspace: their option tables, and reading and writing them.
 *
 * What lies above this room is passed in by the caller: which kernel types and backends there are.
 */
#ifndef NNM_CONFIG_FILES_H
#define NNM_CONFIG_FILES_H

#include "config/option.h"
#include "nnmeter/config.h"

typedef struct nnm_known_kernel {
    const char *name;
    size_t default_samples; /* INIT_SAMPLE_NUM of a new workspace; 0: not among the kernels built by default */
} nnm_known_kernel;

typedef struct nnm_known_backend {
    const char *name;
    const nnm_setting *settings; /* keys that only it has */
    size_t setting_count;        /* at most NNM_MAX_SETTINGS */
    bool times_itself;           /* nothing is timed on this machine's CPU */
    bool simulated;              /* nothing is timed at all */
} nnm_known_backend;

/* INIT_SAMPLE_NUM of a kernel type that is not built by default and whose entry gives none. */
#define NNM_FALLBACK_SAMPLES 300

/* How many times more the published system samples by default. */
#define NNM_PUBLISHED_SAMPLES_FACTOR 10

/* The tables. */
const nnm_option *nnm_predictorbuild_options(size_t *count);
const nnm_option *nnm_kernel_build_options(size_t *count); /* of one entry of KERNELS */
const nnm_option *nnm_backend_options(size_t *count);

/* Reads predictorbuild_config.yaml. Keys that are missing take the defaults, IMPLEMENT that of the backend, and without
 * KERNELS it has the entries of a new workspace. The result is the caller's (nnm_predictorbuild_config_fini). Errors:
 * NOT_FOUND, IO, NO_MEMORY, PARSE, VALUE. */
NNM_NODISCARD nnm_status nnm_predictorbuild_config_read(nnm_predictorbuild_config *out, const char *path,
                                                        nnm_implement implement, const nnm_known_kernel *known,
                                                        size_t known_count, nnm_error *err);

/* What a new workspace has. */
NNM_NODISCARD nnm_status nnm_predictorbuild_config_default(nnm_predictorbuild_config *out, nnm_implement implement,
                                                           const nnm_known_kernel *known, size_t known_count,
                                                           nnm_error *err);

/* Writes the file with a comment above each key. `known` supplies the published sample numbers. Errors: IO, NO_SPACE.
 */
NNM_NODISCARD nnm_status nnm_predictorbuild_config_write(const nnm_predictorbuild_config *config, const char *path,
                                                         const nnm_known_kernel *known, size_t known_count,
                                                         nnm_error *err);

/* The same three for backend_config.yaml; `backends` are those that BACKEND may name. A result that was read is ended
 * by nnm_backend_config_fini; the default needs none. */
NNM_NODISCARD nnm_status nnm_backend_config_read(nnm_backend_config *out, const char *path,
                                                 const nnm_known_backend *backends, size_t backend_count,
                                                 nnm_error *err);
nnm_backend_config nnm_backend_config_default(const char *backend); /* a name of fewer than NNM_KERNEL_NAME_BYTES */
/* Every key as a line "KEY: value", for the record; last those of the backend alone, and of these first, together,
 * those that identify what is measured. */
void nnm_backend_config_describe(const nnm_backend_config *config, const nnm_known_backend *backend, nnm_buffer *text);
/* Those that identify, alone, cut at `size` bytes; "" for a backend without. */
void nnm_backend_config_identify(const nnm_backend_config *config, const nnm_known_backend *backend, char *text,
                                 size_t size);
const char *nnm_optimization_name(nnm_optimization optimization); /* the word of GRAPH_OPTIMIZATION */
/* `backend` is the one that `config` names; keys that mean nothing to it are left out. */
NNM_NODISCARD nnm_status nnm_backend_config_write(const nnm_backend_config *config, const nnm_known_backend *backend,
                                                  const char *path, nnm_error *err);

#endif
