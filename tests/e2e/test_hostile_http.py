"""What goes over sockets to a server that serves as ever meanwhile: thousands of hostile requests, clients who dawdle, and
readers of its logs who do not read."""

import random
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from server import Server, until
from stores import REPO, die_with_parent
from test_hostile import LIST, place, post, status  # noqa: F401  (a fixture)
from test_live import FIT, ratings  # noqa: F401  (a fixture)
from test_waits import wall_clock  # noqa: F401  (a fixture)

sys.path.insert(0, str(REPO / "tests" / "hostile"))
from storm import open_connections, resident_kb, storm  # noqa: E402

TIMEOUT = 2  # seconds, of the servers here
REQUESTS = 20_000
EXPECTED = {"200", "201", "204", "303", "304", "400", "401", "403", "404", "405", "413", "414", "417", "421", "422", "431", "503", "505", "closed", "left"}


@pytest.fixture
def server(serve, place):  # noqa: F811
    # What caches and the arenas of many threads keep grows by some megabytes, too, and would look like a leak.
    return serve(place, env={"TRIVET_REQUEST_TIMEOUT": str(TIMEOUT), "MALLOC_ARENA_MAX": "1", "TRIVET_USER_CACHE": "0"})


def test_a_storm_leaves_nothing_behind(server):
    def blow(begin, end):
        outcomes, late = storm(server.port, "1", range(begin, end), TIMEOUT + 4)
        assert late == [], "neither answered nor closed: numbers of seed 1"
        assert sum(outcomes.values()) == end - begin and set(outcomes) <= EXPECTED, outcomes
        assert outcomes["200"] > (end - begin) / 50 and outcomes["400"] > (end - begin) / 50, outcomes
        until(lambda: open_connections(server.port) == 0, TIMEOUT + 4)
        return resident_kb(server.pid)
    warm = [blow(at * REQUESTS // 4, (at + 1) * REQUESTS // 4) for at in range(4)]
    assert warm[3] < warm[1] + 8192, warm  # half a kilobyte a request would be more than what gaps in the heap come to
    assert server.running and server.get("/recs?user_id=1").status == 200
    assert "bug" not in server.log()
    before = time.monotonic()
    server.stop()  # which waits for requests that are under way
    assert time.monotonic() - before < 3 and "stopped" in server.log(5)


def test_arguments_without_end_cost_no_memory(server):
    """They were kept for ever, 17 KB each, and a client that waited got no answer."""
    def blow(n):
        for i in range(n):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
                s.sendall(b"GET /healthz?" + b"a&" * (450 + i % 3400) + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                if i % 10 == 0:
                    assert status(s.recv(1000)) == 400
        until(lambda: open_connections(server.port) == 0)
        return resident_kb(server.pid)
    before = blow(500)
    assert blow(3000) < before + 4096
    assert '"GET /healthz?a&a&' in server.log() and '" 400 ' in server.log()


def test_a_method_does_not_come_into_the_log_as_it_is(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
        s.sendall(b'G\x1b[2J"ET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
        assert status(s.recv(1000)) == 405
    line = until(lambda: [line for line in server.log().splitlines() if "[2J" in line])[0]
    assert '"G\\x1b[2J\\x22ET /healthz" 405 ' in line and "\x1b" not in server.log()


def drip(server, n):
    """n clients send a byte now and then, in the request line, among the headers, in the body; until the last is let go."""
    starts = [b"G", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", post(b" " * 5000)[:-5000]]
    clients = []
    for i in range(n):
        s = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        s.sendall(starts[i % 3])
        clients.append(s)
    began = time.monotonic()
    while open_connections(server.port) > 0:
        assert time.monotonic() < began + TIMEOUT + 4
        for s in clients:
            try:
                s.send(b"a")
            except OSError:
                pass
        time.sleep(0.3)
    for s in clients:
        s.close()


def test_a_thousand_who_send_a_byte_now_and_then_are_let_go(server):
    drip(server, 900)
    assert server.get("/healthz").status == 200


def test_slow_clients_are_let_go_though_the_wall_clock_goes_back(serve, place, wall_clock, tmp_path):  # noqa: F811
    clock = tmp_path / "clock"
    clock.write_text("0")
    server = serve(place, env={"TRIVET_REQUEST_TIMEOUT": str(TIMEOUT), "LD_PRELOAD": str(wall_clock), "WALL_CLOCK": str(clock)})
    clock.write_text("-3600")
    drip(server, 30)


class Unread(Server):
    """Its output goes into pipes that nobody reads: one for both, as after 2>&1, or one each."""

    def __init__(self, *args, together, **options):
        super().__init__(*args, **options)
        self.together = together

    def start(self):
        self.child = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT if self.together else subprocess.PIPE, env=self.environment(),
                                      cwd=self.folder, start_new_session=True, preexec_fn=die_with_parent(signal.SIGKILL))
        until(self._answers_now)
        return self


@pytest.mark.parametrize("together", [False, True])
def test_a_log_that_nobody_reads_holds_nothing_up(programs, place, tmp_path, together):  # noqa: F811
    """Each error is a line on standard error, each request one on standard output; both pipes are full soon."""
    server = Unread(programs["trivet-serve"], place, tmp_path, {"TRIVET_LOG": "debug"}, together=together).start()
    try:
        for i in range(3000):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
                s.sendall(b"GET /healthz?" + b"a" * 500 + b" HTTP/9.9\r\n\r\n" if i % 2 else b"GET /" + b"a" * 500 + b" HTTP/1.1\r\nno colon\r\n\r\n")
                assert status(s.recv(1000)) in (400, 505)
        user = random.randrange(100_000, 1_000_000)
        for _ in range(5):
            assert server.send("POST", f"/{user}/ratings", LIST, timeout=5).status == 200
        assert server.get(f"/recs?user_id={user}", timeout=5).status == 200
        server.child.send_signal(signal.SIGTERM)
        assert server.child.wait(10) == 0
    finally:
        server.child.kill()


def test_a_reader_who_comes_back_is_told_how_much_is_missing(programs, place, tmp_path):  # noqa: F811
    server = Unread(programs["trivet-serve"], place, tmp_path, together=True).start()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
            for _ in range(2000):  # a line of a kilobyte each: more than pipe and buffers hold
                s.sendall(b"GET /healthz?" + b"a" * 1500 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                s.recv(4096)
        text = []
        reader = threading.Thread(target=lambda: text.append(server.child.stdout.read().decode()))
        reader.start()
        time.sleep(1)
        server.get("/healthz")
        server.child.send_signal(signal.SIGTERM)
        assert server.child.wait(10) == 0
        reader.join(10)
        assert " lines dropped: they came faster than they were read)" in text[0] and "stopped" in text[0]
    finally:
        server.child.kill()


def test_large_answers_that_nobody_takes_do_not_fill_the_memory(run, serve, fresh_stores, tmp_path):
    """A user with very many ratings, and many clients who ask for all of them and do not read."""
    with open(tmp_path / "ratings.csv", "w") as f:
        f.write("userId,movieId,rating\n" + "".join(f"1,{film},{film % 5 + 1}\n" for film in range(100_000)))
        f.writelines(f"{user},{film},{(user + film) % 5 + 1}\n" for user in range(2, 60) for film in range(user % 20, 40))
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    run(*FIT, env=fresh_stores.env)
    server = serve(fresh_stores)
    size = len(server.get("/api/v1/users/1", timeout=30).body)
    before = resident_kb(server.pid)
    clients = []
    for _ in range(1_000_000_000 // size):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", server.port))
        s.sendall(b"GET /api/v1/users/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        clients.append(s)
    statuses = []
    for s in clients:
        s.settimeout(60)
        statuses.append(status(s.recv(100)))
    assert statuses.count(200) >= 5 and statuses.count(200) + statuses.count(503) == len(clients), statuses
    assert resident_kb(server.pid) < before + 650_000, statuses  # 990,000 without a limit; what is being written comes on top of it
    assert server.get("/recs?user_id=2").status == 200  # small ones go on
    for s in clients:
        s.close()
    until(lambda: server.get("/api/v1/users/1", timeout=30).status == 200)
