/* What the tests of the journal share: a journal in a folder of its own, rounds to put into it, children that do so. */
#ifndef NNM_TESTS_JOURNAL_RIG_H
#define NNM_TESTS_JOURNAL_RIG_H

#include "unit/testing.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "base/file.h"
#include "store/journal.h"
#include "store/journal_schema.h"

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

static inline int setup(void **state)
{
    (void)state;
    make_folder(folder);
    in_folder(path, folder, "journal.sqlite");
    err = (nnm_error)NNM_ERROR_INIT;
    assert_ok(nnm_kernel_find(&conv, "conv-bn-relu", &err));
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

/* Round number `number`, whose every part can be told from the number. */
static inline nnm_round round_of(size_t number)
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

static inline nnm_status add(nnm_journal *journal, int64_t run_id, const char *id, size_t number)
{
    nnm_round round = round_of(number);
    return nnm_journal_add_round(journal, run_id, conv, id, CONFIG, &round, &err);
}

static inline nnm_journal *open_journal(void)
{
    nnm_journal *journal = NULL;
    assert_ok(nnm_journal_open(&journal, path, &err));
    return journal;
}

static inline int64_t begin(nnm_journal *journal)
{
    int64_t id = 0;
    assert_ok(nnm_journal_begin(journal, &run, &id, &err));
    return id;
}

static inline size_t rounds_of(nnm_journal *journal, const char *id, bool with_samples, nnm_round **rounds)
{
    size_t count = 0;
    assert_ok(nnm_journal_rounds(journal, &source, conv, id, CONFIG, with_samples, rounds, &count, &err));
    return count;
}

/* Rounds 0, 1, ... must be there, whole and in order. */
static inline size_t check_rounds(nnm_journal *journal, const char *id)
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
static inline int64_t ask(const char *sql)
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

static inline void change(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* ---- children ---- */

/* A child that does not outlive the test, should the test fail. */
static inline pid_t fork_child(void)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static inline int exit_status(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* In a child: opens the journal and adds `count` rounds; each one that is in is told to `pipe_end`. */
static inline void add_and_tell(const char *id, size_t count, int pipe_end)
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
