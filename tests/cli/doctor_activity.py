#!/usr/bin/python3
"""doctor says two different, true things about an idle machine and about one with another process busy beside it.

    doctor_activity.py NN-METER

Other work may go on while this runs. So what is asserted of the idle side is only what must be true: a process that does
not exist is not named. While one keeps a CPU busy it is named, with its share, and the verdict is not "fit".
"""
import json
import os
import subprocess
import sys
import time

NAME = "busy_neighbour"


def doctor(program):
    for _ in range(300):
        done = subprocess.run([program, "doctor", "--json", "--seconds", "2"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stderr == "", done.stderr  # no progress in a pipe
        found = json.loads(done.stdout)
        if found["lock_free"]:
            return found
        assert found["verdict"]["fitness"] == "unknown" and found["noise"] == [], found["verdict"]
        time.sleep(1)
    raise SystemExit("the machine was never free")


def keep_busy(cpu):
    """Starts a process called NAME that does nothing but compute on one CPU."""
    pid = os.fork()
    if pid:
        return pid
    os.sched_setaffinity(0, {cpu})
    with open("/proc/self/comm", "w") as comm:
        comm.write(NAME)
    while True:
        pass


def about(found, text):
    verdict = found["verdict"]
    return [line for line in verdict["reasons"] + verdict["help"] if text in line]


def main():
    program = sys.argv[1]
    cpu = max(os.sched_getaffinity(0))

    idle = doctor(program)
    assert not any(p["name"] == NAME for p in idle["activity"]["processes"]), idle["activity"]
    assert not about(idle, NAME), idle["verdict"]

    pid = keep_busy(cpu)
    try:
        time.sleep(0.2)
        busy = doctor(program)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)

    mine = [p for p in busy["activity"]["processes"] if p["pid"] == pid]
    # On a machine where much else runs it may get less than a whole CPU, and doctor takes its own share.
    assert mine and mine[0]["name"] == NAME and mine[0]["cpus"] > 0.2 and mine[0]["cpu"] == cpu, busy["activity"]
    assert busy["activity"]["others_cpus"] > 0.2, busy["activity"]
    named = about(busy, f"'{NAME}' (process {pid}")
    assert any("is busy" in line for line in named) and any("kill -STOP" in line for line in named), busy["verdict"]
    assert busy["verdict"]["fitness"] in ("limited", "unfit"), busy["verdict"]
    assert busy["verdict"]["reasons"] != idle["verdict"]["reasons"], busy["verdict"]
    on_it = [c for c in busy["noise"] if c["cpu"] == cpu]
    if on_it:  # on a big machine that CPU may not be among those watched
        assert on_it[0]["got_share"] < 0.95 and on_it[0]["others_share"] > 0.2, on_it
    print("idle:", idle["verdict"]["summary"])
    print("busy:", busy["verdict"]["summary"])


main()
