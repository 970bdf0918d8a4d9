"""Fixtures of the end-to-end and browser tests: real stores, the built programs, real ratings, a running server.

The three servers start once a session. A test that writes takes `fresh_stores` (empty databases of its own in them);
one that kills, pauses or floods a store takes `private_stores` (three servers of its own).
"""

import collections
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "e2e"))
import rating_sets  # noqa: E402
from server import Server, clean_environment  # noqa: E402
from stores import REPO, Place, Servers  # noqa: E402

# Where a program goes that was given no stores: nobody listens there, so no test can touch a running trivet.
NOWHERE = {"TRIVET_POSTGRES": "postgresql://postgres@127.0.0.1:1/postgres",
           "TRIVET_MONGO": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500",
           "TRIVET_REDIS": "redis://127.0.0.1:1/0"}


# Files that take longest, the longest first: ./check runs a file at a time on each side, and one that begins last is waited for.
LONG = ("test_waits", "test_chaos", "test_upgrade", "test_two_datasets", "test_similar_datasets", "test_load", "test_compose", "test_quickstart",
        "test_changes", "test_forget", "test_filter_parameter", "test_similar", "test_live", "test_models", "test_catalogues", "test_repair")


def pytest_collection_modifyitems(items):
    order = {file: n for n, file in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture(scope="session")
def servers():
    """The session's three servers; tests use `stores` or `fresh_stores`, which lie in them."""
    servers = Servers()
    yield servers
    servers.end()


@pytest.fixture(scope="session")
def stores(servers):
    """The session's own place (databases postgres, recsys, 0): `served` lives here. Read it, do not change it."""
    return Place(servers)


@pytest.fixture
def fresh_stores(request, servers):
    """An empty database in each of the session's servers. Do not kill these servers.

    In a file that is marked `with_schema` Postgres has the schema already, as after the first command. The mark is for files
    that are about something else."""
    etl = request.getfixturevalue("programs")["trivet-etl"] if request.node.get_closest_marker("with_schema") else None
    return servers.place(etl)


@pytest.fixture
def private_stores():
    """Three servers of the test's own, to kill and pause: private_stores.mongo.pause(). About two seconds."""
    servers = Servers()
    yield Place(servers)
    servers.end()


@pytest.fixture(scope="session")
def postgres_uri(stores):
    return stores.postgres_uri


@pytest.fixture(scope="session")
def mongo_uri(stores):
    return stores.mongo_uri


@pytest.fixture(scope="session")
def redis_uri(stores):
    return stores.redis_uri


@pytest.fixture(scope="session")
def programs():
    """{"trivet-etl": path, ...} in $TRIVET_TEST_BUILD or build/."""
    build = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build"))
    found = {f"trivet-{room}": build / room / f"trivet-{room}" for room in ("etl", "train", "serve")}
    missing = [str(path) for path in found.values() if not path.exists()]
    if missing:
        pytest.fail(f"not built: {', '.join(missing)}; cmake -B build && cmake --build build", pytrace=False)
    return found


@pytest.fixture(scope="session")
def run(programs):
    """run("trivet-etl", "load", folder, env=stores.env): a CompletedProcess with text.

    Without the three addresses in env a program finds no store. check=False allows a failure."""

    def run(program, *args, env=None, check=True, timeout=120, **options):
        command = [str(programs[program]), *map(str, args)]
        done = subprocess.run(command, env={**clean_environment(), **NOWHERE, **(env or {})}, timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
        if check and done.returncode != 0:
            pytest.fail(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    return run


@pytest.fixture(scope="session")
def data_dir():
    """The folder with ml-latest-small, ml-100k and others; skips where there is none."""
    return rating_sets.FOLDER if rating_sets.THERE else pytest.skip(rating_sets.NOT_THERE)


@pytest.fixture(scope="session")
def movielens_100k(tmp_path_factory):
    """A folder with ml-100k.inter and ml-100k.item: data/ when it has them, else fetched as ./quickstart does."""
    if (REPO / "data/ml-100k.inter").exists():
        return REPO / "data"
    folder = tmp_path_factory.mktemp("movielens")
    done = subprocess.run(["bash", "-c", 'source tools/fetch.sh && fetch_movielens "$1"', "fetch", folder], cwd=REPO,
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"MovieLens 100K cannot be fetched: {done.stderr.strip()}")
    return folder


@pytest.fixture(scope="session")
def ending():
    """Servers that were told to stop as their test ended. Some take half a second, which nobody has to stand by for; one that hangs
    is reported by one of the next tests."""
    servers = collections.deque()
    yield servers
    for server in servers:
        server.wait_for_end()


@pytest.fixture
def serve(programs, ending, tmp_path_factory):
    """serve(stores, env={...}, args=[...]): a running Server; all are told to end with the test."""
    started = []

    def serve(place, env=None, args=()):
        server = Server(programs["trivet-serve"], place, tmp_path_factory.mktemp("serve"), env, args)
        started.append(server)
        return server.start()

    yield serve
    for server in started:
        server.tell_to_stop()
        ending.append(server)
    while len(ending) > 3:
        ending.popleft().wait_for_end()


@pytest.fixture(scope="session")
def served(request, programs, run, stores, tmp_path_factory):
    """A server over ml-latest-small (MovieLens 100K where that is absent) with the default model.

    Has .url, .get(path), .stores, .run(program, ...) on the same stores, .restart(). Shared: read only."""
    ratings = rating_sets.FOLDER / "ml-latest-small" if rating_sets.THERE else request.getfixturevalue("movielens_100k")
    run("trivet-etl", "load", ratings, env=stores.env)
    run("trivet-train", "fit", env=stores.env)
    server = Server(programs["trivet-serve"], stores, tmp_path_factory.mktemp("served"))
    server.run = lambda program, *args, **options: run(program, *args, env=stores.env, **options)
    server.start()
    yield server
    server.stop()
