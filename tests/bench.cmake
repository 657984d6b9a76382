nnm_add_unit_test(protocol nnm_bench)
nnm_add_unit_test(worker nnm_bench)
nnm_add_unit_test(machine nnm_bench)
nnm_add_unit_test(state nnm_bench)
