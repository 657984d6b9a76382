#include "unit/testing.h"

#include <sys/stat.h>

#include "unit/tflite_graphs.h"

/* ---- writing and reading back ---- */

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
    assert_int_equal(mkfifo(in_folder(path, folder, "pipe.onnx"), 0600),
                     0); /* nobody writes: it must not be waited for */
    assert_fails(nnm_model_read(&none, path, &err), NNM_ERR_IO, "it is not a regular file");
    assert_fails(nnm_onnx_read(&none, path, &err), NNM_ERR_IO, "it is not a regular file");
    assert_fails(nnm_tflite_read(&none, path, &err), NNM_ERR_IO, "it is not a regular file");
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
    nnm_graph *graph = build_others();
    assert_failed_write_leaves_nothing(&tflite, graph, 3000);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
