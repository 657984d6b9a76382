#include "kernels/cost.h"

#include <math.h>

#include "kernels/catalogue.h"

bool nnm_kernel_cout_is_cin(const nnm_kernel *kernel)
{
    return kernel->kind->cout_is_cin;
}

bool nnm_kernel_has_cost(const nnm_kernel *kernel)
{
    return kernel->kind->layer != NNM_LAYER_NONE;
}

static double value_of(const nnm_kernel *kernel, const double *params, const char *name, double without)
{
    int index = nnm_kernel_param_index(kernel, name);
    return index < 0 ? without : params[index];
}

double nnm_layer_output_size(double input, double window, double stride, const nnm_layer_setting *setting)
{
    if (setting->padding == NNM_PADDING_SAME) return ceil(input / stride);
    double room = input + 2 * setting->pad - window;
    return room < 0 ? 0 : floor(room / stride) + 1;
}

void nnm_kernel_layer_cost(const nnm_kernel *kernel, const double *params, const nnm_layer_setting *setting,
                           double *flops, double *parameters)
{
    *flops = 0;
    *parameters = 0;
    if (!kernel->kind->layer) return;
    if (kernel->kind->layer == NNM_LAYER_MATMUL) {
        double rows = value_of(kernel, params, "B", 1) * value_of(kernel, params, "M", 1);
        *parameters = value_of(kernel, params, "N", 1) * value_of(kernel, params, "K", 1);
        *flops = 2 * setting->batch * rows * *parameters;
        return;
    }
    double hw = value_of(kernel, params, "HW", 1);
    double window = value_of(kernel, params, "KERNEL_SIZE", 1);
    double stride = value_of(kernel, params, "STRIDES", 1);
    double cin = value_of(kernel, params, "CIN", 1);
    double cout = value_of(kernel, params, "COUT", cin);
    double groups = kernel->kind->cout_is_cin ? cin : setting->groups;
    double out = nnm_layer_output_size(hw, window, stride, setting);
    *parameters = cout * (window * window * cin / groups + 1);
    *flops = 2 * setting->batch * out * out * *parameters;
}
