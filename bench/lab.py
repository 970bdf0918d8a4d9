#!/usr/bin/python3
"""How long the page /lab takes until it shows numbers, in Chromium, on MovieLens 1M with a live model.

usage: bench/lab.py [--build DIR] [--data DIR] [--rounds N]

Each round starts trivet-serve and opens the page twice in the same browser: the first visit finds no connection to
PostgreSQL, and no script in the browser's cache. Measured from the address to the funnel's table, and until the last
chart and the comparison with the live model are there. The best of the rounds counts. Ends with status 1 when the
funnel comes later than wanted.

Needs Chromium, chromium-driver and python3-selenium.
"""

import pathlib
import sys
import tempfile
import time

from common import REPO, arguments, machine, movielens_1m, program, run
from server import Server
from stores import Place, Servers

sys.path.insert(0, str(REPO / "tests/browser"))
from test_pages import DESKTOP, Page, start_chromium  # noqa: E402

FIRST_NUMBERS_SECONDS, GIVE_UP_SECONDS = 3, 60
FUNNEL = "return document.querySelectorAll('#funnel tbody tr').length === 12"
EVERYTHING = """return document.getElementById('activity-status').textContent.startsWith('computed in') &&
    document.querySelector('#funnel thead').textContent.includes('difference')"""


def visit(page):
    """Seconds until the funnel is shown, and until everything is."""
    started = time.perf_counter()
    page.open("/lab")
    found = []
    for shown in (FUNNEL, EVERYTHING):
        while not page.run(shown):
            if time.perf_counter() - started > GIVE_UP_SECONDS:
                sys.exit(f"not after {GIVE_UP_SECONDS} s: {page.one('#alert').text or page.one('#funnel-status').text}")
            time.sleep(0.01)
        found.append(time.perf_counter() - started)
    return found


def visits(binary, place, folder):
    """Of the first visit and of the second one."""
    server = Server(binary, place, folder).start()
    browser = start_chromium()
    try:
        page = Page(browser, server.url)
        page.size(*DESKTOP)
        return [visit(page), visit(page)]
    finally:
        browser.quit()
        server.stop()


def bench(args, servers, folder):
    place = Place(servers)
    run(args.build, place.env, "trivet-etl", "load", movielens_1m(args.data, folder))
    run(args.build, place.env, "trivet-train", "fit", "--set", "max_items_for_user=200")
    print(f"{place.psql('SELECT count(*) FROM trivet.rating')} rating rows; {machine()}", flush=True)
    rounds = [visits(program(args.build, "trivet-serve"), place, folder) for _ in range(args.rounds)]
    good = True
    for name, times in zip(("first visit", "second visit"), zip(*rounds)):
        funnel, everything = map(min, zip(*times))
        good = good and funnel < FIRST_NUMBERS_SECONDS
        print(f"{name:<12} funnel after {funnel:.2f} s (wanted: below {FIRST_NUMBERS_SECONDS} s), "
              f"everything after {everything:.2f} s")
    return good


def main():
    args = arguments(__doc__).parse_args()
    servers = Servers()
    try:
        with tempfile.TemporaryDirectory() as folder:
            good = bench(args, servers, pathlib.Path(folder))
    finally:
        servers.end()
    sys.exit(not good)


if __name__ == "__main__":
    main()
