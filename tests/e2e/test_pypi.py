"""tools/test_venv.sh: what tests take from the Python package index, and what happens where there is none."""

import os
import subprocess

from project import copy_project


def make_venv(folder, **env):
    return subprocess.run([folder / "tools/test_venv.sh"], env={**os.environ, **env}, capture_output=True, text=True, timeout=120)


def test_without_an_index_it_fails_with_a_hint_and_leaves_no_mark(tmp_path):
    folder = copy_project(tmp_path, "tools", "tests/requirements.txt")
    done = make_venv(folder, PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_EXTRA_INDEX_URL="", PIP_RETRIES="0")
    assert done.returncode == 1 and "is a package index reachable" in done.stderr
    assert not (folder / ".run/venv/requirements.txt").exists()


def test_an_environment_that_fits_the_file_is_left_alone(tmp_path):
    folder = copy_project(tmp_path, "tools", "tests/requirements.txt")
    (folder / ".run/venv").mkdir(parents=True)
    (folder / ".run/venv/requirements.txt").write_bytes((folder / "tests/requirements.txt").read_bytes())
    done = make_venv(folder)
    assert done.returncode == 0 and done.stderr == ""
    assert not (folder / ".run/venv/bin").exists()
