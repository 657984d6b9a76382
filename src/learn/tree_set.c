#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "learn/bytes.h"
#include "learn/number_table.h"
#include "learn/tree_pack.h"

/* Bits for the numbers 0..largest. */
static unsigned bits_for(size_t largest)
{
    unsigned bits = 0;
    while (largest >> bits)
        bits++;
    return bits;
}

bool nnm_word_layout_init(nnm_word_layout *layout, size_t columns, size_t nodes, size_t numbers)
{
    unsigned feature_bits = bits_for(columns), child_bits = bits_for(nodes);
    unsigned all = feature_bits + child_bits + bits_for(numbers);
    *layout = (nnm_word_layout){all <= 32 ? 4 : 8, feature_bits, child_bits};
    return all <= 64;
}

nnm_tree_set *nnm_tree_set_alloc(size_t count, size_t columns)
{
    nnm_tree_set *set = nnm_calloc(1, sizeof *set);
    if (!set) return NULL;
    set->count = count;
    set->columns = columns;
    set->trees = nnm_calloc(count, sizeof *set->trees);
    set->cuts = nnm_calloc(columns, sizeof *set->cuts);
    set->cut_counts = nnm_calloc(columns, sizeof *set->cut_counts);
    if (set->trees && set->cuts && set->cut_counts) return set;
    nnm_tree_set_free(set);
    return NULL;
}

void nnm_tree_set_free(nnm_tree_set *set)
{
    if (!set) return;
    for (size_t i = 0; set->trees && i < set->count; i++)
        free(set->trees[i].leaves);
    for (size_t i = 0; set->cuts && i < set->columns; i++)
        free(set->cuts[i]);
    free(set->trees);
    free(set->cuts);
    free(set->cut_counts);
    free(set);
}

bool nnm_packed_tree_init(nnm_packed_tree *tree, size_t nodes, const nnm_word_layout *layout)
{
    size_t leaves = (nodes + 1) / 2;
    size_t bytes = leaves * sizeof(double) + (nodes + 1) * layout->bytes;
    double *block = nnm_reallocarray(NULL, bytes / sizeof *block + 1, sizeof *block);
    if (!block) return false;
    *tree = (nnm_packed_tree){block, block + leaves, nodes, leaves};
    return true;
}

static uint64_t get_word(const void *nodes, size_t place, unsigned bytes)
{
    return bytes == 4 ? ((const uint32_t *)nodes)[place] : ((const uint64_t *)nodes)[place];
}

static void set_word(void *nodes, size_t place, unsigned bytes, uint64_t word)
{
    if (bytes == 4)
        ((uint32_t *)nodes)[place] = (uint32_t)word;
    else
        ((uint64_t *)nodes)[place] = word;
}

uint64_t nnm_tree_word(const nnm_tree_set *set, size_t tree, size_t place)
{
    return get_word(set->trees[tree].nodes, place, set->layout.bytes);
}

/* A node that waits for its place. */
typedef struct waiting_node {
    uint32_t node, place;
} waiting_node;

/* Places pairs of children, the larger subtree's first: most walks then go on in the same cache line. */
static void place_nodes(nnm_packed_tree *tree, const nnm_tree_node *nodes, const nnm_tree_set *set,
                        const uint32_t *sizes, waiting_node *stack)
{
    const nnm_word_layout *layout = &set->layout;
    size_t waiting = 0;
    uint32_t places = 2;
    stack[waiting++] = (waiting_node){0, 1};
    while (waiting > 0) {
        waiting_node w = stack[--waiting];
        const nnm_tree_node *n = &nodes[w.node];
        if (n->feature == NNM_NO_FEATURE) continue;
        uint32_t left = places, right = places + 1;
        places += 2;
        uint64_t number = (uint64_t)n->value;
        uint64_t word = number << nnm_number_shift(layout) | (uint64_t)left << layout->feature_bits | n->feature;
        set_word(tree->nodes, w.place, layout->bytes, word);
        bool left_first = sizes[n->left] >= sizes[n->right];
        waiting_node first = {n->left, left}, second = {n->right, right};
        stack[waiting++] = left_first ? second : first;
        stack[waiting++] = left_first ? first : second;
    }
}

/* Leaves get the numbers of their values in the order of their places. `at` is filled with the node of each place; that
 * of the root is there. */
static void place_leaves(nnm_packed_tree *tree, const nnm_tree_node *nodes, const nnm_tree_set *set, uint32_t *at)
{
    const nnm_word_layout *layout = &set->layout;
    uint64_t child_mask = (UINT64_C(1) << layout->child_bits) - 1;
    size_t leaf = 0;
    for (size_t place = 1; place <= tree->node_count; place++) {
        const nnm_tree_node *n = &nodes[at[place]];
        if (n->feature == NNM_NO_FEATURE) {
            tree->leaves[leaf] = n->value;
            uint64_t word =
                (uint64_t)leaf++ << nnm_number_shift(layout) | (uint64_t)place << layout->feature_bits | set->columns;
            set_word(tree->nodes, place, layout->bytes, word);
            continue;
        }
        uint64_t word = get_word(tree->nodes, place, layout->bytes);
        size_t left = (word >> layout->feature_bits) & child_mask;
        at[left] = n->left;
        at[left + 1] = n->right;
    }
}

bool nnm_packed_tree_fill(nnm_packed_tree *tree, const nnm_tree_node *nodes, size_t count, const nnm_tree_set *set)
{
    uint32_t *sizes = nnm_calloc(count + 2, sizeof *sizes);
    waiting_node *stack = nnm_calloc(count / 2 + 2, sizeof *stack);
    bool filled = sizes && stack && nnm_packed_tree_init(tree, count, &set->layout);
    if (filled) {
        for (size_t i = count; i > 0; i--) {
            const nnm_tree_node *n = &nodes[i - 1];
            sizes[i - 1] = n->feature == NNM_NO_FEATURE ? 1 : 1 + sizes[n->left] + sizes[n->right];
        }
        set_word(tree->nodes, 0, set->layout.bytes, 0);
        place_nodes(tree, nodes, set, sizes, stack);
        sizes[1] = 0; /* from here on: the node at each place */
        place_leaves(tree, nodes, set, sizes);
    }
    free(sizes);
    free(stack);
    return filled;
}

/* Whether each node but the root is the child of exactly one node before it. */
static bool is_tree(const nnm_tree_node *nodes, size_t count, size_t columns)
{
    uint8_t *seen = nnm_calloc(count, 1);
    if (!seen) return false;
    size_t children = 0;
    bool good = count > 0 && count < UINT32_MAX;
    for (size_t i = 0; i < count && good; i++) {
        const nnm_tree_node *n = &nodes[i];
        if (n->feature == NNM_NO_FEATURE) continue;
        good = n->feature < columns && n->left > i && n->right > i && n->left < count && n->right < count &&
               n->left != n->right && !seen[n->left] && !seen[n->right];
        if (!good) break;
        seen[n->left] = seen[n->right] = 1;
        children += 2;
    }
    free(seen);
    return good && children + 1 == count;
}

static nnm_status collect_cuts(nnm_tree_set *set, const nnm_tree_node *const *trees, const size_t *node_counts,
                               nnm_number_table *tables, nnm_error *err)
{
    for (size_t t = 0; t < set->count; t++) {
        if (!is_tree(trees[t], node_counts[t], set->columns))
            return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "tree %zu of %zu is not a tree", t + 1, set->count);
        for (size_t i = 0; i < node_counts[t]; i++) {
            const nnm_tree_node *n = &trees[t][i];
            if (n->feature == NNM_NO_FEATURE) continue;
            nnm_status status = nnm_number_table_add(&tables[n->feature], n->value, err);
            if (status) return status;
        }
    }
    for (size_t f = 0; f < set->columns; f++) {
        nnm_number_table_sort(&tables[f]);
        set->cut_counts[f] = tables[f].count;
        set->cuts[f] = nnm_calloc(tables[f].count, sizeof **set->cuts);
        if (!set->cuts[f]) return nnm_fail_memory(err);
        for (size_t i = 0; i < tables[f].count; i++)
            set->cuts[f][i] = nnm_number_table_at(&tables[f], i);
    }
    return NNM_OK;
}

static nnm_status pack_trees(nnm_tree_set *set, const nnm_tree_node *const *trees, const size_t *node_counts,
                             const nnm_number_table *tables, size_t most_nodes, nnm_error *err)
{
    nnm_tree_node *nodes = nnm_calloc(most_nodes, sizeof *nodes);
    if (!nodes) return nnm_fail_memory(err);
    bool filled = true;
    for (size_t t = 0; t < set->count && filled; t++) {
        memcpy(nodes, trees[t], node_counts[t] * sizeof *nodes);
        for (size_t i = 0; i < node_counts[t]; i++) {
            if (nodes[i].feature == NNM_NO_FEATURE) continue;
            nodes[i].value = nnm_number_table_find(&tables[nodes[i].feature], nodes[i].value);
        }
        filled = nnm_packed_tree_fill(&set->trees[t], nodes, node_counts[t], set);
    }
    free(nodes);
    return filled ? NNM_OK : nnm_fail_memory(err);
}

nnm_status nnm_tree_set_new(nnm_tree_set **out, const nnm_tree_node *const *trees, const size_t *node_counts,
                            size_t count, size_t columns, nnm_error *err)
{
    nnm_tree_set *set = nnm_tree_set_alloc(count, columns);
    nnm_number_table *tables = nnm_calloc(columns, sizeof *tables);
    nnm_status status = set && tables ? collect_cuts(set, trees, node_counts, tables, err) : nnm_fail_memory(err);
    if (status) goto done;

    size_t most_nodes = 1, most_numbers = 1;
    for (size_t t = 0; t < count; t++)
        if (node_counts[t] > most_nodes) most_nodes = node_counts[t];
    for (size_t f = 0; f < columns; f++)
        if (set->cut_counts[f] > most_numbers) most_numbers = set->cut_counts[f];
    if (most_nodes / 2 > most_numbers) most_numbers = most_nodes / 2;
    if (!nnm_word_layout_init(&set->layout, columns, most_nodes, most_numbers))
        status = nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "trees of %zu nodes on %zu columns are too large", most_nodes,
                          columns);
    if (!status) status = pack_trees(set, trees, node_counts, tables, most_nodes, err);
    if (status) goto done;
    *out = set;
    set = NULL;

done:
    for (size_t f = 0; tables && f < columns; f++)
        nnm_number_table_fini(&tables[f]);
    free(tables);
    nnm_tree_set_free(set);
    return status;
}

/* Narrower words stand at lower addresses than those they are made from. */
static void narrow_tree(nnm_packed_tree *tree, const nnm_word_layout *from, const nnm_word_layout *to)
{
    uint64_t feature_mask = (UINT64_C(1) << from->feature_bits) - 1;
    uint64_t child_mask = (UINT64_C(1) << from->child_bits) - 1;
    const uint64_t *wide = tree->nodes;
    unsigned char *narrow = tree->nodes;
    for (size_t place = 0; place <= tree->node_count; place++) {
        uint64_t word = place ? wide[place] : 0;
        uint64_t child = (word >> from->feature_bits) & child_mask;
        uint32_t packed = (uint32_t)(word >> nnm_number_shift(from) << nnm_number_shift(to) |
                                     child << to->feature_bits | (word & feature_mask));
        memcpy(narrow + place * sizeof packed, &packed, sizeof packed);
    }
    size_t bytes = tree->leaf_count * sizeof(double) + (tree->node_count + 1) * to->bytes;
    double *block = nnm_reallocarray(tree->leaves, bytes / sizeof *block + 1, sizeof *block);
    if (!block) return;
    tree->leaves = block;
    tree->nodes = block + tree->leaf_count;
}

void nnm_tree_set_narrow(nnm_tree_set *set)
{
    size_t most_nodes = 1, most_numbers = 1;
    for (size_t t = 0; t < set->count; t++) {
        if (set->trees[t].node_count > most_nodes) most_nodes = set->trees[t].node_count;
        if (set->trees[t].leaf_count > most_numbers) most_numbers = set->trees[t].leaf_count;
    }
    for (size_t f = 0; f < set->columns; f++)
        if (set->cut_counts[f] > most_numbers) most_numbers = set->cut_counts[f];
    nnm_word_layout layout;
    if (set->layout.bytes == 4 || !nnm_word_layout_init(&layout, set->columns, most_nodes, most_numbers) ||
        layout.bytes == 8)
        return;
    for (size_t t = 0; t < set->count; t++)
        narrow_tree(&set->trees[t], &set->layout, &layout);
    set->layout = layout;
}

size_t nnm_tree_set_columns(const nnm_tree_set *set)
{
    return set->columns;
}

size_t nnm_tree_set_count(const nnm_tree_set *set)
{
    return set->count;
}

size_t nnm_tree_set_node_count(const nnm_tree_set *set, size_t tree)
{
    return set->trees[tree].node_count;
}

nnm_tree_node nnm_tree_set_node(const nnm_tree_set *set, size_t tree, size_t node)
{
    const nnm_word_layout *layout = &set->layout;
    uint64_t word = nnm_tree_word(set, tree, node + 1), number = word >> nnm_number_shift(layout);
    uint32_t feature = (uint32_t)(word & ((UINT64_C(1) << layout->feature_bits) - 1));
    uint32_t left = (uint32_t)((word >> layout->feature_bits) & ((UINT64_C(1) << layout->child_bits) - 1));
    if (feature == set->columns)
        return (nnm_tree_node){.value = set->trees[tree].leaves[number], .feature = NNM_NO_FEATURE};
    return (nnm_tree_node){set->cuts[feature][number], feature, left - 1, left};
}
