#include "learn/split_search.h"

#include <stdbool.h>
#include <string.h>

/* Odd-even merge sort of 32 keys, without the steps that touch a key that is not there: such a key would be larger than
 * all others and never move. */
void nnm_sorting_networks_init(nnm_sorting_networks *networks)
{
    *networks = (nnm_sorting_networks){0};
    for (size_t size = 1; size < NNM_SMALL_ROWS; size *= 2) {
        for (size_t apart = size; apart > 0; apart /= 2) {
            for (size_t low = apart % size; low + apart < NNM_SMALL_ROWS; low++) {
                bool second_half = (low - apart % size) / apart % 2;
                size_t high = low + apart;
                if (second_half || low / (2 * size) != high / (2 * size)) continue;
                for (size_t count = high + 1; count <= NNM_SMALL_ROWS; count++) {
                    size_t step = networks->counts[count]++;
                    networks->steps[count][step].low = (uint8_t)low;
                    networks->steps[count][step].high = (uint8_t)high;
                }
            }
        }
    }
}

#if defined(__GNUC__)
#define INLINE_ALWAYS inline __attribute__((always_inline))
#else
#define INLINE_ALWAYS inline
#endif

typedef int32_t keys8 __attribute__((vector_size(32)));

static INLINE_ALWAYS void sort_lanes(nnm_small_node *node, const nnm_sorting_networks *networks)
{
    size_t steps = networks->counts[node->count];
    for (size_t i = 0; i < steps; i++) {
        uint32_t *low = node->keys[networks->steps[node->count][i].low];
        uint32_t *high = node->keys[networks->steps[node->count][i].high];
        keys8 a, b;
        memcpy(&a, low, sizeof a);
        memcpy(&b, high, sizeof b);
        keys8 exchange = (a ^ b) & (keys8)(a > b);
        a ^= exchange;
        b ^= exchange;
        memcpy(low, &a, sizeof a);
        memcpy(high, &b, sizeof b);
    }
}

/* Four lanes. The compiler makes of them what the processor has. */
typedef double real4 __attribute__((vector_size(32)));
typedef int64_t mask4 __attribute__((vector_size(32)));
typedef uint32_t keys4 __attribute__((vector_size(16)));
typedef int32_t keys_mask4 __attribute__((vector_size(16)));

/* The best splits of four features so far, and the sums over the rows passed. */
typedef struct quad {
    real4 weight, sum;
    real4 numerator, denominator, position;
} quad;

/* A macro, for vectors in the arguments of a function look different to processors with and without AVX. */
#define CHOOSE(condition, yes, no) ((real4)(((condition) & (mask4)(yes)) | (~(condition) & (mask4)(no))))

static INLINE_ALWAYS void pass_row(quad *q, const nnm_small_node *node, const uint32_t *keys)
{
    const double *a = node->sums[keys[0] % NNM_SMALL_ROWS], *b = node->sums[keys[1] % NNM_SMALL_ROWS];
    const double *c = node->sums[keys[2] % NNM_SMALL_ROWS], *d = node->sums[keys[3] % NNM_SMALL_ROWS];
    q->weight += (real4){a[0], b[0], c[0], d[0]};
    q->sum += (real4){a[1], b[1], c[1], d[1]};
}

/* A split at `position`, in the features whose ranks differ there. */
static INLINE_ALWAYS void consider_splits(quad *q, double mean, double total, const real4 *position,
                                          const mask4 *differ)
{
    real4 d = q->sum - mean * q->weight, product = q->weight * (total - q->weight);
    real4 n = d * d;
    mask4 better = (n * q->denominator > q->numerator * product) & (product > 0) & (*differ != 0);
    q->numerator = CHOOSE(better, n, q->numerator);
    q->denominator = CHOOSE(better, product, q->denominator);
    q->position = CHOOSE(better, *position, q->position);
}

/* The same with ranks that stand in keys. */
static INLINE_ALWAYS void consider_keys(quad *q, const nnm_small_node *node, const real4 *position,
                                        const uint32_t *keys, const uint32_t *next)
{
    keys4 a, b;
    memcpy(&a, keys, sizeof a);
    memcpy(&b, next, sizeof b);
    mask4 differ = __builtin_convertvector((keys_mask4)((a ^ b) >> NNM_SMALL_BITS), mask4);
    consider_splits(q, node->mean, node->total, position, &differ);
}

static INLINE_ALWAYS void search_lanes(nnm_small_node *node, const nnm_sorting_networks *networks,
                                       nnm_lane_splits *best)
{
    sort_lanes(node, networks);
    const real4 zero = {0};
    quad a = {zero, zero, zero - 1, zero + 1, zero - 1}, b = a;
    real4 position = zero - 1;
    for (size_t i = 0; i + 1 < node->count; i++) {
        const uint32_t *keys = node->keys[i], *next = node->keys[i + 1];
        position += 1;
        pass_row(&a, node, keys);
        pass_row(&b, node, keys + 4);
        if (i + 1 < node->margin || i + 1 + node->margin > node->count) continue;
        consider_keys(&a, node, &position, keys, next);
        consider_keys(&b, node, &position, keys + 4, next + 4);
    }
    for (int lane = 0; lane < 4; lane++) {
        best->numerator[lane] = a.numerator[lane];
        best->denominator[lane] = a.denominator[lane];
        best->position[lane] = a.position[lane];
        best->numerator[lane + 4] = b.numerator[lane];
        best->denominator[lane + 4] = b.denominator[lane];
        best->position[lane + 4] = b.position[lane];
    }
}

static INLINE_ALWAYS void search_lists(const nnm_large_node *node, nnm_lane_splits *best)
{
    const nnm_record *a = node->lists[0], *b = node->lists[1], *c = node->lists[2], *d = node->lists[3];
    const double *weight = node->weight;
    const size_t count = node->count, margin = node->margin;
    const real4 zero = {0};
    quad q = {zero, zero, zero + best->numerator[0], zero + best->denominator[0], zero - 1};
    real4 position = zero - 1;
    mask4 next = {a[0].rank, b[0].rank, c[0].rank, d[0].rank};
    for (size_t i = 0; i + margin < count; i++) {
        position += 1;
        mask4 ranks = next;
        next = (mask4){a[i + 1].rank, b[i + 1].rank, c[i + 1].rank, d[i + 1].rank};
        q.weight += (real4){weight[a[i].row], weight[b[i].row], weight[c[i].row], weight[d[i].row]};
        q.sum += (real4){a[i].wy, b[i].wy, c[i].wy, d[i].wy};
        if (i + 1 < margin) continue;
        mask4 differ = ranks ^ next;
        consider_splits(&q, node->mean, node->total, &position, &differ);
    }
    for (int lane = 0; lane < NNM_LISTS; lane++) {
        best->numerator[lane] = q.numerator[lane];
        best->denominator[lane] = q.denominator[lane];
        best->position[lane] = q.position[lane];
    }
}

static void search_small(nnm_small_node *node, const nnm_sorting_networks *networks, nnm_lane_splits *best)
{
    search_lanes(node, networks, best);
}

static void search_large(const nnm_large_node *node, nnm_lane_splits *best)
{
    search_lists(node, best);
}

#if defined(__GNUC__) && defined(__x86_64__)
__attribute__((target("avx2"))) static void search_small_avx2(nnm_small_node *node,
                                                              const nnm_sorting_networks *networks,
                                                              nnm_lane_splits *best)
{
    search_lanes(node, networks, best);
}

__attribute__((target("avx2"))) static void search_large_avx2(const nnm_large_node *node, nnm_lane_splits *best)
{
    search_lists(node, best);
}
#endif

nnm_searches nnm_choose_searches(void)
{
#if defined(__GNUC__) && defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return (nnm_searches){search_small_avx2, search_large_avx2};
#endif
    return (nnm_searches){search_small, search_large};
}
