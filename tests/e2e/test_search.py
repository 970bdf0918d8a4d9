"""trivet-train search: what it finds, recomputed; that a killed search goes on; and what it refuses."""

import csv
import io
import json
import re
import shlex
import subprocess

import breakpoints
import numpy as np
import pytest
from blobs import decode
from markdown import block, blocks, page
from test_evaluate import splitmix64

ALS = ["--algorithm", "als", "--iterations", 6, "--set", "min_users_for_item=1", "--set", "max_items_for_user=1000"]
GRID = [*ALS, "--factors", "2,4,6", "--lambda", "0.05,0.1"]


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("search") / "set"
    run("trivet-etl", "synth", folder, "--users", 150, "--items", 120, "--ratings", 4000, "--seed", 9)
    return folder


@pytest.fixture
def place(run, servers, folder):
    place = servers.place()
    run("trivet-etl", "load", folder, env=place.env)
    return place


@pytest.fixture(scope="module")
def searched(run, servers, folder):
    """The grid, searched once: the place, and what it printed."""
    place = servers.place()
    run("trivet-etl", "load", folder, env=place.env)
    return place, search(run, place, *GRID)


def search(run, place, *flags, **options):
    """The document of --format json."""
    return json.loads(run("trivet-train", "search", *flags, "--format", "json", env=place.env, **options).stdout)


def numbers(document):
    """All of it that does not change from run to run."""
    kept = {key: value for key, value in document.items() if key not in ("run", "search")}
    without = lambda trial: {key: value for key, value in trial.items() if key != "seconds"}  # noqa: E731
    return {**kept, "trials": [without(t) for t in kept["trials"]], "best": without(kept["best"])}


# --- what it finds -----------------------------------------------------------------------------------------------


def test_the_grid_has_every_combination(searched):
    _, found = searched
    settings = [(t["settings"]["factors"], t["settings"]["lambda"]) for t in found["trials"]]
    assert settings == [(k, l) for k in (2, 4, 6) for l in (0.05, 0.1)]
    values = [t["metric"]["value"] for t in found["trials"]]
    assert found["metric"] == "rmse" and found["best"]["metric"]["value"] == min(values)
    assert all(t["metric"]["low"] < t["metric"]["value"] < t["metric"]["high"] for t in found["trials"])


def test_a_trial_is_judged_on_the_validation_part(run, servers, searched, tmp_path):
    """A fit on the training part alone, asked for the pairs of the validation part, gives the trial's number."""
    place, found = searched
    rows = [r.split("|") for r in place.psql("SELECT user_id, item_id, avg(value)::real FROM trivet.rating GROUP BY 1, 2 "
                                             "ORDER BY 1, 2").splitlines()]
    draws = splitmix64(1, len(rows))
    alone = servers.place()
    with open(tmp_path / "ratings.csv", "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["userId", "movieId", "rating"])
        writer.writerows(row for row, u in zip(rows, draws) if u >= 0.4)
    run("trivet-etl", "load", tmp_path, env=alone.env)
    run(*shlex.split(found["best"]["command"]), env=alone.env)
    redis = alone.redis_client()
    key = "trivet:model:{%d}:" % int(redis.get("trivet:live"))
    items = dict(zip(decode(redis.get(key + "item_ids:0")).tolist(), decode(redis.get(key + "item_factors:0")).astype(float)))
    users = {d["_id"]: decode(d["value"]).astype(float) for d in alone.mongo_db().user.find()}
    errors = [users[int(u)] @ items[int(i)] - float(v) for (u, i, v), draw in zip(rows, draws)
              if 0.2 <= draw < 0.4 and int(u) in users and int(i) in items]
    assert found["best"]["metric"]["value"] == pytest.approx(np.sqrt(np.mean(np.square(errors))), abs=1e-9)


def test_the_winner_is_tested_as_evaluate_tests_it(run, searched):
    place, found = searched
    flags = shlex.split(found["best"]["command"])[2:]
    table = json.loads(run("trivet-train", "evaluate", *flags, "--validation", 0.2, "--format", "json", env=place.env).stdout)
    rows = {row["measure"]: row["als"] for row in table}
    for measure, end in (("rmse", "value"), ("rmse low", "low"), ("rmse high", "high")):
        assert rows[measure] == pytest.approx(found["best"]["test"][end], abs=1e-6)


def test_a_table_and_the_command_for_people(run, searched):
    place, found = searched
    done = run("trivet-train", "search", *GRID, env=place.env)
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["trial", "factors", "lambda", "rmse", "low", "high", "seconds", "note"]
    assert [line.split()[0] for line in lines[2:8]] == list("123456")
    assert [line.split()[0] for line in lines if line.rstrip().endswith("best")] == [str(found["best"]["trial"])]
    assert lines[-1] == found["best"]["command"] and "on the test part" in done.stdout
    table = list(csv.DictReader(io.StringIO(run("trivet-train", "search", *GRID, "--format", "csv", env=place.env).stdout)))
    assert [float(r["rmse"]) for r in table] == [round(t["metric"]["value"], 6) for t in found["trials"]]
    assert "| trial |" in run("trivet-train", "search", *GRID, "--format", "markdown", env=place.env).stdout


def test_the_journal_has_one_row(searched):
    place, found = searched
    row = place.psql(f"SELECT kind, state, algorithm, parameters ->> 'factors', metrics FROM trivet.run WHERE id = {found['run']}")
    kind, state, algorithm, factors, metrics = row.split("|", 4)
    assert (kind, state, algorithm, factors) == ("search", "done", "als", str(found["best"]["settings"]["factors"]))
    assert json.loads(metrics) == {key: value for key, value in found.items() if key != "run"}
    assert place.psql("SELECT count(*) FROM trivet.run WHERE kind = 'search'") == "1"
    curve = [line.split("|") for line in place.psql(f"SELECT factors, value FROM trivet.factor_curve({found['run']})").splitlines()]
    assert [(int(k), float(v)) for k, v in curve] == [
        (k, min(t["metric"]["value"] for t in found["trials"] if t["settings"]["factors"] == k)) for k in (2, 4, 6)]


def test_the_same_command_again_learns_nothing(run, searched):
    place, found = searched
    before = place.psql("SELECT search_id, number, finished_at FROM trivet.search_result ORDER BY 1, 2")
    assert search(run, place, *GRID) == search(run, place, "--resume", found["search"]) == found
    assert place.psql("SELECT search_id, number, finished_at FROM trivet.search_result ORDER BY 1, 2") == before


@pytest.mark.parametrize("manner", [["--threads", 1], ["--threads", 2, "--parallel", 1], ["--threads", 4, "--parallel", 4]],
                         ids=["one thread", "two threads a trial", "four at a time"])
def test_threads_and_trials_at_a_time_change_no_bit(run, place, searched, manner):
    done = run("trivet-train", "search", *GRID, *manner, "--format", "json", env=place.env)
    assert numbers(json.loads(done.stdout)) == numbers(searched[1])
    at_a_time = manner[3] if len(manner) > 2 else 1
    assert f"6 trials to go, {at_a_time} at a time with {manner[1] // at_a_time} thread" in done.stderr


# --- smaller models, filters, draws ------------------------------------------------------------------------------


def test_a_smaller_model_wins_a_tie(run, searched):
    """Whatever the gain asked for: of the trials so near to the best one, the one with the fewest factors."""
    place, _ = searched
    flags = ["--factors", "1,2,3,4,6,8", "--set", "max_items_for_user=1000"]
    found = search(run, place, *flags)
    values = {t["settings"]["factors"]: t["metric"]["value"] for t in found["trials"]}
    best = max(values.values())
    chosen = []
    for gain in (0, 0.005, 0.02, 10):
        chosen.append(search(run, place, *flags, "--min-gain", gain)["best"]["settings"]["factors"])
        assert chosen[-1] == min(k for k, value in values.items() if best - value <= gain)
        told = search(run, place, *flags, "--min-gain", gain)  # asked twice, journaled once, and what is told is what is journaled
        row = place.psql(f"SELECT parameters ->> 'factors', metrics #>> '{{best,settings,factors}}' FROM trivet.run WHERE id = {told['run']}")
        assert row == f"{chosen[-1]}|{chosen[-1]}"
        assert place.psql(f"SELECT run_id FROM trivet.search WHERE id = {told['search']}") == str(told["run"])
    assert values[chosen[0]] == best and chosen[-1] == 1 and len(set(chosen)) > 1
    assert place.psql(f"SELECT count(*) FROM trivet.run WHERE metrics ->> 'search' = '{found['search']}'") == str(len(set(chosen)))
    words = run("trivet-train", "search", *flags, "--min-gain", 10, env=place.env).stdout
    assert f"is better by {best - values[1]:.4f}, which is not more than --min-gain 10" in words


def test_values_of_the_filter(run, place):
    """A trial is judged as evaluate judges its filter; the command at the end trains with the filter's values."""
    found = search(run, place, "--factors", "3,5", "--over", "min_users_for_item=2,30", "--over", "max_items_for_user=20,300")
    assert found["metric"] == "ndcg@10" and len(found["trials"]) == 8
    assert len({t["metric"]["value"] for t in found["trials"]}) == 8
    settings, command = found["best"]["settings"], found["best"]["command"]
    for name in ("min_users_for_item", "max_items_for_user"):
        assert f"--set {name}={settings[name]}" in command
    run(*shlex.split(command), env=place.env)
    assert json.loads(place.psql("SELECT filter FROM trivet.run WHERE state = 'live'"))["min_users_for_item"] == \
        settings["min_users_for_item"]


def journaled_filter(place, run):
    """What the journal says that a run learned from, at each place where it says so; and how many rows its SQL gives."""
    kept = json.loads(place.psql(f"SELECT filter FROM trivet.run WHERE id = {run}"))
    listed = json.loads(place.psql(f"SELECT filter FROM trivet.evaluations() WHERE run = {run}"))
    assert listed == kept
    source = place.psql(f"SELECT source FROM trivet.run WHERE id = {run}")
    return kept, int(place.psql(f"SELECT count(*) FROM {source}")), source


def test_the_journal_has_the_filter_that_won(run, place):
    """Whoever trains what the journal says beside the winner's numbers gets the model that was measured."""
    over = ["--over", "min_users_for_item=2,30", "--over", "max_items_for_user=20,300"]
    found = search(run, place, "--factors", "3,5", "--set", "max_items_for_user=90", *over)
    won = {name: found["best"]["settings"][name] for name in ("min_users_for_item", "max_items_for_user")}
    kept, rows, source = journaled_filter(place, found["run"])
    assert {name: kept[name] for name in won} == won and "90" not in source
    sheet = run("trivet-train", "show", found["run"], env=place.env).stdout
    for name, value in won.items():
        assert f"filter {name}".ljust(24) + f" {value}\n" in sheet
    run(*shlex.split(found["best"]["command"]), env=place.env)
    live = "SELECT {} FROM trivet.run WHERE state = 'live'"
    assert json.loads(place.psql(live.format("filter"))) == kept and place.psql(live.format("source")) == source
    journaled = place.psql(f"SELECT fingerprint FROM trivet.run WHERE id = {found['run']}")
    assert place.psql(live.format("fingerprint")) == journaled
    assert int(place.psql(live.format("counts ->> 'rows'"))) == rows


def test_a_filter_that_an_older_program_journaled_wrong_is_put_right(run, place):
    found = search(run, place, "--factors", "3,5", "--over", "min_users_for_item=2,30", "--over", "max_items_for_user=300,301")
    right = journaled_filter(place, found["run"])
    for source in ("trivet.user_item()", "trivet.user_item(min_users_for_item => 7, max_row_number => 99999)"):
        place.psql("UPDATE trivet.run SET filter = filter || '{\"min_users_for_item\": 7, \"max_items_for_user\": 50}', "
                   f"source = '{source}' WHERE id = {found['run']}")
        run("trivet-etl", "schema", env=place.env)
        mended = journaled_filter(place, found["run"])
        assert mended[:2] == right[:2] and ("99999" in source) == ("max_row_number => 99999" in mended[2])


def test_what_cannot_be_learned_is_told_and_the_rest_goes_on(run, place):
    flags = ["--factors", "3,500", "--over", "min_items_for_user=1,40", "--over", "max_items_for_user=30,1000"]
    found = search(run, place, *flags)
    errors = {(t["settings"]["factors"], t["settings"]["min_items_for_user"], t["settings"]["max_items_for_user"]): t.get("error")
              for t in found["trials"]}
    assert errors[3, 1, 1000] is None and errors[3, 40, 1000] is None
    assert "max_items_for_user is 30, but must be at least min_items_for_user, which is 40" in errors[3, 40, 30]
    assert "--factors is 500, but a matrix of" in errors[500, 1, 1000]
    assert "error" not in found["best"]
    hopeless = run("trivet-train", "search", "--factors", "400,500", env=place.env, check=False)
    assert hopeless.returncode == 3 and "no trial could be judged" in hopeless.stderr and "--factors is 400" in hopeless.stderr


def test_a_row_limit_that_cuts_is_told(run, place):
    flags = ["--factors", "2,3", "--set", "max_items_for_user=1000"]
    warning = "warning: max_row_number allows no more"
    assert warning in run("trivet-train", "search", *flags, "--set", "max_row_number=500", env=place.env).stderr
    assert warning in run("trivet-train", "evaluate", "--factors", 2, "--set", "max_row_number=500", env=place.env).stderr
    assert warning not in run("trivet-train", "search", *flags, env=place.env).stderr


def test_random_draws(run, place):
    flags = ["--algorithm", "als", "--factors", "2..9", "--lambda", "0.01..1", "--biases", "off,on", "--random", 12]
    found = search(run, place, *flags, "--seed", 3)
    drawn = [tuple(t["settings"][name] for name in ("factors", "lambda", "biases")) for t in found["trials"]]
    assert len(set(drawn)) == 12 and {b for _, _, b in drawn} == {False, True}
    assert all(2 <= k <= 9 and 0.01 <= l <= 1 for k, l, _ in drawn)
    assert sum(l < 0.1 for _, l, _ in drawn) >= 3  # evenly over logarithms: half of them, about
    place.psql("DELETE FROM trivet.search")
    assert numbers(search(run, place, *flags, "--seed", 3)) == numbers(found)
    other = [t["settings"] for t in search(run, place, *flags, "--seed", 4)["trials"]]
    assert other != [t["settings"] for t in found["trials"]]
    all_of_them = search(run, place, "--factors", "2,3,4", "--random", 50)
    assert [t["settings"]["factors"] for t in all_of_them["trials"]] == [2, 3, 4]


# --- killed, and going on ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("again", ["the same command", "--resume"])
def test_a_killed_search_goes_on(run, programs, place, searched, again):
    breakpoints.at("tv_search_store_result", programs["trivet-train"], "search", *GRID, env=place.env, times=4)
    before = place.psql("SELECT number, finished_at FROM trivet.search_result ORDER BY number").splitlines()
    assert len(before) == 3 and place.psql("SELECT count(*) FROM trivet.run") == "0"
    flags = GRID if again == "the same command" else ["--resume", 1]
    done = run("trivet-train", "search", *flags, "--format", "json", env=place.env)
    assert "search 1: 3 of 6 trials are done" in done.stderr and "3 trials to go" in done.stderr
    assert numbers(json.loads(done.stdout)) == numbers(searched[1])
    after = place.psql("SELECT number, finished_at FROM trivet.search_result ORDER BY number").splitlines()
    assert len(after) == 6 and set(before) <= set(after)  # none was tried a second time
    assert place.psql("SELECT count(*), count(finished_at) FROM trivet.search") == "1|1"
    assert place.psql("SELECT count(*) FROM trivet.run") == "1"


def test_an_interrupted_search_says_how_to_go_on(programs, run, place, searched):
    done = breakpoints.at("tv_search_store_result", programs["trivet-train"], "search", *GRID, env=place.env, times=2,
                          do="shell pkill -TERM -x -P $PPID trivet-train")
    assert "interrupted" in done.stderr + done.stdout
    assert "trivet-train search --resume 1 goes on" in done.stderr + done.stdout
    assert numbers(search(run, place, "--resume", 1)) == numbers(searched[1])


def test_other_ratings_are_another_search(run, place):
    first = search(run, place, *GRID)
    place.psql("DELETE FROM trivet.rating WHERE user_id = (SELECT max(user_id) FROM trivet.rating)")
    place.psql("INSERT INTO trivet.rating (user_id, item_id, value) VALUES (1, 1, 3)")
    refused = run("trivet-train", "search", "--resume", first["search"], env=place.env, check=False)
    assert refused.returncode == 3 and "search 1 was about other ratings" in refused.stderr
    second = search(run, place, *GRID)
    assert second["search"] == first["search"] + 1 and numbers(second) != numbers(first)


def test_two_at_a_time_are_refused(run, place):
    found = search(run, place, *GRID)
    holder = subprocess.Popen(["psql", "-XqAt", place.postgres_uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdin.write(f"SELECT pg_advisory_lock(hashtext('trivet.search'), {found['search']});\n\\echo held\n")
    holder.stdin.flush()
    while holder.stdout.readline() != "held\n":
        pass
    refused = run("trivet-train", "search", *GRID, env=place.env, check=False)
    holder.communicate()
    assert refused.returncode != 0 and "another process works on search 1" in refused.stderr


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags, words", [
    (["--factors", "4"], "nothing to choose from"),
    (["--factors", "4,x"], "--factors is \"x\", but must be an integer from 1 to 4096"),
    (["--factors", "4,"], "--factors is \"\""),
    (["--factors", "4,8,4"], "--factors lists 4 twice"),
    (["--factors", "3..9"], "factors is a range, from which values can only be drawn"),
    (["--factors", "9..3", "--random", 3], "the range \"9..3\", which does not rise"),
    (["--lambda", "0.1,0.2"], "--lambda means nothing to --algorithm svd"),
    (["--algorithm", "als", "--lambda", "0.1,-2"], "--lambda is \"-2\""),
    (["--algorithm", "als", "--lambda", "0.1,0.10"], "--lambda lists 0.1 twice"),
    (["--algorithm", "als", "--biases", "on,perhaps"], "--biases is \"perhaps\", but must be off or on"),
    (["--over", "min_users_for_item"], "--over is \"min_users_for_item\", but must be a parameter and its values"),
    (["--over", "min_user_for_item=2,3"], "the filter has no parameter \"min_user_for_item\""),
    (["--over", "min_users_for_item=2,-3"], "min_users_for_item is \"-3\""),
    (["--over", "min_users_for_item=2,3", "--over", "min_users_for_item=4,5"], "names min_users_for_item twice"),
    (["--over", "genres=Drama,Comedy"], "--over genres: trials would be judged by different ratings"),
    (["--factors", "2,3", "--metric", "rmse"], "scores of svd order items"),
    (["--factors", "2,3", "--metric", "mae"], "--metric is \"mae\", but must be one of rmse|ndcg@10"),
    (["--algorithm", "als", "--over", "min_users_for_item=2,3"], "--metric rmse cannot choose among filters"),
    (["--factors", "2,3", "--set", "sample_users=0.5"], "sample_users cannot be evaluated"),
    (["--factors", "2,3", "--test", 0.6, "--validation", 0.5], "0.5"),
    (["--factors", "2,3", "--parallel", 9, "--memory", 1], "--memory MB says what trials may take together"),
])
def test_wrong_values_are_named(run, searched, flags, words):
    place, _ = searched
    refused = run("trivet-train", "search", *flags, env=place.env, check=False)
    assert refused.returncode in (1, 2, 3) and refused.stdout == "" and words in refused.stderr


def test_a_number_that_is_no_search(run, searched):
    refused = run("trivet-train", "search", "--resume", 99, env=searched[0].env, check=False)
    assert refused.returncode == 3 and "there is no search 99" in refused.stderr


def test_the_plan_counts_memory(run, place):
    done = run("trivet-train", "search", *GRID, "--threads", 8, "--memory", 3, env=place.env)
    found = re.search(r"6 trials to go, (\d) at a time with (\d) threads? each; one takes up to (\S+) KB of 3.0 MB", done.stderr)
    at_a_time, threads, kilobytes = int(found[1]), int(found[2]), float(found[3])
    assert at_a_time == min(6, int(3 * 1024 / kilobytes)) and threads == 8 // at_a_time


# --- the page ----------------------------------------------------------------------------------------------------


def test_the_page_can_be_followed(run, servers, movielens_100k):
    """Its commands run in order; the first table and the query give about what is printed there."""
    text = page("docs/search.md")
    place = servers.place()
    run("trivet-etl", "load", movielens_100k, env=place.env)
    commands = [line for block in blocks(text, "sh") for line in block.splitlines()]
    outputs = [run(*shlex.split(line), env=place.env).stdout for line in commands]
    assert len(outputs) == 4
    found, printed = ([line.split() for line in table.splitlines()] for table in (outputs[0], blocks(text, "text")[0]))
    assert found[0] == printed[0] and found[-1] == printed[-1]
    for ours, theirs in zip(found[2:11], printed[2:11], strict=True):
        assert ours[:3] == theirs[:3] and float(ours[3]) == pytest.approx(float(theirs[3]), abs=0.002)
    sql = block(text, "sql")
    wanted = [line[2:].split("|") for line in sql.splitlines() if re.match(r"-- +\d", line)]
    rows = [line.split("|") for line in place.psql(sql).splitlines()]
    assert [float(r[2]) for r in rows] == pytest.approx([float(r[2]) for r in wanted], abs=0.002) and len(rows) == 3
