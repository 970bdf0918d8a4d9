"""Ratings from an address: whole or not at all, gone on with where it ended, and never two states of a file in one."""

import hashlib
import random
import signal
import subprocess

import pytest

from server import clean_environment, until
from test_input import SET, in_zip, inside
from web import Web, certificate

ZIP = in_zip(inside("ml-tiny"))
DRAW = random.Random(1)
ROWS = "userId,movieId,rating,timestamp\n" + "".join(
    f"{user},{DRAW.randrange(10 ** 9)},{DRAW.randint(1, 5)},{DRAW.randrange(10 ** 9)}\n" for user in range(1, 60000))
LARGE = ROWS.encode()  # about 1.7 MB that nothing makes smaller


@pytest.fixture
def web():
    web = Web()
    web.files = {"sets/ml-tiny.zip": ZIP, "ratings.csv": LARGE}
    yield web
    web.end()


# What a developer has for all programs is not for these.
NOTHING = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "CURL_CA_BUNDLE", "SSL_CERT_FILE"), "")


@pytest.fixture
def inspect(run, tmp_path):
    def inspect(url, *args, env=None, **options):
        return run("trivet-etl", "inspect", url, "--cache", tmp_path / "cache", *args, env={**NOTHING, **(env or {})}, **options)
    return inspect


def files(tmp_path):
    return sorted(p.name for p in (tmp_path / "cache").rglob("*") if p.is_file() and p.name not in ("lock", "note.json", "part.json"))


def refused(done, code, *words):
    assert done.returncode == code, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert "hint: " in done.stderr and "Traceback" not in done.stderr


def test_load_takes_an_address(run, web, fresh_stores, tmp_path):
    url = web.url("sets/ml-tiny.zip").replace("//", "//ann:secret@") + "?key=hidden"
    done = run("trivet-etl", "load", url, "--cache", tmp_path / "cache", env={**NOTHING, **fresh_stores.env})
    assert "load 1: ml-tiny (" in done.stdout and "5,771 rows" in done.stdout
    assert "secret" not in done.stdout + done.stderr and "hidden" not in done.stdout + done.stderr
    assert fresh_stores.psql("SELECT name, source FROM trivet.load") == f"ml-tiny|{web.url('sets/ml-tiny.zip')}"
    assert web.asked[0][1]["Authorization"].startswith("Basic ") and web.asked[0][1]["User-Agent"].startswith("trivet/")
    again = run("trivet-etl", "load", url, "--if-changed", "--cache", tmp_path / "cache", env={**NOTHING, **fresh_stores.env})
    assert "is loaded already and has not changed" in again.stdout and "If-None-Match" in web.asked[-1][1]


def test_a_file_comes_once_and_anew_when_it_changes(inspect, web, tmp_path):
    for _ in range(2):
        assert "rows      59,999" in inspect(web.url("ratings.csv")).stdout
    assert [("If-None-Match" in headers) for _, headers in web.asked] == [False, True] and files(tmp_path) == ["ratings.csv"]
    web.files["ratings.csv"] += b"1,2,3,4\n"
    assert "rows      60,000" in inspect(web.url("ratings.csv")).stdout
    web.named = False  # without a name nothing can be said to be unchanged
    assert "rows      60,000" in inspect(web.url("ratings.csv")).stdout
    assert len(web.asked) == 4


def test_where_it_is_kept_by_default(run, web, tmp_path):
    run("trivet-etl", "inspect", web.url("ratings.csv"), env={**NOTHING, "XDG_CACHE_HOME": str(tmp_path / "xdg")})
    run("trivet-etl", "inspect", web.url("ratings.csv"), env={**NOTHING, "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": ""})
    for folder in ("xdg/trivet", "home/.cache/trivet"):
        (kept,) = (tmp_path / folder).rglob("ratings.csv")
        assert kept.read_bytes() == LARGE and (kept.parent.stat().st_mode & 0o77) == 0


def test_a_connection_that_breaks_is_gone_on_with(inspect, web):
    web.cut = [100_000, 300_000, 50_000]
    done = inspect(web.url("ratings.csv"), "--sha256", hashlib.sha256(LARGE).hexdigest())
    assert "rows      59,999" in done.stdout and "the connection was lost after 97.7 KB: going on" in done.stderr
    assert [headers.get("Range") for _, headers in web.asked] == [None, "bytes=100000-", "bytes=400000-", "bytes=450000-"]
    assert all(headers["If-Range"] == web.etag(LARGE) for _, headers in web.asked[1:])


def test_a_process_that_was_killed_is_gone_on_with(programs, inspect, web, tmp_path):
    web.slow = 0.2
    command = [programs["trivet-etl"], "inspect", web.url("ratings.csv"), "--cache", tmp_path / "cache"]
    process = subprocess.Popen(command, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until(lambda: any(p.stat().st_size > 200_000 for p in (tmp_path / "cache").rglob("*.part")))
    busy = inspect(web.url("ratings.csv"), check=False)
    refused(busy, 5, "another process downloads from this address")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    web.slow = 0
    done = inspect(web.url("ratings.csv"), "--sha256", hashlib.sha256(LARGE).hexdigest())
    assert "going on with a download of which" in done.stderr and "rows      59,999" in done.stdout
    assert int(web.asked[-1][1]["Range"].strip("bytes=-")) >= 200_000


@pytest.mark.parametrize("careless", [False, True])
def test_another_state_of_the_file_is_never_glued_on(inspect, web, tmp_path, careless):
    """Whether the server looks at If-Range, or sends the rest of any file there is."""
    web.cut, web.careless = [100_000, 0], careless
    refused(inspect(web.url("ratings.csv"), check=False), 1, "ended early", "run this again, and it goes on")
    assert files(tmp_path) == ["ratings.csv.part"]
    other = web.files["ratings.csv"] = LARGE[::-1].replace(b"pmatsemit", b"x")[:100_000] + LARGE
    inspect(web.url("ratings.csv"), "--sha256", hashlib.sha256(other).hexdigest(), check=False)
    (kept,) = (tmp_path / "cache").rglob("ratings.csv")
    assert kept.read_bytes() == other


def test_a_part_that_is_longer_than_the_file_goes(inspect, web, tmp_path):
    web.cut, web.careless = [1_000_000, 0], True
    inspect(web.url("ratings.csv"), check=False)
    web.files["ratings.csv"] = LARGE[:LARGE.index(b"\n5000,") + 1]
    assert "rows      4,999" in inspect(web.url("ratings.csv")).stdout


def test_without_a_name_for_the_state_it_begins_anew(inspect, web):
    web.named, web.cut = False, [100_000]
    refused(inspect(web.url("ratings.csv"), check=False), 1, "ended early")
    assert "rows      59,999" in inspect(web.url("ratings.csv")).stdout
    assert all("Range" not in headers for _, headers in web.asked)


def test_a_checksum_that_differs(run, inspect, web, fresh_stores, tmp_path):
    done = run("trivet-etl", "load", web.url("ratings.csv"), "--cache", tmp_path / "cache", "--sha256", "0" * 64, env={**NOTHING, **fresh_stores.env},
               check=False)
    refused(done, 3, "has another SHA-256 than --sha256 says: " + hashlib.sha256(LARGE).hexdigest())
    assert files(tmp_path) == [] and fresh_stores.psql("SELECT to_regnamespace('trivet') IS NULL") == "t"
    assert inspect(web.url("ratings.csv"), "--sha256", hashlib.sha256(LARGE).hexdigest().upper()).returncode == 0
    asked = len(web.asked)
    assert "64 digits" in inspect(web.url("ratings.csv"), "--sha256", "12ab", check=False).stderr and len(web.asked) == asked


def folders(tmp_path):
    return sorted(p.name for p in (tmp_path / "cache").iterdir()) if (tmp_path / "cache").exists() else []


def test_a_wrong_checksum_leaves_a_copy_that_was_there(inspect, web, tmp_path):
    right, wrong = hashlib.sha256(LARGE).hexdigest(), "0" * 64
    inspect(web.url("ratings.csv"))
    (kept,) = (tmp_path / "cache").rglob("ratings.csv")
    refused(inspect(web.url("ratings.csv"), "--sha256", wrong, check=False), 3, "another SHA-256", "nothing was loaded",
            f"the copy that was there before is kept as {kept}")
    assert kept.read_bytes() == LARGE
    assert "rows      59,999" in inspect(web.url("ratings.csv"), "--sha256", right).stdout
    assert [("If-None-Match" in headers) for _, headers in web.asked] == [False, True, True]
    web.files["ratings.csv"] += b"1,2,3,4\n"  # what comes now goes, and what was there stays
    for sum in (wrong, right):
        refused(inspect(web.url("ratings.csv"), "--sha256", sum, check=False), 3, "another SHA-256",
                f"the copy that was there before is kept as {kept}")
        assert kept.read_bytes() == LARGE and files(tmp_path) == ["ratings.csv"]
    assert all("If-None-Match" in headers for _, headers in web.asked[1:])
    assert "rows      60,000" in inspect(web.url("ratings.csv")).stdout
    assert kept.read_bytes() == LARGE + b"1,2,3,4\n"


def test_a_copy_stays_until_a_newer_one_is_whole(programs, inspect, web, tmp_path):
    inspect(web.url("ratings.csv"))
    (kept,) = (tmp_path / "cache").rglob("ratings.csv")
    newer = web.files["ratings.csv"] = LARGE + b"1,2,3,4\n"
    web.cut = [100_000, 0]
    refused(inspect(web.url("ratings.csv"), check=False), 1, "ended early")
    assert kept.read_bytes() == LARGE and files(tmp_path) == ["ratings.csv", "ratings.csv.part"]
    web.cut, web.slow = [], 0.2
    process = subprocess.Popen([programs["trivet-etl"], "inspect", web.url("ratings.csv"), "--cache", tmp_path / "cache"],
                               env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until(lambda: any(p.stat().st_size > 300_000 for p in (tmp_path / "cache").rglob("*.part")))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert kept.read_bytes() == LARGE
    web.slow = 0
    done = inspect(web.url("ratings.csv"), "--sha256", hashlib.sha256(newer).hexdigest())
    assert "going on with a download of which" in done.stderr and kept.read_bytes() == newer and files(tmp_path) == ["ratings.csv"]
    assert "rows      60,000" in inspect(web.url("ratings.csv")).stdout and "If-None-Match" in web.asked[-1][1]


@pytest.mark.parametrize("what", ["a web page", "too large"])
def test_a_copy_outlives_what_the_server_sends_instead(inspect, web, tmp_path, what):
    inspect(web.url("ratings.csv"))
    (kept,) = (tmp_path / "cache").rglob("ratings.csv")
    web.files["ratings.csv"] = b"<!DOCTYPE html><title>Log in</title>" if what == "a web page" else 2 * LARGE
    refused(inspect(web.url("ratings.csv"), "--max-download", "2", check=False), 3, "web page" if what == "a web page" else "larger than")
    assert kept.read_bytes() == LARGE and files(tmp_path) == ["ratings.csv"]


def test_a_wrong_checksum_of_what_was_gone_on_with(inspect, web, tmp_path):
    web.cut = [100_000, 0]
    refused(inspect(web.url("ratings.csv"), check=False), 1, "ended early")
    refused(inspect(web.url("ratings.csv"), "--sha256", "0" * 64, check=False), 3, "another SHA-256")
    assert folders(tmp_path) == []


def test_no_folder_is_left_where_nothing_came(inspect, web, tmp_path):
    for url in (web.url("code/404"), web.url("code/503"), "http://127.0.0.1:1/x.zip", "http://no-such-host.invalid/x.zip"):
        inspect(url, check=False)
        assert folders(tmp_path) == [], url
    inspect(web.url("ratings.csv"))
    (there,) = folders(tmp_path)
    del web.files["ratings.csv"]
    inspect(web.url("ratings.csv"), check=False)
    assert folders(tmp_path) == [there] and files(tmp_path) == ["ratings.csv"]  # a server's bad day takes no copy away


def test_a_checksum_of_a_file_on_disk(run, tmp_path):
    (tmp_path / "ml.zip").write_bytes(ZIP)
    run("trivet-etl", "inspect", tmp_path / "ml.zip", "--sha256", hashlib.sha256(ZIP).hexdigest())
    refused(run("trivet-etl", "inspect", tmp_path / "ml.zip", "--sha256", "a" * 64, check=False), 3, "another SHA-256")
    assert (tmp_path / "ml.zip").exists()
    assert "is a folder" in run("trivet-etl", "inspect", tmp_path, "--sha256", "a" * 64, check=False).stderr


def test_nothing_larger_than_allowed(inspect, web, tmp_path):
    refused(inspect(web.url("ratings.csv"), "--max-download", 1, check=False), 3, "larger than a download may be", "1.0 MB are allowed",
            "--max-download 2")
    assert files(tmp_path) == []


def test_redirects(inspect, web):
    web.redirects = {"ratings.csv": "/ratings.csv", "far": "ftp://127.0.0.1/ratings.csv", "disk": "file:///etc/passwd", "round": "/to/round"}
    for name in ("far", "disk"):
        refused(inspect(web.url(f"to/{name}"), check=False), 1, "it leads to an address that is not fetched", "only http and https")
    refused(inspect(web.url("to/round"), check=False), 1, "one address to the next without an end")
    assert "rows      59,999" in inspect(web.url("to/ratings.csv")).stdout


@pytest.mark.parametrize("code, status, words", [(404, 3, "there is nothing at this address"), (403, 3, "it wants a login"),
                                                 (401, 3, "it wants a login"), (503, 1, "try again later"), (418, 3, "does a browser")])
def test_answers_that_are_no_file(inspect, web, tmp_path, code, status, words):
    refused(inspect(web.url(f"code/{code}"), check=False), status, f"the server answers {code}", words)
    assert files(tmp_path) == []


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><title>Log in</title>", b"\xef\xbb\xbf\n <HTML><body>", b"<html>" + b"x" * 200_000],
                         ids=("login", "mark", "long"))
def test_a_web_page_is_no_archive(inspect, web, tmp_path, page):
    web.files["set.zip"] = page
    refused(inspect(web.url("set.zip"), check=False), 3, "is a web page, not a file with ratings", "downloaded by hand")
    assert files(tmp_path) == []


def test_an_answer_of_nothing(inspect, web):
    web.files["set.zip"] = b""
    refused(inspect(web.url("set.zip"), check=False), 3, "holds no ratings")


def test_a_transfer_that_stands_still(inspect, web):
    web.stall = [100_000, 0]
    done = inspect(web.url("ratings.csv"), "--stall-timeout", 1, check=False)
    refused(done, 1, "the connection was lost after 97.7 KB: going on", "ended early: Operation too slow", "what has come is kept")
    assert "rows      59,999" in inspect(web.url("ratings.csv")).stdout


@pytest.mark.parametrize("url, words", [("http://127.0.0.1:1/x.zip", "the host cannot be reached"),
                                        ("http://no-such-host.invalid/x.zip", "there is no such host"),
                                        ("https://127.0.0.1:PORT/x.zip", "no safe connection can be made"),
                                        ("http://[1/x.zip", "this is no address")])
def test_hosts_that_are_not_there(inspect, web, url, words):
    refused(inspect(url.replace("PORT", str(web.port)), check=False), 1, words)


def test_a_certificate_has_to_be_known(inspect, tmp_path):
    web = Web(tls=certificate(tmp_path))
    web.files, web.redirects = {"ratings.csv": LARGE}, {"plain.csv": "http://127.0.0.1:1/ratings.csv"}
    url, trust = web.url("ratings.csv"), str(tmp_path / "cert.pem")
    refused(inspect(url, check=False), 1, "certificate is not to be trusted", "SSL_CERT_FILE")
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        assert "rows      59,999" in inspect(url, env={name: trust}).stdout
    refused(inspect(url, env={"SSL_CERT_FILE": "/nowhere"}, check=False), 1, "file with certificates cannot be read")
    refused(inspect(web.url("to/plain.csv"), env={"SSL_CERT_FILE": trust}, check=False), 1, "from https only https")
    web.end()


def test_a_full_or_forbidden_cache_is_told(run, web, tmp_path):
    (tmp_path / "file").write_text("x")
    refused(run("trivet-etl", "inspect", web.url("ratings.csv"), "--cache", tmp_path / "file", check=False), 1, "cannot make the folder",
            "--cache DIR")


@pytest.mark.parametrize("path, name", [("a%20b/ratings.csv?x=1#y", "ratings.csv"), ("", "download"), ("..", "download"), ("x/.ssh", "download")])
def test_names_on_disk(inspect, web, tmp_path, path, name):
    web.files = {p.split("?")[0]: LARGE for p in (path, "..", "x/.ssh", "")}
    inspect(web.url(path), check=False)
    assert files(tmp_path) in ([name], [])
