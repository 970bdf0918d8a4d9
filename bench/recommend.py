#!/usr/bin/python3
"""How long a million rows of recommendations take: trivet-train recommend --to postgres, on MovieLens 1M.

usage: bench/recommend.py [--build DIR] [--data DIR] [--rounds N] [--top N]

Every user gets --top items from a model with 50 factors that learned from all ratings: 170 for each of 6,040 users are
1,026,800 rows. The first time they go into an empty table; each time after that they take the place of the ones before,
which takes longer, and the best counts. Ends with status 1 when either takes longer than wanted, or when rows are
missing.
"""

import sys
import tempfile

from common import WIDE_OPEN, arguments, machine, movielens_1m, run, timed
from stores import Place, Servers

SECONDS = 10


def fill(args, place):
    """How many rows there are then."""
    run(args.build, place.env, "trivet-train", "recommend", "--model", "1", "--top", str(args.top), "--to", "postgres")
    return int(place.psql("SELECT count(*) FROM trivet.recommendation WHERE run_id = 1"))


def bench(args, place, folder):
    run(args.build, place.env, "trivet-etl", "load", movielens_1m(args.data, folder))
    run(args.build, place.env, "trivet-train", "fit", *WIDE_OPEN)
    users = int(place.psql("SELECT count(DISTINCT user_id) FROM trivet.rating"))
    print(f"{users:,} users, {args.top} items each; {machine()}", flush=True)
    first, rows = timed(1, lambda: fill(args, place))
    again, rows_again = timed(args.rounds, lambda: fill(args, place))
    for what, seconds in (("into an empty table", first), ("in place of as many", again)):
        print(f"{rows:,} rows {what}: {seconds:.2f} s, {rows / seconds:,.0f} a second (wanted: below {SECONDS} s)")
    return rows == rows_again == users * args.top and max(first, again) < SECONDS


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
