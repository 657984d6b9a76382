/* What the tests of kernel data share: files of their own in a folder, and configurations of conv-bn-relu. */
#ifndef NNM_TESTS_KERNEL_DATA_RIG_H
#define NNM_TESTS_KERNEL_DATA_RIG_H

#include "unit/testing.h"

#include "base/buffer.h"
#include "base/file.h"
#include "nnmeter/kernel_data.h"

#define CONFIGS NNM_TEST_DATA "/json/configs_good.json"
#define LATENCIES NNM_TEST_DATA "/json/latencies_good.json"

static char folder[256], path[512];
static nnm_error err;
static const nnm_kernel *conv, *dwconv, *fc;

static inline int setup(void **state)
{
    (void)state;
    make_folder(folder);
    in_folder(path, folder, "data.json");
    err = (nnm_error)NNM_ERROR_INIT;
    assert_ok(nnm_kernel_find(&conv, "conv-bn-relu", &err));
    assert_ok(nnm_kernel_find(&dwconv, "dwconv-bn-relu", &err));
    assert_ok(nnm_kernel_find(&fc, "fc", &err));
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static inline nnm_kernel_data *load(const nnm_kernel *kernel, const char *file)
{
    nnm_kernel_data *data = NULL;
    assert_ok(nnm_kernel_data_load(&data, kernel, file, &err));
    return data;
}

static inline nnm_kernel_data *load_text(const nnm_kernel *kernel, const char *text)
{
    assert_ok(nnm_file_write(path, text, strlen(text), &err));
    return load(kernel, path);
}

static inline void load_fails(const nnm_kernel *kernel, const char *text, nnm_status code, const char *message)
{
    nnm_kernel_data *data = NULL;
    assert_ok(nnm_file_write(path, text, strlen(text), &err));
    assert_fails(nnm_kernel_data_load(&data, kernel, path, &err), code, message);
    assert_non_null(strstr(err.message, "data.json"));
    assert_null(data);
}

/* A configuration of conv-bn-relu in the order of its parameters. */
static inline nnm_kernel_config conv_config(int64_t hw, int64_t cin, int64_t cout)
{
    nnm_kernel_config config = {{0}};
    config.value[nnm_kernel_param_index(conv, "HW")] = hw;
    config.value[nnm_kernel_param_index(conv, "CIN")] = cin;
    config.value[nnm_kernel_param_index(conv, "COUT")] = cout;
    config.value[nnm_kernel_param_index(conv, "KERNEL_SIZE")] = 1;
    config.value[nnm_kernel_param_index(conv, "STRIDES")] = 1;
    return config;
}

#endif
