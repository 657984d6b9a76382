#include "nnmeter/predictor.h"

#include <math.h>
#include <zlib.h>

#include "base/file.h"
#include "base/rng.h"
#include "learn/forest_file.h"
#include "learn/number_table.h"
#include "learn/predictor_file.h"
#include "unit/testing.h"

#define assert_near(value, expected, tolerance) assert_true(fabs((value) - (expected)) <= (tolerance))

#define ROWS 300
#define COLUMNS 3

static const char *const names[COLUMNS] = {"HW", "CIN", "COUT"};

typedef struct training_rows {
    double x[ROWS * COLUMNS];
    double y[ROWS];
} training_rows;

static nnm_dataset make_table(training_rows *t)
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

static nnm_predictor_options options_of(size_t trees)
{
    nnm_predictor_options options = NNM_PREDICTOR_OPTIONS_INIT;
    options.model = NNM_MODEL_RANDOM_FOREST;
    options.forest.trees = trees;
    options.threads = 1;
    return options;
}

static nnm_predictor *fit(const nnm_dataset *data, size_t trees)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_predictor_options options = options_of(trees);
    nnm_predictor *predictor = NULL;
    assert_ok(nnm_predictor_fit(&predictor, "conv-bn-relu", data, &options, &err));
    return predictor;
}

typedef struct file_bytes {
    char *data;
    size_t size;
} file_bytes;

static file_bytes read_bytes(const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    file_bytes b;
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
    file_bytes file;
    training_rows t;
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
static void seal(file_bytes *file)
{
    put_u32(file->data + 16, (uint32_t)(file->size - 32));
    put_u32(file->data + 24, (uint32_t)crc32_z(0, (const unsigned char *)file->data + 32, file->size - 32));
    put_u32(file->data + 28, (uint32_t)crc32_z(0, (const unsigned char *)file->data, 28));
}

static void a_predictor_tells_what_it_learned(void **state)
{
    (void)state;
    training_rows t;
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

static void far_outside_the_training_rows_is_told(void **state)
{
    (void)state;
    training_rows t;
    nnm_dataset data = make_table(&t);
    nnm_predictor *p = fit(&data, 5);
    nnm_prediction prediction;
    const double within[] = {7, 20, 512}, near[] = {4, 1000, 900}, far[] = {56, 1025, 2000}, below[] = {3, 20, 20};
    nnm_predictor_predict(p, within, 1, &prediction);
    assert_false(prediction.extrapolated);
    nnm_predictor_predict(p, near, 1, &prediction);
    assert_false(prediction.extrapolated);
    nnm_predictor_predict(p, far, 1, &prediction);
    assert_true(prediction.extrapolated);
    assert_int_equal(prediction.extrapolated_feature, 1);
    double low, high;
    char text[200], expected[200];
    nnm_predictor_feature_range(p, 1, &low, &high);
    snprintf(expected, sizeof expected, "%s is 1025, trained on %g to %g", nnm_predictor_feature_name(p, 1), low, high);
    assert_string_equal(nnm_prediction_explain(p, &prediction, text, sizeof text), expected);
    nnm_predictor_predict(p, below, 1, &prediction);
    assert_true(prediction.extrapolated);
    assert_int_equal(prediction.extrapolated_feature, 0);
    nnm_predictor_predict(p, near, 1, &prediction);
    assert_string_equal(nnm_prediction_explain(p, &prediction, text, sizeof text), "");
    nnm_predictor_free(p);
}

static void model_kinds_are_found_by_name(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_model_kind kind = NNM_MODEL_BEST;
    assert_ok(nnm_model_kind_find(&kind, "random_forest", &err));
    assert_int_equal(kind, NNM_MODEL_RANDOM_FOREST);
    assert_ok(nnm_model_kind_find(&kind, "best", &err));
    assert_int_equal(kind, NNM_MODEL_BEST);
    assert_string_equal(nnm_model_kind_name(kind), "best");
    assert_fails(nnm_model_kind_find(&kind, "worst", &err), NNM_ERR_VALUE, "allowed are random_forest and best");
}

static void intervals_hold_nine_of_ten(void **state)
{
    (void)state;
    training_rows t;
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
    file_bytes first = read_bytes(f.path), second = read_bytes(again);
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
        nnm_predictor_options options = options_of(25);
        options.threads = threads;
        nnm_predictor *p = NULL;
        assert_ok(nnm_predictor_fit(&p, "conv-bn-relu", &data, &options, &err));
        assert_ok(nnm_predictor_save(p, f.path, &err));
        file_bytes file = read_bytes(f.path);
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
                 "format version 7, this program reads versions 1 to 2");
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

/* What loads from bytes that nobody wrote must predict, and be the same after it was written and read. */
static void assert_harmless(const nnm_predictor *p, const fixture *f)
{
    nnm_error err = NNM_ERROR_INIT;
    size_t columns = nnm_predictor_feature_count(p);
    double *x = calloc(columns, sizeof *x); /* no longer than needed, for the sanitizer */
    assert_non_null(x);
    nnm_buffer written = {0};
    nnm_predictor *again = NULL;
    assert_ok(nnm_predictor_put(p, &written, &err));
    assert_ok(load_bytes(&again, f, written.data, written.size, &err));
    for (double value = 1; value < 1000; value *= 1.5) {
        nnm_prediction a, b;
        for (size_t i = 0; i < columns; i++)
            x[i] = value;
        nnm_predictor_predict(p, x, 1, &a);
        nnm_predictor_predict(again, x, 1, &b);
        assert_true(isfinite(a.latency_ms) && a.latency_ms > 0);
        assert_true(a.latency_ms == b.latency_ms);
    }
    nnm_buffer_fini(&written);
    nnm_predictor_free(again);
    free(x);
}

/* With right checksums, every byte is changed in many ways. */
static void hostile_contents_do_no_harm(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    fixture f;
    setup(&f, 12, 2);
    size_t loaded = 0;
    for (size_t i = 32; i < f.file.size; i++) {
        unsigned char kept = (unsigned char)f.file.data[i];
        const unsigned char values[] = {0,        0x7F,     0xFF,      kept + 1,  kept - 1,  kept + 2,  kept ^ 1,
                                        kept ^ 4, kept ^ 8, kept ^ 16, kept ^ 32, kept ^ 64, kept ^ 128};
        for (size_t v = 0; v < sizeof values; v++) {
            f.file.data[i] = (char)values[v];
            seal(&f.file);
            nnm_predictor *p = NULL;
            nnm_status status = load_bytes(&p, &f, f.file.data, f.file.size, &err);
            assert_true(status == NNM_OK || status == NNM_ERR_PARSE || status == NNM_ERR_UNSUPPORTED);
            if (status) continue;
            loaded++;
            assert_harmless(p, &f);
            nnm_predictor_free(p);
        }
        f.file.data[i] = (char)kept;
    }
    assert_true(loaded > 0);
    for (size_t size = 32; size < f.file.size; size++) {
        file_bytes shorter = {f.file.data, size};
        seal(&shorter);
        nnm_predictor *p = NULL;
        nnm_status status = load_bytes(&p, &f, f.file.data, size, &err);
        assert_int_equal(status, NNM_ERR_PARSE);
    }
    teardown(&f);
}

static void tables_of_numbers_keep_every_bit(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const double numbers[] = {-1.7976931348623157e308, -1.5, -5e-324, 0, 5e-324, 0.1, 0.5, 3, 1e9 + 0.5,
                              1.7976931348623157e308};
    const size_t count = sizeof numbers / sizeof *numbers;
    for (size_t first = 0; first < count; first++) {
        for (size_t end = first; end <= count; end++) {
            nnm_number_table table = {0}, read = {0};
            nnm_buffer bytes = {0};
            for (size_t i = end; i > first; i--) {
                assert_ok(nnm_number_table_add(&table, numbers[i - 1], &err));
                assert_ok(nnm_number_table_add(&table, numbers[i - 1], &err));
            }
            nnm_number_table_sort(&table);
            nnm_number_table_put(&table, &bytes);
            nnm_reader in = {.at = (unsigned char *)bytes.data, .end = (unsigned char *)bytes.data + bytes.size};
            assert_ok(nnm_number_table_get(&read, &in, &err));
            assert_ptr_equal(in.at, in.end);
            assert_int_equal(read.count, end - first);
            for (size_t i = 0; i < read.count; i++) {
                assert_true(nnm_number_table_at(&read, i) == numbers[first + i]);
                assert_int_equal(nnm_number_table_find(&read, numbers[first + i]), i);
            }
            nnm_number_table_fini(&table);
            nnm_number_table_fini(&read);
            nnm_buffer_fini(&bytes);
        }
    }
}

static void assert_no_table(uint8_t shift, const uint64_t *steps, size_t count, const char *text)
{
    nnm_error err;
    nnm_number_table table = {0};
    nnm_buffer bytes = {0};
    nnm_put_u32(&bytes, (uint32_t)count);
    nnm_put_u8(&bytes, shift);
    for (size_t i = 0; i < count; i++)
        nnm_put_varint(&bytes, steps[i]);
    nnm_reader in = {.at = (unsigned char *)bytes.data, .end = (unsigned char *)bytes.data + bytes.size};
    assert_fails(nnm_number_table_get(&table, &in, &err), NNM_ERR_PARSE, text);
    assert_null(table.keys);
    nnm_buffer_fini(&bytes);
}

static void tables_of_numbers_that_are_none_are_refused(void **state)
{
    (void)state;
    const uint64_t infinity = UINT64_C(0xFFF0000000000000), least = UINT64_C(0x0010000000000000);
    assert_no_table(0, (uint64_t[]){infinity}, 1, "number 1 of a table of 1");
    assert_no_table(0, (uint64_t[]){infinity - 1, 5}, 2, "number 2 of a table of 2");
    assert_no_table(0, (uint64_t[]){least}, 1, "number 1");
    assert_no_table(0, (uint64_t[]){0}, 1, "number 1");
    assert_no_table(0, (uint64_t[]){infinity - 9, 0}, 2, "number 2");
    assert_no_table(0, (uint64_t[]){infinity - 9, UINT64_MAX}, 2, "number 2");
    assert_no_table(60, (uint64_t[]){9, 8}, 2, "number 2");
    assert_no_table(64, (uint64_t[]){1}, 1, "the shift 64");

    nnm_error err;
    nnm_number_table table = {0};
    const unsigned char endless[] = {1, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2},
                        many[] = {9, 0, 0, 0, 0};
    nnm_reader in = {.at = endless, .end = endless + sizeof endless};
    assert_fails(nnm_number_table_get(&table, &in, &err), NNM_ERR_PARSE, "number 1");
    in = (nnm_reader){.at = many, .end = many + sizeof many};
    assert_fails(nnm_number_table_get(&table, &in, &err), NNM_ERR_PARSE, "9 numbers does not fit");
}

/* One tree with a split and two leaves, from parts that the caller may make wrong. */
static nnm_status read_stump(uint32_t nodes, uint32_t feature, const char *tail, nnm_error *err)
{
    nnm_buffer written = {0};
    nnm_number_table numbers = {0};
    assert_int_equal(nnm_number_table_add(&numbers, 1, err), NNM_OK);
    assert_int_equal(nnm_number_table_add(&numbers, 2, err), NNM_OK);
    nnm_number_table_sort(&numbers);
    nnm_put_u32(&written, 1);
    for (size_t i = 0; i < 4; i++) /* three features and the leaves */
        nnm_number_table_put(&numbers, &written);
    nnm_put_u32(&written, nodes);
    nnm_bit_writer bits = {.out = &written};
    nnm_put_bits(&bits, 0 | feature << 1 | 1 << 3, 4); /* split at the second number */
    nnm_put_bits(&bits, 1 | 0 << 1, 2);                /* leaf of the first */
    nnm_put_bits(&bits, 1 | 1 << 1, 2);                /* leaf of the second */
    nnm_flush_bits(&bits);
    nnm_buffer_text(&written, tail);

    nnm_forest *forest = NULL;
    nnm_reader in = {.at = (unsigned char *)written.data, .end = (unsigned char *)written.data + written.size};
    nnm_status status = nnm_forest_get(&forest, &in, 3, err);
    if (!status) {
        const double x[] = {0, 0, 0, 5, 5, 5};
        double predicted[2];
        nnm_forest_predict(forest, x, 2, predicted);
        assert_true(predicted[0] == 1 && predicted[1] == 2);
    }
    nnm_forest_free(forest);
    nnm_number_table_fini(&numbers);
    nnm_buffer_fini(&written);
    return status;
}

static void trees_that_are_none_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(read_stump(3, 0, "", &err));
    assert_ok(read_stump(3, 2, "", &err));
    assert_fails(read_stump(3, 3, "", &err), NNM_ERR_PARSE, "tree 1 of 1 is not valid");
    assert_fails(read_stump(0, 0, "", &err), NNM_ERR_PARSE, "tree 1: 0 nodes do not fit");
    assert_fails(read_stump(2, 0, "", &err), NNM_ERR_PARSE, "tree 1 of 1 is not valid");
    assert_fails(read_stump(4, 0, "", &err), NNM_ERR_PARSE, "tree 1 of 1 is not valid");
    assert_fails(read_stump(17, 0, "", &err), NNM_ERR_PARSE, "tree 1: 17 nodes do not fit");
    assert_fails(read_stump(3, 0, "x", &err), NNM_ERR_PARSE, "1 bytes follow the last tree");
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
    file_bytes file = read_bytes(f.path);
    assert_int_equal(file.size, f.file.size);
    free(file.data);
    teardown(&f);
}

static void tables_that_make_no_predictor_are_refused(void **state)
{
    (void)state;
    nnm_error err;
    nnm_predictor *p = NULL;
    nnm_predictor_options options = options_of(5);
    training_rows t;
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
        cmocka_unit_test(far_outside_the_training_rows_is_told),
        cmocka_unit_test(model_kinds_are_found_by_name),
        cmocka_unit_test(intervals_hold_nine_of_ten),
        cmocka_unit_test(what_is_saved_is_loaded),
        cmocka_unit_test(threads_change_no_byte_of_the_file),
        cmocka_unit_test(old_files_stay_readable),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(files_that_are_none_are_refused),
        cmocka_unit_test(hostile_contents_do_no_harm),
        cmocka_unit_test(tables_of_numbers_keep_every_bit),
        cmocka_unit_test(tables_of_numbers_that_are_none_are_refused),
        cmocka_unit_test(trees_that_are_none_are_refused),
        cmocka_unit_test(a_failed_save_leaves_the_old_file),
        cmocka_unit_test(tables_that_make_no_predictor_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
