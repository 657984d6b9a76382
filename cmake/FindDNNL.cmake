# Finds oneDNN with its C interface of version 2 (the CMake files that Debian ships with it ask for OpenCL headers, which
# we do not need). Defines the target DNNL::DNNL and the variable DNNL_FOUND.

find_path(DNNL_INCLUDE_DIR NAMES dnnl.h)
find_library(DNNL_LIBRARY NAMES dnnl)

set(DNNL_VERSION "")
if(DNNL_INCLUDE_DIR AND EXISTS "${DNNL_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h")
    file(STRINGS "${DNNL_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h" dnnl_numbers
        REGEX "^#define DNNL_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
    string(REGEX REPLACE "[^0-9;]" "" dnnl_numbers "${dnnl_numbers}")
    string(REPLACE ";" "." DNNL_VERSION "${dnnl_numbers}")
endif()

# Callers ask for a range of versions: math modes came with 2.5, and 3.0 has another interface.
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DNNL
    REQUIRED_VARS DNNL_LIBRARY DNNL_INCLUDE_DIR VERSION_VAR DNNL_VERSION HANDLE_VERSION_RANGE)

if(DNNL_FOUND AND NOT TARGET DNNL::DNNL)
    add_library(DNNL::DNNL UNKNOWN IMPORTED)
    set_target_properties(DNNL::DNNL PROPERTIES
        IMPORTED_LOCATION "${DNNL_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${DNNL_INCLUDE_DIR}")
endif()
mark_as_advanced(DNNL_INCLUDE_DIR DNNL_LIBRARY)
