"""Real private stores for tests: one class a server, each on a port of its own with its data in a temporary folder.

A store is started, stopped, killed (SIGKILL, as a crash), paused (SIGSTOP, as a machine that hangs) and resumed.
Whatever goes wrong while starting is told with the tail of the server's own log. A server dies with the test run,
even when that is killed: the kernel sends it the signal we ask for below.
"""

import atexit
import contextlib
import ctypes
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from sessions import Sessions, SqlError, ask_once

REPO = pathlib.Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1
START_SECONDS = 60


class StoreError(Exception):
    """A store that does not start or stop; the message holds the end of its log."""


def free_port():
    """A port nobody listens on, below the range from which the kernel takes ports for outgoing connections.

    Test runs side by side (pytest -n 2) have ranges of their own, because a port is asked for before it is taken."""
    runs, own = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)), int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    width = 12000 // runs
    for _ in range(1000):
        port = 20000 + own * width + random.randrange(width)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise StoreError("no free port between 20000 and 32000")


def die_with_parent(sig):
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, sig)


def descendants(pid):
    """The process and all below it: PostgreSQL's backends live in sessions of their own, so no group holds them."""
    pids = [pid]
    for parent in pids:
        try:
            text = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            continue
        pids += [int(child) for child in text.split()]
    return pids


class Process:
    """One child with its output in a file; what stores and trivet-serve have in common."""

    stop_signal = signal.SIGTERM
    user = None  # another account to run as

    def __init__(self, name, folder):
        self.name = name
        self.folder = pathlib.Path(folder)
        self.log_path = self.folder / f"{name}.log"
        self.child = None

    def command(self):
        raise NotImplementedError

    def answers(self):
        """True once it serves; False or an exception while it does not yet."""
        raise NotImplementedError

    def environment(self):
        return None

    @property
    def running(self):
        return self.child is not None and self.child.poll() is None

    @property
    def pid(self):
        return self.child.pid

    def log(self, lines=None):
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return text if lines is None else "\n".join(text.splitlines()[-lines:])

    def start(self):
        account = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env=self.environment(), cwd=self.folder, start_new_session=True,
                                          preexec_fn=die_with_parent(self.stop_signal), **account)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers_now():
            if self.child.poll() is not None:
                raise StoreError(f"{self.name} ended with {self.child.returncode}; its log ends:\n{self.log(20)}")
            if time.monotonic() > deadline:
                self.kill()
                raise StoreError(f"{self.name} gave no answer in {START_SECONDS} s; its log ends:\n{self.log(20)}")
            time.sleep(0.02)
        return self

    def _answers_now(self):
        try:
            return self.child.poll() is None and self.answers()
        except OSError:
            return False

    def stop(self, timeout=30):
        """Orderly end; a process that does not go in time is killed and reported."""
        self.tell_to_stop()
        self.wait_for_end(timeout)

    def tell_to_stop(self):
        if self.running:
            self.resume()
            self.child.send_signal(self.stop_signal)

    def wait_for_end(self, timeout=30):
        if not self.running:
            return
        try:
            self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise StoreError(f"{self.name} did not stop in {timeout} s; its log ends:\n{self.log(20)}") from None

    def kill(self):
        """SIGKILL, to everything it started as well: a crash."""
        if self.running:
            self._signal_all(signal.SIGKILL)
            self.child.wait()

    def pause(self):
        self._signal_all(signal.SIGSTOP)

    def resume(self):
        self._signal_all(signal.SIGCONT)

    def restart(self):
        self.stop()
        return self.start()

    def _signal_all(self, sig):
        for pid in descendants(self.child.pid):
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass


class Store(Process):
    def __init__(self, name, folder):
        super().__init__(name, folder)
        self.port = free_port()
        self.data = self.folder / name
        self.data.mkdir()

    def _talk(self, request, size):
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as s:
            s.sendall(request)
            return s.recv(size)


class Postgres(Store):
    stop_signal = signal.SIGINT  # fast shutdown; SIGTERM would wait for clients to leave
    initdb_options = []
    made = {}  # by initdb's options: a cluster that was never started, of which those of this process are copies

    def __init__(self, folder):
        super().__init__("postgres", folder)
        self.sessions = Sessions()
        self.bin = self._find_bin()
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self.user = "postgres"
            shutil.chown(self.data, "postgres", "postgres")
        self._initdb()

    @staticmethod
    def _find_bin():
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
        if found:
            return found[-1].parent
        if shutil.which("initdb"):
            return pathlib.Path(shutil.which("initdb")).parent
        raise StoreError("no PostgreSQL server: apt-get install postgresql")

    def _initdb(self):
        """A copy takes a third of the processor's time that initdb takes."""
        options = tuple(self.initdb_options)
        if options not in Postgres.made:
            folder = pathlib.Path(tempfile.mkdtemp(prefix="trivet-initdb-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            if self.user:
                shutil.chown(folder, self.user, self.user)
            self._as_owner(self.bin / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                           "--no-sync", *options)
            Postgres.made[options] = folder / "data"
        self._as_owner("cp", "-a", f"{Postgres.made[options]}/.", self.data)

    def _as_owner(self, *command):
        account = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, **account)
        if done.returncode != 0:
            raise StoreError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")

    def command(self):
        # Without fsync a crash of the machine could lose data, a killed server cannot: the kernel holds its writes.
        return [self.bin / "postgres", "-D", self.data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                "-c", f"unix_socket_directories={self.data}", "-c", "fsync=off"]

    def answers(self):
        done = subprocess.run([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)])
        return done.returncode == 0

    def uri(self, database="postgres"):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def psql(self, sql, database="postgres"):
        """Runs SQL; gives the unaligned rows of the last statement as text, fields divided by a bar."""
        try:
            return self.sessions.ask(self.uri(database), sql)
        except SqlError as error:
            raise StoreError(f"psql failed: {error}") from None

    @staticmethod
    def ask(uri, sql):
        """The same in a session of its own, at any address."""
        try:
            return ask_once(uri, sql)
        except SqlError as error:
            raise StoreError(f"psql failed: {error}") from None


class Mongo(Store):
    def __init__(self, folder):
        super().__init__("mongo", folder)
        self.binary = self.find()

    @staticmethod
    def find():
        for path in (os.environ.get("TRIVET_TEST_MONGOD"), shutil.which("mongod"), REPO / ".run/bin/mongod"):
            if path and pathlib.Path(path).exists():
                return pathlib.Path(path)
        raise StoreError("no mongod on PATH, in $TRIVET_TEST_MONGOD or .run/bin: ./check fetches one")

    def command(self):
        return [self.binary, "--dbpath", self.data, "--port", str(self.port), "--bind_ip", "127.0.0.1",
                "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25",
                "--setParameter", "diagnosticDataCollectionEnabled=false",
                "--setParameter", "enableTestCommands=1"]  # failCommand: errors that come at a bad moment alone

    def answers(self):
        import pymongo  # here, so that a test without MongoDB needs no client of it
        try:
            with pymongo.MongoClient(self.uri(), serverSelectionTimeoutMS=500) as client:
                return client.admin.command("ping")["ok"] == 1
        except pymongo.errors.PyMongoError:
            return False

    def uri(self, database=""):
        return f"mongodb://127.0.0.1:{self.port}/{database}".rstrip("/")


class Redis(Store):
    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.data,
                "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--save", "", "--databases", "1000"]

    def __init__(self, folder):
        super().__init__("redis", folder)
        if not shutil.which("redis-server"):
            raise StoreError("no redis-server: apt-get install redis-server")

    def answers(self):
        return self._talk(b"PING\r\n", 7).startswith(b"+PONG")

    def uri(self, database=0):
        return f"redis://127.0.0.1:{self.port}/{database}"


class PgBouncer(Process):
    """A pooler in front of a PostgreSQL of ours, for every database and login of it."""

    def __init__(self, folder, postgres, **settings):
        super().__init__("pgbouncer", folder)
        self.postgres, self.port, self.user = postgres, free_port(), postgres.user
        self.binary = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if self.binary is None:
            raise StoreError("no pgbouncer: apt-get install pgbouncer")
        logins = self.folder / "logins.txt"
        logins.write_text("".join(f'"{login}" ""\n' for login in postgres.psql("SELECT rolname FROM pg_roles").split()))
        self.settings = self.folder / "pgbouncer.ini"
        settings = {"listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "", "auth_type": "trust",
                    "auth_file": logins, **settings}
        self.settings.write_text(f"[databases]\n* = host=127.0.0.1 port={postgres.port}\n[pgbouncer]\n" +
                                 "".join(f"{name} = {value}\n" for name, value in settings.items()))
        self.folder.chmod(0o755)

    def command(self):
        return [self.binary, self.settings]

    def answers(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True

    def uri(self, database="postgres"):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"


class Place:
    """Where one test's data live: a database in each of the three stores, and the environment that names them."""

    def __init__(self, servers, postgres="postgres", mongo="recsys", redis=0):
        self.postgres, self.mongo, self.redis = servers.postgres, servers.mongo, servers.redis
        self.postgres_database, self.mongo_database, self.redis_database = postgres, mongo, redis

    @property
    def postgres_uri(self):
        return self.postgres.uri(self.postgres_database)

    @property
    def page_uri(self):
        """The login that can only read: of SQL that people write, and of the pages /lab and /models."""
        return self.postgres_uri.replace("//postgres@", "//trivet_page@")

    @property
    def live_uri(self):
        """The login with which trivet-serve writes ratings."""
        return self.postgres_uri.replace("//postgres@", "//trivet_live@")

    @property
    def mongo_uri(self):
        return self.mongo.uri(self.mongo_database)

    @property
    def redis_uri(self):
        return self.redis.uri(self.redis_database)

    @property
    def env(self):
        return {"TRIVET_POSTGRES": self.postgres_uri, "TRIVET_READER": self.page_uri, "TRIVET_MONGO": self.mongo_uri,
                "TRIVET_REDIS": self.redis_uri}

    def psql(self, sql):
        return self.postgres.psql(sql, self.postgres_database)

    @contextlib.contextmanager
    def locked(self, program):
        """Another session, of that program's name, has the lock that trainings and loads take one after the other."""
        import psycopg2
        connection = psycopg2.connect(self.postgres_uri, application_name=program)
        try:
            connection.autocommit = True
            connection.cursor().execute("SELECT pg_advisory_lock(trivet.lock_key())")
            yield
        finally:
            connection.close()

    def mongo_db(self):
        import pymongo
        return pymongo.MongoClient(self.mongo_uri, serverSelectionTimeoutMS=3000)[self.mongo_database]

    def catalogue(self):
        """The item documents of the live model's data set, which the view `item` shows: a collection, to be changed."""
        database = self.mongo_db()
        (view,) = database.list_collections(filter={"name": "item"})
        return database[view["options"]["viewOn"]]

    def redis_client(self):
        import redis
        return redis.Redis.from_url(self.redis_uri)


class Servers:
    """The three stores together, in one temporary folder that every account may enter."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="trivet-test-"))
        self.folder.chmod(0o711)
        self.started = []
        self.places, self.template = 0, None
        try:
            self.postgres = self._start(Postgres(self.folder))
            self.mongo = self._start(Mongo(self.folder))
            self.redis = self._start(Redis(self.folder))
        except BaseException:
            self.end()
            raise

    def _start(self, store):
        self.started.append(store)
        return store.start()

    def place(self, etl=None):
        """An empty database of its own in each store; cheap, so every test can have one. With the path of trivet-etl Postgres has
        the schema already, which takes half a second to make and a tenth to copy."""
        self.places += 1
        name = f"place_{self.places}"
        self.postgres.psql(f"CREATE DATABASE {name}" + (f" TEMPLATE {self._with_schema(etl)}" if etl else ""))
        return Place(self, name, name, self.places)

    def _with_schema(self, etl):
        if not self.template:
            self.postgres.psql("CREATE DATABASE with_schema")
            subprocess.run([etl, "schema"], check=True, capture_output=True,
                           env={"PATH": os.environ["PATH"], "TRIVET_POSTGRES": self.postgres.uri("with_schema")})
            self.template = "with_schema"
        return self.template

    def end(self):
        for store in reversed(self.started):
            if store.running:
                store.kill()  # nobody reads these data again
        shutil.rmtree(self.folder, ignore_errors=True)
