/* Whether two graphs are the same, down to names and weights. */
#ifndef NNM_TESTS_SAME_GRAPH_H
#define NNM_TESTS_SAME_GRAPH_H

#include "graph/shape.h"
#include "nnmeter/graph.h"
#include "unit/testing.h"

static inline void assert_equal_shapes_and_names(const nnm_tensor *a, const nnm_tensor *b)
{
    assert_string_equal(a->name, b->name);
    assert_true(nnm_shape_equal(&a->shape, &b->shape));
}

static inline void assert_equal_tensors(const nnm_tensor *a, const nnm_tensor *b)
{
    assert_equal_shapes_and_names(a, b);
    assert_int_equal(a->producer, b->producer);
    assert_int_equal(a->data == NULL, b->data == NULL);
    if (a->data) assert_memory_equal(a->data, b->data, (size_t)nnm_shape_elements(&a->shape) * sizeof(float));
}

static inline void assert_equal_attributes(const nnm_attributes *a, const nnm_attributes *b)
{
    assert_int_equal(a->kernel_h, b->kernel_h);
    assert_int_equal(a->kernel_w, b->kernel_w);
    assert_int_equal(a->stride_h, b->stride_h);
    assert_int_equal(a->stride_w, b->stride_w);
    assert_int_equal(a->padding, b->padding);
    assert_int_equal(a->pad_top, b->pad_top);
    assert_int_equal(a->pad_left, b->pad_left);
    assert_int_equal(a->pad_bottom, b->pad_bottom);
    assert_int_equal(a->pad_right, b->pad_right);
    assert_int_equal(a->groups, b->groups);
    assert_true((float)a->epsilon == (float)b->epsilon); /* ONNX keeps 32 bits */
}

static inline void assert_equal_graphs(const nnm_graph *a, const nnm_graph *b)
{
    assert_int_equal(nnm_graph_layout(a), nnm_graph_layout(b));
    assert_int_equal(nnm_graph_tensor_count(a), nnm_graph_tensor_count(b));
    for (size_t i = 0; i < nnm_graph_tensor_count(a); i++)
        assert_equal_tensors(nnm_graph_tensor(a, i), nnm_graph_tensor(b, i));
    assert_int_equal(nnm_graph_node_count(a), nnm_graph_node_count(b));
    for (size_t i = 0; i < nnm_graph_node_count(a); i++) {
        const nnm_node *x = nnm_graph_node(a, i), *y = nnm_graph_node(b, i);
        assert_equal_attributes(&x->attributes, &y->attributes);
        assert_int_equal(x->op, y->op);
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->input_count, y->input_count);
        assert_memory_equal(x->inputs, y->inputs, sizeof x->inputs);
        assert_int_equal(x->output_count, y->output_count);
        for (size_t j = 0; j < x->output_count; j++)
            assert_int_equal(x->outputs[j], y->outputs[j]);
    }
    assert_int_equal(nnm_graph_input_count(a), nnm_graph_input_count(b));
    assert_int_equal(nnm_graph_output_count(a), nnm_graph_output_count(b));
    for (size_t i = 0; i < nnm_graph_output_count(a); i++)
        assert_int_equal(nnm_graph_output(a, i), nnm_graph_output(b, i));
}

#endif
