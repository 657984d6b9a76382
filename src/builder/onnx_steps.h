/* Arithmetic on columns as ONNX operators: what export_onnx.c and onnx_features.c build a model from. */
#ifndef NNM_BUILDER_ONNX_STEPS_H
#define NNM_BUILDER_ONNX_STEPS_H

#include <stdbool.h>

#include "formats/onnx_build.h"

#define NNM_TENSOR_NAME_BYTES 32

/* Doubles: a matrix [N, columns], or a constant of any shape that goes with one. */
typedef struct nnm_value {
    char name[NNM_TENSOR_NAME_BYTES];
    bool constant;
} nnm_value;

typedef struct nnm_onnx_steps {
    nnm_onnx_model *model;
    unsigned names; /* tensors named so far */
} nnm_onnx_steps;

nnm_value nnm_value_new(nnm_onnx_steps *steps);
nnm_value nnm_value_constant(nnm_onnx_steps *steps, double value);
nnm_value nnm_value_constants(nnm_onnx_steps *steps, const double *values, size_t count); /* a row */
nnm_value nnm_value_cast(nnm_onnx_steps *steps, const char *from, const char *to, int type);

/* Element by element: "Ceil", "Log", ...; "Add", "Max", ... */
nnm_value nnm_value_1(nnm_onnx_steps *steps, const char *op, nnm_value a);
nnm_value nnm_value_2(nnm_onnx_steps *steps, const char *op, nnm_value a, nnm_value b);
nnm_value nnm_value_where(nnm_onnx_steps *steps, nnm_value condition, nnm_value yes, nnm_value no);

/* Columns of a matrix, in the order of their numbers. */
nnm_value nnm_value_columns(nnm_onnx_steps *steps, nnm_value from, const int64_t *numbers, size_t count);
/* Matrices side by side; none may be a constant. */
nnm_value nnm_value_concat(nnm_onnx_steps *steps, const nnm_value *parts, size_t count);

/* The sum over the columns of a matrix, [N, 1]; the largest; log(sum exp) without overflow. */
nnm_value nnm_value_sum(nnm_onnx_steps *steps, nnm_value a);
nnm_value nnm_value_largest(nnm_onnx_steps *steps, nnm_value a);
nnm_value nnm_value_log_sum(nnm_onnx_steps *steps, nnm_value a);

#endif
