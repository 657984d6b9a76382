/* ONNX Runtime computes what the graph says: compared with a plain interpreter in double precision, through model
 * files; and what cannot be loaded is refused with a reason. */
#include "unit/testing.h"

#include <dirent.h>
#include <math.h>

#include "backends/onnxruntime_session.h"
#include "base/file.h"
#include "base/rng.h"
#include "nnmeter/backend.h"
#include "nnmeter/kernel.h"
#include "nnmeter/measure.h"
#include "nnmeter/model_file.h"
#include "unit/first_session.h"
#include "unit/test_reference_interpreter.h"

static char folder[256];
static char path[512];
static const nnm_backend *backend;
static const nnm_session_options one_thread = {.threads = 1};
static nnm_backend_info found;

static void need_runtime(void)
{
    if (!found.available) skip();
}

static size_t count_entries(const char *of_folder)
{
    size_t count = 0;
    DIR *stream = opendir(of_folder);
    assert_non_null(stream);
    while (readdir(stream))
        count++;
    closedir(stream);
    return count;
}

/* ---- graphs ---- */

static float *random_floats(size_t count, uint64_t stream)
{
    float *data = malloc(count * sizeof *data);
    assert_non_null(data);
    nnm_rng rng;
    nnm_rng_init(&rng, 7, stream);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(2.0 * nnm_rng_uniform(&rng) - 1.0);
    return data;
}

static nnm_graph *kernel_graph(const char *name, const char *text, int64_t batch_size)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_kernel_config config;
    nnm_graph *graph = NULL;
    nnm_graph_options options = {.layout = NNM_LAYOUT_NCHW, .batch_size = batch_size, .seed = 11};
    assert_ok(nnm_kernel_find(&kernel, name, &err));
    assert_ok(nnm_kernel_config_parse(&config, kernel, text, &err));
    assert_ok(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err));
    return graph;
}

static void write_model(nnm_graph *graph)
{
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_onnx_write(graph, path, &err));
    nnm_graph_free(graph);
}

static void write_small_model(void)
{
    write_model(kernel_graph("conv-bn-relu", "HW=9,CIN=8,COUT=12,KERNEL_SIZE=3,STRIDES=1", 1));
}

static int set_up(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    make_folder(folder);
    in_folder(path, folder, "model.onnx");
    assert_ok(nnm_backend_find(&backend, "onnxruntime_cpu", &err));
    nnm_backend_probe(backend, NULL, &found);
    if (!found.available) {
        print_message("tests that need the runtime are skipped: %s\n", found.why_not);
        return 0;
    }
    write_small_model();
    open_first_session(backend, path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

/* x -> 1x1 convolution -> y */
static nnm_tensor_id add_convolution(nnm_graph *graph, const char *name, nnm_tensor_id x, int64_t cin, int64_t cout)
{
    nnm_error err = NNM_ERROR_INIT;
    char weight_name[64];
    nnm_shape shape = {4, {cout, cin, 1, 1}};
    nnm_attributes one = {.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .groups = 1};
    nnm_tensor_id inputs[2] = {x}, y;
    snprintf(weight_name, sizeof weight_name, "%.40s.weight", name);
    float *data = random_floats((size_t)(cin * cout), (uint64_t)(cin + cout));
    assert_ok(nnm_graph_add_constant(graph, weight_name, &shape, data, &inputs[1], &err));
    assert_ok(nnm_graph_add_node(graph, NNM_OP_CONV, name, &one, inputs, 2, &y, &err));
    return y;
}

/* Two inputs of different shapes, and three outputs, one of which another node reads too. */
static nnm_graph *forked_graph(void)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_tensor_id a, b, y;
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
    assert_ok(nnm_graph_add_input(graph, "a", &(nnm_shape){4, {1, 3, 5, 7}}, &a, &err));
    assert_ok(nnm_graph_add_input(graph, "b", &(nnm_shape){4, {2, 5, 4, 4}}, &b, &err));
    a = add_convolution(graph, "first", a, 3, 4);
    b = add_convolution(graph, "second", b, 5, 2);
    assert_ok(nnm_graph_add_node(graph, NNM_OP_RELU, "relu", NULL, &a, 1, &y, &err));
    assert_ok(nnm_graph_mark_output(graph, b, &err));
    assert_ok(nnm_graph_mark_output(graph, y, &err));
    assert_ok(nnm_graph_mark_output(graph, a, &err));
    return graph;
}

/* ---- comparing ---- */

static void assert_output_agrees(nnm_session *session, const nnm_graph *graph, const char *name,
                                 const float *const *inputs, size_t index)
{
    nnm_error err = NNM_ERROR_INIT;
    size_t count = interpreter_count(graph, nnm_graph_output(graph, index));
    float *got = malloc(count * sizeof *got);
    assert_non_null(got);
    double *expected = interpret(graph, inputs, index);
    assert_ok(backend->get_output(session, index, got, count, &err));
    double worst = 0.0, largest = 0.0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(expected[i]));
        worst = fmax(worst, isfinite(got[i]) ? fabs((double)got[i] - expected[i]) : (double)INFINITY);
    }
    assert_true(largest > 0.0);
    if (!(worst <= 1e-4 * largest)) fail_msg("%s, output %zu: off by %g of %g", name, index, worst, largest);
    free(expected);
    free(got);
}

/* Sets every input, runs twice with different numbers, and compares every output. Frees the graph. */
static void assert_graph_agrees(nnm_graph *graph, const char *name, const nnm_session_options *options)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    assert_ok(backend->supports(backend, graph, &err));
    assert_ok(nnm_onnx_write(graph, path, &err));
    assert_ok(backend->open(backend, &session, path, options, &err));
    for (uint64_t repeat = 0; repeat < 2; repeat++) {
        float *inputs[4] = {NULL};
        assert_true(nnm_graph_input_count(graph) <= 4);
        for (size_t i = 0; i < nnm_graph_input_count(graph); i++) {
            size_t count = interpreter_count(graph, nnm_graph_input(graph, i));
            inputs[i] = random_floats(count, 100 * repeat + i);
            assert_ok(backend->set_input(session, i, inputs[i], count, &err));
        }
        assert_ok(backend->run(session, &err));
        for (size_t i = 0; i < nnm_graph_output_count(graph); i++)
            assert_output_agrees(session, graph, name, (const float *const *)inputs, i);
        for (size_t i = 0; i < 4; i++)
            free(inputs[i]);
    }
    backend->close(session);
    nnm_graph_free(graph);
}

static void computes_what_kernels_say(void **state)
{
    (void)state;
    need_runtime();
    const struct {
        const char *kernel, *config;
        int64_t batch_size;
    } cases[] = {
        {"conv-bn-relu", "HW=14,CIN=8,COUT=16,KERNEL_SIZE=3,STRIDES=1", 1},
        {"conv-bn-relu", "HW=13,CIN=3,COUT=17,KERNEL_SIZE=7,STRIDES=2", 1},
        {"conv-bn-relu", "HW=1,CIN=19,COUT=33,KERNEL_SIZE=3,STRIDES=1", 1},
        {"conv-bn-relu", "HW=15,CIN=5,COUT=6,KERNEL_SIZE=1,STRIDES=4", 3},
        {"dwconv-bn-relu", "HW=14,CIN=16,KERNEL_SIZE=3,STRIDES=1", 1},
        {"dwconv-bn-relu", "HW=11,CIN=13,KERNEL_SIZE=5,STRIDES=2", 2},
        {"dwconv-bn-relu", "HW=9,CIN=7,KERNEL_SIZE=7,STRIDES=1", 1},
        {"fc", "CIN=64,COUT=10", 1},
        {"fc", "CIN=37,COUT=101", 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s %s", cases[i].kernel, cases[i].config);
        assert_graph_agrees(kernel_graph(cases[i].kernel, cases[i].config, cases[i].batch_size), name, &one_thread);
    }
}

static void several_inputs_and_outputs(void **state)
{
    (void)state;
    need_runtime();
    assert_graph_agrees(forked_graph(), "fork", &one_thread);
}

static void options_change_nothing_that_is_computed(void **state)
{
    (void)state;
    need_runtime();
    const char *config = "HW=14,CIN=8,COUT=16,KERNEL_SIZE=3,STRIDES=1";
    for (int level = NNM_OPTIMIZATION_ALL; level <= NNM_OPTIMIZATION_DISABLE; level++) {
        nnm_session_options options = {.threads = 1, .optimization = (nnm_optimization)level};
        assert_graph_agrees(kernel_graph("conv-bn-relu", config, 1), "other optimisation", &options);
    }
    nnm_session_options three = {.threads = 3};
    assert_graph_agrees(kernel_graph("conv-bn-relu", config, 1), "three threads", &three);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    need_runtime();
    nnm_error err;
    nnm_session *session = NULL;
    write_small_model();
    nnm_session_options options = {.threads = 0};
    assert_fails(backend->open(backend, &session, path, &options, &err), NNM_ERR_VALUE,
                 "threads is 0, must be from 1 to 256");
    options = (nnm_session_options){.threads = 1, .optimization = (nnm_optimization)4};
    assert_fails(backend->open(backend, &session, path, &options, &err), NNM_ERR_VALUE,
                 "optimization is 4, must be from 0 to 3");
    assert_null(session);
}

/* ---- inputs hold fixed values until they are set ---- */

static void sessions_begin_alike(void **state)
{
    (void)state;
    need_runtime();
    nnm_error err = NNM_ERROR_INIT;
    float out[2][12 * 9 * 9];
    write_small_model();
    for (size_t i = 0; i < 2; i++) {
        nnm_session *session = NULL;
        assert_ok(backend->open(backend, &session, path, &one_thread, &err));
        assert_ok(backend->run(session, &err));
        assert_ok(backend->get_output(session, 0, out[i], 12 * 9 * 9, &err));
        backend->close(session);
    }
    assert_memory_equal(out[0], out[1], sizeof out[0]);
    float largest = 0;
    for (size_t i = 0; i < 12 * 9 * 9; i++)
        largest = fmaxf(largest, out[0][i]);
    assert_true(largest > 0.01F);
}

static void inputs_are_not_zero_at_first(void **state)
{
    (void)state;
    need_runtime();
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    float at_first[12 * 9 * 9], of_zeros[12 * 9 * 9], zeros[8 * 9 * 9] = {0};
    write_small_model();
    assert_ok(backend->open(backend, &session, path, &one_thread, &err));
    assert_ok(backend->run(session, &err));
    assert_ok(backend->get_output(session, 0, at_first, 12 * 9 * 9, &err));
    assert_ok(backend->set_input(session, 0, zeros, 8 * 9 * 9, &err));
    assert_ok(backend->run(session, &err));
    assert_ok(backend->get_output(session, 0, of_zeros, 12 * 9 * 9, &err));
    assert_memory_not_equal(at_first, of_zeros, sizeof at_first);
    backend->close(session);
}

static void sessions_do_not_disturb_each_other(void **state)
{
    (void)state;
    need_runtime();
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *first = NULL, *second = NULL;
    nnm_graph *graph = kernel_graph("fc", "CIN=37,COUT=11", 1);
    assert_ok(nnm_onnx_write(graph, path, &err));
    assert_ok(backend->open(backend, &first, path, &one_thread, &err));
    assert_ok(backend->open(backend, &second, path, &one_thread, &err));
    backend->close(first);
    float *input = random_floats(37, 3);
    assert_ok(backend->set_input(second, 0, input, 37, &err));
    assert_ok(backend->run(second, &err));
    assert_output_agrees(second, graph, "second session", (const float *const[]){input}, 0);
    backend->close(second);
    backend->close(NULL);
    free(input);
    nnm_graph_free(graph);
}

/* ---- what is refused ---- */

static void wrong_sizes_are_refused(void **state)
{
    (void)state;
    need_runtime();
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    float few[4] = {0};
    write_small_model();
    assert_ok(backend->open(backend, &session, path, &one_thread, &err));
    assert_fails(backend->set_input(session, 1, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "no input 1; the model has 1");
    assert_fails(backend->set_input(session, 0, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "has 648 values, not 4");
    assert_fails(backend->get_output(session, 7, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "no output 7");
    assert_fails(backend->get_output(session, 0, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "has 972 values, not 4");
    backend->close(session);
}

static void damaged_models_are_refused(void **state)
{
    (void)state;
    need_runtime();
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    char *bytes = NULL, other[512];
    size_t size = 0;
    write_small_model();
    assert_ok(nnm_file_read(path, &bytes, &size, &err));
    in_folder(other, folder, "damaged.onnx");
    const size_t kept[] = {0, 1, size / 2, size - 1};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        err = (nnm_error)NNM_ERROR_INIT;
        assert_ok(nnm_file_write(other, bytes, kept[i], &err));
        assert_fails(backend->open(backend, &session, other, &one_thread, &err), NNM_ERR_BACKEND,
                     "damaged.onnx: ONNX Runtime cannot load the model: ");
    }
    free(bytes);
    assert_fails(backend->open(backend, &session, in_folder(other, folder, "missing.onnx"), &one_thread, &err),
                 NNM_ERR_NOT_FOUND, "missing.onnx");
    assert_fails(backend->open(backend, &session, folder, &one_thread, &err), NNM_ERR_BACKEND, "cannot load the model");
    assert_null(session);
}

static void models_that_cannot_be_fed_are_refused(void **state)
{
    (void)state;
    need_runtime();
    nnm_error err;
    nnm_session *session = NULL;
    assert_fails(backend->open(backend, &session, NNM_TEST_DATA "/onnx/open_dimension.onnx", &one_thread, &err),
                 NNM_ERR_UNSUPPORTED, "open_dimension.onnx: input 0 has a dimension that is not fixed");
    assert_fails(backend->open(backend, &session, NNM_TEST_DATA "/onnx/whole_numbers.onnx", &one_thread, &err),
                 NNM_ERR_UNSUPPORTED, "whole_numbers.onnx: input 0 does not hold 32-bit floats");
    assert_fails(backend->open(backend, &session, NNM_TEST_DATA "/onnx/rank_7.onnx", &one_thread, &err),
                 NNM_ERR_UNSUPPORTED, "rank_7.onnx: input 0 has too many dimensions");
}

static void graphs_of_the_other_layout_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NHWC, &err));
    assert_fails(backend->supports(backend, graph, &err), NNM_ERR_UNSUPPORTED, "the graph is NHWC");
    nnm_graph_free(graph);
}

/* ---- the library ---- */

static nnm_status open_with(const char *library, nnm_error *err)
{
    nnm_session *session = NULL;
    nnm_session_options options = {.threads = 1, .library_path = library};
    nnm_status status = backend->open(backend, &session, path, &options, err);
    backend->close(session);
    return status;
}

static void libraries_that_do_not_serve_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char other[512];
    write_small_model();
    assert_fails(open_with(in_folder(other, folder, "missing.so"), &err), NNM_ERR_NOT_FOUND, "missing.so");
    assert_fails(open_with(path, &err), NNM_ERR_UNSUPPORTED, "cannot load ONNX Runtime: ");
    assert_fails(open_with("libm.so.6", &err), NNM_ERR_UNSUPPORTED,
                 "'libm.so.6' is not ONNX Runtime: it has no OrtGetApiBase");
    assert_fails(open_with(STUB_OLD, &err), NNM_ERR_VERSION,
                 "is ONNX Runtime 1.9.0; 1.10 or newer is needed for ONNX files of IR version 8");
    assert_fails(open_with(STUB_UNKNOWN, &err), NNM_ERR_VERSION, "is ONNX Runtime none; 1.10 or newer is needed");
    assert_fails(open_with(STUB_OTHER, &err), NNM_ERR_VERSION, "does not offer version 10 of its interface");
}

static void probing_says_why_not(void **state)
{
    (void)state;
    nnm_error err;
    nnm_backend_info info = {0};
    nnm_worker *worker = NULL;
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    nnm_session_options options = {.threads = 1, .library_path = STUB_OLD};
    nnm_backend_probe(backend, &options, &info);
    assert_false(info.available);
    assert_string_equal(info.version, "");
    assert_non_null(strstr(info.why_not, "1.10 or newer is needed"));
    assert_fails(nnm_worker_start(&worker, backend, &options, &protocol, &err), NNM_ERR_UNSUPPORTED,
                 "backend 'onnxruntime_cpu' is not available: ");
}

static void probing_tells_the_version(void **state)
{
    (void)state;
    need_runtime();
    assert_true(found.version[0] == '1' && found.version[1] == '.');
    nnm_backend_info info = {0};
    nnm_backend_probe(backend, &one_thread, &info);
    assert_true(info.available);
    assert_string_equal(info.version, found.version);
}

/* ---- processes ---- */

static void measure_in_worker(unsigned threads)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_worker *worker = NULL;
    nnm_round round;
    char missing[512];
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    protocol.find_s = 0.05;
    nnm_session_options options = {.threads = threads};
    assert_ok(nnm_worker_start(&worker, backend, &options, &protocol, &err));
    for (int i = 0; i < 2; i++) {
        assert_ok(nnm_worker_measure(worker, path, &round, &err));
        assert_true(round.estimate_ns > 100.0); /* 70,000 multiply-adds take longer than that anywhere */
        assert_true(round.open_ns > 0.0);
    }
    assert_fails(nnm_worker_measure(worker, in_folder(missing, folder, "missing.onnx"), &round, &err),
                 NNM_ERR_NOT_FOUND, "missing.onnx");
    nnm_worker_stop(worker);
}

static void is_measured_in_a_worker(void **state)
{
    (void)state;
    need_runtime();
    write_small_model();
    measure_in_worker(1);
    measure_in_worker(2);
}

/* The library is loaded by now; that starts nothing, and a session that was closed leaves nothing behind. */
static void forks_well_after_sessions_of_its_own(void **state)
{
    (void)state;
    need_runtime();
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    nnm_session_options three = {.threads = 3};
    size_t before = count_entries("/proc/self/task");
    write_small_model();
    assert_ok(backend->open(backend, &session, path, &three, &err));
    assert_ok(backend->run(session, &err));
    assert_int_equal(count_entries("/proc/self/task"), before + 2);
    backend->close(session);
    assert_int_equal(count_entries("/proc/self/task"), before);
    measure_in_worker(2);
}

/* ---- where the time goes ---- */

static void tells_the_time_of_nodes(void **state)
{
    (void)state;
    need_runtime();
    nnm_error err = NNM_ERROR_INIT;
    nnm_node_time *nodes = NULL;
    size_t count = 0, entries = count_entries(folder);
    nnm_session_options plain = {.threads = 1, .optimization = NNM_OPTIMIZATION_DISABLE};
    write_small_model();
    entries = count_entries(folder);
    assert_ok(nnm_ort_profile_nodes(&nodes, &count, path, &plain, 5, folder, &err));
    assert_int_equal(count, 3);
    assert_string_equal(nodes[0].op, "Conv");
    assert_string_equal(nodes[1].op, "BatchNormalization");
    assert_string_equal(nodes[2].op, "Relu");
    for (size_t i = 0; i < count; i++) {
        assert_true(nodes[i].name[0] != '\0');
        assert_true(nodes[i].mean_ns >= 0.0);
    }
    free(nodes);
    nnm_session_options basic = {.threads = 1, .optimization = NNM_OPTIMIZATION_EXTENDED};
    assert_ok(nnm_ort_profile_nodes(&nodes, &count, path, &basic, 1, folder, &err));
    assert_int_equal(count, 1);
    assert_string_equal(nodes[0].op, "FusedConv");
    free(nodes);
    assert_int_equal(count_entries(folder), entries);
    nodes = NULL;
    assert_fails(nnm_ort_profile_nodes(&nodes, &count, path, &basic, 0, folder, &err), NNM_ERR_INVALID_ARGUMENT,
                 "0 runs");
    assert_fails(nnm_ort_profile_nodes(&nodes, &count, "/nowhere.onnx", &basic, 1, folder, &err), NNM_ERR_NOT_FOUND,
                 "/nowhere.onnx");
    assert_fails(nnm_ort_profile_nodes(&nodes, &count, path, &basic, 1, "/nowhere", &err), NNM_ERR_NOT_FOUND,
                 "/nowhere");
    assert_null(nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computes_what_kernels_say),
        cmocka_unit_test(several_inputs_and_outputs),
        cmocka_unit_test(options_change_nothing_that_is_computed),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(sessions_begin_alike),
        cmocka_unit_test(inputs_are_not_zero_at_first),
        cmocka_unit_test(sessions_do_not_disturb_each_other),
        cmocka_unit_test(wrong_sizes_are_refused),
        cmocka_unit_test(damaged_models_are_refused),
        cmocka_unit_test(models_that_cannot_be_fed_are_refused),
        cmocka_unit_test(graphs_of_the_other_layout_are_refused),
        cmocka_unit_test(libraries_that_do_not_serve_are_refused),
        cmocka_unit_test(probing_says_why_not),
        cmocka_unit_test(probing_tells_the_version),
        cmocka_unit_test(is_measured_in_a_worker),
        cmocka_unit_test(forks_well_after_sessions_of_its_own),
        cmocka_unit_test(tells_the_time_of_nodes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
