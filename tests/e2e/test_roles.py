"""The three roles as real logins: a writer loads and trains, an analyst saves presets, a reader looks."""

import psycopg2
import pytest

from test_models import FIT, small_set  # noqa: F401  (a fixture)

LOGINS = {"ann": "trivet_writer", "bob": "trivet_writer", "cleo": "trivet_analyst", "dan": "trivet_reader"}


@pytest.fixture
def logins(run, fresh_stores):
    """The environment of each login; roles belong to the whole server, so they are made once and stay."""
    run("trivet-etl", "schema", env=fresh_stores.env)
    for name, role in LOGINS.items():
        fresh_stores.psql(f"DO $$ BEGIN CREATE ROLE {name} LOGIN IN ROLE {role}; EXCEPTION WHEN duplicate_object THEN END $$")
    return {name: {**fresh_stores.env, "TRIVET_POSTGRES": fresh_stores.postgres_uri.replace("//postgres@", f"//{name}@")}
            for name in LOGINS}


def ask(login, sql):
    connection = psycopg2.connect(login["TRIVET_POSTGRES"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def denied(login, sql):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(login, sql)
    return True


def test_writers_load_train_and_replace_each_others_loads(run, fresh_stores, logins, small_set):  # noqa: F811
    run("trivet-etl", "load", small_set, env=logins["ann"])
    rows = ask(logins["dan"], "SELECT count(*) FROM trivet.rating")
    run("trivet-etl", "load", small_set, env=logins["bob"])
    assert ask(logins["dan"], "SELECT count(*), min(load_id), max(load_id) FROM trivet.rating") == [(rows[0][0], 2, 2)]
    run("trivet-etl", "load", "--append", small_set, env=logins["ann"])
    assert ask(logins["dan"], "SELECT count(DISTINCT load_id) FROM trivet.rating") == [(2,)]
    run("trivet-train", *FIT, 5, env=logins["bob"])
    run("trivet-train", "recommend", "--top", 3, "--to", "postgres", env=logins["ann"])
    assert ask(logins["dan"], "SELECT state FROM trivet.run") == [("live",)]
    assert ask(logins["dan"], "SELECT max(rank), count(DISTINCT user_id) FROM trivet.recommendation") == [(3, 60)]
    run("trivet-train", "similar", env=logins["ann"])
    for kind, (one,) in (("user", ask(logins["dan"], "SELECT min(user_id) FROM trivet.rating")[0]),
                         ("item", ask(logins["dan"], "SELECT min(item_id) FROM trivet.rating")[0])):
        run("trivet-etl", "forget", kind, one, env=logins["bob"])
        assert ask(logins["dan"], f"SELECT count(*) FROM trivet.rating WHERE {kind}_id = {one}") == [(0,)]
    assert "permission denied" in run("trivet-etl", "forget", "item", 1, env=logins["cleo"], check=False).stderr


def test_a_writer_is_told_who_else_is_at_work(run, logins, small_set):  # noqa: F811
    run("trivet-etl", "load", small_set, env=logins["ann"])
    holder = psycopg2.connect(logins["ann"]["TRIVET_POSTGRES"], application_name="trivet-train fit (run 7)")
    holder.cursor().execute("SELECT pg_advisory_lock(trivet.lock_key())")
    refused = run("trivet-train", *FIT, 5, env=logins["bob"], check=False)
    assert refused.returncode == 5 and "locked by trivet-train fit (run 7)" in refused.stderr
    holder.close()


def test_a_writer_is_told_who_brings_the_schema_up_to_date(run, logins, small_set):  # noqa: F811
    with psycopg2.connect(logins["ann"]["TRIVET_POSTGRES"].replace("//ann@", "//postgres@")) as connection:
        connection.cursor().execute("UPDATE trivet.schema_version SET files = 'of an older program'")
    refused = run("trivet-etl", "load", small_set, env=logins["ann"], check=False)
    assert refused.returncode == 4 and "only the login that made the schema, or a superuser" in refused.stderr


def test_an_analyst_saves_presets_and_changes_no_rating(run, logins, small_set):  # noqa: F811
    run("trivet-etl", "load", small_set, env=logins["ann"])
    ask(logins["cleo"], "SELECT trivet.save_preset('weekend', max_items_for_user => 60, note => 'for a test')")
    assert ask(logins["dan"], "SELECT name, author, note FROM trivet.preset") == [("weekend", "cleo", "for a test")]
    assert denied(logins["cleo"], "UPDATE trivet.rating SET value = 5")
    assert denied(logins["cleo"], "DELETE FROM trivet.rating_load_1")
    assert denied(logins["cleo"], "DROP TABLE trivet.rating_load_1")
    assert run("trivet-etl", "load", small_set, env=logins["cleo"], check=False).returncode != 0
    assert ask(logins["dan"], "SELECT count(*) FROM trivet.load WHERE state = 'complete'") == [(1,)]


def test_a_reader_looks_and_cannot_save(run, logins, small_set):  # noqa: F811
    run("trivet-etl", "load", small_set, env=logins["ann"])
    assert len(ask(logins["dan"], "SELECT * FROM trivet.funnel(max_items_for_user => 60)")) == 12
    assert len(ask(logins["dan"], "SELECT * FROM trivet.sweep('min_users_for_item', '{0,5}', 'genres', array[null, '{Drama}'])")) == 4
    assert "users learned from" in run("trivet-etl", "funnel", env=logins["dan"]).stdout
    assert denied(logins["dan"], "SELECT trivet.save_preset('mine')")
    assert denied(logins["dan"], "INSERT INTO trivet.rating (user_id, item_id, value) VALUES (1, 1, 1)")
