Data on standard output: a full disk, a closed descriptor and a closed pipe are not taken for success.

  $ nn-meter --list-kernels >/dev/full
  2| nn-meter: cannot write to standard output: No space left on device
  [1]
  $ nn-meter --list-kernels --json >/dev/full
  2| nn-meter: cannot write to standard output: No space left on device
  [1]
  $ nn-meter --help >/dev/full
  2| nn-meter: cannot write to standard output: No space left on device
  [1]
  $ nn-meter --version >&-
  2| nn-meter: cannot write to standard output: Bad file descriptor
  [1]
  $ nn-meter --version 2>&-
  nn-meter 0.1.0
  $ nn-meter --version <&-
  nn-meter 0.1.0
  $ nn-meter --xyzzy 2>&-
  [2]
  $ nn-meter --help | head -1; echo ${PIPESTATUS[@]}
  Usage: nn-meter COMMAND [options]
  0 0
  $ (trap '' PIPE; sleep 0.5; nn-meter --list-kernels) | true; echo ${PIPESTATUS[0]}
  141

Colours only on a terminal, and never with NO_COLOR or on a dumb one.

  $ script -qec 'TERM=xterm nn-meter --help' /dev/null | grep -c $'\033'
  3
  $ script -qec 'TERM=xterm nn-meter --xyzzy' /dev/null | head -1 | cat -v
  ^[[1;31mnn-meter:^[[0m unknown option '--xyzzy'^M
  $ script -qec 'TERM=xterm NO_COLOR=1 nn-meter --help' /dev/null | grep -c $'\033'
  0
  [1]
  $ script -qec 'TERM=xterm NO_COLOR= nn-meter --help' /dev/null | grep -c $'\033'
  3
  $ script -qec 'TERM=dumb nn-meter --help' /dev/null | grep -c $'\033'
  0
  [1]
  $ TERM=xterm nn-meter --help | grep -c $'\033'
  0
  [1]

Machine-readable lists are one object in one line.

  $ nn-meter --list-kernels --json | wc -l
  1
  $ nn-meter --list-kernels --json | /usr/bin/python3 -c 'import json, sys
  > k = json.load(sys.stdin)["kernels"][0]
  > print(sorted(k), k["name"], [p["name"] for p in k["parameters"]])'
  ['customized', 'default_samples', 'family', 'name', 'parameters'] conv-bn-relu ['HW', 'CIN', 'COUT', 'KERNEL_SIZE', 'STRIDES']
