"""Rating in a real browser: the first visit, stars by mouse and keyboard, what follows from a rating, the token."""

import pytest

from test_pages import PHONE, By, Keys, Page, WebDriverException, WebDriverWait, chromium, legible, no_sideways_scroll  # noqa: F401

TOKEN = "a-token-of-the-test"


@pytest.fixture
def filled(run, fresh_stores, data_dir):
    run("trivet-etl", "load", data_dir / "ml-latest-small", env=fresh_stores.env)
    run("trivet-train", "fit", "--factors", 8, env=fresh_stores.env)
    return fresh_stores


@pytest.fixture
def server(serve, filled):
    return serve(filled)


@pytest.fixture
def page(chromium, server):  # noqa: F811
    page = Page(chromium, server.url)
    page.size(1280, 900)
    page.dark(False)
    return page


def until(page, condition):
    """Waits for it; the page may replace an element between finding and reading it."""
    return WebDriverWait(page.browser, 15, ignored_exceptions=[WebDriverException]).until(lambda _: condition())


def said(page, text):
    until(page, lambda: text in page.one("#rate-status").text)


def star(page, item, value):
    page.run("document.querySelector(`[data-item='${arguments[0]}'] input[value='${arguments[1]}']`).click()", item, value)


def items(page):
    return page.run("return [...document.querySelectorAll('.row')].map(e => e.dataset.item)")


def test_the_first_visit_leads_to_a_list(page, server):
    page.open("/")
    with page.leaving():
        page.one("a[href='/rate']").click()
    user = page.one(".rate-id").text
    assert page.browser.current_url.endswith(f"/rate?user_id={user}") and len(user) == 9
    cards = page.all(".rate-card")
    assert len(cards) == 24
    page.picture("rate")
    assert "quiet" in page.one("#your-list").get_attribute("class")
    for n, item in enumerate([card.get_attribute("data-item") for card in cards][:5], 1):
        star(page, item, 4.5)
        until(page, lambda: page.one(".rate-progress p").text == f"{n} of 5")
    assert "quiet" not in page.one("#your-list").get_attribute("class")
    said(page, "4.5")
    page.picture("rate-five")
    page.open(f"/rate?user_id={user}")  # what was rated is still there
    assert len(page.all(".rate-card .rate-stars input:checked")) == 5
    with page.leaving():
        page.one("#your-list").click()
    assert page.one(".reason").text == "From your 5 ratings"
    assert server.get(f"/api/v1/recs?user_id={user}").json()["reason"] == "folded_in"
    assert page.one(".because").text.startswith("Because you liked ")
    page.picture("recs-rated")


def test_the_list_follows_a_rating_and_its_end(page):
    page.open("/recs?user_id=10")
    before = items(page)
    page.run("window.stays = true")
    star(page, before[0], 0.5)
    said(page, "The list is new.")
    after = items(page)
    assert before[0] not in after and page.run("return window.stays")
    page.one("#rate-q").send_keys("toy story")
    until(page, lambda: page.all(".rate-result .rate-stars"))
    page.open("/recs?user_id=10&seen=include&top=1000")
    page.run("arguments[0].click()", page.one(f"[data-item='{before[0]}'] .rate-back"))
    said(page, "Took back")
    page.open("/recs?user_id=10")
    assert items(page) == before


def test_what_is_found_can_be_rated(page, server):
    page.open("/recs?user_id=987654321")
    page.one("#rate-q").send_keys("jumanji")
    until(page, lambda: page.all(".rate-result .rate-stars"))
    item = page.one(".rate-result").get_attribute("data-item")
    star(page, item, 3)
    said(page, "The list is new.")
    assert page.one(".reason").text == "From your 1 rating" and len(page.all(".rated li[data-item]")) == 1
    assert server.get("/api/v1/users/987654321").json()["items"][0]["rating"] == 3


def test_the_keyboard_is_enough(page):
    page.open("/recs?user_id=10")
    first = page.one(".row")
    item = first.get_attribute("data-item")
    radios = first.find_elements(By.CSS_SELECTOR, "input[type=radio]")
    page.run("arguments[0].focus()", radios[0])
    assert len(radios) == 10
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert items(page)[0] == item and page.all("#rate-bar:not([hidden])") == []  # passing over stars rates nothing
    page.press(Keys.ENTER)
    said(page, "1.5. The list is new.")
    assert item not in items(page)
    assert page.focus().tag_name != "body"


def test_the_token_is_asked_for_once(page, serve, filled, chromium):  # noqa: F811
    page.url = serve(filled, env={"TRIVET_TOKEN": TOKEN}).url
    page.open("/recs?user_id=10")
    first, second = items(page)[:2]
    star(page, first, 4)
    said(page, "takes this server's token")
    page.one("#rate-token").send_keys("wrong", Keys.ENTER)
    said(page, "is not this server's")
    page.picture("rate-token")
    page.one("#rate-token").send_keys(TOKEN, Keys.ENTER)
    said(page, "The list is new.")
    star(page, second, 4)
    until(page, lambda: second not in items(page))
    assert not page.one("#rate-ask").is_displayed()


def test_filters_and_because(page, server):
    page.open("/recs?user_id=10&genre=Comedy")
    assert "Filters left out" in page.one(".removed").text
    page.open("/recs?user_id=10&year_from=2099")
    assert items(page) == [] and page.one(".none").text
    page.picture("recs-none")
    page.open("/recs?user_id=10")
    ratings = server.get(f"/api/v1/explain?user_id=10&movie_id={items(page)[0]}&limit=1000").json()["ratings"]
    mean = sum(r["rating"] for r in ratings) / len(ratings)
    liked = [r["title"] for r in ratings if r["rating"] >= mean and r["contribution"] > 0][:2]
    named = [e.text for e in page.all(".row:first-child .because strong")]
    assert len(named) == 2 and all(title.startswith(name) for title, name in zip(liked, named))


@pytest.mark.parametrize("path", ["/rate?user_id=77777777", "/recs?user_id=10"])
def test_a_phone_and_the_dark(page, path):
    page.size(*PHONE)
    page.dark(True)
    page.open(path)
    assert page.all(".rate-stars") and no_sideways_scroll(page)
    legible(page, "h1, .lead, .rate-card .title, .year, .rate-back, .rate-value, .button", 3)
    page.picture(f"rate-{'first' if path.startswith('/rate') else 'recs'}-390-dark")
