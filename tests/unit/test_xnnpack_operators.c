/* Every operator on XNNPACK, in both layouts, without files: single nodes, and graphs that become several steps. */
#include "unit/testing.h"

#include <math.h>

#include "backends/backends.h"
#include "base/rng.h"
#include "unit/test_reference_interpreter.h"

static const nnm_session_options one_thread = {.threads = 1};

static int set_up(void **state)
{
    (void)state;
    nnm_backend_info info;
    nnm_backend_probe(&nnm_backend_xnnpack_cpu, NULL, &info);
    if (!info.available) {
        print_message("skipped: %s\n", info.why_not);
        exit(0);
    }
    return 0;
}

/* ---- graphs ---- */

static float *random_floats(size_t count, uint64_t stream, double low, double high)
{
    float *data = malloc((count ? count : 1) * sizeof *data);
    assert_non_null(data);
    nnm_rng rng;
    nnm_rng_init(&rng, 11, stream);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(low + (high - low) * nnm_rng_uniform(&rng));
    return data;
}

static nnm_graph *new_graph(nnm_layout layout)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    assert_ok(nnm_graph_new(&graph, layout, &err));
    return graph;
}

static nnm_shape image(const nnm_graph *graph, int64_t n, int64_t c, int64_t h, int64_t w)
{
    return nnm_graph_layout(graph) == NNM_LAYOUT_NCHW ? (nnm_shape){4, {n, c, h, w}} : (nnm_shape){4, {n, h, w, c}};
}

static nnm_tensor_id add_input(nnm_graph *graph, nnm_shape shape)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id;
    char name[32];
    snprintf(name, sizeof name, "input%zu", nnm_graph_input_count(graph));
    assert_ok(nnm_graph_add_input(graph, name, &shape, &id, &err));
    return id;
}

static nnm_tensor_id add_constant(nnm_graph *graph, nnm_shape shape, double low, double high)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id;
    char name[32];
    size_t number = nnm_graph_tensor_count(graph);
    snprintf(name, sizeof name, "constant%zu", number);
    float *data = random_floats((size_t)nnm_shape_elements(&shape), number, low, high);
    assert_ok(nnm_graph_add_constant(graph, name, &shape, data, &id, &err));
    return id;
}

static void add_outputs(nnm_graph *graph, nnm_op op, const nnm_attributes *attributes, const nnm_tensor_id *inputs,
                        size_t count, nnm_tensor_id outputs[NNM_NODE_MAX_OUTPUTS])
{
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_graph_add_node(graph, op, NULL, attributes, inputs, count, outputs, &err));
}

static nnm_tensor_id add_node(nnm_graph *graph, nnm_op op, const nnm_attributes *attributes,
                              const nnm_tensor_id *inputs, size_t count)
{
    nnm_tensor_id outputs[NNM_NODE_MAX_OUTPUTS];
    add_outputs(graph, op, attributes, inputs, count, outputs);
    return outputs[0];
}

static nnm_tensor_id add_unary(nnm_graph *graph, nnm_op op, nnm_tensor_id x)
{
    return add_node(graph, op, NULL, &x, 1);
}

static nnm_tensor_id add_binary(nnm_graph *graph, nnm_op op, nnm_tensor_id a, nnm_tensor_id b)
{
    return add_node(graph, op, NULL, (nnm_tensor_id[]){a, b}, 2);
}

static nnm_tensor_id add_batch_norm(nnm_graph *graph, nnm_tensor_id x, int64_t channels)
{
    nnm_shape shape = {1, {channels}};
    nnm_attributes attributes = {.epsilon = 1e-3};
    nnm_tensor_id inputs[5] = {x, add_constant(graph, shape, -1.5, 1.5), add_constant(graph, shape, -1, 1),
                               add_constant(graph, shape, -2, 2), add_constant(graph, shape, 0.01, 3)};
    return add_node(graph, NNM_OP_BATCH_NORM, &attributes, inputs, 5);
}

static nnm_tensor_id add_conv(nnm_graph *graph, nnm_tensor_id x, int64_t cin, int64_t cout)
{
    nnm_attributes attributes = {
        .kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1, .padding = NNM_PADDING_SAME, .groups = 1};
    nnm_tensor_id inputs[2] = {x, add_constant(graph, (nnm_shape){4, {cout, cin, 3, 3}}, -1, 1)};
    return add_node(graph, NNM_OP_CONV, &attributes, inputs, 2);
}

static void mark(nnm_graph *graph, nnm_tensor_id id)
{
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_graph_mark_output(graph, id, &err));
}

/* ---- comparing ---- */

static void assert_output_agrees(nnm_session *session, const nnm_graph *graph, const float *const *inputs, size_t index)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_tensor *output = nnm_graph_tensor(graph, nnm_graph_output(graph, index));
    size_t count = (size_t)nnm_shape_elements(&output->shape);
    float *got = malloc(count * sizeof *got);
    assert_non_null(got);
    double *expected = interpret(graph, inputs, index), largest = 0.0, worst = 0.0;
    assert_ok(nnm_backend_xnnpack_cpu.get_output(session, index, got, count, &err));
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(expected[i]));
        worst = fmax(worst, isfinite(got[i]) ? fabs((double)got[i] - expected[i]) : (double)INFINITY);
    }
    if (!(worst <= 1e-5 * largest))
        fail_msg("%s, layout %d: off by %g, the largest is %g", output->name, (int)nnm_graph_layout(graph), worst,
                 largest);
    free(expected);
    free(got);
}

/* Frees the graph. Inputs reach to both sides of where activations saturate. */
static void assert_agrees(nnm_graph *graph, unsigned threads)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    float *inputs[NNM_NODE_MAX_INPUTS] = {0};
    assert_ok(nnm_backend_xnnpack_cpu.supports(&nnm_backend_xnnpack_cpu, graph, &err));
    assert_ok(nnm_xnnpack_open_graph(&session, graph, &(nnm_session_options){.threads = threads}, &err));
    for (uint64_t repeat = 0; repeat < 2; repeat++) {
        for (size_t i = 0; i < nnm_graph_input_count(graph); i++) {
            size_t count = interpreter_count(graph, nnm_graph_input(graph, i));
            inputs[i] = random_floats(count, 1000 + 10 * repeat + i, -9, 9);
            assert_ok(nnm_backend_xnnpack_cpu.set_input(session, i, inputs[i], count, &err));
        }
        assert_ok(nnm_backend_xnnpack_cpu.run(session, &err));
        for (size_t i = 0; i < nnm_graph_output_count(graph); i++)
            assert_output_agrees(session, graph, (const float *const *)inputs, i);
        for (size_t i = 0; i < nnm_graph_input_count(graph); i++)
            free(inputs[i]);
    }
    nnm_backend_xnnpack_cpu.close(session);
    nnm_graph_free(graph);
}

static const nnm_layout layouts[] = {NNM_LAYOUT_NCHW, NNM_LAYOUT_NHWC};
static const int64_t sizes[][4] = {{1, 8, 14, 14}, {1, 6, 1, 1}, {3, 10, 7, 5}, {2, 2, 9, 9}, {1, 34, 4, 3}};
#define LAYOUT_COUNT (sizeof layouts / sizeof *layouts)
#define SIZE_COUNT (sizeof sizes / sizeof *sizes)

/* A graph of one node in each layout for each size, given to `add`, which returns its output. */
static void assert_each_agrees(nnm_tensor_id (*add)(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size),
                               nnm_op op)
{
    for (size_t i = 0; i < LAYOUT_COUNT * SIZE_COUNT; i++) {
        const int64_t *size = sizes[i / LAYOUT_COUNT];
        nnm_graph *graph = new_graph(layouts[i % LAYOUT_COUNT]);
        nnm_tensor_id x = add_input(graph, image(graph, size[0], size[1], size[2], size[3]));
        mark(graph, add(graph, x, op, size));
        assert_agrees(graph, 1);
    }
}

static nnm_tensor_id alone(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    (void)size;
    return add_unary(graph, op, x);
}

static nnm_tensor_id and_relu(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    (void)size;
    return add_unary(graph, NNM_OP_RELU, add_unary(graph, op, x));
}

static void test_activations(void **state)
{
    (void)state;
    const nnm_op ops[] = {NNM_OP_RELU,         NNM_OP_RELU6,      NNM_OP_SIGMOID,
                          NNM_OP_HARD_SIGMOID, NNM_OP_HARD_SWISH, NNM_OP_GLOBAL_AVERAGE_POOL};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        assert_each_agrees(alone, ops[i]);
        assert_each_agrees(and_relu, ops[i]);
    }
}

static nnm_tensor_id batch_norm(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    nnm_tensor_id y = add_batch_norm(graph, x, size[1]);
    return op == NNM_OP_RELU ? add_unary(graph, op, y) : y;
}

static void test_batch_norm_alone(void **state)
{
    (void)state;
    assert_each_agrees(batch_norm, NNM_OP_COUNT);
    assert_each_agrees(batch_norm, NNM_OP_RELU);
}

/* ---- several inputs ---- */

static nnm_tensor_id with_other(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    nnm_tensor_id other = add_input(graph, image(graph, size[0], size[1], size[2], size[3]));
    return add_binary(graph, op, x, other);
}

static nnm_tensor_id with_other_and_relu(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    return add_unary(graph, NNM_OP_RELU, with_other(graph, x, op, size));
}

static nnm_tensor_id with_constant(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    nnm_tensor_id other = add_constant(graph, image(graph, size[0], size[1], size[2], size[3]), -2, 2);
    return add_binary(graph, op, other, x);
}

static nnm_tensor_id with_channels(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    return add_binary(graph, op, x, add_input(graph, image(graph, size[0], size[1], 1, 1)));
}

static nnm_tensor_id with_itself(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    (void)size;
    return add_binary(graph, op, x, x);
}

static nnm_tensor_id with_its_sigmoid(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    (void)size;
    return add_binary(graph, op, x, add_unary(graph, NNM_OP_SIGMOID, x));
}

static void test_add_and_multiply(void **state)
{
    (void)state;
    const nnm_op ops[] = {NNM_OP_ADD, NNM_OP_MULTIPLY, NNM_OP_CONCAT};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        assert_each_agrees(with_other, ops[i]);
        assert_each_agrees(with_other_and_relu, ops[i]);
        assert_each_agrees(with_constant, ops[i]);
        assert_each_agrees(with_itself, ops[i]);
        assert_each_agrees(with_its_sigmoid, ops[i]);
    }
    assert_each_agrees(with_channels, NNM_OP_MULTIPLY);
}

static nnm_tensor_id four(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    nnm_tensor_id inputs[4] = {x};
    for (int64_t i = 1; i < 4; i++)
        inputs[i] = add_input(graph, image(graph, size[0], size[1] + 2 * i - 1, size[2], size[3]));
    return add_node(graph, op, NULL, inputs, 4);
}

static void test_concat_of_four(void **state)
{
    (void)state;
    assert_each_agrees(four, NNM_OP_CONCAT);
}

static nnm_tensor_id both_halves(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    (void)size;
    nnm_tensor_id halves[2];
    add_outputs(graph, op, NULL, &x, 1, halves);
    mark(graph, halves[1]);
    return halves[0];
}

static void test_split(void **state)
{
    (void)state;
    assert_each_agrees(both_halves, NNM_OP_SPLIT);
}

static nnm_tensor_id shuffle(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    nnm_attributes attributes = {.groups = 2};
    (void)size;
    return add_node(graph, op, &attributes, &x, 1);
}

static nnm_tensor_id shuffle_each(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    nnm_attributes attributes = {.groups = size[1]}; /* groups of one: nothing moves */
    return add_node(graph, op, &attributes, &x, 1);
}

static nnm_tensor_id shuffle_halves(nnm_graph *graph, nnm_tensor_id x, nnm_op op, const int64_t *size)
{
    nnm_attributes attributes = {.groups = size[1] > 2 ? size[1] / 2 : 2};
    return add_node(graph, op, &attributes, &x, 1);
}

static void test_channel_shuffle(void **state)
{
    (void)state;
    assert_each_agrees(shuffle, NNM_OP_CHANNEL_SHUFFLE);
    assert_each_agrees(shuffle_each, NNM_OP_CHANNEL_SHUFFLE);
    assert_each_agrees(shuffle_halves, NNM_OP_CHANNEL_SHUFFLE);
}

/* ---- pooling ---- */

static void assert_pool_agrees(nnm_op op, int64_t hw, int64_t kernel, int64_t stride, nnm_padding padding)
{
    int64_t pad = padding == NNM_PADDING_SAME ? 0 : (kernel - 1) / 2;
    nnm_attributes attributes = {.kernel_h = kernel,
                                 .kernel_w = kernel,
                                 .stride_h = stride,
                                 .stride_w = stride,
                                 .padding = padding,
                                 .pad_top = pad,
                                 .pad_left = pad,
                                 .pad_bottom = pad,
                                 .pad_right = pad};
    for (size_t i = 0; i < LAYOUT_COUNT; i++) {
        nnm_graph *graph = new_graph(layouts[i]);
        nnm_tensor_id x = add_input(graph, image(graph, 2, 5, hw, hw + 1));
        mark(graph, add_node(graph, op, &attributes, &x, 1));
        assert_agrees(graph, 1);
    }
}

static void test_pooling(void **state)
{
    (void)state;
    const nnm_op ops[] = {NNM_OP_MAX_POOL, NNM_OP_AVERAGE_POOL};
    for (size_t i = 0; i < 2; i++)
        for (int64_t kernel = 1; kernel <= 5; kernel++)
            for (int64_t stride = 1; stride <= 4; stride++) {
                if (kernel == 1 && stride > 1) continue; /* refused, see below */
                assert_pool_agrees(ops[i], 9, kernel, stride, NNM_PADDING_EXPLICIT);
                assert_pool_agrees(ops[i], 9, kernel, stride, NNM_PADDING_SAME);
                assert_pool_agrees(ops[i], 14, kernel, stride, NNM_PADDING_SAME);
                assert_pool_agrees(ops[i], 1, kernel, stride, NNM_PADDING_SAME);
            }
}

/* ---- several steps ---- */

/* The unit of a network with channel shuffles: one half passes, the other is computed. */
static nnm_graph *shuffle_unit(nnm_layout layout)
{
    nnm_graph *graph = new_graph(layout);
    nnm_tensor_id halves[2], x = add_input(graph, image(graph, 2, 12, 9, 7));
    x = add_unary(graph, NNM_OP_RELU, add_batch_norm(graph, add_conv(graph, x, 12, 12), 12));
    add_outputs(graph, NNM_OP_SPLIT, NULL, &x, 1, halves);
    nnm_tensor_id y = add_unary(graph, NNM_OP_RELU, add_batch_norm(graph, add_conv(graph, halves[1], 6, 8), 8));
    y = add_binary(graph, NNM_OP_CONCAT, halves[0], y);
    mark(graph, y); /* read inside and outside */
    y = add_node(graph, NNM_OP_CHANNEL_SHUFFLE, &(nnm_attributes){.groups = 2}, &y, 1);
    nnm_tensor_id pooled = add_unary(graph, NNM_OP_GLOBAL_AVERAGE_POOL, y);
    mark(graph, add_binary(graph, NNM_OP_MULTIPLY, y, add_unary(graph, NNM_OP_HARD_SIGMOID, pooled)));
    return graph;
}

static void test_several_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYOUT_COUNT; i++)
        assert_agrees(shuffle_unit(layouts[i]), 1);
}

static void test_several_steps_with_threads(void **state)
{
    (void)state;
#if defined(__SANITIZE_THREAD__)
    skip(); /* the thread pool is not instrumented */
#endif
    assert_agrees(shuffle_unit(NNM_LAYOUT_NCHW), 2);
}

/* What is also read elsewhere is not taken into one pass. */
static void test_forks(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYOUT_COUNT; i++) {
        nnm_graph *graph = new_graph(layouts[i]);
        nnm_tensor_id x = add_input(graph, image(graph, 1, 6, 5, 5));
        nnm_tensor_id conv = add_conv(graph, x, 6, 4);
        mark(graph, conv);
        nnm_tensor_id norm = add_batch_norm(graph, conv, 4);
        nnm_tensor_id relu = add_unary(graph, NNM_OP_RELU, norm);
        nnm_tensor_id again = add_batch_norm(graph, add_unary(graph, NNM_OP_RELU6, relu), 4);
        mark(graph, add_binary(graph, NNM_OP_ADD, norm, again));
        mark(graph, add_unary(graph, NNM_OP_RELU6, norm));
        assert_agrees(graph, 1);
    }
}

static void test_flatten_in_either_layout(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYOUT_COUNT; i++) {
        nnm_graph *graph = new_graph(layouts[i]);
        nnm_tensor_id x = add_input(graph, image(graph, 2, 5, 3, 4));
        nnm_tensor_id flat = add_unary(graph, NNM_OP_FLATTEN, x);
        mark(graph,
             add_binary(graph, NNM_OP_FULLY_CONNECTED, flat, add_constant(graph, (nnm_shape){2, {7, 60}}, -1, 1)));
        if (layouts[i] == NNM_LAYOUT_NHWC) mark(graph, flat);
        nnm_tensor_id pooled = add_unary(graph, NNM_OP_GLOBAL_AVERAGE_POOL, x);
        mark(graph, add_unary(graph, NNM_OP_FLATTEN, pooled));
        assert_agrees(graph, 1);
    }
}

static void test_matrix_product(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYOUT_COUNT; i++) {
        nnm_graph *graph = new_graph(layouts[i]);
        nnm_tensor_id x = add_input(graph, (nnm_shape){3, {2, 5, 13}});
        x = add_binary(graph, NNM_OP_FULLY_CONNECTED, x, add_constant(graph, (nnm_shape){2, {5, 13}}, -1, 1));
        mark(graph, add_unary(graph, NNM_OP_RELU, x));
        assert_agrees(graph, 1);
    }
}

/* ---- what is refused ---- */

static void assert_refused(nnm_graph *graph, const char *why)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    assert_fails(nnm_backend_xnnpack_cpu.supports(&nnm_backend_xnnpack_cpu, graph, &err), NNM_ERR_UNSUPPORTED, why);
    assert_fails(nnm_xnnpack_open_graph(&session, graph, &one_thread, &err), NNM_ERR_UNSUPPORTED, why);
    assert_null(session);
    nnm_graph_free(graph);
}

static void test_refusals(void **state)
{
    (void)state;
    nnm_attributes skips = {.kernel_h = 1, .kernel_w = 1, .stride_h = 2, .stride_w = 1};
    nnm_graph *graph = new_graph(NNM_LAYOUT_NHWC);
    nnm_tensor_id x = add_input(graph, image(graph, 1, 4, 5, 5));
    mark(graph, add_node(graph, NNM_OP_AVERAGE_POOL, &skips, &x, 1));
    assert_refused(graph, "has a window of 1 x 1 that skips pixels");

    graph = new_graph(NNM_LAYOUT_NCHW);
    x = add_input(graph, (nnm_shape){3, {2, 4, 6}});
    mark(graph, add_binary(graph, NNM_OP_CONCAT, x, x));
    assert_refused(graph, "has 3 dimensions in NCHW");

    /* The rows are the channels here, so that the batch norm cannot be folded into the weights. */
    graph = new_graph(NNM_LAYOUT_NCHW);
    x = add_input(graph, (nnm_shape){3, {2, 5, 5}});
    x = add_binary(graph, NNM_OP_FULLY_CONNECTED, x, add_constant(graph, (nnm_shape){2, {5, 5}}, -1, 1));
    mark(graph, add_batch_norm(graph, x, 5));
    assert_refused(graph, "alone only images are mapped");

    assert_refused(new_graph(NNM_LAYOUT_NCHW), "the graph computes nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_batch_norm_alone),
        cmocka_unit_test(test_add_and_multiply),
        cmocka_unit_test(test_concat_of_four),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_channel_shuffle),
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_several_steps),
        cmocka_unit_test(test_several_steps_with_threads),
        cmocka_unit_test(test_forks),
        cmocka_unit_test(test_flatten_in_either_layout),
        cmocka_unit_test(test_matrix_product),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
