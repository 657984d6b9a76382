/* The feature parser: the parameters as they are, then FLOPs and parameters of the convolution. */
#include "mykernel.h"

static void get_feature_by_config(const nnm_kernel_config *config, double features[NNM_KERNEL_MAX_FEATURES])
{
    for (int i = HW; i <= STRIDES; i++)
        features[i] = (double)config->value[i];
    features[STRIDES + 1] = mykernel_flops(config);
    features[STRIDES + 2] = mykernel_params(config);
}

static void get_config_by_feature(const double features[NNM_KERNEL_MAX_FEATURES], nnm_kernel_config *config)
{
    for (int i = HW; i <= STRIDES; i++)
        config->value[i] = (int64_t)features[i];
}

NNM_PLUGIN_EXPORT const nnm_plugin_parser MyParser = {
    NNM_PLUGIN_PARSER,
    .needed_config = {"HW", "CIN", "COUT", "KERNEL_SIZE", "STRIDES"},
    .feature_names = {"HW", "CIN", "COUT", "KERNEL_SIZE", "STRIDES", "FLOPS", "PARAMS"},
    .get_feature_by_config = get_feature_by_config,
    .get_config_by_feature = get_config_by_feature,
};
