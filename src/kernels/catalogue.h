/*
 * What one entry of the catalogue consists of. Everything about a kernel type stands in catalogue.c: an entry of data
 * and a graph builder of a few lines; the other files of this room treat all entries alike.
 */
#ifndef NNM_KERNELS_CATALOGUE_H
#define NNM_KERNELS_CATALOGUE_H

#include "kernels/draft.h"
#include "nnmeter/kernel.h"

typedef struct nnm_kernel_param {
    const char *name;
    int64_t minimum, maximum;
} nnm_kernel_param;

/* Sizes of one configuration at batch 1, in elements. Outputs are those of a window with SAME padding. */
typedef struct nnm_kernel_size {
    double outputs;   /* of the largest tensor that is computed */
    double positions; /* HO * WO: how often the weights are used */
    double weights;   /* of the weight tensor; 0 without one */
    double params;    /* weights and biases; 0 without any */
} nnm_kernel_size;

struct nnm_kernel {
    const char *name;
    const char *family;
    const nnm_kernel_param *params[NNM_KERNEL_MAX_PARAMS]; /* in order; NULL ends */
    bool has_layer;      /* a conv, dwconv or fc layer: FLOPS and PARAMS are features */
    bool cout_is_cin;    /* COUT has to equal CIN and may be left out of texts */
    size_t init_samples; /* of a new workspace */
    nnm_kernel_forest forest;
    size_t (*inputs)(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                     nnm_shape shapes[NNM_KERNEL_MAX_INPUTS]);
    nnm_kernel_size (*size)(const nnm_kernel *kernel, const nnm_kernel_config *config);
    nnm_tensor_id (*build)(nnm_draft *draft); /* returns the output */
};

/* The value of a parameter; 0 if the kernel has none of that name. */
int64_t nnm_kernel_value(const nnm_kernel *kernel, const nnm_kernel_config *config, const char *name);

/* Refuses configurations with a tensor of more than 2^31 - 1 bytes. Errors: VALUE. */
NNM_NODISCARD nnm_status nnm_kernel_check_sizes(const nnm_kernel *kernel, const nnm_kernel_config *config,
                                                int64_t batch_size, nnm_error *err);

#endif
