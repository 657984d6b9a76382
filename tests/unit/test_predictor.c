#include "nnmeter/predictor.h"

#include <math.h>
#include <zlib.h>

#include "base/file.h"
#include "base/rng.h"
#include "learn/predictor_file.h"
#include "unit/testing.h"

#define assert_near(value, expected, tolerance) assert_true(fabs((value) - (expected)) <= (tolerance))

#define ROWS 300
#define COLUMNS 3

static const char *const names[COLUMNS] = {"HW", "CIN", "COUT"};

typedef struct table {
    double x[ROWS * COLUMNS];
    double y[ROWS];
} table;

static nnm_dataset make_table(table *t)
{
    nnm_rng rng;
    nnm_rng_init(&rng, 1, 0);
    for (size_t row = 0; row < ROWS; row++) {
        double *x = t->x + row * COLUMNS;
        x[0] = (double)(7 << nnm_rng_below(&rng, 5));
        x[1] = (double)(1 + nnm_rng_below(&rng, 512));
        x[2] = (double)(1 + nnm_rng_below(&rng, 512));
        t->y[row] = 1e-8 * x[0] * x[0] * x[1] * x[2] * (0.9 + 0.2 * nnm_rng_uniform(&rng)) + 0.001;
    }
    return (nnm_dataset){.x = t->x, .y = t->y, .rows = ROWS, .columns = COLUMNS, .feature_names = names};
}

static nnm_forest_options options_of(size_t trees)
{
    nnm_forest_options options = NNM_FOREST_OPTIONS_INIT;
    options.trees = trees;
    options.threads = 1;
    return options;
}

static nnm_predictor *fit(const nnm_dataset *data, size_t trees)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_forest_options options = options_of(trees);
    nnm_predictor *predictor = NULL;
    assert_ok(nnm_predictor_fit(&predictor, "conv-bn-relu", data, &options, &err));
    return predictor;
}

typedef struct bytes {
    char *data;
    size_t size;
} bytes;

static bytes read_bytes(const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    bytes b;
    assert_ok(nnm_file_read(path, &b.data, &b.size, &err));
    return b;
}

static void write_bytes(const char *path, const void *data, size_t size)
{
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_file_write(path, data, size, &err));
}

/* A small predictor and its file, in a folder of its own. */
typedef struct fixture {
    char folder[256];
    char path[512];
    bytes file;
    table t;
    nnm_predictor *predictor;
} fixture;

static void setup(fixture *f, size_t rows, size_t trees)
{
    nnm_error err = NNM_ERROR_INIT;
    make_folder(f->folder);
    in_folder(f->path, f->folder, "conv.nnm");
    nnm_dataset data = make_table(&f->t);
    data.rows = rows;
    f->predictor = fit(&data, trees);
    assert_ok(nnm_predictor_save(f->predictor, f->path, &err));
    f->file = read_bytes(f->path);
}

static void teardown(fixture *f)
{
    free(f->file.data);
    nnm_predictor_free(f->predictor);
    remove_folder(f->folder);
}

static void put_u32(char *at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        at[i] = (char)(unsigned char)(value >> (8 * i));
}

/* Loads bytes as if they stood in the fixture's file, which would be slow to write so often. The copy ends where the
 * bytes end, so that a sanitizer sees a read beyond them. */
static nnm_status load_bytes(nnm_predictor **out, const fixture *f, const void *data, size_t size, nnm_error *err)
{
    void *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    if (size) memcpy(copy, data, size);
    nnm_status status = nnm_predictor_parse(out, copy, size, f->path, err);
    free(copy);
    return status;
}

/* Makes the checksums right again, as somebody would who means harm. */
static void seal(bytes *file)
{
    put_u32(file->data + 16, (uint32_t)(file->size - 32));
    put_u32(file->data + 24, (uint32_t)crc32_z(0, (const unsigned char *)file->data + 32, file->size - 32));
    put_u32(file->data + 28, (uint32_t)crc32_z(0, (const unsigned char *)file->data, 28));
}

static void a_predictor_tells_what_it_learned(void **state)
{
    (void)state;
    table t;
    nnm_dataset data = make_table(&t);
    nnm_predictor *p = fit(&data, 30);
    assert_string_equal(nnm_predictor_kernel_type(p), "conv-bn-relu");
    assert_string_equal(nnm_predictor_model(p), "random_forest");
    assert_int_equal(nnm_predictor_feature_count(p), COLUMNS);
    double low = HUGE_VAL, high = 0, minimum, maximum;
    for (size_t i = 0; i < COLUMNS; i++)
        assert_string_equal(nnm_predictor_feature_name(p, i), names[i]);
    for (size_t row = 0; row < ROWS; row++) {
        low = fmin(low, t.y[row]);
        high = fmax(high, t.y[row]);
    }
    nnm_predictor_feature_range(p, 0, &minimum, &maximum);
    assert_true(minimum == 7 && maximum == 112);
    const nnm_training_summary *s = nnm_predictor_summary(p);
    assert_int_equal(s->rows, ROWS);
    assert_int_equal(s->test_rows, 0);
    assert_true(s->latency_min_ms == low && s->latency_max_ms == high);
    assert_true(s->oob_score > 0.9 && s->oob_score < 1);
    assert_true(isnan(s->noise_ceiling10));

    nnm_training_summary better = {
        .rows = 375, .test_rows = 75, .test = {.rows = 75, .acc10 = 0.5}, .noise_ceiling10 = 0.9};
    nnm_predictor_set_summary(p, &better);
    s = nnm_predictor_summary(p);
    assert_int_equal(s->rows, 375);
    assert_int_equal(s->test.rows, 75);
    assert_true(s->latency_min_ms == low && s->latency_max_ms == high);
    nnm_predictor_free(p);
}

static void intervals_hold_nine_of_ten(void **state)
{
    (void)state;
    table t;
    nnm_dataset data = make_table(&t);
    data.rows = 200;
    nnm_predictor *p = fit(&data, 50);
    nnm_prediction predictions[100];
    nnm_predictor_predict(p, t.x + 200 * COLUMNS, 100, predictions);
    size_t inside = 0;
    for (size_t i = 0; i < 100; i++) {
        assert_true(predictions[i].lower_ms < predictions[i].latency_ms);
        assert_true(predictions[i].latency_ms < predictions[i].upper_ms);
        inside += t.y[200 + i] >= predictions[i].lower_ms && t.y[200 + i] <= predictions[i].upper_ms;
    }
    assert_in_range(inside, 80, 98);
    nnm_predictor_free(p);

    data.rows = 19;
    p = fit(&data, 50);
    nnm_predictor_predict(p, t.x, 1, predictions);
    assert_true(predictions[0].latency_ms > 0);
    assert_true(isnan(predictions[0].lower_ms) && isnan(predictions[0].upper_ms));
    nnm_predictor_free(p);
}

static void assert_equal_numbers(double a, double b)
{
    assert_true(a == b || (isnan(a) && isnan(b)));
}

static void what_is_saved_is_loaded(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    fixture f;
    setup(&f, ROWS, 40);
    nnm_training_summary summary = {
        375, 75, {75, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, (double)NAN, 0.95, 0, 0,
    };
    nnm_predictor_set_summary(f.predictor, &summary);
    assert_ok(nnm_predictor_save(f.predictor, f.path, &err));
    nnm_predictor *loaded = NULL;
    assert_ok(nnm_predictor_load(&loaded, f.path, &err));

    assert_string_equal(nnm_predictor_kernel_type(loaded), "conv-bn-relu");
    assert_string_equal(nnm_predictor_model(loaded), "random_forest");
    assert_int_equal(nnm_predictor_feature_count(loaded), COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++) {
        double a, b, c, d;
        assert_string_equal(nnm_predictor_feature_name(loaded, i), names[i]);
        nnm_predictor_feature_range(f.predictor, i, &a, &b);
        nnm_predictor_feature_range(loaded, i, &c, &d);
        assert_true(a == c && b == d);
    }
    const nnm_training_summary *before = nnm_predictor_summary(f.predictor), *after = nnm_predictor_summary(loaded);
    assert_int_equal(after->rows, 375);
    assert_int_equal(after->test_rows, 75);
    assert_memory_equal(&after->test, &before->test, sizeof before->test);
    assert_equal_numbers(after->oob_score, before->oob_score);
    assert_equal_numbers(after->noise_ceiling10, 0.95);
    assert_equal_numbers(after->latency_min_ms, before->latency_min_ms);
    assert_equal_numbers(after->latency_max_ms, before->latency_max_ms);

    nnm_prediction a[ROWS], b[ROWS];
    nnm_predictor_predict(f.predictor, f.t.x, ROWS, a);
    nnm_predictor_predict(loaded, f.t.x, ROWS, b);
    assert_memory_equal(a, b, sizeof a);

    /* And once more: the same bytes. */
    char again[512];
    assert_ok(nnm_predictor_save(loaded, in_folder(again, f.folder, "again.nnm"), &err));
    bytes first = read_bytes(f.path), second = read_bytes(again);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    free(first.data);
    free(second.data);
    nnm_predictor_free(loaded);
    teardown(&f);
}

static void threads_change_no_byte_of_the_file(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    fixture f;
    setup(&f, ROWS, 25);
    nnm_dataset data = make_table(&f.t);
    for (unsigned threads = 1; threads <= 3; threads++) {
        nnm_forest_options options = options_of(25);
        options.threads = threads;
        nnm_predictor *p = NULL;
        assert_ok(nnm_predictor_fit(&p, "conv-bn-relu", &data, &options, &err));
        assert_ok(nnm_predictor_save(p, f.path, &err));
        bytes file = read_bytes(f.path);
        assert_int_equal(file.size, f.file.size);
        assert_memory_equal(file.data, f.file.data, file.size);
        free(file.data);
        nnm_predictor_free(p);
    }
    teardown(&f);
}

/* A file written by version 1 when it was new: later versions of the library must read it as it was meant. */
static void old_files_stay_readable(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_predictor *p = NULL;
    assert_ok(nnm_predictor_load(&p, NNM_TEST_DATA "/predictor_v1.nnm", &err));
    assert_string_equal(nnm_predictor_kernel_type(p), "conv-bn-relu");
    assert_int_equal(nnm_predictor_summary(p)->rows, 40);
    const double x[] = {56, 100, 200};
    nnm_prediction prediction;
    nnm_predictor_predict(p, x, 1, &prediction);
    assert_near(prediction.latency_ms, 1.002801472, 1e-12);
    nnm_predictor_free(p);
}

static void every_flipped_byte_is_noticed(void **state)
{
    (void)state;
    nnm_error err;
    fixture f;
    setup(&f, 12, 2);
    for (size_t i = 0; i < f.file.size; i++) {
        f.file.data[i] ^= 0x10;
        nnm_predictor *p = NULL;
        assert_fails(load_bytes(&p, &f, f.file.data, f.file.size, &err), i < 8 ? NNM_ERR_PARSE : NNM_ERR_CHECKSUM,
                     i < 8 ? "not a predictor file" : "damaged");
        assert_non_null(strstr(err.message, f.path));
        assert_null(p);
        f.file.data[i] ^= 0x10;
    }
    teardown(&f);
}

static void every_cut_is_noticed(void **state)
{
    (void)state;
    nnm_error err;
    fixture f;
    setup(&f, 12, 2);
    for (size_t size = 0; size < f.file.size; size++) {
        char expected[64];
        if (size < 32)
            snprintf(expected, sizeof expected, "has %zu bytes, expected at least 32", size);
        else
            snprintf(expected, sizeof expected, "has %zu bytes, expected 32 + %zu", size, f.file.size - 32);
        nnm_predictor *p = NULL;
        assert_fails(load_bytes(&p, &f, f.file.data, size, &err), NNM_ERR_PARSE, expected);
    }
    char *longer = calloc(f.file.size + 1, 1);
    assert_non_null(longer);
    memcpy(longer, f.file.data, f.file.size);
    write_bytes(f.path, longer, f.file.size + 1);
    free(longer);
    nnm_predictor *p = NULL;
    assert_fails(nnm_predictor_load(&p, f.path, &err), NNM_ERR_PARSE, "too long");
    teardown(&f);
}

static void other_versions_are_refused(void **state)
{
    (void)state;
    nnm_error err;
    nnm_predictor *p = NULL;
    fixture f;
    setup(&f, 12, 2);
    put_u32(f.file.data + 8, 7);
    seal(&f.file);
    write_bytes(f.path, f.file.data, f.file.size);
    assert_fails(nnm_predictor_load(&p, f.path, &err), NNM_ERR_VERSION,
                 "format version 7, this program reads version 1");
    put_u32(f.file.data + 8, 1);
    put_u32(f.file.data + 12, 1);
    seal(&f.file);
    write_bytes(f.path, f.file.data, f.file.size);
    assert_fails(nnm_predictor_load(&p, f.path, &err), NNM_ERR_PARSE, "reserved bytes");
    teardown(&f);
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    nnm_error err;
    nnm_predictor *p = NULL;
    char folder[256], path[512];
    make_folder(folder);
    assert_fails(nnm_predictor_load(&p, in_folder(path, folder, "none.nnm"), &err), NNM_ERR_NOT_FOUND, "none.nnm");
    assert_fails(nnm_predictor_load(&p, folder, &err), NNM_ERR_IO, folder);
    write_bytes(path, "HW,CIN,latency_ms\n1,2,3\n", 24);
    assert_fails(nnm_predictor_load(&p, path, &err), NNM_ERR_PARSE, "not a predictor file");
    assert_null(p);
    remove_folder(folder);
}

/* With right checksums, every byte is changed to several values. What still loads must predict; the sanitizers watch.
 */
static void hostile_contents_do_no_harm(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    fixture f;
    setup(&f, 12, 2);
    const unsigned char values[] = {0, 1, 0x7F, 0x80, 0xFF};
    size_t loaded = 0;
    for (size_t i = 32; i < f.file.size; i++) {
        char kept = f.file.data[i];
        for (size_t v = 0; v < sizeof values; v++) {
            f.file.data[i] = (char)values[v];
            seal(&f.file);
            nnm_predictor *p = NULL;
            nnm_status status = load_bytes(&p, &f, f.file.data, f.file.size, &err);
            assert_true(status == NNM_OK || status == NNM_ERR_PARSE || status == NNM_ERR_UNSUPPORTED);
            if (status) continue;
            loaded++;
            if (nnm_predictor_feature_count(p) == COLUMNS) {
                nnm_prediction predictions[20];
                nnm_predictor_predict(p, f.t.x, 20, predictions);
                for (size_t row = 0; row < 20; row++)
                    assert_true(isfinite(predictions[row].latency_ms));
            }
            nnm_predictor_free(p);
        }
        f.file.data[i] = kept;
    }
    assert_true(loaded > 0);
    for (size_t size = 32; size < f.file.size; size++) {
        bytes shorter = {f.file.data, size};
        seal(&shorter);
        nnm_predictor *p = NULL;
        nnm_status status = load_bytes(&p, &f, f.file.data, size, &err);
        assert_int_equal(status, NNM_ERR_PARSE);
    }
    teardown(&f);
}

static void a_failed_save_leaves_the_old_file(void **state)
{
    (void)state;
    nnm_error err;
    fixture f;
    setup(&f, 12, 2);
    char path[512];
    assert_fails(nnm_predictor_save(f.predictor, in_folder(path, f.folder, "no/such/folder.nnm"), &err),
                 NNM_ERR_NOT_FOUND, "no/such/folder.nnm");
    bytes file = read_bytes(f.path);
    assert_int_equal(file.size, f.file.size);
    free(file.data);
    teardown(&f);
}

static void tables_that_make_no_predictor_are_refused(void **state)
{
    (void)state;
    nnm_error err;
    nnm_predictor *p = NULL;
    nnm_forest_options options = options_of(5);
    table t;
    nnm_dataset data = make_table(&t);
    t.y[4] = 0;
    assert_fails(nnm_predictor_fit(&p, "k", &data, &options, &err), NNM_ERR_VALUE, "row 5: the latency 0");
    t.y[4] = (double)NAN;
    assert_fails(nnm_predictor_fit(&p, "k", &data, &options, &err), NNM_ERR_VALUE, "row 5: the latency nan");
    t.y[4] = 1;
    t.x[7] = (double)INFINITY;
    assert_fails(nnm_predictor_fit(&p, "k", &data, &options, &err), NNM_ERR_VALUE, "row 3, column 2: inf");
    t.x[7] = 1;
    const char *const twice[] = {"HW", "CIN", "HW"}, *const empty[] = {"HW", "", "COUT"};
    data.feature_names = twice;
    assert_fails(nnm_predictor_fit(&p, "k", &data, &options, &err), NNM_ERR_INVALID_ARGUMENT,
                 "two features are named 'HW'");
    data.feature_names = empty;
    assert_fails(nnm_predictor_fit(&p, "k", &data, &options, &err), NNM_ERR_INVALID_ARGUMENT, "feature 2 is empty");
    data.feature_names = names;
    const char *sixty_four = "0123456789012345678901234567890123456789012345678901234567890123";
    assert_fails(nnm_predictor_fit(&p, sixty_four, &data, &options, &err), NNM_ERR_INVALID_ARGUMENT,
                 "more than 63 bytes");
    data.rows = 0;
    assert_fails(nnm_predictor_fit(&p, "k", &data, &options, &err), NNM_ERR_INVALID_ARGUMENT, "at least one row");
    assert_null(p);
    nnm_predictor_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_predictor_tells_what_it_learned),
        cmocka_unit_test(intervals_hold_nine_of_ten),
        cmocka_unit_test(what_is_saved_is_loaded),
        cmocka_unit_test(threads_change_no_byte_of_the_file),
        cmocka_unit_test(old_files_stay_readable),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(files_that_are_none_are_refused),
        cmocka_unit_test(hostile_contents_do_no_harm),
        cmocka_unit_test(a_failed_save_leaves_the_old_file),
        cmocka_unit_test(tables_that_make_no_predictor_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
