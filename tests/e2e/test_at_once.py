"""Ratings that come while loads end, and while others for the same user are refused: what was acknowledged stands there, once,
under the user's own number."""

import concurrent.futures
import random
import threading

import psycopg2
import pytest

from server import until

USERS, ITEMS = range(1, 31), range(1, 21)


def write(folder, rows):
    folder.mkdir()
    (folder / "ratings.csv").write_text("userId,movieId,rating\n" + "".join(f"{u},{i},{v}\n" for u, i, v in rows))
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "".join(f"{i},Film {i} (1990),Drama\n" for i in ITEMS))
    return folder


@pytest.fixture
def place(run, fresh_stores, tmp_path):
    """Ratings of 1 to 5, each item by each user of the first ten."""
    run("trivet-etl", "load", write(tmp_path / "first", [(u, i, 1 + (u + i) % 5) for u in range(1, 11) for i in ITEMS]),
        env=fresh_stores.env)
    return fresh_stores


TWICE = """SELECT count(*) FROM (SELECT FROM trivet.rating GROUP BY user_id, item_id
           HAVING count(*) > 1 AND bool_or(load_id IS NULL)) both_live_and_loaded"""


class Raters:
    """Rate on as many connections as there are threads, as the server does; what was acknowledged last is remembered."""

    def __init__(self, place, threads):
        self.place, self.stop, self.last = place, threading.Event(), {}
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.work = [self.pool.submit(self.rate, seed, threads) for seed in range(threads)]

    def rate(self, seed, threads):
        draw, n = random.Random(seed), 0
        mine = [user for user in USERS if user % threads == seed]
        connection = psycopg2.connect(self.place.live_uri)
        connection.autocommit = True
        with connection.cursor() as cursor:
            while not self.stop.is_set():
                user, item, value = draw.choice(mine), draw.choice(ITEMS), draw.randint(1, 5)
                cursor.execute("SELECT refused FROM trivet.rate_as(%s, ARRAY[%s]::bigint[], ARRAY[%s]::real[])",
                               (str(user), item, value))
                assert cursor.fetchone() == (None,)
                self.last[user, item] = value
                n += 1
        connection.close()
        return n

    def end(self):
        self.stop.set()
        return sum(work.result() for work in self.work)


@pytest.mark.parametrize("more", [("--append",), ()], ids=["append", "replace"])
def test_a_live_rating_beats_a_loaded_one_that_comes_at_the_same_time(run, place, tmp_path, more):
    files = [write(tmp_path / f"set-{n}", [(u, i, 1 + (u + i + n) % 5) for u in USERS for i in ITEMS]) for n in range(2)]
    raters = Raters(place, 6)
    for n in range(8):
        run("trivet-etl", "load", files[n % 2], "--name", "first", *more, env=place.env)
    assert raters.end() > 300
    assert place.psql(TWICE) == "0"
    rows = [line.split("|") for line in place.psql("SELECT user_id, item_id, value FROM trivet.rating WHERE load_id IS NULL").splitlines()]
    assert {(int(user), int(item)): float(value) for user, item, value in rows} == raters.last


def test_a_refused_rating_takes_no_code_from_whoever_has_it(place):
    """For each new code one valid rating and one off the scale, at once; whichever comes first, the code stays, or never was."""
    barrier, rounds = threading.Barrier(2), 200

    def rate(value):
        refused = 0
        connection = psycopg2.connect(place.live_uri)
        connection.autocommit = True
        with connection.cursor() as cursor:
            for n in range(rounds):
                barrier.wait(timeout=30)
                cursor.execute("SELECT refused IS NOT NULL FROM trivet.rate_as(%s, '{1}', ARRAY[%s]::real[])", (f"new-{n}", value))
                refused += cursor.fetchone()[0]
        connection.close()
        return refused

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert list(pool.map(rate, (3, 99))) == [0, rounds]
    assert place.psql("SELECT count(*) FROM trivet.rating r JOIN trivet.code c ON c.kind = 'user' AND c.id = r.user_id") == str(rounds)
    assert place.psql("SELECT count(*) FROM trivet.rating r WHERE user_id >= 8000000000000000 AND NOT EXISTS "
                      "(SELECT FROM trivet.code c WHERE c.kind = 'user' AND c.id = r.user_id)") == "0"
    assert place.psql("SELECT refused FROM trivet.rate_as('nobody', '{1}', '{99}')") == "1"
    assert place.psql("SELECT count(*) FROM trivet.code WHERE code = 'nobody'") == "0"


@pytest.mark.parametrize("noting", ["items_counted('{10,20}', '{1,1}')", "users_folded('{10,20}', '{1,1}')",
                                    "users_not_folded('{10,20}', '{1,1}', true)"])
def test_who_notes_and_who_rates_go_the_same_way(place, noting):
    """The rows lie in descending order, and the plan is one that takes them as they lie: still the first of them is waited for
    with nothing in hand."""
    place.psql("SELECT trivet.rate(20, '{20}', '{3}'); SELECT trivet.rate(10, '{10}', '{3}')")
    with psycopg2.connect(place.postgres_uri) as rating, psycopg2.connect(place.postgres_uri) as other:
        rate, note = rating.cursor(), other.cursor()
        note.execute("SET enable_nestloop = off; SET enable_mergejoin = off; SET enable_indexscan = off; SET enable_bitmapscan = off")
        rate.execute("SELECT changed FROM trivet.rate(10, '{10}', '{4}')")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            noted = pool.submit(note.execute, f"SELECT trivet.{noting}")
            waits = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {other.info.backend_pid} AND wait_event_type = 'Lock'"
            until(lambda: place.psql(waits) == "1")
            rate.execute("SELECT changed FROM trivet.rate(20, '{20}', '{4}')")
            rating.commit()
            noted.result(timeout=20)


def test_nothing_is_noted_as_written_before_it_changed(place):
    """Or what changes later would never be written."""
    place.psql("SELECT trivet.rate(1, '{1}', '{2}')")
    with psycopg2.connect(place.live_uri) as live, live.cursor() as cursor:
        cursor.execute("SELECT trivet.users_folded('{1}', '{99}'), trivet.items_counted('{1}', '{99}')")
    assert place.psql("SELECT rev, folded_rev FROM trivet.user_change") == "1|1"
    assert place.psql("SELECT rev, counted_rev FROM trivet.item_change") == "1|1"


def test_what_a_database_isolates_by_default_is_no_matter(run, serve, place):
    """A pool's owner may set it; who waits for another's rating of the same user then sees it, and does not fail."""
    run("trivet-train", "fit", "--set", "min_users_for_item=5", "--factors", 3, env=place.env)
    place.psql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', current_database()); END $$")
    server = serve(place)
    with psycopg2.connect(place.postgres_uri) as other, concurrent.futures.ThreadPoolExecutor(1) as pool:
        other.cursor().execute("SELECT changed FROM trivet.rate(5, '{1}', '{2}')")
        asked = pool.submit(server.send, "PUT", "/api/v1/users/5/ratings/1", {"rating": 4})
        until(lambda: asked.done() or place.psql("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0")
        other.commit()
        assert asked.result(timeout=20).status == 200
    assert place.psql("SELECT value FROM trivet.rating WHERE user_id = 5 AND item_id = 1") == "4"
