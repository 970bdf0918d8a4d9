"""trivet-etl forget: afterwards no store holds the id, and nothing else has changed."""

import json
import random
import re
import threading
import time
import urllib.parse

import pytest

import blobs
from breakpoints import at, held
from rating_sets import like_movielens
from server import until

pytestmark = pytest.mark.with_schema

USERS, ITEMS = 200, 60
WHO, WHAT = 770077, 880088  # numbers that nothing else in the stores has
OTHERS = range(1001, 1000 + USERS)


class Numbers:
    """Ids are integers."""

    user, item = staticmethod(str), staticmethod(str)
    who, what = str(WHO), str(WHAT)


class Codes:
    """Ids are text."""

    user, item = "u-{}-x".format, "i-{}-y".format
    who, what = "u-770077-x", "i-880088-y"


def rows(names):
    rng = random.Random(5)
    items = [*range(2001, 2000 + ITEMS), WHAT]
    for user in [*OTHERS, WHO]:
        for item in sorted(rng.sample(items, rng.randint(8, 25))):
            if user != WHO or item != WHAT:
                yield names.user(user), names.item(item), rng.choice([1, 2, 3, 4, 5]), 1_000_000_000 + item
    yield names.who, names.what, 4, 1_000_000_000


def load(run, place, folder, names):
    titles = [*range(2001, 2000 + ITEMS), WHAT]
    like_movielens(folder, rows(names), ((names.item(i), f"Film {n} (1990)", "Drama") for n, i in enumerate(titles)))
    with open(folder / "ratings.csv", "a") as f:
        f.write(f"{names.who},{names.item(2001)},five,1\n{names.user(1001)},{names.what},six,1\n{names.user(1001)},{names.item(2002)},six,1\n")
    (folder / "tags.csv").write_text("userId,movieId,tag,timestamp\n"
                                     f"{names.who},{names.item(2001)},dark,1\n{names.user(1002)},{names.what},odd,1\n")
    run("trivet-etl", "load", folder, env=place.env)


FIT = ("trivet-train", "fit", "--set", "max_items_for_user=60", "--set", "min_users_for_item=2")


def prepare(run, place, folder, names):
    """Three models, the last of them live, lists in MongoDB and Postgres, an index, and a live rating."""
    load(run, place, folder, names)
    run(*FIT, "--factors", 6, env=place.env)
    run(*FIT, "--algorithm", "als-implicit", "--factors", 3, env=place.env)
    run(*FIT, "--algorithm", "als", "--factors", 4, env=place.env)
    run("trivet-train", "similar", env=place.env)
    rate(place, names.who, names.item(2003), 5)
    rate(place, names.user(1003), names.what, 5)
    run("trivet-train", "repair", env=place.env)
    run("trivet-train", "similar", "--update", env=place.env)
    run("trivet-train", "recommend", "--top", 20, "--to", "postgres", env=place.env)
    run("trivet-train", "precompute", env=place.env)


def rate(place, user, item, value):
    place.psql(f"SELECT trivet.rate_as('{user}', ARRAY[trivet.item_id('{item}')], '{{{value}}}')")


# --- everything that is stored, as text --------------------------------------------------------------------------------


def words(value):
    """What a value holds, blobs decoded, one text a leaf."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from words(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from words(inner)
    elif isinstance(value, bytes):
        try:
            array = blobs.decode(value)
            yield from (str(x) for x in array.ravel().tolist())
        except Exception:  # noqa: BLE001: not one of ours
            yield value.decode("latin-1")
    else:
        yield str(value)


def redis_words(client, key):
    kind = client.type(key)
    yield key.decode()
    if kind == b"hash":
        yield from words({k.decode(): v for k, v in client.hgetall(key).items()})
    elif kind == b"string":
        value = client.get(key)
        if key.endswith(b":ids"):
            yield from (str(int.from_bytes(value[i:i + 8], "little", signed=True)) for i in range(0, len(value), 8))
        else:
            yield from words(value)
    else:
        yield kind.decode()


def places_of(place, *ids):
    """Where any of the ids stands as a whole word."""
    found, pattern = [], re.compile("|".join(rf"(?<![\w]){re.escape(str(i))}(?![\w])" for i in ids))
    tables = place.psql("SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                        "WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')").splitlines()
    assert "trivet.rating" in tables and "trivet.reject" in tables
    found += [(t, line) for t in tables for line in place.psql(f"SELECT t::text FROM {t} t").splitlines() if pattern.search(line)]
    db = place.mongo_db()
    found += [(name, document["_id"]) for name in db.list_collection_names() for document in db[name].find()
              if any(pattern.search(word) for word in words(document))]
    client = place.redis_client()
    found += [("redis", key) for key in client.keys("*") if any(pattern.search(word) for word in redis_words(client, key))]
    return found


def number_of(place, kind, code):
    return place.psql(f"SELECT trivet.{kind}_id('{code}')")


def recs(server, user, **more):
    query = urllib.parse.urlencode({"user_id": user, "top": 100, **more})
    return server.get(f"/api/v1/recs?{query}")


def scores(server, user, **more):
    answer = recs(server, user, **more)
    assert answer.status == 200, answer.text
    return {item["id"]: item["score"] for item in answer.json()["items"]}


def unknown(server, user):
    """Whether they are answered like somebody who never was there."""
    answers = [(a.status, re.sub(r'"user_id": ?"?[^",]*"?', "", re.sub(re.escape(who), "", a.text)))
               for who in (user, user.replace("7700", "7711")) for a in [recs(server, who)]]
    print(answers)
    return answers[0] == answers[1]


@pytest.fixture(params=[Numbers, Codes])
def names(request):
    return request.param


@pytest.fixture
def filled(run, fresh_stores, tmp_path, names):
    prepare(run, fresh_stores, tmp_path / "films", names)
    return fresh_stores


def forget(run, place, kind, code, **more):
    return run("trivet-etl", "forget", kind, code, env=place.env, **more)


def check_repaired(run, place):
    assert "everything agrees" in run("trivet-train", "repair", env=place.env).stdout


# --- a user ------------------------------------------------------------------------------------------------------------


def test_one_rating_is_one(run, fresh_stores, tmp_path):
    (tmp_path / "ratings.csv").write_text("user,item,rating\n1,10,4\n2,10,5\n2,11,3\n")
    run("trivet-etl", "load", tmp_path / "ratings.csv", env=fresh_stores.env)
    assert " is forgotten: 1 rating is deleted, and" in forget(run, fresh_stores, "user", 1).stdout
    assert " is forgotten: 2 ratings are deleted, and" in forget(run, fresh_stores, "user", 2).stdout


def test_a_user_is_in_no_store_any_more(run, serve, filled, names):
    ids = {names.who, number_of(filled, "user", names.who)}
    assert len({where for where, _ in places_of(filled, *ids)}) > 8
    server = serve(filled)
    assert not unknown(server, names.who)
    before = {user: scores(server, names.user(user)) for user in OTHERS[:40]}
    done = forget(run, filled, "user", names.who)
    assert places_of(filled, *ids) == [] and "is forgotten" in done.stdout
    assert unknown(server, names.who)
    assert {user: scores(server, names.user(user)) for user in OTHERS[:40]} == before
    counts = dict(line.split("|") for line in filled.psql("SELECT item_id, count(*) FROM trivet.rating GROUP BY 1").splitlines())
    assert {str(d["_id"]): str(d["n"]) for d in filled.mongo_db().item.find() if d["n"]} == counts
    check_repaired(run, filled)
    run("trivet-train", "similar", "--check", env=filled.env)
    assert "is live" in run(*FIT, "--algorithm", "als", "--factors", 4, "--if-changed", env=filled.env).stdout


def test_a_user_whom_the_welcome_page_names(run, serve, filled, names):
    """The description of a model has examples, and a server keeps what it has read of a model: so that one is made again."""
    described = filled.mongo_db().model_3.find_one({"_id": "description"})["description"]
    who = described["examples"][0]["user_id"]
    server = serve(filled)
    assert f'"{who}"' in server.get("/").text or f"={who}" in server.get("/").text
    others = [user for user in OTHERS if names.user(user) != str(who)][:20]
    before = {user: scores(server, names.user(user)) for user in others}
    forget(run, filled, "user", who)
    assert f"{who}" not in server.get("/").text
    assert places_of(filled, who) == []
    assert {user: scores(server, names.user(user)) for user in others} == before
    assert filled.psql("SELECT state, count(*) FROM trivet.run GROUP BY 1 ORDER BY 1") == "kept|2\nlive|1\npruned|3"
    check_repaired(run, filled)


# --- an item -----------------------------------------------------------------------------------------------------------


def without(lists, item):
    return {user: {i: score for i, score in scored.items() if str(i) != item} for user, scored in lists.items()}


def test_an_item_is_in_no_store_any_more(run, serve, filled, names):
    ids = {names.what, number_of(filled, "item", names.what)}
    assert len({where for where, _ in places_of(filled, *ids)}) > 10
    raters = set(filled.psql(f"SELECT user_id FROM trivet.rating WHERE item_id = {number_of(filled, 'item', names.what)}").splitlines())
    server = serve(filled)
    strangers = [user for user in OTHERS if number_of(filled, "user", names.user(user)) not in raters][:30]
    before = {model: {user: scores(server, names.user(user), model=model) for user in strangers} for model in (1, 3)}
    refused, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            for user in strangers:
                answer = recs(server, names.user(user))
                if answer.status != 200:
                    refused.append(answer.text)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        done = forget(run, filled, "item", names.what)
    finally:
        stop.set()
        asking.join()
    assert refused == []
    assert places_of(filled, *ids) == []
    assert "trivet-train similar" in done.stdout
    for user in [*OTHERS, WHO]:
        who = names.who if user == WHO else names.user(user)
        assert names.what not in {str(i) for i in scores(server, who)}
    # The same models under other numbers, in the same order, the third one live.
    assert filled.psql("SELECT id, state, algorithm FROM trivet.run ORDER BY 1").splitlines()[3:] == [
        "4|kept|svd", "5|kept|als-implicit", "6|live|als"]
    for old, new in ((1, 4), (3, 6)):
        assert {user: scores(server, names.user(user), model=new) for user in strangers} == without(before[old], names.what)
    assert recs(server, names.user(strangers[0]), model=1).status == 404
    check_repaired(run, filled)
    # Ratings go on, and the models that are kept can be shown.
    answer = server.send("PUT", f"/api/v1/users/{names.user(1001)}/ratings/{names.item(2009)}", {"rating": 5})
    assert answer.status == 200, answer.text
    assert server.send("PUT", f"/api/v1/users/{names.user(1001)}/ratings/{names.what}", {"rating": 5}).status in (404, 422)
    run("trivet-train", "activate", 4, env=filled.env)
    run("trivet-train", "rollback", env=filled.env)
    assert filled.psql("SELECT id FROM trivet.run WHERE state = 'live'") == "6"
    check_repaired(run, filled)
    run("trivet-train", "similar", env=filled.env)
    assert places_of(filled, *ids) == []


def test_an_item_that_people_go_on_rating(run, serve, filled, names):
    """What comes while it is being forgotten goes, too; afterwards servers do not know it."""
    ids = {names.what, number_of(filled, "item", names.what)}
    server, stop, answers = serve(filled), threading.Event(), []

    def rate_on():
        while not stop.is_set():
            for n, user in enumerate(OTHERS[:20]):
                address = f"/api/v1/users/{names.user(user)}/ratings/{names.what}"
                answers.append(server.send("PUT", address, {"rating": 1 + (n + len(answers)) % 5}).status)

    rating = threading.Thread(target=rate_on)
    rating.start()
    try:
        forget(run, filled, "item", names.what)
        assert places_of(filled, *ids) == []
    finally:
        stop.set()
        rating.join()
    assert 200 in answers and answers[-1] in (404, 422)
    assert places_of(filled, *ids) == []
    check_repaired(run, filled)


def test_a_user_who_goes_on_rating_is_somebody_new(run, serve, filled, names):
    """What they rate after the last step stays, and is what is shown; nothing is of before."""
    server, stop = serve(filled), threading.Event()
    items = [names.item(i) for i in range(2001, 2041)]

    def rate_on(seed):
        rng = random.Random(seed)
        while not stop.is_set():
            server.send("PUT", f"/api/v1/users/{names.who}/ratings/{rng.choice(items)}", {"rating": rng.randint(1, 5)})

    threads = [threading.Thread(target=rate_on, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        done = forget(run, filled, "user", names.who)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert "what they rated since then stays" in done.stdout

    def shown():
        answer = server.get(f"/api/v1/users/{names.who}")
        return sorted((str(r["id"]), r["rating"]) for r in answer.json()["items"]) if answer.status == 200 else []

    rated = sorted((code, float(value)) for code, value in (line.split("|") for line in filled.psql(
        f"SELECT trivet.item_code(item_id), value FROM trivet.rating WHERE user_id = {number_of(filled, 'user', names.who)}").splitlines()))
    print(rated, shown())
    until(lambda: shown() == rated, seconds=20)
    check_repaired(run, filled)
    forget(run, filled, "user", names.who)
    assert shown() == []


# --- killed, and run again ---------------------------------------------------------------------------------------------

ITEM_STEPS = [("tv_patiently", 1), ("tv_without_begin", 2), ("tv_user_document_add", 50), ("tv_model_store", 1),
              ("tv_model_check_stored", 1), ("tv_model_switch", 1), ("tv_run_go_live", 1), ("tv_lifecycle_discard", 1),
              ("tv_without_exchange", 1), ("tv_similar_forget", 1), ("tv_similar_settle", 2),
              ("tv_patiently", 3), ("tv_lifecycle_fold_in_waiting", 2), ("tv_patiently", 4)]
USER_STEPS = [("tv_patiently", 1), ("tv_user_delete", 2), ("tv_model_rewrite_mongo", 1), ("tv_model_write_redis", 1),
              ("tv_similar_forget", 1), ("tv_lifecycle_fold_in_waiting", 2), ("tv_patiently", 4)]


@pytest.mark.parametrize("kind, steps", [("item", ITEM_STEPS), ("user", USER_STEPS)])
def test_killed_at_each_step_it_goes_on(programs, run, serve, filled, names, kind, steps):
    code = names.what if kind == "item" else names.who
    ids = {code, number_of(filled, kind, code)}
    server = serve(filled)
    for function, times in steps:
        at(function, programs["trivet-etl"], "forget", kind, code, env=filled.env, times=times)
        left = places_of(filled, *ids)
        assert left != [] or (function, times) in steps[-3:], function
        assert recs(server, names.user(1001)).status == 200, function
        if left == []:  # a number stands in no table of codes: nothing is left to go on with
            break
    assert forget(run, filled, kind, code, check=False).returncode == (0 if left else 3)
    assert places_of(filled, *ids) == []
    assert filled.psql("SELECT count(*) FROM trivet.run WHERE state IN ('kept', 'live')") == "3"
    check_repaired(run, filled)
    assert recs(server, names.user(1001)).status == 200


def test_what_was_killed_in_another_data_set_is_left_to_that(programs, run, fresh_stores, tmp_path):
    """Whoever goes on with it makes its model live, and with it its data set current."""
    place = fresh_stores
    for name in ("books", "films"):
        load(run, place, tmp_path / name, Numbers)
        run(*FIT, "--factors", 3, env=place.env)
    at("tv_without_exchange", programs["trivet-etl"], "forget", "item", WHAT, env=place.env)
    run("trivet-etl", "datasets", "use", "books", env=place.env)
    of_films = "SELECT count(*), sum(user_id) FROM trivet.rating_load_2 WHERE item_id = 2005"
    before = place.psql(of_films)
    done = forget(run, place, "item", 2005)
    assert "item 2005 of data set books is forgotten" in done.stdout
    assert place.psql(of_films) == before and place.psql("SELECT count(*) FROM trivet.rating WHERE item_id = 2005") == "0"
    assert place.psql("SELECT name FROM trivet.dataset WHERE current") == "books"
    run("trivet-etl", "datasets", "use", "films", env=place.env)
    assert place.psql("SELECT count(*) > 0 FROM trivet.item WHERE item_id = 2005") == "t"
    forget(run, place, "item", WHAT)
    assert place.psql("SELECT count(*) FROM trivet.run WHERE state IN ('kept', 'live') AND dataset = 2") == "1"
    check_repaired(run, place)


@pytest.mark.parametrize("kind, code", [("user", WHO), ("item", WHAT)])
def test_a_data_set_that_is_switched_by_hand_meanwhile_loses_nothing(programs, run, fresh_stores, tmp_path, kind, code):
    place = fresh_stores
    for name in ("books", "films"):
        load(run, place, tmp_path / name, Numbers)
    told = held("tv_similar_forget", programs["trivet-etl"], "forget", kind, code, env=place.env, log=tmp_path / "gdb.log",
                act=lambda: place.psql("SELECT trivet.use_dataset(1)"))
    assert "data set books is loaded, and not films" in told, told
    assert place.psql(f"SELECT count(*) > 0 FROM trivet.rating WHERE {kind}_id = {code}") == "t"


def test_a_rollback_after_a_killed_forget_goes_back(programs, run, fresh_stores, tmp_path):
    """And not to what the forget had made in the place of the live model."""
    prepare(run, fresh_stores, tmp_path / "set", Numbers)
    at("tv_without_exchange", programs["trivet-etl"], "forget", "item", Numbers.what, env=fresh_stores.env)
    assert fresh_stores.psql("SELECT count(*) FROM trivet.runs_made_again()") != "0"
    assert "model 2 is live" in run("trivet-train", "rollback", env=fresh_stores.env).stdout


# --- lists that are made meanwhile --------------------------------------------------------------------------------------


def made_beside(programs, place, log, act):
    """`recommend 1 --to postgres` has made its lists when `act` is called, and stores them afterwards."""
    return held("tv_pg_copy_end", programs["trivet-train"], "recommend", "1", "--to", "postgres", env=place.env, log=log, act=act)


@pytest.mark.parametrize("older", [False, True], ids=["first lists", "older lists"])
@pytest.mark.parametrize("kind, code", [("user", WHO), ("item", WHAT)])
def test_lists_that_are_made_meanwhile_are_not_stored(programs, run, fresh_stores, tmp_path, kind, code, older):
    """They were made from documents as they were before. Nobody waits for them either."""
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    run(*FIT, "--factors", 3, env=place.env)
    if older:
        run("trivet-train", "recommend", "1", "--to", "postgres", env=place.env)
    told = made_beside(programs, place, tmp_path / "gdb.log",
                       lambda: run("trivet-etl", "forget", kind, code, "--lock-wait", 5, env=place.env))
    assert places_of(place, code) == []
    sentence = "forgotten while the lists of model 1 were made" if kind == "user" else "model 1 is not kept any more"
    assert sentence in told and "nothing was changed" in told and "exited with code" in told, told
    run("trivet-train", "recommend", "--to", "postgres", env=place.env)
    assert place.psql("SELECT count(*) > 0 FROM trivet.recommendation") == "t" and places_of(place, code) == []


@pytest.mark.parametrize("form", ["csv", "json"])
def test_lists_on_standard_output_of_somebody_forgotten_meanwhile_fail(programs, run, fresh_stores, tmp_path, form):
    """What was written cannot be taken back, so the program says that it is not to be used, and JSON is none."""
    place, log = fresh_stores, tmp_path / "gdb.log"
    load(run, place, tmp_path / "films", Numbers)
    run(*FIT, "--factors", 3, env=place.env)
    told = held("tv_lists_of_all", programs["trivet-train"], "recommend", "1", "--format", form, env=place.env, log=log,
                act=lambda: run("trivet-etl", "forget", "user", WHO, "--lock-wait", 5, env=place.env))
    assert "forgotten while the lists of model 1 were made" in told and "throw away what was written" in told, told
    assert "exited with code" in told and "\n]" not in told and "nothing was changed" not in told, told


def test_lists_on_standard_output_need_no_postgres(run, fresh_stores, tmp_path):
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    run(*FIT, "--factors", 3, env=place.env)
    with_it = run("trivet-train", "recommend", "1", env=place.env)
    without = run("trivet-train", "recommend", "1", env={k: v for k, v in place.env.items() if k != "TRIVET_POSTGRES"})
    assert without.stdout == with_it.stdout and "nobody will tell" in without.stderr and "nobody will tell" not in with_it.stderr


def test_lists_of_a_model_that_goes_meanwhile_are_not_stored(programs, run, fresh_stores, tmp_path):
    place = fresh_stores
    for name in ("films", "shop"):
        load(run, place, tmp_path / name, Numbers)
        run(*FIT, "--factors", 3, env=place.env)
    told = made_beside(programs, place, tmp_path / "gdb.log", lambda: run("trivet-etl", "datasets", "drop", "films", env=place.env))
    assert place.psql("SELECT count(*) FROM trivet.recommendation") == "0"
    assert "model 1 is not kept any more" in told and "exited with code" in told, told


def test_lists_that_came_just_before_their_model_went_go_with_it(run, programs, fresh_stores, tmp_path):
    """Whoever deletes a model deletes its lists first, and calls it gone last."""
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    run(*FIT, "--factors", 3, env=place.env)
    told = held("tv_catalogue_discard", programs["trivet-etl"], "forget", "item", WHAT, env=place.env, log=tmp_path / "gdb.log",
                act=lambda: place.psql("INSERT INTO trivet.recommendation VALUES (1, 1001, 1, 2001, 0.5)"))
    assert "exited normally" in told
    assert place.psql("SELECT count(*) FROM trivet.recommendation") == "0"


# --- what it says ------------------------------------------------------------------------------------------------------


def test_who_is_not_there_is_named(run, servers, tmp_path):
    place = servers.place()
    assert "load ratings first" in forget(run, place, "user", "anybody", check=False).stderr
    load(run, place, tmp_path / "films", Codes)
    done = forget(run, place, "user", "nobody", check=False)
    assert done.returncode != 0 and 'no user "nobody"' in done.stderr and "datasets use" in done.stderr
    assert "forget knows user and item" in forget(run, place, "film", "x", check=False).stderr
    # Without a model, too; and only whole words are taken for the id.
    place.psql("INSERT INTO trivet.reject SELECT max(id), 'more.csv', 1, 'r', 'u-770077-xy,i-1-y,3' FROM trivet.load")
    place.psql("INSERT INTO trivet.run (command, state) VALUES ('trivet-train fit --source u-770077-x', 'failed')")
    done = forget(run, place, "user", Codes.who)
    assert "in what was typed (run 1)" in done.stdout
    assert {where for where, _ in places_of(place, Codes.who)} == {"trivet.run"}
    assert place.psql("SELECT raw FROM trivet.reject WHERE raw LIKE '%770077%'") == "u-770077-xy,i-1-y,3"


def test_a_number_that_nobody_has(run, fresh_stores, tmp_path):
    """Every integer is an id; what the data set has of it decides, in all stores, and other data sets are named."""
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    run(*FIT, "--factors", 3, env=place.env)
    before = place.psql("SELECT fingerprint FROM trivet.run")
    for kind, number in (("user", 7055), ("item", 7055), ("user", 2005), ("item", 1005)):
        done = forget(run, place, kind, number, check=False)
        assert done.returncode == 3 and f"data set films has no {kind} {number}" in done.stderr, done.stderr
        assert done.stdout == "" and "films)" not in done.stderr
    assert place.psql("SELECT fingerprint FROM trivet.run") == before != ""
    load(run, place, tmp_path / "shop", Numbers)
    place.psql(f"SELECT trivet.forget_user({WHO})")
    done = forget(run, place, "user", WHO, check=False)
    assert done.returncode == 3 and f"data set shop has no user {WHO}" in done.stderr and "(films)" in done.stderr, done.stderr
    done = forget(run, place, "user", 1001)
    assert "user 1001 of data set shop is forgotten" in done.stdout and "other data sets are as they were: films\n" in done.stdout
    assert "stores" not in done.stdout
    assert forget(run, place, "user", 1001, check=False).returncode == 3


@pytest.mark.parametrize("kind, where", [("user", "document"), ("item", "model"), ("item", "catalogue"), ("item", "index")])
def test_what_a_killed_run_left_in_one_store_is_found(run, fresh_stores, tmp_path, kind, where):
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    if where == "index":
        run("trivet-train", "similar", env=place.env)
    elif where != "catalogue":
        run(*FIT, "--factors", 3, env=place.env)
    else:
        place.mongo_db().catalogue_1.insert_one({"_id": WHAT, "title": "Film"})
    code = WHO if kind == "user" else WHAT
    place.psql({"item": f"SELECT trivet.forget_item({code}, 3)", "user": f"SELECT trivet.forget_user({code}), trivet.forget_user_code({code})"}[kind])
    place.psql("DELETE FROM trivet.similar_event")
    assert place.psql(f"SELECT trivet.forget_finds('{kind}', {code})").splitlines() == ["f"]
    if where == "model":
        place.mongo_db().catalogue_1.delete_one({"_id": WHAT})
    assert "is forgotten" in forget(run, place, kind, code).stdout
    assert places_of(place, code) == []
    assert forget(run, place, kind, code, check=False).returncode == 3


@pytest.mark.parametrize("command", [("trivet-etl", "forget", "user", WHO), ("trivet-train", "repair")])
def test_rows_of_a_load_that_was_killed_go(run, fresh_stores, tmp_path, command):
    """They stand in a table of their own that nobody reads, as the next load would find it."""
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    place.psql("INSERT INTO trivet.load (state, name, source) VALUES ('loading', 'films', 'films'); SELECT trivet.load_table(2)")
    place.psql(f"INSERT INTO trivet.rating_load_2 (user_id, item_id, value) VALUES ({WHO}, 2001, 3)")
    done = run(*command, env=place.env)
    assert "1 killed load left rows" in done.stderr + done.stdout
    assert place.psql("SELECT to_regclass('trivet.rating_load_2')").strip() == ""
    assert place.psql("SELECT state FROM trivet.load ORDER BY id").split() == ["complete", "failed"]


def test_counts_follow(run, serve, fresh_stores, tmp_path):
    """Loads, the list of data sets, the next training, and models that are made again or lose a user."""
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    run(*FIT, "--factors", 3, env=place.env)

    def counts(model):
        described = place.mongo_db()[f"model_{model}"].find_one({"_id": "description"})
        journal = place.psql(f"SELECT counts ->> 'items', counts ->> 'users_served' FROM trivet.run WHERE id = {model}")
        told = json.loads(described["description"])["counts"] if isinstance(described["description"], str) else described["description"]["counts"]
        assert journal == f"{told['items']}|{told['users_served']}" == f"{described['items']}|{described['users']}"
        return told["items"], told["users_served"]

    def ratings():
        there = int(place.psql("SELECT count(*) FROM trivet.rating"))
        assert int(place.psql("SELECT sum(row_count) FROM trivet.load")) == there
        assert int(place.psql("SELECT ratings FROM trivet.datasets()")) == there
        assert place.psql("SELECT description ->> 'ratings' FROM trivet.data_state()") == str(there)
        return there

    items, users = counts(1)
    before = ratings()
    done = forget(run, place, "user", WHO)
    assert ratings() == before - int(re.search(r"(\d+) ratings? (?:are|is) deleted", done.stdout)[1]) < before
    assert counts(1) == (items, users - 1)
    done = forget(run, place, "item", WHAT)
    assert ratings() < before - 1
    assert counts(2) == (items - 1, users - 1)
    check_repaired(run, place)


def test_an_index_of_before_the_last_load_is_ended(run, fresh_stores, tmp_path):
    """No change told it of rows that went with a load; one that has heard of all stays."""
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    run("trivet-train", "similar", env=place.env)
    forget(run, place, "user", 1005)
    assert place.redis_client().get("trivet:similar:live") == b"1"
    path = tmp_path / "films/ratings.csv"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith(f"{WHO},")))
    run("trivet-etl", "load", path.parent, env=place.env)
    done = forget(run, place, "user", WHO)
    assert place.redis_client().get("trivet:similar:live") is None, done.stdout
    assert place.redis_client().keys("trivet:similar:{1}*") == []


def test_what_was_learned_is_told_though_newcomers_rated(run, fresh_stores, tmp_path):
    """Who rated live has a document beside those of the training, so that their number says nothing."""
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    run(*FIT, "--factors", 3, env=place.env)
    rate(place, "770078", "2003", 5)
    run("trivet-train", "repair", env=place.env)
    assert place.mongo_db().user_1.find_one({"_id": 770078})
    assert "what the models learned" in forget(run, place, "user", 1005).stdout
    check_repaired(run, place)


def test_defaults_are_not_what_was_typed(run, fresh_stores, tmp_path):
    """The journal has all parameters of a run, and the SQL that they make: nobody typed those."""
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    run(*FIT, "--factors", 4, env=place.env)
    held = place.psql("SELECT parameters::text || filter::text || source FROM trivet.run")
    assert re.search(r"\b3\b", held), held
    rate(place, "3", "2003", 5)
    assert "typed" not in forget(run, place, "user", 3).stdout


def test_other_data_sets_keep_what_is_theirs(run, fresh_stores, tmp_path):
    """The same id in two data sets: it goes out of the current one."""
    place = fresh_stores
    load(run, place, tmp_path / "films", Numbers)
    run(*FIT, "--factors", 3, env=place.env)
    load(run, place, tmp_path / "shop", Numbers)
    run(*FIT, "--factors", 3, env=place.env)
    before = [p for p in places_of(place, WHAT) if p[0] in ("user_1", "catalogue_1", "model_1", "trivet.rating_load_1")]
    forget(run, place, "item", WHAT)
    after = places_of(place, WHAT)
    assert [p for p in after if p[0] in ("user_1", "catalogue_1", "model_1", "trivet.rating_load_1")] == before
    assert not [p for p in after if p[0] in ("catalogue_2", "user_3", "model_3", "trivet.item", "trivet.rating")]
    run("trivet-train", "activate", 1, env=place.env)
    assert place.psql(f"SELECT count(*) > 0 FROM trivet.rating WHERE item_id = {WHAT}") == "t"


def test_a_data_set_that_does_not_serve(run, fresh_stores, tmp_path):
    """The first one is loaded again, and the second one's model and index go on serving: its index cannot hear of anything."""
    place = fresh_stores
    for name in ("films", "shop"):
        load(run, place, tmp_path / name, Numbers)
        run(*FIT, "--factors", 3, env=place.env)
        run("trivet-train", "similar", env=place.env)
    run("trivet-etl", "datasets", "use", "films", env=place.env)
    theirs = {"trivet.rating_load_2", "trivet.tag_2", "trivet.reject", "trivet.load", "user", "user_2", "model_2", "redis"}
    assert {where for where, _ in places_of(place, WHO)} > theirs - {"redis", "model_2"}
    done = forget(run, place, "user", WHO)
    assert "is ended" in done.stdout
    left = places_of(place, WHO)
    assert {where for where, _ in left} <= theirs and ("user_2", WHO) in left
    assert place.psql("SELECT id, state FROM trivet.similar_index ORDER BY 1") == "1|dropped\n2|live"
    assert place.psql("SELECT id FROM trivet.run WHERE state = 'live'") == "2"
    check_repaired(run, place)
