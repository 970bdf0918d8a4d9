"""When what is done to whom: a function of the seed and of how long it shall last."""

import dataclasses
import random

QUIET_SHARE = 0.55  # of the time; after that nothing is loaded, so that models and index can be held against all rows


@dataclasses.dataclass
class Event:
    at: float       # seconds since the beginning
    action: str     # kill, stop (orderly), freeze (SIGSTOP for `seconds`), fill (its disk), backend (one of PostgreSQL's)
    seconds: float  # how long it is gone, frozen or without disk


# For each process: the mean seconds between two events, and what they are, by weight.
TARGETS = {
    "postgres": (14, {"kill": 3, "backend": 4, "stop": 1, "freeze": 3, "fill": 3}),
    "mongo": (11, {"kill": 5, "stop": 1, "freeze": 3, "fill": 2}),
    "redis": (11, {"kill": 4, "stop": 1, "freeze": 3, "fill": 2}),
    "serve-0": (9, {"kill": 4, "stop": 3, "freeze": 2, "fill": 1}),
    "serve-1": (9, {"kill": 4, "stop": 3, "freeze": 2, "fill": 1}),
}


def events(seed, target, seconds):
    """From two seconds on. At the end, while clients still rate, all are killed at nearly the same moment: what a store had
    acknowledged and not written is lost, and nobody comes after that to write it again."""
    rng = random.Random(f"plan {seed} {target}")
    mean, weights = TARGETS[target]
    out, at = [], 2 + rng.expovariate(1 / mean)
    while at < seconds - 4:
        action = rng.choices(list(weights), weights.values())[0]
        out.append(Event(at, action, rng.uniform(0.1, 2.5) if action in ("kill", "stop") else rng.uniform(0.5, 6)))
        at += out[-1].seconds + rng.expovariate(1 / mean)
    return [*out, Event(seconds - rng.uniform(0, 0.4), "kill", rng.uniform(0.1, 1.5))]


@dataclasses.dataclass
class Fate:
    """What is done to a command, so many seconds after its start."""

    action: str = "none"  # kill, term, freeze
    after: float = 0
    seconds: float = 0


def fate(rng):
    action = rng.choices(["none", "kill", "term", "freeze"], [45, 35, 10, 10])[0]
    return Fate(action, rng.uniform(0, 1) ** 2 * 3, rng.uniform(0.5, 5))


FIT = ("trivet-train", "fit", "--set", "max_items_for_user=500", "--set", "min_users_for_item=3", "--factors", "6")
TRAINING = [
    (5, FIT), (2, (*FIT, "--set", "min_rating=2")), (2, (*FIT, "--algorithm", "als", "--biases", "--iterations", "3")),
    (1, (*FIT, "--algorithm", "als-implicit", "--iterations", "3")), (1, (*FIT, "--if-changed")),
    (1, (*FIT, "--guard", "ndcg@10:0.02")), (3, ("trivet-train", "activate", "NUMBER")), (3, ("trivet-train", "rollback")),
    (2, ("trivet-train", "repair")), (1, ("trivet-train", "precompute", "--top", "10")),
]
LOADING = [
    (3, ("trivet-etl", "load", "--name", "chaos", "--ids", "codes", "SET")), (6, ("trivet-etl", "load", "--append", "--ids", "codes", "MORE")),
    (3, ("trivet-train", "similar")), (1, ("trivet-train", "similar", "--update")),
]
INDEXING = [(3, ("trivet-train", "similar")), (1, ("trivet-train", "similar", "--update")), (2, ("trivet-train", "repair"))]


def command(rng, kinds):
    """Words of a command; NUMBER is for whoever knows which models are kept, SET and MORE for who knows the sets."""
    return rng.choices([words for _, words in kinds], [weight for weight, _ in kinds])[0]
