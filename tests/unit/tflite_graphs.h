/* Graphs that exercise every operator and every case of TensorFlow Lite files, what they compute, and their bytes. */
#ifndef NNM_TESTS_TFLITE_GRAPHS_H
#define NNM_TESTS_TFLITE_GRAPHS_H

#include "unit/format_rig.h"

#include <math.h>

#include "base/file.h"
#include "base/rng.h"
#include "formats/flatbuffer.h"
#include "formats/tflite_schema.h"
#include "graph/shape.h"
#include "nnmeter/kernel.h"
#include "nnmeter/model_file.h"
#include "unit/test_reference_interpreter.h"

#define MAX_INPUTS 8

static const file_format tflite = {"m.tflite", "not a TensorFlow Lite model, or cut short", nnm_tflite_write,
                                   nnm_tflite_read_memory};

/* ---- graphs ---- */

static inline int64_t value_of(const char *param, size_t setting, bool cout_is_cin)
{
    static const int64_t settings[][5] = {{9, 8, 12, 3, 2}, {6, 4, 5, 5, 1}, {1, 16, 3, 1, 1}, {5, 2, 1, 2, 3}};
    const int64_t *s = settings[setting];
    if (strcmp(param, "HW") == 0 || strcmp(param, "M") == 0) return s[0];
    if (strcmp(param, "COUT") == 0 || strcmp(param, "N") == 0) return cout_is_cin ? s[1] : s[2];
    if (strcmp(param, "KERNEL_SIZE") == 0) return s[3];
    if (strcmp(param, "STRIDES") == 0 || strcmp(param, "POOL_STRIDES") == 0) return s[4];
    if (strcmp(param, "B") == 0) return 2;
    if (strcmp(param, "CIN4") == 0 && setting == 0) return 0;
    return s[1];
}
#define SETTINGS 4

/* NULL for a combination that the kernel does not allow. */
static inline nnm_graph *build_kernel(const nnm_kernel *kernel, size_t setting)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_config config;
    nnm_graph *graph = NULL;
    for (int same = 0; same < 2 && !graph; same++) {
        config = (nnm_kernel_config){0};
        for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++)
            config.value[i] = value_of(nnm_kernel_param_name(kernel, i), setting, same);
        if (nnm_kernel_config_check(kernel, &config, &err)) continue;
        nnm_graph_options options = {NNM_LAYOUT_NHWC, 1 + (int64_t)setting % 2, setting, false};
        assert_ok(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err));
    }
    return graph;
}

/* A graph that is being made; every call appends to it. */
typedef struct draft {
    nnm_graph *graph;
    nnm_error err;
    nnm_rng rng;
} draft;

static inline draft begin(nnm_layout layout)
{
    draft d = {.err = NNM_ERROR_INIT};
    nnm_error err = NNM_ERROR_INIT;
    nnm_rng_init(&d.rng, 7, 0);
    assert_ok(nnm_graph_new(&d.graph, layout, &err));
    return d;
}

static inline nnm_tensor_id input(draft *d, const char *name, nnm_shape shape)
{
    nnm_tensor_id id = 0;
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_graph_add_input(d->graph, name, &shape, &id, &err));
    return id;
}

/* Values between `low` and `high`. */
static inline nnm_tensor_id constant(draft *d, const char *name, nnm_shape shape, double low, double high)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id = 0;
    size_t count = (size_t)nnm_shape_elements(&shape);
    float *data = malloc(count * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(low + (high - low) * nnm_rng_uniform(&d->rng));
    assert_ok(nnm_graph_add_constant(d->graph, name, &shape, data, &id, &err));
    return id;
}

#define NODE(d, op, name, attributes, ...)                        \
    node(d, op, name, attributes, (nnm_tensor_id[]){__VA_ARGS__}, \
         sizeof((nnm_tensor_id[]){__VA_ARGS__}) / sizeof(nnm_tensor_id))

static inline nnm_tensor_id node(draft *d, nnm_op op, const char *name, const nnm_attributes *a,
                                 const nnm_tensor_id *inputs, size_t count)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id out[NNM_NODE_MAX_OUTPUTS] = {0};
    assert_ok(nnm_graph_add_node(d->graph, op, name, a, inputs, count, out, &err));
    return out[0];
}

static inline nnm_graph *finish(draft *d, nnm_tensor_id output)
{
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_graph_mark_output(d->graph, output, &err));
    return d->graph;
}

static inline nnm_tensor_id norm(draft *d, const char *name, nnm_tensor_id x, int64_t channels)
{
    char part[4][64];
    static const char *const names[] = {"gamma", "beta", "mean", "variance"};
    nnm_tensor_id ids[4];
    for (size_t i = 0; i < 4; i++) {
        snprintf(part[i], sizeof part[i], "%s.%s", name, names[i]);
        ids[i] = constant(d, part[i], (nnm_shape){1, {channels}}, i == 3 ? 0.5 : -1, i == 3 ? 2 : 1);
    }
    return NODE(d, NNM_OP_BATCH_NORM, name, &(nnm_attributes){.epsilon = 1e-3}, x, ids[0], ids[1], ids[2], ids[3]);
}

/* Convolutions in all forms: SAME and none; pads that need an operator of their own; pads that are SAME in numbers;
 * with and without bias; depthwise with a multiplier; a batch norm and a rectifier that can be fused, and that cannot
 * because somebody else reads what lies between; one weight for two. */
static inline nnm_graph *build_convolutions(void)
{
    draft d = begin(NNM_LAYOUT_NHWC);
    nnm_tensor_id x = input(&d, "image", (nnm_shape){4, {2, 8, 9, 4}});
    nnm_attributes same = {.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 1, .padding = NNM_PADDING_SAME};
    same.groups = 1;
    nnm_tensor_id w = constant(&d, "w", (nnm_shape){4, {6, 4, 3, 2}}, -1, 1);
    nnm_tensor_id b = constant(&d, "b", (nnm_shape){1, {6}}, -1, 1);
    nnm_tensor_id y = NODE(&d, NNM_OP_CONV, "same", &same, x, w, b);
    y = NODE(&d, NNM_OP_RELU6, "six", NULL, norm(&d, "folded", y, 6));

    nnm_attributes uneven = {.kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 2, .pad_top = 2, .pad_left = 1};
    uneven.pad_right = 3;
    uneven.groups = 6;
    nnm_tensor_id dw = constant(&d, "dw", (nnm_shape){4, {12, 1, 3, 3}}, -1, 1);
    y = NODE(&d, NNM_OP_CONV, "uneven", &uneven, y, dw);
    nnm_tensor_id between = norm(&d, "folded as well", y, 12);
    y = NODE(&d, NNM_OP_RELU, "not fused", NULL, between);
    y = NODE(&d, NNM_OP_ADD, "sum", NULL, y, between);

    nnm_attributes numbers = {.kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1, .pad_top = 1, .pad_left = 1};
    numbers.pad_bottom = numbers.pad_right = 1;
    numbers.groups = 1;
    nnm_tensor_id shared = constant(&d, "shared", (nnm_shape){4, {12, 12, 3, 3}}, -0.3, 0.3);
    nnm_tensor_id p = NODE(&d, NNM_OP_CONV, "numbers", &numbers, y, shared);
    nnm_tensor_id q = norm(&d, "not folded", p, 12);
    y = NODE(&d, NNM_OP_CONV, "second", &numbers, NODE(&d, NNM_OP_ADD, "p+q", NULL, p, q), shared);
    nnm_attributes none = {.kernel_h = 2, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .groups = 1};
    y = NODE(&d, NNM_OP_CONV, "none", &none, y, constant(&d, "v", (nnm_shape){4, {3, 12, 2, 1}}, -1, 1));
    nnm_graph *graph = finish(&d, y);
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_graph_mark_output(graph, between, &err));
    return graph;
}

/* Every other operator, on images, rows of vectors and vectors; names that the writer would have liked for itself. */
static inline nnm_graph *build_others(void)
{
    draft d = begin(NNM_LAYOUT_NHWC);
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id x = input(&d, "hard/three", (nnm_shape){4, {2, 7, 6, 8}});
    nnm_tensor_id z = input(&d, "rows", (nnm_shape){3, {2, 5, 12}}), halves[2];
    assert_ok(nnm_graph_add_node(d.graph, NNM_OP_SPLIT, "half", NULL, &x, 1, halves, &err));
    nnm_tensor_id a = NODE(&d, NNM_OP_SIGMOID, "hard/sum", NULL, halves[0]);
    nnm_tensor_id b = NODE(&d, NNM_OP_HARD_SWISH, "swish", NULL, halves[1]);
    nnm_tensor_id c = NODE(&d, NNM_OP_CONCAT, "joined", NULL, b, a, halves[0]);
    c = NODE(&d, NNM_OP_CHANNEL_SHUFFLE, "shuffled", &(nnm_attributes){.groups = 3}, c);
    nnm_attributes pool = {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2};
    pool.pad_top = pool.pad_left = pool.pad_bottom = pool.pad_right = 1;
    nnm_tensor_id largest = NODE(&d, NNM_OP_MAX_POOL, "largest", &pool, c);
    nnm_attributes same = {.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .padding = NNM_PADDING_SAME};
    nnm_tensor_id mean = NODE(&d, NNM_OP_AVERAGE_POOL, "mean", &same, c);
    nnm_tensor_id sum = NODE(&d, NNM_OP_RELU, "fused", NULL, NODE(&d, NNM_OP_ADD, "sum", NULL, largest, mean));
    sum = NODE(&d, NNM_OP_RELU6, "clipped", NULL, norm(&d, "alone", sum, 12));
    nnm_tensor_id squeezed = NODE(&d, NNM_OP_GLOBAL_AVERAGE_POOL, "squeezed", NULL, sum);
    nnm_tensor_id gate = NODE(&d, NNM_OP_HARD_SIGMOID, "hard", NULL, squeezed);
    nnm_tensor_id gated = NODE(&d, NNM_OP_MULTIPLY, "gated", NULL, sum, gate);
    nnm_tensor_id squares = NODE(&d, NNM_OP_MULTIPLY, "squares", NULL, gated, gated);
    nnm_tensor_id flat = NODE(&d, NNM_OP_FLATTEN, "flat", NULL, squares);
    nnm_tensor_id w = constant(&d, "w", (nnm_shape){2, {4, 144}}, -0.2, 0.2),
                  bias = constant(&d, "b", (nnm_shape){1, {4}}, -1, 1);
    nnm_tensor_id y = NODE(&d, NNM_OP_FULLY_CONNECTED, "scores", NULL, flat, w, bias);
    nnm_graph *graph = finish(&d, NODE(&d, NNM_OP_RELU, "positive", NULL, norm(&d, "vectors", y, 4)));
    nnm_tensor_id v = constant(&d, "v", (nnm_shape){2, {3, 12}}, -1, 1);
    z = NODE(&d, NNM_OP_FULLY_CONNECTED, "matmul", NULL, z, v);
    assert_ok(nnm_graph_mark_output(graph, z, &err));
    z = NODE(&d, NNM_OP_RELU, "last", NULL, NODE(&d, NNM_OP_RELU6, "last but one", NULL, z));
    assert_ok(nnm_graph_mark_output(graph, z, &err));
    assert_ok(nnm_graph_mark_output(graph, halves[1], &err));
    return graph;
}

/* All graphs, one after the other; NULL at the end. `name` says which one it is. */
static inline nnm_graph *build_graph(size_t index, char name[64])
{
    snprintf(name, 64, "%s", index ? "others" : "convolutions");
    if (index == 0) return build_convolutions();
    if (index == 1) return build_others();
    size_t at = 2;
    for (size_t k = 0; k < nnm_kernel_count(); k++) {
        for (size_t s = 0; s < SETTINGS; s++) {
            nnm_graph *graph = build_kernel(nnm_kernel_at(k), s);
            if (!graph) continue;
            snprintf(name, 64, "%s_%zu", nnm_kernel_name(nnm_kernel_at(k)), s);
            if (at++ == index) return graph;
            nnm_graph_free(graph);
        }
    }
    return NULL;
}

/* ---- what graphs compute ---- */

static inline void make_inputs(const nnm_graph *graph, float *inputs[MAX_INPUTS])
{
    nnm_rng rng;
    nnm_rng_init(&rng, 11, 0);
    assert_true(nnm_graph_input_count(graph) <= MAX_INPUTS);
    for (size_t i = 0; i < nnm_graph_input_count(graph); i++) {
        size_t count = interpreter_count(graph, nnm_graph_input(graph, i));
        inputs[i] = malloc(count * sizeof **inputs);
        assert_non_null(inputs[i]);
        for (size_t j = 0; j < count; j++)
            inputs[i][j] = (float)(nnm_rng_uniform(&rng) * 8 - 4);
    }
}

static inline void free_inputs(const nnm_graph *graph, float *inputs[MAX_INPUTS])
{
    for (size_t i = 0; i < nnm_graph_input_count(graph); i++)
        free(inputs[i]);
}

static const nnm_tensor *output_of(const nnm_graph *graph, size_t index)
{
    return nnm_graph_tensor(graph, nnm_graph_output(graph, index));
}

/* The second graph may have another form, but takes and gives the same by the same names. */
static inline void assert_compute_the_same(const nnm_graph *a, const nnm_graph *b, const char *what)
{
    float *inputs[MAX_INPUTS];
    make_inputs(a, inputs);
    assert_int_equal(nnm_graph_layout(b), NNM_LAYOUT_NHWC);
    assert_int_equal(nnm_graph_input_count(a), nnm_graph_input_count(b));
    assert_int_equal(nnm_graph_output_count(a), nnm_graph_output_count(b));
    for (size_t i = 0; i < nnm_graph_input_count(a); i++) {
        const nnm_tensor *x = nnm_graph_tensor(a, nnm_graph_input(a, i)),
                         *y = nnm_graph_tensor(b, nnm_graph_input(b, i));
        assert_string_equal(x->name, y->name);
        assert_true(nnm_shape_equal(&x->shape, &y->shape));
    }
    for (size_t i = 0; i < nnm_graph_output_count(a); i++) {
        assert_string_equal(output_of(a, i)->name, output_of(b, i)->name);
        assert_true(nnm_shape_equal(&output_of(a, i)->shape, &output_of(b, i)->shape));
        double *x = interpret(a, (const float *const *)inputs, i), *y = interpret(b, (const float *const *)inputs, i);
        double low = x[0], high = x[0], worst = 0;
        for (size_t j = 0; j < interpreter_count(a, nnm_graph_output(a, i)); j++) {
            low = fmin(low, x[j]);
            high = fmax(high, x[j]);
            worst = fmax(worst, fabs(x[j] - y[j]));
        }
        if (!(worst <= 1e-6 * fmax(high - low, 1)))
            fail_msg("%s: output %zu differs by %g in a range of %g", what, i, worst, high - low);
        free(x);
        free(y);
    }
    free_inputs(a, inputs);
}

/* ---- files ---- */

/* The bytes of the file of a graph. The caller frees them. */
static inline char *bytes_of(const nnm_graph *graph, size_t *size)
{
    return written_bytes(&tflite, graph, size);
}

/* A file opened by hand. */
typedef struct opened {
    nnm_fb_file file;
    nnm_fb_table_view model, subgraph;
    nnm_fb_vector codes, buffers, tensors, operators;
} opened;

static inline opened open_bytes(const char *bytes, size_t size)
{
    opened f = {.file = {(const unsigned char *)bytes, size, "TensorFlow Lite", NULL, 0}};
    f.model = nnm_fb_root(&f.file, NNM_TFL_IDENTIFIER);
    f.codes = nnm_fb_elements(&f.file, &f.model, NNM_TFL_MODEL_OPERATOR_CODES, 4);
    f.buffers = nnm_fb_elements(&f.file, &f.model, NNM_TFL_MODEL_BUFFERS, 4);
    nnm_fb_vector subgraphs = nnm_fb_elements(&f.file, &f.model, NNM_TFL_MODEL_SUBGRAPHS, 4);
    assert_int_equal(subgraphs.count, 1);
    f.subgraph = nnm_fb_table_at(&f.file, &subgraphs, 0);
    f.tensors = nnm_fb_elements(&f.file, &f.subgraph, NNM_TFL_SUBGRAPH_TENSORS, 4);
    f.operators = nnm_fb_elements(&f.file, &f.subgraph, NNM_TFL_SUBGRAPH_OPERATORS, 4);
    return f;
}

#endif
