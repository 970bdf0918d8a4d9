"""A notebook with the real Python packages reads what trivet wrote, and comes to the server's own answers."""

import numpy
import pymongo
import pytest
import redis

from blobs import decode

USERS = 100
TOP = 15


@pytest.fixture(scope="module")
def mongo(served, mongo_uri):
    with pymongo.MongoClient(mongo_uri) as client:
        yield client


@pytest.fixture(scope="module")
def item_factors(served, redis_uri):
    return decode(redis.Redis.from_url(redis_uri).get("item_factors"))


@pytest.fixture(scope="module")
def item_ids(served, redis_uri):
    client = redis.Redis.from_url(redis_uri)
    live = client.get("trivet:live").decode()
    parts = int(client.hget(f"trivet:model:{{{live}}}", "parts"))
    return numpy.concatenate([decode(client.get(f"trivet:model:{{{live}}}:item_ids:{p}")) for p in range(parts)])


def test_arrays_are_as_documented(mongo, item_factors, item_ids):
    k, n = item_factors.shape
    assert item_factors.dtype == numpy.float16 and k == 50
    assert item_ids.dtype == numpy.int64 and item_ids.shape == (n,) and (numpy.diff(item_ids) > 0).all()
    user = mongo.recsys.user.find_one({"id": 100})
    assert decode(user["value"]).dtype == numpy.float16 and decode(user["value"]).shape == (k,)
    assert decode(user["seen"]).dtype == numpy.int32 and decode(user["rated"]).dtype == numpy.int64
    assert decode(user["ratings"]).dtype == numpy.float32 and len(decode(user["ratings"])) == user["n"]
    assert set(item_ids[decode(user["seen"])]) <= set(decode(user["rated"]))


def ranking(user, item_factors, item_ids):
    """The snippet of the documentation, then the mask: [(item id, score)], best first, ties by item id."""
    scores = decode(user["value"]).astype("f4") @ item_factors.astype("f4")
    scores[decode(user["seen"])] = -numpy.inf
    order = numpy.lexsort((item_ids, -scores.astype("f8")))[:TOP]
    return [(int(item_ids[i]), float(scores[i])) for i in order]


def test_scores_equal_the_servers(served, mongo, item_factors, item_ids):
    users = list(mongo.recsys.user.find({"id": {"$ne": None}}).sort("id", 1).limit(USERS))
    assert len(users) == USERS
    for user in users:
        expected = ranking(user, item_factors, item_ids)
        answer = served.get(f"/api/v1/recs?user_id={user['_id']}&top={TOP}").json()
        assert answer["reason"] == "personal"
        scores = [item["score"] for item in answer["items"]]
        # float32 here, float64 there: 50 products of at most a few units each differ by less than this.
        assert scores == pytest.approx([score for _, score in expected], abs=2e-5)
        assert same_order([item["id"] for item in answer["items"]], expected)


def same_order(ids, expected):
    """Equal rankings, where items closer together than float32 can tell may have changed places."""
    score = dict(expected)
    if set(ids) != set(score):
        return False
    return all(score[b] - score[a] < 2e-5 for a, b in zip(ids, ids[1:]))


def test_every_dense_row_has_one_user(served, mongo):
    ids = sorted(user["id"] for user in mongo.recsys.user.find({"id": {"$ne": None}}, {"id": 1}))
    assert ids == list(range(len(ids))) and len(ids) >= USERS
