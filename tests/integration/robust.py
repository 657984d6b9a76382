"""What the robustness tests share: a workspace whose runtime is wild_runtime.c, and what must hold in it at any moment."""
import contextlib
import glob
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time

BUSY = "another profiler is measuring"
SKIPPED = 77


def require(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


class Workspace:
    def __init__(self, program, library=None, folder=None, settings=None):
        self.program = os.path.abspath(program)
        self.folder = folder or tempfile.mkdtemp(prefix="nnmeter-robust-")
        self.path = os.path.join(self.folder, "ws")
        self.log = os.path.join(self.folder, "sessions.log")
        self.environment = dict(os.environ, WILD_LOG=self.log)
        self.meter("create", "--workspace", self.path, "--backend", "onnxruntime_cpu")
        self.set(ROUNDS=2, MAX_ROUNDS=2, WARMUP_MS=0.01, SAMPLE_US=10, ROUND_MS=0.2, GATE=0, CPU="none", WAIT_S=0, REALTIME="FALSE",
                 REPEAT_SHARE=0, **(settings or {}))
        if library:
            self.set(LIBRARY_PATH=os.path.abspath(library))

    def set(self, **settings):
        """Changes keys of backend_config.yaml; those it does not have are left out."""
        path = os.path.join(self.path, "configs", "backend_config.yaml")
        text = open(path).read()
        for key, value in settings.items():
            text = re.sub(rf"^(# )?{key}: .*$", f"{key}: {value}", text, flags=re.M)
        open(path, "w").write(text)

    def start(self, *arguments, **options):
        return subprocess.Popen([self.program, *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    def run(self, *arguments, **options):
        """Exit code, stdout, stderr; waits while somebody else measures on this machine."""
        while True:
            process = self.start(*arguments, **options)
            out, err = process.communicate(timeout=300)
            if process.returncode != 1 or BUSY not in err:
                return process.returncode, out, err
            time.sleep(0.5)

    def meter(self, *arguments, code=0):
        got, out, err = self.run(*arguments)
        require(got == code, f"nn-meter {' '.join(arguments)}: exit code {got}\n{out}{err}")
        return out, err

    def kernels(self, ids, kernel="relu"):
        """A configuration file with small kernels of these ids; returns its path."""
        path = os.path.join(self.folder, "kernels.json")
        data = {kernel: {id: {"config": {"HW": 7, "CIN": 8 + i}} for i, id in enumerate(ids)}}
        json.dump(data, open(path, "w"))
        return path

    def query(self, sql, *values):
        path = os.path.join(self.path, "journal.sqlite")
        with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as database:
            return database.execute(sql, values).fetchall()

    def has_journal(self):
        """Whether there is a journal with tables: a process may have been killed before it made them."""
        path = os.path.join(self.path, "journal.sqlite")
        return os.path.exists(path) and os.path.getsize(path) > 0 and \
            self.query("SELECT count(*) FROM sqlite_master WHERE name = 'sampled'")[0][0] == 1

    def rounds(self):
        """Every round, by its number."""
        if not self.has_journal():
            return {}
        rows = self.query("SELECT id, kernel, kernel_id, config, began_unix_s, estimate_ns FROM round")
        return {row[0]: row[1:] for row in rows}

    def sessions(self):
        return sum(1 for _ in open(self.log)) if os.path.exists(self.log) else 0

    def results(self):
        return sorted(glob.glob(os.path.join(self.path, "predictor_build/results/*.json")))

    def latencies(self, kernel="relu"):
        path = os.path.join(self.path, f"predictor_build/results/profiled_{kernel}.json")
        return json.load(open(path))[kernel] if os.path.exists(path) else {}

    def temporaries(self):
        return glob.glob(os.path.join(self.path, "**/*.tmp"), recursive=True)

    def errors(self):
        path = os.path.join(self.path, "predictor_build/results/profile_error.log")
        return open(path).read().splitlines() if os.path.exists(path) else []

    def check(self):
        """What holds at any moment."""
        if self.has_journal():
            verdict = self.query("PRAGMA integrity_check")
            require(verdict == [("ok",)], f"the journal is damaged: {verdict}")
        for path in self.results():
            try:
                data = json.load(open(path))
            except ValueError as error:
                require(False, f"{path} is no JSON: {error}")
            require(all(isinstance(entry, dict) for entry in data.values()), f"{path}: {data}")


def children_of(pid):
    try:
        return [int(child) for child in open(f"/proc/{pid}/task/{pid}/children").read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def wait_until(condition, what, seconds=60):
    end = time.time() + seconds
    while not condition():
        require(time.time() < end, f"waited {seconds} s for {what}")
        time.sleep(0.002)
