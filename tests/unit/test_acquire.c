/* Acquisition: what it chooses is new, valid, repeatable, spread, and cheap where that costs nothing. */
#include "unit/testing.h"

#include <math.h>

#include "builder/acquire.h"
#include "builder/acquire_costs.h"
#include "builder/acquire_greedy.h"
#include "sampling/prior.h"
#include "sampling/sobol.h"
#include "unit/kernel_by_name.h"

static nnm_error err;

/* Few enough that a choice takes milliseconds under a sanitizer. */
static const nnm_acquire_options few = {.cost_weight = 0.5, .candidates = 120, .threads = 1};

typedef struct rig {
    const nnm_kernel *kernel;
    nnm_prior *prior;
    nnm_config_list configs;
    double *latency_ms;
} rig;

/* A latency as a roofline has it, with a step where channels go over a multiple of 32. */
static double latency_of(const nnm_kernel *kernel, const nnm_kernel_config *config)
{
    double flops = nnm_kernel_flops(kernel, config);
    return (0.01 + flops * 1e-8) * (config->value[1] % 32 ? 1.3 : 1.0);
}

static rig make_rig(const char *name, size_t known)
{
    rig r = {.kernel = find(name)};
    assert_ok(nnm_prior_builtin(&r.prior, r.kernel, &err));
    if (known) assert_ok(nnm_acquire_start(&r.configs, r.kernel, r.prior, known, NULL, 1, &err));
    r.latency_ms = calloc(r.configs.count + 1, sizeof *r.latency_ms);
    assert_non_null(r.latency_ms);
    for (size_t i = 0; i < r.configs.count; i++)
        r.latency_ms[i] = latency_of(r.kernel, &r.configs.items[i]);
    return r;
}

static nnm_known_kernels known_of(const rig *r)
{
    return (nnm_known_kernels){r->configs.items, r->latency_ms, NULL, r->configs.count};
}

static void end_rig(rig *r)
{
    nnm_prior_free(r->prior);
    nnm_config_list_fini(&r->configs);
    free(r->latency_ms);
}

static bool has(const nnm_kernel *kernel, const nnm_config_list *list, size_t count, const nnm_kernel_config *config)
{
    for (size_t i = 0; i < count; i++)
        if (nnm_kernel_config_equal(kernel, &list->items[i], config)) return true;
    return false;
}

static void check_list(const rig *r, const nnm_config_list *list, size_t from, const nnm_config_list *without)
{
    for (size_t i = from; i < list->count; i++) {
        assert_ok(nnm_kernel_config_check(r->kernel, &list->items[i], &err));
        assert_false(has(r->kernel, list, i, &list->items[i]));
        if (without) assert_false(has(r->kernel, without, without->count, &list->items[i]));
    }
}

static void check_equal_lists(const nnm_config_list *a, const nnm_config_list *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->items, b->items, a->count * sizeof *a->items);
}

/* ---- every kernel ---- */

static void test_every_kernel_of_the_catalogue(void **state)
{
    (void)state;
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        rig r = make_rig(nnm_kernel_name(nnm_kernel_at(i)), NNM_ACQUIRE_MIN_KNOWN);
        const nnm_known_kernels known = known_of(&r);
        nnm_config_list next = {0};
        assert_int_equal(r.configs.count, NNM_ACQUIRE_MIN_KNOWN);
        check_list(&r, &r.configs, 0, NULL);
        assert_ok(nnm_acquire(&next, r.kernel, r.prior, &known, 5, &few, NULL, 2, NULL, &err));
        assert_int_equal(next.count, 5);
        check_list(&r, &next, 0, &r.configs);
        nnm_config_list_fini(&next);
        end_rig(&r);
    }
}

/* ---- what is new ---- */

static void test_nothing_twice_and_nothing_excluded(void **state)
{
    (void)state;
    rig r = make_rig("conv-bn-relu", 30);
    const nnm_known_kernels known = known_of(&r);
    nnm_config_list first = {0}, second = {0}, start = {0};
    assert_ok(nnm_acquire(&first, r.kernel, r.prior, &known, 20, &few, NULL, 2, NULL, &err));
    assert_ok(nnm_acquire(&second, r.kernel, r.prior, &known, 20, &few, &first, 2, NULL, &err));
    check_list(&r, &second, 0, &r.configs);
    check_list(&r, &second, 0, &first);
    /* A list is appended to, and what it has does not come again. */
    assert_ok(nnm_acquire(&first, r.kernel, r.prior, &known, 20, &few, NULL, 2, NULL, &err));
    assert_int_equal(first.count, 40);
    check_list(&r, &first, 20, &r.configs);
    assert_ok(nnm_acquire_start(&start, r.kernel, r.prior, 40, &r.configs, 1, &err));
    assert_int_equal(start.count, 40);
    check_list(&r, &start, 0, &r.configs);
    nnm_config_list_fini(&first);
    nnm_config_list_fini(&second);
    nnm_config_list_fini(&start);
    end_rig(&r);
}

static void test_equal_whatever_the_threads(void **state)
{
    (void)state;
    rig r = make_rig("dwconv-bn-relu", 25);
    const nnm_known_kernels known = known_of(&r);
    nnm_acquire_options several = few;
    nnm_config_list one = {0}, three = {0}, other = {0}, start = {0};
    several.threads = 3;
    assert_ok(nnm_acquire(&one, r.kernel, r.prior, &known, 12, &few, NULL, 5, NULL, &err));
    assert_ok(nnm_acquire(&three, r.kernel, r.prior, &known, 12, &several, NULL, 5, NULL, &err));
    assert_ok(nnm_acquire(&other, r.kernel, r.prior, &known, 12, &few, NULL, 6, NULL, &err));
    check_equal_lists(&one, &three);
    assert_memory_not_equal(one.items, other.items, one.count * sizeof *one.items);
    assert_ok(nnm_acquire_start(&start, r.kernel, r.prior, 25, NULL, 1, &err));
    check_equal_lists(&start, &r.configs);
    nnm_config_list_fini(&one);
    nnm_config_list_fini(&three);
    nnm_config_list_fini(&other);
    nnm_config_list_fini(&start);
    end_rig(&r);
}

/* ---- few rows, small spaces ---- */

static void test_few_known_rows_are_a_start(void **state)
{
    (void)state;
    rig r = make_rig("fc", 0);
    const nnm_known_kernels none = known_of(&r);
    nnm_acquire_outlook outlook = {0};
    nnm_config_list start = {0};
    assert_ok(nnm_acquire(&start, r.kernel, r.prior, &none, 10, &few, NULL, 1, &outlook, &err));
    assert_int_equal(start.count, 10);
    check_list(&r, &start, 0, NULL);
    assert_true(isnan(outlook.accuracy10));
    nnm_config_list_fini(&start);
    end_rig(&r);
}

/* A prior of three rows has a few configurations only. */
static nnm_prior *small_prior(const nnm_kernel *kernel)
{
    static const char csv[] = "HW,CIN,COUT,KERNEL_SIZE,STRIDES\n224,1,1,1,1\n224,1,2,1,1\n224,1,3,1,1\n";
    const nnm_family *family = NULL;
    nnm_prior *prior = NULL;
    assert_ok(nnm_kernel_find_family(&family, kernel, &err));
    assert_ok(nnm_prior_parse(&prior, family, NULL, csv, sizeof csv - 1, "small.csv", &err));
    return prior;
}

static void test_an_exhausted_space_gives_what_it_has(void **state)
{
    (void)state;
    rig r = make_rig("relu", 0);
    nnm_prior_free(r.prior);
    r.prior = small_prior(r.kernel);
    nnm_config_list all = {0};
    assert_ok(nnm_acquire_start(&all, r.kernel, r.prior, 100, NULL, 1, &err));
    assert_int_equal(all.count, 4); /* HW 224, and the frequent 112, 56 and 28 */
    check_list(&r, &all, 0, NULL);
    assert_ok(nnm_acquire_start(&all, r.kernel, r.prior, 100, NULL, 2, &err));
    assert_int_equal(all.count, 4);
    /* With enough known rows, too: those of another, larger prior beside all of the small one. */
    rig wide = make_rig("relu", 30);
    nnm_config_list next = {0};
    const nnm_known_kernels known = known_of(&wide);
    assert_ok(nnm_acquire(&next, r.kernel, r.prior, &known, 100, &few, &all, 1, NULL, &err));
    assert_int_equal(next.count, 0);
    assert_ok(nnm_acquire(&next, r.kernel, r.prior, &known, 100, &few, NULL, 1, NULL, &err));
    assert_in_range(next.count, 1, 4);
    nnm_config_list_fini(&next);
    nnm_config_list_fini(&all);
    end_rig(&wide);
    end_rig(&r);
}

/* ---- costs ---- */

static float one_each(const void *context, size_t candidate, size_t row)
{
    (void)context;
    return candidate / 2 == row ? 1.0F : 0.0F;
}

static void test_of_equal_benefit_the_cheaper_one(void **state)
{
    (void)state;
    /* Candidates 2 i and 2 i + 1 stand for row i alike. */
    const double worth[] = {3, 1, 2}, price[] = {2, 1, 1, 3, 1, 4};
    const nnm_greedy greedy = {
        .candidates = 6, .reference = 3, .alike = one_each, .worth = worth, .price = price, .threads = 1};
    size_t chosen[6], count = 0;
    assert_ok(nnm_greedy_choose(chosen, &count, &greedy, 3, &err));
    assert_int_equal(count, 3);
    assert_int_equal(chosen[0], 1);
    assert_int_equal(chosen[1], 4);
    assert_int_equal(chosen[2], 2);
    /* More than there are: each once. */
    assert_ok(nnm_greedy_choose(chosen, &count, &greedy, 10, &err));
    assert_int_equal(count, 6);
}

static void test_time_that_counts_is_saved(void **state)
{
    (void)state;
    rig r = make_rig("conv-bn-relu", 60);
    const nnm_known_kernels known = known_of(&r);
    nnm_acquire_outlook outlook[2];
    for (size_t i = 0; i < 2; i++) {
        nnm_acquire_options options = {.cost_weight = (double)i, .candidates = 200, .threads = 1};
        nnm_config_list next = {0};
        assert_ok(nnm_acquire(&next, r.kernel, r.prior, &known, 20, &options, NULL, 3, &outlook[i], &err));
        nnm_config_list_fini(&next);
        assert_true(outlook[i].accuracy10 > 0 && outlook[i].accuracy10 < 1);
    }
    assert_true(outlook[1].seconds < outlook[0].seconds / 2);
    assert_true(outlook[1].mean_cost_s == outlook[0].mean_cost_s);
    end_rig(&r);
}

static void test_costs_follow_what_measuring_took(void **state)
{
    (void)state;
    const double latency_ms[] = {8, 1, 2, 4, 16}, seconds[] = {0.8, 0.1, 0.2, 0.4, 1.6};
    nnm_costs costs = {0};
    assert_ok(nnm_costs_learn(&costs, latency_ms, seconds, 5, &err));
    double before = 0;
    for (double latency = 0.5; latency < 100; latency *= 1.5) {
        double now = nnm_costs_seconds(&costs, latency);
        assert_true(now >= before);
        before = now;
    }
    assert_true(fabs(nnm_costs_seconds(&costs, 4) - 0.4) < 1e-12);
    assert_true(fabs(nnm_costs_seconds(&costs, 160) / nnm_costs_seconds(&costs, 16) - 10) < 1e-9);
    nnm_costs_fini(&costs);
    /* Without them, those of the protocol: a kernel of a second takes longer than a small one, but not for ever. */
    assert_ok(nnm_costs_learn(&costs, latency_ms, NULL, 5, &err));
    assert_true(nnm_costs_seconds(&costs, 0.01) < 0.2);
    assert_true(nnm_costs_seconds(&costs, 1000) > 5 && nnm_costs_seconds(&costs, 1000) < 10);
    nnm_costs_fini(&costs);
}

/* ---- points ---- */

static void test_points_are_spread_evenly(void **state)
{
    (void)state;
    nnm_sobol points = {7, 0}, others = {8, 0};
    size_t seen[NNM_SOBOL_MAX_DIMENSIONS][64] = {{0}};
    bool differ = false;
    for (size_t i = 0; i < 64; i++) {
        double point[NNM_SOBOL_MAX_DIMENSIONS], other[NNM_SOBOL_MAX_DIMENSIONS];
        nnm_sobol_next(&points, NNM_SOBOL_MAX_DIMENSIONS, point);
        nnm_sobol_next(&others, NNM_SOBOL_MAX_DIMENSIONS, other);
        for (size_t d = 0; d < NNM_SOBOL_MAX_DIMENSIONS; d++) {
            assert_true(point[d] >= 0 && point[d] < 1);
            seen[d][(size_t)(point[d] * 64)]++;
            differ = differ || point[d] != other[d];
        }
    }
    assert_true(differ);
    for (size_t d = 0; d < NNM_SOBOL_MAX_DIMENSIONS; d++)
        for (size_t bin = 0; bin < 64; bin++)
            assert_int_equal(seen[d][bin], 1);
}

/* Of the frequent settings as many come as the prior says, almost exactly. */
static void test_points_give_the_shares_of_the_prior(void **state)
{
    (void)state;
    rig r = make_rig("concat", 0);
    nnm_sobol points = {3, 0};
    size_t inputs[NNM_KERNEL_MAX_INPUTS + 1] = {0};
    for (size_t i = 0; i < 1024; i++) {
        double point[NNM_PRIOR_COORDINATES];
        int64_t values[NNM_KERNEL_MAX_PARAMS];
        nnm_sobol_next(&points, NNM_PRIOR_COORDINATES, point);
        nnm_prior_at(r.prior, point, values);
        size_t count = 0;
        for (size_t k = 1; k <= NNM_KERNEL_MAX_INPUTS; k++)
            count += values[k] > 0;
        inputs[count]++;
    }
    assert_in_range(inputs[2], 405, 415); /* 40 % */
    assert_in_range(inputs[3], 200, 210);
    assert_in_range(inputs[4], 405, 415);
    end_rig(&r);
}

/* ---- what is refused ---- */

static void test_what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    rig r = make_rig("conv-bn-relu", 20), other = make_rig("fc", 0);
    nnm_known_kernels known = known_of(&r);
    nnm_acquire_options options = few;
    nnm_config_list out = {0};
    double seconds[20] = {0};
    assert_fails(nnm_acquire_start(&out, r.kernel, r.prior, 0, NULL, 1, &err), NNM_ERR_INVALID_ARGUMENT, "0 samples");
    assert_fails(nnm_acquire_start(&out, r.kernel, other.prior, 1, NULL, 1, &err), NNM_ERR_INVALID_ARGUMENT,
                 "the prior is for the kernel family 'fc'");
    options.cost_weight = 1.5;
    assert_fails(nnm_acquire(&out, r.kernel, r.prior, &known, 1, &options, NULL, 1, NULL, &err), NNM_ERR_VALUE,
                 "cost weight: found 1.5");
    options = (nnm_acquire_options){.cost_weight = 0, .candidates = 0};
    assert_fails(nnm_acquire(&out, r.kernel, r.prior, &known, 1, &options, NULL, 1, NULL, &err), NNM_ERR_VALUE,
                 "candidates: found 0");
    seconds[3] = -1;
    known.seconds = seconds;
    assert_fails(nnm_acquire(&out, r.kernel, r.prior, &known, 1, &few, NULL, 1, NULL, &err), NNM_ERR_VALUE,
                 "found -1 seconds");
    r.latency_ms[2] = 0;
    assert_fails(nnm_acquire(&out, r.kernel, r.prior, &known, 1, &few, NULL, 1, NULL, &err), NNM_ERR_VALUE,
                 "found a latency of 0 ms");
    assert_int_equal(out.count, 0);
    end_rig(&r);
    end_rig(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kernel_of_the_catalogue),
        cmocka_unit_test(test_nothing_twice_and_nothing_excluded),
        cmocka_unit_test(test_equal_whatever_the_threads),
        cmocka_unit_test(test_few_known_rows_are_a_start),
        cmocka_unit_test(test_an_exhausted_space_gives_what_it_has),
        cmocka_unit_test(test_of_equal_benefit_the_cheaper_one),
        cmocka_unit_test(test_time_that_counts_is_saved),
        cmocka_unit_test(test_costs_follow_what_measuring_took),
        cmocka_unit_test(test_points_are_spread_evenly),
        cmocka_unit_test(test_points_give_the_shares_of_the_prior),
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
