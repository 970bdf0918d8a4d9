"""The pages in a real browser: Chromium, headless. Screenshots go to tests/artefacts/."""

import base64
import contextlib
import pathlib
import re
import shutil

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="python3-selenium is not installed")
from selenium.common.exceptions import WebDriverException  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.select import Select  # noqa: E402
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402

ARTEFACTS = pathlib.Path(__file__).resolve().parents[1] / "artefacts"
DESKTOP, PHONE = (1280, 900), (390, 844)


def start_chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--disable-extensions", "--disable-background-networking"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)


@pytest.fixture(scope="module")
def chromium():
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("Chromium or its driver is missing: apt-get install chromium chromium-driver")
    browser = start_chromium()
    yield browser
    browser.quit()


class Page:
    def __init__(self, chromium, url):
        self.browser, self.url = chromium, url

    def size(self, width, height):
        """The size of the page itself: a window cannot be narrower than 500."""
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def dark(self, on):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]})

    def open(self, path="/"):
        self.browser.get(self.url + path)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def press(self, *keys):
        webdriver.ActionChains(self.browser).send_keys(*keys).perform()

    @contextlib.contextmanager
    def leaving(self):
        """What is done inside leads to another page; goes on once that one is loaded."""
        self.run("window.left = false")
        yield
        wait = WebDriverWait(self.browser, 20, ignored_exceptions=[WebDriverException])  # between two pages there is none
        wait.until(lambda _: self.run("return window.left === undefined && document.readyState === 'complete'"))

    def focus(self):
        return self.browser.switch_to.active_element

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def picture(self, name):
        """The whole page, not only what fits the window."""
        ARTEFACTS.mkdir(exist_ok=True)
        size = self.run("return [document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}})
        (ARTEFACTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


@contextlib.contextmanager
def watched(chromium, url):
    """A page of the server at url; whatever the browser complains of, or loads from elsewhere, fails the test."""
    page = Page(chromium, url)
    page.size(*DESKTOP)
    page.dark(False)
    page.open()
    yield page
    errors = [entry for entry in chromium.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    # A page that is itself the answer to a mistake has a status of 400: the browser notes that, and rightly so.
    errors = [e for e in errors if not re.search(r"the server responded with a status of (400|404)", e["message"])]
    assert errors == []
    loaded = [r for r in re.findall(r'"Network\.requestWillBeSent".*?"url":"([^"]+)"', str(chromium.get_log("performance")))
              if not r.startswith((url, "data:", "about:"))]
    assert loaded == []  # nothing comes from anywhere else


@pytest.fixture
def page(chromium, served):
    with watched(chromium, served.url) as page:
        yield page


def no_sideways_scroll(page):
    return page.run("return document.documentElement.scrollWidth <= window.innerWidth")


def test_from_the_welcome_page_to_a_list(page, served):
    assert page.one("h1").text and len(page.all(".example")) == 6
    page.picture("welcome")
    page.one("#user_id").send_keys("10")
    top = page.one("#top")
    top.clear()
    top.send_keys("7")
    with page.leaving():
        page.one("form .button").click()
    assert page.one("h1").text == "For user 10"
    assert re.fullmatch(r"From your [\d,]+ ratings", page.one(".reason").text)
    body = served.get("/recs?user_id=10&top=7").json()
    rows = page.all(".row")
    assert [row.find_element(By.CSS_SELECTOR, ".rank").text for row in rows] == list("1234567")
    assert [row.find_element(By.CSS_SELECTOR, ".number").text for row in rows] == \
        [f"{item['score']:.3f}" for item in body["items"]]
    for row, item in zip(rows, body["items"]):
        shown = row.find_element(By.CSS_SELECTOR, ".title").text
        assert item["title"] in (shown, f"{shown} ({item['year']})")
    widths = [page.run("return arguments[0].getBoundingClientRect().width", fill) for fill in page.all(".fill")]
    assert all(a >= b > 0 for a, b in zip(widths, widths[1:]))
    first, last = body["items"][0]["score"], body["items"][-1]["score"]
    assert widths[-1] / widths[0] == pytest.approx(last / first, abs=0.01)
    assert len(page.all(".rated li")) == 15
    assert page.one("#user_id").get_attribute("value") == "10" and page.one("#top").get_attribute("value") == "7"
    page.open("/recs?user_id=10")
    page.picture("recs")


def test_every_title_leads_to_imdb(page):
    page.open("/recs?user_id=10&top=50")
    links = [a.get_attribute("href") for a in page.all(".row a.title")]
    assert len(links) == 50
    assert all(re.fullmatch(r"https://www\.imdb\.com/(title/tt\d{7,8}/|find/\?q=.+)", link) for link in links)


def test_an_example_and_a_surprise(page):
    with page.leaving():
        page.one(".example").click()
    assert page.one("h1").text.startswith("For user ") and page.all(".row")
    page.open()
    with page.leaving():
        page.one("a[href='/surprise']").click()
    assert page.one("h1").text.startswith("For user ") and page.all(".row")


def test_the_model_can_be_chosen(page):
    page.open("/recs?user_id=10")
    models = Select(page.one("#model"))
    assert models.first_selected_option.get_attribute("value") == "live"
    texts = [option.text for option in models.options]
    assert len(texts) >= 2 and all("factors" in text and "rating rows" in text for text in texts)
    number = models.options[1].get_attribute("value")
    models.select_by_value(number)
    with page.leaving():
        page.one("form .button").click()
    assert Select(page.one("#model")).first_selected_option.get_attribute("value") == number
    assert page.one(".facts dd").text.startswith(number)


def test_somebody_new(page):
    page.open("/recs?user_id=987654321")
    assert page.one(".reason").text == "We don't know you yet: what most people rate"
    assert len(page.all(".row")) == 15 and page.all(".rated") == []
    page.picture("somebody-new")


@pytest.mark.parametrize("path, status", [("/recs?user_id=ten&top=77", "400"), ("/nowhere", "404")])
def test_a_mistake_is_a_page_to_go_on_from(page, path, status):
    page.open(path)
    assert page.one(".status").text.startswith(status)
    field = page.one("#user_id")
    if status == "400":
        assert "ten" in page.one(".lead").text and field.get_attribute("value") == "ten"
        assert page.one("#top").get_attribute("value") == "77"
        page.picture("mistake")
    field.clear()
    with page.leaving():
        field.send_keys("10", Keys.ENTER)
    assert page.one("h1").text == "For user 10"


@pytest.mark.parametrize("path, name", [("/", "welcome"), ("/recs?user_id=10&top=15", "recs"), ("/recs?user_id=x", "mistake")])
def test_a_phone(page, path, name):
    page.size(*PHONE)
    page.open(path)
    assert no_sideways_scroll(page)
    small = [e for e in page.all("main a.button, button, main input:not([type=checkbox]), main select, .choice, summary")
             if e.is_displayed() and page.run("return arguments[0].getBoundingClientRect().height", e) < 34]
    assert small == []  # fingers are wider than pointers
    fonts = page.run("return [...document.querySelectorAll('input,select')].map(e => parseFloat(getComputedStyle(e).fontSize))")
    assert min(fonts) >= 16  # below that, a phone zooms in when the field is touched
    page.picture(f"{name}-390")
    page.size(320, 700)
    assert no_sideways_scroll(page)


def luminance(color):
    channels = [int(c) / 255 for c in re.findall(r"\d+", color)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def legible(page, selectors, at_least):
    """Every text of these elements stands out from what is behind it; there are at least so many of them."""
    contrasts = page.run("""
        const channels = (c) => { // whatever way the browser writes a colour, a canvas turns it into bytes
            const g = new OffscreenCanvas(1, 1).getContext('2d'); g.fillStyle = c; g.fillRect(0, 0, 1, 1);
            return [...g.getImageData(0, 0, 1, 1).data].slice(0, 3); };
        return [...document.querySelectorAll(arguments[0])]
            .filter(e => e.textContent && e.getClientRects().length).map(e => {
                let b = e;
                while (getComputedStyle(b).backgroundColor === 'rgba(0, 0, 0, 0)') b = b.parentElement;
                return [e.textContent.slice(0, 40), `rgb(${channels(getComputedStyle(e).color)})`, `rgb(${channels(getComputedStyle(b).backgroundColor)})`]; })""",
                         selectors)
    assert len(contrasts) > at_least
    for text, ink, behind in contrasts:
        a, b = sorted((luminance(ink), luminance(behind)), reverse=True)
        assert (a + 0.05) / (b + 0.05) >= 4.5, f"{text}: {ink} on {behind}"  # WCAG 2.1, AA


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_colours_can_be_read(page, dark):
    page.dark(dark)
    page.open("/recs?user_id=10")
    ground = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (luminance(ground) < 0.05) is dark
    for selector in ("h1", ".reason", ".muted", ".row .title", ".year", ".tag", ".number", ".stars", "label", "footer",
                     ".facts dt", ".facts dd", ".button", "#user_id"):
        text, behind = page.run("""
            const e = document.querySelector(arguments[0]); let b = e;
            while (getComputedStyle(b).backgroundColor === 'rgba(0, 0, 0, 0)') b = b.parentElement;
            return [getComputedStyle(e).color, getComputedStyle(b).backgroundColor]""", selector)
        a, b = sorted((luminance(text), luminance(behind)), reverse=True)
        assert (a + 0.05) / (b + 0.05) >= 4.5, f"{selector}: {text} on {behind}"  # WCAG 2.1, AA
    if dark:
        page.picture("recs-dark")


def test_the_keyboard_is_enough(page):
    page.press(Keys.TAB)
    assert page.focus().get_attribute("class") == "skip"
    for _ in range(12):
        if page.focus().get_attribute("id") == "user_id":
            break
        page.press(Keys.TAB)
    outline = page.run("const s = getComputedStyle(document.activeElement); return [s.outlineStyle, parseFloat(s.outlineWidth)]")
    assert outline[0] == "solid" and outline[1] >= 2
    with page.leaving():
        page.press("10", Keys.ENTER)
    assert page.one("h1").text == "For user 10"
    reached = set()
    for _ in range(80):
        page.press(Keys.TAB)
        reached.add(page.run("const e = document.activeElement; return e.id || e.className || e.tagName"))
    assert {"user_id", "top", "model", "button", "title"} <= reached


def test_what_a_screen_reader_is_told(page):
    for path in ("/", "/recs?user_id=10", "/recs?user_id=x"):
        page.open(path)
        assert page.run("return document.documentElement.lang") == "en" and page.browser.title.endswith("trivet")
        assert len(page.all("h1")) == 1 and len(page.all("main")) == 1
        assert page.run("return [...document.querySelectorAll('input,select')].every(e => e.labels.length === 1)")
        ids = page.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids))
        assert page.run("return [...document.querySelectorAll('[aria-labelledby]')]"
                        ".every(e => document.getElementById(e.getAttribute('aria-labelledby')))")
