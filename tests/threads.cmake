# Tests of code that runs on several threads. `make test` builds and runs these once more with the thread sanitizer.
add_custom_target(threaded_tests)
foreach(name IN ITEMS base forest predictor best learn)
    if(TARGET test_${name})
        add_dependencies(threaded_tests test_${name})
        set_property(TEST unit.${name} APPEND PROPERTY LABELS threads)
    endif()
endforeach()
