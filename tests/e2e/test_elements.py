"""An element's error is an element's: one user, item or rating that cannot be used is named and counted, and all the rest is
trained, published and served."""

import json

import pytest

from blobs import decode
from test_models import FIT, live, loaded, small_set  # noqa: F401  (fixtures)

LARGEST = 65504  # of float16


def metric(server, name):
    lines = [line for line in server.get("/metrics").text.splitlines() if line.startswith(name + " ")]
    return float(lines[0].split()[1]) if lines else None


def give(stores, user, values):
    """Rows as a load brings them: the scale of ratings ends at the largest."""
    for item, value in values.items():
        stores.psql(f"INSERT INTO trivet.rating (user_id, item_id, value) VALUES ({user}, {item}, '{value}')")


# --- users ----------------------------------------------------------------------------------------------------


@pytest.fixture
def beyond(loaded):  # noqa: F811
    """Three users whose ratings lead beyond float16; 60 others."""
    for user, value in ((17_000, 3e38), (23_000, -3e38), (99_000, 1e9)):
        give(loaded, user, {7: value, 21: value})
    return loaded


def test_users_beyond_float16_get_the_popular_list_and_are_named(run, serve, beyond):
    done = run("trivet-train", *FIT, 5, env=beyond.env)
    assert "3 users are given the popular list" in done.stderr and "17000, 23000, 99000" in done.stderr
    assert "63 users are served" in done.stdout
    there = beyond.mongo_db().user.find_one({"_id": 17_000})
    assert not decode(there["value"]).any() and "beyond float16" in there["why"] and there["n"] == 2
    assert beyond.mongo_db().user.count_documents({"why": {"$exists": True}}) == 3
    assert json.loads(beyond.psql("SELECT counts FROM trivet.run WHERE id = 1"))["users_without_factors"] == 3
    server = serve(beyond)
    stranger = server.get("/recs?user_id=987654321&top=100").json()
    answer = server.get("/recs?user_id=17000&top=100").json()
    assert (answer["reason"], answer["score_kind"]) == ("popular", "count") and "beyond float16" in answer["why"]
    assert answer["items"] != stranger["items"] and "why" not in stranger
    assert [i["id"] for i in answer["items"]] == [i["id"] for i in stranger["items"] if i["id"] not in (7, 21)]
    page = server.get("/recs?user_id=17000", Accept="text/html").text
    assert "This model has no place for what you rated" in page and "beyond float16" in page
    assert server.get("/recs?user_id=5").json()["reason"] == "personal"
    assert metric(server, "trivet_model_users_without_factors") == 3


@pytest.mark.parametrize("words", [["svd"], ["als"], ["als-implicit"]])
def test_a_user_with_the_largest_rating_that_is_learned_from_ends_no_training(run, loaded, words):  # noqa: F811
    give(loaded, 99_000, {7: 1e9})
    done = run("trivet-train", "fit", "--algorithm", *words, "--factors", 5, "--set", "max_items_for_user=60", "--set",
               "min_items_for_user=1", env=loaded.env)
    assert "61 users are served" in done.stdout


def test_a_rating_out_of_all_proportion_is_named_and_not_learned_from(run, loaded):  # noqa: F811
    """With biases the mean of all ratings is in every item: one of a billion leaves no item within float16."""
    fit = ("trivet-train", "fit", "--algorithm", "als", "--biases", "--factors", 5, "--set", "max_items_for_user=60", "--set",
           "min_items_for_user=1")
    learned = run(*fit, env=loaded.env)
    assert "proportion" not in learned.stderr
    give(loaded, 99_000, {7: 1e9})
    done = run(*fit, env=loaded.env)
    assert "1 rating is not learned from, being out of all proportion to the others (user 99000 item 7: 1e+09)" in done.stderr
    assert "61 users are served" in done.stdout and "item factors are beyond" in done.stderr
    assert decode(loaded.mongo_db().user_2.find_one({"_id": 5})["value"]).any()
    assert "beyond float16" in loaded.mongo_db().user_2.find_one({"_id": 99_000})["why"]


def test_they_have_no_list_anywhere(run, beyond):
    run("trivet-train", *FIT, 5, env=beyond.env)
    run("trivet-train", "precompute", env=beyond.env)
    there = list(beyond.mongo_db().user.find())
    assert {d["_id"] for d in there if "top" not in d} == {17_000, 23_000, 99_000}
    rows = run("trivet-train", "recommend", "--top", 3, env=beyond.env).stdout.splitlines()[1:]
    assert {int(r.split(",")[0]) for r in rows} == {d["_id"] for d in there if "top" in d}


def test_they_travel_with_their_reason(run, beyond, tmp_path):
    run("trivet-train", *FIT, 5, env=beyond.env)
    run("trivet-train", "export", "live", tmp_path / "out", env=beyond.env)
    run("trivet-train", "import", tmp_path / "out", "--activate", env=beyond.env)
    db = beyond.mongo_db()
    fields = ("_id", "id", "n", "value", "seen", "rated", "ratings", "why")
    before, after = ([{f: d.get(f) for f in fields} for d in db[f"user_{n}"].find().sort("_id")] for n in (1, 2))
    assert before == after


def test_a_live_list_at_the_end_of_the_scale_stops_no_training(run, serve, beyond):
    beyond.psql("SELECT trivet.known_scale(); UPDATE trivet.load SET high = 1e9")  # as a load with such a value leaves it
    run("trivet-train", *FIT, 5, env=beyond.env)
    server = serve(beyond)
    answer = server.send("POST", "/api/v1/users/5000/ratings", [{"movie_id": 7 * n, "rating": 1e9} for n in range(1, 40)])
    assert (answer.status, answer.json()["counts"]) == (200, "now")
    assert server.get("/recs?user_id=5000").json()["reason"] == "popular"
    assert "beyond float16" in server.get("/recs?user_id=5000").json()["why"]
    assert "4 users are given the popular list" in run("trivet-train", *FIT, 5, env=beyond.env).stderr
    assert live(beyond) == 2
    for item in range(1, 40):  # until the ratings can be used
        server.send("PUT", f"/api/v1/users/5000/ratings/{7 * item}", 4)
    answer = server.get("/recs?user_id=5000").json()
    assert answer["reason"] == "personal" and "why" not in answer  # the second training learned from them
    assert "why" not in beyond.mongo_db().user.find_one({"_id": 5000})


def test_a_user_with_more_ratings_than_a_document_holds_stops_no_training(run, serve, loaded):  # noqa: F811
    loaded.psql("CREATE VIEW public.many AS SELECT userid::bigint, movieid::bigint, rating FROM public.ratings UNION ALL "
                "SELECT 70000, n, (1 + hashint8(n) % 1000 / 1000.0)::real FROM generate_series(1, 2500000) n WHERE n % 7 > 0; "
                "GRANT SELECT ON public.many TO trivet_reader")
    done = run("trivet-train", "fit", "--source", "public.ratings", "--fold-in-source", "public.many", "--factors", 5,
               env=loaded.env)
    assert "61 users are served" in done.stdout and "popular list" not in done.stderr  # test_long_users.py looks closer
    there = loaded.mongo_db().user.find_one({"_id": 70_000})
    assert there["n"] == 2_500_000 - 2_500_000 // 7 and "why" not in there
    server = serve(loaded)
    listed = server.get("/recs?user_id=70000").json()
    assert listed["reason"] == "popular" and "why" not in listed  # none of those items is one of the model
    assert server.get("/recs?user_id=5").json()["reason"] == "personal"
    answer = server.send("PUT", "/api/v1/users/70000/ratings/7", 4)  # it stops no folding in either
    assert answer.status in (200, 202)
    run("trivet-train", "repair", env=loaded.env)
    assert loaded.psql("SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev") == "0"
    assert loaded.mongo_db().user.find_one({"_id": 70_000})["n"] == there["n"] + 1


# --- ratings ---------------------------------------------------------------------------------------------------


def test_one_value_that_is_no_rating_is_not_learned_from(run, serve, loaded):  # noqa: F811
    """User 5 is learned from, but for one loaded value."""
    loaded.psql("UPDATE trivet.rating SET value = 3e38 WHERE user_id = 5 AND item_id = (SELECT max(item_id) FROM trivet.rating "
                "WHERE user_id = 5)")
    done = run("trivet-train", *FIT, 5, env=loaded.env)
    assert "1 rating is not learned from, being beyond 1e+09" in done.stderr and "user 5 item " in done.stderr
    assert "1 user is given the popular list" in done.stderr and "(user 5)" in done.stderr
    server = serve(loaded)
    assert server.get("/recs?user_id=5").json()["reason"] == "popular"
    assert all(server.get(f"/recs?user_id={user}").json()["reason"] == "personal" for user in range(6, 60) if user % 7 == 0)


@pytest.mark.parametrize("algorithm", ["svd", "als", "als-implicit"])
def test_rows_of_a_source_that_are_no_ratings_are_left_out_and_named(run, loaded, algorithm):  # noqa: F811
    loaded.psql("CREATE VIEW public.some AS SELECT userid, movieid, CASE WHEN userid = 3 AND movieid = (SELECT min(movieid) FROM "
                "public.ratings WHERE userid = 3) THEN 'NaN' ELSE rating END AS rating FROM public.ratings "
                "UNION ALL VALUES (4, 90000, 'Infinity'::real), (8, 90000, null), (null, 7, 3), (9, null, 3); "
                "GRANT SELECT ON public.some TO trivet_reader")
    done = run("trivet-train", "fit", "--source", "public.some", "--algorithm", algorithm, "--factors", 5, env=loaded.env)
    assert "5 rows are left out" in done.stderr
    for name in ("user 3 item ", ": nan", "user 4 item 90000: inf", "user 8 item 90000: null", "user 9 item null: 3"):
        assert name in done.stderr
    assert "60 users are served" in done.stdout


# --- items -----------------------------------------------------------------------------------------------------


def test_items_beyond_float16_are_left_out_of_the_model_and_named(run, serve, loaded):  # noqa: F811
    loaded.psql("UPDATE trivet.rating SET value = value * 1e8 WHERE item_id = 21")
    done = run("trivet-train", *FIT, 5, "--sigma", 1, env=loaded.env)
    assert "1 item is left out of the model" in done.stderr and "(item 21)" in done.stderr
    assert "use a smaller --sigma" in done.stderr
    server = serve(loaded)
    for user in range(1, 61):
        assert 21 not in [i["id"] for i in server.get(f"/recs?user_id={user}&top=100").json()["items"]]
    assert server.get("/recs?user_id=5").json()["reason"] == "personal"


def test_items_whose_documents_mongodb_cannot_hold_are_published_without_extra_fields(run, serve, loaded):  # noqa: F811
    loaded.psql("UPDATE trivet.item SET extra = jsonb_build_object('overview', repeat('x', 20000000)) WHERE item_id = 21; "
                "UPDATE trivet.item SET extra = '{\"budget\": 100000000000000000000, \"runtime\": 9223372036854775807, \"overview\": \"y\"}' WHERE item_id = 28; "
                "UPDATE trivet.item SET extra = '{\"overview\": \"z\"}', title = repeat('t', 17000000) WHERE item_id = 35; "
                "UPDATE trivet.item SET extra = '{\"overview\": \"z\"}' WHERE item_id = 42")
    done = run("trivet-train", *FIT, 5, env=loaded.env)
    assert "2 items are published without extra fields" in done.stderr and "(item 21, 35)" in done.stderr
    assert "1 item is not published" in done.stderr and "(item 35)" in done.stderr
    there = {d["_id"]: d for d in loaded.mongo_db()["item"].find()}
    assert there[21]["title"] == "The Film 3 (1953)" and "overview" not in there[21]
    assert (there[28]["budget"], there[28]["runtime"], there[28]["overview"]) == (1e20, 9223372036854775807, "y")
    assert 35 not in there and there[42]["overview"] == "z" and len(there) == 79
    assert serve(loaded).get("/recs?user_id=5").json()["reason"] == "personal"
