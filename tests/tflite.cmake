nnm_add_unit_test(tflite nnm_formats nnm_kernels)
nnm_add_unit_test(zero_weights nnm_formats nnm_kernels)
nnm_add_unit_test(tflite_files nnm_formats nnm_kernels)

# What TensorFlow Lite itself computes with our files. Its packages come from npm, into the build folder.
add_test(NAME integration.tflite
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/integration/tflite/run.sh" $<TARGET_FILE:test_tflite>
        "${PROJECT_BINARY_DIR}/litert")
set_tests_properties(integration.tflite PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
