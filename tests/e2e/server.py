"""trivet-serve as a child of the tests, on a port of its own."""

import contextlib
import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

from stores import Process, free_port


def until(condition, seconds=20):
    """Waits until the condition holds, and returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still not after {seconds} s"
        time.sleep(0.02)
    return value


class Answer:
    """An HTTP answer of any status: errors are answers, too."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


class Server(Process):
    def __init__(self, binary, place, folder, env=None, args=()):
        self.port = free_port()
        super().__init__(f"serve-{self.port}", folder)
        self.binary, self.stores, self.extra, self.args = binary, place, dict(env or {}), list(args)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self):
        return [self.binary, "--listen", f"127.0.0.1:{self.port}", *self.args]

    def environment(self):
        # As ./quickstart starts it: ratings are taken from this machine. A test that gives a token means the token.
        writes = {} if "TRIVET_TOKEN" in self.extra else {"TRIVET_WRITES": "local"}
        return {**clean_environment(), **self.stores.env, "TRIVET_POSTGRES": self.stores.live_uri, **writes, **self.extra}

    def answers(self):
        return self.get("/healthz", timeout=1).status == 200

    def get(self, path, timeout=10, **headers):
        """GET path; header names are given with underscores: get("/", accept="text/html")."""
        return self.send("GET", path, timeout=timeout, **headers)

    def send(self, method, path, body=None, timeout=10, **headers):
        """The same with any method; a body that is not bytes is sent as JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=named, method=method)
        with contextlib.ExitStack() as stack:
            try:
                answer = urllib.request.urlopen(request, timeout=timeout)
            except urllib.error.HTTPError as error:
                answer = error
            stack.enter_context(answer)
            return Answer(answer.status, answer.headers, answer.read())


def clean_environment():
    """Ours without any TRIVET_ setting: what a developer has exported must not reach a program under test."""
    return {k: v for k, v in os.environ.items() if not k.startswith("TRIVET_") or k.startswith("TRIVET_TEST_")}


def preloaded(name, folder):
    """tests/e2e/NAME.c as a library for LD_PRELOAD, built into the folder."""
    library = folder / f"{name}.so"
    source = pathlib.Path(__file__).with_name(f"{name}.c")
    done = subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return library
