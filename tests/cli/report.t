A report of a workspace, whatever there is in it.

  $ nn-meter create --workspace ws --backend xnnpack_cpu 2>out
  $ nn-meter report --workspace ws
  $WORK/ws/predictor_build/results/report.html
  $ nn-meter report --workspace ws --json
  {"report": "$WORK/ws/predictor_build/results/report.html", "charts": true, "kernels": []}

  $ for i in $(seq 1 24); do
  >     echo "\"K$i\": {\"config\": {\"HW\": 14, \"CIN\": $((8 * i))}, \"latency\": \"0.$((100 + 37 * i)) +- 0.001\"},"
  > done >rows; echo "{\"relu\": {$(cat rows | sed '$s/,$//')}}" >ws/predictor_build/results/relu_prior.json
  $ cp ws/predictor_build/results/relu_prior.json ws/predictor_build/results/profiled_relu.json
  > nn-meter train --workspace ws --kernel relu --mark prior -o relu.nnm >out 2>err
  $ nn-meter report --workspace ws --out page.html --json
  {"report": "page.html", "charts": true, "kernels": [{"kernel": "relu", "profiled": 24, "failed": 0, "device_s": null, "test_rows": 5, "rmse_ms": 0.0052675353912088789, "rmspe": 0.038380729209141103, "acc5": 0.80000000000000004, "acc10": 1.0, "acc15": 1.0, "noise_ceiling10": null, "predictor": "$WORK/ws/predictor_build/results/predictors/relu_prior.nnm"}]}
  $ grep -o '<h2[^<]*</h2>' page.html | sed 's/<[^>]*>//g'
  All kernels
  relu
  Failures
  Where this comes from
  $ grep -o '<figure class="chart[^>]*data-chart="[a-z]*"' page.html | sed 's/.*data-chart=//'
  "accuracy"
  "sizes"
  "staircase"
  "marks"
  $ grep -o '24 sampled, 24 measured' page.html; grep -o 'There is no journal[^<]*' page.html
  24 sampled, 24 measured
  There is no journal of measurements with these settings, so the machine is not known.
  $ grep -c '</html>' page.html; grep -c 'default-src .none.' page.html
  1
  1

  $ nn-meter report --help
  Usage: nn-meter report --workspace DIR [--out FILE] [options]
  |
  Write a page with tables and charts of what a workspace holds.
  The page is one HTML file that needs nothing else, and no network. It shows what is there now; what is
  missing it says. Nothing is measured.
  |
  Options:
    --workspace DIR  the workspace (required)
    --backend NAME   the runtime that is measured (default: BACKEND of the workspace)
    -o, --out FILE   the HTML file to write (default: results/report.html of the workspace)
    --json           answer with one JSON object
    -h, --help       show this text
  |
  Example:
    nn-meter report --workspace ws --out report.html

What goes wrong.

  $ nn-meter report --workspace nowhere
  2| nn-meter report: there is no folder 'nowhere'; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]
  $ nn-meter report --workspace ws --backend onnxruntime_cpu
  2| nn-meter report: the workspace '$WORK/ws' is for backend 'xnnpack_cpu' (BACKEND in configs/backend_config.yaml), not for 'onnxruntime_cpu'
  [1]
  $ nn-meter report --workspace ws --out nowhere/page.html
  2| nn-meter report: cannot write 'nowhere/page.html': No such file or directory
  [1]
  $ nn-meter report
  2| nn-meter report: option '--workspace DIR' is missing
  2| Try 'nn-meter report --help'.
  [2]
