/*
 * How many kernels, and how much time on the device, samplers need for an accuracy: the documented loop, plain draws
 * from the prior, Sobol's points over the logarithms, and acquisition.
 *
 *     bench_sampling [--quick] [--kernels N] [--seeds N] [--data DIR] [--pool FILE.csv [KERNEL]] [--device NUMBER]
 *                    [--cost WEIGHT] [--only METHOD] [--json FILE]
 *
 * Accuracies are those on rows that were drawn before anything else and are never chosen. Every method's kernels are
 * learned by the model `best`, all of them; the documented loop is shown once more with its own random forest.
 */
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "builder/fit.h"
#include "sampling_world.h"

#define CHECKS 7
#define MAX_SEEDS 8
#define MAX_KERNELS 2000
#define AROUND 5            /* kernels around each error of the documented loop */
#define ERROR_THRESHOLD 0.1 /* its default */
#define SPLITS 20           /* without an error, after which it ends */
#define DEVICE_TESTS 1500

typedef enum method {
    DOCUMENTED,
    DOCUMENTED_FOREST,
    PRIOR,
    SOBOL,
    AUTO,
    METHODS
} method;
static const char *const method_names[METHODS] = {"documented", "documented, its forest", "prior", "sobol", "auto"};

typedef struct setup {
    size_t kernels, seeds;
    nnm_acquire_options acquire;
    int only; /* a method, or -1 */
    bool quick;
    size_t at[CHECKS]; /* numbers of kernels at which predictors are fitted */
} setup;

/* What one method reached with one seed. */
typedef struct curve {
    double acc10[CHECKS], rmspe[CHECKS], seconds[CHECKS];
    size_t count;
    nnm_status status;
    nnm_error err;
} curve;

/* ---- the methods ---- */

static nnm_fit_options fit_options(nnm_model_kind model)
{
    nnm_fit_options options = NNM_FIT_OPTIONS_INIT;
    options.model = model;
    options.threads = 1;
    return options;
}

static nnm_status evaluate(const lab *l, size_t count, nnm_model_kind model, curve *out, nnm_error *err)
{
    const world *w = l->world;
    const nnm_fit_options options = fit_options(model);
    nnm_predictor *predictor = NULL;
    nnm_metrics metrics = {0};
    double *predicted = nnm_calloc(w->tests, sizeof *predicted), seconds = 0;
    nnm_status status = predicted ? NNM_OK : nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_fit_rows(&predictor, lab_features(l), l->rows, count, w->kernel, &options, err);
    if (status == NNM_OK) status = nnm_fit_test(predictor, &w->table, w->order, w->tests, predicted, &metrics, err);
    for (size_t i = 0; i < count; i++)
        seconds += l->seconds[i];
    out->acc10[out->count] = metrics.acc10;
    out->rmspe[out->count] = metrics.rmspe;
    out->seconds[out->count++] = seconds;
    nnm_predictor_free(predictor);
    free(predicted);
    return status;
}

/* Fits at each number of kernels that was reached. */
static nnm_status evaluate_reached(const setup *s, const lab *l, nnm_model_kind model, curve *out, nnm_error *err)
{
    nnm_status status = NNM_OK;
    while (out->count < CHECKS && s->at[out->count] <= l->count && status == NNM_OK)
        status = evaluate(l, s->at[out->count], model, out, err);
    return status;
}

/* Splits at random, 8 to 2, and lists the test rows with large errors. */
static nnm_status find_errors(const lab *l, nnm_model_kind model, uint64_t step, size_t *errors, size_t *count,
                              nnm_error *err)
{
    const nnm_features *f = lab_features(l);
    const nnm_fit_options options = fit_options(model);
    size_t tests = (l->count + 4) / 5;
    nnm_predictor *predictor = NULL;
    size_t *split = nnm_calloc(l->count, sizeof *split), *rows = nnm_calloc(l->count, sizeof *rows);
    double *predicted = nnm_calloc(tests, sizeof *predicted);
    nnm_status status = split && rows && predicted ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; i < l->count && status == NNM_OK; i++)
        split[i] = i;
    nnm_rng rng;
    nnm_rng_init(&rng, l->seed, step);
    if (status == NNM_OK) nnm_rng_shuffle(&rng, split, l->count, sizeof *split);
    for (size_t i = 0; i < l->count && status == NNM_OK; i++)
        rows[i] = l->rows[split[i]];
    if (status == NNM_OK)
        status = nnm_fit_rows(&predictor, f, rows + tests, l->count - tests, l->world->kernel, &options, err);
    if (status == NNM_OK) status = nnm_fit_predict(predictor, f, rows, tests, predicted, err);
    *count = 0;
    for (size_t i = 0; i < tests && status == NNM_OK; i++)
        if (fabs(predicted[i] - f->y[rows[i]]) / f->y[rows[i]] > ERROR_THRESHOLD) errors[(*count)++] = split[i];
    nnm_predictor_free(predictor);
    free(split);
    free(rows);
    free(predicted);
    return status;
}

/* Without errors the documented loop ends. Here it splits anew, in its favour, and ends when no split shows any. */
static nnm_status run_documented(const setup *s, lab *l, nnm_model_kind model, curve *out, nnm_error *err)
{
    size_t *errors = nnm_calloc(s->kernels, sizeof *errors), count = 0;
    nnm_status status = errors ? lab_add_prior(l, s->kernels / 4, 0, err) : nnm_fail_memory(err);
    if (status == NNM_OK) status = evaluate_reached(s, l, model, out, err);
    for (uint64_t step = 1, fruitless = 0; l->count < l->limit && fruitless < SPLITS && status == NNM_OK; step++) {
        status = find_errors(l, model, step, errors, &count, err);
        fruitless = count ? 0 : fruitless + 1;
        if (status == NNM_OK) status = lab_add_around(l, errors, count, AROUND, step, err);
        if (status == NNM_OK) status = evaluate_reached(s, l, model, out, err);
    }
    free(errors);
    return status;
}

static nnm_status run_auto(const setup *s, lab *l, curve *out, nnm_error *err)
{
    size_t batch = s->kernels / 12, before = 0;
    nnm_status status = lab_add_start(l, batch, err);
    if (status == NNM_OK) status = evaluate_reached(s, l, NNM_MODEL_BEST, out, err);
    for (uint64_t step = 1; l->count > before && l->count < l->limit && status == NNM_OK; step++) {
        before = l->count;
        status = lab_add_acquired(l, batch, &s->acquire, step, err);
        if (status == NNM_OK) status = evaluate_reached(s, l, NNM_MODEL_BEST, out, err);
    }
    return status;
}

static nnm_status run_method(const setup *s, const world *w, method m, uint64_t seed, curve *out, nnm_error *err)
{
    lab l;
    nnm_status status = lab_init(&l, w, seed, s->kernels, err);
    if (status) return status;
    switch (m) {
    case DOCUMENTED: status = run_documented(s, &l, NNM_MODEL_BEST, out, err); break;
    case DOCUMENTED_FOREST: status = run_documented(s, &l, NNM_MODEL_RANDOM_FOREST, out, err); break;
    case PRIOR: status = lab_add_prior(&l, s->kernels, 0, err); break;
    case SOBOL: status = lab_add_sobol(&l, s->kernels, err); break;
    default: status = run_auto(s, &l, out, err);
    }
    if (status == NNM_OK && out->count == 0) status = evaluate_reached(s, &l, NNM_MODEL_BEST, out, err);
    lab_fini(&l);
    return status;
}

typedef struct comparison {
    const setup *setup;
    const world *world;
    curve curves[METHODS][MAX_SEEDS];
} comparison;

static void run_job(void *context, size_t index, unsigned thread)
{
    (void)thread;
    comparison *c = context;
    method m = (method)(index % METHODS);
    size_t seed = index / METHODS;
    curve *out = &c->curves[m][seed];
    if (c->setup->only >= 0 && (int)m != c->setup->only) return;
    out->status = run_method(c->setup, c->world, m, 1000 * (seed + 1), out, &out->err);
}

/* ---- figures ---- */

typedef struct summary {
    double acc10[CHECKS], acc10_deviation[CHECKS], rmspe[CHECKS], seconds[CHECKS];
    size_t count;
} summary;

static summary summarise(const comparison *c, method m)
{
    size_t seeds = c->setup->seeds;
    summary s = {.count = CHECKS};
    for (size_t k = 0; k < seeds; k++)
        if (c->curves[m][k].count < s.count) s.count = c->curves[m][k].count;
    for (size_t i = 0; i < s.count; i++) {
        double squares = 0;
        for (size_t k = 0; k < seeds; k++) {
            const curve *one = &c->curves[m][k];
            s.acc10[i] += one->acc10[i] / (double)seeds;
            s.rmspe[i] += one->rmspe[i] / (double)seeds;
            s.seconds[i] += one->seconds[i] / (double)seeds;
        }
        for (size_t k = 0; k < seeds; k++)
            squares += pow(c->curves[m][k].acc10[i] - s.acc10[i], 2);
        s.acc10_deviation[i] = seeds > 1 ? sqrt(squares / (double)(seeds - 1)) : 0;
    }
    return s;
}

/* Where a curve of means, joined by straight lines, comes to an accuracy for good. NaN: it does not; what the first
 * point has already counts as reached there. */
static double reached_at(const summary *s, const double *along, double accuracy)
{
    size_t i = s->count;
    while (i && s->acc10[i - 1] >= accuracy)
        i--;
    if (i == s->count) return (double)NAN;
    if (i == 0) return along[0];
    double part = (accuracy - s->acc10[i - 1]) / (s->acc10[i] - s->acc10[i - 1]);
    return along[i - 1] + part * (along[i] - along[i - 1]);
}

static void print_number(double value, double more_than)
{
    if (isnan(value))
        printf(" %8s%.0f", ">", more_than);
    else
        printf(" %11.0f", value);
}

/* What each method needs for the accuracy that the documented loop ends with. */
static void print_needs(const setup *s, const summary *all)
{
    const summary *documented = &all[DOCUMENTED];
    if (documented->count == 0) return;
    double at[CHECKS], target = documented->acc10[documented->count - 1];
    for (size_t i = 0; i < CHECKS; i++)
        at[i] = (double)s->at[i];
    printf("  for the %.1f %% that the documented loop ends with:\n", 100 * target);
    double kernels = reached_at(documented, at, target), seconds = reached_at(documented, documented->seconds, target);
    for (size_t m = 0; m < METHODS; m++) {
        if (all[m].count == 0) continue;
        double k = reached_at(&all[m], at, target), t = reached_at(&all[m], all[m].seconds, target);
        printf("    %-24s", method_names[m]);
        print_number(k, at[all[m].count - 1]);
        printf(" kernels");
        print_number(t, all[m].seconds[all[m].count - 1]);
        printf(" s");
        if (!isnan(k)) printf("   %.2f of the kernels, %.2f of the seconds", k / kernels, t / seconds);
        printf("\n");
    }
}

static void print_world(const setup *s, const world *w, const summary *all, double took)
{
    printf(
        "\n%s: within 10 %%, mean ± deviation over %zu seeds / RMSPE / seconds on the device (bench: %.0f s)\n  %-22s",
        w->name, s->seeds, took, "kernels");
    for (size_t i = 0; i < CHECKS; i++)
        printf(" %20zu", s->at[i]);
    printf("\n");
    for (size_t m = 0; m < METHODS; m++) {
        if (all[m].count == 0) continue;
        printf("  %-22s", method_names[m]);
        for (size_t i = 0; i < all[m].count; i++)
            printf(" %5.1f ±%4.1f /%3.0f /%4.0f", 100 * all[m].acc10[i], 100 * all[m].acc10_deviation[i],
                   100 * all[m].rmspe[i], all[m].seconds[i]);
        printf("\n");
    }
    print_needs(s, all);
    fflush(stdout);
}

static void write_json(FILE *json, const setup *s, const world *w, const summary *all, bool first)
{
    fprintf(json, "%s  {\"world\": \"%s\", \"seeds\": %zu, \"methods\": [\n", first ? "" : ",\n", w->name, s->seeds);
    bool comma = false;
    for (size_t m = 0; m < METHODS; m++) {
        if (all[m].count == 0) continue;
        fprintf(json, "%s    {\"method\": \"%s\", \"points\": [", comma ? ",\n" : "", method_names[m]);
        for (size_t i = 0; i < all[m].count; i++)
            fprintf(json,
                    "%s{\"kernels\": %zu, \"acc10\": %.5f, \"acc10_deviation\": %.5f, \"rmspe\": %.5f, \"seconds\": "
                    "%.3f}",
                    i ? ", " : "", s->at[i], all[m].acc10[i], all[m].acc10_deviation[i], all[m].rmspe[i],
                    all[m].seconds[i]);
        fprintf(json, "]}");
        comma = true;
    }
    fprintf(json, "\n  ]}");
}

static nnm_status compare(const setup *s, const world *w, FILE *json, bool first, nnm_error *err)
{
    comparison *c = nnm_calloc(1, sizeof *c);
    if (!c) return nnm_fail_memory(err);
    c->setup = s;
    c->world = w;
    uint64_t begin = nnm_clock_ns();
    nnm_parallel_for(0, s->seeds * METHODS, run_job, c);
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < METHODS * s->seeds && status == NNM_OK; i++) {
        const curve *one = &c->curves[i % METHODS][i / METHODS];
        status = one->status;
        if (status && err) *err = one->err;
    }
    if (status == NNM_OK) {
        summary all[METHODS];
        for (size_t m = 0; m < METHODS; m++)
            all[m] = summarise(c, (method)m);
        print_world(s, w, all, (double)(nnm_clock_ns() - begin) * 1e-9);
        if (json) write_json(json, s, w, all, first);
    }
    free(c);
    return status;
}

/* ---- what is compared ---- */

typedef struct request {
    const char *data, *pool, *pool_kernel, *json;
    int device; /* one device only, or -1 */
} request;

static nnm_status compare_table(const setup *s, const char *kernel, const char *path, FILE *json, bool *first,
                                nnm_error *err)
{
    world w;
    nnm_status status = world_of_table(&w, kernel, path, err);
    if (status) return status;
    status = compare(s, &w, json, *first, err);
    *first = false;
    world_fini(&w);
    return status;
}

static nnm_status compare_tables(const setup *s, const char *data, FILE *json, bool *first, nnm_error *err)
{
    char pattern[4096];
    glob_t found = {0};
    nnm_status status = NNM_OK;
    snprintf(pattern, sizeof pattern, "%s/*.csv", data);
    if (glob(pattern, 0, NULL, &found) != 0) printf("no tables: %s\n", pattern);
    for (size_t i = 0; i < found.gl_pathc && status == NNM_OK; i++) {
        const char *slash = strrchr(found.gl_pathv[i], '/');
        bool product = strncmp(slash ? slash + 1 : found.gl_pathv[i], "gemm", 4) == 0;
        status = compare_table(s, product ? "matmul" : "conv-bn-relu", found.gl_pathv[i], json, first, err);
    }
    globfree(&found);
    return status;
}

static nnm_status compare_devices(const setup *s, int only, FILE *json, bool *first, nnm_error *err)
{
    static const char *const kernels[] = {"conv-bn-relu", "dwconv-bn-relu", "matmul"};
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels && status == NNM_OK; i++) {
        world w;
        if (!nnm_simulated_device_at(i) || (only >= 0 && (size_t)only != i)) continue;
        status = world_of_device(&w, kernels[i], i, s->quick ? DEVICE_TESTS / 3 : DEVICE_TESTS, err);
        if (status) break;
        status = compare(s, &w, json, *first, err);
        *first = false;
        world_fini(&w);
    }
    return status;
}

static nnm_status run(const setup *s, const request *r, nnm_error *err)
{
    FILE *json = r->json ? fopen(r->json, "w") : NULL;
    bool first = true;
    if (r->json && !json) return nnm_fail_errno(err, "cannot write %s", r->json);
    if (json) fputs("[\n", json);
    nnm_status status = NNM_OK;
    if (r->pool)
        status = compare_table(s, r->pool_kernel, r->pool, json, &first, err);
    else
        status = compare_devices(s, r->device, json, &first, err);
    if (status == NNM_OK && r->data) status = compare_tables(s, r->data, json, &first, err);
    if (json) fputs("\n]\n", json);
    if (json && fclose(json) != 0 && status == NNM_OK) status = nnm_fail_errno(err, "cannot write %s", r->json);
    return status;
}

static int find_method(const char *name)
{
    for (int m = 0; m < METHODS; m++)
        if (strcmp(name, method_names[m]) == 0) return m;
    return -1;
}

static bool parse(int argc, char **argv, setup *s, request *r)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--quick") == 0) {
            s->quick = true;
            s->seeds = 2;
            s->kernels = 120;
            continue;
        }
        if (!value) return false;
        i++;
        if (strcmp(argv[i - 1], "--kernels") == 0)
            s->kernels = strtoul(value, NULL, 10);
        else if (strcmp(argv[i - 1], "--seeds") == 0)
            s->seeds = strtoul(value, NULL, 10);
        else if (strcmp(argv[i - 1], "--data") == 0)
            r->data = value;
        else if (strcmp(argv[i - 1], "--json") == 0)
            r->json = value;
        else if (strcmp(argv[i - 1], "--cost") == 0)
            s->acquire.cost_weight = strtod(value, NULL);
        else if (strcmp(argv[i - 1], "--only") == 0 && find_method(value) >= 0)
            s->only = find_method(value);
        else if (strcmp(argv[i - 1], "--device") == 0)
            r->device = atoi(value);
        else if (strcmp(argv[i - 1], "--pool") == 0) {
            r->pool = value;
            if (i + 1 < argc && argv[i + 1][0] != '-') r->pool_kernel = argv[++i];
        } else
            return false;
    }
    return s->seeds >= 1 && s->seeds <= MAX_SEEDS && s->kernels >= 120 && s->kernels <= MAX_KERNELS;
}

int main(int argc, char **argv)
{
    static const size_t twelfths[CHECKS] = {1, 2, 3, 4, 6, 8, 12};
    nnm_error err = NNM_ERROR_INIT;
    setup s = {.kernels = 360, .seeds = 5, .acquire = NNM_ACQUIRE_OPTIONS_INIT, .only = -1};
    request r = {.pool_kernel = "conv-bn-relu", .device = -1};
    s.acquire.threads = 1;
    if (!parse(argc, argv, &s, &r)) {
        fputs("usage: bench_sampling [--quick] [--kernels 120..2000] [--seeds 1..8] [--data DIR] [--pool FILE.csv "
              "[KERNEL]]\n                      [--device NUMBER] [--cost WEIGHT] [--only METHOD] [--json FILE]\n",
              stderr);
        return 2;
    }
    for (size_t i = 0; i < CHECKS; i++)
        s.at[i] = s.kernels * twelfths[i] / 12;
    if (run(&s, &r, &err)) {
        fprintf(stderr, "bench_sampling: %s\n", err.message);
        return 1;
    }
    return 0;
}
