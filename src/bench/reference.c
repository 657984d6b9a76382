#include "bench/reference.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "base/clock.h"
#include "bench/statistics.h"

/* Vectors are spelled out: left to vectorise plain C, compilers spill the chains to memory (measured: up to five times
 * slower, and bound by stores). The arithmetic is the baseline of each architecture, so nothing is detected at run
 * time. */
#if defined(__SSE2__)
typedef __m128 lanes;
#define LANES 4
static inline lanes spread(float x)
{
    return _mm_set1_ps(x);
}
static inline lanes load(const float *x)
{
    return _mm_load_ps(x);
}
static inline void store(float *out, lanes x)
{
    _mm_store_ps(out, x);
}
static inline lanes add(lanes x, lanes y)
{
    return _mm_add_ps(x, y);
}
static inline lanes multiply_add(lanes x, lanes scale, lanes shift)
{
    return _mm_add_ps(_mm_mul_ps(x, scale), shift);
}
#elif defined(__aarch64__)
typedef float32x4_t lanes;
#define LANES 4
static inline lanes spread(float x)
{
    return vdupq_n_f32(x);
}
static inline lanes load(const float *x)
{
    return vld1q_f32(x);
}
static inline void store(float *out, lanes x)
{
    vst1q_f32(out, x);
}
static inline lanes add(lanes x, lanes y)
{
    return vaddq_f32(x, y);
}
static inline lanes multiply_add(lanes x, lanes scale, lanes shift)
{
    return vfmaq_f32(shift, x, scale);
}
#else
typedef float lanes;
#define LANES 1
static inline lanes spread(float x)
{
    return x;
}
static inline lanes load(const float *x)
{
    return *x;
}
static inline void store(float *out, lanes x)
{
    *out = x;
}
static inline lanes add(lanes x, lanes y)
{
    return x + y;
}
static inline lanes multiply_add(lanes x, lanes scale, lanes shift)
{
    return x * scale + shift;
}
#endif

#define TABLE_ROWS 32 /* pairs of scale and shift: 1 KiB */
#define TABLE_PASSES 150
#define CHAIN_STEPS 10000u
#define CLOCK_STEPS (CHAIN_STEPS / 4)
#define WARM_STEPS 100u
#define CHAIN_STEP_CYCLES 4 /* multiply: 3, exclusive or: 1, on every x86-64 of the last ten years */

/* Twelve chains and one pair of operands fill 14 registers. On cores with two or three units for vector arithmetic and
 * a latency of 3 or 4 cycles an operation, fewer would wait for their own results. x -> 0.75 x + 0.25 stays near 1, far
 * from denormal numbers. */
static float run_independent(float start)
{
    _Alignas(64) float table[2 * TABLE_ROWS][LANES];
    for (size_t row = 0; row < TABLE_ROWS; row++) {
        store(table[2 * row], spread(0.75f * start));
        store(table[2 * row + 1], spread(0.25f * start));
    }
    lanes unit = spread(start);
    lanes a = unit, b = add(a, unit), c = add(b, unit), d = add(c, unit), e = add(d, unit), f = add(e, unit);
    lanes g = add(f, unit), h = add(g, unit), i = add(h, unit), j = add(i, unit), k = add(j, unit), l = add(k, unit);
    for (size_t pass = 0; pass < TABLE_PASSES; pass++) {
        for (size_t row = 0; row < TABLE_ROWS; row++) {
            lanes scale = load(table[2 * row]), shift = load(table[2 * row + 1]);
            a = multiply_add(a, scale, shift);
            b = multiply_add(b, scale, shift);
            c = multiply_add(c, scale, shift);
            d = multiply_add(d, scale, shift);
            e = multiply_add(e, scale, shift);
            f = multiply_add(f, scale, shift);
            g = multiply_add(g, scale, shift);
            h = multiply_add(h, scale, shift);
            i = multiply_add(i, scale, shift);
            j = multiply_add(j, scale, shift);
            k = multiply_add(k, scale, shift);
            l = multiply_add(l, scale, shift);
        }
    }
    lanes sum = add(add(add(a, b), add(c, d)), add(add(add(e, f), add(g, h)), add(add(i, j), add(k, l))));
    _Alignas(64) float out[LANES];
    store(out, sum);
    return out[0];
}

/* Multiply and exclusive or do not distribute over each other, so no compiler can shorten the chain. */
static uint32_t run_dependent(uint32_t x, uint32_t steps)
{
    for (uint32_t step = 0; step < steps; step++)
        x = (x * UINT32_C(0x9E3779B1)) ^ UINT32_C(0x85EBCA6B);
    return x;
}

/* The volatile operands are read after the first clock reading and written before the second; the work between them
 * can neither move out nor be shared between calls. */
double nnm_reference_throughput(void)
{
    volatile float start = 1.0f;
    volatile float sink;
    uint64_t begin = nnm_clock_ns();
    sink = run_independent(start);
    uint64_t end = nnm_clock_ns();
    (void)sink;
    return (double)(end - begin);
}

double nnm_reference_latency(void)
{
    volatile uint32_t start = 1;
    volatile uint32_t sink;
    uint64_t begin = nnm_clock_ns();
    sink = run_dependent(start, CHAIN_STEPS);
    uint64_t end = nnm_clock_ns();
    (void)sink;
    return (double)(end - begin);
}

/* The first run is for the code and the clock, which a large kernel has driven out of the cache. */
double nnm_reference_clock(void)
{
    volatile uint32_t start = 1;
    volatile uint32_t sink;
    uint64_t begin = nnm_clock_ns();
    sink = run_dependent(start, WARM_STEPS);
    begin = nnm_clock_ns();
    sink = run_dependent(start, CLOCK_STEPS);
    uint64_t end = nnm_clock_ns();
    (void)sink;
    return (double)(end - begin) * CHAIN_STEPS / CLOCK_STEPS;
}

#define VERSION "4" /* of the loops above; another one makes machines look for their quiet state again */
#ifdef __OPTIMIZE__
#define OPTIMIZED " optimized"
#else
#define OPTIMIZED ""
#endif
#ifdef __VERSION__
#define COMPILER " " __VERSION__
#else
#define COMPILER ""
#endif

const char *nnm_reference_build(void)
{
    return VERSION COMPILER OPTIMIZED;
}

double nnm_reference_clock_ghz(double latency_ns)
{
#if defined(__x86_64__)
    return latency_ns > 0.0 ? CHAIN_STEP_CYCLES * (double)CHAIN_STEPS / latency_ns : 0.0;
#else
    (void)latency_ns;
    return 0.0;
#endif
}

#define FADE_PER_S 0.001
#define FADE_MAX_S 1.0

void nnm_quiet_observe(nnm_quiet *quiet, double reference_ns, uint64_t now_ns)
{
    double passed_s = quiet->seen_ns && now_ns > quiet->seen_ns ? (double)(now_ns - quiet->seen_ns) * 1e-9 : 0.0;
    if (passed_s > FADE_MAX_S) passed_s = FADE_MAX_S;
    quiet->seen_ns = now_ns;
    quiet->best_ns *= 1.0 + FADE_PER_S * passed_s;
    if (quiet->previous_ns > 0.0) {
        double both = reference_ns > quiet->previous_ns ? reference_ns : quiet->previous_ns;
        if (quiet->best_ns <= 0.0 || both < quiet->best_ns) quiet->best_ns = both;
    }
    quiet->previous_ns = reference_ns;
}

#define PROBE_REFERENCES 4096

double nnm_quiet_probe(nnm_quiet *quiet, double seconds)
{
    double references[PROBE_REFERENCES];
    size_t count = 0;
    uint64_t begin = nnm_clock_ns(), now = begin;
    while (count < 3 || (count < PROBE_REFERENCES && (double)(now - begin) < seconds * 1e9)) {
        references[count] = nnm_reference_wide_alone();
        now = nnm_clock_ns();
        nnm_quiet_observe(quiet, references[count++], now);
    }
    return nnm_percentile(references, count, 0.5);
}

double nnm_quiet_reference(const nnm_quiet *quiet)
{
    return quiet->reference_ns > 0.0 ? quiet->reference_ns : quiet->best_ns;
}

/* ---- the quiet state ---- */

#define FIND_SIGHTS 8192
#define COMMON 0.1
#define FIND_PAUSE_NS 1000000 /* between two looks: states last longer than a reference takes, wide clocks do not */

static void pause_ns(long nanoseconds)
{
    struct timespec pause = {0, nanoseconds};
    (void)nanosleep(&pause, NULL);
}

static void look(double *wide_ns, double *clock_ns)
{
    *clock_ns = nnm_reference_clock();
    *wide_ns = nnm_reference_wide_alone();
}

static int compare_sights(const void *left, const void *right)
{
    const nnm_sight *a = left, *b = right;
    return (a->wide_ns > b->wide_ns) - (a->wide_ns < b->wide_ns);
}

static int compare_clocks(const void *left, const void *right)
{
    const nnm_sight *a = left, *b = right;
    return (a->clock_ns > b->clock_ns) - (a->clock_ns < b->clock_ns);
}

/* Sights next to each other in order of time. */
typedef struct step {
    size_t begin, count;
} step;

/* The first step is taken that is common enough, at the place where it holds most. Which step is the most common
 * changes from second to second; which is the fastest common one does not. */
static step choose_step(const nnm_sight *sights, size_t count, double gate, double clock_gate)
{
    step best = {0, 0};
    double last_ns = 0; /* where the step that was found ends */
    size_t enough = (size_t)(COMMON * (double)count);
    double slowest_ns = sights[count / 100].wide_ns * (1.0 + gate);
    for (size_t i = 0, end = 0; i < count && sights[i].wide_ns <= slowest_ns; i++) {
        if (last_ns > 0 && sights[i].wide_ns > last_ns) break;
        while (end < count && sights[end].wide_ns <= sights[i].wide_ns * (1.0 + clock_gate))
            end++;
        if (end - i > best.count) best = (step){i, end - i};
        if (last_ns <= 0 && best.count >= enough) last_ns = sights[i].wide_ns * (1.0 + clock_gate);
    }
    return best;
}

/* All that the gate lets through. */
static step choose_undisturbed(const nnm_sight *sights, size_t count, double gate)
{
    step found = {0, count / 100 + 1};
    while (found.count < count && sights[found.count].wide_ns <= sights[count / 100].wide_ns * (1.0 + gate))
        found.count++;
    return found;
}

void nnm_quiet_settle(nnm_quiet *quiet, nnm_sight *sights, size_t count, double gate, double clock_gate)
{
    qsort(sights, count, sizeof *sights, compare_sights);
    step found =
        clock_gate > 0.0 ? choose_step(sights, count, gate, clock_gate) : choose_undisturbed(sights, count, gate);
    quiet->reference_ns = sights[found.begin + found.count / 2].wide_ns;
    qsort(sights, count, sizeof *sights, compare_clocks);
    quiet->clock_ns = sights[count / 10].clock_ns;
}

void nnm_quiet_find(nnm_quiet *quiet, double seconds, double gate, double clock_gate)
{
    nnm_sight sights[FIND_SIGHTS];
    size_t count = 0;
    uint64_t begin = nnm_clock_ns();
    while (count < 3 || (count < FIND_SIGHTS && (double)(nnm_clock_ns() - begin) < seconds * 1e9)) {
        look(&sights[count].wide_ns, &sights[count].clock_ns);
        nnm_quiet_observe(quiet, sights[count].wide_ns, nnm_clock_ns());
        count++;
        pause_ns(FIND_PAUSE_NS);
    }
    nnm_quiet_settle(quiet, sights, count, gate, clock_gate);
}

#define CLOCKS 17

void nnm_quiet_find_clocks(nnm_quiet *quiet)
{
    double clocks[CLOCKS];
    for (size_t i = 0; i < CLOCKS; i++) {
        (void)nnm_reference_wide_alone();
        clocks[i] = nnm_reference_clock();
    }
    quiet->wide_clock_ns = nnm_percentile(clocks, CLOCKS, 0.5);
    if (quiet->clock_ns > 0.0) return;
    for (size_t i = 0; i < CLOCKS; i++) {
        pause_ns(FIND_PAUSE_NS);
        clocks[i] = nnm_reference_clock();
    }
    quiet->clock_ns = nnm_percentile(clocks, CLOCKS, 0.1);
}

#define SAME_CLOCK 0.03

double nnm_quiet_wideness(const nnm_quiet *quiet, double clock_ns)
{
    if (quiet->clock_ns <= 0.0 || quiet->wide_clock_ns <= quiet->clock_ns * (1.0 + SAME_CLOCK)) return 1.0;
    double wideness = (clock_ns - quiet->clock_ns) / (quiet->wide_clock_ns - quiet->clock_ns);
    return fmin(1.0, fmax(0.0, wideness));
}

double nnm_quiet_share(const nnm_quiet *quiet, double seconds, double gate)
{
    size_t count = 0, quiet_count = 0;
    uint64_t begin = nnm_clock_ns();
    do {
        double wide_ns, clock_ns;
        look(&wide_ns, &clock_ns);
        quiet_count += fabs(wide_ns / nnm_quiet_reference(quiet) - 1.0) <= gate;
        count++;
        pause_ns(FIND_PAUSE_NS);
    } while ((double)(nnm_clock_ns() - begin) < seconds * 1e9);
    return (double)quiet_count / (double)count;
}
