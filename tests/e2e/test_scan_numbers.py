"""Lists by the scan in the order of lengths, through bench/scan_tool: every user of a real set, and every algorithm, against
the scoring of every item, bit for bit. The tool ends with status 1 where two lists differ."""

import os
import pathlib
import subprocess

import pytest

from stores import REPO


@pytest.fixture(scope="module")
def scan_tool():
    path = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build")) / "bench/scan_tool"
    if not path.exists():
        pytest.fail(f"not built: {path}; cmake -B build && cmake --build build", pytrace=False)
    return path


def numbers(scan_tool, *words):
    done = subprocess.run([scan_tool, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {key: float(value) for key, value in (line.split() for line in done.stdout.splitlines())}


@pytest.mark.parametrize("flags", [[], ["--als"], ["--implicit"]], ids=["svd", "als", "als-implicit"])
@pytest.mark.parametrize("top", ["15", "1000"])
def test_every_user_has_the_list_of_the_full_scan(scan_tool, data_dir, flags, top):
    ratings = data_dir / "ml-latest-small/ratings.csv"
    users = len({line.split(",")[0] for line in ratings.read_text().splitlines()[1:]})
    found = numbers(scan_tool, *flags, "--top", top, "--users", "100000", ratings)
    assert found["users"] == users and found["differ"] == 0
    filtered = numbers(scan_tool, *flags, "--top", top, "--users", "100", "--keep", ".005", ratings)
    assert filtered["users"] == 100 and filtered["differ"] == 0
