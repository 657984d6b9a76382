/* Computes a graph in double precision, one loop a dimension: slow, and plain enough to be checked by reading. NCHW. */
#ifndef NNM_TESTS_REFERENCE_INTERPRETER_H
#define NNM_TESTS_REFERENCE_INTERPRETER_H

#include <math.h>

#include "nnmeter/graph.h"
#include "unit/testing.h"

static inline size_t interpreter_count(const nnm_graph *graph, nnm_tensor_id id)
{
    return (size_t)nnm_shape_elements(&nnm_graph_tensor(graph, id)->shape);
}

static inline void interpret_conv(const nnm_graph *graph, const nnm_node *node, double **value)
{
    const nnm_attributes *a = &node->attributes;
    const int64_t *x_dim = nnm_graph_tensor(graph, node->inputs[0])->shape.dim;
    const int64_t *w_dim = nnm_graph_tensor(graph, node->inputs[1])->shape.dim;
    const int64_t *y_dim = nnm_graph_tensor(graph, node->outputs[0])->shape.dim;
    const double *x = value[node->inputs[0]], *w = value[node->inputs[1]];
    const double *bias = node->input_count > 2 ? value[node->inputs[2]] : NULL;
    double *y = value[node->outputs[0]];
    int64_t top = a->pad_top, left = a->pad_left, bottom = a->pad_bottom, right = a->pad_right;
    nnm_window_output(x_dim[2], a->kernel_h, a->stride_h, a->padding, &top, &bottom);
    nnm_window_output(x_dim[3], a->kernel_w, a->stride_w, a->padding, &left, &right);
    int64_t group_inputs = w_dim[1], group_outputs = y_dim[1] / a->groups;
    for (int64_t n = 0; n < y_dim[0]; n++)
        for (int64_t o = 0; o < y_dim[1]; o++)
            for (int64_t row = 0; row < y_dim[2]; row++)
                for (int64_t column = 0; column < y_dim[3]; column++) {
                    double sum = bias ? bias[o] : 0.0;
                    for (int64_t i = 0; i < group_inputs; i++)
                        for (int64_t kh = 0; kh < a->kernel_h; kh++)
                            for (int64_t kw = 0; kw < a->kernel_w; kw++) {
                                int64_t channel = o / group_outputs * group_inputs + i;
                                int64_t h = row * a->stride_h + kh - top;
                                int64_t v = column * a->stride_w + kw - left;
                                if (h < 0 || h >= x_dim[2] || v < 0 || v >= x_dim[3]) continue;
                                sum += x[((n * x_dim[1] + channel) * x_dim[2] + h) * x_dim[3] + v] *
                                       w[((o * group_inputs + i) * a->kernel_h + kh) * a->kernel_w + kw];
                            }
                    y[((n * y_dim[1] + o) * y_dim[2] + row) * y_dim[3] + column] = sum;
                }
}

static inline void interpret_batch_norm(const nnm_graph *graph, const nnm_node *node, double **value)
{
    const nnm_shape *shape = &nnm_graph_tensor(graph, node->outputs[0])->shape;
    const double *x = value[node->inputs[0]], *scale = value[node->inputs[1]], *bias = value[node->inputs[2]];
    const double *mean = value[node->inputs[3]], *variance = value[node->inputs[4]];
    size_t count = interpreter_count(graph, node->outputs[0]), channels = (size_t)shape->dim[1];
    size_t pixels = count / (size_t)shape->dim[0] / channels;
    for (size_t i = 0; i < count; i++) {
        size_t c = i / pixels % channels;
        value[node->outputs[0]][i] =
            (x[i] - mean[c]) / sqrt(variance[c] + node->attributes.epsilon) * scale[c] + bias[c];
    }
}

static inline void interpret_fully_connected(const nnm_graph *graph, const nnm_node *node, double **value)
{
    const int64_t *w_dim = nnm_graph_tensor(graph, node->inputs[1])->shape.dim;
    int64_t batch = nnm_graph_tensor(graph, node->outputs[0])->shape.dim[0];
    const double *x = value[node->inputs[0]], *w = value[node->inputs[1]];
    const double *bias = node->input_count > 2 ? value[node->inputs[2]] : NULL;
    for (int64_t n = 0; n < batch; n++)
        for (int64_t o = 0; o < w_dim[0]; o++) {
            double sum = bias ? bias[o] : 0.0;
            for (int64_t i = 0; i < w_dim[1]; i++)
                sum += x[n * w_dim[1] + i] * w[o * w_dim[1] + i];
            value[node->outputs[0]][n * w_dim[0] + o] = sum;
        }
}

static inline void interpret_node(const nnm_graph *graph, const nnm_node *node, double **value)
{
    size_t count = interpreter_count(graph, node->outputs[0]);
    const double *x = value[node->inputs[0]];
    double *y = value[node->outputs[0]];
    switch (node->op) {
    case NNM_OP_CONV: interpret_conv(graph, node, value); return;
    case NNM_OP_BATCH_NORM: interpret_batch_norm(graph, node, value); return;
    case NNM_OP_FULLY_CONNECTED: interpret_fully_connected(graph, node, value); return;
    case NNM_OP_RELU:
        for (size_t i = 0; i < count; i++)
            y[i] = fmax(x[i], 0.0);
        return;
    case NNM_OP_RELU6:
        for (size_t i = 0; i < count; i++)
            y[i] = fmin(fmax(x[i], 0.0), 6.0);
        return;
    case NNM_OP_FLATTEN: memcpy(y, x, count * sizeof *y); return;
    default: break;
    }
    fail_msg("the interpreter does not know operator %d", (int)node->op);
}

/* What output `index` of `graph` is for these inputs. The caller frees it. */
static inline double *interpret(const nnm_graph *graph, const float *const *inputs, size_t index)
{
    size_t tensors = nnm_graph_tensor_count(graph);
    double **value = calloc(tensors, sizeof *value);
    assert_non_null(value);
    for (nnm_tensor_id id = 0; id < tensors; id++) {
        size_t count = interpreter_count(graph, id);
        const float *known = nnm_graph_tensor(graph, id)->data;
        for (size_t i = 0; i < nnm_graph_input_count(graph); i++)
            if (nnm_graph_input(graph, i) == id) known = inputs[i];
        value[id] = calloc(count, sizeof *value[id]);
        assert_non_null(value[id]);
        for (size_t i = 0; known && i < count; i++)
            value[id][i] = (double)known[i];
    }
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++)
        interpret_node(graph, nnm_graph_node(graph, i), value);
    nnm_tensor_id output = nnm_graph_output(graph, index);
    double *result = value[output];
    for (nnm_tensor_id id = 0; id < tensors; id++)
        if (id != output) free(value[id]);
    free(value);
    return result;
}

#endif
