#include "sampling/family.h"

#include <string.h>

/* Height and width of what is computed element by element. */
#define IMAGE_HW                                                                                                       \
    {                                                                                                                  \
        .param = "HW", .column = "HW", .valid = {1, 3, 7, 14, 28, 56, 112, 224}, .frequent_percent = 20, .frequent = { \
            {112, 40},                                                                                                 \
            {56, 40},                                                                                                  \
            {28, 20}                                                                                                   \
        }                                                                                                              \
    }

/* The shares and the valid values are those of the published system, which has no matmul: its ranges are those of the
 * layers of transformers and perceptrons of up to a few hundred million parameters. */
static const nnm_family families[] = {
    {.name = "conv",
     .table = "conv",
     .dimensions = {{.param = "HW",
                     .column = "HW",
                     .valid = {1, 3, 7, 8, 13, 14, 27, 28, 32, 56, 112, 224},
                     .frequent_percent = 30,
                     .frequent = {{112, 20}, {56, 40}, {28, 40}}},
                    {.param = "CIN", .column = "CIN", .is_channels = true},
                    {.param = "COUT", .column = "COUT", .is_channels = true},
                    {.param = "KERNEL_SIZE",
                     .column = "KERNEL_SIZE",
                     .valid = {1, 3, 5, 7},
                     .frequent_percent = 30,
                     .frequent = {{5, 40}, {7, 60}}},
                    {.param = "STRIDES",
                     .column = "STRIDES",
                     .valid = {1, 2, 4},
                     .frequent_percent = 30,
                     .frequent = {{2, 40}, {1, 60}}}}},
    {.name = "dwconv",
     .table = "dwconv",
     .dimensions = {{.param = "HW",
                     .column = "HW",
                     .valid = {1, 3, 7, 14, 28, 56, 112, 224},
                     .frequent_percent = 20,
                     .frequent = {{112, 40}, {56, 40}, {28, 20}}},
                    {.param = "CIN", .column = "CIN", .is_channels = true},
                    {.param = "COUT", .same_as = "CIN"},
                    {.param = "KERNEL_SIZE",
                     .column = "KERNEL_SIZE",
                     .valid = {1, 3, 5, 7},
                     .frequent_percent = 20,
                     .frequent = {{5, 40}, {7, 60}}},
                    {.param = "STRIDES",
                     .column = "STRIDES",
                     .valid = {1, 2},
                     .frequent_percent = 20,
                     .frequent = {{2, 50}, {1, 50}}}}},
    {.name = "pooling",
     .table = "pooling",
     .dimensions = {{.param = "HW", .column = "HW", .valid = {14, 28, 56, 112, 224}},
                    {.param = "CIN", .column = "CIN", .is_channels = true},
                    {.param = "COUT", .same_as = "CIN"},
                    {.param = "KERNEL_SIZE", .column = "KERNEL_SIZE", .valid = {2, 3}},
                    {.param = "POOL_STRIDES", .column = "POOL_STRIDES", .valid = {1, 2}}}},
    {.name = "fc",
     .table = "fc",
     .dimensions =
         {{.param = "CIN", .column = "CIN", .is_channels = true},
          {.param = "COUT", .column = "COUT", .is_channels = true, .frequent_percent = 50, .frequent = {{1000, 100}}}}},
    {.name = "concat",
     .table = "conv",
     .dimensions = {{.param = "HW", .column = "HW", .valid = {7, 14, 28, 56}},
                    {.param = "CIN1", .column = "CIN", .is_channels = true, .input = 1},
                    {.param = "CIN2", .column = "CIN", .is_channels = true, .input = 2},
                    {.param = "CIN3", .column = "CIN", .is_channels = true, .input = 3},
                    {.param = "CIN4", .column = "CIN", .is_channels = true, .input = 4}},
     .inputs = {{2, 40}, {3, 20}, {4, 40}}},
    {.name = "even",
     .table = "conv",
     .dimensions = {IMAGE_HW, {.param = "CIN", .column = "CIN", .is_channels = true, .multiple_of = 2}}},
    {.name = "global-avgpool",
     .table = "conv",
     .dimensions = {{.param = "HW", .frequent_percent = 100, .frequent = {{3, 50}, {7, 50}}},
                    {.param = "CIN", .column = "CIN", .is_channels = true}}},
    {.name = "elementwise",
     .table = "conv",
     .dimensions = {IMAGE_HW, {.param = "CIN", .column = "CIN", .is_channels = true}}},
    {.name = "matmul",
     .dimensions = {{.param = "B", .low = 1, .high = 16},
                    {.param = "M", .low = 1, .high = 512, .is_channels = true},
                    {.param = "N", .low = 32, .high = 4096, .is_channels = true, .multiple_of = 8},
                    {.param = "K", .low = 32, .high = 4096, .is_channels = true, .multiple_of = 8}}},
    {.name = "customized"}, /* they bring a sampler of their own */
};

const nnm_family *nnm_family_find(const char *name)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(families[i].name, name) == 0) return &families[i];
    return NULL;
}

size_t nnm_family_dimension_count(const nnm_family *family)
{
    size_t count = 0;
    while (count < NNM_KERNEL_MAX_PARAMS && family->dimensions[count].param)
        count++;
    return count;
}

int nnm_family_dimension(const nnm_family *family, const char *param)
{
    for (size_t i = 0; i < nnm_family_dimension_count(family); i++)
        if (strcmp(family->dimensions[i].param, param) == 0) return (int)i;
    return -1;
}
