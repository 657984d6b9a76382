What this machine offers, for people and for programs.

  $ flock /tmp/nnmeter-machine.lock true; nn-meter doctor --seconds 0.2
  Machine
  host             * ~
  CPU              * ~
  usable CPUs      * ~
  memory           * GiB ~
  system           * ~
  load             * ~
  governor         * ~
  clock            * GHz ~
  timer cost       * ns ~
  real-time        *permitted ~
  profiling lock   * ~
  Backends
  xnnpack_cpu      version * ~
  onnxruntime_cpu  * ~
  onednn_cpu       version * ~
  Noise
  CPU *quiet * % of the time, else * times slower; clock spread * % ~
                   *. ~
  ...
  $ flock /tmp/nnmeter-machine.lock true; nn-meter doctor --seconds 0.2 --json | /usr/bin/python3 -c 'import json, sys
  > found = json.load(sys.stdin)
  > print(sorted(found)); print(sorted(found["machine"])); print(all(sorted(b) == "available customized description name reads version why_not".split() for b in found["backends"]))
  > print(sorted(found["noise"][0])); print(len(found["noise"]) == found["machine"]["cpus"] or not found["lock_free"])
  > print(all(0 <= n["quiet_share"] <= 1 for n in found["noise"]))'
  ['backends', 'lock_free', 'lock_holder', 'machine', 'noise']
  ['clock_ghz', 'cpu', 'cpus', 'governor', 'host', 'load', 'may_realtime', 'memory_gib', 'system', 'timer_ns']
  True
  ['clock_spread', 'cpu', 'judgement', 'quiet_share', 'slow_factor']
  True
  True
  $ nn-meter doctor --seconds 0.2 now
  2| nn-meter doctor: unexpected argument 'now'
  2| Try 'nn-meter doctor --help'.
  [2]
