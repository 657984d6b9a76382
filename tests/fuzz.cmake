# Fuzzers: fuzz/fuzz_NAME.c with inputs to begin with in fuzz/corpus/NAME. Each is a test that feeds it its corpus and a
# few mutations of it, and with NNM_FUZZ a libFuzzer program, to be run with e.g.
# build-fuzz/tests/fuzz_onnx -max_total_time=60 tests/fuzz/corpus/onnx
if(NNM_FUZZ)
    # Set here for every room: the compiler adds the coverage that the fuzzer steers by.
    target_compile_options(nnm_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# nnm_add_fuzz_target(NAME MUTATIONS ROOMS...)
function(nnm_add_fuzz_target name mutations)
    add_executable(replay_${name} fuzz/fuzz_${name}.c fuzz/replay.c)
    target_link_libraries(replay_${name} PRIVATE ${ARGN})
    add_test(NAME fuzz.${name} COMMAND replay_${name} "${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name}" ${mutations})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 600)
    if(NNM_FUZZ)
        add_executable(fuzz_${name} fuzz/fuzz_${name}.c)
        target_link_libraries(fuzz_${name} PRIVATE ${ARGN})
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    endif()
endfunction()

nnm_add_fuzz_target(onnx 20000 nnm_formats)
nnm_add_fuzz_target(tflite 20000 nnm_formats)
nnm_add_fuzz_target(predictor 2000 nnm_learn)
nnm_add_fuzz_target(kernel_data 20000 nnm_store)
nnm_add_fuzz_target(yaml 500 nnm_config)
