#!/bin/sh
# Every comparison with a peer, one after the other: `make bench`. They are only worth anything on a machine that does
# nothing else meanwhile.
set -eu
cd "$(dirname "$0")/.."

heading() { printf '\n== %s\n' "$1"; }

heading "Random forest: fit and predict, beside scikit-learn"
bench/bench_forest.py --program build/bench/bench_forest

heading "Kernels profiled a minute, beside the mean of 50 runs"
build/bench/bench_profile 60 conv-bn-relu
build/bench/bench_profile 60 dwconv-bn-relu

heading "The runtimes side by side"
build/bench/bench_backends

heading "Model files written"
build/bench/bench_generate

heading "Noise of this machine, and what the protocol makes of it"
build/bench/bench_noise
