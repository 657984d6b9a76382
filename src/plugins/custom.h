/* A customised kernel: an entry of the catalogue whose answers come from a package. */
#ifndef NNM_PLUGINS_CUSTOM_H
#define NNM_PLUGINS_CUSTOM_H

#include "plugins/meta.h"

typedef struct nnm_plugin_limits {
    double seconds;      /* that one answer may take */
    unsigned memory_mib; /* 0: any */
} nnm_plugin_limits;
#define NNM_PLUGIN_LIMITS_INIT \
    {                          \
        60, 4096               \
    }

typedef struct nnm_custom_kernel nnm_custom_kernel;

/* Loads a package. `meta` and `limits` must outlive the kernel. Errors: NOT_FOUND (package folder, module, symbol),
 * VERSION, UNSUPPORTED (of another architecture), VALUE, CRASHED, TIMEOUT. Ended by nnm_custom_kernel_free. */
NNM_NODISCARD nnm_status nnm_custom_kernel_load(nnm_custom_kernel **out, const nnm_kernel_meta *meta,
                                                const nnm_plugin_limits *limits, nnm_error *err);
void nnm_custom_kernel_free(nnm_custom_kernel *custom); /* NULL is allowed */

const nnm_kernel *nnm_custom_kernel_entry(const nnm_custom_kernel *custom);

/* Tries all of it, in the way that building a predictor uses it. `folder`: where a model file may be written for a
 * moment. Errors: as loading, VALUE with what it does wrong, those of writing. */
NNM_NODISCARD nnm_status nnm_custom_kernel_try(nnm_custom_kernel *custom, const char *folder, nnm_error *err);

#endif
