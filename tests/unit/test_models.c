/* Model files that are missing, damaged, or of another kernel than their configurations say, on a real runtime. */
#include "unit/builder_rig.h"

#include <sys/stat.h>

#include "builder/model_check.h"

static void survives_bad_model_files(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *data = sample_kernels(f, 8);
    assert_int_equal(unlink(data->records[1].model), 0);
    write_text(data->records[2].model, "this is not a model");
    assert_int_equal(truncate(data->records[3].model, 100), 0);
    nnm_profile_summary summary = {0};
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    assert_int_equal(summary.profiled, 5);
    assert_int_equal(summary.failed, 3);
    char *log = read_result(f, "profile_error.log");
    assert_int_equal(count_lines(log), 3);
    assert_non_null(strstr(log, "does not exist"));
    free(log);

    for (size_t i = 0; i < data->count; i++)
        unlink(data->records[i].model);
    nnm_kernel_data *others = NULL;
    nnm_sample_options options = NNM_SAMPLE_OPTIONS_INIT;
    options.mark = "others";
    options.seed = 7;
    assert_ok(nnm_generate_config_sample(f->builder, KERNEL, 3, &options, &others, &err));
    for (size_t i = 0; i < others->count; i++)
        write_text(others->records[i].model, "nor is this");
    assert_fails(nnm_profile_models(f->builder, BACKEND, others, &summary, &err), NNM_ERR_BACKEND, "all 3 kernels");
    size_t failed = 0;
    assert_fails(nnm_convert_models(f->builder, BACKEND, others, NULL, &failed, &err), NNM_ERR_BACKEND,
                 "none of 3 models");
    nnm_kernel_data_free(others);
    nnm_kernel_data_free(data);
}

/* Models that compute something else than their configurations say. */
static void refuses_models_of_another_kernel(void **state)
{
    static const char *const reasons[] = {
        ".tflite: input 1 is 1 x 8 x 8 x 4, but that of conv-bn-relu with this configuration is 1 x 8 x 8 x 5",
        ".tflite: output 1 is 1 x 8 x 8 x 6, but that of conv-bn-relu with this configuration is 1 x 8 x 8 x 7",
        ".tflite: output 1 is 1 x 8 x 8 x 6, but that of conv-bn-relu with this configuration is 1 x 4 x 4 x 6",
        ".tflite: window 1 (convolutions and pools are counted) is Conv of 3 x 3 with stride 1 x 1 in 1 groups, but "
        "that "
        "of conv-bn-relu with this configuration is Conv of 5 x 5 with stride 1 x 1 in 1 groups",
    };
    enum {
        OTHERS = sizeof reasons / sizeof *reasons
    };
    static const char *const changed[OTHERS] = {"CIN", "COUT", "STRIDES", "KERNEL_SIZE"};
    static const int64_t to[OTHERS] = {5, 7, 2, 5};
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *conv = NULL;
    nnm_kernel_data *data = NULL;
    char given[1024];
    snprintf(given, sizeof given, "%s/given.json", f->workspace);
    write_text(given,
               "{\"conv-bn-relu\": {\n"
               "\"A\": {\"config\": {\"HW\": 8, \"CIN\": 4, \"COUT\": 6, \"KERNEL_SIZE\": 3, \"STRIDES\": 1}},\n"
               "\"B\": {\"config\": {\"HW\": 8, \"CIN\": 4, \"COUT\": 6, \"KERNEL_SIZE\": 3, \"STRIDES\": 1}},\n"
               "\"C\": {\"config\": {\"HW\": 8, \"CIN\": 4, \"COUT\": 6, \"KERNEL_SIZE\": 3, \"STRIDES\": 1}},\n"
               "\"D\": {\"config\": {\"HW\": 8, \"CIN\": 4, \"COUT\": 6, \"KERNEL_SIZE\": 3, \"STRIDES\": 1}},\n"
               "\"E\": {\"config\": {\"HW\": 8, \"CIN\": 4, \"COUT\": 6, \"KERNEL_SIZE\": 3, \"STRIDES\": 1}}}}\n");
    assert_ok(nnm_kernel_find(&conv, "conv-bn-relu", &err));
    assert_ok(nnm_kernel_data_load(&data, conv, given, &err));
    size_t failed = 9;
    assert_ok(nnm_convert_models(f->builder, BACKEND, data, NULL, &failed, &err)); /* writes the models */
    assert_int_equal(failed, 0);
    for (size_t i = 0; i < OTHERS; i++) {
        data->records[i].config.value[nnm_kernel_param_index(conv, changed[i])] = to[i];
        free(data->records[i].converted_model);
        data->records[i].converted_model = NULL;
    }
    assert_ok(nnm_convert_models(f->builder, BACKEND, data, NULL, &failed, &err));
    assert_int_equal(failed, OTHERS);
    assert_null(data->records[0].converted_model);
    assert_non_null(data->records[OTHERS].converted_model);
    assert_in_log(f, "convert_error.log", reasons, OTHERS);

    nnm_profile_summary summary = {0};
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    assert_int_equal(summary.profiled, 1);
    assert_int_equal(summary.failed, OTHERS);
    assert_in_log(f, "profile_error.log", reasons, OTHERS);
    nnm_kernel_data_free(data);
}

/* What failed first is told, also where there is no room to note it. */
static void tells_failures_that_cannot_be_noted(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *data = sample_kernels(f, 2);
    char path[1024];
    size_t failed = 0;
    write_text(data->records[0].model, "this is not a model");
    snprintf(path, sizeof path, "%s/predictor_build/results/convert_error.log", f->workspace);
    assert_int_equal(mkdir(path, 0777), 0); /* nothing can be written to a folder */
    assert_fails(nnm_convert_models(f->builder, BACKEND, data, NULL, &failed, &err), NNM_ERR_IO,
                 "not a TensorFlow Lite model, or cut short: no file identifier at byte 4; this could not be noted: ");
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, data->records[0].id));
    nnm_kernel_data_free(data);
}

/* Every kernel type comes back from a file as what it was, in either format. */
static void accepts_models_of_every_kernel(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    char path[1024];
    snprintf(path, sizeof path, "%s/configs/predictorbuild_config.yaml", f->workspace);
    for (int torch = 0; torch < 2; torch++) {
        write_text(path, torch ? "IMPLEMENT: torch\nBATCH_SIZE: 2\n" : "IMPLEMENT: tensorflow\nBATCH_SIZE: 2\n");
        assert_ok(nnm_builder_config_reload(f->builder, &err));
        for (size_t i = 0; i < nnm_kernel_count(); i++) {
            nnm_kernel_data *data = NULL;
            nnm_sample_options options = NNM_SAMPLE_OPTIONS_INIT;
            options.mark = torch ? "torch" : "tensorflow";
            assert_ok(
                nnm_generate_config_sample(f->builder, nnm_kernel_name(nnm_kernel_at(i)), 2, &options, &data, &err));
            for (size_t j = 0; j < data->count; j++) {
                if (nnm_builder_check_model(f->builder, data->kernel, &data->records[j], NULL, &err) != NNM_OK)
                    fail_msg("%s: %s", options.mark, err.message);
                unlink(data->records[j].model);
            }
            nnm_kernel_data_free(data);
        }
    }
}

/* Entries of a file written by hand that make no model cost nothing but themselves. */
static void goes_on_after_configurations_that_make_no_model(void **state)
{
    static const char *const reasons[] = {
        "BATCH: relu HW=2048,CIN=8: NNM_ERR_VALUE: batch size 64: relu with HW=2048,CIN=8: the input would take",
        "LARGE: relu HW=4096,CIN=64: NNM_ERR_VALUE: relu with HW=4096,CIN=64: the input would take 4294967296",
    };
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *relu = NULL;
    nnm_kernel_data *data = NULL;
    nnm_profile_summary summary = {0};
    char given[1024], path[1024];
    snprintf(path, sizeof path, "%s/configs/predictorbuild_config.yaml", f->workspace);
    write_text(path, "IMPLEMENT: torch\nBATCH_SIZE: 64\n");
    assert_ok(nnm_builder_config_reload(f->builder, &err));
    snprintf(given, sizeof given, "%s/given.json", f->workspace);
    write_text(given, "{\"relu\": {\"BATCH\": {\"config\": {\"HW\": 2048, \"CIN\": 8}},\n"
                      "\"LARGE\": {\"config\": {\"HW\": 4096, \"CIN\": 64}},\n"
                      "\"FINE\": {\"config\": {\"HW\": 2, \"CIN\": 3}}}}\n");
    assert_ok(nnm_kernel_find(&relu, "relu", &err));
    assert_ok(nnm_kernel_data_load(&data, relu, given, &err));
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    assert_int_equal(summary.failed, 2);
    assert_int_equal(summary.profiled, 1);
    assert_in_log(f, "profile_error.log", reasons, 2);
    size_t failed = 0;
    assert_ok(nnm_convert_models(f->builder, BACKEND, data, given, &failed, &err));
    assert_int_equal(failed, 2);
    assert_in_log(f, "convert_error.log", reasons, 2);
    nnm_kernel_data_free(data);
    data = NULL;
    assert_ok(nnm_kernel_data_load(&data, relu, given, &err)); /* what was saved */
    assert_null(data->records[0].model);
    assert_non_null(data->records[2].converted_model);
    nnm_kernel_data_free(data);
}

/* Data that were written by hand have no model files, and may have an id again for another configuration. */
static void writes_models_of_given_configurations(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *relu = NULL;
    nnm_kernel_data *data = NULL;
    nnm_profile_summary summary = {0};
    assert_ok(nnm_kernel_find(&relu, "relu", &err));
    char given[1024], path[1024];
    snprintf(path, sizeof path, "%s/configs/predictorbuild_config.yaml", f->workspace);
    write_text(path, "IMPLEMENT: torch\nBATCH_SIZE: 2\n");
    assert_ok(nnm_builder_config_reload(f->builder, &err));
    snprintf(given, sizeof given, "%s/given.json", f->workspace);
    for (int hw = 8; hw < 10; hw++) {
        char text[128];
        size_t failed = 9;
        snprintf(text, sizeof text, "{\"relu\": {\"A\": {\"config\": {\"HW\": %d, \"CIN\": 3}}}}", hw);
        write_text(given, text);
        assert_ok(nnm_kernel_data_load(&data, relu, given, &err));
        assert_ok(nnm_convert_models(f->builder, BACKEND, data, given, &failed, &err)); /* checks the inputs */
        assert_int_equal(failed, 0);
        nnm_kernel_data_free(data);
        data = NULL;
        assert_ok(nnm_kernel_data_load(&data, relu, given, &err));
        assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
        assert_int_equal(summary.profiled, 1);
        nnm_kernel_data_free(data);
        data = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(survives_bad_model_files),
        TEST(refuses_models_of_another_kernel),
        TEST(tells_failures_that_cannot_be_noted),
        TEST(accepts_models_of_every_kernel),
        TEST(goes_on_after_configurations_that_make_no_model),
        TEST(writes_models_of_given_configurations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
