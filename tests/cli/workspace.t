A workspace is made once.

  $ nn-meter create --workspace deep/ws --backend xnnpack_cpu
  2| (nn-Meter) Created workspace $WORK/deep/ws for backend xnnpack_cpu
  2| (nn-Meter) Its settings stand in $WORK/deep/ws/configs/predictorbuild_config.yaml
  $ cd deep/ws && find . | sort
  .
  ./configs
  ./configs/backend_config.yaml
  ./configs/predictorbuild_config.yaml
  ./predictor_build
  ./predictor_build/kernels
  ./predictor_build/results
  ./predictor_build/results/collection
  ./predictor_build/results/predictors
  $ nn-meter create --workspace deep/ws
  2| nn-meter create: 'deep/ws' is a workspace already; nothing was changed
  [1]
  $ mkdir taken && echo mine >taken/notes && nn-meter create --workspace taken
  2| nn-meter create: folder 'taken' is not empty: it has 'notes'
  [1]
  $ nn-meter create --workspace other --backend xnnpak_cpu
  2| nn-meter create: there is no backend 'xnnpak_cpu'; did you mean 'xnnpack_cpu'?
  [1]
  $ echo text >file && nn-meter create --workspace file
  2| nn-meter create: 'file' is there already, and not a folder
  [1]
  $ nn-meter create --workspace file/ws
  2| nn-meter create: cannot create a workspace: cannot create folder 'file': File exists
  [1]
  $ nn-meter create --workspace=plain
  2| (nn-Meter) Created workspace $WORK/plain for backend xnnpack_cpu
  2| (nn-Meter) Its settings stand in $WORK/plain/configs/predictorbuild_config.yaml
  $ ls; cat taken/notes
  deep
  file
  plain
  taken
  mine

The lists of what there is.

  $ nn-meter --list-kernels
  (nn-Meter) Supported kernels: ('*' indicates customized kernels)
  (nn-Meter) [Kernel] conv-bn-relu
  (nn-Meter) [Kernel] conv-bn-relu6
  (nn-Meter) [Kernel] conv-bn
  (nn-Meter) [Kernel] conv-relu
  (nn-Meter) [Kernel] conv-relu6
  (nn-Meter) [Kernel] conv-hswish
  (nn-Meter) [Kernel] conv-block
  (nn-Meter) [Kernel] conv-bn-hswish
  (nn-Meter) [Kernel] conv-swish
  (nn-Meter) [Kernel] dwconv-bn
  (nn-Meter) [Kernel] dwconv-relu
  (nn-Meter) [Kernel] dwconv-relu6
  (nn-Meter) [Kernel] dwconv-bn-relu
  (nn-Meter) [Kernel] dwconv-bn-relu6
  (nn-Meter) [Kernel] dwconv-block
  (nn-Meter) [Kernel] dwconv-bn-hswish
  (nn-Meter) [Kernel] dwconv-swish
  (nn-Meter) [Kernel] maxpool
  (nn-Meter) [Kernel] avgpool
  (nn-Meter) [Kernel] fc
  (nn-Meter) [Kernel] concat
  (nn-Meter) [Kernel] split
  (nn-Meter) [Kernel] channelshuffle
  (nn-Meter) [Kernel] se
  (nn-Meter) [Kernel] global-avgpool
  (nn-Meter) [Kernel] bnrelu
  (nn-Meter) [Kernel] bn
  (nn-Meter) [Kernel] hswish
  (nn-Meter) [Kernel] swish
  (nn-Meter) [Kernel] relu
  (nn-Meter) [Kernel] addrelu
  (nn-Meter) [Kernel] add
  (nn-Meter) [Kernel] matmul
  $ nn-meter --list-backends
  (nn-Meter) Supported backends: ('*' indicates customized backends)
  (nn-Meter) [Backend] xnnpack_cpu
  (nn-Meter) [Backend] onnxruntime_cpu
  (nn-Meter) [Backend] onednn_cpu
  (nn-Meter) [Backend] simulated
  $ nn-meter --list-backends --json | /usr/bin/python3 -c 'import json, sys
  > for b in json.load(sys.stdin)["backends"]: print(b["name"], b["available"], b["version"] != "", b["why_not"])'
  xnnpack_cpu True True None
  onnxruntime_cpu * ~
  onednn_cpu * ~
  simulated True True None

A backend says hello.

  $ nn-meter connect --backend xnnpack_cpu --workspace deep/ws
  (nn-Meter) hello backend !
  $ nn-meter connect --workspace deep/ws
  (nn-Meter) hello backend !
  $ nn-meter connect --workspace deep/ws --json
  {"backend": "xnnpack_cpu", "connected": true, "latency_ms": 0.*} ~
  $ nn-meter connect --workspace deep/ws --backend xnnpack
  2| nn-meter connect: there is no backend 'xnnpack'; known are: *xnnpack_cpu* ~
  [1]
  $ nn-meter connect --workspace deep/ws --backend tflite_cpu
  2| nn-meter connect: there is no backend 'tflite_cpu'; known are: *xnnpack_cpu* ~
  [1]
  $ find deep/ws -name 'connect*'

What is no workspace.

  $ nn-meter connect --workspace nowhere
  2| nn-meter connect: there is no folder 'nowhere'; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]
  $ nn-meter connect --workspace taken
  2| nn-meter connect: 'taken' is not a workspace: it has no configs/predictorbuild_config.yaml; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]
  $ nn-meter connect --workspace file
  2| nn-meter connect: there is no folder 'file'; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]
  $ nn-meter sample --workspace nowhere --kernel conv-bn-relu --num 3
  2| nn-meter sample: there is no folder 'nowhere'; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]
  $ nn-meter profile --workspace nowhere --models a.json
  2| nn-meter profile: there is no folder 'nowhere'; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]
  $ nn-meter build --workspace nowhere
  2| nn-meter build: there is no folder 'nowhere'; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]
  $ nn-meter adapt --workspace nowhere --kernel conv-bn-relu
  2| nn-meter adapt: there is no folder 'nowhere'; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]
  $ nn-meter train --workspace nowhere --kernel conv-bn-relu -o p.nnm
  2| nn-meter train: there is no folder 'nowhere'; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]

Mistakes in the configuration files are told with file, line and key.

  $ config=plain/configs/predictorbuild_config.yaml; cp $config good.yaml
  > sed 's/^BATCH_SIZE:.*/BATCH_SIZE: many/' good.yaml >$config; nn-meter connect --workspace plain
  2| nn-meter connect: $WORK/plain/configs/predictorbuild_config.yaml:11:13: BATCH_SIZE: found 'many', need a whole number from 1 to 4096
  [1]
  $ sed 's/^BATCH_SIZE:/BACH_SIZE:/' good.yaml >plain/configs/predictorbuild_config.yaml
  > nn-meter build --workspace plain
  2| nn-meter build: $WORK/plain/configs/predictorbuild_config.yaml:11:1: unknown key 'BACH_SIZE'; did you mean 'BATCH_SIZE'?
  [1]
  $ printf 'DETAIL: [\n' >plain/configs/predictorbuild_config.yaml; nn-meter build --workspace plain
  2| nn-meter build: $WORK/plain/configs/predictorbuild_config.yaml:2:1: while parsing a flow node, did not find expected node content
  [1]
  $ rm plain/configs/predictorbuild_config.yaml; nn-meter build --workspace plain
  2| nn-meter build: 'plain' is not a workspace: it has no configs/predictorbuild_config.yaml; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]
  $ cp good.yaml plain/configs/predictorbuild_config.yaml
  > sed -i 's/^THREADS:.*/THREADS: 0/' plain/configs/backend_config.yaml; nn-meter build --workspace plain
  2| nn-meter build: $WORK/plain/configs/backend_config.yaml:7:10: THREADS: found '0', need a whole number from 1 to 256
  [1]
