The files of a workspace are derived from its journal, and can be made again from it alone.

  $ nn-meter create --workspace ws --backend xnnpack_cpu 2>err
  > sed -i 's/^GATE:.*/GATE: 0/; s/^ROUNDS:.*/ROUNDS: 2/; s/^ROUND_MS:.*/ROUND_MS: 1/; s/^WARMUP_MS:.*/WARMUP_MS: 0.1/' ws/configs/backend_config.yaml
  > sed -i '/^KERNELS/,$d' ws/configs/predictorbuild_config.yaml
  > sed -i 's/^TEST_SAMPLE_NUM:.*/TEST_SAMPLE_NUM: 0/' ws/configs/predictorbuild_config.yaml
  > printf 'KERNELS:\n  relu:\n    INIT_SAMPLE_NUM: 12\n    FINEGRAINED_SAMPLE_NUM: 2\n    ITERATION: 1\n    ERROR_THRESHOLD: 0.1\n' >>ws/configs/predictorbuild_config.yaml
  $ nn-meter export --rebuild --workspace ws
  2| nn-meter export: there is no journal '$WORK/ws/journal.sqlite': nothing was sampled or measured here
  [1]
  $ nn-meter build --workspace ws >out 2>err
  $ nn-meter sample --workspace ws --kernel fc --num 3 >out 2>err
  $ nn-meter sample --workspace ws --kernel relu --num 4 --mark more >out 2>err
  > nn-meter profile --workspace ws --models ws/predictor_build/results/relu_more.json >out 2>err
  $ nn-meter train --workspace ws --kernel relu --mark all -o relu.nnm >out 2>err
  $ nn-meter convert --workspace ws --models ws/predictor_build/results/relu_prior.json
  kernel             converted  failed
  relu                      12       0
  $ echo '{"relu": {"HANDMA": {"config": {"HW": 7, "CIN": 16}}}}' >by_hand.json
  > nn-meter profile --workspace ws --models by_hand.json >out 2>err

Whatever became of the files: what comes back is the same to the last byte.

  $ cd ws/predictor_build/results; cp -r . ../../../before; echo '{' >relu_prior.json; echo junk >profiled_relu.json
  > rm fc_prior.json collection/Data_relu_*.csv
  $ nn-meter export --rebuild --workspace ws
   kernels  file
         3  $WORK/ws/predictor_build/results/fc_prior.json
        12  $WORK/ws/predictor_build/results/relu_prior.json
         4  $WORK/ws/predictor_build/results/relu_more.json
        17  $WORK/ws/predictor_build/results/profiled_relu.json
        12  $WORK/ws/predictor_build/results/collection/Data_relu_prior.csv
        16  $WORK/ws/predictor_build/results/collection/Data_relu_all.csv
  $ diff -r before ws/predictor_build/results && echo the same
  the same

A journal that knows nothing, and options that do not go together.

  $ rm ws/journal.sqlite*; touch ws/journal.sqlite; nn-meter export --rebuild --workspace ws
  2| (nn-Meter) The journal holds nothing to make files of
  $ diff -r before ws/predictor_build/results && echo the same
  the same
  $ nn-meter export --rebuild
  2| nn-meter export: option '--workspace DIR' is missing
  2| Try 'nn-meter export --help'.
  [2]
  $ nn-meter export --rebuild --workspace ws --csv out.csv
  2| nn-meter export: --rebuild goes with --workspace alone
  2| Try 'nn-meter export --help'.
  [2]
  $ nn-meter export --workspace ws --predictor relu.nnm --onnx out.onnx
  2| nn-meter export: --predictor and --onnx do not go with options for kernel data
  2| Try 'nn-meter export --help'.
  [2]
  $ nn-meter export --kernel fc --csv out.csv
  2| nn-meter export: give data: --configs F... or --workspace DIR
  2| Try 'nn-meter export --help'.
  [2]
