/* FLOPs and parameters of one layer as the description defines them, also for layers that a kernel's configuration
 * cannot say: tables measured by others have batches, groups and paddings of their own. */
#ifndef NNM_KERNELS_COST_H
#define NNM_KERNELS_COST_H

#include "nnmeter/kernel.h"

typedef struct nnm_layer_setting {
    double batch;        /* >= 1 */
    double groups;       /* >= 1; ignored for dwconv, which has CIN groups */
    nnm_padding padding; /* SAME: output = ceil(HW / STRIDES); EXPLICIT: `pad` pixels at every edge */
    double pad;
} nnm_layer_setting;
#define NNM_LAYER_SETTING_INIT    \
    {                             \
        1, 1, NNM_PADDING_SAME, 0 \
    }

/* Height and width of the output of a window; 0 where it does not fit. */
double nnm_layer_output_size(double input, double window, double stride, const nnm_layer_setting *setting);

/* Whether COUT has to equal CIN, so that tables may leave it out. */
bool nnm_kernel_cout_is_cin(const nnm_kernel *kernel);

/* Whether the kernel has the features FLOPS and PARAMS. */
bool nnm_kernel_has_cost(const nnm_kernel *kernel);

/* params: values of the kernel's parameters, in catalogue order.
 * PARAMS = COUT * (KERNEL_SIZE^2 * CIN / groups + 1), FLOPS = 2 * batch * HO * WO * PARAMS; a window that does not fit
 * gives 0 FLOPs. matmul: PARAMS = N * K, FLOPS = 2 * batch * B * M * PARAMS. For kernels without cost both are 0. */
void nnm_kernel_layer_cost(const nnm_kernel *kernel, const double *params, const nnm_layer_setting *setting,
                           double *flops, double *parameters);

#endif
