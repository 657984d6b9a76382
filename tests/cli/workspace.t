A workspace is made once.

  $ nn-meter create --workspace deep/ws --backend xnnpack_cpu
  $ cd deep/ws && find . | sort
  $ nn-meter create --workspace deep/ws
  $ mkdir taken && echo mine >taken/notes && nn-meter create --workspace taken; cat taken/notes
  $ nn-meter create --workspace other --backend xnnpak_cpu; ls
  $ echo text >file && nn-meter create --workspace file
  $ nn-meter create --workspace file/ws
  $ nn-meter create --workspace=plain

The lists of what there is.

  $ nn-meter --list-kernels
  $ nn-meter --list-backends
  $ nn-meter --list-backends --json | /usr/bin/python3 -c 'import json, sys
  > for b in json.load(sys.stdin)["backends"]: print(b["name"], b["available"], b["version"] != "", b["why_not"])'

A backend says hello.

  $ nn-meter connect --backend xnnpack_cpu --workspace deep/ws
  $ nn-meter connect --workspace deep/ws
  $ nn-meter connect --workspace deep/ws --json
  $ nn-meter connect --workspace deep/ws --backend xnnpack
  $ nn-meter connect --workspace deep/ws --backend tflite_cpu
  $ find deep/ws -name 'connect*'

What is no workspace.

  $ nn-meter connect --workspace nowhere
  $ nn-meter connect --workspace taken
  $ nn-meter connect --workspace file
  $ nn-meter sample --workspace nowhere --kernel conv-bn-relu --num 3
  $ nn-meter profile --workspace nowhere --models a.json
  $ nn-meter build --workspace nowhere
  $ nn-meter adapt --workspace nowhere --kernel conv-bn-relu
  $ nn-meter train --workspace nowhere --kernel conv-bn-relu -o p.nnm

Mistakes in the configuration files are told with file, line and key.

  $ config=plain/configs/predictorbuild_config.yaml; cp $config good.yaml
  > sed 's/^BATCH_SIZE:.*/BATCH_SIZE: many/' good.yaml >$config; nn-meter connect --workspace plain
  $ sed 's/^BATCH_SIZE:/BACH_SIZE:/' good.yaml >plain/configs/predictorbuild_config.yaml
  > nn-meter build --workspace plain
  $ printf 'DETAIL: [\n' >plain/configs/predictorbuild_config.yaml; nn-meter build --workspace plain
  $ rm plain/configs/predictorbuild_config.yaml; nn-meter build --workspace plain
  $ cp good.yaml plain/configs/predictorbuild_config.yaml
  > sed -i 's/^THREADS:.*/THREADS: 0/' plain/configs/backend_config.yaml; nn-meter build --workspace plain
