"""Plays that come one by one: they add to the counts that stand, all of a list or none, and count at once."""

import concurrent.futures

import pytest

from server import until
from test_live import FIT, Live, document, rows

UNPLAYED = 21
TITLES = {n: f"Artist {n}" for n in range(1, UNPLAYED + 1)}


def plays_of(folder):
    """40 users who played 20 artists, some once, the most 60 times; counts of one file are added up."""
    folder.mkdir()
    lines = [f"{user},{artist},{(user * artist) % 6 + (54 if artist == 1 and user == 5 else 1)}" for user in range(1, 41)
             for artist in TITLES if (user + artist) % 3 and artist != UNPLAYED]
    (folder / "plays.csv").write_text("user_id,artist_id,plays\n" + "\n".join(lines) + "\n")
    (folder / "lastfm_artist.csv").write_text("artist_id,artist_name\n" + "".join(f"{n},{t}\n" for n, t in TITLES.items()))
    return folder


@pytest.fixture
def place(run, fresh_stores, tmp_path):
    run("trivet-etl", "load", plays_of(tmp_path / "set"), env=fresh_stores.env)
    run(*FIT, env=fresh_stores.env)
    return fresh_stores


@pytest.fixture
def server(serve, place):
    return serve(place)


def test_a_play_adds_to_what_stands_and_counts_at_once(server, place):
    path, before = "/api/v1/users/7/plays", rows(place, 7)
    loaded = min(before)
    answer = server.send("POST", path, [{"item_id": loaded}, {"item_id": "20", "count": 3}])
    assert answer.status == 200
    assert answer.json() == {"user_id": 7, "rev": 1, "changed": 2, "counts": "now", "model": 1, "dataset": 1,
                             "ratings": [{"id": loaded, "rating": before[loaded] + 1}, {"id": 20, "rating": before.get(20, 0) + 3}]}
    again = server.send("POST", path, [{"movie_id": loaded, "count": "2"}, {"item_id": loaded}]).json()
    assert (again["changed"], again["ratings"]) == (1, [{"id": loaded, "rating": before[loaded] + 4}])
    assert rows(place, 7)[loaded] == before[loaded] + 4
    Live(place).check(place, 7)
    shown = {i["id"]: i["rating"] for i in server.get("/api/v1/users/7").json()["items"]}
    assert shown == rows(place, 7)


def test_put_sets_delete_removes_and_the_next_play_is_the_first(server, place):
    path, one = "/api/v1/users/new/plays".replace("new", "900"), "/api/v1/users/900/ratings/3"
    assert server.send("POST", path, [{"item_id": 3, "count": 100000}]).json()["ratings"] == [{"id": 3, "rating": 100000}]
    assert server.send("PUT", one, 5).json()["ratings"] == [{"id": 3, "rating": 5}]
    assert server.send("POST", "/api/v1/users/900/ratings", [{"item_id": 3, "rating": 7}]).json()["changed"] == 1
    assert server.send("DELETE", one).status == 200 and rows(place, 900) == {}
    assert server.send("POST", path, [{"item_id": 3}]).json()["ratings"] == [{"id": 3, "rating": 1}]
    assert server.get("/api/v1/recs?user_id=900").json()["reason"] == "folded_in"
    Live(place).check(place, 900)


BAD = [
    ([{"item_id": 3}, {"item_id": 4, "count": 0}], 400, 2, "from 1 on"),
    ([{"item_id": 3}, {"item_id": 4, "count": 1.5}], 400, 2, "from 1 on"),
    ([{"item_id": 3}, {"item_id": 4, "count": 16777217}], 422, 2, "16777216"),
    ([{"item_id": 3}, {"item_id": 99}], 422, 2, "item 99, which is not known"),
    ([{"item_id": 4}, {"item_id": 3, "count": 16777216}, {"item_id": 3}], 422, 2, "more than 16777216 plays"),
    ([{"item_id": 3, "rating": 4}], 400, 1, "plays have a count"),
    ([3], 400, 1, "item_id"),
    ({"item_id": 3}, 400, None, "no list of plays"),
]


def test_one_bad_entry_refuses_the_list_and_is_named(server, place):
    for body, status, entry, word in BAD:
        answer = server.send("POST", "/api/v1/users/901/plays", body)
        assert (answer.status, answer.json().get("entry")) == (status, entry), (body, answer.text)
        assert word in answer.json()["detail"], (body, answer.text)
    assert rows(place, 901) == {} and document(place, 901) is None
    assert server.send("PUT", "/api/v1/users/901/ratings/3", 0).json()["detail"].endswith("counts lie between 1 and 16777216")
    server.send("PUT", "/api/v1/users/901/ratings/3", 16777216)
    full = server.send("POST", "/api/v1/users/901/plays", [{"item_id": 4}, {"item_id": 3}]).json()
    assert full["entry"] == 2 and "not counted exactly" in full["detail"] and rows(place, 901) == {3: 16777216}


def test_of_many_at_once_none_is_lost(serve, server, place):
    both = [server, serve(place)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: both[i % 2].send("POST", "/api/v1/users/902/plays", [{"item_id": 5}, {"item_id": 3}]),
                                range(60)))
    assert {a.status for a in answers} == {200}
    assert sorted(a.json()["ratings"][0]["rating"] for a in answers) == list(range(1, 61))
    assert rows(place, 902) == {3: 60, 5: 60}
    Live(place).check(place, 902)


def test_similar_items_and_counts_of_items_follow(run, server, place):
    run("trivet-train", "similar", env=place.env)
    assert server.get(f"/api/v1/items/{UNPLAYED}/similar?by=audience").status == 404
    server.send("POST", "/api/v1/users/903/plays", [{"item_id": UNPLAYED, "count": 7}, {"item_id": 5}])
    until(lambda: server.get(f"/api/v1/items/{UNPLAYED}/similar?by=audience").status == 200)
    until(lambda: place.mongo_db().item.find_one({"_id": UNPLAYED})["mean"] == 7)
    server.send("POST", "/api/v1/users/903/plays", [{"item_id": UNPLAYED}])
    until(lambda: place.mongo_db().item.find_one({"_id": UNPLAYED})["mean"] == 8)
    assert "is what a build would give" in run("trivet-train", "similar", "--check", env=place.env).stdout


def test_plays_are_refused_where_there_are_ratings(run, serve, fresh_stores, tmp_path):
    folder = tmp_path / "stars"
    folder.mkdir()
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(
        f"{u},{i},{1 + (u * i) % 5},9\n" for u in range(1, 41) for i in range(1, 21) if (u + i) % 3))
    run("trivet-etl", "load", folder, env=fresh_stores.env)
    run(*FIT, env=fresh_stores.env)
    server = serve(fresh_stores)
    answer = server.send("POST", "/api/v1/users/7/plays", [{"item_id": 3}])
    assert answer.status == 422 and "the data is ratings" in answer.json()["detail"]
    assert "/api/v1/users/{user}/ratings takes ratings" in answer.json()["hint"]
    assert fresh_stores.psql("SELECT count(*) FROM trivet.user_change") == "0"
