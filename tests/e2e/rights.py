"""What every role may do with every object of the schemas trivet and public, as PostgreSQL says: the lines of tests/rights.txt.

usage: tests/e2e/rights.py POSTGRES-URI > tests/rights.txt, with a database that only trivet-etl schema has touched
"""

import sys

import psycopg2

HEAD = """# Every schema, table, view, sequence and function of trivet, and what each role may do with it in full: by itself, by what
# it inherits, by what it could become with SET ROLE, and as PUBLIC. tests/e2e/test_rights.py compares it with a database; an
# object without a line fails, and so does a right more or less. tests/e2e/rights.py writes it.
#
# kind, name, owner; then reader, analyst, writer (trivet_...) and the logins page and live, as far as they may do anything:
#   schemas    U usage  C create
#   tables     r select  a insert  w update  d delete  D truncate  x references  t trigger
#   sequences  r select  w update  U usage
#   functions  X execute; reads: STABLE or IMMUTABLE, writes: VOLATILE; definer: runs with the rights of its owner
"""

ROLES = ("reader", "analyst", "writer", "page", "live")
TABLE = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "D": "TRUNCATE", "x": "REFERENCES", "t": "TRIGGER"}
COLUMN = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "x": "REFERENCES"}
KINDS = {"r": "table", "p": "table", "v": "view", "m": "view", "S": "sequence", "f": "table"}

# For each role itself and all that it is a member of, inherited or not.
BECOMES = "SELECT m.oid FROM pg_roles m WHERE pg_has_role(%s, m.oid, 'MEMBER')"


def words(kind, name, owner, rights, *more):
    return " ".join([kind.ljust(8), name.ljust(48), owner.removeprefix("trivet_"), *more,
                     *(f"{role}={letters}" for role, letters in rights.items() if letters)]).rstrip()


def lines(connection):
    cursor = connection.cursor()

    def ask(sql, *values):
        cursor.execute(sql, values)
        return cursor.fetchall()

    def may(what, oid, letters):
        """{"reader": "rw", ...}: the letters of what each role may do; "all" where everybody may."""
        rights = {}
        for role in ROLES:
            login = f"trivet_{role}"
            rights[role] = "".join(letter for letter, test in letters.items() if ask(
                f"SELECT bool_or({test}) FROM ({BECOMES}) m", *([oid] * test.count("%s") + [login]))[0][0])
        return rights

    found = []
    for oid, name, owner in ask("SELECT oid, nspname, nspowner::regrole::text FROM pg_namespace WHERE nspname IN ('trivet', 'public')"):
        found.append(words("schema", name, owner, may("schema", oid, {
            "U": "has_schema_privilege(m.oid, %s::oid, 'USAGE')", "C": "has_schema_privilege(m.oid, %s::oid, 'CREATE')"})))
    for oid, name, kind, owner in ask("""
            SELECT c.oid, c.oid::regclass::text, c.relkind, c.relowner::regrole::text FROM pg_class c
            WHERE c.relnamespace IN ('trivet'::regnamespace, 'public'::regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"""):
        if kind == "S":
            letters = {letter: f"has_sequence_privilege(m.oid, %s::oid, '{right}')"
                       for letter, right in (("r", "SELECT"), ("w", "UPDATE"), ("U", "USAGE"))}
        else:
            letters = {letter: f"has_table_privilege(m.oid, %s::oid, '{right}')" + (
                f" OR has_any_column_privilege(m.oid, %s::oid, '{right}')" if letter in COLUMN else "")
                for letter, right in TABLE.items()}
        found.append(words(KINDS[kind], name, owner, may("table", oid, letters)))
    for oid, name, owner, reads, definer in ask("""
            SELECT p.oid, p.oid::regprocedure::text, p.proowner::regrole::text, p.provolatile <> 'v', p.prosecdef FROM pg_proc p
            WHERE p.pronamespace IN ('trivet'::regnamespace, 'public'::regnamespace)"""):
        rights = may("function", oid, {"X": "has_function_privilege(m.oid, %s::oid, 'EXECUTE')"})
        found.append(words("function", name, owner, rights, "reads" if reads else "writes", *["definer"] * definer))
    return sorted(found)


def main():
    with psycopg2.connect(sys.argv[1], options="-csearch_path=") as connection:
        print(HEAD)
        print("\n".join(lines(connection)))


if __name__ == "__main__":
    main()
