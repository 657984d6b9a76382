A table from anywhere trains a predictor.

  $ awk 'BEGIN { print "HW,CIN,COUT,KERNEL_SIZE,STRIDES,latency_ms"
  >     split("7 14 28 56", hw); split("1 3 5", k)
  >     for (i = 0; i < 240; i++) {
  >         h = hw[i % 4 + 1]; ks = k[i % 3 + 1]; ci = 8 + i * 37 % 120; co = 8 + i * 53 % 200
  >         printf "%d,%d,%d,%d,1,%.6f\n", h, ci, co, ks, 0.01 + h * h * ci * co * ks * ks * 2e-8 } }' >conv.csv
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o conv.nnm
  kernel           conv-bn-relu
  model            best
  rows             240
  test rows        48
  RMSE             * ms ~
  RMSPE            * % ~
  within 5 %       * % ~
  within 10 %      * % ~
  within 15 %      * % ~
  noise ceiling    unknown: 0 labels were measured twice, 20 are needed
  predictor        conv.nnm
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o again.nnm --threads 1 >out && cmp conv.nnm again.nnm
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o other.nnm --seed 11 >out; cmp -s conv.nnm other.nnm
  [1]
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o all.nnm --test-size 0
  kernel           conv-bn-relu
  model            best
  rows             240
  test rows        0
  predictor        all.nnm
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o all.nnm --test-size 0 --json
  {"kernel": "conv-bn-relu", "model": "best", "rows": 240, "test_rows": 0, "rmse_ms": null, "rmspe": null, "acc5": null, "acc10": null, "acc15": null, "repeated": 0, "agree5": null, "agree10": null, "noise_ceiling10": null, "noise_ceiling10_low": null, "noise_ceiling10_high": null, "duplicates": 0, "skipped": 0, "predictor": "all.nnm"}
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o conv.nnm --json
  {"kernel": "conv-bn-relu", "model": "best", "rows": 240, "test_rows": 48, "rmse_ms": *, "rmspe": *, "acc5": *, "acc10": *, "acc15": *, "repeated": 0, "agree5": null, "agree10": null, "noise_ceiling10": null, "noise_ceiling10_low": null, "noise_ceiling10_high": null, "duplicates": 0, "skipped": 0, "predictor": "conv.nnm"} ~
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o /dev/full/p.nnm
  2| nn-meter train: cannot write '/dev/full/p.nnm': Not a directory
  [1]
  $ (cat conv.csv; tail -5 conv.csv) >twice.csv; nn-meter train --kernel conv-bn-relu --csv twice.csv --target latency_ms -o twice.nnm | head -3
  kernel           conv-bn-relu
  model            best
  rows             240
  2| (nn-Meter) 5 rows repeat a configuration and were left out

It answers for one configuration and for tables, and is evaluated.

  $ nn-meter predict --predictor conv.nnm --config HW=28,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1
  1.* ~
  $ nn-meter predict --predictor conv.nnm --config STRIDES=1,KERNEL_SIZE=3,HW=28,COUT=128,CIN=64 --json
  {"latency_ms": 1.*, "lower_ms": *, "upper_ms": 1.*, "extrapolated": null} ~
  $ head -4 conv.csv >few.csv; nn-meter predict --predictor conv.nnm --csv few.csv
  HW,CIN,COUT,KERNEL_SIZE,STRIDES,latency_ms,predicted_ms,lower_ms,upper_ms
  7,8,8,1,1,0.010063,0.01*,0.0*,0.0* ~
  14,45,61,3,1,0.106844,0.1*,0.1*,0.1* ~
  28,82,114,5,1,3.674416,3.*,*,* ~

Far outside of what it was trained on, it tells so.

  $ nn-meter predict --predictor conv.nnm --config HW=224,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1
  7*.* ~
  2| (nn-Meter) warning: far outside of the training range: HW is 224, trained on 7 to 56
  $ nn-meter predict --predictor conv.nnm --config HW=224,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1 --json
  {"latency_ms": *, "lower_ms": *, "upper_ms": *, "extrapolated": "HW"} ~
  2| (nn-Meter) warning: far outside of the training range: HW is 224, trained on 7 to 56
  $ (cat few.csv; echo 14,45,61,12,1,0.1; echo 14,45,900,3,1,0.1) >far.csv; nn-meter predict --predictor conv.nnm --csv far.csv | wc -l
  6
  2| (nn-Meter) warning: 2 rows are far outside of the training range; the first: far.csv:5: KERNEL_SIZE is 12, trained on 1 to 5

  $ nn-meter evaluate --predictor conv.nnm --csv conv.csv --target latency_ms
  kernel           conv-bn-relu
  model            best
  rows             240
  RMSE             * ms ~
  RMSPE            * % ~
  within 5 %       * % ~
  within 10 %      * % ~
  within 15 %      * % ~
  noise ceiling    unknown: 0 labels were measured twice, 20 are needed
  $ nn-meter evaluate --predictor all.nnm --csv few.csv --target latency_ms --json
  {"kernel": "conv-bn-relu", "model": "best", "rows": 3, "test_rows": 3, "rmse_ms": *, "rmspe": *, "acc5": *, "acc10": *, "acc15": *, "repeated": 0, "agree5": null, "agree10": null, "noise_ceiling10": null, "noise_ceiling10_low": null, "noise_ceiling10_high": null, "noise_ceiling_of": null, "skipped": 0} ~
  $ nn-meter predict --predictor conv.nnm --csv few.csv >/dev/full
  2| nn-meter: cannot write to standard output: No space left on device
  [1]

The published recipe is another model.

  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o forest.nnm --model random_forest --json
  {"kernel": "conv-bn-relu", "model": "random_forest", "rows": 240, *} ~

Cross-validation and learning curves, without a predictor or with one.

  $ nn-meter train --kernel conv-bn-relu --csv twice.csv --target latency_ms --folds 3 --model random_forest
  fold           rows     ±5 %    ±10 %    ±15 %    RMSPE
  1                80 * ~
  2                80 * ~
  3                80 * ~
  all             240 * ~
  deviation * ~
  2| (nn-Meter) 5 rows repeat a configuration and were left out
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms --curve 100,20 --draws 2 --model random_forest
      rows   within 5 %  within 10 %  within 15 %        RMSPE
        20 * ± * ~
       100 * ± * ~
  in percent, mean and deviation of 2 draws, all tested on the same 48 rows
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms --folds 2 --curve 20 --draws 2 --model random_forest --json
  {"kernel": "conv-bn-relu", "model": "random_forest", "rows": 240, "duplicates": 0, "skipped": 0, "cross_validation": {"folds": 2, "rmse_ms": *, "deviation": {*}, "each": [{"rows": 120, *}, {"rows": 120, *}]}, "learning_curve": {"test_rows": 48, "draws": 2, "points": [{"rows": 20, *}]}} ~
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms --folds 241
  2| nn-meter train: folds: found 241, need a number from 2 to 240, that of the distinct rows
  [1]
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms --curve 193
  2| nn-meter train: learning curve: found 193 training rows; of 240 distinct rows, the test leaves 192
  [1]
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms --curve 20,x
  2| nn-meter train: option '--curve' takes numbers of rows from 2 to 1000000000, such as 50,100,200, not '20,x'
  2| Try 'nn-meter train --help'.
  [2]

A predictor becomes an ONNX model.

  $ nn-meter export --predictor forest.nnm --onnx forest.onnx && ls forest.onnx
  forest.onnx
  2| (nn-Meter) Wrote the predictor for conv-bn-relu to forest.onnx
  $ nn-meter export --predictor conv.nnm --onnx conv.onnx && ls conv.onnx
  conv.onnx
  2| (nn-Meter) Wrote the predictor for conv-bn-relu to conv.onnx
  $ nn-meter export --predictor conv.csv --onnx bad.onnx; ls bad.onnx
  2| nn-meter export: cannot load the predictor 'conv.csv': this is not a predictor file: it does not begin with "NNMPRED"
  2| ls: cannot access 'bad.onnx': No such file or directory
  [2]

Bad input.

  $ nn-meter train --kernel conv-bn-rleu --csv conv.csv --target latency_ms -o p.nnm
  2| nn-meter train: there is no kernel type 'conv-bn-rleu'; did you mean 'conv-bn-relu'?
  [1]
  $ nn-meter train --kernel conv-bn-relu --csv nowhere.csv --target latency_ms -o p.nnm
  2| nn-meter train: cannot read 'nowhere.csv': No such file or directory
  [1]
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency -o p.nnm
  2| nn-meter train: conv.csv: there is no column 'latency', which was named as the target; the columns are HW, CIN, COUT, KERNEL_SIZE, STRIDES, latency_ms
  [1]
  $ nn-meter train --kernel conv-bn-relu --csv . --target latency_ms -o p.nnm
  2| nn-meter train: cannot read '.': Is a directory
  [1]
  $ cut -d, -f 2- conv.csv >short.csv; nn-meter train --kernel conv-bn-relu --csv short.csv --target latency_ms -o p.nnm
  2| nn-meter train: short.csv: there is no column 'HW', which kernel type 'conv-bn-relu' needs; the columns are CIN, COUT, KERNEL_SIZE, STRIDES, latency_ms
  [1]
  $ sed '3s/^[0-9]*/tall/' conv.csv >bad.csv; nn-meter train --kernel conv-bn-relu --csv bad.csv --target latency_ms -o p.nnm
  2| nn-meter train: bad.csv:3: column 'HW': found 'tall', need a number
  [1]
  $ sed '3s/[0-9.]*$/0/' conv.csv >bad.csv; nn-meter train --kernel conv-bn-relu --csv bad.csv --target latency_ms -o p.nnm
  2| nn-meter train: bad.csv:3: column 'latency_ms': found '0', need a latency: a number > 0
  [1]
  $ sed '3s/,[0-9.]*$//' conv.csv >bad.csv; nn-meter train --kernel conv-bn-relu --csv bad.csv --target latency_ms -o p.nnm
  2| nn-meter train: bad.csv:3: found 5 cells where the header has 6 columns
  [1]
  $ : >empty.csv; nn-meter train --kernel conv-bn-relu --csv empty.csv --target latency_ms -o p.nnm
  2| nn-meter train: empty.csv: the file is empty: a line of column names is needed
  [1]
  $ head -1 conv.csv >header.csv; nn-meter train --kernel conv-bn-relu --csv header.csv --target latency_ms -o p.nnm
  2| nn-meter train: 0 distinct rows (0 duplicates left out) are too few to train and test on; at least 5 are needed
  [1]
  $ head -3 conv.csv >few.csv; nn-meter train --kernel conv-bn-relu --csv few.csv --target latency_ms -o p.nnm
  2| nn-meter train: 2 distinct rows (0 duplicates left out) are too few to train and test on; at least 5 are needed
  [1]
  $ ls p.nnm
  2| ls: cannot access 'p.nnm': No such file or directory
  [2]
  $ nn-meter predict --predictor conv.nnm --config HW=28,CIN=64,COUT=128,KERNEL_SIZE=3
  2| nn-meter predict: STRIDES is missing; conv-bn-relu needs it
  [1]
  $ nn-meter predict --predictor conv.nnm --config HW=28,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=big
  2| nn-meter predict: STRIDES: 'big' is not a whole number
  [1]
  $ nn-meter predict --predictor conv.nnm --config HW=28,CIN=64,COUT=128,KERNEL_SIZ=3,STRIDES=1
  2| nn-meter predict: conv-bn-relu has no parameter 'KERNEL_SIZ'; did you mean 'KERNEL_SIZE'?
  [1]
  $ nn-meter predict --predictor conv.nnm --config HW=0,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1
  2| nn-meter predict: conv-bn-relu: HW=0 is out of range; allowed are 1 to 4096
  [1]
  $ nn-meter predict --predictor conv.nnm --config nonsense
  2| nn-meter predict: 'nonsense' is not NAME=VALUE; a configuration reads like HW=56,CIN=64
  [1]
  $ nn-meter predict --predictor nowhere.nnm --config HW=1
  2| nn-meter predict: cannot read 'nowhere.nnm': No such file or directory
  [1]
  $ nn-meter predict --predictor conv.csv --config HW=1
  2| nn-meter predict: cannot load the predictor 'conv.csv': this is not a predictor file: it does not begin with "NNMPRED"
  [1]
  $ head -c 200 conv.nnm >cut.nnm; nn-meter predict --predictor cut.nnm --config HW=1
  2| nn-meter predict: cannot load the predictor 'cut.nnm': the file was cut short: it has 200 bytes, expected 32 + * ~
  [1]
  $ cp conv.nnm bad.nnm; printf x | dd of=bad.nnm bs=1 seek=5000 conv=notrunc status=none
  > nn-meter predict --predictor bad.nnm --config HW=1
  2| nn-meter predict: cannot load the predictor 'bad.nnm': the file is damaged: the checksum of its payload is wrong
  [1]
  $ cp conv.nnm bad.nnm; printf '\011' | dd of=bad.nnm bs=1 seek=8 conv=notrunc status=none
  > nn-meter evaluate --predictor bad.nnm --csv conv.csv --target latency_ms
  2| nn-meter evaluate: cannot load the predictor 'bad.nnm': the file is damaged: the checksum of its first 32 bytes is wrong
  [1]
  $ nn-meter evaluate --predictor conv.nnm --csv short.csv --target latency_ms
  2| nn-meter evaluate: short.csv: there is no column 'HW', which kernel type 'conv-bn-relu' needs; the columns are CIN, COUT, KERNEL_SIZE, STRIDES, latency_ms
  [1]
  $ nn-meter evaluate --predictor conv.nnm --csv header.csv --target latency_ms
  2| nn-meter evaluate: header.csv: there are no rows to evaluate
  [1]
  $ nn-meter predict --predictor conv.nnm --csv short.csv
  2| nn-meter predict: short.csv: there is no column 'HW', which kernel type 'conv-bn-relu' needs; the columns are CIN, COUT, KERNEL_SIZE, STRIDES, latency_ms
  [1]
  $ sed 's/^HW/HWW/' conv.csv >hww.csv; nn-meter evaluate --predictor conv.nnm --csv hww.csv --target latency_ms
  2| nn-meter evaluate: hww.csv: there is no column 'HW', which kernel type 'conv-bn-relu' needs; did you mean 'HWW'?
  [1]
  $ sed '1s/$/,clock/; 2,$s/$/,3/' conv.csv >clock.csv; nn-meter train --kernel conv-bn-relu --csv clock.csv --target latency_ms -o clock.nnm --model random_forest | head -3
  kernel           conv-bn-relu
  model            random_forest
  rows             240
  $ nn-meter predict --predictor clock.nnm --csv conv.csv
  2| nn-meter predict: conv.csv: there is no column 'clock', which the predictor was trained on; the columns are HW, CIN, COUT, KERNEL_SIZE, STRIDES, latency_ms
  [1]

Bad rows are refused with their line, or left out and counted.

  $ sed '3s/[0-9.]*$/nan/; 5s/[0-9.]*$/-1/; 7s/[0-9.]*$/inf/; 9s/[0-9.]*$/0/; 11s/^[0-9]*/tall/' conv.csv >bad.csv
  $ nn-meter train --kernel conv-bn-relu --csv bad.csv --target latency_ms -o p.nnm
  2| nn-meter train: bad.csv:3: column 'latency_ms': found 'nan', need a latency: a number > 0
  [1]
  $ sed -n '1p;5p' bad.csv >b.csv; nn-meter train --kernel conv-bn-relu --csv b.csv --target latency_ms -o p.nnm
  2| nn-meter train: b.csv:2: column 'latency_ms': found '-1', need a latency: a number > 0
  [1]
  $ sed -n '1p;7p' bad.csv >b.csv; nn-meter train --kernel conv-bn-relu --csv b.csv --target latency_ms -o p.nnm
  2| nn-meter train: b.csv:2: column 'latency_ms': found 'inf', need a latency: a number > 0
  [1]
  $ nn-meter train --kernel conv-bn-relu --csv bad.csv --target latency_ms -o p.nnm --skip-bad --model random_forest | head -3
  kernel           conv-bn-relu
  model            random_forest
  rows             235
  2| (nn-Meter) warning: 5 rows were left out; the first: bad.csv:3: column 'latency_ms': found 'nan', need a latency: a number > 0
  $ nn-meter evaluate --predictor conv.nnm --csv bad.csv --target latency_ms --skip-bad | head -3
  kernel           conv-bn-relu
  model            best
  rows             235
  2| (nn-Meter) warning: 5 rows were left out; the first: bad.csv:3: column 'latency_ms': found 'nan', need a latency: a number > 0
  $ sed -n '1p;10,11p' bad.csv >b.csv; nn-meter predict --predictor conv.nnm --csv b.csv --skip-bad
  HW,CIN,COUT,KERNEL_SIZE,STRIDES,latency_ms,predicted_ms,lower_ms,upper_ms
  7,64,32,5,1,* ~
  tall,101,85,1,1,*,,, ~
  2| (nn-Meter) warning: 1 rows have no prediction; the first: b.csv:3: column 'HW': found 'tall', need a number
  $ nn-meter predict --predictor conv.nnm --csv b.csv
  HW,CIN,COUT,KERNEL_SIZE,STRIDES,latency_ms,predicted_ms,lower_ms,upper_ms
  7,64,32,5,1,* ~
  2| nn-meter predict: b.csv:3: column 'HW': found 'tall', need a number
  [1]
  $ nn-meter predict --predictor conv.nnm --csv /dev/stdin <few.csv | wc -l
  3
