# Finds XNNPACK and its thread pool, which ship neither pkg-config nor CMake files.
# Defines the target XNNPACK::XNNPACK and the variables XNNPACK_FOUND and XNNPACK_VERSION_TEXT. The library cannot tell its
# version, so this is that of the Debian package it comes from, or "unknown".

find_path(XNNPACK_INCLUDE_DIR NAMES xnnpack.h)
find_library(XNNPACK_LIBRARY NAMES XNNPACK)
find_library(PTHREADPOOL_LIBRARY NAMES pthreadpool)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(XNNPACK
    REQUIRED_VARS XNNPACK_LIBRARY PTHREADPOOL_LIBRARY XNNPACK_INCLUDE_DIR)

if(XNNPACK_FOUND AND NOT TARGET XNNPACK::XNNPACK)
    add_library(XNNPACK::XNNPACK UNKNOWN IMPORTED)
    set_target_properties(XNNPACK::XNNPACK PROPERTIES
        IMPORTED_LOCATION "${XNNPACK_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${XNNPACK_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES "${PTHREADPOOL_LIBRARY};m")
endif()
set(XNNPACK_VERSION_TEXT "unknown")
find_program(DPKG_QUERY dpkg-query)
if(XNNPACK_FOUND AND DPKG_QUERY AND XNNPACK_LIBRARY MATCHES "^/usr/lib/")
    execute_process(COMMAND "${DPKG_QUERY}" -W -f "\${Version}" libxnnpack-dev
        OUTPUT_VARIABLE xnnpack_package ERROR_QUIET RESULT_VARIABLE xnnpack_package_result)
    if(xnnpack_package_result EQUAL 0 AND xnnpack_package MATCHES "git([0-9][0-9][0-9][0-9])([0-9][0-9])([0-9][0-9])")
        set(XNNPACK_VERSION_TEXT "${CMAKE_MATCH_1}-${CMAKE_MATCH_2}-${CMAKE_MATCH_3} (Debian ${xnnpack_package})")
    endif()
endif()
mark_as_advanced(DPKG_QUERY XNNPACK_INCLUDE_DIR XNNPACK_LIBRARY PTHREADPOOL_LIBRARY)
