"""A transaction that keeps its snapshot while another data set takes the place of its own: every function that reads, and every
view, refuses or answers as before. They are found in the catalog, so a new one is asked, too."""

import psycopg2
import pytest

from test_datasets_writes import use
from test_load import load, write
from test_models import small_set  # noqa: F401  (a fixture)

pytestmark = pytest.mark.with_schema

# What arguments without a default are given, by their names; a name that means something else in one function, by both.
ARGUMENTS = {
    "given": "trivet.filter_parameters('{\"min_users_for_item\": 0, \"min_items_for_user\": 0}')",
    "a": "'east'", "b": "'nothing'", "among": "'{1}'", "append": "true", "asked": "30", "away": "'trivet.item'", "by_chance": "1",
    "changed": "'trivet.rating'::regclass", "code": "'ann'", "counts": "true", "dataset": "1", "fingerprint": "'x'", "followed": "1", "gone": "'{}'",
    "high": "3", "id": "10", "index_id": "1", "item_ids": "'{10,11,12,13}'", "kept": "1", "kind": "'item'", "known": "'{}'",
    "line": "'ann'", "list": "'[1]'", "live": "1", "load": "1", "low": "1", "max_items_for_user": "'{50}'", "measure": "'1'",
    "met": "array['trivet.item'::regclass]", "min_items_for_user": "'{0,2}'", "min_users_for_item": "'{0,1}'", "model": "1", "n": "1000",
    "name": "'east'", "options": "'{}'", "other": "15", "ours": "'trivet.user_item'", "own_source": "false",
    "report": "'{\"examples\": {\"reason\": \"ann\"}}'", "pairs": "'[{\"user_id\": 8000000000000000, \"item_id\": 10}]'", "run_id": "1", "shared": "30", "source": "'trivet.user_item()'",
    "step": "9", "value": "2", "values": "'{}'", "word": "'ann'", "words": "'ratings'", "x": "'min_users_for_item'", "x_values": "'{0,1}'",
    "y": "'min_items_for_user'", "y_values": "'{0,2}'", ("filter_value", "name"): "'min_rating'", ("why_user", "id"): "8000000000000000",
    ("why_user_of", "id"): "8000000000000000", ("forget_finds", "id"): "13",
}
# Of tables and sessions as they are now, not of rows: the catalog and the counters that they look at know no snapshot.
OF_NOW = {"check_snapshot", "in_the_way", "lock_holder", "lock_silence", "run_is_held", "similar_is_held", "similar_unheld", "counted_tables",
          "source_state", "similar_state", "rows_are_told", "dataset_tables", "dataset_goes", "too_much_for_a_reader"}
CHANGING = "'{age_seconds,bytes}'::text[]"  # columns with the time that has passed, and with the size of files

READERS = """
SELECT p.proname, (p.proargnames)[1:p.pronargs - p.pronargdefaults],
       ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes[0:p.pronargs - p.pronargdefaults - 1]) WITH ORDINALITY a (t, n) ORDER BY n)
FROM pg_proc p
WHERE p.pronamespace = 'trivet'::regnamespace AND p.provolatile <> 'v' AND p.prorettype <> 'trigger'::regtype ORDER BY p.oid"""
VIEWS = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relkind = 'v' AND c.relnamespace IN ('trivet'::regnamespace, 'public'::regnamespace) ORDER BY 1"""


def rows(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def called(name, arguments, types):
    lacking = [a for a in arguments or [] if a not in ARGUMENTS and (name, a) not in ARGUMENTS]
    assert not lacking, f"{name} needs {', '.join(lacking)}: say in ARGUMENTS of this test what that is to be"
    given = (f"({ARGUMENTS.get((name, a), ARGUMENTS.get(a))})::{t}" for a, t in zip(arguments or [], types))
    return f"trivet.{name}({', '.join(given)})"


def readers(connection):
    """Whatever reads, as what stands behind FROM."""
    return [called(*row) for row in rows(connection, READERS) if row[0] not in OF_NOW] + [v for v, in rows(connection, VIEWS)]


def answer(connection, reader):
    """All rows as text, or the refusal."""
    sql = f"SELECT coalesce(string_agg(j, E'\\n' ORDER BY j), '') FROM (SELECT (to_jsonb(t) - {CHANGING})::text AS j FROM (SELECT * FROM {reader}) t) t"
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT one")
        try:
            cursor.execute(sql)
            return cursor.fetchone()[0]
        except psycopg2.Error as error:
            assert error.pgcode == "TV001", f"{reader}: {error}"
            return error.diag.message_primary
        finally:
            cursor.execute("ROLLBACK TO one")


@pytest.fixture
def two(run, fresh_stores, tmp_path):
    """Two data sets in which the same numbers are other people and other films, with single ratings and models; east is loaded."""
    movies = "movieId,title,genres\n10,{0} ten (1990),Drama\n11,{0} eleven (1991),Comedy\n13,{0} nobody's (1993),Drama\n"
    for name, text in (("east", "ann,10,3,100\nann,11,5,200\nbob,11,4,300\n"),
                       ("west", "bob,10,30,400\nbob,12,50,500\nann,12,40,600\ncarl,12,20,700\nann,10,10,\n")):
        load(run, fresh_stores, write(tmp_path / name, ratings="userId,movieId,rating,timestamp\n" + text, movies=movies.format(name),
                                      tags=f"userId,movieId,tag,timestamp\nann,10,{name},1000000000\n"))
        fresh_stores.psql(f"SELECT trivet.rate_as('ann', '{{10}}', '{{{4 if name == 'east' else 40}}}')")
        run("trivet-train", "fit", "--factors", 1, "--set", "min_users_for_item=0", "--set", "min_items_for_user=0", env=fresh_stores.env)
    run("trivet-etl", "datasets", "use", "east", env=fresh_stores.env)
    fresh_stores.psql("SELECT trivet.save_preset('east', min_users_for_item => 0, min_items_for_user => 0), "
                      "trivet.save_preset('nothing', min_users_for_item => 1000)")
    return fresh_stores


def test_what_reads_refuses_an_old_snapshot_or_answers_as_it_was(two):
    with psycopg2.connect(two.postgres_uri) as other:
        asked = readers(other)
        before = {reader: answer(other, reader) for reader in asked}
    other.close()
    assert not [reader for reader, text in before.items() if "another data set" in text]
    with psycopg2.connect(two.postgres_uri) as old, psycopg2.connect(two.postgres_uri) as new:
        old.set_session(isolation_level="REPEATABLE READ")
        assert rows(old, "SELECT count(*) FROM trivet.code") == [(2,)]
        two.psql(use("west"))
        now = {reader: answer(new, reader) for reader in asked}
        mixed, refused = [], []
        for reader in asked:
            text = answer(old, reader)
            if text.startswith("another data set has taken the place of east"):
                refused.append(reader)
            elif text != before[reader]:
                mixed.append(f"{reader}\n  was: {before[reader]}\n  is:  {text}")
    old.close()
    new.close()
    assert not mixed, "\n".join(mixed)
    differ = [reader for reader in asked if before[reader] != now[reader]]
    assert {"ratings", "movies", "links", "tags", "trivet.audience", "trivet.item_document", "trivet.funnel()"} - {"links"} <= set(differ)
    assert {"ratings", "trivet.audience", "trivet.chosen_rows()", "trivet.funnel()", "trivet.quality()"} <= set(refused)
    assert not {"movies", "tags", "trivet.run_list"} & set(refused)  # nothing of them is anything but the snapshot's


def test_it_is_asked_once_a_statement_and_indexes_are_used(two):
    """However often a join comes by, and in a parallel plan by the leader alone."""
    two.psql("INSERT INTO trivet.rating_live SELECT u, i, 3 FROM generate_series(1, 2000) u, generate_series(100, 110) i; ANALYZE trivet.rating")
    for reader, joined in (("ratings", "userid"), ("trivet.chosen_rows()", "user_id"), ("trivet.audience", "user_id")):
        plan = two.psql(f"EXPLAIN (COSTS OFF) SELECT n, count(r) FROM generate_series(1, 20) n LEFT JOIN {reader} r ON r.{joined} = n GROUP BY n")
        assert "InitPlan 1" in plan and "One-Time Filter: $" in plan and "check_snapshot" not in plan, plan
        plan = two.psql(f"EXPLAIN (COSTS OFF) SELECT * FROM {reader} r WHERE r.{joined} = 7")
        assert "Index Cond: (user_id = 7)" in plan or "Index Cond: (r.user_id = 7)" in plan, plan
    plan = two.psql("SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; "
                    "EXPLAIN (COSTS OFF) SELECT count(*) FROM ratings")
    assert "Params Evaluated: $" in plan, plan


def test_a_login_that_may_read_one_view_reads_it(run, fresh_stores, small_set):  # noqa: F811
    """A view's functions are called with the rights of who reads it."""
    run("trivet-etl", "load", small_set, env=fresh_stores.env)
    views = ("ratings", "movies", "links", "tags")
    fresh_stores.psql("DO $$ BEGIN CREATE ROLE dashboard LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    for view in views:
        fresh_stores.psql(f"GRANT SELECT ON public.{view} TO dashboard")
        rows = fresh_stores.psql(f"SET ROLE dashboard; SELECT count(*) FROM public.{view}")
        assert rows == fresh_stores.psql(f"SELECT count(*) FROM public.{view}")
        fresh_stores.psql(f"REVOKE ALL ON public.{view} FROM dashboard")
    fresh_stores.psql("DROP ROLE dashboard")
