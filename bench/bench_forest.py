#!/usr/bin/python3
"""Our random forests against scikit-learn's, on the same table, in the same run.

    bench_forest.py --program BUILD/bench/bench_forest [--rows 1000 5000 20000] [--csv TABLE] [--seeds 3]

Without --csv, a seeded synthetic table of convolutions is made. The last column is the target and the last 4,000 rows
(at most a third) are held out; a batch is 100,000 of them, repeated. Fit times are the best of the seeds, accuracies
their mean. Both run alternately; times are only worth comparing on a machine that does nothing else.
"""
import argparse
import csv
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestRegressor

try:
    import xgboost
except ImportError:
    xgboost = None


def read_table(path):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    words = {"valid": 1.0, "same": 0.0}
    table = np.array([[words[c] if c in words else float(c) for c in row] for row in rows])
    return table[:, :-1], table[:, -1]


def run_ours(options, path, train, test, threads, seed):
    command = [options.program, "run", path, train, test, options.trees, options.depth, threads, seed]
    return json.loads(subprocess.run([str(c) for c in command], check=True, capture_output=True).stdout)


BATCH_ROWS = 100000


def in_child(function, *arguments):
    """What the function returns, from a process of its own: its peak of memory is not that of what ran before."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(function(*arguments), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pickle.load(pipe)
    os.waitpid(child, 0)
    return result


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def time_batch(predict, test_x):
    batch = np.tile(test_x, (BATCH_ROWS // len(test_x) + 1, 1))[:BATCH_ROWS]
    start = time.perf_counter()
    predict(batch)
    return (time.perf_counter() - start) / BATCH_ROWS * 1e6


def run_sklearn(options, x, y, train, test, seed):
    forest = RandomForestRegressor(n_estimators=options.trees, max_depth=options.depth or None, oob_score=True,
                                   random_state=seed, n_jobs=1)
    before = peak_mb()
    start = time.perf_counter()
    forest.fit(x[:train], y[:train])
    fit_s = time.perf_counter() - start
    fit_mb = peak_mb() - before
    test_x, test_y = x[-test:], y[-test:]
    predicted = forest.predict(test_x)
    singles = min(50, test)
    start = time.perf_counter()
    for i in range(singles):
        forest.predict(test_x[i:i + 1])
    row_s = (time.perf_counter() - start) / singles
    within = np.mean(np.abs(predicted - test_y) <= 0.1 * test_y)
    return {"fit_s": fit_s, "row_us": row_s * 1e6, "batch_row_us": time_batch(forest.predict, test_x),
            "acc10": within, "oob_score": forest.oob_score_,
            "nodes": sum(t.tree_.node_count for t in forest.estimators_),
            "file_mb": len(pickle.dumps(forest)) / 1e6, "fit_mb": fit_mb}


def xgboost_batch_us(x, y, train, test):
    """XGBoost at its own model: 300 trees of its default depth, found with histograms."""
    model = xgboost.XGBRegressor(n_estimators=300, tree_method="hist", n_jobs=1)
    model.fit(x[:train], y[:train])
    return time_batch(model.predict, x[-test:])


def summarise(runs):
    best = {key: min(run[key] for run in runs) for key in ("fit_s", "row_us", "batch_row_us", "fit_mb")}
    mean = {key: float(np.mean([run[key] for run in runs])) for key in ("acc10", "oob_score", "nodes", "file_mb")}
    return {**best, **mean}


def compare(options, path, x, y, train):
    test = min(4000, len(y) // 3, len(y) - train)
    results = {"scikit-learn": [], "nnmeter, 1 thread": [], "nnmeter, 2 threads": []}
    for seed in range(options.seeds):
        results["scikit-learn"].append(in_child(run_sklearn, options, x, y, train, test, seed))
        results["nnmeter, 1 thread"].append(run_ours(options, path, train, test, 1, seed))
        results["nnmeter, 2 threads"].append(run_ours(options, path, train, test, 2, seed))
    results = {name: summarise(runs) for name, runs in results.items()}
    peer = results["scikit-learn"]
    print(f"\n{train} rows, {x.shape[1]} features, {options.trees} trees, depth {options.depth}, {test} held out")
    print(f"{'':20}{'fit s':>10}{'ratio':>8}{'row us':>11}{'ratio':>8}{'batch us':>10}{'ratio':>8}"
          f"{'acc10 %':>9}{'oob R2':>8}{'nodes':>10}{'fit MB':>8}{'file MB':>9}")
    for name, r in results.items():
        print(f"{name:20}{r['fit_s']:10.3f}{peer['fit_s'] / r['fit_s']:8.1f}{r['row_us']:11.1f}"
              f"{peer['row_us'] / r['row_us']:8.0f}{r['batch_row_us']:10.2f}"
              f"{peer['batch_row_us'] / r['batch_row_us']:8.1f}{100 * r['acc10']:9.2f}{r['oob_score']:8.4f}"
              f"{r['nodes']:10.0f}{r['fit_mb']:8.1f}{r['file_mb']:9.1f}")
    if xgboost:
        print(f"XGBoost {xgboost.__version__}, 300 trees of its own: batch "
              f"{in_child(xgboost_batch_us, x, y, train, test):.2f} us a row")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the built bench_forest")
    parser.add_argument("--csv", help="a table whose last column is the target")
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 5000, 20000])
    parser.add_argument("--trees", type=int, default=370)
    parser.add_argument("--depth", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.csv
        if not path:
            path = os.path.join(folder, "table.csv")
            rows = str(max(options.rows) + 4000)
            subprocess.run([options.program, "table", path, rows, "1"], check=True)
        x, y = read_table(path)
        print(f"scikit-learn {sklearn.__version__}, n_jobs=1; ratio: how many times faster than scikit-learn")
        for train in options.rows:
            compare(options, path, x, y, train)


if __name__ == "__main__":
    main()
