#!/usr/bin/python3
"""From a rating to a changed list: POST, then GET, on MovieLens 1M; and whether anybody else's list changes.

  bench/live.py [--ratings 300] [--factors 50] [--build DIR] [--data DIR]

Starts private stores, loads ml-1m, trains with the filter wide open, and starts two servers. A random user rates a film of
their list, which must be gone from the list that the same server gives right afterwards, and from the other server's within
a second. Prints the median and the worst of both; the goal is a median below 100 ms on the first. Then the lists of 500
users who rated nothing are compared with those from before: the goal is that none has changed.
"""

import json
import random
import statistics
import sys
import tempfile
import time
import urllib.request

from common import WIDE_OPEN, arguments, machine, movielens_1m, program, run
from server import Server
from stores import Place, Servers

GOAL_MS = 100


def ask(server, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(server.url + path, data, method=method), timeout=10) as answer:
        return answer.status, json.loads(answer.read())


def top(server, user):
    return [item["id"] for item in ask(server, "GET", f"/recs?user_id={user}&top=15")[1]["items"]]


def rate(first, second, user, rng):
    """Milliseconds until the first server's list has changed, and from then until the second's has."""
    film = rng.choice(top(first, user))
    top(second, user)  # it has the user in its cache now
    began = time.perf_counter()
    status, _ = ask(first, "POST", f"/{user}/ratings", [{"movie_id": film, "rating": rng.randint(1, 5)}])
    here = film not in top(first, user)
    milliseconds, answered = 1000 * (time.perf_counter() - began), time.perf_counter()
    if status != 200 or not here:
        sys.exit(f"user {user} rated film {film}: {status}, and the list has {'changed' if here else 'not changed'}")
    while film in top(second, user):
        if time.perf_counter() - began > 5:
            sys.exit(f"the other server still recommends film {film} to user {user}")
        time.sleep(0.01)
    return milliseconds, 1000 * (time.perf_counter() - answered)


def line(what, values):
    ordered = sorted(values)
    print(f"  {what:28} median {statistics.median(ordered):7.1f} ms   95 % {ordered[int(0.95 * len(ordered))]:7.1f} ms"
          f"   worst {ordered[-1]:7.1f} ms", flush=True)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--ratings", type=int, default=300)
    parser.add_argument("--factors", type=int, default=50)
    options = parser.parse_args()
    print(machine())
    stores, rng = Servers(), random.Random(3)
    servers = []
    try:
        place = Place(stores)
        with tempfile.TemporaryDirectory() as folder:
            run(options.build, place.env, "trivet-etl", "load", movielens_1m(options.data, folder))
            run(options.build, place.env, "trivet-train", "fit", *WIDE_OPEN, "--factors", str(options.factors))
            for number in range(2):
                at = stores.folder / f"server-{number}"
                at.mkdir()
                servers.append(Server(program(options.build, "trivet-serve"), place, at, args=["--access-log", "off"]).start())
            users = list(range(1, 6041))
            rng.shuffle(users)
            raters, others = users[:options.ratings], users[-500:]
            before = {user: top(servers[0], user) for user in others}
            times = [rate(*servers, user, rng) for user in raters]
            changed = sum(top(servers[0], user) != before[user] for user in others)
    finally:
        for server in servers:
            server.stop()
        stores.end()
    print(f"ml-1m, {options.factors} factors, {len(times)} ratings by as many users:")
    line("POST, then the same server", [t[0] for t in times])
    line("and then the other server", [t[1] for t in times])
    print(f"  lists of {len(others)} others that changed: {changed}")
    median = statistics.median(t[0] for t in times)
    good = median < GOAL_MS and changed == 0
    print(f"{'reached' if good else 'MISSED'}: a median of {median:.1f} ms, the goal is below {GOAL_MS}")
    return not good


if __name__ == "__main__":
    sys.exit(main())
