#include "unit/kernel_by_name.h"

#include <inttypes.h>

#include "base/buffer.h"
#include "base/file.h"
#include "kernels/cost.h"

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
        {"conv-swish", "conv", 0, 320, 70, 6, {"HW", "CIN", "COUT", "KERNEL_SIZE", "STRIDES"}},
        {"dwconv-bn-relu", "dwconv", 500, 240, 50, 6, {"HW", "CIN", "COUT", "KERNEL_SIZE", "STRIDES"}},
        {"maxpool", "pooling", 300, 210, 50, 5, {"HW", "CIN", "COUT", "KERNEL_SIZE", "POOL_STRIDES"}},
        {"avgpool", "pooling", 300, 370, 50, 5, {"HW", "CIN", "COUT", "KERNEL_SIZE", "POOL_STRIDES"}},
        {"fc", "fc", 300, 370, 50, 2, {"CIN", "COUT"}},
        {"concat", "concat", 300, 690, 100, 5, {"HW", "CIN1", "CIN2", "CIN3", "CIN4"}},
        {"split", "even", 300, 190, 50, 2, {"HW", "CIN"}},
        {"channelshuffle", "even", 300, 370, 50, 2, {"HW", "CIN"}},
        {"se", "even", 300, 290, 20, 2, {"HW", "CIN"}},
        {"global-avgpool", "global-avgpool", 300, 370, 70, 2, {"HW", "CIN"}},
        {"bnrelu", "elementwise", 300, 370, 50, 2, {"HW", "CIN"}},
        {"bn", "elementwise", 300, 370, 50, 2, {"HW", "CIN"}},
        {"hswish", "elementwise", 300, 190, 50, 2, {"HW", "CIN"}},
        {"swish", "elementwise", 0, 370, 50, 0, {"HW", "CIN"}},
        {"relu", "elementwise", 300, 370, 50, 2, {"HW", "CIN"}},
        {"addrelu", "elementwise", 300, 570, 50, 3, {"HW", "CIN"}},
        {"add", "elementwise", 300, 570, 50, 3, {"HW", "CIN"}},
        {"matmul", "matmul", 0, 370, 50, 0, {"B", "M", "N", "K"}},
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

/* The order is what --list-kernels prints, and what "built by default" means to a new workspace. */
static void kernels_come_in_the_published_order(void **state)
{
    (void)state;
    static const char *const names[] = {"conv-bn-relu",
                                        "conv-bn-relu6",
                                        "conv-bn",
                                        "conv-relu",
                                        "conv-relu6",
                                        "conv-hswish",
                                        "conv-block",
                                        "conv-bn-hswish",
                                        "conv-swish",
                                        "dwconv-bn",
                                        "dwconv-relu",
                                        "dwconv-relu6",
                                        "dwconv-bn-relu",
                                        "dwconv-bn-relu6",
                                        "dwconv-block",
                                        "dwconv-bn-hswish",
                                        "dwconv-swish",
                                        "maxpool",
                                        "avgpool",
                                        "fc",
                                        "concat",
                                        "split",
                                        "channelshuffle",
                                        "se",
                                        "global-avgpool",
                                        "bnrelu",
                                        "bn",
                                        "hswish",
                                        "swish",
                                        "relu",
                                        "addrelu",
                                        "add",
                                        "matmul"};
    size_t built = 0;
    assert_int_equal(nnm_kernel_count(), sizeof names / sizeof *names);
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        assert_string_equal(nnm_kernel_name(nnm_kernel_at(i)), names[i]);
        built += nnm_kernel_default_samples(nnm_kernel_at(i)) > 0;
    }
    assert_int_equal(built, 16);
}

static void families_of_convolutions_share_a_predictor(void **state)
{
    (void)state;
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        const nnm_kernel *kernel = nnm_kernel_at(i);
        const char *name = nnm_kernel_name(kernel), *expected = name;
        if (strncmp(name, "conv-", 5) == 0) expected = "conv-bn-relu";
        if (strncmp(name, "dwconv-", 7) == 0) expected = "dwconv-bn-relu";
        assert_string_equal(nnm_kernel_predictor(kernel), expected);
    }
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
            nnm_graph_options options = {layout, 1, 0, false};
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

    const nnm_kernel *concat = find("concat"), *pool = find("avgpool");
    assert_true(nnm_kernel_config_equal(concat, &(nnm_kernel_config){{7, 3, 5, 0, 0}},
                                        &(nnm_kernel_config[]){parse(concat, "CIN2=5,HW=7,CIN1=3")}[0]));
    assert_true(nnm_kernel_config_equal(concat, &(nnm_kernel_config){{7, 3, 5, 2, 0}},
                                        &(nnm_kernel_config[]){parse(concat, "CIN3=2,CIN2=5,HW=7,CIN1=3,CIN4=0")}[0]));
    assert_true(
        nnm_kernel_config_equal(pool, &(nnm_kernel_config){{7, 3, 3, 2, 1}},
                                &(nnm_kernel_config[]){parse(pool, "HW=7,CIN=3,KERNEL_SIZE=2,POOL_STRIDES=1")}[0]));

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
        {"maxpool", "HW=8,CIN=8,COUT=16,KERNEL_SIZE=2,POOL_STRIDES=1", NNM_ERR_VALUE, "COUT=16 must equal CIN=8"},
        {"avgpool", "HW=4096,CIN=64,KERNEL_SIZE=2,POOL_STRIDES=2", NNM_ERR_VALUE, "the input would take 4294967296"},
        {"split", "HW=8,CIN=7", NNM_ERR_VALUE, "split: CIN=7 is not allowed; it must be a multiple of 2"},
        {"channelshuffle", "HW=8,CIN=9", NNM_ERR_VALUE, "channelshuffle: CIN=9 is not allowed"},
        {"split", "HW=8,CIN=0", NNM_ERR_VALUE, "split: CIN=0 is out of range; allowed are 2 to 65536"},
        {"concat", "HW=8,CIN1=4", NNM_ERR_PARSE, "CIN2 is missing; concat needs it"},
        {"concat", "HW=8,CIN1=4,CIN2=0", NNM_ERR_VALUE, "concat: CIN2=0 is out of range"},
        {"concat", "HW=8,CIN1=4,CIN2=4,CIN4=4", NNM_ERR_VALUE,
         "concat: CIN4=4, but CIN3 is 0; those that are not used"},
        {"concat", "HW=2048,CIN1=64,CIN2=64,CIN3=64", NNM_ERR_VALUE, "the output would take 3221225472 bytes"},
        {"add", "HW=4096,CIN=64", NNM_ERR_VALUE, "the input would take 4294967296 bytes"},
        {"se", "HW=1,CIN=65536", NNM_ERR_VALUE, "the weight would take 4294967296 bytes"},
        {"matmul", "B=65536,M=1048576,N=1,K=1048576", NNM_ERR_VALUE, "the input would take 288230376151711744 bytes"},
        {"matmul", "B=1,M=1048576,N=1048576,K=1", NNM_ERR_VALUE, "the output would take 4398046511104 bytes"},
        {"matmul", "B=1,M=1,N=1048576,K=1048576", NNM_ERR_VALUE, "the weight would take 4398046511104 bytes"},
        {"matmul", "B=1,M=1,N=1", NNM_ERR_PARSE, "K is missing; matmul needs it"},
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
    nnm_error err = NNM_ERROR_INIT;
    const struct {
        const char *kernel, *config;
        double flops, params;
    } cases[] = {
        {"conv-bn-relu", "HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1", 2.0 * 56 * 56 * 128 * 577, 128 * 577},
        {"conv-bn-relu", "HW=13,CIN=8,COUT=16,KERNEL_SIZE=7,STRIDES=4", 2.0 * 4 * 4 * 16 * 393, 16 * 393},
        {"conv-bn-relu", "HW=8,CIN=8,COUT=16,KERNEL_SIZE=2,STRIDES=2", 2.0 * 4 * 4 * 16 * 33, 16 * 33},
        {"dwconv-bn-relu", "HW=7,CIN=24,KERNEL_SIZE=5,STRIDES=2", 2.0 * 4 * 4 * 24 * 26, 24 * 26},
        {"conv-block", "HW=8,CIN=8,COUT=16,KERNEL_SIZE=2,STRIDES=2", 2.0 * 4 * 4 * 16 * 33, 16 * 33},
        {"fc", "CIN=2048,COUT=1000", 2.0 * 1000 * 2049, 1000 * 2049},
        {"matmul", "B=3,M=128,N=768,K=512", 2.0 * 3 * 128 * 768 * 512, 768 * 512},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nnm_kernel *kernel = find(cases[i].kernel);
        nnm_kernel_config config = parse(kernel, cases[i].config);
        size_t params = nnm_kernel_param_count(kernel);
        double features[NNM_KERNEL_MAX_FEATURES];
        assert_ok(nnm_kernel_features(kernel, &config, features, &err));
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

/* Without a layer there are no further features, and configurations are in order of what they read or compute. */
static void kernels_without_a_layer_have_their_parameters_only(void **state)
{
    (void)state;
    const struct {
        const char *kernel, *config;
        double elements;
    } cases[] = {
        {"maxpool", "HW=8,CIN=4,KERNEL_SIZE=2,POOL_STRIDES=2", 4 * 64},
        {"concat", "HW=4,CIN1=1,CIN2=2,CIN3=3", 6 * 16},
        {"split", "HW=4,CIN=6", 6 * 16},
        {"se", "HW=4,CIN=6", 6 * 16},
        {"global-avgpool", "HW=4,CIN=6", 6 * 16},
        {"bn", "HW=4,CIN=6", 6 * 16},
        {"add", "HW=4,CIN=6", 2 * 6 * 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nnm_kernel *kernel = find(cases[i].kernel);
        nnm_kernel_config config = parse(kernel, cases[i].config);
        assert_int_equal(nnm_kernel_feature_count(kernel), nnm_kernel_param_count(kernel));
        assert_false(nnm_kernel_has_cost(kernel));
        assert_true(nnm_kernel_flops(kernel, &config) == cases[i].elements);
    }
}

/* Tables that others measured have batches, groups and paddings of their own. */
static void costs_of_tables_follow_the_same_definitions(void **state)
{
    (void)state;
    double flops, parameters;
    nnm_layer_setting setting = NNM_LAYER_SETTING_INIT;
    nnm_kernel_layer_cost(find("matmul"), (double[]){3, 128, 768, 512}, &setting, &flops, &parameters);
    assert_true(parameters == 768.0 * 512 && flops == 2.0 * 3 * 128 * 768 * 512);
    nnm_kernel_layer_cost(find("relu"), (double[]){8, 4}, &setting, &flops, &parameters);
    assert_true(parameters == 0 && flops == 0);
    setting = (nnm_layer_setting){2, 4, NNM_PADDING_EXPLICIT, 0};
    nnm_kernel_layer_cost(find("conv-relu"), (double[]){9, 8, 16, 3, 2}, &setting, &flops, &parameters);
    assert_true(parameters == 16 * (9.0 * 8 / 4 + 1) && flops == 2.0 * 2 * 4 * 4 * parameters);
    assert_true(nnm_kernel_cout_is_cin(find("maxpool")) && !nnm_kernel_cout_is_cin(find("conv-bn")));
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
        cmocka_unit_test(kernels_come_in_the_published_order),
        cmocka_unit_test(families_of_convolutions_share_a_predictor),
        cmocka_unit_test(every_kernel_can_be_built_from_its_smallest_configuration),
        cmocka_unit_test(unknown_kernels_are_not_found),
        cmocka_unit_test(the_document_has_every_kernel),
        cmocka_unit_test(configurations_are_read_in_any_order),
        cmocka_unit_test(bad_configurations_are_refused_by_name),
        cmocka_unit_test(lists_of_configurations_grow),
        cmocka_unit_test(features_follow_the_description),
        cmocka_unit_test(kernels_without_a_layer_have_their_parameters_only),
        cmocka_unit_test(costs_of_tables_follow_the_same_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
