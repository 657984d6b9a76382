/*
 * Customised kernels: what their modules define.
 *
 * A package is a folder with shared objects, and a meta file names three symbols in them: a kernel, a sampler and a
 * feature parser. Each is a constant of one of the types below:
 *
 *     NNM_PLUGIN_EXPORT const nnm_plugin_kernel MyKernel = {
 *         NNM_PLUGIN_KERNEL,
 *         .params = {{"HW", 1, 4096}, {"CIN", 1, 65536}},
 *         .input_tensor_shape = shapes,
 *         .get_model = model,
 *     };
 *
 * docs/custom-kernels.md goes through it step by step; examples/custom-kernel-c is a whole package.
 *
 * The values of a configuration stand in the order of `params`, here config->value[0] for HW. All functions are called
 * in a process of its own, by one thread at a time, and may use everything else that the headers beside this one
 * declare: nn-meter itself brings those functions, so modules need not be linked with libnnmeter.
 */
#ifndef NNMETER_PLUGIN_H
#define NNMETER_PLUGIN_H

#include "nnmeter/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NNM_PLUGIN_ABI 1

/* The first two members of each type: which interface it was compiled for, and which of the three it is. */
#define NNM_PLUGIN_KERNEL NNM_PLUGIN_ABI, 0x4B4E4E4Du
#define NNM_PLUGIN_SAMPLER NNM_PLUGIN_ABI, 0x534E4E4Du
#define NNM_PLUGIN_PARSER NNM_PLUGIN_ABI, 0x504E4E4Du

#if defined(__GNUC__)
#define NNM_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define NNM_PLUGIN_EXPORT
#endif

/* ---- drawing a graph ---- */

/*
 * A kernel's graph while it is drawn. Each call adds one operator, with weights that follow from the kernel's seed and
 * the name given, and returns what it computes. The first failure is kept and later calls do nothing, so that a kernel
 * reads as what it computes.
 */
typedef struct nnm_draft nnm_draft;

/* The configuration's value of a parameter, or 0 for a name that is none. */
NNM_API int64_t nnm_draft_value(const nnm_draft *draft, const char *param);

/* The kernel's inputs, in the order of input_tensor_shape. */
NNM_API size_t nnm_draft_input_count(const nnm_draft *draft);
NNM_API nnm_tensor_id nnm_draft_input(const nnm_draft *draft, size_t index);

/* Convolution with bias and a square window, padded as the layout says (tensorflow: SAME; torch: symmetrically, by
 * (kernel_size - 1) / 2); groups == channels of x makes it depthwise. Weights are named "<name>.weight" and
 * "<name>.bias". */
NNM_API nnm_tensor_id nnm_draft_conv(nnm_draft *draft, const char *name, nnm_tensor_id x, int64_t cout,
                                     int64_t kernel_size, int64_t stride, int64_t groups);
/* A pool with a square window, padded likewise. `op`: NNM_OP_MAX_POOL or NNM_OP_AVERAGE_POOL. */
NNM_API nnm_tensor_id nnm_draft_pool(nnm_draft *draft, nnm_op op, const char *name, nnm_tensor_id x,
                                     int64_t kernel_size, int64_t stride);
NNM_API nnm_tensor_id nnm_draft_fully_connected(nnm_draft *draft, const char *name, nnm_tensor_id x, int64_t cout,
                                                bool has_bias);
NNM_API nnm_tensor_id nnm_draft_batch_norm(nnm_draft *draft, const char *name, nnm_tensor_id x);
/* Any operator of graph.h on tensors that are there. Attributes may be NULL. Returns the first output. */
NNM_API nnm_tensor_id nnm_draft_node(nnm_draft *draft, nnm_op op, const char *name, const nnm_attributes *attributes,
                                     const nnm_tensor_id *inputs, size_t count);

/* Adds the constant "<owner>.<part>" with values in (centre - spread, centre + spread), for weights of one's own. */
NNM_API nnm_tensor_id nnm_draft_weights(nnm_draft *draft, const char *owner, const char *part, const nnm_shape *shape,
                                        double centre, double spread);

/* The graph itself, for whatever graph.h can do; a call that failed there is handed to nnm_draft_fail, whose message
 * then explains why there is no model. */
NNM_API nnm_graph *nnm_draft_graph(nnm_draft *draft);
NNM_API void nnm_draft_fail(nnm_draft *draft, const char *message);

/* ---- the three parts ---- */

typedef struct nnm_plugin_param {
    const char *name;         /* e.g. "CIN"; NULL ends the list. What it is called in files, tables and on the command
                                 line: letters, digits and '_' */
    int64_t minimum, maximum; /* both ends included, 0 <= minimum <= maximum */
    int64_t multiple_of;      /* 0: any */
} nnm_plugin_param;

/* The kernel class of the description. */
typedef struct nnm_plugin_kernel {
    uint32_t abi, part;                             /* NNM_PLUGIN_KERNEL */
    nnm_plugin_param params[NNM_KERNEL_MAX_PARAMS]; /* at least one */

    /* Input shapes without the batch: [H, W, C] where the meta file says tensorflow, [C, H, W] for torch. Returns how
     * many, 1..NNM_KERNEL_MAX_INPUTS. */
    size_t (*input_tensor_shape)(const nnm_kernel_config *config, nnm_shape shapes[NNM_KERNEL_MAX_INPUTS]);

    /* Draws what the kernel computes; x is the first input. Returns its output: all outputs of the node that computes
     * it become outputs of the model. */
    nnm_tensor_id (*get_model)(nnm_draft *draft, nnm_tensor_id x);

    /* Floating-point operations of one inference at batch 1, by which kernels are ordered and profiling is planned.
     * NULL: the elements of the inputs are counted. */
    double (*flops)(const nnm_kernel_config *config);
} nnm_plugin_kernel;

/* The sampler class. Both functions append to `out` with nnm_config_list_add. All that is left to chance has to follow
 * from `seed`: equal seeds give equal configurations. */
typedef struct nnm_plugin_sampler {
    uint32_t abi, part; /* NNM_PLUGIN_SAMPLER */

    /* Up to `sample_num` configurations as they occur in real networks. What repeats is left out by the caller, who
     * then asks once more, with another seed. */
    nnm_status (*prior_config_sampling)(size_t sample_num, uint64_t seed, nnm_config_list *out, nnm_error *err);

    /* Up to `sample_num` configurations around each of `configs`. */
    nnm_status (*finegrained_config_sampling)(size_t sample_num, const nnm_config_list *configs, uint64_t seed,
                                              nnm_config_list *out, nnm_error *err);
} nnm_plugin_sampler;

/* The feature parser class: what the predictor learns from. */
typedef struct nnm_plugin_parser {
    uint32_t abi, part;                                     /* NNM_PLUGIN_PARSER */
    const char *needed_config[NNM_KERNEL_MAX_PARAMS + 1];   /* names of parameters; NULL ends */
    const char *feature_names[NNM_KERNEL_MAX_FEATURES + 1]; /* in the order of the features; NULL ends */

    void (*get_feature_by_config)(const nnm_kernel_config *config, double features[NNM_KERNEL_MAX_FEATURES]);
    /* The way back: the configuration that has these features. */
    void (*get_config_by_feature)(const double features[NNM_KERNEL_MAX_FEATURES], nnm_kernel_config *config);
} nnm_plugin_parser;

#ifdef __cplusplus
}
#endif

#endif
