/* The journal: what is measured is kept, whatever happens. */
#include "unit/testing.h"

#include <math.h>

#include "unit/plain_user.h"

#include "unit/journal_rig.h"

/* ---- what is kept ---- */

static void rounds_are_kept_whole(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    int64_t id = begin(journal);
    for (size_t i = 0; i < 3; i++)
        assert_ok(add(journal, id, "AAAAAA", i));
    nnm_round *rounds = NULL;
    assert_int_equal(rounds_of(journal, "AAAAAA", true, &rounds), 3);
    for (size_t i = 0; i < 3; i++) {
        nnm_round expected = round_of(i);
        assert_true(rounds[i].estimate_ns == expected.estimate_ns);
        assert_true(rounds[i].open_ns == expected.open_ns && rounds[i].wall_ns == expected.wall_ns);
        assert_int_equal(rounds[i].sample_count, expected.sample_count);
        assert_int_equal(rounds[i].quiet_count, expected.quiet_count);
        assert_int_equal(rounds[i].calls_per_sample, expected.calls_per_sample);
        assert_true(rounds[i].reference_best_ns == expected.reference_best_ns);
        assert_true(rounds[i].clock_ns == expected.clock_ns && rounds[i].unix_time_s == expected.unix_time_s);
        assert_int_equal(rounds[i].cpu, expected.cpu);
        assert_int_equal(rounds[i].pass, expected.pass);
        assert_true(rounds[i].realtime == expected.realtime);
        assert_true(rounds[i].measured_ns == expected.measured_ns && rounds[i].waited_ns == expected.waited_ns);
    }
    free(rounds);
    assert_int_equal(rounds_of(journal, "AAAAAA", false, &rounds), 3);
    assert_int_equal(rounds[2].sample_count, round_of(2).sample_count);
    assert_true(rounds[2].sample_ns[0] == 0);
    free(rounds);
    assert_int_equal(check_rounds(journal, "AAAAAA"), 3);
    nnm_journal_close(journal);
    nnm_journal_close(NULL);
}

static void rounds_are_told_apart(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    const nnm_kernel *fc = NULL;
    assert_ok(nnm_kernel_find(&fc, "fc", &err));
    nnm_journal_run other_backend = run;
    other_backend.source.backend = "simulated";
    int64_t other = 0, first = begin(journal);
    assert_ok(nnm_journal_begin(journal, &other_backend, &other, &err));
    int64_t second = begin(journal);
    assert_true(first != other && other != second && first != second);
    nnm_round round = round_of(7);
    assert_ok(add(journal, first, "AAAAAA", 0));
    assert_ok(add(journal, other, "AAAAAA", 5));
    assert_ok(add(journal, first, "BBBBBB", 6));
    assert_ok(nnm_journal_add_round(journal, first, fc, "AAAAAA", "CIN=8,COUT=16", &round, &err));
    assert_ok(add(journal, second, "AAAAAA", 1)); /* a later run of the same backend goes on */
    assert_int_equal(check_rounds(journal, "AAAAAA"), 2);

    nnm_journal_source others[] = {SOURCE, SOURCE, SOURCE, SOURCE, SOURCE}; /* what was measured otherwise */
    others[0].backend = "onednn_cpu";
    others[1].threads = 2;
    others[2].optimization = "basic";
    others[3].implement = "tensorflow";
    strcpy(others[4].identity, "SERIAL: 123\n");
    for (size_t i = 0; i < 5; i++) {
        nnm_round *rounds = (nnm_round *)&round;
        size_t count = 9;
        assert_ok(nnm_journal_rounds(journal, &others[i], conv, "AAAAAA", CONFIG, true, &rounds, &count, &err));
        assert_null(rounds);
        assert_int_equal(count, 0);
    }
    nnm_round *rounds = NULL; /* another configuration that had the id before */
    size_t count = 9;
    assert_ok(nnm_journal_rounds(journal, &source, conv, "AAAAAA", CONFIG ",BATCH=2", true, &rounds, &count, &err));
    assert_int_equal(count, 0);
    nnm_journal_close(journal);
}

static void devices_are_told_apart_by_their_settings(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    nnm_journal_run one = run, two = run;
    int64_t id = 0;
    one.settings = "ROUNDS: 3\nSERIAL: 123\nLOUD: TRUE\nRUNS: 5\n";
    two.settings = "ROUNDS: 3\nSERIAL: 1234\nLOUD: TRUE\nRUNS: 5\n";
    assert_ok(nnm_journal_begin(journal, &one, &id, &err));
    assert_ok(add(journal, id, "AAAAAA", 0));
    assert_ok(nnm_journal_begin(journal, &two, &id, &err));
    assert_ok(add(journal, id, "AAAAAA", 1));
    assert_ok(add(journal, id, "AAAAAA", 2));
    static const struct {
        const char *identity;
        size_t rounds;
    } cases[] = {{"SERIAL: 123\nLOUD: TRUE\n", 1}, {"SERIAL: 1234\nLOUD: TRUE\n", 2}, {"SERIAL: 12345\n", 0}, {"", 3}};
    for (size_t i = 0; i < 4; i++) {
        nnm_journal_source source_of = source;
        nnm_round *rounds = NULL;
        size_t count = 9;
        strcpy(source_of.identity, cases[i].identity);
        assert_ok(nnm_journal_rounds(journal, &source_of, conv, "AAAAAA", CONFIG, false, &rounds, &count, &err));
        assert_int_equal(count, cases[i].rounds);
        free(rounds);
    }
    nnm_journal_close(journal);
}

static void a_journal_is_readable_by_others(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    int64_t id = begin(journal);
    assert_ok(add(journal, id, "AAAAAA", 0));
    nnm_error failure = NNM_ERROR_INIT;
    failure.code = NNM_ERR_CRASHED;
    strcpy(failure.message, "the worker died: signal 11");
    assert_ok(nnm_journal_add_failure(journal, id, conv, "BBBBBB", CONFIG, 1, &failure, &err));
    nnm_journal_close(journal);
    assert_int_equal(ask("PRAGMA application_id"), NNM_JOURNAL_APPLICATION_ID);
    assert_int_equal(ask("PRAGMA user_version"), NNM_JOURNAL_VERSION);
    assert_int_equal(ask("SELECT count(*) FROM round WHERE kernel = 'conv-bn-relu' AND kernel_id = 'AAAAAA' AND "
                         "config = 'HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1'"),
                     1);
    assert_int_equal(ask("SELECT hex(substr(sample_ns, 1, 8)) = '555555555555D53F' FROM round"), 1); /* 1/3 */
    assert_int_equal(
        ask("SELECT count(*) FROM run WHERE cpu_name = 'A CPU' AND sample_us = 200 AND budget_s = 5 AND "
            "timeout_s = 60 AND gate = 0.08 AND optimization = 'all' AND implement = 'torch' AND settings LIKE "
            "'%REALTIME: FALSE%'"),
        1);
    assert_int_equal(
        ask("SELECT count(*) FROM failure WHERE kernel_id = 'BBBBBB' AND pass = 1 AND code = -12 AND code_name = "
            "'NNM_ERR_CRASHED' AND message LIKE '%signal 11'"),
        1);
}

static void rounds_that_are_none_are_refused(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    int64_t id = begin(journal);
    const char *message = "it has 1 to 512 samples and finite times";
    nnm_round round = round_of(1);
    round.sample_count = 0;
    assert_fails(nnm_journal_add_round(journal, id, conv, "A", CONFIG, &round, &err), NNM_ERR_INVALID_ARGUMENT,
                 message);
    round.sample_count = NNM_MAX_SAMPLES + 1;
    assert_fails(nnm_journal_add_round(journal, id, conv, "A", CONFIG, &round, &err), NNM_ERR_INVALID_ARGUMENT,
                 message);
    round = round_of(1);
    round.clock_ns = (double)NAN;
    assert_fails(nnm_journal_add_round(journal, id, conv, "A", CONFIG, &round, &err), NNM_ERR_INVALID_ARGUMENT,
                 message);
    round = round_of(1);
    assert_fails(nnm_journal_add_round(journal, id + 1, conv, "A", CONFIG, &round, &err), NNM_ERR_INTERNAL,
                 "FOREIGN KEY");         /* no such run */
    assert_ok(add(journal, id, "A", 0)); /* and the journal goes on */
    assert_int_equal(check_rounds(journal, "A"), 1);
    nnm_journal_close(journal);
}

/* ---- reopening ---- */

static void a_journal_goes_on_when_reopened(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        nnm_journal *journal = open_journal();
        assert_ok(add(journal, begin(journal), "AAAAAA", i));
        assert_int_equal(check_rounds(journal, "AAAAAA"), i + 1);
        nnm_journal_close(journal);
    }
    assert_int_equal(ask("SELECT count(*) FROM run"), 3);
}

static void files_that_are_no_journal_are_left_alone(void **state)
{
    (void)state;
    nnm_journal *journal = NULL;
    char text[4096];
    memset(text, 'x', sizeof text);
    assert_ok(nnm_file_write(path, text, sizeof text, &err));
    assert_fails(nnm_journal_open(&journal, path, &err), NNM_ERR_PARSE, "file is not a database");
    unlink(path);
    change("CREATE TABLE mine (x)");
    assert_fails(nnm_journal_open(&journal, path, &err), NNM_ERR_PARSE, "but not a journal of nn-meter");
    assert_int_equal(ask("SELECT count(*) FROM sqlite_master"), 1);
    assert_int_equal(ask("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'delete'"), 1);
    unlink(path);
    nnm_journal_close(open_journal());
    change("PRAGMA user_version = 3");
    assert_fails(nnm_journal_open(&journal, path, &err), NNM_ERR_VERSION,
                 "found a journal of version 3, this nn-meter reads versions 1 to 2");
    assert_fails(nnm_journal_open(&journal, folder, &err), NNM_ERR_IO, "cannot open the journal");
    assert_fails(nnm_journal_open(&journal, in_folder(path, folder, "none/journal.sqlite"), &err), NNM_ERR_IO,
                 "unable to open database file");
    assert_null(journal);
}

static void an_empty_file_becomes_a_journal(void **state)
{
    (void)state;
    assert_ok(nnm_file_write(path, "", 0, &err));
    nnm_journal *journal = open_journal();
    assert_ok(add(journal, begin(journal), "A", 0));
    nnm_journal_close(journal);
}

static void damage_is_reported(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    assert_ok(add(journal, begin(journal), "A", 0));
    nnm_journal_close(journal);
    change("PRAGMA ignore_check_constraints = 1; UPDATE round SET sample_ns = x'00'");
    journal = open_journal();
    nnm_round *rounds = NULL;
    size_t count = 0;
    assert_fails(nnm_journal_rounds(journal, &source, conv, "A", CONFIG, true, &rounds, &count, &err), NNM_ERR_PARSE,
                 "a round has lost its samples");
    assert_null(rounds);
    assert_int_equal(rounds_of(journal, "A", false, &rounds), 1);
    free(rounds);
    nnm_journal_close(journal);
    change("PRAGMA ignore_check_constraints = 1; UPDATE round SET sample_count = 1000000");
    journal = open_journal();
    rounds = NULL;
    assert_fails(nnm_journal_rounds(journal, &source, conv, "A", CONFIG, false, &rounds, &count, &err), NNM_ERR_PARSE,
                 "a round has 1000000 samples");
    nnm_journal_close(journal);
}

/* ---- where nothing can be written ---- */

static int limit_pages(sqlite3 *db, const char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    return sqlite3_exec(db, "PRAGMA max_page_count = 40", NULL, NULL, NULL);
}

static void a_full_disk_has_a_name(void **state)
{
    (void)state;
    void (*extension)(void) = (void (*)(void))limit_pages;
    assert_int_equal(sqlite3_auto_extension(extension), SQLITE_OK);
    nnm_journal *journal = open_journal();
    sqlite3_cancel_auto_extension(extension);
    int64_t id = begin(journal);
    nnm_status status = NNM_OK;
    size_t added = 0;
    while ((status = add(journal, id, "A", added)) == NNM_OK && added < 10000)
        added++;
    assert_int_equal(status, NNM_ERR_NO_SPACE);
    assert_non_null(strstr(err.message, "cannot write to the journal: database or disk is full"));
    assert_true(added > 0);
    assert_int_equal(check_rounds(journal, "A"), added);
    nnm_journal_close(journal);
}

static void a_folder_without_rights_has_a_name(void **state)
{
    (void)state;
    nnm_journal *journal = NULL;
    begin_without_rights(folder);
    nnm_status status = nnm_journal_open(&journal, path, &err);
    end_without_rights(folder);
    assert_int_equal(status, NNM_ERR_IO);
    assert_non_null(strstr(err.message, "journal.sqlite: cannot open the journal: unable to open database file"));

    nnm_journal_close(open_journal());
    begin_without_rights(folder);
    status = nnm_journal_open(&journal, path, &err);
    end_without_rights(folder);
    assert_int_equal(status, NNM_ERR_IO);
    assert_non_null(strstr(err.message, "journal.sqlite: cannot "));
    assert_null(journal);
}

/* ---- several processes ---- */

static void two_processes_write_at_once(void **state)
{
    (void)state;
    static const char *const ids[] = {"AAAAAA", "BBBBBB", "CCCCCC"};
    pid_t children[3];
    for (size_t i = 0; i < 3; i++) { /* all begin with a file that is not there yet */
        children[i] = fork_child();
        if (children[i] == 0) add_and_tell(ids[i], 60, -1);
    }
    nnm_journal *journal = open_journal(); /* and a reader beside them */
    for (size_t i = 0; i < 20; i++)
        assert_true(check_rounds(journal, "BBBBBB") <= 60);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(exit_status(children[i]), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(check_rounds(journal, ids[i]), 60);
    nnm_journal_close(journal);
}

static void many_make_one_journal(void **state)
{
    (void)state;
    for (size_t trial = 0; trial < 30; trial++) {
        pid_t children[4];
        for (size_t i = 0; i < 4; i++) {
            children[i] = fork_child();
            if (children[i] == 0) add_and_tell("A", 0, -1);
        }
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(exit_status(children[i]), 0);
        assert_int_equal(ask("SELECT count(*) FROM run"), 4);
        assert_int_equal(unlink(path), 0);
    }
}

static void two_connections_of_one_process_see_each_other(void **state)
{
    (void)state;
    nnm_journal *one = open_journal(), *two = open_journal();
    int64_t run_one = begin(one), run_two = begin(two);
    for (size_t i = 0; i < 10; i++) {
        assert_ok(add(i % 2 ? one : two, i % 2 ? run_one : run_two, "A", i));
        assert_int_equal(check_rounds(i % 2 ? two : one, "A"), i + 1);
    }
    nnm_journal_close(one);
    nnm_journal_close(two);
}

static void a_write_waits_for_that_of_another(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    int64_t id = begin(journal);
    nnm_journal_close(journal);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork_child();
    if (child == 0) {
        sqlite3 *db = NULL;
        if (sqlite3_open(path, &db) || sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL)) _exit(2);
        if (write(ready[1], "+", 1) != 1) _exit(3);
        usleep(200 * 1000);
        _exit(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK);
    }
    char byte = 0;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    journal = open_journal();
    assert_ok(add(journal, id, "A", 0));
    assert_int_equal(exit_status(child), 0);
    nnm_journal_close(journal);
    close(ready[0]);
    close(ready[1]);
}

/* A child that is killed after it told of at least `told` rounds, `pause_us` later. Every round it told of must be
 * there; at most one more may be, which it had no time to tell of. */
static void kill_after(size_t told, unsigned pause_us)
{
    unlink(path);
    int told_by[2];
    assert_int_equal(pipe(told_by), 0);
    pid_t child = fork_child();
    if (child == 0) add_and_tell("A", 1000000, told_by[1]);
    close(told_by[1]);
    char bytes[256];
    size_t count = 0;
    while (count < told) {
        ssize_t n = read(told_by[0], bytes, 1);
        assert_int_equal(n, 1);
        count++;
    }
    usleep(pause_us);
    kill(child, SIGKILL);
    assert_int_equal(exit_status(child), -1);
    for (ssize_t n; (n = read(told_by[0], bytes, sizeof bytes)) > 0;)
        count += (size_t)n;
    close(told_by[0]);
    nnm_journal *journal = open_journal();
    size_t kept = check_rounds(journal, "A");
    assert_true(kept == count || kept == count + 1);
    assert_ok(add(journal, begin(journal), "B", 0));
    nnm_journal_close(journal);
    char sibling[600];
    snprintf(sibling, sizeof sibling, "%s-wal", path);
    assert_int_not_equal(access(sibling, F_OK), 0); /* tidied up by the last to close */
}

static void a_killed_writer_loses_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++)
        kill_after(1 + 17 * (i % 4), 137 * i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rounds_are_kept_whole),
        TEST(rounds_are_told_apart),
        TEST(devices_are_told_apart_by_their_settings),
        TEST(a_journal_is_readable_by_others),
        TEST(rounds_that_are_none_are_refused),
        TEST(a_journal_goes_on_when_reopened),
        TEST(files_that_are_no_journal_are_left_alone),
        TEST(an_empty_file_becomes_a_journal),
        TEST(damage_is_reported),
        TEST(a_full_disk_has_a_name),
        TEST(a_folder_without_rights_has_a_name),
        TEST(two_processes_write_at_once),
        TEST(many_make_one_journal),
        TEST(two_connections_of_one_process_see_each_other),
        TEST(a_write_waits_for_that_of_another),
        TEST(a_killed_writer_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
