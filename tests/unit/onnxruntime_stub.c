/* A library with ONNX Runtime's entry point and nothing behind it, for tests of what is refused. It says that it is
 * version STUB_VERSION. */
#include <stddef.h>

#include "backends/onnxruntime_api.h"

static const nnm_ort_api *get_api(uint32_t version)
{
    (void)version;
    return NULL;
}

static const char *get_version(void)
{
    return STUB_VERSION;
}

__attribute__((visibility("default"))) const nnm_ort_api_base *OrtGetApiBase(void);
const nnm_ort_api_base *OrtGetApiBase(void)
{
    static const nnm_ort_api_base base = {get_api, get_version};
    return &base;
}
