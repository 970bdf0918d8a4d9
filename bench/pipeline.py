#!/usr/bin/python3
"""From a CSV file to a live model: trivet beside the workshop's own path in Python, in one run on the same servers.

usage: bench/pipeline.py [--build DIR] [--data DIR] [--peers DIR] [--rounds N]

The peer (seed_pipeline.py) loads with COPY, filters in SQL, runs scipy's svds and writes to MongoDB and Redis; trivet
does `trivet-etl load` (index and ANALYZE included) and `trivet-train fit`. Both see MovieLens 1M with the filter wide
open and k = 50. The best of the rounds counts. Also printed: the peak memory of fit.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from common import REPO, WIDE_OPEN, arguments, clean_environment, movielens_1m, program
from stores import Place, Servers


def measured(command, env):
    """Seconds, and the most memory the process had, in MB."""
    started = time.perf_counter()
    child = subprocess.Popen(command, env={**clean_environment(), **env}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    talk = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{command} failed:\n{talk.decode()}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def peer_program(peers, servers, folder):
    """The peer with its fixed ports replaced by those of our servers."""
    text = (peers / "seed_pipeline.py").read_text()
    for port, ours in (("5433", servers.postgres.port), ("27018", servers.mongo.port), ("port=6380", f"port={servers.redis.port}")):
        text = text.replace(port, str(ours))
    path = folder / "peer.py"
    path.write_text(text)
    return path


def run_peer(peer, ratings):
    out = subprocess.run(["/usr/bin/python3", peer, ratings, "0", "0", "1000000", "10000000"], capture_output=True,
                         text=True, check=True).stdout
    steps = {name: float(seconds) for name, seconds in re.findall(r"^ +(\w+) +([\d.]+) s$", out, re.M)}
    return steps.pop("total"), steps


def main():
    parser = arguments(__doc__)
    parser.add_argument("--peers", type=pathlib.Path, default=REPO.parent / "shared/peers")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        source = movielens_1m(args.data, folder)
        servers = Servers()
        try:
            bench(args, servers, folder, source)
        finally:
            servers.end()


def bench(args, servers, folder, source):
    place = Place(servers)
    peer = peer_program(args.peers, servers, folder)
    load, fit, peer_all, peer_fit, memory = [], [], [], [], 0
    for number in range(args.rounds):
        total, steps = run_peer(peer, source / "ratings.csv")
        place.psql("DROP TABLE seed_ratings")
        place.mongo_db().client.drop_database("recsys")  # the peer's collection `user` is our view
        place.redis_client().flushdb()
        seconds, _ = measured([program(args.build, "trivet-etl"), "load", source], place.env)
        load.append(seconds)
        seconds, megabytes = measured([program(args.build, "trivet-train"), "fit", *WIDE_OPEN], place.env)
        fit.append(seconds)
        memory = max(memory, megabytes)
        peer_all.append(total)
        peer_fit.append(total - steps["load"])
        print(f"round {number + 1}: peer {total:.2f} s ({', '.join(f'{k} {v:.2f}' for k, v in steps.items())}); "
              f"trivet load {load[-1]:.2f} s, fit {fit[-1]:.2f} s", flush=True)
        place.psql("DROP SCHEMA trivet CASCADE")
        place.mongo_db().client.drop_database("recsys")
    print(f"fit alone   {min(peer_fit):.2f} s beside {min(fit):.2f} s: {min(peer_fit) / min(fit):.2f} times as fast (wanted: 2.5)")
    both = min(a + b for a, b in zip(load, fit))
    print(f"load + fit  {min(peer_all):.2f} s beside {both:.2f} s: {min(peer_all) / both:.2f} times as fast (wanted: 1.5)")
    print(f"peak memory of fit {memory:.0f} MB (wanted: below 150)")


if __name__ == "__main__":
    main()
