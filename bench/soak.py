#!/usr/bin/python3
"""A server under a steady load while ratings arrive and models are trained and swapped; then a million requests.

  bench/soak.py [--seconds 120] [--rate 2000] [--requests 1000000] [--ratings-a-second 20] [--build DIR] [--data DIR]

Starts private stores, loads MovieLens 1M and trains with the filter wide open. Then 64 connections of wrk ask for lists of
random users, paced to --rate requests a second: first alone, to have something to compare with, then while one client rates and `nice -n 19 trivet-train fit` runs again and again.
Goals on two cores: no error, a p99 below 20 ms, at least three swaps. Afterwards the same at full speed until --requests are
answered: the server's memory (RSS) after each tenth is printed, and may grow by 5 % at most between the second and the last.

Needs wrk beside what the end-to-end tests need.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from common import REPO, WIDE_OPEN, arguments, machine, movielens_1m, program, run
from server import Server, clean_environment
from stores import Place, Servers

CONNECTIONS, GOAL_MS, GROWTH = 64, 20, 1.05


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def wrk(server, seconds, every_ms):
    """Requests answered, p50 and p99 in milliseconds, failures."""
    done = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", REPO / "bench/soak_users.lua",
                           server.url], capture_output=True, text=True, check=True,
                          env={**os.environ, "BENCH_EVERY_MS": str(every_ms)})
    latency = dict(re.findall(r"^\s+(50|99)%\s+(\S+)", done.stdout, re.M))
    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", done.stdout)))
    failed += sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", done.stdout)))
    answered = int(re.search(r"(\d+) requests in", done.stdout)[1])
    return answered, milliseconds(latency["50"]), milliseconds(latency["99"]), failed


class Background:
    """Something that goes on until it is told to stop; `count` of what was done, `failed` of what was not."""

    def __init__(self, work, *args):
        self.stop, self.count, self.failed = threading.Event(), 0, 0
        self.thread = threading.Thread(target=self.run, args=(work, *args))
        self.thread.start()

    def run(self, work, *args):
        while not self.stop.is_set():
            try:
                work(*args)
                self.count += 1
            except (OSError, subprocess.CalledProcessError) as error:
                self.failed += 1
                print(f"  {error}", flush=True)

    def end(self):
        self.stop.set()
        self.thread.join()
        return self


def rate(server, rng, pause):
    body = json.dumps([{"movie_id": rng.randint(1, 3000), "rating": rng.randint(1, 5)}]).encode()
    request = urllib.request.Request(f"{server.url}/{rng.randint(1, 6040)}/ratings", body, method="POST")
    try:
        urllib.request.urlopen(request, timeout=10).read()
    except urllib.error.HTTPError as error:
        if error.code != 422:  # there are numbers that no film has
            raise
    time.sleep(pause)


def fit(build, place, factors):
    words = [program(build, "trivet-train"), "fit", *WIDE_OPEN, "--factors", str(next(factors))]
    subprocess.run(["nice", "-n", "19", *words], env={**clean_environment(), **place.env, "OMP_NUM_THREADS": "1"},
                   check=True, capture_output=True, text=True)


def turns(*values):
    while True:
        yield from values


def memory(server):
    with open(f"/proc/{server.pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024


def alone(server, options):
    """What the machine itself does to the slowest answers."""
    seconds = max(5, options.seconds // 4)
    answered, p50, p99, failed = wrk(server, seconds, round(1000 * CONNECTIONS / options.rate))
    print(f"  alone: {answered / seconds:7,.0f} requests/s for {seconds} s, p50 {p50:.2f} ms, p99 {p99:.2f} ms, {failed} failed",
          flush=True)


def paced(server, options, build, place):
    rng = random.Random(7)
    swaps = len(re.findall(r"model \d+ loaded", server.log()))
    ratings = Background(rate, server, rng, 1 / options.ratings_a_second)
    trainings = Background(fit, build, place, turns(20, 30, 40, 50))
    answered, p50, p99, failed = wrk(server, options.seconds, round(1000 * CONNECTIONS / options.rate))
    trainings.end()
    ratings.end()
    swaps = len(re.findall(r"model \d+ loaded", server.log())) - swaps
    print(f"  paced: {answered / options.seconds:7,.0f} requests/s for {options.seconds} s, p50 {p50:.2f} ms, p99 {p99:.2f} ms, "
          f"{failed} failed; {ratings.count} ratings ({ratings.failed} failed), {trainings.count} trainings "
          f"({trainings.failed} failed), {swaps} models loaded", flush=True)
    return failed == 0 and ratings.failed == 0 and trainings.failed == 0 and p99 < GOAL_MS and swaps >= 3


def full_speed(server, options):
    """A million requests, memory after each tenth."""
    rng, sizes, answered = random.Random(8), [], 0
    ratings = Background(rate, server, rng, 1 / options.ratings_a_second)
    failures = 0
    while answered < options.requests:
        n, _, _, failed = wrk(server, 2, 0)
        answered, failures = answered + n, failures + failed
        if answered >= options.requests * (len(sizes) + 1) / 10:
            sizes.append(memory(server))
    ratings.end()
    print(f"  at full speed: {answered:,} requests, {failures} failed, {ratings.count} ratings; memory in MB after each part: "
          f"{' '.join(f'{size:.0f}' for size in sizes)}", flush=True)
    return failures == 0 and ratings.failed == 0 and sizes[-1] <= GROWTH * sizes[min(1, len(sizes) - 1)]


def main():
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--ratings-a-second", type=float, default=20)
    options = parser.parse_args()
    print(machine())
    stores, server = Servers(), None
    try:
        place = Place(stores)
        with tempfile.TemporaryDirectory() as folder:
            run(options.build, place.env, "trivet-etl", "load", movielens_1m(options.data, folder))
        run(options.build, place.env, "trivet-train", "fit", *WIDE_OPEN, "--factors", "50")
        server = Server(program(options.build, "trivet-serve"), place, stores.folder,
                        args=["--access-log", "off", "--threads", "2"]).start()
        wrk(server, 5, 0)  # caches are full before anything is measured
        alone(server, options)
        good = [paced(server, options, options.build, place), full_speed(server, options)]
    finally:
        if server:
            server.stop()
        stores.end()
    print(f"{'reached' if good[0] else 'MISSED'}: no error and p99 below {GOAL_MS} ms while models are trained and swapped")
    print(f"{'reached' if good[1] else 'MISSED'}: memory grows by at most {GROWTH - 1:.0%} over {options.requests:,} requests")
    return not all(good)


if __name__ == "__main__":
    sys.exit(main())
