#!/usr/bin/python3
"""Runs chaos by hand: run.py --seed 7 --seconds 600. Ends with 1 where something differs, and says where the logs are."""

import argparse
import os
import pathlib
import random
import sys

sys.path[0] = str(pathlib.Path(__file__).parents[1])
from chaos.arena import Chaos  # noqa: E402
from chaos.compare import compare  # noqa: E402
from stores import REPO  # noqa: E402


def programs():
    build = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build"))
    return {f"trivet-{room}": build / room / f"trivet-{room}" for room in ("etl", "train", "serve")}


def run(seed, seconds, programs, keep=False, out=print):
    """One run with one seed: the differences that it found, each a text, and its folder, which is there if there are any."""
    arena = Chaos(seed, seconds, programs)
    try:
        arena.prepare()
        arena.rage()
        compare(arena)
        out(arena.summary())
    finally:
        arena.end(keep or bool(arena.faults) or sys.exc_info()[0] is not None)
    return arena.faults, arena.folder


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="default: a random one")
    options.add_argument("--seconds", type=int, default=120, help="how long all that goes on (default 120)")
    options.add_argument("--keep", action="store_true", help="keep the folder with the logs, whatever was found")
    chosen = options.parse_args()
    print(f"seed {chosen.seed}, {chosen.seconds} s", flush=True)
    faults, folder = run(chosen.seed, chosen.seconds, programs(), chosen.keep)
    for fault in faults:
        print("DIFFERS", fault)
    print(f"seed {chosen.seed}: {len(faults)} differences" + (f"; logs in {folder}" if folder.exists() else ""))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
