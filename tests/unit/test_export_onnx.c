/*
 * Predictors as ONNX models: ONNX Runtime gives the latencies that we give.
 *
 *     test_export_onnx                  the tests
 *     test_export_onnx write FOLDER     writes a model of every case, for ONNX's own checker
 */
#include "unit/testing.h"

#include <math.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/rng.h"
#include "nnmeter/builder.h"
#include "unit/onnx_rows.h"

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

/* A table whose numbers are drawn from these ranges; its latency follows the product of all columns. */
typedef struct column_range {
    const char *name;
    int minimum, maximum;
    bool real; /* with digits behind the point that a float cannot hold */
} column_range;

#define MAX_COLUMNS 8

typedef struct table_case {
    const char *name, *kernel;
    column_range columns[MAX_COLUMNS]; /* in the order of the model's inputs */
} table_case;

static const table_case cases[] = {
    {"conv",
     "conv-bn-relu",
     {{"HW", 1, 224, false},
      {"CIN", 1, 1024, false},
      {"COUT", 1, 1024, false},
      {"KERNEL_SIZE", 1, 7, false},
      {"STRIDES", 1, 4, false}}},
    {"conv_more",
     "conv-relu",
     {{"HW", 1, 64, false},
      {"CIN", 1, 512, false},
      {"COUT", 1, 512, false},
      {"KERNEL_SIZE", 1, 7, false},
      {"STRIDES", 1, 4, false},
      {"Batch", 1, 32, false},
      {"groups", 1, 8, false},
      {"pad", 0, 3, false}}},
    {"conv_padding",
     "conv-relu",
     {{"HW", 1, 64, false},
      {"CIN", 1, 512, false},
      {"COUT", 1, 512, false},
      {"KERNEL_SIZE", 1, 7, false},
      {"STRIDES", 1, 4, false},
      {"padding", 0, 1, false},
      {"clock_ghz", 1, 4, true}}},
    {"dwconv",
     "dwconv-bn-relu",
     {{"HW", 1, 224, false},
      {"CIN", 1, 1024, false},
      {"COUT", 1, 1024, false},
      {"KERNEL_SIZE", 1, 7, false},
      {"STRIDES", 1, 2, false}}},
    {"fc", "fc", {{"CIN", 1, 4096, false}, {"COUT", 1, 4096, false}}},
    {"matmul", "matmul", {{"B", 1, 64, false}, {"M", 1, 1024, false}, {"N", 1, 1024, false}, {"K", 1, 1024, false}}},
    {"avgpool",
     "avgpool",
     {{"HW", 14, 224, false},
      {"CIN", 1, 1024, false},
      {"COUT", 1, 1024, false},
      {"KERNEL_SIZE", 2, 3, false},
      {"POOL_STRIDES", 1, 2, false}}},
    {"concat",
     "concat",
     {{"HW", 1, 64, false},
      {"CIN1", 1, 512, false},
      {"CIN2", 1, 512, false},
      {"CIN3", 1, 512, false},
      {"CIN4", 0, 512, false}}},
    {"hswish", "hswish", {{"HW", 1, 224, false}, {"CIN", 1, 1024, false}}},
};
#define CASE_COUNT (sizeof cases / sizeof *cases)

static size_t column_count(const table_case *c)
{
    size_t count = 0;
    while (count < MAX_COLUMNS && c->columns[count].name)
        count++;
    return count;
}

/* One row as floats, which our own code is asked too. */
static void draw_row(const table_case *c, nnm_rng *rng, float *row)
{
    for (size_t i = 0; i < column_count(c); i++) {
        const column_range *range = &c->columns[i];
        int span = range->maximum - range->minimum;
        row[i] = (float)(range->minimum +
                         (range->real ? nnm_rng_uniform(rng) * span : (double)nnm_rng_below(rng, (uint64_t)span + 1)));
    }
    if (strcmp(c->kernel, "dwconv-bn-relu") == 0 || strcmp(c->kernel, "avgpool") == 0) row[2] = row[1];
}

static void put_cell(nnm_buffer *out, const column_range *range, float value)
{
    if (strcmp(range->name, "padding") == 0)
        nnm_buffer_text(out, value > 0.5f ? "same" : "valid");
    else
        nnm_buffer_printf(out, "%.9g", (double)value);
}

static nnm_predictor *train(const table_case *c, nnm_model_kind model, size_t rows)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_buffer text = {0};
    nnm_rng rng;
    nnm_rng_init(&rng, 1, 0);
    for (size_t i = 0; i < column_count(c); i++)
        nnm_buffer_printf(&text, "%s,", c->columns[i].name);
    nnm_buffer_text(&text, "ms\n");
    for (size_t row = 0; row < rows; row++) {
        float values[MAX_COLUMNS];
        double product = 1;
        draw_row(c, &rng, values);
        for (size_t i = 0; i < column_count(c); i++) {
            put_cell(&text, &c->columns[i], values[i]);
            nnm_buffer_text(&text, ",");
            product *= 1 + (double)values[i];
        }
        nnm_buffer_printf(&text, "%.6g\n", 0.01 + pow(product, 0.6) * 1e-4);
    }
    char path[512];
    assert_ok(nnm_file_write(in_folder(path, folder, "table.csv"), text.data, text.size, &err));
    nnm_buffer_fini(&text);
    nnm_table_options options = NNM_TABLE_OPTIONS_INIT;
    options.target = "ms";
    options.fit.model = model;
    nnm_fit_result fit = {0};
    assert_ok(nnm_train_csv(c->kernel, path, &options, &fit, &err));
    nnm_predictor *predictor = fit.predictor;
    fit.predictor = NULL;
    nnm_fit_result_fini(&fit);
    return predictor;
}

static double our_answer(const table_case *c, const nnm_predictor *predictor, const float *row)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_buffer text = {0};
    for (size_t i = 0; i < column_count(c); i++) {
        nnm_buffer_printf(&text, "%s%s=", i ? "," : "", c->columns[i].name);
        put_cell(&text, &c->columns[i], row[i]);
    }
    nnm_prediction prediction;
    assert_ok(nnm_predict_config(NULL, predictor, text.data, &prediction, &err));
    nnm_buffer_fini(&text);
    return prediction.latency_ms;
}

#define ROWS 200

/* The largest relative difference between ONNX Runtime's answers and ours. */
static double worst_difference(const table_case *c, const nnm_predictor *predictor, const char *path)
{
    static float x[ROWS * MAX_COLUMNS], y[ROWS];
    nnm_error err = NNM_ERROR_INIT;
    size_t columns = column_count(c);
    nnm_rng rng;
    nnm_rng_init(&rng, 2, 0);
    for (size_t row = 0; row < ROWS; row++)
        draw_row(c, &rng, x + row * columns);
    onnx_rows runtime;
    onnx_binding rows;
    assert_ok(onnx_rows_open(&runtime, path, &err));
    assert_ok(onnx_rows_bind(&runtime, &rows, x, ROWS, columns, y, &err));
    assert_ok(onnx_rows_run(&runtime, &rows, &err));
    onnx_rows_unbind(&runtime, &rows);
    onnx_rows_close(&runtime);
    double worst = 0;
    for (size_t row = 0; row < ROWS; row++) {
        double ours = our_answer(c, predictor, x + row * columns);
        worst = fmax(worst, fabs((double)y[row] / ours - 1));
    }
    return worst;
}

static void check_model(nnm_model_kind model)
{
    nnm_error err = NNM_ERROR_INIT;
    onnx_rows none;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        char path[512];
        nnm_predictor *predictor = train(&cases[i], model, ROWS);
        assert_ok(nnm_export_onnx(predictor, in_folder(path, folder, "predictor.onnx"), &err));
        nnm_status status = onnx_rows_open(&none, path, &err);
        onnx_rows_close(&none);
        if (status == NNM_ERR_NOT_FOUND) {
            nnm_predictor_free(predictor);
            skip(); /* no ONNX Runtime on this machine */
        }
        double worst = worst_difference(&cases[i], predictor, path);
        if (!(worst <= 1e-6)) fail_msg("%s: ONNX Runtime differs by %g", cases[i].name, worst);
        nnm_predictor_free(predictor);
    }
}

static void forests_answer_the_same(void **state)
{
    (void)state;
    check_model(NNM_MODEL_RANDOM_FOREST);
}

static void best_predictors_answer_the_same(void **state)
{
    (void)state;
    check_model(NNM_MODEL_BEST);
}

/* Of a kernel type that the catalogue does not have, every feature is an input. */
static void unknown_kernel_types_have_their_features_as_inputs(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    static const double x[] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60}, y[] = {1, 2, 3, 4, 5, 6};
    static const char *const names[] = {"FLOPS", "mine"};
    const nnm_dataset data = {.x = x, .y = y, .rows = 6, .columns = 2, .feature_names = names};
    nnm_predictor_options options = NNM_PREDICTOR_OPTIONS_INIT;
    options.model = NNM_MODEL_RANDOM_FOREST;
    nnm_predictor *predictor = NULL;
    char path[512];
    assert_ok(nnm_predictor_fit(&predictor, "my-kernel", &data, &options, &err));
    assert_ok(nnm_export_onnx(predictor, in_folder(path, folder, "mine.onnx"), &err));
    assert_fails(nnm_export_onnx(predictor, "/nowhere/mine.onnx", &err), NNM_ERR_NOT_FOUND, "/nowhere/mine.onnx");

    onnx_rows runtime;
    onnx_binding rows;
    if (onnx_rows_open(&runtime, path, &err) == NNM_OK) {
        float in[] = {2.2f, 17}, out[] = {0};
        const double row[] = {(double)in[0], (double)in[1]};
        nnm_prediction ours;
        nnm_predictor_predict(predictor, row, 1, &ours);
        assert_ok(onnx_rows_bind(&runtime, &rows, in, 1, 2, out, &err));
        assert_ok(onnx_rows_run(&runtime, &rows, &err));
        onnx_rows_unbind(&runtime, &rows);
        assert_true(fabs((double)out[0] / ours.latency_ms - 1) <= 1e-6);
    } else {
        assert_int_equal(err.code, NNM_ERR_NOT_FOUND);
    }
    onnx_rows_close(&runtime);
    nnm_predictor_free(predictor);
}

static int write_all(const char *to)
{
    static const nnm_model_kind models[] = {NNM_MODEL_RANDOM_FOREST, NNM_MODEL_BEST};
    nnm_error err = NNM_ERROR_INIT;
    make_folder(folder);
    int failed = 0;
    for (size_t i = 0; i < CASE_COUNT * 2; i++) {
        char name[64], path[512];
        nnm_predictor *predictor = train(&cases[i / 2], models[i % 2], 30); /* enough for every kind of node */
        snprintf(name, sizeof name, "%s-%s.onnx", cases[i / 2].name, nnm_predictor_model(predictor));
        if (nnm_export_onnx(predictor, in_folder(path, to, name), &err)) {
            fprintf(stderr, "%s\n", err.message);
            failed = 1;
        }
        nnm_predictor_free(predictor);
    }
    remove_folder(folder);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0) return write_all(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forests_answer_the_same),
        cmocka_unit_test(best_predictors_answer_the_same),
        cmocka_unit_test(unknown_kernel_types_have_their_features_as_inputs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
