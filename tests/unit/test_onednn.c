/* oneDNN computes what the graph says: every operator in both layouts, compared with a plain interpreter in double
 * precision, and pieces of networks in which layouts meet that do not fit each other. */
#include "unit/testing.h"

#include "unit/test_onednn_graphs.h"

static int set_up(void **state)
{
    (void)state;
    skip_without_onednn();
    return 0;
}

/* ---- operators ---- */

typedef struct conv_case {
    const char *name;
    int64_t batch, cin, height, width, cout, groups;
    window window;
} conv_case;

static const conv_case convs[] = {
    {"3x3", 1, 8, 14, 14, 16, 1, {3, 3, 1, 1, {1, 1, 1, 1}}},
    {"many channels", 1, 64, 7, 7, 96, 1, {3, 3, 1, 1, {1, 1, 1, 1}}},
    {"1x1", 1, 32, 7, 7, 24, 1, {1, 1, 1, 1, {0}}},
    {"pixel", 1, 19, 1, 1, 33, 1, {3, 3, 1, 1, {1, 1, 1, 1}}},
    {"odd", 1, 3, 13, 27, 17, 1, {7, 7, 2, 2, {3, 3, 3, 3}}},
    {"stride over kernel", 1, 5, 15, 15, 6, 1, {1, 1, 4, 4, {0}}},
    {"stride 4, kernel 3", 1, 5, 28, 27, 7, 1, {3, 3, 4, 4, {1, 1, 1, 1}}},
    {"batch", 3, 6, 9, 5, 10, 1, {5, 5, 2, 1, {2, 2, 2, 2}}},
    {"uneven", 2, 7, 8, 11, 9, 1, {2, 5, 3, 2, {0, 4, 1, 0}}},
    {"one channel", 1, 1, 28, 28, 1, 1, {5, 5, 1, 1, {2, 2, 2, 2}}},
    {"groups", 1, 12, 7, 7, 8, 4, {3, 3, 1, 1, {1, 1, 1, 1}}},
    {"same, odd", 1, 3, 13, 27, 17, 1, {3, 3, 2, 2, {-1}}},
    {"same, even", 1, 5, 14, 28, 6, 1, {5, 3, 2, 4, {-1}}},
    {"same, even kernel", 1, 6, 9, 9, 6, 6, {2, 4, 1, 1, {-1}}},
    {"depthwise 3x3", 1, 32, 14, 14, 32, 32, {3, 3, 1, 1, {1, 1, 1, 1}}},
    {"depthwise 5x5", 1, 13, 15, 17, 13, 13, {5, 5, 2, 2, {2, 2, 2, 2}}},
    {"depthwise 7x7", 1, 6, 9, 9, 6, 6, {7, 7, 1, 1, {3, 3, 3, 3}}},
    {"depthwise 1x1", 1, 9, 8, 8, 9, 9, {1, 1, 2, 2, {0}}},
    {"depthwise pixel", 1, 21, 1, 1, 21, 21, {3, 3, 1, 1, {1, 1, 1, 1}}},
    {"depthwise stride over kernel", 1, 10, 28, 29, 10, 10, {3, 3, 4, 4, {1, 1, 1, 1}}},
    {"depthwise batch", 3, 7, 11, 6, 7, 7, {3, 5, 1, 2, {1, 2, 1, 2}}},
    {"two a channel", 2, 5, 7, 7, 10, 5, {3, 3, 1, 1, {1, 1, 1, 1}}},
};
#define CONV_COUNT (sizeof convs / sizeof *convs)

static nnm_tensor_id begin_conv(nnm_graph *graph, const conv_case *c, bool bias)
{
    nnm_tensor_id x = add_image(graph, c->batch, c->cin, c->height, c->width);
    return add_conv(graph, x, c->cout, &c->window, c->groups, bias);
}

static void test_convolutions_with_batch_norm(void **state)
{
    (void)state;
    FOR_BOTH_LAYOUTS(layout)
    for (size_t i = 0; i < CONV_COUNT; i++) {
        nnm_graph *graph = new_graph(layout);
        nnm_tensor_id y = add_batch_norm(graph, begin_conv(graph, &convs[i], i % 2));
        finish(graph, add_one(graph, i % 3 ? NNM_OP_RELU : NNM_OP_RELU6, y), convs[i].name);
    }
}

static const nnm_op activations[] = {NNM_OP_RELU, NNM_OP_RELU6, NNM_OP_SIGMOID, NNM_OP_HARD_SIGMOID, NNM_OP_HARD_SWISH};
#define ACTIVATION_COUNT (sizeof activations / sizeof *activations)

static void test_convolutions_with_activations(void **state)
{
    (void)state;
    const size_t some[] = {0, 3, 10, 14}; /* plain, pixel, groups, depthwise */
    FOR_BOTH_LAYOUTS(layout)
    for (size_t i = 0; i < 4; i++) {
        const conv_case *c = &convs[some[i]];
        for (size_t j = 0; j < ACTIVATION_COUNT; j++) {
            nnm_graph *graph = new_graph(layout);
            finish(graph, add_one(graph, activations[j], begin_conv(graph, c, j % 2)), nnm_op_name(activations[j]));
        }
        nnm_graph *graph = new_graph(layout);
        finish(graph, add_swish(graph, add_batch_norm(graph, begin_conv(graph, c, false))), "swish");
        graph = new_graph(layout);
        finish(graph, begin_conv(graph, c, false), "alone");
    }
}

static void test_fully_connected(void **state)
{
    (void)state;
    const int64_t sizes[][3] = {{1, 64, 10}, {1, 131, 1000}, {1, 1, 5}, {1, 77, 1}, {3, 50, 19}};
    FOR_BOTH_LAYOUTS(layout)
    {
        for (size_t i = 0; i < 5; i++) {
            nnm_graph *graph = new_graph(layout);
            nnm_tensor_id x = add_input(graph, (nnm_shape){2, {sizes[i][0], sizes[i][1]}});
            finish(graph, add_fully_connected(graph, x, sizes[i][2], i != 2), "rows");
        }
        nnm_graph *graph = new_graph(layout);
        nnm_tensor_id x = add_input(graph, (nnm_shape){2, {3, 18}});
        finish(graph, add_one(graph, NNM_OP_RELU6, add_batch_norm(graph, add_fully_connected(graph, x, 22, true))),
               "batch norm");
        graph = new_graph(layout);
        x = add_input(graph, (nnm_shape){3, {2, 7, 33}});
        finish(graph, add_fully_connected(graph, x, 21, false), "matrix");
        graph = new_graph(layout);
        x = add_input(graph, (nnm_shape){3, {3, 5, 16}});
        x = add_one(graph, NNM_OP_RELU, x);
        finish(graph, add_one(graph, NNM_OP_HARD_SWISH, add_fully_connected(graph, x, 48, true)), "matrix inside");
    }
}

static void test_flatten(void **state)
{
    (void)state;
    FOR_BOTH_LAYOUTS(layout)
    {
        nnm_graph *graph = new_graph(layout);
        nnm_tensor_id x = add_one(graph, NNM_OP_FLATTEN, add_image(graph, 3, 5, 7, 3));
        finish(graph, add_fully_connected(graph, x, 11, true), "before fully connected");
        graph = new_graph(layout);
        x = add_one(graph, NNM_OP_FLATTEN, begin_conv(graph, &convs[0], true));
        mark_output(graph, x); /* read inside and outside */
        finish(graph, add_fully_connected(graph, x, 11, true), "read twice");
        graph = new_graph(layout);
        x = add_one(graph, NNM_OP_FLATTEN, add_one(graph, NNM_OP_RELU, begin_conv(graph, &convs[1], true)));
        finish(graph, add_fully_connected(graph, x, 11, true), "after a convolution");
        graph = new_graph(layout);
        finish(graph, add_one(graph, NNM_OP_FLATTEN, add_image(graph, 2, 17, 3, 5)), "alone");
        graph = new_graph(layout);
        x = add_one(graph, NNM_OP_FLATTEN, add_input(graph, (nnm_shape){2, {2, 9}}));
        finish(graph, add_fully_connected(graph, x, 4, true), "rows");
        graph = new_graph(layout);
        x = add_one(graph, NNM_OP_FLATTEN, add_input(graph, (nnm_shape){3, {2, 3, 4}}));
        finish(graph, add_one(graph, NNM_OP_RELU, x), "matrix");
    }
}

static void test_pools(void **state)
{
    (void)state;
    const window windows[] = {
        {2, 2, 2, 2, {0}},  {3, 3, 2, 2, {1, 1, 1, 1}}, {3, 3, 1, 1, {1, 1, 1, 1}},
        {3, 3, 2, 2, {-1}}, {2, 3, 1, 2, {-1}},         {1, 1, 2, 2, {0}},
        {2, 2, 3, 3, {0}},  {3, 2, 1, 1, {2, 0, 1, 1}}, {3, 3, 2, 2, {0, 0, 1, 1}},
    };
    const int64_t sizes[][4] = {{1, 16, 14, 14}, {3, 19, 9, 7}, {1, 3, 13, 28}};
    FOR_BOTH_LAYOUTS(layout)
    for (size_t i = 0; i < 3; i++) {
        const int64_t *s = sizes[i];
        for (size_t j = 0; j < sizeof windows / sizeof *windows; j++) {
            nnm_attributes a = attributes_of(&windows[j], 0);
            nnm_graph *graph = new_graph(layout);
            nnm_tensor_id x = add_image(graph, s[0], s[1], s[2], s[3]);
            mark_output(graph, add_node(graph, NNM_OP_MAX_POOL, &a, &x, 1));
            finish(graph, add_node(graph, NNM_OP_AVERAGE_POOL, &a, &x, 1), "pools");
        }
        nnm_graph *graph = new_graph(layout);
        nnm_tensor_id x = add_image(graph, s[0], s[1], s[2], s[3]);
        finish(graph, add_one(graph, NNM_OP_GLOBAL_AVERAGE_POOL, x), "global average pool");
        graph = new_graph(layout);
        x = add_image(graph, s[0], s[1], 1, 1);
        finish(graph, add_one(graph, NNM_OP_GLOBAL_AVERAGE_POOL, x), "global average pool of a pixel");
    }
}

/* What is done to an image alone: its own activations, batch norm, sums and products. */
static void test_element_wise(void **state)
{
    (void)state;
    const int64_t sizes[][4] = {{1, 16, 7, 7}, {3, 19, 5, 3}, {1, 3, 9, 9}, {1, 21, 1, 1}};
    FOR_BOTH_LAYOUTS(layout)
    for (size_t i = 0; i < 4; i++) {
        const int64_t *s = sizes[i];
        nnm_graph *graph = new_graph(layout);
        nnm_tensor_id x = add_image(graph, s[0], s[1], s[2], s[3]);
        for (size_t j = 0; j < ACTIVATION_COUNT; j++)
            mark_output(graph, add_one(graph, activations[j], x));
        mark_output(graph, add_batch_norm(graph, x));
        mark_output(graph, add_one(graph, NNM_OP_RELU, add_batch_norm(graph, x)));
        mark_output(graph, add_one(graph, NNM_OP_HARD_SWISH, add_batch_norm(graph, x)));
        finish(graph, add_swish(graph, x), "one input");

        graph = new_graph(layout);
        x = add_image(graph, s[0], s[1], s[2], s[3]);
        nnm_tensor_id y = add_image(graph, s[0], s[1], s[2], s[3]), z = add_image(graph, s[0], s[1], 1, 1);
        mark_output(graph, add_two(graph, NNM_OP_ADD, x, y));
        mark_output(graph, add_one(graph, NNM_OP_RELU, add_two(graph, NNM_OP_ADD, y, x)));
        mark_output(graph, add_two(graph, NNM_OP_MULTIPLY, x, y));
        mark_output(graph, add_two(graph, NNM_OP_ADD, x, x));
        finish(graph, add_two(graph, NNM_OP_MULTIPLY, x, z), "two inputs");
    }
}

static void test_other_ranks(void **state)
{
    (void)state;
    const nnm_shape shapes[] = {{1, {7}}, {2, {3, 17}}, {3, {2, 5, 16}}, {5, {1, 2, 3, 4, 5}}};
    FOR_BOTH_LAYOUTS(layout)
    for (size_t i = 0; i < 4; i++) {
        nnm_graph *graph = new_graph(layout);
        nnm_tensor_id x = add_input(graph, shapes[i]), y = add_input(graph, shapes[i]);
        if (i == 1) mark_output(graph, add_batch_norm(graph, x));
        if (i == 1) mark_output(graph, add_two(graph, NNM_OP_CONCAT, x, y));
        for (size_t j = 0; j < ACTIVATION_COUNT; j++)
            mark_output(graph, add_one(graph, activations[j], x));
        mark_output(graph, add_one(graph, NNM_OP_RELU, add_two(graph, NNM_OP_ADD, x, y)));
        finish(graph, add_swish(graph, y), "ranks");
    }
}

static void test_concat_split_shuffle(void **state)
{
    (void)state;
    const int64_t channels[][4] = {{16, 32, 16, 64}, {8, 24, 40, 56}, {3, 5, 1, 2}, {58, 58, 10, 20}, {32, 16, 0, 0}};
    FOR_BOTH_LAYOUTS(layout)
    for (size_t i = 0; i < 5; i++) {
        int64_t batch = i % 2 ? 3 : 1;
        nnm_graph *graph = new_graph(layout);
        nnm_tensor_id inputs[4];
        size_t count = 0;
        for (; count < 4 && channels[i][count]; count++)
            inputs[count] = add_image(graph, batch, channels[i][count], 5, 7);
        nnm_tensor_id all = add_node(graph, NNM_OP_CONCAT, NULL, inputs, count);
        finish(graph, all, "concat");

        graph = new_graph(layout);
        nnm_error err = NNM_ERROR_INIT;
        nnm_tensor_id x = add_image(graph, batch, 2 * channels[i][0], 6, 3), halves[2];
        assert_ok(nnm_graph_add_node(graph, NNM_OP_SPLIT, NULL, NULL, &x, 1, halves, &err));
        mark_output(graph, halves[1]);
        finish(graph, halves[0], "split");

        for (int64_t groups = 2; groups <= 4; groups += 2) {
            nnm_attributes a = {.groups = groups};
            graph = new_graph(layout);
            x = add_image(graph, batch, 4 * channels[i][1], 4, 5);
            finish(graph, add_node(graph, NNM_OP_CHANNEL_SHUFFLE, &a, &x, 1), "shuffle");
        }
    }
}

/* ---- whole pieces of networks ---- */

static nnm_tensor_id add_squeeze_excite(nnm_graph *graph, nnm_tensor_id x)
{
    const window pixel = {1, 1, 1, 1, {0}};
    int64_t channels = channels_of(graph, x);
    nnm_tensor_id y = add_one(graph, NNM_OP_GLOBAL_AVERAGE_POOL, x);
    y = add_one(graph, NNM_OP_RELU, add_conv(graph, y, channels / 4, &pixel, 1, true));
    y = add_one(graph, NNM_OP_HARD_SIGMOID, add_conv(graph, y, channels, &pixel, 1, true));
    return add_two(graph, NNM_OP_MULTIPLY, x, y);
}

static void test_squeeze_excite(void **state)
{
    (void)state;
    const int64_t sizes[][4] = {{1, 64, 7, 7}, {3, 20, 5, 5}, {1, 8, 1, 1}};
    FOR_BOTH_LAYOUTS(layout)
    for (size_t i = 0; i < 3; i++) {
        nnm_graph *graph = new_graph(layout);
        nnm_tensor_id x = add_image(graph, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
        finish(graph, add_squeeze_excite(graph, x), "squeeze and excite");
    }
}

/* A unit of ShuffleNet, a residual block, then a classifier: layouts meet that do not fit each other. */
static void test_a_small_network(void **state)
{
    (void)state;
    FOR_BOTH_LAYOUTS(layout)
    {
        nnm_error err = NNM_ERROR_INIT;
        const window three = {3, 3, 1, 1, {1, 1, 1, 1}}, one = {1, 1, 1, 1, {0}}, stem = {3, 3, 2, 2, {-1}};
        const nnm_attributes two_groups = {.groups = 2};
        nnm_tensor_id halves[2];
        nnm_graph *graph = new_graph(layout);
        nnm_tensor_id x = add_conv(graph, add_image(graph, 2, 3, 17, 17), 116, &stem, 1, false);
        x = add_one(graph, NNM_OP_RELU, add_batch_norm(graph, x));
        assert_ok(nnm_graph_add_node(graph, NNM_OP_SPLIT, NULL, NULL, &x, 1, halves, &err));
        nnm_tensor_id y = add_conv(graph, halves[1], 58, &three, 58, false);
        y = add_one(graph, NNM_OP_RELU, add_conv(graph, add_batch_norm(graph, y), 58, &one, 1, true));
        x = add_two(graph, NNM_OP_CONCAT, halves[0], y);
        x = add_node(graph, NNM_OP_CHANNEL_SHUFFLE, &two_groups, &x, 1);
        y = add_squeeze_excite(graph, add_conv(graph, x, 116, &one, 1, true));
        x = add_one(graph, NNM_OP_RELU, add_two(graph, NNM_OP_ADD, x, y));
        mark_output(graph, x);
        x = add_one(graph, NNM_OP_FLATTEN, add_one(graph, NNM_OP_GLOBAL_AVERAGE_POOL, add_swish(graph, x)));
        mark_output(graph, add_fully_connected(graph, x, 10, true));
        assert_agrees(graph, "network", &one_thread);
        assert_agrees(graph, "network", &(nnm_session_options){.threads = 2});
        nnm_graph_free(graph);
    }
}

/* What looks like a part of a bigger step, but is also read elsewhere. */
static void test_what_cannot_be_fused(void **state)
{
    (void)state;
    FOR_BOTH_LAYOUTS(layout)
    {
        nnm_graph *graph = new_graph(layout);
        nnm_tensor_id x = begin_conv(graph, &convs[0], true);
        mark_output(graph, x);
        mark_output(graph, add_one(graph, NNM_OP_RELU, x));
        nnm_tensor_id y = add_batch_norm(graph, add_one(graph, NNM_OP_RELU6, add_batch_norm(graph, x)));
        mark_output(graph, y);
        nnm_tensor_id gate = add_one(graph, NNM_OP_SIGMOID, y);
        mark_output(graph, gate);
        finish(graph, add_two(graph, NNM_OP_MULTIPLY, gate, y), "shared");
    }
}

static void test_an_input_that_nobody_reads(void **state)
{
    (void)state;
    nnm_graph *graph = new_graph(NNM_LAYOUT_NHWC);
    (void)add_image(graph, 1, 3, 4, 5);
    finish(graph, add_one(graph, NNM_OP_RELU, add_image(graph, 1, 3, 4, 5)), "unread input");
}

/* ---- refusals ---- */

static void assert_refused(nnm_graph *graph, nnm_tensor_id output, const char *message)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    mark_output(graph, output);
    assert_fails(backend->supports(backend, graph, &err), NNM_ERR_UNSUPPORTED, message);
    err = (nnm_error)NNM_ERROR_INIT;
    assert_fails(nnm_onednn_open_graph(&session, graph, &one_thread, &err), NNM_ERR_UNSUPPORTED, message);
    assert_null(session);
    nnm_graph_free(graph);
}

static void test_refuses_with_a_reason(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = new_graph(NNM_LAYOUT_NCHW);
    assert_fails(backend->supports(backend, graph, &err), NNM_ERR_UNSUPPORTED, "the graph computes nothing");
    nnm_tensor_id x = add_image(graph, 1, 4, 5, 5);
    assert_refused(graph, add_two(graph, NNM_OP_ADD, x, add_constant(graph, *shape_of(graph, x), 0, 1)),
                   "has a constant input");

    graph = new_graph(NNM_LAYOUT_NHWC);
    x = add_input(graph, (nnm_shape){3, {2, 3, 4}});
    assert_refused(graph, add_batch_norm(graph, x), "is supported only with 2 or 4 dimensions");

    graph = new_graph(NNM_LAYOUT_NCHW);
    x = add_input(graph, (nnm_shape){6, {1, 2, 1, 2, 1, 2}});
    assert_refused(graph, add_one(graph, NNM_OP_RELU, x), "is supported only with 1 to 5 dimensions");
}

static void test_refuses_a_variance_below_zero(void **state)
{
    (void)state;
    const nnm_attributes a = {.epsilon = 1e-3};
    for (int folded = 0; folded < 2; folded++) {
        nnm_error err = NNM_ERROR_INIT;
        nnm_session *session = NULL;
        nnm_graph *graph = new_graph(NNM_LAYOUT_NCHW);
        nnm_tensor_id x = folded ? begin_conv(graph, &convs[0], true) : add_image(graph, 1, 16, 4, 4);
        nnm_shape shape = {1, {16}};
        nnm_tensor_id one = add_constant(graph, shape, 1, 1);
        nnm_tensor_id inputs[5] = {x, one, one, one, add_constant(graph, shape, -1, -1)};
        mark_output(graph, add_node(graph, NNM_OP_BATCH_NORM, &a, inputs, 5));
        assert_fails(nnm_onednn_open_graph(&session, graph, &one_thread, &err), NNM_ERR_VALUE,
                     "has the variance -1 in channel 0");
        nnm_graph_free(graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolutions_with_batch_norm),
        cmocka_unit_test(test_convolutions_with_activations),
        cmocka_unit_test(test_fully_connected),
        cmocka_unit_test(test_flatten),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_element_wise),
        cmocka_unit_test(test_other_ranks),
        cmocka_unit_test(test_concat_split_shuffle),
        cmocka_unit_test(test_squeeze_excite),
        cmocka_unit_test(test_a_small_network),
        cmocka_unit_test(test_what_cannot_be_fused),
        cmocka_unit_test(test_an_input_that_nobody_reads),
        cmocka_unit_test(test_refuses_with_a_reason),
        cmocka_unit_test(test_refuses_a_variance_below_zero),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
