"""Loads, trainings and index builds, one after the other in two threads, each with its fate."""

import random
import shutil
import signal
import subprocess
import threading
import time

import psycopg2

from chaos import plan
from server import clean_environment
from stores import die_with_parent

HANGS_AFTER = 90  # seconds: no outage lasts longer than six
USUAL = {0, 3, 4, 5, 6}


class Commands(threading.Thread):
    def __init__(self, name, chaos, before, after):
        """`before` the time of loads is over, and `after`: what is run, by weight."""
        super().__init__(name=name, daemon=True)
        self.chaos, self.kinds, self.rng = chaos, (before, after), random.Random(f"{name} {chaos.seed}")
        self.codes, self.log = {}, open(chaos.folder / f"{name}.log", "ab", buffering=0)

    def run(self):
        try:
            while not self.chaos.quiet.wait(self.rng.uniform(0, 0.6)):
                loads_are_over = time.time() > self.chaos.began + self.chaos.seconds * plan.QUIET_SHARE
                words = self._fill_in(plan.command(self.rng, self.kinds[loads_are_over]))
                self._one(words, plan.Fate() if self.chaos.calm else plan.fate(self.rng))
        except Exception as error:  # noqa: BLE001: told at the end
            self.chaos.fault(f"{self.name}: {error!r}")

    def _fill_in(self, words):
        sets = list(self.chaos.sets.values())
        choices = {"SET": [str(s.folder) for s in sets if not s.append], "MORE": [str(s.folder) for s in sets if s.append]}
        if "NUMBER" in words:
            choices["NUMBER"] = self._kept()
        return [self.rng.choice(choices[w]) if w in choices else w for w in words]

    def _kept(self):
        try:
            with psycopg2.connect(self.chaos.place.postgres_uri, connect_timeout=2) as db, db.cursor() as cursor:
                cursor.execute("SELECT id::text FROM trivet.run WHERE state IN ('kept', 'live') ORDER BY id")
                return [row[0] for row in cursor.fetchall()] or ["1"]
        except psycopg2.Error:
            return ["1"]

    def _one(self, words, fate):
        began = time.time()
        self.log.write(f"--- {began - self.chaos.began:.1f} {' '.join(words)} ({fate.action} {fate.after:.2f})\n".encode())
        start = self.log.tell()
        child = subprocess.Popen([str(self.chaos.programs[words[0]]), *words[1:]], stdin=subprocess.DEVNULL, stdout=self.log,
                                 stderr=self.log, env={**clean_environment(), **self.chaos.place.env},
                                 preexec_fn=die_with_parent(signal.SIGKILL))
        hurt = self._meet(child, fate)
        self._judge(words, child, hurt, began, start)

    def _meet(self, child, fate):
        """Lets the fate come true, and waits for the end; True: a signal has reached it."""
        if fate.action == "none" or self._wait(child, fate.after):
            self._wait(child, HANGS_AFTER)
            return False
        if fate.action == "freeze":
            child.send_signal(signal.SIGSTOP)
            time.sleep(fate.seconds)
            child.send_signal(signal.SIGCONT)
        else:
            child.send_signal(signal.SIGKILL if fate.action == "kill" else signal.SIGTERM)
        self._wait(child, HANGS_AFTER)
        return fate.action in ("kill", "term")

    @staticmethod
    def _wait(child, seconds):
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _judge(self, words, child, hurt, began, start):
        what = " ".join(words)
        usual = USUAL | ({2} if "--guard" in words else set())  # where the live model has another min_rating
        if child.poll() is None:
            self.log.write(self._stacks(child))
            child.kill()
            child.wait()
            self.chaos.fault(f"{what} did not end in {HANGS_AFTER} s; it said\n{self._said(start)}")
        elif not hurt and child.returncode not in usual:
            self.chaos.fault(f"{what} ended with {child.returncode}; it said\n{self._said(start)}")
        elif hurt and child.returncode not in usual | {1, -signal.SIGKILL, -signal.SIGTERM}:
            self.chaos.fault(f"{what} ended with {child.returncode} after a signal; it said\n{self._said(start)}")
        self.codes.setdefault(words[1], {}).setdefault(child.returncode, []).append(round(time.time() - began, 1))

    @staticmethod
    def _stacks(child):
        """Where each thread of it is, if there is a gdb."""
        if not shutil.which("gdb"):
            return b""
        return subprocess.run(["gdb", "-batch", "-ex", "thread apply all bt 20", "-p", str(child.pid)], capture_output=True).stdout

    def _said(self, start):
        with open(self.log.name, "rb") as f:
            f.seek(start)
            return f.read().decode(errors="replace")[-4000:]
