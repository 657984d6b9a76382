/*
 * What the work of a configuration consists of, beside the documented features: operations with dimensions rounded up
 * to tiles, amounts of memory, the layer as a matrix product, and their ratios. The model `best` learns from these.
 *
 * The matrix product of a layer has M = batch * HO * WO rows, N output channels and K multiplications an output, once
 * for each group. Layers with one filter a channel count channels as N, and kernels without a layer have K = 1.
 */
#ifndef NNM_KERNELS_WORK_H
#define NNM_KERNELS_WORK_H

#include "kernels/cost.h"

#define NNM_WORK_FEATURES 41

/* How many of them a kernel type has: all, or, where it is customised and nobody knows its layers, none. */
size_t nnm_work_feature_count(const nnm_kernel *kernel);

/* "work.…", which no configuration parameter is called. */
const char *nnm_work_feature_name(size_t index);
/* Index of the feature called `name`, or -1. */
int nnm_work_feature_index(const char *name);
/* Which resource does it: nnm_dataset.work. 0: none, it is a ratio or a size. */
unsigned char nnm_work_feature_resource(size_t index);

/* params: values of the kernel's parameters, in catalogue order; without setting, nnm_layer_setting's initial one. */
void nnm_work_features(const nnm_kernel *kernel, const double *params, const nnm_layer_setting *setting,
                       double out[NNM_WORK_FEATURES]);

#endif
