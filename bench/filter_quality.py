#!/usr/bin/python3
"""How good are the lists of the two models that ./quickstart trains? NDCG@10 on ratings they have not seen.

usage: bench/filter_quality.py [--build DIR] [--ratings FILE] [--seed N]

A fifth of each user's ratings is held out. trivet loads the rest, trains with each filter, and recommends ten items to
everybody from the whole model; a held-out rating counts as relevant whatever its value. Beside them: the ten items with
most ratings that the user has not rated. --ratings takes tab-separated (user, item, rating, ...) lines: MovieLens
100K's u.data, or ml-100k.inter.
"""

import argparse
import math
import pathlib
import random
import subprocess
import sys
import tempfile

REPO = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests/e2e"))
from server import clean_environment  # noqa: E402
from stores import Place, Servers  # noqa: E402

MODELS = [("the workshop's filter, 50 factors", ["--factors", "50"]),
          ("max_items_for_user=200, 15 factors", ["--set", "max_items_for_user=200", "--factors", "15"])]


def ndcg(lists, held, k=10):
    """Mean over users with held-out ratings; a user without a list scores 0."""
    total = 0
    for user, relevant in held.items():
        gain = sum(1 / math.log2(rank + 2) for rank, item in enumerate(lists.get(user, [])[:k]) if item in relevant)
        total += gain / sum(1 / math.log2(rank + 2) for rank in range(min(k, len(relevant))))
    return total / len(held)


def split(path, seed):
    rng, users = random.Random(seed), {}
    for line in open(path, encoding="utf-8"):
        fields = line.split("\t")
        if fields[0].isdigit():
            users.setdefault(int(fields[0]), []).append((int(fields[1]), float(fields[2])))
    training, held = [], {}
    for user, ratings in users.items():
        rng.shuffle(ratings)
        cut = len(ratings) // 5
        held[user] = {item for item, _ in ratings[:cut]}
        training += [(user, item, value) for item, value in ratings[cut:]]
    return training, {u: items for u, items in held.items() if items}


def popular(training):
    counts, seen = {}, {}
    for user, item, _ in training:
        counts[item] = counts.get(item, 0) + 1
        seen.setdefault(user, set()).add(item)
    order = sorted(counts, key=lambda item: (-counts[item], item))
    return {user: [item for item in order if item not in items][:10] for user, items in seen.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=REPO / "build")
    parser.add_argument("--ratings", type=pathlib.Path, default=REPO / "data/ml-100k.inter")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    training, held = split(args.ratings, args.seed)
    servers = Servers()
    try:
        place = Place(servers)
        run = lambda program, *words: subprocess.run(  # noqa: E731
            [args.build / program.split("-")[1] / program, *words], env={**clean_environment(), **place.env},
            check=True, capture_output=True, text=True).stdout
        with tempfile.TemporaryDirectory() as folder:
            with open(pathlib.Path(folder) / "ratings.csv", "w") as f:
                f.write("userId,movieId,rating\n")
                f.writelines(f"{u},{i},{r}\n" for u, i, r in training)
            run("trivet-etl", "load", folder)
        print(f"{len(training)} ratings to learn from, {sum(map(len, held.values()))} held out")
        print(f"NDCG@10 {ndcg(popular(training), held):.3f}  most ratings")
        for name, arguments in MODELS:
            run("trivet-train", "fit", *arguments)
            lists = {}
            for line in run("trivet-train", "recommend", "--top", "10").splitlines()[1:]:
                user, _, item, _ = line.split(",")
                lists.setdefault(int(user), []).append(int(item))
            print(f"NDCG@10 {ndcg(lists, held):.3f}  {name}")
    finally:
        servers.end()


if __name__ == "__main__":
    main()
