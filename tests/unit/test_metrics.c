#include "nnmeter/metrics.h"

#include <math.h>

#include "base/rng.h"
#include "unit/testing.h"

#define assert_near(value, expected, tolerance) assert_true(fabs((value) - (expected)) <= (tolerance))

static void errors_are_relative_to_what_was_measured(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_metrics m;
    const double measured[] = {10, 20, 40, 80};
    const double predicted[] = {10, 19, 35, 100}; /* 0, 5, 12.5 and 25 % off */
    assert_ok(nnm_metrics_compute(&m, measured, predicted, 4, &err));
    assert_int_equal(m.rows, 4);
    assert_near(m.rmse, sqrt((0 + 1 + 25 + 400) / 4.0), 1e-12);
    assert_near(m.rmspe, sqrt((0.05 * 0.05 + 0.125 * 0.125 + 0.25 * 0.25) / 4), 1e-12);
    assert_near(m.mean_relative_error, 0.425 / 4, 1e-12);
    assert_near(m.acc5, 0.5, 0);
    assert_near(m.acc10, 0.5, 0);
    assert_near(m.acc15, 0.75, 0);
}

static void perfect_predictions_have_no_error(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_metrics m;
    const double values[] = {1e-4, 3, 1e4};
    assert_ok(nnm_metrics_compute(&m, values, values, 3, &err));
    assert_near(m.rmse, 0, 0);
    assert_near(m.rmspe, 0, 0);
    assert_near(m.acc5, 1, 0);
}

static void what_cannot_be_judged_is_refused(void **state)
{
    (void)state;
    nnm_error err;
    nnm_metrics m = {.rows = 77};
    const double good[] = {1, 2}, zero[] = {1, 0}, nan[] = {(double)NAN, 2}, infinite[] = {1, (double)INFINITY};
    assert_fails(nnm_metrics_compute(&m, good, good, 0, &err), NNM_ERR_TOO_FEW_ROWS, "no rows");
    assert_fails(nnm_metrics_compute(&m, zero, good, 2, &err), NNM_ERR_VALUE, "row 2: the measured value 0");
    assert_fails(nnm_metrics_compute(&m, nan, good, 2, &err), NNM_ERR_VALUE, "row 1: the measured value");
    assert_fails(nnm_metrics_compute(&m, infinite, good, 2, &err), NNM_ERR_VALUE, "row 2: the measured value inf");
    assert_fails(nnm_metrics_compute(&m, good, infinite, 2, &err), NNM_ERR_VALUE, "row 2: the prediction inf");
    assert_int_equal(m.rows, 77);
}

/* ---- labels measured twice ---- */

static void agreement_is_the_larger_against_the_smaller(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_agreement a;
    const double first[] = {1, 100, 110.0, 2}, second[] = {1, 105, 100, 2.3}; /* 0, 5, 10 and 15 % apart */
    assert_ok(nnm_agreement_compute(&a, first, second, 4, &err));
    assert_int_equal(a.pairs, 4);
    assert_near(a.agree5, 0.5, 0);
    assert_near(a.agree10, 0.75, 0);
    assert_true(isnan(a.ceiling5) && isnan(a.ceiling10) && isnan(a.ceiling10_low) && isnan(a.ceiling10_high));

    assert_ok(nnm_agreement_compute(&a, NULL, NULL, 0, &err));
    assert_int_equal(a.pairs, 0);
    assert_true(isnan(a.agree5) && isnan(a.agree10) && isnan(a.ceiling10));
}

static void ceiling_takes_a_label_for_better_than_a_pair(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_agreement a, swapped;
    double first[20], second[20];
    for (int i = 0; i < 20; i++) {
        first[i] = 1 + i;
        second[i] = first[i] * (i < 10 ? 1.0 : 1.13); /* 13 % apart: either label is about 9 % off */
    }
    assert_ok(nnm_agreement_compute(&a, first, second, 20, &err));
    assert_near(a.agree10, 0.5, 0);
    assert_near(a.ceiling5, 0.5, 0);
    assert_near(a.ceiling10, 1, 0);
    assert_near(a.ceiling10_low, 0.8389, 1e-4); /* Wilson's interval for 20 of 20 */
    assert_near(a.ceiling10_high, 1, 1e-12);

    for (int i = 10; i < 20; i++)
        second[i] = first[i] * exp(0.10 * sqrt(2)); /* + 10.5 % is out, - 9.5 % is in */
    assert_ok(nnm_agreement_compute(&a, first, second, 20, &err));
    assert_near(a.ceiling10, 0.75, 0);
    assert_ok(nnm_agreement_compute(&swapped, second, first, 20, &err));
    assert_memory_equal(&a, &swapped, sizeof a);
    assert_near(a.ceiling10_low, 0.5313, 1e-4); /* for 15 of 20 */
    assert_near(a.ceiling10_high, 0.8881, 1e-4);
}

/* Labels with a known error: what the pairs tell must be what a perfect predictor gets. */
static void ceiling_is_what_a_perfect_predictor_reaches(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    enum {
        PAIRS = 20000
    };
    static double truth[PAIRS], first[PAIRS], second[PAIRS];
    nnm_rng rng;
    nnm_rng_init(&rng, 1, 0);
    for (int i = 0; i < PAIRS; i++) {
        double errors[2] = {0, 0};
        for (int which = 0; which < 2; which++)
            for (int k = 0; k < 12; k++)
                errors[which] += 0.07 * (nnm_rng_uniform(&rng) - 0.5); /* normal, 7 % */
        truth[i] = 1 + nnm_rng_uniform(&rng);
        first[i] = truth[i] * exp(errors[0]);
        second[i] = truth[i] * exp(errors[1]);
    }
    nnm_agreement a;
    nnm_metrics perfect;
    assert_ok(nnm_agreement_compute(&a, first, second, PAIRS, &err));
    assert_ok(nnm_metrics_compute(&perfect, first, truth, PAIRS, &err));
    assert_near(a.ceiling10, perfect.acc10, 0.01);
    assert_near(a.ceiling5, perfect.acc5, 0.015);
    assert_true(a.agree10 < a.ceiling10 - 0.1); /* two noisy labels differ more than one from the truth */
}

static void labels_must_be_latencies(void **state)
{
    (void)state;
    nnm_error err;
    nnm_agreement a = {.pairs = 77};
    const double good[] = {1, 2}, zero[] = {1, 0}, nan[] = {(double)NAN, 2};
    assert_fails(nnm_agreement_compute(&a, good, zero, 2, &err), NNM_ERR_VALUE, "pair 2: the label 0");
    assert_fails(nnm_agreement_compute(&a, nan, good, 2, &err), NNM_ERR_VALUE, "pair 1: the label");
    assert_int_equal(a.pairs, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_relative_to_what_was_measured),
        cmocka_unit_test(perfect_predictions_have_no_error),
        cmocka_unit_test(what_cannot_be_judged_is_refused),
        cmocka_unit_test(agreement_is_the_larger_against_the_smaller),
        cmocka_unit_test(ceiling_takes_a_label_for_better_than_a_pair),
        cmocka_unit_test(ceiling_is_what_a_perfect_predictor_reaches),
        cmocka_unit_test(labels_must_be_latencies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
