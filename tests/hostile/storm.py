#!/usr/bin/env python3
"""Sends hostile requests to a server, many at once, and tells what became of each: answered or closed in its time, or not.

    tests/hostile/storm.py --port 5001 --requests 1000000 --pid PID --seed 1 --processes 2 --timeout 15

Ends with 1 if one was not. Requests that rate are among them, so not against a server that is in use.
"""

import argparse
import collections
import concurrent.futures
import errno
import heapq
import json
import pathlib
import re
import selectors
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from requests import CLOSE, HALF, RESET, attack  # noqa: E402

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
AT_ONCE = 300
GONE = (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)


class Client:
    """One attack under way. `late` is when the server should have answered or closed at the latest."""

    def __init__(self, number, what, port, patience):
        self.number, self.what = number, what
        self.socket = socket.socket()
        self.socket.setblocking(False)
        # More addresses than one, as there are only so many ports to call from.
        self.socket.bind((f"127.{number % 200 + 1}.{number // 200 % 250}.1", 0))
        self.socket.connect_ex(("127.0.0.1", port))
        self.late = time.monotonic() + patience + what.pause * len(what.pieces)
        self.piece, self.at, self.answer = 0, 0, b""

    @property
    def sent(self):
        return self.piece == len(self.what.pieces)

    def send(self):
        """Of the present piece what the socket takes; True when all of it is sent."""
        text = self.what.pieces[self.piece]
        if self.at < len(text):
            try:
                self.at += self.socket.send(text[self.at:])
            except BlockingIOError:
                return False
        if self.at < len(text):
            return False
        self.piece, self.at = self.piece + 1, 0
        return True

    def receive(self):
        """True at the end of the connection, or when the first answer has begun."""
        try:
            got = self.socket.recv(1 << 16)
        except BlockingIOError:
            return False
        self.answer = (self.answer + got)[:1 << 16]
        return not got or self.outcome() != "closed"

    def outcome(self):
        found = [status for status in STATUS.findall(self.answer) if status != b"100"]
        return found[0].decode() if found else "closed"

    def leave(self, rude=False):
        if rude:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Storm:
    def __init__(self, port, seed, numbers, timeout):
        self.port, self.seed, self.numbers, self.patience = port, seed, iter(numbers), timeout
        self.selector, self.pauses = selectors.DefaultSelector(), []
        self.outcomes, self.late, self.open = collections.Counter(), [], {}

    def begin(self):
        number = next(self.numbers, None)
        if number is None:
            return False
        client = Client(number, attack(self.seed, number), self.port, self.patience)
        self.open[number] = client
        self.selector.register(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
        return True

    def finish(self, client, outcome, rude=False):
        self.outcomes[outcome] += 1
        self.selector.unregister(client.socket)
        client.leave(rude)
        del self.open[client.number]

    def watch(self, client, events):
        self.selector.modify(client.socket, events, client)

    def go_on_sending(self, client):
        while not client.sent:
            if not client.send():
                return
            if client.what.pause and not client.sent:
                self.watch(client, selectors.EVENT_READ)
                heapq.heappush(self.pauses, (time.monotonic() + client.what.pause, client.number))
                return
        if client.what.end in (CLOSE, RESET):
            return self.finish(client, "left", client.what.end == RESET)
        if client.what.end == HALF:
            client.socket.shutdown(socket.SHUT_WR)
        self.watch(client, selectors.EVENT_READ)

    def step(self, client, events):
        try:
            if events & selectors.EVENT_READ and client.receive():
                return self.finish(client, client.outcome(), client.number % 2)
            if events & selectors.EVENT_WRITE:
                self.go_on_sending(client)
        except OSError as error:  # the server has closed while we were sending
            if error.errno not in GONE:
                raise
            self.finish(client, client.outcome())

    def wake(self):
        now = time.monotonic()
        while self.pauses and self.pauses[0][0] <= now:
            client = self.open.get(heapq.heappop(self.pauses)[1])
            if client:
                self.watch(client, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def give_up_late_ones(self):
        for client in [c for c in self.open.values() if c.late < time.monotonic()]:
            self.late.append(client.number)
            self.finish(client, "late", rude=True)

    def run(self):
        more, looked = True, time.monotonic()
        while more or self.open:
            while more and len(self.open) < AT_ONCE:
                more = self.begin()
            for key, events in self.selector.select(0.05):
                self.step(key.data, events)
            self.wake()
            if time.monotonic() > looked + 0.2:
                self.give_up_late_ones()
                looked = time.monotonic()
        return dict(self.outcomes), self.late


def storm(port, seed, numbers, timeout):
    """({"400": n, "closed": n, "left": n, ...}, [numbers of those that were neither answered nor closed in `timeout` seconds])."""
    return Storm(port, seed, numbers, timeout).run()


def resident_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def open_connections(port):
    """Of the server on that port, as the kernel counts them: neither those it listens on nor those nobody owns any more."""
    lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(f[1].endswith(f":{port:04X}") and f[3] != "0A" and f[9] != "0" for f in lines)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pid", type=int, required=True, help="of the server, whose memory is watched")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=18, help="the server's --request-timeout and a little")
    parser.add_argument("--every", type=int, default=50_000, help="a line with figures after so many")
    return parser.parse_args()


def main():
    o = parse_arguments()
    total, late, began = collections.Counter(), [], time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(o.processes) as pool:
        for at in range(0, o.requests, o.every):
            end = min(at + o.every, o.requests)
            parts = [range(at + i, end, o.processes) for i in range(o.processes)]
            for outcomes, missed in pool.map(storm, [o.port] * len(parts), [o.seed] * len(parts), parts, [o.timeout] * len(parts)):
                total.update(outcomes)
                late += missed
            print(json.dumps({"requests": end, "seconds": round(time.monotonic() - began), "rss_kb": resident_kb(o.pid),
                              "open": open_connections(o.port), **dict(sorted(total.items()))}), flush=True)
    print(f"late: {late}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
