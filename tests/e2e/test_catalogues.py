"""Models of several data sets: each keeps the titles of its own, and a switch brings the data with it, wherever it is killed."""

import json
import random
import re

import pytest

from breakpoints import at
from rating_sets import like_movielens

FIT = ("trivet-train", "fit", "--set", "max_items_for_user=60", "--factors")
REPAIR = ("trivet-train", "repair")


def like(folder, name, seed, values):
    """The same users and items as in every other such set, with other ratings and other titles."""
    rng = random.Random(seed)
    return like_movielens(
        folder / name,
        ((user, film, rng.choice(values), 1_000_000 + film)
         for user in range(1, 41) for film in sorted(rng.sample(range(1, 31), rng.randint(8, 20)))),
        ((film, f"{name} {film} ({1950 + film})", "Drama") for film in range(1, 32)))


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    return like(folder, "stars", 1, [1, 2, 3, 4, 5]), like(folder, "points", 2, [10, 40, 70, 100])


@pytest.fixture
def two(run, fresh_stores, sets):
    """Model 1 of stars, with a single rating since; then points were loaded, of which model 2 is, and live."""
    run("trivet-etl", "load", sets[0], env=fresh_stores.env)
    run(*FIT, 3, env=fresh_stores.env)
    rate(fresh_stores, 1, 31, 5)
    run(*REPAIR, env=fresh_stores.env)
    run("trivet-etl", "load", sets[1], env=fresh_stores.env)
    run(*FIT, 4, env=fresh_stores.env)
    return fresh_stores


def rate(place, user, item, value):
    assert place.psql(f"SELECT refused IS NULL FROM trivet.rate({user}, '{{{item}}}', '{{{value}}}')") == "t"


def current(place):
    return place.psql("SELECT name FROM trivet.dataset WHERE current")


def titles(collection):
    return {d["title"].split(" ")[0] for d in collection.find()}


def first_word(server, model):
    return server.get(f"/api/v1/items/7?model={model}").json()["title"].split(" ")[0]


def of_user(place, model, user):
    return {k: v for k, v in place.mongo_db()[f"user_{model}"].find_one({"_id": user}).items() if k != "rev"}


def agrees(run, place, model, name):
    """The model is live, everywhere, its data set is loaded, and there is nothing to mend."""
    assert place.redis_client().get("trivet:live") == str(model).encode()
    assert place.psql("SELECT id FROM trivet.run WHERE state = 'live'") == str(model)
    assert current(place) == name and titles(place.mongo_db().item) == {name}
    done = run(*REPAIR, env=place.env)
    assert "repair:" not in done.stderr and done.stdout.endswith(f"everything agrees: model {model} is live\n")


# --- titles ------------------------------------------------------------------------------------------------------


def test_each_model_has_the_titles_of_its_data(run, serve, two):
    agrees(run, two, 2, "points")
    server = serve(two)
    assert (first_word(server, 1), first_word(server, 2)) == ("stars", "points")
    for model, name in ((1, "stars"), (2, "points")):
        shown = run("trivet-train", "show", model, "--factors", "items", "--format", "csv", env=two.env).stdout
        assert {line.split(",")[1].split(" ")[0] for line in shown.splitlines()[1:]} == {name}
        assert f"{name} 7 (" in run("trivet-train", "show", model, "--user", 1, "--item", 7, env=two.env).stdout
    assert server.get("/api/v1/items?q=stars&model=1").json()["found"] == 31
    assert server.get("/api/v1/items?q=stars").json()["found"] == 0
    page = server.get("/models", accept="text/html")
    assert page.status == 200


def test_a_rollback_brings_the_data_back(run, serve, two):
    one = of_user(two, 1, 1)
    server = serve(two)
    before = two.psql("SELECT user_id, item_id, value FROM trivet.rating ORDER BY 1, 2")
    done = run("trivet-train", "rollback", env=two.env)
    assert "data set stars takes the place of what was loaded: model 1 was learned from it" in done.stderr
    agrees(run, two, 1, "stars")
    assert two.psql("SELECT value FROM trivet.rating_live") == "5" and of_user(two, 1, 1) == one
    server.stop()
    server = serve(two)
    assert first_word(server, 1) == "stars" and first_word(server, 2) == "points"
    rate(two, 2, 31, 1)
    run(*REPAIR, env=two.env)
    assert two.mongo_db().item.find_one({"_id": 31})["n"] == 2
    assert two.mongo_db().catalogue_2.find_one({"_id": 31})["n"] == 0
    run("trivet-train", "activate", 2, env=two.env)
    agrees(run, two, 2, "points")
    assert two.psql("SELECT user_id, item_id, value FROM trivet.rating ORDER BY 1, 2") == before


def test_the_same_data_set_again_is_not_loaded_again(run, two):
    run(*FIT, 5, env=two.env)
    assert "takes the place of what was loaded" not in run("trivet-train", "rollback", env=two.env).stderr
    agrees(run, two, 2, "points")


def test_a_model_whose_data_set_was_dropped_goes_with_its_documents(run, two):
    run("trivet-etl", "datasets", "drop", "stars", env=two.env)
    done = run(*REPAIR, env=two.env)
    assert "catalogue_1 is of a data set that is not there any more: deleted" in done.stderr
    names = two.mongo_db().list_collection_names()
    assert "catalogue_1" not in names and "model_1" not in names and not two.redis_client().keys("trivet:model:{1}*")
    agrees(run, two, 2, "points")


def test_the_catalogue_is_the_newest_though_the_model_is_not(run, two):
    """A training that the guard keeps back is the newest truth about its data, and what a score is stays the live model's."""
    run(*FIT, 4, "--guard", "ndcg@10:1", env=two.env)
    two.psql("UPDATE trivet.item SET title = 'points 7, renamed' WHERE item_id = 7; "
             "UPDATE trivet.run SET metrics = jsonb_set(metrics, '{methods,0,at,10,ndcg,value}', '1') WHERE id = 3")
    refused = run("trivet-train", "fit", "--algorithm", "als", "--factors", 1, "--guard", "ndcg@10:0", env=two.env, check=False)
    assert refused.returncode != 0 and "model 4 is kept, not live" in refused.stderr
    assert two.mongo_db().item.find_one({"_id": 7})["title"] == "points 7, renamed"
    assert two.mongo_db().item.distinct("score_kind") == ["relevance"]
    assert "catalogue_2_4" not in two.mongo_db().list_collection_names()
    agrees(run, two, 3, "points")


def test_a_killed_publication_is_finished(run, programs, two):
    two.psql("UPDATE trivet.item SET title = 'points 7, renamed' WHERE item_id = 7")
    at("tv_catalogue_publish", programs["trivet-train"], *FIT[1:], 5, env=two.env)
    assert "catalogue_2_3" in two.mongo_db().list_collection_names()
    assert two.psql("SELECT state FROM trivet.run WHERE id = 3") == "kept"
    assert "the item documents of model 3 had not taken their place: they have" in run(*REPAIR, env=two.env).stderr
    assert two.mongo_db().item.find_one({"_id": 7})["title"] == "points 7, renamed"
    agrees(run, two, 2, "points")


# --- a switch that is killed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("function, before_switch", [
    ("use_dataset", True), ("open_late", True), ("tv_run_set_state", True), ("tv_catalogue_say_score", True), ("tv_model_switch", True),
    ("tv_catalogue_show", False), ("tv_mongo_point_view", False), ("forget_refused", False), ("tv_run_go_live", False)])
def test_a_killed_rollback_leaves_one_or_the_other(run, serve, programs, two, function, before_switch):
    at(function, programs["trivet-train"], "rollback", env=two.env)
    server = serve(two)
    live, name = (2, "points") if before_switch else (1, "stars")
    assert server.get("/api/v1/recs?user_id=1&top=3").json()["model"] == live
    assert server.get("/api/v1/items/7").json()["title"].startswith(name)
    done = run(*REPAIR, env=two.env)
    assert done.stdout.endswith(f"everything agrees: model {live} is live\n")
    assert two.redis_client().get("trivet:live") == str(live).encode() and titles(two.mongo_db().item) == {name}
    assert current(two) == ("points" if function == "use_dataset" else "stars")
    run("trivet-train", "activate", 1, env=two.env)
    agrees(run, two, 1, "stars")


def test_a_rollback_waits_for_readers_and_gives_up(run, two):
    import psycopg2
    connection = psycopg2.connect(two.postgres_uri)
    connection.cursor().execute("SELECT count(*) FROM trivet.rating")
    done = run("trivet-train", "rollback", "--lock-wait", 1, env=two.env, check=False)
    connection.close()
    assert done.returncode != 0 and "to bring back the model's data set" in done.stderr
    agrees(run, two, 2, "points")


# --- data is loaded, and no model of it is live ---------------------------------------------------------------------


def test_nothing_of_other_data_reaches_the_live_model(run, two, sets):
    """Points were trained and stars are loaded: single ratings of stars wait, whatever repairs or is lost."""
    run("trivet-etl", "load", sets[0], env=two.env)
    users = list(two.mongo_db().user_2.find().sort("_id", 1))
    items = list(two.mongo_db().catalogue_2.find().sort("_id", 1))
    rate(two, 2, 31, 1)
    for command in (REPAIR, REPAIR, ("trivet-train", "fit", "--dry-run")):
        run(*command, env=two.env)
        assert list(two.mongo_db().user_2.find().sort("_id", 1)) == users
        assert list(two.mongo_db().catalogue_2.find().sort("_id", 1)) == items
    assert two.mongo_db().catalogue_1.find_one({"_id": 31})["n"] == 2
    two.redis_client().flushdb()
    two.mongo_db().drop_collection("item")
    done = run(*REPAIR, env=two.env)
    assert done.stdout.endswith("everything agrees: model 2 is live\n") and current(two) == "stars"
    assert two.redis_client().get("trivet:live") == b"2" and titles(two.mongo_db().item) == {"points"}
    assert list(two.mongo_db().user_2.find().sort("_id", 1)) == users
    two.mongo_db().user_2.update_one({"_id": 3}, {"$set": {"value": b"x"}})
    told = run(*REPAIR, env=two.env, check=False)
    assert told.returncode == 4 and "user_2 has 1 documents that cannot be read" in told.stderr
    run("trivet-train", "activate", 2, env=two.env)
    assert "folded in" in run(*REPAIR, env=two.env).stderr
    agrees(run, two, 2, "points")


def test_counts_of_other_data_are_not_noted(run, two, sets):
    """A server that counted points, and notes it when stars are loaded: the same id is another item."""
    rate(two, 2, 31, 40)
    run(*REPAIR, env=two.env)
    run("trivet-etl", "datasets", "use", " stars ", env=two.env)
    two.psql("UPDATE trivet.item_change SET rev = 3, counted_rev = 1 WHERE item_id = 31; SELECT trivet.items_counted('{31}', '{2}', 2)")
    assert two.psql("SELECT counted_rev FROM trivet.item_change WHERE item_id = 31") == "1"
    two.psql("SELECT trivet.items_counted('{31}', '{2}', 1)")
    assert two.psql("SELECT counted_rev FROM trivet.item_change WHERE item_id = 31") == "2"


def test_the_guard_compares_within_a_data_set(run, two, sets):
    run("trivet-etl", "load", sets[0], env=two.env)
    done = run(*FIT, 2, "--guard", "ndcg@10:0", env=two.env)
    assert "guard: live model 2 was learned from another data set" in done.stderr and "model 3 is live" in done.stdout
    guard = json.loads(two.psql("SELECT metrics->'guard' FROM trivet.run WHERE id = 3"))
    assert guard["live"] is None and guard["reference"] is None


def test_nothing_changed_is_asked_of_one_data_set(run, two, sets):
    """The same files as another data set have the same fingerprint of rows and not the same model."""
    run("trivet-train", "activate", 1, env=two.env)
    two.psql("UPDATE trivet.run SET fingerprint = (SELECT fingerprint FROM trivet.run WHERE id = 1) WHERE id = 2")
    two.psql("UPDATE trivet.run SET fingerprint = 'x' WHERE id = 1")
    assert "nothing changed" not in run(*FIT, 3, "--if-changed", env=two.env).stdout


def test_compare_refuses_two_data_sets(run, two):
    refused = run("trivet-train", "compare", 1, 2, env=two.env, check=False)
    assert refused.returncode == 2 and "run 1 is about the data set stars and run 2 about points" in refused.stderr
    run(*FIT, 5, env=two.env)
    assert "mean overlap" in run("trivet-train", "compare", 2, 3, env=two.env).stdout


def test_runs_note_the_data_set_they_read(run, two, sets, tmp_path):
    run("trivet-train", "evaluate", "--factors", 2, env=two.env)
    search = ("trivet-train", "search", "--factors", "2,3")
    run(*search, env=two.env)
    assert two.psql("SELECT kind, dataset FROM trivet.run WHERE id > 1 ORDER BY id") == "fit|2\nevaluate|2\nsearch|2"
    assert two.psql("SELECT dataset FROM trivet.search") == "2"
    run("trivet-etl", "datasets", "use", "stars", env=two.env)
    refused = run("trivet-train", "search", "--resume", 1, env=two.env, check=False)
    assert refused.returncode != 0 and "search 1 was about other ratings or other settings" in refused.stderr
    run(*search, env=two.env)
    assert two.psql("SELECT id, dataset FROM trivet.search ORDER BY 1") == "1|2\n2|1"


# --- what is kept, and what goes --------------------------------------------------------------------------------------


def test_three_models_of_each_data_set_are_kept(run, two):
    for factors in (1, 2, 3, 5):
        run(*FIT, factors, env=two.env)
    assert two.psql("SELECT id FROM trivet.run WHERE state IN ('kept', 'live') ORDER BY 1").split() == ["1", "4", "5", "6"]


def test_lists_go_with_their_model(run, two):
    for model in (1, 2):
        run("trivet-train", "recommend", "--model", model, "--to", "postgres", "--top", 3, env=two.env)
    for factors in (1, 2, 3):
        run(*FIT, factors, env=two.env)
    assert two.psql("SELECT DISTINCT run_id FROM trivet.recommendation") == "1"
    two.psql("INSERT INTO trivet.recommendation VALUES (2, 1, 1, 1, 0)")
    assert "trivet.recommendation had lists of models that are gone: deleted" in run(*REPAIR, env=two.env).stderr
    run("trivet-etl", "datasets", "drop", "stars", env=two.env)
    run(*REPAIR, env=two.env)
    assert two.psql("SELECT count(*) FROM trivet.recommendation") == "0"


@pytest.mark.parametrize("loss", [
    lambda redis: redis.flushdb(), lambda redis: redis.delete("trivet:model:{1}"),
    lambda redis: redis.delete("trivet:model:{2}:item_ids:0"), lambda redis: redis.delete("trivet:model:{3}:item_factors:0")])
@pytest.mark.parametrize("command", [REPAIR, ("trivet-train", "precompute")])
def test_repair_brings_back_every_kept_model(run, serve, two, loss, command):
    """Also of a data set that is away; a server that starts afterwards serves each of them, and its page of models."""
    run(*FIT, 5, env=two.env)
    redis = two.redis_client()
    before = {key: redis.hgetall(key) if redis.type(key) == b"hash" else redis.get(key) for key in redis.keys("trivet:model:*")}
    server = serve(two)
    answers = [server.get(f"/api/v1/{what}").body for what in ("models", "models?number=1", "recs?user_id=1&model=1", "recs?user_id=1")]
    server.stop()
    loss(redis)
    run(*command, env=two.env)
    after = {key: redis.hgetall(key) if redis.type(key) == b"hash" else redis.get(key) for key in redis.keys("trivet:model:*")}
    assert after.keys() == before.keys()
    for key, value in before.items():
        assert isinstance(value, dict) and value.keys() == after[key].keys() or value == after[key], key
    server = serve(two)
    assert answers == [server.get(f"/api/v1/{what}").body
                       for what in ("models", "models?number=1", "recs?user_id=1&model=1", "recs?user_id=1")]
    for model in (1, 2, 3):
        assert server.get(f"/api/v1/recs?user_id=1&top=3&model={model}").json()["model"] == model
    assert server.get("/models", accept="text/html").status == 200


# --- imports ----------------------------------------------------------------------------------------------------------


def test_an_import_belongs_to_the_data_set_of_its_name(run, serve, two, servers, tmp_path):
    for model in (1, 2):
        run("trivet-train", "export", model, tmp_path / str(model), env=two.env)
        assert "dataset" not in json.load(open(tmp_path / str(model) / "model.json"))["model"]
    run("trivet-train", "import", tmp_path / "1", env=two.env)
    assert two.psql("SELECT dataset FROM trivet.run WHERE id = 3") == "1" and current(two) == "points"
    agrees(run, two, 2, "points")
    run("trivet-train", "activate", 3, env=two.env)
    agrees(run, two, 3, "stars")
    elsewhere = servers.place()
    run("trivet-etl", "schema", env=elsewhere.env)
    for model in (1, 2):
        run("trivet-train", "import", tmp_path / str(model), "--activate", env=elsewhere.env)
    assert elsewhere.psql("SELECT name, current FROM trivet.dataset ORDER BY id") == "stars|f\npoints|t"
    server = serve(elsewhere)
    assert (first_word(server, 1), first_word(server, 2)) == ("stars", "points")
    run("trivet-train", "rollback", env=elsewhere.env)
    assert titles(elsewhere.mongo_db().item) == {"stars"} and current(elsewhere) == "stars"


def test_an_import_under_another_name_is_of_that_data_set_everywhere(run, serve, two, tmp_path):
    """The name that was given counts for servers as for the journal: in the API, and in the menu of the live model's data."""
    run("trivet-train", "export", 1, tmp_path / "stars", env=two.env)
    run("trivet-train", "import", tmp_path / "stars", "--name", "other", env=two.env)
    server = serve(two)
    models = server.get("/api/v1/models").json()["models"]
    assert [m["description"]["data"]["dataset"] for m in models] == ["stars", "points", "other"]
    assert json.loads(two.redis_client().hget("trivet:model:{3}", "description"))["data"]["dataset"] == "other"
    assert two.psql("SELECT data->>'dataset' FROM trivet.run WHERE id = 3") == "other"
    for live, offered in ((1, {"live", "1"}), (3, {"live", "3"})):
        run("trivet-train", "activate", live, env=two.env)
        server = serve(two)
        assert set(re.findall(r'<option value="([^"]*)"', server.get("/", accept="text/html").text)) & {"live", "1", "2", "3"} == offered


def test_what_is_known_here_stays_and_what_is_not_comes(run, two, tmp_path):
    """An import of older titles: those of items that Postgres has here are newer, an item that it has lost is called as it was."""
    run("trivet-train", "export", 2, tmp_path / "points", env=two.env)
    two.psql("UPDATE trivet.item SET title = 'points 7, renamed' WHERE item_id = 7; "
             "DELETE FROM trivet.rating WHERE item_id = 9; DELETE FROM trivet.item WHERE item_id = 9")
    run(*FIT, 4, env=two.env)
    assert two.mongo_db().item.find_one({"_id": 9})["gone"] == 3
    two.mongo_db().catalogue_2.delete_one({"_id": 9})
    run("trivet-train", "import", tmp_path / "points", "--activate", env=two.env)
    assert two.mongo_db().item.find_one({"_id": 7})["title"] == "points 7, renamed"
    assert two.mongo_db().item.find_one({"_id": 9})["title"] == "points 9 (1959)"
    assert two.mongo_db().item.distinct("score_kind") == ["relevance"]
    agrees(run, two, 4, "points")


def test_an_item_that_the_catalogue_never_had_is_called_by_its_number(run, serve, two):
    two.mongo_db().catalogue_2.delete_one({"_id": 9})
    assert serve(two).get("/api/v1/items/9?model=2").json()["title"] == "item 9"


# --- from 0.1.0 ---------------------------------------------------------------------------------------------------------


def as_before(place):
    """The stores as trivet 0.1.0 leaves them: item documents in one collection, and models that do not know their data."""
    db, redis = place.mongo_db(), place.redis_client()
    db.drop_collection("item")
    db.drop_collection("catalogue_1")
    db.catalogue_2.rename("item")
    for model in (1, 2, 3):
        db[f"model_{model}"].update_one({"_id": "description"}, {"$unset": {"dataset": 1}})
        redis.hdel("trivet:model:{%d}" % model, "dataset")


def whole(place):
    db, redis = place.mongo_db(), place.redis_client()
    return {**{c: list(db[c].find().sort("_id", 1)) for c in sorted(db.list_collection_names()) if c != "system.views"},
            **{k: redis.hgetall(k) if redis.type(k) == b"hash" else redis.get(k) for k in redis.keys("trivet:model*")}}


@pytest.mark.parametrize("function", [None, "upgrade_item", "take_older", "tv_model_say_dataset_mongo", "tv_model_say_dataset_redis",
                                      "tv_lifecycle_show_again"])
def test_stores_of_an_older_trivet_are_taken_over(run, serve, programs, two, function):
    run(*FIT, 5, env=two.env)
    before = whole(two)
    before.pop("catalogue_1")  # it was replaced by the items of points, in 0.1.0
    as_before(two)
    two.mongo_db().item_3.insert_one({"_id": 1, "title": "of a training that was kept back"})
    assert serve(two).get("/api/v1/items/7").json()["title"].startswith("points")
    if function:
        at(function, programs["trivet-train"], "repair", env=two.env)
    done = run(*REPAIR, env=two.env)
    assert done.stdout.endswith("everything agrees: model 3 is live\n")
    assert whole(two) == before
    agrees(run, two, 3, "points")


def test_documents_of_an_import_that_waited_are_kept(run, two, tmp_path):
    run("trivet-train", "export", 1, tmp_path / "stars", env=two.env)
    run("trivet-train", "import", tmp_path / "stars", env=two.env)
    stars = list(two.mongo_db().catalogue_1.find().sort("_id", 1))
    as_before(two)
    two.mongo_db().item_3.insert_many(stars)
    assert "the item documents of model 3 wait no longer" in run(*REPAIR, env=two.env).stderr
    assert list(two.mongo_db().catalogue_1.find().sort("_id", 1)) == stars
    agrees(run, two, 2, "points")


def test_a_collection_item_of_somebody_is_told(run, two):
    two.mongo_db().drop_collection("item")
    two.mongo_db().item.insert_one({"_id": "mine"})
    done = run(*REPAIR, env=two.env, check=False)
    assert done.returncode == 4 and "has a collection item with 1 documents" in done.stderr and "item_of_mine" in done.stderr
    two.mongo_db().item.rename("item_of_mine")
    run(*REPAIR, env=two.env)
    agrees(run, two, 2, "points")
    assert two.mongo_db().item_of_mine.count_documents({}) == 1


def shop(folder, name, goods):
    """Ratings of things that are called by text, with their names."""
    rng, path = random.Random(5), folder / name
    path.mkdir()
    rows = [f"buyer{user};{thing};{rng.randint(1, 5)}" for user in range(40) for thing in sorted(rng.sample(goods, 8))]
    (path / "ratings.csv").write_text("\n".join(["user_id;item_id;rating", *rows]) + "\n")
    (path / "items.csv").write_text("\n".join(["item_id;title", *(f"{thing};Part {thing}" for thing in goods)]) + "\n")
    return path


THINGS = [f"A/{n:02}" for n in range(30)]


def named(server, model):
    """Every item of a model's answers, by what it is called and its title."""
    top = server.get(f"/api/v1/recs?user_id=buyer1&top=30&model={model}").json()["items"]
    mine = server.get(f"/api/v1/users/buyer1?model={model}").json()["items"]
    return {(item["id"], item["title"]) for item in top + mine}


def test_a_kept_model_can_name_the_items_that_went(run, serve, fresh_stores, tmp_path):
    """The same shop with half of its things; those that no model has any more go with the last that had them."""
    few = shop(tmp_path, "few", THINGS[:12])
    run("trivet-etl", "load", shop(tmp_path, "all", THINGS), "--name", "shop", env=fresh_stores.env)
    run(*FIT, 3, env=fresh_stores.env)
    run("trivet-etl", "load", few, "--name", "shop", env=fresh_stores.env)
    run(*FIT, 4, env=fresh_stores.env)
    every = {(thing, f"Part {thing}") for thing in THINGS}
    server = serve(fresh_stores)
    assert named(server, 1) <= every and len(named(server, 1)) > 12 and len(named(server, 2)) == 12
    assert server.get("/api/v1/items/A%2F29?model=1").json()["title"] == "Part A/29"
    server.stop()
    assert "30 documents read" in run("trivet-train", "repair", env=fresh_stores.env).stdout
    run("trivet-train", "export", 1, tmp_path / "model", env=fresh_stores.env)
    assert len((tmp_path / "model/items.jsonl").read_text().splitlines()) == 30 and "gone" not in (tmp_path / "model/items.jsonl").read_text()
    for factors in (2, 5, 6):
        assert fresh_stores.mongo_db().item.count_documents({}) == 30
        run(*FIT, factors, env=fresh_stores.env)
    assert fresh_stores.psql("SELECT min(id) FROM trivet.run WHERE state IN ('live', 'kept')") == "3"
    run(*FIT, 7, env=fresh_stores.env)
    assert fresh_stores.mongo_db().item.count_documents({}) == 12


def test_an_imported_model_keeps_its_names_beside_a_similar_index(run, serve, fresh_stores, tmp_path):
    """Nothing of its data is in Postgres but what was rated here since."""
    folder = shop(tmp_path, "all", THINGS)
    run("trivet-etl", "load", folder, env=fresh_stores.env)
    run(*FIT, 3, env=fresh_stores.env)
    run("trivet-train", "export", 1, tmp_path / "model", env=fresh_stores.env)
    run("trivet-train", "import", tmp_path / "model", "--name", "elsewhere", "--activate", env=fresh_stores.env)
    every = {(thing, f"Part {thing}") for thing in THINGS}
    server = serve(fresh_stores)
    assert server.send("PUT", "/api/v1/users/buyer1/ratings/A%2F03", {"rating": 4}).status in (200, 201)
    run("trivet-train", "similar", env=fresh_stores.env)
    server.stop()
    names = named(serve(fresh_stores), 2)
    assert names <= every and len(names) > 12
