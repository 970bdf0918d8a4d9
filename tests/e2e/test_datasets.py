"""Data sets in Postgres: one is current, the others are kept whole and out of the way, and come back as they were."""

import concurrent.futures
import json
import os
import random
import shlex
import subprocess

import psycopg2
import pytest

from breakpoints import at
from server import until
from stores import REPO, StoreError
from test_load import load, number, write

FIRST = "userId,movieId,rating,timestamp\n1,10,4,1000\n1,11,5,1001\n2,10,1,1002\n"
FIRST_ITEMS = "movieId,title,genres\n10,First ten (1990),Drama\n11,First eleven (1991),Comedy\n"
SECOND = "userId,movieId,rating,timestamp\n1,10,40,1000\n2,12,90,1001\n"
SECOND_ITEMS = "movieId,title,genres\n10,Second ten (2010),War\n12,Second twelve (2012),War\n"
CODES = "userId,movieId,rating\nann,10,3\nbob,11,4\nbob,knife,5\n"

# All that belongs to a data set, as people see it.
SHOWN = {
    "ratings": "SELECT user_id, item_id, value, rated_at, load_id FROM trivet.rating ORDER BY 1, 2, 3",
    "items": "SELECT item_id, title, year, genres FROM trivet.item ORDER BY 1",
    "tags": "SELECT * FROM trivet.tag ORDER BY 1, 2, 3",
    "codes": "SELECT * FROM trivet.code ORDER BY 1, 2",
    "users changed": "SELECT * FROM trivet.user_change ORDER BY 1",
    "items changed": "SELECT * FROM trivet.item_change ORDER BY 1",
    "scale": "SELECT low, high FROM trivet.known_scale()",
    "state": "SELECT * FROM trivet.data_state()",
    "movies": "SELECT * FROM movies ORDER BY 1",
}


def shown(stores):
    return {name: stores.psql(sql) for name, sql in SHOWN.items()}


@pytest.fixture
def first(tmp_path):
    folder = write(tmp_path / "first", ratings=FIRST, movies=FIRST_ITEMS)
    (folder / "tags.csv").write_text("userId,movieId,tag,timestamp\n1,10,dark,1000\n")
    return folder


@pytest.fixture
def second(tmp_path):
    return write(tmp_path / "second", ratings=SECOND, movies=SECOND_ITEMS)


def rate(stores, user, item, value):
    assert stores.psql(f"SELECT refused IS NULL FROM trivet.rate({user}, '{{{item}}}', '{{{value}}}')") == "t"


def test_another_data_set_takes_the_place_and_the_first_comes_back_whole(run, fresh_stores, first, second):
    s = fresh_stores
    load(run, s, first)
    rate(s, 3, 11, 4)
    before = shown(s)
    load(run, s, second)
    assert s.psql("SELECT user_id, item_id, value FROM trivet.rating ORDER BY 1, 2") == "1|10|40\n2|12|90"
    assert s.psql("SELECT title FROM trivet.item ORDER BY item_id") == "Second ten (2010)\nSecond twelve (2012)"
    assert s.psql("SELECT * FROM trivet.known_scale()") == "40|90"
    for table in ("tag", "user_change", "item_change", "rating_live"):
        assert number(s, f"SELECT count(*) FROM trivet.{table}") == 0, table
    rate(s, 1, 10, 50)
    between = shown(s)
    assert s.psql("SELECT name, current FROM trivet.datasets() ORDER BY 1") == "first|f\nsecond|t"
    run("trivet-etl", "datasets", "use", "first", env=s.env)
    assert shown(s) == before
    run("trivet-etl", "datasets", "use", "second", env=s.env)
    assert shown(s) == between
    listed = json.loads(run("trivet-etl", "datasets", "--format", "json", env=s.env).stdout)
    assert [(d["name"], d["ratings"], d["live_ratings"]) for d in listed] == [("first", 3, 1), ("second", 2, 1)]


def test_the_same_name_again_keeps_single_ratings(run, fresh_stores, first, second):
    s = fresh_stores
    load(run, s, first)
    rate(s, 3, 11, 4)
    load(run, s, second)
    (first / "ratings.csv").write_text(FIRST + "2,11,2,1005\n")
    load(run, s, first)
    assert s.psql("SELECT user_id, item_id, value FROM trivet.rating ORDER BY 1, 2") == "1|10|4\n1|11|5\n2|10|1\n2|11|2\n3|11|4"
    assert number(s, "SELECT count(*) FROM trivet.dataset") == 2
    assert s.psql("SELECT state FROM trivet.load ORDER BY id") == "replaced\naway\ncomplete"
    # Of the state before, no table is left.
    assert number(s, "SELECT count(*) FROM pg_class WHERE relname ~ '^rating_load_[0-9]+$'") == 2


def test_an_appended_load_adds_to_the_current_one(run, fresh_stores, first, second):
    s = fresh_stores
    load(run, s, first)
    load(run, s, second, "--append")
    assert s.psql("SELECT name FROM trivet.dataset") == "first"
    assert number(s, "SELECT count(*) FROM trivet.rating") == 5


def test_files_that_did_not_change_are_shown_again_without_a_load(run, fresh_stores, first, second):
    s = fresh_stores
    load(run, s, first)
    before = shown(s)
    load(run, s, second)
    done = load(run, s, first, "--if-changed")
    assert "it is the current data set again" in done.stdout
    assert shown(s) == before and number(s, "SELECT count(*) FROM trivet.load") == 2
    assert "nothing to do" in load(run, s, first, "--if-changed").stdout


def test_codes_belong_to_their_data_set(run, fresh_stores, first, tmp_path):
    s = fresh_stores
    shop = write(tmp_path / "shop", ratings=CODES)
    other = write(tmp_path / "other", ratings=CODES.replace("ann", "zoe"))
    load(run, s, shop)
    before = shown(s)
    load(run, s, other)
    assert "ann" not in shown(s)["codes"] and "zoe" in shown(s)["codes"]
    load(run, s, first)
    assert shown(s)["codes"] == ""
    # The same data in a newer state: who had a number keeps it.
    (shop / "ratings.csv").write_text(CODES + "eve,10,1\n")
    load(run, s, shop)
    assert before["codes"].splitlines() == [c for c in shown(s)["codes"].splitlines() if "eve" not in c]


def test_a_dropped_data_set_is_gone_and_the_current_one_stays(run, fresh_stores, first, second):
    s = fresh_stores
    load(run, s, first)
    rate(s, 3, 11, 4)
    load(run, s, second)
    refused = run("trivet-etl", "datasets", "drop", "second", env=s.env, check=False)
    assert refused.returncode == 3 and refused.stderr.startswith("trivet-etl: second is the data set that is loaded\nhint: bring another one back first: trivet-etl datasets use first"), refused
    s.psql("UPDATE trivet.dataset SET name = 'it''s a first' WHERE name = 'first'")  # what is shown for typing can be typed
    refused = run("trivet-etl", "datasets", "drop", "second", env=s.env, check=False)
    assert shlex.split(refused.stderr.partition("back first: ")[2]) == ["trivet-etl", "datasets", "use", "it's a first"]
    s.psql("UPDATE trivet.dataset SET name = 'first' WHERE name <> 'second'")
    before = shown(s)
    done = run("trivet-etl", "datasets", "drop", "first", env=s.env)
    assert done.stdout.startswith("first is deleted: 4 ratings, 1 of them single, with all items, tags and codes, ")
    assert done.stdout.count("\n") == 1 and shown(s) == before
    refused = run("trivet-etl", "datasets", "drop", "second", env=s.env, check=False)
    assert "load another one first: trivet-etl load DIR --name NAME" in refused.stderr
    assert s.psql("SELECT name FROM trivet.dataset") == "second"
    assert number(s, "SELECT count(*) FROM pg_class WHERE relnamespace = 'trivet'::regnamespace AND relkind = 'r' AND relname ~ '_1$'") == 0
    refused = run("trivet-etl", "datasets", "use", "first", env=s.env, check=False)
    assert 'there is no data set "first"' in refused.stderr


def test_a_load_that_fails_leaves_the_data_set_as_it_was(run, fresh_stores, first, tmp_path):
    s = fresh_stores
    load(run, s, first)
    before = shown(s)
    broken = write(tmp_path / "broken", ratings="userId,movieId,rating\n1,x,2\n")
    load(run, s, broken, "--ids", "numbers", check=False)
    assert shown(s) == before
    assert s.psql("SELECT name FROM trivet.dataset") == "first"


def test_nobody_is_folded_in_from_the_rows_of_another(run, fresh_stores, first, second):
    s = fresh_stores
    load(run, s, first)
    run_id = s.psql("INSERT INTO trivet.run (filter) VALUES ('{\"max_items_for_user\": 100}') RETURNING id").split()[0]
    query = s.psql(f"SELECT trivet.evidence_query({run_id})")
    assert s.psql(f"SELECT count(*) FROM ({query}) e") == "3"
    load(run, s, second)
    with pytest.raises(StoreError, match="data set second is loaded, and not first"):
        s.psql(f"SELECT count(*) FROM ({query}) e")


def test_a_load_that_yields_leaves_what_somebody_loaded_from_elsewhere(run, fresh_stores, first, second, tmp_path):
    s = fresh_stores
    run("trivet-etl", "synth", tmp_path / "made", "--users", 30, "--items", 20, "--ratings", 200)
    load(run, s, tmp_path / "made", "--yield")
    load(run, s, first, "--yield")  # what is made up stays in nobody's way
    before = shown(s)
    done = load(run, s, second, "--yield")
    assert f"loaded is first (from {first}): it stays" in done.stdout
    assert shown(s) == before
    (first / "ratings.csv").write_text(FIRST + "2,11,2,1005\n")
    load(run, s, first, "--yield", "--if-changed")
    assert number(s, "SELECT count(*) FROM trivet.rating") == 4


# --- a name of other data, and what a load makes out of date -------------------------------------------------------------


def films(word, n=24):
    return "movieId,title,genres\n" + "".join(f"{i},{word} {i} (1990),Drama\n" for i in range(1, n + 1))


def grades(n=24, high=5):
    return "userId,movieId,rating,timestamp\n" + "".join(
        f"{u},{i},{1 + (u * i) % high},1000\n" for u in range(1, 31) for i in range(1, n + 1) if (u + i) % 3)


def test_other_data_of_the_same_name_is_refused(run, fresh_stores, tmp_path):
    s, folder = fresh_stores, write(tmp_path / "data", ratings=grades(), movies=films("Red"))
    load(run, s, folder)
    before = shown(s)
    write(folder, movies=films("Blue"))
    refused = load(run, s, folder, check=False)
    assert refused.returncode == 3 and "24 of the 24 items that both have are called otherwise" in refused.stderr, refused.stderr
    assert "--name" in refused.stderr and "--same" in refused.stderr
    assert shown(s) == before
    # Also where the data set is away, and each way on.
    load(run, s, write(tmp_path / "other", ratings=grades(), movies=films("Green")))
    assert "called otherwise" in load(run, s, folder, check=False).stderr
    load(run, s, folder, "--name", "blue")
    assert s.psql("SELECT string_agg(name, ' ' ORDER BY id) FROM trivet.dataset") == "data other blue"
    load(run, s, folder, "--same")
    assert s.psql("SELECT title FROM trivet.item WHERE item_id = 7") == "Blue 7 (1990)"


def test_a_newer_state_of_the_same_data_is_no_other_data(run, fresh_stores, tmp_path):
    s, folder = fresh_stores, write(tmp_path / "data", ratings=grades(), movies=films("Red"))
    load(run, s, folder)
    half = films("Red").splitlines(keepends=True)
    write(folder, movies="".join(half[:13]) + "".join(line.replace("Red", "Rot") for line in half[13:]))  # 12 of 24
    load(run, s, folder)
    few = tmp_path / "few"
    load(run, s, write(few, ratings=grades(19), movies=films("Red", 19)))
    load(run, s, write(few, movies=films("Blue", 19)))


def untitled(seed, users=range(1, 81), items=40, share=0.2, id="{}"):
    """Ratings without titles, of users and items of the same small numbers whatever the seed."""
    draw = random.Random(seed)
    return "userId,movieId,rating,timestamp\n" + "".join(
        f"{id.format(u)},{i},{draw.randint(1, 5)},1000\n" for u in users for i in range(1, items + 1) if draw.random() < share)


def test_other_data_without_titles_does_not_take_single_ratings_over(run, fresh_stores, tmp_path):
    s, folder = fresh_stores, write(tmp_path / "data", ratings=untitled(1))
    load(run, s, folder)
    load(run, s, write(folder, ratings=untitled(2)))  # nobody has rated: nothing is taken over
    rate(s, 990, 5, 4)
    rate(s, 5, 3, 3)
    before = shown(s)
    for other in (untitled(3), untitled(3, range(201, 281)), untitled(3, share=0.8), untitled(3, share=0.05), untitled(3, id="c{}")):
        refused = load(run, s, write(folder, ratings=other), check=False)
        assert refused.returncode == 3 and "this is other data, and would take over 2 single ratings" in refused.stderr, refused
        assert "--name" in refused.stderr and "--same" in refused.stderr
        assert shown(s) == before
    load(run, s, write(tmp_path / "elsewhere", ratings=untitled(4)))
    assert "this is other data" in load(run, s, folder, check=False).stderr  # also where the data set is away
    load(run, s, folder, "--name", "shop")
    assert number(s, "SELECT count(*) FROM trivet.rating_live") == 0
    load(run, s, folder, "--same")
    assert number(s, "SELECT count(*) FROM trivet.rating_live") == 2


def test_a_newer_state_without_titles_keeps_single_ratings(run, fresh_stores, tmp_path):
    s, folder = fresh_stores, write(tmp_path / "data", ratings=untitled(1))
    load(run, s, folder)
    rate(s, 990, 5, 4)
    rows = untitled(1).splitlines(keepends=True)
    half = rows[0] + "".join(rows[len(rows) // 2:])
    for newer in (untitled(1) + untitled(2, range(81, 180)).partition("\n")[2], untitled(1), half, untitled(1)):
        load(run, s, write(folder, ratings=newer))
        assert number(s, "SELECT count(*) FROM trivet.rating_live") == 1
    # Few rows say nothing, and a full table says nothing beyond chance.
    load(run, s, write(tmp_path / "few", ratings=FIRST))
    rate(s, 990, 10, 4)
    load(run, s, write(tmp_path / "few", ratings=SECOND))
    full = write(tmp_path / "full", ratings=untitled(5, share=1))
    load(run, s, full)
    rate(s, 990, 5, 4)
    load(run, s, write(full, ratings=untitled(5, range(1, 90), share=1)))


def test_the_sample_of_pairs_is_as_small_where_there_are_many(run, fresh_stores, tmp_path):
    s, many = fresh_stores, untitled(1, range(1, 3001), 100)
    load(run, s, write(tmp_path / "data", ratings=many))
    load(run, s, write(tmp_path / "data", ratings=many + "5,777,4,1000\n"), "--append")
    rate(s, 990, 5, 4)
    asked, kept, by_chance, singles = s.psql("SELECT * FROM trivet.load_other_pairs(2, 'data')").split("|")
    assert 500 < int(asked) < 4000 and singles == "1"
    assert kept == asked and 0.1 * int(asked) < int(by_chance) < 0.3 * int(asked)


def test_the_service_load_names_the_data_set_and_says_how(programs, fresh_stores, tmp_path):
    """tools/load-ratings, which docker-compose runs."""
    s, folder = fresh_stores, write(tmp_path / "data", ratings=untitled(1))

    def service(*arguments):
        path = f"{programs['trivet-etl'].parent}:{os.environ['PATH']}"
        return subprocess.run([REPO / "tools/load-ratings", folder, *arguments], env={**os.environ, **s.env, "PATH": path},
                              capture_output=True, text=True, timeout=60)

    assert service().returncode == 0
    rate(s, 990, 5, 4)
    write(folder, ratings=untitled(2))
    refused = service()
    assert refused.returncode == 3 and "stand in LOAD_ARGUMENTS in .env" in refused.stderr
    assert service("--name", "my shop").returncode == 0
    assert s.psql("SELECT name, current, live_ratings FROM trivet.datasets() ORDER BY dataset") == "data|f|1\nmy shop|t|0"
    write(folder, ratings=untitled(1))
    assert "it is the current data set again" in service().stdout
    assert s.psql("SELECT name, live_ratings FROM trivet.datasets() WHERE current") == "data|1"


def test_a_load_says_what_is_out_of_date(run, fresh_stores, tmp_path):
    s, red = fresh_stores, write(tmp_path / "red", ratings=grades(), movies=films("Red"))
    assert "to do" not in load(run, s, red).stdout
    fit = ("trivet-train", "fit", "--set", "max_items_for_user=1000", "--factors", 2)
    run(*fit, env=s.env)
    run(*fit, env=s.env)
    run("trivet-train", "similar", env=s.env)
    rate(s, 3, 20, 5)
    rate(s, 3, 24, 1)
    said = load(run, s, write(red, ratings=grades(20, 4), movies=films("Red", 20))).stdout
    for line in ("model 2, which is live, was made before this load: trivet-train fit",
                 "models that are kept were made before the last load of red: 1",
                 "was made before this load: trivet-train similar", "1 single ratings lie outside the scale of 1 to 4",
                 "1 single ratings are of items that the files do not have"):
        assert line in said, (line, said)
    to_do = "SELECT d ->> 'what', d ->> 'hint' FROM trivet.load, jsonb_array_elements(report -> 'to_do') d WHERE id = (SELECT max(id) FROM trivet.load)"
    assert s.psql(to_do) == s.psql("SELECT what, hint FROM trivet.out_of_date()") != ""
    assert all(": ".join(line.split("|", 1)) in said for line in s.psql(to_do).splitlines())
    assert s.psql("SELECT report ->> 'next', report -> 'to_do' FROM trivet.load WHERE id = 1") == "trivet-train fit|[]"
    said = load(run, s, write(tmp_path / "blue", ratings=grades(), movies=films("Blue"))).stdout
    assert "model 2, which is live, was made of the data set red and goes on being served" in said
    assert "was made of the data set red: trivet-train similar" in said and "single ratings" not in said
    run(*fit, env=s.env)
    run("trivet-train", "similar", env=s.env)
    assert s.psql("SELECT what FROM trivet.out_of_date()") == ""


def test_models_and_evaluations_say_their_data_set(run, fresh_stores, tmp_path):
    s = fresh_stores
    fit = ("trivet-train", "fit", "--set", "max_items_for_user=1000", "--factors", 2)
    for word in ("red", "blue"):
        load(run, s, write(tmp_path / word, ratings=grades(), movies=films(word)))
        run(*fit, env=s.env)
    assert s.psql("SELECT model, data, data_state FROM trivet.model ORDER BY 1") == "1|red|away\n2|blue|current"
    assert s.psql("SELECT run, dataset FROM trivet.run_list ORDER BY 1") == "1|red\n2|blue"
    assert s.psql("SELECT value FROM trivet.run_sheet(1) WHERE name = 'data set'") == "red"
    refused = run("trivet-train", "compare", "1", "2", env=s.env, check=False)
    assert refused.returncode != 0 and "red" in refused.stderr and "blue" in refused.stderr


def test_evaluations_and_searches_are_those_of_what_is_loaded(run, serve, fresh_stores, tmp_path):
    """The page asks for all of them, and shows one data set at a time."""
    s = fresh_stores
    # An older trivet's, and a view of somebody on it.
    run("trivet-etl", "schema", env=s.env)
    s.psql("DROP FUNCTION trivet.evaluations; CREATE FUNCTION trivet.evaluations(newest int = 100) RETURNS TABLE (run bigint, rmse float8) "
           "LANGUAGE sql STABLE AS 'SELECT 0::bigint, 0::float8'; CREATE VIEW public.mine AS SELECT run, rmse FROM trivet.evaluations(); "
           "UPDATE trivet.schema_version SET files = 'older'")
    said = run("trivet-etl", "schema", env=s.env).stderr
    assert "trivet.evaluations has other parameters now; mine goes on" in said
    for word in ("red", "blue"):
        load(run, s, write(tmp_path / word, ratings=grades(), movies=films(word)))
        run("trivet-train", "evaluate", "--set", "max_items_for_user=1000", "--factors", 2, env=s.env)
        run("trivet-train", "search", "--factors", "1,2", "--set", "max_items_for_user=1000", env=s.env)
    shown = "SELECT DISTINCT data FROM (SELECT data FROM trivet.evaluations({0}) UNION ALL SELECT data FROM trivet.searches({0})) t ORDER BY 1"
    assert s.psql(shown.format("")) == "blue" and s.psql(shown.format("dataset => null")) == "blue\nred"
    assert s.psql("SELECT array_agg(run ORDER BY run) FROM public.mine") == s.psql("SELECT array_agg(run ORDER BY run) FROM trivet.evaluations()")
    run("trivet-etl", "datasets", "use", "red", env=s.env)
    assert s.psql(shown.format("")) == "red"
    journal = serve(s).get("/models/journal").json()
    for member in ("evaluations", "searches"):
        assert sorted({row["data"] for row in journal[member]}) == ["blue", "red"], member
    run("trivet-etl", "datasets", "drop", "blue", env=s.env)
    assert s.psql(shown.format("dataset => null")) == "blue (dropped)\nred"


def test_lists_are_joined_with_the_titles_of_their_own_data_set(run, fresh_stores, tmp_path):
    """Item 1 is in both, as another film."""
    s, fit = fresh_stores, ("trivet-train", "fit", "--set", "max_items_for_user=1000", "--factors", 2)
    for word in ("Red", "Blue"):
        load(run, s, write(tmp_path / word, ratings=grades(), movies=films(word)))
        run(*fit, env=s.env)
        run("trivet-train", "recommend", "--to", "postgres", "--top", 3, env=s.env)
    shown = "SELECT DISTINCT run_id, live, left(title, 3) FROM trivet.recommended"
    assert s.psql(shown) == "2|t|Blu" and s.psql("SELECT DISTINCT run_id FROM trivet.recommendation ORDER BY 1") == "1\n2"
    same = "SELECT count(*) FROM trivet.recommendation JOIN trivet.recommended USING (run_id, user_id, rank, item_id, score)"
    assert s.psql(same) == s.psql("SELECT count(*) FROM trivet.recommendation WHERE run_id = 2") != "0"
    run("trivet-etl", "datasets", "use", "Red", env=s.env)
    assert s.psql(shown) == "1|f|Red"
    assert s.psql("SELECT count(*) FROM trivet.recommended WHERE \"user\" <> user_id::text OR item <> item_id::text") == "0"
    codes = "userId,movieId,rating\n" + "".join(f"u{u},p-{i},{1 + (u * i) % 5}\n" for u in range(1, 20) for i in range(1, 9) if (u + i) % 3)
    load(run, s, write(tmp_path / "shop", ratings=codes))
    run(*fit, "--set", "min_users_for_item=1", "--set", "min_items_for_user=1", env=s.env)
    run("trivet-train", "recommend", "--to", "postgres", "--top", 1, env=s.env)
    assert s.psql("SELECT count(*) FILTER (WHERE \"user\" LIKE 'u%' AND item LIKE 'p-%' AND title IS NULL) = count(*) AND count(*) > 0 FROM trivet.recommended") == "t"


def test_an_evaluation_keeps_to_the_data_set_that_its_snapshot_shows(run, programs, fresh_stores, tmp_path):
    """It holds no lock that keeps loads away, and the ratings of another data set would show in its snapshot."""
    s = fresh_stores
    for word, high in (("red", 5), ("blue", 50)):
        load(run, s, write(tmp_path / word, ratings=grades(high=high), movies=films(word)))
    run("trivet-etl", "datasets", "use", "red", env=s.env)
    judge = ("evaluate", "--set", "max_items_for_user=1000", "--factors", 2)
    run("trivet-train", *judge, env=s.env)
    done = at("tv_reading_describe_data", programs["trivet-train"], *judge, env=s.env,
              do=f"shell timeout 4 {programs['trivet-etl']} datasets use blue")
    assert "exited normally" in done.stdout, done.stdout + done.stderr
    assert s.psql("SELECT count(DISTINCT metrics) FROM trivet.run WHERE kind = 'evaluate' AND dataset = 1 GROUP BY dataset HAVING count(*) = 2") == "1"


def test_a_load_of_the_same_name_from_another_place_says_what_it_replaces(run, fresh_stores, tmp_path):
    s = fresh_stores
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ratings.csv").write_text(FIRST)
    assert "this replaces" not in load(run, s, tmp_path / "a/ratings.csv").stderr
    assert "this replaces" not in load(run, s, tmp_path / "a/ratings.csv").stderr
    done = load(run, s, tmp_path / "b/ratings.csv")
    assert f"this replaces the data set ratings.csv, which was loaded from {tmp_path}/a/ratings.csv (3 ratings)" in done.stderr


def test_a_folder_is_the_same_wherever_it_is_called_from(run, fresh_stores, first, tmp_path):
    """Loaded by a relative path, its newer files are not somebody else's data for --yield."""
    load(run, fresh_stores, first.name, cwd=tmp_path)
    (first / "ratings.csv").write_text(FIRST + "2,11,2,1005\n")
    done = load(run, fresh_stores, first, "--yield")
    assert "it stays" not in done.stdout and number(fresh_stores, "SELECT count(*) FROM trivet.rating") == 4


# --- who writes without a model ----------------------------------------------------------------------------------


@pytest.fixture
def shops(run, fresh_stores, tmp_path):
    """East is loaded, where ann has the number that bob has in west; the values are counts, or ratings on another scale."""
    for name, text in (("east", "ann,10,3\nann,11,5\nbob,11,4\n"), ("west", "bob,10,30\nbob,12,50\nann,12,40\n")):
        load(run, fresh_stores, write(tmp_path / name, ratings="userId,movieId,rating\n" + text))
    run("trivet-etl", "datasets", "use", "east", env=fresh_stores.env)
    return fresh_stores


def use(name):
    return f"SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = '{name}'))"


def meanwhile(stores, change, statement):
    """The statement begins while the change is made, which is not visible yet: its row."""
    switching, other = psycopg2.connect(stores.postgres_uri), psycopg2.connect(stores.postgres_uri)
    other.autocommit = True
    with concurrent.futures.ThreadPoolExecutor(1) as pool, switching.cursor() as cursor, other.cursor() as asking:
        def ask():
            asking.execute(statement)
            return asking.fetchone()
        cursor.execute(change)
        asked = pool.submit(ask)
        until(lambda: asked.done() or number(stores, "SELECT count(*) FROM pg_locks WHERE NOT granted"))
        switching.commit()
        row = asked.result(timeout=20)
    switching.close()
    other.close()
    return row


LIVE = ("SELECT coalesce(string_agg(trivet.user_code(user_id) || ' ' || item_id || ' ' || value, ', ' ORDER BY user_id, item_id), '') "
        "FROM trivet.rating WHERE load_id IS NULL")


@pytest.mark.parametrize("statement,row,live", [
    ("SELECT refused, reason FROM trivet.rate_as('ann', '{12}', '{50}')", (None, None), "ann 12 50"),
    ("SELECT user_id, refused, reason FROM trivet.rate_as('ann', '{10}', '{4}')", (None, 10, "scale"), ""),
    ("SELECT refused, reason FROM trivet.rate(7, '{10}', '{4}')", (10, "scale"), ""),
    ("SELECT removed FROM trivet.unrate_as('ann', 12)", (1,), ""),
    ("SELECT removed FROM trivet.unrate_as('ann', 11)", (0,), ""),
], ids=["rate_as", "scale", "rate", "unrate_as", "unrate_as of nothing"])
def test_a_code_is_of_the_data_set_that_is_written_to(shops, statement, row, live):
    """Without a model nobody says which data set is meant: it is the one that is loaded when the change is written."""
    shops.psql("CREATE VIEW public.now AS SELECT trivet.user_code(user_id) || ' ' || item_id AS pair FROM trivet.rating")
    assert meanwhile(shops, use("west"), statement) == row
    assert shops.psql(LIVE) == live
    wanted = "bob 10\nbob 12\nann 12" if "removed" not in statement or row == (0,) else "bob 10\nbob 12"
    assert sorted(shops.psql("SELECT * FROM public.now").splitlines()) == sorted(wanted.splitlines())
    shops.psql("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = 'east'))")
    assert shops.psql("SELECT count(*) FROM public.now") == "3" and shops.psql(LIVE) == ""


def test_plays_are_added_to_what_stands_in_the_data_set_that_is_written_to(shops):
    shops.psql("UPDATE trivet.load SET format = 'plays-csv'")
    row = meanwhile(shops, use("west"), "SELECT sums, reason FROM trivet.play_as('ann', '{12}', '{2}')")
    assert row == ([42.0], None) and shops.psql(LIVE) == "ann 12 42"


def test_an_item_that_is_forgotten_meanwhile_is_not_rated(shops):
    forgotten = "SELECT trivet.forget_item(10, 3)"
    row = meanwhile(shops, forgotten, "SELECT refused, reason FROM trivet.rate_as('carl', '{10}', '{3}')")
    assert row == (10, "unknown") and shops.psql("SELECT count(*) FROM trivet.rating WHERE item_id = 10") == "0"


def test_who_is_forgotten_meanwhile_has_no_ratings_without_a_code(shops):
    """They come back as somebody new."""
    ann = shops.psql("SELECT trivet.user_id('ann')")
    row = meanwhile(shops, f"SELECT trivet.forget_user({ann}, 3)", "SELECT user_id FROM trivet.rate_as('ann', '{10}', '{3}')")
    assert row != (int(ann),) and shops.psql(LIVE) == "ann 10 3"


def test_a_transaction_that_sees_the_codes_of_before_writes_nothing(shops):
    with psycopg2.connect(shops.postgres_uri) as old, old.cursor() as cursor:
        old.set_session(isolation_level="REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM trivet.item")
        shops.psql("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = 'west'))")
        with pytest.raises(psycopg2.Error, match="another data set has taken the place of east"):
            cursor.execute("SELECT * FROM trivet.rate_as('ann', '{10}', '{30}')")
        old.rollback()
    assert shops.psql(LIVE) == ""


def test_revs_of_another_data_set_are_not_noted(shops):
    """Who folded users of east in, and notes it when west is loaded: the same numbers are other people."""
    east, west = (shops.psql(f"SELECT id FROM trivet.dataset WHERE name = '{name}'") for name in ("east", "west"))
    shops.psql(f"SELECT trivet.rate_as('ann', '{{10}}', '{{3}}'), trivet.use_dataset({west})")
    shops.psql("SELECT trivet.rate_as('bob', '{10}', '{30}'), trivet.rate_as('bob', '{12}', '{30}')")
    bob = shops.psql("SELECT trivet.user_id('bob')")
    noted = "SELECT rev, folded_rev, refused_rev FROM trivet.user_change"
    shops.psql(f"SELECT trivet.users_folded('{{{bob}}}', '{{1}}', {east}), trivet.users_not_folded('{{{bob}}}', '{{2}}', true, {east})")
    assert shops.psql(noted) == "2|0|0"
    shops.psql(f"SELECT trivet.users_folded('{{{bob}}}', '{{2}}', {west})")
    assert shops.psql(noted) == "2|2|0"
    shops.psql(f"SELECT trivet.users_not_folded('{{{bob}}}', '{{2}}', false, {east})")
    assert shops.psql(noted) == "2|2|0"
    shops.psql(f"SELECT trivet.users_not_folded('{{{bob}}}', '{{2}}', true, {west})")
    assert shops.psql(noted) == "2|1|2"


def test_an_item_without_a_title_is_known_where_it_is_rated(shops):
    """Files without titles: no item stands in trivet.item."""
    assert shops.psql("SELECT count(*) FROM trivet.item") == "0"
    assert shops.psql("SELECT refused, reason FROM trivet.rate_as('carl', '{11,10}', '{3,4}')") == "|"
    assert shops.psql("SELECT refused, reason FROM trivet.rate_as('carl', '{11,12,13}', '{3,4,4}')") == "12|unknown"  # of west
    assert shops.psql("SELECT trivet.items_unknown('{10,11,12,13}')") == "{12,13}"
    shops.psql("UPDATE trivet.load SET format = 'plays-csv'")
    assert shops.psql("SELECT sums, refused FROM trivet.play_as('bob', '{11}', '{1}')") == "{5}|"


def test_drop_says_what_goes_with_it(run, fresh_stores, tmp_path):
    s, fit = fresh_stores, ("trivet-train", "fit", "--set", "max_items_for_user=1000", "--factors", 2)
    for word in ("red", "blue"):
        load(run, s, write(tmp_path / word, ratings=grades(), movies=films(word)))
        for command in (fit, fit, ("trivet-train", "similar")):
            run(*command, env=s.env)
    refused = run("trivet-etl", "datasets", "drop", "blue", env=s.env, check=False)
    assert "blue is the data set that is loaded" in refused.stderr
    run("trivet-etl", "datasets", "use", "red", env=s.env)
    refused = run("trivet-etl", "datasets", "drop", "blue", env=s.env, check=False)
    assert "model 4, which is live, was made of blue" in refused.stderr
    assert "make a model of another data set live first: trivet-train activate 2, or trivet-train fit" in refused.stderr
    run("trivet-train", "activate", 2, env=s.env)
    done = run("trivet-etl", "datasets", "drop", "blue", env=s.env)
    assert done.stdout.splitlines()[1] == ("models 3, 4 and index 2 of similar items of it: gone, too; "
                                           "the next command of trivet-train takes them out of MongoDB and Redis")
    assert run("trivet-train", "repair", env=s.env).stdout.endswith("everything agrees: model 2 is live\n")
    assert sorted(name for name in s.mongo_db().list_collection_names() if name[-1] in "34") == []


@pytest.mark.parametrize("command,example", [("datasets", "trivet-etl datasets use films"), ("forget", "trivet-etl forget user 770077")])
def test_help_shows_how_it_is_called(run, command, example):
    help = run("trivet-etl", command, "--help").stdout
    assert example in help.split("Examples:")[1] and max(map(len, help.splitlines())) <= 110
    assert "trivet-etl inspect" not in help


@pytest.fixture
def analyst(shops):
    """An analyst, who may only read, in a transaction that keeps its snapshot."""
    shops.psql("DO $$ BEGIN CREATE ROLE snapshot_reader LOGIN IN ROLE trivet_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    with psycopg2.connect(shops.postgres_uri.replace("//postgres@", "//snapshot_reader@")) as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        yield connection


@pytest.mark.parametrize("query", ["trivet.user_item(max_items_for_user => 10, min_users_for_item => 0, min_items_for_user => 0)",
                                   "trivet.user_item_core(max_items_for_user => 10)", "trivet.evidence()"])
def test_an_old_snapshot_is_no_data_set(shops, analyst, query):
    """Its codes and items would be those of east, its ratings those of west."""
    with analyst.cursor() as cursor:
        cursor.execute("SELECT trivet.check_snapshot() FROM trivet.code")
        assert cursor.fetchone() == (True,)
        shops.psql("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = 'west'))")
        with pytest.raises(psycopg2.Error, match="another data set has taken the place of east since this transaction began"):
            cursor.execute(f"SELECT count(*) FROM {query}")
        analyst.rollback()
        cursor.execute(f"SELECT count(*) FROM {query}")


def test_a_lock_keeps_the_data_set_for_a_transaction(run, shops, analyst):
    """The one of docs/tuning-filters.md."""
    with analyst.cursor() as cursor:
        cursor.execute("LOCK TABLE ONLY trivet.rating IN ACCESS SHARE MODE")
        cursor.execute("SELECT count(*) FROM trivet.code WHERE code = 'ann'")
        shops.psql("SELECT trivet.rate_as('ann', '{10}', '{4}')")
        refused = run("trivet-etl", "datasets", "use", "west", "--lock-wait", 1, env=shops.env, check=False)
        assert refused.returncode != 0 and "gave up after 1 s" in refused.stderr
        cursor.execute("SELECT trivet.check_snapshot(), count(*), sum(value) FROM trivet.rating WHERE user_id = trivet.user_id('ann')")
        assert cursor.fetchone() == (True, 2, 8)
        analyst.rollback()
    run("trivet-etl", "datasets", "use", "west", env=shops.env)
