#include "learn/forest_file.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "learn/forest_model.h"
#include "learn/number_table.h"

/* One table of thresholds a feature, then one of leaf values; and the bits that name an entry. */
typedef struct codebook {
    size_t columns;
    unsigned feature_width;
    nnm_number_table *tables;
    unsigned *widths;
} codebook;

static nnm_status codebook_init(codebook *book, size_t columns, nnm_error *err)
{
    *book = (codebook){.columns = columns, .feature_width = nnm_bit_width((uint32_t)columns)};
    book->tables = nnm_calloc(columns + 1, sizeof *book->tables);
    book->widths = nnm_calloc(columns + 1, sizeof *book->widths);
    return book->tables && book->widths ? NNM_OK : nnm_fail_memory(err);
}

static void codebook_fini(codebook *book)
{
    for (size_t i = 0; book->tables && i <= book->columns; i++)
        nnm_number_table_fini(&book->tables[i]);
    free(book->tables);
    free(book->widths);
}

static void set_widths(codebook *book)
{
    for (size_t i = 0; i <= book->columns; i++)
        book->widths[i] = nnm_bit_width((uint32_t)book->tables[i].count);
}

static size_t table_of(const nnm_node *node, const codebook *book)
{
    return node->feature == NNM_LEAF ? book->columns : node->feature;
}

static nnm_status collect_numbers(const nnm_forest *forest, codebook *book, nnm_error *err)
{
    for (size_t t = 0; t < forest->tree_count; t++) {
        for (size_t i = 0; i < forest->trees[t].count; i++) {
            const nnm_node *node = &forest->trees[t].nodes[i];
            nnm_status status = nnm_number_table_add(&book->tables[table_of(node, book)], node->value, err);
            if (status) return status;
        }
    }
    for (size_t i = 0; i <= book->columns; i++)
        nnm_number_table_sort(&book->tables[i]);
    set_widths(book);
    return NNM_OK;
}

static void put_tree(const nnm_tree *tree, const codebook *book, nnm_bit_writer *writer)
{
    for (size_t i = 0; i < tree->count; i++) {
        const nnm_node *node = &tree->nodes[i];
        size_t table = table_of(node, book);
        nnm_put_bits(writer, node->feature == NNM_LEAF, 1);
        if (node->feature != NNM_LEAF) nnm_put_bits(writer, node->feature, book->feature_width);
        nnm_put_bits(writer, nnm_number_table_find(&book->tables[table], node->value), book->widths[table]);
    }
}

nnm_status nnm_forest_put(const nnm_forest *forest, nnm_buffer *out, nnm_error *err)
{
    codebook book;
    nnm_status status = codebook_init(&book, forest->columns, err);
    if (!status) status = collect_numbers(forest, &book, err);
    if (status) goto done;

    nnm_put_u32(out, (uint32_t)forest->tree_count);
    for (size_t i = 0; i <= forest->columns; i++)
        nnm_number_table_put(&book.tables[i], out);
    for (size_t t = 0; t < forest->tree_count; t++)
        nnm_put_u32(out, (uint32_t)forest->trees[t].count);
    nnm_bit_writer writer = {.out = out};
    for (size_t t = 0; t < forest->tree_count; t++)
        put_tree(&forest->trees[t], &book, &writer);
    nnm_flush_bits(&writer);

done:
    codebook_fini(&book);
    return status;
}

#define NONE UINT32_MAX

/* Reads one node; false where it names a feature or a number that is not there. */
static bool get_node(nnm_node *node, nnm_bit_reader *in, const codebook *book)
{
    bool leaf = nnm_get_bits(in, 1);
    size_t table = leaf ? book->columns : nnm_get_bits(in, book->feature_width);
    if (in->failed || table >= book->columns + leaf) return false;
    size_t index = nnm_get_bits(in, book->widths[table]);
    if (in->failed || index >= book->tables[table].count) return false;
    *node = (nnm_node){.value = nnm_number_table_at(&book->tables[table], index),
                       .feature = leaf ? NNM_LEAF : (uint32_t)table};
    return true;
}

/* While a split's left subtree is being read, `skip` names the split around it that waits in the same way. A leaf ends
 * the left subtree of the innermost one, whose right child comes next; the leaf for which none waits ends the tree. */
static bool get_tree(nnm_tree *tree, nnm_bit_reader *in, const codebook *book)
{
    uint32_t waiting = NONE;
    for (uint32_t i = 0; i < tree->count; i++) {
        nnm_node *node = &tree->nodes[i];
        if (!get_node(node, in, book)) return false;
        if (node->feature != NNM_LEAF) {
            node->skip = waiting;
            waiting = i;
        } else if (waiting == NONE) {
            return i + 1 == tree->count;
        } else {
            uint32_t parent = waiting;
            waiting = tree->nodes[parent].skip;
            tree->nodes[parent].skip = i - parent;
        }
    }
    return false;
}

static nnm_status get_trees(nnm_forest *forest, nnm_reader *in, const codebook *book, nnm_error *err)
{
    nnm_reader counts = *in;
    if (forest->tree_count > nnm_left(in) / 4) return nnm_fail(err, NNM_ERR_PARSE, "the trees do not fit the file");
    nnm_bit_reader bits = {.at = in->at + forest->tree_count * 4, .end = in->end};
    for (size_t t = 0; t < forest->tree_count; t++) {
        nnm_tree *tree = &forest->trees[t];
        size_t count = nnm_get_u32(&counts);
        /* A node has at least one bit. */
        if (count == 0 || (count - 1) / 8 >= (size_t)(bits.end - bits.at) || count >= NONE / 2)
            return nnm_fail(err, NNM_ERR_PARSE, "tree %zu: %zu nodes do not fit the file", t + 1, count);
        tree->nodes = nnm_calloc(count, sizeof *tree->nodes);
        if (!tree->nodes) return nnm_fail_memory(err);
        tree->count = count;
        if (!get_tree(tree, &bits, book))
            return nnm_fail(err, NNM_ERR_PARSE, "tree %zu of %zu is not valid", t + 1, forest->tree_count);
    }
    if (bits.at != bits.end || bits.bits != 0)
        return nnm_fail(err, NNM_ERR_PARSE, "%zu bytes follow the last tree", (size_t)(bits.end - bits.at));
    in->at = in->end;
    return NNM_OK;
}

nnm_status nnm_forest_get(nnm_forest **out, nnm_reader *in, size_t columns, nnm_error *err)
{
    size_t trees = nnm_get_u32(in);
    if (in->failed || trees < 1 || trees > NNM_MAX_TREES)
        return nnm_fail(err, NNM_ERR_PARSE, "%zu trees, must be 1..%d", trees, NNM_MAX_TREES);
    codebook book;
    nnm_status status = codebook_init(&book, columns, err);
    nnm_forest *forest = nnm_calloc(1, sizeof *forest);
    if (forest) forest->trees = nnm_calloc(trees, sizeof *forest->trees);
    if (!status && (!forest || !forest->trees)) status = nnm_fail_memory(err);
    if (status) goto done;

    forest->columns = columns;
    forest->tree_count = trees;
    forest->oob_score = (double)NAN;
    for (size_t i = 0; i <= columns && !status; i++)
        status = nnm_number_table_get(&book.tables[i], in, err);
    set_widths(&book);
    if (!status) status = get_trees(forest, in, &book, err);
    if (status) goto done;
    *out = forest;
    forest = NULL;

done:
    codebook_fini(&book);
    nnm_forest_free(forest);
    return status;
}
