/* Weights of zeros: a TensorFlow Lite file says so in a few bytes, and reads back as the same graph. */
#include "unit/testing.h"

#include <math.h>

#include "nnmeter/kernel.h"
#include "nnmeter/model_file.h"
#include "unit/tflite_graphs.h"

static nnm_graph *graph_of(const char *kernel_name, const char *config_text)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_kernel_config config;
    nnm_graph *graph = NULL;
    const nnm_graph_options options = {NNM_LAYOUT_NHWC, 1, 3, true};
    assert_ok(nnm_kernel_find(&kernel, kernel_name, &err));
    assert_ok(nnm_kernel_config_parse(&config, kernel, config_text, &err));
    assert_ok(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err));
    return graph;
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

static void files_of_zeros_are_small_and_read_back(void **state)
{
    (void)state;
    static const struct {
        const char *kernel, *config;
        size_t zeros;
    } cases[] = {
        {"conv-bn-relu", "HW=14,CIN=96,COUT=200,KERNEL_SIZE=3,STRIDES=2", 1},
        {"dwconv-bn-relu6", "HW=14,CIN=2048,KERNEL_SIZE=7,STRIDES=1", 1},
        {"fc", "CIN=1024,COUT=500", 1},
        {"se", "HW=7,CIN=512", 2},
        {"relu", "HW=7,CIN=512", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_error err = NNM_ERROR_INIT;
        nnm_graph *graph = graph_of(cases[i].kernel, cases[i].config), *again = NULL;
        size_t size = 0;
        char *bytes = bytes_of(graph, &size);
        assert_true(size < 30000); /* biases and batch norms are what they are */
        assert_ok(nnm_tflite_read_memory(&again, bytes, size, "zeros.tflite", &err));
        assert_int_equal(count_zeros(graph), cases[i].zeros);
        assert_int_equal(count_zeros(again), cases[i].zeros);
        nnm_cost cost, cost_again;
        nnm_graph_cost(graph, &cost);
        nnm_graph_cost(again, &cost_again);
        assert_true(cost.macs == cost_again.macs);
        nnm_graph_free(graph);
        nnm_graph_free(again);
        free(bytes);
    }
}

/* Among all that one changed byte can make of a file is a FILL with another number, and one of another size. */
static void no_changed_byte_brings_the_reader_down(void **state)
{
    (void)state;
    nnm_graph *graph = graph_of("fc", "CIN=9,COUT=7"), *again = NULL;
    size_t size = 0, other_numbers = 0, other_sizes = 0;
    char *bytes = bytes_of(graph, &size);
    for (size_t i = 0; i < size; i++)
        for (int change = 1; change < 256; change *= 2) {
            nnm_error err = NNM_ERROR_INIT;
            bytes[i] ^= (char)change;
            nnm_status status = nnm_tflite_read_memory(&again, bytes, size, "zeros.tflite", &err);
            bytes[i] ^= (char)change;
            if (status == NNM_OK) nnm_graph_free(again);
            if (status && status != NNM_ERR_PARSE && status != NNM_ERR_UNSUPPORTED && status != NNM_ERR_VALUE)
                fail_msg("byte %zu: %s: %s", i, nnm_status_name(status), err.message);
            other_numbers += status && strstr(err.message, "it fills with something else than 0") != NULL;
            other_sizes += status && strstr(err.message, "(FILL): its output's shape is said to be") != NULL;
        }
    assert_true(other_numbers > 0 && other_sizes > 0);
    nnm_graph_free(graph);
    free(bytes);
}

/* A few bytes cannot ask for any amount of memory. */
static void zeros_are_limited(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL, *again = NULL;
    nnm_tensor_id x, w;
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NHWC, &err));
    assert_ok(nnm_graph_add_input(graph, "x", &(nnm_shape){2, {1, 30000}}, &x, &err));
    for (int i = 0; i < 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        assert_ok(nnm_graph_add_zeros(graph, name, &(nnm_shape){2, {10000, 30000}}, &w, &err));
        nnm_tensor_id y;
        assert_ok(nnm_graph_add_node(graph, NNM_OP_FULLY_CONNECTED, i ? "y1" : "y0", NULL, (nnm_tensor_id[]){x, w}, 2,
                                     &y, &err));
        assert_ok(nnm_graph_mark_output(graph, y, &err));
    }
    size_t size = 0;
    char *bytes = bytes_of(graph, &size);
    assert_fails(nnm_tflite_read_memory(&again, bytes, size, "zeros.tflite", &err), NNM_ERR_VALUE,
                 "weights of zeros take more than 2147483647 bytes in all");
    assert_null(again);
    nnm_graph_free(graph);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_zeros_are_small_and_read_back),
        cmocka_unit_test(no_changed_byte_brings_the_reader_down),
        cmocka_unit_test(zeros_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
