"""The numbers of the factorisation, through bench/svd_tool: singular values against LAPACK's dense SVD and scipy's
svds, on real rating sets where they are present and on a generated one always."""

import os
import pathlib
import subprocess
import tarfile

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from stores import REPO

FACTORS = 50
ACCURACY = 1e-5


@pytest.fixture(scope="module")
def svd_tool():
    path = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build")) / "bench/svd_tool"
    if not path.exists():
        pytest.fail(f"not built: {path}; cmake -B build && cmake --build build", pytrace=False)
    return path


def pair_means(rows):
    """(user, item, rating) rows as a float64 matrix of the float32 means of each pair, over dense ids."""
    users = np.unique(rows[:, 0], return_inverse=True)[1]
    items = np.unique(rows[:, 1], return_inverse=True)[1]
    shape = users.max() + 1, items.max() + 1
    total = sp.coo_matrix((rows[:, 2], (users, items)), shape=shape).tocsr()
    count = sp.coo_matrix((np.ones(len(rows)), (users, items)), shape=shape).tocsr()
    mean = total.copy()
    mean.data = (total.data / count.data).astype("f4").astype("f8")
    return mean


def run_tool(svd_tool, matrix, path, *options):
    coo = matrix.tocoo()
    np.savetxt(path, np.column_stack([coo.row, coo.col, coo.data]), fmt=["%d", "%d", "%.9g"], delimiter=",")
    done = subprocess.run([svd_tool, "--factors", str(FACTORS), *options, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    words = [line.split() for line in done.stdout.splitlines()]
    return np.array([float(value) for key, value in words if key == "sigma"])


def relative_error(values, reference):
    return np.max(np.abs(values - reference) / reference)


def by_lapack(matrix):
    return np.linalg.svd(matrix.toarray(), compute_uv=False)[:FACTORS]


def by_scipy(matrix):
    start = np.random.default_rng(0).uniform(size=min(matrix.shape))
    return np.sort(svds(matrix, k=FACTORS, v0=start, return_singular_vectors=False))[::-1]


def check(svd_tool, matrix, folder, reference):
    one = run_tool(svd_tool, matrix, folder / "ratings.csv", "--threads", "1")
    two = run_tool(svd_tool, matrix, folder / "ratings.csv", "--threads", "2")
    assert len(one) == FACTORS and np.array_equal(one, two)
    assert relative_error(one, reference(matrix)) < ACCURACY


def ml_100k(data):
    return pair_means(np.loadtxt(data / "ml-100k/u.data")[:, :3])


def ml_latest_small(data):
    return pair_means(np.loadtxt(data / "ml-latest-small/ratings.csv", delimiter=",", skiprows=1)[:, :3])


def epinions(data):
    with tarfile.open(data / "epinions-922k.tar.gz") as archive:
        with archive.extractfile("epinions-922k/ratings.csv") as rows:
            return pair_means(np.loadtxt(rows, delimiter=",", skiprows=1, usecols=(0, 1, 2)))


@pytest.mark.parametrize("load", [ml_100k, ml_latest_small])
@pytest.mark.parametrize("reference", [by_lapack, by_scipy])
def test_small_sets_match(svd_tool, data_dir, tmp_path, load, reference):
    check(svd_tool, load(data_dir), tmp_path, reference)


def test_epinions_matches_scipy(svd_tool, data_dir, tmp_path):
    check(svd_tool, epinions(data_dir), tmp_path, by_scipy)


@pytest.mark.parametrize("shape", [(900, 400), (300, 1200)])
def test_generated_ratings_match_lapack(svd_tool, tmp_path, shape):
    """Long-tailed popularity, 5 % of the cells filled, every user and item rated at least once."""
    rng = np.random.default_rng(7)
    n = shape[0] * shape[1] // 20
    users = np.concatenate([rng.integers(0, shape[0], n), np.arange(shape[0]), rng.integers(0, shape[0], shape[1])])
    items = np.concatenate([shape[1] * rng.random(n) ** 2, rng.integers(0, shape[1], shape[0]), np.arange(shape[1])])
    ratings = rng.integers(1, 11, len(users)) / 2
    check(svd_tool, pair_means(np.column_stack([users, items.astype(int), ratings])), tmp_path, by_lapack)


def test_a_wrong_line_is_named(svd_tool, tmp_path):
    (tmp_path / "ratings.csv").write_text("user,item,rating\n1,2,3\n1;3;4\n")
    done = subprocess.run([svd_tool, tmp_path / "ratings.csv"], capture_output=True, text=True)
    assert done.returncode == 3
    assert "line 3" in done.stderr
