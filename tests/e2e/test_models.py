"""The life of a model in real stores: fit, list, switch, roll back, prune, repair; and what is refused."""

import json
import random
import re
import subprocess
import time

import pytest

from breakpoints import at, ended, go_on, in_background, reached
from rating_sets import like_movielens
from server import clean_environment
from test_load import load, some_ratings, write


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    """Ratings of 60 users with tastes of their own, as MovieLens files; 0.1 s to train."""
    rng = random.Random(7)
    return like_movielens(
        tmp_path_factory.mktemp("small") / "ratings",
        ((user, movie * 7, (4.5 if movie % 3 == user % 3 else 2.0) + rng.choice([-0.5, 0, 0.5]), 1_000_000 + user * 100 + movie)
         for user in range(1, 61) for movie in sorted(rng.sample(range(1, 81), rng.randint(4, 60)))),
        ((movie * 7, f"Film {movie}, The ({1950 + movie})", "Drama|War" if movie % 2 else "Comedy") for movie in range(1, 81)))


@pytest.fixture
def loaded(run, fresh_stores, small_set):
    run("trivet-etl", "load", small_set, env=fresh_stores.env)
    return fresh_stores


FIT = ("fit", "--set", "max_items_for_user=60", "--factors")


def live(stores):
    value = stores.redis_client().get("trivet:live")
    return int(value) if value else None


def what_is_stored(stores):
    """Everything by number: collections and keys of models."""
    names = {n for n in stores.mongo_db().list_collection_names() if n.split("_")[0] in ("user", "parts", "model", "item", "catalogue")}
    keys = {k.decode().split("}")[0] + "}" for k in stores.redis_client().keys("trivet:model:*")}
    return names, keys


def exactly(stores, numbers):
    """Only what the given models need is stored, and the journal says the same."""
    names, keys = what_is_stored(stores)
    assert names == {"user", "item", stores.catalogue().name} | {f"user_{n}" for n in numbers} | {f"model_{n}" for n in numbers}
    assert keys == {"trivet:model:{%d}" % n for n in numbers}
    states = stores.psql("SELECT id FROM trivet.run WHERE state IN ('kept', 'live') ORDER BY id").split()
    assert [int(s) for s in states] == sorted(numbers)


def consistent(run, stores):
    """Journal, Redis and the view for notebooks name the same model, and it answers."""
    number = live(stores)
    assert stores.psql("SELECT id FROM trivet.run WHERE state = 'live'") == str(number)
    view = next(stores.mongo_db().list_collections(filter={"name": "user"}))
    assert view["options"]["viewOn"] == f"user_{number}"
    assert stores.mongo_db().user.count_documents({}) == 60
    return number


def test_fit_publishes_and_says_what_it_does(run, loaded):
    done = run("trivet-train", *FIT, 5, env=loaded.env)
    assert "model 1 is live: 5 factors" in done.stdout and "60 users are served" in done.stdout
    for word in ("read ratings", "factorise", "fold in users", "write factors", "read back", "activate", "peak memory",
                 "density", "users without activity", "steps"):
        assert word in done.stderr, word
    assert consistent(run, loaded) == 1
    exactly(loaded, [1])
    row = json.loads(loaded.psql("SELECT row_to_json(r) FROM trivet.run r"))
    assert row["filter"]["max_items_for_user"] == 60 and row["parameters"] == {"factors": 5, "sigma": 0.5}
    assert row["source"] == "trivet.user_item(max_items_for_user => 60)"
    assert row["counts"]["users_served"] == 60 and row["counts"]["seconds"]["factorise"] >= 0
    assert row["command"] == "trivet-train fit --algorithm svd --factors 5 --set 'max_items_for_user=60'"
    item = loaded.mongo_db().item.find_one({"_id": 7})
    assert item["title"] == "The Film 1 (1951)" and item["year"] == 1951 and item["genres"] == ["Drama", "War"]
    assert item["n"] == int(loaded.psql("SELECT count(*) FROM trivet.rating WHERE item_id = 7"))


def test_who_has_no_rating_under_the_conditions_is_counted(run, loaded):
    """User n rated 100 n to 100 n + 80 seconds after 1,000,000."""
    first = ("fit", "--set", "rated_since=1970-01-12T14:20:00Z", "--set", "min_rating=1", "--factors", 3)
    told = "19 of 60 users have no rating that meets rated_since and min_rating"
    assert told in run("trivet-train", *first, "--dry-run", env=loaded.env).stderr
    done = run("trivet-train", *first, env=loaded.env)
    assert told in done.stderr and "41 users are served" in done.stdout
    everybody = run("trivet-train", "fit", "--set", "genres=Drama", "--factors", 3, env=loaded.env)
    assert "have no rating" not in everybody.stderr and "60 users are served" in everybody.stdout


def test_three_models_are_kept_and_the_one_before_is_never_pruned(run, loaded):
    for factors in (2, 3, 4, 5):
        run("trivet-train", *FIT, factors, env=loaded.env)
    exactly(loaded, [2, 3, 4])
    assert "model 2 is live" in run("trivet-train", "activate", 2, env=loaded.env).stdout
    assert consistent(run, loaded) == 2
    run("trivet-train", *FIT, 6, env=loaded.env)
    exactly(loaded, [2, 3, 4, 5][0:1] + [3, 4, 5])
    assert "model 2 is live" in run("trivet-train", "rollback", env=loaded.env).stdout
    listing = run("trivet-train", "models", env=loaded.env).stdout.splitlines()
    assert [line.split()[:2] for line in listing[1:]] == [["2", "live"], ["3", "kept"], ["4", "kept"], ["5", "kept"]]
    assert "3..60 a user" in listing[1]
    refused = run("trivet-train", "activate", 1, env=loaded.env, check=False)
    assert refused.returncode == 3 and "no model 1" in refused.stderr and "trivet-train models" in refused.stderr


def test_rollback_needs_a_model_to_go_back_to(run, loaded):
    run("trivet-train", *FIT, 3, env=loaded.env)
    refused = run("trivet-train", "rollback", env=loaded.env, check=False)
    assert refused.returncode != 0 and "no other model was live" in refused.stderr


def test_if_changed_does_nothing_twice(run, loaded, small_set):
    first = run("trivet-train", *FIT, 3, "--if-changed", env=loaded.env)
    assert "model 1 is live" in first.stdout
    before = what_is_stored(loaded), loaded.psql("SELECT count(*) FROM trivet.run")
    assert "nothing changed" in run("trivet-train", *FIT, 3, "--if-changed", env=loaded.env).stdout
    assert (what_is_stored(loaded), loaded.psql("SELECT count(*) FROM trivet.run")) == before
    loaded.psql("INSERT INTO trivet.rating (user_id, item_id, value) VALUES (1, 14, 5)")
    assert "model 2 is live" in run("trivet-train", *FIT, 3, "--if-changed", env=loaded.env).stdout
    assert "model 3 is live" in run("trivet-train", *FIT, 4, "--if-changed", env=loaded.env).stdout


def test_dry_run_writes_nothing(run, loaded):
    before = what_is_stored(loaded), loaded.psql("SELECT count(*) FROM trivet.run")
    done = run("trivet-train", *FIT, 3, "--dry-run", env=loaded.env)
    assert "memory" in done.stdout and "Redis" in done.stdout and "nothing was written" in done.stdout
    assert (what_is_stored(loaded), loaded.psql("SELECT count(*) FROM trivet.run")) == before
    assert loaded.redis_client().dbsize() == 0


def test_a_time_is_kept_as_the_moment_it_meant(run, fresh_stores, tmp_path):
    """Users are folded in for as long as the model lives, in sessions with a time zone of their own: "yesterday" is no condition."""
    now = int(time.time())
    rows = [f"{u},{i},{1 + (u * i) % 5},{now}" for u in range(1, 21) for i in range(1, 16)]
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "\n".join(rows) + "\n")
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    run("trivet-train", "fit", "--set", "rated_since=yesterday", "--factors", 2, env={**fresh_stores.env, "PGTZ": "Asia/Tokyo"})
    kept = fresh_stores.psql("SELECT filter ->> 'rated_since' FROM trivet.run WHERE id = 1")
    assert kept.endswith("T00:00:00+09:00")
    assert kept in fresh_stores.psql("SELECT source FROM trivet.run WHERE id = 1")
    fresh_stores.psql("INSERT INTO trivet.preset (name, values) VALUES ('now', '{\"rated_until\": \"tomorrow\"}')")
    run("trivet-train", "fit", "--preset", "now", "--factors", 2, env=fresh_stores.env)
    assert fresh_stores.psql("SELECT filter ->> 'rated_until' FROM trivet.run WHERE id = 2")[:4].isdigit()
    run("trivet-train", "similar", "--since", "yesterday", env=fresh_stores.env)
    assert "yesterday" not in fresh_stores.psql("SELECT source FROM trivet.similar_index")



@pytest.mark.parametrize("arguments, code, words", [
    (["--set", "min_user_for_item=3"], 2, ["min_user_for_item", "did you mean min_users_for_item"]),
    (["--set", "max_items_for_user=2"], 2, ["at least min_items_for_user, which is 3"]),
    (["--set", "rated_since=soon"], 2, ["rated_since is \"soon\"", "2015-04-01"]),
    (["--set", "min_users_for_item=1000"], 3, ["the item cut", "--set min_users_for_item="]),
    (["--set", "max_items_for_user=3"], 3, ["the user cut", "--set max_items_for_user="]),
    (["--factors", "200"], 2, ["--factors is 200", "has at most"]),
    (["--factor", "x"], 2, ["--factors"]),
])
def test_mistakes_are_named_and_change_nothing(run, loaded, arguments, code, words):
    refused = run("trivet-train", "fit", *arguments, env=loaded.env, check=False)
    assert refused.returncode == code, refused.stderr
    for word in words:
        assert word in refused.stderr
    assert live(loaded) is None and what_is_stored(loaded) == (set(), set())
    assert loaded.psql("SELECT count(*) FROM trivet.run WHERE state <> 'failed'") == "0"


def test_the_suggestion_for_an_empty_result_works(run, loaded):
    refused = run("trivet-train", "fit", "--set", "min_users_for_item=1000", env=loaded.env, check=False)
    suggestion = refused.stderr.split("this would keep some: ")[1].split("\n")[0].split()
    run("trivet-train", "fit", *suggestion, env=loaded.env)


def test_a_rank_below_k_is_named(run, fresh_stores, tmp_path):
    """Five users who rate alike: rank 1. An explicit k is refused, the default shrinks."""
    rows = "".join(f"{u},{i},{i % 5 + 1}\n" for u in range(1, 6) for i in range(1, 5))
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating\n" + rows)
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    wide = ("--set", "min_users_for_item=0")
    refused = run("trivet-train", "fit", *wide, "--factors", 2, env=fresh_stores.env, check=False)
    assert refused.returncode == 3 and "rank 1" in refused.stderr and "--factors 1" in refused.stderr
    assert live(fresh_stores) is None
    assert fresh_stores.psql("SELECT state, message LIKE '%rank 1%' FROM trivet.run") == "failed|t"
    done = run("trivet-train", "fit", *wide, env=fresh_stores.env)
    assert "1 factors" in done.stdout


def test_the_row_limit_warns(run, loaded):
    done = run("trivet-train", *FIT, 3, "--set", "max_row_number=100", env=loaded.env)
    total = loaded.psql("SELECT count(*) FROM trivet.user_item(max_items_for_user => 60)")
    assert f"kept 100 of {int(total):,} rows: only users 1.." in done.stderr


def test_a_model_is_told_by_the_factors_it_has(run, fresh_stores, tmp_path):
    """The default is 50, and a matrix of 20 items has 19 at most."""
    load(run, fresh_stores, write(tmp_path / "tiny", ratings=some_ratings()))
    wide = ("--set", "min_users_for_item=0", "--set", "min_items_for_user=0")
    done = run("trivet-train", "fit", *wide, env=fresh_stores.env)
    has = int(re.search(r"(\d+) factors", done.stdout).group(1))
    assert has < 20
    run("trivet-train", "evaluate", *wide, env=fresh_stores.env)
    run("trivet-train", "export", "1", tmp_path / "model", env=fresh_stores.env)
    run("trivet-train", "import", tmp_path / "model", env=fresh_stores.env)
    assert fresh_stores.psql("SELECT run, kind, factors FROM trivet.run_list WHERE run <> 2") == f"1|fit|{has}\n3|import|{has}"
    assert fresh_stores.psql("SELECT model, factors FROM trivet.model") == f"3|{has}\n1|{has}"
    listed = [line.split()[3:5] for line in run("trivet-train", "models", env=fresh_stores.env).stdout.splitlines()[1:]]
    assert listed == [["svd", str(has)]] * 2
    judged = set(fresh_stores.psql("SELECT e.factors, l.factors, m ->> 'factors' FROM trivet.evaluation e JOIN trivet.run_list l USING (run) "
                                   "JOIN trivet.run r ON r.id = run, jsonb_array_elements(r.metrics -> 'methods') m "
                                   "WHERE e.is_model AND (m ->> 'model')::boolean").splitlines())
    assert len(judged) == 1 and len(set(judged.pop().split("|"))) == 1
    assert fresh_stores.psql("SELECT max(factors) < 20 FROM trivet.evaluations()") == "t"
    for words in (("show", 1), ("compare", 1, 3)):
        told = run("trivet-train", *words, env=fresh_stores.env).stdout
        assert re.search(rf"count factors\W+{has}\b", told), told
    fresh_stores.psql("UPDATE trivet.run SET counts = counts - 'factors'")  # of an older trivet
    assert fresh_stores.psql("SELECT factors, parameters ->> 'factors' FROM trivet.model WHERE model = 1") == "50|50"


def test_no_schema_and_no_store_are_told(run, servers, private_stores):
    refused = run("trivet-train", "fit", env=servers.place().env, check=False)
    assert refused.returncode != 0 and "trivet-etl load" in refused.stderr
    for store, word in ((private_stores.redis, "Redis"), (private_stores.mongo, "MongoDB"), (private_stores.postgres, "PostgreSQL")):
        store.stop()
        refused = run("trivet-train", "fit", env=private_stores.env, check=False)
        assert refused.returncode == 4 and word in refused.stderr and "is it running" in refused.stderr
        store.start()


# --- crashes -------------------------------------------------------------------------------------------------

# In the order of a fit; the last two of a model too many being pruned.
CRASHES = ["tv_run_begin", "tv_fit_start_catalogue", "tv_reading_read", "tv_fit_choose_rows", "tv_fit_factorise", "tv_fit_users",
           "tv_mongo_create_index", "tv_fit_end_catalogue", "tv_fit_describe", "tv_model_write_mongo",
           "tv_model_write_redis", "tv_model_read_redis", "tv_user_document_hash", "tv_run_complete",
           "tv_lifecycle_activate", "tv_mongo_rename", "tv_model_switch", "tv_mongo_point_view", "tv_run_go_live", "tv_lifecycle_prune",
           "tv_lifecycle_discard", "tv_mongo_drop", "tv_model_drop_redis"]


def test_kill_at_every_step(run, programs, loaded, serve):
    """SIGKILL at each step: a running server goes on answering, the next fit succeeds, nothing is left behind."""
    for factors in (2, 3, 4):
        run("trivet-train", *FIT, factors, env=loaded.env)
    server = serve(loaded)
    for n, function in enumerate(CRASHES):
        before = live(loaded)
        at(function, programs["trivet-train"], *FIT, 5 + n % 20, env=loaded.env)
        answer = server.get("/api/v1/recs?user_id=3&top=5")
        assert answer.status == 200 and len(answer.json()["items"]) == 5, function
        switched = live(loaded) != before
        assert switched == (CRASHES.index(function) > CRASHES.index("tv_model_switch")), function
        run("trivet-train", "repair", env=loaded.env)
        assert live(loaded) == before + 1 if switched else before, function
        consistent(run, loaded)
        run("trivet-train", *FIT, 30, env=loaded.env)
        number = consistent(run, loaded)
        kept = [int(x) for x in loaded.psql("SELECT id FROM trivet.run WHERE state IN ('kept', 'live')").split()]
        assert number in kept and 3 <= len(kept) <= 4
        exactly(loaded, kept)


@pytest.mark.parametrize("store", ["mongo", "redis", "postgres"])
@pytest.mark.parametrize("function", ["tv_fit_users", "tv_model_write_redis", "tv_lifecycle_activate"])
def test_a_store_that_dies_halfway(run, programs, private_stores, small_set, store, function):
    """The store is killed while fit is under way: a clear error, the old model stays, the next fit succeeds."""
    run("trivet-etl", "load", small_set, env=private_stores.env)
    run("trivet-train", *FIT, 3, env=private_stores.env)
    victim = getattr(private_stores, store)
    # PostgreSQL's backends, too: with their postmaster alone gone, they may answer once more. It is stopped first, or it
    # would start others.
    kill = f"shell kill -STOP {victim.pid}; pkill -KILL -P {victim.pid}; kill -KILL {victim.pid}"
    done = at(function, programs["trivet-train"], *FIT, 4, env=private_stores.env, do=kill)
    assert "exited with code" in done.stdout, done.stdout
    name = {"mongo": "MongoDB", "redis": "Redis", "postgres": "PostgreSQL"}[store]
    assert name in done.stderr + done.stdout or "the lock" in done.stderr + done.stdout
    victim.kill()
    victim.start()
    run("trivet-train", "repair", env=private_stores.env)
    assert consistent(run, private_stores) == 1
    exactly(private_stores, [1, 2] if function == "tv_lifecycle_activate" else [1])  # whole by then, so kept
    run("trivet-train", *FIT, 4, env=private_stores.env)
    assert consistent(run, private_stores) > 1


def test_mongodb_may_be_away_for_a_moment(run, programs, private_stores, small_set, tmp_path):
    """It ends while fit is between two questions to it, and is back a second after the next one."""
    run("trivet-etl", "load", small_set, env=private_stores.env)
    with open(tmp_path / "fit.log", "w+") as output:
        fit = in_background("tv_model_store", programs["trivet-train"], *FIT, 3, env=private_stores.env, output=output)
        reached(fit, tmp_path / "fit.log")
        time.sleep(1.1)  # after a second without work, a connection is looked at before it is used
        private_stores.mongo.kill()
        go_on(fit)
        time.sleep(1)
        private_stores.mongo.start()
        ended(fit, tmp_path / "fit.log")
    assert "exited normally" in (tmp_path / "fit.log").read_text()
    assert consistent(run, private_stores) == 1
    exactly(private_stores, [1])


def test_a_command_ends_when_it_is_done(run, loaded):
    """The threads of the driver's pool look twice a second whether they are to end; a command has none. The quickest of
    eight: others may be at work on this machine."""
    run("trivet-train", *FIT, 3, env=loaded.env)

    def seconds():
        began = time.monotonic()
        run("trivet-train", "recommend", "--users", 3, env=loaded.env)
        return time.monotonic() - began
    assert min(seconds() for _ in range(8)) < 0.4


def test_flushall_is_repaired_from_mongodb(run, loaded):
    for factors in (3, 4):
        run("trivet-train", *FIT, factors, env=loaded.env)
    redis = loaded.redis_client()
    before = redis.get("item_factors"), redis.get("trivet:model:{2}:item_factors:0"), redis.hgetall("trivet:model:{2}")
    redis.flushdb()
    assert "model 2 is live" in run("trivet-train", "repair", env=loaded.env).stdout
    after = redis.get("item_factors"), redis.get("trivet:model:{2}:item_factors:0"), redis.hgetall("trivet:model:{2}")
    assert {**after[2], b"description": b""} == {**before[2], b"description": b""} and after[:2] == before[:2]
    assert json.loads(after[2][b"description"]) == json.loads(before[2][b"description"])
    assert "model 1 is live" in run("trivet-train", "rollback", env=loaded.env).stdout
    consistent(run, loaded)


def test_an_older_redis_is_brought_forward(run, loaded):
    """A Redis that came back from an old snapshot shows model 1; the journal says 2."""
    for factors in (3, 4):
        run("trivet-train", *FIT, factors, env=loaded.env)
    loaded.redis_client().set("trivet:live", 1)
    run("trivet-train", "repair", env=loaded.env)
    assert consistent(run, loaded) == 2


def test_foreign_models_are_left_alone(run, loaded):
    """Stores that hold models of another journal: their numbers are skipped, their data stay."""
    loaded.mongo_db()["user_41"].insert_one({"_id": 1})
    run("trivet-train", *FIT, 3, env=loaded.env)
    assert live(loaded) == 42
    assert loaded.mongo_db()["user_41"].count_documents({}) == 1


def test_a_second_trainer_is_refused_and_names_the_first(run, programs, loaded):
    with loaded.locked("trivet-train fit (run 12)"):
        for command in (FIT + (3,), ("activate", 1), ("rollback",), ("repair",)):
            refused = run("trivet-train", *command, env=loaded.env, check=False)
            assert refused.returncode == 5 and "locked by trivet-train fit (run 12)" in refused.stderr
        assert live(loaded) is None
    run("trivet-train", *FIT, 3, env=loaded.env)


def test_two_trainers_at_once(programs, loaded):
    """Really two: one wins, the other exits and says why."""
    command = [str(programs["trivet-train"]), *map(str, FIT), "10"]
    env = {**clean_environment(), **loaded.env}
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    results = [(child.communicate(timeout=60), child.returncode) for child in both]
    codes = sorted(code for _, code in results)
    assert codes in ([0, 5], [0, 0]), results  # [0, 0] only if the first was done before the second began
    if codes == [0, 5]:
        (_, stderr), _ = next(r for r in results if r[1] == 5)
        assert "locked by trivet-train fit" in stderr


def test_a_load_waits_for_a_fit(run, programs, loaded, small_set):
    with loaded.locked("trivet-train fit (run 1)"):
        load = subprocess.Popen([str(programs["trivet-etl"]), "load", str(small_set)], env={**clean_environment(), **loaded.env},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        assert load.poll() is None, "the load did not wait"
        assert loaded.psql("SELECT count(*) FROM trivet.load WHERE state = 'complete'") == "1"
    _, stderr = load.communicate(timeout=60)
    assert load.returncode == 0 and "waiting for trivet-train fit (run 1)" in stderr


def test_sigterm_leaves_the_old_model(run, programs, loaded):
    run("trivet-train", *FIT, 3, env=loaded.env)
    done = at("tv_fit_users", programs["trivet-train"], *FIT, 4, env=loaded.env, 
              do="shell pkill -TERM -x -P $PPID trivet-train")
    assert "interrupted" in done.stdout + done.stderr
    assert consistent(run, loaded) == 1
    exactly(loaded, [1])


def test_a_sigterm_after_the_switch_comes_too_late(run, programs, loaded):
    """The switch is made: to say that the old model is still live would be a lie."""
    run("trivet-train", *FIT, 3, env=loaded.env)
    done = at("close_late", programs["trivet-train"], *FIT, 4, env=loaded.env,
              do="shell pkill -TERM -x -P $PPID trivet-train; sleep 0.3")
    told = done.stdout + done.stderr
    assert "model 2 is live" in told and "still is" not in told, told
    assert consistent(run, loaded) == 2
    exactly(loaded, [1, 2])
