#!/bin/sh
# The manual page is written as man(7) wants it: no warning from groff, nor from mandoc where that is installed.
# Usage: manual.sh NN-METER
set -eu
checked=no
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
page=$folder/nn-meter.1 found=$folder/found
"$1" --manual >"$page"

# -ww: every warning. -z: print nothing else. A page set for 80 columns must not run over.
if command -v groff >/dev/null && groff -man -Tutf8 -z /dev/null 2>/dev/null; then
    checked=yes
    groff -man -Tutf8 -rLL=80n -ww -z "$page" 2>"$found" || echo "groff failed" >>"$found"
fi
# The page bears the version and no date, so that equal sources make equal pages.
if command -v mandoc >/dev/null; then
    checked=yes
    mandoc -Tlint -Wwarning "$page" | grep -v 'missing date' >>"$found" || :
fi
[ $checked = yes ] || { echo "neither groff nor mandoc is installed"; exit 77; }
cat "$found"
[ ! -s "$found" ]
