"""trivet-train evaluate: every number recomputed here, from the split on; the model by a fit on the training part alone."""

import collections
import csv
import json

import numpy as np
import pytest

from blobs import decode

TEST, SEED = 0.25, 5
CUTS = (5, 10, 15, 100)


def splitmix64(seed, n):
    """The first n outputs, as numbers in [0, 1)."""
    out, mask = [], 2**64 - 1
    for i in range(1, n + 1):
        z = (seed + i * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        out.append(((z ^ (z >> 31)) >> 11) * 2.0**-53)
    return out


class Set:
    def __init__(self, run, servers, folder, where):
        self.place = servers.place()
        run("trivet-etl", "load", folder, env=self.place.env)
        rows = [r.split("|") for r in self.place.psql("SELECT user_id, item_id, avg(value)::real, count(*) FROM trivet.rating "
                                                      "GROUP BY 1, 2 ORDER BY 1, 2").splitlines()]
        pairs = [(int(u), int(i), float(v)) for u, i, v, _ in rows]
        apart = [u < TEST for u in splitmix64(SEED, len(pairs))]
        self.training = [p for p, a in zip(pairs, apart) if not a]
        self.test = [p for p, a in zip(pairs, apart) if a]
        self.alone = servers.place()  # the training part and nothing else
        with open(where / "ratings.csv", "w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(["userId", "movieId", "rating"])
            writer.writerows((u, i, f"{v:.9g}") for u, i, v in self.training)
        run("trivet-etl", "load", where, env=self.alone.env)
        self.seen, self.held = collections.defaultdict(set), collections.defaultdict(dict)
        for u, i, _ in self.training:
            self.seen[u].add(i)
        for u, i, v in self.test:
            self.held[u][i] = v


@pytest.fixture(scope="module", params=["generated", "ml-latest-small"])
def ratings(request, run, servers, tmp_path_factory):
    if request.param == "generated":
        folder = tmp_path_factory.mktemp("evaluate") / "set"
        run("trivet-etl", "synth", folder, "--users", 150, "--items", 120, "--ratings", 4000, "--seed", 9)
    else:
        folder = request.getfixturevalue("data_dir") / "ml-latest-small"
    return Set(run, servers, folder, tmp_path_factory.mktemp("training"))


def evaluate(run, ratings, *arguments):
    """{method: {measure: value}}"""
    done = run("trivet-train", "evaluate", "--test", TEST, "--split-seed", SEED, "--format", "json", *arguments,
               env=ratings.place.env)
    table = collections.defaultdict(dict)
    for row in json.loads(done.stdout):
        measure = row.pop("measure")
        for method, value in row.items():
            table[method][measure] = value
    return table


def list_measures(ratings, ranked):
    """Means over users with training and held-out ratings; ranked(user): all items, best first, seen ones out."""
    users = [u for u in ratings.held if u in ratings.seen]
    sums = collections.Counter()
    for user in users:
        relevant, ranking = ratings.held[user], ranked(user)
        for k in CUTS:
            hits = [item in relevant for item in ranking[:k]]
            ideal = sum(1 / np.log2(j + 2) for j in range(min(k, len(relevant))))
            sums[f"ndcg@{k}"] += sum(h / np.log2(j + 2) for j, h in enumerate(hits)) / ideal
            sums[f"recall@{k}"] += sum(hits) / len(relevant)
            if k == 10:
                sums["precision@10"] += sum(hits) / k
                sums["hit rate@10"] += any(hits)
                sums["mrr@10"] += next((1 / (j + 1) for j, h in enumerate(hits) if h), 0)
                sums["map@10"] += sum(sum(hits[:j + 1]) / (j + 1) for j, h in enumerate(hits) if h) / min(k, len(relevant))
    return {name: value / len(users) for name, value in sums.items()}, len(users)


def agree(found, wanted):
    for name, value in wanted.items():
        if name in found:
            assert found[name] == pytest.approx(value, abs=1.5e-6), name
    assert len(set(wanted) & set(found)) >= 8


def test_popular(run, ratings):
    counts = collections.Counter(i for _, i, _ in ratings.training)
    order = sorted(counts, key=lambda i: (-counts[i], i))
    wanted, users = list_measures(ratings, lambda user: [i for i in order if i not in ratings.seen[user]][:100])
    found = evaluate(run, ratings, "--factors", 4, "--set", "max_items_for_user=1000")["popular"]
    agree(found, wanted)
    assert found["users judged"] == users and found["rmse"] is None


def test_bias(run, ratings):
    mean = np.mean([v for _, _, v in ratings.training])
    item, user = collections.defaultdict(list), collections.defaultdict(list)
    for u, i, v in ratings.training:
        item[i].append(v - mean)
    b_i = {i: sum(r) / (25 + len(r)) for i, r in item.items()}
    for u, i, v in ratings.training:
        user[u].append(v - mean - b_i[i])
    b_u = {u: sum(r) / (10 + len(r)) for u, r in user.items()}
    warm = [(u, i, v) for u, i, v in ratings.test if u in b_u and i in b_i]
    errors = np.array([mean + b_u[u] + b_i[i] - v for u, i, v in warm])
    values = np.array([v for _, _, v in warm])
    found = evaluate(run, ratings, "--factors", 4, "--set", "max_items_for_user=1000")["bias"]
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)), abs=1.5e-6)
    assert found["mae"] == pytest.approx(np.mean(np.abs(errors)), abs=1.5e-6)
    assert found["r2"] == pytest.approx(1 - np.sum(errors**2) / np.sum((values - values.mean()) ** 2), abs=1.5e-6)
    assert found["rmse low"] < found["rmse"] < found["rmse high"]


@pytest.mark.parametrize("flags", [["--algorithm", "svd", "--factors", 8],
                                   ["--algorithm", "als", "--factors", 5, "--biases"]], ids=["svd", "als"])
def test_a_model_sees_the_training_part_only(run, ratings, flags):
    """evaluate gives what a fit on the training part alone gives, with the filter's cuts counted there."""
    settings = ["--set", "min_users_for_item=4", "--set", "max_items_for_user=300", *flags]
    found = evaluate(run, ratings, *settings)[flags[1]]
    run("trivet-train", "fit", *settings, env=ratings.alone.env)
    redis = ratings.alone.redis_client()
    key = "trivet:model:{%d}:" % int(redis.get("trivet:live"))
    items, ids = decode(redis.get(key + "item_factors:0")).astype(float), decode(redis.get(key + "item_ids:0"))
    users = {d["_id"]: decode(d["value"]).astype(float) for d in ratings.alone.mongo_db().user.find()}
    place = {item: n for n, item in enumerate(ids.tolist())}

    def ranked(user):
        if not ratings.seen[user] & set(place):
            return []
        scores = items @ users[user]
        order = np.lexsort((ids, -scores))
        return [i for i in ids[order].tolist() if i not in ratings.seen[user]]

    agree(found, list_measures(ratings, ranked)[0])
    if flags[1] == "als":
        errors = [users[u] @ items[place[i]] - v for u, i, v in ratings.test
                  if i in place and u in users and ratings.seen[u] & set(place)]
        assert found["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(errors))), abs=1.5e-6)
        warm = {i for _, i, _ in ratings.training}
        missed = [i for u, i, _ in ratings.test if u in users and i in warm and i not in place]
        assert found["pairs without prediction"] == len(missed)  # the filter cut the item: told, not dropped in silence


def test_it_repeats_and_makes_no_model(run, ratings):
    before = ratings.place.redis_client().dbsize(), ratings.place.mongo_db().list_collection_names()
    flags = ["--algorithm", "als", "--factors", 4]
    assert evaluate(run, ratings, *flags, "--threads", 1) == evaluate(run, ratings, *flags, "--threads", 2)
    assert (ratings.place.redis_client().dbsize(), ratings.place.mongo_db().list_collection_names()) == before


def test_it_needs_postgres_alone_and_writes_nothing_there_if_asked(run, ratings):
    count = "SELECT count(*) FROM trivet.run"
    before = ratings.place.psql(count)
    run("trivet-train", "evaluate", "--factors", 4, "--no-journal",
        env={"TRIVET_POSTGRES": ratings.place.env["TRIVET_POSTGRES"]})
    assert ratings.place.psql(count) == before


@pytest.mark.parametrize("setting", ["sample_users=0.5", "rated_until=2015-01-01"])
def test_what_would_leak_is_refused(run, ratings, setting):
    done = run("trivet-train", "evaluate", "--set", setting, env=ratings.place.env, check=False)
    assert done.returncode == 2 and setting.split("=")[0] + " cannot be evaluated" in done.stderr
