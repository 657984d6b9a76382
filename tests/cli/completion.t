Completion in bash: the script asks the program, which knows its tables. What the program answers:

  $ nn-meter --complete pro
  words
  profile
  $ nn-meter --complete export --on
  words
  --onnx
  $ nn-meter --complete create --tfl
  words
  $ nn-meter --complete train --model r
  words
  random_forest
  $ nn-meter --complete train --model=r
  words
  --model=random_forest
  $ nn-meter --complete sample --kernel global
  words
  global-avgpool
  $ nn-meter --complete sample --kernel = glob
  words
  global-avgpool
  $ nn-meter --complete connect --backend xnn
  words
  xnnpack_cpu
  $ nn-meter --complete connect --workspace ''
  folders
  $ nn-meter --complete profile --models ''
  files json
  $ nn-meter --complete export --configs a.json b
  files json
  $ nn-meter --complete evaluate --csv x
  files csv
  $ nn-meter --complete --l
  words
  --list-kernels
  --list-backends
  $ nn-meter --complete --completion ''
  words
  bash
  $ nn-meter --complete | head -3
  words
  create
  connect

Options that were given are not offered again, but for those that may be repeated; after "--" nothing is.

  $ nn-meter --complete connect --workspace ws ''
  words
  --backend
  --json
  --help
  $ nn-meter --complete connect --workspace=ws --json --backend=xnnpack_cpu -
  words
  --help
  $ nn-meter --complete train -o p.nnm --configs a.json --o
  words
  $ nn-meter --complete train -o p.nnm --configs a.json --con
  words
  --configs
  $ nn-meter --complete connect -- --w
  words
  $ nn-meter --complete bulid --w
  words

In a shell.

  $ nn-meter --completion bash >script; touch data.json data.csv 'more data.json'; mkdir folder
  > cat >press <<'end'
  > source ./script
  > compopt() { echo "compopt $*"; }
  > press() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _nn_meter nn-meter; printf '<%s>\n' "${COMPREPLY[@]}"; }
  > end
  $ . ./press; press nn-meter --list-k
  compopt +o default
  <--list-kernels>
  $ . ./press; press nn-meter eva
  compopt +o default
  <evaluate>
  $ . ./press; press nn-meter build --kernel = addr
  compopt +o default
  <addrelu>
  $ . ./press; press nn-meter train --model = b
  compopt +o default
  <best>
  $ . ./press; press nn-meter profile --models d
  compopt -o filenames
  <data.json>
  $ . ./press; press nn-meter profile --models ''
  compopt -o filenames
  <data.json>
  <more data.json>
  <folder>
  $ . ./press; press nn-meter predict --predictor ''
  <>
  $ . ./press; press nn-meter create --workspace ''
  compopt +o default -o dirnames
  <>
  $ . ./press; press nn-meter build --num ''
  compopt +o default
  <>
  $ complete -p nn-meter 2>err || . ./script && complete -p nn-meter
  complete -o default -F _nn_meter nn-meter

And with the key itself.

  $ printf 'PS1=\nsource ./script\nnn-meter --vers\t\n./no-such-nn-meter\nnn-meter conn\t--work\tnowhere\nexit\n' >keys
  > (sleep 1; cat keys) | script -qec 'bash --norc --noprofile -i' /dev/null | tr -d '\r' | grep -a -e '^nn-meter [0-9]' -e '^nn-meter connect:'
  nn-meter 0.1.0
  nn-meter connect: there is no folder 'nowhere'; a workspace is made by: nn-meter create --workspace DIR --backend NAME

The manual page is made of the same tables (its form is a test of its own).

  $ nn-meter --manual | sed -n '/^\.TH/p; /^\.SH/p; /^\.SS build/,/^\.SS/{/^Seconds/p}'
  .TH NN\-METER 1 "" "nn\-meter 0.1.0" "User Commands"
  .SH NAME
  .SH SYNOPSIS
  .SH DESCRIPTION
  .SH OPTIONS
  .SH COMMANDS
  .SH EXIT STATUS
  .SH ENVIRONMENT
  .SH EXAMPLES
