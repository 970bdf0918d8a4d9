"""The rules between the rooms, read from the include lines, and between files that must agree. Needs no server."""

import re

import pytest
from stores import REPO

CLIENTS = {"libpq": "pg", "mongoc": "mongo", "bson": "mongo", "hiredis": "redis"}
SOCKETS = ("sys/socket.h", "netinet/", "arpa/inet.h", "netdb.h", "sys/un.h")
PROGRAMS = ("etl", "train", "serve")


def sources(room):
    return sorted(p for p in (REPO / room).rglob("*.[ch]"))


def includes(path):
    return re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def ours():
    """Header of lib -> the room whose .c has its name."""
    rooms = {}
    for source in (REPO / "lib").rglob("*.c"):
        rooms[f"trivet/{source.stem}.h"] = source.parent.name
    return rooms


def client_of(header):
    return next((store for name, store in CLIENTS.items() if header.startswith(name)), None)


def uses(room):
    """(file, included header, the room of ours it belongs to or None) of a room's every include."""
    rooms = ours()
    return [(p.relative_to(REPO), h, rooms.get(h)) for p in sources(room) for h in includes(p)]


ALLOWED = {"lib/base": {"base"}, "lib/core": {"base", "core"}, "lib/read": {"base", "read"},
           "lib/store": {"base", "store"}, "lib/model": {"base", "core", "store", "model"}}


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_includes_only_the_rooms_it_may(room):
    used = uses(room)
    assert used, f"{room} is empty"
    wrong = [f"{p} includes {h}" for p, h, owner in used if owner is not None and owner not in ALLOWED[room]]
    assert wrong == []


@pytest.mark.parametrize("room", ["lib/base", "lib/core", "lib/read", "lib/model", *PROGRAMS])
def test_client_libraries_stay_in_the_store_room(room):
    assert [f"{p} includes {h}" for p, h, _ in uses(room) if client_of(h)] == []


def test_a_store_adapter_knows_one_client_library():
    for path in sources("lib/store"):
        clients = {client_of(h) for h in includes(path)} - {None}
        assert clients <= {path.stem.split("_")[0]}, f"{path.name} includes the client of {clients}"
    assert {p.stem for p in sources("lib/store") if p.suffix == ".c"} >= {"pg", "mongo", "redis"}


@pytest.mark.parametrize("room", ["lib/base", "lib/core", "lib/read", "lib/model"])
def test_no_sockets_outside_the_adapters(room):
    assert [f"{p} includes {h}" for p, h, _ in uses(room) if h.startswith(SOCKETS)] == []


def test_only_one_file_of_serve_knows_the_http_library():
    assert len({p for p, h, _ in uses("serve") if h == "microhttpd.h"}) == 1


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_do_not_include_each_other(program):
    others = tuple(f"{p}/" for p in PROGRAMS if p != program)
    assert [f"{p} includes {h}" for p, h, _ in uses(program) if h.startswith(others)] == []


def test_public_headers_do_not_show_a_client_library():
    headers = sources("include/trivet")
    assert headers
    assert [f"{p.name} includes {h}" for p in headers for h in includes(p) if client_of(h)] == []


def test_every_public_header_has_its_source():
    # embedded.h declares a table that the build generates, hash.h and random.h are inline functions, and options.h is
    # the face of program.c and settings.c.
    headers = {p.stem for p in sources("include/trivet")} - {"embedded", "options", "hash", "random"}
    assert headers - {p.stem for p in (REPO / "lib").rglob("*.c")} == set()


def test_env_example_describes_every_variable_of_the_compose_file():
    compose = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", (REPO / "docker-compose.yml").read_text()))
    example = dict(re.findall(r"^(\w+)=(.*)$", (REPO / ".env.example").read_text(), re.MULTILINE))
    assert compose and example == compose


def test_sql_files_say_what_they_are_for():
    files = sorted((REPO / "sql").glob("*.sql"))
    assert files
    for path in files:
        text = path.read_text()
        assert text.startswith("-- "), f"{path.name} does not begin with its purpose"
        assert not re.search(r"^\\", text, re.MULTILINE), f"{path.name} holds a psql command"
