nnm_add_unit_test(report nnm_report)
target_link_libraries(test_report PRIVATE PkgConfig::JANSSON)

# The page in a browser: that its script runs, draws every chart and lets nothing of a file run.
find_program(NNM_CHROMIUM NAMES chromium chromium-browser google-chrome)
if(PYTHON3)
    add_test(NAME integration.report COMMAND "${PYTHON3}" "${CMAKE_CURRENT_SOURCE_DIR}/integration/check_report.py"
        $<TARGET_FILE:test_report> "${NNM_CHROMIUM}")
    set_tests_properties(integration.report PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()
