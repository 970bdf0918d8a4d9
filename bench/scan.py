#!/usr/bin/python3
"""Lists of recommendations without scoring every item, beside the scoring of every item, in one run.

usage: bench/scan.py [--build DIR] [--data DIR] [--users N] [--top N]

Epinions has 296,277 items, MovieLens 1M 3,706. For each, and for each algorithm, a model with 50 factors is made in memory, and
both ways make the lists of the same users in turns, on one thread whose processor time is what counts. Fifty items are what a
server computes of a list (it keeps them for the next request). Pairs that were rated twice count as their mean. The last lines
are lists through a filter that leaves one item in a hundred.

Ends with status 1 where two lists differ in a bit, or where the SVD's lists of Epinions are not 40 times as many a second.
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import tarfile
import tempfile

from common import REPO, machine

WANTED = 40
SETS = {"epinions": ("epinions-922k.tar.gz", "epinions-922k/ratings.csv"),
        "ml-1m": ("ml-1m.tar.gz", "ml-1m/ratings_no_timestamp.csv")}
WAYS = {"svd": [], "als with biases": ["--als"], "als-implicit": ["--implicit"]}


def unpack(data, folder, name):
    archive, member = SETS[name]
    pairs = collections.defaultdict(list)
    with tarfile.open(data / archive) as tar:
        for line in tar.extractfile(member).read().decode().splitlines()[1:]:
            user, item, rating = line.split(",")[:3]
            pairs[user, item].append(float(rating))
    path = folder / f"{name}.csv"
    path.write_text("".join(f"{user},{item},{sum(r) / len(r):g}\n" for (user, item), r in pairs.items()))
    return path


def measure(args, path, flags):
    done = subprocess.run([args.build / "bench/scan_tool", "--users", str(args.users), "--top", str(args.top), *flags, path],
                          capture_output=True, text=True)
    if done.returncode > 1 or not done.stdout:
        sys.exit(f"scan_tool failed:\n{done.stderr}")
    return {key: float(value) for key, value in (line.split() for line in done.stdout.splitlines())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=REPO / "build")
    parser.add_argument("--data", type=pathlib.Path, default=REPO.parent / "shared/data")
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--top", type=int, default=50)
    args = parser.parse_args()
    print(f"lists of {args.top}, {args.users} users; {machine()}")
    print("set       algorithm        filter     items   all/s   scan/s  times  looked at: mean  median    p99   scored")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for name in SETS:
            path = unpack(args.data, pathlib.Path(folder), name)
            for way, flags in WAYS.items():
                for keep in ("1", ".01"):
                    r = measure(args, path, [*flags, "--keep", keep])
                    print(f"{name:9s} {way:16s} {keep:>6s} {r['items']:9,.0f} {r['full']:7,.0f} {r['scan']:8,.0f} {r['ratio']:6.1f}"
                          f" {r['looked_at']:16.2%} {r['median']:7.2%} {r['p99']:6.1%} {r['scored']:8.3%}", flush=True)
                    good &= r["differ"] == 0 and (name != "epinions" or way != "svd" or keep != "1" or r["ratio"] >= WANTED)
    sys.exit(not good)


if __name__ == "__main__":
    main()
