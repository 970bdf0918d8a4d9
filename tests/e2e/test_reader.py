"""SQL that people write runs as a login that can only read, or not at all."""

import psycopg2
import pytest

from server import until
from test_models import live, loaded, small_set  # noqa: F401  (fixtures)

pytestmark = pytest.mark.with_schema

# What a function can do that a role put on with SET ROLE, and a READ ONLY transaction, do not hold.
ATTACK = """CREATE OR REPLACE FUNCTION attack.rows() RETURNS TABLE (userid bigint, movieid bigint, rating real) LANGUAGE plpgsql AS $$
BEGIN
    RESET ROLE;
    RESET SESSION AUTHORIZATION;
    COPY (SELECT session_user) TO PROGRAM 'cat >> {mark}';
    RETURN QUERY SELECT * FROM trivet.evidence();
END $$;"""


@pytest.fixture
def attacked(loaded, tmp_path):  # noqa: F811
    """A place with a function attack.rows() that writes the file place.mark, if the session it runs in may."""
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents[:3]:  # one more where tests run side by side
        if folder.owner() == tmp_path.owner() and folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o755)
    loaded.mark = tmp_path / "was-here"
    loaded.psql("CREATE SCHEMA attack; GRANT USAGE ON SCHEMA attack TO trivet_reader;" + ATTACK.format(mark=loaded.mark))
    return loaded


def without_reader(place):
    return {name: value for name, value in place.env.items() if name != "TRIVET_READER"}


def test_the_attack_works_for_a_superuser(attacked):
    """Or what follows would show nothing."""
    attacked.psql("SELECT count(*) FROM attack.rows()")
    assert attacked.mark.exists()


COMMANDS = [("fit", "--factors", 3), ("evaluate", "--factors", 3), ("search", "--factors", "2,3"), ("similar",)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_without_a_reader_it_is_refused_with_the_command_that_makes_one(run, attacked, command):
    for source in ("attack.rows()", "trivet.evidence()"):
        refused = run("trivet-train", *command, "--source", source, env=without_reader(attacked), check=False)
        assert refused.returncode == 2, refused.stderr
        for word in ("can only read", "TRIVET_READER", "--reader", "CREATE ROLE ann LOGIN IN ROLE trivet_reader"):
            assert word in refused.stderr
    assert live(attacked) is None and not attacked.mark.exists()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_as_a_reader_it_runs_no_program(run, attacked, command):
    refused = run("trivet-train", *command, "--source", "attack.rows()", env=attacked.env, check=False)
    assert refused.returncode != 0 and "COPY to or from an external program" in refused.stderr
    assert live(attacked) is None and not attacked.mark.exists()


HARMLESS = """CREATE OR REPLACE FUNCTION attack.rows() RETURNS TABLE (userid bigint, movieid bigint, rating real) LANGUAGE sql AS
    'SELECT * FROM trivet.evidence()';"""


@pytest.fixture
def followed(run, attacked):
    """A live index of similar items whose source turned bad later, and ratings that wait for it."""
    attacked.psql(HARMLESS)
    run("trivet-train", "similar", "--source", "attack.rows()", env=attacked.env)
    attacked.psql(ATTACK.format(mark=attacked.mark))
    attacked.psql("SELECT trivet.rate(99, '{7}', '{3}')")
    return attacked


def waiting(place):
    return place.psql("SELECT count(*) FROM trivet.similar_event WHERE applied_at IS NULL")


def test_an_index_is_brought_up_to_date_as_a_reader_or_not_at_all(run, followed):
    for flag in ("--update", "--check"):
        refused = run("trivet-train", "similar", flag, env=without_reader(followed), check=False)
        assert refused.returncode == 2 and "CREATE ROLE ann LOGIN IN ROLE trivet_reader" in refused.stderr
        refused = run("trivet-train", "similar", flag, env=followed.env, check=False)
        assert refused.returncode != 0 and "COPY to or from an external program" in refused.stderr
    assert not followed.mark.exists() and waiting(followed) == "1"
    followed.psql(HARMLESS)
    run("trivet-train", "similar", "--update", env=followed.env)
    assert waiting(followed) == "0"
    run("trivet-train", "similar", "--check", env=followed.env)


def test_the_server_follows_as_a_reader(serve, followed):
    server = serve(followed, env={"TRIVET_POSTGRES": followed.postgres_uri})  # whatever its other login may do
    server.send("PUT", "/api/v1/users/98/ratings/14", 3)
    until(lambda: "COPY to or from an external program" in server.log())
    assert not followed.mark.exists() and waiting(followed) != "0"
    followed.psql(HARMLESS)
    until(lambda: waiting(followed) == "0")


LEAVES = """CREATE OR REPLACE FUNCTION attack.rows() RETURNS TABLE (userid bigint, movieid bigint, rating real) LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('attack.was', true) IS DISTINCT FROM now()::text THEN -- the first call of this transaction
        IF current_setting('attack.was', true) <> '' OR current_role <> session_user OR EXISTS (SELECT FROM pg_prepared_statements)
           OR EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) THEN
            RAISE EXCEPTION 'something was left';
        END IF;
        PERFORM set_config('attack.was', now()::text, false), set_config('role', 'trivet_reader', false), pg_advisory_lock(7);
        PREPARE attack AS SELECT 1;
    END IF;
    RETURN QUERY SELECT * FROM trivet.evidence();
END $$;"""


def test_what_a_source_leaves_in_its_session_ends_with_its_transaction(serve, followed):
    """A role, a setting, a lock or a prepared statement reaches no later use of the connection."""
    followed.psql(LEAVES)
    server = serve(followed)
    for film in (14, 21, 28):
        until(lambda: waiting(followed) == "0")
        assert server.send("PUT", f"/api/v1/users/98/ratings/{film}", 3).status in (200, 202)
    until(lambda: waiting(followed) == "0")
    assert "something was left" not in server.log()


def test_users_of_a_model_are_folded_in_as_a_reader_or_not_at_all(run, serve, attacked):
    """Each command that brings the live model up to date, and the server; what they do instead, other tests say."""
    attacked.psql(HARMLESS)
    for factors in (3, 4):
        run("trivet-train", "fit", "--source", "attack.rows()", "--factors", factors, env=attacked.env)
    attacked.psql(ATTACK.format(mark=attacked.mark))
    for env in (without_reader(attacked), attacked.env):
        for command in (("repair",), ("rollback",), ("activate", 2), ("precompute",), ("fit", "--factors", 3)):
            attacked.psql(f"SELECT trivet.unrate(99, 7), trivet.rate(99, '{{7}}', '{{3}}')")
            run("trivet-train", *command, env=env, check=False)
            assert not attacked.mark.exists(), command
        run("trivet-train", "activate", 2, env=env, check=False)
    server = serve(attacked, env={"TRIVET_POSTGRES": attacked.postgres_uri})  # whatever that login may do
    assert server.send("PUT", "/api/v1/users/98/ratings/14", 3).status in (200, 202)
    until(lambda: "COPY to or from an external program" in server.log())
    assert not attacked.mark.exists()


def test_a_writer_cannot_pass_sql_off_as_trivets_own(run, loaded):  # noqa: F811
    """What does not come from an analyst is run with the program's own rights: so only calls of trivet.similar_rows do."""
    run("trivet-train", "similar", "--min-rating", "2", "--since", "1960-12-31 12:00:00", env=loaded.env)
    for source in ("pg_ls_dir('/')", "trivet.similar_rows(), attack.rows()", "trivet.similar_rows(min_rating => (select 1)::real)",
                   "trivet.similar_rows(rated_since => '1'||attack.f()||'2'::timestamptz)"):
        with pytest.raises(psycopg2.errors.CheckViolation), psycopg2.connect(loaded.postgres_uri) as connection:
            connection.cursor().execute("INSERT INTO trivet.similar_index (source, signature_size) VALUES (%s, 128)", (source,))


TOO_MUCH = [
    ("CREATE ROLE {r} LOGIN SUPERUSER", "r is a superuser"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader CREATEROLE", "r has the right CREATEROLE"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader CREATEDB", "r has the right CREATEDB"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader BYPASSRLS", "r has the right BYPASSRLS"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader REPLICATION", "r has the right REPLICATION"),
    ("CREATE ROLE {r} LOGIN NOINHERIT IN ROLE trivet_reader, postgres; GRANT USAGE ON SCHEMA trivet TO {r}; "
     "GRANT EXECUTE ON FUNCTION trivet.too_much_for_a_reader TO {r}",
     "r may become postgres, which is a superuser"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader, pg_execute_server_program", "r is a member of pg_execute_server_program"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader, pg_write_all_data", "r is a member of pg_write_all_data"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader; GRANT UPDATE (title) ON trivet.item TO {r}", "r may write to trivet.item"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader; GRANT TRIGGER ON trivet.rating TO {r}", "r may write to trivet.rating"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader; GRANT UPDATE ON public.ratings TO {r}", "r may write to public.ratings"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader; GRANT CREATE ON SCHEMA public TO {r}", "r may create objects in schema public"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader; GRANT USAGE ON SEQUENCE trivet.code_live TO {r}", "r may count trivet.code_live on"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_reader; GRANT EXECUTE ON FUNCTION trivet.unrate(bigint, bigint, bigint) TO {r}",
     "r may call trivet.unrate(bigint,bigint,bigint), which writes"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_analyst", "which may write to trivet.preset"),
    ("CREATE ROLE {r} LOGIN IN ROLE trivet_writer", "r may become trivet_analyst, which may write to trivet.preset"),
]


@pytest.fixture
def reader(loaded, request):  # noqa: F811
    """reader(sql): the address of a login made by that SQL, in which {r} is its name. It goes with the test."""
    name = f"r{loaded.postgres.port}"

    def make(sql):
        loaded.psql(sql.format(r=name))
        return loaded.postgres_uri.replace("//postgres@", f"//{name}@")
    make.named = name
    yield make
    loaded.psql(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize("sql, words", TOO_MUCH, ids=[words for _, words in TOO_MUCH])
def test_a_login_that_may_do_more_is_no_reader(run, loaded, reader, sql, words):  # noqa: F811
    refused = run("trivet-train", "fit", "--factors", 3, "--source", "trivet.evidence()", "--reader", reader(sql),
                  env=loaded.env, check=False)
    assert refused.returncode == 2 and live(loaded) is None
    said = refused.stderr.replace(reader.named, "r")
    assert words in said and "CREATE ROLE ann LOGIN IN ROLE trivet_reader" in said


def test_trivet_live_and_a_superuser_in_disguise_are_no_readers(run, loaded):  # noqa: F811
    disguised = loaded.postgres_uri + "?options=-csession_authorization%3Dtrivet_page"
    for uri, words in ((loaded.live_uri, "trivet_live may call trivet."), (disguised, "postgres is a superuser")):
        refused = run("trivet-train", "fit", "--source", "trivet.evidence()", "--reader", uri, env=loaded.env, check=False)
        assert refused.returncode == 2 and words in refused.stderr
    assert live(loaded) is None


def test_a_reader_with_a_schema_of_its_own_is_one(run, loaded, reader):  # noqa: F811
    uri = reader("CREATE ROLE {r} LOGIN IN ROLE trivet_reader, pg_read_all_data; CREATE SCHEMA own AUTHORIZATION {r}")
    loaded.postgres.ask(uri, "CREATE TABLE own.t AS SELECT * FROM trivet.evidence()")
    run("trivet-train", "fit", "--factors", 3, "--source", "own.t", "--reader", uri, env=loaded.env)
    assert live(loaded) == 1
