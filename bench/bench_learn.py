#!/usr/bin/python3
"""How near predictors come with few rows: ours, and what scikit-learn and XGBoost make of the same rows.

    bench_learn.py --program build/nn-meter --csv TABLE [TABLE ...] [--kernel conv-bn-relu] [--rows 200 1000 5000]
                   [--test 4000] [--draws 5]

The last --test rows of a table are held out (2,000 of a table with columns M, N and K, which is taken for matmul). The
first draw trains on the first rows, the others on random ones of the rest. Peers get the documented features
(parameters, further columns, FLOPS, PARAMS); "log" means that they learn the logarithm of the latency. A cell has the
share of predictions within 10 % (mean and standard deviation over the draws), RMSPE, and the median seconds of fitting
with one thread, for ours with starting the program and reading the table; times are only worth comparing on a machine
that does nothing else.
"""
import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import tempfile
import time

import numpy as np
import sklearn
import xgboost
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor


def read_table(path, target):
    with open(path, newline="") as file:
        header, *rows = list(csv.reader(file))
    where = header.index(target)
    words = {"valid": 0.0, "same": 1.0}
    numbers = np.array([[words[c] if c in words else float(c) for c in row] for row in rows])
    columns = {name: numbers[:, i] for i, name in enumerate(header) if i != where}
    return header, rows, columns, numbers[:, where]


def documented_features(columns):
    one = np.ones(len(next(iter(columns.values()))))
    if "M" in columns:
        params = columns["N"] * columns["K"]
        flops = 2 * columns.get("B", one) * columns["M"] * params
    else:
        size, window, stride = columns["HW"], columns["KERNEL_SIZE"], columns["STRIDES"]
        params = columns["COUT"] * (window ** 2 * columns["CIN"] / columns.get("GROUPS", one) + 1)
        out = np.ceil(size / stride)
        if "PAD" in columns:
            out = np.floor((size + 2 * columns["PAD"] - window) / stride) + 1
        elif "PADDING" in columns:
            out = np.where(columns["PADDING"] == 1, out, np.floor((size - window) / stride) + 1)
        flops = 2 * columns.get("BATCH", one) * np.maximum(out, 0) ** 2 * params
    return np.column_stack([*columns.values(), flops, params])


def peers(seed):
    trees = dict(n_estimators=370, n_jobs=1, random_state=seed)
    boosting = dict(n_estimators=400, learning_rate=0.05, max_depth=7, subsample=0.8, colsample_bytree=0.8,
                    tree_method="hist", n_jobs=1, random_state=seed)
    return {
        "scikit-learn forest, as described": (RandomForestRegressor(max_depth=50, **trees), False),
        "scikit-learn forest, log": (RandomForestRegressor(max_features=0.5, **trees), True),
        "scikit-learn extra trees, log": (ExtraTreesRegressor(**trees), True),
        "XGBoost, log": (xgboost.XGBRegressor(**boosting), True),
    }


def judge(predicted, measured):
    error = np.abs(predicted - measured) / measured
    return 100 * np.mean(error <= 0.1), 100 * np.sqrt(np.mean(error ** 2))


def run_peers(x, y, train, test, seed, results):
    for name, (model, logarithms) in peers(seed).items():
        start = time.perf_counter()
        model.fit(x[train], np.log(y[train]) if logarithms else y[train])
        fit_s = time.perf_counter() - start
        predicted = model.predict(x[test])
        results.setdefault(name, []).append((*judge(np.exp(predicted) if logarithms else predicted, y[test]), fit_s))


def call(options, *arguments):
    return subprocess.run([options.program, *arguments], check=True, capture_output=True, text=True).stdout


def write_rows(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def run_ours(options, kernel, folder, header, rows, train, test, results):
    train_csv, test_csv = os.path.join(folder, "train.csv"), os.path.join(folder, "test.csv")
    predictor = os.path.join(folder, "p.nnm")
    write_rows(train_csv, header, [rows[i] for i in train])
    write_rows(test_csv, header, [rows[i] for i in test])
    for model in ("random_forest", "best"):
        start = time.perf_counter()
        call(options, "train", "--csv", train_csv, "--kernel", kernel, "--target", options.target, "--test-size", "0",
             "--model", model, "--threads", "1", "-o", predictor)
        fit_s = time.perf_counter() - start
        m = json.loads(call(options, "evaluate", "--predictor", predictor, "--csv", test_csv, "--target",
                            options.target, "--json"))
        results.setdefault("nnmeter " + model, []).append((100 * m["acc10"], 100 * m["rmspe"], fit_s))
    predicted = list(csv.DictReader(call(options, "predict", "--predictor", predictor, "--csv", test_csv).splitlines()))
    inside = [float(r["lower_ms"]) <= float(r[options.target]) <= float(r["upper_ms"]) for r in predicted]
    results.setdefault("coverage", []).append(100 * statistics.mean(inside))


def compare(options, path, train_count):
    header, rows, columns, y = read_table(path, options.target)
    matmul = "M" in columns
    test_count = min(2000 if matmul else options.test, len(y) // 2)
    others = len(y) - test_count
    if train_count > others:
        return
    x, test, results = documented_features(columns), range(others, len(y)), {}
    with tempfile.TemporaryDirectory() as folder:
        for draw in range(options.draws):
            train = list(range(train_count)) if draw == 0 else random.Random(draw).sample(range(others), train_count)
            run_ours(options, "matmul" if matmul else options.kernel, folder, header, rows, train, test, results)
            if not options.ours:
                run_peers(x, y, train, test, draw, results)
    coverage = results.pop("coverage")
    print(f"\n{os.path.basename(path)}, {train_count} rows, {test_count} held out, {options.draws} draws; 90 % intervals "
          f"of best hold {statistics.mean(coverage):.1f} % ({min(coverage):.1f} to {max(coverage):.1f})")
    print(f"{'':36}{'within 10 %':>14}{'RMSPE %':>10}{'fit s':>9}{'first rows':>13}")
    for name, runs in results.items():
        shares, errors, seconds = zip(*runs)
        spread = statistics.stdev(shares) if len(shares) > 1 else 0
        print(f"{name:36}{statistics.mean(shares):8.1f} ± {spread:3.1f}{statistics.mean(errors):10.1f}"
              f"{statistics.median(seconds):9.2f}{shares[0]:13.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the built nn-meter")
    parser.add_argument("--csv", nargs="+", required=True, help="tables of measured latencies")
    parser.add_argument("--target", default="latency_ms")
    parser.add_argument("--kernel", default="conv-bn-relu")
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 1000, 5000])
    parser.add_argument("--test", type=int, default=4000)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--ours", action="store_true", help="leave the peers out")
    options = parser.parse_args()
    print(f"scikit-learn {sklearn.__version__}, XGBoost {xgboost.__version__}")
    for path in options.csv:
        for count in options.rows:
            compare(options, path, count)


if __name__ == "__main__":
    main()
