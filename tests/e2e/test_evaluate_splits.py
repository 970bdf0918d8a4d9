"""trivet-train evaluate on every kind of split and three data sets, beside the same computed in Python (rejudge.py).

The model's own factors come from a fit on the training part alone, in stores of its own: so the filter cannot have seen
what was kept apart."""

import json
import tarfile

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed: apt-get install python3-sklearn")
import rejudge  # noqa: E402

from blobs import decode

FILTER = ["--set", "min_users_for_item=2", "--set", "max_items_for_user=100000", "--set", "max_row_number=100000000"]
ALS = ["--algorithm", "als", "--factors", 4, "--biases", "--iterations", 5]
IMPLICIT = ["--algorithm", "als-implicit", "--factors", 4, "--iterations", 5, "--alpha", 0.01]
SETS = {"ml-100k": ALS, "ml-latest-small": ALS, "lastfm": IMPLICIT}
KINDS = {"random": ["--test", 0.15, "--validation", 0.1, "--split-seed", 5], "time": ["--split", "time", "--test", 0.1, "--validation", 0.1],
         "last": ["--split", "last", "--last", 4]}


def read(name, data_dir):
    """user, item, rating, time: a row each; of Last.fm every fourth user."""
    if name == "ml-100k":
        rows = np.loadtxt(data_dir / "ml-100k/u.data")
    elif name == "ml-latest-small":
        rows = np.loadtxt(data_dir / "ml-latest-small/ratings.csv", delimiter=",", skiprows=1)
    else:
        with tarfile.open(data_dir / "hetrec2011-lastfm-2k.tar.gz") as packed:
            rows = np.loadtxt(packed.extractfile("hetrec2011-lastfm-2k/user_artists.dat"), skiprows=1)
        rows = np.hstack([rows[rows[:, 0] % 4 == 0], np.full((int((rows[:, 0] % 4 == 0).sum()), 1), np.nan)])
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def write(path, rows, header="userId,movieId,rating,timestamp"):
    with open(path, "w", encoding="utf-8") as out:
        out.write(header + "\n")
        for user, item, value, time in rows:
            out.write(f"{user:.0f},{item:.0f},{value:.9g},{'' if np.isnan(time) else format(time, '.0f')}\n")


class Set:
    def __init__(self, name, run, servers, data_dir, folder):
        self.flags, self.rows, self.place = SETS[name], read(name, data_dir), servers.place()
        self.user, self.item = self.rows[:, 0].astype(int), self.rows[:, 1].astype(int)
        self.value, self.time = self.rows[:, 2].astype(np.float32), self.rows[:, 3]
        write(folder / "ratings.csv", self.rows)
        run("trivet-etl", "load", folder, env=self.place.env)


@pytest.fixture(scope="module", params=SETS)
def ratings(request, run, servers, data_dir, tmp_path_factory):
    return Set(request.param, run, servers, data_dir, tmp_path_factory.mktemp("set"))


def evaluate(run, place, *arguments):
    """The metrics as the journal has them."""
    run("trivet-train", "evaluate", *FILTER, *arguments, env=place.env)
    row = json.loads(place.psql("SELECT row_to_json(r) FROM trivet.run r ORDER BY id DESC LIMIT 1"))
    assert row["kind"] == "evaluate" and row["state"] == "done"
    return row["metrics"]


def model_of(run, place, division, flags):
    """What a fit on these ratings alone says: scores for lists, NaN where it has none, and the test pairs' scores."""
    run("trivet-train", "fit", *FILTER, *flags, env=place.env)
    redis = place.redis_client()
    key = "trivet:model:{%d}:" % int(redis.get("trivet:live"))
    factors, ids = decode(redis.get(key + "item_factors:0")).astype(float), decode(redis.get(key + "item_ids:0"))
    columns = np.searchsorted(division.items, ids)
    scores = np.full(division.seen.shape, np.nan)
    for document in place.mongo_db().user.find():
        if len(decode(document["seen"])):
            row = np.searchsorted(division.users, document["_id"])
            scores[row, columns] = factors @ decode(document["value"]).astype(float)
    return scores, scores[division.test_row, division.test_column]


def agree(found, wanted, where):
    assert (found is None) == (wanted is None), where
    if isinstance(wanted, dict):
        for name, value in wanted.items():
            agree(found[name], value, f"{where} {name}")
    elif wanted is not None:
        assert found == pytest.approx(wanted, abs=1e-6, rel=1e-6), where


def check(methods, division, model, predicts):
    wanted = {methods[0]["name"]: (model[0], model[1] if predicts else None), **division.baselines()}
    assert [m["name"] for m in methods] == list(wanted) and [m["model"] for m in methods] == [True] + 5 * [False]
    for m, (name, (scores, predicted)) in zip(methods, wanted.items()):
        agree(m["at"], None if scores is None else division.ranking(scores), name)
        error = {"rmse": None, "mae": None, "r2": None} if predicted is None else division.rating_error(predicted)
        agree({k: m[k] for k in error}, error, name)
        if predicted is not None:
            assert m["unpredicted"] == int(np.isnan(predicted).sum())
        if scores is not None:
            assert m["users"] == len(division.judged)


def recompute(run, servers, ratings, part, metrics, folder, judged=1, learned=None):
    division = rejudge.Division(ratings.user, ratings.item, ratings.value, part, judged, learned)
    agree(metrics["holdout"], division.holdout, "holdout")
    training = np.flatnonzero(part == 0)
    write(folder / "ratings.csv", ratings.rows[training if learned is None else training[learned]])
    alone = servers.place()
    run("trivet-etl", "load", folder, env=alone.env)
    fraction = 1 if learned is None else 0.3
    methods = [m for m in metrics["methods"] if m["train_fraction"] == fraction]
    check(methods, division, model_of(run, alone, division, ratings.flags), ratings.flags is ALS)


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_equal_those_of_python(run, servers, ratings, kind, tmp_path):
    if kind != "random" and np.isnan(ratings.time).all():
        done = run("trivet-train", "evaluate", *FILTER, *KINDS[kind], env=ratings.place.env, check=False)
        assert done.returncode == 3 and "ratings have no time" in done.stderr
        return
    n = len(ratings.rows)
    part = {"random": lambda: rejudge.parts_at_random(n, 0.15, 0.1, 5), "time": lambda: rejudge.parts_by_time(ratings.time, 0.1, 0.1),
            "last": lambda: rejudge.last_of_each_user(ratings.user, ratings.item, ratings.time, 4)}[kind]()
    metrics = evaluate(run, ratings.place, *ratings.flags, *KINDS[kind])
    assert metrics["split"]["kind"] == kind
    recompute(run, servers, ratings, part, metrics, tmp_path)


def test_given_files(run, servers, ratings, tmp_path):
    """Written as other programs write them: a header in another order, semicolons; and "::" without a header."""
    part = rejudge.parts_at_random(len(ratings.rows), 0.2, 0, 99)
    with open(tmp_path / "base.txt", "w") as out:
        out.write("rating;note;item_id;user_id\r\n")
        out.writelines(f'"{v:.9g}";"a;b";{i:.0f};{u:.0f}\r\n' for u, i, v, _ in ratings.rows[part == 0])
    with open(tmp_path / "judge.dat", "w") as out:
        out.writelines(f"{u:.0f}::{i:.0f}::{v:.9g}::978300760\n" for u, i, v, _ in ratings.rows[part == 1])
    metrics = evaluate(run, ratings.place, *ratings.flags, "--train", tmp_path / "base.txt", "--test", tmp_path / "judge.dat")
    assert metrics["split"]["kind"] == "files" and metrics["split"]["test_file"] == str(tmp_path / "judge.dat")
    recompute(run, servers, ratings, part, metrics, tmp_path_for(tmp_path))


def tmp_path_for(folder):
    (folder / "alone").mkdir()
    return folder / "alone"


@pytest.mark.parametrize("ratings", ["ml-100k"], indirect=True)
def test_on_the_validation_part_and_of_a_fraction(run, servers, ratings, tmp_path):
    part = rejudge.parts_at_random(len(ratings.rows), 0.15, 0.1, 5)
    learned = rejudge.real(rejudge.splitmix64(6, int((part == 0).sum()))) < 0.3
    metrics = evaluate(run, ratings.place, *ratings.flags, *KINDS["random"], "--judge", "validation", "--train-fraction", "0.3,1")
    assert metrics["split"]["judged_on"] == "validation"
    assert [m["train_fraction"] for m in metrics["methods"]] == 6 * [0.3] + 6 * [1]
    recompute(run, servers, ratings, part, metrics, tmp_path, judged=2, learned=learned)


# --- published splits -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(data_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("splits")
    with tarfile.open(data_dir / "ml-100k-splits.tar.gz") as packed:
        packed.extractall(folder)
    return folder / "ml-100k-splits"


@pytest.mark.parametrize("name, rows, users", [("u1", 20000, 459), ("ua", 9430, 943)])
def test_published_splits_run_without_a_store(run, published, name, rows, users):
    files = ["--train", published / f"{name}.base", "--test", published / f"{name}.test"]
    done = run("trivet-train", "evaluate", *FILTER, *ALS, *files, "--no-journal", "--format", "json")
    table = {r["measure"]: r for r in json.loads(done.stdout)}
    assert f"kept apart: {rows:,} pairs of {users} users" in done.stderr and table["users judged"]["als"] == users
    base, test = (np.loadtxt(path) for path in (files[1], files[3]))
    both = np.vstack([base, test])
    order = np.lexsort((both[:, 1], both[:, 0]))
    user, item, value = (both[order, i] for i in range(3))
    division = rejudge.Division(user.astype(int), item.astype(int), value, np.repeat([0, 1], [len(base), len(test)])[order])
    baselines = division.baselines()
    for method in ("mean", "item_mean", "bias"):
        assert table["rmse"][method] == pytest.approx(division.rating_error(baselines[method][1])["rmse"]["value"], abs=1e-6)
    assert table["ndcg@10"]["popular"] == pytest.approx(division.ranking(baselines["popular"][0])["10"]["ndcg"]["value"], abs=1e-6)
    assert table["rmse"]["als"] < table["rmse"]["mean"]


def test_a_leaky_split_is_refused(run, published, tmp_path):
    (tmp_path / "test").write_text((published / "u1.test").read_text() + "1\t1\t5\t874965758\n943\t1330\t3\t0\n")
    done = run("trivet-train", "evaluate", "--train", published / "u1.base", "--test", tmp_path / "test", "--no-journal", check=False)
    assert done.returncode == 3 and "2 pairs stand in both" in done.stderr and "user 1 and item 1" in done.stderr
    assert "not judged on ratings it has learned" in done.stderr


# --- what cannot be done ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base, test, says", [
    ("1\t2\t3\n", "", "the first line of"), ("", "1\t2\t3\n", "the first line of"), ("1,2\n", "1,3,4\n", "the first line of"),
    ("user,item\n1,2\n", "1,3,4\n", "the first line of"), ("1,2,3\n1,x,3\n", "1,3,4\n", "line 2: id is not an integer"),
    ("1,2,3\n1,3,nan\n", "1,4,4\n", "line 2: NaN rating"), ("1,2,3\n1,3\n", "1,4,4\n", "line 2: wrong number of fields"),
    ("userId,movieId,rating\n", "1,4,4\n", "holds no ratings"), ("1,2,3\n", "userId,movieId,rating\n", "holds no ratings"),
    ("1,2,3\n1,3,4\n", "1,2,5\n", "1 pairs stand in both"), ("1,2,3\n", "1,3,4\n", "keeps none of the 1 ratings")])
def test_files_that_cannot_be_used(run, tmp_path, base, test, says):
    (tmp_path / "base").write_text(base)
    (tmp_path / "test").write_text(test)
    done = run("trivet-train", "evaluate", "--train", tmp_path / "base", "--test", tmp_path / "test", "--no-journal", check=False)
    assert done.returncode == 3 and says in done.stderr and "hint:" in done.stderr or "holds no ratings" in done.stderr or "line 2" in done.stderr
    assert done.stdout == ""


def test_two_ratings_are_enough(run, tmp_path):
    """The smallest split there is; and one in which all of the test is cold."""
    (tmp_path / "base").write_text("1,2,3\n1,2,5\n2,2,1\n2,3,1\n")
    for test, judged in (("1,3,4\n", 1), ("7,8,4\n", 0), ("1,9,4\n", 1)):
        (tmp_path / "test").write_text(test)
        done = run("trivet-train", "evaluate", *FILTER[:1], "min_users_for_item=0", "--set", "min_items_for_user=0", "--algorithm", "als",
                   "--factors", 1, "--train", tmp_path / "base", "--test", tmp_path / "test", "--no-journal", "--format", "json")
        table = {r["measure"]: r for r in json.loads(done.stdout)}
        assert table["users judged"]["popular"] == judged
        assert table["recall@10"]["popular"] == (None if judged == 0 else float(test.startswith("1,3")))


@pytest.mark.parametrize("flags, says", [
    (["--test", "some"], '--test is "some"'), (["--test", "0.95"], '--test is "0.95"'), (["--split", "last", "--test", "0.1"], "takes --last K"),
    (["--last", 3], "goes with --split last"), (["--train", "x"], "needs --test FILE"), (["--train", "x", "--test", "y", "--split", "time"], "--split means nothing"),
    (["--train", "x", "--test", "y", "--set", "genres=Drama"], "genres chooses among the ratings of Postgres"),
    (["--train-fraction", "0.5,0"], 'has "0"'), (["--train-fraction", "0.5,,1"], 'has ""'), (["--train-fraction", "1.5"], 'has "1.5"')])
def test_flags_that_contradict_each_other(run, flags, says):
    done = run("trivet-train", "evaluate", *flags, "--no-journal", check=False)
    assert done.returncode == 2 and says in done.stderr


def test_judging_on_a_part_that_is_not_there(run, published):
    done = run("trivet-train", "evaluate", *FILTER, "--train", published / "ua.base", "--test", published / "ua.test", "--judge", "validation",
               "--no-journal", check=False)
    assert done.returncode == 2 and "no validation part" in done.stderr


@pytest.mark.parametrize("first", ["with a time", "without"])
def test_a_pair_with_one_row_without_a_time_has_none(run, servers, tmp_path, first):
    """Every third pair came twice, once without a time: in whichever order, it cannot be split by time."""
    once = [(u, i, 1 + (u * i) % 5, 1e9 + 1000 * (u + 60 * i)) for u in range(1, 61) for i in range(1, 13)]
    timeless = [(u, i, value, np.nan) for u, i, value, _ in once[::3]]
    write(tmp_path / "ratings.csv", once + timeless if first == "with a time" else timeless + once)
    place = servers.place()
    run("trivet-etl", "load", tmp_path, env=place.env)
    done = run("trivet-train", "evaluate", "--split", "time", *FILTER, env=place.env, check=False)
    assert done.returncode != 0 and "240 of 720 ratings have no time" in done.stderr, done.stderr
