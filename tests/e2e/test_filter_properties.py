"""The filter and what tells of it, on real ratings, against queries written by hand and a fixed point computed here.

Four sets: two of MovieLens, Last.fm's numbers of plays, and of Epinions a part that holds all its 9,826 repeated rows (the
whole would take ten times as long). Thirty random settings each. trivet.user_item must agree with a query for every setting;
sizes are counted in numpy, which must agree with queries for every tenth.
"""

import collections
import concurrent.futures
import random
import threading

import numpy as np
import psycopg2
import pytest

from rating_sets import member

SETTINGS = 30
SETS = ["ml-latest-small", "ml-100k", "lastfm", "epinions"]
AT_ONCE = 2  # settings
CONDITIONS = ("rated_since", "rated_until", "min_rating", "genres")


# --- the sets ----------------------------------------------------------------------------------------------------


def with_repeated_pairs(text):
    """Of Epinions every repeated pair among the pairs of those users and items, and every 40th user: 89,487 rows."""
    header, *lines = text.decode().splitlines()
    pairs = [tuple(map(int, line.split(",")[:2])) for line in lines]
    repeated = [pair for pair, n in collections.Counter(pairs).items() if n > 1]
    users, items = ({pair[i] for pair in repeated} for i in (0, 1))
    kept = [line for line, (user, item) in zip(lines, pairs) if user % 40 == 0 or user in users and item in items]
    assert len(kept) - len({tuple(line.split(",")[:2]) for line in kept}) == 9826
    return "\n".join([header, *kept, ""]).encode()


def folder_of(name, data_dir, tmp_path_factory):
    """A folder that trivet-etl reads."""
    if name.startswith("ml-"):
        return data_dir / name
    if name == "lastfm":
        text = member(data_dir / "hetrec2011-lastfm-2k.tar.gz", "hetrec2011-lastfm-2k/user_artists.dat")
        text = text.replace(b"\t", b",").replace(b"userID,artistID,weight", b"userId,itemId,rating")
    else:
        text = with_repeated_pairs(member(data_dir / "epinions-922k.tar.gz", "epinions-922k/ratings.csv"))
    folder = tmp_path_factory.mktemp("ratings")
    (folder / "ratings.csv").write_bytes(text)
    return folder


class Loaded:
    """One set in Postgres, and its rows here as columns. user and item are places among the ascending user_ids and
    item_ids; a time that is not known is NaN."""

    def __init__(self, place):
        self.uri, self.threads = place.postgres_uri, threading.local()
        rows = self.ask("SELECT user_id, item_id, value, extract(epoch FROM rated_at)::float8 FROM trivet.rating")
        user, item, value, time = zip(*rows)
        self.user_ids, self.user = np.unique(user, return_inverse=True)
        self.item_ids, self.item = np.unique(item, return_inverse=True)
        self.value, self.time = np.array(value), np.array(time, dtype=float)
        genres = dict(self.ask("SELECT item_id, genres FROM trivet.item"))
        self.genres = [set(genres.get(i) or []) for i in self.item_ids.tolist()]
        hashes = self.ask("SELECT hashint8extended(u, 0) & 2147483647 FROM unnest(%s::bigint[]) WITH ORDINALITY t (u, nr) "
                          "ORDER BY nr", (self.user_ids.tolist(),))
        self.hash = np.array(hashes)[:, 0]

    def connection(self):
        """Each thread's own."""
        if not hasattr(self.threads, "connection"):
            self.threads.connection = psycopg2.connect(self.uri)
            self.threads.connection.autocommit = True
            self.ask("SET jit = off; SET work_mem = '64MB'; SET max_parallel_workers_per_gather = 0")
        return self.threads.connection

    def ask(self, sql, values=None):
        with self.connection().cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else None

    def one(self, sql, values=None):
        return self.ask(sql, values)[0]


@pytest.fixture(scope="module", params=SETS)
def loaded(request, run, servers, data_dir, tmp_path_factory):
    place = servers.place()
    run("trivet-etl", "load", folder_of(request.param, data_dir, tmp_path_factory), env=place.env)
    return Loaded(place)


def each(check, *settings):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(check, *settings))


# --- settings ----------------------------------------------------------------------------------------------------


def activity(ids):
    return sorted(np.bincount(ids).tolist())


def random_settings(loaded, seed=11):
    """Thresholds near the counts that occur, so that both sides of a boundary are met; one condition in three."""
    chance = random.Random(seed)
    of_users, of_items = activity(loaded.user), activity(loaded.item)
    times = loaded.time[~np.isnan(loaded.time)].tolist()
    values = loaded.value.tolist()
    names = sorted(set().union(*loaded.genres))
    for number in range(SETTINGS):
        low, high = sorted(max(0, chance.choice(of_users) + chance.randint(-1, 1)) for _ in range(2))
        p = {"min_users_for_item": max(0, chance.choice(of_items) + chance.randint(-1, 1)) if chance.random() < .8 else 0,
             "min_items_for_user": min(chance.choice([0, 1, 3, low]), high), "max_items_for_user": high,
             "max_row_number": chance.choice([1, 100, 1000, 10000, 100000, 10**7, 10**7]),
             "rated_since": None, "rated_until": None, "genres": None, "min_rating": None, "sample_users": 1.0}
        if times and chance.random() < .3:
            p["rated_since"] = chance.choice(times)
        if times and chance.random() < .3:
            p["rated_until"] = chance.choice(times)
        if names and chance.random() < .3:
            p["genres"] = chance.sample(names, chance.randint(1, 3))
        if chance.random() < .3:
            p["min_rating"] = chance.choice(values)
        if chance.random() < .3:
            p["sample_users"] = chance.choice([.1, .5, .9])
        yield {**p, "number": number, "in_sql": number % 10 == 0}


def core_settings(loaded):
    """Small minimums beside wide maximums, where something is left after several rounds."""
    chance = random.Random(3)
    most = activity(loaded.user)[-1]
    for p in random_settings(loaded, seed=3):
        p.update(min_users_for_item=chance.choice([0, 1, 2, 4, 8, 15]), min_items_for_user=chance.choice([0, 2, 5, 10, 20]),
                 max_items_for_user=chance.choice([max(20, most // 4), most - 1, most]))
        yield p


# --- the filter in SQL -------------------------------------------------------------------------------------------

# The parameters of a call, and the workshop's query with conditions on rows, as an analyst would write it.
CALL = """min_users_for_item => %(min_users_for_item)s, min_items_for_user => %(min_items_for_user)s,
    max_items_for_user => %(max_items_for_user)s, max_row_number => %(max_row_number)s,
    rated_since => to_timestamp(%(rated_since)s), rated_until => to_timestamp(%(rated_until)s),
    genres => %(genres)s::text[], min_rating => %(min_rating)s::real, sample_users => %(sample_users)s::real"""

CHOSEN = """chosen AS (
    SELECT r.* FROM trivet.rating r LEFT JOIN trivet.item i ON i.item_id = r.item_id
    WHERE (%(rated_since)s IS NULL OR rated_at >= to_timestamp(%(rated_since)s))
      AND (%(rated_until)s IS NULL OR rated_at < to_timestamp(%(rated_until)s))
      AND (%(min_rating)s IS NULL OR value >= %(min_rating)s::real)
      AND (%(genres)s::text[] IS NULL OR i.genres && %(genres)s::text[]))"""
IN_SAMPLE = "(%(sample_users)s >= 1 OR (hashint8extended(user_id, 0) & 2147483647) < %(sample_users)s::real::float8 * 2147483648)"
ITEMS = "item AS (SELECT item_id FROM chosen GROUP BY item_id HAVING count(*) > %(min_users_for_item)s)"
USERS = """kept AS (SELECT user_id, count(*) AS n FROM chosen GROUP BY user_id
    HAVING count(*) BETWEEN %(min_items_for_user)s AND %(max_items_for_user)s)"""
PAIRS = f"""pair AS (SELECT user_id, item_id, avg(value)::real AS value
    FROM chosen JOIN item USING (item_id) JOIN kept USING (user_id) WHERE {IN_SAMPLE} GROUP BY user_id, item_id)"""
LEARNED = "learned AS (SELECT * FROM pair ORDER BY user_id, item_id LIMIT %(max_row_number)s)"
WORKSHOP = f"WITH {CHOSEN}, {ITEMS}, {USERS}, {PAIRS}, {LEARNED} "
TABLES = (CHOSEN, ITEMS, USERS, PAIRS, LEARNED,
          CHOSEN.replace("chosen AS", "evidence AS").replace("%(rated_until)s", "NULL"),
          "model AS (SELECT DISTINCT item_id FROM learned)",
          "folded AS (SELECT * FROM evidence JOIN model USING (item_id) WHERE user_id NOT IN (SELECT user_id FROM learned))")


def sizes(rest):
    """Rows, users and items of what stands behind FROM."""
    return (f"(SELECT count(*) FROM {rest}), (SELECT count(*) FROM (SELECT DISTINCT user_id FROM {rest}) u), "
            f"(SELECT count(*) FROM (SELECT DISTINCT item_id FROM {rest}) i)")


def funnel_in_sql(loaded, p):
    """Rows, users and items after every step of the funnel, and who fell below their minimum, without and with the
    sample: each a query of its own over tables that hold what the steps before left."""
    only = lambda *names: {k: (v if k in names else None) for k, v in p.items()}  # noqa: E731
    steps = [loaded.one(f"SELECT {sizes('trivet.rating')}")]
    for names in [("rated_since", "rated_until"), ("rated_since", "rated_until", "min_rating")]:
        steps.append(loaded.one(f"WITH {CHOSEN} SELECT {sizes('chosen')}", only(*names)))
    for table in TABLES:
        name, query = table.split(" AS ", 1)
        loaded.ask(f"CREATE TEMP TABLE {name} AS {query}; ANALYZE {name}", p)
    on_kept = "chosen JOIN item USING (item_id)"
    on_both = f"{on_kept} JOIN kept USING (user_id)"
    for rest in ("chosen", on_kept, on_both, f"{on_both} WHERE {IN_SAMPLE}", "pair", "learned", "learned", "folded",
                 "trivet.rating WHERE user_id NOT IN (SELECT user_id FROM learned UNION SELECT user_id FROM folded)"):
        steps.append(loaded.one(f"SELECT {sizes(rest)}", p))
    below = loaded.one(f"SELECT count(*), count(*) FILTER (WHERE {IN_SAMPLE}) FROM kept LEFT JOIN (SELECT user_id, count(*) AS n "
                       f"FROM {on_kept} GROUP BY user_id) c USING (user_id) WHERE coalesce(c.n, 0) < %(min_items_for_user)s", p)
    loaded.ask("DROP TABLE chosen, item, kept, pair, learned, evidence, model, folded")
    return steps, below


# --- the filter in numpy -----------------------------------------------------------------------------------------


def chosen(loaded, p, names=CONDITIONS):
    """For each row, whether it meets the conditions of these names. Comparisons with NaN are false."""
    rows = np.ones(len(loaded.user), dtype=bool)
    given = {name: p[name] for name in names if p[name] is not None}
    if "rated_since" in given:
        rows &= loaded.time >= p["rated_since"]
    if "rated_until" in given:
        rows &= loaded.time < p["rated_until"]
    if "min_rating" in given:
        rows &= loaded.value >= p["min_rating"]
    if "genres" in given:
        rows &= np.array([not genres.isdisjoint(p["genres"]) for genres in loaded.genres])[loaded.item]
    return rows


def in_sample(loaded, p):
    """For each user."""
    return loaded.hash < float(np.float32(p["sample_users"])) * 2**31


def cuts(loaded, p, rows):
    """For each item and for each user, whether they stay; both are counted before either cut."""
    items = np.bincount(loaded.item[rows], minlength=len(loaded.item_ids))
    users = np.bincount(loaded.user[rows], minlength=len(loaded.user_ids))
    return items > p["min_users_for_item"], (users >= p["min_items_for_user"]) & (users <= p["max_items_for_user"]) & (users > 0)


def distinct(loaded, rows):
    """Pairs as one number each, in the order of user and item."""
    return np.unique(loaded.user[rows] * len(loaded.item_ids) + loaded.item[rows])


def size(user, item):
    return len(user), np.count_nonzero(np.bincount(user)), np.count_nonzero(np.bincount(item))


def size_of_rows(loaded, rows):
    return size(loaded.user[rows], loaded.item[rows])


def size_of_pairs(loaded, pairs):
    return size(*np.divmod(pairs, len(loaded.item_ids)))


def among(places, ids):
    """For each of ids, whether it is among the places."""
    found = np.zeros(len(ids), dtype=bool)
    found[places] = True
    return found


def all_pairs(loaded, p):
    """What trivet.user_item gives without a row limit."""
    rows = chosen(loaded, p)
    items, users = cuts(loaded, p, rows)
    return distinct(loaded, rows & items[loaded.item] & (users & in_sample(loaded, p))[loaded.user])


def funnel_in_numpy(loaded, p):
    """As funnel_in_sql."""
    rows = chosen(loaded, p)
    items, users = cuts(loaded, p, rows)
    sampled = in_sample(loaded, p)
    on_items = rows & items[loaded.item]
    steps = [size_of_rows(loaded, chosen(loaded, p, names)) for names in ((), CONDITIONS[:2], CONDITIONS[:3], CONDITIONS)]
    steps += [size_of_rows(loaded, on_items & of_users[loaded.user]) for of_users in (users | True, users, users & sampled)]
    pairs = distinct(loaded, on_items & (users & sampled)[loaded.user])
    learned = pairs[:p["max_row_number"]]
    steps += [size_of_pairs(loaded, pairs), *[size_of_pairs(loaded, learned)] * 2]
    user, item = np.divmod(learned, len(loaded.item_ids))
    learned_users, model = among(user, loaded.user_ids), among(item, loaded.item_ids)
    folded = chosen(loaded, {**p, "rated_until": None}) & model[loaded.item] & ~learned_users[loaded.user]
    served = learned_users | among(loaded.user[folded], loaded.user_ids)
    steps += [size_of_rows(loaded, folded), size_of_rows(loaded, ~served[loaded.user])]
    below = users & (np.bincount(loaded.user[on_items], minlength=len(users)) < p["min_items_for_user"])
    return steps, (below.sum(), (below & sampled).sum())


# --- funnel, user_item, sweep ------------------------------------------------------------------------------------


def test_the_funnel_counts_what_queries_count(loaded):
    def check(p):
        found = loaded.ask(f"SELECT row_count, users, items, removed_rows, removed_users, removed_items, users_below_minimum, "
                           f"limit_cut FROM trivet.funnel({CALL}) ORDER BY step", p)
        steps, below = funnel_in_numpy(loaded, p)
        if p["in_sql"]:
            assert funnel_in_sql(loaded, p) == (steps, below), p
        assert [row[:3] for row in found] == steps, p
        for before, after, row in zip(steps[:8], steps[1:9], found[1:9]):
            assert row[3:6] == tuple(b - a for b, a in zip(before, after)), p
        assert (found[5][6], found[6][6]) == below, p
        assert found[8][7] == (steps[7][0] > p["max_row_number"]), p
        return found[8][7]

    cut = each(check, random_settings(loaded))
    assert set(cut) == {True, False}  # both happened


def test_user_item_is_the_workshops_query(loaded):
    def check(p):
        found = loaded.one(f"{WORKSHOP}, given AS MATERIALIZED (SELECT * FROM trivet.user_item({CALL})) SELECT "
                           "(SELECT count(*) FROM given), (SELECT count(*) FROM learned), "
                           "(SELECT count(*) FROM (SELECT * FROM given INTERSECT SELECT * FROM learned) common)", p)
        assert set(found) == {min(len(all_pairs(loaded, p)), p["max_row_number"])}, p
        return found[0]

    assert sum(n > 0 for n in each(check, random_settings(loaded))) > SETTINGS / 2


def as_text(value):
    if isinstance(value, list):
        return "{" + ",".join(f'"{genre}"' for genre in value) + "}"
    return None if value is None else str(value)


def axes(loaded, p, p2):
    """Two parameters, each with the values it has in two settings: as they are, and as text."""
    chance = random.Random(p["number"])
    thresholds = ["min_users_for_item", "min_items_for_user", "max_items_for_user"]
    names = chance.sample(thresholds, 2) if chance.random() < .7 else chance.sample(sorted(p.keys() - {"number", "in_sql"}), 2)
    values = {name: [p[name], p2[name]] for name in names}
    texts = {name: [as_text(v) for v in values[name]] for name in names}
    for name in set(names) & {"rated_since", "rated_until"}:
        texts[name] = [v and loaded.one("SELECT to_timestamp(%s)::text", (v,))[0] for v in values[name]]
    return *names, values, texts


def test_every_cell_of_a_sweep_is_the_workshops_query(loaded):
    all_rows, all_users = len(loaded.user), len(loaded.user_ids)

    def check_cell(cell, counts, limit_cut, shares):
        if cell["min_items_for_user"] > cell["max_items_for_user"]:
            assert counts == [None] * 3, cell
            return False
        pairs = all_pairs(loaded, cell)
        expected = (*size_of_pairs(loaded, pairs[:cell["max_row_number"]]), len(pairs) > cell["max_row_number"])
        if cell["in_sql"]:
            query = f"{WORKSHOP} SELECT {sizes('learned')}, (SELECT count(*) FROM pair) > %(max_row_number)s"
            assert loaded.one(query, cell) == expected, cell
        assert (*counts, limit_cut) == expected, cell
        assert shares == pytest.approx([counts[0] / all_rows, counts[1] / all_users]), cell
        return True

    def check(p, p2):
        x, y, values, texts = axes(loaded, p, p2)
        found = loaded.ask("SELECT x_place, y_place, row_count, users, items, limit_cut, share_of_rows, share_of_users FROM "
                           "trivet.sweep(x => %(x)s, x_values => %(x_values)s::text[], y => %(y)s, "
                           f"y_values => %(y_values)s::text[], {CALL}) ORDER BY x_place, y_place",
                           {**p, "x": x, "y": y, "x_values": texts[x], "y_values": texts[y]})
        assert [row[:2] for row in found] == [(1, 1), (1, 2), (2, 1), (2, 2)]
        return [check_cell({**p, x: values[x][i - 1], y: values[y][j - 1]}, counts, limit_cut, shares)
                for (i, j), counts, limit_cut, shares in ((row[:2], list(row[2:5]), row[5], list(row[6:])) for row in found)]

    settings = list(random_settings(loaded, seed=7))
    possible = sum(each(check, settings, settings[1:] + settings[:1]), [])
    assert sum(possible) > len(possible) / 2


# --- user_item_core ----------------------------------------------------------------------------------------------


def fixed_point(loaded, p):
    """The largest set of pairs that meets its own minimums: users over the maximum first, then one cut at a time."""
    user, item = np.divmod(distinct(loaded, chosen(loaded, p) & in_sample(loaded, p)[loaded.user]), len(loaded.item_ids))
    counts = lambda places: np.bincount(places)[places] if len(places) else places  # noqa: E731  (of each pair's own)
    some = counts(user) <= p["max_items_for_user"]
    user, item = user[some], item[some]
    while True:
        before = len(user)
        some = counts(item) > p["min_users_for_item"]
        user, item = user[some], item[some]
        some = counts(user) >= p["min_items_for_user"]
        user, item = user[some], item[some]
        if len(user) == before:
            return list(zip(loaded.user_ids[user].tolist(), loaded.item_ids[item].tolist()))


def test_the_core_is_the_fixed_point(loaded):
    def check(p):
        found = loaded.ask(f"SELECT userid, movieid FROM trivet.user_item_core({CALL})", p)
        expected = fixed_point(loaded, p)
        assert found == expected[:p["max_row_number"]], p
        return len(expected) > 0

    assert sum(each(check, core_settings(loaded))) > SETTINGS / 2


def test_the_core_averages_repeated_pairs(loaded):
    pairs, place = np.unique(loaded.user * len(loaded.item_ids) + loaded.item, return_inverse=True)
    means = np.bincount(place, weights=loaded.value) / np.bincount(place)
    user, item, value = map(np.array, zip(*loaded.ask("SELECT * FROM trivet.user_item_core(2, 2, 1000000, 10000000)")))
    found = np.searchsorted(loaded.user_ids, user) * len(loaded.item_ids) + np.searchsorted(loaded.item_ids, item)
    assert np.isin(found, pairs).all() and len(np.unique(found)) == len(found) > len(pairs) / 4
    assert value == pytest.approx(means[np.searchsorted(pairs, found)], rel=1e-6)
