"""A server while another data set is loaded than that of its live model: it goes on recommending, takes no rating, folds nobody
in, and says so everywhere; nothing of one data set is written as one of the other."""

import threading

import psycopg2
import pytest

from server import until
from test_load import load, number, write

FIT = ("trivet-train", "fit", "--set", "max_items_for_user=1000", "--set", "min_users_for_item=1", "--set", "min_items_for_user=1", "--factors", 2)


def ratings(high, users=30, items=12, name=str):
    return "userId,movieId,rating\n" + "".join(
        f"{name(u)},{i},{1 + (u * i) % high}\n" for u in range(1, users + 1) for i in range(1, items + 1) if (u + i) % 3)


def titles(word, items=14):
    return "movieId,title,genres\n" + "".join(f"{i},{word} {i} (1990),Drama\n" for i in range(1, items + 1))


@pytest.fixture
def red(tmp_path):
    return write(tmp_path / "red", ratings=ratings(5), movies=titles("Red"))


@pytest.fixture
def blue(tmp_path):
    return write(tmp_path / "blue", ratings=ratings(10), movies=titles("Blue"))


@pytest.fixture
def place(run, fresh_stores, red):
    load(run, fresh_stores, red)
    run(*FIT, env=fresh_stores.env)
    return fresh_stores


def data(server):
    return server.get("/readyz").json().get("data", {})


def metric(server, name):
    found = [line.split()[1] for line in server.get("/metrics").text.splitlines() if line.startswith(name + " ")]
    return float(found[0]) if found else None


LIVE = "SELECT coalesce(string_agg(user_id || ' ' || item_id || ' ' || value, ', ' ORDER BY user_id, item_id), '') FROM trivet.rating_live"
REFUSED = "was made of the data set red, but blue is loaded"


@pytest.mark.parametrize("method,path,body", [
    ("POST", "/api/v1/users/{}/ratings", [{"movie_id": 3, "rating": 4}]), ("PUT", "/api/v1/users/{}/ratings/3", 4),
    ("DELETE", "/api/v1/users/{}/ratings/3", None), ("POST", "/{}/ratings", [{"movie_id": 3, "rating": 4}]),
    ("POST", "/api/v1/users/{}/plays", [{"movie_id": 3}])])
def test_nothing_is_written_into_another_data_set(run, serve, place, blue, method, path, body):
    server = serve(place)
    assert server.send("PUT", "/api/v1/users/1/ratings/3", 5).status == 200
    load(run, place, blue)
    before = place.psql("SELECT * FROM trivet.data_state()")
    for user in (1, 77):
        answer = server.send(method, path.format(user), body)
        problem = answer.json()
        assert answer.status == 409 and REFUSED in problem["detail"], problem
        assert "trivet-train fit makes a model of blue" in problem["hint"] and "trivet-train activate 1 brings red back" in problem["hint"]
    assert place.psql("SELECT * FROM trivet.data_state()") == before
    assert place.psql(LIVE) == "" and number(place, "SELECT count(*) FROM trivet.user_change") == 0
    run("trivet-etl", "datasets", "use", "red", env=place.env)
    assert place.psql(LIVE) == "1 3 5"
    assert server.send("PUT", "/api/v1/users/1/ratings/4", 2).json()["counts"] == "now"


def test_a_code_of_a_refused_rating_is_not_entered(run, serve, fresh_stores, tmp_path, blue):
    shop = write(tmp_path / "shop", ratings=ratings(5, name="u{}".format), movies=titles("Thing"))
    load(run, fresh_stores, shop)
    run(*FIT, env=fresh_stores.env)
    server = serve(fresh_stores)
    load(run, fresh_stores, blue)
    assert server.send("PUT", "/api/v1/users/somebody/ratings/3", 4).status == 409
    assert number(fresh_stores, "SELECT count(*) FROM trivet.code") == 0
    run("trivet-etl", "datasets", "use", "shop", env=fresh_stores.env)
    assert number(fresh_stores, "SELECT count(*) FROM trivet.code WHERE code = 'somebody'") == 0


@pytest.mark.parametrize("method,path,body", [("PUT", "/api/v1/users/1/ratings/3", 4), ("DELETE", "/api/v1/users/1/ratings/3", None)])
def test_a_rating_that_waits_for_a_load_is_not_written_into_it(run, serve, place, blue, method, path, body):
    """The rating has passed the first look, and waits for the lock under which the other data set becomes the current one."""
    load(run, place, blue)
    run("trivet-etl", "datasets", "use", "red", env=place.env)
    server = serve(place)
    loading = psycopg2.connect(place.postgres_uri)
    cursor = loading.cursor()
    cursor.execute("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = 'blue'))")
    answers = []
    rating = threading.Thread(target=lambda: answers.append(server.send(method, path, body)))
    rating.start()
    until(lambda: number(place, "SELECT count(*) FROM pg_locks WHERE NOT granted"))
    loading.commit()
    rating.join()
    assert answers[0].status == 409 and REFUSED in answers[0].json()["detail"], answers[0].text
    assert place.psql(LIVE) == ""
    run("trivet-etl", "datasets", "use", "red", env=place.env)
    assert place.psql(LIVE) == ""


def test_a_page_of_a_model_of_another_data_set_rates_nothing(run, serve, place, blue):
    """A page that was opened before another model went live sends the number of its own."""
    load(run, place, blue)
    run(*FIT, env=place.env)
    server = serve(place)
    assert server.send("PUT", "/api/v1/users/1/ratings/3?model=2", 4).status == 200
    answer = server.send("PUT", "/api/v1/users/1/ratings/3?model=1", 5)
    assert answer.status == 409 and "model 1 " + REFUSED in answer.json()["detail"]
    assert place.psql(LIVE) == "1 3 4"
    assert server.send("PUT", "/api/v1/users/1/ratings/3?model=0", 5).status == 400
    page = server.get("/recs?user_id=1&model=1", accept="text/html").text
    assert "Model 1 was made of another data set than model 2, which is live" in page and "/rate.js" not in page
    assert "/rate.js" in server.get("/recs?user_id=1&model=2", accept="text/html").text


def test_who_waits_goes_on_waiting_and_it_is_said_once(run, serve, place, blue):
    server = serve(place)
    until(lambda: data(server))
    assert data(server) == {"state": "current", "dataset": "red", "loaded": "red"}
    assert (metric(server, "trivet_model_data_loaded"), metric(server, "trivet_model_data_current")) == (1, 1)
    before = [server.get(f"/recs?user_id={user}&top=5").json() for user in range(0, 31)]
    documents = list(place.mongo_db()["user_1"].find({}, {"_id": 1, "rev": 1}).sort("_id", 1))
    load(run, place, blue)
    place.psql("SELECT trivet.rate(1, '{1}', '{9}'), trivet.rate(2, '{1}', '{9}')")
    until(lambda: data(server)["state"] == "away", 15)
    until(lambda: metric(server, "trivet_users_waiting") == 2, 15)
    body = server.get("/readyz").json()
    assert server.get("/readyz").status == 200 and body["status"] == "degraded"
    assert REFUSED in body["data"]["message"] and "trivet-train" in body["data"]["hint"]
    assert body["ratings"]["source"] == "ok" and "message" not in body["ratings"]
    assert (metric(server, "trivet_model_data_loaded"), metric(server, "trivet_source_up")) == (0, 1)
    # More rounds of the follower: it looks once a second, or every five.
    place.psql("SELECT trivet.rate(3, '{1}', '{9}')")
    until(lambda: metric(server, "trivet_users_waiting") == 3, 15)
    assert server.log().count(REFUSED) == 1 and "ERROR" not in server.log().upper().replace("0 ERRORS", "")
    assert [server.get(f"/recs?user_id={user}&top=5").json() for user in range(0, 31)] == before
    assert list(place.mongo_db()["user_1"].find({}, {"_id": 1, "rev": 1}).sort("_id", 1)) == documents
    assert number(place, "SELECT count(*) FROM trivet.user_change WHERE folded_rev > 0 OR refused_rev > 0") == 0
    run("trivet-etl", "datasets", "use", "red", env=place.env)
    until(lambda: data(server)["state"] == "current", 15)
    until(lambda: metric(server, "trivet_users_waiting") == 0)


def test_a_reload_of_the_same_data_is_said(run, serve, place, red):
    server = serve(place)
    (red / "ratings.csv").write_text(ratings(5) + "77,3,4\n")
    load(run, place, red)
    until(lambda: data(server).get("state") == "older", 15)
    body = server.get("/readyz").json()
    assert body["status"] == "ok" and body["data"]["message"] == "model 1 was made before the data set red was loaded last"
    assert server.log().count("was made before the data set red was loaded last") == 1
    assert server.send("PUT", "/api/v1/users/1/ratings/3", 4).json()["counts"] == "now"
    run(*FIT, env=place.env)
    until(lambda: data(server).get("state") == "current", 15)
    assert metric(server, "trivet_model_data_current") == 1


def test_the_pages_say_so_instead_of_offering_stars(run, serve, place, blue):
    server = serve(place)
    assert 'id="rate"' in server.get("/recs?user_id=1", accept="text/html").text
    load(run, place, blue)
    until(lambda: data(server).get("state") == "away", 15)
    for path in ("/recs?user_id=1", "/rate?user_id=1"):
        page = server.get(path, accept="text/html").text
        assert REFUSED in page and "Nothing can be rated now" in page and "/rate.js" not in page, path


def test_repair_goes_on_while_other_data_is_loaded(run, serve, place, blue):
    load(run, place, blue)
    place.psql("SELECT trivet.rate(1, '{1}', '{9}')")
    before = list(place.mongo_db()["user_1"].find().sort("_id", 1))
    for command in ("repair", "models"):
        run("trivet-train", command, env=place.env)
    assert list(place.mongo_db()["user_1"].find().sort("_id", 1)) == before
    assert number(place, "SELECT count(*) FROM trivet.user_change WHERE folded_rev > 0 OR refused_rev > 0") == 0


# --- one moment, one data set ---------------------------------------------------------------------------------------------


def switch(stores, name):
    """A connection in whose transaction the data set becomes the current one."""
    loading = psycopg2.connect(stores.postgres_uri)
    loading.cursor().execute("SELECT trivet.use_dataset((SELECT id FROM trivet.dataset WHERE name = %s))", (name,))
    return loading


def test_a_source_that_waits_for_a_switch_reads_nobody_elses_rows(run, serve, fresh_stores, red, blue):
    """Its transaction's snapshot is of the moment before, but a table that is attached shows its rows to it, too."""
    place, source = fresh_stores, "trivet.user_item(max_items_for_user => 1000, min_users_for_item => 1, min_items_for_user => 1)"
    load(run, place, red)
    run("trivet-train", "fit", "--source", source, "--factors", 2, env=place.env)
    load(run, place, blue)
    run("trivet-etl", "datasets", "use", "red", env=place.env)
    server = serve(place)
    until(lambda: metric(server, "trivet_users_waiting") == 0)
    server.pause()
    place.psql("SELECT trivet.rate(1, '{1}', '{2}')")
    before = place.mongo_db()["user_1"].find_one({"_id": 1})
    loading = switch(place, "blue")
    server.resume()
    until(lambda: number(place, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'trivet_page'"), 30)
    loading.commit()
    until(lambda: data(server).get("state") == "away", 15)
    assert place.mongo_db()["user_1"].find_one({"_id": 1}) == before
    run("trivet-etl", "datasets", "use", "red", env=place.env)
    until(lambda: metric(server, "trivet_users_waiting") == 0)
    until(lambda: place.mongo_db()["user_1"].find_one({"_id": 1})["rev"] == 1)
    checked = run("trivet-train", "repair", env=place.env)
    assert "0 were missing, damaged or of another age" in checked.stdout


@pytest.mark.parametrize("method,path,body", [("PUT", "/api/v1/users/ann/ratings/p-2", 4), ("DELETE", "/api/v1/users/u1/ratings/p-1", None),
                                              ("POST", "/api/v1/users/ann/ratings", [{"item_id": "p-2", "rating": 4}])])
def test_a_page_of_what_is_loaded_rates_nothing_while_a_model_of_another_is_live(run, serve, fresh_stores, tmp_path, method, path, body):
    """Ids would be taken for those of the live model: p-2 has another number there."""
    def shop(name, order):
        rows = "".join(f"u{u},p-{i},{1 + (u * n) % 5}\n" for u in range(1, 20) for n, i in enumerate(order) if (u + n) % 3)
        return write(tmp_path / name, ratings="userId,movieId,rating\n" + rows)
    for name, order in (("east", range(1, 9)), ("west", range(12, 0, -1))):
        load(run, fresh_stores, shop(name, order))
        run(*FIT, env=fresh_stores.env)
    server = serve(fresh_stores)
    run("trivet-etl", "datasets", "use", "east", env=fresh_stores.env)
    before = fresh_stores.psql("SELECT * FROM trivet.rating ORDER BY user_id, item_id"), fresh_stores.psql("SELECT * FROM trivet.code ORDER BY kind, id")
    answer = server.send(method, path + "?model=1", body)
    assert answer.status == 409 and "model 2 was made of the data set west, but east is loaded" in answer.json()["detail"], answer.text
    assert (fresh_stores.psql("SELECT * FROM trivet.rating ORDER BY user_id, item_id"), fresh_stores.psql("SELECT * FROM trivet.code ORDER BY kind, id")) == before
    run("trivet-train", "activate", "1", env=fresh_stores.env)
    until(lambda: server.get("/readyz").json()["model"] == 1)
    assert server.send(method, path + "?model=1", body).status == 200


def test_a_rating_counts_for_no_model_of_another_data_set(run, serve, place, blue):
    """The switch comes between the commit and the folding in."""
    load(run, place, blue)
    run(*FIT, env=place.env)
    run("trivet-train", "activate", "1", env=place.env)
    server, redis, answers = serve(place), place.redis_client(), []
    until(lambda: server.get("/readyz").json()["model"] == 1)
    both = redis.pipeline(transaction=True)
    both.set("trivet:live", 2)  # told to nobody: the server asks once a second, and after a commit
    both.execute_command("CLIENT", "PAUSE", 800, "ALL")
    both.execute()
    rating = threading.Thread(target=lambda: answers.append(server.send("PUT", "/api/v1/users/1000/ratings/3?model=1", 4)))
    rating.start()
    until(lambda: place.psql(LIVE) == "1000 3 4")
    switch(place, "blue").commit()
    rating.join()
    assert answers[0].status == 202 and (answers[0].json()["counts"], answers[0].json()["model"]) == ("later", None), answers[0].text
    assert place.mongo_db()["user_2"].find_one({"_id": 1000}) is None and place.psql(LIVE) == ""
    run("trivet-train", "activate", "1", env=place.env)
    assert place.psql(LIVE) == "1000 3 4" and place.mongo_db()["user_1"].find_one({"_id": 1000})["rev"] == 1


def test_a_user_of_a_kept_model_is_not_predicted_by_one_of_another_data_set(run, serve, place, blue):
    load(run, place, blue)
    run(*FIT, "--algorithm", "als", env=place.env)
    server = serve(place)
    assert server.get("/api/v1/users/1").json()["predicted_by"] == {"model": 2, "score_kind": "rating"}
    answer = server.get("/api/v1/users/1?model=1").json()
    assert answer["predicted_by"] == {"model": 1, "score_kind": "relevance"} and all(item["title"].startswith("Red") for item in answer["items"])


ASKED = ["/api/v1/recs?user_id=1", "/recs?user_id=1", "/api/v1/users/1?model=live", "/api/v1/items?q=red", "/api/v1/items/3?model=live",
         "/api/v1/predict?user_id=1&ids=3", "/api/v1/explain?user_id=1&item_id=3", "/api/v1/items/3/similar?by=factors",
         "/api/v1/items/3/similar?by=audience", "/lab/funnel?min_rating=1", "/lab/activity?min_rating=1",
         "/lab/sweep?x=min_users_for_item&x_values=1,2&y=max_items_for_user&y_values=50,100"]


def test_an_answer_says_its_data_set_and_one_of_another_is_refused(run, serve, place, blue):
    run("trivet-train", "similar", env=place.env)
    server = serve(place)
    red = int(place.psql("SELECT trivet.current_dataset()"))
    for path in ASKED:
        answer = server.get(f"{path}&dataset={red}")
        assert answer.status == 200, (path, answer.text)
        if path[:5] != "/recs" and "audience" not in path:
            assert answer.json()["dataset"] == red, path
    load(run, place, blue)
    run(*FIT, env=place.env)
    run("trivet-train", "similar", env=place.env)
    until(lambda: server.get("/readyz").json()["model"] == 2)
    until(lambda: server.get("/api/v1/items/3/similar?by=audience").json().get("index") == 2)
    for path in ASKED:
        until(lambda: "blue" in server.get(f"{path}&dataset={red}").json()["detail"])  # of an index within two seconds
        problem = server.get(f"{path}&dataset={red}").json()
        assert problem["status"] == 409 and problem["parameter"] == "dataset", (path, problem)
        assert server.get(path).status == 200, path
        assert server.get(f"{path}&dataset=x").json()["parameter"] == "dataset"
    kept = server.get(f"/api/v1/items?q=red&dataset={red}&model=1").json()
    assert kept["dataset"] == red and kept["found"] == 14
    rated = server.send("PUT", "/api/v1/users/1/ratings/3", 4).json()
    assert rated["dataset"] == int(place.psql("SELECT trivet.current_dataset()")) != red


def test_an_answer_of_the_lab_is_of_one_data_set(run, serve, place, blue):
    """Of red nothing is rated 6 or more. Whichever is loaded, numbers and name are of the same one, those of two functions in one
    answer, too, and a page of red gets no other."""
    load(run, place, blue)
    server = serve(place)
    number = {name: int(place.psql(f"SELECT id FROM trivet.dataset WHERE name = '{name}'")) for name in ("red", "blue")}
    ended, wrong, seen = threading.Event(), [], {"red": 0, "blue": 0, 409: 0}

    def ask():
        while not ended.is_set():
            for path in ("/lab/activity?min_rating=6", "/lab/funnel?min_rating=6", f"/lab/activity?min_rating=6&dataset={number['red']}"):
                answer = server.get(path)
                found = answer.json()
                if answer.status == 409:
                    seen[409] += 1
                    wrong.extend([] if "dataset=" in path else [found])
                    continue
                seen[found["data"]] += 1
                rows = [found[m] for m in ("users", "items")] if "activity" in path else [[r for r in found["rows"] if r["step"] == 3 and r["row_count"]]]
                if number[found["data"]] != found["dataset"] or any((found["data"] == "blue") != bool(r) for r in rows) \
                        or "dataset=" in path and found["data"] != "red":
                    wrong.append(found)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    for turn in range(8):
        run("trivet-etl", "datasets", "use", ("red", "blue")[turn % 2], env=place.env)
    ended.set()
    for thread in asking:
        thread.join()
    assert wrong == [] and all(seen.values()), (seen, wrong[:3])
