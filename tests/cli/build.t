Short rounds that wait for nothing, and kernels without weights where any will do: so this takes little time.

  $ nn-meter create --workspace ws 2>out; sed -i 's/^GATE:.*/GATE: 0/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 5/' ws/configs/backend_config.yaml
  > sed -i 's/^ROUNDS:.*/ROUNDS: 2/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 2/; s/^ROUND_MS:.*/ROUND_MS: 1/; s/^WARMUP_MS:.*/WARMUP_MS: 0.1/' ws/configs/backend_config.yaml
  > sed -i 's/^TEST_SAMPLE_NUM:.*/TEST_SAMPLE_NUM: 0/' ws/configs/predictorbuild_config.yaml

One kernel, end to end.

  $ nn-meter build --workspace ws --backend xnnpack_cpu --kernel conv-bn-relu --num 10 --iteration 2 --finegrained-num 2 --model random_forest
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  conv-bn-relu             *      0 * s *  $WORK/ws/predictor_build/results/predictors/conv-bn-relu_finegrained1.nnm ~
  2| (nn-Meter) conv-bn-relu: 10 configurations in $WORK/ws/predictor_build/results/conv-bn-relu_prior.json
  2| (nn-Meter) Saved the predictor for conv-bn-relu in $WORK/ws/predictor_build/results/predictors/conv-bn-relu_prior.nnm
  2| (nn-Meter) training rows: *, test rows: *; rmse: * ms; rmspe: *; 5% accuracy: *; 10% accuracy: *; 15% accuracy: * ~
  2| (nn-Meter) labels measured twice: *; within 5%: *; within 10%: * ~
  2| (nn-Meter) Iteration 0: acc10 *, error_configs number: * ~
  2| (nn-Meter) conv-bn-relu: * configurations in $WORK/ws/predictor_build/results/conv-bn-relu_finegrained1.json ~
  2| (nn-Meter) Saved the predictor for conv-bn-relu in $WORK/ws/predictor_build/results/predictors/conv-bn-relu_finegrained1.nnm
  2| (nn-Meter) training rows: *, test rows: *; rmse: * ms; rmspe: *; 5% accuracy: *; 10% accuracy: *; 15% accuracy: * ~
  2| (nn-Meter) labels measured twice: *; within 5%: *; within 10%: * ~
  2| (nn-Meter) Iteration 1: acc10 *, error_configs number: * ~
  $ cd ws/predictor_build; ls . results results/*/
  .:
  kernels
  results
  |
  results:
  collection
  conv-bn-relu_finegrained1.json
  conv-bn-relu_prior.json
  predictors
  profiled_conv-bn-relu.json
  |
  results/collection/:
  Data_conv-bn-relu_finegrained1.csv
  Data_conv-bn-relu_prior.csv
  TestResult_conv-bn-relu_finegrained1.csv
  TestResult_conv-bn-relu_prior.csv
  |
  results/predictors/:
  conv-bn-relu_finegrained1.nnm
  conv-bn-relu_prior.nnm

The same again measures nothing anew.

  $ nn-meter build --workspace ws --kernel conv-bn-relu --num 10 --iteration 2 --finegrained-num 2 --model random_forest 2>err; grep Iteration err
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  conv-bn-relu              *      0 * s *  $WORK/ws/predictor_build/results/predictors/conv-bn-relu_finegrained1.nnm ~
  (nn-Meter) Iteration 0: acc10 *, error_configs number: * ~
  (nn-Meter) Iteration 1: acc10 *, error_configs number: * ~
  $ nn-meter build --workspace ws --kernel conv-bn-relu --num 10 --iteration 1 --json 2>err
  {"kernels": [{"kernel": "conv-bn-relu", "model": "best", "rows": *, "test_rows": *, "rmse_ms": *, "rmspe": *, "acc5": *, "acc10": *, "acc15": *, "repeated": *, "agree5": *, "agree10": *, "noise_ceiling10": *, "noise_ceiling10_low": *, "noise_ceiling10_high": *, "iterations": 1, "profiled": *, "failed": 0, "known": 10, "elapsed_s": *, "quiet_share": *, "predictor": "$WORK/ws/predictor_build/results/predictors/conv-bn-relu_prior.nnm"}]} ~
  $ nn-meter predict --predictor ws/predictor_build/results/predictors/conv-bn-relu_finegrained1.nnm --config HW=56,CIN=64,COUT=64,KERNEL_SIZE=3,STRIDES=1
  *.* ~

Training and adapting from what the workspace holds.

  $ nn-meter train --workspace ws --kernel conv-bn-relu --configs ws/predictor_build/results/conv-bn-relu_prior.json -o p.nnm
  kernel           conv-bn-relu
  model            best
  rows             1* ~
  test rows        2
  RMSE             * ~
  RMSPE            * ~
  within 5 %       * ~
  within 10 %      * ~
  within 15 %      * ~
  labels agree     within 5 %: *, within 10 %: *, of 1* measured twice ~
  noise ceiling    unknown: 1* labels were measured twice, 20 are needed ~
  predictor        p.nnm
  2| (nn-Meter) training rows: *, test rows: *; rmse: * ms; rmspe: *; 5% accuracy: *; 10% accuracy: *; 15% accuracy: * ~
  2| (nn-Meter) labels measured twice: *; within 5%: *; within 10%: * ~
  $ nn-meter train --workspace ws --kernel conv-bn-relu -o p.nnm --mark all | head -3
  kernel           conv-bn-relu
  model            best
  rows             1* ~
  2| (nn-Meter) Saved the predictor for conv-bn-relu in $WORK/ws/predictor_build/results/predictors/conv-bn-relu_all.nnm
  2| (nn-Meter) training rows: *, test rows: *; rmse: * ms; rmspe: *; 5% accuracy: *; 10% accuracy: *; 15% accuracy: * ~
  2| (nn-Meter) labels measured twice: *; within 5%: *; within 10%: * ~
  $ ls ws/predictor_build/results/collection
  Data_conv-bn-relu_all.csv
  Data_conv-bn-relu_finegrained1.csv
  Data_conv-bn-relu_prior.csv
  TestResult_conv-bn-relu_all.csv
  TestResult_conv-bn-relu_finegrained1.csv
  TestResult_conv-bn-relu_prior.csv
  $ nn-meter adapt --workspace ws --kernel conv-bn-relu --num 1 --mark again --model random_forest
  kernel             profiled failed         time     ±5 %    ±10 %  ceiling    ±15 %    RMSPE  file
  conv-bn-relu             *      0 * s *  $WORK/ws/predictor_build/results/predictors/conv-bn-relu_finegrained_again.nnm ~
  2| (nn-Meter) conv-bn-relu: * configurations in $WORK/ws/predictor_build/results/conv-bn-relu_finegrained_again.json ~
  2| (nn-Meter) Saved the predictor for conv-bn-relu in $WORK/ws/predictor_build/results/predictors/conv-bn-relu_finegrained_again.nnm
  2| (nn-Meter) training rows: *, test rows: *; rmse: * ms; rmspe: *; 5% accuracy: *; 10% accuracy: *; 15% accuracy: * ~
  2| (nn-Meter) labels measured twice: *; within 5%: *; within 10%: * ~
  2| (nn-Meter) finegrained_again: acc10 *, error_configs number: * ~
  $ ls ws/predictor_build/results
  collection
  conv-bn-relu_finegrained1.json
  conv-bn-relu_finegrained_again.json
  conv-bn-relu_prior.json
  predictors
  profiled_conv-bn-relu.json
  $ nn-meter adapt --workspace ws --kernel conv-bn-relu --num 1 --mark more --json --model random_forest 2>err
  {"kernel": "conv-bn-relu", "model": "random_forest", "rows": *, "test_rows": *, "rmse_ms": *, "rmspe": *, "acc5": *, "acc10": *, "acc15": *, "repeated": *, "agree5": *, "agree10": *, "noise_ceiling10": *, "noise_ceiling10_low": *, "noise_ceiling10_high": *, "iterations": 1, "profiled": *, "failed": 0, "known": 0, "elapsed_s": *, "quiet_share": *, "predictor": "$WORK/ws/predictor_build/results/predictors/conv-bn-relu_finegrained_more.nnm"} ~

All kernels of the configuration; one has too few rows to be fitted.

  $ cat >ws/configs/predictorbuild_config.yaml <<end
  > DETAIL: FALSE
  > IMPLEMENT: torch
  > BATCH_SIZE: 1
  > TEST_SAMPLE_NUM: 0
  > KERNELS:
  >   global-avgpool: {INIT_SAMPLE_NUM: 6, FINEGRAINED_SAMPLE_NUM: 1, ITERATION: 1, ERROR_THRESHOLD: 0.1}
  >   dwconv-bn-relu: {INIT_SAMPLE_NUM: 2, FINEGRAINED_SAMPLE_NUM: 1, ITERATION: 1, ERROR_THRESHOLD: 0.1}
  > end
  > nn-meter build --workspace ws 2>err; code=$?; grep '^nn-meter' err; exit $code
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  global-avgpool            *      0 * s *  $WORK/ws/predictor_build/results/predictors/global-avgpool_prior.nnm ~
  nn-meter build: dwconv-bn-relu: 2 distinct rows (0 duplicates left out) are too few to train and test on; at least 5 are needed
  nn-meter build: 1 of 2 kernel types failed (dwconv-bn-relu); the first: 2 distinct rows (0 duplicates left out) are too few to train and test on; at least 5 are needed
  [3]
  $ nn-meter build --workspace ws --json 2>err
  {"kernels": [{"kernel": "global-avgpool", "model": "best", "rows": *, "test_rows": *, "rmse_ms": *, "rmspe": *, "acc5": *, "acc10": *, "acc15": *, "repeated": *, "agree5": *, "agree10": *, "noise_ceiling10": *, "noise_ceiling10_low": *, "noise_ceiling10_high": *, "iterations": 1, "profiled": *, "failed": 0, "known": 6, "elapsed_s": *, "quiet_share": *, "predictor": "$WORK/ws/predictor_build/results/predictors/global-avgpool_prior.nnm"}, {"kernel": "dwconv-bn-relu", "error": "2 distinct rows (0 duplicates left out) are too few to train and test on; at least 5 are needed"}]} ~
  [3]
  $ sed -i '/global-avgpool:/d' ws/configs/predictorbuild_config.yaml; nn-meter build --workspace ws
  2| (nn-Meter) dwconv-bn-relu: 2 configurations in $WORK/ws/predictor_build/results/dwconv-bn-relu_prior.json
  2| nn-meter build: dwconv-bn-relu: 2 distinct rows (0 duplicates left out) are too few to train and test on; at least 5 are needed
  2| nn-meter build: 1 of 1 kernel types failed; the first: 2 distinct rows (0 duplicates left out) are too few to train and test on; at least 5 are needed
  [1]

What goes wrong.

  $ nn-meter build --workspace ws --kernel conv-bn-rleu
  2| nn-meter build: there is no kernel type 'conv-bn-rleu'; did you mean 'conv-bn-relu'?
  [1]
  $ nn-meter build --workspace ws --kernel fc --backend nothing --num 5
  2| nn-meter build: there is no backend 'nothing'; known are: *xnnpack_cpu* ~
  [1]
  $ nn-meter build --workspace ws --kernel fc --num 5 --mark 'a b'
  2| nn-meter build: mark 'a b': it becomes part of file names, so 1 to 64 letters, digits, '.', '_' and '-' are allowed
  [1]
  $ nn-meter adapt --workspace ws --kernel fc --configs nowhere.json
  2| nn-meter adapt: cannot read 'nowhere.json': No such file or directory
  [1]
  $ nn-meter train --workspace ws --kernel dwconv-bn-relu -o p.nnm
  2| nn-meter train: 2 distinct rows (0 duplicates left out) are too few to train and test on; at least 5 are needed
  [1]

Somebody else measures.

  $ flock /tmp/nnmeter-machine.lock nn-meter connect --workspace ws 2>busy; echo $?; sed 's/another profiler is/somebody is/; s/machine: .*;/machine: NAME;/' busy
  1
  nn-meter connect: somebody is measuring on this machine: NAME; two at once would spoil both, so try again when it has finished
  $ flock /tmp/nnmeter-machine.lock nn-meter doctor --json | tr ',' '\n' | grep -e noise -e lock_free
   "noise": []
   "lock_free": false
  $ flock /tmp/nnmeter-machine.lock nn-meter doctor | tail -1
  Not known: the CPUs were not watched, for that would disturb whoever profiles now.

Interrupted: what was measured is kept, and the same command goes on.

  $ sed -i 's/^ROUNDS:.*/ROUNDS: 3/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 3/; s/^ROUND_MS:.*/ROUND_MS: 400/' ws/configs/backend_config.yaml
  > nn-meter build --workspace ws --kernel conv-bn-relu --num 20 --iteration 1 --mark stop 2>err & 
  > for i in {1..40}; do grep -qs configurations err && break; sleep 0.1; done; sleep 0.5
  > kill -TERM $!; wait $!; echo $?; grep -v configurations err
  130
  (nn-Meter) Stopping; what was measured is kept. Once more ends at once.
  nn-meter build: interrupted; what was done so far is kept
  $ sed -i 's/^ROUNDS:.*/ROUNDS: 1/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 1/; s/^ROUND_MS:.*/ROUND_MS: 1/' ws/configs/backend_config.yaml
  > nn-meter build --workspace ws --kernel conv-bn-relu --num 20 --iteration 1 --mark stop 2>err
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  conv-bn-relu             *      0 * s *  $WORK/ws/predictor_build/results/predictors/conv-bn-relu_prior_stop.nnm ~

A second signal ends at once.

  $ sed -i 's/^ROUNDS:.*/ROUNDS: 3/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 3/; s/^ROUND_MS:.*/ROUND_MS: 2000/' ws/configs/backend_config.yaml
  > nn-meter build --workspace ws --kernel conv-bn-relu --num 20 --iteration 1 --mark twice 2>err &
  > for i in {1..40}; do grep -qs configurations err && break; sleep 0.1; done; sleep 0.5
  > kill -TERM $!; kill -INT $!; wait $!; echo $?; grep -v configurations err
  130
  (nn-Meter) Stopping; what was measured is kept. Once more ends at once.

On a terminal the last line shows how far the work is; it is no longer than the terminal is wide, and goes in the end.

  $ sed -i 's/^ROUNDS:.*/ROUNDS: 2/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 2/; s/^ROUND_MS:.*/ROUND_MS: 40/' ws/configs/backend_config.yaml
  > nn-meter sample --workspace ws --kernel global-avgpool --num 12 --mark wide 2>out >out
  > terminal() { script -qec "stty cols $1; TERM=$2 nn-meter profile --workspace ws --models $3" log >out; tr '\r' '\n' <log >lines; grep 'another profiler' lines >err; }
  > terminal 60 xterm ws/predictor_build/results/global-avgpool_wide.json
  > grep -o '^profile global-avgpool  [0-9]*/12' lines | head -1; grep -c ETA lines >count && [ $(cat count) -gt 1 ] && echo ETA
  > grep -c $'^\033\[K' lines
  profile global-avgpool  0/12
  ETA
  2
  $ nn-meter sample --workspace ws --kernel global-avgpool --num 5 --mark narrow 2>out >out
  > terminal() { script -qec "stty cols $1; TERM=$2 nn-meter profile --workspace ws --models $3" log >out; tr '\r' '\n' <log >lines; grep 'another profiler' lines >err; }
  > terminal 16 xterm ws/predictor_build/results/global-avgpool_narrow.json; grep -a '^profile' lines | sed 's/\x1b.*//' | awk 'length > 15'
  $ nn-meter sample --workspace ws --kernel global-avgpool --num 2 --mark dumb 2>out >out
  > script -qec "TERM=dumb nn-meter profile --workspace ws --models ws/predictor_build/results/global-avgpool_dumb.json" log >out; grep -c '^profile' log
  0
  [1]
