#include "kernels/catalogue.h"

size_t nnm_kernel_feature_count(const nnm_kernel *kernel)
{
    return nnm_kernel_param_count(kernel) + (kernel->kind->layer ? 2 : 0);
}

const char *nnm_kernel_feature_name(const nnm_kernel *kernel, size_t index)
{
    size_t params = nnm_kernel_param_count(kernel);
    if (index < params) return nnm_kernel_param_name(kernel, index);
    return index == params ? "FLOPS" : "PARAMS";
}

void nnm_kernel_features(const nnm_kernel *kernel, const nnm_kernel_config *config,
                         double features[NNM_KERNEL_MAX_FEATURES])
{
    size_t params = nnm_kernel_param_count(kernel);
    for (size_t i = 0; i < params; i++)
        features[i] = (double)config->value[i];
    if (!kernel->kind->layer) return;
    nnm_kernel_size size = kernel->kind->size(kernel, config);
    features[params] = size.flops;
    features[params + 1] = size.params;
}

double nnm_kernel_flops(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    return kernel->kind->size(kernel, config).flops;
}
