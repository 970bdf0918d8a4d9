"""docs/tuning-filters.md, followed from top to bottom: its SQL runs, and what it prints is what stands on the page."""

import re
import shlex
import subprocess

from markdown import page
from stores import REPO

PAGE = page("docs/tuning-filters.md")


def steps():
    """("sql" or "sh", text) of the page's blocks in order. Recipes for other tools are fenced as ```text."""
    return re.findall(r"^```(sql|sh)\n(.*?)^```$", PAGE, re.S | re.M)


def printed(block):
    return [line[2:].strip() for line in block.splitlines() if line.startswith("--")]


def numbers(lines):
    return [float(n) for line in lines for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", line)]


def psql(place, statement):
    done = subprocess.run(["psql", "-Xq", "--pset", "footer=off", "-v", "ON_ERROR_STOP=1", "-d", place.postgres_uri,
                           "-c", statement], capture_output=True, text=True)
    assert done.returncode == 0, f"{statement}\n{done.stderr}"
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def check_statement(place, block):
    found, expected = psql(place, block), printed(block)
    if not expected:
        return
    if "trivet.recommend" in block:  # lists depend a little on how the linear algebra library rounds
        assert (found[0], len(found)) == (expected[0], len(expected)), block
        if "mean_ratings" in block:
            for a, b in zip(numbers(found), numbers(expected), strict=True):
                assert abs(a - b) <= .05 * b, block
    else:
        assert found == expected


def test_the_story_can_be_followed(run, fresh_stores, movielens_100k):
    run("trivet-etl", "load", movielens_100k, env=fresh_stores.env)
    run("trivet-train", "fit", env=fresh_stores.env)
    run("trivet-train", "fit", "--set", "max_items_for_user=200", "--factors", "15", env=fresh_stores.env)
    said = []
    for kind, block in steps():
        if kind == "sql":
            check_statement(fresh_stores, block)
            continue
        for line in block.splitlines():
            if line.startswith("trivet-"):
                program, *arguments = shlex.split(line)
                done = run(program, *arguments, env=fresh_stores.env)
                said += (done.stdout + done.stderr).splitlines()
            else:
                assert line.removeprefix("# ") in said, line
    assert len(steps()) > 15
    assert fresh_stores.psql("SELECT id FROM trivet.run WHERE state = 'live'") == "3"


def test_the_picture():
    name, = re.findall(r'<img src="([^"]+)"', PAGE)
    picture = (REPO / "docs" / name).read_bytes()
    assert picture.startswith(b"\x89PNG") and int.from_bytes(picture[16:20], "big") == 1200
    assert len(picture) < 250_000
