"""No store that hangs keeps a program: it ends in time when told to, and answers in time while it runs.

A store that hangs is one whose processes are stopped (the kernel still takes connections for it), an address that
takes connections and never says a word, or one where not even connecting comes to an end.
"""

import concurrent.futures
import contextlib
import random
import signal
import socket
import subprocess
import threading
import time

import pytest

import breakpoints
from rating_sets import like_movielens
from server import Server, clean_environment, preloaded, until
from stores import Place, Servers

STOP = 10 + 1  # seconds: what is promised after a signal, and the second that is allowed beside
STORES = ("postgres", "mongo", "redis")


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    rng = random.Random(9)
    return like_movielens(
        tmp_path_factory.mktemp("waits") / "ratings",
        ((user, film, rng.choice([1, 3, 4, 5]), 1_000_000 + film)
         for user in range(1, 3001) for film in rng.sample(range(1, 201), 40)),
        ((film, f"Film {film} ({1900 + film % 100})", "Drama") for film in range(1, 201)))


FIT = ("trivet-train", "fit", "--set", "max_items_for_user=60", "--factors", 5)


@pytest.fixture(scope="module")
def kept(run, ratings):
    """Stores of this module's own, with a model and an index of similar items."""
    servers = Servers()
    place = Place(servers)
    run("trivet-etl", "load", ratings, env=place.env)
    run(*FIT, env=place.env)
    run("trivet-train", "similar", env=place.env)
    yield place
    servers.end()


@pytest.fixture
def own(kept):
    yield kept
    for name in STORES:
        getattr(kept, name).resume()


@contextlib.contextmanager
def hanging(place, names):
    for name in names:
        getattr(place, name).pause()
    try:
        yield
    finally:
        for name in names:
            getattr(place, name).resume()


@contextlib.contextmanager
def hole(deep):
    """An address that never answers: (host, port). `deep`: not even connecting to it comes to an end."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0 if deep else 100)
        for _ in range(8 if deep else 0):  # the queue of those who wait to be accepted is full, so no SYN is answered
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()


def seconds_to_end(child, sent=signal.SIGTERM):
    began = time.monotonic()
    child.send_signal(sent)
    try:
        child.wait(60)
    except subprocess.TimeoutExpired:
        child.kill()
        pytest.fail("still there a minute after the signal")
    return time.monotonic() - began


def rate_on(server, stop):
    """Work for the follower and the audience, at every moment."""
    rng = random.Random(1)
    while not stop.is_set():
        with contextlib.suppress(OSError):
            server.send("PUT", f"/api/v1/users/{rng.randrange(1, 40)}/ratings/{rng.randrange(1, 200)}", 4, timeout=60)


# --- the server -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [*((name,) for name in STORES), STORES], ids="+".join)
def test_sigterm_ends_the_server_whatever_hangs(serve, own, names):
    server = serve(own)
    until(lambda: server.get("/readyz").json()["status"] == "ok")
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pool.submit(rate_on, server, stop)
        time.sleep(1)
        with hanging(own, names):
            time.sleep(6)  # every thread of the server has come to a store that hangs
            stop.set()
            took = seconds_to_end(server.child)
    assert took < STOP
    assert server.child.returncode == 0 and server.log().rstrip().endswith("stopped"), server.log(20)


@pytest.mark.parametrize("deep", [False, True], ids=["never says a word", "never connects"])
def test_sigterm_ends_a_server_whose_stores_are_holes(programs, own, tmp_path, deep):
    with hole(deep) as (host, port):
        env = {"TRIVET_POSTGRES": f"postgresql://trivet_live@{host}:{port}/postgres",
               "TRIVET_READER": f"postgresql://trivet_page@{host}:{port}/postgres",
               "TRIVET_MONGO": f"mongodb://{host}:{port}/recsys", "TRIVET_REDIS": f"redis://{host}:{port}/0"}
        server = Server(programs["trivet-serve"], own, tmp_path, env, ["--wait", "0"])
        server.start()
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            asked = [pool.submit(server.send, "PUT", "/api/v1/users/1/ratings/1", 4, timeout=60),
                     pool.submit(server.get, "/recs?user_id=1", timeout=60), pool.submit(server.get, "/models/journal", timeout=60)]
            time.sleep(0.5)
            took = seconds_to_end(server.child)
            assert {future.result().status for future in asked} == {503}
    assert took < STOP and server.child.returncode == 0, server.log(20)


def test_sigterm_ends_a_server_that_is_still_looking_for_its_stores(programs, own, tmp_path):
    with hole(False) as (host, port):
        env = {"TRIVET_MONGO": f"mongodb://{host}:{port}/recsys", "TRIVET_REDIS": f"redis://{host}:{port}/0"}
        server = Server(programs["trivet-serve"], own, tmp_path, env, ["--wait", "120"])
        with open(server.log_path, "ab") as log:
            server.child = subprocess.Popen(server.command(), env=server.environment(), stdout=log, stderr=log)
        time.sleep(2)
        assert seconds_to_end(server.child) < STOP


# --- answers meanwhile ----------------------------------------------------------------------------------------


def test_ratings_are_refused_in_time_while_postgres_hangs(serve, own):
    """The first few wait for what a statement may take; whoever comes later is told at once, and reading goes on."""
    server = serve(own)
    assert server.send("PUT", "/api/v1/users/1/ratings/7", 4).status == 200

    def put(user):
        began = time.monotonic()
        return server.send("PUT", f"/api/v1/users/{user}/ratings/7", 4, timeout=60).status, time.monotonic() - began

    with hanging(own, ["postgres"]), concurrent.futures.ThreadPoolExecutor(8) as pool:
        first = list(pool.map(put, range(1, 9)))
        later = [put(user) for user in range(10, 20)]
        began = time.monotonic()
        assert server.get("/recs?user_id=5").status == 200 and time.monotonic() - began < 1
        page = server.get("/lab/funnel", timeout=60, accept="application/json")
        lab = time.monotonic() - began
    assert {status for status, _ in first + later} == {503}
    assert max(seconds for _, seconds in first) < 8, first
    assert sorted(seconds for _, seconds in later)[len(later) // 2] < 0.2, later
    assert page.status == 503 and lab < 8

@pytest.mark.parametrize("name", ["mongo", "redis"])
def test_ratings_are_taken_in_time_while_another_store_hangs(serve, own, name):
    server = serve(own)
    until(lambda: server.get("/readyz").json()["status"] == "ok")

    def put(user):
        began = time.monotonic()
        return server.send("PUT", f"/api/v1/users/{user}/ratings/9", 4, timeout=60).status, time.monotonic() - began

    with hanging(own, [name]), concurrent.futures.ThreadPoolExecutor(8) as pool:
        first = list(pool.map(put, range(70, 86)))
        later = [put(user) for user in range(90, 100)]
    assert {status for status, _ in first + later} == {202}
    assert max(seconds for _, seconds in first) < 4, first
    assert sorted(seconds for _, seconds in later)[len(later) // 2] < 0.2, later


# --- the wall clock -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wall_clock(tmp_path_factory):
    """The library that lets a test set a program's wall clock."""
    return preloaded("wall_clock", tmp_path_factory.mktemp("clock"))


@pytest.mark.parametrize("hours", [-1, 1], ids=["back", "forward"])
def test_what_is_to_be_done_is_done_though_the_wall_clock_is_set(serve, own, wall_clock, tmp_path, hours):
    """Ratings that another program took: nobody wakes the threads that fold users in, count items and follow pairs."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    server = serve(own, env={"LD_PRELOAD": str(wall_clock), "WALL_CLOCK": str(clock)})
    undone = """SELECT (SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev) +
                       (SELECT count(*) FROM trivet.item_change WHERE rev > counted_rev) +
                       (SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL)"""
    until(lambda: own.psql(undone) == "0", 30)
    time.sleep(3)  # all rest now
    clock.write_text(str(hours * 3600))
    for round in range(3):  # the first may come to an end that was set before
        own.psql(f"SELECT trivet.rate({50 + round}, '{{20}}', '{{{2 + (hours + round) % 3}}}')")
        until(lambda: own.psql(undone) == "0", 20)
    assert server.get("/readyz").json()["status"] == "ok"


# --- commands -------------------------------------------------------------------------------------------------


def until_it_says(child, text):
    """Reads what a command says with --log debug, up to a line that holds the text."""
    for line in child.stderr:
        if text in line:
            return
    pytest.fail(f"it never said {text!r}")


def begin(programs, place, program, *args):
    return subprocess.Popen([programs[program], *map(str, args), "--log", "debug"], stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            env={**clean_environment(), **place.env})


COMMANDS = [("postgres", "load", "postgres: COPY", signal.SIGTERM), ("postgres", "fit", "postgres: COPY", signal.SIGINT),
            ("postgres", "fit", "mongo: insert", signal.SIGTERM), ("mongo", "fit", "mongo: insert", signal.SIGTERM),
            ("redis", "fit", "mongo: insert", signal.SIGTERM), ("redis", "similar", "redis: ", signal.SIGINT)]


@pytest.mark.parametrize("store, command, when, sent", COMMANDS)
def test_a_command_ends_while_a_store_hangs(programs, run, own, ratings, store, command, when, sent):
    words = {"fit": FIT, "load": ("trivet-etl", "load", ratings)}.get(command, ("trivet-train", command))
    before = own.psql("SELECT count(*), min(id), max(id) FROM trivet.load WHERE state = 'complete'")
    child = begin(programs, own, *words)
    until_it_says(child, when)
    with hanging(own, [store]):
        reader = threading.Thread(target=child.stderr.read)  # it goes on talking
        reader.start()
        time.sleep(1)
        took = seconds_to_end(child, sent)
        reader.join()
    assert took < STOP and child.returncode != 0
    run("trivet-train", "repair", env=own.env)
    assert own.psql("SELECT count(*) FROM trivet.run WHERE state IN ('building', 'activating')") == "0"
    assert own.psql("SELECT count(*), min(id), max(id) FROM trivet.load WHERE state = 'complete'") == before


def test_a_copy_that_is_given_up_comes_to_an_end(programs, run, private_stores, tmp_path):
    """MongoDB dies while items are copied out to it, so the rest of the COPY is not wanted; but Postgres stands still, and does
    not hear of that."""
    with open(tmp_path / "ratings.csv", "w") as f:
        f.write("userId,movieId,rating\n" + "".join(f"{user},{film},{random.Random(f'{user} {film}').randint(1, 5)}\n" for user in range(40) for film in range(30)))
    with open(tmp_path / "movies.csv", "w") as f:  # more than what fits between the two
        f.write("movieId,title,genres\n" + "".join(f"{film},{'Film ' * 40}{film},Drama\n" for film in range(60_000)))
    run("trivet-etl", "load", tmp_path, env=private_stores.env)
    backends = f"$(pgrep -P {private_stores.postgres.pid})"
    stop = f"shell kill -KILL {private_stores.mongo.pid}; kill -STOP {backends}; (sleep 20; kill -CONT {backends}) &"
    mongo = {"TRIVET_MONGO": private_stores.mongo_uri + "?serverSelectionTimeoutMS=2000"}
    done = breakpoints.at("take_item", programs["trivet-train"], *FIT[1:], env={**private_stores.env, **mongo}, do=stop, timeout=90)
    assert "exited with code 04" in done.stdout, done.stdout[-2000:]
