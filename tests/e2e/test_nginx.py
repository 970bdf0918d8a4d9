"""docs/nginx.conf as it stands, but for ports and files, in front of a server: TLS, the token, CORS, limits. And the
shortest nginx.conf that somebody might write instead."""

import json
import pathlib
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from project import REPO
from server import Server
from stores import Process, free_port
from test_live import FIT, ratings, rows  # noqa: F401  (a fixture)

TOKEN = "of-the-proxy-s-server"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


class Proxy(Process):
    """nginx with one file of configuration inside http { }."""

    def __init__(self, folder, text):
        super().__init__("nginx", folder)
        (folder / "trivet.conf").write_text(text)
        places = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(f"daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
                                           f"http {{ access_log off; {places} include {folder}/trivet.conf; }}\n")

    def command(self):
        return [NGINX, "-p", self.folder, "-c", self.folder / "nginx.conf"]

    def answers(self):
        try:
            return self.ask("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def send(self, url, method, path, body, headers, **options):
        request = urllib.request.Request(f"{url}{path}", body, method=method,
                                         headers={name.replace("_", "-"): value for name, value in headers.items()})
        try:
            answer = urllib.request.urlopen(request, timeout=10, **options)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read()


class Bare(Proxy):
    """proxy_pass and nothing else: no header that tells of a proxy, and the upstream's own name as Host."""

    def __init__(self, folder, server):
        self.port = free_port()
        super().__init__(folder, f"server {{ listen 127.0.0.1:{self.port}; location / {{ proxy_pass {server.url}; }} }}\n")

    def ask(self, method, path, body=None, **headers):
        return self.send(f"http://127.0.0.1:{self.port}", method, path, body, headers)


class Nginx(Proxy):
    def __init__(self, folder, server):
        self.port, plain = free_port(), free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", folder / "key", "-out", folder / "cert", "-days", "2", "-subj", "/CN=recommend.example.org",
                        "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        text = (REPO / "docs/nginx.conf").read_text()
        for old, new in (("127.0.0.1:5001", f"127.0.0.1:{server.port}"), ("listen 80;", f"listen 127.0.0.1:{plain};"),
                         ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
                         ("/etc/ssl/certs/recommend.example.org.pem", str(folder / "cert")),
                         ("/etc/ssl/private/recommend.example.org.key", str(folder / "key"))):
            assert text.count(old) >= 1, old
            text = text.replace(old, new)
        super().__init__(folder, text)

    def ask(self, method, path, body=None, **headers):
        context = ssl.create_default_context(cafile=self.folder / "cert")
        return self.send(f"https://localhost:{self.port}", method, path, body, headers, context=context)


@pytest.fixture
def proxy(run, serve, fresh_stores, ratings, tmp_path):  # noqa: F811
    if NGINX is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is missing: apt-get install nginx-light openssl")
    run("trivet-etl", "load", ratings, env=fresh_stores.env)
    run(*FIT, env=fresh_stores.env)
    nginx = Nginx(pathlib.Path(tmp_path), serve(fresh_stores, env={"TRIVET_TOKEN": TOKEN,
                                                                     "TRIVET_ALLOWED_HOST": "recommend.example.org"}))
    nginx.stores = fresh_stores
    nginx.start()
    yield nginx
    nginx.stop()


LIST = b'[{"movie_id": 20, "rating": 4}]'


def test_the_example_is_valid_and_passes_ratings_on(proxy):
    test = subprocess.run([NGINX, "-t", "-p", proxy.folder, "-c", proxy.folder / "nginx.conf"], capture_output=True, text=True)
    assert test.returncode == 0 and "warn" not in test.stderr, test.stderr
    status, headers, body = proxy.ask("GET", "/recs?user_id=1&top=3")
    assert status == 200 and len(json.loads(body)["items"]) == 3
    assert headers["Strict-Transport-Security"] and headers["X-Content-Type-Options"] == "nosniff"
    assert proxy.ask("POST", "/0/ratings", LIST)[0] == 401
    status, headers, body = proxy.ask("POST", "/0/ratings", LIST, authorization=f"Bearer {TOKEN}")
    assert (status, json.loads(body)) == (200, [[0, 20, 4]])
    assert rows(proxy.stores, 0) == {20: 4}
    assert proxy.ask("POST", "/0/ratings", b" " * (2 << 20), authorization=f"Bearer {TOKEN}")[0] == 413
    assert proxy.ask("GET", "/metrics")[0] == 403


def test_pages_of_a_site_that_is_named_may_ask(proxy):
    site = {"origin": "https://shop.example.org"}
    assert proxy.ask("GET", "/recs?user_id=1", **site)[1]["Access-Control-Allow-Origin"] == site["origin"]
    assert proxy.ask("GET", "/recs?user_id=1", origin="https://example.net")[1]["Access-Control-Allow-Origin"] is None
    status, headers, _ = proxy.ask("OPTIONS", "/0/ratings", access_control_request_method="POST", **site)
    assert status == 204 and headers["Access-Control-Allow-Origin"] == site["origin"]
    assert "POST" in headers["Access-Control-Allow-Methods"] and "Authorization" in headers["Access-Control-Allow-Headers"]
    assert proxy.ask("POST", "/0/ratings", LIST, authorization=f"Bearer {TOKEN}", **site)[0] == 200


def test_who_asks_too_often_is_told(proxy):
    answers = [proxy.ask("POST", "/0/ratings", LIST, authorization=f"Bearer {TOKEN}")[0] for _ in range(20)]
    assert answers[:10] == [200] * 10 and 429 in answers
    assert proxy.ask("GET", "/recs?user_id=1")[0] == 200


def test_the_name_of_the_site_is_known_and_no_other(proxy):
    assert proxy.ask("GET", "/recs?user_id=1", host="recommend.example.org")[0] == 200
    status, _, body = proxy.ask("GET", "/recs?user_id=1", host="rebound.example.net")
    assert status == 421 and "--allowed-host" in json.loads(body)["hint"]


def test_a_page_of_another_site_starts_no_work(proxy):
    site, other = {"origin": "https://shop.example.org"}, {"origin": "https://example.net"}
    told = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "cors"}
    assert proxy.ask("GET", "/recs?user_id=1", **told, **site)[0] == 200
    assert proxy.ask("GET", "/recs?user_id=1", **told, **other)[0] == 403
    assert proxy.ask("GET", "/lab/funnel", **told)[0] == 403


def test_a_bare_proxy_pass_lets_nobody_write(run, programs, fresh_stores, ratings, tmp_path, tmp_path_factory):  # noqa: F811
    if NGINX is None:
        pytest.skip("nginx is missing: apt-get install nginx-light")
    run("trivet-etl", "load", ratings, env=fresh_stores.env)
    run(*FIT, env=fresh_stores.env)
    # As it starts without a setting: the fixtures' TRIVET_WRITES stays unset.
    server = Server(programs["trivet-serve"], fresh_stores, tmp_path_factory.mktemp("plain"), {"TRIVET_WRITES": ""}).start()
    bare = Bare(tmp_path, server)
    try:
        bare.start()
        assert bare.ask("GET", "/recs?user_id=1&top=3")[0] == 200
        for ask in (bare.ask, lambda *words: server_ask(server, *words)):
            for method, path, body in (("POST", "/0/ratings", LIST), ("PUT", "/api/v1/users/0/ratings/20", b"4"),
                                       ("DELETE", "/api/v1/users/1/ratings/20", None)):
                status, _, answer = ask(method, path, body)
                assert status == 403 and "TRIVET_TOKEN" in json.loads(answer)["hint"], (method, path)
        assert rows(fresh_stores, 0) == {}
        assert "changes are not taken" in server.log()
    finally:
        bare.stop()
        server.stop()


def server_ask(server, method, path, body):
    answer = server.send(method, path, body)
    return answer.status, answer.headers, answer.body
