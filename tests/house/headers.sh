#!/bin/sh
# Every public header compiles alone, in C17 and in C++17, without a warning.
# Usage: headers.sh INCLUDE_FOLDER C_COMPILER CXX_COMPILER
set -u
include=$1 cc=$2 cxx=$3
failed=0
count=0
for header in "$include"/nnmeter/*.h; do
    name=nnmeter/${header##*/}
    count=$((count + 1))
    # Twice: include guards are part of it.
    for compiler in "$cc -std=c17 -x c -Wstrict-prototypes" "$cxx -std=c++17 -x c++"; do
        printf '#include <%s>\n#include <%s>\n' "$name" "$name" |
            $compiler -fsyntax-only -Wall -Wextra -Wpedantic -Werror -I"$include" - || {
            echo "$name does not compile alone with: $compiler"
            failed=1
        }
    done
done
[ "$count" -gt 0 ] || { echo "no header in $include/nnmeter"; exit 1; }
exit $failed
