nnm_add_unit_test(onnxruntime nnm_backends nnm_kernels)
# What the library keeps for itself is now and then reported as a leak.
set_tests_properties(unit.onnxruntime PROPERTIES
    ENVIRONMENT "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/lsan.supp:print_suppressions=0")

# Libraries that have the entry point of ONNX Runtime, and are refused.
foreach(version IN ITEMS 1.9.0 2.0.0 none)
    add_library(onnxruntime_stub_${version} MODULE unit/onnxruntime_stub.c)
    target_include_directories(onnxruntime_stub_${version} PRIVATE "${PROJECT_SOURCE_DIR}/src")
    target_compile_definitions(onnxruntime_stub_${version} PRIVATE STUB_VERSION="${version}")
    add_dependencies(test_onnxruntime onnxruntime_stub_${version})
endforeach()
target_compile_definitions(test_onnxruntime PRIVATE
    STUB_OLD="$<TARGET_FILE:onnxruntime_stub_1.9.0>"
    STUB_OTHER="$<TARGET_FILE:onnxruntime_stub_2.0.0>"
    STUB_UNKNOWN="$<TARGET_FILE:onnxruntime_stub_none>")
