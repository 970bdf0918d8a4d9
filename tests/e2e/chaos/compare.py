"""The end of a run: what it left, every model that is kept made live in turn, and all once more after a load, a training and a
build that nobody disturbed."""

import time

from chaos import compare_answers, compare_model, compare_ratings, compare_state
from chaos.journal import Outcome
from chaos.truth import Truth

SETTLES_WITHIN = 40
MARGIN = 2.0  # seconds between a clock here and one there


def compare(arena):
    compare_state.postgres_log(arena.postgres.log(), arena.fault)
    arena.must("trivet-train", "repair")
    settle(arena)
    truth, changes = Truth(arena.place), arena.changes()
    compare_ratings.compare(changes, truth, arena.sets, arena.fault)
    compare_once(arena, truth, "what was left")
    _server_answers(arena, changes)
    if "repair: " in (told := arena.must("trivet-train", "repair")):
        arena.fault(f"repair finds something to do a second time: {told}")
    for run in truth.runs:
        if run.state == "kept":
            arena.must("trivet-train", "activate", run.id)
            settle(arena)
            compare_once(arena, Truth(arena.place), f"model {run.id} made live")
    _in_peace(arena, changes)


def _in_peace(arena, changes):
    arena.must("trivet-etl", "load", "--append", "--ids", "codes", arena.sets["more-3"].folder)
    arena.must("trivet-train", "fit", "--factors", "6", "--set", "max_items_for_user=1000")
    arena.must("trivet-train", "similar")
    settle(arena)
    truth = Truth(arena.place)
    compare_ratings.compare(changes, truth, arena.sets, arena.fault)
    compare_once(arena, truth, "after a training in peace", loads_too=True)
    compare_state.program_logs(arena.logs(), arena.fault)


def settle(arena):
    """The queues are empty: servers, which are there, have worked them off. Said if they do not."""
    def waiting():
        return arena.place.psql("SELECT (SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev), "
                                "(SELECT count(*) FROM trivet.item_change WHERE rev > counted_rev), "
                                "(SELECT count(*) FROM trivet.similar_event e JOIN trivet.similar_index i ON i.id = e.index_id "
                                "WHERE i.state = 'live' AND e.applied_at IS NULL)")
    deadline = time.monotonic() + SETTLES_WITHIN
    while (left := waiting()) != "0|0|0":
        if time.monotonic() > deadline:
            return arena.fault(f"users, items and events that wait after {SETTLES_WITHIN} s of peace: {left}")
        time.sleep(0.2)


def compare_once(arena, truth, when, loads_too=False):
    def fault(text):
        arena.fault(f"{when}: {text}")
    place = arena.place
    live = compare_state.journal(truth, fault)
    compare_state.queues(truth, fault)
    compare_state.mongo(place, truth, live, fault)
    models = [compare_model.Model(place, run.id, fault) for run in truth.runs if run.state in ("kept", "live")]
    compare_state.redis(place, models, live, fault)
    compare_state.tables(truth, fault, loads_too)
    if compare_state.similar(place, truth, fault) > truth.last_load:
        code, text = arena.program("trivet-train", "similar", "--check")
        if code != 0:
            fault(f"similar --check: {text}")
    for model in models:
        if model.number == live and model.whole:
            _live_model(arena, model, truth, fault)


def _live_model(arena, model, truth, fault):
    """A load shows in documents with the next training, or with the user's next rating; in counts likewise."""
    compare_model.description(model, truth, fault)
    learned_after_loads = truth.run(model.number).started > truth.last_load
    compare_model.documents(model, truth, None if learned_after_loads else _since_load(arena, truth, "user"), fault)
    newest = max((r.started for r in truth.runs if r.went_live), default=0)
    compare_model.counts(arena.place, truth, None if newest > truth.last_load else _since_load(arena, truth, "item"), fault)
    if learned_after_loads:
        compare_model.anew(arena, model.number, fault)


def _since_load(arena, truth, kind):
    """Users, or items, with a rating that was taken, and changed something, after the last load was shown."""
    taken = [c for c in arena.changes() if c.outcome is Outcome.TAKEN and c.rev and c.sent > truth.last_load + MARGIN
             and '"changed":0' not in c.text and c.status != 404]
    names = {c.user for c in taken} if kind == "user" else {item for c in taken for item in c.values}
    return {truth.number(kind, name) for name in names}


def _server_answers(arena, changes):
    (folder := arena.folder / "fresh-server").mkdir()
    arena.processes["fresh"] = fresh = arena.server(folder).start()
    users = list(dict.fromkeys(c.user for c in reversed(changes)))[:50]
    for name in ("serve-0", "serve-1"):
        compare_answers.compare(arena.processes[name], fresh, users, arena.fault)
    fresh.stop()
