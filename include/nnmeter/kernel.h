/*
 * The catalogue of kernels: for each kernel type its configuration parameters, its graph and its features.
 *
 * A kernel is a fused group of operators that a runtime executes as one, e.g. conv-bn-relu. A configuration gives a
 * value to each of its parameters, e.g. HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1.
 *
 * Built-in kernel types are constants: they need no freeing and may be used from any thread. Customised ones belong to
 * the registry that found them (registry.h); what they answer comes from somebody else's code, so it may fail.
 */
#ifndef NNMETER_KERNEL_H
#define NNMETER_KERNEL_H

#include "nnmeter/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NNM_KERNEL_MAX_PARAMS 8
#define NNM_KERNEL_MAX_FEATURES 16
#define NNM_KERNEL_MAX_INPUTS 4

typedef struct nnm_kernel nnm_kernel;

/* One value a parameter, in the order of nnm_kernel_param_name; entries beyond the parameter count are 0. */
typedef struct nnm_kernel_config {
    int64_t value[NNM_KERNEL_MAX_PARAMS];
} nnm_kernel_config;

/* A growable list of configurations, all of one kernel type. Zero-initialise; end with nnm_config_list_fini. */
typedef struct nnm_config_list {
    nnm_kernel_config *items;
    size_t count, capacity;
} nnm_config_list;

NNM_NODISCARD NNM_API nnm_status nnm_config_list_add(nnm_config_list *list, const nnm_kernel_config *config,
                                                     nnm_error *err);
NNM_API void nnm_config_list_fini(nnm_config_list *list);

/* ---- the catalogue ---- */

NNM_API size_t nnm_kernel_count(void);
NNM_API const nnm_kernel *nnm_kernel_at(size_t index); /* in the order that --list-kernels prints */

/* Finds a built-in kernel type by name; nnm_registry_find_kernel finds customised ones too. Errors: NOT_FOUND; the
 * message suggests the closest known name. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_find(const nnm_kernel **out, const char *name, nnm_error *err);

NNM_API const char *nnm_kernel_name(const nnm_kernel *kernel);
NNM_API bool nnm_kernel_is_customized(const nnm_kernel *kernel);
/* The family whose sampler it uses: "conv", "dwconv", "pooling", "fc", "concat", "even", "global-avgpool",
 * "elementwise", "matmul" (see docs/prior.md); "customized" for one that brings its own. */
NNM_API const char *nnm_kernel_family(const nnm_kernel *kernel);
/* The kernel type whose predictor it shares: "conv-bn-relu" for all of the family conv, "dwconv-bn-relu" for all of
 * dwconv, else itself. */
NNM_API const char *nnm_kernel_predictor(const nnm_kernel *kernel);
NNM_API size_t nnm_kernel_param_count(const nnm_kernel *kernel);
NNM_API const char *nnm_kernel_param_name(const nnm_kernel *kernel, size_t index);
/* The range a parameter may have, both ends included. */
NNM_API void nnm_kernel_param_range(const nnm_kernel *kernel, size_t index, int64_t *minimum, int64_t *maximum);
/* Index of the parameter called `name`, or -1. */
NNM_API int nnm_kernel_param_index(const nnm_kernel *kernel, const char *name);

/* What the published system builds by default: INIT_SAMPLE_NUM of a new workspace here (a tenth of the published
 * number), or 0 for a kernel type that is not built by default. */
NNM_API size_t nnm_kernel_default_samples(const nnm_kernel *kernel);

/* The random forest that the published system fits for this kernel type on a CPU. */
typedef struct nnm_kernel_forest {
    size_t trees, max_depth, max_features; /* max_features 0: all */
} nnm_kernel_forest;
NNM_API nnm_kernel_forest nnm_kernel_default_forest(const nnm_kernel *kernel);

/* ---- configurations ---- */

/* Checks ranges and what the parameters must have in common (dwconv and pools: COUT = CIN; split and channelshuffle:
 * CIN even; concat: inputs that are not used come last), and refuses kernels whose weights
 * and activations would take more than 2^31 - 1 bytes in one tensor. Errors: VALUE with parameter, value and range. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_config_check(const nnm_kernel *kernel, const nnm_kernel_config *config,
                                                         nnm_error *err);

/* Reads "HW=56,CIN=64,...", any order, each parameter once; dwconv and pools may leave COUT out, concat CIN3 and CIN4.
 * Checks it as above.
 * Errors: PARSE, VALUE; the message names the parameter. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_config_parse(nnm_kernel_config *out, const nnm_kernel *kernel,
                                                         const char *text, nnm_error *err);

/* Writes "HW=56,CIN=64,..." into `text`, cut at `size` bytes, always terminated. */
NNM_API void nnm_kernel_config_format(const nnm_kernel *kernel, const nnm_kernel_config *config, char *text,
                                      size_t size);

NNM_API bool nnm_kernel_config_equal(const nnm_kernel *kernel, const nnm_kernel_config *a, const nnm_kernel_config *b);

/* ---- graph ---- */

typedef struct nnm_graph_options {
    nnm_layout layout;  /* NNM_LAYOUT_NCHW: symmetric padding; NNM_LAYOUT_NHWC: TensorFlow's SAME */
    int64_t batch_size; /* >= 1 */
    uint64_t seed;      /* of the weights; equal seeds give equal weights */
    bool zero_weights;  /* filters and matrices are all zero, which takes no time: for those who look at shapes only */
} nnm_graph_options;
#define NNM_GRAPH_OPTIONS_INIT       \
    {                                \
        NNM_LAYOUT_NCHW, 1, 0, false \
    }

/* Builds the graph of one configuration with seeded random weights, scaled so that activations keep their variance.
 * The graph is the caller's. Errors: VALUE (see nnm_kernel_config_check), NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_build_graph(nnm_graph **out, const nnm_kernel *kernel,
                                                        const nnm_kernel_config *config,
                                                        const nnm_graph_options *options, nnm_error *err);

/* Input shapes without the batch, as kernel data files give them: [C, H, W] for NCHW, [H, W, C] for NHWC, [C] for fc,
 * and [B, M, K] for matmul, where the batch size multiplies B. `count` receives how many (<= NNM_KERNEL_MAX_INPUTS).
 * Errors: none for built-in kernels; those of plugin.h for customised ones. */
NNM_NODISCARD NNM_API nnm_status nnm_kernel_input_shapes(const nnm_kernel *kernel, const nnm_kernel_config *config,
                                                         nnm_layout layout, nnm_shape shapes[NNM_KERNEL_MAX_INPUTS],
                                                         size_t *count, nnm_error *err);

/* ---- features ---- */

/* The features of the description: every parameter, then for kernels of the families conv, dwconv, fc and matmul FLOPS
 * and PARAMS. PARAMS = COUT * (KERNEL_SIZE^2 * CIN / groups + 1),   FLOPS = 2 * HO * WO * PARAMS   (fc: HO = WO = 1)
 * with the true output size HO = WO = ceil(HW / STRIDES), batch 1. matmul: PARAMS = N * K, FLOPS = 2 * B * M * PARAMS.
 * Both are plain counts. Customised kernels have those of their feature parser.
 * Errors: none for built-in kernels; those of plugin.h for customised ones. */
NNM_API size_t nnm_kernel_feature_count(const nnm_kernel *kernel);
NNM_API const char *nnm_kernel_feature_name(const nnm_kernel *kernel, size_t index);
NNM_NODISCARD NNM_API nnm_status nnm_kernel_features(const nnm_kernel *kernel, const nnm_kernel_config *config,
                                                     double features[NNM_KERNEL_MAX_FEATURES], nnm_error *err);

/* FLOPs of a configuration as above; for kernels without these features the number of elements they read or compute,
 * whichever are more. Orders generation. 0 where a customised kernel cannot tell. */
NNM_API double nnm_kernel_flops(const nnm_kernel *kernel, const nnm_kernel_config *config);

#ifdef __cplusplus
}
#endif

#endif
