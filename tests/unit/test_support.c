/* Backends are asked about kernel types before anything is built. */
#include "unit/testing.h"

#include "nnmeter/builder.h"

static nnm_layout seen_layout;
static size_t seen_nodes;

static nnm_status accept(const nnm_backend *self, const nnm_graph *graph, nnm_error *err)
{
    (void)self;
    (void)err;
    seen_layout = nnm_graph_layout(graph);
    seen_nodes = nnm_graph_node_count(graph);
    return NNM_OK;
}

static nnm_status refuse(const nnm_backend *self, const nnm_graph *graph, nnm_error *err)
{
    (void)self;
    (void)graph;
    if (err) {
        err->code = NNM_ERR_UNSUPPORTED;
        snprintf(err->message, sizeof err->message, "no graph is good enough");
    }
    return NNM_ERR_UNSUPPORTED;
}

static void test_every_kernel_has_an_example_in_both_layouts(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend backend = {.abi = NNM_BACKEND_ABI, .name = "accepting", .supports = accept};
    const nnm_layout layouts[] = {NNM_LAYOUT_NCHW, NNM_LAYOUT_NHWC};
    for (size_t i = 0; i < nnm_kernel_count(); i++)
        for (size_t j = 0; j < 2; j++) {
            seen_nodes = 0;
            assert_ok(nnm_backend_supports_kernel(&backend, nnm_kernel_at(i), layouts[j], &err));
            assert_true(seen_nodes > 0);
            assert_int_equal(seen_layout, layouts[j]);
        }
}

static void test_the_reason_of_a_refusal_is_the_backends(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend backend = {.abi = NNM_BACKEND_ABI, .name = "refusing", .supports = refuse};
    assert_fails(nnm_backend_supports_kernel(&backend, nnm_kernel_at(0), NNM_LAYOUT_NCHW, &err), NNM_ERR_UNSUPPORTED,
                 "no graph is good enough");
    assert_int_equal(nnm_backend_supports_kernel(&backend, nnm_kernel_at(0), NNM_LAYOUT_NCHW, NULL),
                     NNM_ERR_UNSUPPORTED);
}

static void test_xnnpack_does_the_whole_catalogue(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend *backend = NULL;
    nnm_backend_info info;
    assert_ok(nnm_backend_find(&backend, "xnnpack_cpu", &err));
    nnm_backend_probe(backend, NULL, &info);
    if (!info.available) skip();
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        assert_ok(nnm_backend_supports_kernel(backend, nnm_kernel_at(i), NNM_LAYOUT_NCHW, &err));
        assert_ok(nnm_backend_supports_kernel(backend, nnm_kernel_at(i), NNM_LAYOUT_NHWC, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kernel_has_an_example_in_both_layouts),
        cmocka_unit_test(test_the_reason_of_a_refusal_is_the_backends),
        cmocka_unit_test(test_xnnpack_does_the_whole_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
