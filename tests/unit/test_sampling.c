/* The samplers: what they draw is spread as promised, new, allowed, ordered and repeatable. */
#include "unit/testing.h"

#include <math.h>

#include "nnmeter/sampler.h"
#include "sampling/prior.h"

static nnm_error err;

static const nnm_kernel *kernel_called(const char *name)
{
    const nnm_kernel *kernel = NULL;
    assert_ok(nnm_kernel_find(&kernel, name, &err));
    return kernel;
}

static nnm_prior *builtin_prior(const nnm_kernel *kernel)
{
    nnm_prior *prior = NULL;
    assert_ok(nnm_prior_builtin(&prior, kernel, &err));
    return prior;
}

/* ---- chi-square ---- */

/* What chi-square with `degrees` of freedom exceeds in 1 of 1,000 cases (Wilson and Hilferty, 1931). */
static double chi_square_limit(size_t degrees)
{
    const double z = 3.0902, d = (double)degrees;
    return d * pow(1 - 2 / (9 * d) + z * sqrt(2 / (9 * d)), 3);
}

/* Neighbouring values are put together until each group is expected 20 times. */
static void check_chi_square(const char *what, const double *share, const size_t *seen, size_t values, size_t draws)
{
    double expected = 0, found = 0, sum = 0, left = 0;
    size_t groups = 0;
    for (size_t i = 0; i < values; i++)
        left += share[i] * (double)draws;
    for (size_t i = 0; i < values; i++) {
        if (share[i] <= 0 && seen[i]) fail_msg("%s: %zu was drawn, and should never be", what, i);
        expected += share[i] * (double)draws;
        found += (double)seen[i];
        if (expected < 20 || (left - expected < 20 && i + 1 < values)) continue;
        sum += (found - expected) * (found - expected) / expected;
        groups++;
        left -= expected;
        expected = found = 0;
    }
    if (groups > 1 && sum > chi_square_limit(groups - 1))
        fail_msg("%s: chi-square is %.1f over %zu groups, above %.1f", what, sum, groups, chi_square_limit(groups - 1));
}

/* ---- marginals of the prior sampler, worked out here from the column and the published rules alone ---- */

#define MAX_VALUE 30000

typedef struct rule {
    const char *kernel, *param;
    int64_t valid[16];
    unsigned frequent_percent;
    struct {
        int64_t value;
        unsigned percent;
    } frequent[3];
} rule;

static const rule rules[] = {
    {"conv-bn-relu", "HW", {1, 3, 7, 8, 13, 14, 27, 28, 32, 56, 112, 224}, 30, {{112, 20}, {56, 40}, {28, 40}}},
    {"conv-bn-relu", "CIN", {0}, 0, {{0, 0}}},
    {"conv-bn-relu", "COUT", {0}, 0, {{0, 0}}},
    {"conv-bn-relu", "KERNEL_SIZE", {1, 3, 5, 7}, 30, {{5, 40}, {7, 60}}},
    {"conv-bn-relu", "STRIDES", {1, 2, 4}, 30, {{2, 40}, {1, 60}}},
    {"dwconv-bn-relu", "HW", {1, 3, 7, 14, 28, 56, 112, 224}, 20, {{112, 40}, {56, 40}, {28, 20}}},
    {"dwconv-bn-relu", "CIN", {0}, 0, {{0, 0}}},
    {"dwconv-bn-relu", "COUT", {0}, 0, {{0, 0}}},
    {"dwconv-bn-relu", "KERNEL_SIZE", {1, 3, 5, 7}, 20, {{5, 40}, {7, 60}}},
    {"dwconv-bn-relu", "STRIDES", {1, 2}, 20, {{2, 50}, {1, 50}}},
    {"fc", "CIN", {0}, 0, {{0, 0}}},
    {"fc", "COUT", {0}, 50, {{1000, 100}}},
    {"maxpool", "HW", {14, 28, 56, 112, 224}, 0, {{0, 0}}},
    {"maxpool", "COUT", {0}, 0, {{0, 0}}},
    {"avgpool", "KERNEL_SIZE", {2, 3}, 0, {{0, 0}}},
    {"avgpool", "POOL_STRIDES", {1, 2}, 0, {{0, 0}}},
    {"concat", "HW", {7, 14, 28, 56}, 0, {{0, 0}}},
    {"concat", "CIN2", {0}, 0, {{0, 0}}},
    {"relu", "HW", {1, 3, 7, 14, 28, 56, 112, 224}, 20, {{112, 40}, {56, 40}, {28, 20}}},
    {"split", "HW", {1, 3, 7, 14, 28, 56, 112, 224}, 20, {{112, 40}, {56, 40}, {28, 20}}},
    {"global-avgpool", "CIN", {0}, 0, {{0, 0}}},
};

static int64_t snap(const rule *r, int64_t value)
{
    int64_t best = r->valid[0] ? r->valid[0] : value;
    for (const int64_t *v = r->valid; *v; v++)
        if (llabs(*v - value) < llabs(best - value)) best = *v;
    return best;
}

/* Each value of the column is spread evenly over its bin, and what falls on [v, v + 1) becomes v. */
static void add_column_shares(double *share, const rule *r, const int64_t *column, size_t rows, double total)
{
    int64_t low = column[0], high = column[0];
    for (size_t i = 0; i < rows; i++) {
        if (column[i] < low) low = column[i];
        if (column[i] > high) high = column[i];
    }
    const double width = (double)(high - low) / 40;
    for (size_t i = 0; i < rows; i++) {
        int64_t bin = 39;
        while (bin > 0 && 40 * (column[i] - low) < bin * (high - low))
            bin--;
        const double from = (double)low + (double)bin * width, to = from + width;
        for (int64_t v = (int64_t)from; (double)v < to; v++) {
            double part = fmin(to, (double)v + 1) - fmax(from, (double)v);
            if (part > 0) share[snap(r, v)] += total * part / width / (double)rows;
        }
    }
}

/* Single draws are tested, for a set without duplicates has the rare values too often. */
static void check_marginal(const rule *r, uint64_t seed)
{
    const size_t draws = 10000;
    const nnm_kernel *kernel = kernel_called(r->kernel);
    nnm_prior *prior = builtin_prior(kernel);
    double *share = calloc(MAX_VALUE, sizeof *share);
    size_t *seen = calloc(MAX_VALUE, sizeof *seen);
    assert_true(share && seen);
    add_column_shares(share, r, nnm_prior_column(prior, r->param), nnm_prior_rows(prior),
                      1 - r->frequent_percent / 100.0);
    for (size_t i = 0; i < 3; i++)
        share[r->frequent[i].value] += r->frequent_percent / 100.0 * r->frequent[i].percent / 100.0;
    int dimension = nnm_family_dimension(nnm_family_find(nnm_kernel_family(kernel)), r->param);
    nnm_rng rng;
    nnm_rng_init(&rng, seed, 0);
    for (size_t i = 0; i < draws; i++) {
        int64_t values[NNM_KERNEL_MAX_PARAMS];
        nnm_prior_draw(prior, &rng, values);
        assert_in_range(values[dimension], 1, MAX_VALUE - 1);
        seen[values[dimension]]++;
    }
    char what[64];
    snprintf(what, sizeof what, "%s %s", r->kernel, r->param);
    check_chi_square(what, share, seen, MAX_VALUE, draws);
    free(share);
    free(seen);
    nnm_prior_free(prior);
}

/* Significance 0.001 each, each marginal with three seeds. */
static void test_marginals_follow_the_prior(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
            check_marginal(&rules[i], seed);
}

/* HW against KERNEL_SIZE, as independent as two dice: chi-square of the table of both. */
static void test_dimensions_are_independent(void **state)
{
    (void)state;
    enum {
        SIDES = 225,
        KERNELS = 8,
        DRAWS = 10000
    };
    static size_t hw[SIDES], kernels[KERNELS], both[SIDES * KERNELS];
    static double share[SIDES * KERNELS];
    nnm_prior *prior = builtin_prior(kernel_called("conv-bn-relu"));
    nnm_rng rng;
    nnm_rng_init(&rng, 7, 0);
    for (size_t i = 0; i < DRAWS; i++) {
        int64_t v[NNM_KERNEL_MAX_PARAMS];
        nnm_prior_draw(prior, &rng, v);
        hw[v[0]]++;
        kernels[v[3]]++;
        both[v[0] * KERNELS + v[3]]++;
    }
    for (size_t i = 0; i < SIDES * KERNELS; i++)
        share[i] = (double)hw[i / KERNELS] / DRAWS * (double)kernels[i % KERNELS] / DRAWS;
    check_chi_square("HW and KERNEL_SIZE", share, both, SIDES * KERNELS, DRAWS);
    nnm_prior_free(prior);
}

/* ---- rules that are not a column's ---- */

/* How often each value of a parameter comes in 10,000 draws. */
static void count_draws(const char *name, const char *param, size_t *seen, size_t values)
{
    const nnm_kernel *kernel = kernel_called(name);
    nnm_prior *prior = builtin_prior(kernel);
    int dimension = nnm_family_dimension(nnm_family_find(nnm_kernel_family(kernel)), param);
    nnm_rng rng;
    nnm_rng_init(&rng, 11, 0);
    memset(seen, 0, values * sizeof *seen);
    for (size_t i = 0; i < 10000; i++) {
        int64_t drawn[NNM_KERNEL_MAX_PARAMS];
        nnm_prior_draw(prior, &rng, drawn);
        assert_in_range(drawn[dimension], 0, values - 1);
        seen[drawn[dimension]]++;
    }
    nnm_prior_free(prior);
}

static void test_global_pools_are_of_two_sizes(void **state)
{
    (void)state;
    const double share[8] = {[3] = 0.5, [7] = 0.5};
    size_t seen[8];
    count_draws("global-avgpool", "HW", seen, 8);
    check_chi_square("HW of global-avgpool", share, seen, 8, 10000);
}

/* 2, 3 or 4 inputs as 40, 20 and 40 %; those that are not used are 0 and come last. */
static void test_concat_has_two_to_four_inputs(void **state)
{
    (void)state;
    const double share[5] = {[2] = 0.4, [3] = 0.2, [4] = 0.4};
    size_t seen[5] = {0};
    nnm_prior *prior = builtin_prior(kernel_called("concat"));
    nnm_rng rng;
    nnm_rng_init(&rng, 5, 0);
    for (size_t i = 0; i < 10000; i++) {
        int64_t v[NNM_KERNEL_MAX_PARAMS];
        nnm_prior_draw(prior, &rng, v);
        size_t inputs = 4;
        while (v[inputs] == 0)
            inputs--;
        for (size_t j = 1; j <= inputs; j++)
            assert_true(v[j] > 0);
        seen[inputs]++;
    }
    check_chi_square("inputs of concat", share, seen, 5, 10000);
    nnm_prior_free(prior);
}

static void test_halves_have_even_channels(void **state)
{
    (void)state;
    static const char *const names[] = {"split", "channelshuffle", "se"};
    static size_t seen[MAX_VALUE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        count_draws(names[i], "CIN", seen, MAX_VALUE);
        for (size_t v = 1; v < MAX_VALUE; v += 2)
            assert_int_equal(seen[v], 0);
    }
}

/* Each octave is as likely, and each value within one; N and K are rounded up to multiples of 8. */
static void test_matrices_are_spread_over_octaves(void **state)
{
    (void)state;
    const struct {
        const char *param;
        size_t low, high, step;
    } cases[] = {{"B", 1, 16, 1}, {"M", 1, 512, 1}, {"N", 32, 4096, 8}, {"K", 32, 4096, 8}};
    static size_t seen[4097];
    static double share[4097];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(share, 0, sizeof share);
        size_t octaves = 0;
        for (size_t low = cases[i].low; low < cases[i].high; low *= 2)
            octaves++;
        for (size_t low = cases[i].low; low < cases[i].high; low *= 2) {
            size_t end = 2 * low == cases[i].high ? 2 * low + 1 : 2 * low, step = cases[i].step;
            for (size_t v = low; v < end; v++)
                share[(v + step - 1) / step * step] += 1.0 / (double)octaves / (double)(end - low);
        }
        count_draws("matmul", cases[i].param, seen, 4097);
        check_chi_square(cases[i].param, share, seen, 4097, 10000);
    }
}

/* ---- what every sample promises ---- */

static int compare_configs(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(nnm_kernel_config));
}

static void check_no_duplicates(const nnm_config_list *list)
{
    nnm_kernel_config *sorted = calloc(list->count + 1, sizeof *sorted);
    assert_non_null(sorted);
    memcpy(sorted, list->items, list->count * sizeof *sorted);
    qsort(sorted, list->count, sizeof *sorted, compare_configs);
    for (size_t i = 1; i < list->count; i++)
        assert_memory_not_equal(&sorted[i - 1], &sorted[i], sizeof *sorted);
    free(sorted);
}

static bool has(const nnm_config_list *list, const nnm_kernel_config *config)
{
    for (size_t i = 0; i < list->count; i++)
        if (memcmp(&list->items[i], config, sizeof *config) == 0) return true;
    return false;
}

static void check_sample(const nnm_kernel *kernel, const nnm_config_list *list, size_t from)
{
    for (size_t i = from; i < list->count; i++) {
        assert_ok(nnm_kernel_config_check(kernel, &list->items[i], &err));
        if (i > from)
            assert_true(nnm_kernel_flops(kernel, &list->items[i - 1]) <= nnm_kernel_flops(kernel, &list->items[i]));
    }
    check_no_duplicates(list);
}

static nnm_kernel_config config_of(const nnm_kernel *kernel, const char *text)
{
    nnm_kernel_config config;
    assert_ok(nnm_kernel_config_parse(&config, kernel, text, &err));
    return config;
}

static nnm_config_list list_of(const nnm_kernel *kernel, const char *text)
{
    nnm_config_list list = {0};
    nnm_kernel_config config = config_of(kernel, text);
    assert_ok(nnm_config_list_add(&list, &config, &err));
    return list;
}

/* ---- from the prior ---- */

static void test_prior_samples_are_distinct_allowed_and_ordered(void **state)
{
    (void)state;
    for (size_t k = 0; k < nnm_kernel_count(); k++) {
        const nnm_kernel *kernel = nnm_kernel_at(k);
        nnm_prior *prior = builtin_prior(kernel);
        nnm_config_list list = {0};
        /* The published system's number where there is a layer; pools and what has HW and CIN only have too few. */
        size_t num = nnm_kernel_feature_count(kernel) > nnm_kernel_param_count(kernel) ? 10000 : 500;
        assert_ok(nnm_sample_prior(&list, kernel, prior, num, 42, NULL, &err));
        assert_int_equal(list.count, num);
        check_sample(kernel, &list, 0);
        nnm_config_list_fini(&list);
        nnm_prior_free(prior);
    }
}

static void test_equal_seeds_give_equal_samples(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("conv-bn-relu");
    nnm_prior *prior = builtin_prior(kernel);
    nnm_config_list a = {0}, b = {0}, c = {0};
    assert_ok(nnm_sample_prior(&a, kernel, prior, 500, 1, NULL, &err));
    assert_ok(nnm_sample_prior(&b, kernel, prior, 500, 1, NULL, &err));
    assert_ok(nnm_sample_prior(&c, kernel, prior, 500, 2, NULL, &err));
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.items, b.items, a.count * sizeof *a.items);
    assert_memory_not_equal(a.items, c.items, a.count * sizeof *a.items);
    nnm_config_list_fini(&a);
    nnm_config_list_fini(&b);
    nnm_config_list_fini(&c);
    nnm_prior_free(prior);
}

static void test_excluded_configurations_do_not_come(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("dwconv-bn-relu");
    nnm_prior *prior = builtin_prior(kernel);
    nnm_config_list first = {0}, second = {0};
    assert_ok(nnm_sample_prior(&first, kernel, prior, 400, 5, NULL, &err));
    assert_ok(
        nnm_sample_prior(&second, kernel, prior, 400, 5, &first, &err)); /* the same draws, were it not for first */
    assert_int_equal(second.count, 400);
    for (size_t i = 0; i < second.count; i++)
        assert_false(has(&first, &second.items[i]));
    nnm_config_list_fini(&first);
    nnm_config_list_fini(&second);
    nnm_prior_free(prior);
}

static void test_samples_are_appended(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("fc");
    nnm_prior *prior = builtin_prior(kernel);
    nnm_config_list list = list_of(kernel, "CIN=1048576,COUT=1");
    assert_ok(nnm_sample_prior(&list, kernel, prior, 50, 3, NULL, &err));
    assert_ok(nnm_sample_prior(&list, kernel, prior, 50, 3, NULL, &err)); /* what is there does not come again */
    assert_int_equal(list.count, 101);
    assert_int_equal(list.items[0].value[0], 1048576);
    check_sample(kernel, &list, 51);
    nnm_config_list_fini(&list);
    nnm_prior_free(prior);
}

/* One row leaves 4 HW (its own and the 3 frequent ones), 3 KERNEL_SIZE, 2 STRIDES: all 24 come, however rare. */
static void test_an_exhausted_space_is_given_whole(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("conv-bn-relu");
    static const char csv[] = "HW,CIN,COUT,KERNEL_SIZE,STRIDES\n14,32,64,3,1\n";
    nnm_prior *prior = NULL;
    assert_ok(nnm_prior_parse(&prior, nnm_family_find("conv"), NULL, csv, strlen(csv), "csv", &err));
    nnm_config_list list = {0};
    assert_ok(nnm_sample_prior(&list, kernel, prior, 1000, 1, NULL, &err));
    assert_int_equal(list.count, 24);
    check_sample(kernel, &list, 0);
    nnm_config_list none = {0};
    assert_ok(nnm_sample_prior(&none, kernel, prior, 1000, 2, &list, &err));
    assert_int_equal(none.count, 0);
    nnm_config_list_fini(&list);
    nnm_prior_free(prior);
}

static void test_prior_sampling_refuses_what_makes_no_sense(void **state)
{
    (void)state;
    const nnm_kernel *conv = kernel_called("conv-bn-relu");
    nnm_prior *prior = builtin_prior(conv);
    nnm_config_list list = list_of(conv, "HW=7,CIN=1,COUT=1,KERNEL_SIZE=1,STRIDES=1");
    assert_fails(nnm_sample_prior(&list, conv, prior, 0, 1, NULL, &err), NNM_ERR_INVALID_ARGUMENT, "at least 1");
    assert_fails(nnm_sample_prior(&list, kernel_called("fc"), prior, 1, 1, NULL, &err), NNM_ERR_INVALID_ARGUMENT,
                 "the prior is for the kernel family 'conv'; fc is of 'fc'");
    assert_int_equal(list.count, 1);
    nnm_config_list_fini(&list);
    nnm_prior_free(prior);
}

/* ---- around configurations ---- */

static void test_only_channels_change_and_stay_near(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("conv-bn-relu");
    nnm_config_list around = list_of(kernel, "HW=28,CIN=100,COUT=31,KERNEL_SIZE=5,STRIDES=2");
    nnm_config_list list = {0};
    assert_ok(nnm_sample_finegrained(&list, kernel, &around, 500, 1, NULL, &err));
    assert_int_equal(list.count, 500);
    check_sample(kernel, &list, 0);
    int64_t least[2] = {1000, 1000}, most[2] = {0, 0};
    for (size_t i = 0; i < list.count; i++) {
        const int64_t *v = list.items[i].value;
        assert_int_equal(v[0], 28);
        assert_int_equal(v[3], 5);
        assert_int_equal(v[4], 2);
        for (size_t c = 0; c < 2; c++) {
            if (v[1 + c] < least[c]) least[c] = v[1 + c];
            if (v[1 + c] > most[c]) most[c] = v[1 + c];
        }
    }
    assert_int_equal(least[0], 40); /* 500 draws of 80 values miss a given one once in 500 times */
    assert_int_equal(most[0], 119);
    assert_int_equal(least[1], 12); /* floor(12.4) */
    assert_int_equal(most[1], 36);  /* floor(37.2) - 1 */
    nnm_config_list_fini(&around);
    nnm_config_list_fini(&list);
}

static void test_channels_are_uniform(void **state)
{
    (void)state;
    enum {
        DRAWS = 4000,
        VALUES = 200
    };
    static size_t cin[VALUES], cout[VALUES];
    static double share[VALUES];
    const nnm_kernel *kernel = kernel_called("fc");
    nnm_config_list around = list_of(kernel, "CIN=100,COUT=100");
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        nnm_config_list list = {0};
        assert_ok(nnm_sample_finegrained(&list, kernel, &around, 1, seed, NULL, &err));
        cin[list.items[0].value[0]]++;
        cout[list.items[0].value[1]]++;
        nnm_config_list_fini(&list);
    }
    for (size_t v = 40; v < 120; v++)
        share[v] = 1.0 / 80;
    check_chi_square("CIN", share, cin, VALUES, DRAWS);
    check_chi_square("COUT", share, cout, VALUES, DRAWS);
    nnm_config_list_fini(&around);
}

static void test_depthwise_keeps_cout_equal(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("dwconv-bn-relu");
    nnm_config_list around = list_of(kernel, "HW=14,CIN=96,KERNEL_SIZE=3,STRIDES=1");
    nnm_config_list list = {0};
    assert_ok(nnm_sample_finegrained(&list, kernel, &around, 20, 1, NULL, &err));
    assert_int_equal(list.count, 20);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].value[1], list.items[i].value[2]);
        assert_in_range(list.items[i].value[1], 38, 114);
    }
    check_sample(kernel, &list, 0);
    nnm_config_list_fini(&around);
    nnm_config_list_fini(&list);
}

/* Even ones stay even, absent inputs absent, and a multiplication keeps its batch. */
static void test_neighbours_keep_what_their_kernel_needs(void **state)
{
    (void)state;
    const nnm_kernel *split = kernel_called("split"), *concat = kernel_called("concat"),
                     *matmul = kernel_called("matmul");
    nnm_config_list around = list_of(split, "HW=14,CIN=20"), list = {0};
    assert_ok(nnm_sample_finegrained(&list, split, &around, 100, 1, NULL, &err));
    assert_int_equal(list.count, 8); /* 8, 10, ... 22 */
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.items[i].value[1], 8 + 2 * (int64_t)i);
    nnm_config_list_fini(&around);
    nnm_config_list_fini(&list);

    around = list_of(concat, "HW=7,CIN1=30,CIN2=20,CIN3=10");
    assert_ok(nnm_sample_finegrained(&list, concat, &around, 200, 1, NULL, &err));
    assert_int_equal(list.count, 200);
    check_sample(concat, &list, 0);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].value[0], 7);
        assert_in_range(list.items[i].value[3], 4, 11);
        assert_int_equal(list.items[i].value[4], 0);
    }
    nnm_config_list_fini(&around);
    nnm_config_list_fini(&list);

    around = list_of(matmul, "B=4,M=100,N=200,K=300");
    assert_ok(nnm_sample_finegrained(&list, matmul, &around, 200, 1, NULL, &err));
    check_sample(matmul, &list, 0);
    for (size_t i = 0; i < list.count; i++) {
        const int64_t *v = list.items[i].value;
        assert_int_equal(v[0], 4);
        assert_in_range(v[1], 40, 119);
        assert_true(v[2] % 8 == 0 && v[2] >= 80 && v[2] < 240);
        assert_true(v[3] % 8 == 0 && v[3] >= 120 && v[3] < 360);
    }
    nnm_config_list_fini(&around);
    nnm_config_list_fini(&list);
}

/* Of 8 channels, [3, 9) has six values: all come, and one less when the configuration itself is excluded. */
static void test_a_small_neighbourhood_is_given_whole(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("dwconv-bn-relu");
    nnm_config_list around = list_of(kernel, "HW=14,CIN=8,KERNEL_SIZE=3,STRIDES=1");
    for (size_t excluded = 0; excluded < 2; excluded++) {
        nnm_config_list list = {0};
        assert_ok(nnm_sample_finegrained(&list, kernel, &around, 20, 1, excluded ? &around : NULL, &err));
        assert_int_equal(list.count, 6 - excluded);
        for (size_t i = 0; i < list.count; i++)
            assert_int_equal(list.items[i].value[1], 3 + (int64_t)i);
        nnm_config_list_fini(&list);
    }
    nnm_config_list_fini(&around);
}

/* Drawing would not find the last of 72 x 72 in reasonable time: what is left is listed. */
static void test_the_last_of_a_neighbourhood_is_found(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("fc");
    nnm_config_list around = list_of(kernel, "CIN=90,COUT=90"), all = {0}, rest = {0};
    assert_ok(nnm_sample_finegrained(&all, kernel, &around, 10000, 1, NULL, &err));
    assert_int_equal(all.count, 72 * 72);
    check_sample(kernel, &all, 0);
    nnm_kernel_config missing = all.items[4000];
    all.items[4000] = all.items[--all.count];
    assert_ok(nnm_sample_finegrained(&rest, kernel, &around, 5, 2, &all, &err));
    assert_int_equal(rest.count, 1);
    assert_memory_equal(&rest.items[0], &missing, sizeof missing);
    nnm_config_list_fini(&around);
    nnm_config_list_fini(&all);
    nnm_config_list_fini(&rest);
}

static void test_single_channels_stay_at_one(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("fc");
    nnm_config_list around = list_of(kernel, "CIN=1,COUT=2"), list = {0};
    assert_ok(nnm_sample_finegrained(&list, kernel, &around, 9, 1, NULL, &err));
    assert_int_equal(list.count, 1); /* [0, 1) and [0, 2), and at least 1 */
    assert_int_equal(list.items[0].value[0], 1);
    assert_int_equal(list.items[0].value[1], 1);
    nnm_config_list_fini(&around);
    nnm_config_list_fini(&list);
}

static void test_many_centres_give_each_their_share(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("conv-bn-relu");
    nnm_prior *prior = builtin_prior(kernel);
    nnm_config_list around = {0}, list = {0}, again = {0};
    assert_ok(nnm_sample_prior(&around, kernel, prior, 100, 1, NULL, &err));
    assert_ok(nnm_sample_finegrained(&list, kernel, &around, 5, 1, &around, &err));
    assert_int_equal(list.count, 500); /* no configuration among these has less than five neighbours */
    check_sample(kernel, &list, 0);
    for (size_t i = 0; i < list.count; i++)
        assert_false(has(&around, &list.items[i]));
    assert_ok(nnm_sample_finegrained(&again, kernel, &around, 5, 1, &around, &err));
    assert_memory_equal(again.items, list.items, list.count * sizeof *list.items);
    nnm_config_list_fini(&around);
    nnm_config_list_fini(&list);
    nnm_config_list_fini(&again);
    nnm_prior_free(prior);
}

/* Channels stay inside the parameter's range although 1.2 times them would not. */
static void test_neighbours_stay_in_range(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("dwconv-bn-relu");
    nnm_config_list around = list_of(kernel, "HW=1,CIN=65536,KERNEL_SIZE=1,STRIDES=1"), list = {0};
    assert_ok(nnm_sample_finegrained(&list, kernel, &around, 300, 1, NULL, &err));
    assert_int_equal(list.count, 300);
    check_sample(kernel, &list, 0);
    nnm_config_list_fini(&around);
    nnm_config_list_fini(&list);
}

static void test_finegrained_sampling_refuses_what_makes_no_sense(void **state)
{
    (void)state;
    const nnm_kernel *kernel = kernel_called("fc");
    nnm_config_list around = list_of(kernel, "CIN=10,COUT=10"), list = {0};
    assert_fails(nnm_sample_finegrained(&list, kernel, &around, 0, 1, NULL, &err), NNM_ERR_INVALID_ARGUMENT,
                 "at least 1");
    around.items[0].value[1] = 0;
    assert_fails(nnm_sample_finegrained(&list, kernel, &around, 1, 1, NULL, &err), NNM_ERR_INVALID_ARGUMENT,
                 "configuration 1 to sample around: fc: COUT=0 is out of range");
    around.count = 0;
    assert_ok(nnm_sample_finegrained(&list, kernel, &around, 1, 1, NULL, &err));
    assert_int_equal(list.count, 0);
    nnm_config_list_fini(&around);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marginals_follow_the_prior),
        cmocka_unit_test(test_dimensions_are_independent),
        cmocka_unit_test(test_global_pools_are_of_two_sizes),
        cmocka_unit_test(test_concat_has_two_to_four_inputs),
        cmocka_unit_test(test_halves_have_even_channels),
        cmocka_unit_test(test_matrices_are_spread_over_octaves),
        cmocka_unit_test(test_prior_samples_are_distinct_allowed_and_ordered),
        cmocka_unit_test(test_equal_seeds_give_equal_samples),
        cmocka_unit_test(test_excluded_configurations_do_not_come),
        cmocka_unit_test(test_samples_are_appended),
        cmocka_unit_test(test_an_exhausted_space_is_given_whole),
        cmocka_unit_test(test_prior_sampling_refuses_what_makes_no_sense),
        cmocka_unit_test(test_only_channels_change_and_stay_near),
        cmocka_unit_test(test_channels_are_uniform),
        cmocka_unit_test(test_depthwise_keeps_cout_equal),
        cmocka_unit_test(test_neighbours_keep_what_their_kernel_needs),
        cmocka_unit_test(test_a_small_neighbourhood_is_given_whole),
        cmocka_unit_test(test_the_last_of_a_neighbourhood_is_found),
        cmocka_unit_test(test_single_channels_stay_at_one),
        cmocka_unit_test(test_many_centres_give_each_their_share),
        cmocka_unit_test(test_neighbours_stay_in_range),
        cmocka_unit_test(test_finegrained_sampling_refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
