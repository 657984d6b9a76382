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

/* How kernels are chosen that are measured after the first ones. */
typedef enum nnm_sampler {
    NNM_SAMPLER_FINEGRAINED = 0, /* the published loop: around test rows with large errors */
    NNM_SAMPLER_PRIOR = 1,       /* more from the prior */
    NNM_SAMPLER_AUTO = 2         /* where they teach most for what measuring them takes */
} nnm_sampler;

/* The name of a sampler, as files and `--sampler` spell it, and the sampler of a name. Errors: VALUE; the message names
 * what is allowed. */
NNM_API const char *nnm_sampler_name(nnm_sampler sampler);
NNM_NODISCARD NNM_API nnm_status nnm_sampler_find(nnm_sampler *out, const char *name, nnm_error *err);

/* How much a build may measure, its test sets included. 0: as much as it likes. */
typedef struct nnm_budget {
    size_t kernels;
    double seconds;
} nnm_budget;

/* Reads "500" (kernels), "90s", "20m", "2h" or "1.5h". Errors: VALUE with what was found and what is right. */
NNM_NODISCARD NNM_API nnm_status nnm_budget_parse(nnm_budget *out, const char *text, nnm_error *err);

/* How good a predictor is to become. */
typedef enum nnm_target_figure {
    NNM_TARGET_NONE = 0,
    NNM_TARGET_ACC5,
    NNM_TARGET_ACC10,
    NNM_TARGET_ACC15,
    NNM_TARGET_RMSPE
} nnm_target_figure;

typedef struct nnm_target {
    nnm_target_figure figure;
    double value; /* a fraction: accuracies of at least this, an RMSPE of at most this */
} nnm_target;

/* Reads "acc10=0.95", likewise acc5 and acc15, or "rmspe=0.1". Errors: VALUE with what was found and what is right. */
NNM_NODISCARD NNM_API nnm_status nnm_target_parse(nnm_target *out, const char *text, nnm_error *err);
NNM_API const char *nnm_target_figure_name(nnm_target_figure figure); /* "acc10"; "" for none */

/* TEST_SAMPLE_NUM: auto, a fifth of INIT_SAMPLE_NUM, but at least 20 and at most 200. */
#define NNM_TEST_SAMPLES_AUTO (-1)

/* One entry of KERNELS. */
typedef struct nnm_kernel_build {
    char kernel[NNM_KERNEL_NAME_BYTES];
    size_t init_sample_num;        /* INIT_SAMPLE_NUM, 1..1,000,000 */
    size_t finegrained_sample_num; /* FINEGRAINED_SAMPLE_NUM, 1..100,000 */
    size_t iteration;              /* ITERATION, 1..1,000; 1: no adaptive sampling */
    double error_threshold;        /* ERROR_THRESHOLD, 0.1..1 */
    nnm_model_kind predictor;      /* PREDICTOR: random_forest | best; that of the whole file where not given */
    nnm_sampler sampler;           /* SAMPLER: finegrained | prior | auto; likewise */
    int test_sample_num;           /* TEST_SAMPLE_NUM: 0..100,000, or NNM_TEST_SAMPLES_AUTO; likewise */
} nnm_kernel_build;

typedef struct nnm_predictorbuild_config {
    bool detail;              /* DETAIL */
    nnm_implement implement;  /* IMPLEMENT: tensorflow | torch */
    int64_t batch_size;       /* BATCH_SIZE, 1..4096 */
    nnm_model_kind predictor; /* PREDICTOR: of kernels that have none of their own */
    nnm_sampler sampler;      /* SAMPLER: likewise */
    int test_sample_num;      /* TEST_SAMPLE_NUM: likewise */
    nnm_budget budget;        /* BUDGET: of a build, all its kernel types together */
    nnm_target until;         /* UNTIL: a kernel type that is this good gets no further kernels */
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
