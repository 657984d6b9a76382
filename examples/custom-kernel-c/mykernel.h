/* What the three modules of mykernel share. */
#ifndef MYKERNEL_H
#define MYKERNEL_H

#include <nnmeter/plugin.h>

/* The parameters, in the order in which their values stand in a configuration. */
enum {
    HW,
    CIN,
    COUT,
    KERNEL_SIZE,
    STRIDES
};

/* Weights and biases of the convolution. */
static inline double mykernel_params(const nnm_kernel_config *config)
{
    double cin = (double)config->value[CIN], cout = (double)config->value[COUT];
    double kernel_size = (double)config->value[KERNEL_SIZE];
    return cout * (kernel_size * kernel_size * cin + 1);
}

static inline double mykernel_flops(const nnm_kernel_config *config)
{
    int64_t hw = config->value[HW], strides = config->value[STRIDES];
    double side = (double)((hw - 1) / strides + 1); /* height and width of the output */
    return 2 * side * side * mykernel_params(config);
}

#endif
