"""A folder that is damaged anywhere is refused whole: the sentence names the file and the field, and nothing is written."""

import json
import os
import random
import shutil

import numpy as np
import pytest

from rating_sets import like_movielens

ARRAYS = ("item_ids", "item_factors", "singular_values", "user_ids", "user_rows", "user_factors", "rated_start", "rated_items",
          "ratings")


@pytest.fixture(scope="module")
def folder(run, servers, tmp_path_factory):
    """An export of a small model with codes."""
    home = tmp_path_factory.mktemp("import")
    rng = random.Random(3)
    like_movielens(
        home / "set",
        ((f"user-{user}" if user > 3 else user, f"film-{film}", rng.choice([0.5, 2, 5]), 1_000_000 + film)
         for user in range(1, 31) for film in sorted(rng.sample(range(1, 21), rng.randint(6, 14)))),
        ((f"film-{film}", f"Film {film} ({1950 + film})", "Drama") for film in range(1, 22)))
    place = servers.place()
    run("trivet-etl", "load", home / "set", env=place.env)
    run("trivet-train", "fit", "--factors", 3, "--set", "min_users_for_item=1", env=place.env)
    run("trivet-train", "export", "live", home / "model", env=place.env)
    return home / "model"


def fnv1a(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def sign(folder):
    """checksums.csv anew, as somebody would who meant the damage."""
    files = sorted(p for p in folder.iterdir() if p.name != "checksums.csv")
    with open(folder / "checksums.csv", "w") as f:
        f.write("file,bytes,fnv1a\n")
        for path in files:
            f.write(f"{path.name},{path.stat().st_size},{fnv1a(path.read_bytes()):016x}\n")


def traces(place):
    """What an import could leave behind."""
    return (sorted(place.mongo_db().list_collection_names()), sorted(place.redis_client().keys("*")),
            place.psql("SELECT (SELECT count(*) FROM trivet.run), (SELECT count(*) FROM trivet.code)"))


@pytest.fixture
def empty(run, fresh_stores):
    run("trivet-etl", "schema", env=fresh_stores.env)
    return fresh_stores


def refused(run, place, folder, *words):
    before = traces(place)
    done = run("trivet-train", "import", folder, "--activate", env=place.env, check=False)
    assert done.returncode == 3, (words, done.returncode, done.stdout, done.stderr)
    for word in words:
        assert word in done.stderr, (words, done.stderr)
    assert traces(place) == before, words


def model(change):
    def damage(folder):
        whole = json.loads((folder / "model.json").read_text())
        change(whole)
        (folder / "model.json").write_text(json.dumps(whole))
    return damage


def item(change, line=4):
    def damage(folder):
        lines = (folder / "items.jsonl").read_text().splitlines()
        document = json.loads(lines[line])
        document = change(document) or document
        lines[line] = document if isinstance(document, str) else json.dumps(document)
        (folder / "items.jsonl").write_text("\n".join(lines) + "\n")
    return damage


def array(name, change):
    def damage(folder):
        values = np.load(folder / f"{name}.npy")
        values = change(values)
        np.save(folder / f"{name}.npy", values)
    return damage


def put(at, value):
    def change(values):
        values[at] = value
        return values
    return change


def code(change):
    def damage(folder):
        lines = (folder / "codes.jsonl").read_text().splitlines()
        lines[2] = json.dumps({**json.loads(lines[2]), **change})
        (folder / "codes.jsonl").write_text("\n".join(lines) + "\n")
    return damage


def text(name, old, new):
    def damage(folder):
        data = (folder / name).read_bytes()
        assert old in data, (name, old)
        (folder / name).write_bytes(data.replace(old, new, 1))
    return damage


FIELDS = {"number": "7", "algorithm": 5, "score": "stars", "factors": 3.5, "items": -1, "users": None, "learned": "x",
          "sigma_power": "0.5", "lambda": [], "alpha": {}, "biases": "no", "created_at": "now", "checksum": "12", "description": 3}

DAMAGES = [
    *[(model(lambda m, f=f, v=v: m["model"].update({f: v})), "model.json", f"field {f}") for f, v in FIELDS.items()],
    *[(model(lambda m, f=f: m["model"].pop(f)), "model.json", f"field {f}") for f in FIELDS],
    (model(lambda m: m["model"].update(items=10 ** 8, factors=4096)), "item_factors.npy", "items is 100000000"),
    (model(lambda m: m["model"].update(users=10 ** 15)), "user_ids.npy", "rows where"),
    (model(lambda m: m["model"].update(learned=2)), "user_rows.npy", "row"),
    (model(lambda m: m["model"].update(checksum="0" * 16)), "checksum"),
    (model(lambda m: m["model"].update(algorithm="magic")), "magic"),
    (model(lambda m: m.update(version=99)), "model.json", "version 99"),
    (model(lambda m: m.update(format="x")), "model.json"),
    (model(lambda m: m.pop("run")), "model.json", "run"),
    (text("model.json", b"{", b"["), "model.json"),
    (item(lambda d: d.update(_id="x")), "items.jsonl, line 5", "_id"),
    (item(lambda d: d.update(_id=1.5)), "items.jsonl, line 5", "_id"),
    (item(lambda d: d.update(_id={"$oid": "6566a1b2c3d4e5f6a7b8c9d0"})), "items.jsonl, line 5", "_id"),
    (item(lambda d: d.update(_id={"a": 1})), "items.jsonl, line 5", "_id"),
    (item(lambda d: d.pop("_id") and None), "items.jsonl, line 5", "_id"),
    (item(lambda d: d.update(_id=1)), "items.jsonl, line 5", "_id", "come after"),
    (item(lambda d: d.update(title=["x"])), "items.jsonl, line 5", "title"),
    (item(lambda d: d.update(year="x")), "items.jsonl, line 5", "year"),
    (item(lambda d: d.update(genres="x")), "items.jsonl, line 5", "genres"),
    (item(lambda d: d.update(genres=[1])), "items.jsonl, line 5", "genres"),
    (item(lambda d: d.update(n=-1)), "items.jsonl, line 5", "field n "),
    (item(lambda d: d.update(mean="x")), "items.jsonl, line 5", "mean"),
    (item(lambda d: d.update(score_kind=1)), "items.jsonl, line 5", "score_kind"),
    (item(lambda d: d.update(code=1)), "items.jsonl, line 5", "code"),
    (item(lambda d: d.update(rev="1")), "items.jsonl, line 5", "rev"),
    (item(lambda d: "[1]"), "items.jsonl, line 5", "JSON"),
    (item(lambda d: "{"), "items.jsonl, line 5", "JSON"),
    (item(lambda d: " "), "items.jsonl, line 5", "JSON"),
    (text("items.jsonl", b"Film", b"F\0lm"), "items.jsonl", "NUL"),
    (text("items.jsonl", b"Film", b"F\xfflm"), "items.jsonl"),
    *[(array(name, lambda v: v[:-1]), ".npy") for name in ARRAYS],
    *[(array(name, lambda v: v.astype("<i2")), f"{name}.npy", "type") for name in ARRAYS],
    (array("item_ids", put(0, 1)), "checksum"),
    (array("item_factors", put((0, 0), np.nan)), "item factor"),
    (array("user_ids", put(3, 1)), "user_ids.npy", "come after"),
    (array("user_rows", put(3, -2)), "user_rows.npy", "row"),
    (array("user_rows", put(3, 10 ** 6)), "user_rows.npy", "row"),
    (array("user_rows", lambda v: put(3, v[4])(v)), "user_rows.npy", "another user"),
    (array("user_factors", put((3, 1), np.inf)), "user_factors.npy", "finite"),
    (array("rated_start", put(0, 1)), "rated_start.npy", "0"),
    (array("rated_start", put(5, 10 ** 12)), "rated_start.npy"),
    (array("rated_start", put(5, -1)), "rated_start.npy"),
    (array("rated_items", lambda v: put(1, v[0])(v)), "rated_items.npy", "ascend"),
    (array("ratings", put(7, np.nan)), "ratings.npy", "finite"),
    (text("user_ids.npy", b"NUMPY", b"NUMPX"), "user_ids.npy", "no .npy file"),
    (text("ratings.npy", b"descr", b"descx"), "ratings.npy", "header"),
    (code({"kind": "film"}), "codes.jsonl, line 3"),
    (code({"id": 5}), "codes.jsonl, line 3"),
    (code({"code": ""}), "codes.jsonl, line 3"),
    (lambda folder: (folder / "ratings.npy").unlink(), "does not list ratings.npy"),
]


def test_what_is_damaged_in_any_field_is_refused_whole(run, empty, folder, tmp_path):
    """Also where the checksums were made to fit: a table of damages, each named with its file and field."""
    for n, (damage, *words) in enumerate(DAMAGES):
        copy = shutil.copytree(folder, tmp_path / str(n))
        damage(copy)
        sign(copy)
        refused(run, empty, copy, *words)
    run("trivet-train", "import", folder, "--activate", env=empty.env)


def test_what_is_damaged_in_any_byte_is_refused_whole(run, empty, folder, tmp_path):
    rng = random.Random(5)
    for path in sorted(folder.iterdir()):
        size = path.stat().st_size
        for at in {0, size - 1, *(rng.randrange(size) for _ in range(2))}:
            copy = shutil.copytree(folder, tmp_path / f"{path.name}-{at}")
            data = bytearray((copy / path.name).read_bytes())
            data[at] ^= 0x20
            (copy / path.name).write_bytes(data)
            refused(run, empty, copy, path.name if path.name != "checksums.csv" else "")


@pytest.mark.parametrize("name", ["checksums.csv", "model.json", "ratings.npy"])
def test_what_is_no_file_is_not_waited_for(run, empty, folder, tmp_path, name):
    shutil.copytree(folder, tmp_path / "odd")
    (tmp_path / "odd" / name).unlink()
    os.mkfifo(tmp_path / "odd" / name)
    done = run("trivet-train", "import", tmp_path / "odd", env=empty.env, check=False, timeout=20)
    assert done.returncode != 0 and name in done.stderr
    (tmp_path / "odd" / name).unlink()
    (tmp_path / "odd" / name).symlink_to("/dev/zero")
    assert run("trivet-train", "import", tmp_path / "odd", env=empty.env, check=False, timeout=20).returncode != 0


def test_what_nothing_vouches_for_is_not_read(run, empty, folder, tmp_path):
    """codes.jsonl may be missing, but not stand there without its line in checksums.csv."""
    copy = shutil.copytree(folder, tmp_path / "model")
    sums = (copy / "checksums.csv").read_text()
    (copy / "checksums.csv").write_text("".join(line for line in sums.splitlines(True) if not line.startswith("codes")))
    refused(run, empty, copy, "does not list codes.jsonl")
