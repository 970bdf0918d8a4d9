"""Whatever is lost or damaged in a store: repair brings it back, or says what is lost, and says so only when it has looked."""

import random

import pytest

FIT = ("trivet-train", "fit", "--set", "max_items_for_user=60", "--factors", 5)
REPAIR = ("trivet-train", "repair")


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """60 users and 40 films, numbered by tens; one film more that nobody rated."""
    folder = tmp_path_factory.mktemp("repair") / "ratings"
    folder.mkdir()
    rng = random.Random(11)
    with open(folder / "ratings.csv", "w") as f:
        f.write("userId,movieId,rating,timestamp\n")
        for user in range(1, 61):
            for film in sorted(rng.sample(range(1, 41), rng.randint(8, 20))):
                f.write(f"{user},{film * 10},{4.5 if film % 3 == user % 3 else rng.choice([0.5, 2, 5])},{1_000_000 + film}\n")
    with open(folder / "movies.csv", "w") as f:
        f.write("movieId,title,genres\n")
        for film in range(1, 42):
            f.write(f"{film * 10},Film {film} ({1950 + film}),Drama\n")
    return folder


def rate(place, user, item, value):
    place.psql(f"SELECT trivet.rate({user}, '{{{item}}}', '{{{value}}}')")


def counted(place):
    """{item: (n, mean)} as MongoDB has it."""
    return {item["_id"]: (item["n"], item["mean"]) for item in place.mongo_db().item.find()}


def counts(place):
    """The same as Postgres counts it."""
    lines = place.psql("SELECT i.item_id, count(r.*), avg(r.value) FROM trivet.item i LEFT JOIN trivet.rating r USING (item_id) "
                       "GROUP BY 1").splitlines()
    return {int(item): (int(n), float(mean) if mean else None) for item, n, mean in (line.split("|") for line in lines)}


# --- what is noted as done is done ----------------------------------------------------------------------------


def test_counts_survive_a_killed_mongod(run, private_stores, ratings):
    """Postgres notes counts as written only once MongoDB has them in its journal, which here is written every half second."""
    mongo = private_stores.mongo
    usual = mongo.command()
    mongo.command = lambda: [*usual, "--journalCommitInterval", "500"]
    mongo.restart()
    run("trivet-etl", "load", ratings, env=private_stores.env)
    run(*FIT, env=private_stores.env)
    for turn in range(3):
        for user in range(1, 31):
            rate(private_stores, user, 10 * (user + turn), 1 + (user + turn) % 4)
        run(*REPAIR, env=private_stores.env)
        mongo.kill()
        mongo.start()
        assert private_stores.psql("SELECT count(*) FROM trivet.item_change WHERE rev > counted_rev") == "0"
        assert counted(private_stores) == counts(private_stores), turn
