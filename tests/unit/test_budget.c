/* Budgets, targets and samplers as text. */
#include "unit/testing.h"

#include "config/budget.h"

static nnm_error err;

static void budgets_are_kernels_or_time(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t kernels;
        double seconds;
        const char *written;
    } good[] = {
        {"500", 500, 0, "500"}, {"1", 1, 0, "1"},        {"90s", 0, 90, "90s"},    {"20m", 0, 1200, "20m"},
        {"2h", 0, 7200, "2h"},  {"120m", 0, 7200, "2h"}, {"1.5h", 0, 5400, "90m"}, {"0.5s", 0, 0.5, "0.5s"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        nnm_budget budget = {7, 7};
        nnm_buffer text = {0};
        assert_ok(nnm_budget_parse(&budget, good[i].text, &err));
        assert_int_equal(budget.kernels, good[i].kernels);
        assert_true(budget.seconds == good[i].seconds);
        nnm_budget_format(&budget, &text);
        assert_string_equal(text.data, good[i].written);
        nnm_buffer_fini(&text);
    }
    static const char *const bad[] = {"",      "abc",    "0",          "-5",        "1.5", "5k",
                                      "m",     "20 m",   "0s",         "1e3",       "nan", "infh",
                                      "20min", "1.2.3h", "9999999999", "99999999h", "+5",  "0x10"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nnm_budget budget = {7, 7};
        assert_fails(nnm_budget_parse(&budget, bad[i], &err), NNM_ERR_VALUE,
                     "need a number of kernels (500) or a time (90s, 20m, 2h)");
        assert_non_null(strstr(err.message, bad[i]));
        assert_int_equal(budget.kernels, 7);
    }
}

static void targets_name_a_figure_and_a_share(void **state)
{
    (void)state;
    static const char *const good[] = {"acc5=0.8", "acc10=0.95", "acc15=1", "rmspe=0.1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        nnm_target target = {NNM_TARGET_NONE, 0};
        nnm_buffer text = {0};
        assert_ok(nnm_target_parse(&target, good[i], &err));
        assert_int_equal(target.figure, NNM_TARGET_ACC5 + i);
        nnm_target_format(&target, &text);
        assert_string_equal(text.data, good[i]);
        nnm_buffer_fini(&text);
    }
    static const char *const bad[] = {"",          "acc10",      "acc10=",      "acc10=95",  "acc10=0",
                                      "acc12=0.9", "=0.9",       "acc10=nan",   "acc1=0.5",  "acc100=0.5",
                                      "rmse=0.1",  "acc10=-0.5", "acc10=0.95x", "acc10 =0.9"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nnm_target target = {NNM_TARGET_ACC5, 7};
        assert_fails(nnm_target_parse(&target, bad[i], &err), NNM_ERR_VALUE, "acc10=0.95");
        assert_true(target.value == 7);
    }
}

static void samplers_have_names(void **state)
{
    (void)state;
    nnm_sampler sampler = NNM_SAMPLER_PRIOR;
    assert_ok(nnm_sampler_find(&sampler, "auto", &err));
    assert_int_equal(sampler, NNM_SAMPLER_AUTO);
    assert_string_equal(nnm_sampler_name(NNM_SAMPLER_FINEGRAINED), "finegrained");
    assert_fails(nnm_sampler_find(&sampler, "Auto", &err), NNM_ERR_VALUE, "need finegrained, prior or auto");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budgets_are_kernels_or_time),
        cmocka_unit_test(targets_name_a_figure_and_a_share),
        cmocka_unit_test(samplers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
