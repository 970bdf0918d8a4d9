"""trivet-train fit --guard: a training that is worse than the live model is kept, and what became of it can be monitored."""

import json
import random
import re
import time

import pytest
from breakpoints import at

FIT = ("fit", "--set", "min_users_for_item=2", "--set", "max_items_for_user=1000")
GOOD, BAD = ("--factors", 8), ("--algorithm", "als", "--factors", 2)  # ALS of ratings does not rank well


@pytest.fixture(scope="module")
def ratings(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("guard") / "set"
    run("trivet-etl", "synth", folder, "--users", 200, "--items", 120, "--ratings", 8000, "--seed", 3)
    return folder


@pytest.fixture
def loaded(run, fresh_stores, ratings):
    run("trivet-etl", "load", ratings, env=fresh_stores.env)
    return fresh_stores


def row(place, number=None):
    which = f"WHERE id = {number}" if number else "ORDER BY id DESC LIMIT 1"
    return json.loads(place.psql(f"SELECT row_to_json(r) FROM trivet.run r {which}"))


def live(place):
    return int(place.redis_client().get("trivet:live"))


def last_run(place):
    number, state, at = place.redis_client().get("trivet:last_run").decode().split()
    assert abs(time.time() - float(at)) < 600
    return int(number), state


def evaluated(run, place, measure, *flags):
    """The same measured by `evaluate`, whose default division is the guard's."""
    done = run("trivet-train", "evaluate", *FIT[1:], *flags, "--no-journal", "--format", "json", env=place.env)
    algorithm = "als" if "als" in flags else "svd"
    return next(r[algorithm] for r in json.loads(done.stdout) if r["measure"] == measure)


def test_the_first_model_goes_live_and_says_how_good_it_is(run, loaded):
    run("trivet-train", *FIT, *GOOD, "--guard", "ndcg@10:0.02", env=loaded.env)
    run_row = row(loaded)
    assert run_row["state"] == "live" and run_row["message"] is None and last_run(loaded) == (1, "live")
    guard = run_row["metrics"]["guard"]
    assert guard == {"metric": "ndcg@10", "margin": 0.02, "value": pytest.approx(evaluated(run, loaded, "ndcg@10", *GOOD), abs=1e-6),
                     "live": None, "reference": None, "recorded": False, "worse": False}
    assert [m["name"] for m in run_row["metrics"]["methods"]] == ["svd", "mean", "item_mean", "bias", "popular", "random"]
    assert run_row["counts"]["rows"] > 7000  # learned from everything, not from the training part


def test_a_worse_model_is_kept(run, loaded, serve):
    run("trivet-train", *FIT, *GOOD, "--guard", "ndcg@10:0.02", env=loaded.env)
    first, server = row(loaded)["metrics"]["guard"]["value"], serve(loaded)
    before = server.get("/api/v1/recs?user_id=3").json()
    done = run("trivet-train", *FIT, *BAD, "--guard", "ndcg@10:0.02", env=loaded.env, check=False)
    worse = row(loaded)
    value = worse["metrics"]["guard"]["value"]
    assert done.returncode == 6 and value < first - 0.02 and "model 2 is kept" in done.stdout
    assert f"ndcg@10 is {value:.6f}, and that of live model 1 {first:.6f}: more than 0.02 worse" in done.stderr
    assert "hint: trivet-train activate 2 shows it all the same" in done.stderr
    assert worse["state"] == "kept" and "more than 0.02 worse" in worse["message"] and worse["metrics"]["guard"]["recorded"]
    assert live(loaded) == 1 and last_run(loaded) == (2, "kept")
    assert server.get("/api/v1/recs?user_id=3").json() == before
    again = run("trivet-train", *FIT, *BAD, "--guard", "ndcg@10:0.02", "--if-changed", env=loaded.env)
    assert "nothing changed" in again.stdout and live(loaded) == 1  # a timer does not train it every night
    run("trivet-train", "activate", 2, env=loaded.env)
    assert live(loaded) == 2 and row(loaded, 2)["state"] == "live"


def test_within_the_margin_it_goes_live(run, loaded):
    run("trivet-train", *FIT, *GOOD, "--guard", "ndcg@10:0.02", env=loaded.env)
    run("trivet-train", *FIT, *BAD, "--guard", "ndcg@10:0.9", env=loaded.env)
    assert live(loaded) == 2 and last_run(loaded) == (2, "live")
    run("trivet-train", *FIT, *GOOD, "--guard", "ndcg@10:0", env=loaded.env)  # better than what is live
    assert live(loaded) == 3


def test_a_live_model_without_numbers_is_judged_by_its_settings(run, loaded):
    run("trivet-train", *FIT, *GOOD, env=loaded.env)
    assert row(loaded)["metrics"] == {}
    done = run("trivet-train", *FIT, *BAD, "--guard", "ndcg@10:0.02", env=loaded.env, check=False)
    guard = row(loaded)["metrics"]["guard"]
    assert done.returncode == 6 and not guard["recorded"] and "its settings, judged now" in done.stderr
    assert guard["reference"] == pytest.approx(evaluated(run, loaded, "ndcg@10", *GOOD), abs=1e-6)


def test_worse_ratings_are_noticed_with_the_same_settings(run, loaded, tmp_path):
    als, chance = ("--algorithm", "als", "--factors", 2), random.Random(1)
    run("trivet-train", *FIT, *als, "--guard", "rmse:0.05", env=loaded.env)
    with open(tmp_path / "ratings.csv", "w") as out:
        out.write("userId,movieId,rating\n")
        out.writelines(f"{10000 + n // 40},{1 + n % 120},{chance.choice((1, 5))}\n" for n in range(8000))
    run("trivet-etl", "load", "--append", tmp_path, env=loaded.env)
    done = run("trivet-train", *FIT, *als, "--guard", "rmse:0.05", env=loaded.env, check=False)
    guard = row(loaded)["metrics"]["guard"]
    assert done.returncode == 6 and guard["recorded"] and guard["value"] > guard["reference"] + 0.05
    assert guard["reference"] == row(loaded, 1)["metrics"]["guard"]["value"] and live(loaded) == 1


def test_what_cannot_be_compared_is_refused_before_anything_is_written(run, loaded):
    run("trivet-train", *FIT, *GOOD, env=loaded.env)
    for flags, says in ((("--set", "min_rating=2"), "another value of min_rating"),
                        (("--set", "sample_users=0.5"), "another value of sample_users")):
        done = run("trivet-train", *FIT, *GOOD, *flags, "--guard", "ndcg@10:0.02", env=loaded.env, check=False)
        assert done.returncode == 2 and says in done.stderr
        assert row(loaded)["state"] == "failed" and live(loaded) == 1
    assert last_run(loaded) == (3, "failed")


@pytest.mark.parametrize("guard, flags, says", [
    ("ndcg@10", (), "a metric and how much worse"), ("ndcg@10:much", (), "a metric and how much worse"), ("ndcg@10:-1", (), "a metric and"),
    ("ndcg@7:0.1", (), '"ndcg@7" is no metric'), ("speed:1", (), '"speed" is no metric'), ("coverage@10:1", (), "is no metric"),
    ("rmse:0.1", (), "svd predicts no ratings"), ("mae:0.1", ("--algorithm", "als-implicit"), "predicts no ratings")])
def test_guards_that_make_no_sense(run, guard, flags, says):
    done = run("trivet-train", "fit", "--guard", guard, *flags, check=False)
    assert done.returncode == 2 and says in done.stderr


def metrics(server):
    return dict(re.findall(r"^(trivet_last_run\S*) (\S+)$", server.get("/metrics").text, re.M))


def eventually(server, wanted):
    for _ in range(100):
        found = metrics(server)
        if all(found.get(name) == value for name, value in wanted.items()):
            return found
        time.sleep(0.1)
    pytest.fail(f"{found} never became {wanted}")


def test_metrics_tell_of_the_last_training(run, programs, loaded, serve):
    server = serve(loaded)
    assert metrics(server) == {}
    run("trivet-train", *FIT, *GOOD, "--guard", "ndcg@10:0.02", env=loaded.env)
    found = eventually(server, {"trivet_last_run_number": "1", 'trivet_last_run_state{state="live"}': "1"})
    assert float(found["trivet_last_run_seconds"]) < 300 and len(found) == 6
    run("trivet-train", *FIT, *BAD, "--guard", "ndcg@10:0.02", env=loaded.env, check=False)
    eventually(server, {"trivet_last_run_number": "2", 'trivet_last_run_state{state="kept"}': "1", 'trivet_last_run_state{state="live"}': "0"})
    at("tv_fit_users", programs["trivet-train"], *FIT, *GOOD, env=loaded.env)
    eventually(server, {"trivet_last_run_number": "3", 'trivet_last_run_state{state="building"}': "1"})
    run("trivet-train", "repair", env=loaded.env)
    eventually(server, {"trivet_last_run_number": "3", 'trivet_last_run_state{state="failed"}': "1"})
    loaded.redis_client().set("trivet:last_run", "nonsense")
    run("trivet-train", *FIT, *GOOD, env=loaded.env)
    eventually(server, {"trivet_last_run_number": "4", 'trivet_last_run_state{state="live"}': "1"})


@pytest.mark.parametrize("function", ["tv_run_set_metrics", "tv_run_set_message"])
def test_killed_while_guarding(run, programs, loaded, function):
    run("trivet-train", *FIT, *GOOD, "--guard", "ndcg@10:0.02", env=loaded.env)
    at(function, programs["trivet-train"], *FIT, *BAD, "--guard", "ndcg@10:0.02", env=loaded.env)
    run("trivet-train", "repair", env=loaded.env)
    assert live(loaded) == 1 and row(loaded, 2)["state"] == ("failed" if function == "tv_run_set_metrics" else "kept")
