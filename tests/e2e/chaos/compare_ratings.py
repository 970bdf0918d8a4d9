"""Every rating that was acknowledged stands in PostgreSQL, every refused one does not, and each row of a load is its file's."""

import collections

from chaos.journal import Outcome, possible

SHOWN_WITHIN = 1.0  # seconds from trivet.load.finished_at to the commit


def compare(changes, truth, sets, fault):
    of_pair = collections.defaultdict(list)
    for c in changes:
        for item in c.values:
            of_pair[c.user, item].append(c)
    numbers = _pairs_as_numbers(of_pair, truth, fault)
    _live_rows(numbers, of_pair, truth, fault)
    _loaded_rows(numbers, of_pair, truth, sets, fault)
    for pair, its in of_pair.items():
        _pair(pair, its, truth, fault)
    _codes(changes, truth, sets, fault)
    _revisions(changes, truth, fault)


def _pairs_as_numbers(of_pair, truth, fault):
    """{(user id, item id): (user, item)} of the pairs that somebody changed."""
    out = {}
    for user, item in of_pair:
        ids = truth.number("user", user), truth.number("item", item)
        if None not in ids:
            out[ids] = user, item
    return out


def _tell(its):
    return "; ".join(f"{c.sent:.3f}..{c.done:.3f} {c.outcome.value} {c.status}" for c in its[-6:])


def _live_rows(numbers, of_pair, truth, fault):
    for ids, values in truth.live.items():
        pair = numbers.get(ids)
        if len(values) > 1:
            fault(f"pair {ids} {pair} stands {len(values)} times among the live ratings: {values}")
        if pair is None or all(c.outcome is Outcome.REFUSED for c in of_pair[pair]):
            fault(f"pair {ids} {pair} has a live rating that nobody gave: {values}")
        for load, rows in truth.loaded.items():
            if ids in rows:
                fault(f"pair {ids} {pair} is rated live ({values}), and stands in load {load}, too ({rows[ids]}): {_tell(of_pair.get(pair, []))}")


def _loaded_rows(numbers, of_pair, truth, sets, fault):
    if sorted(truth.loaded) != sorted(load.id for load in truth.complete if truth.loaded.get(load.id)):
        fault(f"rows of loads {sorted(truth.loaded)}, but complete are {[load.id for load in truth.complete]}")
    for load in truth.complete:
        rows, file = truth.loaded[load.id], {}
        for (user, item), values in sets[load.name].rows.items():
            file[truth.number("user", user), truth.number("item", item)] = values
        for ids in set(rows) - set(file):
            fault(f"load {load.id} has a row of {ids}, which its file {load.name} has not")
        for ids, values in file.items():
            _loaded_pair(ids, sorted(values), sorted(rows.get(ids, [])), load, of_pair.get(numbers.get(ids), []), fault)


def _loaded_pair(ids, expected, there, load, its, fault):
    if there and there != expected:
        fault(f"pair {ids} of load {load.id} holds {there}, its file {expected}")
    done = [c for c in its if c.outcome is not Outcome.REFUSED]
    if not there and all(c.outcome is Outcome.TAKEN and c.done < load.started and list(c.values.values()) == [None]
                         for c in done[-1:]):
        fault(f"pair {ids} of load {load.id} is lost: {_tell(its)}")


def _pair(pair, its, truth, fault):
    """What a pair holds is what was acknowledged last, or what may have come after that. A rating that was taken back
    may have come again with a load."""
    user, item = pair
    ids = truth.number("user", user), truth.number("item", item)
    live = truth.live.get(ids, []) if None not in ids else []
    loaded = [(load, truth.loaded[load.id][ids]) for load in truth.complete if ids in truth.loaded[load.id]]
    held = live[0] if live else None
    may = possible(its, item)
    values = [value for value, _ in may]
    if live:
        if held not in values:
            fault(f"pair {pair} {ids} holds {held}, but may be {values}: {_tell(its)}")
        return
    for value, c in may:
        if value is None and all(c is None or c.sent < load.finished + SHOWN_WITHIN for load, _ in loaded):
            return
    fault(f"pair {pair} {ids} holds no live rating, and {[(load.id, rows) for load, rows in loaded]}, but may be {values}: {_tell(its)}")


def _codes(changes, truth, sets, fault):
    """A code leads to its ratings as soon as one was taken, and is not there where all were refused."""
    from_files = {("user", user) for s in sets.values() for user, _ in s.rows} | {("item", item) for s in sets.values() for _, item in s.rows}
    rated = {c.user for c in changes if c.outcome is not Outcome.REFUSED}
    for c in changes:
        if c.outcome is Outcome.TAKEN and c.status != 404 and truth.number("user", c.user) is None:
            fault(f"the code {c.user} is not in the dictionary, but its rating was taken: {_tell([c])}")
    for kind, code in truth.codes:
        if (kind, code) not in from_files and not (kind == "user" and code in rated):
            fault(f"the {kind} code {code} is in the dictionary, but nobody rated with it")
    known = set(truth.names)
    for user, item in list(truth.live) + [pair for rows in truth.loaded.values() for pair in rows]:
        for kind, number in (("user", user), ("item", item)):
            if number >= 8_000_000_000_000_000 and (kind, number) not in known:
                fault(f"no code leads to {kind} {number}, which has ratings")
                known.add((kind, number))


def _revisions(changes, truth, fault):
    """A user's changes are counted, and no number is given twice for what came one after the other."""
    last = {}
    for c in changes:
        if c.rev:
            number = truth.number("user", c.user)
            if c.rev > truth.users.get(number, (0, 0))[0]:
                fault(f"user {c.user} was told rev {c.rev}, but {truth.users.get(number)} stands there")
            before = last.get(c.user)
            if before and before.done < c.sent and c.rev < before.rev:
                fault(f"user {c.user} was told rev {before.rev}, then {c.rev}")
            last[c.user] = c
