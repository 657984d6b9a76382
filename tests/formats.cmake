nnm_add_unit_test(onnx nnm_formats nnm_kernels)
target_include_directories(test_onnx SYSTEM PRIVATE "${PROJECT_BINARY_DIR}/generated/onnx_pb")

# What ONNX itself says about our files, and what we say about files made by ONNX.
if(PYTHON3)
    add_test(NAME integration.onnx
        COMMAND "${PYTHON3}" "${CMAKE_CURRENT_SOURCE_DIR}/integration/check_onnx.py" $<TARGET_FILE:test_onnx>)
    set_tests_properties(integration.onnx PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()
