"""One run: stores on disks of their own, two servers, eight clients, two lines of commands, and what happens to them."""

import collections
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time

from chaos import plan, sets
from chaos.clients import CLIENTS, Client
from chaos.commands import Commands
from chaos.disk import Disk
from chaos.outages import Outages
from server import Server, clean_environment
from stores import Mongo, Place, Postgres, Redis




class SmallPostgres(Postgres):
    """As a careful operator runs it, but for what a small disk allows: WAL comes in pieces of 1 MB."""

    initdb_options = ["--wal-segsize=1"]

    def command(self):
        return [*super().command(), "-c", "fsync=on", "-c", "min_wal_size=2MB", "-c", "max_wal_size=24MB",
                "-c", "max_connections=60", "-c", "shared_buffers=32MB"]


class Chaos:
    token = "chaos"
    DISKS = {"postgres": 500, "mongo": 900, "redis": 300, "serve-0": 40, "serve-1": 40}

    def __init__(self, seed, seconds, programs, calm=False):
        """`calm`: nothing is done to anybody."""
        self.seed, self.seconds, self.programs, self.calm = seed, seconds, programs, calm
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"trivet-chaos-{seed}-"))
        self.folder.chmod(0o711)
        self.faults, self.notes, self.lock = [], [], threading.Lock()
        self.quiet = threading.Event()  # nobody rates or trains any more
        self.over = threading.Event()   # all is compared
        self.dice = random.Random(f"dice {seed}")
        self.processes, self.disks, self.threads, self.began, self.copies = {}, {}, [], time.time(), 0

    # --- telling ---

    def note(self, text):
        with self.lock:
            self.notes.append(f"{time.time() - self.began:7.2f} {text}")

    def fault(self, text):
        self.note("FAULT " + text)
        with self.lock:
            if text not in self.faults:
                self.faults.append(text)

    # --- beginning ---

    def prepare(self):
        """Stores, a first load, a first model, a first index, and the servers."""
        for name, megabytes in self.DISKS.items():
            self.disks[name] = Disk(self.folder / f"disk-{name}", megabytes)
        for name, kind in (("postgres", SmallPostgres), ("mongo", Mongo), ("redis", Redis)):
            store = self.processes[name] = kind(self.disks[name].folder)
            store.log_path = self.folder / f"{name}.log"
            store.start()
        self.postgres, self.mongo, self.redis = (self.processes[n] for n in ("postgres", "mongo", "redis"))
        self.place = Place(self)
        self.sets = sets.make(self.seed, self.folder)
        self.must("trivet-etl", "load", "--name", "chaos", "--ids", "codes", self.sets["base"].folder)
        self.must(*plan.FIT)
        self.must("trivet-train", "similar")
        for name in ("serve-0", "serve-1"):
            self.processes[name] = self.server(self.disks[name].folder).start()

    def server(self, folder):
        return Server(self.programs["trivet-serve"], self.place, folder, {"TRIVET_TOKEN": self.token})

    @property
    def ports(self):
        return [self.processes[name].port for name in ("serve-0", "serve-1")]

    def program(self, *words, place=None):
        """A command that nobody disturbs: its exit code and all it says."""
        done = subprocess.run([str(self.programs[words[0]]), *map(str, words[1:])], stdin=subprocess.DEVNULL, text=True,
                              env={**clean_environment(), **(place or self.place).env}, capture_output=True, timeout=300)
        self.note(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.returncode, done.stdout + done.stderr

    def must(self, *words, place=None):
        code, text = self.program(*words, place=place)
        if code != 0:
            self.fault(f"{' '.join(map(str, words))} ends with {code}, and nothing is amiss: {text[-1500:]}")
        return text

    # --- the run ---

    def rage(self):
        """Until all clients are silent, all commands over, and every process up again."""
        self.began = time.time()
        outages = [Outages(self, name, process, self.disks[name], [] if self.calm else plan.events(self.seed, name, self.seconds))
                   for name, process in self.processes.items()]
        self.clients = [Client(n, self) for n in range(CLIENTS)]
        self.commands = [Commands("training", self, plan.TRAINING, plan.TRAINING),
                         Commands("loading", self, plan.LOADING, plan.INDEXING)]
        self.threads = [*outages, *self.clients, *self.commands]
        for thread in self.threads:
            thread.start()
        self.quiet.wait(self.seconds)
        self.quiet.set()
        for thread in (*self.clients, *self.commands):
            thread.join(180)
            if thread.is_alive():
                self.fault(f"{thread.name} does not end")
        for outage in outages:
            if not outage.settled.wait(120):
                self.fault(f"{outage.name} was not brought up again")

    def fresh_place(self):
        """The same ratings and journal, in stores that have nothing else: to see what trivet makes of them now."""
        self.copies += 1
        name = f"copy_{self.copies}"
        self.postgres.psql(f"CREATE DATABASE {name}")
        place = Place(self, name, name, self.copies)
        dump = subprocess.run([self.postgres.bin / "pg_dump", "-d", self.place.postgres_uri], capture_output=True, check=True)
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", place.postgres_uri], input=dump.stdout, check=True,
                       stdout=subprocess.DEVNULL)
        return place

    def summary(self):
        """What came to pass, for people."""
        statuses, codes = collections.Counter(), {}
        for client in self.clients:
            statuses.update(client.statuses)
        for line in self.commands:
            for name, of_code in line.codes.items():
                for code, took in of_code.items():
                    codes[name, code] = codes.get((name, code), 0) + len(took)
        outcomes = collections.Counter(c.outcome.value for c in self.changes())
        events = collections.Counter(f"{t.name} {e.action}" for t in self.threads if isinstance(t, Outages) for e in t.events)
        full = all(disk.bounded for disk in self.disks.values())
        return "\n".join([f"answers: {dict(sorted(statuses.items()))}", f"changes: {dict(outcomes)}",
                          f"commands by exit code: {dict(sorted(codes.items()))}", f"events: {dict(sorted(events.items()))}",
                          "" if full else "NO FULL DISKS: " + next(d.why_not for d in self.disks.values() if not d.bounded)])

    def logs(self):
        """{name: all that it said} of servers and commands."""
        logs = {name: process.log() for name, process in self.processes.items() if name.startswith("serve")}
        logs.update({path.name: path.read_text(errors="replace") for path in self.folder.glob("*ing.log")})
        return {**logs, "chaos.log": "\n".join(note for note in self.notes if "FAULT" not in note)}

    def changes(self):
        return sorted((c for client in self.clients for c in client.changes), key=lambda c: c.sent)

    # --- the end ---

    def end(self, keep):
        """Ends every process. The folder stays for a look where `keep`; without the disks of the stores."""
        self.quiet.set()
        self.over.set()
        for thread in self.threads:
            thread.join(60)
        for process in self.processes.values():
            if process.running:
                process.resume()
                process.kill()
        for name, disk in self.disks.items():
            for log in disk.folder.glob("*.log"):
                shutil.copy(log, self.folder)
            disk.end()
        (self.folder / "chaos.log").write_text("\n".join(self.notes) + "\n")
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
