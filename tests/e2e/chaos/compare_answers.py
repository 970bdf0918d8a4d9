"""What a server says that lived through it all is what one says that has just been started."""

import json
import time
import urllib.parse

CATCH_UP = 45  # seconds: catalogues are read again half a minute after counts change, at the latest


def compare(old, fresh, users, fault):
    for user in users:
        name = urllib.parse.quote(user)
        for path in (f"/api/v1/recs?user_id={name}&top=20", f"/api/v1/users/{name}"):
            deadline = time.monotonic() + CATCH_UP
            while difference := _first_difference(_ask(old, path), _ask(fresh, path)):
                if time.monotonic() > deadline:
                    return fault(f"{path} differs on a server that was there and a new one: {difference}")
                time.sleep(0.5)


def _ask(server, path):
    answer = server.get(path)
    return {"status": answer.status, **json.loads(answer.body)}


def _first_difference(a, b, where=""):
    """As text; empty if there is none."""
    if type(a) is type(b) is dict and a.keys() == b.keys():
        pairs = [(f"{where}.{k}", a[k], b[k]) for k in a]
    elif type(a) is type(b) is list and len(a) == len(b):
        pairs = [(f"{where}[{n}]", *both) for n, both in enumerate(zip(a, b))]
    else:
        return "" if a == b else f"{where} {a!r:.200} and {b!r:.200}"
    return next((text for place, x, y in pairs if (text := _first_difference(x, y, place))), "")
