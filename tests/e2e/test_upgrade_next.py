"""Which program brings an older schema up to date, and which leaves it alone and says so: a command of any kind where its login may; never
a login that may not, a session that only reads, or the server."""

import subprocess
import time

import pytest

from server import Server, clean_environment, until
from stores import REPO, StoreError
from stores_walk import Walk, answers, lacking
from test_upgrade import ONE, VERSION, everything, left, recommendations, shown  # noqa: F401  (left is a fixture)

OLDER = ("the schema trivet in this database is older than this program\n"
         "hint: bring it up to date, as the login that made it or a superuser: trivet-etl schema\n")
HALF_WAY = "the schema trivet in this database is half-way to version "
NEWER = "INSERT INTO trivet.schema_version SELECT max(version) + 1, now(), 'newer' FROM trivet.schema_version"
FILES = "SELECT coalesce(files, 'none') FROM trivet.schema_version ORDER BY version DESC LIMIT 1"
RUNS = ("trivet-train", "runs")


def as_login(walk, uri):
    """The same walk with another login."""
    place = walk.place

    class Other:
        env = {**place.env, "TRIVET_POSTGRES": uri}

    return Walk(walk.programs, Other, walk.folder)


def only_reads(place):
    return place.postgres_uri + ("&" if "?" in place.postgres_uri else "?") + "options=-cdefault_transaction_read_only%3Don"


@pytest.fixture
def new(programs, fresh_stores, tmp_path):
    """A walk on an empty schema of today's."""
    walk = Walk(programs, fresh_stores, tmp_path)
    walk.run("trivet-etl", "schema")
    return walk


# --- commands -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", (lambda place: place.live_uri, only_reads), ids=("another login", "a session that only reads"))
def test_who_may_not_leaves_it_alone_and_says_who_may(left, uri):  # noqa: F811
    walk = left(ONE)
    limited, before = as_login(walk, uri(walk.place)), everything(walk.place)
    for command in (RUNS, ("trivet-train", "fit", "--factors", 3), ("trivet-train", "similar"), ("trivet-etl", "funnel")):
        done = limited.run(*command, check=False)
        assert done.returncode == 4 and done.stderr.endswith(OLDER), done.stderr
    assert everything(walk.place) == before and walk.place.psql(VERSION) == "1"
    assert "is brought up to version" in walk.run(*RUNS).stderr
    assert limited.run(*RUNS).stdout == walk.run(*RUNS).stdout


def test_a_schema_that_is_half_way_is_gone_on_with_or_refused(new):
    """Its version is already the new one."""
    whole = new.place.psql(FILES)
    new.place.psql("UPDATE trivet.schema_version SET files = NULL; DROP FUNCTION trivet.why_empty")
    done = as_login(new, new.place.live_uri).run(*RUNS, check=False)
    assert done.returncode == 4 and HALF_WAY in done.stderr
    new.run(*RUNS)
    assert new.place.psql(FILES) == whole and new.place.psql("SELECT count(*) FROM pg_proc WHERE proname = 'why_empty'") == "1"


def test_other_files_of_the_same_version_are_a_loads_business(new):
    new.place.psql("UPDATE trivet.schema_version SET files = 'others'")
    new.run(*RUNS)
    assert new.place.psql(FILES) == "others"


def test_two_commands_at_once_take_turns(left):  # noqa: F811
    walk = left(ONE)
    children = [subprocess.Popen([str(walk.programs[RUNS[0]]), RUNS[1]], env={**clean_environment(), **walk.place.env},
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0, 0, 0], said
    assert len({out for out, _ in said}) == 1 and sum("version 2 applied" in err for _, err in said) == 1


def test_files_applied_by_hand_are_a_whole_schema(programs, fresh_stores, tmp_path):
    files = sorted((REPO / "sql").glob("*.sql"))
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *(word for f in files for word in ("-f", f)), "-d", fresh_stores.postgres_uri],
                   check=True, capture_output=True)
    as_login(Walk(programs, fresh_stores, tmp_path), fresh_stores.live_uri).run(*RUNS)


# --- the server -----------------------------------------------------------------------------------------------------------


def rated(server):
    return server.send("POST", "/1/ratings", [{"movie_id": 20, "rating": 4}])


def test_a_server_serves_what_it_can_until_the_schema_is_up_to_date(left):  # noqa: F811
    """Without a restart."""
    walk = left(ONE)
    server = Server(walk.programs["trivet-serve"], walk.place, walk.folder).start()
    try:
        before = recommendations(shown(ONE)["live"])
        personal = {address: answer for address, answer in before.items() if answer[1].get("reason") == "personal"}
        assert len(personal) > 5 and lacking(personal, answers(server, personal)) == []
        found = until(lambda: server.get("/readyz").json().get("ratings"))
        assert (found["message"] + "\nhint: " + found["hint"] + "\n").endswith(OLDER)
        asked, sent = server.get("/lab/funnel"), rated(server)
        assert (asked.status, sent.status) == (503, 503) and OLDER.split("\n")[0] in asked.text and "trivet-etl schema" in sent.text
        assert walk.place.psql(VERSION) == "1"
        walk.run(*RUNS)
        until(lambda: lacking(before, answers(server, before)) == [])  # those who waited are folded in
        assert (server.get("/lab/funnel").status, rated(server).status) == (200, 200)
        until(lambda: server.get("/readyz").json()["status"] == "ok")
    finally:
        server.stop()
    assert walk.place.psql("SELECT value FROM trivet.rating WHERE user_id = 1 AND item_id = 20 AND load_id IS NULL") == "4"


def test_a_server_older_than_the_schema_does_not_start(new):
    new.place.psql(NEWER)
    for env in ({}, {"TRIVET_POSTGRES": "postgresql://127.0.0.1:1/nobody"}):  # then the pages' login finds out
        server = Server(new.programs["trivet-serve"], new.place, new.folder, env)
        with pytest.raises(StoreError, match="ended with 4"):
            server.start()
        assert "has version 3, this program knows 2" in server.log() and "use the newer trivet" in server.log()


def test_a_server_that_runs_refuses_once_the_schema_is_newer(left):  # noqa: F811
    """On the connections that it has: for ratings, pages, what follows ratings, and similar items."""
    walk = left(ONE)
    walk.run("trivet-etl", "schema")
    walk.run("trivet-train", "similar")
    of_one = "SELECT value FROM trivet.rating WHERE user_id = 1 AND item_id = 20 AND load_id IS NULL"
    server = Server(walk.programs["trivet-serve"], walk.place, walk.folder).start()
    try:
        until(lambda: server.get("/readyz").json()["status"] == "ok")
        for _ in range(3):
            assert (server.get("/lab/funnel").status, rated(server).status) == (200, 200)
        until(lambda: walk.place.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL") == "0")
        walk.place.psql(f"{NEWER}; UPDATE trivet.rating SET value = 2 WHERE user_id = 1 AND item_id = 20 AND load_id IS NULL")
        waiting = walk.place.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL")
        time.sleep(1.2)
        for _ in range(3):
            asked, sent = server.get("/lab/funnel"), rated(server)
            assert (asked.status, sent.status) == (503, 503)
            assert "has version 3, this program knows 2" in asked.text and "PostgreSQL refuses them" in sent.text
        found = until(lambda: server.get("/readyz").json().get("ratings", {}).get("message"))
        assert "has version 3" in found and "has version 3" in until(lambda: server.get("/readyz").json().get("similar", {}).get("message"))
        assert walk.place.psql(of_one) == "2"
        assert waiting == walk.place.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL")
        walk.place.psql("DELETE FROM trivet.schema_version WHERE files = 'newer'")
        until(lambda: (server.get("/lab/funnel").status, rated(server).status) == (200, 200))
        until(lambda: server.get("/readyz").json()["status"] == "ok")
    finally:
        server.stop()


def test_a_server_starts_on_an_empty_database(programs, fresh_stores, tmp_path):
    server = Server(programs["trivet-serve"], fresh_stores, tmp_path).start()
    try:
        assert "no schema trivet yet" in until(lambda: server.get("/readyz").json().get("ratings"))["message"]
        assert server.get("/lab/funnel").status == 503
    finally:
        server.stop()
