"""What trivet-serve answers to questions: filtered lists, ETags; each number recomputed here from what the stores hold."""

import random
import urllib.parse

import numpy as np
import pytest

from blobs import decode, encode
from server import until


class Model:
    """A model as the stores hold it."""

    def __init__(self, place, number=None):
        redis, self.mongo = place.redis_client(), place.mongo_db()
        self.number = number or int(redis.get("trivet:live"))
        key = "trivet:model:{%d}" % self.number
        self.factors = decode(redis.get(key + ":item_factors:0")).astype("f8")
        self.ids = decode(redis.get(key + ":item_ids:0"))
        self.items = {item["_id"]: item for item in self.mongo.item.find()}
        self.counts = np.array([self.items[int(i)]["n"] for i in self.ids], dtype="f8")

    def users(self):
        return list(self.mongo[f"user_{self.number}"].find())

    def user(self, user_id):
        return self.mongo[f"user_{self.number}"].find_one({"_id": user_id})

    def order(self, user):
        """All items of the model, best first, as dense ids; of somebody unknown those most rated first."""
        scores = self.factors @ decode(user["value"]).astype("f8") if user else self.counts
        return np.lexsort((self.ids, -scores))


@pytest.fixture(scope="module")
def model(served):
    return Model(served.stores)


# --- filters --------------------------------------------------------------------------------------------------------


def random_filter(rng, model):
    """Parameters of a request, as pairs."""
    genres = sorted({genre for item in model.items.values() for genre in item["genres"] or []})
    asked = []
    for name, chance, most in (("genre", 0.5, 3), ("not_genre", 0.2, 2), ("genre!", 0.1, 1)):
        if rng.random() < chance:
            asked += [(name, genre) for genre in rng.sample(genres, rng.randint(1, most))]
    if rng.random() < 0.4:
        asked.append(("year_from", rng.randint(1930, 2010)))
    if rng.random() < 0.4:
        asked.append(("year_to", rng.randint(max([1930, *(year for name, year in asked if name == "year_from")]), 2018)))
    if rng.random() < 0.4:
        asked.append(("min_count", rng.choice([0, 12, 25, 60, 100, 400])))
    if rng.random() < 0.3:
        asked.append(("exclude", ",".join(str(rng.choice(model.ids)) for _ in range(rng.randint(1, 40)))))
    if rng.random() < 0.3:
        asked.append(("seen", rng.choice(["include", "exclude"])))
    return asked


def removed_by(item_id, item, seen, asked):
    """The first filter that removes an item, or None."""
    of = {}
    for name, value in asked:
        of.setdefault("not_genre" if name == "genre!" else name, []).append(value)
    genres, year = set(item["genres"] or []), item["year"]
    if item_id in seen and of.get("seen") != ["include"]:
        return "seen"
    if str(item_id) in ",".join(of.get("exclude", [])).split(","):
        return "exclude"
    if "genre" in of and not genres & set(of["genre"]):
        return "genre"
    if genres & set(of.get("not_genre", [])):
        return "not_genre"
    if ("year_from" in of or "year_to" in of) and not (
            year and of.get("year_from", [0])[0] <= year <= of.get("year_to", [9999])[0]):
        return "year"
    return "min_count" if item["n"] < of.get("min_count", [0])[0] else None


def test_a_thousand_filtered_lists_equal_a_loop_over_the_full_ranking(served, model):
    rng = random.Random(6)
    users, empty, popular = model.users(), 0, 0
    for _ in range(1000):
        user = rng.choice(users) if rng.random() < 0.9 else None
        asked, top = random_filter(rng, model), rng.choice([1, 15, 100, 1000])
        path = "/api/v1/recs?" + urllib.parse.urlencode(
            [("user_id", user["_id"] if user else -5), ("top", top), *asked])
        body = served.get(path).json()
        rated = user is not None and np.any(decode(user["value"]))
        seen = set(decode(user["rated"]).tolist()) if user else set()
        expected, removed = [], dict.fromkeys(("seen", "exclude", "genre", "not_genre", "year", "min_count"), 0)
        for item_id in model.ids[model.order(user if rated else None)].tolist():
            why = removed_by(item_id, model.items[item_id], seen, asked)
            if why:
                removed[why] += 1
            else:
                expected.append(item_id)
        assert [item["id"] for item in body["items"]] == expected[:top], path
        assert body["reason"] == ("popular" if not rated else "folded_in" if user["id"] is None else "personal")
        if "eligible" in body:
            assert (body["eligible"], body["removed"]) == (len(expected), removed), path
        else:
            assert not asked or {name for name, _ in asked} <= {"seen", "min_count"}
        empty, popular = empty + (not expected), popular + (body["reason"] == "popular")
    assert empty > 10 and popular > 50


def test_a_filter_that_leaves_nothing_says_so(served, model):
    body = served.get("/recs?user_id=10&min_count=1000000").json()
    assert body["items"] == [] and body["eligible"] == 0 and body["reason"] in ("personal", "folded_in")
    assert body["removed"]["min_count"] + body["removed"]["seen"] == len(model.ids)


def test_an_unknown_genre_names_the_nearest(served):
    answer = served.get("/recs?user_id=10&genre=Commedy")
    assert (answer.status, answer.json()["parameter"]) == (400, "genre")
    assert answer.json()["hint"] == "did you mean Comedy?"
    assert "Drama" in served.get("/recs?user_id=10&not_genre=Telenovela").json()["hint"]


# --- ETags ----------------------------------------------------------------------------------------------------------


def test_an_answer_that_did_not_change_is_not_sent_again(served):
    path = "/api/v1/recs?user_id=10&top=5"
    first = served.get(path)
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = served.get(path, if_none_match=etag)
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    assert served.get(path, if_none_match=f'"x", W/{etag}').status == 304
    assert served.get(path, if_none_match='"x"').status == 200
    assert served.get("/api/v1/recs?user_id=11&top=5", if_none_match=etag).status == 200
    assert served.get("/api/v1/recs?user_id=10&top=5&min_count=50", if_none_match=etag).status == 200
    assert served.get("/healthz").headers["ETag"] is None


def test_a_changed_document_and_a_changed_model_change_the_etag(serve, run, fresh_stores, tmp_path):
    run("trivet-etl", "synth", tmp_path / "set", "--users", 60, "--items", 50, "--ratings", 1200, env=fresh_stores.env)
    run("trivet-etl", "load", tmp_path / "set", env=fresh_stores.env)
    run("trivet-train", "fit", "--factors", 4, env=fresh_stores.env)
    server = serve(fresh_stores)
    user = Model(fresh_stores).users()[0]
    path = f"/api/v1/recs?user_id={user['_id']}"
    etag = server.get(path).headers["ETag"]
    flipped = bytes(decode(user["value"]).view("u1") ^ np.tile([0, 0x80], 4).astype("u1"))
    blob = encode(np.frombuffer(flipped, "<f2"))
    fresh_stores.mongo_db().user_1.update_one({"_id": user["_id"]}, {"$set": {"value": blob, "rev": 1}})
    until(lambda: server.get(path, if_none_match=etag).status == 200)
    etag = server.get(path).headers["ETag"]
    run("trivet-train", "fit", "--factors", 5, env=fresh_stores.env)
    until(lambda: server.get(path, if_none_match=etag).status == 200)


# --- items ----------------------------------------------------------------------------------------------------------


def test_an_item_with_all_its_metadata(served, model):
    for item_id in [int(model.ids[0]), next(i for i in model.items if i not in set(model.ids.tolist()))]:
        document, body = model.items[item_id], served.get(f"/api/v1/items/{item_id}").json()
        assert (body["id"], body["title"], body["year"]) == (item_id, document["title"], document["year"])
        assert (body["count"], body["genres"]) == (document["n"], document["genres"] or [])
        assert body["mean"] == pytest.approx(document["mean"]) if document["n"] else body["mean"] is None
        assert (body["model"], body["in_model"]) == (model.number, item_id in model.ids)
        known = {"_id", "title", "year", "genres", "n", "mean", "code"}
        assert body["metadata"] == {k: v for k, v in document.items() if k not in known and v is not None}
    assert served.get("/api/v1/items/-7").status == 404


def test_titles_are_found_without_case_and_accents(served, model):
    def found(q):
        return served.get("/api/v1/items?" + urllib.parse.urlencode({"q": q, "top": 100})).json()

    words = {i: set("".join(c if c.isalnum() else " " for c in item["title"].lower().replace("'", "")).split())
             for i, item in model.items.items() if item["title"].isascii()}
    for q in ("star wars", "The", "1995", "lion king"):
        expected = {i for i, of in words.items() if all(any(w.startswith(p) for w in of) for p in q.lower().split())}
        body = found(q)
        ids = [item["id"] for item in body["items"]]
        ascii_ids = {i for i in ids if model.items[i]["title"].isascii()}
        assert ascii_ids <= expected and (expected == ascii_ids or body["found"] >= len(expected)), q
    assert [item["id"] for item in found("AMELIE")["items"]] == [item["id"] for item in found("amélie")["items"]] != []
    assert found("nosuchword") == {"model": model.number, "found": 0, "items": []}


def test_similar_items_are_the_nearest_directions(served, model):
    directions = model.factors / np.linalg.norm(model.factors, axis=1, keepdims=True)
    for item in range(0, len(model.ids), 40):
        cosines = directions @ directions[item]
        cosines[item] = -2
        order = np.lexsort((model.ids, -cosines))[:10]
        body = served.get(f"/api/v1/items/{model.ids[item]}/similar").json()
        assert [found["id"] for found in body["items"]] == model.ids[order].tolist()
        assert np.allclose([found["score"] for found in body["items"]], cosines[order], rtol=0, atol=1e-12)
    unlearned = next(i for i in model.items if i not in set(model.ids.tolist()))
    body = served.get(f"/api/v1/items/{unlearned}/similar").json()
    assert body["in_model"] is False and body["items"] == []
