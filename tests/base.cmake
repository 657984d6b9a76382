nnm_add_unit_test(base nnm_base)
nnm_add_unit_test(files nnm_base)
