# Compiler settings shared by every target, and the function that declares a room of the house.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

add_library(nnm_flags INTERFACE)

function(nnm_configure_flags)
    target_compile_definitions(nnm_flags INTERFACE _GNU_SOURCE NNM_VERSION="${PROJECT_VERSION}")
    target_include_directories(nnm_flags INTERFACE
        "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src" "${PROJECT_BINARY_DIR}/generated")
    target_compile_options(nnm_flags INTERFACE
        $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
            -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wdouble-promotion>
        -fno-math-errno)
    if(NNM_WERROR)
        target_compile_options(nnm_flags INTERFACE -Werror)
    endif()
    if(NNM_SANITIZE)
        target_compile_options(nnm_flags INTERFACE
            -fsanitize=${NNM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
        target_link_options(nnm_flags INTERFACE -fsanitize=${NNM_SANITIZE})
        # clang's address sanitizer must know C++ exceptions from the start: a runtime that is loaded later throws them.
        target_link_options(nnm_flags INTERFACE -Wl,--push-state,--no-as-needed -lstdc++ -Wl,--pop-state)
    endif()
endfunction()

# nnm_add_room(NAME [DEPENDS room...] [LIBRARIES target...])
# A room is every .c file of src/NAME, as objects that both libraries and the unit tests link.
function(nnm_add_room name)
    cmake_parse_arguments(ROOM "" "" "DEPENDS;LIBRARIES" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${name}/*.c")
    if(NOT sources)
        set(sources "${PROJECT_BINARY_DIR}/generated/empty_room.c")
        file(WRITE "${sources}" "typedef int nnm_empty_room;\n")
    endif()
    add_library(nnm_${name} STATIC ${sources})
    set_target_properties(nnm_${name} PROPERTIES LINKER_LANGUAGE C)
    target_link_libraries(nnm_${name} PUBLIC nnm_flags)
    foreach(dependency IN LISTS ROOM_DEPENDS)
        target_link_libraries(nnm_${name} PUBLIC nnm_${dependency})
    endforeach()
    target_link_libraries(nnm_${name} PUBLIC ${ROOM_LIBRARIES})
    set_property(GLOBAL APPEND PROPERTY NNM_ROOMS ${name})
endfunction()
