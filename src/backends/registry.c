#include <stdio.h>
#include <string.h>

#include "backends/backends.h"
#include "base/closest.h"
#include "base/error.h"

static const nnm_backend *const backends[] = {
    &nnm_backend_xnnpack_cpu,
    &nnm_backend_onnxruntime_cpu,
    &nnm_backend_onednn_cpu,
    &nnm_backend_simulated,
};
#define BACKEND_COUNT (sizeof backends / sizeof *backends)

size_t nnm_backend_count(void)
{
    return BACKEND_COUNT;
}

const nnm_backend *nnm_backend_at(size_t index)
{
    return index < BACKEND_COUNT ? backends[index] : NULL;
}

nnm_status nnm_backend_find(const nnm_backend **out, const char *name, nnm_error *err)
{
    const char *names[BACKEND_COUNT];
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        names[i] = backends[i]->name;
        if (strcmp(name, names[i]) != 0) continue;
        *out = backends[i];
        return NNM_OK;
    }
    const char *closest = nnm_closest(name, names, BACKEND_COUNT);
    if (closest)
        return nnm_fail(err, NNM_ERR_NOT_FOUND, "there is no backend '%.100s'; did you mean '%s'?", name, closest);
    char known[256] = "";
    for (size_t i = 0, used = 0; i < BACKEND_COUNT && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    return nnm_fail(err, NNM_ERR_NOT_FOUND, "there is no backend '%.100s'; known are: %s", name, known);
}
