"""docs/threads.md: which threads there are, how they wait, and which lock may be taken while another is held."""

import pathlib
import random
import re
import signal
import subprocess

import pytest

from rating_sets import like_movielens
from server import Server, preloaded, until
from stores import Place, REPO, Servers

PLACES = ("lib", "etl", "train", "serve")
PAGE = (REPO / "docs/threads.md").read_text()


def sources(pattern):
    """The files, and in each the lines, that a pattern is found in; comments and texts are no code."""
    found = {}
    for path in sorted(p for place in PLACES for p in (REPO / place).rglob("*.[ch]")):
        text = re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"", "", path.read_text(), flags=re.S)
        if re.search(pattern, text):
            found[str(path.relative_to(REPO))] = text
    return found


def locks():
    """{lock: file}, each by the name that the page calls it: its file's and its own."""
    names = {}
    for path, text in sources(r"\bpthread_mutex_t\b").items():
        for name in re.findall(r"\bpthread_mutex_t\s+(\w+)\s*(?:\[\w+\])?\s*[;=]", text):
            names[f"{pathlib.PurePath(path).stem}.{name}"] = path
    return names


def test_the_page_names_every_source_that_starts_a_thread():
    starting = sources(r"\b(pthread_create|tv_ticker_start|tv_lines_start|tv_workers_start|MHD_start_daemon)\(")
    assert len(starting) > 10
    users = {"lib/base/log.c", "serve/listen/access_log.c"}  # of lines, which the page names
    assert [path for path in starting if path.endswith(".c") and f"`{path}`" not in PAGE and path not in users] == []


def test_the_page_names_every_lock():
    assert len(locks()) > 15
    assert [name for name in locks() if f"`{name}`" not in PAGE] == []


def test_the_page_names_no_file_or_lock_that_is_gone():
    assert [path for path in re.findall(r"`((?:lib|serve|train|etl|tests)/[\w/]+\.\w+)`", PAGE) if not (REPO / path).exists()] == []
    named = re.findall(r"`(\w+\.(?:mutex|loading|shown|locks))`", PAGE)
    assert set(named) == set(locks())


def test_whatever_rests_goes_by_the_clock_that_never_goes_back():
    """A condition that is waited for until some time is on CLOCK_MONOTONIC, and the wall clock gives dates alone."""
    timed = sources(r"\bpthread_cond_timedwait\(")
    assert set(timed) == {"lib/base/ticker.c", "lib/base/lines.c"}
    assert all("pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC)" in text for text in timed.values())
    assert set(sources(r"\bCLOCK_REALTIME\b")) == {"lib/base/clock.c", "lib/base/log.c", "serve/listen/access_log.c"}
    assert set(sources(r"\b(pthread_mutex_timedlock|sem_timedwait|alarm|setitimer)\(")) == set()


# --- a server that works ------------------------------------------------------------------------------------------


def documented():
    """The pairs of the table: {(held, taken)}."""
    table = PAGE.partition("| while this is held | this may be taken | why |")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| `([\w.]+)` \| `([\w.]+)` \|", table, re.M))


@pytest.fixture(scope="module")
def tracer(tmp_path_factory):
    return preloaded("lock_order", tmp_path_factory.mktemp("locks"))


@pytest.fixture(scope="module")
def trained(run, tmp_path_factory):
    """Stores of this module's own with two models and an index of similar items."""
    rng = random.Random(4)
    folder = like_movielens(
        tmp_path_factory.mktemp("threads") / "ratings",
        ((user, film, rng.choice([1, 3, 4, 5]), 1_000_000 + film)
         for user in range(1, 301) for film in rng.sample(range(1, 61), 20)),
        ((film, f"Film {film} ({1900 + film})", "Drama") for film in range(1, 61)))
    servers = Servers()
    place = Place(servers)
    run("trivet-etl", "load", folder, env=place.env)
    for factors in (3, 4):
        run("trivet-train", "fit", "--set", "max_items_for_user=60", "--factors", factors, env=place.env)
    run("trivet-train", "similar", env=place.env)
    yield place
    servers.end()


def use_everything(server, place, run):
    """Every thread of the server has work: requests that wait and that do not, ratings, a switch, a store that goes and comes."""
    for user in range(1, 20):
        assert server.get(f"/api/v1/recs?user_id={user}").status == 200
        assert server.send("PUT", f"/api/v1/users/{user}/ratings/{user}", 4).status in (200, 202)
    for path in ("/", "/recs?user_id=1", "/api/v1/recs?user_id=1&model=1", "/api/v1/models", "/api/v1/items?q=film",
                 "/api/v1/items/3/similar?by=audience", "/api/v1/items/3/similar", "/api/v1/predict?user_id=2&ids=1,2",
                 "/lab/funnel", "/models/journal", "/metrics", "/readyz", "/nothing"):
        assert server.get(path).status < 500, path
    assert server.send("DELETE", "/api/v1/users/1/ratings/1").status in (200, 202)
    run("trivet-train", "rollback", env=place.env)
    until(lambda: server.get("/api/v1/recs?user_id=1").json()["model"] == 1, 20)
    place.redis.pause()
    until(lambda: not server.get("/readyz").json()["stores"]["redis"]["up"], 20)
    place.redis.resume()
    until(lambda: server.get("/readyz").json()["stores"]["redis"]["up"], 20)
    until(lambda: place.psql("SELECT count(*) FROM trivet.item_change WHERE rev > counted_rev") == "0", 30)


def lock_at(binary, offset):
    """The name of the lock that is taken at an offset into the program: its file's, and its own."""
    done = subprocess.run(["addr2line", "-e", binary, offset], capture_output=True, text=True, check=True).stdout
    path, _, line = done.split(" ")[0].strip().rpartition(":")
    code = pathlib.Path(path).read_text().splitlines()[int(line) - 1]
    name = re.search(r"pthread_mutex_lock\(.*?(?:->|[.&])(\w+)(?:\[.*\])?\);", code)[1]
    return f"{pathlib.PurePath(path).stem}.{name}"


class Traced(Server):
    """A server whose locks are told, and whose log goes into a pipe, as under most supervisors: a thread of its own writes it then."""

    def __init__(self, tracer, told, *args):
        super().__init__(*args)
        self.tracing = [f"LD_PRELOAD={tracer}", f"LOCK_ORDER={told}"]

    def command(self):
        return ["bash", "-c", 'exec env "$@" > >(cat) 2>&1', "bash", *self.tracing, *super().command()]


def test_a_server_takes_no_locks_but_in_the_order_of_the_page(run, programs, trained, tracer, tmp_path):
    told, binary = tmp_path / "pairs", programs["trivet-serve"]
    server = Traced(tracer, told, binary, trained, tmp_path).start()
    try:
        use_everything(server, trained, run)
        server.child.send_signal(signal.SIGTERM)
        assert server.child.wait(20) == 0
    finally:
        server.kill()
    pairs = {tuple(lock_at(binary, offset) for offset in line.split()) for line in told.read_text().splitlines()}
    assert pairs == documented()
