#!/usr/bin/python3
"""Counts what makes a house hard to live in, and prints the worst of each: files in a folder, prototypes in a header, parameters
of a function, lines of a function and of a file; the files that a fourth algorithm touches, and those that speak of a parameter of the
filter.

usage: tools/house.py [--top N]
"""

import argparse
import pathlib
import re
import sys

REPO = pathlib.Path(__file__).resolve().parent.parent
PLACES = ("lib", "include", "etl", "train", "serve")
# Where a parameter of the filter may be spoken of: all that a program is made of, files that the build makes aside.
SPEAKING = (*PLACES, "sql")
MADE = "Made by tools/filter_sql.c"
TABLE = "include/trivet/model/filter_parameters.def"
# A step of the funnel is named after these, and items have genres; an index of similar items has a condition of its own.
NAMES_OF_STEPS = ("min_rating", "genres")
OTHERWISE = {"rated_since": r"sql/022_similar\.sql|(train|lib)/similar/"}
LIMIT_OF_PARAMETER = 4
LIMITS = {"files a fourth algorithm touches": 6, "files in a folder": 20, "prototypes in a header": 15,
          "parameters of a function": 7, "lines of a function": 47}
# What a library asks for: {what: {where}}, not counted.
ALLOWED = {"parameters of a function": {"serve/listen/http.c: on_request"}}  # libmicrohttpd calls it
# A declaration or definition at the beginning of a line: its name, and what stands between its brackets.
FUNCTION = re.compile(r"^(?:TV_[A-Z_]+ )?(?!typedef|#|return|else)[a-z_][\w \t*]*?\b(\w+)\(([^;{}()]*(?:\([^()]*\)[^;{}()]*)*)\)\s*(?:__attribute__\(\([^;]*\)\))?\s*([;{])",
                      re.M)


def sources():
    return sorted(p for place in PLACES for p in (REPO / place).rglob("*.[ch]"))


def plain(text):
    """Without comments and texts, lines where they were."""
    return re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


def parameters(text):
    depth, n = 0, 1
    if text.strip() in ("", "void"):
        return 0
    for c in text:
        depth += (c == "(") - (c == ")")
        n += c == "," and depth == 0
    return n


def names_algorithms(path):
    """Whether code has a text with the name of an algorithm in it: help, which may speak of any, and examples aside."""
    texts = re.findall(r'"((?:\\.|[^"\\\n])*)"', re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S))
    return any("als-implicit" in text.split("|") for text in texts)


def algorithm_files():
    """What CONTRIBUTING.md tells to touch, "Add an algorithm": where algorithms are named, and a source and a header."""
    return [str(p.relative_to(REPO)) for p in sources() if names_algorithms(p)] + ["train/learn/NAME.c", "train/learn/NAME.h"]


def count():
    """{what: [(n, where), ...]}, the largest first."""
    found = {what: [] for what in LIMITS}
    folders = {}
    for path in sources():
        name = str(path.relative_to(REPO))
        text = plain(path.read_text())
        functions = list(FUNCTION.finditer(text))
        folders[path.parent] = sum(p.is_file() for p in path.parent.iterdir())
        if path.suffix == ".h":
            found["prototypes in a header"].append((sum(f[3] == ";" for f in functions), name))
        for f in functions:
            found["parameters of a function"].append((parameters(f[2]), f"{name}: {f[1]}"))
            if f[3] == "{":
                end = text.find("\n}", f.end())
                found["lines of a function"].append((text.count("\n", f.end(), end), f"{name}: {f[1]}"))
    touched = algorithm_files()
    found["files a fourth algorithm touches"] = [(len(touched), ", ".join(touched))]
    found["files in a folder"] = [(n, str(folder.relative_to(REPO))) for folder, n in folders.items()]
    counted = {what: [row for row in rows if row[1] not in ALLOWED.get(what, ())] for what, rows in found.items()}
    return {what: sorted(rows, reverse=True) for what, rows in counted.items()}


def filter_parameters():
    """Their names, from the table, and of each the step of the funnel that it acts in."""
    return dict(re.findall(r"^PARAMETER\((\w+),.*?\.step = TV_FILTER_(\w+)", (REPO / TABLE).read_text(), re.M | re.S))


def files_of_parameters():
    """{name: the files that speak of it}: what loops over the table do for all parameters has no name in it."""
    found = {name: [] for name in filter_parameters()}
    kinds = (".c", ".h", ".def", ".js", ".json", ".html", ".sql")
    for path in sorted(p for place in SPEAKING for p in (REPO / place).rglob("*") if p.suffix in kinds):
        text, where = path.read_text(), str(path.relative_to(REPO))
        for name in found:
            if MADE not in text[:1000] and re.search(rf"\b{name}\b", text) and not re.match(OTHERWISE.get(name, "$"), where):
                found[name].append(where)
    return found


def ordinary(name):
    """A condition on rows that no step is named after. The cuts, the limit and the sample are each a step of their own."""
    return filter_parameters()[name] in ("TIMES", "VALUES", "ITEMS") and name not in NAMES_OF_STEPS


def print_parameters():
    """How many ordinary parameters are over the limit."""
    over = 0
    print(f"files that speak of a parameter of the filter: of a condition on rows at most {LIMIT_OF_PARAMETER}")
    for name, files in files_of_parameters().items():
        over += ordinary(name) and len(files) > LIMIT_OF_PARAMETER
        print(f"  {len(files):5d}  {name}" + (f": {', '.join(files)}" if ordinary(name) else ""))
    return over


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--top", type=int, default=5, metavar="N", help="how many of each (default 5)")
    top = parser.parse_args().top
    over = 0
    for what, rows in count().items():
        beyond = [row for row in rows if row[0] > LIMITS[what]]
        over += len(beyond)
        print(f"{what}: at most {LIMITS[what]}; {len(beyond)} of {len(rows)} have more")
        for n, where in rows[:max(top, 0)]:
            print(f"  {n:5d}  {where}")
    over += print_parameters()
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
