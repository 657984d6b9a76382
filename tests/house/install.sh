#!/bin/sh
# What is installed can be used with nothing but pkg-config: the examples are built against it and run.
# Usage: install.sh CMAKE BUILD_FOLDER EXAMPLES_FOLDER C_COMPILER
set -eu
cmake=$1 build=$2 examples=$3 cc=$4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# As a packager does it: the prefix that was configured, below DESTDIR.
prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$build/CMakeCache.txt")
DESTDIR=$folder/root "$cmake" --install "$build" >"$folder/log" || { cat "$folder/log"; exit 1; }
installed=$folder/root$prefix
pc=$(find "$installed" -name nnmeter.pc)
[ -n "$pc" ] || { echo "nnmeter.pc was not installed"; exit 1; }

# pkg-config takes the prefix from the file's place, so that it also works below DESTDIR.
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
pkg_config="pkg-config --define-variable=prefix=$installed"
LD_LIBRARY_PATH=$($pkg_config --variable=libdir nnmeter)
export LD_LIBRARY_PATH

"$installed/bin/nn-meter" --version
"$installed/bin/nn-meter" --manual | cmp - "$installed/share/man/man1/nn-meter.1"
"$installed/bin/nn-meter" --completion bash | cmp - "$installed/share/bash-completion/completions/nn-meter"
for example in "$examples"/*/; do
    name=$(basename "$example")
    make -s -C "$example" CC="$cc" PKG_CONFIG="$pkg_config" OUT="$folder/$name" CFLAGS='-Wall -Wextra -Wpedantic -Werror'
    if [ -d "$folder/$name" ]; then # the package of a kernel
        NN_METER_HOME=$folder/home "$installed/bin/nn-meter" register --kernel "$folder/$name/meta.yaml"
    else
        "$folder/$name" --help
    fi
done

# The static library needs the libraries that pkg-config names, and no others.
"$cc" -std=c17 -x c $($pkg_config --cflags nnmeter) -o "$folder/static" - -x none \
    "$LD_LIBRARY_PATH/libnnmeter.a" $($pkg_config --static --libs-only-l nnmeter | sed 's/-lnnmeter//') <<'END'
#include <nnmeter/nnmeter.h>
#include <stdio.h>

int main(void)
{
    printf("static: nnmeter %s, %zu backends, %zu kernels\n", nnm_version(), nnm_backend_count(), nnm_kernel_count());
    return nnm_backend_count() == 0 || nnm_kernel_count() == 0;
}
END
"$folder/static"
