"""docs/nginx.conf as it stands, but for ports and files, in front of a server: TLS, the token, CORS, limits."""

import json
import pathlib
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from project import REPO
from stores import Process, free_port
from test_live import FIT, ratings, rows  # noqa: F401  (a fixture)

TOKEN = "of-the-proxy-s-server"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


class Nginx(Process):
    def __init__(self, folder, server):
        super().__init__("nginx", folder)
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

    def ask(self, method, path, body=None, **headers):
        context = ssl.create_default_context(cafile=self.folder / "cert")
        request = urllib.request.Request(f"https://localhost:{self.port}{path}", body, method=method,
                                         headers={name.replace("_", "-"): value for name, value in headers.items()})
        try:
            answer = urllib.request.urlopen(request, context=context, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read()


@pytest.fixture
def proxy(run, serve, fresh_stores, ratings, tmp_path):  # noqa: F811
    if NGINX is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is missing: apt-get install nginx-light openssl")
    run("trivet-etl", "load", ratings, env=fresh_stores.env)
    run(*FIT, env=fresh_stores.env)
    nginx = Nginx(pathlib.Path(tmp_path), serve(fresh_stores, env={"TRIVET_TOKEN": TOKEN}))
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
