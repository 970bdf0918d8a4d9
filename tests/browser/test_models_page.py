"""/models in a real browser, over models, evaluations and a search made for it. Screenshots in tests/artefacts/."""

import re

import pytest

pytest.importorskip("selenium.webdriver", reason="python3-selenium is not installed")
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.select import Select  # noqa: E402
from server import Server  # noqa: E402
from test_lab_page import drawing, until  # noqa: E402
from test_pages import PHONE, Page, chromium, legible, no_sideways_scroll, watched  # noqa: E402, F401

WIDE = "--set", "max_items_for_user=200"


@pytest.fixture(scope="module")
def judged(request, servers, programs, run, tmp_path_factory):
    """A server over an SVD and, live, an ALS; two evaluations, one of them by shares of the data, and a search."""
    place = servers.place()
    try:
        ratings = request.getfixturevalue("data_dir") / "ml-latest-small"
    except pytest.skip.Exception:
        ratings = request.getfixturevalue("movielens_100k")
    for arguments in (("trivet-etl", "load", ratings), ("trivet-train", "fit", *WIDE, "--factors", "15", "--guard", "ndcg@10:0.02"),
                      ("trivet-train", "fit", *WIDE, "--algorithm", "als", "--factors", "8", "--iterations", "5"),
                      ("trivet-train", "evaluate", *WIDE, "--factors", "15", "--train-fraction", "0.3,1"),
                      ("trivet-train", "evaluate", *WIDE, "--algorithm", "als", "--factors", "8", "--iterations", "5"),
                      ("trivet-train", "search", *WIDE, "--algorithm", "svd", "--factors", "4,8,12", "--sigma", "0,0.5", "--metric", "ndcg@10")):
        run(*arguments, env=place.env)
    server = Server(programs["trivet-serve"], place, tmp_path_factory.mktemp("judged"))
    yield server.start()
    server.stop()


class Models:
    """What the page shows, read from its elements."""

    def __init__(self, page, judged):
        self.page, self.judged = page, judged
        self.runs = {kind: [int(n) for n in place_rows(judged.stores, f"select id from trivet.run where kind = '{kind}' order by id")]
                     for kind in ("fit", "evaluate", "search")}

    def open(self, query=""):
        self.page.open(f"/models{query}")
        until(lambda: "in both lists" in self.text("#lists-status") and "tried" in self.text("#search-status"))
        until(lambda: "kept apart" in self.text("#run-status"))
        return self

    def text(self, selector):
        return self.page.one(selector).text

    def table(self, name):
        """The cells of a table's body."""
        return self.page.run("""return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map(line =>
            [...line.cells].map(cell => cell.textContent))""", name)

    def search(self):
        return self.page.run("return location.search")


def place_rows(place, sql):
    return place.psql(sql).splitlines()


@pytest.fixture
def models(chromium, judged):  # noqa: F811
    with watched(chromium, judged.url) as page:
        yield Models(page, judged)


def test_versions_are_those_that_are_kept(models):
    versions = models.open().table("versions")
    assert [line[0] for line in versions] == [str(n) for n in reversed(models.runs["fit"])]
    assert [line[1] for line in versions] == ["live", "kept"]
    assert "als, 8 factors" in versions[0][3] and "rating" in versions[0][3]
    assert "svd, 15 factors" in versions[1][3] and "relevance" in versions[1][3]
    rows, users, items = models.judged.stores.psql("select ratings, users, items from trivet.model limit 1").split("|")
    assert [cell.replace(",", "") for cell in versions[0][4:7]] == [rows, users, items]
    assert versions[0][9].startswith("max_items_for_user 200")
    assert models.page.one("#versions a").get_attribute("href").endswith("/lab?max_items_for_user=200")


def test_the_menu_leads_there(models):
    with models.page.leaving():
        models.page.one("nav a[href='/models']").click()
    assert models.text("h1") == "Models"


def test_quality_is_that_of_the_journal(models):
    models.open()
    shown = models.table("evaluations")
    stored = [line.split("|") for line in place_rows(models.judged.stores, "select run, ndcg, ndcg_low, ndcg_high, rmse from trivet.evaluations()")]
    assert [line[0] for line in shown] == [line[0] for line in stored] == [str(n) for n in reversed(models.runs["fit"][:1] + models.runs["evaluate"] + models.runs["search"])]
    assert "the best setting of this search" in shown[0][1] and "guarded the training of this model" in shown[-1][1]
    for cells, (_, ndcg, low, high, rmse) in zip(shown, stored):
        assert cells[2] == f"{float(ndcg):.3f} ({float(low):.3f} to {float(high):.3f})"
        assert cells[3].startswith(f"{float(rmse):.3f} (") if rmse else cells[3] == ""
    assert models.page.one("#run").get_attribute("value") == str(models.runs["evaluate"][1])  # the newest with baselines
    methods = models.table("methods")
    assert [line[0] for line in methods][0] == "als (the model)" and len(methods) == 6
    assert {"popular", "random", "bias"} <= {line[0] for line in methods}
    until(lambda: drawing(models.page, "methods-chart") and drawing(models.page, "runs-chart"))
    assert "3 of 4 evaluations" in models.text("#runs-note")  # the search kept other ratings apart


def test_another_evaluation_measure_and_length_are_in_the_link(models):
    models.open()
    by_shares, als = models.runs["evaluate"]
    before = drawing(models.page, "methods-chart")
    models.page.one(f"#evaluations tr[data-run='{by_shares}'] button").click()
    until(lambda: f"Evaluation {by_shares}" in models.text("#run-status"))
    assert models.page.one("#run").get_attribute("value") == str(by_shares)
    Select(models.page.one("#metric")).select_by_value("recall")
    Select(models.page.one("#k")).select_by_value("100")
    assert models.search() == f"?run={by_shares}&metric=recall&k=100"
    until(lambda: drawing(models.page, "methods-chart") not in (None, before))
    titles = models.page.run("return [...document.querySelectorAll('#methods thead th')].map(e => e.textContent)")
    model = models.table("methods")[0]
    recall = models.judged.stores.psql(f"select recall from trivet.evaluation_at where run = {by_shares} and is_model and k = 100 and train_fraction = 1")
    assert model[titles.index("recall@100")] == f"{float(recall):.3f}"
    link = models.page.browser.current_url
    models.page.open("/")
    models.page.browser.get(link)
    until(lambda: f"Evaluation {by_shares}" in models.text("#run-status"))
    assert models.table("methods")[0] == model and Select(models.page.one("#metric")).first_selected_option.text == "recall"


def test_curves(models):
    by_shares = models.runs["evaluate"][0]
    models.open(f"?run={by_shares}")
    for chart in ("learning-chart", "popularity-chart"):
        until(lambda: drawing(models.page, chart))
    learning = {line[0]: line[1:] for line in models.table("learning")}
    stored = place_rows(models.judged.stores, f"select ndcg from trivet.learning_curve({by_shares}) where is_model order by train_fraction")
    assert [cell.split(" ")[0] for cell in learning["svd (the model)"]] == [f"{float(n):.3f}" for n in stored] and len(stored) == 2
    popularity = {line[0]: line[1:] for line in models.table("popularity")}
    catalogue = float(models.judged.stores.psql(f"select distinct catalogue from trivet.popularity_curve({by_shares})"))
    assert len(popularity["the catalogue's mean"]) == 4 and float(popularity["the catalogue's mean"][0]) == pytest.approx(catalogue, abs=.05)
    assert float(popularity["popular"][0].replace(",", "")) > float(popularity["svd (the model)"][0].replace(",", "")) > catalogue
    of_random = float(popularity["random"][1])
    assert catalogue * .7 < of_random < catalogue * 1.1  # lists at random, of what a user has not rated


def test_quality_against_factors(models):
    models.open()
    until(lambda: drawing(models.page, "factors-chart"))
    trials = models.table("trials")
    assert len(trials) == 6 and sum("the best" in line[0] for line in trials) == 1
    best = float(models.judged.stores.psql(f"select max(value) from trivet.search_trial where run = {models.runs['search'][0]}"))
    assert next(line for line in trials if "the best" in line[0])[2].startswith(f"{best:.3f}")


def test_two_lists_side_by_side(models):
    svd, als = models.runs["fit"]
    user = 10
    models.open()
    Select(models.page.one("#a")).select_by_value(str(als))
    Select(models.page.one("#b")).select_by_value(str(svd))
    for name, text in (("user_id", str(user)), ("top", "40")):
        field = models.page.one(f"#{name}")
        field.clear()
        field.send_keys(text)
    field.send_keys(Keys.ENTER)
    until(lambda: models.search() == f"?user_id={user}&a={als}&b={svd}&top=40")
    a, b = (models.judged.get(f"/api/v1/recs?user_id={user}&top=40&model={n}").json() for n in (als, svd))
    shared = {item["id"] for item in a["items"]} & {item["id"] for item in b["items"]}
    until(lambda: models.text("#lists-status") == f"{len(shared)} of 40 are in both lists")
    lines = models.table("lists")
    scale = next(m for m in models.judged.get("/api/v1/models").json()["models"] if m["number"] == als)["description"]["scale"]
    assert [line[0] for line in lines] == [str(n) for n in range(1, 41)]
    for line, of_a, of_b in zip(lines, a["items"], b["items"]):
        assert of_a["title"] in line[1] and f"predicted rating {min(of_a['score'], scale['high']):.3f}" in line[1]
        assert of_b["title"] in line[2] and f"relevance {of_b['score']:.3f}" in line[2]
        assert ("also in model" in line[1]) is (of_a["id"] in shared) and ("also in model" in line[2]) is (of_b["id"] in shared)
    assert len(models.page.all("#lists .both")) == 2 * len(shared)


def test_a_user_nobody_can_be_is_told(models):
    models.open()
    field = models.page.one("#user_id")
    field.clear()
    field.send_keys("ten", Keys.ENTER)
    until(lambda: "user_id is \"ten\"" in models.text("#lists-status"))
    assert models.table("lists") == []


def test_without_postgres_models_and_lists_are_there(chromium, judged, serve):  # noqa: F811
    server = serve(judged.stores, env={"TRIVET_READER": "postgresql://trivet_page@127.0.0.1:1/postgres"})
    page = Page(chromium, server.url)
    page.open("/models?user_id=10")
    text = until(lambda: page.one("#alert").text)
    assert "PostgreSQL" in text and "does not answer" in text
    until(lambda: "in both lists" in page.one("#lists-status").text)
    assert len(page.all("#versions tbody tr")) == 2 and not page.one("#of-run").is_displayed()
    chromium.get_log("browser")  # the 503 of the question
    chromium.get_log("performance")


def test_before_the_first_model(chromium, serve, run, fresh_stores):  # noqa: F811
    run("trivet-etl", "schema", env=fresh_stores.env)
    with watched(chromium, serve(fresh_stores).url) as page:
        page.open("/models")
        until(lambda: "trivet-train fit makes one" in page.one("#versions-status").text)
        until(lambda: "trivet-train evaluate makes one" in page.one("#quality-status").text)
        assert "trivet-train search" in page.one("#search-status").text
        assert not any(page.one(name).is_displayed() for name in ("#compare", "#of-run", "#curves", "#of-search", "#alert"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_colours_can_be_read(models, dark):
    models.page.dark(dark)
    models.open(f"?run={models.runs['evaluate'][0]}")
    legible(models.page, "#models h1, #models h2, #models p, #models label, #models td, #models th, #models caption, #models .note, #models .button, #models summary", 100)
    models.page.picture("models-dark" if dark else "models")


def test_a_phone(models):
    models.page.size(*PHONE)
    models.open(f"?run={models.runs['evaluate'][0]}&user_id=10")
    assert no_sideways_scroll(models.page)
    fonts = models.page.run("return [...document.querySelectorAll('#models input:not([type=checkbox]), #models select')].map(e => parseFloat(getComputedStyle(e).fontSize))")
    assert min(fonts) >= 16
    small = [e.get_attribute("outerHTML") for e in models.page.all("#models button, #models input:not([type=checkbox]), #models select, #models summary, .models-check") if e.is_displayed()
             and models.page.run("return arguments[0].getBoundingClientRect().height", e) < 34]
    assert small == []
    lists = models.page.one("#lists")
    assert models.page.run("return arguments[0].scrollWidth <= arguments[0].parentElement.clientWidth", lists)  # both at once
    models.page.picture("models-390")
    models.page.size(320, 700)
    assert no_sideways_scroll(models.page)


def test_the_keyboard_is_enough(models):
    page = models.open().page

    def tab_to(found, most=60):
        for _ in range(most):
            page.press(Keys.TAB)
            if page.run(f"const e = document.activeElement; return {found}"):
                return
        pytest.fail(f"not reached with the Tab key: {found}")

    tab_to("e.id === 'all'")
    outline = page.run("const s = getComputedStyle(document.activeElement); return [s.outlineStyle, parseFloat(s.outlineWidth)]")
    assert outline[0] == "solid" and outline[1] >= 2
    page.press(Keys.SPACE)
    assert models.search() == "?all=1"
    tab_to("e.id === 'user_id'")
    page.focus().send_keys(Keys.CONTROL, "a")
    page.press("20", Keys.ENTER)
    until(lambda: "user_id=20" in models.search())
    until(lambda: "of user 20" in models.text("#lists caption"))
    tab_to("e.closest('#evaluations') && e.tagName === 'BUTTON' && e.textContent === '%d'" % models.runs["evaluate"][0])
    page.press(Keys.ENTER)
    until(lambda: f"Evaluation {models.runs['evaluate'][0]}" in models.text("#run-status"))
    tab_to("e.tagName === 'SUMMARY'")
    page.press(Keys.ENTER)
    assert page.one("#learning").is_displayed()
    tab_to("e.id === 'search'")


def test_what_a_screen_reader_is_told(models):
    page = models.open().page
    assert page.browser.title == "Models · trivet" and len(page.all("h1")) == 1 and len(page.all("main")) == 1
    assert page.run("return [...document.querySelectorAll('input,select')].filter(e => e.labels.length !== 1).map(e => e.id)") == []
    ids = page.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert page.run("return [...document.querySelectorAll('[aria-labelledby]')].every(e => document.getElementById(e.getAttribute('aria-labelledby')))")
    assert page.run("return [...document.querySelectorAll('canvas')].every(e => e.getAttribute('role') === 'img' && e.getAttribute('aria-label'))")
    assert page.run("return [...document.querySelectorAll('table')].filter(e => e.rows.length).every(e => e.caption && e.caption.textContent)")
    assert page.run("return [...document.querySelectorAll('#models thead th')].every(e => e.scope === 'col')")
    assert all(re.fullmatch(r"Show evaluation \d+", e.get_attribute("aria-label")) for e in page.all("#evaluations button"))
