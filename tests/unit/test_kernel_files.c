/* Kernel data from elsewhere: edited by hand, written by the published system, held in memory, spread over files. */
#include "unit/kernel_data_rig.h"

#define PUBLISHED NNM_TEST_DATA "/json/published_detail.json"

/* ---- reading ---- */

/* What people do to JSON by hand: the place where the mistake is, and how to mend it. */
static void slips_of_the_hand_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } slips[] = {
        {"{\"conv-bn-relu\": {\n  \"A\": {\"latency\": 2}\n  \"B\": {}\n}}",
         "data.json:2:22: a comma is missing here, before \"B\""},
        {"{\"conv-bn-relu\": {\"A\": {\"config\": {\"HW\": 13 \"CIN\": 212}}}}",
         "data.json:1:44: a comma is missing here, before \"CIN\""},
        {"{\"conv-bn-relu\": {\"A\": {\"shapes\": [[13 13]]}}}", "data.json:1:39: a comma is missing here, before 13"},
        {"{\"conv-bn-relu\": {\"A\": {\"model\": \"m\"\"a text that is longer than what is shown of it\": 1}}}",
         "data.json:1:37: a comma is missing here, before \"a text that is longer than what is show..."},
        {"{\"conv-bn-relu\": {\n  \"A\": {},\n}}", "data.json:2:10: this comma must go: '}' follows it"},
        {"{\"conv-bn-relu\": {\"A\": {\"shapes\": [[1, 2,]]}}}", "data.json:1:41: this comma must go: ']' follows it"},
        {"{\"conv-bn-relu\": { // mine\n}}", "data.json:1:20: JSON has no comments"},
        {"# mine\n{}", "data.json:1:1: JSON has no comments"},
        {"{\"conv-bn-relu\": {\"A\": {\"latency\": NaN}}}", "data.json:1:36: JSON has no NaN"},
        {"{\"conv-bn-relu\": {\"A\": {\"latency\": Infinity}}}", "data.json:1:36: JSON has no infinity"},
        {"{\"conv-bn-relu\": {\"A\": {\"latency\": -Infinity}}}", "data.json:1:36: JSON has no infinity"},
        {"{\"conv-bn-relu\": {\"A\": {\"latency\": 1e999}}}", "data.json:1:36: real number overflow"},
        {"{\"conv-bn-relu\": {\"A\": {\"model\": None}}}", "data.json:1:34: JSON spells it null"},
        {"{'conv-bn-relu': {}}", "data.json:1:2: texts stand in double quotes"},
        {"{\"conv-bn-relu\": {\n  \"\xC3\xA4\": {} \"B\": {}}}", "data.json:2:10: a comma is missing here"},
        {"{\"conv-bn-relu\": {\n  \"A\": {\"config\": {\"HW\": 1}\n}}\n",
         "data.json:4:1: '}' expected near end of file; the '{' in line 1, column 1 is not closed"},
        {"{\"conv-bn-relu\": {\"A\": {}}}}", "data.json:1:28: end of file expected near '}'"},
        {"\xFF\xFE{\0}\0", "data.json:1:1: the text is in UTF-16; save it as UTF-8"},
    };
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++)
        load_fails(conv, slips[i].text, NNM_ERR_PARSE, slips[i].message);
}

/* The line of an entry is that of its own kernel type, where several have the id. */
static void bad_entries_are_placed(void **state)
{
    (void)state;
    load_fails(
        fc,
        "{\"conv-bn-relu\": {\n\"A\": {\"model\": \"\\\"A\\\": {\"}\n},\n\"fc\": {\n \"B\": {\"A\": 1},\n   \"A\": "
        "{\"latency\": \"0 +- 0\"}}}",
        NNM_ERR_VALUE, "data.json:6:4: fc 'A': latency: found \"0 +- 0\", need milliseconds above 0");
    load_fails(fc, "\xEF\xBB\xBF{\"fc\":\n{\"A\": {\"latency\": \"inf +- 1\"}}}", NNM_ERR_VALUE,
               "data.json:2:2: fc 'A'");
    load_fails(fc, "{\"fc\": {\"\\u0041\": 1}}", NNM_ERR_VALUE, "data.json: fc 'A': found 1, need an object");
    assert_int_equal(err.line, 0);
}

/* As the published system writes them: keys in any order, further keys, a path of another machine, Python's floats. */
static void files_of_the_published_system_are_read(void **state)
{
    (void)state;
    const nnm_kernel *addrelu = NULL, *concat = NULL;
    assert_ok(nnm_kernel_find(&addrelu, "addrelu", &err));
    assert_ok(nnm_kernel_find(&concat, "concat", &err));
    nnm_kernel_data *data = load(conv, PUBLISHED);
    assert_int_equal(data->count, 2);
    const nnm_kernel_record *record = nnm_kernel_data_find(data, "YB2F4N");
    nnm_kernel_config expected = conv_config(13, 212, 176);
    assert_true(nnm_kernel_config_equal(conv, &record->config, &expected));
    assert_true(record->latency_ms == 42.001 && record->spread_ms == 1.0);
    assert_string_equal(record->model, "/home/someone/space/predictor_build/kernels/conv-bn-relu_prior_YB2F4N");
    assert_string_equal(record->converted_model,
                        "/home/someone/space/predictor_build/kernels/conv-bn-relu_prior_YB2F4N.tflite");
    assert_int_equal(record->shapes[0].dim[2], 212);
    assert_false(nnm_kernel_data_find(data, "NOTRUN")->has_latency);
    nnm_kernel_data_free(data);
    data = load(addrelu, PUBLISHED);
    assert_int_equal(data->records[0].shape_count, 2);
    nnm_kernel_data_free(data);
    data = load(concat, PUBLISHED);
    assert_int_equal(data->records[0].config.value[nnm_kernel_param_index(concat, "CIN4")], 0);
    nnm_kernel_data_free(data);

    /* Its first versions: underscores. Written again, the entry has one name. */
    data = load_text(conv, "{\"conv_bn_relu\": {\"id_0\": {\"latency\": \"42.001 +- 1.0\"}}}");
    assert_true(nnm_kernel_data_find(data, "id_0")->has_latency);
    assert_ok(nnm_kernel_data_save(data, path, &err));
    nnm_kernel_data_free(data);
    data = load(conv, path);
    assert_int_equal(data->count, 1);
    nnm_kernel_data_free(data);
    load_fails(conv, "{\"conv_bn_relu\": {}, \"conv-bn-relu\": {}}", NNM_ERR_VALUE,
               "has both 'conv-bn-relu' and 'conv_bn_relu', which are the same kernel");
    load_fails(conv, "{\"conv_bn_relu\": {\n\"A\": 7}}", NNM_ERR_VALUE, "data.json:2:1: conv_bn_relu 'A': found 7");
}

static void texts_in_memory_are_read(void **state)
{
    (void)state;
    nnm_kernel_data *data = NULL;
    const char *text = "{\"fc\": {\"A\": {\"latency\": 3}}}, and more";
    assert_ok(nnm_kernel_data_parse(&data, fc, text, strlen("{\"fc\": {\"A\": {\"latency\": 3}}}"), "given", &err));
    assert_true(data->records[0].latency_ms == 3);
    nnm_kernel_data_free(data);
    data = NULL;
    assert_fails(nnm_kernel_data_parse(&data, fc, text, strlen(text), "given", &err), NNM_ERR_PARSE,
                 "given:1:30: end of file expected");
    assert_null(data);
}

static void list_type(void *context, const char *name, const nnm_kernel *kernel)
{
    nnm_buffer_printf(context, "%s=%s ", name, kernel ? nnm_kernel_name(kernel) : "?");
}

static void the_kernel_types_of_a_file_are_listed(void **state)
{
    (void)state;
    nnm_buffer found = {0};
    static const char *const text = "\xEF\xBB\xBF{\"fc\": {}, \"mine\": 3, \"conv_bn_relu\": {}}";
    assert_ok(nnm_file_write(path, text, strlen(text), &err));
    assert_ok(nnm_kernel_data_types(path, list_type, &found, &err));
    assert_string_equal(found.data, "fc=fc mine=? conv_bn_relu=conv-bn-relu ");
    nnm_buffer_fini(&found);
    assert_fails(nnm_kernel_data_types(folder, list_type, &found, &err), NNM_ERR_IO, "Is a directory");
}

/* ---- merging ---- */

static void data_in_memory_are_paired(void **state)
{
    (void)state;
    nnm_kernel_data *configs = load(conv, CONFIGS), *latencies = load(conv, LATENCIES), *both = NULL;
    assert_ok(nnm_kernel_data_pair(&both, configs, latencies, &err));
    assert_int_equal(both->count, 1);
    assert_string_equal(both->records[0].id, "YB2F4N");
    nnm_kernel_data *again = NULL;
    assert_ok(nnm_kernel_data_pair(&again, both, NULL, &err)); /* one that holds both */
    assert_int_equal(again->count, 1);
    nnm_kernel_data_free(again);
    nnm_kernel_data_free(both);
    both = NULL;
    assert_fails(nnm_kernel_data_pair(&both, configs, NULL, &err), NNM_ERR_TOO_FEW_ROWS,
                 "there are 2 configurations and 0 latencies");
    latencies->records[nnm_kernel_data_find(latencies, "ZZZZZZ") - latencies->records].latency_ms = 7;
    nnm_kernel_data *other = load(conv, LATENCIES);
    assert_fails(nnm_kernel_data_pair(&both, latencies, other, &err), NNM_ERR_VALUE, "two latencies: 7 +- 0 and 1.5");
    assert_null(both);
    nnm_kernel_data_free(configs);
    nnm_kernel_data_free(latencies);
    nnm_kernel_data_free(other);
}

static void merged_files_keep_configurations_without_latency(void **state)
{
    (void)state;
    const char *files[] = {CONFIGS, LATENCIES, CONFIGS};
    nnm_kernel_data *all = NULL;
    assert_ok(nnm_kernel_data_load_all(&all, conv, files, 3, &err));
    assert_int_equal(all->count, 3);
    assert_ok(nnm_kernel_data_save(all, path, &err));
    nnm_kernel_data *again = load(conv, path);
    assert_int_equal(again->count, 3);
    assert_true(nnm_kernel_data_find(again, "YB2F4N")->has_latency);
    assert_true(nnm_kernel_data_find(again, "YB2F4N")->has_config);
    assert_false(nnm_kernel_data_find(again, "AAAAAA")->has_latency);
    assert_false(nnm_kernel_data_find(again, "ZZZZZZ")->has_config);
    nnm_kernel_data_free(again);
    nnm_kernel_data_free(all);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(slips_of_the_hand_are_explained),
        TEST(bad_entries_are_placed),
        TEST(files_of_the_published_system_are_read),
        TEST(texts_in_memory_are_read),
        TEST(the_kernel_types_of_a_file_are_listed),
        TEST(data_in_memory_are_paired),
        TEST(merged_files_keep_configurations_without_latency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
