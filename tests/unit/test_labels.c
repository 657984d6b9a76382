/* Labels that were measured twice: from the journal and from tables into what is reported and kept. */
#include "unit/testing.h"

#include <math.h>

#include "base/file.h"
#include "builder/labels.h"
#include "builder/notes.h"
#include "builder/weights.h"
#include "nnmeter/builder.h"
#include "store/paths.h"
#include "store/record.h"

#define ROWS 40

static char folder[256], workspace[512];
static nnm_error err;
static const nnm_kernel *conv;

static int set_up(void **state)
{
    (void)state;
    make_folder(folder);
    in_folder(workspace, folder, "ws");
    err = (nnm_error)NNM_ERROR_INIT;
    assert_ok(nnm_kernel_find(&conv, "conv-bn-relu", &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static nnm_builder *open_workspace(void)
{
    nnm_builder *builder = NULL;
    assert_ok(nnm_workspace_create(workspace, "xnnpack_cpu", &err));
    assert_ok(nnm_builder_config_init(&builder, workspace, NULL, NULL, &err));
    return builder;
}

static double label_of(int row)
{
    return 0.1 + 0.01 * row;
}

static nnm_kernel_data *make_data(void)
{
    nnm_kernel_data *data = NULL;
    assert_ok(nnm_kernel_data_new(&data, conv, &err));
    for (int i = 0; i < ROWS; i++) {
        nnm_kernel_record record = {.has_config = true, .has_latency = true, .latency_ms = label_of(i)};
        char config[96];
        snprintf(record.id, sizeof record.id, "K%05d", i);
        snprintf(config, sizeof config, "HW=%d,CIN=16,COUT=32,KERNEL_SIZE=3,STRIDES=1", 7 + i);
        assert_ok(nnm_kernel_config_parse(&record.config, conv, config, &err));
        assert_ok(nnm_kernel_data_add(data, &record, &err));
    }
    return data;
}

static void add_round(nnm_journal *journal, int64_t run, const nnm_kernel_record *record, unsigned pass, double ms)
{
    nnm_round *round = calloc(1, sizeof *round);
    assert_non_null(round);
    *round = (nnm_round){.estimate_ns = ms * 1e6,
                         .open_ns = 1e6,
                         .wall_ns = 1e7,
                         .sample_count = 1,
                         .calls_per_sample = 1,
                         .reference_best_ns = 1e4,
                         .clock_ns = 1e4,
                         .unix_time_s = 1.7e9,
                         .pass = pass};
    char subject[NNM_SUBJECT_BYTES];
    nnm_record_describe(conv, record, subject, sizeof subject);
    assert_ok(nnm_journal_add_round(journal, run, conv, record->id, subject, round, &err));
    free(round);
}

/* All kernels in pass 0, in three rounds of which the middle one counts; the first `repeated` of them again in pass 1,
 * each fourth of these 20 % slower. */
static void fill_journal(const nnm_builder *builder, const nnm_kernel_data *data, size_t repeated)
{
    nnm_journal *journal = NULL;
    int64_t run = 0;
    assert_ok(nnm_builder_open_journal(builder, &journal, &err));
    assert_ok(nnm_builder_begin_run(builder, journal, "test", &run, &err));
    for (size_t i = 0; i < data->count; i++) {
        const nnm_kernel_record *record = &data->records[i];
        double ms = record->latency_ms;
        add_round(journal, run, record, 0, ms * 0.9);
        add_round(journal, run, record, 0, ms);
        if (i < repeated) add_round(journal, run, record, 1, ms * (i % 4 == 3 ? 1.2 : 1.0));
        add_round(journal, run, record, 0, ms * 1.5);
    }
    nnm_journal_close(journal);
}

static void nothing_is_known_without_a_journal(void **state)
{
    (void)state;
    nnm_builder *builder = open_workspace();
    nnm_kernel_data *data = make_data();
    nnm_agreement labels = {.pairs = 77};
    assert_ok(nnm_check_labels(builder, data, &labels, &err));
    assert_int_equal(labels.pairs, 0);
    char *path = nnm_path_journal(nnm_workspace_path(nnm_builder_workspace(builder)));
    assert_false(nnm_file_exists(path)); /* and asking makes none */
    free(path);
    nnm_kernel_data_free(data);
    nnm_builder_free(builder);
}

static void passes_of_the_journal_are_compared(void **state)
{
    (void)state;
    nnm_builder *builder = open_workspace();
    nnm_kernel_data *data = make_data();
    fill_journal(builder, data, 24);
    nnm_agreement labels;
    assert_ok(nnm_check_labels(builder, data, &labels, &err));
    assert_int_equal(labels.pairs, 24);
    assert_true(labels.agree5 == 0.75 && labels.agree10 == 0.75);
    assert_true(labels.ceiling10 == 0.75); /* 20 % apart: either label is 13 % off */

    data->records[0].config.value[0] = 9999; /* an id that was used again tells nothing about another configuration */
    assert_ok(nnm_check_labels(builder, data, &labels, &err));
    assert_int_equal(labels.pairs, 23);
    nnm_kernel_data_free(data);
    nnm_builder_free(builder);
}

static void ceiling_goes_into_the_predictor_and_its_file(void **state)
{
    (void)state;
    nnm_builder *builder = open_workspace();
    nnm_kernel_data *data = make_data();
    fill_journal(builder, data, 24);
    nnm_fit_result fit = {0};
    assert_ok(nnm_build_predictor_by_data(builder, data, NULL, &fit, &err));
    assert_int_equal(fit.labels.pairs, 24);
    assert_true(fit.summary.noise_ceiling10 == 0.75);
    char path[512];
    in_folder(path, folder, "p.nnm");
    assert_ok(nnm_predictor_save(fit.predictor, path, &err));
    nnm_fit_result_fini(&fit);
    nnm_predictor *loaded = NULL;
    assert_ok(nnm_predictor_load(&loaded, path, &err));
    assert_true(nnm_predictor_summary(loaded)->noise_ceiling10 == 0.75);
    nnm_predictor_free(loaded);

    assert_ok(nnm_build_predictor_by_data(NULL, data, NULL, &fit, &err)); /* the same files without their workspace */
    assert_int_equal(fit.labels.pairs, 0);
    assert_true(isnan(fit.summary.noise_ceiling10));
    nnm_fit_result_fini(&fit);
    nnm_kernel_data_free(data);
    nnm_builder_free(builder);
}

static void few_repeats_give_no_ceiling(void **state)
{
    (void)state;
    nnm_builder *builder = open_workspace();
    nnm_kernel_data *data = make_data();
    fill_journal(builder, data, NNM_CEILING_MIN_PAIRS - 1);
    nnm_fit_result fit = {0};
    assert_ok(nnm_build_predictor_by_data(builder, data, NULL, &fit, &err));
    assert_int_equal(fit.labels.pairs, NNM_CEILING_MIN_PAIRS - 1);
    assert_true(fit.labels.agree10 > 0 && isnan(fit.summary.noise_ceiling10));
    nnm_fit_result_fini(&fit);
    nnm_kernel_data_free(data);
    nnm_builder_free(builder);
}

/* ---- spreads ---- */

/* The bytes of the predictor's file after a fit to all rows. */
static char *fit_to_bytes(const nnm_kernel_data *data, size_t *size)
{
    nnm_fit_options options = NNM_FIT_OPTIONS_INIT;
    options.test_size = 0;
    nnm_fit_result fit = {0};
    char path[512], *bytes = NULL;
    assert_ok(nnm_build_predictor_by_data(NULL, data, &options, &fit, &err));
    in_folder(path, folder, "spread.nnm");
    assert_ok(nnm_predictor_save(fit.predictor, path, &err));
    assert_ok(nnm_file_read(path, &bytes, size, &err));
    nnm_fit_result_fini(&fit);
    return bytes;
}

static void unsure_labels_count_less(void **state)
{
    (void)state;
    nnm_kernel_data *data = make_data();
    size_t exact_size, alike_size, unsure_size;
    data->records[20].latency_ms *= 3;
    char *exact = fit_to_bytes(data, &exact_size);
    for (size_t i = 0; i < data->count; i++) /* equal on the relative scale, which is what counts */
        data->records[i].spread_ms = 0.25 * data->records[i].latency_ms;
    char *alike = fit_to_bytes(data, &alike_size);
    assert_int_equal(exact_size, alike_size);
    assert_memory_equal(exact, alike, exact_size); /* spreads that are equal change nothing */

    for (size_t i = 0; i < data->count; i++)
        data->records[i].spread_ms = (i == 20 ? 0.4 : 0.01) * data->records[i].latency_ms;
    char *unsure = fit_to_bytes(data, &unsure_size);
    assert_true(unsure_size != exact_size || memcmp(unsure, exact, exact_size) != 0);
    free(exact);
    free(alike);
    free(unsure);
    nnm_kernel_data_free(data);
}

static void weights_follow_the_relative_spread(void **state)
{
    (void)state;
    double spread[] = {0, 0.05, 0.2, 0.05, 0.05}, *weights = NULL;
    const nnm_features features = {.rows = 5, .spread = spread};
    const size_t rows[] = {0, 1, 2}, alike[] = {1, 3, 4};
    assert_ok(nnm_fit_weights(&features, rows, 3, &weights, &err));
    assert_true(weights[0] == 1 && fabs(weights[1] - 0.5) < 1e-12 && fabs(weights[2] - 1.0 / 17) < 1e-12);
    free(weights);
    assert_ok(nnm_fit_weights(&features, alike, 3, &weights, &err));
    assert_null(weights);
    const nnm_features unknown = {.rows = 5};
    assert_ok(nnm_fit_weights(&unknown, rows, 3, &weights, &err));
    assert_null(weights);
}

/* ---- tables ---- */

/* Every configuration `times` times; each time after the first the latency is `factor` times as long. */
static void write_table(char path[512], const char *name, int times, double factor)
{
    nnm_atomic_file file;
    in_folder(path, folder, name);
    assert_ok(nnm_atomic_file_open(&file, path, &err));
    fputs("HW,CIN,COUT,KERNEL_SIZE,STRIDES,ms\n", file.stream);
    for (int time = 0; time < times; time++)
        for (int i = 0; i < ROWS; i++)
            fprintf(file.stream, "%d,16,32,3,1,%.6f\n", 7 + i, label_of(i) * pow(factor, time));
    assert_ok(nnm_atomic_file_commit(&file, &err));
}

static void repeated_rows_of_a_table_are_labels_measured_twice(void **state)
{
    (void)state;
    char once[512], twice[512], thrice[512], copied[512];
    write_table(once, "once.csv", 1, 1);
    write_table(twice, "twice.csv", 2, 1.2);
    write_table(thrice, "thrice.csv", 3, 1.04);
    write_table(copied, "copied.csv", 2, 1);
    nnm_table_options options = NNM_TABLE_OPTIONS_INIT;
    options.target = "ms";
    const struct {
        const char *path;
        size_t pairs, duplicates;
        double agree5, ceiling10;
    } cases[] = {
        {once, 0, 0, (double)NAN, (double)NAN},
        {twice, ROWS, ROWS, 0, 0},
        {thrice, ROWS, (size_t)2 * ROWS, 1, 1}, /* the third label has no partner */
        {copied, 0, ROWS, (double)NAN, (double)NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_fit_result fit = {0};
        nnm_metrics metrics;
        nnm_agreement labels;
        assert_ok(nnm_train_csv("conv-bn-relu", cases[i].path, &options, &fit, &err));
        assert_int_equal(fit.labels.pairs, cases[i].pairs);
        assert_int_equal(fit.duplicates, cases[i].duplicates);
        assert_true(fit.labels.agree5 == cases[i].agree5 || isnan(cases[i].agree5));
        assert_true(fit.summary.noise_ceiling10 == cases[i].ceiling10 || isnan(cases[i].ceiling10));
        assert_int_equal(isnan(fit.summary.noise_ceiling10), isnan(cases[i].ceiling10));
        assert_ok(nnm_evaluate_csv(NULL, fit.predictor, cases[i].path, "ms", NULL, &metrics, &labels, &err));
        assert_int_equal(labels.pairs, cases[i].pairs);
        assert_memory_equal(&labels, &fit.labels, sizeof labels);
        nnm_fit_result_fini(&fit);
    }
}

static void many_configurations_are_told_apart(void **state)
{
    (void)state;
    nnm_label_table table = {0};
    for (int time = 0; time < 2; time++)
        for (int i = 0; i < 5000; i++) {
            const double x[] = {i % 71, (double)(i / 71), 0};
            assert_ok(nnm_label_table_add(&table, x, 3, 1 + i + 0.5 * time, &err));
        }
    assert_int_equal(table.used, 5000);
    assert_int_equal(table.repeats.count, 5000);
    for (size_t i = 0; i < table.repeats.count; i++)
        assert_true(table.repeats.second[i] == table.repeats.first[i] + 0.5);
    nnm_label_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_known_without_a_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(passes_of_the_journal_are_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ceiling_goes_into_the_predictor_and_its_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(few_repeats_give_no_ceiling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unsure_labels_count_less, set_up, tear_down),
        cmocka_unit_test(weights_follow_the_relative_spread),
        cmocka_unit_test_setup_teardown(repeated_rows_of_a_table_are_labels_measured_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_configurations_are_told_apart, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
