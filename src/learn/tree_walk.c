#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "learn/tree_pack.h"

#define TREE_BLOCK 512
#define ROW_BLOCK 2048
#define FEW_ROWS 8         /* fewer are walked one by one */
#define FEW_ROWS_OF_FEW 32 /* the same for rows of few columns, of which FEW_BLOCK are walked at once */
#define SMALL_CODES 4096   /* bytes */
#define FEW_CODES 8        /* codes a row, with that of leaves, that vectors hold */
#define FEW_BLOCK 64       /* rows */

typedef struct walk_masks {
    unsigned feature_bits;
    uint64_t child, feature;
} walk_masks;

static inline walk_masks masks_of(const nnm_tree_set *set)
{
    const nnm_word_layout *layout = &set->layout;
    return (walk_masks){layout->feature_bits, (UINT64_C(1) << layout->child_bits) - 1,
                        (UINT64_C(1) << layout->feature_bits) - 1};
}

/* Few walks end before: fewer steps than a path to the average leaf has. */
static inline unsigned first_steps(const nnm_packed_tree *tree)
{
    unsigned steps = 0;
    while (tree->leaf_count >> steps)
        steps++;
    return steps - 1;
}

/* The number of cuts below the value; all for NaN, which no cut is at least. */
static inline size_t cuts_below(const double *cuts, size_t count, double value)
{
    if (count == 0) return 0;
    const double *first = cuts;
    while (count > 1) {
        size_t half = count / 2;
        first += value <= first[half - 1] ? 0 : half;
        count -= half;
    }
    return (size_t)(first - cuts) + !(value <= *first);
}

#define WORD uint32_t
#define NAME(x) x##_32
#include "learn/tree_walk_words.h"
#undef WORD
#undef NAME
#define WORD uint64_t
#define NAME(x) x##_64
#include "learn/tree_walk_words.h"

#if defined(__GNUC__) && defined(__x86_64__)
#include "learn/tree_walk_avx512.h"
static bool can_gather(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
}
#else
#define walk_rows_avx512 walk_rows_32
#define walk_trees_avx512 walk_trees_32
#define walk_wide_trees_avx512 walk_trees_64
#define walk_few_columns_avx512(set, tree, codes, count, out) ((void)(out)) /* never called */
static bool can_gather(void)
{
    return false;
}
#endif

void nnm_tree_set_encode(const nnm_tree_set *set, const double *x, size_t rows, void *codes)
{
    if (set->layout.bytes == 4)
        encode_32(set, x, rows, codes);
    else
        encode_64(set, x, rows, codes);
}

void nnm_tree_set_encode_ranks(const nnm_tree_set *set, const uint32_t *ranks, size_t rows, void *codes)
{
    if (set->layout.bytes == 4)
        encode_ranks_32(set, ranks, rows, codes);
    else
        encode_ranks_64(set, ranks, rows, codes);
}

void nnm_tree_walk_rows(const nnm_tree_set *set, size_t tree, const void *codes, const uint32_t *rows, size_t count,
                        double *out)
{
    bool gathers = !set->portable && can_gather();
    if (set->layout.bytes == 4 && gathers)
        walk_rows_avx512(set, tree, codes, rows, count, out);
    else if (set->layout.bytes == 4)
        walk_rows_32(set, tree, codes, rows, count, out);
    else
        walk_rows_64(set, tree, codes, rows, count, out);
}

static void walk_trees(const nnm_tree_set *set, size_t first, size_t count, const void *codes, double *out)
{
    bool gathers = !set->portable && can_gather();
    if (set->layout.bytes == 4 && gathers)
        walk_trees_avx512(set, first, count, codes, out);
    else if (gathers)
        walk_wide_trees_avx512(set, first, count, codes, out);
    else if (set->layout.bytes == 4)
        walk_trees_32(set, first, count, codes, out);
    else
        walk_trees_64(set, first, count, codes, out);
}

/* For rows so wide that there is no memory for their codes: every node is taken apart. */
static double walk_slowly(const nnm_tree_set *set, size_t tree, const double *x)
{
    nnm_tree_node node = nnm_tree_set_node(set, tree, 0);
    while (node.feature != NNM_NO_FEATURE)
        node = nnm_tree_set_node(set, tree, x[node.feature] <= node.value ? node.left : node.right);
    return node.value;
}

void nnm_tree_set_answers(const nnm_tree_set *set, size_t first, size_t count, const double *x, double *out)
{
    uint64_t codes[SMALL_CODES / sizeof(uint64_t)];
    if ((set->columns + 1) * set->layout.bytes > sizeof codes) {
        for (size_t i = 0; i < count; i++)
            out[i] = walk_slowly(set, first + i, x);
        return;
    }
    nnm_tree_set_encode(set, x, 1, codes);
    for (size_t done = 0; done < count; done += TREE_BLOCK)
        walk_trees(set, first + done, count - done < TREE_BLOCK ? count - done : TREE_BLOCK, codes, out + done);
}

/* What is to be added up for each row. The mean subtracts what the first tree says from every term: where all trees
 * agree, the sum of what is left is exactly 0. */
typedef struct sum_job {
    const nnm_tree_set *set;
    size_t first, count;
    bool mean;
} sum_job;

static double sum_row(const sum_job *job, const double *x)
{
    const nnm_tree_set *set = job->set;
    uint64_t codes[SMALL_CODES / sizeof(uint64_t)];
    double said[TREE_BLOCK], sum = 0, first = 0;
    bool fits = (set->columns + 1) * set->layout.bytes <= sizeof codes;
    if (fits) nnm_tree_set_encode(set, x, 1, codes);
    for (size_t done = 0; done < job->count; done += TREE_BLOCK) {
        size_t count = job->count - done < TREE_BLOCK ? job->count - done : TREE_BLOCK;
        if (fits) walk_trees(set, job->first + done, count, codes, said);
        for (size_t i = 0; i < count && !fits; i++)
            said[i] = walk_slowly(set, job->first + done + i, x);
        if (done == 0 && job->mean) first = said[0];
        for (size_t i = 0; i < count; i++)
            sum += said[i] - first;
    }
    return job->mean ? first + sum / (double)job->count : sum;
}

/* What a block of rows needs beside its codes. */
typedef struct row_block {
    double first[ROW_BLOCK];
    uint32_t numbers[NNM_WALK_ROWS];
    uint64_t codes[];
} row_block;

static bool walks_few_columns(const nnm_tree_set *set)
{
    return set->layout.bytes == 4 && set->columns < FEW_CODES && !set->portable && can_gather();
}

/* What a block of rows of few columns needs. */
typedef struct few_rows {
    double first[ROW_BLOCK], sums[ROW_BLOCK];
    uint64_t order[ROW_BLOCK]; /* the row in the lower half */
    uint32_t by_rows[ROW_BLOCK * FEW_CODES];
    uint32_t codes[ROW_BLOCK * FEW_CODES]; /* FEW_CODES times 16 for each 16 rows */
} few_rows;

/* Turns codes by rows, in that order, into codes by features. */
static void turn_codes(few_rows *block, size_t columns, size_t rows)
{
    memset(block->codes, 0, (rows + FEW_BLOCK - 1) / FEW_BLOCK * FEW_BLOCK * FEW_CODES * sizeof *block->codes);
    for (size_t i = 0; i < rows; i++) {
        const uint32_t *from = block->by_rows + (uint32_t)block->order[i] * (columns + 1);
        uint32_t *to = block->codes + i / 16 * 16 * FEW_CODES + i % 16;
        for (size_t f = 0; f < columns; f++)
            to[f * 16] = from[f];
    }
}

static int compare_order(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Rows that a tree says alike stand together: their walks are equally long. */
static void order_rows(few_rows *block, const double *said, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        float value = (float)said[i];
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        bits = bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
        block->order[i] = (uint64_t)bits << 32 | i;
    }
    qsort(block->order, rows, sizeof *block->order, compare_order);
}

static void sum_few_columns(const sum_job *job, few_rows *block, const double *x, size_t rows, double *out)
{
    const nnm_tree_set *set = job->set;
    nnm_tree_set_encode(set, x, rows, block->by_rows);
    for (size_t i = 0; i < rows; i++)
        block->order[i] = i;
    turn_codes(block, set->columns, rows);
    walk_few_columns_avx512(set, job->first, block->codes, rows, block->sums);
    order_rows(block, block->sums, rows);
    turn_codes(block, set->columns, rows);
    memset(block->first, 0, sizeof block->first);
    memset(block->sums, 0, sizeof block->sums);
    for (size_t t = 0; t < job->count; t++) {
        for (size_t done = 0; done < rows; done += NNM_WALK_ROWS) {
            double said[NNM_WALK_ROWS];
            size_t count = rows - done < NNM_WALK_ROWS ? rows - done : NNM_WALK_ROWS;
            walk_few_columns_avx512(set, job->first + t, block->codes + done * FEW_CODES, count, said);
            if (t == 0 && job->mean) memcpy(block->first + done, said, count * sizeof *said);
            for (size_t i = 0; i < count; i++)
                block->sums[done + i] += said[i] - block->first[done + i];
        }
    }
    for (size_t i = 0; i < rows; i++) {
        double sum = block->sums[i];
        out[(uint32_t)block->order[i]] = job->mean ? block->first[i] + sum / (double)job->count : sum;
    }
}

static void sum_block(const sum_job *job, row_block *block, const double *x, size_t rows, double *out)
{
    const nnm_tree_set *set = job->set;
    double said[NNM_WALK_ROWS];
    size_t code_bytes = (set->columns + 1) * set->layout.bytes;
    nnm_tree_set_encode(set, x, rows, block->codes);
    memset(block->first, 0, sizeof block->first);
    memset(out, 0, rows * sizeof *out);
    for (size_t t = 0; t < job->count; t++) {
        for (size_t done = 0; done < rows; done += NNM_WALK_ROWS) {
            size_t count = rows - done < NNM_WALK_ROWS ? rows - done : NNM_WALK_ROWS;
            const char *codes = (const char *)block->codes + done * code_bytes;
            nnm_tree_walk_rows(set, job->first + t, codes, block->numbers, count, said);
            if (t == 0 && job->mean) memcpy(block->first + done, said, count * sizeof *said);
            for (size_t i = 0; i < count; i++)
                out[done + i] += said[i] - block->first[done + i];
        }
    }
    for (size_t i = 0; i < rows && job->mean; i++)
        out[i] = block->first[i] + out[i] / (double)job->count;
}

static void sum_rows(const sum_job *job, const double *x, size_t rows, double *out)
{
    size_t columns = job->set->columns, done = 0;
    size_t per_block = rows < ROW_BLOCK ? rows : ROW_BLOCK;
    bool few = walks_few_columns(job->set);
    size_t bytes = few ? sizeof(few_rows) : sizeof(row_block) + per_block * (columns + 1) * sizeof(uint64_t);
    size_t least = few ? FEW_ROWS_OF_FEW : FEW_ROWS;
    void *memory = rows >= least ? malloc(bytes) : NULL;
    row_block *block = few ? NULL : memory;
    for (uint32_t i = 0; block && i < NNM_WALK_ROWS; i++)
        block->numbers[i] = i;
    while (memory && rows - done >= least) {
        size_t count = rows - done < ROW_BLOCK ? rows - done : ROW_BLOCK;
        if (few)
            sum_few_columns(job, memory, x + done * columns, count, out + done);
        else
            sum_block(job, block, x + done * columns, count, out + done);
        done += count;
    }
    for (; done < rows; done++)
        out[done] = sum_row(job, x + done * columns);
    free(memory);
}

void nnm_tree_set_sum(const nnm_tree_set *set, size_t first, size_t count, const double *x, size_t rows, double *out)
{
    sum_rows(&(sum_job){set, first, count, false}, x, rows, out);
}

void nnm_tree_set_mean(const nnm_tree_set *set, const double *x, size_t rows, double *out)
{
    sum_rows(&(sum_job){set, 0, set->count, true}, x, rows, out);
}
