Kernel data of the published system: read, made a table of, merged into one file.

  $ cp "$DATA/json/published_detail.json" theirs.json; nn-meter export --kernel conv-bn-relu --configs theirs.json --csv out.csv; cat out.csv
  model_path,HW,CIN,COUT,KERNEL_SIZE,STRIDES,FLOPS,PARAMS,latency
  conv-bn-relu_prior_YB2F4N.tflite,13,212,176,1,1,12670944,37488,42.001
  2| (nn-Meter) Wrote 1 rows to out.csv
  $ cat >config.json <<end
  > {"fc": {"AAAAAA": {"config": {"COUT": 1000, "CIN": 512}}, "BBBBBB": {"config": {"CIN": 64, "COUT": 10}}}}
  > end
  > echo '{"fc": {"CCCCCC": {"config": {"CIN": 128, "COUT": 10}, "latency": 0.5}}, "relu": {"A": {"latency": 1}}}' >both.json
  > echo '{"fc": {"AAAAAA": {"latency": "42.001 +- 1.0"}, "BBBBBB": {"latency": "3.5"}}}' >latency.json
  > nn-meter export --kernel fc --configs config.json both.json --latencies latency.json --csv fc.csv --merge merged.json; cat fc.csv
  model_path,CIN,COUT,FLOPS,PARAMS,latency
  AAAAAA,512,1000,1026000,513000,42.001
  BBBBBB,64,10,1300,650,3.5
  CCCCCC,128,10,2580,1290,0.5
  2| (nn-Meter) Wrote 3 kernels, 3 of them with a latency, to merged.json
  2| (nn-Meter) Wrote 3 rows to fc.csv
  $ nn-meter export --kernel fc --configs merged.json --csv again.csv && cmp fc.csv again.csv
  2| (nn-Meter) Wrote 3 rows to again.csv
  $ tr -d ' \n' <merged.json; echo
  {"fc":{"AAAAAA":{"config":{"CIN":512,"COUT":1000},"latency":"42.001+-1"},"BBBBBB":{"config":{"CIN":64,"COUT":10},"latency":"3.5+-0"},"CCCCCC":{"config":{"CIN":128,"COUT":10},"latency":"0.5+-0"}}}

Configurations that have no latency yet are merged too; kernels of other types stay in a file that is there.

  $ nn-meter export --kernel conv-bn-relu --configs theirs.json --merge merged.json; grep -c '"' merged.json; grep -o '"[a-z-]*": {$' merged.json | sort -u
  37
  "config": {
  "conv-bn-relu": {
  "fc": {
  2| (nn-Meter) Wrote 2 kernels, 1 of them with a latency, to merged.json
  $ nn-meter export --kernel fc --configs config.json --merge merged.json
  2| nn-meter export: merged.json holds 3 kernels of fc already, which would be lost; name it with --configs to keep them, or write to another file
  [1]
  $ nn-meter export --kernel fc --configs merged.json config.json --merge merged.json
  2| (nn-Meter) Wrote 3 kernels, 3 of them with a latency, to merged.json
  $ nn-meter export --kernel fc --configs config.json --latencies latency.json --merge theirs.json
  2| (nn-Meter) Wrote 2 kernels, 2 of them with a latency, to theirs.json

Trained on as they are.

  $ for i in 1 2 3 4 5 6 7 8; do echo "\"K$i\": {\"config\": {\"COUT\": 10, \"CIN\": ${i}00}, \"latency\": \"0.$i +- 0.01\"},"; done >rows
  > (echo '{"fc": {'; cat rows; echo '"K9": {"config": {"CIN": 900, "COUT": 10}}}}') >theirs2.json
  > nn-meter train --kernel fc --configs theirs2.json --latencies latency.json theirs2.json --test-size 0 -o fc.nnm
  kernel           fc
  model            best
  rows             8
  test rows        0
  predictor        fc.nnm

Mistakes.

  $ sed 's/42.001/42.002/' latency.json >other.json
  > nn-meter export --kernel fc --configs config.json --latencies both.json latency.json other.json --csv out.csv
  2| nn-meter export: latency.json and other.json: fc 'AAAAAA' has two latencies: 42.001 +- 1 and 42.002 +- 1 ms
  [1]
  $ sed 's/512/511/' config.json >other.json; nn-meter export --kernel fc --configs config.json other.json --latencies latency.json --csv out.csv
  2| nn-meter export: config.json and other.json: fc 'AAAAAA' has two configurations: CIN=512,COUT=1000 and CIN=511,COUT=1000
  [1]
  $ nn-meter export --kernel se --configs config.json --latencies latency.json --csv out.csv
  2| nn-meter export: config.json: no entry for 'se'; the file has: fc
  [1]
  $ nn-meter export --kernel fc --configs theirs.json --csv out.csv
  2| (nn-Meter) Wrote 2 rows to out.csv
  $ sed '1s/"COUT": 1000,/"COUT": 1000/' config.json >comma.json; nn-meter export --kernel fc --configs comma.json --csv out.csv
  2| nn-meter export: comma.json:1:43: a comma is missing here, before "CIN"
  [1]
  $ sed 's/}}}}/}},\n}}/' config.json >trailing.json; nn-meter export --kernel fc --configs trailing.json --csv out.csv
  2| nn-meter export: trailing.json:1:104: this comma must go: '}' follows it
  [1]
  $ sed 's/}}}}/}}} \/\/ mine\n}/' config.json >comment.json; nn-meter export --kernel fc --configs comment.json --csv out.csv
  2| nn-meter export: comment.json:1:106: JSON has no comments
  [1]
  $ sed 's/3.5/0 +- 0/' latency.json >zero.json; nn-meter export --kernel fc --configs config.json --latencies zero.json --csv out.csv
  2| nn-meter export: zero.json:1:49: fc 'BBBBBB': latency: found "0 +- 0", need milliseconds above 0 as "37.53 +- 0.314" or as a number
  [1]
  $ sed 's/"3.5"/NaN/' latency.json >nan.json; nn-meter export --kernel fc --configs config.json --latencies nan.json --csv out.csv
  2| nn-meter export: nan.json:1:71: JSON has no NaN; leave a latency out that is not known
  [1]
  $ sed 's/BBBBBB/AAAAAA/' latency.json >twice.json; nn-meter export --kernel fc --configs config.json --latencies twice.json --csv out.csv
  2| nn-meter export: twice.json:1:56: duplicate object key near '"AAAAAA"'
  [1]
  $ printf '\xef\xbb\xbf' | cat - config.json >mark.json; nn-meter export --kernel fc --configs mark.json --latencies latency.json --csv out.csv
  2| (nn-Meter) Wrote 2 rows to out.csv
  $ iconv -t UTF-16 config.json >wide.json; nn-meter export --kernel fc --configs wide.json --csv out.csv
  2| nn-meter export: wide.json:1:1: the text is in UTF-16; save it as UTF-8
  [1]
  $ nn-meter export --kernel fc --configs config.json
  2| nn-meter export: give what to write: --csv OUT or --merge OUT.json
  2| Try 'nn-meter export --help'.
  [2]
  $ nn-meter export --kernel fc --csv out.csv
  2| nn-meter export: give data: --configs F... or --workspace DIR
  2| Try 'nn-meter export --help'.
  [2]

Several kernel types, and what is none, converted from a file with a byte-order mark.

  $ nn-meter create --workspace ws 2>err; nn-meter convert --workspace ws --backend xnnpack_cpu --models mark.json
  kernel             converted  failed
  fc                         2       0
  $ nn-meter convert --workspace ws --models theirs.json
  kernel             converted  failed
  conv-bn-relu               0       2
  addrelu                    1       0
  concat                     1       0
  fc                         2       0
  2| (nn-Meter) warning: YB2F4N: conv-bn-relu HW=13,CIN=212,COUT=176,KERNEL_SIZE=1,STRIDES=1: NNM_ERR_NOT_FOUND: model file '/home/someone/space/predictor_build/kernels/conv-bn-relu_prior_YB2F4N.tflite' does not exist
  2| (nn-Meter) warning: NOTRUN: conv-bn-relu HW=7,CIN=16,COUT=32,KERNEL_SIZE=3,STRIDES=2: NNM_ERR_NOT_FOUND: model file '/home/someone/space/predictor_build/kernels/conv-bn-relu_prior_NOTRUN' does not exist
  2| nn-meter convert: none of 2 models can be used by backend 'xnnpack_cpu'; the first: model file '/home/someone/space/predictor_build/kernels/conv-bn-relu_prior_YB2F4N.tflite' does not exist
  2| (nn-Meter) warning: theirs.json: passed over 'mykernel', which is no kernel type
  [3]
  $ echo '{"mine": {}}' >mine.json; nn-meter convert --workspace ws --models mine.json
  2| nn-meter convert: mine.json holds no kernel type of those that --list-kernels shows; it has mine
  [1]
  $ mkdir -p ws/predictor_build/results; cp config.json ws/predictor_build/results/fc_prior.json; cp latency.json ws/predictor_build/results/profiled_fc.json
  > nn-meter export --kernel fc --workspace ws --csv ws.csv --merge ws.json; cat ws.csv
  model_path,CIN,COUT,FLOPS,PARAMS,latency
  AAAAAA,512,1000,1026000,513000,42.001
  BBBBBB,64,10,1300,650,3.5
  2| (nn-Meter) Wrote 2 kernels, 2 of them with a latency, to ws.json
  2| (nn-Meter) Wrote 2 rows to ws.csv

Data of a customised kernel.

  $ export NN_METER_HOME=$PWD/home; nn-meter register --kernel "$EXAMPLES/custom-kernel-c/meta.yaml" >out 2>err; echo $?
  > echo '{"mykernel": {"A": {"config": {"HW": 7, "CIN": 8, "COUT": 16, "KERNEL_SIZE": 3, "STRIDES": 1}, "latency": 2}}}' >mine.json
  > nn-meter export --kernel mykernel --configs mine.json --merge merged.json --csv mine.csv; cut -d, -f2-6 mine.csv; grep -c mykernel merged.json
  > nn-meter --complete sample --kernel my
  0
  HW,CIN,COUT,KERNEL_SIZE,STRIDES
  7,8,16,3,1
  1
  words
  mykernel
  2| (nn-Meter) Wrote 1 kernels, 1 of them with a latency, to merged.json
  2| (nn-Meter) Wrote 1 rows to mine.csv

Files that hold something else are not written over.

  $ cp mine.json kept.json; nn-meter export --kernel mykernel --configs mine.json --csv kept.json
  2| nn-meter export: kept.json exists and is not a CSV table: it is not written over; remove it, or choose another file
  [1]
  $ cmp mine.json kept.json && echo kept
  kept
