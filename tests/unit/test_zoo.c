/* The networks behind data/prior have the sizes that were published, and data/prior is what they expand to. */
#include "unit/testing.h"

#include <inttypes.h>
#include <math.h>

#include "base/file.h"
#include "zoo.h"

/*
 * Sources:
 * [tv] torchvision, the metadata of each model's weights: num_params, and _ops in 1e9 multiply-adds with 3 digits (its
 * documentation shows them as "num_params" and "GFLOPS").
 *
 * [cv] pytorchcv (github.com/osmr/imgclsmob, pytorch/README.md), column Params.
 *
 * [caffe] Caffe's bvlc_googlenet without the auxiliary classifiers: 6,998,552 parameters, and half of the 3,168,570,904
 * FLOPs that are published for a PyTorch model of the same layers.
 *
 * Papers: MobileNets 2017, table 8; ShuffleNet V2, table 8; ProxylessNAS is quoted with 320 M by later papers.
 *
 * Parameters must agree to the last one. Multiply-adds must agree within what the source rounds to, and 1 % at most;
 * ShuffleNet V2 x0.5 is published as 0.04e9 by torchvision and as 41 M by the paper, ours are 40.5 M: 1.5 %.
 */
static const struct published {
    const char *name;
    int64_t parameters;
    double multiply_adds; /* millions */
    double tolerance;     /* of the multiply-adds */
    const char *source;
} published[] = {
    {"alexnet", 61100840, 714, 0.001, "[tv]"},
    {"vgg11", 132863336, 7609, 0.001, "[tv]"},
    {"vgg13", 133047848, 11308, 0.001, "[tv]"},
    {"vgg16", 138357544, 15470, 0.001, "[tv]"},
    {"vgg19", 143667240, 19632, 0.001, "[tv]"},
    {"squeezenet1_0", 1248424, 819, 0.001, "[tv]"},
    {"squeezenet1_1", 1235496, 349, 0.002, "[tv]"},
    {"googlenet", 6998552, 1584.3, 0.002, "[caffe]"},
    {"resnet18", 11689512, 1814, 0.001, "[tv]"},
    {"resnet34", 21797672, 3664, 0.001, "[tv]"},
    {"resnet50", 25557032, 4089, 0.001, "[tv]"},
    {"resnet101", 44549160, 7801, 0.001, "[tv]"},
    {"densenet121", 7978856, 2834, 0.001, "[tv]"},
    {"mobilenet_v1", 4231976, 569, 0.01, "parameters [cv], multiply-adds MobileNets table 8"},
    {"mobilenet_v2", 3504872, 301, 0.002, "[tv]"},
    {"mobilenet_v3_small", 2542856, 57, 0.01, "[tv]"},
    {"mobilenet_v3_large", 5483032, 217, 0.003, "[tv]"},
    {"shufflenet_v2_x0_5", 1366792, 41, 0.015, "parameters [tv], multiply-adds ShuffleNet V2 table 8"},
    {"shufflenet_v2_x1_0", 2278604, 145, 0.004, "[tv]"},
    {"mnasnet_b1", 4383312, 314, 0.002, "[tv]"},
    {"proxylessnas_mobile", 4080512, 320, 0.01, "parameters [cv], multiply-adds later papers"},
    {"efficientnet_b0", 5288548, 386, 0.002, "[tv]"},
};

static void check_sizes(const struct published *expected, void (*describe)(nnm_zoo_network *))
{
    nnm_error err;
    nnm_zoo_network net;
    assert_ok(nnm_zoo_build(&net, describe, &err));
    if (net.parameters != expected->parameters)
        fail_msg("%s: %" PRId64 " parameters, %s: %" PRId64, expected->name, net.parameters, expected->source,
                 expected->parameters);
    double multiply_adds = (double)net.multiply_adds / 1e6;
    if (fabs(multiply_adds / expected->multiply_adds - 1) > expected->tolerance)
        fail_msg("%s: %.1f M multiply-adds, %s: %.1f M", expected->name, multiply_adds, expected->source,
                 expected->multiply_adds);
    nnm_zoo_fini(&net);
}

static void test_networks_have_their_published_sizes(void **state)
{
    (void)state;
    const size_t count = sizeof published / sizeof *published;
    for (size_t i = 0; i < count; i++) {
        assert_non_null(nnm_zoo_networks[i].name);
        assert_string_equal(nnm_zoo_networks[i].name, published[i].name);
        check_sizes(&published[i], nnm_zoo_networks[i].describe);
    }
    assert_null(nnm_zoo_networks[count].name);
}

/* The paper's GoogLeNet is in the tables; torchvision's differs in two known points and has an exact count too. */
static void test_googlenet_with_torchvisions_changes(void **state)
{
    (void)state;
    static const struct published torchvision = {"googlenet of torchvision", 6624904, 1498, 0.001, "[tv]"};
    check_sizes(&torchvision, nnm_zoo_googlenet_torchvision);
}

static void test_layers_follow_each_other(void **state)
{
    (void)state;
    nnm_error err;
    nnm_zoo_network net;
    assert_ok(nnm_zoo_build(&net, nnm_zoo_alexnet, &err));
    static const nnm_zoo_layer expected[] = {
        {NNM_ZOO_CONV, "conv1", 224, 3, 64, 11, 4, 1},  {NNM_ZOO_POOLING, "pool1", 55, 64, 64, 3, 2, 1},
        {NNM_ZOO_CONV, "conv2", 27, 64, 192, 5, 1, 1},  {NNM_ZOO_POOLING, "pool2", 27, 192, 192, 3, 2, 1},
        {NNM_ZOO_CONV, "conv3", 13, 192, 384, 3, 1, 1}, {NNM_ZOO_CONV, "conv4", 13, 384, 256, 3, 1, 1},
        {NNM_ZOO_CONV, "conv5", 13, 256, 256, 3, 1, 1}, {NNM_ZOO_POOLING, "pool5", 13, 256, 256, 3, 2, 1},
        {NNM_ZOO_FC, "fc6", 1, 9216, 4096, 1, 1, 1},    {NNM_ZOO_FC, "fc7", 1, 4096, 4096, 1, 1, 1},
        {NNM_ZOO_FC, "fc8", 1, 4096, 1000, 1, 1, 1},
    };
    assert_int_equal(net.layer_count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < net.layer_count; i++) {
        const nnm_zoo_layer *a = &net.layers[i], *b = &expected[i];
        assert_int_equal(a->kind, b->kind);
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->hw, b->hw);
        assert_int_equal(a->cin, b->cin);
        assert_int_equal(a->cout, b->cout);
        assert_int_equal(a->kernel, b->kernel);
        assert_int_equal(a->stride, b->stride);
        assert_int_equal(a->groups, b->groups);
    }
    nnm_zoo_fini(&net);
}

/* The names of the layers tell them apart, so that a row can be found again. */
static void test_layer_names_are_unique(void **state)
{
    (void)state;
    nnm_error err;
    for (const nnm_zoo_entry *entry = nnm_zoo_networks; entry->name; entry++) {
        nnm_zoo_network net;
        assert_ok(nnm_zoo_build(&net, entry->describe, &err));
        for (size_t i = 0; i < net.layer_count; i++)
            for (size_t j = 0; j < i; j++)
                if (strcmp(net.layers[i].name, net.layers[j].name) == 0)
                    fail_msg("%s has two layers %s", entry->name, net.layers[i].name);
        nnm_zoo_fini(&net);
    }
}

static void test_committed_tables_are_what_the_networks_expand_to(void **state)
{
    (void)state;
    nnm_error err;
    for (nnm_zoo_kind kind = 0; kind < NNM_ZOO_KINDS; kind++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s.csv", NNM_PRIOR_FOLDER, nnm_zoo_kind_name(kind));
        char *committed;
        size_t size;
        assert_ok(nnm_file_read(path, &committed, &size, &err));
        nnm_buffer generated = {0};
        assert_ok(nnm_zoo_write_table(&generated, kind, &err));
        if (size != generated.size || memcmp(committed, generated.data, size) != 0)
            fail_msg("%s is out of date: build the target prior_tables", path);
        free(committed);
        nnm_buffer_fini(&generated);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks_have_their_published_sizes),
        cmocka_unit_test(test_googlenet_with_torchvisions_changes),
        cmocka_unit_test(test_layers_follow_each_other),
        cmocka_unit_test(test_layer_names_are_unique),
        cmocka_unit_test(test_committed_tables_are_what_the_networks_expand_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
