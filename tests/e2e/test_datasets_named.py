"""A data set is known by its name: other data of the same name are refused, a newer state of the same data is not."""

import os
import subprocess

from dataset_texts import FIRST, SECOND, films, grades, rate, shown, untitled
from stores import REPO
from test_load import load, number, write


def test_other_data_of_the_same_name_is_refused(run, fresh_stores, tmp_path):
    s, folder = fresh_stores, write(tmp_path / "data", ratings=grades(), movies=films("Red"))
    load(run, s, folder)
    before = shown(s)
    write(folder, movies=films("Blue"))
    refused = load(run, s, folder, check=False)
    assert refused.returncode == 3 and "24 of the 24 items that both have are called otherwise" in refused.stderr, refused.stderr
    assert "--name" in refused.stderr and "--same" in refused.stderr
    assert shown(s) == before
    refused = load(run, s, write(tmp_path / "elsewhere", ratings=grades(), movies=films("Blue")), "--name", "data", check=False)
    assert refused.returncode == 3 and "this replaces" not in refused.stderr, refused.stderr  # nothing is
    # Also where the data set is away, and each way on.
    load(run, s, write(tmp_path / "other", ratings=grades(), movies=films("Green")))
    assert "called otherwise" in load(run, s, folder, check=False).stderr
    load(run, s, folder, "--name", "blue")
    assert s.psql("SELECT string_agg(name, ' ' ORDER BY id) FROM trivet.dataset") == "data other blue"
    load(run, s, folder, "--same")
    assert s.psql("SELECT title FROM trivet.item WHERE item_id = 7") == "Blue 7 (1990)"


def test_what_is_appended_goes_to_the_data_set_that_is_named(run, fresh_stores, tmp_path):
    s, second = fresh_stores, write(tmp_path / "second", ratings=SECOND)
    load(run, s, write(tmp_path / "first", ratings=FIRST))
    load(run, s, second)
    before = shown(s)
    for name, way in (("first", "trivet-etl datasets use first"), ("third", "without --append")):
        refused = load(run, s, second, "--append", "--name", name, check=False)
        assert refused.returncode == 3 and f"--append adds to the data set that is loaded, which is second and not {name}" in refused.stderr
        assert way in refused.stderr
    assert shown(s) == before
    load(run, s, second, "--append", "--name", "second", "--same")
    assert s.psql("SELECT string_agg(name, ' ' ORDER BY id) FROM trivet.dataset") == "first second"


def test_other_data_is_not_appended(run, fresh_stores, tmp_path):
    """Whose items are called otherwise: its ratings would be of the films that are there."""
    s, folder = fresh_stores, write(tmp_path / "data", ratings=grades(), movies=films("Red"))
    load(run, s, folder)
    before = shown(s)
    more = write(tmp_path / "more", ratings=grades(), movies=films("Blue"))
    refused = load(run, s, more, "--append", check=False)
    assert refused.returncode == 3 and "a data set data is there already, and 24 of the 24 items that both have" in refused.stderr, refused.stderr
    assert "without --append" in refused.stderr and "--same" in refused.stderr
    assert shown(s) == before
    load(run, s, write(more, movies=films("red")), "--append")
    load(run, s, write(more, movies=films("Blue")), "--append", "--same")
    assert number(s, "SELECT count(*) FROM trivet.load WHERE state = 'complete'") == 3


def test_a_newer_state_of_the_same_data_is_no_other_data(run, fresh_stores, tmp_path):
    s, folder = fresh_stores, write(tmp_path / "data", ratings=grades(), movies=films("Red"))
    load(run, s, folder)
    half = films("Red").splitlines(keepends=True)
    write(folder, movies="".join(half[:13]) + "".join(line.replace("Red", "Rot") for line in half[13:]))  # 12 of 24
    load(run, s, folder)
    few = tmp_path / "few"
    load(run, s, write(few, ratings=grades(19), movies=films("Red", 19)))
    load(run, s, write(few, movies=films("Blue", 19)))


def test_other_data_without_titles_does_not_take_single_ratings_over(run, fresh_stores, tmp_path):
    s, folder = fresh_stores, write(tmp_path / "data", ratings=untitled(1))
    load(run, s, folder)
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


def test_other_data_without_titles_replaces_nothing(run, fresh_stores, tmp_path):
    """Where nobody has rated, too. With titles that agree it is the same data, though other people rated."""
    s, folder = fresh_stores, write(tmp_path / "data", ratings=untitled(1))
    load(run, s, folder)
    before = shown(s)
    for other in (untitled(3), untitled(3, range(201, 281)), untitled(3, id="c{}")):
        refused = load(run, s, write(folder, ratings=other), check=False)
        assert refused.returncode == 3 and "this is other data, and would replace it" in refused.stderr, refused
        assert "--name" in refused.stderr and "--same" in refused.stderr and shown(s) == before
    load(run, s, write(folder, ratings=untitled(1, range(1, 100))))
    load(run, s, write(folder, ratings=untitled(3)), "--same")
    load(run, s, write(tmp_path / "films", ratings=untitled(4), movies=films("Red")))
    load(run, s, write(tmp_path / "films", ratings=untitled(5, range(201, 281))))
    assert number(s, "SELECT count(*) FROM trivet.load WHERE state = 'complete'") == 1


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
    for text, helps in (("user,item,rating\n1,10,4\nitem,user,rating\n11,2,5\n", False), ("user,item,rating\n", False),
                        ("who,what,points\n1,10,4\n", True), ("user,item,rating,date\n1,10,4,3/4/2005\n", True)):
        write(folder, ratings=text)
        done = service()
        assert (done.returncode, "LOAD_ARGUMENTS" in done.stderr) == (3, helps), done.stderr
        assert done.stderr.count("trivet-etl: ") >= 1
    write(folder, ratings=untitled(2))
    assert service("--name", "my shop").returncode == 0
    assert s.psql("SELECT name, current, live_ratings FROM trivet.datasets() ORDER BY dataset") == "data|f|1\nmy shop|t|0"
    write(folder, ratings=untitled(1))
    assert "it is the current data set again" in service().stdout
    assert s.psql("SELECT name, live_ratings FROM trivet.datasets() WHERE current") == "data|1"
