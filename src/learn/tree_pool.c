#include "learn/tree_pool.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "learn/number_table.h"
#include "learn/tree_pack.h"

#define ANSWER_BITS 16
#define WALKS 8

void nnm_tree_pool_fini(nnm_tree_pool *pool)
{
    for (size_t t = 0; pool->trees && t < pool->count; t++)
        free(pool->trees[t].nodes);
    free(pool->trees);
    nnm_tree_set_free(pool->packed);
    *pool = (nnm_tree_pool){0};
}

double nnm_pool_round(double answer)
{
    double steps = nearbyint(answer * NNM_POOL_STEP);
    if (!(steps > -NNM_POOL_ZERO)) steps = -NNM_POOL_ZERO;
    if (steps > NNM_POOL_ZERO - 1) steps = NNM_POOL_ZERO - 1;
    return steps / NNM_POOL_STEP;
}

static double answer(const nnm_pool_node *nodes, const double *x)
{
    uint32_t at = 0;
    while (nodes[at].column != NNM_POOL_LEAF)
        at = x[nodes[at].column] <= nodes[at].value ? at + 1 : nodes[at].right;
    return nodes[at].value;
}

/* Several trees at once: a walk waits for memory most of the time. */
static void answer_together(const nnm_pool_tree *trees, const double *x, double *out)
{
    const nnm_pool_node *at[WALKS];
    size_t walking = WALKS;
    for (size_t w = 0; w < WALKS; w++)
        at[w] = trees[w].nodes;
    while (walking) {
        walking = 0;
        for (size_t w = 0; w < WALKS; w++) {
            const nnm_pool_node *node = at[w];
            if (node->column == NNM_POOL_LEAF) continue;
            walking++;
            at[w] = x[node->column] <= node->value ? node + 1 : trees[w].nodes + node->right;
        }
    }
    for (size_t w = 0; w < WALKS; w++)
        out[w] = at[w]->value;
}

void nnm_tree_pool_answers(const nnm_tree_pool *pool, size_t first, size_t count, const double *x, double *out)
{
    if (pool->packed) {
        nnm_tree_set_answers(pool->packed, first, count, x, out);
        return;
    }
    const nnm_pool_tree *trees = pool->trees + first;
    size_t t = 0;
    for (; t + WALKS <= count; t += WALKS)
        answer_together(trees + t, x, out + t);
    for (; t < count; t++)
        out[t] = answer(trees[t].nodes, x);
}

/* ---- file form ---- */

static void free_tables(nnm_number_table *tables, size_t columns)
{
    for (size_t i = 0; tables && i < columns; i++)
        nnm_number_table_fini(&tables[i]);
    free(tables);
}

static nnm_status collect_thresholds(const nnm_tree_pool *pool, nnm_number_table *tables, nnm_error *err)
{
    for (size_t t = 0; t < pool->count; t++) {
        for (size_t i = 0; i < pool->trees[t].count; i++) {
            const nnm_pool_node *node = &pool->trees[t].nodes[i];
            if (node->column == NNM_POOL_LEAF) continue;
            nnm_status status = nnm_number_table_add(&tables[node->column], node->value, err);
            if (status) return status;
        }
    }
    for (size_t i = 0; i < pool->columns; i++)
        nnm_number_table_sort(&tables[i]);
    return NNM_OK;
}

/* `nodes` has room for the largest tree. */
static nnm_status pack_tree(nnm_tree_set *set, size_t t, const nnm_pool_tree *tree, const nnm_number_table *tables,
                            nnm_tree_node *nodes, nnm_error *err)
{
    for (size_t i = 0; i < tree->count; i++) {
        const nnm_pool_node *from = &tree->nodes[i];
        if (from->column == NNM_POOL_LEAF)
            nodes[i] = (nnm_tree_node){.value = from->value, .feature = NNM_NO_FEATURE};
        else
            nodes[i] = (nnm_tree_node){nnm_number_table_find(&tables[from->column], from->value), from->column,
                                       (uint32_t)i + 1, from->right};
    }
    return nnm_packed_tree_fill(&set->trees[t], nodes, tree->count, set) ? NNM_OK : nnm_fail_memory(err);
}

static nnm_status set_cuts(nnm_tree_set *set, const nnm_number_table *tables, nnm_error *err)
{
    for (size_t f = 0; f < set->columns; f++) {
        set->cut_counts[f] = tables[f].count;
        set->cuts[f] = nnm_calloc(tables[f].count, sizeof **set->cuts);
        if (!set->cuts[f]) return nnm_fail_memory(err);
        for (size_t i = 0; i < tables[f].count; i++)
            set->cuts[f][i] = nnm_number_table_at(&tables[f], i);
    }
    return NNM_OK;
}

static nnm_status pack(nnm_tree_pool *pool, const nnm_number_table *tables, nnm_error *err)
{
    size_t most_nodes = 1, most_numbers = 1;
    for (size_t t = 0; t < pool->count; t++)
        if (pool->trees[t].count > most_nodes) most_nodes = pool->trees[t].count;
    for (size_t f = 0; f < pool->columns; f++)
        if (tables[f].count > most_numbers) most_numbers = tables[f].count;
    if (most_nodes / 2 > most_numbers) most_numbers = most_nodes / 2;

    nnm_tree_set *set = nnm_tree_set_alloc(pool->count, pool->columns);
    nnm_tree_node *nodes = nnm_calloc(most_nodes, sizeof *nodes);
    nnm_status status = set && nodes ? set_cuts(set, tables, err) : nnm_fail_memory(err);
    bool fits = !status && nnm_word_layout_init(&set->layout, pool->columns, most_nodes, most_numbers);
    for (size_t t = 0; fits && t < pool->count && !status; t++)
        status = pack_tree(set, t, &pool->trees[t], tables, nodes, err);
    if (fits && !status) {
        pool->packed = set;
        set = NULL;
    }
    nnm_tree_set_free(set);
    free(nodes);
    return status;
}

nnm_status nnm_tree_pool_pack(nnm_tree_pool *pool, nnm_error *err)
{
    nnm_number_table *tables = nnm_calloc(pool->columns, sizeof *tables);
    if (!tables) return nnm_fail_memory(err);
    nnm_status status = collect_thresholds(pool, tables, err);
    if (!status) status = pack(pool, tables, err);
    free_tables(tables, pool->columns);
    return status;
}

static void put_node(const nnm_pool_node *node, const nnm_number_table *tables, size_t columns, nnm_bit_writer *writer)
{
    bool leaf = node->column == NNM_POOL_LEAF;
    nnm_put_bits(writer, leaf, 1);
    if (leaf) {
        nnm_put_bits(writer, (uint32_t)(node->value * NNM_POOL_STEP + NNM_POOL_ZERO), ANSWER_BITS);
        return;
    }
    const nnm_number_table *table = &tables[node->column];
    nnm_put_bits(writer, node->column, nnm_bit_width((uint32_t)columns));
    nnm_put_bits(writer, nnm_number_table_find(table, node->value), nnm_bit_width((uint32_t)table->count));
}

nnm_status nnm_tree_pool_put(const nnm_tree_pool *pool, nnm_buffer *out, nnm_error *err)
{
    nnm_number_table *tables = nnm_calloc(pool->columns, sizeof *tables);
    if (!tables) return nnm_fail_memory(err);
    nnm_status status = collect_thresholds(pool, tables, err);
    if (!status) {
        nnm_put_u32(out, (uint32_t)pool->count);
        for (size_t i = 0; i < pool->columns; i++)
            nnm_number_table_put(&tables[i], out);
        for (size_t t = 0; t < pool->count; t++)
            nnm_put_u32(out, (uint32_t)pool->trees[t].count);
        nnm_bit_writer writer = {.out = out};
        for (size_t t = 0; t < pool->count; t++)
            for (size_t i = 0; i < pool->trees[t].count; i++)
                put_node(&pool->trees[t].nodes[i], tables, pool->columns, &writer);
        nnm_flush_bits(&writer);
    }
    free_tables(tables, pool->columns);
    return status;
}

static bool get_node(nnm_pool_node *node, nnm_bit_reader *in, const nnm_number_table *tables, size_t columns)
{
    if (nnm_get_bits(in, 1)) {
        double steps = (double)nnm_get_bits(in, ANSWER_BITS) - NNM_POOL_ZERO;
        *node = (nnm_pool_node){.value = steps / NNM_POOL_STEP, .column = NNM_POOL_LEAF};
        return !in->failed;
    }
    uint32_t column = nnm_get_bits(in, nnm_bit_width((uint32_t)columns));
    if (in->failed || column >= columns) return false;
    uint32_t index = nnm_get_bits(in, nnm_bit_width((uint32_t)tables[column].count));
    if (in->failed || index >= tables[column].count) return false;
    *node = (nnm_pool_node){.value = nnm_number_table_at(&tables[column], index), .column = column};
    return true;
}

/* While a split's left subtree is being read, `right` names the split around it that waits in the same way, less one. A
 * leaf ends the left subtree of the innermost one, whose right child comes next; the leaf for which none waits ends the
 * tree. */
static bool get_tree(nnm_pool_tree *tree, nnm_bit_reader *in, const nnm_number_table *tables, size_t columns)
{
    uint32_t waiting = NNM_POOL_LEAF;
    for (uint32_t i = 0; i < tree->count; i++) {
        nnm_pool_node *node = &tree->nodes[i];
        if (!get_node(node, in, tables, columns)) return false;
        if (node->column != NNM_POOL_LEAF) {
            node->right = waiting;
            waiting = i;
        } else if (waiting == NNM_POOL_LEAF) {
            return i + 1 == tree->count;
        } else {
            uint32_t parent = waiting;
            waiting = tree->nodes[parent].right;
            tree->nodes[parent].right = i + 1;
        }
    }
    return false;
}

static nnm_status get_node_counts(nnm_tree_pool *pool, nnm_reader *in, nnm_error *err)
{
    size_t total = 0;
    for (size_t t = 0; t < pool->count; t++) {
        size_t count = nnm_get_u32(in);
        total += count;
        /* A leaf takes 17 bits, and more than half of the nodes are leaves. */
        if (in->failed || count < 1 || total > nnm_left(in))
            return nnm_fail(err, NNM_ERR_PARSE, "tree %zu: %zu nodes do not fit the file", t + 1, count);
        pool->trees[t].nodes = nnm_calloc(count, sizeof *pool->trees[t].nodes);
        if (!pool->trees[t].nodes) return nnm_fail_memory(err);
        pool->trees[t].count = count;
    }
    return NNM_OK;
}

static nnm_status get_count(nnm_tree_pool *pool, nnm_reader *in, nnm_error *err)
{
    size_t count = nnm_get_u32(in);
    if (in->failed || count < 1 || count > NNM_POOL_MAX_TREES)
        return nnm_fail(err, NNM_ERR_PARSE, "%zu trees are not 1 to %d", count, NNM_POOL_MAX_TREES);
    pool->trees = nnm_calloc(count, sizeof *pool->trees);
    if (!pool->trees) return nnm_fail_memory(err);
    pool->count = count;
    return NNM_OK;
}

static nnm_status get_nodes(nnm_tree_pool *pool, nnm_reader *in, const nnm_number_table *tables, nnm_error *err)
{
    nnm_bit_reader bits = {.at = in->at, .end = in->end};
    for (size_t t = 0; t < pool->count; t++)
        if (!get_tree(&pool->trees[t], &bits, tables, pool->columns))
            return nnm_fail(err, NNM_ERR_PARSE, "tree %zu of %zu is not valid", t + 1, pool->count);
    size_t left = (size_t)(bits.end - bits.at);
    if (left || bits.bits) return nnm_fail(err, NNM_ERR_PARSE, "%zu bytes follow the last tree", left);
    in->at = in->end;
    return NNM_OK;
}

nnm_status nnm_tree_pool_get(nnm_tree_pool *out, nnm_reader *in, size_t columns, nnm_error *err)
{
    nnm_tree_pool pool = {.columns = columns};
    nnm_number_table *tables = nnm_calloc(columns, sizeof *tables);
    nnm_status status = tables ? get_count(&pool, in, err) : nnm_fail_memory(err);
    for (size_t i = 0; i < columns && !status; i++)
        status = nnm_number_table_get(&tables[i], in, err);
    if (!status) status = get_node_counts(&pool, in, err);
    if (!status) status = get_nodes(&pool, in, tables, err);
    if (!status) status = pack(&pool, tables, err);
    free_tables(tables, columns);
    if (status)
        nnm_tree_pool_fini(&pool);
    else
        *out = pool;
    return status;
}
