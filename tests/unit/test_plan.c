/* Builds as a whole: test sets, samplers, budgets, targets, sharing, and going on after a kill; on a simulated device.
 */
#define BACKEND "simulated"
#include "unit/builder_rig.h"

#include <math.h>
#include <sys/wait.h>

static nnm_build_options small(nnm_sampler sampler)
{
    nnm_build_options options = NNM_BUILD_OPTIONS_INIT;
    options.init_sample_num = 24;
    options.finegrained_sample_num = 2;
    options.iteration = 2;
    options.threads = 1;
    options.sampler = sampler;
    options.test_sample_num = 8;
    return options;
}

static bool has_config(const nnm_kernel_data *data, const nnm_kernel_config *config)
{
    for (size_t i = 0; i < data->count; i++)
        if (nnm_kernel_config_equal(data->kernel, &data->records[i].config, config)) return true;
    return false;
}

static void assert_apart(const nnm_kernel_data *a, const nnm_kernel_data *b)
{
    for (size_t i = 0; i < b->count; i++)
        assert_false(has_config(a, &b->records[i].config));
}

static void build(fixture *f, const char *kernel, const nnm_build_options *options, nnm_build_result *result)
{
    nnm_error err = NNM_ERROR_INIT;
    f->log[0] = '\0';
    assert_ok(nnm_build_predictor_for_kernel(f->builder, kernel, BACKEND, options, result, &err));
    assert_true(nnm_file_exists(result->predictor_path));
}

static void configure(fixture *f, const char *text)
{
    nnm_error err = NNM_ERROR_INIT;
    char path[1024];
    snprintf(path, sizeof path, "%s/configs/predictorbuild_config.yaml", f->workspace);
    write_text(path, text);
    assert_ok(nnm_builder_config_reload(f->builder, &err));
}

/* ---- the test set ---- */

static void keeps_a_test_set_apart(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_build_result result = {0};
    nnm_predictor *saved = NULL;
    nnm_build_options options = small(NNM_SAMPLER_FINEGRAINED);
    build(f, "hswish", &options, &result);
    assert_int_equal(result.test_set->count, 8);
    assert_int_equal(result.honest.rows, 8);
    assert_true(result.data->count >= 24);
    assert_apart(result.data, result.test_set);
    assert_true(exists(f, "results/hswish_testset.json"));
    assert_true(exists(f, "results/collection/TestResult_hswish_testset.csv"));
    assert_true(exists(f, "results/collection/Data_hswish_testset.csv"));

    /* What the description's split tells is kept beside; the file tells of the test set. */
    assert_int_equal(result.fit.summary.rows, result.data->count);
    assert_ok(nnm_predictor_load(&saved, result.predictor_path, &err));
    const nnm_training_summary *summary = nnm_predictor_summary(saved);
    assert_int_equal(summary->test_rows, 8);
    assert_int_equal(summary->rows, result.data->count + 8);
    assert_true(summary->test.acc10 == result.honest.acc10);
    assert_non_null(strstr(f->log, "Iteration 0: acc10 "));
    assert_non_null(strstr(f->log, "hswish: on 8 kernels set apart: acc5 "));
    nnm_predictor_free(saved);

    /* The figure can be found again by whoever doubts it. */
    nnm_metrics again = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/predictor_build/results/collection/Data_hswish_testset.csv", f->workspace);
    assert_ok(nnm_evaluate_csv(NULL, result.fit.predictor, path, "latency", NULL, &again, NULL, &err));
    assert_true(fabs(again.acc10 - result.honest.acc10) < 1e-12);
    nnm_build_result_fini(&result);
}

static void no_sampler_draws_from_the_test_set(void **state)
{
    fixture *f = *state;
    char *before = NULL;
    for (nnm_sampler sampler = NNM_SAMPLER_FINEGRAINED; sampler <= NNM_SAMPLER_AUTO; sampler++) {
        nnm_build_result result = {0};
        nnm_build_options options = small(sampler);
        build(f, "relu", &options, &result);
        assert_int_equal(result.test_set->count, 8);
        assert_apart(result.data, result.test_set);
        char *after = read_result(f, "relu_testset.json");
        if (before) assert_string_equal(before, after);
        free(before);
        before = after;
        nnm_build_result_fini(&result);
    }
    free(before);
    assert_true(exists(f, "results/relu_prior1.json"));
    assert_true(exists(f, "results/relu_auto.json"));
    assert_true(exists(f, "results/relu_auto1.json"));
    assert_true(exists(f, "results/predictors/relu_auto.nnm"));
    assert_true(exists(f, "results/predictors/relu_prior.nnm"));
}

static void does_without_a_test_set(void **state)
{
    fixture *f = *state;
    nnm_build_result result = {0};
    nnm_build_options options = small(NNM_SAMPLER_PRIOR);
    options.test_sample_num = 0;
    build(f, "hswish", &options, &result);
    assert_null(result.test_set);
    assert_int_equal(result.honest.rows, 0);
    assert_false(exists(f, "results/hswish_testset.json"));
    assert_int_equal(nnm_predictor_summary(result.fit.predictor)->test_rows, result.fit.summary.test_rows);
    nnm_build_result_fini(&result);
}

/* ---- budgets and targets ---- */

static void spends_a_budget_of_kernels(void **state)
{
    fixture *f = *state;
    nnm_build_result result = {0};
    nnm_build_options options = small(NNM_SAMPLER_AUTO);
    options.budget.kernels = 45;
    build(f, "hswish", &options, &result);
    assert_int_equal(result.data->count + result.test_set->count, 45);
    assert_non_null(strstr(result.ended, "the budget is spent"));
    assert_non_null(strstr(f->log, "hswish: the budget is spent"));
    nnm_build_result_fini(&result);

    build(f, "hswish", &options, &result); /* again: nothing is left of it */
    assert_int_equal(result.data->count + result.test_set->count, 45);
    assert_int_equal(result.profile.profiled, 0);
    nnm_build_result_fini(&result);

    options.budget.kernels = 55; /* and on with a greater one */
    build(f, "hswish", &options, &result);
    assert_int_equal(result.data->count + result.test_set->count, 55);
    assert_int_equal(result.profile.profiled, 10);
    nnm_build_result_fini(&result);
}

/* However much of it was left for the kernels, the second call has nothing left. */
static void spends_a_budget_of_time(void **state)
{
    fixture *f = *state;
    nnm_build_result result = {0};
    nnm_build_options options = small(NNM_SAMPLER_PRIOR);
    options.init_sample_num = 100000;
    options.model = NNM_MODEL_RANDOM_FOREST;
    options.budget.seconds = 1;
    build(f, "relu", &options, &result);
    assert_non_null(strstr(result.ended, "the budget is spent"));
    nnm_build_result_fini(&result);
    options.budget.seconds = 0.01;
    build(f, "relu", &options, &result);
    assert_int_equal(result.profile.profiled, 0);
    assert_true(result.fit.summary.rows > 0);
    assert_non_null(strstr(result.ended, "the budget is spent"));
    nnm_build_result_fini(&result);
}

static void ends_at_the_target(void **state)
{
    fixture *f = *state;
    nnm_build_result result = {0};
    nnm_build_options options = small(NNM_SAMPLER_PRIOR);
    options.budget.kernels = 200;
    options.until = (nnm_target){NNM_TARGET_RMSPE, 1};
    build(f, "relu", &options, &result);
    assert_true(result.data->count + result.test_set->count < 200);
    assert_non_null(strstr(result.ended, "the target is reached: rmspe "));
    assert_true(result.estimate.rows > 0 && result.estimate.rmspe <= 1);
    nnm_build_result_fini(&result);
}

static void a_target_without_a_budget_asks_for_no_more_than_without_one(void **state)
{
    fixture *f = *state;
    nnm_build_result result = {0};
    nnm_build_options options = small(NNM_SAMPLER_PRIOR);
    options.until = (nnm_target){NNM_TARGET_RMSPE, 1e-6};
    build(f, "hswish", &options, &result);
    assert_int_equal(result.data->count, 24 + 10);
    assert_non_null(strstr(result.ended, "the target is not reached with 34 kernels"));
    nnm_build_result_fini(&result);
}

static void ends_at_the_ceiling_of_the_labels(void **state)
{
    fixture *f = *state;
    nnm_build_result result = {0};
    nnm_build_options options = small(NNM_SAMPLER_PRIOR);
    options.init_sample_num = 60;
    options.budget.kernels = 400;
    build(f, "hswish", &options, &result);
    assert_non_null(strstr(result.ended, "the ceiling is reached: acc10 "));
    assert_true(result.data->count + result.test_set->count < 400);
    assert_true(result.estimate.acc10 >= result.labels.ceiling10);
    nnm_build_result_fini(&result);
}

/* ---- going on after a kill ---- */

static void kill_itself(void *context, const nnm_progress *progress)
{
    fixture *f = context;
    if (strncmp(progress->activity, "profile", 7) == 0 && ++f->reports == f->kill_worker_at) raise(SIGKILL);
}

/* A build in a process of its own, which dies at a progress report. */
static void build_and_die(fixture *f, const nnm_build_options *options, size_t at)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        nnm_build_result result = {0};
        nnm_builder *builder = NULL;
        nnm_hooks hooks = {f, NULL, kill_itself, NULL};
        f->kill_worker_at = at;
        if (nnm_builder_config_init(&builder, f->workspace, NULL, &hooks, NULL)) _exit(1);
        _exit(nnm_build_predictor_for_kernel(builder, "hswish", BACKEND, options, &result, NULL) ? 2 : 3);
    }
    int end = 0;
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_true(WIFSIGNALED(end) && WTERMSIG(end) == SIGKILL);
}

static void goes_on_after_a_kill(void **state)
{
    fixture *f = *state;
    nnm_build_result result = {0};
    nnm_build_options options = small(NNM_SAMPLER_AUTO);
    options.budget.kernels = 55;
    static const size_t moments[] = {3, 40}; /* at once, and with the test set complete */
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
        build_and_die(f, &options, moments[i]);
    build(f, "hswish", &options, &result);
    assert_int_equal(result.data->count + result.test_set->count, 55);
    assert_true(result.profile.known > 0);
    assert_apart(result.data, result.test_set);
    for (size_t i = 0; i < result.data->count; i++) {
        assert_true(result.data->records[i].has_latency);
        for (size_t j = 0; j < i; j++)
            assert_false(nnm_kernel_config_equal(result.data->kernel, &result.data->records[i].config,
                                                 &result.data->records[j].config));
    }
    nnm_build_result_fini(&result);
}

/* ---- all kernels ---- */

typedef struct tally {
    size_t good, bad, kernels, rows;
    char names[256], failed[256], message[NNM_ERROR_MESSAGE_BYTES];
} tally;

static void on_report(void *context, const char *kernel, const nnm_build_result *result, const nnm_error *error)
{
    tally *t = context;
    char *list = result ? t->names : t->failed;
    snprintf(list + strlen(list), 256 - strlen(list), "%s ", kernel);
    t->good += result != NULL;
    t->bad += error != NULL;
    if (error) snprintf(t->message, sizeof t->message, "%s", error->message);
    if (!result) return;
    t->kernels += result->data->count + (result->test_set ? result->test_set->count : 0);
    t->rows += result->honest.rows;
}

static void shares_predictors(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    tally t = {0};
    const nnm_build_all_options options = {.threads = 1, .report = on_report, .context = &t};
    configure(f, "TEST_SAMPLE_NUM: 5\nKERNELS:\n"
                 "  dwconv-relu: {INIT_SAMPLE_NUM: 12, ITERATION: 1}\n"
                 "  hswish: {INIT_SAMPLE_NUM: 12, ITERATION: 1}\n"
                 "  dwconv-bn-relu: {INIT_SAMPLE_NUM: 14, FINEGRAINED_SAMPLE_NUM: 1, ITERATION: 2}\n");
    assert_ok(nnm_build_latency_predictor(f->builder, BACKEND, &options, &err));
    assert_string_equal(t.names, "dwconv-bn-relu hswish ");
    assert_int_equal(t.rows, 10 + 5);
    assert_true(exists(f, "results/dwconv-relu_prior.json"));
    assert_true(exists(f, "results/profiled_dwconv-relu.json"));
    assert_true(exists(f, "results/dwconv-relu_testset.json"));
    assert_false(exists(f, "results/predictors/dwconv-relu_prior.nnm"));
    assert_true(exists(f, "results/predictors/dwconv-bn-relu_finegrained1.nnm"));

    /* The rows of both, and the journal knows them all. */
    char *table = read_result(f, "collection/Data_dwconv-bn-relu_prior.csv"), path[1024];
    assert_int_equal(count_lines(table), 1 + 26);
    assert_non_null(strstr(table, "dwconv-relu_prior_"));
    assert_non_null(strstr(table, "dwconv-bn-relu_prior_"));
    snprintf(path, sizeof path, "%s/predictor_build/results/collection/Data_dwconv-bn-relu_prior.csv", f->workspace);
    assert_int_equal(unlink(path), 0);
    assert_ok(nnm_rebuild_files(f->builder, NULL, NULL, &err));
    char *again = read_result(f, "collection/Data_dwconv-bn-relu_prior.csv");
    assert_string_equal(table, again);
    free(table);
    free(again);
}

static void spends_a_budget_on_all(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    for (int call = 0; call < 2; call++) { /* the second finds everything done */
        tally t = {0};
        const nnm_sampler sampler = NNM_SAMPLER_PRIOR;
        const nnm_budget budget = {100, 0};
        const nnm_build_all_options options = {
            .sampler = &sampler, .budget = &budget, .threads = 1, .report = on_report, .context = &t};
        configure(f, "TEST_SAMPLE_NUM: 8\nKERNELS:\n"
                     "  relu: {INIT_SAMPLE_NUM: 20}\n  hswish: {INIT_SAMPLE_NUM: 20}\n"
                     "  dwconv-relu: {INIT_SAMPLE_NUM: 10}\n  dwconv-bn-relu: {INIT_SAMPLE_NUM: 10}\n");
        assert_ok(nnm_build_latency_predictor(f->builder, BACKEND, &options, &err));
        assert_string_equal(t.names, "relu hswish dwconv-bn-relu ");
        assert_int_equal(t.kernels, 100);
    }
}

/* A table that is none spoils one kernel type. */
static void one_broken_kernel_type_does_not_stop_the_others(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    char folder[1024], path[2048];
    snprintf(folder, sizeof folder, "%s/tables", f->workspace);
    snprintf(path, sizeof path, "%s/pooling.csv", folder);
    assert_ok(nnm_folder_create(folder, &err));
    write_text(path, "HW,nothing\n1,2\n");
    configure(f, "PRIOR_DIR: tables\nTEST_SAMPLE_NUM: 5\nKERNELS:\n"
                 "  maxpool: {INIT_SAMPLE_NUM: 12, ITERATION: 1}\n  hswish: {INIT_SAMPLE_NUM: 12, ITERATION: 1}\n"
                 "  relu: {INIT_SAMPLE_NUM: 12, ITERATION: 1}\n");
    const nnm_budget budgets[] = {{0, 0}, {90, 0}};
    for (size_t i = 0; i < 2; i++) {
        tally t = {0};
        const nnm_build_all_options options = {.budget = &budgets[i], .threads = 1, .report = on_report, .context = &t};
        assert_fails(nnm_build_latency_predictor(f->builder, BACKEND, &options, &err), NNM_ERR_PARTIAL,
                     "1 of 3 kernel types failed (maxpool); the first: ");
        assert_non_null(strstr(err.message, "pooling.csv"));
        assert_string_equal(t.names, "hswish relu ");
        assert_string_equal(t.failed, "maxpool ");
        assert_non_null(strstr(t.message, "pooling.csv"));
    }
}

static void refuses_bad_options(void **state)
{
    fixture *f = *state;
    nnm_error err;
    nnm_build_result result = {0};
    nnm_build_options options = small(NNM_SAMPLER_AUTO);
    options.budget.kernels = 19;
    assert_fails(nnm_build_predictor_for_kernel(f->builder, "hswish", BACKEND, &options, &result, &err), NNM_ERR_VALUE,
                 "budget: found 19 kernels for 1 predictor, need 20 or more");
    options = small(NNM_SAMPLER_AUTO);
    options.budget.seconds = -1;
    assert_fails(nnm_build_predictor_for_kernel(f->builder, "hswish", BACKEND, &options, &result, &err), NNM_ERR_VALUE,
                 "budget");
    options = small(NNM_SAMPLER_AUTO);
    options.until = (nnm_target){NNM_TARGET_ACC10, 95};
    assert_fails(nnm_build_predictor_for_kernel(f->builder, "hswish", BACKEND, &options, &result, &err), NNM_ERR_VALUE,
                 "until: found 95, need a share");
    options = small((nnm_sampler)3);
    assert_fails(nnm_build_predictor_for_kernel(f->builder, "hswish", BACKEND, &options, &result, &err), NNM_ERR_VALUE,
                 "need finegrained, prior or auto");
    options = small(NNM_SAMPLER_AUTO);
    options.test_sample_num = -2;
    assert_fails(nnm_build_predictor_for_kernel(f->builder, "hswish", BACKEND, &options, &result, &err), NNM_ERR_VALUE,
                 "test_sample_num: found -2");
    options = small(NNM_SAMPLER_PRIOR);
    options.init_sample_num = 3; /* too few to split */
    assert_fails(nnm_build_predictor_for_kernel(f->builder, "hswish", BACKEND, &options, &result, &err),
                 NNM_ERR_TOO_FEW_ROWS, "3 distinct rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_a_test_set_apart),
        TEST(no_sampler_draws_from_the_test_set),
        TEST(does_without_a_test_set),
        TEST(spends_a_budget_of_kernels),
        TEST(spends_a_budget_of_time),
        TEST(ends_at_the_target),
        TEST(a_target_without_a_budget_asks_for_no_more_than_without_one),
        TEST(ends_at_the_ceiling_of_the_labels),
        TEST(goes_on_after_a_kill),
        TEST(shares_predictors),
        TEST(spends_a_budget_on_all),
        TEST(one_broken_kernel_type_does_not_stop_the_others),
        TEST(refuses_bad_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
