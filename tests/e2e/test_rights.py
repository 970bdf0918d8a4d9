"""What each role may do, in full: the table tests/rights.txt, and what an attacker with that role tries."""

import contextlib
import difflib
import pathlib

import psycopg2
import pytest

import rights

TABLE = pathlib.Path(__file__).resolve().parents[1] / "rights.txt"
OWNER, ROLES = "trivet_owner", tuple(f"trivet_{role}" for role in rights.ROLES)


@pytest.fixture(scope="module")
def schema(servers, run):
    place = servers.place()
    run("trivet-etl", "schema", env=place.env)
    return place


def rows(place, sql):
    with psycopg2.connect(place.postgres_uri) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def differences(uri, installer="postgres"):
    written = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    with contextlib.closing(psycopg2.connect(uri, options="-csearch_path=")) as connection:
        found = [line.replace(f" {installer} ", " postgres ") for line in rights.lines(connection)]
    return list(difflib.unified_diff(written, found, "tests/rights.txt", "the database", n=0, lineterm=""))


def test_every_right_of_every_role_stands_in_the_table(schema):
    assert not differences(schema.postgres_uri), "\n".join(differences(schema.postgres_uri))


def test_a_schema_with_other_rights_is_brought_to_these(run, schema):
    """As an older trivet had them, whose writers owned the tables, or as somebody gave them by hand."""
    schema.psql("ALTER TABLE trivet.rating OWNER TO trivet_writer; ALTER FUNCTION trivet.known_scale() OWNER TO trivet_writer; "
                "ALTER VIEW trivet.audience OWNER TO postgres; ALTER SCHEMA trivet OWNER TO postgres; "
                "GRANT CREATE ON SCHEMA trivet TO trivet_writer; GRANT ALL ON trivet.run TO trivet_analyst; "
                "GRANT UPDATE (state) ON trivet.run TO trivet_reader; GRANT EXECUTE ON FUNCTION trivet.count_change TO PUBLIC; "
                "ALTER DEFAULT PRIVILEGES IN SCHEMA trivet GRANT SELECT ON TABLES TO trivet_reader")
    assert len(differences(schema.postgres_uri)) > 10
    run("trivet-etl", "schema", env=schema.env)
    assert not differences(schema.postgres_uri), "\n".join(differences(schema.postgres_uri))


def test_an_administrator_who_is_no_superuser_makes_the_same(run, schema):
    schema.psql("CREATE ROLE administrator LOGIN CREATEROLE")
    schema.psql("CREATE DATABASE administrated OWNER administrator")
    uri = schema.postgres.uri("administrated")
    try:
        run("trivet-etl", "schema", env={"TRIVET_POSTGRES": uri.replace("//postgres@", "//administrator@")})
        assert not differences(uri, "administrator")
    finally:
        schema.psql("DROP DATABASE administrated")
        schema.psql("DROP ROLE administrator")


def test_roles_are_members_of_one_another_and_of_nothing_else(schema):
    assert set(rows(schema, "SELECT roleid::regrole::text, member::regrole::text, admin_option FROM pg_auth_members "
                            "WHERE member::regrole::text LIKE 'trivet%'")) == {
        ("trivet_reader", "trivet_analyst", False), ("trivet_analyst", "trivet_writer", False),
        ("trivet_reader", "trivet_page", False), ("trivet_reader", "trivet_live", False), ("pg_read_all_stats", OWNER, False)}
    for name, login, *more in rows(schema, "SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, "
                                           "rolbypassrls FROM pg_roles WHERE rolname LIKE 'trivet%'"):
        assert name in (OWNER, *ROLES) and login == (name in ("trivet_page", "trivet_live")) and not any(more)


def test_what_runs_with_its_owners_rights_is_the_owners_and_looks_nothing_up_elsewhere(schema):
    definers = rows(schema, "SELECT oid::regprocedure::text, proowner::regrole::text, proconfig FROM pg_proc "
                            "WHERE prosecdef AND pronamespace IN ('trivet'::regnamespace, 'public'::regnamespace)")
    assert definers and all(owner == OWNER and config == ["search_path=pg_catalog, pg_temp"] for _, owner, config in definers)


def test_nothing_is_granted_on_what_is_made_later(schema):
    assert rows(schema, "SELECT defaclrole::regrole::text, defaclnamespace::regnamespace::text FROM pg_default_acl") == []


# What would let a role run code with the rights of others, of the database's superuser in the end.
ATTACKS = [
    "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres", "SET ROLE trivet_owner", "GRANT trivet_owner TO CURRENT_USER",
    "COPY (SELECT 1) TO PROGRAM 'true'", "COPY trivet.tag FROM PROGRAM 'true'", "COPY (SELECT 1) TO '/tmp/trivet-was-here'",
    "SELECT pg_read_file('/etc/passwd')", "SELECT pg_ls_dir('/')", "SELECT lo_import('/etc/passwd')", "LOAD '/tmp/evil.so'",
    "ALTER SYSTEM SET archive_command = 'true'", "CREATE EXTENSION dblink", "CREATE LANGUAGE evil HANDLER plpgsql_call_handler",
    "CREATE ROLE evil", "ALTER ROLE trivet_live CREATEROLE", "SELECT * FROM pg_authid",
    "CREATE SCHEMA evil", "CREATE TABLE trivet.evil (a int)", "CREATE TABLE public.evil (a int)",
    "CREATE FUNCTION trivet.evil() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION trivet.similar_settle(text, text) RETURNS void LANGUAGE sql AS 'SELECT'",
    "CREATE FUNCTION public.evil() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OPERATOR public.& (LEFTARG = bigint, RIGHTARG = int, FUNCTION = int84pl)",
    "CREATE OR REPLACE FUNCTION trivet.lock_key() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1'",
    "CREATE TRIGGER evil BEFORE INSERT ON trivet.rating FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE evil AS ON INSERT TO trivet.rating DO INSTEAD NOTHING", "CREATE INDEX ON trivet.rating (abs(user_id))",
    "ALTER TABLE trivet.rating ALTER value SET DEFAULT random()", "ALTER TABLE trivet.rating_live DISABLE TRIGGER ALL",
    "ALTER TABLE trivet.item ADD CHECK (random() < 2)", "ALTER TABLE trivet.run OWNER TO CURRENT_USER",
    "ALTER FUNCTION trivet.lock_key() OWNER TO CURRENT_USER", "DROP TABLE trivet.rating_live", "DROP FUNCTION trivet.lock_holder()",
    "CREATE OR REPLACE VIEW trivet.audience AS SELECT 1", "CREATE OR REPLACE VIEW public.ratings AS SELECT 1",
    "ALTER SCHEMA trivet RENAME TO evil", "UPDATE trivet.schema_version SET version = 2",
    "COMMENT ON TABLE trivet.rating IS 'evil'", "TRUNCATE pg_largeobject", "UPDATE pg_proc SET prosecdef = true",
]


@pytest.fixture(scope="module")
def logins(schema):
    """The address of a login of each role, which is a member and nothing else."""
    for role in ROLES:
        schema.psql(f"CREATE ROLE attacker_{role} LOGIN IN ROLE {role}")
    yield {role: schema.postgres_uri.replace("//postgres@", f"//attacker_{role}@") for role in ROLES}
    for role in ROLES:
        schema.psql(f"DROP OWNED BY attacker_{role}; DROP ROLE attacker_{role}")


@pytest.mark.parametrize("role", ROLES)
def test_attacks_of_every_role_are_refused(logins, role):
    connection, taken = psycopg2.connect(logins[role]), {}
    connection.autocommit = True
    for attack in ATTACKS:
        try:
            connection.cursor().execute(attack)
            taken[attack] = "was done"
        except psycopg2.errors.InsufficientPrivilege:
            pass
        except psycopg2.Error as other:
            taken[attack] = str(other)
    connection.close()
    assert taken == {}


SHADOWS = """CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT 'epoch'::timestamptz$$;
CREATE FUNCTION pg_temp.shadow(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE n text;
BEGIN
    FOR n IN SELECT relname FROM pg_class WHERE relnamespace = 'trivet'::regnamespace AND relkind IN ('r', 'p')
             UNION SELECT unnest(array['pg_class', 'pg_inherits', 'pg_locks', 'pg_roles', 'pg_proc', 'text', 'int8', 'float4', 'regclass']) LOOP
        EXECUTE format('CREATE TEMPORARY TABLE %I (id pg_catalog.int8)', n);
    END LOOP;
END $$;
SELECT pg_temp.shadow('')"""


def test_temporary_objects_lead_nothing_astray(schema, logins):
    """A session's own tables and types are looked up first, unless a function says otherwise."""
    with psycopg2.connect(logins["trivet_writer"]) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO trivet.load (name, source, state, low, high) VALUES ('a', 'a', 'complete', 1, 5); "
                       "INSERT INTO trivet.item (item_id) VALUES (7)")
        connection.commit()
        cursor.execute(SHADOWS)
        cursor.execute("SELECT trivet.rate(1, '{7}', '{4}'), trivet.load_table(900), trivet.load_index(900, NULL, NULL), "
                       "trivet.load_attach(900, trivet.current_dataset(), true, 0, 0), trivet.users_folded('{1}', '{1}'), trivet.lock_holder()")
        cursor.execute("SELECT r.value, r.rated_at > '2000-01-01', c.rev, c.folded_rev FROM trivet.rating r, trivet.user_change c")
        assert cursor.fetchall() == [(4, True, 1, 1)]
        cursor.execute("SELECT trivet.load_clean()")
        cursor.execute("SELECT trivet.too_much_for_a_reader()")
        assert "trivet_writer" in cursor.fetchall()[0][0]
        connection.rollback()
