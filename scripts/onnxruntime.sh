#!/bin/sh
# Gets ONNX Runtime's shared library into runtimes/onnxruntime/, unless the system has one or it is there already. It
# is taken out of the npm package onnxruntime-node; no script of the package is run, and only the library is kept.
#
#     scripts/onnxruntime.sh            get it
#     scripts/onnxruntime.sh --needed   only tell, by the exit status, whether there is something to get
set -eu

version=1.30.0
case $(uname -m) in
x86_64) folder=x64 sum=ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23 ;;
aarch64) folder=arm64 sum=1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76 ;;
*) folder= ;;
esac
member=package/bin/napi-v6/linux/$folder/libonnxruntime.so.1
target=$(cd "$(dirname "$0")/.." && pwd)/runtimes/onnxruntime

# It is one of several runtimes, so the build goes on without it.
give_up() {
    printf 'onnxruntime.sh: %s; going on without the backend onnxruntime_cpu\n' "$*" >&2
    exit 0
}

needed() {
    if PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -q 'libonnxruntime\.so\(\.1\)\{0,1\} '; then return 1; fi
    [ ! -f "$target/libonnxruntime.so.1" ] || [ "$(cat "$target/VERSION" 2>/dev/null)" != "$version" ]
}

if [ "${1-}" = --needed ]; then
    [ -n "$folder" ] && needed
    exit
fi
needed || exit 0
[ -n "$folder" ] || give_up "there is no ready-made ONNX Runtime for $(uname -m)"
command -v npm >/dev/null || give_up 'npm, which gets ONNX Runtime, is not installed'

echo "Getting ONNX Runtime $version (110 MB)"
mkdir -p "$target"
work=$(mktemp -d "$target/unfinished.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
npm pack --silent --ignore-scripts --cache "$work/cache" --fetch-retries 1 "onnxruntime-node@$version" >log 2>&1 ||
    { tail -n 5 log >&2; give_up "npm could not get onnxruntime-node $version"; }
tar -xzf "onnxruntime-node-$version.tgz" "$member" || give_up "onnxruntime-node $version has no $member"
echo "$sum  $member" | sha256sum --check --status || give_up "what npm got is not the library that was expected"
mv "$member" "$target/libonnxruntime.so.1"
echo "$version" >"$target/VERSION"
