"""The reading addresses under attack: what is no id, no number, no text or no address gets a 4xx that says why, and what is
only strange gets an ordinary answer in which nothing of it comes alive."""

import http.client
import itertools
import json

import pytest

# What is nowhere an id (no MovieLens set has codes), nor a number, quoted for an address.
NO_NUMBERS = ["9223372036854775808", "-9223372036854775809", "1e3", "1.0", "NaN", "nan", "inf", "-inf", "0x10", "%20", "1%201",
              "1;DROP%20TABLE%20trivet.rating", "'%20OR%20'1'='1", "%D9%A1", "true", "null", "{}", "[1]", "$ne",
              "9" * 400, "%00", "%FF", "%C3%28", "%ED%A0%80", "%", "%zz", "<script>", "..%2F..%2Fetc%2Fpasswd"]

# Where an id or a number stands.
PLACES = ["/api/v1/recs?user_id={}", "/recs?user_id={}", "/api/v1/recs?user_id=1&top={}", "/api/v1/recs?user_id=1&model={}",
          "/api/v1/recs?user_id=1&year_from={}", "/api/v1/recs?user_id=1&min_count={}", "/api/v1/recs?user_id=1&exclude=1,{}",
          "/api/v1/recs?user_id=1&genre={}", "/api/v1/users/{}", "/api/v1/items/{}", "/api/v1/items/{}/similar",
          "/api/v1/items?q=a&top={}", "/api/v1/explain?user_id={}&movie_id=1", "/api/v1/explain?user_id=1&movie_id={}",
          "/api/v1/explain?user_id=1&movie_id=1&limit={}", "/api/v1/predict?user_id={}&ids=1", "/api/v1/predict?user_id=1&ids={}",
          "/{}/ratings/1", "/1/ratings/{}", "/1/ratings/top/{}", "/{}/ratings/top/5"]

OTHERS = ["/api/v1/items?q=" + "a" * 201, "/api/v1/items?q=%20", "/api/v1/items?q=%E2%98%83", "/api/v1/items?q=%FF", "/api/v1/items",
          "/api/v1/recs?" + "&".join(["user_id=1"] * 2), "/api/v1/recs?user_id=1&" + "&".join(f"genre={i}" for i in range(40)),
          "/api/v1/recs?user_id=1&exclude=" + ",".join(["1"] * 1001), "/api/v1/recs?user_id=1&exclude=" + "1," * 9000,
          "/api/v1/recs?user_id=1&seen=maybe", "/api/v1/recs?user_id=1&genre[]=Drama", "/api/v1/recs?user_id=1&genre=",
          "/api/v1/predict?user_id=1&ids=", "/api/v1/predict?user_id=1&ids=1,,2", "/api/v1/predict?user_id=1&ids=" + ",".join(["1"] * 1001),
          "/api/v1/items/1/similar?by=", "/api/v1/explain", "/1/ratings/top/5/6", "/1//ratings/5", "/api/v1/items/", "/api/v1/items/1/2/3",
          "/a/b/c/d/e/f/g/h/i/j", "/%2e%2e/%2e%2e/etc/passwd", "/api/v1/users/%2e%2e%2fmodels"]

EXPECTED = (400, 404, 414)


def ask(server, target):
    """GET of a target that no client library has tidied up: status, Content-Type and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("GET", target, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.headers["Content-Type"], answer.read()
    connection.close()
    return found


def raw(text):
    """A request line may not hold blanks or control characters; all else goes as it is."""
    return text.replace(" ", "%20")


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_number_is_refused_by_name(served, place):
    for value in NO_NUMBERS:
        status, kind, body = ask(served, raw(place.format(value)))
        assert status in EXPECTED and kind == "application/problem+json", (place, value, status)
        problem = json.loads(body)
        assert problem["status"] == status and len(problem["detail"]) < 400
    assert served.get("/healthz").status == 200


def test_other_targets_are_refused(served):
    for target in OTHERS:
        status, kind, body = ask(served, raw(target))
        assert status in EXPECTED, (target[:80], status)
        assert json.loads(body)["detail"]


def test_what_is_strange_but_right_is_answered_harmlessly(served):
    """Words of a search are only words; and what stands in an address comes back escaped, as JSON and on a page."""
    for q in ("';DROP TABLE trivet.item;--", '"}]} or 1', "<script>alert(1)</script>", "a\\u0000", "${jndi:ldap}", "%00x", "\u202egnp", "ａ"):
        status, kind, body = ask(served, "/api/v1/items?q=" + "".join(f"%{byte:02x}" for byte in q.encode()))
        assert (status, kind) == (200, "application/json") and isinstance(json.loads(body)["items"], list), q
    page = served.get("/recs?user_id=%3Cscript%3Ealert(1)%3C/script%3E", accept="text/html")
    assert page.status == 400 and "<script>alert" not in page.text and "&lt;script&gt;" in page.text


def test_every_way_to_combine_filters_is_answered(served):
    options = [["genre=Drama", "genre=drama&genre=War"], ["not_genre=Drama", "genre!=Western"], ["year_from=9999", "year_to=1"],
               ["min_count=9223372036854775807", "min_count=0"], ["exclude=-1", "exclude="], ["seen=include"], ["top=1000"]]
    for n in range(len(options) + 1):
        for chosen in itertools.combinations(options, n):
            for asked in itertools.product(*chosen):
                answer = served.get("/api/v1/recs?user_id=7&" + "&".join(asked))
                assert answer.status == 200, asked
                body = answer.json()
                assert "eligible" not in body or len(body["items"]) == min(body["eligible"], 1000 if "top=1000" in asked else 15)
