/* Weights of zeros: model files of both formats say so in a few bytes, and read back as the same graph. */
#include "unit/testing.h"

#include "base/file.h"
#include "nnmeter/kernel.h"
#include "nnmeter/model_file.h"

static char folder[256];

static nnm_graph *graph_of(const char *kernel_name, const char *config_text, nnm_layout layout)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_kernel_config config;
    nnm_graph *graph = NULL;
    const nnm_graph_options options = {layout, 1, 3, true};
    assert_ok(nnm_kernel_find(&kernel, kernel_name, &err));
    assert_ok(nnm_kernel_config_parse(&config, kernel, config_text, &err));
    assert_ok(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err));
    return graph;
}

/* What the file of a graph holds. */
static char *bytes_of(const nnm_graph *graph, size_t *size)
{
    nnm_error err = NNM_ERROR_INIT;
    char path[512], *bytes = NULL;
    assert_ok(nnm_model_write(graph, in_folder(path, folder, "model"), &err));
    assert_ok(nnm_file_read(path, &bytes, size, &err));
    return bytes;
}

static nnm_status read_bytes(nnm_graph **out, nnm_layout layout, const char *bytes, size_t size, nnm_error *err)
{
    return layout == NNM_LAYOUT_NCHW ? nnm_onnx_read_memory(out, bytes, size, "m", err)
                                     : nnm_tflite_read_memory(out, bytes, size, "m", err);
}

static size_t count_zeros(const nnm_graph *graph)
{
    size_t zeros = 0;
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++) {
        const nnm_tensor *tensor = nnm_graph_tensor(graph, i);
        if (!tensor->zeros) continue;
        zeros++;
        assert_non_null(tensor->data);
        for (int64_t j = 0; j < nnm_shape_elements(&tensor->shape); j++)
            assert_true(tensor->data[j] == 0.0F);
    }
    return zeros;
}

static void files_are_small_and_read_back(void **state)
{
    (void)state;
    static const struct {
        const char *kernel, *config;
        size_t zeros;
    } cases[] = {
        {"conv-bn-relu", "HW=14,CIN=96,COUT=200,KERNEL_SIZE=3,STRIDES=2", 1},
        {"dwconv-bn-relu6", "HW=14,CIN=512,KERNEL_SIZE=7,STRIDES=1", 1},
        {"fc", "CIN=1024,COUT=500", 1},
        {"se", "HW=7,CIN=512", 2},
        {"relu", "HW=7,CIN=512", 0},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        nnm_error err = NNM_ERROR_INIT;
        nnm_layout layout = (nnm_layout)(i % 2);
        nnm_graph *graph = graph_of(cases[i / 2].kernel, cases[i / 2].config, layout), *again = NULL;
        size_t size = 0;
        char *bytes = bytes_of(graph, &size);
        assert_true(size < 20000); /* biases and batch norms are what they are */
        assert_ok(read_bytes(&again, layout, bytes, size, &err));
        assert_int_equal(count_zeros(graph), cases[i / 2].zeros);
        assert_int_equal(count_zeros(again), cases[i / 2].zeros);
        nnm_cost cost, cost_again;
        nnm_graph_cost(graph, &cost);
        nnm_graph_cost(again, &cost_again);
        assert_true(cost.macs == cost_again.macs);
        nnm_graph_free(graph);
        nnm_graph_free(again);
        free(bytes);
    }
}

/* A MatMul of ONNX has its weight in another order: that is written in full. */
static void a_matmul_reads_back(void **state)
{
    (void)state;
    for (int layout = NNM_LAYOUT_NCHW; layout <= NNM_LAYOUT_NHWC; layout++) {
        nnm_error err = NNM_ERROR_INIT;
        nnm_graph *graph = graph_of("matmul", "B=1,M=3,N=5,K=7", (nnm_layout)layout), *again = NULL;
        size_t size = 0;
        char *bytes = bytes_of(graph, &size);
        assert_ok(read_bytes(&again, (nnm_layout)layout, bytes, size, &err));
        nnm_graph_free(graph);
        nnm_graph_free(again);
        free(bytes);
    }
}

static size_t other_numbers, other_sizes, other_attributes;

static void try_changed_byte(nnm_layout layout, const char *bytes, size_t size, size_t place)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *again = NULL;
    nnm_status status = read_bytes(&again, layout, bytes, size, &err);
    if (status == NNM_OK) nnm_graph_free(again);
    if (status && status != NNM_ERR_PARSE && status != NNM_ERR_UNSUPPORTED && status != NNM_ERR_VALUE)
        fail_msg("byte %zu: %s: %s", place, nnm_status_name(status), err.message);
    if (status == NNM_OK) return;
    other_numbers += strstr(err.message, "it fills with something else than 0") != NULL;
    other_sizes += strstr(err.message, "(FILL): its output's shape is said to be") != NULL;
    other_attributes += strstr(err.message, "ConstantOfShape") != NULL;
}

/* Among all that one changed byte makes of a file is a FILL with another number, and one of another size. */
static void no_changed_byte_brings_a_reader_down(void **state)
{
    (void)state;
    for (int layout = NNM_LAYOUT_NCHW; layout <= NNM_LAYOUT_NHWC; layout++) {
        nnm_graph *graph = graph_of("fc", "CIN=9,COUT=7", (nnm_layout)layout);
        size_t size = 0;
        char *bytes = bytes_of(graph, &size);
        for (size_t i = 0; i < size; i++)
            for (int change = 1; change < 256; change *= 4) {
                bytes[i] ^= (char)change;
                try_changed_byte((nnm_layout)layout, bytes, size, i);
                bytes[i] ^= (char)change;
            }
        nnm_graph_free(graph);
        free(bytes);
    }
    assert_true(other_numbers > 0 && other_sizes > 0 && other_attributes > 0);
}

/* A few bytes cannot ask for any amount of memory. */
static void zeros_are_limited(void **state)
{
    (void)state;
    for (int layout = NNM_LAYOUT_NCHW; layout <= NNM_LAYOUT_NHWC; layout++) {
        nnm_error err = NNM_ERROR_INIT;
        nnm_graph *graph = NULL, *again = NULL;
        nnm_tensor_id x, w, y;
        assert_ok(nnm_graph_new(&graph, (nnm_layout)layout, &err));
        assert_ok(nnm_graph_add_input(graph, "x", &(nnm_shape){2, {1, 30000}}, &x, &err));
        for (int i = 0; i < 2; i++) {
            assert_ok(nnm_graph_add_zeros(graph, i ? "w1" : "w0", &(nnm_shape){2, {10000, 30000}}, &w, &err));
            assert_ok(nnm_graph_add_node(graph, NNM_OP_FULLY_CONNECTED, i ? "y1" : "y0", NULL, (nnm_tensor_id[]){x, w},
                                         2, &y, &err));
            assert_ok(nnm_graph_mark_output(graph, y, &err));
        }
        size_t size = 0;
        char *bytes = bytes_of(graph, &size);
        assert_true(size < 2000);
        assert_fails(read_bytes(&again, (nnm_layout)layout, bytes, size, &err), NNM_ERR_VALUE,
                     "weights of zeros take more than 2147483647 bytes in all");
        assert_null(again);
        nnm_graph_free(graph);
        free(bytes);
    }
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_small_and_read_back),
        cmocka_unit_test(a_matmul_reads_back),
        cmocka_unit_test(no_changed_byte_brings_a_reader_down),
        cmocka_unit_test(zeros_are_limited),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
