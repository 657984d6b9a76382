/* What the work of configurations consists of. */
#include "kernels/work.h"

#include <math.h>
#include <stdio.h>

#include "unit/kernel_by_name.h"
#include "unit/testing.h"

typedef struct expectation {
    const char *feature;
    double value;
} expectation;

static void check(const char *kernel_name, const char *config_text, const nnm_layer_setting *setting,
                  const expectation *expected, size_t count)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = find(kernel_name);
    nnm_kernel_config config = {{0}};
    assert_ok(nnm_kernel_config_parse(&config, kernel, config_text, &err));
    double params[NNM_KERNEL_MAX_PARAMS], work[NNM_WORK_FEATURES];
    for (size_t i = 0; i < NNM_KERNEL_MAX_PARAMS; i++)
        params[i] = (double)config.value[i];
    nnm_work_features(kernel, params, setting, work);
    for (size_t i = 0; i < count; i++) {
        int index = nnm_work_feature_index(expected[i].feature);
        assert_true(index >= 0);
        if (fabs(work[index] - expected[i].value) > 1e-9 * fabs(expected[i].value))
            fail_msg("%s of %s %s: found %.17g, expected %.17g", expected[i].feature, kernel_name, config_text,
                     work[index], expected[i].value);
    }
}

#define CHECK(kernel, config, setting, ...)                                           \
    do {                                                                              \
        const expectation expected[] = {__VA_ARGS__};                                 \
        check(kernel, config, setting, expected, sizeof expected / sizeof *expected); \
    } while (0)

static const nnm_layer_setting plain = NNM_LAYER_SETTING_INIT;

static void a_convolution_is_a_matrix_product(void **state)
{
    (void)state;
    const nnm_layer_setting grouped = {2, 4, NNM_PADDING_EXPLICIT, 0};
    CHECK("conv-bn-relu", "HW=56,CIN=60,COUT=100,KERNEL_SIZE=3,STRIDES=2", &plain, {"work.m", 784}, {"work.n", 100},
          {"work.k", 540}, {"work.macs", 784.0 * 100 * 540}, {"work.macs16", 784.0 * 112 * 540},
          {"work.macs64", 832.0 * 128 * 544}, {"work.input", 56 * 56 * 60}, {"work.output", 784 * 100},
          {"work.weights", 100 * 540}, {"work.columns", 784 * 540}, {"work.tiles64", 13 * 2},
          {"work.bytes", 4.0 * (56 * 56 * 60 + 784 * 100 + 100 * 540)}, {"work.n_in_64", 1.28},
          {"work.k_in_8", 544.0 / 540}, {"work.side", 28}, {"work.channels", 60});
    CHECK("conv-bn-relu", "HW=56,CIN=60,COUT=100,KERNEL_SIZE=3,STRIDES=2", &grouped, {"work.side", 27},
          {"work.m", 2 * 27 * 27}, {"work.n", 25}, {"work.k", 135}, {"work.macs", 2.0 * 27 * 27 * 100 * 135},
          {"work.weights", 100 * 135}, {"work.input", 2 * 56 * 56 * 60});
}

static void other_kernels_have_their_own(void **state)
{
    (void)state;
    CHECK("dwconv-bn-relu", "HW=28,CIN=60,KERNEL_SIZE=3,STRIDES=1", &plain, {"work.m", 784}, {"work.n", 60},
          {"work.k", 9}, {"work.weights", 540}, {"work.macs", 784.0 * 60 * 9});
    CHECK("maxpool", "HW=28,CIN=60,KERNEL_SIZE=3,POOL_STRIDES=2", &plain, {"work.m", 196}, {"work.n", 60},
          {"work.k", 9}, {"work.input", 784 * 60}, {"work.output", 196 * 60});
    CHECK("fc", "CIN=300,COUT=1000", &plain, {"work.m", 1}, {"work.n", 1000}, {"work.k", 300}, {"work.weights", 300000},
          {"work.input", 300}, {"work.output", 1000});
    CHECK("matmul", "B=2,M=10,N=20,K=30", &plain, {"work.m", 20}, {"work.n", 20}, {"work.k", 30}, {"work.macs", 12000},
          {"work.input", 600}, {"work.output", 400}, {"work.weights", 600});
    CHECK("concat", "HW=7,CIN1=10,CIN2=20,CIN3=30", &plain, {"work.n", 60}, {"work.input", 49 * 60},
          {"work.output", 49 * 60}, {"work.k", 1});
    CHECK("relu", "HW=7,CIN=10", &plain, {"work.macs", 490}, {"work.input", 490}, {"work.output", 490});
}

static void work_is_finite_and_positive_for_every_kernel(void **state)
{
    (void)state;
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        const nnm_kernel *kernel = nnm_kernel_at(i);
        double params[NNM_KERNEL_MAX_PARAMS] = {0}, work[NNM_WORK_FEATURES];
        for (int largest = 0; largest <= 1; largest++) {
            for (size_t p = 0; p < nnm_kernel_param_count(kernel); p++) {
                int64_t minimum, maximum;
                nnm_kernel_param_range(kernel, p, &minimum, &maximum);
                params[p] = (double)(largest ? maximum : minimum);
            }
            nnm_work_features(kernel, params, &plain, work);
            for (size_t w = 0; w < NNM_WORK_FEATURES; w++)
                assert_true(isfinite(work[w]) && work[w] > 0);
        }
    }
}

static void features_are_found_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < NNM_WORK_FEATURES; i++) {
        assert_int_equal(nnm_work_feature_index(nnm_work_feature_name(i)), i);
        assert_in_range(nnm_work_feature_resource(i), 0, 7);
    }
    assert_int_equal(nnm_work_feature_index("FLOPS"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_convolution_is_a_matrix_product),
        cmocka_unit_test(other_kernels_have_their_own),
        cmocka_unit_test(work_is_finite_and_positive_for_every_kernel),
        cmocka_unit_test(features_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
