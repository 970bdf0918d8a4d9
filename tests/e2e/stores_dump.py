"""The three stores of a place as files, and back: what tests/fixtures keeps of older versions.

Postgres as SQL, MongoDB as extended JSON, Redis as types and bytes: forms that any later server reads. Ids of transactions,
which ratings and models are compared by, are those of the server that was dumped, so `restore` first brings its own beyond them.
"""

import base64
import gzip
import json
import re
import subprocess

from bson import json_util

SCHEMA_IS_OLDER = "UPDATE trivet.schema_version SET files = 'those of an older version'"


def write(path, text):
    """Without the time and the name, which gzip would keep: the same text is the same file."""
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def read(path):
    return gzip.decompress(path.read_bytes()).decode()


# --- Postgres -------------------------------------------------------------------------------------------------------------


def said(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def postgres_text(place):
    """Roles, which belong to the server and not to the database, and then the database."""
    roles = [line for line in said("pg_dumpall", "--roles-only", "-d", place.postgres_uri).splitlines() if "trivet_" in line]
    made = [re.sub(r"^CREATE ROLE (\w+);$", r"DO $$ BEGIN IF to_regrole('\1') IS NULL THEN CREATE ROLE \1; END IF; END $$;", line)
            for line in roles]
    last = place.psql("SELECT pg_current_xact_id()")
    return "\n".join([f"-- last transaction: {last}", *made, said("pg_dump", "-d", place.postgres_uri)])


def postgres_restore(place, text):
    last = re.match(r"-- last transaction: (\d+)\n", text)[1]
    place.psql(f"DO $$ BEGIN WHILE pg_current_xact_id() <= '{last}'::xid8 LOOP COMMIT; END LOOP; END $$")
    done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", place.postgres_uri], input=text, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    place.psql(SCHEMA_IS_OLDER)


# --- MongoDB --------------------------------------------------------------------------------------------------------------


def mongo_text(place):
    db, collections = place.mongo_db(), []
    for found in sorted(db.list_collections(), key=lambda c: (c["type"] == "view", c["name"])):
        name, view = found["name"], found["type"] == "view"
        if not name.startswith("system."):
            collections.append({"name": name, "options": found["options"],
                                "indexes": [] if view else [dict(index) for index in db[name].list_indexes()],
                                "documents": [] if view else list(db[name].find().sort("_id", 1))})
    return json_util.dumps(collections, json_options=json_util.CANONICAL_JSON_OPTIONS, indent=0)


def mongo_restore(place, text):
    db = place.mongo_db()
    for collection in json_util.loads(text, json_options=json_util.CANONICAL_JSON_OPTIONS):
        db.command("create", collection["name"], **collection["options"])
        indexes = [index for index in collection["indexes"] if index["name"] != "_id_"]
        if indexes:
            db.command("createIndexes", collection["name"], indexes=indexes)
        if collection["documents"]:
            db[collection["name"]].insert_many(collection["documents"])


# --- Redis ----------------------------------------------------------------------------------------------------------------


def plain(value):
    return base64.b64encode(value).decode()


def redis_text(place):
    redis, found = place.redis_client(), {}
    for key in sorted(redis.keys()):
        kind = redis.type(key).decode()
        assert kind in ("string", "hash") and redis.ttl(key) == -1, (key, kind)
        found[key.decode()] = (plain(redis.get(key)) if kind == "string" else
                               {field.decode(): plain(value) for field, value in sorted(redis.hgetall(key).items())})
    return json.dumps(found, indent=0)


def redis_restore(place, text):
    redis = place.redis_client()
    for key, value in json.loads(text).items():
        if isinstance(value, str):
            redis.set(key, base64.b64decode(value))
        else:
            redis.hset(key, mapping={field: base64.b64decode(text) for field, text in value.items()})


# --- all three ------------------------------------------------------------------------------------------------------------

STORES = {"postgres.sql.gz": (postgres_text, postgres_restore), "mongo.json.gz": (mongo_text, mongo_restore),
          "redis.json.gz": (redis_text, redis_restore)}


def dump(place, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (text, _) in STORES.items():
        write(folder / name, text(place))


def restore(folder, place):
    """Into an empty place. Its schema counts as one of other files, so that the next command brings it up to date."""
    for name, (_, back) in STORES.items():
        back(place, read(folder / name))
