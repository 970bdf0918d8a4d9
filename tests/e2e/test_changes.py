"""--if-changed of fit and similar: what psql does to ratings, items and tags, to what a source stands for, and to tables of
people's own is noticed, exactly as far as the training did not see it; and where nothing happened no row is read."""

import contextlib
import time

import psycopg2
import pytest

from rating_sets import like_movielens
from server import until
from test_models import loaded, small_set  # noqa: F401  (fixtures)

FIT = ("fit", "--set", "max_items_for_user=60", "--factors", 3)
SIMILAR = ("similar",)


def trained(run, place, *words):
    """Whether a command with --if-changed found something to do; what it says and what it did agree."""
    counted = "SELECT (SELECT count(*) FROM trivet.run) + (SELECT count(*) FROM trivet.similar_index)"
    before = place.psql(counted)
    told = run("trivet-train", *words, "--if-changed", env=place.env).stdout
    assert ("nothing changed" in told) == (place.psql(counted) == before)
    return "nothing changed" not in told


def quiet(place):
    """Waits until only this session is there, so that all counters have been reported."""
    until(lambda: place.psql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                             " AND backend_type = 'client backend'") == "0")


@contextlib.contextmanager
def session(place, isolation=None):
    connection = psycopg2.connect(place.postgres_uri)
    connection.set_session(isolation_level=isolation)
    try:
        yield connection, connection.cursor()
    finally:
        connection.close()


BY_HAND = [
    "DELETE FROM trivet.rating WHERE item_id = 7",
    "INSERT INTO trivet.rating (user_id, item_id, value) VALUES (1, 14, 5)",
    "UPDATE trivet.rating SET value = 3 WHERE user_id = 2",
    "COPY trivet.rating (user_id, item_id, value) FROM PROGRAM 'printf \"3,14,5\\n\"' CSV",
    "MERGE INTO trivet.rating r USING (SELECT 4 AS u) s ON r.user_id = s.u AND r.item_id > 300 WHEN MATCHED THEN UPDATE SET value = 2",
    "DELETE FROM trivet.rating_load_1 WHERE user_id = 5",
    "UPDATE trivet.rating_load_1 SET value = 4.5 WHERE user_id = 6",
    "INSERT INTO trivet.rating_live (user_id, item_id, value) VALUES (7, 14, 5)",
    "COPY trivet.rating_live (user_id, item_id, value) FROM PROGRAM 'printf \"8,14,5\\n\"' CSV",
    "TRUNCATE trivet.rating_live",
    "SET session_replication_role = replica; DELETE FROM trivet.rating WHERE user_id = 9",
    "ALTER TABLE trivet.rating DISABLE TRIGGER ALL; ALTER TABLE trivet.rating DETACH PARTITION trivet.rating_live",
    "ALTER TABLE trivet.rating ATTACH PARTITION trivet.rating_live FOR VALUES IN (NULL); ALTER TABLE trivet.rating ENABLE TRIGGER ALL;"
    " ALTER TABLE trivet.rating ENABLE ALWAYS TRIGGER hand_change; UPDATE trivet.rating SET value = 2 WHERE user_id = 17",
    "SET ROLE trivet_writer; DELETE FROM trivet.rating WHERE user_id = 10",
    "SET ROLE trivet_writer; UPDATE trivet.item SET title = 'Other Film (1999)' WHERE item_id = 14",
    "DELETE FROM trivet.item WHERE item_id = 21",
    "INSERT INTO trivet.item (item_id, title) VALUES (9999, 'New (2020)')",
    "INSERT INTO trivet.tag (user_id, item_id, tag) VALUES (1, 14, 'slow')",
    "TRUNCATE trivet.tag",
    "BEGIN ISOLATION LEVEL SERIALIZABLE; DELETE FROM trivet.rating WHERE user_id = 11; COMMIT",
    "BEGIN; SAVEPOINT a; DELETE FROM trivet.rating WHERE user_id = 12; ROLLBACK TO a; DELETE FROM trivet.rating WHERE user_id = 13; COMMIT",
    # With triggers switched off, as tools for bulk changes do, and pg_restore --disable-triggers; of all tables in turn.
    "ALTER TABLE trivet.rating DISABLE TRIGGER ALL; DELETE FROM trivet.rating WHERE user_id = 18; ALTER TABLE trivet.rating ENABLE TRIGGER ALL",
    "ALTER TABLE trivet.rating DISABLE TRIGGER USER; DELETE FROM trivet.rating WHERE user_id = 19; ALTER TABLE trivet.rating ENABLE TRIGGER USER;"
    " ALTER TABLE trivet.rating ENABLE ALWAYS TRIGGER hand_change",
    "BEGIN; ALTER TABLE trivet.rating_load_1 DISABLE TRIGGER hand_change; DELETE FROM trivet.rating_load_1 WHERE user_id = 20;"
    " ALTER TABLE trivet.rating_load_1 ENABLE ALWAYS TRIGGER hand_change; COMMIT",
    "ALTER TABLE trivet.rating_live DISABLE TRIGGER ALL; INSERT INTO trivet.rating_live (user_id, item_id, value) VALUES (21, 14, 5);"
    " ALTER TABLE trivet.rating_live ENABLE TRIGGER ALL",
    "ALTER TABLE trivet.item DISABLE TRIGGER ALL; UPDATE trivet.item SET title = 'Quiet (1999)' WHERE item_id = 28; ALTER TABLE trivet.item ENABLE TRIGGER ALL",
    "ALTER TABLE trivet.tag DISABLE TRIGGER ALL; INSERT INTO trivet.tag (user_id, item_id, tag) VALUES (2, 14, 'slow'); ALTER TABLE trivet.tag ENABLE TRIGGER ALL",
    "DROP TRIGGER hand_change ON trivet.item; UPDATE trivet.item SET title = 'Gone (1999)' WHERE item_id = 28; SELECT trivet.note_changes_of('trivet.item')",
    # Healed by the command before: a replica is seen again.
    "SET session_replication_role = replica; UPDATE trivet.item SET title = 'Replica (1999)' WHERE item_id = 28",
    "SELECT trivet.note_change()",
    # Some of it by trivet's own functions, which count for themselves.
    "BEGIN; SELECT trivet.unrate(14, 99999); DELETE FROM trivet.rating WHERE user_id = 14; COMMIT",
    "BEGIN; SAVEPOINT a; SELECT trivet.rate(15, '{14}', '{5}'); ROLLBACK TO a; DELETE FROM trivet.rating WHERE user_id = 15; COMMIT",
    "SELECT trivet.rate(16, '{14}', '{5}')",
    "SELECT trivet.unrate(16, 14)",
]


def test_whatever_is_changed_by_hand_is_trained_and_then_no_more(run, loaded):  # noqa: F811
    assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)
    for statement in BY_HAND:
        loaded.psql(statement)
        assert trained(run, loaded, *FIT), statement
    assert not trained(run, loaded, *FIT)


def test_no_change_is_none(run, loaded):  # noqa: F811
    """Nothing that was rolled back, met no row, or only read or looked after the tables."""
    trained(run, loaded, *FIT)
    trained(run, loaded, *SIMILAR)
    loaded.psql("BEGIN; DELETE FROM trivet.rating; TRUNCATE trivet.item; ROLLBACK")
    loaded.psql("DELETE FROM trivet.rating WHERE item_id = -1")
    loaded.psql("SELECT trivet.unrate(1, -1)")
    loaded.psql("SELECT count(*) FROM trivet.rating, trivet.item")
    loaded.psql("VACUUM ANALYZE trivet.rating")
    loaded.psql("CREATE INDEX ON trivet.rating (item_id)")
    loaded.psql("SELECT trivet.fold_hand_changes()")
    loaded.psql("VACUUM FREEZE pg_trigger")
    loaded.psql("VACUUM FULL pg_trigger")
    assert not trained(run, loaded, *FIT) and not trained(run, loaded, *SIMILAR)


def test_while_a_trigger_is_off_nothing_is_called_unchanged(run, loaded):  # noqa: F811
    """It is told, with what to type; somebody wanted it off, so no command puts it on."""
    trained(run, loaded, *FIT)
    trained(run, loaded, *SIMILAR)
    for table, off in (("rating", "DISABLE TRIGGER ALL"), ("item", "DISABLE TRIGGER hand_change"), ("rating_load_1", "ENABLE REPLICA TRIGGER hand_change")):
        loaded.psql(f"ALTER TABLE trivet.{table} {off}")
        for words in (FIT, SIMILAR) * 2:
            told = run("trivet-train", *words, "--if-changed", env=loaded.env)
            assert "nothing changed" not in told.stdout
        again = f"SELECT trivet.note_changes_of('trivet.{table}')"
        assert f"statements that change trivet.{table} leave no note, because the trigger hand_change is off: {again}" in told.stderr
        loaded.psql(again)
    assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)
    assert trained(run, loaded, *SIMILAR) and not trained(run, loaded, *SIMILAR)
    assert run("trivet-train", *SIMILAR, "--if-changed", env=loaded.env).stderr.count("no note") == 0


def test_what_was_on_is_always_on_again(run, loaded):  # noqa: F811
    """After ENABLE TRIGGER ALL, with which pg_restore --disable-triggers ends, sessions that call themselves a replica are seen."""
    always = ("SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
              "WHERE proname IN ('note_hand_change', 'note_similar_event') ORDER BY tgrelid::regclass::text, 2")
    before = loaded.psql(always)
    loaded.psql("ALTER TABLE trivet.rating DISABLE TRIGGER ALL; ALTER TABLE trivet.rating ENABLE TRIGGER ALL")
    assert loaded.psql(always) != before
    with session(loaded) as (connection, cursor):
        cursor.execute("INSERT INTO trivet.rating (user_id, item_id, value) VALUES (1, 14, 5)")
        assert trained(run, loaded, *FIT), "the table is in use: it is not waited for, and nothing is called unchanged"
        connection.rollback()
    assert trained(run, loaded, *FIT) and loaded.psql(always) == before and not trained(run, loaded, *FIT)


def test_ratings_that_come_by_logical_replication_are_never_called_unchanged(run, private_stores, small_set):
    """Its worker fires no trigger for statements. What a subscription fills is told, and read again each time."""
    place = private_stores
    run("trivet-etl", "load", small_set, env=place.env)
    place.psql("ALTER SYSTEM SET wal_level = logical")
    place.postgres.restart()
    place.postgres.psql("CREATE DATABASE publisher")
    place.postgres.psql("CREATE SCHEMA trivet; CREATE TABLE trivet.item (item_id bigint PRIMARY KEY, title text); "
                        "CREATE PUBLICATION theirs FOR TABLE trivet.item", "publisher")
    place.postgres.psql("SELECT pg_create_logical_replication_slot('ours', 'pgoutput')", "publisher")
    assert trained(run, place, *FIT) and not trained(run, place, *FIT)
    place.psql(f"CREATE SUBSCRIPTION ours CONNECTION '{place.postgres.uri('publisher')}' PUBLICATION theirs WITH (create_slot = false, copy_data = false)")
    place.postgres.psql("INSERT INTO trivet.item VALUES (99999, 'From elsewhere (2001)')", "publisher")
    until(lambda: place.psql("SELECT title FROM trivet.item WHERE item_id = 99999") == "From elsewhere (2001)")
    for _ in range(2):
        told = run("trivet-train", *FIT, "--if-changed", env=place.env)
        assert "is live" in told.stdout
    assert "logical replication changes trivet.item and leaves no note" in told.stderr
    place.psql("ALTER SUBSCRIPTION ours DISABLE; ALTER SUBSCRIPTION ours SET (slot_name = NONE); DROP SUBSCRIPTION ours")
    assert not trained(run, place, *FIT)


def test_all_rows_gone_is_a_change_too(run, loaded):  # noqa: F811
    for statement in ("TRUNCATE trivet.rating", "DROP TABLE trivet.rating_load_2", "DELETE FROM trivet.rating"):
        run("trivet-train", *FIT, env=loaded.env)
        loaded.psql(statement)
        told = run("trivet-train", *FIT, "--if-changed", env=loaded.env, check=False)
        assert told.returncode != 0 and "nothing changed" not in told.stdout, statement
        run("trivet-etl", "load", loaded.psql("SELECT max(source) FROM trivet.load"), env=loaded.env)


def test_what_a_training_did_not_see_is_noticed_by_the_next(run, loaded):  # noqa: F811
    """A change whose transaction is open while a training reads, and commits after it."""
    with session(loaded) as (connection, cursor):
        cursor.execute("DELETE FROM trivet.rating WHERE item_id = 7")
        assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)
        connection.commit()
    assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)
    with session(loaded) as (connection, cursor):
        cursor.execute("UPDATE trivet.item SET title = 'x'")
        assert not trained(run, loaded, *FIT)
        connection.rollback()
    assert not trained(run, loaded, *FIT)


def test_the_programs_own_changes_leave_no_note(run, loaded):  # noqa: F811
    """Loads and ratings that come live are counted as such already, and pay for nothing twice."""
    noted = "SELECT count(*) FROM trivet.hand_change"
    for statement in ("SELECT trivet.rate(1, '{14,21}', '{5,4}')", "SELECT trivet.rate(2, '{14}', '{5}')", "SELECT trivet.unrate(1, 14)"):
        loaded.psql(statement)
    run("trivet-etl", "load", loaded.psql("SELECT max(source) FROM trivet.load"), env=loaded.env)
    assert loaded.psql(noted) == "0" and loaded.psql("SELECT count(*) FROM trivet.rating_live") == "2"
    loaded.psql("BEGIN; SELECT trivet.rate(3, '{14}', '{5}'); COMMIT; BEGIN; DELETE FROM trivet.rating WHERE user_id = 4; COMMIT")
    assert loaded.psql(noted) == "1"


def test_a_load_of_the_same_files_changes_nothing(run, loaded):  # noqa: F811
    trained(run, loaded, *FIT)
    trained(run, loaded, *SIMILAR)
    assert run("trivet-etl", "load", loaded.psql("SELECT source FROM trivet.load"), "--if-changed", env=loaded.env).returncode == 0
    assert not trained(run, loaded, *FIT) and not trained(run, loaded, *SIMILAR)


@pytest.mark.parametrize("statement", ["TRUNCATE trivet.rating", "DROP TABLE trivet.rating_load_1"])
def test_a_load_whose_rows_are_gone_is_loaded_again(run, fresh_stores, small_set, statement):
    run("trivet-etl", "load", small_set, env=fresh_stores.env)
    rows = fresh_stores.psql("SELECT count(*) FROM trivet.rating")
    fresh_stores.psql(statement)
    assert "nothing to do" not in run("trivet-etl", "load", small_set, "--if-changed", env=fresh_stores.env).stdout
    assert fresh_stores.psql("SELECT count(*) FROM trivet.rating") == rows != "0"
    assert "nothing to do" in run("trivet-etl", "load", small_set, "--if-changed", env=fresh_stores.env).stdout


def test_where_nothing_changed_no_row_is_read(run, loaded):  # noqa: F811
    loaded.psql("SELECT trivet.rate(1, '{14}', '{5}')")
    for words in (FIT, SIMILAR) * 2:  # the second fit folds that user in for good
        trained(run, loaded, *words)

    def scans():
        quiet(loaded)
        return loaded.psql("SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_user_tables WHERE schemaname = 'trivet' AND "
                           "relname ~ '^(rating|item$|tag$)'")

    before = scans()
    assert not trained(run, loaded, *FIT) and not trained(run, loaded, *SIMILAR)
    assert scans() == before


def test_notes_are_folded_and_say_the_same(run, loaded):  # noqa: F811
    """A thousand small changes become a row a table, by a training or by the changes themselves; whoever is at it is waited for
    by nobody, and fails nobody."""
    with session(loaded) as (connection, cursor):
        connection.autocommit = True
        for user in range(100):
            cursor.execute("INSERT INTO trivet.rating (user_id, item_id, value) VALUES (%s, 14, 5); ", (1000 + user,))
        cursor.execute("SELECT count(*), trivet.data_fingerprint() FROM trivet.hand_change")
        many, fingerprint = cursor.fetchone()
        assert many > 1
        with session(loaded, "REPEATABLE READ") as (other, strict):
            strict.execute("SELECT trivet.data_fingerprint()")
            assert strict.fetchone()[0] == fingerprint
            strict.execute("INSERT INTO trivet.rating (user_id, item_id, value) VALUES (2000, 14, 5)")
            cursor.execute("SET lock_timeout = 1000; SELECT trivet.fold_hand_changes()")
            cursor.execute("SELECT count(*), trivet.data_fingerprint() FROM trivet.hand_change")
            assert cursor.fetchone() == (1, fingerprint)
            strict.execute("DELETE FROM trivet.rating WHERE user_id = 2000")
            other.commit()
        cursor.execute("SELECT count(*), trivet.data_fingerprint() <> %s FROM trivet.hand_change", (fingerprint,))
        assert cursor.fetchone() == (2, True)
    assert trained(run, loaded, *FIT) and loaded.psql("SELECT count(*) FROM trivet.hand_change") == "1"
    assert not trained(run, loaded, *FIT)
    loaded.psql("DO $$ BEGIN PERFORM setseed(0.5); FOR i IN 1..3000 LOOP INSERT INTO trivet.tag VALUES (1, 14, 'x', NULL); COMMIT; "
                "END LOOP; END $$")
    assert int(loaded.psql("SELECT count(*) FROM trivet.hand_change WHERE relation = 'tag'")) < 2000
    assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)


def test_an_older_schema_gets_the_triggers(run, loaded):  # noqa: F811
    """One whose tables have none, and whose models have fingerprints of an older trivet: at most one training for nothing."""
    trained(run, loaded, *FIT)
    trained(run, loaded, *SIMILAR)
    loaded.psql("DROP FUNCTION trivet.note_hand_change() CASCADE; DROP TABLE trivet.hand_change CASCADE; "
                "ALTER TABLE trivet.similar_index DROP COLUMN fingerprint; "
                "UPDATE trivet.run SET fingerprint = 'older'; UPDATE trivet.schema_version SET files = 'older'")
    run("trivet-etl", "schema", env=loaded.env)
    assert sorted(loaded.psql("SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'hand_change' AND tgenabled = 'A'").split()) == [
        f"trivet.{name}" for name in ("code", "item", "rating", "rating_live", "rating_live_1", "rating_load_1", "tag")]
    assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)
    assert trained(run, loaded, *SIMILAR) and not trained(run, loaded, *SIMILAR)
    loaded.psql("DELETE FROM trivet.rating_load_1 WHERE item_id = 7")
    assert trained(run, loaded, *FIT)


def test_each_data_set_has_changes_of_its_own(run, loaded, small_set, tmp_path):  # noqa: F811
    """Also those that are made while another one is loaded."""
    lines = (small_set / "ratings.csv").read_text().splitlines(keepends=True)
    (tmp_path / "ratings.csv").write_text("".join(lines[:1] + lines[200:]))
    (tmp_path / "movies.csv").write_text((small_set / "movies.csv").read_text())

    def use(name):
        run("trivet-etl", "datasets", "use", name, env=loaded.env)

    assert trained(run, loaded, *FIT)
    run("trivet-etl", "load", tmp_path, "--name", "other", env=loaded.env)
    assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)
    loaded.psql("UPDATE trivet.item SET title = 'x'; DELETE FROM trivet.rating WHERE item_id = 7; TRUNCATE trivet.tag; "
                "INSERT INTO trivet.rating (user_id, item_id, value) VALUES (1, 14, 5)")
    use(small_set.name)
    assert not trained(run, loaded, *FIT)
    loaded.psql("SELECT trivet.fold_hand_changes()")
    use("other")
    assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)
    for statement in ("UPDATE trivet.item_1 SET title = 'y'", "DELETE FROM trivet.rating_load_1 WHERE user_id = 3",
                      "INSERT INTO trivet.rating_live_1 (user_id, item_id, value) VALUES (1, 14, 5)",
                      "ALTER TABLE trivet.item_1 DISABLE TRIGGER ALL; UPDATE trivet.item_1 SET title = 'z'; ALTER TABLE trivet.item_1 ENABLE TRIGGER ALL",
                      "ALTER TABLE trivet.rating_load_1 DISABLE TRIGGER ALL; DELETE FROM trivet.rating_load_1 WHERE user_id = 4;"
                      " ALTER TABLE trivet.rating_load_1 ENABLE TRIGGER ALL"):
        loaded.psql(statement)
        assert not trained(run, loaded, *FIT), statement
        use(small_set.name)
        assert trained(run, loaded, *FIT), statement
        use("other")


def test_the_model_of_what_is_loaded_takes_the_place_of_another_data_sets(run, loaded, small_set, tmp_path):  # noqa: F811
    """`docker-compose up` after `activate` of a model of something else: the page shows what is loaded."""
    (tmp_path / "ratings.csv").write_text("".join((small_set / "ratings.csv").read_text().splitlines(keepends=True)[:-100]))
    (tmp_path / "movies.csv").write_text((small_set / "movies.csv").read_text())
    up = (("trivet-etl", "load", tmp_path, "--name", "other", "--if-changed"), ("trivet-train", *FIT, "--if-changed"))

    def live():
        number = loaded.redis_client().get("trivet:live").decode()
        assert loaded.psql("SELECT id FROM trivet.run WHERE state = 'live'") == number
        return int(number)

    assert trained(run, loaded, *FIT)
    said = [run(*command, env=loaded.env).stdout for command in up]
    assert live() == 2
    run("trivet-train", "activate", 1, env=loaded.env)
    said = [run(*command, env=loaded.env).stdout for command in up]
    assert "it is the current data set again" in said[0] and "nothing changed: model 2" in said[1]
    assert "model 2 is live again: model 1, which was, is of another data set" in said[1] and live() == 2
    assert loaded.psql("SELECT name FROM trivet.dataset WHERE current") == "other" and loaded.psql("SELECT * FROM trivet.out_of_date()") == ""
    assert "again" not in run(*up[1], env=loaded.env).stdout
    # Of the same data set somebody's choice stays.
    run("trivet-train", *FIT[:-1], 2, env=loaded.env)
    assert live() == 3 and not trained(run, loaded, *FIT) and live() == 3
    # One that was never live is not shown without being asked for.
    run("trivet-train", "activate", 1, env=loaded.env)
    loaded.psql("UPDATE trivet.run SET live_at = NULL WHERE id = 2")
    said = [run(*command, env=loaded.env).stdout for command in up]
    assert "model 1, which is live, is of another data set, and model 2 never was live: trivet-train activate 2" in said[1] and live() == 1


# --- sources of one's own -------------------------------------------------------------------------------------------

MINE = """CREATE SCHEMA mine; GRANT USAGE ON SCHEMA mine TO trivet_reader;
CREATE TABLE mine.extra (u bigint, i bigint, v real);
CREATE TABLE mine.parts (u bigint, i bigint, v real) PARTITION BY LIST (u);
CREATE TABLE mine.p1 PARTITION OF mine.parts DEFAULT;
CREATE TABLE mine.unrelated (n int);
CREATE FUNCTION mine.least_value() RETURNS real LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1; END';
CREATE FUNCTION mine.chosen(k int) RETURNS TABLE (u bigint, i bigint, v real) LANGUAGE sql STABLE AS
  'SELECT user_id, item_id, value FROM trivet.rating WHERE value >= mine.least_value() AND user_id < k';
CREATE VIEW mine."Base View" AS SELECT * FROM mine.chosen(60) UNION ALL SELECT * FROM mine.extra UNION ALL SELECT * FROM mine.parts;
CREATE MATERIALIZED VIEW mine.kept AS SELECT 1::bigint AS u, 7::bigint AS i, 5::real AS v;
CREATE VIEW mine.rows AS SELECT u AS userid, i AS movieid, v AS rating FROM mine."Base View" UNION ALL SELECT * FROM mine.kept;
GRANT SELECT ON ALL TABLES IN SCHEMA mine TO trivet_reader;"""

MEANS_SOMETHING_ELSE = [
    "CREATE OR REPLACE FUNCTION mine.least_value() RETURNS real LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 2; END'",
    "CREATE OR REPLACE FUNCTION mine.chosen(k int) RETURNS TABLE (u bigint, i bigint, v real) LANGUAGE sql STABLE AS "
    "'SELECT user_id, item_id, value FROM trivet.rating WHERE value >= mine.least_value() AND user_id < k - 1'",
    """CREATE OR REPLACE VIEW mine."Base View" AS SELECT * FROM mine.chosen(59) UNION ALL SELECT * FROM mine.extra
       UNION ALL SELECT * FROM mine.parts""",
    "CREATE OR REPLACE VIEW mine.rows AS SELECT u AS userid, i AS movieid, v AS rating FROM mine.\"Base View\" WHERE i > 7",
    "CREATE OR REPLACE VIEW mine.rows AS SELECT u AS userid, i AS movieid, v AS rating FROM mine.\"Base View\" UNION ALL SELECT u, i, 4 FROM mine.kept",
    "INSERT INTO mine.extra SELECT 70, i, 4 FROM generate_series(7, 70, 7) i",
    "UPDATE mine.extra SET v = 5",
    "INSERT INTO mine.parts SELECT 71, i, 4 FROM generate_series(7, 70, 7) i",
    "TRUNCATE mine.parts",
    "REFRESH MATERIALIZED VIEW mine.kept",
    "CREATE TABLE mine.p2 PARTITION OF mine.parts FOR VALUES IN (80)",
    "ALTER TABLE mine.extra RENAME COLUMN u TO x; ALTER TABLE mine.extra RENAME COLUMN i TO u; ALTER TABLE mine.extra RENAME COLUMN x TO i",
    "ALTER TABLE mine.extra ADD COLUMN note int DEFAULT 5",
    "ALTER TABLE mine.extra DROP COLUMN note",
    "DELETE FROM trivet.rating WHERE user_id = 3",
    "SELECT pg_stat_reset()",
]


@pytest.mark.parametrize("words", [("fit", "--factors", 3), SIMILAR])
def test_a_source_that_means_something_else_is_read_again(run, loaded, words):  # noqa: F811
    loaded.psql(MINE)
    words = (*words, "--source", "mine.rows")

    def read_again():
        quiet(loaded)
        return trained(run, loaded, *words)

    assert read_again() and not read_again()
    for statement in MEANS_SOMETHING_ELSE:
        loaded.psql(statement)
        assert read_again(), statement
    assert not read_again()
    loaded.psql("INSERT INTO mine.unrelated VALUES (1); CREATE VIEW mine.other AS SELECT 1; ANALYZE mine.extra")
    assert not read_again()


def test_a_name_that_means_another_view_is_read_again(run, loaded):  # noqa: F811
    """Of two views of one name the reader's search_path says which is meant."""
    loaded.psql("CREATE SCHEMA mine; GRANT USAGE ON SCHEMA mine TO trivet_reader; "
                "CREATE VIEW public.w AS SELECT userid, movieid, rating FROM trivet.user_item(); "
                "CREATE VIEW mine.w AS SELECT userid, movieid, rating FROM trivet.user_item() WHERE userid % 2 = 0; "
                "GRANT SELECT ON public.w, mine.w TO trivet_reader")
    fit = ("fit", "--source", "w", "--factors", 3)
    for path in ("mine, public", "public, mine"):
        loaded.psql(f"DO $$ BEGIN EXECUTE format('ALTER ROLE trivet_page IN DATABASE %I SET search_path = {path}', current_database()); END $$")
        assert trained(run, loaded, *fit) and not trained(run, loaded, *fit), path


def test_titles_are_written_with_an_index(run, loaded):  # noqa: F811
    assert trained(run, loaded, *SIMILAR)
    loaded.psql("UPDATE trivet.item SET title = 'Other Film (1999)' WHERE item_id = 14")
    assert trained(run, loaded, *SIMILAR) and loaded.mongo_db()["catalogue_1"].find_one(14)["title"] == "Other Film (1999)"
    loaded.psql("INSERT INTO trivet.tag (user_id, item_id, tag) VALUES (1, 14, 'slow')")
    assert not trained(run, loaded, *SIMILAR)


def test_another_code_for_an_id_is_a_change(run, fresh_stores, tmp_path):
    """Documents hold codes, and signatures are made of them. New codes of those who rate are no change by hand."""
    s = fresh_stores
    shop = like_movielens(tmp_path / "shop", [(f"cust{user}", f"good{item}", 1 + user * item % 5, 1000) for user in range(1, 31) for item in range(1, 25)
                                              if (user + item) % 3], [(f"good{item}", f"Good {item}", "Drama") for item in range(1, 25)])
    run("trivet-etl", "load", shop, env=s.env)
    assert trained(run, s, *FIT) and trained(run, s, *SIMILAR)
    assert s.psql("SELECT reason FROM trivet.rate_as('newcust', array[trivet.item_id('good7')], '{4}')").strip() == ""
    assert s.psql("SELECT count(*) FROM trivet.hand_change") == "0"
    trained(run, s, *FIT)
    assert not trained(run, s, *SIMILAR)
    for statement in ("UPDATE trivet.code SET code = 'renamed7' WHERE code = 'good7'", "UPDATE trivet.code SET code = 'renamedcust' WHERE code = 'cust1'",
                      "ALTER TABLE trivet.code DISABLE TRIGGER ALL; UPDATE trivet.code SET code = 'quiet' WHERE code = 'cust2';"
                      " ALTER TABLE trivet.code ENABLE TRIGGER ALL"):
        s.psql(statement)
        assert trained(run, s, *FIT) and not trained(run, s, *FIT), statement
        assert trained(run, s, *SIMILAR) and not trained(run, s, *SIMILAR), statement
        assert "is what a build would give" in run("trivet-train", "similar", "--check", env=s.env).stdout, statement
    # While the data set is away, too; that it was is no change.
    run("trivet-etl", "load", shop, "--name", "other", env=s.env)
    run("trivet-etl", "datasets", "use", "shop", env=s.env)
    assert not trained(run, s, *FIT)
    run("trivet-etl", "datasets", "use", "other", env=s.env)
    s.psql("UPDATE trivet.code_1 SET code = 'away' WHERE code = 'cust3'")
    run("trivet-etl", "datasets", "use", "shop", env=s.env)
    assert trained(run, s, *FIT) and not trained(run, s, *FIT)


def test_a_change_in_the_transaction_of_a_switch_is_noted(run, loaded, small_set):  # noqa: F811
    run("trivet-train", *FIT, env=loaded.env)
    run("trivet-etl", "load", small_set, "--name", "other", env=loaded.env)
    loaded.psql("BEGIN; SELECT trivet.use_dataset(1); DELETE FROM trivet.rating WHERE user_id < 20; COMMIT")
    assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)


def test_an_index_of_ones_own_source_sees_single_ratings_and_names(run, loaded):  # noqa: F811
    """A rating may change other rows of a source than its own; and the reader's search_path says which view a name means."""
    loaded.psql("CREATE SCHEMA mine; GRANT USAGE ON SCHEMA mine TO trivet_reader; "
                "CREATE VIEW public.w AS SELECT userid, movieid, rating FROM ratings WHERE movieid IN (SELECT movieid FROM ratings WHERE userid = 1); "
                "CREATE VIEW mine.w AS SELECT userid, movieid, rating FROM ratings WHERE userid % 2 = 0; "
                "GRANT SELECT ON public.w, mine.w TO trivet_reader")
    words = (*SIMILAR, "--source", "w")
    assert trained(run, loaded, *words) and not trained(run, loaded, *words)
    unrated = loaded.psql("SELECT item_id FROM trivet.item WHERE item_id NOT IN (SELECT item_id FROM trivet.rating WHERE user_id = 1) LIMIT 1")
    loaded.psql(f"SELECT trivet.rate(1, '{{{unrated}}}', '{{5}}')")
    assert trained(run, loaded, *words) and not trained(run, loaded, *words)
    assert "is what a build would give" in run("trivet-train", "similar", "--check", env=loaded.env).stdout
    loaded.psql("DO $$ BEGIN EXECUTE format('ALTER ROLE trivet_page IN DATABASE %I SET search_path = mine, public', current_database()); END $$")
    assert trained(run, loaded, *words) and not trained(run, loaded, *words)


def test_a_fold_in_source_counts_too(run, loaded):  # noqa: F811
    loaded.psql("CREATE VIEW public.wide AS SELECT * FROM ratings; GRANT SELECT ON public.wide TO trivet_reader")
    words = ("fit", "--factors", 3, "--source", "trivet.user_item(max_items_for_user => 60)", "--fold-in-source",
             "(SELECT userid, movieid, rating FROM wide) s")
    assert trained(run, loaded, *words) and not trained(run, loaded, *words)
    loaded.psql("CREATE OR REPLACE VIEW public.wide AS SELECT * FROM ratings WHERE userid > 1")
    assert trained(run, loaded, *words) and not trained(run, loaded, *words)


def test_the_filters_own_function_counts_too(run, loaded):  # noqa: F811
    assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)
    loaded.psql("DO $$ BEGIN EXECUTE replace(pg_get_functiondef('trivet.chosen_rows_of'::regproc), 'SELECT', 'SELECT /* */'); "
                "EXECUTE replace(pg_get_functiondef('trivet.chosen_rows_of'::regproc), 'select', 'select /* */'); END $$")
    assert trained(run, loaded, *FIT) and not trained(run, loaded, *FIT)


def test_counters_that_are_not_reported_yet_are_no_all_clear(run, loaded):  # noqa: F811
    """A session that stays open reports its second change of a second late. Until then nobody says that nothing changed; where
    the source has no table of people's own, nobody cares."""
    loaded.psql(MINE)
    loaded.psql("INSERT INTO mine.extra VALUES (1, 7, 5)")
    own = ("fit", "--factors", 3, "--source", "mine.rows")
    quiet(loaded)
    assert trained(run, loaded, *own) and trained(run, loaded, *FIT)
    with session(loaded) as (connection, cursor):
        connection.autocommit = True
        for value in (2, 3):
            cursor.execute("UPDATE mine.extra SET v = %s", (value,))
        assert not trained(run, loaded, *FIT)
        told = run("trivet-train", *own, "--if-changed", env=loaded.env)
        assert "nothing changed" not in told.stdout
        cursor.execute("BEGIN")
        assert trained(run, loaded, *own), "who is in a transaction may have reported nothing"
    quiet(loaded)
    trained(run, loaded, *own)
    assert not trained(run, loaded, *own)


# --- similar --------------------------------------------------------------------------------------------------------

UNTOLD = ["ALTER TABLE trivet.rating DISABLE TRIGGER ALL; DELETE FROM trivet.rating WHERE user_id = 18; ALTER TABLE trivet.rating ENABLE TRIGGER ALL",
          "ALTER TABLE trivet.rating_load_1 DISABLE TRIGGER USER; DELETE FROM trivet.rating_load_1 WHERE user_id = 19;"
          " ALTER TABLE trivet.rating_load_1 ENABLE TRIGGER USER", "SELECT trivet.note_change()",
          "TRUNCATE trivet.rating_live", "ALTER TABLE trivet.rating DETACH PARTITION trivet.rating_live",
          "ALTER TABLE trivet.rating ATTACH PARTITION trivet.rating_live FOR VALUES IN (NULL)",
          # Back as it was, and nobody told of the row; in the last also rows that were told.
          "BEGIN; ALTER TABLE trivet.rating DETACH PARTITION trivet.rating_load_1; DELETE FROM trivet.rating_load_1 WHERE user_id = 13;"
          " ALTER TABLE trivet.rating ATTACH PARTITION trivet.rating_load_1 FOR VALUES IN (1); COMMIT",
          "BEGIN; ALTER TABLE trivet.rating_load_1 DISABLE TRIGGER rating_similar; DELETE FROM trivet.rating WHERE user_id = 14;"
          " ALTER TABLE trivet.rating_load_1 ENABLE TRIGGER rating_similar; COMMIT",
          "ALTER TABLE trivet.rating_load_1 ENABLE TRIGGER rating_similar; SET session_replication_role = replica;"
          " DELETE FROM trivet.rating WHERE user_id = 15",
          "BEGIN; DELETE FROM trivet.rating_load_1 WHERE user_id = 16; SAVEPOINT a; ALTER TABLE trivet.rating DETACH PARTITION trivet.rating_load_1;"
          " DELETE FROM trivet.rating_load_1 WHERE user_id = 17; ALTER TABLE trivet.rating ATTACH PARTITION trivet.rating_load_1 FOR VALUES IN (1); COMMIT"]


def test_an_index_is_built_again_for_what_it_does_not_follow(run, loaded):  # noqa: F811
    loaded.psql("INSERT INTO trivet.rating (user_id, item_id, value) VALUES (1000, 14, 5)")
    assert trained(run, loaded, *SIMILAR) and not trained(run, loaded, *SIMILAR)
    for statement in ("DELETE FROM trivet.rating WHERE item_id = 7", "UPDATE trivet.rating SET item_id = 14 WHERE item_id = 21",
                      "DELETE FROM trivet.rating_load_1 WHERE user_id = 5",
                      "SET session_replication_role = replica; DELETE FROM trivet.rating WHERE user_id = 9"):
        loaded.psql(statement)
        assert not trained(run, loaded, *SIMILAR), "each pair is in the queue, and was applied"
        assert "is what a build would give" in run("trivet-train", "similar", "--check", env=loaded.env).stdout, statement
    for statement in UNTOLD:
        loaded.psql(statement)
        assert trained(run, loaded, *SIMILAR) and not trained(run, loaded, *SIMILAR), statement
        assert "is what a build would give" in run("trivet-train", "similar", "--check", env=loaded.env).stdout, statement


def test_a_server_is_nobody_else_at_work(run, serve, loaded):  # noqa: F811
    """It asks once a second for what an index has to follow. Counters of one's own tables are taken as told all the same."""
    loaded.psql("CREATE TABLE public.mine AS SELECT user_id AS userid, item_id AS movieid, value AS rating FROM trivet.rating; "
                "GRANT SELECT ON public.mine TO trivet_reader")
    run("trivet-train", "similar", env=loaded.env)
    serve(loaded)
    words = ("fit", "--factors", 3, "--source", "public.mine")
    others = "SELECT string_agg(application_name, ',') FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    seen = set()
    for _ in range(40):
        seen |= set(filter(None, (loaded.psql(others) or "").split(",")))
        time.sleep(0.05)
    assert "trivet-similar" in seen and all(name.startswith("trivet-") for name in seen), seen
    run("trivet-train", *words, env=loaded.env)
    until(lambda: "nothing changed" in run("trivet-train", *words, "--if-changed", env=loaded.env).stdout, 40)
