nnm_add_unit_test(config nnm_config)
nnm_add_unit_test(budget nnm_config)
