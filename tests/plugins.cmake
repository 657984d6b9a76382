# Customised kernels. Their modules call the library that is in the program.
nnm_add_unit_test(plugins nnm_builder)
set_target_properties(test_plugins PROPERTIES ENABLE_EXPORTS ON)
set(plugin_modules "${CMAKE_CURRENT_BINARY_DIR}/plugins")
foreach(module IN ITEMS parts initialiser stranger)
    add_library(test_module_${module} MODULE unit/plugins/${module}.c)
    target_include_directories(test_module_${module} PRIVATE "${PROJECT_SOURCE_DIR}/include")
    set_target_properties(test_module_${module} PROPERTIES PREFIX "" OUTPUT_NAME ${module}
        LIBRARY_OUTPUT_DIRECTORY "${plugin_modules}")
    add_dependencies(test_plugins test_module_${module})
endforeach()
add_dependencies(test_plugins example_custom-kernel-c_kernel_script example_custom-kernel-c_config_sampler
    example_custom-kernel-c_feature_parser)
target_compile_definitions(test_plugins PRIVATE NNM_TEST_MODULES="${plugin_modules}"
    NNM_EXAMPLE="${PROJECT_BINARY_DIR}/examples/custom-kernel-c")
