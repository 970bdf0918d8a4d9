"""What the journal keeps of an evaluation: its numbers, and that it ended, however it did."""

import csv
import io
import json
import subprocess

import pytest
from breakpoints import at
from server import clean_environment

EVALUATE = ("evaluate", "--factors", 4, "--set", "min_users_for_item=2", "--set", "max_items_for_user=1000")


@pytest.fixture(scope="module")
def loaded(run, servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("journal") / "set"
    run("trivet-etl", "synth", folder, "--users", 120, "--items", 90, "--ratings", 3000, "--seed", 4)
    place = servers.place()
    run("trivet-etl", "load", folder, env=place.env)
    return place


def newest(place):
    return json.loads(place.psql("SELECT row_to_json(r) FROM trivet.run r ORDER BY id DESC LIMIT 1"))


def rows_of(place, number):
    text = place.psql(f"SELECT jsonb_agg(to_jsonb(m)) FROM trivet.run_metrics({number}) m")
    return {(r["method"], r["measure"]): r for r in json.loads(text)}


def test_the_row_has_what_the_table_says(run, loaded):
    done = run("trivet-train", *EVALUATE, "--algorithm", "als", "--test", 0.3, "--split-seed", 7, "--relevant", 4,
               "--format", "json", env=loaded.env)
    table = {r["measure"]: r for r in json.loads(done.stdout)}
    row = newest(loaded)
    assert row["kind"] == "evaluate" and row["state"] == "done" and row["algorithm"] == "als" and row["finished_at"]
    assert row["command"] == ("trivet-train evaluate --algorithm als --factors 4 --iterations 15 --lambda 0.1 --seed 1 "
                              "--set 'min_users_for_item=2' --set 'max_items_for_user=1000' --test '0.3' --split-seed 7 --relevant 4 "
                              "--format json")
    assert row["counts"]["rows"] > 1000 and row["filter"]["max_items_for_user"] == 1000 and row["data"]["loads"]
    metrics = row["metrics"]
    assert len(metrics["split"].pop("fingerprint")) == 16
    assert metrics["split"] == {"kind": "random", "judged_on": "test", "test": 0.3, "validation": 0, "seed": 7, "k": None}
    assert metrics["relevant"] == 4 and 700 < metrics["holdout"]["rows"] < 1100
    assert [m["name"] for m in metrics["methods"]] == ["als", "mean", "item_mean", "bias", "popular", "random"]
    assert [m["model"] for m in metrics["methods"]] == [True] + 5 * [False]
    for m in metrics["methods"]:
        name = m["name"]
        if m["rmse"]:
            assert [m["rmse"][k] for k in ("value", "low", "high")] == pytest.approx(
                [table[k][name] for k in ("rmse", "rmse low", "rmse high")], abs=1e-6)
        else:
            assert table["rmse"][name] is None and name in ("popular", "random")
        if m["at"] is None:
            assert name == "mean" and table["ndcg@10"][name] is None
            continue
        assert set(m["at"]) == {"5", "10", "15", "100"}
        assert m["at"]["10"]["ndcg"]["value"] == pytest.approx(table["ndcg@10"][name], abs=1e-6)
        assert m["at"]["10"]["ndcg"]["low"] == pytest.approx(table["ndcg@10 low"][name], abs=1e-6)
        assert m["at"]["100"]["recall"] == pytest.approx(table["recall@100"][name], abs=1e-6)
        assert m["at"]["10"]["overlap"] == pytest.approx(table["overlap@10"][name], abs=1e-6)
    found = rows_of(loaded, row["id"])
    assert found["als", "rmse"]["low"] == metrics["methods"][0]["rmse"]["low"]
    assert found["popular", "jaccard@15"]["value"] == metrics["methods"][4]["at"]["15"]["jaccard"]
    assert ("popular", "rmse") not in found


def test_reports_show_it_and_models_do_not(run, loaded):
    run("trivet-train", *EVALUATE, env=loaded.env)
    number = newest(loaded)["id"]
    sheet = {r["name"]: r["value"] for r in json.loads(run("trivet-train", "show", number, "--format", "json", env=loaded.env).stdout)}
    value = rows_of(loaded, number)["svd", "ndcg@10"]
    assert sheet["kind"] == "evaluate" and sheet["state"] == "done"
    assert sheet["metric ndcg@10"] == f"{value['value']:.6f} ({value['low']:.6f} .. {value['high']:.6f})"
    assert "metric popular ndcg@10" in sheet and "metric popular map@10" not in sheet
    listed = json.loads(run("trivet-train", "runs", "--format", "json", env=loaded.env).stdout)
    assert [r["kind"] for r in listed if r["run"] == number] == ["evaluate"]
    assert len(run("trivet-train", "models", "--all", env=loaded.env).stdout.splitlines()) == 1 + int(
        loaded.psql("SELECT count(*) FROM trivet.run WHERE kind = 'fit'"))


def test_json_and_csv_have_every_number(run, loaded):
    done = run("trivet-train", *EVALUATE, "--format", "json", env=loaded.env)
    rows = json.loads(done.stdout)
    found = {r["measure"].replace(" ", "_"): r for r in rows}
    numbers = rows_of(loaded, newest(loaded)["id"])
    for (method, measure), number in numbers.items():
        assert found[measure][method] == pytest.approx(number["value"], abs=1e-6), measure
        if number["low"] is not None and measure != "rmse":
            assert found[measure + "_low"][method] == pytest.approx(number["low"], abs=1e-6), measure
    assert len(rows) == 7 + 4 * 12
    csv_rows = list(csv.DictReader(io.StringIO(run("trivet-train", *EVALUATE, "--format", "csv", env=loaded.env).stdout)))
    assert [r["measure"] for r in csv_rows] == [r["measure"] for r in rows]
    shown = run("trivet-train", *EVALUATE, "--format", "markdown", env=loaded.env).stdout
    assert "| ndcg@10 " in shown and "| ndcg@100 " in shown and "mrr@100" not in shown


def test_compare_shows_intervals_side_by_side(run, loaded):
    """Also of an evaluation beside a model, and without MongoDB and Redis where no model's lists are to be compared."""
    run("trivet-train", *EVALUATE, env=loaded.env)
    run("trivet-train", *EVALUATE, "--algorithm", "als", env=loaded.env)
    b = newest(loaded)["id"]
    done = run("trivet-train", "compare", b - 1, b, "--format", "json", env={"TRIVET_POSTGRES": loaded.env["TRIVET_POSTGRES"]})
    facts = {f["fact"]: f for f in json.loads(done.stdout)}
    text = loaded.psql(f"SELECT trivet.metric_text(value, low, high) FROM trivet.run_metrics({b}) WHERE measure = 'ndcg@10' AND is_model")
    assert facts["metric ndcg@10"][str(b)] == text != facts["metric ndcg@10"][str(b - 1)] and facts["metric ndcg@10"]["differs"] == "*"
    assert facts["metric rmse"][str(b - 1)] is None and " .. " in facts["metric rmse"][str(b)]
    assert facts["split fingerprint"]["differs"] == "" and facts["metric popular ndcg@10"]["differs"] == ""
    missing = run("trivet-train", "compare", b, 9999, env=loaded.env, check=False)
    assert missing.returncode == 3 and "no run 9999" in missing.stderr


def test_a_failure_is_written_down(run, loaded):
    done = run("trivet-train", "evaluate", "--set", "min_users_for_item=100000", env=loaded.env, check=False)
    row = newest(loaded)
    assert done.returncode == 3 and row["state"] == "failed" and "keeps none of the" in row["message"]
    assert row["message"] in done.stderr and row["metrics"] == {}


@pytest.mark.parametrize("function", ["tv_reading_read", "tv_learn_svd", "tv_evaluate_ranking", "tv_run_done"])
@pytest.mark.parametrize("next_command", [("repair",), EVALUATE])
def test_kill_leaves_a_row_that_is_failed_by_the_next(run, programs, loaded, function, next_command):
    at(function, programs["trivet-train"], *EVALUATE, env=loaded.env)
    killed = newest(loaded)
    assert killed["state"] == "building" and killed["kind"] == "evaluate"
    run("trivet-train", *next_command, env=loaded.env)
    row = json.loads(loaded.psql(f"SELECT row_to_json(r) FROM trivet.run r WHERE id = {killed['id']}"))
    assert row["state"] == "failed" and "its process ended" in row["message"]
    assert "never" not in run("trivet-train", "repair", env=loaded.env).stderr  # nothing is left to do


def test_sigterm_is_written_down(run, programs, loaded):
    at("tv_evaluate_ranking", programs["trivet-train"], *EVALUATE, env=loaded.env,
       do="shell pkill -TERM -x -P $PPID trivet-train")
    row = newest(loaded)
    assert row["state"] == "failed" and "interrupted" in row["message"]


def test_it_goes_on_beside_a_training(run, programs, loaded):
    """Neither repair nor a fit takes the row of an evaluation under way for an abandoned one, nor the other way round."""
    holder = subprocess.Popen(["psql", "-X", "-qAt", "-d", loaded.postgres_uri], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, env=clean_environment())
    holder.stdin.write("INSERT INTO trivet.run (kind) VALUES ('evaluate') RETURNING id;\nSELECT trivet.hold_run(max(id)) FROM "
                       "trivet.run;\nSELECT 'held';\n")
    holder.stdin.flush()
    number = int(holder.stdout.readline())
    while holder.stdout.readline().strip() != "held":
        pass
    state = f"SELECT state FROM trivet.run WHERE id = {number}"
    try:
        run("trivet-train", "repair", env=loaded.env)
        assert loaded.psql(state) == "building"
        failed = at("tv_fit_users", programs["trivet-train"], "fit", "--factors", 3, "--set", "max_items_for_user=1000", env=loaded.env,
                    do="shell pkill -TERM -x -P $PPID trivet-train")
        assert "interrupted" in failed.stdout + failed.stderr and newest(loaded)["state"] == "failed"
        run("trivet-train", "fit", "--factors", 3, "--set", "max_items_for_user=1000", env=loaded.env)
        run("trivet-train", *EVALUATE, env=loaded.env)
        assert loaded.psql(state) == "building"
    finally:
        holder.stdin.close()
        holder.wait(10)
    run("trivet-train", "repair", env=loaded.env)
    assert loaded.psql(state) == "failed"


def test_a_reader_may_evaluate_without_the_journal(run, loaded):
    loaded.psql("DROP ROLE IF EXISTS rita; CREATE ROLE rita LOGIN IN ROLE trivet_reader")
    env = {"TRIVET_POSTGRES": loaded.postgres_uri.replace("postgres@", "rita@", 1)}
    refused = run("trivet-train", *EVALUATE, env=env, check=False)
    assert refused.returncode == 4 and "--no-journal" in refused.stderr
    assert "ndcg@10" in run("trivet-train", *EVALUATE, "--no-journal", env=env).stdout
