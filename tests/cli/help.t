Help of nn-meter and of every command goes to standard output.

  $ nn-meter --help
  Usage: nn-meter COMMAND [options]
         nn-meter --list-kernels | --list-backends [--json]
         nn-meter --version | --manual | --completion bash
  |
  Builds kernel latency predictors for a device from measurements on it.
  |
  Commands:
    create     Make a workspace: the folder of one device's configurations, measurements and predictors
    connect    Run a small kernel on a backend, to see that it works
    sample     Draw configurations of a kernel and write a model file for each
    convert    Turn sampled models into what the backend loads
    profile    Measure the kernels of a configuration file
    train      Fit a predictor to measured latencies
    adapt      One round of adaptive sampling: measure more around what is predicted badly, and fit again
    build      Sample, measure, fit and adapt: a predictor for one kernel, or for all in the configuration
    predict    Predict the latency of a configuration, or of every row of a table
    evaluate   Compare a predictor with measured latencies: RMSE, RMSPE, share within 5, 10 and 15 %
    export     Write kernel data as a CSV table, a predictor as an ONNX model, or a workspace's files from its journal
    report     Write a page with tables and charts of what a workspace holds
    doctor     Show what this machine offers, how noisy it is, and whether it is fit for profiling
    register   Add a kernel of your own, after trying it
    unregister Take a kernel of your own out again
  |
  'nn-meter COMMAND --help' tells more about one.
  |
  Options:
    --list-kernels     list the kernel types
    --list-backends    list the backends
    --json             with either list: answer with one JSON object
    --version          show the version
    --manual           print the manual page: nn-meter --manual | man -l -
    --completion bash  print the script that completes commands and options in a shell
    -h, --help         show this text
  |
  Example:
    nn-meter create --workspace ws --backend xnnpack_cpu
    nn-meter build --workspace ws --kernel conv-bn-relu --num 200 --iteration 1
    nn-meter predict --predictor ws/predictor_build/results/predictors/conv-bn-relu_prior.nnm \
        --config HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1
  |
  Exit codes: 0 done, 1 failed, 2 wrong usage, 3 finished in part, 130 interrupted.
  $ nn-meter -h | head -1
  Usage: nn-meter COMMAND [options]
  $ nn-meter --version
  nn-meter 0.1.0
  $ nn-meter --version --help | head -1
  Usage: nn-meter COMMAND [options]
  $ nn-meter create --help
  Usage: nn-meter create --workspace DIR [--backend NAME]
  |
  Make a workspace: the folder of one device's configurations, measurements and predictors.
  |
  Options:
    --workspace DIR  the folder to make; its parents are made too (required)
    --backend NAME   the runtime to measure, see --list-backends (default: xnnpack_cpu)
    -h, --help       show this text
  |
  Example:
    nn-meter create --workspace ws --backend xnnpack_cpu
  $ nn-meter connect --help
  Usage: nn-meter connect --workspace DIR [--backend NAME] [--json]
  |
  Run a small kernel on a backend, to see that it works.
  Prints "(nn-Meter) hello backend !" when the backend really ran something.
  |
  Options:
    --workspace DIR  the workspace (required)
    --backend NAME   the runtime that is measured (default: BACKEND of the workspace)
    --json           answer with one JSON object
    -h, --help       show this text
  |
  Example:
    nn-meter connect --workspace ws --backend xnnpack_cpu
  $ nn-meter sample --help
  Usage: nn-meter sample --workspace DIR --kernel K --num N [options]
  |
  Draw configurations of a kernel and write a model file for each.
  Called again with the same mark it adds configurations; none is drawn twice. Fewer than N come when
  the kernel has no more.
  |
  Options:
    --workspace DIR           the workspace (required)
    --kernel K                kernel type, see --list-kernels (required)
    --num N                   configurations to draw; finegrained: around each one (required)
    --mode prior|finegrained  where to draw (default: prior)
    --configs F...            finegrained: around the configurations of these files (default: results/<kernel>_prior.json)
    --mark M                  names the files (default: the mode)
    --seed S                  of everything that is left to chance (default: 0)
    --json                    answer with one JSON object
    -h, --help                show this text
  |
  Example:
    nn-meter sample --workspace ws --kernel conv-bn-relu --num 100
  $ nn-meter convert --help
  Usage: nn-meter convert --workspace DIR --models CONFIG.json [options]
  |
  Turn sampled models into what the backend loads.
  |
  Options:
    --workspace DIR       the workspace (required)
    --backend NAME        the runtime that is measured (default: BACKEND of the workspace)
    --models CONFIG.json  configuration file, as 'nn-meter sample' writes it (required)
    --json                answer with one JSON object
    -h, --help            show this text
  |
  Example:
    nn-meter convert --workspace ws \
        --models ws/predictor_build/results/conv-bn-relu_prior.json
  $ nn-meter profile --help
  Usage: nn-meter profile --workspace DIR --models CONFIG.json [options]
  |
  Measure the kernels of a configuration file.
  Goes on where an earlier run stopped: what the workspace's journal knows is not measured again.
  quiet: share of the samples that nothing disturbed; repeated: kernels measured again in a separate
  pass at the end (one in twenty, at least 20); agree 5, agree 10: share of these whose two latencies
  agree within 5 and 10 %; ceiling: share that a perfect predictor would get right within 10 %, given
  such labels.
  |
  Options:
    --workspace DIR       the workspace (required)
    --backend NAME        the runtime that is measured (default: BACKEND of the workspace)
    --models CONFIG.json  configuration file, as 'nn-meter sample' writes it (required)
    --json                answer with one JSON object
    --quick               measure with less care, in a third of the time
    --thorough            measure with more care, in three times the time
    -h, --help            show this text
  |
  Example:
    nn-meter profile --workspace ws \
        --models ws/predictor_build/results/conv-bn-relu_prior.json
  $ nn-meter train --help
  Usage: nn-meter train --kernel K -o PREDICTOR --csv F --target COLUMN [options]
         nn-meter train --kernel K -o PREDICTOR --workspace DIR [options]
         nn-meter train --kernel K -o PREDICTOR --configs F... [--latencies F...] [options]
  |
  Fit a predictor to measured latencies.
  A fifth of the rows is kept for the test that is reported. --folds and --curve tell how good such
  predictors are; without -o they write nothing.
  |
  Options:
    --kernel K                  kernel type, see --list-kernels (required)
    -o, --output PREDICTOR      the predictor file to write; may be left out with --folds or --curve
    --csv F                     a table from anywhere, columns named like the kernel's parameters
    --target COLUMN             with --csv: the column with the latencies, in ms
    --configs F...              configuration files (default: all of the workspace)
    --latencies F...            latency files (default: that of the workspace)
    --workspace DIR             the workspace of the data
    --mark M                    with --workspace: writes results/collection/*_M.csv too (default: written nowhere)
    --test-size SHARE           share of rows kept for the test; 0: train on every row (default: 0.2)
    --folds K                   cross-validate too: K fits, each tested on another Kth of the rows (default: none)
    --curve N,N,...             tell too how good fits to so many rows are (default: none)
    --draws N                   with --curve: training sets of each size (default: 5)
    --skip-bad                  leave rows of the table out that cannot be used, and tell how many
    --model random_forest|best  the regression model (default: best)
    --seed S                    of everything that is left to chance (default: 10)
    --threads N                 threads that fit the forest (default: one a CPU)
    --json                      answer with one JSON object
    -h, --help                  show this text
  |
  Example:
    nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms -o conv.nnm
    nn-meter train --kernel conv-bn-relu --workspace ws -o conv.nnm
    nn-meter train --kernel conv-bn-relu --csv conv.csv --target latency_ms --folds 5 --curve 50,100,200
  $ nn-meter adapt --help
  Usage: nn-meter adapt --workspace DIR --kernel K [options]
  |
  One round of adaptive sampling: measure more around what is predicted badly, and fit again.
  Defaults in capitals stand in the workspace's predictorbuild_config.yaml.
  |
  Options:
    --workspace DIR             the workspace (required)
    --backend NAME              the runtime that is measured (default: BACKEND of the workspace)
    --kernel K                  kernel type, see --list-kernels (required)
    --configs F...              configuration files of what is measured (default: results/<kernel>_*.json)
    --latencies F...            latency files of what is measured (default: results/profiled_<kernel>.json)
    --num N                     configurations around each large error (default: FINEGRAINED_SAMPLE_NUM)
    --threshold E               relative error that is large (default: ERROR_THRESHOLD)
    --mark M                    appended to the names of the files (default: none)
    --model random_forest|best  the regression model (default: PREDICTOR)
    --seed S                    of everything that is left to chance (default: 0)
    --threads N                 threads that fit the forest (default: one a CPU)
    --json                      answer with one JSON object
    -h, --help                  show this text
  |
  Example:
    nn-meter adapt --workspace ws --kernel conv-bn-relu --num 5
  $ nn-meter build --help
  Usage: nn-meter build --workspace DIR [--kernel K] [options]
  |
  Sample, measure, fit and adapt: a predictor for one kernel, or for all in the configuration.
  Interrupted, it goes on where it was when called again with the same arguments. Defaults in capitals
  stand in the workspace's predictorbuild_config.yaml. A budget is shared by all kernel types.
  |
  Options:
    --workspace DIR                   the workspace (required)
    --backend NAME                    the runtime that is measured (default: BACKEND of the workspace)
    --kernel K                        kernel type, see --list-kernels (default: all of KERNELS)
    --num N                           configurations from the prior (default: INIT_SAMPLE_NUM)
    --finegrained-num N               configurations around each large error (default: FINEGRAINED_SAMPLE_NUM)
    --iteration N                     rounds; 1: no adaptive sampling (default: ITERATION)
    --sampler finegrained|prior|auto  how kernels are chosen after the first (default: SAMPLER)
    --test-num N                      configurations set apart for an honest test (default: TEST_SAMPLE_NUM)
    --budget B                        what to measure in all: kernels (500) or time (90s, 20m, 2h) (default: BUDGET)
    --until FIGURE=X                  how good is enough: acc5, acc10, acc15 or rmspe (default: UNTIL)
    --threshold E                     relative error that is large (default: ERROR_THRESHOLD)
    --mark M                          appended to the names of the files (default: none)
    --model random_forest|best        the regression model (default: PREDICTOR)
    --seed S                          of everything that is left to chance (default: 0)
    --threads N                       threads that fit the forest (default: one a CPU)
    --quick                           measure with less care, in a third of the time
    --thorough                        measure with more care, in three times the time
    --json                            answer with one JSON object
    -h, --help                        show this text
  |
  Example:
    nn-meter build --workspace ws --kernel conv-bn-relu --num 100 --iteration 2
    nn-meter build --workspace ws --sampler auto --budget 20m --until acc10=0.95
  $ nn-meter predict --help
  Usage: nn-meter predict --predictor P (--config NAME=VALUE,... [--json] | --csv F [--skip-bad])
  |
  Predict the latency of a configuration, or of every row of a table.
  Latencies are in milliseconds. lower_ms and upper_ms hold 90 % of such kernels. A feature below half or
  above twice what the predictor was trained on is told on stderr.
  |
  Options:
    --predictor P            a predictor file (required)
    --config NAME=VALUE,...  one configuration
    --csv F                  a table; it is printed with predicted_ms, lower_ms, upper_ms added
    --skip-bad               with --csv: print rows that cannot be predicted with empty cells
    --json                   with --config: answer with one JSON object, with interval and feature far outside
    -h, --help               show this text
  |
  Example:
    nn-meter predict --predictor conv.nnm --config HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1
  $ nn-meter evaluate --help
  Usage: nn-meter evaluate --predictor P --csv F --target COLUMN [options]
  |
  Compare a predictor with measured latencies: RMSE, RMSPE, share within 5, 10 and 15 %.
  |
  Options:
    --predictor P    a predictor file (required)
    --csv F          a table with measured latencies (required)
    --target COLUMN  the column with the latencies, in ms (required)
    --skip-bad       leave rows of the table out that cannot be used, and tell how many
    --json           answer with one JSON object
    -h, --help       show this text
  |
  Example:
    nn-meter evaluate --predictor conv.nnm --csv measured.csv --target latency_ms
  $ nn-meter export --help
  Usage: nn-meter export --kernel K --configs F... [--latencies F...] [--csv OUT] [--merge OUT.json]
         nn-meter export --kernel K --workspace DIR [--csv OUT] [--merge OUT.json]
         nn-meter export --predictor P --onnx OUT
         nn-meter export --rebuild --workspace DIR
  |
  Write kernel data as a CSV table, a predictor as an ONNX model, or a workspace's files from its journal.
  The table has a column a feature, and the latencies. --merge writes one file with the configurations
  and latencies of all; other kernel types that it holds already stay. The ONNX model takes rows of
  configurations and gives latencies in ms. --rebuild writes again, from the workspace's journal: the
  configuration files of what was sampled, the latency files, and the tables that predictors were made
  of. Files of which the journal knows nothing are left alone.
  |
  Options:
    --kernel K        kernel type, see --list-kernels
    --configs F...    configuration files (default: all of the workspace)
    --latencies F...  latency files (default: that of the workspace; else those in the configuration files)
    --csv OUT         the table to write
    --merge OUT.json  the file to write with everything that the others hold
    --rebuild         write the files of a workspace again from its journal
    --workspace DIR   the workspace of the data, or to rebuild
    --predictor P     a predictor file
    --onnx OUT        with --predictor: the ONNX model to write
    -h, --help        show this text
  |
  Example:
    nn-meter export --kernel conv-bn-relu --csv conv.csv \
        --configs ws/predictor_build/results/conv-bn-relu_prior.json \
        --latencies ws/predictor_build/results/profiled_conv-bn-relu.json
    nn-meter export --kernel conv-bn-relu --workspace ws --merge conv.json
    nn-meter export --predictor conv.nnm --onnx conv.onnx
    nn-meter export --rebuild --workspace ws
  $ nn-meter doctor --help
  Usage: nn-meter doctor [--seconds N] [--json]
  |
  Show what this machine offers, how noisy it is, and whether it is fit for profiling.
  Watches up to 8 of the CPUs that it may use, in turn, and who else works on the machine meanwhile; ends
  with a verdict and what would improve it.
  |
  Options:
    --seconds N  time to watch the CPUs for, all together (default: 20)
    --json       answer with one JSON object
    -h, --help   show this text
  |
  Example:
    nn-meter doctor

Help wins over what else is wrong, wherever it stands.

  $ nn-meter sample --nonsense --help | head -1
  Usage: nn-meter sample --workspace DIR --kernel K --num N [options]
  $ nn-meter sample --num -h | head -1
  Usage: nn-meter sample --workspace DIR --kernel K --num N [options]
  $ nn-meter register --help
  Usage: nn-meter register --kernel META.yaml
  |
  Add a kernel of your own, after trying it.
  The meta file names a package folder, and the modules and symbols in it. All of them are loaded and
  tried, in a process of their own, before the kernel can be used under its builtin_name like any other.
  The package has to stay where it is. Registered kernels stand in ~/.nn_meter/config/registry.yaml, or
  in $NN_METER_HOME/config/registry.yaml.
  |
  Options:
    --kernel META.yaml  the meta file of a kernel's package (required)
    -h, --help          show this text
  |
  Example:
    nn-meter register --kernel build/examples/custom-kernel-c/meta.yaml
  $ nn-meter unregister --help
  Usage: nn-meter unregister --kernel NAME
  |
  Take a kernel of your own out again.
  Its package stays as it is, and so does what was measured and built with it.
  |
  Options:
    --kernel NAME  the builtin_name of a customised kernel (required)
    -h, --help     show this text
  |
  Example:
    nn-meter unregister --kernel mykernel
