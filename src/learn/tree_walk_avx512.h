/* Walks with the gathers of AVX-512, for words of 4 bytes: 16 rows or 8 trees a vector, several vectors at once, so
 * that the processor need not wait for any of them. Included by tree_walk.c. */

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512vl")))
#define GROUPS 4

typedef struct walk_vectors {
    __m512i place[GROUPS], offset[GROUPS], word[GROUPS];
} walk_vectors;

/* One step down in all vectors. */
#define STEP_DOWN(v, nodes, codes, columns_mask, child_mask, feature_bits)                         \
    for (int g = 0; g < GROUPS; g++) {                                                             \
        __m512i word_ = _mm512_i32gather_epi32((v).place[g], nodes, 4);                            \
        __m512i feature_ = _mm512_add_epi32(_mm512_and_epi32(word_, columns_mask), (v).offset[g]); \
        __m512i code_ = _mm512_i32gather_epi32(feature_, codes, 4);                                \
        __m512i child_ = _mm512_and_epi32(_mm512_srl_epi32(word_, feature_bits), child_mask);      \
        __mmask16 right_ = _mm512_cmpgt_epu32_mask(code_, word_);                                  \
        (v).place[g] = _mm512_mask_add_epi32(child_, right_, child_, _mm512_set1_epi32(1));        \
    }

/* What walk_rows_32 does. Rows that have arrived are moved out of the way after every other step. */
AVX512 static void walk_rows_avx512(const nnm_tree_set *set, size_t tree, const uint32_t *codes, const uint32_t *rows,
                                    size_t count, double *out)
{
    const nnm_packed_tree *t = &set->trees[tree];
    const uint32_t *nodes = t->nodes;
    const walk_masks m = masks_of(set);
    const __m512i feature_mask = _mm512_set1_epi32((int)m.feature), child_mask = _mm512_set1_epi32((int)m.child);
    const __m512i stride = _mm512_set1_epi32((int)(set->columns + 1)), leaf = _mm512_set1_epi32((int)set->columns);
    const __m128i feature_bits = _mm_cvtsi32_si128((int)m.feature_bits);
    const unsigned shift = nnm_number_shift(&set->layout);
    uint32_t place[NNM_WALK_ROWS + 16 * GROUPS], row[NNM_WALK_ROWS + 16 * GROUPS];

    for (size_t i = 0; i < count; i++) {
        place[i] = 1;
        row[i] = rows[i];
    }
    unsigned steps = first_steps(t);
    for (size_t running = count, left; running > 0; running = left, steps = 2) {
        left = 0;
        for (size_t i = 0; i < running; i += (size_t)16 * GROUPS) {
            walk_vectors v;
            __m512i number[GROUPS];
            __mmask16 valid[GROUPS];
            for (int g = 0; g < GROUPS; g++) {
                size_t start = i + 16 * (size_t)g, lanes = running > start ? running - start : 0;
                valid[g] = (__mmask16)(lanes >= 16 ? 0xFFFF : (1u << lanes) - 1);
                v.place[g] = _mm512_maskz_loadu_epi32(valid[g], place + start);
                number[g] = _mm512_maskz_loadu_epi32(valid[g], row + start);
                v.offset[g] = _mm512_mullo_epi32(number[g], stride);
            }
            for (unsigned s = 0; s < steps; s++)
                STEP_DOWN(v, nodes, codes, feature_mask, child_mask, feature_bits)
            for (int g = 0; g < GROUPS; g++) {
                __m512i word = _mm512_i32gather_epi32(v.place[g], nodes, 4);
                __mmask16 arrived = _mm512_mask_cmpeq_epi32_mask(valid[g], _mm512_and_epi32(word, feature_mask), leaf);
                __mmask16 going = (__mmask16)(valid[g] & ~arrived);
                uint32_t numbers[16], places[16];
                _mm512_mask_compressstoreu_epi32(numbers, arrived, number[g]);
                _mm512_mask_compressstoreu_epi32(places, arrived, _mm512_srli_epi32(word, shift));
                int ended = __builtin_popcount(arrived);
                for (int k = 0; k < ended; k++)
                    out[numbers[k]] = t->leaves[places[k]];
                _mm512_mask_compressstoreu_epi32(place + left, going, v.place[g]);
                _mm512_mask_compressstoreu_epi32(row + left, going, number[g]);
                left += (size_t)__builtin_popcount(going);
            }
        }
    }
}

#define FEW_GROUPS 4

/* The code of each lane's feature, 0..7. `codes` has a vector a feature, each with a lane a row; `lane`
 * counts the lanes. Cheaper than a gather. */
AVX512 static inline __m512i pick_codes(const uint32_t *codes, __m512i feature, __m512i lane)
{
    __m512i place = _mm512_or_epi32(_mm512_slli_epi32(feature, 4), lane); /* its lowest five bits count */
    __mmask16 second = _mm512_test_epi32_mask(feature, _mm512_set1_epi32(2));
    __mmask16 fourth = _mm512_test_epi32_mask(feature, _mm512_set1_epi32(4));
    __m512i picked[4];
    for (int i = 0; i < 4; i++)
        picked[i] = _mm512_permutex2var_epi32(_mm512_loadu_si512(codes + 32 * i), place,
                                              _mm512_loadu_si512(codes + 32 * i + 16));
    __m512i low = _mm512_mask_mov_epi32(picked[0], second, picked[1]);
    __m512i high = _mm512_mask_mov_epi32(picked[2], second, picked[3]);
    return _mm512_mask_mov_epi32(low, fourth, high);
}

/* What walk_rows_32 does, for rows 0..count-1 of few columns, codes by features: 8 * 16 for each 16 rows. */
AVX512 static void walk_few_columns_avx512(const nnm_tree_set *set, size_t tree, const uint32_t *codes, size_t count,
                                           double *out)
{
    const nnm_packed_tree *t = &set->trees[tree];
    const uint32_t *nodes = t->nodes;
    const walk_masks m = masks_of(set);
    const __m512i feature_mask = _mm512_set1_epi32((int)m.feature), child_mask = _mm512_set1_epi32((int)m.child);
    const __m512i leaf = _mm512_set1_epi32((int)set->columns), one = _mm512_set1_epi32(1);
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i feature_bits = _mm_cvtsi32_si128((int)m.feature_bits);
    const unsigned shift = nnm_number_shift(&set->layout);
    const unsigned steps = first_steps(t);

    for (size_t start = 0; start < count; start += (size_t)16 * FEW_GROUPS) {
        __m512i place[FEW_GROUPS], word[FEW_GROUPS];
        for (int g = 0; g < FEW_GROUPS; g++)
            place[g] = one;
        unsigned left = steps;
        for (bool going = true; going;) {
            __mmask16 arrived = 0xFFFF;
            for (int g = 0; g < FEW_GROUPS; g++) {
                word[g] = _mm512_i32gather_epi32(place[g], nodes, 4);
                __m512i feature = _mm512_and_epi32(word[g], feature_mask);
                arrived &= _mm512_cmpeq_epi32_mask(feature, leaf);
                __m512i code = pick_codes(codes + (start + 16 * (size_t)g) * FEW_CODES, feature, lane);
                __m512i child = _mm512_and_epi32(_mm512_srl_epi32(word[g], feature_bits), child_mask);
                place[g] = _mm512_mask_add_epi32(child, _mm512_cmpgt_epu32_mask(code, word[g]), child, one);
            }
            going = left > 0 || arrived != 0xFFFF;
            left -= left > 0;
        }
        for (int g = 0; g < FEW_GROUPS; g++) {
            size_t row = start + 16 * (size_t)g;
            uint32_t numbers[16];
            _mm512_storeu_si512(numbers, _mm512_srli_epi32(word[g], shift));
            for (size_t k = 0; k < 16 && row + k < count; k++)
                out[row + k] = t->leaves[numbers[k]];
        }
    }
}

#define TREE_GROUPS 8

/* What walk_trees_32 does. */
AVX512 static void walk_trees_avx512(const nnm_tree_set *set, size_t first, size_t count, const uint32_t *codes,
                                     double *out)
{
    const nnm_packed_tree *trees = set->trees + first;
    const walk_masks m = masks_of(set);
    const __m256i feature_mask = _mm256_set1_epi32((int)m.feature), child_mask = _mm256_set1_epi32((int)m.child);
    const __m256i leaf = _mm256_set1_epi32((int)set->columns), one = _mm256_set1_epi32(1);
    const __m128i feature_bits = _mm_cvtsi32_si128((int)m.feature_bits);
    const unsigned shift = nnm_number_shift(&set->layout);
    const bool few = set->columns < 8;
    const __m256i all_codes = few ? _mm256_maskz_loadu_epi32((__mmask8)((2u << set->columns) - 1), codes) : one;

    for (size_t start = 0; start < count; start += 8 * TREE_GROUPS) {
        __m512i base[TREE_GROUPS], at[TREE_GROUPS];
        __m256i word[TREE_GROUPS];
        for (int g = 0; g < TREE_GROUPS; g++) {
            uint64_t bases[8];
            for (size_t lane = 0; lane < 8; lane++) {
                size_t tree = start + 8 * (size_t)g + lane;
                bases[lane] = (uint64_t)(uintptr_t)trees[tree < count ? tree : count - 1].nodes;
            }
            base[g] = _mm512_loadu_si512(bases);
            at[g] = _mm512_add_epi64(base[g], _mm512_set1_epi64(4));
        }
        for (bool going = true; going;) {
            __mmask8 arrived = 0xFF;
            for (int g = 0; g < TREE_GROUPS; g++) {
                word[g] = _mm512_i64gather_epi32(at[g], NULL, 1);
                __m256i feature = _mm256_and_si256(word[g], feature_mask);
                arrived &= _mm256_cmpeq_epi32_mask(feature, leaf);
                __m256i code = few ? _mm256_permutevar8x32_epi32(all_codes, feature)
                                   : _mm256_i32gather_epi32((const int *)codes, feature, 4);
                __m256i child = _mm256_and_si256(_mm256_srl_epi32(word[g], feature_bits), child_mask);
                child = _mm256_mask_add_epi32(child, _mm256_cmpgt_epu32_mask(code, word[g]), child, one);
                at[g] = _mm512_add_epi64(base[g], _mm512_slli_epi64(_mm512_cvtepu32_epi64(child), 2));
            }
            going = arrived != 0xFF;
        }
        for (int g = 0; g < TREE_GROUPS; g++) {
            uint32_t numbers[8];
            _mm256_storeu_si256((__m256i *)numbers, _mm256_srli_epi32(word[g], shift));
            for (size_t lane = 0, tree = start + 8 * (size_t)g; lane < 8 && tree < count; lane++, tree++)
                out[tree] = trees[tree].leaves[numbers[lane]];
        }
    }
}

/* What walk_trees_64 does. */
AVX512 static void walk_wide_trees_avx512(const nnm_tree_set *set, size_t first, size_t count, const uint64_t *codes,
                                          double *out)
{
    const nnm_packed_tree *trees = set->trees + first;
    const walk_masks m = masks_of(set);
    const __m512i feature_mask = _mm512_set1_epi64((long long)m.feature);
    const __m512i child_mask = _mm512_set1_epi64((long long)m.child);
    const __m512i leaf = _mm512_set1_epi64((long long)set->columns), one = _mm512_set1_epi64(1);
    const __m128i feature_bits = _mm_cvtsi32_si128((int)m.feature_bits);
    const unsigned shift = nnm_number_shift(&set->layout);

    for (size_t start = 0; start < count; start += 8 * TREE_GROUPS) {
        __m512i base[TREE_GROUPS], at[TREE_GROUPS], word[TREE_GROUPS];
        for (int g = 0; g < TREE_GROUPS; g++) {
            uint64_t bases[8];
            for (size_t lane = 0; lane < 8; lane++) {
                size_t tree = start + 8 * (size_t)g + lane;
                bases[lane] = (uint64_t)(uintptr_t)trees[tree < count ? tree : count - 1].nodes;
            }
            base[g] = _mm512_loadu_si512(bases);
            at[g] = _mm512_add_epi64(base[g], _mm512_set1_epi64(8));
        }
        for (bool going = true; going;) {
            __mmask8 arrived = 0xFF;
            for (int g = 0; g < TREE_GROUPS; g++) {
                word[g] = _mm512_i64gather_epi64(at[g], NULL, 1);
                __m512i feature = _mm512_and_epi64(word[g], feature_mask);
                arrived &= _mm512_cmpeq_epi64_mask(feature, leaf);
                __m512i code = _mm512_i64gather_epi64(feature, codes, 8);
                __m512i child = _mm512_and_epi64(_mm512_srl_epi64(word[g], feature_bits), child_mask);
                child = _mm512_mask_add_epi64(child, _mm512_cmpgt_epu64_mask(code, word[g]), child, one);
                at[g] = _mm512_add_epi64(base[g], _mm512_slli_epi64(child, 3));
            }
            going = arrived != 0xFF;
        }
        for (int g = 0; g < TREE_GROUPS; g++) {
            uint64_t numbers[8];
            _mm512_storeu_si512(numbers, _mm512_srli_epi64(word[g], shift));
            for (size_t lane = 0, tree = start + 8 * (size_t)g; lane < 8 && tree < count; lane++, tree++)
                out[tree] = trees[tree].leaves[numbers[lane]];
        }
    }
}
