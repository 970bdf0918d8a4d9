"""docker-compose as a user runs it: `up` ends in a page, a second `up` changes nothing, `down -v` leaves nothing.

Under a project name and ports of its own. Skipped, with the reason, where no engine answers.
"""

import html
import json
import os
import shutil
import subprocess
import time
import urllib.request

import pytest
import stores_dump
from project import copy_project
from stores import REPO, Postgres, free_port

PROJECT = "trivet-test"
UP_SECONDS = 900
LASTING = ("postgres", "mongo", "redis", "serve")
ONE_SHOT = ("load", "train", "similar")
BANNER = "These ratings are generated, not real."


def compose_command():
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
        pytest.skip("no container engine answers (docker info): docker-compose.yml was NOT tested")
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("neither docker compose nor docker-compose is installed: docker-compose.yml was NOT tested")


class Compose:
    def __init__(self, folder):
        self.base = compose_command()
        self.folder = folder
        self.ports = {name: free_port() for name in ("POSTGRES_PORT", "MONGO_PORT", "REDIS_PORT", "WEB_PORT")}
        # The classic builder takes base images from the engine itself, also where no registry can be reached.
        self.env = {**os.environ, **{name: str(port) for name, port in self.ports.items()},
                    "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}

    def __call__(self, *args, check=True):
        done = subprocess.run([*self.base, "--project-name", PROJECT, *args], cwd=self.folder, env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=UP_SECONDS)
        if check and done.returncode != 0:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
            logs = subprocess.run([*self.base, "--project-name", PROJECT, "logs", "--tail=15", *ONE_SHOT, "serve"],
                                  cwd=self.folder, env=self.env, capture_output=True, text=True).stdout
            pytest.fail(f"{' '.join(args)} ended with {done.returncode}:\n{tail}\n{logs}", pytrace=False)
        return done

    def get(self, path, accept="application/json"):
        """The answer once the server is up: `up -d` returns when it has been started, not when it is ready."""
        deadline = time.monotonic() + 60
        url = f"http://127.0.0.1:{self.ports['WEB_PORT']}{path}"
        while True:
            try:
                with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept})) as answer:
                    return answer.read().decode()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def states(self, *services):
        """Container id -> its state as the engine tells it."""
        ids = self("ps", "-a", "-q", *services).stdout.split()
        text = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True).stdout
        return {c["Id"]: c["State"] for c in json.loads(text)}

    def started(self, *services):
        return {name: state["StartedAt"] for name, state in self.states(*services).items()}

    def psql(self, sql):
        return Postgres.ask(f"postgresql://postgres@127.0.0.1:{self.ports['POSTGRES_PORT']}/postgres", sql)


@pytest.fixture(scope="module")
def compose(tmp_path_factory):
    """In a copy of the project, so that neither data/ nor .env of the developer's own is used."""
    folder = copy_project(tmp_path_factory.mktemp("compose") / "trivet")
    compose = Compose(folder)
    compose("down", "-v", "--remove-orphans", check=False)  # what a killed run may have left
    try:
        compose("up", "-d", "--build", "serve")
        yield compose
    finally:
        compose("down", "-v", "--remove-orphans", "--rmi", "local")
    left = subprocess.run(["docker", "volume", "ls", "-q", "--filter", f"name={PROJECT}_"], capture_output=True,
                          text=True).stdout
    assert left == ""


def test_the_first_up_ends_in_a_page(compose):
    page = html.unescape(compose.get("/recs?user_id=10&top=15", accept="text/html"))
    answer = json.loads(compose.get("/recs?user_id=10&top=15"))
    titles = [item["title"].rsplit(" (", 1)[0] for item in answer["items"]]  # the page sets the year apart
    assert len(titles) == 15 and all(title and title in page for title in titles)
    assert BANNER in page and "data/" in page, "nothing says that the ratings are generated and where real ones go"


def test_a_second_up_runs_the_one_shot_services_which_change_nothing(compose):
    answer = json.loads(compose.get("/recs?user_id=10&top=15"))
    rows = "SELECT (SELECT count(*) FROM trivet.load), (SELECT count(*) FROM trivet.run), (SELECT count(*) FROM trivet.similar_index)"
    before = compose.started(*LASTING), compose.psql(rows)
    ran = compose.started(*ONE_SHOT)
    compose("up", "-d", "serve")
    assert all(state["ExitCode"] == 0 for state in compose.states(*ONE_SHOT).values())
    again = compose.started(*ONE_SHOT)
    assert again.keys() == ran.keys() and all(again[name] > ran[name] for name in ran), "they did not run again"
    assert (compose.started(*LASTING), compose.psql(rows)) == before
    assert json.loads(compose.get("/recs?user_id=10&top=15")) == answer


def test_similar_items_are_there(compose):
    item = json.loads(compose.get("/recs?user_id=10&top=1"))["items"][0]["id"]
    answer = json.loads(compose.get(f"/similar?item={item}&top=3&by=audience"))
    assert answer["by"] == "audience" and len(answer["items"]) == 3


def test_clients_on_the_host_need_no_password(compose):
    pymongo, redis = pytest.importorskip("pymongo"), pytest.importorskip("redis")
    assert compose.psql("SELECT count(*) > 0 FROM public.ratings") == "t"
    mongo = pymongo.MongoClient(f"mongodb://127.0.0.1:{compose.ports['MONGO_PORT']}")
    assert mongo.recsys.user.find_one() is not None
    client = redis.Redis(port=compose.ports["REDIS_PORT"])
    assert int(client.get("trivet:live")) >= 1
    assert client.config_get("appendonly")["appendonly"] == "yes"
    assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_the_ports_are_open_to_this_machine_only(compose):
    text = subprocess.run(["docker", "inspect", *compose.states(*LASTING)], capture_output=True, text=True).stdout
    hosts = {binding["HostIp"] for c in json.loads(text) for bindings in c["HostConfig"]["PortBindings"].values()
             for binding in bindings}
    assert hosts == {"127.0.0.1"}


def test_the_programs_do_not_run_as_root(compose):
    assert compose("exec", "-T", "serve", "id", "-u").stdout.strip() != "0"


def test_a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(compose):
    (compose.folder / "data").chmod(0o700)
    try:
        done = compose("up", "load", check=False)
    finally:
        (compose.folder / "data").chmod(0o755)
    assert "./data cannot be read by the container's user: chmod" in done.stdout
    assert [state["ExitCode"] for state in compose.states("load").values()] == [1]


def test_files_in_data_replace_the_generated_ratings(compose, movielens_100k):
    """Late, because it changes what is loaded."""
    for file in movielens_100k.iterdir():
        shutil.copyfile(file, compose.folder / "data" / file.name)
    compose("up", "-d", "serve")
    assert compose.psql("SELECT count(DISTINCT userid) FROM public.ratings") == "943"
    deadline = time.monotonic() + 30  # the server that runs sees the new model by itself
    while BANNER in compose.get("/recs?user_id=10&top=15", accept="text/html") and time.monotonic() < deadline:
        time.sleep(0.2)
    page = compose.get("/recs?user_id=10&top=15", accept="text/html")
    assert BANNER not in page and "Godfather" in page


class Volumes:
    """The stores of the project, as stores_dump restores them."""

    def __init__(self, compose):
        ports, self.psql = compose.ports, compose.psql
        pymongo, redis = pytest.importorskip("pymongo"), pytest.importorskip("redis")
        self.postgres_uri = f"postgresql://postgres@127.0.0.1:{ports['POSTGRES_PORT']}/postgres"
        self.mongo_db = lambda: pymongo.MongoClient(f"mongodb://127.0.0.1:{ports['MONGO_PORT']}").recsys
        self.redis_client = lambda: redis.Redis(port=ports["REDIS_PORT"])


def test_volumes_of_an_older_version_are_brought_up_to_date(compose):
    """Last, because it takes other volumes: `up` upgrades them, keeps what was loaded, trains, and answers."""
    compose("down", "-v")
    compose("up", "-d", "postgres", "mongo", "redis")
    volumes = Volumes(compose)
    deadline = time.monotonic() + 60
    while "healthy" not in [s.get("Health", {}).get("Status") for s in compose.states("postgres").values()] and time.monotonic() < deadline:
        time.sleep(0.5)
    stores_dump.restore(REPO / "tests/fixtures/0.1.0/numbers", volumes)
    given = compose.psql("SELECT count(*), sum(value) FROM trivet.rating")
    compose("stop")
    compose("up", "-d", "serve")
    assert compose.psql("SELECT count(*), sum(value) FROM trivet.rating") == given
    assert int(compose.psql("SELECT max(version) FROM trivet.schema_version WHERE files <> 'those of an older version'")) > 1
    assert json.loads(compose.get("/readyz"))["data"] == {"state": "current", "dataset": "films", "loaded": "films"}
    titles = [item["title"] for item in json.loads(compose.get("/recs?user_id=1&top=5"))["items"]]
    assert len(titles) == 5 and all(titles)
    assert len(json.loads(compose.get("/similar?item=50&top=3&by=audience"))["items"]) == 3
    assert {m["number"] for m in json.loads(compose.get("/api/v1/models"))["models"]} >= {7, 8}
