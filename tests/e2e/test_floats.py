"""A rating is a float4. Answers, pages, files and commands tell it by the shortest decimal that reads back as the same float: 3.3,
and never 3.2999999523162842, which is the same number as a double."""

import json
import random
import re

import numpy as np
import pytest

from test_load import write

VALUES = ("1.22", "2.7", "3.3", "4.1", "4.9")
COMMANDS = ([["trivet-train", "recommend", "1", "--users", "1,2", "--format", form] for form in ("csv", "json")] +
            [["trivet-train", command] for command in ("models", "runs")] + [["trivet-train", "show", "1"], ["trivet-etl", "datasets"]])


@pytest.fixture(scope="module")
def place(run, servers, tmp_path_factory):
    """50 users, 40 items, ratings with a decimal or two; item 40 is rated by user 1 alone, with 3.3."""
    folder, place = tmp_path_factory.mktemp("floats"), servers.place()
    draw = random.Random(3)
    pairs = draw.sample([(user, item) for user in range(1, 51) for item in range(1, 39)], 800)
    pairs = [pair for pair in pairs if pair != (1, 1)]
    lines = [f"{u},{i},{draw.choice(VALUES)}" for u, i in pairs] + ["1,1,3.3", "1,40,3.3", "2,39,3.3", "2,39,3.3", "3,39,4.1"]
    write(folder / "set", ratings="userId,movieId,rating\n" + "\n".join(lines) + "\n",
          movies="movieId,title,genres\n" + "".join(f"{i},Film {i} (1990),Drama\n" for i in range(1, 41)))
    run("trivet-etl", "load", folder / "set", env=place.env)
    run("trivet-train", "fit", "--algorithm", "als", "--factors", "4", "--set", "min_users_for_item=1", env=place.env)
    run("trivet-train", "similar", "--min-rating", "3.3", env=place.env)
    return place


@pytest.fixture
def server(serve, place):
    return serve(place)


def floats(text):
    """Numbers that are a float's, written with more digits than it needs. Scores of few factors may happen to be floats, but no short ones."""
    return [n for n in re.findall(r"-?\d+\.\d{8,}", text)
            if float(n) == float(np.float32(n)) and len(str(np.float32(n))) <= 6]


def test_routes_tell_floats_with_their_own_digits(server):
    server.send("PUT", "/api/v1/users/1/ratings/2", {"rating": 3.3})
    asked = {
        "/api/v1/users/1": ('"rating":3.3', '"id":40'), "/api/v1/users/2": (), "/api/v1/items/40": ('"mean":3.3,',),
        "/api/v1/items/39": ('"mean":3.5666666',), "/api/v1/items?q=Film": (), "/api/v1/explain?user_id=1&item_id=3": ('"rating":3.3',),
        "/api/v1/predict?user_id=1&ids=1,2,40": (), "/api/v1/predict?user_id=99&ids=40": ('"predicted":3.3',),
        "/99/ratings/40": (",3.3,",), "/99/ratings/top/5?min_count=1": (), "/1/ratings/40": (), "/api/v1/models": (),
        "/api/v1/models/1": (), "/api/v1/similar?item_id=1": (), "/api/v1/recs?user_id=99": (), "/api/v1/recs?user_id=1": (), "/recs?user_id=1": ()}
    for path, wanted in asked.items():
        answer = server.get(path, accept="application/json")
        assert answer.status in (200, 404), (path, answer.text)
        assert floats(answer.text) == [], (path, answer.text)
        assert all(w in answer.text for w in wanted), (path, answer.text)
    for path in ("/recs?user_id=1", "/rate?user_id=1", "/models", "/similar?item_id=1", "/explain?user_id=1&item_id=3"):
        assert floats(server.get(path, accept="text/html").text) == [], path
    refused = server.send("PUT", "/api/v1/users/1/ratings/2", {"rating": 5.1})
    assert refused.status == 422 and "with 5.1, but ratings lie between 1.22 and 4.9" in refused.text
    assert '"scale":{"low":1.22,"high":4.9}' in refused.text


def test_a_value_that_is_answered_is_the_float(server):
    """What a client read before as a double is the same float."""
    ratings = {i["id"]: i["rating"] for i in server.get("/api/v1/users/1").json()["items"]}
    assert ratings[40] == 3.3 and np.float32(ratings[40]) == np.float32("3.2999999523162842")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_tell_floats_with_their_own_digits(run, place, command):
    done = run(*command, env=place.env)
    assert floats(done.stdout + done.stderr) == []


def test_a_score_taken_apart_has_the_rating_as_it_was_given(run, place):
    """Beside factors, which are float16, and a score, which is a double: these keep all their digits."""
    show = ("trivet-train", "show", "1", "--user", "1", "--item", "1", "--format")
    assert "true rating  3.3\n" in run(*show, "table", env=place.env).stdout
    assert "true rating  3.3\n" in run(*show, "csv", env=place.env).stderr
    told = run(*show, "json", env=place.env).stdout
    assert '"rating": 3.3,' in told
    factors = json.loads(told)["factors"]
    assert factors[-1]["sum"] == pytest.approx(json.loads(told)["score"], abs=1e-12) and len(factors) == 4


def test_files_tell_floats_with_their_own_digits(run, place, tmp_path):
    run("trivet-train", "export", "1", tmp_path / "model", env=place.env)
    for name in ("model.json", "items.csv"):
        assert floats((tmp_path / "model" / name).read_text()) == [], name
