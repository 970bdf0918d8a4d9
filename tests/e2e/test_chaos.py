"""Kills, stops and full disks of every process while eight clients rate, and others load, train, roll back and index: nothing
that was acknowledged is lost, and all that follows from ratings agrees with PostgreSQL. By hand, for any length:

    /usr/bin/python3 tests/e2e/chaos/run.py --seed 7 --seconds 600
"""

import random
import warnings

import pytest

from blobs import decode, encode
from chaos import compare, compare_ratings
from chaos.arena import Chaos
from chaos.run import run as run_chaos
from chaos.truth import Truth


@pytest.mark.parametrize("seed, seconds", [(7, 40), (None, 80)], ids=["fixed seed", "random seed"])
def test_chaos_leaves_no_difference(programs, seed, seconds):
    seed = random.randrange(1_000_000) if seed is None else seed
    told = []
    faults, folder = run_chaos(seed, seconds, programs, out=told.append)
    print(f"seed {seed}", *told, sep="\n")
    assert not faults, f"seed {seed}, {len(faults)} differences; logs in {folder}:\n" + "\n".join(faults[:20])
    if "NO FULL DISKS" in told[0]:
        warnings.warn(f"NOT TESTED: {told[0].splitlines()[-1]}")


# --- would it be seen? ----------------------------------------------------------------------------------------


def found(arena):
    """What a comparison says now."""
    arena.faults, truth = [], Truth(arena.place)
    compare_ratings.compare(arena.changes(), truth, arena.sets, arena.fault)
    compare.compare_once(arena, truth, "now", loads_too=True)
    return arena.faults


# What is done to PostgreSQL, how it is undone, and what the comparison says.
IN_POSTGRES = [
    ("UPDATE trivet.rating_live SET value = value + 0.25", "UPDATE trivet.rating_live SET value = value - 0.25", "but may be"),
    ("INSERT INTO trivet.rating_live (user_id, item_id, value) VALUES (77, 10, 5)", "DELETE FROM trivet.rating_live WHERE user_id = 77",
     "nobody gave"),
    ("INSERT INTO trivet.rating_live (user_id, item_id, value) SELECT user_id, item_id, value FROM trivet.rating "
     "WHERE load_id IS NOT NULL ORDER BY user_id, item_id LIMIT 1",
     "DELETE FROM trivet.rating_live v USING trivet.rating l WHERE l.load_id IS NOT NULL AND (l.user_id, l.item_id) = (v.user_id, v.item_id)",
     "stands in load"),
    ("UPDATE trivet.code SET code = code || '?' WHERE kind = 'user'", "UPDATE trivet.code SET code = rtrim(code, '?')",
     "nobody rated with it"),
    ("UPDATE trivet.user_change SET folded_rev = folded_rev - 1", "UPDATE trivet.user_change SET folded_rev = rev", "folded_rev"),
    ("UPDATE trivet.item_change SET counted_rev = 0", "UPDATE trivet.item_change SET counted_rev = rev", "counted_rev 0"),
    ("INSERT INTO trivet.run (state) VALUES ('building')", "DELETE FROM trivet.run WHERE state = 'building'", "still building"),
    ("CREATE TABLE trivet.rating_load_999 ()", "DROP TABLE trivet.rating_load_999", "tables of no load"),
    ("INSERT INTO trivet.similar_event (index_id, item_id, user_id) VALUES (999, 1, 1)",
     "DELETE FROM trivet.similar_event WHERE index_id = 999", "events of index 999"),
]
ELSEWHERE = ["are not the fold-in", "differs from one folded in anew", "has n ", "has a collection user_999", "the view user shows",
             "has a key b'trivet:model:{999}'"]


def damage_elsewhere(db, redis, user_id):
    """Returns how to undo it."""
    live = f"user_{int(redis.get('trivet:live'))}"
    catalogue = db.catalogue_1
    user, item = db[live].find_one({"_id": user_id}), catalogue.find_one({"n": {"$gt": 1}})
    value = decode(user["value"]).copy()
    value[0] += 1
    db[live].update_one({"_id": user["_id"]}, {"$set": {"value": encode(value)}})
    catalogue.update_one({"_id": item["_id"]}, {"$inc": {"n": -1}})
    db.create_collection("user_999")
    db.command("collMod", "user", viewOn="item", pipeline=[])
    redis.set("trivet:model:{999}", "what a pruned model left")

    def undo():
        db[live].replace_one({"_id": user["_id"]}, user)
        catalogue.replace_one({"_id": item["_id"]}, item)
        db.drop_collection("user_999")
        db.command("collMod", "user", viewOn=live, pipeline=[])
        redis.delete("trivet:model:{999}")
    return undo


def test_each_kind_of_difference_is_seen(programs):
    """A run to which nothing is done: all agrees; then everything is damaged, and each damage told."""
    arena = Chaos(1, 5, programs, calm=True)
    try:
        arena.prepare()
        arena.rage()
        compare.compare(arena)
        assert not arena.faults
        for server in ("serve-0", "serve-1"):
            arena.processes[server].pause()  # they would mend it
        nobody = "SELECT max(user_id) FROM trivet.rating WHERE user_id NOT IN (SELECT user_id FROM trivet.user_change)"
        undo = damage_elsewhere(arena.place.mongo_db(), arena.place.redis_client(), int(arena.place.psql(nobody)))
        for change, _, _ in IN_POSTGRES:
            arena.place.psql(change)
        faults = found(arena)
        assert [told for told in [*ELSEWHERE, *(told for _, _, told in IN_POSTGRES)] if not any(told in f for f in faults)] == []
        undo()
        for _, back, _ in reversed(IN_POSTGRES):
            arena.place.psql(back)
        for server in ("serve-0", "serve-1"):
            arena.processes[server].resume()
        compare.settle(arena)
        assert found(arena) == []
    finally:
        arena.end(keep=False)
