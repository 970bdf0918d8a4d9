#!/usr/bin/python3
"""Runs the pgTAP tests of this folder with pg_prove, on a private PostgreSQL that carries the schema.

usage: tests/sql/run.py [FILE.sql ...]; the programs come from $TRIVET_TEST_BUILD (default build/)
Each file starts with the schema applied and pgTAP installed, in a database of its own.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from stores import REPO, Postgres  # noqa: E402


def prepare(postgres):
    """The template that every file's database is copied from."""
    build = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build"))
    postgres.psql("CREATE DATABASE prepared")
    subprocess.run([build / "etl/trivet-etl", "schema"], check=True, stdout=subprocess.DEVNULL,
                   env={"PATH": os.environ["PATH"], "TRIVET_LOG": "error", "TRIVET_POSTGRES": postgres.uri("prepared")})
    postgres.psql("CREATE EXTENSION pgtap", "prepared")


def prove(postgres, files):
    failed = False
    for number, file in enumerate(files):
        database = f"sql_{number}"
        postgres.psql(f"CREATE DATABASE {database} TEMPLATE prepared")
        done = subprocess.run(["pg_prove", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres", "-d",
                               database, str(file)])
        failed = failed or done.returncode != 0
    return failed


def main():
    files = [pathlib.Path(a) for a in sys.argv[1:]] or sorted(HERE.glob("*.sql"))
    if not files:
        sys.exit(f"no .sql tests in {HERE}")
    with tempfile.TemporaryDirectory(prefix="trivet-sql-") as folder:
        os.chmod(folder, 0o711)
        postgres = Postgres(pathlib.Path(folder)).start()
        try:
            prepare(postgres)
            return prove(postgres, files)
        finally:
            postgres.stop()


if __name__ == "__main__":
    sys.exit(main())
