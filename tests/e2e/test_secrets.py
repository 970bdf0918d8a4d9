"""Passwords of the stores, however odd, and where the stores are: what programs, their logs, answers and the journal say.

A secret is two words that occur nowhere else with something awkward between them, so that a part of it is found, too.
tests/unit/lib/store/test_store_addresses.c has every shape of an address; here are the programs.
"""

import re
import subprocess
import urllib.parse

import pytest

from server import Server, until
from stores import Redis
from test_live import FIT, ratings  # noqa: F401  (a fixture)

WORDS = "Quxzyj", "Wvkjqz"
SECRETS = [between.join(WORDS) for between in ("", "@", "/", ":", "?", "#", "%", " ")]
NOWHERE = "127.0.0.9:1"  # nobody listens there; the number is in no other message


def kept(text, what=""):
    for word in WORDS:
        assert word.lower() not in text.lower(), f"{what}: {text[max(0, text.lower().index(word.lower()) - 200):][:400]}"


def quoted(secret):
    return urllib.parse.quote(secret, safe="")


REFUSED = {  # in doubt, or no address
    "TRIVET_POSTGRES": [f"postgresql://ann:{SECRETS[1]}@{NOWHERE}/books", f"postgresql://ann:{SECRETS[2]}@{NOWHERE}/books",
                        f"host=127.0.0.9 port=1 password = {SECRETS[7]}", f"postgresql://ann:{SECRETS[0]}/books"],
    "TRIVET_MONGO": [f"mongodb://ann:{SECRETS[1]}@{NOWHERE}/books", f"mongodb://ann:{SECRETS[6]}@{NOWHERE}/books",
                     f"mongodb://ann:{SECRETS[0]}"],
    "TRIVET_REDIS": [f"redis://:{SECRETS[2]}@{NOWHERE}/0", f"redis://ann:{SECRETS[0]}@{NOWHERE}/x", f"redis://ann:{SECRETS[0]}"]}
TAKEN = {
    "TRIVET_POSTGRES": [f"postgresql://ann:{quoted(SECRETS[1])}@{NOWHERE}/books",
                        f"host=127.0.0.9 port=1 dbname=books user=ann password = '{SECRETS[7]}' sslpassword={SECRETS[2]}",
                        f"postgresql://ann@{NOWHERE}/books?password={quoted(SECRETS[2])}"],
    "TRIVET_MONGO": [f"mongodb://ann:{quoted(SECRETS[2])}@{NOWHERE}/books"],
    "TRIVET_REDIS": [f"redis://ann:{quoted(SECRETS[1])}@{NOWHERE}/7", f"redis://:{SECRETS[5]}@{NOWHERE}/7"]}
COMMANDS = {"TRIVET_POSTGRES": [("trivet-etl", "schema"), ("trivet-train", "models"), ("trivet-train", "repair")],
            "TRIVET_MONGO": [("trivet-train", "repair")], "TRIVET_REDIS": [("trivet-train", "repair")]}


def words_of(done):
    return f"{done.returncode}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("setting", COMMANDS)
def test_no_command_says_a_password(run, fresh_stores, setting):
    run("trivet-etl", "schema", env=fresh_stores.env)
    for expected, addresses in ((2, REFUSED[setting]), (4, TAKEN[setting])):
        for address in addresses:
            for command in COMMANDS[setting]:
                done = run(*command, env={**fresh_stores.env, setting: address, "TRIVET_LOG": "debug"}, check=False)
                kept(words_of(done), (address, command))
                assert done.returncode == expected and setting in done.stderr, (address, words_of(done))
                if expected == 2:
                    assert "127.0.0.9" not in done.stderr, done.stderr
                else:  # whoever runs it is told where
                    assert f"does not answer ({NOWHERE}, database " in done.stderr, done.stderr


def test_the_server_refuses_an_address_in_doubt(run, fresh_stores):
    for setting, addresses in (*REFUSED.items(), ("TRIVET_READER", REFUSED["TRIVET_POSTGRES"])):
        for address in addresses:
            done = run("trivet-serve", "--listen", "127.0.0.1:0", env={**fresh_stores.env, setting: address}, check=False)
            assert done.returncode == 2 and setting in done.stderr, words_of(done)
            kept(words_of(done), address)


def test_a_word_of_the_command_line_is_not_repeated(run):
    uri = f"postgresql://ann:{SECRETS[0]}@{NOWHERE}/postgres"
    for words in (("trivet-train", "fit", uri), ("trivet-train", "fit", f"--postgress={uri}"), ("trivet-train", uri),
                  ("trivet-train", "fit", "--postgresx", uri), ("trivet-etl", "load", "a", uri), ("trivet-serve", uri),
                  ("trivet-train", "fit", f"--log={uri}x"), ("trivet-serve", "--postgres-uri", uri)):
        done = run(*words, check=False)
        assert done.returncode == 2
        if not words[-1].startswith("--log"):  # a value that is none of the choices is no address
            kept(words_of(done), words)


def test_what_a_store_repeats_of_a_login_is_not_told(run, fresh_stores, tmp_path):
    """A Redis that does not know AUTH repeats its arguments; MongoDB and a Redis with another password only refuse."""
    class Without(Redis):
        def command(self):
            return [*super().command(), *self.more]
    run("trivet-etl", "schema", env=fresh_stores.env)
    for more in (["--rename-command", "AUTH", ""], ["--requirepass", "another"], []):
        folder = tmp_path / (more[0].strip("-") if more else "plain")
        folder.mkdir()
        server = Without(folder)
        server.more = more
        server.answers = lambda s=server: s._talk(b"PING\r\n", 1) != b""
        server.start()
        try:
            for user in ("", "ann"):
                uri = f"redis://{user}:{quoted(SECRETS[1])}@127.0.0.1:{server.port}/0"
                done = run("trivet-train", "repair", env={**fresh_stores.env, "TRIVET_REDIS": uri, "TRIVET_LOG": "debug"}, check=False)
                assert done.returncode == 4 and "Redis refuses the login" in done.stderr, done.stderr
                kept(words_of(done), (more, user))
        finally:
            server.kill()
    uri = fresh_stores.mongo_uri.replace("//", f"//ann:{quoted(SECRETS[1])}@")
    done = run("trivet-train", "repair", env={**fresh_stores.env, "TRIVET_MONGO": uri, "TRIVET_LOG": "debug"}, check=False)
    assert done.returncode == 4 and "MongoDB refuses" in done.stderr, done.stderr
    kept(words_of(done), "MongoDB")


# --- over HTTP and in the journal -----------------------------------------------------------------------------


def walk(server):
    """(path, answer) of every address of the OpenAPI document and every page, as JSON and as a browser gets it."""
    values = {"{user}": "1", "{id}": "20", "{n}": "3", "{movie}": "20", "{item}": "20"}
    queries = {"/api/v1/recs": "?user_id=1", "/recs": "?user_id=1", "/api/v1/explain": "?user_id=1&movie_id=20",
               "/api/v1/predict": "?user_id=1&ids=20", "/api/v1/items": "?q=a", "/models/metrics": "?run=1",
               "/api/v1/items/{id}/similar": "?by=audience&exact=1",
               "/lab/sweep": "?x=max_items_for_user&x_values=20,50&y=max_row_number&y_values=100,200"}
    documented = server.get("/openapi.json").json()["paths"]
    paths = [(path, method) for path, methods in documented.items() for method in methods if method in ("get", "post", "put", "delete")]
    paths += [(path, "get") for path in ("/", "/recs", "/rate", "/similar", "/lab", "/models", "/surprise", "/recs?user_id=1&model=7")]
    for path, method in paths:
        target = path + queries.get(path, "")
        for name, value in values.items():
            target = target.replace(name, value)
        body = {"post": b'[{"movie_id": 20, "rating": 4}]', "put": b"4"}.get(method)
        for accept in ("application/json", "text/html"):
            yield f"{method} {target}", server.send(method.upper(), target, body, accept=accept, timeout=30)


def test_answers_name_no_address_and_no_password_and_the_log_no_password(programs, fresh_stores, tmp_path):
    env = {"TRIVET_READER": f"postgresql://ann:{quoted(SECRETS[1])}@{NOWHERE}/books",
           "TRIVET_POSTGRES": f"host=127.0.0.9 port=1 dbname=books user=ann password = {SECRETS[0]} sslpassword={SECRETS[0]}",
           "TRIVET_MONGO": f"mongodb://ann:{quoted(SECRETS[2])}@{NOWHERE}/books",
           "TRIVET_REDIS": f"redis://ann:{quoted(SECRETS[3])}@{NOWHERE}/0", "TRIVET_LOG": "debug"}
    server = Server(programs["trivet-serve"], fresh_stores, tmp_path, env).start()
    try:
        n = 0
        for what, answer in walk(server):
            said = answer.text + str(answer.headers)
            kept(said, what)
            for word in ("127.0.0.9", "books", "ann"):
                assert f"{word}" not in said.split() and "127.0.0.9" not in said, (what, said)
            n += answer.status == 503
        assert n > 20
    finally:
        server.stop()
    log = server.log()
    kept(log, "log")
    for store in ("MongoDB is away", "Redis is away", "the pages' PostgreSQL is away", "a rating was not taken"):
        line = next((line for line in log.splitlines() if store in line), "")
        assert "127.0.0.9:1" in line, (store, line, log[-2000:])  # whoever runs the server is told where


def test_answers_name_no_address_while_stores_die(run, serve, private_stores, ratings):  # noqa: F811
    run("trivet-etl", "load", ratings, env=private_stores.env)
    run(*FIT, env=private_stores.env)
    run("trivet-train", "similar", env=private_stores.env)
    server = serve(private_stores)
    stores = private_stores.redis, private_stores.mongo, private_stores.postgres
    ports = [str(store.port) for store in stores]

    def look():
        for what, answer in walk(server):
            said = answer.text.replace(f"127.0.0.1:{server.port}", "")
            assert "127.0.0.1" not in said, (what, said[:1000])
            found = [port for port in ports if re.search(rf"(?<![\d.]){port}(?!\d)", said)]  # a score may have its digits, too
            assert found == [], (what, said[:1000])
    look()
    for store in stores:
        store.kill()
        look()
        until(lambda: "does not answer" in server.get("/readyz").text)
        look()


def test_the_journal_keeps_no_password_and_no_address(run, fresh_stores, ratings):  # noqa: F811
    run("trivet-etl", "load", ratings, env=fresh_stores.env)
    flags = {"TRIVET_REDIS": ("--redis", f"redis://ann:{quoted(SECRETS[1])}@{NOWHERE}/0"),
             "TRIVET_MONGO": ("--mongo", f"mongodb://ann:{quoted(SECRETS[2])}@{NOWHERE}/?serverSelectionTimeoutMS=1")}
    for flag in flags.values():
        done = run(*FIT, *flag, env=fresh_stores.env, check=False)
        assert done.returncode == 4
        kept(words_of(done), flag)
    # And one that is away only when the run is in the journal already.
    run(*FIT, "--postgres", fresh_stores.postgres_uri + f"?sslpassword={quoted(SECRETS[1])}", env=fresh_stores.env)
    assert int(fresh_stores.psql("SELECT count(*) FROM trivet.run")) >= 1
    tables = fresh_stores.psql("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'trivet'").split()
    assert "trivet.run" in tables
    for table in tables:
        kept(fresh_stores.psql(f"SELECT t::text FROM {table} t"), table)
    dump = "\n".join(str(document) for name in fresh_stores.mongo_db().list_collection_names()
                     for document in fresh_stores.mongo_db()[name].find().limit(3))
    kept(dump, "MongoDB")
    kept(subprocess.run(["redis-cli", "-u", fresh_stores.redis_uri, "--scan"], capture_output=True, text=True).stdout, "Redis")
