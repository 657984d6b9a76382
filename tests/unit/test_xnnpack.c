/* XNNPACK computes what the graph says: compared with a plain interpreter in double precision, through model files. */
#include "unit/testing.h"

#include <math.h>

#include "base/rng.h"
#include "nnmeter/backend.h"
#include "nnmeter/measure.h"
#include "nnmeter/model_file.h"
#include "unit/test_reference_interpreter.h"

static char folder[256];
static char path[512];
static const nnm_backend *backend;
static const nnm_session_options one_thread = {.threads = 1};

static int set_up(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_backend_info info;
    make_folder(folder);
    in_folder(path, folder, "model.onnx");
    assert_ok(nnm_backend_find(&backend, "xnnpack_cpu", &err));
    nnm_backend_probe(backend, NULL, &info);
    if (!info.available) {
        print_message("skipped: %s\n", info.why_not);
        exit(0);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

/* ---- graphs ---- */

/* `low` to `high`, different for every stream. */
static float *random_floats(size_t count, uint64_t stream, double low, double high)
{
    float *data = malloc((count ? count : 1) * sizeof *data);
    assert_non_null(data);
    nnm_rng rng;
    nnm_rng_init(&rng, 7, stream);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(low + (high - low) * nnm_rng_uniform(&rng));
    return data;
}

typedef struct block {
    const char *name;
    nnm_shape input;
    int64_t cout;
    nnm_attributes window;
    bool fully_connected, flatten, bias, batch_norm;
    nnm_op activation; /* NNM_OP_COUNT: none */
} block;

static nnm_tensor_id add_constant(nnm_graph *graph, const char *owner, const char *part, nnm_shape shape, double low,
                                  double high)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id;
    char name[64];
    snprintf(name, sizeof name, "%.30s.%.30s", owner, part);
    float *data = random_floats((size_t)nnm_shape_elements(&shape), nnm_hash64(name, strlen(name), 0), low, high);
    assert_ok(nnm_graph_add_constant(graph, name, &shape, data, &id, &err));
    return id;
}

static nnm_tensor_id add_node(nnm_graph *graph, nnm_op op, const char *owner, const nnm_attributes *attributes,
                              const nnm_tensor_id *inputs, size_t count)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id;
    char name[64];
    snprintf(name, sizeof name, "%.30s.%.30s", owner, nnm_op_name(op));
    assert_ok(nnm_graph_add_node(graph, op, name, attributes, inputs, count, &id, &err));
    return id;
}

static nnm_tensor_id add_batch_norm(nnm_graph *graph, const char *owner, nnm_tensor_id x, int64_t channels)
{
    nnm_shape shape = {1, {channels}};
    nnm_attributes attributes = {.epsilon = 1e-3};
    nnm_tensor_id inputs[5] = {
        x, add_constant(graph, owner, "scale", shape, -1.5, 1.5), add_constant(graph, owner, "shift", shape, -1, 1),
        add_constant(graph, owner, "mean", shape, -2, 2), add_constant(graph, owner, "variance", shape, 0.01, 3)};
    return add_node(graph, NNM_OP_BATCH_NORM, owner, &attributes, inputs, 5);
}

static nnm_tensor_id add_block(nnm_graph *graph, const block *b, nnm_tensor_id x)
{
    int64_t cin = b->input.dim[1];
    if (b->flatten) {
        cin = nnm_shape_elements(&b->input) / b->input.dim[0];
        x = add_node(graph, NNM_OP_FLATTEN, b->name, NULL, &x, 1);
    }
    nnm_shape weight = b->fully_connected
                           ? (nnm_shape){2, {b->cout, cin}}
                           : (nnm_shape){4, {b->cout, cin / b->window.groups, b->window.kernel_h, b->window.kernel_w}};
    nnm_tensor_id inputs[3] = {x, add_constant(graph, b->name, "weight", weight, -1, 1)};
    if (b->bias) inputs[2] = add_constant(graph, b->name, "bias", (nnm_shape){1, {b->cout}}, -1, 1);
    x = add_node(graph, b->fully_connected ? NNM_OP_FULLY_CONNECTED : NNM_OP_CONV, b->name,
                 b->fully_connected ? NULL : &b->window, inputs, b->bias ? 3 : 2);
    if (b->batch_norm) x = add_batch_norm(graph, b->name, x, b->cout);
    if (b->activation != NNM_OP_COUNT) x = add_node(graph, b->activation, b->name, NULL, &x, 1);
    return x;
}

static nnm_graph *new_graph(const nnm_shape *input, nnm_tensor_id *x)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
    assert_ok(nnm_graph_add_input(graph, "input", input, x, &err));
    return graph;
}

static nnm_graph *graph_of(const block *b)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id x;
    nnm_graph *graph = new_graph(&b->input, &x);
    assert_ok(nnm_graph_mark_output(graph, add_block(graph, b, x), &err));
    return graph;
}

/* ---- comparing ---- */

static void assert_output_agrees(nnm_session *session, const nnm_graph *graph, const char *name, const float *input,
                                 size_t index)
{
    nnm_error err = NNM_ERROR_INIT;
    size_t count = interpreter_count(graph, nnm_graph_output(graph, index));
    float *got = malloc(count * sizeof *got);
    assert_non_null(got);
    double *expected = interpret(graph, &input, index);
    assert_ok(backend->get_output(session, index, got, count, &err));
    double low = expected[0], high = expected[0], worst = 0.0;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, expected[i]);
        high = fmax(high, expected[i]);
        worst = fmax(worst, isfinite(got[i]) ? fabs((double)got[i] - expected[i]) : (double)INFINITY);
    }
    /* One value has no range of its own. */
    double range = fmax(high - low, fmax(fabs(high), fabs(low)));
    if (!(worst <= 1e-4 * range)) fail_msg("%s, output %zu: off by %g in a range of %g", name, index, worst, range);
    free(expected);
    free(got);
}

static void assert_graph_agrees(const nnm_graph *graph, const char *name, unsigned threads)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    nnm_session_options options = {.threads = threads};
    assert_ok(backend->supports(backend, graph, &err));
    assert_ok(nnm_onnx_write(graph, path, &err));
    assert_ok(backend->open(backend, &session, path, &options, &err));
    size_t count = interpreter_count(graph, nnm_graph_input(graph, 0));
    for (uint64_t repeat = 0; repeat < 2; repeat++) { /* nothing is left over from the first run */
        float *input = random_floats(count, 100 + repeat, -1, 1);
        assert_ok(backend->set_input(session, 0, input, count, &err));
        assert_ok(backend->run(session, &err));
        for (size_t i = 0; i < nnm_graph_output_count(graph); i++)
            assert_output_agrees(session, graph, name, input, i);
        free(input);
    }
    backend->close(session);
}

static void assert_blocks_agree(const block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        nnm_graph *graph = graph_of(&blocks[i]);
        assert_graph_agrees(graph, blocks[i].name, 1);
        nnm_graph_free(graph);
    }
}
#define assert_all_agree(blocks) assert_blocks_agree(blocks, sizeof(blocks) / sizeof *(blocks))

#define IMAGE(n, c, h, w) \
    {                     \
        4,                \
        {                 \
            n, c, h, w    \
        }                 \
    }
#define ROWS(n, c) \
    {              \
        2,         \
        {          \
            n, c   \
        }          \
    }
/* kernel, stride, pads top left bottom right, groups */
#define WINDOW(kh, kw, sh, sw, t, l, b, r, g)                                                                         \
    {                                                                                                                 \
        .kernel_h = kh, .kernel_w = kw, .stride_h = sh, .stride_w = sw, .pad_top = t, .pad_left = l, .pad_bottom = b, \
        .pad_right = r, .groups = g                                                                                   \
    }

static void test_conv_bn_relu(void **state)
{
    (void)state;
    const block blocks[] = {
        {"3x3", IMAGE(1, 8, 14, 14), 16, WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 1), 0, 0, 1, 1, NNM_OP_RELU},
        {"1x1", IMAGE(1, 32, 7, 7), 24, WINDOW(1, 1, 1, 1, 0, 0, 0, 0, 1), 0, 0, 1, 1, NNM_OP_RELU},
        {"pixel", IMAGE(1, 19, 1, 1), 33, WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 1), 0, 0, 1, 1, NNM_OP_RELU},
        {"odd", IMAGE(1, 3, 13, 27), 17, WINDOW(7, 7, 2, 2, 3, 3, 3, 3, 1), 0, 0, 0, 1, NNM_OP_RELU},
        {"stride over kernel", IMAGE(1, 5, 15, 15), 6, WINDOW(1, 1, 4, 4, 0, 0, 0, 0, 1), 0, 0, 1, 1, NNM_OP_RELU},
        {"stride 4, kernel 3", IMAGE(1, 5, 28, 27), 7, WINDOW(3, 3, 4, 4, 1, 1, 1, 1, 1), 0, 0, 1, 1, NNM_OP_RELU},
        {"batch", IMAGE(3, 6, 9, 5), 10, WINDOW(5, 5, 2, 1, 2, 2, 2, 2, 1), 0, 0, 1, 1, NNM_OP_RELU},
        {"uneven", IMAGE(2, 7, 8, 11), 9, WINDOW(2, 5, 3, 2, 0, 4, 1, 0, 1), 0, 0, 1, 1, NNM_OP_RELU6},
        {"one channel", IMAGE(1, 1, 28, 28), 1, WINDOW(5, 5, 1, 1, 2, 2, 2, 2, 1), 0, 0, 1, 1, NNM_OP_RELU},
        {"groups", IMAGE(1, 12, 7, 7), 8, WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 4), 0, 0, 1, 1, NNM_OP_RELU},
        {"no activation", IMAGE(1, 4, 5, 5), 4, WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 1), 0, 0, 1, 1, NNM_OP_COUNT},
        {"conv alone", IMAGE(1, 4, 5, 5), 4, WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 1), 0, 0, 0, 0, NNM_OP_COUNT},
    };
    assert_all_agree(blocks);
}

static void test_same_padding(void **state)
{
    (void)state;
    block blocks[] = {
        {"odd", IMAGE(1, 3, 13, 27), 17, WINDOW(3, 3, 2, 2, 0, 0, 0, 0, 1), 0, 0, 1, 1, NNM_OP_RELU},
        {"even", IMAGE(1, 5, 14, 28), 6, WINDOW(5, 3, 2, 4, 0, 0, 0, 0, 1), 0, 0, 1, 1, NNM_OP_RELU6},
        {"even kernel", IMAGE(1, 6, 9, 9), 6, WINDOW(2, 4, 1, 1, 0, 0, 0, 0, 6), 0, 0, 1, 1, NNM_OP_RELU},
    };
    for (size_t i = 0; i < 3; i++)
        blocks[i].window.padding = NNM_PADDING_SAME;
    assert_all_agree(blocks);
}

static void test_dwconv_bn_relu(void **state)
{
    (void)state;
    const block blocks[] = {
        {"3x3", IMAGE(1, 32, 14, 14), 32, WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 32), 0, 0, 1, 1, NNM_OP_RELU},
        {"5x5", IMAGE(1, 13, 15, 17), 13, WINDOW(5, 5, 2, 2, 2, 2, 2, 2, 13), 0, 0, 1, 1, NNM_OP_RELU6},
        {"7x7", IMAGE(1, 6, 9, 9), 6, WINDOW(7, 7, 1, 1, 3, 3, 3, 3, 6), 0, 0, 0, 1, NNM_OP_RELU},
        {"1x1", IMAGE(1, 9, 8, 8), 9, WINDOW(1, 1, 2, 2, 0, 0, 0, 0, 9), 0, 0, 1, 1, NNM_OP_RELU},
        {"pixel", IMAGE(1, 21, 1, 1), 21, WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 21), 0, 0, 1, 1, NNM_OP_RELU},
        {"stride over kernel", IMAGE(1, 10, 28, 29), 10, WINDOW(3, 3, 4, 4, 1, 1, 1, 1, 10), 0, 0, 1, 1, NNM_OP_RELU},
        {"batch", IMAGE(3, 7, 11, 6), 7, WINDOW(3, 5, 1, 2, 1, 2, 1, 2, 7), 0, 0, 1, 1, NNM_OP_RELU},
        {"two a channel", IMAGE(2, 5, 7, 7), 10, WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 5), 0, 0, 1, 1, NNM_OP_RELU},
        {"one channel", IMAGE(1, 1, 12, 12), 1, WINDOW(3, 3, 2, 2, 1, 1, 1, 1, 1), 0, 0, 1, 1, NNM_OP_RELU},
    };
    assert_all_agree(blocks);
}

static void test_fully_connected(void **state)
{
    (void)state;
    const block blocks[] = {
        {"plain", ROWS(1, 64), 10, {0}, 1, 0, 1, 0, NNM_OP_COUNT},
        {"thousand", ROWS(1, 131), 1000, {0}, 1, 0, 1, 0, NNM_OP_COUNT},
        {"one in", ROWS(1, 1), 5, {0}, 1, 0, 1, 0, NNM_OP_COUNT},
        {"one out", ROWS(1, 77), 1, {0}, 1, 0, 1, 0, NNM_OP_COUNT},
        {"batch", ROWS(3, 50), 19, {0}, 1, 0, 1, 0, NNM_OP_RELU},
        {"no bias", ROWS(2, 33), 21, {0}, 1, 0, 0, 0, NNM_OP_RELU6},
        {"batch norm", ROWS(3, 18), 22, {0}, 1, 0, 1, 1, NNM_OP_RELU},
        {"flattened", IMAGE(3, 5, 7, 3), 11, {0}, 1, 1, 1, 0, NNM_OP_COUNT},
        {"flattened pixel", IMAGE(1, 50, 1, 1), 4, {0}, 1, 1, 1, 0, NNM_OP_RELU},
        {"flattened rows", ROWS(2, 9), 4, {0}, 1, 1, 1, 0, NNM_OP_COUNT},
    };
    assert_all_agree(blocks);
}

static const block small_conv = {"first", IMAGE(1, 8, 9, 9), 12, WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 1), 0, 0, 1,
                                 1,       NNM_OP_RELU};

static void test_layers_in_a_row(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id x;
    const block second = {"second", IMAGE(1, 12, 9, 9), 12, WINDOW(3, 3, 2, 2, 1, 1, 1, 1, 12), 0, 0, 1,
                          1,        NNM_OP_RELU6};
    const block third = {"third", IMAGE(1, 12, 5, 5), 10, {0}, 1, 1, 1, 0, NNM_OP_COUNT};
    nnm_graph *graph = new_graph(&small_conv.input, &x);
    x = add_block(graph, &small_conv, x);
    nnm_tensor_id middle = add_block(graph, &second, x);
    x = add_block(graph, &third, middle);
    assert_ok(nnm_graph_mark_output(graph, x, &err));
    assert_ok(nnm_graph_mark_output(graph, middle, &err)); /* read inside and outside */
    assert_graph_agrees(graph, "three layers", 1);
    nnm_graph_free(graph);
}

static void test_threads_compute_the_same(void **state)
{
    (void)state;
#if defined(__SANITIZE_THREAD__)
    skip(); /* the thread pool is not instrumented */
#endif
    const block b = {"threads", IMAGE(1, 16, 28, 28), 32, WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 1), 0, 0, 1, 1, NNM_OP_RELU};
    nnm_graph *graph = graph_of(&b);
    assert_graph_agrees(graph, b.name, 2);
    nnm_graph_free(graph);
}

/* ---- what is refused ---- */

static void assert_refused(nnm_graph *graph, nnm_tensor_id output, const char *why)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    assert_ok(nnm_graph_mark_output(graph, output, &err));
    assert_fails(backend->supports(backend, graph, &err), NNM_ERR_UNSUPPORTED, why);
    assert_int_equal(backend->supports(backend, graph, NULL), NNM_ERR_UNSUPPORTED);
    if (nnm_graph_layout(graph) == NNM_LAYOUT_NCHW) {
        assert_ok((err = (nnm_error)NNM_ERROR_INIT, nnm_onnx_write(graph, path, &err)));
        assert_fails(backend->open(backend, &session, path, &one_thread, &err), NNM_ERR_UNSUPPORTED, why);
        assert_null(session);
    }
    nnm_graph_free(graph);
}

static void test_refuses_with_a_reason(void **state)
{
    (void)state;
    nnm_tensor_id x;
    const nnm_shape image = IMAGE(1, 8, 9, 9), rows = ROWS(2, 8);
    nnm_graph *graph = new_graph(&rows, &x);
    assert_refused(graph, add_batch_norm(graph, "alone", x, 8), "'alone.BatchNormalization' does not directly follow");

    graph = new_graph(&image, &x);
    assert_refused(graph, add_node(graph, NNM_OP_FLATTEN, "flat", NULL, &x, 1), "only before a fully connected node");

    graph = new_graph(&image, &x);
    nnm_tensor_id constant = add_constant(graph, "constant", "x", image, -1, 1);
    assert_refused(graph, add_node(graph, NNM_OP_RELU, "useless", NULL, &constant, 1),
                   "Relu 'useless.Relu' has a constant input");
}

static void test_refuses_a_variance_below_zero(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    nnm_tensor_id x;
    block bare = small_conv;
    bare.batch_norm = false;
    bare.activation = NNM_OP_COUNT;
    nnm_graph *graph = new_graph(&bare.input, &x);
    x = add_block(graph, &bare, x);
    nnm_shape shape = {1, {12}};
    nnm_attributes attributes = {.epsilon = 1e-3};
    nnm_tensor_id one = add_constant(graph, "bn", "one", shape, 1, 1);
    nnm_tensor_id inputs[5] = {x, one, one, one, add_constant(graph, "bn", "variance", shape, -1, -1)};
    x = add_node(graph, NNM_OP_BATCH_NORM, "bn", &attributes, inputs, 5);
    assert_ok(nnm_graph_mark_output(graph, x, &err));
    assert_ok(nnm_onnx_write(graph, path, &err));
    nnm_graph_free(graph);
    assert_fails(backend->open(backend, &session, path, &one_thread, &err), NNM_ERR_VALUE,
                 "has the variance -1 in channel 0");
}

static void test_wrong_files_and_sizes(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    char missing[512];
    assert_fails(backend->open(backend, &session, in_folder(missing, folder, "missing.onnx"), &one_thread, &err),
                 NNM_ERR_NOT_FOUND, "missing.onnx");
    nnm_graph *graph = graph_of(&small_conv);
    err = (nnm_error)NNM_ERROR_INIT;
    assert_ok(nnm_onnx_write(graph, path, &err));
    nnm_graph_free(graph);
    assert_ok(backend->open(backend, &session, path, &one_thread, &err));
    float few[4] = {0};
    assert_fails(backend->set_input(session, 1, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "no input 1; the model has 1");
    assert_fails(backend->set_input(session, 0, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "has 648 values, not 4");
    assert_fails(backend->get_output(session, 7, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "no output 7");
    assert_fails(backend->get_output(session, 0, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "has 972 values, not 4");
    backend->close(session);
    backend->close(NULL);
}

/* ---- the whole way ---- */

static void test_sessions_do_not_disturb_each_other(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *first = NULL, *second = NULL;
    nnm_graph *graph = graph_of(&small_conv);
    assert_ok(nnm_onnx_write(graph, path, &err));
    assert_ok(backend->open(backend, &first, path, &one_thread, &err));
    assert_ok(backend->open(backend, &second, path, &one_thread, &err));
    backend->close(first);
    size_t count = interpreter_count(graph, nnm_graph_input(graph, 0));
    float *input = random_floats(count, 5, -1, 1);
    assert_ok(backend->set_input(second, 0, input, count, &err));
    assert_ok(backend->run(second, &err));
    assert_output_agrees(second, graph, "second session", input, 0);
    backend->close(second);
    free(input);
    nnm_graph_free(graph);
}

static void test_is_measured_in_a_worker(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_worker *worker = NULL;
    nnm_round round;
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    protocol.find_s = 0.05;
    nnm_graph *graph = graph_of(&small_conv);
    assert_ok(nnm_onnx_write(graph, path, &err));
    nnm_graph_free(graph);
    assert_ok(nnm_worker_start(&worker, backend, &one_thread, &protocol, &err));
    for (int i = 0; i < 2; i++) {
        assert_ok(nnm_worker_measure(worker, path, &round, &err));
        assert_true(round.estimate_ns > 100.0); /* 70,000 multiply-adds take longer than that anywhere */
        assert_true(round.open_ns > 0.0);
    }
    char missing[512];
    assert_fails(nnm_worker_measure(worker, in_folder(missing, folder, "missing.onnx"), &round, &err),
                 NNM_ERR_NOT_FOUND, "missing.onnx");
    nnm_worker_stop(worker);
}

static void test_registry(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend *found = NULL;
    assert_string_equal(nnm_backend_at(0)->name, "xnnpack_cpu"); /* the default comes first */
    assert_null(nnm_backend_at(nnm_backend_count()));
    for (size_t i = 0; i < nnm_backend_count(); i++) {
        assert_ok(nnm_backend_find(&found, nnm_backend_at(i)->name, &err));
        assert_ptr_equal(found, nnm_backend_at(i));
    }
    found = NULL;
    assert_fails(nnm_backend_find(&found, "xnnpack_cqu", &err), NNM_ERR_NOT_FOUND, "did you mean 'xnnpack_cpu'?");
    assert_fails(nnm_backend_find(&found, "quantum", &err), NNM_ERR_NOT_FOUND, "there is no backend 'quantum'");
    assert_null(found);
    nnm_backend_info info;
    nnm_backend_probe(backend, NULL, &info);
    assert_true(info.version[0] != '\0');
    assert_true(backend->reads_onnx && backend->reads_tflite);
    assert_int_equal(backend->abi, NNM_BACKEND_ABI);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_bn_relu),
        cmocka_unit_test(test_same_padding),
        cmocka_unit_test(test_dwconv_bn_relu),
        cmocka_unit_test(test_fully_connected),
        cmocka_unit_test(test_layers_in_a_row),
        cmocka_unit_test(test_threads_compute_the_same),
        cmocka_unit_test(test_refuses_with_a_reason),
        cmocka_unit_test(test_refuses_a_variance_below_zero),
        cmocka_unit_test(test_wrong_files_and_sizes),
        cmocka_unit_test(test_sessions_do_not_disturb_each_other),
        cmocka_unit_test(test_is_measured_in_a_worker),
        cmocka_unit_test(test_registry),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
