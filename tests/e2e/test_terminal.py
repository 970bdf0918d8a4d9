"""What client libraries have to say goes to the log, and not past it to the terminal."""

import pytest
from server import preloaded


@pytest.mark.parametrize("program", ["trivet-etl", "trivet-train", "trivet-serve"])
def test_mongodbs_driver_is_silent_where_it_gets_no_shared_memory(run, program, tmp_path):
    done = run(program, "--version", env={"LD_PRELOAD": preloaded("no_shared_memory", tmp_path)})
    assert done.stdout.startswith(program) and done.stderr == ""


def test_what_a_server_says_to_who_connects_is_a_line_of_the_log(run, servers):
    postgres = servers.postgres
    postgres.psql("CREATE DATABASE collated TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'")
    postgres.psql("UPDATE pg_database SET datcollversion = '0' WHERE datname = 'collated'")
    try:
        done = run("trivet-etl", "presets", env={"TRIVET_POSTGRES": postgres.uri("collated")}, check=False)
    finally:
        postgres.psql("DROP DATABASE collated")
    assert done.returncode == 3 and "has no schema trivet yet" in done.stderr
    assert done.stderr.count("\n") == 3 and 'postgres: database "collated" has a collation version mismatch\n' in done.stderr
