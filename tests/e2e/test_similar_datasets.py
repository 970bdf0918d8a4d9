"""Indices of similar items of several data sets: one serves, the others are kept whole beside it, and nothing of one shows in
another. Ids of the two sets overlap on purpose: item 1 is in both."""

import json
import random

import pytest

import psycopg2

import breakpoints
from server import until
from test_load import write
from test_similar import dump, events_of, insert, journal_of, keys, live, similar, sketches, sets_of

ITEMS = {"a": 30, "b": 24}


@pytest.fixture
def sets(tmp_path):
    """Two folders: 40 users each, 300 ratings of 1 to 5, titles "Film a7" and "Film b7"."""
    for name, n in ITEMS.items():
        draw = random.Random(name)
        pairs = draw.sample([(user, item) for user in range(1, 41) for item in range(1, n + 1)], 300)
        write(tmp_path / name, ratings="userId,movieId,rating\n" + "".join(f"{u},{i},{draw.randrange(1, 6)}\n" for u, i in pairs),
              movies="movieId,title,genres\n" + "".join(f"{i},Film {name}{i} (19{50 + i}),Drama\n" for i in range(1, n + 1)))
    return tmp_path


@pytest.fixture
def place(run, fresh_stores, sets):
    """Data set a is loaded, and has index 1."""
    run("trivet-etl", "load", sets / "a", env=fresh_stores.env)
    similar(run, fresh_stores)
    return fresh_stores


def load(run, stores, folder, *words):
    run("trivet-etl", "load", folder, *words, env=stores.env)


def fit(run, stores, *words):
    run("trivet-train", "fit", "--factors", "4", "--set", "min_users_for_item=1", *words, env=stores.env)


def is_of(stores, name):
    """The live index is what a build from that data set, which is loaded, would give."""
    assert stores.psql("SELECT name FROM trivet.dataset WHERE current") == name
    assert dump(stores) == sketches(sets_of(stores))


def waiting(stores):
    return stores.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL")


def looks(stores, times):
    """A server has looked for events so many times."""
    last = ("SELECT max(state_change) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle' AND "
            "application_name = 'trivet-similar'")
    for _ in range(times):
        before = until(lambda: stores.psql(last))
        until(lambda: stores.psql(last) not in ("", before))


def test_each_data_set_has_an_index_and_comes_back_with_its_events(run, place, sets):
    insert(place, (41, 1, 5))  # waits for index 1, while b is loaded
    before = waiting(place)
    load(run, place, sets / "b")
    insert(place, (99, 1, 5))  # of b, which no index is of
    assert waiting(place) == before == "1"
    done = similar(run, place)
    assert "index 2 of similar items is live: 24 items" in done.stdout
    assert live(place) == b"2" and journal_of(place) == "kept,live" and len(keys(place)) == 2
    is_of(place, "b")
    insert(place, (98, 2, 5))
    similar(run, place, "--update")
    is_of(place, "b")
    assert waiting(place) == "1"
    place.psql("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = 'a'))")
    assert live(place) == b"2"
    done = similar(run, place, "--if-changed")
    assert "index 1 of similar items is from the same ratings" in done.stdout and "1 changes since were applied" in done.stderr
    assert journal_of(place) == "live,kept" and waiting(place) == "0"
    is_of(place, "a")
    similar(run, place, "--check")


@pytest.mark.parametrize("statement", [
    "DELETE FROM trivet.rating_load_1 WHERE user_id < 30",
    "INSERT INTO trivet.rating_live_1 (user_id, item_id, value) VALUES (41, 2, 5)",
    "UPDATE trivet.rating_load_1 SET item_id = 2 WHERE item_id = 3",
])
def test_what_is_changed_in_a_data_set_that_is_away_is_built_anew(run, place, sets, statement):
    insert(place, (41, 1, 5))
    similar(run, place, "--update")
    load(run, place, sets / "b")
    similar(run, place)
    place.psql(statement)
    run("trivet-etl", "datasets", "use", "b", env=place.env)
    assert "nothing changed" in similar(run, place, "--if-changed").stdout  # nothing of b
    run("trivet-etl", "datasets", "use", "a", env=place.env)
    assert "index 3 of similar items is live" in similar(run, place, "--if-changed").stdout
    is_of(place, "a")
    assert "nothing changed" in similar(run, place, "--if-changed").stdout


def test_a_new_index_takes_the_place_of_its_own_data_sets_alone(run, place, sets):
    load(run, place, sets / "b")
    similar(run, place)
    similar(run, place)
    assert journal_of(place) == "kept,dropped,live" and keys(place) == {"trivet:similar:{1}", "trivet:similar:{3}"}
    run("trivet-etl", "datasets", "use", "a", env=place.env)
    similar(run, place)
    assert journal_of(place) == "dropped,dropped,kept,live" and keys(place) == {"trivet:similar:{3}", "trivet:similar:{4}"}
    assert {key: place.redis_client().hget(key, "dataset") for key in keys(place)} == {"trivet:similar:{3}": b"2", "trivet:similar:{4}": b"1"}


def test_an_index_of_another_data_set_is_neither_checked_nor_updated(run, place, sets):
    insert(place, (41, 1, 5))
    before = dump(place)
    load(run, place, sets / "b")
    for word in ("--check", "--update"):
        done = similar(run, place, word, check=False)
        assert done.returncode != 0 and "is of data set a, but b is loaded" in done.stderr and "trivet-train similar builds one of b" in done.stderr
    assert dump(place) == before and waiting(place) == "1"


def test_a_server_applies_no_events_while_another_data_set_is_loaded(run, serve, place, sets):
    """Otherwise the pairs of a, which are not among b's, would be taken for gone."""
    place.psql("DELETE FROM trivet.rating WHERE item_id = 3 AND user_id IN (SELECT min(user_id) FROM trivet.rating WHERE item_id = 3)")
    insert(place, (41, 1, 5))
    before = dump(place)
    load(run, place, sets / "b")
    server = serve(place)
    insert(place, (99, 1, 5))
    looks(place, 2)
    assert dump(place) == before and waiting(place) == "2"
    run("trivet-etl", "datasets", "use", "a", env=place.env)
    until(lambda: waiting(place) == "0")
    is_of(place, "a")
    server.stop()


def test_events_that_wait_for_a_switch_are_not_looked_up_in_the_other(run, serve, place, sets):
    """They are read in a transaction whose snapshot is of the moment before; a table that is attached shows its rows to it, too."""
    load(run, place, sets / "b")
    run("trivet-etl", "datasets", "use", "a", env=place.env)
    server = serve(place)
    looks(place, 1)
    server.pause()
    # Of pairs that are there, all of them.
    place.psql("INSERT INTO trivet.similar_event (index_id, user_id, item_id) SELECT 1, user_id, item_id FROM trivet.rating")
    loading = psycopg2.connect(place.postgres_uri)
    loading.cursor().execute("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = 'b'))")
    before = dump(place)
    server.resume()
    held = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'trivet-similar'"
    until(lambda: place.psql(held) != "0", 30)
    loading.commit()
    looks(place, 2)
    assert dump(place) == before and waiting(place) == "300"
    run("trivet-etl", "datasets", "use", "a", env=place.env)
    until(lambda: waiting(place) == "0")
    is_of(place, "a")
    server.stop()


def test_a_model_brings_the_index_of_its_data_set(run, place, sets):
    fit(run, place)
    load(run, place, sets / "b")
    assert similar(run, place).stderr.count("model 1, which is live, is of a") == 1
    assert live(place) == b"2"  # that of what is loaded, though the model is a's
    fit(run, place)
    assert live(place) == b"2" and journal_of(place) == "kept,live"
    run("trivet-train", "activate", "1", env=place.env)
    assert live(place) == b"1" and journal_of(place) == "live,kept"
    is_of(place, "a")
    run("trivet-train", "rollback", env=place.env)
    assert live(place) == b"2" and journal_of(place) == "kept,live"
    is_of(place, "b")


def test_a_model_of_a_data_set_without_an_index_leaves_none(run, place, sets):
    load(run, place, sets / "b")
    done = run("trivet-train", "fit", "--factors", "4", "--set", "min_users_for_item=1", env=place.env)
    assert "no index of similar items is of the data set that serves" in done.stderr
    assert live(place) is None and journal_of(place) == "kept" and keys(place) == {"trivet:similar:{1}"}
    done = run("trivet-train", "repair", env=place.env)
    assert "index 1 is kept, of data set a" in done.stdout and "everything agrees" in done.stdout
    insert(place, (99, 1, 5))
    assert events_of(place) == ""


# --- killed, lost, dropped ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function, states", [
    ("write_description", "live,failed"),
    ("settle_new", "kept,live"),
])
def test_killed_while_another_data_sets_index_is_built(run, programs, place, sets, function, states):
    load(run, place, sets / "b")
    breakpoints.at(function, programs["trivet-train"], "similar", env=place.env)
    run("trivet-train", "repair", env=place.env)
    assert journal_of(place) == states
    similar(run, place)
    is_of(place, "b")
    assert journal_of(place).split(",")[0] == "kept" and journal_of(place).endswith("live") and len(keys(place)) == 2


@pytest.mark.parametrize("function", ["follow", "tv_similar_switch", "tv_similar_drop_others"])
@pytest.mark.parametrize("who", ["repair", "follower"])
def test_killed_as_a_model_brings_its_index(run, programs, serve, place, sets, function, who):
    fit(run, place)
    load(run, place, sets / "b")
    similar(run, place)
    fit(run, place)
    breakpoints.at(function, programs["trivet-train"], "activate", "1", env=place.env,
                   times={"follow": 1, "tv_similar_switch": 1, "tv_similar_drop_others": 2}[function])
    if who == "follower":  # which tells no index that is whole from another, and ends none
        server = serve(place)
        looks(place, 1)
        server.stop()
    insert(place, (41, 1, 5))
    run("trivet-train", "repair", env=place.env)
    assert live(place) == b"1" and journal_of(place) == "live,kept" and len(keys(place)) == 2
    similar(run, place, "--update")
    is_of(place, "a")


def test_a_kept_index_that_redis_has_lost_is_over(run, place, sets):
    load(run, place, sets / "b")
    similar(run, place)
    redis = place.redis_client()
    redis.delete(*redis.scan_iter("trivet:similar:{1}*"))
    assert "indices of similar items" in run("trivet-train", "repair", env=place.env).stderr
    assert journal_of(place) == "dropped,live"
    run("trivet-etl", "datasets", "use", "a", env=place.env)
    insert(place, (41, 1, 5))
    assert events_of(place) == ""
    similar(run, place, "--if-changed")
    is_of(place, "a")


def test_the_index_of_a_dropped_data_set_goes(run, place, sets):
    insert(place, (41, 1, 5))
    load(run, place, sets / "b")
    similar(run, place)
    run("trivet-etl", "datasets", "drop", "a", env=place.env)
    assert journal_of(place) == "dropped,live" and events_of(place) == ""
    run("trivet-train", "repair", env=place.env)
    assert keys(place) == {"trivet:similar:{2}"}


def test_the_index_of_a_dropped_data_set_serves_no_longer(run, place, sets):
    load(run, place, sets / "b")
    run("trivet-etl", "datasets", "drop", "a", env=place.env)
    run("trivet-train", "repair", env=place.env)
    assert live(place) is None and keys(place) == set()


def test_what_was_dropped_is_not_shown_by_a_server_that_runs(run, serve, place, sets):
    """At once, though no command of trivet-train follows."""
    server = serve(place)
    until(lambda: by_audience(server, 1).status == 200)
    load(run, place, sets / "b")
    assert all_of(server, "a")
    done = run("trivet-etl", "datasets", "drop", "a", env=place.env)
    assert "a is deleted" in done.stdout and live(place) is None
    until(lambda: by_audience(server, 1).status == 503)
    assert server.get("/api/v1/items/1").status != 200 and "Film a" not in server.get("/similar?q=film", accept="text/html").text
    similar(run, place)
    assert all_of(server, "b")
    server.stop()


def test_drop_without_redis_says_what_it_leaves(run, place, sets):
    load(run, place, sets / "b")
    done = run("trivet-etl", "datasets", "drop", "a", env=place.env | {"TRIVET_REDIS": "redis://127.0.0.1:1"})
    assert "goes on answering" in done.stderr and "trivet-train repair" in done.stderr


def test_a_redis_that_comes_back_older_has_lost_nothing_of_a_kept_index(run, place, sets):
    """What it had applied in its last seconds is applied again when the index comes back, however late that is."""
    redis = place.redis_client()
    saved = {key: redis.dump(key) for key in redis.scan_iter("trivet:similar:{1}*")}
    insert(place, (41, 1, 5))
    similar(run, place, "--update")
    load(run, place, sets / "b")
    similar(run, place)
    redis.delete(*redis.scan_iter("trivet:similar:{1}*"))
    for key, value in saved.items():
        redis.restore(key, 0, value)
    place.psql("UPDATE trivet.similar_event SET applied_at = now() - interval '1 hour'")
    insert(place, (99, 1, 5))
    similar(run, place, "--update")
    run("trivet-etl", "datasets", "use", "a", env=place.env)
    done = similar(run, place, "--if-changed")
    assert "has lost changes of similar items" in done.stderr
    is_of(place, "a")


def test_an_index_of_an_older_trivet_learns_whose_it_is(run, place):
    place.redis_client().hdel("trivet:similar:{1}", "dataset")
    run("trivet-train", "repair", env=place.env)
    assert json.loads(place.redis_client().hget("trivet:similar:{1}", "dataset")) == 1

# --- served -------------------------------------------------------------------------------------------------------------


def titles(answer):
    return [item["title"] for item in answer.json()["items"]]


def by_audience(server, item, *more):
    return server.get(f"/api/v1/items/{item}/similar?" + "&".join(["by=audience", "top=20", *more]))


def all_of(server, name):
    """Titles are of that data set: of the list, of the page, of its search, and of each item."""
    answer = by_audience(server, 1)
    assert answer.status == 200 and answer.json()["title"] == f"Film {name}1 (1951)" and len(titles(answer)) == 20
    assert all(title.startswith(f"Film {name}") for title in titles(answer))
    page = server.get("/similar?item=1&top=20", accept="text/html").text
    assert f"Similar to Film {name}1" in page and page.count(f">Film {name}") >= 20
    other = {"a": "b", "b": "a"}[name]
    found = server.get("/similar?q=film", accept="text/html").text
    assert page.count(f"Film {other}") == found.count(f"Film {other}") == 0 and found.count(f">Film {name}") == 20
    return True


def test_similar_items_need_no_model(serve, place):
    server = serve(place)
    until(lambda: server.get("/readyz").status == 200)
    ready = server.get("/readyz").json()
    assert (ready["status"], ready["model"]) == ("degraded", None) and "no model is live yet" in ready["notice"]
    assert all_of(server, "a")
    exact = by_audience(server, 1, "exact=1")
    assert exact.status == 200 and all("jaccard" in item for item in exact.json()["items"])
    found = server.get("/api/v1/items?q=a7").json()
    assert (found["model"], found["found"]) == (None, 1) and found["items"][0]["title"] == "Film a7 (1957)"
    item = server.get("/api/v1/items/7").json()
    assert (item["model"], item["title"], item["year"], item["in_model"]) == (None, "Film a7 (1957)", 1957, False) and item["count"] > 0
    assert server.get("/api/v1/items/999").status == 404
    assert "by factors" not in server.get("/similar?item=1", accept="text/html").text
    assert server.get("/similar?item=1&by=factors").status == 503 and server.get("/recs?user_id=1").status == 503
    assert "No model" in server.get("/", accept="text/html").text
    server.stop()


def test_without_a_model_ids_that_are_text_are_known(run, serve, fresh_stores, tmp_path):
    folder = write(tmp_path / "shop", ratings="userId,movieId,rating\n" + "".join(f"u{u},p-{i},4\n" for u in range(9) for i in range(u % 4 + 1)),
                   movies="movieId,title,genres\n" + "".join(f"p-{i},Thing {i} (2001),Drama\n" for i in range(4)))
    run("trivet-etl", "load", folder, env=fresh_stores.env)
    similar(run, fresh_stores)
    server = serve(fresh_stores)
    answer = server.get("/api/v1/items/p-1/similar?by=audience").json()
    assert answer["id"] == "p-1" and {item["id"]: item["title"] for item in answer["items"]}["p-0"] == "Thing 0 (2001)"
    assert server.get("/api/v1/items/p-9/similar?by=audience").status == 404
    server.stop()


def test_without_a_model_and_without_an_index_both_are_named(run, serve, fresh_stores, sets):
    load(run, fresh_stores, sets / "a")
    server = serve(fresh_stores)
    answer = server.get("/similar?item=1")
    assert answer.status == 503 and "trivet-train similar" in answer.json()["hint"]
    assert server.get("/readyz").status == 503
    server.stop()


def test_no_answer_mixes_data_sets(run, serve, place, sets):
    """What is live is a's model; the index is b's, then a's again, then there is none."""
    fit(run, place)
    load(run, place, sets / "b")
    server = serve(place)
    until(lambda: server.get("/readyz").status == 200)
    assert all_of(server, "a")
    counted = by_audience(server, 1, "exact=1")
    assert counted.status == 409 and "has data set b loaded" in counted.json()["detail"] and "of a" in counted.json()["detail"]
    link = next(part for part in server.get("/recs?user_id=1", accept="text/html").text.split('"') if part.startswith("/similar?item="))
    link = link.replace("&amp;", "&")
    assert server.get(link).status == 200 and "dataset=1" in link
    similar(run, place)
    assert all_of(server, "b") and by_audience(server, 1, "exact=1").status == 200
    assert server.get("/api/v1/items/1").json()["title"] == "Film a1 (1951)"  # the model's
    until(lambda: "which is of b" in server.get(link).json()["detail"])
    assert server.get(link).status == 409
    assert server.get(link + "&by=factors").status == 200
    fit(run, place)
    until(lambda: server.get("/readyz").json()["model"] == 2)
    assert all_of(server, "b")
    run("trivet-train", "activate", "1", env=place.env)
    until(lambda: server.get("/readyz").json()["model"] == 1)
    assert all_of(server, "a") and by_audience(server, 1, "exact=1").status == 200
    place.psql("DELETE FROM trivet.rating WHERE item_id = 7")
    until(lambda: by_audience(server, 7).status == 404)  # its events are applied
    server.stop()


def test_titles_are_the_newest_that_were_indexed(run, serve, place, sets):
    server = serve(place)
    assert until(lambda: by_audience(server, 1).status == 200) and all_of(server, "a")
    write(sets / "a", ratings=(sets / "a" / "ratings.csv").read_text(), movies="movieId,title,genres\n1,Renamed (1999),Drama\n")
    load(run, place, sets / "a")
    similar(run, place)
    assert by_audience(server, 1).json()["title"] == "Renamed (1999)"
    server.stop()


@pytest.mark.parametrize("function", ["tv_item_documents_write", "tv_catalogue_publish", "tv_similar_switch"])
def test_killed_while_items_are_written(run, programs, place, function):
    breakpoints.at(function, programs["trivet-train"], "similar", env=place.env)
    run("trivet-train", "repair", env=place.env)
    assert [name for name in place.mongo_db().list_collection_names() if name.startswith("catalogue_")] == ["catalogue_1"]
    assert live(place) == b"1" and journal_of(place) == "live,failed"
    similar(run, place)
    assert place.mongo_db()["catalogue_1"].count_documents({}) == 30


def test_an_index_that_is_out_of_date_is_said_on_the_page_and_in_the_log(run, serve, place, sets):
    server = serve(place)
    page = lambda: server.get("/similar?q=film", accept="text/html").text
    assert "For whoever runs this server" not in page()
    load(run, place, sets / "b")
    said = "the index of similar items (1) was made of the data set a, but b is loaded"
    until(lambda: f"{said}; trivet-train similar" in page())
    load(run, place, sets / "a")
    said_again = "the index of similar items (1) was made before the data set a was loaded last"
    until(lambda: said_again in page())
    similar(run, place)
    until(lambda: "For whoever runs this server" not in page())
    assert server.log().count(said) == server.log().count(said_again) == 1


def test_a_server_that_follows_survives_a_redis_that_is_away(run, serve, private_stores, sets):
    """The thread that follows is the first to find Redis away: its connection is cut, and Redis takes no new one but goes on answering
    the breaker, whose connection stands."""
    run("trivet-etl", "load", sets / "a", env=private_stores.env)
    similar(run, private_stores)
    server = serve(private_stores)
    until(lambda: "Film a7" in server.get("/similar?q=film", accept="text/html").text)
    client = private_stores.redis_client()
    names = [c["id"] for c in client.client_list() if c["cmd"] not in ("ping", "subscribe", "psubscribe", "client|list", "client")]
    client.config_set("maxclients", 1)
    for name in names:
        client.client_kill_filter(_id=name)
    until(lambda: "Redis is away" in server.log() or not server.running)
    assert server.running, server.log(20)
    client.config_set("maxclients", 1000)
    until(lambda: server.get("/readyz").json()["stores"]["redis"]["up"])


def test_use_brings_the_index_back_and_says_what_is_left_to_do(run, place, sets):
    """Without a model the rows that are loaded decide; with a live one of another data set what serves goes on."""
    load(run, place, sets / "b")
    similar(run, place)
    use = lambda name, **more: run("trivet-etl", "datasets", "use", name, env={**place.env, **more})
    done = use("a")
    assert live(place) == b"1" and journal_of(place) == "live,kept"
    assert done.stdout == "a is the data set that is loaded\n" and "index 1 of similar items" in done.stderr
    is_of(place, "a")
    done = use("b", TRIVET_REDIS="redis://127.0.0.1:1/0")
    assert "is left as it is until the next command of trivet-train" in done.stderr and live(place) == b"1"
    assert "the index of similar items (1) was made of the data set a: trivet-train similar --if-changed" in done.stdout
    run("trivet-train", "repair", env=place.env)
    assert live(place) == b"2" and journal_of(place) == "kept,live"
    fit(run, place)  # of b
    done = use("a")
    assert "model 1, which is live, was made of the data set b and goes on being served; ratings are refused: trivet-train fit" in done.stdout
    assert "the index of similar items (2) was made of the data set b: trivet-train similar --if-changed" in done.stdout and live(place) == b"2"
    assert "index 1 of similar items, which was kept, is live again" in similar(run, place, "--if-changed").stdout
    fit(run, place)  # of a
    assert live(place) == b"1"
    done = use("b")
    assert "goes on being served; ratings are refused: trivet-train activate 1, or trivet-train fit" in done.stdout and live(place) == b"1"
    assert use("a").stdout == "a is the data set that is loaded\n"


def test_use_of_a_data_set_without_an_index_names_the_command(run, place, sets):
    load(run, place, sets / "b")
    run("trivet-etl", "datasets", "use", "a", env=place.env)
    done = run("trivet-etl", "datasets", "use", "b", env=place.env)
    assert "the index of similar items (1) was made of the data set a: trivet-train similar\n" in done.stdout and live(place) == b"1"


def test_where_the_index_is_of_another_data_set_it_is_said(run, serve, place, sets):
    """Not: Redis has no index."""
    load(run, place, sets / "b")
    fit(run, place)
    said = "no index of similar items is of the data set b; kept: 1, of a"
    server = serve(place)
    until(lambda: said in by_audience(server, 1).text, 40)
    answer = by_audience(server, 1)
    assert answer.status == 503 and "trivet-train similar" in answer.json()["hint"]
    assert "For whoever runs this server: " + said in server.get("/similar?q=film&by=audience", accept="text/html").text
    for word in ("--check", "--update"):
        done = similar(run, place, word, check=False)
        assert done.returncode == 3 and said in done.stderr and "trivet-train similar builds one of what is loaded" in done.stderr
    assert said in run("trivet-etl", "datasets", "use", "b", env=place.env).stdout
    similar(run, place)
    until(lambda: by_audience(server, 1).status == 200)
    until(lambda: said not in server.get("/similar?q=film&by=audience", accept="text/html").text)
    server.stop()


CONDITIONS = {
    "none": ([], "trivet.similar_rows()", None, None, "made of all ratings"),
    "rating": (["--min-rating", "4"], "trivet.similar_rows(min_rating => '4'::real)", 4, None, "made of ratings of at least 4"),
    "both": (["--min-rating", "2.5", "--since", "1969-01-31 00:00+00"],
             "trivet.similar_rows(min_rating => '2.5'::real, rated_since => '1969-01-31T00:00:00+00:00'::timestamptz)", 2.5, "1969-01-31T00:00:00+00:00",
             "made of ratings of at least 2.5 given since 1969-01-31T00:00:00+00:00"),
    "own": (["--source", "(SELECT user_id AS userid, item_id AS movieid, value AS rating FROM trivet.rating WHERE value > 1) min_rating"],
            "(SELECT user_id AS userid, item_id AS movieid, value AS rating FROM trivet.rating WHERE value > 1) min_rating", None, None,
            "made of the rows of (SELECT"),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_an_index_says_what_it_is_made_of(run, serve, fresh_stores, sets, name):
    words, source, low, since, said = CONDITIONS[name]
    folder = sets / "a"
    lines = (folder / "ratings.csv").read_text().splitlines()
    (folder / "ratings.csv").write_text("\n".join([lines[0] + ",timestamp", *(line + ",86400" for line in lines[1:])]) + "\n")
    load(run, fresh_stores, folder)
    built = similar(run, fresh_stores, *words)
    assert (f" rows of {source}; " in built.stdout) == (name != "none"), built.stdout
    server = serve(fresh_stores)
    until(lambda: by_audience(server, 1).json()["source"] is not None)
    answer = by_audience(server, 1).json()
    assert {m: answer[m] for m in ("index", "dataset", "data", "source", "min_rating", "since")} == {
        "index": 1, "dataset": 1, "data": "a", "source": source, "min_rating": low, "since": since}
    page = server.get("/similar?item=1", accept="text/html").text
    assert f"Audiences are of the data set a, {said}" in page.replace("&#39;", "'"), page
    load(run, fresh_stores, sets / "b")
    similar(run, fresh_stores)
    until(lambda: by_audience(server, 1).json().get("data") == "b")
    assert "of the data set b, made of all ratings" in server.get("/similar?item=1", accept="text/html").text


def test_without_a_model_what_is_forgotten_is_shown_no_more(run, serve, place, sets):
    """An item that nobody rated has no row in the index, which goes on."""
    path = sets / "a" / "movies.csv"
    path.write_text(path.read_text() + "99,Film alone (1950),Drama\n")
    load(run, place, sets / "a")
    similar(run, place)
    server = serve(place)
    until(lambda: by_audience(server, 1).json()["source"] is not None)
    assert server.get("/api/v1/items?q=alone").json()["found"] == 1 and server.get("/api/v1/items/99").status == 200
    run("trivet-etl", "forget", "item", "99", env=place.env)
    until(lambda: server.get("/api/v1/items?q=alone").json()["found"] == 0, seconds=6)
    assert server.get("/api/v1/items/99").status == 404
    assert by_audience(server, 1).json()["index"] == 2
    assert "alone" not in server.get("/similar?q=film", accept="text/html").text
