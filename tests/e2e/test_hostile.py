"""The writing routes under attack: who may not write, and a hundred requests that are wrong. Each gets a 4xx, nothing is
written, and the server answers as before."""

import json
import random
import re
import socket
import subprocess
import threading
import time

import pytest

from stores import StoreError
from test_live import FIT, ratings, rows  # noqa: F401  (a fixture)

LIST = b'[{"movie_id": 20, "rating": 4}]'
TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def place(run, servers, ratings):  # noqa: F811
    place = servers.place()
    run("trivet-etl", "load", ratings, env=place.env)
    run(*FIT, env=place.env)
    return place


@pytest.fixture
def server(serve, place):
    return serve(place)


def unchanged(place):
    return place.psql("SELECT count(*), sum(hashint8(user_id * 1000 + item_id)::bigint), sum(value) FROM trivet.rating") + \
        place.psql("SELECT count(*) FROM trivet.user_change")


def exchange(server, request, seconds=10, pause=0.0, piece=1 << 16):
    """Bytes in, bytes out, until the server closes; b"" if it closed without a word."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as s:
        answer = b""
        try:
            for at in range(0, len(request), piece):
                s.sendall(request[at:at + piece])
                if pause:
                    time.sleep(pause)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused while we were still sending
        try:
            while piece_of_answer := s.recv(1 << 16):
                answer += piece_of_answer
        except OSError:
            pass
        return answer


def status(answer):
    found = re.match(rb"HTTP/1\.[01] (\d+) ", answer)
    return int(found[1]) if found else None


def head(method, target, *headers, close=True):
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers, *(["Connection: close"] if close else [])]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def post(body, target="/0/ratings", method="POST", *headers):
    return head(method, target, f"Content-Length: {len(body)}", *headers) + body


def chunked(body, size=1000):
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + size]), body[at:at + size]) for at in range(0, len(body), size))
    return head("POST", "/0/ratings", "Transfer-Encoding: chunked") + pieces + b"0\r\n\r\n"


# --- who may write --------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_on_every_writing_route(serve, place):
    server = serve(place, env={"TRIVET_TOKEN": TOKEN})
    before = unchanged(place)
    document = server.get("/openapi.json").json()
    writing = [(method.upper(), path.replace("{user}", "7").replace("{item}", "20"))
               for path, methods in document["paths"].items() for method in methods if method != "get"]
    assert len(writing) >= 4
    for method, path in writing:
        for sent in (None, "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", TOKEN):
            answer = server.send(method, path, LIST, **({"authorization": sent} if sent else {}))
            assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer"), (method, path, sent)
            assert "TRIVET_TOKEN" in answer.json()["hint"]
    assert unchanged(place) == before
    assert server.send("POST", "/7000/ratings", LIST, authorization=f"Bearer {TOKEN}").status == 200
    assert server.send("DELETE", "/api/v1/users/7000/ratings/20", authorization=f"Bearer {TOKEN}").status == 200
    assert TOKEN not in server.log() and "whoever sends the token" in server.log()


def test_with_writes_local_this_machine_may_write_and_the_log_says_so(serve, place):
    server = serve(place, env={"TRIVET_WRITES": "local"})
    assert "every program on this machine" in server.log()
    for headers in ({"origin": "http://example.org"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"},
                    {"x_forwarded_for": "203.0.113.9"}, {"forwarded": "for=203.0.113.9"}, {"via": "1.1 proxy"},
                    {"x_real_ip": "203.0.113.9"}, {"x_forwarded_proto": "https"}, {"cf_ray": "1"}, {"x_original_url": "/"}):
        answer = server.send("POST", "/7001/ratings", LIST, **headers)
        assert answer.status == 403 and "TRIVET_TOKEN" in answer.json()["hint"], headers
    assert server.send("POST", "/7001/ratings", LIST, host="example.org").status == 421
    own = {"origin": server.url, "sec_fetch_site": "same-origin"}
    assert server.send("POST", "/7001/ratings", LIST, **own).status == 200
    assert server.send("DELETE", "/api/v1/users/7001/ratings/20").status == 200


def test_without_a_token_an_open_port_takes_nothing(serve, programs, place, tmp_path_factory):
    from server import Server

    class Open(Server):
        def command(self):
            return [self.binary, "--listen", f"0.0.0.0:{self.port}"]
    refused = Open(programs["trivet-serve"], place, tmp_path_factory.mktemp("local"), {"TRIVET_WRITES": "local"})
    with pytest.raises(StoreError, match="(?s)ended with 2.*for a server on a loopback address"):
        refused.start()
    server = Open(programs["trivet-serve"], place, tmp_path_factory.mktemp("open"), {"TRIVET_WRITES": "token"}).start()
    try:
        assert "changes are not taken" in server.log()
        assert server.send("POST", "/7002/ratings", LIST).status == 403
        assert server.get("/recs?user_id=1").status == 200
        assert server.get("/recs?user_id=1", host="any.example.org").status == 200
    finally:
        server.stop()


@pytest.mark.parametrize("settings", [{}, {"TRIVET_WRITES": "off", "TRIVET_TOKEN": TOKEN}])
def test_without_a_setting_or_with_writes_off_nobody_may_write(serve, place, settings):
    server = serve(place, env={"TRIVET_WRITES": "", **settings})
    before = unchanged(place)
    for headers in ({}, {"authorization": f"Bearer {TOKEN}"}, {"origin": server.url, "sec_fetch_site": "same-origin"}):
        assert server.send("POST", "/7003/ratings", LIST, **headers).status == 403
    assert unchanged(place) == before and "changes are not taken" in server.log()


def test_settings_that_contradict_each_other_are_refused(run, place):
    both = run("trivet-serve", "--listen", "127.0.0.1:0", env={"TRIVET_WRITES": "local", "TRIVET_TOKEN": TOKEN}, check=False)
    assert both.returncode == 2 and "a token is set" in both.stderr and TOKEN not in both.stderr
    name = run("trivet-serve", "--allowed-host", "https://example.org", check=False)
    assert name.returncode == 2 and "cannot be the name of a host" in name.stderr


# --- who may read ---------------------------------------------------------------------------------------------


def test_a_name_that_was_made_to_point_here_reads_nothing(serve, server, place):
    """DNS rebinding: the browser sends the attacker's name, which leads to 127.0.0.1."""
    paths = ("/", "/recs?user_id=1", "/api/v1/users/1", "/lab", "/lab/funnel", "/models/journal", "/api/v1/models", "/nothing")
    for path in paths:
        for accept in ("application/json", "text/html"):
            answer = server.get(path, host="rebound.example.org:8000", accept=accept)
            assert answer.status == 421 and "--allowed-host" in answer.text, path
            assert server.get(path, host=f"localhost:{server.port}", accept=accept).status != 421
    for path in ("/healthz", "/readyz", "/metrics"):  # probes ask by whatever address they know
        assert server.get(path, host="10.1.2.3:5001").status == 200
    named = serve(place, args=["--allowed-host", "recommend.example.org", "--allowed-host", "other.example.org"])
    for host in ("recommend.example.org", "OTHER.example.org:443", "127.0.0.1"):
        assert named.get("/recs?user_id=1", host=host).status == 200
    assert named.get("/recs?user_id=1", host="rebound.example.org").status == 421


def test_pages_of_other_sites_start_no_work(server, place):
    document = server.get("/openapi.json").json()
    open_to_all = {"/healthz", "/readyz", "/metrics", "/openapi.json"}
    values = {"{user}": "1", "{id}": "20", "{n}": "3", "{movie}": "20", "{item}": "20", "{user_id}": "1", "{movie_id}": "20"}
    paths = [path for path, methods in document["paths"].items() if "get" in methods and path not in open_to_all]
    assert len(paths) > 15 and "/lab/sweep" in paths
    for path in paths:
        for name, value in values.items():
            path = path.replace(name, value)
        assert "{" not in path
        for site in ("cross-site", "same-site"):
            for mode in ("cors", "no-cors"):
                assert server.get(path, sec_fetch_site=site, sec_fetch_mode=mode).status == 403, (path, site, mode)
        assert server.get(path, sec_fetch_site="same-origin", sec_fetch_mode="cors").status != 403, path
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "accept": "text/html"}
    for page in ("/", "/recs?user_id=1", "/lab", "/models", "/rate", "/similar"):
        assert server.get(page, **link).status != 403, page
    for work in ("/lab/funnel", "/lab/sweep", "/lab/activity", "/api/v1/recs?user_id=1"):
        assert server.get(work, **link).status == 403, work


def test_a_token_must_be_one_word(run):
    done = run("trivet-serve", "--listen", "127.0.0.1:0", env={"TRIVET_TOKEN": "two words"}, check=False)
    assert done.returncode == 2 and "two words" not in done.stderr and "character 4" in done.stderr


# --- what is sent ---------------------------------------------------------------------------------------------


def hostile():
    """(what, bytes, statuses): more than a hundred."""
    ids = ["9223372036854775808", "-9223372036854775809", "1e3", "0x10", "1.5", "NaN", "+1", "1;DROP TABLE trivet.rating",
           "' OR 1=1 --", "../../etc/passwd", "\u0661", "", " 1", "null"]
    for bad in ids:
        body = json.dumps([{"movie_id": bad, "rating": 4}]).encode()
        yield f"movie {bad!r}", post(body), {400}
        from urllib.parse import quote
        if bad:
            yield f"user {bad!r}", post(LIST, f"/{quote(bad, safe='')}/ratings"), {400}
            yield f"PUT {bad!r}", post(b"4", f"/api/v1/users/0/ratings/{quote(bad, safe='')}", "PUT"), {400}
    for bad in ["NaN", "Infinity", "-Infinity", "1e999", "nul", "0x4", "04", "4.", "--4", "{}", "[]", "true", '""',
                '"4 stars"', '"NaN"', '"inf"', '"4\\u0000"', "1e39", '"1e39"']:
        yield f"rating {bad}", post(b'[{"movie_id": 20, "rating": %s}]' % bad.encode()), {400}
        yield f"PUT {bad}", post(bad.encode(), "/api/v1/users/0/ratings/20", "PUT"), {400}
    for bad in ("0", "5.5", "-1", "1000000", "0.4999"):
        yield f"off the scale {bad}", post(b'[{"movie_id": 20, "rating": %s}]' % bad.encode()), {422}
    for depth in (100, 2_000, 3_000, 100_000):
        yield f"{depth} deep lists", post(b"[" * depth + b"]" * depth), {400}
        yield f"{depth} deep objects", post(b'{"a":' * depth + b"1" + b"}" * depth), {400}
    injection = json.dumps([{"movie_id": "20'); DELETE FROM trivet.rating; --", "rating": 4}]).encode()
    yield "injection", post(injection), {400}
    for bad in ("-1", "0", "0.5", "1e999", "null", "[]", '"1; DROP"', "9" * 400):
        yield f"plays {bad[:9]}", post(b'[{"item_id": 20, "count": %s}]' % bad.encode(), "/api/v1/users/0/plays"), {400}
    yield "plays beyond a real", post(b'[{"item_id": 20, "count": 9223372036854775807}]', "/api/v1/users/0/plays"), {422}
    yield "plays of ratings", post(b'[{"item_id": 20}]', "/api/v1/users/0/plays"), {422}
    yield "two names of an item", post(b'[{"item_id": 20, "movie_id": 30, "rating": 4}]'), {400}
    yield "injection in a member", post(b'[{"movie_id; DROP SCHEMA trivet": 20, "rating": 4}]'), {400}
    for n in (1001, 5000):
        yield f"{n} entries", post(json.dumps([{"movie_id": i, "rating": 4} for i in range(n)]).encode()), {413}
    yield "10 MB", post(b" " * 10_000_000), {413}
    yield "10 MB of one text", post(b'["' + b"a" * 10_000_000 + b'"]'), {413}
    yield "1 MiB and one byte", post(b" " * ((1 << 20) + 1)), {413}
    yield "10 MB in chunks", chunked(b"1" * 10_000_000, 100_000), {413}
    yield "two MiB in many chunks", chunked(b" " * (2 << 20), 500), {413}
    yield "a body that is longer than it says", post(LIST) + LIST, {200, 400, 422}
    yield "a length that is none", head("POST", "/0/ratings", "Content-Length: many") + LIST, {400}
    yield "a negative length", head("POST", "/0/ratings", "Content-Length: -1") + LIST, {400}
    yield "a length beyond 64 bits", head("POST", "/0/ratings", "Content-Length: 99999999999999999999") + LIST, {400, 413}
    yield "a broken chunk", head("POST", "/0/ratings", "Transfer-Encoding: chunked") + b"zz\r\n[]\r\n0\r\n\r\n", {400, None}
    yield "an unknown coding", head("POST", "/0/ratings", "Transfer-Encoding: gzip") + LIST, {400, 413, 501, None}
    yield "not UTF-8", post(b'[{"movie_id": "\xff\xfe", "rating": 4}]'), {400}
    yield "UTF-16", post('[{"movie_id": 20, "rating": 4}]'.encode("utf-16")), {400}
    yield "a surrogate", post(b'[{"movie_id": "\\ud800", "rating": 4}]'), {400}
    yield "zeros", post(bytes(1000)), {400}
    yield "a form", post(b"movie_id=20&rating=4", "/0/ratings", "POST", "Content-Type: application/x-www-form-urlencoded"), {400}
    yield "a multipart form", post(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n4\r\n--x--', "/0/ratings", "POST",
                                   "Content-Type: multipart/form-data; boundary=x"), {400}
    yield "XML", post(b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"), {400}
    yield "parameters", post(LIST, "/0/ratings?force=1"), {400}
    yield "a name twice", post(b'[{"movie_id": 20, "movie_id": 30, "rating": 4}]'), {400}
    yield "a movie twice", post(b'[{"movie_id": 20, "rating": 4}, {"movie_id": "20", "rating": 3}]'), {422}
    for method, target in (("PATCH", "/0/ratings"), ("PUT", "/0/ratings"), ("DELETE", "/0/ratings"),
                           ("POST", "/api/v1/users/0/ratings/20"), ("POST", "/recs?user_id=0"), ("DELETE", "/healthz"),
                           ("TRACE", "/0/ratings"), ("OPTIONS", "/0/ratings"), ("PUT", "/readyz")):
        yield f"{method} {target}", post(LIST, target, method), {405}
    yield "no such address", post(LIST, "/0/ratings/"), {404, 405}
    yield "nobody's rating", post(b"", "/api/v1/users/0/ratings/20", "DELETE"), {404}
    yield "unknown movie", post(b"4", "/api/v1/users/0/ratings/99999", "PUT"), {422}
    yield "expects, and is too large", head("POST", "/0/ratings", "Expect: 100-continue", "Content-Length: 5000000"), {413}
    yield "expects the impossible", post(b"{}", "/0/ratings", "POST", "Expect: 200-ok"), {400, 417}


def test_a_hundred_hostile_requests(server, place):
    requests = list(hostile())
    assert len(requests) >= 100
    before = unchanged(place)
    for what, request, expected in requests:
        got = status(exchange(server, request))
        assert got in expected, (what, got)
        if got == 200:  # what follows a whole request is another request; the first one stands, and is taken back here
            server.send("DELETE", "/api/v1/users/0/ratings/20")
            place.psql("DELETE FROM trivet.user_change WHERE user_id = 0")
    assert unchanged(place) == before
    assert server.send("POST", "/7003/ratings", LIST).status == 200
    assert server.send("DELETE", "/api/v1/users/7003/ratings/20").status == 200
    assert "bug" not in server.log()


def test_random_bytes_never_get_a_5xx(server, place):
    rng = random.Random(5)
    for _ in range(150):
        body = bytearray(json.dumps([{"movie_id": 999, "rating": 4}, {"movie_id": "20", "rating": "4"}]).encode())
        for _ in range(rng.randint(1, 6)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        got = status(exchange(server, post(bytes(body), "/7004/ratings")))
        assert got is not None and got < 500, bytes(body)
    assert server.get("/healthz").status == 200


def test_expect_100_continue_is_answered(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
        s.sendall(head("POST", "/7005/ratings", "Expect: 100-continue", f"Content-Length: {len(LIST)}"))
        assert s.recv(1000).startswith(b"HTTP/1.1 100 ")
        s.sendall(LIST)
        assert status(s.recv(1000)) == 200


def test_chunks_are_put_together(server, place):
    body = json.dumps([{"movie_id": i, "rating": 3} for i in (10, 20, 30)]).encode()
    assert status(exchange(server, chunked(body, 7).replace(b"/0/", b"/7006/"))) == 200
    assert rows(place, 7006) == {10: 3, 20: 3, 30: 3}


def test_a_connection_serves_many_bodies(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
        for value in (b"1", b"2", b"nonsense", b"3"):
            s.sendall(head("PUT", "/api/v1/users/7007/ratings/20", f"Content-Length: {len(value)}", close=False) + value)
            answer = b""
            while b"}\n" not in answer:
                answer += s.recv(4096)
            assert status(answer) == (400 if value == b"nonsense" else 200)


def test_slow_senders_are_cut_off_and_disturb_nobody(serve, place):
    server = serve(place, env={"TRIVET_REQUEST_TIMEOUT": "2"})
    slow = post(b" " * 60 + LIST)
    results = []

    def send():
        began = time.monotonic()
        results.append((status(exchange(server, slow, pause=0.2, piece=2)), time.monotonic() - began))
    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        assert server.get("/recs?user_id=1", timeout=2).status == 200
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert all(got is None for got, _ in results)
    assert rows(place, 0) == {}


def test_many_large_bodies_at_once(server, place):
    """A hundred times 10 MB: none of it is kept."""
    body = post(b"[" + b" " * 10_000_000 + b"]")

    def memory():
        text = subprocess.run(["ps", "-o", "rss=", "-p", str(server.child.pid)], capture_output=True, text=True).stdout
        return int(text) / 1024
    before, got = memory(), []
    for _ in range(5):
        threads = [threading.Thread(target=lambda: got.append(status(exchange(server, body, 30)))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == [413] * 100
    assert memory() < before + 60


def test_headers_that_keep_browsers_from_harm(server):
    page, answer = server.get("/", accept="text/html"), server.get("/recs?user_id=1")
    for each in (page, answer):
        assert each.headers["X-Content-Type-Options"] == "nosniff"
        assert each.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY" and page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer.headers
