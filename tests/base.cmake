nnm_add_unit_test(base nnm_base)
