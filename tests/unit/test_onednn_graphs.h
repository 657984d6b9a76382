/* Graphs to run on oneDNN, and the comparison with a plain interpreter in double precision. */
#ifndef NNM_TESTS_ONEDNN_GRAPHS_H
#define NNM_TESTS_ONEDNN_GRAPHS_H

#include <math.h>

#include "backends/backends.h"
#include "base/rng.h"
#include "unit/test_reference_interpreter.h"

#define TOLERANCE 1e-4 /* of the range of the output; rounding to 16 bits would be off by more than 1e-3 */

static const nnm_backend *const backend = &nnm_backend_onednn_cpu;
static const nnm_session_options one_thread = {.threads = 1};

static inline void skip_without_onednn(void)
{
    nnm_backend_info info;
    nnm_backend_probe(backend, NULL, &info);
    if (info.available) return;
    print_message("skipped: %s\n", info.why_not);
    exit(0);
}

/* ---- graphs ---- */

static inline float *random_floats(size_t count, uint64_t stream, double low, double high)
{
    float *data = malloc((count ? count : 1) * sizeof *data);
    assert_non_null(data);
    nnm_rng rng;
    nnm_rng_init(&rng, 13, stream);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(low + (high - low) * nnm_rng_uniform(&rng));
    return data;
}

static inline nnm_graph *new_graph(nnm_layout layout)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    assert_ok(nnm_graph_new(&graph, layout, &err));
    return graph;
}

static inline nnm_tensor_id add_input(nnm_graph *graph, nnm_shape shape)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id;
    char name[32];
    snprintf(name, sizeof name, "input%zu", nnm_graph_input_count(graph));
    assert_ok(nnm_graph_add_input(graph, name, &shape, &id, &err));
    return id;
}

static inline nnm_tensor_id add_image(nnm_graph *graph, int64_t n, int64_t c, int64_t h, int64_t w)
{
    bool channels_last = nnm_graph_layout(graph) == NNM_LAYOUT_NHWC;
    return add_input(graph, channels_last ? (nnm_shape){4, {n, h, w, c}} : (nnm_shape){4, {n, c, h, w}});
}

static inline nnm_tensor_id add_constant(nnm_graph *graph, nnm_shape shape, double low, double high)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id;
    char name[32];
    uint64_t number = nnm_graph_tensor_count(graph);
    snprintf(name, sizeof name, "constant%zu", (size_t)number);
    float *data = random_floats((size_t)nnm_shape_elements(&shape), 1000 + number, low, high);
    assert_ok(nnm_graph_add_constant(graph, name, &shape, data, &id, &err));
    return id;
}

static inline const nnm_shape *shape_of(const nnm_graph *graph, nnm_tensor_id id)
{
    return &nnm_graph_tensor(graph, id)->shape;
}

static inline int64_t channels_of(const nnm_graph *graph, nnm_tensor_id id)
{
    const nnm_shape *shape = shape_of(graph, id);
    return nnm_graph_layout(graph) == NNM_LAYOUT_NHWC ? shape->dim[shape->rank - 1] : shape->dim[1];
}

static inline nnm_tensor_id add_node(nnm_graph *graph, nnm_op op, const nnm_attributes *attributes,
                                     const nnm_tensor_id *inputs, size_t count)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id out[NNM_NODE_MAX_OUTPUTS];
    assert_ok(nnm_graph_add_node(graph, op, NULL, attributes, inputs, count, out, &err));
    return out[0];
}

static inline nnm_tensor_id add_one(nnm_graph *graph, nnm_op op, nnm_tensor_id x)
{
    return add_node(graph, op, NULL, &x, 1);
}

static inline nnm_tensor_id add_two(nnm_graph *graph, nnm_op op, nnm_tensor_id a, nnm_tensor_id b)
{
    return add_node(graph, op, NULL, (nnm_tensor_id[]){a, b}, 2);
}

/* A window with pads top, left, bottom, right; a pad of -1 stands for SAME. */
typedef struct window {
    int64_t kernel_h, kernel_w, stride_h, stride_w, pads[4];
} window;

static inline nnm_attributes attributes_of(const window *w, int64_t groups)
{
    nnm_attributes a = {w->kernel_h, w->kernel_w, w->stride_h, w->stride_w, .groups = groups};
    a.padding = w->pads[0] < 0 ? NNM_PADDING_SAME : NNM_PADDING_EXPLICIT;
    if (a.padding == NNM_PADDING_SAME) return a;
    a.pad_top = w->pads[0], a.pad_left = w->pads[1], a.pad_bottom = w->pads[2], a.pad_right = w->pads[3];
    return a;
}

static inline nnm_tensor_id add_conv(nnm_graph *graph, nnm_tensor_id x, int64_t cout, const window *w, int64_t groups,
                                     bool bias)
{
    nnm_attributes a = attributes_of(w, groups);
    nnm_shape weight = {4, {cout, channels_of(graph, x) / groups, w->kernel_h, w->kernel_w}};
    nnm_tensor_id inputs[3] = {x, add_constant(graph, weight, -1, 1)};
    if (bias) inputs[2] = add_constant(graph, (nnm_shape){1, {cout}}, -1, 1);
    return add_node(graph, NNM_OP_CONV, &a, inputs, bias ? 3 : 2);
}

static inline nnm_tensor_id add_batch_norm(nnm_graph *graph, nnm_tensor_id x)
{
    nnm_shape shape = {1, {channels_of(graph, x)}};
    nnm_attributes a = {.epsilon = 1e-3};
    nnm_tensor_id inputs[5] = {x, add_constant(graph, shape, -1.5, 1.5), add_constant(graph, shape, -1, 1),
                               add_constant(graph, shape, -2, 2), add_constant(graph, shape, 0.01, 3)};
    return add_node(graph, NNM_OP_BATCH_NORM, &a, inputs, 5);
}

static inline nnm_tensor_id add_fully_connected(nnm_graph *graph, nnm_tensor_id x, int64_t cout, bool bias)
{
    const nnm_shape *shape = shape_of(graph, x);
    nnm_tensor_id inputs[3] = {x, add_constant(graph, (nnm_shape){2, {cout, shape->dim[shape->rank - 1]}}, -1, 1)};
    if (bias) inputs[2] = add_constant(graph, (nnm_shape){1, {cout}}, -1, 1);
    return add_node(graph, NNM_OP_FULLY_CONNECTED, NULL, inputs, bias ? 3 : 2);
}

static inline nnm_tensor_id add_swish(nnm_graph *graph, nnm_tensor_id x)
{
    return add_two(graph, NNM_OP_MULTIPLY, x, add_one(graph, NNM_OP_SIGMOID, x));
}

static inline void mark_output(nnm_graph *graph, nnm_tensor_id id)
{
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_graph_mark_output(graph, id, &err));
}

/* ---- comparing ---- */

static inline void assert_output_agrees(nnm_session *session, const nnm_graph *graph, const char *name,
                                        const float *const *inputs, size_t index)
{
    nnm_error err = NNM_ERROR_INIT;
    size_t count = interpreter_count(graph, nnm_graph_output(graph, index));
    float *got = malloc(count * sizeof *got);
    assert_non_null(got);
    double *expected = interpret(graph, inputs, index);
    assert_ok(backend->get_output(session, index, got, count, &err));
    double low = expected[0], high = expected[0], worst = 0.0;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, expected[i]);
        high = fmax(high, expected[i]);
        worst = fmax(worst, isfinite(got[i]) ? fabs((double)got[i] - expected[i]) : (double)INFINITY);
    }
    /* One value has no range of its own. */
    double range = fmax(high - low, fmax(fabs(high), fabs(low)));
    if (!(worst <= TOLERANCE * range))
        fail_msg("%s, layout %d, output %zu: off by %g in a range of %g", name, (int)nnm_graph_layout(graph), index,
                 worst, range);
    free(expected);
    free(got);
}

static inline void assert_session_agrees(nnm_session *session, const nnm_graph *graph, const char *name)
{
    nnm_error err = NNM_ERROR_INIT;
    float *inputs[8] = {NULL};
    size_t count = nnm_graph_input_count(graph);
    for (uint64_t repeat = 0; repeat < 2; repeat++) { /* nothing is left over from the first run */
        for (size_t i = 0; i < count; i++) {
            size_t elements = interpreter_count(graph, nnm_graph_input(graph, i));
            inputs[i] = random_floats(elements, 100 + 10 * repeat + i, -4, 4);
            assert_ok(backend->set_input(session, i, inputs[i], elements, &err));
        }
        assert_ok(backend->run(session, &err));
        for (size_t i = 0; i < nnm_graph_output_count(graph); i++)
            assert_output_agrees(session, graph, name, (const float *const *)inputs, i);
        for (size_t i = 0; i < count; i++)
            free(inputs[i]);
    }
}

static inline void assert_agrees(const nnm_graph *graph, const char *name, const nnm_session_options *options)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    assert_ok(backend->supports(backend, graph, &err));
    assert_ok(nnm_onednn_open_graph(&session, graph, options, &err));
    assert_session_agrees(session, graph, name);
    backend->close(session);
}

/* Marks `output` and compares; frees the graph. */
static inline void finish(nnm_graph *graph, nnm_tensor_id output, const char *name)
{
    mark_output(graph, output);
    assert_agrees(graph, name, &one_thread);
    nnm_graph_free(graph);
}

#define FOR_BOTH_LAYOUTS(layout) for (nnm_layout layout = NNM_LAYOUT_NCHW; layout <= NNM_LAYOUT_NHWC; layout++)

#endif
