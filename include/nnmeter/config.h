/*
 * The configuration files of a workspace: predictorbuild_config.yaml and backend_config.yaml.
 *
 * Readers check everything: syntax, unknown keys (the closest known one is suggested), types, ranges. Errors carry
 * file, line and key, what was found and what is allowed: PARSE for text that is not YAML, VALUE for the rest.
 */
#ifndef NNMETER_CONFIG_H
#define NNMETER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "nnmeter/measure.h"
#include "nnmeter/predictor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nnm_implement {
    NNM_IMPLEMENT_TENSORFLOW = 0, /* NHWC, SAME padding, .tflite */
    NNM_IMPLEMENT_TORCH = 1       /* NCHW, symmetric padding, .onnx */
} nnm_implement;

#define NNM_KERNEL_NAME_BYTES 64

/* One entry of KERNELS. */
typedef struct nnm_kernel_build {
    char kernel[NNM_KERNEL_NAME_BYTES];
    size_t init_sample_num;        /* INIT_SAMPLE_NUM, 1..1,000,000 */
    size_t finegrained_sample_num; /* FINEGRAINED_SAMPLE_NUM, 1..100,000 */
    size_t iteration;              /* ITERATION, 1..1,000; 1: no adaptive sampling */
    double error_threshold;        /* ERROR_THRESHOLD, 0.1..1 */
    nnm_model_kind predictor;      /* PREDICTOR: random_forest | best; that of the whole file where not given */
} nnm_kernel_build;

typedef struct nnm_predictorbuild_config {
    bool detail;              /* DETAIL */
    nnm_implement implement;  /* IMPLEMENT: tensorflow | torch */
    int64_t batch_size;       /* BATCH_SIZE, 1..4096 */
    nnm_model_kind predictor; /* PREDICTOR: of kernels that have none of their own */
    char *prior_dir;          /* PRIOR_DIR: folder with <family>.csv tables of the user's own; NULL: built-in ones */
    nnm_kernel_build *kernels;
    size_t kernel_count;
} nnm_predictorbuild_config;

typedef struct nnm_backend_config {
    char backend[NNM_KERNEL_NAME_BYTES]; /* BACKEND */
    unsigned threads;                    /* THREADS, 1..256 */
    nnm_optimization optimization;       /* GRAPH_OPTIMIZATION: all | extended | basic | disable */
    bool node_times;                     /* NODE_TIMES: the times of a kernel's nodes go to the journal */
    char *library_path;                  /* LIBRARY_PATH: the runtime's shared library; NULL: the backend searches */
    char *settings[NNM_MAX_SETTINGS];    /* keys of the backend's own, in the order of its table (nnm_setting); NULL:
                                            not given */
    nnm_protocol
        protocol; /* ROUNDS, WARMUP_MS, SAMPLE_US, ROUND_MS, BUDGET_S, TIMEOUT_S, MEMORY_LIMIT_MIB, CPU, GATE */
} nnm_backend_config;

/* A zero-initialised struct may be given to _fini. */
NNM_API void nnm_predictorbuild_config_fini(nnm_predictorbuild_config *config);
NNM_API void nnm_backend_config_fini(nnm_backend_config *config);

#ifdef __cplusplus
}
#endif

#endif
