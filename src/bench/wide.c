/*
 * The wide reference: what kernels of convolutions spend their time with, multiply and add of the widest vectors there
 * are, on operands in the first-level cache. Cores lower their clock for such code by an amount that changes with what
 * the rest of the package does; narrow code does not notice.
 */
#include "bench/reference.h"

#include <stddef.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "base/clock.h"

#define ROWS 64 /* of a panel: two vectors and five factors each */
#define FACTORS 5
#define WARM_PASSES 16  /* the kernel that ran before has taken the cache; but its clock is to be kept */
#define HEAT_PASSES 190 /* about 20 us: the clock of wide code, whatever ran before */
#define PASSES 48

/* A loop over the panel: ten sums, as the micro-kernels of matrix products have them. */
#define DEFINE_LOOP(name, attribute, vector, width, spread, load, store, multiply_add)                             \
    attribute static float name##_sum(float panel[ROWS][2 * (width)], float factors[ROWS][FACTORS], size_t passes) \
    {                                                                                                              \
        vector a0 = spread(0.0f), a1 = a0, a2 = a0, a3 = a0, a4 = a0;                                              \
        vector b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0;                                                        \
        for (size_t pass = 0; pass < passes; pass++) {                                                             \
            for (size_t row = 0; row < ROWS; row++) {                                                              \
                vector left = load(panel[row]), right = load(panel[row] + (width));                                \
                const float *f = factors[row];                                                                     \
                a0 = multiply_add(left, spread(f[0]), a0), b0 = multiply_add(right, spread(f[0]), b0);             \
                a1 = multiply_add(left, spread(f[1]), a1), b1 = multiply_add(right, spread(f[1]), b1);             \
                a2 = multiply_add(left, spread(f[2]), a2), b2 = multiply_add(right, spread(f[2]), b2);             \
                a3 = multiply_add(left, spread(f[3]), a3), b3 = multiply_add(right, spread(f[3]), b3);             \
                a4 = multiply_add(left, spread(f[4]), a4), b4 = multiply_add(right, spread(f[4]), b4);             \
            }                                                                                                      \
        }                                                                                                          \
        _Alignas(64) float out[10][width];                                                                         \
        store(out[0], a0), store(out[1], a1), store(out[2], a2), store(out[3], a3), store(out[4], a4);             \
        store(out[5], b0), store(out[6], b1), store(out[7], b2), store(out[8], b3), store(out[9], b4);             \
        float sum = 0.0f;                                                                                          \
        for (size_t i = 0; i < 10; i++)                                                                            \
            sum += out[i][0];                                                                                      \
        return sum;                                                                                                \
    }                                                                                                              \
    /* The volatile operands keep the work between the two readings of the clock. */                               \
    attribute static double name(size_t warm_passes)                                                               \
    {                                                                                                              \
        _Alignas(64) float panel[ROWS][2 * (width)], factors[ROWS][FACTORS];                                       \
        volatile float start = 1e-3f, sink;                                                                        \
        for (size_t row = 0; row < ROWS; row++) {                                                                  \
            for (size_t i = 0; i < 2 * (width); i++)                                                               \
                panel[row][i] = start;                                                                             \
            for (size_t i = 0; i < FACTORS; i++)                                                                   \
                factors[row][i] = start;                                                                           \
        }                                                                                                          \
        sink = name##_sum(panel, factors, warm_passes);                                                            \
        uint64_t begin = nnm_clock_ns();                                                                           \
        sink = name##_sum(panel, factors, PASSES);                                                                 \
        uint64_t end = nnm_clock_ns();                                                                             \
        (void)sink;                                                                                                \
        return (double)(end - begin);                                                                              \
    }

#if defined(__x86_64__)
#define SSE_MULTIPLY_ADD(x, y, z) _mm_add_ps(_mm_mul_ps(x, y), z)
DEFINE_LOOP(run_avx512, __attribute__((target("avx512f"))), __m512, 16, _mm512_set1_ps, _mm512_load_ps, _mm512_store_ps,
            _mm512_fmadd_ps)
DEFINE_LOOP(run_avx2, __attribute__((target("avx2,fma"))), __m256, 8, _mm256_set1_ps, _mm256_load_ps, _mm256_store_ps,
            _mm256_fmadd_ps)
DEFINE_LOOP(run_baseline, , __m128, 4, _mm_set1_ps, _mm_load_ps, _mm_store_ps, SSE_MULTIPLY_ADD)
#elif defined(__aarch64__)
#define NEON_MULTIPLY_ADD(x, y, z) vfmaq_f32(z, x, y)
DEFINE_LOOP(run_baseline, , float32x4_t, 4, vdupq_n_f32, vld1q_f32, vst1q_f32, NEON_MULTIPLY_ADD)
#else
#define SAME(x) (x)
#define TAKE(p) (*(p))
#define PUT(p, x) (*(p) = (x))
#define MULTIPLY_ADD(x, y, z) ((x) * (y) + (z))
DEFINE_LOOP(run_baseline, , float, 1, SAME, TAKE, PUT, MULTIPLY_ADD)
#endif

static double run(size_t warm_passes)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return run_avx512(warm_passes);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return run_avx2(warm_passes);
#endif
    return run_baseline(warm_passes);
}

double nnm_reference_wide(void)
{
    return run(WARM_PASSES);
}

double nnm_reference_wide_alone(void)
{
    return run(HEAT_PASSES);
}
