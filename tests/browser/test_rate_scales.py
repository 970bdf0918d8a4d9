"""Rating on pages of data sets as people have them: scales that are no five stars, plays, and ids beyond what JavaScript's numbers hold."""

import re

import pytest

from rating_sets import like_movielens
from stores import REPO
from test_pages import DESKTOP, PHONE, Keys, chromium, legible, no_sideways_scroll, watched  # noqa: F401
from test_rate_page import items, said, until

USER = 2**60 + 1  # in a double 2^60
BIG = 2**53       # items BIG + 1, BIG + 3, ... are others in a double


def rated(folder, values, first=1, apart=1):
    """30 users and 40 items, whose ids begin with `first`; every one of the values is used, up and down the scale."""
    films = [first + apart * n for n in range(40)]
    folder.parent.mkdir(exist_ok=True)
    pairs = [(user, film) for user in range(1, 31) for n, film in enumerate(films) if (user + n) % 4 == 0]
    return like_movielens(folder, ((*pair, values[n % len(values)], 1_000_000 + n) for n, pair in enumerate(pairs)),
                          ((film, f"Film {n:02} of {first} ({1950 + n})", "Drama") for n, film in enumerate(films)))


def played(folder):
    folder.mkdir()
    lines = [f"{user},{artist},{(user * artist) % 6 + 1}" for user in range(1, 31) for artist in range(1, 41) if (user + artist) % 4 == 0]
    (folder / "plays.csv").write_text("user_id,artist_id,plays\n" + "\n".join(lines) + "\n")
    (folder / "lastfm_artist.csv").write_text("artist_id,artist_name\n" + "".join(f"{n},Artist {n}\n" for n in range(1, 41)))
    return folder


@pytest.fixture
def browse(run, serve, fresh_stores, chromium, request):  # noqa: F811
    """A page of a server over the set in a folder; `more` goes to fit."""
    opened = []

    def browse(folder, *more):
        run("trivet-etl", "load", folder, env=fresh_stores.env)
        run("trivet-train", "fit", "--factors", 4, "--set", "min_users_for_item=1", *more, env=fresh_stores.env)
        server = serve(fresh_stores)
        context = watched(chromium, server.url)
        opened.append(context)
        page = context.__enter__()
        page.stores, page.server = fresh_stores, server
        return page

    yield browse
    for context in opened:
        context.__exit__(None, None, None)


def stands(page, user, item):
    """What PostgreSQL has of the pair, as text."""
    return page.stores.psql(f"SELECT value FROM trivet.rating WHERE user_id = {user} AND item_id = {item}")


def row(item):
    return f"[data-item='{item}']"


def offered(page, item):
    return page.run("return [...document.querySelectorAll(`${arguments[0]} input[type=radio]`)].map(e => e.value)", row(item))


def choose(page, item, value):
    """Clicks a star, as a pointer does, or types the number where there are none, and sends it."""
    if offered(page, item):
        page.run("arguments[0].click()", page.one(f"{row(item)} input[value='{value}']"))
    else:
        field = page.one(f"{row(item)} input[type=number]")
        field.clear()
        field.send_keys(value, Keys.ENTER)


SCALES = {  # values that are rated, what the page offers (none: a number), and shapes of what is offered
    "1-5-half": ([1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5], "1 1.5 2 2.5 3 3.5 4 4.5 5", {"whole", "left", "right"}),
    "half-5": ([0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5], "0.5 1 1.5 2 2.5 3 3.5 4 4.5 5", {"left", "right"}),
    "1-5": ([1, 2, 3, 4, 5], "1 2 3 4 5", {"whole"}),
    "1-5-odd": ([1, 3, 5], "1 2 3 4 5", {"whole"}),
    "1-10": (list(range(1, 11)), "1 2 3 4 5 6 7 8 9 10", {"whole"}),
    "0-5": ([0, 1, 2, 3, 4, 5], "0 1 2 3 4 5", {"named"}),
    "minus": ([-2, -1, 0, 1, 2], "-2 -1 0 1 2", {"named"}),
    "ten": (list(range(-4, 6)), "-4 -3 -2 -1 0 1 2 3 4 5", {"named"}),
    "tenths": ([0.1, 0.2, 0.3, 0.7], "0.1 0.2 0.3 0.4 0.5 0.6 0.7", {"named"}),
    "coarse": ([0, 20, 40, 60, 80, 100], "0 20 40 60 80 100", {"named"}),
    "1.22-4.9": ([1.22, 2.14, 3.06, 3.98, 4.9], "1.22 2.14 3.06 3.98 4.9", {"named"}),
    "1.22-4.9-any": ([1.22, 1.9, 2.71, 3.14, 4.9], "", set()),
    "jester": ([-10, -9.81, -3.2, 0.05, 4.66, 9.99, 10], "", set()),
    "0-100": ([0, 7, 33, 50, 81, 100], "", set()),
    "third": ([round(n / 3, 6) for n in range(1, 10)], "", set()),
}


@pytest.mark.parametrize("name", SCALES)
def test_every_scale_can_be_rated_to_both_ends(browse, tmp_path, name):
    values, expected, shapes = SCALES[name]
    page = browse(rated(tmp_path / "set", values))
    page.open(f"/rate?user_id={USER}")
    films = [card.get_attribute("data-item") for card in page.all(".rate-card")]
    assert offered(page, films[0]) == expected.split()
    assert set(page.run("return [...document.querySelectorAll(`${arguments[0]} .rate-star`)].map(e => e.classList[1])", row(films[0]))) == shapes
    low, high = (f"{v:g}" for v in (min(values), max(values)))
    for film, value in zip(films, (high, low)):
        choose(page, film, value)
        said(page, f"Rated {page.one(row(film)).get_attribute('data-title')} {value}.")
        assert stands(page, USER, film) == value
    for size in (DESKTOP, PHONE):
        page.size(*size)
        page.open(f"/rate?user_id={USER}")
        assert no_sideways_scroll(page)
        assert [e.text for e in page.all(".rate-card .rate-value")] == [high, low]
        page.picture(f"rate-scale-{name}-{size[0]}")
    page.open(f"/recs?user_id={USER}")
    film = items(page)[0]
    choose(page, film, high)
    said(page, "The list is new.")
    assert stands(page, USER, film) == high
    page.run("arguments[0].click()", page.one(f".rated {row(film)} .rate-back"))
    said(page, "Took back")
    assert stands(page, USER, film) == ""


def test_a_number_off_the_scale_is_not_sent(browse, tmp_path):
    page = browse(rated(tmp_path / "set", SCALES["jester"][0]))
    page.open(f"/rate?user_id={USER}")
    film = page.one(".rate-card").get_attribute("data-item")
    assert page.one(f"{row(film)} input").get_attribute("placeholder") == "-10 to 10"
    choose(page, film, "10.5")
    assert not page.run("return document.querySelector('.rate-card input').checkValidity()")
    choose(page, film, "-9.5")
    said(page, "-9.5.")
    assert stands(page, USER, film) == "-9.5"


def test_a_model_of_high_ratings_lets_people_rate_low(browse, tmp_path):
    page = browse(rated(tmp_path / "set", [1, 2, 3, 4, 5]), "--set", "min_rating=3")
    page.open(f"/rate?user_id={USER}")
    film = page.one(".rate-card").get_attribute("data-item")
    assert offered(page, film) == list("12345")
    choose(page, film, "1")
    said(page, "Rated")
    assert stands(page, USER, film) == "1"


def test_ids_beyond_javascript_s_numbers_are_stored_exactly(browse, tmp_path):
    page = browse(rated(tmp_path / "set", [1, 2, 3, 4, 5], first=BIG + 1, apart=2))
    films = [BIG + 1 + 2 * n for n in range(40)]
    page.open(f"/rate?user_id={USER}")
    card = page.one(".rate-card").get_attribute("data-item")
    assert int(card) in films
    choose(page, card, "5")
    said(page, "Rated")
    page.open(f"/recs?user_id={USER}")
    listed = items(page)[0]
    choose(page, listed, "4")
    said(page, "The list is new.")
    page.one("#rate-q").send_keys("film")
    until(page, lambda: len(page.all(".rate-result .rate-stars")) == 8)
    found = [e.get_attribute("data-item") for e in page.all(".rate-result")]
    assert len(set(found)) == 8 and {int(i) for i in found} <= set(films)
    other = next(i for i in found if i not in (card, listed))
    choose(page, other, "2")
    said(page, "2.")
    rows = page.stores.psql("SELECT user_id, item_id, value FROM trivet.rating_live ORDER BY item_id").splitlines()
    assert rows == [f"{USER}|{item}|{value}" for item, value in sorted({int(card): 5, int(listed): 4, int(other): 2}.items())]
    page.open(f"/recs?user_id={USER}")  # the search knows what was rated
    page.one("#rate-q").send_keys("film " + page.one(f".rated {row(other)}").get_attribute("data-title").split()[1])
    until(page, lambda: page.all(f".rate-result{row(other)} .rate-value"))


def test_the_lists_of_two_models_know_such_ids(run, browse, tmp_path):
    page = browse(rated(tmp_path / "set", [1, 2, 3, 4, 5], first=BIG + 1, apart=1))
    run("trivet-train", "fit", "--factors", 3, "--set", "min_users_for_item=1", env=page.stores.env)
    page.open("/models?user_id=3&a=1&b=2&top=30")
    until(page, lambda: "are in both lists" in page.one("#lists-status").text)
    a, b = ({i["id"] for i in page.server.get(f"/api/v1/recs?user_id=3&top=30&model={n}").json()["items"]} for n in (1, 2))
    assert page.one("#lists-status").text.startswith(f"{len(a & b)} of ")
    page.open(f"/models?user_id={USER}&a=1&b=2")
    until(page, lambda: str(USER) in page.one("#lists caption").text)


def test_scripts_read_answers_with_ids_whole():
    """JSON.parse rounds ids; dom.js reads an answer without, and is the only one to read one."""
    for script in (REPO / "serve/pages").glob("*.js"):
        assert script.name == "dom.js" or ".json()" not in script.read_text(), script.name


def test_plays_are_added_one_by_one(browse, tmp_path):
    page = browse(played(tmp_path / "set"), "--algorithm", "als-implicit")
    page.open("/rate?user_id=77")
    assert "one more play" in page.one(".lead").text and not page.all(".rate-stars, .rate-number")
    first, second = [card.get_attribute("data-item") for card in page.all(".rate-card")][:2]
    for n in (1, 2, 3):
        page.run("arguments[0].click()", page.one(f"{row(first)} .rate-more"))
        said(page, f"Played Artist {first}: {n} {'play' if n == 1 else 'plays'}.")
    page.run("for (let i = 0; i < 4; i++) document.querySelector(`${arguments[0]} .rate-more`).click()", row(second))  # at once
    said(page, f"Played Artist {second}: 4 plays.")
    assert (stands(page, 77, first), stands(page, 77, second)) == ("3", "4")
    assert page.one(f"{row(first)} .rate-value").text == "3 plays"
    page.stores.psql(f"UPDATE trivet.rating_live SET value = 16777215 WHERE item_id = {first}")
    page.run("arguments[0].click()", page.one(f"{row(first)} .rate-more"))
    said(page, "16,777,216 plays")
    page.open("/rate?user_id=77")
    assert page.one(f"{row(first)} .rate-value").text == "16,777,216 plays"
    page.run("arguments[0].click()", page.one(f"{row(first)} .rate-more"))
    said(page, "not counted exactly")
    assert [entry for entry in page.browser.get_log("browser") if "422" not in entry["message"]] == []
    page.open("/recs?user_id=77")
    page.run("arguments[0].click()", page.one(f".rated {row(second)} .rate-back"))
    said(page, f"Removed Artist {second}.")
    assert stands(page, 77, second) == ""
    page.one("#rate-q").send_keys(f"artist {second}")
    until(page, lambda: page.all(f".rate-result{row(second)} .rate-more"))
    page.run("arguments[0].click()", page.one(f".rate-result{row(second)} .rate-more"))
    said(page, "1 play. The list is new.")
    for size in (DESKTOP, PHONE):
        page.size(*size)
        for dark in (False, True):
            page.dark(dark)
            for path in ("/rate?user_id=77", "/recs?user_id=77", "/recs?user_id=3"):
                page.open(path)
                until(page, lambda: page.all(".rate-more"))
                assert no_sideways_scroll(page)
                legible(page, "h1, .lead, .rate-card .title, .rate-back, .rate-value, .button", 2)
                page.picture(f"plays-{re.sub('[^a-z0-9]+', '-', path.strip('/'))}-{size[0]}{'-dark' if dark else ''}")


def test_values_that_are_written_out_are_legible(browse, tmp_path):
    page = browse(rated(tmp_path / "set", SCALES["minus"][0]))
    page.open(f"/rate?user_id={USER}")
    choose(page, page.one(".rate-card").get_attribute("data-item"), "2")
    said(page, "Rated")
    for dark in (False, True):
        page.dark(dark)
        page.open(f"/rate?user_id={USER}")
        legible(page, ".rate-star.named span", 5)
        page.picture(f"rate-scale-named{'-dark' if dark else ''}")
    page.run("arguments[0].focus()", page.all(".rate-card:nth-child(2) input")[0])
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.press(Keys.ENTER)
    said(page, " 0.")
