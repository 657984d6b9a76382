/* The graphs of kernels: shapes, operators and weights. */
#include "unit/kernel_by_name.h"

#include <math.h>

#include "kernels/weights.h"

static nnm_graph *build(const char *kernel, const char *config, nnm_graph_options options)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_kernel_config parsed = parse(find(kernel), config);
    assert_ok(nnm_kernel_build_graph(&graph, find(kernel), &parsed, &options, &err));
    return graph;
}

static void assert_shape(const nnm_shape *shape, nnm_shape expected)
{
    assert_int_equal(shape->rank, expected.rank);
    for (size_t i = 0; i < NNM_MAX_RANK; i++)
        assert_int_equal(shape->dim[i], expected.dim[i]);
}

static void graphs_have_the_shapes_of_their_layout(void **state)
{
    (void)state;
    const struct {
        const char *kernel, *config;
        nnm_graph_options options;
        nnm_shape input, output;
        nnm_op ops[3];
        size_t nodes;
        int64_t groups;
    } cases[] = {
        {"conv-bn-relu",
         "HW=13,CIN=8,COUT=16,KERNEL_SIZE=7,STRIDES=4",
         {NNM_LAYOUT_NCHW, 3, 1, false},
         {4, {3, 8, 13, 13}},
         {4, {3, 16, 4, 4}},
         {NNM_OP_CONV, NNM_OP_BATCH_NORM, NNM_OP_RELU},
         3,
         1},
        {"conv-bn-relu",
         "HW=13,CIN=8,COUT=16,KERNEL_SIZE=7,STRIDES=4",
         {NNM_LAYOUT_NHWC, 3, 1, false},
         {4, {3, 13, 13, 8}},
         {4, {3, 4, 4, 16}},
         {NNM_OP_CONV, NNM_OP_BATCH_NORM, NNM_OP_RELU},
         3,
         1},
        {"conv-bn-relu",
         "HW=8,CIN=8,COUT=16,KERNEL_SIZE=2,STRIDES=1",
         {NNM_LAYOUT_NCHW, 1, 1, false},
         {4, {1, 8, 8, 8}},
         {4, {1, 16, 7, 7}},
         {NNM_OP_CONV, NNM_OP_BATCH_NORM, NNM_OP_RELU},
         3,
         1},
        {"dwconv-bn-relu",
         "HW=7,CIN=24,KERNEL_SIZE=5,STRIDES=2",
         {NNM_LAYOUT_NCHW, 1, 1, false},
         {4, {1, 24, 7, 7}},
         {4, {1, 24, 4, 4}},
         {NNM_OP_CONV, NNM_OP_BATCH_NORM, NNM_OP_RELU},
         3,
         24},
        {"fc",
         "CIN=20,COUT=10",
         {NNM_LAYOUT_NHWC, 2, 1, false},
         {2, {2, 20}},
         {2, {2, 10}},
         {NNM_OP_FULLY_CONNECTED},
         1,
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_graph *graph = build(cases[i].kernel, cases[i].config, cases[i].options);
        assert_int_equal(nnm_graph_input_count(graph), 1);
        assert_shape(&nnm_graph_tensor(graph, nnm_graph_input(graph, 0))->shape, cases[i].input);
        assert_shape(&nnm_graph_tensor(graph, nnm_graph_output(graph, 0))->shape, cases[i].output);
        assert_int_equal(nnm_graph_node_count(graph), cases[i].nodes);
        for (size_t j = 0; j < cases[i].nodes; j++)
            assert_int_equal(nnm_graph_node(graph, j)->op, cases[i].ops[j]);
        assert_int_equal(nnm_graph_node(graph, 0)->attributes.groups, cases[i].groups);
        assert_int_equal(nnm_graph_node(graph, 0)->input_count, 3);
        nnm_graph_free(graph);
    }
}

static void kernels_are_the_operators_of_their_names(void **state)
{
    (void)state;
    const struct {
        const char *kernel, *config;
        size_t inputs, outputs;
        nnm_shape output; /* NCHW */
        nnm_op ops[7];    /* ended by NNM_OP_COUNT */
    } cases[] = {
        {"conv-bn-relu6",
         "HW=4,CIN=2,COUT=3,KERNEL_SIZE=3,STRIDES=2",
         1,
         1,
         {4, {2, 3, 2, 2}},
         {NNM_OP_CONV, NNM_OP_BATCH_NORM, NNM_OP_RELU6, NNM_OP_COUNT}},
        {"conv-block",
         "HW=4,CIN=2,COUT=3,KERNEL_SIZE=3,STRIDES=2",
         1,
         1,
         {4, {2, 3, 2, 2}},
         {NNM_OP_CONV, NNM_OP_COUNT}},
        {"conv-hswish",
         "HW=4,CIN=2,COUT=3,KERNEL_SIZE=3,STRIDES=2",
         1,
         1,
         {4, {2, 3, 2, 2}},
         {NNM_OP_CONV, NNM_OP_HARD_SWISH, NNM_OP_COUNT}},
        {"dwconv-swish",
         "HW=4,CIN=3,KERNEL_SIZE=3,STRIDES=2",
         1,
         1,
         {4, {2, 3, 2, 2}},
         {NNM_OP_CONV, NNM_OP_BATCH_NORM, NNM_OP_SIGMOID, NNM_OP_MULTIPLY, NNM_OP_COUNT}},
        {"maxpool",
         "HW=5,CIN=3,KERNEL_SIZE=3,POOL_STRIDES=2",
         1,
         1,
         {4, {2, 3, 3, 3}},
         {NNM_OP_MAX_POOL, NNM_OP_COUNT}},
        {"avgpool",
         "HW=8,CIN=3,KERNEL_SIZE=2,POOL_STRIDES=2",
         1,
         1,
         {4, {2, 3, 4, 4}},
         {NNM_OP_AVERAGE_POOL, NNM_OP_COUNT}},
        {"concat", "HW=4,CIN1=3,CIN2=4", 2, 1, {4, {2, 7, 4, 4}}, {NNM_OP_CONCAT, NNM_OP_COUNT}},
        {"concat", "HW=4,CIN1=3,CIN2=4,CIN3=1,CIN4=2", 4, 1, {4, {2, 10, 4, 4}}, {NNM_OP_CONCAT, NNM_OP_COUNT}},
        {"split", "HW=4,CIN=6", 1, 2, {4, {2, 3, 4, 4}}, {NNM_OP_SPLIT, NNM_OP_COUNT}},
        {"channelshuffle", "HW=4,CIN=6", 1, 1, {4, {2, 6, 4, 4}}, {NNM_OP_CHANNEL_SHUFFLE, NNM_OP_COUNT}},
        {"se",
         "HW=4,CIN=6",
         1,
         1,
         {4, {2, 6, 4, 4}},
         {NNM_OP_GLOBAL_AVERAGE_POOL, NNM_OP_CONV, NNM_OP_RELU, NNM_OP_CONV, NNM_OP_HARD_SIGMOID, NNM_OP_MULTIPLY,
          NNM_OP_COUNT}},
        {"global-avgpool", "HW=4,CIN=6", 1, 1, {4, {2, 6, 1, 1}}, {NNM_OP_GLOBAL_AVERAGE_POOL, NNM_OP_COUNT}},
        {"bnrelu", "HW=4,CIN=6", 1, 1, {4, {2, 6, 4, 4}}, {NNM_OP_BATCH_NORM, NNM_OP_RELU, NNM_OP_COUNT}},
        {"swish", "HW=4,CIN=6", 1, 1, {4, {2, 6, 4, 4}}, {NNM_OP_SIGMOID, NNM_OP_MULTIPLY, NNM_OP_COUNT}},
        {"addrelu", "HW=4,CIN=6", 2, 1, {4, {2, 6, 4, 4}}, {NNM_OP_ADD, NNM_OP_RELU, NNM_OP_COUNT}},
        {"matmul", "B=3,M=4,N=5,K=6", 1, 1, {3, {6, 4, 5}}, {NNM_OP_FULLY_CONNECTED, NNM_OP_COUNT}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_graph *graph = build(cases[i].kernel, cases[i].config, (nnm_graph_options){NNM_LAYOUT_NCHW, 2, 1, false});
        assert_int_equal(nnm_graph_input_count(graph), cases[i].inputs);
        assert_int_equal(nnm_graph_output_count(graph), cases[i].outputs);
        for (size_t j = 0; j < cases[i].outputs; j++)
            assert_shape(&nnm_graph_tensor(graph, nnm_graph_output(graph, j))->shape, cases[i].output);
        size_t nodes = 0;
        for (; cases[i].ops[nodes] != NNM_OP_COUNT; nodes++)
            assert_int_equal(nnm_graph_node(graph, nodes)->op, cases[i].ops[nodes]);
        assert_int_equal(nnm_graph_node_count(graph), nodes);
        nnm_graph_free(graph);
    }
}

/* A quarter of the channels, and one where there are fewer than four. */
static void squeezing_leaves_a_channel(void **state)
{
    (void)state;
    const struct {
        const char *config;
        int64_t squeezed;
    } cases[] = {{"HW=2,CIN=1", 1}, {"HW=2,CIN=3", 1}, {"HW=2,CIN=4", 1}, {"HW=2,CIN=9", 2}, {"HW=2,CIN=64", 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_graph *graph = build("se", cases[i].config, (nnm_graph_options){NNM_LAYOUT_NHWC, 1, 1, false});
        assert_int_equal(nnm_graph_tensor(graph, nnm_graph_node(graph, 1)->outputs[0])->shape.dim[3],
                         cases[i].squeezed);
        nnm_graph_free(graph);
    }
}

static void input_shapes_leave_the_batch_out(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    size_t count = 0;
    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS];
    nnm_kernel_config config = parse(find("conv-bn-relu"), "HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1");
    assert_ok(nnm_kernel_input_shapes(find("conv-bn-relu"), &config, NNM_LAYOUT_NCHW, shapes, &count, &err));
    assert_int_equal(count, 1);
    assert_shape(&shapes[0], (nnm_shape){3, {64, 56, 56}});
    assert_ok(nnm_kernel_input_shapes(find("conv-bn-relu"), &config, NNM_LAYOUT_NHWC, shapes, &count, &err));
    assert_int_equal(count, 1);
    assert_shape(&shapes[0], (nnm_shape){3, {56, 56, 64}});
    config = parse(find("fc"), "CIN=20,COUT=10");
    assert_ok(nnm_kernel_input_shapes(find("fc"), &config, NNM_LAYOUT_NCHW, shapes, &count, &err));
    assert_int_equal(count, 1);
    assert_shape(&shapes[0], (nnm_shape){1, {20}});
    config = parse(find("concat"), "HW=7,CIN1=3,CIN2=4,CIN3=5");
    assert_ok(nnm_kernel_input_shapes(find("concat"), &config, NNM_LAYOUT_NHWC, shapes, &count, &err));
    assert_int_equal(count, 3);
    assert_shape(&shapes[2], (nnm_shape){3, {7, 7, 5}});
    config = parse(find("add"), "HW=7,CIN=3");
    assert_ok(nnm_kernel_input_shapes(find("add"), &config, NNM_LAYOUT_NCHW, shapes, &count, &err));
    assert_int_equal(count, 2);
    assert_shape(&shapes[1], (nnm_shape){3, {3, 7, 7}});
    config = parse(find("matmul"), "B=2,M=3,N=4,K=5");
    assert_ok(nnm_kernel_input_shapes(find("matmul"), &config, NNM_LAYOUT_NHWC, shapes, &count, &err));
    assert_int_equal(count, 1);
    assert_shape(&shapes[0], (nnm_shape){3, {2, 3, 5}});
}

static void graphs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    const nnm_kernel *conv = find("conv-bn-relu");
    nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
    nnm_kernel_config config = parse(conv, "HW=1,CIN=1,COUT=1,KERNEL_SIZE=2,STRIDES=1");
    assert_fails(nnm_kernel_build_graph(&graph, conv, &config, &options, &err), NNM_ERR_VALUE,
                 "conv-bn-relu: KERNEL_SIZE=2 does not fit into HW=1 with a symmetric padding of 0");
    options.layout = NNM_LAYOUT_NHWC;
    assert_ok(nnm_kernel_build_graph(&graph, conv, &config, &options, &err));
    nnm_graph_free(graph);
    graph = NULL;

    const nnm_kernel *pool = find("maxpool");
    nnm_kernel_config single = parse(pool, "HW=1,CIN=1,KERNEL_SIZE=2,POOL_STRIDES=1");
    options.layout = NNM_LAYOUT_NCHW;
    assert_fails(nnm_kernel_build_graph(&graph, pool, &single, &options, &err), NNM_ERR_VALUE,
                 "maxpool: KERNEL_SIZE=2 does not fit into HW=1 with a symmetric padding of 0");

    options.batch_size = 0;
    assert_fails(nnm_kernel_build_graph(&graph, conv, &config, &options, &err), NNM_ERR_INVALID_ARGUMENT,
                 "the batch size is 0");
    options.batch_size = INT64_MAX;
    assert_fails(nnm_kernel_build_graph(&graph, conv, &config, &options, &err), NNM_ERR_VALUE,
                 "batch size 9223372036854775807: conv-bn-relu with HW=1");
    options.batch_size = 1;
    config.value[0] = 0;
    assert_fails(nnm_kernel_build_graph(&graph, conv, &config, &options, &err), NNM_ERR_VALUE, "HW=0 is out of range");
    options.layout = (nnm_layout)9;
    config.value[0] = 3;
    assert_fails(nnm_kernel_build_graph(&graph, conv, &config, &options, &err), NNM_ERR_INVALID_ARGUMENT, "layout 9");
    assert_null(graph);
}

/* ---- weights ---- */

static const nnm_tensor *tensor_called(const nnm_graph *graph, const char *name)
{
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++)
        if (strcmp(nnm_graph_tensor(graph, i)->name, name) == 0) return nnm_graph_tensor(graph, i);
    fail_msg("no tensor is called '%s'", name);
    return NULL;
}

static bool same_data(const nnm_graph *a, const nnm_graph *b, const char *name)
{
    const nnm_tensor *x = tensor_called(a, name), *y = tensor_called(b, name);
    assert_int_equal(nnm_shape_elements(&x->shape), nnm_shape_elements(&y->shape));
    return memcmp(x->data, y->data, (size_t)nnm_shape_elements(&x->shape) * sizeof(float)) == 0;
}

static void equal_seeds_give_equal_weights(void **state)
{
    (void)state;
    const char *config = "HW=8,CIN=3,COUT=5,KERNEL_SIZE=3,STRIDES=1";
    nnm_graph *a = build("conv-bn-relu", config, (nnm_graph_options){NNM_LAYOUT_NCHW, 1, 7, false});
    nnm_graph *b = build("conv-bn-relu", config, (nnm_graph_options){NNM_LAYOUT_NHWC, 2, 7, false});
    nnm_graph *c = build("conv-bn-relu", config, (nnm_graph_options){NNM_LAYOUT_NCHW, 1, 8, false});
    const char *const names[] = {"conv.weight", "conv.bias", "bn.scale", "bn.bias", "bn.mean", "bn.variance"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(same_data(a, b, names[i]));
        assert_false(same_data(a, c, names[i]));
    }
    assert_false(memcmp(tensor_called(a, "bn.bias")->data, tensor_called(a, "bn.mean")->data, 5 * sizeof(float)) == 0);
    nnm_graph_free(a);
    nnm_graph_free(b);
    nnm_graph_free(c);
}

/* The numbers are pinned: model files must be the same on every machine and in every later version. */
static void weights_depend_on_seed_name_and_index_only(void **state)
{
    (void)state;
    static const float pinned[4] = {1.41753531F, 0.674383759F, 0.596082449F, 1.15880203F};
    float seven[7], four[4];
    nnm_weights_fill(seven, 7, 42, "conv.weight", 1, 0.5F);
    nnm_weights_fill(four, 4, 42, "conv.weight", 1, 0.5F);
    assert_memory_equal(four, seven, sizeof four);
    for (size_t i = 0; i < 4; i++)
        if (four[i] != pinned[i]) fail_msg("weight %zu is %.9g", i, (double)four[i]);
    nnm_weights_fill(seven, 3, 42, "conv.weight", 1, 0.5F);
    assert_memory_equal(four, seven, 3 * sizeof *four);
}

static double variance_of(const nnm_tensor *tensor, double *mean)
{
    double sum = 0, squares = 0;
    size_t count = (size_t)nnm_shape_elements(&tensor->shape);
    for (size_t i = 0; i < count; i++) {
        assert_true(isnormal(tensor->data[i]));
        sum += (double)tensor->data[i];
        squares += (double)tensor->data[i] * (double)tensor->data[i];
    }
    *mean = sum / (double)count;
    return squares / (double)count - *mean * *mean;
}

static void weights_are_scaled_to_keep_the_variance(void **state)
{
    (void)state;
    const struct {
        const char *kernel, *config, *weight;
        double variance;
    } cases[] = {
        {"conv-bn-relu", "HW=8,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1", "conv.weight", 2.0 / (64 * 9)},
        {"dwconv-bn-relu", "HW=8,CIN=4096,KERNEL_SIZE=5,STRIDES=1", "conv.weight", 2.0 / 25},
        {"fc", "CIN=512,COUT=256", "fc.weight", 1.0 / 512},
        {"matmul", "B=1,M=1,N=256,K=512", "matmul.weight", 1.0 / 512},
        {"se", "HW=1,CIN=1024", "squeeze.weight", 2.0 / 1024},
        {"se", "HW=1,CIN=1024", "excite.weight", 2.0 / 256},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_graph *graph = build(cases[i].kernel, cases[i].config, (nnm_graph_options){NNM_LAYOUT_NCHW, 1, 3, false});
        double mean, variance = variance_of(tensor_called(graph, cases[i].weight), &mean);
        assert_true(fabs(variance / cases[i].variance - 1) < 0.03);
        assert_true(fabs(mean) < 0.02 * sqrt(cases[i].variance));
        nnm_graph_free(graph);
    }
    nnm_graph *graph = build(cases[0].kernel, cases[0].config, (nnm_graph_options){NNM_LAYOUT_NCHW, 1, 3, false});
    double mean;
    variance_of(tensor_called(graph, "bn.scale"), &mean);
    assert_true(fabs(mean - 1) < 0.05);
    variance_of(tensor_called(graph, "bn.mean"), &mean);
    assert_true(fabs(mean) < 0.05);
    const nnm_tensor *variances = tensor_called(graph, "bn.variance");
    for (size_t i = 0; i < 128; i++)
        assert_true(variances->data[i] > 0.8F && variances->data[i] < 1.2F);
    assert_true(nnm_graph_node(graph, 1)->attributes.epsilon > 0);
    nnm_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graphs_have_the_shapes_of_their_layout),
        cmocka_unit_test(kernels_are_the_operators_of_their_names),
        cmocka_unit_test(squeezing_leaves_a_channel),
        cmocka_unit_test(input_shapes_leave_the_batch_out),
        cmocka_unit_test(graphs_that_cannot_be_are_refused),
        cmocka_unit_test(equal_seeds_give_equal_weights),
        cmocka_unit_test(weights_depend_on_seed_name_and_index_only),
        cmocka_unit_test(weights_are_scaled_to_keep_the_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
