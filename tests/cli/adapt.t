Adapting to latencies that are given, all of whose errors are large: every option, and equal seeds draw equal kernels.

  $ nn-meter create --workspace a --backend xnnpack_cpu 2>err
  > sed -i 's/^ROUNDS:.*/ROUNDS: 2/; s/^MAX_ROUNDS:.*/MAX_ROUNDS: 2/; s/^ROUND_MS:.*/ROUND_MS: 1/; s/^WARMUP_MS:.*/WARMUP_MS: 0.1/; s/^CLOCK_GATE:.*/CLOCK_GATE: 0/' a/configs/backend_config.yaml
  > cp -r a b
  > (echo '{"fc": {'; for i in 1 2 3 4 5 6 7 8 9; do echo "\"K$i\": {\"config\": {\"CIN\": 1$i, \"COUT\": 10}},"; done; echo '"KX": {}}}') >configs.json
  > (echo '{"fc": {'; for i in 1 2 3 4 5 6 7 8 9; do echo "\"K$i\": {\"latency\": 1e$i},"; done; echo '"KX": {}}}') >latencies.json
  > cat >functions <<'end'
  > adapt() { nn-meter adapt --workspace $1 --backend xnnpack_cpu --kernel fc --configs configs.json --latencies latencies.json --num 2 --threshold $2 --seed $3 --threads 2 --model random_forest; }
  > build() { nn-meter build --workspace $1 --kernel fc --num 6 --iteration 1 --seed $2 --threads $3; }
  > drawn() { tr -d ' \n' <$1/predictor_build/results/$2 | grep -o '"config":{[^}]*}' | sort; }
  > end
  $ . ./functions; (adapt a 0.5 3; adapt b 0.5 3) 2>err >out; grep -c ^fc out
  > for w in a b; do drawn $w fc_finegrained.json >$w.kernels; done; cmp a.kernels b.kernels
  2
  $ . ./functions; sed -i 's/: 1e[1-9]/: 1/' latencies.json; adapt a 1 0
  2| nn-meter adapt: no test row has an error above 1: there is nothing to sample around
  [1]

The same of `build`.

  $ . ./functions; (build a 5 1; build b 5 2) 2>err >out; grep -c ^fc out
  > for w in a b; do drawn $w fc_prior.json >$w.kernels; done; cmp a.kernels b.kernels
  2
