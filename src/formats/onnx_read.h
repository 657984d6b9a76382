/* What the parts of the ONNX reader share: onnx_read.c reads the model, onnx_nodes.c its nodes, onnx_shuffle.c those
 * that make up a channel shuffle. */
#ifndef NNM_FORMATS_ONNX_READ_H
#define NNM_FORMATS_ONNX_READ_H

#include "nnmeter/graph.h"
#include "onnx.pb-c.h"

#define NNM_ONNX_MAX_SHUFFLES 64

/* A channel shuffle that has begun and not ended: what its first Reshape gave, then what its Transpose gave. */
typedef struct nnm_onnx_shuffle {
    const char *name; /* the model's */
    nnm_tensor_id x;
    int64_t groups;
    bool swapped; /* the Transpose was there */
} nnm_onnx_shuffle;

typedef struct nnm_onnx_reader {
    nnm_graph *graph; /* being built */
    int64_t opset;
    Onnx__TensorProto **constants; /* sorted by name; data pass to the graph when a node first uses them */
    bool *turned;                  /* of each: it went to the graph with rows and columns exchanged */
    size_t constant_count;
    nnm_onnx_shuffle shuffles[NNM_ONNX_MAX_SHUFFLES];
    size_t shuffle_count;
    size_t zeros_left; /* bytes that weights of zeros may still take, which are not in the file */
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

/* Takes a weight [K, N] of MatMul as the [N, K] of the graph, or finds it taken. Errors: UNSUPPORTED, VALUE, NO_MEMORY.
 */
NNM_NODISCARD nnm_status nnm_onnx_take_turned(nnm_onnx_reader *reader, const char *name, nnm_tensor_id *id);

/* Whether the initialiser called `name` went to the graph with rows and columns exchanged. */
bool nnm_onnx_is_turned(const nnm_onnx_reader *reader, const char *name);

/* The values of an initialiser that is a vector of at most `capacity` whole numbers. Errors: UNSUPPORTED, VALUE. */
NNM_NODISCARD nnm_status nnm_onnx_read_integers(const nnm_onnx_reader *reader, const char *name, int64_t *values,
                                                size_t capacity, size_t *count);

/* Finds the tensor of the graph that a node reads; an initialiser that is used for the first time becomes a constant.
 * Errors: UNSUPPORTED, VALUE, NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_onnx_resolve(nnm_onnx_reader *reader, const char *name, nnm_tensor_id *id);

/* ---- channel shuffles; all fail with UNSUPPORTED or VALUE ---- */

/* Whether the tensor called `name` lies inside a shuffle that has not ended. */
bool nnm_onnx_in_shuffle(const nnm_onnx_reader *reader, const char *name);
NNM_NODISCARD nnm_status nnm_onnx_read_reshape(nnm_onnx_reader *reader, const Onnx__NodeProto *node);
NNM_NODISCARD nnm_status nnm_onnx_read_transpose(nnm_onnx_reader *reader, const Onnx__NodeProto *node,
                                                 const int64_t *order, size_t count);
/* At the end: that every shuffle that began has ended. */
NNM_NODISCARD nnm_status nnm_onnx_check_shuffles(const nnm_onnx_reader *reader);

/* Adds one node and what it uses. Errors: UNSUPPORTED, VALUE, NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_onnx_read_node(nnm_onnx_reader *reader, const Onnx__NodeProto *node);

/* Calls into the graph fail with INVALID_ARGUMENT; coming from a file, that is VALUE. */
nnm_status nnm_onnx_as_value(nnm_status status, nnm_error *err);

#endif
