nnm_add_unit_test(kernel_data nnm_store)
nnm_add_unit_test(journal nnm_store)
nnm_add_unit_test(workspace nnm_store)
