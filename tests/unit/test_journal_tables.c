/* The journal: its versions, and what it keeps beside rounds. */
#include "unit/journal_rig.h"

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
        assert_ok(
            nnm_kernel_input_shapes(conv, &record.config, NNM_LAYOUT_NCHW, record.shapes, &record.shape_count, &err));
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
    assert_ok(nnm_journal_put_file(journal, NNM_JOURNAL_SAMPLED, "z", many, &err));
    assert_ok(nnm_journal_put_file(journal, NNM_JOURNAL_SAMPLED, "z", few, &err));
    assert_ok(nnm_journal_get_file(journal, NNM_JOURNAL_SAMPLED, conv, "z", &back, &err));
    assert_int_equal(back->count, 2);
    nnm_kernel_data_free(back);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_old_journal_is_brought_up_to_date),
        TEST(old_and_new_have_the_same_tables),
        TEST(a_step_is_taken_whole_or_not_at_all),
        TEST(many_bring_one_journal_up_to_date),
        TEST(files_are_noted),
        TEST(descriptions_are_read_back),
        TEST(measured_kernels_are_listed),
        TEST(node_times_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
