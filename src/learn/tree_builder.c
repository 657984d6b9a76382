#include "learn/tree_builder.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "learn/split_search.h"

/* Each feature has a list of the tree's rows, sorted by that feature; a node owns the same range of every list. */
typedef nnm_record record;

/* A node that is still to be grown. */
typedef struct frame {
    double weight, sum; /* of weights, of weights times targets; only set for more than NNM_SMALL_ROWS rows */
    uint32_t start, end;
    uint32_t list;  /* a feature whose list holds the node's rows in start..end */
    uint32_t place; /* of the node in the tree */
    uint32_t depth;
} frame;

/* The best split so far. Its gain is numerator / denominator; fractions are compared without dividing. */
typedef struct split {
    double numerator, denominator;
    double left_weight, left_sum;
    uint32_t feature;
    uint32_t left_count;
    uint32_t left_rank, right_rank; /* of the neighbours that the threshold lies between */
} split;

struct nnm_tree_builder {
    const nnm_training_table *table;
    nnm_forest_options options;
    size_t max_features;
    record *records;    /* columns lists of table->rows records */
    record *spare;      /* one list */
    double *weight;     /* of each row of the table in this tree; 0: not seen */
    double *wy;         /* weight times target */
    uint8_t *goes_left; /* by row */
    uint32_t *features; /* a permutation of the columns */
    frame *frames;
    size_t frame_count;
    nnm_word_layout layout;
    uint64_t *nodes; /* words; a leaf's number is still missing */
    double *values;  /* of leaves, by place */
    uint32_t places; /* the next free one */
    double scale[2]; /* their product makes a target of a scaled one */
    nnm_sorting_networks networks;
    nnm_searches searches;
    nnm_small_node small;
    nnm_rng rng;
    uint64_t fraction; /* a random number in [0, 1) of 64 bits, of which draws have used */
    uint64_t used;     /* one part in so many */
};

nnm_status nnm_tree_builder_new(nnm_tree_builder **out, const nnm_training_table *table,
                                const nnm_forest_options *options, const nnm_word_layout *layout, nnm_error *err)
{
    nnm_tree_builder *b = nnm_calloc(1, sizeof *b);
    if (!b) return nnm_fail_memory(err);
    size_t rows = table->rows;
    b->table = table;
    b->options = *options;
    b->layout = *layout;
    b->scale[0] = ldexp(1, table->y_exponent / 2);
    b->scale[1] = ldexp(1, table->y_exponent - table->y_exponent / 2);
    b->searches = nnm_choose_searches();
    nnm_sorting_networks_init(&b->networks);
    b->max_features =
        options->max_features == 0 || options->max_features > table->columns ? table->columns : options->max_features;
    b->records = nnm_reallocarray(NULL, rows * table->columns, sizeof *b->records);
    b->spare = nnm_reallocarray(NULL, rows, sizeof *b->spare);
    b->weight = nnm_calloc(rows, sizeof *b->weight);
    b->wy = nnm_calloc(rows, sizeof *b->wy);
    b->goes_left = nnm_calloc(rows, sizeof *b->goes_left);
    b->features = nnm_calloc(table->columns, sizeof *b->features);
    b->frames = nnm_reallocarray(NULL, rows + 1, sizeof *b->frames);
    b->nodes = nnm_reallocarray(NULL, 2 * rows, sizeof *b->nodes);
    b->values = nnm_reallocarray(NULL, 2 * rows, sizeof *b->values);
    if (!b->records || !b->spare || !b->weight || !b->wy || !b->goes_left || !b->features || !b->frames || !b->nodes ||
        !b->values) {
        nnm_tree_builder_free(b);
        return nnm_fail_memory(err);
    }
    *out = b;
    return NNM_OK;
}

void nnm_tree_builder_free(nnm_tree_builder *b)
{
    if (!b) return;
    free(b->records);
    free(b->spare);
    free(b->weight);
    free(b->wy);
    free(b->goes_left);
    free(b->features);
    free(b->frames);
    free(b->nodes);
    free(b->values);
    free(b);
}

/* Uniform in 0..bound-1: the whole part of a random fraction times the bound. What is left of the fraction serves the
 * next draws until 33 bits are used up, so that no result is likelier than another by more than 2^-31. */
static inline uint32_t draw_below(nnm_tree_builder *b, uint32_t bound)
{
    b->used *= bound;
    if (b->used >> 33) {
        b->fraction = nnm_rng_next(&b->rng);
        b->used = bound;
    }
    uint64_t low = (b->fraction & UINT32_MAX) * bound;
    uint64_t high = (b->fraction >> 32) * bound + (low >> 32);
    b->fraction = high << 32 | (low & UINT32_MAX);
    return (uint32_t)(high >> 32);
}

/* The `drawn`-th feature drawn without replacement. */
static uint32_t draw_feature(nnm_tree_builder *b, size_t drawn)
{
    size_t other = drawn + draw_below(b, (uint32_t)(b->table->columns - drawn));
    uint32_t feature = b->features[other];
    b->features[other] = b->features[drawn];
    b->features[drawn] = feature;
    return feature;
}

static void draw_weights(nnm_tree_builder *b)
{
    const nnm_training_table *table = b->table;
    size_t rows = table->rows;
    if (b->options.bootstrap) {
        memset(b->weight, 0, rows * sizeof *b->weight);
        size_t draws = rows < NNM_MOST_DRAWS ? rows : NNM_MOST_DRAWS;
        for (size_t i = 0; i < draws; i++)
            b->weight[draw_below(b, (uint32_t)rows)] += 1;
    }
    for (size_t row = 0; row < rows; row++) {
        double times = b->options.bootstrap ? b->weight[row] : 1;
        b->weight[row] = times * table->weight[row];
        b->wy[row] = b->weight[row] * table->y[row];
    }
}

/* Fills every feature's list with the rows of this tree. Returns their number. */
static size_t fill_lists(nnm_tree_builder *b)
{
    const nnm_training_table *table = b->table;
    size_t count = 0;
    for (size_t column = 0; column < table->columns; column++) {
        const nnm_ranked_row *sorted = table->sorted + column * table->rows;
        record *list = b->records + column * table->rows;
        count = 0;
        for (size_t i = 0; i < table->rows; i++) {
            uint32_t row = sorted[i].row;
            list[count] = (record){b->wy[row], sorted[i].rank, row};
            count += b->weight[row] > 0;
        }
    }
    return count;
}

static record *records_of(const nnm_tree_builder *b, uint32_t list, uint32_t start)
{
    return b->records + list * b->table->rows + start;
}

/* The weighted mean of the targets, exact where they are equal. */
static double mean_target(const nnm_tree_builder *b, const record *records, size_t count)
{
    double first = b->table->y[records[0].row];
    double weight = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t row = records[i].row;
        weight += b->weight[row];
        sum += b->weight[row] * (b->table->y[row] - first);
    }
    return count == 1 ? first : first + sum / weight;
}

static bool is_pure(const nnm_tree_builder *b, const record *records, size_t count)
{
    double first = b->table->y[records[0].row];
    for (size_t i = 1; i < count; i++) {
        if (b->table->y[records[i].row] != first) return false;
    }
    return true;
}

/*
 * Looks for the best split of a node in up to NNM_LISTS features. With weights W, targets y and the node's mean m, the
 * squared error falls by D^2 * W / (W_left * W_right), where D = sum over the left of w * (y - m). W is the same for
 * all splits of a node.
 */
static void search_lists(const nnm_tree_builder *b, const frame *f, const uint32_t *features, size_t count, split *best)
{
    nnm_large_node node = {.count = f->end - f->start,
                           .margin = b->options.min_samples_leaf,
                           .mean = f->sum / f->weight,
                           .total = f->weight,
                           .weight = b->weight};
    for (size_t lane = 0; lane < NNM_LISTS; lane++)
        node.lists[lane] = records_of(b, features[lane < count ? lane : 0], f->start);
    nnm_lane_splits splits = {.numerator = {best->numerator}, .denominator = {best->denominator}};
    b->searches.large(&node, &splits);
    for (size_t lane = 0; lane < count; lane++) {
        double numerator = splits.numerator[lane], denominator = splits.denominator[lane];
        if (splits.position[lane] < 0 || !(numerator * best->denominator > best->numerator * denominator)) continue;
        size_t i = (size_t)splits.position[lane];
        *best = (split){.numerator = numerator,
                        .denominator = denominator,
                        .feature = features[lane],
                        .left_count = (uint32_t)i + 1,
                        .left_rank = node.lists[lane][i].rank,
                        .right_rank = node.lists[lane][i + 1].rank};
    }
}

/* Tries features in random order: as many as the options say, and more while all were constant. */
static bool find_split(nnm_tree_builder *b, const frame *f, split *best)
{
    size_t varying = 0, columns = b->table->columns, last = f->end - f->start - 1;
    uint32_t waiting[NNM_LISTS];
    for (size_t drawn = 0; drawn < columns && (drawn < b->max_features || !varying); drawn++) {
        uint32_t feature = draw_feature(b, drawn);
        const record *records = records_of(b, feature, f->start);
        if (records[0].rank == records[last].rank) continue;
        waiting[varying++ % NNM_LISTS] = feature;
        if (varying % NNM_LISTS == 0) search_lists(b, f, waiting, NNM_LISTS, best);
    }
    if (varying % NNM_LISTS) search_lists(b, f, waiting, varying % NNM_LISTS, best);
    if (best->numerator < 0) return false;

    const record *records = records_of(b, best->feature, f->start);
    for (size_t i = 0; i < best->left_count; i++) {
        best->left_weight += b->weight[records[i].row];
        best->left_sum += records[i].wy;
    }
    return true;
}

/* Fills in what the search for the split of a small node needs beside the keys. */
static void load_small_node(nnm_tree_builder *b, const record *records, size_t count)
{
    nnm_small_node *node = &b->small;
    double total = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        double weight = b->weight[records[i].row];
        node->sums[i][0] = weight;
        node->sums[i][1] = records[i].wy;
        total += weight;
        sum += records[i].wy;
    }
    node->count = count;
    node->margin = b->options.min_samples_leaf;
    node->total = total;
    node->mean = sum / total;
}

static void load_small_keys(nnm_tree_builder *b, const record *records, const uint32_t *features, size_t lanes)
{
    for (uint32_t i = 0; i < b->small.count; i++) {
        const uint32_t *ranks = b->table->rank + records[i].row * b->table->columns;
        uint32_t *keys = b->small.keys[i];
        for (size_t lane = 0; lane < lanes; lane++)
            keys[lane] = ranks[features[lane]] << NNM_SMALL_BITS | i;
        for (size_t lane = lanes; lane < NNM_LANES; lane++)
            keys[lane] = i;
    }
}

/* The rows in the order of the split's feature, so that those of the left child come first. */
static void reorder_small(const nnm_tree_builder *b, record *records, size_t lane)
{
    record before[NNM_SMALL_ROWS];
    memcpy(before, records, b->small.count * sizeof *records);
    for (size_t i = 0; i < b->small.count; i++)
        records[i] = before[b->small.keys[i][lane] % NNM_SMALL_ROWS];
}

/* The same for the few rows of a small node, whose range is right in one list only: its rows are sorted here. Brings
 * the rows of the left child to the front. */
static bool find_small_split(nnm_tree_builder *b, record *records, size_t count, split *best)
{
    size_t columns = b->table->columns, varying = 0;
    bool found = false;
    load_small_node(b, records, count);
    record *loaded = records, copy[NNM_SMALL_ROWS];
    if (columns > NNM_LANES) loaded = memcpy(copy, records, count * sizeof *records);
    for (size_t drawn = 0; drawn < columns && (drawn < b->max_features || !varying); drawn += NNM_LANES) {
        size_t lanes = columns - drawn < NNM_LANES ? columns - drawn : NNM_LANES;
        uint32_t features[NNM_LANES];
        for (size_t lane = 0; lane < lanes; lane++)
            features[lane] = draw_feature(b, drawn + lane);
        load_small_keys(b, loaded, features, lanes);
        nnm_lane_splits splits;
        b->searches.small(&b->small, &b->networks, &splits);
        size_t winner = NNM_LANES;
        for (size_t lane = 0; lane < lanes && (drawn + lane < b->max_features || !varying); lane++) {
            varying += b->small.keys[0][lane] >> NNM_SMALL_BITS != b->small.keys[count - 1][lane] >> NNM_SMALL_BITS;
            double n = splits.numerator[lane], d = splits.denominator[lane];
            if (splits.position[lane] < 0 || !(n * best->denominator > best->numerator * d)) continue;
            winner = lane;
            size_t i = (size_t)splits.position[lane];
            *best = (split){.numerator = n,
                            .denominator = d,
                            .feature = features[lane],
                            .left_count = (uint32_t)i + 1,
                            .left_rank = b->small.keys[i][lane] >> NNM_SMALL_BITS,
                            .right_rank = b->small.keys[i + 1][lane] >> NNM_SMALL_BITS};
        }
        if (winner == NNM_LANES) continue;
        found = true;
        if (loaded != records) memcpy(records, loaded, count * sizeof *records);
        reorder_small(b, records, winner);
    }
    return found;
}

/* A record that is moved as a whole. */
typedef uint64_t whole_record __attribute__((vector_size(16)));
static_assert(sizeof(whole_record) == sizeof(record), "a record is 16 bytes");

static void keep_both(record *records, size_t count, const uint8_t *goes_left, record *spare)
{
    size_t left = 0, right = 0;
    for (size_t i = 0; i < count; i++) {
        size_t side = goes_left[records[i].row];
        whole_record r;
        memcpy(&r, &records[i], sizeof r);
        memcpy(&records[left], &r, sizeof r);
        memcpy(&spare[right], &r, sizeof r);
        left += side;
        right += 1 - side;
    }
    memcpy(records + left, spare, right * sizeof *spare);
}

static void keep_left(record *records, size_t count, const uint8_t *goes_left)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        size_t side = goes_left[records[i].row];
        whole_record r;
        memcpy(&r, &records[i], sizeof r);
        memcpy(&records[left], &r, sizeof r);
        left += side;
    }
}

/* The right child's rows end up at the end of the range. */
static void keep_right(record *records, size_t count, const uint8_t *goes_left)
{
    size_t right = count;
    for (size_t i = count; i > 0; i--) {
        size_t side = goes_left[records[i - 1].row];
        whole_record r;
        memcpy(&r, &records[i - 1], sizeof r);
        memcpy(&records[right - 1], &r, sizeof r);
        right -= 1 - side;
    }
}

/* Splits the ranges of all lists, each in its own order. A child that is small or a leaf needs its rows in the list of
 * the split's feature only, where they already stand. A list whose feature does not vary here needs no order and stays:
 * below, it is seen not to vary by its first and last rank. */
static void partition(nnm_tree_builder *b, const frame *f, const split *s, bool left, bool right)
{
    size_t count = f->end - f->start;
    const record *records = records_of(b, s->feature, f->start);
    for (size_t i = 0; i < count; i++)
        b->goes_left[records[i].row] = i < s->left_count;

    for (uint32_t feature = 0; feature < b->table->columns; feature++) {
        record *list = records_of(b, feature, f->start);
        if (feature == s->feature || list[0].rank == list[count - 1].rank) continue;
        if (left && right)
            keep_both(list, count, b->goes_left, b->spare);
        else if (left)
            keep_left(list, count, b->goes_left);
        else
            keep_right(list, count, b->goes_left);
    }
}

/* The larger child is grown first: most walks then go on in the same cache line. */
static void push_children(nnm_tree_builder *b, const frame *f, const split *s, uint32_t list)
{
    uint32_t middle = f->start + s->left_count;
    frame left = {.start = f->start, .end = middle, .list = list, .place = b->places, .depth = f->depth + 1};
    frame right = {.start = middle, .end = f->end, .list = list, .place = b->places + 1, .depth = f->depth + 1};
    b->places += 2;
    left.weight = s->left_weight;
    left.sum = s->left_sum;
    /* Not the difference to the parent: what is small on the right would drown in what is large on the left. */
    if (right.end - right.start > NNM_SMALL_ROWS) {
        const record *records = records_of(b, list, 0);
        for (uint32_t i = right.start; i < right.end; i++) {
            right.weight += b->weight[records[i].row];
            right.sum += records[i].wy;
        }
    }
    bool left_first = left.end - left.start >= right.end - right.start;
    b->frames[b->frame_count++] = left_first ? right : left;
    b->frames[b->frame_count++] = left_first ? left : right;
}

static bool must_be_leaf(const nnm_tree_builder *b, const frame *f, const record *records)
{
    size_t count = f->end - f->start;
    return count < b->options.min_samples_split || count / 2 < b->options.min_samples_leaf ||
           (b->options.max_depth && f->depth >= b->options.max_depth) || is_pure(b, records, count);
}

static void set_leaf(nnm_tree_builder *b, uint32_t place, double scaled)
{
    b->nodes[place] = (uint64_t)place << b->layout.feature_bits | b->table->columns;
    b->values[place] = scaled * b->scale[0] * b->scale[1];
}

/* Midway between the ranks of the neighbours: no value need be looked up, and a scale that is stretched or squeezed
 * gives the same tree. */
static void set_split(nnm_tree_builder *b, uint32_t place, uint32_t feature, uint32_t left_rank, uint32_t right_rank)
{
    uint64_t cut = left_rank + (right_rank - left_rank - 1) / 2;
    b->nodes[place] = cut << nnm_number_shift(&b->layout) | (uint64_t)b->places << b->layout.feature_bits | feature;
}

/* Two rows with different targets: every feature in which they differ splits them equally well. */
static void grow_pair(nnm_tree_builder *b, const record *records, uint32_t place)
{
    const nnm_training_table *table = b->table;
    uint32_t first = records[0].row, second = records[1].row;
    const uint32_t *first_rank = table->rank + first * table->columns;
    const uint32_t *second_rank = table->rank + second * table->columns;
    for (size_t drawn = 0; drawn < table->columns; drawn++) {
        uint32_t feature = draw_feature(b, drawn);
        uint32_t lower = first_rank[feature], upper = second_rank[feature];
        if (lower == upper) continue;
        bool swapped = lower > upper;
        set_split(b, place, feature, swapped ? upper : lower, swapped ? lower : upper);
        set_leaf(b, b->places++, table->y[swapped ? second : first]);
        set_leaf(b, b->places++, table->y[swapped ? first : second]);
        return;
    }
    set_leaf(b, place, mean_target(b, records, 2));
}

/* Makes the node a leaf or a split, whose children are then to be grown. */
static void grow_node(nnm_tree_builder *b, const frame *f)
{
    size_t count = f->end - f->start;
    record *records = records_of(b, f->list, f->start);
    if (must_be_leaf(b, f, records)) {
        set_leaf(b, f->place, mean_target(b, records, count));
        return;
    }
    if (count == 2) {
        grow_pair(b, records, f->place);
        return;
    }
    split s = {.numerator = -1, .denominator = 1};
    bool small = count <= NNM_SMALL_ROWS;
    if (!(small ? find_small_split(b, records, count, &s) : find_split(b, f, &s))) {
        set_leaf(b, f->place, mean_target(b, records, count));
        return;
    }
    set_split(b, f->place, s.feature, s.left_rank, s.right_rank);
    if (!small) {
        bool left = s.left_count > NNM_SMALL_ROWS, right = count - s.left_count > NNM_SMALL_ROWS;
        if (left || right) partition(b, f, &s, left, right);
    }
    push_children(b, f, &s, small ? f->list : s.feature);
}

/* Copies the tree grown, and gives the leaves their numbers. */
static bool copy_tree(const nnm_tree_builder *b, nnm_packed_tree *out)
{
    if (!nnm_packed_tree_init(out, b->places - 1, &b->layout)) return false;
    const uint64_t feature_mask = (UINT64_C(1) << b->layout.feature_bits) - 1;
    const unsigned shift = nnm_number_shift(&b->layout);
    uint64_t *nodes = out->nodes, leaf = 0;
    nodes[0] = 0;
    for (size_t place = 1; place < b->places; place++) {
        uint64_t word = b->nodes[place];
        bool is_leaf = (word & feature_mask) == b->table->columns;
        nodes[place] = word | (is_leaf ? leaf << shift : 0);
        if (is_leaf) out->leaves[leaf++] = b->values[place];
    }
    return true;
}

bool nnm_tree_builder_grow(nnm_tree_builder *b, size_t number, nnm_packed_tree *out)
{
    nnm_rng_init(&b->rng, b->options.seed, number);
    b->used = UINT64_C(1) << 33;
    for (size_t i = 0; i < b->table->columns; i++)
        b->features[i] = (uint32_t)i;
    draw_weights(b);
    frame root = {.end = (uint32_t)fill_lists(b), .place = 1};
    for (uint32_t i = 0; i < root.end; i++) {
        root.weight += b->weight[b->records[i].row];
        root.sum += b->records[i].wy;
    }

    b->places = 2;
    b->frames[0] = root;
    b->frame_count = 1;
    while (b->frame_count > 0) {
        frame f = b->frames[--b->frame_count];
        grow_node(b, &f);
    }
    return copy_tree(b, out);
}

void nnm_tree_builder_mark_seen(const nnm_tree_builder *b, uint64_t *seen)
{
    for (size_t row = 0; row < b->table->rows; row++)
        seen[row / 64] |= (uint64_t)(b->weight[row] > 0) << (row % 64);
}
