"""Similar items as trivet-serve tells them: by audience from the index in Redis, the true similarity from Postgres, on the page
and as JSON; and an index that follows ratings as they come."""

import random
import re

import pytest

from server import until

FIT = ("fit", "--set", "min_users_for_item=0", "--set", "max_items_for_user=100", "--factors", "3")


@pytest.fixture(scope="module")
def plays(tmp_path_factory):
    """60 films of two kinds, 80 people who mostly keep to one."""
    folder = tmp_path_factory.mktemp("plays")
    draw = random.Random(3)
    rows = [(u, i) for u in range(1, 81) for i in range(1, 61) if draw.random() < (0.4 if u % 2 == i % 2 else 0.05)]
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(f"{u},{i},4,0\n" for u, i in rows))
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "".join(
        f'{i},"{"Odd" if i % 2 else "Even"} <Film> {i} (2001)",Drama\n' for i in range(1, 62)))
    return folder


@pytest.fixture(scope="module")
def place(servers, run, plays):
    place = servers.place()
    run("trivet-etl", "load", plays, env=place.env)
    run("trivet-train", *FIT, env=place.env)
    run("trivet-train", "similar", env=place.env)
    return place


@pytest.fixture
def server(serve, place):
    return serve(place)


def sets_of(place):
    sets = {}
    for line in place.psql("SELECT user_id, item_id FROM trivet.rating").splitlines():
        user, item = map(int, line.split("|"))
        sets.setdefault(item, set()).add(user)
    return sets


def jaccard(a, b):
    return len(a & b) / len(a | b)


def test_neighbours_by_audience(server, place):
    sets = sets_of(place)
    answer = server.get("/api/v1/items/7/similar?by=audience&top=5").json()
    assert (answer["id"], answer["title"], answer["by"]) == (7, "Odd <Film> 7 (2001)", "audience")
    assert answer["index"] == 1 and answer["signature_size"] == 128 and answer["sharing"] <= 59
    assert len(answer["items"]) == 5 and [item["rank"] for item in answer["items"]] == [1, 2, 3, 4, 5]
    shared = [item["shared"] for item in answer["items"]]
    assert shared == sorted(shared, reverse=True)
    for item in answer["items"]:
        assert item["id"] != 7 and item["title"].endswith("(2001)") and "jaccard" not in item
        assert item["estimate"] == item["shared"] / 128
        true = jaccard(sets[7], sets[item["id"]])
        assert item["standard_error"] == pytest.approx((item["estimate"] * (1 - item["estimate"]) / 128) ** 0.5)
        assert abs(item["estimate"] - true) < 5 * (true * (1 - true) / 128) ** 0.5
    everything = server.get("/api/v1/items/7/similar?by=audience&top=100").json()
    assert len(everything["items"]) == everything["sharing"]


def test_exact_is_the_true_similarity_and_decides_the_order(server, place):
    sets = sets_of(place)
    answer = server.get("/api/v1/items/7/similar?by=audience&top=15&exact=1").json()
    true = [jaccard(sets[7], sets[item["id"]]) for item in answer["items"]]
    assert [item["jaccard"] for item in answer["items"]] == pytest.approx(true)
    assert true == sorted(true, reverse=True)
    both = [(len(sets[7] & sets[item["id"]]), len(sets[7] | sets[item["id"]])) for item in answer["items"]]
    assert [(item["common"], item["either"]) for item in answer["items"]] == both
    page = server.get("/similar?item=7&top=15&exact=1", accept="text/html").text
    shown = re.findall(r'<span class="number">([\d.]+) % \((\d+) of (\d+) users\)', page)
    assert shown == [(f"{100 * a / b:.1f}", str(a), str(b)) for a, b in both]
    best = sorted((jaccard(sets[7], users) for item, users in sets.items() if item != 7), reverse=True)
    assert true == pytest.approx(best[:15])  # among 60 candidates are all others


def test_a_longer_list_has_the_same_first_places(serve, servers, run, tmp_path):
    """With more items than are counted: their number is said, and is the same however many are asked for."""
    draw = random.Random(5)
    rows = [(u, i) for u in range(1, 161) for i in range(1, 601) if draw.random() < 0.25]
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(f"{u},{i},4,0\n" for u, i in rows))
    place = servers.place()
    run("trivet-etl", "load", tmp_path, env=place.env)
    run("trivet-train", *FIT, "--set", "max_items_for_user=600", env=place.env)
    run("trivet-train", "similar", env=place.env)
    sets, server = sets_of(place), serve(place)
    lists = {top: server.get(f"/api/v1/items/7/similar?by=audience&exact=1&top={top}").json() for top in (1, 5, 10, 100)}
    longest = [(i["id"], i["jaccard"]) for i in lists[100]["items"]]
    for top, answer in lists.items():
        assert [(i["id"], i["jaccard"]) for i in answer["items"]] == longest[:top]
        assert answer["counted"] == 400 < answer["sharing"]
    assert [j for _, j in longest] == pytest.approx([jaccard(sets[7], sets[i]) for i, _ in longest])
    assert "counted" not in server.get("/api/v1/items/7/similar?by=audience").json()
    page = server.get("/similar?item=7&exact=1", accept="text/html").text
    assert f"counted for the 400 that share most values of its signature, of the {lists[1]['sharing']} items" in page


def test_the_address_of_the_article(server):
    for_programs = server.get("/similar?item=7&top=5")
    assert for_programs.json() == server.get("/api/v1/items/7/similar?top=5&by=audience").json()
    page = server.get("/similar?item=7&top=5", accept="text/html")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    assert "Similar to Odd &lt;Film&gt; 7 (2001)" in page.text and page.text.count('class="row"') == 5
    first = for_programs.json()["items"][0]
    assert f'{first["shared"]} of 128 values' in page.text and f'/similar?item={first["id"]}&amp;top=5&amp;by=audience' in page.text
    counted = server.get("/similar?item=7&top=5&exact=1", accept="text/html").text
    assert f'of the {for_programs.json()["sharing"]} items that share a value of the signature' in page.text
    assert "counted" in counted and "±" not in counted
    assert server.get("/similar?item=7&by=factors", accept="text/html").text.count('class="row"') == 10
    search = server.get("/similar?q=film+7", accept="text/html").text
    assert "/similar?item=7&amp;" in search
    assert "No title has these words" in server.get("/similar?q=zebra", accept="text/html").text
    assert server.get("/similar", accept="text/html").status == 200


@pytest.mark.parametrize("path, status, words", [
    ("/api/v1/items/61/similar?by=audience", 404, "item 61 has no audience"),
    ("/api/v1/items/99999/similar?by=audience", 404, "item 99999 has no audience"),
    ("/api/v1/items/7/similar?by=audience&model=1", 400, "model goes with by=factors"),
    ("/api/v1/items/7/similar?exact=1", 400, "by=audience"),
    ("/api/v1/items/7/similar?by=colour", 400, "factors or audience"),
    ("/api/v1/items/7/similar?by=audience&exact=2", 400, "exact"),
    ("/similar", 400, "item is missing"),
])
def test_what_is_refused(server, path, status, words):
    answer = server.get(path)
    assert answer.status == status and words in answer.json()["detail"]


def test_an_audience_that_grows_while_it_serves(server, place, run):
    """A rating that the server takes, and one written by somebody else; both are in the index soon after."""
    def shared():
        return {item["id"]: item["shared"] for item in
                server.get("/api/v1/items/8/similar?by=audience&top=100").json().get("items", [])}

    before = shared()
    for user in (1001, 1002, 1003):
        assert server.send("POST", f"/api/v1/users/{user}/ratings", [{"movie_id": 8, "rating": 4}]).status in (200, 201)
        assert server.send("POST", f"/api/v1/users/{user}/ratings", [{"movie_id": 61, "rating": 4}]).status in (200, 201)
    until(lambda: shared().get(61, 0) > 0)
    assert 61 not in before
    place.psql("INSERT INTO trivet.rating_live (user_id, item_id, value) VALUES (1004, 61, 4), (1005, 62, 4)")
    until(lambda: server.get("/api/v1/items/62/similar?by=audience").status == 200)
    assert server.send("DELETE", "/api/v1/users/1001/ratings/61").status == 200
    place.psql("DELETE FROM trivet.rating WHERE item_id = 62")
    until(lambda: place.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL") == "0")
    assert "is what a build would give" in run("trivet-train", "similar", "--check", env=place.env).stdout
    assert server.get("/api/v1/items/62/similar?by=audience").status == 404
    # Another index goes live under the server; it follows.
    run("trivet-train", "similar", env=place.env)
    assert server.get("/api/v1/items/8/similar?by=audience").json()["index"] > 1


def test_without_an_index(run, serve, fresh_stores, plays):
    run("trivet-etl", "load", plays, env=fresh_stores.env)
    run("trivet-train", *FIT, env=fresh_stores.env)
    server = serve(fresh_stores)
    answer = server.get("/api/v1/items/7/similar?by=audience")
    assert answer.status == 503 and "no index of similar items" in answer.json()["detail"]
    assert "trivet-train similar" in answer.json()["hint"]
    assert server.get("/api/v1/items/7/similar?by=factors").status == 200


def test_stores_that_are_away(run, serve, private_stores, plays):
    place = private_stores
    run("trivet-etl", "load", plays, env=place.env)
    run("trivet-train", *FIT, env=place.env)
    run("trivet-train", "similar", env=place.env)
    server = serve(place)
    assert server.get("/similar?item=7").status == 200
    place.redis.kill()
    until(lambda: server.get("/similar?item=7").status == 503)
    answer = server.get("/similar?item=7")
    assert "Redis" in answer.json()["detail"] and answer.headers["Retry-After"]
    assert server.get("/api/v1/items/7/similar?by=factors").status == 200
    # Ratings go on meanwhile, and the server dies, too.
    place.psql("INSERT INTO trivet.rating_live (user_id, item_id, value) SELECT 2000 + u, 61, 3 FROM generate_series(1, 20) u")
    server.kill()
    place.redis.start()
    server.start()
    until(lambda: server.get("/similar?item=61").status == 200)
    until(lambda: place.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL") == "0")
    assert "is what a build would give" in run("trivet-train", "similar", "--check", env=place.env).stdout
    place.postgres.kill()
    assert server.get("/similar?item=7").status == 200
    assert until(lambda: server.get("/similar?item=7&exact=1").status) == 503


def test_codes_come_back_as_text(run, serve, fresh_stores, tmp_path):
    (tmp_path / "lastfm_play.csv").write_text("user_id,artist_id\n" + "".join(
        f"u{u},a-{a}\n" for u in range(12) for a in range(5) if (u + a) % 3))
    (tmp_path / "lastfm_artist.csv").write_text("artist_id,artist_name\n" + "".join(f"a-{a},Artist {a}\n" for a in range(5)))
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    run("trivet-train", "fit", "--set", "min_users_for_item=0", "--factors", "2", env=fresh_stores.env)
    run("trivet-train", "similar", env=fresh_stores.env)
    server = serve(fresh_stores)
    answer = server.get("/similar?item=a-0&exact=1").json()
    assert (answer["id"], answer["title"]) == ("a-0", "Artist 0")
    assert answer["items"][0]["id"] == "a-3" and answer["items"][0]["jaccard"] == 1 and answer["items"][0]["shared"] == 128
    assert server.get("/similar?item=nobody").status == 404
