#include "nnmeter/forest.h"

#include <math.h>

#include "base/rng.h"
#include "unit/testing.h"

#define assert_near(value, expected, tolerance) assert_true(fabs((value) - (expected)) <= (tolerance))

#define ROWS 400
#define COLUMNS 5

/* A table with what latency tables have: few and many distinct values, a constant column, targets over decades. */
typedef struct table {
    double x[ROWS * COLUMNS];
    double y[ROWS];
} table;

static void make_table(table *t, uint64_t seed)
{
    static const double sizes[] = {7, 14, 28, 56, 112};
    nnm_rng rng;
    nnm_rng_init(&rng, seed, 0);
    for (size_t row = 0; row < ROWS; row++) {
        double *x = t->x + row * COLUMNS;
        x[0] = sizes[nnm_rng_below(&rng, 5)];
        x[1] = (double)(1 + nnm_rng_below(&rng, 512));
        x[2] = (double)(1 + nnm_rng_below(&rng, 512));
        x[3] = 3;
        x[4] = x[0] * x[0] * x[1] * x[2];
        t->y[row] = 0.01 + x[4] * 1e-7 * (0.95 + 0.1 * nnm_rng_uniform(&rng));
    }
}

static nnm_forest_options small_options(void)
{
    nnm_forest_options options = NNM_FOREST_OPTIONS_INIT;
    options.trees = 20;
    options.threads = 1;
    return options;
}

static nnm_forest_options one_full_tree(void)
{
    nnm_forest_options options = small_options();
    options.trees = 1;
    options.bootstrap = false;
    options.max_depth = 0;
    return options;
}

static nnm_forest *fit(const double *x, const double *y, const double *weight, size_t rows, size_t columns,
                       const nnm_forest_options *options)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_forest *forest = NULL;
    assert_ok(nnm_forest_fit(&forest, x, y, weight, rows, columns, options, &err));
    assert_int_equal(nnm_forest_columns(forest), columns);
    assert_int_equal(nnm_forest_tree_count(forest), options->trees);
    return forest;
}

static void assert_same_predictions(const nnm_forest *a, const nnm_forest *b, const double *x, size_t rows)
{
    double from_a[ROWS], from_b[ROWS];
    nnm_forest_predict(a, x, rows, from_a);
    nnm_forest_predict(b, x, rows, from_b);
    assert_memory_equal(from_a, from_b, rows * sizeof *from_a);
}

static void threads_and_repeats_change_no_bit(void **state)
{
    (void)state;
    table t;
    make_table(&t, 1);
    nnm_forest_options options = small_options();
    nnm_forest *first = fit(t.x, t.y, NULL, ROWS, COLUMNS, &options);
    for (unsigned threads = 0; threads <= 3; threads++) {
        options.threads = threads;
        nnm_forest *again = fit(t.x, t.y, NULL, ROWS, COLUMNS, &options);
        assert_int_equal(nnm_forest_node_count(again), nnm_forest_node_count(first));
        assert_same_predictions(first, again, t.x, ROWS);
        assert_memory_equal(nnm_forest_oob_prediction(first), nnm_forest_oob_prediction(again), ROWS * sizeof(double));
        assert_true(nnm_forest_oob_score(first) == nnm_forest_oob_score(again));
        nnm_forest_free(again);
    }
    options.seed++;
    nnm_forest *other = fit(t.x, t.y, NULL, ROWS, COLUMNS, &options);
    assert_true(nnm_forest_oob_score(first) != nnm_forest_oob_score(other));
    nnm_forest_free(other);
    nnm_forest_free(first);
}

static void one_row_and_many_rows_are_predicted_alike(void **state)
{
    (void)state;
    table t;
    make_table(&t, 2);
    nnm_forest_options options = small_options();
    nnm_forest *forest = fit(t.x, t.y, NULL, ROWS, COLUMNS, &options);
    double together[ROWS];
    nnm_forest_predict(forest, t.x, ROWS, together);
    for (size_t row = 0; row < ROWS; row++) {
        double alone;
        nnm_forest_predict(forest, t.x + row * COLUMNS, 1, &alone);
        assert_memory_equal(&alone, &together[row], sizeof alone);
    }
    nnm_forest_predict(forest, t.x, 0, NULL);
    nnm_forest_free(forest);
}

static void a_full_tree_repeats_its_training_rows(void **state)
{
    (void)state;
    table t;
    make_table(&t, 3);
    nnm_forest_options options = one_full_tree();
    options.trees = 3;
    nnm_forest *forest = fit(t.x, t.y, NULL, ROWS, COLUMNS, &options);
    double predicted[ROWS];
    nnm_forest_predict(forest, t.x, ROWS, predicted);
    assert_memory_equal(predicted, t.y, sizeof predicted);
    assert_null(nnm_forest_oob_prediction(forest));
    assert_true(isnan(nnm_forest_oob_score(forest)));
    nnm_forest_free(forest);
}

static void a_step_is_found_midway_between_its_rows(void **state)
{
    (void)state;
    const double x[] = {1, 2, 4, 10, 11, 12, 40}, y[] = {0.1, 0.1, 0.1, 7, 7, 7, 7};
    nnm_forest_options options = one_full_tree();
    nnm_forest *forest = fit(x, y, NULL, 7, 1, &options);
    assert_int_equal(nnm_forest_node_count(forest), 3);
    const double probe[] = {-1e300, 6.999, 7, 7.001, 1e300};
    const double expected[] = {0.1, 0.1, 0.1, 7, 7};
    double predicted[5];
    nnm_forest_predict(forest, probe, 5, predicted);
    assert_memory_equal(predicted, expected, sizeof expected);
    nnm_forest_free(forest);
}

static double squared_error(const double *y, const size_t *rows, size_t count, double *mean)
{
    double error = 0;
    *mean = 0;
    for (size_t i = 0; i < count; i++)
        *mean += y[rows[i]] / (double)count;
    for (size_t i = 0; i < count; i++)
        error += (y[rows[i]] - *mean) * (y[rows[i]] - *mean);
    return error;
}

static size_t divide(const table *t, const size_t *rows, size_t count, size_t column, double threshold, size_t *divided)
{
    size_t left = 0, right = count;
    for (size_t i = 0; i < count; i++)
        divided[t->x[rows[i] * COLUMNS + column] <= threshold ? left++ : --right] = rows[i];
    return left;
}

/* The tree as the textbook has it: every value of every feature is tried. Fills in what it predicts for its rows. */
static void reference_tree(const table *t, const size_t *rows, size_t count, size_t depth, size_t smallest,
                           double *predicted)
{
    double mean, side, best = squared_error(t->y, rows, count, &mean);
    size_t divided[ROWS], best_divided[ROWS], best_left = 0;
    for (size_t i = 0; i < count; i++)
        predicted[rows[i]] = mean;
    if (depth == 0) return;
    for (size_t column = 0; column < COLUMNS; column++) {
        for (size_t i = 0; i < count; i++) {
            size_t left = divide(t, rows, count, column, t->x[rows[i] * COLUMNS + column], divided);
            if (left < smallest || count - left < smallest) continue;
            double error =
                squared_error(t->y, divided, left, &side) + squared_error(t->y, divided + left, count - left, &side);
            if (error >= best) continue;
            best = error;
            best_left = left;
            memcpy(best_divided, divided, count * sizeof *divided);
        }
    }
    if (best_left == 0) return;
    reference_tree(t, best_divided, best_left, depth - 1, smallest, predicted);
    reference_tree(t, best_divided + best_left, count - best_left, depth - 1, smallest, predicted);
}

static void every_split_has_the_least_squared_error(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        table t;
        make_table(&t, 100 + seed);
        size_t count = 2 + seed * 3, rows[ROWS];
        for (size_t i = 0; i < count; i++)
            rows[i] = i;
        nnm_forest_options options = one_full_tree();
        options.max_depth = 1 + seed % 7;
        options.min_samples_leaf = 1 + seed % 5;
        double expected[ROWS], predicted[ROWS];
        reference_tree(&t, rows, count, options.max_depth, options.min_samples_leaf, expected);
        nnm_forest *forest = fit(t.x, t.y, NULL, count, COLUMNS, &options);
        nnm_forest_predict(forest, t.x, count, predicted);
        for (size_t i = 0; i < count; i++)
            assert_near(predicted[i], expected[i], 1e-9 * expected[i]);
        nnm_forest_free(forest);
    }
}

static void tiny_values_survive_beside_huge_ones(void **state)
{
    (void)state;
    double x[200], y[200], predicted[200];
    for (size_t i = 0; i < 200; i++) {
        x[i] = (double)i;
        y[i] = i % 7 == 0 ? 1e4 + (double)i : 1e-4 * (1 + 1e-3 * (double)i);
    }
    nnm_forest_options options = one_full_tree();
    nnm_forest *forest = fit(x, y, NULL, 200, 1, &options);
    nnm_forest_predict(forest, x, 200, predicted);
    assert_memory_equal(predicted, y, sizeof y);
    nnm_forest_free(forest);

    /* Two steps of tiny values, found although their sums are nothing beside the huge value. */
    for (size_t i = 0; i < 200; i++)
        y[i] = i == 0 ? 1e4 : i < 100 ? 1e-4 : 2e-4;
    options.max_depth = 2;
    forest = fit(x, y, NULL, 200, 1, &options);
    nnm_forest_predict(forest, x, 200, predicted);
    assert_memory_equal(predicted, y, sizeof y);
    nnm_forest_free(forest);
}

static void equal_targets_make_one_leaf_a_tree(void **state)
{
    (void)state;
    table t;
    make_table(&t, 4);
    for (size_t row = 0; row < ROWS; row++)
        t.y[row] = 0.1;
    nnm_forest_options options = small_options();
    nnm_forest *forest = fit(t.x, t.y, NULL, ROWS, COLUMNS, &options);
    assert_int_equal(nnm_forest_node_count(forest), options.trees);
    double predicted;
    nnm_forest_predict(forest, t.x, 1, &predicted);
    assert_true(predicted == 0.1);
    assert_true(nnm_forest_oob_score(forest) == 1);
    nnm_forest_free(forest);
}

static void one_row_is_enough(void **state)
{
    (void)state;
    const double x[] = {1, 2}, y[] = {0.3}, probe[] = {-5, 1e9};
    nnm_forest_options options = small_options();
    nnm_forest *forest = fit(x, y, NULL, 1, 2, &options);
    double predicted;
    nnm_forest_predict(forest, probe, 1, &predicted);
    assert_true(predicted == 0.3);
    assert_true(isnan(nnm_forest_oob_prediction(forest)[0])); /* every tree saw it */
    assert_true(isnan(nnm_forest_oob_score(forest)));
    nnm_forest_free(forest);
}

static void constant_columns_cannot_split(void **state)
{
    (void)state;
    double x[20], y[20];
    for (size_t i = 0; i < 20; i++) {
        x[i] = 5;
        y[i] = (double)(i % 2);
    }
    nnm_forest_options options = one_full_tree();
    nnm_forest *forest = fit(x, y, NULL, 20, 1, &options);
    assert_int_equal(nnm_forest_node_count(forest), 1);
    double predicted;
    nnm_forest_predict(forest, x, 1, &predicted);
    assert_near(predicted, 0.5, 1e-15);
    nnm_forest_free(forest);
}

static void rows_that_differ_in_the_target_only_share_a_leaf(void **state)
{
    (void)state;
    const double x[] = {1, 1, 1, 2, 2, 2}, y[] = {1, 2, 3, 10, 20, 60}, probe[] = {1, 2};
    nnm_forest_options options = one_full_tree();
    nnm_forest *forest = fit(x, y, NULL, 6, 1, &options);
    double predicted[2];
    nnm_forest_predict(forest, probe, 2, predicted);
    assert_near(predicted[0], 2, 1e-12);
    assert_near(predicted[1], 30, 1e-12);
    assert_int_equal(nnm_forest_node_count(forest), 3);
    nnm_forest_free(forest);
}

/* XOR: no single split helps, and yet the tree must go on. */
static void splits_that_do_not_help_yet_are_taken(void **state)
{
    (void)state;
    const double x[] = {0, 0, 0, 1, 1, 0, 1, 1}, y[] = {1, 2, 2, 1};
    nnm_forest_options options = one_full_tree();
    nnm_forest *forest = fit(x, y, NULL, 4, 2, &options);
    double predicted[4];
    nnm_forest_predict(forest, x, 4, predicted);
    assert_memory_equal(predicted, y, sizeof y);
    nnm_forest_free(forest);

    double many_x[64], many_y[32], many_predicted[32];
    for (size_t i = 0; i < 32; i++) {
        many_x[2 * i] = (double)(i % 2);
        many_x[2 * i + 1] = (double)(i / 2 % 2);
        many_y[i] = i % 4 == 0 || i % 4 == 3 ? 1 : 2;
    }
    forest = fit(many_x, many_y, NULL, 32, 2, &options);
    nnm_forest_predict(forest, many_x, 32, many_predicted);
    assert_memory_equal(many_predicted, many_y, sizeof many_y);
    nnm_forest_free(forest);
}

static void weight_two_is_the_row_twice(void **state)
{
    (void)state;
    table t;
    make_table(&t, 5);
    const size_t rows = 60;
    double weight[60], x[120 * COLUMNS], y[120];
    size_t doubled = 0;
    for (size_t row = 0; row < rows; row++) {
        weight[row] = row % 3 == 0 ? 2 : 1;
        for (size_t copy = 0; copy < (size_t)weight[row]; copy++) {
            memcpy(x + doubled * COLUMNS, t.x + row * COLUMNS, COLUMNS * sizeof *x);
            y[doubled++] = t.y[row];
        }
    }
    for (size_t depth = 1; depth <= 5; depth++) {
        nnm_forest_options options = one_full_tree();
        options.max_depth = depth;
        nnm_forest *weighted = fit(t.x, t.y, weight, rows, COLUMNS, &options);
        nnm_forest *repeated = fit(x, y, NULL, doubled, COLUMNS, &options);
        double a[60], b[60];
        nnm_forest_predict(weighted, t.x, rows, a);
        nnm_forest_predict(repeated, t.x, rows, b);
        for (size_t row = 0; row < rows; row++)
            assert_near(a[row], b[row], 1e-12 * b[row]);
        nnm_forest_free(weighted);
        nnm_forest_free(repeated);
    }
}

static void only_the_proportion_of_weights_matters(void **state)
{
    (void)state;
    table t;
    make_table(&t, 6);
    double weight[ROWS], scaled[ROWS];
    for (size_t row = 0; row < ROWS; row++) {
        weight[row] = (double)(1 + row % 4);
        scaled[row] = ldexp(weight[row], 700);
    }
    nnm_forest_options options = small_options();
    nnm_forest *a = fit(t.x, t.y, weight, ROWS, COLUMNS, &options);
    nnm_forest *b = fit(t.x, t.y, scaled, ROWS, COLUMNS, &options);
    assert_same_predictions(a, b, t.x, ROWS);
    nnm_forest_free(a);
    nnm_forest_free(b);
}

static void weight_zero_is_no_row(void **state)
{
    (void)state;
    table t;
    make_table(&t, 7);
    double weight[ROWS];
    for (size_t row = 0; row < ROWS; row++)
        weight[row] = row < 100 ? 1 : 0;
    nnm_forest_options options = small_options();
    nnm_forest *with = fit(t.x, t.y, weight, ROWS, COLUMNS, &options);
    nnm_forest *without = fit(t.x, t.y, NULL, 100, COLUMNS, &options);
    assert_same_predictions(with, without, t.x, ROWS);
    assert_true(nnm_forest_oob_score(with) == nnm_forest_oob_score(without));
    double unseen;
    nnm_forest_predict(with, t.x + 200 * COLUMNS, 1, &unseen);
    assert_true(nnm_forest_oob_prediction(with)[200] == unseen);
    nnm_forest_free(with);
    nnm_forest_free(without);
}

static void limits_on_rows_are_kept(void **state)
{
    (void)state;
    double x[100], y[100], predicted[100];
    for (size_t i = 0; i < 100; i++) {
        x[i] = (double)i;
        y[i] = sqrt((double)i);
    }
    for (size_t smallest = 1; smallest <= 51; smallest++) {
        nnm_forest_options options = one_full_tree();
        options.min_samples_leaf = smallest;
        nnm_forest *forest = fit(x, y, NULL, 100, 1, &options);
        nnm_forest_predict(forest, x, 100, predicted);
        size_t run = 1;
        for (size_t i = 1; i <= 100; i++, run++) {
            if (i < 100 && predicted[i] == predicted[i - 1]) continue;
            assert_true(run >= smallest);
            run = 0;
        }
        assert_int_equal(nnm_forest_node_count(forest) == 1, smallest > 50);
        nnm_forest_free(forest);
    }
    nnm_forest_options options = one_full_tree();
    options.min_samples_split = 101;
    nnm_forest *forest = fit(x, y, NULL, 100, 1, &options);
    assert_int_equal(nnm_forest_node_count(forest), 1);
    nnm_forest_free(forest);
    options.min_samples_split = 100;
    forest = fit(x, y, NULL, 100, 1, &options);
    assert_int_equal(nnm_forest_node_count(forest), 3);
    nnm_forest_free(forest);
    options = one_full_tree();
    options.max_depth = 3;
    forest = fit(x, y, NULL, 100, 1, &options);
    assert_int_equal(nnm_forest_node_count(forest), 15);
    nnm_forest_free(forest);
}

/* One useful feature among noise: trees that may look at one feature a split must sometimes begin with noise. */
static void fewer_features_make_trees_differ(void **state)
{
    (void)state;
    double x[100 * 3], y[100];
    nnm_rng rng;
    nnm_rng_init(&rng, 8, 0);
    for (size_t i = 0; i < 100; i++) {
        x[3 * i] = (double)(i / 50);
        x[3 * i + 1] = nnm_rng_uniform(&rng);
        x[3 * i + 2] = 1; /* constant: drawing it must not end the search */
        y[i] = x[3 * i];
    }
    nnm_forest_options options = one_full_tree();
    options.trees = 50;
    options.max_depth = 1;
    nnm_forest *all = fit(x, y, NULL, 100, 3, &options);
    options.max_features = 99;
    nnm_forest *more = fit(x, y, NULL, 100, 3, &options);
    options.max_features = 1;
    nnm_forest *one = fit(x, y, NULL, 100, 3, &options);
    double predicted[100];
    nnm_forest_predict(all, x, 100, predicted);
    assert_memory_equal(predicted, y, sizeof y);
    assert_same_predictions(all, more, x, 100);
    nnm_forest_predict(one, x, 100, predicted);
    assert_true(predicted[0] > 0.05 && predicted[0] < 0.45);
    assert_int_equal(nnm_forest_node_count(one), 150);
    nnm_forest_free(all);
    nnm_forest_free(more);
    nnm_forest_free(one);
}

static void out_of_bag_rows_are_judged_by_trees_that_did_not_see_them(void **state)
{
    (void)state;
    table t;
    make_table(&t, 9);
    nnm_forest_options options = small_options();
    options.trees = 100;
    nnm_forest *forest = fit(t.x, t.y, NULL, ROWS, COLUMNS, &options);
    double predicted[ROWS], in_bag = 0, out_of_bag = 0;
    nnm_forest_predict(forest, t.x, ROWS, predicted);
    for (size_t row = 0; row < ROWS; row++) {
        in_bag += fabs(predicted[row] - t.y[row]);
        out_of_bag += fabs(nnm_forest_oob_prediction(forest)[row] - t.y[row]);
    }
    assert_true(out_of_bag > 1.5 * in_bag);
    assert_true(nnm_forest_oob_score(forest) > 0.9 && nnm_forest_oob_score(forest) < 1);

    /* Targets that have nothing to do with the features. */
    nnm_rng rng;
    nnm_rng_init(&rng, 10, 0);
    for (size_t row = 0; row < ROWS; row++)
        t.y[row] = nnm_rng_uniform(&rng);
    nnm_forest *noise = fit(t.x, t.y, NULL, ROWS, COLUMNS, &options);
    assert_true(nnm_forest_oob_score(noise) < 0.05);
    nnm_forest_free(noise);
    nnm_forest_free(forest);
}

/* A tree draws 131,072 of 300,000 rows: exp(-131072 / 300000) = 64.6 % of them stay out of its bag. */
static void trees_draw_a_limited_number_of_rows(void **state)
{
    (void)state;
    enum {
        MANY = 300000
    };
    double *x = test_calloc(MANY, sizeof *x);
    for (size_t i = 0; i < MANY; i++)
        x[i] = (double)(i + 1);
    nnm_forest_options options = small_options();
    options.trees = 1;
    options.max_depth = 0;
    nnm_forest *forest = fit(x, x, NULL, MANY, 1, &options);
    size_t unseen = 0;
    for (size_t i = 0; i < MANY; i++)
        unseen += !isnan(nnm_forest_oob_prediction(forest)[i]);
    assert_near((double)unseen / MANY, 0.646, 0.004);
    assert_int_equal(nnm_forest_node_count(forest), 2 * (MANY - unseen) - 1);
    nnm_forest_free(forest);
    test_free(x);
}

static void extreme_numbers_are_no_problem(void **state)
{
    (void)state;
    const double x[] = {-1.7e308, -1e-300, 0, 5e-324, 1e300, 1.7e308};
    const double huge[] = {1e300, -1e300, 3e299, 1e290, -2e300, 5e299},
                 tiny[] = {1e-310, 3e-310, 2e-310, 0, 5e-324, 1e-300};
    const double *targets[] = {huge, tiny};
    nnm_forest_options options = one_full_tree();
    for (size_t i = 0; i < 2; i++) {
        nnm_forest *forest = fit(x, targets[i], NULL, 6, 1, &options);
        double predicted[6];
        nnm_forest_predict(forest, x, 6, predicted);
        assert_memory_equal(predicted, targets[i], sizeof predicted);
        nnm_forest_free(forest);
    }
}

static void values_that_are_not_finite_are_refused(void **state)
{
    (void)state;
    nnm_error err;
    nnm_forest *forest = NULL;
    nnm_forest_options options = small_options();
    double x[] = {1, 2, 3, 4, 5, 6}, y[] = {1, 2, 3}, weight[] = {1, 1, 1};
    x[5] = (double)NAN;
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 3, 2, &options, &err), NNM_ERR_VALUE, "row 3, column 2: nan");
    x[5] = (double)-INFINITY;
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 3, 2, &options, &err), NNM_ERR_VALUE, "row 3, column 2: -inf");
    x[5] = 6;
    y[1] = (double)INFINITY;
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 3, 2, &options, &err), NNM_ERR_VALUE, "row 2: the target inf");
    y[1] = 2;
    weight[0] = -1;
    assert_fails(nnm_forest_fit(&forest, x, y, weight, 3, 2, &options, &err), NNM_ERR_VALUE, "row 1: the weight -1");
    weight[0] = weight[1] = weight[2] = 0;
    assert_fails(nnm_forest_fit(&forest, x, y, weight, 3, 2, &options, &err), NNM_ERR_VALUE, "none of the 3 rows");
    assert_null(forest);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    nnm_error err;
    nnm_forest *forest = NULL;
    const double x[] = {1, 2}, y[] = {1, 2};
    const nnm_status code = NNM_ERR_INVALID_ARGUMENT;
    nnm_forest_options good = small_options(), o = good;
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 0, 1, &o, &err), code, "at least one row");
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 2, 0, &o, &err), code, "at least one column");
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, SIZE_MAX, 1, &o, &err), code, "rows are too many");
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 1, SIZE_MAX, &o, &err), code, "columns are too many");
    o.trees = 0;
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 2, 1, &o, &err), code, "trees is 0, must be 1..100000");
    o.trees = 100001;
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 2, 1, &o, &err), code, "trees is 100001");
    o = good;
    o.max_depth = 1001;
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 2, 1, &o, &err), code, "max_depth is 1001, must be 1..1000");
    o = good;
    o.min_samples_split = 1;
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 2, 1, &o, &err), code, "min_samples_split is 1");
    o = good;
    o.min_samples_leaf = 0;
    assert_fails(nnm_forest_fit(&forest, x, y, NULL, 2, 1, &o, &err), code, "min_samples_leaf is 0");
    assert_null(forest);
    nnm_forest_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_repeats_change_no_bit),
        cmocka_unit_test(one_row_and_many_rows_are_predicted_alike),
        cmocka_unit_test(a_full_tree_repeats_its_training_rows),
        cmocka_unit_test(a_step_is_found_midway_between_its_rows),
        cmocka_unit_test(every_split_has_the_least_squared_error),
        cmocka_unit_test(tiny_values_survive_beside_huge_ones),
        cmocka_unit_test(equal_targets_make_one_leaf_a_tree),
        cmocka_unit_test(one_row_is_enough),
        cmocka_unit_test(constant_columns_cannot_split),
        cmocka_unit_test(rows_that_differ_in_the_target_only_share_a_leaf),
        cmocka_unit_test(splits_that_do_not_help_yet_are_taken),
        cmocka_unit_test(weight_two_is_the_row_twice),
        cmocka_unit_test(only_the_proportion_of_weights_matters),
        cmocka_unit_test(weight_zero_is_no_row),
        cmocka_unit_test(limits_on_rows_are_kept),
        cmocka_unit_test(fewer_features_make_trees_differ),
        cmocka_unit_test(out_of_bag_rows_are_judged_by_trees_that_did_not_see_them),
        cmocka_unit_test(trees_draw_a_limited_number_of_rows),
        cmocka_unit_test(extreme_numbers_are_no_problem),
        cmocka_unit_test(values_that_are_not_finite_are_refused),
        cmocka_unit_test(options_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
