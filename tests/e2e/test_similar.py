"""trivet-train similar: an index of similar items from Postgres, kept up to date from the queue, through kills of whatever
takes part. What the index holds is compared with sets counted in Python."""

import concurrent.futures
import json
import os
import pathlib
import random
import subprocess

import psycopg2
import pytest

import breakpoints
from server import until
from stores import REPO

TOOL = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build")) / "bench/minhash_tool"


def similar(run, stores, *words, **options):
    return run("trivet-train", "similar", *words, env=stores.env, **options)


def dump(stores):
    """{item: signature as text}"""
    done = subprocess.run([TOOL, "dump", stores.env["TRIVET_REDIS"]], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def sketches(sets):
    """The same of {item: elements}."""
    text = "".join(" ".join(map(str, users)) + "\n" for users in sets.values())
    done = subprocess.run([TOOL, "sketch", "128"], input=text, capture_output=True, text=True, check=True)
    return dict(zip(map(str, sets), done.stdout.splitlines()))


def sets_of(stores, source="SELECT user_id, item_id FROM trivet.rating"):
    sets = {}
    for line in filter(None, stores.psql(source).splitlines()):
        user, item = line.split("|")
        sets.setdefault(item, set()).add(user)
    return sets


def agrees(run, stores):
    """The index is what a build would give, by its own words and by ours."""
    done = similar(run, stores, "--check")
    assert "is what a build would give" in done.stdout
    assert dump(stores) == sketches(sets_of(stores))


@pytest.fixture
def rated(run, fresh_stores, tmp_path):
    """40 items, 60 users, 600 ratings of 1 to 5, in the years 2001 to 2005."""
    draw = random.Random(1)
    pairs = draw.sample([(user, item) for user in range(1, 61) for item in range(1, 41)], 600)
    rows = [f"{u},{i},{draw.randrange(1, 6)},{978307200 + 31557600 * draw.randrange(5)}" for u, i in pairs]
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "\n".join(rows) + "\n")
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    return fresh_stores


def insert(stores, *rows):
    stores.psql("INSERT INTO trivet.rating_live (user_id, item_id, value, rated_at) VALUES "
                + ", ".join(f"({u}, {i}, {value}, now())" for u, i, value in rows))


def live(stores):
    return stores.redis_client().get("trivet:similar:live")


def keys(stores):
    return {key.decode().split("}")[0] + "}" for key in stores.redis_client().scan_iter("trivet:similar:{*", count=10000)}


# --- building -----------------------------------------------------------------------------------------------------------


def test_an_index_of_all_ratings(run, rated):
    done = similar(run, rated)
    assert "index 1 of similar items is live: 40 items, from 600 rows;" in done.stdout
    agrees(run, rated)
    row = json.loads(rated.psql("SELECT row_to_json(i) FROM trivet.similar_index i"))
    assert (row["state"], row["source"], row["signature_size"]) == ("live", "trivet.similar_rows()", 128)
    assert row["counts"]["rows"] == 600 and row["counts"]["items"] == 40 and "write" in row["counts"]["seconds"]
    similar(run, rated)
    assert live(rated) == b"2" and keys(rated) == {"trivet:similar:{2}"}
    assert rated.psql("SELECT string_agg(state, ',' ORDER BY id) FROM trivet.similar_index") == "dropped,live"


def test_if_changed(run, rated, tmp_path):
    """Not built anew while the index follows; built when ratings were loaded, other rows are asked for, or it is gone."""
    def built(*words):
        before = live(rated)
        told = similar(run, rated, "--if-changed", *words).stdout
        assert ("nothing changed: index" in told) == (live(rated) == before)
        return live(rated) != before

    assert built() and not built()
    insert(rated, (501, 7, 5), (502, 99, 1))
    assert not built()
    agrees(run, rated)
    assert built("--min-rating", "3") and not built("--min-rating", "3") and built() and built("--signature-size", "64")
    assert built()
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating\n1,1,5\n2,1,5\n2,2,4\n")
    run("trivet-etl", "load", "--same", tmp_path, env=rated.env)
    assert built() and not built()
    agrees(run, rated)
    rated.redis_client().flushdb()
    assert built()
    agrees(run, rated)


@pytest.mark.parametrize("words, where", [
    (["--min-rating", "4"], "value >= 4"),
    (["--since", "2003-06-01"], "rated_at >= '2003-06-01'"),
    (["--min-rating", "3", "--since", "2002-06-01 00:00+00"], "value >= 3 AND rated_at >= '2002-06-01 00:00+00'"),
    (["--source", "(SELECT userid, movieid, rating FROM ratings WHERE userid % 2 = 0) s"], "user_id % 2 = 0"),
])
def test_some_of_the_ratings(run, rated, words, where):
    similar(run, rated, *words)
    assert dump(rated) == sketches(sets_of(rated, f"SELECT user_id, item_id FROM trivet.rating WHERE {where}"))
    assert "is what a build would give" in similar(run, rated, "--check").stdout
    # What comes later meets the same condition; so do corrections.
    insert(rated, (501, 7, 5), (502, 7, 1), (504, 99, 5))
    rated.psql("UPDATE trivet.rating SET value = CASE WHEN value = 5 THEN 1 ELSE 5 END WHERE item_id IN (3, 4)")
    rated.psql("DELETE FROM trivet.rating WHERE item_id = 8 OR user_id IN (1, 2)")
    similar(run, rated, "--update")
    assert dump(rated) == sketches(sets_of(rated, f"SELECT user_id, item_id FROM trivet.rating WHERE {where}"))
    similar(run, rated, "--check")


def test_rows_without_a_user_or_an_item_are_nobody(run, rated):
    """Neither when the index is built nor when it follows, where an audience that somebody left is read anew."""
    rated.psql("CREATE VIEW loose AS SELECT userid, movieid, rating FROM ratings UNION ALL SELECT NULL, 3, 5 UNION ALL SELECT 1, NULL, 5")
    rated.psql("GRANT SELECT ON loose TO trivet_reader")
    similar(run, rated, "--source", "loose")
    rated.psql("DELETE FROM trivet.rating WHERE item_id = 3 AND user_id IN (SELECT min(user_id) FROM trivet.rating WHERE item_id = 3)")
    similar(run, rated, "--update")
    agrees(run, rated)


@pytest.mark.parametrize("row", ["NULL, 3, 'x', true", "1, NULL, 'x', true", "1, 3, NULL, true", "1, 3, 'x', NULL"])
def test_a_source_that_ends_our_statement_ends_no_program(run, rated, row):
    """Whoever may write the journal can put SQL there whose rows are none of ours."""
    similar(run, rated, "--source", "ratings")
    evil = ("ratings) s) FROM trivet.similar_event e LEFT JOIN trivet.code c USING (id) WHERE e.id = ANY ($1::bigint[]) "
            f"UNION ALL SELECT {row} --")
    rated.psql(f"UPDATE trivet.similar_index SET source = $${evil}$$ WHERE state = 'live'")
    insert(rated, (77, 1, 3))
    done = similar(run, rated, "--update", check=False)
    assert done.returncode == 4 and "does not give rows of (user, item)" in done.stderr


@pytest.mark.parametrize("words, told", [
    (["--source", "ratings", "--min-rating", "3"], "--min-rating chooses among all ratings"),
    (["--min-rating", "9"], "has no rows"),
    (["--since", "yesterdays"], "yesterdays"),
    (["--source", "nowhere"], "nowhere"),
    (["--source", "(SELECT userid, movieid FROM ratings) s"], "has no column rating"),
    (["--signature-size", "5000"], "4096"),
    (["--check"], "no index of similar items"),
    (["--check", "--update"], "give one of them"),
])
def test_what_cannot_be_built(run, rated, words, told):
    done = similar(run, rated, *words, check=False)
    assert done.returncode != 0 and told in done.stderr
    assert live(rated) is None and keys(rated) == set()
    assert rated.psql("SELECT count(*) FROM trivet.similar_index WHERE state <> 'failed'") == "0"


def test_another_length_of_signatures(run, rated):
    similar(run, rated, "--signature-size", "16")
    assert dump(rated) == {item: " ".join(s.split()[:16]) for item, s in sketches(sets_of(rated)).items()}
    insert(rated, (900, 5, 3))
    similar(run, rated, "--update")
    assert "16" in rated.psql("SELECT signature_size FROM trivet.similar_index")
    similar(run, rated, "--check")


def test_users_are_known_by_their_codes(run, fresh_stores, tmp_path):
    (tmp_path / "lastfm_play.csv").write_text("user_id,artist_id\nann,a-1\nbob,a-1\nann,a-2\n7,a-2\n")
    (tmp_path / "lastfm_artist.csv").write_text("artist_id,artist_name\na-1,One\na-2,Two\n")
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    similar(run, fresh_stores)
    number = {code: fresh_stores.psql(f"SELECT trivet.item_id('{code}')") for code in ("a-1", "a-2")}
    assert dump(fresh_stores) == sketches({number["a-1"]: ["ann", "bob"], number["a-2"]: ["ann", "7"]})
    bob = fresh_stores.psql("SELECT trivet.user_id('bob')")
    fresh_stores.psql(f"DELETE FROM trivet.rating WHERE user_id = {bob}")
    insert(fresh_stores, (bob, number["a-2"], 1))
    similar(run, fresh_stores, "--update")
    assert dump(fresh_stores) == sketches({number["a-1"]: ["ann"], number["a-2"]: ["ann", "7", "bob"]})


@pytest.mark.parametrize("function", ["tv_similar_lists_page", "write_description", "tv_similar_switch"])
def test_killed_before_the_switch_the_old_index_serves(run, programs, rated, function):
    similar(run, rated)
    before = dump(rated)
    breakpoints.at(function, programs["trivet-train"], "similar", env=rated.env)
    assert live(rated) == b"1" and dump(rated) == before and len(keys(rated)) == 2
    insert(rated, (77, 1, 3))
    similar(run, rated, "--update")
    agrees(run, rated)
    similar(run, rated)
    assert live(rated) == b"3" and keys(rated) == {"trivet:similar:{3}"}
    assert rated.psql("SELECT string_agg(state, ',' ORDER BY id) FROM trivet.similar_index") == "dropped,failed,live"
    assert rated.psql("SELECT count(*) FROM trivet.similar_event WHERE index_id <> 3") == "0"


def test_killed_after_the_switch_the_new_index_serves(run, programs, rated):
    similar(run, rated)
    breakpoints.at("settle_new", programs["trivet-train"], "similar", env=rated.env)
    assert live(rated) == b"2"
    insert(rated, (77, 1, 3), (78, 200, 3))
    similar(run, rated, "--update")
    assert dump(rated) == sketches(sets_of(rated))
    similar(run, rated)
    assert rated.psql("SELECT string_agg(state, ',' ORDER BY id) FROM trivet.similar_index") == "dropped,dropped,live"
    assert keys(rated) == {"trivet:similar:{3}"}


def agrees_after_update(run, stores):
    similar(run, stores, "--update")
    agrees(run, stores)


# --- indices that are over ----------------------------------------------------------------------------------------------


def journal_of(stores):
    return stores.psql("SELECT string_agg(state, ',' ORDER BY id) FROM trivet.similar_index")


def events_of(stores):
    return stores.psql("SELECT coalesce(string_agg(DISTINCT index_id::text, ','), '') FROM trivet.similar_event")


LOST = {
    "dropped": ("DROP VIEW loose", 'relation "loose" does not exist'),
    "no right": ("REVOKE SELECT ON loose FROM trivet_reader", "permission denied for view loose"),
    "another column": ("ALTER VIEW loose RENAME COLUMN movieid TO item", 'column "movieid" does not exist'),
    "a bad row": ("CREATE OR REPLACE VIEW loose AS SELECT user_id AS userid, (item_id / (user_id - 61))::bigint AS movieid, value AS "
                  "rating FROM trivet.rating", "division by zero"),
}


@pytest.mark.parametrize("loss", LOST)
def test_repair_tells_of_an_index_that_cannot_follow(run, rated, loss):
    """Its servers are degraded, so nothing says that everything agrees."""
    sql, words = LOST[loss]
    rated.psql("CREATE VIEW loose AS SELECT user_id AS userid, item_id AS movieid, value AS rating FROM trivet.rating; "
               "GRANT SELECT ON loose TO trivet_reader")
    similar(run, rated, "--source", "loose")
    done = run("trivet-train", "repair", env=rated.env)
    assert "index 1 can follow ratings; 0 wait for it" in done.stdout and "everything agrees" in done.stdout
    insert(rated, (61, 5, 4), (61, 6, 3))
    assert "index 1 can follow ratings; 2 wait for it" in run("trivet-train", "repair", env=rated.env).stdout
    rated.psql(sql)
    done = run("trivet-train", "repair", env=rated.env, check=False)
    assert done.returncode == 4 and "everything agrees" not in done.stdout, done
    assert "index 1 of similar items does not follow ratings, because its source cannot be read: " in done.stderr and words in done.stderr
    without = {name: value for name, value in rated.env.items() if name != "TRIVET_READER"}
    assert "is not known without --reader" in run("trivet-train", "repair", env=without).stdout


def test_repair_looks_whether_an_index_of_our_own_follows(run, rated):
    similar(run, rated)
    insert(rated, (61, 5, 4))
    done = run("trivet-train", "repair", env=rated.env)
    assert "index 1 can follow ratings; 1 wait for it" in done.stdout and done.stdout.endswith("no model is live yet\n")


@pytest.mark.parametrize("who", ["repair", "follower"])
def test_a_killed_build_gathers_no_events(run, programs, serve, rated, who):
    """Whether an index serves already or this was the first."""
    for states, live_one in (("failed", ""), ("failed,live,failed", "2")):
        breakpoints.at("write_description", programs["trivet-train"], "similar", env=rated.env)
        insert(rated, (900, 1, 3))
        assert str(len(states.split(","))) in events_of(rated).split(",")
        if who == "repair":
            assert "repair: " in run("trivet-train", "repair", env=rated.env).stderr
            assert keys(rated) == ({"trivet:similar:{%s}" % live_one} if live_one else set())
        else:
            server = serve(rated)  # which follows, without a model, too
            until(lambda: journal_of(rated) == states)
            server.stop()
        assert journal_of(rated) == states
        insert(rated, (901, 1, 3))
        assert set(events_of(rated).split(",")) <= {live_one}
        if not live_one:
            similar(run, rated)
    agrees_after_update(run, rated)


@pytest.mark.parametrize("who", ["repair", "follower"])
def test_killed_after_the_switch_the_new_index_is_called_live(run, programs, serve, rated, who):
    similar(run, rated)
    breakpoints.at("settle_new", programs["trivet-train"], "similar", env=rated.env)
    insert(rated, (900, 1, 3))
    if who == "repair":
        run("trivet-train", "repair", env=rated.env)
    else:
        server = serve(rated)  # which follows, without a model, too
        until(lambda: journal_of(rated) == "dropped,live")
        server.stop()
    assert journal_of(rated) == "dropped,live"
    insert(rated, (901, 1, 3))
    assert events_of(rated) == "2"
    agrees_after_update(run, rated)


def test_an_index_that_is_being_built_is_left_alone(run, programs, serve, rated, tmp_path):
    similar(run, rated)
    with open(tmp_path / "gdb.log", "w") as log:
        building = breakpoints.in_background("tv_similar_switch", programs["trivet-train"], "similar", env=rated.env, output=log)
        try:
            breakpoints.reached(building, tmp_path / "gdb.log")
            server = serve(rated)  # which follows, without a model, too
            insert(rated, (900, 1, 3))
            until(lambda: rated.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NOT NULL") == "1")
            assert journal_of(rated) == "live,building" and events_of(rated) == "1,2"
            server.stop()
        finally:
            building.communicate("continue\n", timeout=60)
    assert journal_of(rated) == "dropped,live"
    agrees_after_update(run, rated)


@pytest.mark.parametrize("who", ["repair", "follower"])
def test_an_index_that_redis_has_lost_gathers_no_events(run, serve, rated, who):
    """And is not followed where an old Redis brings it back: it has missed what changed meanwhile."""
    similar(run, rated)
    redis = rated.redis_client()
    saved = {key: redis.dump(key) for key in redis.scan_iter("trivet:similar:*")}
    server = serve(rated) if who == "follower" else None
    insert(rated, (899, 1, 3))
    if server:
        until(lambda: rated.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL") == "0")
    redis.flushdb()
    insert(rated, (900, 1, 3))
    if who == "repair":
        assert "trivet-train similar builds one" in run("trivet-train", "repair", env=rated.env).stderr
    else:
        until(lambda: journal_of(rated) == "dropped")
        server.stop()
    insert(rated, (901, 1, 3))
    assert journal_of(rated) == "dropped" and events_of(rated) == ""
    for key, value in saved.items():
        redis.restore(key, 0, value)
    done = similar(run, rated, "--update", check=False)
    assert done.returncode == 4 and "does not follow" in done.stderr and "trivet-train similar" in done.stderr
    similar(run, rated)
    agrees(run, rated)


def test_a_server_beside_another_redis_ends_nobody_s_index(run, programs, serve, rated):
    """It has never seen the index; only a build whose process is gone is over for everybody."""
    similar(run, rated)
    breakpoints.at("write_description", programs["trivet-train"], "similar", env=rated.env)
    server = serve(rated, env={"TRIVET_REDIS": rated.redis_uri.rsplit("/", 1)[0] + "/999"})
    until(lambda: journal_of(rated) == "live,failed")
    server.stop()
    insert(rated, (900, 1, 3))
    assert events_of(rated) == "1"
    agrees_after_update(run, rated)


# --- following ----------------------------------------------------------------------------------------------------------


def test_events_of_all_kinds(run, rated):
    similar(run, rated)
    insert(rated, (900, 1, 3), (900, 2, 3), (901, 500, 1))  # a user never seen, and an item
    rated.psql("DELETE FROM trivet.rating WHERE item_id = 3")  # all that an item has
    rated.psql("DELETE FROM trivet.rating WHERE user_id = 5")
    rated.psql("UPDATE trivet.rating SET item_id = 41 WHERE user_id = 6 AND item_id < 20")
    rated.psql("UPDATE trivet.rating SET value = 1 WHERE user_id = 7")
    similar(run, rated, "--update")
    agrees(run, rated)
    assert "3" not in dump(rated) and {"500", "41"} <= set(dump(rated))
    insert(rated, (5, 3, 4), (5, 3, 4))  # back again, twice
    rated.psql("DELETE FROM trivet.rating WHERE user_id = 901; DELETE FROM trivet.rating WHERE ctid IN "
               "(SELECT ctid FROM trivet.rating_live WHERE user_id = 900 LIMIT 1) AND user_id = 900")
    similar(run, rated, "--update")
    agrees(run, rated)
    assert rated.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL") == "0"


def test_without_an_index_nothing_is_written_down(rated):
    insert(rated, (900, 1, 3))
    assert rated.psql("SELECT count(*) FROM trivet.similar_event") == "0"


def test_what_a_late_rating_wrote_for_an_index_that_is_over_goes(run, rated):
    """A rating that was under way as index 2 took the place of 1 has written for 1, and comes to an end after that."""
    similar(run, rated)
    similar(run, rated)
    rated.psql("INSERT INTO trivet.similar_event (index_id, item_id, user_id) VALUES (1, 1, 1), (2, 1, 1)")
    run("trivet-train", "repair", env=rated.env)
    assert rated.psql("SELECT index_id FROM trivet.similar_event") == "2"


def test_who_applies_events_and_who_ends_an_index_go_the_same_way(run, rated):
    """Both wait for the row of the index, the one who ends it first; who applies must have nothing in hand by then."""
    similar(run, rated)
    rated.psql("INSERT INTO trivet.similar_event (index_id, item_id, user_id) VALUES (1, 1, 1)")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg2.connect(rated.postgres_uri) as holder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        holder.cursor().execute("SELECT FROM trivet.similar_index FOR UPDATE")
        ends = pool.submit(rated.psql, "SELECT trivet.similar_settle(0, '{1}')")
        until(lambda: rated.psql(waiting) == "1")
        applies = pool.submit(rated.psql, "SELECT trivet.similar_applied(1, ARRAY(SELECT id FROM trivet.similar_event), 7)")
        until(lambda: rated.psql(waiting) == "2")
        holder.commit()
        assert (ends.result(20), applies.result(20)) == ("1", "")
    assert rated.psql("SELECT state FROM trivet.similar_index") == "dropped"


def test_nothing_is_lost_while_redis_is_away_or_an_index_is_built(run, programs, rated, tmp_path):
    similar(run, rated)
    with open(tmp_path / "gdb.log", "w") as log:
        building = breakpoints.in_background("tv_similar_switch", programs["trivet-train"], "similar", env=rated.env, output=log)
        try:
            breakpoints.reached(building, tmp_path / "gdb.log")
            insert(rated, (901, 1, 3))
            rated.psql("DELETE FROM trivet.rating WHERE user_id = 9")
            assert rated.psql("SELECT count(DISTINCT index_id) FROM trivet.similar_event") == "2"
        finally:
            building.communicate("continue\n", timeout=60)
    assert live(rated) == b"2"
    agrees(run, rated)
    nowhere = {**rated.env, "TRIVET_REDIS": "redis://127.0.0.1:1/0"}
    insert(rated, (902, 2, 3))
    done = run("trivet-train", "similar", "--update", env=nowhere, check=False)
    assert done.returncode == 4 and "Redis" in done.stderr
    similar(run, rated, "--update")
    agrees(run, rated)


def test_a_redis_that_comes_back_older(run, rated):
    """Its last seconds are lost in a crash: what was applied in them is applied again."""
    similar(run, rated)
    insert(rated, (901, 1, 3))
    similar(run, rated, "--update")
    redis = rated.redis_client()
    saved = {key: (redis.dump(key)) for key in redis.scan_iter("trivet:similar:*")}
    insert(rated, (902, 1, 3), (903, 777, 2))
    rated.psql("DELETE FROM trivet.rating WHERE user_id IN (11, 12)")
    similar(run, rated, "--update")
    agrees(run, rated)
    for key in redis.scan_iter("trivet:similar:*"):
        redis.delete(key)
    for key, value in saved.items():
        redis.restore(key, 0, value)
    assert dump(rated) != sketches(sets_of(rated))
    done = similar(run, rated, "--update")
    assert "has lost changes of similar items" in done.stderr
    agrees(run, rated)


def test_random_events_from_eight_connections_with_kills(run, programs, rated):
    """5,000 events while the one who applies them is killed again and again (bench/minhash_large has 100,000)."""
    similar(run, rated)

    def rate(seed):
        draw = random.Random(seed)
        with psycopg2.connect(rated.postgres_uri) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for _ in range(625):
                    user, item = draw.randrange(10) * 8 + seed, draw.randrange(1, 60)  # users of its own
                    if draw.random() < 0.7:
                        cursor.execute("INSERT INTO trivet.rating_live (user_id, item_id, value) VALUES (%s, %s, 3)", (user, item))
                    else:
                        cursor.execute("DELETE FROM trivet.rating WHERE user_id = %s AND item_id = %s", (user, item))

    env = {**os.environ, **rated.env}
    draw = random.Random(0)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(rate, seed) for seed in range(8)]
        while not all(writer.done() for writer in writers):
            child = subprocess.Popen([programs["trivet-train"], "similar", "--update"], env=env, stderr=subprocess.DEVNULL)
            try:
                child.wait(timeout=draw.uniform(0.02, 0.3))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for writer in writers:
            writer.result()
    similar(run, rated, "--update")
    agrees(run, rated)
