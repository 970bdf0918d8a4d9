"""/lab on real stores: its answers are those of the SQL functions, its questions can be stopped, and it writes nothing."""

import concurrent.futures
import hashlib
import http.client
import json
import random
import re
import time
import urllib.parse

import psycopg2
import pytest

from server import until
from slow_sweep import nobody_reads, sweep_waits
from stores import Place, Servers

THREE_AT_ONCE, WAITING = 3, 16  # serve/stores/questions.h


@pytest.fixture(scope="module")
def own(run, tmp_path_factory):
    """Three servers of this file's own with ratings of 150 users, some of them twice, and a model."""
    folder = tmp_path_factory.mktemp("lab") / "ratings"
    folder.mkdir()
    rng = random.Random(5)
    with open(folder / "ratings.csv", "w") as f:
        f.write("userId,movieId,rating,timestamp\n")
        for user in range(1, 151):
            for movie in rng.sample(range(1, 81), rng.randint(2, 70)):
                f.write(f"{user},{movie},{rng.randint(1, 10) / 2},{1_400_000_000 + 86_400 * rng.randint(0, 700)}\n")
                if movie == user % 80:
                    f.write(f"{user},{movie},1.0,1400000000\n")
    with open(folder / "movies.csv", "w") as f:
        f.write("movieId,title,genres\n")
        f.writelines(f"{movie},Film {movie} (1990),{'Drama|War' if movie % 2 else 'Comedy'}\n" for movie in range(1, 81))
    servers = Servers()
    place = Place(servers)
    run("trivet-etl", "load", folder, env=place.env)
    run("trivet-train", "fit", "--set", "max_items_for_user=60", "--factors", 5, env=place.env)
    yield place
    servers.end()


@pytest.fixture(scope="module")
def shared(programs, own, tmp_path_factory):
    """One server for the tests that only ask."""
    from server import Server
    server = Server(programs["trivet-serve"], own, tmp_path_factory.mktemp("shared")).start()
    yield server
    server.stop()


def at_work(place):
    """How many questions of the page PostgreSQL is busy with."""
    return int(place.psql("select count(*) from pg_stat_activity where usename = 'trivet_page' and state = 'active'"))


def asking(pool, server, path):
    return pool.submit(server.get, path, timeout=40)


# --- what it answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked, call", [
    ("", ""),
    ("max_items_for_user=30", "max_items_for_user => 30"),
    ("min_users_for_item=80&min_items_for_user=0", "min_users_for_item => 80, min_items_for_user => 0"),
    ("genres=Comedy&min_rating=3.5", "genres => array['Comedy'], min_rating => 3.5"),
    ("rated_since=2015-01-01&rated_until=2015-09-01&sample_users=0.5",
     "rated_since => '2015-01-01', rated_until => '2015-09-01', sample_users => 0.5"),
    ("max_row_number=500&genres=null", "max_row_number => 500")])
def test_the_funnel_is_that_of_sql(shared, own, asked, call):
    answer = shared.get(f"/lab/funnel?{asked}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    body = answer.json()
    expected = own.psql(f"select coalesce(json_agg(t), '[]') from trivet.funnel({call}) t")
    assert body["rows"] == json.loads(expected) and len(body["rows"]) == 12
    assert body["elapsed_ms"] > 0
    for name, value in urllib.parse.parse_qsl(asked):
        told = body["parameters"][name]
        assert told == (None if value == "null" else [value] if name == "genres" else
                        value if name.startswith("rated") else float(value))
    learned = own.psql(f"select count(*), count(distinct userid), count(distinct movieid) from trivet.user_item({call})")
    last = next(row for row in body["rows"] if row["name"] == "row limit")
    assert [last["row_count"], last["users"], last["items"]] == [int(n) for n in learned.split("|")]


@pytest.mark.parametrize("asked, x, y", [
    ("min_items_for_user=5", ("max_items_for_user", ["10", "40", "4"]), ("min_users_for_item", ["0", "80"])),
    ("", ("genres", ["null", "Comedy", 'No "such" \\genre']), ("min_rating", ["2", "3.5"])),
    ("genres=Drama", ("rated_since", ["null", "2015-01-01"]), ("max_row_number", ["100", "1000"]))])
def test_a_sweep_is_a_funnel_a_cell(shared, asked, x, y):
    grid = urllib.parse.urlencode({"x": x[0], "x_values": ",".join(x[1]), "y": y[0], "y_values": ",".join(y[1])})
    body = shared.get(f"/lab/sweep?{asked}&{grid}").json()
    assert (body["x"], body["y"], body["elapsed_ms"] > 0) == (x[0], y[0], True)
    rows = {(row["x_place"], row["y_place"]): row for row in body["rows"]}
    assert len(rows) == len(x[1]) * len(y[1])
    for i, of_x in enumerate(x[1], 1):
        for j, of_y in enumerate(y[1], 1):
            cell = rows[i, j]
            answer = shared.get(f"/lab/funnel?{asked}&" + urllib.parse.urlencode({x[0]: of_x, y[0]: of_y}))
            if of_x == "4":  # less than min_items_for_user: there is no such filter
                assert answer.status == 400 and cell["row_count"] is None
                continue
            learned = next(row for row in answer.json()["rows"] if row["name"] == "row limit")
            assert [cell[n] for n in ("row_count", "users", "items")] == [learned[n] for n in ("row_count", "users", "items")]
            assert cell["parameters"] == learned["parameters"]


def test_the_page_names_the_live_filter(shared):
    page = shared.get("/lab?max_items_for_user=30", accept="text/html")
    assert page.status == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    live = json.loads(re.search(r'data-live-filter="([^"]*)"', page.text)[1].replace("&quot;", '"'))
    assert live["max_items_for_user"] == 60 and live["min_users_for_item"] == 10
    assert 'href="/lab"' in shared.get("/", accept="text/html").text
    assert "script-src" not in shared.get("/", accept="text/html").headers["Content-Security-Policy"]


@pytest.mark.parametrize("query, parameter", [
    ("min_users_for_item=-1", "min_users_for_item"),
    ("min_users_for_item=", "min_users_for_item"),
    ("min_users_for_item=2147483648", "min_users_for_item"),
    ("max_items_for_user=1e3", "max_items_for_user"),
    ("max_items_for_user=2", "max_items_for_user"),
    ("max_row_number=0", "max_row_number"),
    ("sample_users=0", "sample_users"),
    ("sample_users=1.01", "sample_users"),
    ("sample_users=nan", "sample_users"),
    ("min_rating=good", "min_rating"),
    ("rated_since=yesterdayish", "rated_since"),
    ("genres=" + "x" * 500, "genres"),
    ("genre=Drama", "genre"),
    ("min_rating=1&min_rating=1", "min_rating"),
    ("id=a_b", "id"),
    ("id=" + "a" * 65, "id")])
def test_mistakes_name_their_parameter(shared, query, parameter):
    answer = shared.get(f"/lab/funnel?{query}")
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["parameter"] == parameter and parameter in answer.json()["detail"]


@pytest.mark.parametrize("query, parameter", [
    ("", "x"),
    ("x=max_items_for_user", "x_values"),
    ("x=nonsense&x_values=1", "x"),
    ("x=max_items_for_user&x_values=5,,7", "x_values"),
    ("x=max_items_for_user&x_values=5,many", "x_values"),
    ("x=max_items_for_user&x_values=" + ",".join(map(str, range(21))), "x_values"),
    ("x=max_items_for_user&x_values=5&y=max_items_for_user&y_values=6", "y"),
    ("x=max_items_for_user&x_values=5", "y")])
def test_mistakes_of_a_sweep_name_their_parameter(shared, query, parameter):
    answer = shared.get(f"/lab/sweep?{query}")
    assert answer.status == 400 and answer.json()["parameter"] == parameter


def test_a_link_with_a_mistake_is_refused(shared):
    assert shared.get("/lab?max_items_for_user=many", accept="text/html").status == 400
    assert shared.get("/lab?colour=red", accept="text/html").status == 400


# --- how far a sweep is ---------------------------------------------------------------------------------------------


def test_a_sweep_tells_how_far_it_is(shared, own):
    """It is held before the third of four values by a lock that this test has."""
    holder = psycopg2.connect(own.postgres_uri)
    holder.cursor().execute("select pg_advisory_xact_lock(3)")
    with sweep_waits(own, "pg_advisory_xact_lock_shared(3)", at=3), concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = asking(pool, shared, "/lab/sweep?id=grid&x=min_rating&x_values=1,2,3,4&y=max_items_for_user&y_values=20,60")
        until(lambda: shared.get("/lab/progress?id=grid").json() == {"done": 2, "of": 4})
        assert shared.get("/lab/progress?id=other").json() == {"done": 0, "of": 0}
        holder.close()
        assert len(waiting.result(20).json()["rows"]) == 8
    assert shared.get("/lab/progress?id=grid").json() == {"done": 0, "of": 0}
    missing = shared.get("/lab/progress")
    assert missing.status == 400 and missing.json()["parameter"] == "id"


# --- stopping -------------------------------------------------------------------------------------------------------


def test_stop_ends_the_question_in_postgres(shared, own):
    with nobody_reads(own), concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = asking(pool, shared, "/lab/funnel?id=first")
        other = asking(pool, shared, "/lab/funnel?id=second")
        until(lambda: at_work(own) == 2)
        assert shared.get("/lab/stop?id=nobody").json() == {"stopped": 0}
        assert at_work(own) == 2
        assert shared.get("/lab/stop?id=first").json() == {"stopped": 1}
        answer = waiting.result(5)
        assert answer.status == 409 and "stopped" in answer.json()["detail"]
        assert at_work(own) == 1 and not other.done()
        shared.get("/lab/stop?id=second")
        assert other.result(5).status == 409
    assert shared.get("/lab/funnel").status == 200


def test_leaving_ends_the_question_in_postgres(shared, own):
    with nobody_reads(own):
        connection = http.client.HTTPConnection("127.0.0.1", shared.port)
        connection.request("GET", "/lab/funnel")
        until(lambda: at_work(own) == 1)
        connection.close()
        until(lambda: at_work(own) == 0, seconds=3)
    assert shared.get("/lab/funnel").status == 200


def test_a_statement_timeout_guards_the_database(serve, own):
    server = serve(own, env={"TRIVET_READER": own.page_uri + "?options=" + urllib.parse.quote("-c statement_timeout=1s")})
    with nobody_reads(own):
        answer = server.get("/lab/funnel")
        assert answer.status == 504 and "statement timeout" in answer.json()["detail"]
        until(lambda: at_work(own) == 0)
    assert server.get("/lab/funnel").status == 200
    assert own.postgres.ask(own.page_uri, "show statement_timeout") == "30s"


def test_a_login_without_limits_gets_them(serve, own):
    """Whatever TRIVET_READER may do: this session reads only, and no statement of it runs on and on."""
    server = serve(own, env={"TRIVET_READER": own.postgres_uri})
    own.psql("create or replace function trivet.settings_now() returns text language sql stable as "
             "$$ select current_setting('default_transaction_read_only') || current_setting('statement_timeout') $$")
    own.psql("alter function trivet.check_filter_of(trivet.filter_values) rename to check_filter_kept")
    own.psql("create function trivet.check_filter_of(trivet.filter_values) returns boolean language plpgsql as "
             "$$ begin raise exception 'session: %', trivet.settings_now(); end $$")
    try:
        assert "session: on30s" in server.get("/lab/funnel").json()["detail"]
    finally:
        own.psql("drop function trivet.check_filter_of(trivet.filter_values)")
        own.psql("alter function trivet.check_filter_kept(trivet.filter_values) rename to check_filter_of")
        own.psql("drop function trivet.settings_now()")
    assert server.get("/lab/funnel").status == 200


def test_recommendations_do_not_wait_for_the_lab(serve, own):
    server = serve(own)
    many = THREE_AT_ONCE + WAITING + 6
    with nobody_reads(own), concurrent.futures.ThreadPoolExecutor(many) as pool:
        questions = [asking(pool, server, f"/lab/funnel?id=q{i}") for i in range(many)]
        until(lambda: at_work(own) == THREE_AT_ONCE and sum(q.done() for q in questions) == 6)
        for answer in (q.result() for q in questions if q.done()):
            assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
        start = time.monotonic()
        assert all(server.get(f"/recs?user_id={user}").status == 200 for user in range(1, 51))
        assert time.monotonic() - start < 5
        server.child.send_signal(server.stop_signal)
        assert server.child.wait(5) == 0  # the questions are not waited for
        assert {q.result().status for q in questions if q.exception() is None} <= {409, 503}
    assert at_work(own) == 0


# --- without Postgres -----------------------------------------------------------------------------------------------


def test_without_postgres_only_the_lab_is_out(serve, own):
    server = serve(own)
    ready = server.get("/readyz").json()
    assert ready["status"] == "ok" and ready["stores"]["postgres"]["up"] is None and ready["stores"]["postgres"]["optional"]
    assert server.get("/lab/funnel").status == 200
    assert server.get("/readyz").json()["stores"]["postgres"]["up"] is True
    own.postgres.stop()
    try:
        for _ in range(2):
            answer = server.get("/lab/funnel")
            assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
            assert "PostgreSQL" in answer.json()["detail"] and "TRIVET_READER" in answer.json()["hint"]
        assert server.get("/lab", accept="text/html").status == 200
        assert server.get("/recs?user_id=5").status == 200
        ready = server.get("/readyz")
        assert ready.status == 200 and ready.json()["status"] == "ok"
        assert ready.json()["stores"]["postgres"]["up"] is False
    finally:
        own.postgres.start()
    assert server.get("/lab/funnel").status == 200


# --- nothing is written ---------------------------------------------------------------------------------------------


def contents(place):
    """A fingerprint of every table, collection and key."""
    found = {}
    tables = place.psql("select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables "
                        "where schemaname in ('trivet', 'public') order by 1").split()
    for table in tables:
        found[table] = place.psql(f"select count(*), md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table} t")
    mongo = place.mongo_db()
    for name in sorted(mongo.list_collection_names()):
        found[f"mongo {name}"] = hashlib.md5(str(list(mongo[name].find().sort("_id", 1))).encode()).hexdigest()
    redis = place.redis_client()
    for key in sorted(redis.keys()):
        found[f"redis {key}"] = hashlib.md5(redis.dump(key)).hexdigest()
    return found


def test_nothing_is_written(shared, own):
    before = contents(own)
    assert len(before) > 10
    evil = urllib.parse.quote("x']) t; drop table trivet.rating; --")
    for path in ("/lab", "/lab/funnel?max_items_for_user=20", "/lab/activity", "/lab/presets",
                 "/lab/sweep?x=max_items_for_user&x_values=10,20&y=min_users_for_item&y_values=1,2", f"/lab/funnel?genres={evil}"):
        assert shared.get(path).status == 200, path
    for evil in ("2015-01-01'; drop table trivet.rating; --", "10); drop table trivet.rating; --"):
        assert shared.get(f"/lab/funnel?rated_since={urllib.parse.quote(evil)}").status == 400
    assert contents(own) == before


@pytest.mark.parametrize("sql", ["insert into trivet.item (item_id) values (1)", "delete from trivet.rating", "create table x (y int)",
                                 "set default_transaction_read_only = off; delete from trivet.rating"])
def test_the_pages_login_cannot_write(own, sql):
    with psycopg2.connect(own.page_uri) as connection, pytest.raises(psycopg2.Error, match="permission denied|read-only"):
        connection.cursor().execute(sql)
