/* Experiment. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "builder/acquire_rows.h"
#include "builder/fit.h"
#include "sampling/sobol.h"

#define MAXN 600
#define NPOINTS 7
static const size_t checks[] = {50, 100, 150, 200, 300, 400, 600};

typedef struct world {
    const char *name;
    const nnm_kernel *kernel;
    nnm_features f;
    nnm_features rf;
    double *seconds;
    size_t *pool, pool_count;
    size_t *test, test_count;
    double *log_params; /* rows * dims, in 0..1 */
    size_t dims;
} world;

typedef struct curve {
    double n[NPOINTS], seconds[NPOINTS], acc[NPOINTS], rmspe[NPOINTS];
    size_t count;
} curve;

#define CHECK(x) do { if ((x)) { fprintf(stderr, "%s:%d %s\n", __FILE__, __LINE__, err.message); exit(1);} } while (0)
static nnm_error err = NNM_ERROR_INIT;
static unsigned g_threads = 1;

static void load(world *w, const char *kernel, const char *path)
{
    nnm_skipped_rows skipped = {0};
    w->name = strrchr(path, '/') + 1;
    CHECK(nnm_kernel_find(&w->kernel, kernel, &err));
    CHECK(nnm_features_of_csv(&w->f, path, w->kernel, "latency_ms", NNM_MODEL_BEST, &skipped, &err));
    size_t n = w->f.rows;
    w->test_count = n / 3 > 1500 ? 1500 : n / 3;
    size_t *order;
    CHECK(nnm_fit_order(&order, &w->f, 12345, &err));
    w->test = order;
    w->pool = order + w->test_count;
    w->pool_count = n - w->test_count;
    w->seconds = nnm_calloc(n, sizeof(double));
    for (size_t i = 0; i < n; i++)
        w->seconds[i] = nnm_acquire_seconds(w->f.y[i]);
    size_t cols[64];
    for (size_t c = 0; c < w->f.columns; c++)
        if (strncmp(w->f.names[c], "work.", 5) && strcmp(w->f.names[c], "FLOPS") && strcmp(w->f.names[c], "PARAMS"))
            cols[w->dims++] = c;
    w->log_params = nnm_calloc(n * w->dims, sizeof(double));
    for (size_t d = 0; d < w->dims; d++) {
        double lo = 1e300, hi = -1e300;
        for (size_t i = 0; i < n; i++) {
            double v = log(fmax(w->f.x[i * w->f.columns + cols[d]], 0) + (w->f.x[i * w->f.columns + cols[d]] < 1));
            w->log_params[i * w->dims + d] = v;
            lo = fmin(lo, v), hi = fmax(hi, v);
        }
        for (size_t i = 0; i < n; i++)
            w->log_params[i * w->dims + d] = hi > lo ? (w->log_params[i * w->dims + d] - lo) / (hi - lo) : 0;
    }
    double ts = 0;
    for (size_t i = 0; i < n; i++) ts += w->seconds[i];
    printf("%s: %zu rows, pool %zu, mean seconds %.3f\n", w->name, n, w->pool_count, ts / (double)n);
}

static double dist(const world *w, const double *p, size_t row)
{
    double s = 0;
    for (size_t d = 0; d < w->dims; d++) {
        double x = p[d] - w->log_params[row * w->dims + d];
        s += x * x;
    }
    return s;
}

static size_t nearest_free(const world *w, const double *p, const unsigned char *used)
{
    size_t best = SIZE_MAX;
    double bd = INFINITY;
    for (size_t i = 0; i < w->pool_count; i++) {
        size_t r = w->pool[i];
        if (used[r]) continue;
        double x = dist(w, p, r);
        if (x < bd) bd = x, best = r;
    }
    return best;
}

static void evaluate(const world *w, const size_t *rows, size_t count, nnm_model_kind model, curve *out)
{
    nnm_fit_options o = NNM_FIT_OPTIONS_INIT;
    o.model = model;
    o.threads = g_threads;
    nnm_predictor *p = NULL;
    CHECK(nnm_fit_rows(&p, &w->f, rows, count, w->kernel, &o, &err));
    double *pred = nnm_calloc(w->test_count, sizeof(double));
    nnm_metrics m;
    CHECK(nnm_fit_test(p, &w->f, w->test, w->test_count, pred, &m, &err));
    double s = 0;
    for (size_t i = 0; i < count; i++) s += w->seconds[rows[i]];
    out->n[out->count] = (double)count;
    out->seconds[out->count] = s;
    out->acc[out->count] = m.acc10;
    out->rmspe[out->count++] = m.rmspe;
    free(pred);
    nnm_predictor_free(p);
}

static size_t *shuffled(const world *w, uint64_t seed)
{
    size_t *o = nnm_calloc(w->pool_count, sizeof *o);
    memcpy(o, w->pool, w->pool_count * sizeof *o);
    nnm_rng rng;
    nnm_rng_init(&rng, seed, 99);
    nnm_rng_shuffle(&rng, o, w->pool_count, sizeof *o);
    return o;
}

static void curve_of(const world *w, const size_t *rows, size_t count, nnm_model_kind model, curve *out)
{
    for (size_t i = 0; i < NPOINTS; i++)
        if (checks[i] <= count) evaluate(w, rows, checks[i], model, out);
}

static void run_prior(const world *w, uint64_t seed, curve *out)
{
    size_t *o = shuffled(w, seed);
    curve_of(w, o, MAXN, NNM_MODEL_BEST, out);
    free(o);
}

static size_t sobol_rows(const world *w, uint64_t seed, size_t *rows, size_t num)
{
    unsigned char *used = nnm_calloc(w->f.rows, 1);
    nnm_sobol s = {seed + 1, 0};
    for (size_t i = 0; i < num; i++) {
        double p[NNM_SOBOL_MAX_DIMENSIONS];
        nnm_sobol_next(&s, w->dims, p);
        rows[i] = nearest_free(w, p, used);
        used[rows[i]] = 1;
    }
    free(used);
    return num;
}

static void run_sobol(const world *w, uint64_t seed, curve *out)
{
    size_t rows[MAXN];
    curve_of(w, rows, sobol_rows(w, seed, rows, MAXN), NNM_MODEL_BEST, out);
}

static void run_documented(const world *w, uint64_t seed, nnm_model_kind model, curve *out)
{
    size_t *o = shuffled(w, seed);
    unsigned char *used = nnm_calloc(w->f.rows, 1);
    size_t rows[MAXN], count = 150;
    memcpy(rows, o, count * sizeof *rows);
    for (size_t i = 0; i < count; i++) used[rows[i]] = 1;
    nnm_rng rng;
    nnm_rng_init(&rng, seed, 5);
    size_t next = 0;
    for (;;) {
        size_t tests = count / 5;
        size_t split[MAXN];
        memcpy(split, rows, count * sizeof *rows);
        nnm_rng_shuffle(&rng, split, count, sizeof *split);
        while (next < NPOINTS && checks[next] <= count) evaluate(w, rows, checks[next++], model, out);
        if (count >= MAXN) break;
        nnm_fit_options fo = NNM_FIT_OPTIONS_INIT;
        fo.model = model;
        fo.threads = g_threads;
        nnm_predictor *p = NULL;
        CHECK(nnm_fit_rows(&p, &w->f, split + tests, count - tests, w->kernel, &fo, &err));
        double pred[MAXN];
        CHECK(nnm_fit_predict(p, &w->f, split, tests, pred, &err));
        nnm_predictor_free(p);
        for (size_t i = 0; i < tests; i++) {
            double y = w->f.y[split[i]];
            if (fabs(pred[i] - y) / y <= 0.1) continue;
            for (size_t k = 0; k < 5 && count < MAXN; k++) {
                size_t r = nearest_free(w, w->log_params + split[i] * w->dims, used);
                used[r] = 1;
                rows[count++] = r;
            }
        }
    }
    free(o);
    free(used);
}

static size_t g_init = 100, g_batch = 50;
static double g_cost = 0;
static int g_start = 0;

static void cheap_start(const world *w, size_t *o, size_t init)
{
    /* drop the costliest: by FLOPS order */
    (void)w; (void)o; (void)init;
}

static void run_auto(const world *w, uint64_t seed, curve *out)
{
    size_t *o = shuffled(w, seed);
    unsigned char *used = nnm_calloc(w->f.rows, 1);
    size_t rows[MAXN], count = g_init;
    if (g_start == 1)
        sobol_rows(w, seed, rows, g_init);
    else if (g_start == 2) {
        double *mind = nnm_calloc(w->pool_count, sizeof(double));
        /* greedy k-medoid among a sample of 1000 */
        size_t N = 1000;
        double *best = nnm_calloc(N, sizeof(double));
        for (size_t i = 0; i < N; i++) best[i] = 0;
        for (size_t k = 0; k < g_init; k++) {
            double top = -1; size_t tj = 0;
            for (size_t j = 0; j < N; j++) {
                double g = 0;
                for (size_t i = 0; i < N; i++) {
                    double s = exp(-dist(w, w->log_params + o[j] * w->dims, o[i]) / 0.05);
                    if (s > best[i]) g += s - best[i];
                }
                if (g > top) top = g, tj = j;
            }
            rows[k] = o[tj];
            for (size_t i = 0; i < N; i++) {
                double s = exp(-dist(w, w->log_params + o[tj] * w->dims, o[i]) / 0.05);
                if (s > best[i]) best[i] = s;
            }
        }
        free(mind); free(best);
    } else
        memcpy(rows, o, count * sizeof *rows);
    cheap_start(w, o, g_init);
    for (size_t i = 0; i < count; i++) used[rows[i]] = 1;
    size_t next = 0, *cand = nnm_calloc(w->pool_count, sizeof *cand);
    for (size_t round = 0;; round++) {
        while (next < NPOINTS && checks[next] <= count) evaluate(w, rows, checks[next++], NNM_MODEL_BEST, out);
        if (count >= MAXN) break;
        size_t cc = 0, chosen[MAXN], got = 0;
        size_t *oo = shuffled(w, seed * 1000 + round);
        for (size_t i = 0; i < w->pool_count && cc < nnm_tuning.reference; i++)
            if (!used[oo[i]]) cand[cc++] = oo[i];
        free(oo);
        double sec[MAXN];
        for (size_t i = 0; i < count; i++) sec[i] = w->seconds[rows[i]];
        nnm_acquire_rows known = {&w->f, rows, count, sec}, after = {&w->f, cand, cc, NULL};
        nnm_acquire_options ao = {g_cost, g_threads};
        size_t batch = g_batch;
        if (count + batch > MAXN) batch = MAXN - count;
        CHECK(nnm_acquire_choose(chosen, &got, &known, &after, cc, batch, &ao, seed, NULL, &err));
        for (size_t i = 0; i < got; i++) {
            used[cand[chosen[i]]] = 1;
            rows[count++] = cand[chosen[i]];
        }
    }
    free(o); free(cand); free(used);
}

typedef struct job { const world *w; const char *method; curve c[8]; size_t seeds; } job;

static void run_one(void *context, size_t seed, unsigned thread)
{
    (void)thread;
    job *j = context;
    curve *c = &j->c[seed];
    if (!strcmp(j->method, "prior")) run_prior(j->w, seed, c);
    else if (!strcmp(j->method, "sobol")) run_sobol(j->w, seed, c);
    else if (!strcmp(j->method, "documented")) run_documented(j->w, seed, NNM_MODEL_BEST, c);
    else if (!strcmp(j->method, "documented-rf")) run_documented(j->w, seed, NNM_MODEL_RANDOM_FOREST, c);
    else run_auto(j->w, seed, c);
}

static void show(const job *j, double seconds)
{
    printf("%-40s", j->method);
    double t = 0;
    for (size_t p = 0; p < NPOINTS; p++) {
        double s = 0, ss = 0, se = 0; size_t n = 0;
        for (size_t k = 0; k < j->seeds; k++) {
            const curve *c = &j->c[k];
            for (size_t q = 0; q < c->count; q++)
                if (c->n[q] == (double)checks[p]) s += c->acc[q], ss += c->acc[q] * c->acc[q], se += c->seconds[q], n++;
        }
        if (!n) { printf("       -       "); continue; }
        s /= (double)n;
        printf(" %5.1f±%3.1f/%4.0fs", 100 * s, 100 * sqrt(fmax(ss / (double)n - s * s, 0)), se / (double)n);
        t = se;
    }
    (void)t;
    printf("  [%.0fs]\n", seconds);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    /* exp CSV KERNEL SEEDS method... ; a method auto:worth,greedy,cost,init,batch,start,ref,sharp */
    world w = {0};
    load(&w, argv[2], argv[1]);
    size_t seeds = strtoul(argv[3], NULL, 10);
    for (int a = 4; a < argc; a++) {
        job j = {.w = &w, .method = argv[a], .seeds = seeds};
        if (!strncmp(argv[a], "auto:", 5)) {
            int worth, greedy; double sharp = 1;
            sscanf(argv[a] + 5, "%d,%d,%lf,%zu,%zu,%d,%zu,%lf", &worth, &greedy, &g_cost, &g_init, &g_batch, &g_start, &nnm_tuning.reference, &sharp);
            nnm_tuning.worth = (nnm_acquire_worth)worth;
            nnm_tuning.greedy = greedy;
            nnm_tuning.sharpness = sharp;
        }
        uint64_t t = nnm_clock_ns();
        nnm_parallel_for(2, seeds, run_one, &j);
        show(&j, (double)(nnm_clock_ns() - t) * 1e-9);
    }
    return 0;
}
