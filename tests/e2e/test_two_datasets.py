"""Two data sets in one installation: whatever it answers is what an installation answers that only ever saw the one.

For each two of four sets, in one order: load one, train two models, index, rate; load the other, train, rate; go back, restart the server. All
answers of both are compared with those of a fresh place. What counts up through an installation (numbers of models and loads) and
what a clock says is left out of the comparison, and nothing else.
"""

import json
import random
import re
import time

import pytest

from rating_sets import like_movielens, unpacked
from server import until

# Each two of the four sets, and each set in both parts: first, and so indexed, and as the one that takes its place.
PAIRS = (("ml-100k", "ml-latest-small"), ("ml-latest-small", "lastfm"), ("lastfm", "shop"), ("shop", "ml-100k"),
         ("lastfm", "ml-100k"), ("shop", "ml-latest-small"))


def shop(folder):
    """Customers and goods whose ids are text: 150 customers of three tastes, 60 goods."""
    draw = random.Random(7)
    rows = [(f"customer-{u}", f"good-{i:03}", draw.randrange(1, 11), 1_500_000_000 + u * 1000 + i)
            for u in range(150) for i in range(60) if draw.random() < (0.5 if u % 3 == i % 3 else 0.06)]
    return like_movielens(folder, rows, [(f"good-{i:03}", f"Good number {i} (20{i % 20:02})", "Tool|Toy".split("|")[i % 2]) for i in range(60)])


class Kind:
    """A set: where it lies, how it is trained, and who rates what in it."""

    def __init__(self, name, folder, algorithm, users, items, value, word):
        self.name, self.folder, self.algorithm, self.users, self.items, self.value, self.word = (
            name, folder, algorithm, users, items, value, word)

    def prepare(self, run, place, index):
        env = {"env": place.env}
        run("trivet-etl", "load", self.folder, "--name", self.name, **env)
        for factors in (6, 10):
            run("trivet-train", "fit", "--set", "min_users_for_item=5", "--set", "max_items_for_user=1000", "--algorithm", self.algorithm,
                "--factors", factors, **env)
        if index:
            run("trivet-train", "similar", **env)

    def rate(self, server):
        """Somebody who is in the set, and somebody new. Both count at once."""
        for user, items in ((self.users[0], self.items[:2]), (self.users[-1], self.items)):
            for item in items:
                path = f"/api/v1/users/{user}/ratings/{item}"
                done = server.send("PUT", path, {"rating": self.value})
                assert done.status == 200, (path, done.text)

    def answers(self, server, before=0):
        """By their paths; `before` is how many models the installation had of other sets."""
        paths = [f"/api/v1/items?q={self.word}&top=20", "/"]
        for user in self.users:
            paths += [f"/api/v1/recs?user_id={user}&top=15", f"/recs?user_id={user}&top=10", f"/api/v1/users/{user}", f"/models?user_id={user}",
                      f"/api/v1/predict?user_id={user}&ids={','.join(map(str, self.items))}"]
        for item in self.items:
            paths += [f"/api/v1/items/{item}", f"/api/v1/items/{item}/similar?by=factors&top=10", f"/similar?item={item}&by=audience",
                      f"/api/v1/items/{item}/similar?by=audience&exact=1&top=10", f"/api/v1/explain?user_id={self.users[0]}&item_id={item}"]
        for user in self.users:
            paths += [f"/api/v1/recs?user_id={user}&top=15&model={{}}", f"/models?user_id={user}&a={{}}&b={{}}"]
        found = {}
        for path in paths:
            answer = server.get(path.format(before + 1, before + 2))
            found[path] = answer.status, plain(answer.text)
        found["/api/v1/models"] = self.models(server)
        return found

    def models(self, server):
        """Those of this set. Of what was loaded the numbers count on."""
        described = [m["description"] for m in server.get("/api/v1/models").json()["models"]]
        mine = [d for d in described if d["data"]["dataset"] == self.name]
        for description in mine:
            description.pop("created_at")
            for load in description["data"]["loads"]:
                load.pop("id")
        return mine


# What counts on, in JSON and on pages, and how long ago a model was made.
COUNTED = re.compile(r'"(model|index)":\d+|("dataset":)\d+|(data-dataset=")\d+|(<dt>Model</dt><dd>)\d+|(<dt>Made</dt><dd>)[^<]+|\b([Mm]odel|[Ii]ndex) \d+|([?&;](?:model|a|b|dataset)=|<option value=")\d+')


# Where a set has no index, an installation that has one of another set says so.
NO_INDEX = re.compile(r'"detail":"(Redis has no index of similar items|no index of similar items is of the data set [^"]*; kept: [^"]*)","hint":"[^"]*"')


def plain(text):
    text = NO_INDEX.sub('"detail":"no index"', text)
    return COUNTED.sub(lambda m: f"{next(g for g in m.groups() if g)}0", text)


@pytest.fixture(scope="module")
def kinds(data_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    lastfm = unpacked(data_dir / "hetrec2011-lastfm-2k.tar.gz", folder)
    lastfm = next(f for f in (lastfm, *lastfm.rglob("*")) if (f / "user_artists.dat").exists())
    return {
        "ml-100k": Kind("ml-100k", data_dir / "ml-100k", "svd", (1, 10, 943, 5000), (50, 181, 258), 4, "star"),
        "ml-latest-small": Kind("ml-latest-small", data_dir / "ml-latest-small", "svd", (1, 10, 610, 5000), (50, 260, 1196), 4.5, "star"),
        "lastfm": Kind("lastfm", lastfm, "als-implicit", (2, 10, 2100, 5000), (51, 181, 289), 30, "star"),
        "shop": Kind("shop", shop(folder / "shop"), "als", ("customer-1", "customer-20", "customer-149", "nobody-yet"),
                     ("good-007", "good-031", "good-050"), 7, "number"),
    }


@pytest.fixture(scope="module")
def alone(kinds, servers, run, programs, tmp_path_factory):
    """alone(name, index): what an installation answers that only ever saw this set. Each is asked once."""
    from server import Server
    known = {}

    def answers(name, index):
        if (name, index) not in known:
            place = servers.place()
            kinds[name].prepare(run, place, index)
            server = Server(programs["trivet-serve"], place, tmp_path_factory.mktemp("alone")).start()
            try:
                kinds[name].rate(server)
                known[name, index] = settled(server, kinds[name])
            finally:
                server.stop()
        return known[name, index]

    return answers


def settled(server, kind, before=0):
    """The answers once the counts of items have followed the ratings; a server that starts reads them anew."""
    until(lambda: server.stores.psql("SELECT count(*) FROM trivet.item_change WHERE rev > counted_rev") == "0", seconds=60)
    until(lambda: server.stores.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL") == "0", seconds=60)
    server.stop()
    server.start()
    until(lambda: '"data":null' not in json.dumps(found := kind.answers(server, before)).replace("\\", ""), seconds=60)  # what an index is made of
    return kind.answers(server, before)


def compare(found, expected):
    for path in expected:
        if found[path] != expected[path]:
            here, alone = (json.dumps(a, ensure_ascii=False) for a in (found[path], expected[path]))
            at = next(i for i in range(len(here)) if here[:i + 1] != alone[:i + 1])
            pytest.fail(f"{path}\n  here:  ...{here[max(0, at - 200):at + 200]}\n  alone: ...{alone[max(0, at - 200):at + 200]}", pytrace=False)


@pytest.mark.parametrize("first, second", PAIRS)
def test_two_data_sets_are_never_mixed(run, serve, fresh_stores, kinds, alone, first, second):
    place, a, b = fresh_stores, kinds[first], kinds[second]
    a.prepare(run, place, index=True)
    server = serve(place)
    a.rate(server)
    b.prepare(run, place, index=False)
    until(lambda: server.get("/api/v1/models").json()["live"] == 4)
    b.rate(server)
    compare(settled(server, b, before=2), alone(second, False))
    run("trivet-train", "activate", "2", env=place.env)
    compare(settled(server, a), alone(first, True))
    run("trivet-train", "repair", env=place.env)
    compare(settled(server, a), alone(first, True))
