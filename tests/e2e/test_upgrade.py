"""Stores as an older version left them (tests/fixtures/VERSION) are brought up to date by the next command, and show what they showed:
ratings, ids that are text, presets, the journal, each model that is kept, similar items. An upgrade that is killed goes on."""

import itertools
import json
import re
import sys

import pytest

import stores_dump
from breakpoints import at
from rating_sets import like_movielens
from stores import REPO
from stores_walk import ROWS, Walk, answers, ids, lacking, rows

FIXTURES = REPO / "tests/fixtures"
sys.path.insert(0, str(FIXTURES))
import make_stores  # noqa: E402

WHOLE = [f"{version.name}/{name}" for version in sorted(FIXTURES.glob("[0-9]*")) for name in ("numbers", "codes")]
ONE = "0.1.0/numbers"
IS_OLDER = "SELECT files LIKE '%older%' FROM trivet.schema_version ORDER BY version DESC LIMIT 1"
VERSION = "SELECT max(version) FROM trivet.schema_version"


def shown(situation):
    """What the older version showed; but for a search's filter, where it was wrong: 0.1.0 gave the one that all trials had in common."""
    found = json.loads(stores_dump.read(FIXTURES / situation / "shown.json.gz"))
    for run in (row["run"] for row in found["rows"]["journal"] if row["run"]["kind"] == "search"):
        won = {name: value for name, value in run["metrics"]["best"]["settings"].items() if name in run["filter"]}
        assert run["source"] == "trivet.user_item()" and run["command"].count("--over") == len(won)
        run["source"] = "trivet.user_item(%s)" % ", ".join(f"{name} => {value}" for name, value in won.items())
        run["filter"].update(won)
        for shown_then in (state["answers"] for name, state in found.items() if name != "rows"):
            for listed in shown_then["/models/journal"][1]["evaluations"]:
                listed["filter"].update(won if listed["run"] == run["id"] else {})
    return found


@pytest.fixture
def left(programs, fresh_stores, tmp_path):
    """left("0.1.0/numbers"): a walk with the programs of today on stores that were left so."""

    def left(situation):
        stores_dump.restore(FIXTURES / situation, fresh_stores)
        return Walk(programs, fresh_stores, tmp_path)

    return left


# A load is among those of test_any_command_may_be_the_next.
FIRST = dict(zip(WHOLE, itertools.cycle([("trivet-train", "runs"), ("trivet-train", "repair")])))


def recommendations(found):
    return {address: answer for address, answer in found["answers"].items() if address.startswith("/api/v1/recs")}


def asked(walk, found):
    """The same addresses as `found` has, asked again."""
    return walk.served(lambda server: answers(server, found))


def more(folder, user=lambda u: u, item=lambda i: i * 10):
    """A few ratings to append: of users and of items, some of them new."""
    return like_movielens(folder, [(user(u), item(i), 3, 1_100_000_000) for u in range(60, 70) for i in range(20, 40)],
                          [(item(39), "The Added (1999)", "Drama")])


# --- the same before and after --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("situation", WHOLE)
def test_everything_is_as_it_was(left, situation):
    """With each kept model activated, and after a rollback, too; whatever command came first."""
    walk = left(situation)
    walk.run(*FIRST[situation])
    before, after = shown(situation), walk.whole()
    assert lacking(before, after) == []
    assert len(before["rows"]["ratings"]) > 300 and len(before["live"]["answers"]) > 40 and len(before) > 4
    assert "is what a build would give" in walk.run("trivet-train", "similar", "--check").stdout


def behind(place, name):
    """The collection of that name, or the one that it is a view on."""
    found = next(place.mongo_db().list_collections(filter={"name": name}))
    return place.mongo_db()[found["options"].get("viewOn", name)]


# What each of them is noticed by.
DAMAGES = {
    "rows / ratings": lambda p: p.psql("DELETE FROM trivet.rating WHERE user_id = 900 AND item_id = 50"),
    "rows / items": lambda p: p.psql("UPDATE trivet.item SET title = 'Another (1999)' WHERE item_id = 20"),
    "rows / presets": lambda p: p.psql("SELECT trivet.drop_preset('weekend')"),
    "rows / journal": lambda p: p.psql("UPDATE trivet.run SET metrics = '{}' WHERE id = 2"),
    "live / items": lambda p: behind(p, "item").update_one({"_id": 30}, {"$inc": {"n": 1}}),
    "live / users": lambda p: behind(p, "user").update_one({"_id": 1}, {"$inc": {"rev": 1}}),
    "live / answers": lambda p: p.redis_client().delete("trivet:similar:live"),
}


@pytest.mark.parametrize("where", DAMAGES)
def test_what_is_lost_is_noticed(left, where):
    """By the comparison of these tests."""
    walk, before = left(ONE), shown(ONE)
    walk.run("trivet-etl", "schema")
    walk.settle()
    DAMAGES[where](walk.place)
    found = lacking({step: before[step] for step in ("rows", "live")}, {"rows": walk.rows(), "live": walk.of_model()})
    assert any(line.startswith(f" / {where}") for line in found), found


COMMANDS = {"schema": ("trivet-etl", "schema"), "append": ("trivet-etl", "load", "more", "--append"),
            "models": ("trivet-train", "models"), "repair": ("trivet-train", "repair"), "fit": ("trivet-train", "fit", "--factors", 3),
            "evaluate": ("trivet-train", "evaluate", "--factors", 3), "activate": ("trivet-train", "activate", 6),
            "rollback": ("trivet-train", "rollback"), "similar": ("trivet-train", "similar"),
            "precompute": ("trivet-train", "precompute"), "runs": ("trivet-train", "runs"), "datasets": ("trivet-etl", "datasets")}


def brought_up_to_date(walk, *command):
    """The command, as the next one: it upgrades by itself."""
    done = walk.run(*command)
    assert walk.place.psql(IS_OLDER) == "f"
    return done


@pytest.mark.parametrize("name", COMMANDS)
def test_any_command_may_be_the_next(left, name):
    """What it does itself comes on top; the model that was live is there, and recommends what it did."""
    walk, before = left(ONE), shown(ONE)
    more(walk.folder / "more")
    assert walk.place.psql(IS_OLDER) == "t"
    brought_up_to_date(walk, *COMMANDS[name])
    adds = {"append": ("ratings", "movies", "numbers", "items", "learned from", "loads"), "fit": ("journal",),
            "evaluate": ("journal",), "similar": ("indexes",)}.get(name, ())
    after = walk.rows()
    assert lacking({what: found for what, found in before["rows"].items() if what not in adds}, after) == []
    for what in adds:
        lost = [row for row in before["rows"][what] if all(lacking(row, other) for other in after[what])]
        # An index that is built takes the place of the one before.
        assert len(lost) == (name == "similar") and len(after[what]) > len(before["rows"][what]), (what, lost)
    walk.run("trivet-train", "activate", 8)
    walk.settle()
    assert lacking(recommendations(before["live"]), asked(walk, recommendations(before["live"]))) == []


def numbers_of_codes(numbers):
    return {f"{kind} {row[kind]}": row[f"{kind}_id"] for row in numbers for kind in ("user", "item")}


@pytest.mark.parametrize("situation", WHOLE)
def test_life_goes_on(left, situation):
    """New ratings by people who were there and who were not, an append, a training and an index; what was there before is still."""
    walk, before = left(situation), shown(situation)
    walk.run("trivet-etl", "schema")
    user, item = ids(walk.place, "user")[0], before["rows"]["numbers"][-1]
    codes = situation.endswith("codes")
    for who in (user, "somebody-new" if codes else "7777"):
        walk.place.psql(f"SELECT trivet.rate_as('{who}', ARRAY[{item['item_id']}]::bigint[], '{{2}}')")
    more(walk.folder / "more", *([lambda u: f"ann-{u:03d}", lambda i: f"SKU/{i:02d} é"] if codes else []))
    walk.run("trivet-etl", "load", "more", "--append")
    walk.run("trivet-train", "fit", "--factors", 3)
    walk.run("trivet-train", "similar")
    was, now = (numbers_of_codes(found) for found in (before["rows"]["numbers"], rows(walk.place, ROWS["numbers"])))
    assert was and lacking(was, now) == []
    given = len(before["rows"]["ratings"])
    there = int(walk.place.psql("SELECT count(*) FROM public.ratings"))
    assert given + 200 < there <= given + 202, "200 rows of the file, and of the two ratings those that replace none"
    found = walk.of_model()
    assert all(answer[0] == 200 for address, answer in found["answers"].items() if "nobody" not in address), found["answers"]
    walk.run("trivet-train", "rollback")
    back = rows(walk.place, "SELECT id FROM trivet.run WHERE state = 'live'")
    assert back == [row for row in [{"id": s["id"]} for s in before["live"]["states"] if s["state"] == "live"]]


# --- an upgrade that is killed --------------------------------------------------------------------------------------------

# Before the first file of the schema, between some, and when all are applied and the last has to be noted.
FILES = [("tv_signatures_make_way", times) for times in (1, 2, 5, 9, 16, 23)] + [("tv_signatures_tidy", 1)]
# Before the first word to MongoDB and to Redis, and while users who wait are folded in.
REST = ["tv_mongo_open", "tv_redis_open", "tv_fold_in_users", "tv_fold_in_done"]


def is_as_it_was(walk, before):
    walk.settle()
    assert lacking(before["rows"], walk.rows()) == []
    assert lacking(before["live"], walk.of_model()) == []


@pytest.mark.parametrize("function, times", FILES)
def test_a_killed_upgrade_goes_on(left, function, times):
    walk = left("0.1.0/codes")
    first, then = ("trivet-train", "runs"), ("trivet-train", "models")
    if times % 2:
        first = then = ("trivet-etl", "schema")
    at(function, walk.programs[first[0]], *first[1:], env=walk.place.env, times=times)
    brought_up_to_date(walk, *then)
    is_as_it_was(walk, shown("0.1.0/codes"))


@pytest.mark.parametrize("function", REST)
def test_a_first_repair_that_is_killed_goes_on(left, function):
    walk = left("0.1.0/codes")
    walk.run("trivet-etl", "schema")
    at(function, walk.programs["trivet-train"], "repair", env=walk.place.env)
    is_as_it_was(walk, shown("0.1.0/codes"))


def test_an_upgrade_that_is_killed_again_and_again_goes_on(left):
    """At each file in turn, on the same stores."""
    walk, before = left(ONE), shown(ONE)
    files = len(list((REPO / "sql").glob("*.sql")))
    for times in range(1, files + 1, 4):
        at("tv_signatures_make_way", walk.programs["trivet-etl"], "schema", env=walk.place.env, times=times)
    walk.run("trivet-etl", "schema")
    is_as_it_was(walk, before)


# --- programs that are older than the stores ------------------------------------------------------------------------------


def everything(place):
    return [stores_dump.mongo_text(place), stores_dump.redis_text(place)] + [rows(place, query) for query in ROWS.values()]


def test_a_program_older_than_the_stores_refuses(left):
    walk = left(ONE)
    walk.run("trivet-etl", "schema")
    walk.run("trivet-train", "repair")
    more(walk.folder / "more")
    walk.place.psql("INSERT INTO trivet.schema_version SELECT max(version) + 1, now(), 'newer' FROM trivet.schema_version")
    before = everything(walk.place)
    for name, command in COMMANDS.items():
        done = walk.run(*command, check=False)
        assert done.returncode == 4 and "this program knows" in done.stderr and "hint: use the newer trivet" in done.stderr, name
        assert everything(walk.place) == before, name


@pytest.mark.parametrize("situation", WHOLE)
def test_files_that_changed_have_a_version_of_their_own(left, situation):
    """Else a program of the older version would not refuse what they made, and a load of its would take functions back."""
    walk = left(situation)
    dump = stores_dump.read(FIXTURES / situation / "postgres.sql.gz")
    version, files = re.search(r"^COPY trivet\.schema_version .*\n(\d+)\t.*\t(\w+)\n\\\.$", dump, re.M).groups()
    walk.run("trivet-etl", "schema")
    if walk.place.psql("SELECT files FROM trivet.schema_version ORDER BY version DESC LIMIT 1") != files:
        assert int(walk.place.psql(VERSION)) > int(version)


# --- two sets that 0.1.0 mixed --------------------------------------------------------------------------------------------

MIXED = "0.1.0/mixed"


def single_ratings(place):
    """Wherever they are kept: in any table with the columns of ratings."""
    tables = rows(place, "SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'trivet'::regnamespace AND c.relkind = 'r' "
                         "AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('user_id', 'item_id', 'value', "
                         "'rated_at', 'load_id')) = 5")
    return sorted((row["user_id"], row["item_id"], row["value"]) for table in tables
                  for row in rows(place, f"SELECT user_id, item_id, value FROM {table['name']} WHERE load_id IS NULL"))


def test_nothing_of_two_sets_is_lost(left):
    """A set was loaded after another one, of which there are models and single ratings."""
    walk, before = left(MIXED), shown(MIXED)
    given = single_ratings(walk.place)
    assert len(given) == 4
    walk.run("trivet-etl", "schema")
    assert single_ratings(walk.place) == given
    loaded = [row for row in before["rows"]["numbers"] if row["load_id"] is not None]
    there = rows(walk.place, ROWS["numbers"])
    assert [row for row in loaded if row not in there] == [] and len(loaded) > 200
    assert lacking({what: before["rows"][what] for what in ("loads", "journal", "indexes", "movies")}, walk.rows()) == []


def test_a_model_of_the_set_before_goes_on(left):
    """It recommends what it did, under the titles that it had."""
    walk, before = left(MIXED), shown(MIXED)
    walk.run("trivet-etl", "schema")
    found = recommendations(before["live"])
    assert any(answer[1].get("reason") == "personal" for answer in found.values())
    assert lacking(found, asked(walk, found)) == []


def test_a_rollback_within_the_set_before_shows_its_titles_or_says_why_not(left):
    walk, before = left(MIXED), shown(MIXED)
    walk.run("trivet-etl", "schema")
    done = walk.run("trivet-train", "rollback", check=False)
    assert done.returncode == 0 or (done.returncode == 3 and "hint: " in done.stderr), done.stderr
    found = asked(walk, recommendations(before["live"]))
    assert '"id"' in json.dumps(found) and "Series" not in json.dumps(found)


def test_an_index_that_another_set_has_reached_is_dropped(left):
    """It was made of films, and 0.1.0 applied changes of the shows that were loaded later to it."""
    walk = left(MIXED)
    walk.run("trivet-train", "fit", "--factors", 3, "--set", "min_users_for_item=2")
    assert walk.place.psql("SELECT state, dataset FROM trivet.similar_index WHERE id = 1") == "dropped|"
    assert walk.served(lambda server: server.get("/api/v1/items/50/similar?by=audience")).status == 503
    walk.run("trivet-train", "similar", "--if-changed")
    walk.run("trivet-train", "similar", "--check")
    assert walk.place.redis_client().get("trivet:similar:live") == b"2"


def test_an_index_of_a_set_that_was_loaded_again_goes_on(left):
    walk = left(MIXED)
    walk.place.psql("UPDATE trivet.load SET name = (SELECT max(name) FROM trivet.load)")
    walk.run("trivet-etl", "schema")
    assert walk.place.psql("SELECT dataset = trivet.current_dataset() FROM trivet.similar_index WHERE id = 1") == "t"


def test_an_index_of_which_nothing_tells_what_it_is_of_is_dropped(left):
    walk = left(MIXED)
    walk.place.psql("UPDATE trivet.similar_index SET started_at = '2000-01-01'")
    walk.run("trivet-etl", "schema")
    walk.run("trivet-train", "repair")
    assert walk.place.psql("SELECT state FROM trivet.similar_index WHERE id = 1") == "dropped"
    assert walk.place.redis_client().get("trivet:similar:live") is None


def test_a_server_counts_and_follows_nothing_of_an_index_of_which_nothing_tells_what_it_is_of(left):
    """Before any command has taken it out of Redis."""
    walk, similar = left(MIXED), "/api/v1/items/50/similar?by=audience&top=3"
    walk.place.psql("UPDATE trivet.similar_index SET started_at = '2000-01-01'; UPDATE trivet.similar_event SET applied_at = NULL")
    walk.run("trivet-etl", "schema")

    def ask(server):
        counted = server.get(similar + "&exact=1")
        assert counted.status != 200 or "jaccard" not in counted.text, counted.text
        return server.get(similar).status

    walk.served(ask)
    assert walk.place.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NOT NULL") == "0"


def test_a_training_learns_nothing_of_the_set_before(left):
    walk = left(MIXED)
    walk.run("trivet-etl", "schema")
    walk.run("trivet-train", "fit", "--factors", 3, "--set", "min_users_for_item=2")
    served = walk.place.mongo_db().user.distinct("_id")
    assert served and not {1, 900} & set(served), "users who rated nothing of the new set"


def test_single_ratings_of_the_set_before_come_back_with_it(left):
    """They are out of the way, and a load of its name has them again."""
    walk = left(MIXED)
    given, in_sight = single_ratings(walk.place), "SELECT user_id, item_id, value FROM trivet.rating WHERE load_id IS NULL ORDER BY 1, 2"
    walk.run("trivet-etl", "schema")
    assert rows(walk.place, in_sight) == []
    listed = {row["name"]: row["live_ratings"] for row in rows(walk.place, "SELECT * FROM trivet.datasets()")}
    assert listed == {"films": len(given), "shows": 0}
    make_stores.films(walk.folder / "films")
    changed = "SELECT user_id FROM trivet.user_change ORDER BY 1"
    assert rows(walk.place, changed) == []
    walk.run("trivet-etl", "load", "films")
    assert [row["user_id"] for row in rows(walk.place, changed)] == [1, 900]
    assert [tuple(row.values()) for row in rows(walk.place, in_sight)] == given
    assert walk.place.psql("SELECT count(*) FROM trivet.rating") == str(660 + len(given))
    walk.run("trivet-train", "fit", "--factors", 3, "--set", "min_users_for_item=2")
    assert {1, 900} < set(walk.place.mongo_db().user.distinct("_id"))
