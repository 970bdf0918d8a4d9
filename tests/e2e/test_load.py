"""trivet-etl load: every format against counts made here from the same files, what is refused, what a crash leaves."""

import csv
import json
import re
import shutil
import signal
import subprocess
import threading
import time
import zipfile

import psycopg2
import pytest

from breakpoints import at
from rating_sets import unpacked
from server import clean_environment


def load(run, stores, folder, *args, **options):
    return run("trivet-etl", "load", folder, *args, env=stores.env, **options)


def number(stores, sql):
    return int(stores.psql(sql))


def ratings_of(stores):
    """Every rating as the store has it: (user, item, value)."""
    rows = stores.psql("SELECT user_id, item_id, value FROM trivet.rating").splitlines()
    return sorted((int(u), int(i), float(v)) for u, i, v in (row.split("|") for row in rows))


def table(path, delimiter=",", encoding="utf-8-sig"):
    with open(path, encoding=encoding, newline="") as f:
        return list(csv.DictReader(f, delimiter=delimiter))


def write(folder, **files):
    """write(folder, ratings="...") makes folder/ratings.csv."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def some_ratings(users=30, items=20, shift=0):
    rows = [f"{u},{i + shift},{1 + (u * i) % 5},{1000000000 + u * 100 + i}" for u in range(1, users + 1)
            for i in range(1, items + 1)]
    return "userId,movieId,rating,timestamp\n" + "\n".join(rows) + "\n"


# --- formats ----------------------------------------------------------------------------------------------------------


def check_small(stores, folder):
    """The database against the four files of a MovieLens set."""
    ratings, movies = table(folder / "ratings.csv"), table(folder / "movies.csv")
    links, tags = table(folder / "links.csv"), table(folder / "tags.csv")
    expected = sorted((int(r["userId"]), int(r["movieId"]), float(r["rating"])) for r in ratings)
    assert ratings_of(stores) == expected
    assert number(stores, "SELECT sum(extract(epoch FROM rated_at))::bigint FROM trivet.rating") == sum(
        int(r["timestamp"]) for r in ratings)
    assert number(stores, "SELECT count(*) FROM trivet.item") == len(movies)
    assert number(stores, "SELECT count(*) FROM trivet.item WHERE tmdb_id IS NOT NULL") == sum(
        bool(r["tmdbId"]) for r in links)
    assert stores.psql("SELECT imdb_id, tmdb_id FROM trivet.item WHERE item_id = 1") == "tt0114709|862"
    got = sorted(tuple(row.split("|")) for row in stores.psql(
        "SELECT user_id, item_id, extract(epoch FROM tagged_at)::bigint, tag FROM trivet.tag").splitlines())
    assert got == sorted((r["userId"], r["movieId"], r["timestamp"], r["tag"]) for r in tags)
    genres = sum(len(r["genres"].split("|")) for r in movies if r["genres"] != "(no genres listed)")
    assert number(stores, "SELECT sum(cardinality(genres)) FROM trivet.item") == genres


def test_movielens_csv(run, fresh_stores, data_dir):
    done = load(run, fresh_stores, data_dir / "ml-latest-small")
    check_small(fresh_stores, data_dir / "ml-latest-small")
    assert "100,836 rows, 610 users, 9,724 items" in done.stdout
    assert "0.5 to 5 by 0.5" in done.stdout and "1.7 %" in done.stdout and "rejected    0 lines" in done.stdout
    title = fresh_stores.psql("SELECT title, year FROM trivet.item WHERE item_id IN (1221, 73) ORDER BY item_id")
    assert title == "Les Misérables (1995)|1995\nThe Godfather: Part II (1974)|1974"
    assert fresh_stores.psql("SELECT userid, movieid, rating, timestamp FROM public.ratings "
                             "WHERE userid = 1 AND movieid = 1") == "1|1|4|964982703"


def test_line_ends_and_byte_order_mark(run, fresh_stores, data_dir, tmp_path):
    """The same set with LF line ends and a byte order mark gives the same rows."""
    folder = tmp_path / "lf"
    folder.mkdir()
    for name in ("ratings", "movies", "links", "tags"):
        source = (data_dir / "ml-latest-small" / f"{name}.csv").read_bytes()
        assert b"\r\n" in source
        (folder / f"{name}.csv").write_bytes(b"\xef\xbb\xbf" + source.replace(b"\r\n", b"\n"))
    load(run, fresh_stores, folder)
    check_small(fresh_stores, data_dir / "ml-latest-small")


def test_zip(run, fresh_stores, data_dir, tmp_path):
    archive = tmp_path / "ml-latest-small.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        for path in sorted((data_dir / "ml-latest-small").iterdir()):
            z.write(path, f"ml-latest-small/{path.name}")
        z.writestr("__MACOSX/ml-latest-small/._ratings.csv", b"\0\1")
    load(run, fresh_stores, archive)
    check_small(fresh_stores, data_dir / "ml-latest-small")
    assert fresh_stores.psql("SELECT name, format FROM trivet.load") == "ml-latest-small|movielens-csv"


def test_a_damaged_zip_changes_nothing(run, fresh_stores, data_dir, tmp_path):
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        z.write(data_dir / "ml-latest-small/ratings.csv", "ratings.csv")
    whole = archive.read_bytes()
    archive.write_bytes(whole[:len(whole) // 2] + b"\0" * 2000 + whole[len(whole) // 2 + 2000:])
    done = load(run, fresh_stores, archive, check=False)
    assert done.returncode == 3 and "x.zip" in done.stderr


def test_ml_100k(run, fresh_stores, data_dir):
    folder = data_dir / "ml-100k"
    done = load(run, fresh_stores, folder)
    rows = [line.split("\t") for line in (folder / "u.data").read_text().splitlines()]
    assert ratings_of(fresh_stores) == sorted((int(u), int(i), float(v)) for u, i, v, _ in rows)
    assert "6.305 %" in done.stdout and "duplicates  0 rows" in done.stdout
    items = [line.split("|") for line in (folder / "u.item").read_text(encoding="iso-8859-1").splitlines()]
    genres = [line.split("|")[0] for line in (folder / "u.genre").read_text().split("\n") if line]
    expected = {i[0]: ",".join(g for g, flag in zip(genres, i[5:]) if flag == "1" and g != "unknown") for i in items}
    got = dict(row.split("|") for row in fresh_stores.psql(
        "SELECT item_id, array_to_string(genres, ',') FROM trivet.item").splitlines())
    assert got == expected
    assert fresh_stores.psql("SELECT title FROM trivet.item WHERE item_id = 543") == "Les Misérables (1995)"
    assert number(fresh_stores, "SELECT count(*) FROM trivet.item WHERE title ~ '[^\\x01-\\x7f]'") == sum(
        not i[1].isascii() for i in items)


@pytest.fixture(scope="module")
def ml_1m(data_dir, tmp_path_factory):
    return unpacked(data_dir / "ml-1m.tar.gz", tmp_path_factory.mktemp("ml-1m")) / "ml-1m"


def test_ml_1m(run, fresh_stores, ml_1m, tmp_path):
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    lines = (ml_1m / "ratings_first487650.dat").read_text().splitlines(keepends=True)[:60000]
    (folder / "ratings.dat").write_text("".join(lines))
    shutil.copy(ml_1m / "movies.dat", folder)
    load(run, fresh_stores, folder)
    assert ratings_of(fresh_stores) == sorted(
        (int(u), int(i), float(v)) for u, i, v, _ in (line.strip().split("::") for line in lines))
    movies = [line.split("::") for line in (ml_1m / "movies.dat").read_text(encoding="iso-8859-1").splitlines()]
    assert number(fresh_stores, "SELECT count(*) FROM trivet.item") == len(movies)
    assert number(fresh_stores, "SELECT sum(cardinality(genres)) FROM trivet.item") == sum(
        len(m[2].split("|")) for m in movies)
    assert number(fresh_stores, "SELECT count(*) FROM trivet.item WHERE title ~ '[^\\x01-\\x7f]'") == sum(
        not m[1].isascii() for m in movies)
    assert fresh_stores.psql("SELECT format FROM trivet.load") == "ml-1m"


def test_recbole(run, fresh_stores, movielens_100k):
    load(run, fresh_stores, movielens_100k)
    rows = table(movielens_100k / "ml-100k.inter", "\t")
    assert ratings_of(fresh_stores) == sorted(
        (int(r["user_id:token"]), int(r["item_id:token"]), float(r["rating:float"])) for r in rows)
    assert number(fresh_stores, "SELECT count(*) FROM trivet.item") == 1682
    assert fresh_stores.psql("SELECT title, genres FROM trivet.item WHERE item_id = 1") == (
        "Toy Story (1995)|{Animation,Children's,Comedy}")


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_the_movies_dataset(run, fresh_stores, data_dir, tmp_path, line_end):
    source = data_dir / "the-movies-dataset"
    for name in ("ratings_small.csv", "links_small.csv"):
        (tmp_path / name).write_bytes((source / name).read_bytes().replace(b"\n", line_end))
    shutil.copy(source / "movies_metadata_first2996.csv", tmp_path)
    done = load(run, fresh_stores, tmp_path)
    assert "100,004 rows, 671 users, 9,066 items" in done.stdout and "rejected    0 lines" in done.stdout
    links = {r["tmdbId"]: r["movieId"] for r in table(source / "links_small.csv") if r["tmdbId"]}
    metadata = {}
    for row in table(source / "movies_metadata_first2996.csv"):
        metadata.setdefault(row["id"], row)  # one id stands there twice: the first counts
    joined = {links[t]: row for t, row in metadata.items() if t in links}
    assert len(joined) == 2500
    got = {}
    for line in fresh_stores.psql("SELECT json_build_object('id', item_id, 'title', title, 'genres', genres, "
                                  "'extra', extra) FROM trivet.item WHERE title IS NOT NULL").splitlines():
        row = json.loads(line)
        got[str(row["id"])] = row
    assert got.keys() == joined.keys()
    for item, row in joined.items():
        assert got[item]["genres"] == [g["name"] for g in eval(row["genres"])]
        assert got[item]["title"].startswith(row["title"])
        assert (got[item]["extra"] or {}).get("overview", "") == row["overview"]
        assert (got[item]["extra"] or {}).get("language", "") == row["original_language"]
        if row["runtime"]:
            assert got[item]["extra"]["runtime"] == float(row["runtime"])
    assert fresh_stores.psql("SELECT format FROM trivet.load") == "kaggle-movies"


def test_duplicates_are_counted(run, fresh_stores, data_dir, tmp_path):
    folder = unpacked(data_dir / "epinions-922k.tar.gz", tmp_path)
    done = load(run, fresh_stores, folder / "epinions-922k")
    assert "922,267 rows, 22,164 users, 296,277 items" in done.stdout
    assert "9,826 rows repeat a pair" in done.stdout


def test_duplicates_are_counted_where_users_stand_apart(run, fresh_stores, tmp_path):
    write(tmp_path, ratings="userId,movieId,rating\n1,1,1\n2,1,1\n1,1,2\n1,2,3\n2,1,3\n2,1,3\n")
    assert "3 rows repeat a pair" in load(run, fresh_stores, tmp_path).stdout


@pytest.mark.parametrize("name, lines, said", [
    ("rating", "1,1,4.5\n1,2,-0.3\n2,1,3\n2,3,1.1\n", "scale       -0.3 to 4.5"),
    ("plays", "1,1,3\n1,2,5\n1,1,4\n2,1,2\n", "counts      2 to 7 plays"),
    ("plays", "1,1,3.4028e38\n2,1,3\n1,2,4\n", "counts      3 to 3.4e+38 plays"),
], ids=["ratings", "plays that are added up", "plays that are cut off, though no pair is repeated"])
def test_the_scale_that_is_kept_and_told_is_that_of_the_rows(run, fresh_stores, tmp_path, name, lines, said):
    write(tmp_path, ratings=f"userId,movieId,{name}\n{lines}")
    assert said in load(run, fresh_stores, tmp_path).stdout
    kept = fresh_stores.psql("SELECT low, high FROM trivet.load")
    assert kept == fresh_stores.psql("SELECT min(value), max(value) FROM trivet.rating")


# --- what is refused --------------------------------------------------------------------------------------------------

BAD_RATINGS = (b"userId,movieId,rating,timestamp\n"
               b"1,1,4.0,1\n"
               b"1,2,4.0\n"                              # 3
               b"1,3,nan,1\n"                            # 4
               b"1,4,inf,1\n"                            # 5
               b"1,5,four,1\n"                           # 6
               b"9223372036854775808,6,4.0,1\n"          # 7
               b"9223372036854775807,6,4.0,1\n"
               b"x,7,4.0,1\n"                            # 9
               b"1,8,4.0,1\n"
               b"1,9,\"4.0,1\n"                          # 11
               b"1,10,4.0,99999999999999\n"              # 12
               b"1,11,4.0,\n"
               b"\n"
               b"1,12,4.0,1\n")
BAD_MOVIES = b"movieId,title,genres\n1,Caf\xe9 (1999),Drama\n2,\"F\xc3\xadne, The (2001)\",Drama\n3,Nul\0l,Drama\n"
REASONS = [("movies.csv", 2, "invalid UTF-8"), ("movies.csv", 4, "NUL byte"),
           ("ratings.csv", 3, "wrong number of fields"), ("ratings.csv", 4, "NaN rating"),
           ("ratings.csv", 5, "infinite rating"), ("ratings.csv", 6, "rating is not a number"),
           ("ratings.csv", 7, "id beyond 64 bits"), ("ratings.csv", 9, "id is not an integer"),
           ("ratings.csv", 11, "quote that never closes"), ("ratings.csv", 12, "time out of range")]


def rejects_of(stores):
    rows = stores.psql("SELECT file, line, reason FROM trivet.reject ORDER BY file, line").splitlines()
    return [(f, int(line), reason) for f, line, reason in (row.split("|") for row in rows)]


def test_bad_lines_are_refused_alone(run, fresh_stores, tmp_path):
    done = load(run, fresh_stores, write(tmp_path / "bad", ratings=BAD_RATINGS, movies=BAD_MOVIES))
    assert rejects_of(fresh_stores) == REASONS
    assert [r[:2] for r in ratings_of(fresh_stores)] == [(1, 1), (1, 8), (1, 11), (1, 12), (2**63 - 1, 6)]
    assert fresh_stores.psql("SELECT item_id, title FROM trivet.item") == "2|The Fíne (2001)"
    assert "rejected    10 lines" in done.stdout and "1 x NaN rating" in done.stdout
    raw = fresh_stores.psql("SELECT raw FROM trivet.reject WHERE file = 'movies.csv' ORDER BY line")
    assert raw == "1,Caf\\xe9 (1999),Drama\n3,Nul\\x00l,Drama"
    assert fresh_stores.psql("SELECT reject_count, row_count FROM trivet.load") == "10|5"


def test_a_long_quoted_record_costs_its_first_line(run, fresh_stores, tmp_path):
    long = '2,"' + "a" * 40000 + "\n" + "b" * 40000 + '",Drama\n'
    write(tmp_path, ratings=some_ratings(),
          movies="movieId,title,genres\n1,One (1991),Drama\n" + long + "4,Four (1994),Drama\n")
    load(run, fresh_stores, tmp_path)
    assert rejects_of(fresh_stores) == [("movies.csv", 3, "quoted record longer than 64 KiB"),
                                        ("movies.csv", 4, "wrong number of fields")]
    assert fresh_stores.psql("SELECT string_agg(item_id::text, ',' ORDER BY item_id) FROM trivet.item") == "1,4"
    assert number(fresh_stores, "SELECT max(length(raw)) FROM trivet.reject") == 1000


@pytest.mark.parametrize("allowed, code", [(10, 0), (9, 3), (1, 3), (0, 3)])
def test_too_many_rejects_roll_back(run, fresh_stores, tmp_path, allowed, code):
    load(run, fresh_stores, write(tmp_path / "good", ratings=some_ratings()))
    before = ratings_of(fresh_stores)
    bad = write(tmp_path / "bad", ratings=BAD_RATINGS, movies=BAD_MOVIES)
    done = load(run, fresh_stores, bad, "--max-rejects", allowed, check=False)
    assert done.returncode == code
    if code == 0:
        return
    assert f"more than {allowed} {'line' if allowed == 1 else 'lines'} refused; the first was ratings.csv line 3: wrong number of fields" in done.stderr
    assert ratings_of(fresh_stores) == before
    assert number(fresh_stores, "SELECT count(*) FROM trivet.reject") == allowed + 1
    assert fresh_stores.psql("SELECT state, reject_count FROM trivet.load ORDER BY id DESC LIMIT 1") == (
        f"failed|{allowed + 1}")
    nothing_left_over(fresh_stores)


def test_a_damaged_first_line_does_not_set_the_field_count(run, fresh_stores, tmp_path):
    """Without a header the first line that can be a rating says how many fields there are."""
    (tmp_path / "ratings.dat").write_text("1::2\n1::2::3::4\n1::3::3\n2::2::5::4\n")
    (tmp_path / "movies.dat").write_text("1\n2::Two (1992)::Drama\n")
    load(run, fresh_stores, tmp_path)
    assert ratings_of(fresh_stores) == [(1, 2, 3.0), (2, 2, 5.0)]
    assert rejects_of(fresh_stores) == [(f, line, "wrong number of fields")
                                        for f, line in (("movies.dat", 1), ("ratings.dat", 1), ("ratings.dat", 3))]


@pytest.mark.parametrize("files, words", [
    ({}, "holds no ratings"),
    ({"ratings": "one,two\n1,2\n"}, "holds no ratings"),
    ({"ratings": "userId,movieId,rating\n"}, "holds no rating that can be read"),
    ({"ratings": b"\xff\xfeu\0s\0"}, "UTF-16"),
])
def test_nothing_to_load(run, fresh_stores, tmp_path, files, words):
    done = load(run, fresh_stores, write(tmp_path / "x", **files), check=False)
    assert done.returncode == 3 and words in done.stderr and "Traceback" not in done.stderr


def test_missing_folder_and_missing_postgres(run, fresh_stores, tmp_path):
    done = load(run, fresh_stores, tmp_path / "nowhere", check=False)
    assert done.returncode == 3 and "nowhere" in done.stderr
    done = run("trivet-etl", "load", write(tmp_path / "x", ratings=some_ratings()), check=False)
    assert done.returncode == 4 and "hint: " in done.stderr


# --- one load after another -------------------------------------------------------------------------------------------


def nothing_left_over(stores):
    """Each table of a load is of one that is complete or kept with its data set, and no load is in the air."""
    tables = stores.psql("SELECT relname FROM pg_class WHERE relname ~ '^rating_load_[0-9]+$' AND relkind = 'r' "
                         "ORDER BY relname").split()
    complete = stores.psql("SELECT 'rating_load_' || id FROM trivet.load WHERE state IN ('complete', 'away') ORDER BY 1").split()
    assert sorted(tables) == sorted(complete)
    assert number(stores, "SELECT count(*) FROM trivet.load WHERE state = 'loading'") == 0


def test_replace_append_and_live_rows(run, fresh_stores, tmp_path):
    s = fresh_stores
    movies = "movieId,title,genres\n{0},Film {0} (1990),Drama\n"
    a = write(tmp_path / "a", ratings=some_ratings(3, 2), movies=movies.format(1))
    b = write(tmp_path / "b", ratings=some_ratings(4, 2, shift=100), movies=movies.format(101))
    load(run, s, a)
    s.psql("INSERT INTO trivet.rating VALUES (77, 1, 5, now(), NULL)")
    load(run, s, b, "--append")
    assert number(s, "SELECT count(*) FROM trivet.rating") == 6 + 8 + 1
    assert number(s, "SELECT count(*) FROM trivet.item") == 2
    load(run, s, b, "--name", "a")
    assert number(s, "SELECT count(*) FROM trivet.rating") == 8 + 1
    assert s.psql("SELECT item_id FROM trivet.item") == "101"
    assert s.psql("SELECT user_id FROM trivet.rating WHERE load_id IS NULL") == "77"
    assert s.psql("SELECT state FROM trivet.load ORDER BY id").split() == ["replaced", "replaced", "complete"]
    nothing_left_over(s)


TITLES = {1: ("Godfather, The (1972)", "The Godfather (1972)"), 2: ("I, Robot (2004)", "I, Robot (2004)"),
          3: ("Amélie (Fabuleux destin d'Amélie Poulain, Le) (2001)", "Amélie (Le Fabuleux destin d'Amélie Poulain) (2001)"),
          4: ("Aliens (1986)", "Aliens (1986)")}


def test_titles_are_kept_as_the_file_has_them(run, fresh_stores, tmp_path):
    """The view that imitates movies.csv gives its titles, in its order; everything else has them as people write them."""
    folder = write(tmp_path / "set", ratings=some_ratings(4, 4), movies="movieId,title,genres\n" + "".join(
        f'{item}," {listed} ",Drama\n' for item, (listed, _) in TITLES.items()))
    load(run, fresh_stores, folder)
    assert [title.strip() for title in fresh_stores.psql("SELECT title FROM movies ORDER BY movieid").splitlines()] == [
        listed for listed, _ in TITLES.values()]
    assert fresh_stores.psql("SELECT title FROM trivet.item ORDER BY item_id").splitlines() == [title for _, title in TITLES.values()]
    assert fresh_stores.psql("SELECT item_id FROM trivet.item WHERE listed_title IS NOT NULL ORDER BY 1").split() == ["1", "3"]
    assert "listed_title" not in fresh_stores.psql("SELECT string_agg(document, ' ') FROM trivet.item_document")
    load(run, fresh_stores, write(tmp_path / "more", ratings=some_ratings(4, 4), movies='movieId,title,genres\n1,Der Pate (1972),\n'), "--append")
    assert fresh_stores.psql("SELECT title FROM movies WHERE movieid = 1") == "Der Pate (1972)"


def test_titles_of_formats_without_a_year_in_them(run, fresh_stores, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "tiny.inter").write_text("user_id:token\titem_id:token\trating:float\n1\t1\t5\n2\t1\t4\n")
    (folder / "tiny.item").write_text("item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
                                      "1\tGodfather, The\t1972\tCrime\n2\tAliens\t1986\tAction\n")
    load(run, fresh_stores, folder)
    assert fresh_stores.psql("SELECT title FROM movies ORDER BY movieid").splitlines() == ["Godfather, The (1972)", "Aliens (1986)"]
    assert fresh_stores.psql("SELECT title FROM trivet.item ORDER BY item_id").splitlines() == ["The Godfather (1972)", "Aliens (1986)"]


IMDB = {"": "", "114709": "tt0114709", "0114709": "tt0114709", "tt0114709": "tt0114709", "TT114709": "tt0114709", "10872600": "tt10872600",
        "tt10872600": "tt10872600", "42": "tt0000042"}


def test_links_whatever_their_form(run, fresh_stores, tmp_path):
    links = "movieId,imdbId,tmdbId\n" + "".join(f"{n},{given},862\n" for n, given in enumerate(IMDB, 1)) + "90,tt,1\n91,abc,1\n92,-5,1\n"
    done = load(run, fresh_stores, write(tmp_path / "set", ratings=some_ratings(4, 4), links=links))
    assert "3 x IMDb id is not a number" in done.stdout
    assert fresh_stores.psql("SELECT coalesce(imdb_id, '') FROM trivet.item ORDER BY item_id").split("\n") == list(IMDB.values())
    assert fresh_stores.psql("SELECT imdbid FROM links WHERE movieid IN (2, 6) ORDER BY movieid").split() == ["0114709", "10872600"]


def test_append_adds_to_what_is_known_of_an_item(run, fresh_stores, tmp_path):
    a = write(tmp_path / "a", ratings=some_ratings(2, 2), movies="movieId,title,genres\n1,Old (1990),Drama\n")
    b = write(tmp_path / "b", ratings=some_ratings(2, 2), links="movieId,imdbId,tmdbId\n1,0000042,\n")
    load(run, fresh_stores, a)
    load(run, fresh_stores, b, "--append")
    assert fresh_stores.psql("SELECT title, imdb_id FROM trivet.item") == "Old (1990)|tt0000042"


def test_if_changed(run, fresh_stores, tmp_path):
    s, folder = fresh_stores, write(tmp_path / "a", ratings=some_ratings(3, 2))

    def loads(*args):
        before = number(s, "SELECT count(*) FROM trivet.load")
        done = load(run, s, folder, "--if-changed", *args)
        happened = number(s, "SELECT count(*) FROM trivet.load") - before
        assert ("nothing to do" in done.stdout) == (happened == 0)
        return happened

    load(run, s, folder)
    assert loads() == 0
    assert loads("--append") == 1  # another option
    assert loads("--append") == 0
    write(folder, ratings=some_ratings(3, 3))
    assert loads() == 1
    assert loads() == 0
    write(folder, movies="movieId,title,genres\n1,New (1990),Drama\n")
    assert loads() == 1
    assert loads() == 0
    s.psql("TRUNCATE trivet.item")  # what files would bring again is no reason to do nothing
    assert loads() == 1 and number(s, "SELECT count(*) FROM trivet.item") > 0
    assert loads() == 0


def test_generated_set(run, fresh_stores, tmp_path):
    folder, again, other = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    size = ("--users", 300, "--items", 200, "--ratings", 9000)
    run("trivet-etl", "synth", folder, *size, "--seed", 5)
    run("trivet-etl", "synth", again, *size, "--seed", 5)
    run("trivet-etl", "synth", other, *size, "--seed", 6)
    for name in ("ratings.csv", "movies.csv", "trivet-synth.json"):
        assert (folder / name).read_bytes() == (again / name).read_bytes()
        assert (folder / name).read_bytes() != (other / name).read_bytes()
    rows, movies = table(folder / "ratings.csv"), table(folder / "movies.csv")
    assert len(rows) == len({(r["userId"], r["movieId"]) for r in rows}) == 9000
    assert {float(r["rating"]) for r in rows} <= {n / 2 for n in range(1, 11)}
    titles = [re.fullmatch(r"(.+) \((\d{4})\)", m["title"])[1] for m in movies]
    assert len(set(titles)) == len(movies) == 200
    counts = sorted((sum(r["movieId"] == m["movieId"] for r in rows) for m in movies), reverse=True)
    assert sum(counts[:40]) > 0.3 * 9000  # a fifth of the items has far more than a fifth of the ratings
    load(run, fresh_stores, folder)
    assert fresh_stores.psql("SELECT generated, row_count FROM trivet.load") == "t|9000"


def test_synth_spares_ratings_that_are_not_its_own(run, tmp_path):
    folder = write(tmp_path / "mine", ratings=some_ratings())
    done = run("trivet-etl", "synth", folder, check=False)
    assert done.returncode == 2 and (folder / "ratings.csv").read_text() == some_ratings()
    done = run("trivet-etl", "synth", tmp_path / "x", "--users", 10, "--items", 10, "--ratings", 51, check=False)
    assert done.returncode == 2 and "50" in done.stderr and not (tmp_path / "x").exists()


def test_inspect_writes_nothing(run, data_dir):
    out = run("trivet-etl", "inspect", data_dir / "ml-latest-small").stdout
    assert "format movielens-csv" in out and "CRLF" in out
    assert re.search(r"^movieId +item +numbers +1, 3, 6, 47, 50$", out, re.M)
    assert re.search(r"^timestamp +time +seconds since 1970 +964982703, 964981247, ", out, re.M)
    assert "rows      100,836" in out and "The" not in out.split("ratings.csv")[0]
    out = run("trivet-etl", "inspect", data_dir / "ml-100k").stdout  # run() gives it no store
    assert "format ml-100k" in out and "ISO-8859-1" in out and "lines end in LF" in out and "u.user: not used" in out


def test_a_newer_schema_is_refused(run, fresh_stores, tmp_path):
    folder = write(tmp_path / "a", ratings=some_ratings(3, 2))
    load(run, fresh_stores, folder)
    fresh_stores.psql("INSERT INTO trivet.schema_version (version) VALUES (999)")
    for command in (("load", folder), ("schema",)):
        done = run("trivet-etl", *command, env=fresh_stores.env, check=False)
        assert done.returncode == 4 and "999" in done.stderr


# --- others at work, and crashes --------------------------------------------------------------------------------------


def start(programs, stores, folder, *args):
    return subprocess.Popen([programs["trivet-etl"], "load", folder, *args], env={**clean_environment(), **stores.env},
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_a_load_waits_for_a_fit(run, programs, fresh_stores, tmp_path):
    """What holds the lock is no fit here, but the lock is the same and taken the same way."""
    s, folder = fresh_stores, write(tmp_path / "a", ratings=some_ratings(3, 2))
    load(run, s, folder)
    fit = psycopg2.connect(s.postgres_uri, application_name="trivet-train fit (run 7)")
    fit.autocommit = True
    fit.cursor().execute("SELECT pg_advisory_lock(trivet.lock_key())")
    write(folder, ratings=some_ratings(5, 2))
    waiting = start(programs, s, folder)
    wait_until(lambda: number(s, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
    assert number(s, "SELECT count(*) FROM trivet.load") == 1 and waiting.poll() is None
    fit.close()
    out, err = waiting.communicate(timeout=30)
    assert waiting.returncode == 0, err
    assert "waiting for trivet-train fit (run 7)" in err and "10 rows" in out


def after_waiting(programs, s, first, *waiting):
    """`first` changes the data while a load with these arguments waits for the lock: what that one says."""
    with s.locked("trivet-etl load"):
        late = start(programs, s, *waiting)
        wait_until(lambda: number(s, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
        first()
    out, err = late.communicate(timeout=30)
    assert late.returncode == 0, err
    return out


def test_what_happens_while_a_load_waits_is_seen_by_it(run, programs, fresh_stores, tmp_path):
    """--yield and --if-changed speak of what is loaded when the load's turn has come."""
    s, films, books = fresh_stores, write(tmp_path / "films", ratings=some_ratings(3, 2)), write(tmp_path / "books", ratings=some_ratings(5, 2))

    def becomes(state):
        """What the load that had the lock did: the table of books is that of films by another name, and from elsewhere."""
        return lambda: s.psql(state)

    load(run, s, films)
    other = s.psql("UPDATE trivet.load SET source = '/elsewhere' RETURNING source").split()[0]
    s.psql("UPDATE trivet.load SET generated = true")
    out = after_waiting(programs, s, becomes("UPDATE trivet.load SET generated = false"), books, "--yield")
    assert f"loaded is films (from {other}): it stays" in out and number(s, "SELECT count(*) FROM trivet.load") == 1
    load(run, s, books)
    # Of films there is another state by the time that it would be shown again; and files that became the same need not be loaded.
    newer = becomes("UPDATE trivet.load SET fingerprint = 'newer' WHERE name = 'films'")
    assert "10 rows" not in (out := after_waiting(programs, s, newer, films, "--if-changed")) and "6 rows" in out
    write(films, ratings=some_ratings(4, 2))
    load(run, s, films)
    fingerprint = s.psql("UPDATE trivet.load l SET fingerprint = 'older' FROM trivet.load o WHERE o.id = l.id AND l.state = 'complete' "
                         "RETURNING o.fingerprint").split()[0]
    loads = number(s, "SELECT count(*) FROM trivet.load")
    same = becomes(f"UPDATE trivet.load SET fingerprint = '{fingerprint}' WHERE state = 'complete'")
    assert "nothing to do" in after_waiting(programs, s, same, films, "--if-changed")
    assert number(s, "SELECT count(*) FROM trivet.load") == loads


def test_readers_never_wait(run, programs, fresh_stores, tmp_path):
    """One reader keeps its query open: the load waits for it, and all who come later are answered at once."""
    s, folder = fresh_stores, write(tmp_path / "a", ratings=some_ratings())
    load(run, s, folder)
    write(folder, ratings=some_ratings(40, 20))
    slow, quick = psycopg2.connect(s.postgres_uri), psycopg2.connect(s.postgres_uri)
    quick.autocommit = True
    slow.cursor().execute("SELECT count(*) FROM trivet.rating")  # its transaction stays open
    process = start(programs, s, folder)
    wait_until(lambda: number(s, "SELECT count(*) FROM pg_class WHERE relname = 'rating_load_2'"))
    longest, until = 0, time.monotonic() + 3
    while time.monotonic() < until:
        began = time.monotonic()
        cursor = quick.cursor()
        cursor.execute("SELECT count(*) FROM trivet.rating")
        assert cursor.fetchone() == (600,)
        longest = max(longest, time.monotonic() - began)
    assert process.poll() is None
    assert longest < 1, f"a reader waited {longest:.2f} s"
    slow.close()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0 and "waiting for queries" in err
    assert number(s, "SELECT count(*) FROM trivet.rating") == 800


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(run, programs, fresh_stores, tmp_path, sig):
    s, folder = fresh_stores, write(tmp_path / "a", ratings=some_ratings())
    load(run, s, folder)
    before = ratings_of(s)
    write(folder, ratings=some_ratings(40, 20))
    reader = psycopg2.connect(s.postgres_uri)
    reader.cursor().execute("SELECT count(*) FROM trivet.rating")  # holds the load back before its last step
    process = start(programs, s, folder)
    wait_until(lambda: number(s, "SELECT count(*) FROM pg_class WHERE relname = 'rating_load_2'"))
    process.send_signal(sig)
    _, err = process.communicate(timeout=30)
    reader.close()
    assert process.returncode == 1 and "interrupted: the load was rolled back" in err
    assert ratings_of(s) == before
    nothing_left_over(s)
    assert "interrupted" in s.psql("SELECT message FROM trivet.load ORDER BY id DESC LIMIT 1")


def state(stores):
    """What a reader sees: the ratings, the items, the tags."""
    return stores.psql("SELECT count(*), sum(value), (SELECT count(*) FROM trivet.item), (SELECT count(*) FROM trivet.tag) "
                       "FROM trivet.rating")


@pytest.fixture
def two_sets(tmp_path):
    old = write(tmp_path / "old", ratings=some_ratings(30, 20), movies="movieId,title,genres\n1,Old (1990),Drama\n")
    new = write(tmp_path / "new", ratings=some_ratings(41, 20),
                movies="movieId,title,genres\n1,New (1990),Drama\n2,Newer (1991),War\n",
                tags="userId,movieId,tag,timestamp\n1,1,good,1000000000\n")
    return old, new


@pytest.mark.parametrize("names", [("data", "data"), ("old", "new")])
def test_killed_at_every_statement(run, programs, fresh_stores, two_sets, names):
    """kill -9 before each statement the program sends: a reader sees the old set or the new one, whole, and the next
    load cleans up. The point where the one becomes the other is passed exactly once. That is so where the one is the same data
    in a newer state, and where it is another data set."""
    s, (old, new) = fresh_stores, two_sets
    load(run, s, new, "--name", names[1])
    new_state = state(s)
    load(run, s, old, "--name", names[0])
    old_state = state(s)
    assert old_state != new_state
    seen, statements = [], 0
    while statements < 100:
        statements += 1
        try:
            at("PQsendQueryParams", programs["trivet-etl"], "load", new, "--name", names[1], env=s.env, times=statements)
        except pytest.fail.Exception as failure:
            assert "was never reached" in str(failure) and "load" in str(failure)
            break
        seen.append(state(s) == new_state)
        assert seen[-1] or state(s) == old_state
        load(run, s, old, "--name", names[0])
        assert state(s) == old_state
        nothing_left_over(s)
    assert 10 < statements < 100
    assert seen == sorted(seen) and not seen[0] and seen[-1]


def test_killed_while_rows_stream(run, programs, fresh_stores, tmp_path, two_sets):
    s, (old, _) = fresh_stores, two_sets
    load(run, s, old)
    old_state = state(s)
    large = write(tmp_path / "large", ratings=some_ratings(500, 100))
    for times in (1, 10, 25):
        at("PQputCopyData", programs["trivet-etl"], "load", large, "--name", "old", env=s.env, times=times)
        assert state(s) == old_state
    load(run, s, large, "--name", "old")
    assert number(s, "SELECT count(*) FROM trivet.rating") == 50000
    nothing_left_over(s)


def test_postgres_dies_during_a_load(programs, run, private_stores, tmp_path):
    s, folder = private_stores, write(tmp_path / "a", ratings=some_ratings())
    load(run, s, folder)
    before = ratings_of(s)
    write(folder, ratings=some_ratings(40, 20))
    reader = psycopg2.connect(s.postgres_uri)
    reader.cursor().execute("SELECT count(*) FROM trivet.rating")
    process = start(programs, s, folder)
    wait_until(lambda: number(s, "SELECT count(*) FROM pg_class WHERE relname = 'rating_load_2'"))
    s.postgres.kill()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 4 and "PostgreSQL" in err
    s.postgres.start()
    assert ratings_of(s) == before
    load(run, s, folder)
    assert number(s, "SELECT count(*) FROM trivet.rating") == 800
    nothing_left_over(s)


def test_two_loads_at_once_follow_each_other(run, programs, fresh_stores, two_sets):
    """On an empty database, so the schema is applied by one of them, too."""
    s, (old, new) = fresh_stores, two_sets
    both = [start(programs, s, folder, "--name", "data") for folder in (old, new)]
    results = []
    threads = [threading.Thread(target=lambda p=p: results.append((*p.communicate(timeout=60), p))) for p in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [p.returncode for p in both] == [0, 0], results
    assert number(s, "SELECT count(*) FROM trivet.load WHERE state = 'complete'") == 1
    nothing_left_over(s)


# --- what the report says of the data ----------------------------------------------------------------------------------


def said(run, stores, folder, *args):
    """The words of a load's report, and the same as JSON."""
    out = load(run, stores, folder, *args).stdout
    return out, json.loads(stores.psql("SELECT report FROM trivet.load ORDER BY id DESC LIMIT 1"))


def test_the_report_says_one_of_a_thing(run, fresh_stores, tmp_path):
    ratings = "userId,movieId,rating,timestamp\nx,a,4,99999999999\nx,a,5,99999999999\ny,,3,1\n"
    out, _ = said(run, fresh_stores, write(tmp_path / "set", ratings=ratings, movies="movieId,title,genres\nb,B (1990),Drama\n"))
    for line in ("ratings     2 rows, 1 user, 1 item", "duplicates  1 row repeats a pair of user and item",
                 "times       2 rows have a time outside 1970 to 2100", "titles      1 rated item has none, 1 title has no rating",
                 "described   1 item, 0 tags", "rejected    1 line: 1 x", "codes       2 users and 2 items are new", "warning     1 rated item and 1 title, and no title is of a rated item"):
        assert line in out, out


def test_the_report_counts_titles_and_says_what_is_next(run, fresh_stores, tmp_path):
    movies = "movieId,title,genres\n1,One (1991),Drama\n2,Two (1992),Drama\n3,,Drama\n99,Other (1999),Drama\n"
    out, report = said(run, fresh_stores, write(tmp_path / "set", ratings=some_ratings(9, 5), movies=movies))
    assert "titles      3 rated items have none, 1 title has no rating\n" in out and "warning" not in out
    assert "next        trivet-train fit\n" in out
    assert (report["rated_without_title"], report["titles_without_rating"], report["warnings"]) == (3, 1, [])
    out, report = said(run, fresh_stores, write(tmp_path / "more", ratings=some_ratings(9, 2)), "--append")
    assert "titles      0 rated items have none\n" in out and "titles_without_rating" not in report


@pytest.mark.parametrize("files, words", [
    ({"ratings": some_ratings(9, 5, shift=1000), "movies": "movieId,title,genres\n1,One,Drama\n2,Two,Drama\n"},
     "5 rated items and 2 titles, and no title is of a rated item: are the ids"),
    ({"ratings": "userId,movieId,rating\n" + "".join(f"{u},{i},5\n" for u in range(9) for i in range(9))},
     "every rating is 5, so there is nothing to learn from the values"),
    ({"ratings": "userId,movieId,rating\n" + "".join(f"{i % 20},{i},{i % 5}\n" for i in range(1500))},
     "1,500 items and only 20 users: are the two columns the right way round? --columns user=...,item=...")])
def test_the_report_warns(run, fresh_stores, tmp_path, files, words):
    out, report = said(run, fresh_stores, write(tmp_path / "set", **files))
    assert f"  warning     {words}" in out and out.count("warning") == 1
    assert len(report["warnings"]) == 1 and report["warnings"][0].startswith(words)


def test_the_report_has_an_example_of_each_reason(run, fresh_stores, tmp_path):
    out, report = said(run, fresh_stores, write(tmp_path / "bad", ratings=BAD_RATINGS, movies=BAD_MOVIES))
    assert report["examples"].keys() == report["reasons"].keys() == {reason for _, _, reason in REASONS}
    assert report["examples"]["invalid UTF-8"] == "movies.csv line 2: 1,Caf\\xe9 (1999),Drama"
    for file, line, reason in REASONS:
        assert f"              {reason}: {file} line {line}: " in out
