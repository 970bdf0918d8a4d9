"""The rules between the rooms, read from the include lines and the object files, and between files that must agree. Needs no
server."""

import pathlib
import re
import sys

import pytest
import rooms
from stores import REPO

sys.path.insert(0, str(REPO / "tools"))
import house  # noqa: E402

CLIENTS = {"libpq": "pg", "mongoc": "mongo", "bson": "mongo", "hiredis": "redis"}
SOCKETS = ("sys/socket.h", "netinet/", "arpa/inet.h", "netdb.h", "sys/un.h")
PROGRAMS = ("etl", "train", "serve")
LIB = sorted(p.name for p in (REPO / "lib").iterdir() if p.is_dir())


def sources(room):
    return sorted(p for p in (REPO / room).rglob("*.[ch]"))


def includes(path):
    return re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def owner(header):
    """The room of lib that a header of ours belongs to, or None."""
    found = re.match(r"(?:trivet|lib)/(\w+)/", header)
    return found and found[1]


def client_of(header):
    return next((store for name, store in CLIENTS.items() if header.startswith(name)), None)


def uses(room):
    """(file, included header, the room of ours it belongs to or None) of a room's every include."""
    return [(p.relative_to(REPO), h, owner(h)) for p in sources(room) for h in includes(p)]


ALLOWED = {"base": set(), "core": {"base"}, "read": {"base"}, "store": {"base"}, "cli": {"base", "store"},
           "schema": {"base", "store", "cli"}, "model": {"base", "core", "store", "cli", "schema"},
           "similar": {"base", "core", "store", "cli", "schema", "model"},
           "repair": {"base", "core", "store", "cli", "schema", "model", "similar"}}


def test_every_room_of_lib_is_spoken_of():
    assert set(ALLOWED) == set(LIB)


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_includes_only_the_rooms_it_may(room):
    used = uses(f"lib/{room}") + uses(f"include/trivet/{room}")
    assert used, f"{room} is empty"
    wrong = [f"{p} includes {h}" for p, h, owner in used if owner is not None and owner not in {room, *ALLOWED[room]}]
    assert wrong == []


@pytest.mark.parametrize("room", [*(f"lib/{room}" for room in LIB if room != "store"), *PROGRAMS])
def test_client_libraries_stay_in_the_store_room(room):
    assert [f"{p} includes {h}" for p, h, _ in uses(room) if client_of(h)] == []


def test_a_store_adapter_knows_one_client_library():
    for path in sources("lib/store"):
        clients = {client_of(h) for h in includes(path)} - {None}
        assert clients <= {path.stem.split("_")[0]}, f"{path.name} includes the client of {clients}"
    assert {p.stem for p in sources("lib/store") if p.suffix == ".c"} >= {"pg", "mongo", "redis"}


@pytest.mark.parametrize("room", [f"lib/{room}" for room in LIB if room != "store"])
def test_no_sockets_outside_the_adapters(room):
    assert [f"{p} includes {h}" for p, h, _ in uses(room) if h.startswith(SOCKETS)] == []


def test_only_the_room_of_sockets_knows_the_http_library():
    assert [p for p, h, _ in uses("serve") if h == "microhttpd.h"] == [pathlib.Path("serve/listen/exchange.h")]
    assert {p.parent for p, h, _ in uses("serve") if h == "serve/listen/exchange.h"} == {pathlib.Path("serve/listen")}


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
    alone = {"base/embedded", "base/hash", "base/random", "cli/options"}
    headers = {str(p.relative_to(REPO / "include/trivet"))[:-2] for p in sources("include/trivet")} - alone
    assert headers - {str(p.relative_to(REPO / "lib"))[:-2] for p in (REPO / "lib").rglob("*.c")} == set()


@pytest.fixture(scope="module")
def needs(programs):
    """{source: the sources it needs}, of the built programs."""
    found = rooms.needs()
    assert len(found) > 200
    return found


def test_every_source_lies_in_a_room(needs):
    assert {rooms.room_of(source) for source in needs} == set(rooms.order())


def test_no_room_needs_one_above_it(needs):
    order = rooms.order()
    floor = {source: order.index(rooms.room_of(source)) for source in needs}
    assert {(s, other) for s in needs for other in needs[s] if floor[other] > floor[s]} == set()


def test_no_two_sources_need_each_other(needs):
    assert rooms.circles(needs) == []


# What no program calls, and why it is there all the same.
FOR_TESTS = {
    "lib/core/eval/metrics.c: tv_rmse": "the plain form that evaluations of ratings, with their intervals, are compared with",
    "lib/core/sets/minhash.c: tv_jaccard": "the true similarity that signatures estimate",
    "lib/core/sets/minhash.c: tv_minhash_update": "the plain form of tv_minhash_update_witness",
    "lib/read/input.c: tv_byte_source_memory": "a byte source without a file, for tests of what reads one",
    "serve/route/route.c: tv_route_run": "a whole request without a socket",
}


def test_every_public_name_is_needed(needs):
    assert set(rooms.never_called()) == set(FOR_TESTS)


def test_what_reads_ratings_knows_nothing_of_what_else_reads_them(needs):
    """fit, evaluate, search and similar share train/source (struct tv_reading), and do not see each other."""
    readers = {"train/fit/": sources("train/fit"), "train/search/": sources("train/search"), "train/similar/": sources("train/similar"),
               "train/models/evaluate": [REPO / "train/models/evaluate.c", REPO / "train/models/evaluate.h"]}
    for mine, files in [*readers.items(), *((f"{room}/", sources(room)) for room in ("train/source", "train/judge"))]:
        assert [f"{p} includes {h}" for p in files for h in includes(p) for other in readers if other != mine and h.startswith(other)] == []
        assert [(s, o) for s in needs if s.startswith(mine) for o in needs[s] for other in readers if other != mine and o.startswith(other)] == []


def test_a_folder_of_tests_can_be_taken_in_at_a_glance():
    folders = {p.parent for p in sources("tests/unit")}
    crowded = {str(f.relative_to(REPO)): n for f in folders if (n := sum(p.is_file() for p in f.iterdir())) > house.LIMITS["files in a folder"]}
    assert crowded == {}


@pytest.mark.parametrize("what", house.LIMITS)
def test_the_house_stays_small(what):
    assert [row for row in house.count()[what] if row[0] > house.LIMITS[what]] == []


def section(title):
    """What CONTRIBUTING.md says under a heading, up to the next one."""
    return re.search(rf"^### {title}\n(.*?)(?=^##|\Z)", (REPO / "CONTRIBUTING.md").read_text(), re.S | re.M)[1]


def test_the_recipe_for_an_algorithm_names_all_files_it_touches():
    assert {f"`{f}`" for f in house.algorithm_files()} <= set(re.findall(r"`[^`]+`", section("Add an algorithm")))


@pytest.mark.parametrize("recipe", ("Add an algorithm", "Add a file format", "Add a route"))
def test_files_that_a_recipe_names_are_there(recipe):
    named = re.findall(r"`((?:[a-z]+/)+[\w.]+\.\w+)`", section(recipe))
    assert len(named) >= 4
    assert [f for f in named if "NAME" not in f and not (REPO / f).exists()] == []


# Where each room has a README, and each module a unit test or a line of it that says what else tests it.
WRITTEN = sorted({p.parent.relative_to(REPO) for place in ("lib", *PROGRAMS) for p in (REPO / place).rglob("*.c")})
LIBRARY = [room for room in WRITTEN if room.parts[0] == "lib"]


def readme(room):
    return (REPO / room / "README.md").read_text()


def named_as_tested_elsewhere(room):
    """The words in backquotes behind "Tested elsewhere:"."""
    return set(re.findall(r"`(\w+)`", readme(room).partition("Tested elsewhere:")[2]))


def has_unit_test(source):
    return (REPO / "tests/unit" / source.parent / f"test_{source.stem}.c").exists()


@pytest.mark.parametrize("room", WRITTEN, ids=str)
def test_a_readme_says_what_belongs_in_a_room(room):
    lines = readme(room).splitlines()
    assert 2 <= len(lines) <= 15
    assert lines[0].startswith(f"# {room}: ")
    files = re.findall(r"(?:docs|tests)/[\w/]+\.\w+", readme(room))
    gone = [f for f in files if not (REPO / f).exists()]
    gone += [f for f in re.findall(r"`(\w+\.[ch])`", readme(room)) if not (REPO / room / f).exists()]
    assert gone == []


@pytest.mark.parametrize("room", LIBRARY, ids=str)
def test_every_module_has_a_unit_test_or_is_told_to_be_tested_elsewhere(room):
    modules = [p.relative_to(REPO) for p in (REPO / room).glob("*.c")]
    tests = {p.stem for p in (REPO / "tests/unit").rglob("test_*.c")}
    assert {m.stem for m in modules if not has_unit_test(m)} == named_as_tested_elsewhere(room) - tests


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


def test_each_sql_file_has_a_number_of_its_own_and_begins_with_its_name():
    files = sorted((REPO / "sql").glob("*.sql"))
    numbers = [p.name.split("_")[0] for p in files]
    assert len(set(numbers)) == len(numbers)
    assert [p.name for p in files if not p.read_text().startswith(f"-- {p.stem}: ")] == []
