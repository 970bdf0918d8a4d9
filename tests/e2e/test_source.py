"""fit --source: rows of an analyst's own function or view; what is refused; and what the journal tells of runs."""

import json

import pytest

from test_models import FIT, live, loaded, small_set  # noqa: F401  (fixtures)

pytestmark = pytest.mark.with_schema

MINE = """CREATE SCHEMA mine;
CREATE FUNCTION mine.top_users(k int) RETURNS TABLE (userid bigint, movieid bigint, rating real) LANGUAGE sql STABLE AS
  'SELECT userid, movieid, rating FROM trivet.user_item(max_items_for_user => k)';
CREATE VIEW mine.texts AS SELECT 1 AS userid, 'x'::text AS movieid, 1.0 AS rating;
CREATE VIEW mine.renamed AS SELECT 1 AS userid, 2 AS item, 1.0 AS rating;
CREATE VIEW mine.slow AS SELECT 1 AS userid, 2 AS movieid, pg_sleep(30)::text::real AS rating;
CREATE FUNCTION mine.writes() RETURNS TABLE (userid bigint, movieid bigint, rating real) LANGUAGE plpgsql AS
  'BEGIN DELETE FROM trivet.tag; END';
CREATE VIEW mine.secret AS SELECT 1 AS userid, 2 AS movieid, 3 AS rating;
GRANT USAGE ON SCHEMA mine TO trivet_reader;
GRANT SELECT ON mine.texts, mine.renamed, mine.slow TO trivet_reader;
REVOKE ALL ON FUNCTION mine.writes() FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mine TO trivet_reader;"""


@pytest.fixture
def with_sources(loaded):  # noqa: F811
    loaded.psql(MINE)
    return loaded


def test_a_function_of_ones_own_gives_the_filters_model(run, with_sources):
    run("trivet-train", *FIT, 5, env=with_sources.env)
    run("trivet-train", "fit", "--source", "mine.top_users(60)", "--factors", 5, env=with_sources.env)
    redis = with_sources.redis_client()
    for key in ("item_factors:0", "item_ids:0"):
        assert redis.get("trivet:model:{1}:" + key) == redis.get("trivet:model:{2}:" + key)
    row = json.loads(with_sources.psql("SELECT row_to_json(r) FROM trivet.run r WHERE id = 2"))
    assert row["source"] == "mine.top_users(60)" and row["filter"] == {}
    assert row["command"] == "trivet-train fit --algorithm svd --factors 5 --source 'mine.top_users(60)'"


def test_users_are_folded_in_from_the_source_or_from_another(run, with_sources):
    narrow = with_sources.psql("SELECT count(DISTINCT userid) FROM mine.top_users(20)")
    run("trivet-train", "fit", "--source", "mine.top_users(20)", "--factors", 3, env=with_sources.env)
    assert with_sources.mongo_db().user.count_documents({}) == int(narrow) < 60
    run("trivet-train", "fit", "--source", "mine.top_users(20)", "--fold-in-source", "trivet.evidence()", "--factors", 3,
        env=with_sources.env)
    assert with_sources.mongo_db().user.count_documents({}) == 60


@pytest.mark.parametrize("source, words", [
    ("mine.texts", ["column movieid of mine.texts is no integer", "movieid::bigint"]),
    ("mine.renamed", ["mine.renamed has no column movieid", "(userid, movieid, rating)"]),
    ("mine.top_users(7", ["syntax error"]),
    ("mine.nothing()", ["mine.nothing() does not exist"]),
    ("mine.secret", ["permission denied", "trivet_reader"]),
    ("mine.writes()", ["cannot execute DELETE in a read-only transaction"]),
    ("ratings) to stdout; drop table trivet.tag; --", ["syntax error"]),
    ("ratings) s) to program $$touch /tmp/trivet-was-here$$ --", ["syntax error"]),
    ("ratings; drop table trivet.tag; select * from ratings", ["multiple commands"]),
    ("pg_read_file($$/etc/passwd$$)", ["permission denied"]),
    ("(select 1 as userid, 2 as movieid, null::real as rating) x", ["1 row is left out", "user 1 item 2: null", "gives no rows"]),
    ("(select 1 as userid, 2 as movieid, 3 as rating where false) x", ["gives no rows"]),
])
def test_what_is_refused(run, with_sources, source, words):
    refused = run("trivet-train", "fit", "--source", source, env=with_sources.env, check=False)
    assert refused.returncode != 0
    for word in words:
        assert word in refused.stderr
    assert live(with_sources) is None
    assert with_sources.psql("SELECT to_regclass('trivet.tag') IS NOT NULL") == "t"


def test_a_slow_source_is_stopped(run, with_sources):
    refused = run("trivet-train", "fit", "--source", "mine.slow", "--statement-timeout", 1, env=with_sources.env, check=False,
                  timeout=20)
    assert refused.returncode != 0 and "statement timeout" in refused.stderr


def test_a_login_of_the_readers_own(run, with_sources):
    with_sources.psql("DROP ROLE IF EXISTS ann; CREATE ROLE ann LOGIN IN ROLE trivet_reader")
    reader = with_sources.postgres_uri.replace("postgres@", "ann@")
    done = run("trivet-train", "fit", "--source", "mine.top_users(60)", "--factors", 3, "--reader", reader,
               env=with_sources.env)
    assert "model 1 is live" in done.stdout
    with_sources.psql("DROP ROLE ann")


def test_set_and_source_do_not_mix(run, with_sources):
    refused = run("trivet-train", *FIT, 3, "--source", "mine.top_users(7)", env=with_sources.env, check=False)
    assert refused.returncode == 2 and "--set and --preset change trivet.user_item" in refused.stderr


# --- the journal ---------------------------------------------------------------------------------------------

def test_runs_and_show(run, loaded):  # noqa: F811
    run("trivet-train", *FIT, 3, env=loaded.env)
    run("trivet-train", "fit", "--set", "min_users_for_item=999", env=loaded.env, check=False)
    rows = json.loads(run("trivet-train", "runs", "--format", "json", env=loaded.env).stdout)
    assert [(r["run"], r["state"]) for r in rows] == [(1, "live"), (2, "failed")]
    assert "the item cut" in rows[1]["message"]
    sheet = run("trivet-train", "show", 1, env=loaded.env).stdout.splitlines()
    facts = {line[:24].strip(): line[25:] for line in sheet}
    assert facts["SQL"] == "SELECT userid, movieid, rating FROM trivet.user_item(max_items_for_user => 60)"
    assert int(loaded.psql(facts["SQL"].replace("userid, movieid, rating", "count(*)"))) == rows[0]["ratings"]
    again = run("trivet-train", *[a.strip("'") for a in facts["command"].split()[1:]], env=loaded.env)
    assert "model 3 is live" in again.stdout
    redis = loaded.redis_client()
    assert redis.get("trivet:model:{1}:item_factors:0") == redis.get("trivet:model:{3}:item_factors:0")
    refused = run("trivet-train", "show", 99, env=loaded.env, check=False)
    assert refused.returncode == 3 and "trivet-train runs" in refused.stderr


def test_compare(run, loaded):  # noqa: F811
    run("trivet-train", *FIT, 6, env=loaded.env)
    run("trivet-train", "fit", "--set", "max_items_for_user=30", "--factors", 3, env=loaded.env)
    facts = {f["fact"]: f for f in json.loads(run("trivet-train", "compare", 1, 2, "--format", "json", env=loaded.env).stdout)}
    assert (facts["filter max_items_for_user"]["1"], facts["filter max_items_for_user"]["2"]) == ("60", "30")
    assert facts["filter max_items_for_user"]["differs"] == "*" and facts["filter min_rating"]["differs"] == ""
    learned = [{d["_id"] for d in loaded.mongo_db()[f"user_{n}"].find({"id": {"$ne": None}})} for n in (1, 2)]
    assert facts["users learned from here only"]["1"] == str(len(learned[0] - learned[1]))
    assert facts["users learned from here only"]["2"] == str(len(learned[1] - learned[0]))
    lists = [run("trivet-train", "recommend", "--model", n, "--top", 15, env=loaded.env).stdout.splitlines()[1:] for n in (1, 2)]
    by_user = [{}, {}]
    for side, lines in enumerate(lists):
        for line in lines:
            user, _, item, _ = line.split(",")
            by_user[side].setdefault(user, set()).add(item)
    overlap = [len(by_user[0][u] & by_user[1][u]) / max(len(by_user[0][u]), len(by_user[1][u])) for u in by_user[0]]
    assert facts["mean overlap of their top 15"]["1"] == f"{100 * sum(overlap) / len(overlap):.1f} %"
    moved = next(f for name, f in facts.items() if name.startswith("lists with "))
    title = moved["fact"][len("lists with "):]
    item = loaded.psql(f"SELECT item_id FROM trivet.item WHERE title = '{title}'")
    assert moved["1"] == str(sum(item in s for s in by_user[0].values()))
    assert moved["2"] == str(sum(item in s for s in by_user[1].values()))


def test_recommend_to_postgres_equals_the_csv(run, loaded):  # noqa: F811
    run("trivet-train", *FIT, 6, env=loaded.env)
    rows = run("trivet-train", "recommend", "--top", 7, env=loaded.env).stdout.splitlines()[1:]
    for _ in range(2):  # a second time takes the place of the first
        run("trivet-train", "recommend", "--top", 7, "--to", "postgres", env=loaded.env)
    stored = loaded.psql("SELECT user_id, rank, item_id, score FROM trivet.recommendation WHERE run_id = 1 ORDER BY 1, 2").splitlines()
    assert len(rows) == len(stored) == 60 * 7
    for ours, theirs in zip(rows, stored):
        a, b = ours.split(","), theirs.split("|")
        assert a[:3] == b[:3] and abs(float(a[3]) - float(b[3])) < 1e-6
    only = run("trivet-train", "recommend", "--top", 7, "--users", "5,9", env=loaded.env).stdout.splitlines()[1:]
    assert only == [r for r in rows if r.split(",")[0] in ("5", "9")]
    refused = run("trivet-train", "recommend", "--model", 9, env=loaded.env, check=False)
    assert refused.returncode == 3 and "trivet-train models" in refused.stderr
