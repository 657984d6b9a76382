/* Packed trees answer what their nodes say, bit for bit, whichever way they are walked. */
#include "learn/tree_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "learn/tree_pack.h"
#include "learn/tree_pool.h"
#include "unit/testing.h"

#define MAX_TREES 600
#define MAX_COLUMNS 700
#define ROWS 300

typedef struct trees {
    nnm_tree_node *nodes[MAX_TREES];
    size_t node_count[MAX_TREES];
    size_t count, columns;
} trees;

/* A tree of random shape with `splits` splits, on thresholds that come more than once. */
static void add_tree(trees *t, nnm_rng *rng, size_t splits)
{
    size_t count = 2 * splits + 1, next = 1;
    nnm_tree_node *nodes = test_calloc(count, sizeof *nodes);
    for (size_t i = 0; i < count; i++) {
        bool last = next == i + 1; /* no other node is left to be split */
        bool leaf = next == count || (!last && nnm_rng_below(rng, 3) == 0);
        nodes[i] = (nnm_tree_node){.value = nnm_rng_uniform(rng) - 0.5, .feature = NNM_NO_FEATURE};
        if (leaf) continue;
        nodes[i].value = (double)nnm_rng_below(rng, 40) / 4;
        nodes[i].feature = (uint32_t)nnm_rng_below(rng, t->columns);
        nodes[i].left = (uint32_t)next++;
        nodes[i].right = (uint32_t)next++;
    }
    t->nodes[t->count] = nodes;
    t->node_count[t->count++] = count;
}

/* Each split has a leaf at its left: as deep, and with as many thresholds, as a tree can be. */
static void add_chain(trees *t, size_t splits)
{
    nnm_tree_node *nodes = test_calloc(2 * splits + 1, sizeof *nodes);
    for (size_t i = 0; i < splits; i++) {
        uint32_t left = (uint32_t)(2 * i + 1);
        nodes[2 * i] = (nnm_tree_node){(double)i, (uint32_t)(i % t->columns), left, left + 1};
        nodes[2 * i + 1] = (nnm_tree_node){.value = (double)i * 1e-3, .feature = NNM_NO_FEATURE};
    }
    nodes[2 * splits] = (nnm_tree_node){.value = -1, .feature = NNM_NO_FEATURE};
    t->nodes[t->count] = nodes;
    t->node_count[t->count++] = 2 * splits + 1;
}

static void free_trees(trees *t)
{
    for (size_t i = 0; i < t->count; i++)
        test_free(t->nodes[i]);
}

static nnm_tree_set *pack(const trees *t)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tree_set *set = NULL;
    assert_ok(
        nnm_tree_set_new(&set, (const nnm_tree_node *const *)t->nodes, t->node_count, t->count, t->columns, &err));
    return set;
}

static double walk(const nnm_tree_node *nodes, const double *x)
{
    size_t at = 0;
    while (nodes[at].feature != NNM_NO_FEATURE)
        at = x[nodes[at].feature] <= nodes[at].value ? nodes[at].left : nodes[at].right;
    return nodes[at].value;
}

static double walk_set(const nnm_tree_set *set, size_t tree, const double *x)
{
    nnm_tree_node node = nnm_tree_set_node(set, tree, 0);
    while (node.feature != NNM_NO_FEATURE)
        node = nnm_tree_set_node(set, tree, x[node.feature] <= node.value ? node.left : node.right);
    return node.value;
}

/* Values on thresholds, between them, beyond them, and none. */
static double *make_rows(size_t columns)
{
    static const double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, -0.0, 1e300, 30000.5};
    nnm_rng rng;
    nnm_rng_init(&rng, 3, 0);
    double *x = test_calloc(ROWS * columns, sizeof *x);
    for (size_t i = 0; i < ROWS * columns; i++)
        x[i] = nnm_rng_below(&rng, 20) ? (double)nnm_rng_below(&rng, 90) / 8 : odd[nnm_rng_below(&rng, 6)];
    return x;
}

static void check_answers(const trees *t, const nnm_tree_set *set, const double *x)
{
    double answers[MAX_TREES], sums[ROWS], expected[ROWS], one;
    memset(expected, 0, sizeof expected);
    for (size_t row = 0; row < ROWS; row++) {
        const double *at = x + row * t->columns;
        nnm_tree_set_answers(set, 0, t->count, at, answers);
        for (size_t i = 0; i < t->count; i++) {
            assert_true(answers[i] == walk(t->nodes[i], at));
            expected[row] += answers[i];
        }
        nnm_tree_set_sum(set, 0, t->count, at, 1, &one);
        assert_true(one == expected[row]);
        nnm_tree_set_answers(set, t->count - 1, 1, at, &one);
        assert_true(one == answers[t->count - 1]);
        assert_true(one == walk_set(set, t->count - 1, at));
    }
    nnm_tree_set_sum(set, 0, t->count, x, ROWS, sums);
    assert_memory_equal(sums, expected, sizeof sums);
    double mean;
    nnm_tree_set_mean(set, x, ROWS, sums);
    for (size_t row = 0; row < ROWS; row++) {
        nnm_tree_set_mean(set, x + row * t->columns, 1, &mean);
        assert_true(mean == sums[row]);
    }
}

/* With the processor's vector instructions, where it has them, and without. */
static void check(trees *t, unsigned word_bytes)
{
    nnm_tree_set *set = pack(t);
    double *x = make_rows(t->columns);
    assert_int_equal(set->layout.bytes, word_bytes);
    check_answers(t, set, x);
    set->portable = true;
    check_answers(t, set, x);
    test_free(x);
    nnm_tree_set_free(set);
    free_trees(t);
}

static void packed_trees_answer_as_their_nodes_do(void **state)
{
    (void)state;
    static const size_t columns[] = {1, 7, 8, 40}, counts[] = {1, 9, 64, 70};
    for (size_t c = 0; c < 4; c++) {
        nnm_rng rng;
        nnm_rng_init(&rng, 1, c);
        trees t = {.columns = columns[c]};
        while (t.count < counts[c])
            add_tree(&t, &rng, t.count % 5 == 1 ? 0 : nnm_rng_below(&rng, 200));
        check(&t, 4);
    }
}

static void more_trees_than_are_walked_at_once(void **state)
{
    (void)state;
    nnm_rng rng;
    nnm_rng_init(&rng, 2, 0);
    trees t = {.columns = 5};
    while (t.count < MAX_TREES)
        add_tree(&t, &rng, nnm_rng_below(&rng, 12));
    check(&t, 4);
}

static void trees_too_large_for_words_of_four_bytes(void **state)
{
    (void)state;
    nnm_rng rng;
    nnm_rng_init(&rng, 4, 0);
    trees t = {.columns = 1};
    add_chain(&t, 40000);
    while (t.count < 70)
        add_tree(&t, &rng, nnm_rng_below(&rng, 50));
    check(&t, 8);
}

static void rows_too_wide_to_be_encoded(void **state)
{
    (void)state;
    nnm_rng rng;
    nnm_rng_init(&rng, 5, 0);
    trees t = {.columns = MAX_COLUMNS};
    add_chain(&t, 20000); /* words of 8 bytes: codes of a row are too many */
    while (t.count < 10)
        add_tree(&t, &rng, 100);
    check(&t, 8);
}

static void nodes_that_are_no_tree_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_tree_set *set = NULL;
    const nnm_tree_node leaf = {.value = 1, .feature = NNM_NO_FEATURE};
    const nnm_tree_node good[] = {{0.5, 0, 1, 2}, leaf, leaf};
    const nnm_tree_node itself[] = {{0.5, 0, 0, 2}, leaf, leaf}, twice[] = {{0.5, 0, 1, 1}, leaf, leaf};
    const nnm_tree_node beyond[] = {{0.5, 0, 1, 3}, leaf, leaf}, column[] = {{0.5, 2, 1, 2}, leaf, leaf};
    const nnm_tree_node lost[] = {leaf, leaf, leaf};
    const nnm_tree_node *const bad[] = {itself, twice, beyond, column, lost};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const nnm_tree_node *const both[] = {good, bad[i]};
        assert_fails(nnm_tree_set_new(&set, both, (const size_t[]){3, 3}, 2, 2, &err), NNM_ERR_INVALID_ARGUMENT,
                     "tree 2 of 2 is not a tree");
        assert_null(set);
    }
}

/* Pools walk their own nodes until they are packed. */
static void a_packed_pool_answers_as_before(void **state)
{
    (void)state;
    enum {
        TREES = 75,
        COLUMNS = 6,
        SPLITS = 50
    };
    nnm_error err = NNM_ERROR_INIT;
    nnm_rng rng;
    nnm_rng_init(&rng, 6, 0);
    nnm_pool_tree grown[TREES];
    nnm_pool_node nodes[TREES][2 * SPLITS + 1];
    for (size_t t = 0; t < TREES; t++) {
        grown[t] = (nnm_pool_tree){nodes[t], 2 * SPLITS + 1};
        for (uint32_t i = 0; i < SPLITS; i++) {
            nodes[t][2 * i] = (nnm_pool_node){(double)nnm_rng_below(&rng, 60) / 5, i % COLUMNS, 2 * i + 2};
            nodes[t][2 * i + 1] = (nnm_pool_node){nnm_pool_round(nnm_rng_uniform(&rng)), NNM_POOL_LEAF, 0};
        }
        nodes[t][2 * SPLITS] = (nnm_pool_node){-1, NNM_POOL_LEAF, 0};
    }
    nnm_tree_pool pool = {.columns = COLUMNS, .count = TREES, .trees = grown};
    double *x = make_rows(COLUMNS), before[ROWS][TREES], after[TREES];
    for (size_t row = 0; row < ROWS; row++)
        nnm_tree_pool_answers(&pool, 0, TREES, x + row * COLUMNS, before[row]);
    assert_ok(nnm_tree_pool_pack(&pool, &err));
    assert_non_null(pool.packed);
    for (size_t row = 0; row < ROWS; row++) {
        nnm_tree_pool_answers(&pool, 0, TREES, x + row * COLUMNS, after);
        assert_memory_equal(before[row], after, sizeof after);
        nnm_tree_pool_answers(&pool, 70, 5, x + row * COLUMNS, after);
        assert_memory_equal(before[row] + 70, after, 5 * sizeof *after);
    }
    nnm_tree_set_free(pool.packed);
    test_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_trees_answer_as_their_nodes_do),   cmocka_unit_test(more_trees_than_are_walked_at_once),
        cmocka_unit_test(trees_too_large_for_words_of_four_bytes), cmocka_unit_test(rows_too_wide_to_be_encoded),
        cmocka_unit_test(nodes_that_are_no_tree_are_refused),      cmocka_unit_test(a_packed_pool_answers_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
