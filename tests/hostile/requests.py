"""Requests that nobody sends by accident, of many shapes, from a seed: the same number makes the same request again.

An attack is what goes over one connection: pieces of bytes, a pause between them, and how it ends.
"""

import dataclasses
import json
import random

WAIT, HALF, CLOSE, RESET = "wait", "half", "close", "reset"  # what a client does when it has sent everything

PATHS = ["/", "/healthz", "/readyz", "/metrics", "/recs", "/api/v1/recs", "/api/v1/items", "/api/v1/items/20", "/api/v1/predict",
         "/api/v1/items/20/similar", "/api/v1/explain", "/api/v1/users/1", "/api/v1/models", "/1/ratings/20", "/1/ratings/top/5",
         "/0/ratings", "/api/v1/users/1/ratings/20", "/rate", "/api", "/openapi.json", "/favicon.ico", "/nowhere"]
GOOD = ["/healthz", "/metrics", "/recs?user_id={}", "/api/v1/recs?user_id={}&top=50", "/api/v1/items?q=film", "/api/v1/items/{}0",
        "/api/v1/items/{}0/similar", "/api/v1/users/{}", "/{}/ratings/20", "/api/v1/users/{}/ratings/20", "/{}/ratings", "/rate"]
NAMES = ["user_id"] * 8 + ["top", "model", "genre", "exclude", "year_from", "q", "ids", "movie_id", "limit", "seen", "force", "a", "", "a[]"]
VALUES = ["1"] * 8 + ["10", "0", "-1", "1e9", "9" * 30, "NaN", "Drama", "%00", "%", "%zz", "%C3%28", "%F0%9F%8E%AC", "+", "'--", "<b>", "\t"]
METHODS = ["GET"] * 30 + ["POST", "PUT"] * 4 + ["POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PRI", "get", "", "G\x1b[2JT", "A" * 300]
VERSIONS = ["HTTP/1.1"] * 100 + ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/1.1x", "http/1.1", "", "HTTP/11"]
HEADERS = ["Accept: text/html", "Accept: */*;q=0", "Accept-Encoding: gzip", "If-None-Match: *", "Cookie: a=b; c", "Expect: 100-continue",
           "Expect: 200-ok", "Connection: close", "Connection: upgrade", "Upgrade: h2c", "Authorization: Bearer x", "Origin: null",
           "X-Forwarded-For: 1.2.3.4", "Range: bytes=0-1", "TE: trailers", "Content-Type: application/json", "Cookie: " + "a=b;" * 300,
           "X: " + "y" * 3000, "no colon", ": no name", "A b: c", "X:", " folded", "X: \x00\x01", "X: \xff\xfe", "Host: again",
           "Content-Length: 0", "Content-Length: -1", "Content-Length: 1", "Content-Length: 99999999999999999999", "Content-Length : 3",
           "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "transfer-encoding: chunked, identity", "Trailer: x"]
RAW = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n" * 500, b"\0" * 2000,
       b"GET /", b"GET / HTTP/1.1", b"\n", b"GET / HTTP/1.1\r\nHost", b"A" * 70000, b"USER anonymous\r\n", b"<policy-file-request/>\0"]


@dataclasses.dataclass
class Attack:
    pieces: list
    pause: float  # seconds between pieces
    end: str


def target(rng):
    if rng.random() < 0.3:
        return rng.choice(GOOD).format(rng.randint(1, 90))
    path = rng.choice(PATHS)
    if rng.random() < 0.1:
        path = rng.choice(["*", "", "http://h" + path, "//" + path, path + "/" * rng.randint(1, 9), path + "/%2e%2e/%2F", "/" + "a" * 9000,
                           path + "\x00x", path + " y", "/\xe2\x98\x83", "/%" + path, "/" * 40])
    n = rng.choice([0, 1, 1, 1, 2, 3, 33]) if rng.random() < 0.97 else rng.randint(34, 4000)
    pairs = [rng.choice(["a", "a=b", ""])] * n if n > 33 else [f"{rng.choice(NAMES)}={rng.choice(VALUES)}" for _ in range(n)]
    return path + ("?" + "&".join(pairs) if n else "")


def body(rng):
    kind = rng.random()
    if kind < 0.3:
        return json.dumps([{"movie_id": rng.choice([20, "20", 999]), "rating": rng.choice([4, "4", 9, None])}]).encode()
    if kind < 0.5:
        return rng.choice([b"[", b"{", b'{"a":']) * rng.choice([1, 30, 3000])
    return rng.randbytes(rng.choice([0, 1, 10, 1000, 40000]))


def framed(rng, text):
    """Headers that say how long the body is, and the body; often in disagreement."""
    kind = rng.random()
    if kind < 0.6:
        return [f"Content-Length: {max(0, len(text) + (rng.choice([-1, 1, 100]) if rng.random() < 0.05 else 0))}"], text
    if kind < 0.7:
        return [f"Content-Length: {rng.choice(['', 'x', '1 1', '+1', '2000000', '17000000'])}"], text
    size = rng.choice(["%x", "%X", "0%x", "%x;a=b", "%x "])
    chunks = b"".join((size % len(text[at:at + 700])).encode() + b"\r\n" + text[at:at + 700] + b"\r\n" for at in range(0, len(text), 700))
    end = rng.choice([b"0\r\n\r\n"] * 6 + [b"0\r\nA: b\r\n\r\n", b"0\r\nno colon\r\n\r\n", b"zz\r\n", b"-1\r\n", b"f" * 20 + b"\r\n", b""])
    return ["Transfer-Encoding: chunked"] + (["Content-Length: 5"] if rng.random() < 0.1 else []), chunks + end


def request(rng):
    method, newline = rng.choice(METHODS), "\r\n" if rng.random() < 0.95 else "\n"
    lines = [" ".join([method, target(rng), rng.choice(VERSIONS)])]
    lines += ["Host: 127.0.0.1"] if rng.random() < 0.98 else []
    lines += rng.sample(HEADERS, rng.randint(1, 3)) if rng.random() < 0.3 else []
    if rng.random() < 0.01:
        lines += [rng.choice(["a:", "abc: " + "d" * 50, "Cookie: a"])] * rng.randint(100, 700)
    after = b""
    if method in ("POST", "PUT", "DELETE") or rng.random() < 0.03:
        more, after = framed(rng, body(rng))
        lines += more
    rng.random() < 0.03 and rng.shuffle(lines)
    return (newline.join(lines) + newline * 2).encode("latin-1") + after


def cut(rng, text):
    """In up to 30 pieces."""
    ends = sorted(rng.randrange(len(text) + 1) for _ in range(rng.randint(1, 30)))
    return [text[a:b] for a, b in zip([0] + ends, ends + [len(text)])]


def attack(seed, number):
    rng = random.Random(f"{seed}/{number}")
    kind = rng.random()
    if kind < 0.03:
        text = rng.choice(RAW) if rng.random() < 0.5 else rng.randbytes(rng.randint(1, 5000))
    elif kind < 0.12:
        text = b"".join(request(rng) for _ in range(rng.randint(2, 20)))
    else:
        text = request(rng)
    end = rng.choice([WAIT, WAIT, WAIT, HALF, HALF, CLOSE, RESET])
    if rng.random() < 0.1:  # not to its end
        text = text[:rng.randrange(len(text) + 1)]
    if rng.random() < 0.003:  # always something, never all of it
        return Attack([text[:-40]] + [bytes([byte]) for byte in text[-40:-1]], 0.2, WAIT)
    if rng.random() < 0.1:
        return Attack(cut(rng, text), rng.choice([0, 0, 0.001, 0.01]), end)
    return Attack([text], 0, end)
