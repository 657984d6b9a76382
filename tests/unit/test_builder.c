/* The steps and the loop, on a real runtime, with kernels and a protocol small enough for a test. */
#include "unit/builder_rig.h"

#include "bench/state.h"
#include "builder/notes.h"
#include "builder/quiet.h"

/* ---- the steps ---- */

static void connects(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    double latency_ms = 0;
    assert_ok(nnm_connect_backend(f->builder, BACKEND, &latency_ms, &err));
    assert_true(latency_ms > 0);
    assert_fails(nnm_connect_backend(f->builder, "xnnpack", NULL, &err), NNM_ERR_NOT_FOUND, "xnnpack");
}

static void samples_configurations(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *first = NULL, *both = NULL;
    nnm_sample_options options = NNM_SAMPLE_OPTIONS_INIT;
    options.mark = "test";
    options.seed = 3;
    assert_ok(nnm_generate_config_sample(f->builder, KERNEL, 6, &options, &first, &err));
    assert_int_equal(first->count, 6);
    assert_true(exists(f, "results/" KERNEL "_test.json"));
    for (size_t i = 0; i < first->count; i++) {
        assert_int_equal(strlen(first->records[i].id), 6);
        assert_true(nnm_file_exists(first->records[i].model));
        assert_int_equal(first->records[i].shape_count, 1);
    }
    /* The same mark again adds to it and draws nothing twice. */
    assert_ok(nnm_generate_config_sample(f->builder, KERNEL, 6, &options, &both, &err));
    assert_int_equal(both->count, 12);
    for (size_t i = 0; i < both->count; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(nnm_kernel_config_equal(both->kernel, &both->records[i].config, &both->records[j].config));
    nnm_kernel_data_free(first);
    nnm_kernel_data_free(both);
}

static void refuses_bad_arguments(void **state)
{
    fixture *f = *state;
    nnm_error err;
    nnm_kernel_data *data = NULL;
    nnm_sample_options options = NNM_SAMPLE_OPTIONS_INIT;
    assert_fails(nnm_generate_config_sample(f->builder, "globalavgpool", 6, &options, &data, &err), NNM_ERR_NOT_FOUND,
                 "'" KERNEL "'");
    assert_fails(nnm_generate_config_sample(f->builder, KERNEL, 0, &options, &data, &err), NNM_ERR_INVALID_ARGUMENT,
                 "1 or more");
    options.mark = "../up";
    assert_fails(nnm_generate_config_sample(f->builder, KERNEL, 1, &options, &data, &err), NNM_ERR_VALUE, "../up");
    options.mark = NULL;
    options.mode = NNM_SAMPLING_FINEGRAINED;
    assert_fails(nnm_generate_config_sample(f->builder, KERNEL, 1, &options, &data, &err), NNM_ERR_INVALID_ARGUMENT,
                 "sample around");
    assert_false(exists(f, "results/" KERNEL "_prior.json"));

    nnm_build_result result = {0};
    nnm_build_options build = NNM_BUILD_OPTIONS_INIT;
    build.error_threshold = 0.01;
    assert_fails(nnm_build_predictor_for_kernel(f->builder, KERNEL, BACKEND, &build, &result, &err), NNM_ERR_VALUE,
                 "0.01");
    build = (nnm_build_options)NNM_BUILD_OPTIONS_INIT;
    build.iteration = 0;
    assert_fails(nnm_build_predictor_for_kernel(f->builder, KERNEL, BACKEND, &build, &result, &err), NNM_ERR_VALUE,
                 "iteration");
}

static void goes_step_by_step(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *data = NULL, *collected = NULL;
    nnm_sample_options options = NNM_SAMPLE_OPTIONS_INIT;
    options.mark = "test";
    assert_ok(nnm_generate_config_sample(f->builder, KERNEL, 10, &options, &data, &err));

    char configs[1024], latencies[1024];
    snprintf(configs, sizeof configs, "%s/predictor_build/results/" KERNEL "_test.json", f->workspace);
    snprintf(latencies, sizeof latencies, "%s/predictor_build/results/profiled_" KERNEL ".json", f->workspace);
    size_t failed = 99;
    assert_ok(nnm_convert_models(f->builder, BACKEND, data, configs, &failed, &err));
    assert_int_equal(failed, 0);

    nnm_profile_summary summary = {0};
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    assert_int_equal(summary.profiled, 10);
    assert_int_equal(summary.repeated, 10);

    assert_ok(nnm_kernel_data_collect(&collected, data->kernel, (const char *const[]){configs}, 1,
                                      (const char *const[]){latencies}, 1, &err));
    assert_int_equal(collected->count, 10);
    nnm_fit_options fit_options = NNM_FIT_OPTIONS_INIT;
    fit_options.mark = "test";
    nnm_fit_result fit = {0};
    assert_ok(nnm_build_predictor_by_data(f->builder, collected, &fit_options, &fit, &err));
    assert_int_equal(fit.summary.rows, 10);
    assert_int_equal(fit.summary.test_rows, 2);
    assert_true(exists(f, "results/collection/Data_" KERNEL "_test.csv"));
    assert_true(exists(f, "results/collection/TestResult_" KERNEL "_test.csv"));
    assert_true(exists(f, "results/predictors/" KERNEL "_test.nnm"));
    char *table = read_result(f, "collection/Data_" KERNEL "_test.csv");
    assert_int_equal(count_lines(table), 11);
    assert_non_null(strstr(table, "model_path,HW,CIN,latency\n"));
    free(table);
    nnm_fit_result_fini(&fit);
    nnm_kernel_data_free(data);
    nnm_kernel_data_free(collected);
}

/* Begins to profile in a workspace that has measured nothing yet, with little patience for the quiet state. The lock is
 * the test's, so that nobody else meets a state that is not one. */
static void begin_profiling(fixture *f, const char *name, nnm_machine_lock *lock)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_builder *builder = NULL;
    char workspace[512];
    in_folder(workspace, f->folder, name);
    assert_ok(nnm_workspace_create(workspace, BACKEND, &err));
    assert_ok(nnm_builder_config_init(&builder, workspace, NULL, &f->hooks, &err));
    nnm_profiler p = {.builder = builder, .protocol = nnm_builder_protocol(builder)};
    p.protocol.find_s = 0.4;
    f->log[0] = '\0';
    builder->locks.machine = lock;
    assert_ok(nnm_builder_backend(builder, BACKEND, &p.backend, &p.info, &err));
    assert_ok(nnm_builder_open_journal(builder, &p.journal, &err));
    assert_ok(nnm_profiler_start(&p, &err));
    nnm_worker_stop(p.worker);
    nnm_journal_close(p.journal);
    builder->locks.machine = NULL;
    nnm_builder_free(builder);
}

static void workspaces_share_the_quiet_state(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_machine_lock *lock = NULL;
    nnm_machine_state first, second, own;
    const nnm_machine_state never = {5e6, 5e6, 1e9}; /* nothing takes that long */
    assert_ok(nnm_machine_lock_take(&lock, "test", &err));
    bool known = nnm_machine_state_read(&own); /* what others measure by on this machine is put back */
    assert_ok(nnm_machine_state_write(lock, &never, &err));
    begin_profiling(f, "a", lock);
    assert_non_null(strstr(f->log, "looking for the quiet state of this machine, for 2 s at most"));
    assert_non_null(strstr(f->log, "reference 5000000 ns) does not occur any more; it is now"));
    assert_true(nnm_machine_state_read(&first));
    assert_true(first.reference_ns > 0 && first.reference_ns < 5e6 && first.clock_ns > 0);
    begin_profiling(f, "b", lock);
    assert_true(nnm_machine_state_read(&second));
    if (!strstr(f->log, "does not occur any more")) /* a busy machine may lose sight of it */
        assert_memory_equal(&first, &second, sizeof first);
    if (known) assert_ok(nnm_machine_state_write(lock, &own, &err));
    nnm_machine_lock_release(lock);
}

/* Who stops while the quiet state is looked for does not wait for the end of the search. */
static void a_search_for_the_quiet_state_can_be_stopped(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_profiler p = {.builder = f->builder, .protocol = nnm_builder_protocol(f->builder)};
    p.protocol.gate = 0.08;
    p.protocol.reference_ns = p.protocol.reference_clock_ns = 5e6; /* nothing takes that long */
    assert_ok(nnm_builder_backend(f->builder, BACKEND, &p.backend, &p.info, &err));
    f->interrupt_after = f->reports = 1;
    assert_fails(nnm_profiler_start_worker(&p, &err), NNM_ERR_INTERRUPTED, "what was done so far is kept");
    assert_null(p.worker);
    assert_string_equal(f->log, "");
}

static void measures_nothing_twice(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *data = sample_kernels(f, 8);
    nnm_profile_summary summary = {0};
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    char *before = read_result(f, "profiled_" KERNEL ".json");
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    assert_int_equal(summary.known, 8);
    assert_int_equal(summary.profiled, 0);
    char *after = read_result(f, "profiled_" KERNEL ".json");
    assert_string_equal(before, after);
    free(before);
    free(after);
    nnm_kernel_data_free(data);
}

static void keeps_what_was_measured_when_interrupted(void **state)
{
    fixture *f = *state;
    nnm_error err;
    nnm_kernel_data *data = sample_kernels(f, 8);
    nnm_profile_summary summary = {0};
    f->interrupt_after = 6; /* the report at the beginning, then five rounds */
    assert_fails(nnm_profile_models(f->builder, BACKEND, data, &summary, &err), NNM_ERR_INTERRUPTED, "interrupted");
    char *partial = read_result(f, "profiled_" KERNEL ".json");
    size_t latencies = 0;
    for (const char *p = partial; (p = strstr(p, "latency")); p++)
        latencies++;
    assert_int_equal(latencies, 5);
    free(partial);

    f->interrupt_after = 0;
    f->reports = 0;
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    assert_int_equal(summary.profiled, 8);
    assert_int_equal(f->reports, 1 + 16 - 5); /* only the rounds that were missing */
    nnm_kernel_data_free(data);
}

/* Killed between two rounds, it costs no kernel: the next round starts another. Killed in one, it costs that kernel,
 * for it may have been to blame. A signal arrives when it will. */
static void loses_at_most_one_kernel_when_the_worker_is_killed(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *data = sample_kernels(f, 8);
    nnm_profile_summary summary = {0};
    f->kill_worker_at = 4;
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    assert_int_equal(summary.profiled + summary.failed, 8);
    assert_true(summary.failed <= 1);
    if (summary.failed) {
        char *log = read_result(f, "profile_error.log");
        assert_int_equal(count_lines(log), 1);
        assert_non_null(strstr(log, "NNM_ERR_CRASHED"));
        assert_non_null(strstr(log, "CIN="));
        free(log);
    }
    nnm_kernel_data_free(data);
}

/* Ids come from configurations and rounds are filed under both: deleting a file must not hand its latencies to others.
 */
static void attaches_no_latency_to_another_configuration(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *data = sample_kernels(f, 8);
    nnm_profile_summary summary = {0};
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    data->records[0].config.value[0]++; /* as if the file had been edited, and the model made anew */
    free(data->records[0].model);
    data->records[0].model = NULL;
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    assert_int_equal(summary.known, 7);
    assert_int_equal(summary.profiled, 1);

    char path[1024];
    snprintf(path, sizeof path, "%s/configs/backend_config.yaml", f->workspace);
    write_text(path,
               "BACKEND: xnnpack_cpu\nTHREADS: 2\nROUNDS: 2\nMAX_ROUNDS: 2\nWARMUP_MS: 0.2\nROUND_MS: 1\nGATE: 0\n");
    assert_ok(nnm_builder_config_reload(f->builder, &err));
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    assert_int_equal(summary.known, 0); /* other threads, other latencies */

    snprintf(path, sizeof path, "%s/configs/predictorbuild_config.yaml", f->workspace);
    write_text(path, "IMPLEMENT: torch\nBATCH_SIZE: 2\n");
    assert_ok(nnm_builder_config_reload(f->builder, &err));
    assert_fails(nnm_profile_models(f->builder, BACKEND, data, &summary, &err), NNM_ERR_VALUE,
                 "BATCH_SIZE 1, which is 2 now");
    nnm_kernel_data_free(data);
}

static void marks_share_no_configuration(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *train = sample_kernels(f, 20), *holdout = NULL;
    nnm_sample_options options = NNM_SAMPLE_OPTIONS_INIT;
    options.mark = "holdout";
    assert_ok(nnm_generate_config_sample(f->builder, KERNEL, 20, &options, &holdout, &err));
    for (size_t i = 0; i < 20; i++)
        for (size_t j = 0; j < 20; j++)
            assert_false(
                nnm_kernel_config_equal(train->kernel, &train->records[i].config, &holdout->records[j].config));
    nnm_kernel_data_free(train);
    nnm_kernel_data_free(holdout);
}

static void times_configurations_written_by_hand(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    char path[1024];
    nnm_kernel_data *data = NULL;
    const nnm_kernel *kernel = NULL;
    snprintf(path, sizeof path, "%s/mine.json", f->folder);
    write_text(path, "{\"fc\": {\"layer1\": {\"config\": {\"CIN\": 64, \"COUT\": 10}}}}");
    assert_ok(nnm_kernel_find(&kernel, "fc", &err));
    assert_ok(nnm_kernel_data_load(&data, kernel, path, &err));
    nnm_profile_summary summary = {0};
    assert_ok(nnm_profile_models(f->builder, BACKEND, data, &summary, &err));
    assert_int_equal(summary.profiled, 1);
    assert_true(data->records[0].has_latency);
    nnm_kernel_data_free(data);
}

/* The folder has another name now: files are found where they are, none is given up. */
static void continues_in_a_moved_workspace(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *data = sample_kernels(f, 6), *after = NULL;
    nnm_kernel_data_free(data);
    nnm_builder_free(f->builder);
    f->builder = NULL;
    char moved[512], folder[1024];
    in_folder(moved, f->folder, "moved");
    assert_int_equal(rename(f->workspace, moved), 0);
    strcpy(f->workspace, moved);
    assert_ok(nnm_builder_config_init(&f->builder, moved, NULL, &f->hooks, &err));
    nnm_sample_options options = NNM_SAMPLE_OPTIONS_INIT;
    options.mark = "test";
    assert_ok(nnm_generate_config_sample(f->builder, KERNEL, 1, &options, &after, &err));
    assert_int_equal(after->count, 7);
    snprintf(folder, sizeof folder, "%s/predictor_build/kernels", moved);
    remove_folder(folder);
    nnm_kernel_data_free(after);
    assert_ok(nnm_generate_config_sample(f->builder, KERNEL, 1, &options, &after, &err));
    assert_int_equal(after->count, 8);
    nnm_profile_summary summary = {0};
    assert_ok(nnm_profile_models(f->builder, BACKEND, after, &summary, &err));
    assert_int_equal(summary.profiled, 8);
    nnm_kernel_data_free(after);
}

/* ---- the loop ---- */

static void builds_and_continues(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_build_options options = NNM_BUILD_OPTIONS_INIT;
    options.init_sample_num = 25;
    options.finegrained_sample_num = 3;
    options.iteration = 2;
    options.test_sample_num = 0;
    nnm_build_result result = {0};

    /* Stopped in the middle ... */
    f->interrupt_after = 20;
    assert_fails(nnm_build_predictor_for_kernel(f->builder, KERNEL, BACKEND, &options, &result, &err),
                 NNM_ERR_INTERRUPTED, "");
    char *configs = read_result(f, KERNEL "_prior.json");

    /* ... and again: the same kernels, then on to the end. */
    f->interrupt_after = 0;
    assert_ok(nnm_build_predictor_for_kernel(f->builder, KERNEL, BACKEND, &options, &result, &err));
    char *configs_after = read_result(f, KERNEL "_prior.json");
    assert_string_equal(configs, configs_after);
    free(configs);
    free(configs_after);
    assert_true(exists(f, "results/predictors/" KERNEL "_prior.nnm"));
    assert_non_null(strstr(f->log, "Iteration 0: acc10 "));
    assert_non_null(strstr(f->log, ", error_configs number: "));
    assert_true(nnm_file_exists(result.predictor_path));
    assert_true(result.data->count >= 25);
    size_t count = result.data->count;
    char *predictor = NULL, *again = NULL;
    size_t predictor_size = 0, again_size = 0;
    assert_ok(nnm_file_read(result.predictor_path, &predictor, &predictor_size, &err));
    nnm_build_result_fini(&result);

    /* A build that is complete measures nothing and ends with the same file. */
    assert_ok(nnm_build_predictor_for_kernel(f->builder, KERNEL, BACKEND, &options, &result, &err));
    assert_int_equal(result.data->count, count);
    assert_int_equal(result.profile.profiled, 0);
    assert_ok(nnm_file_read(result.predictor_path, &again, &again_size, &err));
    assert_int_equal(predictor_size, again_size);
    assert_memory_equal(predictor, again, again_size);
    free(predictor);
    free(again);
    nnm_build_result_fini(&result);
}

typedef struct reports {
    size_t good, bad;
    char message[NNM_ERROR_MESSAGE_BYTES];
} reports;

static void on_report(void *context, const char *kernel_type, const nnm_build_result *result, const nnm_error *error)
{
    reports *r = context;
    assert_non_null(kernel_type);
    if (error && error->code == NNM_ERR_BUSY) return; /* somebody else measures: the whole is tried again */
    r->good += result != NULL;
    r->bad += error != NULL;
    if (error) snprintf(r->message, sizeof r->message, "%s", error->message);
    /* Between two kernel types nobody else gets what the build still needs. */
    nnm_machine_lock *lock = NULL;
    nnm_error err;
    assert_fails(nnm_machine_lock_take(&lock, "another", &err), NNM_ERR_BUSY, "profile");
}

static void builds_all_kernels_of_the_configuration(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    char path[1024];
    snprintf(path, sizeof path, "%s/configs/predictorbuild_config.yaml", f->workspace);
    /* Two rows cannot be split: one kernel type fails, the other does not care. */
    write_text(path, "IMPLEMENT: torch\nTEST_SAMPLE_NUM: 0\nKERNELS:\n"
                     "  dwconv-bn-relu:\n    INIT_SAMPLE_NUM: 2\n    ITERATION: 1\n"
                     "  " KERNEL ":\n    INIT_SAMPLE_NUM: 8\n    ITERATION: 1\n");
    assert_ok(nnm_builder_config_reload(f->builder, &err));
    reports r = {0};
    const nnm_build_all_options options = {.threads = 1, .report = on_report, .context = &r};
    assert_fails(nnm_build_latency_predictor(f->builder, BACKEND, &options, &err), NNM_ERR_PARTIAL,
                 "1 of 2 kernel types failed (dwconv-bn-relu)");
    assert_int_equal(r.good, 1);
    assert_int_equal(r.bad, 1);
    assert_non_null(strstr(r.message, "too few"));
    assert_true(exists(f, "results/predictors/" KERNEL "_prior.nnm"));
}

static void adapts_existing_data(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_build_options options = NNM_BUILD_OPTIONS_INIT;
    options.init_sample_num = 20;
    options.finegrained_sample_num = 2;
    nnm_build_result initial = {0}, adapted = {0};
    assert_ok(nnm_build_initial_predictor_by_data(f->builder, KERNEL, BACKEND, &options, &initial, &err));
    assert_int_equal(initial.data->count, 20);
    if (initial.fit.error_configs.count) {
        assert_ok(nnm_build_adaptive_predictor_by_data(f->builder, initial.data, BACKEND, &options, &adapted, &err));
        assert_true(adapted.data->count > 20);
        assert_true(exists(f, "results/" KERNEL "_finegrained.json"));
        size_t count = adapted.data->count; /* and each time again */
        nnm_build_result_fini(&adapted);
        assert_ok(nnm_build_adaptive_predictor_by_data(f->builder, initial.data, BACKEND, &options, &adapted, &err));
        assert_true(adapted.data->count > count);
    } else {
        assert_fails(nnm_build_adaptive_predictor_by_data(f->builder, initial.data, BACKEND, &options, &adapted, &err),
                     NNM_ERR_TOO_FEW_ROWS, "");
    }
    nnm_build_result_fini(&initial);
    nnm_build_result_fini(&adapted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connects),
        TEST(samples_configurations),
        TEST(refuses_bad_arguments),
        TEST(goes_step_by_step),
        TEST(workspaces_share_the_quiet_state),
        TEST(a_search_for_the_quiet_state_can_be_stopped),
        TEST(measures_nothing_twice),
        TEST(keeps_what_was_measured_when_interrupted),
        TEST(loses_at_most_one_kernel_when_the_worker_is_killed),
        TEST(attaches_no_latency_to_another_configuration),
        TEST(marks_share_no_configuration),
        TEST(times_configurations_written_by_hand),
        TEST(continues_in_a_moved_workspace),
        TEST(builds_and_continues),
        TEST(builds_all_kernels_of_the_configuration),
        TEST(adapts_existing_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
