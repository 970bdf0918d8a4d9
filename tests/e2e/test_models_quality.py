"""What the page /models asks: the journal's models, evaluations and what they measured, as SQL tells them."""

import json

import pytest


@pytest.fixture(scope="module")
def judged(servers, run, programs, movielens_100k, tmp_path_factory):
    from server import Server
    place = servers.place()
    run("trivet-etl", "load", movielens_100k, env=place.env)
    run("trivet-train", "fit", "--factors", "4", env=place.env)
    said = run("trivet-train", "evaluate", "--factors", "4", "--format", "json", env=place.env).stdout
    server = Server(programs["trivet-serve"], place, tmp_path_factory.mktemp("models"))
    server.said = json.loads(said)
    yield server.start()
    server.stop()


def rows(place, source):
    return [json.loads(line) for line in place.psql(f"select row_to_json(t) from {source} t").splitlines()]


def test_the_journal_is_that_of_sql(judged):
    answer = judged.get("/models/journal")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("application/json")
    body = answer.json()
    for model in body["models"] + (stored := rows(judged.stores, "trivet.model")):
        assert model.pop("age_seconds") >= 0
    assert body["models"] == stored and len(stored) == 1
    assert body["evaluations"] == rows(judged.stores, "trivet.evaluations()") and len(body["evaluations"]) == 1
    assert body["searches"] == [] and body["elapsed_ms"] > 0


def test_the_metrics_of_a_run_are_those_of_sql_and_of_the_terminal(judged):
    run = judged.get("/models/journal").json()["evaluations"][0]["run"]
    body = judged.get(f"/models/metrics?run={run}").json()
    assert body["parameters"] == {"run": run}
    for member, source in (("methods", f"(select * from trivet.evaluation where run = {run})"),
                           ("lists", f"(select * from trivet.evaluation_at where run = {run})"),
                           ("learning", f"trivet.learning_curve({run})"), ("popularity", f"trivet.popularity_curve({run})")):
        assert body[member] == rows(judged.stores, source) and body[member], member
    assert body["trials"] == body["factors"] == []
    model, = (line for line in body["lists"] if line["is_model"] and line["k"] == 10)
    said = {line["measure"]: line["svd"] for line in judged.said}
    for measure in ("ndcg", "precision", "recall", "map", "mrr", "coverage"):
        assert model[measure] == pytest.approx(float(said[f"{measure}@10"]), abs=1e-6)
    assert model["ndcg_low"] < model["ndcg"] < model["ndcg_high"]


def test_the_page_may_do_what_the_lab_may(judged):
    policies = [judged.get(path, accept="text/html").headers["Content-Security-Policy"] for path in ("/models", "/lab")]
    assert policies[0] == policies[1] and "script-src 'self'" in policies[0] and "default-src 'none'" in policies[0]


def test_a_run_that_measured_nothing_has_no_rows(judged):
    body = judged.get("/models/metrics?run=1").json()
    assert all(body[member] == [] for member in ("methods", "lists", "learning", "popularity", "trials", "factors"))


def test_an_older_schema_gets_a_hint(serve, run, fresh_stores):
    run("trivet-etl", "schema", env=fresh_stores.env)
    fresh_stores.psql("drop view trivet.evaluation cascade")
    server = serve(fresh_stores)
    body = server.get("/models/journal").json()
    assert body["status"] == 503 and "trivet.evaluation" in body["detail"] and "trivet-etl schema" in body["hint"]


def test_without_postgres_the_models_are_told_all_the_same(serve, judged):
    server = serve(judged.stores, env={"TRIVET_READER": "postgresql://trivet_page@127.0.0.1:1/postgres"})
    problem = server.get("/models/journal")
    assert problem.status == 503 and "PostgreSQL" in problem.json()["detail"] and "/models" in problem.json()["hint"]
    assert server.get("/models", accept="text/html").status == 200
    assert [m["number"] for m in server.get("/api/v1/models").json()["models"]] == [1]
    assert server.get("/recs?user_id=10").status == 200
