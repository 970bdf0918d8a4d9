"""What the stores of a place show, by views, functions, documents and answers of a server, for each model that is kept: the same
walk through an older version's stores before an upgrade (tests/fixtures) and after it.

Nothing here names a table that holds ratings or items, nor a collection that a version may lay out otherwise.
"""

import json
import re
import struct
import subprocess
import urllib.parse

from bson import json_util

from server import Server, clean_environment

# Folding in and answers have the same bits on any processor with these kernels.
SAME_KERNELS = {"OPENBLAS_CORETYPE": "Prescott", "TRIVET_THREADS": "1"}

# What no two answers have in common, and what goes with the walk itself: ages, times of going live, which models are in memory.
VOLATILE = {"age_seconds", "elapsed_ms", "live_at", "loaded", "stores"}
TITLE = re.compile(r"(?:The|Series) \w+ of \w+ Street \d+")  # those of make_stores.py

# What people see in SQL. Times at which a model went live change on the walk itself.
ROWS = {
    "ratings": "SELECT * FROM public.ratings ORDER BY 1, 2, 3, 4",
    "movies": "SELECT * FROM public.movies ORDER BY 1",
    "links": "SELECT * FROM public.links ORDER BY 1",
    "tags": "SELECT * FROM public.tags ORDER BY 1, 2, 3",
    "numbers": "SELECT user_id, item_id, value, rated_at, load_id, trivet.user_code(user_id) AS user, "
               "trivet.item_code(item_id) AS item FROM trivet.rating ORDER BY 1, 2, 3, 5",
    "items": "SELECT * FROM trivet.item ORDER BY 1",
    "learned from": "SELECT * FROM trivet.user_item(min_users_for_item => 2) ORDER BY 1, 2",
    "loads": "SELECT * FROM trivet.load ORDER BY id",
    "rejects": "SELECT * FROM trivet.reject ORDER BY 1, 2, 3",
    "journal": "SELECT to_jsonb(r) - '{live_at,state}'::text[] AS run FROM trivet.run r ORDER BY id",
    "presets": "SELECT * FROM trivet.preset ORDER BY 1",
    "searches": "SELECT * FROM trivet.search ORDER BY 1",
    "trials": "SELECT * FROM trivet.search_result ORDER BY 1, 2",
    "lists": "SELECT * FROM trivet.recommendation ORDER BY 1, 2, 3",
    "indexes": "SELECT to_jsonb(i) - 'changes' AS index FROM trivet.similar_index i ORDER BY id",
}


def rows(place, query):
    return json.loads(place.psql(f"SET timezone = 'UTC'; SELECT coalesce(json_agg(to_json(t)), '[]') FROM ({query}) t"))


def documents(collection):
    found = collection.find().sort("_id", 1)
    return json.loads(json_util.dumps(found, json_options=json_util.CANONICAL_JSON_OPTIONS))


def ids(place, kind):
    """Ids as addresses have them: codes where there are codes."""
    found = rows(place, f"SELECT DISTINCT coalesce(trivet.{kind}_code({kind}_id)::text, {kind}_id::text) AS id FROM trivet.rating ORDER BY 1")
    return [row["id"] for row in found]


def addresses(users, items):
    """What the server is asked."""
    users, items = users[::7] + users[-1:], items[::9] + items[-1:]
    yield from ("/readyz", "/api/v1/models", "/models/journal", "/models/metrics?run=2", "/lab/funnel", "/lab/presets")
    for user in map(urllib.parse.quote_plus, users):
        yield f"/api/v1/recs?user_id={user}&top=20"
        yield f"/api/v1/recs?user_id={user}&top=5&genre=Drama&min_count=10"
        yield f"/api/v1/predict?user_id={user}&ids={urllib.parse.quote_plus(items[1])}"
        yield f"/api/v1/explain?user_id={user}&movie_id={urllib.parse.quote_plus(items[0])}"
    for user in (urllib.parse.quote(user, safe="") for user in users):
        yield f"/api/v1/users/{user}"
        yield f"/{user}/ratings/top/5?min_count=5"
    for item in (urllib.parse.quote(item, safe="") for item in items):
        yield f"/api/v1/items/{item}"
        yield f"/api/v1/items/{item}/similar?top=10&by=factors"
        yield f"/api/v1/items/{item}/similar?top=10&by=audience"
    yield "/api/v1/items?q=lamp"
    yield "/api/v1/recs?user_id=nobody-at-all"
    yield f"/recs?user_id={urllib.parse.quote_plus(users[1])}"
    yield f"/similar?item={urllib.parse.quote_plus(items[1])}"


def lasting(value):
    if isinstance(value, dict):
        return {key: lasting(inner) for key, inner in value.items() if key not in VOLATILE}
    return [lasting(inner) for inner in value] if isinstance(value, list) else value


def answers(server, asked):
    """{address: [status, JSON]}; of a page the titles in it, in order."""
    found = {}
    for address in asked:
        page = address.startswith(("/recs", "/similar"))
        answer = server.get(address, accept="text/html" if page else "application/json")
        found[address] = [answer.status, list(dict.fromkeys(TITLE.findall(answer.text))) if page else lasting(answer.json())]
    found.get("/readyz", [0, {}])[1].pop("ratings", None)  # not there until Postgres was asked
    return found


class Walk:
    """One build on one place. `folder` is for logs."""

    def __init__(self, programs, place, folder):
        self.programs, self.place, self.folder = programs, place, folder

    def run(self, program, *args, check=True):
        done = subprocess.run([str(self.programs[program]), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              cwd=self.folder, timeout=120, env={**clean_environment(), **self.place.env, **SAME_KERNELS})
        assert not check or done.returncode == 0, (args, done.stdout, done.stderr)
        return done

    def served(self, ask):
        """What `ask` gets of a server that has just been started."""
        server = Server(self.programs["trivet-serve"], self.place, self.folder, SAME_KERNELS).start()
        try:
            return ask(server)
        finally:
            server.stop()

    def of_model(self):
        """What belongs to the model that is live."""
        users, items = ids(self.place, "user"), ids(self.place, "item")
        db = self.place.mongo_db()
        return {"states": rows(self.place, "SELECT id, state FROM trivet.run ORDER BY 1"), "items": documents(db.item),
                "users": documents(db.user), "answers": self.served(lambda server: answers(server, addresses(users, items)))}

    def settle(self):
        """Ratings that wait are folded in, and those that the index of similar items has not heard of reach it."""
        self.run("trivet-train", "repair")
        self.run("trivet-train", "similar", "--update", check=False)

    def rows(self):
        return {name: rows(self.place, query) for name, query in ROWS.items()}

    def whole(self):
        """Everything, {step: {what: how it is}}: as it is, with each kept model activated, and rolled back."""
        self.settle()
        found = {"rows": self.rows(), "live": self.of_model()}
        kept = [row["id"] for row in rows(self.place, "SELECT id FROM trivet.run WHERE state IN ('kept', 'live') ORDER BY 1")]
        for model in kept:
            self.run("trivet-train", "activate", model)
            found[f"activate {model}"] = self.of_model()
        self.run("trivet-train", "rollback")
        found["rollback"] = self.of_model()
        return found


def is_its_float(before, after):
    """Whether `after` is the fewest digits that lead to the float of 32 bits that is nearest to `before`."""
    return struct.pack("f", before) == struct.pack("f", after) and len(repr(after)) <= 10


def lacking(before, after, where=""):
    """Where `after` does not say what `before` said, as sentences. It may say more: a later version has fields that are new."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [line for key, value in before.items()
                for line in (lacking(value, after[key], f"{where} / {key}") if key in after else [f"{where}: {key} is gone"])]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [line for n, (old, new) in enumerate(zip(before, after)) for line in lacking(old, new, f"{where} [{n}]")]
    if isinstance(before, float) and isinstance(after, float):
        return [] if before == after or is_its_float(before, after) else [f"{where}: {before} became {after}"]  # a mean, told as a double by 0.1.0
    return [] if type(before) is type(after) and before == after else [f"{where}: {str(before)[:200]} became {str(after)[:200]}"]
