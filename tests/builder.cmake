nnm_add_unit_test(table nnm_builder)
nnm_add_unit_test(labels nnm_builder)
nnm_add_unit_test(builder nnm_builder)
nnm_add_unit_test(models nnm_builder)
nnm_add_unit_test(plan nnm_builder)
nnm_test_measures(unit.builder unit.models)
nnm_add_unit_test(export_onnx nnm_builder)
nnm_add_unit_test(acquire nnm_builder)

# What ONNX itself says about exported predictors.
if(PYTHON3)
    add_test(NAME integration.predictors
        COMMAND "${PYTHON3}" "${CMAKE_CURRENT_SOURCE_DIR}/integration/check_predictors.py" $<TARGET_FILE:test_export_onnx>)
    set_tests_properties(integration.predictors PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()
