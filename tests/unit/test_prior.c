/* Prior tables: the built-in ones, the user's own, and what single draws from them look like. */
#include "unit/testing.h"

#include "base/csv.h"
#include "base/file.h"
#include "base/number.h"
#include "sampling/prior.h"
#include "sampling/prior_tables.h"

static nnm_error err;

static const nnm_kernel *kernel_called(const char *name)
{
    const nnm_kernel *kernel = NULL;
    assert_ok(nnm_kernel_find(&kernel, name, &err));
    return kernel;
}

/* ---- built-in tables ---- */

static void check_builtin(const char *kernel_name, const char *table)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.csv", NNM_PRIOR_FOLDER, table);
    nnm_csv csv = {0};
    assert_ok(nnm_csv_read(&csv, path, &err));
    const nnm_kernel *kernel = kernel_called(kernel_name);
    nnm_prior *prior = NULL;
    assert_ok(nnm_prior_builtin(&prior, kernel, &err));
    assert_int_equal(nnm_prior_rows(prior), csv.rows);
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
        const char *param = nnm_kernel_param_name(kernel, i);
        const int64_t *values = nnm_prior_column(prior, param);
        assert_non_null(values);
        long column = nnm_csv_column(&csv, param);
        if (column < 0 && strcmp(param, "COUT") == 0) column = nnm_csv_column(&csv, "CIN"); /* of pools */
        assert_true(column >= 0);
        for (size_t row = 0; row < csv.rows; row++) {
            int64_t expected;
            assert_true(nnm_parse_int64(nnm_csv_cell(&csv, row, (size_t)column), &expected));
            assert_int_equal(values[row], expected);
        }
    }
    assert_null(nnm_prior_column(prior, "MODEL"));
    nnm_prior_free(prior);
    nnm_csv_fini(&csv);
}

static void test_builtin_tables_are_the_committed_files(void **state)
{
    (void)state;
    check_builtin("conv-bn-relu", "conv");
    check_builtin("dwconv-bn-relu", "dwconv");
    check_builtin("fc", "fc");
    check_builtin("maxpool", "pooling");
    check_builtin("relu", "conv");
}

static void test_every_kernel_has_a_prior(void **state)
{
    (void)state;
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        nnm_prior *prior = NULL;
        assert_ok(nnm_prior_builtin(&prior, nnm_kernel_at(i), &err));
        assert_int_equal(nnm_prior_rows(prior) == 0, nnm_prior_table_of(nnm_kernel_at(i)) == NULL);
        nnm_prior_free(prior);
    }
    nnm_prior_free(NULL);
}

static void test_kernels_know_their_table(void **state)
{
    (void)state;
    assert_string_equal(nnm_prior_table_of(kernel_called("dwconv-block")), "dwconv");
    assert_string_equal(nnm_prior_table_of(kernel_called("avgpool")), "pooling");
    assert_string_equal(nnm_prior_table_of(kernel_called("se")), "conv");
    assert_null(nnm_prior_table_of(kernel_called("matmul")));

    nnm_prior *prior = NULL;
    assert_fails(nnm_prior_load_csv(&prior, kernel_called("matmul"), "mine.csv", &err), NNM_ERR_NOT_FOUND,
                 "mine.csv: the kernel family 'matmul' is drawn from ranges, not from a table");
    assert_ok(nnm_prior_builtin(&prior, kernel_called("matmul"), &err));
    assert_null(nnm_prior_column(prior, "M"));
    nnm_prior_free(prior);
}

/* ---- tables of the user ---- */

typedef struct folder {
    char folder[256];
    char path[512];
} folder;

static folder *a_file(const char *text)
{
    static folder f;
    make_folder(f.folder);
    in_folder(f.path, f.folder, "mine.csv");
    assert_ok(nnm_file_write(f.path, text, strlen(text), &err));
    return &f;
}

static void test_columns_are_found_by_name_in_any_case_and_order(void **state)
{
    (void)state;
    folder *f = a_file("note,strides,Kernel_Size,cout,CIN,hw\n"
                       "\"first, of two\",2,3,64,32,56\n"
                       "second,1,11,128, 64 ,28\n");
    nnm_prior *prior = NULL;
    assert_ok(nnm_prior_load_csv(&prior, kernel_called("conv-bn-relu"), f->path, &err));
    assert_int_equal(nnm_prior_rows(prior), 2);
    assert_int_equal(nnm_prior_column(prior, "HW")[1], 28);
    assert_int_equal(nnm_prior_column(prior, "CIN")[1], 64);
    assert_int_equal(nnm_prior_column(prior, "COUT")[0], 64);
    assert_int_equal(nnm_prior_column(prior, "KERNEL_SIZE")[1], 11);
    assert_int_equal(nnm_prior_column(prior, "STRIDES")[0], 2);
    assert_null(nnm_prior_column(prior, "note"));
    nnm_prior_free(prior);
    remove_folder(f->folder);
}

static void test_depthwise_table_needs_no_cout(void **state)
{
    (void)state;
    folder *f = a_file("HW,CIN,KERNEL_SIZE,STRIDES\n14,96,3,1\n");
    nnm_prior *prior = NULL;
    assert_ok(nnm_prior_load_csv(&prior, kernel_called("dwconv-bn-relu"), f->path, &err));
    assert_int_equal(nnm_prior_column(prior, "COUT")[0], 96);
    nnm_prior_free(prior);
    remove_folder(f->folder);
}

static void check_bad_table(const char *kernel, const char *text, nnm_status code, size_t line, const char *message)
{
    folder *f = a_file(text);
    nnm_prior *prior = NULL;
    assert_fails(nnm_prior_load_csv(&prior, kernel_called(kernel), f->path, &err), code, message);
    assert_null(prior);
    assert_int_equal(err.line, line);
    if (!strstr(err.message, f->path)) fail_msg("'%s' does not name the file", err.message);
    remove_folder(f->folder);
}

static void test_bad_tables_are_refused(void **state)
{
    (void)state;
    check_bad_table("fc", "CIN,COUTS\n1,2\n", NNM_ERR_NOT_FOUND, 1,
                    "no column COUT; is 'COUTS' meant? A fc table needs");
    check_bad_table("concat", "a,b\n1,2\n", NNM_ERR_NOT_FOUND, 1, "no column HW; a conv table needs HW, CIN");
    check_bad_table("fc", "a,b\n1,2\n", NNM_ERR_NOT_FOUND, 1, "no column CIN; a fc table needs CIN, COUT");
    check_bad_table("fc", "CIN,COUT\n", NNM_ERR_VALUE, 0, "no rows; at least one is needed");
    check_bad_table("fc", "CIN,COUT\n1,2\n3,4.5\n", NNM_ERR_VALUE, 3, "COUT is '4.5', not a whole number");
    check_bad_table("fc", "CIN,COUT\n1,\n", NNM_ERR_VALUE, 2, "COUT is '', not a whole number");
    check_bad_table("fc", "CIN,COUT\n0,2\n", NNM_ERR_VALUE, 2, "CIN is 0; allowed are 1 to");
    check_bad_table("fc", "CIN,COUT\n\n1,-2\n", NNM_ERR_VALUE, 3, "COUT is -2; allowed are 1 to");
    check_bad_table("conv-bn-relu", "HW,CIN,COUT,KERNEL_SIZE,STRIDES\n56,3,4,3,1\n56,9999999,4,3,1\n", NNM_ERR_VALUE, 3,
                    "CIN is 9999999; allowed are 1 to");
    check_bad_table("fc", "CIN,COUT\n1,2,3\n", NNM_ERR_PARSE, 2, "3 cells where the header has 2 columns");
    check_bad_table("fc", "", NNM_ERR_PARSE, 0, "empty");
}

static void test_missing_file(void **state)
{
    (void)state;
    nnm_prior *prior = NULL;
    assert_fails(nnm_prior_load_csv(&prior, kernel_called("fc"), "/nonexistent/fc.csv", &err), NNM_ERR_NOT_FOUND,
                 "/nonexistent/fc.csv");
    assert_null(prior);
}

/* ---- histogram ---- */

static void test_quantiles_lie_on_straight_lines_between_edges(void **state)
{
    (void)state;
    nnm_histogram h;
    nnm_histogram_init(&h, (const int64_t[]){1, 41}, 2); /* 40 bins of width 1: half in the first, half in the last */
    assert_int_equal(nnm_histogram_quantile(&h, 0), 1);
    assert_int_equal(nnm_histogram_quantile(&h, 0.499), 1);
    assert_int_equal(nnm_histogram_quantile(&h, 0.5), 40);
    assert_int_equal(nnm_histogram_quantile(&h, 0.999), 40);

    nnm_histogram_init(&h, (const int64_t[]){0, 400}, 2); /* bins of width 10 */
    assert_int_equal(nnm_histogram_quantile(&h, 0.25), 5);
    assert_int_equal(nnm_histogram_quantile(&h, 0.75), 395);

    nnm_histogram_init(&h, (const int64_t[]){0, 10, 9, 400}, 4); /* 10 is the left edge of the second bin */
    assert_int_equal(nnm_histogram_quantile(&h, 0.25), 5);
    assert_int_equal(nnm_histogram_quantile(&h, 0.625), 15);
}

static void test_a_constant_column_gives_its_value(void **state)
{
    (void)state;
    nnm_histogram h;
    nnm_histogram_init(&h, (const int64_t[]){7, 7, 7}, 3);
    assert_int_equal(nnm_histogram_quantile(&h, 0), 7);
    assert_int_equal(nnm_histogram_quantile(&h, 0.9999), 7);
}

/* ---- families that other kernels will bring are entries of data: these show that the rules suffice ---- */

static const nnm_family pooling = {
    .name = "pooling",
    .table = "pooling",
    .dimensions = {{.param = "HW", .column = "HW", .valid = {14, 28, 56, 112, 224}},
                   {.param = "CIN", .column = "CIN", .is_channels = true},
                   {.param = "COUT", .same_as = "CIN"},
                   {.param = "KERNEL_SIZE", .column = "KERNEL_SIZE", .valid = {2, 3}},
                   {.param = "POOL_STRIDES", .column = "POOL_STRIDES", .valid = {1, 2}}}};

static const nnm_family concat = {.name = "concat",
                                  .table = "conv",
                                  .inputs = {{2, 40}, {3, 20}, {4, 40}},
                                  .dimensions = {{.param = "HW", .column = "HW", .valid = {7, 14, 28, 56}},
                                                 {.param = "CIN1", .column = "CIN"},
                                                 {.param = "CIN2", .column = "CIN"},
                                                 {.param = "CIN3", .column = "CIN", .input = 3},
                                                 {.param = "CIN4", .column = "CIN", .input = 4}}};

static const nnm_family even = {
    .name = "split", .table = "conv", .dimensions = {{.param = "CIN", .column = "CIN", .multiple_of = 2}}};

static nnm_prior *prior_of(const nnm_family *family)
{
    const nnm_prior_table *table = nnm_prior_tables;
    while (strcmp(table->family, family->table) != 0)
        table++;
    nnm_prior *prior = NULL;
    assert_ok(nnm_prior_parse(&prior, family, NULL, table->csv, strlen(table->csv), table->family, &err));
    return prior;
}

static void test_pooling_as_data(void **state)
{
    (void)state;
    nnm_prior *prior = prior_of(&pooling);
    nnm_rng rng;
    nnm_rng_init(&rng, 1, 0);
    for (size_t i = 0; i < 1000; i++) {
        int64_t v[NNM_KERNEL_MAX_PARAMS];
        nnm_prior_draw(prior, &rng, v);
        assert_true(v[0] == 14 || v[0] == 28 || v[0] == 56 || v[0] == 112 || v[0] == 224);
        assert_true(v[1] >= 1 && v[1] == v[2]);
        assert_true(v[3] == 2 || v[3] == 3);
        assert_true(v[4] == 1 || v[4] == 2);
    }
    nnm_prior_free(prior);
}

static void test_inputs_of_concat_as_data(void **state)
{
    (void)state;
    nnm_prior *prior = prior_of(&concat);
    nnm_rng rng;
    nnm_rng_init(&rng, 1, 0);
    size_t inputs[5] = {0};
    for (size_t i = 0; i < 10000; i++) {
        int64_t v[NNM_KERNEL_MAX_PARAMS];
        nnm_prior_draw(prior, &rng, v);
        assert_true(v[1] >= 1 && v[2] >= 1 && (v[3] >= 1 || v[4] == 0));
        inputs[2 + (v[3] > 0) + (v[4] > 0)]++;
    }
    /* 40, 20 and 40 %: five standard deviations are 2.5 % at most */
    assert_in_range(inputs[2], 3750, 4250);
    assert_in_range(inputs[3], 1800, 2200);
    assert_in_range(inputs[4], 3750, 4250);
    nnm_prior_free(prior);
}

static void test_even_channels_as_data(void **state)
{
    (void)state;
    nnm_prior *prior = prior_of(&even);
    nnm_rng rng;
    nnm_rng_init(&rng, 1, 0);
    for (size_t i = 0; i < 1000; i++) {
        int64_t v[NNM_KERNEL_MAX_PARAMS];
        nnm_prior_draw(prior, &rng, v);
        assert_true(v[0] >= 2 && v[0] % 2 == 0);
    }
    nnm_prior_free(prior);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin_tables_are_the_committed_files),
        cmocka_unit_test(test_every_kernel_has_a_prior),
        cmocka_unit_test(test_kernels_know_their_table),
        cmocka_unit_test(test_columns_are_found_by_name_in_any_case_and_order),
        cmocka_unit_test(test_depthwise_table_needs_no_cout),
        cmocka_unit_test(test_bad_tables_are_refused),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_quantiles_lie_on_straight_lines_between_edges),
        cmocka_unit_test(test_a_constant_column_gives_its_value),
        cmocka_unit_test(test_pooling_as_data),
        cmocka_unit_test(test_inputs_of_concat_as_data),
        cmocka_unit_test(test_even_channels_as_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
