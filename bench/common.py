"""What several benches share: MovieLens 1M, trivet's programs on private stores, and the best of some rounds."""

import argparse
import os
import pathlib
import subprocess
import sys
import tarfile
import time

REPO = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests/e2e"))
from server import clean_environment  # noqa: E402

WIDE_OPEN = ["--set", "min_users_for_item=0", "--set", "min_items_for_user=0", "--set", "max_items_for_user=1000000",
             "--set", "max_row_number=10000000"]


def arguments(about):
    """A parser with what every bench on MovieLens 1M takes; `about` is the bench's own text."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=REPO / "build")
    parser.add_argument("--data", type=pathlib.Path, default=REPO.parent / "shared/data", help="folder that holds ml-1m.tar.gz")
    parser.add_argument("--rounds", type=int, default=3)
    return parser


def movielens_1m(data, folder):
    """Unpacks it into a folder that trivet-etl reads, and gives that."""
    source = pathlib.Path(folder) / "ml-1m"
    source.mkdir()
    with tarfile.open(data / "ml-1m.tar.gz") as archive:
        (source / "ratings.csv").write_bytes(archive.extractfile("ml-1m/ratings_no_timestamp.csv").read())
    return source


def program(build, name):
    return build / name.removeprefix("trivet-") / name


def run(build, env, name, *words):
    """A program of trivet's, or the end with what it said."""
    done = subprocess.run([program(build, name), *words], env={**clean_environment(), **env}, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name} {' '.join(map(str, words))} failed:\n{done.stderr}")


def timed(rounds, work):
    """Seconds of the quickest round, and what the last one gave."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        given = work()
        seconds.append(time.perf_counter() - started)
    return min(seconds), given


def machine():
    return f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes at work before this"
