"""Parameters of the filter, added in a copy of the tree as CONTRIBUTING.md says: the files they touch are few, and a database that
is in use takes them. min_year is the recipe's; highest_rating is a number that may be null, as is the one it must not be below."""

import json
import shutil
import subprocess
import sys

import pytest
from server import Server, clean_environment
from stores import REPO

sys.path.insert(0, str(REPO / "tools"))
import house  # noqa: E402

ROWS = """PARAMETER(highest_rating, .kind = TV_FILTER_REAL, .type = "real", .least = 0, .most = 1e6, .not_below = "min_rating",
          .step = TV_FILTER_VALUES, .meaning = "only ratings of at most that value", .sweep = "2,3,4")
PARAMETER(min_year, .kind = TV_FILTER_INTEGER, .type = "int", .least = 0, .most = 9999, .step = TV_FILTER_ITEMS,
          .meaning = "only items that came out in that year or later", .sweep = "1950,1970,1990")
"""
CONDITION = """
      and (given.highest_rating is null or r.value <= given.highest_rating)
      and (given.min_year is null or (r.item_id in (
              select i.item_id from trivet.item i where i.year >= given.min_year)) is true)
$$;"""
# What stands in the tree beside sources, and is not needed to build.
BESIDE = (".git", ".run", "build", "build-*", "tests", "data", "__pycache__")


def test_few_files_speak_of_a_condition_on_rows():
    files = {name: found for name, found in house.files_of_parameters().items() if house.ordinary(name)}
    assert {"rated_since", "rated_until"} <= set(files)
    assert {name: found for name, found in files.items() if len(found) > house.LIMIT_OF_PARAMETER} == {}


def test_the_counting_finds_a_file(tmp_path, monkeypatch):
    """Or the test above could not fail."""
    shutil.copytree(REPO / "include", tmp_path / "include")
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql/a.sql").write_text("-- rated_until")
    (tmp_path / "sql/b.sql").write_text("-- Made by tools/filter_sql.c\n-- rated_until")
    monkeypatch.setattr(house, "REPO", tmp_path)
    assert house.files_of_parameters()["rated_until"] == [house.TABLE, "sql/a.sql"]


def test_openapi_describes_every_parameter_of_the_filter(served):
    document = json.loads((REPO / "serve/pages/openapi.json").read_text())
    for path in ("/lab", "/lab/funnel", "/lab/sweep", "/lab/activity"):
        told = {p["$ref"].rpartition("/")[2] for p in document["paths"][path]["get"]["parameters"] if "$ref" in p}
        assert set(house.filter_parameters()) <= told, path
    axes = [p["schema"]["enum"] for p in document["paths"]["/lab/sweep"]["get"]["parameters"] if p.get("name") in ("x", "y")]
    assert axes == [list(house.filter_parameters())] * 2


def change(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, path
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def tenth(tmp_path_factory):
    """The programs of a tree with min_year; the build makes what is made of the table."""
    tree = tmp_path_factory.mktemp("tenth") / "trivet"
    shutil.copytree(REPO, tree, ignore=shutil.ignore_patterns(*BESIDE))
    table = tree / house.TABLE
    table.write_text(table.read_text() + ROWS)
    chosen = tree / "sql/003_filter.sql"
    head, end, rest = chosen.read_text().partition("\n$$;")  # of the first function, chosen_ratings_of
    chosen.write_text(head + CONDITION + rest)

    def build(*targets, check=True):
        return subprocess.run(["cmake", "--build", tree / "build", "-j2", "--target", *targets], check=check, capture_output=True, text=True)

    subprocess.run(["cmake", "-S", tree, "-B", tree / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DTRIVET_TESTS=OFF"], check=True,
                   stdout=subprocess.DEVNULL)
    refused = build("filter_sql_checked", check=False)
    assert refused.returncode != 0 and "is not what include/trivet/model/filter_parameters.def makes" in refused.stderr + refused.stdout
    build("filter-sql")
    build("filter_sql_checked", "trivet-etl", "trivet-train", "trivet-serve")
    return {f"trivet-{room}": tree / "build" / room / f"trivet-{room}" for room in ("etl", "train", "serve")}


@pytest.fixture
def in_use(run, fresh_stores, data_dir):
    """Ratings, a preset and a view of somebody's, made before there was a tenth parameter."""
    run("trivet-etl", "load", data_dir / "ml-latest-small", env=fresh_stores.env)
    fresh_stores.psql("SELECT trivet.save_preset('older', max_items_for_user => 70)")
    fresh_stores.psql("CREATE VIEW public.mine AS SELECT count(*) FROM trivet.user_item(10, 3, 70)")
    return fresh_stores


def ask(tenth, place, program, *args, check=True):
    done = subprocess.run([tenth[program], *args], env={**clean_environment(), **place.env}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 or not check, done.stderr
    return done


def of_min_year(place, **values):
    return place.psql("SELECT count(*) FROM trivet.user_item({})".format(", ".join(f"{n} => {v}" for n, v in values.items())))


def test_a_database_in_use_takes_a_tenth_parameter(run, tenth, in_use, tmp_path):
    before = in_use.psql("TABLE public.mine")
    assert "trivet-etl schema" in ask(tenth, in_use, "trivet-train", "fit", "--set", "min_year=1990", check=False).stderr
    said = ask(tenth, in_use, "trivet-etl", "schema").stderr
    assert "trivet.user_item has other parameters now; mine goes on with those it had, until made again" in said
    assert in_use.psql("TABLE public.mine") == before == of_min_year(in_use, max_items_for_user=70)
    expected = in_use.psql("SELECT count(*) FROM trivet.user_item(min_users_for_item => 0, min_items_for_user => 0, "
                           "max_items_for_user => 100000, max_row_number => 1000000) f JOIN trivet.item i ON i.item_id = f.movieid WHERE i.year >= 1990")
    assert of_min_year(in_use, min_users_for_item=0, min_items_for_user=0, max_items_for_user=100000, max_row_number=1000000,
                       min_year=1990) == expected
    assert of_min_year(in_use, max_items_for_user=70, min_year="null") == before

    # Funnel, sweep, activity, presets and reasons have it without a line of their own.
    assert in_use.psql("SELECT note FROM trivet.funnel(min_year => 1990, genres => '{Drama}') WHERE step = 4") == \
        "items of any of the genres Drama, min_year 1990"
    assert in_use.psql("SELECT row_count FROM trivet.sweep('min_year', '{1990}')") == of_min_year(in_use, min_year=1990)
    assert in_use.psql("SELECT reason FROM trivet.why_item(2, min_year => 2000)") == "it does not meet min_year 2000"
    assert in_use.psql("SELECT max_items_for_user, min_year IS NULL FROM trivet.preset_values('older')") == "70|t"
    in_use.psql("SELECT trivet.save_preset('newer', min_year => 1990)")
    assert in_use.psql("SELECT count(*) FROM trivet.preset_user_item('newer')") == of_min_year(in_use, min_year=1990)
    with pytest.raises(Exception, match="min_year is -1, but must be an integer from 0, or null"):
        of_min_year(in_use, min_year=-1)

    # A number that is not to be below another one, either of which may be null.
    assert in_use.psql("SELECT max(rating) <= 3.5 FROM trivet.user_item(highest_rating => 3.5)") == "t"
    with pytest.raises(Exception, match="highest_rating is 3.5, but must be at least min_rating, which is 4"):
        in_use.psql("SELECT count(*) FROM trivet.user_item(min_rating => 4, highest_rating => 3.5)")
    with pytest.raises(Exception, match="highest_rating is -1, but must be a number from 0, at most 1e\\+06, or null"):
        in_use.psql("SELECT count(*) FROM trivet.user_item(highest_rating => -1)")
    for wrong, told in ((("min_rating=3.6", "highest_rating=3.5"), "highest_rating is 3.5, but must be at least min_rating, which is 3.6"),
                        (("highest_rating=-1",), "but must be a number from 0, at most 1e+06")):
        sets = [word for assignment in wrong for word in ("--set", assignment)]
        assert told in ask(tenth, in_use, "trivet-train", "fit", "--dry-run", *sets, check=False).stderr
    for fine in ("min_rating=3.5", "highest_rating=3.5"):
        ask(tenth, in_use, "trivet-train", "fit", "--dry-run", "--factors", "2", "--set", fine)

    # So do training, search and the server.
    ask(tenth, in_use, "trivet-train", "fit", "--set", "min_year=1990")
    assert in_use.psql("SELECT filter ->> 'min_year', counts ->> 'rows', trivet.evidence_query(id) LIKE '%min_year => ''1990''::int)%' "
                       "FROM trivet.run ORDER BY id DESC LIMIT 1") == f"1990|{of_min_year(in_use, min_year=1990)}|t"
    assert "min_year 1990" in ask(tenth, in_use, "trivet-train", "fit", "--preset", "newer", "--dry-run").stderr
    assert ", min_year 1990" in ask(tenth, in_use, "trivet-train", "models").stdout
    refused = ask(tenth, in_use, "trivet-train", "search", "--over", "min_year=1990,2000", check=False)
    assert "--over min_year: trials would be judged by different ratings" in refused.stderr
    assert "did you mean min_year?" in ask(tenth, in_use, "trivet-train", "fit", "--set", "min_yaer=1", check=False).stderr
    server = Server(tenth["trivet-serve"], in_use, tmp_path, None, ()).start()
    try:
        assert "&quot;min_year&quot;" in server.get("/lab?min_year=1990").text
        assert server.get("/lab/funnel?min_year=1990").json()["rows"][3]["note"] == "min_year 1990"
        assert server.get("/lab/funnel?min_year=x").json()["parameter"] == "min_year"
    finally:
        server.stop()

    # An older program takes it back.
    run("trivet-etl", "schema", env=in_use.env)
    assert in_use.psql("TABLE public.mine") == before == of_min_year(in_use, max_items_for_user=70)
    with pytest.raises(Exception, match="does not exist"):
        of_min_year(in_use, min_year=1990)
