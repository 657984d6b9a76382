/*
 * The report: what is on the page, that nothing of a file becomes markup, and that what is missing is said.
 *
 *     test_report write FOLDER      makes a workspace with everything and its report, for the test in a browser
 */
#include "unit/testing.h"

#include <math.h>

#include <jansson.h>

#include "base/file.h"
#include "builder/builder.h"
#include "builder/notes.h"
#include "nnmeter/report.h"
#include "report/page.h"
#include "report/text.h"
#include "store/journal_db.h"
#include "store/record.h"

#define ROWS 60
#define NASTY "</script><img src=x onerror=\"document.title='ran'\">&amp; \xff\x01"

static char folder[256], workspace[512];
static char heard[8192];
static bool stop;
static nnm_error err;
static const nnm_kernel *conv;

static void on_log(void *context, nnm_log_level level, const char *line)
{
    (void)context;
    (void)level;
    size_t used = strlen(heard);
    snprintf(heard + used, sizeof heard - used, "%s\n", line);
}

static bool is_interrupted(void *context)
{
    (void)context;
    return stop;
}

static const nnm_hooks hooks = {.log = on_log, .interrupted = is_interrupted};

static int set_up(void **state)
{
    (void)state;
    make_folder(folder);
    in_folder(workspace, folder, "ws");
    heard[0] = '\0';
    stop = false;
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
    assert_ok(nnm_builder_config_init(&builder, workspace, NULL, &hooks, &err));
    return builder;
}

static const char *result_path(char path[1024], const char *name)
{
    snprintf(path, 1024, "%s/predictor_build/results/%s", workspace, name);
    return path;
}

static char *read_result(const char *name)
{
    char path[1024], *text = NULL;
    size_t size = 0;
    assert_ok(nnm_file_read(result_path(path, name), &text, &size, &err));
    return text;
}

static void write_result(const char *name, const char *text)
{
    char path[1024];
    assert_ok(nnm_file_write(result_path(path, name), text, strlen(text), &err));
}

/* ---- a workspace with everything ---- */

/* Configurations with latencies that a roofline with steps of 8 channels gives, a little noise on them. */
static nnm_kernel_data *make_data(size_t rows, size_t from)
{
    nnm_kernel_data *data = NULL;
    assert_ok(nnm_kernel_data_new(&data, conv, &err));
    for (size_t i = from; i < from + rows; i++) {
        nnm_kernel_record record = {.has_config = true, .has_latency = true};
        int64_t cin = 16 + (int64_t)(i % 5) * 24, cout = 8 + (int64_t)i * 3;
        record.config = (nnm_kernel_config){{i % 3 ? 56 : 28, cin, cout, i % 2 ? 3 : 1, 1}};
        snprintf(record.id, sizeof record.id, "K%05zu", i);
        double blocks = ceil((double)cout / 8) * (i % 2 ? 9 : 1) * (i % 3 ? 4 : 1) * (double)cin;
        record.latency_ms = 0.01 + 1e-4 * blocks * (1 + 0.02 * (double)(i % 7));
        record.spread_ms = 0.01 * record.latency_ms;
        assert_ok(nnm_kernel_data_add(data, &record, &err));
    }
    return data;
}

static void add_round(nnm_journal *journal, int64_t run, const nnm_kernel_record *record, unsigned pass, double factor)
{
    char config[NNM_SUBJECT_BYTES];
    nnm_round round = {
        .estimate_ns = record->latency_ms * 1e6 * factor,
        .wall_ns = 2e7,
        .sample_count = 5,
        .quiet_count = 5,
        .calls_per_sample = 1,
        .unix_time_s = 1.79e9,
        .pass = pass,
    };
    nnm_record_describe(conv, record, config, sizeof config);
    assert_ok(nnm_journal_add_round(journal, run, conv, record->id, config, &round, &err));
}

/* Three rounds for the label of each, two more in a second pass for every other one. */
static void measure(const nnm_builder *builder, const nnm_kernel_data *data)
{
    nnm_journal *journal = NULL;
    int64_t run = 0;
    assert_ok(nnm_builder_open_journal(builder, &journal, &err));
    assert_ok(nnm_builder_begin_run(builder, journal, "1.0 " NASTY, &run, &err));
    assert_ok(nnm_journal_begin_changes(journal, &err)); /* one write to the disk */
    for (size_t i = 0; i < data->count; i++) {
        for (int round = -1; round <= 1; round++)
            add_round(journal, run, &data->records[i], 0, 1 + 0.002 * round * (double)(i % 6));
        for (int round = 0; round < 2 && i % 2; round++)
            add_round(journal, run, &data->records[i], 1, 1 + 0.01 * (double)(i % 9) - 0.03);
    }
    nnm_error failure = {.code = NNM_ERR_CRASHED};
    snprintf(failure.message, sizeof failure.message, "it died of %s", NASTY);
    assert_ok(nnm_journal_add_failure(journal, run, conv, "BROKEN", "HW=7,CIN=3,COUT=4,KERNEL_SIZE=1,STRIDES=1", 0,
                                      &failure, &err));
    assert_ok(nnm_journal_end_changes(journal, NNM_OK, &err));
    nnm_journal_close(journal);
}

static void fit(nnm_builder *builder, const nnm_kernel_data *data, const char *mark)
{
    nnm_fit_options options = NNM_FIT_OPTIONS_INIT;
    nnm_fit_result result = {0};
    options.mark = mark;
    options.threads = 1;
    options.model = NNM_MODEL_RANDOM_FOREST;
    assert_ok(nnm_build_predictor_by_data(builder, data, &options, &result, &err));
    nnm_fit_result_fini(&result);
}

static void fill(nnm_builder *builder)
{
    char path[1024];
    nnm_kernel_data *first = make_data(ROWS, 0), *more = make_data(ROWS / 2, ROWS);
    assert_ok(nnm_kernel_data_save_configs(first, result_path(path, "conv-bn-relu_prior.json"), &err));
    measure(builder, first);
    fit(builder, first, "prior");
    assert_ok(nnm_kernel_data_save_configs(more, result_path(path, "conv-bn-relu_finegrained1.json"), &err));
    measure(builder, more);
    assert_ok(nnm_kernel_data_merge(first, more, &err));
    assert_ok(nnm_kernel_data_save_latencies(first, result_path(path, "profiled_conv-bn-relu.json"), false, &err));
    fit(builder, first, "finegrained1");
    write_result("convert_error.log", "AAAAAA: fc CIN=1,COUT=2: NNM_ERR_UNSUPPORTED: the backend cannot\n"
                                      "no line of ours <b>\n");
    nnm_kernel_data_free(first);
    nnm_kernel_data_free(more);
}

/* Made once, for everything that is written to a journal goes to the disk at once. */
static char full_folder[256];

static int make_full(void **state)
{
    (void)state;
    make_folder(full_folder);
    in_folder(workspace, full_folder, "ws");
    err = (nnm_error)NNM_ERROR_INIT;
    assert_ok(nnm_kernel_find(&conv, "conv-bn-relu", &err));
    nnm_builder *builder = open_workspace();
    fill(builder);
    nnm_builder_free(builder);
    return 0;
}

static int remove_full(void **state)
{
    (void)state;
    remove_folder(full_folder);
    return 0;
}

/* A copy of it, with the times of its files. */
static nnm_builder *open_full(void)
{
    char command[1024];
    nnm_builder *builder = NULL;
    snprintf(command, sizeof command, "cp -a '%s/ws' '%s'", full_folder, workspace);
    assert_int_equal(system(command), 0);
    assert_ok(nnm_builder_config_init(&builder, workspace, NULL, &hooks, &err));
    return builder;
}

/* ---- reading the page ---- */

static size_t count_of(const char *text, const char *piece)
{
    size_t count = 0;
    while ((text = strstr(text, piece))) {
        count++;
        text += strlen(piece);
    }
    return count;
}

static void assert_has(const char *html, const char *piece)
{
    if (!strstr(html, piece)) fail_msg("the page lacks '%s'", piece);
}

/* The numbers of the page, as a browser reads them. */
static json_t *data_of(const char *html)
{
    const char *begin = strstr(html, "id=\"data\">");
    assert_non_null(begin);
    begin = strchr(begin, '>') + 1;
    const char *end = strstr(begin, "</script>");
    assert_non_null(end);
    json_error_t reason;
    json_t *data = json_loadb(begin, (size_t)(end - begin), 0, &reason);
    if (!data) fail_msg("the data are no JSON: %s", reason.text);
    return data;
}

static size_t length(const json_t *object, const char *key)
{
    return json_array_size(json_object_get(object, key));
}

/* ---- text ---- */

static void text_never_becomes_markup(void **state)
{
    (void)state;
    nnm_buffer out = {0};
    nnm_html_text(&out, NASTY);
    assert_string_equal(out.data, "&lt;/script&gt;&lt;img src=x onerror=&quot;document.title=&#39;ran&#39;&quot;&gt;"
                                  "&amp;amp; \xEF\xBF\xBD\xEF\xBF\xBD");
    nnm_buffer_fini(&out);
    nnm_json_text(&out, "</script><!--\"\\\n\x01\xC3\xA4\xED\xA0\x80");
    assert_string_equal(out.data,
                        "\"\\u003c/script\\u003e\\u003c!--\\u0022\\u005c\\u000a\\u0001\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD"
                        "\xEF\xBF\xBD\"");
    json_t *read = json_loads(out.data, JSON_DECODE_ANY, NULL);
    assert_non_null(read);
    json_decref(read);
    nnm_buffer_fini(&out);
}

static void check_number(void (*write)(nnm_buffer *, double), double value, const char *expected)
{
    nnm_buffer out = {0};
    write(&out, value);
    assert_string_equal(out.data, expected);
    nnm_buffer_fini(&out);
}

static void numbers_are_rounded_for_their_readers(void **state)
{
    (void)state;
    check_number(nnm_json_number, 1.0 / 3, "0.333333");
    check_number(nnm_json_number, 123456789.0, "123457000");
    check_number(nnm_json_number, -0.0000123456789, "-1.23457e-05");
    check_number(nnm_json_number, (double)NAN, "null");
    check_number(nnm_json_number, (double)INFINITY, "null");
    check_number(nnm_html_share, 0.9375, "93.8\xC2\xA0%");
    check_number(nnm_html_share, 16.4, "1640\xC2\xA0%");
    check_number(nnm_html_share, (double)NAN, "–");
    check_number(nnm_html_ms, 0.012345, "0.0123\xC2\xA0ms");
    check_number(nnm_html_ms, 1234.5, "1235\xC2\xA0ms");
    check_number(nnm_html_seconds, 8.44, "8.4 s");
    check_number(nnm_html_seconds, 185, "3 min 05 s");
    check_number(nnm_html_seconds, 7800, "2 h 10 min");
    check_number(nnm_html_seconds, (double)NAN, "–");
    check_number(nnm_html_time, 1.79e9, "2026-09-21 14:13 UTC");
}

/* ---- the page ---- */

static void a_fresh_workspace_says_that_nothing_is_there(void **state)
{
    (void)state;
    nnm_builder *builder = open_workspace();
    nnm_report_result result = {0};
    assert_ok(nnm_write_report(builder, NULL, NULL, &result, &err));
    char path[1024];
    assert_string_equal(result.path, result_path(path, "report.html"));
    assert_int_equal(result.row_count, 0);
    char *html = read_result("report.html");
    assert_has(html, "no configurations, measurements or predictors yet");
    assert_has(html, "Not begun: conv-bn-relu, dwconv-bn-relu");
    assert_has(html, "Nothing failed.");
    assert_has(html, "<dt>ROUNDS</dt>");
    json_decref(data_of(html));
    assert_string_equal(heard, result.charts ? "" : heard);
    free(html);
    nnm_report_result_fini(&result);
    nnm_builder_free(builder);
}

static void the_page_shows_what_files_and_journal_hold(void **state)
{
    (void)state;
    nnm_builder *builder = open_full();
    nnm_report_result result = {0};
    assert_ok(nnm_write_report(builder, "xnnpack_cpu", NULL, &result, &err));
    assert_int_equal(result.row_count, 1);
    const nnm_report_row *row = &result.rows[0];
    assert_string_equal(row->kernel, "conv-bn-relu");
    assert_int_equal(row->profiled, 90);
    assert_int_equal(row->failed, 1);
    assert_int_equal(row->test.rows, 18);
    assert_true(fabs(row->device_s - 0.02 * (90 * 3 + 45 * 2)) < 1e-9);
    assert_true(row->noise_ceiling10 > 0.5 && row->noise_ceiling10 <= 1);
    assert_non_null(strstr(row->predictor_path, "predictors/conv-bn-relu_finegrained1.nnm"));
    nnm_predictor *predictor = NULL;
    assert_ok(nnm_predictor_load(&predictor, row->predictor_path, &err));
    assert_true(fabs(nnm_predictor_summary(predictor)->test.acc10 - row->test.acc10) < 1e-12);
    assert_true(fabs(nnm_predictor_summary(predictor)->test.rmspe - row->test.rmspe) < 1e-12);
    nnm_predictor_free(predictor);

    char *html = read_result("report.html");
    assert_int_equal(count_of(html, "<figure"), 7);
    assert_int_equal(count_of(html, "<figure class=\"chart empty\""), 0);
    assert_has(html, "<dd>1.0 &lt;/script&gt;");
    assert_has(html, "it died of &lt;/script&gt;");
    assert_has(html, "the backend cannot");
    assert_has(html, "no line of ours &lt;b&gt;");
    json_t *data = data_of(html);
    const json_t *kernel = json_array_get(json_object_get(data, "kernels"), 0);
    assert_int_equal(length(kernel, "params"), 5);
    assert_int_equal(length(kernel, "tests"), 18);
    assert_int_equal(length(kernel, "labels"), 90);
    const json_t *marks = json_object_get(kernel, "marks"), *sweep = json_object_get(kernel, "sweep");
    assert_int_equal(json_array_size(marks), 2);
    assert_string_equal(json_string_value(json_array_get(json_array_get(marks, 0), 0)), "prior");
    assert_int_equal(json_integer_value(json_array_get(json_array_get(marks, 1), 1)), 30);
    assert_int_equal(json_integer_value(json_array_get(json_array_get(marks, 1), 2)), 30);
    assert_string_equal(json_string_value(json_object_get(sweep, "param")), "COUT");
    assert_true(length(sweep, "steps") >= 64);
    assert_true(length(sweep, "near") >= 1);
    json_decref(data);
    free(html);
    nnm_report_result_fini(&result);
    nnm_builder_free(builder);
}

/* Whatever stands in a file: the page has as many script elements as it was written with. */
static void nothing_of_a_file_ends_a_script(void **state)
{
    (void)state;
    nnm_builder *builder = open_full();
    nnm_report_result result = {0};
    assert_ok(nnm_write_report(builder, NULL, NULL, &result, &err));
    char *html = read_result("report.html");
    size_t scripts = result.charts ? 3 : 2;
    assert_int_equal(count_of(html, "</script"), scripts);
    assert_int_equal(count_of(html, "<script"), scripts);
    assert_int_equal(count_of(html, "<img"), 0);
    assert_int_equal(count_of(html, "http://"), 0);
    free(html);
    nnm_report_result_fini(&result);
    nnm_builder_free(builder);
}

static void what_cannot_be_read_is_left_out_and_said(void **state)
{
    (void)state;
    nnm_builder *builder = open_full();
    write_result("predictors/conv-bn-relu_worse.nnm", "junk");
    write_result("collection/TestResult_conv-bn-relu_odd.csv", "HW,True,Pred\n56,1,none\n");
    write_result("conv-bn-relu_broken.json", "{");
    char path[1024];
    snprintf(path, sizeof path, "%s/journal.sqlite", workspace);
    assert_ok(nnm_file_write(path, "no journal at all, but long enough to be looked at", 50, &err));
    nnm_report_result result = {0};
    assert_ok(nnm_write_report(builder, NULL, NULL, &result, &err));
    assert_int_equal(result.row_count, 1);
    assert_int_equal(result.rows[0].profiled, 90); /* the files tell */
    assert_true(isnan(result.rows[0].device_s));
    char *html = read_result("report.html");
    assert_int_equal(count_of(html, "<p class=\"notice\">Left out: "), 4);
    static const char *const reasons[] = {"conv-bn-relu_worse.nnm", "TestResult_conv-bn-relu_odd.csv:2: True and Pred",
                                          "conv-bn-relu_broken.json", "journal.sqlite"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        assert_has(html, reasons[i]);
        if (!strstr(heard, reasons[i])) fail_msg("the log lacks '%s'", reasons[i]);
    }
    assert_has(html, "none has two of them in a journal");
    free(html);
    nnm_report_result_fini(&result);
    nnm_builder_free(builder);
}

static void what_fails_leaves_no_page(void **state)
{
    (void)state;
    nnm_builder *builder = open_workspace();
    char path[1024];
    assert_fails(nnm_write_report(builder, "onnxruntime_cpu", NULL, NULL, &err), NNM_ERR_VALUE,
                 "is for backend 'xnnpack_cpu'");
    snprintf(path, sizeof path, "%s/nowhere/report.html", folder);
    assert_fails(nnm_write_report(builder, NULL, path, NULL, &err), NNM_ERR_NOT_FOUND, "nowhere/report.html");
    stop = true;
    assert_fails(nnm_write_report(builder, NULL, NULL, NULL, &err), NNM_ERR_INTERRUPTED, "interrupted");
    assert_false(nnm_file_exists(result_path(path, "report.html")));
    nnm_builder_free(builder);
}

/* The rows that a predictor's own file tells of are those of its test, under whatever mark they are. */
static void rows_of_a_test_belong_to_the_predictor_that_they_tested(void **state)
{
    (void)state;
    nnm_builder *builder = open_full();
    char *tests = read_result("collection/TestResult_conv-bn-relu_finegrained1.csv");
    write_result("collection/TestResult_conv-bn-relu_test.csv", tests);
    char *half = strchr(strchr(tests, '\n') + 1, '\n');
    half[1] = '\0'; /* another test: one row */
    write_result("collection/TestResult_conv-bn-relu_finegrained1.csv", tests);
    free(tests);
    nnm_report_result result = {0};
    assert_ok(nnm_write_report(builder, NULL, NULL, &result, &err));
    assert_int_equal(result.rows[0].test.rows, 18);
    char *html = read_result("report.html");
    assert_has(html, "of 18 test rows (test) lie within");
    json_t *data = data_of(html);
    const json_t *kernel = json_array_get(json_object_get(data, "kernels"), 0);
    assert_int_equal(length(kernel, "tests"), 18);
    const json_t *marks = json_object_get(kernel, "marks");
    assert_int_equal(json_array_size(marks), 3);
    for (size_t i = 0; i < 3; i++) { /* a test set is no step of the course */
        const json_t *mark = json_array_get(marks, i);
        bool apart = strcmp(json_string_value(json_array_get(mark, 0)), "test") == 0;
        assert_int_equal(json_integer_value(json_array_get(mark, 3)) == 0, apart);
    }
    json_decref(data);
    free(html);
    nnm_report_result_fini(&result);
    nnm_builder_free(builder);
}

static void a_kernel_type_is_shown_with_the_predictor_that_it_shares(void **state)
{
    (void)state;
    nnm_builder *builder = open_full();
    write_result("conv-relu_prior.json",
                 "{\"conv-relu\": {\"AAAAAA\": {\"config\": {\"HW\": 28, \"CIN\": 16,"
                 " \"COUT\": 32, \"KERNEL_SIZE\": 1, \"STRIDES\": 1}}, \"BBBBBB\": {\"config\":"
                 " {\"HW\": 28, \"CIN\": 16, \"COUT\": 48, \"KERNEL_SIZE\": 1, \"STRIDES\": 1}}}}");
    write_result("profiled_conv-relu.json",
                 "{\"conv-relu\": {\"AAAAAA\": {\"latency\": \"0.5 +- 0\"}, \"BBBBBB\": {\"latency\": \"0.7 +- 0\"}}}");
    nnm_report_result result = {0};
    assert_ok(nnm_write_report(builder, NULL, NULL, &result, &err));
    assert_int_equal(result.row_count, 2); /* and no other one of the family */
    const nnm_report_row *row = strcmp(result.rows[0].kernel, "conv-relu") == 0 ? &result.rows[0] : &result.rows[1];
    assert_int_equal(row->profiled, 2);
    assert_int_equal(row->test.rows, 0);
    assert_non_null(strstr(row->predictor_path, "conv-bn-relu_finegrained1.nnm"));
    char *html = read_result("report.html");
    assert_has(html, "finegrained1 of conv-bn-relu, which it shares");
    free(html);
    nnm_report_result_fini(&result);
    nnm_builder_free(builder);
}

/* A device that is simulated is called so in the title's place, in every heading and in words. */
static void latencies_that_are_computed_are_called_simulated(void **state)
{
    (void)state;
    nnm_builder *builder = NULL;
    assert_ok(nnm_workspace_create(workspace, "simulated", &err));
    assert_ok(nnm_builder_config_init(&builder, workspace, NULL, &hooks, &err));
    nnm_build_options options = NNM_BUILD_OPTIONS_INIT;
    nnm_build_result built = {0};
    options.init_sample_num = 24;
    options.iteration = 1;
    options.model = NNM_MODEL_RANDOM_FOREST;
    options.threads = 1;
    assert_ok(nnm_build_predictor_for_kernel(builder, "relu", "simulated", &options, &built, &err));
    nnm_build_result_fini(&built);
    nnm_report_result result = {0};
    assert_ok(nnm_write_report(builder, NULL, NULL, &result, &err));
    assert_int_equal(result.row_count, 1);
    assert_true(result.rows[0].profiled >= 24);
    char *html = read_result("report.html");
    assert_has(html, "<strong>Simulated.</strong> A model of a device computed these latencies. Nothing was measured");
    assert_has(html, "Configurations simulated");
    assert_has(html, "Predicted against simulated");
    assert_has(html, "\"simulated\":true");
    assert_null(strstr(html, "Predicted against measured"));
    free(html);
    nnm_report_result_fini(&result);
    nnm_builder_free(builder);
}

/* For other kernel types: there is a parameter to change, or a reason why not. */
static void every_kernel_type_has_a_staircase_or_a_reason(void **state)
{
    (void)state;
    nnm_builder *builder = open_workspace();
    static const char *const kernels[] = {"dwconv-bn-relu", "fc", "concat", "split", "matmul", "relu"};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        const nnm_kernel *kernel = NULL;
        nnm_kernel_data *data = NULL;
        nnm_config_list configs = {0};
        nnm_prior *prior = NULL;
        char name[128], path[1024];
        assert_ok(nnm_kernel_find(&kernel, kernels[i], &err));
        assert_ok(nnm_kernel_data_new(&data, kernel, &err));
        assert_ok(nnm_prior_builtin(&prior, kernel, &err));
        assert_ok(nnm_sample_prior(&configs, kernel, prior, 30, 1, NULL, &err));
        for (size_t row = 0; row < configs.count; row++) {
            nnm_kernel_record record = {.has_config = true, .has_latency = true, .config = configs.items[row]};
            snprintf(record.id, sizeof record.id, "K%05zu", row);
            record.latency_ms = 0.01 + 1e-9 * nnm_kernel_flops(kernel, &record.config);
            assert_ok(nnm_kernel_data_add(data, &record, &err));
        }
        snprintf(name, sizeof name, "%s_prior.json", kernels[i]);
        assert_ok(nnm_kernel_data_save_configs(data, result_path(path, name), &err));
        snprintf(name, sizeof name, "profiled_%s.json", kernels[i]);
        assert_ok(nnm_kernel_data_save_latencies(data, result_path(path, name), false, &err));
        fit(builder, data, "prior");
        nnm_config_list_fini(&configs);
        nnm_prior_free(prior);
        nnm_kernel_data_free(data);
    }
    assert_ok(nnm_write_report(builder, NULL, NULL, NULL, &err));
    char *html = read_result("report.html");
    json_t *page = data_of(html);
    const json_t *all = json_object_get(page, "kernels");
    assert_int_equal(json_array_size(all), sizeof kernels / sizeof *kernels);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *sweep = json_object_get(json_array_get(all, i), "sweep");
        if (length(sweep, "steps") < 2)
            fail_msg("%s has no staircase: %s", json_string_value(json_object_get(json_array_get(all, i), "name")),
                     strstr(html, "Staircase"));
    }
    json_decref(page);
    free(html);
    nnm_builder_free(builder);
}

static int write_page(const char *where)
{
    snprintf(workspace, sizeof workspace, "%s/ws", where);
    if (nnm_kernel_find(&conv, "conv-bn-relu", &err)) return 1;
    nnm_builder *builder = open_workspace();
    fill(builder);
    nnm_status status = nnm_write_report(builder, NULL, NULL, NULL, &err);
    nnm_builder_free(builder);
    return status ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0) return write_page(argv[2]);
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(text_never_becomes_markup),
        TEST(numbers_are_rounded_for_their_readers),
        TEST(a_fresh_workspace_says_that_nothing_is_there),
        TEST(the_page_shows_what_files_and_journal_hold),
        TEST(nothing_of_a_file_ends_a_script),
        TEST(what_cannot_be_read_is_left_out_and_said),
        TEST(what_fails_leaves_no_page),
        TEST(every_kernel_type_has_a_staircase_or_a_reason),
        TEST(rows_of_a_test_belong_to_the_predictor_that_they_tested),
        TEST(a_kernel_type_is_shown_with_the_predictor_that_it_shares),
        TEST(latencies_that_are_computed_are_called_simulated),
    };
    return cmocka_run_group_tests(tests, make_full, remove_full);
}
