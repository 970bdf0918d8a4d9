"""docs/api.md, followed from top to bottom: its commands run as they stand, and answer what stands below them, in shape."""

import json
import re
import shutil
import subprocess

import pytest

from markdown import page
from server import Server, clean_environment

ADDRESS = "http://127.0.0.1:5001"


def steps():
    """(commands, answer as JSON text or None) of the page's blocks, in order."""
    return [(sh, answer or None) for sh, answer in
            re.findall(r"^```sh\n(.*?)^```$(?:\n\n```json\n(.*?)^```$)?", page("docs/api.md"), re.S | re.M)]


@pytest.fixture(scope="module")
def asked(run, programs, servers, movielens_100k, tmp_path_factory):
    """A server over MovieLens 100K with a model of ratings and, live, one of relevance."""
    place = servers.place()
    run("trivet-etl", "load", movielens_100k, env=place.env)
    wide = ("--set", "max_items_for_user=200", "--factors", 15)
    run("trivet-train", "fit", *wide, "--algorithm", "als", "--biases", env=place.env)
    run("trivet-train", "fit", *wide, env=place.env)
    server = Server(programs["trivet-serve"], place, tmp_path_factory.mktemp("api"))
    yield server.start()
    server.stop()


def shape(value):
    """What a program relies on: members and kinds of values. One element speaks for an array."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items() if name != "metadata"}  # which is the data's own
    if isinstance(value, list):
        return [shape(value[0])] if value and not isinstance(value[0], str) else []
    return "number" if type(value) in (int, float) else type(value).__name__


@pytest.mark.parametrize("commands, expected", steps(), ids=lambda v: v and v.splitlines()[0][:60])
def test_the_examples_answer_what_the_page_shows(asked, commands, expected):
    if not shutil.which("curl"):
        pytest.skip("no curl: apt-get install curl")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands.replace(ADDRESS, asked.url)],
                          env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    if expected is None:
        assert done.stdout.splitlines() == [line[2:] for line in commands.splitlines() if line.startswith("# ")]
    for answer in done.stdout.splitlines() if expected else []:
        assert shape(json.loads(answer)) == shape(json.loads(expected)), answer[:400]


def test_the_page_names_every_reading_address(asked):
    """Those of machines and of other pages have their own; the rest stands here."""
    text = page("docs/api.md")
    for path in ("/api/v1/recs", "/api/v1/explain", "/api/v1/predict", "/api/v1/users/", "/api/v1/items?q=", "/api/v1/items/50",
                 "/similar", "/3/ratings/top/5", "/3/ratings/100", "ETag"):
        assert path in text
