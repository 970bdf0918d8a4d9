#!/usr/bin/python3
"""How long a million rows of recommendations take: trivet-train recommend --to postgres, on MovieLens 1M.

usage: bench/recommend.py [--build DIR] [--data DIR] [--rounds N] [--top N]

Every user gets --top items from a model with 50 factors that learned from all ratings: 170 for each of 6,040 users are
1,026,800 rows. Each round takes the place of the rows of the one before. The best of the rounds counts. Ends with
status 1 when that takes longer than wanted, or when rows are missing.
"""

import sys
import tempfile
import time

from common import WIDE_OPEN, arguments, machine, movielens_1m, run
from stores import Place, Servers

SECONDS = 10


def bench(args, place, folder):
    run(args.build, place.env, "trivet-etl", "load", movielens_1m(args.data, folder))
    run(args.build, place.env, "trivet-train", "fit", *WIDE_OPEN)
    users = int(place.psql("SELECT count(DISTINCT user_id) FROM trivet.rating"))
    print(f"{users:,} users, {args.top} items each; {machine()}", flush=True)
    seconds = []
    for number in range(args.rounds):
        started = time.perf_counter()
        run(args.build, place.env, "trivet-train", "recommend", "--model", "1", "--top", str(args.top), "--to", "postgres")
        seconds.append(time.perf_counter() - started)
        rows = int(place.psql("SELECT count(*) FROM trivet.recommendation WHERE run_id = 1"))
        print(f"round {number + 1}: {rows:,} rows in {seconds[-1]:.2f} s", flush=True)
    print(f"{rows / min(seconds):,.0f} rows a second; {rows:,} in {min(seconds):.2f} s (wanted: below {SECONDS} s)")
    return rows == users * args.top and min(seconds) < SECONDS


def main():
    parser = arguments(__doc__)
    parser.add_argument("--top", type=int, default=170)
    args = parser.parse_args()
    servers = Servers()
    try:
        with tempfile.TemporaryDirectory() as folder:
            good = bench(args, Place(servers), folder)
    finally:
        servers.end()
    sys.exit(not good)


if __name__ == "__main__":
    main()
