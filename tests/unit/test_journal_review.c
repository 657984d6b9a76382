/* What a report asks of the journal: machines, settings, time, failures that were not overcome. */
#include "unit/journal_rig.h"

#include "store/journal_review.h"

static void who_measured_is_told_by_machine_and_version(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    nnm_journal_machine *machines = NULL;
    char *settings = NULL;
    size_t count = 9;
    assert_ok(nnm_journal_machines(journal, &source, &machines, &count, &err));
    assert_ok(nnm_journal_settings(journal, &source, &settings, &err));
    assert_int_equal(count, 0);
    assert_null(settings);
    free(machines);

    nnm_machine other_machine = machine;
    snprintf(other_machine.host, sizeof other_machine.host, "other");
    nnm_journal_run other = run, elsewhere = run;
    other.machine = &other_machine;
    other.settings = "ROUNDS: 9\n";
    elsewhere.source.backend = "onednn_cpu";
    int64_t id = 0;
    assert_ok(add(journal, begin(journal), "A", 0));
    assert_ok(add(journal, begin(journal), "A", 2));
    (void)begin(journal); /* in which nothing was measured */
    assert_ok(nnm_journal_begin(journal, &other, &id, &err));
    assert_ok(add(journal, id, "B", 4));
    assert_ok(nnm_journal_begin(journal, &elsewhere, &id, &err));
    assert_ok(add(journal, id, "B", 6));

    assert_ok(nnm_journal_machines(journal, &source, &machines, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(machines[0].machine.host, "h");
    assert_string_equal(machines[0].machine.cpu, "A CPU");
    assert_int_equal(machines[0].runs, 2);
    assert_string_equal(machines[0].runtime_version, "2022-02-16");
    assert_string_equal(machines[0].nnmeter_version, nnm_version());
    assert_string_equal(machines[1].machine.host, "other");
    assert_true(machines[1].machine.clock_ghz == 3.5 && machines[1].machine.cpus == 2);
    assert_true(machines[1].last_unix_s >= machines[0].last_unix_s);
    assert_ok(nnm_journal_settings(journal, &source, &settings, &err));
    assert_string_equal(settings, "ROUNDS: 9\n");
    free(settings);
    free(machines);
    nnm_journal_close(journal);
}

static void time_is_that_of_rounds_without_waiting(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    nnm_journal_effort effort;
    assert_ok(nnm_journal_get_effort(journal, &source, conv, &effort, &err));
    assert_true(effort.rounds == 0 && effort.device_s == 0);
    int64_t id = begin(journal);
    assert_ok(add(journal, id, "A", 3));
    assert_ok(add(journal, id, "B", 8));
    assert_ok(nnm_journal_get_effort(journal, &source, conv, &effort, &err));
    assert_int_equal(effort.rounds, 2);
    assert_true(effort.device_s > 0.0599999 && effort.device_s < 0.06); /* 2 of 30 ms, less 11 ns */
    assert_true(effort.first_unix_s == 1.7e9 + 3 && effort.last_unix_s == 1.7e9 + 8);
    nnm_journal_close(journal);
}

static void note_failure(nnm_journal *journal, int64_t run_id, const char *id, unsigned pass, nnm_status code,
                         const char *message)
{
    nnm_error failure = {.code = code};
    snprintf(failure.message, sizeof failure.message, "%s", message);
    assert_ok(nnm_journal_add_failure(journal, run_id, conv, id, CONFIG, pass, &failure, &err));
}

static void failures_count_until_they_are_overcome(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    nnm_journal_failure *failures = NULL;
    size_t count = 9;
    int64_t id = begin(journal);
    note_failure(journal, id, "A", 0, NNM_ERR_TIMEOUT, "took too long");
    note_failure(journal, id, "A", 0, NNM_ERR_CRASHED, "signal 11");
    note_failure(journal, id, "B", 1, NNM_ERR_CRASHED, "in the second pass");
    note_failure(journal, id, "C", 0, NNM_ERR_BACKEND, "measured since");
    nnm_round later = round_of(2);
    later.unix_time_s = 4e9; /* after the failure, which was now */
    assert_ok(nnm_journal_add_round(journal, id, conv, "C", CONFIG, &later, &err));
    note_failure(journal, id, "D", 0, NNM_ERR_BACKEND, "measured before");
    assert_ok(add(journal, id, "D", 2));

    assert_ok(nnm_journal_failures(journal, &source, conv, &failures, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(failures[0].id, "A");
    assert_string_equal(failures[0].config, CONFIG);
    assert_string_equal(failures[0].code_name, "NNM_ERR_CRASHED");
    assert_string_equal(failures[0].message, "signal 11");
    assert_string_equal(failures[1].id, "D");
    free(failures);
    nnm_journal_source nobody = source;
    nobody.threads = 7;
    assert_ok(nnm_journal_failures(journal, &nobody, conv, &failures, &count, &err));
    assert_int_equal(count, 0);
    free(failures);
    nnm_journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_measured_is_told_by_machine_and_version, setup, teardown),
        cmocka_unit_test_setup_teardown(time_is_that_of_rounds_without_waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_count_until_they_are_overcome, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
