#include "kernels/catalogue.h"

#include <string.h>

#include "base/buffer.h"
#include "base/closest.h"
#include "base/error.h"

/* ---- parameters ---- */

static const nnm_kernel_param HW = {"HW", 1, 4096};
static const nnm_kernel_param CIN = {"CIN", 1, 65536};
static const nnm_kernel_param COUT = {"COUT", 1, 65536};
static const nnm_kernel_param FC_CIN = {"CIN", 1, 1048576};
static const nnm_kernel_param FC_COUT = {"COUT", 1, 1048576};
static const nnm_kernel_param KERNEL_SIZE = {"KERNEL_SIZE", 1, 31};
static const nnm_kernel_param STRIDES = {"STRIDES", 1, 16};

#define WINDOW_PARAMS                            \
    {                                            \
        &HW, &CIN, &COUT, &KERNEL_SIZE, &STRIDES \
    }

/* ---- shapes and sizes ---- */

static size_t image_input(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                          nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    int64_t hw = nnm_kernel_value(kernel, config, "HW");
    int64_t cin = nnm_kernel_value(kernel, config, "CIN");
    shapes[0] = layout == NNM_LAYOUT_NCHW ? (nnm_shape){3, {cin, hw, hw}} : (nnm_shape){3, {hw, hw, cin}};
    return 1;
}

static size_t flat_input(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                         nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    (void)layout;
    shapes[0] = (nnm_shape){1, {nnm_kernel_value(kernel, config, "CIN")}};
    return 1;
}

static nnm_kernel_size window_size(const nnm_kernel *kernel, const nnm_kernel_config *config, double groups)
{
    int64_t stride = nnm_kernel_value(kernel, config, "STRIDES");
    double out = (double)((nnm_kernel_value(kernel, config, "HW") - 1) / stride + 1);
    double cin = (double)nnm_kernel_value(kernel, config, "CIN");
    double cout = (double)nnm_kernel_value(kernel, config, "COUT");
    double side = (double)nnm_kernel_value(kernel, config, "KERNEL_SIZE");
    double weights = cout * side * side * cin / groups;
    return (nnm_kernel_size){cout * out * out, out * out, weights, weights + cout};
}

static nnm_kernel_size conv_size(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    return window_size(kernel, config, 1);
}

static nnm_kernel_size dwconv_size(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    return window_size(kernel, config, (double)nnm_kernel_value(kernel, config, "CIN"));
}

static nnm_kernel_size fc_size(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    double cout = (double)nnm_kernel_value(kernel, config, "COUT");
    double weights = cout * (double)nnm_kernel_value(kernel, config, "CIN");
    return (nnm_kernel_size){cout, 1, weights, weights + cout};
}

/* ---- graphs ---- */

static nnm_tensor_id conv_of_config(nnm_draft *draft, int64_t groups)
{
    return nnm_draft_conv(draft, "conv", draft->inputs[0], nnm_draft_value(draft, "COUT"),
                          nnm_draft_value(draft, "KERNEL_SIZE"), nnm_draft_value(draft, "STRIDES"), groups);
}

static nnm_tensor_id build_conv_bn_relu(nnm_draft *draft)
{
    nnm_tensor_id x = conv_of_config(draft, 1);
    x = nnm_draft_batch_norm(draft, "bn", x);
    return nnm_draft_unary(draft, NNM_OP_RELU, "relu", x);
}

static nnm_tensor_id build_dwconv_bn_relu(nnm_draft *draft)
{
    nnm_tensor_id x = conv_of_config(draft, nnm_draft_value(draft, "CIN"));
    x = nnm_draft_batch_norm(draft, "bn", x);
    return nnm_draft_unary(draft, NNM_OP_RELU, "relu", x);
}

static nnm_tensor_id build_fc(nnm_draft *draft)
{
    return nnm_draft_fully_connected(draft, "fc", draft->inputs[0], nnm_draft_value(draft, "COUT"));
}

/* ---- the catalogue ---- */

static const nnm_kernel kernels[] = {
    {.name = "conv-bn-relu",
     .family = "conv",
     .params = WINDOW_PARAMS,
     .has_layer = true,
     .init_samples = 1000,
     .forest = {320, 70, 6},
     .inputs = image_input,
     .size = conv_size,
     .build = build_conv_bn_relu},
    {.name = "dwconv-bn-relu",
     .family = "dwconv",
     .params = WINDOW_PARAMS,
     .has_layer = true,
     .cout_is_cin = true,
     .init_samples = 500,
     .forest = {240, 50, 6},
     .inputs = image_input,
     .size = dwconv_size,
     .build = build_dwconv_bn_relu},
    {.name = "fc",
     .family = "fc",
     .params = {&FC_CIN, &FC_COUT},
     .has_layer = true,
     .init_samples = 300,
     .forest = {370, 50, 2},
     .inputs = flat_input,
     .size = fc_size,
     .build = build_fc},
};

#define KERNEL_COUNT (sizeof kernels / sizeof *kernels)

size_t nnm_kernel_count(void)
{
    return KERNEL_COUNT;
}

const nnm_kernel *nnm_kernel_at(size_t index)
{
    return &kernels[index];
}

static nnm_status fail_unknown(const char *name, nnm_error *err)
{
    const char *names[KERNEL_COUNT];
    nnm_buffer list = {0};
    for (size_t i = 0; i < KERNEL_COUNT; i++) {
        names[i] = kernels[i].name;
        nnm_buffer_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    const char *closest = nnm_closest(name, names, KERNEL_COUNT);
    nnm_status status = nnm_buffer_check(&list, err);
    if (status == NNM_OK && closest)
        status = nnm_fail(err, NNM_ERR_NOT_FOUND, "there is no kernel type '%s'; did you mean '%s'?", name, closest);
    else if (status == NNM_OK)
        status = nnm_fail(err, NNM_ERR_NOT_FOUND, "there is no kernel type '%s'; known are %s", name, list.data);
    nnm_buffer_fini(&list);
    return status;
}

nnm_status nnm_kernel_find(const nnm_kernel **out, const char *name, nnm_error *err)
{
    for (size_t i = 0; i < KERNEL_COUNT; i++) {
        if (strcmp(kernels[i].name, name) == 0) {
            *out = &kernels[i];
            return NNM_OK;
        }
    }
    return fail_unknown(name, err);
}

/* ---- reading an entry ---- */

const char *nnm_kernel_name(const nnm_kernel *kernel)
{
    return kernel->name;
}

const char *nnm_kernel_family(const nnm_kernel *kernel)
{
    return kernel->family;
}

size_t nnm_kernel_param_count(const nnm_kernel *kernel)
{
    size_t count = 0;
    while (count < NNM_KERNEL_MAX_PARAMS && kernel->params[count])
        count++;
    return count;
}

const char *nnm_kernel_param_name(const nnm_kernel *kernel, size_t index)
{
    return kernel->params[index]->name;
}

void nnm_kernel_param_range(const nnm_kernel *kernel, size_t index, int64_t *minimum, int64_t *maximum)
{
    *minimum = kernel->params[index]->minimum;
    *maximum = kernel->params[index]->maximum;
}

int nnm_kernel_param_index(const nnm_kernel *kernel, const char *name)
{
    for (size_t i = 0; i < NNM_KERNEL_MAX_PARAMS && kernel->params[i]; i++)
        if (strcmp(kernel->params[i]->name, name) == 0) return (int)i;
    return -1;
}

int64_t nnm_kernel_value(const nnm_kernel *kernel, const nnm_kernel_config *config, const char *name)
{
    int index = nnm_kernel_param_index(kernel, name);
    return index < 0 ? 0 : config->value[index];
}

size_t nnm_kernel_default_samples(const nnm_kernel *kernel)
{
    return kernel->init_samples;
}

nnm_kernel_forest nnm_kernel_default_forest(const nnm_kernel *kernel)
{
    return kernel->forest;
}

size_t nnm_kernel_input_shapes(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                               nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    return kernel->inputs(kernel, config, layout, shapes);
}
