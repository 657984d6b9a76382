/* The kernel: a convolution, a batch norm and a ReLU, as the built-in conv-bn-relu has them. */
#include "mykernel.h"

static size_t input_tensor_shape(const nnm_kernel_config *config, nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    int64_t hw = config->value[HW], cin = config->value[CIN];
    shapes[0] = (nnm_shape){3, {hw, hw, cin}}; /* [H, W, C], for meta.yaml says tensorflow */
    return 1;
}

static nnm_tensor_id get_model(nnm_draft *draft, nnm_tensor_id x)
{
    x = nnm_draft_conv(draft, "conv", x, nnm_draft_value(draft, "COUT"), nnm_draft_value(draft, "KERNEL_SIZE"),
                       nnm_draft_value(draft, "STRIDES"), 1);
    x = nnm_draft_batch_norm(draft, "bn", x);
    return nnm_draft_node(draft, NNM_OP_RELU, "relu", NULL, &x, 1);
}

static double flops(const nnm_kernel_config *config)
{
    return mykernel_flops(config);
}

NNM_PLUGIN_EXPORT const nnm_plugin_kernel MyKernel = {
    NNM_PLUGIN_KERNEL,
    .params = {[HW] = {"HW", 1, 4096, 0},
               [CIN] = {"CIN", 1, 65536, 0},
               [COUT] = {"COUT", 1, 65536, 0},
               [KERNEL_SIZE] = {"KERNEL_SIZE", 1, 31, 0},
               [STRIDES] = {"STRIDES", 1, 16, 0}},
    .input_tensor_shape = input_tensor_shape,
    .get_model = get_model,
    .flops = flops,
};
