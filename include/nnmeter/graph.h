/*
 * The tensor-graph intermediate representation: what a kernel computes, apart from any file format or runtime.
 *
 * A graph is built front to back. Tensors and nodes are named by small indices; a node's output shapes are inferred
 * when it is added, so that a graph that could be built is consistent. All data are 32-bit floats.
 *
 * Layout. A graph holds either NCHW (what PyTorch and ONNX use) or NHWC (what TensorFlow and TFLite use) activations.
 * Weights have one order, whatever the layout: convolution [COUT, CIN / groups, KH, KW], fully connected [COUT, CIN].
 *
 *     nnm_graph *graph = NULL;
 *     nnm_tensor_id x, w, b, y;
 *     nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err);
 *     nnm_graph_add_input(graph, "input", &(nnm_shape){4, {1, 3, 224, 224}}, &x, &err);
 *     nnm_graph_add_constant(graph, "weight", &(nnm_shape){4, {64, 3, 7, 7}}, weights, &w, &err);
 *     ...
 *     nnm_graph_add_node(graph, NNM_OP_CONV, &attributes, (nnm_tensor_id[]){x, w, b}, 3, &y, &err);
 *     nnm_graph_mark_output(graph, y, &err);
 *
 * Thread-safety: a graph that nobody changes may be read by any number of threads.
 */
#ifndef NNMETER_GRAPH_H
#define NNMETER_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "nnmeter/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NNM_MAX_RANK 6
#define NNM_NODE_MAX_INPUTS 6
#define NNM_NODE_MAX_OUTPUTS 2

typedef struct nnm_shape {
    size_t rank;               /* 0..NNM_MAX_RANK */
    int64_t dim[NNM_MAX_RANK]; /* each >= 1; entries from `rank` on are 0 */
} nnm_shape;

/* Number of elements, or -1 when the shape is not valid or the product does not fit in 62 bits. */
NNM_API int64_t nnm_shape_elements(const nnm_shape *shape);

typedef enum nnm_layout {
    NNM_LAYOUT_NCHW = 0,
    NNM_LAYOUT_NHWC = 1
} nnm_layout;

/* Operators. Input order stands behind each; optional inputs in brackets. Inputs called x, a or b are computed or graph
 * inputs; all others must be constants. Channels are the axis that the layout says. */
typedef enum nnm_op {
    NNM_OP_CONV = 0,            /* x, weight [, bias]; 2-D, grouped: groups == CIN is depthwise */
    NNM_OP_BATCH_NORM,          /* x, scale, bias, mean, variance, each [C]; inference form */
    NNM_OP_RELU,                /* x */
    NNM_OP_RELU6,               /* x: min(max(x, 0), 6) */
    NNM_OP_FLATTEN,             /* x: all but the first dimension become one */
    NNM_OP_FULLY_CONNECTED,     /* x [N, ..., CIN] (rank 2 or 3), weight [COUT, CIN] [, bias [COUT]] */
    NNM_OP_MAX_POOL,            /* x; padding never wins */
    NNM_OP_AVERAGE_POOL,        /* x; padding is not counted */
    NNM_OP_GLOBAL_AVERAGE_POOL, /* x: height and width become 1 */
    NNM_OP_ADD,                 /* a, b: of one shape */
    NNM_OP_MULTIPLY,            /* a, b: of one shape, or b with height and width 1, which scales channels */
    NNM_OP_CONCAT,              /* a, b [, ...]: up to NNM_NODE_MAX_INPUTS, along the channels */
    NNM_OP_SPLIT,               /* x: two outputs, each half of the channels */
    NNM_OP_CHANNEL_SHUFFLE,     /* x: channel i of group g becomes channel g of group i; attribute groups */
    NNM_OP_SIGMOID,             /* x */
    NNM_OP_HARD_SIGMOID,        /* x: min(max(x / 6 + 1 / 2, 0), 1) */
    NNM_OP_HARD_SWISH,          /* x: x * hard_sigmoid(x) */
    NNM_OP_COUNT
} nnm_op;

/* The operator's name in messages, e.g. "Conv". Never NULL. */
NNM_API const char *nnm_op_name(nnm_op op);

typedef enum nnm_padding {
    NNM_PADDING_EXPLICIT = 0, /* the four numbers below */
    NNM_PADDING_SAME = 1      /* TensorFlow's SAME: output = ceil(input / stride), the odd pixel at bottom and right */
} nnm_padding;

/* Attributes of a node. Members that its operator does not use must be zero. */
typedef struct nnm_attributes {
    int64_t kernel_h, kernel_w; /* convolution, pooling; pixels, >= 1 */
    int64_t stride_h, stride_w; /* pixels, >= 1 */
    nnm_padding padding;
    int64_t pad_top, pad_left, pad_bottom, pad_right; /* pixels, >= 0; NNM_PADDING_EXPLICIT only */
    int64_t groups; /* convolution: >= 1, divides CIN and COUT; channel shuffle: >= 2, divides the channels */
    double epsilon; /* batch norm, > 0 */
} nnm_attributes;

/* Output size of a convolution or pooling window along one axis, and the padding it takes at either end. Returns -1
 * when the window does not fit into the padded input or an argument is out of range.
 * Explicit: floor((input + pad_before + pad_after - kernel) / stride) + 1. SAME: ceil(input / stride). */
NNM_API int64_t nnm_window_output(int64_t input, int64_t kernel, int64_t stride, nnm_padding padding,
                                  int64_t *pad_before, int64_t *pad_after);

typedef struct nnm_graph nnm_graph;
typedef size_t nnm_tensor_id;

/* ---- build ---- */

/* Makes an empty graph, freed by nnm_graph_free. Errors: NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_graph_new(nnm_graph **out, nnm_layout layout, nnm_error *err);
NNM_API void nnm_graph_free(nnm_graph *graph); /* NULL is allowed */

/* Adds an input. Names are copied and must be unique among tensors. Errors: INVALID_ARGUMENT (name taken, shape). */
NNM_NODISCARD NNM_API nnm_status nnm_graph_add_input(nnm_graph *graph, const char *name, const nnm_shape *shape,
                                                     nnm_tensor_id *out, nnm_error *err);

/* Adds a constant. On success the graph owns `data`, which must come from malloc; on failure the caller keeps it. */
NNM_NODISCARD NNM_API nnm_status nnm_graph_add_constant(nnm_graph *graph, const char *name, const nnm_shape *shape,
                                                        float *data, nnm_tensor_id *out, nnm_error *err);

/* Adds a constant that is all zeros, for those who look at shapes only: it costs no time, whatever its size, and model
 * files say so in a few bytes where they can. Errors: as above, NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_graph_add_zeros(nnm_graph *graph, const char *name, const nnm_shape *shape,
                                                     nnm_tensor_id *out, nnm_error *err);

/* Adds a node and its output tensors, whose ids go to `out` (one, for SPLIT two). `name` names the node and its first
 * output (NULL: "<op>_<number>"); the second output is "<name>_2". `attributes` may be NULL for operators that use
 * none. Errors: INVALID_ARGUMENT with the reason when shapes or attributes do not fit the operator. */
NNM_NODISCARD NNM_API nnm_status nnm_graph_add_node(nnm_graph *graph, nnm_op op, const char *name,
                                                    const nnm_attributes *attributes, const nnm_tensor_id *inputs,
                                                    size_t input_count, nnm_tensor_id *out, nnm_error *err);

/* Outputs are tensors that a node computes, each marked once. Errors: INVALID_ARGUMENT. */
NNM_NODISCARD NNM_API nnm_status nnm_graph_mark_output(nnm_graph *graph, nnm_tensor_id tensor, nnm_error *err);

/* ---- read; indices are trusted, pointers stay valid until the graph is changed or freed ---- */

typedef struct nnm_tensor {
    const char *name;
    nnm_shape shape;
    const float *data; /* NULL unless constant; nnm_shape_elements(&shape) values */
    size_t producer;   /* index of the node that computes it; NNM_NO_NODE for inputs and constants */
    bool zeros;        /* added by nnm_graph_add_zeros */
} nnm_tensor;
#define NNM_NO_NODE ((size_t)-1)

typedef struct nnm_node {
    nnm_op op;
    const char *name;
    nnm_attributes attributes;
    nnm_tensor_id inputs[NNM_NODE_MAX_INPUTS];
    size_t input_count;
    nnm_tensor_id outputs[NNM_NODE_MAX_OUTPUTS];
    size_t output_count;
} nnm_node;

NNM_API nnm_layout nnm_graph_layout(const nnm_graph *graph);
NNM_API size_t nnm_graph_tensor_count(const nnm_graph *graph);
NNM_API const nnm_tensor *nnm_graph_tensor(const nnm_graph *graph, nnm_tensor_id id);
NNM_API size_t nnm_graph_node_count(const nnm_graph *graph);
NNM_API const nnm_node *nnm_graph_node(const nnm_graph *graph, size_t index); /* in order of computation */
NNM_API size_t nnm_graph_input_count(const nnm_graph *graph);
NNM_API nnm_tensor_id nnm_graph_input(const nnm_graph *graph, size_t index);
NNM_API size_t nnm_graph_output_count(const nnm_graph *graph);
NNM_API nnm_tensor_id nnm_graph_output(const nnm_graph *graph, size_t index);

/* ---- cost ---- */

/* What a graph costs, whatever computes it.
 * macs: multiply-adds of convolutions and fully connected layers. flops: 2 * macs, plus one for each further
 * arithmetic operation (bias, batch norm: 2 an element, activation: 1 an element). params: constants.
 * activation_bytes: inputs and outputs of every node, read once and written once; weight_bytes: 4 * params. */
typedef struct nnm_cost {
    double macs;
    double flops;
    double params;
    double activation_bytes;
    double weight_bytes;
} nnm_cost;

NNM_API void nnm_graph_cost(const nnm_graph *graph, nnm_cost *out);

#ifdef __cplusplus
}
#endif

#endif
