#!/usr/bin/env python3
"""NODE_TIMES with ONNX Runtime itself: where the time of each kernel goes stands in the journal.

robust_nodes.py NN-METER
"""
import json
import shutil
import subprocess
import sys

from robust import SKIPPED, Workspace, require

KERNELS = {f"CONV{i}": {"HW": 56, "CIN": 32, "COUT": 32 + 8 * i, "KERNEL_SIZE": 3, "STRIDES": 1} for i in range(3)}


def missing_runtime(program):
    """Why there is no ONNX Runtime, or None."""
    answer = subprocess.run([program, "--list-backends", "--json"], capture_output=True, text=True, check=True)
    found = [backend for backend in json.loads(answer.stdout)["backends"] if backend["name"] == "onnxruntime_cpu"]
    if not found:
        return "this nn-meter was built without it"
    return None if found[0]["available"] else found[0]["why_not"]


def main():
    program = sys.argv[1]
    why_not = missing_runtime(program)
    if why_not:
        print(f"left out, there is no ONNX Runtime: {why_not}")
        sys.exit(SKIPPED)
    workspace = Workspace(program, settings={"NODE_TIMES": "TRUE"})
    models = f"{workspace.folder}/kernels.json"
    with open(models, "w") as stream:
        json.dump({"conv-bn-relu": {id: {"config": config} for id, config in KERNELS.items()}}, stream)
    profile = ["profile", "--workspace", workspace.path, "--models", models]
    out, err = workspace.meter(*profile)
    rows = workspace.query("SELECT kernel_id, position, node, operator, mean_ns FROM node_time ORDER BY id")
    require(sorted({row[0] for row in rows}) == sorted(KERNELS), f"kernels with node times: {rows}\n{err}")
    for id in KERNELS:
        mine = [row for row in rows if row[0] == id]
        require([row[1] for row in mine] == list(range(len(mine))), f"{id}: positions: {mine}")
        require(any("Conv" in row[3] for row in mine), f"{id}: no convolution among the operators: {mine}")
        require(all(row[2] and row[3] and 0 < row[4] < 1e9 for row in mine), f"{id}: names and times: {mine}")
    workspace.set(ROUNDS=3, MAX_ROUNDS=3)
    workspace.meter(*profile)
    again = workspace.query("SELECT count(*) FROM node_time")
    require(again == [(len(rows),)], f"{len(rows)} node times became {again}")
    print(f"{len(rows)} node times of {len(KERNELS)} kernels, operators {sorted({row[3] for row in rows})}")
    shutil.rmtree(workspace.folder)


if __name__ == "__main__":
    main()
