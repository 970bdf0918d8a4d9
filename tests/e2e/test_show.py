"""trivet-train show: a score taken apart, rows of factors, the sheet of a run; and recommend for everybody."""

import csv
import io
import json
import subprocess

import numpy
import pytest
from blobs import decode
from server import clean_environment
from test_models import small_set  # noqa: F401


@pytest.fixture(scope="module")
def trained(run, servers, small_set):  # noqa: F811
    """One model, 5 factors, live; users beyond 30 ratings are folded in, and item 7 * 80 is rated twice by user 1."""
    place = servers.place()
    run("trivet-etl", "load", small_set, env=place.env)
    place.psql("INSERT INTO trivet.rating (user_id, item_id, value) VALUES (1, 560, 1), (1, 560, 4), (1000, 123456, 3)")
    run("trivet-train", "fit", "--set", "max_items_for_user=30", "--factors", 5, env=place.env)
    return place


@pytest.fixture(scope="module")
def show(run, trained):
    return lambda *args, **options: run("trivet-train", "show", *args, env=trained.env, **options)


def arrays(place, user):
    """The vectors that the stores hold: the user's, all items', and the items' ids."""
    client = place.redis_client()
    document = place.mongo_db().user_1.find_one({"_id": user})
    return (decode(document["value"]).astype("f8"), decode(client.get("trivet:model:{1}:item_factors:0")).astype("f8"),
            decode(client.get("trivet:model:{1}:item_ids:0")))


# --- one score ---------------------------------------------------------------------------------------------------


def test_a_score_can_be_followed_by_hand(show, trained):
    shown = show(1, "--user", 3, "--item", 14).stdout
    user, items, ids = arrays(trained, 3)
    item = items[list(ids).index(14)]
    facts, table = shown.split("\n\n")
    facts = {line[:12].strip(): line[13:] for line in facts.splitlines()}
    rows = [line.split() for line in table.splitlines()[2:]]
    assert facts["score"].startswith(f"{user @ item:.8f},") and facts["model"] == "1, svd, 5 factors"
    assert facts["item"] == "14, The Film 2 (1952)"
    assert facts["score kind"] == "relevance: orders items, the best first; it is no rating"
    assert [r[0] for r in rows] == ["1", "2", "3", "4", "5"]
    total = 0
    for row, u, i in zip(rows, user, item):
        total += u * i
        assert row[1:] == [f"{x:.8f}" for x in (u, i, u * i, total)]
    assert rows[-1][4] == f"{user @ item:.8f}"


def test_json_and_csv_hold_every_digit(show, trained):
    user, items, ids = arrays(trained, 3)
    item = items[list(ids).index(14)]
    whole = json.loads(show("live", "--user", 3, "--item", 14, "--format", "json").stdout)
    assert whole["score"] == sum(f["product"] for f in whole["factors"]) == user @ item
    assert [f["user"] for f in whole["factors"]] == list(user) and [f["item"] for f in whole["factors"]] == list(item)
    assert (whole["model"], whole["user_id"], whole["item_id"], whole["score_kind"]) == (1, 3, 14, "relevance")
    done = show(1, "--user", 3, "--item", 14, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [float(r["product"]) for r in rows] == list(user * item) and float(rows[-1]["sum"]) == user @ item
    assert "score kind" in done.stderr
    assert "| factor |" in show(1, "--user", 3, "--item", 14, "--format", "markdown").stdout


def test_the_score_is_the_one_of_the_lists(show, run, trained):
    lines = run("trivet-train", "recommend", "--users", 3, "--top", 3, env=trained.env).stdout.splitlines()[1:]
    for _, _, item, score in (line.split(",") for line in lines):
        assert f"{json.loads(show(1, '--user', 3, '--item', item, '--format', 'json').stdout)['score']:.9g}" == score


def test_the_true_rating(show, trained):
    rated, value = trained.psql("SELECT item_id, value FROM trivet.rating WHERE user_id = 3 ORDER BY 1 LIMIT 1").split("|")
    unrated = trained.psql("SELECT item_id FROM trivet.item WHERE item_id NOT IN "
                           "(SELECT item_id FROM trivet.rating WHERE user_id = 3) ORDER BY 1 LIMIT 1")
    mean, n = trained.psql("SELECT avg(value), count(*) FROM trivet.rating WHERE user_id = 1 AND item_id = 560").split("|")
    assert f"true rating  {value}\n" in show(1, "--user", 3, "--item", rated).stdout
    assert "true rating  none\n" in show(1, "--user", 3, "--item", unrated).stdout
    assert f"true rating  {float(mean):g}, the mean of {n}\n" in show(1, "--user", 1, "--item", 560).stdout
    assert json.loads(show(1, "--user", 3, "--item", rated, "--format", "json").stdout)["rating"] == float(value)
    assert json.loads(show(1, "--user", 3, "--item", unrated, "--format", "json").stdout)["rating"] is None
    trained.psql(f"UPDATE trivet.rating SET user_id = 2000 WHERE user_id = 3 AND item_id = {rated}")
    then = show(1, "--user", 3, "--item", rated).stdout
    trained.psql(f"UPDATE trivet.rating SET user_id = 3 WHERE user_id = 2000 AND item_id = {rated}")
    assert f"true rating  none in Postgres; {value} when the model was made\n" in then


def test_users_of_every_kind(show, trained):
    folded = trained.mongo_db().user_1.find_one({"id": None, "_id": {"$lt": 1000}})["_id"]
    learned = trained.mongo_db().user_1.find_one({"id": 0})["_id"]
    assert "not learned from, but folded in" in show(1, "--user", folded, "--item", 14).stdout
    assert "folded in" not in show(1, "--user", learned, "--item", 14).stdout
    nobody = show(1, "--user", 1000, "--item", 14).stdout
    assert "none of this model: so all factors are 0" in nobody and "score        0.00000000," in nobody


def test_a_rating_with_biases(run, trained):
    """ALS predicts ratings, and the last two columns are the mean with the item's bias, and the user's bias."""
    run("trivet-train", "fit", "--set", "max_items_for_user=30", "--algorithm", "als", "--factors", 3, "--biases",
        env=trained.env)
    number = int(trained.redis_client().get("trivet:live"))
    shown = run("trivet-train", "show", "live", "--user", 3, "--item", 14, "--format", "json", env=trained.env).stdout
    run("trivet-train", "activate", 1, env=trained.env)
    whole = json.loads(shown)
    assert number == 2 and (whole["model"], whole["algorithm"], whole["score_kind"]) == (2, "als", "rating")
    assert [f["factor"] for f in whole["factors"]] == ["1", "2", "3", "item bias", "user bias"]
    assert whole["factors"][3]["user"] == 1 and whole["factors"][4]["item"] == 1
    assert 1 < whole["score"] < 6 and "scale of the ratings" in whole["meaning"]


# --- rows of factors ---------------------------------------------------------------------------------------------


def test_rows_of_item_factors(show, trained):
    _, items, ids = arrays(trained, 3)
    rows = list(csv.reader(io.StringIO(show(1, "--factors", "items", "--limit", 1000, "--format", "csv").stdout)))
    assert rows[0] == ["item_id", "title", "1", "2", "3", "4", "5"]
    assert [int(r[0]) for r in rows[1:]] == list(ids)
    assert (numpy.array([r[2:] for r in rows[1:]], "f8") == items).all()
    assert rows[1][1] == trained.mongo_db().item.find_one({"_id": int(ids[0])})["title"]
    assert len(show(1, "--factors", "items").stdout.splitlines()) == 12


def test_rows_of_user_factors(show, trained):
    rows = json.loads(show("live", "--factors", "users", "--limit", 7, "--format", "json").stdout)
    documents = list(trained.mongo_db().user_1.find().sort("_id", 1).limit(7))
    assert [(r["user_id"], r["row"], r["n"]) for r in rows] == [(d["_id"], d["id"], d["n"]) for d in documents]
    assert [[r[str(f)] for f in range(1, 6)] for r in rows] == [list(decode(d["value"]).astype("f8")) for d in documents]
    everybody = json.loads(show(1, "--factors", "users", "--limit", 1000, "--format", "json").stdout)
    assert len(everybody) == trained.mongo_db().user_1.count_documents({})


# --- the sheet, and what is refused ------------------------------------------------------------------------------


def test_the_sheet_in_every_format(show):
    facts = json.loads(show("live", "--format", "json").stdout)
    assert {"name": "run", "value": "1"} in facts and {"name": "state", "value": "live"} in facts
    assert show(1).stdout.splitlines() == [f"{f['name']:<24} {f['value'] or ''}" for f in facts]
    assert show(1, "--format", "csv").stdout.startswith("name,value\nrun,1\n")


@pytest.mark.parametrize("arguments, code, words", [
    (["x"], 2, ["\"x\" is no model number, nor \"live\""]),
    ([0], 2, ["\"0\" is no model number"]),
    ([1, "--user", 3], 2, ["--user needs --item"]),
    ([1, "--item", 3], 2, ["--item needs --user"]),
    ([1, "--user", 3, "--item", "x"], 2, ["--item is \"x\", which is no id"]),
    ([1, "--user", 3, "--item", 14, "--factors", "items"], 2, ["exclude each other"]),
    ([1, "--factors", "films"], 2, ["users|items"]),
    ([1, "--limit", 3], 2, ["--limit counts the rows of --factors"]),
    ([1, "--user", 77777, "--item", 14], 3, ["no user 77777", "--factors users"]),
    ([1, "--user", 3, "--item", 77777], 3, ["no item 77777", "trivet-etl why item 77777"]),
    ([9, "--user", 3, "--item", 14], 3, ["model 9", "trivet-train models"]),
])
def test_what_is_refused(show, arguments, code, words):
    refused = show(*arguments, check=False)
    assert refused.returncode == code and refused.stdout == ""
    for word in words:
        assert word in refused.stderr, refused.stderr


def test_live_before_anything_is(run, fresh_stores):
    run("trivet-etl", "schema", env=fresh_stores.env)
    for arguments in (["show", "live"], ["show", "live", "--factors", "items"], ["recommend", "live"]):
        refused = run("trivet-train", *arguments, env=fresh_stores.env, check=False)
        assert refused.returncode == 3 and "no model is live yet" in refused.stderr and "trivet-train fit" in refused.stderr


# --- recommend ---------------------------------------------------------------------------------------------------


def test_recommend_everybody(run, trained):
    recommend = lambda *args, **options: run("trivet-train", "recommend", *args, env=trained.env, **options)  # noqa: E731
    text = recommend("live", "--all", "--top", 10, "--format", "csv").stdout
    assert text == recommend(1, "--top", 10).stdout == recommend("--model", 1, "--top", 10).stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    everybody = [d["_id"] for d in trained.mongo_db().user_1.find().sort("_id", 1) if decode(d["seen"]).size]
    assert list(dict.fromkeys(int(r["user_id"]) for r in rows)) == everybody
    as_json = json.loads(recommend("live", "--all", "--top", 10, "--format", "json").stdout)
    assert as_json == [{"user_id": int(r["user_id"]), "rank": int(r["rank"]), "item_id": int(r["item_id"]),
                        "score": float(r["score"])} for r in rows]
    assert json.loads(recommend(1, "--users", 1000, "--format", "json").stdout) == []
    for arguments, word in ((["--all", "--users", 3], "exclude"), ([1, "--model", 1], "named twice"), (["x"], "no model number")):
        refused = recommend(*arguments, check=False)
        assert refused.returncode == 2 and word in refused.stderr


def test_a_full_disk_is_no_success(programs, trained):
    with open("/dev/full", "w") as full:
        done = subprocess.run([programs["trivet-train"], "recommend", "live"], stdout=full, stderr=subprocess.PIPE,
                              text=True, env={**clean_environment(), **trained.env})
    assert done.returncode == 1 and "cannot write to standard output" in done.stderr
