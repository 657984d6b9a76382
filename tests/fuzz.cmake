# libFuzzer targets; run one with e.g. build-fuzz/tests/fuzz_onnx -max_total_time=60 tests/fuzz/corpus/onnx
if(NNM_FUZZ)
    # Set here for every room: the compiler adds the coverage that the fuzzer steers by.
    target_compile_options(nnm_flags INTERFACE -fsanitize=fuzzer-no-link)

    function(nnm_add_fuzz_target name)
        add_executable(fuzz_${name} fuzz/fuzz_${name}.c)
        target_link_libraries(fuzz_${name} PRIVATE ${ARGN})
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    endfunction()

    nnm_add_fuzz_target(onnx nnm_formats)
    nnm_add_fuzz_target(tflite nnm_formats)
endif()
