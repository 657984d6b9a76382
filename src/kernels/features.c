#include "kernels/catalogue.h"

size_t nnm_kernel_feature_count(const nnm_kernel *kernel)
{
    if (kernel->kind->source) return kernel->kind->source->feature_count;
    return nnm_kernel_param_count(kernel) + (kernel->kind->layer ? 2 : 0);
}

const char *nnm_kernel_feature_name(const nnm_kernel *kernel, size_t index)
{
    if (kernel->kind->source) return kernel->kind->source->feature_names[index];
    size_t params = nnm_kernel_param_count(kernel);
    if (index < params) return nnm_kernel_param_name(kernel, index);
    return index == params ? "FLOPS" : "PARAMS";
}

nnm_status nnm_kernel_features(const nnm_kernel *kernel, const nnm_kernel_config *config,
                               double features[NNM_KERNEL_MAX_FEATURES], nnm_error *err)
{
    if (kernel->kind->source)
        return kernel->kind->source->features(kernel->kind->source->context, config, features, err);
    size_t params = nnm_kernel_param_count(kernel);
    for (size_t i = 0; i < params; i++)
        features[i] = (double)config->value[i];
    if (!kernel->kind->layer) return NNM_OK;
    nnm_kernel_size size = kernel->kind->size(kernel, config);
    features[params] = size.flops;
    features[params + 1] = size.params;
    return NNM_OK;
}

double nnm_kernel_flops(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    if (kernel->kind->source) {
        double flops = 0;
        return kernel->kind->source->flops(kernel->kind->source->context, config, &flops, NULL) == NNM_OK ? flops : 0;
    }
    return kernel->kind->size(kernel, config).flops;
}
