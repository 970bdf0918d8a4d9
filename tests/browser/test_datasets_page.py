"""Two data sets in a real browser: /models shows one at a time, and nothing is offered to be rated while other data is loaded.
Screenshots in tests/artefacts/."""

import pytest

pytest.importorskip("selenium.webdriver", reason="python3-selenium is not installed")
from selenium.webdriver.support.select import Select  # noqa: E402
from test_lab_page import until  # noqa: E402
from test_pages import PHONE, Page, chromium, no_sideways_scroll  # noqa: E402, F401
from test_serve_datasets import FIT, data, ratings, titles  # noqa: E402
from test_load import load, write  # noqa: E402


@pytest.fixture
def page(run, serve, fresh_stores, chromium, tmp_path):  # noqa: F811
    """Models 1 and 2 of red, 3, live, of blue."""
    for word, high, times in (("red", 5, 2), ("blue", 10, 1)):
        load(run, fresh_stores, write(tmp_path / word, ratings=ratings(high), movies=titles(word.title())))
        for _ in range(times):
            run(*FIT, env=fresh_stores.env)
    server = serve(fresh_stores)
    shown = Page(chromium, server.url)
    shown.server = server
    shown.size(1280, 900)
    return shown


def models(page):
    return page.run("return [...document.querySelectorAll('#versions tbody tr')].map(line => [...line.cells].map(cell => cell.textContent))")


def choices(page, name):
    return [option.get_attribute("value") for option in Select(page.one(f"#{name}")).options]


def test_models_of_one_data_set_stand_beside_each_other(page):
    page.open("/models")
    until(lambda: len(models(page)) == 1)
    until(lambda: choices(page, "a") == choices(page, "b") == ["3"])
    assert models(page)[0][0] == "3" and models(page)[0][8] == "blue"
    assert choices(page, "data") == ["blue", "red"]
    Select(page.one("#data")).select_by_value("red")
    until(lambda: len(models(page)) == 2)
    assert [line[0] for line in models(page)] == ["2", "1"]
    until(lambda: "other data is loaded now" in models(page)[0][1])  # the journal knows
    until(lambda: choices(page, "a") == ["2", "1"])
    assert page.one("#versions-status").text == "2 kept, 2 in the journal"  # of red, as all else here
    assert page.run("return location.search") == "?data=red"
    for size in ((1280, 900), PHONE):
        page.size(*size)
        page.picture(f"models-datasets-{size[0]}")
        no_sideways_scroll(page)


def test_nothing_is_offered_to_be_rated_while_other_data_is_loaded(page, run):
    run("trivet-etl", "datasets", "use", "red", env=page.server.stores.env)
    until(lambda: data(page.server).get("state") == "away")
    page.open("/lab")
    assert "Data set: red, which the live model was not made of" in page.one("main").text
    for path in ("/recs?user_id=1", "/rate?user_id=1"):
        page.open(path)
        assert "was made of the data set blue, but red is loaded" in page.one("main").text
        assert page.run("return document.querySelectorAll('.rate-control, #rate').length") == 0
        for size in ((1280, 900), PHONE):
            page.size(*size)
            page.picture(f"closed{path.split('?')[0].replace('/', '-')}-{size[0]}")
            no_sideways_scroll(page)
