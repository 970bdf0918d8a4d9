#!/usr/bin/python3
"""What an analyst waits for: trivet.funnel and trivet.sweep on MovieLens 1M, beside the naive way, a query a number.

usage: bench/filter.py [--build DIR] [--data DIR] [--rounds N] [--cells N]

The naive funnel counts each step with COUNT(DISTINCT) from the filter's own functions; the naive sweep runs
trivet.user_item once for every cell, here for a sample of the cells, and is scaled to all of them. The best of the
rounds counts. Ends with status 1 when a time is above what is wanted, when both ways disagree, or when EXPLAIN shows
that trivet.user_item was not inlined.
"""

import pathlib
import sys
import tempfile

import psycopg2
from common import arguments, machine, movielens_1m, run, timed
from stores import Postgres

FUNNEL_SECONDS, SWEEP_SECONDS = 2, 5
ITEM_VALUES = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500]
USER_VALUES = [20, 30, 50, 70, 100, 200, 300, 500, 1000, 3000]
SETTINGS = {"defaults": "10, 3, 50, 100000", "200 a user": "10, 3, 200, 100000", "wide open": "0, 0, 1000000, 10000000"}
SIZES = "count(*), count(DISTINCT userid), count(DISTINCT movieid)"


class Session:
    def __init__(self, uri):
        self.connection = psycopg2.connect(uri)
        self.connection.set_session(readonly=True, autocommit=True)

    def ask(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def best(self, rounds, *queries):
        """Seconds of the quickest round, and the rows of all queries."""
        return timed(rounds, lambda: [row for query in queries for row in self.ask(query)])


def naive_funnel(values):
    items, low, high, limit = values.split(", ")
    rated = "SELECT user_id AS userid, item_id AS movieid FROM trivet.rating"
    item_cut = f"movieid IN (SELECT movieid FROM trivet.kept_items({items}))"
    user_cut = f"userid IN (SELECT userid FROM trivet.kept_users({low}, {high}))"
    learned = f"SELECT userid, movieid FROM trivet.user_item({values})"
    model = f"movieid IN (SELECT movieid FROM ({learned}) l)"
    others = f"userid IN (SELECT userid FROM ({rated}) r EXCEPT SELECT userid FROM ({learned}) l)"
    folded = f"SELECT * FROM ({rated}) r WHERE {model} AND {others}"
    left = f"userid IN (SELECT userid FROM ({rated}) r EXCEPT SELECT userid FROM ({folded}) f)"
    unreached = f"SELECT * FROM ({rated}) r WHERE {others} AND {left}"
    return [f"SELECT {SIZES} FROM ({query}) q" for query in (
        rated, f"SELECT * FROM ({rated}) r WHERE {item_cut}", f"SELECT * FROM ({rated}) r WHERE {item_cut} AND {user_cut}",
        f"SELECT userid, movieid FROM trivet.user_item({items}, {low}, {high}, 1000000000)", learned, folded, unreached)]


def bench_funnel(session, rounds):
    good = True
    for name, values in SETTINGS.items():
        ours, rows = session.best(rounds, "SELECT row_count, users, items FROM trivet.funnel"
                                          f"({values}) WHERE step IN (1, 5, 6, 8, 9, 11, 12) ORDER BY step")
        naive, expected = session.best(1, *naive_funnel(values))
        good = good and rows == expected and ours < FUNNEL_SECONDS
        print(f"funnel, {name:<11} {ours:6.2f} s beside {naive:6.2f} s naive: {naive / ours:5.1f} times as fast "
              f"(wanted: below {FUNNEL_SECONDS} s){'' if rows == expected else '  THEY DIFFER'}", flush=True)
    return good


def bench_sweep(session, rounds, limit, cells):
    ours, rows = session.best(rounds, "SELECT row_count, users, items FROM trivet.sweep('min_users_for_item', "
                              f"'{{{','.join(map(str, ITEM_VALUES))}}}', 'max_items_for_user', "
                              f"'{{{','.join(map(str, USER_VALUES))}}}', max_row_number => {limit}) ORDER BY x_place, y_place")
    every = [(i, u) for i in ITEM_VALUES for u in USER_VALUES]
    chosen = range(0, len(every), len(every) // cells)
    naive, expected = session.best(1, *(f"SELECT {SIZES} FROM trivet.user_item({every[c][0]}, 3, {every[c][1]}, {limit})"
                                        for c in chosen))
    naive *= len(every) / len(chosen)
    same = [rows[c] for c in chosen] == expected
    how = "" if len(chosen) == len(every) else f" (from {len(chosen)} of the cells)"
    print(f"sweep 10 x 10, limit {limit:<9} {ours:6.2f} s beside {naive:6.1f} s naive{how}: {naive / ours:5.1f} times as fast "
          f"(wanted: below {SWEEP_SECONDS} s){'' if same else '  THEY DIFFER'}", flush=True)
    return same and ours < SWEEP_SECONDS


def bench(session, rounds, cells):
    print(f"{session.ask('SELECT count(*) FROM trivet.rating')[0][0]:,} rating rows, "
          f"PostgreSQL {session.ask('SHOW server_version')[0][0]} as it comes; {machine()}", flush=True)
    good = bench_funnel(session, rounds)
    for limit in (10**7, 10**5):
        good = bench_sweep(session, rounds, limit, cells) and good
    core, rows = session.best(rounds, f"SELECT {SIZES} FROM trivet.user_item_core(100, 50, 1000000, 10000000)")
    print(f"user_item_core, more than 100 users an item, at least 50 items a user: {core:.2f} s, {rows[0][0]:,} pairs")
    plan = "\n".join(row[0] for row in session.ask("EXPLAIN SELECT * FROM trivet.user_item(max_items_for_user => 200)"))
    print("EXPLAIN of trivet.user_item: " + ("a Function Scan" if "Function Scan" in plan else "no Function Scan"))
    return good and "Function Scan" not in plan


def main():
    parser = arguments(__doc__)
    parser.add_argument("--cells", type=int, default=5, help="cells of a sweep that are also run naively, of 100")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        folder.chmod(0o711)
        postgres = Postgres(folder).start()
        try:
            run(args.build, {"TRIVET_POSTGRES": postgres.uri()}, "trivet-etl", "load", movielens_1m(args.data, folder))
            session = Session(postgres.uri())
            good = bench(session, args.rounds, args.cells)
            session.connection.close()
        finally:
            postgres.stop()
    sys.exit(not good)


if __name__ == "__main__":
    main()
