Builds with an independent test set, samplers, budgets and targets; on a simulated device, so that this takes no time.

  $ nn-meter create --workspace ws --backend simulated 2>err
  > sed -i 's/^ROUNDS:.*/ROUNDS: 2/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 2/' ws/configs/backend_config.yaml

The documented loop, with what it tells of itself and what is true.

  $ nn-meter build --workspace ws --kernel relu --num 24 --iteration 2 --finegrained-num 2 --test-num 6
  $ ls ws/predictor_build/results/collection

More from the prior; and where kernels teach most, under a budget.

  $ nn-meter build --workspace ws --kernel relu --num 20 --iteration 2 --test-num 6 --sampler prior 2>err; grep -e Iteration -e apart err
  $ nn-meter build --workspace ws --kernel relu --num 20 --test-num 6 --sampler auto --budget 40 2>err; grep -e Iteration -e apart -e budget err
  $ nn-meter build --workspace ws --kernel relu --num 20 --test-num 6 --sampler auto --budget 40 --json 2>err
  $ nn-meter build --workspace ws --kernel relu --num 20 --test-num 6 --sampler auto --budget 60 --until rmspe=1 2>err; tail -1 err

All kernel types, of which two share a predictor and one is broken.

  $ mkdir ws/tables; echo nothing >ws/tables/pooling.csv
  > sed -i '/^KERNELS/,$d; s/^TEST_SAMPLE_NUM:.*/TEST_SAMPLE_NUM: 5/' ws/configs/predictorbuild_config.yaml
  > cat >>ws/configs/predictorbuild_config.yaml <<end
  > PRIOR_DIR: tables
  > BUDGET: 90
  > SAMPLER: auto
  > KERNELS:
  >   dwconv-relu: {INIT_SAMPLE_NUM: 10}
  >   maxpool: {INIT_SAMPLE_NUM: 10}
  >   dwconv-bn-relu: {INIT_SAMPLE_NUM: 10}
  >   hswish: {INIT_SAMPLE_NUM: 20}
  > end
  > sed -i '/^SAMPLER: finegrained/d' ws/configs/predictorbuild_config.yaml
  > nn-meter build --workspace ws 2>err; code=$?; grep -e '^nn-meter' -e budget err; exit $code
  $ ls ws/predictor_build/results/predictors

What does not make sense.

  $ nn-meter build --workspace ws --kernel relu --budget abc
  $ nn-meter build --workspace ws --until acc10=95
  $ nn-meter build --workspace ws --kernel relu --budget 12
  $ nn-meter build --workspace ws --sampler best
  $ nn-meter build --workspace ws --kernel relu --num 3 --iteration 1 --mark few 2>err; code=$?; tail -1 err; exit $code

A test set is not learned from by other commands, either, unless it is named.

  $ nn-meter train --workspace ws --kernel hswish -o p.nnm 2>&1 >out | head -1
