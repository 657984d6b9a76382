foreach(name IN ITEMS onnx onnx_operators)
    nnm_add_unit_test(${name} nnm_formats nnm_kernels)
    target_include_directories(test_${name} SYSTEM PRIVATE "${PROJECT_BINARY_DIR}/generated/onnx_pb")
endforeach()
nnm_add_unit_test(onnx_memory nnm_formats)

# What ONNX itself says about our files, and what we say about files made by ONNX.
if(PYTHON3)
    add_test(NAME integration.onnx
        COMMAND "${PYTHON3}" "${CMAKE_CURRENT_SOURCE_DIR}/integration/check_onnx.py" $<TARGET_FILE:test_onnx> $<TARGET_FILE:test_onnx_operators>)
    set_tests_properties(integration.onnx PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()
