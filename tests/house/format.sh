#!/bin/sh
# Every C file is laid out as .clang-format says. Only version 14 decides: others differ in details.
# Usage: format.sh PROJECT_FOLDER
cd "$1" || exit 1
version=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
if [ "$version" != 14 ]; then
    echo "clang-format 14 is needed, found: ${version:-none}"
    exit 77
fi
files=$(find include src cli tools examples bench tests -name '*.[ch]' ! -path '*/data/*' 2>/dev/null)
clang-format --dry-run --Werror $files
