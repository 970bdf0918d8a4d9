"""docs/which-model.md: its commands are run on the data they are about, and give what stands below them."""

import json
import re
import shlex

import pytest
import rating_sets
from markdown import page, rows, section
from stores import REPO

PAGE = page("docs/which-model.md")
NAMES = {"popular": "popular", "user and item biases": "bias", "item mean": "item_mean", "random": "random"}  # in the tables


def steps(data):
    """("sql" or "sh", text) of the blocks that are about a data set: those after its mark, up to another one's."""
    parts = re.split(r"<!-- data: ([\w-]+) -->", PAGE)
    return [step for name, text in zip(parts[1::2], parts[2::2]) if name == data for step in re.findall(r"^```(sql|sh)\n(.*?)^```$", text, re.S | re.M)]


@pytest.fixture(scope="module")
def place_of(request, servers, run, tmp_path_factory):
    """place_of("ml-1m"): a database with these ratings; skips where the set is absent."""
    archives = {"ml-1m": "ml-1m.tar.gz", "lastfm": "hetrec2011-lastfm-2k.tar.gz"}
    places = {}

    def load(data):
        if data not in places:
            if data == "ml-100k":
                folder = request.getfixturevalue("movielens_100k")
            else:
                folder = rating_sets.unpacked(rating_sets.FOLDER / archives[data], tmp_path_factory.mktemp(data))
                folder = next(path.parent for path in folder.rglob("*") if path.name in ("movies.dat", "user_artists.dat"))
            places[data] = servers.place()
            run("trivet-etl", "load", folder, env=places[data].env)
        return places[data]

    return load


@pytest.fixture(scope="module")
def follow(run, place_of):
    """follow("ml-1m"): runs the blocks about a set once; gives [(command, what stands below, {measure: {method: value}})]."""
    followed = {}

    def go(data):
        place = place_of(data)
        if data not in followed:
            followed[data] = []
            for kind, text in steps(data):
                if kind == "sql":
                    place.psql(text)
                for command, said in re.findall(r"^(trivet-train .*)\n# (.*)$", text, re.M):
                    program, *arguments = shlex.split(command)
                    done = run(program, *arguments, "--format", "json", env=place.env, timeout=300)
                    followed[data].append((command, said, {row.pop("measure"): row for row in json.loads(done.stdout)}))
        return followed[data]

    return go


def agrees(found, said):
    """To the three digits of the page, and a little: lists depend on how the linear algebra library rounds."""
    return float(found) == pytest.approx(float(said), abs=0.002, rel=0.01)


@pytest.mark.parametrize("data", ["ml-100k", "ml-1m", "lastfm"])
def test_the_commands_give_what_the_page_says(follow, data):
    assert len(follow(data)) >= 3
    for command, said, found in follow(data):
        model = next(iter(found["ndcg@10"]))
        numbers = re.findall(r"([\w@]+) ([\d.]+)(?: \(([\d.]+) to ([\d.]+)\))?", said)
        assert numbers, said
        for measure, value, low, high in numbers:
            assert agrees(found[measure][model], value), f"{command}: {measure} is {found[measure][model]}"
            for bound, end in ((low, "low"), (high, "high")):
                assert not bound or agrees(found[f"{measure} {end}"][model], bound), f"{command}: {measure} {end}"


def test_the_table_of_ml_1m(follow):
    text = section(PAGE, "## MovieLens 1M: PureSVD and the others beside the baselines")
    found = {(method, measure): value for _, _, measures in follow("ml-1m") for measure, values in measures.items() for method, value in values.items()}
    table = [cells for cells in rows(text) if len(cells) == 8]
    assert len(table) == 7
    for first, ndcg, ndcg_ends, rmse, rmse_ends, coverage, popularity, _ in table:
        method = NAMES.get(first) or re.match(r"`([\w-]+)`", first)[1]
        for measure, said in (("ndcg@10", ndcg), ("rmse", rmse), ("coverage@10", coverage), ("popularity@10", popularity.replace(",", ""))):
            assert agrees(found[method, measure], said) if said else found[method, measure] is None, f"{first}: {measure}"
        for measure, ends in (("ndcg@10", ndcg_ends), ("rmse", rmse_ends)):
            for end, said in zip(("low", "high"), ends.split(" .. ") if ends else ()):
                assert agrees(found[method, f"{measure} {end}"], said), f"{first}: {measure} {end}"


def test_the_picture():
    name, = re.findall(r'<img src="([^"]+)"', PAGE)
    picture = (REPO / "docs" / name).read_bytes()
    assert picture.startswith(b"\x89PNG") and int.from_bytes(picture[16:20], "big") == 1200
    assert len(picture) < 250_000


def test_how_much_data_it_takes(run, place_of, follow):
    place, text = place_of("ml-1m"), section(PAGE, "### How much data it takes")
    shares = re.search(r"--train-fraction ([\d.,]+)", text)[0].split()
    follow("ml-1m")  # which saves the preset
    curves = {}
    for algorithm in ("svd", "als"):
        run("trivet-train", "evaluate", "--preset", "everybody", "--algorithm", algorithm, "--factors", 20, *shares, env=place.env, timeout=500)
        for line in place.psql("SELECT method, rmse, ndcg FROM trivet.learning_curve((SELECT max(id) FROM trivet.run)) ORDER BY train_fraction").splitlines():
            method, rmse, ndcg = line.split("|")
            curves.setdefault((algorithm, method), []).append((rmse, ndcg))
    table = {cells[0]: cells[1:] for cells in rows(text)}
    for name, key, column in (("`svd`, NDCG@10", ("svd", "svd"), 1), ("popular, NDCG@10", ("svd", "popular"), 1), ("`als`, RMSE", ("als", "als"), 0),
                              ("biases, RMSE", ("als", "bias"), 0)):
        assert len(table[name]) == 4
        for said, found in zip(table[name], curves[key], strict=True):
            assert agrees(found[column], said), f"{name}: {found}"
