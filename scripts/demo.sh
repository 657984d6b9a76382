#!/bin/bash
# Builds a latency predictor for conv-bn-relu on this machine's CPU, from real measurements, in about two minutes,
# and holds it against ten kernels that it never saw.
#
#     scripts/demo.sh                the workspace is removed at the end
#     scripts/demo.sh --keep DIR     makes the workspace DIR and leaves it
#
# NNM_DEMO_SECONDS: time after which what has been measured has to do (120).
set -euo pipefail
cd "$(dirname "$0")/.."

nn_meter=build/nn-meter
kernel=conv-bn-relu
backend=xnnpack_cpu
budget=${NNM_DEMO_SECONDS:-120}
num=150
keep=

usage() {
    sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p;}' "$0"
}
while [ $# -gt 0 ]; do
    case $1 in
    --keep)
        keep=${2:?--keep needs the name of a folder}
        shift
        ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done
[ -x $nn_meter ] || { echo "There is no $nn_meter yet: call make first." >&2 && exit 1; }

bold='' dim='' green='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\033[1m' dim=$'\033[2m' green=$'\033[32m' red=$'\033[31m' plain=$'\033[0m'
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
workspace=${keep:-$scratch/workspace}
results=$workspace/predictor_build/results

heading() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
line() { printf '  %-13s %s\n' "$1" "$2"; }

# Shows a command as it would be typed and runs it. What it says beside its answer (progress, remarks) stays visible.
show() { printf '%s$ nn-meter %s%s\n' "$dim" "${*//$workspace/WORKSPACE}" "$plain"; }
run() {
    show "$@"
    $nn_meter "$@"
}
# The same for a command with --json; its answer goes to a file.
ask() {
    local answer=$scratch/$1
    shift
    show "$@"
    $nn_meter "$@" --json >"$answer"
}

# field FILE NAME: the first value called NAME in a JSON answer, without quotes; empty where there is none.
field() {
    awk -v name="$2" 'match($0, "\"" name "\": *(\"[^\"]*\"|[^],}]*)") {
            value = substr($0, RSTART, RLENGTH)
            sub(/^"[^"]*": */, "", value)
            gsub(/"/, "", value)
            if (value != "null") print value
            exit
        }' "$1"
}
calculate() { awk "BEGIN { printf \"$1\", $2 }"; }
percent() { if [ -n "$1" ]; then calculate '%.0f %%' "100 * $1"; else echo unknown; fi; }
seconds() { calculate '%.0f s' "$1"; }

# configurations FILE: those of a configuration file, a line each: HW=56,CIN=64,...
configurations() {
    awk 'BEGIN { RS = "}" }
        match($0, /"config"[^{]*[{]/) {
            text = substr($0, RSTART + RLENGTH)
            gsub(/[" \t\r\n]/, "", text)
            gsub(/:/, "=", text)
            print text
        }' "$1"
}

# ---- this machine ----

began=$SECONDS
$nn_meter doctor --seconds 2 --json >"$scratch/doctor"
tr '}' '\n' <"$scratch/doctor" | grep "\"name\": \"$backend\"" >"$scratch/backend" || true
if [ "$(field "$scratch/backend" available)" != true ]; then
    echo "The backend $backend is not available: $(field "$scratch/backend" why_not)" >&2
    exit 1
fi

printf '%sA latency predictor for this machine, in about two minutes%s\n\n' "$bold" "$plain"
line processor "$(field "$scratch/doctor" cpu), $(field "$scratch/doctor" cpus) CPUs, $(calculate '%.2f' \
    "$(field "$scratch/doctor" clock_ghz)") GHz, $(calculate '%.0f' "$(field "$scratch/doctor" memory_gib)") GiB"
line system "$(field "$scratch/doctor" system)"
line runtime "XNNPACK $(field "$scratch/backend" version), backend $backend"
quiet=$(field "$scratch/doctor" quiet_share)
[ -z "$quiet" ] || line quiet "CPU 0 is undisturbed $(percent "$quiet") of the time; measuring waits for such moments"

# ---- the backend ----

heading "Does the runtime run?"
run create --workspace "$workspace" --backend $backend
run connect --workspace "$workspace" --backend $backend

# ---- build ----

heading "Sample, measure, fit"
# The prior has kernels a thousand times slower than others. Should too many be among these, the measurements that are
# there when the time is up do as well.
predictor=$results/predictors/${kernel}_prior.nnm
show build --workspace "$workspace" --backend $backend --kernel $kernel --num "$num" --iteration 1 --quick
code=0
built=$SECONDS
timeout --foreground --signal INT "$budget" $nn_meter build --workspace "$workspace" --backend $backend \
    --kernel $kernel --num "$num" --iteration 1 --quick --json >"$scratch/build" || code=$?
built=$((SECONDS - built))
case $code in
0 | 3) predictor=$(field "$scratch/build" predictor) ;;
124)
    predictor=$results/predictors/${kernel}_demo.nnm
    echo "  The time is up: what has been measured so far has to do."
    ask build train --workspace "$workspace" --kernel $kernel --output "$predictor"
    ;;
*) exit $code ;;
esac

rows=$(field "$scratch/build" rows)
tests=$(field "$scratch/build" test_rows)
line kernels "$rows measured and fitted in $built s"
failed=$(field "$scratch/build" failed)
[ "${failed:-0}" = 0 ] || line failed "$failed kernels; see the messages above"
echo
line accuracy "on $tests of them, which the predictor was not trained on:"
for tolerance in 5 10 15; do
    share=$(field "$scratch/build" acc$tolerance)
    line "" "$(printf '%5s within ±%s %%' "$(percent "$share")" $tolerance)"
done
line "" "$(printf '%5s RMSPE' "$(percent "$(field "$scratch/build" rmspe)")")"
agree=$(field "$scratch/build" agree10)
repeated=$(field "$scratch/build" repeated)
[ -z "$agree" ] || line labels "$repeated kernels were measured again: $(percent "$agree") took the same within 10 %"
ceiling=$(field "$scratch/build" noise_ceiling10)
[ -z "$ceiling" ] || line "" "with such labels a perfect predictor would have $(percent "$ceiling") within ±10 %"

# ---- ten kernels that nobody has measured ----

heading "Ten more, predicted first and then measured"
cat "$results/${kernel}"_*.json >"$scratch/known.json"
configurations "$scratch/known.json" | sort -u >"$scratch/known"
seed=2024
while :; do # a configuration that was measured above may be drawn again: then ten others are
    $nn_meter sample --workspace "$workspace" --kernel $kernel --num 10 --mark unseen --seed $seed >/dev/null
    configurations "$results/${kernel}_unseen.json" >"$scratch/unseen"
    grep -qxFf "$scratch/known" "$scratch/unseen" || break
    rm "$results/${kernel}_unseen.json"
    seed=$((seed + 1))
    [ $seed -lt 2074 ] || { echo "Every sample has a kernel that was measured before." >&2 && exit 1; }
done
show sample --workspace "$workspace" --kernel $kernel --num 10 --mark unseen --seed $seed

show predict --predictor "$predictor" --config "$(head -n 1 "$scratch/unseen")"
while IFS= read -r configuration; do
    $nn_meter predict --predictor "$predictor" --config "$configuration" --json >"$scratch/prediction"
    printf '%s %s\n' "$configuration" "$(field "$scratch/prediction" latency_ms)"
done <"$scratch/unseen" >"$scratch/predicted"

ask unseen.json profile --workspace "$workspace" --backend $backend --models "$results/${kernel}_unseen.json"
$nn_meter export --kernel $kernel --configs "$results/${kernel}_unseen.json" \
    --latencies "$results/profiled_$kernel.json" --csv "$scratch/measured.csv" 2>/dev/null

echo
awk -v bold="$bold" -v green="$green" -v red="$red" -v plain="$plain" '
    FILENAME == ARGV[1] && FNR == 1 { # the table of measured kernels: which column is what
        columns = split($0, name, ",")
        next
    }
    FILENAME == ARGV[1] {
        split($0, cell, ",")
        for (i = 1; i <= columns; i++) value[name[i]] = cell[i]
        key = "HW=" value["HW"] ",CIN=" value["CIN"] ",COUT=" value["COUT"] ",KERNEL_SIZE=" value["KERNEL_SIZE"] \
            ",STRIDES=" value["STRIDES"]
        measured[key] = cell[columns]
        next
    }
    FNR == 1 {
        printf "%s  %4s %6s %6s %7s %7s   %12s %12s %8s%s\n", bold, "HW", "CIN", "COUT", "KERNEL", "STRIDE",
            "predicted", "measured", "error", plain
    }
    {
        split($1, pair, ",")
        for (i = 1; i <= 5; i++) sub(/.*=/, "", pair[i])
        printf "  %4d %6d %6d %7d %7d   %9.4f ms", pair[1], pair[2], pair[3], pair[4], pair[5], $2
        if (!($1 in measured)) {
            printf " %12s\n", "failed"
            next
        }
        error = ($2 - measured[$1]) / measured[$1]
        near = error <= 0.1 && error >= -0.1
        within += near
        count++
        printf " %9.4f ms %s%+6.1f %%%s\n", measured[$1], near ? green : red, 100 * error, plain
    }
    END { printf "\n  %d of %d within ±10 %%\n", within, count }' "$scratch/measured.csv" "$scratch/predicted"

heading "Done in $((SECONDS - began)) s"
if [ -n "$keep" ]; then
    echo "  Predict more:  $nn_meter predict --predictor $predictor \\"
    echo "                     --config $(head -n 1 "$scratch/unseen")"
else
    echo "  Keep the workspace and the predictor:  scripts/demo.sh --keep DIR"
fi
echo "  More kernels, and adaptive sampling:   $nn_meter build --help"
