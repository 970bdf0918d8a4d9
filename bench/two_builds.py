#!/usr/bin/python3
"""One build of trivet beside another, an older one for example: what an analyst, an operator and a visitor wait for.

usage: bench/two_builds.py --old DIR [--build DIR] [--data DIR] [--rounds N] [--seconds S] [--load SET ...]

Both builds work on the same servers, each with a database, a MongoDB database and keys of its own, in turn: load MovieLens 1M,
fit each algorithm, the lab's funnel and sweep in SQL, and requests a second for random users under wrk. Prints a ratio for
each: below 1 the build is quicker than the old one. Nothing is judged: what may be noise is for the reader, who sees every round.

Each round begins with the other build. Whichever goes second finds the servers with more in them and the machine warmer: measured
always in one order, the second took 1.16 to 1.21 as long for the requests, whichever build it was. So there is a ratio of the best of
the rounds in which the old build went first, one of the others, and one of both, their geometric mean, in which what the order
does to either cancels out. An odd number of rounds is made even for that.

With --load only loads are measured, of the sets given: folders or archives. Beside the wall clock, which other work on the machine
disturbs, stand the processor seconds of trivet-etl and of PostgreSQL.

Needs wrk beside what the end-to-end tests need.
"""

import os
import pathlib
import resource
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


def processor_seconds(pid):
    """Of the ended children of a process: PostgreSQL's backends, once their session is over."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def one_load(build, place, source, servers):
    """{what: seconds} of a load. A backend is counted when it ends, shortly after its client."""
    before, mine = processor_seconds(servers.postgres.pid), resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = seconds(lambda: run(build, place.env, "trivet-etl", "load", source))
    done = resource.getrusage(resource.RUSAGE_CHILDREN)
    time.sleep(0.2)
    return {"load": wall, "processor, etl": done.ru_utime + done.ru_stime - mine.ru_utime - mine.ru_stime,
            "processor, postgres": processor_seconds(servers.postgres.pid) - before}


def ratios(rounds):
    """The lines that tell the ratios; `rounds` are {"old": {what: seconds}, "new": ...}, the old build first in every other one."""
    for what in rounds[0]["old"]:
        def best(build, chosen):
            return min(r[build][what] for r in chosen)

        first, second = (best("new", half) / max(best("old", half), 1e-9) for half in (rounds[::2], rounds[1::2]))
        yield (f"{what:20} old {best('old', rounds):8.3f} s   new {best('new', rounds):8.3f} s   ratio {(first * second) ** 0.5:.2f}"
               f"   old first {first:.2f}, new first {second:.2f}")


def compare(options, builds, work):
    """Rounds of both builds in turns; work(build, place) gives the {what: seconds} of one."""
    rounds = []
    for number in range(options.rounds + options.rounds % 2):
        found = {}
        for name in list(builds)[::-1 if number % 2 else 1]:
            found[name] = work(*builds[name])
            print(f"round {number + 1}, {name}: " + ", ".join(f"{k} {v:.3f}" for k, v in found[name].items()), flush=True)
        rounds.append(found)
    for line in ratios(rounds):
        print(line, flush=True)


def bench(options, servers, folder):
    builds = {"old": (options.old, servers.place()), "new": (options.build, servers.place())}
    print(machine(), flush=True)
    if not options.load:
        source = movielens_1m(options.data, folder)
        compare(options, builds, lambda build, place: one_round(build, place, folder, source, options))
        return
    servers.postgres.psql("ALTER SYSTEM SET autovacuum = off")  # its work would be counted as that of a load
    servers.postgres.psql("SELECT pg_reload_conf()")
    for source in options.load:
        print(source)
        for build, place in builds.values():
            run(build, place.env, "trivet-etl", "load", source)  # the schema comes with the first one
        compare(options, builds, lambda build, place: one_load(build, place, source, servers))


def main():
    parser = arguments(__doc__)
    parser.add_argument("--old", type=pathlib.Path, required=True, help="the other build's folder")
    parser.add_argument("--load", type=pathlib.Path, nargs="+", metavar="SET", help="measure only loads, of these sets")
    parser.add_argument("--seconds", type=int, default=5, help="of each turn of wrk")
    options = parser.parse_args()
    options.old, options.build = options.old.resolve(), options.build.resolve()  # trivet-serve starts in another folder
    servers = Servers()
    try:
        with tempfile.TemporaryDirectory() as folder:
            bench(options, servers, pathlib.Path(folder))
    finally:
        servers.end()


if __name__ == "__main__":
    main()
