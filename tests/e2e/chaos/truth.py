"""All that PostgreSQL says, read in one moment."""

import collections
import dataclasses

import numpy as np
import psycopg2


@dataclasses.dataclass
class Load:
    id: int
    state: str
    name: str
    started: float
    finished: float


@dataclasses.dataclass
class Run:
    id: int
    kind: str
    state: str
    started: float
    algorithm: str
    filter: dict
    went_live: bool


class Truth:
    def __init__(self, place):
        with psycopg2.connect(place.postgres_uri) as db:
            db.set_session(isolation_level="REPEATABLE READ", readonly=True)
            self._ask = db.cursor()
            self._read()
        db.close()

    def _all(self, sql):
        self._ask.execute(sql)
        return self._ask.fetchall()

    def _read(self):
        self.live, self.loaded = collections.defaultdict(list), collections.defaultdict(lambda: collections.defaultdict(list))
        for user, item, value, load in self._all("SELECT user_id, item_id, value, load_id FROM trivet.rating"):
            (self.live[user, item] if load is None else self.loaded[load][user, item]).append(value)
        self.codes = {(kind, code): number for kind, code, number in self._all("SELECT kind, code, id FROM trivet.code")}
        self.names = {(kind, number): code for (kind, code), number in self.codes.items()}
        self.users = {u: (rev, folded) for u, rev, folded in self._all("SELECT user_id, rev, folded_rev FROM trivet.user_change")}
        self.items = {i: (rev, counted) for i, rev, counted in self._all("SELECT item_id, rev, counted_rev FROM trivet.item_change")}
        self.loads = [Load(*row) for row in self._all("SELECT id, state, regexp_replace(source, '.*/', ''), extract(epoch FROM started_at)::float8, "
                                                      "extract(epoch FROM finished_at)::float8 FROM trivet.load ORDER BY id")]
        self.runs = [Run(*row) for row in self._all("SELECT id, kind, state, extract(epoch FROM started_at)::float8, algorithm, "
                                                    "filter, live_at IS NOT NULL FROM trivet.run ORDER BY id")]
        self.partitions = [row[0] for row in self._all(
            "SELECT relname FROM pg_class WHERE relnamespace = 'trivet'::regnamespace AND relname ~ '^rating_load_[0-9]+$'")]
        self.indexes = self._all("SELECT id, state, extract(epoch FROM started_at)::float8 FROM trivet.similar_index ORDER BY id")
        self.events = self._all("SELECT index_id, applied_at IS NULL, count(*) FROM trivet.similar_event GROUP BY 1, 2")

    def number(self, kind, text):
        """The number of a user or item as the data call it; None for a code that the dictionary does not have."""
        try:
            return int(text)
        except ValueError:
            return self.codes.get((kind, text))

    @property
    def complete(self):
        return [load for load in self.loads if load.state == "complete"]

    @property
    def last_load(self):
        """When loaded rows were shown last, complete or replaced since."""
        return max((load.finished for load in self.loads if load.state in ("complete", "replaced")), default=0)

    def run(self, number):
        return next(r for r in self.runs if r.id == number)

    def evidence(self, run):
        """{user: {item: the mean that users of a model are folded in from}}: all rows that its filter lets through."""
        least = run.filter.get("min_rating")
        rows = collections.defaultdict(lambda: collections.defaultdict(list))
        for table in [self.live, *self.loaded.values()]:
            for (user, item), values in table.items():
                rows[user][item] += [v for v in values if least is None or v >= least]
        return {user: {item: np.float32(sum(values) / len(values)) for item, values in sorted(items.items()) if values}
                for user, items in rows.items()}

    def item_counts(self):
        counts = collections.defaultdict(list)
        for table in [self.live, *self.loaded.values()]:
            for (_, item), values in table.items():
                counts[item] += values
        return {item: (len(values), sum(values) / len(values)) for item, values in counts.items() if values}
