#!/usr/bin/python3
"""How the cost of each step grows with the ratings, and with the items: a table, and a picture with the slope of each line.

usage: bench/scale.py [--build DIR] [--ratings N ...] [--items N ...] [--top N] [--seconds S] [--out FILE.json]
       bench/scale.py --show FILE.json ... [--page FILE.md]

Generated sets (trivet-etl synth) of ever more ratings on 4,000 items, and of ten million ratings on ever more items. Of each set a
private trivet loads the files, fits an SVD of 50 factors with the filter wide open, builds the index of similar items, stores
everybody's list, and serves random users at 16 connections: the first six seconds of a fresh server, then warm.

Seconds on the clock depend on what else the machine does; processor seconds are what is compared between machines. They are those of
the program, and of PostgreSQL, MongoDB and Redis while it ran. Memory is the program's peak, or this bench's own (some 45 MB) where
that is more. Bytes are what each store has grown by.

--out keeps the figures, after each set. --show prints the tables of such files, later ones over earlier ones of the same set, and
with --page writes them as a page with a picture beside it (needs python3-matplotlib). A slope is that of the least squares line
through the logarithms: 1 is as fast as the data, below 1 slower.

The largest sets need some 40 GB of disk and half an hour; without arguments the two smallest of each kind are measured.
"""

import argparse
import json
import math
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

from common import REPO, WIDE_OPEN, program
from serve import wrk
from server import Server, clean_environment
from stores import Servers, descendants

FEW_ITEMS, MANY_RATINGS = 4_000, 10_000_000
ALL_RATINGS, ALL_ITEMS = (1_000_000, 4_000_000, 20_000_000, 100_000_000), (4_000, 30_000, 300_000, 1_000_000)
CONNECTIONS, FIRST_SECONDS = 16, 6
STEPS = ("load", "fit", "similar", "precompute")


def processor(pids):
    """Seconds that these processes and their ended children have worked."""
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


def stores_worked(servers):
    """{store: processor seconds so far}. A backend of PostgreSQL counts with its parent once it has ended."""
    return {name: processor([pid for pid in descendants(getattr(servers, name).pid)]) for name in ("postgres", "mongo", "redis")}


def stores_hold(place):
    place.mongo_db().client.admin.command("fsync")  # or what was written last counts with the next step
    mongo = place.mongo_db().command("dbStats")
    return {"postgres": int(place.psql("SELECT pg_database_size(current_database())")), "mongo": int(mongo["storageSize"] + mongo["indexSize"]),
            "redis": int(place.redis_client().info("memory")["used_memory"])}


def step(options, servers, place, name, *words):
    """Seconds on the clock, processor seconds of the program and of the stores, its peak memory, and what the stores grew by."""
    held, worked = stores_hold(place), stores_worked(servers)
    started = time.perf_counter()
    child = subprocess.Popen([program(options.build, name), *map(str, words)], env={**clean_environment(), **place.env, "TRIVET_LOG": "error"},
                             stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    if status != 0:
        sys.exit(f"{name} {' '.join(map(str, words))} failed")
    time.sleep(0.3)  # a backend is counted when it has ended, shortly after its client
    return {"seconds": wall, "processor": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss * 1024,
            "stores": {k: v - worked[k] for k, v in stores_worked(servers).items()},
            "bytes": {k: v - held[k] for k, v in stores_hold(place).items()}}


def milliseconds(text):
    for unit, factor in (("us", 0.001), ("ms", 1), ("s", 1000)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return math.nan


def requests(options, place, folder, users):
    """Requests a second of random users, with their latencies, and how long the model took to load."""
    started = time.perf_counter()
    server = Server(program(options.build, "trivet-serve"), place, folder, args=["--access-log", "off"]).start()
    ready, found = time.perf_counter() - started, {}
    try:
        for what, seconds in (("fresh", FIRST_SECONDS), ("warm", options.seconds)):
            rate, latency, failed = wrk(server.url, users, 1, seconds, CONNECTIONS)
            if failed:
                sys.exit(f"{failed} requests failed")
            found[what] = {"rate": rate, "p50": milliseconds(latency["50"]), "p99": milliseconds(latency["99"])}
        peak = pathlib.Path(f"/proc/{server.pid}/status").read_text().split("VmHWM:")[1].split()[0]
        return {"ready": ready, "memory": int(peak) * 1024, **found}
    finally:
        server.stop()


def measure(options, ratings, items):
    """All figures of one set, in an empty trivet of its own."""
    users = max(1000, ratings // 50)
    servers = Servers()
    try:
        place = servers.place(program(options.build, "trivet-etl"))
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder, "data")
            subprocess.run([program(options.build, "trivet-etl"), "synth", data, "--users", str(users), "--items", str(items), "--ratings",
                            str(ratings)], check=True, stdout=subprocess.DEVNULL, env=clean_environment())
            found = {"ratings": ratings, "items": items, "users": users, "load": step(options, servers, place, "trivet-etl", "load", data)}
            shutil.rmtree(data)
            found["fit"] = step(options, servers, place, "trivet-train", "fit", "--factors", 50, *WIDE_OPEN, "--set", f"max_row_number={2 * ratings}")
            found["similar"] = step(options, servers, place, "trivet-train", "similar")
            found["requests"] = requests(options, place, folder, users)
            found["precompute"] = step(options, servers, place, "trivet-train", "precompute", "--top", options.top)
            return found
    finally:
        servers.end()


# --- what is told ---------------------------------------------------------------------------------------------------


def slope(points):
    """Of the least squares line through the logarithms; None of fewer than two."""
    if len({x for x, _ in points}) < 2:
        return None
    xs, ys = [math.log(x) for x, _ in points], [math.log(max(y, 1e-9)) for _, y in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum((x - mean_x) ** 2 for x in xs)


def all_processor(done):
    return done["processor"] + sum(done["stores"].values())


def lines_of(sets, by):
    """{what: [(size, cost)]}: processor seconds of each step, and of a thousand requests the seconds."""
    found = {name: [(s[by], all_processor(s[name])) for s in sets] for name in STEPS}
    found["1,000 requests, fresh"] = [(s[by], 1000 / s["requests"]["fresh"]["rate"]) for s in sets]
    found["server ready"] = [(s[by], s["requests"]["ready"]) for s in sets]
    return found


def series(sets):
    """The sets with few items, by ratings; those with many ratings, by items."""
    few = sorted((s for s in sets if s["items"] == FEW_ITEMS), key=lambda s: s["ratings"])
    many = sorted((s for s in sets if s["ratings"] == MANY_RATINGS), key=lambda s: s["items"])
    return {"ratings": few, "items": many}


def table(sets):
    mb = 1e6
    yield "| ratings | users | items | step | seconds | processor s: program | PostgreSQL | MongoDB | Redis | peak MB | grown MB: PostgreSQL | MongoDB | Redis |"
    yield "|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for s in sets:
        for name in STEPS:
            d = s[name]
            yield (f"| {s['ratings']:,} | {s['users']:,} | {s['items']:,} | {name} | {d['seconds']:.1f} | {d['processor']:.1f} | "
                   + " | ".join(f"{d['stores'][k]:.1f}" for k in d["stores"]) + f" | {d['memory'] / mb:,.0f} | "
                   + " | ".join(f"{d['bytes'][k] / mb:,.0f}" for k in d["bytes"]) + " |")


def request_table(sets):
    yield "| ratings | items | ready after s | server MB | fresh: requests/s | p50 ms | p99 ms | warm: requests/s | p50 ms | p99 ms |"
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for s in sets:
        r = s["requests"]
        yield (f"| {s['ratings']:,} | {s['items']:,} | {r['ready']:.1f} | {r['memory'] / 1e6:,.0f} | "
               + " | ".join(f"{r[w]['rate']:,.0f} | {r[w]['p50']:.2f} | {r[w]['p99']:.2f}" for w in ("fresh", "warm")) + " |")


def slopes(sets):
    for by, chosen in series(sets).items():
        told = {what: slope(points) for what, points in lines_of(chosen, by).items()} if len(chosen) > 1 else {}
        if told:
            yield f"Slopes by {by}: " + ", ".join(f"{what} {value:.2f}" for what, value in told.items()) + "."


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    return f"{os.cpu_count()} cores of {model}, {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def draw(sets, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(13, 5.5))
    for axis, (by, chosen) in zip(axes, series(sets).items()):
        for what, points in lines_of(chosen, by).items():
            gradient = slope(points)
            axis.loglog(*zip(*points), marker="o", label=what if gradient is None else f"{what} ({gradient:.2f})")
        axis.set(xlabel=by, ylabel="processor seconds; of requests and the server, seconds",
                 title=f"{FEW_ITEMS:,} items" if by == "ratings" else f"{MANY_RATINGS:,} ratings")
        axis.grid(True, which="both", alpha=0.3)
        axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def show(options):
    found = {}
    made_on = set()
    for path in options.show:
        kept = json.loads(path.read_text())
        made_on.add(kept["machine"])
        found.update({(s["ratings"], s["items"]): s for s in kept["sets"]})
    sets = [found[key] for key in sorted(found)]
    text = "\n\n".join(["\n".join(table(sets)), "\n".join(request_table(sets)), "\n\n".join(slopes(sets))])
    print(text)
    if options.page:
        picture = options.page.with_suffix(".png")
        draw(sets, picture)
        options.page.write_text(f"# Scale\n\nWhat `bench/scale.py` measured on {'; '.join(sorted(made_on))}. It says what each figure is.\n\n"
                                f"![Cost by ratings and by items, with the slope of each line]({picture.name})\n\n{text}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=REPO / "build")
    parser.add_argument("--ratings", type=int, nargs="*", help=f"sets of so many on {FEW_ITEMS:,} items: of {ALL_RATINGS}")
    parser.add_argument("--items", type=int, nargs="*", help=f"sets of {MANY_RATINGS:,} on so many items: of {ALL_ITEMS}")
    parser.add_argument("--top", type=int, default=100, help="length of the stored lists")
    parser.add_argument("--seconds", type=int, default=8, help="of warm requests")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--show", type=pathlib.Path, nargs="+")
    parser.add_argument("--page", type=pathlib.Path)
    options = parser.parse_args()
    if options.show:
        return show(options)
    if options.ratings is None and options.items is None:
        options.ratings, options.items = ALL_RATINGS[:2], ALL_ITEMS[:2]
    kept = {"machine": machine(), "sets": []}
    for ratings, items in [(n, FEW_ITEMS) for n in options.ratings or ()] + [(MANY_RATINGS, n) for n in options.items or ()]:
        kept["sets"].append(measure(options, ratings, items))
        if options.out:
            options.out.write_text(json.dumps(kept, indent=1) + "\n")
        newest = kept["sets"][-1:]
        print("\n".join([*table(newest), "", *request_table(newest), ""]), flush=True)
    print("\n".join(slopes(kept["sets"])))


if __name__ == "__main__":
    main()
