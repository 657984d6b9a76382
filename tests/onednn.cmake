nnm_add_unit_test(onednn nnm_backends)
nnm_add_unit_test(onednn_session nnm_backends)

# Other processors make oneDNN choose other layouts, so that tensors have to be copied in other places; and an environment
# that allows 16-bit arithmetic changes nothing. Not every processor knows the names: oneDNN ignores those it does not.
foreach(isa IN ITEMS SSE41 AVX2 AVX512_CORE)
    add_test(NAME unit.onednn_${isa} COMMAND test_onednn)
    set_tests_properties(unit.onednn_${isa} PROPERTIES TIMEOUT 600
        ENVIRONMENT "DNNL_MAX_CPU_ISA=${isa};DNNL_DEFAULT_FPMATH_MODE=ANY")
endforeach()
set_tests_properties(unit.onednn PROPERTIES ENVIRONMENT "DNNL_DEFAULT_FPMATH_MODE=ANY")
