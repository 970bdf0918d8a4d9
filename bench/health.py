#!/usr/bin/python3
"""How long /healthz takes while MongoDB hangs: it must never wait for a store.

usage: bench/health.py [--build DIR] [--seconds 15]

A process of its own asks /healthz 100 times a second, each time on a new connection, while 24 clients ask for
recommendations; a third of the time with MongoDB well, a third with MongoDB stopped by SIGSTOP, a third after it went
on. Ends with status 1 when an answer took more than 50 ms. A busy machine delays the clients, too: run it on an idle one.
"""

import argparse
import multiprocessing
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

REPO = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests/e2e"))
from server import Server, clean_environment  # noqa: E402
from stores import Place, Servers  # noqa: E402

LIMIT = 0.05


def pulse(server, over, found):
    """Sends (when, seconds) of every answer once it is over."""
    answers = []
    while not over.is_set():
        start = time.monotonic()
        assert server.get("/healthz").status == 200
        answers.append((start, time.monotonic() - start))
        time.sleep(0.01)
    found.put(answers)


def ask(server, first, over):
    user = first
    while not over.is_set():
        server.get(f"/recs?user_id={user % 400 + 1}")
        user += 1
        time.sleep(0.02)


def watch(server, mongo, seconds):
    over, found = multiprocessing.Event(), multiprocessing.SimpleQueue()
    health = multiprocessing.Process(target=pulse, args=(server, over, found))
    health.start()
    crowd = [threading.Thread(target=ask, args=(server, 17 * i, over)) for i in range(24)]
    for thread in crowd:
        thread.start()
    time.sleep(seconds / 3)
    mongo.pause()
    paused = time.monotonic()
    time.sleep(seconds / 3)
    mongo.resume()
    resumed = time.monotonic()
    time.sleep(seconds / 3)
    over.set()
    answers = found.get()
    for worker in (health, *crowd):
        worker.join()
    return {"MongoDB well": [s for when, s in answers if when < paused],
            "MongoDB stopped": [s for when, s in answers if paused <= when < resumed],
            "MongoDB back": [s for when, s in answers if when >= resumed]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=REPO / "build")
    parser.add_argument("--seconds", type=float, default=15)
    args = parser.parse_args()
    servers = Servers()
    place = Place(servers)

    def run(program, *arguments):
        subprocess.run([args.build / program.removeprefix("trivet-") / program, *arguments], check=True,
                       env={**clean_environment(), **place.env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    try:
        with tempfile.TemporaryDirectory() as folder:
            run("trivet-etl", "synth", f"{folder}/set", "--users", "400", "--items", "300", "--ratings", "12000")
            run("trivet-etl", "load", f"{folder}/set")
            run("trivet-train", "fit", "--set", "max_items_for_user=60", "--factors", "12")
            server = Server(args.build / "serve/trivet-serve", place, folder, args=["--access-log", "off"]).start()
            found = watch(server, servers.mongo, args.seconds)
            server.stop()
    finally:
        servers.end()
    for phase, seconds in found.items():
        print(f"{phase:16} {len(seconds):5} answers of /healthz, median {sorted(seconds)[len(seconds) // 2] * 1e3:5.1f} ms, "
              f"slowest {max(seconds) * 1e3:5.1f} ms (wanted: below {LIMIT * 1e3:.0f})")
    sys.exit(int(any(s > LIMIT for seconds in found.values() for s in seconds)))


if __name__ == "__main__":
    main()
