"""Texts of every length and of bytes that are no UTF-8, from the file to the answer: whole, and always readable."""

import json
import urllib.parse

import pymongo
import pytest
from bson import CodecOptions, encode
from bson.raw_bson import RawBSONDocument

from test_secrets import walk

GENRE = "Ünïcödé-Gänre" * 12  # 216 bytes, and byte 63 is inside a character
TITLE = "Ж" * 700
UNSPACED = {30: "千と千尋の神隠し", 31: "살인의추억", 32: "ฉลาดเกมส์โกง"}
BAD = b"A\xff\xc3(\xf0\x9f\x8eB\xed\xa0\x80C"  # a byte, a pair, three of four, a surrogate


@pytest.fixture
def texts(run, fresh_stores, tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "".join(
        f'{item},"{TITLE if item == 20 else UNSPACED.get(item, "Plain")} {item} (1999)",{GENRE}|Drama|{GENRE}{item}\n' for item in range(10, 60)))
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(
        f"{user},{item},{(user * item) % 5 + 1},{user}\n" for user in range(1, 60) for item in range(10, 60) if (user + item) % 3))
    run("trivet-etl", "load", folder, "--name", "ö" * 127, env=fresh_stores.env)
    run("trivet-train", "fit", "--set", "max_items_for_user=80", "--factors", 3, env=fresh_stores.env)
    run("trivet-train", "similar", env=fresh_stores.env)
    return fresh_stores


def spoil(database, collection, document, *names):
    """Puts BAD in place of each text, as another driver may have stored it: the server looks at no text."""
    raw = encode({**document, **{name: f"!{'x' * (len(BAD) - 2)}!" for name in names}})
    collection = pymongo.collection.Collection(database, collection)
    lenient = CodecOptions(document_class=RawBSONDocument, unicode_decode_error_handler="replace")
    raw = raw.replace(b"!" + b"x" * (len(BAD) - 2) + b"!", BAD)
    collection.replace_one({"_id": document["_id"]}, RawBSONDocument(raw, codec_options=lenient))


def readable(server):
    for what, answer in walk(server):
        text = answer.body.decode()  # strict
        if "json" in answer.headers["Content-Type"]:
            json.loads(text)
        yield what, answer


def test_nothing_is_shortened(serve, texts):
    server = serve(texts)
    item = server.get("/api/v1/items/20").json()
    assert item["genres"] == [GENRE, "Drama", f"{GENRE}20"] and item["title"] == f"{TITLE} 20 (1999)"
    listed = server.get("/recs?user_id=100&top=50").json()["items"]
    assert all(row["genres"] == [GENRE, "Drama", f"{GENRE}{row['id']}"] for row in listed) and len(listed) == 50
    page = server.get("/recs?user_id=100&top=50", accept="text/html").text
    assert all(f">{GENRE}{row['id']}<" in page for row in listed)
    assert "Ж…" in page and TITLE not in page  # a page has room for so much of a title, and says that it goes on
    assert "ö" * 127 in page
    assert len(list(readable(server))) > 50


@pytest.mark.parametrize("word, item", [("千尋", 30), ("神隠し", 30), ("추억", 31), ("เกมส์", 32), ("โกง", 32)])
def test_a_title_without_blanks_is_found_by_a_word_inside(serve, texts, word, item):
    server, query = serve(texts), urllib.parse.quote(word)
    assert [found["id"] for found in server.get(f"/api/v1/items?q={query}").json()["items"]] == [item]
    page = server.get(f"/similar?q={query}", accept="text/html").text
    assert f">{UNSPACED[item]} {item} (1999)<" in page and "Plain" not in page
    assert server.get("/api/v1/items?q=lain").json()["found"] == 0


def test_what_is_no_utf8_is_replaced_everywhere(serve, texts):
    database = texts.mongo_db()
    for document in list(database.item.find()):
        spoil(database, texts.catalogue().name, {**document, "genres": ["!" + "x" * (len(BAD) - 2) + "!", "Drama"]}, "title", "overview",
              "imdb_id", "more", "url")
    server = serve(texts)
    found = dict(readable(server))
    assert "\ufffd" in found["get /api/v1/items/20"].json()["title"]
    item = server.get("/api/v1/items/20").json()
    assert item["title"] == "A\ufffd\ufffd(\ufffd\ufffd\ufffdB\ufffd\ufffd\ufffdC"
    assert len(item["genres"]) == 2 and item["genres"][1] == "Drama" and item["metadata"]["more"].startswith("A?")
    assert server.get("/api/v1/items?q=c").json()["found"] == 50  # the words between are found
    assert server.get("/recs?user_id=1", accept="text/html").status == 200


def test_a_name_that_does_not_fit_is_refused(run, fresh_stores, tmp_path):
    done = run("trivet-etl", "load", tmp_path, "--name", "ö" * 128, env=fresh_stores.env, check=False)
    assert done.returncode != 0
