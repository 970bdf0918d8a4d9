"""MinHash signatures and the index of similar items, through bench/minhash_tool: beside datasketch, which made the values,
and beside counting over all signatures."""

import os
import pathlib
import random
import subprocess

import numpy as np
import pytest

import pypi
from rating_sets import member
from stores import REPO

SETS = 2000


@pytest.fixture(scope="module")
def tool():
    path = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build")) / "bench/minhash_tool"
    if not path.exists():
        pytest.fail(f"not built: {path}; cmake -B build && cmake --build build", pytrace=False)

    def tool(*words, text="", check=True):
        done = subprocess.run([path, *map(str, words)], input=text, capture_output=True, text=True, timeout=120)
        if check and done.returncode != 0:
            pytest.fail(f"{words} ended with {done.returncode}: {done.stderr}")
        return done.stdout if check else done

    return tool


@pytest.mark.parametrize("size", [4, 128, 256])
def test_signatures_are_datasketchs(tool, size):
    datasketch = pypi.package("datasketch")
    if datasketch is None:
        pytest.skip(f"datasketch is not there, so only its golden values are compared (unit/test_minhash): {pypi.HINT}")
    draw = random.Random(size)
    words = ["é", "ø-ß", "artist 7".replace(" ", "_"), "f47ac10b-58cc-4372-a567-0e02b2c3d479"]
    sets = [[draw.choice([str(draw.randrange(10**draw.randrange(1, 19))), str(-draw.randrange(10**6)), *words])
             for _ in range(draw.choice([1, 2, 3, 10, 100]))] for _ in range(SETS)]
    got = tool("sketch", size, text="\n".join(" ".join(s) for s in sets) + "\n")
    got = np.array([line.split() for line in got.splitlines()], dtype=np.uint64)
    assert got.shape == (SETS, size)
    empty = datasketch.MinHash(size, scheme="legacy")
    for row, elements in zip(got, sets):
        sketch = empty.copy()
        sketch.update_batch([e.encode() for e in elements])
        assert (sketch.hashvalues == row).all()


def test_the_empty_set_and_bad_sizes(tool):
    assert tool("sketch", 3, text="\n").split() == ["4294967295"] * 3
    done = tool("sketch", 0, check=False)
    assert done.returncode == 2 and "1 to 4096" in done.stderr


# --- the index beside all signatures ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lastfm(data_dir):
    """{artist: users} of HetRec's Last.fm."""
    text = member(data_dir / "hetrec2011-lastfm-2k.tar.gz", "hetrec2011-lastfm-2k/user_artists.dat").decode()
    sets = {}
    for line in text.splitlines()[1:]:
        user, artist, _ = line.split("\t")
        sets.setdefault(int(artist), set()).add(int(user))
    return sets


def pairs_text(sets):
    return "".join(f"{user} {item}\n" for item, users in sets.items() for user in users)


def dump(tool, uri):
    """Item ids and their signatures, as the index has them."""
    rows = np.array([line.split() for line in tool("dump", uri).splitlines()], dtype=np.int64)
    return rows[:, 0], rows[:, 1:].astype(np.uint32)


def neighbours(line):
    item, _, *found = line.split()
    return int(item), [tuple(map(int, pair.split(":"))) for pair in found]


def expected(item, items, signatures, top):
    shared = (signatures == signatures[items == item]).sum(axis=1)
    order = np.lexsort((items, -shared))
    return [(int(items[i]), int(shared[i])) for i in order if items[i] != item and shared[i] > 0][:top]


def test_every_answer_is_that_of_counting(tool, fresh_stores, lastfm):
    uri = fresh_stores.env["TRIVET_REDIS"]
    tool("build", uri, 128, 2, text=pairs_text(lastfm))
    tool("verify", uri)
    items, signatures = dump(tool, uri)
    assert sorted(lastfm) == sorted(items)
    popular = sorted(lastfm, key=lambda artist: -len(lastfm[artist]))[:50]
    asked = popular + sorted(lastfm)[::60]
    answers = tool("ask", uri, 20, text="\n".join(map(str, asked)) + "\n")
    for item, line in zip(asked, answers.splitlines()):
        assert neighbours(line) == (item, expected(item, items, signatures, 20))


def test_estimates_are_off_as_often_as_they_should(tool, fresh_stores, lastfm):
    """Of estimates of J from 128 values, those within three standard errors are as many as a binomial count has there."""
    from scipy.stats import binom
    uri = fresh_stores.env["TRIVET_REDIS"]
    tool("build", uri, 128, 1, text=pairs_text(lastfm))
    items, signatures = dump(tool, uri)
    row = {int(item): r for r, item in enumerate(items)}
    popular = sorted(lastfm, key=lambda artist: -len(lastfm[artist]))[:300]
    within = chance = n = 0
    for i, a in enumerate(popular):
        for b in popular[:i]:
            true = len(lastfm[a] & lastfm[b]) / len(lastfm[a] | lastfm[b])
            if true < 0.02:
                continue
            error = (true * (1 - true) / 128) ** 0.5
            low, high = true - 3 * error, true + 3 * error
            within += low <= (signatures[row[a]] == signatures[row[b]]).mean() <= high
            chance += binom.cdf(np.floor(128 * high), 128, true) - binom.cdf(np.ceil(128 * low) - 1, 128, true)
            n += 1
    assert n > 10000
    # Pairs are not independent, as each artist is in many; the rates agree to a quarter of a per cent nevertheless.
    assert abs(within - chance) / n < 0.0025 and within / n > 0.98


def check_answers(tool, uri, asked, top=20):
    """Answers, beside counting over the signatures that the index has."""
    items, signatures = dump(tool, uri)
    answers = tool("ask", uri, top, text="\n".join(map(str, asked)) + "\n")
    for item, line in zip(asked, answers.splitlines()):
        assert neighbours(line) == (item, expected(item, items, signatures, top))


def test_one_listener_of_everything_and_nobody_else(tool, fresh_stores):
    """Each of the listener's lists holds all items, and is kept as bits."""
    uri = fresh_stores.env["TRIVET_REDIS"]
    n = 5000
    tool("build", uri, 16, 2, text="".join(f"7 {item}\n" for item in range(n)))
    tool("verify", uri)
    redis = fresh_stores.redis_client()
    assert redis.strlen("trivet:similar:{1}:heavy") == 4 and not list(redis.scan_iter("trivet:similar:{1}:page:*"))
    lists = list(redis.scan_iter("trivet:similar:{1}:heavy:*"))
    assert len(lists) == 16 and all(redis.strlen(key) < n / 8 + 20 for key in lists)
    (answer,) = tool("ask", uri, 3, text="40\n").splitlines()
    assert neighbours(answer) == (40, [(0, 16), (1, 16), (2, 16)])


def test_a_listener_of_everything_among_others(tool, fresh_stores):
    """Who is a witness of very many items has lists of his own; items come and go there as they do on pages."""
    uri = fresh_stores.env["TRIVET_REDIS"]
    draw = random.Random(5)
    n = 4000
    pairs = [(7, item) for item in range(n)] + [(draw.randrange(100, 3000), draw.randrange(n)) for _ in range(4 * n)]
    tool("build", uri, 32, 2, text="".join(f"{u} {i}\n" for u, i in pairs))
    redis = fresh_stores.redis_client()
    assert redis.strlen("trivet:similar:{1}:heavy") == 4
    tool("verify", uri)
    check_answers(tool, uri, range(0, n, 400))
    more = [(draw.randrange(100, 9000), draw.randrange(n)) for _ in range(500)]
    more += [(7, item) for item in range(n, n + 20)] + [(8, item) for item in range(n, n + 20)]
    tool("add", uri, text="".join(f"{u} {i}\n" for u, i in more))
    tool("verify", uri)
    check_answers(tool, uri, [*range(0, n, 400), *(item for _, item in more[::50])])
    changed = dump(tool, uri)
    tool("build", uri, 32, 2, text="".join(f"{u} {i}\n" for u, i in pairs + more))
    built = dump(tool, uri)
    for a, b in zip(*(([ids[np.argsort(ids)], rows[np.argsort(ids)]]) for ids, rows in (changed, built))):
        assert (a == b).all()


def test_two_users_with_the_same_value(tool, fresh_stores):
    """One in 2^32 pairs of users has the same value at a position. Items that share no user share that."""
    uri = fresh_stores.env["TRIVET_REDIS"]
    users = 40000
    values = np.array([line.split() for line in tool("sketch", 128, text="".join(f"{u}\n" for u in range(users))).splitlines()],
                      dtype=np.uint32)
    twins = []
    for position in range(128):
        order = np.argsort(values[:, position])
        same = np.flatnonzero(np.diff(values[order, position].astype(np.int64)) == 0)
        twins += [(int(order[i]), int(order[i + 1])) for i in same]
    assert len(twins) > 10
    for built, added in [(twins, []), (twins[::2], twins[1::2])]:
        tool("build", uri, 128, 2, text="".join(f"{u} {u}\n{v} {v}\n" for u, v in built))
        if added:
            tool("add", uri, text="".join(f"{u} {u}\n{v} {v}\n" for u, v in added))
        tool("verify", uri)
        for u, v in twins:
            (answer,) = tool("ask", uri, 1000, text=f"{u}\n").splitlines()
            assert v in dict(neighbours(answer)[1])
        check_answers(tool, uri, [u for u, _ in twins])


def test_an_index_of_an_older_trivet(tool, fresh_stores):
    redis = fresh_stores.redis_client()
    redis.hset("trivet:similar:{3}", mapping={"items": 1, "signature_size": 128, "pages": 1})
    redis.set("trivet:similar:live", 3)
    done = tool("ask", fresh_stores.env["TRIVET_REDIS"], 5, text="1\n", check=False)
    assert done.returncode != 0 and "older trivet" in done.stderr


# --- changes ------------------------------------------------------------------------------------------------------------


def test_eight_connections_change_one_index(tool, fresh_stores):
    """Adds from eight processes at once, some of them killed on the way: what is left to do is done again, and then the
    index is the one that is built from all pairs."""
    uri = fresh_stores.env["TRIVET_REDIS"]
    draw = random.Random(8)
    before = [(draw.randrange(400), draw.randrange(60)) for _ in range(500)]
    events = [[(draw.randrange(400), draw.randrange(90)) for _ in range(150)] for _ in range(8)]
    tool("build", uri, 64, 2, text="".join(f"{u} {i}\n" for u, i in before))
    binary = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build")) / "bench/minhash_tool"

    def start(pairs):
        child = subprocess.Popen([binary, "add", uri], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        child.stdin.write("".join(f"{u} {i}\n" for u, i in pairs))
        child.stdin.close()
        return child

    children = [start(pairs) for pairs in events]
    for child in children[:4]:
        try:
            child.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            child.kill()
    for child in children[4:]:
        assert child.wait(timeout=60) == 0
    for child in children[:4]:
        child.wait()
    tool("verify", uri)  # killed between any two commands, it is whole
    for child in [start(pairs) for pairs in events[:4]]:
        assert child.wait(timeout=60) == 0
    tool("verify", uri)
    items, signatures = dump(tool, uri)
    tool("build", uri, 64, 2, text="".join(f"{u} {i}\n" for u, i in before + sum(events, [])))
    again, built = dump(tool, uri)
    assert (items[np.argsort(items)] == again[np.argsort(again)]).all()
    assert (signatures[np.argsort(items)] == built[np.argsort(again)]).all()


def test_an_item_never_seen_and_a_repeat(tool, fresh_stores):
    uri = fresh_stores.env["TRIVET_REDIS"]
    tool("build", uri, 128, 1, text="1 10\n2 10\n")
    (first, again, same) = tool("add", uri, text="1 99\n1 99\n1 10\n").splitlines()
    assert [line.split()[0] for line in (first, again, same)] == ["128", "0", "0"]
    tool("verify", uri)
    (answer,) = tool("ask", uri, 5, text="99\n").splitlines()
    items, signatures = dump(tool, uri)
    assert neighbours(answer) == (99, [(10, int((signatures[0] == signatures[1]).sum()))])
    (nothing,) = tool("ask", uri, 5, text="12345\n").splitlines()
    assert neighbours(nothing) == (12345, [])
