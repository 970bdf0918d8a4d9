#!/usr/bin/python3
"""How long `--if-changed` takes where nothing happened, on MovieLens 1M, from the start of the process to its end; and what
it costs whoever rates and loads that changes are noted.

  bench/changes.py [--rounds 20] [--ratings 2000] [--build DIR] [--data DIR]

Starts private stores, loads ml-1m, trains with the filter wide open and with a source of one's own, builds an index of similar
items, and asks each whether anything changed. The goal is a median below 100 ms for each: run it on an idle machine. Then live
ratings are written on one connection, each a transaction, with the triggers that note changes made by hand and without
them. Goal: no more than a twentieth slower.
"""

import random
import statistics
import subprocess
import sys
import tempfile
import time

import psycopg2
from common import WIDE_OPEN, arguments, clean_environment, machine, movielens_1m, program, run
from stores import Place, Servers

GOAL_MS = 100
GOAL_RATIO = 1.05
VIEW = """CREATE VIEW public.mine AS SELECT userid, movieid, rating FROM ratings;
GRANT SELECT ON public.mine TO trivet_reader"""


def asked(options, place, *words):
    """Prints and returns the median of the milliseconds of a command that has nothing to do."""
    command, times = [program(options.build, "trivet-train"), *words, "--if-changed"], []
    for _ in range(options.rounds):
        began = time.perf_counter()
        done = subprocess.run(command, env={**clean_environment(), **place.env}, capture_output=True, text=True)
        times.append(1000 * (time.perf_counter() - began))
        if done.returncode != 0 or "nothing changed" not in done.stdout:
            sys.exit(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    print(f"  {' '.join(words[:3]):32} median {statistics.median(times):6.1f} ms   best {min(times):6.1f}   worst {max(times):6.1f}", flush=True)
    return statistics.median(times)


def rated(place, n, rng):
    """Seconds that n live ratings take, each a transaction."""
    with psycopg2.connect(place.postgres_uri) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SET synchronous_commit = off; SET statement_timeout = 0")
        began = time.perf_counter()
        for _ in range(n):
            cursor.execute("SELECT * FROM trivet.rate(%s, ARRAY[%s]::bigint[], ARRAY[%s]::real[], '{}')",
                           (rng.randint(1, 6040), rng.randint(1, 3500), rng.randint(1, 5)))
        return time.perf_counter() - began


def triggers(place, what):
    for table in place.psql("SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'hand_change'").split():
        place.psql(f"ALTER TABLE {table} {what} TRIGGER hand_change")


def main():
    parser = arguments(__doc__)
    parser.set_defaults(rounds=20)
    parser.add_argument("--ratings", type=int, default=2000)
    options = parser.parse_args()
    print(machine())
    stores, rng = Servers(), random.Random(3)
    try:
        place = Place(stores)
        with tempfile.TemporaryDirectory() as folder:
            run(options.build, place.env, "trivet-etl", "load", movielens_1m(options.data, folder))
        place.psql(VIEW)
        commands = [("fit", *WIDE_OPEN, "--factors", "15"), ("fit", "--source", "mine", "--factors", "15"), ("similar",)]
        for words in commands:
            run(options.build, place.env, "trivet-train", *words)
        print("ml-1m, nothing changed:")
        medians = [asked(options, place, *words) for words in commands]
        rated(place, options.ratings, rng)
        noted, plain = [], []
        for _ in range(5):
            triggers(place, "ENABLE ALWAYS")
            noted.append(rated(place, options.ratings, rng))
            triggers(place, "DISABLE")
            plain.append(rated(place, options.ratings, rng))
    finally:
        stores.end()
    ratio = min(noted) / min(plain)
    print(f"{options.ratings} live ratings: {1000 * min(noted) / options.ratings:.3f} ms each with the triggers, "
          f"{1000 * min(plain) / options.ratings:.3f} without: {ratio:.3f} times")
    good = max(medians) < GOAL_MS and ratio < GOAL_RATIO
    print(f"{'reached' if good else 'MISSED'}: at most {max(medians):.1f} ms, the goal is below {GOAL_MS}; {ratio:.3f} times, the goal "
          f"is below {GOAL_RATIO}")
    return not good


if __name__ == "__main__":
    sys.exit(main())
