#!/bin/bash
# Runs transcripts of the command line and compares what they print.
#
#   run.sh NN-METER FILE.t...        compare; shows what differs; exit status 1 if anything does
#   run.sh -u NN-METER FILE.t...     update: what differs is written into the transcripts
#
# A transcript is text in which indented lines are commands and what is expected of them:
#
#     $ nn-meter --version              a command, given to bash
#     > a further line of it
#     nn-meter 0.1.0                    a line of its standard output
#     2| a line of standard error       (all of them follow standard output)
#     [1]                               its exit status, where that is not 0
#
# Two blanks come before each. A '~' at the end of an expected line, after a blank, makes every '*' in it stand for any
# text; a line "..." stands for any number of lines. Every transcript runs in an empty folder of its own, its commands
# one after the other; that folder's path is written $WORK. $DATA is tests/data, $DOCS is docs, and $EXAMPLES the built
# examples, whose path is written so too. Blank lines of output are written "|". A command that finds the machine busy with somebody else's measurements, and says so on standard error or
# in the file err, is tried again.
set -u

update=no
[ "$1" = -u ] && update=yes && shift
program=$(realpath -e "$1") || exit 2
shift
here=$(dirname "$(realpath "$0")")
tests=$(dirname "$here")
export DATA=$tests/data DOCS=$(dirname "$tests")/docs EXAMPLES=$(dirname "$program")/examples
export LC_ALL=C TERM=dumb
unset NO_COLOR NN_METER_HOME
status=0

# matches EXPECTED ACTUAL: one line
matches() {
    [ "$1" = "$2" ] && return 0
    case $1 in *' ~') ;; *) return 1 ;; esac
    local pattern=${1% \~}
    pattern=${pattern//\\/\\\\}
    pattern=${pattern//\[/\\[}
    pattern=${pattern//\?/\\?}
    # shellcheck disable=SC2053
    [[ $2 == $pattern ]]
}

# same: do the lines of `actual` fulfil those of `expected`?
same() {
    local e=0 a=0
    while [ $e -lt ${#expected[@]} ]; do
        if [ "${expected[e]}" = ... ]; then
            e=$((e + 1))
            [ $e -eq ${#expected[@]} ] && return 0
            until [ $a -ge ${#actual[@]} ] || matches "${expected[e]}" "${actual[a]}"; do a=$((a + 1)); done
        fi
        [ $a -lt ${#actual[@]} ] && matches "${expected[e]}" "${actual[a]}" || return 1
        e=$((e + 1))
        a=$((a + 1))
    done
    [ $a -eq ${#actual[@]} ]
}

# run_case: runs `command`, compares with `expected`, appends what the transcript should hold to $folder/new
run_case() {
    [ -z "$command" ] && return
    local code tries=0
    while :; do
        rm -f "$folder/work/err"
        (cd "$folder/work" && PATH=$folder/bin:$PATH HOME=$folder/home exec bash -c "$command" </dev/null \
            >"$folder/out" 2>"$folder/err")
        code=$?
        grep -qs 'another profiler is measuring' "$folder/err" "$folder/work/err" && [ $((tries += 1)) -le 300 ] || break
        sleep 1
    done
    sed -i "s#$folder/work#\$WORK#g; s#$EXAMPLES#\$EXAMPLES#g" "$folder/out" "$folder/err"
    mapfile -t actual < <(sed 's/^$/|/' "$folder/out"; [ -n "$(tail -c1 "$folder/out")" ] && echo
                          sed 's/^/2| /' "$folder/err"; [ -n "$(tail -c1 "$folder/err")" ] && echo)
    [ $code -eq 0 ] || actual+=("[$code]")
    if same; then
        [ ${#expected[@]} -eq 0 ] || printf '  %s\n' "${expected[@]}" >>"$folder/new"
    else
        [ ${#actual[@]} -eq 0 ] || printf '  %s\n' "${actual[@]}" >>"$folder/new"
        failed=yes
        [ $update = yes ] && return
        echo "$file:$line: $command"
        diff <(printf '%s\n' "${expected[@]}") <(printf '%s\n' "${actual[@]}") | grep '^[<>]' |
            sed 's/^</  expected:/; s/^>/  found:   /'
    fi
}

run_file() {
    file=$1
    folder=$(realpath "$(mktemp -d)") || exit 2
    mkdir "$folder/bin" "$folder/home" "$folder/work"
    ln -s "$program" "$folder/bin/nn-meter"
    failed=no command='' line=0
    local text count=0 rest
    expected=()
    : >"$folder/new"
    while IFS= read -r text || [ -n "$text" ]; do
        count=$((count + 1))
        case $text in
        '  $ '*)
            run_case
            command=${text#'  $ '} expected=() line=$count ;;
        '  > '*) command+=$'\n'${text#'  > '} ;;
        '  '*) expected+=("${text#  }"); continue ;;
        *) run_case; command='' expected=() ;;
        esac
        printf '%s\n' "$text" >>"$folder/new"
    done <"$file"
    run_case
    if [ $failed = yes ] && [ $update = yes ]; then
        cat "$folder/new" >"$file" && echo "updated $file"
    elif [ $failed = yes ]; then
        status=1
    fi
    rm -rf "$folder"
}

for transcript in "$@"; do
    run_file "$transcript"
done
exit $status
