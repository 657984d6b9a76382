/* What the two halves of the ONNX reader share: onnx_read.c reads the model, onnx_nodes.c its nodes. */
#ifndef NNM_FORMATS_ONNX_READ_H
#define NNM_FORMATS_ONNX_READ_H

#include "nnmeter/graph.h"
#include "onnx.pb-c.h"

typedef struct nnm_onnx_reader {
    nnm_graph *graph; /* being built */
    int64_t opset;
    Onnx__TensorProto **constants; /* sorted by name; data pass to the graph when a node first uses them */
    size_t constant_count;
    nnm_error *err;
} nnm_onnx_reader;

/* The initialiser called `name`, or NULL. */
Onnx__TensorProto *nnm_onnx_constant(const nnm_onnx_reader *reader, const char *name);

/* Checks type, place and size of an initialiser. Errors: UNSUPPORTED, VALUE. */
NNM_NODISCARD nnm_status nnm_onnx_check_constant(const Onnx__TensorProto *tensor, nnm_shape *shape, nnm_error *err);

/* The data of an initialiser that nnm_onnx_check_constant found right. */
const void *nnm_onnx_constant_data(const Onnx__TensorProto *tensor);

/* Adds an initialiser to the graph, which takes its data without a copy. */
NNM_NODISCARD nnm_status nnm_onnx_take_constant(nnm_onnx_reader *reader, Onnx__TensorProto *tensor, nnm_tensor_id *id);

/* Adds one node and what it uses. Errors: UNSUPPORTED, VALUE, NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_onnx_read_node(nnm_onnx_reader *reader, const Onnx__NodeProto *node);

/* Calls into the graph fail with INVALID_ARGUMENT; coming from a file, that is VALUE. */
nnm_status nnm_onnx_as_value(nnm_status status, nnm_error *err);

#endif
