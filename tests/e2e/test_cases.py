"""Files as people have them (tests/cases/files.toml): each case is loaded and inspected, and the two agree."""

import gzip
import io
import json
import os
import re
import subprocess
import tomllib
import zipfile

import pytest

from project import REPO
import test_load
from test_load import number, write

CASES = tomllib.loads((REPO / "tests/cases/files.toml").read_text())["case"]
KEYS = {"name", "files", "encoding", "flags", "rows", "items", "described", "tags", "plays", "says", "reports", "warns", "rejects", "refused",
        "refused_while_read"}
TIME = "coalesce('|' || rtrim(rtrim(to_char({} AT TIME ZONE 'utc', 'YYYY-MM-DD HH24:MI:SS.US'), '0'), '.'), '')"
ROWS = ("SELECT trivet.user_code(user_id) || '|' || trivet.item_code(item_id) || '|' || "
        "CASE WHEN value = trunc(value) THEN value::float8::text ELSE value::text END || "
        f"{TIME.format('rated_at')} FROM trivet.rating")
ITEMS = "SELECT trivet.item_code(item_id) || '|' || title FROM trivet.item WHERE title IS NOT NULL"
DESCRIBED = ("SELECT concat_ws('|', trivet.item_code(item_id), title, coalesce(year::text, '-'), coalesce(array_to_string(genres, '+'), '-'), imdb_id, "
             "tmdb_id) FROM trivet.item")
TAGS = ("SELECT trivet.user_code(user_id) || '|' || trivet.item_code(item_id) || '|' || tag || "
        f"{TIME.format('tagged_at')} FROM trivet.tag")
REJECTS = "SELECT file || '|' || line || '|' || reason FROM trivet.reject WHERE load_id = (SELECT max(id) FROM trivet.load)"

WARNINGS = ("SELECT w FROM trivet.load, jsonb_array_elements_text(report -> 'warnings') w "
            "WHERE id = (SELECT max(id) FROM trivet.load)")


@pytest.fixture(scope="module")
def place(run, servers):
    place = servers.place()
    run("trivet-etl", "schema", env=place.env)
    return place


@pytest.fixture
def folder(request, tmp_path):
    """The case's files, in a folder that always has the same name."""
    case = request.getfixturevalue("case")
    folder = tmp_path / "set"
    folder.mkdir()
    for name, text in case["files"].items():
        (folder / name).write_bytes(text.encode(case.get("encoding", "utf-8")))
    return folder


def load(run, place, folder, *flags, **how):
    """All cases are one data set, to which each is other data than the one before."""
    return test_load.load(run, place, folder, "--same", *flags, **how)


def lines(text):
    return sorted(text.strip("\n").split("\n")) if text.strip("\n") else []


def ours(text):
    """What trivet says; MongoDB's client warns of a full /dev/shm, whoever filled it."""
    return [line for line in text.splitlines() if "mongoc: Falling back to malloc" not in line]


def in_order(sentence, text):
    assert re.search(re.escape(sentence).replace(r"\ ", r"\s+"), text), text


def found_by(out):
    """The lines that load's report and inspect have in common: what was taken and what refused, and what looks wrong."""
    lines = [line for line in out.splitlines() if "SELECT file, line, reason, raw FROM" not in line]
    known = [re.match(r"  (ratings|plays|scale|times|rejected|warning)  +(.*)| {14}\S.*", line) for line in lines]
    return [m[0] for m in known if m and "no title is of a rated item" not in m[0]]


def read_as(out):
    """What inspect says that each file is read as: "ratings.csv: ratings, with user=...", the words of load's log."""
    found = []
    for block in re.split(r"\n\n", out)[1:]:
        head = re.match(r"\n*(\S+): ([a-z ]+),", block)
        how = re.search(r"^  read      (.*)$", block, re.M)
        if head:
            found.append(f"{head[1]}: {head[2]}" + (f", {how[1]}" if how else ""))
    return found


def test_there_are_enough_of_them():
    assert len(CASES) >= 60 and len({case["name"] for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.keys() <= KEYS and ("rows" in case) != any(key.startswith("refused") for key in case), case["name"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(run, place, folder, case):
    flags, loads = case.get("flags", []), number(place, "SELECT count(*) FROM trivet.load")
    before = place.psql(ROWS)
    loaded = load(run, place, folder, *flags, check=False)
    shown = run("trivet-etl", "inspect", folder, *flags, check=False)
    if "refused_while_read" in case:
        assert (loaded.returncode, shown.returncode) == (3, 3)
        said = ours(shown.stderr)
        assert said and ours(loaded.stderr)[-len(said):] == said
        in_order(case["refused_while_read"], loaded.stderr)
        assert place.psql(ROWS) == before
        return
    if "refused" in case:
        assert loaded.returncode in (2, 3) and "hint: " in loaded.stderr or "it is empty" in loaded.stderr, loaded.stderr
        assert (shown.returncode, ours(shown.stderr)) == (loaded.returncode, ours(loaded.stderr))
        in_order(case["refused"], loaded.stderr)
        assert place.psql(ROWS) == before and number(place, "SELECT count(*) FROM trivet.load") == loads
        return
    assert loaded.returncode == 0, loaded.stderr
    assert shown.returncode == 0, shown.stderr
    assert lines(place.psql(ROWS)) == lines(case["rows"])
    assert lines(place.psql(REJECTS)) == lines(case.get("rejects", ""))
    if "items" in case:
        assert lines(place.psql(ITEMS)) == lines(case["items"])
    if "described" in case:
        assert lines(place.psql(DESCRIBED)) == lines(case["described"])
    if "tags" in case:
        assert lines(place.psql(TAGS)) == lines(case["tags"])
    for sentence in case.get("reports", []):
        assert sentence in loaded.stdout
    for sentence in case.get("warns", []):
        assert sentence in loaded.stdout and sentence in shown.stdout
        assert sentence in place.psql(WARNINGS)
    assert found_by(shown.stdout.split("\na load would find\n")[1]) == found_by(loaded.stdout)
    values = place.psql("SELECT description ->> 'values' FROM trivet.data_state()")
    assert (values == "counts") == case.get("plays", False) == ("values    counts of plays" in shown.stdout)
    for words in read_as(shown.stdout):
        assert words in loaded.stderr
    for words in case.get("says", []):
        assert words in loaded.stderr
        assert words in shown.stdout or words.split(", ", 1)[-1] in shown.stdout


# --- what takes more lines than a table has -----------------------------------------------------------------------------


def test_ids_of_which_some_are_text(run, place, tmp_path):
    """Neither few, which are damage, nor most, which are codes: nobody but the user knows."""
    rows = "".join(f"{u},{u}00{'X' if u % 10 == 0 else u % 10},4\n" for u in range(1, 501))
    folder = write(tmp_path / "set", ratings="user,book,rating\n" + rows)
    for command in ("load", "inspect"):
        done = run("trivet-etl", command, folder, env=place.env, check=False)
        assert done.returncode == 3
        in_order('in the column book, the item, 50 of the first 500 ids are no integers, such as "1000X" hint: --ids codes', done.stderr)
    load(run, place, folder, "--ids", "codes")
    assert number(place, "SELECT count(*) FROM trivet.rating") == 500
    done = load(run, place, folder, "--ids", "numbers", "--max-rejects", 20, check=False)
    assert done.returncode == 3 and "--ids codes takes ids that are text" in done.stderr


def test_more_lines_are_refused_than_a_load_takes(run, place, tmp_path):
    """However many they are, inspect ends as a load does."""
    folder = write(tmp_path / "set", ratings="user,item,rating\n1,10,4\n" + "1,11,x\n" * 30 + "2,10,3\n" * 40)
    for flags, code in ((("--max-rejects", 29), 3), ((), 0)):
        loaded = load(run, place, folder, *flags, check=False)
        shown = run("trivet-etl", "inspect", folder, *flags, check=False)
        assert (loaded.returncode, shown.returncode) == (code, code)
        if code:
            assert "more than 29 lines refused; the first was ratings.csv line 3" in shown.stderr and "trivet.reject" not in shown.stderr
        else:
            assert "rejected    30 lines: 30 x rating is not a number" in shown.stdout and found_by(shown.stdout) == found_by(loaded.stdout)


def test_a_text_that_cannot_be_read_is_no_reason_to_refuse_the_ratings(run, place, tmp_path):
    folder = write(tmp_path / "set", ratings="user,item,rating\n1,10,4\n")
    for name, text in (("README.txt", "Films".encode("utf-16")), ("notes.txt", b"Films\rand users\r")):
        (folder / name).write_bytes(text)
    assert "README.txt: not used" in load(run, place, folder).stderr
    assert place.psql(ROWS) == "1|10|4"


def test_a_matrix_of_more_columns_than_a_table_may_have(run, place, tmp_path):
    folder = write(tmp_path / "set", ratings="user," + ",".join(f"m{i}" for i in range(300)) + "\n1" + ",0" * 300 + "\n")
    done = load(run, place, folder, check=False)
    assert done.returncode == 3
    in_order("ratings.csv: its lines have more than 256 fields hint: keep the columns of user, item and rating", done.stderr)


def test_minus_one_behind_what_was_looked_at(run, place, tmp_path):
    rows = "".join(f"{u},{i},{-1 if u == 110 and i == 7 else 4 + i % 3}\n" for u in range(1, 121) for i in range(100))
    folder = write(tmp_path / "set", ratings="user,item,rating\n" + rows)
    load(run, place, folder)
    assert place.psql(REJECTS) == "ratings.csv|10909|-1 where no rating before is negative (see --unrated)"
    done = load(run, place, folder, "--unrated", "drop")
    assert "ratings.csv: 1 line is left out, with no rating but -1" in done.stderr
    assert number(place, "SELECT count(*) FROM trivet.rating") == 11999
    load(run, place, folder, "--unrated", "keep")
    assert number(place, "SELECT count(*) FROM trivet.rating WHERE value = -1") == 1


def test_a_date_behind_what_was_looked_at_takes_the_order_back(run, place, tmp_path):
    """The days before it would be months; with the order said, its line alone is refused."""
    rows = "".join(f"{u},{i},4,{'12/24/2004' if u == 110 and i == 7 else f'{1 + i % 28}/12/2004'}\n" for u in range(1, 121) for i in range(100))
    folder = write(tmp_path / "set", ratings="user,item,rating,date\n" + rows)
    before = number(place, "SELECT count(*) FROM trivet.load WHERE state = 'complete'")
    for done in (load(run, place, folder, check=False), run("trivet-etl", "inspect", folder, check=False)):
        assert done.returncode == 3
        in_order('line 10909 has one of the dates with the month first, "12/24/2004", and the lines before have dates with the day first '
                 'hint: --dates day-first or', done.stderr)
    assert number(place, "SELECT count(*) FROM trivet.load WHERE state = 'complete'") == before
    load(run, place, folder, "--dates", "day-first")
    assert place.psql(REJECTS) == "ratings.csv|10909|day and month in another order than the file's"


@pytest.mark.parametrize("item, unrated, rest, reason", [
    ("anime_id", -1, 4, None), ("anime_id", 0, 4, None), ("anime_id", 4, 0, "0 where no rating before is 0 (see --unrated)"),
    ("anime_id", 4, -1, "-1 where no rating before is negative (see --unrated)")])
def test_a_file_that_is_sorted_by_its_ratings(run, place, tmp_path, item, unrated, rest, reason):
    """The lines that are looked at are all alike."""
    rows = "".join(f"{n},{1000 + n % 7},{unrated if n <= 10001 else rest}\n" for n in range(1, 10104))
    folder = write(tmp_path / "set", ratings=f"user_id,{item},rating\n{rows}")
    for done in (load(run, place, folder, check=False), run("trivet-etl", "inspect", folder, check=False)):
        assert done.returncode == (0 if reason else 3)
        assert reason or f"10,000 values are {unrated}, which says that there is no rating" in done.stderr
    if reason:
        assert place.psql(f"SELECT count(*) FROM trivet.reject WHERE load_id = (SELECT max(id) FROM trivet.load) AND reason = '{reason}'") == "102"
    load(run, place, folder, "--unrated", "drop")
    assert number(place, "SELECT count(*) FROM trivet.rating WHERE value = 4") == (10001 if reason else 102)


def test_what_gives_its_bytes_once_is_no_file(run, tmp_path):
    os.mkfifo(tmp_path / "ratings.csv")
    done = run("trivet-etl", "inspect", tmp_path / "ratings.csv", check=False)
    assert done.returncode == 3 and "is neither a file nor a folder" in done.stderr


def test_a_second_kind_of_event_behind_what_was_looked_at(run, place, tmp_path):
    rows = "".join(f"{i},{i % 7},view\n" for i in range(10001))
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "events.csv").write_text("user_id,item_id,event_type\n" + rows + "1,2,purchase\n")
    for out in (load(run, place, folder).stdout, run("trivet-etl", "inspect", folder).stdout):
        assert "lines count alike, whatever their event_type says (view, purchase). Those of one kind alone: python3 -c" in out


def test_names_of_files_that_are_no_text(run, place, tmp_path):
    """They are shown and kept with the bytes written out, whether a disk or an archive has them."""
    text, packed, buffer = b"userId,movieId,rating\n1,2,3\nx,1,2\n", tmp_path / "a.zip", io.BytesIO()
    folder = tmp_path / os.fsdecode(b"n\xe9w")
    folder.mkdir()
    (folder / os.fsdecode(b"ratings_\xc6\xc0\x1b[31m.csv")).write_bytes(text)
    with zipfile.ZipFile(buffer, "w") as z:
        z.writestr("ratings_AAAA.csv", text)
    packed.write_bytes(buffer.getvalue().replace(b"AAAA", b"\xc6\xc0\x1b\x07"))
    for path, name in ((folder, "ratings_\\xc6\\xc0\\x1b[31m.csv"), (packed, "ratings_\\xc6\\xc0\\x1b\\x07.csv")):
        load(run, place, path)
        loaded, shown = load(run, place, path), run("trivet-etl", "inspect", path)
        assert f"{name}: ratings" in loaded.stderr and f"{name}: ratings" in shown.stdout and "\x1b" not in loaded.stderr + shown.stdout
        assert place.psql(ROWS) == "1|2|3" and place.psql(REJECTS) == f"{name}|3|id is not an integer"
        assert place.psql("SELECT report -> 'files' -> 0 ->> 'file' FROM trivet.load ORDER BY id DESC LIMIT 1") == name
    assert place.psql("SELECT source FROM trivet.load ORDER BY id DESC OFFSET 2 LIMIT 1").endswith("/n\\xe9w")


def test_the_flags_are_part_of_what_was_loaded(run, place, tmp_path):
    folder = write(tmp_path / "set", ratings="who,what,points,stars\n1,10,4,5\n")
    first = ("--columns", "user=who,item=what,rating=points", "--if-changed")
    assert "nothing to do" not in load(run, place, folder, *first).stdout
    assert "nothing to do" in load(run, place, folder, *first).stdout
    assert "nothing to do" not in load(run, place, folder, "--columns", "user=who,item=what,rating=stars", "--if-changed").stdout
    assert place.psql(ROWS) == "1|10|5"
    folder = write(tmp_path / "dated", ratings="user,item,rating,date\n1,10,4,3/4/2005\n")
    for order, done in (("day-first", False), ("day-first", True), ("month-first", False)):
        assert ("nothing to do" in load(run, place, folder, "--dates", order, "--if-changed").stdout) == done


def lines_until(sample, row, last):
    """A table whose last line is none of the lines that are looked at."""
    return "".join(f"{1 + n // 100}{row.format(n % 100)}\n" for n in range(sample)) + last + "\n"


@pytest.mark.parametrize("header, row, last, reason", [
    ("user;item;plays", ";{};7", "500;1;1.234", "a point that could divide thousands (see --decimal)"),
    ("user,item,plays", ",{},7", "500,1,1.234", "a point that could divide thousands (see --decimal)"),
    ("user\titem\trating", "\t{}\t4", "500\t1\t4.125", "a point that could divide thousands (see --decimal)"),
    ("user;item;rating", ";{};4,5", "500;1;1.234", "a number in another form than the file's"),
    ("user;item;rating", ";{};4,5", "1.000;1;4,5", "an id that could be thousands or a fraction"),
    ("user,item,rating", ",{},4", "1.000,1,4", "an id that could be thousands or a fraction"),
    ("user;item;rating", ";{};4,5", "500;1,000;4,5", "an id that could be thousands or a fraction")])
def test_a_sign_behind_what_was_looked_at(run, place, tmp_path, header, row, last, reason):
    """No value before shows what it means."""
    name = "plays" if "plays" in header else "ratings"
    folder = write(tmp_path / "set", **{name: header + "\n" + lines_until(10000, row, last)})
    load(run, place, folder)
    assert place.psql(REJECTS) == f"{name}.csv|10002|{reason}"
    assert number(place, "SELECT count(*) FROM trivet.rating") == 10000
    shown = run("trivet-etl", "inspect", folder).stdout
    assert f"rejected    1 line: 1 x {reason}" in shown
    if "--decimal" in reason:
        load(run, place, folder, "--decimal", "point")
        assert number(place, f"SELECT count(*) FROM trivet.rating WHERE value = {last.split(header[4])[-1]}::real") == 1


def test_a_fraction_behind_what_was_looked_at_takes_the_word_of_the_commas_back(run, place, tmp_path):
    """1,234 was 1234 while no comma stood before a fraction; with the sign said, the one line is refused alone, or all are fractions."""
    folder = write(tmp_path / "set", plays="user;item;plays\n" + lines_until(10000, ";{};1,234", "500;1;12,5"))
    before = number(place, "SELECT count(*) FROM trivet.load WHERE state = 'complete'")
    for done in (load(run, place, folder, check=False), run("trivet-etl", "inspect", folder, check=False)):
        assert done.returncode == 3
        in_order("it holds the number 12,5, whose comma stands before a fraction, and lines before it hold such as 1,234, which could be one, too "
                 "hint: --decimal comma takes", done.stderr)
    assert number(place, "SELECT count(*) FROM trivet.load WHERE state = 'complete'") == before
    load(run, place, folder, "--decimal", "comma")
    assert place.psql("SELECT min(value), max(value) FROM trivet.rating") == "1.234|12.5"
    load(run, place, folder, "--decimal", "point")
    assert place.psql(REJECTS) == "plays.csv|10002|rating is not a number"


@pytest.mark.parametrize("decimal, last, value", [("comma", "1.234", "1234"), ("comma", "12,5", "12.5"), ("point", "1,234", "1234")])
def test_a_sign_that_was_said_holds_behind_what_was_looked_at(run, place, tmp_path, decimal, last, value):
    folder = write(tmp_path / "set", plays="user;item;plays\n" + lines_until(10000, ";{};7", "500;1;" + last))
    load(run, place, folder, "--decimal", decimal)
    assert place.psql("SELECT value FROM trivet.rating WHERE user_id = 500") == value
    assert f"{value} plays" in load(run, place, folder, "--decimal", decimal).stdout


def test_few_times_of_before_are_counted(run, place, tmp_path):
    folder = write(tmp_path / "set", ratings="user,item,rating,timestamp\n1,2,3,20050402\n1,3,4,1112484727\n1,4,4,1112484728\n")
    for out in (load(run, place, folder).stdout, run("trivet-etl", "inspect", folder).stdout):
        assert "times       1 row has a time between 1970 and 1990" in out and "warning" not in out
    assert place.psql("SELECT report ->> 'early_times' FROM trivet.load ORDER BY id DESC LIMIT 1") == "1"


def test_a_line_that_is_too_long_is_not_called_nothing(run, place, tmp_path):
    folder = write(tmp_path / "set", ratings="u" * 70000 + ",item,rating\n")
    for done in (load(run, place, folder, check=False), run("trivet-etl", "inspect", folder, check=False)):
        in_order("ratings.csv: none of its first lines is a record: line 1 is refused (line longer than 64 KiB) hint: ", done.stderr)


def test_files_of_one_name_in_an_archive(run, place, tmp_path):
    """They are told apart by their folders, and titles come from the folder of the ratings."""
    packed = tmp_path / "set.zip"
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("a/ratings.csv", "userId,movieId,rating\n1,2,3\n1,3,4\n")
        z.writestr("b/ratings.csv", "userId,movieId,rating\n1,2,5\n")
        z.writestr("a/movies.csv", "movieId,title\n2,Heat\n")
        z.writestr("b/movies.csv", "movieId,title\n2,Another one of the same number\n")
    loaded, shown = load(run, place, packed), run("trivet-etl", "inspect", packed)
    assert lines(place.psql(ROWS)) == ["1|2|3", "1|3|4"] and place.psql(ITEMS) == "2|Heat"
    for words in ("a/ratings.csv: ratings", "a/movies.csv: items", "b/ratings.csv: not used", "b/movies.csv: not used"):
        assert words in loaded.stderr and words in shown.stdout
    assert "b/ratings.csv looks like ratings, too, and was not read" in loaded.stdout and "b/ratings.csv looks like" in shown.stdout


@pytest.mark.parametrize("name, text, pack", [
    ("reviews.jsonl", '{"user_id":1,"item_id":10,"rating":4}\n', "reviews.jsonl.gz"),
    ("combined_data_1.txt", "1:\n7,3,2005-09-06\n", "set.zip")])
def test_a_command_for_what_is_packed_begins_with_unpacking(run, tmp_path, name, text, pack):
    if pack.endswith(".gz"):
        (tmp_path / pack).write_bytes(gzip.compress(text.encode()))
    else:
        with zipfile.ZipFile(tmp_path / pack, "w") as z:
            z.writestr(name, text)
            z.writestr("movie_titles.csv", "1,2003,Dinosaur Planet\n")
    done = run("trivet-etl", "inspect", tmp_path / pack, check=False)
    assert done.returncode == 3 and f"hint: unpack {pack} first; then make a" in done.stderr and f"{name}" in done.stderr


def test_several_archives_in_a_folder_are_named(run, tmp_path):
    for pack in ("a.zip", "b.zip"):
        with zipfile.ZipFile(tmp_path / pack, "w") as z:
            z.writestr("ratings.csv", "userId,movieId,rating\n1,2,3\n")
            z.writestr("movies.csv", "movieId,title\n2,Heat\n")
    (tmp_path / "notes.csv").write_text("Whatever\n")
    done = run("trivet-etl", "inspect", tmp_path, check=False)
    assert done.returncode == 3 and "hint: it holds a.zip and b.zip: give one of these archives itself" in done.stderr
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating\n1,2,3\n")
    shown = run("trivet-etl", "inspect", tmp_path).stdout
    assert "a.zip: not used: an archive of several files is loaded by itself" in shown


@pytest.mark.parametrize("by_line", [True, False])
def test_the_command_for_json_makes_a_table_that_is_read(run, place, tmp_path, by_line):
    rows = [{"user_id": f"u{n}", "business_id": 'b"x', "stars": 4.0 + n, "text": "ä,\n", "date": "2016-03-09 01:00:00"} for n in range(2)]
    (tmp_path / "review.json").write_text("\n\n".join(json.dumps(row) for row in rows) + "\n" if by_line else json.dumps(rows))
    command = run("trivet-etl", "inspect", tmp_path, check=False).stderr.split("a line for each rating: ")[1].strip()
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    load(run, place, tmp_path / "ratings.csv")
    assert lines(place.psql(ROWS)) == ['u0|b"x|4|2016-03-09 01:00:00', 'u1|b"x|5|2016-03-09 01:00:00']


@pytest.mark.parametrize("rows", [[{"userId": 1, "movieId": 2, "points": 4}], [{"userId": 1, "movieId": 2, "stars": 4, "score": 3}],
                                  [{"userId": 1, "movieId": 2, "title": "x"}, {"userId": 1, "movieId": 3, "title": "y", "rating": 5}]])
@pytest.mark.parametrize("by_line", [True, False])
def test_the_command_for_json_loses_nothing_that_could_be_the_rating(run, place, tmp_path, rows, by_line):
    """Where the first object does not surely name it. A table of users and items alone would be one of plays."""
    (tmp_path / "r.json").write_text("\n".join(map(json.dumps, rows)) + "\n" if by_line else json.dumps(rows))
    command = run("trivet-etl", "inspect", tmp_path, check=False).stderr.split("a line for each rating: ")[1].strip()
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    written = (tmp_path / "ratings.csv").read_text().splitlines()
    assert written[0].split(",") == list(dict.fromkeys(key for row in rows for key in row)) and len(written) == len(rows) + 1
    done = load(run, place, tmp_path / "ratings.csv", check=False)
    assert "plays" not in done.stdout and (done.returncode == 3 or "1|3|5" in place.psql(ROWS))
