#include "kernels/shapes.h"

/* ---- inputs ---- */

static nnm_shape image(nnm_layout layout, int64_t hw, int64_t channels)
{
    return layout == NNM_LAYOUT_NCHW ? (nnm_shape){3, {channels, hw, hw}} : (nnm_shape){3, {hw, hw, channels}};
}

size_t nnm_inputs_image(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                        nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    shapes[0] = image(layout, nnm_kernel_value(kernel, config, "HW"), nnm_kernel_value(kernel, config, "CIN"));
    return 1;
}

size_t nnm_inputs_two_images(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                             nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    nnm_inputs_image(kernel, config, layout, shapes);
    shapes[1] = shapes[0];
    return 2;
}

size_t nnm_inputs_images(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                         nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    static const char *const names[NNM_KERNEL_MAX_INPUTS] = {"CIN1", "CIN2", "CIN3", "CIN4"};
    int64_t hw = nnm_kernel_value(kernel, config, "HW");
    size_t count = 0;
    for (size_t i = 0; i < NNM_KERNEL_MAX_INPUTS; i++) {
        int64_t channels = nnm_kernel_value(kernel, config, names[i]);
        if (channels) shapes[count++] = image(layout, hw, channels);
    }
    return count;
}

size_t nnm_inputs_flat(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                       nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    (void)layout;
    shapes[0] = (nnm_shape){1, {nnm_kernel_value(kernel, config, "CIN")}};
    return 1;
}

size_t nnm_inputs_matrices(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                           nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    (void)layout;
    shapes[0] = (nnm_shape){3,
                            {nnm_kernel_value(kernel, config, "B"), nnm_kernel_value(kernel, config, "M"),
                             nnm_kernel_value(kernel, config, "K")}};
    return 1;
}

/* ---- sizes ---- */

static double value(const nnm_kernel *kernel, const nnm_kernel_config *config, const char *name)
{
    return (double)nnm_kernel_value(kernel, config, name);
}

/* Height and width of the output of a window with SAME padding. */
static double side(const nnm_kernel *kernel, const nnm_kernel_config *config, const char *strides)
{
    return (double)((nnm_kernel_value(kernel, config, "HW") - 1) / nnm_kernel_value(kernel, config, strides) + 1);
}

static nnm_kernel_size layer_size(double outputs, double positions, double weights, double params)
{
    return (nnm_kernel_size){outputs, weights, 2 * positions * params, params};
}

static nnm_kernel_size window_size(const nnm_kernel *kernel, const nnm_kernel_config *config, double groups)
{
    double out = side(kernel, config, "STRIDES");
    double cout = value(kernel, config, "COUT");
    double window = value(kernel, config, "KERNEL_SIZE");
    double weights = cout * window * window * value(kernel, config, "CIN") / groups;
    return layer_size(cout * out * out, out * out, weights, weights + cout);
}

nnm_kernel_size nnm_size_conv(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    return window_size(kernel, config, 1);
}

nnm_kernel_size nnm_size_dwconv(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    return window_size(kernel, config, value(kernel, config, "CIN"));
}

nnm_kernel_size nnm_size_fc(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    double cout = value(kernel, config, "COUT");
    double weights = cout * value(kernel, config, "CIN");
    return layer_size(cout, 1, weights, weights + cout);
}

nnm_kernel_size nnm_size_matmul(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    double rows = value(kernel, config, "B") * value(kernel, config, "M");
    double weights = value(kernel, config, "N") * value(kernel, config, "K");
    return layer_size(rows * value(kernel, config, "N"), rows, weights, weights);
}

static double input_elements(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS];
    size_t count = kernel->kind->inputs(kernel, config, NNM_LAYOUT_NCHW, shapes);
    double elements = 0;
    for (size_t i = 0; i < count; i++)
        elements += (double)nnm_shape_elements(&shapes[i]);
    return elements;
}

nnm_kernel_size nnm_size_image(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    double elements = input_elements(kernel, config);
    return (nnm_kernel_size){elements, 0, elements, 0};
}

nnm_kernel_size nnm_size_pool(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    double out = side(kernel, config, "POOL_STRIDES");
    return (nnm_kernel_size){value(kernel, config, "COUT") * out * out, 0, input_elements(kernel, config), 0};
}

int64_t nnm_squeezed_channels(int64_t channels)
{
    return channels < 4 ? 1 : channels / 4;
}

nnm_kernel_size nnm_size_se(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    nnm_kernel_size size = nnm_size_image(kernel, config);
    int64_t channels = nnm_kernel_value(kernel, config, "CIN");
    size.weights = (double)channels * (double)nnm_squeezed_channels(channels);
    return size;
}
