# What happens when the program, its worker, the disk or the runtime fails: the command line is run and made to suffer.
# The runtime is a library of our own that does what model files are called.
if(TARGET nn-meter AND PYTHON3)
    add_library(wild_runtime MODULE integration/wild_runtime.c)
    target_link_libraries(wild_runtime PRIVATE nnm_flags)
    target_include_directories(wild_runtime PRIVATE "${PROJECT_SOURCE_DIR}/src")

    if(NNM_SANITIZE)
        set(arguments_runtime --sanitized)
    endif()
    foreach(name IN ITEMS kill disk runtime)
        add_test(NAME robust.${name} COMMAND "${PYTHON3}" "${CMAKE_CURRENT_SOURCE_DIR}/integration/robust_${name}.py"
            $<TARGET_FILE:nn-meter> $<TARGET_FILE:wild_runtime> ${arguments_${name}})
        set_tests_properties(robust.${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
        nnm_test_measures(robust.${name})
    endforeach()

    add_test(NAME robust.nodes COMMAND "${PYTHON3}" "${CMAKE_CURRENT_SOURCE_DIR}/integration/robust_nodes.py"
        $<TARGET_FILE:nn-meter>)
    set_tests_properties(robust.nodes PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
    nnm_test_measures(robust.nodes)
endif()
