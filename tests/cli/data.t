Short rounds that wait for nothing, so that this takes little time.

  $ nn-meter create --workspace ws 2>out
  > sed -i 's/^GATE:.*/GATE: 0/; s/^ROUNDS:.*/ROUNDS: 2/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 2/; s/^ROUND_MS:.*/ROUND_MS: 1/; s/^WARMUP_MS:.*/WARMUP_MS: 0.1/' ws/configs/backend_config.yaml
  > grep ^ROUND ws/configs/backend_config.yaml
  ROUNDS: 2
  ROUND_MS: 1

Sampling.

  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 4 --seed 7
  kernel           conv-bn-relu
  configurations   4
  file             $WORK/ws/predictor_build/results/conv-bn-relu_prior.json
  2| (nn-Meter) conv-bn-relu: 4 configurations in $WORK/ws/predictor_build/results/conv-bn-relu_prior.json
  $ head -c 60 ws/predictor_build/results/conv-bn-relu_prior.json; echo; ls ws/predictor_build/kernels | wc -l
  {
      "conv-bn-relu": {
          "6FFQUC": {
              "mod
  4
  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 2 --seed 8 --json
  {"kernel": "conv-bn-relu", "requested": 2, "configurations": 6, "failed": 0, "file": "$WORK/ws/predictor_build/results/conv-bn-relu_prior.json"}
  2| (nn-Meter) conv-bn-relu: 6 configurations in $WORK/ws/predictor_build/results/conv-bn-relu_prior.json
  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 1 --mode finegrained --mark around
  kernel           conv-bn-relu
  configurations   6
  file             $WORK/ws/predictor_build/results/conv-bn-relu_around.json
  2| (nn-Meter) conv-bn-relu: 6 configurations in $WORK/ws/predictor_build/results/conv-bn-relu_around.json
  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 1 --mode finegrained --configs ws/predictor_build/results/conv-bn-relu_around.json
  kernel           conv-bn-relu
  configurations   6
  file             $WORK/ws/predictor_build/results/conv-bn-relu_finegrained.json
  2| (nn-Meter) conv-bn-relu: 6 configurations in $WORK/ws/predictor_build/results/conv-bn-relu_finegrained.json
  $ nn-meter sample --workspace ws --kernel fc --num 2 --mark small
  kernel           fc
  configurations   2
  file             $WORK/ws/predictor_build/results/fc_small.json
  2| (nn-Meter) fc: 2 configurations in $WORK/ws/predictor_build/results/fc_small.json
  $ nn-meter sample --workspace ws --kernel fc --num 2 --mode finegrained
  2| nn-meter sample: cannot read '$WORK/ws/predictor_build/results/fc_prior.json': No such file or directory
  [1]
  $ nn-meter sample --workspace ws --kernel conv-bn-rleu --num 2
  2| nn-meter sample: there is no kernel type 'conv-bn-rleu'; did you mean 'conv-bn-relu'?
  [1]
  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 2 --mark ../up
  2| nn-meter sample: mark '../up': it becomes part of file names, so 1 to 64 letters, digits, '.', '_' and '-' are allowed
  [1]
  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 2 --mode finegrained --configs nowhere.json
  2| nn-meter sample: cannot read 'nowhere.json': No such file or directory
  [1]

Converting and profiling.

  $ nn-meter convert --workspace ws --models ws/predictor_build/results/conv-bn-relu_around.json
  kernel             converted  failed
  conv-bn-relu               6       0
  $ nn-meter convert --workspace ws --models ws/predictor_build/results/conv-bn-relu_around.json --json
  {"kernels": [{"kernel": "conv-bn-relu", "converted": 6, "failed": 0}]}
  $ nn-meter profile --workspace ws --models ws/predictor_build/results/conv-bn-relu_around.json
  kernel             profiled failed  known         time    quiet repeated  agree 5 agree 10  ceiling
  conv-bn-relu              6      0      0 * s * ~
  $ nn-meter profile --workspace ws --models ws/predictor_build/results/conv-bn-relu_around.json
  kernel             profiled failed  known         time    quiet repeated  agree 5 agree 10  ceiling
  conv-bn-relu              0      0      6 * s * ~
  $ nn-meter profile --workspace ws --models ws/predictor_build/results/conv-bn-relu_around.json --json
  {"kernels": [{"kernel": "conv-bn-relu", "requested": 6, "known": 6, "profiled": 0, "failed": 0, "noisy": 0, "elapsed_s": *, "measured_s": 0.0, "waited_s": 0.0, "quiet_share": null, "repeated": *, "agree5": *, "agree10": *, "noise_ceiling10": null, "noise_ceiling10_low": null, "noise_ceiling10_high": null}]} ~
  $ nn-meter export --kernel conv-bn-relu --configs ws/predictor_build/results/conv-bn-relu_around.json --latencies ws/predictor_build/results/profiled_conv-bn-relu.json --csv out.csv; head -1 out.csv; wc -l <out.csv
  model_path,HW,CIN,COUT,KERNEL_SIZE,STRIDES,FLOPS,PARAMS,latency
  7
  2| (nn-Meter) Wrote 6 rows to out.csv

Some kernels fail: exit status 3; all fail: 1.

  $ for f in $(ls ws/predictor_build/kernels/conv-bn-relu_prior_* | head -2); do echo bad >$f; done
  > nn-meter convert --workspace ws --models ws/predictor_build/results/conv-bn-relu_prior.json
  kernel             converted  failed
  conv-bn-relu               4       2
  2| (nn-Meter) warning: 6FFQUC: conv-bn-relu HW=1,CIN=22,COUT=121,KERNEL_SIZE=1,STRIDES=2: NNM_ERR_PARSE: $WORK/ws/predictor_build/kernels/conv-bn-relu_prior_6FFQUC.tflite: not a TensorFlow Lite model, or cut short: no file identifier at byte 4
  2| (nn-Meter) warning: 2099ST: conv-bn-relu HW=13,CIN=295,COUT=509,KERNEL_SIZE=1,STRIDES=1: NNM_ERR_PARSE: $WORK/ws/predictor_build/kernels/conv-bn-relu_prior_2099ST.tflite: not a TensorFlow Lite model, or cut short: no file identifier at byte 4
  2| (nn-Meter) warning: 2 kernels failed; the reasons stand in $WORK/ws/predictor_build/results/convert_error.log
  [3]
  $ nn-meter profile --workspace ws --models ws/predictor_build/results/conv-bn-relu_prior.json
  kernel             profiled failed  known         time    quiet repeated  agree 5 agree 10  ceiling
  conv-bn-relu              4      2      0 * s * ~
  2| (nn-Meter) warning: 2099ST: conv-bn-relu HW=13,CIN=295,COUT=509,KERNEL_SIZE=1,STRIDES=1: NNM_ERR_PARSE: $WORK/ws/predictor_build/kernels/conv-bn-relu_prior_2099ST.tflite: not a TensorFlow Lite model, or cut short: no file identifier at byte 4
  2| (nn-Meter) warning: 6FFQUC: conv-bn-relu HW=1,CIN=22,COUT=121,KERNEL_SIZE=1,STRIDES=2: NNM_ERR_PARSE: $WORK/ws/predictor_build/kernels/conv-bn-relu_prior_6FFQUC.tflite: not a TensorFlow Lite model, or cut short: no file identifier at byte 4
  2| (nn-Meter) warning: 2 kernels failed; the reasons stand in $WORK/ws/predictor_build/results/profile_error.log
  [3]
  $ for f in ws/predictor_build/kernels/fc_*; do echo bad >$f; done
  > nn-meter profile --workspace ws --models ws/predictor_build/results/fc_small.json
  kernel             profiled failed  known         time    quiet repeated  agree 5 agree 10  ceiling
  fc                        0      2      0 * s * ~
  2| (nn-Meter) warning: H9IQXK: fc CIN=3931,COUT=1017: NNM_ERR_PARSE: $WORK/ws/predictor_build/kernels/fc_small_H9IQXK.tflite: not a TensorFlow Lite model, or cut short: no file identifier at byte 4
  2| (nn-Meter) warning: T9VCCX: fc CIN=3902,COUT=1062: NNM_ERR_PARSE: $WORK/ws/predictor_build/kernels/fc_small_T9VCCX.tflite: not a TensorFlow Lite model, or cut short: no file identifier at byte 4
  2| nn-meter profile: backend 'xnnpack_cpu' failed on all 2 kernels; the first: $WORK/ws/predictor_build/kernels/fc_small_H9IQXK.tflite: not a TensorFlow Lite model, or cut short: no file identifier at byte 4
  [1]
  $ nn-meter convert --workspace ws --models ws/predictor_build/results/fc_small.json
  kernel             converted  failed
  fc                         0       2
  2| (nn-Meter) warning: H9IQXK: fc CIN=3931,COUT=1017: NNM_ERR_PARSE: $WORK/ws/predictor_build/kernels/fc_small_H9IQXK.tflite: not a TensorFlow Lite model, or cut short: no file identifier at byte 4
  2| (nn-Meter) warning: T9VCCX: fc CIN=3902,COUT=1062: NNM_ERR_PARSE: $WORK/ws/predictor_build/kernels/fc_small_T9VCCX.tflite: not a TensorFlow Lite model, or cut short: no file identifier at byte 4
  2| nn-meter convert: none of 2 models can be used by backend 'xnnpack_cpu'; the first: $WORK/ws/predictor_build/kernels/fc_small_H9IQXK.tflite: not a TensorFlow Lite model, or cut short: no file identifier at byte 4
  [1]

One kernel type fails altogether, the other does not care: 3.

  $ echo '{"relu": {"A": {"config": {"HW": 8, "CIN": 4}}}, "fc": {"B": {"config": {"CIN": 32768, "COUT": 16384}}}}' >two.json
  > nn-meter convert --workspace ws --models two.json
  kernel             converted  failed
  relu                       1       0
  fc                         0       1
  2| (nn-Meter) warning: B: fc CIN=32768,COUT=16384: NNM_ERR_VALUE: fc with CIN=32768,COUT=16384: the weight would take 2147483648 bytes; at most 2147483647 are allowed
  2| nn-meter convert: none of 1 models can be used by backend 'xnnpack_cpu'; the first: fc with CIN=32768,COUT=16384: the weight would take 2147483648 bytes; at most 2147483647 are allowed
  [3]
  $ nn-meter profile --workspace ws --models two.json
  kernel             profiled failed  known         time    quiet repeated  agree 5 agree 10  ceiling
  relu                      1      0      0 * s * ~
  fc                        0      1      0 * s * ~
  2| (nn-Meter) warning: B: fc CIN=32768,COUT=16384: NNM_ERR_VALUE: fc with CIN=32768,COUT=16384: the weight would take 2147483648 bytes; at most 2147483647 are allowed
  2| nn-meter profile: backend 'xnnpack_cpu' failed on all 1 kernels; the first: fc with CIN=32768,COUT=16384: the weight would take 2147483648 bytes; at most 2147483647 are allowed
  [3]
  $ nn-meter convert --workspace ws --models two.json --json 2>/dev/null
  {"kernels": [{"kernel": "relu", "converted": 1, "failed": 0}, {"kernel": "fc", "converted": 0, "failed": 1}]}
  [3]

Models of another kernel.

  $ nn-meter sample --workspace ws --kernel relu --num 1 --mark other 2>/dev/null | head -2
  > sed -i 's/"CIN": /"CIN": 1/' ws/predictor_build/results/relu_other.json
  > nn-meter profile --workspace ws --models ws/predictor_build/results/relu_other.json
  kernel           relu
  configurations   1
  kernel             profiled failed  known         time    quiet repeated  agree 5 agree 10  ceiling
  relu                      0      1      0 * s * ~
  2| (nn-Meter) warning: PYZXX1: relu HW=112,CIN=1208: NNM_ERR_VALUE: $WORK/ws/predictor_build/kernels/relu_other_PYZXX1.tflite: input 1 is 1 x 112 x 112 x 208, but that of relu with this configuration is 1 x 112 x 112 x 1208
  2| nn-meter profile: backend 'xnnpack_cpu' failed on all 1 kernels; the first: $WORK/ws/predictor_build/kernels/relu_other_PYZXX1.tflite: input 1 is 1 x 112 x 112 x 208, but that of relu with this configuration is 1 x 112 x 112 x 1208
  [1]

Some configurations make no model: 3.

  $ nn-meter create --workspace wide 2>out; sed -i 's/^BATCH_SIZE:.*/BATCH_SIZE: 4096/' wide/configs/predictorbuild_config.yaml
  > nn-meter sample --workspace wide --kernel bn --num 5 --json
  {"kernel": "bn", "requested": 5, "configurations": 4, "failed": 1, "file": "$WORK/wide/predictor_build/results/bn_prior.json"}
  2| (nn-Meter) warning: N75Q84: bn HW=28,CIN=1146,BATCH=4096: NNM_ERR_VALUE: batch size 4096: bn with HW=28,CIN=1146: the input would take 14720434176 bytes; at most 2147483647 are allowed
  2| (nn-Meter) bn: 4 configurations in $WORK/wide/predictor_build/results/bn_prior.json; failures in generate_error.log
  2| (nn-Meter) warning: 1 kernels failed; the reasons stand in $WORK/wide/predictor_build/results/generate_error.log
  [3]

Bad input.

  $ nn-meter profile --workspace ws --models nowhere.json
  2| nn-meter profile: cannot read 'nowhere.json': No such file or directory
  [1]
  $ nn-meter profile --workspace ws --models . 
  2| nn-meter profile: cannot read '.': Is a directory
  [1]
  $ echo '{"conv-bn-relu": {' >bad.json; nn-meter profile --workspace ws --models bad.json
  2| nn-meter profile: bad.json:2:1: string or '}' expected near end of file; the '{' in line 1, column 18 is not closed
  [1]
  $ echo '{"mykernel": {}}' >other.json; nn-meter profile --workspace ws --models other.json
  2| nn-meter profile: other.json holds no kernel type of those that --list-kernels shows; it has mykernel
  [1]
  $ nn-meter convert --workspace ws --models other.json --json
  2| nn-meter convert: other.json holds no kernel type of those that --list-kernels shows; it has mykernel
  [1]
  $ nn-meter profile --workspace ws --backend nothing --models ws/predictor_build/results/fc_small.json
  2| nn-meter profile: there is no backend 'nothing'; known are: *xnnpack_cpu* ~
  [1]
  $ nn-meter export --kernel conv-bn-relu --configs ws/predictor_build/results/conv-bn-relu_prior.json --csv out.csv
  2| nn-meter export: no configuration of conv-bn-relu has a latency: the files have 6 configurations and 0 latencies
  [1]
  $ nn-meter export --kernel conv-bn-relu --configs nowhere.json --csv out.csv
  2| nn-meter export: cannot read 'nowhere.json': No such file or directory
  [1]
  $ nn-meter export --kernel fc --configs ws/predictor_build/results/conv-bn-relu_prior.json --csv out.csv
  2| nn-meter export: ws/predictor_build/results/conv-bn-relu_prior.json: no entry for 'fc'; the file has: conv-bn-relu
  [1]
  $ nn-meter train --kernel dwconv-bn-relu --workspace ws -o p.nnm
  2| nn-meter train: there is no dwconv-bn-relu_*.json in $WORK/ws/predictor_build/results; 'nn-meter sample' makes one
  [1]
  $ nn-meter adapt --workspace ws --kernel dwconv-bn-relu
  2| nn-meter adapt: there is no dwconv-bn-relu_*.json in $WORK/ws/predictor_build/results; 'nn-meter sample' makes one
  [1]
