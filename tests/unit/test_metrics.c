#include "nnmeter/metrics.h"

#include <math.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_relative_to_what_was_measured),
        cmocka_unit_test(perfect_predictions_have_no_error),
        cmocka_unit_test(what_cannot_be_judged_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
