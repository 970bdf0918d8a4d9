"""What happens to stores and servers. Each has a thread of its own, which does to it what the plan says, one event after
the other, and starts it again; so outages of several processes overlap, and those of one do not.

The threads live until all is compared: a process of ours ends when the thread that started it does.
"""

import os
import signal
import threading
import time

from stores import StoreError, descendants

START_TRIES = 8
SERVER_ENDS_IN = 20  # seconds: ten are promised, and this machine is busy


class Outages(threading.Thread):
    def __init__(self, chaos, name, process, disk, events):
        super().__init__(name=name, daemon=True)
        self.chaos, self.process, self.disk, self.events = chaos, process, disk, events
        self.settled = threading.Event()  # the last event is over, and the process is up

    def run(self):
        try:
            for event in self.events:
                self._watch_until(self.chaos.began + event.at)
                self._note(f"{event.action} {event.seconds:.1f} s")
                getattr(self, "do_" + event.action)(event.seconds)
                self._up()
        except Exception as error:  # noqa: BLE001: told at the end
            self.chaos.fault(f"{self.name}: {error!r}")
        self.settled.set()
        self._watch_until(None)

    def _note(self, text):
        self.chaos.note(f"{self.name}: {text}")

    def _watch_until(self, moment):
        """Waits; None: until all is over. Starts what ended by itself, which a server must not."""
        while not self.chaos.over.wait(0.1) and (moment is None or time.time() < moment):
            if not self.process.running:
                self._ended()
                self._up()

    def _ended(self):
        text = f"ended by itself with {self.process.child.returncode}; its log ends:\n{self.process.log(15)}"
        if self.is_server:
            self.chaos.fault(f"{self.name} {text}")
        else:
            self._note(text)

    @property
    def is_server(self):
        return self.name.startswith("serve")

    def _up(self):
        """Runs again; a store that was told so by a full disk may need several tries."""
        for attempt in range(START_TRIES):
            if self.process.running:
                return
            try:
                self.process.start()
            except StoreError as error:
                self._note(f"start {attempt + 1}: {error}")
                if self.is_server:
                    self.chaos.fault(f"{self.name} does not start: {error}")
                self.process.kill()
                time.sleep(1)
        if not self.process.running:
            raise StoreError(f"{self.name} could not be started {START_TRIES} times")

    # --- the events ---

    def do_kill(self, seconds):
        self.process.kill()
        time.sleep(seconds)

    def do_stop(self, seconds):
        began = time.monotonic()
        if not self.is_server:
            self._stop_store()
        else:
            self.process.child.send_signal(signal.SIGTERM)
            self._wait_for_the_end(began)
        time.sleep(seconds)

    def _stop_store(self):
        try:
            self.process.stop()
        except StoreError as error:
            self._note(str(error))

    def _wait_for_the_end(self, began):
        while self.process.running and time.monotonic() - began < 3 * SERVER_ENDS_IN:
            time.sleep(0.02)
        took = time.monotonic() - began
        if took > SERVER_ENDS_IN:
            self.chaos.fault(f"{self.name} took {took:.1f} s to end after SIGTERM")
        if not self.process.running and self.process.child.returncode != 0:
            self.chaos.fault(f"{self.name} ended with {self.process.child.returncode} after SIGTERM:\n{self.process.log(15)}")
        self.process.kill()

    def do_freeze(self, seconds):
        self.process.pause()
        time.sleep(seconds)
        self.process.resume()

    def do_fill(self, seconds):
        self.disk.fill()
        time.sleep(seconds)
        self.disk.free()

    def do_backend(self, _seconds):
        """SIGKILL for one process of PostgreSQL's, whichever it is: all others have to begin anew."""
        below = [pid for pid in descendants(self.process.pid) if pid != self.process.pid]
        if below:
            try:
                os.kill(self.chaos.dice.choice(below), signal.SIGKILL)
            except ProcessLookupError:
                pass
