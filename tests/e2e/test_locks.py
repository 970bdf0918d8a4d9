"""Strong locks on tables in use: while somebody's transaction is in the way, ratings are taken all the same, whatever waits;
what waited finishes once the transaction ends, or gives up in words and leaves nothing."""

import contextlib
import subprocess
import time

import psycopg2
import pytest

from breakpoints import held
from server import clean_environment, until
from test_at_once import ITEMS, TWICE, USERS, place, write  # noqa: F401  (place is a fixture)

@pytest.fixture
def start(programs, place, tmp_path):
    """start("trivet-etl", "schema"): a process on the place; what it says is in its .log."""
    started = []

    def start(program, *args):
        log = tmp_path / "said"
        with open(log, "w") as out:
            started.append(subprocess.Popen([programs[program], *map(str, args)], env={**clean_environment(), **place.env},
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out))
        started[-1].log = log
        return started[-1]

    yield start
    for process in started:
        process.kill()


@contextlib.contextmanager
def transaction(place, *statements):
    """Stays open within the block: somebody has forgotten it."""
    connection = psycopg2.connect(place.postgres_uri, application_name="forgotten")
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        yield connection
    finally:
        connection.close()


WAITS = "(forgotten), whose transaction has trivet.rating since"
WRITES = "INSERT INTO trivet.rating (user_id, item_id, value) VALUES (900, 1, 3)"
COMMANDS = {
    "similar": ("trivet-train", "similar"),
    "load": ("trivet-etl", "load", "SET"),
    "append": ("trivet-etl", "load", "SET", "--append"),
    "schema": ("trivet-etl", "schema"),
}


def command(name, tmp_path, *more):
    folder = tmp_path / "second"
    if not folder.exists():
        write(folder, [(u, i, 5) for u in USERS for i in ITEMS if (u + i) % 3 == 0])
    return [folder if word == "SET" else word for word in COMMANDS[name]] + list(more)


@pytest.mark.parametrize("name", COMMANDS)
def test_ratings_are_taken_while_a_command_waits_for_a_transaction(serve, place, start, tmp_path, name):
    server = serve(place)
    assert server.send("PUT", "/api/v1/users/1/ratings/1", 4).status == 202  # no model is live
    with transaction(place, WRITES):
        process = start(*command(name, tmp_path))
        longest, taken, began = 0, 0, time.monotonic()
        while time.monotonic() < began + (4 if WAITS in process.log.read_text() else 30):
            asked = time.monotonic()
            answer = server.send("PUT", f"/api/v1/users/{taken % 20}/ratings/{1 + taken % 20}", 1 + taken % 5)
            assert answer.status == 202, answer.text
            longest, taken = max(longest, time.monotonic() - asked), taken + 1
        assert process.poll() is None, process.log.read_text()
        assert longest < 1 and taken > 10, (longest, taken)
    assert process.wait(timeout=60) == 0, process.log.read_text()
    assert WAITS in process.log.read_text()
    assert place.psql(TWICE) == "0"


@pytest.mark.parametrize("name", COMMANDS)
def test_patience_ends_and_leaves_nothing(run, place, tmp_path, name):
    def there():
        return [place.psql(f"SELECT count(*), md5(string_agg(r::text, ' ' ORDER BY r::text)) FROM trivet.{table} r")
                for table in ("rating", "item", "code", "similar_index")] + [place.psql(
                    "SELECT count(*) FROM pg_class WHERE relname ~ '^rating_load_' AND relkind = 'r'")]

    before = there()
    with transaction(place, WRITES) as holder:
        done = run(*command(name, tmp_path, "--lock-wait", "1"), env=place.env, check=False)
        assert done.returncode == 5, done.stderr
        assert f"in the way is process {holder.info.backend_pid} (forgotten), whose transaction has trivet.rating" in done.stderr
        assert f"hint: nothing was changed; let it end, or end it with SELECT pg_terminate_backend({holder.info.backend_pid})" in done.stderr
    assert there() == before
    assert place.psql("SELECT count(*) FROM trivet.load WHERE state = 'loading'") == "0"
    run(*command(name, tmp_path), env=place.env)


def test_a_reader_of_ratings_holds_up_no_index_and_nothing_that_is_added(run, place, tmp_path):
    with transaction(place, "SELECT count(*) FROM trivet.rating"):
        for name in ("similar", "append"):
            run(*command(name, tmp_path), "--lock-wait", "0", env=place.env)


def test_new_codes_are_taken_while_a_load_waits_for_somebody_s(place, start, tmp_path):
    """Whoever has the same new code as the load holds it up; others with new codes are not held up, in the load or not."""
    folder = write(tmp_path / "codes", [(u, i, 3) for u in ("ann", "bob", "cleo") for i in ITEMS])
    with (transaction(place, "SELECT * FROM trivet.rate_as('bob', '{20}', '{4}')") as holder,
          psycopg2.connect(place.live_uri) as connection, connection.cursor() as cursor):
        connection.autocommit = True
        process = start("trivet-etl", "load", "--append", folder)
        until(lambda: place.psql("SELECT count(*) FROM pg_class WHERE relname = 'rating_load_2'") == "1")
        for n in range(12):
            for user in (f"new-{n}", "ann"):
                began = time.monotonic()
                cursor.execute("SELECT refused FROM trivet.rate_as(%s, ARRAY[%s]::bigint[], '{5}')", (user, 1 + n))
                assert cursor.fetchone() == (None,) and time.monotonic() - began < 1
            time.sleep(0.1)
        assert process.poll() is None
        holder.commit()
    assert process.wait(timeout=60) == 0, process.log.read_text()
    assert place.psql("SELECT count(*) FROM trivet.code WHERE kind = 'user'") == "15"
    assert place.psql("SELECT count(*) FROM trivet.rating WHERE user_id IN (SELECT id FROM trivet.code)") == str(12 + 3 * len(ITEMS))
    assert place.psql(TWICE) == "0"
    assert place.psql("SELECT value FROM trivet.rating WHERE user_id = trivet.user_id('bob') AND item_id = 20") == "4"


@pytest.mark.parametrize("command", [("trivet-etl", "datasets", "use", "first"), ("trivet-train", "repair")])
def test_the_lock_is_given_back_before_its_session_is_closed(programs, place, tmp_path, command):
    """PostgreSQL ends a session some time after its program closed it, and the next command found the lock taken."""
    free = []
    said = held("tv_pg_close", programs[command[0]], *command[1:], env=place.env, log=tmp_path / "gdb.log",
                act=lambda: free.append(place.psql("SELECT pg_try_advisory_lock(trivet.lock_key())")))
    assert free == ["t"] and "exited normally" in said, said
