/* The machine: its lock, its description, its noise. */
#include "unit/testing.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench/lock.h"
#include "nnmeter/measure.h"

static char folder[256];
static char path[512];

static int set_up(void **state)
{
    (void)state;
    make_folder(folder);
    in_folder(path, folder, "lock");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static void test_lock_excludes_and_names_the_holder(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_machine_lock *lock = NULL, *second = NULL;
    assert_ok(nnm_machine_lock_take_at(&lock, path, "profile conv-bn-relu\n\033[31m", &err));
    char holder[96];
    snprintf(holder, sizeof holder, "test_machine, process %ld, profile conv-bn-relu??[31m, since 20", (long)getpid());
    assert_fails(nnm_machine_lock_take_at(&second, path, "other", &err), NNM_ERR_BUSY, holder);
    assert_null(second);
    nnm_machine_lock_release(lock);
    assert_ok(nnm_machine_lock_take_at(&second, path, "other", &err));
    nnm_machine_lock_release(second);
    nnm_machine_lock_release(NULL);
}

static void test_lock_can_be_used_by_everybody(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_machine_lock *lock = NULL;
    mode_t mask = umask(077);
    assert_ok(nnm_machine_lock_take_at(&lock, path, "test", &err));
    (void)umask(mask);
    nnm_machine_lock_release(lock);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0666);
}

static void test_lock_goes_with_a_killed_holder(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_machine_lock *lock = NULL;
    int channel[2];
    assert_int_equal(pipe(channel), 0);
    pid_t holder = fork();
    if (holder == 0) {
        nnm_status status = nnm_machine_lock_take_at(&lock, path, "held", NULL);
        if (write(channel[1], &status, sizeof status) != (ssize_t)sizeof status) _exit(1);
        for (;;)
            pause();
    }
    nnm_status held;
    assert_int_equal(read(channel[0], &held, sizeof held), sizeof held);
    assert_int_equal(held, NNM_OK);
    assert_fails(nnm_machine_lock_take_at(&lock, path, "waiting", &err), NNM_ERR_BUSY, "held, since");
    assert_int_equal(kill(holder, SIGKILL), 0);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    err = (nnm_error)NNM_ERROR_INIT;
    assert_ok(nnm_machine_lock_take_at(&lock, path, "waiting", &err));
    nnm_machine_lock_release(lock);
    close(channel[0]);
    close(channel[1]);
}

static void test_lock_distrusts_links_and_other_things(void **state)
{
    (void)state;
    nnm_error err;
    nnm_machine_lock *lock = NULL;
    char victim[512], text[8] = "";
    in_folder(victim, folder, "victim");
    FILE *stream = fopen(victim, "we");
    assert_non_null(stream);
    fputs("mine", stream);
    fclose(stream);

    assert_int_equal(symlink(victim, path), 0);
    assert_fails(nnm_machine_lock_take_at(&lock, path, "test", &err), NNM_ERR_IO, "is a symbolic link; remove it");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(link(victim, path), 0);
    assert_fails(nnm_machine_lock_take_at(&lock, path, "test", &err), NNM_ERR_IO, "is not a plain file of its own");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_fails(nnm_machine_lock_take_at(&lock, path, "test", &err), NNM_ERR_IO, "is not a plain file of its own");
    assert_fails(nnm_machine_lock_take_at(&lock, "/nowhere/lock", "test", &err), NNM_ERR_IO, "/nowhere/lock");

    stream = fopen(victim, "re");
    assert_non_null(stream);
    assert_non_null(fgets(text, sizeof text, stream));
    fclose(stream);
    assert_string_equal(text, "mine");
}

static void test_machine_is_described(void **state)
{
    (void)state;
    nnm_machine machine;
    memset(&machine, 0xff, sizeof machine);
    nnm_machine_describe(&machine);
    assert_true(machine.host[0] != '\0');
    assert_true(machine.kernel_release[0] >= '2' && machine.kernel_release[0] <= '9');
    assert_in_range(machine.cpus, 1, 65536);
    assert_true(machine.memory_gib > 0.01 && machine.memory_gib < 1e6);
    assert_true(machine.load >= 0.0);
    assert_true(machine.timer_ns > 0.0);
#if defined(__x86_64__)
    assert_true(machine.cpu[0] != '\0');
    assert_true(machine.clock_ghz > 0.0);
#endif
}

static void test_noise_is_measured_on_the_cpu_named(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    cpu_set_t before, after;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    unsigned cpu = 0;
    while (!CPU_ISSET(cpu, &before))
        cpu++;
    nnm_noise noise;
    assert_ok(nnm_noise_measure(&noise, cpu, 0.02, &err));
    assert_true(noise.references >= 4);
    assert_true(noise.quiet_share > 0.0 && noise.quiet_share <= 1.0);
    assert_true(noise.slow_factor >= 1.0);
    assert_true(noise.clock_spread >= 0.0);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&before, &after)); /* the caller's thread is free again */
}

static void test_noise_refuses_what_cannot_be(void **state)
{
    (void)state;
    nnm_error err;
    nnm_noise noise;
    assert_fails(nnm_noise_measure(&noise, 4000000000u, 0.02, &err), NNM_ERR_INVALID_ARGUMENT, "there is no CPU");
    assert_fails(nnm_noise_measure(&noise, 0, 0.0, &err), NNM_ERR_INVALID_ARGUMENT, "noise for 0 s");
    assert_fails(nnm_noise_measure(&noise, 0, 1e9, &err), NNM_ERR_INVALID_ARGUMENT, "at most 60 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lock_excludes_and_names_the_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock_can_be_used_by_everybody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock_goes_with_a_killed_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock_distrusts_links_and_other_things, set_up, tear_down),
        cmocka_unit_test(test_machine_is_described),
        cmocka_unit_test(test_noise_is_measured_on_the_cpu_named),
        cmocka_unit_test(test_noise_refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
