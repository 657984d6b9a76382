What this machine offers, for people and for programs.

  $ flock /tmp/nnmeter-machine.lock true; nn-meter doctor --seconds 0.2
  Machine
  host             * ~
  CPU              * ~
  usable CPUs      * ~
  memory           * GiB, * GiB free ~
  system           * ~
  virtual machine  * ~
  load             * ~
  governor         * ~
  turbo            * ~
  clock            * GHz ~
  timer cost       * ns, clock source * ~
  real-time        *permitted* ~
  profiling lock   * ~
  Backends
  xnnpack_cpu      version * ~
  onnxruntime_cpu  * ~
  onednn_cpu       version * ~
  simulated        version model 1, phone, a simulated device: its latencies are computed
  Noise
  watched          * usable CPUs, * s ~
  CPU *quiet * % of the time, in stretches of * ms (median; p90 * ms) ~
  ...
                   clock * largest step * % ~
                   ours * % of the time wanted, steal *, busy for others * ~
  ...
  Verdict
  *it * profiling*CPU * quiet * % of the time* ~
  ...
  $ flock /tmp/nnmeter-machine.lock true; nn-meter doctor --seconds 0.2 --json | /usr/bin/python3 -c 'import json, sys
  > found = json.load(sys.stdin)
  > print(sorted(found)); print(sorted(found["machine"])); print(all(sorted(b) == "available customized description device name reads version why_not".split() for b in found["backends"]))
  > print(sorted(found["noise"][0])); print(len(found["noise"]) == found["machine"]["cpus"] or not found["lock_free"])
  > print(all(0 <= n["quiet_share"] <= 1 for n in found["noise"]))
  > print(sorted(found["activity"])); print(sorted(found["verdict"])); print(found["verdict"]["fitness"] in ("fit", "limited", "unfit"))'
  ['activity', 'backends', 'lock_free', 'lock_holder', 'machine', 'noise', 'verdict']
  ['available_gib', 'clock_ghz', 'clock_source', 'cpu', 'cpus', 'governor', 'host', 'hypervisor', 'load', 'may_realtime', 'memory_gib', 'realtime_throttle_us', 'system', 'timer_ns', 'turbo', 'virtual_machine']
  True
  ['clock', 'cpu', 'got_share', 'others_share', 'quiet', 'quiet_share', 'sibling', 'slow', 'slow_factor', 'steal_share']
  True
  True
  ['hidden_cpus', 'others_cpus', 'processes', 'seconds']
  ['best_cpu', 'fitness', 'help', 'reasons', 'summary']
  True
While somebody profiles, the CPUs are not watched, and the holder of the lock is named. A lock of another program has
no name to tell.
  $ flock /tmp/nnmeter-machine.lock nn-meter doctor --json | /usr/bin/python3 -c 'import json, sys
  > found = json.load(sys.stdin)
  > print(found["lock_free"], found["noise"], found["verdict"]["fitness"], found["activity"]["processes"])
  > print(found["verdict"]["summary"])'
  False [] unknown []
  Not known: the CPUs were not watched, for that would disturb whoever profiles now.
  $ nn-meter doctor --seconds 0.2 now
  2| nn-meter doctor: unexpected argument 'now'
  2| Try 'nn-meter doctor --help'.
  [2]
