"""Files that hold no ratings, or are not whole: the sentence says what is wrong with them. No store is needed."""

import gzip
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


@pytest.mark.parametrize("damage, word", [(cut, "runcated"), (cut_in_the_head, "runcated"), (other_bits, "decompression"),
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


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_packed_another_way_is_to_be_unpacked(run, tmp_path, whole):
    packed = gzip.compress(ROWS.encode())
    (tmp_path / "ratings.csv.gz").write_bytes(packed if whole else cut(packed))
    done = run("trivet-etl", "inspect", tmp_path / "ratings.csv.gz", check=False)
    assert done.returncode == 3 and "is packed" in done.stderr and "gunzip" in done.stderr


def test_a_folder_with_the_name_of_an_archive(run, tmp_path):
    (tmp_path / "d.zip").mkdir()
    done = run("trivet-etl", "inspect", tmp_path / "d.zip", check=False)
    assert done.returncode == 3 and "holds no ratings" in done.stderr
    (tmp_path / "d.zip" / "ratings.csv").write_text(ROWS)
    assert "format movielens-csv" in run("trivet-etl", "inspect", tmp_path / "d.zip").stdout
