"""The OpenAPI document against the server: schemathesis makes requests out of it, right ones and wrong ones, and looks
whether status, headers and body are what the document promises."""

import subprocess

import pytest

import pypi

# A parameter may be well-formed and still name nothing here: a genre that no film has, a code where ids are numbers. The
# answer to that is a 400, which this check takes for a refusal of good data.
LEFT_OUT = "positive_data_acceptance"

# And wrong data may be refused for its size, or for being about another data set, before anybody looks what it is.
CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 413, 414, 422, 431]
"""


@pytest.fixture
def rated(run, serve, fresh_stores, tmp_path):
    """A server with two models of generated ratings, one of which predicts, and an index of similar items."""
    run("trivet-etl", "synth", tmp_path / "set", "--users", 150, "--items", 100, "--ratings", 5000, env=fresh_stores.env)
    run("trivet-etl", "load", tmp_path / "set", env=fresh_stores.env)
    run("trivet-train", "fit", "--algorithm", "als", "--factors", 5, "--biases", env=fresh_stores.env)
    run("trivet-train", "fit", "--factors", 5, env=fresh_stores.env)
    run("trivet-train", "similar", env=fresh_stores.env)
    return serve(fresh_stores)


def test_answers_are_as_the_document_says(rated, tmp_path):
    schemathesis = pypi.program("st")
    if schemathesis is None:
        pytest.skip(f"schemathesis is not there, so the OpenAPI document is not tried out: {pypi.HINT}")
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    done = subprocess.run(
        [schemathesis, "run", f"{rated.url}/openapi.json", "--phases", "examples,coverage,fuzzing", "--max-examples", "15",
         "--exclude-checks", LEFT_OUT, "--seed", "20260107", "--max-time", "30", "--no-color", "--continue-on-failure"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
    assert rated.get("/healthz").status == 200
