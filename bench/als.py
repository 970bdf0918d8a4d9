#!/usr/bin/env python3
"""Alternating least squares on a ratings file: trivet beside Spark (explicit ratings) and implicit (implicit feedback).

usage: als.py [--build DIR] [--threads T] [--repeat R] [--only explicit|implicit] [--factors K] [--iterations N]
              [--lambda L] [--alpha A] RATINGS.csv

RATINGS.csv has lines user,item,rating (a header line is skipped). A fifth of them, where numpy's
default_rng(0).random(n) < 0.2, is held out. Explicit: RMSE over held-out ratings of known users and items. Implicit:
each rating counts as 1 with confidence 1 + alpha, NDCG@10 over full rankings without what the user rated in training.
trivet predicts and ranks as its server does, with users folded in from float16 item factors; the time of folding in is
shown apart.

The peers come from PyPI and Spark wants Java; trivet runs alone where one is missing, and says so. bench/beside-peers
installs them and runs this on MovieLens 1M.

Runs alternate, so that a busy moment of the machine hurts both. Ends with status 1 when trivet's results are worse than
a peer's (RMSE by more than 0.002, NDCG@10 by more than 0.002)."""

import argparse
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # implicit asks for it: its own threads call BLAS
import numpy as np  # noqa: E402

WORSE = 0.002
DEFAULTS = {"explicit": {"factors": 50, "iterations": 15, "lambda": 0.065},
            "implicit": {"factors": 64, "iterations": 15, "lambda": 0.01}}


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "build")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", choices=list(DEFAULTS))
    parser.add_argument("--factors", type=int)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--lambda", type=float)
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("ratings", type=pathlib.Path)
    return parser.parse_args()


def read(path):
    with open(path) as lines:
        header = not lines.readline().split(",")[0].lstrip("-").isdigit()
    rows = np.loadtxt(path, delimiter=",", skiprows=int(header), usecols=(0, 1, 2))
    held_out = np.random.default_rng(0).random(len(rows)) < 0.2
    return rows[~held_out], rows[held_out]


def write(path, rows):
    np.savetxt(path, rows, fmt=["%d", "%d", "%.9g"], delimiter=",")


def missing(name, why):
    print(f"\n*** {name} IS MISSING ({why}): trivet runs alone, nothing is compared ***\n")


def no_spark():
    """Why Spark cannot run here, or None."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "no java"
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        return str(error)
    return None


def merge(runs):
    """The least of all times, everything else from the last run."""
    times = ("fit", "fold_in", "top")
    return {key: min(r[key] for r in runs) if key in times else value for key, value in runs[-1].items()}


class Trivet:
    def __init__(self, args, settings, folder, *flags):
        self.folder = folder
        self.command = [args.build / "bench/als_tool", "--threads", str(args.threads), *flags]
        for key in ("factors", "iterations", "lambda"):
            self.command += [f"--{key}", str(settings[key])]

    def run(self):
        lists = self.folder / "top"
        files = ["--top", lists, self.folder / "train.csv", self.folder / "test.csv"]
        environment = {"GOMP_SPINCOUNT": "10000", **os.environ}  # as trivet-train has it
        done = subprocess.run([*self.command, *files], capture_output=True, text=True, env=environment)
        if done.returncode != 0:
            sys.exit(done.stderr)
        result = {key: float(value) for key, value in (line.split() for line in done.stdout.splitlines())}
        result["lists"] = {int(user): list(map(int, items))
                           for user, *items in (line.split() for line in lists.read_text().splitlines())}
        return result


class Spark:
    def __init__(self, args, settings, train, test):
        from pyspark.ml.recommendation import ALS
        from pyspark.sql import SparkSession
        self.session = (SparkSession.builder.master(f"local[{args.threads}]").config("spark.driver.memory", "4g")
                        .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
                        .getOrCreate())
        self.session.sparkContext.setLogLevel("ERROR")
        self.train = self.frame(train).repartition(args.threads).cache()
        self.train.count()
        self.test = self.frame(test)
        self.als = ALS(rank=settings["factors"], maxIter=settings["iterations"], regParam=settings["lambda"], seed=5,
                       userCol="user", itemCol="item", ratingCol="rating", coldStartStrategy="drop")
        self.als.fit(self.train)  # a first fit compiles

    def frame(self, rows):
        data = [(int(u), int(i), float(r)) for u, i, r in rows]
        return self.session.createDataFrame(data, "user int, item int, rating float")

    def run(self):
        start = time.perf_counter()
        model = self.als.fit(self.train)
        fit = time.perf_counter() - start
        pairs = np.array([(row.prediction, row.rating) for row in model.transform(self.test).collect()])
        return {"fit": fit, "rmse": math.sqrt(np.mean((pairs[:, 0] - pairs[:, 1]) ** 2)), "tested": len(pairs)}


class Implicit:
    def __init__(self, args, settings, train):
        import implicit
        import scipy.sparse as sp
        self.implicit, self.threads, self.settings = implicit, args.threads, settings
        self.users, rows = np.unique(train[:, 0].astype(int), return_inverse=True)
        self.items, columns = np.unique(train[:, 1].astype(int), return_inverse=True)
        confidence = np.full(len(train), 1 + args.alpha, "f4")
        self.matrix = sp.csr_matrix((confidence, (rows, columns)), shape=(len(self.users), len(self.items)))

    def run(self):
        model = self.implicit.als.AlternatingLeastSquares(
            factors=self.settings["factors"], iterations=self.settings["iterations"], alpha=1.0, random_state=1,
            regularization=self.settings["lambda"], num_threads=self.threads, use_gpu=False)
        start = time.perf_counter()
        model.fit(self.matrix, show_progress=False)
        fit = time.perf_counter() - start
        start = time.perf_counter()
        items, _ = model.recommend(np.arange(len(self.users)), self.matrix, N=10)
        top = time.perf_counter() - start
        return {"fit": fit, "top": top, "lists": dict(zip(self.users.tolist(), self.items[items].tolist()))}


def ndcg(lists, test):
    """Mean over users with anything held out; a user without a list counts 0."""
    relevant, total = {}, 0.0
    for user, item in test[:, :2].astype(int):
        relevant.setdefault(int(user), set()).add(int(item))
    for user, wanted in relevant.items():
        gain = sum(1 / math.log2(place + 2) for place, item in enumerate(lists.get(user, ())) if item in wanted)
        total += gain / sum(1 / math.log2(place + 2) for place in range(min(10, len(wanted))))
    return total / len(relevant)


def alternate(repeat, *solvers):
    runs = [[] for _ in solvers]
    for _ in range(repeat):
        for solver, results in zip(solvers, runs):
            if solver:
                results.append(solver.run())
    return [merge(results) if results else None for results in runs]


def explicit(args, settings, train, test, folder):
    why = no_spark()
    if why:
        missing("SPARK", why)
    spark = None if why else Spark(args, settings, train, test)
    write(folder / "train.csv", train)
    ours, biased, theirs = alternate(args.repeat, Trivet(args, settings, folder),
                                     Trivet(args, settings, folder, "--biases"), spark)
    print("explicit: {factors} factors, {iterations} iterations, lambda {lambda}".format(**settings))
    for name, r in (("trivet", ours), ("trivet with biases", biased)):
        print(f"  {name:20s} fit {r['fit']:7.3f} s  RMSE {r['rmse']:.4f} on {r['tested']:.0f}  "
              f"(fold-in of all users {r['fold_in']:.3f} s, top 10 of all {r['top']:.3f} s)")
    if theirs is None:
        return False
    print(f"  {'Spark':20s} fit {theirs['fit']:7.3f} s  RMSE {theirs['rmse']:.4f} on {theirs['tested']}")
    print(f"trivet fits {theirs['fit'] / ours['fit']:.1f} times as fast as Spark, "
          f"RMSE {ours['rmse'] - theirs['rmse']:+.4f}")
    return ours["rmse"] > theirs["rmse"] + WORSE


def implicit_feedback(args, settings, train, test, folder):
    ones = np.column_stack([train[:, :2], np.ones(len(train))])
    try:
        peer = Implicit(args, settings, ones)
    except ImportError as error:
        missing("IMPLICIT", error)
        peer = None
    write(folder / "train.csv", ones)
    flags = ("--implicit", "--alpha", str(args.alpha))
    ours, theirs = alternate(args.repeat, Trivet(args, settings, folder, *flags), peer)
    quality = ndcg(ours["lists"], test)
    print("implicit: {factors} factors, {iterations} iterations, lambda {lambda}".format(**settings),
          f"alpha {args.alpha}", sep=", ")
    print(f"  {'trivet':20s} fit {ours['fit']:7.3f} s  top 10 of all {ours['top']:.3f} s  NDCG@10 {quality:.4f}  "
          f"(fold-in of all users {ours['fold_in']:.3f} s)")
    if theirs is None:
        return False
    theirs["ndcg"] = ndcg(theirs["lists"], test)
    print(f"  {'implicit':20s} fit {theirs['fit']:7.3f} s  top 10 of all {theirs['top']:.3f} s  "
          f"NDCG@10 {theirs['ndcg']:.4f}")
    print(f"trivet fits {theirs['fit'] / ours['fit']:.2f} times as fast as implicit and ranks "
          f"{theirs['top'] / ours['top']:.2f} times as fast, NDCG@10 {quality - theirs['ndcg']:+.4f}")
    return quality < theirs["ndcg"] - WORSE


def main():
    args = arguments()
    train, test = read(args.ratings)
    print(f"{args.ratings.name}: {len(train):,} ratings to learn from, {len(test):,} held out, {args.threads} threads, "
          f"best of {args.repeat}")
    worse = False
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write(folder / "test.csv", test)
        for kind, run in (("explicit", explicit), ("implicit", implicit_feedback)):
            settings = {key: getattr(args, key) if getattr(args, key) is not None else value
                        for key, value in DEFAULTS[kind].items()}
            if args.only in (None, kind):
                worse |= run(args, settings, train, test, folder)
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
