/*
 * What one entry of the catalogue consists of: the kind of kernel, which it shares with others, and the steps that it
 * computes. Both are data of catalogue.c; the functions that they name stand in steps.c and shapes.c. The other files
 * of this room treat all entries alike.
 */
#ifndef NNM_KERNELS_CATALOGUE_H
#define NNM_KERNELS_CATALOGUE_H

#include "kernels/draft.h"
#include "nnmeter/kernel.h"

#define NNM_KERNEL_MAX_STEPS 5

typedef struct nnm_kernel_param {
    const char *name;
    int64_t minimum, maximum; /* minimum 0: it may be left out of texts; only the last ones that may be 0 are */
    int64_t multiple_of;      /* 0: any */
} nnm_kernel_param;

/* The layer that FLOPS and PARAMS are those of. */
typedef enum nnm_kernel_layer {
    NNM_LAYER_NONE, /* the kernel has no features beside its parameters */
    NNM_LAYER_CONV,
    NNM_LAYER_DWCONV,
    NNM_LAYER_FC,
    NNM_LAYER_MATMUL
} nnm_kernel_layer;

/* Sizes of one configuration at batch 1. Outputs are those of a window with SAME padding. */
typedef struct nnm_kernel_size {
    double outputs; /* elements of the largest tensor that is computed */
    double weights; /* elements of the largest weight tensor; 0 without one */
    double flops;   /* of the layer; without one the elements read or computed, whichever are more */
    double params;  /* of the layer: weights and biases; 0 without one */
} nnm_kernel_size;

/* Where the answers of a customised kernel come from. Each may fail, for there is somebody else's code behind it. */
typedef struct nnm_kernel_source {
    void *context;
    nnm_layout layout; /* the only one it is built for */
    const char *feature_names[NNM_KERNEL_MAX_FEATURES];
    size_t feature_count;
    nnm_status (*inputs)(void *context, const nnm_kernel_config *config, nnm_shape shapes[NNM_KERNEL_MAX_INPUTS],
                         size_t *count, nnm_error *err);
    nnm_status (*build)(void *context, const nnm_kernel_config *config, const nnm_graph_options *options,
                        nnm_graph **out, nnm_error *err);
    nnm_status (*features)(void *context, const nnm_kernel_config *config, double features[NNM_KERNEL_MAX_FEATURES],
                           nnm_error *err);
    nnm_status (*flops)(void *context, const nnm_kernel_config *config, double *flops, nnm_error *err);
    /* Appends what its sampler gives, unchecked. `around` NULL: from the prior. */
    nnm_status (*sample)(void *context, size_t num, const nnm_config_list *around, uint64_t seed, nnm_config_list *out,
                         nnm_error *err);
} nnm_kernel_source;

/* What kernels have in common that differ in the operators around the same layer. */
typedef struct nnm_kernel_kind {
    const char *family;
    const char *predictor;                                 /* NULL: each kernel has its own */
    const nnm_kernel_param *params[NNM_KERNEL_MAX_PARAMS]; /* in order; NULL ends */
    nnm_kernel_layer layer;
    bool cout_is_cin; /* COUT has to equal CIN and may be left out of texts */
    bool has_batch;   /* the first dimension of the inputs is a batch already, which the batch size multiplies */
    size_t (*inputs)(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                     nnm_shape shapes[NNM_KERNEL_MAX_INPUTS]);
    nnm_kernel_size (*size)(const nnm_kernel *kernel, const nnm_kernel_config *config);
    const nnm_kernel_source *source; /* NULL: built in; else there are neither steps nor the two functions above */
} nnm_kernel_kind;

/* The family of kernels that bring a sampler of their own. */
#define NNM_FAMILY_CUSTOMIZED "customized"

struct nnm_kernel {
    const char *name;
    const nnm_kernel_kind *kind;
    /* In order; NULL ends. The first gets the first input, each further one what the step before gives, and the outputs
     * of the last step's node are the kernel's. */
    nnm_draft_step *steps[NNM_KERNEL_MAX_STEPS];
    size_t init_samples; /* of a new workspace; 0: not built by default */
    nnm_kernel_forest forest;
};

/* Customised kernels are built for one layout. Errors: UNSUPPORTED. */
NNM_NODISCARD nnm_status nnm_kernel_check_layout(const nnm_kernel *kernel, nnm_layout layout, nnm_error *err);

/* The value of a parameter; 0 if the kernel has none of that name. */
int64_t nnm_kernel_value(const nnm_kernel *kernel, const nnm_kernel_config *config, const char *name);

/* Gives the parameters that were not seen the value they have when left out. Errors: PARSE for one that is needed. */
NNM_NODISCARD nnm_status nnm_kernel_config_complete(nnm_kernel_config *config, const bool seen[NNM_KERNEL_MAX_PARAMS],
                                                    const nnm_kernel *kernel, nnm_error *err);

/* nnm_kernel_config_check but for the sizes of tensors. Errors: VALUE. */
NNM_NODISCARD nnm_status nnm_kernel_check_values(const nnm_kernel *kernel, const nnm_kernel_config *config,
                                                 nnm_error *err);

/* Refuses configurations with a tensor of more than 2^31 - 1 bytes, before anything is allocated. Errors: VALUE. */
NNM_NODISCARD nnm_status nnm_kernel_check_sizes(const nnm_kernel *kernel, const nnm_kernel_config *config,
                                                int64_t batch_size, nnm_error *err);

#endif
