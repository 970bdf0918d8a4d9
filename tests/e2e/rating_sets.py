"""Where the real rating sets lie: $TRIVET_TEST_DATA, by default ../shared/data. A clone alone has none."""

import os
import pathlib

from stores import REPO

FOLDER = pathlib.Path(os.environ.get("TRIVET_TEST_DATA", REPO.parent / "shared/data"))
THERE = (FOLDER / "ml-latest-small/ratings.csv").exists()
NOT_THERE = f"no rating sets in {FOLDER}: set TRIVET_TEST_DATA to a folder that holds ml-latest-small/"
