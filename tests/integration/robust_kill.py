#!/usr/bin/env python3
"""Kills nn-meter at random moments, kills and stops its worker, runs two at once, and looks at what is left.

robust_kill.py NN-METER WILD-RUNTIME [--kills N] [--seed S]
"""
import argparse
import json
import os
import random
import shutil
import signal
import threading
import time

from robust import BUSY, Workspace, children_of, require, wait_until

KERNELS = [f"KERN{i:03d}" for i in range(250)]


class Watcher(threading.Thread):
    """Reads the JSON files of a workspace over and over: each must be whole at every moment."""

    def __init__(self, workspace):
        super().__init__(daemon=True)
        self.workspace, self.reads, self.fault, self.over = workspace, 0, None, threading.Event()

    def run(self):
        while not self.over.wait(0.001):
            for path in self.workspace.results():
                try:
                    json.load(open(path))
                    self.reads += 1
                except FileNotFoundError:
                    pass
                except ValueError as error:
                    self.fault = f"{path}: {error}"

    def finish(self):
        self.over.set()
        self.join()
        require(self.fault is None, f"a JSON file was not whole while nn-meter ran: {self.fault}")
        return self.reads


def check_complete(workspace, models):
    """Goes on to the end without a kill: the set is complete and has nothing twice."""
    workspace.meter("profile", "--workspace", workspace.path, "--models", models)
    workspace.check()
    counts = workspace.query("SELECT kernel_id, count(*) FROM round WHERE kernel = 'relu' AND pass = 0 GROUP BY 1")
    require(sorted(id for id, _ in counts) == KERNELS, f"{len(counts)} of {len(KERNELS)} kernels were measured")
    twice = [row for row in counts if row[1] != 2]
    require(not twice, f"kernels with other than two rounds: {twice}")
    require(sorted(workspace.latencies()) == KERNELS, "the latency file is not complete")
    before = workspace.sessions()
    workspace.meter("profile", "--workspace", workspace.path, "--models", models)
    require(workspace.sessions() == before, "what was known was measured again")
    require(not workspace.temporaries(), f"temporary files are left: {workspace.temporaries()}")


def check_rebuild(workspace):
    """The files are what the journal says."""
    before = {path: json.load(open(path)) for path in workspace.results()}
    for path in before:
        os.unlink(path)
    workspace.meter("export", "--rebuild", "--workspace", workspace.path)
    after = {path: json.load(open(path)) for path in workspace.results()}
    require(before == after, f"rebuilt files differ: {sorted(before)} and {sorted(after)}")


def forget(workspace):
    for name in ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "predictor_build/results"):
        path = os.path.join(workspace.path, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.path.exists(path) and os.unlink(path)
    os.makedirs(os.path.join(workspace.path, "predictor_build/results/collection"))
    if os.path.exists(workspace.log):
        os.unlink(workspace.log)


def kill_once(workspace, command, chance):
    """Starts a command and kills it at a random moment. False: somebody else measures, try again."""
    process = workspace.start(*command)
    time.sleep(chance.uniform(0, 0.25))
    worker = children_of(process.pid)
    process.kill()
    _, err = process.communicate()
    for child in worker:
        wait_until(lambda: not os.path.exists(f"/proc/{child}") or
                   open(f"/proc/{child}/stat").read().rsplit(")", 1)[1].split()[0] == "Z", "the worker's end")
    if process.returncode == 1 and BUSY in err:
        time.sleep(0.5)
        return False
    require(process.returncode in (0, -signal.SIGKILL), f"exit code {process.returncode}: {err}")
    return True


def test_kills(workspace, kills, chance):
    models = workspace.kernels(KERNELS)
    profile = ["profile", "--workspace", workspace.path, "--models", models]
    watcher = Watcher(workspace)
    watcher.start()
    done = sets = since_reset = most_lost = 0
    known = {}
    while done < kills:
        sampling = chance.random() < 0.15
        mark = f"m{chance.randrange(4)}"
        command = ["sample", "--workspace", workspace.path, "--kernel", "fc", "--num", "3", "--mark", mark] \
            if sampling else profile
        if not kill_once(workspace, command, chance):
            continue
        done += 1
        since_reset += 1
        workspace.check()
        rounds = workspace.rounds()
        require(all(rounds.get(number) == row for number, row in known.items()),
                f"kill {done}: a round that was in the journal is gone or has changed")
        lost = workspace.sessions() - len(rounds)
        most_lost = max(most_lost, lost)
        require(lost <= since_reset, f"kill {done}: {lost} measurements lost in {since_reset} kills")
        known = rounds
        if len(rounds) >= 2 * len(KERNELS):
            check_complete(workspace, models)
            check_rebuild(workspace)
            forget(workspace)
            known, since_reset, sets = {}, 0, sets + 1
    check_complete(workspace, models)
    check_rebuild(workspace)
    reads = watcher.finish()
    print(f"{done} kills at random moments: at most one measurement lost each, {sets + 1} sets complete, no kernel "
          f"measured twice; JSON files were whole in {reads} reads")


def test_worker(workspace, chance):
    """The worker is killed, or stops answering: a kernel fails or is measured again, and the run goes on."""
    forget(workspace)
    workspace.set(TIMEOUT_S=0.5, MAX_ROUNDS=40, ROUNDS=40)
    models = workspace.kernels([f"WORK{i:02d}" for i in range(40)])
    while True:
        process = workspace.start("profile", "--workspace", workspace.path, "--models", models)
        hurt = {signal.SIGKILL: 0, signal.SIGSTOP: 0}
        wait_until(lambda: workspace.sessions() or process.poll() is not None, "the first session")
        while process.poll() is None and sum(hurt.values()) < 12:
            time.sleep(chance.uniform(0.01, 0.1))
            worker = children_of(process.pid)
            deed = signal.SIGSTOP if hurt[signal.SIGSTOP] < 3 and chance.random() < 0.3 else signal.SIGKILL
            if worker:
                try:
                    os.kill(worker[0], deed)
                    hurt[deed] += 1
                except ProcessLookupError:
                    pass
            if worker and deed == signal.SIGSTOP:  # nothing but the time limit ends it
                wait_until(lambda: worker[0] not in children_of(process.pid) or process.poll() is not None, "the time limit")
        out, err = process.communicate()
        if process.returncode == 1 and BUSY in err:
            time.sleep(0.5)
            continue
        break
    require(process.returncode in (0, 3), f"exit code {process.returncode}: {out}{err}")
    require(sum(hurt.values()) >= 5, f"the run was over after {hurt}")
    workspace.check()
    failures = workspace.query("SELECT kernel_id, config, code_name, message FROM failure")
    lines = workspace.errors()
    require(len(lines) == len(failures), f"{len(failures)} failures, {len(lines)} lines in profile_error.log")
    for id, config, code, message in failures:
        require(code in ("NNM_ERR_CRASHED", "NNM_ERR_TIMEOUT"), f"{id}: {code}: {message}")
        require(any(id in line and config in line and code in line for line in lines), f"no line about {id}")
    require(hurt[signal.SIGSTOP] == 0 or any(row[2] == "NNM_ERR_TIMEOUT" for row in failures), "no timeout was seen")
    workspace.set(TIMEOUT_S=60)
    workspace.meter("profile", "--workspace", workspace.path, "--models", models)
    require(len(workspace.latencies()) == 40, "kernels that failed were not measured by the next run")
    workspace.set(ROUNDS=2, MAX_ROUNDS=2)
    print(f"worker: killed {hurt[signal.SIGKILL]} times and stopped {hurt[signal.SIGSTOP]} times, {len(failures)} "
          f"kernels failed, all measured by the next run")


def test_start(workspace):
    """The first worker is killed as soon as it is there: another one takes its place."""
    models = workspace.kernels(KERNELS)
    for _ in range(20):
        forget(workspace)
        process = workspace.start("profile", "--workspace", workspace.path, "--models", models)
        wait_until(lambda: children_of(process.pid) or process.poll() is not None, "the first worker")
        for child in children_of(process.pid):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        out, err = process.communicate()
        if process.returncode == 0:
            break
        if process.returncode == 1 and BUSY in err:
            time.sleep(0.5)
        else:  # too late, it was measuring by then
            require(process.returncode == 3 and "NNM_ERR_CRASHED" in err, f"exit code {process.returncode}: {out}{err}")
    require(process.returncode == 0, f"exit code {process.returncode}: {out}{err}")
    check_complete(workspace, models)
    print("the first worker, killed at its start: replaced, and no kernel is blamed")


def test_interrupt(workspace):
    """Ctrl-C in the middle: what was measured is kept, and the same command goes on from there."""
    forget(workspace)
    models = workspace.kernels(KERNELS)
    command = ["profile", "--workspace", workspace.path, "--models", models]
    while True:
        process = workspace.start(*command)
        wait_until(lambda: workspace.sessions() > 20 or process.poll() is not None, "some sessions")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        if process.returncode != 1 or BUSY not in err:
            break
        time.sleep(0.5)
    require(process.returncode == 130, f"exit code {process.returncode}: {out}{err}")
    require("interrupted; what was done so far is kept" in err, err)
    workspace.check()
    known = workspace.rounds()
    require(0 < len(known) < 2 * len(KERNELS), f"{len(known)} rounds were measured before the interrupt")
    require(workspace.latencies(), "there is no latency of what was measured")
    require(not workspace.query("SELECT * FROM failure"), "a kernel was blamed")
    workspace.meter(*command)
    rounds = workspace.rounds()
    require(all(rounds.get(number) == row for number, row in known.items()), "a measurement was lost")
    check_complete(workspace, models)
    print(f"Ctrl-C after {len(known)} rounds: exit code 130, and the next run went on from there")


def test_two_at_once(workspace):
    """Two writers of one workspace: the second is told who has it; readers and the rest go on."""
    forget(workspace)
    models = workspace.kernels(KERNELS)
    workspace.meter("sample", "--workspace", workspace.path, "--kernel", "fc", "--num", "5", "--mark", "both")
    refused = finished = 0
    while finished < 2:
        crowd = [workspace.start("profile", "--workspace", workspace.path, "--models", models) for _ in range(3)]
        crowd.append(workspace.start("sample", "--workspace", workspace.path, "--kernel", "fc", "--num", "2"))
        crowd.append(workspace.start("export", "--rebuild", "--workspace", workspace.path))
        for process in crowd:
            out, err = process.communicate()
            require(process.returncode in (0, 1), f"exit code {process.returncode}: {out}{err}")
            if process.returncode == 1:
                require("is in use by" in err or BUSY in err, err)
                refused += 1
            elif process in crowd[:3]:
                finished += 1
        workspace.check()
    require(refused > 0, "nobody was refused")
    check_complete(workspace, models)
    print(f"two processes on one workspace: {refused} refused by name, nothing measured twice, nothing damaged")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("library")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    workspace = Workspace(options.program, options.library)
    test_kills(workspace, options.kills, chance)
    test_worker(workspace, chance)
    test_start(workspace)
    test_interrupt(workspace)
    test_two_at_once(workspace)
    shutil.rmtree(workspace.folder)


if __name__ == "__main__":
    main()
