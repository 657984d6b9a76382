# Tests of the code base itself: that the house is built the way docs and design say it is.
if(NOT PYTHON3)
    message(FATAL_ERROR "The tests need /usr/bin/python3: call scripts/setup.sh --test, or configure with -DNNM_TESTS=OFF")
endif()
set(house "${CMAKE_CURRENT_SOURCE_DIR}/house")

add_test(NAME house.includes COMMAND ${PYTHON3} ${house}/includes.py "${PROJECT_SOURCE_DIR}")
add_test(NAME house.tidiness COMMAND ${PYTHON3} ${house}/tidiness.py "${PROJECT_SOURCE_DIR}")
add_test(NAME house.headers
    COMMAND ${house}/headers.sh "${PROJECT_SOURCE_DIR}/include" "${CMAKE_C_COMPILER}" "${CMAKE_CXX_COMPILER}")
add_test(NAME house.exports COMMAND ${PYTHON3} ${house}/exports.py "${PROJECT_SOURCE_DIR}/include"
    $<TARGET_FILE:nnmeter_shared> ${CMAKE_NM})
get_property(house_rooms GLOBAL PROPERTY NNM_ROOMS)
list(TRANSFORM house_rooms REPLACE "(.+)" "$<TARGET_FILE:nnm_\\1>" OUTPUT_VARIABLE house_archives)
add_test(NAME house.names COMMAND ${PYTHON3} ${house}/names.py ${CMAKE_NM} ${house_archives})

add_test(NAME house.format COMMAND ${house}/format.sh "${PROJECT_SOURCE_DIR}")
set_tests_properties(house.format PROPERTIES SKIP_RETURN_CODE 77)

# What is installed is what was built, so sanitizers would have to be linked into the example as well: only without them.
if(NOT NNM_SANITIZE)
    add_test(NAME house.install COMMAND ${house}/install.sh "${CMAKE_COMMAND}" "${PROJECT_BINARY_DIR}"
        "${PROJECT_SOURCE_DIR}/examples" "${CMAKE_C_COMPILER}")
endif()

if(TARGET nn-meter)
    add_test(NAME house.commands COMMAND ${PYTHON3} ${house}/commands.py $<TARGET_FILE:nn-meter> "${PROJECT_SOURCE_DIR}")
    add_test(NAME house.manual COMMAND ${house}/manual.sh $<TARGET_FILE:nn-meter>)
    set_tests_properties(house.manual PROPERTIES SKIP_RETURN_CODE 77)
endif()
