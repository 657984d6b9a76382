A kernel of one's own, from its package to a predictor. The example's package is copied, so that it can be moved.

  $ cp -r $EXAMPLES/custom-kernel-c package && cd package && sed -i "s#^package_location:.*#package_location: $PWD#" meta.yaml && cat meta.yaml
  builtin_name: mykernel
  implement: tensorflow
  package_location: $WORK/package
  class_module: kernel_script
  class_name: MyKernel
  sampler_module: config_sampler
  sampler_name: MySampler
  parser_module: feature_parser
  parser_name: MyParser
  $ nn-meter register --kernel package/meta.yaml
  (nn-Meter) Successfully register kernel: mykernel
  $ nn-meter --list-kernels | tail -2
  (nn-Meter) [Kernel] matmul
  (nn-Meter) [Kernel] * mykernel
  $ nn-meter --list-kernels --json | grep -o '"name": "mykernel".*'
  "name": "mykernel", "family": "customized", "customized": true, "default_samples": 0, "parameters": [{"name": "HW", "minimum": 1, "maximum": 4096}, {"name": "CIN", "minimum": 1, "maximum": 65536}, {"name": "COUT", "minimum": 1, "maximum": 65536}, {"name": "KERNEL_SIZE", "minimum": 1, "maximum": 31}, {"name": "STRIDES", "minimum": 1, "maximum": 16}]}]}
  $ cat ~/.nn_meter/config/registry.yaml
  # Customised kernels of this user, as nn-meter register and unregister keep them.
  kernels:
    "mykernel":
      implement: "tensorflow"
      package_location: "$WORK/package"
      class_module: "kernel_script"
      class_name: "MyKernel"
      sampler_module: "config_sampler"
      sampler_name: "MySampler"
      parser_module: "feature_parser"
      parser_name: "MyParser"
  $ nn-meter register --kernel package/meta.yaml
  2| nn-meter register: a kernel 'mykernel' is registered already, of package '$WORK/package'; choose another builtin_name, or unregister that one: nn-meter unregister --kernel mykernel
  [1]

An entry of KERNELS makes it one of the kernels that build builds. Short rounds, so that this takes little time.

  $ nn-meter create --workspace ws 2>out
  > sed -i 's/^CLOCK_GATE:.*/CLOCK_GATE: 0/; s/^ROUNDS:.*/ROUNDS: 2/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 2/; s/^ROUND_MS:.*/ROUND_MS: 1/; s/^WARMUP_MS:.*/WARMUP_MS: 0.1/; s/^GATE:.*/GATE: 0/' ws/configs/backend_config.yaml
  > printf 'IMPLEMENT: tensorflow\nKERNELS:\n  mykernel:\n    INIT_SAMPLE_NUM: 8\n    ITERATION: 1\n    PREDICTOR: random_forest\n' >ws/configs/predictorbuild_config.yaml
  $ nn-meter build --workspace ws 2>err; grep -v accuracy err
  kernel             profiled failed         time     ±5 %    ±10 %  ceiling    ±15 %    RMSPE  file
  mykernel                  8      0 * s *  $WORK/ws/predictor_build/results/predictors/mykernel_prior.nnm ~
  (nn-Meter) mykernel: 8 configurations in $WORK/ws/predictor_build/results/mykernel_prior.json
  (nn-Meter) Saved the predictor for mykernel in $WORK/ws/predictor_build/results/predictors/mykernel_prior.nnm
  (nn-Meter) labels measured twice: 8; within 5%: *; within 10%: * ~
  (nn-Meter) Iteration 0: acc10 *, error_configs number: * ~
  $ nn-meter predict --predictor ws/predictor_build/results/predictors/mykernel_prior.nnm --config HW=28,CIN=32,COUT=48,KERNEL_SIZE=3,STRIDES=1
  *.* ~
  2| (nn-Meter) warning: far outside of the training range: KERNEL_SIZE is 3, trained on 1 only

Step by step.

  $ nn-meter sample --workspace ws --kernel mykernel --num 4 --mark more 2>err
  kernel           mykernel
  configurations   4
  file             $WORK/ws/predictor_build/results/mykernel_more.json
  $ nn-meter convert --workspace ws --models ws/predictor_build/results/mykernel_more.json 2>err
  kernel             converted  failed
  mykernel                   4       0
  $ nn-meter profile --workspace ws --models ws/predictor_build/results/mykernel_more.json 2>err
  kernel             profiled failed  known         time    quiet repeated  agree 5 agree 10  ceiling
  mykernel                  4      0      0 * s * ~
  $ nn-meter train --workspace ws --kernel mykernel --model best --test-size 0 -o p.nnm 2>err
  kernel           mykernel
  model            best
  rows             12
  test rows        0
  labels agree     within 5 %: *, within 10 %: *, of 12 measured twice ~
  predictor        p.nnm
  $ nn-meter predict --predictor p.nnm --config HW=28,CIN=32,COUT=48,KERNEL_SIZE=3,STRIDES=1 --json 2>err
  {"latency_ms": *.*, "lower_ms": null, "upper_ms": null, "extrapolated": null} ~
  $ nn-meter sample --workspace ws --kernel mykernel --num 1 --mode finegrained --configs ws/predictor_build/results/mykernel_more.json
  kernel           mykernel
  configurations   4
  file             $WORK/ws/predictor_build/results/mykernel_finegrained.json
  2| (nn-Meter) mykernel: 4 configurations in $WORK/ws/predictor_build/results/mykernel_finegrained.json
  $ nn-meter export --kernel mykernel --configs ws/predictor_build/results/mykernel_prior.json --latencies ws/predictor_build/results/profiled_mykernel.json --csv t.csv 2>err; head -1 t.csv
  model_path,HW,CIN,COUT,KERNEL_SIZE,STRIDES,FLOPS,PARAMS,latency
  $ nn-meter train --kernel mykernel --csv t.csv --target latency --test-size 0 -o csv.nnm --json
  {"kernel": "mykernel", "model": "best", "rows": 8, "test_rows": 0, "rmse_ms": null, "rmspe": null, "acc5": null, "acc10": null, "acc15": null, "repeated": 0, "agree5": null, "agree10": null, "noise_ceiling10": null, "noise_ceiling10_low": null, "noise_ceiling10_high": null, "duplicates": 0, "skipped": 0, "predictor": "csv.nnm"}
  $ nn-meter evaluate --predictor csv.nnm --csv t.csv --target latency | head -3
  kernel           mykernel
  model            best
  rows             8
  $ nn-meter predict --predictor csv.nnm --csv t.csv 2>err | head -1
  model_path,HW,CIN,COUT,KERNEL_SIZE,STRIDES,FLOPS,PARAMS,latency,predicted_ms,lower_ms,upper_ms
  $ nn-meter predict --predictor csv.nnm --config HW=28,CIN=32,COUT=0,KERNEL_SIZE=3,STRIDES=1
  2| nn-meter predict: mykernel: COUT=0 is out of range; allowed are 1 to 65536
  [1]
  $ nn-meter export --predictor csv.nnm --onnx csv.onnx
  2| (nn-Meter) Wrote the predictor for mykernel to csv.onnx
  $ nn-meter export --rebuild --workspace ws 2>err | grep -c mykernel
  5
  $ sed -i 's/tensorflow/torch/' ws/configs/predictorbuild_config.yaml; nn-meter sample --workspace ws --kernel mykernel --num 1 --mark torch
  2| nn-meter sample: customised kernel 'mykernel' is implemented for 'tensorflow' and cannot be built for 'torch' (IMPLEMENT of the workspace)
  [1]

What stands in the way is told.

  $ nn-meter sample --workspace ws --kernel mykernl --num 1
  2| nn-meter sample: there is no kernel type 'mykernl'; did you mean 'mykernel'?
  [1]
  $ mv package moved; nn-meter sample --workspace ws --kernel mykernel --num 1
  2| nn-meter sample: customised kernel 'mykernel' cannot be loaded (put its package back, or take it out of the registry: nn-meter unregister --kernel mykernel): there is no package folder '$WORK/package' (package_location)
  [1]
  $ nn-meter --list-kernels | tail -1; nn-meter --list-kernels --json | grep -o '"name": "mykernel".*'
  (nn-Meter) [Kernel] * mykernel
  "name": "mykernel", "customized": true, "problem": "customised kernel 'mykernel' cannot be loaded (put its package back, or take it out of the registry: nn-meter unregister --kernel mykernel): there is no package folder '$WORK/package' (package_location)"}]}
  $ nn-meter predict --predictor csv.nnm --config HW=28,CIN=32,COUT=48,KERNEL_SIZE=3,STRIDES=1
  2| nn-meter predict: customised kernel 'mykernel' cannot be loaded (put its package back, or take it out of the registry: nn-meter unregister --kernel mykernel): there is no package folder '$WORK/package' (package_location)
  [1]
  $ nn-meter unregister --kernel mykernel
  (nn-Meter) Successfully unregister mykernel.
  $ nn-meter --list-kernels | tail -1
  (nn-Meter) [Kernel] matmul
  $ nn-meter unregister --kernel mykernel
  2| nn-meter unregister: no kernel 'mykernel' is registered
  [1]
  $ nn-meter unregister --kernel relu
  2| nn-meter unregister: 'relu' is a built-in kernel: it cannot be unregistered
  [1]
  $ nn-meter build --workspace ws
  2| nn-meter build: $WORK/ws/configs/predictorbuild_config.yaml:3:3: unknown kernel type 'mykernel'
  [1]
  $ sed -i 's/^class_name.*/class_name: YourKernel/' moved/meta.yaml; nn-meter register --kernel moved/meta.yaml
  2| nn-meter register: there is no package folder '$WORK/package' (package_location)
  [1]
  $ sed -i "s#^package_location:.*#package_location: $PWD/moved#" moved/meta.yaml; nn-meter register --kernel moved/meta.yaml
  2| nn-meter register: YourKernel (kernel_script.so): module '$WORK/moved/kernel_script.so' has no symbol 'YourKernel'; it has MyKernel
  [1]
  $ sed -i '/^parser_name/d' moved/meta.yaml; nn-meter register --kernel moved/meta.yaml
  2| nn-meter register: moved/meta.yaml:1: the key 'parser_name' is missing; needed are builtin_name, implement, package_location, class_module, class_name, sampler_module, sampler_name, parser_module, parser_name
  [1]
  $ echo '  mine: yes' >>~/.nn_meter/config/registry.yaml; nn-meter --list-kernels
  2| nn-meter: the registry of customised kernels is damaged; mend the file, or remove it and register the kernels again: */.nn_meter/config/registry.yaml:3:9: found 'yes', need a mapping with the keys builtin_name, implement, package_location, class_module, class_name, sampler_module, sampler_name, parser_module, parser_name ~
  [1]
  $ NN_METER_HOME=$PWD/elsewhere nn-meter --list-kernels | tail -1
  (nn-Meter) [Kernel] matmul

