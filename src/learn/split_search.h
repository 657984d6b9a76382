/*
 * The best split of a node, searched in several features at a time: what is done for one feature is done for all by the
 * same vector instructions.
 */
#ifndef NNM_LEARN_SPLIT_SEARCH_H
#define NNM_LEARN_SPLIT_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#define NNM_LANES 8
#define NNM_SMALL_ROWS 32
#define NNM_SMALL_BITS 5
/* Ranks stand above the row's number in a key of 31 bits. */
#define NNM_MAX_RANKS ((size_t)1 << (31 - NNM_SMALL_BITS))

/* Compare-and-exchange steps that sort any keys, for each number of keys (K. E. Batcher, "Sorting networks and their
 * applications", 1968). */
typedef struct nnm_sorting_networks {
    struct {
        uint8_t low, high;
    } steps[NNM_SMALL_ROWS + 1][192];
    size_t counts[NNM_SMALL_ROWS + 1];
} nnm_sorting_networks;

void nnm_sorting_networks_init(nnm_sorting_networks *networks);

typedef struct nnm_small_node {
    size_t count;                             /* of rows: 2..NNM_SMALL_ROWS */
    size_t margin;                            /* rows that each side keeps at least */
    double mean, total;                       /* of the targets; of the weights */
    double sums[NNM_SMALL_ROWS][2];           /* weight, weight * target of each row */
    uint32_t keys[NNM_SMALL_ROWS][NNM_LANES]; /* rank << NNM_SMALL_BITS | row, for each row; sorted by the search */
} nnm_small_node;

/* For each feature: the best split is behind the sorted row `position`; -1: there is none. The error falls in
 * proportion to numerator / denominator. */
typedef struct nnm_lane_splits {
    double numerator[NNM_LANES], denominator[NNM_LANES], position[NNM_LANES];
} nnm_lane_splits;

typedef void nnm_small_search(nnm_small_node *node, const nnm_sorting_networks *networks, nnm_lane_splits *best);

/* One row of a larger node in the list of one feature, which is sorted by that feature. */
typedef struct nnm_record {
    double wy;     /* weight times target */
    uint32_t rank; /* of the row's value in this feature */
    uint32_t row;
} nnm_record;

#define NNM_LISTS 4

typedef struct nnm_large_node {
    size_t count, margin;
    double mean, total;
    const double *weight; /* by row */
    const nnm_record *lists[NNM_LISTS];
} nnm_large_node;

/* `best` says in advance what is to be surpassed, in all lanes. Only the first NNM_LISTS lanes are used. */
typedef void nnm_large_search(const nnm_large_node *node, nnm_lane_splits *best);

typedef struct nnm_searches {
    nnm_small_search *small;
    nnm_large_search *large;
} nnm_searches;

/* The fastest searches this processor can do; all give the same bits. */
nnm_searches nnm_choose_searches(void);

#endif
