"""A user with more ratings than a document of MongoDB holds has a whole document, whose long blobs are in parts: written, read,
replaced, killed in between, repaired, moved and pruned like everybody's."""

import threading
import time

import numpy
import pytest

import breakpoints
from blobs import decode
from markdown import block, names, page, section
from test_models import live, loaded, small_set  # noqa: F401  (fixtures)

FORMATS = page("docs/formats.md")
LONG, N = 70_000, 1_700_000


def give(place, n, add=0):
    """What users are folded in from: for the long one 69 of the model's 80 items, and others whose ids do not compress."""
    place.psql("CREATE OR REPLACE VIEW public.many AS SELECT userid::bigint, movieid::bigint, rating FROM public.ratings UNION ALL "
               f"SELECT {LONG}, CASE WHEN n < 70 THEN n * 7 ELSE n * 1000003::bigint END, (1 + hashint8(n + {add}) % 1000 / "
               f"1000.0)::real FROM generate_series(1, {n}) n; GRANT SELECT ON public.many TO trivet_reader")


@pytest.fixture
def place(run, loaded):  # noqa: F811
    give(loaded, N)
    done = run("trivet-train", "fit", "--source", "public.ratings", "--fold-in-source", "public.many", "--factors", 5, env=loaded.env)
    assert "61 users are served" in done.stdout and "popular list" not in done.stderr
    return loaded


def parts(place, model=1):
    return place.mongo_db()[f"parts_{model}"]


def document(place, model=1):
    return place.mongo_db()[f"user_{model}"].find_one({"_id": LONG})


def arrays(place, model=1):
    """As docs/formats.md reads them."""
    there = {"db": place.mongo_db(), "N": model, "dec": decode, "user": LONG}
    exec(block(section(FORMATS, "### `parts_<N>`"), "python"), there)
    return there["d"], there["arrays"]


def named(there):
    return {i for value in there.values() if isinstance(value, list) for i in value if isinstance(i, str)}


def what_postgres_has(place):
    text = place.psql("SELECT encode(string_agg(int8send(movieid) || float4send(rating), ''::bytea ORDER BY movieid), 'hex') "
                      f"FROM public.many WHERE userid = {LONG}")
    pairs = numpy.frombuffer(bytes.fromhex(text), dtype=[("item", ">i8"), ("rating", ">f4")])
    return pairs["item"].astype("<i8"), pairs["rating"].astype("<f4")


def stored(place):
    return {p["_id"] for p in parts(place).find({}, {"_id": 1})}


def is_whole(place, expected=None):
    """The document is what PostgreSQL says, bit for bit."""
    items, ratings = expected or what_postgres_has(place)
    there, blobs = arrays(place)
    assert there["n"] == len(items) and "why" not in there
    assert blobs["rated"].tobytes() == items.tobytes() and blobs["ratings"].tobytes() == ratings.tobytes()
    of_the_model = decode(place.redis_client().get("trivet:model:{1}:item_ids:0"))
    assert set(of_the_model[blobs["seen"]]) == set(of_the_model) & set(items[items < 1000]) and blobs["value"].any()
    return there


def test_it_is_whole_wherever_it_is_read(run, place, serve):
    there = is_whole(place)
    assert named(there) == stored(place)
    assert [type(there[name]) for name in ("value", "seen", "rated", "ratings")] == [bytes, bytes, list, list]
    assert len(there["rated"]) == 2  # one part does not hold it
    assert names(section(FORMATS, "### `parts_<N>`")) == list(parts(place).find_one())
    assert not any(named(d) for d in place.mongo_db().user_1.find({"_id": {"$ne": LONG}}))
    server = serve(place)
    body = server.get(f"/api/v1/users/{LONG}").json()
    assert (body["n"], body["n_in_model"], len(body["items"]), body["left_off"]) == (N, 69, 100_000, N - 100_000)
    listed = server.get(f"/recs?user_id={LONG}&top=100").json()
    assert listed["reason"] == "folded_in" and {i["id"] for i in listed["items"]} == {7 * n for n in range(70, 81)}
    both = server.send("GET", f"/api/v1/explain?user_id={LONG}&movie_id=525").json(), server.get(
        f"/api/v1/predict?user_id={LONG}&ids=525").json()
    assert both[0]["reason"] == "folded_in" and both[0]["score"] == listed["items"][0]["score"] and both[1]["items"][0]["id"] == 525
    rows = run("trivet-train", "recommend", "--users", LONG, "--top", 20, env=place.env).stdout.splitlines()[1:]
    assert [int(r.split(",")[2]) for r in rows] == [i["id"] for i in listed["items"]]
    run("trivet-train", "precompute", env=place.env)
    assert [i["id"] for i in document(place)["top"]] == [i["id"] for i in listed["items"]]
    assert run("trivet-train", "repair", env=place.env).stdout.endswith("everything agrees: model 1 is live\n")


def rate_and_wait(server, place, item, stars):
    assert server.send("PUT", f"/api/v1/users/{LONG}/ratings/{item}", stars).status in (200, 202)
    end = time.monotonic() + 90
    while place.psql("SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev") != "0":
        assert time.monotonic() < end
        time.sleep(0.2)


def test_ratings_replace_the_parts_under_readers(run, place, serve):
    server, answers, stop = serve(place), [], threading.Event()

    def read():
        while not stop.is_set():
            answers.append(server.get(f"/recs?user_id={LONG}&top=100"))

    reader = threading.Thread(target=read)
    reader.start()
    before = named(document(place))
    rate_and_wait(server, place, 490, 4)
    stop.set()
    reader.join()
    assert {a.status for a in answers} == {200} and {a.json()["reason"] for a in answers} == {"folded_in"}
    lists = {tuple(sorted(i["id"] // 7 for i in a.json()["items"])) for a in answers}
    assert lists <= {tuple(range(n, 81)) for n in (70, 71)} and tuple(range(70, 81)) in lists
    there = is_whole(place)
    assert there["n"] == N + 1 and there["rev"] == 1 and not before & named(there) and named(there) == stored(place)
    give(place, 100)  # an ordinary user again
    rate_and_wait(server, place, 497, 4)
    assert is_whole(place)["n"] == 102 and not stored(place)


def test_kills_between_parts_and_document_and_a_part_that_is_lost(programs, run, place):
    def wait_again():
        place.psql(f"INSERT INTO trivet.user_change AS c (user_id, rev, xid) VALUES ({LONG}, 1, pg_current_xact_id()) "
                   "ON CONFLICT (user_id) DO UPDATE SET rev = c.rev + 1")

    old, first = [arrays(place)[1][name] for name in ("rated", "ratings")], stored(place)
    give(place, N, add=1)
    new = what_postgres_has(place)
    wait_again()
    breakpoints.at("tv_mongo_update_newer_all", programs["trivet-train"], "repair", env=place.env)
    assert stored(place) > first == named(is_whole(place, old))  # the new parts are there, and nobody knows
    breakpoints.at("tv_user_parts_tidy", programs["trivet-train"], "repair", env=place.env)
    assert stored(place) > first and not first & named(is_whole(place, new))  # the old ones are
    run("trivet-train", "repair", env=place.env)
    assert named(is_whole(place, new)) == stored(place)
    parts(place).delete_one({"_id": document(place)["rated"][1]})
    done = run("trivet-train", "repair", env=place.env)
    assert "1 could not be read, 0 were not what their ratings make of them): folded in" in done.stderr and named(is_whole(place, new)) == stored(place)
    assert run("trivet-train", "repair", env=place.env).stdout.endswith("everything agrees: model 1 is live\n")


def test_it_travels_and_goes_with_its_model(run, place, tmp_path):
    before = arrays(place)[1]
    run("trivet-train", "export", "live", tmp_path / "out", env=place.env)
    run("trivet-train", "import", tmp_path / "out", "--activate", env=place.env)
    after = arrays(place, 2)[1]
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)
    assert not named(document(place)) & named(document(place, 2))
    for factors in (2, 3, 4):
        run("trivet-train", "fit", "--source", "public.ratings", "--factors", factors, env=place.env)
    assert {n for n in place.mongo_db().list_collection_names() if n.startswith("parts_")} == set()
    place.mongo_db().parts_1.insert_one({"_id": "x"})
    run("trivet-train", "repair", env=place.env)
    assert "parts_1" not in place.mongo_db().list_collection_names()


def test_it_is_forgotten_and_forgets(run, place):
    """An item goes out of the parts of every document; then a user with all parts."""
    before = arrays(place)[1]
    assert 7 in before["rated"]
    run("trivet-etl", "forget", "item", 7, env=place.env)
    after = arrays(place, 2)[1]
    keep = before["rated"] != 7
    assert after["rated"].tobytes() == before["rated"][keep].tobytes() and after["ratings"].tobytes() == before["ratings"][keep].tobytes()
    assert named(document(place, 2)) == {p["_id"] for p in parts(place, 2).find({}, {"_id": 1})}
    run("trivet-etl", "forget", "user", LONG, env=place.env)
    assert document(place, 2) is None and parts(place, 2).count_documents({}) == 0
    assert "parts_1" not in place.mongo_db().list_collection_names()
