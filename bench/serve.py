#!/usr/bin/python3
"""Requests a second: trivet-serve beside the workshop's request path in Python, under wrk with random users.

  bench/serve.py RATINGS_FOLDER [--seconds 8] [--connections 64] [--peer FILE]

Starts private stores, loads the ratings, trains the workshop's model with the filter wide open (50 factors), and asks
for 15 items of a random user each time. trivet-serve runs with two threads; once with a cache that was just emptied by a
restart (cold: the first second, in which every user is new), then warm. The peer reads MongoDB and the whole blob from
Redis with each request, under gunicorn with two processes. Prints the ratio; the goal is 20.

Needs wrk, gunicorn and python3-flask beside what the end-to-end tests need.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from common import REPO, WIDE_OPEN, program, run
from server import Server
from stores import Place, Servers, free_port

BUILD = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build"))


def wrk(url, users, first, seconds, connections, threads=1):
    """Requests a second, the latencies wrk tells, and how many requests failed."""
    done = subprocess.run(["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", "-s",
                           REPO / "bench/serve_users.lua", url], capture_output=True, text=True, check=True,
                          env={**os.environ, "BENCH_USERS": str(users), "BENCH_FIRST": str(first)})
    rate = float(re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)[1])
    latency = dict(re.findall(r"^\s+(50|99)%\s+(\S+)", done.stdout, re.M))
    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", done.stdout)))
    failed += sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", done.stdout)))
    return rate, latency, failed


def report(what, measured):
    rate, latency, failed = measured
    print(f"  {what:34} {rate:9,.0f} requests/s   p50 {latency.get('50', '?'):>8}   p99 {latency.get('99', '?'):>8}"
          f"{f'   {failed} FAILED' if failed else ''}", flush=True)
    return rate


def measure_trivet(place, folder, users, options):
    arguments = ["--threads", "2", "--access-log", "off"]
    server = Server(program(BUILD, "trivet-serve"), place, folder, args=arguments).start()
    cold = report("trivet-serve, cold (first second)", wrk(server.url, users, 1, 1, options.connections))
    warm = report("trivet-serve, warm", wrk(server.url, users, 1, options.seconds, options.connections))
    same = report("trivet-serve, one user", wrk(server.url, 1, 1, options.seconds, options.connections))
    metrics = server.get("/metrics").text
    found = {name: int(n) for name, n in re.findall(r'lookups_total\{from="(\w+)"\} (\d+)', metrics)}
    memory = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{server.pid}/status").read_text())[1]) / 1024
    print(f"  users found in the cache {found['cache']:,}, in MongoDB {found['mongodb']:,}; peak memory {memory:.0f} MB")
    server.stop()
    return cold, warm, same


PEER = """
import sys
sys.path.insert(0, {folder!r})
import pymongo, redis
client, connection = pymongo.MongoClient, redis.Redis
pymongo.MongoClient = lambda *a, **k: client({mongo!r})
redis.Redis = lambda *a, **k: connection(port={redis})
from {name} import app
"""


def prepare_peer(place, users):
    """What the peer reads: documents {{id, value}} with ids from 0, and item_factors. trivet's own hold all of it, but
    the peer finds users by `id`, the dense row: ours of a wide-open model are 0 .. users - 1."""
    mongo = place.mongo_db()
    rows = mongo.user.count_documents({"id": {"$ne": None}})
    assert rows == users, f"{rows} rows for {users} users"


def measure_peer(servers, place, folder, users, options):
    peer = pathlib.Path(options.peer).resolve()
    prepare_peer(place, users)
    port = free_port()
    pathlib.Path(folder, "peer_app.py").write_text(PEER.format(folder=str(peer.parent), name=peer.stem,
                                                               mongo=servers.mongo.uri(), redis=servers.redis.port))
    child = subprocess.Popen(["/usr/bin/python3", "-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "peer_app:app"],
                             cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(100):
            time.sleep(0.1)
            if subprocess.run(["curl", "-fs", f"http://127.0.0.1:{port}/recs?user_id=1&top=15"],
                              capture_output=True).returncode == 0:
                break
        else:
            sys.exit("the peer does not answer")
        return report(f"{peer.name}, gunicorn -w 2", wrk(f"http://127.0.0.1:{port}", users, 0, options.seconds, 16))
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ratings", type=pathlib.Path, help="a folder of ratings that trivet-etl reads, with user ids from 1 on")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--peer", default=os.environ.get("TRIVET_PEER_SERVE", REPO.parent / "shared/peers/seed_serve.py"))
    options = parser.parse_args()
    servers = Servers()
    place = Place(servers)
    try:
        with tempfile.TemporaryDirectory() as folder:
            run(BUILD, place.env, "trivet-etl", "load", options.ratings)
            run(BUILD, place.env, "trivet-train", "fit", *WIDE_OPEN)
            model = place.mongo_db()["model_1"].find_one({"_id": "description"})
            print(f"{options.ratings}: {model['users']:,} users, {model['items']:,} items, {model['factors']} factors")
            cold, warm, same = measure_trivet(place, folder, model["users"], options)
            if not pathlib.Path(options.peer).exists():
                sys.exit(f"no peer at {options.peer}: nothing to compare with")
            peer = measure_peer(servers, place, folder, model["users"], options)
            print(f"  ratio: cold {cold / peer:.1f}, warm {warm / peer:.1f}, one user {same / peer:.1f} (goal: 20)")
            print(json.dumps({"cold": cold, "warm": warm, "one_user": same, "peer": peer}))
    finally:
        servers.end()


if __name__ == "__main__":
    main()
