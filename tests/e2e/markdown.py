"""Reads the pages of the documentation: fenced blocks, tables, links. Tests hold them against the programs."""

import re

from stores import REPO

PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/README.md",
         *sorted(str(p.relative_to(REPO)) for p in (REPO / "docs").glob("*.md"))]


def page(name):
    return (REPO / name).read_text()


def section(text, heading):
    """What stands below a heading, to the next one of its level or above. Fences may hold lines that begin with #."""
    level = len(heading.split()[0])
    fenced, found, lines = False, False, []
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        mark = None if fenced else re.match(r"(#+) ", line)
        if found and mark and len(mark[1]) <= level:
            break
        found |= line == heading
        lines += [line] if found else []
    assert lines, f"no heading {heading!r}"
    return "\n".join(lines)


def blocks(text, info):
    """The fenced blocks with this word or these words after the fence, their indentation removed."""
    found = re.findall(rf"^( *)```{re.escape(info)}\n(.*?)^ *```$", text, re.S | re.M)
    return ["".join(line.removeprefix(indent) for line in body.splitlines(keepends=True)) for indent, body in found]


def block(text, info):
    one, = blocks(text, info)
    return one


def rows(text):
    """The rows of all tables, without their heads, as lists of cells. A bar within `code` divides nothing."""
    table, head = [], True
    for line in text.splitlines():
        if not line.lstrip().startswith("|"):
            head = True
            continue
        cells = re.split(r" ?\| ?(?=(?:[^`]*`[^`]*`)*[^`]*$)", line.strip().strip("|").strip())
        if re.fullmatch(r"[-|: ]+", line.strip()):
            head = False
        elif not head:
            table.append(cells)
    return table


def code(cell):
    """The words in `code` of a cell."""
    return re.findall(r"`([^`]+)`", cell)


def names(text):
    """The words in `code` of all first cells: what a table is about."""
    return [name for cells in rows(text) for name in code(cells[0])]
