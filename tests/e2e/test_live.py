"""Ratings that come live: taken whole or not at all, counted at once, by any server, whatever is killed or trained meanwhile."""

import concurrent.futures
import json
import random
import subprocess
import threading
import time

import numpy as np
import pytest

from blobs import decode
from rating_sets import like_movielens
from server import until

BLOBS = ("value", "seen", "rated", "ratings")
LATE = 1_500_000_000  # no training with CUTOFF learns from ratings of that time, or of today
CUTOFF = "rated_until=2015-01-01"


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """90 users and 80 films, numbered by tens; a third of the ratings are late ones."""
    rng = random.Random(7)
    return like_movielens(
        tmp_path_factory.mktemp("live") / "ratings",
        ((user, film * 10, 4.5 if film % 4 == user % 4 else rng.choice([0.5, 2, 5]),
          1_000_000 + film if rng.random() < 0.67 else LATE + film)
         for user in range(1, 91) for film in sorted(rng.sample(range(1, 81), rng.randint(8, 40)))),
        ((film * 10, f"Film {film} ({1950 + film})", "Drama") for film in range(1, 91)))  # nobody rated the last ten


FIT = ("trivet-train", "fit", "--set", "max_items_for_user=60", "--factors", 5)


@pytest.fixture
def place(run, fresh_stores, ratings):
    run("trivet-etl", "load", ratings, env=fresh_stores.env)
    run(*FIT, env=fresh_stores.env)
    return fresh_stores


@pytest.fixture
def server(serve, place):
    return serve(place)


def rows(place, user):
    """What PostgreSQL has of a user: {item: value}."""
    text = place.psql(f"SELECT item_id, value FROM trivet.rating WHERE user_id = {user} ORDER BY 1")
    lines = [line.split("|") for line in text.splitlines()]
    assert len({item for item, _ in lines}) == len(lines), "a pair stands more than once"
    return {int(item): float(value) for item, value in lines}


def document(place, user, model=None):
    db = place.mongo_db()
    return (db[f"user_{model}"] if model else db.user).find_one({"_id": user})


def blobs(document):
    return {name: document[name] for name in BLOBS}


class Live:
    """The live SVD model: what documents are computed from, here in numpy, in the order that fold_in.h states."""

    def __init__(self, place):
        redis = place.redis_client()
        self.number = int(redis.get("trivet:live"))
        key = "trivet:model:{%d}:" % self.number
        self.factors = decode(redis.get(key + "item_factors:0")).astype("f8")
        self.ids = decode(redis.get(key + "item_ids:0"))
        self.scale = 1 / decode(redis.get(key + "singular_values")).astype("f8")

    def fold_in(self, rated):
        sums = np.zeros(self.factors.shape[1])
        for item in sorted(rated):
            at = np.searchsorted(self.ids, item)
            if at < len(self.ids) and self.ids[at] == item:
                sums += np.float64(np.float32(rated[item])) * self.factors[at]
        return (sums * self.scale).astype("f2")

    def check(self, place, user):
        """The user's document is the fold-in of all their rows, bit for bit."""
        there, rated = document(place, user, self.number), rows(place, user)
        assert decode(there["rated"]).tolist() == sorted(rated), user
        assert decode(there["ratings"]).tolist() == [np.float32(rated[item]) for item in sorted(rated)], user
        assert decode(there["value"]).tobytes() == self.fold_in(rated).tobytes(), user


# --- what is taken --------------------------------------------------------------------------------------------


def test_a_list_is_taken_and_counts_at_once(server, place):
    before = {user: server.get(f"/recs?user_id={user}&top=30").json() for user in range(1, 91)}
    answer = server.send("POST", "/0/ratings", [{"movie_id": 40, "rating": 4.5}, {"movie_id": "80", "rating": "0.5"}])
    assert (answer.status, answer.json()) == (200, [[0, 40, 4.5], [0, 80, 0.5]])
    body = server.get("/recs?user_id=0").json()
    assert body["reason"] == "folded_in" and {40, 80}.isdisjoint(i["id"] for i in body["items"])
    assert [(i["id"], i["rating"]) for i in server.get("/api/v1/users/0").json()["items"]] == [(40, 4.5), (80, 0.5)]
    assert rows(place, 0) == {40: 4.5, 80: 0.5}
    Live(place).check(place, 0)
    for user in range(1, 91):
        assert server.get(f"/recs?user_id={user}&top=30").json() == before[user]


def test_the_json_api_says_what_came_of_it(server, place):
    path = "/api/v1/users/5/ratings"
    answer = server.send("POST", path, [{"movie_id": 810, "rating": 3.7}])
    assert answer.status == 200
    assert answer.json() == {"user_id": 5, "rev": 1, "changed": 1, "counts": "now", "model": 1, "dataset": 1,
                             "ratings": [{"id": 810, "rating": 3.7}]}
    assert server.send("POST", path, [{"movie_id": 810, "rating": 3.7}]).json()["changed"] == 0
    put = server.send("PUT", path + "/810", 2)
    assert (put.status, put.json()["rev"], rows(place, 5)[810]) == (200, 2, 2)
    assert server.send("PUT", path + "/810", {"rating": "2.5"}).json()["rev"] == 3
    gone = server.send("DELETE", path + "/810")
    assert (gone.status, gone.json()["ratings"], 810 in rows(place, 5)) == (200, [], False)
    assert server.send("DELETE", path + "/810").status == 404
    Live(place).check(place, 5)


def test_a_rating_takes_the_place_of_a_loaded_one_and_a_repeat_changes_nothing(server, place):
    user, item = 3, next(iter(rows(place, 3)))
    for value in (1, 5, 5):
        before = document(place, user)
        assert server.send("POST", f"/{user}/ratings", [{"movie_id": item, "rating": value}]).status == 200
        assert rows(place, user)[item] == value
    assert document(place, user) == before  # after the repeat
    assert place.psql(f"SELECT count(*), min(rev) FROM trivet.user_change WHERE user_id = {user}") == "1|2"
    assert document(place, user)["rev"] == 2
    Live(place).check(place, user)


def test_a_reload_keeps_what_was_rated_live(run, server, place, ratings):
    loaded, other = list(rows(place, 3))[:2]
    server.send("PUT", f"/api/v1/users/3/ratings/{loaded}", 1.5)
    server.send("DELETE", f"/api/v1/users/3/ratings/{other}")
    run("trivet-etl", "load", ratings, env=place.env)
    assert rows(place, 3)[loaded] == 1.5  # the live one; rows() sees that it stands alone
    assert other in rows(place, 3)        # what was taken back comes again with its file


def test_learned_users_keep_their_row_and_lose_what_was_computed_from_the_old_document(server, place):
    place.mongo_db()["user_1"].update_one({"_id": 8}, {"$set": {"top": [{"id": 10, "score": 1}]}})
    row = document(place, 8)["id"]
    assert row is not None
    server.send("PUT", "/api/v1/users/8/ratings/850", 4)
    there = document(place, 8)
    assert there["id"] == row and "top" not in there
    assert server.get("/recs?user_id=8").json()["reason"] == "personal"


@pytest.mark.parametrize("user", [0, -5, 2**63 - 1, -2**63])
def test_any_id_may_be_a_new_user(server, place, user):
    assert server.get(f"/recs?user_id={user}").json()["reason"] == "popular"
    assert server.send("POST", f"/{user}/ratings", [{"movie_id": 20, "rating": 5}]).status == 200
    assert server.get(f"/recs?user_id={user}").json()["reason"] == "folded_in"
    Live(place).check(place, user)


def test_the_last_rating_taken_back_leaves_the_popular_list(server, place):
    server.send("POST", "/1000/ratings", [{"movie_id": 20, "rating": 5}])
    assert server.send("DELETE", "/api/v1/users/1000/ratings/20").status == 200
    assert server.get("/recs?user_id=1000").json()["reason"] == "popular"
    assert server.get("/api/v1/users/1000").json()["n"] == 0


def test_every_server_has_it_within_a_second(serve, server, place):
    others = [serve(place), serve(place)]
    user = 11
    for other in others:
        other.get(f"/api/v1/users/{user}")  # now it is in the cache
    server.send("PUT", f"/api/v1/users/{user}/ratings/860", 4)
    deadline = time.monotonic() + 1.0
    time.sleep(max(0, deadline - time.monotonic()))
    for each in (server, *others):
        assert 860 in [i["id"] for i in each.get(f"/api/v1/users/{user}").json()["items"]]


def test_counts_follow(serve, server, place):
    other, items = serve(place), place.mongo_db().item
    before = {i["_id"]: (i["n"], i["mean"]) for i in items.find()}
    for user in (2001, 2002):
        server.send("POST", f"/{user}/ratings", [{"movie_id": 10, "rating": 5}, {"movie_id": 900, "rating": 2}])
    taken = next(iter(set(rows(place, 1)) - {10, 900}))
    server.send("DELETE", f"/api/v1/users/1/ratings/{taken}")

    def counted():
        return place.psql("SELECT count(*) FROM trivet.item_change WHERE rev > counted_rev") == "0"
    until(counted)
    after = {i["_id"]: (i["n"], i["mean"]) for i in items.find()}
    truth = place.psql("SELECT item_id, count(*), avg(value) FROM trivet.rating GROUP BY 1")
    for item, n, mean in (line.split("|") for line in truth.splitlines()):
        assert after[int(item)] == (int(n), pytest.approx(float(mean), abs=1e-12))
    assert after[10][0] == before[10][0] + 2 and after[900] == (2, 2.0) and after[taken][0] == before[taken][0] - 1
    assert {i for i in before if before[i] != after[i]} == {10, 900, taken}
    for each in (server, other):  # and what servers know of items, whoever counted
        until(lambda: each.get("/api/v1/items/10").json()["count"] == after[10][0], 40)


def test_the_popular_list_follows(server, place):
    def popular():
        return [(i["id"], i["score"]) for i in server.get("/recs?user_id=9999&top=100").json()["items"]]
    before = dict(popular())
    last = min(before, key=before.get)
    for user in range(5000, 5045):
        server.send("PUT", f"/api/v1/users/{user}/ratings/{last}", 4)
    until(lambda: dict(popular())[last] == before[last] + 45, 40)
    assert popular()[0][0] == last


# --- what is refused ------------------------------------------------------------------------------------------


GOOD = {"movie_id": 40, "rating": 4}
BAD = [
    ([GOOD, {"movie_id": 80, "rating": 7}], 422, 2, "between 0.5 and 5"),
    ([GOOD, {"movie_id": 80, "rating": 0}], 422, 2, "between 0.5 and 5"),
    ([GOOD, {"movie_id": 81, "rating": 4}], 422, 2, "item 81"),
    ([GOOD, {"movie_id": 80, "rating": 4}, {"movie_id": "40", "rating": 1}], 422, 3, "entry 1"),
    ([GOOD, {"movie_id": 80}], 400, 2, "rating"),
    ([GOOD, {"rating": 4}], 400, 2, "movie_id"),
    ([GOOD, {"movie_id": 80.5, "rating": 4}], 400, 2, "movie_id"),
    ([GOOD, {"movie_id": "eighty", "rating": 4}], 400, 2, "movie_id"),
    ([GOOD, {"movie_id": "99999999999999999999", "rating": 4}], 400, 2, "movie_id"),
    ([GOOD, {"item_id": 80, "movie_id": 90, "rating": 4}], 400, 2, "differ"),
    ([GOOD, {"movie_id": 80, "rating": "good"}], 400, 2, "rating"),
    ([GOOD, {"movie_id": 80, "rating": "nan"}], 400, 2, "rating"),
    ([GOOD, {"movie_id": 80, "rating": True}], 400, 2, "rating"),
    ([GOOD, {"movie_id": 80, "rating": None}], 400, 2, "rating"),
    ([GOOD, 80], 400, 2, "object"),
    ([GOOD, [80, 4]], 400, 2, "object"),
    ([], 400, None, "list"),
    ({"movie_id": 40, "rating": 4}, 400, None, "list"),
    ("[]", 400, None, "list"),
    ([{"movie_id": i, "rating": 4} for i in range(1001)], 413, None, "1000"),
    (b"", 400, None, "no body"),
    (b"{", 400, None, "not JSON"),
    (b"movie_id=40&rating=4", 400, None, "not JSON"),
    (b'[{"movie_id": 99999999999999999999, "rating": 4}]', 400, None, "not JSON"),
    (b'[{"movie_id": 40, "rating": NaN}]', 400, None, "not JSON"),
    (b'[{"movie_id": 40, "rating": 1e999}]', 400, None, "not JSON"),
    (b'[{"movie_id": 40, "rating": 1, "rating": 2}]', 400, None, "not JSON"),
    (b"[" * 100_000 + b"]" * 100_000, 400, None, "not JSON"),
    (b'[{"movie_id": 40, "rating": 4}]\xff', 400, None, "not JSON"),
    (b"\x00" * 50, 400, None, "not JSON"),
    (b" " * (1 << 20) + b"[]", 413, None, "1 MiB"),
]


@pytest.mark.parametrize("path", ["/0/ratings", "/api/v1/users/0/ratings"])
def test_one_bad_entry_refuses_the_list_and_is_named(server, place, path):
    for body, status, entry, word in BAD:
        answer = server.send("POST", path, body)
        problem = answer.json()
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), (body, problem)
        assert problem.get("entry") == entry and word in problem["detail"], (str(body)[:100], problem)
        assert ("scale" in problem) == (status == 422 and "entry 1" not in word)
    assert server.send("POST", path, BAD[0][0]).json()["scale"] == {"low": 0.5, "high": 5}
    assert rows(place, 0) == {} and document(place, 0) is None
    assert place.psql("SELECT count(*) FROM trivet.user_change") == "0"


def test_the_largest_list_is_taken(server, run, place, ratings, tmp_path):
    with open(tmp_path / "movies.csv", "w") as f:
        f.write("movieId,title,genres\n" + "".join(f"{i},New {i},War\n" for i in range(5000, 6000)))
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,5000,3,9\n")
    run("trivet-etl", "load", "--append", tmp_path, env=place.env)  # films that no model knows
    answer = server.send("POST", "/7/ratings", [{"movie_id": i, "rating": 3} for i in range(5000, 6000)])
    assert answer.status == 200 and len(answer.json()) == 1000
    assert len(rows(place, 7)) >= 1000
    Live(place).check(place, 7)


def test_the_blog_s_ten_ratings(run, serve, fresh_stores, tmp_path):
    """The list that was rated from 1 to 10 while the data went from 0.5 to 5: refused, and halved accepted; with curl."""
    films = {260: 9, 1: 8, 16: 7, 25: 8, 32: 9, 335: 4, 379: 3, 296: 7, 858: 10, 50: 8}
    rng = random.Random(2)
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n" + "".join(f"{i},Film {i},Drama\n" for i in films))
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(
        f"{user},{film},{rng.choice([0.5, 1, 2.5, 4, 5])},9\n" for user in range(1, 40) for film in films))
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    run("trivet-train", "fit", "--factors", 4, env=fresh_stores.env)
    server = serve(fresh_stores)

    def post(divisor):
        file = tmp_path / "ratings.json"
        file.write_text(json.dumps([{"movie_id": film, "rating": value / divisor} for film, value in films.items()]))
        done = subprocess.run(["curl", "-sS", "-d", f"@{file}", f"{server.url}/0/ratings"], capture_output=True, text=True)
        return json.loads(done.stdout)
    problem = post(1)
    assert problem["status"] == 422 and problem["entry"] == 1 and problem["scale"] == {"low": 0.5, "high": 5}
    assert post(2) == [[0, film, value / 2] for film, value in films.items()]
    assert rows(fresh_stores, 0) == {film: value / 2 for film, value in films.items()}


# --- whoever writes a document, it is the same ----------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [("svd",), ("als", "--biases"), ("als-implicit", "--alpha", "2")], ids=lambda a: a[0])
def test_server_and_trainer_write_the_same_documents(run, serve, place, algorithm):
    """The item side is learned from ratings before CUTOFF alone, so two trainings have the same; users are folded in from
    all of theirs. The first gets its documents from a server, one rating after the other, the second from the trainer."""
    train = (*FIT, "--set", CUTOFF, "--algorithm", *algorithm)
    late = place.psql(f"SELECT user_id, item_id FROM trivet.rating WHERE rated_at > to_timestamp({LATE})").splitlines()
    late = [tuple(map(int, line.split("|"))) for line in late]
    run(*train, env=place.env)
    server, rng = serve(place), random.Random(1)
    for user, item in rng.sample(late, 40):
        if rng.random() < 0.3:
            assert server.send("DELETE", f"/api/v1/users/{user}/ratings/{item}").status == 200
        else:
            assert server.send("PUT", f"/api/v1/users/{user}/ratings/{item}", rng.choice([0.5, 1.5, 4.5])).status == 200
    for user in (0, -1, 500, 20, 21):
        films = rng.sample(sorted(set(range(10, 910, 10)) - set(rows(place, user))), 9)
        body = [{"movie_id": film, "rating": rng.choice([1, 2.5, 4])} for film in films]
        assert server.send("POST", f"/{user}/ratings", body).status == 200
    mine = {d["_id"]: blobs(d) for d in place.mongo_db().user_2.find()}
    run(*train, env=place.env)
    redis = place.redis_client()
    sides = [redis.get("trivet:model:{%d}:item_factors:0" % n) for n in (2, 3)]
    assert sides[0] == sides[1]
    theirs = {d["_id"]: blobs(d) for d in place.mongo_db().user_3.find()}
    assert len(mine) == 93 and mine == theirs


def test_a_source_of_one_s_own_is_what_users_are_folded_in_from(run, serve, place):
    place.psql("CREATE VIEW high AS SELECT userid, movieid, rating FROM trivet.evidence() WHERE rating >= 3; "
               "GRANT SELECT ON high TO trivet_reader")
    run("trivet-train", "fit", "--source", "high", "--factors", 4, env=place.env)
    server = serve(place)
    answer = server.send("POST", "/0/ratings", [{"movie_id": 20, "rating": 4}, {"movie_id": 30, "rating": 1}])
    assert answer.status == 200
    assert [i["id"] for i in server.get("/api/v1/users/0").json()["items"]] == [20]
    assert document(place, 0)["_id"] == 0 and document(place, 0)["rev"] == 1


def test_conditions_on_rows_hold_for_live_ratings_too(run, serve, place):
    run(*FIT, "--set", "min_rating=2.5", env=place.env)
    server = serve(place)
    server.send("POST", "/0/ratings", [{"movie_id": 20, "rating": 4}, {"movie_id": 30, "rating": 1}])
    assert [i["id"] for i in server.get("/api/v1/users/0").json()["items"]] == [20]


def test_users_and_items_with_codes(run, serve, fresh_stores, tmp_path):
    rng = random.Random(3)
    films = [f"tt-{i:03d}" for i in range(40)]
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n" + "".join(f"{f},Film {f},Drama\n" for f in films))
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(
        f"user-{u},{film},{rng.randint(1, 5)},{u}\n" for u in range(60) for film in rng.sample(films, 15)))
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    run("trivet-train", "fit", "--factors", 4, env=fresh_stores.env)
    server = serve(fresh_stores)
    assert server.send("POST", "/new%20one/ratings", [{"movie_id": "tt-001", "rating": 9}]).status == 422
    assert fresh_stores.psql("SELECT trivet.user_id('new one')") == ""
    answer = server.send("POST", "/new%20one/ratings", [{"movie_id": "tt-001", "rating": 4}, {"movie_id": "tt-002", "rating": 1}])
    assert (answer.status, answer.json()) == (200, [["new one", "tt-001", 4], ["new one", "tt-002", 1]])
    assert server.get("/recs?user_id=new%20one").json()["reason"] == "folded_in"
    assert server.send("PUT", "/api/v1/users/user-5/ratings/tt-003", 2).json()["user_id"] == "user-5"
    assert server.send("DELETE", "/api/v1/users/new%20one/ratings/tt-002").status == 200
    problem = server.send("POST", "/user-5/ratings", [{"movie_id": "tt-999", "rating": 4}])
    assert problem.status == 422 and problem.json()["entry"] == 1
    assert [i["id"] for i in server.get("/api/v1/users/new%20one").json()["items"]] == ["tt-001"]
    assert fresh_stores.mongo_db().user.find_one({"code": "new one"})["n"] == 1
    Live(fresh_stores).check(fresh_stores, int(fresh_stores.psql("SELECT trivet.user_id('new one')")))


# --- while models are trained ---------------------------------------------------------------------------------


class Posting:
    """Rates at full speed on several connections until told to stop; every answer must be a success."""

    def __init__(self, server, users, films, threads=3):
        self.stop, self.answers = threading.Event(), []
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.work = [self.pool.submit(self.rate, server, users, films, seed) for seed in range(threads)]

    def rate(self, server, users, films, seed):
        rng, done = random.Random(seed), 0
        while not self.stop.is_set():
            user, film = rng.choice(users), rng.choice(films)
            if rng.random() < 0.2:
                status = server.send("DELETE", f"/api/v1/users/{user}/ratings/{film}").status
                assert status in (200, 404), status
            else:
                status = server.send("PUT", f"/api/v1/users/{user}/ratings/{film}", rng.choice([0.5, 2, 3.5, 4.5])).status
                assert status == 200, status
            done += 1
        return done

    def end(self):
        self.stop.set()
        return sum(work.result() for work in self.work)


def test_ten_trainings_lose_nothing(run, serve, place):
    server = serve(place)
    users = [*range(1, 91), *range(1000, 1030), 0]
    posting = Posting(server, users, list(range(10, 910, 10)))
    for factors in (3, 4, 5, 6, 7, 3, 4, 5, 6, 7):
        run("trivet-train", "fit", "--set", "max_items_for_user=60", "--factors", factors, env=place.env)
    run("trivet-train", "rollback", env=place.env)  # back to a model that has not seen the last ones
    assert posting.end() > 200
    until(lambda: place.psql("SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev") == "0")
    live = Live(place)
    assert live.number == 10
    there = {d["_id"] for d in place.mongo_db().user.find({"n": {"$gt": 0}}, {"_id": 1})}
    rated = place.psql("SELECT DISTINCT user_id FROM trivet.rating").splitlines()
    assert there == {int(user) for user in rated}
    for user in there:
        live.check(place, user)
    for user in random.Random(1).sample(sorted(there), 20):
        assert {i["id"]: i["rating"] for i in server.get(f"/api/v1/users/{user}").json()["items"]} == rows(place, user)
    until(lambda: place.psql("SELECT count(*) FROM trivet.item_change WHERE rev > counted_rev") == "0")
    counts = place.psql("SELECT item_id, count(*) FROM trivet.rating GROUP BY 1 ORDER BY 1").splitlines()
    n = {i["_id"]: i["n"] for i in place.mongo_db().item.find({"n": {"$gt": 0}})}
    assert n == {int(item): int(count) for item, count in (line.split("|") for line in counts)}


def test_a_live_rating_is_reason_enough_to_train_again(run, server, place):
    again = (*FIT, "--if-changed")
    run(*again, env=place.env)
    assert place.psql("SELECT max(id) FROM trivet.run") == "1"
    for change in (lambda: server.send("PUT", "/api/v1/users/1/ratings/900", 4),
                   lambda: server.send("DELETE", f"/api/v1/users/2/ratings/{next(iter(rows(place, 2)))}")):
        before = place.psql("SELECT max(id) FROM trivet.run")
        assert change().status == 200
        run(*again, env=place.env)
        assert place.psql("SELECT max(id) FROM trivet.run") != before


def test_loads_meanwhile_lose_nothing(run, serve, place, ratings):
    server = serve(place)
    posting = Posting(server, list(range(1, 40)), list(range(10, 910, 10)))
    for _ in range(4):
        run("trivet-etl", "load", ratings, env=place.env)
    assert posting.end() > 50
    assert place.psql("SELECT count(*) FROM (SELECT FROM trivet.rating GROUP BY user_id, item_id HAVING count(*) > 1) twice") == "0"
    assert int(place.psql("SELECT count(*) FROM trivet.rating_live")) > 30
    until(lambda: place.psql("SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev") == "0")
    run(*FIT, env=place.env)
    live = Live(place)
    for user in range(1, 91):
        live.check(place, user)


@pytest.mark.parametrize("moment", ["publish", "view"])
def test_a_training_killed_around_the_switch_leaves_it_to_repair(run, server, place, moment):
    """What a killed `activate` has not folded in, the next command does."""
    run(*FIT, env=place.env)
    server_answer = server.send("POST", "/0/ratings", [{"movie_id": 20, "rating": 4}])
    assert server_answer.json() == [[0, 20, 4]]
    # As a kill leaves it: the journal says activating, Redis shows the older model or the newer one.
    place.psql("UPDATE trivet.run SET state = 'kept' WHERE state = 'live'; UPDATE trivet.run SET state = 'activating' WHERE id = 1")
    place.redis_client().set("trivet:live", 1 if moment == "view" else 2)
    assert document(place, 0, 1) is None
    run("trivet-train", "repair", env=place.env)
    if moment == "view":
        assert document(place, 0, 1)["rev"] == 1
        assert place.psql("SELECT id FROM trivet.run WHERE state = 'live'") == "1"
    run("trivet-train", "activate", 1, env=place.env)
    Live(place).check(place, 0)


# --- while stores are away ------------------------------------------------------------------------------------


@pytest.fixture
def own(run, private_stores, ratings):
    run("trivet-etl", "load", ratings, env=private_stores.env)
    run(*FIT, env=private_stores.env)
    return private_stores


def test_postgres_away_is_503_and_nothing_is_half_done(serve, own):
    server = serve(own)
    assert server.send("POST", "/0/ratings", [{"movie_id": 20, "rating": 4}]).status == 200
    own.postgres.kill()
    for method, path, body in (("POST", "/0/ratings", [{"movie_id": 30, "rating": 4}]),
                               ("PUT", "/api/v1/users/0/ratings/30", 4), ("DELETE", "/api/v1/users/0/ratings/20", None)):
        answer = server.send(method, path, body)
        assert answer.status == 503 and answer.headers["Retry-After"] == "1" and "PostgreSQL" in answer.json()["detail"]
    assert server.get("/recs?user_id=0").json()["reason"] == "folded_in"  # reading goes on
    own.postgres.start()
    assert rows(own, 0) == {20: 4}
    until(lambda: server.send("POST", "/0/ratings", [{"movie_id": 30, "rating": 4}]).status == 200)
    Live(own).check(own, 0)


def test_postgres_that_hangs_is_503_too(serve, own):
    server = serve(own)
    own.postgres.pause()
    try:
        assert server.send("POST", "/0/ratings", [{"movie_id": 30, "rating": 4}], timeout=30).status == 503
        assert server.get("/recs?user_id=1").status == 200
    finally:
        own.postgres.resume()


def test_mongo_away_the_rating_is_safe_and_counts_later(serve, own):
    server = serve(own)
    assert server.get("/recs?user_id=0").json()["reason"] == "popular"
    own.mongo.kill()
    answer = server.send("POST", "/0/ratings", [{"movie_id": 20, "rating": 4}])
    assert (answer.status, answer.json()) == (202, [[0, 20, 4]])
    later = server.send("PUT", "/api/v1/users/0/ratings/40", 3.5)
    assert (later.status, later.json()["counts"], later.json()["model"]) == (202, "later", None)
    assert rows(own, 0) == {20: 4, 40: 3.5}
    own.mongo.start()
    until(lambda: own.psql("SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev") == "0")
    Live(own).check(own, 0)
    until(lambda: server.get("/recs?user_id=0").json().get("reason") == "folded_in")


def test_redis_away_the_rating_is_safe_and_counts_later(serve, own):
    server = serve(own)
    own.redis.kill()
    assert server.send("POST", "/0/ratings", [{"movie_id": 20, "rating": 4}]).status == 202
    own.redis.start()
    until(lambda: own.psql("SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev") == "0")
    Live(own).check(own, 0)


def test_a_killed_server_s_ratings_are_folded_in_by_the_next(serve, place):
    """Between commit and fold: the rating is committed as trivet.rate does it, and nobody folds it in."""
    place.psql("SELECT trivet.rate(0, '{20}', '{4}')")
    assert document(place, 0) is None
    server = serve(place)
    until(lambda: document(place, 0))
    Live(place).check(place, 0)
    assert server.get("/recs?user_id=0").json()["reason"] == "folded_in"


def test_servers_killed_while_they_write_lose_nothing(serve, place):
    posted = {}
    for attempt in range(4):
        server = serve(place)
        timer = threading.Timer(0.3, server.kill)
        timer.start()
        for number in range(10_000):
            user, film = 3000 + number % 7, 10 * (1 + (number + attempt) % 80)
            try:
                if server.send("PUT", f"/api/v1/users/{user}/ratings/{film}", 4).status in (200, 202):
                    posted.setdefault(user, set()).add(film)
            except OSError:
                break
        timer.join()
    serve(place)
    until(lambda: place.psql("SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev") == "0")
    live = Live(place)
    assert sum(map(len, posted.values())) > 20
    for user, films in posted.items():
        assert films <= set(rows(place, user))
        live.check(place, user)


def test_repair_folds_in_who_waits(run, place):
    place.psql("SELECT trivet.rate(0, '{20}', '{4}')")
    done = run("trivet-train", "repair", env=place.env)
    assert "folded in 1 users" in done.stderr
    Live(place).check(place, 0)
    assert place.psql("SELECT folded_rev FROM trivet.user_change") == "1"


def test_an_older_change_does_not_undo_a_newer_one(server, place):
    server.send("POST", "/0/ratings", [{"movie_id": 20, "rating": 4}])
    place.mongo_db().user_1.update_one({"_id": 0}, {"$set": {"rev": 9}})
    place.psql("UPDATE trivet.user_change SET folded_rev = 0")
    time.sleep(1)
    assert document(place, 0)["rev"] == 9
