"""A copy of the project as a clone would have it: what git tracks or would track, so no data/, build/, .run or .env."""

import shutil
import subprocess

from stores import REPO


def copy_project(folder, *only):
    """Copies into folder, which is made; with names, only what lies in these top-level files and folders."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *only], cwd=REPO,
                           capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (REPO / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, folder / name)
    return folder
