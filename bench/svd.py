#!/usr/bin/python3
"""Truncated SVD of a ratings file: trivet beside every solver scipy's svds offers, best of several runs each.

usage: svd.py [--build DIR] [--factors K] [--threads T] [--repeat R] RATINGS.csv

RATINGS.csv has lines user,item,rating (a header line is skipped, repeated pairs are averaged). Runs alternate between
the solvers, so that a busy moment of the machine hurts all of them; trivet runs five times in its turn, which takes
about as long as one turn of scipy. Ends with status 1 when a singular value of trivet differs from scipy's default
by more than 1e-5. (Debian: python3-scipy)"""

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

os.environ.setdefault("SCIPY_USE_PROPACK", "1")  # before scipy 1.11 propack must be asked for
import scipy.sparse as sp  # noqa: E402
from scipy.sparse.linalg import svds  # noqa: E402

ACCURACY = 1e-5


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "build")
    parser.add_argument("--factors", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("ratings", type=pathlib.Path)
    return parser.parse_args()


def has_header(path):
    with open(path) as lines:
        return not lines.readline().split(",")[0].lstrip("-").isdigit()


def read(path):
    rows = np.loadtxt(path, delimiter=",", skiprows=int(has_header(path)), usecols=(0, 1, 2))
    users = np.unique(rows[:, 0], return_inverse=True)[1]
    items = np.unique(rows[:, 1], return_inverse=True)[1]
    total = sp.coo_matrix((rows[:, 2], (users, items))).tocsr()
    count = sp.coo_matrix((np.ones(len(rows)), (users, items))).tocsr()
    total.data /= count.data
    return total


class Trivet:
    def __init__(self, args, matrix, path):
        coo = matrix.tocoo()
        np.savetxt(path, np.column_stack([coo.row, coo.col, coo.data]), fmt=["%d", "%d", "%.9g"], delimiter=",")
        self.command = [args.build / "bench/svd_tool", "--factors", str(args.factors), "--threads", str(args.threads),
                        "--repeat", "5", path]

    def run(self):
        done = subprocess.run(self.command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        words = [line.split() for line in done.stdout.splitlines()]
        values = [float(value) for key, value in words if key == "sigma"]
        return float(dict(words)["seconds"]), np.array(values)


@contextlib.contextmanager
def quiet():
    """Hides standard error: scipy's propack writes a pointless warning there for every product."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class Scipy:
    def __init__(self, matrix, factors, **options):
        self.matrix, self.options = matrix, {"k": factors, **options}

    def run(self):
        with quiet():
            start = time.perf_counter()
            values = svds(self.matrix, **self.options)[1]
            return time.perf_counter() - start, np.sort(values)[::-1]


def main():
    args = arguments()
    matrix = read(args.ratings)
    single = matrix.astype("f4")
    print(f"{args.ratings.name}: {matrix.shape[0]:,} x {matrix.shape[1]:,}, {matrix.nnz:,} ratings, "
          f"{args.factors} factors, {args.threads} threads, best of {args.repeat}")
    with tempfile.TemporaryDirectory() as folder:
        solvers = {
            "svds (default: arpack float64)": Scipy(matrix, args.factors),
            "trivet": Trivet(args, matrix, pathlib.Path(folder) / "ratings.csv"),
            "svds arpack float32": Scipy(single, args.factors),
            "svds arpack float32, tol 1e-4": Scipy(single, args.factors, tol=1e-4),
            "svds propack float64": Scipy(matrix, args.factors, solver="propack"),
            "svds propack float32": Scipy(single, args.factors, solver="propack"),
        }
        results = {name: [] for name in solvers}
        for _ in range(args.repeat):
            for name, solver in solvers.items():
                results[name].append(solver.run())
    reference = results["svds (default: arpack float64)"][0][1]
    best = {name: min(seconds for seconds, _ in runs) for name, runs in results.items()}
    error = {name: np.max(np.abs(runs[0][1] - reference) / reference) for name, runs in results.items()}
    for name in solvers:
        print(f"  {name:32s} {best[name]:7.3f} s   largest relative error {error[name]:.1e}   "
              f"{best[name] / best['trivet']:5.2f} x trivet")
    fastest = min((name for name in solvers if name != "trivet" and error[name] <= ACCURACY), key=best.get)
    print(f"trivet is {best['svds (default: arpack float64)'] / best['trivet']:.1f} times as fast as scipy's default "
          f"and {best[fastest] / best['trivet']:.1f} times as fast as its fastest ({fastest})")
    return int(error["trivet"] > ACCURACY)


if __name__ == "__main__":
    sys.exit(main())
