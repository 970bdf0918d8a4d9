"""Packages of tests/requirements.txt, which tools/test_venv.sh puts into .run/venv; for tests and benches alike."""

import importlib
import sys

from stores import REPO

VENV = REPO / ".run/venv"
HINT = "run tools/test_venv.sh, which needs a package index"


def package(name):
    """The imported module, or None where tests/requirements.txt is not installed. Debian's own packages go first."""
    for folder in map(str, VENV.glob("lib/python3*/site-packages")):
        if folder not in sys.path:
            sys.path.append(folder)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def program(name):
    """The path of a package's program, for subprocess, or None. In it the packages of .run/venv go first."""
    path = VENV / "bin" / name
    return path if path.exists() else None
