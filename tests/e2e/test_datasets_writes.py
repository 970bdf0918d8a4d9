"""Who writes without a model, or reads in a transaction: what holds when another data set takes the place meanwhile."""

import concurrent.futures

import psycopg2
import pytest

from server import until
from test_load import load, number, write

pytestmark = pytest.mark.with_schema


@pytest.fixture
def shops(run, fresh_stores, tmp_path):
    """East is loaded, where ann has the number that bob has in west; the values are counts, or ratings on another scale."""
    for name, text in (("east", "ann,10,3\nann,11,5\nbob,11,4\n"), ("west", "bob,10,30\nbob,12,50\nann,12,40\n")):
        load(run, fresh_stores, write(tmp_path / name, ratings="userId,movieId,rating\n" + text))
    run("trivet-etl", "datasets", "use", "east", env=fresh_stores.env)
    return fresh_stores


def use(name):
    return f"SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = '{name}'))"


def meanwhile(stores, change, statement):
    """The statement begins while the change is made, which is not visible yet: its row."""
    switching, other = psycopg2.connect(stores.postgres_uri), psycopg2.connect(stores.postgres_uri)
    other.autocommit = True
    with concurrent.futures.ThreadPoolExecutor(1) as pool, switching.cursor() as cursor, other.cursor() as asking:
        def ask():
            asking.execute(statement)
            return asking.fetchone()
        cursor.execute(change)
        asked = pool.submit(ask)
        until(lambda: asked.done() or number(stores, "SELECT count(*) FROM pg_locks WHERE NOT granted"))
        switching.commit()
        row = asked.result(timeout=20)
    switching.close()
    other.close()
    return row


LIVE = ("SELECT coalesce(string_agg(trivet.user_code(user_id) || ' ' || item_id || ' ' || value, ', ' ORDER BY user_id, item_id), '') "
        "FROM trivet.rating WHERE load_id IS NULL")


@pytest.mark.parametrize("statement,row,live", [
    ("SELECT refused, reason FROM trivet.rate_as('ann', '{12}', '{50}')", (None, None), "ann 12 50"),
    ("SELECT user_id, refused, reason FROM trivet.rate_as('ann', '{10}', '{4}')", (None, 10, "scale"), ""),
    ("SELECT refused, reason FROM trivet.rate(7, '{10}', '{4}')", (10, "scale"), ""),
    ("SELECT removed FROM trivet.unrate_as('ann', 12)", (1,), ""),
    ("SELECT removed FROM trivet.unrate_as('ann', 11)", (0,), ""),
], ids=["rate_as", "scale", "rate", "unrate_as", "unrate_as of nothing"])
def test_a_code_is_of_the_data_set_that_is_written_to(shops, statement, row, live):
    """Without a model nobody says which data set is meant: it is the one that is loaded when the change is written."""
    shops.psql("CREATE VIEW public.now AS SELECT trivet.user_code(user_id) || ' ' || item_id AS pair FROM trivet.rating")
    assert meanwhile(shops, use("west"), statement) == row
    assert shops.psql(LIVE) == live
    wanted = "bob 10\nbob 12\nann 12" if "removed" not in statement or row == (0,) else "bob 10\nbob 12"
    assert sorted(shops.psql("SELECT * FROM public.now").splitlines()) == sorted(wanted.splitlines())
    shops.psql("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = 'east'))")
    assert shops.psql("SELECT count(*) FROM public.now") == "3" and shops.psql(LIVE) == ""


def test_plays_are_added_to_what_stands_in_the_data_set_that_is_written_to(shops):
    shops.psql("UPDATE trivet.load SET format = 'plays-csv'")
    row = meanwhile(shops, use("west"), "SELECT sums, reason FROM trivet.play_as('ann', '{12}', '{2}')")
    assert row == ([42.0], None) and shops.psql(LIVE) == "ann 12 42"


def test_an_item_that_is_forgotten_meanwhile_is_not_rated(shops):
    forgotten = "SELECT trivet.forget_item(10, 3)"
    row = meanwhile(shops, forgotten, "SELECT refused, reason FROM trivet.rate_as('carl', '{10}', '{3}')")
    assert row == (10, "unknown") and shops.psql("SELECT count(*) FROM trivet.rating WHERE item_id = 10") == "0"


def test_who_is_forgotten_meanwhile_has_no_ratings_without_a_code(shops):
    """They come back as somebody new."""
    ann = shops.psql("SELECT trivet.user_id('ann')")
    row = meanwhile(shops, f"SELECT trivet.forget_user({ann}), trivet.forget_user_code({ann})", "SELECT user_id FROM trivet.rate_as('ann', '{10}', '{3}')")
    assert row != (int(ann),) and shops.psql(LIVE) == "ann 10 3"


def test_a_transaction_that_sees_the_codes_of_before_writes_nothing(shops):
    with psycopg2.connect(shops.postgres_uri) as old, old.cursor() as cursor:
        old.set_session(isolation_level="REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM trivet.item")
        shops.psql("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = 'west'))")
        with pytest.raises(psycopg2.Error, match="another data set has taken the place of east"):
            cursor.execute("SELECT * FROM trivet.rate_as('ann', '{10}', '{30}')")
        old.rollback()
    assert shops.psql(LIVE) == ""


@pytest.mark.parametrize("statement", ["DELETE FROM trivet.rating", "INSERT INTO trivet.rating VALUES (1, 10, 3)", "UPDATE trivet.rating SET value = 1",
                                       "INSERT INTO trivet.item (item_id, title) VALUES (99, 'x')", "INSERT INTO trivet.tag VALUES (1, 10, 'x')",
                                       "TRUNCATE trivet.tag"])
def test_a_change_by_hand_in_a_transaction_of_before_is_refused(shops, statement):
    """Its rows would be the other data set's, and the note of them this one's."""
    everything = "SELECT r::text FROM trivet.rating r UNION ALL SELECT i::text FROM trivet.item i UNION ALL SELECT relation FROM trivet.hand_change"
    with psycopg2.connect(shops.postgres_uri) as old, old.cursor() as cursor:
        old.set_session(isolation_level="REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM trivet.item")
        shops.psql("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = 'west'))")
        before = shops.psql(everything)
        with pytest.raises(psycopg2.Error, match="another data set has taken the place of east"):
            cursor.execute(statement)
        old.rollback()
    assert shops.psql(everything) == before


def test_revs_of_another_data_set_are_not_noted(shops):
    """Who folded users of east in, and notes it when west is loaded: the same numbers are other people."""
    east, west = (shops.psql(f"SELECT id FROM trivet.dataset WHERE name = '{name}'") for name in ("east", "west"))
    shops.psql(f"SELECT trivet.rate_as('ann', '{{10}}', '{{3}}'), trivet.use_dataset({west})")
    shops.psql("SELECT trivet.rate_as('bob', '{10}', '{30}'), trivet.rate_as('bob', '{12}', '{30}')")
    bob = shops.psql("SELECT trivet.user_id('bob')")
    noted = "SELECT rev, folded_rev, refused_rev FROM trivet.user_change"
    shops.psql(f"SELECT trivet.users_folded('{{{bob}}}', '{{1}}', {east}), trivet.users_not_folded('{{{bob}}}', '{{2}}', true, {east})")
    assert shops.psql(noted) == "2|0|0"
    shops.psql(f"SELECT trivet.users_folded('{{{bob}}}', '{{2}}', {west})")
    assert shops.psql(noted) == "2|2|0"
    shops.psql(f"SELECT trivet.users_not_folded('{{{bob}}}', '{{2}}', false, {east})")
    assert shops.psql(noted) == "2|2|0"
    shops.psql(f"SELECT trivet.users_not_folded('{{{bob}}}', '{{2}}', true, {west})")
    assert shops.psql(noted) == "2|1|2"


def test_an_item_without_a_title_is_known_where_it_is_rated(shops):
    """Files without titles: no item stands in trivet.item."""
    assert shops.psql("SELECT count(*) FROM trivet.item") == "0"
    assert shops.psql("SELECT refused, reason FROM trivet.rate_as('carl', '{11,10}', '{3,4}')") == "|"
    assert shops.psql("SELECT refused, reason FROM trivet.rate_as('carl', '{11,12,13}', '{3,4,4}')") == "12|unknown"  # of west
    assert shops.psql("SELECT trivet.items_unknown('{10,11,12,13}')") == "{12,13}"
    shops.psql("UPDATE trivet.load SET format = 'plays-csv'")
    assert shops.psql("SELECT sums, refused FROM trivet.play_as('bob', '{11}', '{1}')") == "{5}|"


@pytest.fixture
def analyst(shops):
    """An analyst, who may only read, in a transaction that keeps its snapshot."""
    shops.psql("DO $$ BEGIN CREATE ROLE snapshot_reader LOGIN IN ROLE trivet_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    with psycopg2.connect(shops.postgres_uri.replace("//postgres@", "//snapshot_reader@")) as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        yield connection


@pytest.mark.parametrize("query", ["trivet.user_item(max_items_for_user => 10, min_users_for_item => 0, min_items_for_user => 0)",
                                   "trivet.user_item_core(max_items_for_user => 10)", "trivet.evidence()"])
def test_an_old_snapshot_is_no_data_set(shops, analyst, query):
    """Its codes and items would be those of east, its ratings those of west."""
    with analyst.cursor() as cursor:
        cursor.execute("SELECT trivet.check_snapshot() FROM trivet.code")
        assert cursor.fetchone() == (True,)
        shops.psql("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = 'west'))")
        with pytest.raises(psycopg2.Error, match="another data set has taken the place of east since this transaction began"):
            cursor.execute(f"SELECT count(*) FROM {query}")
        analyst.rollback()
        cursor.execute(f"SELECT count(*) FROM {query}")


def test_a_lock_keeps_the_data_set_for_a_transaction(run, shops, analyst):
    """The one of docs/tuning-filters.md."""
    with analyst.cursor() as cursor:
        cursor.execute("LOCK TABLE ONLY trivet.rating IN ACCESS SHARE MODE")
        cursor.execute("SELECT count(*) FROM trivet.code WHERE code = 'ann'")
        shops.psql("SELECT trivet.rate_as('ann', '{10}', '{4}')")
        refused = run("trivet-etl", "datasets", "use", "west", "--lock-wait", 1, env=shops.env, check=False)
        assert refused.returncode != 0 and "gave up after 1 s" in refused.stderr
        cursor.execute("SELECT trivet.check_snapshot(), count(*), sum(value) FROM trivet.rating WHERE user_id = trivet.user_id('ann')")
        assert cursor.fetchone() == (True, 2, 8)
        analyst.rollback()
    run("trivet-etl", "datasets", "use", "west", env=shops.env)
