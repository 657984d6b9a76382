#include "unit/kernel_data_rig.h"

#include <unistd.h>

#include <fcntl.h>
#include <stdbool.h>

#include "store/latency_text.h"

static nnm_kernel_record conv_record(const char *id, int64_t hw)
{
    nnm_kernel_record record = {.id = "", .has_config = true};
    strncat(record.id, id, sizeof record.id - 1);
    record.config = conv_config(hw, 8, 16);
    assert_ok(nnm_kernel_input_shapes(conv, &record.config, NNM_LAYOUT_NCHW, record.shapes, &record.shape_count, &err));
    return record;
}

/* ---- reading ---- */

static void a_config_file_is_read(void **state)
{
    (void)state;
    nnm_kernel_data *data = load(conv, CONFIGS);
    assert_int_equal(data->count, 2);
    const nnm_kernel_record *first = &data->records[0], *second = &data->records[1];
    assert_string_equal(first->id, "YB2F4N");
    assert_string_equal(first->model, "/home/user/space/predictor_build/kernels/conv-bn-relu_prior_YB2F4N");
    assert_null(first->converted_model);
    assert_true(first->has_config);
    assert_false(first->has_latency);
    nnm_kernel_config expected = conv_config(13, 212, 176);
    assert_true(nnm_kernel_config_equal(conv, &first->config, &expected));
    assert_int_equal(first->shape_count, 1);
    assert_int_equal(first->shapes[0].rank, 3);
    assert_int_equal(first->shapes[0].dim[0], 13);
    assert_int_equal(first->shapes[0].dim[2], 212);
    assert_string_equal(second->id, "AAAAAA"); /* the order of the file, not of the alphabet */
    assert_string_equal(second->converted_model, "b.onnx");
    assert_int_equal(second->config.value[nnm_kernel_param_index(conv, "STRIDES")], 2);
    assert_ptr_equal(nnm_kernel_data_find(data, "AAAAAA"), second);
    assert_null(nnm_kernel_data_find(data, "BBBBBB"));
    nnm_kernel_data_free(data);
}

static void parameters_may_be_left_out_as_on_the_command_line(void **state)
{
    (void)state;
    const nnm_kernel *pool = NULL, *concat = NULL;
    assert_ok(nnm_kernel_find(&pool, "maxpool", &err));
    assert_ok(nnm_kernel_find(&concat, "concat", &err));
    const char *text =
        "{\"maxpool\": {\"A\": {\"config\": {\"HW\": 8, \"CIN\": 5, \"KERNEL_SIZE\": 3, \"POOL_STRIDES\": 2}}},"
        "\"concat\": {\"A\": {\"config\": {\"HW\": 8, \"CIN1\": 5, \"CIN2\": 3}}}}";
    nnm_kernel_data *data = load_text(pool, text);
    assert_int_equal(data->records[0].config.value[nnm_kernel_param_index(pool, "COUT")], 5);
    nnm_kernel_data_free(data);
    data = load_text(concat, text);
    assert_int_equal(data->records[0].config.value[nnm_kernel_param_index(concat, "CIN3")], 0);
    assert_int_equal(data->records[0].config.value[nnm_kernel_param_index(concat, "CIN4")], 0);
    nnm_kernel_data_free(data);
}

static void other_kernels_of_the_file_are_read_too(void **state)
{
    (void)state;
    nnm_kernel_data *data = load(fc, CONFIGS);
    assert_int_equal(data->count, 1);
    assert_int_equal(data->records[0].config.value[nnm_kernel_param_index(fc, "COUT")], 1000);
    nnm_kernel_data_free(data);
    data = load(dwconv, CONFIGS);
    assert_int_equal(data->count, 2);
    assert_int_equal(data->records[0].config.value[nnm_kernel_param_index(dwconv, "COUT")], 32); /* = CIN */
    assert_true(nnm_kernel_config_equal(dwconv, &data->records[0].config, &data->records[1].config));
    assert_true(data->records[1].has_latency);
    assert_true(data->records[1].latency_ms == 0.25 && data->records[1].spread_ms == 0);
    nnm_kernel_data_free(data);
}

static void a_latency_file_is_read(void **state)
{
    (void)state;
    nnm_kernel_data *data = load(conv, LATENCIES);
    const nnm_kernel_record *record = nnm_kernel_data_find(data, "YB2F4N");
    assert_non_null(record);
    assert_false(record->has_config);
    assert_null(record->model);
    assert_true(record->has_latency);
    assert_true(record->latency_ms == 37.53 && record->spread_ms == 0.314);
    nnm_kernel_data_free(data);
}

static void latencies_are_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double latency, spread;
    } good[] = {{"42.001 +- 1.0", 42.001, 1.0},
                {"0.5+-0.25", 0.5, 0.25},
                {"1e-05 +- 1e-06", 1e-5, 1e-6},
                {"3", 3, 0},
                {" 7.5 ", 7.5, 0}};
    double latency = 0, spread = 0;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(nnm_latency_parse(good[i].text, &latency, &spread));
        assert_true(latency == good[i].latency && spread == good[i].spread);
    }
    static const char *const bad[] = {"",        "fast",     "+- 1",     "1 +- ",    "1 +- x", "0 +- 0", "-1 +- 0",
                                      "1 +- -1", "nan +- 0", "inf +- 0", "1 +- inf", "1 2",    "1 ms"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (nnm_latency_parse(bad[i], &latency, &spread)) fail_msg("'%s' was read", bad[i]);
}

static void latencies_are_written_with_six_digits(void **state)
{
    (void)state;
    char text[NNM_LATENCY_TEXT_BYTES];
    assert_string_equal(nnm_latency_format(37.53, 0.314, text), "37.53 +- 0.314");
    assert_string_equal(nnm_latency_format(1.0 / 3, 0, text), "0.333333 +- 0");
    assert_string_equal(nnm_latency_format(13612.3456, 1.5e-7, text), "13612.3 +- 1.5e-07");
}

static void a_byte_order_mark_is_skipped(void **state)
{
    (void)state;
    nnm_kernel_data *data = load_text(conv, "\xEF\xBB\xBF{\"conv-bn-relu\": {\"A\": {\"latency\": 2}}}");
    assert_int_equal(data->count, 1);
    nnm_kernel_data_free(data);
}

static void files_that_are_not_json_are_placed(void **state)
{
    (void)state;
    load_fails(conv, "", NNM_ERR_PARSE, "data.json:1:");
    load_fails(conv, "{\"conv-bn-relu\": {\n  \"A\": {\"latency\": 2},\n  \"B\" {}\n}}", NNM_ERR_PARSE,
               "data.json:3:7: ':' expected");
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 7);
    load_fails(conv, "{\"conv-bn-relu\": {}} trailing", NNM_ERR_PARSE, "end of file expected");
    load_fails(conv, "{\"conv-bn-relu\": {\"A\": {\"latency\": NaN}}}", NNM_ERR_PARSE, "data.json:1:");
    load_fails(conv, "{\"conv-bn-relu\": {\n\"A\": {},\n\"A\": {}}}", NNM_ERR_PARSE, "duplicate object key");
    assert_int_equal(err.line, 3);
    load_fails(conv, "{\"conv-bn-relu\": {\"A\": {\"model\": \"\xff\"}}}", NNM_ERR_PARSE, "unable to decode byte");
}

static void files_with_something_else_are_refused(void **state)
{
    (void)state;
    load_fails(conv, "[1, 2]", NNM_ERR_VALUE, "found a list, need an object with kernel types");
    load_fails(conv, "{\"conv-bn-relu\": 3}", NNM_ERR_VALUE, "conv-bn-relu: found 3, need an object with ids");
    load_fails(conv, "{}", NNM_ERR_NOT_FOUND, "no entry for 'conv-bn-relu'; the file has: nothing");
    load_fails(conv, "{\"fc\": {}, \"se\": {}}", NNM_ERR_NOT_FOUND,
               "no entry for 'conv-bn-relu'; the file has: fc, se");
    nnm_kernel_data *data = NULL;
    in_folder(path, folder, "none.json");
    assert_fails(nnm_kernel_data_load(&data, conv, path, &err), NNM_ERR_NOT_FOUND, "none.json");
    assert_fails(nnm_kernel_data_load(&data, conv, folder, &err), NNM_ERR_IO, "Is a directory");
}

static void too_large_files_are_refused_by_name(void **state)
{
    (void)state;
    nnm_kernel_data *data = NULL;
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(truncate(path, (off_t)600 << 20), 0); /* takes no room: it has holes only */
    assert_fails(nnm_kernel_data_load(&data, conv, path, &err), NNM_ERR_UNSUPPORTED,
                 "data.json has 600 MiB; kernel data files of less than 512 MiB are read");
}

/* Sizes that no memory has are the model's business; the other kernels of the file can be read. */
static void configurations_without_a_model_are_read(void **state)
{
    (void)state;
    nnm_kernel_data *data = NULL;
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("{\"fc\": {\"A\": {\"config\": {\"CIN\": 32768, \"COUT\": 16384}}}}", file);
    fclose(file);
    assert_ok(nnm_kernel_data_load(&data, fc, path, &err));
    assert_true(data->records[0].has_config);
    nnm_kernel_data_free(data);
}

/* An entry of conv-bn-relu called "A1" must be refused. */
static void entry_fails(const char *entry, const char *message)
{
    char text[1024];
    snprintf(text, sizeof text, "{\"conv-bn-relu\": {\"OK\": {}, \"A1\": %s}}", entry);
    load_fails(conv, text, NNM_ERR_VALUE, message);
    assert_non_null(strstr(err.message, "data.json:1:29: conv-bn-relu 'A1': "));
    assert_int_equal(err.line, 1);
    assert_int_equal(err.column, 29);
}

static void bad_entries_are_named(void **state)
{
    (void)state;
    entry_fails("7", "found 7, need an object");
    entry_fails("{\"model\": 1}", "model: found 1, need a text");
    entry_fails("{\"converted_model\": [1]}", "converted_model: found a list, need a text");
    entry_fails("{\"latency\": \"fast\"}", "latency: found \"fast\", need milliseconds above 0");
    entry_fails("{\"latency\": -1}", "latency: found -1");
    entry_fails("{\"latency\": 0}", "latency: found 0");
    entry_fails("{\"latency\": null}", "latency: found null");
    entry_fails("{\"shapes\": 3}", "shapes: found 3, need a list of lists");
    entry_fails("{\"shapes\": [3]}", "shapes: entry 1: need a list of 1 to 6 numbers");
    entry_fails("{\"shapes\": [[1], []]}", "shapes: entry 2: need a list");
    entry_fails("{\"shapes\": [[1,1,1,1,1,1,1]]}", "shapes: entry 1: need a list of 1 to 6");
    entry_fails("{\"shapes\": [[1, 0]]}", "shapes: entry 1: found 0, need a whole number from 1");
    entry_fails("{\"shapes\": [[1],[1],[1],[1],[1]]}", "shapes: found 5, a kernel has at most 4 inputs");
    entry_fails("{\"config\": []}", "config: found a list, need an object");
    entry_fails("{\"config\": {\"HW\": 1, \"CINN\": 1}}", "config: unknown parameter 'CINN'; did you mean 'CIN'?");
    entry_fails("{\"config\": {\"PADDING\": 1}}", "config: unknown parameter 'PADDING'; known: HW, CIN, COUT");
    entry_fails("{\"config\": {\"HW\": 13.5}}", "config: HW: found 13.5, need a whole number");
    entry_fails("{\"config\": {\"HW\": \"13\"}}", "config: HW: found \"13\", need a whole number");
    entry_fails("{\"config\": {\"HW\": 1e300}}", "config: HW: found 1.0000000000000001e+300, need a whole number");
    entry_fails("{\"config\": {\"HW\": 1, \"CIN\": 1, \"KERNEL_SIZE\": 1, \"STRIDES\": 1}}", "config: COUT is missing");
    entry_fails("{\"config\": {\"HW\": 0, \"CIN\": 1, \"COUT\": 1, \"KERNEL_SIZE\": 1, \"STRIDES\": 1}}", "HW");
    load_fails(conv, "{\"conv-bn-relu\": {\"\": {}}}", NNM_ERR_VALUE, "an id has 1 to 31 characters");
    load_fails(conv, "{\"conv-bn-relu\": {\"0123456789012345678901234567890!\": {}}}", NNM_ERR_VALUE, "1 to 31");
    load_fails(conv, "{\"conv-bn-relu\": {\"../x\": {}}}", NNM_ERR_VALUE, "an id becomes part of file names");
    load_fails(conv, "{\"conv-bn-relu\": {\"a\\nb\": {}}}", NNM_ERR_VALUE, "control characters are refused");
    load_fails(dwconv,
               "{\"dwconv-bn-relu\": {\"A\": {\"config\": {\"HW\": 7, \"CIN\": 8, \"COUT\": 9, \"KERNEL_SIZE\": 3, "
               "\"STRIDES\": 1}}}}",
               NNM_ERR_VALUE, "COUT");
}

/* ---- adding ---- */

static void records_are_copied_and_found(void **state)
{
    (void)state;
    nnm_kernel_data *data = NULL;
    assert_ok(nnm_kernel_data_new(&data, conv, &err));
    assert_null(nnm_kernel_data_find(data, "A"));
    char model[] = "model.onnx";
    nnm_kernel_record record = conv_record("A", 7);
    record.model = model;
    assert_ok(nnm_kernel_data_add(data, &record, &err));
    model[0] = '?';
    assert_string_equal(nnm_kernel_data_find(data, "A")->model, "model.onnx");
    assert_fails(nnm_kernel_data_add(data, &record, &err), NNM_ERR_EXISTS, "conv-bn-relu 'A' is there already");
    record.id[0] = '\0';
    assert_fails(nnm_kernel_data_add(data, &record, &err), NNM_ERR_INVALID_ARGUMENT, "1 to 31 characters");
    assert_int_equal(data->count, 1);
    nnm_kernel_data_free(data);
    nnm_kernel_data_free(NULL);
}

static void ten_thousand_records_are_found_again(void **state)
{
    (void)state;
    nnm_kernel_data *data = NULL;
    assert_ok(nnm_kernel_data_new(&data, conv, &err));
    char id[16];
    for (size_t i = 0; i < 10000; i++) {
        snprintf(id, sizeof id, "K%zu", i);
        nnm_kernel_record record = conv_record(id, (int64_t)(i % 224) + 1);
        record.has_latency = true;
        record.latency_ms = 1 + (double)i;
        assert_ok(nnm_kernel_data_add(data, &record, &err));
    }
    assert_ok(nnm_kernel_data_save_latencies(data, path, true, &err));
    nnm_kernel_data *again = load(conv, path);
    assert_int_equal(again->count, 10000);
    for (size_t i = 0; i < 10000; i++) {
        snprintf(id, sizeof id, "K%zu", i);
        assert_ptr_equal(nnm_kernel_data_find(again, id), &again->records[i]);
    }
    nnm_kernel_data_free(again);

    data->count = 5000; /* an owner may cut records off (these own nothing) */
    assert_null(nnm_kernel_data_find(data, "K5000"));
    assert_non_null(nnm_kernel_data_find(data, "K4999"));
    nnm_kernel_record record = conv_record("K5000", 1);
    assert_ok(nnm_kernel_data_add(data, &record, &err));
    assert_ptr_equal(nnm_kernel_data_find(data, "K5000"), &data->records[5000]);
    assert_null(nnm_kernel_data_find(data, "K5001"));
    nnm_kernel_data_free(data);
}

/* ---- merging ---- */

static void merging_adds_what_is_missing(void **state)
{
    (void)state;
    nnm_kernel_data *into = load(conv, CONFIGS), *from = load(conv, LATENCIES);
    assert_ok(nnm_kernel_data_merge(into, from, &err));
    assert_int_equal(into->count, 3);
    const nnm_kernel_record *both = nnm_kernel_data_find(into, "YB2F4N");
    assert_true(both->has_config && both->has_latency);
    assert_true(both->latency_ms == 37.53 && both->spread_ms == 0.314);
    assert_non_null(both->model);
    assert_string_equal(into->records[2].id, "ZZZZZZ");
    assert_ok(nnm_kernel_data_merge(into, from, &err)); /* again: nothing new */
    assert_ok(nnm_kernel_data_merge(into, into, &err));
    assert_int_equal(into->count, 3);
    assert_ok(nnm_kernel_data_merge(from, into, &err));
    assert_int_equal(from->count, 3);
    both = nnm_kernel_data_find(from, "YB2F4N");
    assert_true(both->has_config);
    assert_int_equal(both->shape_count, 1);
    assert_string_equal(both->model, "/home/user/space/predictor_build/kernels/conv-bn-relu_prior_YB2F4N");
    assert_string_equal(nnm_kernel_data_find(from, "AAAAAA")->converted_model, "b.onnx");
    nnm_kernel_data_free(into);
    nnm_kernel_data_free(from);
}

static void contradictions_are_refused_whole(void **state)
{
    (void)state;
    nnm_kernel_data *into = load(conv, LATENCIES), *other = NULL;
    other =
        load_text(conv, "{\"conv-bn-relu\": {\"NEW\": {\"latency\": 1}, \"YB2F4N\": {\"latency\": \"37.6 +- 0.3\"}}}");
    assert_fails(nnm_kernel_data_merge(into, other, &err), NNM_ERR_VALUE,
                 "conv-bn-relu 'YB2F4N' has two latencies: 37.53 +- 0.314 and 37.6 +- 0.3 ms");
    assert_int_equal(into->count, 2);
    assert_null(nnm_kernel_data_find(into, "NEW"));
    other->records[1].latency_ms = 37.53 + 1e-9; /* what no file would show is no difference */
    other->records[1].spread_ms = 0.314;
    assert_ok(nnm_kernel_data_merge(into, other, &err));
    assert_int_equal(into->count, 3);
    nnm_kernel_data_free(into);
    nnm_kernel_data_free(other);

    into = load(conv, CONFIGS);
    other = load(conv, CONFIGS);
    other->records[0].config.value[nnm_kernel_param_index(conv, "CIN")] = 213;
    assert_fails(nnm_kernel_data_merge(into, other, &err), NNM_ERR_VALUE,
                 "'YB2F4N' has two configurations: HW=13,CIN=212");
    nnm_kernel_data_free(other);
    other = load(fc, CONFIGS);
    assert_fails(nnm_kernel_data_merge(into, other, &err), NNM_ERR_INVALID_ARGUMENT,
                 "data of fc cannot be merged into data of conv-bn-relu");
    nnm_kernel_data_free(other);
    nnm_kernel_data_free(into);
}

static void collecting_keeps_what_has_both(void **state)
{
    (void)state;
    nnm_kernel_data *data = NULL;
    const char *configs[] = {CONFIGS}, *latencies[] = {LATENCIES};
    assert_ok(nnm_kernel_data_collect(&data, conv, configs, 1, latencies, 1, &err));
    assert_int_equal(data->count, 1);
    assert_string_equal(data->records[0].id, "YB2F4N");
    assert_true(data->records[0].has_config && data->records[0].has_latency);
    nnm_kernel_data_free(data);

    assert_ok(nnm_kernel_data_collect(&data, dwconv, configs, 1, NULL, 0, &err)); /* latencies beside configurations */
    assert_int_equal(data->count, 1);
    assert_string_equal(data->records[0].id, "D2");
    nnm_kernel_data_free(data);

    data = NULL;
    assert_fails(nnm_kernel_data_collect(&data, conv, configs, 1, NULL, 0, &err), NNM_ERR_TOO_FEW_ROWS,
                 "the files have 2 configurations and 0 latencies");
    assert_fails(nnm_kernel_data_collect(&data, conv, NULL, 0, latencies, 1, &err), NNM_ERR_INVALID_ARGUMENT,
                 "no configuration file");
    const char *twice[] = {CONFIGS, path};
    const char *text = "{\"conv-bn-relu\": {\"YB2F4N\": {\"config\": {\"HW\": 14, \"CIN\": 212, \"COUT\": 176, "
                       "\"KERNEL_SIZE\": 1, \"STRIDES\": 1}}}}";
    assert_ok(nnm_file_write(path, text, strlen(text), &err));
    assert_fails(nnm_kernel_data_collect(&data, conv, twice, 2, latencies, 1, &err), NNM_ERR_VALUE,
                 "configs_good.json and");
    assert_non_null(strstr(err.message, "data.json: conv-bn-relu 'YB2F4N' has two configurations: HW=13,"));
    const char *three[] = {NNM_TEST_DATA "/json/published_detail.json", LATENCIES}; /* 42.001 there, 37.53 here */
    assert_fails(nnm_kernel_data_collect(&data, conv, configs, 1, three, 2, &err), NNM_ERR_VALUE,
                 "published_detail.json and ");
    assert_non_null(strstr(err.message, "latencies_good.json: conv-bn-relu 'YB2F4N' has two latencies: 42.001 +- 1 and "
                                        "37.53 +- 0.314 ms"));
    assert_fails(nnm_kernel_data_collect(&data, fc, configs, 1, latencies, 1, &err), NNM_ERR_NOT_FOUND,
                 "latencies_good.json: no entry for 'fc'");
    assert_null(data);
}

/* ---- writing ---- */

static void expect_file(const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    assert_ok(nnm_file_read(path, &text, &size, &err));
    assert_string_equal(text, expected);
    free(text);
}

static void files_look_as_documented(void **state)
{
    (void)state;
    nnm_kernel_data *data = load(conv, CONFIGS), *latencies = load(conv, LATENCIES);
    assert_ok(nnm_kernel_data_merge(data, latencies, &err));
    assert_ok(nnm_kernel_data_save_latencies(data, path, false, &err));
    expect_file("{\n    \"conv-bn-relu\": {\n"
                "        \"YB2F4N\": {\n            \"latency\": \"37.53 +- 0.314\"\n        },\n"
                "        \"ZZZZZZ\": {\n            \"latency\": \"1.5 +- 0\"\n        }\n    }\n}\n");
    assert_ok(nnm_kernel_data_save_configs(latencies, path, &err));
    expect_file("{\n    \"conv-bn-relu\": {\n        \"ZZZZZZ\": {},\n        \"YB2F4N\": {}\n    }\n}\n");
    nnm_kernel_data *fcs = load(fc, CONFIGS);
    unlink(path);
    fcs->records[0].has_latency = true;
    fcs->records[0].latency_ms = 2;
    fcs->records[0].model = strdup("some/m\xC3\xB6"
                                   "del.onnx");
    assert_ok(nnm_kernel_data_save_latencies(fcs, path, true, &err));
    expect_file("{\n    \"fc\": {\n        \"Q1\": {\n            \"model\": \"some/m\xC3\xB6"
                "del.onnx\",\n"
                "            \"shapes\": [\n                [\n                    1024\n                ]\n"
                "            ],\n            \"config\": {\n                \"CIN\": 1024,\n"
                "                \"COUT\": 1000\n            },\n            \"latency\": \"2 +- 0\"\n"
                "        }\n    }\n}\n");
    nnm_kernel_data_free(fcs);
    nnm_kernel_data_free(data);
    nnm_kernel_data_free(latencies);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    nnm_kernel_data *data = load(conv, CONFIGS);
    assert_ok(nnm_kernel_data_save_configs(data, path, &err));
    nnm_kernel_data *again = load(conv, path);
    assert_int_equal(again->count, data->count);
    for (size_t i = 0; i < data->count; i++) {
        const nnm_kernel_record *a = &data->records[i], *b = &again->records[i];
        assert_string_equal(a->id, b->id);
        assert_string_equal(a->model, b->model);
        assert_true(nnm_kernel_config_equal(conv, &a->config, &b->config));
        assert_int_equal(a->shape_count, b->shape_count);
        assert_memory_equal(a->shapes, b->shapes, sizeof a->shapes);
    }
    assert_string_equal(again->records[1].converted_model, "b.onnx");
    nnm_kernel_data_free(again);
    nnm_kernel_data_free(data);
}

static void other_kernels_of_a_file_stay(void **state)
{
    (void)state;
    nnm_kernel_data *convs = load(conv, CONFIGS), *fcs = load(fc, CONFIGS);
    assert_ok(nnm_kernel_data_save_configs(convs, path, &err));
    assert_ok(nnm_kernel_data_save_configs(fcs, path, &err));
    nnm_kernel_data_free(convs);
    assert_ok(nnm_kernel_data_new(&convs, conv, &err));
    nnm_kernel_record record = conv_record("ONLY", 5);
    assert_ok(nnm_kernel_data_add(convs, &record, &err));
    assert_ok(nnm_kernel_data_save_configs(convs, path, &err)); /* replaces its own entries */
    nnm_kernel_data_free(convs);
    nnm_kernel_data_free(fcs);
    convs = load(conv, path);
    fcs = load(fc, path);
    assert_int_equal(convs->count, 1);
    assert_string_equal(convs->records[0].id, "ONLY");
    assert_int_equal(fcs->count, 1);
    nnm_kernel_data_free(convs);
    nnm_kernel_data_free(fcs);
}

static void writing_fails_without_harm(void **state)
{
    (void)state;
    nnm_kernel_data *data = load(fc, CONFIGS);
    static const char *const broken = "{\"conv-bn-relu\": ";
    assert_ok(nnm_file_write(path, broken, strlen(broken), &err));
    assert_fails(nnm_kernel_data_save_configs(data, path, &err), NNM_ERR_PARSE, "data.json:1:");
    expect_file(broken);
    unlink(path);
    data->records[0].model = strdup("not \xff UTF-8");
    assert_fails(nnm_kernel_data_save_configs(data, path, &err), NNM_ERR_VALUE, "fc 'Q1': model: JSON cannot hold");
    assert_false(nnm_file_exists(path));
    free(data->records[0].model);
    data->records[0].model = NULL;
    in_folder(path, folder, "none/data.json");
    assert_fails(nnm_kernel_data_save_configs(data, path, &err), NNM_ERR_NOT_FOUND, "none/data.json");
    nnm_kernel_data_free(data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_config_file_is_read),
        TEST(parameters_may_be_left_out_as_on_the_command_line),
        TEST(other_kernels_of_the_file_are_read_too),
        TEST(a_latency_file_is_read),
        TEST(latencies_are_read_in_every_form),
        TEST(latencies_are_written_with_six_digits),
        TEST(a_byte_order_mark_is_skipped),
        TEST(files_that_are_not_json_are_placed),
        TEST(files_with_something_else_are_refused),
        TEST(too_large_files_are_refused_by_name),
        TEST(configurations_without_a_model_are_read),
        TEST(bad_entries_are_named),
        TEST(records_are_copied_and_found),
        TEST(ten_thousand_records_are_found_again),
        TEST(merging_adds_what_is_missing),
        TEST(contradictions_are_refused_whole),
        TEST(collecting_keeps_what_has_both),
        TEST(files_look_as_documented),
        TEST(what_is_written_reads_back),
        TEST(other_kernels_of_a_file_stay),
        TEST(writing_fails_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
