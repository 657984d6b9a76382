#!/usr/bin/env python3
"""Runs out of disk in the middle of profiling, and goes on after space is back.

robust_disk.py NN-METER WILD-RUNTIME

On a small tmpfs, for which a user and mount namespace is made when this is not root; and where that is not permitted
either, and besides, with a limit on the size of files.
"""
import os
import resource
import shutil
import subprocess
import sys
import tempfile

from robust import SKIPPED, Workspace, require

INSIDE = "ROBUST_DISK_INSIDE"
KERNELS = [f"DISK{i:03d}" for i in range(200)]


def check_stopped(code, out, err):
    require(code == 1, f"exit code {code} on a full disk: {out}{err}")
    require("/ws/" in err, f"the message names no path: {err}")
    require("No space left" in err or "full" in err or "File too large" in err, f"the message gives no cause: {err}")
    require("Make room on that disk" in err, f"the message does not say what to do: {err}")


def check_goes_on(workspace, models, known):
    rounds = workspace.rounds()
    require(all(rounds.get(number) == row for number, row in known.items()), "a measurement was lost")
    workspace.meter("profile", "--workspace", workspace.path, "--models", models)
    workspace.check()
    require(sorted(workspace.latencies()) == KERNELS, "not every kernel has a latency")
    counts = workspace.query("SELECT kernel_id, count(*) FROM round WHERE pass = 0 GROUP BY 1")
    require(all(count == 2 for _, count in counts), f"other than two rounds: {counts}")
    require(not workspace.temporaries(), f"temporary files are left: {workspace.temporaries()}")


def fill(path, leave):
    """Leaves that many bytes of the file system that `path` lies on."""
    space = os.statvfs(os.path.dirname(path))
    with open(path, "wb") as stream:
        stream.write(b"\0" * (space.f_bavail * space.f_frsize - leave))


def test_full_tmpfs(program, library):
    folder = tempfile.mkdtemp(prefix="nnmeter-disk-")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True, text=True)
    if made.returncode:
        os.rmdir(folder)
        return made.stderr.strip()
    try:
        workspace = Workspace(program, library, folder=folder)
        models = workspace.kernels(KERNELS)
        filler = os.path.join(folder, "filler")
        workspace.meter("profile", "--workspace", workspace.path, "--models", workspace.kernels(["FIRST0"]))
        os.unlink(os.path.join(workspace.path, "predictor_build/results/profiled_relu.json"))
        stops = 0
        for leave in (1500 << 10, 900 << 10, 300 << 10, 4 << 10):
            models = workspace.kernels(KERNELS)
            known = workspace.rounds()
            fill(filler, leave)
            code, out, err = workspace.run("profile", "--workspace", workspace.path, "--models", models)
            if code != 0:
                check_stopped(code, out, err)
                stops += 1
            os.unlink(filler)
            workspace.check()
            rounds = workspace.rounds()
            require(all(rounds.get(number) == row for number, row in known.items()), "a measurement was lost")
        require(stops >= 1, "the disk never was full")
        workspace.query("DELETE FROM round WHERE kernel_id = 'FIRST0'")
        check_goes_on(workspace, models, {})
        print(f"full tmpfs: {stops} clear stops, complete after space was back; the last message:\n  {err.strip()}")
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        os.rmdir(folder)
    return None


def test_file_limit(program, library):
    """No file may grow beyond a limit: writes fail with another cause, and what follows is the same."""
    workspace = Workspace(program, library)
    models = workspace.kernels(KERNELS)
    workspace.meter("sample", "--workspace", workspace.path, "--kernel", "fc", "--num", "1")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (200 << 10, 200 << 10))

    code, out, err = workspace.run("profile", "--workspace", workspace.path, "--models", models, preexec_fn=limit)
    check_stopped(code, out, err)
    known = workspace.rounds()
    require(known, "nothing was measured before the limit")
    check_goes_on(workspace, models, known)
    print(f"limited file size: a clear stop after {len(known)} rounds, complete without the limit:\n  {err.strip()}")
    shutil.rmtree(workspace.folder)


def main():
    program, library = sys.argv[1:3]
    if not os.environ.get(INSIDE):
        test_file_limit(program, library)
    why_not = test_full_tmpfs(program, library) if os.geteuid() == 0 or os.environ.get(INSIDE) else "not root"
    if why_not and not os.environ.get(INSIDE):
        inside = subprocess.run(["unshare", "-Urm", sys.executable, *sys.argv], env=dict(os.environ, **{INSIDE: "1"}))
        if inside.returncode == SKIPPED:
            print(f"full tmpfs: left out, no tmpfs can be mounted here ({why_not})")
        elif inside.returncode:
            sys.exit(inside.returncode)
    elif why_not:
        sys.exit(SKIPPED)


if __name__ == "__main__":
    main()
