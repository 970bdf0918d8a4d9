"""Which source needs which, from the symbols of the built object files, and the order of the rooms (cmake/Rooms.cmake)."""

import os
import pathlib
import re
import subprocess

from stores import REPO

PLACES = ("lib", "etl", "train", "serve")


def order():
    """The rooms from the ground up: a room may need those before it."""
    listed = re.search(r"set\(TRIVET_ROOMS(.*?)\)", (REPO / "cmake/Rooms.cmake").read_text(), re.S)[1]
    return re.sub(r"#.*", "", listed).split()


def room_of(source):
    return str(pathlib.PurePath(source).parent)


def objects():
    """{source: object file} of what programs are made of, for sources that are in the tree."""
    build = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build"))
    found = {}
    for path in (p for place in PLACES for p in (build / place).rglob("*.c.o")):
        below, _, inner = str(path.relative_to(build)).partition("/CMakeFiles/")
        source = f"{below}/{inner.partition('.dir/')[2][:-len('.o')]}"
        if (REPO / source).exists():
            found[source] = path
    return found


def needs():
    """{source: the sources whose symbols it uses}"""
    used, made_by = {}, {}
    for source, path in objects().items():
        names = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout.splitlines()
        used[source] = {line.split()[1] for line in names if line.split()[0] == "U"}
        made_by.update({line.split()[2]: source for line in names if line.split()[1] in "TDBRVWi" and line.split()[0] != "U"})
    return {source: {made_by[name] for name in names if name in made_by} - {source} for source, names in used.items()}


def never_called():
    """Public names of the programs' sources that neither another source nor their own needs; as "source: name"."""
    used, made = set(), []
    for source, path in objects().items():
        names = [line.split() for line in subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout.splitlines()]
        used |= {name[1] for name in names if name[0] == "U"}
        made += [(source, name[2]) for name in names if name[1] in "TDBRi" and name[0] != "U"]
    return [f"{source}: {name}" for source, name in made if name not in used and not needs_itself(source, name)]


def needs_itself(source, name):
    """Whether a source names what it makes a second time."""
    code = re.sub(r"/\*.*?\*/", "", (REPO / source).read_text(), flags=re.S)
    return name.split(".")[0] == "main" or len(re.findall(rf"\b{re.escape(name.split('.')[0])}\b", code)) > 1


def circles(graph):
    """Groups of nodes that reach each other (Tarjan, 1972), each sorted."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            group = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in index:
            visit(node)
    return sorted(found)
