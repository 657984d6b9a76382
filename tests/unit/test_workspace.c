#include "unit/testing.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/file.h"
#include "nnmeter/backend.h"
#include "nnmeter/workspace.h"
#include "store/lock.h"
#include "store/paths.h"
#include "unit/plain_user.h"

#define BACKEND "xnnpack_cpu"

static char folder[256], path[512];
static nnm_error err;

static int setup(void **state)
{
    (void)state;
    make_folder(folder);
    in_folder(path, folder, "ws");
    err = (nnm_error)NNM_ERROR_INIT;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static nnm_workspace *open_new(void)
{
    nnm_workspace *workspace = NULL;
    assert_ok(nnm_workspace_create(path, BACKEND, &err));
    assert_ok(nnm_workspace_open(&workspace, path, NULL, &err));
    return workspace;
}

static void open_fails(nnm_status code, const char *message)
{
    nnm_workspace *workspace = NULL;
    assert_fails(nnm_workspace_open(&workspace, path, NULL, &err), code, message);
    assert_null(workspace);
}

/* Replaces a configuration file of the workspace. */
static void edit(const char *file, const char *text)
{
    char *name = nnm_path_config(path, file);
    assert_non_null(name);
    assert_ok(nnm_file_write(name, text, strlen(text), &err));
    free(name);
}

/* Files and folders below `where`, without itself. */
static int entries_below(const char *where)
{
    char command[600];
    snprintf(command, sizeof command, "find '%.500s' -mindepth 1 | wc -l", where);
    FILE *list = popen(command, "r");
    assert_non_null(list);
    int count = -1;
    assert_int_equal(fscanf(list, "%d", &count), 1);
    pclose(list);
    return count;
}

/* ---- creating ---- */

static void a_new_workspace_opens(void **state)
{
    (void)state;
    nnm_workspace *workspace = open_new();
    assert_string_equal(nnm_workspace_backend(workspace)->backend, BACKEND);
    assert_int_equal(nnm_workspace_backend(workspace)->protocol.rounds, 8);
    const nnm_predictorbuild_config *config = nnm_workspace_predictorbuild(workspace);
    assert_false(config->detail);
    assert_int_equal(config->implement, NNM_IMPLEMENT_TENSORFLOW);
    size_t defaults = 0;
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        const nnm_kernel *kernel = nnm_kernel_at(i);
        const nnm_kernel_build *build = nnm_workspace_kernel(workspace, nnm_kernel_name(kernel));
        size_t samples = nnm_kernel_default_samples(kernel);
        defaults += samples > 0;
        assert_true(samples ? build && build->init_sample_num == samples : !build);
    }
    assert_true(defaults > 0);
    assert_int_equal(config->kernel_count, defaults);
    assert_null(nnm_workspace_kernel(workspace, "nothing"));
    static const char *const folders[] = {"predictor_build/kernels", "predictor_build/results/collection",
                                          "predictor_build/results/predictors", "configs"};
    char name[512];
    for (size_t i = 0; i < 4; i++)
        assert_true(nnm_folder_exists(in_folder(name, path, folders[i])));
    assert_int_equal(entries_below(path), 8); /* these, two more in between, two files */
    nnm_workspace_close(workspace);
    nnm_workspace_close(NULL);
}

/* A backend that reads no .tflite files cannot measure what tensorflow stands for. */
static void a_backend_for_onnx_files_starts_with_torch(void **state)
{
    (void)state;
    nnm_workspace *workspace = NULL;
    assert_ok(nnm_workspace_create(path, "onnxruntime_cpu", &err));
    assert_ok(nnm_workspace_open(&workspace, path, NULL, &err));
    assert_int_equal(nnm_workspace_predictorbuild(workspace)->implement, NNM_IMPLEMENT_TORCH);
    char file[512];
    assert_ok(nnm_file_write(in_folder(file, path, "configs/predictorbuild_config.yaml"), "BATCH_SIZE: 2\n", 14, &err));
    assert_ok(nnm_workspace_reload(workspace, &err));
    assert_int_equal(nnm_workspace_predictorbuild(workspace)->implement, NNM_IMPLEMENT_TORCH);
    nnm_workspace_close(workspace);
}

static void paths_are_made_absolute(void **state)
{
    (void)state;
    char before[512];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    nnm_workspace *workspace = NULL;
    nnm_status created = nnm_workspace_create("some/where/ws/", BACKEND, &err);
    nnm_status opened = nnm_workspace_open(&workspace, "some/where/../where/ws", NULL, &err);
    assert_int_equal(chdir(before), 0);
    assert_ok(created);
    assert_ok(opened);
    char *expected = realpath(in_folder(path, folder, "some/where/ws"), NULL);
    assert_string_equal(nnm_workspace_path(workspace), expected);
    free(expected);
    nnm_workspace_close(workspace);
}

static void an_empty_folder_becomes_a_workspace(void **state)
{
    (void)state;
    char before[512];
    nnm_workspace *workspace = NULL;
    assert_non_null(getcwd(before, sizeof before));
    assert_ok(nnm_folder_create(path, &err));
    assert_int_equal(chdir(path), 0);
    nnm_status created = nnm_workspace_create(".", BACKEND, &err);
    nnm_status opened = nnm_workspace_open(&workspace, ".", NULL, &err); /* the folder itself, not one in its place */
    assert_int_equal(chdir(before), 0);
    assert_ok(created);
    assert_ok(opened);
    nnm_workspace_close(workspace);
}

static void an_attempt_cut_short_can_be_repeated(void **state)
{
    (void)state;
    char name[512];
    assert_ok(nnm_folder_create(in_folder(name, path, "predictor_build/kernels"), &err));
    assert_ok(nnm_folder_create(in_folder(name, path, ".configs.new-1"), &err));
    open_fails(NNM_ERR_NOT_FOUND, "is not a workspace");
    nnm_workspace_close(open_new());
}

static void what_is_there_is_not_touched(void **state)
{
    (void)state;
    nnm_workspace_close(open_new());
    edit("backend_config.yaml", "BACKEND: xnnpack_cpu\nROUNDS: 7\n");
    assert_fails(nnm_workspace_create(path, BACKEND, &err), NNM_ERR_EXISTS, "ws' is a workspace already");
    nnm_workspace *workspace = NULL;
    assert_ok(nnm_workspace_open(&workspace, path, NULL, &err));
    assert_int_equal(nnm_workspace_backend(workspace)->protocol.rounds, 7);
    nnm_workspace_close(workspace);

    char name[512];
    assert_ok(nnm_file_write(in_folder(name, folder, "letter.txt"), "x", 1, &err));
    assert_fails(nnm_workspace_create(name, BACKEND, &err), NNM_ERR_EXISTS, "is there already, and not a folder");
    remove_folder(path);
    assert_fails(nnm_workspace_create(folder, BACKEND, &err), NNM_ERR_EXISTS, "is not empty: it has 'letter.txt'");
    assert_int_equal(entries_below(folder), 1);
    assert_fails(nnm_workspace_create("", BACKEND, &err), NNM_ERR_INVALID_ARGUMENT, "is empty");
}

static void an_unknown_backend_makes_nothing(void **state)
{
    (void)state;
    assert_fails(nnm_workspace_create(path, "xnnpakc_cpu", &err), NNM_ERR_NOT_FOUND, "did you mean 'xnnpack_cpu'?");
    assert_int_equal(entries_below(folder), 0);
}

static void a_folder_without_rights_makes_nothing(void **state)
{
    (void)state;
    begin_without_rights(folder);
    nnm_status status = nnm_workspace_create(path, BACKEND, &err);
    end_without_rights(folder);
    assert_int_equal(status, NNM_ERR_IO);
    assert_non_null(strstr(err.message, "cannot create a workspace: cannot create folder"));
    assert_non_null(strstr(err.message, "Permission denied"));
    assert_int_equal(entries_below(folder), 0);
}

static void a_disk_that_fills_up_leaves_nothing(void **state)
{
    (void)state;
    struct rlimit before, little;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    little = (struct rlimit){100, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    nnm_status fresh = nnm_workspace_create(path, BACKEND, &err);
    nnm_status existing = mkdir(path, 0777) == 0 ? nnm_workspace_create(path, BACKEND, &err) : NNM_ERR_INTERNAL;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(fresh, NNM_ERR_IO);
    assert_int_equal(existing, NNM_ERR_IO);
    assert_non_null(strstr(err.message, "cannot create a workspace: cannot write"));
    assert_int_equal(entries_below(folder), 1); /* the folder that was there before */
}

/* A child that does not outlive the test, should the test fail. */
static pid_t fork_child(void)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static int exit_status(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void of_many_that_create_one_wins(void **state)
{
    (void)state;
    pid_t children[6];
    for (size_t i = 0; i < 6; i++) {
        children[i] = fork_child();
        if (children[i] == 0) {
            nnm_status status = nnm_workspace_create(path, BACKEND, NULL);
            _exit(status == NNM_OK ? 0 : status == NNM_ERR_EXISTS ? 1 : 2);
        }
    }
    int winners = 0, losers = 0;
    for (size_t i = 0; i < 6; i++) {
        int status = exit_status(children[i]);
        winners += status == 0;
        losers += status == 1;
    }
    assert_int_equal(winners, 1);
    assert_int_equal(losers, 5);
    assert_int_equal(entries_below(path), 8);
}

/* ---- opening ---- */

static void what_is_no_workspace_is_named(void **state)
{
    (void)state;
    open_fails(NNM_ERR_NOT_FOUND, "there is no folder");
    assert_non_null(strstr(err.message, "nn-meter create --workspace"));
    assert_ok(nnm_folder_create(path, &err));
    open_fails(NNM_ERR_NOT_FOUND, "ws' is not a workspace: it has no configs/predictorbuild_config.yaml");
    nnm_workspace_close(open_new());
    char *file = nnm_path_config(path, "backend_config.yaml");
    unlink(file);
    free(file);
    open_fails(NNM_ERR_NOT_FOUND, "it has no configs/backend_config.yaml");
}

static void mistakes_in_either_file_are_placed(void **state)
{
    (void)state;
    nnm_workspace_close(open_new());
    edit("predictorbuild_config.yaml", "DETAIL: FALSE\nKERNELS:\n  conv-bn-rellu:\n");
    open_fails(NNM_ERR_VALUE, "ws/configs/predictorbuild_config.yaml:3:3: unknown kernel type 'conv-bn-rellu'; did you "
                              "mean 'conv-bn-relu'?");
    edit("predictorbuild_config.yaml", "DETAIL: FALSE\n");
    edit("backend_config.yaml", "BACKEND: nonsense\n");
    open_fails(NNM_ERR_VALUE, "ws/configs/backend_config.yaml:1:10: unknown backend 'nonsense'");
    edit("backend_config.yaml", "BACKEND: [\n");
    open_fails(NNM_ERR_PARSE, "ws/configs/backend_config.yaml:2:1: ");
}

static void an_edit_counts_after_reload(void **state)
{
    (void)state;
    nnm_workspace *workspace = open_new();
    edit("predictorbuild_config.yaml", "DETAIL: TRUE\nPRIOR_DIR: tables\nKERNELS:\n  fc: {ITERATION: 7}\n");
    assert_false(nnm_workspace_predictorbuild(workspace)->detail);
    assert_ok(nnm_workspace_reload(workspace, &err));
    assert_true(nnm_workspace_predictorbuild(workspace)->detail);
    assert_int_equal(nnm_workspace_predictorbuild(workspace)->kernel_count, 1);
    assert_int_equal(nnm_workspace_kernel(workspace, "fc")->iteration, 7);
    char expected[600];
    snprintf(expected, sizeof expected, "%s/tables", nnm_workspace_path(workspace));
    assert_string_equal(nnm_workspace_predictorbuild(workspace)->prior_dir, expected);

    edit("backend_config.yaml", "ROUNDS: many\n"); /* the second file is bad: the first does not count either */
    edit("predictorbuild_config.yaml", "PRIOR_DIR: /absolute\n");
    assert_fails(nnm_workspace_reload(workspace, &err), NNM_ERR_VALUE, "backend_config.yaml:1:9: ROUNDS: found 'many'");
    assert_true(nnm_workspace_predictorbuild(workspace)->detail);
    assert_int_equal(nnm_workspace_backend(workspace)->protocol.rounds, 8);
    edit("backend_config.yaml", "ROUNDS: 4\nLIBRARY_PATH: lib/x.so\n");
    assert_ok(nnm_workspace_reload(workspace, &err));
    snprintf(expected, sizeof expected, "%s/lib/x.so", nnm_workspace_path(workspace));
    assert_string_equal(nnm_workspace_backend(workspace)->library_path, expected);
    assert_false(nnm_workspace_predictorbuild(workspace)->detail);
    assert_string_equal(nnm_workspace_predictorbuild(workspace)->prior_dir, "/absolute");
    assert_int_equal(nnm_workspace_backend(workspace)->protocol.rounds, 4);
    remove_folder(path);
    assert_fails(nnm_workspace_reload(workspace, &err), NNM_ERR_NOT_FOUND, "there is no folder");
    assert_int_equal(nnm_workspace_backend(workspace)->protocol.rounds, 4);
    nnm_workspace_close(workspace);
}

static void paths_are_those_documented(void **state)
{
    (void)state;
    char *paths[] = {nnm_path_config("W", "x.yaml"),
                     nnm_path_models("W"),
                     nnm_path_model("W", "fc", "prior", "AB12CD", "onnx"),
                     nnm_path_results("W"),
                     nnm_path_configs_json("W", "fc", "prior"),
                     nnm_path_profiled_json("W", "fc"),
                     nnm_path_data_csv("W", "fc", "prior"),
                     nnm_path_test_csv("W", "fc", "prior"),
                     nnm_path_predictor("W", "fc", "prior"),
                     nnm_path_error_log("W", "convert"),
                     nnm_path_journal("W")};
    static const char *const expected[] = {"W/configs/x.yaml",
                                           "W/predictor_build/kernels",
                                           "W/predictor_build/kernels/fc_prior_AB12CD.onnx",
                                           "W/predictor_build/results",
                                           "W/predictor_build/results/fc_prior.json",
                                           "W/predictor_build/results/profiled_fc.json",
                                           "W/predictor_build/results/collection/Data_fc_prior.csv",
                                           "W/predictor_build/results/collection/TestResult_fc_prior.csv",
                                           "W/predictor_build/results/predictors/fc_prior.nnm",
                                           "W/predictor_build/results/convert_error.log",
                                           "W/journal.sqlite"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_string_equal(paths[i], expected[i]);
        free(paths[i]);
    }
}

/* ---- the writer's lock ---- */

static void a_workspace_has_one_writer(void **state)
{
    (void)state;
    nnm_workspace *workspace = open_new(), *again = NULL;
    nnm_workspace_lock *lock = NULL, *other = NULL;
    assert_ok(nnm_workspace_lock_take(&lock, workspace, "profile", &err));
    char holder[128];
    snprintf(holder, sizeof holder, "ws' is in use by test_workspace (pid %ld, profile) since 20", (long)getpid());
    assert_ok(nnm_workspace_open(&again, path, NULL, &err)); /* reading needs no lock */
    assert_fails(nnm_workspace_lock_take(&other, again, "sample", &err), NNM_ERR_BUSY, holder);
    pid_t child = fork_child();
    if (child == 0) {
        nnm_status status = nnm_workspace_lock_take(&other, workspace, "sample", NULL);
        _exit(status == NNM_ERR_BUSY ? 0 : 1);
    }
    assert_int_equal(exit_status(child), 0);
    nnm_workspace_lock_release(lock);
    assert_null(other);
    assert_ok(nnm_workspace_lock_take(&other, again, "sample", &err));
    nnm_workspace_lock_release(other);
    nnm_workspace_lock_release(NULL);
    nnm_workspace_close(again);
    nnm_workspace_close(workspace);
}

static void a_killed_writer_holds_no_lock(void **state)
{
    (void)state;
    nnm_workspace *workspace = open_new();
    nnm_workspace_lock *lock = NULL;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork_child();
    if (child == 0) {
        nnm_status status = nnm_workspace_lock_take(&lock, workspace, "profile", NULL);
        if (status || write(ready[1], "+", 1) != 1) _exit(1);
        for (;;)
            pause();
    }
    char byte = 0, holder[128];
    assert_int_equal(read(ready[0], &byte, 1), 1);
    snprintf(holder, sizeof holder, "(pid %ld, profile)", (long)child);
    assert_fails(nnm_workspace_lock_take(&lock, workspace, "fit", &err), NNM_ERR_BUSY, holder);
    kill(child, SIGKILL);
    assert_int_equal(exit_status(child), -1);
    assert_ok(nnm_workspace_lock_take(&lock, workspace, "fit", &err));
    nnm_workspace_lock_release(lock);
    close(ready[0]);
    close(ready[1]);
    nnm_workspace_close(workspace);
}

static void a_child_does_not_keep_a_released_lock(void **state)
{
    (void)state;
    nnm_workspace *workspace = open_new();
    nnm_workspace_lock *lock = NULL;
    assert_ok(nnm_workspace_lock_take(&lock, workspace, "profile", &err));
    pid_t child = fork_child(); /* as a worker that lives on */
    if (child == 0) {
        for (;;)
            pause();
    }
    nnm_workspace_lock_release(lock);
    nnm_status status = nnm_workspace_lock_take(&lock, workspace, "fit", &err);
    kill(child, SIGKILL);
    exit_status(child);
    assert_ok(status);
    nnm_workspace_lock_release(lock);
    nnm_workspace_close(workspace);
}

static void a_workspace_that_cannot_be_written_has_no_lock(void **state)
{
    (void)state;
    nnm_workspace *workspace = open_new();
    nnm_workspace_lock *lock = NULL;
    begin_without_rights(path);
    nnm_status status = nnm_workspace_lock_take(&lock, workspace, "profile", &err);
    end_without_rights(path);
    assert_int_equal(status, NNM_ERR_IO);
    assert_null(lock);
    nnm_workspace_close(workspace);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_workspace_opens),
        TEST(a_backend_for_onnx_files_starts_with_torch),
        TEST(paths_are_made_absolute),
        TEST(an_empty_folder_becomes_a_workspace),
        TEST(an_attempt_cut_short_can_be_repeated),
        TEST(what_is_there_is_not_touched),
        TEST(an_unknown_backend_makes_nothing),
        TEST(a_folder_without_rights_makes_nothing),
        TEST(a_disk_that_fills_up_leaves_nothing),
        TEST(of_many_that_create_one_wins),
        TEST(what_is_no_workspace_is_named),
        TEST(mistakes_in_either_file_are_placed),
        TEST(an_edit_counts_after_reload),
        TEST(paths_are_those_documented),
        TEST(a_workspace_has_one_writer),
        TEST(a_killed_writer_holds_no_lock),
        TEST(a_child_does_not_keep_a_released_lock),
        TEST(a_workspace_that_cannot_be_written_has_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
