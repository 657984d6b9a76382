/* Training on, evaluating and predicting tables from anywhere. */
#include "unit/testing.h"

#include <math.h>

#include "base/file.h"
#include "nnmeter/builder.h"

static char folder[256];

static int set_up(void **state)
{
    (void)state;
    make_folder(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static const char *write_text(char path[512], const char *name, const char *text)
{
    nnm_error err = NNM_ERROR_INIT;
    in_folder(path, folder, name);
    assert_ok(nnm_file_write(path, text, strlen(text), &err));
    return path;
}

/* A device whose latency follows the cost: 1 ms for 10 million multiply-adds and 10 microseconds a call. */
static double device_ms(int hw, int cin, int cout, int kernel, int stride, int batch)
{
    double out = ceil((double)hw / stride);
    return 0.01 + batch * out * out * cout * ((double)kernel * kernel * cin + 1) / 1e7;
}

static void write_conv_table(char path[512], const char *name, int rows, int first, bool with_batch)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_atomic_file file;
    in_folder(path, folder, name);
    assert_ok(nnm_atomic_file_open(&file, path, &err));
    fprintf(file.stream, "name,%shw,cin,cout,kernel_size,strides,latency_ms\n", with_batch ? "batch," : "");
    for (int i = first; i < first + rows; i++) {
        int hw = 7 + i % 50, cin = 1 + (i * 7) % 96, cout = 8 + (i * 13) % 120, kernel = 1 + 2 * (i % 3),
            stride = 1 + i % 2;
        int batch = with_batch ? 1 + i % 4 : 1;
        fprintf(file.stream, "\"layer, %d\",", i);
        if (with_batch) fprintf(file.stream, "%d,", batch);
        fprintf(file.stream, "%d,%d,%d,%d,%d,%.9g\n", hw, cin, cout, kernel, stride,
                device_ms(hw, cin, cout, kernel, stride, batch));
    }
    assert_ok(nnm_atomic_file_commit(&file, &err));
}

static nnm_table_options options_for(const char *target)
{
    nnm_table_options options = NNM_TABLE_OPTIONS_INIT;
    options.target = target;
    options.fit.threads = 1;
    return options;
}

static void trains_and_answers(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512], other[512];
    write_conv_table(path, "conv.csv", 1500, 0, false);
    write_conv_table(other, "other.csv", 300, 100000, false);

    nnm_table_options options = options_for("latency_ms");
    nnm_fit_result fit = {0};
    options.fit.model = NNM_MODEL_RANDOM_FOREST;
    assert_ok(nnm_train_csv("conv-bn-relu", path, &options, &fit, &err));
    assert_int_equal(fit.summary.rows, 1500);
    assert_int_equal(fit.summary.test_rows, 300);
    assert_true(fit.summary.test.acc10 > 0.8);
    assert_int_equal(nnm_predictor_feature_count(fit.predictor), 7); /* text columns are no features */
    assert_string_equal(nnm_predictor_model(fit.predictor), "random_forest");

    nnm_metrics metrics;
    assert_ok(nnm_evaluate_csv(NULL, fit.predictor, other, "latency_ms", NULL, &metrics, NULL, &err));
    assert_int_equal(metrics.rows, 300);
    assert_true(metrics.acc10 > 0.8);

    nnm_prediction prediction;
    assert_ok(
        nnm_predict_config(NULL, fit.predictor, "HW=28,CIN=32,COUT=64,KERNEL_SIZE=3,STRIDES=1", &prediction, &err));
    assert_true(fabs(prediction.latency_ms / device_ms(28, 32, 64, 3, 1, 1) - 1) < 0.25);
    assert_true(prediction.lower_ms < prediction.latency_ms && prediction.latency_ms < prediction.upper_ms);
    assert_fails(nnm_predict_config(NULL, fit.predictor, "HW=28,CIN=32,COUT=64,KERNEL_SIZE=3", &prediction, &err),
                 NNM_ERR_PARSE, "STRIDES");
    nnm_fit_result_fini(&fit);
}

static void uses_further_columns(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    write_conv_table(path, "batch.csv", 500, 0, true);
    nnm_table_options options = options_for("latency_ms");
    nnm_fit_result fit = {0};
    assert_ok(nnm_train_csv("conv-bn-relu", path, &options, &fit, &err));
    assert_true(fit.summary.test.acc10 > 0.75);

    nnm_prediction one, four;
    assert_ok(
        nnm_predict_config(NULL, fit.predictor, "BATCH=1,HW=28,CIN=32,COUT=64,KERNEL_SIZE=3,STRIDES=1", &one, &err));
    assert_ok(
        nnm_predict_config(NULL, fit.predictor, "BATCH=4,HW=28,CIN=32,COUT=64,KERNEL_SIZE=3,STRIDES=1", &four, &err));
    assert_true(four.latency_ms > 2.5 * one.latency_ms);
    assert_fails(nnm_predict_config(NULL, fit.predictor, "HW=28,CIN=32,COUT=64,KERNEL_SIZE=3,STRIDES=1", &one, &err),
                 NNM_ERR_NOT_FOUND, "no column 'batch'");
    assert_fails(
        nnm_predict_config(NULL, fit.predictor, "BTACH=1,HW=28,CIN=32,COUT=64,KERNEL_SIZE=3,STRIDES=1", &one, &err),
        NNM_ERR_VALUE, "did you mean 'batch'");
    nnm_fit_result_fini(&fit);
}

/* Padding enters the cost: the same layer without padding has fewer outputs. */
static void understands_padding(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    nnm_atomic_file file;
    in_folder(path, folder, "padding.csv");
    assert_ok(nnm_atomic_file_open(&file, path, &err));
    fputs("HW,CIN,COUT,KERNEL_SIZE,STRIDES,PADDING,ms\n", file.stream);
    for (int i = 0; i < 300; i++) {
        int hw = 7 + i % 23, cin = 1 + (i * 7) % 96, cout = 8 + (i * 13) % 120;
        bool same = (i / 2) % 2;
        double out = same ? hw : hw - 4;
        fprintf(file.stream, "%d,%d,%d,5,1,%s,%.9g\n", hw, cin, cout, same ? "same" : "valid",
                0.01 + out * out * cout * (25.0 * cin + 1) / 1e7);
    }
    assert_ok(nnm_atomic_file_commit(&file, &err));
    nnm_table_options options = options_for("ms");
    nnm_fit_result fit = {0};
    nnm_prediction same, valid;
    assert_ok(nnm_train_csv("conv-bn-relu", path, &options, &fit, &err));
    assert_ok(nnm_predict_config(NULL, fit.predictor, "HW=8,CIN=48,COUT=64,KERNEL_SIZE=5,STRIDES=1,PADDING=same", &same,
                                 &err));
    assert_ok(nnm_predict_config(NULL, fit.predictor, "HW=8,CIN=48,COUT=64,KERNEL_SIZE=5,STRIDES=1,PADDING=valid",
                                 &valid, &err));
    assert_true(same.latency_ms > 2 * valid.latency_ms);
    assert_fails(nnm_predict_config(NULL, fit.predictor, "HW=8,CIN=48,COUT=64,KERNEL_SIZE=5,STRIDES=1,PADDING=full",
                                    &valid, &err),
                 NNM_ERR_VALUE, "need 'same' or 'valid'");
    nnm_fit_result_fini(&fit);
}

static void adds_columns_to_a_table(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512], out_path[512];
    write_conv_table(path, "conv.csv", 100, 0, false);
    nnm_table_options options = options_for("latency_ms");
    options.fit.test_size = 0;
    nnm_fit_result fit = {0};
    assert_ok(nnm_train_csv("conv-bn-relu", path, &options, &fit, &err));
    assert_int_equal(fit.summary.test_rows, 0);

    FILE *out = fopen(in_folder(out_path, folder, "predicted.csv"), "wb");
    assert_non_null(out);
    assert_ok(nnm_predict_csv(NULL, fit.predictor, path, NULL, NULL, out, &err));
    assert_int_equal(fclose(out), 0);
    char *text = NULL;
    size_t size = 0;
    assert_ok(nnm_file_read(out_path, &text, &size, &err));
    assert_non_null(strstr(text, "name,hw,cin,cout,kernel_size,strides,latency_ms,predicted_ms,lower_ms,upper_ms\n"));
    assert_non_null(strstr(text, "\n\"layer, 0\",7,1,8,1,1,"));
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    assert_int_equal(lines, 101);
    free(text);
    nnm_fit_result_fini(&fit);
}

/* A twin of a training row among the test rows would flatter the accuracy. */
static void leaves_duplicates_out(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    write_text(path, "twins.csv", "CIN,COUT,ms\n10,10,1\n20,10,2\n10,10,1.1\n30,10,3\n40,10,4\n50,10,5\n30,10,3\n");
    nnm_table_options options = options_for("ms");
    nnm_fit_result fit = {0};
    assert_ok(nnm_train_csv("fc", path, &options, &fit, &err));
    assert_int_equal(fit.summary.rows, 5);
    assert_int_equal(fit.duplicates, 2);
    nnm_fit_result_fini(&fit);
}

static void refuses_bad_tables(void **state)
{
    (void)state;
    nnm_error err;
    char path[512];
    nnm_table_options options = options_for("ms");
    nnm_fit_result fit = {0};
    write_text(path, "bad.csv", "CIN,COUT,ms\n10,10,1\n");
    assert_fails(nnm_train_csv("fc", path, &options, &fit, &err), NNM_ERR_TOO_FEW_ROWS, "1 distinct rows");
    assert_fails(nnm_train_csv("conv-bn-relu", path, &options, &fit, &err), NNM_ERR_NOT_FOUND, "no column 'HW'");
    assert_fails(nnm_train_csv("cnov-bn-relu", path, &options, &fit, &err), NNM_ERR_NOT_FOUND,
                 "did you mean 'conv-bn-relu'");
    options.target = "milliseconds";
    assert_fails(nnm_train_csv("fc", path, &options, &fit, &err), NNM_ERR_NOT_FOUND, "no column 'milliseconds'");
    options.target = "ms";

    static const struct {
        const char *text, *message;
    } bad[] = {
        {"CIN,COUT,ms\n10,10,1\n20,x,2\n", "3: column 'COUT': found 'x'"},
        {"CIN,COUT,ms\n10,10,1\n\n20,10,0\n", "4: column 'ms': found '0', need a latency"},
        {"CIN,COUT,ms\n10,10,nan\n20,10,1\n", "2: column 'ms': found 'nan'"},
        {"CIN,COUT,ms\n10,10,1\n20,10,-3\n", "3: column 'ms': found '-3'"},
        {"CIN,COUT,ms\n0,10,1\n20,10,3\n", "2: column 'CIN': found '0', need a number >= 1"},
        {"CIN,COUT,ms,extra\n1,10,1,5\n20,10,3,inf\n", "3: column 'extra': found 'inf', need a number"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text(path, "bad.csv", bad[i].text);
        assert_fails(nnm_train_csv("fc", path, &options, &fit, &err), NNM_ERR_VALUE, bad[i].message);
    }
    assert_fails(nnm_train_csv("fc", "/nowhere/x.csv", &options, &fit, &err), NNM_ERR_NOT_FOUND, "/nowhere/x.csv");
    options.fit.error_threshold = 0.05;
    assert_fails(nnm_train_csv("fc", path, &options, &fit, &err), NNM_ERR_VALUE, "");
}

static const char *const bad_rows = "CIN,COUT,ms\n10,10,1\n20,10,nan\n30,x,3\n40,10,4\n50,10,0\n60,10,6\n70,10,7\n"
                                    "80,10,inf\n90,10,9\n100,10,-1\n110,10,11\n";

static void leaves_bad_rows_out_when_asked(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512], out_path[512];
    write_text(path, "bad.csv", bad_rows);
    nnm_table_options options = options_for("ms");
    options.skip_bad = true;
    nnm_fit_result fit = {0};
    assert_ok(nnm_train_csv("fc", path, &options, &fit, &err));
    assert_int_equal(fit.summary.rows, 6);
    assert_int_equal(fit.skipped.count, 5);
    assert_non_null(strstr(fit.skipped.first, "bad.csv:3: column 'ms': found 'nan', need a latency"));

    nnm_metrics metrics;
    nnm_skipped_rows skipped = {0};
    assert_fails(nnm_evaluate_csv(NULL, fit.predictor, path, "ms", NULL, &metrics, NULL, &err), NNM_ERR_VALUE,
                 "bad.csv:3: ");
    assert_ok(nnm_evaluate_csv(NULL, fit.predictor, path, "ms", &skipped, &metrics, NULL, &err));
    assert_int_equal(metrics.rows, 6);
    assert_int_equal(skipped.count, 5);

    FILE *out = fopen(in_folder(out_path, folder, "predicted.csv"), "wb");
    assert_non_null(out);
    nnm_extrapolated_rows far;
    assert_ok(nnm_predict_csv(NULL, fit.predictor, path, &skipped, &far, out, &err));
    assert_int_equal(fclose(out), 0);
    assert_int_equal(far.count, 0);
    assert_string_equal(far.first, "");
    assert_int_equal(skipped.count, 1);
    assert_non_null(strstr(skipped.first, "bad.csv:4: column 'COUT': found 'x'"));
    char *text = NULL;
    size_t size = 0;
    assert_ok(nnm_file_read(out_path, &text, &size, &err));
    assert_non_null(strstr(text, "\n30,x,3,,,\n40,10,4,"));
    free(text);
    nnm_fit_result_fini(&fit);
}

static void names_the_column_that_was_meant(void **state)
{
    (void)state;
    nnm_error err;
    char path[512];
    nnm_table_options options = options_for("ms");
    nnm_fit_result fit = {0};
    write_text(path, "names.csv", "CIN,CUOT,ms\n10,10,1\n");
    assert_fails(nnm_train_csv("fc", path, &options, &fit, &err), NNM_ERR_NOT_FOUND, "did you mean 'CUOT'?");
    options.target = "mss";
    write_text(path, "names.csv", "CIN,COUT,ms\n10,10,1\n");
    assert_fails(nnm_train_csv("fc", path, &options, &fit, &err), NNM_ERR_NOT_FOUND, "did you mean 'ms'?");
}

/* Every row is predicted once, by a fit that did not see it, and equal inputs give equal figures. */
static void cross_validates(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    write_conv_table(path, "conv.csv", 203, 0, false);
    nnm_table_options options = options_for("latency_ms");
    options.fit.model = NNM_MODEL_RANDOM_FOREST;
    nnm_cross_validation cv = {0}, again = {0};
    assert_ok(nnm_cross_validate_csv("conv-bn-relu", path, &options, 4, &cv, &err));
    assert_int_equal(cv.rows, 203);
    assert_int_equal(cv.all.rows, 203);
    size_t rows = 0;
    double within = 0, low = 1, high = 0;
    for (size_t i = 0; i < 4; i++) {
        rows += cv.fold[i].rows;
        within += cv.fold[i].acc10 * (double)cv.fold[i].rows;
        low = fmin(low, cv.fold[i].acc10);
        high = fmax(high, cv.fold[i].acc10);
    }
    assert_int_equal(rows, 203);
    assert_true(fabs(within / 203 - cv.all.acc10) < 1e-12);
    assert_true(cv.spread.mean.acc10 >= low && cv.spread.mean.acc10 <= high);
    assert_true(cv.all.acc10 < 0.9); /* rows that were trained on would be predicted well */
    options.fit.threads = 2;
    assert_ok(nnm_cross_validate_csv("conv-bn-relu", path, &options, 4, &again, &err));
    assert_true(cv.all.rmspe == again.all.rmspe);
    assert_fails(nnm_cross_validate_csv("conv-bn-relu", path, &options, 204, &again, &err), NNM_ERR_VALUE,
                 "folds: found 204, need a number from 2 to 203");
    assert_fails(nnm_cross_validate_csv("conv-bn-relu", path, &options, 1, &again, &err), NNM_ERR_VALUE, "folds");
    nnm_cross_validation_fini(&cv);
    nnm_cross_validation_fini(&again);
}

static void learning_curves_rise(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    write_conv_table(path, "conv.csv", 500, 0, false);
    nnm_table_options options = options_for("latency_ms");
    options.fit.model = NNM_MODEL_RANDOM_FOREST;
    const size_t sizes[] = {400, 20, 100};
    nnm_learning_curve curve = {0};
    assert_ok(nnm_learning_curve_csv("conv-bn-relu", path, &options, sizes, 3, 3, &curve, &err));
    assert_int_equal(curve.count, 3);
    assert_int_equal(curve.test_rows, 100);
    assert_int_equal(curve.points[0].rows, 20);
    assert_int_equal(curve.points[2].rows, 400);
    assert_int_equal(curve.points[1].test.mean.rows, 100);
    assert_true(curve.points[0].test.mean.acc10 < curve.points[2].test.mean.acc10);
    assert_true(curve.points[0].test.deviation.rmspe > 0);
    nnm_learning_curve_fini(&curve);
    assert_fails(nnm_learning_curve_csv("conv-bn-relu", path, &options, (const size_t[]){401}, 1, 3, &curve, &err),
                 NNM_ERR_TOO_FEW_ROWS, "found 401 training rows; of 500 distinct rows, the test leaves 400");
    assert_fails(nnm_learning_curve_csv("conv-bn-relu", path, &options, (const size_t[]){1}, 1, 3, &curve, &err),
                 NNM_ERR_VALUE, "found 1 training rows");
    assert_fails(nnm_learning_curve_csv("conv-bn-relu", path, &options, sizes, 3, 0, &curve, &err), NNM_ERR_VALUE,
                 "one or more draws");
    options.fit.test_size = 0;
    assert_fails(nnm_learning_curve_csv("conv-bn-relu", path, &options, sizes, 3, 1, &curve, &err), NNM_ERR_VALUE,
                 "needs rows to test on");
}

/* Twenty rows of any kernel type are enough for the model best, and a larger configuration takes longer. */
static void best_learns_every_kernel_type(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    for (size_t k = 0; k < nnm_kernel_count(); k++) {
        const nnm_kernel *kernel = nnm_kernel_at(k);
        char path[512], text[256] = "";
        nnm_atomic_file file;
        assert_ok(nnm_atomic_file_open(&file, in_folder(path, folder, "any.csv"), &err));
        for (size_t p = 0; p < nnm_kernel_param_count(kernel); p++)
            fprintf(file.stream, "%s,", nnm_kernel_param_name(kernel, p));
        fputs("ms\n", file.stream);
        for (int i = 0; i <= 20; i++) {
            nnm_kernel_config config = {{0}};
            for (size_t p = 0; p < nnm_kernel_param_count(kernel); p++) {
                int64_t minimum, maximum;
                nnm_kernel_param_range(kernel, p, &minimum, &maximum);
                bool channels = strncmp(nnm_kernel_param_name(kernel, p), "C", 1) == 0;
                config.value[p] = maximum < 100 ? 1 + (i % 20) % 3 : channels ? 8 * (3 + i % 20) : 4 + (i * 7) % 20;
                if (i == 20 && maximum >= 100) config.value[p] = 320; /* only asked for */
            }
            double latency = 0.001 + nnm_kernel_flops(kernel, &config) / 1e7;
            for (size_t p = 0; p < nnm_kernel_param_count(kernel) && i < 20; p++)
                fprintf(file.stream, "%lld,", (long long)config.value[p]);
            if (i < 20) fprintf(file.stream, "%.9g\n", latency);
            if (i == 20) nnm_kernel_config_format(kernel, &config, text, sizeof text);
        }
        assert_ok(nnm_atomic_file_commit(&file, &err));

        nnm_table_options options = options_for("ms");
        options.fit.model = NNM_MODEL_BEST;
        options.fit.test_size = 0;
        nnm_fit_result fit = {0};
        nnm_prediction prediction;
        assert_ok(nnm_train_csv(nnm_kernel_name(kernel), path, &options, &fit, &err));
        assert_string_equal(nnm_predictor_model(fit.predictor), "best");
        assert_ok(nnm_predict_config(NULL, fit.predictor, text, &prediction, &err));
        assert_true(prediction.latency_ms > 2 * fit.summary.latency_max_ms);
        assert_true(prediction.extrapolated);
        nnm_fit_result_fini(&fit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trains_and_answers),
        cmocka_unit_test(uses_further_columns),
        cmocka_unit_test(understands_padding),
        cmocka_unit_test(adds_columns_to_a_table),
        cmocka_unit_test(leaves_duplicates_out),
        cmocka_unit_test(refuses_bad_tables),
        cmocka_unit_test(leaves_bad_rows_out_when_asked),
        cmocka_unit_test(names_the_column_that_was_meant),
        cmocka_unit_test(cross_validates),
        cmocka_unit_test(learning_curves_rise),
        cmocka_unit_test(best_learns_every_kernel_type),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
