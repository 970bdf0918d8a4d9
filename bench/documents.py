#!/usr/bin/env python3
"""The rank search that courses show, beside Spark: ml-latest-small of 2016, its ratings in parts of 6:2:2, ranks 4, 8 and
12, 10 iterations, lambda 0.1. Each rank is judged on the validation part; the best one, once, on the test part.

    bench/beside-peers FOLDER     installs Spark and runs this; FOLDER holds ml-latest-small-2016.tar.gz
    bench/documents.py --data FOLDER

Both learn from the same training part and predict the same pairs, those whose user and item are in it; trivet as it
serves, with users folded in from float16 item factors. Without Spark trivet runs alone, and says so. Ends with status 1
when an RMSE differs from Spark's by more than 0.01."""

import io
import pathlib
import sys
import tarfile
import tempfile

import numpy as np
from als import Spark, Trivet, missing, no_spark, write
from common import arguments

RANKS, SETTINGS, FAR = (4, 8, 12), {"iterations": 10, "lambda": 0.1}, 0.01


def parts(data):
    """Training, validation and test, each an array of user, item, rating."""
    with tarfile.open(data / "ml-latest-small-2016.tar.gz") as archive:
        text = archive.extractfile("ml-latest-small-2016/ratings.csv").read()
    rows = np.loadtxt(io.BytesIO(text), delimiter=",", skiprows=1, usecols=(0, 1, 2))
    draw = np.random.default_rng(0).random(len(rows))
    return rows[draw < 0.6], rows[(draw >= 0.6) & (draw < 0.8)], rows[draw >= 0.8]


class Pair:
    """trivet and Spark, learning from one part and judged on another."""

    def __init__(self, args, training, folder, spark):
        self.args, self.training, self.folder, self.spark = args, training, folder, spark
        write(folder / "train.csv", training)

    def rmse(self, rank, held_out):
        settings = {"factors": rank, **SETTINGS}
        write(self.folder / "test.csv", held_out)
        ours = Trivet(self.args, settings, self.folder).run()
        theirs = Spark(self.args, settings, self.training, held_out).run() if self.spark else None
        return ours, theirs


def row(what, ours, theirs):
    print(f"{what:24s} {ours['rmse']:10.4f}", end="")
    if theirs is None:
        print()
        return 0
    if theirs["tested"] != ours["tested"]:
        sys.exit(f"trivet predicts {ours['tested']:.0f} pairs, Spark {theirs['tested']}")
    print(f" {theirs['rmse']:10.4f} {ours['rmse'] - theirs['rmse']:+12.4f}")
    return abs(ours["rmse"] - theirs["rmse"])


def main():
    parser = arguments(__doc__)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    training, validation, test = parts(args.data)
    why = no_spark()
    if why:
        missing("SPARK", why)
    print(f"{len(training):,} ratings to learn from, {len(validation):,} for validation, {len(test):,} for the test; "
          f"{SETTINGS['iterations']} iterations, lambda {SETTINGS['lambda']}\n")
    print(f"{'RMSE':24s} {'trivet':>10s}" + ("" if why else f" {'Spark':>10s} {'difference':>12s}"))
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(args, training, pathlib.Path(folder), not why)
        results = {rank: pair.rmse(rank, validation) for rank in RANKS}
        far = max(row(f"rank {rank}, validation", *results[rank]) for rank in RANKS)
        best = min(RANKS, key=lambda rank: results[rank][0]["rmse"])
        far = max(far, row(f"rank {best}, test", *pair.rmse(best, test)))
    return int(far > FAR)


if __name__ == "__main__":
    sys.exit(main())
