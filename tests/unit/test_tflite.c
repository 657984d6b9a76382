#include "unit/testing.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/rng.h"
#include "formats/flatbuffer.h"
#include "formats/tflite_schema.h"
#include "graph/names.h"
#include "graph/shape.h"
#include "nnmeter/kernel.h"
#include "nnmeter/model_file.h"
#include "unit/test_reference_interpreter.h"

#define MAX_INPUTS 8

/* ---- graphs to write ---- */

static int64_t value_of(const char *param, size_t setting, bool cout_is_cin)
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
static nnm_graph *build_kernel(const nnm_kernel *kernel, size_t setting)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_config config;
    nnm_graph *graph = NULL;
    for (int same = 0; same < 2 && !graph; same++) {
        config = (nnm_kernel_config){0};
        for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++)
            config.value[i] = value_of(nnm_kernel_param_name(kernel, i), setting, same);
        if (nnm_kernel_config_check(kernel, &config, &err)) continue;
        nnm_graph_options options = {NNM_LAYOUT_NHWC, 1 + (int64_t)setting % 2, setting};
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

static draft begin(nnm_layout layout)
{
    draft d = {.err = NNM_ERROR_INIT};
    nnm_error err = NNM_ERROR_INIT;
    nnm_rng_init(&d.rng, 7, 0);
    assert_ok(nnm_graph_new(&d.graph, layout, &err));
    return d;
}

static nnm_tensor_id input(draft *d, const char *name, nnm_shape shape)
{
    nnm_tensor_id id = 0;
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_graph_add_input(d->graph, name, &shape, &id, &err));
    return id;
}

/* Values between `low` and `high`. */
static nnm_tensor_id constant(draft *d, const char *name, nnm_shape shape, double low, double high)
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

static nnm_tensor_id node(draft *d, nnm_op op, const char *name, const nnm_attributes *a, const nnm_tensor_id *inputs,
                          size_t count)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id out[NNM_NODE_MAX_OUTPUTS] = {0};
    assert_ok(nnm_graph_add_node(d->graph, op, name, a, inputs, count, out, &err));
    return out[0];
}

static nnm_graph *finish(draft *d, nnm_tensor_id output)
{
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_graph_mark_output(d->graph, output, &err));
    return d->graph;
}

static nnm_tensor_id norm(draft *d, const char *name, nnm_tensor_id x, int64_t channels)
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
static nnm_graph *build_convolutions(void)
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
static nnm_graph *build_others(void)
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
static nnm_graph *build_graph(size_t index, char name[64])
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

static void make_inputs(const nnm_graph *graph, float *inputs[MAX_INPUTS])
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

static void free_inputs(const nnm_graph *graph, float *inputs[MAX_INPUTS])
{
    for (size_t i = 0; i < nnm_graph_input_count(graph); i++)
        free(inputs[i]);
}

static const nnm_tensor *output_of(const nnm_graph *graph, size_t index)
{
    return nnm_graph_tensor(graph, nnm_graph_output(graph, index));
}

/* The second graph may have another form, but takes and gives the same by the same names. */
static void assert_compute_the_same(const nnm_graph *a, const nnm_graph *b, const char *what)
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

/* ---- writing and reading back ---- */

/* The bytes of the file of a graph. The caller frees them. */
static char *bytes_of(const nnm_graph *graph, size_t *size)
{
    nnm_error err = NNM_ERROR_INIT;
    char folder[256], path[512], *bytes = NULL;
    make_folder(folder);
    assert_ok(nnm_tflite_write(graph, in_folder(path, folder, "model.tflite"), &err));
    assert_ok(nnm_file_read(path, &bytes, size, &err));
    remove_folder(folder);
    return bytes;
}

static nnm_graph *read_back(const nnm_graph *graph)
{
    nnm_error err = NNM_ERROR_INIT;
    size_t size;
    nnm_graph *back = NULL;
    char *bytes = bytes_of(graph, &size);
    assert_ok(nnm_tflite_read_memory(&back, bytes, size, "m.tflite", &err));
    free(bytes);
    return back;
}

static void what_is_written_reads_back_and_computes_the_same(void **state)
{
    (void)state;
    char name[64];
    nnm_graph *graph;
    size_t count = 0;
    for (; (graph = build_graph(count, name)); count++) {
        nnm_graph *back = read_back(graph), *again = read_back(back);
        assert_compute_the_same(graph, back, name);
        assert_compute_the_same(graph, again, name);
        assert_int_equal(nnm_graph_node_count(back), nnm_graph_node_count(again));
        for (size_t i = 0; i < nnm_graph_node_count(back); i++)
            assert_int_equal(nnm_graph_node(back, i)->op, nnm_graph_node(again, i)->op);
        nnm_graph_free(again);
        nnm_graph_free(back);
        nnm_graph_free(graph);
    }
    assert_true(count > 2 * nnm_kernel_count());
}

/* Operators of a graph as text, e.g. "Conv Relu". */
static const char *ops_of(const nnm_graph *graph, char text[2048])
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++)
        length += (size_t)snprintf(text + length, 2048 - length, "%s%s", i ? " " : "",
                                   nnm_op_name(nnm_graph_node(graph, i)->op));
    return text;
}

static void operators_come_back_one_to_one_but_for_folded_batch_norms(void **state)
{
    (void)state;
    char text[2048];
    nnm_graph *graph = build_convolutions(), *back = read_back(graph);
    assert_string_equal(ops_of(back, text), "Conv Relu6 Conv Relu Add Conv BatchNormalization Add Conv Conv");
    nnm_attributes pads = nnm_graph_node(back, 2)->attributes;
    assert_int_equal(pads.padding, NNM_PADDING_EXPLICIT);
    assert_int_equal(pads.pad_top, 2);
    assert_int_equal(pads.pad_left, 1);
    assert_int_equal(pads.pad_bottom, 0);
    assert_int_equal(pads.pad_right, 3);
    assert_int_equal(pads.groups, 6);
    assert_int_equal(nnm_graph_node(back, 5)->attributes.padding, NNM_PADDING_SAME); /* the same in numbers */
    assert_int_equal(nnm_graph_node(back, 9)->attributes.padding, NNM_PADDING_EXPLICIT);
    nnm_graph_free(graph);
    nnm_graph_free(back);

    graph = build_others();
    back = read_back(graph);
    char before[2048];
    assert_string_equal(ops_of(back, text), ops_of(graph, before));
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++) { /* names of what is fused cannot be kept */
        nnm_op op = nnm_graph_node(graph, i)->op;
        if (op == NNM_OP_ADD || op == NNM_OP_BATCH_NORM) continue;
        assert_string_equal(nnm_graph_node(back, i)->name, nnm_graph_node(graph, i)->name);
    }
    nnm_graph_free(graph);
    nnm_graph_free(back);
}

static void a_plain_batch_norm_is_kept_to_the_last_bit(void **state)
{
    (void)state;
    draft d = begin(NNM_LAYOUT_NHWC);
    nnm_graph *graph = finish(&d, norm(&d, "bn", input(&d, "x", (nnm_shape){4, {1, 2, 2, 5}}), 5));
    nnm_graph *back = read_back(graph), *again = read_back(back);
    const nnm_node *a = nnm_graph_node(back, 0), *b = nnm_graph_node(again, 0);
    assert_int_equal(a->op, NNM_OP_BATCH_NORM);
    assert_true(a->attributes.epsilon == b->attributes.epsilon);
    for (size_t i = 1; i < 5; i++) {
        const nnm_tensor *x = nnm_graph_tensor(back, a->inputs[i]), *y = nnm_graph_tensor(again, b->inputs[i]);
        assert_memory_equal(x->data, y->data, 5 * sizeof(float));
        if (i == 3) assert_true(x->data[0] == 0);
        if (i == 4) assert_true((double)x->data[0] + a->attributes.epsilon == 1);
    }
    nnm_graph_free(graph);
    nnm_graph_free(back);
    nnm_graph_free(again);
}

static void equal_graphs_give_equal_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t sizes[2];
        char *bytes[2];
        for (int j = 0; j < 2; j++) {
            nnm_graph *graph = i ? build_others() : build_convolutions();
            bytes[j] = bytes_of(graph, &sizes[j]);
            nnm_graph_free(graph);
        }
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(bytes[0], bytes[1], sizes[0]);
        free(bytes[0]);
        free(bytes[1]);
    }
}

/* ---- the file itself ---- */

typedef struct opened {
    nnm_fb_file file;
    nnm_fb_table_view model, subgraph;
    nnm_fb_vector codes, buffers, tensors, operators;
} opened;

static opened open_bytes(const char *bytes, size_t size)
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

static void assert_text(opened *f, const nnm_fb_table_view *table, unsigned field, const char *text)
{
    nnm_fb_vector found = nnm_fb_elements(&f->file, table, field, 1);
    assert_int_equal(found.count, strlen(text));
    assert_string_equal((const char *)f->file.bytes + found.at, text); /* with the zero at the end */
}

static void a_file_is_what_the_format_asks_for(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    size_t size;
    nnm_graph *graph = build_others();
    char *bytes = bytes_of(graph, &size);
    assert_memory_equal(bytes + 4, "TFL3", 4);
    opened f = open_bytes(bytes, size);
    assert_int_equal(nnm_fb_int(&f.file, &f.model, NNM_TFL_MODEL_VERSION, 0), 3);
    assert_text(&f, &f.model, NNM_TFL_MODEL_DESCRIPTION, "nn-meter");
    assert_text(&f, &f.subgraph, NNM_TFL_SUBGRAPH_NAME, "main");
    for (size_t i = 0; i < f.buffers.count; i++) {
        nnm_fb_table_view buffer = nnm_fb_table_at(&f.file, &f.buffers, i);
        nnm_fb_vector data = nnm_fb_elements(&f.file, &buffer, NNM_TFL_BUFFER_DATA, 1);
        assert_true(i ? data.count > 0 && data.at % 16 == 0 : data.count == 0);
        assert_int_equal(buffer.at % 4, 0);
    }
    for (size_t i = 0; i < f.codes.count; i++) {
        nnm_fb_table_view code = nnm_fb_table_at(&f.file, &f.codes, i);
        int32_t builtin = nnm_fb_int(&f.file, &code, NNM_TFL_CODE_BUILTIN, 0);
        assert_int_equal(nnm_fb_byte(&f.file, &code, NNM_TFL_CODE_DEPRECATED_BUILTIN), builtin);
        int32_t version = nnm_fb_int(&f.file, &code, NNM_TFL_CODE_VERSION, 0);
        if (builtin != NNM_TFL_FULLY_CONNECTED) assert_int_equal(version, 1);
    }
    for (size_t i = 0; i < f.tensors.count; i++) {
        nnm_fb_table_view tensor = nnm_fb_table_at(&f.file, &f.tensors, i);
        assert_true(nnm_fb_elements(&f.file, &tensor, NNM_TFL_TENSOR_NAME, 1).count > 0);
    }
    assert_ok(nnm_fb_status(&f.file, &err));
    free(bytes);
    nnm_graph_free(graph);
}

static void either_format_is_written_and_read_by_layout_and_content(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char folder[256], path[512];
    make_folder(folder);
    for (int i = 0; i < 2; i++) {
        nnm_layout layout = i ? NNM_LAYOUT_NHWC : NNM_LAYOUT_NCHW;
        draft d = begin(layout);
        nnm_graph *graph = finish(&d, NODE(&d, NNM_OP_RELU, "y", NULL, input(&d, "x", (nnm_shape){4, {1, 2, 3, 4}})));
        nnm_graph *back = NULL;
        assert_string_equal(nnm_model_suffix(layout), i ? "tflite" : "onnx");
        assert_ok(nnm_model_write(graph, in_folder(path, folder, "model"), &err)); /* the name does not matter */
        assert_ok(nnm_model_read(&back, path, &err));
        assert_int_equal(nnm_graph_layout(back), layout);
        nnm_graph_free(back);
        nnm_graph_free(graph);
    }
    nnm_graph *none = NULL;
    assert_fails(nnm_model_read(&none, in_folder(path, folder, "none"), &err), NNM_ERR_NOT_FOUND, "none");
    assert_ok(nnm_file_write(in_folder(path, folder, "empty"), "", 0, &err));
    assert_fails(nnm_model_read(&none, path, &err), NNM_ERR_PARSE, "empty");
    remove_folder(folder);
}

/* ---- what cannot be written ---- */

static void graphs_that_the_format_cannot_hold_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char folder[256], path[512];
    make_folder(folder);
    in_folder(path, folder, "model.tflite");

    draft d = begin(NNM_LAYOUT_NCHW);
    nnm_graph *graph = finish(&d, NODE(&d, NNM_OP_RELU, "y", NULL, input(&d, "x", (nnm_shape){1, {2}})));
    assert_fails(nnm_tflite_write(graph, path, &err), NNM_ERR_UNSUPPORTED, "needs the layout NHWC, the graph is NCHW");
    nnm_graph_free(graph);

    d = begin(NNM_LAYOUT_NHWC);
    nnm_tensor_id x = input(&d, "x", (nnm_shape){4, {1, 4, 4, 6}});
    assert_fails(nnm_tflite_write(d.graph, path, &err), NNM_ERR_INVALID_ARGUMENT, "the graph has no output");
    nnm_attributes a = {.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .groups = 2};
    nnm_tensor_id w = constant(&d, "w", (nnm_shape){4, {4, 3, 1, 1}}, 0, 1);
    graph = finish(&d, NODE(&d, NNM_OP_CONV, "grouped", &a, x, w));
    assert_fails(nnm_tflite_write(graph, path, &err), NNM_ERR_UNSUPPORTED,
                 "Conv 'grouped' has 2 groups for 6 channels");
    nnm_graph_free(graph);

    d = begin(NNM_LAYOUT_NHWC);
    a = (nnm_attributes){.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1};
    x = input(&d, "x", (nnm_shape){4, {1, 4, 4, 6}});
    graph = finish(&d, NODE(&d, NNM_OP_AVERAGE_POOL, "mean", &a, x));
    assert_fails(nnm_tflite_write(graph, path, &err), NNM_ERR_UNSUPPORTED,
                 "model.tflite': AveragePool 'mean' has the pads 1, 1, 0, 0 (top, left, bottom, right)");
    nnm_graph_free(graph);

    d = begin(NNM_LAYOUT_NHWC);
    x = input(&d, "x", (nnm_shape){2, {1, (int64_t)1 << 31}});
    graph = finish(&d, NODE(&d, NNM_OP_RELU, "y", NULL, x));
    assert_fails(nnm_tflite_write(graph, path, &err), NNM_ERR_UNSUPPORTED, "dimension 1 of 'x' is 2147483648");
    nnm_graph_free(graph);
    assert_int_equal(rmdir(folder), 0); /* nothing was left */
}

static void a_write_that_fails_leaves_nothing_behind(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char folder[256], path[512];
    make_folder(folder);
    nnm_graph *graph = build_others();
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 3000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    nnm_status status = nnm_tflite_write(graph, in_folder(path, folder, "model.tflite"), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, NNM_ERR_IO);
    assert_non_null(strstr(err.message, "model.tflite"));
    assert_int_equal(rmdir(folder), 0);
    in_folder(path, folder, "model.tflite"); /* now the folder is gone */
    assert_fails(nnm_tflite_write(graph, path, &err), NNM_ERR_NOT_FOUND, "model.tflite");
    nnm_graph_free(graph);
}

/* ---- damaged files ---- */

static nnm_status read_bytes(const void *bytes, size_t size, nnm_error *err)
{
    nnm_graph *graph = NULL;
    nnm_status status = nnm_tflite_read_memory(&graph, bytes, size, "m.tflite", err);
    if (status) assert_null(graph);
    nnm_graph_free(graph);
    return status;
}

/* A small model with several operators. */
static char *small_model(size_t *size)
{
    draft d = begin(NNM_LAYOUT_NHWC);
    nnm_tensor_id x = input(&d, "x", (nnm_shape){4, {1, 4, 4, 2}});
    nnm_attributes a = {.kernel_h = 2, .kernel_w = 2, .stride_h = 1, .stride_w = 1, .pad_top = 1, .groups = 1};
    x = NODE(&d, NNM_OP_CONV, "conv", &a, x, constant(&d, "w", (nnm_shape){4, {4, 2, 2, 2}}, -1, 1));
    x = NODE(&d, NNM_OP_CHANNEL_SHUFFLE, "shuffle", &(nnm_attributes){.groups = 2}, x);
    x = NODE(&d, NNM_OP_HARD_SIGMOID, "hard", NULL, norm(&d, "bn", x, 4));
    nnm_graph *graph = finish(&d, x);
    char *bytes = bytes_of(graph, size);
    nnm_graph_free(graph);
    return bytes;
}

/* Copies the first bytes into a block of their own, so that a sanitizer sees every access beyond. */
static void a_file_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    size_t size;
    char *bytes = small_model(&size);
    for (size_t length = 0; length < size; length++) {
        char *cut = malloc(length ? length : 1);
        assert_non_null(cut);
        memcpy(cut, bytes, length);
        assert_fails(read_bytes(cut, length, &err), NNM_ERR_PARSE,
                     "m.tflite: not a TensorFlow Lite model, or cut short");
        free(cut);
    }
    assert_ok(read_bytes(bytes, size, &err));
    free(bytes);
}

static void assert_survives(const char *bytes, size_t size, size_t place)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_status status = read_bytes(bytes, size, &err);
    if (status != NNM_OK && status != NNM_ERR_PARSE && status != NNM_ERR_UNSUPPORTED && status != NNM_ERR_VALUE)
        fail_msg("byte %zu: %s: %s", place, nnm_status_name(status), err.message);
}

static void no_changed_byte_brings_the_reader_down(void **state)
{
    (void)state;
    static const unsigned char patterns[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF, 0x55};
    size_t size;
    char *bytes = small_model(&size);
    for (size_t i = 0; i < size; i++) {
        for (size_t p = 0; p < sizeof patterns; p++) {
            bytes[i] = (char)((unsigned char)bytes[i] ^ patterns[p]);
            assert_survives(bytes, size, i);
            bytes[i] = (char)((unsigned char)bytes[i] ^ patterns[p]);
        }
    }
    nnm_rng rng; /* several at once */
    nnm_rng_init(&rng, 3, 0);
    char *changed = malloc(size);
    assert_non_null(changed);
    for (size_t round = 0; round < 20000; round++) {
        memcpy(changed, bytes, size);
        for (size_t n = 0; n < 1 + round % 4; n++)
            changed[(size_t)(nnm_rng_uniform(&rng) * (double)size)] = (char)(nnm_rng_uniform(&rng) * 256 - 128);
        assert_survives(changed, size, round);
    }
    free(changed);
    free(bytes);
}

static void what_is_no_model_is_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {"", 0, "no file identifier at byte 0"},
        {"\x14\x00\x00\x00TFL2\x00\x00\x00\x00", 12, "no file identifier at byte 4"},
        {"\x00\x00\x00\x00TFL3\x00\x00\x00\x00", 12, "an offset that leads out of the file at byte 0"},
        {"\xFF\xFF\xFF\xFFTFL3\x00\x00\x00\x00", 12, "an offset that leads out of the file at byte 0"},
        {"\x08\x00\x00\x00TFL3\xFF\x00\x00\x00", 12, "a table without a vtable at byte 8"},
        {"\x08\x00\x00\x00TFL3\x00\x00\x00\x00", 12, "a vtable of a wrong size at byte 8"},
        {"\x0C\x00\x00\x00TFL3\x04\x00\x40\x00\x04\x00\x00\x00", 16, "a table that has no end at byte 12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(read_bytes(cases[i].bytes, cases[i].size, &err), NNM_ERR_PARSE, cases[i].text);

    char folder[256], path[512];
    make_folder(folder);
    nnm_graph *graph = NULL;
    assert_fails(nnm_tflite_read(&graph, in_folder(path, folder, "none.tflite"), &err), NNM_ERR_NOT_FOUND,
                 "none.tflite");
    assert_fails(nnm_tflite_read(&graph, folder, &err), NNM_ERR_IO, folder);
    FILE *huge = fopen(in_folder(path, folder, "huge.tflite"), "wb"); /* a hole takes no space */
    assert_non_null(huge);
    assert_int_equal(ftruncate(fileno(huge), (off_t)3 << 30), 0);
    fclose(huge);
    assert_fails(nnm_tflite_read(&graph, path, &err), NNM_ERR_UNSUPPORTED,
                 "it has 3221225472 bytes; TensorFlow Lite allows");
    remove_folder(folder);
}

/* ---- models that mean something else: each case changes numbers of a good model ---- */

/* Where a field lies; the file must have it. */
static size_t field_at(const opened *f, const nnm_fb_table_view *table, unsigned field)
{
    size_t entry = table->vtable + 4 + (size_t)2 * field;
    size_t offset = (size_t)f->file.bytes[entry] | (size_t)f->file.bytes[entry + 1] << 8;
    assert_true(4 + 2 * (field + 1) <= table->vtable_size && offset > 0);
    return table->at + offset;
}

static void set_int(char *bytes, size_t at, int32_t value)
{
    memcpy(bytes + at, &value, sizeof value);
}

typedef enum place {
    MODEL,
    CODE,      /* `index` counts operator codes */
    TENSOR,    /* tensors */
    SHAPE,     /* tensors; `field` is the dimension */
    INTS,      /* tensors; `field` is the element of their data */
    OPERATOR,  /* operators */
    INPUT,     /* operators; `field` is the input */
    OUTPUT,    /* operators; `field` is the output */
    OPTION,    /* operators */
    BYTE_CODE, /* as above, but the field has one byte */
    BYTE_TENSOR,
    BYTE_OPTION,
    GRAPH_INPUT, /* `index` is the input */
    GRAPH_OUTPUT
} place;

static void change(char *bytes, size_t size, place where, size_t index, unsigned field, int32_t value)
{
    opened f = open_bytes(bytes, size);
    nnm_fb_vector *list = where == CODE || where == BYTE_CODE                                          ? &f.codes
                          : where == TENSOR || where == BYTE_TENSOR || where == SHAPE || where == INTS ? &f.tensors
                                                                                                       : &f.operators;
    nnm_fb_table_view table = nnm_fb_table_at(&f.file, list, where == MODEL ? 0 : index % list->count), buffer;
    nnm_fb_vector numbers = {0};
    if (where == MODEL) table = f.model;
    if (where == OPTION || where == BYTE_OPTION) table = nnm_fb_child(&f.file, &table, NNM_TFL_OPERATOR_OPTIONS);
    if (where == SHAPE) numbers = nnm_fb_elements(&f.file, &table, NNM_TFL_TENSOR_SHAPE, 4);
    if (where == INPUT) numbers = nnm_fb_elements(&f.file, &table, NNM_TFL_OPERATOR_INPUTS, 4);
    if (where == OUTPUT) numbers = nnm_fb_elements(&f.file, &table, NNM_TFL_OPERATOR_OUTPUTS, 4);
    if (where == GRAPH_INPUT) numbers = nnm_fb_elements(&f.file, &f.subgraph, NNM_TFL_SUBGRAPH_INPUTS, 4);
    if (where == GRAPH_OUTPUT) numbers = nnm_fb_elements(&f.file, &f.subgraph, NNM_TFL_SUBGRAPH_OUTPUTS, 4);
    if (where == GRAPH_INPUT || where == GRAPH_OUTPUT) field = (unsigned)index;
    if (where == INTS) {
        buffer = nnm_fb_table_at(&f.file, &f.buffers, (size_t)nnm_fb_int(&f.file, &table, NNM_TFL_TENSOR_BUFFER, 0));
        numbers = nnm_fb_elements(&f.file, &buffer, NNM_TFL_BUFFER_DATA, 1);
        assert_true(numbers.count >= 4 * (field + 1));
    }
    if (numbers.at) {
        set_int(bytes, numbers.at + (size_t)4 * field, value);
    } else if (where == BYTE_CODE || where == BYTE_TENSOR || where == BYTE_OPTION) {
        bytes[field_at(&f, &table, field)] = (char)value;
    } else {
        set_int(bytes, field_at(&f, &table, field), value);
    }
}

/* Index of the tensor of this name, and of the first operator of this code, in a file. */
static size_t tensor_called(const char *bytes, size_t size, const char *name)
{
    opened f = open_bytes(bytes, size);
    for (size_t i = 0; i < f.tensors.count; i++) {
        nnm_fb_table_view tensor = nnm_fb_table_at(&f.file, &f.tensors, i);
        nnm_fb_vector text = nnm_fb_elements(&f.file, &tensor, NNM_TFL_TENSOR_NAME, 1);
        if (strcmp(bytes + text.at, name) == 0) return i;
    }
    fail_msg("no tensor is called '%s'", name);
    return 0;
}

static size_t operator_with(const char *bytes, size_t size, int32_t builtin)
{
    opened f = open_bytes(bytes, size);
    for (size_t i = 0; i < f.operators.count; i++) {
        nnm_fb_table_view op = nnm_fb_table_at(&f.file, &f.operators, i);
        int32_t index = nnm_fb_int(&f.file, &op, NNM_TFL_OPERATOR_CODE, 0);
        nnm_fb_table_view code = nnm_fb_table_at(&f.file, &f.codes, (size_t)index);
        if (nnm_fb_int(&f.file, &code, NNM_TFL_CODE_BUILTIN, 0) == builtin) return i;
    }
    fail_msg("no operator has the code %d", builtin);
    return 0;
}

/* A change of build_others: of the tensor `name`, or of the first operator `builtin`, or else number `index`. */
typedef struct refusal {
    place where;
    const char *name;
    int32_t builtin;
    size_t index;
    unsigned field;
    int32_t value;
    nnm_status status;
    const char *text;
} refusal;

static void assert_refused(const nnm_graph *graph, const refusal *r)
{
    nnm_error err = NNM_ERROR_INIT;
    size_t size;
    char *bytes = bytes_of(graph, &size);
    size_t index = r->name ? tensor_called(bytes, size, r->name) : r->index;
    if (r->builtin >= 0) index = operator_with(bytes, size, r->builtin);
    change(bytes, size, r->where, index, r->field, r->value);
    assert_fails(read_bytes(bytes, size, &err), r->status, r->text);
    free(bytes);
}

#define VALUE NNM_ERR_VALUE
#define UNSUPPORTED NNM_ERR_UNSUPPORTED

static const refusal other_refusals[] = {
    {MODEL, NULL, -1, 0, NNM_TFL_MODEL_VERSION, 2, UNSUPPORTED, "schema version 2 is not supported; 3 is"},
    {CODE, NULL, -1, 0, NNM_TFL_CODE_BUILTIN, 105, UNSUPPORTED, "operator 0 (REVERSE_V2): it is not supported"},
    {CODE, NULL, -1, 0, NNM_TFL_CODE_BUILTIN, 999, UNSUPPORTED, "operator 0 (code 999): it is not supported"},
    {OPERATOR, NULL, NNM_TFL_MEAN, 0, NNM_TFL_OPERATOR_CODE, 99, VALUE, "it has operator code 99, but there are"},
    {INPUT, NULL, NNM_TFL_MEAN, 0, 0, 9999, VALUE, "it names tensor 9999, but there are"},
    {INPUT, NULL, NNM_TFL_MEAN, 0, 0, -2, VALUE, "it names tensor -2, but there are"},
    {INPUT, NULL, NNM_TFL_MEAN, 0, 0, -1, VALUE, "(MEAN): an input is missing"},
    {OUTPUT, NULL, NNM_TFL_MEAN, 0, 0, -1, VALUE, "it names tensor -1, but there are"},
    {OUTPUT, NULL, NNM_TFL_MEAN, 0, 0, 0, VALUE, "its output is an input, a constant or computed already"},
    {GRAPH_INPUT, NULL, -1, 0, 0, 12345, VALUE, "the inputs: it names tensor 12345"},
    {GRAPH_INPUT, NULL, -1, 0, 0, 1, VALUE, "tensor 'rows': it is an input twice"},
    {GRAPH_OUTPUT, NULL, -1, 0, 0, 12345, VALUE, "the outputs: it names tensor 12345"},
    {GRAPH_OUTPUT, NULL, -1, 1, 0, 0, VALUE, "'hard/three' cannot be an output: no node computes it"},
    {TENSOR, "w", -1, 0, NNM_TFL_TENSOR_BUFFER, 1000, VALUE, "its data are in buffer 1000, but there are"},
    {TENSOR, "w", -1, 0, NNM_TFL_TENSOR_BUFFER, 0, UNSUPPORTED, "tensor 'w': it must be a constant, but it is not"},
    {SHAPE, "w", -1, 0, 0, 5, VALUE, "tensor 'w': the shape [5, 144] needs 2880 bytes of data, but it has 2304"},
    {SHAPE, "w", -1, 0, 0, -4, VALUE, "tensor 'w': dimension 0 is -4; it must be at least 1"},
    {BYTE_TENSOR, "w", -1, 0, NNM_TFL_TENSOR_TYPE, 9, UNSUPPORTED, "tensor 'w': its elements are INT8; only FLOAT32"},
    {BYTE_TENSOR, "rows", -1, 0, NNM_TFL_TENSOR_TYPE, 1, UNSUPPORTED, "tensor 'rows': its elements are FLOAT16"},
    {BYTE_TENSOR, "gated", -1, 0, NNM_TFL_TENSOR_TYPE, 1, UNSUPPORTED, "its output is not FLOAT32"},
    {SHAPE, "rows", -1, 0, 1, 0, VALUE, "tensor 'rows': dimension 1 is 0"},
    {SHAPE, "gated", -1, 0, 1, 77, VALUE, "its output's shape is said to be [2, 77, 3, 12], but it is [2, 4, 3, 12]"},
    {INTS, "half/axis", -1, 0, 0, 2, UNSUPPORTED, "(SPLIT): only the channels can be split"},
    {INTS, "squeezed/axes", -1, 0, 0, 3, UNSUPPORTED, "(MEAN): only means over the height and width"},
    {INTS, "largest/pads", -1, 0, 0, 1, UNSUPPORTED, "(PADV2): only padding of rows and columns"},
    {INTS, "largest/lowest", -1, 0, 0, 0, UNSUPPORTED, "(PADV2): it pads with a value that could win"},
    {INTS, "largest/pads", -1, 0, 2, -1, VALUE, "pad_top is -1"},
    {INTS, "shuffled/order", -1, 0, 2, 2, UNSUPPORTED, "(RESHAPE): only flattening"},
    {INTS, "shuffled/groups_shape", -1, 0, 0, 3, VALUE, "(RESHAPE): its shape does not have the 1008 elements"},
    {INTS, "hard/sixth", -1, 0, 0, 0, UNSUPPORTED, "one operand is a constant"},
    {INTS, "hard/three_2", -1, 0, 0, 0, UNSUPPORTED, "one operand is a constant"},
    {INTS, "flat/shape", -1, 0, 1, 143, VALUE, "(RESHAPE): its shape does not have the 288 elements"},
    {OPTION, NULL, NNM_TFL_CONCATENATION, 0, NNM_TFL_CONCAT_AXIS, 1, UNSUPPORTED,
     "it does not join along the channels"},
    {BYTE_OPTION, NULL, NNM_TFL_CONCATENATION, 0, NNM_TFL_CONCAT_ACTIVATION, 4, UNSUPPORTED,
     "its fused activation has the number 4; only NONE, RELU and RELU6"},
    {OPTION, NULL, NNM_TFL_AVERAGE_POOL_2D, 0, NNM_TFL_POOL_STRIDE_W, 0, VALUE, "stride_w is 0"},
    {BYTE_OPTION, NULL, NNM_TFL_AVERAGE_POOL_2D, 0, NNM_TFL_POOL_PADDING, 7, VALUE, "its padding has the number 7"},
    {BYTE_OPTION, NULL, NNM_TFL_FULLY_CONNECTED, 0, NNM_TFL_FC_WEIGHTS_FORMAT, 1, UNSUPPORTED,
     "its weights are shuffled"},
};

static const refusal convolution_refusals[] = {
    {OPTION, NULL, NNM_TFL_CONV_2D, 0, NNM_TFL_CONV_DILATION_W, 2, UNSUPPORTED, "(CONV_2D): it has a dilation"},
    {OPTION, NULL, NNM_TFL_CONV_2D, 0, NNM_TFL_CONV_STRIDE_H, -1, VALUE, "stride_h is -1"},
    {BYTE_OPTION, NULL, NNM_TFL_CONV_2D, 0, NNM_TFL_CONV_PADDING, 2, VALUE, "its padding has the number 2"},
    {OPTION, NULL, NNM_TFL_DEPTHWISE_CONV_2D, 0, NNM_TFL_DWCONV_DILATION_H, 2, UNSUPPORTED, "it has a dilation"},
    {OPTION, NULL, NNM_TFL_DEPTHWISE_CONV_2D, 0, NNM_TFL_DWCONV_MULTIPLIER, 3, VALUE,
     "its multiplier is 3, but 6 channels become 12"},
    {BYTE_OPTION, NULL, NNM_TFL_DEPTHWISE_CONV_2D, 0, NNM_TFL_DWCONV_PADDING, 0, UNSUPPORTED,
     "(PAD): only padding of rows and columns before one convolution"},
    {INPUT, NULL, NNM_TFL_CONV_2D, 0, 1, 0, UNSUPPORTED, "tensor 'image': it must be a constant"},
    {SHAPE, "dw", -1, 0, 0, 2, VALUE, "needs 864 bytes"},
};

static void what_is_not_understood_is_refused_by_name(void **state)
{
    (void)state;
    nnm_graph *graph = build_others();
    for (size_t i = 0; i < sizeof other_refusals / sizeof *other_refusals; i++)
        assert_refused(graph, &other_refusals[i]);
    nnm_graph_free(graph);
    graph = build_convolutions();
    for (size_t i = 0; i < sizeof convolution_refusals / sizeof *convolution_refusals; i++)
        assert_refused(graph, &convolution_refusals[i]);
    nnm_graph_free(graph);
}

/* ---- files in other words ---- */

/* A file from before 2020 says operators in the narrow field only; one of another writer may repeat names. */
static void files_of_other_writers_read_the_same(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    size_t size;
    nnm_graph *graph = build_others(), *back = NULL;
    char *bytes = bytes_of(graph, &size);
    opened f = open_bytes(bytes, size);
    for (size_t i = 0; i < f.codes.count; i++)
        change(bytes, size, CODE, i, NNM_TFL_CODE_BUILTIN, 0);
    memcpy(strstr(bytes + nnm_fb_place(0, 4), "gated"), "swish", 5); /* the second of that name */
    assert_ok(nnm_tflite_read_memory(&back, bytes, size, "m.tflite", &err));
    assert_compute_the_same(graph, back, "old");
    nnm_graph_free(back);
    free(bytes);

    bytes = bytes_of(graph, &size); /* a mean that drops its dimensions is flattened */
    change(bytes, size, BYTE_OPTION, operator_with(bytes, size, NNM_TFL_MEAN), NNM_TFL_REDUCER_KEEP_DIMS, 0);
    assert_fails(read_bytes(bytes, size, &err), NNM_ERR_VALUE, "said to be [2, 1, 1, 12], but it is [2, 12]");
    nnm_graph_free(graph);
    free(bytes);
}

/* Many operators that read one weight must not multiply it in memory. */
static void hostile_files_do_not_take_more_memory_than_they_have(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    draft d = begin(NNM_LAYOUT_NHWC);
    nnm_tensor_id x = input(&d, "x", (nnm_shape){2, {1, 400}});
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "w%d", i);
        x = NODE(&d, NNM_OP_FULLY_CONNECTED, NULL, NULL, x, constant(&d, name, (nnm_shape){2, {400, 400}}, -1, 1));
    }
    nnm_graph *graph = finish(&d, x);
    size_t size;
    char *bytes = bytes_of(graph, &size);
    for (int i = 1; i < 20; i++) { /* all weights share the first one's data, which is all that is left of the file */
        char name[32];
        snprintf(name, sizeof name, "w%d", i);
        change(bytes, size, TENSOR, tensor_called(bytes, size, name), NNM_TFL_TENSOR_BUFFER, 1);
    }
    opened f = open_bytes(bytes, size);
    nnm_fb_table_view buffer = nnm_fb_table_at(&f.file, &f.buffers, 2);
    size_t end = nnm_fb_elements(&f.file, &buffer, NNM_TFL_BUFFER_DATA, 1).at;
    assert_fails(read_bytes(bytes, end, &err), NNM_ERR_VALUE, "would take far more memory than the file has");
    free(bytes);
    nnm_graph_free(graph);
}

/* ---- a mode for integration/tflite ---- */

static int write_floats(const char *folder, const char *model, const char *kind, size_t index, const float *values,
                        size_t count)
{
    nnm_error err = NNM_ERROR_INIT;
    char name[128], path[512];
    snprintf(name, sizeof name, "%s.%s%zu", model, kind, index);
    if (!nnm_file_write(in_folder(path, folder, name), values, count * sizeof *values, &err)) return 0;
    fprintf(stderr, "%s\n", err.message);
    return 1;
}

/* Writes every graph with its inputs and what its outputs must be, as raw floats: NAME.tflite, NAME.in0, NAME.out0. */
static int write_all(const char *folder)
{
    nnm_error err = NNM_ERROR_INIT;
    char model[64], name[128], path[512];
    int failed = 0;
    nnm_graph *graph;
    for (size_t g = 0; !failed && (graph = build_graph(g, model)); g++) {
        float *inputs[MAX_INPUTS];
        make_inputs(graph, inputs);
        snprintf(name, sizeof name, "%s.tflite", model);
        failed = nnm_tflite_write(graph, in_folder(path, folder, name), &err) != NNM_OK;
        if (failed) fprintf(stderr, "%s\n", err.message);
        for (size_t i = 0; i < nnm_graph_input_count(graph) && !failed; i++)
            failed =
                write_floats(folder, model, "in", i, inputs[i], interpreter_count(graph, nnm_graph_input(graph, i)));
        for (size_t i = 0; i < nnm_graph_output_count(graph) && !failed; i++) {
            double *values = interpret(graph, (const float *const *)inputs, i);
            size_t count = interpreter_count(graph, nnm_graph_output(graph, i));
            float *floats = malloc(count * sizeof *floats);
            assert_non_null(floats);
            for (size_t j = 0; j < count; j++)
                floats[j] = (float)values[j];
            failed = write_floats(folder, model, "out", i, floats, count);
            free(values);
            free(floats);
        }
        free_inputs(graph, inputs);
        nnm_graph_free(graph);
    }
    return failed;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0) return write_all(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_and_computes_the_same),
        cmocka_unit_test(operators_come_back_one_to_one_but_for_folded_batch_norms),
        cmocka_unit_test(a_plain_batch_norm_is_kept_to_the_last_bit),
        cmocka_unit_test(equal_graphs_give_equal_bytes),
        cmocka_unit_test(a_file_is_what_the_format_asks_for),
        cmocka_unit_test(either_format_is_written_and_read_by_layout_and_content),
        cmocka_unit_test(graphs_that_the_format_cannot_hold_are_refused),
        cmocka_unit_test(a_write_that_fails_leaves_nothing_behind),
        cmocka_unit_test(a_file_cut_short_anywhere_is_refused),
        cmocka_unit_test(no_changed_byte_brings_the_reader_down),
        cmocka_unit_test(what_is_no_model_is_refused),
        cmocka_unit_test(what_is_not_understood_is_refused_by_name),
        cmocka_unit_test(files_of_other_writers_read_the_same),
        cmocka_unit_test(hostile_files_do_not_take_more_memory_than_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
