"""Models by alternating least squares, from the command line to the stores and the server: the numbers recomputed here."""

import json
import re

import numpy as np
import pytest

from blobs import decode
from breakpoints import at

LAMBDA, ALPHA = 0.1, 2.0


class Model:
    """The live model as the stores hold it, in float64."""

    def __init__(self, place):
        redis = place.redis_client()
        self.number = int(redis.get("trivet:live"))
        key = "trivet:model:{%d}" % self.number
        self.hash = {name.decode(): value for name, value in redis.hgetall(key).items()}
        self.blobs = [redis.get(key + ":item_factors:0"), redis.get(key + ":item_ids:0")]
        self.sigma = redis.get(key + ":singular_values")
        self.items, self.ids = decode(self.blobs[0]).astype(float), decode(self.blobs[1])
        self.users = {d["_id"]: d for d in place.mongo_db().user.find()}


@pytest.fixture(scope="module")
def loaded(run, servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("als") / "set"
    place = servers.place()
    run("trivet-etl", "synth", folder, "--users", 200, "--items", 150, "--ratings", 6000, "--seed", 5)
    run("trivet-etl", "load", folder, env=place.env)
    return place


@pytest.fixture(scope="module")
def fit(run, loaded):
    def train(*arguments):
        run("trivet-train", "fit", "--set", "max_items_for_user=80", "--factors", 6, *arguments, env=loaded.env)
        return Model(loaded)
    return train


def evidence(document, model):
    """A user's ratings of the model's items: their rows of the factors, and the ratings."""
    rated, ratings = decode(document["rated"]), decode(document["ratings"]).astype(float)
    known = np.isin(rated, model.ids)
    return model.items[np.searchsorted(model.ids, rated[known])], ratings[known]


def solve_explicit(model, items, ratings):
    return np.linalg.solve(items.T @ items + LAMBDA * len(items) * np.eye(items.shape[1]), items.T @ ratings)


def solve_biased(model, items, ratings):
    """Rows are [q, mean + b_i, 1]: the user's are [p, 1, b_u]."""
    assert (items[:, -1] == 1).all()
    x = np.hstack([items[:, :-2], items[:, -1:]])
    p = np.linalg.solve(x.T @ x + LAMBDA * len(x) * np.eye(x.shape[1]), x.T @ (ratings - items[:, -2]))
    return np.concatenate([p[:-1], [1], p[-1:]])


def solve_implicit(model, items, ratings):
    a = model.items.T @ model.items + (items.T * (ALPHA * ratings)) @ items + LAMBDA * np.eye(items.shape[1])
    return np.linalg.solve(a, items.T @ (1 + ALPHA * ratings))


@pytest.mark.parametrize("flags, solve, score", [
    (["--algorithm", "als", "--lambda", LAMBDA], solve_explicit, "rating"),
    (["--algorithm", "als", "--lambda", LAMBDA, "--biases"], solve_biased, "rating"),
    (["--algorithm", "als-implicit", "--lambda", LAMBDA, "--alpha", ALPHA], solve_implicit, "relevance"),
], ids=["explicit", "biases", "implicit"])
def test_every_user_is_the_solution_of_their_equations(fit, flags, solve, score):
    model = fit(*flags)
    assert model.hash["score"].decode() == score and model.hash["algorithm"].decode() == flags[1]
    assert model.items.shape[1] == 6 + 2 * ("--biases" in flags)
    for document in model.users.values():
        items, ratings = evidence(document, model)
        stored = decode(document["value"]).astype(float)
        wanted = solve(model, items, ratings) if len(items) else np.zeros_like(stored)
        assert np.abs(stored - wanted).max() <= np.abs(wanted).max() * 2.0**-10  # float16
    assert len(model.users) == 200


def test_the_model_fits_the_ratings_better_than_their_mean(fit):
    model, squared, spread = fit("--algorithm", "als", "--biases"), [], []
    for document in model.users.values():
        items, ratings = evidence(document, model)
        squared.extend((items @ decode(document["value"]).astype(float) - ratings) ** 2)
        spread.extend(ratings)
    assert np.mean(squared) < 0.5 * np.var(spread)


def test_seed_and_threads(fit):
    first = fit("--algorithm", "als", "--seed", 7, "--threads", 1)
    assert fit("--algorithm", "als", "--seed", 7, "--threads", 2).blobs == first.blobs
    assert fit("--algorithm", "als", "--seed", 8).blobs != first.blobs


def test_the_names_of_spark(fit, loaded):
    ours = fit("--algorithm", "als", "--iterations", 4, "--lambda", 0.2)
    theirs = fit("--algorithm", "als", "--maxIter", 4, "--regParam", 0.2)
    assert ours.blobs == theirs.blobs
    row = json.loads(loaded.psql(f"SELECT row_to_json(r) FROM trivet.run r WHERE id = {theirs.number}"))
    assert row["parameters"] == {"factors": 6, "iterations": 4, "lambda": 0.2, "seed": 1, "biases": False}
    assert "--algorithm als --factors 6 --iterations 4 --lambda 0.2 --seed 1" in row["command"]


def test_the_command_of_the_journal_repeats_the_model(run, fit, loaded):
    first = fit("--algorithm", "als-implicit", "--alpha", 3)
    command = loaded.psql(f"SELECT command FROM trivet.run WHERE id = {first.number}")
    run(*(word.strip("'") for word in command.split()), env=loaded.env)
    assert Model(loaded).blobs == first.blobs


def test_what_an_algorithm_does_not_know_is_refused(run, loaded):
    refused = run("trivet-train", "fit", "--algorithm", "als", "--alpha", 2, env=loaded.env, check=False)
    assert refused.returncode == 2 and "--alpha means nothing to --algorithm als" in refused.stderr


def test_sigma_moves_the_weight_and_keeps_the_scores(fit):
    models = {power: fit("--sigma", power) for power in (0, 0.5, 1)}
    scores = [[decode(m.users[u]["value"]).astype(float) @ m.items.T for u in sorted(m.users)] for m in models.values()]
    assert np.abs(np.array(scores[0]) - scores[1]).max() < 0.02 and np.abs(np.array(scores[2]) - scores[1]).max() < 0.02
    norms = [np.linalg.norm(m.items, axis=0) for m in models.values()]
    sigma = decode(models[0].sigma)
    assert np.allclose(norms[0], 1, atol=0.01) and np.allclose(norms[2], sigma, rtol=0.01)


def kinds_of_items(place):
    return place.mongo_db().item.distinct("score_kind")


def test_item_documents_say_what_a_score_is(run, programs, fit, loaded):
    fit()
    assert kinds_of_items(loaded) == ["relevance"] and loaded.mongo_db().item.count_documents({"score_kind": None}) == 0
    fit("--algorithm", "als")
    assert kinds_of_items(loaded) == ["rating"]
    run("trivet-train", "rollback", env=loaded.env)
    assert kinds_of_items(loaded) == ["relevance"]
    # Killed between the item documents and the switch: the old model goes on, and so does what is said of it.
    at("tv_model_switch", programs["trivet-train"], "fit", "--set", "max_items_for_user=80", "--algorithm", "als", env=loaded.env)
    assert kinds_of_items(loaded) == ["rating"]
    run("trivet-train", "repair", env=loaded.env)
    assert kinds_of_items(loaded) == ["relevance"]


def test_memory_is_told_before_the_work(run, loaded):
    for algorithm in ("svd", "als", "als-implicit"):
        said = run("trivet-train", "fit", "--set", "max_items_for_user=80", "--factors", 6, "--algorithm", algorithm, env=loaded.env).stderr
        told, worked = said.index("learning needs about "), said.index("singular values" if algorithm == "svd" else "iteration 1 of")
        assert told < worked and re.search(r"learning needs about [\d.,]+ [KM]B beside the ratings\n", said)


def test_biases_are_told_apart_from_factors(run, fit, loaded, tmp_path):
    model = fit("--algorithm", "als", "--biases")
    shown = run("trivet-train", "show", "live", "--factors", "items", "--limit", 1, "--format", "csv", env=loaded.env).stdout
    assert shown.splitlines()[0] == "item_id,title,1,2,3,4,5,6,item bias,user bias"
    assert "als, 6 factors and two biases\n" in run("trivet-train", "show", "live", "--user", 5, "--item", model.ids[0], env=loaded.env).stdout
    run("trivet-train", "export", "live", tmp_path / "out", env=loaded.env)
    assert ": 6 factors, " in run("trivet-train", "import", tmp_path / "out", env=loaded.env).stdout
    run("trivet-train", "activate", model.number, env=loaded.env)


def test_what_float16_cannot_hold_is_refused_with_a_hint(run, fit, loaded):
    before = fit().number
    loaded.psql("CREATE OR REPLACE VIEW public.large AS SELECT userid, movieid, (rating * 1e5)::real AS rating FROM public.ratings; "
                "GRANT SELECT ON public.large TO trivet_reader")
    for sigma, side, hint in ((1, "item factors are beyond 65504", "use a smaller --sigma"), (0, "of a user is", "a larger sigma")):
        refused = run("trivet-train", "fit", "--source", "public.large", "--factors", 6, "--sigma", sigma, env=loaded.env, check=False)
        assert refused.returncode != 0 and side in refused.stderr and hint in refused.stderr.split("hint: ")[1]
    assert int(loaded.redis_client().get("trivet:live")) == before
    run("trivet-train", "fit", "--source", "public.large", "--factors", 6, "--sigma", 0.5, env=loaded.env)  # as the hints say


def test_a_reader_of_another_database_is_told(run, loaded):
    loaded.psql("CREATE DATABASE elsewhere")
    run("trivet-etl", "schema", env={**loaded.env, "TRIVET_POSTGRES": loaded.postgres.uri("elsewhere")})
    elsewhere = {**loaded.env, "TRIVET_READER": loaded.page_uri.replace(f"/{loaded.postgres_database}", "/elsewhere")}
    refused = run("trivet-train", "fit", "--source", "trivet.user_item()", env=elsewhere, check=False)
    loaded.psql("DROP DATABASE elsewhere")
    assert refused.returncode != 0 and "do --postgres and --reader name the same database?" in refused.stderr


def test_answers_say_what_a_score_is(fit, serve, loaded):
    model = fit("--algorithm", "als", "--biases")
    scale = json.loads(model.hash["description"])["scale"]
    assert [scale["low"], scale["high"]] == [float(x) for x in loaded.psql(
        "SELECT min(m), max(m) FROM (SELECT avg(value) m FROM trivet.rating GROUP BY user_id, item_id) t").split("|")]
    answer = serve(loaded).get("/recs?user_id=5&top=5").json()
    assert answer["score_kind"] == "rating" and all(0 < item["score"] < 6 for item in answer["items"])
