nnm_add_unit_test(table nnm_builder)
nnm_add_unit_test(labels nnm_builder)
nnm_add_unit_test(builder nnm_builder)
set_tests_properties(unit.builder PROPERTIES RESOURCE_LOCK machine)
