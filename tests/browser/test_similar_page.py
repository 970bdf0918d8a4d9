"""The page /similar in a real browser: a title is looked for, neighbours lead on, and the other ways to ask are a click away."""

import pytest

from test_pages import DESKTOP, PHONE, By, Page, chromium  # noqa: F401  (a fixture)


@pytest.fixture
def page(chromium, serve, run, fresh_stores, tmp_path):  # noqa: F811
    rows = [(u, i) for u in range(1, 41) for i in range(1, 13) if (u * i) % 5 and (u + i) % 3]
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(f"{u},{i},4,0\n" for u, i in rows))
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n" + "".join(
        f'{i},"Café No. {i} (1999)",Drama\n' for i in range(1, 13)))
    run("trivet-etl", "load", tmp_path, env=fresh_stores.env)
    run("trivet-train", "fit", "--set", "min_users_for_item=0", "--factors", 3, env=fresh_stores.env)
    run("trivet-train", "similar", env=fresh_stores.env)
    page = Page(chromium, serve(fresh_stores).url)
    page.size(*DESKTOP)
    return page


def titles(page):
    return [e.text for e in page.browser.find_elements(By.CSS_SELECTOR, ".ranking .title")]


def test_from_a_title_to_neighbours_and_on(page):
    page.open("/")
    page.browser.find_element(By.LINK_TEXT, "Similar items").click()
    with page.leaving():
        page.one("#q").send_keys("cafe 7\n")
    page.browser.find_element(By.LINK_TEXT, "Café No. 7 (1999)").click()
    assert page.one("h1").text == "Similar to Café No. 7 (1999)"
    first = titles(page)
    assert len(first) == 9 and "Café No. 7 (1999)" not in first
    assert "of 128" in page.one(".ranking .number").text and "±" in page.one(".ranking .number").text
    page.browser.find_element(By.LINK_TEXT, "by audience, counted").click()
    assert "counted" in page.one(".explanation").text and "±" not in page.one(".ranking .number").text
    page.browser.find_element(By.LINK_TEXT, "by factors").click()
    assert "cosine" in page.one(".explanation").text
    page.one(".ranking .title").click()
    assert page.one("h1").text.startswith("Similar to Café No.")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_nothing_sticks_out(page, size):
    page.size(*size)
    page.open("/similar?item=7&top=10")
    assert page.browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
