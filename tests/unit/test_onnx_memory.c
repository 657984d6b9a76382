/* Reading a model where there is not enough memory for it. */
#include "unit/testing.h"

#include <sys/resource.h>
#include <unistd.h>

#include "nnmeter/model_file.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SANITIZED
static rlim_t address_space(void)
{
    unsigned long pages = 0;
    FILE *stream = fopen("/proc/self/statm", "re");
    assert_non_null(stream);
    assert_int_equal(fscanf(stream, "%lu", &pages), 1);
    fclose(stream);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}
#endif

/* A weight of 64 MiB is there twice while it is read: as bytes of the file and as a tensor. */
static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
#ifdef SANITIZED
    skip(); /* a sanitizer needs more address space than any limit gives */
#else
    enum {
        SIDE = 4096,
        STEP_MIB = 24
    };
    nnm_error err = NNM_ERROR_INIT;
    char folder[256], path[512];
    nnm_graph *graph = NULL;
    nnm_tensor_id x, weight, y;
    float *data = calloc((size_t)SIDE * SIDE, sizeof *data);
    assert_non_null(data);
    make_folder(folder);
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
    assert_ok(nnm_graph_add_input(graph, "x", &(nnm_shape){2, {1, SIDE}}, &x, &err));
    assert_ok(nnm_graph_add_constant(graph, "weight", &(nnm_shape){2, {SIDE, SIDE}}, data, &weight, &err));
    assert_ok(nnm_graph_add_node(graph, NNM_OP_FULLY_CONNECTED, "fc", NULL, (nnm_tensor_id[]){x, weight}, 2, &y, &err));
    assert_ok(nnm_graph_mark_output(graph, y, &err));
    assert_ok(nnm_onnx_write(graph, in_folder(path, folder, "large.onnx"), &err));
    nnm_graph_free(graph);
    graph = NULL;

    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    nnm_status status = NNM_ERR_NO_MEMORY;
    size_t refused = 0;
    for (rlim_t mib = STEP_MIB; status && mib < 20 * STEP_MIB; mib += STEP_MIB) {
        limit = before;
        limit.rlim_cur = address_space() + (mib << 20);
        assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
        status = nnm_onnx_read(&graph, path, &err);
        assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
        if (status == NNM_OK) continue;
        refused++;
        assert_null(graph);
        assert_int_equal(status, NNM_ERR_NO_MEMORY);
        assert_non_null(strstr(err.message, "large.onnx"));
        assert_non_null(strstr(err.message, "out of memory"));
    }
    assert_int_equal(status, NNM_OK); /* with enough of it */
    assert_true(refused >= 4);        /* 24 and 48 MiB: for the file; 72 to 120: for what is in it */
    nnm_graph_free(graph);
    remove_folder(folder);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_runs_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
