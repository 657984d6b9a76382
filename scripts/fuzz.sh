#!/bin/sh
# Runs every libFuzzer program of a build folder for some seconds each: scripts/fuzz.sh BUILD_FOLDER SECONDS
# tests/fuzz/corpus/NAME, where it exists, holds inputs to begin with; new finds are kept in BUILD_FOLDER/corpus/NAME.
set -eu
[ $# -eq 2 ] || { echo "usage: scripts/fuzz.sh BUILD_FOLDER SECONDS" >&2; exit 2; }
build=$1
seconds=$2
ran=0
for program in "$build"/tests/fuzz_*; do
    [ -f "$program" ] && [ -x "$program" ] || continue
    name=${program##*/fuzz_}
    corpus=$build/corpus/$name
    seeds=tests/fuzz/corpus/$name
    mkdir -p "$corpus"
    [ -d "$seeds" ] || seeds=
    echo "== $name, $seconds s"
    "$program" -max_total_time="$seconds" -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$build/corpus/$name-" "$corpus" $seeds
    ran=$((ran + 1))
done
[ "$ran" -gt 0 ] || { echo "there is no fuzzer in $build/tests" >&2; exit 1; }
echo "$ran fuzzers found nothing"
