"""Whatever is lost or damaged in a store: repair brings it back, or says what is lost, and says so only when it has looked."""

import json
import random

import pytest

from rating_sets import like_movielens

FIT = ("trivet-train", "fit", "--set", "max_items_for_user=60", "--factors", 5)
REPAIR = ("trivet-train", "repair")


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """60 users and 40 films, numbered by tens; one film more that nobody rated."""
    rng = random.Random(11)
    return like_movielens(
        tmp_path_factory.mktemp("repair") / "ratings",
        ((user, film * 10, 4.5 if film % 3 == user % 3 else rng.choice([0.5, 2, 5]), 1_000_000 + film)
         for user in range(1, 61) for film in sorted(rng.sample(range(1, 41), rng.randint(8, 20)))),
        ((film * 10, f"Film {film} ({1950 + film})", "Drama") for film in range(1, 42)))


def rate(place, user, item, value):
    place.psql(f"SELECT trivet.rate({user}, '{{{item}}}', '{{{value}}}')")


def counted(place):
    """{item: (n, mean)} as MongoDB has it."""
    return {item["_id"]: (item["n"], item["mean"]) for item in place.mongo_db().item.find()}


def counts(place):
    """The same as Postgres counts it."""
    lines = place.psql("SELECT i.item_id, count(r.*), avg(r.value) FROM trivet.item i LEFT JOIN trivet.rating r USING (item_id) "
                       "GROUP BY 1").splitlines()
    return {int(item): (int(n), float(mean) if mean else None) for item, n, mean in (line.split("|") for line in lines)}


# --- what is noted as done is done ----------------------------------------------------------------------------


def test_counts_survive_a_killed_mongod(run, private_stores, ratings):
    """Postgres notes counts as written only once MongoDB has them in its journal, which here is written every half second."""
    mongo = private_stores.mongo
    usual = mongo.command()
    mongo.command = lambda: [*usual, "--journalCommitInterval", "500"]
    mongo.restart()
    run("trivet-etl", "load", ratings, env=private_stores.env)
    run(*FIT, env=private_stores.env)
    for turn in range(3):
        for user in range(1, 31):
            rate(private_stores, user, 10 * (user + turn), 1 + (user + turn) % 4)
        run(*REPAIR, env=private_stores.env)
        mongo.kill()
        mongo.start()
        assert private_stores.psql("SELECT count(*) FROM trivet.item_change WHERE rev > counted_rev") == "0"
        assert counted(private_stores) == counts(private_stores), turn


# --- what is damaged is mended --------------------------------------------------------------------------------


@pytest.fixture
def place(run, fresh_stores, ratings):
    """Three models, the last one live, ratings that came live since, and all of them folded in."""
    run("trivet-etl", "load", ratings, env=fresh_stores.env)
    for factors in (3, 4):
        run(*FIT[:-1], factors, env=fresh_stores.env)
    run("trivet-train", "fit", "--algorithm", "als", "--factors", 3, env=fresh_stores.env)
    for user in (1, 2, 3, 500):
        rate(fresh_stores, user, 10 * (user % 40 + 1), 3)
        rate(fresh_stores, user, 50, 4)
    fresh_stores.psql("SELECT trivet.rate_as('ann', '{50,60}', '{4,2}')")
    run(*REPAIR, env=fresh_stores.env)
    return fresh_stores


def essence(collection, document):
    """What nothing else tells goes: how often a user's document was written, the row of a lost one, and microseconds."""
    if collection.startswith("user"):
        return {name: value for name, value in document.items() if name not in ("rev", "id")}
    return {name: round(value, 3) if name == "created_at" else value for name, value in document.items()}


def dump(place):
    """Everything that is stored: {what: how it stands there}."""
    db, redis = place.mongo_db(), place.redis_client()
    there = {"journal": place.psql("SELECT id, state FROM trivet.run ORDER BY 1")}
    for collection in db.list_collections():
        there["kind of " + collection["name"]] = collection["type"]
        for document in db[collection["name"]].find():
            there[collection["name"], document["_id"]] = essence(collection["name"], document)
    for key in redis.keys("*"):
        if redis.type(key) == b"hash":
            there[key] = {k: json.loads(v) if k == b"description" else v for k, v in redis.hgetall(key).items()}
        elif key != b"trivet:last_run":
            there[key] = redis.get(key)
    return there


KEY = "trivet:model:{%d}"


def flip(place, model, document, field):
    """One bit of a stored blob."""
    found = place.mongo_db()[f"model_{model}"].find_one({"_id": document})
    damaged = bytearray(found[field])
    damaged[len(damaged) // 2] ^= 1
    place.mongo_db()[f"model_{model}"].update_one({"_id": document}, {"$set": {field: bytes(damaged)}})


def damage_user(place, user):
    value = bytearray(place.mongo_db().user_3.find_one({"_id": user})["value"])
    value[0] ^= 0x40
    place.mongo_db().user_3.update_one({"_id": user}, {"$set": {"value": bytes(value)}})


def exchange(place, user, field, other, *more):
    """Fields of a document are those of another user's: nothing in it is damaged."""
    found = place.mongo_db().user_3.find_one({"_id": other})
    place.mongo_db().user_3.update_one({"_id": user}, {"$set": {name: found[name] for name in (field, *more)}})


def replace_key(place, key, value=None):
    redis = place.redis_client()
    redis.delete(key)
    redis.lpush(key, "x") if value is None else redis.set(key, value)


def view_as_collection(place, name="user"):
    place.mongo_db().drop_collection(name)
    place.mongo_db().create_collection(name)


def catalogue_as_view(place):
    place.catalogue().drop()
    place.mongo_db().command("create", "catalogue_1", viewOn="user_3", pipeline=[])


DAMAGES = {
    "a user's document is gone, who rated live": lambda p: p.mongo_db().user_3.delete_one({"_id": 1}),
    "a user's document is gone, who is new": lambda p: p.mongo_db().user_3.delete_one({"_id": 500}),
    "a user's document is of an older rev": lambda p: p.mongo_db().user_3.update_one(
        {"_id": 2}, {"$set": {"rev": 1, "n": 0, "rated": p.mongo_db().user_3.find_one({"_id": 9})["rated"],
                              "ratings": p.mongo_db().user_3.find_one({"_id": 9})["ratings"]}}),
    "a user's document is of a newer rev": lambda p: p.mongo_db().user_3.update_one({"_id": 2}, {"$set": {"rev": 99}}),
    "a user's document is damaged": lambda p: damage_user(p, 3),
    "a user's document is damaged, who never rated live": lambda p: damage_user(p, 40),
    "a user's document has a text for a rev": lambda p: p.mongo_db().user_3.update_one({"_id": 3}, {"$set": {"rev": "x"}}),
    "a user's factors are others": lambda p: exchange(p, 40, "value", 41),
    "a user's factors are others, who rated live": lambda p: exchange(p, 3, "value", 41),
    "a user's ratings are another's": lambda p: exchange(p, 40, "n", 41, "rated", "ratings"),
    "a user's seen items are another's": lambda p: exchange(p, 40, "seen", 41),
    "a user's count of ratings is wrong": lambda p: p.mongo_db().user_3.update_one({"_id": 40}, {"$set": {"n": 7777}}),
    "a user has a code that nobody gave": lambda p: p.mongo_db().user_3.update_one({"_id": 40}, {"$set": {"code": "forty"}}),
    "a user has a reason for nothing": lambda p: p.mongo_db().user_3.update_one({"_id": 40}, {"$set": {"why": "so"}}),
    "a user with a code has another": lambda p: p.mongo_db().user_3.update_one({"code": "ann"}, {"$set": {"code": "bob"}}),
    "a user with a code has none": lambda p: p.mongo_db().user_3.update_one({"code": "ann"}, {"$unset": {"code": 1}}),
    "an item's count is wrong": lambda p: p.catalogue().update_one({"_id": 50}, {"$set": {"n": 1}}),
    "an item's mean is wrong": lambda p: p.catalogue().update_one({"_id": 50}, {"$set": {"mean": 1.5}}),
    "an item's count is wrong, never rated live": lambda p: p.catalogue().update_one({"_id": 390}, {"$set": {"n": 1}}),
    "an item's count is of an older rev": lambda p: p.catalogue().update_one({"_id": 50}, {"$set": {"rev": 1, "n": 7}}),
    "an item's count is of a newer rev": lambda p: p.catalogue().update_one({"_id": 50}, {"$set": {"rev": 99, "n": 7}}),
    "an item's document is gone": lambda p: p.catalogue().delete_one({"_id": 50}),
    "an item's document is gone, never rated": lambda p: p.catalogue().delete_one({"_id": 410}),
    "an item's title is another": lambda p: p.catalogue().update_one({"_id": 50}, {"$set": {"title": "Another"}}),
    "an item's title is no text": lambda p: p.catalogue().update_one({"_id": 400}, {"$set": {"title": 7}}),
    "an item's title is gone, never rated": lambda p: p.catalogue().update_one({"_id": 410}, {"$unset": {"title": 1}}),
    "an item's year is another": lambda p: p.catalogue().update_one({"_id": 60}, {"$inc": {"year": 1}}),
    "an item has a genre more": lambda p: p.catalogue().update_one({"_id": 70}, {"$push": {"genres": "Film-Noir"}}),
    "an item's genres are gone, and its count is wrong": lambda p: p.catalogue().update_one(
        {"_id": 50}, {"$unset": {"genres": 1}, "$set": {"n": 1}}),
    "an item has a field that nobody gave": lambda p: p.catalogue().update_one({"_id": 50}, {"$set": {"budget": 9}}),
    "all items have one title": lambda p: p.catalogue().update_many({}, {"$set": {"title": "The"}}),
    "an item's score is of another kind": lambda p: p.catalogue().update_one({"_id": 50}, {"$set": {"score_kind": "x"}}),
    "an item has a code that nobody gave": lambda p: p.catalogue().update_one({"_id": 50}, {"$set": {"code": "fifty"}}),
    "a document of an item that nobody knows": lambda p: p.catalogue().insert_one({"_id": 99, "title": "Unknown", "n": 0}),
    "all item documents are gone": lambda p: p.catalogue().drop(),
    "the view of the items is gone": lambda p: p.mongo_db().drop_collection("item"),
    "the view of the items shows another collection": lambda p: p.mongo_db().command("collMod", "item", viewOn="user_1", pipeline=[]),
    "the view of the items shows one": lambda p: p.mongo_db().command("collMod", "item", viewOn="catalogue_1", pipeline=[{"$match": {"_id": 50}}]),
    "an empty collection for the view of the items": lambda p: view_as_collection(p, "item"),
    "a view in the place of the item documents": lambda p: catalogue_as_view(p),
    "a catalogue that nobody finished": lambda p: p.mongo_db().catalogue_1_77.insert_one({"_id": 1, "title": "x"}),
    "a catalogue of a data set that is not there": lambda p: p.mongo_db().catalogue_99.insert_one({"_id": 1, "title": "x"}),
    "a kept model does not say its data set, in MongoDB": lambda p: p.mongo_db().model_2.update_one(
        {"_id": "description"}, {"$unset": {"dataset": 1}}),
    "a kept model does not say its data set, in Redis": lambda p: p.redis_client().hdel(KEY % 1, "dataset"),
    "the live model says another data set": lambda p: p.redis_client().hset(KEY % 3, "dataset", "7"),
    "the view is gone": lambda p: p.mongo_db().drop_collection("user"),
    "the view shows another model": lambda p: p.mongo_db().command("collMod", "user", viewOn="user_1", pipeline=[]),
    "the view shows one user": lambda p: p.mongo_db().command("collMod", "user", viewOn="user_3", pipeline=[{"$match": {"_id": 1}}]),
    "the journal has forgotten which model is live": lambda p: p.psql("UPDATE trivet.run SET state = 'kept' WHERE id = 3"),
    "an empty collection for the view": view_as_collection,
    "Redis is empty": lambda p: p.redis_client().flushdb(),
    "the live key is gone": lambda p: p.redis_client().delete("trivet:live"),
    "the live key is a list": lambda p: replace_key(p, "trivet:live"),
    "the live key is no number": lambda p: replace_key(p, "trivet:live", "three"),
    "the live key names another model": lambda p: replace_key(p, "trivet:live", "1"),
    "the notebooks' array is gone": lambda p: p.redis_client().delete("item_factors"),
    "the notebooks' array is another": lambda p: replace_key(p, "item_factors", "x"),
    "the notebooks' array is a list": lambda p: replace_key(p, "item_factors"),
    "a part of the live model is gone": lambda p: p.redis_client().delete(KEY % 3 + ":item_ids:0"),
    "a part of the live model is a list": lambda p: replace_key(p, KEY % 3 + ":item_ids:0"),
    "a part of the live model has other bytes": lambda p: replace_key(p, KEY % 3 + ":item_factors:0", "x"),
    "the live model's hash is a list": lambda p: replace_key(p, KEY % 3),
    "a kept model's keys are gone": lambda p: p.redis_client().delete(*p.redis_client().keys("trivet:model:{1}*")),
    "a kept model's hash is a text": lambda p: replace_key(p, KEY % 2, "x"),
    "a kept model's part has other bytes": lambda p: replace_key(p, KEY % 2 + ":item_factors:0", "x"),
    "a kept model's singular values are gone": lambda p: p.redis_client().delete(KEY % 2 + ":singular_values"),
    "a kept model's hash says another number": lambda p: p.redis_client().hset(KEY % 2, "users", "7"),
    "a kept model's hash says no number": lambda p: p.redis_client().hset(KEY % 2, "factors", "1e300"),
    "a bit of a kept model's part in MongoDB": lambda p: flip(p, 2, "items:00000", "item_factors"),
    "a bit of the live model's part in MongoDB": lambda p: flip(p, 3, "items:00000", "item_ids"),
    "the live model's description is gone": lambda p: p.mongo_db().model_3.delete_one({"_id": "description"}),
    "the live model's parts are gone": lambda p: p.mongo_db().drop_collection("model_3"),
}


def test_what_is_damaged_is_as_before(run, place):
    """Each damage of the table, one after the other: after repair everything is as it was, and a second one changes nothing."""
    before = dump(place)
    for name, damage in DAMAGES.items():
        damage(place)
        first = run(*REPAIR, env=place.env)
        after = dump(place)
        assert {k: (before.get(k), after.get(k)) for k in before.keys() | after.keys() if before.get(k) != after.get(k)} == {}, name
        assert "repair:" in first.stderr, name
        second = run(*REPAIR, env=place.env)
        assert "repair:" not in second.stderr and second.stdout.endswith("everything agrees: model 3 is live\n"), name
    assert dump(place) == before


def swap(top):
    top[0]["id"], top[1]["id"] = top[1]["id"], top[0]["id"]


LISTS = {
    "two items are exchanged": swap,
    "the best is missing": lambda top: top.pop(0),
    "one in the middle is missing": lambda top: top.pop(4),
    "an item is another's": lambda top: top[3].update(id=top[2]["id"]),
    "an item of no model": lambda top: top[3].update(id=12345),
    "a score is another": lambda top: top[2].update(score=top[2]["score"] + 1e-9),
    "a score is a text": lambda top: top[2].update(score="x"),
    "more than there are items": lambda top: top.extend(top * 30),
    "nothing is in it": lambda top: top.clear(),
}


def test_stored_lists_that_the_model_does_not_give_go(run, place):
    """Also such as look like lists: a server would read them to everybody. The others stay, and one that is shorter is right."""
    users = place.mongo_db().user_3
    run("trivet-train", "precompute", "--top", 15, env=place.env)
    before = {user["_id"]: user for user in users.find()}
    assert sum("top" in user for user in before.values()) > 50
    done = run(*REPAIR, env=place.env)
    assert "repair:" not in done.stderr and "made again to compare; 0 were others\n" in done.stdout
    right = {user: dict(document) for user, document in before.items()}
    for user, (name, damage) in zip((u for u in before if len(before[u].get("top", ())) == 15 and u > 3), LISTS.items()):
        top = [dict(entry) for entry in before[user]["top"]]
        damage(top)
        users.update_one({"_id": user}, {"$set": {"top": top}})
        del right[user]["top"]
    users.update_one({"_id": 60}, {"$set": {"top": before[60]["top"][:7]}})
    right[60]["top"] = before[60]["top"][:7]
    done = run(*REPAIR, env=place.env)
    assert f"repair: {len(LISTS)} users of model 3 had a stored list that is not what the model gives" in done.stderr
    assert {user["_id"]: user for user in users.find()} == right
    assert "repair:" not in run(*REPAIR, env=place.env).stderr
    users.update_many({}, {"$set": {"top": "x"}})
    run(*REPAIR, env=place.env)
    assert users.count_documents({"top": {"$exists": True}}) == 0
    assert "lists:" not in run(*REPAIR, env=place.env).stdout


@pytest.mark.parametrize("top", [[{"id": 10, "score": 1.0}, {"id": 20, "score": "x"}], [{"id": 10, "score": 1.0}, 7], [{}], [], "x", 7])
def test_a_server_computes_a_list_that_cannot_be_read(serve, place, top):
    server = serve(place)
    right = server.get("/api/v1/recs?user_id=40&top=1").body
    server.stop()
    place.mongo_db().user_3.update_one({"_id": 40}, {"$set": {"top": top}})
    assert serve(place).get("/api/v1/recs?user_id=40&top=1").body == right


def test_a_document_that_only_mongodb_knows_the_code_of_is_told(run, place):
    place.psql("DELETE FROM trivet.code WHERE code = 'ann'")
    done = run(*REPAIR, env=place.env, check=False)
    assert done.returncode == 4 and "1 users of model 3 have a code in MongoDB's user_3 that PostgreSQL's trivet.code" in done.stderr
    assert place.mongo_db().user_3.count_documents({"code": "ann"}) == 1


def test_documents_of_a_kept_model_are_read(run, place):
    place.mongo_db().user_2.update_one({"_id": 40}, {"$set": {"value": b"x"}})
    done = run(*REPAIR, env=place.env, check=False)
    assert done.returncode == 4 and "user_2 has 1 documents that cannot be read; trivet-train activate 2" in done.stderr
    run("trivet-train", "activate", 2, env=place.env)
    assert "folded in" in run(*REPAIR, env=place.env).stderr
    assert run(*REPAIR, env=place.env).stdout.endswith("everything agrees: model 2 is live\n")


def test_a_model_that_only_redis_shows_is_told(run, place):
    """As after a restore of a backup of Postgres from before the training."""
    place.psql("DELETE FROM trivet.run WHERE id = 3")
    done = run(*REPAIR, env=place.env, check=False)
    assert done.returncode == 4 and "Redis shows model 3, which this journal does not keep" in done.stderr
    run(*FIT, env=place.env)
    assert "everything agrees: model 4 is live" in run(*REPAIR, env=place.env).stdout


def test_documents_are_compared_until_a_load_comes(run, place, ratings):
    """What a load brings is in no document until the next training: so it says nothing about what stands there."""
    before = dump(place)
    assert "folded in again to compare" in run(*REPAIR, env=place.env).stdout
    run("trivet-etl", "load", ratings, "--append", env=place.env)
    done = run(*REPAIR, env=place.env)
    assert "documents read, and not compared with their ratings" in done.stdout and "users" not in done.stderr
    after = dump(place)
    assert {k for k in before if k[0] == "user_3" and before[k] != after[k]} == set()


def test_item_documents_are_compared_until_a_load_comes(run, place, ratings):
    """Titles that a load has changed wait for the training that it does; nothing else calls for one."""
    items = place.catalogue()
    run("trivet-etl", "load", ratings, "--append", env=place.env)
    place.psql("UPDATE trivet.item SET title = 'A Later Title' WHERE item_id = 50")
    items.insert_one({"_id": 99, "title": "Known before the load", "n": 0})
    for _ in range(2):
        done = run(*REPAIR, env=place.env)
        assert "items: 1 have other fields than Postgres, where loads came since they were written" in done.stdout
        assert "title" not in done.stderr and items.find_one({"_id": 50})["title"] == "Film 5 (1955)" and items.find_one({"_id": 99})
    run(*FIT, env=place.env)
    done = run(*REPAIR, env=place.env)
    assert items.find_one({"_id": 50})["title"] == "A Later Title" and "repair:" not in done.stderr and "loads came" not in done.stdout


def test_what_mongodb_cannot_hold_is_no_alarm(run, place):
    """An item whose other fields are too long for a document has one without them, and one whose title is keeps the one before."""
    place.psql("UPDATE trivet.item SET extra = jsonb_build_object('story', repeat('x', 17000000), 'runtime', 90) WHERE item_id = 50; "
               "UPDATE trivet.item SET title = repeat('x', 17000000) WHERE item_id = 60; "
               """UPDATE trivet.item SET extra = '{"budget": 12345678901234567890, "made": {"in": ["a", 1.0, 2e300, null]}}' WHERE item_id = 70""")
    run(*FIT, env=place.env)
    items = place.catalogue()
    before = {item["_id"]: item for item in items.find()}
    assert before[60]["gone"] > 0 and len(before[60]["title"]) < 100 and "story" not in before[50] and before[70]["made"] == {"in": ["a", 1.0, 2e300, None]}
    done = run(*REPAIR, env=place.env)
    assert "repair:" not in done.stderr and "everything agrees" in done.stdout
    items.delete_one({"_id": 50})
    items.update_one({"_id": 70}, {"$set": {"made.in": ["a", 1, 2e300, None]}})
    done = run(*REPAIR, env=place.env)
    assert "1 items had no document" in done.stderr and "1 items had another title, or other fields" in done.stderr
    assert {item["_id"]: item for item in items.find()} == before
    rate(place, 1, 60, 2)
    assert "items had no document" not in run(*REPAIR, env=place.env).stderr


def test_documents_of_items_that_trivet_did_not_write_are_told(run, place):
    place.catalogue().insert_one({"_id": "fifty", "title": "x"})
    done = run(*REPAIR, env=place.env, check=False)
    assert done.returncode == 4 and "MongoDB's catalogue_1 has 1 documents that trivet did not write" in done.stderr
    assert place.mongo_db().item.find_one({"_id": "fifty"})


@pytest.mark.parametrize("row", ["NULL, 9, NULL, '{10}', '3f800000'", "1, NULL, NULL, '{10}', '3f800000'", "1, 9, NULL, '{10,20}', '3f800000'",
                                 "1, 9, NULL, '{10}', NULL", "7, 99, NULL, '{10}', '3f800000'"])
def test_a_source_that_ends_our_statement_writes_no_document(run, place, row):
    """Whoever may write the journal can put SQL there whose rows are none of ours: nulls, too few ratings, other users."""
    evil = ("SELECT 1::bigint, 1::bigint, 1::real) x (user_id, item_id, value) GROUP BY x.user_id) e (user_id, items, ratings) "
            f"USING (user_id) UNION ALL SELECT {row} --")
    before = place.mongo_db().user_3.find_one({"_id": 7})
    place.psql(f"UPDATE trivet.run SET evidence = $${evil}$$ WHERE id = 3")
    rate(place, 1, 100, 2)
    done = run(*REPAIR, env=place.env, check=False)
    assert done.returncode in (0, 4) and "not folded in" in done.stderr
    assert place.mongo_db().user_3.find_one({"_id": 7}) == before and place.mongo_db().user_3.find_one({"_id": 1})["rev"] != 9
