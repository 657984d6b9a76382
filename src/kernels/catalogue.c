#include "kernels/catalogue.h"

#include <string.h>

#include "base/buffer.h"
#include "base/closest.h"
#include "base/error.h"
#include "kernels/shapes.h"
#include "kernels/steps.h"

/* ---- parameters ---- */

static const nnm_kernel_param HW = {"HW", 1, 4096, 0};
static const nnm_kernel_param CIN = {"CIN", 1, 65536, 0};
static const nnm_kernel_param EVEN_CIN = {"CIN", 2, 65536, 2};
static const nnm_kernel_param CIN1 = {"CIN1", 1, 65536, 0};
static const nnm_kernel_param CIN2 = {"CIN2", 1, 65536, 0};
static const nnm_kernel_param CIN3 = {"CIN3", 0, 65536, 0};
static const nnm_kernel_param CIN4 = {"CIN4", 0, 65536, 0};
static const nnm_kernel_param COUT = {"COUT", 1, 65536, 0};
static const nnm_kernel_param FC_CIN = {"CIN", 1, 1048576, 0};
static const nnm_kernel_param FC_COUT = {"COUT", 1, 1048576, 0};
static const nnm_kernel_param KERNEL_SIZE = {"KERNEL_SIZE", 1, 31, 0};
static const nnm_kernel_param STRIDES = {"STRIDES", 1, 16, 0};
static const nnm_kernel_param POOL_STRIDES = {"POOL_STRIDES", 1, 16, 0};
static const nnm_kernel_param B = {"B", 1, 65536, 0};
static const nnm_kernel_param M = {"M", 1, 1048576, 0};
static const nnm_kernel_param N = {"N", 1, 1048576, 0};
static const nnm_kernel_param K = {"K", 1, 1048576, 0};

/* ---- kinds ---- */

static const nnm_kernel_kind conv = {.family = "conv",
                                     .predictor = "conv-bn-relu",
                                     .params = {&HW, &CIN, &COUT, &KERNEL_SIZE, &STRIDES},
                                     .layer = NNM_LAYER_CONV,
                                     .inputs = nnm_inputs_image,
                                     .size = nnm_size_conv};
static const nnm_kernel_kind dwconv = {.family = "dwconv",
                                       .predictor = "dwconv-bn-relu",
                                       .params = {&HW, &CIN, &COUT, &KERNEL_SIZE, &STRIDES},
                                       .layer = NNM_LAYER_DWCONV,
                                       .cout_is_cin = true,
                                       .inputs = nnm_inputs_image,
                                       .size = nnm_size_dwconv};
static const nnm_kernel_kind pooling = {.family = "pooling",
                                        .params = {&HW, &CIN, &COUT, &KERNEL_SIZE, &POOL_STRIDES},
                                        .cout_is_cin = true,
                                        .inputs = nnm_inputs_image,
                                        .size = nnm_size_pool};
static const nnm_kernel_kind fc = {.family = "fc",
                                   .params = {&FC_CIN, &FC_COUT},
                                   .layer = NNM_LAYER_FC,
                                   .inputs = nnm_inputs_flat,
                                   .size = nnm_size_fc};
static const nnm_kernel_kind concat = {.family = "concat",
                                       .params = {&HW, &CIN1, &CIN2, &CIN3, &CIN4},
                                       .inputs = nnm_inputs_images,
                                       .size = nnm_size_image};
static const nnm_kernel_kind halves = {
    .family = "even", .params = {&HW, &EVEN_CIN}, .inputs = nnm_inputs_image, .size = nnm_size_image};
static const nnm_kernel_kind squeeze = {
    .family = "even", .params = {&HW, &CIN}, .inputs = nnm_inputs_image, .size = nnm_size_se};
static const nnm_kernel_kind global_pooling = {
    .family = "global-avgpool", .params = {&HW, &CIN}, .inputs = nnm_inputs_image, .size = nnm_size_image};
static const nnm_kernel_kind elementwise = {
    .family = "elementwise", .params = {&HW, &CIN}, .inputs = nnm_inputs_image, .size = nnm_size_image};
static const nnm_kernel_kind sum = {
    .family = "elementwise", .params = {&HW, &CIN}, .inputs = nnm_inputs_two_images, .size = nnm_size_image};
static const nnm_kernel_kind matmul = {.family = "matmul",
                                       .params = {&B, &M, &N, &K},
                                       .layer = NNM_LAYER_MATMUL,
                                       .has_batch = true,
                                       .inputs = nnm_inputs_matrices,
                                       .size = nnm_size_matmul};

/* ---- the catalogue ---- */

/* Name, kind, steps, samples, and the forest's trees, depth and features a split (0: all). */
static const nnm_kernel kernels[] = {
    {"conv-bn-relu", &conv, {nnm_step_conv, nnm_step_bn, nnm_step_relu}, 1000, {320, 70, 6}},
    {"conv-bn-relu6", &conv, {nnm_step_conv, nnm_step_bn, nnm_step_relu6}, 0, {320, 70, 6}},
    {"conv-bn", &conv, {nnm_step_conv, nnm_step_bn}, 0, {320, 70, 6}},
    {"conv-relu", &conv, {nnm_step_conv, nnm_step_relu}, 0, {320, 70, 6}},
    {"conv-relu6", &conv, {nnm_step_conv, nnm_step_relu6}, 0, {320, 70, 6}},
    {"conv-hswish", &conv, {nnm_step_conv, nnm_step_hswish}, 0, {320, 70, 6}},
    {"conv-block", &conv, {nnm_step_conv}, 0, {320, 70, 6}},
    {"conv-bn-hswish", &conv, {nnm_step_conv, nnm_step_bn, nnm_step_hswish}, 0, {320, 70, 6}},
    {"conv-swish", &conv, {nnm_step_conv, nnm_step_bn, nnm_step_swish}, 0, {320, 70, 6}},
    {"dwconv-bn", &dwconv, {nnm_step_dwconv, nnm_step_bn}, 0, {240, 50, 6}},
    {"dwconv-relu", &dwconv, {nnm_step_dwconv, nnm_step_relu}, 0, {240, 50, 6}},
    {"dwconv-relu6", &dwconv, {nnm_step_dwconv, nnm_step_relu6}, 0, {240, 50, 6}},
    {"dwconv-bn-relu", &dwconv, {nnm_step_dwconv, nnm_step_bn, nnm_step_relu}, 500, {240, 50, 6}},
    {"dwconv-bn-relu6", &dwconv, {nnm_step_dwconv, nnm_step_bn, nnm_step_relu6}, 0, {240, 50, 6}},
    {"dwconv-block", &dwconv, {nnm_step_dwconv}, 0, {240, 50, 6}},
    {"dwconv-bn-hswish", &dwconv, {nnm_step_dwconv, nnm_step_bn, nnm_step_hswish}, 0, {240, 50, 6}},
    {"dwconv-swish", &dwconv, {nnm_step_dwconv, nnm_step_bn, nnm_step_swish}, 0, {240, 50, 6}},
    {"maxpool", &pooling, {nnm_step_maxpool}, 300, {210, 50, 5}},
    {"avgpool", &pooling, {nnm_step_avgpool}, 300, {370, 50, 5}},
    {"fc", &fc, {nnm_step_fc}, 300, {370, 50, 2}},
    {"concat", &concat, {nnm_step_concat}, 300, {690, 100, 5}},
    {"split", &halves, {nnm_step_split}, 300, {190, 50, 2}},
    {"channelshuffle", &halves, {nnm_step_channelshuffle}, 300, {370, 50, 2}},
    {"se", &squeeze, {nnm_step_se}, 300, {290, 20, 2}},
    {"global-avgpool", &global_pooling, {nnm_step_global_avgpool}, 300, {370, 70, 2}},
    {"bnrelu", &elementwise, {nnm_step_bn, nnm_step_relu}, 300, {370, 50, 2}},
    {"bn", &elementwise, {nnm_step_bn}, 300, {370, 50, 2}},
    {"hswish", &elementwise, {nnm_step_hswish}, 300, {190, 50, 2}},
    {"swish", &elementwise, {nnm_step_swish}, 0, {370, 50, 0}},
    {"relu", &elementwise, {nnm_step_relu}, 300, {370, 50, 2}},
    {"addrelu", &sum, {nnm_step_add, nnm_step_relu}, 300, {570, 50, 3}},
    {"add", &sum, {nnm_step_add}, 300, {570, 50, 3}},
    {"matmul", &matmul, {nnm_step_matmul}, 0, {370, 50, 0}},
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

bool nnm_kernel_is_customized(const nnm_kernel *kernel)
{
    return kernel->kind->source != NULL;
}

const char *nnm_kernel_family(const nnm_kernel *kernel)
{
    return kernel->kind->family;
}

const char *nnm_kernel_predictor(const nnm_kernel *kernel)
{
    return kernel->kind->predictor ? kernel->kind->predictor : kernel->name;
}

size_t nnm_kernel_param_count(const nnm_kernel *kernel)
{
    size_t count = 0;
    while (count < NNM_KERNEL_MAX_PARAMS && kernel->kind->params[count])
        count++;
    return count;
}

const char *nnm_kernel_param_name(const nnm_kernel *kernel, size_t index)
{
    return kernel->kind->params[index]->name;
}

void nnm_kernel_param_range(const nnm_kernel *kernel, size_t index, int64_t *minimum, int64_t *maximum)
{
    *minimum = kernel->kind->params[index]->minimum;
    *maximum = kernel->kind->params[index]->maximum;
}

int nnm_kernel_param_index(const nnm_kernel *kernel, const char *name)
{
    for (size_t i = 0; i < NNM_KERNEL_MAX_PARAMS && kernel->kind->params[i]; i++)
        if (strcmp(kernel->kind->params[i]->name, name) == 0) return (int)i;
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

nnm_status nnm_kernel_check_layout(const nnm_kernel *kernel, nnm_layout layout, nnm_error *err)
{
    if (!kernel->kind->source || kernel->kind->source->layout == layout) return NNM_OK;
    static const char *const implement[] = {"torch", "tensorflow"}; /* in the order of nnm_layout */
    return nnm_fail(err, NNM_ERR_UNSUPPORTED,
                    "customised kernel '%s' is implemented for '%s' and cannot be built for '%s' (IMPLEMENT of the "
                    "workspace)",
                    kernel->name, implement[kernel->kind->source->layout], implement[layout]);
}

nnm_status nnm_kernel_input_shapes(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                                   nnm_shape shapes[NNM_KERNEL_MAX_INPUTS], size_t *count, nnm_error *err)
{
    if (kernel->kind->source) {
        nnm_status status = nnm_kernel_check_layout(kernel, layout, err);
        return status ? status
                      : kernel->kind->source->inputs(kernel->kind->source->context, config, shapes, count, err);
    }
    *count = kernel->kind->inputs(kernel, config, layout, shapes);
    return NNM_OK;
}
