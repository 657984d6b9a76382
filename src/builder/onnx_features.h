/* The features of a predictor, computed inside an ONNX model from what a table has. */
#ifndef NNM_BUILDER_ONNX_FEATURES_H
#define NNM_BUILDER_ONNX_FEATURES_H

#include "builder/onnx_steps.h"
#include "nnmeter/builder.h"

/* Which features are inputs of the model: those that do not follow from others. Zero-initialise; end with
 * nnm_onnx_inputs_fini. */
typedef struct nnm_onnx_inputs {
    const nnm_predictor *predictor;
    const nnm_kernel *kernel; /* NULL: one that this version does not know; all features are inputs */
    size_t *feature;          /* of each input */
    size_t count;
} nnm_onnx_inputs;

NNM_NODISCARD nnm_status nnm_onnx_inputs_find(nnm_onnx_inputs *out, const nnm_predictor *predictor, nnm_error *err);
void nnm_onnx_inputs_fini(nnm_onnx_inputs *inputs);

/* All features, [N, features], from the inputs `x`, [N, inputs]. */
NNM_NODISCARD nnm_status nnm_onnx_features(nnm_value *out, nnm_onnx_steps *steps, const nnm_onnx_inputs *inputs,
                                           nnm_value x, nnm_error *err);

#endif
