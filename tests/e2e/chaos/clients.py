"""Eight clients, a thread each. Each owns users, whose changes so come one after the other, and rates its own item for users
that all of them share: codes that nobody has seen before, at the same moment."""

import http.client
import json
import random
import threading
import time
import urllib.parse

from chaos.journal import Change, Outcome
from chaos.sets import HALF_STARS, ITEMS, LATE_ITEMS, LISTENERS, RARE_ITEMS, TRACKS, USERS

CLIENTS = 8
PATIENCE = 8  # seconds for an answer
READS = ("/api/v1/recs?user_id={user}&top=5", "/api/v1/users/{user}", "/api/v1/items/{item}/similar", "/recs?user_id={user}",
         "/api/v1/items?q=film", "/api/v1/explain?user_id={user}&movie_id={item}", "/readyz", "/metrics")


class Client(threading.Thread):
    def __init__(self, number, chaos):
        super().__init__(name=f"client-{number}", daemon=True)
        self.number, self.chaos, self.rng = number, chaos, random.Random(f"client {chaos.seed} {number}")
        self.changes, self.statuses, self.connection, self.port = [], {}, None, None
        self.users = USERS[number::CLIENTS] + LISTENERS[number::CLIENTS]
        self.items = ITEMS + TRACKS + LATE_ITEMS[:2]
        self.loaded = [pair for s in chaos.sets.values() if s.append for pair in s.rows if pair[0] in self.users]
        self.moment = 0

    def run(self):
        try:
            while not self.chaos.quiet.wait(self.rng.uniform(0.005, 0.04)):
                (self.read if self.rng.random() < 0.3 else self.change)()
        except Exception as error:  # noqa: BLE001: a client that dies is a fault of the test, and told
            self.chaos.fault(f"client {self.number} ended: {error!r}")

    # --- what is asked ---

    def some_user(self):
        dice = self.rng.random()
        if dice < 0.15 or not self.users:
            new = self.rng.choice([str((self.number + 1) * 1_000_000 + len(self.users)), f"visitor-{self.number}-{len(self.users)}",
                                   str(-(self.number + 1) * 1000 - len(self.users))])
            self.users.append(new)
            return new
        if dice < 0.4:  # those who came lately rate more
            return self.rng.choice(self.users[-5:])
        return self.rng.choice(self.users)

    def some_pair(self):
        dice = self.rng.random()
        if dice < 0.25:  # which a load may be bringing at this moment
            return self.rng.choice(self.loaded)
        return self.some_user(), self.rng.choice(RARE_ITEMS if dice < 0.5 else self.items)

    def change(self):
        moment = int((time.time() - self.chaos.began) * 2)
        if moment != self.moment:
            self.moment = moment
            return self.rate_together(f"crowd-{moment}")
        user, item = self.some_pair()
        dice = self.rng.random()
        if dice < 0.15:
            return self.send("DELETE", f"/api/v1/users/{{user}}/ratings/{item}", user, {item: None})
        if dice < 0.55:
            return self.put(user, item)
        wanted = {i: self.rng.choice(HALF_STARS) for i in self.rng.sample(self.items, self.rng.randint(1, 8))}
        if dice < 0.68:
            return self.refuse(user, wanted)
        return self.post(user, wanted, self.rng.choice(["/{user}/ratings", "/api/v1/users/{user}/ratings"]))

    def put(self, user, item):
        value = self.rng.choice(HALF_STARS)
        self.send("PUT", f"/api/v1/users/{{user}}/ratings/{item}", user, {item: value}, value)

    def post(self, user, wanted, path):
        body = [{"movie_id": int(i) if i.isdigit() and self.rng.random() < 0.5 else i, "rating": v} for i, v in wanted.items()]
        self.send("POST", path, user, wanted, body)

    def refuse(self, user, wanted):
        """Good ones, and one that is off the scale, or of an item that nobody knows: nothing may be written."""
        bad = self.rng.choice([(self.rng.choice(self.items), 7), ("99999999", 3)])
        self.post(user, {**wanted, bad[0]: bad[1]}, "/api/v1/users/{user}/ratings")

    def rate_together(self, user):
        """All clients at once, for a code that is as old as this half second; each its own item, half of them refused."""
        item = ITEMS[self.number]
        if self.rng.random() < 0.5:
            self.post(user, {item: 9}, "/api/v1/users/{user}/ratings")
        else:
            self.put(user, item)

    def read(self):
        path = self.rng.choice(READS).format(user=urllib.parse.quote(self.rng.choice(self.users)), item=self.rng.choice(self.items))
        status, body = self.exchange("GET", path, None)
        if status == 500:
            self.chaos.fault(f"GET {path} gives 500: {body[:200]}")

    # --- and how ---

    def send(self, method, path, user, values, body=None):
        c = Change(self.number, user, values, time.time())
        self.changes.append(c)
        c.status, c.text = self.exchange(method, path.format(user=urllib.parse.quote(user)), body)
        c.done = time.time()
        if c.status in (200, 202):
            c.outcome = Outcome.TAKEN
            answer = json.loads(c.text)
            c.rev = answer["rev"] if isinstance(answer, dict) else 0
        elif c.status == 404 and method == "DELETE":
            c.outcome = Outcome.TAKEN  # there is none: so it must be
        elif 400 <= c.status < 500:
            c.outcome = Outcome.REFUSED
        if c.status in (400, 500):
            self.chaos.fault(f"{method} {path} of {user} gives {c.status}: {c.text[:300]}")

    def exchange(self, method, path, body):
        """Status and text; 0 where no whole answer came."""
        status, text = 0, ""
        try:
            if self.connection is None:
                self.port = self.rng.choice(self.chaos.ports)
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            self.connection.request(method, path, None if body is None else json.dumps(body),
                                    {"Authorization": f"Bearer {self.chaos.token}"})
            answer = self.connection.getresponse()
            status, text = answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            status = 0
        if status in (0, 503) and self.connection:
            self.connection.close()
            self.connection = None
        key = f"{method} {status}"
        self.statuses[key] = self.statuses.get(key, 0) + 1
        return status, text
