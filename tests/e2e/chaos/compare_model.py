"""A model against PostgreSQL: every document a fold-in, bit for bit, computed here in numpy where the model is an SVD and
anew by trivet in an empty place whatever it is; the item side the same in both stores; counts those of the ratings."""

import json

import numpy as np

from blobs import decode

BLOBS = ("value", "seen", "rated", "ratings")


class Model:
    """The item side of a model, as Redis and MongoDB have it."""

    def __init__(self, place, number, fault):
        self.number, self.redis, self.mongo = number, place.redis_client(), place.mongo_db()
        key = b"trivet:model:{%d}" % number
        self.hash = {k.decode(): v.decode() for k, v in self.redis.hgetall(key).items()}
        self.keys = {key} | {key + b":item_factors:%d" % p for p in range(int(self.hash.get("parts", 0)))} | \
            {key + b":item_ids:%d" % p for p in range(int(self.hash.get("parts", 0)))}
        if self.hash.get("algorithm") == "svd":
            self.keys.add(key + b":singular_values")
        missing = [k for k in self.keys if not self.redis.exists(k)]
        if "parts" not in self.hash or missing:
            fault(f"model {number} is not whole in Redis: {self.hash.get('parts')} parts, without {missing}")
            self.whole = False
            return
        parts = range(int(self.hash["parts"]))
        self.factors = np.concatenate([decode(self.redis.get(key + b":item_factors:%d" % p)) for p in parts])
        self.ids = np.concatenate([decode(self.redis.get(key + b":item_ids:%d" % p)) for p in parts])
        sigma = self.redis.get(key + b":singular_values")
        self.sigma = decode(sigma) if sigma else np.zeros(0)
        self.whole = self._checksum(fault) and self._in_mongo(fault)

    def _checksum(self, fault):
        solved_with = [float(self.hash.get(name, 0)) for name in ("lambda", "alpha", "biases")]
        numbers = self.sigma if len(self.sigma) else np.array(solved_with)
        h = 0xCBF29CE484222325
        for byte in self.ids.tobytes() + self.factors.tobytes() + numbers.tobytes():
            h = (h ^ byte) * 0x100000001B3 % 2**64
        if f"{h:016x}" != self.hash["checksum"]:
            fault(f"model {self.number} has the checksum {h:016x} in Redis, and says {self.hash['checksum']}")
        return f"{h:016x}" == self.hash["checksum"]

    def _in_mongo(self, fault):
        there = {d["_id"]: d for d in self.mongo[f"model_{self.number}"].find()}
        parts = [there[name] for name in sorted(n for n in there if n.startswith("items:"))]
        ok = bool(parts) and "description" in there
        ok = ok and np.array_equal(np.concatenate([decode(p["item_ids"]) for p in parts]), self.ids)
        ok = ok and np.concatenate([decode(p["item_factors"]) for p in parts]).tobytes() == self.factors.tobytes()
        if not ok:
            fault(f"model {self.number} has another item side in MongoDB than in Redis, or none: {sorted(there)}")
        return ok

    def fold_in(self, rated):
        """As include/trivet/core/fold_in.h says for the SVD."""
        sums, wide = np.zeros(self.factors.shape[1]), self.factors.astype("f8")
        for item, value in rated.items():
            at = np.searchsorted(self.ids, item)
            if at < len(self.ids) and self.ids[at] == item:
                sums += np.float64(value) * wide[at]
        power = -2 * float(self.hash["sigma_power"])
        return (sums * (1 / self.sigma if power == -1 else self.sigma.astype("f8") ** power)).astype("f2")


def documents(model, truth, of_today, fault):
    """The documents of those users in `of_today` (None: of all), whose ratings the model has seen as they are now."""
    run = truth.run(model.number)
    evidence = truth.evidence(run)
    there = {d["_id"]: d for d in model.mongo[f"user_{model.number}"].find()}
    for user in sorted(set(there) | set(evidence)):
        if of_today is None or user in of_today:
            _document(model, truth, user, there.get(user), evidence.get(user, {}), fault)
    learned = sorted(d["id"] for d in there.values() if d["id"] is not None)
    if learned != list(range(int(model.hash["learned"]))):
        fault(f"model {model.number} learned from {model.hash['learned']} users, but {len(learned)} documents have a row")


def _document(model, truth, user, there, rated, fault):
    what = f"user {user} ({truth.names.get(('user', user), 'a number')}) of model {model.number}"
    if there is None:
        if rated:
            fault(f"{what} has {len(rated)} ratings and no document; user_change {truth.users.get(user)}")
        return
    if user in truth.users and there["rev"] != truth.users[user][0] and rated:
        fault(f"the document of {what} has rev {there['rev']}, PostgreSQL (rev, folded) {truth.users[user]}")
    ids, values = decode(there["rated"]).tolist(), decode(there["ratings"])
    if ids != list(rated) or values.tobytes() != np.array(list(rated.values()), "f4").tobytes() or there["n"] != len(rated):
        differ = sorted(set(ids) ^ set(rated)) or [(i, float(v), float(rated[i])) for i, v in zip(ids, values) if v != rated[i]]
        fault(f"the document of {what}, rev {there['rev']}, is not of the {len(rated)} ratings that PostgreSQL has: "
              f"{differ[:5]}; user_change {truth.users.get(user)}")
        return
    if there.get("code") != truth.names.get(("user", user)):
        fault(f"the document of {what} has the code {there.get('code')}")
    if decode(there["seen"]).tolist() != [int(np.searchsorted(model.ids, i)) for i in ids if i in model.ids]:
        fault(f"the document of {what} has seen other items than its ratings tell")
    if model.hash["algorithm"] == "svd" and decode(there["value"]).tobytes() != model.fold_in(rated).tobytes():
        fault(f"the factors of {what} are not the fold-in of the ratings")


def counts(place, truth, items_of_today, fault):
    """`n` and `mean` of item documents; those of `items_of_today` alone, or all of them where it is None."""
    truly = truth.item_counts()
    documents = {d["_id"]: d for d in place.mongo_db().item.find()}
    for item, d in documents.items():
        n, mean = truly.get(item, (0, None))
        if items_of_today is not None and item not in items_of_today:
            continue
        if d["n"] != n or (d["mean"] is None) != (mean is None) or mean is not None and abs(d["mean"] - mean) > 1e-9:
            fault(f"item {item} has n {d['n']} and mean {d['mean']} in MongoDB, PostgreSQL {n} and {mean}; item_change {truth.items.get(item)}")
    for item in truly:
        if items_of_today is None and item not in documents:
            fault(f"item {item} has {truly[item][0]} ratings and no document; item_change {truth.items.get(item)}")


def anew(arena, number, fault):
    """All users of a model folded in by trivet itself, in a place that has the item side, the ratings and no document."""
    place, fresh = arena.place, arena.fresh_place()
    from_db, to_db = place.mongo_db(), fresh.mongo_db()
    for name in (f"model_{number}", place.catalogue().name):
        to_db[name].insert_many(from_db[name].find())
    to_db.create_collection(f"user_{number}")
    fresh.psql(f"DELETE FROM trivet.run WHERE id <> {number}; UPDATE trivet.run SET state = 'live' WHERE id = {number};"
               "DELETE FROM trivet.similar_event; DELETE FROM trivet.similar_index;"
               "INSERT INTO trivet.user_change (user_id, rev, xid) SELECT DISTINCT user_id, 1, '3'::xid8 FROM trivet.rating "
               "ON CONFLICT (user_id) DO UPDATE SET folded_rev = 0")
    arena.must("trivet-train", "repair", place=fresh)
    there, again = ({d["_id"]: d for d in db[f"user_{number}"].find()} for db in (from_db, to_db))
    for user, d in there.items():
        other = again.get(user)
        if other is None:
            if d["n"]:
                fault(f"user {user} of model {number} has a document of {d['n']} ratings, and none when folded in anew")
        elif any(d[blob] != other[blob] for blob in BLOBS) or d.get("code") != other.get("code"):
            names = [blob for blob in (*BLOBS, "code") if d.get(blob) != other.get(blob)]
            fault(f"the document of user {user} of model {number} differs from one folded in anew in {names}")


def description(model, truth, fault):
    told = json.loads(model.hash["description"])
    if told["algorithm"] != truth.run(model.number).algorithm:
        fault(f"model {model.number} calls itself {told['algorithm']}, the journal {truth.run(model.number).algorithm}")
