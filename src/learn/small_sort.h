/* Sorting a handful of keys without branches. */
#ifndef NNM_LEARN_SMALL_SORT_H
#define NNM_LEARN_SMALL_SORT_H

#include <stddef.h>
#include <stdint.h>

#define NNM_SMALL_SORT 4

static inline void nnm_order_pair(uint64_t *a, uint64_t *b)
{
    uint64_t low = *a < *b ? *a : *b, high = *a < *b ? *b : *a;
    *a = low;
    *b = high;
}

static inline void nnm_small_sort(uint64_t *keys, size_t count)
{
    switch (count) {
    case 2: nnm_order_pair(keys, keys + 1); break;
    case 3:
        nnm_order_pair(keys, keys + 2);
        nnm_order_pair(keys, keys + 1);
        nnm_order_pair(keys + 1, keys + 2);
        break;
    case 4:
        nnm_order_pair(keys, keys + 2);
        nnm_order_pair(keys + 1, keys + 3);
        nnm_order_pair(keys, keys + 1);
        nnm_order_pair(keys + 2, keys + 3);
        nnm_order_pair(keys + 1, keys + 2);
        break;
    default: break;
    }
}

#endif
