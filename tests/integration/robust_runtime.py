#!/usr/bin/env python3
"""A runtime that crashes, hangs, takes all memory or writes nonsense costs its kernel, and nothing else.

robust_runtime.py NN-METER WILD-RUNTIME [--sanitized]
"""
import resource
import shutil
import signal
import sys
import time

from robust import BUSY, Workspace, require, wait_until

# What a kernel is called, and what its line in profile_error.log must say.
DEEDS = {
    "SEGV01": ("NNM_ERR_CRASHED", "SIGSEGV"),
    "ABORT1": ("NNM_ERR_CRASHED", "SIGABRT"),
    "LOOP01": ("NNM_ERR_TIMEOUT", "killed after"),
    "SLEEP1": ("NNM_ERR_TIMEOUT", "killed after"),
    "GREED1": ("NNM_ERR_BACKEND", "no memory left"),
    "GARBAGE": ("NNM_ERR_PARSE", "sent nonsense"),
    "REFUSE": ("NNM_ERR_BACKEND", "the runtime refuses"),
}
FINE = [f"FINE{i:02d}" for i in range(20)]


def test_deeds(workspace, sanitized):
    deeds = {id: deed for id, deed in DEEDS.items() if not (sanitized and id == "GREED1")}
    workspace.set(TIMEOUT_S=1)
    if not sanitized:  # a sanitizer needs more address space than any limit gives
        workspace.set(MEMORY_LIMIT_MIB=256)
    ids = list(deeds) + FINE
    out, err = workspace.meter("profile", "--workspace", workspace.path, "--models", workspace.kernels(ids), code=3)
    require(sorted(workspace.latencies()) == FINE, f"kernels with a latency: {sorted(workspace.latencies())}")
    lines = workspace.errors()
    require(len(lines) == len(deeds), f"{len(deeds)} kernels fail, the log has {len(lines)} lines: {lines}")
    for id, (code, cause) in deeds.items():
        mine = [line for line in lines if line.startswith(f"{id}: relu HW=7,CIN={8 + ids.index(id)}: {code}: ")]
        require(len(mine) == 1 and cause in mine[0], f"no line with kernel, configuration and cause of {id}: {lines}")
    rows = workspace.query("SELECT kernel_id FROM failure")
    require(sorted(row[0] for row in rows) == sorted(deeds), f"failures in the journal: {rows}")
    print(f"{len(deeds)} ways to fail: one line each in profile_error.log, {len(FINE)} kernels beside them measured")


def test_hopeless(workspace):
    ids = [f"REFUSE{i:02d}" for i in range(60)]
    before = workspace.sessions()
    _, err = workspace.meter("profile", "--workspace", workspace.path, "--models", workspace.kernels(ids), code=1)
    tried = workspace.sessions() - before
    require("failed on each of the first" in err and "the runtime refuses" in err, f"why it stopped is not said: {err}")
    require(tried < 30, f"{tried} kernels were tried before it stopped")
    print(f"a backend that fails everything: stopped after {tried} of {len(ids)} kernels")


def test_interrupt(workspace):
    """Ctrl-C while a kernel hangs: the end comes at once, not after TIMEOUT_S."""
    workspace.set(TIMEOUT_S=120)
    models = workspace.kernels(["SLEEP2"])
    while True:
        before = workspace.sessions()
        process = workspace.start("profile", "--workspace", workspace.path, "--models", models)
        wait_until(lambda: workspace.sessions() > before or process.poll() is not None, "the session")
        began = time.time()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        if process.returncode != 1 or BUSY not in err:
            break
        time.sleep(0.5)
    require(process.returncode == 130, f"exit code {process.returncode}: {out}{err}")
    require("interrupted" in err, err)
    require(not workspace.query("SELECT * FROM failure WHERE kernel_id = 'SLEEP2'"), "the kernel was blamed")
    require(time.time() - began < 30, "the interrupt waited for the kernel")
    print("Ctrl-C while a kernel hangs: ended, and the kernel is not blamed")


def main():
    program, library = sys.argv[1:3]
    sanitized = "--sanitized" in sys.argv
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    workspace = Workspace(program, library)
    test_deeds(workspace, sanitized)
    test_hopeless(Workspace(program, library))
    test_interrupt(workspace)
    shutil.rmtree(workspace.folder)


if __name__ == "__main__":
    main()
