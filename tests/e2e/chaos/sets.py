"""The rating sets that are loaded: two that take each other's place, and some that are appended. All are known to the end,
so that each row of a load can be compared with its file.

Users are numbers and codes (`listener-3`), items too (`track-2`). Values are half stars.
"""

import dataclasses
import random

HALF_STARS = [n / 2 for n in range(1, 11)]
USERS = [str(n) for n in range(1, 61)]
LISTENERS = [f"listener-{n}" for n in range(16)]
ITEMS = [str(n * 10) for n in range(1, 71)]
TRACKS = [f"track-{n}" for n in range(6)]
RARE_ITEMS = [str(n) for n in range(10_000, 13_000)]  # that no file has a rating of: counts that nobody counts again soon
LATE_ITEMS = [str(n) for n in range(2000, 2010)]  # known to the appended sets alone


@dataclasses.dataclass
class RatingSet:
    name: str
    append: bool
    rows: dict  # {(user, item): [value, ...]}, a pair may stand twice
    folder: object = None


def write(s, parent):
    s.folder = parent / s.name
    s.folder.mkdir()
    with open(s.folder / "ratings.csv", "w") as f:
        f.write("userId,movieId,rating,timestamp\n")
        for (user, item), values in s.rows.items():
            f.writelines(f"{user},{item},{value},{1_000_000_000}\n" for value in values)
    with open(s.folder / "movies.csv", "w") as f:
        f.write("movieId,title,genres\n")
        for item in ITEMS + TRACKS + RARE_ITEMS + (LATE_ITEMS if s.append else []):
            f.write(f"{item},Film {item} ({1950 + len(item)}),Drama\n")
    return s


def _value(rng, user, item):
    """Tastes of four kinds, so that there is something to learn."""
    same = (len(user) + sum(map(ord, user))) % 4 == sum(map(ord, item)) % 4
    return rng.choice(HALF_STARS[7:] if same else HALF_STARS)


def make(seed, parent):
    """All sets of a run: {name: RatingSet}. The ends of the scale are in each of them. Two have a crowd that nobody else
    knows, so that loading them takes a moment."""
    rng = random.Random(f"sets {seed}")
    sets = {}
    for name, append, share, crowd in [("base", False, 0.35, ()), ("other", False, 0.3, ()), ("more-1", True, 0.06, range(6000, 6200)),
                                       ("more-2", True, 0.06, range(6100, 6250)), ("more-3", True, 0.03, ())]:
        items = ITEMS + TRACKS + (LATE_ITEMS if append else [])
        users = USERS + LISTENERS + ([f"{name}-{n}" for n in range(5)] + [str(5000 + n) for n in range(5)] if append else [])
        pairs = [(u, i) for u in users for i in items if rng.random() < share]
        pairs += [(str(n), i) for n in crowd for i in items if rng.random() < 0.5]
        rows = {pair: [_value(rng, *pair)] for pair in pairs}
        for pair in rng.sample(pairs, 5):
            rows[pair].append(rng.choice(HALF_STARS))
        rows[pairs[0]], rows[pairs[1]] = [0.5], [5.0]
        sets[name] = write(RatingSet(name, append, rows), parent)
    return sets
