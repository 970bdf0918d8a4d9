"""trivet-etl funnel, sweep, why, activity, quality, presets: what a filter does, without writing anything."""

import csv
import io
import json
import os
import pty
import subprocess

import pytest

from server import clean_environment
from slow_sweep import sweep_waits
from test_models import FIT, loaded, small_set  # noqa: F401  (fixtures)


@pytest.fixture
def explore(run, loaded):  # noqa: F811
    """explore("funnel", ...): its rows as JSON; nothing in the stores may change."""

    def everything():
        tables = loaded.psql("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables ORDER BY 1")
        return tables, loaded.redis_client().dbsize(), sorted(loaded.mongo_db().list_collection_names())

    def explore(*arguments, **options):
        before = everything()
        done = run("trivet-etl", *arguments, "--format", "json", env=loaded.env, **options)
        assert everything() == before
        return json.loads(done.stdout) if done.returncode == 0 else done

    explore.stores = loaded
    return explore


def test_the_funnel_ends_in_the_filters_result(explore):
    rows = explore("funnel", "--set", "max_items_for_user=40", "--set", "min_users_for_item=20")
    call = "trivet.user_item(min_users_for_item => 20, max_items_for_user => 40)"
    kept = explore.stores.psql(f"SELECT count(*), count(DISTINCT userid), count(DISTINCT movieid) FROM {call}").split("|")
    steps = {row["name"]: row for row in rows}
    learned = steps["users learned from"]
    assert [str(learned[k]) for k in ("rating_rows", "users", "items")] == kept
    assert rows[0]["rating_rows"] == int(explore.stores.psql("SELECT count(*) FROM trivet.rating"))
    assert "rows_more" not in rows[0]  # no model is live, so there is nothing to compare with


def test_the_difference_to_the_live_filter(run, explore):
    run("trivet-train", *FIT, 3, env=explore.stores.env)
    beside = {row["name"]: row for row in explore("funnel", "--set", "max_items_for_user=30")}
    live = {row["name"]: row for row in explore("funnel", "--set", "max_items_for_user=60")}
    for name, row in beside.items():
        assert row["rows_more"] == row["rating_rows"] - live[name]["rating_rows"]
        assert row["users_more"] == row["users"] - live[name]["users"]
        assert live[name]["rows_more"] == 0
    again = explore("funnel", "--set", "max_items_for_user=30", "--against", "1")
    assert again == list(beside.values())
    missing = explore("funnel", "--against", "77", check=False)
    assert missing.returncode == 3 and "trivet-train runs" in missing.stderr


def test_a_sweep_is_a_grid_of_filters(explore):
    rows = explore("sweep", "--over", "min_users_for_item=5,20,30", "--over", "max_items_for_user=20,60")
    assert len(rows) == 6
    for row in rows:
        call = "trivet.user_item(min_users_for_item => {min_users_for_item}, max_items_for_user => {max_items_for_user})"
        kept = explore.stores.psql("SELECT count(*) FROM " + call.format(**row))
        assert str(row["rating_rows"]) == kept
    one = explore("sweep", "--over", "min_rating=1,3,5", "--set", "max_items_for_user=60")
    assert [r["min_rating"] for r in one] == ["1", "3", "5"] and one[0]["rating_rows"] > one[2]["rating_rows"]
    for bad in (["--over", "min_users_for_item"], [], ["--over", "nonsense=1,2"]):
        refused = explore("sweep", *bad, check=False)
        assert refused.returncode != 0 and ("--over" in refused.stderr or "nonsense" in refused.stderr)


def test_a_sweep_tells_a_terminal_how_far_it_is(programs, loaded):  # noqa: F811
    """One run over the ratings a value; the second takes so long that there is something to tell."""
    terminal, end = pty.openpty()
    with sweep_waits(loaded, "pg_sleep(1.1)", at=2):
        done = subprocess.run([programs["trivet-etl"], "sweep", "--over", "min_rating=1,2,3,4"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=end, env={**clean_environment(), **loaded.env}, timeout=60)
    os.close(end)
    told = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 6
    assert "sweep  2 runs over the ratings" in told and "50 %" in told and "ETA" in told
    assert told.endswith("\r\033[K")  # nothing of it stays


def test_formats_agree(run, explore):
    rows = explore("activity", "items")
    text = run("trivet-etl", "activity", "items", "--format", "csv", env=explore.stores.env).stdout
    parsed = list(csv.DictReader(io.StringIO(text)))
    assert [str(r[k]) for r in rows for k in r if isinstance(r[k], int)] == [p[k] for r, p in zip(rows, parsed) for k in r
                                                                           if isinstance(r[k], int)]
    lines = run("trivet-etl", "activity", "items", "--format", "markdown", env=explore.stores.env).stdout.splitlines()
    assert lines[1].startswith("| -") and len(lines) == len(rows) + 2


def test_why_names_the_step(explore):
    by_user = explore.stores.psql("SELECT user_id, count(*) FROM trivet.rating GROUP BY 1 ORDER BY 2 DESC LIMIT 1").split("|")
    rows = explore("why", "user", by_user[0], "--set", "max_items_for_user=10")
    assert by_user[1] in json.dumps(rows) and "10" in json.dumps(rows)
    refused = explore("why", "film", "3", check=False)
    assert refused.returncode == 2 and "item and user" in refused.stderr


def test_quality_shows_queries_that_run(explore):
    explore.stores.psql("INSERT INTO trivet.rating (user_id, item_id, value) VALUES (1, 424242, 3)")  # listed nowhere
    rows = explore("quality")
    assert rows
    for row in rows:
        queries = [v for v in row.values() if isinstance(v, str) and v.lower().startswith("select")]
        assert queries, row
        explore.stores.psql(queries[0])


def test_a_preset_is_listed_and_trained_with(run, explore):
    explore.stores.psql("SELECT trivet.save_preset('weekend', max_items_for_user => 45, note => 'shorter lists')")
    assert any("weekend" in json.dumps(row) for row in explore("presets"))
    by_preset = explore("funnel", "--preset", "weekend")
    assert by_preset == explore("funnel", "--set", "max_items_for_user=45")
    run("trivet-train", "fit", "--preset", "weekend", "--set", "min_users_for_item=12", "--factors", 3, env=explore.stores.env)
    row = json.loads(explore.stores.psql("SELECT filter FROM trivet.run"))
    assert row["max_items_for_user"] == 45 and row["min_users_for_item"] == 12
    refused = run("trivet-train", "fit", "--preset", "monday", env=explore.stores.env, check=False)
    assert refused.returncode == 3 and 'no preset "monday"' in refused.stderr and "trivet-etl presets" in refused.stderr
