Short rounds, so that this takes little time.

  $ nn-meter create --workspace ws 2>out
  > sed -i 's/^ROUNDS:.*/ROUNDS: 2/; s/^ROUND_MS:.*/ROUND_MS: 1/; s/^WARMUP_MS:.*/WARMUP_MS: 0.1/' ws/configs/backend_config.yaml
  > grep ROUND ws/configs/backend_config.yaml

Sampling.

  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 4 --seed 7
  $ cd ws/predictor_build && head -c 60 results/conv-bn-relu_prior.json && echo && ls kernels | wc -l
  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 2 --seed 8 --json
  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 1 --mode finegrained --mark around
  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 1 --mode finegrained --configs ws/predictor_build/results/conv-bn-relu_around.json
  $ nn-meter sample --workspace ws --kernel fc --num 2 --mark small
  $ nn-meter sample --workspace ws --kernel fc --num 2 --mode finegrained
  $ nn-meter sample --workspace ws --kernel conv-bn-rleu --num 2
  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 2 --mark ../up
  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 2 --mode finegrained --configs nowhere.json

Converting and profiling.

  $ nn-meter convert --workspace ws --models ws/predictor_build/results/conv-bn-relu_around.json
  $ nn-meter convert --workspace ws --models ws/predictor_build/results/conv-bn-relu_around.json --json
  $ nn-meter profile --workspace ws --models ws/predictor_build/results/conv-bn-relu_around.json
  $ nn-meter profile --workspace ws --models ws/predictor_build/results/conv-bn-relu_around.json
  $ nn-meter profile --workspace ws --models ws/predictor_build/results/conv-bn-relu_around.json --json
  $ nn-meter export --kernel conv-bn-relu --configs ws/predictor_build/results/conv-bn-relu_around.json --latencies ws/predictor_build/results/profiled_conv-bn-relu.json --csv out.csv; head -1 out.csv; wc -l <out.csv

Some kernels fail: exit status 3; all fail: 1.

  $ for f in $(ls ws/predictor_build/kernels/conv-bn-relu_prior_* | head -2); do echo bad >$f; done
  > nn-meter convert --workspace ws --models ws/predictor_build/results/conv-bn-relu_prior.json
  $ nn-meter profile --workspace ws --models ws/predictor_build/results/conv-bn-relu_prior.json
  $ for f in ws/predictor_build/kernels/fc_*; do echo bad >$f; done
  > nn-meter profile --workspace ws --models ws/predictor_build/results/fc_small.json
  $ nn-meter convert --workspace ws --models ws/predictor_build/results/fc_small.json

Bad input.

  $ nn-meter profile --workspace ws --models nowhere.json
  $ nn-meter profile --workspace ws --models . 
  $ echo '{"conv-bn-relu": {' >bad.json; nn-meter profile --workspace ws --models bad.json
  $ echo '{"mykernel": {}}' >other.json; nn-meter profile --workspace ws --models other.json
  $ nn-meter convert --workspace ws --models other.json --json
  $ nn-meter profile --workspace ws --backend nothing --models ws/predictor_build/results/fc_small.json
  $ nn-meter export --kernel conv-bn-relu --configs ws/predictor_build/results/conv-bn-relu_prior.json --csv out.csv
  $ nn-meter export --kernel conv-bn-relu --configs nowhere.json --csv out.csv
  $ nn-meter export --kernel fc --configs ws/predictor_build/results/conv-bn-relu_prior.json --csv out.csv
  $ nn-meter train --kernel dwconv-bn-relu --workspace ws -o p.nnm
  $ nn-meter adapt --workspace ws --kernel dwconv-bn-relu
