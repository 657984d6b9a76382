/*
 * Every kernel of the catalogue computes the same on every backend that is here, through every format of model files:
 * what an interpreter in double precision says, within a ten-thousandth of the range of the output. A backend may
 * refuse a kernel, but only beforehand, through supports(). Prints who agrees how well, and who cannot what.
 *
 * Kernels, backends and formats are found by looping: whatever is added to the catalogue or the list is tested here.
 */
#include "unit/testing.h"

#include <inttypes.h>
#include <math.h>

#include "base/rng.h"
#include "nnmeter/backend.h"
#include "nnmeter/kernel.h"
#include "nnmeter/model_file.h"
#include "unit/test_reference_interpreter.h"

#define TOLERANCE 1e-4
#define MAX_COLUMNS 32
#define MAX_REASONS 100
#define MAX_FAILURES 40
#define TEXT_BYTES 400

static char folder[256];

/* The leak sanitizer calls this where it is there. ONNX Runtime keeps a few bytes of its own to the end of the process;
 * that its sessions leak nothing is tested elsewhere. */
NNM_API const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libonnxruntime";
}

/* ---- configurations ---- */

/* What each configuration is there for: a plain one; odd sizes and channels that fill no vector; one pixel; a stride
 * beyond the kernel; a batch; an even kernel; an image smaller than the kernel. */
typedef struct setting {
    int64_t hw, cin, cout, kernel_size, strides, batch;
} setting;

static const setting settings[] = {{14, 8, 16, 3, 1, 1}, {13, 5, 7, 3, 2, 1},  {1, 6, 9, 3, 1, 1},  {9, 6, 10, 1, 2, 1},
                                   {7, 10, 3, 5, 1, 3},  {12, 34, 6, 2, 3, 1}, {5, 18, 33, 7, 2, 2}};
#define SETTING_COUNT (sizeof settings / sizeof *settings)

/* The setting's value of a parameter, known by its name. CIN1, CIN2 ... are the inputs of a concat: two, three or four
 * of them, the others 0. Parameters that nobody thought of take the number of channels. */
static int64_t value_of(const setting *s, size_t number, const char *param)
{
    if (strcmp(param, "HW") == 0) return s->hw;
    if (strcmp(param, "CIN") == 0 || strcmp(param, "K") == 0) return s->cin;
    if (strcmp(param, "COUT") == 0 || strcmp(param, "N") == 0) return s->cout;
    if (strcmp(param, "KERNEL_SIZE") == 0) return s->kernel_size;
    if (strcmp(param, "STRIDES") == 0 || strcmp(param, "POOL_STRIDES") == 0) return s->strides;
    if (strcmp(param, "B") == 0) return s->batch;
    if (strcmp(param, "M") == 0) return s->hw;
    if (strncmp(param, "CIN", 3) == 0 && param[3] >= '1' && param[3] <= '9' && !param[4]) {
        int64_t index = param[3] - '1';
        return index < (int64_t)(2 + number % 3) ? s->cin + 3 * index : 0;
    }
    return s->cin;
}

static void fill_config(nnm_kernel_config *config, const nnm_kernel *kernel, const setting *s, size_t number)
{
    *config = (nnm_kernel_config){0};
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
        int64_t low, high, value = value_of(s, number, nnm_kernel_param_name(kernel, i));
        nnm_kernel_param_range(kernel, i, &low, &high);
        config->value[i] = value < low ? low : value > high ? high : value;
    }
}

/* Kernels may want COUT to equal CIN, or CIN to be divisible: tries the setting as it is, then what is next to it. */
static void make_config(nnm_kernel_config *config, const nnm_kernel *kernel, size_t number)
{
    nnm_error err = NNM_ERROR_INIT;
    const setting *s = &settings[number];
    for (int64_t divisor = 1; divisor <= 8; divisor *= 2) {
        int64_t cin = (s->cin + divisor - 1) / divisor * divisor;
        const setting tries[] = {{s->hw, cin, s->cout, s->kernel_size, s->strides, s->batch},
                                 {s->hw, cin, cin, s->kernel_size, s->strides, s->batch}};
        for (size_t i = 0; i < 2; i++) {
            fill_config(config, kernel, &tries[i], number);
            if (nnm_kernel_config_check(kernel, config, &err) == NNM_OK) return;
        }
    }
    fail_msg("%s has no valid configuration like setting %zu: %s", nnm_kernel_name(kernel), number, err.message);
}

/* ---- what is found out ---- */

/* Each layout has its format of model files. */
static const nnm_layout layouts[] = {NNM_LAYOUT_NCHW, NNM_LAYOUT_NHWC};
#define LAYOUT_COUNT (sizeof layouts / sizeof *layouts)

typedef struct column {
    const nnm_backend *backend;
    nnm_layout layout;
} column;

typedef struct cell {
    size_t agreed, refused, failed;
    double worst;  /* error, relative to the range of its output */
    size_t reason; /* of a refusal, counted from 1 */
} cell;

typedef struct findings {
    column columns[MAX_COLUMNS];
    size_t column_count;
    cell *cells; /* a row a kernel */
    char reasons[MAX_REASONS][TEXT_BYTES];
    size_t reason_count;
    char failures[MAX_FAILURES][TEXT_BYTES];
    size_t failure_count; /* may be larger */
} findings;

static size_t note_reason(findings *f, const char *reason)
{
    for (size_t i = 0; i < f->reason_count; i++)
        if (strncmp(f->reasons[i], reason, 399) == 0) return i + 1;
    if (f->reason_count == MAX_REASONS) return MAX_REASONS;
    snprintf(f->reasons[f->reason_count], TEXT_BYTES, "%.399s", reason);
    return ++f->reason_count;
}

static void note_failure(findings *f, cell *c, const column *where, const nnm_kernel *kernel,
                         const nnm_kernel_config *config, const char *what)
{
    char text[128];
    nnm_kernel_config_format(kernel, config, text, sizeof text);
    if (c->failed++ > 0) return; /* the first one of each cell is shown */
    if (f->failure_count < MAX_FAILURES)
        snprintf(f->failures[f->failure_count], TEXT_BYTES, "%s/%s, %s, %s: %.200s", where->backend->name,
                 nnm_model_suffix(where->layout), nnm_kernel_name(kernel), text, what);
    f->failure_count++;
}

/* ---- one configuration ---- */

typedef struct example {
    nnm_graph *graph;
    char path[512];
    nnm_status written; /* UNSUPPORTED: the format cannot hold it, for the reason in `why` */
    char why[TEXT_BYTES];
    float *inputs[NNM_KERNEL_MAX_INPUTS];
    double *expected[NNM_NODE_MAX_OUTPUTS];
} example;

static void make_example(example *e, const nnm_kernel *kernel, const nnm_kernel_config *config, int64_t batch,
                         nnm_layout layout)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph_options options = {layout, batch, 42, false};
    char name[64];
    *e = (example){0};
    assert_ok(nnm_kernel_build_graph(&e->graph, kernel, config, &options, &err));
    snprintf(name, sizeof name, "model.%s", nnm_model_suffix(layout));
    in_folder(e->path, folder, name);
    e->written = nnm_model_write(e->graph, e->path, &err);
    if (e->written) {
        assert_int_equal(e->written, NNM_ERR_UNSUPPORTED);
        snprintf(e->why, sizeof e->why, "no file: %.380s", err.message);
    }
    assert_true(nnm_graph_input_count(e->graph) <= NNM_KERNEL_MAX_INPUTS);
    for (size_t i = 0; i < nnm_graph_input_count(e->graph); i++) {
        size_t count = interpreter_count(e->graph, nnm_graph_input(e->graph, i));
        nnm_rng rng;
        nnm_rng_init(&rng, 3, i);
        e->inputs[i] = malloc(count * sizeof *e->inputs[i]);
        assert_non_null(e->inputs[i]);
        for (size_t j = 0; j < count; j++) /* to both sides of where activations saturate */
            e->inputs[i][j] = (float)(10.0 * nnm_rng_uniform(&rng) - 5.0);
    }
    assert_in_range(nnm_graph_output_count(e->graph), 1, NNM_NODE_MAX_OUTPUTS);
    for (size_t i = 0; i < nnm_graph_output_count(e->graph); i++)
        e->expected[i] = interpret(e->graph, (const float *const *)e->inputs, i);
}

static void free_example(example *e)
{
    for (size_t i = 0; i < NNM_KERNEL_MAX_INPUTS; i++)
        free(e->inputs[i]);
    for (size_t i = 0; i < NNM_NODE_MAX_OUTPUTS; i++)
        free(e->expected[i]);
    nnm_graph_free(e->graph);
    unlink(e->path);
}

/* The largest error relative to the range of the values; one value has no range of its own. */
static double relative_error(const double *expected, const float *got, size_t count)
{
    double low = expected[0], high = expected[0], worst = 0.0;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, expected[i]);
        high = fmax(high, expected[i]);
        worst = fmax(worst, isfinite(got[i]) ? fabs((double)got[i] - expected[i]) : (double)INFINITY);
    }
    double range = fmax(high - low, fmax(fabs(high), fabs(low)));
    return worst > 0.0 ? worst / range : 0.0;
}

/* Computes the example on a backend. `worst` is the largest relative error of all outputs. */
static nnm_status compute(const example *e, const nnm_backend *backend, double *worst, nnm_error *err)
{
    nnm_session *session = NULL;
    nnm_status status = backend->open(backend, &session, e->path, &(nnm_session_options){.threads = 1}, err);
    if (status) return status;
    for (size_t i = 0; i < nnm_graph_input_count(e->graph) && status == NNM_OK; i++)
        status = backend->set_input(session, i, e->inputs[i], interpreter_count(e->graph, nnm_graph_input(e->graph, i)),
                                    err);
    if (status == NNM_OK) status = backend->run(session, err);
    for (size_t i = 0; i < nnm_graph_output_count(e->graph) && status == NNM_OK; i++) {
        size_t count = interpreter_count(e->graph, nnm_graph_output(e->graph, i));
        float *got = malloc(count * sizeof *got);
        assert_non_null(got);
        status = backend->get_output(session, i, got, count, err);
        if (status == NNM_OK) *worst = fmax(*worst, relative_error(e->expected[i], got, count));
        free(got);
    }
    backend->close(session);
    return status;
}

static void try_example(findings *f, cell *c, const column *where, const nnm_kernel *kernel,
                        const nnm_kernel_config *config, const example *e)
{
    nnm_error err = NNM_ERROR_INIT;
    double worst = 0.0;
    nnm_status status = where->backend->supports(where->backend, e->graph, &err);
    if (status == NNM_ERR_UNSUPPORTED || (status == NNM_OK && e->written)) {
        c->refused++;
        c->reason = note_reason(f, status ? err.message : e->why);
        return;
    }
    if (status == NNM_OK) status = compute(e, where->backend, &worst, &err);
    if (status) {
        note_failure(f, c, where, kernel, config, err.message);
        return;
    }
    c->worst = fmax(c->worst, worst);
    if (worst <= TOLERANCE) {
        c->agreed++;
    } else {
        char what[64];
        snprintf(what, sizeof what, "off by %.2g of the range", worst);
        note_failure(f, c, where, kernel, config, what);
    }
}

/* ---- all of them ---- */

static void find_columns(findings *f)
{
    for (size_t i = 0; i < nnm_backend_count(); i++) {
        nnm_backend_info info;
        const nnm_backend *backend = nnm_backend_at(i);
        nnm_backend_probe(backend, NULL, &info);
        if (!info.available) {
            printf("%s is not available: %s\n", backend->name, info.why_not);
            continue;
        }
        if (!backend->run || !backend->get_output) {
            assert_non_null(backend->measure);
            printf("%s computes nothing: it only tells how long models take\n", backend->name);
            continue;
        }
        for (size_t j = 0; j < LAYOUT_COUNT; j++) {
            assert_true(f->column_count < MAX_COLUMNS);
            f->columns[f->column_count++] = (column){backend, layouts[j]};
        }
    }
}

static void try_kernel(findings *f, const nnm_kernel *kernel, cell *row)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        nnm_kernel_config config;
        make_config(&config, kernel, i);
        for (size_t j = 0; j < LAYOUT_COUNT; j++) {
            example e;
            make_example(&e, kernel, &config, settings[i].batch, layouts[j]);
            for (size_t k = 0; k < f->column_count; k++)
                if (f->columns[k].layout == layouts[j]) try_example(f, &row[k], &f->columns[k], kernel, &config, &e);
            free_example(&e);
        }
    }
}

static void print_cell(const cell *c)
{
    char text[64];
    if (c->failed > 0) {
        snprintf(text, sizeof text, "WRONG %zu/%zu", c->failed, SETTING_COUNT);
    } else if (c->agreed == 0) {
        snprintf(text, sizeof text, "cannot: [%zu]", c->reason);
    } else if (c->refused > 0) {
        snprintf(text, sizeof text, "%.1e %zu/%zu [%zu]", c->worst, c->agreed, SETTING_COUNT, c->reason);
    } else {
        snprintf(text, sizeof text, "%.1e", c->worst);
    }
    printf("  %-24s", text);
}

static void print_findings(const findings *f)
{
    printf("Worst error, relative to the range of the output, of %zu configurations each:\n%-18s", SETTING_COUNT, "");
    for (size_t i = 0; i < f->column_count; i++) {
        char title[64];
        snprintf(title, sizeof title, "%s/%s", f->columns[i].backend->name, nnm_model_suffix(f->columns[i].layout));
        printf("  %-24s", title);
    }
    printf("\n");
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        printf("%-18s", nnm_kernel_name(nnm_kernel_at(i)));
        for (size_t j = 0; j < f->column_count; j++)
            print_cell(&f->cells[i * f->column_count + j]);
        printf("\n");
    }
    for (size_t i = 0; i < f->reason_count; i++)
        printf("[%zu] %s\n", i + 1, f->reasons[i]);
    for (size_t i = 0; i < f->failure_count && i < MAX_FAILURES; i++)
        printf("WRONG: %s\n", f->failures[i]);
    fflush(stdout);
}

static void test_backends_agree(void **state)
{
    (void)state;
    static findings f;
    find_columns(&f);
    if (f.column_count == 0) skip();
    f.cells = calloc(nnm_kernel_count() * f.column_count, sizeof *f.cells);
    assert_non_null(f.cells);
    for (size_t i = 0; i < nnm_kernel_count(); i++)
        try_kernel(&f, nnm_kernel_at(i), &f.cells[i * f.column_count]);
    print_findings(&f);
    if (f.failure_count > 0) fail_msg("%zu kernels are wrong or missing somewhere", f.failure_count);
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        size_t agreed = 0;
        for (size_t j = 0; j < f.column_count; j++)
            agreed += f.cells[i * f.column_count + j].agreed;
        if (agreed == 0) fail_msg("no backend computes %s", nnm_kernel_name(nnm_kernel_at(i)));
    }
    free(f.cells);
}

static int set_up(void **state)
{
    (void)state;
    make_folder(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_backends_agree)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
