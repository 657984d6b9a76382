#include "unit/testing.h"

#include <locale.h>
#include <stdbool.h>

#include "base/file.h"
#include "config/files.h"

static const nnm_known_kernel known[] = {
    {"conv-bn-relu", 1000}, {"dwconv-bn-relu", 500}, {"fc", 300}, {"conv-relu", 0}};
#define KNOWN_COUNT (sizeof known / sizeof *known)
static const char *const flavours[] = {"sweet", "sour"};
static const nnm_setting settings[] = {
    {.key = "SERIAL", .type = NNM_SETTING_TEXT, .identifies = true, .comment = "Which device."},
    {.key = "RUNS", .type = NNM_SETTING_WHOLE, .minimum = 1, .maximum = 99, .initial = "50", .comment = "How many."},
    {.key = "SHARE", .type = NNM_SETTING_NUMBER, .maximum = 1, .initial = "0.5", .comment = "How much."},
    {.key = "FLAVOUR",
     .type = NNM_SETTING_WORD,
     .words = flavours,
     .word_count = 2,
     .initial = "sour",
     .comment = "Which."},
    {.key = "LOUD",
     .type = NNM_SETTING_BOOLEAN,
     .initial = "FALSE",
     .identifies = true,
     .comment = "Whether.\nOr not."},
    {.key = "TOOL", .type = NNM_SETTING_FILE, .comment = "The program."},
};
static const nnm_known_backend backends[] = {
    {.name = "xnnpack_cpu"},
    {.name = "simulated", .settings = settings, .setting_count = 6, .times_itself = true, .simulated = true},
};

static char folder[256], path[512];
static nnm_error err;

static int setup(void **state)
{
    (void)state;
    make_folder(folder);
    in_folder(path, folder, "config.yaml");
    err = (nnm_error)NNM_ERROR_INIT;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static void put(const char *text)
{
    assert_ok(nnm_file_write(path, text, strlen(text), &err));
}

static nnm_status read_build(const char *text, nnm_predictorbuild_config *out)
{
    put(text);
    return nnm_predictorbuild_config_read(out, path, NNM_IMPLEMENT_TORCH, known, KNOWN_COUNT, &err);
}

static nnm_status read_backend(const char *text, nnm_backend_config *out)
{
    put(text);
    return nnm_backend_config_read(out, path, backends, 2, &err);
}

/* Reading `text` as predictorbuild_config.yaml must fail there, with this message. */
static void build_fails(const char *text, nnm_status code, size_t line, size_t column, const char *message)
{
    nnm_predictorbuild_config config = {.batch_size = 77};
    assert_fails(read_build(text, &config), code, message);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    assert_int_equal(config.batch_size, 77); /* untouched */
    assert_null(config.kernels);
}

static void backend_fails(const char *text, nnm_status code, size_t line, size_t column, const char *message)
{
    nnm_backend_config config = {.threads = 77};
    assert_fails(read_backend(text, &config), code, message);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    assert_int_equal(config.threads, 77);
}

static bool same_kernel(const nnm_kernel_build *a, const nnm_kernel_build *b)
{
    return strcmp(a->kernel, b->kernel) == 0 && a->init_sample_num == b->init_sample_num &&
           a->finegrained_sample_num == b->finegrained_sample_num && a->iteration == b->iteration &&
           a->error_threshold == b->error_threshold && a->predictor == b->predictor && a->sampler == b->sampler &&
           a->test_sample_num == b->test_sample_num;
}

/* ---- predictorbuild_config.yaml ---- */

static void a_build_file_is_read(void **state)
{
    (void)state;
    nnm_predictorbuild_config config;
    assert_ok(nnm_predictorbuild_config_read(&config, NNM_TEST_DATA "/yaml/predictorbuild_good.yaml",
                                             NNM_IMPLEMENT_TORCH, known, KNOWN_COUNT, &err));
    assert_true(config.detail);
    assert_int_equal(config.implement, NNM_IMPLEMENT_TORCH);
    assert_int_equal(config.batch_size, 8);
    assert_string_equal(config.prior_dir, "tables: of mine");
    const nnm_kernel_build expected[] = {
        {"dwconv-bn-relu", 500, 20, 5, 0.25, NNM_MODEL_BEST, NNM_SAMPLER_FINEGRAINED, -1},
        {"conv-bn-relu", 1000, 10, 3, 0.1, NNM_MODEL_BEST, NNM_SAMPLER_FINEGRAINED, -1},
        {"conv-relu", NNM_FALLBACK_SAMPLES, 20, 3, 0.1, NNM_MODEL_BEST, NNM_SAMPLER_FINEGRAINED, -1}};
    assert_int_equal(config.kernel_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(same_kernel(&config.kernels[i], &expected[i]));
    nnm_predictorbuild_config_fini(&config);
}

static void missing_keys_take_the_defaults(void **state)
{
    (void)state;
    nnm_predictorbuild_config config;
    assert_ok(read_build("DETAIL: no\nPRIOR_DIR:\n", &config));
    assert_false(config.detail);
    assert_int_equal(config.implement, NNM_IMPLEMENT_TORCH);
    assert_int_equal(config.batch_size, 1);
    assert_null(config.prior_dir);
    assert_int_equal(config.kernel_count, 3);
    assert_string_equal(config.kernels[2].kernel, "fc");
    assert_int_equal(config.kernels[2].init_sample_num, 300);
    nnm_predictorbuild_config_fini(&config);

    assert_ok(read_build("KERNELS: {}\n", &config));
    assert_int_equal(config.kernel_count, 0);
    nnm_predictorbuild_config_fini(&config);
}

static void kernels_have_the_model_of_the_file_or_their_own(void **state)
{
    (void)state;
    nnm_predictorbuild_config config, again;
    assert_ok(read_build("KERNELS:\n  fc:\n  conv-relu: {PREDICTOR: random_forest}\nPREDICTOR: best\n", &config));
    assert_int_equal(config.predictor, NNM_MODEL_BEST);
    assert_int_equal(config.kernels[0].predictor, NNM_MODEL_BEST);
    assert_int_equal(config.kernels[1].predictor, NNM_MODEL_RANDOM_FOREST);
    assert_ok(nnm_predictorbuild_config_write(&config, path, known, KNOWN_COUNT, &err));
    assert_ok(nnm_predictorbuild_config_read(&again, path, NNM_IMPLEMENT_TORCH, known, KNOWN_COUNT, &err));
    assert_int_equal(again.predictor, NNM_MODEL_BEST);
    for (size_t i = 0; i < 2; i++)
        assert_true(same_kernel(&config.kernels[i], &again.kernels[i]));
    nnm_predictorbuild_config_fini(&config);
    nnm_predictorbuild_config_fini(&again);
    build_fails("PREDICTOR: svm\n", NNM_ERR_VALUE, 1, 12, "PREDICTOR: found 'svm', need random_forest or best");
    build_fails("KERNELS:\n  fc: {PREDICTOR: 1}\n", NNM_ERR_VALUE, 2, 19, "need random_forest or best");
}

static void booleans_are_those_of_yaml(void **state)
{
    (void)state;
    static const char *const words[] = {"FALSE", "TRUE", "false", "true", "no", "yes", "Off", "On"};
    for (size_t i = 0; i < 8; i++) {
        char text[64];
        snprintf(text, sizeof text, "DETAIL: %s\n", words[i]);
        nnm_predictorbuild_config config;
        assert_ok(read_build(text, &config));
        assert_int_equal(config.detail, i % 2 == 1);
        nnm_predictorbuild_config_fini(&config);
    }
    build_fails("DETAIL: 1\n", NNM_ERR_VALUE, 1, 9, "DETAIL: found '1', need TRUE or FALSE");
    build_fails("DETAIL: \"TRUE\"\n", NNM_ERR_VALUE, 1, 9, "found \"TRUE\", need TRUE or FALSE, without quotes");
}

static void a_written_build_file_reads_back(void **state)
{
    (void)state;
    nnm_predictorbuild_config written, config;
    assert_ok(nnm_predictorbuild_config_default(&written, NNM_IMPLEMENT_TORCH, known, KNOWN_COUNT, &err));
    written.detail = true;
    written.batch_size = 4;
    written.kernels[0].error_threshold = 0.15;
    written.kernels[0].sampler = NNM_SAMPLER_AUTO;
    written.kernels[1].test_sample_num = 12;
    written.budget.seconds = 1200;
    written.until = (nnm_target){NNM_TARGET_RMSPE, 0.125};
    written.prior_dir = strdup("a \"b\"\\c: # \xC3\xA4");
    assert_non_null(written.prior_dir);
    assert_ok(nnm_predictorbuild_config_write(&written, path, known, KNOWN_COUNT, &err));
    assert_ok(nnm_predictorbuild_config_read(&config, path, NNM_IMPLEMENT_TORCH, known, KNOWN_COUNT, &err));
    assert_true(config.detail);
    assert_int_equal(config.batch_size, 4);
    assert_true(config.budget.kernels == 0 && config.budget.seconds == 1200);
    assert_true(config.until.figure == NNM_TARGET_RMSPE && config.until.value == 0.125);
    assert_string_equal(config.prior_dir, written.prior_dir);
    assert_int_equal(config.kernel_count, written.kernel_count);
    for (size_t i = 0; i < config.kernel_count; i++)
        assert_true(same_kernel(&config.kernels[i], &written.kernels[i]));
    nnm_predictorbuild_config_fini(&config);

    written.kernel_count = 0;
    assert_ok(nnm_predictorbuild_config_write(&written, path, known, KNOWN_COUNT, &err));
    assert_ok(nnm_predictorbuild_config_read(&config, path, NNM_IMPLEMENT_TORCH, known, KNOWN_COUNT, &err));
    assert_int_equal(config.kernel_count, 0);
    nnm_predictorbuild_config_fini(&config);
    nnm_predictorbuild_config_fini(&written);
}

static void a_new_build_file_explains_itself(void **state)
{
    (void)state;
    nnm_predictorbuild_config config;
    assert_ok(nnm_predictorbuild_config_default(&config, NNM_IMPLEMENT_TORCH, known, KNOWN_COUNT, &err));
    assert_ok(nnm_predictorbuild_config_write(&config, path, known, KNOWN_COUNT, &err));
    nnm_predictorbuild_config_fini(&config);
    char *text = NULL;
    size_t size = 0, count = 0;
    assert_ok(nnm_file_read(path, &text, &size, &err));
    assert_non_null(strstr(text, "\nDETAIL: FALSE\n"));
    assert_non_null(strstr(text, "\nIMPLEMENT: torch\n"));
    assert_non_null(strstr(text, "\nBATCH_SIZE: 1\n"));
    assert_non_null(strstr(text, "\n# PRIOR_DIR: path/to/folder\n"));
    assert_non_null(strstr(text, "\n  conv-bn-relu:\n    INIT_SAMPLE_NUM: 1000 # the published system: 10000\n"
                                 "    FINEGRAINED_SAMPLE_NUM: 20\n    ITERATION: 3\n    ERROR_THRESHOLD: 0.1\n"));
    assert_null(strstr(text, "conv-relu:"));
    const nnm_option *options = nnm_predictorbuild_options(&count);
    for (size_t i = 0; i < count; i++) {
        char first_line[128];
        snprintf(first_line, sizeof first_line, "# %.*s", (int)strcspn(options[i].comment, "\n"), options[i].comment);
        assert_non_null(strstr(text, first_line));
    }
    free(text);
}

static void bad_build_values_are_named(void **state)
{
    (void)state;
    build_fails("DETAIL: FALSE\nIMPLEMENT: torch\nBATCH_SIZE: 1\nKERNELS:\n  conv-bn-relu:\n"
                "    ITERATION: 3\n    INIT_SAMPLE_NUM: -5\n",
                NNM_ERR_VALUE, 7, 22,
                "config.yaml:7:22: INIT_SAMPLE_NUM: found '-5', need a whole number from 1 to 1000000");
    build_fails("BATCH_SIZE: 0\n", NNM_ERR_VALUE, 1, 13, "need a whole number from 1 to 4096");
    build_fails("BATCH_SIZE: 4097\n", NNM_ERR_VALUE, 1, 13, "found '4097'");
    build_fails("BATCH_SIZE: 99999999999999999999\n", NNM_ERR_VALUE, 1, 13, "found '99999999999999999999'");
    build_fails("BATCH_SIZE: 1.5\n", NNM_ERR_VALUE, 1, 13, "found '1.5'");
    build_fails("BATCH_SIZE: 010\n", NNM_ERR_VALUE, 1, 13, "found '010'");
    build_fails("BATCH_SIZE: 1 2\n", NNM_ERR_VALUE, 1, 13, "found '1 2'");
    build_fails("BATCH_SIZE: '2'\n", NNM_ERR_VALUE, 1, 13, "found \"2\", need a whole number from 1 to 4096, without");
    build_fails("BATCH_SIZE:\nDETAIL: no\n", NNM_ERR_VALUE, 1, 12, "BATCH_SIZE: found nothing, need a whole number");
    build_fails("BATCH_SIZE: [1]\n", NNM_ERR_VALUE, 1, 13, "BATCH_SIZE: found a list");
    build_fails("BATCH_SIZE:\n  A: 1\n", NNM_ERR_VALUE, 2, 3, "BATCH_SIZE: found a mapping");
    build_fails("PRIOR_DIR: [a, b]\n", NNM_ERR_VALUE, 1, 12, "PRIOR_DIR: found a list, need the path of a folder");
    build_fails("IMPLEMENT: pytorch\n", NNM_ERR_VALUE, 1, 12,
                "found 'pytorch', need tensorflow or torch; did you mean 'torch'?");
    build_fails("SAMPLER: fine\n", NNM_ERR_VALUE, 1, 10, "found 'fine', need finegrained, prior or auto");
    build_fails("TEST_SAMPLE_NUM: -1\n", NNM_ERR_VALUE, 1, 18, "need auto or a whole number from 0 to 100000");
    build_fails("BUDGET: abc\n", NNM_ERR_VALUE, 1, 9, "found 'abc', need a number of kernels (500) or a time");
    build_fails("UNTIL: acc10=95\n", NNM_ERR_VALUE, 1, 8, "UNTIL: found 'acc10=95', need acc5, acc10 or acc15");
    build_fails("KERNELS:\n  fc: {ERROR_THRESHOLD: 0.05}\n", NNM_ERR_VALUE, 2, 25, "need a number from 0.1 to 1");
    build_fails("KERNELS:\n  fc: {ERROR_THRESHOLD: nan}\n", NNM_ERR_VALUE, 2, 25, "found 'nan'");
    build_fails("KERNELS:\n  fc: {ERROR_THRESHOLD: 0x1}\n", NNM_ERR_VALUE, 2, 25, "found '0x1'");
    build_fails("KERNELS:\n  fc: {ITERATION: 0}\n", NNM_ERR_VALUE, 2, 19, "need a whole number from 1 to 1000");
    build_fails("KERNELS:\n  fc: {FINEGRAINED_SAMPLE_NUM: 100001}\n", NNM_ERR_VALUE, 2, 32, "from 1 to 100000");
}

static void unknown_and_repeated_keys_are_named(void **state)
{
    (void)state;
    build_fails("KERNELS:\n  fc:\n    ITERATON: 2\n", NNM_ERR_VALUE, 3, 5,
                "unknown key 'ITERATON'; did you mean 'ITERATION'?");
    build_fails("detail: TRUE\n", NNM_ERR_VALUE, 1, 1, "unknown key 'detail'; did you mean 'DETAIL'?");
    build_fails("WHATEVER: 1\n", NNM_ERR_VALUE, 1, 1,
                "unknown key 'WHATEVER'; known: DETAIL, IMPLEMENT, BATCH_SIZE, PREDICTOR, SAMPLER, TEST_SAMPLE_NUM, "
                "BUDGET, UNTIL, PRIOR_DIR, KERNELS");
    build_fails("DETAIL: no\nBATCH_SIZE: 1\nDETAIL: yes\n", NNM_ERR_VALUE, 3, 1,
                "DETAIL: the key stands here a second time, the first is in line 1");
    build_fails("KERNELS:\n  fc:\n  conv-relu:\n  fc:\n", NNM_ERR_VALUE, 4, 3, "the first is in line 2");
    build_fails("KERNELS:\n  conv-bn-rellu:\n", NNM_ERR_VALUE, 2, 3,
                "unknown kernel type 'conv-bn-rellu'; did you mean 'conv-bn-relu'?");
    build_fails("KERNELS:\n  lstm:\n", NNM_ERR_VALUE, 2, 3,
                "unknown kernel type 'lstm'; known: conv-bn-relu, dwconv-bn-relu, fc, conv-relu");
    build_fails("KERNELS:\n  - fc\n", NNM_ERR_VALUE, 2, 3, "KERNELS: found a list, need kernel types");
    build_fails("KERNELS:\n", NNM_ERR_VALUE, 1, 9, "KERNELS: found nothing");
    build_fails("KERNELS:\n  fc: 300\n", NNM_ERR_VALUE, 2, 7, "fc: found '300', need lines of 'KEY: value'");
}

/* ---- what is not a configuration at all ---- */

static void files_that_are_no_configuration_are_refused(void **state)
{
    (void)state;
    build_fails("", NNM_ERR_VALUE, 0, 0, "config.yaml: the file is empty");
    build_fails("# only a comment\n---\n", NNM_ERR_VALUE, 0, 0, "the file is empty");
    build_fails("just words\n", NNM_ERR_VALUE, 1, 1, "found 'just words', need lines of 'KEY: value'");
    build_fails("- DETAIL\n", NNM_ERR_VALUE, 1, 1, "found a list, need lines of 'KEY: value'");
    build_fails("DETAIL: no\n---\nDETAIL: yes\n", NNM_ERR_VALUE, 2, 1, "a second document begins here");
    build_fails("? [a]\n: 1\n", NNM_ERR_VALUE, 1, 3, "a key must be a word");
    build_fails("DETAIL: !!bool no\n", NNM_ERR_VALUE, 1, 9, "a tag ('!name') is not accepted");
    build_fails("PRIOR_DIR: \"a\\0b\"\n", NNM_ERR_VALUE, 1, 12, "a zero character");
    build_fails("DETAIL: [[[[[[[[[[1]]]]]]]]]]\n", NNM_ERR_VALUE, 1, 16, "nested too deep");
    build_fails("A: &a [x, x]\nB: &b [*a, *a]\nC: [*b, *b]\n", NNM_ERR_VALUE, 2, 8, "an alias");
    nnm_predictorbuild_config config;
    assert_fails(
        nnm_predictorbuild_config_read(&config, in_folder(path, folder, "none"), NNM_IMPLEMENT_TORCH, known, 4, &err),
        NNM_ERR_NOT_FOUND, "cannot read");
    assert_fails(nnm_predictorbuild_config_read(&config, folder, NNM_IMPLEMENT_TORCH, known, 4, &err), NNM_ERR_IO,
                 "Is a directory");
}

static void broken_yaml_is_placed(void **state)
{
    (void)state;
    build_fails("DETAIL: no\n\tBATCH_SIZE: 1\n", NNM_ERR_PARSE, 2, 1, "begins with a tab: indent with blanks");
    build_fails("DETAIL: [no\n", NNM_ERR_PARSE, 2, 1, "flow sequence");
    build_fails("DETAIL: 'no\n", NNM_ERR_PARSE, 2, 1, "quoted scalar");
    build_fails("KERNELS:\n  fc:\n ITERATION: 1\n", NNM_ERR_PARSE, 3, 2, "block mapping");
    build_fails("DETAIL: no\nPRIOR_DIR: \xff\xfe\n", NNM_ERR_PARSE, 2, 0, "not readable as text");
}

static void a_huge_file_is_refused(void **state)
{
    (void)state;
    char *text = malloc(NNM_YAML_MAX_BYTES + 2);
    assert_non_null(text);
    memset(text, '#', NNM_YAML_MAX_BYTES + 1);
    text[NNM_YAML_MAX_BYTES + 1] = '\0';
    build_fails(text, NNM_ERR_VALUE, 0, 0, "a configuration has at most");
    free(text);
}

static void long_texts_are_cut_in_messages(void **state)
{
    (void)state;
    char text[600] = "DETAIL: x"; /* the cut would be within a character */
    for (size_t i = 0; i < 100; i++)
        strcat(text, "\xC3\xA4");
    nnm_predictorbuild_config config;
    assert_fails(read_build(text, &config), NNM_ERR_VALUE, "\xC3\xA4...', need TRUE or FALSE");
}

/* ---- backend_config.yaml ---- */

static void a_backend_file_is_read(void **state)
{
    (void)state;
    nnm_backend_config config;
    assert_ok(nnm_backend_config_read(&config, NNM_TEST_DATA "/yaml/backend_good.yaml", backends, 2, &err));
    assert_string_equal(config.backend, "xnnpack_cpu");
    assert_int_equal(config.threads, 2);
    assert_int_equal(config.optimization, NNM_OPTIMIZATION_BASIC);
    assert_string_equal(config.library_path, "lib/libonnxruntime.so.1");
    assert_int_equal(config.protocol.rounds, 5);
    assert_true(config.protocol.warmup_ms == 1.5);
    assert_true(config.protocol.sample_us == 1000);
    assert_true(config.protocol.round_ms == 50);
    assert_true(config.protocol.budget_s == 2.5);
    assert_true(config.protocol.timeout_s == 10);
    assert_int_equal(config.protocol.memory_limit_mib, 512);
    assert_int_equal(config.protocol.cpu, 3);
    assert_true(config.protocol.gate == 0);
    nnm_backend_config_fini(&config);
    assert_null(config.library_path);
}

static void a_library_is_left_out_or_a_path(void **state)
{
    (void)state;
    nnm_backend_config config, again;
    assert_ok(read_backend("LIBRARY_PATH:\nGRAPH_OPTIMIZATION: disable\n", &config));
    assert_null(config.library_path);
    assert_int_equal(config.optimization, NNM_OPTIMIZATION_DISABLE);
    config.library_path = strdup("a \"b\".so");
    assert_non_null(config.library_path);
    assert_ok(nnm_backend_config_write(&config, &backends[0], path, &err));
    assert_ok(nnm_backend_config_read(&again, path, backends, 2, &err));
    assert_string_equal(again.library_path, config.library_path);
    assert_int_equal(again.optimization, NNM_OPTIMIZATION_DISABLE);
    nnm_backend_config_fini(&config);
    nnm_backend_config_fini(&again);
    assert_fails(read_backend("LIBRARY_PATH: a.so\nROUNDS: 0\n", &config), NNM_ERR_VALUE, "ROUNDS: found '0'");
    assert_fails(read_backend("LIBRARY_PATH: [a]\n", &config), NNM_ERR_VALUE,
                 "LIBRARY_PATH: found a list, need the path of a file");
    assert_fails(read_backend("GRAPH_OPTIMIZATION: al\n", &config), NNM_ERR_VALUE,
                 "need all, extended, basic or disable; did you mean 'all'?");
    nnm_backend_config fresh = nnm_backend_config_default("xnnpack_cpu");
    char *text = NULL;
    size_t size = 0;
    assert_ok(nnm_backend_config_write(&fresh, &backends[0], path, &err));
    assert_ok(nnm_file_read(path, &text, &size, &err));
    assert_non_null(strstr(text, "\n# LIBRARY_PATH: path/to/file\n"));
    assert_non_null(strstr(text, "\nGRAPH_OPTIMIZATION: all\n"));
    free(text);
}

static void a_written_backend_file_reads_back(void **state)
{
    (void)state;
    const nnm_protocol expected = NNM_PROTOCOL_INIT;
    nnm_backend_config written = nnm_backend_config_default("simulated"), config;
    assert_ok(nnm_backend_config_write(&written, &backends[1], path, &err));
    assert_ok(nnm_backend_config_read(&config, path, backends, 2, &err));
    assert_string_equal(config.backend, "simulated");
    assert_int_equal(config.threads, 1);
    assert_int_equal(config.protocol.rounds, expected.rounds);
    assert_true(config.protocol.warmup_ms == expected.warmup_ms);
    assert_true(config.protocol.sample_us == expected.sample_us);
    assert_true(config.protocol.round_ms == expected.round_ms);
    assert_true(config.protocol.budget_s == expected.budget_s);
    assert_true(config.protocol.timeout_s == expected.timeout_s);
    assert_int_equal(config.protocol.memory_limit_mib, expected.memory_limit_mib);
    assert_int_equal(config.protocol.cpu, expected.cpu);
    assert_true(config.protocol.gate == expected.gate);
    assert_true(config.protocol.clock_gate == expected.clock_gate);
    assert_int_equal(config.protocol.max_rounds, expected.max_rounds);
    assert_true(config.protocol.target_error == expected.target_error);
    assert_true(config.protocol.wait_s == expected.wait_s);
    assert_int_equal(config.protocol.realtime, expected.realtime);
    assert_int_equal(config.protocol.normalise, expected.normalise);
    nnm_backend_config_fini(&config);
}

static void settings_of_a_backend_are_read(void **state)
{
    (void)state;
    nnm_backend_config config;
    assert_ok(read_backend("SERIAL: 0123\nBACKEND: simulated\nSHARE: 0.250\nLOUD: yes\nTOOL: bin/tool\n", &config));
    assert_string_equal(config.settings[0], "0123"); /* a text, though it looks like a number */
    assert_string_equal(config.settings[1], "50");   /* not given: that of a new workspace */
    assert_string_equal(config.settings[2], "0.25");
    assert_string_equal(config.settings[3], "sour");
    assert_string_equal(config.settings[4], "TRUE");
    assert_string_equal(config.settings[5], "bin/tool");
    char identity[64];
    nnm_buffer text = {0};
    nnm_backend_config_identify(&config, &backends[1], identity, sizeof identity);
    assert_string_equal(identity, "SERIAL: 0123\nLOUD: TRUE\n");
    nnm_backend_config_describe(&config, &backends[1], &text);
    assert_non_null(
        strstr(text.data, "\nSERIAL: 0123\nLOUD: TRUE\nRUNS: 50\nSHARE: 0.25\nFLAVOUR: sour\nTOOL: bin/tool\n"));
    nnm_buffer_fini(&text);
    nnm_backend_config_fini(&config);
    assert_ok(read_backend("BACKEND: simulated\nTOOL:\n", &config));
    assert_null(config.settings[0]);
    assert_null(config.settings[5]);
    nnm_backend_config_fini(&config);
}

static void settings_of_a_backend_are_checked(void **state)
{
    (void)state;
    backend_fails("BACKEND: simulated\nRUNS: 100\n", NNM_ERR_VALUE, 2, 7,
                  "RUNS: found '100', need a whole number from 1 to 99");
    backend_fails("BACKEND: simulated\nSHARE: 2\n", NNM_ERR_VALUE, 2, 8, "SHARE: found '2', need a number from 0 to 1");
    backend_fails("BACKEND: simulated\nFLAVOUR: sweat\n", NNM_ERR_VALUE, 2, 10,
                  "FLAVOUR: found 'sweat', need sweet or sour; did you mean 'sweet'?");
    backend_fails("BACKEND: simulated\nSERIAL: [a]\n", NNM_ERR_VALUE, 2, 9, "SERIAL: found a list, need a text");
    backend_fails("SERIAL: a\nBACKEND: simulated\nRUN: 3\n", NNM_ERR_VALUE, 3, 1,
                  "unknown key 'RUN'; did you mean 'RUNS'?");
    backend_fails("BACKEND: xnnpack_cpu\nRUNS: 3\n", NNM_ERR_VALUE, 2, 1, "unknown key 'RUNS'"); /* another's key */
}

static void a_new_file_has_the_settings_of_its_backend(void **state)
{
    (void)state;
    nnm_backend_config fresh = nnm_backend_config_default("simulated");
    char *text = NULL;
    size_t size = 0;
    assert_ok(nnm_backend_config_write(&fresh, &backends[1], path, &err));
    assert_ok(nnm_file_read(path, &text, &size, &err));
    assert_non_null(strstr(text, "\n# Which device.\n# SERIAL: text\n"));
    assert_non_null(strstr(text, "\n# How many.\nRUNS: 50\n"));
    assert_non_null(strstr(text, "\n# Whether.\n# Or not.\nLOUD: FALSE\n"));
    assert_non_null(strstr(text, "\n# TOOL: path/to/file\n"));
    assert_non_null(strstr(text, "\nROUNDS: 8\n"));
    assert_null(strstr(text, "GATE:")); /* nothing is timed on this machine */
    assert_null(strstr(text, "WARMUP_MS:"));
    free(text);
}

static void the_cpu_is_a_number_or_a_word(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int cpu;
    } cases[] = {{"CPU: auto\n", -1}, {"CPU: none\n", -2}, {"CPU: 0\n", 0}, {"CPU: 1023\n", 1023}};
    for (size_t i = 0; i < 4; i++) {
        nnm_backend_config config, again;
        assert_ok(read_backend(cases[i].text, &config));
        assert_int_equal(config.protocol.cpu, cases[i].cpu);
        assert_ok(nnm_backend_config_write(&config, &backends[0], path, &err));
        assert_ok(nnm_backend_config_read(&again, path, backends, 2, &err));
        assert_int_equal(again.protocol.cpu, cases[i].cpu);
    }
    backend_fails("CPU: -1\n", NNM_ERR_VALUE, 1, 6,
                  "CPU: found '-1', need auto, none or a whole number from 0 to 1023");
    backend_fails("CPU: atuo\n", NNM_ERR_VALUE, 1, 6, "did you mean 'auto'?");
}

static void bad_backend_values_are_named(void **state)
{
    (void)state;
    backend_fails("BACKEND: xnnpakc_cpu\n", NNM_ERR_VALUE, 1, 10,
                  "unknown backend 'xnnpakc_cpu'; did you mean 'xnnpack_cpu'?");
    backend_fails("BACKEND: tflite_gpu\n", NNM_ERR_VALUE, 1, 10,
                  "unknown backend 'tflite_gpu'; known: xnnpack_cpu, simulated");
    backend_fails("BACKEND: ''\n", NNM_ERR_VALUE, 1, 10, "BACKEND: found \"\", need a name");
    backend_fails("ROUNDS: 65\n", NNM_ERR_VALUE, 1, 9, "ROUNDS: found '65', need a whole number from 1 to 64");
    backend_fails("THREADS: 0\n", NNM_ERR_VALUE, 1, 10, "need a whole number from 1 to 256");
    backend_fails("WARMUP_MS: 0\n", NNM_ERR_VALUE, 1, 12, "need a number from 0.001 to 60000");
    backend_fails("SAMPLE_US: fast\n", NNM_ERR_VALUE, 1, 12, "need a number from 0.1 to 10000000");
    backend_fails("ROUND_MS: -20\n", NNM_ERR_VALUE, 1, 11, "need a number from 0.001 to 600000");
    backend_fails("BUDGET_S: 0\n", NNM_ERR_VALUE, 1, 11, "need a number from 0.001 to 86400");
    backend_fails("TIMEOUT_S: 1e9\n", NNM_ERR_VALUE, 1, 12, "need a number from 0.001 to 86400");
    backend_fails("MEMORY_LIMIT_MIB: -1\n", NNM_ERR_VALUE, 1, 19, "need auto or a whole number from 0 to 16777216");
    backend_fails("ROUNDS: 5\nMAX_ROUNDS: 4\n", NNM_ERR_VALUE, 2, 13, "need at least ROUNDS, which is 5");
    backend_fails("TARGET_ERROR: 2\n", NNM_ERR_VALUE, 1, 15, "need a number from 0 to 1");
    backend_fails("GATE: 8%\n", NNM_ERR_VALUE, 1, 7, "need a number from 0 to 1");
    backend_fails("TIMEOUT: 3\n", NNM_ERR_VALUE, 1, 1, "did you mean 'TIMEOUT_S'?");
    nnm_backend_config config;
    put("ROUNDS: 1\n");
    assert_fails(nnm_backend_config_read(&config, path, backends + 1, 1, &err), NNM_ERR_VALUE, "BACKEND is missing");
}

static void numbers_do_not_follow_the_locale(void **state)
{
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8")) skip();
    nnm_backend_config config;
    nnm_status status = read_backend("GATE: 0.25\n", &config);
    setlocale(LC_NUMERIC, "C");
    assert_ok(status);
    assert_true(config.protocol.gate == 0.25);
}

/* ---- the documentation ---- */

/* Every option has a row "| `KEY` | what is allowed | `default` | ..." in the documentation. */
static void expect_rows(const char *document, const nnm_option *options, size_t count, const void *config)
{
    for (size_t i = 0; i < count; i++) {
        if (options[i].type == NNM_OPTION_SECTION) continue;
        nnm_buffer row = {0};
        nnm_buffer_printf(&row, "| `%s` | ", options[i].key);
        nnm_option_allowed(&options[i], &row);
        nnm_buffer_text(&row, " | ");
        nnm_buffer value = {0};
        nnm_option_format(&options[i], config, &value);
        if (value.size == 0)
            nnm_buffer_text(&row, "none |");
        else if (strcmp(options[i].key, "INIT_SAMPLE_NUM") != 0)
            nnm_buffer_printf(&row, "`%s` |", value.data);
        nnm_buffer_fini(&value);
        assert_ok(nnm_buffer_check(&row, &err));
        if (!strstr(document, row.data)) fail_msg("docs/configuration.md lacks '%s'", row.data);
        nnm_buffer_fini(&row);
    }
}

static void the_documentation_is_true_to_the_tables(void **state)
{
    (void)state;
    char *document = NULL;
    size_t size = 0, count = 0;
    assert_ok(nnm_file_read(NNM_TEST_DATA "/../../docs/configuration.md", &document, &size, &err));
    nnm_predictorbuild_config build;
    assert_ok(nnm_predictorbuild_config_default(&build, NNM_IMPLEMENT_TENSORFLOW, known, KNOWN_COUNT, &err));
    const nnm_option *options = nnm_predictorbuild_options(&count);
    expect_rows(document, options, count, &build);
    options = nnm_kernel_build_options(&count);
    expect_rows(document, options, count, &build.kernels[0]);
    nnm_backend_config backend = nnm_backend_config_default("xnnpack_cpu");
    options = nnm_backend_options(&count);
    expect_rows(document, options, count, &backend);
    nnm_predictorbuild_config_fini(&build);
    free(document);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_build_file_is_read),
        TEST(missing_keys_take_the_defaults),
        TEST(kernels_have_the_model_of_the_file_or_their_own),
        TEST(booleans_are_those_of_yaml),
        TEST(a_written_build_file_reads_back),
        TEST(a_new_build_file_explains_itself),
        TEST(bad_build_values_are_named),
        TEST(unknown_and_repeated_keys_are_named),
        TEST(files_that_are_no_configuration_are_refused),
        TEST(broken_yaml_is_placed),
        TEST(a_huge_file_is_refused),
        TEST(long_texts_are_cut_in_messages),
        TEST(a_backend_file_is_read),
        TEST(a_library_is_left_out_or_a_path),
        TEST(a_written_backend_file_reads_back),
        TEST(settings_of_a_backend_are_read),
        TEST(settings_of_a_backend_are_checked),
        TEST(a_new_file_has_the_settings_of_its_backend),
        TEST(the_cpu_is_a_number_or_a_word),
        TEST(bad_backend_values_are_named),
        TEST(numbers_do_not_follow_the_locale),
        TEST(the_documentation_is_true_to_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
