#include "unit/testing.h"

#include <inttypes.h>
#include <math.h>

#include "base/buffer.h"
#include "base/file.h"
#include "kernels/weights.h"
#include "nnmeter/kernel.h"

static const nnm_kernel *find(const char *name)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    assert_ok(nnm_kernel_find(&kernel, name, &err));
    return kernel;
}

static nnm_kernel_config parse(const nnm_kernel *kernel, const char *text)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_config config = {{0}};
    assert_ok(nnm_kernel_config_parse(&config, kernel, text, &err));
    return config;
}

/* ---- the catalogue and its document ---- */

static void the_catalogue_has_the_published_kernels(void **state)
{
    (void)state;
    const struct {
        const char *name, *family;
        size_t samples, trees, depth, features;
        const char *params[5];
    } expected[] = {
        {"conv-bn-relu", "conv", 1000, 320, 70, 6, {"HW", "CIN", "COUT", "KERNEL_SIZE", "STRIDES"}},
        {"dwconv-bn-relu", "dwconv", 500, 240, 50, 6, {"HW", "CIN", "COUT", "KERNEL_SIZE", "STRIDES"}},
        {"fc", "fc", 300, 370, 50, 2, {"CIN", "COUT"}},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const nnm_kernel *kernel = find(expected[i].name);
        assert_string_equal(nnm_kernel_name(kernel), expected[i].name);
        assert_string_equal(nnm_kernel_family(kernel), expected[i].family);
        assert_int_equal(nnm_kernel_default_samples(kernel), expected[i].samples);
        nnm_kernel_forest forest = nnm_kernel_default_forest(kernel);
        assert_int_equal(forest.trees, expected[i].trees);
        assert_int_equal(forest.max_depth, expected[i].depth);
        assert_int_equal(forest.max_features, expected[i].features);
        for (size_t j = 0; j < 5 && expected[i].params[j]; j++) {
            assert_true(j < nnm_kernel_param_count(kernel));
            assert_string_equal(nnm_kernel_param_name(kernel, j), expected[i].params[j]);
            assert_int_equal(nnm_kernel_param_index(kernel, expected[i].params[j]), (int)j);
        }
    }
    assert_int_equal(nnm_kernel_param_index(find("fc"), "HW"), -1);
}

static void every_kernel_can_be_built_from_its_smallest_configuration(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    assert_true(nnm_kernel_count() > 0);
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        const nnm_kernel *kernel = nnm_kernel_at(i);
        assert_ptr_equal(find(nnm_kernel_name(kernel)), kernel);
        assert_true(nnm_kernel_param_count(kernel) <= NNM_KERNEL_MAX_PARAMS);
        assert_true(nnm_kernel_feature_count(kernel) <= NNM_KERNEL_MAX_FEATURES);
        nnm_kernel_config config = {{0}};
        for (size_t j = 0; j < nnm_kernel_param_count(kernel); j++) {
            int64_t maximum = 0;
            nnm_kernel_param_range(kernel, j, &config.value[j], &maximum);
            assert_true(config.value[j] >= 0 && config.value[j] < maximum);
        }
        for (nnm_layout layout = NNM_LAYOUT_NCHW; layout <= NNM_LAYOUT_NHWC; layout++) {
            nnm_graph_options options = {layout, 1, 0};
            nnm_graph *graph = NULL;
            assert_ok(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err));
            bool halves = strcmp(nnm_kernel_name(kernel), "split") == 0;
            assert_int_equal(nnm_graph_output_count(graph), halves ? 2 : 1);
            nnm_graph_free(graph);
        }
    }
}

static void unknown_kernels_are_not_found(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    assert_fails(nnm_kernel_find(&kernel, "conv-bn-rleu", &err), NNM_ERR_NOT_FOUND, "did you mean 'conv-bn-relu'?");
    assert_fails(nnm_kernel_find(&kernel, "lstm", &err), NNM_ERR_NOT_FOUND,
                 "there is no kernel type 'lstm'; known are conv-bn-relu, conv-bn-relu6, ");
    assert_null(kernel);
}

/* The line that docs/kernels.md has for a kernel. */
static void append_row(nnm_buffer *text, const nnm_kernel *kernel)
{
    nnm_buffer_printf(text, "| `%s` | %s |", nnm_kernel_name(kernel), nnm_kernel_family(kernel));
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
        int64_t minimum, maximum;
        nnm_kernel_param_range(kernel, i, &minimum, &maximum);
        nnm_buffer_printf(text, "%s `%s` %" PRId64 "..%" PRId64, i ? "," : "", nnm_kernel_param_name(kernel, i),
                          minimum, maximum);
    }
    nnm_buffer_text(text, " |");
    for (size_t i = nnm_kernel_param_count(kernel); i < nnm_kernel_feature_count(kernel); i++)
        nnm_buffer_printf(text, "%s `%s`", i > nnm_kernel_param_count(kernel) ? "," : "",
                          nnm_kernel_feature_name(kernel, i));
    nnm_kernel_forest forest = nnm_kernel_default_forest(kernel);
    nnm_buffer_printf(text, " | %zu | %zu / %zu / %zu |\n", nnm_kernel_default_samples(kernel), forest.trees,
                      forest.max_depth, forest.max_features);
}

static void the_document_has_every_kernel(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char *document = NULL;
    size_t size = 0;
    assert_ok(nnm_file_read(NNM_DOCS "/kernels.md", &document, &size, &err));
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        nnm_buffer row = {0};
        append_row(&row, nnm_kernel_at(i));
        assert_ok(nnm_buffer_check(&row, &err));
        if (!strstr(document, row.data)) fail_msg("docs/kernels.md lacks the line\n%s", row.data);
        nnm_buffer_fini(&row);
    }
    free(document);
}

/* ---- configurations ---- */

static void configurations_are_read_in_any_order(void **state)
{
    (void)state;
    const nnm_kernel *conv = find("conv-bn-relu"), *dwconv = find("dwconv-bn-relu");
    nnm_kernel_config config = parse(conv, " STRIDES = 2,KERNEL_SIZE=3 ,COUT=128, CIN=64,HW=56");
    assert_int_equal(config.value[0], 56);
    assert_int_equal(config.value[1], 64);
    assert_int_equal(config.value[2], 128);
    assert_int_equal(config.value[3], 3);
    assert_int_equal(config.value[4], 2);
    assert_int_equal(config.value[5], 0);

    char text[64];
    nnm_kernel_config_format(conv, &config, text, sizeof text);
    assert_string_equal(text, "HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=2");
    nnm_kernel_config_format(conv, &config, text, 10);
    assert_string_equal(text, "HW=56,CIN");
    nnm_kernel_config_format(conv, &config, text, 1);
    assert_string_equal(text, "");

    nnm_kernel_config a = parse(dwconv, "HW=7,CIN=24,KERNEL_SIZE=5,STRIDES=1");
    nnm_kernel_config b = parse(dwconv, "HW=7,CIN=24,COUT=24,KERNEL_SIZE=5,STRIDES=1");
    nnm_kernel_config c = parse(dwconv, "HW=7,CIN=24,KERNEL_SIZE=5,STRIDES=2");
    assert_true(nnm_kernel_config_equal(dwconv, &a, &b));
    assert_false(nnm_kernel_config_equal(dwconv, &a, &c));
}

static void bad_configurations_are_refused_by_name(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const struct {
        const char *kernel, *text;
        nnm_status code;
        const char *message;
    } cases[] = {
        {"fc", "CIN=1", NNM_ERR_PARSE, "COUT is missing; fc needs it"},
        {"dwconv-bn-relu", "HW=1,KERNEL_SIZE=1,STRIDES=1", NNM_ERR_PARSE, "CIN is missing"},
        {"fc", "", NNM_ERR_PARSE, "'' is not NAME=VALUE"},
        {"fc", "CIN=1,,COUT=2", NNM_ERR_PARSE, "'' is not NAME=VALUE"},
        {"fc", "CIN=1,COUT", NNM_ERR_PARSE, "'COUT' is not NAME=VALUE"},
        {"fc", "CIN=1,COUT=1,CIN=1", NNM_ERR_PARSE, "CIN is given twice"},
        {"fc", "CIN=1,COT=1", NNM_ERR_PARSE, "fc has no parameter 'COT'; did you mean 'COUT'?"},
        {"fc", "CIN=1,STRIDES=1", NNM_ERR_PARSE, "fc has no parameter 'STRIDES'; it has CIN, COUT"},
        {"fc", "CIN=1.5,COUT=1", NNM_ERR_VALUE, "CIN: '1.5' is not a whole number"},
        {"fc", "CIN=,COUT=1", NNM_ERR_VALUE, "CIN: '' is not a whole number"},
        {"fc", "CIN=1=2,COUT=1", NNM_ERR_VALUE, "CIN: '1=2' is not a whole number"},
        {"fc", "CIN=99999999999999999999,COUT=1", NNM_ERR_VALUE, "CIN: '99999999999999999999' is not"},
        {"fc", "CIN=0,COUT=1", NNM_ERR_VALUE, "fc: CIN=0 is out of range; allowed are 1 to 1048576"},
        {"fc", "CIN=1,COUT=1048577", NNM_ERR_VALUE, "COUT=1048577 is out of range"},
        {"conv-bn-relu", "HW=4097,CIN=1,COUT=1,KERNEL_SIZE=1,STRIDES=1", NNM_ERR_VALUE, "HW=4097 is out of range"},
        {"conv-bn-relu", "HW=1,CIN=65537,COUT=1,KERNEL_SIZE=1,STRIDES=1", NNM_ERR_VALUE, "CIN=65537 is out of range"},
        {"conv-bn-relu", "HW=1,CIN=1,COUT=1,KERNEL_SIZE=32,STRIDES=1", NNM_ERR_VALUE,
         "KERNEL_SIZE=32 is out of range; allowed are 1 to 31"},
        {"conv-bn-relu", "HW=1,CIN=1,COUT=1,KERNEL_SIZE=1,STRIDES=17", NNM_ERR_VALUE, "STRIDES=17 is out of range"},
        {"dwconv-bn-relu", "HW=1,CIN=8,COUT=16,KERNEL_SIZE=1,STRIDES=1", NNM_ERR_VALUE, "COUT=16 must equal CIN=8"},
        {"conv-bn-relu", "HW=4096,CIN=65536,COUT=1,KERNEL_SIZE=1,STRIDES=1", NNM_ERR_VALUE,
         "the input would take 4398046511104 bytes; at most 2147483647 are allowed"},
        {"conv-bn-relu", "HW=4096,CIN=1,COUT=64,KERNEL_SIZE=1,STRIDES=1", NNM_ERR_VALUE,
         "the output would take 4294967296 bytes"},
        {"conv-bn-relu", "HW=1,CIN=65536,COUT=65536,KERNEL_SIZE=31,STRIDES=1", NNM_ERR_VALUE, "the weight would take"},
        {"fc", "CIN=32768,COUT=16384", NNM_ERR_VALUE,
         "fc with CIN=32768,COUT=16384: the weight would take 2147483648 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_kernel_config config = {{-5}};
        assert_fails(nnm_kernel_config_parse(&config, find(cases[i].kernel), cases[i].text, &err), cases[i].code,
                     cases[i].message);
        assert_int_equal(config.value[0], -5);
    }
    /* The largest that is allowed. */
    nnm_kernel_config largest = {{32767, 16384}};
    assert_ok(nnm_kernel_config_check(find("fc"), &largest, &err));
}

static void lists_of_configurations_grow(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_config_list list = {0};
    for (int64_t i = 0; i < 100; i++)
        assert_ok(nnm_config_list_add(&list, &(nnm_kernel_config){{i}}, &err));
    assert_int_equal(list.count, 100);
    assert_int_equal(list.items[99].value[0], 99);
    nnm_config_list_fini(&list);
    assert_null(list.items);
    assert_int_equal(list.count, 0);
}

/* ---- features ---- */

static void features_follow_the_description(void **state)
{
    (void)state;
    const struct {
        const char *kernel, *config;
        double flops, params;
    } cases[] = {
        {"conv-bn-relu", "HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1", 2.0 * 56 * 56 * 128 * 577, 128 * 577},
        {"conv-bn-relu", "HW=13,CIN=8,COUT=16,KERNEL_SIZE=7,STRIDES=4", 2.0 * 4 * 4 * 16 * 393, 16 * 393},
        {"conv-bn-relu", "HW=8,CIN=8,COUT=16,KERNEL_SIZE=2,STRIDES=2", 2.0 * 4 * 4 * 16 * 33, 16 * 33},
        {"dwconv-bn-relu", "HW=7,CIN=24,KERNEL_SIZE=5,STRIDES=2", 2.0 * 4 * 4 * 24 * 26, 24 * 26},
        {"fc", "CIN=2048,COUT=1000", 2.0 * 1000 * 2049, 1000 * 2049},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nnm_kernel *kernel = find(cases[i].kernel);
        nnm_kernel_config config = parse(kernel, cases[i].config);
        size_t params = nnm_kernel_param_count(kernel);
        double features[NNM_KERNEL_MAX_FEATURES];
        nnm_kernel_features(kernel, &config, features);
        assert_int_equal(nnm_kernel_feature_count(kernel), params + 2);
        for (size_t j = 0; j < params; j++) {
            assert_string_equal(nnm_kernel_feature_name(kernel, j), nnm_kernel_param_name(kernel, j));
            assert_true(features[j] == (double)config.value[j]);
        }
        assert_string_equal(nnm_kernel_feature_name(kernel, params), "FLOPS");
        assert_string_equal(nnm_kernel_feature_name(kernel, params + 1), "PARAMS");
        assert_true(features[params] == cases[i].flops);
        assert_true(features[params + 1] == cases[i].params);
        assert_true(nnm_kernel_flops(kernel, &config) == cases[i].flops);
    }
}

/* ---- graphs ---- */

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
         {NNM_LAYOUT_NCHW, 3, 1},
         {4, {3, 8, 13, 13}},
         {4, {3, 16, 4, 4}},
         {NNM_OP_CONV, NNM_OP_BATCH_NORM, NNM_OP_RELU},
         3,
         1},
        {"conv-bn-relu",
         "HW=13,CIN=8,COUT=16,KERNEL_SIZE=7,STRIDES=4",
         {NNM_LAYOUT_NHWC, 3, 1},
         {4, {3, 13, 13, 8}},
         {4, {3, 4, 4, 16}},
         {NNM_OP_CONV, NNM_OP_BATCH_NORM, NNM_OP_RELU},
         3,
         1},
        {"conv-bn-relu",
         "HW=8,CIN=8,COUT=16,KERNEL_SIZE=2,STRIDES=1",
         {NNM_LAYOUT_NCHW, 1, 1},
         {4, {1, 8, 8, 8}},
         {4, {1, 16, 7, 7}},
         {NNM_OP_CONV, NNM_OP_BATCH_NORM, NNM_OP_RELU},
         3,
         1},
        {"dwconv-bn-relu",
         "HW=7,CIN=24,KERNEL_SIZE=5,STRIDES=2",
         {NNM_LAYOUT_NCHW, 1, 1},
         {4, {1, 24, 7, 7}},
         {4, {1, 24, 4, 4}},
         {NNM_OP_CONV, NNM_OP_BATCH_NORM, NNM_OP_RELU},
         3,
         24},
        {"fc", "CIN=20,COUT=10", {NNM_LAYOUT_NHWC, 2, 1}, {2, {2, 20}}, {2, {2, 10}}, {NNM_OP_FULLY_CONNECTED}, 1, 0},
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

static void input_shapes_leave_the_batch_out(void **state)
{
    (void)state;
    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS];
    nnm_kernel_config config = parse(find("conv-bn-relu"), "HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1");
    assert_int_equal(nnm_kernel_input_shapes(find("conv-bn-relu"), &config, NNM_LAYOUT_NCHW, shapes), 1);
    assert_shape(&shapes[0], (nnm_shape){3, {64, 56, 56}});
    assert_int_equal(nnm_kernel_input_shapes(find("conv-bn-relu"), &config, NNM_LAYOUT_NHWC, shapes), 1);
    assert_shape(&shapes[0], (nnm_shape){3, {56, 56, 64}});
    config = parse(find("fc"), "CIN=20,COUT=10");
    assert_int_equal(nnm_kernel_input_shapes(find("fc"), &config, NNM_LAYOUT_NCHW, shapes), 1);
    assert_shape(&shapes[0], (nnm_shape){1, {20}});
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
    nnm_graph *a = build("conv-bn-relu", config, (nnm_graph_options){NNM_LAYOUT_NCHW, 1, 7});
    nnm_graph *b = build("conv-bn-relu", config, (nnm_graph_options){NNM_LAYOUT_NHWC, 2, 7});
    nnm_graph *c = build("conv-bn-relu", config, (nnm_graph_options){NNM_LAYOUT_NCHW, 1, 8});
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
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_graph *graph = build(cases[i].kernel, cases[i].config, (nnm_graph_options){NNM_LAYOUT_NCHW, 1, 3});
        double mean, variance = variance_of(tensor_called(graph, cases[i].weight), &mean);
        assert_true(fabs(variance / cases[i].variance - 1) < 0.03);
        assert_true(fabs(mean) < 0.02 * sqrt(cases[i].variance));
        nnm_graph_free(graph);
    }
    nnm_graph *graph = build(cases[0].kernel, cases[0].config, (nnm_graph_options){NNM_LAYOUT_NCHW, 1, 3});
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

/* `test_kernels table` prints the table of docs/kernels.md. */
static int print_table(void)
{
    nnm_buffer text = {0};
    for (size_t i = 0; i < nnm_kernel_count(); i++)
        append_row(&text, nnm_kernel_at(i));
    fputs(text.data, stdout);
    nnm_buffer_fini(&text);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "table") == 0) return print_table();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogue_has_the_published_kernels),
        cmocka_unit_test(every_kernel_can_be_built_from_its_smallest_configuration),
        cmocka_unit_test(unknown_kernels_are_not_found),
        cmocka_unit_test(the_document_has_every_kernel),
        cmocka_unit_test(configurations_are_read_in_any_order),
        cmocka_unit_test(bad_configurations_are_refused_by_name),
        cmocka_unit_test(lists_of_configurations_grow),
        cmocka_unit_test(features_follow_the_description),
        cmocka_unit_test(graphs_have_the_shapes_of_their_layout),
        cmocka_unit_test(input_shapes_leave_the_batch_out),
        cmocka_unit_test(graphs_that_cannot_be_are_refused),
        cmocka_unit_test(equal_seeds_give_equal_weights),
        cmocka_unit_test(weights_depend_on_seed_name_and_index_only),
        cmocka_unit_test(weights_are_scaled_to_keep_the_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
