"""Journal, queues, views, keys, collections and tables: nothing under way, nothing left behind, and one word on what is live."""

import re

import numpy as np

from blobs import decode


# What PostgreSQL may refuse here: for want of disk, because somebody has waited long enough, and whose client was killed.
REFUSALS = re.compile("No space left|could not extend file|could not write|canceling statement|could not obtain lock|terminat|load was given up|unexpected EOF on client")


def postgres_log(text, fault):
    """A deadlock, a broken constraint, a name that is not there: nothing that happens here excuses those."""
    for line in text.splitlines():
        if "ERROR:" in line and not REFUSALS.search(line):
            fault(f"PostgreSQL says {line.split('ERROR:')[1].strip()}")


def program_logs(texts, fault):
    """What no program says, whatever happens to it."""
    for name, text in texts.items():
        for word in ("(null)", "Sanitizer", "runtime error", "out of memory", "assert"):
            for line in text.splitlines():
                if word in line:
                    fault(f"{name}: {line}")


def journal(truth, fault):
    for run in truth.runs:
        if run.state in ("building", "activating"):
            fault(f"run {run.id} is still {run.state}")
    live = [run.id for run in truth.runs if run.state == "live"]
    if len(live) != 1:
        fault(f"the journal says that {live} are live")
    return live[0] if live else 0


def queues(truth, fault):
    for user, (rev, folded) in truth.users.items():
        if folded != rev:
            fault(f"user {user} waits: rev {rev}, folded_rev {folded}")
    for item, (rev, counted) in truth.items.items():
        if counted != rev:
            fault(f"item {item} waits: rev {rev}, counted_rev {counted}")


def mongo(place, truth, live, fault):
    db = place.mongo_db()
    kept = [run.id for run in truth.runs if run.state in ("kept", "live")]
    expected = {"item", "user", "system.views", place.catalogue().name} | {f"{kind}_{n}" for kind in ("user", "model") for n in kept}
    names = set(db.list_collection_names())
    for name in sorted(names - expected):
        fault(f"MongoDB has a collection {name}, which belongs to no model that is kept ({kept})")
    for name in sorted(expected - names):
        fault(f"MongoDB has no {name}; kept are {kept}, live is {live}")
    on = [c["options"].get("viewOn") for c in db.list_collections(filter={"name": "user"})]
    if on != [f"user_{live}"]:
        fault(f"the view user shows {on}, live is {live}")
    kinds = db.item.distinct("score_kind")
    description = db[f"model_{live}"].find_one({"_id": "description"}) or {}
    if kinds != [description.get("score")]:
        fault(f"item documents call a score {kinds}, the live model {description.get('score')}")


def redis(place, models, live, fault):
    client = place.redis_client()
    if client.get("trivet:live") != str(live).encode():
        fault(f"Redis says {client.get('trivet:live')} is live, the journal {live}")
    expected = {b"trivet:live", b"trivet:last_run", b"item_factors"}.union(*(m.keys for m in models))
    for key in client.scan_iter(count=1000):
        if key not in expected and not key.startswith(b"trivet:similar:"):
            fault(f"Redis has a key {key}, which belongs to no model that is kept")
    alias = client.get("item_factors")
    shown = [m for m in models if m.number == live and m.whole]
    if shown and (alias is None or not np.array_equal(decode(alias), shown[0].factors.T)):
        fault("item_factors in Redis is not that of the live model")


def tables(truth, fault, loads_too):
    """`loads_too`: a load was run since the last one that was killed, and has swept up."""
    attached = {f"rating_load_{load.id}" for load in truth.complete}
    if not attached <= set(truth.partitions):
        fault(f"loads without a table: {attached - set(truth.partitions)}")
    if loads_too and attached != set(truth.partitions):
        fault(f"tables of no load: {set(truth.partitions) - attached}")
    if loads_too and any(load.state == "loading" for load in truth.loads):
        fault("a load is still called loading")


def similar(place, truth, fault):
    """Returns when the live index was begun, 0 without one."""
    client = place.redis_client()
    live = client.get("trivet:similar:live")
    number = int(live) if live else 0
    states = [(i, state) for i, state, _ in truth.indexes if state in ("building", "live")]
    if states != ([(number, "live")] if number else []):
        fault(f"Redis serves index {number} of similar items, the journal says {states}")
    for key in client.scan_iter("trivet:similar:*", count=1000):
        found = re.match(rb"trivet:similar:\{(\d+)\}", key)
        if found and int(found[1]) != number:
            fault(f"Redis has {key} of an index of similar items that is not live ({number})")
            break
    for index, waits, n in truth.events:
        if index != number or waits:
            fault(f"{n} events of index {index} of similar items {'wait' if waits else 'are kept'}, live is {number}")
    return next((began for i, _, began in truth.indexes if i == number), 0)
