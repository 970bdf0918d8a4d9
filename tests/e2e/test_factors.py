"""The numbers in the stores, recomputed here with numpy and scipy from the ratings alone.

On ml-latest-small where it is at hand, and on a generated set everywhere.
"""

import collections
import csv
import math
import random

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

from blobs import decode


class Trained:
    """One set, loaded and trained, with everything that is stored."""

    def __init__(self, run, place, folder, *arguments):
        self.place = place
        run("trivet-etl", "load", folder, env=place.env)
        run("trivet-train", "fit", *arguments, env=place.env)
        redis = place.redis_client()
        self.number = int(redis.get("trivet:live"))
        key = "trivet:model:{%d}:" % self.number
        self.factors = decode(redis.get(key + "item_factors:0"))  # (n, k) float16
        self.ids = decode(redis.get(key + "item_ids:0"))
        self.sigma = decode(redis.get(key + "singular_values"))
        self.users = {d["_id"]: d for d in place.mongo_db().user.find()}
        self.rows = [tuple(map(float, r.split("|"))) for r in place.psql(
            "SELECT userid, movieid, rating FROM trivet.evidence() ORDER BY 1, 2").splitlines()]

    def ratings_of_users(self):
        ratings = {}
        for user, item, value in self.rows:
            ratings.setdefault(int(user), []).append((int(item), value))
        return ratings


@pytest.fixture(scope="module")
def generated(run, servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated") / "set"
    run("trivet-etl", "synth", folder, "--users", 400, "--items", 300, "--ratings", 12000, "--seed", 3)
    return Trained(run, servers.place(), folder, "--set", "max_items_for_user=60", "--factors", 12)


@pytest.fixture(scope="module")
def movielens(run, servers, data_dir):
    return Trained(run, servers.place(), data_dir / "ml-latest-small", "--set", "max_items_for_user=200")


@pytest.fixture(params=["generated", "movielens"])
def trained(request):
    return request.getfixturevalue(request.param)


def test_every_document_is_the_fold_in_of_the_users_evidence(trained):
    """p = r I16 diag(1/sigma), added in float64 in the order of items, rounded once: bit for bit."""
    place_of = {int(i): n for n, i in enumerate(trained.ids)}
    items = trained.factors.astype(np.float64)
    scale = np.array([math.pow(s, -1.0) for s in trained.sigma])
    ratings = trained.ratings_of_users()
    assert set(ratings) == set(trained.users)
    for user, pairs in ratings.items():
        document = trained.users[user]
        total = np.zeros(items.shape[1])
        seen = [(place_of[i], np.float64(np.float32(v))) for i, v in pairs if i in place_of]
        for dense, value in seen:
            total += value * items[dense]
        assert decode(document["value"]).tobytes() == (total * scale).astype(np.float16).tobytes(), user
        assert decode(document["seen"]).tolist() == [dense for dense, _ in seen]
        assert decode(document["rated"]).tolist() == [i for i, _ in pairs]
        assert decode(document["ratings"]).tolist() == [np.float32(v) for _, v in pairs]
        assert document["n"] == len(pairs) and document["rev"] == 0


def training_matrix(trained):
    source = trained.place.psql(f"SELECT source FROM trivet.run WHERE id = {trained.number}")
    rows = [r.split("|") for r in trained.place.psql(f"SELECT userid, movieid, rating FROM {source}").splitlines()]
    users = np.unique([int(r[0]) for r in rows])
    items = np.unique([int(r[1]) for r in rows])
    matrix = scipy.sparse.csr_matrix(([float(r[2]) for r in rows], (np.searchsorted(users, [int(r[0]) for r in rows]),
                                      np.searchsorted(items, [int(r[1]) for r in rows]))))
    return users, items, matrix


def test_dense_ids_are_ranks_of_sorted_ids(trained):
    users, items, _ = training_matrix(trained)
    assert trained.ids.tolist() == items.tolist()
    rows = {d["id"]: user for user, d in trained.users.items() if d["id"] is not None}
    assert [rows[n] for n in range(len(rows))] == users.tolist()


def test_factors_are_those_of_the_best_approximation(trained):
    users, _, matrix = training_matrix(trained)
    k = len(trained.sigma)
    u, sigma, v = scipy.sparse.linalg.svds(matrix, k=k, tol=0)
    assert np.allclose(np.sort(sigma)[::-1], trained.sigma, rtol=1e-5)
    best = (u * sigma) @ v
    ours = np.array([decode(trained.users[int(user)]["value"]) for user in users]).astype(float) @ trained.factors.astype(float).T
    assert np.abs(ours - best).max() < 0.02  # two float16 sides: 2 x 2^-11 of values up to about 6, and what rounding I costs
    error, least = np.linalg.norm(matrix - ours), np.linalg.norm(matrix - best)
    assert error < least * 1.0005


def test_threads_and_repetition_change_no_byte(run, trained):
    place, redis = trained.place, trained.place.redis_client()
    source = place.psql(f"SELECT command FROM trivet.run WHERE id = {trained.number}").split(" ", 2)[2]
    arguments = [a.strip("'") for a in source.split()]

    def bytes_of(number):
        keys = ("item_factors:0", "item_ids:0", "singular_values")
        users = {d["_id"]: {k: v for k, v in d.items()} for d in place.mongo_db()[f"user_{number}"].find()}
        return [redis.get("trivet:model:{%d}:%s" % (number, key)) for key in keys], users

    first = bytes_of(trained.number)
    for threads in (1, 2):
        run("trivet-train", "fit", *arguments, "--threads", threads, env=place.env)
        assert bytes_of(int(redis.get("trivet:live"))) == first, threads


def ranking(trained, user):
    """Every item of the model the user has not seen, best first, ties by id: in float64 from what is stored."""
    document = trained.users[user]
    scores = trained.factors.astype(np.float64) @ decode(document["value"]).astype(np.float64)
    seen = np.zeros(len(scores), bool)
    seen[decode(document["seen"])] = True
    order = np.lexsort((trained.ids, -scores))
    return [(int(trained.ids[i]), scores[i]) for i in order if not seen[i]]


def test_the_servers_lists_equal_a_brute_force_ranking(trained, serve):
    """All users, top 1, 15 and 100: no seen item, no duplicate, exactly top."""
    server = serve(trained.place)
    for user in trained.users:
        expected = ranking(trained, user)
        for top in (1, 15, 100):
            answer = server.get(f"/api/v1/recs?user_id={user}&top={top}&model={trained.number}").json()
            got = [(item["id"], item["score"]) for item in answer["items"]]
            assert answer["reason"] == ("folded_in" if trained.users[user]["id"] is None else "personal")
            assert [i for i, _ in got] == [i for i, _ in expected[:top]], (user, top)
            assert np.allclose([s for _, s in got], [s for _, s in expected[:top]], rtol=1e-6, atol=1e-9)


def test_user_item_equals_the_workshops_query(trained):
    """Join, then group, with the four values by string formatting: as it was written."""
    for values in ((10, 3, 50, 100000), (5, 20, 300, 1000000), (0, 0, 10**6, 10**7), (40, 10, 40, 100000)):
        query = """select r.userid, r.movieid, avg(r.rating)::real from ratings r
            join (select movieid from ratings group by 1 having count(*) > %d) i using (movieid)
            join (select userid from ratings group by 1 having count(*) between %d and %d) u using (userid)
            group by 1, 2 limit %d""" % values
        ours = "select * from trivet.user_item(%d, %d, %d, %d)" % values
        assert trained.place.psql(f"select count(*) from (({query}) except ({ours})) x") == "0"
        assert trained.place.psql(f"select count(*) from (({ours}) except ({query})) x") == "0"
        assert trained.place.psql(f"select count(*) from ({query}) x") == trained.place.psql(f"select count(*) from ({ours}) x")


def both_ways(run, place, *settings):
    """Item factors and ids of two models. A condition that excludes nothing (rated_until far ahead) makes the trainer
    read the source's own rows instead of counting and picking them itself."""
    redis, models = place.redis_client(), []
    for more in ([], ["--set", "rated_until=2999-01-01"]):
        run("trivet-train", "fit", *settings, *more, env=place.env)
        number = int(redis.get("trivet:live"))
        models.append([redis.get("trivet:model:{%d}:%s" % (number, key)) for key in ("item_factors:0", "item_ids:0")])
    return models


def test_both_ways_of_reading_give_the_same_model(run, trained):
    one, other = both_ways(run, trained.place, "--set", "max_items_for_user=100", "--set", "max_row_number=4000", "--factors", 8)
    assert one == other


def test_both_ways_count_rows_not_pairs(run, fresh_stores, tmp_path):
    """Pairs that stand several times: a cut of 12 rows lies between pairs and rows of many users and items."""
    chance = random.Random(3)
    rows = [(u, i, chance.randint(1, 5), t) for u in range(60) for i in range(40) if chance.random() < 0.25
            for t in range(chance.choice([1, 1, 1, 2, 3]))]
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(
        f"{u},{i},{r},{1000 + t}\n" for u, i, r, t in rows))
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    settings = ["min_users_for_item=18", "min_items_for_user=12", "max_items_for_user=18"]
    one, other = both_ways(run, fresh_stores, *(w for s in settings for w in ("--set", s)), "--factors", 4)
    kept = {i for i, n in collections.Counter(i for _, i, _, _ in rows).items() if n > 18}
    assert one == other and 0 < len(kept) < 40
    assert set(decode(one[1]).tolist()) <= kept


def test_titles_of_the_file_reach_mongodb(movielens, data_dir):
    with open(data_dir / "ml-latest-small/movies.csv", newline="", encoding="utf-8") as f:
        listed = {int(r["movieId"]): r for r in csv.DictReader(f)}
    stored = {d["_id"]: d for d in movielens.place.mongo_db().item.find()}
    assert set(stored) == set(listed)
    assert stored[858]["title"] == "The Godfather (1972)" and stored[858]["imdb_id"] == "tt0068646"
    for number, row in listed.items():
        genres = [] if row["genres"] == "(no genres listed)" else row["genres"].split("|")
        assert stored[number]["genres"] == genres
