/* The machine's quiet state: what is written is read again, and what anybody may have left there is not. */
#include "unit/testing.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "bench/state.h"

static char folder[256];
static char path[512];
static const nnm_machine_state found = {10253.5, 9771.25, 1.7e9};

static int set_up(void **state)
{
    (void)state;
    make_folder(folder);
    in_folder(path, folder, "state");
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_machine_state_write_at(&found, path, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static bool is_read(void)
{
    nnm_machine_state out = {1, 2, 3};
    bool read = nnm_machine_state_read_at(&out, path);
    assert_true(read || (out.reference_ns == 1 && out.clock_ns == 2 && out.found_unix_s == 3)); /* untouched */
    return read;
}

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    nnm_machine_state out;
    assert_true(nnm_machine_state_read_at(&out, path));
    assert_memory_equal(&out, &found, sizeof out);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0644);
    assert_int_equal(unlink(path), 0);
    assert_false(is_read());
}

/* Every byte that is changed, and every end that is missing. */
static void test_damage_is_seen(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char *text = NULL;
    size_t size = 0;
    assert_ok(nnm_file_read(path, &text, &size, &err));
    for (size_t i = 0; i < size; i++) {
        text[i] ^= 1;
        assert_ok(nnm_file_write(path, text, size, &err));
        assert_false(is_read());
        text[i] ^= 1;
        assert_ok(nnm_file_write(path, text, i, &err));
        assert_false(is_read());
    }
    assert_ok(nnm_file_write(path, text, size, &err));
    assert_true(is_read());
    free(text);
}

static void test_only_a_plain_file_that_others_cannot_write_counts(void **state)
{
    (void)state;
    char other[600];
    in_folder(other, folder, "other");
    assert_int_equal(chmod(path, 0666), 0);
    assert_false(is_read());
    assert_int_equal(chmod(path, 0644), 0);
    assert_true(is_read());
    assert_int_equal(link(path, other), 0);
    assert_false(is_read());
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_false(is_read());
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0644), 0);
    assert_false(is_read());
    assert_int_equal(unlink(path), 0);
    if (geteuid() != 0) return; /* only root can give files away */
    assert_int_equal(rename(other, path), 0);
    assert_true(is_read());
    assert_int_equal(chown(path, 12345, 12345), 0);
    assert_false(is_read());
}

static void test_links_are_replaced_and_not_followed(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char victim[600], *text = NULL;
    size_t size = 0;
    in_folder(victim, folder, "victim");
    assert_ok(nnm_file_write(victim, "precious", 8, &err));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(victim, path), 0);
    assert_ok(nnm_machine_state_write_at(&found, path, &err));
    assert_true(is_read());
    assert_ok(nnm_file_read(victim, &text, &size, &err));
    assert_string_equal(text, "precious");
    free(text);
}

static void test_what_cannot_be_is_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_machine_state wrong = found;
    wrong.reference_ns = 1.0;
    assert_fails(nnm_machine_state_write_at(&wrong, path, &err), NNM_ERR_VALUE, "a quiet state of 1 and 9771.25 ns");
    assert_fails(nnm_machine_state_write_at(&found, "/nowhere/state", &err), NNM_ERR_NOT_FOUND, "/nowhere/state");
    assert_fails(nnm_machine_state_write(NULL, &found, &err), NNM_ERR_INVALID_ARGUMENT, "lock is not held");
    assert_true(is_read()); /* what was there is there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_written_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage_is_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_a_plain_file_that_others_cannot_write_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links_are_replaced_and_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
