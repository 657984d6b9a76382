A table from anywhere trains a predictor.

  $ awk 'BEGIN { print "HW,CIN,COUT,KERNEL_SIZE,STRIDES,latency_ms"
  >     split("7 14 28 56", hw); split("1 3 5", k)
  >     for (i = 0; i < 240; i++) {
  >         h = hw[i % 4 + 1]; ks = k[i % 3 + 1]; ci = 8 + i * 37 % 120; co = 8 + i * 53 % 200
  >         printf "%d,%d,%d,%d,1,%.6f\n", h, ci, co, ks, 0.01 + h * h * ci * co * ks * ks * 2e-8 } }' >conv.csv
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o conv.nnm
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o again.nnm --threads 1 >out && cmp conv.nnm again.nnm
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o other.nnm --seed 11 >out; cmp -s conv.nnm other.nnm
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o all.nnm --test-size 0
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o all.nnm --test-size 0 --json
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o conv.nnm --json
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o /dev/full/p.nnm
  $ (cat conv.csv; tail -5 conv.csv) >twice.csv; nn-meter train --kernel conv-bn-relu --csv twice.csv --target latency_ms -o twice.nnm | head -3

It answers for one configuration and for tables, and is evaluated.

  $ nn-meter predict --predictor conv.nnm --config HW=28,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1
  $ nn-meter predict --predictor conv.nnm --config STRIDES=1,KERNEL_SIZE=3,HW=28,COUT=128,CIN=64 --json
  $ head -4 conv.csv >few.csv; nn-meter predict --predictor conv.nnm --csv few.csv
  $ nn-meter evaluate --predictor conv.nnm --csv conv.csv --target latency_ms
  $ nn-meter evaluate --predictor all.nnm --csv few.csv --target latency_ms --json
  $ nn-meter predict --predictor conv.nnm --csv few.csv >/dev/full

Bad input.

  $ nn-meter train --kernel conv-bn-rleu --csv conv.csv --target latency_ms -o p.nnm
  $ nn-meter train --kernel conv-bn-relu --csv nowhere.csv --target latency_ms -o p.nnm
  $ nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency -o p.nnm
  $ nn-meter train --kernel conv-bn-relu --csv . --target latency_ms -o p.nnm
  $ cut -d, -f 2- conv.csv >short.csv; nn-meter train --kernel conv-bn-relu --csv short.csv --target latency_ms -o p.nnm
  $ sed '3s/^[0-9]*/tall/' conv.csv >bad.csv; nn-meter train --kernel conv-bn-relu --csv bad.csv --target latency_ms -o p.nnm
  $ sed '3s/[0-9.]*$/0/' conv.csv >bad.csv; nn-meter train --kernel conv-bn-relu --csv bad.csv --target latency_ms -o p.nnm
  $ sed '3s/,[0-9.]*$//' conv.csv >bad.csv; nn-meter train --kernel conv-bn-relu --csv bad.csv --target latency_ms -o p.nnm
  $ : >empty.csv; nn-meter train --kernel conv-bn-relu --csv empty.csv --target latency_ms -o p.nnm
  $ head -1 conv.csv >header.csv; nn-meter train --kernel conv-bn-relu --csv header.csv --target latency_ms -o p.nnm
  $ head -3 conv.csv >few.csv; nn-meter train --kernel conv-bn-relu --csv few.csv --target latency_ms -o p.nnm
  $ ls p.nnm
  $ nn-meter predict --predictor conv.nnm --config HW=28,CIN=64,COUT=128,KERNEL_SIZE=3
  $ nn-meter predict --predictor conv.nnm --config HW=28,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=big
  $ nn-meter predict --predictor conv.nnm --config HW=28,CIN=64,COUT=128,KERNEL_SIZ=3,STRIDES=1
  $ nn-meter predict --predictor conv.nnm --config HW=0,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1
  $ nn-meter predict --predictor conv.nnm --config nonsense
  $ nn-meter predict --predictor nowhere.nnm --config HW=1
  $ nn-meter predict --predictor conv.csv --config HW=1
  $ head -c 200 conv.nnm >cut.nnm; nn-meter predict --predictor cut.nnm --config HW=1
  $ cp conv.nnm bad.nnm; printf x | dd of=bad.nnm bs=1 seek=5000 conv=notrunc status=none
  > nn-meter predict --predictor bad.nnm --config HW=1
  $ cp conv.nnm bad.nnm; printf '\011' | dd of=bad.nnm bs=1 seek=8 conv=notrunc status=none
  > nn-meter evaluate --predictor bad.nnm --csv conv.csv --target latency_ms
  $ nn-meter evaluate --predictor conv.nnm --csv short.csv --target latency_ms
  $ nn-meter evaluate --predictor conv.nnm --csv header.csv --target latency_ms
  $ nn-meter predict --predictor conv.nnm --csv short.csv
