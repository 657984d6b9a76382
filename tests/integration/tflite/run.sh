#!/bin/sh
# Compares what TensorFlow Lite computes with the files that we write with what it should compute.
#
#     run.sh TEST_TFLITE PACKAGES
#
# TEST_TFLITE is the unit test program, which writes the files; PACKAGES a folder for what npm installs, once. Exits
# with 77, which ctest counts as skipped, where Node.js, npm or the packages cannot be had.
set -eu

program=$1
packages=$2
here=$(cd "$(dirname "$0")" && pwd)

skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}

command -v node >/dev/null || skip 'Node.js is not installed'
if ! cmp -s "$here/package-lock.json" "$packages/installed.json"; then
    command -v npm >/dev/null || skip 'npm is not installed'
    mkdir -p "$packages"
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$packages"
    (cd "$packages" && npm ci --ignore-scripts --fetch-retries 1) >"$packages/npm.log" 2>&1 || {
        tail -n 5 "$packages/npm.log"
        skip 'npm could not get the packages'
    }
    cp "$here/package-lock.json" "$packages/installed.json"
fi

models=$(mktemp -d)
trap 'rm -rf "$models"' EXIT
"$program" write "$models"
node "$here/check_tflite.mjs" "$packages" "$models"
