#include "unit/testing.h"

#include <math.h>

#include "graph/names.h"
#include "nnmeter/graph.h"

/* A constant of the given shape, all ones. */
static nnm_tensor_id add_ones(nnm_graph *graph, const char *name, nnm_shape shape)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id = 0;
    size_t count = (size_t)nnm_shape_elements(&shape);
    float *data = malloc(count * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++)
        data[i] = 1;
    assert_ok(nnm_graph_add_constant(graph, name, &shape, data, &id, &err));
    return id;
}

static nnm_tensor_id add_input(nnm_graph *graph, const char *name, nnm_shape shape)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id = 0;
    assert_ok(nnm_graph_add_input(graph, name, &shape, &id, &err));
    return id;
}

static void assert_shape(const nnm_graph *graph, nnm_tensor_id id, nnm_shape expected)
{
    const nnm_shape *shape = &nnm_graph_tensor(graph, id)->shape;
    assert_int_equal(shape->rank, expected.rank);
    for (size_t i = 0; i < NNM_MAX_RANK; i++)
        assert_int_equal(shape->dim[i], expected.dim[i]);
}

static nnm_attributes window(int64_t kernel, int64_t stride, int64_t pad, int64_t groups)
{
    return (nnm_attributes){.kernel_h = kernel,
                            .kernel_w = kernel,
                            .stride_h = stride,
                            .stride_w = stride,
                            .pad_top = pad,
                            .pad_left = pad,
                            .pad_bottom = pad,
                            .pad_right = pad,
                            .groups = groups};
}

static void elements_are_counted_without_overflow(void **state)
{
    (void)state;
    const struct {
        nnm_shape shape;
        int64_t elements;
    } cases[] = {
        {{0, {0}}, 1},
        {{1, {7}}, 7},
        {{4, {1, 3, 224, 224}}, 150528},
        {{6, {2, 3, 4, 5, 6, 7}}, 5040},
        {{1, {INT64_C(4611686018427387903)}}, INT64_C(4611686018427387903)},
        {{1, {INT64_C(4611686018427387904)}}, -1},
        {{2, {INT64_C(1) << 31, INT64_C(1) << 31}}, -1},
        {{6, {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}}, -1},
        {{2, {3, 0}}, -1},
        {{2, {3, -3}}, -1},
        {{1, {3, 1}}, -1},
        {{7, {1, 1, 1, 1, 1, 1}}, -1},
        {{SIZE_MAX, {1, 1, 1, 1, 1, 1}}, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(nnm_shape_elements(&cases[i].shape), cases[i].elements);
}

static void windows_have_the_output_of_their_formula(void **state)
{
    (void)state;
    const struct {
        int64_t input, kernel, stride;
        nnm_padding padding;
        int64_t before, after, output, expected_before, expected_after;
    } cases[] = {
        {224, 7, 2, NNM_PADDING_EXPLICIT, 3, 3, 112, 3, 3},
        {13, 3, 4, NNM_PADDING_EXPLICIT, 1, 1, 4, 1, 1},
        {5, 5, 1, NNM_PADDING_EXPLICIT, 0, 0, 1, 0, 0},
        {4, 5, 1, NNM_PADDING_EXPLICIT, 0, 0, -1, 0, 0},
        {4, 5, 1, NNM_PADDING_EXPLICIT, 0, 1, 1, 0, 1},
        {224, 3, 2, NNM_PADDING_SAME, 9, 9, 112, 0, 1},
        {13, 7, 4, NNM_PADDING_SAME, 0, 0, 4, 3, 3},
        {8, 1, 3, NNM_PADDING_SAME, 5, 5, 3, 0, 0},
        {1, 7, 4, NNM_PADDING_SAME, 0, 0, 1, 3, 3},
        {0, 1, 1, NNM_PADDING_SAME, 0, 0, -1, 0, 0},
        {1, 0, 1, NNM_PADDING_SAME, 0, 0, -1, 0, 0},
        {1, 1, 0, NNM_PADDING_SAME, 0, 0, -1, 0, 0},
        {1, 1, 1, NNM_PADDING_EXPLICIT, -1, 0, -1, -1, 0},
        {INT64_MAX, INT64_MAX, 1, NNM_PADDING_SAME, 0, 0, -1, 0, 0},
        {1, 1, 1, NNM_PADDING_EXPLICIT, INT64_MAX, INT64_MAX, -1, INT64_MAX, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t before = cases[i].before, after = cases[i].after;
        int64_t output =
            nnm_window_output(cases[i].input, cases[i].kernel, cases[i].stride, cases[i].padding, &before, &after);
        assert_int_equal(output, cases[i].output);
        if (output < 0) continue;
        assert_int_equal(before, cases[i].expected_before);
        assert_int_equal(after, cases[i].expected_after);
    }
    assert_int_equal(nnm_window_output(8, 3, 1, NNM_PADDING_EXPLICIT, NULL, NULL), 6);
    assert_int_equal(nnm_window_output(8, 3, 2, NNM_PADDING_SAME, NULL, NULL), 4);
}

static void shapes_follow_the_layout(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_shape inputs[] = {{4, {2, 6, 13, 14}}, {4, {2, 13, 14, 6}}};
    const nnm_shape outputs[] = {{4, {2, 4, 7, 7}}, {4, {2, 7, 7, 4}}};
    for (nnm_layout layout = NNM_LAYOUT_NCHW; layout <= NNM_LAYOUT_NHWC; layout++) {
        nnm_graph *graph = NULL;
        nnm_tensor_id y = 0;
        assert_ok(nnm_graph_new(&graph, layout, &err));
        assert_int_equal(nnm_graph_layout(graph), layout);
        nnm_tensor_id x = add_input(graph, "x", inputs[layout]);
        nnm_tensor_id w = add_ones(graph, "w", (nnm_shape){4, {4, 3, 3, 3}});
        nnm_tensor_id b = add_ones(graph, "b", (nnm_shape){1, {4}});
        nnm_attributes a = window(3, 2, 1, 2);
        assert_ok(nnm_graph_add_node(graph, NNM_OP_CONV, "conv", &a, (nnm_tensor_id[]){x, w, b}, 3, &y, &err));
        assert_shape(graph, y, outputs[layout]);
        nnm_attributes bn = {.epsilon = 1e-5};
        assert_ok(
            nnm_graph_add_node(graph, NNM_OP_BATCH_NORM, "bn", &bn, (nnm_tensor_id[]){y, b, b, b, b}, 5, &y, &err));
        assert_ok(nnm_graph_add_node(graph, NNM_OP_RELU6, "relu6", NULL, &y, 1, &y, &err));
        assert_shape(graph, y, outputs[layout]);
        assert_ok(nnm_graph_add_node(graph, NNM_OP_FLATTEN, "flat", NULL, &y, 1, &y, &err));
        assert_shape(graph, y, (nnm_shape){2, {2, 196}});
        nnm_tensor_id fw = add_ones(graph, "fw", (nnm_shape){2, {10, 196}});
        assert_ok(nnm_graph_add_node(graph, NNM_OP_FULLY_CONNECTED, "fc", NULL, (nnm_tensor_id[]){y, fw}, 2, &y, &err));
        assert_shape(graph, y, (nnm_shape){2, {2, 10}});
        assert_ok(nnm_graph_mark_output(graph, y, &err));

        assert_int_equal(nnm_graph_node_count(graph), 5);
        assert_int_equal(nnm_graph_input_count(graph), 1);
        assert_int_equal(nnm_graph_input(graph, 0), x);
        assert_int_equal(nnm_graph_output_count(graph), 1);
        assert_int_equal(nnm_graph_output(graph, 0), y);
        assert_int_equal(nnm_graph_tensor(graph, y)->producer, 4);
        assert_int_equal(nnm_graph_tensor(graph, x)->producer, NNM_NO_NODE);
        assert_string_equal(nnm_graph_node(graph, 4)->name, "fc");
        assert_int_equal(nnm_graph_node(graph, 4)->input_count, 2);
        nnm_graph_free(graph);
    }
}

/* A graph with things that do not fit together, for nodes that must be refused. */
typedef struct fixture {
    nnm_graph *graph;
    nnm_tensor_id image, flat, scalar, w, w5, b, b3, fw, computed;
} fixture;

static fixture make_fixture(void)
{
    nnm_error err = NNM_ERROR_INIT;
    fixture f = {0};
    assert_ok(nnm_graph_new(&f.graph, NNM_LAYOUT_NCHW, &err));
    f.image = add_input(f.graph, "image", (nnm_shape){4, {1, 6, 8, 8}});
    f.flat = add_input(f.graph, "flat", (nnm_shape){2, {1, 10}});
    f.scalar = add_input(f.graph, "scalar", (nnm_shape){0, {0}});
    f.w = add_ones(f.graph, "w", (nnm_shape){4, {4, 6, 3, 3}});
    f.w5 = add_ones(f.graph, "w5", (nnm_shape){4, {4, 6, 5, 5}});
    f.b = add_ones(f.graph, "b", (nnm_shape){1, {4}});
    f.b3 = add_ones(f.graph, "b3", (nnm_shape){1, {3}});
    f.fw = add_ones(f.graph, "fw", (nnm_shape){2, {4, 10}});
    assert_ok(nnm_graph_add_node(f.graph, NNM_OP_RELU, "computed", NULL, &f.flat, 1, &f.computed, &err));
    return f;
}

static void convolutions_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    fixture f = make_fixture();
    nnm_attributes good = window(3, 1, 1, 1), same_with_pads = good, wide = good, tall = good, negative = good,
                   padding = good, epsilon = good;
    same_with_pads.padding = NNM_PADDING_SAME;
    wide.pad_left = wide.pad_right = 0;
    wide.kernel_w = 9;
    tall.pad_top = tall.pad_bottom = 0;
    tall.kernel_h = 9;
    negative.pad_right = -1;
    padding.padding = (nnm_padding)7;
    epsilon.epsilon = 1;
    const struct {
        nnm_attributes a;
        nnm_tensor_id inputs[4];
        size_t count;
        const char *text;
    } cases[] = {
        {good, {f.flat, f.w}, 2, "Conv 'node': x must have 4 dimensions, but its shape is [1, 10]"},
        {good, {f.image, f.b}, 2, "weight must have 4 dimensions, but its shape is [4]"},
        {good, {f.image, f.w, f.b3}, 3, "bias must have the shape [4], but it is [3]"},
        {good, {f.image}, 1, "1 inputs are given; it takes 2 to 3"},
        {good, {f.image, f.w, f.b, f.b}, 4, "4 inputs are given"},
        {good, {f.image, 999}, 2, "weight is tensor 999, but the graph has 9"},
        {good, {f.image, f.computed}, 2, "weight must be a constant, but 'computed' is not"},
        {good, {f.image, f.w5}, 2, "weight has a window of 5 x 5, the attributes of 3 x 3"},
        {window(3, 1, 1, 2),
         {f.image, f.w},
         2,
         "weight has 6 input channels a group, but x has 6 channels in 2 groups"},
        {window(3, 1, 1, 4), {f.image, f.w}, 2, "groups is 4; it must be at least 1 and divide both 6"},
        {window(3, 1, 1, 0), {f.image, f.w}, 2, "groups is 0"},
        {window(3, 0, 1, 1), {f.image, f.w}, 2, "stride_h is 0; allowed are 1 to 2147483647"},
        {window(0, 1, 1, 1), {f.image, f.w}, 2, "kernel_h is 0"},
        {window(INT64_MAX, 1, 1, 1), {f.image, f.w}, 2, "kernel_h is 9223372036854775807"},
        {same_with_pads, {f.image, f.w}, 2, "SAME padding computes its pads"},
        {wide, {f.image, f.w}, 2, "a window 9 wide does not fit into a width of 8 with pads 0 and 0"},
        {tall, {f.image, f.w}, 2, "a window 9 high does not fit into a height of 8 with pads 0 and 0"},
        {negative, {f.image, f.w}, 2, "pad_right is -1"},
        {padding, {f.image, f.w}, 2, "padding 7 is neither explicit nor SAME"},
        {epsilon, {f.image, f.w}, 2, "epsilon must be zero: the operator does not use it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t tensors = nnm_graph_tensor_count(f.graph), nodes = nnm_graph_node_count(f.graph);
        nnm_tensor_id y = 12345;
        assert_fails(
            nnm_graph_add_node(f.graph, NNM_OP_CONV, "node", &cases[i].a, cases[i].inputs, cases[i].count, &y, &err),
            NNM_ERR_INVALID_ARGUMENT, cases[i].text);
        assert_int_equal(nnm_graph_tensor_count(f.graph), tensors);
        assert_int_equal(nnm_graph_node_count(f.graph), nodes);
        assert_int_equal(y, 12345);
    }
    nnm_graph_free(f.graph);
}

static void other_operators_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    fixture f = make_fixture();
    nnm_attributes none = {0}, bn = {.epsilon = 1e-5}, nan = {.epsilon = (double)NAN}, groups = {.groups = 1},
                   stride = {.stride_h = 1};
    const struct {
        nnm_op op;
        nnm_attributes a;
        nnm_tensor_id inputs[5];
        size_t count;
        const char *text;
    } cases[] = {
        {NNM_OP_BATCH_NORM, bn, {f.image, f.b, f.b, f.b, f.b}, 5, "scale must have the shape [6], but it is [4]"},
        {NNM_OP_BATCH_NORM,
         bn,
         {f.scalar, f.b, f.b, f.b, f.b},
         5,
         "x must have a batch and channels, but its shape is []"},
        {NNM_OP_BATCH_NORM, bn, {f.image, f.b}, 2, "2 inputs are given; it takes 5"},
        {NNM_OP_RELU, groups, {f.image}, 1, "groups must be zero"},
        {NNM_OP_RELU, stride, {f.image}, 1, "kernel, stride and padding must be zero"},
        {NNM_OP_RELU6, bn, {f.image}, 1, "epsilon must be zero"},
        {NNM_OP_RELU6, nan, {f.image}, 1, "epsilon must be zero"},
        {NNM_OP_FLATTEN, none, {f.scalar}, 1, "x is a scalar"},
        {NNM_OP_FULLY_CONNECTED, none, {f.image, f.fw}, 2, "x must have 2 or 3 dimensions"},
        {NNM_OP_FULLY_CONNECTED, none, {f.flat, f.w}, 2, "weight must have 2 dimensions"},
        {NNM_OP_FULLY_CONNECTED, none, {f.flat, f.fw, f.b3}, 3, "bias must have the shape [4], but it is [3]"},
        {NNM_OP_COUNT, none, {f.flat}, 1, "there is no operator"},
        {(nnm_op)-1, none, {f.flat}, 1, "there is no operator"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_tensor_id y = 0;
        assert_fails(
            nnm_graph_add_node(f.graph, cases[i].op, "node", &cases[i].a, cases[i].inputs, cases[i].count, &y, &err),
            NNM_ERR_INVALID_ARGUMENT, cases[i].text);
    }

    nnm_tensor_id y = 0, b10 = add_ones(f.graph, "b10", (nnm_shape){1, {10}}), five[5] = {f.flat, b10, b10, b10, b10};
    nnm_tensor_id fw7 = add_ones(f.graph, "fw7", (nnm_shape){2, {4, 7}});
    assert_fails(
        nnm_graph_add_node(f.graph, NNM_OP_FULLY_CONNECTED, NULL, NULL, (nnm_tensor_id[]){f.flat, fw7}, 2, &y, &err),
        NNM_ERR_INVALID_ARGUMENT, "FullyConnected: weight has 7 input channels, but x has 10");
    const double epsilons[] = {0, -1, 1, (double)NAN, (double)INFINITY};
    for (size_t i = 0; i < sizeof epsilons / sizeof *epsilons; i++) {
        nnm_attributes a = {.epsilon = epsilons[i]};
        assert_fails(nnm_graph_add_node(f.graph, NNM_OP_BATCH_NORM, "node", &a, five, 5, &y, &err),
                     NNM_ERR_INVALID_ARGUMENT, "it must be over 0 and under 1");
    }
    nnm_graph_free(f.graph);
}

/* ---- pools, joins, activations ---- */

/* A shape given as NCHW, in the order of the layout. */
static nnm_shape image(nnm_layout layout, int64_t n, int64_t c, int64_t h, int64_t w)
{
    return layout == NNM_LAYOUT_NCHW ? (nnm_shape){4, {n, c, h, w}} : (nnm_shape){4, {n, h, w, c}};
}

static void every_other_operator_follows_the_layout(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    for (nnm_layout layout = NNM_LAYOUT_NCHW; layout <= NNM_LAYOUT_NHWC; layout++) {
        nnm_graph *graph = NULL;
        assert_ok(nnm_graph_new(&graph, layout, &err));
        nnm_tensor_id x = add_input(graph, "x", image(layout, 2, 6, 13, 14));
        nnm_tensor_id gate = add_input(graph, "gate", image(layout, 2, 6, 1, 1));
        nnm_tensor_id wide = add_input(graph, "wide", image(layout, 2, 5, 13, 14));
        nnm_tensor_id rows = add_input(graph, "rows", (nnm_shape){3, {2, 7, 5}});
        nnm_tensor_id w = add_ones(graph, "w", (nnm_shape){2, {4, 5}});
        nnm_attributes pool = {.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 1, .pad_top = 1},
                       same = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 3, .padding = NNM_PADDING_SAME},
                       groups = {.groups = 3};
        const struct {
            nnm_op op;
            const nnm_attributes *a;
            nnm_tensor_id inputs[3];
            size_t inputs_count, outputs;
            nnm_shape output;
        } cases[] = {
            {NNM_OP_MAX_POOL, &pool, {x}, 1, 1, image(layout, 2, 6, 6, 13)},
            {NNM_OP_AVERAGE_POOL, &same, {x}, 1, 1, image(layout, 2, 6, 7, 5)},
            {NNM_OP_GLOBAL_AVERAGE_POOL, NULL, {x}, 1, 1, image(layout, 2, 6, 1, 1)},
            {NNM_OP_ADD, NULL, {x, x}, 2, 1, image(layout, 2, 6, 13, 14)},
            {NNM_OP_MULTIPLY, NULL, {x, x}, 2, 1, image(layout, 2, 6, 13, 14)},
            {NNM_OP_MULTIPLY, NULL, {x, gate}, 2, 1, image(layout, 2, 6, 13, 14)},
            {NNM_OP_CONCAT, NULL, {x, wide, x}, 3, 1, image(layout, 2, 17, 13, 14)},
            {NNM_OP_SPLIT, NULL, {x}, 1, 2, image(layout, 2, 3, 13, 14)},
            {NNM_OP_CHANNEL_SHUFFLE, &groups, {x}, 1, 1, image(layout, 2, 6, 13, 14)},
            {NNM_OP_SIGMOID, NULL, {x}, 1, 1, image(layout, 2, 6, 13, 14)},
            {NNM_OP_HARD_SIGMOID, NULL, {gate}, 1, 1, image(layout, 2, 6, 1, 1)},
            {NNM_OP_HARD_SWISH, NULL, {x}, 1, 1, image(layout, 2, 6, 13, 14)},
            {NNM_OP_FULLY_CONNECTED, NULL, {rows, w}, 2, 1, {3, {2, 7, 4}}},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            nnm_tensor_id y[NNM_NODE_MAX_OUTPUTS] = {0};
            size_t nodes = nnm_graph_node_count(graph);
            assert_ok(nnm_graph_add_node(graph, cases[i].op, NULL, cases[i].a, cases[i].inputs, cases[i].inputs_count,
                                         y, &err));
            const nnm_node *node = nnm_graph_node(graph, nodes);
            assert_int_equal(node->output_count, cases[i].outputs);
            for (size_t j = 0; j < cases[i].outputs; j++) {
                assert_int_equal(node->outputs[j], y[j]);
                assert_shape(graph, y[j], cases[i].output);
                assert_int_equal(nnm_graph_tensor(graph, y[j])->producer, nodes);
                assert_ok(nnm_graph_mark_output(graph, y[j], &err));
            }
        }
        nnm_graph_free(graph);
    }
}

static void pools_and_joins_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    fixture f = make_fixture();
    nnm_tensor_id half = add_input(f.graph, "half", (nnm_shape){4, {1, 3, 8, 8}});
    nnm_tensor_id gate = add_input(f.graph, "gate", (nnm_shape){4, {1, 6, 1, 1}});
    nnm_tensor_id cube = add_input(f.graph, "cube", (nnm_shape){3, {6, 8, 8}});
    nnm_attributes none = {0}, padded = window(3, 1, 3, 0), grouped = window(3, 1, 1, 1), four = {.groups = 4},
                   one = {.groups = 1};
    const struct {
        nnm_op op;
        nnm_attributes a;
        nnm_tensor_id inputs[3];
        size_t count;
        const char *text;
    } cases[] = {
        {NNM_OP_MAX_POOL, none, {f.image}, 1, "kernel_h is 0; allowed are 1"},
        {NNM_OP_MAX_POOL, padded, {f.image}, 1, "pads must be smaller than the window of 3 x 3"},
        {NNM_OP_MAX_POOL, grouped, {f.image}, 1, "groups must be zero"},
        {NNM_OP_AVERAGE_POOL, window(9, 1, 0, 0), {f.image}, 1, "a window 9 high does not fit into a height of 8"},
        {NNM_OP_AVERAGE_POOL, window(3, 1, 1, 0), {cube}, 1, "x must have 4 dimensions"},
        {NNM_OP_GLOBAL_AVERAGE_POOL, none, {f.flat}, 1, "x must have 4 dimensions, but its shape is [1, 10]"},
        {NNM_OP_ADD, none, {f.image}, 1, "1 inputs are given; it takes 2"},
        {NNM_OP_ADD, none, {f.image, gate}, 2, "a has the shape [1, 6, 8, 8], but 'gate' has [1, 6, 1, 1]"},
        {NNM_OP_MULTIPLY, none, {gate, f.image}, 2, "height and width 1 for the second of two images"},
        {NNM_OP_MULTIPLY, none, {f.image, half}, 2, "but 'half' has [1, 3, 8, 8]"},
        {NNM_OP_CONCAT, none, {f.image}, 1, "1 inputs are given; it takes 2 to 6"},
        {NNM_OP_CONCAT, none, {f.image, half, gate}, 3, "but 'gate' has [1, 6, 1, 1]; allowed is a difference in the"},
        {NNM_OP_CONCAT, none, {f.image, f.flat}, 2, "but 'flat' has [1, 10]"},
        {NNM_OP_CONCAT, none, {f.scalar, f.scalar}, 2, "a must have a batch and channels, but its shape is []"},
        {NNM_OP_SPLIT, none, {half}, 1, "x has 3 channels; only an even number can be halved"},
        {NNM_OP_SPLIT, none, {f.scalar}, 1, "x must have a batch and channels"},
        {NNM_OP_CHANNEL_SHUFFLE, four, {f.image}, 1, "groups is 4; it must be at least 2 and divide the 6 channels"},
        {NNM_OP_CHANNEL_SHUFFLE, one, {f.image}, 1, "groups is 1; it must be at least 2"},
        {NNM_OP_CHANNEL_SHUFFLE, four, {cube}, 1, "x must have 4 dimensions"},
        {NNM_OP_SIGMOID, none, {f.image, f.image}, 2, "2 inputs are given; it takes 1"},
        {NNM_OP_HARD_SWISH, one, {f.image}, 1, "groups must be zero"},
        {NNM_OP_FULLY_CONNECTED, none, {cube, f.fw}, 2, "weight has 10 input channels, but x has 8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_tensor_id y[NNM_NODE_MAX_OUTPUTS] = {0};
        assert_fails(
            nnm_graph_add_node(f.graph, cases[i].op, "node", &cases[i].a, cases[i].inputs, cases[i].count, y, &err),
            NNM_ERR_INVALID_ARGUMENT, cases[i].text);
    }
    const nnm_tensor_id seven[7] = {half, half, half, half, half, half, half};
    nnm_tensor_id y = 0;
    assert_fails(nnm_graph_add_node(f.graph, NNM_OP_CONCAT, "node", NULL, seven, 7, &y, &err), NNM_ERR_INVALID_ARGUMENT,
                 "7 inputs are given; it takes 2 to 6");
    assert_ok(nnm_graph_add_node(f.graph, NNM_OP_CONCAT, "node", NULL, seven, 6, &y, &err));
    assert_shape(f.graph, y, (nnm_shape){4, {1, 18, 8, 8}});
    nnm_graph_free(f.graph);
}

static void second_outputs_have_names_of_their_own(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_tensor_id y[NNM_NODE_MAX_OUTPUTS];
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
    nnm_tensor_id x = add_input(graph, "taken_2", (nnm_shape){2, {1, 4}});
    assert_fails(nnm_graph_add_node(graph, NNM_OP_SPLIT, "taken", NULL, &x, 1, y, &err), NNM_ERR_INVALID_ARGUMENT,
                 "the name 'taken_2' is taken");
    assert_int_equal(nnm_graph_tensor_count(graph), 1);
    assert_ok(nnm_graph_add_node(graph, NNM_OP_SPLIT, "halves", NULL, &x, 1, y, &err));
    assert_string_equal(nnm_graph_node(graph, 0)->name, "halves");
    assert_string_equal(nnm_graph_tensor(graph, y[0])->name, "halves");
    assert_string_equal(nnm_graph_tensor(graph, y[1])->name, "halves_2");

    /* What is made up leaves out numbers of which either name is taken. */
    add_input(graph, "Split_1_2", (nnm_shape){1, {1}});
    assert_ok(nnm_graph_add_node(graph, NNM_OP_SPLIT, NULL, NULL, &x, 1, y, &err));
    assert_string_equal(nnm_graph_tensor(graph, y[0])->name, "Split_2");
    assert_string_equal(nnm_graph_tensor(graph, y[1])->name, "Split_2_2");
    for (size_t i = 0; i < 1000; i++) /* the table of names grows by two at a time */
        assert_ok(nnm_graph_add_node(graph, NNM_OP_SPLIT, NULL, NULL, &x, 1, y, &err));
    assert_string_equal(nnm_graph_tensor(graph, y[1])->name, "Split_1002_2");

    const char *const own[] = {"one", "other"}, *const same[] = {"both", "both"};
    assert_fails(nnm_graph_add_named_node(graph, NNM_OP_SPLIT, same, NULL, &x, 1, y, &err), NNM_ERR_INVALID_ARGUMENT,
                 "two outputs are called 'both'");
    assert_ok(nnm_graph_add_named_node(graph, NNM_OP_SPLIT, own, NULL, &x, 1, y, &err));
    assert_string_equal(nnm_graph_tensor(graph, y[1])->name, "other");
    nnm_graph_free(graph);
}

/* Worked out by hand, one operator a graph. Bytes are 4 for each value that is read or written. */
static void costs_of_other_operators_are_what_the_definitions_say(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_attributes pool = window(3, 2, 1, 0), groups = {.groups = 2};
    const struct {
        nnm_op op;
        const nnm_attributes *a;
        size_t inputs;
        double flops, values;
    } cases[] = {
        {NNM_OP_MAX_POOL, &pool, 1, 4 * 4 * 9, 64 + 16},
        {NNM_OP_AVERAGE_POOL, &pool, 1, 4 * 4 * 9, 64 + 16},
        {NNM_OP_GLOBAL_AVERAGE_POOL, NULL, 1, 64, 64 + 4},
        {NNM_OP_ADD, NULL, 2, 64, 3 * 64},
        {NNM_OP_MULTIPLY, NULL, 2, 64, 3 * 64},
        {NNM_OP_CONCAT, NULL, 2, 0, 4 * 64},
        {NNM_OP_SPLIT, NULL, 1, 0, 2 * 64},
        {NNM_OP_CHANNEL_SHUFFLE, &groups, 1, 0, 2 * 64},
        {NNM_OP_SIGMOID, NULL, 1, 64, 2 * 64},
        {NNM_OP_HARD_SIGMOID, NULL, 1, 64, 2 * 64},
        {NNM_OP_HARD_SWISH, NULL, 1, 64, 2 * 64},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_graph *graph = NULL;
        nnm_tensor_id y[NNM_NODE_MAX_OUTPUTS];
        assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
        nnm_tensor_id x = add_input(graph, "x", (nnm_shape){4, {1, 4, 4, 4}});
        assert_ok(nnm_graph_add_node(graph, cases[i].op, NULL, cases[i].a, (nnm_tensor_id[]){x, x}, cases[i].inputs, y,
                                     &err));
        nnm_cost cost;
        nnm_graph_cost(graph, &cost);
        assert_true(cost.macs == 0 && cost.params == 0);
        if (cost.flops != cases[i].flops || cost.activation_bytes != 4 * cases[i].values)
            fail_msg("%s: %g FLOPs, %g bytes", nnm_op_name(cases[i].op), cost.flops, cost.activation_bytes);
        nnm_graph_free(graph);
    }
}

static void an_output_that_is_too_large_is_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_tensor_id y = 0;
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
    nnm_tensor_id x = add_input(graph, "x", (nnm_shape){4, {INT64_C(1) << 60, 1, 1, 1}});
    nnm_tensor_id w = add_ones(graph, "w", (nnm_shape){4, {8, 1, 1, 1}});
    nnm_attributes a = window(1, 1, 0, 1);
    assert_fails(nnm_graph_add_node(graph, NNM_OP_CONV, "conv", &a, (nnm_tensor_id[]){x, w}, 2, &y, &err),
                 NNM_ERR_INVALID_ARGUMENT, "[1152921504606846976, 8, 1, 1]: too many elements");
    nnm_graph_free(graph);
}

static void names_are_unique_and_made_up_where_none_is_given(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_tensor_id y = 0;
    nnm_shape shape = {2, {1, 4}};
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NHWC, &err));
    nnm_tensor_id x = add_input(graph, "Relu_1", shape);
    assert_fails(nnm_graph_add_input(graph, "Relu_1", &shape, &y, &err), NNM_ERR_INVALID_ARGUMENT,
                 "the name 'Relu_1' is taken");
    assert_fails(nnm_graph_add_input(graph, "", &shape, &y, &err), NNM_ERR_INVALID_ARGUMENT, "needs a name");
    assert_fails(nnm_graph_add_input(graph, NULL, &shape, &y, &err), NNM_ERR_INVALID_ARGUMENT, "needs a name");
    assert_fails(nnm_graph_add_input(graph, "bad", &(nnm_shape){2, {1, 0}}, &y, &err), NNM_ERR_INVALID_ARGUMENT,
                 "tensor 'bad': the shape [1, 0] is not valid");
    assert_fails(nnm_graph_add_constant(graph, "none", &shape, NULL, &y, &err), NNM_ERR_INVALID_ARGUMENT,
                 "constant 'none' has no data");
    assert_fails(nnm_graph_add_node(graph, NNM_OP_RELU, "Relu_1", NULL, &x, 1, &y, &err), NNM_ERR_INVALID_ARGUMENT,
                 "the name 'Relu_1' is taken");
    assert_int_equal(nnm_graph_tensor_count(graph), 1);

    assert_ok(nnm_graph_add_node(graph, NNM_OP_RELU, NULL, NULL, &x, 1, &y, &err));
    assert_string_equal(nnm_graph_tensor(graph, y)->name, "Relu_0");
    assert_ok(nnm_graph_add_node(graph, NNM_OP_RELU, NULL, NULL, &y, 1, &y, &err));
    assert_string_equal(nnm_graph_tensor(graph, y)->name, "Relu_2");
    for (size_t i = 0; i < 5000; i++)
        assert_ok(nnm_graph_add_node(graph, NNM_OP_RELU, NULL, NULL, &y, 1, &y, &err));
    assert_fails(nnm_graph_add_node(graph, NNM_OP_RELU, "Relu_3000", NULL, &y, 1, &y, &err), NNM_ERR_INVALID_ARGUMENT,
                 "is taken");
    nnm_graph_free(graph);
}

static void outputs_are_computed_and_marked_once(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    fixture f = make_fixture();
    assert_fails(nnm_graph_mark_output(f.graph, f.flat, &err), NNM_ERR_INVALID_ARGUMENT, "no node computes it");
    assert_fails(nnm_graph_mark_output(f.graph, f.w, &err), NNM_ERR_INVALID_ARGUMENT, "'w' cannot be an output");
    assert_fails(nnm_graph_mark_output(f.graph, 999, &err), NNM_ERR_INVALID_ARGUMENT, "the graph has 9");
    assert_ok(nnm_graph_mark_output(f.graph, f.computed, &err));
    assert_fails(nnm_graph_mark_output(f.graph, f.computed, &err), NNM_ERR_INVALID_ARGUMENT,
                 "'computed' is an output already");
    assert_int_equal(nnm_graph_output_count(f.graph), 1);
    nnm_graph_free(f.graph);

    nnm_graph *graph = NULL;
    assert_fails(nnm_graph_new(&graph, (nnm_layout)5, &err), NNM_ERR_INVALID_ARGUMENT, "layout 5");
    assert_null(graph);
    nnm_graph_free(NULL);
}

/* Worked out by hand: x [1, 2, 4, 4], 3 x 3 convolution to 5 channels with stride 2 and bias, batch norm, ReLU,
 * flatten, fully connected to 3 without bias. */
static void cost_is_what_the_definitions_say(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_tensor_id y = 0;
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
    nnm_tensor_id x = add_input(graph, "x", (nnm_shape){4, {1, 2, 4, 4}});
    nnm_tensor_id w = add_ones(graph, "w", (nnm_shape){4, {5, 2, 3, 3}});
    nnm_tensor_id b = add_ones(graph, "b", (nnm_shape){1, {5}});
    nnm_tensor_id fw = add_ones(graph, "fw", (nnm_shape){2, {3, 20}});
    nnm_attributes a = window(3, 2, 1, 1), bn = {.epsilon = 1e-3};
    assert_ok(nnm_graph_add_node(graph, NNM_OP_CONV, NULL, &a, (nnm_tensor_id[]){x, w, b}, 3, &y, &err));
    assert_ok(nnm_graph_add_node(graph, NNM_OP_BATCH_NORM, NULL, &bn, (nnm_tensor_id[]){y, b, b, b, b}, 5, &y, &err));
    assert_ok(nnm_graph_add_node(graph, NNM_OP_RELU, NULL, NULL, &y, 1, &y, &err));
    assert_ok(nnm_graph_add_node(graph, NNM_OP_FLATTEN, NULL, NULL, &y, 1, &y, &err));
    assert_ok(nnm_graph_add_node(graph, NNM_OP_FULLY_CONNECTED, NULL, NULL, (nnm_tensor_id[]){y, fw}, 2, &y, &err));

    nnm_cost cost;
    nnm_graph_cost(graph, &cost);
    double macs = 20 * 2 * 9 + 3 * 20;
    assert_true(cost.macs == macs);
    assert_true(cost.flops == 2 * macs + 20 + 2 * 20 + 20);
    assert_true(cost.params == 90 + 5 + 60);
    assert_true(cost.weight_bytes == 4 * cost.params);
    assert_true(cost.activation_bytes == 4 * ((32 + 20) + (20 + 20) + (20 + 20) + (20 + 20) + (20 + 3)));
    nnm_graph_free(graph);
}

static void every_operator_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(nnm_op_name(NNM_OP_CONV), "Conv");
    assert_string_equal(nnm_op_name(NNM_OP_COUNT), "unknown operator");
    for (unsigned op = 0; op < NNM_OP_COUNT; op++) {
        assert_true(*nnm_op_name((nnm_op)op) != '\0');
        for (unsigned other = 0; other < op; other++)
            assert_string_not_equal(nnm_op_name((nnm_op)op), nnm_op_name((nnm_op)other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_counted_without_overflow),
        cmocka_unit_test(windows_have_the_output_of_their_formula),
        cmocka_unit_test(shapes_follow_the_layout),
        cmocka_unit_test(convolutions_that_do_not_fit_are_refused),
        cmocka_unit_test(other_operators_that_do_not_fit_are_refused),
        cmocka_unit_test(every_other_operator_follows_the_layout),
        cmocka_unit_test(pools_and_joins_that_do_not_fit_are_refused),
        cmocka_unit_test(second_outputs_have_names_of_their_own),
        cmocka_unit_test(costs_of_other_operators_are_what_the_definitions_say),
        cmocka_unit_test(an_output_that_is_too_large_is_refused),
        cmocka_unit_test(names_are_unique_and_made_up_where_none_is_given),
        cmocka_unit_test(outputs_are_computed_and_marked_once),
        cmocka_unit_test(cost_is_what_the_definitions_say),
        cmocka_unit_test(every_operator_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
