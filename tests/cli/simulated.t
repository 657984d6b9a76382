A device that is simulated: its latencies are computed, and everything that shows them says so.

  $ nn-meter --list-backends --json | /usr/bin/python3 -c 'import json, sys
  > for b in json.load(sys.stdin)["backends"]:
  >     if b["name"] == "simulated": print(b["device"], b["available"], b["version"], b["reads"], b["cannot"], b["description"], sep="\n")'
  simulated
  True
  model 1, phone
  ['onnx', 'tflite']
  []
  a simulated device: latencies are computed by a model, nothing is measured
  $ nn-meter create --workspace ws --backend simulated
  2| (nn-Meter) Created workspace $WORK/ws for backend simulated
  2| (nn-Meter) Its settings stand in $WORK/ws/configs/predictorbuild_config.yaml
  $ grep -v '^#' ws/configs/backend_config.yaml
  |
  BACKEND: simulated
  |
  THREADS: 1
  |
  ROUNDS: 8
  |
  MAX_ROUNDS: 20
  |
  TARGET_ERROR: 0.007
  |
  BUDGET_S: 5
  |
  TIMEOUT_S: 60
  |
  MEMORY_LIMIT_MIB: auto
  |
  SIMULATED_DEVICE: phone
  |
  SIMULATED_SEED: 0
  |
  SIMULATED_NOISE: 0.02
  |
  SIMULATED_ROUND_NOISE: 0.01
  |
  SIMULATED_OUTLIERS: 0.01
  $ nn-meter connect --workspace ws
  (nn-Meter) hello backend !
  2| (nn-Meter) warning: backend 'simulated' is a simulated device: its latencies are computed, they are no measurements
  $ nn-meter connect --workspace ws --json 2>err
  {"backend": "simulated", "connected": true, "latency_ms": 0.24*} ~

From sampling to a predictor. A simulated device is no reason to wait for this machine.

  $ nn-meter build --workspace ws --kernel conv-bn-relu --num 40 --iteration 2 --finegrained-num 3 --model random_forest --seed 1 --test-num 0
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  conv-bn-relu             64      0 * s * 100.0 % * $WORK/ws/predictor_build/results/predictors/conv-bn-relu_finegrained1.nnm ~
  2| (nn-Meter) conv-bn-relu: 40 configurations in $WORK/ws/predictor_build/results/conv-bn-relu_prior.json
  2| (nn-Meter) warning: backend 'simulated' is a simulated device: its latencies are computed, they are no measurements
  2| (nn-Meter) Saved the predictor for conv-bn-relu in $WORK/ws/predictor_build/results/predictors/conv-bn-relu_prior.nnm
  2| (nn-Meter) training rows: 32, test rows: 8; rmse: * ms; rmspe: *; 5% accuracy: *; 10% accuracy: *; 15% accuracy: * ~
  2| (nn-Meter) labels measured twice: 20; within 5%: 1.0000; within 10%: 1.0000; ceiling of the 10% accuracy: 1.0000 (0.8389 to 1.0000)
  2| (nn-Meter) Iteration 0: acc10 *, error_configs number: * ~
  2| (nn-Meter) conv-bn-relu: 24 configurations in $WORK/ws/predictor_build/results/conv-bn-relu_finegrained1.json
  2| (nn-Meter) warning: backend 'simulated' is a simulated device: its latencies are computed, they are no measurements
  2| (nn-Meter) Saved the predictor for conv-bn-relu in $WORK/ws/predictor_build/results/predictors/conv-bn-relu_finegrained1.nnm
  2| (nn-Meter) training rows: 51, test rows: 13; rmse: * ms; rmspe: *; 5% accuracy: *; 10% accuracy: *; 15% accuracy: * ~
  2| (nn-Meter) labels measured twice: 40; within 5%: 1.0000; within 10%: 1.0000; ceiling of the 10% accuracy: 1.0000 (0.9124 to 1.0000)
  2| (nn-Meter) Iteration 1: acc10 *, error_configs number: * ~
  2| (nn-Meter) Wrote the report $WORK/ws/predictor_build/results/report.html

Equal seeds give equal latencies, wherever the workspace lies; other settings are another device.

  $ cp ws/predictor_build/results/profiled_conv-bn-relu.json first.json
  > nn-meter create --workspace again --backend simulated 2>err
  > nn-meter build --workspace again --kernel conv-bn-relu --num 40 --iteration 2 --finegrained-num 3 --model random_forest --seed 1 --test-num 0 2>err
  > diff <(grep -v model first.json) <(grep -v model again/predictor_build/results/profiled_conv-bn-relu.json) && echo the same
  kernel             profiled failed         time     ±5 %    ±10 %    RMSPE  ceiling  8:2 ±10  file
  conv-bn-relu             64      0 * s * 100.0 % * $WORK/again/predictor_build/results/predictors/conv-bn-relu_finegrained1.nnm ~
  the same
  $ sed -i 's/^SIMULATED_DEVICE:.*/SIMULATED_DEVICE: desktop/' ws/configs/backend_config.yaml
  > nn-meter profile --workspace ws --models ws/predictor_build/results/conv-bn-relu_prior.json 2>&1 | tail -3
  (nn-Meter) warning: backend 'simulated' is a simulated device: its latencies are computed, they are no measurements
  kernel             profiled failed  known         time    quiet repeated  agree 5 agree 10  ceiling
  conv-bn-relu             40      0      0 * s  100.0 %       20  100.0 %  100.0 %  100.0 % ~
  $ sed -i 's/^SIMULATED_DEVICE:.*/SIMULATED_DEVICE: phone/' ws/configs/backend_config.yaml
  > nn-meter profile --workspace ws --models ws/predictor_build/results/conv-bn-relu_prior.json 2>&1 | tail -3
  kernel             profiled failed  known         time    quiet repeated  agree 5 agree 10  ceiling
  conv-bn-relu              0      0     40 * s        -       20  100.0 %  100.0 %  100.0 % ~

Settings are checked.

  $ sed -i 's/^SIMULATED_NOISE:.*/SIMULATED_NOISE: 2/' ws/configs/backend_config.yaml; nn-meter connect --workspace ws
  2| nn-meter connect: $WORK/ws/configs/backend_config.yaml:37:18: SIMULATED_NOISE: found '2', need a number from 0 to 1
  [1]
  $ sed -i 's/^SIMULATED_NOISE:.*/SIMULATED_DEVCE: phone/' ws/configs/backend_config.yaml; nn-meter connect --workspace ws
  2| nn-meter connect: $WORK/ws/configs/backend_config.yaml:37:1: unknown key 'SIMULATED_DEVCE'; did you mean 'SIMULATED_DEVICE'?
  [1]
  $ nn-meter create --workspace other 2>err; echo 'SIMULATED_SEED: 1' >>other/configs/backend_config.yaml
  > nn-meter connect --workspace other
  2| nn-meter connect: $WORK/other/configs/backend_config.yaml:67:1: unknown key 'SIMULATED_SEED'
  [1]
