"""What a server knows of items follows MongoDB, whatever was away when the server looked, and whichever model is shown."""

import random
import subprocess

import pytest

from server import until

FIT = ("trivet-train", "fit", "--factors", 4, "--set", "max_items_for_user=60")


@pytest.fixture
def place(run, fresh_stores, tmp_path):
    rng = random.Random(3)
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n" + "".join(f"{i},Film {i},Drama\n" for i in range(1, 31)))
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(
        f"{user},{film},{rng.choice([0.5, 1, 2.5, 4, 5])},9\n" for user in range(1, 40) for film in rng.sample(range(1, 30), 20)))
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    run(*FIT, env=fresh_stores.env)
    return fresh_stores


def count(server, item=30):
    return server.get(f"/api/v1/items/{item}").json()["count"]


def rate(place, user, item=30):
    """As another server would, which has counted the item, too."""
    place.psql(f"SELECT trivet.rate({user}, '{{{item}}}', '{{4}}')")


def test_counts_that_came_while_postgres_was_away_at_the_start(run, serve, private_stores, place):
    """The catalogue is read before, the counts are looked at after they have changed: neither says so."""
    uri = place.postgres_uri
    dead = uri.replace(f":{place.postgres.port}/", f":{private_stores.postgres.port}/").rsplit("/", 1)[0] + "/later"
    live = dead.replace("//postgres@", "//trivet_live@")
    server = serve(place, env={"TRIVET_POSTGRES": live, "TRIVET_TOKEN": "t"})  # a database that is not there yet
    until(lambda: server.get("/readyz").json()["status"] != "unavailable")
    assert count(server) == 0
    rate(place, 1)
    run("trivet-train", "repair", env=place.env)
    _copy_database(place, private_stores, "later")
    until(lambda: count(server) == 1, 30)


def _copy_database(place, stores, name):
    run = {"check": True, "capture_output": True}
    stores.postgres.psql("CREATE DATABASE making")
    roles = subprocess.run([place.postgres.bin / "pg_dumpall", "--roles-only", "-d", place.postgres_uri], **run).stdout
    subprocess.run(["psql", "-qX", "-d", stores.postgres.uri("making")], input=roles, **run)
    dump = subprocess.run([place.postgres.bin / "pg_dump", "-d", place.postgres_uri], **run).stdout
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", stores.postgres.uri("making")], input=dump, **run)
    stores.postgres.psql(f"ALTER DATABASE making RENAME TO {name}")


def test_a_catalogue_that_could_not_be_read_is_read_later(run, serve, place):
    server, redis, key = serve(place, env={"TRIVET_LOG": "debug"}), place.redis_client(), "trivet:model:{1}"
    rate(place, 1)
    until(lambda: count(server) == 1, 30)  # now it has looked, and rests for ten seconds
    parts = redis.hget(key, "parts")
    redis.hdel(key, "parts")
    rate(place, 2)
    before = len(server.log())
    until(lambda: "ratings are not followed: " in server.log()[before:], 40)
    redis.hset(key, "parts", parts)
    until(lambda: count(server) == 2, 40)


def test_a_model_shown_again_has_the_counts_of_today(run, serve, place):
    run(*FIT, env=place.env)
    server = serve(place)
    assert server.get("/api/v1/items/30?model=1").json()["count"] == 0  # so it is held
    rate(place, 1)
    until(lambda: count(server) == 1, 30)
    run("trivet-train", "rollback", env=place.env)
    until(lambda: server.get("/readyz").json()["model"] == 1)
    until(lambda: count(server) == 1, 5)


def test_a_code_is_no_mistake_while_no_model_is_loaded(serve, fresh_stores, run, tmp_path):
    """Nobody knows yet whether there are codes: 503 asks for patience, 400 would be the last word."""
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(
        f"user-{u},film-{i},{(u * i) % 5 + 1},9\n" for u in range(30) for i in range(20)))
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    server = serve(fresh_stores, env={"TRIVET_TOKEN": "t"})
    for method, path, body in [("PUT", "/api/v1/users/somebody/ratings/film-1", 3), ("DELETE", "/api/v1/users/1/ratings/film-1", None),
                               ("POST", "/api/v1/users/1/ratings", [{"movie_id": "film-1", "rating": 3}])]:
        answer = server.send(method, path, body, authorization="Bearer t")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1"), (method, answer.text)
        assert "no model is loaded" in answer.json()["detail"]
    run(*FIT, env=fresh_stores.env)
    until(lambda: server.get("/readyz").json()["status"] == "ok")
    assert server.send("PUT", "/api/v1/users/somebody/ratings/film-1", 3, authorization="Bearer t").status == 200


def test_all_models_of_a_data_set_have_one_catalogue(run, serve, place):
    """Whichever is live; counts and titles are the data set's."""
    run(*FIT, env=place.env)
    server = serve(place)
    of = lambda model: server.get(f"/api/v1/items/30?model={model}").json()  # noqa: E731
    assert of(1)["count"] == of(2)["count"] == 0
    rate(place, 1)
    run("trivet-train", "repair", env=place.env)
    until(lambda: of(2)["count"] == 1, 30)
    assert of(1)["count"] == 1
    run("trivet-train", "rollback", env=place.env)
    rate(place, 2)
    run("trivet-train", "repair", env=place.env)
    until(lambda: of(1)["count"] == 2, 30)
    assert of(2)["count"] == 2


def test_titles_that_an_index_brings_are_shown(run, serve, place, tmp_path):
    """similar writes the catalogue, too."""
    run("trivet-train", "similar", env=place.env)
    server = serve(place)
    assert server.get("/api/v1/items/30").json()["title"] == "Film 30"
    movies = (tmp_path / "movies.csv").read_text()
    (tmp_path / "movies.csv").write_text(movies.replace("30,Film 30,", "30,Another Name,"))
    run("trivet-etl", "load", tmp_path, env=place.env)
    run("trivet-train", "similar", env=place.env)
    until(lambda: server.get("/api/v1/items/30").json()["title"] == "Another Name", 30)


def test_a_model_that_is_gone_answers_no_more(run, serve, place):
    """What asks for no user, too: items and the search."""
    run(*FIT, env=place.env)
    server = serve(place)
    paths = [f"/api/v1/items/5?model={model}" for model in (1, 2)] + [f"/api/v1/items?q=film&model={model}" for model in (1, 2)]
    assert [server.get(path).status for path in paths] == [200] * 4
    run("trivet-etl", "forget", "item", 5, env=place.env)
    until(lambda: [server.get(path).status for path in paths] == [404] * 4, 10)
    assert server.get("/api/v1/items/5?model=3").status == server.get("/api/v1/items/5").status == 404
