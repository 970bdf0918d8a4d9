"""Where the real rating sets lie: $TRIVET_TEST_DATA, by default ../shared/data. A clone alone has none. And sets that tests make."""

import csv
import os
import pathlib
import tarfile

import pytest

from stores import REPO

FOLDER = pathlib.Path(os.environ.get("TRIVET_TEST_DATA", REPO.parent / "shared/data"))
THERE = (FOLDER / "ml-latest-small/ratings.csv").exists()
NOT_THERE = f"no rating sets in {FOLDER}: set TRIVET_TEST_DATA to a folder that holds ml-latest-small/"


def member(archive, name):
    """A file's bytes; the test is skipped without the archive."""
    if not archive.exists():
        pytest.skip(f"no {archive}")
    with tarfile.open(archive) as packed:
        return packed.extractfile(name).read()


def unpacked(archive, folder):
    """The folder with all that is in the archive; the test is skipped without it."""
    if not archive.exists():
        pytest.skip(f"no {archive}")
    with tarfile.open(archive) as packed:
        packed.extractall(folder)
    return folder


def like_movielens(folder, ratings, movies):
    """A new folder with the two files: rows of (user, item, value, time) and of (item, title, genres)."""
    folder.mkdir()
    heads = {"ratings.csv": ("userId", "movieId", "rating", "timestamp"), "movies.csv": ("movieId", "title", "genres")}
    for name, rows in zip(heads, (ratings, movies)):
        with open(folder / name, "w", newline="") as f:
            csv.writer(f, lineterminator="\n").writerows([heads[name], *rows])
    return folder
