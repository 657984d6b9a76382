/* The machine: its lock, its description, its noise. */
#include "unit/testing.h"

#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench/lock.h"
#include "nnmeter/survey.h"

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
    assert_ok(nnm_noise_measure(&noise, &cpu, 1, 0.02, NULL, &err));
    assert_true(noise.references >= 8);
    assert_true(noise.quiet_share > 0.0 && noise.quiet_share <= 1.0);
    assert_true(noise.slow_factor >= 1.0);
    assert_true(noise.clock_spread >= 0.0);
    assert_true(noise.got_share > 0.0 && noise.got_share <= 1.0 && noise.cpu_s > 0.0);
    assert_true(noise.quiet.count + noise.slow.count >= 1);
    assert_true(noise.quiet.p90_ms >= noise.quiet.median_ms && noise.slow.p90_ms >= noise.slow.median_ms);
    assert_true(noise.clock_low_ghz <= noise.clock_high_ghz);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&before, &after)); /* the caller's thread is free again */
}

static void test_noise_refuses_what_cannot_be(void **state)
{
    (void)state;
    nnm_error err;
    nnm_noise noise = {.quiet_share = -1};
    const unsigned far = 4000000000u, first = 0;
    assert_fails(nnm_noise_measure(&noise, &far, 1, 0.02, NULL, &err), NNM_ERR_INVALID_ARGUMENT, "there is no CPU");
    assert_fails(nnm_noise_measure(&noise, &first, 1, 0.0, NULL, &err), NNM_ERR_INVALID_ARGUMENT, "noise for 0 s");
    assert_fails(nnm_noise_measure(&noise, &first, 1, 1e9, NULL, &err), NNM_ERR_INVALID_ARGUMENT, "at most 120 s");
    assert_fails(nnm_noise_measure(&noise, &first, 0, 0.02, NULL, &err), NNM_ERR_INVALID_ARGUMENT, "no CPU was named");
    assert_true(noise.quiet_share == -1); /* untouched */
}

typedef struct listener {
    size_t calls, last_done, total;
    bool stop;
} listener;

static void on_progress(void *context, const nnm_progress *progress)
{
    listener *l = context;
    l->calls++;
    assert_true(progress->done >= l->last_done && progress->done <= progress->total);
    l->last_done = progress->done;
    l->total = progress->total;
}

static bool on_interrupted(void *context)
{
    return ((listener *)context)->stop;
}

static void test_survey_watches_tells_and_stops(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    listener ears = {0};
    const nnm_hooks hooks = {&ears, NULL, on_progress, on_interrupted};
    nnm_survey *survey = calloc(1, sizeof *survey);
    assert_non_null(survey);
    assert_ok(nnm_survey_take(survey, 0.3, &hooks, &err));
    assert_true(ears.calls >= 2 && ears.last_done == ears.total && ears.total == 1);
    assert_true(survey->seconds > 0.2);
    assert_int_equal(survey->cpu_count,
                     survey->machine.cpus < NNM_SURVEY_CPUS ? survey->machine.cpus : NNM_SURVEY_CPUS);
    assert_true(survey->program[0] == '/' && survey->available_gib > 0);
    for (size_t i = 0; i < survey->cpu_count; i++) {
        const nnm_cpu_survey *cpu = &survey->cpus[i];
        assert_true(i == 0 || cpu->cpu > survey->cpus[i - 1].cpu);
        assert_true(cpu->noise.references > 0);
        assert_true(!(cpu->others_share < 0) && !(cpu->others_share > 1) && !(cpu->steal_share < 0));
    }
    for (size_t i = 0; i < survey->process_count; i++) {
        assert_true(survey->processes[i].pid != getpid() && survey->processes[i].name[0] != '\0');
        assert_true(i == 0 || survey->processes[i].cpus <= survey->processes[i - 1].cpus);
    }

    ears = (listener){.stop = true};
    survey->seconds = -1;
    assert_fails(nnm_survey_take(survey, 0.3, &hooks, &err), NNM_ERR_INTERRUPTED, "interrupted");
    assert_true(survey->seconds == -1); /* untouched */

    nnm_verdict *verdict = calloc(1, sizeof *verdict);
    assert_non_null(verdict);
    assert_ok(nnm_survey_take(survey, 0, NULL, &err));
    nnm_survey_judge(survey, verdict);
    assert_string_equal(nnm_fitness_name(verdict->fitness), "unknown");
    assert_int_equal(verdict->best_cpu, -1);
    free(verdict);
    free(survey);
}

/* ---- the verdict ---- */

/* A machine with two CPUs on which nothing is wrong. */
static nnm_survey quiet_machine(void)
{
    nnm_survey s = {.available_gib = 8, .seconds = 20, .cpu_count = 2, .program = "/opt/bin/nn-meter"};
    s.machine = (nnm_machine){.cpus = 2, .timer_ns = 20, .may_realtime = true};
    for (unsigned i = 0; i < 2; i++) {
        s.cpus[i] = (nnm_cpu_survey){.cpu = i, .sibling = NNM_SIBLING_NONE, .sibling_others_share = (double)NAN};
        s.cpus[i].noise = (nnm_noise){.quiet_share = 0.95, .slow_factor = 1.2, .best_ns = 1e4, .got_share = 1};
        s.cpus[i].noise.quiet = (nnm_stretches){100, 20, 60};
        s.cpus[i].noise.slow = (nnm_stretches){100, 0.3, 0.6};
    }
    s.cpus[1].noise.quiet_share = 0.97;
    return s;
}

static nnm_verdict judged;

static void assert_judged(const nnm_survey *survey, const char *fitness, const char *why, const char *what_helps)
{
    nnm_survey_judge(survey, &judged);
    assert_string_equal(nnm_fitness_name(judged.fitness), fitness);
    bool said = !why, helped = !what_helps;
    for (size_t i = 0; i < judged.reason_count; i++)
        said = said || strstr(judged.reasons[i], why);
    for (size_t i = 0; i < judged.help_count; i++)
        helped = helped || strstr(judged.help[i], what_helps);
    if (!said) fail_msg("no reason says '%s'; the first: %s", why, judged.reasons[0]);
    if (!helped) fail_msg("no help says '%s'; the first: %s", what_helps, judged.help[0]);
}

static void test_verdict_on_a_quiet_machine(void **state)
{
    (void)state;
    nnm_survey s = quiet_machine();
    assert_judged(&s, "fit", NULL, NULL);
    assert_int_equal(judged.best_cpu, 1);
    assert_int_equal(judged.reason_count + judged.help_count, 0);
    assert_non_null(strstr(judged.summary, "CPU 1 is quiet 97 %"));
    s.machine.may_realtime = false; /* worth having, but nothing is wrong without */
    assert_judged(&s, "fit", NULL, "sudo setcap cap_sys_nice=ep /opt/bin/nn-meter");
}

static void test_verdict_names_whoever_is_busy(void **state)
{
    (void)state;
    nnm_survey s = quiet_machine();
    s.processes[0] = (nnm_busy_process){.pid = 4711, .name = "compiler", .cpus = 0.99, .cpu = 0};
    s.process_count = 1;
    s.others_cpus = 1;
    assert_judged(&s, "limited", "'compiler' (process 4711, last seen on CPU 0) used 99 %", "kill -STOP 4711");
    s.others_cpus = 1.9;
    s.hidden_cpus = 0.9;
    assert_judged(&s, "unfit", "cannot be seen from here", "outside this container");
    s = quiet_machine();
    s.others_cpus = 0.3;
    assert_judged(&s, "limited", "Many small processes together kept 0.3 CPUs busy", NULL);
}

static void test_verdict_on_disturbed_cpus(void **state)
{
    (void)state;
    nnm_survey s = quiet_machine();
    s.virtual_machine = true;
    s.cpus[0].noise.quiet_share = s.cpus[1].noise.quiet_share = 0.3;
    assert_judged(&s, "limited", "somebody outside this virtual machine works on the other hardware thread",
                  "Ask the host for whole cores");
    s.virtual_machine = false;
    assert_judged(&s, "limited", "takes about 3.3 times as long", "smt/control");
    s.cpus[0].noise.quiet_share = s.cpus[1].noise.quiet_share = 0.1;
    assert_judged(&s, "unfit", "quiet only 10 %", NULL);

    s = quiet_machine();
    s.cpus[1].noise.quiet.median_ms = 0.2;
    assert_judged(&s, "unfit", "shorter than 0.20 ms", NULL);
    s = quiet_machine();
    s.cpus[1].steal_share = 0.02;
    assert_judged(&s, "limited", "for 2.0 % of the time it wanted to run (steal)", "on the host");
    s.cpus[1].steal_share = 0.2;
    assert_judged(&s, "unfit", "steal", NULL);
    s = quiet_machine();
    s.cpus[1].sibling = NNM_SIBLING_FOREIGN;
    s.cpus[1].sibling_cpu = 3;
    s.cpus[1].sibling_others_share = 0.5;
    assert_judged(&s, "limited", "CPU 3, worked for other processes 50 % of the time, and it is not ours",
                  "cpu3/online");
    s = quiet_machine();
    s.cpus[1].noise.best_ns = 2e4; /* quiet against its own best only: the other one is chosen */
    assert_judged(&s, "fit", "CPU 1 was never as fast as CPU 0 (2.00 times slower at its best)", NULL);
    assert_int_equal(judged.best_cpu, 0);
}

static void test_verdict_on_clock_memory_and_timer(void **state)
{
    (void)state;
    nnm_survey s = quiet_machine();
    s.cpus[1].noise.clock_drift = 0.03;
    snprintf(s.machine.governor, sizeof s.machine.governor, "powersave");
    snprintf(s.turbo, sizeof s.turbo, "on");
    assert_judged(&s, "fit", "The clock of CPU 1 moved by 3.0 %", "governor is 'powersave'");
    assert_judged(&s, "fit", NULL, "Turbo is on");
    s.cpus[1].noise.clock_drift = 0.06;
    assert_judged(&s, "limited", "moved by 6.0 %", NULL);
    s = quiet_machine();
    s.available_gib = 0.5;
    assert_judged(&s, "limited", "Only 0.50 GiB of memory are free", NULL);
    s = quiet_machine();
    s.machine.timer_ns = 2000;
    snprintf(s.clock_source, sizeof s.clock_source, "hpet");
    assert_judged(&s, "limited", "takes 2000 ns (clock source 'hpet')", "echo tsc");
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
        cmocka_unit_test(test_survey_watches_tells_and_stops),
        cmocka_unit_test(test_verdict_on_a_quiet_machine),
        cmocka_unit_test(test_verdict_names_whoever_is_busy),
        cmocka_unit_test(test_verdict_on_disturbed_cpus),
        cmocka_unit_test(test_verdict_on_clock_memory_and_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
