#!/bin/sh
# Installs the Debian packages that nn-meter is built with, and gets ONNX Runtime, which Debian 12 does not have. What is
# there already is left alone, so calling it again costs nothing and says nothing.
#
#     scripts/setup.sh              what `make` needs
#     scripts/setup.sh --test       also what `make test` needs
#     scripts/setup.sh --bench      also what `make bench` needs
#     scripts/setup.sh --list       only print the names of missing packages; combines with the others
set -eu

build='build-essential cmake ninja-build pkg-config
    libyaml-dev libjansson-dev libsqlite3-dev libprotobuf-c-dev protobuf-c-compiler libonnx-dev libcsv-dev zlib1g-dev'
# The charts of reports; without it reports have tables only.
charts='libjs-chart.js'
# Not built for every processor; without them there is no xnnpack_cpu or onednn_cpu backend, and everything else works.
runtimes='libxnnpack-dev libpthreadpool-dev libdnnl-dev'
# clang and its run-time library are for the fuzzers.
tests='libcmocka-dev locales python3 python3-onnx clang libclang-rt-dev clang-format'
# groff checks the manual page, chromium opens a report and takes its picture.
tests="$tests groff-base chromium"
# For TensorFlow Lite in WebAssembly; an npm from elsewhere will do.
command -v npm >/dev/null || tests="$tests npm"
comparisons='python3-sklearn python3-xgboost'

die() {
    printf 'setup.sh: %s\n' "$*" >&2
    exit 1
}

wanted="$build $charts $runtimes"
list_only=no
for argument in "$@"; do
    case $argument in
    --test) wanted="$wanted $tests" ;;
    --bench) wanted="$wanted $comparisons" ;;
    --list) list_only=yes ;;
    -h | --help)
        sed -n '2,/^set -eu/{/^#/s/^# \{0,1\}//p;}' "$0"
        exit 0
        ;;
    *) die "unknown option '$argument'; there are --test, --bench, --list and --help" ;;
    esac
done

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# apt can offer a version of this package.
available() {
    apt-cache policy "$1" 2>/dev/null | grep -q '^  Candidate: [^(]'
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die "this is not a Debian-like system (there is no apt-get). Install what these Debian packages hold:" $wanted
fi

# Newer systems have ONNX Runtime as a package; for others it comes with npm. Without either there is no onnxruntime_cpu
# backend, and everything else works.
onnxruntime=$(dirname "$0")/onnxruntime.sh
for_onnxruntime=
if "$onnxruntime" --needed; then
    if available libonnxruntime-dev; then
        for_onnxruntime=libonnxruntime-dev
    elif ! command -v npm >/dev/null; then
        for_onnxruntime=npm
    fi
fi

missing=
for package in $wanted; do
    installed "$package" || missing="$missing $package"
done
if [ "$list_only" = yes ]; then
    [ -z "$missing$for_onnxruntime" ] || printf '%s\n' $missing $for_onnxruntime
    exit 0
fi
[ -n "$missing$for_onnxruntime" ] || exec "$onnxruntime"

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null; then
        as_root=sudo
    elif [ -z "$missing" ]; then
        exec "$onnxruntime"
    else
        die "these packages are missing and only root can install them:$missing"
    fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Hundreds of lines of apt are only of interest when it fails.
# DPkg::Lock::Timeout: a machine that has just started may be busy with updates of its own.
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1
}

give_up() {
    tail -n 20 "$log" >&2
    die "$@"
}

get_onnxruntime() {
    if [ -n "$for_onnxruntime" ]; then
        echo "Installing $for_onnxruntime"
        apt install --yes --no-install-recommends $for_onnxruntime ||
            echo "setup.sh: apt-get could not install $for_onnxruntime; going on without it" >&2
    fi
    "$onnxruntime"
}

if [ -z "$missing" ]; then
    get_onnxruntime
    exit 0
fi

echo "Installing$missing"
updated=no
for package in $missing; do
    if ! available "$package"; then
        apt update || give_up "apt-get update failed"
        updated=yes
        break
    fi
done

install=
for package in $missing; do
    if available "$package"; then
        install="$install $package"
    elif printf '%s\n' $charts $runtimes | grep -qx "$package"; then
        echo "setup.sh: $package does not exist for this system; going on without it" >&2
    else
        die "apt knows no package called $package; this list was made for Debian 12 (bookworm)"
    fi
done
if [ -z "$install" ]; then
    get_onnxruntime
    exit 0
fi

if ! apt install --yes --no-install-recommends $install; then
    [ "$updated" = no ] || give_up "apt-get could not install$install"
    apt update || give_up "apt-get update failed" # the lists may be older than what the mirrors still have
    apt install --yes --no-install-recommends $install || give_up "apt-get could not install$install"
fi
get_onnxruntime
