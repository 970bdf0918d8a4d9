"""Catching up with live ratings: what cannot be done is told once and passed over, and fails no command."""

import time

import pytest

from server import until
from test_live import FIT, Live, document, ratings, rows  # noqa: F401  (fixtures)

SOURCE = ("CREATE OR REPLACE VIEW public.mine AS SELECT userid, movieid, {} AS rating FROM public.ratings; "
          "GRANT SELECT ON public.mine TO trivet_reader")
MINE = ("trivet-train", "fit", "--source", "public.mine", "--factors", 4)


@pytest.fixture
def place(run, fresh_stores, ratings):  # noqa: F811
    run("trivet-etl", "load", ratings, env=fresh_stores.env)
    fresh_stores.psql(SOURCE.format("rating"))
    run(*MINE, env=fresh_stores.env)
    return fresh_stores


def rate(server, user, value=4.5, item=810):
    answer = server.send("PUT", f"/api/v1/users/{user}/ratings/{item}", value)
    assert answer.status in (200, 202), answer.text
    return answer.json()


def following(server):
    return server.get("/readyz").json().get("ratings")


def metric(server, name):
    return [float(line.split()[1]) for line in server.get("/metrics").text.splitlines() if line.startswith(name + " ")][0]


def commands(run, place):
    """All commands that take the lock; each of them comes to its end."""
    for command in (("repair",), ("precompute",), ("fit", "--set", "max_items_for_user=60", "--factors", 3), ("rollback",),
                    ("activate", 1)):
        yield command[0], run("trivet-train", *command, env=place.env)


def test_a_dropped_view_locks_nothing_out(run, serve, place):
    server = serve(place)
    assert rate(server, 5)["counts"] == "now"
    place.psql("DROP VIEW public.mine")
    later = rate(server, 6)
    assert later["counts"] == "later" and "cannot be read" in later["why"]
    until(lambda: following(server) == {"waiting": 1, "refused": 0, "source": "unreadable"})
    ready = server.get("/readyz")
    assert (ready.status, ready.json()["status"]) == (200, "degraded")
    assert (metric(server, "trivet_users_waiting"), metric(server, "trivet_source_up")) == (1, 0)
    for name, done in commands(run, place):
        if name != "fit" and "1 user is not folded in" in done.stderr:
            assert 'relation "public.mine" does not exist' in done.stderr
    assert run("trivet-train", "repair", env=place.env).stderr.count("is not folded in") == 1
    time.sleep(3)
    assert server.log().count("not folded in") <= 2  # once for each time that it was the live model's source
    place.psql(SOURCE.format("rating"))
    run("trivet-train", "repair", env=place.env)
    until(lambda: following(server)["waiting"] == 0 and server.get("/readyz").json()["status"] == "ok")
    for user in (5, 6):
        Live(place).check(place, user)


def test_the_follower_comes_back_to_a_source_by_itself(serve, place):
    server = serve(place)
    place.psql("ALTER VIEW public.mine RENAME TO hidden")
    assert rate(server, 6)["counts"] == "later"
    until(lambda: following(server)["source"] == "unreadable")
    place.psql("ALTER VIEW public.hidden RENAME TO mine")
    until(lambda: following(server) == {"waiting": 0, "refused": 0, "source": "ok"}, 15)
    Live(place).check(place, 6)
    assert "can be read again" in server.log()


def test_one_bad_value_holds_up_nobody_else(run, serve, place):
    """User 5's rows divide by zero; users before and behind are folded in, by the server and by every command."""
    server = serve(place)
    place.psql(SOURCE.format("CASE WHEN userid = 5 THEN (rating / (userid - 5))::real ELSE rating END"))
    answers = {user: rate(server, user) for user in (4, 5, 6)}
    assert [answers[user]["counts"] for user in (4, 5, 6)] == ["now", "later", "now"]
    until(lambda: following(server) == {"waiting": 0, "refused": 1, "source": "ok"})
    assert metric(server, "trivet_users_refused") == 1
    server.stop()
    place.psql("UPDATE trivet.user_change SET folded_rev = 0")  # as if the server had been killed before it was noted
    for n in range(7, 40):
        place.psql(f"SELECT trivet.rate({n}, '{{810}}', '{{2.5}}')")
    done = run("trivet-train", "repair", env=place.env)
    assert "1 user is not folded in" in done.stderr and "(user 5)" in done.stderr and "division by zero" in done.stderr
    for user in (4, 6, *range(7, 40)):
        Live(place).check(place, user)
    assert place.psql("SELECT string_agg(user_id::text, ',') FROM trivet.user_change WHERE rev > folded_rev") == "5"
    before = server.log().count("user 5")
    server.start()
    until(lambda: following(server) == {"waiting": 0, "refused": 1, "source": "ok"})
    time.sleep(3)
    assert server.log().count("user 5") == before  # it is not tried again and again
    for name, done in commands(run, place):
        assert name
    place.psql(SOURCE.format("rating"))
    assert rate(server, 5, 1.5)["counts"] == "now"
    until(lambda: following(server)["refused"] == 0)
    Live(place).check(place, 5)


def test_a_hundred_bad_users_hold_up_nobody_else(run, place):
    place.psql(SOURCE.format("CASE WHEN userid % 2 = 1 THEN (rating / (userid - userid))::real ELSE rating END"))
    place.psql("SELECT trivet.rate(u, '{810}', '{2.5}') FROM generate_series(1, 90) u")
    done = run("trivet-train", "repair", env=place.env)
    assert "45 users are not folded in" in done.stderr and "(user 1, 3, 5, 7, 9, ...)" in done.stderr
    for user in range(2, 91, 2):
        Live(place).check(place, user)


def test_a_source_that_always_fails_is_told_as_one(run, place):
    place.psql("CREATE FUNCTION public.raises() RETURNS real LANGUAGE plpgsql AS $$ BEGIN RAISE 'no way'; END $$; "
               "GRANT EXECUTE ON FUNCTION public.raises() TO trivet_reader")
    place.psql(SOURCE.format("(CASE WHEN public.raises() > 0 THEN rating END)::real"))
    place.psql("SELECT trivet.rate(u, '{810}', '{2.5}') FROM generate_series(1, 90) u")
    done = run("trivet-train", "repair", env=place.env)
    assert "because the source that users of model 1" in done.stderr and "no way" in done.stderr


def test_without_a_reader_s_login_a_source_cannot_be_read(run, serve, place):
    place.psql("SELECT trivet.rate(6, '{810}', '{2.5}')")
    done = run("trivet-train", "repair", env={**place.env, "TRIVET_READER": ""})
    assert "1 user is not folded in" in done.stderr and "CREATE ROLE" in done.stderr
    assert "not folded in" not in run("trivet-train", "repair", env=place.env).stderr
    Live(place).check(place, 6)


def test_users_wait_when_a_model_with_a_broken_source_goes_live(run, place):
    """The change is folded into one model, and the next one cannot have it: it is not lost."""
    run(*FIT, env=place.env)
    place.psql("SELECT trivet.rate(6, '{810}', '{2.5}')")
    run("trivet-train", "repair", env=place.env)
    assert place.psql("SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev") == "0"
    place.psql("ALTER VIEW public.mine RENAME TO hidden")
    assert "1 user is not folded in" in run("trivet-train", "activate", 1, env=place.env).stderr
    assert place.psql("SELECT user_id FROM trivet.user_change WHERE rev > folded_rev") == "6"
    place.psql("ALTER VIEW public.hidden RENAME TO mine")
    run("trivet-train", "repair", env=place.env)
    Live(place).check(place, 6)


def test_a_slow_source_is_no_store_that_is_away(serve, place):
    """Folding user 6 in takes 3.5 s: the rating counts later, and those of others are taken meanwhile."""
    place.psql(SOURCE.format("(CASE WHEN userid = 6 AND movieid = 810 THEN rating + length(pg_sleep(3.5)::text) ELSE rating END)::real"))
    server = serve(place)
    started = time.monotonic()
    assert rate(server, 6)["counts"] == "later"
    assert time.monotonic() - started < 8
    for user in (7, 8, 9):
        assert rate(server, user)["counts"] == "now"


def test_rows_that_never_end_cost_less_at_each_halving(serve, private_stores, run, ratings):  # noqa: F811
    """Half a minute for all four, then half of it for two, and so on: before, it was the whole at each step."""
    place = private_stores
    run("trivet-etl", "load", ratings, env=place.env)
    place.psql(SOURCE.format("rating"))
    run(*MINE, env=place.env)
    server = serve(place)
    place.psql(SOURCE.format("(CASE WHEN userid = 6 AND movieid = 810 THEN rating + length(pg_sleep(1000)::text) ELSE rating END)::real"))
    place.redis.pause()
    assert {rate(server, user)["counts"] for user in (5, 6, 7, 8)} == {"later"}
    place.redis.resume()
    until(lambda: following(server) == {"waiting": 0, "refused": 1, "source": "ok"}, 75)
    assert "1 user is not folded in" in server.log() and "user 6" in server.log()


def test_what_an_analyst_s_source_sets_does_not_outlive_it(run, serve, place):
    """A function as source that sets its session: the next user on the same connection is read as ever."""
    place.psql("CREATE FUNCTION public.sets() RETURNS TABLE (userid bigint, movieid bigint, rating real) LANGUAGE plpgsql AS "
               "$$ BEGIN PERFORM set_config('search_path', 'pg_temp', false), set_config('extra_float_digits', '-9', false); "
               "RETURN QUERY SELECT r.userid::bigint, r.movieid::bigint, r.rating::real FROM public.ratings r; END $$; "
               "GRANT EXECUTE ON FUNCTION public.sets() TO trivet_reader")
    run("trivet-train", "fit", "--source", "public.sets()", "--factors", 4, env=place.env)
    server = serve(place)
    for user in (5, 6, 7):
        assert rate(server, user, 3.3)["counts"] == "now"
        Live(place).check(place, user)


def test_600_users_are_folded_in_in_one_pass(run, place):
    run(*FIT, env=place.env)
    place.psql("SELECT trivet.rate(u, '{810,20}', '{2.5,4.5}') FROM generate_series(1, 600) u")
    said = run("trivet-train", "rollback", env={**place.env, "TRIVET_LOG": "debug"}).stderr
    assert 0 < said.count("c (user_id, rev) LEFT JOIN (SELECT x.user_id") <= 12
    for user in (1, 300, 600):
        Live(place).check(place, user)
    assert place.psql("SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev") == "0"


@pytest.mark.parametrize("store", ["mongo", "redis"])
def test_who_waits_is_counted_while_a_store_hangs(run, serve, private_stores, ratings, store):  # noqa: F811
    run("trivet-etl", "load", ratings, env=private_stores.env)
    run(*FIT, env=private_stores.env)
    server = serve(private_stores)
    rate(server, 1)
    getattr(private_stores, store).pause()
    assert [rate(server, user)["counts"] for user in range(2, 9)] == ["later"] * 7
    until(lambda: metric(server, "trivet_users_waiting") == 7)
    assert following(server)["waiting"] == 7
    getattr(private_stores, store).resume()
    until(lambda: metric(server, "trivet_users_waiting") == 0, 15)


def rate_in_postgres(place, user):
    place.psql(f"SELECT trivet.rate({user}, '{{30}}', '{{4}}')")


def test_what_mongodb_refuses_is_told(serve, place):
    """A document that it does not take: whoever waits behind it is counted, and one line says why."""
    server = serve(place)
    users = place.mongo_db()["user_1"]
    users.database.command("collMod", users.name, validator={"_id": {"$ne": 5}})
    assert rate(server, 5)["counts"] == "later" and rate(server, 6)["counts"] == "now"
    until(lambda: following(server) == {"waiting": 1, "refused": 0, "source": "ok", "message": "MongoDB refuses what it was asked"})
    assert server.get("/readyz").json()["status"] == "degraded" and metric(server, "trivet_users_waiting") == 1
    time.sleep(7)
    assert server.log().count("ratings are not followed: MongoDB refuses") == 1
    users.database.command("collMod", users.name, validator={})
    until(lambda: following(server) == {"waiting": 0, "refused": 0, "source": "ok"}, 15)
    assert server.get("/readyz").json()["status"] == "ok" and "ratings are followed again" in server.log()


def test_one_user_whose_document_mongodb_refuses_keeps_nobody_waiting(run, serve, place):
    """Neither the others of a batch, nor a command: the one is named, and written once MongoDB takes the document."""
    run(*FIT, env=place.env)
    for users in (place.mongo_db()["user_1"], place.mongo_db()["user_2"]):
        users.database.command("collMod", users.name, validator={"_id": {"$ne": 5}})
    place.psql("SELECT trivet.rate(u, '{810,20}', '{2.5,4.5}') FROM generate_series(1, 130) u")
    waiting = "SELECT string_agg(user_id::text, ',') FROM trivet.user_change WHERE rev > folded_rev"
    done = run("trivet-train", "activate", 1, env=place.env)
    assert "1 user is not folded in, because MongoDB refuses their documents (user 5)" in done.stderr and place.psql(waiting) == "5"
    for user in (1, 4, 6, 130):
        Live(place).check(place, user)
    for user in (7, 5, 8):
        rate_in_postgres(place, user)
    done = run("trivet-train", "repair", env=place.env, check=False)
    assert done.returncode == 4 and "MongoDB refuses the documents of 1 users of model 1" in done.stderr and place.psql(waiting) == "5"
    for user in (3, 9):
        rate_in_postgres(place, user)
    server = serve(place)
    until(lambda: place.psql(waiting) == "5")
    until(lambda: following(server) == {"waiting": 1, "refused": 0, "source": "ok", "message": "MongoDB refuses what it was asked"})
    server.stop()
    users.database.command("collMod", "user_1", validator={})
    assert "everything agrees" in run("trivet-train", "repair", env=place.env).stdout and place.psql(waiting) == ""
    Live(place).check(place, 5)


def test_similar_items_that_do_not_follow_are_told(run, serve, place):
    run("trivet-train", "similar", "--source", "public.mine", env=place.env)
    server = serve(place)
    place.psql("ALTER VIEW public.mine RENAME TO hidden")
    run("trivet-train", "fit", "--set", "max_items_for_user=60", "--factors", 3, env=place.env)  # which needs no view
    rate(server, 6)
    until(lambda: server.get("/readyz").json().get("similar") == {"message": 'PostgreSQL: relation "public.mine" does not exist'})
    assert server.get("/readyz").json()["status"] == "degraded"
    place.psql("ALTER VIEW public.hidden RENAME TO mine")
    until(lambda: server.get("/readyz").json()["status"] == "ok")
    assert "similar" not in server.get("/readyz").json()
    assert place.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL") == "0"


def test_what_is_dropped_while_it_is_read_is_no_error(serve, place):
    """As the catalogue of a model that is pruned is, or the documents of its users: MongoDB ends the reading with an error of its own
    (175, QueryPlanKilled). The next step looks anew."""
    server = serve(place)
    until(lambda: following(server) is not None)
    mongo = place.mongo_db()
    mongo.client.admin.command({"configureFailPoint": "failCommand", "mode": {"times": 2}, "data": {
        "failCommands": ["find"], "namespace": f"{mongo.name}.{next(n for n in mongo.list_collection_names() if n.startswith('catalogue_'))}",
        "errorCode": 175}})
    rate(server, 5)
    until(lambda: place.psql("SELECT count(*) FROM trivet.item_change WHERE rev > counted_rev") == "0")
    try:
        until(lambda: mongo.client.admin.command({"getParameter": 1, "failpoint.failCommand": 1})["failpoint.failCommand"]["timesEntered"] >= 2,
              seconds=40)
    finally:
        mongo.client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
    time.sleep(1)
    assert "ratings are not followed" not in server.log(), server.log()
    assert server.get("/readyz").json()["status"] == "ok"
