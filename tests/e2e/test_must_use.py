"""No call that can fail goes by unnoticed: both compilers refuse a status that nobody looks at, and every header marks what else
tells of a failure. Needs no server."""

import re
import shutil
import subprocess

import pytest
import rooms
from stores import REPO

COMPILERS = [c for c in ("gcc", "clang") if shutil.which(c)]
HEADER = '#include "trivet/base/buffer.h"\n#include "trivet/store/pg.h"\n'
# What a call may look like; each gives a status.
CALLS = {"a public function": "tv_pg_exec(pg, \"x\", 0, NULL, NULL)", "a function of this file": "own()", "a pointer": "hook(NULL)"}
BODY = """static enum tv_status own(void) {{ return TV_OK; }}
void f(struct tv_pg *pg, enum tv_status (*hook)(void *), struct tv_error *err);
void f(struct tv_pg *pg, enum tv_status (*hook)(void *), struct tv_error *err)
{{
    (void)pg, (void)hook, (void)err, (void)own;
    {}
}}
"""


def compiles(compiler, statement, tmp_path):
    """What the compiler says with the flags of the build, "" if it takes the statement."""
    source = tmp_path / "call.c"
    source.write_text(HEADER + BODY.format(statement))
    done = subprocess.run([compiler, "-std=c17", "-Wall", "-Wextra", "-Werror", "-I", REPO / "include", "-fsyntax-only", source],
                          capture_output=True, text=True)
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr


def test_the_build_takes_a_warning_for_an_error():
    assert "-Wall -Wextra" in (REPO / "CMakeLists.txt").read_text() and "-Werror" in (REPO / "CMakeLists.txt").read_text()


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("call", CALLS)
def test_a_dropped_status_does_not_compile(compiler, call, tmp_path):
    assert "unused-result" in compiles(compiler, f"{CALLS[call]};", tmp_path)
    assert compiles(compiler, f'tv_ignore({CALLS[call]}, "of no use here");', tmp_path) == ""
    assert compiles(compiler, f"if ({CALLS[call]} != TV_OK) tv_hint(err, \"try again\");", tmp_path) == ""


@pytest.mark.parametrize("compiler", COMPILERS)
def test_words_may_be_added_to_an_error(compiler, tmp_path):
    assert compiles(compiler, 'tv_fail(err, TV_ERR_INPUT, "x"); tv_where(err, "y"); tv_context(err, "z");', tmp_path) == ""


def sources(suffix):
    return sorted(p for place in (*rooms.PLACES, "include", "bench") for p in (REPO / place).rglob(f"*{suffix}"))


def without_comments(path):
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)


# What these return is always the same, for a caller to return in turn.
KNOWN = {"tv_problem_at"}
# What a header declares: what comes back, name, parameters.
PROTOTYPE = re.compile(r"^(?!typedef|return|#)([A-Za-z_][\w \t*]*?)\b(\w+)\(([^;{}]*?)\)\s*(?:__attribute__\(\([^;]*\)\))?;", re.M)


def test_a_header_marks_what_tells_of_a_failure():
    """Whatever fills an error or a problem of the caller's says so by what it returns."""
    marked = {f"enum {name}" for p in sources(".h") for name in re.findall(r"enum TV_MUST_USE (\w+)", p.read_text())}
    assert "enum tv_status" in marked
    seen, unmarked = 0, []
    for path in sources(".h"):
        for returned, name, parameters in PROTOTYPE.findall(without_comments(path)):
            fills = re.search(r"(?<!const )struct tv_(?:error|problem) \*(?!const)", parameters)
            if fills and returned.strip() not in ("void", "unsigned") and name not in KNOWN:
                seen += 1
                if not returned.startswith("TV_MUST_USE ") and returned.strip() not in marked:
                    unmarked.append(f"{path.relative_to(REPO)}: {name}")
    assert seen > 400
    assert unmarked == []


def test_no_cast_hides_a_dropped_result():
    """(void) would do so without a word where gcc is concerned."""
    found = [f"{p.relative_to(REPO)}: {call}" for p in (*sources(".c"), *sources(".h")) for call in re.findall(r"\(void\) ?\w+\(.*", without_comments(p))]
    assert found == []
