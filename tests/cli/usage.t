What is wrong with a command line is told on standard error, with exit status 2.

  $ nn-meter
  2| nn-meter: give a command, --list-kernels, --list-backends or --version
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter --json
  2| nn-meter: give a command, --list-kernels, --list-backends or --version
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter --list-kernels --version
  2| nn-meter: give a command, --list-kernels, --list-backends or --version
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter --version --json
  2| nn-meter: --json goes with --list-kernels or --list-backends
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter --version now
  2| nn-meter: unexpected argument 'now'
  2| Try 'nn-meter --help'.
  [2]

Slips of the pen get a hint.

  $ nn-meter bulid
  2| nn-meter: unknown command 'bulid'; did you mean 'build'?
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter prof
  2| nn-meter: unknown command 'prof'; did you mean 'profile'?
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter list-kernels
  2| nn-meter: unknown command 'list-kernels'; did you mean '--list-kernels'?
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter help
  2| nn-meter: unknown command 'help'; did you mean '--help'?
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter xyzzy
  2| nn-meter: unknown command 'xyzzy'
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter --lst-kernels
  2| nn-meter: unknown option '--lst-kernels'; did you mean '--list-kernels'?
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter --xyzzy
  2| nn-meter: unknown option '--xyzzy'
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter -x
  2| nn-meter: unknown option '-x'
  2| Try 'nn-meter --help'.
  [2]
  $ nn-meter sample --worksapce ws
  2| nn-meter sample: unknown option '--worksapce'; did you mean '--workspace'?
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --work ws
  2| nn-meter sample: unknown option '--work'; did you mean '--workspace'?
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --xyzzy
  2| nn-meter sample: unknown option '--xyzzy'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --xyzzy=3
  2| nn-meter sample: unknown option '--xyzzy'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter train -x
  2| nn-meter train: unknown option '-x'
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter train -out x
  2| nn-meter train: unknown option '-out'; did you mean '--output'?
  2| Try 'nn-meter train --help'.
  [2]

Values.

  $ nn-meter sample
  2| nn-meter sample: option '--workspace DIR' is missing
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --workspace
  2| nn-meter sample: option '--workspace' needs a value: DIR
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --workspace --kernel conv-bn-relu
  2| nn-meter sample: option '--workspace' needs a value: DIR
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --workspace=
  2| nn-meter sample: the value of option '--workspace' is empty
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --workspace ''
  2| nn-meter sample: the value of option '--workspace' is empty
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --workspace ws --workspace ws
  2| nn-meter sample: option '--workspace' is given twice
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --workspace ws --kernel conv-bn-relu
  2| nn-meter sample: option '--num N' is missing
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --workspace ws --num 0
  2| nn-meter sample: option '--num' takes a whole number from 1 to 1000000, not '0'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --num 1000001
  2| nn-meter sample: option '--num' takes a whole number from 1 to 1000000, not '1000001'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --num -5
  2| nn-meter sample: option '--num' takes a whole number from 1 to 1000000, not '-5'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --num 5x
  2| nn-meter sample: option '--num' takes a whole number from 1 to 1000000, not '5x'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --num 1e3
  2| nn-meter sample: option '--num' takes a whole number from 1 to 1000000, not '1e3'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --num 99999999999999999999999
  2| nn-meter sample: option '--num' takes a whole number from 1 to 1000000, not '99999999999999999999999'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --seed -1
  2| nn-meter sample: option '--seed' takes a whole number from 0, not '-1'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --mode random
  2| nn-meter sample: option '--mode' takes one of prior|finegrained, not 'random'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --mode prio
  2| nn-meter sample: option '--mode' takes one of prior|finegrained, not 'prio'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --json=yes
  2| nn-meter sample: option '--json' takes no value
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter train --test-size 1
  2| nn-meter train: option '--test-size' takes a number from 0 to 0.9, not '1'
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter train --test-size nan
  2| nn-meter train: option '--test-size' takes a number from 0 to 0.9, not 'nan'
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter train --test-size half
  2| nn-meter train: option '--test-size' takes a number from 0 to 0.9, not 'half'
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter train --threads 0
  2| nn-meter train: option '--threads' takes a whole number from 1 to 1024, not '0'
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter build --threshold 0.05
  2| nn-meter build: option '--threshold' takes a number from 0.1 to 1, not '0.05'
  2| Try 'nn-meter build --help'.
  [2]
  $ nn-meter doctor --seconds 0
  2| nn-meter doctor: option '--seconds' takes a number from 0.1 to 120, not '0'
  2| Try 'nn-meter doctor --help'.
  [2]
  $ nn-meter sample here
  2| nn-meter sample: unexpected argument 'here'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --workspace ws here
  2| nn-meter sample: unexpected argument 'here'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter sample --workspace=ws -- --kernel
  2| nn-meter sample: unexpected argument '--kernel'
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter export --configs=a.json b.json
  2| nn-meter export: unexpected argument 'b.json'
  2| Try 'nn-meter export --help'.
  [2]

Options that do not go together, or not without another.

  $ nn-meter sample --workspace ws --kernel conv-bn-relu --num 3 --configs a.json
  2| nn-meter sample: --configs goes with --mode finegrained
  2| Try 'nn-meter sample --help'.
  [2]
  $ nn-meter train --kernel conv-bn-relu -o p.nnm
  2| nn-meter train: give data: --csv F --target COLUMN, or --workspace DIR, or --configs F...
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter train --kernel conv-bn-relu -o p.nnm --csv a.csv
  2| nn-meter train: --csv needs --target COLUMN
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter train --kernel conv-bn-relu -o p.nnm --csv a.csv --target ms --workspace ws
  2| nn-meter train: --csv does not go with --workspace, --configs or --latencies
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter train --kernel conv-bn-relu -o p.nnm --csv a.csv --target ms --configs a.json
  2| nn-meter train: --csv does not go with --workspace, --configs or --latencies
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter train --kernel conv-bn-relu -o p.nnm --configs a.json --target ms
  2| nn-meter train: --target goes with --csv
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter train --kernel conv-bn-relu -o p.nnm --configs a.json --mark m
  2| nn-meter train: --mark goes with --workspace
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter train --kernel conv-bn-relu --csv a.csv --target ms
  2| nn-meter train: option '--output PREDICTOR' is missing
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter predict --predictor p.nnm
  2| nn-meter predict: give either --config or --csv
  2| Try 'nn-meter predict --help'.
  [2]
  $ nn-meter predict --predictor p.nnm --config HW=1 --csv a.csv
  2| nn-meter predict: give either --config or --csv
  2| Try 'nn-meter predict --help'.
  [2]
  $ nn-meter predict --predictor p.nnm --csv a.csv --json
  2| nn-meter predict: --json goes with --config; --csv prints a table
  2| Try 'nn-meter predict --help'.
  [2]
  $ nn-meter evaluate --predictor p.nnm --csv a.csv
  2| nn-meter evaluate: option '--target COLUMN' is missing
  2| Try 'nn-meter evaluate --help'.
  [2]
  $ nn-meter build --workspace ws --num 10
  2| nn-meter build: --num goes with --kernel; without it each kernel's settings come from predictorbuild_config.yaml
  2| Try 'nn-meter build --help'.
  [2]
  $ nn-meter build --workspace ws --iteration 2
  2| nn-meter build: --iteration goes with --kernel; without it each kernel's settings come from predictorbuild_config.yaml
  2| Try 'nn-meter build --help'.
  [2]
  $ nn-meter build --workspace ws --mark m
  2| nn-meter build: --mark goes with --kernel; without it each kernel's settings come from predictorbuild_config.yaml
  2| Try 'nn-meter build --help'.
  [2]

What this version does not have is refused in one sentence.

  $ nn-meter register --backend meta.yaml
  2| nn-meter register: customised backends cannot be registered in this version; --list-backends shows what it has
  [2]
  $ nn-meter unregister --backend mine
  2| nn-meter unregister: customised backends cannot be registered in this version, so there is none to unregister
  [2]
  $ nn-meter create --tflite-workspace ws
  2| nn-meter create: --tflite-workspace is not in this version; use --workspace DIR --backend NAME
  [2]
  $ nn-meter create --customized-workspace ws --backend mine
  2| nn-meter create: --customized-workspace is not in this version; use --workspace DIR --backend NAME
  [2]
  $ nn-meter export --predictor p.nnm --onnx p.onnx
  2| nn-meter export: cannot read 'p.nnm': No such file or directory
  [1]
  $ nn-meter export --onnx p.onnx
  2| nn-meter export: option '--predictor P' is missing
  2| Try 'nn-meter export --help'.
  [2]
  $ nn-meter train --kernel conv-bn-relu --csv a.csv --target ms -o p.nnm --model best
  2| nn-meter train: cannot read 'a.csv': No such file or directory
  [1]
  $ nn-meter train --kernel conv-bn-relu --csv a.csv --target ms -o p.nnm --model svm
  2| nn-meter train: option '--model' takes one of random_forest|best, not 'svm'
  2| Try 'nn-meter train --help'.
  [2]
  $ nn-meter build --workspace ws --model best
  2| nn-meter build: there is no folder 'ws'; a workspace is made by: nn-meter create --workspace DIR --backend NAME
  [1]

Choices that exclude each other.

  $ nn-meter profile --workspace ws --models m.json --quick --thorough
  2| nn-meter profile: --quick and --thorough exclude each other
  2| Try 'nn-meter profile --help'.
  [2]
  $ nn-meter build --workspace ws --kernel fc --num 10 --quick --thorough
  2| nn-meter build: --quick and --thorough exclude each other
  2| Try 'nn-meter build --help'.
  [2]
