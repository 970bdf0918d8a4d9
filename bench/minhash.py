#!/usr/bin/python3
"""Similar items on HetRec's Last.fm: trivet beside the article's own path in Python, in one run on one Redis.

usage: bench/minhash.py [--build DIR] [--data DIR] [--peers DIR] [--quick]

The peer (minhash_peers.py) makes signatures of 128 values with datasketch, and keeps one key a position and value, each with a
snappy-compressed list of items; its signatures stay in Python's memory. trivet's index has the signatures in Redis, too.
Both answer for the same 1,000 random artists and the 100 most popular ones, and both add a new listener to 1,000 artists.
Then every artist's answer is compared with counting over all signatures (a minute; not with --quick). It needs
tools/test_venv.sh and python3-snappy.
"""

import pathlib
import random
import re
import subprocess
import sys
import tarfile
import tempfile

import numpy as np

from common import REPO, arguments, machine
from pypi import HINT, VENV
from stores import Redis

TOP = 5


def last_fm(data, folder):
    with tarfile.open(data / "hetrec2011-lastfm-2k.tar.gz") as archive:
        (folder / "user_artists.dat").write_bytes(archive.extractfile("hetrec2011-lastfm-2k/user_artists.dat").read())
    return folder / "user_artists.dat"


def run_peer(peers, plays, port, folder):
    """What it prints, as numbers; its fixed port is replaced."""
    path = folder / "peer.py"
    path.write_text((peers / "minhash_peers.py").read_text().replace("port=6380", f"port={port}"))
    done = subprocess.run([VENV / "bin/python", path, plays], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the peer failed: {done.stderr}")
    out = done.stdout
    number = lambda pattern: float(re.search(pattern, out)[1])  # noqa: E731
    return {"signatures": number(r"signatures ([\d.]+) s"), "index": number(r"keys ([\d.]+) s"),
            "memory": number(r"redis ([\d.]+)M") * 1024 * 1024, "keys": int(number(r"index (\d+) keys")),
            "random": number(r"random: median ([\d.]+)"), "popular": number(r"popular: median ([\d.]+)"),
            "update": number(r"update: mean ([\d.]+)")}


class Tool:
    def __init__(self, build, uri):
        self.path, self.uri = build / "bench/minhash_tool", uri

    def __call__(self, name, *words, text=""):
        done = subprocess.run([self.path, name, self.uri, *map(str, words)], input=text, capture_output=True, text=True,
                              env={"OMP_WAIT_POLICY": "passive"})
        if done.returncode != 0:
            sys.exit(f"minhash_tool {name} failed: {done.stderr}")
        return done

    def ask(self, items, top=TOP):
        """Milliseconds of each, and the answers."""
        lines = self("ask", top, text="".join(f"{item}\n" for item in items)).stdout.splitlines()
        return [float(line.split()[1]) / 1000 for line in lines], [line.split()[2:] for line in lines]


def run_trivet(tool, redis, plays, sets, samples):
    pairs = "".join(f"{user} {item}\n" for user, item in plays)
    empty = redis.info("memory")["used_memory"]
    told = tool("build", 128, 2, text=pairs).stderr
    figures = {name: float(seconds) for name, seconds in re.findall(r"^(\w+) ([\d.]+)$", told, re.M)}
    figures |= {"memory": redis.info("memory")["used_memory"] - empty, "keys": redis.dbsize()}
    for name, items in samples.items():
        figures[name] = float(np.median(tool.ask(items)[0]))
    draw = random.Random(2)
    text = "".join(f"{10**7 + draw.randrange(10**6)} {item}\n" for item in samples["random"])
    added = tool("add", text=text).stdout.splitlines()
    figures["update"] = float(np.mean([float(line.split()[1]) for line in added])) / 1000
    tool("verify")
    return figures


def beside(name, unit, peer, ours, wanted, format="{:.2f}"):
    show = format.format
    print(f"{name:28} {show(peer):>9} {unit} beside {show(ours):>9} {unit}: {peer / ours:7.1f} times as good (wanted: {wanted})")


def compare_all(tool, items):
    """Every item's answer beside counting over all signatures."""
    rows = np.array([line.split() for line in tool("dump").stdout.splitlines()], dtype=np.int64)
    ids, signatures = rows[:, 0], rows[:, 1:].astype(np.uint32)
    place = {int(item): row for row, item in enumerate(ids)}
    _, answers = tool.ask(items, 20)
    for item, answer in zip(items, answers):
        shared = (signatures == signatures[place[item]]).sum(axis=1, dtype=np.int32)
        shared[place[item]] = 0
        order = np.lexsort((ids, -shared))[:20]
        if answer != [f"{ids[i]}:{shared[i]}" for i in order if shared[i] > 0]:
            sys.exit(f"item {item}: {answer} is not what counting gives")
    print(f"all {len(items)} answers are those of counting over all signatures")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--peers", type=pathlib.Path, default=REPO.parent / "shared/peers")
    parser.add_argument("--quick", action="store_true", help="without the comparison of every answer")
    args = parser.parse_args()
    if not (VENV / "bin/python").exists():
        sys.exit(f"no {VENV}: {HINT}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        plays_file = last_fm(args.data, folder)
        store = Redis(folder).start()
        try:
            bench(args, folder, plays_file, store)
        finally:
            store.kill()


def bench(args, folder, plays_file, store):
    import redis
    client = redis.Redis(port=store.port)
    client.config_set("appendonly", "no")  # what is measured is Redis, not the disk
    plays = [line.split("\t")[:2] for line in plays_file.read_text().splitlines()[1:]]
    sets = {}
    for user, item in plays:
        sets.setdefault(int(item), set()).add(user)
    items = sorted(sets)
    random.seed(1)  # as the peer draws
    samples = {"random": random.sample(items, 1000), "popular": sorted(items, key=lambda item: -len(sets[item]))[:100]}
    print(f"{len(items)} artists, {len(plays)} plays; {machine()}", flush=True)
    empty = client.info("memory")["used_memory"]
    peer = run_peer(args.peers, plays_file, store.port, folder)
    peer["memory"] -= empty
    client.flushall()
    tool = Tool(args.build, f"redis://127.0.0.1:{store.port}/0")
    ours = run_trivet(tool, client, plays, sets, samples)
    beside("signatures", "s", peer["signatures"], ours["signatures"], 100, "{:.3f}")
    beside("index", "s", peer["index"], ours["index"], 10, "{:.3f}")
    beside("memory of Redis", "MB", peer["memory"] / 1e6, ours["memory"] / 1e6, 2)
    beside("bytes an item", "B", peer["memory"] / len(items), ours["memory"] / len(items), 2, "{:.0f}")
    print(f"{'keys':28} {peer['keys']:>9} beside {ours['keys']}")
    beside("query, random (median)", "ms", peer["random"], ours["random"], 3, "{:.3f}")
    beside("query, popular (median)", "ms", peer["popular"], ours["popular"], 3, "{:.3f}")
    beside("update (mean)", "ms", peer["update"], ours["update"], 5, "{:.3f}")
    if not args.quick:
        tool("build", 128, 2, text="".join(f"{user} {item}\n" for user, item in plays))
        compare_all(tool, items)


if __name__ == "__main__":
    main()
