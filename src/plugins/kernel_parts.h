/* What a loaded customised kernel consists of, for the files that load and try it. */
#ifndef NNM_PLUGINS_KERNEL_PARTS_H
#define NNM_PLUGINS_KERNEL_PARTS_H

#include "kernels/catalogue.h"
#include "plugins/host.h"
#include "plugins/questions.h"

struct nnm_custom_kernel {
    const nnm_kernel_meta *meta;
    nnm_kernel kernel;
    nnm_kernel_kind kind;
    nnm_kernel_param params[NNM_KERNEL_MAX_PARAMS];
    nnm_kernel_source source;
    nnm_kernel_answer kernel_parts; /* the names that `params` points to */
    nnm_parser_answer parser_parts; /* those of the features */
    nnm_package package;            /* what its process begins with */
    nnm_host host;
};

/* The configuration that its parser makes of features. */
NNM_NODISCARD nnm_status nnm_custom_kernel_config(nnm_custom_kernel *custom, const double x[NNM_KERNEL_MAX_FEATURES],
                                                  nnm_kernel_config *out, nnm_error *err);

#endif
