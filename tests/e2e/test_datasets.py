"""Data sets in Postgres: one is current, the others are kept whole and out of the way, and come back as they were."""

import json
import shlex

import pytest

from dataset_texts import CODES, FIRST, FIRST_ITEMS, SECOND, SECOND_ITEMS, rate, shown
from stores import StoreError
from test_load import load, number, some_ratings, write


@pytest.fixture
def first(tmp_path):
    folder = write(tmp_path / "first", ratings=FIRST, movies=FIRST_ITEMS)
    (folder / "tags.csv").write_text("userId,movieId,tag,timestamp\n1,10,dark,1000\n")
    return folder


@pytest.fixture
def second(tmp_path):
    return write(tmp_path / "second", ratings=SECOND, movies=SECOND_ITEMS)


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
    assert [(d["name"], d["ratings"], d["live_ratings"]) for d in listed] == [("first", 3, 1), ("second", 1, 1)]  # one of its two is single now


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


def test_no_refused_line_of_a_dropped_data_set_stays(run, fresh_stores, first, second):
    """Nor an example in a report: no forget could find them any more. Those of others stay, also those of a load that failed."""
    s = fresh_stores
    (first / "ratings.csv").write_text(FIRST + "770077,11,nonsense,1005\n")
    (second / "ratings.csv").write_text(SECOND + "770078,11,nonsense,1005\n")
    for folder in (first, first, second):  # the first load of `first` is replaced, and its lines stay with it
        load(run, s, folder)
    load(run, s, write(second.parent / "broken", ratings="userId,movieId,rating\n1,x,2\n"), "--ids", "numbers", check=False)
    named = "SELECT load_id, raw FROM trivet.reject UNION SELECT id, report ->> 'examples' FROM trivet.load ORDER BY 1"
    assert "770077" in s.psql(named) and "770078" in s.psql(named)
    run("trivet-etl", "datasets", "drop", "first", env=s.env)
    assert "770077" not in s.psql(named) and "770078" in s.psql(named)
    assert number(s, "SELECT count(*) FROM trivet.reject") == 2
    assert run("trivet-etl", "forget", "user", "770077", env=s.env, check=False).returncode == 3


def test_a_load_that_was_detached_by_hand_is_kept_and_is_not_loaded(run, fresh_stores, first, second):
    """Somebody looks at the rest without it: it is theirs to attach again."""
    s = fresh_stores
    load(run, s, first)
    load(run, s, second, "--append", "--same")
    s.psql("ALTER TABLE trivet.rating DETACH PARTITION trivet.rating_load_2")
    again = load(run, s, second, "--append", "--same", "--if-changed")
    assert "has not changed" not in again.stdout and "removed what an earlier load left behind" not in again.stderr
    assert number(s, "SELECT count(*) FROM trivet.rating_load_2") == 2
    s.psql("ALTER TABLE trivet.rating ATTACH PARTITION trivet.rating_load_2 FOR VALUES IN (2)")
    assert number(s, "SELECT count(*) FROM trivet.rating WHERE load_id = 2") == 2


def test_a_name_is_trimmed_and_has_no_line_break(run, fresh_stores, first, second):
    s = fresh_stores
    load(run, s, first, "--name", " films\t")
    load(run, s, first, "--name", "films")
    assert s.psql("SELECT string_agg(name, '|') FROM trivet.dataset") == "films"
    for name in ("a\nb", "a\tb", "  ", "\x7f"):
        refused = load(run, s, second, "--name", name, check=False)
        assert refused.returncode == 2 and "--name: the name " in refused.stderr, (name, refused)
    assert s.psql("SELECT string_agg(name, '|') FROM trivet.dataset") == "films"
    odd = second.rename(second.parent / " odd ")
    load(run, s, odd)
    assert s.psql("SELECT string_agg(name, '|' ORDER BY id) FROM trivet.dataset") == "films|odd"


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


def test_a_load_that_yields_leaves_its_own_folder_under_another_name(run, fresh_stores, first):
    s = fresh_stores
    load(run, s, first, "--name", "films")
    before = shown(s)
    done = load(run, s, first, "--yield", "--if-changed")
    assert f"loaded is films (from {first}): it stays" in done.stdout
    assert shown(s) == before
    load(run, s, first, "--yield", "--name", "other")  # that was somebody's word
    assert s.psql("SELECT name FROM trivet.dataset WHERE current") == "other"


def test_a_load_of_the_same_name_from_another_place_says_what_it_replaces(run, fresh_stores, tmp_path):
    s = fresh_stores
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ratings.csv").write_text(FIRST)
    assert "this replaces" not in load(run, s, tmp_path / "a/ratings.csv").stderr
    assert "this replaces" not in load(run, s, tmp_path / "a/ratings.csv").stderr
    done = load(run, s, tmp_path / "b/ratings.csv")
    assert f"this replaces the data set ratings.csv, which was loaded from {tmp_path}/a/ratings.csv (3 rows)" in done.stderr


def test_a_folder_is_the_same_wherever_it_is_called_from(run, fresh_stores, first, tmp_path):
    """Loaded by a relative path, its newer files are not somebody else's data for --yield."""
    load(run, fresh_stores, first.name, cwd=tmp_path)
    (first / "ratings.csv").write_text(FIRST + "2,11,2,1005\n")
    done = load(run, fresh_stores, first, "--yield")
    assert "it stays" not in done.stdout and number(fresh_stores, "SELECT count(*) FROM trivet.rating") == 4


@pytest.mark.parametrize("command,example", [("datasets", "trivet-etl datasets use films"), ("forget", "trivet-etl forget user 770077")])
def test_help_shows_how_it_is_called(run, command, example):
    help = run("trivet-etl", command, "--help").stdout
    assert example in help.split("Examples:")[1] and max(map(len, help.splitlines())) <= 110
    assert "trivet-etl inspect" not in help


def test_ratings_are_counted_from_what_there_is(run, fresh_stores, tmp_path):
    """Not from what loads brought: a single rating takes a row's place, and SQL deletes some."""
    def counts():
        listed = fresh_stores.psql("SELECT ratings, live_ratings FROM trivet.datasets() WHERE name = 'films'")
        told = json.loads(fresh_stores.psql("SELECT description FROM trivet.data_state()"))
        there = "SELECT count(*) FROM trivet.rating WHERE load_id IS "
        assert told["ratings"] == number(fresh_stores, "SELECT count(*) FROM trivet.rating") and told["live"] == number(fresh_stores, there + "NULL")
        assert listed == "|".join(fresh_stores.psql(there + which) for which in ("NOT NULL", "NULL"))
        return listed

    films = write(tmp_path / "films", ratings=some_ratings())
    assert "single" not in load(run, fresh_stores, films).stdout
    assert counts() == "600|0"
    rate(fresh_stores, 1, 1, 3)
    rate(fresh_stores, 1, 2, 3)
    fresh_stores.psql("SELECT trivet.unrate(2, 2)")
    assert counts() == "597|2"
    fresh_stores.psql("DELETE FROM trivet.rating WHERE user_id = 7 AND load_id IS NOT NULL")
    assert counts() == "577|2"
    write(films, ratings=some_ratings(shift=1))  # the same in a newer state: item 1 is nobody's there but by the single rating
    done = load(run, fresh_stores, films, "--same")
    assert "  single      1 row left out: single ratings of the same pairs stay\n" in done.stdout
    assert fresh_stores.psql("SELECT row_count, report -> 'gave_way', report -> 'rows' FROM trivet.load ORDER BY id DESC LIMIT 1") == "599|1|600"
    assert counts() == "599|2"
    run("trivet-train", "fit", "--factors", 2, "--set", "min_users_for_item=0", env=fresh_stores.env)
    assert fresh_stores.psql("SELECT data -> 'ratings', data -> 'live' FROM trivet.run") == "601|2"
    load(run, fresh_stores, write(tmp_path / "other", ratings=FIRST))
    assert fresh_stores.psql("SELECT split_part(rows, ',', 1) FROM trivet.dataset_goes((SELECT id FROM trivet.dataset WHERE name = 'films'))") == "601 ratings"
    rate(fresh_stores, 1, 10, 3)
    plays = write(tmp_path / "plays", ratings="userId,movieId,plays\n1,10,7\n")
    refused = load(run, fresh_stores, plays, "--name", "films", check=False)
    assert "2 single ones stay" in refused.stderr, refused.stderr
