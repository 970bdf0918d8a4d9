"""README.md and docs/: what they claim is compared with the sources, the programs and a trained model."""

import os
import re
import shlex
import subprocess

import pytest
import redis
from markdown import PAGES, block, blocks, code, names, page, rows, section
from server import clean_environment
from stores import REPO

README, FORMATS = page("README.md"), page("docs/formats.md")


# --- all pages --------------------------------------------------------------------------------------------------


def anchors(name):
    """The headings of a page, as a forge turns them into anchors."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", page(name), flags=re.S), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_files_that_are_named_are_there(name):
    named = re.findall(r"`((?:lib|serve|train|etl|tests|sql|docs|cmake|tools|bench|include|trivet)/[\w/.*-]+\.\w+)`", page(name))
    named = [f for f in named if "NAME" not in f]  # a recipe's new file
    assert [f for f in named if not list(REPO.glob(f"include/{f}" if f.startswith("trivet/") else f))] == []


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page(name)) + re.findall(r'src="(?!https?:)([^"]+)"', page(name)):
        path, _, anchor = link.partition("#")
        target = (REPO / name).parent / path if path else REPO / name
        assert target.exists(), f"{name} links to {link}"
        if anchor:
            assert anchor in anchors(target.relative_to(REPO)), f"{name} links to {link}"


@pytest.mark.parametrize("name", PAGES)
def test_files_that_are_named_exist(name):
    for path in re.findall(r"`((?:tests|lib|docs|sql|bench|tools|include)/[\w./-]+\.\w+)`", page(name)):
        assert (REPO / path).exists() or list(REPO.glob(path)), f"{name} names {path}"


def test_changelog():
    version = (REPO / "VERSION").read_text().strip()
    assert re.search(rf"^## {re.escape(version)}$", page("CHANGELOG.md"), re.M)
    for line in re.findall(r"^- (.*)$", page("CHANGELOG.md"), re.M):
        assert line.split()[0] in ("Added", "Improved", "Fixed", "Changed"), line


# --- README -----------------------------------------------------------------------------------------------------


def test_the_configuration_table_is_that_of_the_programs():
    done = subprocess.run([REPO / "docs/make-configuration", "--check"])
    assert done.returncode == 0, "README.md has another table than lib/cli/shared_options.c: run docs/make-configuration"


def test_every_setting_is_shown_by_a_program_and_by_the_readme(run):
    shown = "".join(run(program, *command, "--help").stdout for program, command in (
        ("trivet-etl", ("load",)), ("trivet-train", ("fit",)), ("trivet-serve", ())))
    table = section(README, "## Configuration").split("<!-- end of table -->")[0]
    assert set(re.findall(r"TRIVET_\w+", re.sub(r"\s+", " ", shown))) == set(names(table)) != set()
    for cells in rows(table):
        assert re.search(rf"{code(cells[1])[0]}=", shown)


def test_the_pinned_sums_are_those_that_are_checked():
    fetch = (REPO / "tools/fetch.sh").read_text()
    for wheel, sum in re.findall(r"^\| `([\w-]+)` [\d.]+ \|.*`([0-9a-f]{64})` \|$", README, re.M):
        assert re.search(rf"fetch_wheel {wheel} [\d.]+ (\\\s+)?{sum}", fetch), wheel
    assert len(re.findall(r"[0-9a-f]{64}", README)) == len(re.findall(r"[0-9a-f]{64}", fetch)) == 2


def test_quickstart_and_check_take_what_the_readme_says():
    for script in ("quickstart", "check"):
        usage = subprocess.run([REPO / script, "--help"], capture_output=True, text=True, cwd=REPO).stdout
        for word in re.findall(rf"\./{script} (--[\w-]+|[a-z]+)", "".join(code(README))):
            assert re.search(rf"(?<!\w){word}\b", usage), f"./{script} {word}"


@pytest.mark.parametrize("statement", [s for b in blocks(README, "sql") for s in re.sub(r"^--.*\n?", "", b, flags=re.M).split(";")
                                       if s.strip()])
def test_the_sql_runs(served, statement):
    assert served.stores.psql(statement)


@pytest.mark.parametrize("line", [line for b in blocks(README, "sh") for line in b.splitlines() if line.startswith("trivet-")])
def test_the_commands_are_understood(served, run, line):
    program, command, *arguments = shlex.split(line)
    if command == "fit":  # the session's model is not ours to replace
        assert "nothing was written" in served.run(program, command, *arguments, "--dry-run").stdout
    else:
        assert f" {command} " in run(program, "--help").stdout


def test_the_notebook(served):
    done = subprocess.run(["/usr/bin/python3", "-c", block(README, "python") + "print(u.dtype, len(u), len(scores))"],
                          env={**clean_environment(), **served.stores.env}, capture_output=True, text=True)
    live = served.get("/readyz").json()["model"]
    model = next(m for m in served.get("/api/v1/models").json()["models"] if m["number"] == live)["description"]
    assert done.stdout.split() == ["float16", str(model["factors"]), str(model["counts"]["items"])], done.stderr


def test_the_addresses_are_there(served):
    for address in names(section(README, "## Configuration").split("The server's addresses:")[1]):
        assert served.get(address.replace("{id}", "1")).status == 200, address


def test_the_picture():
    picture = (REPO / "docs/page.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and int.from_bytes(picture[16:20], "big") == 1200
    assert len(picture) < 300_000


# --- formats ----------------------------------------------------------------------------------------------------


def test_the_dump_is_the_golden_blob():
    lines = re.findall(r"^([0-9a-f]{2})  ((?:[0-9a-f]{2} )*[0-9a-f]{2})  ", block(section(FORMATS, "## A blob"), ""), re.M)
    dump = b""
    for offset, line in lines:
        assert int(offset, 16) == len(dump)
        dump += bytes.fromhex(line)
    source = (REPO / "tests/unit/lib/core/formats/test_codec.c").read_text()
    golden = re.search(r"halves_2d\[\] = \{(.*?)\}", source, re.S)[1]
    assert dump == bytes(int(byte, 16) for byte in re.findall(r"0x(\w\w)", golden))


def live(place):
    return place.redis_client().get("trivet:live").decode()


def test_fields_of_mongodb(served):
    db, number = served.stores.mongo_db(), live(served.stores)
    assert names(section(FORMATS, "### `user_<N>`")) == list(db[f"user_{number}"].find_one())
    parts = {cells[0]: code(cells[1]) for cells in rows(section(FORMATS, "### `model_<N>`"))}
    fields = {re.sub(r"^items:.*", "items", d["_id"]): sorted(d.keys() - {"_id"}) for d in db[f"model_{number}"].find()}
    explained = {code(name)[0].split(":")[0]: sorted(f for f in all_fields if f.isidentifier())
                 for name, all_fields in parts.items()}
    assert explained == fields
    items = db.item.find_one({"imdb_id": {"$ne": None}}) or db.item.find_one()  # not all sets have such ids
    assert set(names(section(FORMATS, "### `catalogue_<D>`"))) <= items.keys()
    assert {c["name"] for c in db.list_collections()} == {"system.views", "user", "item", served.stores.catalogue().name} | {
        f"{kind}_{m['number']}" for kind in ("user", "model") for m in served.get("/api/v1/models").json()["models"]}


def test_keys_of_redis(served):
    client, number = served.stores.redis_client(), live(served.stores)
    keys_text, hash_text = section(FORMATS, "## Redis").split("Fields of the hash")
    hash_text, description_text = hash_text.split("**Factors.**")[0], hash_text.split("**Description.**")[1]
    expected = {name.replace("{N}", "{%s}" % number).replace("<p>", "0") for name in names(keys_text)}
    assert {key.decode() for key in client.keys() if b"model" not in key or f"{{{number}}}".encode() in key} == expected
    fields = client.hgetall("trivet:model:{%s}" % number)
    assert set(names(hash_text)) == {field.decode() for field in fields}
    description = served.get("/api/v1/models").json()["models"][-1]["description"]
    assert set(names(description_text)) == description.keys()


def test_tables_of_postgres(served):
    text = section(FORMATS, "## Postgres")
    for name in names(text):
        if name.startswith("trivet."):
            assert served.stores.psql(f"SELECT to_regclass('{name}') IS NOT NULL") == "t", name
    states = {name for name in names(text) if "." not in name}
    assert states == set(re.findall(r"'(\w+)'", re.search(r"check \(state in \(('building'.*?)\)\)",
                                                          (REPO / "sql/001_schema.sql").read_text())[1]))


def test_the_input_table_is_that_of_the_loader():
    source = (REPO / "etl/detect/kinds.c").read_text().split("kinds[] = {")[1].split("\n};")[0]
    patterns = set(re.findall(r'\.pattern = "([^"]+)"', source)) - {"u.genre"}
    assert {name for cells in rows(section(FORMATS, "## Input files")) for name in code(cells[1])} == patterns


def test_every_list_of_formats_has_them_all():
    """The table of etl/detect/kinds.c, what --format takes, the comment on trivet.load.format and, of counts of plays,
    sql/004_live.sql; a format that is in one alone works by halves."""
    source = (REPO / "etl/detect/kinds.c").read_text().split("kinds[] = {")[1].split("\n};")[0]
    kinds = [(re.search(r'\.format = "([^"]+)"', kind)[1], ".counts = 1" in kind) for kind in source.split("{.role")
             if ".format" in kind]
    formats, counts = {name for name, _ in kinds}, {name for name, are_counts in kinds if are_counts}
    choices = re.search(r'TV_DETECT_FORMATS "auto\|([^"]+)"', (REPO / "etl/detect/detect.h").read_text())[1]
    comment = re.search(r"trivet\.load\.format is 'The format that was found: (.*?)\.'", (REPO / "sql/001_schema.sql").read_text())[1]
    explained = {name for cells in rows(section(FORMATS, "## Input files")) for name in code(cells[2])}
    assert set(choices.split("|")) == set(comment.split(", ")) == explained == formats
    for names_in_sql in re.findall(r"l\.format in \(([^)]*)\)", (REPO / "sql/004_live.sql").read_text()):
        assert set(re.findall(r"'([^']+)'", names_in_sql)) == counts


def test_the_marker_of_a_generated_set(run, tmp_path):
    run("trivet-etl", "synth", tmp_path / "set")
    assert (tmp_path / "set/trivet-synth.json").read_text() == block(FORMATS, "json")
