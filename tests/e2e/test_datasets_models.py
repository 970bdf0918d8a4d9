"""What was made of a data set: models, evaluations, lists and the index of similar items say which, and go with it."""

from breakpoints import at
from dataset_texts import films, grades, rate
from test_load import load, write


def test_a_load_says_what_is_out_of_date(run, fresh_stores, tmp_path):
    s, red = fresh_stores, write(tmp_path / "red", ratings=grades(), movies=films("Red"))
    assert "to do" not in load(run, s, red).stdout
    fit = ("trivet-train", "fit", "--set", "max_items_for_user=1000", "--factors", 2)
    run(*fit, env=s.env)
    run(*fit, env=s.env)
    run("trivet-train", "similar", env=s.env)
    rate(s, 3, 20, 5)
    rate(s, 3, 24, 1)
    said = load(run, s, write(red, ratings=grades(20, 4), movies=films("Red", 20))).stdout
    for line in ("model 2, which is live, was made before this load: trivet-train fit",
                 "models that are kept were made before the last load of red: 1",
                 "was made before this load: trivet-train similar", "1 single ratings lie outside the scale of 1 to 4",
                 "1 single ratings are of items that the files do not have"):
        assert line in said, (line, said)
    to_do = "SELECT d ->> 'what', d ->> 'hint' FROM trivet.load, jsonb_array_elements(report -> 'to_do') d WHERE id = (SELECT max(id) FROM trivet.load)"
    assert s.psql(to_do) == s.psql("SELECT what, hint FROM trivet.out_of_date()") != ""
    assert all(": ".join(line.split("|", 1)) in said for line in s.psql(to_do).splitlines())
    assert s.psql("SELECT report ->> 'next', report -> 'to_do' FROM trivet.load WHERE id = 1") == "trivet-train fit|[]"
    said = load(run, s, write(tmp_path / "blue", ratings=grades(), movies=films("Blue"))).stdout
    assert "model 2, which is live, was made of the data set red and goes on being served" in said
    assert "was made of the data set red: trivet-train similar" in said and "single ratings" not in said
    run(*fit, env=s.env)
    run("trivet-train", "similar", env=s.env)
    assert s.psql("SELECT what FROM trivet.out_of_date()") == ""


def test_a_model_of_before_is_not_what_to_activate(run, fresh_stores, tmp_path):
    """A load warns of it in the next line."""
    s, red = fresh_stores, write(tmp_path / "red", ratings=grades(), movies=films("Red"))
    fit = ("trivet-train", "fit", "--set", "max_items_for_user=1000", "--factors", 2)
    load(run, s, red)
    run(*fit, env=s.env)
    load(run, s, write(tmp_path / "blue", ratings=grades(), movies=films("Blue")))
    run(*fit, env=s.env)
    said = load(run, s, write(red, ratings=grades(20), movies=films("Red", 20))).stdout
    assert "ratings are refused: trivet-train fit\n" in said and "activate 1" not in said, said
    assert "models that are kept were made before the last load of red: 1" in said
    run("trivet-etl", "datasets", "use", "blue", env=s.env)
    run(*fit, env=s.env)
    run("trivet-etl", "datasets", "use", "red", env=s.env)
    run(*fit, env=s.env)
    assert "trivet-train activate 3, or trivet-train fit" in run("trivet-etl", "datasets", "use", "blue", env=s.env).stdout


def test_an_import_is_older_than_what_was_loaded_after_it(run, fresh_stores, tmp_path):
    s, red = fresh_stores, write(tmp_path / "red", ratings=grades(), movies=films("Red"))
    load(run, s, red)
    run("trivet-train", "fit", "--set", "max_items_for_user=1000", "--factors", 2, env=s.env)
    run("trivet-train", "export", "1", tmp_path / "model", env=s.env)
    run("trivet-train", "import", tmp_path / "model", env=s.env)
    assert s.psql("SELECT (trivet.model_data(2)).state") == "current"
    said = load(run, s, write(red, ratings=grades(20), movies=films("Red", 20))).stdout
    assert "models that are kept were made before the last load of red: 2" in said
    assert s.psql("SELECT (trivet.model_data(2)).state") == "older"


def test_models_and_evaluations_say_their_data_set(run, fresh_stores, tmp_path):
    s = fresh_stores
    fit = ("trivet-train", "fit", "--set", "max_items_for_user=1000", "--factors", 2)
    for word in ("red", "blue"):
        load(run, s, write(tmp_path / word, ratings=grades(), movies=films(word)))
        run(*fit, env=s.env)
    assert s.psql("SELECT model, data, data_state FROM trivet.model ORDER BY 1") == "1|red|away\n2|blue|current"
    assert s.psql("SELECT run, dataset FROM trivet.run_list ORDER BY 1") == "1|red\n2|blue"
    assert s.psql("SELECT value FROM trivet.run_sheet(1) WHERE name = 'data set'") == "red"
    refused = run("trivet-train", "compare", "1", "2", env=s.env, check=False)
    assert refused.returncode != 0 and "red" in refused.stderr and "blue" in refused.stderr


def test_evaluations_and_searches_are_those_of_what_is_loaded(run, serve, fresh_stores, tmp_path):
    """The page asks for all of them, and shows one data set at a time."""
    s = fresh_stores
    # An older trivet's, and a view of somebody on it.
    run("trivet-etl", "schema", env=s.env)
    s.psql("DROP FUNCTION trivet.evaluations; CREATE FUNCTION trivet.evaluations(newest int = 100) RETURNS TABLE (run bigint, rmse float8) "
           "LANGUAGE sql STABLE AS 'SELECT 0::bigint, 0::float8'; CREATE VIEW public.mine AS SELECT run, rmse FROM trivet.evaluations(); "
           "UPDATE trivet.schema_version SET files = 'older'")
    said = run("trivet-etl", "schema", env=s.env).stderr
    assert "trivet.evaluations has other parameters now; mine goes on" in said
    for word in ("red", "blue"):
        load(run, s, write(tmp_path / word, ratings=grades(), movies=films(word)))
        run("trivet-train", "evaluate", "--set", "max_items_for_user=1000", "--factors", 2, env=s.env)
        run("trivet-train", "search", "--factors", "1,2", "--set", "max_items_for_user=1000", env=s.env)
    shown = "SELECT DISTINCT data FROM (SELECT data FROM trivet.evaluations({0}) UNION ALL SELECT data FROM trivet.searches({0})) t ORDER BY 1"
    assert s.psql(shown.format("")) == "blue" and s.psql(shown.format("dataset => null")) == "blue\nred"
    assert s.psql("SELECT array_agg(run ORDER BY run) FROM public.mine") == s.psql("SELECT array_agg(run ORDER BY run) FROM trivet.evaluations()")
    run("trivet-etl", "datasets", "use", "red", env=s.env)
    assert s.psql(shown.format("")) == "red"
    journal = serve(s).get("/models/journal").json()
    for member in ("evaluations", "searches"):
        assert sorted({row["data"] for row in journal[member]}) == ["blue", "red"], member
    run("trivet-etl", "datasets", "drop", "blue", env=s.env)
    assert s.psql(shown.format("dataset => null")) == "blue (dropped)\nred"


def test_lists_are_joined_with_the_titles_of_their_own_data_set(run, fresh_stores, tmp_path):
    """Item 1 is in both, as another film."""
    s, fit = fresh_stores, ("trivet-train", "fit", "--set", "max_items_for_user=1000", "--factors", 2)
    for word in ("Red", "Blue"):
        load(run, s, write(tmp_path / word, ratings=grades(), movies=films(word)))
        run(*fit, env=s.env)
        run("trivet-train", "recommend", "--to", "postgres", "--top", 3, env=s.env)
    shown = "SELECT DISTINCT run_id, live, left(title, 3) FROM trivet.recommended"
    assert s.psql(shown) == "2|t|Blu" and s.psql("SELECT DISTINCT run_id FROM trivet.recommendation ORDER BY 1") == "1\n2"
    same = "SELECT count(*) FROM trivet.recommendation JOIN trivet.recommended USING (run_id, user_id, rank, item_id, score)"
    assert s.psql(same) == s.psql("SELECT count(*) FROM trivet.recommendation WHERE run_id = 2") != "0"
    run("trivet-etl", "datasets", "use", "Red", env=s.env)
    assert s.psql(shown) == "1|f|Red"
    assert s.psql("SELECT count(*) FROM trivet.recommended WHERE \"user\" <> user_id::text OR item <> item_id::text") == "0"
    codes = "userId,movieId,rating\n" + "".join(f"u{u},p-{i},{1 + (u * i) % 5}\n" for u in range(1, 20) for i in range(1, 9) if (u + i) % 3)
    load(run, s, write(tmp_path / "shop", ratings=codes))
    run(*fit, "--set", "min_users_for_item=1", "--set", "min_items_for_user=1", env=s.env)
    run("trivet-train", "recommend", "--to", "postgres", "--top", 1, env=s.env)
    assert s.psql("SELECT count(*) FILTER (WHERE \"user\" LIKE 'u%' AND item LIKE 'p-%' AND title IS NULL) = count(*) AND count(*) > 0 FROM trivet.recommended") == "t"


def test_an_evaluation_keeps_to_the_data_set_that_its_snapshot_shows(run, programs, fresh_stores, tmp_path):
    """It holds no lock that keeps loads away, and the ratings of another data set would show in its snapshot."""
    s = fresh_stores
    for word, high in (("red", 5), ("blue", 50)):
        load(run, s, write(tmp_path / word, ratings=grades(high=high), movies=films(word)))
    run("trivet-etl", "datasets", "use", "red", env=s.env)
    judge = ("evaluate", "--set", "max_items_for_user=1000", "--factors", 2)
    run("trivet-train", *judge, env=s.env)
    done = at("tv_reading_describe_data", programs["trivet-train"], *judge, env=s.env,
              do=f"shell timeout 4 {programs['trivet-etl']} datasets use blue")
    assert "exited normally" in done.stdout, done.stdout + done.stderr
    assert s.psql("SELECT count(DISTINCT metrics) FROM trivet.run WHERE kind = 'evaluate' AND dataset = 1 GROUP BY dataset HAVING count(*) = 2") == "1"


def test_drop_says_what_goes_with_it(run, fresh_stores, tmp_path):
    s, fit = fresh_stores, ("trivet-train", "fit", "--set", "max_items_for_user=1000", "--factors", 2)
    for word in ("red", "blue"):
        load(run, s, write(tmp_path / word, ratings=grades(), movies=films(word)))
        for command in (fit, fit, ("trivet-train", "similar")):
            run(*command, env=s.env)
    refused = run("trivet-etl", "datasets", "drop", "blue", env=s.env, check=False)
    assert "blue is the data set that is loaded" in refused.stderr
    run("trivet-etl", "datasets", "use", "red", env=s.env)
    refused = run("trivet-etl", "datasets", "drop", "blue", env=s.env, check=False)
    assert "model 4, which is live, was made of blue" in refused.stderr
    assert "make a model of another data set live first: trivet-train activate 2, or trivet-train fit" in refused.stderr
    run("trivet-train", "activate", 2, env=s.env)
    done = run("trivet-etl", "datasets", "drop", "blue", env=s.env)
    assert done.stdout.splitlines()[1:] == ["index 2 of similar items of it: gone, too",
                                            "models 3, 4 of it: gone, too; the next command of trivet-train takes them out of MongoDB and Redis"]
    assert [key for key in s.redis_client().scan_iter("trivet:similar:{2}*")] == []  # and no next command has to do that
    assert run("trivet-train", "repair", env=s.env).stdout.endswith("everything agrees: model 2 is live\n")
    assert sorted(name for name in s.mongo_db().list_collection_names() if name[-1] in "34") == []
