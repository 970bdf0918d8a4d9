"""docs/operations.md, run as it stands: the commands are taken out of the page."""

import os
import re
import subprocess

import pytest
from markdown import block, blocks, code, names, page, rows, section
from server import clean_environment
from stores import REPO

PAGE = page("docs/operations.md")


@pytest.fixture(scope="module")
def ratings(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("operations") / "ratings"
    run("trivet-etl", "synth", folder, "--users", 150, "--items", 120, "--ratings", 6000)
    return folder


@pytest.fixture
def shell(programs, tmp_path):
    """shell("backup", place): runs that block of the page; what it printed."""

    def shell(name, place):
        path = ":".join([*{str(program.parent) for program in programs.values()}, os.environ["PATH"]])
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block(PAGE, f"sh {name}")], cwd=tmp_path, text=True,
                              env={**clean_environment(), **place.env, "PATH": path}, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return shell


@pytest.fixture
def trained(run, shell, fresh_stores, ratings):
    run("trivet-etl", "load", ratings, env=fresh_stores.env)
    shell("fit", fresh_stores)
    return fresh_stores


def live(place):
    return int(place.redis_client().get("trivet:live"))


def model(place):
    """What a model is: the factors of all items and of all users."""
    return (place.redis_client().get("item_factors"),
            {user["_id"]: user["value"] for user in place.mongo_db().user.find()})


def lose_mongodb(place):
    place.mongo_db().client.drop_database(place.mongo_database)


def test_postgres_alone_brings_everything_back(run, shell, trained, private_stores, ratings):
    """Also how to move to another machine: private_stores is one, where even the roles are missing."""
    journal = trained.psql("SELECT id, state, filter, data FROM trivet.run")
    shell("backup", trained)
    shell("restore-postgres", private_stores)
    for table in ("ratings", "movies"):
        count = f"SELECT count(*) FROM {table}"
        assert private_stores.psql(count) == trained.psql(count) != "0"
    assert private_stores.psql("SELECT id, state, filter, data FROM trivet.run") == journal
    assert shell("last-command", private_stores).stdout == block(PAGE, "sh fit")
    done = shell("fit", private_stores)
    assert "MongoDB has lost it" in done.stderr and live(private_stores) == live(trained) + 1
    assert model(private_stores) == model(trained)
    done = run("trivet-etl", "load", ratings, "--if-changed", env=private_stores.env)
    assert "nothing to do" in done.stdout


def test_restoring_in_place_replaces_what_is_there(run, shell, trained, ratings, tmp_path):
    before = model(trained)
    shell("backup", trained)
    run("trivet-etl", "load", ratings, "--append", env=trained.env)
    shell("fit", trained)
    shell("restore-postgres", trained)
    assert trained.psql("SELECT count(*) FROM trivet.load") == "1"
    done = shell("repair", trained)
    assert "model 1 is live" in done.stdout and live(trained) == 1 and model(trained) == before
    shell("fit", trained)
    assert live(trained) == 3  # 2 was given by the journal that is gone


def test_a_lost_redis_is_filled_again(shell, trained, serve):
    before = model(trained)
    server = serve(trained)
    trained.redis_client().flushdb()
    assert server.get("/readyz").status == 200
    shell("repair", trained)
    assert live(trained) == 1 and model(trained) == before


@pytest.mark.parametrize("redis_too", [False, True])
def test_a_lost_mongodb_costs_a_training(run, shell, trained, serve, redis_too):
    shell("fit", trained)  # model 2: so that there is one to lose beside the live one
    server = serve(trained)
    before, answer = model(trained), server.get("/recs?user_id=1").json()
    lose_mongodb(trained)
    if redis_too:
        trained.redis_client().flushdb()
    done = shell("repair", trained)
    assert "model 2 was live, but MongoDB has lost it, so none is live now" in done.stderr
    assert "no model is live" in done.stdout
    assert trained.psql("SELECT string_agg(state, ' ') FROM trivet.run") == "pruned pruned"
    assert server.get("/recs?user_id=2").status == 503
    shell("fit", trained)
    assert live(trained) == 3 and model(trained) == before
    assert run("trivet-train", "rollback", env=trained.env, check=False).returncode == 3
    assert server.restart().get("/recs?user_id=1").json() == {**answer, "model": 3}


def test_an_older_schema_is_brought_up_to_date(shell, trained):
    trained.psql("UPDATE trivet.schema_version SET version = 0; DROP FUNCTION trivet.why_empty; DROP VIEW public.links")
    shell("schema", trained)
    assert trained.psql("SELECT max(version) > 0 FROM trivet.schema_version") == "t"
    assert trained.psql("SELECT count(*) FROM trivet.why_empty()") == "1"
    assert trained.psql("SELECT count(*) FROM public.ratings") == "6000"
    assert live(trained) == 1


@pytest.mark.parametrize("command", [("trivet-etl", "schema"), ("trivet-etl", "load", REPO / "data"), ("trivet-train", "fit"),
                                     ("trivet-train", "models"), ("trivet-train", "fit", "--dry-run")])
def test_a_newer_schema_is_refused(run, trained, ratings, command):
    trained.psql("INSERT INTO trivet.schema_version SELECT max(version) + 1 FROM trivet.schema_version")
    command = [ratings if word == REPO / "data" else word for word in command]
    done = run(*command, env=trained.env, check=False)
    message = re.search(r"^trivet-etl: (the schema trivet .*)\n(hint: .*)$", section(PAGE, "## Upgrade"), re.M)
    assert done.returncode == 4
    assert f"{command[0]}: {message[1]}\n{message[2]}\n" in done.stderr


def test_a_scheduled_training(shell, trained):
    assert live(trained) == 1
    shell("retrain", trained)  # the same settings, so as good
    assert "nothing changed" in shell("retrain", trained).stdout
    trained.psql("INSERT INTO trivet.rating (user_id, item_id, value) SELECT 1, n, 5 FROM generate_series(1, 40) n")
    shell("retrain", trained)
    assert live(trained) == 2


def test_the_service_of_compose_trains_again_and_again(programs, trained):
    """Every second, for the test; a signal ends it between trainings and within one."""
    path = ":".join([*{str(program.parent) for program in programs.values()}, os.environ["PATH"]])
    service = subprocess.Popen([REPO / "tools/retrain", "0.2", "--guard", "ndcg@10:0.02", "--factors", "4"], text=True,
                               env={**clean_environment(), **trained.env, "PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert "is live" in service.stdout.readline() and live(trained) == 2
        assert "nothing changed" in service.stdout.readline()
    finally:
        service.terminate()
    assert service.wait(20) == 0


def test_exit_codes(run, trained, tmp_path):
    holder = subprocess.Popen(["psql", "-X", "-d", trained.postgres_uri, "-c",
                               "SELECT pg_advisory_lock(trivet.lock_key()), pg_sleep(60)"], stdout=subprocess.DEVNULL)
    try:
        while trained.psql("SELECT count(*) FROM trivet.lock_holder()") != "1":
            assert holder.poll() is None
        found = {run("trivet-train", "fit", env=trained.env, check=False).returncode: "another load or training holds the lock"}
    finally:
        trained.psql("SELECT pg_terminate_backend(pid) FROM trivet.lock_holder()")
        holder.wait()
    for meaning, command, env in (
            ("done, or nothing to do", ("trivet-train", "models"), trained.env),
            ("interrupted, out of memory, or a file that cannot be read or written", ("trivet-etl", "synth", tmp_path / "a/b"), {}),
            ("the command line or a setting is wrong", ("trivet-train", "fit", "--factors", "many"), trained.env),
            ("the data, the filter or a model's number cannot be used", ("trivet-train", "activate", 99), trained.env),
            ("the new model is worse than the live one, so `--guard` kept it",
             ("trivet-train", "fit", "--set", "max_items_for_user=200", "--algorithm", "als", "--factors", 1, "--guard", "ndcg@10:0.001"), trained.env),
            ("a store does not answer, or not as it should", ("trivet-train", "models"), {})):
        found[run(*command, env=env, check=False).returncode] = meaning
    table = section(PAGE, "## Monitoring").split("**Exit codes**")[1].split("**The server's log**")[0]
    assert found == {int(code): meaning for code, meaning, _ in rows(table)}


def test_every_metric_is_explained(served):
    shown = re.findall(r"^# TYPE (\w+) ", served.get("/metrics").text, re.M)
    late = {"trivet_store_bytes", "trivet_last_run_number", "trivet_last_run_state", "trivet_last_run_seconds",
            "trivet_users_waiting", "trivet_users_refused", "trivet_source_up", "trivet_model_data_loaded",
            "trivet_model_data_current"}  # there once the stores were asked
    explained = [name for cells in rows(PAGE) for name in code(cells[0]) if name.startswith("trivet_")]
    assert [name for name in explained if name not in late] == [name for name in shown if name not in late]
    assert late < set(explained)


def messages():
    tables = PAGE.split("**The server's log**")[1].split("## Disk and memory")[0]
    return [line for cells in rows(tables) for line in code(cells[0])]


@pytest.mark.parametrize("line", messages())
def test_what_is_said_is_said_in_the_sources(line):
    sources = "".join(path.read_text() for room in ("lib", "etl", "train", "serve") for path in REPO.glob(f"{room}/**/*.c"))
    pieces = re.split(r"\.\.\.|\bN \w+ are\b|\bN\b|[\d,]*\d|MongoDB|Redis(?= is away)", line)
    assert any(piece[:12].rstrip(" :") in sources for piece in pieces if len(piece) >= 8), line


def test_disk_and_memory_has_every_table_collection_and_key(run, trained):
    run("trivet-train", "similar", env=trained.env)
    postgres, mongo, redis = [set(names(part)) for part in re.split(r"(?=^\| (?:MongoDB|Redis|process) \|)",
                                                                    section(PAGE, "## Disk and memory"), flags=re.M)][:3]
    tables = trained.psql("SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'trivet'::regnamespace AND relkind IN "
                          "('r', 'p') AND (NOT relispartition OR relname = 'rating_live')").splitlines()
    assert postgres == set(tables)
    collections = {re.sub(r"_\d+$", "_<N>", re.sub(r"^catalogue_\d+", "catalogue_<D>", c["name"])) for c in trained.mongo_db().list_collections() if c["type"] == "collection"}
    assert mongo - {"catalogue_<D>_<N>", "parts_<N>"} == collections - {"system.views"}
    assert redis == {re.sub(r"\{\d+\}.*", "{N}", key.decode()) for key in trained.redis_client().keys()}


def test_every_command_of_the_page_is_run():
    tested = set(re.findall(r'shell\("([\w-]+)"', (REPO / "tests/e2e/test_operations.py").read_text())) - {"backup\", place"}
    assert tested == set(re.findall(r"```sh (\S+)$", PAGE, re.M)) and not blocks(PAGE, "sh")
