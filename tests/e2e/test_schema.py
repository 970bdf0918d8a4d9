"""A function of the schema gets another parameter in a database that is in use: a call by its name means the new one, and what
others made with the old one goes on, with the parameters it had."""

import pytest

# user_item as an older version had it: one parameter less.
OLDER = """
CREATE FUNCTION trivet.user_item(min_users_for_item int = 10, min_items_for_user int = 3, max_items_for_user int = 50)
RETURNS TABLE (userid bigint, movieid bigint, rating real) LANGUAGE sql STABLE AS 'SELECT 1::bigint, 2::bigint, 3::real';
"""

# Made while there was nothing but the older one.
VIEW = """
DO $$ DECLARE newer regprocedure = (SELECT oid FROM pg_proc WHERE pronamespace = 'trivet'::regnamespace
                                    AND proname = 'user_item' AND pronargs > 3);
BEGIN
    EXECUTE format('ALTER FUNCTION %s RENAME TO later', newer);
    CREATE VIEW public.mine AS SELECT * FROM trivet.user_item(10, 3, 50);
    EXECUTE format('ALTER FUNCTION %s RENAME TO user_item', newer::oid::regprocedure);
END $$
"""


@pytest.fixture
def older(run, fresh_stores, movielens_100k):
    """The schema of an older version, by its functions: only the older user_item is there for who asks by name."""
    run("trivet-etl", "load", movielens_100k, env=fresh_stores.env)
    fresh_stores.psql(OLDER)
    with pytest.raises(Exception, match="is not unique"):
        fresh_stores.psql("SELECT count(*) FROM trivet.user_item(max_items_for_user => 200)")
    fresh_stores.psql("UPDATE trivet.schema_version SET files = 'older'")
    return fresh_stores


def signatures(place, name="user_item"):
    return place.psql(f"SELECT count(*) FROM pg_proc WHERE pronamespace = 'trivet'::regnamespace AND proname LIKE '{name}'")


def test_a_call_by_name_means_the_new_function(run, older):
    said = run("trivet-etl", "schema", env=older.env)
    assert signatures(older) == "1" and signatures(older, "%\\_before\\_%") == "0", said.stderr
    assert older.psql("SELECT count(*) FROM trivet.user_item(max_items_for_user => 200)") == "55245"
    assert run("trivet-train", "fit", "--dry-run", env=older.env).returncode == 0


def test_a_view_of_somebody_goes_on_with_the_old_one(run, older):
    older.psql(VIEW)
    said = run("trivet-etl", "schema", env=older.env).stderr
    assert "trivet.user_item has other parameters now; mine goes on with those it had, until made again" in said
    learned = "SELECT count(*), sum(movieid) FROM"
    assert older.psql(f"{learned} public.mine") == older.psql(f"{learned} trivet.user_item()") and signatures(older) == "1"
    older.psql("DROP VIEW public.mine; UPDATE trivet.schema_version SET files = 'older'")
    said = run("trivet-etl", "schema", env=older.env).stderr
    assert "goes on" not in said and signatures(older, "user_item\\_before\\_%") == "0"


# preset_values as it once was, and allowed in parallel plans, where the new one cannot run.
PARALLEL = """
DROP FUNCTION trivet.preset_values(text);
CREATE FUNCTION trivet.preset_values(name text) RETURNS TABLE (max_items_for_user int, genres text[]) LANGUAGE plpgsql STABLE
    PARALLEL SAFE AS 'BEGIN RETURN QUERY SELECT 1, null::text[]; END';
CREATE VIEW public.mine AS SELECT * FROM trivet.preset_values('weekend');
SELECT trivet.save_preset('weekend', max_items_for_user => 200, genres => '{Drama}')
"""


def test_a_view_of_somebody_goes_on_in_a_parallel_plan(run, older):
    older.psql(PARALLEL)
    run("trivet-etl", "schema", env=older.env)
    assert older.psql("SET force_parallel_mode = on; SELECT * FROM public.mine") == "200|{Drama}"


def test_a_schema_as_it_should_be_stays_as_it_is(run, older):
    older.psql("DROP FUNCTION trivet.user_item(int, int, int)")
    functions = """SELECT oid, proname FROM pg_proc WHERE pronamespace = 'trivet'::regnamespace
                   AND proname <> 'similar_settle' ORDER BY 1"""  # which its file makes anew each time
    before = older.psql(functions)
    run("trivet-etl", "schema", env=older.env)
    assert older.psql(functions) == before
