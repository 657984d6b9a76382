/* Whether a model file is what its configuration says: a latency of another kernel is worse than none. */
#ifndef NNM_BUILDER_MODEL_CHECK_H
#define NNM_BUILDER_MODEL_CHECK_H

#include "builder/builder.h"

/* Reads the model of a record (the converted one, where it has one) and compares it with the configuration, where there
 * is one: inputs, outputs, and the windows of convolutions and pools in their order. Batch norms and activations are
 * not compared, for other writers fuse them. A record that nnm_builder_find_models could make no model for gets the
 * reason again. The graph is the caller's; `out` may be NULL. Errors: NOT_FOUND, those of reading and writing models,
 * VALUE with what was found and what the kernel has. */
NNM_NODISCARD nnm_status nnm_builder_check_model(const nnm_builder *builder, const nnm_kernel *kernel,
                                                 nnm_kernel_record *record, nnm_graph **out, nnm_error *err);

#endif
