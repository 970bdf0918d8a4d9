"""Models are the same bytes as those that tests/golden/models.json was made of: item factors, user documents, item lists, answers.

For work that must not change a number. After a change that is meant to change one, TRIVET_GOLDEN=write makes the file anew;
what differs is then seen in the commit. LAPACK's last bits depend on the processor, so OpenBLAS is told which kernels to take,
ones that every x86-64 has.
"""

import hashlib
import json
import os
import platform

import pymongo
import pytest
import redis
from stores import REPO

FILE = REPO / "tests/golden/models.json"
WRITE = os.environ.get("TRIVET_GOLDEN") == "write"
FITS = {"svd": [], "als": ["--algorithm", "als"], "als-implicit": ["--algorithm", "als-implicit"]}
USERS = (1, 2, 13, 50, 100, 276, 405, 655, 800, 943)
SAME_KERNELS = {"OPENBLAS_CORETYPE": "Prescott"}

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the golden values were made on x86-64")


def digest(parts):
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "little") + part)
    return total.hexdigest()


def plain(value):
    """As JSON that is the same for the same document: bytes in hex, fields in the order of their names."""
    return json.dumps(value, sort_keys=True, default=lambda x: x.hex()).encode()


def documents(collection, leave_out=()):
    return digest(plain({k: v for k, v in d.items() if k not in leave_out}) for d in collection.find().sort("_id", 1))


def answers(server):
    """The bodies of /recs and of the newer API, without the number of the model and the time it was made."""
    paths = [f"/recs?user_id={user}&top=20" for user in USERS] + [f"/api/v1/recs?user_id={user}&top=20&genre=Drama" for user in USERS]
    bodies = []
    for path in paths:
        answer = server.get(path, accept="application/json")
        assert answer.status == 200, (path, answer.text)
        bodies.append(answer.body)
    return digest(bodies)


def made(place, server, number):
    """The checksums of model `number`, which is live."""
    recsys = pymongo.MongoClient(place.mongo_uri).get_default_database()
    blobs = redis.Redis.from_url(place.redis_uri)
    keys = sorted(k for k in blobs.keys(f"trivet:model:{{{number}}}*") if blobs.type(k) == b"string")
    assert keys
    return {"item factors in Redis": digest(part for key in keys for part in (key.replace(str(number).encode(), b"N"), blobs.get(key))),
            "item factors in MongoDB": digest(plain(d) for d in recsys[f"model_{number}"].find({"_id": {"$ne": "description"}}).sort("_id", 1)),
            "user documents": documents(recsys[f"user_{number}"]),
            "item documents": documents(recsys["item"]),
            "answers": answers(server)}


def test_models_are_the_golden_ones(run, serve, fresh_stores, movielens_100k):
    """MovieLens 100K, each algorithm at its defaults."""
    environment = {**fresh_stores.env, **SAME_KERNELS}
    run("trivet-etl", "load", movielens_100k, env=environment)
    found = {}
    for number, (algorithm, flags) in enumerate(FITS.items(), 1):
        run("trivet-train", "fit", *flags, env=environment)
        found[algorithm] = made(fresh_stores, serve(fresh_stores), number)
    if WRITE:
        FILE.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(FILE.read_text())
