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


# Each way to another data set, and the words of the one that is there then.
WAYS = {"use": (("trivet-etl", "datasets", "use", "red"), "red"), "activate": (("trivet-train", "activate", 2), "red"),
        "rollback": (("trivet-train", "rollback"), "red")}


@pytest.mark.parametrize("way", WAYS)
def test_an_open_lab_shows_numbers_of_one_data_set(page, run, way):
    """A page of blue, 30 users and 12 items as red has: what differs are the ratings, up to 10 there and up to 5 in red."""
    command, other = WAYS[way]
    page.open("/lab?min_rating=6&min_users_for_item=1")
    until(lambda: "computed in" in page.one("#activity-status").text)
    until(lambda: "live model 3" in page.one("#funnel").text)  # the last question is answered
    assert "Data set: blue\n" in page.one(".who").text and page.one("#alert").text == ""
    before = page.one("#funnel").text, page.one("#users-text").text
    run(*command, env=page.server.stores.env)
    page.run("document.getElementById('min_rating').value = '7'; document.getElementById('min_rating').dispatchEvent(new Event('input'))")
    until(lambda: "Another data set than blue is loaded now" in page.one("#alert").text)
    assert "Reload the page" in page.one("#alert").text and page.one("#funnel").text == before[0]
    page.run("document.querySelector('#sweep button').click()")
    until(lambda: "Another data set than blue is loaded now" in page.one("#sweep-status").text)
    assert page.run("return document.querySelectorAll('#grid-place td').length") == 0
    page.picture(f"lab-other-data-{way}")
    page.browser.refresh()
    until(lambda: "computed in" in page.one("#funnel-status").text)
    assert f"Data set: {other}" in page.one(".who").text and page.one("#alert").text == ""


def look_for(page, words):
    page.run("const q = document.getElementById('rate-q'); q.value = arguments[0]; q.dispatchEvent(new Event('input'))", words)


@pytest.mark.parametrize("path", ["/recs?user_id=1", "/rate?user_id=1"])
@pytest.mark.parametrize("way", ["activate", "rollback"])
def test_the_search_of_an_open_page_finds_items_of_its_data_set(page, run, way, path):
    page.open(path)
    look_for(page, "blue 3")
    until(lambda: [found.text.split("\n")[0] for found in page.all("#rate-found .title")] == ["Blue 3"])
    run(*WAYS[way][0], env=page.server.stores.env)
    until(lambda: page.server.get("/readyz").json()["model"] == 2)
    for words in ("red 3", "blue 3"):
        look_for(page, words)
        until(lambda: page.one("#rate-status").text == "Another data set is live now; reload the page.")
        assert page.all("#rate-found li") == []
    assert "Red" not in page.one("main").text and "Blue" in page.one("main").text
    page.picture(f"search-other-data{path.split('?')[0].replace('/', '-')}")
    page.browser.refresh()
    look_for(page, "red 3")
    until(lambda: [found.text.split("\n")[0] for found in page.all("#rate-found .title")] == ["Red 3"])
    assert "Blue" not in page.one("main").text


def test_a_list_of_another_data_set_takes_no_place_after_a_rating(page, run):
    """The rating is taken while blue is live; the list is asked for again once red is."""
    page.open("/recs?user_id=1")
    page.run("""const asked = window.fetch;
        window.fetch = (path, ...more) => {
          if (path !== location.href) return asked(path, ...more);
          window.waits = true;
          return new Promise(go => { window.go = go; }).then(() => asked(path, ...more));
        };""")
    page.run("const row = document.querySelector('#ranking-part [data-item]'); const star = row.querySelector('input');"
             "star.checked = true; star.dispatchEvent(new Event('change', { bubbles: true }))")
    until(lambda: page.run("return window.waits === true"))
    run("trivet-train", "activate", 2, env=page.server.stores.env)
    until(lambda: page.server.get("/readyz").json()["model"] == 2)
    page.run("window.go()")
    until(lambda: page.one("#rate-status").text == "The rating is safe. Another data set is live now; reload the page.")
    assert "Red" not in page.one("main").text and "Blue" in page.one("main").text
