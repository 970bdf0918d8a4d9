"""trivet-etl load of plays: HetRec's Last.fm, lastfm_play.csv and its neighbours, and any table of who played what."""

import re

import pytest

from rating_sets import unpacked
from test_load import load, number, ratings_of, write


@pytest.fixture(scope="module")
def hetrec(data_dir, tmp_path_factory):
    return unpacked(data_dir / "hetrec2011-lastfm-2k.tar.gz", tmp_path_factory.mktemp("lastfm")) / "hetrec2011-lastfm-2k"


def lines(path, encoding="utf-8"):
    """The rows of a .dat file as dictionaries; it knows no quotes."""
    head, *rows = path.read_text(encoding).rstrip("\n").split("\n")
    return [dict(zip(head.split("\t"), row.split("\t"))) for row in rows]


def dat(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.dat").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


# --- HetRec -----------------------------------------------------------------------------------------------------------


def test_hetrec(run, fresh_stores, hetrec):
    done = load(run, fresh_stores, hetrec)
    for line in ("(lastfm)", "plays       92,834 rows, 1,892 users, 17,632 items", "counts      1 to 352698 plays",
                 "added up    0 rows", "described   17,632 items, 186,479 tags", "rejected    0 lines", "als-implicit"):
        assert line in done.stdout
    assert "scale" not in done.stdout
    expected = sorted((int(r["userID"]), int(r["artistID"]), float(r["weight"]))
                      for r in lines(hetrec / "user_artists.dat"))
    assert ratings_of(fresh_stores) == expected
    names = {int(r["id"]): r["name"] for r in lines(hetrec / "artists.dat")}
    got = dict(row.split("\t") for row in fresh_stores.psql(
        "SELECT item_id || E'\\t' || title FROM trivet.item").split("\n"))
    assert {int(i): name for i, name in got.items()} == names
    assert sum(not name.isascii() for name in names.values()) == 725 and any('"' in name for name in names.values())
    assert "artists.dat: items, with item=id, title=name; kept beside them: url, pictureURL\n" in done.stderr
    assert fresh_stores.psql("SELECT extra ->> 'url', extra ? 'picture_url', year, genres FROM trivet.item "
                             "WHERE item_id = 1") == "http://www.last.fm/music/MALICE+MIZER|t||"
    words = {r["tagID"]: r["tagValue"] for r in lines(hetrec / "tags.dat", "latin-1")}
    assert number(fresh_stores, "SELECT count(DISTINCT tag) FROM trivet.tag") == len(
        {words[r["tagID"]] for r in lines(hetrec / "user_taggedartists.dat")})
    first = lines(hetrec / "user_taggedartists.dat")[0]
    assert fresh_stores.psql(f"SELECT tag, tagged_at AT TIME ZONE 'utc' FROM trivet.tag WHERE user_id = 2 "
                             f"AND item_id = 52 AND tag = '{words[first['tagID']]}'") == (
        f"{words[first['tagID']]}|2009-04-01 00:00:00")
    assert number(fresh_stores, "SELECT count(*) FROM trivet.code") == 0
    assert fresh_stores.psql("SELECT description ->> 'values' FROM trivet.data_state()") == "counts"


def test_inspect_hetrec(run, hetrec):
    out = run("trivet-etl", "inspect", hetrec).stdout
    assert "format lastfm" in out and "values    counts of plays" in out
    for part in ("user_artists.dat: ratings", "artists.dat: items", "user_taggedartists.dat: tags",
                 "tags.dat: words of tags", "user_friends.dat: not used"):
        assert part in out


def test_artists_of_the_release(run, fresh_stores, tmp_path):
    """CRLF, milliseconds in the second file of tags, words in ISO-8859-1, and what cannot be read."""
    folder = dat(tmp_path / "set",
                 user_artists="userID\tartistID\tweight\r\n2\t51\t13883\r\n2\t52\t-1\r\n3\t51\t7\r\nx\t51\t7\r\n",
                 artists="id\tname\turl\tpictureURL\r\n51\tDuran \"D\" Duran\tu\tp\r\n52\t\t\t\r\nx\tnobody\t\t\r\n",
                 tags=b"tagID\ttagValue\r\n1\tmetal\r\n2\tcaf\xe9\r\n",
                 **{"user_taggedartists": "userID\tartistID\ttagID\tday\tmonth\tyear\r\n2\t51\t1\t1\t4\t2009\r\n",
                    "user_taggedartists-timestamps": "userID\tartistID\ttagID\ttimestamp\r\n2\t51\t1\t1238536800000\r\n"
                                                     "2\t51\t2\t-10\r\n2\t51\t9\t1238536800000\r\n"})
    done = load(run, fresh_stores, folder)
    for reason in ("a count below 0", "no such tag in tags.dat"):
        assert f"1 x {reason}" in done.stdout
    assert "2 x id is not an integer" in done.stdout
    assert ratings_of(fresh_stores) == [(2, 51, 13883), (3, 51, 7)]
    assert fresh_stores.psql("SELECT item_id, title, extra FROM trivet.item ORDER BY 1") == (
        "51|Duran \"D\" Duran|{\"url\": \"u\", \"picture_url\": \"p\"}\n52||")
    assert fresh_stores.psql("SELECT tag, extract(epoch FROM tagged_at)::bigint FROM trivet.tag ORDER BY 1") == (
        "café|\nmetal|1238536800")


# --- tables -----------------------------------------------------------------------------------------------------------


def test_lastfm_csv(run, fresh_stores, tmp_path):
    folder = write(tmp_path / "set", lastfm_play="user_id,artist_id\n1,10\n1,11\n2,10\n1,10\n1,10\n",
                   lastfm_artist='artist_id,artist_name\n10,"The ""X""s, live"\n11,Björk\n',
                   lastfm_user="user_id,gender,age\n1,f,30\n")
    out = run("trivet-etl", "inspect", folder).stdout
    assert "lastfm_user.csv: not used" in out and "lastfm_play.csv: ratings" in out
    done = load(run, fresh_stores, folder)
    for line in ("(plays-csv)", "plays       5 rows, 2 users, 2 items", "counts      1 to 3 plays",
                 "added up    2 rows"):
        assert line in done.stdout
    assert ratings_of(fresh_stores) == [(1, 10, 3), (1, 11, 1), (2, 10, 1)]
    assert fresh_stores.psql("SELECT title FROM trivet.item ORDER BY item_id") == 'The "X"s, live\nBjörk'
    assert number(fresh_stores, "SELECT row_count FROM trivet.load") == 3


def test_plays_that_are_appended_are_added(run, fresh_stores, tmp_path):
    """One row a pair, and one number everywhere: what models learn from, pages show and single plays are added to."""
    s = fresh_stores
    load(run, s, write(tmp_path / "day1", plays="user,item,plays,time\n1,5,100,1000000000\n1,6,2,1000000000\n2,5,4,1000000000\n3,5,1,1000000000\n"))
    s.psql("SELECT trivet.play_as('3', '{5}', '{6}')")
    done = load(run, s, write(tmp_path / "day2", plays="user,item,plays,time\n1,5,3,1000002000\n2,5,1,999999500\n2,6,1,1000002000\n3,5,9,1000002000\n"), "--append")
    assert "appended    2 pairs of user and item had plays already" in done.stdout
    assert ratings_of(s) == [(1, 5, 103), (1, 6, 2), (2, 5, 5), (2, 6, 1), (3, 5, 7)]  # 3 has said it singly
    assert s.psql("SELECT extract(epoch FROM rated_at)::int FROM trivet.rating WHERE item_id = 5 AND user_id < 3 ORDER BY user_id") == "1000002000\n1000000000"
    assert s.psql("SELECT row_count, low, high, report ->> 'added_to_loaded' FROM trivet.load ORDER BY id") == "2|1|100|0\n3|1|103|2"  # the fourth gave way
    assert s.psql("SELECT rating FROM trivet.evidence() WHERE userid = 1 AND movieid = 5") == "103"
    assert s.psql("SELECT sums FROM trivet.play_as('1', '{5}', '{1}')") == "{104}"
    assert s.psql("SELECT count(*) FROM trivet.hand_change") == "0"
    assert s.psql("SELECT count(*) FROM trivet.load WHERE state = 'complete'") == "2"


def test_files_appended_in_turn_are_added_once(run, fresh_stores, tmp_path):
    """The same commands again, as of a cron job: also of files all of whose plays were added to those of a later one."""
    s = fresh_stores
    load(run, s, write(tmp_path / "base", plays="user,item,plays\n1,1,2\n"))
    days = [write(tmp_path / f"day{n}", plays=f"user,item,plays\n1,1,{n}0\n") for n in (1, 2)]
    for again in (False, True):
        for day in days:
            assert ("nothing to do" in load(run, s, day, "--append", "--if-changed").stdout) == again
        assert s.psql("SELECT user_id, item_id, value FROM trivet.rating") == "1|1|32"
    write(days[0], plays="user,item,plays\n1,1,100\n")
    load(run, s, days[0], "--append", "--if-changed")
    assert s.psql("SELECT value FROM trivet.rating") == "132"
    # What was deleted by hand is loaded again.
    s.psql("TRUNCATE trivet.rating")
    load(run, s, days[1], "--append", "--if-changed")
    assert s.psql("SELECT value FROM trivet.rating") == "20"


@pytest.mark.parametrize("first,second,kinds", [("rating", "plays", "these are counts of plays, and a data set set is there already, of ratings"),
                                                ("plays", "rating", "these are ratings, and a data set set is there already, of counts of plays")])
def test_single_ratings_do_not_become_plays(run, fresh_stores, tmp_path, first, second, kinds):
    """Nor plays ratings: under the same name single ones stay, and their values mean what they meant."""
    s, folder = fresh_stores, tmp_path / "set"
    for name in (first, second, first):
        load(run, s, write(folder, table=f"user,item,{name}\n1,2,4\n2,3,5\n"))  # nobody has rated, or played
    value = "trivet.rate_as('1', '{3}', '{4}')" if first == "rating" else "trivet.play_as('1', '{3}', '{1}')"
    s.psql(f"SELECT * FROM {value}")
    assert s.psql("SELECT count(*) FROM trivet.rating_live") == "1"
    for away in (False, True):
        before = s.psql("SELECT * FROM trivet.rating ORDER BY 1, 2"), s.psql("SELECT count(*) FROM trivet.load WHERE state <> 'failed'")
        refused = load(run, s, write(folder, table=f"user,item,{second}\n1,2,4\n2,3,5\n"), check=False)
        assert refused.returncode == 3 and f"{kinds}: 1 single ones stay" in refused.stderr, refused.stderr
        assert "--name" in refused.stderr and "--same" in refused.stderr
        assert before == (s.psql("SELECT * FROM trivet.rating ORDER BY 1, 2"), s.psql("SELECT count(*) FROM trivet.load WHERE state <> 'failed'"))
        if not away:
            load(run, s, write(tmp_path / "other", table="user,item,rating\n1,2,4\n2,3,5\n"))
    load(run, s, write(folder, table=f"user,item,{first}\n1,2,4\n2,3,5\n3,3,3\n"))
    load(run, s, write(folder, table=f"user,item,{second}\n1,2,4\n2,3,5\n"), "--same")
    assert s.psql("SELECT count(*) FROM trivet.rating_live") == "1"


@pytest.mark.parametrize("first, second, said", [
    ("user,item,plays\n1,5,3\n", "user,item,rating\n1,6,3\n", "these are ratings, and what is loaded are counts of plays"),
    ("user,item,rating\n1,5,3\n", "user,item,plays\n1,6,3\n", "these are counts of plays, and what is loaded are ratings"),
], ids=["ratings to plays", "plays to ratings"])
def test_plays_and_ratings_are_not_appended_to_each_other(run, fresh_stores, tmp_path, first, second, said):
    load(run, fresh_stores, write(tmp_path / "a", data=first))
    done = load(run, fresh_stores, write(tmp_path / "b", data=second), "--append", check=False)
    assert done.returncode == 3 and said in done.stderr and "without --append" in done.stderr
    assert ratings_of(fresh_stores) == [(1, 5, 3)]


@pytest.mark.parametrize("text, expected", [
    ("user,track,plays,time\n1,5,2,1000\n1,5,3,2000\n2,5,1,\n", [(1, 5, 5), (2, 5, 1)]),
    ("Count;Item_Id;User_Id\n4;7;1\n2;8;1\n", [(1, 7, 4), (1, 8, 2)]),
    ("userId\titemId\tweight\n1\t7\t0.5\n1\t8\t1\n", [(1, 7, 0.5), (1, 8, 1)]),
    ("when,song_id,user_id,where\nx,7,1,y\nx,7,2,y\nx,7,1,y\n", [(1, 7, 2), (2, 7, 1)]),
])
def test_any_table_of_plays(run, fresh_stores, tmp_path, text, expected):
    load(run, fresh_stores, write(tmp_path / "set", events=text))
    assert ratings_of(fresh_stores) == expected
    assert fresh_stores.psql("SELECT format FROM trivet.load") == "plays-csv"


def test_sums_beyond_a_real_s_digits_and_range(run, fresh_stores, tmp_path):
    """Plays that come one by one count beyond 2^24, and a pair whose sum no real holds does not end the load."""
    plays = "".join(f"1,5,{n}\n" for n in (1 << 24, *[1] * 4)) + "2,6,3e38\n" * 2 + "3,7,2\n"
    done = load(run, fresh_stores, write(tmp_path / "set", events="user,track,plays\n" + plays))
    many, too_many, few = ratings_of(fresh_stores)
    assert many == (1, 5, (1 << 24) + 4) and too_many[:2] == (2, 6) and too_many[2] > 3e38 and few == (3, 7, 2)
    assert "counts      2 to 3.4e+38" in done.stdout


def test_the_last_time_of_a_pair_stays(run, fresh_stores, tmp_path):
    load(run, fresh_stores, write(tmp_path / "set", events="user,item,time\n1,5,1000\n1,5,3000\n1,5,2000\n"))
    assert fresh_stores.psql("SELECT value, extract(epoch FROM rated_at)::bigint FROM trivet.rating") == "3|3000"


def test_ratings_are_no_plays(run, fresh_stores, tmp_path):
    """A table of ratings stays one, a list of tags is neither, and --format plays-csv says what counts are."""
    folder = write(tmp_path / "set", events="user,item,rating\n1,5,2\n1,5,3\n", tags="user,item,tag\n1,5,x\n")
    load(run, fresh_stores, folder)
    assert fresh_stores.psql("SELECT format FROM trivet.load") == "movielens-csv"
    assert ratings_of(fresh_stores) == [(1, 5, 2), (1, 5, 3)]
    load(run, fresh_stores, folder, "--format", "plays-csv")
    assert ratings_of(fresh_stores) == [(1, 5, 5)]
    only_tags = write(tmp_path / "tags", tags="user,item,tag\n1,5,x\n")
    assert load(run, fresh_stores, only_tags, check=False).returncode != 0


def test_codes_in_plays(run, fresh_stores, tmp_path):
    folder = write(tmp_path / "set", plays="user,artist\n" + "".join(f"u-{u % 7},Artist {u % 5}\n" for u in range(70)))
    done = load(run, fresh_stores, folder)
    assert "7 users and 5 items are new in trivet.code" in done.stdout
    assert fresh_stores.psql("SELECT sum(value), count(*) FROM trivet.rating") == "70|35"


# --- what comes of them -----------------------------------------------------------------------------------------------


def test_a_model_of_plays(run, serve, fresh_stores, hetrec):
    """The trainer says what takes counts, and pages speak of plays; an artist's page is where its data say it is."""
    load(run, fresh_stores, hetrec)
    few = ["--set", "min_users_for_item=20", "--set", "max_items_for_user=100", "--factors", "8"]
    hint = "the values are counts of plays: --algorithm als-implicit takes them as such"
    assert hint in run("trivet-train", "fit", "--dry-run", *few, env=fresh_stores.env).stderr
    assert hint not in run("trivet-train", "fit", "--algorithm", "als-implicit", *few, env=fresh_stores.env).stderr
    server = serve(fresh_stores)
    page = server.get("/recs?user_id=2&top=10", accept="text/html").text
    for words in ("titles you played", "Played most", "played 13,883", "Counts learned from"):
        assert words in page
    links = re.findall(r'class="title" href="([^"]*)"', page)
    assert len(links) == 10 and all(link.startswith("http://www.last.fm/music/") for link in links)
    assert "Rated highest" not in page and "IMDb" not in page
    start = server.get("/", accept="text/html").text
    assert "who played what" in start and "plays a lot" in start and "rates a lot" not in start


def test_who_has_no_item_of_the_model_is_counted_apart(run, fresh_stores, hetrec):
    """HetRec has users whom the default filter leaves no artist. They are served popular ones, and are not folded in."""
    run("trivet-etl", "load", hetrec, env=fresh_stores.env)
    done = run("trivet-train", "fit", "--algorithm", "als-implicit", "--factors", 4, env=fresh_stores.env)
    users = list(fresh_stores.mongo_db().user_1.find({}, {"id": 1}))
    counts = fresh_stores.mongo_db().model_1.find_one({"_id": "description"})["description"]["counts"]
    unreached = {row["_id"] for row in users} - {int(u) for u in fresh_stores.psql(
        "SELECT DISTINCT user_id FROM trivet.rating WHERE item_id IN (SELECT movieid FROM trivet.user_item())").split()}
    learned = sum(row["id"] is not None for row in users)
    assert unreached and counts["users_served"] == len(users) == 1892
    assert counts["users_without_model_items"] == len(unreached)
    assert counts["users_folded_in"] == len(users) - learned - len(unreached)
    assert f"1,892 users: {learned:,} learned from, {counts['users_folded_in']} folded in, {len(unreached)} without an item of the model" in done.stderr
