"""Containers of every kind give what a folder gives; of those that hold no ratings, or are not whole, the sentence says what is wrong."""

import bz2
import gzip
import io
import lzma
import shutil
import subprocess
import tarfile
import warnings
import zipfile

import pytest

ROWS = "userId,movieId,rating,timestamp\n" + "".join(f"{u},{m},{u * m % 5 + 1},1000\n" for u in range(1, 200) for m in range(1, 30))


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("ml/ratings.csv", ROWS)
    return path


def cut(data):
    return data[:len(data) // 2]


def cut_in_the_head(data):
    return data[:10]


def other_bits(data):
    return data[:200] + bytes(b ^ 0xFF for b in data[200:260]) + data[260:]


def wrong_sum(data):
    at = data.rindex(b"PK\1\2") + 16
    return data[:14] + bytes([data[14] ^ 1]) + data[15:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def locked(data):
    at = data.rindex(b"PK\1\2") + 8
    return data[:6] + bytes([data[6] | 1]) + data[7:at] + bytes([data[at] | 1]) + data[at + 1:]


def unknown_method(data):
    return data[:8] + b"\x63" + data[9:]


def no_directory(data):
    at = data.rindex(b"PK\1\2")
    return data[:at] + b"x" * 20 + data[at + 20:]


def only_magic(data):
    return b"PK\3\4"


@pytest.mark.parametrize("damage, word", [(cut, "it is cut"), (cut_in_the_head, "it is cut"), (other_bits, "decompression"),
                                          (wrong_sum, "CRC"), (locked, "assphrase"), (unknown_method, "method"),
                                          (no_directory, "amaged"), (only_magic, "set.zip")])
def test_a_damaged_archive_says_what_is_wrong(run, archive, damage, word):
    archive.write_bytes(damage(archive.read_bytes()))
    done = run("trivet-etl", "inspect", archive, check=False)
    assert done.returncode == 3 and word in done.stderr and "set.zip" in done.stderr, done.stderr
    assert "memory" not in done.stderr and "no longer holds" not in done.stderr, done.stderr


def test_an_empty_archive(run, tmp_path):
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    done = run("trivet-etl", "inspect", tmp_path / "empty.zip", check=False)
    assert done.returncode == 3 and "holds no ratings" in done.stderr and "give that archive itself" not in done.stderr


@pytest.mark.parametrize("name, head, unpack", [("ratings.7z", b"7z\xbc\xaf\x27\x1c", "7z x"), ("RATINGS.RAR", b"Rar!\x1a\x07\0", "unrar x")])
def test_what_is_packed_another_way_is_to_be_unpacked(run, tmp_path, name, head, unpack):
    (tmp_path / name).write_bytes(head * 50)
    done = run("trivet-etl", "inspect", tmp_path / name, check=False)
    assert done.returncode == 3 and "is packed in a way that trivet does not read" in done.stderr
    assert f"hint: unpack it first: {unpack} {tmp_path / name}" in done.stderr


MOVIES = "movieId,title,genres\n" + "".join(f"{m},Film {m} (1990),Drama\n" for m in range(1, 30))
SET = {"ratings.csv": ROWS, "movies.csv": MOVIES}
PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress,
           "zst": lambda data: subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout}


def test_inspect_says_what_it_counts_in_words(run, tmp_path):
    """One and many; a separator by its name; ids as what they are."""
    def said(text):
        (tmp_path / "ratings.csv").write_text(text)
        return run("trivet-etl", "inspect", tmp_path / "ratings.csv").stdout
    one = said("user,item,rating\n1,a,4\n")
    assert "fields separated by commas, with a header\n" in one
    assert "users     numbers: the only id is an integer\n" in one and "items     codes: the only id is text\n" in one
    many = said("user;item;rating\n" + "".join(f"{u};{'a' if u % 3 else u};4\n" for u in range(1, 1201)))
    assert "fields separated by semicolons, with a header\n" in many
    assert "users     numbers: all of the first 1,000 ids are integers\n" in many
    assert "items     codes: 667 of the first 1,000 ids are text\n" in many
    assert "fields separated by tabs, without a header\n" in said("".join(f"{u}\tb\t3\t{978300000 + u}\n" for u in range(1, 12)))
    damaged = said("user,item,rating\n1,a,4\n" + "x" * 70000 + "\n2,b,3\n")
    assert "rows      2, 1 line is no record\n" in damaged and "items     codes: all of the first 2 ids are text\n" in damaged


def test_synth_says_one_of_a_thing(run, tmp_path):
    for args, words in (((1, 2, 1), "1 rating of 1 user on 2 invented films"), ((4, 2, 3), "3 ratings of 4 users on 2 invented films")):
        users, items, ratings = args
        out = run("trivet-etl", "synth", tmp_path / f"set-{users}", "--users", users, "--items", items, "--ratings", ratings).stdout
        assert out.endswith(f": {words}\n")


def test_inspect_says_how_large_a_packed_file_is(run, tmp_path):
    """gzip does not tell what is in it: then it is the packed size, or none where others lie in the same archive."""
    packed = gzip.compress(ROWS.encode())
    (tmp_path / "set").mkdir()
    (tmp_path / "set/ratings.csv.gz").write_bytes(packed)
    for path in (tmp_path / "set/ratings.csv.gz", tmp_path / "set"):
        assert f"ratings.csv: ratings, {shown_bytes(len(packed))} packed, fields" in run("trivet-etl", "inspect", path).stdout
    (tmp_path / "set.zip").write_bytes(in_zip(SET))
    assert f"ratings.csv: ratings, {shown_bytes(len(ROWS))}, fields" in run("trivet-etl", "inspect", tmp_path / "set.zip").stdout
    (tmp_path / "streamed.zip").write_bytes(in_streamed_zip(SET))
    out = run("trivet-etl", "inspect", tmp_path / "streamed.zip").stdout
    assert "0 bytes" not in out and "ratings.csv: ratings, " in out and " packed" not in out


def shown_bytes(n):
    return f"{n} bytes" if n < 1024 else f"{n / 1024:.1f} KB"


class OneWay(io.RawIOBase):
    """A pipe: what is written to it cannot be gone back in, so a zip archive's sizes stand behind its files."""

    def __init__(self):
        self.out = io.BytesIO()

    def writable(self):
        return True

    def write(self, data):
        return self.out.write(data)


def in_streamed_zip(files):
    pipe = OneWay()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in files.items():
            z.writestr(name, text)
    return pipe.out.getvalue()


def in_zip(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in files.items():
            z.writestr(name, text)
    return out.getvalue()


def in_tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(text.encode())
            tar.addfile(about, io.BytesIO(text.encode()))
    return out.getvalue()


def inside(folder):
    return {f"{folder}/{name}": text for name, text in SET.items()}


GIVEN = {"set.zip": in_zip(SET), "SET.ZIP": in_zip(SET), "folder.zip": in_zip(inside("ml-x")), "deep.zip": in_zip(inside("a/b/c")),
         "letters.zip": in_zip(inside("영화 ätsch")), "letters.tar": in_tar(inside("영화 ätsch")), "dotted.tar": in_tar(inside(".")),
         "set.tar": in_tar(SET), "set.tgz": gzip.compress(in_tar(SET)), "SET.TAR.GZ": gzip.compress(in_tar(inside("ml-x"))),
         "no ending": gzip.compress(in_tar(SET)), "zip without its ending": in_zip(SET),
         **{f"set.tar.{ending}": pack(in_tar(SET)) for ending, pack in PACKERS.items() if ending != "zst" or shutil.which("zstd")}}


@pytest.mark.parametrize("name", GIVEN)
def test_an_archive_is_as_good_as_its_folder(run, tmp_path, name):
    (tmp_path / name).write_bytes(GIVEN[name])
    said = run("trivet-etl", "inspect", tmp_path / name).stdout
    assert f"format movielens-csv, in a {'zip' if 'zip' in name.lower() else 'tar'} archive" in said
    assert "\nratings.csv: ratings" in said and "rows      5,771" in said and "\nmovies.csv: items" in said and "rows      29\n" in said


ALONE = {**{f"ratings.csv.{ending}": pack(ROWS.encode()) for ending, pack in PACKERS.items() if ending != "zst" or shutil.which("zstd")},
         "RATINGS.CSV.GZ": gzip.compress(ROWS.encode()), "ratings.csv.zip": in_zip({"ratings.csv": ROWS}),
         "archive (3).zip": in_zip({"ratings.csv": ROWS}), "ratings.csv.tgz": gzip.compress(in_tar({"ratings.csv": ROWS}))}


@pytest.mark.parametrize("name", ALONE)
def test_a_file_that_is_packed_is_as_good_as_the_file(run, tmp_path, name):
    """Given itself, and in a folder beside another that is not packed."""
    (tmp_path / name).write_bytes(ALONE[name])
    assert "rows      5,771" in run("trivet-etl", "inspect", tmp_path / name).stdout
    (tmp_path / "movies.csv").write_text(MOVIES)
    said = run("trivet-etl", "inspect", tmp_path).stdout
    assert "rows      5,771" in said and "rows      29\n" in said and "archive" not in said.split("format")[1]


def test_archives_of_one_file_each_make_a_set(run, tmp_path):
    """As Kaggle serves the files of a set one by one."""
    for name, text in SET.items():
        (tmp_path / f"{name}.zip").write_bytes(in_zip({name: text}))
    said = run("trivet-etl", "inspect", tmp_path).stdout
    assert "\nratings.csv: ratings" in said and "\nmovies.csv: items" in said and "rows      29\n" in said


def test_a_file_comes_before_its_packed_twin(run, tmp_path):
    (tmp_path / "ratings.csv").write_text(ROWS + "900,1,5,1000\n")
    (tmp_path / "ratings.csv.zip").write_bytes(in_zip({"ratings.csv": ROWS}))
    assert "rows      5,772" in run("trivet-etl", "inspect", tmp_path).stdout


def test_archives_of_sets_are_named_for_one_to_be_given(run, tmp_path):
    for name in ("ml-1.zip", "ml-2.tar.gz"):
        (tmp_path / name).write_bytes(in_zip(SET) if "zip" in name else gzip.compress(in_tar(SET)))
    done = run("trivet-etl", "inspect", tmp_path, check=False)
    assert done.returncode == 3 and "hint: it holds ml-1.zip and ml-2.tar.gz: give one of these archives itself" in done.stderr
    (tmp_path / "ratings.csv").write_text(ROWS)  # beside a set they are told, and not looked into
    said = run("trivet-etl", "inspect", tmp_path).stdout
    assert "rows      5,771" in said and "ml-1.zip: not used" in said


def test_an_archive_in_an_archive(run, tmp_path):
    (tmp_path / "outer.zip").write_bytes(in_zip({"ml/readme.txt": "x"} | {"ml/inner.zip": "x"}))
    done = run("trivet-etl", "inspect", tmp_path / "outer.zip", check=False)
    assert done.returncode == 3 and "it holds inner.zip, which is packed itself: unpack" in done.stderr


@pytest.mark.parametrize("name, test", [("ratings.csv.gz", "gzip -t"), ("ratings.csv.xz", "xz -t"), ("set.tgz", "gzip -t"), ("set.tar", "tar -tf")])
def test_a_packed_file_that_is_cut_says_so(run, tmp_path, name, test):
    whole = {**GIVEN, **ALONE}[name]
    (tmp_path / name).write_bytes(cut(whole))
    done = run("trivet-etl", "inspect", tmp_path / name, check=False)
    assert done.returncode == 3 and name in done.stderr and f"is it whole? {test} " in done.stderr, done.stderr


def in_two(pack, text):
    return pack(text[:3000]), pack(text[3000:])


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


DAMAGE = {"the sum of gzip": ("ratings.csv.gz", lambda: flipped(gzip.compress(ROWS.encode()), -8), "incorrect data check"),
          "the length of gzip": ("ratings.csv.gz", lambda: flipped(gzip.compress(ROWS.encode()), -4), "incorrect length check"),
          "no length": ("ratings.csv.gz", lambda: gzip.compress(ROWS.encode())[:-4], "it is cut"),
          "neither sum nor length": ("ratings.csv.gz", lambda: gzip.compress(ROWS.encode())[:-8], "it is cut"),
          "a bit": ("ratings.csv.gz", lambda: flipped(gzip.compress(ROWS.encode(), mtime=0), 4001), "it is damaged"),
          "the sum of a tar": ("set.tar.gz", lambda: flipped(gzip.compress(in_tar(SET)), -8), "incorrect data check"),
          "the sum of the first of two": ("ratings.csv.gz", lambda: flipped(in_two(gzip.compress, ROWS.encode())[0], -8)
                                          + in_two(gzip.compress, ROWS.encode())[1], "incorrect data check"),
          "the head of the second of two": ("ratings.csv.gz", lambda: in_two(gzip.compress, ROWS.encode())[0]
                                            + flipped(in_two(gzip.compress, ROWS.encode())[1], 0), "stands what is not"),
          "the head of the second of bzip2": ("ratings.csv.bz2", lambda: in_two(bz2.compress, ROWS.encode())[0]
                                              + flipped(in_two(bz2.compress, ROWS.encode())[1], 0), "stands what is not"),
          "a zip without its directory": ("set.zip", lambda: in_zip(SET)[:-60], "it is cut")}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_that_unpacks_to_the_end_is_refused(run, fresh_stores, tmp_path, what):
    """The file given itself, and lying in a folder, by inspect and by load."""
    name, damaged, words = DAMAGE[what]
    (tmp_path / "set").mkdir()
    path = tmp_path / "set" / name
    path.write_bytes(damaged())
    for command, given in (("inspect", path), ("load", path)) + ((("load", tmp_path / "set"),) if "csv" in name else ()):
        done = run("trivet-etl", command, given, env=fresh_stores.env, check=False)
        assert done.returncode == 3 and words in done.stderr and f"cannot read archive {path}" in done.stderr, done.stderr
        assert f" -t {path} says more" in done.stderr


def test_damage_of_what_lies_beside_the_ratings(run, fresh_stores, tmp_path):
    """Titles that cannot be read would be missing without a word; a packed file that is none of the set's harms nobody."""
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "ratings.csv").write_text(ROWS)
    (folder / "pictures.zip").write_bytes(in_zip(SET)[:-60])
    assert "pictures.zip: not used" in run("trivet-etl", "load", folder, env=fresh_stores.env).stderr
    (folder / "movies.csv.gz").write_bytes(flipped(gzip.compress(MOVIES.encode()), -8))
    done = run("trivet-etl", "load", folder, env=fresh_stores.env, check=False)
    assert done.returncode == 3 and f"movies.csv: cannot read archive {folder}/movies.csv.gz: it is damaged" in done.stderr


@pytest.mark.parametrize("name", ["ratings.csv.gz", "ratings.csv.bz2", "ratings.csv.xz", "ratings.csv.zst"])
def test_several_packed_one_after_the_other_are_one_file(run, tmp_path, name):
    first, second = in_two(PACKERS[name.split(".")[-1]], ROWS.encode())
    (tmp_path / name).write_bytes(first + second)
    assert "rows      5,771" in run("trivet-etl", "inspect", tmp_path / name).stdout


def test_zeros_behind_gzip_are_no_damage(run, tmp_path):
    """Tapes and disks fill up their blocks."""
    first, second = in_two(gzip.compress, ROWS.encode())
    (tmp_path / "ratings.csv.gz").write_bytes(first + bytes(512) + second + bytes(1000))
    assert "rows      5,771" in run("trivet-etl", "inspect", tmp_path / "ratings.csv.gz").stdout


def test_a_load_of_a_packed_set(run, fresh_stores, tmp_path):
    """Named without its endings, equal to the set that is not packed, and not loaded again under another packing."""
    (tmp_path / "ml-tiny").mkdir()
    for name, text in SET.items():
        (tmp_path / "ml-tiny" / name).write_text(text)
    (tmp_path / "ml-tiny.TAR.GZ").write_bytes(gzip.compress(in_tar(inside("ml-tiny"))))
    rows = "SELECT md5(string_agg(t::text, ' ' ORDER BY user_id, item_id)) FROM (SELECT user_id, item_id, value, rated_at FROM trivet.rating) t"
    run("trivet-etl", "load", tmp_path / "ml-tiny", env=fresh_stores.env)
    before = fresh_stores.psql(rows)
    assert "is loaded already" in run("trivet-etl", "load", "--if-changed", tmp_path / "ml-tiny.TAR.GZ", env=fresh_stores.env).stdout
    assert "load 2: ml-tiny (" in run("trivet-etl", "load", tmp_path / "ml-tiny.TAR.GZ", env=fresh_stores.env).stdout
    assert fresh_stores.psql(rows) == before and fresh_stores.psql("SELECT count(*) FROM trivet.item WHERE title LIKE 'Film%'") == "29"


def test_a_folder_with_the_name_of_an_archive(run, tmp_path):
    (tmp_path / "d.zip").mkdir()
    done = run("trivet-etl", "inspect", tmp_path / "d.zip", check=False)
    assert done.returncode == 3 and "holds no ratings" in done.stderr
    (tmp_path / "d.zip" / "ratings.csv").write_text(ROWS)
    assert "format movielens-csv" in run("trivet-etl", "inspect", tmp_path / "d.zip").stdout


def test_a_damaged_line_in_a_file_of_utf8_is_refused_and_shown_as_damage(run, fresh_stores, tmp_path):
    """Where most lines that could tell are UTF-8's, a line that is none is no ISO-8859-1."""
    (tmp_path / "ratings.csv").write_text(ROWS)
    (tmp_path / "movies.csv").write_bytes("movieId,title,genres\n1,Amélie (2001),Drama\n2,Señor (2002),Drama\n".encode() +
                                          b"3,Am\xe9lie (2003),Drama\n")
    said = run("trivet-etl", "inspect", tmp_path).stdout
    assert "encoding  UTF-8, lines" in said and "1 line is damaged: no UTF-8, as the others are" in said and "Am\\xe9lie (2003)" in said
    assert "1 x invalid UTF-8" in run("trivet-etl", "load", tmp_path, env=fresh_stores.env).stdout
    assert fresh_stores.psql("SELECT title FROM trivet.item ORDER BY item_id").splitlines() == ["Amélie (2001)", "Señor (2002)"]


@pytest.mark.parametrize("encoding, name", [("latin-1", "ISO-8859-1"), ("cp1252", "Windows-1252"), ("utf-8", "UTF-8"), ("ascii", "ASCII")])
def test_inspect_names_the_encoding(run, tmp_path, encoding, name):
    title = {"ascii": "Amelie", "latin-1": "Amélie"}.get(encoding, "“Amélie”")
    (tmp_path / "ratings.csv").write_text(ROWS)
    (tmp_path / "movies.csv").write_bytes(f"movieId,title,genres\n1,{title},Drama\n".encode(encoding))
    said = run("trivet-etl", "inspect", tmp_path).stdout
    assert f"encoding  {name}, lines end" in said.split("movies.csv: items")[1] and title in said


def rows_of(value, n):
    return ("userId,movieId,rating\n" + "".join(f"{user},{film},{value}\n" for user in range(1000, 1200) for film in range(100, 100 + n))).encode()


def one_after_the_other(kind, *files):
    """An archive with one name twice, as tar -r makes it: what is unpacked from it is the last."""
    out = io.BytesIO()
    if kind == "zip":
        with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            warnings.simplefilter("ignore")
            for data in files:
                z.writestr("ratings.csv", data)
        return out.getvalue()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for data in files:
            about = tarfile.TarInfo("ratings.csv")
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
    return gzip.compress(out.getvalue()) if kind == "tar.gz" else out.getvalue()


@pytest.mark.parametrize("kind", ("tar", "tar.gz", "zip"))
@pytest.mark.parametrize("sizes", ((50, 51), (51, 50)))
def test_of_one_name_twice_in_an_archive_the_last_counts(run, fresh_stores, tmp_path, kind, sizes):
    for path in (tmp_path / f"set.{kind}", tmp_path / "folder" / f"ratings.csv.{kind}"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(one_after_the_other(kind, rows_of(1, sizes[0]), rows_of(5, sizes[1])))
        run("trivet-etl", "load", path if path.parent == tmp_path else path.parent, "--name", "set", env=fresh_stores.env)
        assert fresh_stores.psql("SELECT count(*), min(value), max(value) FROM trivet.rating") == f"{200 * sizes[1]}|5|5"


def test_a_file_that_was_unpacked_on_the_way_is_read_whatever_it_is_called(run, tmp_path):
    (tmp_path / "ratings.csv.gz").write_text(ROWS)
    for path in (tmp_path, tmp_path / "ratings.csv.gz"):
        assert "rows      5,771" in run("trivet-etl", "inspect", path).stdout


SHEET = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>", "xl/worksheets/sheet1.xml": "<worksheet/>"}


@pytest.mark.parametrize("name, data, says", [
    ("ratings.xlsx", in_zip(SHEET), "it is a spreadsheet"),
    ("ratings.csv", in_zip(SHEET), "it is a spreadsheet"),
    ("ratings.ods", in_zip({"mimetype": "x", "content.xml": "<x/>", "META-INF/manifest.xml": "<x/>"}), "it is a spreadsheet"),
    ("ratings.csv.gz", gzip.compress(gzip.compress(ROWS.encode())), "it is packed twice"),
])
def test_what_is_no_table_is_called_what_it_is(run, tmp_path, name, data, says):
    (tmp_path / name).write_bytes(data)
    for path in (tmp_path / name, tmp_path):
        done = run("trivet-etl", "inspect", path, check=False)
        assert done.returncode == 3 and says in done.stderr and "hint: " in done.stderr, done.stderr


@pytest.mark.parametrize("name, head, command", [("ratings.csv.Z", b"\x1f\x9d", "uncompress"), ("ratings.csv.lz4", b"\x04\x22\x4d\x18", "lz4 -d")])
def test_what_is_packed_otherwise_names_the_command(run, tmp_path, name, head, command):
    (tmp_path / name).write_bytes(head + b"x" * 100)
    done = run("trivet-etl", "inspect", tmp_path / name, check=False)
    assert done.returncode == 3 and f"unpack it first: {command} " in done.stderr, done.stderr
