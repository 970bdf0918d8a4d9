"""trivet-train export and import: a folder that numpy reads, and a model that answers the same in another trivet."""

import csv
import json
import shlex
import shutil
import subprocess

import numpy
import pytest
from blobs import decode
from breakpoints import at
from dataset_texts import untitled
from markdown import block, code, page, rows, section
from rating_sets import like_movielens
from server import until
from test_load import write
from test_models import small_set  # noqa: F401

ARRAYS = {"item_ids": ("<i8", 1), "item_factors": ("<f2", 2), "singular_values": ("<f8", 1), "user_ids": ("<i8", 1),
          "user_rows": ("<i4", 1), "user_factors": ("<f2", 2), "rated_start": ("<i8", 1), "rated_items": ("<i8", 1),
          "ratings": ("<f4", 1)}
TERMINATE = "shell pkill -TERM -x -P $PPID trivet-train"  # of gdb's own child
FILES = {"model.json", "checksums.csv", "items.csv", "items.jsonl", "users.csv", *(f"{name}.npy" for name in ARRAYS)}


@pytest.fixture(scope="module")
def origin(run, servers, small_set):  # noqa: F811
    """Two models, 2 live; users beyond 30 ratings are folded in, user 1000 rated nothing of the model."""
    place = servers.place()
    run("trivet-etl", "load", small_set, env=place.env)
    place.psql("INSERT INTO trivet.rating (user_id, item_id, value) VALUES (1000, 123456, 3), (-5, 7, 2)")
    for factors in (3, 5):
        run("trivet-train", "fit", "--set", "max_items_for_user=30", "--factors", factors, env=place.env)
    return place


@pytest.fixture(scope="module")
def folder(run, origin, tmp_path_factory):
    """Model 2, exported. Read only."""
    folder = tmp_path_factory.mktemp("export") / "model"
    done = run("trivet-train", "export", "live", folder, env=origin.env)
    assert done.stdout.startswith(f"model 2 is in {folder}: {len(FILES)} files, ")
    return folder


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.fixture
def elsewhere(run, fresh_stores):
    """Stores of another trivet: the schema, and nothing else."""
    run("trivet-etl", "schema", env=fresh_stores.env)
    return fresh_stores


@pytest.fixture(scope="module")
def empty(run, servers):
    """The same for all folders that are refused: nothing is ever written there but failed runs."""
    place = servers.place()
    run("trivet-etl", "schema", env=place.env)
    return place


def read(folder, name):
    return numpy.load(folder / f"{name}.npy", allow_pickle=False)


# --- the folder --------------------------------------------------------------------------------------------------


def test_numpy_reads_what_the_stores_hold(origin, folder):
    assert {p.name for p in folder.iterdir()} == FILES
    for name, (dtype, dims) in ARRAYS.items():
        assert (read(folder, name).dtype.str, read(folder, name).ndim) == (dtype, dims), name
    redis, key = origin.redis_client(), "trivet:model:{2}:"
    for name, stored in (("item_ids", "item_ids:0"), ("item_factors", "item_factors:0"), ("singular_values",) * 2):
        assert (read(folder, name) == decode(redis.get(key + stored))).all()
    users = list(origin.mongo_db().user_2.find().sort("_id", 1))
    assert list(read(folder, "user_ids")) == [u["_id"] for u in users]
    assert list(read(folder, "user_rows")) == [-1 if u["id"] is None else u["id"] for u in users]
    assert (read(folder, "user_factors") == numpy.array([decode(u["value"]) for u in users])).all()
    start, items, ratings = (read(folder, name) for name in ("rated_start", "rated_items", "ratings"))
    assert start[0] == 0 and start[-1] == len(items) == len(ratings)
    for i, u in enumerate(users):
        assert list(items[start[i]:start[i + 1]]) == list(decode(u["rated"]))
        assert list(ratings[start[i]:start[i + 1]]) == list(decode(u["ratings"]))


def test_the_tables_follow_the_rows_of_the_arrays(origin, folder):
    items = list(csv.DictReader(open(folder / "items.csv", newline="")))
    assert [int(i["item_id"]) for i in items] == list(read(folder, "item_ids"))
    document = origin.mongo_db().item.find_one({"_id": int(items[0]["item_id"])})
    assert items[0]["title"] == document["title"] and items[0]["genres"] == "|".join(document["genres"])
    assert (int(items[0]["year"]), int(items[0]["n"])) == (document["year"], document["n"])
    assert numpy.float32(items[0]["mean"]) == numpy.float32(document["mean"])
    users = list(csv.DictReader(open(folder / "users.csv", newline="")))
    assert [int(u["user_id"]) for u in users] == list(read(folder, "user_ids"))
    assert [int(u["row"] or -1) for u in users] == list(read(folder, "user_rows"))
    assert [int(u["n"]) for u in users] == list(numpy.diff(read(folder, "rated_start")))
    assert [json.loads(line) for line in open(folder / "items.jsonl")] == list(origin.mongo_db().item.find().sort("_id", 1))


def test_the_description(origin, folder):
    whole = json.loads((folder / "model.json").read_text())
    assert (whole["format"], whole["version"]) == ("trivet model", 1)
    stored = origin.mongo_db().model_2.find_one({"_id": "description"})
    assert whole["model"] == {name: value for name, value in stored.items() if name not in ("_id", "dataset")}
    assert whole["model"]["score"] == "relevance"
    row = json.loads(origin.psql("SELECT row_to_json(r) FROM trivet.run r WHERE id = 2"))
    assert whole["run"].items() <= row.items() and whole["run"]["command"].startswith("trivet-train fit")


def test_users_who_came_since_the_training_leave_with_it(run, serve, servers, elsewhere, small_set, tmp_path):  # noqa: F811
    """They have documents that the description did not count; elsewhere they are users like all others."""
    place = servers.place()
    run("trivet-etl", "load", small_set, env=place.env)
    run("trivet-train", "fit", "--factors", 3, env=place.env)
    served = place.mongo_db().user_1.count_documents({})
    server = serve(place)
    for user in (7777, 8888):
        assert server.send("PUT", f"/api/v1/users/{user}/ratings/14", {"rating": 4}).status == 200
    until(lambda: place.mongo_db().user_1.count_documents({}) == served + 2)
    run("trivet-train", "export", "live", tmp_path / "model", env=place.env)
    assert {7777, 8888} < set(read(tmp_path / "model", "user_ids")) and len(read(tmp_path / "model", "user_ids")) == served + 2
    assert json.loads((tmp_path / "model/model.json").read_text())["model"]["users"] == served + 2
    run("trivet-train", "import", tmp_path / "model", "--activate", env=elsewhere.env)
    there = elsewhere.mongo_db()
    assert there.user_1.count_documents({}) == there.model_1.find_one({"_id": "description"})["users"] == served + 2
    assert "documents" not in run("trivet-train", "repair", env=elsewhere.env).stderr


def test_an_item_without_a_document_has_a_line(run, origin, tmp_path):
    """After another load the documents may be those of other items; the lines still follow the factors."""
    lost = origin.catalogue().find_one_and_delete({"_id": 7 * 2})
    try:
        run("trivet-train", "export", 2, tmp_path / "model", env=origin.env)
    finally:
        origin.catalogue().insert_one(lost)
    items = list(csv.DictReader(open(tmp_path / "model/items.csv", newline="")))
    assert [int(i["item_id"]) for i in items] == list(read(tmp_path / "model", "item_ids"))
    assert [i["item_id"] for i in items if not i["title"]] == ["14"]


def test_what_stands_there_is_safe(run, origin, folder, tmp_path):
    place = tmp_path / "there"
    export = lambda *args: run("trivet-train", "export", 1, place, *args, env=origin.env, check=False)  # noqa: E731
    place.mkdir()
    assert export().returncode == 0 and {p.name for p in place.iterdir()} <= FILES
    refused = export()
    assert refused.returncode == 3 and "is not empty" in refused.stderr and "--force" in refused.stderr
    assert export("--force").returncode == 0 and json.loads((place / "model.json").read_text())["model"]["number"] == 1
    (place / "thesis.txt").write_text("years of work")
    refused = export("--force")
    assert refused.returncode == 3 and "thesis.txt, which no export wrote" in refused.stderr
    assert (place / "thesis.txt").exists() and [p.name for p in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize("arguments, code, word", [
    (["x", "d"], 2, "no model number"), ([9, "d"], 3, "trivet-train models"), ([1, "."], 2, "does not name a folder"),
    ([1, "no/such/d"], 1, "cannot make no/such/d.partial"), ([1], 2, "export")])
def test_exports_that_are_refused(run, origin, tmp_path, arguments, code, word):
    refused = run("trivet-train", "export", *arguments, env=origin.env, check=False, cwd=tmp_path)
    assert refused.returncode == code and word in refused.stderr, refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_killed_export_leaves_no_folder_and_no_trace_after_the_next(programs, run, origin, tmp_path):
    at("tv_folder_publish", programs["trivet-train"], "export", 2, tmp_path / "d", env=origin.env)
    assert [p.name for p in tmp_path.iterdir()] == ["d.partial"]
    run("trivet-train", "export", 2, tmp_path / "d", env=origin.env)
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


def test_an_export_that_is_interrupted_leaves_nothing(programs, origin, tmp_path):
    done = at("tv_export_users", programs["trivet-train"], "export", 2, tmp_path / "d", env=origin.env, do=TERMINATE)
    assert "interrupted" in done.stdout + done.stderr and list(tmp_path.iterdir()) == []


def test_the_page_of_formats(folder):
    text = section(page("docs/formats.md"), "## A model as a folder")
    files, fields = text.split("`model.json`:")
    types = {code(cells[0])[0]: code(cells[1]) for cells in rows(files)}
    assert types == {name: [ARRAYS[name[:-4]][0]] if name.endswith(".npy") else [] for name in FILES}
    columns = {code(cells[0])[0]: code(cells[2]) for cells in rows(files) if cells[1] == "CSV"}
    for name, documented in columns.items():
        assert (folder / name).read_text().splitlines()[0].split(",") == documented, name
    whole = json.loads((folder / "model.json").read_text())
    documented = {code(cells[0])[0]: code(cells[1]) for cells in rows(fields)}
    assert set(documented) == set(whole) and set(documented["run"]) - {"trivet.run"} == set(whole["run"])


def test_the_notebook_of_formats(run, origin, folder):
    script = block(section(page("docs/formats.md"), "## A model as a folder"), "python")
    done = subprocess.run(["/usr/bin/python3", "-c", script], cwd=folder.parent, capture_output=True, text=True)
    lists = run("trivet-train", "recommend", 2, "--users", 10, "--top", 10, env=origin.env).stdout.splitlines()[1:]
    titles = {str(d["_id"]): d["title"] for d in origin.mongo_db().item.find()}
    told = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert [float(score) for score, _ in told] == pytest.approx([float(r.split(",")[3]) for r in lists], abs=2e-4), done.stderr
    assert {title for _, title in told} == {titles[r.split(",")[2]] for r in lists}


# --- and back ----------------------------------------------------------------------------------------------------


def answers(server, place, number):
    """What everybody is told, unknown users too, byte for byte but for the model's number."""
    users = [u["_id"] for u in place.mongo_db()[f"user_{number}"].find({}, {"_id": 1}).sort("_id", 1)]
    told = []
    for user in [*users, 424242]:
        answer = server.get(f"/recs?user_id={user}&top=100&model={number}")
        assert answer.status == 200 and b'"model":%d,' % number in answer.body
        told.append(answer.body.replace(b'"model":%d,' % number, b""))
    return told


def test_another_trivet_answers_the_same(run, serve, origin, elsewhere, folder):
    for _ in range(2):  # the second number is another than the origin's
        done = run("trivet-train", "import", folder, "--activate", env=elsewhere.env)
    assert done.stdout == "model 2 is live: 5 factors, 80 items; 62 users are served\n"
    run("trivet-train", "import", folder, "--activate", env=elsewhere.env)
    there, here = serve(elsewhere), serve(origin)
    expected = answers(here, origin, 2)
    assert len(expected) == 63 and answers(there, elsewhere, 3) == expected
    assert elsewhere.redis_client().get("trivet:live") == b"3"
    descriptions = [next(m for m in server.get("/api/v1/models").json()["models"] if m["number"] == number)["description"]
                    for server, number in ((here, 2), (there, 3))]
    assert descriptions[0] == descriptions[1]
    view = next(elsewhere.mongo_db().list_collections(filter={"name": "user"}))
    assert view["options"]["viewOn"] == "user_3"
    stored = [[{k: v for k, v in d.items()} for d in db.find().sort("_id", 1)]
              for db in (origin.mongo_db().user_2, elsewhere.mongo_db().user_3)]
    assert stored[0] == stored[1]


def test_an_import_that_is_kept_waits_with_its_items(run, elsewhere, origin, folder):
    done = run("trivet-train", "import", folder, env=elsewhere.env)
    assert "model 1 is kept" in done.stdout and "trivet-train activate 1" in done.stderr
    assert elsewhere.redis_client().get("trivet:live") is None
    assert "no model is live yet" in run("trivet-train", "repair", env=elsewhere.env).stdout
    assert "model 1 is live" in run("trivet-train", "activate", 1, env=elsewhere.env).stdout
    assert list(elsewhere.mongo_db().item.find().sort("_id", 1)) == list(origin.mongo_db().item.find().sort("_id", 1))
    left = {n for n in elsewhere.mongo_db().list_collection_names() if n.startswith("catalogue")}
    assert left == {elsewhere.catalogue().name}


def test_the_journal_knows_where_it_came_from(run, elsewhere, origin, folder):
    run("trivet-train", "import", folder, env=elsewhere.env)
    row = json.loads(elsewhere.psql("SELECT row_to_json(r) FROM trivet.run r"))
    first = json.loads(origin.psql("SELECT row_to_json(r) FROM trivet.run r WHERE id = 2"))
    for name in ("algorithm", "filter", "source", "data", "counts"):
        assert row[name] == first[name], name
    assert row["parameters"] == {**first["parameters"], "imported_from": str(folder.resolve()), "imported_number": 2}
    assert shlex.split(row["command"]) == ["trivet-train", "import", str(folder.resolve())] and row["fingerprint"] is None
    listed = run("trivet-train", "models", env=elsewhere.env).stdout.splitlines()[1].split()
    assert listed[:2] == ["1", "kept"]


def test_a_model_of_other_data_is_refused(run, elsewhere, tmp_path):
    """By its titles, also where the data set of its name is away; as a load is."""
    def load(title, name):
        folder = like_movielens(tmp_path / title, [(user, item, 1 + user * item % 5, 1000) for user in range(1, 31) for item in range(1, 25)
                                                   if (user + item) % 3], [(item, f"{title} {item} (1990)", "Drama") for item in range(1, 25)])
        run("trivet-etl", "load", folder, "--name", name, env=elsewhere.env)

    def command():
        return shlex.split(elsewhere.psql("SELECT command FROM trivet.run ORDER BY id DESC LIMIT 1"))

    def taken_in(*flags, check=True):
        return run("trivet-train", "import", tmp_path / "model", *flags, env=elsewhere.env, check=check)

    load("Red", "films")
    run("trivet-train", "fit", "--factors", 2, "--set", "max_items_for_user=1000", env=elsewhere.env)
    run("trivet-train", "export", "live", tmp_path / "model", env=elsewhere.env)
    taken_in()
    elsewhere.psql("UPDATE trivet.item SET title = replace(title, 'Red', 'red') WHERE item_id < 20; "
                   "UPDATE trivet.item SET title = 'The ' || title WHERE item_id < 13")
    taken_in("--activate")
    elsewhere.psql("UPDATE trivet.item SET title = 'Blue ' || item_id WHERE item_id < 14")
    runs = "SELECT count(*), max(id) FROM trivet.run"
    before = elsewhere.psql(runs), sorted(elsewhere.mongo_db().list_collection_names())
    for place in ("current", "away"):
        refused = taken_in("--activate", check=False)
        assert refused.returncode == 3 and "a data set films is there already, and 13 of the 24 items" in refused.stderr, refused.stderr
        assert "--name NAME" in refused.stderr and "--same" in refused.stderr
        assert (elsewhere.psql(runs), sorted(elsewhere.mongo_db().list_collection_names())) == before
        if place == "current":
            load("Green", "shop")
    taken_in("--name", "more films")
    assert elsewhere.psql("SELECT d.name, r.data ->> 'dataset' FROM trivet.run r JOIN trivet.dataset d ON d.id = r.dataset ORDER BY r.id DESC "
                          "LIMIT 1") == "more films|more films"
    assert command() == ["trivet-train", "import", str(tmp_path / "model"), "--name", "more films"]
    assert taken_in("--name", "shop", check=False).returncode == 3
    taken_in("--same")
    assert elsewhere.psql("SELECT d.name FROM trivet.run r JOIN trivet.dataset d ON d.id = r.dataset ORDER BY r.id DESC LIMIT 1") == "films"
    assert command() == ["trivet-train", "import", str(tmp_path / "model"), "--same"]


def test_a_model_of_other_data_without_titles_is_refused(run, elsewhere, tmp_path):
    """By what its users rated: ids are the same small numbers there and here."""
    def load(seed, name, *flags, **how):
        run("trivet-etl", "load", write(tmp_path / "data", ratings=untitled(seed, **how)), "--name", name, *flags, env=elsewhere.env)

    def taken_in(*flags, check=True):
        return run("trivet-train", "import", tmp_path / "model", *flags, env=elsewhere.env, check=check)

    load(1, "data")
    run("trivet-train", "fit", "--factors", 2, "--set", "max_items_for_user=1000", env=elsewhere.env)
    run("trivet-train", "export", "live", tmp_path / "model", env=elsewhere.env)
    taken_in()
    elsewhere.psql("DELETE FROM trivet.rating WHERE user_id % 2 = 0")
    taken_in()
    for seed, how in ((2, {}), (2, {"users": range(201, 281)}), (3, {"id": "c{}"})):
        load(seed, "data", "--same", **how)
        for place in ("current", "away"):
            before = elsewhere.psql("SELECT count(*), max(id) FROM trivet.run"), sorted(elsewhere.mongo_db().list_collection_names())
            refused = taken_in("--activate", check=False)
            assert refused.returncode == 3 and "a data set data is there already, and of " in refused.stderr, refused.stderr
            assert "the model is of other data" in refused.stderr and "--name NAME" in refused.stderr and "--same" in refused.stderr
            assert before == (elsewhere.psql("SELECT count(*), max(id) FROM trivet.run"), sorted(elsewhere.mongo_db().list_collection_names()))
            if place == "current":
                load(4, "shop", "--same")
        run("trivet-etl", "datasets", "use", "data", env=elsewhere.env)
    taken_in("--name", "more")
    taken_in("--same")
    # One without rows has nothing that could be mixed with the model.
    elsewhere.psql("DELETE FROM trivet.rating")
    taken_in()


def test_other_data_under_the_name_of_a_model_from_elsewhere_is_refused(run, elsewhere, folder, tmp_path):
    """Where only the model has titles: by a load, and by another model. What the data set is dropped with goes, too."""
    run("trivet-train", "import", folder, "--name", "films", env=elsewhere.env)
    other = like_movielens(tmp_path / "other", [(user, 7 * item, 1 + user * item % 5, 1000) for user in range(1, 31) for item in range(1, 31)
                                                if (user + item) % 3], [(7 * item, f"Tin {item} (1990)", "Drama") for item in range(1, 31)])
    refused = run("trivet-etl", "load", other, "--name", "films", env=elsewhere.env, check=False)
    assert refused.returncode == 3 and "a data set films is there already, and 30 of the 30 items" in refused.stderr, refused.stderr
    run("trivet-etl", "load", other, "--name", "tins", env=elsewhere.env)
    run("trivet-train", "fit", "--factors", 2, "--set", "max_items_for_user=1000", env=elsewhere.env)
    run("trivet-train", "export", "live", tmp_path / "tins", env=elsewhere.env)
    refused = run("trivet-train", "import", tmp_path / "tins", "--name", "films", env=elsewhere.env, check=False)
    assert refused.returncode == 3 and "the model is of other data" in refused.stderr, refused.stderr
    run("trivet-train", "import", folder, "--name", "films", env=elsewhere.env)
    # The item is forgotten with all that is known of it; the current data set is that of the load.
    run("trivet-train", "import", tmp_path / "tins", env=elsewhere.env)
    titles = "SELECT count(*) FROM trivet.imported_title t JOIN trivet.dataset d ON d.id = t.dataset WHERE d.name = 'tins' AND t.item_id = 14"
    assert elsewhere.psql(titles) == "1"
    run("trivet-etl", "forget", "item", "14", env=elsewhere.env)
    assert elsewhere.psql(titles) == "0"
    run("trivet-etl", "datasets", "drop", "films", env=elsewhere.env)
    assert elsewhere.psql("SELECT count(*) FROM trivet.imported_title t WHERE NOT EXISTS (SELECT FROM trivet.dataset d WHERE d.id = t.dataset)") == "0"
    run("trivet-etl", "load", other, "--name", "films", env=elsewhere.env)


def test_codes_of_a_model_belong_to_its_data_set(run, elsewhere, tmp_path):
    """Also while that is away: the same number may mean somebody else in the one that is loaded."""
    def load(name, user):
        folder = like_movielens(tmp_path / name, [(f"{user}-{u}", f"{name}-{i}", 1 + u * i % 5, 1000) for u in range(1, 21) for i in range(1, 11)
                                                  if (u + i) % 3], [(f"{name}-{i}", f"{name} {i}", "Drama") for i in range(1, 11)])
        run("trivet-etl", "load", folder, env=elsewhere.env)

    codes = "SELECT string_agg(DISTINCT split_part(code, '-', 1), ' ') FROM trivet.code"
    load("books", "ann")
    run("trivet-train", "fit", "--factors", 2, "--set", "min_users_for_item=1", env=elsewhere.env)
    run("trivet-train", "export", "live", tmp_path / "model", env=elsewhere.env)
    load("tools", "bob")
    before = elsewhere.psql("SELECT * FROM trivet.code ORDER BY 1, 2")
    run("trivet-train", "import", tmp_path / "model", env=elsewhere.env)
    run("trivet-train", "import", tmp_path / "model", "--name", "new", env=elsewhere.env)
    assert elsewhere.psql("SELECT * FROM trivet.code ORDER BY 1, 2") == before
    again = run("trivet-train", "import", tmp_path / "model", "--name", "tools", env=elsewhere.env, check=False)
    assert again.returncode == 3 and "has ids that mean others" in again.stderr
    for name, number, users in (("books", 2, "ann"), ("new", 3, "ann"), ("tools", None, "bob")):
        if number:
            run("trivet-train", "activate", number, env=elsewhere.env)
        else:
            run("trivet-etl", "datasets", "use", name, env=elsewhere.env)
        assert elsewhere.psql(codes) == f"{users} {name if number != 3 else 'books'}"
        assert elsewhere.psql("SELECT count(*), count(DISTINCT (kind, id)), count(DISTINCT (kind, code)) FROM trivet.code") == "30|30|30"


def test_an_algorithm_with_other_parameters(run, serve, servers, elsewhere, small_set, tmp_path):  # noqa: F811
    """ALS has no singular values, but lambda and biases, with which users are folded in."""
    place = servers.place()
    run("trivet-etl", "load", small_set, env=place.env)
    run("trivet-train", "fit", "--algorithm", "als", "--factors", 3, "--biases", "--lambda", "0.07", env=place.env)
    run("trivet-train", "export", 1, tmp_path / "als", env=place.env)
    assert {p.name for p in (tmp_path / "als").iterdir()} == FILES - {"singular_values.npy"}
    run("trivet-train", "import", tmp_path / "als", "--activate", env=elsewhere.env)
    hashes = [there.redis_client().hgetall("trivet:model:{1}") for there in (place, elsewhere)]
    assert json.loads(hashes[0].pop(b"description")) == json.loads(hashes[1].pop(b"description"))
    assert hashes[0] == hashes[1] and hashes[0][b"lambda"].startswith(b"0.07") and hashes[0][b"biases"] == b"1"
    assert answers(serve(elsewhere), elsewhere, 1) == answers(serve(place), place, 1)


def test_an_import_exports_the_same_files(run, elsewhere, folder, tmp_path):
    run("trivet-train", "import", folder, env=elsewhere.env)
    run("trivet-train", "export", 1, tmp_path / "again", env=elsewhere.env)
    for name in FILES - {"model.json", "checksums.csv"}:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


def test_three_models_are_kept(run, elsewhere, folder):
    run("trivet-train", "import", folder, "--activate", env=elsewhere.env)
    for _ in range(4):
        run("trivet-train", "import", folder, env=elsewhere.env)
    kept = elsewhere.psql("SELECT id FROM trivet.run WHERE state IN ('live', 'kept') ORDER BY 1").split()
    assert kept == ["1", "3", "4", "5"]


# --- kills -------------------------------------------------------------------------------------------------------


def what_is_stored(stores):
    names = {n for n in stores.mongo_db().list_collection_names() if n.split("_")[0] in ("user", "parts", "model", "item", "catalogue")}
    return names, stores.redis_client().dbsize()


@pytest.mark.parametrize("function", ["tv_import_users", "tv_model_write_redis", "tv_run_complete"])
def test_a_killed_import_leaves_nothing(programs, run, elsewhere, folder, function):
    at(function, programs["trivet-train"], "import", folder, "--activate", env=elsewhere.env)
    assert elsewhere.redis_client().get("trivet:live") is None
    assert elsewhere.psql("SELECT state FROM trivet.run") == "building"
    repaired = run("trivet-train", "repair", env=elsewhere.env)
    assert "model 1 was never finished: deleted" in repaired.stderr
    assert what_is_stored(elsewhere) == (set(), 0)
    assert elsewhere.psql("SELECT state FROM trivet.run") == "failed"


def test_killed_before_and_after_the_switch(programs, run, elsewhere, folder):
    run("trivet-train", "import", folder, "--activate", env=elsewhere.env)
    at("tv_model_switch", programs["trivet-train"], "import", folder, "--activate", env=elsewhere.env)
    assert elsewhere.redis_client().get("trivet:live") == b"1"
    assert "model 1 is live" in run("trivet-train", "repair", env=elsewhere.env).stdout
    at("tv_mongo_point_view", programs["trivet-train"], "import", folder, "--activate", env=elsewhere.env)
    assert elsewhere.redis_client().get("trivet:live") == b"3"
    assert "model 3 is live" in run("trivet-train", "repair", env=elsewhere.env).stdout


def test_an_import_that_is_interrupted_undoes_itself(programs, elsewhere, folder):
    done = at("tv_import_users", programs["trivet-train"], "import", folder, env=elsewhere.env, do=TERMINATE)
    assert "interrupted" in done.stdout + done.stderr
    assert what_is_stored(elsewhere) == (set(), 0)
    assert elsewhere.psql("SELECT state FROM trivet.run") == "failed"


# --- folders that are refused ------------------------------------------------------------------------------------


def refused(run, stores, folder, *words, code=3):
    """The import says what is wrong and has written nothing, not even into the journal."""
    done = run("trivet-train", "import", folder, env=stores.env, check=False)
    assert done.returncode == code, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert what_is_stored(stores) == (set(), 0)
    assert stores.psql("SELECT count(*) FROM trivet.run WHERE state <> 'failed'") == "0"


def test_damaged_and_missing_files(run, empty, copy):
    for name in sorted(FILES - {"checksums.csv"}):
        path, whole = copy / name, (copy / name).read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        refused(run, empty, copy, f"{name} is damaged", "export the model again")
        path.write_bytes(whole[:-1])
        refused(run, empty, copy, f"{name} has {len(whole) - 1} bytes, but {len(whole)} were written")
        path.unlink()
        refused(run, empty, copy, f"{name} is missing")
        path.write_bytes(whole)


def test_damaged_lists_of_files(run, empty, copy, tmp_path):
    sums = copy / "checksums.csv"
    lines = sums.read_text().splitlines(keepends=True)
    for text, word in (("", "does not begin with"), ("".join(lines[:-1]), "does not list ratings.npy"),
                       ("".join(lines)[:-1], "checksums.csv is damaged"),
                       (lines[0] + "../../etc/passwd,1,0\n", "checksums.csv is damaged"),
                       (lines[0] + "model.json\n", "checksums.csv is damaged")):
        sums.write_text(text)
        refused(run, empty, copy, word)
    sums.unlink()
    refused(run, empty, copy, "checksums.csv", "is", "a whole folder of trivet-train export?")
    refused(run, empty, tmp_path / "nowhere", "checksums.csv")


def seal(folder):
    """Checksums that fit, as somebody would make who changes files by hand."""
    lines = ["file,bytes,fnv1a\n"]
    for path in sorted(folder.iterdir()):
        if path.name != "checksums.csv":
            hash = 14695981039346656037
            for byte in path.read_bytes():
                hash = (hash ^ byte) * 1099511628211 & 0xFFFFFFFFFFFFFFFF
            lines.append(f"{path.name},{path.stat().st_size},{hash:016x}\n")
    (folder / "checksums.csv").write_text("".join(lines))


def changed(name, change):
    """A change of one array, kept in its type."""
    def apply(folder):
        array = read(folder, name)
        numpy.save(folder / f"{name}.npy", numpy.asarray(change(array.copy()), array.dtype))
    return apply


def put(index, value):
    def change(array):
        array[index] = value
        return array
    return change


def described(**fields):
    def apply(folder):
        whole = json.loads((folder / "model.json").read_text())
        whole.update({k: v for k, v in fields.items() if k in whole})
        whole["model"].update({k: v for k, v in fields.items() if k not in whole})
        (folder / "model.json").write_text(json.dumps(whole))
    return apply


def text(name, content):
    return lambda folder: (folder / name).write_text(content)


@pytest.mark.parametrize("change, words, code", [
    (changed("item_factors", lambda a: a[:, :4]), ["item_factors.npy is (80, 4)"], 3),
    (changed("item_factors", lambda a: a * 2), ["checksum of model 2"], 3),
    (changed("item_ids", lambda a: a[::-1]), ["do not ascend"], 3),
    (lambda f: numpy.save(f / "item_ids.npy", read(f, "item_ids").astype("f8")), ["item_ids.npy holds <f8"], 3),
    (lambda f: numpy.save(f / "user_factors.npy", numpy.asfortranarray(read(f, "user_factors"))), ["fortran_order"], 3),
    (lambda f: (f / "singular_values.npy").unlink(), ["checksum of model 2"], 3),
    (changed("user_ids", put(3, -100)), ["user_ids.npy: user -100 does not come after"], 3),
    (changed("user_ids", lambda a: a[:-1]), ["user_ids.npy has 61 rows where 62 belong"], 3),
    (changed("user_rows", put(0, -2)), ["row below -1"], 3),
    (changed("user_factors", put((5, 0), numpy.inf)), ["factor that is not finite"], 3),
    (changed("user_factors", lambda a: a[:, :4]), ["user_factors.npy has 4 columns"], 3),
    (changed("rated_start", put(0, 1)), ["rated_start.npy does not begin with 0"], 3),
    (changed("rated_start", put(2, 10 ** 15)), ["beyond them"], 3),
    (changed("rated_start", put(5, 0)), ["rated_start.npy"], 3),
    (changed("rated_start", put(-1, 5)), ["rated_start.npy"], 3),
    (changed("rated_items", put(slice(1, 9), 3)), ["rated items that do not ascend"], 3),
    (changed("ratings", put(4, numpy.nan)), ["rating that is not finite"], 3),
    (lambda f: (f / "items.jsonl").write_text((f / "items.jsonl").read_text().splitlines()[0] + "\nno json\n"),
     ["items.jsonl, line 2"], 3),
    (text("model.json", "{"), ["model.json, line"], 3),
    (text("model.json", "{}"), ["model.json is no description"], 3),
    (described(version=2), ["has version 2", "newer trivet"], 3),
    (described(factors=10 ** 6), ["model.json", "factors 1000000"], 3),
    (described(items=-1), ["model.json", "field items"], 3),
    (described(algorithm="tea-leaves"), ["tea-leaves"], 3),
    (described(users=10 ** 12), ["rows where 1000000000000 belong"], 3),
])
def test_folders_changed_by_hand(run, empty, copy, change, words, code):
    change(copy)
    seal(copy)
    refused(run, empty, copy, *words, code=code)


def test_without_the_schema(run, fresh_stores, folder):
    done = run("trivet-train", "import", folder, env=fresh_stores.env, check=False)
    assert done.returncode == 3 and "no schema trivet yet" in done.stderr and "trivet-etl schema" in done.stderr
