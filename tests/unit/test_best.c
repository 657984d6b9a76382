/* The model best: its roofline, its trees, its intervals and its bytes. */
#include <math.h>
#include <zlib.h>

#include "base/file.h"
#include "base/rng.h"
#include "learn/best.h"
#include "learn/extra_trees.h"
#include "learn/number_table.h"
#include "learn/predictor_file.h"
#include "nnmeter/predictor.h"
#include "unit/testing.h"

#define assert_near(value, expected, tolerance) assert_true(fabs((value) - (expected)) <= (tolerance))

#define ROWS 600
#define COLUMNS 5

static const char *const names[COLUMNS] = {"SIZE", "CHANNELS", "BATCH", "operations", "bytes"};
static const uint8_t work[COLUMNS] = {0, 0, 0, 1, 2};

typedef struct training_rows {
    double x[ROWS * COLUMNS];
    double y[ROWS];
} training_rows;

/* A device of 2e6 operations and 1e5 bytes a millisecond that loses half of the last eighth of channels. */
static double true_latency(const double *x)
{
    double waste = ceil(x[1] / 8) * 8 / x[1];
    return fmax(x[3] * waste / 2e6, x[4] / 1e5) + 0.02;
}

static void make_row(double *x, double size, double channels)
{
    x[0] = size;
    x[1] = channels;
    x[2] = 1; /* constant */
    x[3] = size * size * channels * channels;
    x[4] = 4 * (2 * size * size * channels + channels * channels);
}

static nnm_dataset make_table(training_rows *t, double noise)
{
    nnm_rng rng;
    nnm_rng_init(&rng, 5, 0);
    for (size_t row = 0; row < ROWS; row++) {
        make_row(t->x + row * COLUMNS, (double)(4 + nnm_rng_below(&rng, 60)), (double)(1 + nnm_rng_below(&rng, 256)));
        t->y[row] = true_latency(t->x + row * COLUMNS) * exp(noise * (nnm_rng_uniform(&rng) - 0.5));
    }
    return (nnm_dataset){.x = t->x, .y = t->y, .rows = ROWS, .columns = COLUMNS, .feature_names = names, .work = work};
}

static nnm_predictor *fit(const nnm_dataset *data, nnm_model_kind model, unsigned threads)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_predictor_options options = NNM_PREDICTOR_OPTIONS_INIT;
    options.model = model;
    options.threads = threads;
    nnm_predictor *p = NULL;
    assert_ok(nnm_predictor_fit(&p, "conv-bn-relu", data, &options, &err));
    return p;
}

static double predict(const nnm_predictor *p, const double *x)
{
    nnm_prediction prediction;
    nnm_predictor_predict(p, x, 1, &prediction);
    return prediction.latency_ms;
}

static double share_within(const nnm_predictor *p, const training_rows *t, size_t first)
{
    size_t close = 0;
    for (size_t row = first; row < ROWS; row++)
        close += fabs(predict(p, t->x + row * COLUMNS) - t->y[row]) <= 0.1 * t->y[row];
    return (double)close / (double)(ROWS - first);
}

/* ---- the roofline ---- */

static void a_roofline_finds_the_speeds(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    training_rows t;
    nnm_dataset data = make_table(&t, 0);
    double y[ROWS], shares[NNM_ROOFLINE_MAX_GROUPS];
    for (size_t row = 0; row < ROWS; row++) {
        const double *x = t.x + row * COLUMNS;
        double sum = pow(x[3] / 2e6, 2) + pow(x[4] / 1e5, 2) + pow(0.02, 2);
        y[row] = 0.5 * log(sum);
    }
    nnm_roofline r;
    assert_ok(nnm_roofline_fit(&r, data.x, y, NULL, work, ROWS, COLUMNS, &err));
    assert_int_equal(r.terms, 3);
    assert_int_equal(r.groups, 3);
    assert_near(r.power, 2, 0.1);
    assert_near(exp(r.log_cost[1]) * 2e6, 1, 0.02);
    assert_near(exp(r.log_cost[2]) * 1e5, 1, 0.02);
    assert_near(exp(r.log_cost[0]), 0.02, 0.003);
    for (size_t row = 0; row < ROWS; row++)
        assert_near(nnm_roofline_log_latency(&r, t.x + row * COLUMNS, shares), y[row], 0.06);
    double none[COLUMNS] = {0};
    double idle = nnm_roofline_log_latency(&r, none, shares);
    assert_near(exp(idle), 0.02, 0.003);
    assert_near(shares[0], 0, 0.05);
    assert_true(shares[1] < -1 && shares[2] < -1);
}

static void a_roofline_needs_no_work_and_no_second_row(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const double x[] = {3, 5}, y[] = {log(2.0), log(2.0)};
    double shares[NNM_ROOFLINE_MAX_GROUPS];
    const uint8_t both[] = {1, 7}, many[] = {1, 2, 3, 4, 5, 6, 7, 8};
    nnm_roofline r;
    assert_ok(nnm_roofline_fit(&r, x, y, NULL, NULL, 1, 2, &err));
    assert_near(exp(nnm_roofline_log_latency(&r, x, shares)), 2, 0.01);
    assert_ok(nnm_roofline_fit(&r, x, y, NULL, both, 1, 2, &err));
    assert_int_equal(r.groups, 3); /* groups that nobody is in are left out */
    assert_near(exp(nnm_roofline_log_latency(&r, x, shares)), 2, 0.1);
    const double eight[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    assert_fails(nnm_roofline_fit(&r, eight, y, NULL, many, 1, 8, &err), NNM_ERR_INVALID_ARGUMENT, "7 groups");
}

/* ---- trees ---- */

static void extra_trees_tell_all_rows_apart(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    double x[50 * 2], y[50], answers[9];
    nnm_rng rng;
    nnm_rng_init(&rng, 3, 0);
    for (size_t row = 0; row < 50; row++) {
        x[row * 2] = exp(10 * nnm_rng_uniform(&rng)); /* thresholds from logarithms */
        x[row * 2 + 1] = 4 - 8 * nnm_rng_uniform(&rng);
        y[row] = nnm_pool_round(nnm_rng_uniform(&rng) * 3 - 1.5);
    }
    nnm_tree_pool pool = {.columns = 2, .count = 9};
    pool.trees = calloc(9, sizeof *pool.trees);
    assert_non_null(pool.trees);
    nnm_extra_trees_options options = {.columns_per_split = 2, .seed = 1, .threads = 2};
    assert_ok(nnm_extra_trees_grow(pool.trees, 9, x, y, NULL, 50, 2, &options, &err));
    for (size_t row = 0; row < 50; row++) {
        nnm_tree_pool_answers(&pool, 0, 9, x + row * 2, answers);
        for (size_t t = 0; t < 9; t++)
            assert_true(answers[t] == y[row]);
    }
    assert_int_equal(pool.trees[0].count, 99);
    nnm_tree_pool_fini(&pool);
}

static void leaves_are_weighted_means(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const double x[] = {2, 1, 1}, y[] = {7, 1, 3}, weight[] = {0, 3, 1};
    nnm_pool_tree tree = {0};
    nnm_extra_trees_options options = {.columns_per_split = 1, .threads = 1};
    assert_ok(nnm_extra_trees_grow(&tree, 1, x, y, weight, 3, 1, &options, &err));
    assert_int_equal(tree.count, 1);
    assert_true(tree.nodes[0].value == 1.5);
    free(tree.nodes);
}

static void the_middle_is_taken_of_sorted_answers(void **state)
{
    (void)state;
    double answers[100], spread;
    for (size_t i = 0; i < 100; i++)
        answers[i] = (double)((i * 37) % 100) / 16;
    assert_true(nnm_best_middle(answers, 100, &spread) == 44.5 / 16); /* 30..59 */
    assert_true(spread == 80.0 / 16);
    for (size_t i = 0; i < 100; i++)
        answers[i] = nnm_pool_round(i % 2 ? 100 : -100); /* the ends: 8 less a step, and -8 */
    assert_true(nnm_best_middle(answers, 100, &spread) == (20 * -8.0 + 10 * (8 - 1.0 / NNM_POOL_STEP)) / 30);
    assert_true(spread == 16 - 1.0 / NNM_POOL_STEP);
    double one = 3;
    assert_true(nnm_best_middle(&one, 1, &spread) == 3 && spread == 0);
}

/* ---- the whole ---- */

static void it_needs_fewer_rows_than_a_forest(void **state)
{
    (void)state;
    training_rows t;
    nnm_dataset data = make_table(&t, 0.05);
    data.rows = 100;
    nnm_predictor *best = fit(&data, NNM_MODEL_BEST, 2), *forest = fit(&data, NNM_MODEL_RANDOM_FOREST, 2);
    assert_string_equal(nnm_predictor_model(best), "best");
    assert_true(share_within(best, &t, 100) > 0.8);
    assert_true(share_within(best, &t, 100) > share_within(forest, &t, 100) + 0.15);
    nnm_predictor_free(best);
    nnm_predictor_free(forest);
}

static void what_is_larger_than_all_seen_takes_longer(void **state)
{
    (void)state;
    training_rows t;
    nnm_dataset data = make_table(&t, 0.05);
    nnm_predictor *p = fit(&data, NNM_MODEL_BEST, 2);
    double x[COLUMNS], before = 0;
    for (double factor = 1; factor <= 64; factor *= 2) {
        make_row(x, 63 * factor, 256 * factor);
        double latency = predict(p, x);
        assert_true(latency > before * 2);
        assert_near(latency / true_latency(x), 1, 0.4);
        before = latency;
    }
    nnm_predictor_free(p);
}

static void intervals_hold_nine_of_ten_and_widen(void **state)
{
    (void)state;
    training_rows t;
    nnm_dataset data = make_table(&t, 0.3);
    data.rows = 300;
    nnm_predictor *p = fit(&data, NNM_MODEL_BEST, 2);
    nnm_prediction predictions[ROWS - 300], near, far;
    nnm_predictor_predict(p, t.x + 300 * COLUMNS, ROWS - 300, predictions);
    size_t inside = 0;
    for (size_t i = 0; i < ROWS - 300; i++) {
        assert_true(predictions[i].lower_ms <= predictions[i].latency_ms);
        assert_true(predictions[i].latency_ms <= predictions[i].upper_ms);
        inside += t.y[300 + i] >= predictions[i].lower_ms && t.y[300 + i] <= predictions[i].upper_ms;
    }
    assert_in_range(inside, 255, 290);

    double x[COLUMNS];
    make_row(x, 63, 256);
    nnm_predictor_predict(p, x, 1, &near);
    make_row(x, 63 * 16, 256);
    nnm_predictor_predict(p, x, 1, &far);
    assert_true(far.extrapolated);
    assert_int_equal(far.extrapolated_feature, 0);
    assert_true(far.upper_ms / far.lower_ms > 2 * near.upper_ms / near.lower_ms);
    nnm_predictor_free(p);
}

static void few_rows_and_odd_columns_are_enough(void **state)
{
    (void)state;
    training_rows t;
    nnm_dataset data = make_table(&t, 0.05);
    const size_t counts[] = {1, 2, 5, 19, 20};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        data.rows = counts[i];
        nnm_predictor *p = fit(&data, NNM_MODEL_BEST, 1);
        nnm_prediction prediction;
        nnm_predictor_predict(p, t.x, 1, &prediction);
        assert_near(prediction.latency_ms / t.y[0], 1, 0.3);
        assert_true(isnan(prediction.lower_ms) == (counts[i] < 20));
        nnm_predictor_free(p);
    }
    for (size_t row = 0; row < ROWS; row++) /* nothing varies but the latency, and that by little */
        memcpy(t.x + row * COLUMNS, t.x, COLUMNS * sizeof *t.x);
    for (size_t row = 0; row < ROWS; row++)
        t.y[row] = row % 2 ? 2.0 : 2.02;
    data.rows = 50;
    data.work = NULL;
    nnm_predictor *p = fit(&data, NNM_MODEL_BEST, 1);
    assert_near(predict(p, t.x), 2.01, 0.02);
    nnm_predictor_free(p);
}

static void rows_of_weight_zero_do_not_count(void **state)
{
    (void)state;
    training_rows t;
    nnm_dataset data = make_table(&t, 0.05);
    double weight[ROWS];
    for (size_t row = 0; row < ROWS; row++)
        weight[row] = row < 60;
    for (size_t row = 60; row < ROWS; row++)
        t.y[row] = 1e6;
    data.weight = weight;
    nnm_predictor *weighted = fit(&data, NNM_MODEL_BEST, 1);
    data.rows = 60;
    nnm_predictor *plain = fit(&data, NNM_MODEL_BEST, 1);
    for (size_t row = 0; row < ROWS; row++)
        assert_true(predict(weighted, t.x + row * COLUMNS) == predict(plain, t.x + row * COLUMNS));
    nnm_predictor_free(weighted);
    nnm_predictor_free(plain);
}

static void predictions_are_positive_whatever_is_asked(void **state)
{
    (void)state;
    training_rows t;
    nnm_dataset data = make_table(&t, 0.05);
    data.rows = 40;
    nnm_predictor *p = fit(&data, NNM_MODEL_BEST, 1);
    const double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 0, -5, 1e308, 1e-308};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        double x[COLUMNS];
        nnm_prediction prediction;
        for (size_t c = 0; c < COLUMNS; c++)
            x[c] = odd[i];
        nnm_predictor_predict(p, x, 1, &prediction);
        assert_true(prediction.latency_ms > 0 && isfinite(prediction.latency_ms));
    }
    nnm_predictor_free(p);
}

static void tables_that_make_no_predictor_are_refused(void **state)
{
    (void)state;
    nnm_error err;
    training_rows t;
    nnm_dataset data = make_table(&t, 0);
    nnm_predictor *p = NULL;
    double weight[ROWS] = {0};
    data.weight = weight;
    assert_fails(nnm_predictor_fit(&p, "k", &data, NULL, &err), NNM_ERR_VALUE, "none of the 600 rows has a weight");
    weight[3] = -1;
    assert_fails(nnm_predictor_fit(&p, "k", &data, NULL, &err), NNM_ERR_VALUE, "row 4: the weight -1");
    data.weight = NULL;
    t.x[7] = (double)NAN;
    assert_fails(nnm_predictor_fit(&p, "k", &data, NULL, &err), NNM_ERR_VALUE, "row 2, column 3: nan");
    data.rows = 0;
    assert_fails(nnm_predictor_fit(&p, "k", &data, NULL, &err), NNM_ERR_INVALID_ARGUMENT, "at least one row");
    assert_null(p);
}

/* ---- files ---- */

static nnm_buffer bytes_of(const nnm_predictor *p)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_buffer bytes = {0};
    assert_ok(nnm_predictor_put(p, &bytes, &err));
    return bytes;
}

static void threads_change_no_byte_and_files_keep_all(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    training_rows t;
    nnm_dataset data = make_table(&t, 0.05);
    data.rows = 150;
    nnm_predictor *one = fit(&data, NNM_MODEL_BEST, 1), *three = fit(&data, NNM_MODEL_BEST, 3), *loaded = NULL;
    nnm_buffer a = bytes_of(one), b = bytes_of(three);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    assert_ok(nnm_predictor_parse(&loaded, a.data, a.size, "a", &err));
    assert_string_equal(nnm_predictor_model(loaded), "best");
    nnm_prediction before[ROWS] = {0}, after[ROWS] = {0};
    nnm_predictor_predict(one, t.x, ROWS, before);
    nnm_predictor_predict(loaded, t.x, ROWS, after);
    for (size_t row = 0; row < ROWS; row++) {
        assert_true(before[row].latency_ms == after[row].latency_ms);
        assert_true(before[row].lower_ms == after[row].lower_ms && before[row].upper_ms == after[row].upper_ms);
    }
    nnm_buffer again = bytes_of(loaded);
    assert_int_equal(again.size, a.size);
    assert_memory_equal(again.data, a.data, a.size);
    nnm_buffer_fini(&a);
    nnm_buffer_fini(&b);
    nnm_buffer_fini(&again);
    nnm_predictor_free(one);
    nnm_predictor_free(three);
    nnm_predictor_free(loaded);
}

/* What a listener heard, and when it asks to stop. */
typedef struct heard {
    size_t times, last, of, stop_at;
} heard;

static bool hear(void *context, size_t grown, size_t of)
{
    heard *h = context;
    assert_true(grown > h->last && grown <= of);
    assert_true(h->of == 0 || h->of == of);
    *h = (heard){h->times + 1, grown, of, h->stop_at};
    return h->stop_at && grown >= h->stop_at;
}

static void a_listener_hears_every_tree_and_may_stop(void **state)
{
    (void)state;
    static const nnm_model_kind kinds[] = {NNM_MODEL_BEST, NNM_MODEL_RANDOM_FOREST};
    static const size_t trees[] = {5 * 100 + 200, 30};
    nnm_error err = NNM_ERROR_INIT;
    training_rows t;
    nnm_dataset data = make_table(&t, 0.1);
    for (size_t i = 0; i < 2; i++) {
        heard h = {0};
        nnm_fit_listener listener = {hear, &h};
        nnm_predictor_options options = NNM_PREDICTOR_OPTIONS_INIT;
        options.model = kinds[i];
        options.forest.trees = 30;
        options.threads = 1;
        options.listener = &listener;
        nnm_predictor *p = NULL;
        assert_ok(nnm_predictor_fit(&p, "conv-bn-relu", &data, &options, &err));
        assert_int_equal(h.times, trees[i]);
        assert_int_equal(h.last, trees[i]);
        assert_int_equal(h.of, trees[i]);
        nnm_predictor_free(p);

        h = (heard){.stop_at = trees[i] / 2};
        p = NULL;
        assert_fails(nnm_predictor_fit(&p, "conv-bn-relu", &data, &options, &err), NNM_ERR_INTERRUPTED, "interrupted");
        assert_null(p);
        assert_int_equal(h.last, h.stop_at);
    }
}

/* Of more rows than a tree sees, each tree sees some; of more than NNM_BEST_MAX_ROWS, some are left out. Few rows
 * differ, so that trees of so many are grown soon. */
static void many_rows_are_learned_from_in_parts(void **state)
{
    (void)state;
    static const size_t counts[] = {26000, NNM_BEST_MAX_ROWS + 5000};
    for (size_t c = 0; c < 2; c++) {
        size_t rows = counts[c];
        double *x = test_calloc(rows * COLUMNS, sizeof *x), *y = test_calloc(rows, sizeof *y);
        for (size_t i = 0; i < rows; i++) { /* sorted, as a table may be */
            make_row(x + i * COLUMNS, (double)(4 + 3 * (i * 4 / rows)), (double)(8 + 8 * (i % 2)));
            y[i] = true_latency(x + i * COLUMNS);
        }
        nnm_dataset data = {.x = x, .y = y, .rows = rows, .columns = COLUMNS, .feature_names = names, .work = work};
        nnm_predictor *p = fit(&data, NNM_MODEL_BEST, 2);
        for (size_t i = 0; i < rows; i += rows / 100 + 1)
            assert_near(predict(p, x + i * COLUMNS) / y[i], 1, 0.02);
        assert_int_equal(nnm_predictor_summary(p)->rows, rows);
        if (c == 0) {
            nnm_predictor *alone = fit(&data, NNM_MODEL_BEST, 1);
            nnm_buffer bytes = bytes_of(p), again = bytes_of(alone);
            assert_int_equal(bytes.size, again.size);
            assert_memory_equal(bytes.data, again.data, bytes.size);
            nnm_buffer_fini(&bytes);
            nnm_buffer_fini(&again);
            nnm_predictor_free(alone);
        }
        nnm_predictor_free(p);
        test_free(x);
        test_free(y);
    }
}

static void put_u32(char *at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        at[i] = (char)(unsigned char)(value >> (8 * i));
}

/* Makes size and checksums right again. */
static void seal(char *bytes, size_t size)
{
    put_u32(bytes + 16, (uint32_t)(size - 32));
    put_u32(bytes + 24, (uint32_t)crc32_z(0, (const unsigned char *)bytes + 32, size - 32));
    put_u32(bytes + 28, (uint32_t)crc32_z(0, (const unsigned char *)bytes, 28));
}

/* A copy that ends where the bytes end, for the sanitizer. True when they were taken for a predictor. */
static bool try_bytes(const nnm_buffer *bytes, size_t size)
{
    nnm_error err = NNM_ERROR_INIT;
    char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, bytes->data, size);
    seal(copy, size);
    nnm_predictor *p = NULL;
    nnm_status status = nnm_predictor_parse(&p, copy, size, "copy", &err);
    free(copy);
    assert_true(status == NNM_OK || status == NNM_ERR_PARSE || status == NNM_ERR_UNSUPPORTED);
    if (status) return false;
    size_t columns = nnm_predictor_feature_count(p);
    double *x = calloc(columns, sizeof *x);
    assert_non_null(x);
    for (double value = 0.5; value < 1e9; value *= 40) {
        for (size_t i = 0; i < columns; i++)
            x[i] = value;
        assert_true(predict(p, x) > 0 && isfinite(predict(p, x)));
    }
    free(x);
    nnm_predictor_free(p);
    return true;
}

static void hostile_contents_do_no_harm(void **state)
{
    (void)state;
    training_rows t;
    nnm_dataset data = make_table(&t, 0.05);
    data.rows = 3; /* small trees: each byte is changed */
    nnm_predictor *p = fit(&data, NNM_MODEL_BEST, 1);
    nnm_buffer bytes = bytes_of(p);
    size_t taken = 0, refused = 0;
    for (size_t i = 32; i < bytes.size; i++) {
        char kept = bytes.data[i];
        const char values[] = {0, 0x7F, -1, (char)(kept + 1), (char)(kept ^ 0x20), (char)(kept ^ 0x40)};
        for (size_t v = 0; v < sizeof values; v++) {
            bytes.data[i] = values[v];
            bool loaded = try_bytes(&bytes, bytes.size);
            taken += loaded;
            refused += !loaded;
        }
        bytes.data[i] = kept;
    }
    assert_true(taken > 0 && refused > 0);
    for (size_t size = 33; size < bytes.size; size++)
        assert_false(try_bytes(&bytes, size));
    nnm_buffer_fini(&bytes);
    nnm_predictor_free(p);
}

/* A model of one term, one column and one tree that is a leaf, from numbers that may be wrong. */
typedef struct parts {
    uint32_t terms, column, seen, trees, nodes;
    uint8_t group;
    double cost, power, floor, lower, upper;
    const char *tail;
} parts;
static const parts good = {2, 0, 0, 1, 1, 1, -3, 1, 0.1, -1, 1, ""};

static nnm_status read_parts(parts p, nnm_error *err)
{
    nnm_buffer bytes = {0};
    nnm_put_u32(&bytes, p.terms);
    for (uint32_t i = 0; i < 2; i++) {
        nnm_put_u8(&bytes, i ? p.group : 0);
        nnm_put_u32(&bytes, i ? p.column : 0);
        nnm_put_f64(&bytes, p.cost);
    }
    nnm_put_f64(&bytes, p.power);
    nnm_put_u32(&bytes, 1);
    nnm_put_u32(&bytes, p.seen);
    nnm_put_f64(&bytes, p.floor);
    nnm_put_f64(&bytes, p.lower);
    nnm_put_f64(&bytes, p.upper);
    nnm_put_u32(&bytes, p.trees);
    for (size_t i = 0; i < 4; i++) /* no thresholds of the column, the roofline and its two shares */
        nnm_put_u32(&bytes, 0);
    nnm_put_u32(&bytes, p.nodes);
    nnm_bit_writer bits = {.out = &bytes};
    nnm_put_bits(&bits, 1 | (32768 + 4096) << 1, 17);
    nnm_flush_bits(&bits);
    nnm_buffer_text(&bytes, p.tail);
    nnm_reader in = {.at = (unsigned char *)bytes.data, .end = (unsigned char *)bytes.data + bytes.size};
    nnm_best *best = NULL;
    nnm_status status = nnm_best_get(&best, &in, 1, err);
    if (!status) {
        const double x[] = {7};
        assert_near(nnm_best_predict(best, x).log_latency, -3 + log(8.0) + 1, 1e-9);
        assert_near(nnm_best_predict(best, x).width, 0.1, 1e-12);
    }
    nnm_best_free(best);
    nnm_buffer_fini(&bytes);
    return status;
}

static void assert_refused(parts p, const char *text)
{
    nnm_error err;
    assert_fails(read_parts(p, &err), NNM_ERR_PARSE, text);
}

static void models_that_are_none_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const double nan = (double)NAN;
    parts p = good;
    assert_ok(read_parts(p, &err));
    p.lower = p.upper = nan;
    assert_ok(read_parts(p, &err));
#define WITH(field, value, text) \
    do {                         \
        p = good;                \
        p.field = (value);       \
        assert_refused(p, text); \
    } while (0)
    WITH(terms, 0, "0 terms of a roofline");
    WITH(terms, 33, "33 terms of a roofline");
    WITH(group, 0, "term 2 of the roofline");
    WITH(group, 2, "term 2 of the roofline");
    WITH(column, 1, "term 2 of the roofline");
    WITH(cost, nan, "term 1 of the roofline");
    WITH(cost, 501, "term 1 of the roofline");
    WITH(power, 0, "the power 0");
    WITH(power, nan, "the power");
    WITH(seen, 1, "column 1 of the trees");
    WITH(floor, 0, "the interval");
    WITH(lower, 0.5, "the interval");
    WITH(upper, -0.5, "the interval");
    WITH(upper, nan, "the interval");
    WITH(trees, 0, "0 trees");
    WITH(trees, 4097, "4097 trees");
    WITH(nodes, 0, "0 nodes do not fit");
    WITH(nodes, 2, "tree 1 of 1 is not valid");
    WITH(nodes, 400, "400 nodes do not fit");
    WITH(tail, "x", "follow the last tree");
#undef WITH
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_roofline_finds_the_speeds),
        cmocka_unit_test(a_roofline_needs_no_work_and_no_second_row),
        cmocka_unit_test(extra_trees_tell_all_rows_apart),
        cmocka_unit_test(leaves_are_weighted_means),
        cmocka_unit_test(the_middle_is_taken_of_sorted_answers),
        cmocka_unit_test(it_needs_fewer_rows_than_a_forest),
        cmocka_unit_test(what_is_larger_than_all_seen_takes_longer),
        cmocka_unit_test(intervals_hold_nine_of_ten_and_widen),
        cmocka_unit_test(few_rows_and_odd_columns_are_enough),
        cmocka_unit_test(rows_of_weight_zero_do_not_count),
        cmocka_unit_test(predictions_are_positive_whatever_is_asked),
        cmocka_unit_test(tables_that_make_no_predictor_are_refused),
        cmocka_unit_test(threads_change_no_byte_and_files_keep_all),
        cmocka_unit_test(a_listener_hears_every_tree_and_may_stop),
        cmocka_unit_test(many_rows_are_learned_from_in_parts),
        cmocka_unit_test(hostile_contents_do_no_harm),
        cmocka_unit_test(models_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
