Builds with an independent test set, samplers, budgets and targets; on a simulated device, so that this takes no time.

  $ nn-meter create --workspace ws --backend simulated 2>err
  > sed -i 's/^ROUNDS:.*/ROUNDS: 2/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 2/' ws/configs/backend_config.yaml

The documented loop, with what it tells of itself and what is true.

  $ nn-meter build --workspace ws --kernel relu --num 24 --iteration 2 --finegrained-num 2 --test-num 6
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  relu                     *      0 * s * $WORK/ws/predictor_build/results/predictors/relu_finegrained1.nnm ~
  2| (nn-Meter) relu: 6 configurations in $WORK/ws/predictor_build/results/relu_testset.json
  2| (nn-Meter) warning: backend 'simulated' is a simulated device: its latencies are computed, they are no measurements
  2| (nn-Meter) relu: 24 configurations in $WORK/ws/predictor_build/results/relu_prior.json
  2| (nn-Meter) warning: backend 'simulated' is a simulated device: its latencies are computed, they are no measurements
  2| (nn-Meter) Saved the predictor for relu in $WORK/ws/predictor_build/results/predictors/relu_prior.nnm
  2| (nn-Meter) training rows: *, test rows: *; rmse: * ms; rmspe: *; 5% accuracy: *; 10% accuracy: *; 15% accuracy: * ~
  2| (nn-Meter) labels measured twice: *; within 5%: *; within 10%: *; ceiling of the 10% accuracy: * ~
  2| (nn-Meter) Iteration 0: acc10 *, error_configs number: * ~
  2| (nn-Meter) relu: on 6 kernels set apart: acc5 *, acc10 *, rmspe *; ceiling of acc10: * ~
  2| (nn-Meter) relu: * configurations in $WORK/ws/predictor_build/results/relu_finegrained1.json ~
  2| (nn-Meter) warning: backend 'simulated' is a simulated device: its latencies are computed, they are no measurements
  2| (nn-Meter) Saved the predictor for relu in $WORK/ws/predictor_build/results/predictors/relu_finegrained1.nnm
  2| (nn-Meter) training rows: *, test rows: *; rmse: * ms; rmspe: *; 5% accuracy: *; 10% accuracy: *; 15% accuracy: * ~
  2| (nn-Meter) labels measured twice: *; within 5%: *; within 10%: *; ceiling of the 10% accuracy: * ~
  2| (nn-Meter) Iteration 1: acc10 *, error_configs number: * ~
  2| (nn-Meter) relu: on 6 kernels set apart: acc5 *, acc10 *, rmspe *; ceiling of acc10: * ~
  2| (nn-Meter) Wrote the report $WORK/ws/predictor_build/results/report.html
  $ ls ws/predictor_build/results/collection
  Data_relu_finegrained1.csv
  Data_relu_prior.csv
  Data_relu_testset.csv
  TestResult_relu_finegrained1.csv
  TestResult_relu_prior.csv
  TestResult_relu_testset.csv

More from the prior; and where kernels teach most, under a budget.

  $ nn-meter build --workspace ws --kernel relu --num 20 --iteration 2 --test-num 6 --sampler prior 2>err; grep -e Iteration -e apart err
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  relu                     10      0 * s * $WORK/ws/predictor_build/results/predictors/relu_prior.nnm ~
  (nn-Meter) Iteration 0: acc10 *, error_configs number: * ~
  (nn-Meter) relu: on 6 kernels set apart: acc5 *, acc10 *, rmspe *; ceiling of acc10: * ~
  (nn-Meter) Iteration 1: acc10 *, error_configs number: * ~
  (nn-Meter) relu: on 6 kernels set apart: acc5 *, acc10 *, rmspe *; ceiling of acc10: * ~
  $ nn-meter build --workspace ws --kernel relu --num 20 --test-num 6 --sampler auto --budget 40 2>err; grep -e Iteration -e apart -e budget err
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  relu                     34      0 * s * $WORK/ws/predictor_build/results/predictors/relu_auto.nnm ~
  (nn-Meter) Iteration 0: acc10 *, error_configs number: * ~
  (nn-Meter) relu: on 6 kernels set apart: acc5 *, acc10 *, rmspe *; ceiling of acc10: * ~
  (nn-Meter) Iteration 1: acc10 *, error_configs number: * ~
  (nn-Meter) relu: on 6 kernels set apart: acc5 *, acc10 *, rmspe *; ceiling of acc10: * ~
  (nn-Meter) Iteration 2: acc10 *, error_configs number: * ~
  (nn-Meter) relu: on 6 kernels set apart: acc5 *, acc10 *, rmspe *; ceiling of acc10: * ~
  (nn-Meter) relu: the budget is spent
  $ nn-meter build --workspace ws --kernel relu --num 20 --test-num 6 --sampler auto --budget 40 --json 2>err
  {"kernels": [{"kernel": "relu", "model": "best", "rows": 40, "test_rows": 6, "rmse_ms": *, "rmspe": *, "acc5": *, "acc10": *, "acc15": *, "repeated": *, "agree5": *, "agree10": *, "noise_ceiling10": *, "noise_ceiling10_low": *, "noise_ceiling10_high": *, "honest": true, "self_reported": {"test_rows": 7, "rmse_ms": *, "rmspe": *, "acc5": *, "acc10": *, "acc15": *}, "estimate": {"test_rows": 17, "rmse_ms": *, "rmspe": *, "acc5": *, "acc10": *, "acc15": *}, "ended": "the budget is spent", "iterations": 3, "profiled": 0, "failed": 0, "known": 40, "elapsed_s": *, "quiet_share": *, "predictor": "$WORK/ws/predictor_build/results/predictors/relu_auto.nnm"}]} ~
  $ nn-meter build --workspace ws --kernel relu --num 20 --test-num 6 --sampler auto --budget 60 --until rmspe=1 2>err; grep reached err
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  relu                      0      0 * s * $WORK/ws/predictor_build/results/predictors/relu_auto.nnm ~
  (nn-Meter) relu: the target is reached: rmspe * by cross-validation, 1 was asked for ~

All kernel types, of which two share a predictor and one is broken.

  $ mkdir ws/tables; echo nothing >ws/tables/pooling.csv
  > sed -i '/^KERNELS/,$d; s/^TEST_SAMPLE_NUM:.*/TEST_SAMPLE_NUM: 5/' ws/configs/predictorbuild_config.yaml
  > cat >>ws/configs/predictorbuild_config.yaml <<end
  > PRIOR_DIR: tables
  > BUDGET: 90
  > SAMPLER: prior
  > KERNELS:
  >   dwconv-relu: {INIT_SAMPLE_NUM: 10}
  >   maxpool: {INIT_SAMPLE_NUM: 10}
  >   dwconv-bn-relu: {INIT_SAMPLE_NUM: 10}
  >   hswish: {INIT_SAMPLE_NUM: 20}
  > end
  > sed -i '/^SAMPLER: finegrained/d' ws/configs/predictorbuild_config.yaml
  > nn-meter build --workspace ws 2>err; code=$?; grep -e '^nn-meter' -e budget err; exit $code
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  dwconv-bn-relu           *      0 * s * $WORK/ws/predictor_build/results/predictors/dwconv-bn-relu_prior.nnm ~
  hswish                   *      0 * s * $WORK/ws/predictor_build/results/predictors/hswish_prior.nnm ~
  (nn-Meter) hswish: the budget is spent
  (nn-Meter) dwconv-bn-relu: the budget is spent
  nn-meter build: maxpool: $WORK/ws/tables/pooling.csv: the table has no rows; at least one is needed
  nn-meter build: 1 of 4 kernel types failed (maxpool); the first: $WORK/ws/tables/pooling.csv: the table has no rows; at least one is needed
  [3]
  $ ls ws/predictor_build/results/predictors
  dwconv-bn-relu_prior.nnm
  hswish_prior.nnm
  relu_auto.nnm
  relu_finegrained1.nnm
  relu_prior.nnm

What does not make sense.

  $ nn-meter build --workspace ws --kernel relu --budget abc
  2| nn-meter build: --budget: found 'abc', need a number of kernels (500) or a time (90s, 20m, 2h)
  2| Try 'nn-meter build --help'.
  [2]
  $ nn-meter build --workspace ws --until acc10=95
  2| nn-meter build: --until: target: found 'acc10=95', need acc5, acc10 or acc15 with a share (acc10=0.95), or rmspe with one (rmspe=0.1), a number above 0 and at most 1
  2| Try 'nn-meter build --help'.
  [2]
  $ nn-meter build --workspace ws --kernel relu --budget 12
  2| nn-meter build: budget: found 12 kernels for 1 predictor, need 20 or more, 20 for each: it is tested on some and learns from the others
  [1]
  $ nn-meter build --workspace ws --sampler best
  2| nn-meter build: option '--sampler' takes one of finegrained|prior|auto, not 'best'
  2| Try 'nn-meter build --help'.
  [2]
  $ nn-meter build --workspace ws --kernel relu --num 3 --iteration 1 --mark few 2>err; code=$?; tail -1 err; exit $code
  nn-meter build: 3 distinct rows (0 duplicates left out) are too few to train and test on; at least 5 are needed
  [1]

A test set is not learned from by other commands, either, unless it is named.

  $ nn-meter train --workspace ws --kernel hswish -o p.nnm 2>&1 >out | head -1
  (nn-Meter) $WORK/ws/predictor_build/results/hswish_testset.json is a test set and is left out; --configs would name it

The mark of test sets is not for samples, and a time that is too short says so instead of filling the disk.

  $ nn-meter create --workspace short --backend simulated 2>err
  > nn-meter sample --workspace short --kernel relu --num 3 --mark testset
  2| nn-meter sample: mark 'testset' is that of the test sets of builds, which nothing may be added to; choose another
  [1]
  $ nn-meter build --workspace short --kernel conv-bn-relu --sampler auto --budget 1s 2>err >out; ls short/predictor_build/kernels | wc -l | awk '{ print ($1 < 120) }'
  1
  $ nn-meter report --workspace short --out short/journal.sqlite
  2| nn-meter report: short/journal.sqlite exists and is not a page: it is not written over; remove it, or choose another file
  [1]
