nnm_add_unit_test(config nnm_config)
