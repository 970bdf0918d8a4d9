"""The filter lab in a real browser: sliders, funnel, heat map, links, keyboard, phone. Screenshots in tests/artefacts/."""

import time

import psycopg2
import pytest

pytest.importorskip("selenium.webdriver", reason="python3-selenium is not installed")
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.select import Select  # noqa: E402
from slow_sweep import nobody_reads, sweep_waits  # noqa: E402
from test_pages import PHONE, Page, chromium, legible, no_sideways_scroll, page  # noqa: E402, F401


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still not after {seconds} s"
        time.sleep(0.05)
    return value


class Lab:
    """What the page shows, read from its elements."""

    def __init__(self, page, served):
        self.page, self.served = page, served

    def open(self, query=""):
        self.page.open(f"/lab{query}")
        return self.ready()

    def status(self, kind="funnel"):
        return self.page.one(f"#{kind}-status").text

    def ready(self, kind="funnel", parameters=None):
        """Waits for numbers, of these parameters where they are given."""
        until(lambda: "computed in" in self.status(kind) and (parameters is None or parameters in self.status(kind)))
        return self

    def field(self, name):
        return self.page.one(f"#{name}").get_attribute("value")

    def funnel(self):
        """{step: [rows, users, items]} as the table shows them."""
        return self.page.run("""return Object.fromEntries([...document.querySelectorAll('#funnel tbody tr')].map(line =>
            [line.cells[0].firstChild.textContent, [1, 2, 3].map(i => Number(line.cells[i].textContent.replaceAll(',', '')))]))""")

    def expected(self, query=""):
        rows = self.served.get(f"/lab/funnel{query}").json()["rows"]
        return {row["name"]: [row["row_count"], row["users"], row["items"]] for row in rows}

    def search(self):
        return self.page.run("return location.search")


@pytest.fixture
def lab(page, served):  # noqa: F811
    return Lab(page, served)


def drawing(page, canvas):  # noqa: F811
    """What is drawn on a canvas, None while it is blank."""
    return page.run("""const c = document.getElementById(arguments[0]), blank = document.createElement('canvas');
        blank.width = c.width; blank.height = c.height;
        return c.toDataURL() === blank.toDataURL() ? null : c.toDataURL()""", canvas)


def test_numbers_are_there_at_once(lab):
    lab.open()
    assert lab.funnel() == lab.expected() and len(lab.funnel()) == 12
    assert lab.status().endswith("with the defaults")
    assert "The filter of live model" in lab.page.one("#difference").text or "was learned with" in lab.page.one("#difference").text
    until(lambda: drawing(lab.page, "funnel-chart"))


def test_a_slider_moves_the_funnel(lab):
    before = lab.open().funnel()
    until(lambda: lab.page.run("return document.querySelector('#funnel thead').textContent.includes('difference')"))  # the live model's numbers are there, too
    bars = drawing(lab.page, "funnel-chart")
    assert bars
    slider = lab.page.one("#slide-max_items_for_user")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert lab.field("max_items_for_user") == "75" and slider.get_attribute("aria-valuetext") == "75"
    lab.ready(parameters="max_items_for_user 75")
    after = lab.funnel()
    assert after == lab.expected("?max_items_for_user=75")
    assert after["user cut"][0] > before["user cut"][0] and after["all"] == before["all"]
    assert lab.search() == "?max_items_for_user=75"
    until(lambda: drawing(lab.page, "funnel-chart") != bars)
    assert "max_items_for_user 50 (here 75)" in lab.page.one("#difference").text
    lab.page.one("#to-live").click()
    lab.ready(parameters="the defaults")
    assert lab.search() == "" and lab.funnel() == before


def test_typing_fast_asks_once(lab):
    lab.open()
    field = lab.page.one("#min_users_for_item")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("123")
    lab.ready(parameters="min_users_for_item 123")
    asked = lab.page.run("return performance.getEntriesByType('resource').map(r => r.name)"
                         ".filter(n => n.includes('/lab/funnel') && n.includes('min_users_for_item'))")
    assert len(asked) == 1 and "min_users_for_item=123" in asked[0]
    assert lab.funnel() == lab.expected("?min_users_for_item=123")


def test_a_mistake_is_told_at_its_field(lab):
    before = lab.open().funnel()
    field = lab.page.one("#min_rating")
    field.send_keys("good")
    told = until(lambda: lab.page.one("#problem-min_rating").text)
    assert "min_rating" in told and "number" in told and field.get_attribute("aria-invalid") == "true"
    assert lab.funnel() == before  # the last good numbers stay
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("4.5")
    lab.ready(parameters="min_rating 4.5")
    assert lab.page.one("#problem-min_rating").text == "" and field.get_attribute("aria-invalid") is None


def test_a_cell_of_the_sweep_is_taken_and_the_link_brings_it_back(lab):
    lab.open("?min_items_for_user=5")
    for name, values in (("x", "30,60,120"), ("y", "5,10,20,40")):
        field = lab.page.one(f"#{name}_values")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(values)
    lab.page.one("#sweep .button").click()
    lab.ready("sweep")
    cells = lab.page.all("#grid-place td")
    assert len(cells) == 12 and all(cell.text for cell in cells)
    colours = lab.page.run("return [...document.querySelectorAll('#grid-place td')].map(c => getComputedStyle(c).backgroundColor)")
    assert len(set(colours)) > 6
    for cell in cells:
        x, y = cell.get_attribute("data-x"), cell.get_attribute("data-y")
        query = f"?min_items_for_user=5&max_items_for_user={x}&min_users_for_item={y}"
        assert int(cell.text.replace(",", "")) == lab.expected(query)["row limit"][0]
    lab.page.one("#grid-place td[data-x='120'][data-y='20']").click()
    assert lab.field("max_items_for_user") == "120" and lab.field("min_users_for_item") == "20"
    lab.ready(parameters="min_users_for_item 20, min_items_for_user 5, max_items_for_user 120")
    numbers = lab.funnel()
    selected = [(c.get_attribute("data-x"), c.get_attribute("data-y")) for c in lab.page.all("#grid-place td[aria-selected='true']")]
    assert selected == [("120", "20")]
    lab.page.picture("lab")
    link = lab.page.one("#link").text
    lab.page.open("/")
    lab.page.browser.get(link)
    lab.ready(parameters="min_users_for_item 20, min_items_for_user 5, max_items_for_user 120").ready("sweep")
    assert lab.funnel() == numbers and lab.page.browser.current_url == link
    assert len(lab.page.all("#grid-place td")) == 12
    assert lab.page.one("#grid-place td[aria-selected='true']").get_attribute("data-x") == "120"
    Select(lab.page.one("#measure")).select_by_visible_text("users")
    assert "measure=users" in lab.search()


def test_a_sweep_tells_how_far_it_is(lab):
    place = lab.served.stores
    holder = psycopg2.connect(place.postgres_uri)
    holder.cursor().execute("select pg_advisory_xact_lock(3)")
    with sweep_waits(place, "pg_advisory_xact_lock_shared(3)", at=3):
        lab.page.open("/lab?x=min_rating&x_values=1,2,3,4&y=max_items_for_user&y_values=20,60")
        until(lambda: "computing 2 of 4, " in lab.status("sweep").replace("\n", " "))
        lab.page.picture("lab-sweep-running")
        holder.close()
        lab.ready("sweep")
    assert len(lab.page.all("#grid-place td")) == 8


def test_the_distributions_show_the_thresholds(lab):
    lab.open().ready("activity")
    until(lambda: drawing(lab.page, "users-chart") and drawing(lab.page, "items-chart"))
    text = lab.page.one("#users-text").text
    psql = lab.served.stores.psql
    share = psql("select to_char(100.0 * count(*) filter (where n between 3 and 50) / count(*), 'FM990.0') "
                 "from (select count(*) n from trivet.rating group by user_id) t")
    assert f"{share} % have 3 to 50 and stay" in text
    before = drawing(lab.page, "users-chart")
    lab.page.one("#slide-min_items_for_user").send_keys(Keys.ARROW_RIGHT * 5)
    until(lambda: "fewer than 20" in lab.page.one("#users-text").text)
    until(lambda: drawing(lab.page, "users-chart") != before)


def test_what_is_copied_runs_as_it_is(lab, run):
    query = "?max_items_for_user=120&genres=Drama,Sci-Fi&min_rating=2.5&rated_since=1997-10-01&sample_users=0.5"
    lab.open(query)
    psql = lab.served.stores.psql
    sql = lab.page.one("#sql").text
    assert len(psql(sql).splitlines()) == lab.expected(query)["row limit"][0] > 100
    command = lab.page.one("#command").text
    assert command == ("trivet-train fit --set max_items_for_user=120 --set rated_since=1997-10-01 --set genres=Drama,Sci-Fi "
                       "--set min_rating=2.5 --set sample_users=0.5")
    save = lab.page.one("#save").text
    assert save.startswith("select trivet.save_preset('a_name', ") and "array['Drama', 'Sci-Fi']" in save
    lab.page.one("[data-copy='sql']").click()
    assert until(lambda: lab.page.one("#copied").text) in ("copied", "marked: copy it with Ctrl+C")


def test_a_preset_is_loaded(lab):
    lab.open()
    name = lab.page.one("#save").text  # pasted as an analyst would, under a name of its own
    assert "'a_name'" in name
    lab.served.stores.psql("select trivet.save_preset('lab_test', max_items_for_user => 150, genres => array['Drama'])")
    try:
        lab.open()
        until(lambda: any(o.text == "lab_test" for o in lab.page.all("#preset option")))
        Select(lab.page.one("#preset")).select_by_visible_text("lab_test")
        lab.page.one("#load-preset").click()
        assert lab.field("max_items_for_user") == "150" and lab.field("genres") == "Drama"
        lab.ready(parameters="max_items_for_user 150, genres Drama")
    finally:
        lab.served.stores.psql("select trivet.drop_preset('lab_test')")


def test_a_slow_question_shows_its_time_and_can_be_stopped(lab):
    place = lab.served.stores
    at_work = "select count(*) from pg_stat_activity where usename = 'trivet_page' and state = 'active'"
    lab.open().ready("activity")
    with nobody_reads(place):
        lab.page.one("#slide-min_users_for_item").send_keys(Keys.ARROW_RIGHT)
        button = until(lambda: lab.page.all("#funnel-status button"))[0]
        assert "computing" in lab.status() and " s" in lab.status()
        until(lambda: place.psql(at_work) == "1")
        button.click()
        until(lambda: lab.status() == "stopped")
        until(lambda: place.psql(at_work) == "0")


def test_without_postgres_the_page_says_so(chromium, served, serve):  # noqa: F811
    server = serve(served.stores, env={"TRIVET_READER": "postgresql://trivet_page@127.0.0.1:1/postgres"})
    page = Page(chromium, server.url)  # noqa: F811
    page.open("/lab")
    text = until(lambda: page.one("#alert").text)
    assert "PostgreSQL" in text and "does not answer" in text
    assert page.one("#sql").text == "select * from trivet.user_item();"
    page.open("/recs?user_id=10")
    assert page.one("h1").text == "For user 10"
    chromium.get_log("browser")  # the 503 of the questions
    chromium.get_log("performance")


def test_a_phone(lab):
    lab.page.size(*PHONE)
    lab.open("?max_items_for_user=120&x=max_items_for_user&x_values=30,60,120&y=min_users_for_item&y_values=5,10,20")
    lab.ready("sweep").ready("activity")
    assert no_sideways_scroll(lab.page)
    fonts = lab.page.run("return [...document.querySelectorAll('input,select')].map(e => parseFloat(getComputedStyle(e).fontSize))")
    assert min(fonts) >= 16
    small = [e for e in lab.page.all("#lab button, #lab input, #lab select, #grid-place td")
             if lab.page.run("return arguments[0].getBoundingClientRect().height", e) < 34]
    assert small == []
    until(lambda: drawing(lab.page, "funnel-chart"))
    lab.page.picture("lab-390")
    lab.page.size(320, 700)
    assert no_sideways_scroll(lab.page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_colours_can_be_read(lab, dark):
    lab.page.dark(dark)
    lab.open("?max_items_for_user=120&x=max_items_for_user&x_values=30,60,120&y=min_users_for_item&y_values=5,10,20")
    lab.ready("sweep").ready("activity")
    legible(lab.page, "#lab h1, #lab h2, #lab h3, #lab p, #lab label, #lab .meaning, #lab td, #lab th, #lab caption, #lab .note, #lab pre, #lab .button", 60)
    if dark:
        lab.page.picture("lab-dark")


def test_the_keyboard_is_enough(lab):
    page = lab.open().page  # noqa: F811

    def tab_to(found, most=40):
        for _ in range(most):
            page.press(Keys.TAB)
            if found():
                return
        pytest.fail("not reached with the Tab key")

    def focused(script):
        return lambda: page.run(f"const e = document.activeElement; return {script}")

    tab_to(focused("e.id === 'slide-max_items_for_user'"))
    outline = page.run("const s = getComputedStyle(document.activeElement); return [s.outlineStyle, parseFloat(s.outlineWidth)]")
    assert outline[0] == "solid" and outline[1] >= 2
    page.press(Keys.ARROW_RIGHT)
    lab.ready(parameters="max_items_for_user 75")
    tab_to(focused("e.type === 'submit' && e.form.id === 'sweep'"))
    page.press(Keys.ENTER)
    lab.ready("sweep")
    tab_to(focused("e.tagName === 'TD'"))
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    cell = page.focus()
    x, y = cell.get_attribute("data-x"), cell.get_attribute("data-y")
    assert cell.get_attribute("aria-label").startswith(f"max_items_for_user {x}, min_users_for_item {y}: ")
    page.press(Keys.ENTER)
    assert lab.field("max_items_for_user") == x and lab.field("min_users_for_item") == y
    lab.ready(parameters=f"max_items_for_user {x}")
    assert page.focus().get_attribute("data-x") == x  # the place in the grid is kept
    tab_to(focused("e.dataset.copy === 'sql'"))


def test_what_a_screen_reader_is_told(lab):
    page = lab.open("?x=max_items_for_user&x_values=30,60&y=min_users_for_item&y_values=5,10").page  # noqa: F811
    lab.ready("sweep")
    assert page.run("return document.documentElement.lang") == "en" and page.browser.title == "Filter lab · trivet"
    assert len(page.all("h1")) == 1 and len(page.all("main")) == 1
    assert page.run("return [...document.querySelectorAll('input,select')].filter(e => e.labels.length !== 1 && !e.ariaLabel).map(e => e.id)") == []
    ids = page.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    for attribute in ("aria-labelledby", "aria-describedby"):
        assert page.run(f"""return [...document.querySelectorAll('[{attribute}]')].every(e =>
            e.getAttribute('{attribute}').split(' ').every(id => document.getElementById(id)))""")
