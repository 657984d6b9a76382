/*
 * What a TensorFlow Lite file is going to hold: tflite_plan.c makes it from a graph, tflite_write.c turns it into
 * bytes. Weights stay in the graph; the plan says in which order to write them and what to multiply them by.
 */
#ifndef NNM_FORMATS_TFLITE_PLAN_H
#define NNM_FORMATS_TFLITE_PLAN_H

#include "formats/flatbuffer.h"
#include "nnmeter/graph.h"

#define NNM_TFL_MAX_FIELDS 7

/* The contents of one buffer: four nested loops over `values`, or over owned 32-bit numbers as they are. */
typedef struct nnm_tfl_data {
    const float *values;
    size_t dim[4], stride[4]; /* outermost first; strides count elements */
    const double *factors;    /* one for each index along factor_axis; NULL: all 1 */
    size_t factor_axis;
    void *owned; /* bytes to write instead of `values`; freed with the plan */
    size_t size_bytes;
} nnm_tfl_data;

typedef struct nnm_tfl_tensor {
    const char *name;
    nnm_shape shape;
    int type;
    size_t buffer; /* 0: none; otherwise an index into data, plus 1 */
} nnm_tfl_tensor;

typedef struct nnm_tfl_operator {
    size_t code; /* index into codes */
    int32_t inputs[NNM_NODE_MAX_INPUTS], outputs[NNM_NODE_MAX_OUTPUTS];
    size_t input_count, output_count;
    int options_type;
    nnm_fb_field options[NNM_TFL_MAX_FIELDS];
    size_t option_count;
    nnm_shape new_shape; /* of a RESHAPE, which says it in an input and in an option; rank 0: none */
} nnm_tfl_operator;

typedef struct nnm_tfl_code {
    int builtin, version;
} nnm_tfl_code;

typedef struct nnm_tfl_plan {
    const nnm_graph *graph;
    nnm_tfl_code *codes;
    size_t code_count, code_capacity;
    nnm_tfl_tensor *tensors;
    size_t tensor_count, tensor_capacity;
    nnm_tfl_operator *operators;
    size_t operator_count, operator_capacity;
    nnm_tfl_data *data;
    size_t data_count, data_capacity;
    void **owned; /* names and factors */
    size_t owned_count, owned_capacity;
    int32_t *tensor_of; /* for each tensor of the graph its index here, or -1 */
    size_t *user; /* for each tensor of the graph the only node that reads it; NNM_NO_NODE: none, several, output */
    bool *named;  /* for each weight of the graph: a tensor here has its name */
    bool *done;   /* for each node: it is part of an operator already */
    bool failed;  /* memory ran out: checked once at the end */
} nnm_tfl_plan;

/* Errors: UNSUPPORTED with the node's name, NO_MEMORY. The plan must be freed in either case. */
NNM_NODISCARD nnm_status nnm_tfl_plan_make(nnm_tfl_plan *plan, const nnm_graph *graph, nnm_error *err);
void nnm_tfl_plan_fini(nnm_tfl_plan *plan);

#endif
