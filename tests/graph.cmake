nnm_add_unit_test(graph nnm_graph)
