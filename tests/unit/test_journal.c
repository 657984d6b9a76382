#include "unit/testing.h"

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "base/file.h"
#include "store/journal.h"
#include "store/journal_schema.h"
#include "unit/plain_user.h"

static char folder[256], path[512];
static nnm_error err;
static const nnm_kernel *conv;
#define CONFIG "HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1"
static const nnm_protocol protocol = NNM_PROTOCOL_INIT;
static const nnm_machine machine = {
    .host = "h", .cpu = "A CPU", .kernel_release = "6", .governor = "", .cpus = 2, .clock_ghz = 3.5};
#define SOURCE                                                                              \
    {                                                                                       \
        .backend = "xnnpack_cpu", .threads = 1, .optimization = "all", .implement = "torch" \
    }
static const nnm_journal_source source = SOURCE;
static const nnm_journal_run run = {.source = SOURCE,
                                    .runtime_version = "2022-02-16",
                                    .settings = "ROUNDS: 3\nREALTIME: FALSE\n",
                                    .protocol = &protocol,
                                    .machine = &machine};

static int setup(void **state)
{
    (void)state;
    make_folder(folder);
    in_folder(path, folder, "journal.sqlite");
    err = (nnm_error)NNM_ERROR_INIT;
    assert_ok(nnm_kernel_find(&conv, "conv-bn-relu", &err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

/* Round number `number`, whose every part can be told from the number. */
static nnm_round round_of(size_t number)
{
    nnm_round round = {.estimate_ns = (double)number + 1.0 / 3,
                       .open_ns = 2e6,
                       .wall_ns = 3e7,
                       .sample_count = 5 + number % (NNM_MAX_SAMPLES - 5),
                       .quiet_count = number % 5,
                       .calls_per_sample = number + 1,
                       .reference_best_ns = 11.5e3,
                       .clock_ns = 1e4,
                       .unix_time_s = 1.7e9 + (double)number,
                       .cpu = (int)(number % 3) - 1,
                       .pass = (unsigned)number % 2,
                       .realtime = number % 4 < 2,
                       .measured_ns = 2.5e7,
                       .waited_ns = (double)number};
    for (size_t i = 0; i < round.sample_count; i++) {
        round.sample_ns[i] = (double)number + 1.0 / (double)(i + 3);
        round.reference_ns[i] = -1e-300 * (double)i;
        round.sample_clock_ns[i] = 1e4 + (double)i;
    }
    return round;
}

static nnm_status add(nnm_journal *journal, int64_t run_id, const char *id, size_t number)
{
    nnm_round round = round_of(number);
    return nnm_journal_add_round(journal, run_id, conv, id, CONFIG, &round, &err);
}

static nnm_journal *open_journal(void)
{
    nnm_journal *journal = NULL;
    assert_ok(nnm_journal_open(&journal, path, &err));
    return journal;
}

static int64_t begin(nnm_journal *journal)
{
    int64_t id = 0;
    assert_ok(nnm_journal_begin(journal, &run, &id, &err));
    return id;
}

static size_t rounds_of(nnm_journal *journal, const char *id, bool with_samples, nnm_round **rounds)
{
    size_t count = 0;
    assert_ok(nnm_journal_rounds(journal, &source, conv, id, CONFIG, with_samples, rounds, &count, &err));
    return count;
}

/* Rounds 0, 1, ... must be there, whole and in order. */
static size_t check_rounds(nnm_journal *journal, const char *id)
{
    nnm_round *rounds = NULL;
    size_t count = rounds_of(journal, id, true, &rounds);
    for (size_t i = 0; i < count; i++) {
        nnm_round expected = round_of(i);
        assert_memory_equal(rounds[i].sample_ns, expected.sample_ns, sizeof expected.sample_ns);
        assert_memory_equal(rounds[i].reference_ns, expected.reference_ns, sizeof expected.reference_ns);
        assert_memory_equal(rounds[i].sample_clock_ns, expected.sample_clock_ns, sizeof expected.sample_clock_ns);
        assert_true(rounds[i].estimate_ns == expected.estimate_ns);
    }
    free(rounds);
    return count;
}

/* One number of the database, read past our own code. */
static int64_t ask(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    int64_t answer = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return answer;
}

static void change(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

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

    nnm_journal_source others[] = {SOURCE, SOURCE, SOURCE, SOURCE}; /* what was measured otherwise */
    others[0].backend = "onednn_cpu";
    others[1].threads = 2;
    others[2].optimization = "basic";
    others[3].implement = "tensorflow";
    for (size_t i = 0; i < 4; i++) {
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

/* ---- children ---- */

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

/* In a child: opens the journal and adds `count` rounds; each one that is in is told to `pipe_end`. */
static void add_and_tell(const char *id, size_t count, int pipe_end)
{
    nnm_journal *journal = NULL;
    int64_t run_id = 0;
    if (nnm_journal_open(&journal, path, NULL) || nnm_journal_begin(journal, &run, &run_id, NULL)) _exit(2);
    for (size_t i = 0; i < count; i++) {
        if (add(journal, run_id, id, i)) _exit(3);
        if (pipe_end >= 0 && write(pipe_end, "+", 1) != 1) _exit(4);
    }
    nnm_journal_close(journal);
    _exit(0);
}

/* ---- a journal of version 1, made by the program of its time ---- */

static void copy_version_1(void)
{
    char *bytes = NULL;
    size_t size = 0;
    assert_ok(nnm_file_read(NNM_TEST_DATA "/journal/version1.sqlite", &bytes, &size, &err));
    assert_ok(nnm_file_write(path, bytes, size, &err));
    free(bytes);
    assert_int_equal(ask("PRAGMA user_version"), 1);
}

static void check_version_1(nnm_journal *journal)
{
    const nnm_kernel *relu = NULL;
    nnm_round *rounds = NULL;
    size_t count = 0;
    assert_ok(nnm_kernel_find(&relu, "relu", &err));
    assert_ok(nnm_journal_rounds(journal, &source, relu, "LM17FT", "HW=28,CIN=3", true, &rounds, &count, &err));
    assert_int_equal(count, 2);
    assert_true(rounds[0].estimate_ns == 78.66790071518722);
    assert_int_equal(rounds[0].sample_count, 19);
    assert_true(rounds[0].reference_ns[0] == 12682.0);
    assert_int_equal(rounds[0].pass, 0);
    assert_true(rounds[0].measured_ns == 0 && rounds[0].sample_clock_ns[0] == 0 && !rounds[0].realtime);
    nnm_round more = rounds[1];
    free(rounds);
    int64_t id = begin(journal);
    more.pass = 1;
    assert_ok(nnm_journal_add_round(journal, id, relu, "LM17FT", "HW=28,CIN=3", &more, &err));
    assert_ok(nnm_journal_rounds(journal, &source, relu, "LM17FT", "HW=28,CIN=3", false, &rounds, &count, &err));
    assert_int_equal(count, 3);
    assert_int_equal(rounds[2].pass, 1);
    free(rounds);
}

static void an_old_journal_is_brought_up_to_date(void **state)
{
    (void)state;
    copy_version_1();
    nnm_journal *journal = open_journal();
    check_version_1(journal);
    nnm_journal_close(journal);
    assert_int_equal(ask("PRAGMA user_version"), NNM_JOURNAL_VERSION);
    assert_int_equal(ask("SELECT count(*) FROM run WHERE optimization = '' AND settings = ''"), 2);
    assert_int_equal(ask("SELECT count(*) FROM failure WHERE kernel_id = 'BROKEN' AND pass = 0"), 1);
    assert_int_equal(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    nnm_journal_close(open_journal()); /* and that is all */
    assert_int_equal(ask("SELECT count(*) FROM run"), 3);
}

/* What a new journal has is what an old one has got: the same tables with the same columns. */
static void old_and_new_have_the_same_tables(void **state)
{
    (void)state;
    static const char shape[] =
        "SELECT count(*) * 1000 + sum(length(t.name) * 7 + length(c.name)) FROM sqlite_master t, "
        "pragma_table_info(t.name) c WHERE t.type = 'table'";
    nnm_journal_close(open_journal());
    int64_t fresh = ask(shape);
    unlink(path);
    copy_version_1();
    nnm_journal_close(open_journal());
    assert_int_equal(ask(shape), fresh);
}

/* A step that fails half-way leaves the old journal, which the old program still reads. */
static void a_step_is_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    copy_version_1();
    change("CREATE TABLE collected (x)"); /* in the way */
    nnm_journal *journal = NULL;
    assert_fails(nnm_journal_open(&journal, path, &err), NNM_ERR_IO, "cannot bring the journal up to date");
    assert_int_equal(ask("PRAGMA user_version"), 1);
    assert_int_equal(ask("SELECT count(*) FROM pragma_table_info('round') WHERE name = 'pass'"), 0);
    change("DROP TABLE collected");
    nnm_journal_close(open_journal());
    assert_int_equal(ask("PRAGMA user_version"), NNM_JOURNAL_VERSION);
}

static void many_bring_one_journal_up_to_date(void **state)
{
    (void)state;
    for (size_t trial = 0; trial < 10; trial++) {
        copy_version_1();
        pid_t children[4];
        for (size_t i = 0; i < 4; i++) {
            children[i] = fork_child();
            if (children[i] == 0) add_and_tell("A", 1, -1);
        }
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(exit_status(children[i]), 0);
        assert_int_equal(ask("SELECT count(*) FROM run"), 6);
        assert_int_equal(unlink(path), 0);
    }
}

/* ---- what files hold ---- */

static nnm_kernel_data *sampled_data(size_t count, int64_t batch_size)
{
    nnm_kernel_data *data = NULL;
    assert_ok(nnm_kernel_data_new(&data, conv, &err));
    for (size_t i = 0; i < count; i++) {
        nnm_kernel_record record = {.has_config = true, .batch_size = batch_size};
        char config[64], model[64];
        snprintf(record.id, sizeof record.id, "KERNEL%zu", i);
        snprintf(config, sizeof config, "HW=56,CIN=%zu,COUT=128,KERNEL_SIZE=3,STRIDES=1", count - i);
        snprintf(model, sizeof model, "/models/\"%zu\".onnx", i);
        assert_ok(nnm_kernel_config_parse(&record.config, conv, config, &err));
        record.shape_count = nnm_kernel_input_shapes(conv, &record.config, NNM_LAYOUT_NCHW, record.shapes);
        record.model = model;
        assert_ok(nnm_kernel_data_add(data, &record, &err));
    }
    return data;
}

static void files_are_noted(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    nnm_journal_mark *marks = NULL;
    size_t count = 9;
    assert_ok(nnm_journal_marks(journal, NNM_JOURNAL_SAMPLED, conv, &marks, &count, &err));
    assert_int_equal(count, 0);
    nnm_kernel_data *many = sampled_data(30, 8), *few = sampled_data(2, 1), *back = NULL;
    assert_ok(nnm_journal_put_file(journal, NNM_JOURNAL_SAMPLED, "z", few, &err));
    assert_ok(nnm_journal_put_file(journal, NNM_JOURNAL_SAMPLED, "a", few, &err));
    assert_ok(nnm_journal_put_file(journal, NNM_JOURNAL_SAMPLED, "z", few, &err));
    assert_ok(nnm_journal_put_file(journal, NNM_JOURNAL_SAMPLED, "a", many, &err)); /* instead of the two */
    assert_ok(nnm_journal_put_file(journal, NNM_JOURNAL_COLLECTED, "a", few, &err));
    assert_ok(nnm_journal_get_file(journal, NNM_JOURNAL_SAMPLED, conv, "a", &back, &err));
    assert_int_equal(back->count, 30);
    for (size_t i = 0; i < 30; i++) {
        const nnm_kernel_record *is = &back->records[i], *was = &many->records[i];
        assert_string_equal(is->id, was->id);
        assert_string_equal(is->model, was->model);
        assert_true(nnm_kernel_config_equal(conv, &is->config, &was->config));
        assert_int_equal(is->batch_size, 8);
        assert_int_equal(is->shape_count, was->shape_count);
    }
    nnm_kernel_data_free(back);
    assert_ok(nnm_journal_get_file(journal, NNM_JOURNAL_COLLECTED, conv, "a", &back, &err));
    assert_int_equal(back->count, 2);
    nnm_kernel_data_free(back);
    assert_ok(nnm_journal_get_file(journal, NNM_JOURNAL_COLLECTED, conv, "b", &back, &err));
    assert_int_equal(back->count, 0);
    nnm_kernel_data_free(back);
    assert_ok(nnm_journal_marks(journal, NNM_JOURNAL_SAMPLED, conv, &marks, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(marks[0].name, "z");
    assert_string_equal(marks[1].name, "a");
    free(marks);
    nnm_kernel_data_free(many);
    nnm_kernel_data_free(few);
    nnm_journal_close(journal);
    change("UPDATE sampled SET entry = '{}}' WHERE mark = 'z'");
    journal = open_journal();
    back = NULL;
    assert_fails(nnm_journal_get_file(journal, NNM_JOURNAL_SAMPLED, conv, "z", &back, &err), NNM_ERR_PARSE,
                 "journal.sqlite: conv-bn-relu 'KERNEL0': end of file expected");
    assert_null(back);
    nnm_journal_close(journal);
}

static void descriptions_are_read_back(void **state)
{
    (void)state;
    nnm_kernel_data *data = sampled_data(1, 8);
    char text[NNM_SUBJECT_BYTES];
    assert_string_equal(nnm_record_describe(conv, &data->records[0], text, sizeof text),
                        "HW=56,CIN=1,COUT=128,KERNEL_SIZE=3,STRIDES=1,BATCH=8");
    nnm_kernel_record record = {.id = "A"};
    nnm_record_take_description(conv, &record, text);
    assert_true(record.has_config && nnm_kernel_config_equal(conv, &record.config, &data->records[0].config));
    assert_int_equal(record.batch_size, 8);
    record = (nnm_kernel_record){.id = "A"};
    nnm_record_take_description(conv, &record, "BATCH=4");
    assert_true(!record.has_config && record.batch_size == 4);
    nnm_record_take_description(conv, &record, "nonsense");
    assert_false(record.has_config);
    nnm_kernel_data_free(data);
}

static void measured_kernels_are_listed(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    int64_t id = begin(journal);
    double failed_s = -1;
    assert_ok(add(journal, id, "B", 0));
    assert_ok(add(journal, id, "C", 1)); /* of pass 1 alone */
    assert_ok(add(journal, id, "A", 2));
    assert_ok(add(journal, id, "B", 4));
    nnm_journal_subject *subjects = NULL;
    size_t count = 0;
    assert_ok(nnm_journal_measured(journal, &source, conv, &subjects, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(subjects[0].id, "B");
    assert_string_equal(subjects[1].id, "A");
    assert_string_equal(subjects[1].config, CONFIG);
    free(subjects);
    assert_ok(nnm_journal_last_failure(journal, &source, conv, "A", CONFIG, &failed_s, &err));
    assert_true(failed_s == 0);
    nnm_error failure = {.code = NNM_ERR_TIMEOUT};
    assert_ok(nnm_journal_add_failure(journal, id, conv, "A", CONFIG, 1, &failure, &err));
    assert_ok(nnm_journal_last_failure(journal, &source, conv, "A", CONFIG, &failed_s, &err));
    assert_true(failed_s == 0);
    assert_ok(nnm_journal_add_failure(journal, id, conv, "A", CONFIG, 0, &failure, &err));
    assert_ok(nnm_journal_last_failure(journal, &source, conv, "A", CONFIG, &failed_s, &err));
    assert_true(failed_s > 1.6e9);
    nnm_journal_close(journal);
}

static void node_times_are_kept(void **state)
{
    (void)state;
    nnm_journal *journal = open_journal();
    int64_t id = begin(journal);
    const nnm_node_time nodes[] = {{"reorder", "ReorderInput", 1500}, {"fused conv", "Conv", 8250.5}};
    size_t count = 9;
    assert_ok(nnm_journal_count_node_times(journal, &source, conv, "A", CONFIG, &count, &err));
    assert_int_equal(count, 0);
    assert_ok(nnm_journal_add_node_times(journal, id, conv, "A", CONFIG, nodes, 2, &err));
    assert_ok(nnm_journal_count_node_times(journal, &source, conv, "A", CONFIG, &count, &err));
    assert_int_equal(count, 2);
    assert_fails(nnm_journal_add_node_times(journal, id + 1, conv, "A", CONFIG, nodes, 2, &err), NNM_ERR_INTERNAL,
                 "FOREIGN KEY");
    nnm_journal_close(journal);
    assert_int_equal(ask("SELECT count(*) FROM node_time"), 2);
    assert_int_equal(ask("SELECT count(*) FROM node_time WHERE position = 1 AND node = 'fused conv' AND operator = "
                         "'Conv' AND mean_ns = 8250.5"),
                     1);
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
    assert_non_null(strstr(
        err.message,
        "cannot write to the journal: database or disk is full; make room on this disk and run the command again"));
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rounds_are_kept_whole),
        TEST(rounds_are_told_apart),
        TEST(a_journal_is_readable_by_others),
        TEST(rounds_that_are_none_are_refused),
        TEST(a_journal_goes_on_when_reopened),
        TEST(files_that_are_no_journal_are_left_alone),
        TEST(an_empty_file_becomes_a_journal),
        TEST(an_old_journal_is_brought_up_to_date),
        TEST(old_and_new_have_the_same_tables),
        TEST(a_step_is_taken_whole_or_not_at_all),
        TEST(many_bring_one_journal_up_to_date),
        TEST(files_are_noted),
        TEST(descriptions_are_read_back),
        TEST(measured_kernels_are_listed),
        TEST(node_times_are_kept),
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
