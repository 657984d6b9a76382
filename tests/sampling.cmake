nnm_add_unit_test(zoo nnm_zoo_networks)
target_compile_definitions(test_zoo PRIVATE NNM_PRIOR_FOLDER="${PROJECT_SOURCE_DIR}/data/prior")
