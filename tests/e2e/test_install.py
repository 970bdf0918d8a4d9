"""cmake --install: what lands where, and that it runs from there."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from server import clean_environment
from stores import REPO

PROGRAMS = ("trivet-etl", "trivet-train", "trivet-serve")


def install(*arguments, **environment):
    build = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build"))
    done = subprocess.run(["cmake", "--install", build, *map(str, arguments)], capture_output=True, text=True,
                          env={**clean_environment(), **environment})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def prefix(programs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("install") / "usr"
    install("--prefix", folder)
    return folder


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_run_from_there(prefix, program, tmp_path):
    for flag in ("--version", "--help"):
        done = subprocess.run([prefix / "bin" / program, flag], cwd=tmp_path, env=clean_environment(), capture_output=True,
                              text=True)
        assert done.returncode == 0 and program in done.stdout, done.stderr
    version = subprocess.run([prefix / "bin" / program, "--version"], capture_output=True, text=True).stdout
    assert version.splitlines()[0] == f"{program} {(REPO / 'VERSION').read_text().strip()}"
    assert len(version.splitlines()) > 3  # the linked libraries


def test_what_comes_along(prefix):
    found = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    sql = {f"share/trivet/sql/{path.name}" for path in (REPO / "sql").glob("*.sql")}
    papers = {f"share/doc/trivet/{name}" for name in ("README.md", "LICENSE", "CHANGELOG.md")}
    units = {f"lib/systemd/system/trivet-retrain.{kind}" for kind in ("service", "timer")}
    assert found == {f"bin/{program}" for program in PROGRAMS} | sql | papers | units


def test_the_units_are_what_systemd_takes(prefix):
    """systemd-analyze reads them; what the service starts is the program that was installed."""
    folder = prefix / "lib/systemd/system"
    unit = (folder / "trivet-retrain.service").read_text()
    command = re.search(r"^ExecStart=(\S+) (.*)$", unit, re.M)
    cache = (pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build")) / "CMakeCache.txt").read_text()
    assert command[1] == re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", cache, re.M)[1] + "/bin/trivet-train"
    assert command[2] == "fit --if-changed $RETRAIN_ARGUMENTS"
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze: apt-get install systemd")
    (folder / "trivet-retrain.service").write_text(unit.replace(command[1], str(prefix / "bin/trivet-train")))
    done = subprocess.run(["systemd-analyze", "verify", folder / "trivet-retrain.service", folder / "trivet-retrain.timer"],
                          capture_output=True, text=True)
    wrong = [line for line in done.stderr.splitlines() if "trivet-retrain" in line]
    assert wrong == []


def test_destdir_goes_before_the_prefix(programs, tmp_path):
    install("--prefix", "/usr", DESTDIR=str(tmp_path))
    assert (tmp_path / "usr/bin/trivet-etl").exists()
