"""One word, one thing (docs/glossary.md): every public name has its prefix, and names that stood for two things stay away. Needs no
server."""

import re

import pytest
from stores import REPO

ROOMS = ("lib", "include", "etl", "train", "serve")
TESTS = ("tests/unit", "tests/fuzz", "bench")
# What each word of old stood for, and what says it now. A pattern is looked for in code, comments and texts left out.
RETIRED = {
    r"tv_snapshot\w*|\w*_snapshot_(create|release|acquire)": "a model in memory is tv_resident; a snapshot is the database's",
    r"tv_catalog|tv_catalog_\w*": "the models that are kept are tv_model_list; a catalogue is of items",
    r"tv_audience\w*": "what asks the index of similar items is tv_similar_keeper; an audience is a set of users",
    r"tv_metrics|tv_metrics_(create|free|request|bytes|last_run|write)": "what /metrics counts are tv_counters; a metric says how good something is",
    r"tv_source|tv_source_\w*": "bytes come from a tv_byte_source; ratings from a row source",
    r"tv_dense|tv_dense_free|tv_ratings_densify|tv_split_dense": "the sparse matrix is tv_matrix; dense is an index",
    r"tv_part|TV_PARTS|tv_filter_part|TV_MAX_PARTS": "a split has portions, a path segments; parts are those of blobs",
    r"tv_folding\w*|tv_fold_space\w*|tv_fold_user|tv_refold\w*|TV_REFOLD_\w*|refold_\w*": "folding in has names that begin with tv_fold_in",
    r"tv_live_\w*|TV_CODE_LIVE": "a rating that came by itself is a single rating; live is a model or an index",
    r"record_(begin|done|failed)": "a run's row in the journal is tv_run_row; a record is a line of a CSV file",
    r"(?<=[.>])preset": "an option has a default_text; a preset is a filter that somebody saved",
}
FUNCTION = re.compile(r"^(?!typedef|#|return|else)[A-Za-z_][\w \t*]*?\b(\w+)\(([^;{}()]*(?:\([^()]*\)[^;{}()]*)*)\)\s*"
                      r"(?:__attribute__\(\(.*?\)\))?\s*[;{]", re.M | re.S)


def plain(text):
    """Without comments, texts and include lines, lines where they were."""
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'|^[ \t]*#[ \t]*include[^\n]*",
                  lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S | re.M)


def sources(*folders, kinds="ch"):
    return sorted(p for folder in folders for p in (REPO / folder).rglob(f"*.[{kinds}]"))


def public_names(text):
    """Whatever a header declares: functions, variables, structs, enums and their constants, types, macros (its guard aside)."""
    text = plain(text)
    guard = re.search(r"^#ifndef (\w+)\n#define \1\b", text, re.M)
    ended = re.findall(r"^#[ \t]*undef[ \t]+(\w+)", text, re.M)  # gone again where the header ends
    names = [n for n in re.findall(r"^#[ \t]*define[ \t]+(\w+)", text, re.M) if n not in ended and (not guard or n != guard[1])]
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)
    for tag, constants in re.findall(r"\benum(?:\s+TV_MUST_USE)?\s*(\w*)\s*\{([^}]*)\}", text):
        names += [tag] * bool(tag) + re.findall(r"(?:^|,)\s*(\w+)", constants)
    names += re.findall(r"\b(?:struct|union)\s+(\w+)\s*\{", text) + re.findall(r"^(?:struct|union)\s+(\w+)\s*;", text, re.M)
    names += [a or b for a, b in re.findall(r"^typedef\b[^;{]*?(?:\(\*\s*(\w+)\)\s*\([^;]*|\b(\w+)\s*);", text, re.M)]
    for variables in re.findall(r"^extern\b([^;=]*?);", text, re.M):
        names += re.findall(r"\b(\w+)\s*(?:\[[^\]]*\])?\s*(?:,|$)", variables)
    return names + [m[1] for m in FUNCTION.finditer(text)]


HEADERS = [p for p in sources(*ROOMS, kinds="h") if not p.stem.endswith("_body")]  # those are templates of one source


def test_public_names_are_found():
    """In each way a header declares something: else the next test would hold nothing."""
    text = """#ifndef G_H
#define G_H
#define A 1 /* B */
#define C(x) \\
    D(x)
#define X 1
#undef X
enum e { E1, E2 = 2 };
enum { E3 };
enum TV_MUST_USE u { E4 };
struct s { int m; };
struct t;
typedef int (*f)(void *context, int (*inner)(void));
typedef struct s n;
extern const int v[], *const w;
int g(int (*call)(void), const struct t *other) __attribute__((format(printf, 1, 2)));
TV_MUST_USE struct s *l(void);
const struct s *h(void);
static inline int i(int a)
{
    return k(a);
}
#endif
"""
    assert sorted(public_names(text)) == sorted("A C e E1 E2 E3 E4 u s t f n v w g h i l".split())
    assert len(HEADERS) > 150 and sum(len(public_names(p.read_text())) for p in HEADERS) > 1500


@pytest.mark.parametrize("header", [str(p.relative_to(REPO)) for p in HEADERS])
def test_public_names_have_the_prefix(header):
    wrong = [n for n in public_names((REPO / header).read_text()) if not re.match(r"(?:tv|TV)_\w", n)]
    assert wrong == [], f"{header} declares them without tv_ or TV_"


def test_a_guard_is_its_headers_path():
    for path in HEADERS:
        name = str(path.relative_to(REPO)).removeprefix("include/trivet/").removeprefix("lib/")
        guard = "TRIVET_" + re.sub(r"\W", "_", name).upper()
        assert f"#ifndef {guard}\n#define {guard}\n" in path.read_text(), f"{path}: its guard is not {guard}"


@pytest.mark.parametrize("pattern", RETIRED)
def test_a_word_of_two_meanings_stays_away(pattern):
    rx = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")
    found = [f"{p.relative_to(REPO)}: {m[0]}" for p in sources(*ROOMS, *TESTS) for m in rx.finditer(plain(p.read_text()))]
    assert found == [], RETIRED[pattern]


def test_no_two_headers_of_the_programs_define_the_same_struct():
    """The programs' unit tests are linked with all three, and a struct of the same name elsewhere is another thing."""
    where = {}
    for path in HEADERS:
        for kind, tag in re.findall(r"^(struct|enum|union)(?:\s+TV_MUST_USE)?\s+(\w+)\s*\{", plain(path.read_text()), re.M):
            where.setdefault(tag, []).append(str(path.relative_to(REPO)))
    assert {tag: paths for tag, paths in where.items() if len(paths) > 1} == {}


def test_the_glossary_is_in_order_and_names_what_there_is():
    """Its rows are sorted, and a name of code in it is declared in a header."""
    rows = re.findall(r"^\| ([^|]+?) \| (.*) \|$", (REPO / "docs/glossary.md").read_text(), re.M)
    words = [word.lower() for word, _ in rows if word not in ("word", "---")]
    assert len(words) > 60 and words == sorted(words) and len(set(words)) == len(words)
    declared = {n for p in HEADERS for n in public_names(p.read_text())}
    named = {n for _, text in rows for n in re.findall(r"`(tv_\w+)`", text)}
    assert named and {n for n in named if n not in declared and not any(d.startswith(n + "_") for d in declared)} == set()


@pytest.mark.parametrize("path", sorted((REPO / "sql").glob("*.sql")), ids=lambda p: p.name)
def test_what_our_sql_refuses_has_our_code(path):
    """lib/store/pg.c knows by it that the words are ours. A name that is taken is what PostgreSQL calls a unique violation."""
    for statement in re.findall(r"raise exception\b.*?;\n", path.read_text(), re.S):
        assert "errcode = 'TV001'" in statement or "errcode = 'unique_violation'" in statement, statement
