/* oneDNN the whole way: through model files, in a worker process, with as many threads as it is told. */
#include "unit/testing.h"

#include <sys/wait.h>
#include <unistd.h>

#include "nnmeter/measure.h"
#include "nnmeter/model_file.h"
#include "unit/test_onednn_graphs.h"

static char folder[256];
static char path[512];

static int set_up(void **state)
{
    (void)state;
    skip_without_onednn();
    make_folder(folder);
    in_folder(path, folder, "model.onnx");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static nnm_graph *one_conv(nnm_layout layout, int64_t cin, int64_t hw, int64_t cout)
{
    const window three = {3, 3, 1, 1, {-1}};
    nnm_graph *graph = new_graph(layout);
    nnm_tensor_id y = add_conv(graph, add_image(graph, 1, cin, hw, hw), cout, &three, 1, true);
    mark_output(graph, add_one(graph, NNM_OP_RELU, add_batch_norm(graph, y)));
    return graph;
}

static nnm_graph *file_graph(void)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = one_conv(NNM_LAYOUT_NCHW, 64, 7, 96);
    assert_ok(nnm_onnx_write(graph, path, &err));
    return graph;
}

static void test_files_and_wrong_sizes(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL, *second = NULL;
    char missing[512];
    assert_fails(backend->open(backend, &session, in_folder(missing, folder, "missing.onnx"), &one_thread, &err),
                 NNM_ERR_NOT_FOUND, "missing.onnx");
    nnm_graph *graph = file_graph();
    err = (nnm_error)NNM_ERROR_INIT;
    assert_ok(backend->open(backend, &session, path, &one_thread, &err));
    assert_ok(backend->open(backend, &second, path, &one_thread, &err));
    float few[4] = {0};
    assert_fails(backend->set_input(session, 1, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "no input 1; the model has 1");
    assert_fails(backend->set_input(session, 0, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "has 3136 values, not 4");
    assert_fails(backend->get_output(session, 7, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "no output 7");
    assert_fails(backend->get_output(session, 0, few, 4, &err), NNM_ERR_INVALID_ARGUMENT, "has 4704 values, not 4");
    backend->close(session); /* sessions do not disturb each other */
    assert_session_agrees(second, graph, "second session");
    backend->close(second);
    backend->close(NULL);
    nnm_graph_free(graph);
}

/* The format is told by the content, not by the name. */
static void test_reads_tensorflow_lite(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    nnm_graph *graph = one_conv(NNM_LAYOUT_NHWC, 3, 11, 20);
    assert_ok(nnm_tflite_write(graph, path, &err));
    assert_ok(backend->open(backend, &session, path, &one_thread, &err));
    assert_session_agrees(session, graph, "TensorFlow Lite");
    backend->close(session);
    nnm_graph_free(graph);
}

static void measure_twice(const nnm_session_options *options)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_worker *worker = NULL;
    nnm_round round;
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    protocol.find_s = 0.05;
    if (options->threads > 1) protocol.cpu = -2;
    assert_ok(nnm_worker_start(&worker, backend, options, &protocol, &err));
    for (int i = 0; i < 2; i++) {
        assert_ok(nnm_worker_measure(worker, path, &round, &err));
        assert_true(round.estimate_ns > 100.0); /* 2.7 million multiply-adds take longer than that anywhere */
        assert_true(round.open_ns > 0.0);
    }
    nnm_worker_stop(worker);
}

/* Asking whether oneDNN is here and whether it can run a graph starts no threads of OpenMP, which a forked worker would
 * wait for in vain. No session may have been opened in this process before: main() runs this first. */
static void test_is_measured_in_a_worker(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_backend_info info;
    nnm_graph *graph = file_graph();
    nnm_backend_probe(backend, NULL, &info);
    assert_ok(backend->supports(backend, graph, &err));
    nnm_graph_free(graph);
    measure_twice(&(nnm_session_options){.threads = 2});
    measure_twice(&one_thread);
}

/* Of this process. */
static size_t count_threads(void)
{
    char text[4096] = {0};
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    (void)!fread(text, 1, sizeof text - 1, file);
    fclose(file);
    const char *line = strstr(text, "Threads:");
    assert_non_null(line);
    return (size_t)strtoul(line + 8, NULL, 10);
}

/* In a process of its own, where OpenMP has no threads yet: which it has then is the exit status. */
static size_t threads_of_a_session(unsigned count)
{
    nnm_session_options options = {.threads = count};
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        nnm_graph *graph = one_conv(NNM_LAYOUT_NCHW, 32, 28, 32);
        assert_agrees(graph, "threads", &options);
        _exit((int)count_threads());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return (size_t)WEXITSTATUS(status);
}

static void test_uses_as_many_threads_as_it_is_told(void **state)
{
    (void)state;
    for (unsigned count = 1; count <= 3; count++)
        assert_int_equal(threads_of_a_session(count), count);
}

static void test_registry(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend *found = NULL;
    nnm_backend_info info;
    assert_ok(nnm_backend_find(&found, "onednn_cpu", &err));
    assert_ptr_equal(found, backend);
    assert_int_equal(backend->abi, NNM_BACKEND_ABI);
    nnm_backend_probe(backend, NULL, &info);
    assert_int_equal(strncmp(info.version, "2.", 2), 0);
    assert_true(backend->reads_onnx && backend->reads_tflite);
    assert_string_equal(info.why_not, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_is_measured_in_a_worker), /* the first two before any session of this process: see there */
        cmocka_unit_test(test_uses_as_many_threads_as_it_is_told),
        cmocka_unit_test(test_files_and_wrong_sizes),
        cmocka_unit_test(test_reads_tensorflow_lite),
        cmocka_unit_test(test_registry),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
