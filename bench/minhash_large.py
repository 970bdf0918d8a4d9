#!/usr/bin/python3
"""Similar items at the article's size: a generated set of 160,110 items and 17 million plays, from Postgres to answers.

usage: bench/minhash_large.py [--build DIR] [--plays N] [--items N] [--events N]

Popularity and activity are skewed as plays are, and one listener has heard everything: at many positions they are the value
of tens of thousands of items. Printed: trivet-train similar step by step, hashing alone, questions for random items, for the
most popular ones and for those that only that listener knows, and changes. Then, with --events (100,000 unless said
otherwise), eight connections change random ratings while trivet-serve, which applies them, is killed again and again, and
Redis twice; at the end the index is compared with one built anew.
"""

import concurrent.futures
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import numpy as np

from common import arguments, clean_environment, machine, program
from minhash import Tool
from server import Server
from stores import Place, Servers

USERS = 359000
EVERYTHING = 1  # the listener of everything


def plays(n, items, seed=1):
    """(user, item), distinct, about n of them."""
    draw = np.random.default_rng(seed)
    popularity = np.cumsum(1 / np.arange(30, items + 30) ** 0.95)
    activity = draw.lognormal(0, 1, USERS)
    user = np.repeat(np.arange(2, USERS + 2), draw.poisson(activity * (1.17 * n / activity.sum())))
    item = np.searchsorted(popularity, draw.random(len(user)) * popularity[-1]) + 1
    pairs = np.unique(user.astype(np.int64) << 32 | item)
    pairs = draw.permutation(pairs)[:n - items]
    everything = np.int64(EVERYTHING) << 32 | np.arange(1, items + 1)
    pairs = np.sort(np.concatenate([everything, pairs]))
    return pairs >> 32, pairs & 0xFFFFFFFF


def write_csv(path, user, item):
    with open(path, "w") as out:
        out.write("userId,movieId,rating\n")
        for at in range(0, len(user), 1 << 20):
            out.write("".join(f"{u},{i},1\n" for u, i in zip(user[at:at + (1 << 20)].tolist(), item[at:at + (1 << 20)].tolist())))


def trivet(args, place, name, *words):
    done = subprocess.run([program(args.build, name), *map(str, words)], env={**clean_environment(), **place.env},
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name} {' '.join(map(str, words))} failed:\n{done.stderr}")
    return done


def spread(name, milliseconds, wanted):
    print(f"{name:34} median {np.median(milliseconds):6.3f} ms, p99 {np.percentile(milliseconds, 99):6.3f} ms, "
          f"mean {np.mean(milliseconds):6.3f} ms  (wanted: {wanted})", flush=True)


def build(args, place):
    done = trivet(args, place, "trivet-train", "similar")
    seconds = {name.strip(): float(s) for name, s in re.findall(r"^(\w[\w ]*?) +([\d.]+) s$", done.stderr, re.M)}
    print(done.stdout.strip())
    print(f"reading and signatures {seconds['read']:.1f} s (wanted: below 30); writing the index {seconds['write']:.1f} s "
          f"(wanted: below 60)", flush=True)


def hashing(args, user, item):
    """Signatures alone, of pairs that are in memory; the first number is with reading them as text."""
    done = subprocess.run([args.build / "bench/minhash_tool", "time", "128", "2"], input=np.stack([user, item], 1).tobytes(),
                          capture_output=True, env={"OMP_WAIT_POLICY": "passive"})
    if done.returncode != 0:
        sys.exit(f"minhash_tool time failed: {done.stderr.decode()}")
    print(f"hashing and signatures of {len(user):,} plays in memory {float(done.stdout.split()[1]):.2f} s (wanted: below 5)", flush=True)


def answers(args, place, item):
    tool = Tool(args.build, place.redis_uri)
    ids, listeners = np.unique(item, return_counts=True)
    draw = random.Random(1)
    samples = {"random items": draw.sample(ids.tolist(), 2000), "1,000 most popular": ids[np.argsort(-listeners)][:1000].tolist(),
               "known to one listener": ids[listeners == 1][:500].tolist(), "known to two": ids[listeners == 2][:500].tolist()}
    for name, sample in samples.items():
        if sample:
            spread(f"query, {name}", tool.ask(sample)[0], "p99 below 10")
    text = "".join(f"{10**7 + draw.randrange(10**6)} {i}\n" for i in draw.sample(ids.tolist(), 2000))
    took = [float(line.split()[1]) / 1000 for line in tool("add", text=text).stdout.splitlines()]
    spread("update, a new listener", took, "mean below 1")
    tool("verify")
    print("all pages are those of the signatures", flush=True)


# --- events -----------------------------------------------------------------------------------------------------------


def change(place, seed, n, items):
    """n random changes by users of this connection's own."""
    import psycopg2
    draw = random.Random(seed)
    connection = psycopg2.connect(place.postgres_uri)
    connection.autocommit = True
    cursor = connection.cursor()
    for _ in range(n):
        user, item = 8 * draw.randrange(200) + seed, draw.randrange(1, items)
        if draw.random() < 0.7:
            cursor.execute("INSERT INTO trivet.rating_live (user_id, item_id, value) VALUES (%s, %s, 1)", (user, item))
        else:
            cursor.execute("DELETE FROM trivet.rating WHERE user_id = %s AND item_id = "
                           "(SELECT item_id FROM trivet.rating WHERE user_id = %s OFFSET %s LIMIT 1)", (user, user, draw.randrange(30)))
    connection.close()


def events(args, servers, folder):
    place = servers.place()
    source = folder / "small"
    source.mkdir()
    draw = random.Random(1)
    pairs = sorted({(draw.randrange(1600), draw.randrange(1, 2000)) for _ in range(40000)})
    write_csv(source / "ratings.csv", np.array([u for u, _ in pairs]), np.array([i for _, i in pairs]))
    trivet(args, place, "trivet-etl", "load", source)
    trivet(args, place, "trivet-train", "similar")
    server = Server(program(args.build, "trivet-serve"), place, folder, {"TRIVET_POSTGRES": place.postgres_uri})
    server.start()
    kills = crashes = 0
    started = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(change, place, seed, args.events // 8, 2100) for seed in range(8)]
        while not all(writer.done() for writer in writers):
            time.sleep(draw.uniform(0.2, 1.5))
            server.kill()
            kills += 1
            if crashes < 2 and draw.random() < 0.2:
                servers.redis.kill()
                servers.redis.start()
                crashes += 1
            server.start()
        for writer in writers:
            writer.result()
    print(f"{args.events:,} events of 8 connections in {time.perf_counter() - started:.0f} s; the server killed {kills} times, "
          f"Redis {crashes} times", flush=True)
    while place.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL") != "0":
        time.sleep(0.2)
    server.stop()
    print(trivet(args, place, "trivet-train", "similar", "--check").stdout.strip())


def main():
    parser = arguments(__doc__)
    parser.add_argument("--plays", type=int, default=17_000_000)
    parser.add_argument("--items", type=int, default=160_110)
    parser.add_argument("--events", type=int, default=100_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as temporary:
        folder = pathlib.Path(temporary)
        servers = Servers()
        try:
            large(args, servers, folder)
            if args.events:
                events(args, servers, folder)
        finally:
            servers.end()


def large(args, servers, folder):
    if not args.plays:
        return
    place = Place(servers)
    user, item = plays(args.plays, args.items)
    print(f"{len(user):,} plays of {len(np.unique(item)):,} items by {len(np.unique(user)):,} users; {machine()}", flush=True)
    hashing(args, user, item)
    source = folder / "plays"
    source.mkdir()
    write_csv(source / "ratings.csv", user, item)
    trivet(args, place, "trivet-etl", "load", source)
    (source / "ratings.csv").unlink()
    build(args, place)
    answers(args, place, item)


if __name__ == "__main__":
    main()
