#include "learn/forest_file.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "learn/forest_model.h"
#include "learn/number_table.h"
#include "learn/tree_pack.h"

/* One table of thresholds a feature, then one of leaf values; and the bits that name an entry. */
typedef struct codebook {
    size_t columns;
    unsigned feature_width;
    nnm_number_table *tables;
    unsigned *widths;
    uint32_t **index; /* for each feature: the entry of each cut of the set; NULL when reading */
} codebook;

static nnm_status codebook_init(codebook *book, size_t columns, nnm_error *err)
{
    *book = (codebook){.columns = columns, .feature_width = nnm_bit_width((uint32_t)columns)};
    book->tables = nnm_calloc(columns + 1, sizeof *book->tables);
    book->widths = nnm_calloc(columns + 1, sizeof *book->widths);
    book->index = nnm_calloc(columns, sizeof *book->index);
    return book->tables && book->widths && book->index ? NNM_OK : nnm_fail_memory(err);
}

static void codebook_fini(codebook *book)
{
    for (size_t i = 0; book->tables && i <= book->columns; i++)
        nnm_number_table_fini(&book->tables[i]);
    for (size_t i = 0; book->index && i < book->columns; i++)
        free(book->index[i]);
    free(book->tables);
    free(book->widths);
    free(book->index);
}

static void set_widths(codebook *book)
{
    for (size_t i = 0; i <= book->columns; i++)
        book->widths[i] = nnm_bit_width((uint32_t)book->tables[i].count);
}

/* The parts of a word. */
typedef struct node_parts {
    size_t feature; /* the number of columns in a leaf */
    size_t left, number;
} node_parts;

static node_parts take_apart(const nnm_tree_set *set, size_t tree, size_t place)
{
    const nnm_word_layout *layout = &set->layout;
    uint64_t word = nnm_tree_word(set, tree, place);
    return (node_parts){word & ((UINT64_C(1) << layout->feature_bits) - 1),
                        word >> layout->feature_bits & ((UINT64_C(1) << layout->child_bits) - 1),
                        word >> nnm_number_shift(layout)};
}

/* Only cuts that a node uses stand in the file. */
static nnm_status collect_cuts(const nnm_tree_set *set, codebook *book, nnm_error *err)
{
    for (size_t f = 0; f < set->columns; f++) {
        book->index[f] = nnm_calloc(set->cut_counts[f], sizeof **book->index);
        if (!book->index[f]) return nnm_fail_memory(err);
    }
    for (size_t t = 0; t < set->count; t++) {
        for (size_t place = 1; place <= set->trees[t].node_count; place++) {
            node_parts n = take_apart(set, t, place);
            if (n.feature < set->columns) book->index[n.feature][n.number] = 1;
        }
    }
    for (size_t f = 0; f < set->columns; f++) {
        uint32_t entries = 0;
        for (size_t i = 0; i < set->cut_counts[f]; i++) {
            if (!book->index[f][i]) continue;
            nnm_status status = nnm_number_table_add(&book->tables[f], set->cuts[f][i], err);
            if (status) return status;
            book->index[f][i] = entries++;
        }
    }
    return NNM_OK;
}

static nnm_status collect_leaves(const nnm_tree_set *set, codebook *book, nnm_error *err)
{
    nnm_number_table *table = &book->tables[set->columns];
    for (size_t t = 0; t < set->count; t++) {
        for (size_t i = 0; i < set->trees[t].leaf_count; i++) {
            nnm_status status = nnm_number_table_add(table, set->trees[t].leaves[i], err);
            if (status) return status;
        }
    }
    nnm_number_table_sort(table);
    return NNM_OK;
}

/* In pre-order. `waiting` has room for a right child of every split. */
static void put_tree(const nnm_tree_set *set, size_t tree, const codebook *book, uint32_t *waiting,
                     nnm_bit_writer *writer)
{
    size_t count = 0, place = 1;
    for (;;) {
        node_parts n = take_apart(set, tree, place);
        bool leaf = n.feature == set->columns;
        nnm_put_bits(writer, leaf, 1);
        if (!leaf) {
            nnm_put_bits(writer, (uint32_t)n.feature, book->feature_width);
            nnm_put_bits(writer, book->index[n.feature][n.number], book->widths[n.feature]);
            waiting[count++] = (uint32_t)n.left + 1;
            place = n.left;
            continue;
        }
        double value = set->trees[tree].leaves[n.number];
        nnm_put_bits(writer, nnm_number_table_find(&book->tables[set->columns], value), book->widths[set->columns]);
        if (count == 0) return;
        place = waiting[--count];
    }
}

static size_t most_nodes(const nnm_tree_set *set)
{
    size_t most = 0;
    for (size_t t = 0; t < set->count; t++)
        if (set->trees[t].node_count > most) most = set->trees[t].node_count;
    return most;
}

nnm_status nnm_tree_set_put(const nnm_tree_set *set, nnm_buffer *out, nnm_error *err)
{
    codebook book;
    uint32_t *waiting = nnm_calloc(most_nodes(set), sizeof *waiting);
    nnm_status status = codebook_init(&book, set->columns, err);
    if (!status && !waiting) status = nnm_fail_memory(err);
    if (!status) status = collect_cuts(set, &book, err);
    if (!status) status = collect_leaves(set, &book, err);
    if (status) goto done;

    set_widths(&book);
    nnm_put_u32(out, (uint32_t)set->count);
    for (size_t i = 0; i <= set->columns; i++)
        nnm_number_table_put(&book.tables[i], out);
    for (size_t t = 0; t < set->count; t++)
        nnm_put_u32(out, (uint32_t)set->trees[t].node_count);
    nnm_bit_writer writer = {.out = out};
    for (size_t t = 0; t < set->count; t++)
        put_tree(set, t, &book, waiting, &writer);
    nnm_flush_bits(&writer);

done:
    free(waiting);
    codebook_fini(&book);
    return status;
}

#define NONE UINT32_MAX

/* Reads one node; false where it names a feature or a number that is not there. */
static bool get_node(nnm_tree_node *node, nnm_bit_reader *in, const codebook *book)
{
    bool leaf = nnm_get_bits(in, 1);
    size_t table = leaf ? book->columns : nnm_get_bits(in, book->feature_width);
    if (in->failed || table >= book->columns + leaf) return false;
    size_t index = nnm_get_bits(in, book->widths[table]);
    if (in->failed || index >= book->tables[table].count) return false;
    *node = (nnm_tree_node){.value = leaf ? nnm_number_table_at(&book->tables[table], index) : (double)index,
                            .feature = leaf ? NNM_NO_FEATURE : (uint32_t)table};
    return true;
}

/* While a split's left subtree is being read, `right` names the split around it that waits in the same way. A leaf ends
 * the left subtree of the innermost one, whose right child comes next; the leaf for which none waits ends the tree. */
static bool get_nodes(nnm_tree_node *nodes, size_t count, nnm_bit_reader *in, const codebook *book)
{
    uint32_t waiting = NONE;
    for (uint32_t i = 0; i < count; i++) {
        nnm_tree_node *node = &nodes[i];
        if (!get_node(node, in, book)) return false;
        if (node->feature != NNM_NO_FEATURE) {
            node->left = i + 1;
            node->right = waiting;
            waiting = i;
        } else if (waiting == NONE) {
            return i + 1 == count;
        } else {
            uint32_t parent = waiting;
            waiting = nodes[parent].right;
            nodes[parent].right = i + 1;
        }
    }
    return false;
}

/* Reads the numbers of nodes; all their bits must be there. */
static nnm_status get_counts(size_t *counts, size_t trees, nnm_reader *in, nnm_error *err)
{
    if (trees > nnm_left(in) / 4) return nnm_fail(err, NNM_ERR_PARSE, "the trees do not fit the file");
    for (size_t t = 0; t < trees; t++)
        counts[t] = nnm_get_u32(in);
    for (size_t t = 0; t < trees; t++) {
        /* A node has at least one bit. */
        if (counts[t] == 0 || (counts[t] - 1) / 8 >= nnm_left(in) || counts[t] >= NONE / 2)
            return nnm_fail(err, NNM_ERR_PARSE, "tree %zu: %zu nodes do not fit the file", t + 1, counts[t]);
    }
    return NNM_OK;
}

static nnm_status get_trees(nnm_tree_set *set, const size_t *counts, nnm_reader *in, const codebook *book,
                            nnm_error *err)
{
    nnm_status status = NNM_OK;
    nnm_bit_reader bits = {.at = in->at, .end = in->end};
    size_t most = 0;
    for (size_t t = 0; t < set->count; t++)
        if (counts[t] > most) most = counts[t];
    nnm_tree_node *nodes = nnm_calloc(most, sizeof *nodes);
    if (!nodes) return nnm_fail_memory(err);
    for (size_t t = 0; t < set->count && !status; t++) {
        if (!get_nodes(nodes, counts[t], &bits, book))
            status = nnm_fail(err, NNM_ERR_PARSE, "tree %zu of %zu is not valid", t + 1, set->count);
        else if (!nnm_packed_tree_fill(&set->trees[t], nodes, counts[t], set))
            status = nnm_fail_memory(err);
    }
    free(nodes);
    if (!status && (bits.at != bits.end || bits.bits != 0))
        status = nnm_fail(err, NNM_ERR_PARSE, "%zu bytes follow the last tree", (size_t)(bits.end - bits.at));
    in->at = in->end;
    return status;
}

/* Takes the cuts out of the codebook, and finds out how wide words have to be. */
static nnm_status get_layout(nnm_tree_set *set, const size_t *counts, const codebook *book, nnm_error *err)
{
    size_t nodes = 1, numbers = 1;
    for (size_t t = 0; t < set->count; t++)
        if (counts[t] > nodes) nodes = counts[t];
    numbers = nodes / 2 + 1;
    for (size_t f = 0; f < set->columns; f++) {
        set->cut_counts[f] = book->tables[f].count;
        if (set->cut_counts[f] > numbers) numbers = set->cut_counts[f];
        set->cuts[f] = nnm_calloc(set->cut_counts[f], sizeof **set->cuts);
        if (!set->cuts[f]) return nnm_fail_memory(err);
        for (size_t i = 0; i < set->cut_counts[f]; i++)
            set->cuts[f][i] = nnm_number_table_at(&book->tables[f], i);
    }
    if (nnm_word_layout_init(&set->layout, set->columns, nodes, numbers)) return NNM_OK;
    return nnm_fail(err, NNM_ERR_PARSE, "a tree of %zu nodes on %zu features is too large", nodes, set->columns);
}

nnm_status nnm_tree_set_get(nnm_tree_set **out, nnm_reader *in, size_t columns, nnm_error *err)
{
    size_t trees = nnm_get_u32(in);
    if (in->failed || trees < 1 || trees > NNM_MAX_TREES)
        return nnm_fail(err, NNM_ERR_PARSE, "%zu trees, must be 1..%d", trees, NNM_MAX_TREES);
    codebook book;
    nnm_status status = codebook_init(&book, columns, err);
    nnm_tree_set *set = nnm_tree_set_alloc(trees, columns);
    size_t *counts = nnm_calloc(trees, sizeof *counts);
    if (!status && (!set || !counts)) status = nnm_fail_memory(err);
    for (size_t i = 0; i <= columns && !status; i++)
        status = nnm_number_table_get(&book.tables[i], in, err);
    if (!status) status = get_counts(counts, trees, in, err);
    if (status) goto done;
    set_widths(&book);
    status = get_layout(set, counts, &book, err);
    if (!status) status = get_trees(set, counts, in, &book, err);
    if (status) goto done;
    nnm_tree_set_narrow(set);
    *out = set;
    set = NULL;

done:
    codebook_fini(&book);
    free(counts);
    nnm_tree_set_free(set);
    return status;
}

nnm_status nnm_forest_put(const nnm_forest *forest, nnm_buffer *out, nnm_error *err)
{
    return nnm_tree_set_put(forest->trees, out, err);
}

nnm_status nnm_forest_get(nnm_forest **out, nnm_reader *in, size_t columns, nnm_error *err)
{
    nnm_forest *forest = nnm_calloc(1, sizeof *forest);
    if (!forest) return nnm_fail_memory(err);
    forest->oob_score = (double)NAN;
    nnm_status status = nnm_tree_set_get(&forest->trees, in, columns, err);
    if (status)
        nnm_forest_free(forest);
    else
        *out = forest;
    return status;
}
