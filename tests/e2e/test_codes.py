"""Ids that are text: from a file through the dictionary, a model and the server, and back as the text that came."""

import csv
import io
import json
import re
import urllib.parse
import uuid

import pytest

from breakpoints import at
from server import Server
from test_load import load, number, write

# The beginnings of the ranges from which codes get numbers (include/trivet/base/code.h): none may ever be seen outside.
INTERNAL = re.compile(r"(?<!\d)8[05]0{8}\d{6}(?!\d)")
ODD = ["AC/DC", "Sigur Rós", "<b>&\"quoted\"</b>", "100%", "a b+c", "007", "42", "it's", "q?x=1#y", "8000000000000001"]


def user(u):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"user {u}"))


def item(i):
    return ODD[i] if i < len(ODD) else f"item-{i:03d}-x"


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def uuid_set(users=60, items=40, first=0):
    """Ratings and titles; user u rates about half of the items, each item some users."""
    rows = [f"{user(u)},{quoted(item(i))},{1 + (u * 7 + i * 3) % 5},{1000000000 + u * 100 + i}"
            for u in range(first, first + users) for i in range(items) if (u * 31 + i * 17) % 5 < 3]
    ratings = "userId,movieId,rating,timestamp\n" + "\n".join(rows) + "\n"
    movies = "movieId,title,genres\n" + "".join(
        f"{quoted(item(i))},Title {i} ({1990 + i % 20}),Drama|Comedy\n" for i in range(items) if i != 3)
    return ratings, movies + "unrated,Known to nobody (1990),Drama\n"


def codes(stores, kind):
    rows = stores.psql(f"SELECT code || E'\\t' || id FROM trivet.code WHERE kind = '{kind}'").splitlines()
    return {code: int(id) for code, id in (row.split("\t") for row in rows)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    ratings, movies = uuid_set()
    return write(tmp_path_factory.mktemp("codes") / "uuids", ratings=ratings, movies=movies)


# --- loading ----------------------------------------------------------------------------------------------------------


def test_codes_get_numbers_and_keep_them(run, fresh_stores, folder, tmp_path):
    done = load(run, fresh_stores, folder)
    assert "60 users and 40 items are new in trivet.code" in done.stdout  # 42 is a number, one is not rated
    users, items = codes(fresh_stores, "user"), codes(fresh_stores, "item")
    assert set(users) == {user(u) for u in range(60)}
    assert set(items) == {item(i) for i in range(40)} - {"42"} | {"unrated"}
    assert all(8000000000000000 <= id < 8500000000000000 for id in [*users.values(), *items.values()])
    expected = sorted((r["userId"], r["movieId"], float(r["rating"]))
                      for r in csv.DictReader(open(folder / "ratings.csv", encoding="utf-8", newline="")))
    got = fresh_stores.psql("SELECT json_agg(json_build_array(trivet.user_code(user_id), trivet.item_code(item_id), "
                            "value)) FROM trivet.rating")
    assert sorted((u, i, float(v)) for u, i, v in json.loads(got)) == expected
    title = "SELECT title FROM trivet.item WHERE item_id = trivet.item_id('AC/DC')"
    assert fresh_stores.psql(title) == "Title 0 (1990)"

    # The same again, and then others beside them: what was known keeps its number.
    load(run, fresh_stores, folder)
    assert (codes(fresh_stores, "user"), codes(fresh_stores, "item")) == (users, items)
    more = write(tmp_path / "more", ratings=uuid_set(users=20, first=50)[0])
    done = load(run, fresh_stores, more, "--append")
    assert "10 users and 0 items are new" in done.stdout
    after = codes(fresh_stores, "user")
    assert len(after) == 70 and users.items() <= after.items() and len(set(after.values())) == 70


def test_files_without_a_header_may_have_codes(run, fresh_stores, tmp_path):
    for name, line in (("ratings", "ann::x-{}::4::100"), ("movies", "x-{}::Title {} (1990)::Drama"), ("tags", "ann::x-{}::dull::100")):
        (tmp_path / f"{name}.dat").write_text("".join(line.format(i, i) + "\n" for i in range(5)))
    load(run, fresh_stores, tmp_path)
    assert fresh_stores.psql("SELECT trivet.user_code(r.user_id), i.title, t.tag FROM trivet.rating r JOIN trivet.item i USING (item_id) "
                             "JOIN trivet.tag t USING (user_id, item_id) WHERE trivet.item_code(item_id) = 'x-3'") == "ann|Title 3 (1990)|dull"


def test_numbers_are_left_alone(run, fresh_stores, tmp_path):
    """Integers stand for themselves; text among them is a damaged row, as it always was."""
    rows = "".join(f"{u},{i},3\n" for u in range(1, 11) for i in range(1, 11))
    done = load(run, fresh_stores, write(tmp_path / "set", ratings="userId,movieId,rating\n007,7,3\nabc,1,3\n" + rows))
    assert "1 line: 1 x id is not an integer" in done.stdout and "codes" not in done.stdout
    assert number(fresh_stores, "SELECT count(*) FROM trivet.code") == 0
    assert number(fresh_stores, "SELECT count(*) FROM trivet.rating WHERE user_id = 7") == 11


def test_ids_can_be_said(run, fresh_stores, tmp_path):
    folder = write(tmp_path / "set", ratings="userId,movieId,rating\n1,1,3\n2,1,3\n3,x,3\n007,2,4\n")
    done = load(run, fresh_stores, folder)
    assert "1 line: 1 x id is not an integer" in done.stdout
    done = load(run, fresh_stores, folder, "--ids", "codes")
    assert "rejected    0 lines" in done.stdout and "1 user and 1 item are new" in done.stdout
    assert set(codes(fresh_stores, "user")) == {"007"} and set(codes(fresh_stores, "item")) == {"x"}
    assert fresh_stores.psql("SELECT trivet.user_code(user_id) FROM trivet.rating ORDER BY 1") == "007\n1\n2\n3"
    out = run("trivet-etl", "inspect", folder).stdout
    assert "users     numbers: all of the first 4 ids are integers\n" in out
    assert "items     numbers: 1 of the first 4 ids is text\n" in out


def test_a_number_of_the_dictionarys_range_is_a_code(run, fresh_stores, tmp_path):
    """What looks like a number of ours could otherwise mean two users."""
    rows = "".join(f"{u},{i},3\n" for u in (1, 8000000000000000, 8999999999999999, 9000000000000000) for i in (1, 2))
    load(run, fresh_stores, write(tmp_path / "set", ratings="userId,movieId,rating\n" + rows))
    assert set(codes(fresh_stores, "user")) == {"8000000000000000", "8999999999999999"}
    assert fresh_stores.psql("SELECT DISTINCT trivet.user_code(user_id) FROM trivet.rating ORDER BY 1").split() == [
        "1", "8000000000000000", "8999999999999999", "9000000000000000"]


def test_what_is_no_code_is_refused(run, fresh_stores, tmp_path):
    good = "".join(f"{user(u)},i{i},3\n" for u in range(20) for i in range(5))  # few of many are damage; were they many, the file would be refused
    bad = f',i1,3\n{"x" * 256},i1,3\n"a\tb",i1,3\n'.encode() + b"\xff\xfe-x,i1,3\n"
    done = load(run, fresh_stores, write(tmp_path / "set", ratings=b"userId,movieId,rating\n" + good.encode() + bad))
    for reason in ("empty id", "id longer than 255 bytes", "id with a control character", "invalid UTF-8"):
        assert f"1 x {reason}" in done.stdout
    assert number(fresh_stores, "SELECT count(*) FROM trivet.code") == 25


def test_a_load_that_fails_leaves_the_dictionary(run, fresh_stores, folder, tmp_path):
    load(run, fresh_stores, folder)
    before = codes(fresh_stores, "user"), codes(fresh_stores, "item")
    broken = uuid_set(users=5, first=500)[0] + "only-two,fields\n" * 3
    done = load(run, fresh_stores, write(tmp_path / "broken", ratings=broken), "--max-rejects", "2", check=False)
    assert done.returncode != 0
    assert (codes(fresh_stores, "user"), codes(fresh_stores, "item")) == before


# Before the codes are sent, after they are (but the transaction that shows them is open), and after it has ended.
@pytest.mark.parametrize("function", ["tv_codes_write", "tv_lock_check", "tv_report_print"])
def test_a_load_that_is_killed_leaves_the_dictionary(run, programs, fresh_stores, folder, tmp_path, function):
    """The codes become visible with the ratings that need them, or not at all."""
    load(run, fresh_stores, folder)
    before = codes(fresh_stores, "user"), codes(fresh_stores, "item")
    other = write(tmp_path / "other", ratings=uuid_set(users=30, first=40)[0])
    at(function, programs["trivet-etl"], "load", other, "--name", folder.name, env=fresh_stores.env)
    last = f"SELECT count(*) FROM trivet.rating WHERE user_id = trivet.user_id('{user(69)}')"
    replaced = number(fresh_stores, last) > 0
    assert replaced == (function == "tv_report_print")
    after = codes(fresh_stores, "user"), codes(fresh_stores, "item")
    assert after == before or (replaced and len(after[0]) == 70 and before[0].items() <= after[0].items())
    load(run, fresh_stores, other, "--name", folder.name)  # takes up where the killed one was
    assert len(codes(fresh_stores, "user")) == 70
    assert number(fresh_stores, "SELECT count(*) FROM trivet.rating r LEFT JOIN trivet.code c ON c.kind = 'user' "
                  "AND c.id = r.user_id WHERE c.id IS NULL") == 0


def test_a_code_that_came_live_meanwhile_keeps_its_number(run, fresh_stores, folder):
    """The dictionary is read at the beginning; who gets a number before the load is visible is found again."""
    run("trivet-etl", "schema", env=fresh_stores.env)
    live = "SELECT trivet.code_id('user', '%s'), trivet.code_id('item', 'AC/DC')" % user(7)
    # A load's first transaction has ended once its table stands; the second one begins with the codes.
    fresh_stores.psql("""
        ALTER FUNCTION trivet.load_publish_codes(bigint) RENAME TO load_publish_codes_;
        CREATE FUNCTION trivet.load_publish_codes(load bigint) RETURNS bigint LANGUAGE plpgsql AS $$
        BEGIN PERFORM trivet.code_id('user', '%s'), trivet.code_id('item', 'AC/DC');
        RETURN trivet.load_publish_codes_(load); END $$""" % user(7))
    load(run, fresh_stores, folder)
    assert codes(fresh_stores, "user")[user(7)] >= 8500000000000000
    assert fresh_stores.psql(live).split("|") == [str(codes(fresh_stores, "user")[user(7)]),
                                                 str(codes(fresh_stores, "item")["AC/DC"])]
    expected = len([r for r in uuid_set()[0].splitlines() if r.startswith(user(7))])
    assert number(fresh_stores, f"SELECT count(*) FROM trivet.rating WHERE user_id = trivet.user_id('{user(7)}')"
                  ) == expected
    assert number(fresh_stores, "SELECT count(*) FROM trivet.rating r LEFT JOIN trivet.code c ON c.kind = 'user' "
                  "AND c.id = r.user_id WHERE c.id IS NULL") == 0
    title = "SELECT title FROM trivet.item WHERE item_id = trivet.item_id('AC/DC')"
    assert fresh_stores.psql(title) == "Title 0 (1990)"


# --- a model ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(run, servers, folder):
    place = servers.place()
    load(run, place, folder)
    run("trivet-train", "fit", "--set", "max_items_for_user=200", "--factors", "5", env=place.env)
    run("trivet-train", "similar", env=place.env)
    return place


def no_number(text):
    """Nothing of the dictionary's numbers; the one odd id that looks like one is taken out first."""
    assert not INTERNAL.search(text.replace("8000000000000001", "")), text


def test_documents_have_their_codes(trained):
    db = trained.mongo_db()
    users, items = codes(trained, "user"), codes(trained, "item")
    assert {d["code"]: d["_id"] for d in db.user_1.find()} == users
    assert "code_1" in db.user_1.index_information()
    got = {d.get("code"): d["_id"] for d in db.item.find()}
    assert got.pop(None) == 42 and got == items
    assert db.item.find_one({"code": item(3)})["title"] is None
    description = db.model_1.find_one({"_id": "description"})["description"]
    assert description["codes"] == {"users": True, "items": True}
    assert {e["user_id"] for e in description["examples"]} <= set(users)


def test_lists_for_programs(run, trained):
    done = run("trivet-train", "recommend", "--top", "3", env=trained.env)
    no_number(done.stdout)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {r["user_id"] for r in rows} == set(codes(trained, "user")) and len(rows) == 180
    known = {item(i) for i in range(40)}
    assert {r["item_id"] for r in rows} <= known
    chosen = run("trivet-train", "recommend", "--top", "3", "--users", f"{user(5)},{user(9)}", "--format", "json",
                 env=trained.env)
    parsed = json.loads(chosen.stdout)
    assert [r["item_id"] for r in parsed] == [r["item_id"] for u in (5, 9) for r in rows if r["user_id"] == user(u)]
    assert {r["user_id"] for r in parsed} == {user(5), user(9)}
    unknown = run("trivet-train", "recommend", "--users", "nobody", env=trained.env, check=False)
    assert unknown.returncode != 0 and "has no user nobody" in unknown.stderr


def test_show_and_why(run, trained):
    done = run("trivet-train", "show", "1", "--user", user(5), "--item", "AC/DC", env=trained.env).stdout
    assert f"user         {user(5)}, who rated" in done and "item         AC/DC, Title 0 (1990)" in done
    no_number(done)
    as_json = json.loads(run("trivet-train", "show", "1", "--user", user(5), "--item", "42", "--format", "json",
                             env=trained.env).stdout)
    assert as_json["user_id"] == user(5) and as_json["item_id"] == "42"
    for side in ("users", "items"):
        no_number(run("trivet-train", "show", "1", "--factors", side, "--limit", "100", env=trained.env).stdout)
    missing = run("trivet-train", "show", "1", "--user", user(5), "--item", "nothing", env=trained.env, check=False)
    assert "there is no item nothing" in missing.stderr
    why = run("trivet-etl", "why", "item", "AC/DC", "--set", "max_items_for_user=200", "--format", "csv",
              env=trained.env).stdout
    assert why.splitlines()[1].startswith("AC/DC,Title 0 (1990),t,")
    assert "no id of a user" in run("trivet-etl", "why", "user", "nobody", env=trained.env, check=False).stderr


def test_codes_travel_with_a_model(run, trained, fresh_stores, tmp_path):
    run("trivet-train", "export", "1", tmp_path / "model", env=trained.env)
    users = list(csv.DictReader(open(tmp_path / "model/users.csv", encoding="utf-8", newline="")))
    items = list(csv.DictReader(open(tmp_path / "model/items.csv", encoding="utf-8", newline="")))
    assert {r["code"]: int(r["user_id"]) for r in users} == codes(trained, "user")
    rated = {r["code"]: int(r["item_id"]) for r in items if r["code"]}
    assert len(rated) == 39 and rated.items() <= codes(trained, "item").items()
    run("trivet-etl", "schema", env=fresh_stores.env)
    run("trivet-train", "import", tmp_path / "model", "--activate", env=fresh_stores.env)
    for kind in ("user", "item"):
        assert codes(fresh_stores, kind) == codes(trained, kind)
    lists = [run("trivet-train", "recommend", env=place.env).stdout for place in (trained, fresh_stores)]
    assert lists[0] == lists[1]
    assert "code_1" in fresh_stores.mongo_db().user_1.index_information()


def test_another_dictionary_refuses_a_model(run, trained, fresh_stores, tmp_path):
    run("trivet-train", "export", "1", tmp_path / "model", env=trained.env)
    load(run, fresh_stores, write(tmp_path / "other", ratings=uuid_set(users=5, first=3)[0]))
    before = codes(fresh_stores, "user")
    refused = run("trivet-train", "import", tmp_path / "model", "--name", "other", "--same", env=fresh_stores.env, check=False)
    assert refused.returncode != 0 and "ids that mean others in this trivet" in refused.stderr
    assert codes(fresh_stores, "user") == before
    assert number(fresh_stores, "SELECT count(*) FROM trivet.run") == 0


# --- the server -------------------------------------------------------------------------------------------------------


def url(text):
    return urllib.parse.quote(text, safe="")


@pytest.fixture(scope="module")
def server(programs, trained, tmp_path_factory):
    server = Server(programs["trivet-serve"], trained, tmp_path_factory.mktemp("serve-codes"))
    yield server.start()
    server.stop()


def test_a_user_and_their_list(server):
    recs = server.get(f"/api/v1/recs?user_id={user(5)}&top=40").json()
    seen = server.get(f"/api/v1/users/{user(5)}").json()
    assert recs["user_id"] == seen["user_id"] == user(5) and recs["reason"] == "personal"
    ids = {i["id"] for i in recs["items"]}, {i["id"] for i in seen["items"]}
    assert not ids[0] & ids[1] and ids[0] | ids[1] == {item(i) for i in range(40)}  # "42" is text, too
    unknown = server.get("/api/v1/recs?user_id=nobody").json()
    assert unknown["user_id"] == "nobody" and unknown["reason"] == "popular"
    assert server.get("/api/v1/recs?user_id=nobody&strict=1").status == 404
    assert server.get("/api/v1/recs?user_id=12345").json()["user_id"] == "12345"
    assert server.get(f"/api/v1/recs?user_id={codes(server.stores, 'user')[user(5)]}").json()["reason"] == "popular"
    assert server.get(f"/api/v1/recs?user_id={'x' * 256}").status == 400


@pytest.mark.parametrize("odd", ODD)
def test_odd_codes_of_items(server, odd):
    answer = server.get(f"/api/v1/items/{url(odd)}")
    assert answer.status == 200 and answer.json()["id"] == odd
    similar = server.get(f"/api/v1/items/{url(odd)}/similar?by=factors").json()
    assert odd not in {i["id"] for i in similar["items"]}
    predicted = server.get(f"/api/v1/predict?user_id={user(5)}&ids={url(odd)}").json()
    assert predicted["items"][0]["id"] == odd


def test_items_of_the_same_audience(server, folder):
    """Jaccard's index over the very users of the file; the odd item is asked for and the others named by code."""
    audience = {}
    for r in csv.DictReader(open(folder / "ratings.csv", encoding="utf-8", newline="")):
        audience.setdefault(r["movieId"], set()).add(r["userId"])
    mine = audience["AC/DC"]
    answer = server.get("/api/v1/items/AC%2FDC/similar?by=audience&exact=1&top=5").json()
    assert len(answer["items"]) == 5
    for i in answer["items"]:
        other = audience[i["id"]]
        assert i["jaccard"] == pytest.approx(len(mine & other) / len(mine | other))


def test_users_in_pages_are_escaped(run, serve, fresh_stores, tmp_path):
    odd = "<script>alert(1)</script>&\"'/é%"
    rows = "".join(f"{quoted(odd if u == 3 else f'u{u}')},i{i},{1 + (u * i) % 5}\n"
                   for u in range(20) for i in range(15) if (u + i) % 3)
    load(run, fresh_stores, write(tmp_path / "odd", ratings="userId,movieId,rating\n" + rows))
    run("trivet-train", "fit", "--set", "max_items_for_user=200", "--set", "min_users_for_item=2", "--factors", "3",
        env=fresh_stores.env)
    server = serve(fresh_stores)
    page = server.get(f"/recs?user_id={url(odd)}", accept="text/html")
    assert page.status == 200 and "<script>alert" not in page.text
    assert "For user &lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;" in page.text
    again = re.search(r'href="(/api/v1/recs\?[^"]*)"', page.text)[1].replace("&amp;", "&")
    assert server.get(again).json()["user_id"] == odd
    for _ in range(30):
        there = server.get("/surprise", accept="text/html")
        assert there.status == 200 and "We don't know you" not in there.text


def walk(i):
    """One or more requests for each route: (method, path, body)."""
    u, new = url(user(i)), url(f"new user/{i}")
    things = [url(odd) for odd in ODD]
    a, lists = things[i % len(things)], ",".join(url(odd) for odd in ODD[:6])
    rated = [{"movie_id": odd, "rating": 1 + k % 5} for k, odd in enumerate(ODD)]
    return {
        "/api/v1/recs": [("GET", f"/api/v1/recs?user_id={u}&top=40&seen=1&exclude={a}"),
                         ("GET", f"/api/v1/recs?user_id={new}")],
        "/recs": [("GET", f"/recs?user_id={u}&top=40"), ("GET", f"/recs?user_id={new}")],
        "/api/v1/users/{id}": [("GET", f"/api/v1/users/{u}"), ("GET", f"/api/v1/users/{new}")],
        "/api/v1/items": [("GET", "/api/v1/items?q=title&top=50")],
        "/api/v1/items/{id}": [("GET", f"/api/v1/items/{thing}") for thing in [*things, "unrated", "unknown"]],
        "/api/v1/items/{id}/similar": [("GET", f"/api/v1/items/{a}/similar?by={by}&top=20")
                                       for by in ("factors", "audience")],
        "/similar": [("GET", f"/similar?item={a}&top=20"), ("GET", "/similar?item=unrated"),
                     ("GET", "/similar?item=unknown"), ("GET", "/api/v1/items/unrated/similar?by=audience"),
                     ("GET", "/api/v1/items/unrated/similar?by=factors"),
                     ("GET", f"/api/v1/explain?user_id={u}&movie_id=unrated"),
                     ("GET", f"/api/v1/predict?user_id={u}&ids=unrated"),
                     ("PUT", f"/api/v1/users/{new}/ratings/unrated", 9)],
        "/api/v1/predict": [("GET", f"/api/v1/predict?user_id={u}&ids={lists},unknown")],
        "/api/v1/explain": [("GET", f"/api/v1/explain?user_id={u}&movie_id={a}")],
        "/{user}/ratings/top/{n}": [("GET", f"/{u}/ratings/top/20")],
        "/{user}/ratings/{movie}": [("GET", f"/{u}/ratings/{a}")],
        "/models": [("GET", f"/models?user_id={u}&a=1&b=1&top=20")],
        "/rate": [("GET", f"/rate?user_id={u}"), ("GET", f"/rate?user_id={new}"), ("GET", "/rate")],
        "/surprise": [("GET", "/surprise")],
        "/api/v1/users/{user}/ratings": [("POST", f"/api/v1/users/{new}/ratings", rated),
                                         ("POST", f"/api/v1/users/{u}/ratings", rated[:3]),
                                         ("POST", f"/api/v1/users/{new}/ratings", [rated[0], rated[0]]),
                                         ("POST", f"/api/v1/users/{new}/ratings", [{**rated[0], "rating": 99}]),
                                         ("POST", f"/api/v1/users/{new}/ratings", [{"movie_id": "no", "rating": 3}])],
        "/api/v1/users/{user}/ratings/{item}": [("PUT", f"/api/v1/users/{new}/ratings/{a}", 4),
                                                ("GET", f"/api/v1/users/{new}"),
                                                ("GET", f"/api/v1/recs?user_id={new}&top=40"),
                                                ("DELETE", f"/api/v1/users/{new}/ratings/{a}"),
                                                ("DELETE", f"/api/v1/users/{new}/ratings/{a}")],
        "/api/v1/users/{user}/plays": [("POST", f"/api/v1/users/{new}/plays", [{"item_id": ODD[0]}]),
                                       ("POST", f"/api/v1/users/{new}/plays", [{"item_id": "no", "count": 3}])],
        "/{user}/ratings": [("POST", f"/{new}/ratings", rated)],
        **{plain: [("GET", plain)] for plain in (
            "/", "/api/v1/models", "/healthz", "/readyz", "/metrics", "/openapi.json", "/models/journal",
            "/models/metrics?run=1", "/lab", "/lab/funnel", "/lab/sweep?x=min_rating&x_values=1,2", "/lab/activity",
            "/lab/presets", "/lab/stop?id=1", "/lab/progress?id=1")},
    }


def test_no_route_shows_a_number_of_the_dictionary(server):
    """Every route that openapi.json lists, for people and programs, with users and items that are known and not."""
    routes = set(server.get("/openapi.json").json()["paths"])
    requests = walk(0)
    assert routes - {path.split("?")[0] for path in requests} == set(), "walk() has no request for it"
    # An item that was loaded after the model was made, and rated by somebody whose document is made anew.
    server.stores.psql("INSERT INTO trivet.rating (user_id, item_id, value) "
                       "SELECT trivet.user_id('%s'), trivet.code_id('item', 'brand new'), 4" % user(1))
    answered = set()
    for i in (1, 4, 7):
        for requests in walk(i).values():
            for method, path, *body in requests:
                for accept in ("application/json", "text/html"):
                    answer = server.send(method, path, *body, accept=accept)
                    assert answer.status < 500, (path, answer.text)
                    text = answer.text + str(answer.headers)
                    assert not INTERNAL.search(text.replace("8000000000000001", "")), (method, path, text)
                    if answer.status < 300:
                        answered.add((method, path.split("?")[0]))
    assert len(answered) > 50
    rated = server.get(f"/api/v1/users/{user(1)}").json()["items"]
    assert [i["title"] for i in rated if i["id"] is None] == ["item newer than the model"]


def test_a_new_user_gets_a_number_with_the_first_rating(server):
    name = "late/comer"
    assert server.get(f"/api/v1/recs?user_id={url(name)}").json()["reason"] == "popular"
    rated = [{"movie_id": item(k), "rating": 5} for k in range(9)]
    done = server.send("POST", f"/api/v1/users/{url(name)}/ratings", rated)
    assert done.status == 200 and done.json()["user_id"] == name and done.json()["ratings"][0]["id"] == "AC/DC"
    assert codes(server.stores, "user")[name] >= 8500000000000000
    after = server.get(f"/api/v1/recs?user_id={url(name)}&strict=1").json()
    assert after["reason"] == "folded_in" and after["user_id"] == name
    assert server.stores.psql("SELECT count(*) FROM trivet.audience WHERE element = 'late/comer'") == "9"
