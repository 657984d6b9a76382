/* Kernel types and configurations by their text. */
#ifndef NNM_TESTS_KERNEL_BY_NAME_H
#define NNM_TESTS_KERNEL_BY_NAME_H

#include "nnmeter/kernel.h"
#include "unit/testing.h"

static inline const nnm_kernel *find(const char *name)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    assert_ok(nnm_kernel_find(&kernel, name, &err));
    return kernel;
}

static inline nnm_kernel_config parse(const nnm_kernel *kernel, const char *text)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_config config = {{0}};
    assert_ok(nnm_kernel_config_parse(&config, kernel, text, &err));
    return config;
}

#endif
