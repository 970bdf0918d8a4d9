#!/usr/bin/python3
"""One build of trivet beside another, an older one for example: what an analyst, an operator and a visitor wait for.

usage: bench/two_builds.py --old DIR [--build DIR] [--data DIR] [--rounds N] [--seconds S]

Both builds work on the same servers, each with a database, a MongoDB database and keys of its own, in turn: load MovieLens 1M,
fit each algorithm, the lab's funnel and sweep in SQL, and requests a second for random users under wrk. The best of
the rounds counts. Prints a ratio for each: below 1 the build is quicker than the old one. Nothing is judged: what may be
noise is for the reader, who sees every round.

Needs wrk beside what the end-to-end tests need.
"""

import pathlib
import sys
import tempfile
import time

from common import WIDE_OPEN, arguments, machine, movielens_1m, program, run
from serve import wrk
from server import Server
from stores import Servers

ALGORITHMS = ("svd", "als", "als-implicit")
QUESTIONS = {"funnel": "SELECT * FROM trivet.funnel()", "sweep 4 x 3":
             "SELECT * FROM trivet.sweep('max_items_for_user', '{100,200,400,800}', 'min_users_for_item', '{5,10,20}')"}


def seconds(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def serve(build, place, folder, options):
    """Seconds for a thousand requests of random users."""
    server = Server(program(build, "trivet-serve"), place, folder, args=["--threads", "1", "--access-log", "off"]).start()
    try:
        wrk(server.url, 6040, 1, 1, 16)
        rate, _, failed = wrk(server.url, 6040, 1, options.seconds, 16)
        if failed:
            sys.exit(f"{failed} requests failed")
        return 1000 / rate
    finally:
        server.stop()


def one_round(build, place, folder, source, options):
    """{what: seconds} of one build."""
    found = {"load": seconds(lambda: run(build, place.env, "trivet-etl", "load", source))}
    for algorithm in ALGORITHMS:
        found[f"fit {algorithm}"] = seconds(
            lambda: run(build, place.env, "trivet-train", "fit", "--algorithm", algorithm, *WIDE_OPEN))
    for name, question in QUESTIONS.items():
        found[name] = seconds(lambda: place.psql(question))
    found["1,000 requests"] = serve(build, place, folder, options)
    return found


def bench(options, servers, folder):
    source = movielens_1m(options.data, folder)
    builds = {"old": (options.old, servers.place()), "new": (options.build, servers.place())}
    best = {name: {} for name in builds}
    print(machine(), flush=True)
    for number in range(options.rounds):
        for name, (build, place) in builds.items():
            found = one_round(build, place, folder, source, options)
            print(f"round {number + 1}, {name}: " + ", ".join(f"{k} {v:.3f}" for k, v in found.items()), flush=True)
            for what, value in found.items():
                best[name][what] = min(value, best[name].get(what, value))
    for what, old in best["old"].items():
        new = best["new"][what]
        print(f"{what:18} old {old:8.3f} s   new {new:8.3f} s   ratio {new / old:.2f}")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--old", type=pathlib.Path, required=True, help="the other build's folder")
    parser.add_argument("--seconds", type=int, default=5, help="of each turn of wrk")
    options = parser.parse_args()
    servers = Servers()
    try:
        with tempfile.TemporaryDirectory() as folder:
            bench(options, servers, pathlib.Path(folder))
    finally:
        servers.end()


if __name__ == "__main__":
    main()
