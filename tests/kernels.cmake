nnm_add_unit_test(kernels nnm_kernels)
nnm_add_unit_test(kernel_graphs nnm_kernels)
nnm_add_unit_test(work nnm_kernels)
target_compile_definitions(test_kernels PRIVATE NNM_DOCS="${PROJECT_SOURCE_DIR}/docs")
