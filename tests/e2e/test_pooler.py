"""A pooler between trivet and PostgreSQL: one that gives sessions to many clients in turn is refused, one in session mode is not."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

import psycopg2
import pytest

from server import clean_environment, until
from stores import PgBouncer
from test_at_once import write

MODES = {"a session goes to the last": {"pool_mode": "transaction"}, "in turn": {"pool_mode": "transaction", "server_round_robin": 1},
         "each statement": {"pool_mode": "statement"}, "one session": {"pool_mode": "transaction", "default_pool_size": 1}}
REFUSED = "a pooler that shares sessions, such as PgBouncer in transaction mode"
COMMANDS = [("trivet-etl", "load", "SET"), ("trivet-etl", "schema"), ("trivet-train", "fit"), ("trivet-train", "evaluate"),
            ("trivet-train", "search", "--factors", "2,3"), ("trivet-train", "similar"), ("trivet-train", "rollback"),
            ("trivet-train", "repair"), ("trivet-train", "models"), ("trivet-etl", "activity", "items")]


@pytest.fixture
def pooler():
    """pooler(place, pool_mode="session"): a PgBouncer in front of the place's PostgreSQL, and the stores by way of it."""
    folders, started = [], []

    def pooler(place, **settings):
        folders.append(pathlib.Path(tempfile.mkdtemp(prefix="trivet-pooler-")))
        started.append(PgBouncer(folders[-1], place.postgres, **settings))
        started[-1].start()
        uri = started[-1].uri(place.postgres_database)
        return {**place.env, "TRIVET_POSTGRES": uri, "TRIVET_READER": uri.replace("//postgres@", "//trivet_page@")}

    yield pooler
    for process in started:
        process.stop()
    for folder in folders:
        shutil.rmtree(folder)


def ratings(folder):
    return write(folder, [(user, item, (user * item) % 5 + 1) for user in range(1, 40) for item in range(1, 40) if (user + item) % 3])


def holders(place):
    return place.psql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                      "(SELECT oid FROM pg_database WHERE datname = current_database())")


@pytest.mark.parametrize("mode", MODES)
def test_shared_sessions_are_refused_before_the_first_lock(run, fresh_stores, pooler, tmp_path, mode):
    folder, way = ratings(tmp_path / "set"), pooler(fresh_stores, **MODES[mode])
    done = run("trivet-etl", "load", folder, env=way, check=False)
    assert done.returncode == 4, done.stderr
    assert REFUSED in done.stderr and "pool_mode=session" in done.stderr and "TRIVET_POSTGRES" in done.stderr, done.stderr
    assert fresh_stores.psql("SELECT to_regnamespace('trivet') IS NULL") == "t" and holders(fresh_stores) == "0"


def test_every_command_refuses_them(run, fresh_stores, pooler, tmp_path):
    folder = ratings(tmp_path / "set")
    run("trivet-etl", "load", folder, env=fresh_stores.env)
    run("trivet-train", "fit", "--factors", 2, env=fresh_stores.env)
    way = pooler(fresh_stores, pool_mode="transaction")
    for program, *arguments in COMMANDS:
        done = run(program, *(folder if word == "SET" else word for word in arguments), env=way, check=False)
        assert done.returncode != 0 and REFUSED in done.stderr, (arguments, done.stdout, done.stderr)
    assert holders(fresh_stores) == "0"


def test_they_are_refused_while_others_use_the_pool(run, fresh_stores, pooler, tmp_path):
    folder, way, end = ratings(tmp_path / "set"), pooler(fresh_stores, pool_mode="transaction"), threading.Event()

    def busy():
        connection = psycopg2.connect(way["TRIVET_POSTGRES"])
        connection.autocommit = True
        while not end.is_set():
            connection.cursor().execute("SELECT 1")
        connection.close()

    others = [threading.Thread(target=busy) for _ in range(3)]
    for thread in others:
        thread.start()
    try:
        for _ in range(10):
            assert REFUSED in run("trivet-etl", "load", folder, env=way, check=False).stderr
    finally:
        end.set()
        for thread in others:
            thread.join()


def test_a_pool_in_session_mode_does(run, serve, fresh_stores, pooler, tmp_path):
    folder = ratings(tmp_path / "set")
    way = pooler(fresh_stores, pool_mode="session")
    run("trivet-etl", "load", folder, env=way)
    way = pooler(fresh_stores, pool_mode="session")  # which knows the logins that the load has made
    run("trivet-train", "fit", "--factors", 2, env=way)
    run("trivet-train", "evaluate", "--factors", 2, env=way)
    run("trivet-train", "similar", env=way)
    assert "live" in run("trivet-train", "models", env=way).stdout
    server = serve(fresh_stores, env={"TRIVET_POSTGRES": way["TRIVET_POSTGRES"].replace("//postgres@", "//trivet_live@")})
    assert server.send("PUT", "/api/v1/users/1/ratings/1", 4).status == 200
    assert holders(fresh_stores) != "0"  # the keeper of similar items
    server.stop()


def test_the_server_takes_no_rating_through_shared_sessions(run, serve, fresh_stores, pooler, tmp_path):
    run("trivet-etl", "load", ratings(tmp_path / "set"), env=fresh_stores.env)
    run("trivet-train", "fit", "--factors", 2, env=fresh_stores.env)
    way = pooler(fresh_stores, pool_mode="transaction")
    server = serve(fresh_stores, env={"TRIVET_POSTGRES": way["TRIVET_POSTGRES"].replace("//postgres@", "//trivet_live@")})
    assert server.get("/recs?user_id=1").status == 200
    assert server.send("PUT", "/api/v1/users/1/ratings/1", 4).status >= 500
    assert REFUSED in server.log()
    assert holders(fresh_stores) == "0"


def ask(uri, program, sql):
    connection = psycopg2.connect(uri, application_name=program)
    connection.autocommit = True
    connection.cursor().execute(sql)
    connection.close()


def test_a_lock_that_a_pooler_kept_is_named_so(run, fresh_stores, pooler, tmp_path):
    """The program that took it is gone, and the session, which has it for ever, serves somebody else."""
    folder = ratings(tmp_path / "set")
    run("trivet-etl", "load", folder, env=fresh_stores.env)
    way = pooler(fresh_stores, pool_mode="transaction", default_pool_size=1)
    ask(way["TRIVET_POSTGRES"], "trivet-train fit (run 1)", "SELECT pg_advisory_lock(trivet.lock_key())")
    done = run("trivet-train", "repair", env=fresh_stores.env, check=False)
    assert done.returncode == 5 and "locked by trivet-train fit (run 1), process" in done.stderr
    ask(way["TRIVET_POSTGRES"], "psql", "SELECT 1")
    pid = fresh_stores.psql("SELECT pid FROM trivet.lock_holder()")
    for program, *arguments in (("trivet-train", "repair"), ("trivet-etl", "load", folder)):
        done = run(program, *arguments, env=fresh_stores.env, check=False)
        assert done.returncode == 5, done.stderr
        assert ("locked by a program that has ended: a pooler kept its session, which is used by psql now, "
                f"process {pid}, since 20") in done.stderr
        assert f"end that session: SELECT pg_terminate_backend({pid}); then run this again" in done.stderr
    fresh_stores.psql(f"SELECT pg_terminate_backend({pid})")
    run("trivet-train", "repair", env=fresh_stores.env)


def test_a_holder_that_says_nothing_is_named_so(run, fresh_stores):
    run("trivet-etl", "schema", env=fresh_stores.env)
    with fresh_stores.locked("trivet-train fit (run 1)"):
        until(lambda: fresh_stores.psql("SELECT trivet.lock_silence() >= '10 seconds'") == "t")
        done = run("trivet-train", "repair", env=fresh_stores.env, check=False)
        pid = fresh_stores.psql("SELECT pid FROM trivet.lock_holder()")
    assert done.returncode == 5 and ", silent for 00:00:1" in done.stderr, done.stderr
    assert f"if that program is there no more, SELECT pg_terminate_backend({pid}) ends its session" in done.stderr


def test_the_session_with_the_lock_ends_soon_after_its_machine(programs, fresh_stores, tmp_path):
    """The kernel counts down to its first question on the socket that PostgreSQL has, and the session bears the program's name."""
    command = [programs["trivet-etl"], "load", ratings(tmp_path / "set")]
    env = {**clean_environment(), **fresh_stores.env, "PGAPPNAME": "nightly"}
    subprocess.run(command, env=env, check=True, capture_output=True)
    with fresh_stores.locked("trivet-train fit (run 1)"):
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = "SELECT client_port FROM pg_stat_activity WHERE wait_event = 'advisory' AND application_name = 'trivet-etl load'"
        until(lambda: fresh_stores.psql(port) != "")
        ends = [f"0100007F:{port:04X}" for port in (fresh_stores.postgres.port, int(fresh_stores.psql(port)))]

        def seconds():
            """Until the kernel asks; another timer runs first, of what was sent last."""
            lines = [line.split() for line in open("/proc/net/tcp")]
            kind, ticks = next(fields[5] for fields in lines if fields[1:3] == ends).split(":")
            return kind == "02" and int(ticks, 16) / os.sysconf("SC_CLK_TCK")

        assert until(seconds) <= 30
    assert process.wait(60) == 0
